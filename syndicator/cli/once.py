"""``syndicator once``: poll every source, send what is due, write every view, end. For cron, and for a first look."""

from __future__ import annotations

import asyncio
import random
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from syndicator.cli import COMMANDS, FAILED, OK, TEMPORARY, code_for, show_json, told
from syndicator.cli.configuration import load_all
from syndicator.config import Config
from syndicator.errors import StateError
from syndicator.logs import clean
from syndicator.problems import NOTICES, PASSING
from syndicator.words import pick, say

if TYPE_CHECKING:
    from syndicator.tenant import Tenant

HELP = COMMANDS["once"]


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """One round for every association; 0 when nothing failed, 75 when all that failed may pass by itself."""
    import sys

    from syndicator import logs

    logs.set_up(args.environ, verbose=args.verbose)
    configs, errors = load_all(args)
    for error in errors:
        print(told(error, args.language), file=sys.stderr)
    rounds = asyncio.run(_all(configs, quiet=args.json))
    if args.json:
        show_json([asdict(one) for one in rounds])
    return code_for(errors[0]) if errors else max((one.code for one in rounds), key=[OK, TEMPORARY, FAILED].index, default=OK)


@dataclass(kw_only=True)
class Round:
    """What one association's round did."""

    association: str
    language: str
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    destinations: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[dict[str, Any]] = field(default_factory=list)

    @property
    def code(self) -> int:
        """0, or 75 when only what may pass by itself is wrong, or 1."""
        kinds = {problem["kind"] for problem in self.problems} - NOTICES
        if not kinds:
            return OK
        return TEMPORARY if kinds <= PASSING | {"clock"} else FAILED


async def _all(configs: Sequence[Config], *, quiet: bool) -> list[Round]:
    from syndicator.http import Sessions

    sessions = Sessions()
    try:
        return [await _round(config, sessions, quiet=quiet) for config in configs]
    finally:
        await sessions.close()


async def _round(config: Config, sessions: Any, *, quiet: bool) -> Round:
    from syndicator.tenant import Tenant

    language = config.association.language
    tenant = Tenant.make(config, sessions, lambda: datetime.now(UTC), random.Random())  # noqa: S311 - jitter, no secret
    one = Round(association=config.slug, language=language)
    try:
        await tenant.start()
        await _work(tenant, one, quiet=quiet)
    except StateError as error:
        what = pick(error.hint, language) if error.hint else say(language, "check.advice-state")
        one.problems.append({"key": "state", "kind": "state", "what": what, "todo": "", "detail": clean(str(error))})
    finally:
        await tenant.close()
    if not quiet:
        for problem in one.problems:
            print("\n".join(problem_lines(problem, language)), flush=True)
    return one


async def _work(tenant: Tenant, one: Round, *, quiet: bool) -> None:
    """Poll, send, write, in this order; each result is told as it comes."""
    from syndicator import alerts, steps

    def tell(key: str, **values: Any) -> None:
        if not quiet:
            print(say(one.language, f"once.{key}", **values), flush=True)

    for name in tenant.config.sources:
        looks = [await steps.poll(tenant, name)]
        while looks[-1].more:
            looks.append(await steps.poll(tenant, name))
        ok = looks[-1].error is None
        counts = {what: sum(getattr(look, what) for look in looks) for what in ("new", "changed", "gone")}
        skipped = sum(look.skipped for look in looks)
        one.sources[name] = {"ok": ok, **counts, "skipped": skipped}
        tell("source" if ok else "source-failed", name=name, **counts)
        if skipped:
            tell("skipped", name=name, count=skipped)
    for name in tenant.publishers:
        attempts = 0
        while (await steps.deliver(tenant, name)).worked:
            attempts += 1
        waiting = (await tenant.ledger.transact(lambda store: store.outbox.unfinished())).get((name, "pending"), 0)
        one.destinations[name] = {"attempts": attempts, "waiting": waiting}
        told = await tenant.ledger.transact(lambda store: {problem.subject for problem in store.problems.open()})
        closed = f"destination:{name}" in told
        tell("view-failed" if closed else "destination", name=name, done=attempts, waiting=waiting)
    for name in tenant.projections:
        projected = await steps.project(tenant, name, force=True)
        one.destinations[name] = {"written": projected.wrote}
        tell("view" if projected.error is None else "view-failed", name=name)
    await alerts.tell(tenant)
    problems = await tenant.ledger.transact(lambda store: store.problems.open())
    one.problems.extend(alerts.as_data(problem, one.language) for problem in problems)


def problem_lines(problem: dict[str, Any], language: str) -> list[str]:
    """A problem for a terminal: where, what, what to do, what the service said."""
    headline = say(language, "check.line", subject=problem["key"], text=problem["what"])
    rows = [f"✗ {headline}", f"    → {problem['todo']}", f"      ({problem['detail']})"]
    return [row for row, told_in in zip(rows, ("what", "todo", "detail"), strict=True) if problem[told_in]]

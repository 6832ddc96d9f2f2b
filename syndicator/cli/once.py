"""``syndicator once``: poll every source, send what is due, write every view, end. For cron, and for a first look."""

from __future__ import annotations

import asyncio
import random
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from syndicator.cli import COMMANDS, FAILED, OK, code_for, show_json, told
from syndicator.cli.configuration import load_all
from syndicator.config import Config
from syndicator.errors import StateError
from syndicator.words import say

HELP = COMMANDS["once"]


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """One round for every association; 0 when nothing failed."""
    import sys

    from syndicator import logs

    logs.set_up(args.environ, verbose=args.verbose)
    configs, errors = load_all(args)
    for error in errors:
        print(told(error, args.language), file=sys.stderr)
    rounds, code = asyncio.run(_all(configs))
    if args.json:
        show_json(rounds)
    else:
        for one in rounds:
            _print(one)
    return code_for(errors[0]) if errors else code


async def _all(configs: Sequence[Config]) -> tuple[list[dict[str, Any]], int]:
    from syndicator.http import Sessions

    sessions = Sessions()
    rounds, code = [], OK
    try:
        for config in configs:
            one = await _round(config, sessions)
            rounds.append(one)
            code = FAILED if one["problems"] else code
    finally:
        await sessions.close()
    return rounds, code


async def _round(config: Config, sessions: Any) -> dict[str, Any]:
    from syndicator import alerts, steps
    from syndicator.tenant import Tenant

    language = config.association.language
    tenant = Tenant.make(config, sessions, lambda: datetime.now(UTC), random.Random())  # noqa: S311 - jitter, no secret
    told: dict[str, Any] = {"association": config.slug, "language": language, "sources": {}, "destinations": {}, "problems": []}
    try:
        await tenant.start()
        for name in config.sources:
            polled = await steps.poll(tenant, name)
            told["sources"][name] = {"new": polled.new, "changed": polled.changed, "gone": polled.gone, "skipped": polled.skipped}
        for name in tenant.publishers:
            done = 0
            while (await steps.deliver(tenant, name)).worked:
                done += 1
            told["destinations"][name] = {"attempts": done}
        for name in tenant.projections:
            projected = await steps.project(tenant, name, force=True)
            told["destinations"][name] = {"written": projected.wrote}
        await alerts.tell(tenant)
        problems = await tenant.ledger.transact(lambda store: store.problems.open())
        counts = await tenant.ledger.transact(lambda store: store.outbox.counts())
        for name in tenant.publishers:
            told["destinations"][name]["waiting"] = counts.get((name, "pending"), 0)
        told["problems"] = [" ".join(alerts.describe(problem, language)) for problem in problems]
    except StateError as error:
        told["problems"] = [_state(error, language)]
    finally:
        await tenant.close()
    return told


def _state(error: StateError, language: str) -> str:
    return told(error, language).replace("\n", " ")


def _print(one: dict[str, Any]) -> None:
    language = one["language"]
    for name, polled in one["sources"].items():
        counts = {key: polled[key] for key in ("new", "changed", "gone")}
        print(say(language, "once.source", name=name, **counts))
        if polled["skipped"]:
            print(say(language, "once.skipped", name=name, count=polled["skipped"]))
    for name, did in one["destinations"].items():
        if "written" in did:
            print(say(language, "once.view", name=name))
        else:
            print(say(language, "once.destination", name=name, done=did["attempts"], waiting=did["waiting"]))
    for problem in one["problems"]:
        print(f"✗ {problem}")

"""``syndicator check``: is everything reachable and permitted? Reads, logs in, and posts nothing.

Connectors are opened and closed with throw-away folders, so that a check by an administrator leaves no file that the daemon's own
account could not write.
"""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from syndicator.assemble import Account, make_connector
from syndicator.cli import BAD_CONFIG, COMMANDS, FAILED, OK, TEMPORARY, show_json
from syndicator.cli.configuration import load_all
from syndicator.config import Config, DestinationConfig, SourceConfig
from syndicator.contract import Limits
from syndicator.errors import AuthExpired, ConfigError, Rejected, StateError, SyndicatorError, Transient, Words
from syndicator.expiring import day, expires_at
from syndicator.http import Sessions
from syndicator.logs import clean
from syndicator.plan import find_loop
from syndicator.store import Ledger
from syndicator.words import pick, say

if TYPE_CHECKING:
    from syndicator.letter.newsletter import Newsletter
    from syndicator.route import Route

HELP = COMMANDS["check"]
TIMEOUT_S = 60
AT_ONCE = 8
DETAIL_MAX = 300

Kind = Literal["ok", "note", "config", "folder", "transient", "auth", "rejected", "loop", "bug"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """``configuration``, ``state``, ``public``, ``sources.NAME``, ``destinations.NAME``."""
    kind: Kind
    text: str
    """What was found; where it is not right, what to do, in the association's language."""
    detail: str = ""
    """What the service said."""
    account: str | None = None

    @property
    def good(self) -> bool:
        """Whether nobody need do anything."""
        return self.kind in ("ok", "note")


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--json``, and names when there are many."""
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))
    parser.add_argument("associations", nargs="*", metavar="ASSOCIATION", help=say(language, "check.associations"))


def run(args: Namespace) -> int:
    """Check, telling each result as it comes; the exit code."""
    if args.verbose:
        from syndicator import logs

        logs.set_up(args.environ, verbose=True)
    else:
        # What is worth a person's while is a finding.
        logging.getLogger("syndicator").addHandler(logging.NullHandler())
    configs, errors = load_all(args)
    if args.associations:
        configs = [config for config in configs if config.slug in args.associations]
        errors = [error for error in errors if Path(error.problems[0].path).stem in args.associations]
    teller = Teller(args.json, args.language)
    findings = {error.problems[0].path: _of_config_error(error, teller) for error in errors}
    if configs:
        findings |= asyncio.run(_check_all(configs, quiet=args.json))
    everything = [finding for found in findings.values() for finding in found]
    if args.json:
        show_json({"ok": all(finding.good for finding in everything), "associations": _plain(findings)})
    else:
        _verdict(everything, args.language)
    return code(everything)


def code(findings: Sequence[Finding]) -> int:
    """The exit code: a configuration that is wrong first, then what only a person can mend, then what may pass by itself."""
    bad = {finding.kind for finding in findings if not finding.good}
    if not bad:
        return OK
    if "config" in bad:
        return BAD_CONFIG
    return TEMPORARY if bad == {"transient"} else FAILED


@dataclass(frozen=True)
class Teller:
    """Shows each result as it comes; says nothing when a script is to have them all at the end."""

    quiet: bool
    language: str

    def heading(self, text: str) -> None:
        """Whose results follow."""
        if not self.quiet:
            print(text, flush=True)

    def waiting(self, subject: str) -> None:
        """What is being looked at, until its result takes the line."""
        if not self.quiet and sys.stdout.isatty():
            print(f"  … {subject}", end="", flush=True)

    def found(self, finding: Finding) -> Finding:
        """One result: what to do, and what the service said."""
        if self.quiet:
            return finding
        mark = {"ok": "✓", "note": "·"}.get(finding.kind, "✗")
        clear = "\r\033[K" if sys.stdout.isatty() else ""
        print(f"{clear}  {mark} {say(self.language, 'check.line', subject=finding.subject, text=finding.text)}", flush=True)
        if finding.detail:
            print(f"      ({finding.detail})", flush=True)
        return finding


def _of_config_error(error: ConfigError, teller: Teller) -> list[Finding]:
    return [teller.found(Finding(subject="configuration", kind="config", text=str(problem))) for problem in error.problems]


async def _check_all(configs: Sequence[Config], *, quiet: bool) -> dict[str, list[Finding]]:
    sessions = Sessions()
    try:
        return {str(config.path): await _check(config, sessions, quiet=quiet) for config in configs}
    finally:
        await sessions.close()


async def _check(config: Config, sessions: Sessions, *, quiet: bool) -> list[Finding]:
    language = config.association.language
    teller = Teller(quiet, language)
    teller.heading(f"{config.association.name} ({config.path})")
    found = [Finding(subject="configuration", kind="ok", text=say(language, "check.config-good"))]
    found += [_folder("state", config.state_dir, language), _folder("public", config.public_dir, language)]
    found += _ledger(config) if found[1].good else ()
    found += _unused(config)
    found += _newsletters(config)
    for finding in found:
        teller.found(finding)
    with TemporaryDirectory(prefix="syndicator-check-") as folder:
        apart = replace(config, state_dir=Path(folder) / "state", public_dir=Path(folder) / "public")
        found += await _accounts(apart, sessions, teller)
    return found + [teller.found(finding) for finding in _loops(config, found)]


async def _accounts(config: Config, sessions: Sessions, teller: Teller) -> list[Finding]:
    """Each account's finding, in the order of the file, a few of them looked at together."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(account: Account) -> list[Finding]:
        async with gate:
            return [*await _account(config, account, sessions), *_budget(account, config.association.language)]

    found: list[Finding] = []
    async with asyncio.TaskGroup() as group:
        tasks = [(subject_of(account), group.create_task(one(account))) for account in _all_accounts(config)]
        for subject, task in tasks:
            teller.waiting(subject)
            found += [teller.found(finding) for finding in await task]
    return found


def _all_accounts(config: Config) -> tuple[Account, ...]:
    return (*config.sources.values(), *config.destinations.values())


async def _account(config: Config, account: Account, sessions: Sessions) -> list[Finding]:
    """Whether it works, and what it has to remark."""
    language = config.association.language
    subject = subject_of(account)
    connector = None
    try:
        connector = make_connector(config, account, sessions, lambda: datetime.now(UTC))
        async with asyncio.timeout(TIMEOUT_S):
            await connector.open()
    except TimeoutError:
        return [Finding(subject=subject, kind="transient", text=say(language, "check.slow", seconds=TIMEOUT_S))]
    except SyndicatorError as error:
        kind, advice = _kind(error)
        if kind == "auth" and isinstance(account, SourceConfig):
            advice = "auth-source"
        own: Words | None = getattr(error, "hint", None)
        todo = pick(own, language) if own else say(language, f"check.advice-{advice}")
        return [Finding(subject=subject, kind=kind, text=clean(todo), detail=clean(" ".join(str(error).split()))[:DETAIL_MAX])]
    except Exception as error:  # noqa: BLE001 - a connector's bug is one finding, not the end of the check
        reason = clean(f"{type(error).__name__}: {error}")
        return [Finding(subject=subject, kind="bug", text=say(language, "check.bug", type=account.type, reason=reason))]
    finally:
        if connector is not None:
            await connector.close()
    name = getattr(connector, "account", None)
    found = [Finding(subject=subject, kind="ok", text=_about(account, connector, config), account=name)]
    remark: Words | None = getattr(connector, "remark", None)
    return [*found, Finding(subject=subject, kind="note", text=clean(pick(remark, language)))] if remark else found


def _about(account: Account, connector: Any, config: Config) -> str:
    """Type, name and the end of the credential, as far as they are known."""
    name = getattr(connector, "account", None)
    text = f"{account.type}, {name}" if name else account.type
    at, language = expires_at(connector), config.association.language
    if at is None:
        return text
    return say(language, "check.expires", account=text, date=day(at.astimezone(ZoneInfo(config.association.timezone)).date(), language))


def _budget(account: Account, language: str) -> Iterator[Finding]:
    """A note of what messages cost and where that ends; or of a budget on a network that charges nothing."""
    limits: Limits | None = getattr(account.connector, "limits", None)
    if not isinstance(account, DestinationConfig):
        return
    prices, budget = limits.prices if limits else None, account.pace.budget
    if prices is not None:
        from syndicator.text.cost import in_words

        amounts = {"budget": round((budget or 0) * 1000), "create": prices.create, "linked": prices.create_with_link}
        said = {name: in_words(mills, prices.currency, language) for name, mills in amounts.items()}
        text = say(language, "check.budget-none" if budget is None else "check.budget", **said)
        yield Finding(subject=subject_of(account), kind="note", text=text)
    elif budget is not None:
        yield Finding(subject=subject_of(account), kind="note", text=say(language, "check.budget-idle"))


def subject_of(account: Account) -> str:
    """``sources.NAME`` or ``destinations.NAME``."""
    return f"{'sources' if isinstance(account, SourceConfig) else 'destinations'}.{account.name}"


def _kind(error: SyndicatorError) -> tuple[Kind, str]:
    if isinstance(error, AuthExpired):
        return "auth", "auth"
    if isinstance(error, Rejected):
        return "rejected", "rejected"
    if isinstance(error, StateError):
        return "folder", "state"
    return ("transient", "transient") if isinstance(error, Transient) else ("rejected", "rejected")


def _folder(subject: str, path: Path, language: str) -> Finding:
    """Whether the daemon, run as this account, could write there."""
    there = next(folder for folder in (path, *path.parents) if os.access(folder, os.F_OK))
    if not os.access(there, os.W_OK | os.X_OK) or not there.is_dir():
        return Finding(subject=subject, kind="folder", text=say(language, "check.folder-wrong", path=path, user=_user()))
    message = "check.folder-good" if there == path else "check.folder-not-made"
    return Finding(subject=subject, kind="ok", text=say(language, message, path=path))


def _ledger(config: Config) -> Iterator[Finding]:
    """What is wrong with the database, if there is one."""
    try:
        Ledger(config.state_dir / "syndicator.db").examine()
    except StateError as error:
        text = pick(error.hint, config.association.language) if error.hint else say(config.association.language, "check.advice-state")
        yield Finding(subject="state", kind="folder", text=text, detail=clean(str(error)))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _newsletters(config: Config) -> Iterator[Finding]:
    """When each leaves next, and what is wrong with what it is made with."""
    if not config.newsletters:
        return
    from syndicator.letter_check import examine

    for letter in config.newsletters.values():
        for kind, text, detail in examine(config, letter, datetime.now(UTC)):
            yield Finding(subject=f"newsletters.{letter.name}", kind=kind, text=clean(text), detail=clean(detail)[:DETAIL_MAX])


def _unused(config: Config) -> Iterator[Finding]:
    ways: list[Route | Newsletter] = [*config.routes.values(), *config.newsletters.values()]
    used = {f"sources.{name}" for way in ways for name in way.sources}
    used |= {f"destinations.{name}" for way in ways for name in way.destinations}
    for account in _all_accounts(config):
        subject = subject_of(account)
        if subject not in used:
            yield Finding(subject=subject, kind="note", text=say(config.association.language, "check.unused", name=account.name))


def _loops(config: Config, found: Sequence[Finding]) -> Iterator[Finding]:
    accounts = {finding.subject: finding.account for finding in found if finding.account}
    circle = find_loop(
        (accounts.get(f"sources.{source}"), accounts.get(f"destinations.{destination}"))
        for route in config.routes.values()
        for source in route.sources
        for destination in route.destinations
    )
    if circle:
        way = " → ".join((*circle, circle[0]))
        yield Finding(subject="routes", kind="loop", text=say(config.association.language, "check.loop", way=way))


def _plain(findings: dict[str, list[Finding]]) -> list[dict[str, Any]]:
    return [
        {
            "config": path,
            "ok": all(finding.good for finding in found),
            "findings": [{**asdict(finding), "ok": finding.good} for finding in found],
        }
        for path, found in findings.items()
    ]


def _verdict(findings: Sequence[Finding], language: str) -> None:
    wrong = [finding for finding in findings if not finding.good]
    if wrong:
        print(say(language, "check.verdict-wrong", count=len(wrong)))
    else:
        print(say(language, "check.verdict-good", count=sum(finding.kind == "ok" for finding in findings)))

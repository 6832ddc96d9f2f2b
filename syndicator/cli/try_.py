"""``syndicator try URL…``: what would come of an association's public addresses, without account or configuration.

Finds out what each address is, reads it, writes a calendar and a page into a folder, together with the configuration that made them,
and shows what each network would receive. Asks nobody but the addresses given, and posts nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from syndicator.cli import COMMANDS, FAILED, OK, show_json, told
from syndicator.errors import ConnectorError, Gone, Rejected, StateError, words
from syndicator.words import say

if TYPE_CHECKING:
    from syndicator.contract import Page
    from syndicator.http import Http, Sessions
    from syndicator.tenant import Tenant

HELP = COMMANDS["try"]
KINDS = {
    **dict.fromkeys(("mastodon", "glitch", "hometown", "gotosocial", "pleroma", "akkoma", "friendica", "pixelfed"), "account"),
    "peertube": "channel",
    "mobilizon": "group",
}
"""Software by NodeInfo name → what of it can be read: a word of ``try.give.*``."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one address turned out to be."""

    name: str
    type: str
    options: Mapping[str, Any]
    title: str


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """The addresses, the folder, ``--allow-private``, ``--json``."""
    parser.add_argument("addresses", nargs="+", metavar="URL", help=say(language, "try.addresses"))
    parser.add_argument("-o", "--output", type=Path, default=Path("syndicator-try"), metavar="DIR", help=say(language, "try.output"))
    parser.add_argument("--allow-private", action="append", default=[], metavar="HOST", help=say(language, "try.allow-private"))
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """Look, read, write, show; 1 when an address is nothing that can be mirrored, or could not be read."""
    from syndicator import logs

    if args.verbose:
        logs.set_up(args.environ, verbose=True)
    else:
        logging.getLogger("syndicator").addHandler(logging.NullHandler())
    return asyncio.run(_try(args))


async def _try(args: Namespace) -> int:
    from syndicator.http import Http, Sessions

    sessions = Sessions()
    http = Http(
        sessions=sessions,
        now=lambda: datetime.now(UTC),
        user_agent="syndicator (try)",
        allow_private=frozenset(host.lower() for host in args.allow_private),
    )
    outcome: dict[str, Any] = {"found": [], "unknown": [], "items": {}, "shown": [], "problems": []}
    try:
        found = []
        for address in args.addresses:
            _say(args, "try.looking", address=address)
            one = await _find(http, address, args)
            found += [one] if isinstance(one, Found) else []
            outcome["unknown"] += [] if isinstance(one, Found) else [{"address": address, "why": one}]
        if found:
            outcome |= await _mirror(_distinct(found), args, sessions)
    finally:
        await sessions.close()
    if args.json:
        show_json(outcome)
    return FAILED if outcome["unknown"] or outcome["problems"] else OK


async def _find(http: Http, address: str, args: Namespace) -> Found | str:
    """What ``address`` is; why nothing can be read there, otherwise."""
    from syndicator import probe

    try:
        page = await probe.look(http, address)
    except ConnectorError as error:
        why = await _why(http, address, error, args)
    else:
        found = _recognised(page)
        if found is not None:
            options = ", ".join(f"{key} = {_toml(value)}" for key, value in found.options.items())
            _say(args, "try.found", address=address, type=found.type, options=options)
            return found
        why = _advice(page.url, page.software, args)
    _say(args, "try.unreadable", address=address, why=why)
    return why


def _recognised(page: Page) -> Found | None:
    """The first source that knows the page as its own; a feed only where nothing says more."""
    from syndicator import registry
    from syndicator.contract import CanRecognise
    from syndicator.probe import title_of

    found = None
    for kind in registry.names("sources"):
        source = registry.find("sources", kind)
        options = source.recognise(page) if isinstance(source, CanRecognise) else None
        if options is not None and (found is None or found.type == "feed"):
            found = Found(name=_name(kind, page.url), type=kind, options=options, title=title_of(page))
    return found


async def _why(http: Http, address: str, error: ConnectorError, args: Namespace) -> str:
    """Why there is nothing at ``address``, and what to give instead."""
    from syndicator import probe
    from syndicator.http import PrivateAddress

    refused = getattr(error.__cause__, "os_error", None)
    if isinstance(refused, PrivateAddress) and "leads to" not in error.detail:
        return say(args.language, "try.private", host=probe.netloc_of(address).partition(":")[0])
    if error.hint is not None or not isinstance(error, Rejected | Gone):
        return told(error, args.language)
    software = await probe.software_of(http, address)
    return f"{say(args.language, 'try.nothing-there')} {_advice(address, software, args)}"


def _advice(url: str, software: str | None, args: Namespace) -> str:
    """What to give for a server whose software is known, or in general."""
    from syndicator.probe import netloc_of

    kind = KINDS.get(software or "", "other")
    return say(args.language, f"try.give.{kind}", software=(software or "").capitalize(), host=netloc_of(url))


def _distinct(found: Sequence[Found]) -> list[Found]:
    """Each once, with a name of its own."""
    named: dict[str, Found] = {}
    for one in found:
        if any((one.type, one.options) == (other.type, other.options) for other in named.values()):
            continue
        name, number = one.name, 2
        while name in named:
            name, number = f"{one.name}-{number}", number + 1
        named[name] = replace(one, name=name)
    return list(named.values())


def _name(kind: str, url: str) -> str:
    host = urlsplit(url).hostname or ""
    return re.sub(r"[^a-z0-9]+", "-", f"{kind}-{host}".lower()).strip("-")


async def _mirror(found: Sequence[Found], args: Namespace, sessions: Sessions) -> dict[str, Any]:
    """Read what was found, write the calendar, the page and the configuration, show the rest."""
    from syndicator.alerts import as_data
    from syndicator.config import load
    from syndicator.showing import lines, show_all, together
    from syndicator.tenant import Tenant

    text = configuration(found, args.allow_private, args.language)
    try:
        args.output.mkdir(parents=True, exist_ok=True)
        path = _keep(args.output, text)
    except OSError as error:
        raise StateError(
            f"{args.output}: {error.strerror}",
            hint=words(
                fr="On ne peut pas écrire dans ce dossier : donnez-en un autre avec -o.",
                en="That folder cannot be written to: give another one with -o.",
            ),
        ) from error
    with TemporaryDirectory() as aside:
        trial = Path(aside) / "trial.toml"
        folders = f"state = {_toml(aside + '/state')}\npublic = {_toml(str(args.output.resolve()))}\n"
        trial.write_text(text.replace("[association]\n", "[association]\n" + folders), encoding="utf-8")
        config = load(trial, environ=args.environ)
        tenant = Tenant.make(config, sessions, lambda: datetime.now(UTC), random.Random())  # noqa: S311 - jitter, no secret
        try:
            await tenant.start()
            counts = await _read(tenant, args)
            stored = await tenant.ledger.transact(lambda store: store.items.window(sorted(config.sources), datetime.now(UTC), 50))
            problems = await tenant.ledger.transact(lambda store: store.problems.open())
        finally:
            await tenant.close()
    shown = show_all([one.item for one in stored], config.association)
    if not args.json:
        _say(args, "try.shown")
        print("\n".join(line for places in together(shown) for line in lines(places, args.language)))
    _say(args, "try.written", folder=args.output, files=", ".join(sorted(p.name for p in args.output.iterdir() if p.is_file())))
    _say(args, "try.next", path=path)
    return {
        "found": [{"name": one.name, "type": one.type, "options": dict(one.options)} for one in found],
        "items": counts,
        "folder": str(args.output),
        "config": str(path),
        "shown": [one.data() for one in shown],
        "problems": [as_data(problem, args.language) for problem in problems],
    }


async def _read(tenant: Tenant, args: Namespace) -> dict[str, int]:
    """Each source once, telling what came; then the views. How many items each source brought."""
    from syndicator import steps

    counts = {}
    for name in tenant.config.sources:
        _say(args, "try.reading", name=name)
        polled = await steps.poll(tenant, name)
        counts[name] = polled.new
        if polled.error is None:
            _say(args, "try.read", name=name, count=polled.new)
        else:
            _say(args, "try.unreadable", address=name, why=told(polled.error, args.language))
    for name in tenant.projections:
        projected = await steps.project(tenant, name, force=True)
        if projected.error is not None:
            _say(args, "try.unreadable", address=name, why=told(projected.error, args.language))
    return counts


def _keep(folder: Path, text: str) -> Path:
    """Where ``text`` is in ``folder``: beside what a person may have completed since the last time, never over it."""
    number = 1
    while True:
        path = folder / ("syndicator.toml" if number == 1 else f"syndicator-{number}.toml")
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            return path
        if path.read_text(encoding="utf-8", errors="replace") == text:
            return path
        number += 1


def configuration(found: Sequence[Found], allow_private: Sequence[str], language: str) -> str:
    """A configuration file that reads what was found and writes a calendar and a page: a place to start from."""
    name = next((one.title for one in found if one.title), "") or found[0].name
    rows = ["[association]", f"name = {_toml(name)}", f"language = {_toml(language)}", 'timezone = "Europe/Paris"', ""]
    if allow_private:
        rows += ["[network]", f"allow_private = {_toml(tuple(allow_private))}", ""]
    for one in found:
        rows += [f"[sources.{one.name}]", f"type = {_toml(one.type)}"]
        rows += [f"{key} = {_toml(value)}" for key, value in one.options.items()] + [""]
    rows += ["[destinations.calendar]", 'type = "ical"', ""]
    rows += ["[destinations.website]", 'type = "website"', 'calendar = "agenda.ics"', "", "[routes.all]", ""]
    return "\n".join(rows)


def _toml(value: Any) -> str:
    """A value as TOML: strings as JSON writes them are TOML basic strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _say(args: Namespace, key: str, **values: Any) -> None:
    """Progress, on stderr where the output is for a script."""
    print(say(args.language, key, **values), file=sys.stderr if args.json else sys.stdout, flush=True)

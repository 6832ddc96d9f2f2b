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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from syndicator.cli import COMMANDS, FAILED, OK, show_json, told
from syndicator.errors import ConnectorError
from syndicator.words import say

HELP = COMMANDS["try"]


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
    """Look, read, write, show; 1 when an address is nothing that can be mirrored."""
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
    try:
        found = [one for address in args.addresses if (one := await _find(http, address, args)) is not None]
        found = _distinct(found)
        if not found:
            return FAILED
        outcome = await _mirror(found, args, sessions)
    finally:
        await sessions.close()
    if args.json:
        show_json(outcome)
    return OK if len(found) == len(args.addresses) and not outcome["problems"] else FAILED


async def _find(http: Any, address: str, args: Namespace) -> Found | None:
    from syndicator import registry
    from syndicator.contract import CanRecognise
    from syndicator.probe import look, title_of

    try:
        page = await look(http, address)
    except ConnectorError as error:
        _say(args, "try.unreachable", address=address, why=told(error, args.language))
        return None
    found = None
    for kind in registry.names("sources"):
        source = registry.find("sources", kind)
        options = source.recognise(page) if isinstance(source, CanRecognise) else None
        if options is not None and (found is None or found.type == "feed"):
            found = Found(name=_name(kind, page.url), type=kind, options=options, title=title_of(page))
    if found is None:
        _say(args, "try.unknown", address=address, software=page.software or "?")
    else:
        _say(args, "try.found", address=address, type=found.type, options=", ".join(f"{k} = {_toml(v)}" for k, v in found.options.items()))
    return found


def _distinct(found: Sequence[Found]) -> list[Found]:
    """Each with a name of its own."""
    named: dict[str, Found] = {}
    for one in found:
        name, number = one.name, 2
        while name in named:
            name, number = f"{one.name}-{number}", number + 1
        named[name] = Found(name=name, type=one.type, options=one.options, title=one.title)
    return list(named.values())


def _name(kind: str, url: str) -> str:
    host = urlsplit(url).hostname or ""
    return re.sub(r"[^a-z0-9]+", "-", f"{kind}-{host}".lower()).strip("-")


async def _mirror(found: Sequence[Found], args: Namespace, sessions: Any) -> dict[str, Any]:
    from syndicator import alerts, steps
    from syndicator.config import load
    from syndicator.showing import lines, show_all
    from syndicator.tenant import Tenant

    args.output.mkdir(parents=True, exist_ok=True)
    path = args.output / "syndicator.toml"
    with TemporaryDirectory() as aside:
        text = configuration(found, args.allow_private, args.language)
        path.write_text(text, encoding="utf-8")
        trial = Path(aside) / "trial.toml"
        folders = f"state = {_toml(aside + '/state')}\npublic = {_toml(str(args.output.resolve()))}\n"
        trial.write_text(text.replace("[association]\n", "[association]\n" + folders), encoding="utf-8")
        config = load(trial, environ=args.environ)
        tenant = Tenant.make(config, sessions, lambda: datetime.now(UTC), random.Random())  # noqa: S311 - jitter, no secret
        try:
            await tenant.start()
            counts = {}
            for one in found:
                _say(args, "try.reading", name=one.name)
                counts[one.name] = (await steps.poll(tenant, one.name)).new
            for name in tenant.projections:
                await steps.project(tenant, name, force=True)
            stored = await tenant.ledger.transact(lambda store: store.items.window(sorted(config.sources), datetime.now(UTC), 50))
            problems = await tenant.ledger.transact(lambda store: store.problems.open())
        finally:
            await tenant.close()
    shown = show_all([one.item for one in stored], config.association)
    for name, count in counts.items():
        _say(args, "try.read", name=name, count=count)
    for problem in problems:
        _say(args, "try.problem", what=" ".join(alerts.describe(problem, args.language)), detail=problem.detail)
    if not args.json:
        print("\n".join(line for one in shown for line in lines(one, args.language)))
    _say(args, "try.written", folder=args.output, files=", ".join(sorted(p.name for p in args.output.iterdir() if p.is_file())))
    _say(args, "try.next", path=path)
    return {
        "found": [{"name": one.name, "type": one.type, "options": dict(one.options)} for one in found],
        "items": counts,
        "folder": str(args.output),
        "shown": [one.data() for one in shown],
        "problems": [problem.detail for problem in problems],
    }


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

"""``syndicator preview``: what leaves next for each destination, or how the newest items would look there. Sends nothing."""

from __future__ import annotations

import asyncio
import random
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from syndicator.cli import COMMANDS, OK, show_json
from syndicator.cli.configuration import is_there, load_one
from syndicator.config import Config, DestinationConfig
from syndicator.contract import Limits
from syndicator.errors import StateError, SyndicatorError, words
from syndicator.logs import clean
from syndicator.words import say

if TYPE_CHECKING:
    from syndicator.estimate import Account, Estimate
    from syndicator.http import Sessions
    from syndicator.preview_page import Wanted
    from syndicator.showing import Shown
    from syndicator.store import Ledger

HELP = COMMANDS["preview"]
NEXT = 5
ASK_S = 30


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--html``, ``--json``."""
    parser.add_argument("--html", type=Path, metavar="FILE", help=say(language, "preview.html"))
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """Show; reads the ledger, or the sources themselves when there is none yet."""
    from syndicator.showing import lines, together

    config = load_one(args)
    if is_there(config.state_dir / "syndicator.db"):
        seen = asyncio.run(_look(config, fresh=False, drawn=args.html is not None))
    else:
        with TemporaryDirectory() as folder:
            aside = replace(config, state_dir=Path(folder) / "state", public_dir=Path(folder) / "public")
            seen = asyncio.run(_look(aside, fresh=True, drawn=args.html is not None))
    if args.html is not None:
        _write(args.html, seen, config, args.language)
    if args.json:
        show_json([one.data() | {"limits": "usual" if one.destination in seen.usual else "own"} for one in seen.shown])
        return OK
    key = "preview.waiting" if seen.waiting else "preview.examples" if seen.shown else "preview.nothing"
    print(say(args.language, key))
    for places in together(seen.shown):
        print("\n".join(lines(places, args.language)))
    for estimate in seen.estimates:
        print(estimate.says(args.language))
    for name, why in seen.usual.items():
        print(say(args.language, "preview.usual", name=name, why=why))
    if args.html is not None:
        print(say(args.language, "preview.written", path=args.html))
    return OK


def _write(path: Path, seen: Seen, config: Config, language: str) -> None:
    """The same as a page."""
    from syndicator.preview_page import page

    try:
        path.write_text(page(seen.shown, config.association, seen.images, language, seen.estimates), encoding="utf-8")
    except OSError as error:
        raise StateError(
            f"{path}: {error.strerror}",
            hint=words(
                fr="On ne peut pas écrire ce fichier : donnez un autre nom à --html.",
                en="That file cannot be written: give --html another name.",
            ),
        ) from error


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What would leave."""

    shown: list[Shown]
    waiting: bool
    """Whether it waits in the outbox; else these are examples."""
    usual: dict[str, str]
    """Destination → why its own limits could not be asked for: its network's usual ones stand in."""
    images: dict[Wanted, str]
    """What the page shows."""
    estimates: list[Estimate]
    """What all of it would cost, where something is charged."""


async def _look(config: Config, *, fresh: bool, drawn: bool) -> Seen:
    from syndicator.estimate import estimates
    from syndicator.http import Sessions
    from syndicator.store import Ledger

    sessions = Sessions()
    ledger = Ledger(config.state_dir / "syndicator.db")
    try:
        if fresh:
            await _read(config, sessions)
        limits, usual = await _limits(config, sessions)
        shown = await _waiting(config, ledger, limits)
        waiting = bool(shown)
        shown = shown or await _examples(config, ledger, limits)
        images = await _images(config, shown, sessions) if drawn else {}
        accounts = await _accounts(config, ledger, limits)
        return Seen(shown=shown, waiting=waiting, usual=usual, images=images, estimates=estimates(shown, accounts))
    finally:
        ledger.close()
        await sessions.close()


async def _accounts(config: Config, ledger: Ledger, limits: dict[str, Limits]) -> dict[str, Account]:
    """Where something is charged, what was spent this month, and the budget."""
    from syndicator.estimate import Account
    from syndicator.spending import month_of

    month = month_of(datetime.now(UTC), ZoneInfo(config.association.timezone))
    found = {}
    for name in (name for name, own in limits.items() if own.prices is not None):
        spent: int = await ledger.transact(lambda store, name=name: store.spending.spent(name, month))  # type: ignore[misc]
        budget = config.destinations[name].pace.budget
        found[name] = Account(spent=spent, budget=None if budget is None else round(budget * 1000))
    return found


async def _images(config: Config, shown: list[Shown], sessions: Sessions) -> dict[Wanted, str]:
    from syndicator.assemble import http_for
    from syndicator.preview_page import pictures

    with TemporaryDirectory() as folder:
        return await pictures(http_for(config, sessions, lambda: datetime.now(UTC)), shown, Path(folder))


async def _read(config: Config, sessions: Sessions) -> None:
    from syndicator import steps
    from syndicator.tenant import Tenant

    tenant = Tenant.make(config, sessions, lambda: datetime.now(UTC), random.Random())  # noqa: S311 - jitter, no secret
    try:
        await tenant.start()
        await asyncio.gather(*(steps.poll(tenant, name) for name in config.sources))
    finally:
        await tenant.close()


async def _limits(config: Config, sessions: Sessions) -> tuple[dict[str, Limits], dict[str, str]]:
    """Each publisher's own limits, asked for where it is; the usual ones of its network, and why, where it does not answer."""
    with TemporaryDirectory() as folder:
        aside = replace(config, state_dir=Path(folder) / "state", public_dir=Path(folder) / "public")
        publishers = [one for one in config.destinations.values() if one.role == "publisher"]
        asked = await asyncio.gather(*(_ask(aside, one, sessions) for one in publishers))
    limits = {one.name: found for one, (found, _) in zip(publishers, asked, strict=True)}
    return limits, {one.name: why for one, (_, why) in zip(publishers, asked, strict=True) if why}


async def _ask(config: Config, destination: DestinationConfig, sessions: Sessions) -> tuple[Limits, str]:
    from syndicator.assemble import make_connector

    connector = make_connector(config, destination, sessions, lambda: datetime.now(UTC))
    try:
        async with asyncio.timeout(ASK_S):
            await connector.open()
    except (SyndicatorError, TimeoutError) as error:
        usual: Limits = destination.connector.limits
        return usual, clean(str(error)) or say(config.association.language, "check.slow", seconds=ASK_S)
    else:
        own: Limits = connector.limits
        return own, ""
    finally:
        await connector.close()


async def _waiting(config: Config, ledger: Ledger, limits: dict[str, Limits]) -> list[Shown]:
    from syndicator.newsletters import newsletter_routes
    from syndicator.recaps import recap_routes
    from syndicator.showing import show

    shown, derived = [], [*recap_routes(config), *newsletter_routes(config)]
    for name in (name for name, own in limits.items() if not own.letter):  # letters have a preview of their own
        for delivery in await ledger.transact(lambda store, name=name: store.outbox.waiting(name, NEXT)):  # type: ignore[misc]
            stored = await ledger.transact(lambda store, d=delivery: store.items.item(d.source, d.uid))  # type: ignore[misc]
            route = next((one for one in derived if delivery.source in one.sources), config.routes.get(delivery.route))
            if stored is not None and route is not None and delivery.purpose not in ("delete", "retire"):
                kind = config.destinations[name].type
                shown.append(show(stored.item, name, kind, limits[name], route.style, config.association, delivery.purpose))
    return shown


async def _examples(config: Config, ledger: Ledger, limits: dict[str, Limits]) -> list[Shown]:
    """One item of each kind that a route would carry, as each of its destinations would get it."""
    from syndicator.plan import Facts, refusal
    from syndicator.showing import examples, show, what_kind

    now = datetime.now(UTC)
    shown = []
    for route in config.routes.values():
        window = await ledger.transact(lambda store, names=route.sources: store.items.window(names, now, 50))  # type: ignore[misc]
        for name in (name for name in route.destinations if name in limits):
            kind = config.destinations[name].type
            takes = limits[name].kinds
            carried = [
                stored.item
                for stored in window
                if what_kind(stored.item) in takes and refusal(stored.item, route, name, kind, Facts()) is None
            ]
            shown += [show(item, name, kind, limits[name], route.style, config.association) for item in examples(carried)]
    return shown

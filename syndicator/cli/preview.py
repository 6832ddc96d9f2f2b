"""``syndicator preview``: what leaves next for each destination, or how the newest items would look there. Sends nothing."""

from __future__ import annotations

import asyncio
import random
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from syndicator.cli import COMMANDS, OK, show_json
from syndicator.cli.configuration import is_there, load_one
from syndicator.config import Config, DestinationConfig
from syndicator.contract import Limits
from syndicator.errors import StateError, SyndicatorError, words
from syndicator.logs import clean, visible
from syndicator.model import Delivery, Event, Item
from syndicator.plan.notes import NOTICES
from syndicator.route import Route
from syndicator.words import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syndicator.estimate import Account, Estimate, Outlay
    from syndicator.foreseeing import Place
    from syndicator.http import Sessions
    from syndicator.preview_page import Wanted
    from syndicator.showing import Shown
    from syndicator.store import Ledger, Store

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
    costs = [cost.says(args.language) for cost in seen.estimates] + [outlay.says(args.language) for outlay in seen.outlays]
    print("".join(f"{visible(cost)}\n" for cost in costs), end="")
    for name, why in seen.usual.items():
        print(say(args.language, "preview.usual", name=name, why=why))
    if args.html is not None:
        print(say(args.language, "preview.written", path=args.html))
    return OK


def _write(path: Path, seen: Seen, config: Config, language: str) -> None:
    """The same as a page."""
    from syndicator.preview_page import page

    try:
        path.write_text(page(seen.shown, config.association, seen.images, language, seen.estimates, seen.outlays), encoding="utf-8")
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
    outlays: list[Outlay]
    """And what an event that is told of several times costs in all."""


async def _look(config: Config, *, fresh: bool, drawn: bool) -> Seen:
    from syndicator.estimate import estimates, outlays
    from syndicator.foreseeing import places
    from syndicator.http import Sessions
    from syndicator.showing import in_order
    from syndicator.store import Ledger

    sessions = Sessions()
    ledger = Ledger(config.state_dir / "syndicator.db")
    try:
        if fresh:
            await _read(config, sessions)
        limits, usual = await _limits(config, sessions)
        where, now = places(config, limits), datetime.now(UTC)
        shown = await _waiting(config, ledger, where, now)
        waiting = bool(shown)
        shown = shown or await _examples(config, ledger, where, now)
        listed = {(one.destination, one.uid) for one in shown}
        shown += [one for one in await _recaps(config, ledger, where, now) if (one.destination, one.uid) not in listed]
        shown = in_order(shown)
        images = await _images(config, shown, sessions) if drawn else {}
        accounts = await _accounts(config, ledger, limits)
        costs = estimates(shown, accounts)
        return Seen(shown=shown, waiting=waiting, usual=usual, images=images, estimates=costs, outlays=outlays(shown))
    finally:
        ledger.close()
        await sessions.close()


async def _accounts(config: Config, ledger: Ledger, limits: dict[str, Limits]) -> dict[str, Account]:
    """Where something is charged, what was spent this month, and the budget."""
    from syndicator.estimate import Account
    from syndicator.spending import month_of

    now, zone = datetime.now(UTC), ZoneInfo(config.association.timezone)
    month, until = month_of(now, zone), _month_end(now, zone)
    found = {}
    for name in (name for name, own in limits.items() if own.prices is not None):
        spent: int = await ledger.transact(lambda store, name=name: store.spending.spent(name, month))  # type: ignore[misc]
        budget = config.destinations[name].pace.budget
        found[name] = Account(spent=spent, budget=None if budget is None else round(budget * 1000), until=until)
    return found


def _month_end(now: datetime, zone: ZoneInfo) -> datetime:
    first = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


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


async def _waiting(config: Config, ledger: Ledger, where: Mapping[str, Place], now: datetime) -> list[Shown]:
    """What the outbox holds, as it would leave; after an event's announcement, what is said of it later."""
    from syndicator.foreseeing import afterwards
    from syndicator.newsletters import newsletter_routes
    from syndicator.recaps import recap_routes

    shown, derived = [], [*recap_routes(config), *newsletter_routes(config)]
    for place in (place for place in where.values() if not place.limits.letter):  # letters have a preview of their own
        for delivery in await ledger.transact(lambda store, name=place.name: store.outbox.waiting(name, NEXT)):  # type: ignore[misc]
            item, before = await ledger.transact(lambda store, d=delivery: _told(config, store, d))  # type: ignore[misc]
            route = next((one for one in derived if delivery.source in one.sources), config.routes.get(delivery.route))
            if item is None or route is None or delivery.purpose in ("delete", "retire"):
                continue
            shown.append(_leaving(config, place, delivery, route, item, before, now))
            if isinstance(item, Event) and delivery.purpose == "create":
                shown += afterwards(item, config, place, max(now, delivery.due_at))
    return shown


def _told(config: Config, store: Store, delivery: Delivery) -> tuple[Item | None, Event | None]:
    """An item, and for a notice the event as its readers were told of it last."""
    stored = store.items.item(delivery.source, delivery.uid)
    route = config.routes.get(delivery.route)
    always = route is not None and route.notice == "always"
    told = store.outbox.receipts.last_told(delivery.destination, delivery.uid, in_words=always) if delivery.purpose in NOTICES else None
    return (stored.item if stored is not None else None), (told.event if told is not None else None)


def _leaving(config: Config, place: Place, delivery: Delivery, route: Route, item: Item, before: Event | None, now: datetime) -> Shown:
    from syndicator.showing import show

    at = max(now, delivery.due_at) if delivery.purpose == "remind" else None
    return show(item, place.name, place.kind, place.limits, route.style, config.association, delivery.purpose, before=before, at=at)


async def _examples(config: Config, ledger: Ledger, where: Mapping[str, Place], now: datetime) -> list[Shown]:
    """One item of each kind that a route would announce, as each of its destinations would get it; with what follows an event."""
    from syndicator.foreseeing import afterwards, announcement, carrying
    from syndicator.showing import examples, what_kind

    shown: list[Shown] = []
    for route in (route for route in config.routes.values() if "announce" in route.purposes):
        window = await _window(ledger, route.sources, now)
        for place in (where[name] for name in route.destinations if name in where):
            there = {one.uid for one in shown if one.destination == place.name}
            takes = [item for item in window if what_kind(item) in place.limits.kinds and carrying(item, [route], place)]
            for item in (item for item in examples(takes) if item.uid not in there):
                shown.append(announcement(item, route, place, config))
                shown += afterwards(item, config, place, now) if isinstance(item, Event) else []
    return shown


async def _recaps(config: Config, ledger: Ledger, where: Mapping[str, Place], now: datetime) -> list[Shown]:
    """The lists that come next."""
    from syndicator.foreseeing import recaps

    shown: list[Shown] = []
    for place in where.values():
        sources = sorted(
            {name for route in config.routes.values() if place.name in route.destinations and route.recap for name in route.sources}
        )
        shown += recaps(await _window(ledger, sources, now), config, place, now) if sources else []
    return shown


async def _window(ledger: Ledger, sources: Sequence[str], now: datetime) -> list[Item]:
    return [stored.item for stored in await ledger.transact(lambda store: store.items.window(sources, now, 50))]

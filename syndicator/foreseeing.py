"""All that one destination would be told of an event: its announcement, its reminders, and a change or a cancellation if there is one.

With the lists of the week and the month. Nothing is sent or written down; the rules are those of ``plan.moments`` and ``editing``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from syndicator.config import Config
from syndicator.contract import Limits
from syndicator.editing import Abilities, means_for
from syndicator.model import Event, Item, Purpose
from syndicator.noticing import may_notice
from syndicator.plan import Facts, refusal
from syndicator.plan.moments import Recap, announced_at, in_days, last_recap, over_at, reminders_of
from syndicator.recaps import PERIODS, asking, home_of, in_order, recap_post, recap_routes, recap_source
from syndicator.route import Route
from syndicator.showing import Shown, show

PUT_OFF = timedelta(days=7)
"""By how much an event moves, to show what would be said of it."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A destination that is published to."""

    name: str
    kind: str
    """Its network."""
    connector: type[Any]
    limits: Limits
    """Its own, as far as they are known."""


def places(config: Config, limits: Mapping[str, Limits]) -> dict[str, Place]:
    """Those of these limits, by name."""
    found = {name: config.destinations[name] for name in limits}
    return {name: Place(name=name, kind=one.type, connector=one.connector, limits=limits[name]) for name, one in found.items()}


def carrying(item: Item, routes: Iterable[Route], place: Place) -> list[Route]:
    """The routes that lead an item there."""
    leading = [route for route in routes if item.source in route.sources and place.name in route.destinations]
    return [route for route in leading if refusal(item, route, place.name, place.kind, Facts()) is None]


def announcement(item: Item, route: Route, place: Place, config: Config) -> Shown:
    """The item itself."""
    return show(item, place.name, place.kind, place.limits, route.style, config.association)


def afterwards(event: Event, config: Config, place: Place, now: datetime) -> list[Shown]:
    """What follows an announcement that would leave now: the reminders, a change, a cancellation."""
    routes = carrying(event, config.routes.values(), place)
    announcing = next((route for route in routes if "announce" in route.purposes), None)
    if announcing is None or event.status == "cancelled":
        return []
    return [*_reminders(event, routes, announcing, config, place, now), *_notices(event, announcing, config, place)]


def _reminders(event: Event, routes: Sequence[Route], announcing: Route, config: Config, place: Place, now: datetime) -> Iterator[Shown]:
    out_at = announced_at(event, announcing.announce, now)
    style = next((route.style for route in routes if route.remind), announcing.style)
    for reminder in reminders_of(event, routes):
        if reminder.at > out_at:
            yield show(event, place.name, place.kind, place.limits, style, config.association, "remind", at=reminder.at)


def _notices(event: Event, route: Route, config: Config, place: Place) -> Iterator[Shown]:
    ends_at = event.ends_at and event.ends_at + PUT_OFF
    changes: tuple[tuple[Purpose, Event], ...] = (
        ("announce-change", replace(event, starts_at=event.starts_at + PUT_OFF, ends_at=ends_at)),
        ("cancel", replace(event, status="cancelled")),
    )
    for purpose, changed in changes:
        if _is_noticed(changed, route, place):
            told = show(changed, place.name, place.kind, place.limits, route.style, config.association, purpose, before=event)
            yield replace(told, sure=False)


def _is_noticed(changed: Event, route: Route, place: Place) -> bool:
    """Whether such an edit makes a post of its own there."""
    if "note" not in place.limits.kinds or not may_notice(route, changed):
        return False
    edits, removes = hasattr(place.connector, "update") and route.edit != "note", hasattr(place.connector, "delete")
    means = means_for(route, Abilities(edits=edits, removes=removes, notes=True), seen=True, moved=True)
    return means == "note" or (means != "anew" and route.notice == "always")


def recaps(items: Iterable[Item], config: Config, place: Place, now: datetime) -> Iterator[Shown]:
    """The next list of each period that is asked for there; none of an empty one."""
    ways = {route.sources[0]: route for route in recap_routes(config)}
    for period in PERIODS:
        routes = asking(config.routes.values(), place.name, period)
        if not routes or "note" not in place.limits.kinds:
            continue
        recap = _next(routes[0], period, now, config)
        events = {item.uid: item for item in items if isinstance(item, Event) and _is_listed(item, recap, routes, place)}
        if events:
            way = ways[recap_source(place.name, period)]
            post = recap_post(recap, in_order(events, recap), way, config.association, home_of(config))
            yield replace(show(post, place.name, place.kind, place.limits, way.style, config.association), at=recap.at)


def _next(route: Route, period: Any, now: datetime, config: Config) -> Recap:
    zone = ZoneInfo(config.association.timezone)
    coming = (last_recap(period, route.recap_at, now + days * _DAY, zone) for days in range(1, 33))
    return next(recap for recap in coming if recap.at > now)


def _is_listed(event: Event, recap: Recap, routes: Sequence[Route], place: Place) -> bool:
    if event.status == "cancelled" or over_at(event) <= recap.at or not in_days(event, recap.first, recap.last):
        return False
    return bool(carrying(event, routes, place))

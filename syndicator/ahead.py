"""What time brings: reminders and recaps, written to the outbox a little ahead of it.

Looked at before each claim, in its transaction: whatever an edit changed, what waits for a destination is right before anything leaves. It
costs a look at one number while nothing has changed. The rules of reminders, each with a test of its name in ``tests/test_ahead.py``:

Only of what went out there, in this life of it. Not when its moment was over before that, before the event was moved, or before the route
asked for it: readers have just been told. Late ones are sent while the event has not begun, but of several only the last. An event that
moved is reminded of anew; moved back, not twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from logging import INFO
from typing import TYPE_CHECKING

from syndicator.items import Stored
from syndicator.logs import event
from syndicator.model import Event
from syndicator.plan import Facts, Plan, Planned, plan, refusal
from syndicator.plan.moments import Recap, Reminder, begun_at, due_now, half_left, in_days, last_recap, over_at, reminders_of
from syndicator.recaps import PERIODS, asking, home_of, in_order, recap_post, recap_source
from syndicator.route import Route

if TYPE_CHECKING:
    from syndicator.store import Store
    from syndicator.tenant import Tenant

HORIZON = timedelta(hours=36)
"""How far ahead reminders are written down."""
LOOK_AGAIN = timedelta(minutes=10)
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was known when a destination's future was last looked at."""

    seq: int
    """The number of the newest change."""
    until: datetime
    """When it must be looked at again though nothing changed."""


def look_ahead(tenant: Tenant, store: Store, name: str, now: datetime) -> None:
    """Have the reminders and recaps for one destination be those that must be, as of now."""
    routes = [route for route in tenant.config.routes.values() if name in route.destinations and (route.remind or route.recap)]
    if not routes:
        return
    looked, seq = tenant.ahead.get(name), store.items.seq()
    if (looked is not None and looked.seq == seq and now < looked.until) or name in store.accounts.departed():
        return
    soonest = [now + LOOK_AGAIN, *_remind(tenant, store, name, routes, now), *_recap(tenant, store, name, now)]
    tenant.ahead[name] = Looked(seq=store.items.seq(), until=min(at for at in soonest if at > now))


def _remind(tenant: Tenant, store: Store, name: str, routes: Sequence[Route], now: datetime) -> list[datetime]:
    """Write the reminders that are due soon, and give up those that have lost their reason; when the next ones come due."""
    offsets = [offset for route in routes for offset in route.remind]
    if not offsets:
        return []
    since = _opened(store, name, routes, now)
    sources = sorted({source for route in routes if route.remind for source in route.sources})
    wanted: dict[tuple[str, int], Planned] = {}
    for source, uid in store.items.moves.upcoming(sources, now - _DAY, now + HORIZON + max(offsets) + _DAY):
        stored = store.items.item(source, uid)
        if stored is not None and isinstance(stored.item, Event):
            for reminder in _wanted(tenant, store, name, stored, stored.item, routes, since, now):
                wanted.setdefault((uid, reminder.number), _planned(stored.item, name, reminder, routes))
    for number, uid, moment in store.outbox.reminders(name):
        if (uid, moment) not in wanted:
            store.outbox.drop(number, "superseded", now)
    store.outbox.write(Plan(planned=tuple(wanted.values())), now)
    return [planned.due_at for planned in wanted.values()]


def _opened(store: Store, name: str, routes: Sequence[Route], now: datetime) -> dict[tuple[str, float], datetime]:
    """When each route was first asked for reminders this long ahead: what was due before that is none."""
    ways = {
        (route.name, offset.total_seconds()): (route.name, f"remind {offset.total_seconds():.0f}", name)
        for route in routes
        for offset in route.remind
    }
    since, _ = store.items.since(ways.values(), now)
    return {way: since[key] for way, key in ways.items()}


def _wanted(
    tenant: Tenant,
    store: Store,
    name: str,
    stored: Stored,
    happening: Event,
    routes: Sequence[Route],
    since: dict[tuple[str, float], datetime],
    now: datetime,
) -> list[Reminder]:
    out_at = store.outbox.announced_at(name, happening.uid, stored.incarnation)
    if out_at is None or happening.status == "cancelled" or begun_at(happening) <= now:
        return []
    told_at = max(out_at, store.items.moves.moved_at(happening.source, happening.uid) or out_at)
    kind = tenant.config.destinations[name].type
    carrying = [route for route in routes if happening.source in route.sources and refusal(happening, route, name, kind, Facts()) is None]

    def was_asked_for(reminder: Reminder) -> bool:
        opened = [since[way] for route in carrying if (way := (route.name, reminder.offset.total_seconds())) in since]
        return bool(opened) and reminder.at > max(told_at, min(opened))

    due = due_now(filter(was_asked_for, reminders_of(happening, carrying)), now)
    return [reminder for reminder in due if reminder.at <= now + HORIZON]


def _planned(happening: Event, name: str, reminder: Reminder, routes: Sequence[Route]) -> Planned:
    route = next(route for route in routes if happening.source in route.sources)
    return Planned(
        route=route.name,
        source=happening.source,
        uid=happening.uid,
        destination=name,
        purpose="remind",
        revision=reminder.number,
        due_at=reminder.at,
        parent_uid=happening.uid,
    )


def _recap(tenant: Tenant, store: Store, name: str, now: datetime) -> list[datetime]:
    """Make the recaps whose hour has come, and let those that are out follow their events; when the next hours come."""
    again = []
    for period in PERIODS:
        routes = asking(tenant.config.routes.values(), name, period)
        if not routes:
            continue
        source, when = recap_source(name, period), routes[0].recap_at
        recap = last_recap(period, when, now, tenant.zone)
        again.append(last_recap(period, when, now + LOOK_AGAIN, tenant.zone).at)
        opened, _ = store.items.since([(routes[0].name, source, name)], now)
        made_at = store.recaps.made_at(name, recap.name)
        begins = made_at is None
        if begins and recap.at >= opened[routes[0].name, source, name] and half_left(recap, now, tenant.zone):
            store.recaps.make(name, recap.name, now)
            made_at = now
        if made_at is not None and now < recap.until:
            _tell(tenant, store, name, routes, recap, made_at, now, begins=begins)
    return again


def _tell(
    tenant: Tenant, store: Store, name: str, asked: Sequence[Route], recap: Recap, made_at: datetime, now: datetime, *, begins: bool
) -> None:
    source = recap_source(name, recap.period)
    route = next(route for route in tenant.routes if source in route.sources)
    events = in_order(_events(tenant, store, name, asked, recap, made_at), recap)
    post = recap_post(recap, events, route, tenant.config.association, home_of(tenant.config))
    # A period that was empty at its hour stays untold: what comes up in it later is announced by itself.
    if store.items.item(source, post.uid) is None and not (begins and events):
        return
    changes = store.items.diff(source, [post], now, first=False)
    if not changes:
        return
    facts = Facts(known=store.outbox.known([post.uid]), since={(route.name, source, name): recap.at})
    store.outbox.write(plan(changes, [route], {name: tenant.targets()[name]}, facts, now), now)
    event(tenant.log, INFO, "recap.made", destination=name, recap=recap.name, events=len(events), kind=changes[0].kind)


def _events(tenant: Tenant, store: Store, name: str, asked: Sequence[Route], recap: Recap, made_at: datetime) -> dict[str, Event]:
    """What takes place in its days, was not over when it was made, and is carried by a route that asks for it.

    What was cancelled before is left out; what is cancelled later is said to be.
    """
    sources = sorted({source for route in asked for source in route.sources})
    kind = tenant.config.destinations[name].type
    found: dict[str, Event] = {}
    for source, uid in store.items.moves.overlapping(sources, made_at - _DAY, recap.until + _DAY):
        stored = store.items.item(source, uid)
        happening = stored.item if stored is not None else None
        if uid in found or stored is None or not isinstance(happening, Event):
            continue
        if over_at(happening) <= made_at or not in_days(happening, recap.first, recap.last):
            continue
        if happening.status == "cancelled" and stored.changed_at <= made_at:
            continue
        if any(source in route.sources and refusal(happening, route, name, kind, Facts()) is None for route in asked):
            found[uid] = happening
    return found

"""What a projection shows now, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from syndicator.contract import View
from syndicator.items import Stored
from syndicator.model import Event, Item, Post
from syndicator.plan import Facts, refusal
from syndicator.route import Route
from syndicator.store import Store
from syndicator.tenant import Tenant

VIEW_PAST = timedelta(days=400)
VIEW_POSTS = 300


def view_of(tenant: Tenant, store: Store, name: str, sources: Sequence[str], shown: int, now: datetime) -> tuple[View, list[Stored]]:
    """What this projection shows, with what changed after change number ``shown``."""
    window = store.items.window(sources, now - VIEW_PAST, VIEW_POSTS)
    ours = store.outbox.ours((stored.item.uid, stored.item.url) for stored in window)
    boosts = (stored.item.boost_of for stored in window if isinstance(stored.item, Post) and stored.item.boost_of)
    facts = Facts(ours=ours, stored=store.items.stored(boosts), own_accounts=tenant.own_accounts())
    routes = [route for route in tenant.routes if name in route.destinations]
    kind = tenant.config.destinations[name].type
    carried: dict[str, Stored] = {}
    for stored in window:
        if stored.item.uid not in carried and _carried(stored.item, routes, name, kind, facts):
            carried[stored.item.uid] = stored
    ordered = sorted(carried.values(), key=_place)
    view = View(
        items=[stored.item for stored in ordered],
        changed=store.items.changed_since(shown),
        changed_at={stored.item.uid: stored.changed_at for stored in ordered},
        first_seen_at={stored.item.uid: stored.first_seen_at for stored in ordered},
        sources={source: tenant.config.sources[source].title for source in sources},
    )
    return view, ordered


def _carried(item: Item, routes: Sequence[Route], name: str, kind: str, facts: Facts) -> bool:
    return any(item.source in route.sources and refusal(item, route, name, kind, facts) is None for route in routes)


def _place(stored: Stored) -> tuple[datetime, str]:
    item = stored.item
    at = item.starts_at if isinstance(item, Event) else (item.published_at or stored.first_seen_at)
    return (at, item.uid)


def _midnight(tenant: Tenant, now: datetime) -> datetime:
    local = now.astimezone(tenant.zone)
    return (local.replace(hour=0, minute=0, second=5, microsecond=0) + timedelta(days=1)).astimezone(now.tzinfo)


def turning(tenant: Tenant, stored: Sequence[Stored], now: datetime) -> datetime:
    """When a view next differs though nothing changed: an event begins or ends, or a day does."""
    turns = [_midnight(tenant, now)]
    for one in stored:
        if isinstance(one.item, Event):
            turns.extend(at for at in (one.item.starts_at, one.item.ends_at) if at is not None and at > now)
    return min(turns)

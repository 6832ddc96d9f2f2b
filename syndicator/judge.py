"""What a delivery's item is now: whether it may leave by the rules of now, and how it shows there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from syndicator.contract import Publisher
from syndicator.departing import DEPARTED
from syndicator.items import Stored
from syndicator.model import Delivery, Event, Item, Post, Rendition
from syndicator.plan import Facts, refusal, too_late
from syndicator.render import render
from syndicator.route import Route, Style
from syndicator.store import Store
from syndicator.tenant import Tenant


def current(tenant: Tenant, store: Store, delivery: Delivery) -> Stored | None:
    """The item as its own source shows it now, else as another does whose items go there too."""
    leading = {source for route in tenant.routes if delivery.destination in route.destinations for source in route.sources}
    return store.items.item(delivery.source, delivery.uid, leading) or store.items.item(delivery.source, delivery.uid)


def judged(tenant: Tenant, store: Store, delivery: Delivery) -> tuple[Stored | None, str]:
    """The item as it is now, and why it may not leave, by the rules and the configuration of now; empty when it may."""
    stored = current(tenant, store, delivery)
    if stored is None:
        return None, "deleted-in-time"
    if delivery.purpose == "create" and stored.incarnation != delivery.revision:
        return stored, "superseded"
    if delivery.destination in store.accounts.departed():
        return stored, DEPARTED
    item = stored.item
    if delivery.part:
        return stored, ""
    author = item.author.handle if isinstance(item, Post) and item.author else None
    facts = Facts(
        ours=store.outbox.ours([(item.uid, item.url)]),
        stored=store.items.stored([item.boost_of] if isinstance(item, Post) and item.boost_of else []),
        own_accounts=frozenset([(author or "").lower()]),  # whose boosts are carried was decided when it was planned
    )
    kind = tenant.config.destinations[delivery.destination].type
    routes = routes_of(tenant, delivery, item)
    refusals = [refusal(item, route, delivery.destination, kind, facts) for route in routes]
    if None not in refusals:
        return stored, refusals[0] or "" if refusals else "no-route"
    if isinstance(item, Event) and item.status == "cancelled":
        return stored, "cancelled-in-time"
    published_at = item.published_at or stored.first_seen_at
    return stored, too_late(item, published_at, tenant.now(), max(max(route.max_age, route.backfill) for route in routes)) or ""


def rendered(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored) -> list[Rendition]:
    """Its renditions there, as its route wants them: none when there is nothing to show."""
    return list(
        render(
            stored.item,
            publisher.limits,
            style_of(tenant, delivery, stored.item),
            association=tenant.config.association,
            destination_names=tenant.destination_names(),
            purpose=delivery.purpose,
        )
    )


def shaping(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored) -> Callable[[Item], list[Rendition]]:
    """How the stored item would show there if it were another."""
    return lambda item: rendered(tenant, publisher, delivery, replace(stored, item=item))


def routes_of(tenant: Tenant, delivery: Delivery, item: Item) -> list[Route]:
    """The routes that lead it there now, its own first."""
    routes = [route for route in tenant.routes if item.source in route.sources and delivery.destination in route.destinations]
    return sorted(routes, key=lambda route: route.name != delivery.route)


def style_of(tenant: Tenant, delivery: Delivery, item: Item) -> Style:
    """How the first of its routes shapes it."""
    routes = routes_of(tenant, delivery, item)
    return routes[0].style if routes else Style()

"""What a delivery's item is now: whether it may leave by the rules of now, and how it shows there."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from syndicator.contract import Limits, Publisher
from syndicator.departing import DEPARTED
from syndicator.errors import ConnectorError, Rejected, StateError
from syndicator.items import Stored
from syndicator.letter.newsletter import template_of
from syndicator.logs import event
from syndicator.model import Delivery, Event, Item, Post, Purpose, Rendition
from syndicator.plan import WITHDRAWN, Facts, refusal, too_late
from syndicator.plan.moments import begun_at, over_at, reminders_of
from syndicator.plan.notes import NOTES
from syndicator.policy import NotYet
from syndicator.render import render
from syndicator.route import Route, Style
from syndicator.rows import made_anew
from syndicator.store import Store
from syndicator.tenant import Tenant

ASK_ORIGIN_AFTER = timedelta(seconds=10)
"""What waited longer than this is asked for again at its origin before it leaves."""
ORIGIN_TRIES = 3
"""How often a bug may answer that question before a person is asked: a connection that was just closed looks like one."""

Reread = Callable[[Tenant, str, str], Awaitable[None]]


async def ask_origin(tenant: Tenant, delivery: Delivery, reread: Reread) -> None:
    """Have the origin asked whether what was held still stands; what it says is written down before this returns."""
    now = tenant.now()
    waited = max(delivery.due_at - delivery.created_at, now - delivery.created_at)
    if waited > ASK_ORIGIN_AFTER and delivery.part == 0 and delivery.source in tenant.config.sources:
        await _ask(tenant, delivery, reread)


async def _ask(tenant: Tenant, delivery: Delivery, reread: Reread) -> None:
    try:
        await reread(tenant, delivery.source, delivery.uid)
    except Rejected as error:  # it will never answer this question: what was read before stands
        event(tenant.log, logging.INFO, "origin.silent", source=delivery.source, uid=delivery.uid, detail=str(error))
    except StateError:
        raise
    except Exception as error:
        if not isinstance(error, ConnectorError):
            if delivery.attempts >= ORIGIN_TRIES:
                raise
            event(tenant.log, logging.ERROR, "origin.bug", source=delivery.source, uid=delivery.uid, exc_info=error)
        raise NotYet(f"its origin cannot be asked whether it still stands: {error}") from error


def is_missing(store: Store, delivery: Delivery) -> str:
    """Why it must wait while its origin does not show the item, and nobody knows for sure that it is gone; empty when it need not."""
    missing = store.items.missing(delivery.source, delivery.uid)
    return f"{delivery.uid} is not shown at its origin; asking again before it leaves" if missing else ""


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
        stored=_carried(store, item),
        own_accounts=frozenset([(author or "").lower()]),  # whose boosts are carried was decided when it was planned
    )
    kind = tenant.config.destinations[delivery.destination].type
    routes = routes_of(tenant, delivery, item)
    refusals = [refusal(item, route, delivery.destination, kind, facts) for route in routes]
    if delivery.purpose != "create" or made_anew(delivery):
        return stored, _follows_badly(tenant, store, delivery, stored, refusals, routes)
    refusals = [no or (None if "announce" in route.purposes else "purpose") for no, route in zip(refusals, routes, strict=True)]
    if None not in refusals:
        return stored, refusals[0] or "" if refusals else "no-route"
    if isinstance(item, Event) and item.status == "cancelled":
        return stored, "cancelled-in-time"
    published_at = item.published_at or stored.first_seen_at
    return stored, too_late(item, published_at, tenant.now(), max(max(route.max_age, route.backfill) for route in routes)) or ""


def _carried(store: Store, item: Item) -> frozenset[str]:
    """What the item boosts, if that is an item itself or a copy that we made of one."""
    boosted = item.boost_of if isinstance(item, Post) else None
    return store.items.stored([boosted]) | store.outbox.ours([(boosted, boosted)]) if boosted else frozenset()


def _follows_badly(
    tenant: Tenant, store: Store, delivery: Delivery, stored: Stored, refusals: Sequence[str | None], routes: Sequence[Route]
) -> str:
    """Why a note about what is out, or its new post, may not leave: what is out is kept true though it would not go out today."""
    if refusals and all(reason in WITHDRAWN for reason in refusals):
        return refusals[0] or ""
    if delivery.purpose == "create":
        return ""
    about = store.outbox.delivery(delivery.parent_id or 0)
    if about is None or about.revision != stored.incarnation:
        return "superseded"
    if not routes:
        return "no-route"
    if delivery.purpose == "remind":
        return _reminds_badly(tenant, delivery, stored.item, [route for route, no in zip(routes, refusals, strict=True) if no is None])
    if isinstance(stored.item, Event):
        told = store.outbox.receipts.last_told(delivery.destination, delivery.uid, in_words=False)
        ends = [over_at(one) for one in (stored.item, *([told.event] if told is not None else []))]
        return "over" if max(ends) <= tenant.now() else ""
    return "stale" if tenant.now() - delivery.created_at > max(route.max_age for route in routes) else ""


def _reminds_badly(tenant: Tenant, delivery: Delivery, item: Item, routes: Sequence[Route]) -> str:
    """Why a reminder may not leave: by the event as it is now, it is not asked for, or comes too late."""
    if not isinstance(item, Event):
        return "no-route"
    if item.status == "cancelled":
        return "cancelled"
    if begun_at(item) <= tenant.now():
        return "over"
    return "" if any(reminder.number == delivery.revision for reminder in reminders_of(item, routes)) else "superseded"


def rendered(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored, *, before: Event | None = None) -> list[Rendition]:
    """Its renditions there, as its route wants them: none when there is nothing to show. A notice tells what was ``before``."""
    item, style = stored.item, style_of(tenant, delivery, stored.item)
    if publisher.limits.letter:
        return [lettered(tenant, item)] if isinstance(item, Post) and item.issue is not None else []
    item, style = as_told(item, style, publisher.limits, delivery.purpose)
    return list(
        render(
            item,
            publisher.limits,
            style,
            association=tenant.config.association,
            destination_names=tenant.destination_names(),
            destination_type=tenant.config.destinations[delivery.destination].type,
            purpose=delivery.purpose,
            before=before,
            now=tenant.now() if delivery.purpose == "remind" else None,
        )
    )


def lettered(tenant: Tenant, post: Post) -> Rendition:
    """An issue of a newsletter as a letter."""
    from syndicator.letter.shape import shape  # MJML, for those who send letters

    assert post.issue is not None
    newsletter = tenant.config.newsletters.get(post.issue.newsletter)
    letter = shape(
        post.issue,
        tenant.config.association,
        pictures=tenant.hosted,
        web_address=post.url if tenant.config.public_url and post.url.startswith(tenant.config.public_url) else None,
        template=template_of(newsletter) if newsletter else None,
    )
    return Rendition(
        uid=post.uid,
        text=letter.text,
        title=letter.subject,
        html=letter.html,
        link=post.url or None,
        language=post.language,
        published_at=post.published_at,
    )


_TEMPLATES: dict[Purpose, str] = {"remind": "template_remind", "announce-change": "template_change", "cancel": "template_cancel"}


def as_told(item: Item, style: Style, limits: Limits, purpose: Purpose) -> tuple[Item, Style]:
    """What is rendered of an item for this purpose, and how: a note is one post of words, the rest is where its link leads."""
    if purpose not in NOTES and purpose != "retire":
        return item, style
    own = _TEMPLATES.get(purpose) if isinstance(item, Event) else None
    template = getattr(style, own) if own else ""
    style = replace(style, long_text="shorten", template=template, link="never" if style.link == "never" else "always")
    return (item if limits.media.image_required else _in_words(item)), style


def _in_words(item: Item) -> Item:
    return replace(item, image=None) if isinstance(item, Event) else replace(item, attachments=())


def shaping(
    tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored, *, before: Event | None = None
) -> Callable[[Item], list[Rendition]]:
    """How the stored item would show there if it were another."""
    return lambda item: rendered(tenant, publisher, delivery, replace(stored, item=item), before=before)


def told_before(tenant: Tenant, store: Store, delivery: Delivery, item: Item) -> Event | None:
    """The event as its readers there were told of it last, for a notice about it."""
    if not isinstance(item, Event):
        return None
    routes = routes_of(tenant, delivery, item)
    always = bool(routes) and routes[0].notice == "always"
    told = store.outbox.receipts.last_told(delivery.destination, delivery.uid, in_words=always)
    return told.event if told is not None else None


def routes_of(tenant: Tenant, delivery: Delivery, item: Item) -> list[Route]:
    """The routes that lead it there now, its own first."""
    routes = [route for route in tenant.routes if item.source in route.sources and delivery.destination in route.destinations]
    return sorted(routes, key=lambda route: route.name != delivery.route)


def style_of(tenant: Tenant, delivery: Delivery, item: Item) -> Style:
    """How the first of its routes shapes it."""
    routes = routes_of(tenant, delivery, item)
    return routes[0].style if routes else Style()

"""One attempt at one claimed delivery: render, find out, prepare, mark as sending, send, settle.

What makes it exactly-once: the row says ``sending`` with its frozen rendition before the request leaves, and only a receipt, a refusal, or
an error that proves nothing happened takes that back. A row found so after a crash has an unknown outcome, and is never sent again
before somebody knows: the service itself (its key window), its answer to "did it go out?", or a person.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from syndicator.contract import CanDelete, CanFind, CanPrepare, CanUpdate, Publisher
from syndicator.errors import ConnectorError, Gone, Rejected, StateError, Transient, Unprepared
from syndicator.items import Stored
from syndicator.logs import event
from syndicator.model import Delivery, Event, Item, Post, Receipt, Rendition
from syndicator.plan import Facts, refusal, too_late
from syndicator.policy import Decision, Done, Drop, Park, Pause, Recover, Retry, backoff, decide, key_holds
from syndicator.render import render
from syndicator.route import Route, Style
from syndicator.rows import Sent
from syndicator.store import Store
from syndicator.tenant import Tenant
from syndicator.words import pick

ASK_ORIGIN_AFTER = timedelta(seconds=10)
"""What waited longer than this is asked for again at its origin before it leaves."""
ORIGIN_TRIES = 3
"""How often a bug may answer that question before a person is asked: a connection that was just closed looks like one."""


class _NotYet(Transient):
    """Our own side is not ready: no fault of the destination's."""


Reread = Callable[[Tenant, str, str], Awaitable[None]]


async def attempt(tenant: Tenant, publisher: Publisher, delivery: Delivery, parent: Receipt | None, reread: Reread) -> bool:
    """Do what a claimed delivery asks, and settle its row whatever happens; False when it failed. Only StateError gets out."""
    sent = False

    def leaving() -> None:
        nonlocal sent
        sent = True

    try:
        if delivery.purpose == "delete":
            await _delete(tenant, publisher, delivery, leaving)
        elif delivery.purpose == "update":
            await _update(tenant, publisher, delivery, leaving)
        else:
            found_out = await _found_out(tenant, publisher, delivery)
            if found_out is None:
                return True
            delivery = found_out
            await _create(tenant, publisher, delivery, parent, reread, leaving)
    except StateError:
        raise
    except Exception as error:
        if not isinstance(error, ConnectorError):
            event(tenant.log, logging.ERROR, "delivery.bug", delivery=delivery.id, destination=delivery.destination, exc_info=error)
        await _settle(tenant, delivery, error, sent=sent, keyed=bool(publisher.limits.key_window_s))
        return False
    tenant.failures.pop(f"destinations.{delivery.destination}", None)
    return True


async def _create(
    tenant: Tenant,
    publisher: Publisher,
    delivery: Delivery,
    parent: Receipt | None,
    reread: Reread,
    leaving: Callable[[], None],
) -> None:
    stored: Stored | None = None
    if delivery.outcome_unknown and delivery.rendition is not None:
        renditions = [delivery.rendition]
    else:
        stored = await _fresh(tenant, delivery, reread)
        if stored is None:
            return
        renditions = await _renditions(tenant, publisher, delivery, stored)
        if not renditions:
            return
    rendition = renditions[0]
    prepared = await _prepared(tenant, publisher, delivery, rendition, parent)
    if not await tenant.ledger.transact(lambda store: _leave(store, delivery, stored, renditions, tenant.now())):
        return
    leaving()
    receipt = await publisher.publish(rendition, delivery.key, parent=parent, prepared=prepared)
    await _done(tenant, delivery, receipt, rendition)


def _leave(store: Store, delivery: Delivery, stored: Stored | None, renditions: list[Rendition], now: datetime) -> bool:
    """Mark it as sending, unless it was withdrawn; raises _NotYet when the item changed while it was being prepared."""
    if stored is not None and delivery.part == 0:
        current = store.items.item(stored.item.source, delivery.uid)
        if current is not None and current.revision != stored.revision:
            raise _NotYet(f"{delivery.uid} was edited this very moment")
    return store.outbox.sending(delivery, renditions[0], renditions, now)


async def _found_out(tenant: Tenant, publisher: Publisher, delivery: Delivery) -> Delivery | None:
    """The delivery, knowing whether it went out already where that can be known; None when nothing is left to do."""
    if not delivery.outcome_unknown:
        return delivery
    keyed = key_holds(delivery, publisher.limits.key_window_s, tenant.now())
    # What lost its reason meanwhile is looked for rather than sent again, only to be removed.
    if keyed and not (isinstance(publisher, CanFind) and (await tenant.ledger.transact(lambda store: _judged(tenant, store, delivery)))[1]):
        return delivery
    if await _recovered(tenant, publisher, delivery):
        return None
    return replace(delivery, outcome_unknown=False, first_sent_at=None)


async def _recovered(tenant: Tenant, publisher: Publisher, delivery: Delivery) -> bool:
    """Whether an unknown outcome is settled without sending: found there, or left to a person."""
    if isinstance(publisher, CanFind) and delivery.rendition is not None:
        receipt = await publisher.find(delivery.key, delivery.rendition, prepared=delivery.prepared)
        event(tenant.log, logging.INFO, "delivery.looked-for", delivery=delivery.id, found=receipt is not None)
        if receipt is not None:
            await _done(tenant, delivery, receipt, delivery.rendition)
        return receipt is not None
    risks_two = tenant.config.destinations[delivery.destination].pace.on_unknown == "retry"
    if risks_two and not (await tenant.ledger.transact(lambda store: _judged(tenant, store, delivery)))[1]:
        return False
    await _park(tenant, delivery, "unknown", Park(reason="unknown", outcome_unknown=True), hint="")
    return True


async def _fresh(tenant: Tenant, delivery: Delivery, reread: Reread) -> Stored | None:
    """The item as it is now, asked for at its origin when it was held; None when it may not leave (the row is settled then)."""
    now = tenant.now()
    waited = max(delivery.due_at - delivery.created_at, now - delivery.created_at)
    if waited > ASK_ORIGIN_AFTER and delivery.part == 0 and delivery.source in tenant.config.sources:
        await _ask_origin(tenant, delivery, reread)
    (stored, reason), row, doubtful = await tenant.ledger.transact(
        lambda store: (
            _judged(tenant, store, delivery),
            store.outbox.delivery(delivery.id),
            store.items.missing(delivery.source, delivery.uid),
        )
    )
    if row is None or row.state not in ("pending", "sending"):
        return None
    if reason:
        await _drop(tenant, delivery, reason)
        return None
    if doubtful:
        raise _NotYet(f"{delivery.uid} is not shown at its origin; asking again before it leaves")
    return stored


async def _ask_origin(tenant: Tenant, delivery: Delivery, reread: Reread) -> None:
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
        raise _NotYet(f"its origin cannot be asked whether it still stands: {error}") from error


def _current(tenant: Tenant, store: Store, delivery: Delivery) -> Stored | None:
    """The item as its own source shows it now, else as another does whose items go there too."""
    leading = {source for route in tenant.routes if delivery.destination in route.destinations for source in route.sources}
    return store.items.item(delivery.source, delivery.uid, leading) or store.items.item(delivery.source, delivery.uid)


def _judged(tenant: Tenant, store: Store, delivery: Delivery) -> tuple[Stored | None, str]:
    """The item as it is now, and why it may not leave, by the rules and the configuration of now; empty when it may."""
    stored = _current(tenant, store, delivery)
    if stored is None:
        return None, "deleted-in-time"
    if delivery.purpose == "create" and stored.incarnation != delivery.revision:
        return stored, "superseded"
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
    routes = _routes(tenant, delivery, item)
    refusals = [refusal(item, route, delivery.destination, kind, facts) for route in routes]
    if None not in refusals:
        return stored, refusals[0] or "" if refusals else "no-route"
    if isinstance(item, Event) and item.status == "cancelled":
        return stored, "cancelled-in-time"
    published_at = item.published_at or stored.first_seen_at
    return stored, too_late(item, published_at, tenant.now(), max(max(route.max_age, route.backfill) for route in routes)) or ""


async def _renditions(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored) -> list[Rendition]:
    """What leaves now, first; then the later parts of its thread."""
    if delivery.part and delivery.rendition is not None:
        return [delivery.rendition]
    renditions = _rendered(tenant, publisher, delivery, stored)
    if not renditions:
        await _drop(tenant, delivery, "nothing-to-show")
    return renditions


def _rendered(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored) -> list[Rendition]:
    return list(
        render(
            stored.item,
            publisher.limits,
            _style(tenant, delivery, stored.item),
            association=tenant.config.association,
            destination_names=tenant.destination_names(),
            purpose=delivery.purpose,
        )
    )


async def _prepared(tenant: Tenant, publisher: Publisher, delivery: Delivery, rendition: Rendition, parent: Receipt | None) -> str | None:
    if not isinstance(publisher, CanPrepare):
        return None
    if delivery.prepared is not None and delivery.rendition == rendition:
        return delivery.prepared
    prepared = await publisher.prepare(rendition, delivery.key, parent=parent)
    await tenant.ledger.transact(lambda store: store.outbox.prepared(delivery.id, prepared, rendition, tenant.now()))
    return prepared


async def _update(tenant: Tenant, publisher: Publisher, delivery: Delivery, leaving: Callable[[], None]) -> None:
    stored, sent, unsure = await tenant.ledger.transact(
        lambda store: (
            _current(tenant, store, delivery),
            store.outbox.sent(delivery.destination, delivery.uid, delivery.part),
            store.outbox.unsure(delivery.destination, delivery.uid, delivery.part),
        )
    )
    if stored is None or sent is None or not isinstance(publisher, CanUpdate):
        await _drop(tenant, delivery, "cannot-update" if stored and sent else "gone-there")
        return
    renditions = _rendered(tenant, publisher, delivery, stored)
    if delivery.part >= len(renditions):  # the thread has become shorter
        await _remove(tenant, publisher, delivery, sent, leaving)
        return
    if delivery.part == 0 and max(len(renditions), sent.rendition.parts) > 1:
        await tenant.ledger.transact(lambda store: store.outbox.lengthen(delivery, stored.incarnation, renditions, tenant.now()))
    if renditions[delivery.part] == sent.rendition and not unsure:
        await _done(tenant, delivery, None, None, reason="no-visible-change")
        return
    rendition = renditions[delivery.part]
    if not await tenant.ledger.transact(lambda store: store.outbox.sending(delivery, rendition, [rendition], tenant.now())):
        return
    leaving()
    try:
        receipt = await publisher.update(sent.receipt, rendition)
    except Gone:
        if not (unsure and delivery.part):
            raise
        # We may have removed it ourselves, when the thread was shorter for a while: it is made anew.
        await _done(tenant, delivery, None, None, also=lambda store: _anew(store, delivery, stored, renditions, tenant.now()))
        return
    await _done(tenant, delivery, receipt, rendition)


def _anew(store: Store, update: Delivery, stored: Stored, parts: list[Rendition], now: datetime) -> None:
    store.outbox.removed(update, now)
    store.outbox.lengthen(update, stored.incarnation, parts, now)


async def _delete(tenant: Tenant, publisher: Publisher, delivery: Delivery, leaving: Callable[[], None]) -> None:
    sent = await tenant.ledger.transact(lambda store: store.outbox.sent(delivery.destination, delivery.uid, delivery.part))
    if sent is None:
        await _done(tenant, delivery, None, None, reason="gone-there")
        return
    await _remove(tenant, publisher, delivery, sent, leaving)


async def _remove(tenant: Tenant, publisher: Publisher, delivery: Delivery, sent: Sent, leaving: Callable[[], None]) -> None:
    """Take a remote object away; where that is not possible, a person must."""
    if not isinstance(publisher, CanDelete):
        await _park(tenant, delivery, "cannot-delete", Park(reason=sent.receipt.url or "cannot-delete", outcome_unknown=False), hint="")
        return
    if not await tenant.ledger.transact(lambda store: store.outbox.sending(delivery, sent.rendition, [sent.rendition], tenant.now())):
        return
    leaving()
    with suppress(Gone):
        await publisher.delete(sent.receipt)
    await _done(tenant, delivery, None, None, also=lambda store: store.outbox.removed(delivery, tenant.now()))


async def _settle(tenant: Tenant, delivery: Delivery, error: Exception, *, sent: bool, keyed: bool) -> None:
    now = tenant.now()
    decision = decide(error, delivery, now, tenant.rng, sent=sent, keyed=keyed)
    tenant.tally["deliveries", delivery.destination, "failed"] += 1
    event(
        tenant.log,
        logging.INFO,
        "delivery.failed",
        delivery=delivery.id,
        destination=delivery.destination,
        uid=delivery.uid,
        purpose=delivery.purpose,
        decision=type(decision).__name__.lower(),
        detail=f"{type(error).__name__}: {error}",
    )
    if isinstance(decision, Done):
        await _done(tenant, delivery, None, None, reason="gone-there", also=lambda store: store.outbox.removed(delivery, now))
    elif isinstance(decision, Drop):
        await _drop(tenant, delivery, decision.reason)
    elif isinstance(decision, Park):
        hint = getattr(error, "hint", None)
        kind = "unknown" if decision.outcome_unknown else "rejected" if isinstance(error, ConnectorError) else "bug"
        await _park(tenant, delivery, kind, decision, hint=pick(hint, tenant.language) if hint else "")
    else:
        await _postpone(tenant, delivery, decision, error, sent=sent)


async def _postpone(tenant: Tenant, delivery: Delivery, decision: Decision, error: Exception, *, sent: bool) -> None:
    assert isinstance(decision, Retry | Recover | Pause)
    now, name = tenant.now(), delivery.destination
    unknown = decision.outcome_unknown if isinstance(decision, Pause) else isinstance(decision, Recover)
    rest = decision.at if isinstance(decision, Pause) else None
    key = f"destinations.{name}"
    if (
        isinstance(error, Transient) and not isinstance(error, _NotYet) and rest is None
    ):  # an outage is the account's, not the item's: do not knock once an item
        tenant.failures[key] = tenant.failures.get(key, 0) + 1
        rest = now + min(backoff(tenant.failures[key], tenant.rng) / 4, timedelta(minutes=5))
    person = isinstance(decision, Pause) and decision.person
    hint = getattr(error, "hint", None)
    advice = pick(hint, tenant.language) if hint else ""

    def write(store: Store) -> None:
        if isinstance(error, Unprepared):
            store.outbox.unprepare(delivery.id)
        store.outbox.again(delivery, decision.at, decision.reason, now, outcome_unknown=unknown, attempted=sent)
        if rest is not None:
            store.accounts.pause(name, rest, decision.reason)
        if person:
            store.problems.put(f"destination:{name}", "auth", str(error), advice, now)

    await tenant.ledger.transact(write)
    if person:
        event(tenant.log, logging.WARNING, "problem", subject=f"destination:{name}", kind="auth", detail=str(error))
        tenant.healthy.discard(f"destination:{name}")
        await tenant.forget(key)


async def _done(
    tenant: Tenant,
    delivery: Delivery,
    receipt: Receipt | None,
    rendition: Rendition | None,
    reason: str = "",
    *,
    also: Callable[[Store], None] | None = None,
) -> None:
    now = tenant.now()

    def write(store: Store) -> None:
        store.outbox.done(delivery, receipt, rendition, now, reason)
        if also is not None:
            also(store)
        store.problems.clear(f"delivery:{delivery.id}")

    await tenant.ledger.transact(write)
    tenant.done_at[delivery.destination] = now
    tenant.tally["deliveries", delivery.destination, "done"] += 1
    event(
        tenant.log,
        logging.INFO,
        "delivery.done",
        destination=delivery.destination,
        purpose=delivery.purpose,
        uid=delivery.uid,
        part=delivery.part,
        url=receipt.url if receipt else None,
        reason=reason or None,
    )


async def _drop(tenant: Tenant, delivery: Delivery, reason: str) -> None:
    await tenant.ledger.transact(lambda store: store.outbox.drop(delivery.id, reason, tenant.now()))
    tenant.tally["deliveries", delivery.destination, "dropped"] += 1
    event(tenant.log, logging.INFO, "delivery.dropped", destination=delivery.destination, uid=delivery.uid, reason=reason)


async def _park(tenant: Tenant, delivery: Delivery, kind: str, decision: Park, *, hint: str) -> None:
    now = tenant.now()

    def write(store: Store) -> bool:
        parked = store.outbox.park(delivery, decision.reason, now, outcome_unknown=decision.outcome_unknown)
        return parked and store.problems.put(f"delivery:{delivery.id}", kind, decision.reason, hint, now)

    if not await tenant.ledger.transact(write):
        return
    event(
        tenant.log, logging.WARNING, "delivery.parked", delivery=delivery.id, destination=delivery.destination, uid=delivery.uid, kind=kind
    )


def _routes(tenant: Tenant, delivery: Delivery, item: Item) -> list[Route]:
    """The routes that lead it there now, its own first."""
    routes = [route for route in tenant.routes if item.source in route.sources and delivery.destination in route.destinations]
    return sorted(routes, key=lambda route: route.name != delivery.route)


def _style(tenant: Tenant, delivery: Delivery, item: Item) -> Style:
    routes = _routes(tenant, delivery, item)
    return routes[0].style if routes else Style()

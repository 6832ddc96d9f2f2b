"""One attempt at one claimed delivery: render, find out, prepare, mark as sending, send, settle.

What makes it exactly-once: the row says ``sending`` with its frozen rendition before the request leaves, and only a receipt, a refusal, or
an error that proves nothing happened takes that back. A row found so after a crash has an unknown outcome, and is never sent again
before somebody knows: the service itself (its key window), its answer to "did it go out?", or a person.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from syndicator.contract import CanFind, CanPrepare, Publisher
from syndicator.errors import ConnectorError, Rejected, StateError
from syndicator.follow import delete, update
from syndicator.gathering import gathered
from syndicator.items import Stored
from syndicator.judge import judged, shaping
from syndicator.logs import event
from syndicator.model import Delivery, Receipt, Rendition
from syndicator.policy import NotYet, Park, key_holds
from syndicator.settle import done, drop, park, settle
from syndicator.spending import HELD, affordable, charge, take_back
from syndicator.store import Store
from syndicator.tenant import Tenant

ASK_ORIGIN_AFTER = timedelta(seconds=10)
"""What waited longer than this is asked for again at its origin before it leaves."""
ORIGIN_TRIES = 3
"""How often a bug may answer that question before a person is asked: a connection that was just closed looks like one."""

Reread = Callable[[Tenant, str, str], Awaitable[None]]


async def attempt(tenant: Tenant, publisher: Publisher, delivery: Delivery, parent: Receipt | None, reread: Reread) -> bool:
    """Do what a claimed delivery asks, and settle its row whatever happens; False when it failed. Only StateError gets out."""
    sent = False

    def leaving() -> None:
        nonlocal sent
        sent = True

    try:
        if delivery.purpose == "delete":
            await delete(tenant, publisher, delivery, leaving)
        elif delivery.purpose == "update":
            await update(tenant, publisher, delivery, leaving)
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
        if sent:
            await take_back(tenant, publisher.limits, delivery, error)
        await settle(tenant, delivery, error, sent=sent, keyed=bool(publisher.limits.key_window_s))
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
        if not renditions or not await affordable(tenant, publisher.limits, delivery, renditions):
            return
    rendition = renditions[0]
    prepared = await _prepared(tenant, publisher, delivery, rendition, parent)
    if not await tenant.ledger.transact(lambda store: _leave(tenant, store, publisher, delivery, stored, renditions)):
        return
    leaving()
    receipt = await publisher.publish(rendition, delivery.key, parent=parent, prepared=prepared)
    await done(tenant, delivery, receipt, rendition)


def _leave(
    tenant: Tenant, store: Store, publisher: Publisher, delivery: Delivery, stored: Stored | None, renditions: list[Rendition]
) -> bool:
    """Mark it as sending, unless it was withdrawn; raises NotYet when the item changed while it was being prepared."""
    if stored is not None and delivery.part == 0:
        current = store.items.item(stored.item.source, delivery.uid)
        if current is not None and current.revision != stored.revision:
            raise NotYet(f"{delivery.uid} was edited this very moment")
    leaves = store.outbox.sending(delivery, renditions[0], renditions, tenant.now())
    if leaves:
        charge(tenant, store, publisher.limits, delivery, renditions[0])
    return leaves


async def _found_out(tenant: Tenant, publisher: Publisher, delivery: Delivery) -> Delivery | None:
    """The delivery, knowing whether it went out already where that can be known; None when nothing is left to do."""
    if not delivery.outcome_unknown:
        return delivery
    keyed = key_holds(delivery, publisher.limits.key_window_s, tenant.now())
    # What lost its reason meanwhile is looked for rather than sent again, only to be removed.
    if keyed and not (isinstance(publisher, CanFind) and (await tenant.ledger.transact(lambda store: judged(tenant, store, delivery)))[1]):
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
            await done(tenant, delivery, receipt, delivery.rendition)
        else:
            await take_back(tenant, publisher.limits, delivery)
        return receipt is not None
    risks_two = tenant.config.destinations[delivery.destination].pace.on_unknown == "retry"
    if risks_two and not (await tenant.ledger.transact(lambda store: judged(tenant, store, delivery)))[1]:
        return False
    await park(tenant, delivery, "unknown", Park(reason="unknown", outcome_unknown=True), hint="")
    return True


async def _fresh(tenant: Tenant, delivery: Delivery, reread: Reread) -> Stored | None:
    """The item as it is now, asked for at its origin when it was held; None when it may not leave (the row is settled then)."""
    now = tenant.now()
    waited = max(delivery.due_at - delivery.created_at, now - delivery.created_at)
    if waited > ASK_ORIGIN_AFTER and delivery.part == 0 and delivery.source in tenant.config.sources:
        await _ask_origin(tenant, delivery, reread)
    (stored, reason), row, doubtful = await tenant.ledger.transact(
        lambda store: (
            judged(tenant, store, delivery),
            store.outbox.delivery(delivery.id),
            store.items.missing(delivery.source, delivery.uid),
        )
    )
    if row is None or row.state not in ("pending", "sending"):
        return None
    if reason:
        await drop(tenant, delivery, "over-budget" if (reason, delivery.reason) == ("stale", HELD) else reason)
        return None
    if doubtful:
        raise NotYet(f"{delivery.uid} is not shown at its origin; asking again before it leaves")
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
        raise NotYet(f"its origin cannot be asked whether it still stands: {error}") from error


async def _renditions(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored) -> list[Rendition]:
    """What leaves now, first; then the later parts of its thread."""
    if delivery.part and delivery.rendition is not None:
        return [delivery.rendition]
    # What is prepared already has its media.
    there = delivery.rendition.attachments if delivery.prepared is not None and delivery.rendition is not None else ()
    renditions = await gathered(tenant, publisher, delivery, stored.item, shaping(tenant, publisher, delivery, stored), there=there)
    if not renditions:
        await drop(tenant, delivery, "nothing-to-show")
    return renditions


async def _prepared(tenant: Tenant, publisher: Publisher, delivery: Delivery, rendition: Rendition, parent: Receipt | None) -> str | None:
    if not isinstance(publisher, CanPrepare):
        return None
    if delivery.prepared is not None and delivery.rendition == rendition:
        return delivery.prepared
    prepared = await publisher.prepare(rendition, delivery.key, parent=parent)
    await tenant.ledger.transact(lambda store: store.outbox.prepared(delivery.id, prepared, rendition, tenant.now()))
    return prepared

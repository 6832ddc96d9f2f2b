"""One attempt at one claimed delivery: render, find out, prepare, mark as sending, send, settle.

What makes it exactly-once: the row says ``sending`` with its frozen rendition before the request leaves, and only a receipt, a refusal, or
an error that proves nothing happened takes that back. A row found so after a crash has an unknown outcome, and is never sent again
before somebody knows: the service itself (its key window), its answer to "did it go out?", or a person.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from syndicator.contract import CanFind, CanPrepare, Publisher
from syndicator.errors import ConnectorError, StateError
from syndicator.follow import Leaving, delete, edit, is_news, retire
from syndicator.gathering import gathered
from syndicator.hosting import host
from syndicator.items import Stored
from syndicator.judge import Reread, ask_origin, is_missing, judged, shaping, told_before
from syndicator.logs import event
from syndicator.model import Delivery, Event, Post, Receipt, Rendition
from syndicator.noticing import notice_digest, told_by
from syndicator.plan.notes import NOTICES
from syndicator.policy import ASK_AGAIN, FOLLOWS, NotYet, Park, key_holds
from syndicator.rows import made_anew
from syndicator.settle import done, drop, park, settle
from syndicator.spending import HELD, affordable, charge, take_back
from syndicator.store import Store
from syndicator.tenant import Tenant

LOOKING = "looking"
"""The reason of a delivery whose service is about to be asked whether it is there."""


async def attempt(tenant: Tenant, publisher: Publisher, delivery: Delivery, parent: Receipt | None, reread: Reread) -> bool:
    """Do what a claimed delivery asks, and settle its row whatever happens; False when it failed. Only StateError gets out."""
    sent: Delivery | None = None

    def leaving(leaves: Delivery) -> None:
        nonlocal sent
        sent = leaves

    try:
        if delivery.purpose == "delete":
            await delete(tenant, publisher, delivery, leaving)
        elif delivery.purpose == "retire":
            await retire(tenant, publisher, delivery, leaving)
        elif delivery.purpose in FOLLOWS:
            await edit(tenant, publisher, delivery, reread, leaving)
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
        if sent is not None:
            await take_back(tenant, publisher.limits, delivery, error)
        await settle(tenant, sent or delivery, error, sent=sent is not None, keyed=bool(publisher.limits.key_window_s))
        return False
    tenant.failures.pop(f"destinations.{delivery.destination}", None)
    return True


async def _create(
    tenant: Tenant,
    publisher: Publisher,
    delivery: Delivery,
    parent: Receipt | None,
    reread: Reread,
    leaving: Leaving,
) -> None:
    stored: Stored | None = None
    if delivery.outcome_unknown and delivery.rendition is not None:
        renditions = [delivery.rendition]
    else:
        stored = await _fresh(tenant, delivery, reread)
        if stored is None:
            return
        renditions = await _renditions(tenant, publisher, delivery, stored)
        if not renditions or not await _due(tenant, publisher, delivery, renditions):
            return
    rendition = renditions[0]
    prepared = await _prepared(publisher, delivery, rendition, parent)
    if not await tenant.ledger.transact(lambda store: _leave(tenant, store, publisher, delivery, stored, renditions, prepared)):
        return
    leaving(delivery)
    receipt = await publisher.publish(rendition, delivery.key, parent=parent, prepared=prepared)
    await done(tenant, delivery, receipt, rendition)


async def _due(tenant: Tenant, publisher: Publisher, delivery: Delivery, renditions: list[Rendition]) -> bool:
    """Whether it may leave now, as to its price and its news; what is posted anew was asked that before the old one was removed."""
    if made_anew(delivery):
        return True
    if delivery.purpose in NOTICES and not await is_news(tenant, publisher, delivery):
        await done(tenant, delivery, None, None, reason="no-visible-change")
        return False
    return await affordable(tenant, publisher.limits, delivery, renditions)


def _leave(
    tenant: Tenant,
    store: Store,
    publisher: Publisher,
    delivery: Delivery,
    stored: Stored | None,
    renditions: list[Rendition],
    prepared: str | None,
) -> bool:
    """Mark it as sending, unless it was withdrawn; raises NotYet when the item changed while it was being prepared."""
    if stored is not None and delivery.part == 0:
        current = store.items.item(stored.item.source, delivery.uid)
        if current is not None and current.revision != stored.revision:
            raise NotYet(f"{delivery.uid} was edited this very moment")
    told = None
    if stored is not None and delivery.part == 0:
        told = told_by(stored.item, notice_digest(tenant, publisher, delivery, stored) if delivery.purpose in NOTICES else "")
    leaves = store.outbox.sending(delivery, renditions[0], renditions, tenant.now(), prepared=prepared, told=told)
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
    if isinstance(publisher, CanFind):
        return replace(delivery, outcome_unknown=False, first_sent_at=None)
    return delivery  # sent again though it may be there


async def _recovered(tenant: Tenant, publisher: Publisher, delivery: Delivery) -> bool:
    """Whether an unknown outcome is dealt with without sending: found there, to be looked for later, or left to a person."""
    if isinstance(publisher, CanFind) and delivery.rendition is not None:
        if publisher.limits.key_window_s and delivery.reason != LOOKING:  # as it could be sent again, its turn came early
            await tenant.ledger.transact(lambda store: _look_later(store, delivery, tenant.now()))
            return True
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


def _look_later(store: Store, delivery: Delivery, now: datetime) -> None:
    """What was sent may still be under way, and nobody finds what is not there yet."""
    store.outbox.again(delivery, now + ASK_AGAIN, LOOKING, now, outcome_unknown=True, attempted=True)


async def _fresh(tenant: Tenant, delivery: Delivery, reread: Reread) -> Stored | None:
    """The item as it is now, asked for at its origin when it was held; None when it may not leave (the row is settled then)."""
    await ask_origin(tenant, delivery, reread)
    (stored, reason), row, missing = await tenant.ledger.transact(
        lambda store: (judged(tenant, store, delivery), store.outbox.delivery(delivery.id), is_missing(store, delivery))
    )
    if row is None or row.state not in ("pending", "sending"):
        return None
    if row.due_at > tenant.now():  # what its origin just said moved it
        await tenant.ledger.transact(lambda store: store.outbox.release(delivery.id))
        return None
    if reason:
        await drop(tenant, delivery, "over-budget" if (reason, delivery.reason) == ("stale", HELD) else reason)
        return None
    if missing:
        raise NotYet(missing)
    return stored


async def _renditions(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored) -> list[Rendition]:
    """What leaves now, first; then the later parts of its thread."""
    if delivery.part and delivery.rendition is not None:
        return [delivery.rendition]
    if publisher.limits.letter and isinstance(stored.item, Post) and stored.item.issue is not None:
        await host(tenant, stored.item.issue)
    # What is prepared already has its media.
    there = delivery.rendition.attachments if delivery.prepared is not None and delivery.rendition is not None else ()
    before = None
    if delivery.purpose in NOTICES and isinstance(stored.item, Event):
        before = await tenant.ledger.transact(lambda store: told_before(tenant, store, delivery, stored.item))
    shape = shaping(tenant, publisher, delivery, stored, before=before)
    renditions = await gathered(tenant, publisher, delivery, stored.item, shape, there=there)
    if not renditions:
        await drop(tenant, delivery, "nothing-to-show")
    return renditions


async def _prepared(publisher: Publisher, delivery: Delivery, rendition: Rendition, parent: Receipt | None) -> str | None:
    if not isinstance(publisher, CanPrepare):
        return None
    if delivery.prepared is not None and delivery.rendition == rendition:
        return delivery.prepared
    return await publisher.prepare(rendition, delivery.key, parent=parent)

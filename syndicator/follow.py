"""What follows what is out already: an edit, a deletion."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from syndicator.contract import CanDelete, CanUpdate, Publisher
from syndicator.errors import Gone
from syndicator.gathering import as_before, gathered
from syndicator.items import Stored
from syndicator.judge import current, shaping
from syndicator.model import Delivery, Rendition
from syndicator.policy import Park
from syndicator.rows import Sent
from syndicator.settle import done, drop, park
from syndicator.spending import charge
from syndicator.store import Store
from syndicator.tenant import Tenant


async def update(tenant: Tenant, publisher: Publisher, delivery: Delivery, leaving: Callable[[], None]) -> None:
    """Make what is there show the item as it is now."""
    stored, sent, unsure = await tenant.ledger.transact(
        lambda store: (
            current(tenant, store, delivery),
            store.outbox.sent(delivery.destination, delivery.uid, delivery.part),
            store.outbox.unsure(delivery.destination, delivery.uid, delivery.part),
        )
    )
    if stored is None or sent is None or not isinstance(publisher, CanUpdate):
        await drop(tenant, delivery, "cannot-update" if stored and sent else "gone-there")
        return
    renditions = await _shown(tenant, publisher, delivery, stored, sent)
    if delivery.part >= len(renditions):  # the thread has become shorter
        await _remove(tenant, publisher, delivery, sent, leaving)
        return
    if delivery.part == 0 and max(len(renditions), sent.rendition.parts) > 1:
        await tenant.ledger.transact(lambda store: store.outbox.lengthen(delivery, stored.incarnation, renditions, tenant.now()))
    if renditions[delivery.part] == sent.rendition and not unsure:
        await done(tenant, delivery, None, None, reason="no-visible-change")
        return
    rendition = renditions[delivery.part]
    if not await tenant.ledger.transact(lambda store: _leave(tenant, store, publisher, delivery, rendition)):
        return
    leaving()
    try:
        receipt = await publisher.update(sent.receipt, rendition)
    except Gone:
        if not (unsure and delivery.part):
            raise
        # We may have removed it ourselves, when the thread was shorter for a while: it is made anew.
        await done(tenant, delivery, None, None, also=lambda store: _anew(store, delivery, stored, renditions, tenant.now()))
        return
    await done(tenant, delivery, receipt, rendition)


async def _shown(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored, sent: Sent) -> list[Rendition]:
    """How the item shows there now, with the media that are there or can be had; later parts with those of the first."""
    shape = shaping(tenant, publisher, delivery, stored)
    if not delivery.part:
        return await gathered(tenant, publisher, delivery, stored.item, shape, there=sent.rendition.attachments)
    first = await tenant.ledger.transact(lambda store: store.outbox.sent(delivery.destination, delivery.uid))
    return as_before(stored.item, (first or sent).rendition, shape)


def _leave(tenant: Tenant, store: Store, publisher: Publisher, delivery: Delivery, rendition: Rendition) -> bool:
    leaves = store.outbox.sending(delivery, rendition, [rendition], tenant.now())
    if leaves:
        charge(tenant, store, publisher.limits, delivery, rendition)
    return leaves


def _anew(store: Store, update: Delivery, stored: Stored, parts: list[Rendition], now: datetime) -> None:
    store.outbox.removed(update, now)
    store.outbox.lengthen(update, stored.incarnation, parts, now)


async def delete(tenant: Tenant, publisher: Publisher, delivery: Delivery, leaving: Callable[[], None]) -> None:
    """Take what is there away."""
    sent = await tenant.ledger.transact(lambda store: store.outbox.sent(delivery.destination, delivery.uid, delivery.part))
    if sent is None:
        await done(tenant, delivery, None, None, reason="gone-there")
        return
    await _remove(tenant, publisher, delivery, sent, leaving)


async def _remove(tenant: Tenant, publisher: Publisher, delivery: Delivery, sent: Sent, leaving: Callable[[], None]) -> None:
    """Take a remote object away; where that is not possible, a person must."""
    if not isinstance(publisher, CanDelete):
        await park(tenant, delivery, "cannot-delete", Park(reason=sent.receipt.url or "cannot-delete", outcome_unknown=False), hint="")
        return
    if not await tenant.ledger.transact(lambda store: _leave(tenant, store, publisher, delivery, sent.rendition)):
        return
    leaving()
    with suppress(Gone):
        await publisher.delete(sent.receipt)
    await done(tenant, delivery, None, None, also=lambda store: store.outbox.removed(delivery, tenant.now()))

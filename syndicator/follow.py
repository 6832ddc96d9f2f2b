"""What follows what is out already: an edit, as its route wants it and its network can, and a deletion."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from syndicator.contract import CanDelete, CanUpdate, Publisher
from syndicator.editing import Abilities, Means, as_seen, means_for
from syndicator.errors import Gone, Rejected
from syndicator.gathering import as_before, gathered
from syndicator.items import Stored
from syndicator.judge import Reread, ask_origin, current, is_missing, rendered, routes_of, shaping
from syndicator.logs import event
from syndicator.model import Delivery, Event, Rendition
from syndicator.noticing import has_moved, may_notice, notice_digest, told_by
from syndicator.plan.notes import notice_about
from syndicator.policy import NotYet, Park
from syndicator.route import Route
from syndicator.rows import Sent
from syndicator.settle import done, drop, park
from syndicator.spending import affordable, charge, take_back
from syndicator.store import Store
from syndicator.tenant import Tenant
from syndicator.text.told import Told

Leaving = Callable[[Delivery], None]
"""Called when a request is about to leave, with what it is sent as."""


@dataclass(frozen=True, kw_only=True)
class _There:
    """What an edit finds: the item now, and its object there."""

    stored: Stored
    sent: Sent
    parts: Sequence[Sent]
    """All of its thread."""
    note: Sent | None
    """What readers were told since, if they were."""
    told: Told | None
    """What they were told of an event last."""
    announced: Told | None
    """The same, without what was corrected in place."""
    unsure: bool
    """Whether an edit may have reached it without our knowing."""


@dataclass(frozen=True, kw_only=True)
class _News:
    """What an edit means to readers."""

    differs: bool
    """Whether the object there looks otherwise than the item would now."""
    seen: bool
    """Whether they have not been told yet, by the object itself or by a note since."""
    moved: bool = False
    """Whether it is what they must be told of an event: another date, place or title, cancelled, confirmed."""


async def edit(tenant: Tenant, publisher: Publisher, delivery: Delivery, reread: Reread, leaving: Leaving) -> None:
    """Let what is there follow the item: by the configuration of now, and however the edit was planned."""
    if delivery.purpose == "replace" and delivery.part:
        await delete(tenant, publisher, delivery, leaving)
        return
    there = await tenant.ledger.transact(lambda store: _look(tenant, store, delivery))
    if there is None:
        await drop(tenant, delivery, "gone-there")
        return
    if _removing(delivery):  # there is no way back
        await _replace(tenant, publisher, delivery, there, leaving)
        return
    delivery = replace(delivery, purpose="update")
    renditions = await _shown(tenant, publisher, delivery, there)
    news = _news(tenant, publisher, delivery, there, renditions)
    means = _means(tenant, publisher, delivery, there, news, removes=isinstance(publisher, CanDelete))
    if there.unsure and isinstance(publisher, CanUpdate):  # what may have been begun in place is finished there
        means = "in-place"
    if means in ("anew", "note"):
        await _newly(tenant, publisher, delivery, there, means, reread, leaving)
    else:
        await _tell_too(tenant, publisher, delivery, there)
        await _plainly(tenant, publisher, delivery, there, renditions, means, leaving)


def _look(tenant: Tenant, store: Store, delivery: Delivery) -> _There | None:
    stored, sent = current(tenant, store, delivery), store.outbox.receipts.of(delivery)
    if stored is None or sent is None:
        return None
    where = (delivery.destination, delivery.uid)
    return _There(
        stored=stored,
        sent=sent,
        parts=store.outbox.parts(*where),
        note=store.outbox.receipts.last_note(*where),
        told=store.outbox.receipts.last_told(*where, in_words=False),
        announced=store.outbox.receipts.last_told(*where, in_words=True),
        unsure=store.outbox.unsure(*where, delivery.part),
    )


def _means(tenant: Tenant, publisher: Publisher, delivery: Delivery, there: _There, news: _News, *, removes: bool) -> Means:
    route = _route(tenant, delivery, there)
    notes = "note" in publisher.limits.kinds and may_notice(route, there.stored.item)
    told_apart = route.edit == "note" and notes and news.differs  # what a note tells is not told by an edit as well
    first = not delivery.part  # which speaks for its whole thread
    abilities = Abilities(edits=isinstance(publisher, CanUpdate) and not told_apart, removes=first and removes, notes=first and notes)
    seen = news.seen and (news.differs or route.edit != "replace")  # nobody gains by the same words anew
    return means_for(route, abilities, seen=seen, moved=news.moved and news.seen)


def _route(tenant: Tenant, delivery: Delivery, there: _There) -> Route:
    return next(iter(routes_of(tenant, delivery, there.stored.item)), Route(name="", sources=(), destinations=()))


async def _shown(tenant: Tenant, publisher: Publisher, delivery: Delivery, there: _There) -> list[Rendition]:
    """How the item shows there now, with the media that are there or can be had; later parts with those of the first."""
    stored = there.stored
    shape = shaping(tenant, publisher, delivery, stored)
    if delivery.part:
        return as_before(stored.item, there.parts[0].rendition, shape)
    return await gathered(tenant, publisher, delivery, stored.item, shape, there=there.sent.rendition.attachments)


async def is_news(tenant: Tenant, publisher: Publisher, note: Delivery) -> bool:
    """Whether a note still tells its readers something."""
    about = replace(note, purpose="update")
    there = await tenant.ledger.transact(lambda store: _look(tenant, store, about))
    if there is None:
        return False
    route = _route(tenant, note, there)
    if route.notice == "always" and route.edit != "note" and isinstance(there.stored.item, Event):
        return has_moved(there.announced, there.stored.item)
    renditions = as_before(there.stored.item, there.sent.rendition, shaping(tenant, publisher, about, there.stored))
    return _news(tenant, publisher, about, there, renditions).seen


def _news(tenant: Tenant, publisher: Publisher, delivery: Delivery, there: _There, renditions: list[Rendition]) -> _News:
    differs = as_seen(renditions) != as_seen(part.rendition for part in there.parts)
    moved = has_moved(there.told, there.stored.item)
    if there.note is None:
        return _News(differs=differs, seen=differs or moved, moved=moved)
    if there.told is not None and there.told.digest:
        again = notice_digest(tenant, publisher, delivery, there.stored)
        return _News(differs=differs or moved, seen=moved or again != there.told.digest, moved=moved)
    told = rendered(tenant, publisher, replace(delivery, purpose="announce-change"), there.stored)
    return _News(differs=differs, seen=as_seen(told[:1]) != as_seen([there.note.rendition]))


async def _newly(
    tenant: Tenant, publisher: Publisher, delivery: Delivery, there: _There, means: Means, reread: Reread, leaving: Leaving
) -> None:
    """What makes a post of its own: once the grace window of the edit is over, and the pace and the budget allow it."""
    at = await _allowed_at(tenant, delivery, there, means)
    if at > tenant.now():
        unknown = delivery.outcome_unknown
        await tenant.ledger.transact(
            lambda store: store.outbox.again(delivery, at, "", tenant.now(), outcome_unknown=unknown, attempted=True)
        )
        return
    await ask_origin(tenant, delivery, reread)
    why_not = await tenant.ledger.transact(
        lambda store: is_missing(store, delivery) or (means == "anew" and store.outbox.unfinished_parts(delivery.destination, delivery.uid))
    )
    if why_not:
        raise NotYet(why_not)
    if means == "note":
        await _announce(tenant, delivery, there)
        return
    stored = there.stored
    renditions = await gathered(tenant, publisher, delivery, stored.item, shaping(tenant, publisher, delivery, stored))
    if await affordable(tenant, publisher.limits, replace(delivery, purpose="create"), renditions):
        await _replace(tenant, publisher, delivery, there, leaving)


async def _allowed_at(tenant: Tenant, delivery: Delivery, there: _There, means: Means) -> datetime:
    at = max(tenant.now(), delivery.created_at + _route(tenant, delivery, there).delay)
    if means == "note":  # it has a delivery of its own, which waits by itself
        return at
    last_sent_at = await tenant.ledger.transact(lambda store: store.outbox.last_sent_at(delivery.destination))
    return max(at, tenant.allowed_at(replace(delivery, due_at=at), last_sent_at))


async def _announce(tenant: Tenant, delivery: Delivery, there: _There) -> None:
    if await tenant.ledger.transact(lambda store: store.outbox.announce(delivery, notice_about(there.stored.item), tenant.now())):
        event(tenant.log, logging.INFO, "edit.noted", destination=delivery.destination, uid=delivery.uid)


async def _tell_too(tenant: Tenant, publisher: Publisher, delivery: Delivery, there: _There) -> None:
    """Where the route wants it, what moved is told in a post of its own beside the correction."""
    route, item = _route(tenant, delivery, there), there.stored.item
    wanted = route.notice == "always" and not delivery.part and "note" in publisher.limits.kinds and may_notice(route, item)
    if wanted and has_moved(there.announced, item):
        now = tenant.now()
        due_at = max(now, delivery.created_at + route.delay)
        await tenant.ledger.transact(lambda store: store.outbox.announce_beside(delivery, notice_about(item), due_at, now))


async def _replace(tenant: Tenant, publisher: Publisher, delivery: Delivery, there: _There, leaving: Leaving) -> None:
    """Remove what is there and have it posted anew; what cannot be removed is corrected some other way."""
    replacing = replace(delivery, purpose="replace")
    if not isinstance(publisher, CanDelete):
        await _cannot_delete(tenant, replacing, there.sent)
        return
    if not await tenant.ledger.transact(lambda store: _leave(tenant, store, publisher, replacing, there.sent.rendition)):
        return
    leaving(replacing)
    try:
        await publisher.delete(there.sent.receipt)
    except Gone:
        if not _removing(delivery):  # it was a person's doing, not ours
            raise
    except Rejected as error:
        if not await _otherwise(tenant, publisher, delivery, there, error, leaving):
            raise
        return
    await done(tenant, replacing, None, None, reason="replaced", also=lambda store: store.outbox.anew(replacing, tenant.now()))


def _removing(delivery: Delivery) -> bool:
    """Whether we may have removed its object already."""
    return delivery.purpose == "replace" and delivery.outcome_unknown


async def _otherwise(tenant: Tenant, publisher: Publisher, delivery: Delivery, there: _There, error: Rejected, leaving: Leaving) -> bool:
    """What is done when the service refuses to remove it: too old, perhaps. False when there is nothing else."""
    event(tenant.log, logging.INFO, "replace.refused", destination=delivery.destination, uid=delivery.uid, detail=str(error))
    correcting = replace(delivery, purpose="update")
    means = _means(tenant, publisher, correcting, there, _News(differs=True, seen=True), removes=False)
    if means == "nothing" or (means == "note" and _removing(delivery)):  # nobody knows whether there is anything to add a note to
        return False
    await take_back(tenant, publisher.limits, delivery, error)
    if means == "note":
        await _announce(tenant, correcting, there)
        return True
    renditions = await _shown(tenant, publisher, correcting, there)
    try:
        await _plainly(tenant, publisher, correcting, there, renditions, means, leaving)
    except Gone:
        if not _removing(delivery):
            raise
        await done(tenant, delivery, None, None, reason="replaced", also=lambda store: store.outbox.anew(delivery, tenant.now()))
    return True


async def _plainly(
    tenant: Tenant, publisher: Publisher, delivery: Delivery, there: _There, renditions: list[Rendition], means: Means, leaving: Leaving
) -> None:
    """Edit it in place, or do nothing."""
    sent, unsure = there.sent, there.unsure
    if means == "nothing" or not isinstance(publisher, CanUpdate):
        await _left_alone(tenant, delivery, there, renditions)
        return
    if delivery.part >= len(renditions):  # the thread has become shorter
        await _remove(tenant, publisher, delivery, sent, leaving)
        return
    incarnation, rendition = there.stored.incarnation, renditions[delivery.part]
    if delivery.part == 0 and max(len(renditions), sent.rendition.parts) > 1:
        await tenant.ledger.transact(lambda store: store.outbox.lengthen(delivery, incarnation, renditions, tenant.now()))
    if rendition == sent.rendition and not unsure:
        await done(tenant, delivery, None, None, reason="no-visible-change")
        return
    told = None if delivery.part else told_by(there.stored.item)
    if not await tenant.ledger.transact(lambda store: _leave(tenant, store, publisher, delivery, rendition, told)):
        return
    leaving(delivery)
    try:
        receipt = await publisher.update(sent.receipt, rendition)
    except Gone:
        if not (unsure and delivery.part):
            raise
        # We may have removed it ourselves, when the thread was shorter for a while: it is made anew.
        await done(tenant, delivery, None, None, also=lambda store: _anew(store, delivery, incarnation, renditions, tenant.now()))
        return
    await done(tenant, delivery, receipt, rendition)


def _anew(store: Store, update: Delivery, incarnation: int, parts: list[Rendition], now: datetime) -> None:
    store.outbox.removed(update, now)
    store.outbox.lengthen(update, incarnation, parts, now)


async def _left_alone(tenant: Tenant, delivery: Delivery, there: _There, renditions: list[Rendition]) -> None:
    if _route(tenant, delivery, there).edit == "ignore":
        await drop(tenant, delivery, "not-followed")
    elif as_seen(renditions[delivery.part : delivery.part + 1]) == as_seen([there.sent.rendition]):
        await done(tenant, delivery, None, None, reason="no-visible-change")
    else:
        await drop(tenant, delivery, "cannot-update")


async def delete(tenant: Tenant, publisher: Publisher, delivery: Delivery, leaving: Leaving) -> None:
    """Take what is there away."""
    sent = await tenant.ledger.transact(lambda store: store.outbox.receipts.of(delivery))
    if sent is None:
        await done(tenant, delivery, None, None, reason="gone-there")
        return
    await _remove(tenant, publisher, delivery, sent, leaving)


async def retire(tenant: Tenant, publisher: Publisher, delivery: Delivery, leaving: Leaving) -> None:
    """Take back a note that is not true any more: away, else corrected, else it stays and the newer notice tells."""
    stored, note = await tenant.ledger.transact(lambda store: (current(tenant, store, delivery), store.outbox.receipts.note(delivery)))
    if stored is None or note is None:
        await drop(tenant, delivery, "gone-there")
        return
    if not has_moved(note.told, stored.item) and not delivery.outcome_unknown:
        await drop(tenant, delivery, "superseded")
        return
    corrects, reminder = isinstance(publisher, CanUpdate), note.slot.purpose == "remind"
    if isinstance(publisher, CanDelete) and (corrects or reminder):
        try:
            await _remove(tenant, publisher, delivery, note.sent, leaving)
        except Rejected as error:  # too old, perhaps
            event(tenant.log, logging.INFO, "retire.refused", destination=delivery.destination, uid=delivery.uid, detail=str(error))
            await take_back(tenant, publisher.limits, delivery, error)
        else:
            return
    await _outdate(tenant, publisher, delivery, stored, note.sent, leaving)


async def _outdate(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored, sent: Sent, leaving: Leaving) -> None:
    """Have a note say that it is not true any more."""
    rendition = next(iter(rendered(tenant, publisher, delivery, stored)), None)
    if not isinstance(publisher, CanUpdate) or rendition is None:
        await drop(tenant, delivery, "cannot-update")
        return
    if not await tenant.ledger.transact(lambda store: _leave(tenant, store, publisher, delivery, rendition, edits=True)):
        return
    leaving(delivery)
    try:
        receipt = await publisher.update(sent.receipt, rendition)
    except Rejected as error:
        await take_back(tenant, publisher.limits, delivery, error)
        await drop(tenant, delivery, f"cannot-update: {error}")
        return
    await done(tenant, delivery, receipt, rendition)


async def _remove(tenant: Tenant, publisher: Publisher, delivery: Delivery, sent: Sent, leaving: Leaving) -> None:
    """Take a remote object away; where that is not possible, a person must."""
    if not isinstance(publisher, CanDelete):
        await _cannot_delete(tenant, delivery, sent)
        return
    if not await tenant.ledger.transact(lambda store: _leave(tenant, store, publisher, delivery, sent.rendition)):
        return
    leaving(delivery)
    with suppress(Gone):
        await publisher.delete(sent.receipt)
    await done(tenant, delivery, None, None, also=lambda store: store.outbox.removed(delivery, tenant.now()))


async def _cannot_delete(tenant: Tenant, delivery: Delivery, sent: Sent) -> None:
    await park(tenant, delivery, "cannot-delete", Park(reason=sent.receipt.url or "cannot-delete", outcome_unknown=False), hint="")


def _leave(
    tenant: Tenant,
    store: Store,
    publisher: Publisher,
    delivery: Delivery,
    rendition: Rendition,
    told: Told | None = None,
    *,
    edits: bool = False,
) -> bool:
    leaves = store.outbox.sending(delivery, rendition, [rendition], tenant.now(), told=told)
    if leaves:
        removes = delivery.purpose in ("replace", "retire") and not edits
        charged = replace(delivery, purpose="delete" if removes else "update" if edits else delivery.purpose)
        charge(tenant, store, publisher.limits, charged, rendition)
    return leaves

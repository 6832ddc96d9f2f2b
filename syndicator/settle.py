"""What a row of the outbox says after an attempt: done, dropped, left to a person, or later; with what the log and a person are told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from syndicator.errors import ConnectorError, NotReady, Transient, Unprepared
from syndicator.logs import event
from syndicator.model import Delivery, Receipt, Rendition
from syndicator.policy import FOLLOWS, Decision, Done, Drop, NotYet, Park, Pause, Recover, Retry, backoff, decide
from syndicator.retiring import retire_late
from syndicator.store import Store
from syndicator.tenant import Tenant
from syndicator.words import pick


async def settle(tenant: Tenant, delivery: Delivery, error: Exception, *, sent: bool, keyed: bool) -> None:
    """What became of a delivery whose attempt failed."""
    now = tenant.now()
    decision = decide(error, delivery, now, tenant.rng, sent=sent, keyed=keyed)
    under_way = isinstance(error, NotReady)
    tenant.tally["deliveries", delivery.destination, "failed"] += not under_way
    event(
        tenant.log,
        logging.INFO,
        "delivery.under-way" if under_way else "delivery.failed",
        delivery=delivery.id,
        destination=delivery.destination,
        uid=delivery.uid,
        purpose=delivery.purpose,
        decision=type(decision).__name__.lower(),
        detail=f"{type(error).__name__}: {error}",
    )
    if isinstance(decision, Done):
        await done(tenant, delivery, None, None, reason="gone-there", also=lambda store: store.outbox.removed(delivery, now))
    elif isinstance(decision, Drop):
        await drop(tenant, delivery, decision.reason)
    elif isinstance(decision, Park):
        hint = getattr(error, "hint", None)
        refused = "cannot-delete" if delivery.purpose in ("delete", "replace") else "rejected"
        unknown = decision.outcome_unknown and delivery.purpose not in FOLLOWS
        kind = "unknown" if unknown else refused if isinstance(error, ConnectorError) else "bug"
        await park(tenant, delivery, kind, decision, hint=pick(hint, tenant.language) if hint else "")
    else:
        await _postpone(tenant, delivery, decision, error, sent=sent)


async def _postpone(tenant: Tenant, delivery: Delivery, decision: Decision, error: Exception, *, sent: bool) -> None:
    assert isinstance(decision, Retry | Recover | Pause)
    now, name = tenant.now(), delivery.destination
    unknown = decision.outcome_unknown if isinstance(decision, Pause) else isinstance(decision, Recover)
    rest = decision.at if isinstance(decision, Pause) else None
    key = f"destinations.{name}"
    if (
        isinstance(error, Transient) and not isinstance(error, NotYet | NotReady) and rest is None
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


async def done(
    tenant: Tenant,
    delivery: Delivery,
    receipt: Receipt | None,
    rendition: Rendition | None,
    reason: str = "",
    *,
    also: Callable[[Store], None] | None = None,
) -> None:
    """Close it as done, with the proof if there is one; ``also`` is written with it."""
    now = tenant.now()

    def write(store: Store) -> None:
        store.outbox.done(delivery, receipt, rendition, now, reason)
        if also is not None:
            also(store)
        store.problems.clear(f"delivery:{delivery.id}")
        store.gathering.went(delivery, rendition)
        if receipt is not None:
            store.departing.arrived(delivery, now)
            retire_late(store, delivery, now)

    await tenant.ledger.transact(write)
    tenant.done_at[delivery.destination] = now
    if delivery.purpose == "create":  # it may be reminded of from now on
        tenant.ahead.pop(delivery.destination, None)
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


async def drop(tenant: Tenant, delivery: Delivery, reason: str) -> None:
    """Give it up, with its reason; what other sources show of the same event may be announced instead."""
    now = tenant.now()

    def write(store: Store) -> None:
        store.outbox.drop(delivery.id, reason, now)
        if len({delivery.source, *tenant.config.sources}) > 1 and delivery.purpose == "create" and delivery.part == 0:
            from syndicator.twins import pass_on  # memory for those who have several calendars

            pass_on(tenant, store, delivery, now)

    await tenant.ledger.transact(write)
    tenant.tally["deliveries", delivery.destination, "dropped"] += 1
    event(tenant.log, logging.INFO, "delivery.dropped", destination=delivery.destination, uid=delivery.uid, reason=reason)


async def park(tenant: Tenant, delivery: Delivery, kind: str, decision: Park, *, hint: str) -> None:
    """Leave it to a person, who is told."""
    now = tenant.now()

    def write(store: Store) -> bool:
        parked = store.outbox.park(delivery, decision.reason, now, outcome_unknown=decision.outcome_unknown)
        return parked and store.problems.put(f"delivery:{delivery.id}", kind, decision.reason, hint, now)

    if not await tenant.ledger.transact(write):
        return
    event(
        tenant.log, logging.WARNING, "delivery.parked", delivery=delivery.id, destination=delivery.destination, uid=delivery.uid, kind=kind
    )

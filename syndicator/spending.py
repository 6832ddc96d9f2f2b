"""What posting costs: counted as it leaves, held within the month's budget, and a person told in time.

A month is a calendar month of the association's. What may have been charged counts, from the moment it leaves; what surely failed does
not. The rule: a new post leaves if its price, with all parts of its thread, still fits into what is left of the budget when its turn
comes; else it waits for the next month, alone: a cheaper one behind it may still leave. Corrections, in whatever form, deletions and the
later parts of a thread that has begun are counted but never held.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from syndicator.contract import Limits
from syndicator.errors import AuthExpired, Rejected, Transient
from syndicator.items import instant
from syndicator.logs import event
from syndicator.model import Delivery, Rendition
from syndicator.schema import Database

if TYPE_CHECKING:
    from syndicator.store import Store
    from syndicator.tenant import Tenant

SOON = 0.8
"""The part of a budget at which a person is warned."""
NEW = frozenset({"create", "remind"})
"""What a budget holds; everything else corrects what is out."""
HELD = "budget"
"""The reason of a delivery that waits for the next month."""


@dataclass(frozen=True, kw_only=True)
class Month:
    """A calendar month of the association's."""

    begins_at: datetime
    ends_at: datetime


def month_of(now: datetime, zone: tzinfo) -> Month:
    """The month that ``now`` is in."""
    first = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = (first + timedelta(days=32)).replace(day=1)
    return Month(begins_at=first.astimezone(UTC), ends_at=following.astimezone(UTC))


class Spending:
    """The store's part: what was charged, and what is held."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def charge(self, delivery: Delivery, mills: int, now: datetime) -> None:
        """A request leaves that costs this much."""
        self._db.conn.execute(
            "insert into charge (delivery_id, destination, mills, at) values (?, ?, ?, ?)",
            (delivery.id, delivery.destination, mills, instant(now)),
        )

    def take_back(self, delivery_id: int) -> bool:
        """Its last request was not carried out. True when there was something to take back."""
        last = "select max(id) from charge where delivery_id = ?"
        return bool(self._db.conn.execute(f"delete from charge where id = ({last})", (delivery_id,)).rowcount)  # noqa: S608

    def spent(self, destination: str, month: Month) -> int:
        """What was charged there in a month, in thousandths."""
        row = self._db.conn.execute(
            "select coalesce(sum(mills), 0) as mills from charge where destination = ? and at >= ? and at < ?",
            (destination, instant(month.begins_at), instant(month.ends_at)),
        ).fetchone()
        return int(row["mills"])

    def held(self, destination: str, now: datetime) -> int:
        """How many posts wait for the next month."""
        sql = "select count(*) as n from delivery where destination = ? and state = 'pending' and reason = ? and due_at > ?"
        return int(self._db.conn.execute(sql, (destination, HELD, instant(now))).fetchone()["n"])

    def release(self, destination: str, now: datetime) -> int:
        """Let what is held be judged anew."""
        sql = "update delivery set due_at = ? where destination = ? and state = 'pending' and reason = ? and due_at > ?"
        return self._db.conn.execute(sql, (instant(now), destination, HELD, instant(now))).rowcount

    def changed(self, destination: str, budget: int | None) -> bool:
        """Note a destination's budget; True when it is another one than before."""
        return bool(
            self._db.conn.execute(
                "insert into destination (name, budget) select ?, ?"
                " where ? is not null or exists (select 1 from destination where name = ?)"
                " on conflict (name) do update set budget = excluded.budget where budget is not excluded.budget",
                (destination, budget, budget, destination),
            ).rowcount
        )


def budget_of(tenant: Tenant, name: str) -> int | None:
    """A destination's budget for a month, in thousandths."""
    budget = tenant.config.destinations[name].pace.budget
    return None if budget is None else round(budget * 1000)


def is_told(tenant: Tenant, name: str) -> bool:
    """Whether this month's budget was looked at already."""
    return tenant.months.get(name) == month_of(tenant.now(), tenant.zone).begins_at


async def turn(tenant: Tenant, name: str) -> None:
    """Once a start and once a month: a new budget frees what is held, a new month clears what was said of the last."""
    if is_told(tenant, name):
        return
    now = tenant.now()
    month, budget = month_of(now, tenant.zone), budget_of(tenant, name)

    def write(store: Store) -> int:
        freed = store.spending.release(name, now) if store.spending.changed(name, budget) else 0
        _tell(tenant, store, name, now)
        return freed

    freed = await tenant.ledger.transact(write)
    tenant.months[name] = month.begins_at
    if freed:
        event(tenant.log, logging.INFO, "budget.changed", destination=name, freed=freed)


async def affordable(tenant: Tenant, limits: Limits, delivery: Delivery, renditions: Sequence[Rendition]) -> bool:
    """Whether a new post may leave by the budget; else it is held until the next month, and a person is told."""
    budget = budget_of(tenant, delivery.destination)
    if budget is None or limits.prices is None or delivery.purpose not in NEW or delivery.part or delivery.outcome_unknown:
        return True
    from syndicator.text.cost import cost_of

    now = tenant.now()
    month = month_of(now, tenant.zone)
    mills = sum(cost_of(rendition, limits, delivery.purpose) for rendition in renditions)

    def judge(store: Store) -> bool:
        if not mills or store.spending.spent(delivery.destination, month) + mills <= budget:
            return True
        store.outbox.again(delivery, month.ends_at, HELD, now, outcome_unknown=False, attempted=True)
        _tell(tenant, store, delivery.destination, now)
        return False

    if await tenant.ledger.transact(judge):
        return True
    event(tenant.log, logging.INFO, "delivery.held", destination=delivery.destination, uid=delivery.uid, until=month.ends_at)
    return False


def charge(tenant: Tenant, store: Store, limits: Limits, delivery: Delivery, rendition: Rendition) -> None:
    """Count what leaves, in the transaction that says so."""
    if limits.prices is None:
        return
    from syndicator.text.cost import cost_of

    mills = cost_of(rendition, limits, delivery.purpose)
    if mills:
        store.spending.charge(delivery, mills, tenant.now())
        _tell(tenant, store, delivery.destination, tenant.now())


async def take_back(tenant: Tenant, limits: Limits, delivery: Delivery, error: Exception | None = None) -> None:
    """What surely was not carried out costs nothing; once it never will be, its share of the budget is there for what is held."""
    if limits.prices is None or not (error is None or isinstance(error, Transient | AuthExpired | Rejected)):
        return
    name, now = delivery.destination, tenant.now()

    def write(store: Store) -> None:
        if not store.spending.take_back(delivery.id):
            return
        if not (isinstance(error, Rejected) and store.spending.release(name, now)):
            _tell(tenant, store, name, now)

    await tenant.ledger.transact(write)


def _tell(tenant: Tenant, store: Store, name: str, now: datetime) -> None:
    """Open or close what a person should know of this month's budget."""
    subject, budget = f"budget:{name}", budget_of(tenant, name)
    spent, held = store.spending.spent(name, month_of(now, tenant.zone)), store.spending.held(name, now)
    if budget is None or not (held or spent >= SOON * budget):
        store.problems.clear(subject)
        return
    store.problems.put(subject, "budget" if held else "budget-soon", f"{spent / 1000:.2f} / {budget / 1000:.2f}", "", now)

"""Leaving a destination for good: nothing new goes there, and everything that we posted there is taken away, by the outbox.

A removal is a delivery like any other: resumed after an interruption, slowed down when the service asks for it, and left to a person where
the service refuses. What was on its way when we left, and turns out to have arrived, is taken away too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicator.codec import delivery_key
from syndicator.items import instant
from syndicator.model import Delivery, Receipt
from syndicator.receipts import Receipts
from syndicator.rows import Slot, removal_of, slot_of
from syndicator.schema import Database

SPACING = timedelta(seconds=1)
"""Between two removals; a service that wants more says so."""
DEPARTED = "departed"
"""The reason of what was dropped because we left."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A remote object of ours that is there."""

    uid: str
    slot: Slot
    receipt: Receipt
    delivered_at: datetime


class Departing:
    """The store's part: what stands at a destination, and the closing and opening of the way there."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def standing(self, destination: str) -> list[Standing]:
        """Everything of ours that is there, as far as we know, the oldest first."""
        return [
            Standing(uid=live.uid, slot=live.slot, receipt=live.sent.receipt, delivered_at=live.delivered_at)
            for live in Receipts(self._db).live(destination)
        ]

    def left(self, destination: str) -> int:
        """How many objects of ours stand there."""
        sql = "select count(*) as n from receipt where destination = ? and deleted_at is null"
        return int(self._db.conn.execute(sql, (destination,)).fetchone()["n"])

    def close(self, destination: str, now: datetime, *, remove: bool) -> int:
        """Drop what waits to go there and, with ``remove``, write the removal of everything that stands; how many removals there are now.

        The newest goes first, so that an answer goes before what it answers. Closing again adds what was missing.
        """
        rows = self._db.conn.execute(
            "update delivery set state = 'dropped', reason = ?, updated_at = ?, lease_until = null, rendition = null, prepared = null"
            " where destination = ? and state in ('pending', 'parked') and outcome_unknown = 0 and purpose != 'delete' returning id",
            (DEPARTED, instant(now), destination),
        ).fetchall()
        self._forget(row["id"] for row in rows)
        self._depart(destination, now)
        if remove:
            for number, standing in enumerate(reversed(self.standing(destination))):
                self._remove(destination, standing.uid, standing.slot, now + number * SPACING, now)
        return self.removals(destination)

    def arrived(self, delivery: Delivery, now: datetime) -> None:
        """Something of ours is there now: where we left meanwhile, it is taken away."""
        sql = "select 1 as one from destination where name = ? and departed_at is not null"
        if self._db.conn.execute(sql, (delivery.destination,)).fetchone() is not None:
            self._remove(delivery.destination, delivery.uid, slot_of(delivery), now, now)

    def removals(self, destination: str) -> int:
        """How many removals wait or are being made."""
        sql = "select count(*) as n from delivery where destination = ? and purpose = 'delete' and state in ('pending', 'sending')"
        return int(self._db.conn.execute(sql, (destination,)).fetchone()["n"])

    def reopen(self, destination: str, now: datetime) -> None:
        """Open the way again for what comes from now on; removals that were not made yet are given up."""
        rows = self._db.conn.execute(
            "update delivery set state = 'dropped', reason = 'stayed', updated_at = ?, lease_until = null where destination = ?"
            " and purpose = 'delete' and route = '' and state in ('pending', 'parked') and outcome_unknown = 0 returning id",
            (instant(now), destination),
        ).fetchall()
        self._forget(row["id"] for row in rows)
        self._db.conn.execute("update destination set departed_at = null where name = ?", (destination,))
        self._db.conn.execute("update opened set since = ? where destination = ?", (instant(now), destination))

    def _depart(self, destination: str, now: datetime) -> None:
        self._db.conn.execute(
            "insert into destination (name, departed_at) values (?, ?) on conflict (name) do update"
            " set departed_at = coalesce(departed_at, excluded.departed_at)",
            (destination, instant(now)),
        )

    def _remove(self, destination: str, uid: str, slot: Slot, at: datetime, now: datetime) -> None:
        """Write one removal; one that waits, or that a person is to decide on, stays as it is."""
        made = self._db.conn.execute(
            "select source, revision from delivery where uid = ? and destination = ?"
            " order by purpose = 'create' desc, part = ? desc, revision desc limit 1",
            (uid, destination, slot.part),
        ).fetchone()
        source, incarnation = (made["source"], made["revision"]) if made is not None else ("", 0)
        revision = removal_of(slot, incarnation)
        key = delivery_key(uid, destination, "delete", revision, slot.part)
        self._db.conn.execute(
            "insert into delivery (route, source, uid, destination, purpose, revision, part, key, due_at, reason, created_at, updated_at)"
            " values ('', ?, ?, ?, 'delete', ?, ?, ?, ?, ?, ?, ?) on conflict (uid, destination, purpose, revision, part) do update"
            " set state = 'pending', route = '', due_at = excluded.due_at, reason = excluded.reason, attempts = 0, prepared = null,"
            " rendition = null, first_sent_at = null, outcome_unknown = 0, parent_id = null, lease_until = null,"
            " created_at = excluded.created_at, updated_at = excluded.updated_at where delivery.state in ('done', 'dropped')",
            (source, uid, destination, revision, slot.part, key, instant(at), DEPARTED, instant(now), instant(now)),
        )

    def _forget(self, deliveries: Iterable[int]) -> None:
        """A person need not decide on these any more."""
        self._db.conn.executemany("delete from problem where subject = ?", [(f"delivery:{number}",) for number in deliveries])

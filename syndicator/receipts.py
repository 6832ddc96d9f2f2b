"""The store's part for what is there: the proof of every remote object of ours, and of those that were.

An item has one object a part at a destination, and may have notes about later edits beside it. What we removed keeps its names, so that
a copy that comes back from somewhere is still known for ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syndicator.codec import dump
from syndicator.items import instant
from syndicator.model import Delivery, Receipt, Rendition
from syndicator.rows import Sent, Slot, sent_of, slot_of
from syndicator.schema import Database

IN_SLOT = "destination = ? and uid = ? and purpose = ? and revision = ? and part = ?"


@dataclass(frozen=True, kw_only=True)
class Live:
    """One object of ours that is there, as far as we know."""

    uid: str
    slot: Slot
    sent: Sent
    delivered_at: datetime


class Receipts:
    """What one association has elsewhere."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, delivery: Delivery, receipt: Receipt, rendition: Rendition, now: datetime) -> None:
        """It is there, and looks like this."""
        slot = slot_of(delivery)
        self._db.conn.execute(
            "insert or replace into receipt"
            " (destination, uid, purpose, revision, part, remote_id, url, uri, data, rendition, delivered_at)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(delivery.destination, delivery.uid, slot.purpose, slot.revision, slot.part, receipt.remote_id, receipt.url, receipt.uri),
                *(json.dumps(receipt.data), dump(rendition), instant(now)),
            ),
        )

    def removed(self, delivery: Delivery, now: datetime) -> None:
        """The object that ``delivery`` is about is there no more: nothing but its names is kept."""
        self._db.conn.execute(
            "update or replace receipt set purpose = 'gone', revision = ?, deleted_at = ?, rendition = ?"  # noqa: S608
            f" where {IN_SLOT} and deleted_at is null",
            (delivery.id, instant(now), dump(Rendition(uid=delivery.uid, text="")), *_place(delivery, slot_of(delivery))),
        )

    def of(self, delivery: Delivery) -> Sent | None:
        """The object that ``delivery`` changes or removes."""
        return self.at(delivery.destination, delivery.uid, slot_of(delivery))

    def at(self, destination: str, uid: str, slot: Slot) -> Sent | None:
        """One object, if it is there."""
        sql = f"select * from receipt where {IN_SLOT} and deleted_at is null"  # noqa: S608
        row = self._db.conn.execute(sql, (destination, uid, slot.purpose, slot.revision, slot.part)).fetchone()
        return None if row is None else sent_of(row)

    def parts(self, destination: str, uid: str) -> list[Sent]:
        """The objects of the item itself, first part first."""
        return [live.sent for live in self._live(destination, "and uid = ? and purpose = 'create' order by part", uid)]

    def last_note(self, destination: str, uid: str) -> Sent | None:
        """The newest note about it, unless the item itself was changed there for a later edit."""
        notes = self._live(destination, "and uid = ? and purpose = 'announce-change' order by revision desc limit 1", uid)
        changed = (
            "select 1 as one from delivery where uid = ? and destination = ? and purpose in ('update', 'replace') and state = 'done'"
            " and reason in ('', 'replaced') and revision > ?"
        )
        if not notes or self._db.conn.execute(changed, (uid, destination, notes[0].slot.revision)).fetchone() is not None:
            return None
        return notes[0].sent

    def live(self, destination: str) -> list[Live]:
        """Everything of ours that is there, as far as we know, the oldest first."""
        return self._live(destination, "order by delivered_at, uid, part")

    def _live(self, destination: str, which: str, *values: Any) -> list[Live]:
        rows = self._db.conn.execute(f"select * from receipt where destination = ? and deleted_at is null {which}", (destination, *values))  # noqa: S608
        return [
            Live(
                uid=row["uid"],
                slot=Slot(purpose=row["purpose"], revision=row["revision"], part=row["part"]),
                sent=sent_of(row),
                delivered_at=datetime.fromisoformat(row["delivered_at"]),
            )
            for row in rows
        ]

    def ours(self, names: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Of these (uid, url), the uids of copies that we made."""
        sql = "select 1 as one from receipt where (uri in (?, ?) and uri != '') or (url in (?, ?) and url != '')"
        return frozenset(uid for uid, url in names if self._db.conn.execute(sql, (uid, url, uid, url)).fetchone() is not None)


def _place(delivery: Delivery, slot: Slot) -> tuple[str, str, str, int, int]:
    return (delivery.destination, delivery.uid, slot.purpose, slot.revision, slot.part)

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

from syndicator.codec import dump, load
from syndicator.items import instant
from syndicator.model import Delivery, Receipt, Rendition
from syndicator.policy import FOLLOWS
from syndicator.rows import Sent, Slot, sent_of, slot_of
from syndicator.schema import Database
from syndicator.text.told import Told

NOTICE = "purpose in ('announce-change', 'cancel')"
IN_SLOT = "destination = ? and uid = ? and purpose = ? and revision = ? and part = ?"


@dataclass(frozen=True, kw_only=True)
class Live:
    """One object of ours that is there, as far as we know."""

    uid: str
    slot: Slot
    sent: Sent
    delivered_at: datetime
    told: Told | None = None
    """What it says of an event."""
    announced: Told | None = None
    """What it said when it was posted."""


class Receipts:
    """What one association has elsewhere."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def keep(self, delivery: Delivery, receipt: Receipt, rendition: Rendition, now: datetime) -> None:
        """It is there, and looks like this."""
        slot = slot_of(delivery)
        told = self._one("select told from delivery where id = ?", delivery.id)
        there = self._one(f"select announced from receipt where {IN_SLOT}", *_place(delivery, slot))  # noqa: S608
        corrected = delivery.purpose in FOLLOWS and there is not None
        self._db.conn.execute(
            "insert or replace into receipt"
            " (destination, uid, purpose, revision, part, remote_id, url, uri, data, rendition, delivered_at, told, announced)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(delivery.destination, delivery.uid, slot.purpose, slot.revision, slot.part, receipt.remote_id, receipt.url, receipt.uri),
                *(json.dumps(receipt.data), dump(rendition), instant(now)),
                *(told and told["told"], there["announced"] if corrected else told and told["told"]),
            ),
        )

    def removed(self, delivery: Delivery, now: datetime) -> None:
        """The object that ``delivery`` is about is there no more: nothing but its names is kept."""
        self._db.conn.execute(
            "update or replace receipt set purpose = 'gone', revision = ?, deleted_at = ?, rendition = ?, told = null, announced = null"  # noqa: S608
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
        notes = self._live(destination, f"and uid = ? and {NOTICE} order by revision desc limit 1", uid)
        changed = (
            "select 1 as one from delivery where uid = ? and destination = ? and purpose in ('update', 'replace') and state = 'done'"
            " and reason in ('', 'replaced') and revision > ?"
        )
        if not notes or self._db.conn.execute(changed, (uid, destination, notes[0].slot.revision)).fetchone() is not None:
            return None
        return notes[0].sent

    def last_told(self, destination: str, uid: str, *, in_words: bool) -> Told | None:
        """What readers there were told of an event last, by its announcement, a correction or a notice; None when nobody knows.

        With ``in_words``, a correction in place does not count: readers of the first text may not have seen it.
        """
        first = self._live(destination, "and uid = ? and purpose = 'create' and part = 0", uid)
        notices = self._live(destination, f"and uid = ? and {NOTICE} and told is not null order by delivered_at desc, revision desc", uid)
        if not first:
            return None
        if in_words:
            return notices[0].told if notices else first[0].announced
        return notices[0].told if notices and notices[0].delivered_at >= first[0].delivered_at else first[0].told

    def note(self, delivery: Delivery) -> Live | None:
        """The note that ``delivery`` takes back, with what it says."""
        slot = slot_of(delivery)
        which = "and uid = ? and purpose = ? and revision = ? and part = ?"
        return next(iter(self._live(delivery.destination, which, delivery.uid, slot.purpose, slot.revision, slot.part)), None)

    def notes(self, uid: str) -> list[tuple[str, Live]]:
        """(destination, note) of every note that says something of an event."""
        sql = "select * from receipt where uid = ? and purpose not in ('create', 'gone') and deleted_at is null and told is not null"
        return [(row["destination"], _live_of(row)) for row in self._db.conn.execute(sql, (uid,))]

    def live(self, destination: str) -> list[Live]:
        """Everything of ours that is there, as far as we know, the oldest first."""
        return self._live(destination, "order by delivered_at, uid, part")

    def _live(self, destination: str, which: str, *values: Any) -> list[Live]:
        rows = self._db.conn.execute(f"select * from receipt where destination = ? and deleted_at is null {which}", (destination, *values))  # noqa: S608
        return [_live_of(row) for row in rows]

    def ours(self, names: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Of these (uid, url), the uids of copies that we made."""
        sql = "select 1 as one from receipt where (uri in (?, ?) and uri != '') or (url in (?, ?) and url != '')"
        return frozenset(uid for uid, url in names if self._db.conn.execute(sql, (uid, url, uid, url)).fetchone() is not None)

    def _one(self, sql: str, *values: Any) -> Any:
        return self._db.conn.execute(sql, values).fetchone()


def _live_of(row: Any) -> Live:
    return Live(
        uid=row["uid"],
        slot=Slot(purpose=row["purpose"], revision=row["revision"], part=row["part"]),
        sent=sent_of(row),
        delivered_at=datetime.fromisoformat(row["delivered_at"]),
        told=load(Told, row["told"]) if row["told"] else None,
        announced=load(Told, row["announced"]) if row["announced"] else None,
    )


def _place(delivery: Delivery, slot: Slot) -> tuple[str, str, str, int, int]:
    return (delivery.destination, delivery.uid, slot.purpose, slot.revision, slot.part)

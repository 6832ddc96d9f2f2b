"""The store's part for events that move: what they were before, since when, and which begin soon."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from syndicator.codec import dump, dump_item, load_item
from syndicator.model import Event, Item
from syndicator.schema import Database
from syndicator.text.dates import on_its_clock
from syndicator.text.told import Told, facts_of


def instant(at: datetime) -> str:
    """An instant as text whose order is the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class Moves:
    """What one association's events were."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def previous(self, uids: Iterable[str]) -> dict[str, Event]:
        """uid → the event as it was before its date last changed, for those of ``uids`` whose date ever did."""
        found = {}
        for uid in uids:
            sql = "select json from previous where uid = ? order by moved_at desc limit 1"
            row = self._db.conn.execute(sql, (uid,)).fetchone()
            before = None if row is None else load_item(row["json"])
            if isinstance(before, Event):
                found[uid] = before
        return found

    def moved_at(self, source: str, uid: str) -> datetime | None:
        """When we learned that an event's date changed; None when it never did."""
        sql = "select moved_at from previous where source = ? and uid = ?"
        row = self._db.conn.execute(sql, (source, uid)).fetchone()
        return None if row is None else datetime.fromisoformat(row["moved_at"])

    def upcoming(self, sources: Iterable[str], since: datetime, until: datetime) -> list[tuple[str, str]]:
        """(source, uid) of the live events of these sources that begin between these instants."""
        sql = (
            "select source, uid from item where source = ? and kind = 'event' and gone_at is null and at >= ?"
            " and datetime(json_extract(substr(json, 2), '$.starts_at')) between datetime(?) and datetime(?)"
        )
        rows = [row for source in sources for row in self._db.conn.execute(sql, (source, instant(since), instant(since), instant(until)))]
        return [(row["source"], row["uid"]) for row in rows]

    def overlapping(self, sources: Iterable[str], since: datetime, until: datetime) -> list[tuple[str, str]]:
        """(source, uid) of the live events of these sources that end after ``since`` and begin before ``until``."""
        sql = (
            "select source, uid from item where source = ? and kind = 'event' and gone_at is null and at >= ?"
            " and datetime(json_extract(substr(json, 2), '$.starts_at')) <= datetime(?)"
        )
        rows = [row for source in sources for row in self._db.conn.execute(sql, (source, instant(since), instant(until)))]
        return [(row["source"], row["uid"]) for row in rows]

    def note(self, before: Item, item: Item, now: datetime) -> None:
        """An edit is about to overwrite an event: keep what readers may have to be told of it later."""
        if not isinstance(before, Event) or not isinstance(item, Event):
            return
        told = dump(Told(event=facts_of(before)))
        # What went out before such things were kept says what stood here until now.
        self._db.conn.execute(
            "update receipt set told = ?, announced = ? where uid = ? and told is null and deleted_at is null"
            " and purpose = 'create' and part = 0",
            (told, told, before.uid),
        )
        if _begin(before) != _begin(item):
            self._db.conn.execute(
                "insert or replace into previous (source, uid, json, moved_at) values (?, ?, ?, ?)",
                (item.source, item.uid, dump_item(before), instant(now)),
            )

    def forget(self, source: str, uid: str) -> None:
        """It is gone: nothing of what it said is kept."""
        self._db.conn.execute("delete from previous where source = ? and uid = ?", (source, uid))


def _begin(event: Event) -> tuple[bool, object]:
    """When an event begins; of one without an hour, on which day."""
    start = on_its_clock(event.starts_at, event)
    return (True, start.date()) if event.start_is_date else (False, start.astimezone(UTC))

"""The store's half for what was read: items, cursors, what is missing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from syndicator.codec import content_hash, dump_item, load_item
from syndicator.model import Event, Item, Post, Tombstone
from syndicator.moves import Moves
from syndicator.moves import instant as instant  # the store's other parts take it from here
from syndicator.plan import Change
from syndicator.schema import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """An item with what the store knows of it."""

    item: Item
    incarnation: int
    revision: int
    first_seen_at: datetime
    changed_at: datetime
    first: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What one source last showed of an item."""

    source: str
    uid: str
    seq: int
    """The number of its last change."""
    at: str
    """When an event ends, or a post was published; ``instant``."""
    is_event: bool
    stored: Stored | None
    """None when it is gone."""


class Items:
    """Items and cursors of one association."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.moves = Moves(db)

    def cursor(self, source: str) -> tuple[str | None, bool]:
        """A source's cursor, and whether this is the first look at it."""
        row = self._one("select cursor from source where name = ?", source)
        return (None, True) if row is None else (row["cursor"], False)

    def set_cursor(self, source: str, cursor: str | None, now: datetime) -> None:
        """Remember where to go on; None keeps the old place."""
        self._db.conn.execute(
            "insert into source (name, cursor, first_polled_at) values (?, ?, ?) on conflict (name) do update set cursor = excluded.cursor"
            " where excluded.cursor is not null and excluded.cursor is not source.cursor",
            (source, cursor, instant(now)),
        )

    def since(self, ways: Iterable[tuple[str, str, str]], now: datetime) -> tuple[dict[tuple[str, str, str], datetime], bool]:
        """When each (route, source, destination) was first open, and whether one of them is new: open from now on."""
        known = {
            (row["route"], row["source"], row["destination"]): datetime.fromisoformat(row["since"])
            for row in self._db.conn.execute("select * from opened")
        }
        since = {}
        for way in ways:
            since[way] = min(known.get(way, now), now)
            if since[way] != known.get(way):  # new; or opened in the future, by a clock that was wrong then: nothing would ever be new
                self._db.conn.execute(
                    "insert or replace into opened (route, source, destination, since) values (?, ?, ?, ?)", (*way, instant(now))
                )
        return since, any(way not in known for way in since)

    def backlog(self, source: str, published_since: datetime) -> list[Change]:
        """Live items published since then, as if they were new: what a route added later with ``backfill`` starts from."""
        rows = self._db.conn.execute(
            "select * from item where source = ? and at >= ? and gone_at is null order by at, uid", (source, instant(published_since))
        )
        return [
            Change(
                kind="new",
                item=stored.item,
                incarnation=stored.incarnation,
                revision=stored.revision,
                first_seen_at=stored.first_seen_at,
                first=stored.first,
            )
            for stored in map(_stored, rows)
        ]

    def diff(self, source: str, items: Iterable[Item], now: datetime, *, first: bool) -> list[Change]:
        """Write the items that are new or differ from what is stored, and say which; equal ones cost a look-up."""
        changes = []
        for item in items:
            change = self._take(replace(item, source=source), now, first=first)
            if change is not None:
                changes.append(change)
        return changes

    def _take(self, item: Item, now: datetime, *, first: bool) -> Change | None:
        row = self._one("select * from item where source = ? and uid = ?", item.source, item.uid)
        digest = content_hash(item)
        if row is None:
            return self._insert(item, digest, now, first=first)
        if row["gone_at"] is None and row["hash"] == digest:
            if row["missing_at"] is not None:
                self._db.conn.execute("update item set missing_at = null where source = ? and uid = ?", (item.source, item.uid))
            return None
        returned = row["gone_at"] is not None
        before = load_item(row["json"])
        item = _sequenced(item, before)
        if not returned:
            self.moves.note(before, item, now)
        incarnation = self._incarnation(item.uid) if returned else row["incarnation"]
        revision = self._next_revision(item.uid)
        self._db.conn.execute(
            "update item set kind = ?, at = ?, json = ?, hash = ?, revision = ?, incarnation = ?, seq = ?, changed_at = ?,"
            " missing_at = null, gone_at = null where source = ? and uid = ?",
            (
                *(_kind(item), instant(_at(item, now)), dump_item(item), digest, revision, incarnation),
                *(self._next_seq(), instant(now), item.source, item.uid),
            ),
        )
        return Change(
            kind="returned" if returned else "changed",
            item=item,
            incarnation=incarnation,
            revision=revision,
            first_seen_at=now if returned else datetime.fromisoformat(row["first_seen_at"]),
            first=bool(row["first"]),
        )

    def _insert(self, item: Item, digest: str, now: datetime, *, first: bool) -> Change:
        incarnation = self._incarnation(item.uid)
        self._db.conn.execute(
            "insert into item (source, uid, kind, at, json, hash, revision, incarnation, seq, first, first_seen_at, changed_at)"
            " values (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)",
            (
                *(item.source, item.uid, _kind(item), instant(_at(item, now)), dump_item(item), digest, incarnation),
                *(self._next_seq(), int(first), instant(now), instant(now)),
            ),
        )
        return Change(kind="new", item=item, incarnation=incarnation, revision=1, first_seen_at=now, first=first)

    def _next_revision(self, uid: str) -> int:
        """Another than any source has given this item: an edit seen by two of them is two edits, of which one shows nothing new."""
        return int(self._one("select max(revision) as highest from item where uid = ?", uid)["highest"]) + 1

    def _incarnation(self, uid: str) -> int:
        """Which life of an item begins where a source shows it (again): the one that another source still shows, else the next."""
        rows = self._db.conn.execute("select incarnation, gone_at from item where uid = ?", (uid,)).fetchall()
        alive = [row["incarnation"] for row in rows if row["gone_at"] is None]
        return max(alive) if alive else max((row["incarnation"] for row in rows), default=-1) + 1

    def bury(self, source: str, tombstones: Iterable[Tombstone], now: datetime, confirmed_before: datetime) -> list[Change]:
        """Take what the origin says is gone: at once when it is certain, else once it was missing before ``confirmed_before`` already."""
        changes = []
        for tombstone in tombstones:
            row = self._one("select * from item where source = ? and uid = ? and gone_at is null", source, tombstone.uid)
            if row is None:
                continue
            missing_at = row["missing_at"]
            if not tombstone.certain and (missing_at is None or missing_at > instant(confirmed_before)):
                self._mark_missing(source, tombstone.uid, now)
                continue
            husk = dump_item(_husk(load_item(row["json"])))
            self._db.conn.execute(
                "update item set gone_at = ?, changed_at = ?, seq = ?, json = ?, missing_at = null where source = ? and uid = ?",
                (instant(now), instant(now), self._next_seq(), husk, source, tombstone.uid),
            )
            self.moves.forget(source, tombstone.uid)
            changes.append(
                Change(
                    kind="gone",
                    item=load_item(row["json"]),
                    incarnation=row["incarnation"],
                    revision=row["revision"],
                    first_seen_at=datetime.fromisoformat(row["first_seen_at"]),
                )
            )
        return changes

    def _mark_missing(self, source: str, uid: str, now: datetime) -> None:
        self._db.conn.execute(
            "update item set missing_at = ? where source = ? and uid = ? and missing_at is null", (instant(now), source, uid)
        )

    def missing(self, source: str, uid: str) -> bool:
        """Whether the origin did not show it when last asked, and has not been asked again yet."""
        return self._one("select 1 as one from item where source = ? and uid = ? and missing_at is not null", source, uid) is not None

    def mark_present(self, source: str, uids: Iterable[str]) -> None:
        """Forget that these were missing."""
        for uid in self.waiting(source).intersection(uids):
            self._db.conn.execute("update item set missing_at = null where source = ? and uid = ?", (source, uid))

    def waiting(self, source: str) -> frozenset[str]:
        """uids that were missing when last asked for, and have not been confirmed gone yet."""
        # "> ''" and not "is not null": else SQLite reads all that the source ever had.
        rows = self._db.conn.execute("select uid from item where source = ? and missing_at > '' and gone_at is null", (source,))
        return frozenset(row["uid"] for row in rows)

    def unconfirmed(self, source: str, before: datetime) -> list[str]:
        """uids that were missing once, before ``before``, and must be asked for again."""
        rows = self._db.conn.execute(
            "select uid from item where source = ? and missing_at <= ? and gone_at is null order by missing_at limit 50",
            (source, instant(before)),
        )
        return [row["uid"] for row in rows]

    def listed(self, source: str, since: datetime | None) -> list[str]:
        """uids of the live items that a complete listing from ``since`` on must hold."""
        rows = self._db.conn.execute(
            "select uid from item where source = ? and at >= ? and gone_at is null", (source, instant(since) if since else "")
        )
        return [row["uid"] for row in rows]

    def emptied_accepted(self, source: str) -> bool:
        """Whether a person said that a source did lose most of its items."""
        row = self._one("select accept_emptied from source where name = ?", source)
        return bool(row and row["accept_emptied"])

    def accept_emptied(self, source: str, *, accept: bool) -> None:
        """Set or take back what ``emptied_accepted`` tells."""
        self._db.conn.execute(
            "update source set accept_emptied = ? where name = ? and accept_emptied is not ?", (int(accept), source, int(accept))
        )

    def item(self, source: str, uid: str, among: Collection[str] | None = None) -> Stored | None:
        """A live item, as this source shows it, else as another does (of ``among``, when given); None when none of them does."""
        rows = self._db.conn.execute("select * from item where uid = ? and gone_at is null order by source != ?, source", (uid, source))
        return next((_stored(row) for row in rows if among is None or row["source"] in among), None)

    def live_elsewhere(self, source: str, uids: Iterable[str]) -> dict[str, frozenset[str]]:
        """uid → the other sources that still show it, for those of ``uids`` that have any."""
        shown = {}
        for uid in uids:
            rows = self._db.conn.execute("select source from item where uid = ? and source != ? and gone_at is null", (uid, source))
            others = frozenset(row["source"] for row in rows)
            if others:
                shown[uid] = others
        return shown

    def stored(self, uids: Iterable[str]) -> frozenset[str]:
        """Those uids that are live items."""
        return frozenset(uid for uid in uids if self._one("select 1 as one from item where uid = ? and gone_at is null", uid) is not None)

    def seq(self) -> int:
        """The number of the newest change of any item."""
        row = self._one("select value from counter where name = 'seq'")
        return 0 if row is None else int(row["value"])

    def changed_since(self, seq: int) -> frozenset[str]:
        """uids of the items that came, changed or went after change number ``seq``."""
        return frozenset(row["uid"] for row in self._db.conn.execute("select uid from item where seq > ?", (seq,)))

    def window(self, sources: Sequence[str], events_since: datetime, posts_max: int) -> list[Stored]:
        """Live items of these sources: events that end after ``events_since``, and the newest ``posts_max`` posts."""
        marks = ",".join("?" for _ in sources)
        events = self._db.conn.execute(
            f"select * from item where gone_at is null and kind = 'event' and at >= ? and source in ({marks}) order by at, uid, source",  # noqa: S608
            (instant(events_since), *sources),
        ).fetchall()
        # Source by source, so that the index gives the newest first and the rest is not even read.
        sql = "select * from item where gone_at is null and kind != 'event' and source = ? order by at desc, uid limit ?"
        posts = [row for source in sources for row in self._db.conn.execute(sql, (source, posts_max))]
        posts.sort(key=lambda row: (row["at"], row["uid"], row["source"]))
        return [_stored(row) for row in (*events, *posts[-posts_max:])]

    def events(self, sources: Collection[str], since: datetime) -> list[Row]:
        """Live events of these sources that end after ``since``."""
        sql = "select * from item where gone_at is null and source = ? and at >= ? and kind = 'event'"
        return [_row(row) for source in sorted(sources) for row in self._db.conn.execute(sql, (source, instant(since)))]

    def newest_posts(self, sources: Collection[str], most: int) -> list[tuple[str, str, int]]:
        """Of each of these sources the newest ``most`` live posts: source, uid, and the number of its last change."""
        sql = "select uid, seq from item where gone_at is null and kind != 'event' and source = ? order by at desc, uid limit ?"
        return [(source, row["uid"], row["seq"]) for source in sorted(sources) for row in self._db.conn.execute(sql, (source, most))]

    def rows(self, names: Iterable[tuple[str, str]]) -> list[Row]:
        """The items that these sources show under these uids."""
        rows = (self._one("select * from item where source = ? and uid = ?", *name) for name in names)
        return [_row(row) for row in rows if row is not None]

    def changed_rows(self, seq: int) -> list[Row]:
        """What came, changed or went after change number ``seq``."""
        return [_row(row) for row in self._db.conn.execute("select * from item where seq > ? order by seq", (seq,))]

    def copies(self, names: Iterable[str]) -> frozenset[str]:
        """Those of these uids and addresses that are copies which we made; one question for all of them."""
        if self._one("select 1 as one from receipt limit 1") is None:
            return frozenset()
        sql = (
            "select value from json_each(?) where exists (select 1 from receipt where uri = value)"
            " or exists (select 1 from receipt where url = value)"
        )
        told = json.dumps([name for name in set(names) if name])
        return frozenset(row["value"] for row in self._db.conn.execute(sql, (told,)))

    def previous(self, uids: Iterable[str]) -> dict[str, Event]:
        """uid → the event as it was before its date last changed, for those of ``uids`` whose date ever did."""
        return self.moves.previous(uids)

    def counts(self) -> Mapping[str, int]:
        """Live items by source."""
        rows = self._db.conn.execute("select source, count(*) as n from item where gone_at is null group by source")
        return {row["source"]: row["n"] for row in rows}

    def _next_seq(self) -> int:
        row = self._db.conn.execute(
            "insert into counter (name, value) values ('seq', 1) on conflict (name) do update set value = value + 1 returning value"
        ).fetchone()
        return int(row["value"])

    def _one(self, sql: str, *values: Any) -> Any:
        return self._db.conn.execute(sql, values).fetchone()


def _husk(item: Item) -> Item:
    """What is kept of an item that its author took back: that it was there, and when; not what it said."""
    if isinstance(item, Event):
        return Event(
            uid=item.uid,
            url=item.url,
            source=item.source,
            title="",
            starts_at=item.starts_at,
            ends_at=item.ends_at,
            timezone=item.timezone,
            sequence=item.sequence,
        )
    return Post(uid=item.uid, url=item.url, source=item.source, kind=item.kind, published_at=item.published_at)


def _kind(item: Item) -> str:
    return "event" if isinstance(item, Event) else item.kind


def _at(item: Item, now: datetime) -> datetime:
    if isinstance(item, Event):
        return item.ends_at or item.starts_at
    return item.published_at or now


def _sequenced(item: Item, before: Item) -> Item:
    """RFC 5545 3.8.7.4: SEQUENCE grows when date, place or status change."""
    if not (isinstance(item, Event) and isinstance(before, Event)):
        return item
    moved = _essence(item) != _essence(before)
    return replace(item, sequence=max(before.sequence + moved, item.sequence))


def _essence(event: Event) -> tuple[object, ...]:
    # In one zone: across zones, Python holds no two instants equal in the hour that is there twice (PEP 495).
    times = (event.starts_at.astimezone(UTC), event.ends_at and event.ends_at.astimezone(UTC))
    return (*times, event.start_is_date, event.end_is_date, event.place, event.online_url, event.status)


def _row(row: Any) -> Row:
    return Row(
        source=row["source"],
        uid=row["uid"],
        seq=row["seq"],
        at=row["at"],
        is_event=row["kind"] == "event",
        stored=_stored(row) if row["gone_at"] is None else None,
    )


def _stored(row: Any) -> Stored:
    return Stored(
        item=load_item(row["json"]),
        incarnation=row["incarnation"],
        revision=row["revision"],
        first_seen_at=datetime.fromisoformat(row["first_seen_at"]),
        changed_at=datetime.fromisoformat(row["changed_at"]),
        first=bool(row["first"]),
    )

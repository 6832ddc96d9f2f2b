"""What views are made of, kept in memory while it is in use: an item is read from the ledger again only when it changed.

Everything here can be lost without harm: the next view reads the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syndicator.items import Items, Row, Stored, instant
from syndicator.memory import give_back
from syndicator.model import Event

if TYPE_CHECKING:
    from syndicator.likeness import Traits

IDLE = timedelta(minutes=15)
"""What no view has asked for so long is let go."""
MANY = 1_000
"""Events whose memory is worth asking for back."""

Key = tuple[str, str]
"""Source and uid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What one source shows of an item."""

    stored: Stored
    seq: int
    at: str
    place: tuple[datetime, str]
    """Where it stands in a view."""
    traits: Traits | None
    """None for a post, and where there is only one source."""


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What some sources show, as of one change."""

    seq: int
    sources: frozenset[str]
    since: datetime
    """Events that ended before it are left out."""
    events: Mapping[Key, Shown]
    posts: Mapping[Key, Shown]
    """The newest ones of each source."""
    previous: Mapping[str, Event]
    """uid → the event as it was before its date last changed, for those that moved."""


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What the routes to one destination say of each event."""

    digest: str
    """Of the configuration that they were given by."""
    by_key: Mapping[Key, tuple[int, str]]
    """The change that was judged, and why it is left out; empty when it is carried."""


@dataclass(frozen=True, kw_only=True)
class Lineup:
    """What one destination was last shown."""

    seq: int
    digest: str
    standing: Mapping[str, str]
    """uid → the source whose copy stands there."""
    shown_by: Mapping[str, Sequence[str]]
    """uid → the sources that show it, where they are several."""


@dataclass(kw_only=True)
class Seen:
    """What an association's views remember."""

    shelf: Shelf | None = None
    verdicts: dict[str, Verdicts] = field(default_factory=dict)
    used_at: datetime | None = None
    _lineups: dict[str, Lineup | bytes] = field(default_factory=dict)
    """By destination; at rest, as one text: thousands of names would keep all the memory around them."""

    def keep(self, name: str, shelf: Shelf, verdicts: Verdicts, now: datetime) -> None:
        """Remember what a view was made from, once its transaction has ended well."""
        self.shelf, self.used_at = shelf, now
        self.verdicts[name] = verdicts

    def lineup(self, name: str) -> Lineup | None:
        """What this destination was last shown; None when that is not known."""
        kept = self._lineups.get(name)
        return Lineup(**json.loads(kept)) if isinstance(kept, bytes) else kept

    def showed(self, name: str, lineup: Lineup) -> None:
        """Remember what this destination has been shown, once it is."""
        self._lineups[name] = lineup

    def rest(self, now: datetime) -> None:
        """Let go of what has not been of use for a while."""
        if self.used_at is None or now - self.used_at <= IDLE:
            return
        much = self.shelf is not None and len(self.shelf.events) > MANY
        self.shelf, self.used_at = None, None
        self.verdicts.clear()
        for name, lineup in self._lineups.items():
            if isinstance(lineup, Lineup):
                self._lineups[name] = json.dumps(asdict(lineup)).encode()
        if much:
            give_back()


def filled(items: Items, old: Shelf | None, sources: frozenset[str], since: datetime, posts_max: int) -> Shelf:
    """The shelf as of now: ``old`` with what changed, or all of it where ``old`` does not reach as far."""
    seq = items.seq()
    if old is None or old.seq > seq or not sources <= old.sources or since < old.since:
        events = {(row.source, row.uid): shown for row in items.events(sources, since) if (shown := _shown(row, sources)) is not None}
        newest = _posts(items, {}, sources, posts_max)
        return Shelf(seq=seq, sources=sources, since=since, events=events, posts=newest, previous=items.previous(uid for _, uid in events))
    if old.seq == seq:
        return old
    rows = [row for row in items.changed_rows(old.seq) if row.source in old.sources]
    posts = old.posts
    if not all(row.is_event for row in rows):
        posts = _posts(items, old.posts, old.sources, posts_max)
    changed = {row.uid for row in rows}
    previous = {uid: event for uid, event in old.previous.items() if uid not in changed} | items.previous(changed)
    return replace(old, seq=seq, events=_events(old, rows), posts=posts, previous=previous)


def _events(old: Shelf, rows: Collection[Row]) -> dict[Key, Shown]:
    events, since = dict(old.events), instant(old.since)
    for row in rows:
        shown = _shown(row, old.sources) if row.is_event and row.at >= since else None
        if shown is None:
            events.pop((row.source, row.uid), None)
        else:
            events[row.source, row.uid] = shown
    return events


def _posts(items: Items, old: Mapping[Key, Shown], sources: frozenset[str], most: int) -> dict[Key, Shown]:
    wanted = {(source, uid): seq for source, uid, seq in items.newest_posts(sources, most)}
    posts = {key: old[key] for key, seq in wanted.items() if key in old and old[key].seq == seq}
    fresh = {
        (row.source, row.uid): shown for row in items.rows(wanted.keys() - posts.keys()) if (shown := _shown(row, sources)) is not None
    }
    return posts | fresh


def _shown(row: Row, sources: frozenset[str]) -> Shown | None:
    if row.stored is None:
        return None
    item = row.stored.item
    if isinstance(item, Event):
        traits = _traits(item) if len(sources) > 1 else None
        return Shown(stored=row.stored, seq=row.seq, at=row.at, place=(item.starts_at, item.uid), traits=traits)
    place = (item.published_at or row.stored.first_seen_at, item.uid)
    return Shown(stored=row.stored, seq=row.seq, at=row.at, place=place, traits=None)


def _traits(event: Event) -> Traits:
    # Most associations have one calendar: they need not carry what tells the events of several apart.
    from syndicator.likeness import traits_of

    return traits_of(event)

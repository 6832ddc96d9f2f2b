"""The copies of an event among what several sources show: what planning must know so that it is announced once.

Only events that begin at the same minute are looked at, now or as they were before they last moved.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from syndicator.items import Stored, instant
from syndicator.likeness import Copy, preferred, same, together, traits_of
from syndicator.model import Delivery, Event
from syndicator.plan import Adopted, Change, Facts, plan
from syndicator.schema import Database
from syndicator.store import Store
from syndicator.tenant import Tenant
from syndicator.views import hosts_of

Key = tuple[str, str]
"""Source and uid."""


def companions(tenant: Tenant, name: str) -> frozenset[str]:
    """The other sources whose items go where this one's go."""
    places = {way[2] for way in tenant.ways(name)}
    return frozenset(other for other in tenant.config.sources if other != name and any(way[2] in places for way in tenant.ways(other)))


def copies_of(tenant: Tenant, store: Store, name: str, changes: Sequence[Change], others: frozenset[str]) -> dict[Key, tuple[Change, ...]]:
    """(source, uid) → all copies of that event, the best first, for each changed event that has several, and for those copies."""
    events = {change.item.uid: change for change in changes if isinstance(change.item, Event)}
    if not events:
        return {}
    before = store.items.previous(events)
    begins = {
        uid: {_minute(event) for event in (change.item, before.get(uid)) if isinstance(event, Event)} for uid, change in events.items()
    }
    minutes = frozenset[str]().union(*begins.values())
    at_minute = _beginning(store.db, [name, *sorted(others)], minutes)
    hosts = {source: hosts_of(one.options) for source, one in tenant.config.sources.items()}
    order = {source: index for index, source in enumerate(tenant.config.sources)}
    found: dict[Key, tuple[Change, ...]] = {}
    for uid, change in events.items():
        near = {key for minute in begins[uid] for key in at_minute.get(minute, ())} - {(name, uid)}
        if all(source == name for source, _ in near):
            continue
        stored = {key: row for key in sorted(near) if (row := _event(store, key)) is not None}
        group = _group(store, change, stored, before.get(uid))
        if group:
            whole = {(name, uid): change, **{key: _as_change(stored[key]) for key in group}}
            best = preferred([one.item for one in whole.values() if isinstance(one.item, Event)], hosts, order)
            told = tuple(whole[one.source, one.uid] for one in best)
            found.update(dict.fromkeys(whole, told))
    return found


def opened(store: Store, sources: Iterable[str]) -> dict[tuple[str, str, str], datetime]:
    """(route, source, destination) → when that way was first open, for ways that are; nothing is written."""
    rows = (row for source in sources for row in store.db.conn.execute("select * from opened where source = ?", (source,)))
    return {(row["route"], row["source"], row["destination"]): datetime.fromisoformat(row["since"]) for row in rows}


def pass_on(tenant: Tenant, store: Store, delivery: Delivery, now: datetime) -> int:
    """An announcement that was given up as it was to leave is another copy's, if one may be announced; how many were planned.

    What made it leave no more may be no change of the event at all: another configuration, a text without words, a loop found late.
    """
    stored = store.items.item(delivery.source, delivery.uid)
    if stored is None or not isinstance(stored.item, Event) or delivery.destination in store.accounts.departed():
        return 0
    change, target = _as_change(stored), tenant.targets()[delivery.destination]
    leading = {source for route in tenant.routes if target.name in route.destinations for source in route.sources}
    copies = copies_of(tenant, store, change.item.source, [change], frozenset(leading - {change.item.source}))
    group = copies.get((change.item.source, change.item.uid), ())
    others = [copy for copy in group if copy.item.uid != change.item.uid]
    if not others:
        return 0
    facts = Facts(
        ours=store.outbox.ours((copy.item.uid, copy.item.url) for copy in group),
        known=store.outbox.known(copy.item.uid for copy in group),
        since=opened(store, leading),
        copies=copies,
    )
    return store.outbox.write(plan(others, tenant.routes, {target.name: target}, facts, now), now)


def adopt(db: Database, adopted: Iterable[Adopted], now: datetime) -> None:
    """What was announced of copies that are gone is from now on the announcement of others."""
    for one in adopted:
        by = one.by
        db.conn.execute("update or replace receipt set uid = ? where destination = ? and uid = ? and purpose = 'create' and part = ?"
                        " and deleted_at is null", (by.uid, one.destination, one.uid, by.part))  # fmt: skip
        parent = db.conn.execute("select id from delivery where uid = ? and destination = ? and purpose = 'create' and part = ? - 1"
                                 " and state = 'done' order by revision desc", (by.uid, one.destination, by.part)).fetchone()  # fmt: skip
        key = f"twin:{one.destination}:{one.uid}:{by.uid}:{by.revision}:{by.part}"
        db.conn.execute(
            "insert into delivery (route, source, uid, destination, purpose, revision, part, key, state, reason, due_at, parent_id,"
            " created_at, updated_at) values (?, ?, ?, ?, 'create', ?, ?, ?, 'done', 'twin', ?, ?, ?, ?)"
            " on conflict (uid, destination, purpose, revision, part) do update set state = 'done', reason = 'twin', lease_until = null,"
            " updated_at = excluded.updated_at",
            (*(by.route, by.source, by.uid, one.destination, by.revision, by.part, key, instant(now)),
             *(parent["id"] if parent else None, instant(now), instant(now))),
        )  # fmt: skip


def _minute(event: Event) -> str:
    return event.starts_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _beginning(db: Database, sources: Collection[str], minutes: frozenset[str]) -> dict[str, list[Key]]:
    """The live events of these sources by the minute at which they begin, or did before they last moved."""
    begin = "strftime('%Y-%m-%d %H:%M', json_extract(substr(json, 2), '$.starts_at'))"
    listed = "select source, uid, {begin} as minute from {rest} and minute in (select value from json_each(?))"
    now = listed.format(begin=begin, rest="item where source = ? and kind = 'event' and gone_at is null and at >= ?")
    moved = listed.format(begin=begin, rest="previous where source = ?")
    wanted, since = json.dumps(sorted(minutes)), min(minutes).replace(" ", "T")
    found: dict[str, list[Key]] = {}
    for source in sources:
        for sql, values in ((now, (source, since, wanted)), (moved, (source, wanted))):
            for row in db.conn.execute(sql, values):
                found.setdefault(row["minute"], []).append((row["source"], row["uid"]))
    return found


def _event(store: Store, key: Key) -> Stored | None:
    stored = next((row.stored for row in store.items.rows([key])), None)
    return stored if stored is not None and isinstance(stored.item, Event) else None


def _group(store: Store, change: Change, stored: Mapping[Key, Stored], before: Event | None) -> list[Key]:
    """Those that are the same event; as it is, else as it or the other was before it moved."""
    assert isinstance(change.item, Event)
    own = (change.item.source, change.item.uid)
    events = {own: change.item, **{key: one.item for key, one in stored.items() if isinstance(one.item, Event)}}
    keys = list(events)
    groups = [[keys[position] for position in group] for group in together([_copy(event) for event in events.values()])]
    mine = next((group for group in groups if own in group), [])
    if mine:
        return [key for key in mine if key != own]
    taken = {key for group in groups if any(source == own[0] for source, _ in group) for key in group}
    return list(_as_before(store, change.item, before, [event for key, event in events.items() if key != own and key not in taken]))


def _as_before(store: Store, event: Event, before: Event | None, others: Sequence[Event]) -> Iterator[Key]:
    """One of each other source: it moved in one of the two, and will in the other."""
    met: set[str] = set()
    for other in others:
        if other.source == event.source or other.source in met:
            continue
        once = store.items.previous([other.uid]).get(other.uid)
        if (before is not None and same(before, other)) or (once is not None and same(event, once)):
            met.add(other.source)
            yield (other.source, other.uid)


def _copy(event: Event) -> Copy:
    return event, traits_of(event)


def _as_change(stored: Stored) -> Change:
    return Change(
        kind="new",
        item=stored.item,
        incarnation=stored.incarnation,
        revision=stored.revision,
        first_seen_at=stored.first_seen_at,
        first=stored.first,
    )

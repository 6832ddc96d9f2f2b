"""What a projection shows now, and until when: an event that several sources show stands there once, as its home tells it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from syndicator.contract import View
from syndicator.items import Stored, instant
from syndicator.model import Event, Item, Post
from syndicator.plan import WITHDRAWN, Facts, refusal
from syndicator.shelf import Key, Lineup, Shelf, Shown, Verdicts, filled
from syndicator.store import Store
from syndicator.tenant import Tenant

if TYPE_CHECKING:
    from syndicator.likeness import Traits

VIEW_PAST = timedelta(days=400)
VIEW_POSTS = 300
_TAKEN_BACK = "withdrawn"
_LEFT_OUT = "left-out"
_HOST = re.compile(r"@?(?:[^@\s/]+@)?(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.IGNORECASE)
"""``name@host``, or a host alone."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One view, and what makes the next one cheaper."""

    view: View
    stored: Sequence[Stored]
    shelf: Shelf
    verdicts: Verdicts
    lineup: Lineup


def look(tenant: Tenant, store: Store, name: str, shown: int, now: datetime) -> Look:
    """What this projection shows, with what changed after change number ``shown``.

    Nothing is remembered here: the transaction may yet be taken back.
    """
    sources = sources_of(tenant, [name])
    shelf = filled(store.items, tenant.seen.shelf, sources_of(tenant, tenant.projections), now - VIEW_PAST, VIEW_POSTS)
    events = _events(shelf, sources, instant(now - VIEW_PAST))
    posts = _newest(shelf, sources)
    ours = store.items.copies(_names([*events.items(), *posts]))
    verdicts = _judged(tenant, name, events)
    told = {key: one for key, one in events.items() if not _is_ours(key, one, ours)} if ours else events
    standing, shown_by = _each_once(tenant, store, told, verdicts.by_key, shelf.previous)
    for one, by in _posts(tenant, store, name, posts, ours):
        standing.append(one)
        if len(by) > 1:
            shown_by[one.stored.item.uid] = by
    standing.sort(key=_place)
    stored = [one.stored for one in standing]
    there = {item.uid: item.source for item in (one.item for one in stored)}
    lineup = Lineup(seq=shelf.seq, digest=tenant.config.digest, standing=there, shown_by=shown_by)
    view = View(
        items=[one.item for one in stored],
        changed=_changed(store, tenant.seen.lineup(name), shown, lineup, len(sources)),
        changed_at={one.item.uid: one.changed_at for one in stored},
        first_seen_at={one.item.uid: one.first_seen_at for one in stored},
        sources={source: tenant.title_of(source) for source in sorted(sources)},
        previous={uid: event for uid, event in shelf.previous.items() if uid in there},
        shown_by=shown_by,
    )
    return Look(view=view, stored=stored, shelf=shelf, verdicts=verdicts, lineup=lineup)


def sources_of(tenant: Tenant, names: Collection[str]) -> frozenset[str]:
    """The sources whose items go to one of these destinations."""
    return frozenset(source for route in tenant.routes if not set(route.destinations).isdisjoint(names) for source in route.sources)


def _events(shelf: Shelf, sources: frozenset[str], since: str) -> dict[Key, Shown]:
    return {key: one for key, one in shelf.events.items() if key[0] in sources and one.at >= since}


def _newest(shelf: Shelf, sources: frozenset[str]) -> list[tuple[Key, Shown]]:
    """The newest posts of all these sources together, the oldest first."""
    posts = [(key, one) for key, one in shelf.posts.items() if key[0] in sources]
    return sorted(posts, key=lambda entry: (entry[1].at, entry[0][1], entry[0][0]))[-VIEW_POSTS:]


def _names(entries: Sequence[tuple[Key, Shown]]) -> Iterator[str]:
    for key, one in entries:
        yield key[1]
        yield one.stored.item.url


def _is_ours(key: Key, one: Shown, ours: frozenset[str]) -> bool:
    """Whether it is a copy that we made, come back through a source."""
    return bool(ours) and not ours.isdisjoint((key[1], one.stored.item.url))


def _judged(tenant: Tenant, name: str, events: Mapping[Key, Shown]) -> Verdicts:
    """What the routes say of each event; only what changed is judged again."""
    digest, old = tenant.config.digest, tenant.seen.verdicts.get(name)
    known: Mapping[Key, tuple[int, str]] = old.by_key if old is not None and old.digest == digest else {}
    judge = _judge(tenant, name)
    by_key = {}
    for key, one in events.items():
        verdict = known.get(key)
        # Whether it is a copy of ours is asked apart: that may change though the event does not.
        by_key[key] = verdict if verdict is not None and verdict[0] == one.seq else (one.seq, judge(one.stored.item, Facts()))
    return Verdicts(digest=digest, by_key=by_key)


def _judge(tenant: Tenant, name: str) -> Callable[[Item, Facts], str]:
    """Why no route carries an item there; empty when one does."""
    kind = tenant.config.destinations[name].type
    routes = [route for route in tenant.routes if name in route.destinations]

    def judge(item: Item, facts: Facts) -> str:
        refusals = {refusal(item, route, name, kind, facts) for route in routes if item.source in route.sources}
        if None in refusals:
            return ""
        return _TAKEN_BACK if refusals and refusals <= WITHDRAWN else _LEFT_OUT

    return judge


def _each_once(
    tenant: Tenant, store: Store, events: Mapping[Key, Shown], verdicts: Mapping[Key, tuple[int, str]], previous: Mapping[str, Event]
) -> tuple[list[Shown], dict[str, tuple[str, ...]]]:
    """The events that a route carries, each as its home tells it; what the home took back is nowhere. And who shows them."""
    if len({key[0] for key in events}) < 2:
        return [one for key, one in events.items() if not verdicts[key][1]], {}
    from syndicator.likeness import preferred

    keys = list(events)
    hosts = {name: hosts_of(source.options) for name, source in tenant.config.sources.items()}
    order = {name: index for index, name in enumerate(tenant.config.sources)}
    groups = _groups(store, events, previous, lambda copies: preferred(copies, hosts, order))
    several = {keys[position] for group in groups for position in group}
    standing = [one for key, one in events.items() if not verdicts[key][1] and key not in several]
    shown_by: dict[str, tuple[str, ...]] = {}
    for group in groups:
        copies = [cast("Event", events[keys[position]].stored.item) for position in group]
        best = [(copy.source, copy.uid) for copy in preferred(copies, hosts, order)]
        said = {key: verdicts[key][1] for key in best}
        if said[best[0]] != _TAKEN_BACK and "" in said.values():
            standing.append(events[best[0]])
            by = tuple(key[0] for key in best if said[key] != _TAKEN_BACK)
            shown_by.update({best[0][1]: by} if len(by) > 1 else {})
    return standing, shown_by


def _groups(
    store: Store, events: Mapping[Key, Shown], previous: Mapping[str, Event], preferred: Callable[[list[Event]], list[Event]]
) -> list[tuple[int, ...]]:
    """The places among ``events`` of the copies of each that has several; what moved takes those along that do not know of it yet.

    Only those farther from home: what a calendar that gathers says of the date moves nothing at home.
    """
    from syndicator.likeness import together
    from syndicator.stragglers import followed

    keys = list(events)
    copies = [(cast("Event", one.stored.item), cast("Traits", one.traits)) for one in events.values()]
    before = {place: previous[uid] for place, (source, uid) in enumerate(keys) if uid in previous and previous[uid].source == source}

    def stayed(place: int, moved: int) -> bool:
        moved_at = store.items.moves.moved_at(*keys[moved])
        if moved_at is None or events[keys[place]].stored.changed_at >= moved_at:
            return False
        return preferred([copies[place][0], copies[moved][0]])[0] is copies[moved][0]

    return followed(copies, together(copies), before, stayed)


def hosts_of(options: object) -> frozenset[str]:
    """The hosts that a source reads, as far as its options name them: by an address, an account, or alone."""
    if not dataclasses.is_dataclass(options):
        return frozenset()
    values = [getattr(options, one.name) for one in dataclasses.fields(options)]
    texts = [text for value in values for text in (value if isinstance(value, tuple) else (value,)) if isinstance(text, str)]
    return frozenset(host.lower().removeprefix("www.") for host in map(_host, texts) if host)


def _host(text: str) -> str:
    if "://" in text:
        try:
            return urlsplit(text).hostname or ""
        except ValueError:
            return ""
    found = _HOST.fullmatch(text)
    return found["host"] if found else ""


def _posts(
    tenant: Tenant, store: Store, name: str, posts: Sequence[tuple[Key, Shown]], ours: frozenset[str]
) -> list[tuple[Shown, tuple[str, ...]]]:
    """The posts that a route carries, each once, as the first of its sources shows it; with all that do."""
    items = [one.stored.item for _, one in posts]
    facts = Facts(
        ours=frozenset(key[1] for key, one in posts if _is_ours(key, one, ours)),
        stored=store.items.stored(item.boost_of for item in items if isinstance(item, Post) and item.boost_of),
        own_accounts=tenant.own_accounts(),
    )
    judge = _judge(tenant, name)
    standing: dict[str, tuple[Shown, tuple[str, ...]]] = {}
    for key, one in posts:
        if not judge(one.stored.item, facts):
            first, by = standing.get(key[1], (one, ()))
            standing[key[1]] = (first, (*by, key[0]))
    return list(standing.values())


def _changed(store: Store, old: Lineup | None, shown: int, new: Lineup, sources: int) -> frozenset[str]:
    """uids that changed, came or went, and those that other sources show now than before."""
    changed = store.items.changed_since(shown)
    if old is not None and (old.seq, old.digest) == (shown, new.digest):
        moved = {uid for uid, source in new.standing.items() if old.standing.get(uid) != source}
        others = {
            uid for uid in old.shown_by.keys() | new.shown_by.keys() if list(old.shown_by.get(uid, ())) != list(new.shown_by.get(uid, ()))
        }
        return changed | moved | others | (old.standing.keys() - new.standing.keys())
    # What an event was the same as before it changed, nobody knows any more.
    return changed | new.standing.keys() if changed and sources > 1 else changed


def _place(one: Shown) -> tuple[datetime, str]:
    return one.place


def _midnight(tenant: Tenant, now: datetime) -> datetime:
    local = now.astimezone(tenant.zone)
    return (local.replace(hour=0, minute=0, second=5, microsecond=0) + timedelta(days=1)).astimezone(now.tzinfo)


def turning(tenant: Tenant, stored: Sequence[Stored], now: datetime) -> datetime:
    """When a view next differs though nothing changed: an event begins or ends, or a day does."""
    turns = _midnight(tenant, now)
    for one in stored:
        if isinstance(one.item, Event):
            for at in (one.item.starts_at, one.item.ends_at):
                if at is not None and now < at < turns:
                    turns = at
    return turns

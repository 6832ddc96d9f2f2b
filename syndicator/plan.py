"""Who gets what, when: changes × routes × now → deliveries. Pure.

The rules, each with a test of its name in ``tests/test_plan.py``:

Refused: not public; drafts; replies to others; boosts of others, and boosts of what is carried already; our own receipts coming back
(loops); items whose author opted out; items older than the route (the first start mirrors nothing old unless ``backfill`` asks for it);
posts too old to be news; events that are over, or cancelled before anybody was told of them; what the route's filter or the destination's
kinds leave out.

Held: items inside the route's grace window: an edit replaces (the item is rendered when it leaves), a deletion cancels, and
delete-and-redraft counts as one. Order: a thread part waits for its parent's receipt, an update or deletion for its object's. Absence is no
change: only what the origin confirmed as gone gets here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from syndicator.model import Event, Item, Post, Purpose
from syndicator.route import Filter, Route
from syndicator.text.html import to_text
from syndicator.text.tags import opted_out

CLOCK_SKEW = timedelta(minutes=2)
"""How far an origin's clock may be behind ours for what was not there at the first look."""
WITHDRAWN = frozenset({"not-public", "draft", "opted-out", "content-warning"})
"""Refusals that hold for what is out already: it is taken back."""
RECONSIDERED = frozenset({
    "not-public", "draft", "opted-out", "content-warning", "cancelled-in-time", "cancelled", "over", "stale", "filter", "boost",
    "nothing-to-show", "no-route", "superseded",
})  # fmt: skip
"""Why a creation that never left was dropped, as far as another edit may undo the reason."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happened to one item of one source, as the store saw it."""

    kind: Literal["new", "changed", "gone", "returned"]
    item: Item
    """As it is now; for ``gone``, as it was last."""
    incarnation: int
    """How many times it has come back after it was gone."""
    revision: int
    """Counts its contents from 1."""
    first_seen_at: datetime
    first: bool = False
    """True when the very first look at its source saw it: it may be of any age."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A publisher as far as planning goes."""

    name: str
    type: str
    kinds: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Known:
    """A delivery that exists and makes something: the item itself, or a note about an edit of it."""

    id: int
    purpose: Purpose = "create"
    route: str
    part: int
    incarnation: int
    """Which life of the item; of a note, the revision that it tells of."""
    state: str
    outcome_unknown: bool
    reason: str = ""

    @property
    def never_sent(self) -> bool:
        """Whether nothing of it can have reached the network, though it may still leave."""
        return self.state in ("pending", "parked") and not self.outcome_unknown

    @property
    def unsent(self) -> bool:
        """Whether there is nothing of it to change or to take back."""
        return self.never_sent or self.state == "dropped"

    @property
    def reconsidered(self) -> bool:
        """Whether it was dropped for a reason that may have passed."""
        return self.state == "dropped" and self.reason in RECONSIDERED


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the outbox and the store already know of the changed items."""

    ours: frozenset[str] = frozenset()
    """uids of changed items that are copies we made ourselves."""
    live_elsewhere: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """uid → the other sources that still show it."""
    stored: frozenset[str] = frozenset()
    """Those uids among what the changed items boost that are items themselves."""
    own_accounts: frozenset[str] = frozenset()
    """Handles of the association's own sources, lower case."""
    known: Mapping[tuple[str, str], tuple[Known, ...]] = field(default_factory=dict)
    """(uid, destination) → what was made of it there, or is about to be."""
    since: Mapping[tuple[str, str, str], datetime] = field(default_factory=dict)
    """(route, source, destination) → when that way was first open."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A delivery to be written to the outbox."""

    route: str
    source: str
    uid: str
    destination: str
    purpose: Purpose
    revision: int
    due_at: datetime
    part: int = 0
    parent_uid: str | None = None
    """The item whose ``create`` delivery there must have its receipt first."""
    parent_id: int | None = None
    """The delivery that must be settled first, where it is another one than that."""


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """A waiting delivery that has lost its reason."""

    uid: str
    destination: str
    purposes: tuple[Purpose, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An item that a route does not carry, and why: a word of ``refusal.*`` in the message catalogues."""

    route: str
    destination: str
    uid: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to write, in one transaction with the items themselves."""

    planned: tuple[Planned, ...] = ()
    cancelled: tuple[Cancelled, ...] = ()
    refused: tuple[Refused, ...] = ()


def plan(changes: Iterable[Change], routes: Sequence[Route], targets: Mapping[str, Target], facts: Facts, now: datetime) -> Plan:
    """What the changes of one poll mean for every publisher; at most one creation per item and destination, whatever the routes."""
    drafted = _Draft(routes=routes, targets=targets, facts=facts, now=now)
    for change in _ordered(changes):
        drafted.take(change)
    return Plan(planned=tuple(drafted.planned), cancelled=tuple(drafted.cancelled), refused=tuple(drafted.refused))


def _ordered(changes: Iterable[Change]) -> list[Change]:
    """The oldest first, but never a reply before what it answers."""
    waiting = {id(change): change for change in sorted(changes, key=_order)}
    by_uid = {change.item.uid: change for change in waiting.values()}
    ordered: list[Change] = []
    while waiting:
        change = next(iter(waiting.values()))
        above = [waiting.pop(id(change))]
        while (parent := by_uid.get(_parent(change.item) or "")) is not None and id(parent) in waiting:
            change = parent
            above.append(waiting.pop(id(change)))
        ordered.extend(reversed(above))
    return ordered


def _order(change: Change) -> tuple[datetime, str]:
    published_at = change.item.published_at or change.first_seen_at
    return (published_at, change.item.uid)


def _parent(item: Item) -> str | None:
    return item.in_reply_to if isinstance(item, Post) else None


@dataclass(kw_only=True)
class _Draft:
    routes: Sequence[Route]
    targets: Mapping[str, Target]
    facts: Facts
    now: datetime
    planned: list[Planned] = field(default_factory=list)
    cancelled: list[Cancelled] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def take(self, change: Change) -> None:
        settled: set[str] = set()
        for route in self.routes:
            if change.item.source not in route.sources:
                continue
            for name in route.destinations:
                if name in self.targets and name not in settled and self._settle(change, route, self.targets[name]):
                    settled.add(name)

    def _settle(self, change: Change, route: Route, target: Target) -> bool:
        """Decide for one route and destination; True when no other route need be asked."""
        item = change.item
        there = self.facts.known.get((item.uid, target.name), ())
        known = [k for k in there if k.purpose == "create" and k.incarnation == change.incarnation]
        if change.kind == "gone":
            return self._withdraw(change, target, known, "deleted-in-time")
        if known and not all(k.reconsidered for k in known):
            reason = self._objection(item, target)
            return self._withdraw(change, target, known, reason) if reason else self._revise(change, target, known)
        reason = refusal(item, route, target.name, target.type, self.facts)
        reason = reason or ("kind" if _kind(item) not in target.kinds else None) or self._staleness(change, route, target)
        if reason:
            self.refused.append(Refused(route=route.name, destination=target.name, uid=item.uid, reason=reason))
            return False
        self._create(change, route, target)
        return True

    def _create(self, change: Change, route: Route, target: Target) -> None:
        item = change.item
        published_at = item.published_at or change.first_seen_at
        self.planned.append(
            Planned(
                route=route.name,
                source=item.source,
                uid=item.uid,
                destination=target.name,
                purpose="create",
                revision=change.incarnation,
                due_at=min(published_at, self.now) + route.delay,
                parent_uid=_parent(item),
            )
        )

    def _objection(self, item: Item, target: Target) -> str | None:
        """Why what is known there must be taken back; None as long as one route may carry it."""
        reasons = [
            refusal(item, route, target.name, target.type, self.facts)
            for route in self.routes
            if item.source in route.sources and target.name in route.destinations
        ]
        return reasons[0] if all(reason in WITHDRAWN for reason in reasons) else None

    def _revise(self, change: Change, target: Target, known: Sequence[Known]) -> bool:
        item = change.item
        if isinstance(item, Event) and item.status == "cancelled" and all(k.unsent for k in known):
            self._cancel(item, target, ("create",), "cancelled-in-time")
            return True
        if change.kind != "changed" or all(k.unsent for k in known):
            return True
        if self._route(known).edit != "ignore":
            self._cancel(item, target, ("update", "replace", "announce-change"), "superseded")
            self._follow(change, target, known, "update", change.revision)
        return True

    def _withdraw(self, change: Change, target: Target, known: Sequence[Known], reason: str) -> bool:
        item = change.item
        if not known or (change.kind == "gone" and self._shown_elsewhere(item, target)):
            return bool(known)
        self._cancel(item, target, ("create", "update", "replace", "announce-change"), reason)
        sent = [k for k in known if not k.unsent]
        if sent and self._route(known).deletions:
            self._follow(change, target, sent, "delete", change.incarnation)
            self._retract(item, target)
        return True

    def _retract(self, item: Item, target: Target) -> None:
        """Notes go with what they are about."""
        notes = [k for k in self.facts.known.get((item.uid, target.name), ()) if k.purpose != "create"]
        about = Planned(route="", source=item.source, uid=item.uid, destination=target.name, purpose="delete", revision=0, due_at=self.now)
        self.planned.extend(retractions(notes, about, self.now))

    def _shown_elsewhere(self, item: Item, target: Target) -> bool:
        others = self.facts.live_elsewhere.get(item.uid, frozenset())
        return any(target.name in route.destinations and not others.isdisjoint(route.sources) for route in self.routes)

    def _follow(self, change: Change, target: Target, known: Sequence[Known], purpose: Purpose, revision: int) -> None:
        self.planned.extend(
            Planned(
                route=k.route,
                source=change.item.source,
                uid=change.item.uid,
                destination=target.name,
                purpose=purpose,
                revision=revision,
                part=k.part,
                due_at=self.now,
                parent_uid=change.item.uid,
            )
            for k in sorted(known, key=lambda k: k.part)
        )

    def _cancel(self, item: Item, target: Target, purposes: tuple[Purpose, ...], reason: str) -> None:
        self.cancelled.append(Cancelled(uid=item.uid, destination=target.name, purposes=purposes, reason=reason))

    def _route(self, known: Sequence[Known]) -> Route:
        named = {route.name: route for route in self.routes}
        return named.get(known[0].route, Route(name="", sources=(), destinations=()))

    def _staleness(self, change: Change, route: Route, target: Target) -> str | None:
        item = change.item
        since = self.facts.since.get((route.name, item.source, target.name), self.now)
        published_at = item.published_at or change.first_seen_at
        if item.published_at is None and change.first and not route.backfill:
            return "old"
        opened_at = since - route.backfill - (timedelta(0) if change.first else CLOCK_SKEW)
        back_again = change.kind == "returned" and (item.uid, target.name) in self.facts.known
        if published_at < opened_at and not back_again:
            return "old"
        if isinstance(item, Event) and item.status == "cancelled":
            return "cancelled"
        return too_late(item, published_at, self.now, max(route.max_age, route.backfill))


def retractions(notes: Iterable[Known], about: Planned, now: datetime) -> tuple[Planned, ...]:
    """The removals of those notes that are or may be out; ``about`` says of which item, and where."""
    # A removal is named by what it removes: the lives of an item count from 0 up, so the notes count down.
    return tuple(
        replace(about, route=note.route, purpose="delete", revision=-note.incarnation, part=note.part, due_at=now, parent_id=note.id)
        for note in sorted(notes, key=lambda note: note.incarnation)
        if not note.unsent
    )


def too_late(item: Item, published_at: datetime, now: datetime, max_age: timedelta) -> str | None:
    """Why an item is no news any more: ``over`` for an event that has ended, ``stale`` for a post; None while it is news."""
    if isinstance(item, Event):
        ends_at = item.ends_at or item.starts_at
        if item.end_is_date or (item.ends_at is None and item.start_is_date):
            ends_at += timedelta(days=1)
        return "over" if ends_at <= now else None
    return "stale" if now - published_at > max_age else None


def refusal(item: Item, route: Route, destination: str, destination_type: str, facts: Facts) -> str | None:
    """Why this route never carries this item there, whenever it is; None when it does. Projections obey the same rules."""
    return (
        _privacy(item, route.filter)
        or ("loop" if item.uid in facts.ours else None)
        or (_post_refusal(item, route, facts) if isinstance(item, Post) else None)
        or ("opted-out" if opted_out(item, {destination, destination_type}) else None)
        or ("filter" if not passes(item, route.filter) else None)
    )


def _privacy(item: Item, conditions: Filter) -> str | None:
    if item.draft:
        return "draft"
    allowed = ("public", "unlisted") if conditions.unlisted else ("public",)
    return None if item.visibility in allowed else "not-public"


def _post_refusal(post: Post, route: Route, facts: Facts) -> str | None:
    if post.reply_to_other:
        return "reply"
    if post.application and post.application.lower() == "syndicator":
        return "loop"
    if post.boost_of is not None:
        author = (post.author.handle or "").lower() if post.author else ""
        if not route.filter.boosts or post.boost_of in facts.stored or (post.boost_of_other and author not in facts.own_accounts):
            return "boost"
    if post.content_warning and route.style.content_warnings == "skip":
        return "content-warning"
    return None


def _kind(item: Item) -> str:
    return "event" if isinstance(item, Event) else item.kind


def passes(item: Item, conditions: Filter) -> bool:
    """Whether an item meets every condition of a filter."""
    if conditions.kinds and _kind(item) not in conditions.kinds:
        return False
    if conditions.languages and item.language and not _speaks(item.language, conditions.languages):
        return False
    tags = {fold(tag) for tag in item.tags}
    if conditions.tags and tags.isdisjoint(fold(tag) for tag in conditions.tags):
        return False
    if not tags.isdisjoint(fold(tag) for tag in conditions.exclude_tags):
        return False
    if not (conditions.keywords or conditions.exclude_keywords):
        return True
    words = fold(f"{item.title} {to_text(item.html)}")
    if conditions.keywords and not _mentions(words, conditions.keywords):
        return False
    return not _mentions(words, conditions.exclude_keywords)


def _speaks(language: str, wanted: Collection[str]) -> bool:
    tag = language.lower()
    return any(tag == want.lower() or tag.startswith(want.lower() + "-") for want in wanted)


def _mentions(folded: str, keywords: Iterable[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(fold(keyword))}(?!\w)", folded) for keyword in keywords)


def fold(text: str) -> str:
    """A text without case, accents or a leading #: how tags and keywords are compared."""
    decomposed = unicodedata.normalize("NFKD", text.removeprefix("#").casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def find_loop(ways: Iterable[tuple[str | None, str | None]]) -> tuple[str, ...]:
    """A circle in what is mirrored from account to account, as the accounts on it in order; empty when there is none."""
    follows: dict[str, set[str]] = {}
    for origin, copy in ways:
        if origin and copy:
            follows.setdefault(origin.lower(), set()).add(copy.lower())
    for start in sorted(follows):
        path = _way_back(follows, start)
        if path:
            return path
    return ()


def _way_back(follows: Mapping[str, set[str]], start: str) -> tuple[str, ...]:
    reached: dict[str, tuple[str, ...]] = {start: (start,)}
    waiting = [start]
    while waiting:
        account = waiting.pop()
        for following in sorted(follows.get(account, ())):
            if following == start:
                return reached[account]
            if following not in reached:
                reached[following] = (*reached[account], following)
                waiting.append(following)
    return ()

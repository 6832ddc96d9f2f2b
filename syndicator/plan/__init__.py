"""Who gets what, when: changes × routes × now → deliveries. Pure.

The rules, each with a test of its name in ``tests/test_plan.py`` and ``tests/test_plan_known.py``:

Refused: not public; drafts; replies to others; boosts of others, and boosts of what is carried already; our own receipts coming back
(loops); items whose author opted out; items older than the route (the first start mirrors nothing old unless ``backfill`` asks for it);
posts too old to be news; events that are over, or cancelled before anybody was told of them; what the route's filter or the destination's
kinds leave out.

Held: items inside the route's grace window: an edit replaces (the item is rendered when it leaves), a deletion cancels, and
delete-and-redraft counts as one. Order: a thread part waits for its parent's receipt, an update or deletion for its object's. Absence is no
change: only what the origin confirmed as gone gets here.

Twins (``tests/test_plan_twins.py``): an event that several sources show under names of their own is announced once at each destination.
The first copy to come is, unless one nearer home comes while it waits: then that one is, and the other gives way. What was announced
stays, whoever shows it later. A copy is not announced either while one nearer home is taken back or called off. When the copy that was
announced goes away, another that leads there takes the announcement over, with an edit if its text differs; when it goes before it was
announced, the other is announced in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from syndicator.model import Event, Item, Post, Purpose
from syndicator.plan.circles import find_loop
from syndicator.plan.facts import RECONSIDERED, Adopted, Cancelled, Change, Facts, Known, Plan, Planned, Refused, Rescheduled, Target
from syndicator.plan.moments import announced_at
from syndicator.plan.notes import removal_number
from syndicator.plan.refusals import WITHDRAWN, fold, kind_of, passes, refusal, too_late
from syndicator.plan.twins import Twins
from syndicator.route import Route

__all__ = [
    "CLOCK_SKEW",
    "RECONSIDERED",
    "WITHDRAWN",
    "Adopted",
    "Cancelled",
    "Change",
    "Facts",
    "Known",
    "Plan",
    "Planned",
    "Refused",
    "Rescheduled",
    "Target",
    "find_loop",
    "fold",
    "passes",
    "plan",
    "refusal",
    "retractions",
    "too_late",
]

EDITS: tuple[Purpose, ...] = ("update", "replace", "announce-change", "cancel")
"""What an edit may be waiting as."""
CLOCK_SKEW = timedelta(minutes=2)
"""How far an origin's clock may be behind ours for what was not there at the first look."""


def plan(changes: Iterable[Change], routes: Sequence[Route], targets: Mapping[str, Target], facts: Facts, now: datetime) -> Plan:
    """What the changes of one poll mean for every publisher; at most one creation per item and destination, whatever the routes."""
    drafted = _Draft(routes=routes, targets=targets, facts=facts, now=now)
    for change in _ordered(changes):
        drafted.take(change)
    return Plan(
        planned=tuple(drafted.planned),
        cancelled=tuple(drafted.cancelled),
        refused=tuple(drafted.refused),
        rescheduled=tuple(drafted.rescheduled),
        adopted=tuple(drafted.adopted),
    )


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
    rescheduled: list[Rescheduled] = field(default_factory=list)
    adopted: list[Adopted] = field(default_factory=list)

    @property
    def twins(self) -> Twins:
        """As far as this plan has come."""
        return Twins(facts=self.facts, routes=self.routes, planned=self.planned, cancelled=self.cancelled)

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
            return self._hand_over(change, target, known) or self._withdraw(change, target, known, "deleted-in-time")
        if known and not all(k.reconsidered for k in known):
            reason = self._objection(item, target)
            if reason:
                self._withdraw(change, target, known, reason)
                self._announce_another(change, target)
                return True
            return self._revise(change, target, known)
        reason = refusal(item, route, target.name, target.type, self.facts)
        reason = reason or ("purpose" if "announce" not in route.purposes else None)
        reason = reason or ("kind" if kind_of(item) not in target.kinds else None) or self._staleness(change, route, target)
        reason = reason or self.twins.objection(change, target.name, target.type)
        if reason:
            self.refused.append(Refused(route=route.name, destination=target.name, uid=item.uid, reason=reason))
            if reason == "cancelled" or reason in WITHDRAWN:
                self._supersede_twins(change, target, reason)
            return False
        self._create(change, route, target)
        return True

    def _create(self, change: Change, route: Route, target: Target) -> None:
        self._supersede_twins(change, target)
        self.planned.append(self._creation(change, route, target))

    def _creation(self, change: Change, route: Route, target: Target) -> Planned:
        item = change.item
        return Planned(
            route=route.name,
            source=item.source,
            uid=item.uid,
            destination=target.name,
            purpose="create",
            revision=change.incarnation,
            due_at=self._due(change, route),
            parent_uid=_parent(item),
        )

    def _supersede_twins(self, change: Change, target: Target, reason: str = "twin") -> None:
        """What waits of the event under another name, farther from home, gives way."""
        for copy in self.twins.waiting(change, target.name, target.type):
            mine = [one for one in self.planned if (one.uid, one.destination, one.purpose) == (copy.item.uid, target.name, "create")]
            for one in mine:
                self.planned.remove(one)
                self.refused.append(Refused(route=one.route, destination=target.name, uid=one.uid, reason=reason))
            if not mine:
                self._cancel(copy.item, target, ("create",), reason)

    def _hand_over(self, change: Change, target: Target, known: Sequence[Known]) -> bool:
        """When a copy goes whose event others show: its announcement becomes theirs, or they are announced in its place."""
        open_ones = [k for k in known if k.state != "dropped"]
        heirs = self.twins.heirs(change, target.name, target.type) if open_ones else []
        if (
            not heirs
            or self._shown_elsewhere(change.item, target)
            or any(self.twins.standing(h, target.name, target.type) == "out" for h in heirs)
        ):
            return False
        if all(k.state == "done" for k in open_ones):
            self._adopt(change, target, heirs[0], open_ones)
            return True
        self._withdraw(change, target, known, "deleted-in-time")
        self._announce_another(change, target)
        return True

    def _announce_another(self, change: Change, target: Target) -> None:
        """The best of the copies that a route carries there, in place of this one."""
        heirs = self.twins.heirs(change, target.name, target.type)
        ways = [(heir, route) for heir in heirs for route in self.routes if heir.item.source in route.sources]
        any(self._settle(heir, route, target) for heir, route in ways if target.name in route.destinations)

    def _adopt(self, change: Change, target: Target, heir: Change, parts: Sequence[Known]) -> None:
        route = next(route for route in self.routes if heir.item.source in route.sources and target.name in route.destinations)
        self._cancel(change.item, target, ("create", *EDITS, "remind", "retire"), "superseded")
        creation = self._creation(heir, route, target)
        self.adopted.extend(
            Adopted(uid=change.item.uid, destination=target.name, by=replace(creation, part=k.part))
            for k in sorted(parts, key=lambda k: k.part)
        )
        if route.edit != "ignore":
            theirs = [replace(k, route=route.name) for k in parts]
            self._follow(heir, target, theirs, "update", heir.revision)

    def _due(self, change: Change, route: Route) -> datetime:
        """When an item is announced: once its grace window is over, an event not before its time."""
        published_at = change.item.published_at or change.first_seen_at
        return announced_at(change.item, route.announce, min(published_at, self.now) + route.delay)

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
        if change.kind != "changed":
            return True
        route = self._route(known)
        if all(k.unsent for k in known):
            if any(k.never_sent for k in known):
                if reason := self.twins.objection(change, target.name, target.type):
                    self._cancel(item, target, ("create",), reason)
                    return True
                if None in self.twins.refusals(change, target.name, target.type):
                    self._supersede_twins(change, target)
                else:  # it will not leave
                    self._announce_another(change, target)
            if isinstance(item, Event) and route.announce:
                self.rescheduled.append(Rescheduled(uid=item.uid, destination=target.name, due_at=self._due(change, route)))
            return True
        if route.edit != "ignore" or (isinstance(item, Event) and route.notice == "always"):
            self._cancel(item, target, EDITS, "superseded")
            self._follow(change, target, known, "update", change.revision)
        return True

    def _withdraw(self, change: Change, target: Target, known: Sequence[Known], reason: str) -> bool:
        item = change.item
        if not known or (change.kind == "gone" and self._shown_elsewhere(item, target)):
            return bool(known)
        self._cancel(item, target, ("create", *EDITS, "remind", "retire"), reason)
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
    # A removal is named by what it removes.
    return tuple(
        replace(about, route=note.route, purpose="delete", revision=number, part=note.part, due_at=now, parent_id=note.id)
        for number, note in sorted(((removal_number(note.purpose, note.incarnation), note) for note in notes), key=_newest_last)
        if not note.unsent
    )


def _newest_last(numbered: tuple[int, Known]) -> int:
    return -numbered[0]

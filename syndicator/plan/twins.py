"""One event that several sources show, each under a name of its own: who announces it. Pure; ``plan`` names the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from syndicator.model import Event
from syndicator.plan.facts import Cancelled, Change, Facts, Planned
from syndicator.plan.refusals import WITHDRAWN, refusal
from syndicator.route import Route

Standing = Literal["out", "waits"]


@dataclass(frozen=True, kw_only=True)
class Twins:
    """What the others of an event are, and what they have at one destination, as far as the plan has come."""

    facts: Facts
    routes: Sequence[Route]
    planned: list[Planned]
    cancelled: list[Cancelled]

    def of(self, change: Change) -> list[tuple[Change, bool]]:
        """The live copies under other names, the best first, and whether each is nearer home than this one."""
        found, nearer = [], True
        for copy in self.facts.copies.get((change.item.source, change.item.uid), ()):
            if (copy.item.source, copy.item.uid) == (change.item.source, change.item.uid):
                nearer = False
            elif copy.item.uid != change.item.uid and copy.kind != "gone":
                found.append((copy, nearer))
        return found

    def standing(self, copy: Change, destination: str, kind: str) -> Standing | None:
        """Whether its announcement is there or may be, or waits and will leave; None when it has none, or had one that is taken back."""
        uid = copy.item.uid
        refusals = self.refusals(copy, destination, kind)
        if refusals and all(reason in WITHDRAWN for reason in refusals):
            return None
        there = self.facts.known.get((uid, destination), ())
        known = [one for one in there if one.purpose == "create" and one.incarnation == copy.incarnation]
        if any(not one.unsent for one in known):
            return "out"
        planned = any(one.uid == uid and one.destination == destination and one.purpose == "create" for one in self.planned)
        given_up = any(one.uid == uid and one.destination == destination and "create" in one.purposes for one in self.cancelled)
        waits = planned or (any(one.never_sent for one in known) and not given_up)
        return "waits" if waits and None in refusals else None

    def objection(self, change: Change, destination: str, kind: str) -> str | None:
        """Why this copy is not announced there: another one is, or is to be; or the event's home took it back or called it off."""
        for copy, nearer in self.of(change):
            standing = self.standing(copy, destination, kind)
            if standing == "out" or (standing == "waits" and nearer):
                return "twin"
            if nearer and (reason := self._home_says(copy, destination, kind)):
                return reason
        return None

    def _home_says(self, copy: Change, destination: str, kind: str) -> str | None:
        reasons = self.refusals(copy, destination, kind)
        if reasons and all(reason in WITHDRAWN for reason in reasons):
            return reasons[0]
        return "cancelled" if reasons and isinstance(copy.item, Event) and copy.item.status == "cancelled" else None

    def refusals(self, copy: Change, destination: str, kind: str) -> list[str | None]:
        """What each route that leads it there says; none when there is no such route."""
        return [
            refusal(copy.item, route, destination, kind, self.facts)
            for route in self.routes
            if copy.item.source in route.sources and destination in route.destinations
        ]

    def heirs(self, change: Change, destination: str, kind: str) -> list[Change]:
        """The copies that a route carries there, the best first: they stay when this one goes."""
        return [copy for copy, _ in self.of(change) if None in self.refusals(copy, destination, kind)]

    def waiting(self, change: Change, destination: str, kind: str) -> list[Change]:
        """The copies farther from home whose announcement waits: it gives way to this one."""
        return [copy for copy, nearer in self.of(change) if not nearer and self.standing(copy, destination, kind) == "waits"]

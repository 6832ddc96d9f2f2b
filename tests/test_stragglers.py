"""Copies of an event that moved whose sources do not know it yet: whom they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from syndicator.likeness import together, traits_of
from syndicator.model import Event, Place
from syndicator.stragglers import followed
from syndicator.testing import PARIS, make_event

AT = datetime(2026, 12, 5, 20, 30, tzinfo=PARIS)
WEEK = timedelta(days=7)
BREST, QUIMPER = (Place(name="Salle des fêtes", locality=town) for town in ("Brest", "Quimper"))


def event(source: str, uid: str = "", **changes: Any) -> Event:
    """A concert, in a source of its own calendar."""
    uid = uid or f"urn:{source}"
    made = make_event(uid=uid, url=f"https://{source}.example/{uid[-4:]}", title="Concert", starts_at=AT, ends_at=None)
    return replace(made, source=source, **{"place": None, **changes})


def groups(*events: Event, moved: Iterable[Event], spoke: Iterable[str] = ()) -> set[frozenset[str]]:
    """Who is one with whom, by source and uid; of those that moved, what they were; ``spoke``: sources that have said anything since."""
    copies = [(one, traits_of(one)) for one in events]
    was = {one.uid: one for one in moved}
    before = {place: was[one.uid] for place, one in enumerate(events) if one.uid in was}
    found = followed(copies, together(copies), before, lambda place, _: events[place].source not in set(spoke))
    assert len({place for group in found for place in group}) == sum(map(len, found))
    return {frozenset(events[place].uid for place in group) for group in found}


HOME = event("home")
MOVED = replace(HOME, starts_at=AT + WEEK)
A, B = event("a"), event("b")
ALL = frozenset({"urn:home", "urn:a", "urn:b"})


def test_what_stays_behind_is_taken_along() -> None:
    """One, or several; whatever their order."""
    assert groups(MOVED, A, moved=[HOME]) == {frozenset({"urn:home", "urn:a"})}
    for order in permutations((MOVED, A, B)):
        assert groups(*order, moved=[HOME]) == {ALL}


def test_until_its_source_speaks() -> None:
    """It says that it is where it was, or where the event is now; and what it is one with speaks for it."""
    assert groups(MOVED, A, moved=[HOME], spoke=["a"]) == set()
    assert groups(MOVED, replace(A, starts_at=AT + WEEK), moved=[HOME], spoke=["a"]) == {frozenset({"urn:home", "urn:a"})}
    assert groups(MOVED, A, B, moved=[HOME], spoke=["b"]) == {frozenset({"urn:a", "urn:b"})}


def test_those_that_moved_together_take_along_what_has_not() -> None:
    """Some are there already."""
    assert groups(MOVED, replace(A, starts_at=AT + WEEK), B, moved=[HOME, A]) == {ALL}
    assert groups(MOVED, replace(A, starts_at=AT + WEEK), B, moved=[HOME, A], spoke=["b"]) == {frozenset({"urn:home", "urn:a"})}


def test_those_that_parted() -> None:
    """Two say that it is not where it was, and not where the other says: the third is at neither's old date; it goes with one of them."""
    found = groups(MOVED, replace(A, starts_at=AT + 2 * WEEK), B, moved=[HOME, A])
    assert len(found) == 1
    assert "urn:b" in next(iter(found))


@pytest.mark.parametrize(("stays", "why"), [
    (event("a", title="Bal"), "another title"),
    (event("a", starts_at=AT + timedelta(hours=1)), "another hour"),
    (event("home", "urn:home-2"), "the same source lists it beside"),
])  # fmt: skip
def test_what_was_another_event_stays_where_it_is(stays: Event, why: str) -> None:
    assert groups(MOVED, stays, moved=[HOME]) == set(), why


def test_what_was_elsewhere_stays_where_it_is() -> None:
    """The same title at the same hour in another town; a copy without a place that may be either of two is neither."""
    home, moved = replace(HOME, place=BREST), replace(MOVED, place=BREST)
    assert groups(moved, replace(A, place=QUIMPER), moved=[home]) == set()
    assert groups(moved, replace(A, place=BREST), moved=[home]) == {frozenset({"urn:home", "urn:a"})}
    assert groups(moved, replace(A, place=QUIMPER), B, moved=[home]) in ({frozenset({"urn:a", "urn:b"})}, set())


def test_another_event_in_its_place_keeps_its_copies() -> None:
    """The home moves one concert away and has another one at that hour: what the others say is of that one."""
    second = event("home", "urn:home-2")
    assert groups(MOVED, second, A, moved=[HOME]) == {frozenset({"urn:home-2", "urn:a"})}


def test_each_date_of_a_series_has_its_own() -> None:
    """The one of Tuesday moves to Wednesday; that of the week after has its own copy."""
    later = [event(source, f"urn:{source}-2", starts_at=AT + WEEK) for source in ("home", "a")]
    moved = replace(HOME, starts_at=AT + timedelta(days=1))
    assert groups(moved, A, *later, moved=[HOME]) == {frozenset({"urn:home", "urn:a"}), frozenset({"urn:home-2", "urn:a-2"})}


def test_moved_onto_another_date_of_its_series() -> None:
    """That date has a copy of the same source already: it can have no second one."""
    later = event("a", "urn:a-2", starts_at=AT + WEEK)
    assert groups(MOVED, A, later, moved=[HOME]) == {frozenset({"urn:home", "urn:a-2"})}


def test_nothing_moved() -> None:
    """Nothing is done."""
    assert groups(HOME, A, B, moved=[]) == {ALL}
    assert groups(MOVED, moved=[HOME]) == set()

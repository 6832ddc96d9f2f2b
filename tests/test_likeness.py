"""Which events are the same one: tables of pairs, then groups, whatever their order."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator import likeness
from syndicator.model import Attachment, Event, Place
from syndicator.testing import PARIS, make_event

UUID = "2bbdbab3-a102-45f2-95d8-860610085fa4"
HOME = f"https://mobilizon.example/events/{UUID}"
AT = datetime(2026, 12, 5, 20, 30, tzinfo=PARIS)
SALLE = Place(name="Maison des associations", street="4 rue du Port", locality="Brest")
BREST = Place(locality="Brest")


def event(source: str = "a", uid: str = "", **changes: Any) -> Event:
    """A concert, in a source of its own calendar."""
    uid = uid or f"urn:{source}"
    made = make_event(
        uid=uid, url=f"https://{source}.example/calendar/{uid[-8:]}", title="Concert de printemps", starts_at=AT, ends_at=None
    )
    return replace(made, source=source, **{"place": None, **changes})


HOME_COPY = event("home", HOME, url=HOME, title="Fête", place=SALLE)

PAIRS: dict[str, tuple[Event, Event, bool]] = {
    "same uid": (event("a", HOME), event("b", HOME, title="Autre titre", starts_at=AT + timedelta(days=9)), True),
    "same page, other title, same hour": (HOME_COPY, event("b", "urn:x", url=HOME + "/", title="La fête", place=SALLE), True),
    "same page, same title, moved": (HOME_COPY, event("b", "urn:x", url=HOME, title="Fête", starts_at=AT + timedelta(days=1)), True),
    "same page, nothing else": (HOME_COPY, event("b", "urn:x", url=HOME, title="Bal", starts_at=AT + timedelta(days=1)), False),
    "same page however written": (
        event("a", "urn:1", url="http://WWW.asso.example/fete/?utm_source=x", title="Un bal"),
        event("b", "urn:2", url="https://asso.example/fete", title="Bal !"),
        True,
    ),
    "the page of a whole programme": (
        event("a", "urn:1", url="https://asso.example/programme", title="Un bal"),
        event("b", "urn:2", url="https://asso.example/programme", title="Une lecture"),
        False,
    ),
    "a front page names nothing": (
        event("a", "urn:1", url="https://asso.example/", title="Un"),
        event("b", "urn:2", url="https://asso.example", title="Deux"),
        False,
    ),
    "one page, two anchors": (
        event("a", "urn:1", url="https://asso.example/agenda#1", title="Un"),
        event("b", "urn:2", url="https://asso.example/agenda#2", title="Deux"),
        False,
    ),
    "the uid names the other's page": (HOME_COPY, event("b", HOME.replace("https", "http"), title="Une fête"), True),
    "the uid is the other's UUID": (HOME_COPY, event("b", UUID.upper() + "@mobilizon.example", title="Une fête"), True),
    "dates of a series that share a page": (
        event("a", "serie@x#20261205T193000Z", url="https://x.example/s", recurrence_id="2026-12-05T20:30:00+01:00"),
        event(
            "b", "s@y#20261212T193000Z", url="https://x.example/s", recurrence_id="2026-12-12T20:30:00+01:00", starts_at=AT + timedelta(7)
        ),
        False,
    ),
    "same title, hour and place": (event(place=SALLE), event("b", title="CONCERT  de Printemps !", place=SALLE), True),
    "our own feed's word for cancelled": (event(), event("b", title="ANNULÉ : Concert de printemps"), True),
    "the hour in another zone": (event(), event("b", starts_at=AT.astimezone(UTC), timezone="Europe/London"), True),
    "in one source": (event("a", "urn:1"), event("a", "urn:2"), False),
    "without a title": (event(title=""), event("b", title=" ! "), False),
    "another title": (event(), event("b", title="Concert d'hiver"), False),
    "15 h and 20 h": (event(), event("b", starts_at=AT - timedelta(hours=5, minutes=30)), False),
    "another town": (event(place=replace(SALLE, locality="Quimper")), event("b", place=SALLE), False),
    "another hall": (event(place=Place(name="Le Vauban", locality="Brest")), event("b", place=SALLE), False),
    "one without place": (event(place=SALLE), event("b"), True),
    "only the town": (event(place=SALLE), event("b", place=BREST), True),
    "an empty place": (event(place=SALLE), event("b", place=Place()), True),
    "the place on one line": (
        event(place=SALLE),
        event("b", place=Place(name="Maison des associations, 4 rue du Port, 29200 Brest, France")),
        True,
    ),
    "200 m": (
        event(place=Place(name="Parc", latitude=48.3904, longitude=-4.4861)),
        event("b", place=Place(name="Jardin", latitude=48.3914, longitude=-4.4861)),
        True,
    ),
    "the same name, ten kilometres away": (
        event(place=Place(name="Mairie", latitude=48.39, longitude=-4.48)),
        event("b", place=Place(name="Mairie", latitude=48.49, longitude=-4.48)),
        False,
    ),
    "a point and a name": (event(place=Place(latitude=48.39, longitude=-4.48)), event("b", place=SALLE), True),
    "the same days": (
        event(start_is_date=True, end_is_date=True, ends_at=AT + timedelta(days=1)),
        event("b", start_is_date=True, starts_at=AT - timedelta(hours=20)),
        True,
    ),
    "the same first day, not the same last": (
        event(start_is_date=True, end_is_date=True, ends_at=AT + timedelta(days=1)),
        event("b", start_is_date=True, end_is_date=True, ends_at=AT + timedelta(days=2)),
        False,
    ),
    "a day and an hour": (event(start_is_date=True), event("b"), False),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(name: str) -> None:
    """Two copies are one event or two, whichever is asked of the other; and alone together they are grouped so."""
    one, other, expected = PAIRS[name]

    assert likeness.same(one, other) is expected
    assert likeness.same(other, one) is expected
    assert groups([one, other]) == ({frozenset({one.source + one.uid, other.source + other.uid})} if expected else set())


def groups(events: list[Event]) -> set[frozenset[str]]:
    """Those of several copies, each by the names of its copies."""
    found = likeness.together([(one, likeness.traits_of(one)) for one in events])
    return {frozenset(events[position].source + events[position].uid for position in group) for group in found}


GROUPS: dict[str, tuple[list[Event], list[str]]] = {
    "three sources": ([event("a"), event("b"), event("c", place=SALLE)], ["aurn:a burn:b curn:c"]),
    "at 15 h and at 20 h, twice each": (
        [
            event("a", "urn:1"),
            event("b", "urn:2"),
            event("a", "urn:3", starts_at=AT - timedelta(hours=5)),
            event("b", "urn:4", starts_at=AT - timedelta(hours=5)),
        ],
        ["aurn:1 burn:2", "aurn:3 burn:4"],
    ),
    "a copy without place could be either of two": (
        [event("a", place=SALLE), event("b", place=replace(SALLE, locality="Quimper")), event("c")],
        [],
    ),
    "only a town leads to the one in that town": (
        [event("a", place=SALLE), event("b", place=replace(SALLE, locality="Quimper")), event("c", place=BREST)],
        ["aurn:a curn:c"],
    ),
    "what one source lists twice stays two": (
        [event("a", "urn:1", place=SALLE), event("a", "urn:2", place=SALLE), event("b", place=SALLE)],
        ["aurn:1 burn:b"],
    ),
    "a page for all events of a calendar names none": (
        [event(s, f"urn:{s}{n}", url="https://x.example/agenda", title=f"{n}", starts_at=AT + timedelta(n)) for s in "ab" for n in (1, 2)],
        ["aurn:a1 burn:b1", "aurn:a2 burn:b2"],
    ),
    "a series, its page the same on each date": (
        [
            event(s, f"{s}#{n}", url="https://x.example/s", title="Cours", starts_at=AT + timedelta(n), place=place)
            for s, place in (("a", SALLE), ("b", Place(name="Gymnase", locality="Quimper")))
            for n in (1, 2, 3)
        ],
        [f"aa#{n} bb#{n}" for n in (1, 2, 3)],
    ),
    "the home copy moved, another has not heard of it": (
        [event("a", HOME, url=HOME, starts_at=AT + timedelta(1)), event("b", url=HOME), event("c", HOME, url=HOME)],
        [f"a{HOME} burn:b c{HOME}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GROUPS)
def test_groups(name: str) -> None:
    """Several copies at once, in every order."""
    events, expected = GROUPS[name]
    for seed in range(20):
        shuffled = random.Random(seed).sample(events, len(events))

        assert groups(shuffled) == {frozenset(group.split(" ")) for group in expected}


PLACES = [None, SALLE, BREST, replace(SALLE, locality="Quimper"), Place(name="Parc", latitude=48.39, longitude=-4.48)]
COPIES = st.builds(
    lambda source, number, title, hours, place, url: event(
        source, f"urn:{source}{number}", title=title, starts_at=AT + timedelta(hours=hours), place=PLACES[place], url=url
    ),
    st.sampled_from("abcd"),
    st.integers(0, 2),
    st.sampled_from(["Bal", "BAL !", "Fête"]),
    st.integers(0, 1),
    st.integers(0, len(PLACES) - 1),
    st.sampled_from([HOME, "https://x.example/agenda", "https://y.example/1"]),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(COPIES, max_size=12, unique_by=lambda one: (one.source, one.uid)), st.randoms(use_true_random=False))
def test_order_does_not_matter(events: list[Event], chance: random.Random) -> None:
    """Any copies in any order make the same groups; no group has two of one source, and each copy is in one at most."""
    shuffled = chance.sample(events, len(events))
    found = groups(events)

    assert groups(shuffled) == found
    named = {one.source + one.uid: one for one in events}
    assert sum(map(len, found)) == len(frozenset().union(*found))
    for group in found:
        sources = [named[name].source for name in group]
        assert len(set(sources)) == len(sources)


def test_the_home_copy_is_preferred() -> None:
    """Read at its own host; else the richest; else the source that the configuration names first."""
    hosts = {"home": frozenset({"mobilizon.example"}), "a": frozenset({"a.example"})}
    plain, page = event("b", HOME, url=HOME, html=""), event("c", "urn:c", url=HOME, html="<p>Oui</p>", image=Attachment(url="https://x/1"))
    home = event("home", HOME, url=HOME, html="")

    order = {"c": 0, "b": 1, "home": 2, "a": 3}
    assert [one.source for one in likeness.preferred([plain, page, home], hosts, order)] == ["home", "c", "b"]
    assert [one.source for one in likeness.preferred([plain, page], {}, order)] == ["c", "b"]
    assert [one.source for one in likeness.preferred([plain, replace(page, html="", image=None)], {}, {"b": 0, "c": 1})] == ["b", "c"]
    calendar = event("a", "1@a.example", html="<p>Oui</p>", place=SALLE)
    assert [one.source for one in likeness.preferred([page, calendar, home], hosts, order)] == ["home", "a", "c"]


def test_ten_thousand_events_of_twenty_sources() -> None:
    """About linear: what is grouped in a moment is ten thousand copies of five hundred events, and hostile ones take no hours."""
    twins = [event(f"s{n % 20}", f"urn:{n}", title=f"Atelier {n // 20}", place=SALLE) for n in range(10_000)]
    hostile = [
        event(f"s{n % 20}", f"urn:{n}", title="Bal", url="https://x.example/agenda", place=Place(name=f"Salle {n}")) for n in range(2_000)
    ]
    copies = [[(one, likeness.traits_of(one)) for one in events] for events in (twins, hostile)]
    began = time.process_time()

    assert len(likeness.together(copies[0])) == 500
    assert likeness.together(copies[1]) == []
    assert time.process_time() - began < 10

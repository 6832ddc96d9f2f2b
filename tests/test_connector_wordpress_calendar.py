"""The WordPress publisher with The Events Calendar: events with their own dates; the contract again, since it is another API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.wordpress import WordpressPublisher
from connectors.wordpress.calendar import event_fields
from syndicator.contract import Association
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Actor, Attachment, Event, Place, Rendition
from syndicator.render import render
from syndicator.route import Style
from syndicator.sandbox.server import Fault, Simulator
from syndicator.sandbox.wordpress import WordpressSimulator, refused
from syndicator.sandbox.wordpress_world import Entry
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_event, make_rendition
from syndicator.testing.makers import PARIS
from tests.clock import Clock
from tests.media_scene import Files
from tests.test_connector_wordpress import answer, made, only, options_for, sent

EVENTS = "/tribe/events/v1/events"
ASSO = Association(name="Les Amis du Vélo", language="fr")
TOKYO = ZoneInfo("Asia/Tokyo")


class Calendar(WordpressPublisher):
    """What it is given is an event."""

    async def publish(self, rendition: Rendition, key: str, **more: Any) -> Any:
        return await super().publish(_with_event(rendition), key, **more)

    async def find(self, key: str, rendition: Rendition, **more: Any) -> Any:
        return await super().find(key, _with_event(rendition), **more)

    async def update(self, receipt: Any, rendition: Rendition) -> Any:
        return await super().update(receipt, _with_event(rendition))


def _with_event(rendition: Rendition) -> Rendition:
    return replace(rendition, event=make_event())


class TestCalendar(PublisherContract):
    """As an author of a site that has the plugin."""

    connector = Calendar
    path = EVENTS
    dialect = (
        ("a dead password", answer(401, refused(401, "rest_forbidden"), path=EVENTS), AuthExpired),
        ("a date it does not read", answer(400, refused(400, "rest_invalid_param", params={"start_date": "non"}), path=EVENTS), Rejected),
        ("something that is missing", answer(400, refused(400, "rest_missing_callback_param"), path=EVENTS), Rejected),
        ("a venue it does not take", answer(400, refused(400, "could-not-create-venue"), path=EVENTS), Rejected),
        ("a plugin that is off again", answer(404, refused(404, "rest_no_route"), path=EVENTS), Rejected),
        ("a limit", answer(429, HTML_ERROR, path=EVENTS, kind="text/html"), RateLimited),
        ("PHP that died", answer(500, HTML_ERROR, path=EVENTS, kind="text/html"), OutcomeUnknown),
    )

    async def start(self) -> Simulator:
        server = WordpressSimulator(now=lambda: NOW)
        server.blog.calendar = True
        return await server.start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, WordpressSimulator)
        return [entry.text for entry in simulator.blog.shown("tribe_events")]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, WordpressSimulator)
        simulator.blog.password = "another"


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[WordpressSimulator]:
    async with WordpressSimulator(now=clock) as server:
        server.blog.calendar = True
        yield server


@pytest.fixture
async def publisher(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> WordpressPublisher:
    return await made(server, sessions, tmp_path, clock)


def shown(publisher: WordpressPublisher, event: Event) -> Rendition:
    (rendition,) = render(event, publisher.limits, Style(), association=ASSO)
    return rendition


async def test_an_event_is_an_event(publisher: WordpressPublisher, server: WordpressSimulator, files: Files) -> None:
    """With its own clock, its venue, organiser, page and picture; a post stays a post."""
    event = make_event(
        organizer=Actor(name="Les Amis du Vélo", url="https://mobilizon.example/@amis"),
        image=Attachment(url=f"{files.url}/0.jpg", description="Un établi"),
    )
    receipt = await sent(publisher, shown(publisher, event))
    await sent(publisher, make_rendition(text="Une nouvelle"), "post")

    (entry,), (post,) = server.blog.shown("tribe_events"), server.blog.shown("post")
    venue, organizer = (server.blog.linked[kind][entry.event[kind]] for kind in ("venue", "organizer"))
    assert {name: entry.event[name] for name in ("start_date", "end_date", "timezone", "all_day", "website")} == {
        "start_date": "2026-12-05 20:30:00",
        "end_date": "2026-12-05 22:30:00",
        "timezone": "Europe/Paris",
        "all_day": False,
        "website": event.url,
    }
    assert venue == {"venue": "La Maison", "address": "3 rue du Port", "city": "Brest", "zip": "29200", "country": "France"}
    assert organizer == {"organizer": "Les Amis du Vélo", "website": "https://mobilizon.example/@amis"}
    assert server.blog.library[entry.featured].alt == "Un établi"
    assert (entry.title, receipt.url) == ("Atelier vélo", f"{server.url}/event/{entry.slug}/")
    assert "Une nouvelle" in post.text


def _at(*when: int, zone: Any = PARIS) -> datetime:
    return datetime(*when, tzinfo=zone)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(("changes", "start", "end", "whole"), [
    ({}, "2026-12-05 20:30:00", "2026-12-05 22:30:00", False),
    ({"ends_at": None}, "2026-12-05 20:30:00", "2026-12-05 20:30:00", False),
    # Kept in UTC by the store: the clock is the event's own, in winter and in summer.
    ({"starts_at": _at(2026, 7, 14, 18, zone=UTC), "ends_at": _at(2026, 7, 14, 22, 30, zone=UTC)}, "2026-07-14 20:00:00",
     "2026-07-15 00:30:00", False),
    ({"starts_at": _at(2026, 12, 5, 3, zone=UTC), "ends_at": None, "timezone": "Asia/Tokyo"}, "2026-12-05 12:00:00",
     "2026-12-05 12:00:00", False),
    # Across the change of clocks.
    ({"starts_at": _at(2027, 3, 27, 22), "ends_at": _at(2027, 3, 28, 4)}, "2027-03-27 22:00:00", "2027-03-28 04:00:00", False),
    # Whole days: their dates are those of the event's zone.
    ({"starts_at": _at(2026, 12, 4, 23, zone=UTC), "ends_at": None, "start_is_date": True}, "2026-12-05 00:00:00",
     "2026-12-05 23:59:59", True),
    ({"starts_at": _at(2026, 12, 5), "ends_at": _at(2026, 12, 7), "start_is_date": True, "end_is_date": True}, "2026-12-05 00:00:00",
     "2026-12-07 23:59:59", True),
    ({"starts_at": _at(2026, 12, 5), "ends_at": _at(2026, 12, 7), "start_is_date": True}, "2026-12-05 00:00:00",
     "2026-12-06 23:59:59", True),
    # No clock is made up for a last day that has none.
    ({"ends_at": _at(2026, 12, 7), "end_is_date": True}, "2026-12-05 00:00:00", "2026-12-07 23:59:59", True),
    ({"ends_at": _at(2026, 12, 5, 21), "end_is_date": True}, "2026-12-05 20:30:00", "2026-12-05 20:30:00", False),
    ({"timezone": "Mars/Olympus"}, "2026-12-05 19:30:00", "2026-12-05 21:30:00", False),
])  # fmt: skip
def test_dates_are_those_of_the_events_own_clock(changes: dict[str, Any], start: str, end: str, whole: bool) -> None:
    """Whatever zone the site keeps."""
    event = make_event(**changes)
    found = event_fields(event, None)

    assert (found["start_date"], found["end_date"], found["all_day"]) == (start, end, whole)
    assert found["timezone"] == ("UTC" if event.timezone == "Mars/Olympus" else event.timezone)


@pytest.mark.parametrize(("place", "expected"), [
    (None, {}), (Place(), {}), (Place(country="France"), {}),
    (Place(name="Salle"), {"venue": {"venue": "Salle"}}),
    (Place(street="1 rue", locality="Brest"), {"venue": {"venue": "1 rue, Brest", "address": "1 rue", "city": "Brest"}}),
])  # fmt: skip
def test_a_venue_has_a_name(place: Place | None, expected: Any) -> None:
    """The plugin wants one."""
    assert {name: value for name, value in event_fields(make_event(place=place), None).items() if name == "venue"} == expected


async def test_a_moved_then_cancelled_event(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """One event throughout: its new date, then that it is cancelled, in words; its venue is the same one."""
    event = make_event()
    receipt = await sent(publisher, shown(publisher, event))
    later = replace(event, starts_at=_at(2026, 12, 12, 20, 30), ends_at=_at(2026, 12, 12, 22, 30))
    receipt = await publisher.update(receipt, shown(publisher, later))
    assert only(server).event["start_date"] == "2026-12-12 20:30:00"
    await publisher.update(receipt, shown(publisher, replace(later, status="cancelled")))

    assert "annul" in only(server).title.lower()
    assert len(server.blog.linked["venue"]) == 1


async def test_in_whole_days_from_now_on(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """And back to a clock."""
    receipt = await sent(publisher, shown(publisher, make_event()))
    receipt = await publisher.update(receipt, shown(publisher, make_event(start_is_date=True, ends_at=None)))
    assert only(server).event["all_day"] is True
    await publisher.update(receipt, shown(publisher, make_event()))

    assert (only(server).event["all_day"], only(server).event["start_date"]) == (False, "2026-12-05 20:30:00")


async def test_nothing_is_made_twice(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """A draft, found by its address, shown by its number; a lost answer is looked for."""
    rendition = shown(publisher, make_event())
    server.fault(Fault(action="lose", method="POST", path=EVENTS))
    with pytest.raises(Transient):
        await publisher.prepare(rendition, "key")
    prepared = await publisher.prepare(rendition, "key")
    assert (server.blog.shown(), len(server.blog.entries)) == ([], 1)
    assert await publisher.find("key", rendition, prepared=prepared) is None
    server.fault(Fault(action="mask", method="POST", path=EVENTS, status=500, body=HTML_ERROR))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    found = await publisher.find("key", rendition, prepared=prepared)

    assert found == await publisher.publish(rendition, "key", prepared=prepared)
    assert len(server.blog.shown()) == 1
    server.blog.entries.clear()
    assert await publisher.find("key", rendition, prepared=prepared) is None
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)


async def test_in_the_trash(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """Ours or somebody else's doing: gone."""
    receipt = await sent(publisher, shown(publisher, make_event()))
    await publisher.delete(receipt)
    assert [entry.status for entry in server.blog.entries.values()] == ["trash"]
    for attempt in (publisher.update(receipt, shown(publisher, make_event())), publisher.delete(receipt)):
        with pytest.raises(Gone):
            await attempt


async def test_an_event_that_waits_for_review(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """The plugin says nothing of it but in its answer: a person is told."""
    server.blog.calendar_reviews = True
    with pytest.raises(Rejected) as caught:
        await sent(publisher, shown(publisher, make_event()))

    assert "relecture" in (caught.value.hint or {})["fr"]


async def test_what_only_speaks_of_an_event_is_a_post(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """A reminder is no second event."""
    (reminder,) = render(make_event(), publisher.limits, Style(), association=ASSO, purpose="remind")
    await sent(publisher, reminder)

    assert [entry.type for entry in server.blog.shown()] == ["post"]


async def test_categories_and_tags_of_an_event(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """The plugin's own categories, the site's tags."""
    server.blog.account.role = "editor"
    publisher = await made(server, sessions, tmp_path, clock, categories=("Sorties",), tags=("R&D",))
    await sent(publisher, shown(publisher, make_event()))

    entry: Entry = only(server)
    assert [server.blog.terms["event_categories"][one] for one in entry.categories] == ["Sorties"]
    assert [server.blog.terms["tags"][one] for one in entry.tags] == ["R&amp;D"]


@pytest.mark.parametrize(("there", "events", "expected"), [
    (True, "auto", True), (True, "tec", True), (True, "post", False), (False, "auto", False), (False, "post", False),
])  # fmt: skip
async def test_what_an_event_becomes(
    server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, there: bool, events: str, expected: bool
) -> None:
    """Seen when opening."""
    server.blog.calendar = there
    publisher = await made(server, sessions, tmp_path, clock, events=events)
    await sent(publisher, shown(publisher, make_event()))

    assert only(server).type == ("tribe_events" if expected else "post")


async def test_a_calendar_that_is_not_there(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """Said when opening, where it was asked for."""
    server.blog.calendar = False
    with pytest.raises(Rejected) as caught:
        await made(server, sessions, tmp_path, clock, events="tec")

    assert 'events = "post"' in (caught.value.hint or {})["fr"]


async def test_a_plugin_that_came_later(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """What is a post stays one, and is corrected as one."""
    server.blog.calendar = False
    receipt = await sent(await made(server, sessions, tmp_path, clock), make_rendition(title="Atelier"))
    server.blog.calendar = True
    publisher = await made(server, sessions, tmp_path, clock)
    await publisher.update(receipt, shown(publisher, make_event(title="Atelier déplacé")))

    assert (only(server).type, only(server).title) == ("post", "Atelier déplacé")

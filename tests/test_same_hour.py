"""One table: the page, the data, the feed, the calendar, the posts and the mail all say the same day and hour.

Each form is read by a reader of its own, that knows nothing of the code that wrote it, into day, hour and offset, and compared with the
table. A new form is one more line of ``FORMS``.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from selectolax.lexbor import LexborHTMLParser, LexborNode

from connectors.ical import IcalProjection
from connectors.mastodon import MastodonPublisher
from connectors.telegram import TelegramPublisher
from connectors.website import WebsiteProjection
from connectors.website.static import StaticProjection
from syndicator.contract import Association
from syndicator.http import Sessions
from syndicator.letter.compose import compose
from syndicator.letter.newsletter import Newsletter, Wanted
from syndicator.letter.schedule import parse
from syndicator.letter.shape import Letter, shape
from syndicator.render import render
from syndicator.route import Style
from syndicator.sandbox.caldav import CaldavSimulator
from syndicator.testing import NOW, make_context, make_view
from tests.caldav_scene import project
from tests.same_hour_spoken import spoken
from tests.same_hour_table import TABLE, Detail, Moment, Row, When, at, said

BY_TITLE = {row.title: row for row in TABLE}
ASSOCIATION = Association(name="Les Amis du Vélo", url="https://asso.example/")
Read = Mapping[str, set[When]]
"""Title → everything that one form says of when it is."""


@dataclass(frozen=True)
class Shown:
    """Everything that was written of the table."""

    public: Path
    objects: Mapping[str, bytes]
    """The calendar on the CalDAV server."""
    site: Path
    """The sources of a Hugo site."""
    letter: Letter


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Written once, by the projections as they are."""
    return asyncio.run(_written(tmp_path_factory.mktemp("same-hour")))


async def _written(folder: Path) -> Shown:
    sessions = Sessions()
    context = make_context(folder, sessions, association=ASSOCIATION)
    view = make_view([row.event for row in TABLE])
    site = folder / "site"
    site.mkdir()
    try:
        for projection in (
            WebsiteProjection(WebsiteProjection.Options(), context),
            StaticProjection(StaticProjection.Options(generator="hugo", site=site), make_context(folder, sessions, name="static")),
            IcalProjection(IcalProjection.Options(), make_context(folder, sessions, name="ical", association=ASSOCIATION)),
        ):
            await projection.open()
            await projection.project(view)
            await projection.close()
        async with CaldavSimulator() as simulator:
            await project(simulator, folder, sessions, view)
            return Shown(folder / "public", dict(simulator.objects), site, letter())
    finally:
        await sessions.close()


def letter() -> Letter:
    """The newsletter that tells all of them."""
    newsletter = Newsletter(
        name="lettre", schedule=parse("chaque lundi à 9h"), title="La lettre", sources=("agenda",), destinations=("liste",),
        sections=(Wanted(within=timedelta(days=400), most=100),),
    )  # fmt: skip
    events = [row.event for row in TABLE]
    arrived = dict.fromkeys([event.uid for event in events], NOW)
    return shape(compose(newsletter, events, arrived, (), NOW - timedelta(days=7), NOW, ASSOCIATION), ASSOCIATION)


def collected(pairs: Iterator[tuple[str, When]]) -> Read:
    found: dict[str, set[When]] = {}
    for title, when in pairs:
        found.setdefault(title, set()).add(when)
    return found


# Readers


def moment(text: str) -> Moment:
    """ISO 8601 as HTML, JSON-LD and our data have it: a bare date, or an hour with its offset."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return Moment(date.fromisoformat(text))
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}", text), text
    whole = datetime.fromisoformat(text)
    return Moment(whole.date(), whole.time(), whole.utcoffset())


def pair(start: str, end: str | None) -> When:
    return When(moment(start), moment(end) if end else None)


def title_around(node: LexborNode) -> str:
    """Whose date it is: the nearest part of the page that names one of the events."""
    around: LexborNode | None = node
    while around is not None:
        words = [text.strip() for text in around.text(separator="\n").split("\n")]
        named = {title for title in BY_TITLE if title in words}
        if named:
            assert len(named) == 1, named
            return named.pop()
        around = around.parent
    raise AssertionError(f"nobody's: {node.html}")


def times(shown: Shown, pattern: str) -> Iterator[LexborNode]:
    paths = sorted(shown.public.glob(pattern))
    assert paths, f"there is no {pattern}"
    for path in paths:
        yield from LexborHTMLParser(path.read_text(encoding="utf-8")).css("time")


def in_attributes(pattern: str) -> Callable[[Shown], Read]:
    """``<time datetime>`` of pages."""
    return lambda shown: collected(
        (title_around(node), When(moment(str(node.attributes["datetime"])))) for node in times(shown, pattern)
    )  # fmt: skip


def in_words(pattern: str) -> Callable[[Shown], Read]:
    """What people read there."""
    return lambda shown: collected((title_around(node), spoken(node.text(), "fr")) for node in times(shown, pattern))


def structured(shown: Shown) -> Read:
    """schema.org Event, of each event's own page."""

    def each() -> Iterator[tuple[str, When]]:
        for path in sorted((shown.public / "events").glob("*.html")):
            node = LexborHTMLParser(path.read_text(encoding="utf-8")).css_first('script[type="application/ld+json"]')
            assert node is not None, path
            event = json.loads(node.text())
            yield event["name"], pair(event["startDate"], event.get("endDate"))

    return collected(each())


def data(shown: Shown) -> list[dict[str, Any]]:
    whole = json.loads((shown.public / "events.json").read_bytes())
    return [*whole["upcoming"], *whole["past"]]


def widget(shown: Shown) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads((shown.public / "widget.json").read_bytes())["events"]
    return events


def feed_words(shown: Shown) -> Iterator[tuple[str, When]]:
    """The line that begins with "Quand"."""
    for item in json.loads((shown.public / "feed.json").read_bytes())["items"]:
        text = LexborHTMLParser(item["content_html"]).text(separator=" ")
        line = re.search(r"Quand\s:(.*?)Venez", text, re.DOTALL)
        assert line, text
        yield item["title"], spoken(line[1], "fr")


def calendar(data: bytes) -> Iterator[tuple[str, When]]:
    """iCalendar, by its lines, and by dateutil, that knows no timezone but those that the file itself defines."""
    lines = data.decode().replace("\r\n ", "").split("\r\n")
    zones = tzical(io.StringIO("\n".join(lines))) if any(line.startswith("BEGIN:VTIMEZONE") for line in lines) else None
    for text in "\n".join(lines).split("BEGIN:VEVENT")[1:]:
        title = re.search(r"^SUMMARY:(.*)$", text, re.MULTILINE)
        assert title
        start, end = (re.search(rf"^{name}((?:;[^:]*)?):(.*)$", text, re.MULTILINE) for name in ("DTSTART", "DTEND"))
        assert start
        yield title[1], When(_ical(start[1], start[2], zones, title[1]), _ical(end[1], end[2], zones, title[1], last=True) if end else None)


def _ical(parameters: str, value: str, zones: Any, title: str, *, last: bool = False) -> Moment:
    if "VALUE=DATE" in parameters:
        day = date.fromisoformat(value)
        return Moment(day - timedelta(days=1) if last else day)  # DTEND is the day after (RFC 5545 3.6.1)
    if value.endswith("Z"):
        instant = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        here = instant.astimezone(ZoneInfo(BY_TITLE[title].event.timezone))
        return Moment(here.date(), here.time(), here.utcoffset())
    named = re.fullmatch(r";TZID=([^;]+)", parameters)
    assert named, parameters
    assert named[1] == BY_TITLE[title].event.timezone
    wall = datetime.fromisoformat(value)
    return Moment(wall.date(), wall.time(), wall.replace(tzinfo=zones.get(named[1])).utcoffset())


def pages(shown: Shown) -> list[dict[str, Any]]:
    """What stands in front of each page of the Hugo site."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((shown.site / "content" / "events").glob("*.md"))]
    return [json.loads(line.removeprefix("event: ")) for text in texts for line in text.splitlines() if line.startswith("event: ")]


def below_titles(text: str) -> Iterator[tuple[str, When]]:
    """The line that follows each title."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    yield from ((line, spoken(after, "fr")) for line, after in pairwise(lines) if line in BY_TITLE)


def mail(shown: Shown) -> str:
    body = LexborHTMLParser(shown.letter.html).body
    assert body is not None
    return body.text(separator="\n")


def posted(publisher: Any, language: str) -> Callable[[Shown], Read]:
    """What a post says, by the network's own limits and markup."""

    def each() -> Iterator[tuple[str, When]]:
        for row in TABLE:
            association = Association(name="Les Amis du Vélo", language=language)
            parts = render(replace(row.event, language=language), publisher.limits, Style(), association=association)
            assert len(parts) == 1
            text = LexborHTMLParser(parts[0].text).text() if publisher.limits.markup == "html" else parts[0].text
            yield row.title, spoken(text, language)  # type: ignore[arg-type]

    return lambda _: collected(each())


FORMS: Mapping[str, tuple[Detail, Callable[[Shown], Read]]] = {
    "index.html": ("start", in_attributes("index.html")),
    "index.html, in words": ("no-offset", in_words("index.html")),
    "events.html": ("start", in_attributes("events.html")),
    "events.html, in words": ("no-offset", in_words("events.html")),
    "each event's page": ("start", in_attributes("events/*.html")),
    "each event's page, in words": ("no-offset", in_words("events/*.html")),
    "JSON-LD": ("everything", structured),
    "archive, in words": ("no-offset", in_words("archive/2*.html")),
    "events.json": ("everything", lambda shown: collected((one["title"], pair(one["start"], one["end"])) for one in data(shown))),
    "events.json, in words": ("no-offset", lambda shown: collected((one["title"], spoken(one["when"], "fr")) for one in data(shown))),
    "widget.json": ("everything", lambda shown: collected((one["title"], pair(one["start"], one.get("end"))) for one in widget(shown))),
    "widget.json, in French": (
        "no-offset", lambda shown: collected((one["title"], spoken(one["when"]["fr"], "fr")) for one in widget(shown)),
    ),
    "widget.json, in English": (
        "no-offset", lambda shown: collected((one["title"], spoken(one["when"]["en"], "en")) for one in widget(shown)),
    ),
    "feed.json, in words": ("no-offset", lambda shown: collected(feed_words(shown))),
    "agenda.ics": ("everything", lambda shown: collected(calendar((shown.public / "agenda.ics").read_bytes()))),
    "CalDAV": ("everything", lambda shown: collected(pair for one in shown.objects.values() for pair in calendar(one))),
    "a Hugo site's data": (
        "everything",
        lambda shown: collected(
            (one["title"], pair(one["start"], one["end"]))
            for one in json.loads((shown.site / "data" / "agenda.json").read_bytes())["upcoming"]
        ),
    ),
    "a Hugo site's pages": ("everything", lambda shown: collected((one["title"], pair(one["start"], one["end"])) for one in pages(shown))),
    "mail": ("no-offset", lambda shown: collected(below_titles(mail(shown)))),
    "mail, its text": ("no-offset", lambda shown: collected(below_titles(shown.letter.text))),
    "Mastodon, in French": ("no-offset", posted(MastodonPublisher, "fr")),
    "Mastodon, in English": ("no-offset", posted(MastodonPublisher, "en")),
    "Telegram, in French": ("no-offset", posted(TelegramPublisher, "fr")),
    "Telegram, in English": ("no-offset", posted(TelegramPublisher, "en")),
}  # fmt: skip


def truth(row: Row, detail: Detail) -> set[When]:
    return {said(row.when, detail)}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_day_and_hour(shown: Shown, form: str) -> None:
    """Every event of the table, each once or always the same, on its own clock; days have no hour."""
    detail, read = FORMS[form]

    assert read(shown) == {row.title: truth(row, detail) for row in TABLE}


@pytest.mark.parametrize(("title", "clock"), [("Ailleurs demain", "Noumea"), ("Ailleurs hier", "Toronto")])
def test_another_clock_is_named(shown: Shown, title: str, clock: str) -> None:
    """In every sentence about an event that is not on the association's clock; days need none."""
    (when,) = {one["when"] for one in data(shown) if one["title"] == title}
    pages = [node.text() for node in [*times(shown, "index.html"), *times(shown, "events/*.html")] if title_around(node) == title]
    posts = [
        render(BY_TITLE[title].event, publisher.limits, Style(), association=ASSOCIATION)[0].text
        for publisher in (MastodonPublisher, TelegramPublisher)
    ]
    mails = [text.split(title)[-1].split("Venez")[0] for text in (mail(shown), shown.letter.text)]

    assert len(pages) == 2
    assert [text for text in [when, *pages, *posts, *mails] if clock not in text] == []
    assert not any("heure locale" in one["when"] for one in data(shown) if not one["title"].startswith("Ailleurs"))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.title)
def test_the_table_is_true(row: Row) -> None:
    """What it says of an event is the instant that the event has."""
    event = row.event
    begins, ends = (event.starts_at, event.start_is_date), (event.ends_at, event.end_is_date)
    for told, (instant, is_date) in ((row.when.start, begins), (row.when.end, ends)):
        assert (told is None) == (instant is None)
        if told is None or instant is None:
            continue
        here = instant.astimezone(ZoneInfo(event.timezone))
        assert told == (Moment(here.date()) if is_date else Moment(here.date(), here.time(), here.utcoffset()))


@pytest.mark.parametrize(("text", "language", "when"), [
    ("samedi 5 décembre 2026 de 20h30 à 22h30", "fr", When(at("2026-12-05 20:30", "+00:00"), at("2026-12-05 22:30", "+00:00"))),
    ("samedi 5 décembre 2026 à 20h (heure locale, Noumea)", "fr", When(at("2026-12-05 20:00", "+00:00"))),
    ("samedi 5 décembre 2026 de 22h à 4h", "fr", When(at("2026-12-05 22:00", "+00:00"), at("2026-12-06 04:00", "+00:00"))),
    ("du 5 au 7 décembre 2026", "fr", When(at("2026-12-05"), at("2026-12-07"))),
    ("du 30 décembre 2026 au 1er janvier 2027", "fr", When(at("2026-12-30"), at("2027-01-01"))),
    ("Saturday 5 December 2026 from 8:30 pm to 12:15 am", "en", When(at("2026-12-05 20:30", "+00:00"), at("2026-12-06 00:15", "+00:00"))),
    ("5 to 7 December 2026", "en", When(at("2026-12-05"), at("2026-12-07"))),
])  # fmt: skip
def test_words_are_understood(text: str, language: Any, when: When) -> None:
    """The reader of sentences reads them."""
    assert spoken(text, language) == said(when, "no-offset")


@pytest.mark.parametrize("text", ["dimanche 5 décembre 2026 à 20h30", "le 5", "à 20h30", "5 mai 2026, 6 mai 2026, 7 mai 2026", ""])
def test_wrong_words_are_not(text: str) -> None:
    """A weekday that is not that day's, half a date, none, too many."""
    with pytest.raises(ValueError):  # noqa: PT011
        spoken(text, "fr")


@pytest.mark.parametrize(("was", "is_now"), [
    (b"DTSTART;TZID=Europe/Paris:20261205T203000", b"DTSTART;TZID=Europe/Paris:20261205T193000"),
    (b"TZOFFSETTO:+0100", b"TZOFFSETTO:+0000"), (b"DTSTART;VALUE=DATE:20261205", b"DTSTART;VALUE=DATE:20261204"),
])  # fmt: skip
def test_a_wrong_calendar_would_be_seen(shown: Shown, was: bytes, is_now: bytes) -> None:
    """An hour, an offset or a day that is not the event's makes the comparison fail."""
    right = (shown.public / "agenda.ics").read_bytes()
    assert was in right
    assert collected(calendar(right.replace(was, is_now))) != collected(calendar(right))


def test_nothing_else_in_the_table_has_a_digit() -> None:
    """What is read as a date is one."""
    assert not [row.title for row in TABLE if re.search(r"\d", row.title + row.event.html)]

"""The ical projection: the contract, two independent readers, and what calendar programs choke on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from icalendar import Calendar

from connectors.ical import Feed, IcalProjection
from connectors.ical.projection import fold, slug
from connectors.ical.vtimezone import vtimezone
from syndicator.contract import Association, View
from syndicator.errors import Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Actor, Attachment, Event, Offer, Place
from syndicator.testing import NOW, PARIS, ProjectionContract, make_context, make_event, make_post, make_view

READER = Path(__file__).parent / "ical_reader.mjs"


class TestIcalProjection(ProjectionContract):
    """One feed for everything."""

    connector = IcalProjection


class TestManyFeeds(ProjectionContract):
    """A feed for each tag and source beside two chosen ones."""

    connector = IcalProjection

    def options(self) -> Any:
        feeds = (Feed(file="agenda.ics"), Feed(file="velo.ics", name="Vélo", tags=("velo",)))
        return IcalProjection.Options(feeds=feeds, each=("tag", "source"), folder="agendas/publics")


async def project(
    tmp_path: Path,
    sessions: Sessions,
    view: View,
    *,
    now: datetime = NOW,
    association: Association | None = None,
    **options: Any,
) -> dict[str, bytes]:
    """The public files after one projection."""
    context = make_context(tmp_path, sessions, now=lambda: now, association=association)
    projection = IcalProjection(IcalProjection.Options(**options), context)
    await projection.open()
    await projection.project(view)
    await projection.close()
    return {path.name: path.read_bytes() for path in sorted(context.public_dir.rglob("*")) if path.is_file()}


def by_ical_js(folder: Path, data: bytes) -> dict[str, Any]:
    """What ical.js understands, knowing no timezone but those of the file."""
    node = shutil.which("node")
    assert node, "Node.js is missing: the second reader of our feeds needs it; ./run test installs everything"
    assert (READER.parent / "node_modules" / "ical.js").is_dir(), "tests/node_modules is missing: ./run test installs it (npm ci in tests/)"
    path = folder / "feed-to-read.ics"
    path.write_bytes(data)
    done = subprocess.run([node, str(READER), str(path)], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def paris(*args: int) -> datetime:
    return datetime(*args, tzinfo=PARIS)  # type: ignore[arg-type,misc]


NASTY = make_event(
    uid="https://mobilizon.example/events/nasty",
    title="Bal; « costumé », 100 % \\ gratuit\r\nBEGIN:VALARM\x00\x07 \ud800 " + "é" * 120,
    html="<p>Ligne 1,<br>ligne 2 ; <a href='https://x.example/a,b'>ici</a></p><script>alert(1)</script>" + "<p>🚲</p>" * 60,
    tags=("a,b", "c;d", "é\\", "  "),
    place=Place(name="Salle; B", street="1, rue «é»", locality="Brest", latitude=48.3904, longitude=-4.4861),
    online_url="https://visio.example/salle;1",
    organizer=Actor(name='La "Maison":;,', url="https://mobilizon.example/@maison"),
    image=Attachment(url="https://mobilizon.example/media/fête.jpg"),
    offers=(Offer(price="5"),),
    ticket_url="javascript:alert(1)",
    sequence=3,
)
EVENTS = [
    make_event(),
    NASTY,
    make_event(uid="urn:point", ends_at=paris(2026, 12, 5, 20, 30)),
    make_event(uid="urn:no-end", ends_at=None),
    make_event(
        uid="urn:clocks", title="Nuit", starts_at=paris(2027, 3, 27, 22), ends_at=paris(2027, 3, 28, 6)
    ),
    make_event(uid="urn:second-hour", starts_at=paris(2026, 10, 25, 2, 30).replace(fold=1), ends_at=paris(2026, 10, 25, 4)),
    make_event(uid="urn:nouméa", timezone="Pacific/Noumea"),
    make_event(uid="urn:casablanca", timezone="Africa/Casablanca", starts_at=datetime(2027, 2, 20, 20, tzinfo=UTC), ends_at=None),
    make_event(uid="urn:utc", timezone="UTC"),
    make_event(uid="urn:unknown-zone", timezone="Mars/Olympus"),
    make_event(uid="urn:day", starts_at=paris(2026, 12, 5), ends_at=None, start_is_date=True),
    make_event(uid="urn:days", starts_at=paris(2026, 12, 5), ends_at=paris(2026, 12, 7, 23, 59, 59), start_is_date=True, end_is_date=True),
]  # fmt: skip


async def test_two_independent_readers_see_the_same(tmp_path: Path, sessions: Sessions) -> None:
    """Python's icalendar and ical.js find every event once, at the same instants, with every timezone defined in the file."""
    data = (await project(tmp_path, sessions, make_view(EVENTS)))["agenda.ics"]
    calendar = Calendar.from_ical(data)
    ours = {str(event["UID"]): event for event in calendar.events}
    read = by_ical_js(tmp_path, data)
    theirs = {event["uid"]: event for event in read["events"]}

    assert calendar.get_missing_tzids() == set()
    assert list(calendar.errors) == []
    assert len(read["events"]) == len(calendar.events) == len(EVENTS)
    assert set(ours) == set(theirs) == {event.uid for event in EVENTS}
    for source in EVENTS:
        mine, other = ours[source.uid], theirs[source.uid]
        assert [str(mine["SUMMARY"]), str(mine["DESCRIPTION"]), str(mine["LOCATION"])] == [
            other["summary"], other["description"], other["location"]
        ]  # fmt: skip
        if not source.start_is_date:
            assert mine["DTSTART"].dt.timestamp() == other["starts"]["unix"] == source.starts_at.timestamp()
            assert other["starts"]["known"]
        if source.ends_at and "DTEND" in mine and not source.start_is_date:
            assert mine["DTEND"].dt.timestamp() == other["ends"]["unix"] == source.ends_at.timestamp()


async def test_everything_hostile_is_escaped(tmp_path: Path, sessions: Sessions) -> None:
    """Separators, newlines, controls, surrogates, quotes and other schemes come out as text, or not at all."""
    data = (await project(tmp_path, sessions, make_view([NASTY])))["agenda.ics"]
    event = by_ical_js(tmp_path, data)["events"][0]
    parsed = Calendar.from_ical(data).events[0]

    assert event["summary"] == "Bal; « costumé », 100 % \\ gratuit BEGIN:VALARM " + "é" * 120
    assert event["description"].startswith("Ligne 1,\nligne 2 ; ici (https://x.example/a,b)\n\n🚲")
    assert event["description"].endswith("Tarif : 5 EUR\nEn ligne : https://visio.example/salle;1\n\n" + NASTY.url)
    assert event["location"] == "Salle; B, 1, rue «é», Brest"
    assert event["categories"] == ["a,b", "c;d", "é\\"]
    assert parsed.categories == ["a,b", "c;d", "é\\"]
    assert event["geo"] == [48.3904, -4.4861]
    assert event["image"] == "https://mobilizon.example/media/f%C3%AAte.jpg"
    assert event["conference"] == "https://visio.example/salle;1"
    assert (event["organizer"], event["cn"]) == ("https://mobilizon.example/@maison", "La 'Maison':;,")
    assert event["sequence"] == 3
    assert b"javascript" not in data
    assert b"alert" not in data
    assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", data)


async def test_lines(tmp_path: Path, sessions: Sessions) -> None:
    """CRLF and nothing else, at most 75 octets, no character cut in two (RFC 5545 3.1)."""
    data = (await project(tmp_path, sessions, make_view(EVENTS)))["agenda.ics"]
    lines = data.split(b"\r\n")

    assert lines.pop() == b""
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(len(line) for line in lines) <= 75
    for line in lines:
        line.decode()


async def test_the_whole_of_a_plain_feed(tmp_path: Path, sessions: Sessions) -> None:
    """Every property, as it is written, with a cancelled event kept and marked."""
    event = make_event(
        uid="https://m.example/e/1", url="https://m.example/e/1", status="cancelled", sequence=2, tags=("Vélo",), html="<p>Venez.</p>",
        image=Attachment(url="https://m.example/1.png", media_type="image/png"), online_url="https://v.example/",
        organizer=Actor(name="Asso", url="https://m.example/@asso"), place=Place(name="Ici", latitude=1.5, longitude=2.0),
    )  # fmt: skip
    view = replace(make_view([event]), changed_at={event.uid: NOW - timedelta(hours=1, microseconds=7)})
    feeds = (Feed(file="agenda.ics", name="Agenda; tout", description="Nos dates, toutes"),)
    data = (await project(tmp_path, sessions, view, feeds=feeds, color="teal"))["agenda.ics"]

    assert data.decode().replace("\r\n ", "").split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//syndicator//iCalendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "DESCRIPTION:Nos dates\\, toutes",
        "X-WR-CALDESC:Nos dates\\, toutes",
        "NAME:Agenda\\; tout",
        "X-WR-CALNAME:Agenda\\; tout",
        "COLOR:teal",
        "LAST-MODIFIED:20261121T105959Z",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "SOURCE;VALUE=URI:https://agenda.example/agenda.ics",
        "URL:https://asso.example/",
        "X-PUBLISHED-TTL:PT1H",
        "X-WR-TIMEZONE:Europe/Paris",
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Paris",
        "BEGIN:DAYLIGHT",
        "DTSTART:20250330T020000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        "TZNAME:CEST",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20251026T030000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "TZNAME:CET",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
        "END:VTIMEZONE",
        "BEGIN:VEVENT",
        "SUMMARY:ANNULÉ : Atelier vélo",
        "DTSTART;TZID=Europe/Paris:20261205T203000",
        "DTEND;TZID=Europe/Paris:20261205T223000",
        "DTSTAMP:20261121T105959Z",
        "UID:https://m.example/e/1",
        "SEQUENCE:2",
        "CATEGORIES:Vélo",
        "CLASS:PUBLIC",
        "CONFERENCE;VALUE=URI:https://v.example/",
        "CREATED:20261121T115500Z",
        "DESCRIPTION:Venez.\\n\\nEn ligne : https://v.example/\\n\\nhttps://m.example/e/1",
        "GEO:1.5;2.0",
        "IMAGE;DISPLAY=BADGE;FMTTYPE=image/png;VALUE=URI:https://m.example/1.png",
        "LAST-MODIFIED:20261121T105959Z",
        "LOCATION:Ici",
        "ORGANIZER;CN=Asso:https://m.example/@asso",
        "STATUS:CANCELLED",
        "TRANSP:TRANSPARENT",
        "URL:https://m.example/e/1",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


@pytest.mark.parametrize(("changes", "dates"), [
    ({}, ["DTSTART;TZID=Europe/Paris:20261205T203000", "DTEND;TZID=Europe/Paris:20261205T223000"]),
    ({"ends_at": None}, ["DTSTART;TZID=Europe/Paris:20261205T203000"]),
    ({"ends_at": paris(2026, 12, 5, 20, 30)}, ["DTSTART;TZID=Europe/Paris:20261205T203000"]),
    ({"start_is_date": True, "ends_at": None}, ["DTSTART;VALUE=DATE:20261205"]),
    ({"start_is_date": True, "end_is_date": True, "ends_at": paris(2026, 12, 5, 23, 59, 59)}, ["DTSTART;VALUE=DATE:20261205"]),
    ({"start_is_date": True, "end_is_date": True, "ends_at": paris(2026, 12, 7)},
     ["DTSTART;VALUE=DATE:20261205", "DTEND;VALUE=DATE:20261208"]),
    ({"start_is_date": True, "ends_at": paris(2026, 12, 6, 18)}, ["DTSTART;VALUE=DATE:20261205", "DTEND;VALUE=DATE:20261207"]),
    ({"start_is_date": True, "ends_at": paris(2026, 12, 7)}, ["DTSTART;VALUE=DATE:20261205", "DTEND;VALUE=DATE:20261207"]),
    ({"end_is_date": True, "ends_at": paris(2026, 12, 6)},
     ["DTSTART;TZID=Europe/Paris:20261205T203000", "DTEND;TZID=Europe/Paris:20261207T000000"]),
    ({"end_is_date": True, "ends_at": paris(2026, 12, 5, 23, 59, 59)},
     ["DTSTART;TZID=Europe/Paris:20261205T203000", "DTEND;TZID=Europe/Paris:20261206T000000"]),
    ({"timezone": "America/New_York"}, ["DTSTART;TZID=America/New_York:20261205T143000", "DTEND;TZID=America/New_York:20261205T163000"]),
    ({"timezone": "Pacific/Noumea", "start_is_date": True, "ends_at": None}, ["DTSTART;VALUE=DATE:20261206"]),
    ({"timezone": "UTC"}, ["DTSTART;TZID=Europe/Paris:20261205T203000", "DTEND;TZID=Europe/Paris:20261205T223000"]),
    ({"timezone": "UTC", "start_is_date": True, "starts_at": datetime(2026, 12, 5, 23, 30, tzinfo=UTC), "ends_at": None},
     ["DTSTART;VALUE=DATE:20261205"]),
    ({"starts_at": paris(2026, 10, 25, 2, 30).replace(fold=1), "ends_at": paris(2026, 10, 25, 4)},
     ["DTSTART:20261025T013000Z", "DTEND;TZID=Europe/Paris:20261025T040000"]),
])  # fmt: skip
async def test_dates(tmp_path: Path, sessions: Sessions, changes: dict[str, Any], dates: list[str]) -> None:
    """A day is a DATE with an end after it, an end that says nothing is left out, the second of two equal hours is said in UTC."""
    data = (await project(tmp_path, sessions, make_view([make_event(**changes)])))["agenda.ics"]
    body = data.decode().partition("BEGIN:VEVENT")[2].split("\r\n")

    assert [line for line in body if line.startswith(("DTSTART", "DTEND"))] == dates


@pytest.mark.parametrize("name", [
    "Europe/Paris", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "Asia/Jerusalem", "Asia/Kolkata", "Africa/Casablanca",
    "Pacific/Noumea", "Australia/Lord_Howe", "Europe/Istanbul", "Asia/Tehran", "America/St_Johns",
])  # fmt: skip
@pytest.mark.parametrize(("first", "last"), [(2026, 2027), (2022, 2026), (2015, 2017)])
def test_timezones_are_right_for_their_span(tmp_path: Path, name: str, first: int, last: int) -> None:
    """Every six hours of the span, an independent reader of the VTIMEZONE finds the offset that IANA gives."""
    path = tmp_path / "zone.ics"
    path.write_bytes(vtimezone(name, first, last))
    read = tzical(str(path)).get()
    assert read is not None
    wrong = []
    at = datetime(first, 1, 1, 3, tzinfo=UTC)
    while at.year <= last:
        wall = at.astimezone(ZoneInfo(name))
        if wall.fold == 0 and wall.replace(tzinfo=read).utcoffset() != wall.utcoffset():
            wrong.append(at)
        at += timedelta(hours=6)

    assert wrong == []


async def test_not_a_byte_changes_without_news(tmp_path: Path, sessions: Sessions) -> None:
    """A week later the same events make the same file; only an event that leaves the window changes it."""
    old = make_event(uid="urn:old", starts_at=NOW - timedelta(days=80), ends_at=None)
    view = make_view([make_event(), old])
    first = await project(tmp_path, sessions, view)
    path = tmp_path / "public" / "agenda.ics"
    stamp = path.stat().st_mtime_ns
    week = await project(tmp_path, sessions, view, now=NOW + timedelta(days=7))

    assert week == first
    assert path.stat().st_mtime_ns == stamp
    month = await project(tmp_path, sessions, view, now=NOW + timedelta(days=30))
    assert month == await project(tmp_path / "other", sessions, make_view([make_event()]))


async def test_what_a_feed_holds(tmp_path: Path, sessions: Sessions) -> None:
    """Feeds by tag and source; tags differ in more than case, accents and blanks, or are the same."""
    one = make_event(uid="urn:1", tags=("Vélo", "fête foraine"), source="agenda")
    two = make_event(uid="urn:2", tags=("velo", "c++"), source="autre")
    three = make_event(uid="urn:3", tags=("VELO", "c", "日本"), source="agenda")
    feeds = (Feed(file="agenda.ics"), Feed(file="fete.ics", tags=("#Fête-Foraine",)), Feed(file="autre.ics", sources=("autre",)))
    view = make_view([one, two, three, make_post()])
    files = await project(tmp_path, sessions, view, feeds=feeds, each=("tag", "source"))

    held = {name: [str(event["UID"])[-1] for event in Calendar.from_ical(data).events] for name, data in files.items()}
    assert held == {
        "agenda.ics": ["1", "2", "3"],
        "fete.ics": ["1"],
        "autre.ics": ["2"],
        "source-agenda.ics": ["1", "3"],
        "source-autre.ics": ["2"],
        "tag-velo.ics": ["1", "2", "3"],
        "tag-fete-foraine.ics": ["1"],
        f"tag-{slug('c++')}.ics": ["2"],
        "tag-c.ics": ["3"],
        f"tag-{slug('日本')}.ics": ["3"],
    }
    assert str(Calendar.from_ical(files["tag-velo.ics"])["NAME"]) == "Les Amis du Vélo – VELO"
    assert str(Calendar.from_ical(files["source-autre.ics"])["NAME"]) == "Les Amis du Vélo – Autre"


@pytest.mark.parametrize(("tag", "expected"), [
    ("Vélo", "velo"), ("#vélo", "velo"), ("Fête  foraine", "fete-foraine"), ("fete_foraine", "fete-foraine"),
    ("../../etc", "etc-74ccf3c5"), ("日本", "cf2abf0c"), ("c++", "c-cedb1bac"),
])  # fmt: skip
def test_slugs(tag: str, expected: str) -> None:
    """File names hold a-z, 0-9 and - only, and two tags never share one."""
    assert slug(tag) == expected
    assert fold(tag) == fold(tag.upper())


async def test_the_most_events(tmp_path: Path, sessions: Sessions) -> None:
    """The longest past go first, then the farthest ahead."""
    days = (-30, -20, -10, 10, 20, 30)
    events = [make_event(uid=f"urn:{number}", starts_at=NOW + timedelta(days=number), ends_at=None) for number in days]
    held = {}
    for most in (5, 3, 2):
        data = (await project(tmp_path, sessions, make_view(events), max_events=most))["agenda.ics"]
        held[most] = [int(str(event["UID"])[4:]) for event in Calendar.from_ical(data).events]

    assert held == {5: [-20, -10, 10, 20, 30], 3: [10, 20, 30], 2: [10, 20]}


async def test_english(tmp_path: Path, sessions: Sessions) -> None:
    """What we add is in the association's language."""
    association = Association(name="Bikes", language="en", timezone="Europe/London")
    event = make_event(status="cancelled", full=True, online_url="https://v.example/")
    data = (await project(tmp_path, sessions, make_view([event]), association=association))["agenda.ics"]
    parsed = Calendar.from_ical(data).events[0]

    assert str(parsed["SUMMARY"]) == "CANCELLED: Atelier vélo"
    assert "\n\nFully booked\nOnline: https://v.example/\n\n" in str(parsed["DESCRIPTION"])


async def test_hidden_items_and_pictures(tmp_path: Path, sessions: Sessions) -> None:
    """Drafts and what is not public are left out even if they got this far; pictures on request."""
    picture = Attachment(url="https://m.example/1.png")
    events = [make_event(image=picture), make_event(uid="urn:d", draft=True), make_event(uid="urn:p", visibility="private")]
    with_images = (await project(tmp_path, sessions, make_view(events)))["agenda.ics"]
    without = (await project(tmp_path, sessions, make_view(events), images=False))["agenda.ics"]

    assert with_images.count(b"BEGIN:VEVENT") == without.count(b"BEGIN:VEVENT") == 1
    assert (b"IMAGE" in with_images, b"IMAGE" in without) == (True, False)


async def test_it_removes_what_it_made_and_nothing_else(tmp_path: Path, sessions: Sessions) -> None:
    """A feed that is no more is removed; a stranger's file is neither removed nor overwritten."""
    view = make_view([make_event(tags=("velo",))])
    await project(tmp_path, sessions, view, each=("tag",))
    public = tmp_path / "public"
    (public / "tag-autre.ics").write_text("not ours")
    await project(tmp_path, sessions, make_view([make_event()]), each=("tag",))

    assert {path.name for path in public.iterdir()} == {"agenda.ics", "tag-autre.ics"}
    with pytest.raises(Rejected) as caught:
        await project(tmp_path, sessions, make_view([make_event(tags=("autre",))]), each=("tag",))
    assert caught.value.hint is not None
    assert (public / "tag-autre.ics").read_text() == "not ours"


async def test_a_lost_record_costs_nothing(tmp_path: Path, sessions: Sessions) -> None:
    """A state folder that was lost: our own files are recognised by their mark."""
    view = make_view([make_event()])
    await project(tmp_path, sessions, view)
    (tmp_path / "state" / "under-test" / "files.json").unlink()

    assert list(await project(tmp_path, sessions, make_view([make_event(title="Bal")]))) == ["agenda.ics"]


async def test_links_are_not_followed_out(tmp_path: Path, sessions: Sessions) -> None:
    """A folder or a file that is a link elsewhere is refused, and what it leads to is left alone."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "agenda.ics").write_text("precious -//syndicator//iCalendar//EN")
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "agendas").symlink_to(outside)
    (tmp_path / "public" / "agenda.ics").symlink_to(outside / "agenda.ics")
    for folder in ("agendas", ""):
        with pytest.raises(Rejected):
            await project(tmp_path, sessions, make_view([make_event()]), folder=folder)

    assert (outside / "agenda.ics").read_text() == "precious -//syndicator//iCalendar//EN"


async def test_a_folder_that_takes_nothing_is_said_in_words(tmp_path: Path, sessions: Sessions) -> None:
    """The calendar stays as it was, and is written once the folder can be."""
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "agendas").write_text("a file where the folder should be")
    with pytest.raises(Transient) as caught:
        await project(tmp_path, sessions, make_view([make_event()]), folder="agendas")
    assert caught.value.hint is not None


async def test_readable_by_a_web_server(tmp_path: Path, sessions: Sessions) -> None:
    """Whatever the umask; and no draft is left behind."""
    umask = os.umask(0o077)
    try:
        await project(tmp_path, sessions, make_view([make_event()]))
    finally:
        os.umask(umask)
    path = tmp_path / "public" / "agenda.ics"

    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["agenda.ics"]


@pytest.mark.parametrize("options", [
    {"feeds": (Feed(file="a.ics"), Feed(file="A.ics"))},
    {"folder": "../outside"},
    {"folder": "/etc"},
    {"folder": "a/.hidden"},
    {"max_events": 0},
    {"past": timedelta(days=-1)},
    {"refresh": timedelta(seconds=1)},
    {"color": "red;background:url(x)"},
])  # fmt: skip
def test_bad_options_are_explained(options: dict[str, Any]) -> None:
    """In French and in English, before anything starts."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the words are the point
        IcalProjection.Options(**options)

    assert set(caught.value.args[0]) == {"fr", "en"}


@pytest.mark.parametrize("file", ["", "agenda", "../agenda.ics", ".ics", "a b.ics", "agenda.html"])
def test_bad_file_names_are_explained(file: str) -> None:
    """A feed is a plain .ics file."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the words are the point
        Feed(file=file)

    assert set(caught.value.args[0]) == {"fr", "en"}


def test_a_thousand_events_fit_googles_megabyte() -> None:
    """What an ordinary event costs, in bytes, leaves room for Google's thousand."""
    from connectors.ical.feed import Head, feed

    events = [make_event(uid=f"https://mobilizon.example/events/{number}") for number in range(1_000)]
    stamps = {event.uid: NOW for event in events}
    head = Head(name="Agenda", description="", timezone="Europe/Paris", language="fr")

    assert len(feed(head, events, stamps, stamps)) < 1_000_000


def test_all_day_event_round_trip_keeps_its_days() -> None:
    """What we write as days is read as the same days."""
    from connectors.ical.feed import Head, feed

    event: Event = EVENTS[-1]
    data = feed(Head(name="A", description="", timezone="Europe/Paris", language="fr"), [event], {event.uid: NOW}, {})
    parsed = Calendar.from_ical(data).events[0]

    assert (parsed.start, parsed.end) == (date(2026, 12, 5), date(2026, 12, 8))

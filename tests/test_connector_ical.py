"""The ical source: the contract against two servers, and what calendars in the wild do."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from connectors.ical import IcalSource
from connectors.ical.address import Address, address_of
from connectors.ical.reading import Found, Reading
from connectors.ical.recurrence import Budget, Refused, expand, parse_rule
from connectors.ical.scan import NotACalendar, decode, scan
from connectors.ical.words import CalendarFacts
from syndicator.contract import Page
from syndicator.errors import AuthExpired, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Actor, Attachment, Event, Place, Tombstone
from syndicator.sandbox.calendar import CalendarSimulator
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW, PARIS, SourceContract, make_context

DATA = Path(__file__).parent / "data" / "ical"
SOON = datetime(2026, 12, 5, 20, 30, tzinfo=PARIS)
SECRET = "Entretien annuel confidentiel"


async def a_calendar() -> CalendarSimulator:
    simulator = await CalendarSimulator(now=lambda: NOW).start()
    simulator.add_event("Atelier vélo", SOON, uid="velo@cloud.example")
    simulator.add_event("Marché", datetime(2026, 12, 12, tzinfo=PARIS), all_day=True, uid="marche@cloud.example")
    simulator.add_event("Chorale", SOON, uid="chorale@cloud.example", lines=("RRULE:FREQ=WEEKLY;COUNT=3",))
    return simulator


class PlainCalendar(SourceContract):
    connector = IcalSource
    path = "agenda.ics"

    async def start(self) -> Simulator:
        return await a_calendar()

    def options(self, simulator: CalendarSimulator) -> object:
        return IcalSource.Options(url=simulator.plain_url)

    async def add(self, simulator: CalendarSimulator) -> str:
        return simulator.add_event("Bal masqué", SOON + timedelta(days=3))

    async def edit(self, simulator: CalendarSimulator) -> str:
        simulator.edit("velo@cloud.example", title="Atelier vélo et trottinette")
        return "velo@cloud.example"

    async def remove(self, simulator: CalendarSimulator) -> str:
        simulator.remove("velo@cloud.example")
        return "velo@cloud.example"

    async def hide(self, simulator: CalendarSimulator) -> str:
        for secrecy in ("PRIVATE", "CONFIDENTIAL", "X-BOARD-ONLY"):
            simulator.add_private(SECRET, SOON, secrecy=secrecy)
        return SECRET


class TestPlainCalendar(PlainCalendar):
    """A file that a generator writes."""


class TestCalendarWithoutValidators(PlainCalendar):
    """The same from a server that knows no conditional requests."""

    async def start(self) -> Simulator:
        simulator = await a_calendar()
        simulator.etags = False
        return simulator


class TestNextcloudCalendar(PlainCalendar):
    """What Nextcloud's "copy public link" gives."""

    path = "/remote.php/dav/public-calendars/"

    def options(self, simulator: CalendarSimulator) -> object:
        return IcalSource.Options(url=simulator.share_url)


@pytest.fixture
async def simulator() -> AsyncIterator[CalendarSimulator]:
    simulator = await a_calendar()
    yield simulator
    await simulator.stop()


def source_of(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions, *, now: datetime = NOW) -> IcalSource:
    return IcalSource(IcalSource.Options(url=simulator.plain_url), make_context(tmp_path, sessions, now=lambda: now))


async def test_open_serves_the_first_fetch(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Checking the address and reading it the first time is one request."""
    source = source_of(simulator, tmp_path, sessions)
    await source.open()
    await source.fetch(None)

    assert [request.path for request in simulator.requests] == ["/agenda.ics"]


async def test_the_window_moves_with_the_days_at_the_cost_of_a_304(
    simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions
) -> None:
    """A series goes on being read day after day from the copy on disk, also by a new process; nothing is downloaded again."""
    simulator.add_event("Permanence", SOON, uid="permanence@cloud.example", lines=("RRULE:FREQ=MONTHLY",))
    first = await source_of(simulator, tmp_path, sessions).fetch(None)
    answers: list[int] = []
    simulator.hooks.append(lambda stage, request: answers.append(len(request.headers.get("If-None-Match", ""))))
    same_day = await source_of(simulator, tmp_path, sessions, now=NOW + timedelta(hours=1)).fetch(first.cursor)
    later = await source_of(simulator, tmp_path, sessions, now=NOW + timedelta(days=40)).fetch(first.cursor)

    assert same_day.changed == ()
    assert same_day.cursor == first.cursor
    assert {event.uid for event in later.changed} - {event.uid for event in first.changed} == {"permanence@cloud.example#20271205T193000Z"}
    assert all(answers)


async def test_a_listing_speaks_for_what_is_to_come(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Calendars drop what is past, so the absence of a past event is no deletion."""
    batch = await source_of(simulator, tmp_path, sessions).fetch(None)

    assert (batch.complete, batch.complete_since) == (True, NOW)


async def test_nothing_of_people_or_private_events_is_kept_on_disk(
    simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions
) -> None:
    """The copy in the state folder holds no attendee, no address, no word of a private event, and is for us alone."""
    simulator.add_private(SECRET, SOON)
    people = ("ATTENDEE:mailto:a@asso.example", 'ORGANIZER;CN=Jeanne;SENT-BY="mailto:b@asso.example":mailto:c@asso.example')
    simulator.add_event("Réunion", SOON, lines=people)
    await source_of(simulator, tmp_path, sessions).fetch(None)
    copy = tmp_path / "state" / "under-test" / "calendar.json"

    assert copy.stat().st_mode & 0o777 == 0o600
    assert "asso.example" not in copy.read_text()
    assert SECRET not in copy.read_text()


async def test_a_damaged_copy_is_read_again(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """The copy may vanish or be damaged at any moment."""
    first = await source_of(simulator, tmp_path, sessions).fetch(None)
    for damage in (b"", b"{}", b"[1]", b'{"url": 3, "scan": []}'):
        (tmp_path / "state" / "under-test" / "calendar.json").write_bytes(damage)
        assert (await source_of(simulator, tmp_path, sessions).fetch(None)).changed == first.changed


@pytest.mark.parametrize(("status", "error"), [(404, Rejected), (410, Rejected), (401, AuthExpired), (403, AuthExpired), (500, Transient)])
async def test_statuses(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions, status: int, error: type[Exception]) -> None:
    """A withdrawn link is not tried for ever; a server in trouble is."""
    simulator.fault(Fault(action="answer", status=status))
    with pytest.raises(error):
        await source_of(simulator, tmp_path, sessions).fetch(None)


async def test_a_page_where_there_never_was_a_calendar_is_refused(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """A wrong address is said at the start, in words; a page of maintenance later on is waited out."""
    page = Fault(action="answer", status=200, headers={"Content-Type": "text/html"}, body=b"<p>Bienvenue")
    source = source_of(simulator, tmp_path, sessions)
    simulator.fault(page)
    with pytest.raises(Rejected, match="text/html") as caught:
        await source.open()
    assert caught.value.hint is not None
    await source.fetch(None)
    simulator.fault(page)
    with pytest.raises(Transient):
        await source.fetch(None)


async def test_an_endless_calendar_is_refused(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """More than 5 MB is no calendar of an association."""
    simulator.serve(b"BEGIN:VCALENDAR\r\n" + b"X-FILL:0123456789\r\n" * 400_000)
    with pytest.raises(Rejected):
        await source_of(simulator, tmp_path, sessions).fetch(None)


async def test_a_cut_calendar_deletes_nothing(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """A document without its end is read as far as it goes, and is no proof of absence."""
    simulator.serve(simulator.document(public=False).split(b"UID:marche")[0])
    source = source_of(simulator, tmp_path, sessions)
    batch = await source.fetch(None)

    assert [event.uid for event in batch.changed] == ["velo@cloud.example"]
    assert not batch.complete
    assert (await source.read(["marche@cloud.example"])).gone == ()


async def test_read_knows_dates_outside_the_window(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """An event moved beyond the window is there; one occurrence taken out of its series is gone, one moved far away is not."""
    source = source_of(simulator, tmp_path, sessions)
    await source.fetch(None)
    simulator.move("velo@cloud.example", SOON + timedelta(days=700))
    simulator.edit("chorale@cloud.example", lines=("RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Europe/Paris:20261212T203000"))
    simulator.add_raw(
        b"BEGIN:VEVENT\r\nUID:chorale@cloud.example\r\nRECURRENCE-ID:20261219T193000Z\r\nDTSTART:20290101T100000Z\r\n"
        b"SUMMARY:Report\xc3\xa9e\r\nEND:VEVENT\r\n"
    )
    uids = [f"chorale@cloud.example#202612{day}T193000Z" for day in ("05", "12", "19")]
    batch = await source.read(["velo@cloud.example", *uids, "nobody@cloud.example"])

    found = {event.uid: event.starts_at for event in batch.changed if isinstance(event, Event)}
    assert found == {
        "velo@cloud.example": SOON + timedelta(days=700),
        uids[0]: SOON,
        uids[2]: datetime(2029, 1, 1, 10, tzinfo=UTC),
    }
    assert batch.gone == (Tombstone(uid=uids[1]), Tombstone(uid="nobody@cloud.example"))


async def test_read_says_nothing_of_what_it_cannot_read(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """An event that became unreadable, or a series that became absurd, is not gone; one that became private is."""
    source = source_of(simulator, tmp_path, sessions)
    await source.fetch(None)
    simulator.edit("chorale@cloud.example", lines=("RRULE:FREQ=SECONDLY",))
    simulator.remove("velo@cloud.example")
    simulator.add_raw(b"BEGIN:VEVENT\r\nUID:velo@cloud.example\r\nSUMMARY:Sans date\r\nEND:VEVENT\r\n")
    simulator.edit("marche@cloud.example", lines=("CLASS:PRIVATE",))
    batch = await source.read(["velo@cloud.example", "chorale@cloud.example#20261205T193000Z", "marche@cloud.example"])

    assert (batch.changed, batch.gone) == ((), (Tombstone(uid="marche@cloud.example"),))


async def test_a_cancelled_event_stays(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """STATUS:CANCELLED is news, not a deletion."""
    simulator.cancel("velo@cloud.example")
    batch = await source_of(simulator, tmp_path, sessions).fetch(None)

    assert [item.status for item in batch.changed if isinstance(item, Event) and item.uid == "velo@cloud.example"] == ["cancelled"]


# What calendars say.


def window(*lines: str, since: datetime = NOW - timedelta(days=31), until: datetime = NOW + timedelta(days=365)) -> Found:
    """What a calendar of these content lines shows."""
    text = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])
    return reading(text, since=since, until=until).window()


def reading(text: str, *, since: datetime = NOW - timedelta(days=31), until: datetime = NOW + timedelta(days=365)) -> Reading:
    facts = CalendarFacts(page="https://cloud.example/agenda", timezone="Europe/Paris", untitled="Sans titre")
    return Reading(scan(text), facts, timezone=None, host="cloud.example", since=since, until=until)


def wall(year: int, month: int, day: int) -> datetime:
    """Midnight on some wall clock."""
    return datetime(year, month, day)  # noqa: DTZ001 a wall clock has no zone


def vevent(*lines: str, uid: str = "a@b") -> tuple[str, ...]:
    return ("BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:Bal", *lines, "END:VEVENT")


BAL = Event(
    uid="a@b",
    url="https://cloud.example/agenda",
    title="Bal",
    starts_at=SOON,
    timezone="Europe/Paris",
)


def day(number: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 12, number, hour, minute, second, tzinfo=PARIS)


@pytest.mark.parametrize(("lines", "changes"), [
    (("DTSTART;TZID=Europe/Paris:20261205T203000",), {}),
    (("DTSTART:20261205T193000Z",), {}),
    (("DTSTART:20261205T203000",), {}),
    (("DTSTART;TZID=Romance Standard Time:20261205T203000",), {}),
    (("DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Paris:20261205T203000",), {}),
    (("DTSTART;TZID=(UTC+01:00) Bruxelles, Copenhague, Madrid, Paris:20261205T203000",), {}),
    (('DTSTART;TZID="(UTC+01:00) Bruxelles, Copenhague, Madrid, Paris":20261205T203000',), {}),
    (("DTSTART;TZID=Customized Time Zone:20261205T203000",), {}),
    (("DTSTART;TZID=UTC+1:20261205T203000",), {}),
    (("DTSTART;TZID=../../etc/passwd:20261205T203000",), {}),
    (("DTSTART;TZID=(UTC+00:00) Dublin, Edinburgh, Lisbon, London:20261205T193000",), {"timezone": "Europe/Dublin"}),
    (("DTSTART;TZID=America/Montreal:20261205T143000",), {"timezone": "America/Montreal"}),
    (("DTSTART;TZID=Europe/Paris:20261205T203000", "DTEND;TZID=Europe/Paris:20261205T223000"), {"ends_at": day(5, 22, 30)}),
    (("DTSTART;TZID=Europe/Paris:20261205T203000", "DURATION:P1DT2H"), {"ends_at": day(6, 22, 30)}),
    (("DTSTART;TZID=Europe/Paris:20261205T203000", "DURATION:NONSENSE"), {}),
    (("DTSTART;TZID=Europe/Paris:20261205T203000", "DTEND;TZID=Europe/Paris:20261205T203000"), {"ends_at": SOON}),
    (("DTSTART;TZID=Europe/Paris:20261205T203000", "DTEND;TZID=Europe/Paris:20261204T203000"), {}),
    (("DTSTART;TZID=Europe/Paris:20261205T203000", "DTEND;VALUE=DATE:20261207"), {"ends_at": day(6, 23, 59, 59), "end_is_date": True}),
    (("DTSTART;VALUE=DATE:20261205", "DTEND;VALUE=DATE:20261208"),
     {"starts_at": day(5), "ends_at": day(7, 23, 59, 59), "start_is_date": True, "end_is_date": True}),
    (("DTSTART;VALUE=DATE:20261205",),
     {"starts_at": day(5), "ends_at": day(5, 23, 59, 59), "start_is_date": True, "end_is_date": True}),
    (("DTSTART:20261205", "DTEND:20261205"),
     {"starts_at": day(5), "ends_at": day(5, 23, 59, 59), "start_is_date": True, "end_is_date": True}),
    (("DTSTART;VALUE=DATE:20261205", "DURATION:P2D"),
     {"starts_at": day(5), "ends_at": day(6, 23, 59, 59), "start_is_date": True, "end_is_date": True}),
    (("DTSTART;VALUE=DATE:20261205", "DTEND;TZID=Europe/Paris:20261206T180000"),
     {"starts_at": day(5), "ends_at": day(6, 18), "start_is_date": True}),
])  # fmt: skip
def test_dates(lines: tuple[str, ...], changes: dict[str, object]) -> None:
    """Every way to write a date gives the right instants, a zone that exists, and an end that is inclusive where it is a day."""
    expected = replace(BAL, **changes)  # type: ignore[arg-type]
    found = window(*vevent(*lines)).events

    assert found == (expected,)
    assert ZoneInfo(found[0].timezone)


def test_a_zone_of_the_calendars_own_keeps_its_instants() -> None:
    """Outlook's "Customized Time Zone" is computed from its VTIMEZONE, summer and winter; people read it on our clock."""
    found = reading((DATA / "outlook.ics").read_text()).window()
    call = next(event for event in found.events if event.title == "Appel avec Dublin")

    assert (call.starts_at, call.timezone) == (datetime(2026, 12, 8, 19, tzinfo=UTC), "Europe/Paris")
    assert str(call.starts_at.tzinfo) == "Europe/Paris"
    assert found.notes == ()


def test_outlook() -> None:
    """Formatted text, room and title come through; nobody's address does."""
    found = reading((DATA / "outlook.ics").read_text()).window().events

    assert found[0] == Event(
        uid="040000008200E00074C5B7101A82E00800000000B0C1D2E3F4A5DC01000000000000000010000000A1@cloud.example",
        url="https://cloud.example/agenda",
        title="Conseil d'administration",
        html="<html><body><p>Ordre du jour, ouvert à <b>toutes</b></p></body></html>",
        starts_at=day(7, 19),
        ends_at=day(7, 20, 30),
        timezone="Europe/Paris",
        place=Place(name="Salle B, 3 rue du Port, Brest"),
        language="fr",
        published_at=datetime(2026, 11, 1, 9, tzinfo=UTC),
    )


def test_google() -> None:
    """UTC instants are shown on the calendar's clock; an excluded date is out, a changed one moves and keeps its name."""
    found = {event.uid: event for event in reading((DATA / "google.ics").read_text()).window().events}

    velo = found.pop("7kukuqrfedlm2f9t@google.com")
    assert velo == Event(
        uid="7kukuqrfedlm2f9t@google.com",
        url="https://cloud.example/agenda",
        title="Atelier vélo",
        html='Apportez <b>vos outils</b><br>Plus d\'infos : <a href="https://asso.example/velo">ici</a>',
        starts_at=SOON,
        ends_at=SOON + timedelta(hours=2),
        timezone="Europe/Paris",
        place=Place(name="La Maison, 3 rue du Port, 29200 Brest"),
        online_url="https://meet.google.com/abc-defg-hij",
        published_at=datetime(2026, 10, 1, 8, tzinfo=UTC),
    )
    assert {uid: (event.title, event.starts_at, event.recurrence_id) for uid, event in found.items()} == {
        f"permanence@google.com#{at.astimezone(UTC):%Y%m%dT%H%M%SZ}": (
            title, shown, at.astimezone(UTC).isoformat(),
        )
        for at, shown, title in [
            *((at, at, "Permanence") for at in (
                datetime(2026, 10, 27, 18, tzinfo=PARIS), datetime(2026, 11, 3, 18, tzinfo=PARIS), datetime(2026, 11, 10, 18, tzinfo=PARIS),
                datetime(2026, 11, 17, 18, tzinfo=PARIS), day(8, 18),
            )),
            (day(1, 18), day(2, 19), "Permanence (mercredi)"),
        ]
    }  # fmt: skip


def test_thunderbird() -> None:
    """A task is no event; "this and all that follow" moves and renames the rest of the series, which keeps its names."""
    found = reading((DATA / "thunderbird.ics").read_text()).window().events

    assert [(event.uid.partition("#")[2], event.title, event.starts_at, event.ends_at) for event in found] == [
        ("", "Marché de Noël", day(12), day(13, 23, 59, 59)),
        ("20261126T170000Z", "Chorale", datetime(2026, 11, 26, 18, tzinfo=PARIS), datetime(2026, 11, 26, 19, 30, tzinfo=PARIS)),
        ("20261203T170000Z", "Chorale", day(3, 18), day(3, 19, 30)),
        ("20261210T170000Z", "Chorale (nouvel horaire)", day(10, 19), day(10, 21)),
        ("20261217T170000Z", "Chorale (nouvel horaire)", day(17, 19), day(17, 21)),
    ]
    assert found[0].tags == ("Fête", "Commerce équitable")
    assert found[0].url == "https://asso.example/noel"
    assert found[0].published_at is None


def test_the_rest_of_an_event() -> None:
    """Place, online address, picture, organiser, status, description."""
    found = window(*vevent(
        "DTSTART;TZID=Europe/Paris:20261205T203000", "STATUS:TENTATIVE", "LOCATION:La Maison\\n3 rue du Port\\, Brest", "GEO:48.39;-4.48",
        "CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://visio.example/bal",
        "IMAGE;VALUE=URI;DISPLAY=BADGE;FMTTYPE=image/png:https://b.example/1.png",
        "ATTACH;FMTTYPE=application/pdf:https://b.example/2.pdf",
        "ORGANIZER;CN=La Maison:https://asso.example/@maison",
        "DESCRIPTION:Voir https://asso.example/?a=1&b=2.\\nÀ <bientôt>",
    )).events  # fmt: skip

    assert found == (
        replace(
            BAL,
            status="tentative",
            html='<p>Voir <a href="https://asso.example/?a=1&amp;b=2">https://asso.example/?a=1&amp;b=2</a>.<br>À &lt;bientôt&gt;</p>',
            place=Place(name="La Maison, 3 rue du Port, Brest", latitude=48.39, longitude=-4.48),
            online_url="https://visio.example/bal",
            image=Attachment(url="https://b.example/1.png", media_type="image/png"),
            organizer=Actor(name="La Maison", url="https://asso.example/@maison"),
        ),
    )


@pytest.mark.parametrize(("uid", "expected"), [
    ("velo", "velo@cloud.example"),
    ("velo@ailleurs.example", "velo@ailleurs.example"),
    ("https://asso.example/velo", "https://asso.example/velo"),
    ("6C7D3F6E-0000-4000-8000-000000000002", "6C7D3F6E-0000-4000-8000-000000000002"),
    ("", "no-uid-bfb87cb5d99c528c@cloud.example"),
])  # fmt: skip
def test_uids_are_unique_beyond_their_calendar(uid: str, expected: str) -> None:
    """Names that only mean something inside their calendar get its host; all are stable."""
    found = window(*vevent("DTSTART:20261205T193000Z", uid=uid)).events

    assert [event.uid for event in found] == [expected]


def test_a_hidden_occurrence_hides_that_date() -> None:
    """One private date of a public series is left out, not shown with the series' words; a private series is left out whole."""
    series = vevent("DTSTART;TZID=Europe/Paris:20261205T203000", "RRULE:FREQ=DAILY;COUNT=4")
    hidden = vevent("DTSTART:20261206T193000Z", "RECURRENCE-ID:20261206T193000Z", "CLASS:PRIVATE")
    rest = vevent("DTSTART:20261208T193000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261208T193000Z", "CLASS:PRIVATE")
    private = vevent("DTSTART:20261206T193000Z", "CLASS:CONFIDENTIAL")

    assert [event.starts_at.day for event in window(*series, *hidden).events] == [5, 7, 8]
    assert [event.starts_at.day for event in window(*series, *hidden, *rest).events] == [5, 7]
    assert window(*series, *private).events == ()


@pytest.mark.parametrize("lines", [
    ("CLASS:PRIVATE",),
    ("class:confidential",),
    ("CLASS;X-WHY=board:PRIVATE",),
    ('CLASS;X-WHY="a:b":PRIVATE',),
    ("CLASS:PRI", " VATE"),
    ("CLASS:" + "PRIVATE" * 1_000,),
    (*("EXDATE:20270101T000000Z",) * 3_000, "CLASS:PRIVATE"),
    ("CLASS:X-UNHEARD-OF",),
])  # fmt: skip
def test_whatever_is_not_public_stays_private(lines: tuple[str, ...]) -> None:
    """However it is written, and wherever it stands."""
    assert window(*vevent("DTSTART:20261205T193000Z", *lines)) == Found()


@pytest.mark.parametrize(("exdate", "days"), [
    ("EXDATE;TZID=Europe/Paris:20261206T203000,20261207T203000", [5, 8]),
    ("EXDATE:20261206T193000Z", [5, 7, 8]),
    ("EXDATE:20261206T203000", [5, 7, 8]),
    ("EXDATE;VALUE=DATE:20261206", [5, 7, 8]),
    ("RDATE;VALUE=DATE:20261220", [5, 6, 7, 8, 20]),
    ("RDATE;TZID=Europe/Paris;VALUE=PERIOD:20261220T100000/PT1H", [5, 6, 7, 8, 20]),
    ("EXRULE:FREQ=DAILY;INTERVAL=2", [6, 8]),
])  # fmt: skip
def test_added_and_excluded_dates(exdate: str, days: list[int]) -> None:
    """However they are written."""
    found = window(*vevent("DTSTART;TZID=Europe/Paris:20261205T203000", "RRULE:FREQ=DAILY;COUNT=4", exdate)).events

    assert [event.starts_at.day for event in found] == days


@pytest.mark.parametrize(("until", "last"), [("20261207", 7), ("20261207T193000Z", 7), ("20261207T192959Z", 6), ("20261207T203000", 7)])
def test_until(until: str, last: int) -> None:
    """UNTIL as an instant, a wall clock or, as many write it, a day that is meant to be included."""
    found = window(*vevent("DTSTART;TZID=Europe/Paris:20261205T203000", f"RRULE:FREQ=DAILY;UNTIL={until}")).events

    assert found[-1].starts_at.day == last


def test_a_series_keeps_its_wall_clock_across_the_change_of_clocks() -> None:
    """19:00 stays 19:00 in March; the hour that does not exist is an hour later."""
    weekly = window(*vevent("DTSTART;TZID=Europe/Paris:20270321T190000", "RRULE:FREQ=WEEKLY;COUNT=2")).events
    gap = window(*vevent("DTSTART;TZID=Europe/Paris:20270328T023000")).events

    assert [event.starts_at.astimezone(UTC).hour for event in weekly] == [18, 17]
    assert gap[0].starts_at == datetime(2027, 3, 28, 3, 30, tzinfo=PARIS)


def test_one_bad_event_never_stops_another() -> None:
    """No start, impossible dates, unknown rules, nonsense: told in one line a kind, and the rest is read."""
    bad = [
        vevent(uid="no-start@b"),
        vevent("DTSTART:20269999T990000Z", uid="no-date@b"),
        vevent("DTSTART:00010101T000000", "RRULE:FREQ=DAILY", uid="antique@b"),
        vevent("DTSTART:20261205T193000Z", "RRULE:FREQ=MINUTELY", uid="minutely@b"),
        vevent("DTSTART:20261205T193000Z", "RRULE:FREQ=DAILY;INTERVAL=0", uid="interval@b"),
        vevent("DTSTART:20261205T193000Z", "RRULE:nonsense", uid="nonsense@b"),
        ("BEGIN:VEVENT", "no colon here", ":::", "DTSTART", "\x00\x07", "END:VEVENT"),
    ]
    found = window(*(line for event in bad for line in event), *vevent("DTSTART:20261205T193000Z"))

    assert found.events == (BAL,)
    assert found.notes == (
        (
            "not readable: 4 (no-start@b: no usable DTSTART, no-date@b: no usable DTSTART, "
            "no-uid-ddd016ef97243efe@cloud.example: no usable DTSTART…)"
        ),
        "series refused: 3 (minutely@b: FREQ=MINUTELY, interval@b: INTERVAL=0, nonsense@b: 'NONSENSE' is not understood)",
    )


HOSTILE = [
    "FREQ=SECONDLY", "FREQ=MINUTELY;COUNT=5", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;COUNT=0",
    "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=0,1", "FREQ=DAILY;BYDAY=9999MO", "FREQ=DAILY;BYMONTH=13",
    "FREQ=DAILY;FREQ=DAILY",
    "FREQ=DAILY;COUNT=99999999999999999999", "FREQ=YEARLY;RSCALE=CHINESE", "BYDAY=MO", "", "FREQ=DAILY;UNTIL=tomorrow",
]  # fmt: skip


@pytest.mark.parametrize("rule", HOSTILE)
def test_hostile_rules_are_refused(rule: str) -> None:
    """Before anything is computed."""
    with pytest.raises(Refused):
        parse_rule(rule)


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=999999999", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6"])
def test_a_rule_cannot_choose_its_cost(rule: str) -> None:
    """Thousands of endless or never-matching series cost the budget, no more; an honest event after them is read."""
    series = [vevent("DTSTART:19000101T000000Z", f"RRULE:{rule}", uid=f"{number}@b") for number in range(3_000)]
    found = window(*(line for event in series for line in event), *vevent("DTSTART:20261205T193000Z"))

    assert BAL in found.events
    assert len(found.events) <= 5_000


def test_the_budget_is_spent_by_days_looked_at() -> None:
    """Whatever the rule finds."""
    budget = Budget(days=5_000)
    rule = parse_rule("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    list(expand(rule, wall(2020, 1, 1), wall(2026, 1, 1), wall(2027, 1, 1), budget))
    list(expand(rule, wall(2020, 1, 1), wall(2026, 1, 1), wall(2027, 1, 1), budget))
    with pytest.raises(Refused):
        list(expand(rule, wall(2020, 1, 1), wall(2026, 1, 1), wall(2027, 1, 1), budget))


def test_hostile_documents() -> None:
    """Endless lines, deep nesting, endless folding, inline files: left out before any parser sees them."""
    endless = vevent("DTSTART:20261205T193000Z", "DESCRIPTION:" + "x" * 1_000_000, uid="long@b")
    folded = vevent("DTSTART:20261205T193000Z", "DESCRIPTION:a" + "\r\n " * 300_000, uid="folded@b")
    nested = ["BEGIN:VEVENT"] * 100_000 + ["END:VEVENT"] * 100_000
    inline = vevent("DTSTART:20261205T193000Z", "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "AAAA" * 10_000, uid="inline@b")
    square = vevent("DTSTART:20261205T193000Z", "ORGANIZER;CN=a" + ":https://x" * 6_500 + " ", "CATEGORIES:" + "," * 60_000, uid="square@b")
    found = window(*endless, *folded, *nested, *inline, *square, *vevent("DTSTART:20261205T193000Z"))

    assert [event.uid for event in found.events] == ["long@b", "folded@b", "inline@b", "square@b", "a@b"]
    assert {(event.html, event.organizer, event.tags) for event in found.events} == {("", None, ())}
    assert found.complete


def test_hostile_timezones() -> None:
    """A VTIMEZONE that changes every second is no timezone: the default zone serves, and it is said."""
    zone = (
        "BEGIN:VTIMEZONE", "TZID:Mine", "BEGIN:STANDARD", "DTSTART:19000101T000000", "RRULE:FREQ=SECONDLY", "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200", "END:STANDARD", "END:VTIMEZONE",
    )  # fmt: skip
    found = window(*zone, *vevent("DTSTART;TZID=Mine:20261205T203000"))

    assert found.events == (BAL,)
    assert found.notes == ("unknown timezones, read as Europe/Paris or as their name says: 1 (Mine)",)


@pytest.mark.parametrize(("body", "charset"), [
    ("Été".encode(), None),
    ("Été".encode(), "utf-8"),
    (b"\xef\xbb\xbf" + "Été".encode(), "iso-8859-1"),
    ("Été".encode("latin-1"), "iso-8859-1"),
    ("Été".encode("latin-1"), None),
    ("Été".encode("latin-1"), "utf-8"),
    ("Été".encode("utf-16"), None),
    ("Été".encode(), "no-such-charset"),
    ("É".encode()[:1] + b"\r\n " + "É".encode()[1:] + "té".encode(), None),
])  # fmt: skip
def test_charsets(body: bytes, charset: str | None) -> None:
    """By byte order mark, by header, by trial; a character cut in two by folding is whole again."""
    assert decode(body, charset) == "Été"


def test_what_is_no_calendar_says_so() -> None:
    """A page, a feed, nothing."""
    for text in ("", "<html>", "BEGIN:VCARD\r\nEND:VCARD\r\n", "/etc/passwd"):
        with pytest.raises(NotACalendar):
            scan(text)


RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;BYMONTH=1,5",
    "FREQ=WEEKLY;BYDAY=MO,WE;INTERVAL=2;WKST=SU",
    "FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=SU,TU",
    "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=MONTHLY;BYDAY=-1FR,1MO",
    "FREQ=MONTHLY;BYMONTHDAY=-1,31",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYWEEKNO=1,53,-1",
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
    "FREQ=YEARLY;BYYEARDAY=1,100,-1",
    "FREQ=YEARLY;BYDAY=20MO",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=MONTHLY;COUNT=7;BYMONTHDAY=13;BYDAY=FR",
    "FREQ=DAILY;BYHOUR=9,18;BYMINUTE=0,30;COUNT=55",
    "FREQ=WEEKLY;BYDAY=MO,FR,SA;BYSETPOS=2",
    "FREQ=MONTHLY;INTERVAL=5",
    "FREQ=YEARLY;INTERVAL=3",
]


@settings(max_examples=100, deadline=None)
@given(
    rule=st.sampled_from(RULES),
    start=st.datetimes(wall(2019, 1, 1), wall(2027, 12, 31)).map(lambda at: at.replace(microsecond=0)),
    since=st.datetimes(wall(2020, 1, 1), wall(2028, 12, 31)),
    days=st.integers(1, 900),
)
def test_our_rules_agree_with_dateutil(rule: str, start: datetime, since: datetime, days: int) -> None:
    """An independent reader of RFC 5545 finds the same dates."""
    last = since + timedelta(days=days)

    assert list(expand(parse_rule(rule), start, since, last, Budget())) == rrulestr(rule, dtstart=start).between(since, last, inc=True)


@pytest.mark.parametrize("name", ["google.ics", "outlook.ics", "thunderbird.ics"])
def test_our_series_agree_with_recurring_ical_events(name: str) -> None:
    """Another reader of whole calendars finds the same starts; one that cannot move "all that follow" is not asked about those."""
    text = (DATA / name).read_text()
    ours = sorted(event.starts_at.astimezone(UTC) for event in reading(text).window().events if not event.start_is_date)
    span = (NOW - timedelta(days=31), NOW + timedelta(days=365))
    theirs = recurring_ical_events.of(Calendar.from_ical(text)).between(*span)
    starts = sorted(component.start.astimezone(UTC) for component in theirs if isinstance(component.start, datetime))

    assert ours == starts


# Addresses.


@pytest.mark.parametrize(("url", "feed", "page"), [
    ("https://a.example/agenda.ics", "https://a.example/agenda.ics", "https://a.example/agenda.ics"),
    ("webcal://a.example/agenda.ics?x=1", "https://a.example/agenda.ics?x=1", "https://a.example/agenda.ics?x=1"),
    ("https://cloud.example/index.php/apps/calendar/p/AbCd1234",
     "https://cloud.example/remote.php/dav/public-calendars/AbCd1234?export", "https://cloud.example/index.php/apps/calendar/p/AbCd1234"),
    ("https://cloud.example/nc/apps/calendar/embed/AbCd1234/dayGridMonth/now",
     "https://cloud.example/nc/remote.php/dav/public-calendars/AbCd1234?export", "https://cloud.example/nc/index.php/apps/calendar/p/AbCd1234"),
    ("webcal://cloud.example/remote.php/dav/public-calendars/AbCd1234/?export",
     "https://cloud.example/remote.php/dav/public-calendars/AbCd1234?export", "https://cloud.example/index.php/apps/calendar/p/AbCd1234"),
    ("https://calendar.google.com/calendar/embed?src=asso%40group.calendar.google.com&ctz=Europe%2FParis",
     "https://calendar.google.com/calendar/ical/asso%40group.calendar.google.com/public/basic.ics",
     "https://calendar.google.com/calendar/embed?src=asso%40group.calendar.google.com&ctz=Europe%2FParis"),
])  # fmt: skip
def test_addresses(url: str, feed: str, page: str) -> None:
    """What people copy leads to the data, and to a page for visitors."""
    assert address_of(url) == Address(feed=feed, page=page)


@pytest.mark.parametrize("options", [
    {"url": "agenda.ics"},
    {"url": "ftp://a.example/agenda.ics"},
    {"url": "https://user:secret@a.example/agenda.ics"},
    {"url": "https://cloud.example/apps/calendar/p/AbCd-EfGh"},
    {"url": "https://a.example/", "timezone": "Europe/Brest"},
    {"url": "https://a.example/", "ahead": timedelta(days=600)},
    {"url": "https://a.example/", "history": timedelta(days=-1)},
])  # fmt: skip
def test_bad_options_are_explained(options: dict[str, object]) -> None:
    """In French and in English, before anything starts."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 the words are the point
        IcalSource.Options(**options)  # type: ignore[arg-type]

    assert set(caught.value.args[0]) == {"fr", "en"}


def page(**changes: object) -> Page:
    return replace(
        Page(url="https://a.example/", asked_url="https://a.example/", content_type="text/html", body=b"<html>"),
        **changes,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("seen", "url"), [
    (page(content_type="text/calendar"), "https://a.example/"),
    (page(content_type="application/octet-stream", body=b"\xef\xbb\xbfBEGIN:VCALENDAR\r\n"), "https://a.example/"),
    (page(asked_url="webcal://a.example/x"), "webcal://a.example/x"),
    (page(asked_url="https://c.example/apps/calendar/p/AbCd"), "https://c.example/apps/calendar/p/AbCd"),
    (page(links=(("alternate", "text/calendar", "https://a.example/agenda.ics"),)), "https://a.example/agenda.ics"),
    (page(), None),
    (page(links=(("stylesheet", "text/css", "https://a.example/a.css"),)), None),
])  # fmt: skip
def test_recognise(seen: Page, url: str | None) -> None:
    """A calendar, a page of one, or a page that names one."""
    found = IcalSource.recognise(seen)

    assert (found or {}).get("url") == url


async def test_what_was_left_out_is_said(
    simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names what could not be read."""
    simulator.add_event("Trop", SOON, uid="trop@cloud.example", lines=("RRULE:FREQ=SECONDLY",))
    with caplog.at_level(logging.WARNING):
        await source_of(simulator, tmp_path, sessions).fetch(None)

    assert [record.getMessage() for record in caplog.records] == [
        "calendar 127.0.0.1: series refused: 1 (trop@cloud.example: FREQ=SECONDLY)"
    ]

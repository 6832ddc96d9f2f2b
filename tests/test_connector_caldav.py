"""The caldav projection: the contract, what it writes, what it leaves alone, and what it says."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar

from connectors.ical.caldav import CaldavProjection
from connectors.ical.dav_object import name_of
from syndicator.contract import Association, View
from syndicator.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.sandbox.caldav import CaldavSimulator, Collection, Flavour
from syndicator.sandbox.caldav_object import Invalid, uid_of
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, PARIS, ProjectionContract, make_context, make_event, make_post, make_view
from tests.caldav_scene import THEIRS, asked, options, project, projection, titles
from tests.clock import Clock

FLAVOURS: tuple[Flavour, ...] = ("radicale", "xandikos", "nextcloud")
EVENT = make_event()
BALL = make_event(uid="https://mobilizon.example/events/2", title="Bal", starts_at=EVENT.starts_at + timedelta(days=7), ends_at=None)
OURS = name_of(EVENT.uid)


class TestCaldav(ProjectionContract):
    """What lies in the calendar, beside what a member wrote there."""

    connector = CaldavProjection

    @pytest.fixture(autouse=True)
    async def calendars(self) -> AsyncIterator[None]:
        self.servers: dict[Path, CaldavSimulator] = {}
        yield
        for server in self.servers.values():
            await server.stop()

    async def project(self, folder: Path, sessions: Sessions, *views: View, now=NOW) -> dict[str, bytes]:  # type: ignore[no-untyped-def]
        if folder not in self.servers:
            self.servers[folder] = await CaldavSimulator().start()
            self.servers[folder].keep("reunion.ics", THEIRS)
        await project(self.servers[folder], folder, sessions, *views, now=lambda: now)
        return dict(self.servers[folder].objects)


@pytest.fixture(params=FLAVOURS)
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[CaldavSimulator]:
    async with CaldavSimulator(flavour=request.param) as simulator:
        simulator.keep("reunion.ics", THEIRS)
        yield simulator


@pytest.fixture
async def radicale() -> AsyncIterator[CaldavSimulator]:
    async with CaldavSimulator() as simulator:
        yield simulator


async def test_an_event_is_an_object(radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """With the feed's VEVENT and its timezone, without what makes a feed a feed; posts are none."""
    await project(radicale, tmp_path, sessions, make_view([EVENT, make_post()]))

    assert list(radicale.objects) == [OURS]
    calendar = Calendar.from_ical(radicale.objects[OURS])
    (event,) = calendar.events
    assert sorted(calendar) == ["CALSCALE", "PRODID", "VERSION"]
    assert list(calendar.get_missing_tzids()) == []
    assert (event["UID"], event["SUMMARY"], event.start, event.end) == (EVENT.uid, "Atelier vélo", EVENT.starts_at, EVENT.ends_at)


async def test_a_life_of_events(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Come, moved, cancelled, withdrawn: each costs one request, and what a member wrote stays as it is."""
    one = projection(simulator, tmp_path, sessions)
    await one.open()
    asked(simulator)
    await one.project(make_view([EVENT, BALL]))
    assert asked(simulator) == ["PROPFIND", "PUT", "PUT"]

    moved = replace(EVENT, starts_at=EVENT.starts_at + timedelta(days=1), ends_at=None, sequence=1)
    await one.project(make_view([moved, BALL], changed=[EVENT.uid]))
    assert asked(simulator) == ["PUT"]
    assert Calendar.from_ical(simulator.objects[OURS]).events[0].start == moved.starts_at

    cancelled = replace(moved, status="cancelled", sequence=2)
    await one.project(make_view([cancelled, BALL], changed=[EVENT.uid]))
    assert asked(simulator) == ["PUT"]
    assert titles(simulator) == ["ANNULÉ : Atelier vélo", "Bal", "Réunion du bureau"]
    assert Calendar.from_ical(simulator.objects[OURS]).events[0]["STATUS"] == "CANCELLED"

    await one.project(replace(make_view([BALL]), changed=frozenset({EVENT.uid})))
    assert asked(simulator) == ["DELETE"]
    assert titles(simulator) == ["Bal", "Réunion du bureau"]
    assert simulator.objects["reunion.ics"] == THEIRS


async def test_without_news_nothing_is_asked(radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Neither by the same process, nor by the next but for the one look with which it opens; an empty calendar is no news either."""
    for items in ([EVENT, BALL], []):
        one = projection(radicale, tmp_path, sessions)
        await one.project(make_view(items))
        asked(radicale)
        await one.project(make_view(items))
        await one.project(make_view(items, changed=[]))
        assert asked(radicale) == []
        await project(radicale, tmp_path, sessions, make_view(items))
        assert asked(radicale) == ["PROPFIND", "REPORT"] if items else ["PROPFIND"]


@pytest.mark.parametrize("put_etags", ["weak", "none"])
@pytest.mark.parametrize("etags", ["strong", "weak"])
async def test_servers_that_are_poor_in_etags(
    radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions, put_etags: str, etags: str
) -> None:
    """Where a PUT gives none that If-Match can be given, the object is looked at before it is written over or removed."""
    radicale.put_etags, radicale.etags = put_etags, etags  # type: ignore[assignment]
    one = projection(radicale, tmp_path, sessions)
    await one.project(make_view([EVENT, BALL]))
    asked(radicale)
    await one.project(make_view([replace(EVENT, title="Atelier"), BALL], changed=[EVENT.uid]))
    assert (titles(radicale), asked(radicale)) == (["Atelier", "Bal"], ["REPORT", "PUT"])
    await one.project(make_view([replace(EVENT, title="Atelier")]))
    assert (titles(radicale), asked(radicale)) == (["Atelier"], ["REPORT", "DELETE"])


async def test_what_a_person_changed(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """It stays until the event changes at its origin; then ours replaces it, for that is the truth."""
    await project(simulator, tmp_path, sessions, make_view([EVENT]))
    theirs = simulator.objects[OURS].replace(b"Atelier", b"Soudure")
    simulator.keep(OURS, theirs)
    await project(simulator, tmp_path, sessions, make_view([EVENT]))
    assert simulator.objects[OURS] == theirs

    await project(simulator, tmp_path, sessions, make_view([replace(EVENT, title="Atelier du soir")]))
    assert titles(simulator) == ["Atelier du soir", "Réunion du bureau"]


async def test_what_a_person_deleted(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """It comes back with its next change; when it is withdrawn instead, nothing is left to do."""
    await project(simulator, tmp_path, sessions, make_view([EVENT, BALL]))
    for name in (OURS, name_of(BALL.uid)):
        del simulator.objects[name], simulator.calendars["agenda"].etags[name]
    await project(simulator, tmp_path, sessions, make_view([replace(EVENT, title="Atelier du soir")]))

    assert titles(simulator) == ["Atelier du soir", "Réunion du bureau"]


async def test_a_calendar_made_anew(
    simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions, caplog: pytest.LogCaptureFixture
) -> None:
    """Emptied, or deleted and made again at its address: everything is written again at the next start, and told in the log."""
    await project(simulator, tmp_path, sessions, make_view([EVENT, BALL]))
    simulator.calendars["agenda"] = Collection(title="Agenda public")
    with caplog.at_level(logging.WARNING):
        await project(simulator, tmp_path, sessions, make_view([EVENT, BALL], changed=[]))
    assert titles(simulator) == ["Atelier vélo", "Bal"]
    assert "written anew" in caplog.text


async def test_a_changed_event_is_still_removed(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """What a person changed in ours is withdrawn with it."""
    await project(simulator, tmp_path, sessions, make_view([EVENT, BALL]))
    simulator.keep(OURS, simulator.objects[OURS].replace(b"Atelier", b"Soudure"))
    await project(simulator, tmp_path, sessions, make_view([BALL]))

    assert titles(simulator) == ["Bal", "Réunion du bureau"]


async def test_an_object_of_somebody_else_under_our_name(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Before we wrote it or after: it is not touched, a person is told, the others are written; it is not offered again at once."""
    simulator.keep(OURS, THEIRS.replace(b"reunion@", b"autre@"))
    before = dict(simulator.objects)
    with pytest.raises(Rejected) as caught:
        await project(simulator, tmp_path, sessions, make_view([EVENT, BALL]))
    assert caught.value.hint is not None
    assert "« Atelier vélo » n'est pas dans le calendrier" in caught.value.hint["fr"]
    assert "leave it alone" in caught.value.hint["en"]
    assert {name: simulator.objects[name] for name in before} == before
    assert "Bal" in titles(simulator)

    asked(simulator)
    with pytest.raises(Rejected):
        await project(simulator, tmp_path, sessions, make_view([EVENT, BALL]))
    assert asked(simulator) == ["PROPFIND", "REPORT"]
    await project(simulator, tmp_path, sessions, make_view([BALL]))
    assert simulator.objects[OURS] == before[OURS]


async def test_ours_replaced_by_another_event(radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Somebody wrote something else over ours: neither changed nor removed by us from then on."""
    await project(radicale, tmp_path, sessions, make_view([EVENT]))
    radicale.keep(OURS, THEIRS)
    with pytest.raises(Rejected):
        await project(radicale, tmp_path, sessions, make_view([replace(EVENT, title="Atelier du soir")]))
    await project(radicale, tmp_path, sessions, make_view([]))

    assert radicale.objects == {OURS: THEIRS}


async def test_an_event_that_is_there_already(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions, clock: Clock) -> None:
    """Added by a member, so that its UID is taken: told in words, whatever the server says; written once it is deleted there."""
    copy = THEIRS.replace(b"reunion@asso.example", EVENT.uid.encode())
    simulator.keep("copie.ics", copy)
    with pytest.raises(Rejected) as caught:
        await project(simulator, tmp_path, sessions, make_view([EVENT, BALL]), now=clock)
    assert caught.value.hint is not None
    assert "est déjà dans le calendrier" in caught.value.hint["fr"]
    assert (OURS in simulator.objects, simulator.objects["copie.ics"], name_of(BALL.uid) in simulator.objects) == (False, copy, True)

    del simulator.objects["copie.ics"]
    clock.forward(hours=7)
    await project(simulator, tmp_path, sessions, make_view([EVENT, BALL]), now=clock)
    assert OURS in simulator.objects


async def test_nextclouds_trash_is_told(tmp_path: Path, sessions: Sessions) -> None:
    """What a person deleted lies there for a month and may keep its UID."""
    async with CaldavSimulator(flavour="nextcloud") as simulator:
        simulator.trash.add(EVENT.uid)
        with pytest.raises(Rejected) as caught:
            await project(simulator, tmp_path, sessions, make_view([EVENT]))
    assert caught.value.hint is not None
    assert "videz la corbeille" in caught.value.hint["fr"]
    assert "Deleted calendar object" in str(caught.value)


@pytest.mark.parametrize(("past", "left"), [(None, ["Ancien", "Atelier vélo"]), (timedelta(days=350), ["Atelier vélo"])])
async def test_what_is_over(
    radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions, clock: Clock, past: timedelta | None, left: list[str]
) -> None:
    """An event too old to be in the view stays as the calendar's memory, or goes after ``past``; a young one that is missing goes."""
    old = make_event(uid="urn:old", title="Ancien", starts_at=NOW - timedelta(days=80), ends_at=None)
    late = make_event(uid="urn:late", title="Retiré", starts_at=NOW - timedelta(days=3), ends_at=None)
    await project(radicale, tmp_path, sessions, make_view([old, late, EVENT]), now=clock, past=past)
    assert titles(radicale) == ["Ancien", "Atelier vélo", "Retiré"]
    await project(radicale, tmp_path, sessions, make_view([old, EVENT]), now=clock, past=past)
    assert titles(radicale) == ["Ancien", "Atelier vélo"]
    clock.forward(days=330)
    await project(radicale, tmp_path, sessions, make_view([EVENT]), now=clock, past=past)

    assert titles(radicale) == left


async def test_past_removes_by_itself(radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions, clock: Clock) -> None:
    """While the view still has it, and without any change of its own."""
    one = projection(radicale, tmp_path, sessions, now=clock, past=timedelta(days=30))
    await one.project(make_view([EVENT]))
    clock.forward(days=60)
    await one.project(make_view([EVENT], changed=[]))

    assert radicale.objects == {}


@pytest.mark.parametrize(("fault", "kind", "word"), [
    (Fault(action="answer", method="PUT", status=507), Rejected, "plus de place"),
    (Fault(action="answer", method="PUT", status=403), AuthExpired, "pas le droit d'écrire"),
    (Fault(action="answer", method="PUT", status=404), Rejected, "pas de calendrier à cette adresse"),
    (Fault(action="answer", method="PUT", status=409), Rejected, "pas de calendrier à cette adresse"),
    (Fault(action="answer", method="PUT", status=301, headers={"Location": "/autre/"}), Rejected, "changé d'adresse"),
    (Fault(action="answer", method="PUT", status=401), AuthExpired, "mot de passe"),
    (Fault(action="answer", method="PUT", status=429, headers={"Retry-After": "60"}), RateLimited, ""),
], ids=["full", "rights", "gone", "no-parent", "moved", "password", "rate"])  # fmt: skip
async def test_what_meets_every_event_stops_the_turn(
    radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions, fault: Fault, kind: type[Exception], word: str
) -> None:
    """At the first refusal of that kind, in words; once it is mended, everything is written."""
    radicale.fault(fault)
    with pytest.raises(kind) as caught:
        await project(radicale, tmp_path, sessions, make_view([EVENT, BALL]))
    assert word in (getattr(caught.value, "hint", None) or {"fr": ""})["fr"]
    assert asked(radicale).count("PUT") == 1
    await project(radicale, tmp_path, sessions, make_view([EVENT, BALL]))
    assert titles(radicale) == ["Atelier vélo", "Bal"]


@pytest.mark.parametrize(("fault", "kind"), [
    (Fault(action="answer", method="PUT", status=500), OutcomeUnknown),
    (Fault(action="answer", method="PUT", status=423), Transient),
    (Fault(action="lose", method="PUT"), OutcomeUnknown),
    (Fault(action="drop", method="PUT"), OutcomeUnknown),
], ids=["500", "locked", "lost", "cut"])  # fmt: skip
async def test_what_meets_one_event_keeps_no_other_back(
    radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions, fault: Fault, kind: type[Exception]
) -> None:
    """The rest is written; the one is tried again at the next turn, and is there once."""
    radicale.fault(fault)
    with pytest.raises(kind):
        await project(radicale, tmp_path, sessions, make_view([EVENT, BALL]))
    assert "Bal" in titles(radicale)
    await project(radicale, tmp_path, sessions, make_view([EVENT, BALL]))
    assert titles(radicale) == ["Atelier vélo", "Bal"]


async def test_a_server_that_fails_is_left_in_peace(radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """After three in a row."""
    radicale.fault(Fault(action="answer", method="PUT", status=500, times=9))
    events = [make_event(uid=f"urn:{number}") for number in range(9)]
    with pytest.raises(OutcomeUnknown):
        await project(radicale, tmp_path, sessions, make_view(events))
    assert asked(radicale).count("PUT") == 3


@pytest.mark.parametrize(("status", "body", "word"), [
    (413, b"", "trop gros"),
    (403, b'<e:error xmlns:e="DAV:"><c:max-resource-size xmlns:c="urn:ietf:params:xml:ns:caldav"/></e:error>', "trop gros"),
    (403, b'<e:error xmlns:e="DAV:"><c:valid-calendar-data xmlns:c="urn:ietf:params:xml:ns:caldav"/></e:error>', "ne le prend pas"),
    (412, b'<e:error xmlns:e="DAV:"><c:valid-calendar-data xmlns:c="urn:ietf:params:xml:ns:caldav"/></e:error>', "ne le prend pas"),
    (400, b"Bad Request", "ne le prend pas"),
    (400, b'<!DOCTYPE e [<!ENTITY a "b">]><e:error xmlns:e="DAV:">&a;</e:error>', "ne le prend pas"),
])  # fmt: skip
async def test_what_is_refused_for_itself(
    radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions, status: int, body: bytes, word: str
) -> None:
    """By the precondition that its body names, whatever the status; the others are written."""
    radicale.fault(Fault(action="answer", method="PUT", status=status, body=body))
    with pytest.raises(Rejected) as caught:
        await project(radicale, tmp_path, sessions, make_view([EVENT, BALL]))
    assert caught.value.hint is not None
    assert word in caught.value.hint["fr"]
    assert titles(radicale) == ["Bal"]


async def test_the_record_is_lost(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """What bears our signature is found again by one listing: nothing twice, what is withdrawn goes, nothing of another is taken."""
    await project(simulator, tmp_path / "first", sessions, make_view([EVENT, BALL]))
    stranger = make_event(uid="urn:stranger", title="D'un autre")
    async with CaldavSimulator(flavour=simulator.flavour) as elsewhere:
        context = make_context(tmp_path / "other", sessions, association=Association(name="Autre", url="https://autre.example/"))
        await CaldavProjection(options(elsewhere), context).project(make_view([stranger]))
        simulator.keep(name_of(stranger.uid), elsewhere.objects[name_of(stranger.uid)])
    asked(simulator)
    await project(simulator, tmp_path / "second", sessions, make_view([]))
    assert titles(simulator) == ["Atelier vélo", "Bal", "D'un autre", "Réunion du bureau"]

    await project(simulator, tmp_path / "second", sessions, make_view([EVENT]))
    assert titles(simulator) == ["Atelier vélo", "D'un autre", "Réunion du bureau"]


async def test_another_calendar(radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions, caplog: pytest.LogCaptureFixture) -> None:
    """Its record is its own; what stays in the first is told, and known again on the way back."""
    radicale.calendars["autre"] = Collection(title="Autre")
    await project(radicale, tmp_path, sessions, make_view([EVENT]))
    with caplog.at_level(logging.WARNING):
        await project(radicale, tmp_path, sessions, make_view([BALL]), url=radicale.calendar_url.replace("/agenda/", "/autre/"))
    assert "stays there" in caplog.text
    assert (list(radicale.objects), list(radicale.calendars["autre"].objects)) == ([OURS], [name_of(BALL.uid)])
    await project(radicale, tmp_path, sessions, make_view([BALL]))
    assert titles(radicale) == ["Bal"]


async def test_a_day_is_a_day(radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """No clock time in the object of a date-only event."""
    fair = make_event(start_is_date=True, end_is_date=True, ends_at=EVENT.starts_at.astimezone(PARIS) + timedelta(days=2))
    await project(radicale, tmp_path, sessions, make_view([fair]))
    (event,) = Calendar.from_ical(radicale.objects[OURS]).events

    assert (event["DTSTART"].dt, event["DTEND"].dt) == (date(2026, 12, 5), date(2026, 12, 8))


async def test_odd_uids(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Commas, semicolons, backslashes, blanks, accents: known again after the record is lost."""
    uids = ["a,b;c\\d", "é è", "x" * 240, "urn:n\\name", 'q"uote']
    view = make_view([make_event(uid=uid, title=f"Nº {number}") for number, uid in enumerate(uids)])
    await project(simulator, tmp_path / "first", sessions, view)
    before = dict(simulator.objects)
    asked(simulator)
    await project(simulator, tmp_path / "second", sessions, view)

    assert simulator.objects == before
    assert len(before) == 1 + len(uids)
    assert set(asked(simulator)) == {"PROPFIND", "REPORT", "PUT"}


@pytest.mark.parametrize("spoilt", [
    (b"CALSCALE:", b"METHOD:PUBLISH\r\nCALSCALE:"), (b"BEGIN:VTIMEZONE", b"BEGIN:VTODO"), (b"TZID:Europe/Paris", b"TZID:Europe/Berlin"),
    (b"UID:", b"X-UID:"), (b"DTSTAMP:", b"X-DTSTAMP:"), (b"END:VEVENT\r\n", b""), (b"\r\nSTATUS", b"\nSTATUS"),
    (b"END:VEVENT", b"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:other\r\nDTSTAMP:20261101T080000Z\r\nDTSTART:20261101T080000Z\r\nEND:VEVENT"),
])  # fmt: skip
async def test_the_simulator_refuses(radicale: CaldavSimulator, tmp_path: Path, sessions: Sessions, spoilt: tuple[bytes, bytes]) -> None:
    """What RFC 4791 4.1 and RFC 5545 do not allow; and takes what we wrote."""
    await project(radicale, tmp_path, sessions, make_view([EVENT]))
    data = radicale.objects[OURS]
    assert uid_of(data, strict=True) == EVENT.uid
    assert data.replace(*spoilt) != data
    with pytest.raises(Invalid):
        uid_of(data.replace(*spoilt), strict=True)

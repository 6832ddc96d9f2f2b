"""The caldav projection: which calendar an address means, where a password goes, what people are told before anything is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.ical.caldav import CaldavProjection
from connectors.ical.dav_client import usable, within
from connectors.ical.dav_discovery import start_of
from connectors.ical.dav_xml import NotDav, complaint, resources
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, Rejected
from syndicator.http import Http, Sessions
from syndicator.sandbox.caldav import PASSWORD, USER, CaldavSimulator, Collection, Flavour
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, make_context, make_event, make_view
from tests.caldav_scene import options, projection, titles

FLAVOURS: tuple[Flavour, ...] = ("radicale", "xandikos", "nextcloud")


@pytest.fixture(params=FLAVOURS)
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[CaldavSimulator]:
    async with CaldavSimulator(flavour=request.param) as simulator:
        yield simulator


@pytest.fixture
async def nextcloud() -> AsyncIterator[CaldavSimulator]:
    async with CaldavSimulator(flavour="nextcloud") as simulator:
        yield simulator


async def opened(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions, **changes: Any) -> None:
    await projection(simulator, tmp_path, sessions, **changes).open()


async def refusal(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions, **changes: Any) -> ConnectorError:
    """What ``open`` says; its hint is in two languages, and nothing was written."""
    with pytest.raises(ConnectorError) as caught:
        await opened(simulator, tmp_path, sessions, **changes)
    assert {"fr", "en"} <= set(caught.value.hint or {})
    assert {seen.method for seen in simulator.requests} <= {"PROPFIND", "REPORT"}
    return caught.value


@pytest.mark.parametrize("address", ["{calendar}", "{calendar-without-slash}", "{url}", "{url}/", "{home}", "{well-known}"])
async def test_whichever_address_a_person_gives(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions, address: str) -> None:
    """The calendar's, the account's, the server's: the one calendar there is, found without changing anything."""
    url = {
        "{calendar}": simulator.calendar_url,
        "{calendar-without-slash}": simulator.calendar_url.rstrip("/"),
        "{url}": simulator.url,
        "{url}/": f"{simulator.url}/",
        "{home}": f"{simulator.url}{simulator.home}",
        "{well-known}": f"{simulator.url}/.well-known/caldav",
    }[address]
    one = projection(simulator, tmp_path, sessions, url=url)
    await one.open()
    assert {seen.method for seen in simulator.requests} == {"PROPFIND"}
    await one.project(make_view([make_event()]))
    assert titles(simulator) == ["Atelier vélo"]


@pytest.mark.parametrize("page", ["/apps/calendar/dayGridMonth/now", "/index.php/apps/calendar/", "/apps/calendar"])
async def test_nextclouds_own_page(nextcloud: CaldavSimulator, tmp_path: Path, sessions: Sessions, page: str) -> None:
    """What stands in the browser's bar while somebody looks at their calendar."""
    await opened(nextcloud, tmp_path, sessions, url=nextcloud.url + page)


async def test_several_calendars_are_named(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """And one is taken by its title or the last part of its address, without case; a list of tasks is none."""
    simulator.calendars |= {"bureau": Collection(title="Bureau <privé>"), "taches": Collection(title="Tâches", components=("VTODO",))}
    said = await refusal(simulator, tmp_path, sessions, url=simulator.url)
    assert isinstance(said, Rejected)
    assert "« Agenda public » (agenda), « Bureau <privé> » (bureau)." in (said.hint or {})["fr"]
    assert "Tâches" not in (said.hint or {})["fr"]
    for name in ("agenda PUBLIC", "Agenda"):
        one = projection(simulator, tmp_path, sessions, url=simulator.url, calendar=name)
        await one.project(make_view([make_event()]))
    assert titles(simulator) == ["Atelier vélo"]
    simulator.requests.clear()
    await refusal(simulator, tmp_path, sessions, url=simulator.url, calendar="autre")


async def test_a_mistyped_address_is_not_another_calendar(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Though there is only one: it is named, not taken."""
    said = await refusal(simulator, tmp_path, sessions, url=simulator.calendar_url.replace("/agenda/", "/agendaa/"))
    assert "« Agenda public » (agenda)" in (said.hint or {})["fr"]


async def test_no_calendar(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Then make one; we do not."""
    simulator.calendars.clear()
    assert "créez-en un" in ((await refusal(simulator, tmp_path, sessions, url=simulator.url)).hint or {})["fr"]


async def test_a_calendar_that_may_only_be_read(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Told before anything is tried, where the server says what the account may do."""
    simulator.calendars["agenda"].writable = False
    said = await refusal(simulator, tmp_path, sessions)
    assert isinstance(said, AuthExpired)
    assert "pas le droit d'écrire" in (said.hint or {})["fr"]


async def test_a_list_of_tasks(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Takes no events."""
    simulator.calendars["agenda"].components = ("VTODO",)
    assert "liste de tâches" in ((await refusal(simulator, tmp_path, sessions)).hint or {})["fr"]


@pytest.mark.parametrize(("changes", "challenge", "word"), [
    ({"password": Secret("perdu")}, 'Basic realm="x"', "refaites le mot de passe"),
    ({"user": None, "password": None}, 'Basic realm="x"', "demande un compte"),
    ({"password": Secret("perdu")}, 'Digest realm="x", nonce="y"', "Digest"),
])  # fmt: skip
async def test_a_locked_door(
    simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions, changes: dict[str, Any], challenge: str, word: str
) -> None:
    """Knocked at once, not at every address there might be: servers throttle those who guess."""
    simulator.challenge = challenge
    said = await refusal(simulator, tmp_path, sessions, **changes)
    assert isinstance(said, AuthExpired)
    assert word in (said.hint or {})["fr"]
    assert "perdu" not in f"{said!r}{said.hint}"
    assert len(simulator.requests) == 1


async def test_what_is_no_dav_server(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """A web site that answers every method with a page."""
    simulator.fault(Fault(action="answer", status=200, headers={"Content-Type": "text/html"}, body=b"<html></html>", times=9))
    assert "pas de serveur CalDAV" in ((await refusal(simulator, tmp_path, sessions, url=simulator.url)).hint or {})["fr"]


async def test_the_password_stays_on_its_host(nextcloud: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Neither a redirect nor an answer that names another server gets it."""
    async with CaldavSimulator() as other:
        elsewhere = f"http://localhost:{other.host.partition(':')[2]}/asso/agenda/"
        nextcloud.fault(Fault(action="answer", status=302, headers={"Location": elsewhere}))
        with pytest.raises(AuthExpired):
            await opened(nextcloud, tmp_path, sessions)
        said_of_it = f"<d:current-user-principal><d:href>{elsewhere}</d:href></d:current-user-principal>"
        propstat = f"<d:propstat><d:prop>{said_of_it}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
        body = f'<d:multistatus xmlns:d="DAV:"><d:response><d:href>/</d:href>{propstat}</d:response></d:multistatus>'
        nextcloud.fault(Fault(action="answer", status=207, body=body.encode()))
        said = await refusal(nextcloud, tmp_path, sessions, url=nextcloud.url)
    assert "autre serveur" in (said.hint or {})["fr"]
    assert [seen.headers.get("Authorization") for seen in other.requests] == [None]


async def test_no_password_without_tls(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Over http only to a host that a person trusts."""
    context = make_context(tmp_path, sessions)
    strict = Http(sessions=sessions, now=lambda: NOW, user_agent="tests")
    one = CaldavProjection(options(simulator, url="http://192.0.2.7/asso/"), type(context)(**{**vars(context), "http": strict}))
    with pytest.raises(Rejected) as caught:
        await one.open()
    assert "en clair" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("changes", [
    {"user": None}, {"password": None}, {"user": "a:b"}, {"past": timedelta(days=400)},
    {"url": "cloud.example/x"}, {"url": "ftp://cloud.example/"}, {"url": "https://a:b@cloud.example/"}, {"url": "https://[::1/"},
    {"url": "https://apidata.googleusercontent.com/caldav/v2/x/events"}, {"url": "https://www.google.com/calendar/dav/x/user"},
    {"url": "https://cloud.example/index.php/apps/calendar/p/zQe5Dx7ACfHnb4Rk"},
    {"url": "https://cloud.example/remote.php/dav/public-calendars/zQe5Dx7ACfHnb4Rk"},
])  # fmt: skip
def test_what_can_never_work_is_refused_at_once(changes: dict[str, Any]) -> None:
    """In the configuration, in both languages."""
    account = {"url": "https://cloud.example/", "user": USER, "password": Secret(PASSWORD)}
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        CaldavProjection.Options(**(account | changes))
    assert {"fr", "en"} <= set(caught.value.args[0])


@pytest.mark.parametrize(("url", "start"), [
    ("https://cloud.example/sous/apps/calendar/dayGridMonth/now", "https://cloud.example/sous/remote.php/dav/"),
    ("https://cloud.example/remote.php/dav/calendars/asso/agenda/?export#x", "https://cloud.example/remote.php/dav/calendars/asso/agenda/"),
    ("HTTPS://cloud.example", "https://cloud.example/"),
])  # fmt: skip
def test_where_to_begin(url: str, start: str) -> None:
    """A copied address, reduced to what leads somewhere."""
    assert start_of(url) == start


@pytest.mark.parametrize(("href", "meant"), [
    ("/asso/agenda/", "https://cloud.example/asso/agenda/"),
    ("http://cloud.example/asso/agenda/", "https://cloud.example/asso/agenda/"),
    ("/calendars/asso%40exemple.org/é/", "https://cloud.example/calendars/asso%40exemple.org/%C3%A9/"),
])  # fmt: skip
def test_addresses_in_answers(href: str, meant: str) -> None:
    """On the same host, by the scheme we came with."""
    assert within("https://cloud.example/remote.php/dav/", href) == meant


@pytest.mark.parametrize(("tag", "kept"), [
    ('"a"', '"a"'), ('W/"a"', None), ("a", None), (None, None), ("", None), ('""', None), (' "a" ', '"a"'),
])  # fmt: skip
def test_etags_that_a_condition_can_be_made_of(tag: str | None, kept: str | None) -> None:
    """Strong and in quotes."""
    assert usable(tag) == kept


@pytest.mark.parametrize("body", [
    b"", b"<html>", b"<a/>", b'<!DOCTYPE x [<!ENTITY a "b">]><d:multistatus xmlns:d="DAV:"/>',
    '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x><d:multistatus xmlns:d="DAV:"/>'.encode("utf-16"), b"\xff\xfe\x00",
])  # fmt: skip
def test_answers_that_are_none(body: bytes) -> None:
    """Nothing is expanded, nothing crashes."""
    with pytest.raises(NotDav):
        resources(body)
    assert complaint(body).preconditions == frozenset()

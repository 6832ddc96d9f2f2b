"""The ical source on CalDAV servers: a collection that only an account may read (Radicale), one that shows pages to browsers (Xandikos)."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.ical import IcalSource
from connectors.ical.address import Address, address_of
from syndicator.contract import Association, Secret
from syndicator.errors import AuthExpired, ConnectorError
from syndicator.http import Sessions
from syndicator.model import Batch, Event
from syndicator.sandbox.calendar import CalendarSimulator
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, make_context
from tests.test_connector_ical import SECRET, SOON, PlainCalendar, a_calendar


class TestCollection(PlainCalendar):
    """What a CalDAV collection gives to a plain GET."""

    path = "/asso/agenda/"

    def options(self, simulator: CalendarSimulator) -> object:
        return IcalSource.Options(url=simulator.collection_url, user="asso", password=Secret("secret"))


class TestNegotiatedCollection(PlainCalendar):
    """A server that gives a page to browsers and to whoever would take one."""

    path = "/asso/calendars/agenda/"

    def options(self, simulator: CalendarSimulator) -> object:
        return IcalSource.Options(url=simulator.negotiated_url)


@pytest.mark.parametrize("ending", ["", "?export"])
async def test_whichever_address_of_it_was_copied(tmp_path: Path, sessions: Sessions, ending: str) -> None:
    """With the slash, without it, or the one for exports: the same calendar."""
    simulator = await a_calendar()
    for url in (simulator.negotiated_url, simulator.negotiated_url.rstrip("/")):
        source = IcalSource(IcalSource.Options(url=url + ending), make_context(tmp_path, sessions))
        assert len((await source.fetch(None)).changed) >= 3
    await simulator.stop()


@pytest.fixture
async def simulator() -> AsyncIterator[CalendarSimulator]:
    simulator = await a_calendar()
    yield simulator
    await simulator.stop()


def source_of(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions, **options: Any) -> IcalSource:
    account = {"user": "asso", "password": Secret("secret"), "url": simulator.collection_url}
    context = make_context(tmp_path, sessions, association=Association(name="Les Amis du Vélo", url="https://asso.example/"))
    return IcalSource(IcalSource.Options(**(account | options)), context)


async def asked(simulator: CalendarSimulator, source: IcalSource, cursor: str | None) -> tuple[Batch, list[str]]:
    """One fetch and the methods of its requests."""
    simulator.requests.clear()
    batch = await source.fetch(cursor)
    return batch, [seen.method for seen in simulator.requests]


async def test_a_server_that_takes_no_notice_of_conditions_is_asked_for_its_etag(
    simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions
) -> None:
    """Once it has sent everything again for nothing, a poll without news is one HEAD, also after a restart; news cost one GET more."""
    first, methods = await asked(simulator, source_of(simulator, tmp_path, sessions), None)
    assert methods == ["GET"]
    assert await asked(simulator, source_of(simulator, tmp_path, sessions), first.cursor) == (Batch(cursor=first.cursor), ["GET"])
    assert await asked(simulator, source_of(simulator, tmp_path, sessions), first.cursor) == (Batch(cursor=first.cursor), ["HEAD"])

    uid = simulator.add_event("Bal", SOON)
    batch, methods = await asked(simulator, source_of(simulator, tmp_path, sessions), first.cursor)
    assert (uid in {item.uid for item in batch.changed}, methods) == (True, ["HEAD", "GET"])
    assert (await asked(simulator, source_of(simulator, tmp_path, sessions), batch.cursor))[1] == ["HEAD"]


async def test_a_server_that_knows_no_head_is_read_as_before(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """The question is a courtesy: without an answer the calendar is fetched."""
    source = source_of(simulator, tmp_path, sessions)
    cursor = (await source.fetch(None)).cursor
    await source.fetch(cursor)
    uid = simulator.add_event("Bal", SOON)
    simulator.fault(Fault(action="answer", method="HEAD", status=405))

    assert uid in {item.uid for item in (await source.fetch(cursor)).changed}


@pytest.mark.parametrize(("options", "word"), [
    ({"user": None, "password": None}, "user"),
    ({"password": Secret("perdu")}, "app password"),
    ({"user": "other"}, "app password"),
], ids=["none", "password", "account"])  # fmt: skip
async def test_a_locked_calendar_says_what_it_needs(
    simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions, options: dict[str, Any], word: str
) -> None:
    """Without an account it asks for one; with a wrong one it says so, and never repeats the password."""
    with pytest.raises(AuthExpired) as caught:
        await source_of(simulator, tmp_path, sessions, **options).open()
    assert caught.value.hint is not None
    assert word in caught.value.hint["en"]
    assert "perdu" not in repr(caught.value) + str(caught.value.hint)


async def test_an_account_sees_private_events_and_we_do_not(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """The server shows everything to its account: what is not public stays out, and out of the copy on disk."""
    for secrecy in ("PRIVATE", "CONFIDENTIAL"):
        simulator.add_private(SECRET, SOON, secrecy=secrecy)
    batch = await source_of(simulator, tmp_path, sessions).fetch(None)

    assert SECRET in simulator.document(public=False).decode()
    assert SECRET not in repr(batch)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


async def test_events_lead_to_a_page_that_visitors_can_open(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Not to the locked collection: to ``page``, else to the association's site."""
    for options, page in (({}, "https://asso.example/"), ({"page": "https://asso.example/agenda/"}, "https://asso.example/agenda/")):
        batch = await source_of(simulator, tmp_path, sessions, **options).fetch(None)
        assert {item.url for item in batch.changed if isinstance(item, Event)} == {page}


async def test_the_password_goes_to_the_calendars_server_alone(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """It is sent as Basic (RFC 7617, UTF-8), and not to where that server redirects."""
    other = await a_calendar()
    simulator.fault(Fault(action="answer", status=302, headers={"Location": f"http://localhost:{other.host.partition(':')[2]}/agenda.ics"}))
    await source_of(simulator, tmp_path, sessions, password=Secret("clé")).fetch(None)
    await other.stop()

    sent = base64.b64encode("asso:clé".encode()).decode()
    assert [seen.headers.get("Authorization") for seen in simulator.requests] == [f"Basic {sent}"]
    assert [seen.headers.get("Authorization") for seen in other.requests] == [None]


@pytest.mark.parametrize(("url", "told"), [
    ("http://127.0.0.1:1/a/", 0), ("http://192.0.2.7/a/", 1), ("https://192.0.2.7/a/", 0),
])  # fmt: skip
async def test_a_password_without_encryption_is_told(
    tmp_path: Path, sessions: Sessions, caplog: pytest.LogCaptureFixture, url: str, told: int
) -> None:
    """In the log, for any server but this machine."""
    source = IcalSource(IcalSource.Options(url=url, user="asso", password=Secret("secret")), make_context(tmp_path, sessions))
    with caplog.at_level(logging.WARNING), pytest.raises(ConnectorError):
        await source.open()
    assert sum("unencrypted" in record.getMessage() for record in caplog.records) == told


@pytest.mark.parametrize("options", [
    {"user": "asso"}, {"password": Secret("x")}, {"user": "a:b", "password": Secret("x")},
], ids=["no-password", "no-user", "colon"])  # fmt: skip
def test_half_an_account_is_refused(options: dict[str, Any]) -> None:
    """At the configuration, in both languages."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        IcalSource.Options(url="https://cloud.example/agenda.ics", **options)
    assert {"fr", "en"} <= set(caught.value.args[0])


@pytest.mark.parametrize("url", [
    "https://cloud.example/remote.php/dav/calendars/asso/public/",
    "https://cloud.example/remote.php/dav/calendars/asso/public",
    "https://cloud.example/remote.php/dav/calendars/asso/public/?export",
])  # fmt: skip
def test_nextclouds_private_link(url: str) -> None:
    """A collection of Nextcloud shows itself to a plain GET by its export only."""
    own = "https://cloud.example/remote.php/dav/calendars/asso/public/"
    assert address_of(url) == Address(feed=f"{own}?export", page=own)


async def test_news_are_seen_day_after_day(simulator: CalendarSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """An unchanged calendar asked by HEAD still moves its window on."""
    simulator.add_event("Loin", datetime(2027, 11, 23, 18, 0, tzinfo=SOON.tzinfo), uid="loin@cloud.example")
    first = await source_of(simulator, tmp_path, sessions).fetch(None)
    await source_of(simulator, tmp_path, sessions).fetch(first.cursor)
    context = make_context(tmp_path, sessions, now=lambda: NOW + timedelta(days=9))
    options = IcalSource.Options(url=simulator.collection_url, user="asso", password=Secret("secret"))
    batch, methods = await asked(simulator, IcalSource(options, context), first.cursor)

    assert methods == ["HEAD"]
    assert "loin@cloud.example" not in {item.uid for item in first.changed}
    assert "loin@cloud.example" in {item.uid for item in batch.changed}

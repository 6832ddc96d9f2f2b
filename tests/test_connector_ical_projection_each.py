"""Feeds for each tag, source and event: what they hold, and that only what changed is made again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from connectors.ical import Feed, IcalProjection
from connectors.ical import feed as making
from syndicator.contract import View
from syndicator.http import Sessions
from syndicator.testing import NOW, ProjectionContract, make_context, make_event, make_view
from syndicator.text.naming import handle

ONE = make_event(uid="urn:1", tags=("vélo",))
TWO = make_event(uid="urn:2", title="Bal", tags=("danse",), source="mairie")


class TestAFileForEachEvent(ProjectionContract):
    """Beside the feed, one file an event."""

    connector = IcalProjection

    def options(self) -> Any:
        return IcalProjection.Options(per_event=True, each=("tag", "source"), folder="agendas")


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    sessions = Sessions()
    yield sessions
    await sessions.close()


def projection(folder: Path, sessions: Sessions, **options: Any) -> IcalProjection:
    return IcalProjection(IcalProjection.Options(**options), make_context(folder, sessions, now=lambda: NOW))


def files(folder: Path) -> dict[str, bytes]:
    public = folder / "public"
    return {str(path.relative_to(public)): path.read_bytes() for path in sorted(public.rglob("*.ics"))}


def titles(data: bytes) -> list[str]:
    return [str(event["SUMMARY"]) for event in Calendar.from_ical(data).events]


def file_of(uid: str) -> str:
    return f"agenda/{handle(uid)}.ics"


async def test_an_event_has_a_file_of_its_own(tmp_path: Path, sessions: Sessions) -> None:
    """Complete by itself, its timezone too; cancelled it stays and says so; moved it keeps its address."""
    made = projection(tmp_path, sessions, per_event=True)
    await made.project(make_view([ONE, TWO]))
    assert sorted(files(tmp_path)) == sorted(["agenda.ics", file_of("urn:1"), file_of("urn:2")])
    alone = Calendar.from_ical(files(tmp_path)[file_of("urn:2")])
    assert (titles(alone.to_ical()), str(alone["NAME"]), len(alone.timezones), alone.get("SOURCE")) == (["Bal"], "Bal", 1, None)

    cancelled = replace(TWO, status="cancelled", starts_at=TWO.starts_at + timedelta(days=1), ends_at=None)
    await made.project(make_view([ONE, cancelled], changed=["urn:2"]))
    (event,) = Calendar.from_ical(files(tmp_path)[file_of("urn:2")]).events
    assert (str(event["STATUS"]), str(event["SUMMARY"]), event.start) == ("CANCELLED", "ANNULÉ : Bal", cancelled.starts_at)


async def test_only_what_changed_is_made_again(tmp_path: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """One event of many: its VEVENT for the feeds and the one for its own file; nothing else is written, and all is as if made anew."""
    made = projection(tmp_path / "warm", sessions, per_event=True, each=("tag", "source"))
    many = [make_event(uid=f"urn:{n}", title=f"Atelier {n}", tags=("vélo",)) for n in range(30)]
    await made.project(make_view(many))
    public = tmp_path / "warm" / "public"
    stamps = {path: path.stat().st_mtime_ns for path in public.rglob("*.ics")}
    vevents: list[str] = []
    make = making._vevent
    monkeypatch.setattr(making, "_vevent", lambda head, event, *at: vevents.append(event.uid) or make(head, event, *at))  # type: ignore[func-returns-value]
    many[7] = replace(many[7], title="Autre titre")
    view = make_view(many, changed=["urn:7"])
    await made.project(view)

    assert vevents == ["urn:7", "urn:7"]
    touched = {str(path.relative_to(public)) for path, stamp in stamps.items() if path.stat().st_mtime_ns != stamp}
    assert touched == {"agenda.ics", "tag-velo.ics", "source-agenda.ics", file_of("urn:7")}
    await projection(tmp_path / "cold", sessions, per_event=True, each=("tag", "source")).project(view)
    assert files(tmp_path / "warm") == files(tmp_path / "cold")


async def test_what_was_lost_or_goes_or_is_too_old(tmp_path: Path, sessions: Sessions) -> None:
    """A file that somebody removed comes back; that of an event that went, or is long past, goes; a stranger's stays."""
    made = projection(tmp_path, sessions, per_event=True)
    await made.project(make_view([ONE, TWO]))
    (tmp_path / "public" / file_of("urn:1")).unlink()
    (tmp_path / "public" / "agenda" / "ours.ics").write_text("a stranger's")
    old = make_event(uid="urn:old", starts_at=NOW - timedelta(days=100), ends_at=None)
    await made.project(make_view([ONE, old], changed=["urn:2", "urn:old"]))

    assert sorted(files(tmp_path)) == sorted(["agenda.ics", file_of("urn:1"), "agenda/ours.ics"])


async def test_an_event_of_two_sources_is_in_the_feed_of_each(tmp_path: Path, sessions: Sessions) -> None:
    """Each association of a shared agenda has its own, with what another tells of it; once in the feed of both."""
    view: View = replace(make_view([ONE, TWO]), shown_by={"urn:1": ("agenda", "mairie")})
    feeds = (
        Feed(file="agenda.ics"),
        Feed(file="nous.ics", sources=("mairie", "agenda")),
        Feed(file="danse.ics", tags=("Danse",), sources=("mairie",)),
    )
    await projection(tmp_path, sessions, feeds=feeds, each=("source",)).project(view)

    assert {name: titles(data) for name, data in files(tmp_path).items()} == {
        "agenda.ics": ["Atelier vélo", "Bal"],
        "nous.ics": ["Atelier vélo", "Bal"],
        "danse.ics": ["Bal"],
        "source-agenda.ics": ["Atelier vélo"],
        "source-mairie.ics": ["Atelier vélo", "Bal"],
    }


async def test_a_feed_stays_while_its_tag_is_known(tmp_path: Path, sessions: Sessions) -> None:
    """A tag whose events are all long past has an empty calendar, which is still one; with the last of them it goes."""
    old = make_event(uid="urn:old", starts_at=NOW - timedelta(days=100), ends_at=None, tags=("Cirque",), source="mairie")
    made = projection(tmp_path, sessions, each=("tag", "source"))
    await made.project(make_view([ONE, old]))
    held = {name: titles(data) for name, data in files(tmp_path).items()}
    assert held == {
        "agenda.ics": ["Atelier vélo"],
        "tag-velo.ics": ["Atelier vélo"],
        "tag-cirque.ics": [],
        "source-agenda.ics": ["Atelier vélo"],
        "source-mairie.ics": [],
    }
    await made.project(make_view([ONE], changed=["urn:old"]))
    assert sorted(files(tmp_path)) == ["agenda.ics", "source-agenda.ics", "tag-velo.ics"]


def test_where_it_writes_is_known_before() -> None:
    """So that two destinations do not write the same."""
    options = IcalProjection.Options(feeds=(Feed(file="ville.ics"),), each=("tag",), per_event=True, folder="a")
    assert options.files == ("a/ville.ics", "a/tag-….ics", "a/ville/….ics")

"""The caldav projection killed at every request, before and after it took effect: nothing twice, nothing lost, nothing of another's."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from connectors.ical.dav_object import name_of
from syndicator.errors import ConnectorError
from syndicator.http import Sessions
from syndicator.sandbox.caldav import CaldavSimulator, Flavour
from syndicator.sandbox.server import Fault, Stage
from syndicator.testing import make_event, make_view
from tests.caldav_scene import THEIRS, asked, project

KEPT, MOVED, GONE, NEW = (make_event(uid=f"https://mobilizon.example/events/{number}", title=f"N° {number}") for number in range(4))
LATER = replace(MOVED, starts_at=MOVED.starts_at.replace(hour=18), sequence=1)
BEFORE, AFTER = make_view([KEPT, MOVED, GONE]), make_view([KEPT, LATER, NEW])


class Kill:
    """The power goes at one request: what is on disk then is all that is left, and nothing more reaches the server."""

    def __init__(self, simulator: CaldavSimulator, state: Path, saved: Path, at: int, stage: Stage) -> None:
        self.simulator, self.state, self.saved = simulator, state, saved
        self.at, self.stage, self.count, self.happened = at, stage, 0, False

    def __call__(self, stage: Stage, _: web.Request) -> None:
        self.count += stage == "before"
        if self.happened or stage != self.stage or self.count - 1 != self.at:
            return
        self.happened = True
        shutil.copytree(self.state, self.saved)
        self.simulator.fault(Fault(action="drop", times=99))
        if stage == "before":
            raise web.HTTPServiceUnavailable

    def resurrect(self) -> None:
        """The machine starts again, with the disk as it was."""
        self.simulator.faults.clear()
        self.simulator.hooks.clear()
        shutil.rmtree(self.state)
        shutil.copytree(self.saved, self.state)


@pytest.fixture(params=["radicale", "nextcloud"])
async def simulator(request: pytest.FixtureRequest) -> AsyncIterator[CaldavSimulator]:
    flavour: Flavour = request.param
    async with CaldavSimulator(flavour=flavour) as simulator:
        simulator.keep("reunion.ics", THEIRS)
        yield simulator


async def truth(folder: Path, sessions: Sessions) -> dict[str, bytes]:
    """What the calendar holds when nothing goes wrong."""
    async with CaldavSimulator() as simulator:
        simulator.keep("reunion.ics", THEIRS)
        await project(simulator, folder, sessions, BEFORE, AFTER)
        return dict(simulator.objects)


@pytest.mark.parametrize("stage", ["before", "after"])
@pytest.mark.parametrize("at", range(5))
async def test_killed_at_each_request(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions, at: int, stage: Stage) -> None:
    """One removed, one moved, one new: the next life ends with what an undisturbed one leaves."""
    await project(simulator, tmp_path, sessions, BEFORE)
    kill = Kill(simulator, tmp_path / "state", tmp_path / "saved", at, stage)
    simulator.hooks.append(kill)
    with suppress(ConnectorError):  # the last answer may have come
        await project(simulator, tmp_path, sessions, AFTER)
    assert kill.happened
    kill.resurrect()
    await project(simulator, tmp_path, sessions, AFTER)

    assert simulator.objects == await truth(tmp_path / "truth", sessions)
    asked(simulator)
    await project(simulator, tmp_path, sessions, AFTER)
    assert asked(simulator) == ["PROPFIND", "REPORT"]


async def test_every_request_was_killed_at(tmp_path: Path, sessions: Sessions) -> None:
    """The range above is all there is: two looks, one removal, two writes."""
    async with CaldavSimulator() as simulator:
        await project(simulator, tmp_path, sessions, BEFORE)
        asked(simulator)
        await project(simulator, tmp_path, sessions, AFTER)
        assert asked(simulator) == ["PROPFIND", "REPORT", "DELETE", "PUT", "PUT"]


@pytest.mark.parametrize("stage", ["before", "after"])
@pytest.mark.parametrize("at", range(5))
async def test_killed_in_its_first_life(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions, at: int, stage: Stage) -> None:
    """From the first look to the last of three writes; whatever had been made is known again, and withdrawn when it must go."""
    (tmp_path / "state").mkdir()
    kill = Kill(simulator, tmp_path / "state", tmp_path / "saved", at, stage)
    simulator.hooks.append(kill)
    with suppress(ConnectorError):  # the last answer may have come
        await project(simulator, tmp_path, sessions, BEFORE)
    assert kill.happened
    kill.resurrect()
    await project(simulator, tmp_path, sessions, AFTER)

    assert simulator.objects == await truth(tmp_path / "truth", sessions)


@pytest.mark.parametrize("action", ["lose", "truncate", "mask", "drop"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_an_answer_is_lost(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions, method: str, action: str) -> None:
    """Cut after the body, in the middle of the answer, a gateway's 502 in its place: the next turn finds out."""
    await project(simulator, tmp_path, sessions, BEFORE)
    simulator.fault(Fault(action=action, method=method, status=502, times=2 if method == "PUT" else 1))  # type: ignore[arg-type]
    with pytest.raises(ConnectorError):
        await project(simulator, tmp_path, sessions, AFTER)
    await project(simulator, tmp_path, sessions, AFTER)

    assert simulator.objects == await truth(tmp_path / "truth", sessions)


async def test_a_damaged_record(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """Cut in two by a bad disk: as good as lost, and found again."""
    await project(simulator, tmp_path, sessions, BEFORE)
    (record,) = (tmp_path / "state" / "under-test").glob("objects-*.json")
    record.write_bytes(record.read_bytes()[:40])
    await project(simulator, tmp_path, sessions, AFTER)

    assert simulator.objects == await truth(tmp_path / "truth", sessions)


async def test_nothing_leaves_before_it_is_on_record(simulator: CaldavSimulator, tmp_path: Path, sessions: Sessions) -> None:
    """At each write, the object's name stands in the state folder already."""
    seen: list[bool] = []

    def look(stage: Stage, request: web.Request) -> None:
        if stage == "before" and request.method == "PUT":
            (record,) = (tmp_path / "state" / "under-test").glob("objects-*.json")
            seen.append(request.path.rpartition("/")[2] in record.read_text())

    simulator.hooks.append(look)
    await project(simulator, tmp_path, sessions, BEFORE)
    assert seen == [True, True, True]
    assert name_of(KEPT.uid) in simulator.objects

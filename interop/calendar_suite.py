"""What every source promises, with a real CalDAV server at the other end. Run by the scene, which says where the server is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from connectors.ical import IcalSource
from interop.calendar_server import Calendar, Server
from interop.relay import Relay
from syndicator.contract import Secret
from syndicator.sandbox.server import Simulator
from syndicator.testing import SourceContract

WHERE, HOME, LOGIN = "SYNDICATOR_INTEROP_CALDAV", "SYNDICATOR_INTEROP_CALDAV_HOME", "SYNDICATOR_INTEROP_CALDAV_LOGIN"
SECRET = "Entretien annuel confidentiel"  # noqa: S105 - of an employee
MARKET = """UID:marche@lab.test
SUMMARY:Marché
DTSTART;VALUE=DATE:20261212"""
CHOIR = """UID:chorale@lab.test
SUMMARY:Chorale
DTSTART;TZID=Europe/Paris:20261205T203000
DTEND;TZID=Europe/Paris:20261205T220000
RRULE:FREQ=WEEKLY;COUNT=3"""


def environ(server: Server) -> Mapping[str, str]:
    """What the tests must be told."""
    return {WHERE: server.url, HOME: server.home, LOGIN: server.login}


def event(uid: str, title: str, more: str = "") -> str:
    """An evening in December."""
    return f"""UID:{uid}@lab.test
SUMMARY:{title}
DTSTART;TZID=Europe/Paris:20261208T203000
DTEND;TZID=Europe/Paris:20261208T223000
{more}"""


class Collection(Relay):
    """A fresh calendar on the real server."""

    def __init__(self, real: str) -> None:
        super().__init__(real)
        self.path = f"{os.environ[HOME]}c{uuid4().hex[:12]}/"
        self.calendar = Calendar(real + self.path, os.environ[LOGIN])


class TestRealServer(SourceContract):
    """Each test on a calendar of its own."""

    connector = IcalSource
    path = "/c"

    async def start(self) -> Simulator:
        collection = Collection(os.environ[WHERE])
        await collection.calendar.make()
        await collection.calendar.put("velo", event("velo", "Atelier vélo"))
        await collection.calendar.put("marche", MARKET)
        await collection.calendar.put("chorale", CHOIR)
        return await collection.start()

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, Collection)
        user, _, password = simulator.calendar.login.partition(":")
        login = {"user": user, "password": Secret(password)} if user else {}
        return IcalSource.Options(url=simulator.url + simulator.path, **login)

    async def add(self, simulator: Simulator) -> str:
        assert isinstance(simulator, Collection)
        await simulator.calendar.put("bal", event("bal", "Bal masqué"))
        return "bal@lab.test"

    async def edit(self, simulator: Simulator) -> str:
        assert isinstance(simulator, Collection)
        await simulator.calendar.put("velo", event("velo", "Atelier vélo et trottinette"))
        return "velo@lab.test"

    async def remove(self, simulator: Simulator) -> str:
        assert isinstance(simulator, Collection)
        await simulator.calendar.delete("velo")
        return "velo@lab.test"

    async def hide(self, simulator: Simulator) -> str:
        assert isinstance(simulator, Collection)
        for number, secrecy in enumerate(("PRIVATE", "CONFIDENTIAL", "X-BOARD-ONLY")):
            await simulator.calendar.put(f"secret{number}", event(f"secret{number}", SECRET, f"CLASS:{secrecy}"))
        return SECRET

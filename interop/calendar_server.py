"""Real CalDAV servers, and a person who keeps a calendar on one of them."""

from __future__ import annotations

import asyncio
import base64
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from interop import install
from interop.processes import Answer, Running, answers, ask, free_port, start

USER, PASSWORD = "asso", "phrase de passe été"
ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""


@dataclass(frozen=True)
class Calendar:
    """One calendar on a CalDAV server, and the account that keeps it."""

    url: str
    login: str = ""
    """Name and password with a colon between them; empty where nobody is asked."""

    async def ask(
        self, method: str, name: str = "", *, body: str | None = None, headers: Mapping[str, str] | None = None, login: str | None = None
    ) -> Answer:
        """One request about the calendar or one of its objects, by the account; ``login`` is another, or empty for none."""
        pair = self.login if login is None else login
        sent = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"} if pair else {}
        sent |= {"Content-Type": "text/calendar; charset=utf-8"} if body else {}
        data = body.encode() if body else None
        return await ask(method, self.url + name, headers=sent | dict(headers or {}), body=data)

    async def make(self) -> None:
        """Make it, empty; RuntimeError when the server does not."""
        answer = await self.ask("MKCALENDAR")
        if answer.status != 201:
            raise RuntimeError(f"MKCALENDAR answered {answer.status}: {answer.body.decode()}")

    async def offer(self, name: str, *events: str) -> int:
        """Write an object of these VEVENTs, and say what the server said."""
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lab//Agenda//FR", *ZONE.splitlines()]
        for event in events:
            lines += ["BEGIN:VEVENT", "DTSTAMP:20261101T080000Z", *event.strip().splitlines(), "END:VEVENT"]
        return (await self.ask("PUT", f"{name}.ics", body="\r\n".join([*lines, "END:VCALENDAR", ""]))).status

    async def put(self, name: str, *events: str) -> None:
        """Write an object of these VEVENTs; RuntimeError when the server does not take it."""
        status = await self.offer(name, *events)
        if status not in (201, 204):
            raise RuntimeError(f"PUT {name} answered {status}")

    async def delete(self, name: str) -> None:
        """Remove an object."""
        await self.ask("DELETE", f"{name}.ics")


@dataclass
class Server:
    """A CalDAV server with one calendar on it."""

    name: ClassVar[str]
    package: ClassVar[tuple[str, str]]
    home: ClassVar[str]
    """Where calendars are made."""
    login: ClassVar[str] = ""
    answer_line: ClassVar[re.Pattern[str]]
    """A line of its log: method, path, status."""

    running: Running
    url: str
    calendar: Calendar = field(init=False)

    def __post_init__(self) -> None:
        """The one calendar of the scene."""
        self.calendar = Calendar(f"{self.url}{self.home}agenda/", self.login)

    @classmethod
    async def start(cls, folder: Path) -> Self:
        """Install it if need be, start it, make an empty calendar."""
        python = await install.python_with(*cls.package)
        await asyncio.to_thread(folder.mkdir)
        port = free_port()
        running = await start(*(python, "-m", *cls.command(folder, port)), log=folder / "server.log")
        server = cls(running, f"http://127.0.0.1:{port}")
        try:
            await answers(server.url, running)
            await server.calendar.make()
        except BaseException:
            await running.end()
            raise
        return server

    @classmethod
    def command(cls, folder: Path, port: int) -> tuple[str | Path, ...]:
        """The module that runs it and its options."""
        raise NotImplementedError

    def answered(self) -> Counter[str]:
        """How often it answered what about the whole calendar: ``GET 200`` and so on."""
        found = filter(None, map(self.answer_line.search, self.running.lines()))
        return Counter(f"{one[1]} {one[3]}" for one in found if self.calendar.url.rstrip("/").endswith(one[2].rstrip("/")))


class Radicale(Server):
    """By password only."""

    name = "Radicale"
    package = install.RADICALE
    home = f"/{USER}/"
    login = f"{USER}:{PASSWORD}"
    answer_line = re.compile(r"(\w+) response status for '(/\S+/agenda/?)'.*: (\d{3}) ")

    @classmethod
    def command(cls, folder: Path, port: int) -> tuple[str | Path, ...]:
        """One account in a file."""
        (folder / "users").write_text(f"{cls.login}\n", encoding="utf-8")
        return (
            *("radicale", "--server-hosts", f"127.0.0.1:{port}"),
            *("--auth-type", "htpasswd", "--auth-htpasswd-filename", folder / "users", "--auth-htpasswd-encryption", "plain"),
            *("--storage-filesystem-folder", folder / "collections"),
        )


class Xandikos(Server):
    """Without a password, as behind a proxy that asks for it: alone, it takes passwords over https only."""

    name = "Xandikos"
    package = install.XANDIKOS
    home = f"/{USER}/calendars/"
    answer_line = re.compile(r'"(\w+) (/\S+/agenda/?)(?:\?\S*)? HTTP/1.1" (\d{3}) ')

    @classmethod
    def command(cls, folder: Path, port: int) -> tuple[str | Path, ...]:
        """A principal with its folders."""
        return (
            *("xandikos", "serve", "--defaults", "--directory", folder / "data", "--state-dir", folder / "state"),
            *("--listen-address", "127.0.0.1", "--port", str(port), "--current-user-principal", f"/{USER}/"),
        )

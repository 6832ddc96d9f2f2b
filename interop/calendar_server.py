"""A real Radicale, and a person who keeps a calendar on it."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

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
_ANSWERED = re.compile(r"(\w+) response status for '(\S+)'.*: (\d{3}) ")


@dataclass
class Radicale:
    """The server, for one account with a password."""

    running: Running
    url: str

    @classmethod
    async def start(cls, folder: Path) -> Self:
        """Install it if need be, start it, make the account and an empty calendar."""
        python = install.radicale()
        folder.mkdir()  # noqa: ASYNC240 - a file of one line
        (folder / "users").write_text(f"{USER}:{PASSWORD}\n", encoding="utf-8")
        url = f"http://127.0.0.1:{free_port()}"
        running = await start(
            *(python, "-m", "radicale", "--server-hosts", url.removeprefix("http://")),
            *("--auth-type", "htpasswd", "--auth-htpasswd-filename", folder / "users", "--auth-htpasswd-encryption", "plain"),
            *("--storage-filesystem-folder", folder / "collections"),
            log=folder / "radicale.log",
        )
        server = cls(running, url)
        try:
            await answers(url, running)
            await server.ask("MKCALENDAR")
        except BaseException:
            await running.end()
            raise
        return server

    @property
    def collection(self) -> str:
        """The address of the calendar."""
        return f"{self.url}/{USER}/agenda/"

    async def ask(
        self, method: str, name: str = "", *, body: str | None = None, headers: Mapping[str, str] | None = None, login: str | None = None
    ) -> Answer:
        """One request about the calendar or one of its objects, by the account; ``login`` is another, or empty for none."""
        pair = f"{USER}:{PASSWORD}" if login is None else login
        sent = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"} if pair else {}
        sent |= {"Content-Type": "text/calendar; charset=utf-8"} if body else {}
        data = body.encode() if body else None
        return await ask(method, self.collection + name, headers=sent | dict(headers or {}), body=data)

    async def put(self, name: str, *events: str) -> None:
        """Write an object of these VEVENTs; RuntimeError when the server does not take it."""
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lab//Agenda//FR", *ZONE.splitlines()]
        for event in events:
            lines += ["BEGIN:VEVENT", "DTSTAMP:20261101T080000Z", *event.strip().splitlines(), "END:VEVENT"]
        answer = await self.ask("PUT", f"{name}.ics", body="\r\n".join([*lines, "END:VCALENDAR", ""]))
        if answer.status not in (201, 204):
            raise RuntimeError(f"PUT {name} answered {answer.status}: {answer.body.decode()}")

    async def delete(self, name: str) -> None:
        """Remove an object."""
        await self.ask("DELETE", f"{name}.ics")

    def answered(self) -> Counter[str]:
        """How often it answered what about the whole calendar: ``GET 200`` and so on."""
        found = filter(None, map(_ANSWERED.search, self.running.lines()))
        return Counter(f"{one[1]} {one[3]}" for one in found if one[2].strip("/") == f"{USER}/agenda")

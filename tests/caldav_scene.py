"""A calendar on a simulated CalDAV server, written by the projection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from icalendar import Calendar

from connectors.ical.caldav import CaldavProjection
from syndicator.contract import Secret, View
from syndicator.http import Sessions
from syndicator.sandbox.caldav import PASSWORD, USER, CaldavSimulator
from syndicator.testing import NOW, make_context

THEIRS = b"\r\n".join([
    b"BEGIN:VCALENDAR", b"VERSION:2.0", b"PRODID:-//Mozilla.org//Thunderbird//FR", b"BEGIN:VEVENT", b"UID:reunion@asso.example",
    b"DTSTAMP:20261101T080000Z", b"DTSTART:20261210T180000Z", b"SUMMARY:R\xc3\xa9union du bureau", b"END:VEVENT", b"END:VCALENDAR", b"",
])  # fmt: skip
"""What a member wrote."""


def options(simulator: CaldavSimulator, **changes: Any) -> CaldavProjection.Options:
    account = {"url": simulator.calendar_url, "user": USER, "password": Secret(PASSWORD)}
    return CaldavProjection.Options(**(account | changes))


def projection(simulator: CaldavSimulator, folder: Path, sessions: Sessions, *, now: Any = lambda: NOW, **changes: Any) -> CaldavProjection:
    """Not opened yet; the same folder is the same destination."""
    return CaldavProjection(options(simulator, **changes), make_context(folder, sessions, now=now))


async def project(simulator: CaldavSimulator, folder: Path, sessions: Sessions, *views: View, **changes: Any) -> None:
    """A whole life of the connector."""
    one = projection(simulator, folder, sessions, **changes)
    await one.open()
    for view in views:
        await one.project(view)
    await one.close()


def titles(simulator: CaldavSimulator) -> list[str]:
    """What people see in the calendar, read by icalendar."""
    return sorted(str(event["SUMMARY"]) for data in simulator.objects.values() for event in Calendar.from_ical(data).events)


def asked(simulator: CaldavSimulator) -> list[str]:
    """The methods since the last look."""
    methods = [seen.method for seen in simulator.requests]
    simulator.requests.clear()
    return methods

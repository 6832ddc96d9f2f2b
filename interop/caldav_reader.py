"""What people see in a calendar on a real server, read without anything of ours."""

from __future__ import annotations

from xml.etree import ElementTree

import icalendar

from interop.calendar_server import Calendar

_WANTED = '<?xml version="1.0"?><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'


async def objects(calendar: Calendar) -> dict[str, bytes]:
    """Everything in it, by name."""
    answer = await calendar.ask("PROPFIND", body=_WANTED, headers={"Depth": "1", "Content-Type": "application/xml"})
    hrefs = [part.text or "" for part in ElementTree.fromstring(answer.body).iter("{DAV:}href")]  # noqa: S314 - our own server
    names = [href.rpartition("/")[2] for href in hrefs if href.endswith(".ics")]
    found = {name: await calendar.ask("GET", name) for name in sorted(names)}
    # What was removed since it was listed is not there.
    return {name: one.body for name, one in found.items() if one.status == 200}


async def events(calendar: Calendar) -> dict[str, icalendar.Event]:
    """Its events by title, whoever wrote them."""
    found = [icalendar.Calendar.from_ical(data) for data in (await objects(calendar)).values()]
    return {str(event["SUMMARY"]): event for one in found if isinstance(one, icalendar.Calendar) for event in one.events}

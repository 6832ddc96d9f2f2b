"""The same requests to a real CalDAV server and to the simulator that stands for it: the same status, the same precondition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from interop.calendar_server import ZONE, Calendar, Server
from interop.processes import Answer
from interop.report import Report
from syndicator.sandbox.caldav import PASSWORD, USER, CaldavSimulator, Flavour

_FLAVOURS: Mapping[str, Flavour] = {"Radicale": "radicale", "Xandikos": "xandikos"}
_ETAG = '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>'
_GET = (
    '<c:calendar-multiget xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><href>{}</href></c:calendar-multiget>'
)


@dataclass(frozen=True)
class Asked:
    """One request about a calendar."""

    what: str
    method: str
    name: str = ""
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    login: str | None = None
    taken_by: tuple[str, ...] = ()
    """Servers that take what no calendar may hold; our simulator does not."""


def event(uid: str, *, without: str = "", head: str = "") -> str:
    """An object of one event."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lab//Agenda//FR", *([head] if head else []), *ZONE.splitlines(), "BEGIN:VEVENT"]
    lines += [f"UID:{uid}", "DTSTAMP:20261101T080000Z", "DTSTART;TZID=Europe/Paris:20261205T203000", "SUMMARY:Bal", "END:VEVENT"]
    return "\r\n".join([*(line for line in lines if not without or not line.startswith(without)), "END:VCALENDAR", ""])


NEW, STALE = ("If-None-Match", "*"), ("If-Match", '"stale"')
REQUESTS = (
    Asked("a new object", "PUT", "a.ics", event("a"), (NEW,)),
    Asked("new, but there", "PUT", "a.ics", event("a"), (NEW,)),
    Asked("changed meanwhile", "PUT", "a.ics", event("a"), (STALE,)),
    Asked("changed, but not there", "PUT", "b.ics", event("b"), (STALE,)),
    Asked("written over", "PUT", "a.ics", event("a")),
    Asked("the same UID elsewhere", "PUT", "c.ics", event("a"), (NEW,)),
    Asked("no calendar", "PUT", "d.ics", "Bonjour", (NEW,)),
    Asked("an event without a UID", "PUT", "e.ics", event("e", without="UID"), (NEW,), taken_by=("Xandikos",)),
    Asked("removed meanwhile changed", "DELETE", "a.ics", None, (STALE,)),
    Asked("removed", "DELETE", "a.ics"),
    Asked("removed again", "DELETE", "a.ics"),
    Asked("removed what never was, on a condition", "DELETE", "a.ics", None, (STALE,)),
    Asked("a list", "PROPFIND", "", _ETAG, (("Depth", "1"), ("Content-Type", "application/xml"))),
    Asked("a look at what is not there", "REPORT", "", _GET, (("Depth", "1"), ("Content-Type", "application/xml"))),
    Asked("a calendar that is not there", "PROPFIND", "../nada/", _ETAG, (("Depth", "0"), ("Content-Type", "application/xml"))),
    Asked("an object in a calendar that is not there", "PUT", "../nada/a.ics", event("a"), (NEW,)),
    Asked("a wrong password", "PROPFIND", "", _ETAG, (("Depth", "0"),), login=f"{USER}:faux"),
)


async def of_calendar(report: Report, server: Server) -> None:
    """Each request to both."""
    report.title(f"The simulator beside {server.name}")
    async with CaldavSimulator(flavour=_FLAVOURS[server.name]) as simulator:
        real = Calendar(f"{server.url}{server.home}likeness/", server.login)
        await real.make()
        for asked in REQUESTS:
            if (asked.login and not server.login) or server.name in asked.taken_by:
                continue
            theirs = await _ask(real, asked)
            ours = await _ask(Calendar(simulator.calendar_url, f"{USER}:{PASSWORD}"), asked)
            report.same(f"{asked.what}: {theirs}", ours, theirs)


async def _ask(calendar: Calendar, asked: Asked) -> str:
    path = "/" + calendar.url.split("/", 3)[3]
    body = asked.body and asked.body.replace("{}", f"{path}nada.ics")
    answer = await calendar.ask(asked.method, asked.name, body=body, headers=dict(asked.headers), login=asked.login)
    return " ".join([str(answer.status), *_named(answer), *(["ETag"] if asked.method == "PUT" and answer.headers.get("ETag") else [])])


def _named(answer: Answer) -> list[str]:
    """The preconditions of a refusal; the statuses in a multistatus."""
    try:
        root = ElementTree.fromstring(answer.body.decode())  # noqa: S314 - our own servers
    except (ElementTree.ParseError, UnicodeDecodeError):
        return []
    if root.tag == "{DAV:}multistatus":
        statuses = sorted({(part.text or "")[9:12] for part in root.iter("{DAV:}status")})
        return [f"{len(list(root.iter('{DAV:}response')))} responses", *statuses]
    if root.tag != "{DAV:}error":
        return []
    return sorted(part.tag.rpartition("}")[2] for part in root if part.tag != "{DAV:}responsedescription")

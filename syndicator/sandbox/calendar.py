"""A calendar on the web: a Nextcloud-like public calendar, a plain ``agenda.ics`` as any generator writes one, a CalDAV collection.

Nextcloud answers its public link (``/index.php/apps/calendar/p/TOKEN``) with a page, and the data at
``/remote.php/dav/public-calendars/TOKEN?export`` (sabre/dav's ICSExportPlugin). There, private events are left out and confidential
ones show as "Busy"; the plain file holds everything, with its CLASS, as many exporters do. The collection ``/asso/agenda/`` answers as
Radicale 3 does: by password only, everything, with an ETag that it never compares. ``/asso/calendars/agenda/`` answers as Xandikos 0.4
does: to anybody, a page to whoever takes pages at all, else everything, with an ETag that it heeds. Both were compared with real ones
(``./run interop``).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from aiohttp import web

from syndicator.sandbox.server import Simulator

TOKEN = "zQe5Dx7ACfHnb4Rk"  # noqa: S105 a made-up share link
_ZONE = """BEGIN:VTIMEZONE
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
_SABRE_ERROR = """<?xml version="1.0" encoding="utf-8"?>
<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">
  <s:exception>Sabre\\DAV\\Exception\\{kind}</s:exception>
  <s:message>{message}</s:message>
</d:error>
"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One VEVENT; ``lines`` are added to it as they are."""

    uid: str
    title: str
    starts: str
    """The DTSTART line after its name, such as ``;TZID=Europe/Paris:20261205T203000``."""
    ends: str | None = None
    secrecy: str = ""
    cancelled: bool = False
    stamp: datetime
    sequence: int = 0
    lines: tuple[str, ...] = ()

    def text(self) -> list[str]:
        """Its content lines, unfolded."""
        found = ["BEGIN:VEVENT", f"UID:{self.uid}", f"DTSTAMP:{self.stamp:%Y%m%dT%H%M%SZ}", f"SUMMARY:{_escaped(self.title)}"]
        found += [f"DTSTART{self.starts}", f"SEQUENCE:{self.sequence}"]
        found += [f"DTEND{self.ends}"] if self.ends else []
        found += [f"CLASS:{self.secrecy}"] if self.secrecy else []
        found += [f"STATUS:{'CANCELLED' if self.cancelled else 'CONFIRMED'}"]
        return [*found, *self.lines, "END:VEVENT"]

    def shown_to_the_public(self) -> list[str]:
        """What Nextcloud leaves of a confidential event."""
        if self.secrecy != "CONFIDENTIAL":
            return self.text()
        return replace(self, title="Busy", lines=()).text()


@dataclass(kw_only=True)
class World:
    """What the calendar holds."""

    entries: dict[str, Entry] = field(default_factory=dict)
    raw: list[bytes] = field(default_factory=list)
    document: tuple[bytes, str] | None = None
    changed_at: datetime


class CalendarSimulator(Simulator):
    """One shared calendar named ``name``."""

    def __init__(self, *, now: Callable[[], datetime] | None = None, name: str = "Agenda de la Maison") -> None:
        super().__init__(now=now)
        self.name = name
        self.accounts = {"asso": "secret"}
        """Who may read the collection."""
        self.etags = True
        """Whether answers can be asked for conditionally."""
        self._world = World(changed_at=self.now())
        self._serial = 0
        self.app.router.add_get("/agenda.ics", self._plain)
        self.app.router.add_get("/asso/agenda/", self._collection)
        self.app.router.add_get("/asso/calendars/{name:agenda/?}", self._negotiated)
        self.app.router.add_get("/asso/calendars/{path:.+}", self._not_found)
        self.app.router.add_get("/remote.php/dav/public-calendars/{token}", self._export)
        for path in ("/index.php/apps/calendar/p/{token}", "/apps/calendar/p/{token}"):
            self.app.router.add_get(path, self._page)

    @property
    def plain_url(self) -> str:
        """The plain file."""
        return f"{self.url}/agenda.ics"

    @property
    def collection_url(self) -> str:
        """The CalDAV collection."""
        return f"{self.url}/asso/agenda/"

    @property
    def negotiated_url(self) -> str:
        """The CalDAV collection of the server that shows pages to browsers."""
        return f"{self.url}/asso/calendars/agenda/"

    @property
    def share_url(self) -> str:
        """What Nextcloud's "copy public link" gives."""
        return f"{self.url}/index.php/apps/calendar/p/{TOKEN}"

    def add_event(
        self,
        title: str,
        starts_at: datetime,
        *,
        ends_at: datetime | None = None,
        all_day: bool = False,
        uid: str | None = None,
        lines: tuple[str, ...] = (),
    ) -> str:
        """Put an event into the calendar and return its UID; ``lines`` are more content lines (``RRULE:…``)."""
        self._serial += 1
        uid = uid or f"{hashlib.sha256(f'{title}{self._serial}'.encode()).hexdigest()[:12]}@cloud.example"
        ends_at = ends_at or (starts_at + (timedelta(days=1) if all_day else timedelta(hours=2)))
        self._keep(
            Entry(uid=uid, title=title, starts=_date(starts_at, all_day), ends=_date(ends_at, all_day), stamp=self.now(), lines=lines)
        )
        return uid

    def add_private(self, title: str, starts_at: datetime, *, secrecy: str = "PRIVATE") -> str:
        """Put an event into it that is not for the public (``PRIVATE`` or ``CONFIDENTIAL``)."""
        uid = self.add_event(title, starts_at, lines=(f"DESCRIPTION:{_escaped(title)}", f"LOCATION:{_escaped(title)}"))
        self._keep(replace(self._world.entries[uid], secrecy=secrecy))
        return uid

    def edit(self, uid: str, *, title: str | None = None, lines: tuple[str, ...] | None = None) -> None:
        """Change what an event says."""
        entry = self._world.entries[uid]
        self._keep(replace(entry, title=title or entry.title, lines=entry.lines if lines is None else lines))

    def move(self, uid: str, starts_at: datetime, *, ends_at: datetime | None = None) -> None:
        """Give an event another date."""
        entry = self._world.entries[uid]
        all_day = "VALUE=DATE" in entry.starts
        ends_at = ends_at or (starts_at + (timedelta(days=1) if all_day else timedelta(hours=2)))
        moved = replace(entry, starts=_date(starts_at, all_day), ends=_date(ends_at, all_day))
        self._keep(replace(moved, sequence=entry.sequence + 1))

    def cancel(self, uid: str) -> None:
        """Mark an event as cancelled."""
        entry = self._world.entries[uid]
        self._keep(replace(entry, cancelled=True, sequence=entry.sequence + 1))

    def remove(self, uid: str) -> None:
        """Delete an event."""
        del self._world.entries[uid]
        self._world.changed_at = self.now()

    def add_raw(self, data: bytes) -> None:
        """Put bytes into the calendar as they are, before its end."""
        self._world.raw.append(data)
        self._world.changed_at = self.now()

    def serve(self, document: bytes, content_type: str = "text/calendar; charset=utf-8") -> None:
        """Answer with this whole document from now on."""
        self._world.document = (document, content_type)
        self._world.changed_at = self.now()

    def _keep(self, entry: Entry) -> None:
        self._world.entries[entry.uid] = replace(entry, stamp=self.now())
        self._world.changed_at = self.now()

    def document(self, *, public: bool) -> bytes:
        """The calendar's text; as Nextcloud shows it to the ``public``, or whole."""
        head = ["BEGIN:VCALENDAR", "VERSION:2.0", "CALSCALE:GREGORIAN", "PRODID:-//SabreDAV//SabreDAV//EN"]
        head += [f"X-WR-CALNAME:{_escaped(self.name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT4H", "X-PUBLISHED-TTL:PT4H", *_ZONE.splitlines()]
        for entry in self._world.entries.values():
            if not public:
                head += entry.text()
            elif entry.secrecy != "PRIVATE":
                head += entry.shown_to_the_public()
        return b"".join([*(_folded(line) for line in head), *self._world.raw, b"END:VCALENDAR\r\n"])

    async def _plain(self, request: web.Request) -> web.Response:
        body, content_type = self._world.document or (self.document(public=False), "text/calendar; charset=utf-8")
        return self._answer(request, body, {"Content-Type": content_type})

    async def _export(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return _sabre(404, "NotFound", "Principal with name public-calendars not found")
        if "export" not in request.query:
            return _sabre(501, "NotImplemented", "GET is only implemented for File objects")
        name = f"{self.name}-{self.now():%Y-%m-%d}.ics"
        headers = {"Content-Type": "text/calendar; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
        return self._answer(request, self.document(public=True), headers)

    async def _collection(self, request: web.Request) -> web.Response:
        pairs = {f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" for user, password in self.accounts.items()}
        if request.headers.get("Authorization") not in pairs:
            challenge = {"WWW-Authenticate": 'Basic realm="Radicale - Password Required"'}
            return web.Response(status=401, text="Access to the requested resource forbidden.", headers=challenge)
        body = self.document(public=False)
        headers = {"Content-Type": "text/calendar; charset=utf-8", "Content-Disposition": "attachment; filename*=utf-8''Calendar.ics"}
        return web.Response(body=body, headers={**headers, **self._stamps(body)})

    async def _negotiated(self, request: web.Request) -> web.Response:
        if "export" not in request.query and _takes_pages(request.headers.get("Accept", "*/*")):
            page = f"<html>\n  <head>\n    <title>WebDAV Collection - {self.name}</title>\n  </head>\n</html>"
            return web.Response(body=page.encode(), headers={"Content-Type": "text/html; encoding=utf-8"})
        body = self.document(public=False)
        etag = f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        return web.Response(body=body, headers={"Content-Type": "text/calendar; charset=utf-8", "ETag": etag})

    async def _not_found(self, request: web.Request) -> web.Response:
        return web.Response(status=404, body=f"Path {request.path} not found.".encode(), content_type="application/octet-stream")

    async def _page(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return web.Response(status=404, text="<!DOCTYPE html><title>Nextcloud</title>", content_type="text/html")
        head = f"<head><title>{self.name} - Calendar - Nextcloud</title></head>"
        body = f'<!DOCTYPE html><html lang="fr">{head}<body id="body-public"></body></html>'
        return web.Response(text=body, content_type="text/html")

    def _answer(self, request: web.Request, body: bytes, headers: dict[str, str]) -> web.Response:
        if not self.etags:
            return web.Response(body=body, headers=headers)
        stamps = self._stamps(body)
        if request.headers.get("If-None-Match") == stamps["ETag"]:
            return web.Response(status=304, headers=stamps)
        return web.Response(body=body, headers={**headers, **stamps})

    def _stamps(self, body: bytes) -> dict[str, str]:
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        return {"ETag": etag, "Last-Modified": f"{self._world.changed_at.astimezone(UTC):%a, %d %b %Y %H:%M:%S GMT}"}


def _takes_pages(accept: str) -> bool:
    """Xandikos' ``pick_content_types``: any range that a page is in will do, unless pages are ruled out by their name."""
    ranges = dict(part.replace(" ", "").partition(";")[::2] for part in accept.split(","))
    return ranges.get("text/html") != "q=0" and bool(ranges.keys() & {"text/html", "text/*", "*/*"})


def _sabre(status: int, kind: str, message: str) -> web.Response:
    text = _SABRE_ERROR.format(kind=kind, message=message)
    return web.Response(status=status, text=text, content_type="application/xml")


def _date(at: datetime, all_day: bool) -> str:
    if all_day:
        return f";VALUE=DATE:{at:%Y%m%d}"
    zone = getattr(at.tzinfo, "key", None)
    return f";TZID={zone}:{at:%Y%m%dT%H%M%S}" if zone and zone != "UTC" else f":{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """RFC 5545 3.1: at most 75 octets, no character cut in two."""
    pieces, current = [], b""
    for char in line:
        encoded = char.encode()
        if len(current) + len(encoded) > 75:
            pieces.append(current)
            current = b" "
        current += encoded
    return b"\r\n".join([*pieces, current]) + b"\r\n"

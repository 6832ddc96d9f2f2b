"""A CalDAV server (RFC 4791, RFC 4918) with one account and its calendars, as three kinds of servers answer.

They differ in what they say to the same refusal: ``radicale`` (3.9) 409 ``no-uid-conflict`` and 400 for what is no calendar,
``xandikos`` (0.4) 412 with the precondition's name for both (the real one takes some that are none), ``nextcloud`` (sabre/dav) 400 and
415 without any. All refuse what the RFC refuses: an object that is not one event with one UID, that has a METHOD, or names a timezone
without defining it (4.1); one whose condition does not hold; anything without the account's password. The first two were compared with
real ones (``./run interop radicale xandikos``).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from posixpath import normpath
from typing import Literal
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from aiohttp import web

from syndicator.sandbox.caldav_object import Invalid, uid_of
from syndicator.sandbox.server import Simulator

Flavour = Literal["radicale", "xandikos", "nextcloud"]
USER, PASSWORD = "asso", "mot-de-passe-d-application"
DAV, CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
_ROOTS: dict[Flavour, str] = {"radicale": "/", "xandikos": "/", "nextcloud": "/remote.php/dav/"}
_PRINCIPALS: dict[Flavour, str] = {
    "radicale": f"/{USER}/",
    "xandikos": f"/{USER}/",
    "nextcloud": f"/remote.php/dav/principals/users/{USER}/",
}
_HOMES: dict[Flavour, str] = {
    "radicale": f"/{USER}/",
    "xandikos": f"/{USER}/calendars/",
    "nextcloud": f"/remote.php/dav/calendars/{USER}/",
}
_NAMESPACES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://sabredav.org/ns"'


@dataclass(kw_only=True)
class Collection:
    """One calendar."""

    title: str
    components: tuple[str, ...] = ("VEVENT",)
    writable: bool = True
    objects: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A status, and the precondition that failed where there is a name for it."""

    def __init__(self, status: int, precondition: str = "", message: str = "") -> None:
        super().__init__(message or precondition)
        self.status, self.precondition, self.message = status, precondition, message


class CaldavSimulator(Simulator):
    """One account; ``calendars`` by the last part of their address."""

    def __init__(self, *, now: Callable[[], datetime] | None = None, flavour: Flavour = "radicale") -> None:
        super().__init__(now=now)
        self.flavour: Flavour = flavour
        self.home = _HOMES[flavour]
        self.calendars = {"agenda": Collection(title="Agenda public")}
        self.challenge = 'Basic realm="Calendars"'
        self.put_etags: Literal["strong", "weak", "none"] = "strong"
        """What a PUT is answered with; RFC 4791 5.3.4 allows none."""
        self.etags: Literal["strong", "weak"] = "strong"
        """What kind the objects have: If-Match never takes a weak one (RFC 9110 13.1.1)."""
        self.room_bytes: int | None = None
        """How much all objects together may have; None: enough."""
        self.locked: set[str] = set()
        """Names of objects that somebody holds a lock on."""
        self.trash: set[str] = set()
        """UIDs in Nextcloud's trash, which are taken there."""
        self._serial = 0
        self.app.router.add_route("*", "/.well-known/caldav", self._well_known)
        self.app.router.add_route("*", "/{path:.*}", self._serve)

    @property
    def calendar_url(self) -> str:
        """The address of the calendar ``agenda``."""
        return f"{self.url}{self.home}agenda/"

    @property
    def objects(self) -> dict[str, bytes]:
        """What ``agenda`` holds."""
        return self.calendars["agenda"].objects

    def keep(self, name: str, data: bytes, *, calendar: str = "agenda") -> str:
        """Put an object there as some other program does, and return its ETag."""
        self._serial += 1
        digest = hashlib.sha256(f"{self._serial}".encode() + data).hexdigest()[:20]
        collection = self.calendars[calendar]
        collection.objects[name] = data
        collection.etags[name] = f'"{digest}"' if self.etags == "strong" else f'W/"{digest}"'
        return collection.etags[name]

    async def _well_known(self, _: web.Request) -> web.StreamResponse:
        raise web.HTTPMovedPermanently(_ROOTS[self.flavour])

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        pair = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {pair}":
            return web.Response(status=401, text="Access forbidden", headers={"WWW-Authenticate": self.challenge})
        try:
            return await self._method(request)
        except Refusal as refusal:
            return self._refused(refusal)

    async def _method(self, request: web.Request) -> web.StreamResponse:
        raw = unquote(urlsplit(request.raw_path).path)
        path = normpath(raw) + ("/" if raw.endswith("/") and raw != "/" else "")
        if request.method == "PROPFIND":
            return self._propfind(path, request.headers.get("Depth", "infinity"), await request.read())
        calendar, name = self._place(path)
        if request.method == "REPORT" and not name:
            return self._report(calendar, path, await request.read())
        if not name:
            raise Refusal(405)
        if request.method == "PUT":
            return self._put(calendar, name, request, await request.read())
        if request.method == "DELETE":
            return self._delete(calendar, name, request)
        if request.method == "GET" and name in calendar.objects:
            headers = {"ETag": calendar.etags[name], "Content-Type": "text/calendar; charset=utf-8"}
            return web.Response(body=calendar.objects[name], headers=headers)
        raise Refusal(404 if request.method == "GET" else 405)

    def _place(self, path: str) -> tuple[Collection, str]:
        """A calendar, and the name of one of its objects; empty for itself."""
        if not path.startswith(self.home):
            raise Refusal(404)
        calendar, _, name = path.removeprefix(self.home).partition("/")
        if calendar not in self.calendars or "/" in name:
            # RFC 4918 9.7.1: without its parent, 409.
            raise Refusal(409 if name else 404)
        return self.calendars[calendar], name

    # What is asked

    def _propfind(self, path: str, depth: str, body: bytes) -> web.Response:
        asked = [part.tag for part in ElementTree.fromstring(body).iterfind(f"{DAV}prop/*")]  # noqa: S314 - a simulator's own caller
        if depth not in ("0", "1"):
            raise Refusal(403, "propfind-finite-depth")
        try:
            there = self._below(path, depth)
        except Refusal as refusal:
            if self.flavour != "xandikos" or refusal.status != 404:
                raise
            missing = f"<d:response><d:href>{quote(path)}</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
            return _multistatus([missing])
        return _multistatus([_response(where, {tag: self._property(tag, where) for tag in asked}) for where in there])

    def _below(self, path: str, depth: str) -> list[str]:
        home, root = self.home, _ROOTS[self.flavour]
        folder = path.rstrip("/") + "/"
        if folder in (root, home, _PRINCIPALS[self.flavour]):
            inside = [f"{home}{name}/" for name in self.calendars] if folder == home else []
            return [folder, *inside] if depth == "1" else [folder]
        if folder.removeprefix(home).count("/") == 1 and folder.removeprefix(home).strip("/") not in self.calendars:
            raise Refusal(404)
        calendar, name = self._place(path if path.endswith(("/", ".ics")) else folder)
        if name:
            if name not in calendar.objects:
                raise Refusal(404)
            return [path]
        return [folder, *(folder + one for one in calendar.objects)] if depth == "1" else [folder]

    def _property(self, tag: str, path: str) -> str | None:
        """The inside of a property; None where there is none."""
        principal, kinds = _PRINCIPALS[self.flavour], ""
        calendar = self.calendars.get(path.removeprefix(self.home).strip("/")) if path.startswith(self.home) else None
        if tag == f"{DAV}current-user-principal":
            return f"<d:href>{principal}</d:href>"
        if tag == f"{CAL}calendar-home-set":
            return f"<d:href>{self.home}</d:href>" if path == principal else None
        if tag == f"{DAV}resourcetype":
            kinds = "<d:collection/>" if path.endswith("/") else ""
            kinds += "<c:calendar/>" if calendar else ""
            return kinds + ("<d:principal/>" if path == principal else "")
        if tag == f"{DAV}getetag":
            collection, name = self._place(path) if path.startswith(self.home) else (None, "")
            return escape(collection.etags[name]) if collection and name else f'"{self._serial}"'
        if calendar is None:
            return None
        if tag == f"{DAV}displayname":
            return escape(calendar.title)
        if tag == f"{CAL}supported-calendar-component-set":
            return "".join(f'<c:comp name="{name}"/>' for name in calendar.components)
        if tag == f"{DAV}current-user-privilege-set":
            rights = ("read", "write", "write-content", "bind", "unbind") if calendar.writable else ("read",)
            return "".join(f"<d:privilege><d:{right}/></d:privilege>" for right in rights)
        return None

    def _report(self, calendar: Collection, path: str, body: bytes) -> web.Response:
        root = ElementTree.fromstring(body)  # noqa: S314 - a simulator's own caller
        if root.tag == f"{CAL}calendar-multiget":
            names = [unquote(part.text or "").rpartition("/")[2] for part in root.iter(f"{DAV}href")]
        elif root.tag == f"{CAL}calendar-query":
            uid = next((part.text for part in root.iter(f"{CAL}text-match")), "")
            names = [name for name, data in calendar.objects.items() if uid_of(data) == uid]
        else:
            raise Refusal(403, "supported-report")
        asked = [part.tag for part in root.iterfind(f"{DAV}prop/*")]
        folder = path.rstrip("/") + "/"
        return _multistatus([self._reported(calendar, folder, name, asked) for name in names])

    def _reported(self, calendar: Collection, folder: str, name: str, asked: list[str]) -> str:
        if name not in calendar.objects:
            return f"<d:response><d:href>{quote(folder + name)}</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>"
        known = {f"{DAV}getetag": escape(calendar.etags[name]), f"{CAL}calendar-data": escape(calendar.objects[name].decode())}
        return _response(folder + name, {tag: known.get(tag) for tag in asked})

    # What is written

    def _put(self, calendar: Collection, name: str, request: web.Request, body: bytes) -> web.Response:
        self._may_write(calendar, name)
        self._check_conditions(calendar, name, request)
        if not request.headers.get("Content-Type", "").startswith("text/calendar"):
            raise Refusal(415, "supported-calendar-data")
        try:
            uid = uid_of(body, strict=True)
        except Invalid as error:
            raise self._invalid(str(error)) from error
        if any(uid_of(data) == uid for other, data in calendar.objects.items() if other != name):
            raise self._uid_conflict("Calendar object with uid already exists in this calendar collection.")
        if uid in self.trash and name not in calendar.objects:
            raise self._uid_conflict("Deleted calendar object with uid already exists in this calendar collection.")
        held = sum(len(data) for other, data in calendar.objects.items() if other != name)
        if self.room_bytes is not None and held + len(body) > self.room_bytes:
            raise Refusal(507, "quota-not-exceeded")
        status = 204 if name in calendar.objects else 201
        etag = self.keep(name, body, calendar=next(key for key, one in self.calendars.items() if one is calendar))
        shown = {"strong": etag, "weak": f"W/{etag.removeprefix('W/')}", "none": ""}[self.put_etags]
        return web.Response(status=status, headers={"ETag": shown} if shown else {})

    def _delete(self, calendar: Collection, name: str, request: web.Request) -> web.Response:
        if name not in calendar.objects:
            raise Refusal(404)
        self._may_write(calendar, name)
        self._check_conditions(calendar, name, request)
        del calendar.objects[name], calendar.etags[name]
        if self.flavour != "radicale":
            return web.Response(status=204)
        gone = f"<d:response><d:href>{quote(request.path)}</d:href><d:status>HTTP/1.1 200 OK</d:status></d:response>"
        return _multistatus([gone], status=200)

    def _may_write(self, calendar: Collection, name: str) -> None:
        if not calendar.writable:
            raise Refusal(403, "" if self.flavour == "radicale" else "need-privileges")
        if name in self.locked:
            raise Refusal(423, "lock-token-submitted")

    def _check_conditions(self, calendar: Collection, name: str, request: web.Request) -> None:
        match, none = request.headers.get("If-Match"), request.headers.get("If-None-Match")
        held = calendar.etags.get(name)
        if none == "*" and held is not None:
            raise Refusal(412, message="An If-None-Match header was specified, but the ETag matched")
        if match is not None and (held is None or held.startswith("W/") or match not in ("*", held)):
            raise Refusal(412, message="An If-Match header was specified, but none of the specified ETags matched")

    def _invalid(self, message: str) -> Refusal:
        if self.flavour == "xandikos":
            return Refusal(412, "valid-calendar-data", message)
        return Refusal(400 if self.flavour == "radicale" else 415, message=message)

    def _uid_conflict(self, message: str) -> Refusal:
        if self.flavour == "nextcloud":
            return Refusal(400, message=message)
        return Refusal(409 if self.flavour == "radicale" else 412, "no-uid-conflict")

    def _refused(self, refusal: Refusal) -> web.Response:
        named = refusal.precondition
        if self.flavour == "nextcloud":
            inner = f"<s:exception>Sabre\\DAV\\Exception</s:exception><s:message>{escape(refusal.message)}</s:message>"
            inner += f"<d:{named}/>" if named else ""
        elif named:
            own = "c" if named in ("no-uid-conflict", "valid-calendar-data", "supported-calendar-data") else "d"
            inner = f"<{own}:{named}/>"
        else:
            return web.Response(status=refusal.status, text=refusal.message or "Refused.")
        body = f'<?xml version="1.0" encoding="utf-8"?>\n<d:error {_NAMESPACES}>{inner}</d:error>'
        return web.Response(status=refusal.status, text=body, content_type="application/xml")


def _response(path: str, properties: dict[str, str | None]) -> str:
    held = "".join(_element(tag, inside) for tag, inside in properties.items() if inside is not None)
    missing = "".join(_element(tag, "") for tag, inside in properties.items() if inside is None)
    parts = [f"<d:propstat><d:prop>{held}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"]
    if missing:
        parts.append(f"<d:propstat><d:prop>{missing}</d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>")
    return f"<d:response><d:href>{quote(path)}</d:href>{''.join(parts)}</d:response>"


def _element(tag: str, inside: str) -> str:
    name = tag.replace(DAV, "d:").replace(CAL, "c:")
    return f"<{name}>{inside}</{name}>"


def _multistatus(responses: list[str], *, status: int = 207) -> web.Response:
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<d:multistatus {_NAMESPACES}>{"".join(responses)}</d:multistatus>'
    return web.Response(status=status, text=body, content_type="application/xml")

"""Asks one CalDAV server: requests, and what its answers mean, the union of what the servers we know say (RFC 4918, RFC 4791).

412 alone is no proof that an object changed: which precondition failed stands in the body, and the same one comes with 403, 409 or
412 (Radicale answers 409 ``no-uid-conflict``, Xandikos 412; Nextcloud 400 without a name for it).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urljoin, urlsplit

from connectors.ical import dav_words, dav_xml
from connectors.ical.dav_xml import Complaint, NotDav, Resource
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, Rejected, Transient, Words
from syndicator.http import Http, Response, error_for

LISTING_MAX_BYTES = 20_000_000
_AT_ONCE = 50
"""Objects asked for in one REPORT."""
_ROOM = frozenset({"quota-not-exceeded", "sufficient-disk-space"})
_RIGHTS = frozenset({"need-privileges"})
_NO_DAV = frozenset({400, 403, 404, 405, 406, 409, 410, 415, 501})
"""What servers and proxies answer where no WebDAV resource is."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one object."""

    kind: Literal["done", "stale", "refused"]
    """``stale``: it is not as the condition said."""
    etag: str | None = None
    detail: str = ""
    why: Words | None = None


class Dav:
    """One account on one server."""

    def __init__(self, http: Http, now: Callable[[], datetime], user: str | None, password: Secret | None) -> None:
        self._http = http
        self._now = now
        self._user = user
        self._password = password

    async def describe(self, url: str, *, depth: Literal["0", "1"] = "0") -> tuple[str, list[Resource]] | None:
        """Where it is after redirects, and what is there; None where there is no WebDAV resource."""
        response = await self._ask("PROPFIND", url, dav_xml.description(), {"Depth": depth})
        self._refuse_strangers(response)
        if response.status in _NO_DAV or (200 <= response.status < 300 and response.status != 207):
            return None
        self._raise_for(response)
        try:
            found = dav_xml.resources(response.body)
        except NotDav:
            return None
        # Xandikos says 404 inside a multistatus.
        return (response.url, found) if found else None

    async def names(self, calendar: str) -> list[str]:
        """The names of everything in it."""
        response = await self._ask("PROPFIND", calendar, dav_xml.question(["d:getetag"]), {"Depth": "1"})
        self._check(response)
        return [one.name for one in _multistatus(response) if one.path.rstrip("/") != dav_xml.path_of(calendar).rstrip("/")]

    async def look(self, calendar: str, names: Sequence[str]) -> dict[str, Resource]:
        """Those of these objects that are there, with their content and ETag of the same moment."""
        found: dict[str, Resource] = {}
        for start in range(0, len(names), _AT_ONCE):
            hrefs = [urlsplit(calendar).path + name for name in names[start : start + _AT_ONCE]]
            response = await self._ask("REPORT", calendar, dav_xml.multiget(hrefs), {"Depth": "1"})
            self._check(response)
            found |= {one.name: one for one in _multistatus(response) if one.data is not None}
        return found

    async def holders(self, calendar: str, uid: str) -> list[str]:
        """The names of the objects that have this UID, as far as the server can be asked."""
        response = await self._ask("REPORT", calendar, dav_xml.named(uid), {"Depth": "1"})
        self._refuse_strangers(response)
        try:
            return [one.name for one in dav_xml.resources(response.body)] if response.status == 207 else []
        except NotDav:
            return []

    async def put(self, url: str, body: bytes, condition: Mapping[str, str]) -> Outcome:
        """Write an object, once.

        Raises Transient, OutcomeUnknown, and whatever concerns the calendar as a whole: AuthExpired, Rejected.
        """
        response = await self._ask("PUT", url, body, {"Content-Type": "text/calendar; charset=utf-8", **condition})
        if response.status in (200, 201, 204):
            return Outcome(kind="done", etag=usable(response.headers.get("ETag")))
        return self._not_written(response)

    async def delete(self, url: str, condition: Mapping[str, str]) -> Outcome:
        """Remove an object; one that is not there any more is removed. Raises as ``put``."""
        response = await self._ask("DELETE", url, b"", condition)
        if (200 <= response.status < 300 and response.status != 207) or response.status in (404, 410):
            return Outcome(kind="done")
        return self._not_written(response)

    def _not_written(self, response: Response) -> Outcome:
        said = dav_xml.complaint(response.body)
        self._refuse_strangers(response)
        self._refuse_whole(response, said)
        named = said.preconditions
        if "no-uid-conflict" in named:
            return Outcome(kind="refused", detail=_detail(response, said), why=dav_words.UID_TAKEN)
        if response.status == 412 and not named:
            return Outcome(kind="stale", detail=_detail(response, said))
        if response.status == 413 or "max-resource-size" in named:
            return Outcome(kind="refused", detail=_detail(response, said), why=dav_words.TOO_LARGE)
        if response.status == 423:
            raise Transient(_detail(response, said), hint=dav_words.BUSY)
        if 400 <= response.status < 500 and response.status not in (408, 425, 429):
            return Outcome(kind="refused", detail=_detail(response, said), why=dav_words.NOT_TAKEN)
        raise error_for(response, self._now(), write=True) or Transient(_detail(response, said))

    def _refuse_whole(self, response: Response, said: Complaint) -> None:
        """Raise for what would meet every other object too."""
        detail = _detail(response, said)
        if response.status == 507 or said.preconditions & _ROOM:
            raise Rejected(detail, hint=dav_words.FULL)
        if 300 <= response.status < 400:
            raise Rejected(f"{detail}: {response.headers.get('Location', '')}", hint=dav_words.MOVED)
        if response.status == 403 and (not said.preconditions or said.preconditions & _RIGHTS):
            raise AuthExpired(detail, hint=dav_words.READ_ONLY)
        if response.status in (404, 405, 410) or (response.status == 409 and not said.preconditions):
            raise Rejected(detail, hint=dav_words.VANISHED)

    def _check(self, response: Response) -> None:
        self._refuse_strangers(response)
        if response.status in (404, 405, 410):
            raise Rejected(_detail(response, Complaint()), hint=dav_words.VANISHED)
        self._raise_for(response)

    def _raise_for(self, response: Response) -> None:
        error = error_for(response, self._now())
        if error is not None:
            raise error

    def _refuse_strangers(self, response: Response) -> None:
        if response.status != 401:
            return
        detail = f"{urlsplit(response.url).netloc} answered 401"
        schemes = {value.split(" ")[0].lower() for value in response.headers.getall("WWW-Authenticate", [])}
        if self._user is None:
            raise AuthExpired(detail, hint=dav_words.LOCKED)
        raise AuthExpired(detail, hint=dav_words.DIGEST if schemes == {"digest"} else dav_words.REFUSED)

    async def _ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        sent = {"Content-Type": "application/xml; charset=utf-8", **headers} if body else dict(headers)
        if self._user is not None and self._password is not None:
            pair = f"{self._user}:{self._password.reveal()}"
            sent["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return await self._http.request(method, url, headers=sent, data=body or None, max_bytes=LISTING_MAX_BYTES, encoded=True)


def usable(etag: str | None) -> str | None:
    """An ETag that If-Match can be given (RFC 9110 13.1.1: a weak one never matches); None without one."""
    tag = (etag or "").strip()
    return tag if len(tag) > 2 and tag.startswith('"') and tag.endswith('"') else None


def only(etag: str | None) -> Mapping[str, str]:
    """The condition that nothing happened since; none where the server gives no ETag that can be one."""
    return {"If-Match": etag} if etag else {}


def within(url: str, href: str) -> str:
    """The address that ``href`` of an answer about ``url`` means. Raises Rejected when it is on another server.

    The password goes to the configured host alone; a scheme that a proxy in front hides from the server is corrected.
    """
    try:
        base, meant = urlsplit(url), urlsplit(urljoin(url, href))
    except ValueError as error:
        raise Rejected(f"{urlsplit(url).netloc} leads to {href!r}", hint=dav_words.NOT_DAV) from error
    if meant.hostname != base.hostname:
        raise Rejected(f"{base.netloc} leads to {meant.netloc}", hint=dav_words.ELSEWHERE)
    return f"{base.scheme}://{base.netloc}{quote(meant.path, safe='/%:@!$&()*+,;=~')}"


def _multistatus(response: Response) -> list[Resource]:
    try:
        return dav_xml.resources(response.body)
    except NotDav as error:
        raise Transient(f"{urlsplit(response.url).netloc} answered {response.status} without a multistatus") from error


def _detail(response: Response, said: Complaint) -> str:
    named = ", ".join(sorted(said.preconditions)) or said.message
    return f"{urlsplit(response.url).netloc} answered {response.status}{f': {named}' if named else ''}"

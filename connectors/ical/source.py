"""The source: asks for the calendar, as cheaply as its server allows, and says what it shows now."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.ical.address import Address, address_of
from connectors.ical.reading import Found, Reading
from connectors.ical.scan import NotACalendar, decode, scan
from connectors.ical.snapshot import Snapshot, load, save
from connectors.ical.words import CalendarFacts
from connectors.ical.zones import zone
from syndicator.contract import Context, Page, Secret
from syndicator.errors import AuthExpired, Gone, Rejected, Transient, words
from syndicator.http import ICS_MAX_BYTES, Response, error_for
from syndicator.model import Batch, Tombstone

WINDOW_MAX = timedelta(days=548)
_FRESH = timedelta(minutes=1)
_CHARSET = re.compile(r'charset="?([A-Za-z0-9._-]+)', re.IGNORECASE)
_NOT_A_CALENDAR = words(
    fr="Cette adresse ne donne pas un calendrier : vérifiez que le lien est public et mène à un fichier iCal (.ics).",
    en="This address does not give a calendar: check that the link is public and leads to an iCal file (.ics).",
)
_VANISHED = words(
    fr="Ce calendrier n'est plus là : le lien de partage a peut-être été retiré. Copiez-en un nouveau.",
    en="This calendar is no longer there: its share link may have been withdrawn. Copy a new one.",
)
_LOCKED = words(
    fr="Ce calendrier demande un mot de passe : donnez user et password, ou le lien public du calendrier.",
    en="This calendar asks for a password: give user and password, or the calendar's public link.",
)
_REFUSED = words(
    fr="Ce nom ou ce mot de passe n'est pas accepté pour ce calendrier : refaites le mot de passe d'application, "
    "et vérifiez que ce compte a le droit de le lire.",
    en="This name or password is not accepted for this calendar: make a new app password, and check that this account may read it.",
)


@dataclass(frozen=True, kw_only=True)
class IcalOptions:
    """How one calendar is read."""

    url: str
    """The calendar's public address: an ``.ics`` file, a ``webcal://`` link, or the public page of a Nextcloud or Google calendar."""
    page: str | None = None
    """The web page that events without a link of their own lead to; by default the calendar's public page, or the calendar itself; with a
    password, the association's ``url``."""
    user: str | None = None
    """The account that may read the calendar, where it has no public link."""
    password: Secret | None = None
    """That account's password, best one made for this use alone ("app password")."""
    timezone: str | None = None
    """The zone of times that name none, such as ``Europe/Paris``; by default the calendar's own, else the association's."""
    ahead: timedelta = timedelta(days=365)
    """How far into the future events and the dates of series are read; ``history`` and ``ahead`` together are at most 18 months."""
    history: timedelta = timedelta(days=31)
    """How far back past events are read."""

    def __post_init__(self) -> None:
        """Raise ValueError for an address that is none, an unknown timezone, or too long a window."""
        address_of(self.url)
        if (self.user is None) != (self.password is None) or ":" in (self.user or ""):
            raise ValueError(
                words(
                    fr="user et password vont ensemble : donnez les deux, ou aucun ; et user ne contient pas de « : »",
                    en="user and password go together: give both, or neither; and there is no “:” in user",
                )
            )
        if self.page is not None:
            address_of(self.page)
        if self.timezone is not None and zone(self.timezone) is None:
            raise ValueError(
                words(
                    fr=f"le fuseau {self.timezone!r} n'existe pas ; écrivez par exemple Europe/Paris",
                    en=f"there is no timezone {self.timezone!r}; write Europe/Paris, for example",
                )
            )
        if self.ahead + self.history > WINDOW_MAX or min(self.ahead, self.history) < timedelta(0):
            raise ValueError(
                words(
                    fr="history et ahead font ensemble plus de 18 mois (548 jours) : réduisez l'un des deux",
                    en="history and ahead are more than 18 months together (548 days): reduce one of them",
                )
            )


class IcalSource:
    """Reads one calendar by its address."""

    Options = IcalOptions

    def __init__(self, options: IcalOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._address = address_of(options.url)
        self._path = context.state_dir / "calendar.json"
        self._opened: tuple[datetime, Snapshot] | None = None
        """What ``open`` saw and when, until it is used: it spares the first fetch a request."""
        self._moved_to: str | None = None

    async def open(self) -> None:
        """See whether the address gives a calendar; what it gives serves the first fetch."""
        if zone(self._context.association.timezone) is None:
            raise Rejected(f"no timezone is called {self._context.association.timezone!r}")
        if self._options.user is not None and self._address.is_open_to_eavesdroppers:
            self._context.log.warning("the password travels unencrypted to %s: use https", self._address.host)
        snapshot = await self._look()
        self._opened = (self._context.now(), snapshot)

    async def close(self) -> None:
        """Forget what ``open`` saw."""
        self._opened = None

    async def fetch(self, cursor: str | None) -> Batch:
        """The whole window, when anything in it may have changed: at every change of the calendar, and once a day as time moves on."""
        now = self._context.now()
        opened, self._opened = self._opened, None
        snapshot = opened[1] if opened and now - opened[0] < _FRESH else await self._look()
        reached = f"{now.astimezone(ZoneInfo(self._context.association.timezone)):%Y-%m-%d} {await asyncio.to_thread(_digest, snapshot)}"
        if reached == cursor:
            return Batch(cursor=cursor)
        found = await asyncio.to_thread(self._ask, snapshot, now, Reading.window)
        # Calendars drop what is past: the absence of a past event says nothing, so the listing speaks for what is to come.
        return Batch(changed=found.events, cursor=reached, complete=found.complete, complete_since=now)

    async def read(self, ids: Sequence[str]) -> Batch:
        """Those of ``ids`` that the calendar holds, whenever they are; one that it does not hold is gone, though not for certain."""
        snapshot = await self._look()
        found = await asyncio.to_thread(self._ask, snapshot, self._context.now(), lambda reading: reading.named(ids))
        return Batch(changed=found.events, gone=tuple(Tombstone(uid=uid) for uid in sorted(found.absent)))

    async def _look(self) -> Snapshot:
        """The calendar as it is now, by one request that is small when nothing changed."""
        known = await asyncio.to_thread(load, self._path, self._address.feed)
        if known and known.unconditional and await self._shows_the_same(known):
            return known
        headers = self._headers()
        if known and known.etag:
            headers["If-None-Match"] = known.etag
        if known and known.modified:
            headers["If-Modified-Since"] = known.modified
        response = await self._context.http.get(self._address.feed, headers=headers, max_bytes=ICS_MAX_BYTES)
        error = error_for(response, self._context.now())
        if isinstance(error, AuthExpired):
            raise AuthExpired(str(error), hint=_LOCKED if self._options.user is None else _REFUSED) from error
        if isinstance(error, Gone) or response.status == 404:
            raise Rejected(str(error), hint=_VANISHED) from error
        if error is not None:
            raise error
        self._tell_of_move(response)
        if response.status == 304 and known is not None:
            return known
        try:
            snapshot = await asyncio.to_thread(_snapshot, self._address.feed, response, known)
        except NotACalendar as error:
            said = f"{self._address.host} answered {response.content_type or 'something without a type'} instead of a calendar"
            # Where there was a calendar before, a page of maintenance or a login says nothing about it.
            raise (Transient if known else Rejected)(said, hint=_NOT_A_CALENDAR) from error
        if snapshot != known:
            await asyncio.to_thread(self._keep, snapshot)
        return snapshot

    def _headers(self) -> dict[str, str]:
        # Xandikos gives a web page to whoever takes one at all, however much rather they have a calendar.
        headers = {"Accept": "text/calendar, text/plain;q=0.5, text/html;q=0, */*;q=0.1"}
        if self._options.user is not None and self._options.password is not None:
            pair = f"{self._options.user}:{self._options.password.reveal()}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return headers

    async def _shows_the_same(self, known: Snapshot) -> bool:
        """Asks for the ETag alone, where a server sends one and yet answers 200 to it (Radicale 3 does)."""
        response = await self._context.http.request("HEAD", self._address.feed, headers=self._headers())
        return response.status == 200 and response.headers.get("ETag") == known.etag

    def _keep(self, snapshot: Snapshot) -> None:
        """A disk that is full costs us the comfort of conditional requests, not the calendar."""
        try:
            save(self._path, snapshot)
        except OSError as error:
            self._context.log.warning("calendar not kept: %s", error.strerror)

    def _tell_of_move(self, response: Response) -> None:
        if response.moved_to and response.moved_to != self._moved_to:
            self._moved_to = response.moved_to
            self._context.log.warning("calendar moved for good: write its new address into the configuration: %s", response.moved_to)

    def _ask(self, snapshot: Snapshot, now: datetime, question: Callable[[Reading], Found]) -> Found:
        association, options = self._context.association, self._options
        facts = CalendarFacts(
            page=options.page or (association.url if options.user else None) or self._address.page,
            timezone=association.timezone,
            untitled="Untitled" if association.language.startswith("en") else "Sans titre",
        )
        since, until = now - options.history, now + options.ahead
        host = self._address.host
        found = question(Reading(snapshot.scan, facts, timezone=options.timezone, host=host, since=since, until=until))
        for note in found.notes:
            self._context.log.warning("calendar %s: %s", host, note)
        return found

    @classmethod
    def recognise(cls, page: Page) -> Mapping[str, Any] | None:
        """The options that read the calendar behind ``page``: its data, or a page that shows or names them."""
        if page.content_type == "text/calendar" or page.body.lstrip(b"\xef\xbb\xbf \r\n\t")[:15].upper() == b"BEGIN:VCALENDAR":
            return {"url": page.asked_url}
        for url in (page.asked_url, page.url):
            address = _address(url)
            if address is not None and (address.feed != address.page or url.lower().startswith(("webcal:", "webcals:"))):
                return {"url": url}
        named = next(
            (href for rel, kind, href in page.links if kind.lower() == "text/calendar" and "alternate" in rel.lower().split()), None
        )
        return {"url": named} if named and _address(named) else None


def _address(url: str) -> Address | None:
    try:
        return address_of(url)
    except ValueError:
        return None


def _snapshot(url: str, response: Response, known: Snapshot | None) -> Snapshot:
    """Raises NotACalendar."""
    charset = _CHARSET.search(response.headers.get("Content-Type", ""))
    found = scan(decode(response.body, charset[1] if charset else None))
    etag, modified = response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
    unconditional = bool(etag) and known is not None and (known.unconditional or known.etag == etag)
    return Snapshot(url=url, etag=etag, modified=modified, unconditional=unconditional, scan=found)


def _digest(snapshot: Snapshot) -> str:
    return snapshot.digest

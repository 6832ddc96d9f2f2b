"""caldav: a calendar on a CalDAV server (Nextcloud, Radicale, Xandikos, Baïkal…), kept up to date event by event. A destination.

*What it does.* Each event is one object in the calendar, named ``syndicator-….ics``, with the same content as in the ``ical`` feed: the
hour of its own timezone, days as days, place, tags, picture, the way home. A moved event moves, a cancelled one stays and says so in its
title; one that is withdrawn or deleted at its origin is removed. What is over stays, as the calendar's memory; ``past`` removes it after
a while.
Members see it in whatever program they use for their calendars, beside what they write themselves.

*What it touches.* Only what it made. Each object is on record in the state folder before it is made, and only those on record are ever
changed or removed. An event of somebody else under one of our names, or the same event added by somebody else, is left alone, and a
person is told; the other events go on. What a person changes in one of our events stays until the event changes at its origin, which is
the truth: then ours replaces it. One that a person deletes comes back at its next change. When the record is lost, what bears our signature
is found again by asking the calendar once; two destinations never take each other's objects.

*Credential.* The name and an app password of an account that may write into the calendar.

- Nextcloud: Paramètres → Sécurité → Appareils et sessions: a name such as « syndicator », « Créer un nouveau mot de passe d'application »,
  copy it into the secret's file. It does not expire; it can be revoked there alone. In the app Agenda: make a calendar for this
  (« Nouveau calendrier »), then its menu → Modifier → « Copier le lien privé » gives ``url``. The address of the cloud itself does too,
  with the calendar's name in ``calendar``.
- Radicale, Baïkal: the account's own name and password; the calendar's address is shown on its page.
- A server without passwords (Xandikos behind a proxy that asks for them): leave both out.

A password never goes out over ``http://``, except to a host named in ``allow_private``; nor to another host than that of ``url``.

*Cost.* Nothing while nothing changes, but for two small requests at each start, which also see whether the calendar was emptied or made
anew: then everything is written again. One request for each event that changes, two or three where somebody changed it over there. At the
first start, one for each event.

*What it cannot do.* Log in otherwise than by Basic over https: no Digest (Baïkal: choose Basic), no OAuth. So not Google, which takes no
password: subscribe Google Calendar to the ``ical`` feed instead. iCloud was not tried, and keeps its calendars on other hosts than the one
people know. Invite anybody: events have no attendees, so nobody gets mail. Notice at once what people do over there: it is not read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.ical.dav_client import Dav, usable
from connectors.ical.dav_discovery import Calendar, find, start_of
from connectors.ical.dav_object import calendar_object, digest_of, identity_of, is_our_kind_of_name, maker_of, name_of
from connectors.ical.dav_record import Kept, Record
from connectors.ical.dav_turn import Turn, Wanted
from connectors.ical.feed import Head
from connectors.ical.zones import zone
from syndicator.contract import Context, Secret, View
from syndicator.errors import Rejected, words
from syndicator.model import Event

HISTORY = timedelta(days=365)
"""An event that is missing from the view and was over before that is only too old to be shown: nobody withdrew it."""


@dataclass(frozen=True, kw_only=True)
class CaldavOptions:
    """Which calendar is written, and by whom."""

    url: str
    """The calendar's address (Nextcloud: its private link), or the server's, where ``calendar`` says which one is meant or there is only
    one."""
    user: str | None = None
    """The account that may write into it."""
    password: Secret | None = None
    """That account's password, best one made for this use alone ("app password")."""
    calendar: str = ""
    """Which of the account's calendars, by its title or the last part of its address, where ``url`` is the server's."""
    past: timedelta | None = None
    """How long events stay in the calendar when they are over, at most a year; by default for ever."""
    images: bool = True
    """Whether events name their picture at its origin; a calendar program that shows it then asks that server for it."""

    def __post_init__(self) -> None:
        """Raise ValueError for an address that cannot be written to, half an account, or too long a past."""
        start_of(self.url)
        if (self.user is None) != (self.password is None) or ":" in (self.user or ""):
            raise ValueError(
                words(
                    fr="user et password vont ensemble : donnez les deux, ou aucun ; et user ne contient pas de « : »",
                    en="user and password go together: give both, or neither; and there is no “:” in user",
                )
            )
        if self.past is not None and not timedelta(0) <= self.past <= HISTORY:
            raise ValueError(words(fr="past vaut entre 0s et 365d", en="past is between 0s and 365d"))


class CaldavProjection:
    """Keeps one CalDAV calendar's own part up to date."""

    Options = CaldavOptions

    def __init__(self, options: CaldavOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._dav = Dav(context.http, context.now, options.user, options.password)
        self._calendar: Calendar | None = None
        self._whole_view_seen = False

    async def open(self) -> None:
        """Find the calendar, and see whether it may be written."""
        if zone(self._context.association.timezone) is None:
            raise Rejected(f"no timezone is called {self._context.association.timezone!r}")
        self._calendar = await self._find()

    async def _find(self) -> Calendar:
        return await find(self._dav, start_of(self._options.url), self._options.calendar)

    async def close(self) -> None:
        """Nothing is held."""

    async def project(self, view: View) -> None:
        """Make the calendar show this view; without news, nothing is asked of the server."""
        self._calendar = self._calendar or await self._find()
        record = await asyncio.to_thread(Record.load, self._context.state_dir, self._calendar.url)
        if record is None:
            record = await self._recovered(self._calendar)
        elif not self._whole_view_seen:
            await self._forget_if_emptied(record, self._calendar)
        wanted = await asyncio.to_thread(self._wanted, view, record)
        await Turn(self._dav, self._context, record).run(wanted, self._unwanted(view, record, set(wanted)))
        self._whole_view_seen = True

    def _wanted(self, view: View, record: Record) -> dict[str, Wanted | None]:
        """Every object that the view shows, by name; None for one that is as it was."""
        association, now = self._context.association, self._context.now()
        head = Head(
            name=association.name, description="", timezone=association.timezone, language=association.language, images=self._options.images
        )
        found: dict[str, Wanted | None] = {}
        for event in view.items:
            if not isinstance(event, Event) or event.visibility != "public" or event.draft:
                continue
            ends_at = event.ends_at or event.starts_at
            if self._options.past is not None and ends_at < now - self._options.past:
                continue
            name, first_seen_at = name_of(event.uid), view.first_seen_at.get(event.uid)
            kept = record.objects.get(name)
            if self._whole_view_seen and event.uid not in view.changed and kept and kept.written and not kept.refused:
                found[name] = None
                continue
            body = calendar_object(head, event, view.changed_at[event.uid], first_seen_at, record.maker)
            found[name] = Wanted(title=" ".join(event.title.split())[:80], ends_at=ends_at, body=body, digest=digest_of(body))
        return found

    def _unwanted(self, view: View, record: Record, wanted: set[str]) -> list[str]:
        """Objects of ours to be removed."""
        absent = [name for name in record.objects if name not in wanted]
        if not view.items and not any(kept.written for kept in record.objects.values()):
            return []  # A new state folder that has read nothing yet says nothing about what an earlier one wrote.
        if self._options.past is not None:
            return absent
        since = self._context.now() - HISTORY
        return [name for name in absent if not _over_before(record.objects[name], since)]

    async def _recovered(self, calendar: Calendar) -> Record:
        """A record of what is there of ours, by our names and our signature."""
        context = self._context
        self._tell_of_others(calendar)
        maker = maker_of(context.association.url or context.association.name, context.name)
        record = Record(path=Record.where(context.state_dir, calendar.url), calendar=calendar.url, maker=maker)
        names = [name for name in await self._dav.names(calendar.url) if is_our_kind_of_name(name)]
        for name, there in (await self._dav.look(calendar.url, names)).items():
            said = identity_of(there.data or "")
            if said and said.maker == maker and name_of(said.uid) == name:
                ends_at = said.ends_at.isoformat() if said.ends_at else ""
                record.objects[name] = Kept(made=True, etag=usable(there.etag), ends_at=ends_at)
        if record.objects:
            context.log.info("calendar %s: %d events of ours found again", calendar.title, len(record.objects))
        return record

    async def _forget_if_emptied(self, record: Record, calendar: Calendar) -> None:
        """Whether the calendar was emptied or made anew: one of ours is looked for, and only when it is missing, all of them."""
        made = [name for name, kept in sorted(record.objects.items()) if kept.made]
        if not made or await self._dav.look(calendar.url, made[-1:]) or not set(made).isdisjoint(await self._dav.names(calendar.url)):
            return
        self._context.log.warning("calendar %s holds nothing of what was written: written anew", calendar.title)
        record.objects |= {name: replace(record.objects[name], made=False, etag=None) for name in made}

    def _tell_of_others(self, calendar: Calendar) -> None:
        if any(self._context.state_dir.glob("objects-*.json")):
            self._context.log.warning(
                "this destination writes into %s now; what it wrote into another calendar stays there: remove it by hand if it should go",
                calendar.url,
            )


def _over_before(kept: Kept, since: datetime) -> bool:
    return bool(kept.ends_at) and datetime.fromisoformat(kept.ends_at) < since

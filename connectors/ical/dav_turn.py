"""One pass over a CalDAV calendar: what differs is removed or written, each object by itself, and nothing that is not ours."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.ical import dav_words
from connectors.ical.dav_client import Dav, Outcome, only, usable
from connectors.ical.dav_object import identity_of, name_of, same_text
from connectors.ical.dav_record import Kept, Record
from connectors.ical.dav_xml import Resource
from syndicator.contract import Context
from syndicator.errors import OutcomeUnknown, RateLimited, Rejected, Transient, words

TRY_AGAIN = timedelta(hours=6)
"""How often what the calendar refused is offered again, unchanged."""
TROUBLE_MAX = 3
"""So many objects in a row without a usable answer: it is the server, not the event."""
KEEP_EVERY = 25
"""Objects after which the record is written, so that a crash costs few questions."""
_DISK = words(
    fr="L'état ne peut pas être écrit sur le disque : vérifiez la place et les droits ; rien n'est envoyé sans cela.",
    en="The state cannot be written to disk: check room and permissions; nothing is sent without it.",
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One event as its object."""

    title: str
    ends_at: datetime
    body: bytes
    digest: str


class Turn:
    """One pass over what differs between a view and a calendar."""

    def __init__(self, dav: Dav, context: Context, record: Record) -> None:
        self._dav = dav
        self._context = context
        self._record = record
        self._calendar = record.calendar
        self._trouble: list[Transient | OutcomeUnknown] = []
        self._in_a_row = 0
        self._done = 0

    async def run(self, wanted: Mapping[str, Wanted | None], unwanted: Sequence[str]) -> None:
        """Remove, then write, and say in the end what could not be done."""
        objects, now = self._record.objects, self._context.now()
        news = {name: one for name, one in wanted.items() if one and self._is_news(name, one, now)}
        for name in news:
            objects.setdefault(name, Kept())
        if news or unwanted or not self._record.path.exists():
            self._keep()
        try:
            for name in unwanted:
                await self._attempt(self._remove(name))
            for name, one in news.items():
                await self._attempt(self._write(name, one))
        finally:
            if self._done:
                self._keep()
        if self._done:
            self._context.log.info("calendar written: %d events changed or removed", self._done)
        if self._trouble:
            raise self._trouble[0]
        self._tell_refusals(wanted)

    def _is_news(self, name: str, one: Wanted, now: datetime) -> bool:
        kept = self._record.objects.get(name)
        if kept is None:
            return True
        if kept.refused == one.digest and kept.refused_at and now - datetime.fromisoformat(kept.refused_at) < TRY_AGAIN:
            return False
        return not kept.made or kept.written != one.digest

    async def _attempt(self, step: Coroutine[Any, Any, None]) -> None:
        try:
            await step
        except RateLimited:
            raise
        except (Transient, OutcomeUnknown) as error:
            # One event that a server stumbles over must not keep the others back.
            self._trouble.append(error)
            self._in_a_row += 1
            if self._in_a_row >= TROUBLE_MAX:
                raise
            return
        self._in_a_row = 0
        self._done += 1
        if self._done % KEEP_EVERY == 0:
            self._keep()

    async def _write(self, name: str, one: Wanted) -> None:
        kept, url = self._record.objects[name], self._calendar + name
        if not kept.made:
            outcome = await self._dav.put(url, one.body, {"If-None-Match": "*"})
        elif kept.etag:
            outcome = await self._dav.put(url, one.body, {"If-Match": kept.etag})
        else:
            outcome = Outcome(kind="stale")
        if outcome.kind == "stale":
            outcome = await self._write_over(name, one, kept)
        if outcome.kind == "done":
            self._record.objects[name] = kept.done(one.digest, outcome.etag, one.ends_at)
            return
        if outcome.kind == "stale":
            raise Transient(f"{name} changes while it is written: {outcome.detail}")
        why = await self._why(name, one, outcome)
        self._record.objects[name] = kept.declined(one.digest, outcome.detail, why, self._context.now())

    async def _write_over(self, name: str, one: Wanted, kept: Kept) -> Outcome:
        """What to do when the object is not as we left it: changed by a person, gone, made by an attempt of which we heard no more."""
        url = self._calendar + name
        there = (await self._dav.look(self._calendar, [name])).get(name)
        if there is None:
            return await self._dav.put(url, one.body, {"If-None-Match": "*"})
        if not self._is_ours(name, there, kept):
            return Outcome(kind="refused", detail=f"{name} is not ours", why=dav_words.NOT_OURS)
        if same_text(there.data or "", one.body):
            return Outcome(kind="done", etag=usable(there.etag))
        return await self._dav.put(url, one.body, only(usable(there.etag)))

    async def _remove(self, name: str) -> None:
        kept, url = self._record.objects[name], self._calendar + name
        known = kept.made and kept.etag
        outcome = await self._dav.delete(url, {"If-Match": known}) if known else Outcome(kind="stale")
        if outcome.kind == "stale":
            there = (await self._dav.look(self._calendar, [name])).get(name)
            if there is not None and not self._is_ours(name, there, kept):
                self._context.log.warning("%s%s is not ours any more: left alone", self._calendar, name)
                there = None
            outcome = Outcome(kind="done") if there is None else await self._dav.delete(url, only(usable(there.etag)))
        if outcome.kind != "done":
            raise Transient(f"{name} cannot be removed: {outcome.detail}")
        del self._record.objects[name]

    def _is_ours(self, name: str, there: Resource, kept: Kept) -> bool:
        """What we know to have made stays ours while it shows the same event; else the signature decides."""
        said = identity_of(there.data or "")
        return said is not None and name_of(said.uid) == name and (kept.made or said.maker == self._record.maker)

    async def _why(self, name: str, one: Wanted, outcome: Outcome) -> dict[str, str]:
        """In words; where the server gives none of its own, whether the event is there already under another name."""
        if outcome.why == dav_words.NOT_TAKEN:
            said = identity_of(one.body.decode())
            holders = await self._dav.holders(self._calendar, said.uid) if said else []
            if set(holders) - {name}:
                return dict(dav_words.UID_TAKEN)
        return dict(outcome.why or dav_words.NOT_TAKEN)

    def _tell_refusals(self, wanted: Mapping[str, Wanted | None]) -> None:
        """Raise Rejected when the calendar lacks something, in the words for the first of it."""
        objects = self._record.objects
        lacking = [(one, objects[name]) for name, one in wanted.items() if one and objects[name].refused == one.digest]
        if not lacking:
            return
        one, kept = lacking[0]
        more = len(lacking) - 1
        others = {"fr": f" (Et {more} autres.)", "en": f" (And {more} more.)"} if more else {"fr": "", "en": ""}
        raise Rejected(
            f"{len(lacking)} of {len(wanted)} events: {kept.detail}",
            hint=words(
                fr=f"« {one.title} » n'est pas dans le calendrier : {kept.why.get('fr', '')}{others['fr']}",
                en=f"“{one.title}” is not in the calendar: {kept.why.get('en', '')}{others['en']}",
            ),
        )

    def _keep(self) -> None:
        try:
            self._record.keep()
        except OSError as error:
            raise Transient(f"{error.filename}: {error.strerror}", hint=_DISK) from error

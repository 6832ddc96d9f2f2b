"""The projection: which feeds there are, which events each holds, and where they are written."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Literal

from connectors.ical.feed import PRODID, Entries, Head, feed
from connectors.ical.zones import zone
from syndicator.contract import Context, View
from syndicator.errors import Rejected, words
from syndicator.folder import Folder
from syndicator.model import Event
from syndicator.text.naming import handle

GOOGLE_MAX_BYTES = 1_000_000
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,75}\.ics")
_FOLDER = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?")


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One calendar file."""

    file: str
    """Its name, such as ``agenda.ics``: letters without accents, digits, ``.``, ``_`` and ``-``."""
    name: str = ""
    """What calendar programs call it; by default the association's name."""
    description: str = ""
    """A sentence about it, which some programs show."""
    tags: tuple[str, ...] = ()
    """Only events with at least one of these tags; compared without case, accents or ``#``."""
    sources: tuple[str, ...] = ()
    """Only events that these sources show, by their names in the configuration: an event of several is in the feed of each."""

    def __post_init__(self) -> None:
        """Raise ValueError for a name that is no plain ``.ics`` file name."""
        if not _FILE.fullmatch(self.file):
            raise ValueError(
                words(
                    fr=f"le nom de fichier {self.file!r} ne convient pas ; écrivez par exemple agenda.ics",
                    en=f"the file name {self.file!r} does not do; write agenda.ics, for example",
                )
            )


@dataclass(frozen=True, kw_only=True)
class IcalProjectionOptions:
    """Which calendars are written, and what they hold."""

    feeds: tuple[Feed, ...] = (Feed(file="agenda.ics"),)
    """The calendar files; each may hold everything or only some tags or sources."""
    each: tuple[Literal["tag", "source"], ...] = ()
    """One more file for every tag (``tag-velo.ics``) or for every source (``source-agenda.ics``), as they come and go."""
    per_event: bool = False
    """One more file for every event, in a folder that has the name of the first feed, ``agenda/3f0a91c27d.ics``: what "add to my calendar"
    leads to on a website whose ``event_ics`` is set."""
    folder: str = ""
    """A folder below the public folder."""
    past: timedelta = timedelta(days=90)
    """How long past events stay, so that "past" does not look like "deleted" to a subscriber."""
    max_events: int = 1_000
    """The most events in one file; Google silently ignores more. The longest past go first, then the farthest ahead."""
    images: bool = True
    """Whether events name their picture at its origin; a calendar program that shows it then asks that server for it."""
    color: str | None = None
    """A CSS colour name, such as ``teal``, that some programs use for the calendar."""
    refresh: timedelta = timedelta(hours=1)
    """How often calendar programs are asked to look again; several decide by themselves."""

    @property
    def files(self) -> tuple[str, ...]:
        """What is written below the public folder, as far as two must not write the same."""
        names = [feed.file for feed in self.feeds] + [f"{kind}-….ics" for kind in self.each]
        names += [f"{self.shelf}/….ics"] if self.per_event else []
        return tuple(f"{self.folder}/{name}".lstrip("/") for name in names)

    @property
    def shelf(self) -> str:
        """The folder of the events' own files."""
        return self.feeds[0].file.removesuffix(".ics") if self.feeds else "agenda"

    def __post_init__(self) -> None:
        """Raise ValueError for two files of one name, a folder outside, or limits that leave nothing."""
        if len({feed.file.lower() for feed in self.feeds}) < len(self.feeds):
            raise ValueError(words(fr="deux calendriers ont le même nom de fichier", en="two calendars have the same file name"))
        if not _FOLDER.fullmatch(self.folder):
            raise ValueError(
                words(
                    fr=f"le dossier {self.folder!r} ne convient pas : donnez un chemin relatif simple, comme agendas",
                    en=f"the folder {self.folder!r} does not do: give a simple relative path, such as calendars",
                )
            )
        if self.max_events < 1 or self.past < timedelta(0) or self.refresh < timedelta(minutes=1):
            raise ValueError(
                words(
                    fr="max_events vaut au moins 1, past n'est pas négatif et refresh vaut au moins 1m",
                    en="max_events is at least 1, past is not negative and refresh is at least 1m",
                )
            )
        if self.color is not None and not re.fullmatch(r"[A-Za-z]{1,30}", self.color):
            raise ValueError(words(fr="color est un nom de couleur CSS, comme teal", en="color is the name of a CSS colour, such as teal"))


class IcalProjection:
    """Writes iCalendar feeds into the public folder."""

    Options = IcalProjectionOptions

    def __init__(self, options: IcalProjectionOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._root = context.public_dir / options.folder
        self._folder = Folder(self._root, context.state_dir / "files.json", PRODID.encode())
        self._entries = Entries()
        self._has_written = False
        """Until then, what stands in the folder may be another version's."""

    async def open(self) -> None:
        """See whether the folder is where it may be."""
        if zone(self._context.association.timezone) is None:
            raise Rejected(f"no timezone is called {self._context.association.timezone!r}")
        _inside(self._root, self._context.public_dir)

    async def close(self) -> None:
        """Nothing is held."""

    async def project(self, view: View) -> None:
        """Write every feed whose bytes changed, and remove those that are no more."""
        written = await asyncio.to_thread(self._project, view, self._context.now())
        if written:
            self._context.log.info("calendars written: %s", " ".join(written))

    def _project(self, view: View, now: datetime) -> list[str]:
        _inside(self._root, self._context.public_dir)
        events = [item for item in view.items if isinstance(item, Event) and item.visibility == "public" and not item.draft]
        recent = [event for event in events if (event.ends_at or event.starts_at) >= now - self._options.past]
        self._entries.forget(view.changed, view.changed_at.keys())
        held = _Held(events=recent, view=view)
        feeds = self._feeds(events, view)
        files = {feed.file: partial(self._feed, feed, held.by(feed), view, now) for feed in feeds}
        own = {self._file_of(event): event for event in recent} if self._options.per_event else {}
        kept = self._standing(own, view.changed) if self._has_written else frozenset()
        alone = {name: partial(self._alone, event, view) for name, event in own.items() if name not in kept}
        written = self._folder.publish(_Files(files | alone, self._warn_of), keep=kept)
        self._has_written = True
        return written

    def _file_of(self, event: Event) -> str:
        return f"{self._options.shelf}/{handle(event.uid)}.ics"

    def _standing(self, own: Mapping[str, Event], changed: frozenset[str]) -> frozenset[str]:
        """The events' own files that are there and still right."""
        folder = self._root / self._options.shelf
        there = {entry.name for entry in os.scandir(folder)} if folder.is_dir() else set()
        return frozenset(name for name, event in own.items() if event.uid not in changed and name.rpartition("/")[2] in there)

    def _alone(self, event: Event, view: View) -> bytes:
        head = replace(self._head(Feed(file="x.ics", name=event.title)), source=None)
        return feed(head, [event], view.changed_at, view.first_seen_at)

    def _warn_of(self, name: str, data: bytes) -> None:
        if len(data) > GOOGLE_MAX_BYTES:
            self._context.log.warning("%s has %d bytes: Google Calendar may leave events out beyond 1 MB", name, len(data))

    def _feeds(self, events: Sequence[Event], view: View) -> Sequence[Feed]:
        """The configured feeds, then those of each tag and source; a configured file name always wins.

        A tag or source whose events are all long past keeps its feed, empty: who subscribed to it is told no error.
        """
        title = self._context.association.name
        found = {wanted.file.lower(): wanted for wanted in self._options.feeds}
        if "source" in self._options.each:
            for source in sorted({source for event in events for source in shown_by(event, view)}):
                file = f"source-{slug(source)}.ics"
                if file in found and found[file].sources not in ((), (source,)):
                    file = f"source-{slug(source)}-{_hash(source)}.ics"
                found.setdefault(file, Feed(file=file, name=f"{title} – {view.sources.get(source) or source}", sources=(source,)))
        if "tag" in self._options.each:
            for tag in _spellings(events):
                file = f"tag-{slug(tag)}.ics"
                found.setdefault(file, Feed(file=file, name=f"{title} – {tag}", tags=(tag,)))
        return list(found.values())

    def _feed(self, wanted: Feed, events: Sequence[Event], view: View, now: datetime) -> bytes:
        chosen = _at_most(events, self._options.max_events, now)
        return feed(self._head(wanted), chosen, view.changed_at, view.first_seen_at, self._entries)

    def _head(self, wanted: Feed) -> Head:
        association, options = self._context.association, self._options
        base = self._context.public_url
        folder = f"{options.folder}/" if options.folder else ""
        return Head(
            name=wanted.name or association.name,
            description=wanted.description,
            timezone=association.timezone,
            language=association.language,
            url=association.url,
            source=f"{base}{folder}{wanted.file}" if base else None,
            color=options.color,
            refresh=options.refresh,
            images=options.images,
        )


@dataclass(frozen=True, kw_only=True)
class _Held:
    """Which events each feed holds, found once for all of them."""

    events: Sequence[Event]
    view: View

    def by(self, wanted: Feed) -> list[Event]:
        """Those of this feed, in order."""
        if not wanted.tags and not wanted.sources:
            return list(self.events)
        tagged = {index for tag in wanted.tags for index in self._tags.get(fold(tag), ())}
        sourced = {index for source in wanted.sources for index in self._sources.get(source, ())}
        chosen = tagged & sourced if wanted.tags and wanted.sources else tagged | sourced
        return [self.events[index] for index in sorted(chosen)]

    @cached_property
    def _tags(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for index, event in enumerate(self.events):
            for tag in {fold(tag) for tag in event.tags}:
                found[tag].append(index)
        return found

    @cached_property
    def _sources(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for index, event in enumerate(self.events):
            for source in shown_by(event, self.view):
                found[source].append(index)
        return found


class _Files(Mapping[str, bytes]):
    """What is to be written, each file made when it is its turn."""

    def __init__(self, made: Mapping[str, Callable[[], bytes]], look_at: Callable[[str, bytes], None]) -> None:
        self._made = made
        self._look_at = look_at

    def __getitem__(self, name: str) -> bytes:
        data = self._made[name]()
        self._look_at(name, data)
        return data

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def shown_by(event: Event, view: View) -> Sequence[str]:
    """The sources that show an event."""
    return view.shown_by.get(event.uid, (event.source,))


def _at_most(events: Sequence[Event], most: int, now: datetime) -> list[Event]:
    """What fits: the longest past go first, then the farthest ahead; the order stays."""
    if len(events) <= most:
        return list(events)
    past = sorted((event for event in events if (event.ends_at or event.starts_at) < now), key=_by_date)
    ahead = sorted((event for event in events if (event.ends_at or event.starts_at) >= now), key=_by_date)[:most]
    kept = {event.uid for event in ahead} | {event.uid for event in past[len(past) - max(0, most - len(ahead)) :]}
    return [event for event in events if event.uid in kept]


def _by_date(event: Event) -> tuple[datetime, str]:
    return (event.starts_at, event.uid)


def _spellings(events: Sequence[Event]) -> list[str]:
    """Every tag once, in its most frequent spelling."""
    counted: Mapping[str, Counter[str]] = defaultdict(Counter)
    for event in events:
        for tag in event.tags:
            counted[fold(tag)][tag.strip().lstrip("#")] += 1
    return [min(counts, key=lambda tag: (-counts[tag], tag)) for folded, counts in sorted(counted.items()) if folded]


@lru_cache(maxsize=1_024)
def fold(tag: str) -> str:
    """What two spellings of one tag have in common: no case, accents, # or kind of blank."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", tag.casefold()) if not unicodedata.combining(char))
    return "-".join(re.split(r"[\s_-]+", plain.strip().lstrip("#")))


def slug(name: str) -> str:
    """``name`` as a part of a file name, [a-z0-9-], never the same for two that ``fold`` tells apart."""
    folded = fold(name)
    plain = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:60]
    if plain == folded:
        return plain
    return "-".join(part for part in (plain, _hash(folded)) if part)


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]


def _inside(root: Path, public: Path) -> None:
    """Refuse a folder that a link leads elsewhere."""
    if not root.resolve().is_relative_to(public.resolve()):
        raise Rejected(
            f"{root} leads out of {public}",
            hint=words(
                fr="Le dossier choisi est un lien vers un autre endroit : donnez un vrai dossier dans le dossier public.",
                en="The chosen folder is a link to somewhere else: give a real folder inside the public folder.",
            ),
        )

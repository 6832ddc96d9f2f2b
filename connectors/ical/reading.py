"""Pure: one calendar's reduced text → the items it shows, each VEVENT by itself: one that is broken never stops another."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import icalendar

from connectors.ical.recurrence import Budget, Refused
from connectors.ical.scan import Block, Scan
from connectors.ical.series import OCCURRENCES_MAX, Broken, Member, Occurrence, dates, occurrences
from connectors.ical.words import CalendarFacts, event_of, words_of
from connectors.ical.zones import Zones, iana
from syndicator.model import Event

ITEMS_MAX = 5_000
_UUID = re.compile(r"\{?[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}?")
_KEY = re.compile(r"(\d{8})(?:T(\d{6})Z)?")
_LONG_AGO = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a look at a calendar gave."""

    events: tuple[Event, ...] = ()
    absent: frozenset[str] = frozenset()
    """Of the uids asked for by name, those that the calendar does not hold."""
    notes: tuple[str, ...] = ()
    """What could not be read or was left out, one line each, for the log."""
    complete: bool = True


@dataclass
class _Notes:
    """Notes by kind, so that a calendar full of the same mistake makes one line."""

    found: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, what: str) -> None:
        self.found[kind].append(what[:80])

    def lines(self) -> tuple[str, ...]:
        return tuple(f"{kind}: {len(names)} ({', '.join(names[:3])}{'…' if len(names) > 3 else ''})" for kind, names in self.found.items())


class Reading:
    """One calendar, ready to be asked."""

    def __init__(self, scan: Scan, facts: CalendarFacts, *, timezone: str | None, host: str, since: datetime, until: datetime) -> None:
        self._facts = facts
        self._since, self._until = since, until
        self._budget = Budget()
        default = timezone or iana(scan.properties.get("X-WR-TIMEZONE", "")) or facts.timezone
        self._zones = Zones(scan.zones, default, since, until, self._budget)
        self._complete = scan.complete
        self._groups: dict[str, list[Block]] = defaultdict(list)
        for block in scan.events:
            self._groups[base_uid(block, host)].append(block)
        self._notes = _Notes()

    def window(self) -> Found:
        """Everything of which anything lies between ``since`` and ``until``."""
        events: list[Event] = []
        # Dates that were written one by one come before those that a rule makes, which may be too many.
        for uid, blocks in sorted(self._groups.items(), key=lambda group: any(block.has("RRULE") for block in group[1])):
            if len(events) >= ITEMS_MAX:
                self._notes.add("left out, too many dates", uid)
            elif not self._is_outside(blocks):
                events += self._of_group(uid, blocks)
        whole = self._complete and len(events) < ITEMS_MAX
        if not self._complete:
            self._notes.add("the calendar is cut off or too long", "only its beginning was read")
        return Found(events=tuple(events[:ITEMS_MAX]), notes=self._lines(), complete=whole)

    def named(self, uids: Sequence[str]) -> Found:
        """The items ``uids``, whenever they are; what is refused, broken or beyond the cut is neither found nor absent."""
        events: list[Event] = []
        absent: set[str] = set()
        wanted: dict[str, dict[str, str]] = defaultdict(dict)
        for uid in uids:
            base, key = self._split(uid)
            wanted[base][key] = uid
        for base, keys in wanted.items():
            found = self._by_key(base, keys)
            if found is None:
                continue
            events += [found[key] for key in keys if key in found]
            absent |= {uid for key, uid in keys.items() if key not in found} if self._complete else set()
        return Found(events=tuple(events), absent=frozenset(absent), notes=self._lines())

    def _split(self, uid: str) -> tuple[str, str]:
        if uid in self._groups:
            return uid, ""
        base, _, key = uid.rpartition("#")
        return (base, key) if base in self._groups or (base and _KEY.fullmatch(key)) else (uid, "")

    def _by_key(self, base: str, keys: Iterable[str]) -> Mapping[str, Event] | None:
        blocks = self._groups.get(base, [])
        spans = [_instant(key) for key in keys if key] or [self._since, self._until]
        since, until = min(spans) - timedelta(days=2), max(spans) + timedelta(days=2)
        try:
            found = dates(blocks, self._zones, since, until, self._budget)
            return {occurrence.key: event for occurrence, event in zip(found, self._events(base, found), strict=True)}
        except (Refused, Broken, ValueError, OverflowError) as error:
            self._notes.add("not readable", f"{base}: {error}")
            return None

    def _of_group(self, uid: str, blocks: Sequence[Block]) -> list[Event]:
        try:
            found = occurrences(blocks, self._zones, self._since, self._until, self._budget)
            if len(found) >= OCCURRENCES_MAX:
                self._notes.add(f"only the first {OCCURRENCES_MAX} dates are read", uid)
            return self._events(uid, found)
        except Refused as error:
            self._notes.add("series refused", f"{uid}: {error}")
        except (Broken, ValueError, OverflowError) as error:
            self._notes.add("not readable", f"{uid}: {error}")
        return []

    def _events(self, uid: str, found: Sequence[Occurrence]) -> list[Event]:
        said: dict[int, Event] = {}
        events = []
        for occurrence in found:
            member = occurrence.member
            if id(member) not in said:
                said[id(member)] = words_of(icalendar.Event.from_ical(_text(member)), self._facts)
            events.append(event_of(uid, occurrence, said[id(member)], self._zones.default.name))
        return events

    def _is_outside(self, blocks: Sequence[Block]) -> bool:
        """Whether, by its written dates alone, an event that does not recur is long past or far ahead."""
        if len(blocks) != 1 or blocks[0].has("RRULE", "RDATE"):
            return False
        start, end = (_day(blocks[0], name) for name in ("DTSTART", "DTEND"))
        if not start:
            return False
        if start > f"{self._until + timedelta(days=2):%Y%m%d}":
            return True
        reach = _LONG_AGO if blocks[0].has("DURATION") else timedelta(days=2)
        return (end or start) < f"{self._since - reach:%Y%m%d}"

    def _lines(self) -> tuple[str, ...]:
        for tzid in self._zones.guesses:
            self._notes.add(f"unknown timezones, read as {self._zones.default.name} or as their name says", tzid)
        return self._notes.lines()


def base_uid(block: Block, host: str) -> str:
    """The UID, made unique beyond its calendar: a URI, an address-like name or a UUID already is; any other gets ``@host``.

    Without a UID, which RFC 5545 does not allow and exporters still do, the first date and the title stand for it.
    """
    uid = " ".join((block.value("UID") or "").split())
    if not uid:
        said = f"{block.value('DTSTART')}\n{block.value('SUMMARY')}"
        uid = f"no-uid-{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:16]}"
    return uid if "@" in uid or ":" in uid or _UUID.fullmatch(uid) else f"{uid}@{host}"


def _text(member: Member) -> str:
    """The words of a VEVENT for the parser: dates and rules were read before."""
    lines = [line for name, line in member.block.lines if name not in _READ]
    return "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""])


_READ = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "UID", "SEQUENCE"})


def _day(block: Block, name: str) -> str:
    line = next((line for known, line in block.lines if known == name), "")
    day = line.rpartition(":")[2][:8]
    return day if day.isascii() and day.isdigit() else ""


def _instant(key: str) -> datetime:
    found = _KEY.fullmatch(key)
    if found is None:
        return datetime(1900, 1, 1, tzinfo=UTC)
    return datetime.strptime(f"{found[1]}{found[2] or '120000'}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)

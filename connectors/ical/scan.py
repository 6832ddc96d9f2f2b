"""Pure: the bytes of a calendar → its events as small texts, cheaply and whatever comes in.

Everything that could cost minutes, or that we must not keep, is left behind here, before any parser sees it: attendees, alarms,
tasks, inline files, endless lines, and all of a private event but the fact that it hides an occurrence. What remains is what the copy
on disk holds (``snapshot.py``). Limits are counts, never times, so that the same calendar always reads the same.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LINES_MAX = 500_000
LINE_MAX = 65_536
"""Characters of one unfolded line; longer ones (inline files) are dropped whole."""
SHORT_LINE_MAX = 4_096
"""The same for what is no text of many words or list of dates: some of it costs the square of its length to take apart."""
EVENTS_MAX = 20_000
EVENT_LINES_MAX = 2_000
ZONES_MAX = 50

_EVENT = frozenset({
    "ATTACH", "CATEGORIES", "CLASS", "CONFERENCE", "CREATED", "DESCRIPTION", "DTEND", "DTSTART", "DURATION", "EXDATE", "EXRULE", "GEO",
    "IMAGE", "LOCATION", "ORGANIZER", "RDATE", "RECURRENCE-ID", "RRULE", "SEQUENCE", "STATUS", "STYLED-DESCRIPTION", "SUMMARY", "UID",
    "URL", "X-ALT-DESC", "X-APPLE-STRUCTURED-LOCATION", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
})  # fmt: skip
_ZONE = frozenset({"TZID", "X-LIC-LOCATION", "DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO"})
_CALENDAR = frozenset({"NAME", "X-WR-CALNAME", "X-WR-TIMEZONE", "METHOD"})
_LONG = frozenset({"DESCRIPTION", "EXDATE", "RDATE", "STYLED-DESCRIPTION", "X-ALT-DESC"})
_HIDDEN = frozenset({"UID", "CLASS", "RECURRENCE-ID"})
_DATES = frozenset({"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"})
_NAME = re.compile(r"[A-Za-z0-9-]+")
_TZID = re.compile(r';TZID=("[^"]*"|[^;]*)', re.IGNORECASE)
_CN = re.compile(r';CN=("[^"]*"|[^;:"]*)', re.IGNORECASE)
_WEB = re.compile(r":(https?://[^\s\"]+)$", re.IGNORECASE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One component: unfolded lines by property name, in order."""

    lines: tuple[tuple[str, str], ...]
    """(upper-case name, the whole line)."""
    parts: tuple[Block, ...] = ()
    """STANDARD and DAYLIGHT of a VTIMEZONE."""

    def value(self, name: str) -> str | None:
        """The raw value of the first such property, when it has no parameter with a colon in it."""
        line = next((line for found, line in self.lines if found == name), None)
        return None if line is None else line.partition(":")[2].strip()

    def has(self, *names: str) -> bool:
        """Whether one of these properties is there."""
        return any(found in names for found, _ in self.lines)


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What is left of a calendar."""

    events: tuple[Block, ...] = ()
    zones: tuple[Block, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    """Whether it was read to its END:VCALENDAR within all limits."""


class NotACalendar(ValueError):
    """The text holds no VCALENDAR."""


def decode(body: bytes, charset: str | None) -> str:
    """The text by its byte order mark, else by the declared charset, else UTF-8, else Windows-1252 (what old exporters write)."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    # Lines are folded by octets: a character may be cut in two until they are joined again.
    body = _FOLD.sub(b"", body)
    if body.startswith(codecs.BOM_UTF8):
        return body[3:].decode("utf-8", "replace")
    for name in (charset, "utf-8"):
        try:
            return body.decode(name or "utf-8")
        except (LookupError, UnicodeDecodeError):
            continue
    return body.decode("cp1252", "replace")


def scan(text: str) -> Scan:
    """The events and timezones of ``text``. Raises NotACalendar."""
    reader = _Reader()
    for count, (name, line) in enumerate(_lines(text)):
        if count >= LINES_MAX or not reader.take(name, line):
            reader.cut = True
            break
    if not reader.opened:
        raise NotACalendar
    complete = reader.closed and not reader.cut and not reader.stack
    return Scan(events=tuple(reader.events), zones=tuple(reader.zones), properties=reader.properties, complete=complete)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """(upper-case name, unfolded line), each no longer than ``LINE_MAX``; RFC 5545 3.1."""
    pieces: list[str] = []
    size = 0
    for raw in io.StringIO(text, newline=None):
        piece = raw.rstrip("\n")
        if piece[:1] in (" ", "\t") and pieces:
            size += len(piece)
            if size <= LINE_MAX:
                pieces.append(piece[1:])
            continue
        if pieces and size <= LINE_MAX:
            yield from _named("".join(pieces))
        pieces, size = [piece], len(piece)
    if pieces and size <= LINE_MAX:
        yield from _named("".join(pieces))


def _named(line: str) -> Iterator[tuple[str, str]]:
    name = _NAME.match(line)
    if name is not None and line[name.end() : name.end() + 1] in (":", ";"):
        yield name[0].upper(), _CONTROLS.sub("", line)


class _Reader:
    """Where in the calendar we are, and what was found so far."""

    def __init__(self) -> None:
        self.events: list[Block] = []
        self.zones: list[Block] = []
        self.properties: dict[str, str] = {}
        self.opened = self.closed = self.cut = False
        self.stack: list[str] = []
        self._lines: list[tuple[str, str]] = []
        self._stamp = self._created = ""
        self._parts: list[Block] = []
        self._part: list[tuple[str, str]] = []

    def take(self, name: str, line: str) -> bool:
        """Read one line; False when a limit is reached."""
        if name == "BEGIN":
            self._begin(line.partition(":")[2].strip().upper())
        elif name == "END":
            return self._end(line.partition(":")[2].strip().upper())
        elif self.stack == ["VCALENDAR", "VEVENT"]:
            self._event_line(name, line)
        elif self.stack == ["VCALENDAR"] and name in _CALENDAR:
            self.properties.setdefault(name, line.partition(":")[2].strip())
        elif self.stack == ["VCALENDAR", "VTIMEZONE"] and name in _ZONE:
            self._lines.append((name, line))
        elif len(self.stack) == 3 and self.stack[1] == "VTIMEZONE" and name in _ZONE:
            self._part.append((name, line))
        return True

    def _begin(self, component: str) -> None:
        if component == "VCALENDAR" and not self.stack:
            self.opened = True
            self.closed = False
        if not self.opened:
            return
        # A component nested deeper than anything we read only has to be counted out again.
        self.stack.append(component if len(self.stack) < 4 else "")
        if len(self.stack) == 2:
            self._lines, self._parts, self._stamp, self._created = [], [], "", ""
        elif len(self.stack) == 3:
            self._part = []

    def _end(self, component: str) -> bool:
        if not self.stack:
            return True
        if self.stack == ["VCALENDAR", "VEVENT"] and component == "VEVENT":
            self.events.append(_reduced(self._lines, self._created if self._created[-16:] != self._stamp[-16:] else ""))
        elif self.stack == ["VCALENDAR", "VTIMEZONE"] and component == "VTIMEZONE":
            self.zones.append(Block(lines=tuple(self._lines), parts=tuple(self._parts)))
        elif len(self.stack) == 3 and self.stack[1] == "VTIMEZONE":
            self._parts.append(Block(lines=tuple(self._part)))
        self.stack.pop()
        self.closed = self.closed or not self.stack
        return len(self.events) < EVENTS_MAX and len(self.zones) < ZONES_MAX

    def _event_line(self, name: str, line: str) -> None:
        if name == "CLASS" and len(line) > SHORT_LINE_MAX:
            line = "CLASS:PRIVATE"
        if name not in _LONG and len(line) > SHORT_LINE_MAX:
            return
        if name == "DTSTAMP":
            self._stamp = line
        elif name == "CREATED":
            # Some exporters write the time of the export here, as in DTSTAMP: then it is no news of the event.
            self._created = line
        elif name in _HIDDEN or (name in _EVENT and len(self._lines) < EVENT_LINES_MAX):
            self._lines.append((name, _kept(name, line)))


def _kept(name: str, line: str) -> str:
    if name in _DATES:
        return _date_line(name, line)
    if name == "ORGANIZER":
        return _organizer(line)
    if name in ("ATTACH", "IMAGE") and "BASE64" in line[:200].upper():
        return f"{name}:"
    return line


def _organizer(line: str) -> str:
    """Who organises it by name and page; addresses of people stay where they are."""
    name, page = _CN.search(line), _WEB.search(line)
    shown = name[1].strip('" ') if name else ""
    return f'ORGANIZER;CN="{"" if "@" in shown else shown}":{page[1] if page else ""}'


def _date_line(name: str, line: str) -> str:
    """A date property with its TZID moved out of the parser's sight: what a name means is decided in ``zones.py``.

    No value of a date has a colon in it, but an unquoted "(UTC+01:00) Paris" has.
    """
    head, _, value = line.rpartition(":")
    found = _TZID.search(head)
    zone = found[1].strip('" ').replace('"', "") if found else ""
    kind = ";VALUE=DATE" if "VALUE=DATE" in head.upper().replace("VALUE=DATE-TIME", "") else ""
    kind = ";VALUE=PERIOD" if "VALUE=PERIOD" in head.upper() else kind
    future = ";RANGE=THISANDFUTURE" if "RANGE=THISANDFUTURE" in head.upper() else ""
    zone = f';X-TZID="{zone}"' if zone else ""
    return f"{name}{kind}{future}{zone}:{value.strip()}"


def _reduced(lines: list[tuple[str, str]], created: str) -> Block:
    """An event's lines; of one that is not public (RFC 5545 3.8.1.3: what is unknown counts as private), only its name and place."""
    secrecy = next((line.partition(":")[2].strip().upper() for name, line in lines if name == "CLASS"), "PUBLIC")
    if secrecy not in ("PUBLIC", ""):
        return Block(lines=tuple((name, line) for name, line in lines if name in _HIDDEN))
    if created:
        lines = [*lines, ("CREATED", created)]
    return Block(lines=tuple(lines))


def is_private(block: Block) -> bool:
    """Whether the event is not for the public."""
    return (block.value("CLASS") or "PUBLIC").upper() not in ("PUBLIC", "")

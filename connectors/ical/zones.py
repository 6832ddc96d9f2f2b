"""Pure: what a calendar calls its timezones → instants, and an IANA name for the event.

An IANA name means what IANA says, whatever the calendar's own VTIMEZONE of that name says. Windows names, ``/vendor/Area/City`` and
libical's ``X-LIC-LOCATION`` lead to one. A VTIMEZONE of the calendar's own making is computed by its rules (bounded, as all rules
are here); its events keep their instants and are shown on the default zone's clock. What nothing explains ("Customized Time Zone",
"(UTC+01:00) Bruxelles, Paris" without a VTIMEZONE) is the default zone, or one whose city is named and whose offset fits.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from connectors.ical.recurrence import Budget, Refused, expand, parse_rule, parse_until
from connectors.ical.scan import Block

_IANA = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
_OFFSET = re.compile(r"^\(?(?:UTC|GMT)\s*([+-−])?\s*(\d{1,2})?(?::?(\d{2}))?\)?", re.IGNORECASE)
_TZOFFSET = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?")
_WINTER = datetime(2026, 1, 15, 12, tzinfo=UTC)
_PARTS_MAX = 60
_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "Zulu", "Etc/UCT", "Etc/Zulu"})


@dataclass(frozen=True, kw_only=True)
class Zone:
    """How one TZID's wall clock reads."""

    name: str
    """A valid IANA name: the clock on which the event is shown."""
    onsets: tuple[tuple[datetime, timedelta], ...] = ()
    """For a zone of the calendar's own: (naive UTC, offset from then on), in order."""
    guessed: bool = False
    """Whether nothing explained the TZID."""

    def instant(self, wall: datetime) -> datetime:
        """The UTC instant of a naive wall clock time; in a gap by the offset before it, in an overlap the first (RFC 5545 3.3.5)."""
        if not self.onsets:
            return wall.replace(tzinfo=ZoneInfo(self.name)).astimezone(UTC)
        offset = self.onsets[0][1]
        for at, following in self.onsets:
            # By the old offset the change has come, and by the new one too: an hour that occurs twice belongs to the first.
            if wall - offset < at:
                break
            offset = following
        return (wall - offset).replace(tzinfo=UTC)

    def wall(self, at: datetime) -> datetime:
        """The naive wall clock time of an instant."""
        if not self.onsets:
            return at.astimezone(ZoneInfo(self.name)).replace(tzinfo=None)
        naive = at.astimezone(UTC).replace(tzinfo=None)
        index = bisect_right([onset for onset, _ in self.onsets], naive)
        return naive + self.onsets[max(0, index - 1)][1]


class Zones:
    """The timezones of one calendar."""

    def __init__(self, blocks: Sequence[Block], default: str, since: datetime, until: datetime, budget: Budget) -> None:
        self._default = default
        self._blocks = {(block.value("TZID") or "").strip('"'): block for block in blocks}
        self._since, self._until = since.replace(tzinfo=None), until.replace(tzinfo=None)
        self._budget = budget
        self._known: dict[str, Zone] = {}
        self.default = Zone(name=default)
        """For floating times."""

    def of(self, tzid: str | None) -> Zone:
        """The zone that ``tzid`` means; the default one for a floating time."""
        if not tzid:
            return self.default
        if tzid not in self._known:
            self._known[tzid] = self._find(tzid)
        return self._known[tzid]

    @property
    def guesses(self) -> list[str]:
        """The TZIDs that nothing explained."""
        return sorted(tzid for tzid, found in self._known.items() if found.guessed)

    def _find(self, tzid: str) -> Zone:
        block = self._blocks.get(tzid)
        name = iana(tzid) or (iana((block.value("X-LIC-LOCATION") or "").strip('"')) if block else None)
        if name is not None:
            return Zone(name=name)
        if block is not None:
            onsets = self._onsets(block)
            if onsets:
                return Zone(name=self._default, onsets=onsets)
        return Zone(name=_by_words(tzid, self._default) or self._default, guessed=True)

    def _onsets(self, block: Block) -> tuple[tuple[datetime, timedelta], ...]:
        try:
            found = [onset for part in block.parts[:_PARTS_MAX] for onset in self._part(part)]
        except (Refused, ValueError, OverflowError):
            return ()
        return tuple(sorted(found))

    def _part(self, part: Block) -> list[tuple[datetime, timedelta]]:
        before, after = _offset(part.value("TZOFFSETFROM")), _offset(part.value("TZOFFSETTO"))
        start = parse_until((part.value("DTSTART") or "").removesuffix("Z"))
        if not isinstance(start, datetime):
            start = datetime(start.year, start.month, start.day)  # noqa: DTZ001 a wall clock
        # The change before the span decides how the span begins.
        since = self._since - timedelta(days=400)
        walls = [start]
        if rule := part.value("RRULE"):
            parsed = parse_rule(rule)
            if parsed.frequency != "YEARLY":
                raise Refused("a timezone that does not change yearly")
            last = self._until + timedelta(days=400)
            if isinstance(parsed.until, datetime):
                last = min(last, parsed.until.replace(tzinfo=None) + timedelta(days=1))
            walls += expand(parsed, start, max(start, since), last, self._budget)
        for line in (line for name, line in part.lines if name == "RDATE"):
            values = [parse_until(value.removesuffix("Z")) for value in line.rpartition(":")[2].split(",")[:400]]
            walls += [value for value in values if isinstance(value, datetime)]
        return [(wall - before, after) for wall in sorted(set(walls))]


def iana(tzid: str) -> str | None:
    """The IANA name behind a TZID, Windows name or vendor-prefixed name; None when there is none."""
    name = tzid.strip().strip('"').strip("/")
    if name in WINDOWS_TO_OLSON:
        name = WINDOWS_TO_OLSON[name]
    pieces = name.split("/")
    candidates = ["/".join(pieces[start:]) for start in range(len(pieces) if tzid.startswith("/") else 1)]
    return next((candidate for candidate in candidates if zone(candidate) is not None), None)


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo | None:
    """The IANA zone of that name."""
    if not _IANA.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def is_utc(name: str) -> bool:
    """Whether a zone's name says no more than UTC."""
    return name in _UTC_NAMES


def _offset(text: str | None) -> timedelta:
    found = _TZOFFSET.fullmatch(text or "")
    if found is None:
        raise Refused("a timezone without offsets")
    size = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return -size if found[1] == "-" else size


def _by_words(tzid: str, default: str) -> str | None:
    """A zone for names such as "(UTC+01:00) Bruxelles, Copenhague, Madrid, Paris" or "UTC+1": what they say is the winter offset."""
    found = _OFFSET.match(tzid)
    if found is None or not (found[2] or tzid[found.end() :].strip()):
        return None
    sign = -1 if found[1] in ("-", "−") else 1
    offset = sign * timedelta(hours=int(found[2] or 0), minutes=int(found[3] or 0))
    if _WINTER.astimezone(ZoneInfo(default)).utcoffset() == offset:
        return default
    named = {word.strip().replace(" ", "_") for word in tzid[found.end() :].split(",")}
    for city in sorted(named & set(_cities())):
        if _WINTER.astimezone(ZoneInfo(_cities()[city])).utcoffset() == offset:
            return _cities()[city]
    hours, rest = divmod(abs(offset), timedelta(hours=1))
    # The signs of these names are the other way round: https://data.iana.org/time-zones/tzdb/etcetera
    fixed = f"Etc/GMT{'-' if offset > timedelta(0) else '+'}{hours}"
    return fixed if hours and not rest and zone(fixed) else None


@cache
def _cities() -> dict[str, str]:
    return {name.rpartition("/")[2]: name for name in sorted(available_timezones()) if "/" in name and not name.startswith("Etc/")}

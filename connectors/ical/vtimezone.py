"""Pure: an IANA zone → the VTIMEZONE that makes a span of years right, small enough for Outlook.

Changes that fall on the same weekday of the same month every year become one RRULE, as in every hand-written VTIMEZONE; others (a
Ramadan, a decree) are listed as RDATE. RFC 5545 3.6.5: an onset is written in the offset *before* it.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

_PATTERN_YEARS = 12
"""How many years a rule must hold before it is written as one that holds for ever."""
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, kw_only=True, order=True)
class _Kind:
    """What one observance says."""

    before: timedelta
    after: timedelta
    name: str
    is_dst: bool


@lru_cache(maxsize=64)
def vtimezone(name: str, first_year: int, last_year: int) -> bytes:
    """The VTIMEZONE of the IANA zone ``name``, right from the start of ``first_year`` to the end of ``last_year``, CRLF included."""
    zone = Timezone()
    zone.add("tzid", name)
    observances = _observances(ZoneInfo(name), first_year - 1, last_year)
    for kind, onsets in sorted(observances.items(), key=lambda pair: pair[1][0]):
        part: TimezoneDaylight | TimezoneStandard = TimezoneDaylight() if kind.is_dst else TimezoneStandard()
        wanted = [onset for onset in onsets if onset.year <= last_year]
        if not wanted:
            continue
        part.add("dtstart", wanted[0])
        part.add("tzoffsetfrom", kind.before)
        part.add("tzoffsetto", kind.after)
        part.add("tzname", kind.name)
        rule = _rule(onsets, last_year)
        if rule is not None:
            part.add("rrule", rule)
        elif len(wanted) > 1:
            part.add("rdate", wanted[1:])
        zone.add_component(part)
    return bytes(zone.to_ical())


def _observances(zone: ZoneInfo, first_year: int, last_year: int) -> dict[_Kind, list[datetime]]:
    """Each kind of change with its local onsets, in order."""
    begin = datetime(first_year, 1, 1, tzinfo=UTC)
    changes = _changes(zone, begin, datetime(last_year + _PATTERN_YEARS, 1, 1, tzinfo=UTC))
    found: dict[_Kind, list[datetime]] = defaultdict(list)
    if not changes or changes[0].year > first_year:
        # What holds at the beginning began long ago.
        offset = begin.astimezone(zone).utcoffset() or timedelta(0)
        found[_kind(zone, begin, offset)].append(datetime(1970, 1, 1))  # noqa: DTZ001 a wall clock
    for change in changes:
        before = (change - timedelta(seconds=1)).astimezone(zone).utcoffset() or timedelta(0)
        found[_kind(zone, change, before)].append((change + before).replace(tzinfo=None))
    return found


def _kind(zone: ZoneInfo, at: datetime, before: timedelta) -> _Kind:
    """What begins at ``at``. The later clock is DAYLIGHT, also where the law names it otherwise (Dublin): programs expect that."""
    local = at.astimezone(zone)
    after = local.utcoffset() or timedelta(0)
    return _Kind(before=before, after=after, name=local.tzname() or str(after), is_dst=after > before)


def _changes(zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """The instants between ``begin`` and ``end`` at which the offset or its name changes."""
    found = []
    day = begin
    while day < end:
        following = day + timedelta(days=1)
        if _state(zone, day) != _state(zone, following):
            found.append(_exactly(zone, day, following))
        day = following
    return found


def _exactly(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        early, late = (middle, late) if _state(zone, middle) == _state(zone, early) else (early, middle)
    return late


def _state(zone: ZoneInfo, at: datetime) -> tuple[timedelta | None, str | None]:
    local = at.astimezone(zone)
    return local.utcoffset(), local.tzname()


def _rule(onsets: list[datetime], last_year: int) -> vRecur | None:
    """The yearly rule behind the onsets; None when there is none, or when it ends within the span."""
    years = [onset.year for onset in onsets]
    if (
        len(onsets) < _PATTERN_YEARS - 1
        or years != list(range(years[0], years[0] + len(years)))
        or years[-1] < last_year + _PATTERN_YEARS - 2
    ):
        return None
    if len({(onset.month, onset.weekday(), onset.time()) for onset in onsets}) > 1:
        return None
    from_end = {-((calendar.monthrange(onset.year, onset.month)[1] - onset.day) // 7 + 1) for onset in onsets}
    from_start = {(onset.day - 1) // 7 + 1 for onset in onsets}
    which = next((places.pop() for places in (from_end, from_start) if len(places) == 1), None)
    if which is None:
        return None
    return vRecur({"FREQ": "YEARLY", "BYMONTH": onsets[0].month, "BYDAY": f"{which}{_WEEKDAYS[onsets[0].weekday()]}"})

"""Pure: RFC 5545 recurrence rules on the wall clock, at a cost that the rule cannot choose.

``dateutil`` and what is built on it look for the next match until the year 9999, so a rule that never matches costs minutes. Here the
periods between the start and the end of the asked span are looked at, day by day, and every day is paid from a ``Budget`` shared by a
whole calendar. Rules finer than a day are refused: no association meets every minute.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import Literal, cast

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]

DAYS_MAX = 1_000_000
"""Days that may be looked at for all the rules of one calendar: about a second."""
_PERIOD_COST = 4
"""What going to the next period costs, in days."""
TIMES_MAX = 24
INTERVAL_MAX = 1_000
_FIRST_YEAR = 1600
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBERS = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 60),
}
_MAY_BE_ZERO = {"BYHOUR", "BYMINUTE", "BYSECOND"}
_OTHERS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "RSCALE", "SKIP"}


class Refused(ValueError):
    """The rule is broken, or finer or costlier than any calendar of an association needs."""


class Budget:
    """What the rules of one calendar may cost, in days looked at."""

    def __init__(self, days: int = DAYS_MAX) -> None:
        self._days = days

    def spend(self, days: int) -> None:
        """Pay, or raise Refused."""
        self._days -= days
        if self._days < 0:
            raise Refused("too many days to look at")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A parsed RRULE."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | date | None = None
    """As written: aware UTC, naive wall clock, or a day, inclusive."""
    week_start: int = 0
    by_day: tuple[tuple[int, int], ...] = ()
    """(which one: 0 for every, weekday)."""
    by_month: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_week: tuple[int, ...] = ()
    by_position: tuple[int, ...] = ()
    by_hour: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    by_second: tuple[int, ...] = ()


def parse_rule(text: str) -> Rule:
    """``text`` as a Rule. Raises Refused, saying why."""
    parts: dict[str, str] = {}
    for piece in text.strip().upper().strip(";").split(";"):
        name, _, value = piece.strip().partition("=")
        if name in parts or not value or not (name in _OTHERS or name in _NUMBERS):
            raise Refused(f"{piece[:40]!r} is not understood")
        parts[name] = value
    frequency = parts.get("FREQ", "")
    if frequency not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        raise Refused(f"FREQ={frequency[:20] or 'nothing'}")
    if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN" or parts.get("SKIP", "OMIT") != "OMIT":
        raise Refused("another calendar than the Gregorian")
    numbers = {name: _numbers(name, parts[name]) for name in _NUMBERS if name in parts}
    rule = Rule(
        frequency=cast("Frequency", frequency),
        interval=_whole(parts.get("INTERVAL", "1"), "INTERVAL", INTERVAL_MAX),
        count=_whole(parts["COUNT"], "COUNT", None) if "COUNT" in parts else None,
        until=parse_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        week_start=_weekday(parts.get("WKST", "MO")),
        by_day=_days(parts.get("BYDAY", "")),
        by_month=numbers.get("BYMONTH", ()),
        by_month_day=numbers.get("BYMONTHDAY", ()),
        by_year_day=numbers.get("BYYEARDAY", ()),
        by_week=numbers.get("BYWEEKNO", ()),
        by_position=numbers.get("BYSETPOS", ()),
        by_hour=numbers.get("BYHOUR", ()),
        by_minute=numbers.get("BYMINUTE", ()),
        by_second=numbers.get("BYSECOND", ()),
    )
    if max(1, len(rule.by_hour)) * max(1, len(rule.by_minute)) * max(1, len(rule.by_second)) > TIMES_MAX:
        raise Refused("more than once an hour")
    return rule


def parse_until(text: str) -> datetime | date:
    """An UNTIL value: a day, a wall clock, or an instant in UTC."""
    try:
        if len(text) == 8:
            return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 a day has no zone
        if text.endswith("Z"):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        return datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 the wall clock of the event
    except ValueError as error:
        raise Refused(f"UNTIL={text[:20]}") from error


def _whole(text: str, name: str, most: int | None) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12 or int(text) < 1 or (most is not None and int(text) > most):
        raise Refused(f"{name}={text[:20]}")
    return int(text)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    least, most = _NUMBERS[name]
    values = set()
    for piece in text.split(",")[:400]:
        if not re.fullmatch(r"[+-]?\d{1,3}", piece, re.ASCII) or not least <= int(piece) <= most:
            raise Refused(f"{name}={text[:40]}")
        if int(piece) == 0 and name not in _MAY_BE_ZERO:
            raise Refused(f"{name}={text[:40]}")
        values.add(min(int(piece), 59) if name == "BYSECOND" else int(piece))
    return tuple(sorted(values))


def _weekday(text: str) -> int:
    if text not in _WEEKDAYS:
        raise Refused(f"WKST={text[:20]}")
    return _WEEKDAYS.index(text)


def _days(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    for piece in text.split(",")[:400] if text else ():
        match = _BYDAY.fullmatch(piece.strip())
        if match is None or (match[1] is not None and int(match[1]) == 0):
            raise Refused(f"BYDAY={text[:40]}")
        found.append((int(match[1] or 0), _WEEKDAYS.index(match[2])))
    return tuple(found)


def expand(rule: Rule, start: datetime, since: datetime, last: datetime, budget: Budget) -> Iterator[datetime]:
    """The starts that ``rule`` gives between ``since`` and ``last``, in order; all wall clock (naive), ``start`` being DTSTART.

    Raises Refused when the budget is spent.
    """
    if start.year < _FIRST_YEAR:
        raise Refused(f"a series since the year {start.year}")
    rule = _completed(rule, start)
    left = rule.count
    # Without COUNT nothing before the span matters: go there in one step.
    first = start.date() if left is not None else max(start.date(), since.date() - timedelta(days=1))
    for days in _periods(rule, start.date(), first, last.date()):
        budget.spend(_PERIOD_COST + len(days) * len(rule.by_hour) * len(rule.by_minute) * len(rule.by_second))
        for at in _starts(rule, days):
            if at < start:
                continue
            if at > last or (left is not None and left <= 0):
                return
            left = None if left is None else left - 1
            if at >= since:
                yield at


def _completed(rule: Rule, start: datetime) -> Rule:
    """With what DTSTART says where the rule says nothing (RFC 5545 3.3.10)."""
    rule = replace(
        rule,
        by_hour=rule.by_hour or (start.hour,),
        by_minute=rule.by_minute or (start.minute,),
        by_second=rule.by_second or (start.second,),
    )
    if rule.by_day or rule.by_month_day or rule.by_year_day or rule.by_week:
        return rule
    if rule.frequency == "YEARLY":
        return replace(rule, by_month=rule.by_month or (start.month,), by_month_day=(start.day,))
    if rule.frequency == "MONTHLY":
        return replace(rule, by_month_day=(start.day,))
    if rule.frequency == "WEEKLY":
        return replace(rule, by_day=((0, start.weekday()),))
    return rule


def _periods(rule: Rule, start: date, first: date, last: date) -> Iterator[list[date]]:
    """The days of each period of the rule, from the one that holds ``first`` to the one that holds ``last``."""
    begin = _begin_of(rule, start)
    index = max(0, _periods_between(rule, begin, first) // rule.interval)
    while True:
        opens = _moved(rule, begin, index * rule.interval)
        if opens is None or opens > last:
            return
        closes = _moved(rule, opens, 1)
        length = (closes - opens).days if closes else 1
        # dateutil and most calendars let the first week begin with DTSTART itself, which matters to BYSETPOS alone.
        skipped = (start - opens).days if rule.frequency == "WEEKLY" and opens <= start else 0
        yield [opens + timedelta(days=day) for day in range(skipped if skipped < length else 0, length)]
        index += 1


def _begin_of(rule: Rule, day: date) -> date:
    if rule.frequency == "YEARLY":
        return day.replace(month=1, day=1)
    if rule.frequency == "MONTHLY":
        return day.replace(day=1)
    if rule.frequency == "WEEKLY":
        return day - timedelta(days=(day.weekday() - rule.week_start) % 7)
    return day


def _periods_between(rule: Rule, begin: date, day: date) -> int:
    if rule.frequency == "YEARLY":
        return day.year - begin.year
    if rule.frequency == "MONTHLY":
        return (day.year - begin.year) * 12 + day.month - begin.month
    return (day - begin).days // (7 if rule.frequency == "WEEKLY" else 1)


def _moved(rule: Rule, begin: date, periods: int) -> date | None:
    """``begin`` that many periods later; None beyond the end of time."""
    try:
        if rule.frequency == "YEARLY":
            return begin.replace(year=begin.year + periods)
        if rule.frequency == "MONTHLY":
            months = begin.year * 12 + begin.month - 1 + periods
            return begin.replace(year=months // 12, month=months % 12 + 1)
        return begin + timedelta(days=periods * (7 if rule.frequency == "WEEKLY" else 1))
    except (ValueError, OverflowError):
        return None


def _starts(rule: Rule, days: list[date]) -> list[datetime]:
    """The starts in one period, in order, before COUNT and UNTIL."""
    times = [time(hour, minute, second) for hour, minute, second in product(rule.by_hour, rule.by_minute, rule.by_second)]
    found = [datetime.combine(day, at) for day in days if _fits(rule, day) for at in times]
    if not rule.by_position:
        return found
    chosen = {position - 1 if position > 0 else len(found) + position for position in rule.by_position}
    return [found[index] for index in sorted(chosen) if 0 <= index < len(found)]


def _fits(rule: Rule, day: date) -> bool:
    if rule.by_month and day.month not in rule.by_month:
        return False
    if rule.by_month_day and not {day.day, day.day - calendar.monthrange(day.year, day.month)[1] - 1} & set(rule.by_month_day):
        return False
    if rule.by_year_day and not _year_days(day) & set(rule.by_year_day):
        return False
    if rule.by_week and not _weeks(day, rule.week_start) & set(rule.by_week):
        return False
    return not rule.by_day or any(weekday == day.weekday() and _is_nth(rule, day, which) for which, weekday in rule.by_day)


def _year_days(day: date) -> set[int]:
    number = day.timetuple().tm_yday
    return {number, number - (366 if calendar.isleap(day.year) else 365) - 1}


def _weeks(day: date, week_start: int) -> set[int]:
    """Its week's number from the start and from the end of the year; the first week has at least four days in the year."""
    middle = day - timedelta(days=(day.weekday() - week_start) % 7) + timedelta(days=3)
    number = (middle.timetuple().tm_yday - 1) // 7 + 1
    length = 366 if calendar.isleap(middle.year) else 365
    weeks = number + (length - middle.timetuple().tm_yday) // 7
    return {number, number - weeks - 1}


def _is_nth(rule: Rule, day: date, which: int) -> bool:
    """Whether ``day`` is the ``which``-th of its weekday in its month, or year when the rule is yearly and names no month."""
    if which == 0 or rule.frequency in ("DAILY", "WEEKLY"):
        return True
    if rule.frequency == "YEARLY" and not rule.by_month:
        from_start = (day.timetuple().tm_yday - 1) // 7 + 1
        length = 366 if calendar.isleap(day.year) else 365
        from_end = (length - day.timetuple().tm_yday) // 7 + 1
    else:
        from_start = (day.day - 1) // 7 + 1
        from_end = (calendar.monthrange(day.year, day.month)[1] - day.day) // 7 + 1
    return which in (from_start, -from_end)

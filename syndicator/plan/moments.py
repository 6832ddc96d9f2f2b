"""When what is said about an event is due: announcements ahead of it, reminders, the recaps of a week and a month. Pure.

Days are counted on a wall clock: one day before 20:30 is 20:30, also across the change of clocks; hours are hours that pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from syndicator.model import Event, Item
from syndicator.route import Route
from syndicator.text.dates import is_dateless, on_its_clock

Period = Literal["week", "month"]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MORNING = time(9)
"""When an event without an hour is announced on the day."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """One telling of an event ahead of it."""

    at: datetime
    number: int
    """Names it for ever: the minutes since 1970 of the moment it is for, so that a moved event is told of anew, and once."""
    offset: timedelta


@dataclass(frozen=True, kw_only=True)
class Recap:
    """The recap of one week or month: its days, the last one included, and when it is due."""

    period: Period
    first: date
    last: date
    at: datetime
    until: datetime
    """The end of its last day."""

    @property
    def name(self) -> str:
        """``2026-W49`` or ``2026-12``."""
        year, week, _ = self.first.isocalendar()
        return f"{year}-W{week:02}" if self.period == "week" else f"{self.first:%Y-%m}"


def clock(text: str) -> time:
    """``"09:00"`` as a time of day; ValueError when it is none."""
    return datetime.strptime(text.strip(), "%H:%M").time()  # noqa: DTZ007 - a time of day alone


def recap_clock(text: str) -> tuple[int, time]:
    """``"monday 09:00"`` as a day of the week, from 0, and a time of day; ValueError when it is none."""
    day, _, hour = text.strip().lower().partition(" ")
    return WEEKDAYS.index(day), clock(hour)


def before(event: Event, offset: timedelta, hour: time) -> datetime | None:
    """The instant this long before an event; None for hours before an event that has none, and for its very beginning."""
    start = on_its_clock(event.starts_at, event)
    days = offset // _DAY if not offset % _DAY else None
    if is_dateless(event):
        return None if days is None else datetime.combine(start.date() - days * _DAY, hour, start.tzinfo).astimezone(UTC)
    if not offset:
        return None
    if days is None:
        return event.starts_at.astimezone(UTC) - offset
    local = datetime.combine(start.date() - days * _DAY, start.time(), start.tzinfo).replace(fold=start.fold)
    return local.astimezone(UTC)


def reminders(event: Event, offsets: Iterable[timedelta], hour: time) -> list[Reminder]:
    """When an event is told of again, the earliest first; two that fall together are one."""
    found: dict[int, Reminder] = {}
    for offset in offsets:
        at = before(event, offset, hour)
        if at is not None:
            # Of an event without an hour the day counts, not the hour at which we speak of it.
            moment = before(event, offset, time(0)) if is_dateless(event) else at
            number = int((moment or at).timestamp() // 60)
            found[number] = Reminder(at=at, number=number, offset=offset)
    return sorted(found.values(), key=lambda reminder: reminder.at)


def reminders_of(event: Event, routes: Iterable[Route]) -> list[Reminder]:
    """When an event is told of again, by all of the routes that carry it to one place."""
    asking = [route for route in routes if route.remind and "remind" in route.purposes]
    found = {one.number: one for route in asking for one in reminders(event, route.remind, clock(route.remind_at))}
    return sorted(found.values(), key=lambda reminder: reminder.at)


def due_now(wanted: Iterable[Reminder], now: datetime) -> list[Reminder]:
    """Those that are still to be told: all that are to come, and of those that are due only the last."""
    ordered = sorted(wanted, key=lambda reminder: reminder.at)
    late = [reminder for reminder in ordered if reminder.at <= now]
    return [*late[-1:], *ordered[len(late) :]]


def begun_at(event: Event) -> datetime:
    """From when on a reminder comes too late: its hour, or the end of its first day where it has none."""
    if not is_dateless(event):
        return event.starts_at
    start = on_its_clock(event.starts_at, event)
    return datetime.combine(start.date() + _DAY, time(0), start.tzinfo).astimezone(UTC)


def over_at(event: Event) -> datetime:
    """When an event has ended."""
    ends_at = event.ends_at or event.starts_at
    return ends_at + _DAY if event.end_is_date or (event.ends_at is None and event.start_is_date) else ends_at


def announced_at(item: Item, offset: timedelta, at: datetime) -> datetime:
    """When an item is announced that could be at ``at``: an event not before its time."""
    if not isinstance(item, Event) or not offset:
        return at
    if is_dateless(item):
        offset = offset // _DAY * _DAY
    return max(at, before(item, offset, MORNING) or at)


def last_recap(period: Period, when: str, now: datetime, zone: tzinfo) -> Recap:
    """The newest recap that was due by ``now``.

    A week is told of on the day that is asked for: from Monday to Wednesday the one that has begun, later the one that comes.
    """
    weekday, hour = recap_clock(when)
    today = now.astimezone(zone).date()
    if period == "month":
        first = today.replace(day=1)
        if _at(first, hour, zone) > now:
            first = (first - _DAY).replace(day=1)
        last = (first + 32 * _DAY).replace(day=1) - _DAY
        return _recap("month", first, last, _at(first, hour, zone), zone)
    day = today - ((today.weekday() - weekday) % 7) * _DAY
    if _at(day, hour, zone) > now:
        day -= 7 * _DAY
    first = day - weekday * _DAY if weekday < WEEKDAYS.index("thursday") else day + (7 - weekday) * _DAY
    return _recap("week", first, first + 6 * _DAY, _at(day, hour, zone), zone)


def _recap(period: Period, first: date, last: date, at: datetime, zone: tzinfo) -> Recap:
    return Recap(period=period, first=first, last=last, at=at, until=_at(last + _DAY, time(0), zone))


def half_left(recap: Recap, now: datetime, zone: tzinfo) -> bool:
    """Whether at least half of its days are still to come: a recap that is later than that helps nobody."""
    begins_at = _at(recap.first, time(0), zone)
    return recap.until - now >= (recap.until - begins_at) / 2


def in_days(event: Event, first: date, last: date) -> bool:
    """Whether an event takes place within these days of its own calendar; of one that goes on for weeks its beginning counts."""
    start = on_its_clock(event.starts_at, event).date()
    if event.is_long:
        return first <= start <= last
    end = last_day(event)
    return start <= last and end >= first


def last_day(event: Event) -> date:
    """The last day on which an event is to be seen; one that ends in the small hours, the evening before."""
    start = on_its_clock(event.starts_at, event).date()
    if event.ends_at is None:
        return start
    end = on_its_clock(event.ends_at, event)
    if event.end_is_date:
        return max(start, end.date())
    return max(start, (end - timedelta(hours=6)).date())


def _at(day: date, hour: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, hour, zone).astimezone(UTC)

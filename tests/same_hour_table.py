"""Events that are easily told wrongly, and when each of them is: what every form must say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from syndicator.model import Event
from syndicator.testing import make_event

PARIS, NOUMEA, TORONTO = "Europe/Paris", "Pacific/Noumea", "America/Toronto"


@dataclass(frozen=True)
class Moment:
    """A day, and an hour with its offset where there is one."""

    day: date
    hour: time | None = None
    offset: timedelta | None = None


@dataclass(frozen=True)
class When:
    """When an event is, as somebody reads it."""

    start: Moment
    end: Moment | None = None


Detail = Literal["everything", "no-offset", "start"]
"""How much a form says: words have no offset, some forms only tell when it begins."""


def said(when: When, detail: Detail) -> When:
    """As much of it as a form can say."""
    if detail == "everything":
        return when
    if detail == "start":
        return When(when.start)
    end = when.end and replace(when.end, offset=None)
    return When(replace(when.start, offset=None), end)


@dataclass(frozen=True)
class Row:
    """One event, and the truth."""

    title: str
    event: Event
    when: When


def at(text: str, offset: str | None = None) -> Moment:
    """``2026-12-05 20:30``, ``+01:00``; a day alone has neither."""
    day, _, hour = text.partition(" ")
    if not hour:
        return Moment(date.fromisoformat(day))
    shift = datetime.fromisoformat(f"{day}T{hour}{offset}").utcoffset()
    return Moment(date.fromisoformat(day), time.fromisoformat(hour), shift)


def row(
    title: str, zone: str, start: datetime, end: datetime | None, truth: Moment, last: Moment | None = None, *, days: bool = False
) -> Row:
    """The event, in the words of the model; nothing in its texts has a digit."""
    event = make_event(
        uid=f"urn:{title}", url=f"https://mobilizon.example/e/{len(title)}{title[0]}", title=title, timezone=zone, place=None,
        html="<p>Venez.</p>", starts_at=start, ends_at=end, start_is_date=days, end_is_date=days and end is not None,
    )  # fmt: skip
    return Row(title, event, When(truth, last))


def clock(zone: str, *numbers: int, fold: int = 0) -> datetime:
    year, month, day, *rest = numbers
    return datetime(year, month, day, *rest, tzinfo=ZoneInfo(zone), fold=fold)


TABLE = (
    row("Hiver", PARIS, clock(PARIS, 2026, 12, 5, 20, 30), clock(PARIS, 2026, 12, 5, 22, 30),
        at("2026-12-05 20:30", "+01:00"), at("2026-12-05 22:30", "+01:00")),
    row("Été", PARIS, clock(PARIS, 2027, 7, 14, 20, 30), clock(PARIS, 2027, 7, 14, 23),
        at("2027-07-14 20:30", "+02:00"), at("2027-07-14 23:00", "+02:00")),
    row("Nuit courte", PARIS, clock(PARIS, 2027, 3, 27, 22), clock(PARIS, 2027, 3, 28, 5),
        at("2027-03-27 22:00", "+01:00"), at("2027-03-28 05:00", "+02:00")),
    row("Nuit longue", PARIS, clock(PARIS, 2027, 10, 30, 22), clock(PARIS, 2027, 10, 31, 5),
        at("2027-10-30 22:00", "+02:00"), at("2027-10-31 05:00", "+01:00")),
    row("Deux jours de suite", PARIS, clock(PARIS, 2027, 10, 30, 14), clock(PARIS, 2027, 10, 31, 18),
        at("2027-10-30 14:00", "+02:00"), at("2027-10-31 18:00", "+01:00")),
    row("Heure double", PARIS, clock(PARIS, 2027, 10, 31, 2, 30, fold=1), clock(PARIS, 2027, 10, 31, 4),
        at("2027-10-31 02:30", "+01:00"), at("2027-10-31 04:00", "+01:00")),
    row("Nouvel an", PARIS, clock(PARIS, 2027, 1, 1, 0), None, at("2027-01-01 00:00", "+01:00")),
    row("Ailleurs demain", NOUMEA, clock(NOUMEA, 2026, 12, 6, 6, 30), clock(NOUMEA, 2026, 12, 6, 8, 30),
        at("2026-12-06 06:30", "+11:00"), at("2026-12-06 08:30", "+11:00")),
    row("Ailleurs hier", TORONTO, clock(TORONTO, 2026, 12, 10, 20), clock(TORONTO, 2026, 12, 10, 21, 30),
        at("2026-12-10 20:00", "-05:00"), at("2026-12-10 21:30", "-05:00")),
    # The same instant as the origin gives it in UTC: Mobilizon does.
    row("Dite en UTC", PARIS, clock("UTC", 2026, 12, 31, 23, 15), clock("UTC", 2027, 1, 1, 1),
        at("2027-01-01 00:15", "+01:00"), at("2027-01-01 02:00", "+01:00")),
    row("Sans fin", PARIS, clock(PARIS, 2026, 12, 18, 18), None, at("2026-12-18 18:00", "+01:00")),
    row("Un jour", PARIS, clock(PARIS, 2026, 12, 12), None, at("2026-12-12"), days=True),
    row("Trois jours", PARIS, clock(PARIS, 2026, 12, 5), clock(PARIS, 2026, 12, 7, 23, 59), at("2026-12-05"), at("2026-12-07"), days=True),
    row("À cheval", PARIS, clock(PARIS, 2027, 3, 27), clock(PARIS, 2027, 3, 29), at("2027-03-27"), at("2027-03-29"), days=True),
    row("Jours ailleurs", NOUMEA, clock(NOUMEA, 2027, 1, 9), clock(NOUMEA, 2027, 1, 10), at("2027-01-09"), at("2027-01-10"), days=True),
)  # fmt: skip

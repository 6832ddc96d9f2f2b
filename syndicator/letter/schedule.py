"""Pure: when an issue is due, in the association's words: ``chaque lundi à 9h``, ``first monday of the month at 18:30``."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from syndicator.errors import words

ANCHOR = date(2024, 1, 1)
"""A Monday: "every second" counts weeks from here, unless the configuration names another first day."""
_DAYS = (
    *(("lundi", "monday"), ("mardi", "tuesday"), ("mercredi", "wednesday"), ("jeudi", "thursday"), ("vendredi", "friday")),
    *(("samedi", "saturday"), ("dimanche", "sunday")),
)
_WEEKDAY = {name: number for number, names in enumerate(_DAYS) for name in names}
_ORDINALS = {"premier": 1, "1er": 1, "first": 1, "deuxieme": 2, "second": 2, "troisieme": 3, "third": 3, "quatrieme": 4, "fourth": 4}
_LAST = {"dernier": -1, "last": -1}
_DAY = "|".join(_WEEKDAY)
_NTH = "|".join({**_ORDINALS, **_LAST})
_HOUR = re.compile(r"(?:,? ?(?:a|at))? ?(?P<hour>\d{1,2})(?: ?h ?(?P<minutes>\d{2})?|:(?P<minutes_en>\d{2}))?$")
_FORMS = tuple(
    (re.compile(form), unit)
    for form, unit in (
        (r"(?:chaque jour|tous les jours|every day|daily)$", "day"),
        (rf"(?:chaque|tous les|every) (?P<weekday>{_DAY})s?$", "week"),
        (rf"un (?P<weekday>{_DAY}) sur deux$", "fortnight"),
        (rf"every (?:second|other) (?P<weekday>{_DAY})$", "fortnight"),
        (rf"(?:le |the )?(?P<nth>{_NTH}) (?P<weekday>{_DAY}) (?:du mois|of the month)$", "month"),
        (r"(?:le |the )?(?P<first>premier|1er|first) (?:du mois|of the month)$", "month"),
        (r"(?:le |the )?(?P<day>\d{1,2})(?:st|nd|rd|th)? (?:du mois|of the month)$", "month"),
        (r"(?:le |the )?(?P<last>dernier jour|last day) (?:du mois|of the month)$", "month"),
    )
)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A rhythm on the association's wall clock."""

    unit: Literal["day", "week", "fortnight", "month"]
    at: time
    weekday: int | None = None
    """0 is Monday."""
    nth: int | None = None
    """Which ``weekday`` of the month: 1 to 4, -1 the last."""
    day: int | None = None
    """Which day of the month: 1 to 31, a month too short has its last day; -1 the last."""


def parse(text: str) -> Schedule:
    """The rhythm that somebody described. Raises ValueError, in words for a person, for anything else."""
    said = " ".join(_folded(text).split())
    hour = _HOUR.search(said)
    rhythm = said[: hour.start()].strip(" ,") if hour else ""
    for form, unit in _FORMS:
        match = form.fullmatch(rhythm)
        at = _time(hour) if hour and match else None
        if match and at is not None:
            found = match.groupdict()
            day = -1 if found.get("last") else 1 if found.get("first") else int(found["day"]) if found.get("day") else None
            if day is not None and day != -1 and not 1 <= day <= 31:
                break
            nth = {**_ORDINALS, **_LAST}.get(found.get("nth") or "")
            weekday = _WEEKDAY.get(found.get("weekday") or "")
            return Schedule(unit=unit, at=at, weekday=weekday, nth=nth, day=day)  # type: ignore[arg-type]
    raise ValueError(
        words(
            fr=f"« {text} » n'est pas un rythme que nous comprenons : écrivez par exemple « chaque lundi à 9h », "
            "« un lundi sur deux à 9h », « le premier du mois à 18h30 », « le dernier vendredi du mois à 9h » ou « chaque jour à 9h ».",
            en=f'"{text}" is not a rhythm that we understand: write for example "every monday at 9:00", '
            '"every second monday at 9:00", "first of the month at 18:30", "last friday of the month at 9:00" or "every day at 9:00".',
        )
    )


def next_after(schedule: Schedule, after: datetime, zone: ZoneInfo, anchor: date = ANCHOR) -> datetime:
    """The first instant of the rhythm that is later than ``after``; an hour that the change of clocks skips comes an hour later."""
    day = after.astimezone(zone).date()
    for _ in range(2 * 366):
        if _falls_on(schedule, day, anchor):
            at = datetime.combine(day, schedule.at, zone).astimezone(ZoneInfo("UTC"))
            if at > after:
                return at
        day += timedelta(days=1)
    raise AssertionError("every rhythm comes round within two years")


def _falls_on(schedule: Schedule, day: date, anchor: date) -> bool:
    if schedule.unit == "day":
        return True
    if schedule.unit in ("week", "fortnight"):
        weeks = (day - timedelta(days=day.weekday()) - (anchor - timedelta(days=anchor.weekday()))).days // 7
        return day.weekday() == schedule.weekday and (schedule.unit == "week" or weeks % 2 == 0)
    length = monthrange(day.year, day.month)[1]
    if schedule.weekday is None:
        wanted = schedule.day or 1
        return day.day == (length if wanted == -1 else min(wanted, length))
    if day.weekday() != schedule.weekday:
        return False
    return day.day + 7 > length if schedule.nth == -1 else (day.day - 1) // 7 + 1 == schedule.nth


def _time(hour: re.Match[str]) -> time | None:
    minutes = int(hour["minutes"] or hour["minutes_en"] or 0)
    return time(int(hour["hour"]), minutes) if int(hour["hour"]) < 24 and minutes < 60 else None


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("\u00a0", " "))
    return "".join(character for character in decomposed if not unicodedata.combining(character))

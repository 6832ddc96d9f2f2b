"""Reads dates and hours out of French and English sentences, as a person does, knowing nothing of the code that wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Literal

from tests.same_hour_table import Moment, When

Language = Literal["fr", "en"]
DAYS = {
    "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    "en": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
}
MONTHS = {
    "fr": ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
    "en": ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"],
}
_URL = re.compile(r"https?://\S+")
_HOUR = {
    "fr": r"(?P<h>\d{1,2})\s?h(?P<m>\d{2})?(?!\w)|(?P<word>minuit|midi)",
    "en": r"(?P<h>\d{1,2})(?::(?P<m>\d{2}))?\s?(?P<half>am|pm)(?!\w)|(?P<word>midnight|noon)",
}


@dataclass
class Day:
    """What was said of a day."""

    number: int
    weekday: str
    month: int | None
    year: int | None


def spoken(text: str, language: Language) -> When:
    """When it is; ValueError for words that are no date, or that contradict themselves."""
    days: list[Day] = []
    hours: list[tuple[int, time]] = []
    for found in _tokens(_URL.sub(" ", text), language):
        if isinstance(found, Day):
            days.append(found)
        else:
            hours.append((len(days), found))
    if not days or len(days) > 2 or len(hours) > 2:
        raise ValueError(f"no date, or more than two: {text!r}")
    whole = _completed(days, language)
    start = Moment(whole[0], hours[0][1] if hours else None)
    if not hours:
        return When(start, Moment(whole[1]) if len(whole) > 1 else None)
    if len(hours) < 2:
        if len(whole) > 1:
            raise ValueError(f"an hour on one of two days: {text!r}")
        return When(start)
    last = whole[-1]
    if len(whole) == 1 and hours[1][1] <= hours[0][1]:
        last += timedelta(days=1)  # "de 22h à 4h" ends on the morning after
    return When(start, Moment(last, hours[1][1]))


def _tokens(text: str, language: Language) -> Iterator[Day | time]:
    weekday = f"(?:(?P<weekday>{'|'.join(DAYS[language])})\\s)?"
    month = f"(?:\\s(?P<month>{'|'.join(MONTHS[language])}))?(?:\\s(?P<year>\\d{{4}}))?"
    day = f"{weekday}(?<![\\d:])(?P<day>\\d{{1,2}})(?:er)?(?![\\dh:]|\\s?[ap]m){month}"
    for found in re.finditer(f"{_HOUR[language]}|{day}", " ".join(text.lower().split())):
        if found["day"]:
            number = MONTHS[language].index(found["month"]) + 1 if found["month"] else None
            yield Day(int(found["day"]), found["weekday"] or "", number, int(found["year"]) if found["year"] else None)
        elif found["word"]:
            yield time(12 if found["word"] in ("midi", "noon") else 0)
        else:
            half = found.groupdict().get("half")
            yield time(int(found["h"]) % 12 + 12 * (half == "pm") if half else int(found["h"]), int(found["m"] or 0))


def _completed(days: list[Day], language: Language) -> list[date]:
    """What the first leaves out, the last says: "du 5 au 7 décembre 2026"."""
    last = days[-1]
    if last.month is None or last.year is None:
        raise ValueError("a day without its month or year")
    found = [date(one.year or last.year, one.month or last.month, one.number) for one in days]
    for one, day in zip(days, found, strict=True):
        if one.weekday and DAYS[language][day.weekday()] != one.weekday:
            raise ValueError(f"{day} is no {one.weekday}")
    return found

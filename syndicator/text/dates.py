"""When an event takes place, in words: "samedi 5 décembre 2026 de 20h30 à 22h30".

French and English are written here, other languages with Babel's formats (loaded only when one is asked for). The clock is always the
event's own; what has no time gets none; an end that says nothing (none given, or equal to the start) is not mentioned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from syndicator.model import Event

_NIGHT_END = time(6, 0)
"""Until then, the end belongs to the evening before: "de 22h à 4h"."""

_WEEKDAYS = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = {
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip
_SHORT_WEEKDAYS = {
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_SHORT_MONTHS = {
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


@dataclass(frozen=True, kw_only=True)
class _Span:
    """Begin and end on the event's own wall clock; a missing time is a time nobody gave."""

    start: date
    start_time: time | None
    end: date | None
    end_time: time | None

    @property
    def same_day(self) -> bool:
        return self.end is None or self.end == self.start

    @property
    def one_evening(self) -> bool:
        """Whether it ends in the small hours of the next day."""
        if self.end is None or self.start_time is None or self.end_time is None:
            return False
        return self.end - self.start == timedelta(days=1) and self.end_time <= _NIGHT_END and self.end_time < self.start_time


def describe_when(event: Event, language: str, *, home_timezone: str | None = None) -> str:
    """The full wording of when it takes place, in ``language`` (BCP 47), on the event's own clock.

    With ``home_timezone``, an event whose clock differs from the one there says which clock is meant.
    """
    span = _span(event)
    base = _base(language)
    if base == "fr":
        text = _french(span)
    elif base == "en":
        text = _english(span)
    else:
        text = _babel(span, language)
    if span.start_time is None or home_timezone is None or _same_clock(event, home_timezone):
        return text
    return f"{text} {_clock_name(event.timezone, base)}"


def short_when(event: Event, language: str, *, year: bool = False) -> str:
    """The same for a list or a picture: "sam. 5 déc., 20h30", "du 5 au 7 déc."."""
    span = _span(event)
    base = _base(language)
    if base not in _MONTHS:
        return _babel_short(span, language, year=year)
    if span.end is not None and not span.same_day and not span.one_evening:
        first, last = _short_days(span.start, span.end, base, year=year)
        return f"du {first} au {last}" if base == "fr" else f"{first} – {last}"
    day = f"{_SHORT_WEEKDAYS[base][span.start.weekday()]} {_short_day(span.start, base, year=year)}"
    return day if span.start_time is None else f"{day}, {_clock(span.start_time, base)}"


def describe_instant(at: datetime, timezone: str, language: str) -> str:
    """One instant in words, on the clock of ``timezone``: "samedi 5 décembre 2026 à 20h30"."""
    local = at.astimezone(_zone(timezone, at.tzinfo))
    span = _Span(start=local.date(), start_time=local.time(), end=None, end_time=None)
    base = _base(language)
    return _french(span) if base == "fr" else _english(span) if base == "en" else _babel(span, language)


def describe_day(day: date, language: str) -> str:
    """A day without its year, in French or English: "samedi 5 décembre"."""
    base = _ours(language)
    return f"{_WEEKDAYS[base][day.weekday()]} {_ordinal(day, base)} {_MONTHS[base][day.month - 1]}"


def describe_days(first: date, last: date, language: str) -> str:
    """Days in a row, in French or English: "du 30 novembre au 6 décembre 2026"."""
    base = _ours(language)
    begin, end = _days(first, last, base)
    return f"du {begin} au {end}" if base == "fr" else f"from {begin} to {end}"


def describe_month(day: date, language: str) -> str:
    """The month of a day, in French or English: "d’août 2026", "in August 2026"."""
    base = _ours(language)
    month = f"{_MONTHS[base][day.month - 1]} {day.year}"
    if base == "en":
        return f"in {month}"
    return f"d’{month}" if month[0] in "ao" else f"de {month}"


def describe_hour(event: Event, language: str, *, home_timezone: str) -> str:
    """The hour at which an event begins, in French or English; empty where it has none."""
    span, base = _span(event), _ours(language)
    if span.start_time is None:
        return ""
    hour = _clock(span.start_time, base)
    return hour if _same_clock(event, home_timezone) else f"{hour} {_clock_name(event.timezone, base)}"


def _ours(language: str) -> str:
    base = _base(language)
    return base if base in _MONTHS else "en"


def is_dateless(event: Event) -> bool:
    """Whether nobody is told an hour: only days were given, or it goes on for weeks."""
    return event.start_is_date or event.is_long


def on_its_clock(at: datetime, event: Event) -> datetime:
    """An instant on the wall clock of an event."""
    return at.astimezone(_zone(event.timezone, event.starts_at.tzinfo))


def _span(event: Event) -> _Span:
    zone = _zone(event.timezone, event.starts_at.tzinfo)
    start = event.starts_at.astimezone(zone)
    # Minutes are what people read: an end within the minute of the start says nothing.
    begins_at = None if is_dateless(event) else start.time().replace(second=0, microsecond=0)
    if event.ends_at is None or event.ends_at <= event.starts_at:
        return _Span(start=start.date(), start_time=begins_at, end=None, end_time=None)
    end = event.ends_at.astimezone(zone)
    ends_at = None if event.end_is_date or event.is_long else end.time().replace(second=0, microsecond=0)
    if end.date() == start.date() and (ends_at is None or ends_at == begins_at):
        return _Span(start=start.date(), start_time=begins_at, end=None, end_time=None)
    return _Span(start=start.date(), start_time=begins_at, end=end.date(), end_time=ends_at)


def _zone(name: str, fallback: tzinfo | None) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return fallback


def _base(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def _french(span: _Span) -> str:
    start = _day_with_weekday(span.start, "fr")
    begins = "" if span.start_time is None else f" à {_clock(span.start_time, 'fr')}"
    if span.end is None:
        return start + begins
    if span.same_day or span.one_evening:
        ends = "" if span.end_time is None else _end_clock(span.end_time, "fr")
        if span.start_time is None:
            return f"{start}, jusqu’à {ends}"
        return f"{start} de {_clock(span.start_time, 'fr')} à {ends}"
    if span.start_time is None and span.end_time is None:
        first, last = _days(span.start, span.end, "fr")
        return f"du {first} au {last}"
    if span.start.year == span.end.year:
        start = start.removesuffix(f" {span.start.year}")
    ends = "" if span.end_time is None else f" à {_clock(span.end_time, 'fr')}"
    return f"du {start}{begins} au {_day_with_weekday(span.end, 'fr')}{ends}"


def _english(span: _Span) -> str:
    start = _day_with_weekday(span.start, "en")
    begins = "" if span.start_time is None else f" at {_clock(span.start_time, 'en')}"
    if span.end is None:
        return start + begins
    if span.same_day or span.one_evening:
        ends = "" if span.end_time is None else _end_clock(span.end_time, "en")
        if span.start_time is None:
            return f"{start}, until {ends}"
        return f"{start} from {_clock(span.start_time, 'en')} to {ends}"
    if span.start_time is None and span.end_time is None:
        first, last = _days(span.start, span.end, "en")
        return f"{first} to {last}"
    if span.start.year == span.end.year:
        start = start.removesuffix(f" {span.start.year}")
    ends = "" if span.end_time is None else f" at {_clock(span.end_time, 'en')}"
    return f"from {start}{begins} to {_day_with_weekday(span.end, 'en')}{ends}"


def _day_with_weekday(day: date, base: str) -> str:
    return f"{_WEEKDAYS[base][day.weekday()]} {_ordinal(day, base)} {_MONTHS[base][day.month - 1]} {day.year}"


def _days(first: date, last: date, base: str) -> tuple[str, str]:
    """Two dates without what they share: "5", "7 décembre 2026"."""
    whole = f"{_ordinal(last, base)} {_MONTHS[base][last.month - 1]} {last.year}"
    begin = _ordinal(first, base)
    if (first.year, first.month) != (last.year, last.month):
        begin = f"{begin} {_MONTHS[base][first.month - 1]}"
    if first.year != last.year:
        begin = f"{begin} {first.year}"
    return begin, whole


def _short_days(first: date, last: date, base: str, *, year: bool) -> tuple[str, str]:
    year = year or first.year != last.year
    begin = _ordinal(first, base)
    if (first.year, first.month) != (last.year, last.month):
        begin = _short_day(first, base, year=first.year != last.year)
    return begin, _short_day(last, base, year=year)


def _short_day(day: date, base: str, *, year: bool) -> str:
    text = f"{_ordinal(day, base)} {_SHORT_MONTHS[base][day.month - 1]}"
    return f"{text} {day.year}" if year else text


def _ordinal(day: date, base: str) -> str:
    return "1er" if base == "fr" and day.day == 1 else str(day.day)


def _clock(at: time, base: str) -> str:
    if base == "fr":
        return f"{at.hour}h{at.minute:02}" if at.minute else f"{at.hour}h"
    if (at.hour, at.minute) == (12, 0):
        return "noon"
    hour, half = (at.hour % 12 or 12), ("pm" if at.hour >= 12 else "am")
    return f"{hour}:{at.minute:02} {half}" if at.minute else f"{hour} {half}"


def _end_clock(at: time, base: str) -> str:
    """Midnight is a word only where it can but close the day: at the end of an evening."""
    if (at.hour, at.minute) == (0, 0):
        return "minuit" if base == "fr" else "midnight"
    return _clock(at, base)


def _same_clock(event: Event, home_timezone: str) -> bool:
    """Whether a clock in ``home_timezone`` shows the same time when the event begins."""
    here, there = _zone(home_timezone, None), _zone(event.timezone, event.starts_at.tzinfo)
    if here is None:
        return True
    return event.starts_at.astimezone(here).utcoffset() == event.starts_at.astimezone(there).utcoffset()


def _clock_name(timezone: str, base: str) -> str:
    city = timezone.rsplit("/", 1)[-1].replace("_", " ")
    if base == "fr":
        # "heure locale" reads right whatever the gender and the article of the place.
        return f"(heure locale, {city})"
    return f"({city} time)" if base == "en" else f"({city})"


def _babel(span: _Span, language: str) -> str:
    from babel.dates import format_date, format_time  # 8 MB that French and English do without

    locale = _locale(language)
    start = str(format_date(span.start, "full", locale=locale))
    begins = "" if span.start_time is None else str(format_time(span.start_time, "short", locale=locale))
    ends = "" if span.end_time is None else str(format_time(span.end_time, "short", locale=locale))
    if span.same_day or span.end is None or span.one_evening:
        times = " – ".join(part for part in (begins, ends) if part)
        if ends and not begins:
            times = f"– {ends}"
        return f"{start}, {times}" if times else start
    end = str(format_date(span.end, "full", locale=locale))
    return " – ".join(", ".join(part for part in side if part) for side in ((start, begins), (end, ends)))


def _babel_short(span: _Span, language: str, *, year: bool) -> str:
    from babel.dates import format_date, format_skeleton, format_time

    locale = _locale(language)
    skeleton = "yMMMEd" if year else "MMMEd"
    at_noon = datetime.combine(span.start, time(12))
    start = str(format_skeleton(skeleton, at_noon, locale=locale))
    if span.end is not None and not span.same_day and not span.one_evening:
        return f"{start} – {format_date(span.end, 'medium', locale=locale)}"
    return start if span.start_time is None else f"{start}, {format_time(span.start_time, 'short', locale=locale)}"


def _locale(language: str) -> str:
    """The Babel locale nearest to ``language``; English for a language that Babel does not know."""
    from babel import Locale, UnknownLocaleError

    for candidate in (language, _base(language)):
        try:
            return str(Locale.parse(candidate.replace("_", "-"), sep="-"))
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return "en"

"""The recap of a week or month: its title, and its events by days, in French or English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import groupby

from syndicator.model import Event
from syndicator.text import phrases
from syndicator.text.dates import describe_day, describe_days, describe_hour, describe_month, describe_when, on_its_clock, short_when


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One event of a recap, in words; what it has not is empty."""

    title: str = ""
    """Says that it is cancelled."""
    day: str = ""
    """The heading that it stands under: "samedi 5 décembre"."""
    hour: str = ""
    """When it begins; of one of several days, which; empty where only a day is known."""
    when: str = ""
    """The same in full."""
    place: str = ""
    url: str = ""


def recap_title(period: str, first: date, last: date, language: str) -> str:
    """What the days of a recap are: "L’agenda du 30 novembre au 6 décembre 2026"."""
    days = describe_days(first, last, language) if period == "week" else describe_month(first, language)
    return phrases.phrase(language, f"recap-{period}", days=days)


def listed(events: Sequence[Event], first: date, language: str, home_timezone: str) -> tuple[Listed, ...]:
    """The events in words, in the order in which they are given; what began before ``first`` stands under it."""
    return tuple(_listed(event, first, language, home_timezone) for event in events)


def recap_html(lines: Sequence[Listed]) -> str:
    """A paragraph for each day, a line for each event."""
    days = groupby(lines, key=lambda line: line.day)
    return "".join(f"<p>{escape(day)}<br>{'<br>'.join(map(_line, those))}</p>" for day, those in days)


def day_of(event: Event, first: date) -> date:
    """The day of a recap that an event stands under."""
    return max(on_its_clock(event.starts_at, event).date(), first)


def _line(one: Listed) -> str:
    title = f'<a href="{escape(one.url)}">{escape(one.title)}</a>' if one.url else escape(one.title)
    said = f"{escape(one.hour)} – {title}" if one.hour else title
    return f"• {said}, {escape(one.place)}" if one.place else f"• {said}"


def _listed(event: Event, first: date, language: str, home_timezone: str) -> Listed:
    start, end = on_its_clock(event.starts_at, event), on_its_clock(event.ends_at or event.starts_at, event)
    # What ends in the small hours is one evening.
    several = event.is_long or (end.date() - start.date()).days > 1 or (end.date() > start.date() and (event.end_is_date or end.hour >= 6))
    title = " ".join(event.title.split())
    if event.status != "confirmed":
        title = phrases.phrase(language, event.status, title=title)
    return Listed(
        title=title,
        day=describe_day(day_of(event, first), language),
        hour=short_when(event, language) if several else describe_hour(event, language, home_timezone=home_timezone),
        when=describe_when(event, language, home_timezone=home_timezone),
        place=_place(event, language),
        url=event.url,
    )


def _place(event: Event, language: str) -> str:
    place = event.place
    parts = [] if place is None else [part.strip() for part in (place.name or place.street, place.locality) if part.strip()]
    said = ", ".join(dict.fromkeys(" ".join(part.split()) for part in parts))
    if not event.online_url:
        return said
    return phrases.phrase(language, "also-online", place=said) if said else phrases.phrase(language, "online")

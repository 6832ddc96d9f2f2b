"""How long it is until an event, in words that are true when they are said: "Demain", "Dans 2 heures", "Ce soir"."""

from __future__ import annotations

from datetime import datetime, timedelta

from syndicator.model import Event
from syndicator.text import phrases
from syndicator.text.dates import is_dateless, on_its_clock

EVENING = 18
HOURS_MOST = 4
"""Up to so many hours ahead we count them; before that, it is a part of the day."""
NEARLY = timedelta(minutes=10)
"""A number of hours is said when it is as near as this."""


def lead(event: Event, now: datetime, language: str) -> str:
    """When an event begins, seen from ``now``, on its own calendar; empty once it has."""
    start, here = on_its_clock(event.starts_at, event), on_its_clock(now, event)
    days = (start.date() - here.date()).days
    if days > 1:
        return phrases.phrase(language, "in-days", count=str(days))
    if days < 0 or (not is_dateless(event) and now >= event.starts_at):
        return ""
    soon = "" if is_dateless(event) else _soon(event.starts_at - now, language)
    if soon:
        return soon
    if days == 1:
        return phrases.phrase(language, "tomorrow")
    evening = not is_dateless(event) and start.hour >= EVENING
    return phrases.phrase(language, "tonight" if evening else "today")


def _soon(left: timedelta, language: str) -> str:
    """Hours or minutes, where they are few."""
    if left < timedelta(minutes=50):
        minutes = max(1, round(left / timedelta(minutes=1)))
        count = minutes if minutes < 10 else 5 * round(minutes / 5)
        return phrases.phrase(language, "in-minutes", count=str(count)) if count > 1 else ""
    hours = round(left / timedelta(hours=1))
    if hours > HOURS_MOST or abs(left - timedelta(hours=hours)) > NEARLY:
        return ""
    return phrases.phrase(language, "in-hour") if hours == 1 else phrases.phrase(language, "in-hours", count=str(hours))

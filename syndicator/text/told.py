"""What readers were told of an event, and whether it is still so. Pure: two events are compared as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from syndicator.model import Event
from syndicator.text import phrases
from syndicator.text.dates import describe_when, is_dateless


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one post of ours says of an event."""

    event: Event
    """Its facts alone."""
    digest: str = ""
    """Of a note: of all else that it says, to know whether another would say something new."""


def facts_of(event: Event) -> Event:
    """An event without anything but what must never be told wrong."""
    return Event(
        uid=event.uid,
        url=event.url,
        title=event.title,
        status=event.status,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        timezone=event.timezone,
        start_is_date=event.start_is_date,
        end_is_date=event.end_is_date,
        long_event=event.long_event,
        place=event.place,
        online_url=event.online_url,
    )


def moved(told: Event, now: Event) -> bool:
    """Whether readers must hear of a change: another date, place or title, cancelled, confirmed."""
    return (
        same_words(told.title) != same_words(now.title)
        or told.status != now.status
        or date_moved(told, now)
        or place_of(told) != place_of(now)
    )


def date_moved(told: Event, now: Event) -> bool:
    """Whether it is at another time, as people read it."""
    return _when(told) != _when(now)


def place_of(event: Event) -> tuple[str, bool]:
    """Where it is, as people read it, and whether one can attend online."""
    return (phrases.where(event.place) if event.place is not None else "", bool(event.online_url))


def same_words(text: str) -> str:
    """A text without its spacing."""
    return " ".join(text.split())


def _when(event: Event) -> tuple[str, datetime | None]:
    instant = None if is_dateless(event) else event.starts_at.astimezone(UTC).replace(second=0, microsecond=0)
    return describe_when(event, "fr"), instant

"""A rendition as an event of The Events Calendar. Pure.

After the plugin's REST API, https://docs.theeventscalendar.com/rest-api/, and what that leaves out, after its source,
https://github.com/the-events-calendar/the-events-calendar (src/Tribe/REST/V1).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from syndicator.model import Actor, Event, Place

NAMESPACE = "tribe/events/v1"
ROUTE = "/tribe/events/v1/events"
FORM = "%Y-%m-%d %H:%M:%S"


def event_fields(event: Event, link: str | None) -> dict[str, Any]:
    """When and where it is, who organises it, and its page."""
    return {**_when(event), "website": link or event.url, **_venue(event.place), **_organizer(event.organizer)}


def _when(event: Event) -> dict[str, Any]:
    """By the event's own wall clock. The plugin knows whole days and instants, nothing between.

    An event without an end ends when it begins, which the plugin shows as one hour; one whose last day alone is known lasts whole days, and
    its hour stands in the text.
    """
    start, name = _local(event.starts_at, event.timezone)
    end = _local(event.ends_at, event.timezone)[0] if event.ends_at is not None else start
    whole = event.start_is_date or (event.end_is_date and end.date() > start.date())
    if whole:
        # With a clock, the end is an instant, and midnight belongs to the day before.
        last = end.date() if event.end_is_date or end.time() != time() or end <= start else (end - timedelta(days=1)).date()
        start, end = datetime.combine(start.date(), time()), datetime.combine(max(last, start.date()), time(23, 59, 59))
    elif event.end_is_date:
        end = start
    return {"all_day": whole, "start_date": f"{start:{FORM}}", "end_date": f"{end:{FORM}}", "timezone": name}


def _local(at: datetime, timezone: str) -> tuple[datetime, str]:
    try:
        zone: Any = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone, timezone = UTC, "UTC"
    return at.astimezone(zone).replace(tzinfo=None), timezone


def _venue(place: Place | None) -> Mapping[str, Any]:
    """The plugin takes a venue that it knows already for the same one."""
    if place is None or not (place.name or place.street or place.locality):
        return {}
    found = {
        "venue": place.name or ", ".join(part for part in (place.street, place.locality) if part),
        "address": place.street,
        "city": place.locality,
        "zip": place.postal_code,
        "province": place.region,
        "country": place.country,
    }
    return {"venue": {name: value for name, value in found.items() if value}}


def _organizer(actor: Actor | None) -> Mapping[str, Any]:
    if actor is None or not actor.name:
        return {}
    return {"organizer": {"organizer": actor.name, **({"website": actor.url} if actor.url else {})}}

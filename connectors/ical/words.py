"""Pure: what a VEVENT says → what our Event says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar

from connectors.ical.series import Moment, Occurrence, shown_zone
from syndicator.model import Actor, Attachment, Event, EventStatus, Place
from syndicator.text.clean import clean
from syndicator.text.html import from_text
from syndicator.text.urls import web_url

_MARKUP = re.compile(r"</?(?:a|b|br|div|em|h[1-6]|html-blob|i|li|ol|p|span|strong|u|ul)\b[^<>]*>", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_APPLE_GEO = re.compile(r"geo:(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)")
_STATUS: dict[str, EventStatus] = {"CANCELLED": "cancelled", "CANCELED": "cancelled", "TENTATIVE": "tentative"}
_MEETINGS = ("CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK")
_PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp")


@dataclass(frozen=True, kw_only=True)
class CalendarFacts:
    """What an event takes from its calendar when it says nothing itself."""

    page: str
    """Where visitors find it."""
    timezone: str
    untitled: str
    """The title of an event without one."""


def words_of(said: icalendar.Component, facts: CalendarFacts) -> Event:
    """All but the name and the dates of an event, which ``event_of`` fills in."""
    location = _text(said, "LOCATION")
    online = next((url for name in _MEETINGS for url in _urls(said, name)), None) or web_url(location)
    organizer = _organizer(said)
    tags = dict.fromkeys(
        " ".join(clean(str(tag)).split()).lstrip("#") for part in _all(said, "CATEGORIES") for tag in getattr(part, "cats", ())
    )
    created = getattr(said.get("CREATED"), "dt", None)
    return Event(
        uid="",
        url=next(iter(_urls(said, "URL")), facts.page),
        title=" ".join(_text(said, "SUMMARY").split()) or facts.untitled,
        html=_html(said),
        status=_STATUS.get(_text(said, "STATUS").strip().upper(), "confirmed"),
        starts_at=_NEVER,
        timezone=facts.timezone,
        place=_place("" if web_url(location) else location, said),
        online_url=online,
        organizer=organizer,
        tags=tuple(tag for tag in tags if tag),
        language=_language(said),
        image=next(_images(said), None),
        published_at=created if isinstance(created, datetime) and created.tzinfo else None,
    )


def event_of(uid: str, occurrence: Occurrence, said: Event, fallback_zone: str) -> Event:
    """``said`` on the dates of ``occurrence``."""
    name = shown_zone(occurrence, fallback_zone)
    zone = ZoneInfo(name)
    start, end = occurrence.start, occurrence.end
    starts_at = start.wall.replace(tzinfo=zone) if start.is_date else start.at.astimezone(zone)
    return replace(
        said,
        uid=f"{uid}#{occurrence.key}" if occurrence.original else uid,
        starts_at=starts_at,
        ends_at=None if end is None else _ends_at(end, starts_at),
        timezone=name,
        start_is_date=start.is_date,
        end_is_date=end is not None and end.is_date,
        recurrence_id=_recurrence_id(occurrence.original),
    )


def _ends_at(end: Moment, starts_at: datetime) -> datetime:
    """A DATE ends before its day begins (RFC 5545 3.6.1); ours names the last day, and lasts until its end."""
    if not end.is_date:
        return max(end.at.astimezone(starts_at.tzinfo), starts_at)
    last = max(end.wall.date() - timedelta(days=1), starts_at.date())
    return datetime.combine(last, time(23, 59, 59), starts_at.tzinfo)


def _recurrence_id(original: Moment | None) -> str | None:
    if original is None:
        return None
    return original.wall.date().isoformat() if original.is_date else original.at.isoformat()


def _all(said: icalendar.Component, name: str) -> list[Any]:
    value = said.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(said: icalendar.Component, name: str) -> str:
    return clean(str(next(iter(_all(said, name)), ""))).strip()


def _urls(said: icalendar.Component, name: str) -> Iterator[str]:
    for value in _all(said, name):
        url = web_url(str(value).strip())
        if url is not None:
            yield url


def _html(said: icalendar.Component) -> str:
    """The formatted text where there is one; Google writes markup into DESCRIPTION itself."""
    for name in ("STYLED-DESCRIPTION", "X-ALT-DESC"):
        for value in _all(said, name):
            if str(getattr(value, "params", {}).get("FMTTYPE", "text/html")).lower() == "text/html" and str(value).strip():
                # X-ALT-DESC is no TEXT, yet its commas and newlines are escaped as if it were.
                return clean(str(value).replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";"))
    text = _text(said, "DESCRIPTION")
    if _MARKUP.search(text):
        return text.replace("\n", "<br>")
    return _LINK.sub(lambda link: f'<a href="{link[0]}">{link[0]}</a>', from_text(text))


def _place(location: str, said: icalendar.Component) -> Place | None:
    name = ", ".join(line.strip().rstrip(",") for line in location.splitlines() if line.strip())
    latitude, longitude = _geo(said)
    if not name and latitude is None:
        return None
    return Place(name=name, latitude=latitude, longitude=longitude)


def _geo(said: icalendar.Component) -> tuple[float, float] | tuple[None, None]:
    geo = said.get("GEO")
    pair = (getattr(geo, "latitude", None), getattr(geo, "longitude", None))
    if pair[0] is None:
        apple = _APPLE_GEO.search(_text(said, "X-APPLE-STRUCTURED-LOCATION"))
        pair = (float(apple[1]), float(apple[2])) if apple else (None, None)
    latitude, longitude = pair
    if latitude is None or longitude is None or not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return (None, None)
    # 0, 0 is what programs write that do not know.
    return (latitude, longitude) if (latitude, longitude) != (0, 0) else (None, None)


def _organizer(said: icalendar.Component) -> Actor | None:
    """By name only: an address of somebody is nobody's business here."""
    organizer = next(iter(_all(said, "ORGANIZER")), None)
    name = clean(str(getattr(organizer, "params", {}).get("CN", ""))).strip()
    if not name or "@" in name:
        return None
    return Actor(name=name, url=web_url(str(organizer)))


def _language(said: icalendar.Component) -> str | None:
    summary = next(iter(_all(said, "SUMMARY")), None)
    return str(getattr(summary, "params", {}).get("LANGUAGE", "")).strip() or None


def _images(said: icalendar.Component) -> Iterator[Attachment]:
    for name in ("IMAGE", "ATTACH"):
        for value in _all(said, name):
            url = web_url(str(value).strip())
            kind = str(getattr(value, "params", {}).get("FMTTYPE", "")).lower()
            if url and (name == "IMAGE" or kind.startswith("image/") or url.lower().endswith(_PICTURES)):
                yield Attachment(url=url, media_type=kind or None)


_NEVER = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))

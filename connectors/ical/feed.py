"""Pure: events → the bytes of one iCalendar feed (RFC 5545, RFC 7986).

The same events give the same bytes: every stamp is the instant at which the content changed, never now. What icalendar writes
wrongly or accepts though it should not (unescaped names, missing VALUE parameters, control characters, other schemes than http) is
taken care of here.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import quote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import icalendar
from icalendar import vCalAddress, vDuration, vText, vUri

from connectors.ical.vtimezone import vtimezone
from connectors.ical.zones import is_utc, zone
from syndicator.model import Event, Place
from syndicator.text.clean import clean
from syndicator.text.html import to_text
from syndicator.text.urls import web_url

PRODID = "-//syndicator//iCalendar//EN"
SUMMARY_MAX = 500
DESCRIPTION_MAX = 4_000
_CANCELLED = {"fr": "ANNULÉ : ", "en": "CANCELLED: "}
_ONLINE = {"fr": "En ligne : ", "en": "Online: "}
_TICKETS = {"fr": "Billets : ", "en": "Tickets: "}
_PRICES = {"fr": "Tarif : ", "en": "Price: "}
_FULL = {"fr": "Complet", "en": "Fully booked"}


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a feed says of itself."""

    name: str
    description: str
    timezone: str
    language: str
    url: str | None = None
    source: str | None = None
    """Where this feed is found."""
    color: str | None = None
    refresh: timedelta = timedelta(hours=1)
    images: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One VEVENT as it is written."""

    data: bytes
    years: tuple[tuple[str, int, int], ...]
    """The timezones that it names, each with its first and its last year."""
    source: str
    changed_at: datetime


class Entries:
    """VEVENTs that were made once, for events that stay as they are; for one ``Head``'s language, timezone and pictures."""

    def __init__(self) -> None:
        self._known: dict[str, Entry] = {}

    def forget(self, changed: Collection[str], there: Collection[str]) -> None:
        """Let go of what changed, and of what is not ``there`` any more."""
        self._known = {uid: entry for uid, entry in self._known.items() if uid not in changed and uid in there}

    def of(self, head: Head, event: Event, changed_at: datetime, first_seen_at: datetime | None) -> Entry:
        """This event's."""
        known = self._known.get(event.uid)
        if known is None or (known.source, known.changed_at) != (event.source, changed_at):
            known = self._known[event.uid] = _entry(head, event, changed_at, first_seen_at)
        return known


def feed(
    head: Head,
    events: Sequence[Event],
    changed_at: Mapping[str, datetime],
    first_seen_at: Mapping[str, datetime],
    entries: Entries | None = None,
) -> bytes:
    """One VCALENDAR with every timezone that it names."""
    entries = entries or Entries()
    found = [entries.of(head, event, changed_at[event.uid], first_seen_at.get(event.uid)) for event in events]
    years: dict[str, tuple[int, int]] = {}
    for entry in found:
        for name, first, last in entry.years:
            earliest, latest = years.get(name, (first, last))
            years[name] = (min(first, earliest), max(last, latest))
    opening, closing = _vcalendar(head, max((changed_at[event.uid] for event in events), default=None)).to_ical().split(b"END:VCALENDAR", 1)
    zones = [vtimezone(name, first, last) for name, (first, last) in sorted(years.items())]
    return b"".join([opening, *zones, *(entry.data for entry in found), b"END:VCALENDAR", closing])


def _entry(head: Head, event: Event, changed_at: datetime, first_seen_at: datetime | None) -> Entry:
    made = _vevent(head, event, changed_at, first_seen_at)
    years: dict[str, tuple[int, int]] = {}
    for name in ("DTSTART", "DTEND"):
        _widen(years, made.get(name))
    spans = tuple((name, first, last) for name, (first, last) in years.items())
    return Entry(data=made.to_ical(), years=spans, source=event.source, changed_at=changed_at)


def _widen(years: dict[str, tuple[int, int]], prop: object) -> None:
    tzid, at = getattr(prop, "params", {}).get("TZID"), getattr(prop, "dt", None)
    if tzid and at is not None:
        first, last = years.get(tzid, (at.year, at.year))
        years[tzid] = (min(first, at.year), max(last, at.year))


def _vcalendar(head: Head, changed_at: datetime | None) -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODID)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for name, text in (
        ("name", head.name),
        ("x-wr-calname", head.name),
        ("description", head.description),
        ("x-wr-caldesc", head.description),
    ):
        if text:
            calendar.add(name, vText(_line(text)))
    calendar.add("x-wr-timezone", vText(head.timezone))
    if url := _uri(head.url):
        calendar.add("url", vUri(url))
    if source := _uri(head.source):
        calendar.add("source", vUri(source), parameters={"VALUE": "URI"})
    if head.color:
        calendar.add("color", vText(head.color))
    if changed_at is not None:
        calendar.add("last-modified", _utc(changed_at))
    calendar.add("refresh-interval", vDuration(head.refresh), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(head.refresh))
    return calendar


def _vevent(head: Head, event: Event, changed_at: datetime, first_seen_at: datetime | None) -> icalendar.Event:
    entry = icalendar.Event()
    entry.add("uid", vText(_line(event.uid)))
    entry.add("dtstamp", _utc(changed_at))
    entry.add("last-modified", _utc(changed_at))
    entry.add("sequence", event.sequence)
    if created := event.published_at or first_seen_at:
        entry.add("created", _utc(created))
    _add_dates(entry, event, head.timezone)
    entry.add("summary", vText(_summary(event, head.language)))
    entry.add("description", vText(_description(event, head.language)))
    entry.add("status", event.status.upper())
    entry.add("class", "PUBLIC")
    entry.add("transp", "TRANSPARENT")
    if place := _location(event):
        entry.add("location", vText(place))
    if event.place and (geo := _geo(event.place)):
        entry.add("geo", geo)
    if tags := [tag for tag in (_line(tag) for tag in event.tags) if tag]:
        entry.add("categories", tags)
    _add_links(entry, event, head)
    return entry


def _add_links(entry: icalendar.Event, event: Event, head: Head) -> None:
    if url := _uri(event.url):
        entry.add("url", vUri(url))
    if head.images and event.image and (picture := _uri(event.image.url)):
        kind = event.image.media_type or mimetypes.guess_type(urlsplit(picture).path)[0] or ""
        typed = {"FMTTYPE": kind} if kind.startswith("image/") and kind.isascii() and kind.isprintable() else {}
        entry.add("image", vUri(picture), parameters={"VALUE": "URI", "DISPLAY": "BADGE", **typed})
    if online := _uri(event.online_url):
        entry.add("conference", vUri(online), parameters={"VALUE": "URI"})
    organizer = event.organizer
    # A calendar user address is a URI (RFC 5545 3.3.3); nobody's e-mail address belongs into a public feed.
    if organizer and organizer.url and (address := _uri(organizer.url)) and address.startswith("https://"):
        entry.add("organizer", vCalAddress(address), parameters={"CN": _line(organizer.name).replace('"', "'")})


def _add_dates(entry: icalendar.Event, event: Event, home: str) -> None:
    if event.start_is_date:
        # A date is one in the event's own zone, whichever that is.
        own = zone(event.timezone) or ZoneInfo(home)
        start, end = event.starts_at.astimezone(own), event.ends_at and event.ends_at.astimezone(own)
        entry.add("dtstart", start.date())
        last = None if end is None else _last_day(end, is_date=event.end_is_date)
        # One day is what a DATE without an end means (RFC 5545 3.6.1).
        if last is not None and last > start.date():
            entry.add("dtend", last + timedelta(days=1))
        return
    local = _clock(event.timezone, home)
    start, end = event.starts_at.astimezone(local), event.ends_at and event.ends_at.astimezone(local)
    entry.add("dtstart", _stamp(start))
    if event.ends_at is not None and event.end_is_date:
        last = event.ends_at.astimezone(zone(event.timezone) or local).date()
        end = datetime.combine(last + timedelta(days=1), time(), local)
    # DTEND must be later than DTSTART (3.8.2.2): an end equal to the start is a moment, which has none.
    if end is not None and end.astimezone(UTC) > start.astimezone(UTC):
        entry.add("dtend", _stamp(end))


def _last_day(end: datetime, *, is_date: bool) -> date:
    """The last day that an event with a bare start covers: midnight ends the day before."""
    return end.date() if is_date or end.time() != time() else end.date() - timedelta(days=1)


def _stamp(local: datetime) -> datetime:
    """Wall clock and zone; UTC for the second of two equal hours, which a TZID cannot name (3.3.5)."""
    local = local.replace(microsecond=0)
    return local.astimezone(UTC) if local.fold and local.utcoffset() != local.replace(fold=0).utcoffset() else local


def _clock(name: str, home: str) -> ZoneInfo:
    """The event's zone; the association's where it has none that people use."""
    return ZoneInfo(home if is_utc(name) or name.startswith("Etc/") or zone(name) is None else name)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _uri(url: str | None) -> str | None:
    """An absolute http(s) address as a URI, which is ASCII (RFC 3986); None for anything else."""
    address = web_url(url or "")
    if address is None or address.isascii():
        return address
    parts = urlsplit(address)
    try:
        netloc = parts.netloc.encode("idna").decode()
    except UnicodeError:
        return None
    return urlunsplit(parts._replace(netloc=netloc, path=_ascii(parts.path), query=_ascii(parts.query), fragment=_ascii(parts.fragment)))


def _ascii(part: str) -> str:
    return quote(part, safe="%/:?#[]@!$&'()*+,;=~")


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def _word(words: Mapping[str, str], language: str) -> str:
    return words["fr" if language.lower().startswith("fr") else "en"]


def _summary(event: Event, language: str) -> str:
    # Many clients ignore STATUS in subscriptions.
    prefix = _word(_CANCELLED, language) if event.status == "cancelled" else ""
    return (prefix + _line(event.title))[:SUMMARY_MAX]


def _description(event: Event, language: str) -> str:
    """The text, what iCalendar has no property for, and the way home, which many clients show nowhere else."""
    text = clean(to_text(event.html)).strip()
    if len(text) > DESCRIPTION_MAX:
        text = text[: DESCRIPTION_MAX - 1].rstrip() + "…"
    facts = []
    if event.offers:
        facts.append(_word(_PRICES, language) + ", ".join(f"{offer.price} {offer.currency}" for offer in event.offers))
    if event.full:
        facts.append(_word(_FULL, language))
    if event.online_url and (online := web_url(event.online_url)):
        facts.append(_word(_ONLINE, language) + online)
    if event.ticket_url and (tickets := web_url(event.ticket_url)):
        facts.append(_word(_TICKETS, language) + tickets)
    return "\n\n".join(part for part in (text, "\n".join(map(_line, facts)), web_url(event.url) or "") if part)


def _location(event: Event) -> str:
    place = event.place
    if place is None:
        return web_url(event.online_url or "") or ""
    town = _line(f"{place.postal_code} {place.locality}")
    parts = dict.fromkeys(part for part in (_line(place.name), _line(place.street), town, _line(place.country)) if part)
    return ", ".join(parts) or web_url(event.online_url or "") or ""


def _geo(place: Place) -> tuple[float, float] | None:
    if place.latitude is None or place.longitude is None:
        return None
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        return None
    return (round(place.latitude, 6), round(place.longitude, 6))

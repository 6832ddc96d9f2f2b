"""Mobilizon's GraphQL objects → items. Pure; raw dictionaries stay in here.

Field by field what the server means is in its source, lib/mobilizon/events/ and lib/graphql/schema/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from syndicator.model import Actor, Attachment, Event, EventStatus, Offer, Place, Post, Visibility

Raw = Mapping[str, Any]

STATUSES: Mapping[str, EventStatus] = {"CONFIRMED": "confirmed", "TENTATIVE": "tentative", "CANCELLED": "cancelled"}
VISIBILITIES: Mapping[str, Visibility] = {"PUBLIC": "public", "UNLISTED": "unlisted"}
"""RESTRICTED and PRIVATE, and whatever a later version adds, are private."""

VISIO_KEYS = tuple(f"mz:visio:{name}" for name in ("jitsi_meet", "big_blue_button", "zoom", "google_meet", "microsoft_teams"))
LIVE_KEYS = tuple(f"mz:live:{name}:url" for name in ("peertube", "owncast", "youtube", "twitch"))
TICKET_KEYS = ("mz:ticket:external_url", "mz:ticket:price_url")
ACCESSIBILITY = "mz:accessibility:"


class MalformedItem(ValueError):
    """An object lacks a field without which it cannot be shown; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What an object does not say of itself."""

    host: str
    """The instance's host: that of local groups."""
    timezone: str
    """For events that name none."""


def event_from(raw: Raw, setting: Setting) -> Event:
    """The event that ``raw`` describes. Raises MalformedItem."""
    options, metadata = _object(raw, "options"), _metadata(raw)
    zone = _zone(options.get("timezone"), _object(raw, "physicalAddress").get("timezone"), setting.timezone)
    starts_at, start_is_date = _wall_clock(_required_at(raw, "beginsOn"), zone, options.get("showStartTime"))
    ends_at, end_is_date = _end(raw, zone, options, starts_at)
    return Event(
        uid=_required(raw, "url"),
        url=_required(raw, "url"),
        title=_required(raw, "title"),
        html=_text(raw, "description"),
        status=STATUSES.get(_text(raw, "status"), "confirmed"),
        visibility=VISIBILITIES.get(_text(raw, "visibility"), "private"),
        draft=raw.get("draft") is True,
        starts_at=starts_at,
        ends_at=ends_at,
        timezone=zone.key,
        start_is_date=start_is_date,
        end_is_date=end_is_date,
        place=_place(_object(raw, "physicalAddress")),
        online_url=_online_url(raw, options, metadata),
        organizer=_group(_object(raw, "attributedTo"), setting),
        tags=_tags(raw),
        category=_text(raw, "category") or None,
        language=_language(raw),
        image=_picture(_object(raw, "picture")),
        offers=_offers(options),
        ticket_url=_ticket_url(raw, metadata),
        accessibility=tuple(
            (key.removeprefix(ACCESSIBILITY), value) for key, value in sorted(metadata.items()) if key.startswith(ACCESSIBILITY) and value
        ),
        capacity=_capacity(options),
        full=_is_full(raw, options),
        # publishAt is null for events made in the web interface; updatedAt moves at every participation, so it is no edit date.
        published_at=_at(raw, "publishAt") or _at(raw, "insertedAt"),
        long_event=raw.get("longEvent") if isinstance(raw.get("longEvent"), bool) else None,
    )


def post_from(raw: Raw, setting: Setting) -> Post:
    """The group post that ``raw`` describes. Raises MalformedItem."""
    picture = _picture(_object(raw, "picture"))
    inserted_at, updated_at = _at(raw, "insertedAt"), _at(raw, "updatedAt")
    return Post(
        uid=_required(raw, "url"),
        url=_required(raw, "url"),
        kind="article",
        title=_text(raw, "title"),
        html=_text(raw, "body"),
        visibility=VISIBILITIES.get(_text(raw, "visibility"), "private"),
        draft=raw.get("draft") is True,
        published_at=_at(raw, "publishAt") or inserted_at,
        updated_at=updated_at if updated_at != inserted_at else None,
        language=_language(raw),
        author=_group(_object(raw, "attributedTo"), setting),
        tags=_tags(raw),
        attachments=(picture,) if picture else (),
    )


def _required(raw: Raw, key: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value.strip():
        raise MalformedItem(f"no {key}")
    return value.strip()


def _required_at(raw: Raw, key: str) -> datetime:
    at = _at(raw, key)
    if at is None:
        raise MalformedItem(f"no {key}")
    return at


def _at(raw: Raw, key: str) -> datetime | None:
    value = raw.get(key)
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise MalformedItem(f"{key} is {value[:40]!r}") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _text(raw: Raw, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _object(raw: Raw, key: str) -> Raw:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _objects(raw: Raw, key: str) -> Sequence[Raw]:
    value = raw.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _web_url(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    return value.strip() if parts.scheme in ("http", "https") and parts.netloc else None


def _zone(*names: object) -> ZoneInfo:
    for name in names:
        if not isinstance(name, str) or not name:
            continue
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def _wall_clock(at: datetime, zone: ZoneInfo, show_time: object) -> tuple[datetime, bool]:
    """The instant on the event's clock, and whether only its date counts: then its time is an accident, and is cut to midnight."""
    local = at.astimezone(zone)
    if show_time is not False:
        return local, False
    return local.replace(hour=0, minute=0, second=0, microsecond=0), True


def _end(raw: Raw, zone: ZoneInfo, options: Raw, starts_at: datetime) -> tuple[datetime | None, bool]:
    at = _at(raw, "endsOn")
    if at is None:
        return None, False
    ends_at, is_date = _wall_clock(at, zone, options.get("showEndTime"))
    # An end that is the beginning (or, on federated copies, before it) is how Mobilizon keeps "no end".
    return (ends_at, is_date) if ends_at > starts_at else (None, False)


def _metadata(raw: Raw) -> dict[str, str]:
    return {_text(entry, "key"): _text(entry, "value").strip() for entry in _objects(raw, "metadata") if entry.get("key")}


def _place(address: Raw) -> Place | None:
    longitude, latitude = _longitude_latitude(address.get("geom"))
    place = Place(
        name=_text(address, "description").strip(),
        street=_text(address, "street").strip(),
        postal_code=_text(address, "postalCode").strip(),
        locality=_text(address, "locality").strip(),
        region=_text(address, "region").strip(),
        country=_text(address, "country").strip(),
        latitude=latitude,
        longitude=longitude,
    )
    return None if place == Place() else place


def _longitude_latitude(geom: object) -> tuple[float | None, float | None]:
    """``"lon;lat"``, longitude first (lib/graphql/schema/custom/point.ex)."""
    if not isinstance(geom, str):
        return None, None
    first, _, second = geom.partition(";")
    try:
        longitude, latitude = float(first), float(second)
    except ValueError:
        return None, None
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        return None, None
    return longitude, latitude


def _online_url(raw: Raw, options: Raw, metadata: Mapping[str, str]) -> str | None:
    """A meeting room, else the event's address where the event is online, else a live broadcast."""
    rooms = [metadata.get(key) for key in VISIO_KEYS]
    address = [raw.get("onlineAddress")] if options.get("isOnline") is True else []
    lives = [metadata.get(key) for key in LIVE_KEYS]
    return next((url for url in map(_web_url, [*rooms, *address, *lives]) if url), None)


def _ticket_url(raw: Raw, metadata: Mapping[str, str]) -> str | None:
    elsewhere = [raw.get("externalParticipationUrl")] if raw.get("joinOptions") == "EXTERNAL" else []
    candidates = [metadata.get(TICKET_KEYS[0]), *elsewhere, metadata.get(TICKET_KEYS[1])]
    return next((url for url in map(_web_url, candidates) if url), None)


def _group(raw: Raw, setting: Setting) -> Actor | None:
    """The organising group. Its avatar is left out: a new one would make every item of the group look edited."""
    username = _text(raw, "preferredUsername")
    name = _text(raw, "name").strip() or username
    if not name:
        return None
    host = _text(raw, "domain") or setting.host
    return Actor(name=name, url=_web_url(raw.get("url")), handle=f"{username}@{host}" if username else None)


def _tags(raw: Raw) -> tuple[str, ...]:
    titles = (_text(tag, "title").strip().lstrip("#") or _text(tag, "slug") for tag in _objects(raw, "tags"))
    return tuple(dict.fromkeys(title for title in titles if title))


def _language(raw: Raw) -> str | None:
    language = _text(raw, "language")
    return None if language in ("", "und") else language


def _picture(raw: Raw) -> Attachment | None:
    """The header picture; Mobilizon keeps no alt text, whatever its schema says."""
    url = _web_url(raw.get("url"))
    if url is None:
        return None
    size = _object(raw, "metadata")
    return Attachment(
        url=url,
        media_type=_text(raw, "contentType") or None,
        width=_count(size.get("width")),
        height=_count(size.get("height")),
        size_bytes=_count(raw.get("size")),
        blurhash=_text(size, "blurhash") or None,
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _offers(options: Raw) -> tuple[Offer, ...]:
    if options.get("showParticipationPrice") is not True:
        return ()
    return tuple(
        Offer(price=_price(offer["price"]), currency=_text(offer, "priceCurrency") or "EUR", url=_web_url(offer.get("url")))
        for offer in _objects(options, "offers")
        if isinstance(offer.get("price"), int | float) and isfinite(offer["price"])
    )


def _price(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.2f}"


def _capacity(options: Raw) -> int | None:
    """Zero is how Mobilizon keeps "no limit"."""
    return _count(options.get("maximumAttendeeCapacity"))


def _is_full(raw: Raw, options: Raw) -> bool:
    """As Mobilizon's own page decides it; ``remainingAttendeeCapacity`` is never kept up to date."""
    capacity, going = _capacity(options), _object(raw, "participantStats").get("participant")
    return capacity is not None and isinstance(going, int) and going >= capacity

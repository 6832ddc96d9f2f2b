"""``events.json``: the events as data, for any site generator, widget or spreadsheet. Schema: ``assets/events.schema.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.website import clean
from connectors.website.cards import ends, map_url, place_text, starts
from connectors.website.page import Site
from connectors.website.pictures import Picture, Variant, stills
from connectors.website.selection import LONG_AGO, Selection
from syndicator.contract import Association, View
from syndicator.model import Attachment, Event, Place
from syndicator.text.dates import describe_when

VERSION = 1
"""Raised only when a reader of the version before would misunderstand; new fields may come at any time."""


def document(selection: Selection, view: View, site: Site, association: Association, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    """The whole file."""

    def records(events: Iterable[Event]) -> list[dict[str, Any]]:
        return [record(event, view, site, association, pictures) for event in events]

    return {
        "version": VERSION,
        "generator": "syndicator",
        "title": site.title,
        "language": site.labels.language,
        "timezone": association.timezone,
        "url": site.page_url,
        "calendar": site.calendar,
        "upcoming": records(sorted((*selection.upcoming, *selection.ongoing), key=lambda event: (event.starts_at, event.uid))),
        "past": records(selection.past),
    }


def record(event: Event, view: View, site: Site, association: Association, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    """One event; every key is always there, null where the origin said nothing."""
    body = clean.body(event.html, event.url)
    organizer = event.organizer
    return {
        "uid": event.uid,
        "url": clean.link(event.url),
        "title": clean.plain(event.title),
        "status": event.status,
        "full": event.full,
        "long": event.is_long,
        "start": starts(event),
        "end": ends(event),
        "timezone": event.timezone,
        "when": describe_when(event, site.labels.language, home_timezone=association.timezone),
        "place": _place(event.place),
        "online_url": clean.link(event.online_url),
        "organizer": {"name": clean.plain(organizer.name), "url": clean.link(organizer.url)} if organizer else None,
        "description_html": body,
        "description_text": clean.text_of(body),
        "image": _image(event, site, pictures),
        "tags": [tag for tag in map(clean.plain, event.tags) if tag],
        "category": clean.plain(event.category or "") or None,
        "language": event.language,
        "offers": [{"price": offer.price, "currency": offer.currency, "url": clean.link(offer.url)} for offer in event.offers],
        "ticket_url": clean.link(event.ticket_url),
        "accessibility": {clean.plain(key): clean.plain(value) for key, value in event.accessibility},
        "capacity": event.capacity,
        "sequence": event.sequence,
        "source": event.source,
        "source_title": clean.plain(view.sources.get(event.source, "")),
        "published": event.published_at.isoformat(timespec="seconds") if event.published_at else None,
        "updated": view.changed_at.get(event.uid, LONG_AGO).isoformat(timespec="seconds"),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    names = ("name", "street", "postal_code", "locality", "region", "country")
    return {
        **{name: clean.plain(getattr(place, name)) for name in names},
        "latitude": place.latitude,
        "longitude": place.longitude,
        "url": clean.link(place.url),
        "map_url": map_url(place),
        "text": place_text(place),
    }


def _image(event: Event, site: Site, pictures: Mapping[str, Picture]) -> dict[str, Any] | None:
    found: tuple[tuple[Attachment, Picture], ...] = tuple((still, pictures[still.url]) for still in stills(event) if still.url in pictures)
    if not found:
        return None
    still, picture = found[0]
    return {
        "file": picture.file,
        "url": (site.page_url or "") + picture.file,
        "width": picture.width,
        "height": picture.height,
        "alt": clean.plain(still.description),
        "variants": [_copy(one, site) for one in picture.variants],
    }


def _copy(one: Variant, site: Site) -> dict[str, Any]:
    return {"file": one.file, "url": (site.page_url or "") + one.file, "width": one.width, "height": one.height}

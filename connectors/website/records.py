"""``events.json``: the events as data, for any site generator, widget or spreadsheet. Schema: ``assets/events.schema.json``."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from connectors.website import clean, splice
from connectors.website.cards import ends, map_url, moved_from, place_text, starts
from connectors.website.page import Site
from connectors.website.pictures import Picture, Variant, stills
from connectors.website.scene import Scene, Wanted
from connectors.website.selection import LONG_AGO, first_day
from connectors.website.standing import mark
from syndicator.contract import Association, View
from syndicator.model import Attachment, Event, Place
from syndicator.text.dates import describe_when

VERSION = 1
"""Raised only when a reader of the version before would misunderstand; new fields may come at any time."""


FILE = "events.json"
SOON_MAX = 1_000
"""Events to come in ``events.json``; later ones are in a file for each month, which it names."""


def documents(scene: Scene) -> dict[str, Wanted]:
    """Path → what the file is made from, and how."""
    selection = scene.selection
    soon, months = selection.to_come_by_start[:SOON_MAX], _by_month(selection.to_come_by_start[SOON_MAX:])
    more = [{"file": path, "count": len(events)} for path, events in months.items()]
    files = {FILE: (soon, selection.past, more), **{path: (events, (), []) for path, events in months.items()}}
    return {
        path: (
            mark(scene.marks_of(upcoming), scene.marks_of(past), more),
            functools.partial(document, scene, path, {"upcoming": upcoming, "past": past}, more),
        )
        for path, (upcoming, past, more) in files.items()
    }


def _by_month(events: Sequence[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        day = first_day(event)
        found.setdefault(f"events-{day.year}-{day.month:02}.json", []).append(event)
    return dict(sorted(found.items()))


def document(scene: Scene, path: str, events: Mapping[str, Sequence[Event]], more: Sequence[Mapping[str, Any]]) -> bytes:
    """A whole file."""
    site = scene.site
    head = {
        "version": VERSION,
        "generator": "syndicator",
        "title": site.title,
        "language": site.labels.language,
        "timezone": scene.association.timezone,
        "url": site.page_url,
        "calendar": site.calendar,
        "more": more,
    }

    def made(event: Event) -> Mapping[str, Any]:
        page, previous = scene.leaves.get(event.uid), scene.view.previous.get(event.uid)
        return record(event, scene.view, site, scene.association, scene.pictures, page=page, previous=previous)

    # An event is on one of the lists.
    records = iter(splice.spliced(scene, path, [event for listed in events.values() for event in listed], made))
    return splice.document(head, {name: list(islice(records, len(listed))) for name, listed in events.items()})


def record(
    event: Event,
    view: View,
    site: Site,
    association: Association,
    pictures: Mapping[str, Picture],
    *,
    page: str | None = None,
    previous: Event | None = None,
) -> dict[str, Any]:
    """One event; every key is always there, null where the origin said nothing. ``page`` is ours of it, below our folder."""
    body = clean.body(event.html, event.url)
    organizer = event.organizer
    was = moved_from(event, previous)
    return {
        "uid": event.uid,
        "url": clean.link(event.url),
        "page": page,
        "title": clean.plain(event.title),
        "status": event.status,
        "full": event.full,
        "long": event.is_long,
        "start": starts(event),
        "end": ends(event),
        "timezone": event.timezone,
        "when": _when(event, site, association),
        "previous": {"start": starts(was), "end": ends(was), "when": _when(was, site, association)} if was else None,
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


def _when(event: Event, site: Site, association: Association) -> str:
    return describe_when(event, site.labels.language, home_timezone=association.timezone)


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

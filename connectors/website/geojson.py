"""``events.geojson``: the events to come on a map (RFC 7946), for uMap, GoGoCarto and every program that knows places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from connectors.website import clean, splice
from connectors.website.cards import ends, place_text, starts
from connectors.website.pictures import stills
from connectors.website.scene import Made, Scene, stale
from connectors.website.standing import mark
from syndicator.model import Event, Place
from syndicator.text.dates import describe_when

FILE = "events.geojson"
DESCRIPTION_MAX = 500
FEATURES_MAX = 1_000
"""The soonest: a map of more can neither be read nor loaded by a telephone."""
DIGITS = 6
"""Of a coordinate: ten centimetres; more says nothing (RFC 7946, 11.2)."""


def geojson(scene: Scene) -> Made:
    """Anew when something that it shows differs."""
    if not scene.options.geojson:
        return Made()
    events = scene.selection.to_come_by_start
    placed = [event for event in events if event.place is not None and event.place.latitude is not None and position(event.place)]
    shown, left_out = placed[:FEATURES_MAX], len(events) - len(placed)
    key = mark(scene.marks_of(shown), len(placed), left_out)
    return stale(scene, {FILE: (key, lambda: document(scene, shown, left_out, len(placed) - len(shown)))})


def document(scene: Scene, placed: Sequence[Event], left_out: int, later: int) -> bytes:
    """The whole file: what is to come and what goes on, by start.

    ``left_out`` counts the events whose place has no coordinates, ``later`` those that the file has no room for.
    """
    head = {
        "type": "FeatureCollection",
        "generator": "syndicator",
        "title": scene.site.title,
        "language": scene.site.labels.language,
        "left_out": left_out,
        "later": later,
    }
    return splice.document(head, {"features": splice.spliced(scene, FILE, placed, lambda event: feature(event, scene))})


def position(place: Place | None) -> list[float] | None:
    """Longitude, then latitude (RFC 7946, 3.1.1); None without both, and for 0, 0, which is what programs write that do not know."""
    if place is None or place.latitude is None or place.longitude is None:
        return None
    longitude, latitude = place.longitude, place.latitude
    if not (math.isfinite(longitude) and math.isfinite(latitude)) or abs(longitude) > 180 or abs(latitude) > 90:
        return None
    point = [round(longitude, DIGITS), round(latitude, DIGITS)]
    return point if point != [0, 0] else None


def feature(event: Event, scene: Scene) -> dict[str, Any]:
    """One event, at a point."""
    place = event.place or Place()
    return {
        "id": event.uid,
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": position(place) or []},
        "properties": _properties(event, place, scene),
    }


def _properties(event: Event, place: Place, scene: Scene) -> dict[str, Any]:
    """Flat, and each one always there: map programs fill forms with ``{name}``."""
    labels, view = scene.site.labels, scene.view
    title = clean.printed(event.title)
    page = scene.leaves.get(event.uid)
    shown_by = [clean.plain(view.sources.get(name) or name) for name in view.shown_by.get(event.uid, (event.source,))]
    return {
        # Most maps show a name and a text, and nothing else: what is not on must be said there.
        "name": f"{labels.cancelled_prefix}{title}" if event.status == "cancelled" else title,
        "description": clean.excerpt(clean.text_of(clean.body(event.html, event.url)), DESCRIPTION_MAX),
        "when": describe_when(event, labels.language, home_timezone=scene.association.timezone),
        "start": starts(event),
        "end": ends(event),
        "url": clean.link(event.url),
        "page": f"{scene.site.page_url}{page}" if page and scene.site.page_url else None,
        "place": clean.plain(place.name),
        "address": place_text(Place(street=place.street, postal_code=place.postal_code, locality=place.locality, region=place.region)),
        "tags": [tag for tag in map(clean.plain, event.tags) if tag],
        "source": shown_by[0],
        "shown_by": shown_by,
        "image": _image(event, scene),
        "status": event.status,
        "full": event.full,
    }


def _image(event: Event, scene: Scene) -> str | None:
    """Our copy's address: a visitor of a map is not sent to the origin."""
    found = (scene.pictures[still.url] for still in stills(event) if still.url in scene.pictures)
    picture = next(found, None)
    return f"{scene.site.page_url}{picture.file}" if picture and scene.site.page_url else None

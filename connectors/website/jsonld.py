"""Pure: an event as search engines want it told (https://schema.org/Event, https://developers.google.com/search/docs/appearance/structured-data/event).

Instants carry the offset of the event's own clock; a day without hour is a bare date; what nobody said is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from connectors.website import clean
from connectors.website.cards import ends, moved_from, place_text, starts
from connectors.website.page import Site
from syndicator.model import Actor, Event, Offer, Place

DESCRIPTION_MAX = 5_000
_PRICE = re.compile(r"\d{1,9}([.,]\d{1,2})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def script(document: Mapping[str, Any]) -> Markup:
    """JSON that may stand inside ``<script>``: nothing in it can end the element or begin another."""
    text = json.dumps(document, ensure_ascii=False)
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return Markup(text)  # noqa: S704 – the five characters that HTML or JavaScript could read otherwise are escaped above


def event(event: Event, previous: Event | None, images: Sequence[str], site: Site, url: str | None) -> dict[str, Any]:
    """One event; ``images`` are files below our folder, ``url`` is the absolute address of our page, where that is known."""
    home = clean.link(event.url)
    body = clean.text_of(clean.body(event.html, event.url))
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": clean.plain(event.title),
        "startDate": starts(event),
        "endDate": _end(event),
        **_status(event, previous),
        "eventAttendanceMode": f"https://schema.org/{_mode(event)}EventAttendanceMode",
        "location": _location(event),
        "description": clean.excerpt(body, DESCRIPTION_MAX) or None,
        "image": [site.page_url + file for file in images] if site.page_url else None,
        "organizer": _organizer(event.organizer),
        "offers": _offers(event),
        "inLanguage": event.language or site.labels.language,
        "url": url or home,
        "sameAs": home if url else None,
    }
    return {name: value for name, value in found.items() if value}


def item_list(urls: Sequence[str]) -> dict[str, Any]:
    """A page that lists events which have pages of their own."""
    return {
        "@context": "https://schema.org",
        "@type": "ItemList",
        "itemListElement": [{"@type": "ListItem", "position": place, "url": url} for place, url in enumerate(urls, start=1)],
    }


def _end(event: Event) -> str | None:
    """None where the end says nothing: it is not given, or is the start."""
    if event.ends_at is None or (event.ends_at <= event.starts_at and not event.end_is_date):
        return None
    return ends(event)


def _status(event: Event, previous: Event | None) -> dict[str, Any]:
    if event.status == "cancelled":
        return {"eventStatus": "https://schema.org/EventCancelled"}
    was = moved_from(event, previous)
    if was is not None and starts(was) != starts(event):
        return {"eventStatus": "https://schema.org/EventRescheduled", "previousStartDate": starts(was)}
    return {"eventStatus": "https://schema.org/EventScheduled"}


def _mode(event: Event) -> str:
    if not clean.link(event.online_url):
        return "Offline"
    return "Mixed" if _place(event.place) else "Online"


def _location(event: Event) -> Any:
    online = clean.link(event.online_url)
    found = [place for place in (_place(event.place), {"@type": "VirtualLocation", "url": online} if online else None) if place]
    return found[0] if len(found) == 1 else found


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    parts = {
        "streetAddress": clean.plain(place.street),
        "postalCode": clean.plain(place.postal_code),
        "addressLocality": clean.plain(place.locality),
        "addressRegion": clean.plain(place.region),
        "addressCountry": clean.plain(place.country),
    }
    address = {name: text for name, text in parts.items() if text}
    known = place.latitude is not None and place.longitude is not None
    text = place_text(place) or (f"{place.latitude:.5f}, {place.longitude:.5f}" if known else "")
    if not text:
        return None
    found: dict[str, Any] = {
        "@type": "Place",
        "name": clean.plain(place.name) or text,
        "address": {"@type": "PostalAddress", **address} if address else text,
    }
    if known:
        found["geo"] = {"@type": "GeoCoordinates", "latitude": place.latitude, "longitude": place.longitude}
    return found


def _organizer(actor: Actor | None) -> dict[str, Any] | None:
    name = clean.plain(actor.name) if actor else ""
    if actor is None or not name:
        return None
    url = clean.link(actor.url)
    return {"@type": "Organization", "name": name, **({"url": url} if url else {})}


def _offers(event: Event) -> list[dict[str, Any]]:
    """None for a cancelled event; without a price, only what is known: where tickets are, or that there is no place left."""
    if event.status == "cancelled":
        return []
    tickets = clean.link(event.ticket_url)
    priced = [
        _offer(event, offer, tickets) for offer in event.offers if _PRICE.fullmatch(offer.price) and _CURRENCY.fullmatch(offer.currency)
    ]
    if priced or not (tickets or event.full):
        return priced
    return [{"@type": "Offer", **_availability(event, tickets)}]


def _offer(event: Event, offer: Offer, tickets: str | None) -> dict[str, Any]:
    return {
        "@type": "Offer",
        "price": offer.price.replace(",", "."),
        "priceCurrency": offer.currency,
        **_availability(event, clean.link(offer.url) or tickets),
    }


def _availability(event: Event, tickets: str | None) -> dict[str, Any]:
    state = "SoldOut" if event.full else "InStock"
    url = tickets or clean.link(event.url)
    return {"availability": f"https://schema.org/{state}", **({"url": url} if url else {})}

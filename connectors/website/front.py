"""The part that is always there: the front page, the fragment, ``events.json``, the feeds and what it takes to show them."""

from __future__ import annotations

import json
from typing import Any

from connectors.website import atom, jsonfeed, records
from connectors.website.cards import event_card, post_card
from connectors.website.entries import entry_of
from connectors.website.page import Cards, icon, stylesheet
from connectors.website.scene import Made, Scene


def front(scene: Scene) -> Made:
    """Small whatever the past holds, so that it is made anew each time."""
    site, association, pictures = scene.site, scene.association, scene.pictures
    entries = [entry_of(item, scene.view, site, association, pictures) for item in scene.selection.feed]
    cards = _cards(scene)
    return Made(
        files={
            "index.html": scene.pages.index(site, cards),
            "events.html": scene.pages.fragment(site, cards),
            "events.json": as_json(records.document(scene.selection, scene.view, site, association, pictures)),
            "feed.atom": atom.feed(entries, site, f"{association.url or association.name}#{scene.name}"),
            "feed.json": as_json(jsonfeed.feed(entries, site)),
            "style.css": stylesheet(scene.options.accent),
            "icon.svg": icon(association.name, scene.options.accent),
        }
    )


def _cards(scene: Scene) -> Cards:
    site, association, most, pictures = scene.site, scene.association, scene.options.events_max, scene.pictures
    selection, view = scene.selection, scene.view
    return {
        "upcoming": [event_card(event, association, site.labels, pictures) for event in selection.upcoming[:most]],
        "ongoing": [event_card(event, association, site.labels, pictures) for event in selection.ongoing[:most]],
        "past": [event_card(event, association, site.labels, pictures) for event in selection.past[:most]],
        "posts": [post_card(post, view, association, site.labels, pictures) for post in selection.posts],
        "videos": [post_card(post, view, association, site.labels, pictures) for post in selection.videos],
    }


def as_json(document: Any) -> bytes:
    """A data file, one value a line, accents as they are."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"

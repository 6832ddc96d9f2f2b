"""The part that is always there: the front page, the fragment, ``events.json``, the feeds and what it takes to show them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from connectors.website import atom, jsonfeed, jsonld, records
from connectors.website.cards import EventCard, PostCard, event_card, event_row, post_card
from connectors.website.entries import entry_of
from connectors.website.page import Cards, Head, icon, stylesheet
from connectors.website.scene import Made, Scene
from connectors.website.topics import explore
from syndicator.model import Event, Post


def front(scene: Scene) -> Made:
    """Small whatever the past holds, so that it is made anew each time."""
    site, association, pictures = scene.site, scene.association, scene.pictures
    entries = [entry_of(item, scene.view, site, association, pictures) for item in scene.selection.feed]
    cards = _cards(scene)
    structured = _structured(scene, [*scene.selection.upcoming[: scene.options.events_max]])
    head = Head(path="", title=site.title, description=site.description, structured=structured)
    return Made(
        files={
            "index.html": scene.pages.index(site, cards, head, explore(scene)),
            "events.html": scene.pages.fragment(site, cards),
            "events.json": records.document(scene),
            "feed.atom": atom.feed(entries, site, f"{association.url or association.name}#{scene.name}"),
            "feed.json": as_json(jsonfeed.feed(entries, site)),
            "style.css": stylesheet(scene.options.accent),
            "icon.svg": icon(association.name, scene.options.accent),
        },
        reread=frozenset({records.FILE}),
    )


def _structured(scene: Scene, events: Sequence[Event]) -> Markup | None:
    urls = [scene.site.page_url + scene.leaves[event.uid] for event in events if scene.site.page_url and event.uid in scene.leaves]
    return jsonld.script(jsonld.item_list(urls)) if urls else None


def _cards(scene: Scene) -> Cards:
    labels, most, selection = scene.site.labels, scene.options.events_max, scene.selection

    def cards(events: Sequence[Event]) -> list[EventCard]:
        return [event_card(event, scene.association, labels, scene.pictures, **_own(scene, event)) for event in events[:most]]

    def posts(found: Sequence[Post]) -> list[PostCard]:
        return [post_card(post, scene.view, scene.association, labels, scene.pictures) for post in found]

    return {
        "upcoming": cards(selection.upcoming),
        "ongoing": cards(selection.ongoing),
        "past": [event_row(event, scene.association, labels, **_own(scene, event)) for event in selection.past[:most]],
        "posts": posts(selection.posts),
        "videos": posts(selection.videos),
    }


def _own(scene: Scene, event: Event) -> dict[str, Any]:
    """What is said of an event beside itself: where our page of it is, and when it was to be."""
    return {"page": scene.leaves.get(event.uid), "previous": scene.view.previous.get(event.uid)}


def as_json(document: Any) -> bytes:
    """A data file, one value a line, accents as they are."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"

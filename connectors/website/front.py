"""The part that is always there: the front page, the fragment, ``events.json``, the feeds and what it takes to show them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from connectors.website import atom, jsonfeed, jsonld, records
from connectors.website.entries import Entry, entry_of
from connectors.website.page import Cards, Head, icon, stylesheet
from connectors.website.scene import Made, Scene
from connectors.website.topics import explore
from syndicator.model import Event, Item


def front(scene: Scene) -> Made:
    """Small whatever the past holds, so that it is made anew each time."""
    site, association = scene.site, scene.association
    entries = [_entry(scene, item) for item in scene.selection.feed]
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


def _entry(scene: Scene, item: Item) -> Entry:
    def make() -> Entry:
        return entry_of(item, scene.view, scene.site, scene.association, scene.pictures)

    return scene.memo.of("entry", item.uid, scene.marks.get(item.uid), make)


def _cards(scene: Scene) -> Cards:
    most, selection = scene.options.events_max, scene.selection
    return {
        "upcoming": [scene.card(event) for event in selection.upcoming[:most]],
        "ongoing": [scene.card(event) for event in selection.ongoing[:most]],
        "past": [scene.row(event) for event in selection.past[:most]],
        "posts": [scene.post(post) for post in selection.posts],
        "videos": [scene.post(post) for post in selection.videos],
    }


def as_json(document: Any) -> bytes:
    """A data file, one value a line, accents as they are."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"

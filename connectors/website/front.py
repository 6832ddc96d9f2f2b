"""The part that is always there: the front page, the fragment, ``events.json``, the feeds and what it takes to show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from connectors.website import atom, jsonfeed, jsonld, records
from connectors.website.cards import EventCard, EventRow, PostCard
from connectors.website.entries import Entry, entry_of
from connectors.website.page import Cards, Head, icon, stylesheet
from connectors.website.scene import Made, Scene, Wanted, stale
from connectors.website.standing import mark
from connectors.website.topics import explore
from syndicator.model import Event, Item


def front(scene: Scene) -> Made:
    """Each file anew when something that it shows differs."""
    shown, fed = mark([scene.marks_of(items) for items in _shown(scene).values()]), mark(scene.marks_of(scene.selection.feed))
    wanted: dict[str, Wanted] = {
        "index.html": (shown, lambda: _index(scene)),
        "events.html": (shown, lambda: scene.pages.fragment(scene.site, _cards(scene))),
        "feed.atom": (fed, lambda: _atom(scene)),
        "feed.json": (fed, lambda: as_json(jsonfeed.feed(_entries(scene), scene.site))),
        **records.documents(scene),
    }
    look = {"style.css": stylesheet(scene.accent), "icon.svg": icon(scene.association.name, scene.accent)}
    return stale(scene, wanted, files=look)


def _index(scene: Scene) -> bytes:
    site = scene.site
    structured = _structured(scene, [*scene.selection.upcoming[: scene.options.events_max]])
    head = Head(path="", title=site.title, description=site.description, structured=structured)
    return scene.pages.index(site, _cards(scene), head, explore(scene))


def _atom(scene: Scene) -> bytes:
    association = scene.association
    return atom.feed(_entries(scene), scene.site, f"{association.url or association.name}#{scene.name}")


def _entries(scene: Scene) -> list[Entry]:
    return [_entry(scene, item) for item in scene.selection.feed]


def _structured(scene: Scene, events: Sequence[Event]) -> Markup | None:
    urls = [scene.site.page_url + scene.leaves[event.uid] for event in events if scene.site.page_url and event.uid in scene.leaves]
    return jsonld.script(jsonld.item_list(urls)) if urls else None


def _entry(scene: Scene, item: Item) -> Entry:
    def make() -> Entry:
        return entry_of(item, scene.view, scene.site, scene.association, scene.pictures)

    return scene.memo.of("entry", item.uid, scene.marks.get(item.uid), make)


def _shown(scene: Scene) -> Mapping[str, Sequence[Item]]:
    most, selection = scene.options.events_max, scene.selection
    return {
        "upcoming": selection.upcoming[:most],
        "ongoing": selection.ongoing[:most],
        "past": selection.past[:most],
        "posts": selection.posts,
        "videos": selection.videos,
    }


def _cards(scene: Scene) -> Cards:
    return {name: [_card(scene, item, name) for item in items] for name, items in _shown(scene).items()}


def _card(scene: Scene, item: Item, section: str) -> EventCard | EventRow | PostCard:
    if not isinstance(item, Event):
        return scene.post(item)
    return scene.row(item) if section == "past" else scene.card(item)


def as_json(document: Any) -> bytes:
    """A data file, one value a line, accents as they are."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"

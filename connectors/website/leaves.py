"""The part that makes a page of each event: the address that search engines find and that people hand on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from posixpath import splitext
from typing import Any

from markupsafe import Markup

from connectors.website import clean, jsonld
from connectors.website.cards import event_card, tags_of
from connectors.website.page import Head, Link
from connectors.website.pictures import Picture, Variant, stills
from connectors.website.scene import Made, Scene
from connectors.website.standing import mark_of
from connectors.website.topics import source_page, tag_page
from syndicator.model import Event
from syndicator.text import naming
from syndicator.text.dates import short_when

DESCRIPTION_MAX = 200


def leaves(scene: Scene) -> Made:
    """One page an event; those that nothing touched stay as they are."""
    keys, known = _keys(scene), scene.standing.keys
    stale = {path for path, key in keys.items() if known.get(path) != key}
    pages: dict[str, Callable[[], bytes]] = {}
    for uid, path in scene.leaves.items() if stale else ():
        if path in stale:
            pages[path] = functools.partial(_page, scene, *_beside(scene, scene.places[uid]))
    return Made(pages=pages, keep=frozenset(keys.keys() - stale), keys=keys)


def _keys(scene: Scene) -> Mapping[str, str]:
    """Path → key; only those of events that differ, and of who stands or stood beside one, are made anew."""
    last, events = scene.memo.last, scene.selection.paged
    keys: dict[str, str] = scene.memo.kept("keys of leaves", dict)
    anew = _around(events, scene.places, scene.differing)
    if last is not None:
        anew |= _around(last.selection.paged, last.places, scene.differing)
    for uid in anew:
        if uid in scene.places:
            keys[scene.leaves[uid]] = _key(scene, *_beside(scene, scene.places[uid]))
        elif last is not None:
            del keys[last.leaves[uid]]
    return dict(keys)


def _beside(scene: Scene, place: int) -> tuple[Event, Event | None, Event | None]:
    """The event that stands there, the one before and the one after."""
    events = scene.selection.paged
    return events[place], events[place - 1] if place else None, events[place + 1] if place + 1 < len(events) else None


def _around(events: Sequence[Event], places: Mapping[str, int], uids: AbstractSet[str]) -> set[str]:
    """Those of ``uids`` that are among ``events``, and those right before and after each."""
    found = [places[uid] for uid in uids if uid in places]
    return {event.uid for place in found for event in events[max(0, place - 1) : place + 2]}


def _key(scene: Scene, event: Event, before: Event | None, after: Event | None) -> str:
    """What the page shows: the event, whether it is over, and its neighbours."""
    marks = scene.marks
    over = "" if event.uid in scene.selection.to_come else "over"
    return mark_of("|".join((marks[event.uid], marks[before.uid] if before else "", marks[after.uid] if after else "", over)))


def _page(scene: Scene, event: Event, before: Event | None, after: Event | None) -> bytes:
    site, path, view = scene.site, scene.leaves[event.uid], scene.view
    previous = view.previous.get(event.uid)
    card = event_card(event, scene.association, site.labels, scene.pictures, page=path, previous=previous)
    over = event.uid not in scene.selection.to_come
    url = site.page_url + path if site.page_url else None
    shared = [copy for still in stills(event) if still.url in scene.pictures for copy in _shared(scene.pictures[still.url])]
    head = Head(
        path=path,
        title=card.title,
        description=_description(card.when, card.place, clean.text_of(clean.body(event.html, event.url))),
        image=replace(card.image, file=shared[0].file, width=shared[0].width, height=shared[0].height) if card.image else None,
        structured=jsonld.script(jsonld.event(event, previous, [copy.file for copy in shared], site, url)),
        ics=None if over or card.cancelled else _calendar_file(scene, event),
    )
    return scene.pages.leaf(site, head, card, {"body": _raised(card.prose.whole), **_more(scene, event, before, after, over=over)})


def _shared(picture: Picture) -> Sequence[Variant]:
    """Those that search engines and networks take; the only one there is, when it is small."""
    return picture.shared or (picture,)


def _more(scene: Scene, event: Event, before: Event | None, after: Event | None, *, over: bool) -> dict[str, Any]:
    shown_by = scene.view.shown_by.get(event.uid, (event.source,))
    return {
        "over": over,
        "access": _access(event, scene),
        "tag_links": [Link(path=tag_page(tag), name=tag) for tag in tags_of(event)],
        "sources": [_source(scene, name) for name in shown_by if name in scene.view.sources] if len(scene.view.sources) > 1 else [],
        "before": before and _neighbour(scene, before),
        "after": after and _neighbour(scene, after),
    }


def _raised(body: Markup) -> Markup:
    """Headings of a text follow the page's own: no level is left out."""
    text, sub = str(body), 3 if "<h4>" in body else 2
    for before, after in (("h4>", "h2>"), ("h5>", f"h{sub}>")):
        text = text.replace(f"<{before}", f"<{after}").replace(f"</{before}", f"</{after}")
    return Markup(text)  # noqa: S704 – nothing but the level of headings differs from what was safe


def _description(*parts: str) -> str:
    return clean.excerpt(" – ".join(part for part in parts if part), DESCRIPTION_MAX)


def _source(scene: Scene, name: str) -> Link:
    return Link(path=source_page(name), name=clean.plain(scene.view.sources.get(name) or name))


def _neighbour(scene: Scene, event: Event) -> Link:
    when = short_when(event, scene.site.labels.language, year=True)
    return Link(path=scene.leaves[event.uid], name=f"{clean.printed(event.title)} ({when})")


def _access(event: Event, scene: Scene) -> list[str]:
    words = scene.site.labels.access_words
    return [
        words.get((key, value.lower())) or f"{clean.plain(key)}{scene.site.labels.colon}{clean.plain(value)}"
        for key, value in event.accessibility
        if clean.plain(key) and clean.plain(value)
    ]


def _calendar_file(scene: Scene, event: Event) -> str | None:
    """What ``per_event`` of the calendar writes: ``agenda/3f0a91c27d.ics`` beside ``agenda.ics``."""
    if not scene.options.event_ics or not scene.site.calendar:
        return None
    up = "" if "://" in scene.site.calendar or scene.site.calendar.startswith("/") else "../"
    return f"{up}{splitext(scene.site.calendar)[0]}/{naming.handle(event.uid)}.ics"

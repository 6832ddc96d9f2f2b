"""The widget: ``widget.js`` for one line on any site, ``widget.json`` that it shows, ``embed.html`` for a frame."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, time, timedelta
from html import escape
from typing import Any

from connectors.website import clean, colour
from connectors.website.cards import INLINE_MAX, PostCard, ends, moved_from, place_text, post_card, prices, starts
from connectors.website.labels import ENGLISH, FRENCH
from connectors.website.page import ASSETS
from connectors.website.pictures import stills
from connectors.website.scene import Made, Scene, Wanted, stale
from connectors.website.selection import first_day, last_day, wall_clock
from connectors.website.standing import mark
from syndicator.model import Event, Post
from syndicator.text import naming
from syndicator.text.dates import describe_instant, describe_when

VERSION = 1
"""Raised only when a ``widget.js`` of the version before would misunderstand; new fields may come at any time."""
EVENTS_MAX = 200
"""The soonest of the events to come."""
EACH_MAX = 5
"""Beyond those, the soonest of each tag and of each source: a widget that shows one of them must not stay empty."""
ALL_MAX = 400
PAST_MAX = 60
TEXT_MAX = 180
NOSCRIPT_MAX = 10
LABELS = (FRENCH, ENGLISH)
"""The languages the widget has words in."""
SMALL_HOURS = time(6)
"""Until then the end belongs to the evening before, as it does in ``text.dates``."""


def widget(scene: Scene) -> Made:
    """Each file anew when something that it shows differs."""
    if not scene.options.widget:
        return Made()
    events, selection = _chosen(scene), scene.selection
    wanted: dict[str, Wanted] = {
        "widget.json": (
            mark([scene.marks_of(items) for items in (events, selection.posts, selection.videos)]),
            lambda: json.dumps(document(scene, events), ensure_ascii=False, separators=(",", ":")).encode() + b"\n",
        ),
        "embed.html": (mark(scene.marks_of(selection.upcoming[:NOSCRIPT_MAX])), lambda: _frame(scene)),
    }
    return stale(scene, wanted, files={name: (ASSETS / name).read_bytes() for name in ("widget.js", "embed.js")})


def document(scene: Scene, events: Sequence[Event]) -> dict[str, Any]:
    """The whole of ``widget.json``. Paths are below our folder; what the origin did not say has no key."""
    selection, site, accent = scene.selection, scene.site, scene.accent
    shown: list[Event | Post] = [*events, *selection.posts, *selection.videos]
    sources = sorted({name for item in shown for name in _sources(scene, item)})
    return {
        "version": VERSION,
        "generator": "syndicator",
        "title": site.title,
        "language": site.labels.language,
        "timezone": scene.association.timezone,
        "accent": [colour.legible(accent, colour.PAPER), colour.legible(accent, colour.NIGHT)],
        "calendar": site.calendar,
        "sources": {name: clean.plain(scene.view.sources.get(name, "")) for name in sources},
        "events": [_known(event, scene) for event in events],
        "posts": [_post(post, scene) for post in selection.posts],
        "videos": [_post(post, scene) for post in selection.videos],
    }


def _chosen(scene: Scene) -> list[Event]:
    """By start: the soonest, the first of each tag and source beyond those, what goes on, and the last of the past."""
    selection = scene.selection
    soonest, later = selection.upcoming[:EVENTS_MAX], selection.upcoming[EVENTS_MAX:]
    seen = Counter(group for event in soonest for group in _groups(scene, event))
    chosen, enough = [*soonest], set[object]()
    for event in later:
        # Of thousands, most have tags and sources like those before them.
        alike = (event.tags, event.source, event.uid in scene.view.shown_by and event.uid)
        if alike in enough:
            continue
        groups = _groups(scene, event)
        if min(map(seen.__getitem__, groups)) >= EACH_MAX:
            enough.add(alike)
            continue
        chosen.append(event)
        seen.update(groups)
        if len(chosen) == ALL_MAX:
            break
    chosen += [*selection.ongoing[:PAST_MAX], *selection.past[:PAST_MAX]]
    return sorted(chosen, key=lambda event: (event.starts_at, event.uid))


def _groups(scene: Scene, event: Event) -> tuple[str, ...]:
    """Its tags, and its sources with a sign that no tag ends in."""
    return (*event.tags, *[f"{name}\n" for name in _sources(scene, event)])


def _sources(scene: Scene, item: Event | Post) -> tuple[str, ...]:
    return tuple(scene.view.shown_by.get(item.uid, (item.source,)))


def _known(event: Event, scene: Scene) -> dict[str, Any]:
    return scene.memo.of("widget", event.uid, scene.marks.get(event.uid), lambda: _event(event, scene))


def _event(event: Event, scene: Scene) -> dict[str, Any]:
    last, before = _last_evening(event), moved_from(event, scene.view.previous.get(event.uid))
    return _said(
        {
            "title": clean.printed(event.title),
            "url": clean.link(event.url),
            "page": scene.leaves.get(event.uid),
            "ics": _calendar_file(event, scene),
            "start": starts(event),
            "end": ends(event),
            "last": last.isoformat() if last > first_day(event) else None,
            "timezone": event.timezone,
            "when": _when(event, scene),
            "was": _when(before, scene) if before is not None else None,
            "status": event.status if event.status != "confirmed" else None,
            "full": event.full,
            "online": event.online_url is not None,
            "long": event.is_long,
            "place": place_text(event.place) if event.place is not None else None,
            "organizer": clean.plain(event.organizer.name) if event.organizer else None,
            "price": {labels.language: prices(event, labels) for labels in LABELS} if event.offers else None,
            "text": clean.lead(clean.body(event.html, event.url), TEXT_MAX),
            **_common(event, scene),
        }
    )


def _calendar_file(event: Event, scene: Scene) -> str | None:
    """Its own file beside the calendar, where the calendar makes them."""
    calendar = scene.site.calendar
    if not scene.options.event_ics or not calendar:
        return None
    return f"{calendar.removesuffix('.ics')}/{naming.handle(event.uid)}.ics"


def _last_evening(event: Event) -> date:
    """The last day a calendar shows it on: what ends in the small hours ends the evening before."""
    last = last_day(event)
    if event.ends_at is None or event.end_is_date or event.is_long:
        return last
    first, end = first_day(event), event.ends_at.astimezone(wall_clock(event)).time()
    midnight, one_night = end == time(), last - first == timedelta(days=1) and end <= SMALL_HOURS
    return last - timedelta(days=1) if last > first and (midnight or one_night) else last


def _when(event: Event, scene: Scene) -> dict[str, str]:
    """The date in words, in each language the widget speaks."""
    home = scene.association.timezone
    return {labels.language: describe_when(event, labels.language, home_timezone=home) for labels in LABELS}


def _post(post: Post, scene: Scene) -> dict[str, Any]:
    card = post_card(post, scene.view, scene.association, scene.site.labels, scene.pictures)
    planned = post.live == "scheduled" and post.starts_at is not None
    return _said(
        {
            "title": card.title,
            "name": card.name,
            "url": card.url,
            "kind": post.kind,
            "published": card.published,
            "live": post.live if post.live in ("live", "scheduled") else None,
            "when": {one.language: describe_instant(post.starts_at, scene.association.timezone, one.language) for one in LABELS}
            if planned and post.starts_at is not None
            else None,
            "author": clean.plain(post.author.name) if post.author else None,
            "warning": card.warning,
            "text": "" if card.warning else _beginning(card),
            "duration": card.duration,
            **_common(post, scene),
        }
    )


def _beginning(card: PostCard) -> str:
    return card.prose.excerpt or clean.excerpt(clean.text_of(str(card.prose.whole)), INLINE_MAX)


def _common(item: Event | Post, scene: Scene) -> dict[str, Any]:
    """What events and posts share."""
    found = next(((still, scene.pictures[still.url]) for still in stills(item) if still.url in scene.pictures), None)
    image: dict[str, Any] | None = None
    if found is not None:
        still, picture = found
        image = {"file": picture.file, "width": picture.width, "height": picture.height, "alt": clean.plain(still.description)}
        image["set"] = [[one.file, one.width] for one in picture.variants if one.width]
    return {
        "tags": [tag for tag in dict.fromkeys(map(clean.plain, item.tags)) if tag],
        "sources": [name for name in _sources(scene, item) if name],
        "image": image,
        "language": item.language,
    }


def _said(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value not in (None, "", False, [], {})}


def _frame(scene: Scene) -> bytes:
    """``embed.html``: the widget alone in a page, its filters in the address; without JavaScript, the next dates."""
    labels, site = scene.site.labels, scene.site
    lines = [_line(event, scene) for event in scene.selection.upcoming[:NOSCRIPT_MAX]]
    listed = f"<ul>\n{''.join(lines)}</ul>\n" if lines else f"<p>{escape(labels.none_upcoming)}</p>\n"
    return f"""<!DOCTYPE html>
<html lang="{labels.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="syndicator">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>{escape(site.title)}</title>
<base target="_top">
<link rel="icon" href="icon.svg">
<script type="module" src="embed.js"></script>
</head>
<body>
<main>
<h1>{escape(site.title)}</h1>
<fediverse-agenda heading-level="2">
{listed}<p><a href="./">{escape(labels.agenda)}</a></p>
</fediverse-agenda>
</main>
</body>
</html>
""".encode()


def _line(event: Event, scene: Scene) -> str:
    labels = scene.site.labels
    state = f" ({escape(labels.cancelled)})" if event.status == "cancelled" else ""
    when = escape(describe_when(event, labels.language, home_timezone=scene.association.timezone))
    title, url = escape(clean.printed(event.title)), clean.link(event.url)
    name = f'<a href="{escape(url)}">{title}</a>' if url else title
    return f"<li>{name}{state}{labels.colon}{when}</li>\n"

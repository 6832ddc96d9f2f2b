"""Pure: a view → the data of the site, and what the page of each event says above its text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from connectors.website import clean
from connectors.website.cards import Image, event_card, post_card
from connectors.website.page import Site
from connectors.website.pictures import Picture, Variant
from connectors.website.records import record
from connectors.website.selection import LONG_AGO, Selection, published_at
from connectors.website.static.generators import GENERATORS, Generator
from connectors.website.static.inert import inert
from connectors.website.static.markdown import markdown
from connectors.website.static.options import Options, Section
from syndicator.contract import Association, View
from syndicator.model import Event, Post
from syndicator.text.tags import folded

VERSION = 1
"""Raised only when a template written for the version before would misunderstand; new fields may come at any time."""
MARK = "syndicator"
DESCRIPTION_MAX = 160
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_NOT_IN_PATHS = re.compile(r"[/\\.#?%:*\"<>|{}\[\]]+")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One projection, under way."""

    view: View
    selection: Selection
    site: Site
    association: Association
    options: Options
    pictures: Mapping[str, Picture]
    """Origin URL → our copy; its file is a path below the folder of copied pictures."""
    names: Mapping[str, str]
    """uid → what the event's page is called."""
    told: dict[str, str]
    """uid → its record in the data, where that was made before; what is made now is added."""
    public_url: str | None
    """Where our own public files are served: the widget and the calendars."""

    @property
    def generator(self) -> Generator:
        """What builds the site."""
        return GENERATORS[self.options.generator]

    @property
    def media_url(self) -> str:
        """Where copied pictures are found, from the root of the built site."""
        return "/" + self.options.directory("media").removeprefix(self.generator.served_from).strip("/")


def document(scene: Scene) -> bytes:
    """``agenda.json``: the same events as ``events.json`` of the website, the sections asked for, posts and videos."""
    selection = scene.selection
    coming = sorted((*selection.upcoming, *selection.ongoing), key=lambda event: (event.starts_at, event.uid))
    told = {event.uid: _told(event, scene) for event in (*coming, *selection.past)}
    head = {
        "version": VERSION,
        "generator": MARK,
        "title": scene.site.title,
        "language": scene.site.labels.language,
        "timezone": scene.association.timezone,
        "public_url": scene.public_url,
        "calendar": scene.site.calendar,
    }
    sections = {section.name: _list([told[event.uid] for event in _listed(section, coming)]) for section in scene.options.sections}
    lists = {
        "upcoming": _list([told[event.uid] for event in coming]),
        "past": _list([told[event.uid] for event in selection.past]),
        "sections": "{" + ",".join(f'\n  "{name}": {records}' for name, records in sections.items()) + "\n }",
        "posts": _list([_piece(post_record(post, scene), scene) for post in selection.posts]),
        "videos": _list([_piece(post_record(post, scene), scene) for post in selection.videos]),
    }
    parts = [_encoded(head, scene)[:-2], *(f' "{name}": {value}' for name, value in lists.items())]
    return (",\n".join(parts) + "\n}\n").encode()


def _listed(section: Section, coming: Sequence[Event]) -> Iterator[Event]:
    return islice((event for event in coming if belongs(event, section)), section.limit)


def _told(event: Event, scene: Scene) -> str:
    """Its record as it stands in the data; of an event that did not change, as it was made before."""
    if event.uid not in scene.told:
        scene.told[event.uid] = _piece(event_record(event, scene), scene)
    return scene.told[event.uid]


def _piece(record: dict[str, Any], scene: Scene) -> str:
    # No text holds a line break: those of the encoding alone are indented.
    return "  " + _encoded(record, scene).replace("\n", "\n  ")


def _list(pieces: Sequence[str]) -> str:
    return "[\n" + ",\n".join(pieces) + "\n ]" if pieces else "[]"


def _encoded(value: dict[str, Any], scene: Scene) -> str:
    return _yaml_too(json.dumps(_for_templates(value, scene), ensure_ascii=False, indent=1))


def belongs(event: Event, section: Section) -> bool:
    """Whether an event stands in a section, as long as it is to come."""
    if not section.tags and not section.organizers:
        return True
    wanted = {folded(tag) for tag in section.tags}
    organizer = folded(event.organizer.name) if event.organizer else ""
    return bool(wanted & {folded(tag) for tag in event.tags}) or organizer in {folded(name) for name in section.organizers}


def event_record(event: Event, scene: Scene) -> dict[str, Any]:
    """One event, as ``events.json`` has it, and what a template needs beside it."""
    previous = scene.view.previous.get(event.uid)
    found = record(event, scene.view, scene.site, scene.association, scene.pictures, previous=previous)
    # What the website says of its own copies and pages is not true of this site's.
    del found["page"]
    card = event_card(event, scene.association, scene.site.labels, scene.pictures, previous=previous)
    return found | {
        "image": _image(card.image, scene) if card.image else None,
        "slug": scene.names[event.uid],
        "sections": [section.name for section in scene.options.sections if belongs(event, section)],
        "tag_keys": [key for key in map(folded, event.tags) if key],
        "states": [badge.text for badge in card.badges],
        "prices": card.prices,
    }


def post_record(post: Post, scene: Scene) -> dict[str, Any]:
    """One post or video; what it warns of is not told with it."""
    card = post_card(post, scene.view, scene.association, scene.site.labels, scene.pictures)
    html = "" if card.warning else str(card.prose.whole)
    return {
        "uid": post.uid,
        "url": card.url,
        "kind": post.kind,
        "title": card.title,
        "name": card.name,
        "warning": card.warning,
        "html": html,
        "excerpt": card.warning or card.prose.excerpt or clean.text_of(html),
        "published": card.published,
        "published_text": card.published_text,
        "author": clean.plain(post.author.name) if post.author else "",
        "source": post.source,
        "source_title": card.source,
        "states": [badge.text for badge in card.badges],
        "duration": card.duration,
        "images": [_image(image, scene) for image in card.images],
        "tags": list(card.tags),
        "tag_keys": [key for key in map(folded, card.tags) if key],
        "language": post.language,
    }


def page(event: Event, scene: Scene) -> bytes:
    """The Markdown page of an event: what templates need above, its description below."""
    told = event_record(event, scene)
    text = markdown(told.pop("description_html"))
    summary = clean.excerpt(told.pop("description_text"), DESCRIPTION_MAX) or ", ".join(
        part for part in (told["when"], told["place"]["text"] if told["place"] else "") if part
    )
    matter = {
        "title": told["title"],
        "description": summary,
        **_own_keys(event, told, scene),
        "event": told,
        "made_by": MARK,
    }
    lines = [f"{key}: {_yaml_too(json.dumps(value, ensure_ascii=False))}" for key, value in _for_templates(matter, scene).items()]
    return "\n".join(["---", *lines, "---", "", text]).encode()


def _own_keys(event: Event, told: Mapping[str, Any], scene: Scene) -> dict[str, Any]:
    """What the generator itself understands. Never the event's day as the page's: generators hide what is dated in the future."""
    updated = scene.view.changed_at.get(event.uid, LONG_AGO)
    tags = list(dict.fromkeys(tag for tag in (" ".join(_NOT_IN_PATHS.sub(" ", tag).split()) for tag in told["tags"]) if tag))
    image = told["image"]
    if scene.options.generator == "jekyll":
        # https://jekyllrb.com/docs/front-matter/; image and last_modified_at are what jekyll-seo-tag and jekyll-sitemap read.
        shown = {"image": {"path": image["url"], "alt": image["alt"]}} if image else {}
        return {"tags": tags, "last_modified_at": updated.isoformat(timespec="seconds"), **shown, "render_with_liquid": False}
    if scene.options.generator == "hugo":
        # https://gohugo.io/content-management/front-matter/
        published = min(published_at(event, scene.view), updated)
        shown_here = {"images": [image["url"]]} if image else {}
        return {
            "date": published.isoformat(timespec="seconds"),
            "lastmod": updated.isoformat(timespec="seconds"),
            "tags": tags,
            **shown_here,
        }
    # https://www.11ty.dev/docs/languages/#override-the-template-language: else Liquid would read the text first.
    return {"templateEngineOverride": "md"}


def _image(image: Image, scene: Scene) -> dict[str, Any]:
    def copy(one: Image | Variant) -> dict[str, Any]:
        return {"url": f"{scene.media_url}/{one.file}", "width": one.width, "height": one.height}

    return {**copy(image), "alt": image.alt, "variants": [copy(one) for one in image.variants]}


def _for_templates(value: dict[str, Any], scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = value if scene.generator.escapes else inert(value)
    return found


def _yaml_too(text: str) -> str:
    """JSON that YAML 1.1 reads alike: Jekyll reads data files and front matter with libyaml."""
    return _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)

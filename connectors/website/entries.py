"""Pure: items → entries, as both feeds tell them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from uuid import NAMESPACE_URL, uuid5

from connectors.website import clean
from connectors.website.cards import ends, place_text, starts
from connectors.website.labels import Labels
from connectors.website.page import Site
from connectors.website.pictures import Picture, stills
from connectors.website.selection import LONG_AGO, published_at
from syndicator.contract import Association, View
from syndicator.model import Event, Item, Place, Post
from syndicator.text.dates import describe_when

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
TITLE_MAX = 80


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One item in a feed."""

    id: str
    """The uid where it is an IRI, else one made of it."""
    uid: str
    title: str
    url: str | None
    html: str
    image: str | None
    """The absolute address of our copy."""
    published_at: datetime
    updated_at: datetime
    author: str
    language: str | None
    tags: tuple[str, ...]
    starts: str | None = None
    """Events only, as in ``events.json``."""
    ends: str | None = None
    status: str | None = None
    place: str | None = None


def entry_of(item: Item, view: View, site: Site, association: Association, pictures: Mapping[str, Picture]) -> Entry:
    """The entry of ``item``."""
    actor = item.organizer if isinstance(item, Event) else item.author
    image = next((pictures[still.url].file for still in stills(item) if still.url in pictures), None)
    return Entry(
        id=iri(item.uid),
        uid=item.uid,
        title=_event_title(item, site.labels) if isinstance(item, Event) else _post_title(item, site.labels),
        url=clean.link(item.url),
        html=_event_html(item, site.labels, association) if isinstance(item, Event) else _post_html(item, site.labels),
        image=site.page_url + image if site.page_url and image else None,
        published_at=published_at(item, view),
        updated_at=view.changed_at.get(item.uid, LONG_AGO),
        author=clean.plain(actor.name) if actor else "",
        language=item.language,
        tags=tuple(tag for tag in map(clean.plain, item.tags) if tag),
        **_facts(item),
    )


def iri(uid: str) -> str:
    """A uid as an absolute IRI (RFC 4287, 4.2.6): itself, or a UUID that is always the same for it."""
    return uid if _IRI.fullmatch(uid) else uuid5(NAMESPACE_URL, uid.encode("utf-8", "replace").decode()).urn


def _facts(item: Item) -> dict[str, str | None]:
    if not isinstance(item, Event):
        return {}
    return {"starts": starts(item), "ends": ends(item), "status": item.status, "place": place_text(item.place or Place())}


def _event_title(event: Event, labels: Labels) -> str:
    prefix = labels.cancelled_prefix if event.status == "cancelled" else ""
    return prefix + clean.plain(event.title)


def _event_html(event: Event, labels: Labels, association: Association) -> str:
    lines = [(labels.when, describe_when(event, labels.language, home_timezone=association.timezone))]
    if place := place_text(event.place or Place()):
        lines.append((labels.where, place))
    if event.status == "cancelled":
        lines.insert(0, (labels.cancelled, ""))
    facts = "<br>".join(f"<strong>{name}{labels.colon if text else ''}</strong>{escape(text)}" for name, text in lines)
    return f"<p>{facts}</p>{clean.body(event.html, event.url)}"


def _post_title(post: Post, labels: Labels) -> str:
    warning = clean.plain(post.content_warning) or (labels.sensitive if post.sensitive else "")
    text = clean.text_of(clean.body(post.html, post.url, quoted=_quotes(post)))
    return clean.plain(post.title) or clean.excerpt(warning or text, TITLE_MAX) or labels.post_without_text


def _post_html(post: Post, labels: Labels) -> str:
    if post.content_warning:
        return f"<p>{escape(clean.plain(post.content_warning))}</p>"
    html = (
        clean.body(post.html, post.url, quoted=_quotes(post)) or f"<p>{escape(clean.plain(post.summary) or labels.post_without_text)}</p>"
    )
    link = clean.link(post.quote.url) if post.quote and post.quote.accepted else None
    return html + (f'<p>{labels.quoting} <a href="{escape(link)}">{escape(link)}</a></p>' if link else "")


def _quotes(post: Post) -> bool:
    return post.quote is not None and post.quote.accepted

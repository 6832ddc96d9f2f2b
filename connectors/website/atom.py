"""``feed.atom``: posts and events for feed readers (RFC 4287)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from types import MappingProxyType
from uuid import NAMESPACE_URL, uuid5

from connectors.website.entries import Entry
from connectors.website.page import Site
from connectors.website.selection import LONG_AGO

NONE: Mapping[str, str] = MappingProxyType({})


def feed(entries: Sequence[Entry], site: Site, feed_id: str) -> bytes:
    """The whole file. ``feed_id`` stays the same for ever, whatever address the feed moves to."""
    head = [
        _leaf("id", uuid5(NAMESPACE_URL, feed_id).urn),
        _leaf("title", site.title),
        *([_leaf("subtitle", site.description)] if site.description else []),
        _leaf("updated", _instant(max((entry.updated_at for entry in entries), default=LONG_AGO))),
        _leaf("generator", "syndicator"),
        _person(site.association, site.home_url),
    ]
    if site.page_url:
        head.append(_leaf("link", "", {"rel": "self", "type": "application/atom+xml", "href": site.page_url + "feed.atom"}))
        head.append(_leaf("link", "", {"rel": "alternate", "type": "text/html", "href": site.page_url}))
    attributes = {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": site.labels.language}
    root = _branch("feed", [*head, *map(_entry, entries)], attributes)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{root}\n'.encode()


def _entry(entry: Entry) -> str:
    parts = [
        _leaf("id", entry.id),
        _leaf("title", entry.title),
        _leaf("published", _instant(entry.published_at)),
        _leaf("updated", _instant(max(entry.updated_at, LONG_AGO))),
    ]
    if entry.url:
        parts.append(_leaf("link", "", {"rel": "alternate", "href": entry.url}))
    if entry.author:
        parts.append(_person(entry.author, None))
    parts += [_leaf("category", "", {"term": tag}) for tag in entry.tags]
    picture = f'<p><img src="{escape(entry.image)}" alt=""></p>' if entry.image else ""
    parts.append(_leaf("content", picture + entry.html, {"type": "html"}))
    return _branch("entry", parts, {"xml:lang": entry.language} if entry.language else {})


def _person(name: str, url: str | None) -> str:
    return _branch("author", [_leaf("name", name), *([_leaf("uri", url)] if url else [])])


def _branch(name: str, children: Sequence[str], attributes: Mapping[str, str] = NONE) -> str:
    return "\n".join((f"<{name}{_said(attributes)}>", *children, f"</{name}>"))


def _leaf(name: str, text: str, attributes: Mapping[str, str] = NONE) -> str:
    said = _said(attributes)
    return f"<{name}{said}>{escape(text, quote=False)}</{name}>" if text else f"<{name}{said} />"


def _said(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

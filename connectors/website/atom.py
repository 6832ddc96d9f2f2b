"""``feed.atom``: posts and events for feed readers (RFC 4287)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from connectors.website.entries import Entry
from connectors.website.page import Site
from connectors.website.selection import LONG_AGO


def feed(entries: Sequence[Entry], site: Site, feed_id: str) -> bytes:
    """The whole file. ``feed_id`` stays the same for ever, whatever address the feed moves to."""
    root = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": site.labels.language})
    _text(root, "id", uuid5(NAMESPACE_URL, feed_id).urn)
    _text(root, "title", site.title)
    if site.description:
        _text(root, "subtitle", site.description)
    _text(root, "updated", _instant(max((entry.updated_at for entry in entries), default=LONG_AGO)))
    _text(root, "generator", "syndicator")
    _person(root, site.association, site.home_url)
    if site.page_url:
        SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": site.page_url + "feed.atom"})
        SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": site.page_url})
    for entry in entries:
        _entry(root, entry)
    indent(root, "")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'.encode()


def _entry(root: Element, entry: Entry) -> None:
    element = SubElement(root, "entry", {"xml:lang": entry.language} if entry.language else {})
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    _text(element, "published", _instant(entry.published_at))
    _text(element, "updated", _instant(max(entry.updated_at, LONG_AGO)))
    if entry.url:
        SubElement(element, "link", {"rel": "alternate", "href": entry.url})
    if entry.author:
        _person(element, entry.author, None)
    for tag in entry.tags:
        SubElement(element, "category", {"term": tag})
    picture = f'<p><img src="{escape(entry.image)}" alt=""></p>' if entry.image else ""
    _text(element, "content", picture + entry.html).set("type", "html")


def _person(parent: Element, name: str, url: str | None) -> None:
    author = SubElement(parent, "author")
    _text(author, "name", name)
    if url:
        _text(author, "uri", url)


def _text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    element.text = text
    return element


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

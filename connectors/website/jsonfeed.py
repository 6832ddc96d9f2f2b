"""``feed.json``: the same as the Atom feed, as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.website.entries import Entry
from connectors.website.page import Site


def feed(entries: Sequence[Entry], site: Site) -> dict[str, Any]:
    """The whole file; ``_syndicator`` is our extension, with the dates of events as in ``events.json``."""
    author = {"name": site.association} | ({"url": site.home_url} if site.home_url else {})
    optional = {
        "home_page_url": site.page_url,
        "feed_url": site.page_url + "feed.json" if site.page_url else None,
        "description": site.description or None,
    }
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.title,
        **{name: value for name, value in optional.items() if value},
        "language": site.labels.language,
        "authors": [author],
        "_syndicator": {"about": "https://www.jsonfeed.org/version/1.1/#extensions", "version": 1},
        "items": [_item(entry) for entry in entries],
    }


def _item(entry: Entry) -> dict[str, Any]:
    optional = {
        "url": entry.url,
        "image": entry.image,
        "authors": [{"name": entry.author}] if entry.author else None,
        "language": entry.language,
        "tags": list(entry.tags) or None,
        "_syndicator": _event(entry),
    }
    return {
        "id": entry.uid,
        "title": entry.title,
        "content_html": entry.html,
        "date_published": _instant(entry.published_at),
        "date_modified": _instant(entry.updated_at),
        **{name: value for name, value in optional.items() if value},
    }


def _event(entry: Entry) -> dict[str, Any] | None:
    if entry.starts is None:
        return None
    return {"start": entry.starts, "end": entry.ends, "status": entry.status, "place": entry.place}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

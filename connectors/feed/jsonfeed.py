"""JSON Feed 1 and 1.1 → the same plain data as the XML parser gives. Pure. https://www.jsonfeed.org/version/1.1/"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html import escape
from typing import Any

ITEMS_MAX = 500
CONTENT_MAX_CHARS = 200_000


def parsed_json(body: bytes) -> dict[str, Any] | None:
    """The feed as plain data; None when it is no JSON Feed."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict) or "jsonfeed.org/version/" not in str(raw.get("version")) or not isinstance(raw.get("items"), list):
        return None
    return {
        "version": "json",
        "title": _text(raw, "title"),
        "link": _text(raw, "home_page_url"),
        "language": _text(raw, "language"),
        "author": _author(raw),
        "generator": "",
        "entries": [_entry(item) for item in raw["items"][:ITEMS_MAX] if isinstance(item, dict)],
    }


def _entry(raw: dict[str, Any]) -> dict[str, Any]:
    text = _text(raw, "content_text")[:CONTENT_MAX_CHARS]
    return {
        # "id" may be a number, "coerced to a string" by the specification.
        "id": _text(raw, "id"),
        "link": _text(raw, "url") or _text(raw, "external_url"),
        "title": _text(raw, "title"),
        "title_is_html": False,
        "content": _text(raw, "content_html")[:CONTENT_MAX_CHARS]
        or ("<p>" + "<br>".join(escape(text, quote=False).split("\n")) + "</p>" if text else ""),
        "base": "",
        "summary": _text(raw, "summary"),
        "summary_is_html": False,
        "published_at": _instant(raw, "date_published"),
        "updated_at": _instant(raw, "date_modified"),
        "author": _author(raw),
        "tags": [tag for tag in _list(raw, "tags") if isinstance(tag, str)],
        "language": _text(raw, "language"),
        "media": list(_media(raw)),
        "sensitive": False,
    }


def _media(raw: dict[str, Any]) -> list[dict[str, Any]]:
    media: list[dict[str, Any]] = []
    if _text(raw, "image"):
        media.append({"url": _text(raw, "image"), "medium": "image"})
    for one in _list(raw, "attachments"):
        if isinstance(one, dict):
            url, size, duration = _text(one, "url"), one.get("size_in_bytes"), one.get("duration_in_seconds")
            media.append({"url": url, "type": _text(one, "mime_type"), "size": size, "duration": duration})
    return media


def _author(raw: dict[str, Any]) -> dict[str, str] | None:
    """``authors`` since 1.1, ``author`` in 1."""
    for one in (*_list(raw, "authors"), raw.get("author")):
        if isinstance(one, dict) and _text(one, "name"):
            return {"name": _text(one, "name"), "url": _text(one, "url")}
    return None


def _text(raw: dict[str, Any], name: str) -> str:
    value = raw.get(name)
    return "" if value is None or isinstance(value, dict | list | bool) else str(value)


def _list(raw: dict[str, Any], name: str) -> list[Any]:
    value = raw.get(name)
    return value if isinstance(value, list) else []


def _instant(raw: dict[str, Any], name: str) -> str | None:
    """RFC 3339; without a zone it means nothing certain and is left out."""
    try:
        at = datetime.fromisoformat(_text(raw, name))
        return at.astimezone(UTC).isoformat() if at.tzinfo else None
    except (ValueError, OverflowError):
        return None

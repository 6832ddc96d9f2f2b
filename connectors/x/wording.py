"""Texts as X takes them, and as it gives them back."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping
from typing import Any

from connectors.x.limits import LIMITS, TEXT_MAX
from syndicator.text.count import length
from syndicator.text.links import addresses, cashtags

ZERO_WIDTH_SPACE = "\u200b"


def posted(text: str) -> str:
    """``text`` as it is sent: X refuses a second cashtag, so that only the first stays one; amounts are none."""
    text = unicodedata.normalize("NFC", text)
    broken = _without_cashtags(text, f"${ZERO_WIDTH_SPACE}")
    return broken if length(broken, LIMITS) <= max(TEXT_MAX, length(text, LIMITS)) else _without_cashtags(text, "")


def _without_cashtags(text: str, sign: str) -> str:
    """All but the first with ``sign`` instead of theirs."""
    for entity in reversed(cashtags(text)[1:]):
        text = text[: entity.start] + sign + text[entity.start + 1 :]
    return text


def same_text(post: Mapping[str, Any], text: str) -> bool:
    """Whether ``post``, as the API shows it, says what ``text`` does."""
    return _bare(_expanded(post)) == _bare(posted(text))


def media_count(post: Mapping[str, Any]) -> int:
    """How many pictures or videos hang on it."""
    attachments = post.get("attachments")
    keys = attachments.get("media_keys") if isinstance(attachments, Mapping) else None
    return len(keys) if isinstance(keys, list) else 0


def _expanded(post: Mapping[str, Any]) -> str:
    """Its text without t.co: addresses as they were written, none for what is attached; and without the escapes of HTML."""
    text = str(post.get("text", ""))
    entities = post.get("entities")
    for url in (entities.get("urls") or []) if isinstance(entities, Mapping) else []:
        attached = "media_key" in url or str(url.get("display_url", "")).startswith(("pic.x.com/", "pic.twitter.com/"))
        text = text.replace(str(url.get("url")), "" if attached else str(url.get("expanded_url", "")))
    return html.unescape(text)


def _bare(text: str) -> str:
    """For comparing: blanks alike, addresses without what X may add or leave out."""
    text = unicodedata.normalize("NFC", text)
    for entity in reversed(addresses(text)):
        address = entity.value.partition("://")[2] or entity.value
        text = text[: entity.start] + address.rstrip("/").lower() + text[entity.end :]
    return " ".join(text.split())

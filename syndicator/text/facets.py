"""Where links and hashtags stand in a text, in UTF-8 bytes: what Bluesky's rich text wants (app.bsky.richtext.facet)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from syndicator.text.count import graphemes
from syndicator.text.links import entities

TAG_GRAPHEMES_MAX = 64


@dataclass(frozen=True, kw_only=True)
class Facet:
    """A stretch of bytes that is a link (``value``: its address) or a hashtag (``value``: without the #)."""

    start: int
    end: int
    kind: Literal["link", "tag"]
    value: str


def facets(text: str) -> tuple[Facet, ...]:
    """Every link and hashtag of ``text``, in order, without overlaps; an address that is none gets no facet."""
    found: list[Facet] = []
    position = offset = 0
    for entity in entities(text):
        offset += len(text[position : entity.start].encode())
        size = len(text[entity.start : entity.end].encode())
        position = entity.end
        made = _facet(entity.kind, entity.value, offset, offset + size)
        found += [made] if made is not None else []
        offset += size
    return tuple(found)


def _facet(kind: str, value: str, start: int, end: int) -> Facet | None:
    if kind == "hashtag":
        return Facet(start=start, end=end, kind="tag", value=value) if len(graphemes(value)) <= TAG_GRAPHEMES_MAX else None
    # A bare domain is no link: "README.md" and "M.Dupont" look like one too.
    if kind not in {"url", "address"} or not _is_address(value):
        return None
    return Facet(start=start, end=end, kind="link", value=value)


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False

"""Where links and hashtags stand in a text, in UTF-8 bytes: what Bluesky's rich text wants (app.bsky.richtext.facet)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from syndicator.model import Span
from syndicator.text.count import graphemes
from syndicator.text.links import Stretches, entities

TAG_GRAPHEMES_MAX = 64


@dataclass(frozen=True, kw_only=True)
class Facet:
    """A stretch of bytes that is a link (``value``: its address) or a hashtag (``value``: without the #)."""

    start: int
    end: int
    kind: Literal["link", "tag"]
    value: str


def facets(text: str, spans: Sequence[Span] = ()) -> tuple[Facet, ...]:
    """Every link and hashtag of ``text``, in order, without overlaps; an address that is none gets no facet.

    ``spans`` are words that lead somewhere (``Rendition.spans``); where one touches an address or a hashtag, the span wins.
    """
    found: list[Facet] = []
    position = offset = 0
    for start, end, kind, value in _stretches(text, spans):
        offset += len(text[position:start].encode())
        size = len(text[start:end].encode())
        position = end
        made = _facet(kind, value, offset, offset + size)
        found += [made] if made is not None else []
        offset += size
    return tuple(found)


def _stretches(text: str, spans: Sequence[Span]) -> list[tuple[int, int, str, str]]:
    """From, up to, kind and value of what may become a facet, in order, without overlaps."""
    chosen: list[tuple[int, int, str, str]] = []
    for span in sorted(spans, key=lambda span: span.start):
        if 0 <= span.start < span.end <= len(text) and (not chosen or span.start >= chosen[-1][1]) and _is_address(span.url):
            chosen.append((span.start, span.end, "url", span.url))
    taken = Stretches([Span(start=start, end=end, url=value) for start, end, _, value in chosen])
    seen = [(one.start, one.end, one.kind, one.value) for one in entities(text) if not taken.overlap(one.start, one.end)]
    return sorted([*chosen, *seen])


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

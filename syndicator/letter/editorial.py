"""The words of a person at the head of an issue, without the tag that made a post of theirs the editorial."""

from __future__ import annotations

import re
from html import escape, unescape

from syndicator.plan.refusals import fold
from syndicator.text.html import HTML_MAX, from_text
from syndicator.text.links import addresses

_ANCHOR = re.compile(r"(?<!\s)\s*<a\b[^<>]*>(?P<said>[^<>]*(?:</?span\b[^<>]*>[^<>]*)*)</a>", re.IGNORECASE)
"""A link around a few words, as every one of the free networks writes a hashtag."""
_MARKUP = re.compile(r"<[^<>]*>")
_SAID = re.compile(r"(?P<markup><[^<>]*>)|(?<!\s)\s*(?<![\w/&#])#(?P<tag>\w+)")
_ADDRESS = re.compile(r"https?://[^\s<]+", re.IGNORECASE)
_EMPTY = re.compile(r"<p>(?:\s|<br ?/?>)*</p>", re.IGNORECASE)


def without_tag(html: str, tag: str) -> str:
    """``html`` without the hashtag, linked or not, whatever its case and accents; a paragraph that held nothing else goes too."""
    wanted = fold(tag)

    def linked(found: re.Match[str]) -> str:
        said = _MARKUP.sub("", found["said"]).strip()
        return "" if said.startswith("#") and fold(said[1:]) == wanted else found[0]

    def plain(found: re.Match[str]) -> str:
        return "" if found["tag"] is not None and fold(found["tag"]) == wanted else found[0]

    return _EMPTY.sub("", _SAID.sub(plain, _ANCHOR.sub(linked, html[:HTML_MAX])))


def typed(text: str) -> str:
    """What a person typed as plain text, as HTML: paragraphs, and addresses that can be followed."""
    return _ADDRESS.sub(_linked, from_text(text))


def _linked(found: re.Match[str]) -> str:
    said = unescape(found[0])
    end = next((entity.end for entity in addresses(said, bare=False) if entity.start == 0), 0)
    if not end:
        return found[0]
    address = escape(said[:end])
    return f'<a href="{address}">{address}</a>{escape(said[end:], quote=False)}'

"""The words of a person at the head of an issue, without the tag that made a post of theirs the editorial."""

from __future__ import annotations

import re

from syndicator.plan.refusals import fold
from syndicator.text.html import HTML_MAX

_ANCHOR = re.compile(r"(?<!\s)\s*<a\b[^<>]*>(?P<said>[^<>]*(?:</?span\b[^<>]*>[^<>]*)*)</a>", re.IGNORECASE)
"""A link around a few words, as every one of the free networks writes a hashtag."""
_MARKUP = re.compile(r"<[^<>]*>")
_SAID = re.compile(r"(?P<markup><[^<>]*>)|(?<!\s)\s*(?<![\w/&#])#(?P<tag>\w+)")
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

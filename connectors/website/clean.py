"""Pure: what strangers wrote → what may stand in a page. Every text and address of an item goes through here once."""

from __future__ import annotations

import functools
import html as entities
import re
from urllib.parse import urljoin

import nh3

from syndicator.text.clean import clean
from syndicator.text.urls import web_url

HTML_MAX = 64_000
"""Characters. The parser is quadratic in depth: 64 kB of nested elements cost a fraction of a second, 1 MB ten minutes."""

_TAGS = {"p", "br", "a", "strong", "em", "b", "i", "del", "ul", "ol", "li", "blockquote", "code", "pre", "h2", "h3"}
_SCHEMES = {"http", "https", "mailto"}
_REL = "nofollow noopener noreferrer ugc"

_QUOTE_FALLBACK = re.compile(r"<(p|span)\b[^<>]{0,200}\bquote-inline\b[^<>]{0,200}>.{0,2000}?</\1>", re.DOTALL)
_BREAKS = re.compile(r"</?(?:p|br|li|ul|ol|blockquote|pre|h4|h5)>")
_BLOCKS = re.compile(r"</(?:p|li|h4|h5|pre)>")
_CLOSING = re.compile(r" ([:;?!»%€])")
_OPENING = re.compile(r"« ")
_DEAD_LINK = re.compile(rf'<a rel="{_REL}">(.*?)</a>', re.DOTALL)
"""What is left of a link whose address was refused: its words stay, the element would be invalid."""
_TAG = re.compile(r"<[^<>]*>")


def plain(text: str) -> str:
    """One line of text without control characters; markup in it stays text."""
    return " ".join(clean(text).split())


def printed(text: str) -> str:
    """``plain``, and French punctuation does not fall to the next line: its space does not break."""
    return _OPENING.sub("«\u00a0", _CLOSING.sub("\u00a0\\1", plain(text)))


@functools.lru_cache(maxsize=512)
def body(html: str, base: str, *, quoted: bool = False) -> str:
    """Safe HTML: paragraphs, lists, emphasis, links. Headings are lowered under the item's own; relative links lead to the origin.

    With ``quoted``, Mastodon's ``.quote-inline`` fallback is left out, as the quote is shown by itself.
    """
    html = clean(html[:HTML_MAX])
    if quoted:
        html = _QUOTE_FALLBACK.sub("", html)

    def attribute(_tag: str, name: str, value: str) -> str | None:
        return link(value, base, mail=True) if name == "href" else value

    cleaned: str = nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}},
        attribute_filter=attribute,
        url_schemes=_SCHEMES,
        link_rel=_REL,
    )
    cleaned = _DEAD_LINK.sub(r"\1", cleaned)
    for found, lowered in (("h3>", "h5>"), ("h2>", "h4>")):
        cleaned = cleaned.replace(f"<{found}", f"<{lowered}").replace(f"</{found}", f"</{lowered}")
    return cleaned if text_of(cleaned) else ""


def text_of(cleaned: str) -> str:
    """The text of what ``body`` returned, on one line."""
    return plain(entities.unescape(_TAG.sub("", _BREAKS.sub(" ", cleaned))))


def lead(cleaned: str, length: int) -> str:
    """How it begins: whole paragraphs while they are short, at most ``length`` characters."""
    begin = ""
    for block in _BLOCKS.split(cleaned):
        begin = plain(f"{begin} {text_of(block)}")
        if len(begin) > length // 3:
            break
    return excerpt(begin, length)


def excerpt(text: str, length: int) -> str:
    """At most ``length`` characters, cut between words."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    at = cut.rfind(" ")
    return (cut[:at] if at > length // 2 else cut).rstrip(" ,;:.!?–—-") + "…"


def link(url: str | None, base: str = "", *, mail: bool = False) -> str | None:
    """An absolute http(s) address (or mailto, with ``mail``); None for anything else."""
    url = clean(url or "").strip()
    if not url:
        return None
    if mail and url.lower().startswith("mailto:"):
        return url
    try:
        return web_url(urljoin(base, url))
    except ValueError:
        return None

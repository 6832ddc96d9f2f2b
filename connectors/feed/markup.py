"""What is read in an item's HTML: its links made absolute, its pictures, its text. Pure, and linear on any input.

This is not where HTML becomes safe: it stays untrusted, and is sanitised where it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import urljoin, urlsplit, urlunsplit

_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_ANY_TAG = re.compile(r"<[^<>]*>")
_BLOCK_END = re.compile(r"<(?:br\b[^<>]*|/(?:p|div|li|h[1-6]|blockquote|tr|figcaption))>", re.IGNORECASE)
_URL_ATTRIBUTE = re.compile(r"""(?<![\w-])(href|src|poster|data-src|data-lazy-src)(\s{0,9}=\s{0,9})("[^"]*"|'[^']*')""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?<![\w-])([a-z-]{1,20})\s{0,9}=\s{0,9}("[^"]*"|'[^']*'|[^\s"'<>]+)""", re.IGNORECASE)
_NOISE = re.compile(
    r"wp-includes/images/smilies|s\.w\.org/images/core/emoji|gravatar\.com/avatar|pixel\.wp\.com|stats\.wordpress\.com|feedburner\.com/~"
    r"|feeds\.feedburner|/matomo|/piwik|/pixel\.|/spacer\.|/blank\.",
    re.IGNORECASE,
)
_EMOJI = re.compile(r"wp-includes/images/smilies|s\.w\.org/images/core/emoji", re.IGNORECASE)
_TRACKING = re.compile(r"(?:^|&)(?:utm_[a-z]+|fbclid|mc_cid|mc_eid|pk_campaign|pk_kwd)=[^&]*")

EMOJI_MAX_CHARS = 40
"""A family of four with skin tones is eleven code points; old smilies are ``:mrgreen:``."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An ``<img>`` that an author put there."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


def absolute(html: str, base: str) -> str:
    """The same HTML with every link and picture at its full address."""

    def whole(attribute: re.Match[str]) -> str:
        name, equals, value = attribute.groups()
        return f'{name}{equals}"{escape(joined(base, unescape(value[1:-1])))}"'

    return _TAG.sub(lambda tag: _URL_ATTRIBUTE.sub(whole, tag[0]), html)


def pictures(html: str, base: str) -> Iterator[Picture]:
    """The pictures an author put there, in order: not the emoji, avatars and invisible counters that sites add."""
    for tag in _TAG.finditer(html):
        if tag[0][1:4].lower() != "img":
            continue
        values = {name.lower(): unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(tag[0])}
        url = _source(values)
        width, height = _pixels(values.get("width")), _pixels(values.get("height"))
        tiny = (width or 99) <= 2 or (height or 99) <= 2
        marks = values.get("class", "").lower().split()
        if url and not tiny and not _NOISE.search(url) and not {"wp-smiley", "emoji", "avatar"} & set(marks):
            yield Picture(url=joined(base, url), alt=" ".join(values.get("alt", "").split()), width=width, height=height)


def with_characters(html: str) -> str:
    """The emoji that WordPress turns into pictures of another server, as the characters they were."""
    return _TAG.sub(_character, html) if "emoji" in html or "smil" in html else html


def is_noise(url: str) -> bool:
    """Whether a picture's address is that of an avatar, an emoji or a counter."""
    return bool(_NOISE.search(url))


def text_from(html: str) -> str:
    """The text alone, on one line."""
    return " ".join(unescape(_ANY_TAG.sub("", _BLOCK_END.sub(" ", html))).split())


def html_from_text(text: str) -> str:
    """Paragraphs and line breaks of a plain text."""
    paragraphs = (part.strip() for part in text.replace("\r\n", "\n").split("\n\n"))
    return "\n".join("<p>" + escape(part, quote=False).replace("\n", "<br>") + "</p>" for part in paragraphs if part)


def joined(base: str, url: str) -> str:
    """``url`` seen from ``base``; as it is when it cannot be one."""
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return url


def normal_link(url: str) -> str:
    """A page's address without what varies from one visit to the other: fragment, campaign parameters, case of the host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    query = _TRACKING.sub("", parts.query).lstrip("&")
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path or "/", query, ""))


def without_credits(html: str, link: str) -> str:
    """Without the closing paragraph that WordPress plugins add to each item: "TITLE appeared first on SITE", two links, one to itself."""
    start = html.rstrip().rfind("<p")
    closing = html[start:]
    links = [unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(closing) if name.lower() == "href"] if start >= 0 else []
    home = normal_link(links[1]).rstrip("/") if len(links) == 2 else ""
    is_credit = bool(home) and normal_link(links[0]) == normal_link(link) and normal_link(link).startswith(home + "/")
    return html[:start].rstrip() if is_credit and "</p>" in closing else html


def _character(tag: re.Match[str]) -> str:
    if tag[0][1:4].lower() != "img":
        return tag[0]
    values = {name.lower(): unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(tag[0])}
    is_emoji = bool({"wp-smiley", "emoji"} & set(values.get("class", "").lower().split())) or _EMOJI.search(values.get("src", ""))
    return escape(values.get("alt", ""), quote=False) if is_emoji and len(values.get("alt", "")) <= EMOJI_MAX_CHARS else tag[0]


def _source(values: dict[str, str]) -> str:
    """The real address of a picture that may be loaded late (``data-src``, ``srcset``)."""
    candidates = [values.get("data-src"), values.get("data-lazy-src"), values.get("src")]
    srcset = (values.get("srcset") or values.get("data-srcset") or "").split()
    candidates.extend(srcset[:1])
    return next((url for url in candidates if url and not url.startswith("data:")), "")


def _pixels(value: str | None) -> int | None:
    digits = (value or "").removesuffix("px")
    return int(digits) if digits.isdecimal() and len(digits) < 6 else None

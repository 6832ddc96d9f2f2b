"""How Mastodon counts a text and makes HTML of it (app/lib/text_formatter.rb, app/validators/status_length_validator.rb).

One difference: links to hosts without a top-level domain are links here, since the sandbox itself lives at such addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

import regex

URL_COUNTS_FOR = 23
SHOWN_LENGTH = 30

_URL = r"(?<![\w@/])https?://[^\s<>\"«»“”]+"
_MENTION = r"(?<![=/\w])@(?P<name>[a-zA-Z0-9_]+(?:[a-zA-Z0-9_.-]+[a-zA-Z0-9_]+)?)(?P<host>@\w+(?:[.:-]+\w+)*)?"
_HASHTAG = r"(?<![=/\w&])#(?P<tag>\w*[^\W\d_]\w*)"
_ENTITY = re.compile(f"(?P<url>{_URL})|{_MENTION}|{_HASHTAG}", re.IGNORECASE)
_PREFIX = re.compile(r"https?://(www\.)?")

FindAccount = Callable[[str, str], str | None]
"""Name and host (empty for a local account) → the page of that account, None when there is none."""


def length(text: str) -> int:
    """What the text counts for: characters as people see them, 23 for a URL, a mention without its host."""

    def counted(entity: re.Match[str]) -> str:
        if entity["url"]:
            return "x" * URL_COUNTS_FOR + _trimmed(entity["url"])[1]
        return f"@{entity['name']}" if entity["name"] else entity[0]

    return len(regex.findall(r"\X", _ENTITY.sub(counted, text)))


def to_html(text: str, base_url: str, find: FindAccount, *, short_links: bool = True) -> str:
    """Paragraphs and lines, with links, hashtags and the mentions of accounts that exist."""
    out, last = [], 0
    for entity in _ENTITY.finditer(text):
        out += [escape(text[last : entity.start()]), _linked(entity, base_url, find, short_links=short_links)]
        last = entity.end()
    html = "".join(out) + escape(text[last:])
    paragraphs = re.split(r"\n\n+", re.sub(r"\r\n?", "\n", html).strip("\n"))
    return "".join(f"<p>{re.sub(chr(10), '<br />', paragraph)}</p>" for paragraph in paragraphs) if text.strip() else ""


def _linked(entity: re.Match[str], base_url: str, find: FindAccount, *, short_links: bool) -> str:
    if entity["url"]:
        url, rest = _trimmed(entity["url"])
        return _link(url, short=short_links) + escape(rest)
    if entity["tag"]:
        tag = entity["tag"]
        return f'<a href="{base_url}/tags/{escape(tag)}" class="mention hashtag" rel="tag">#<span>{escape(tag)}</span></a>'
    page = find(entity["name"], (entity["host"] or "").removeprefix("@"))
    if page is None:
        return escape(entity[0])
    return f'<span class="h-card" translate="no"><a href="{escape(page)}" class="u-url mention">@<span>{entity["name"]}</span></a></span>'


def _link(url: str, *, short: bool) -> str:
    start = f'<a href="{escape(url)}" target="_blank" rel="nofollow noopener" translate="no">'
    if not short:
        return f"{start}{escape(url)}</a>"
    found = _PREFIX.match(url)
    prefix = found[0] if found else ""
    shown, rest = url[len(prefix) : len(prefix) + SHOWN_LENGTH], url[len(prefix) + SHOWN_LENGTH :]
    spans = (("invisible", prefix), ("ellipsis" if rest else "", shown), ("invisible", rest))
    return start + "".join(f'<span class="{name}">{escape(part)}</span>' for name, part in spans) + "</a>"


def _trimmed(url: str) -> tuple[str, str]:
    """The URL, and the punctuation after it: a closing bracket belongs to it only where it was opened in it."""
    end = len(url)
    while end and (url[end - 1] in ".,;:!?'…" or (url[end - 1] == ")" and url.count("(", 0, end) < url.count(")", 0, end))):
        end -= 1
    return url[:end], url[end:]

"""The process that reads a stranger's XML: bytes in, plain JSON out, killed by its parent when it takes too long.

Run as a script (``python -P parser.py``); it knows nothing of the rest, so that it starts in a fifth of a second. feedparser gets
``io.BytesIO`` only: a str or bytes body that looks like a path or a URL would be opened. Before it sees anything, expat has walked the
document: nesting makes feedparser quadratic (600 kB of ``<a>`` cost 38 s), and entities can unfold to anything.
"""

from __future__ import annotations

import calendar
import io
import json
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import feedparser

DEPTH_MAX = 200
LOOSE_DEPTH_MAX = 1_000
"""For documents that are not well-formed, where forgotten end tags add up."""
ITEMS_MAX = 500
CONTENT_MAX_CHARS = 200_000
UNFOLDED_MAX_CHARS = 8_000_000
CPU_MAX_S = 15
MEMORY_MAX_BYTES = 256 * 1024**2
NAME_MAX_CHARS = 2_000
PARTS_MAX = 50

MRSS = "{http://search.yahoo.com/mrss/}"
AMPLIFIED = 43
"""expat's XML_ERROR_AMPLIFICATION_LIMIT_BREACH."""

_CDATA_OR_COMMENT = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(rb"<(/?)[A-Za-z][^<>]*?(/?)>")
_MAILBOX = re.compile(r"[^\s()<>]{1,200}@[^\s()<>]{1,200}")
_ITEM = re.compile(rb"<(?:item|entry)[\s>]")


class Refused(ValueError):
    """The document is made to cost, not to be read; the text says how."""


class _Walk:
    """One pass of expat that stops where the document goes too far."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.items = 0
        self.cut_at: int | None = None
        """Where item number ITEMS_MAX + 1 begins."""
        self.open_at_cut: list[str] = []
        self._chars = 0
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._text

    def over(self, data: bytes) -> bool:
        """Whether the document is well-formed; raises Refused."""
        try:
            self._expat.Parse(data, True)
        except expat.ExpatError as error:
            if error.code == AMPLIFIED:
                raise Refused("entities that unfold without end") from error
            return False
        return True

    def _start(self, name: str, _: dict[str, str]) -> None:
        if name in ("item", "entry"):
            self.items += 1
            if self.items == ITEMS_MAX + 1:
                self.cut_at, self.open_at_cut = self._expat.CurrentByteIndex, list(self.open)
        self.open.append(name)
        if len(self.open) > DEPTH_MAX:
            raise Refused(f"elements nested more than {DEPTH_MAX} deep")

    def _end(self, _: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        self._chars += len(text)
        if self._chars > UNFOLDED_MAX_CHARS:
            raise Refused("entities that unfold to far more than was sent")


def bounded(data: bytes) -> tuple[bytes, bool]:
    """The document cut after its first 500 items, and whether it is well-formed; raises Refused."""
    walk = _Walk()
    if walk.over(data):
        if walk.cut_at is None:
            return data, True
        if b"\0" in data[:4]:
            raise Refused(f"more than {ITEMS_MAX} items")
        return data[: walk.cut_at] + "".join(f"</{name}>" for name in reversed(walk.open_at_cut)).encode(), True
    plain = _CDATA_OR_COMMENT.sub(b"", data)
    depth = 0
    for tag in _TAG.finditer(plain):
        depth += -1 if tag[1] else 0 if tag[2] else 1
        if depth > LOOSE_DEPTH_MAX:
            raise Refused(f"elements nested more than {LOOSE_DEPTH_MAX} deep")
    starts = [found.start() for found, _ in zip(_ITEM.finditer(data), range(ITEMS_MAX + 1), strict=False)]
    return (data[: starts[ITEMS_MAX]] if len(starts) > ITEMS_MAX else data), False


def parsed(data: bytes, *, url: str, content_type: str) -> dict[str, Any]:
    """The feed as plain data; ``version`` and ``entries`` are empty when it is none. Raises Refused."""
    data, well_formed = bounded(data)
    headers = {"content-type": content_type, "content-location": url}
    # HTML is untrusted anyway and made safe where it is shown; relative links are resolved by our side, which knows the item's page.
    feed = feedparser.parse(io.BytesIO(data), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    alts, adult = _descriptions(data) if well_formed and b"search.yahoo.com/mrss" in data else ({}, set())
    version = feed.get("version") or ""
    return {
        "version": version,
        "title": feed.feed.get("title") or "",
        "link": feed.feed.get("link") or "",
        "language": feed.feed.get("language") or _language(feed.feed.get("title_detail")),
        "author": _author(feed.feed),
        "generator": (feed.feed.get("generator") or "")[:NAME_MAX_CHARS],
        "entries": [_entry(entry, version, url, alts, adult) for entry in feed.entries[:ITEMS_MAX]],
    }


def _descriptions(data: bytes) -> tuple[dict[str, str], set[str]]:
    """URL → alt text of ``media:content``, and the URLs rated adult: feedparser does not keep them with their picture."""
    alts: dict[str, str] = {}
    adult: set[str] = set()
    for content in ElementTree.fromstring(data).iter(f"{MRSS}content"):  # noqa: S314 - expat has bounded this very document
        url = content.get("url", "")
        description = content.find(f"{MRSS}description")
        if description is not None and description.text:
            alts[url] = description.text.strip()
        if (content.findtext(f"{MRSS}rating") or "").strip() == "adult":
            adult.add(url)
    return alts, adult


def _entry(entry: Any, version: str, url: str, alts: dict[str, str], adult: set[str]) -> dict[str, Any]:
    # feedparser turns the first media:description (an alt text) into a text/plain content: only HTML is an article's body.
    content: dict[str, Any] = next((one for one in entry.get("content") or () if "html" in (one.get("type") or "")), {})
    summary, detail = entry.get("summary") or "", entry.get("summary_detail") or {}
    # The same happens to summary_detail; then its value is not the summary. RSS descriptions are HTML by custom.
    plain = version.startswith("atom") and detail.get("type") == "text/plain" and detail.get("value") == summary
    media = list(islice(_media(entry, alts), PARTS_MAX))
    return {
        "id": (entry.get("id") or "")[:NAME_MAX_CHARS],
        "link": (entry.get("link") or "")[:NAME_MAX_CHARS],
        "title": (entry.get("title") or "")[:NAME_MAX_CHARS],
        "title_is_html": "html" in ((entry.get("title_detail") or {}).get("type") or ""),
        "content": (content.get("value") or "")[:CONTENT_MAX_CHARS],
        "base": "" if content.get("base") == url else content.get("base") or "",
        "summary": summary[:CONTENT_MAX_CHARS],
        "summary_is_html": not plain,
        "published_at": _instant(
            dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed") or dict.get(entry, "created_parsed")
        ),
        "updated_at": _instant(dict.get(entry, "updated_parsed")),
        "author": _author(entry),
        "tags": [tag.get("label") or tag.get("term") for tag in (entry.get("tags") or ())[:PARTS_MAX]],
        "language": _language(content) or _language(entry.get("title_detail")),
        "media": media,
        "sensitive": any(one["url"] in adult for one in media),
    }


def _media(entry: Any, alts: dict[str, str]) -> Iterator[dict[str, Any]]:
    for one in entry.get("media_content") or ():
        url = one.get("url") or ""
        sizes = {name: one.get(name) for name in ("medium", "width", "height", "duration")}
        yield {"url": url, "type": one.get("type"), "size": one.get("filesize"), "alt": alts.get(url, ""), **sizes}
    for one in entry.get("enclosures") or ():
        yield {"url": one.get("href") or "", "type": one.get("type"), "size": one.get("length"), "alt": alts.get(one.get("href") or "", "")}
    stills = [*(entry.get("media_thumbnail") or ()), {"url": (entry.get("image") or {}).get("href")}]
    for one in stills:
        if one.get("url"):
            yield {"url": one["url"], "medium": "image", "width": one.get("width"), "height": one.get("height"), "still": True}


def _author(thing: Any) -> dict[str, str] | None:
    """Name and page; a mailbox is nobody's name and nobody's business. (feedparser's own way of taking them apart garbles some.)"""
    detail = thing.get("author_detail") or {}
    name = (thing.get("author") or detail.get("name") or "").strip()
    if "@" in name:
        name = _MAILBOX.sub("", name).strip(" ,()<>")
    return {"name": name, "url": detail.get("href") or ""} if name else None


def _language(detail: Any) -> str:
    return (detail or {}).get("language") or ""


def _instant(parts: Any) -> str | None:
    """feedparser's times are UTC."""
    if not parts:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parts), UTC).isoformat()
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def main() -> None:
    """First line of the input: the keyword arguments of ``parsed`` as JSON; then the body."""
    # A hardened service may forbid each of these three; the parent's clock still ends this process.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_MAX_S, CPU_MAX_S))
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
    with suppress(OSError):
        # Where memory runs out for the whole service, this process goes and not the daemon.
        Path("/proc/self/oom_score_adj").write_text("1000")
    arguments, _, body = sys.stdin.buffer.read().partition(b"\n")
    try:
        answer = parsed(body, **json.loads(arguments))
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()

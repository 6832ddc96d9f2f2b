"""People named in a text, without ever touching a stranger: ``@u`` of the fediverse is somebody else on every other network.

``@u`` becomes ``u@host`` (or only ``u``): readable, and live nowhere. Addresses and e-mail addresses are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

import regex

from syndicator import model
from syndicator.model import Mention
from syndicator.text.html import Span, Text
from syndicator.text.linked import Edit, Linked
from syndicator.text.links import Stretches, addresses, emails, mentions

MentionStyle = Literal["handle", "name"]

_SPELT = regex.compile(r"https?://", regex.IGNORECASE)
_AT = regex.compile("[@＠]")
_PASSES_MAX = 8
"""Taking one @ away may bring another to life; no honest text needs two passes."""

_HANDLE = regex.compile(
    r"(?:(?<![\p{L}\p{N}_.+\-@＠])|(?<=(?:^|[^A-Za-z0-9_+~.\-])[Rr][Tt]))[@＠](?P<user>[\p{L}\p{N}_](?:[\p{L}\p{N}_.\-]*[\p{L}\p{N}_])?)"
    r"(?:@(?P<host>[\p{L}\p{N}](?:[\p{L}\p{N}.\-]*[\p{L}\p{N}])?))?(?![@＠])"
)


def neutralise(text: Text, known: Sequence[Mention], style: MentionStyle = "handle") -> Linked:
    """The text with no live handle in it; ``known`` are the mentions that the origin lists, always with their host."""
    people = _Known(known)
    made = _linked(text).replaced(_apart(_replacements(text, people, style)))
    for _ in range(_PASSES_MAX):
        again = _apart(_replacements(Text(text=made.text), people, style))
        if not again:
            break
        made = made.replaced(again)
    return _without_remains(made)


def neutralise_plain(text: str, known: Sequence[Mention] = (), style: MentionStyle = "handle") -> str:
    """The same for text without known spans: titles, place names, alt texts."""
    return neutralise(Text(text=text), known, style).text


class _Known:
    """Finds who is meant by ``@u``."""

    def __init__(self, known: Sequence[Mention]) -> None:
        self._by_url = {mention.url: mention.handle for mention in known if mention.url}
        self._by_user: dict[str, list[str]] = {}
        for mention in known:
            self._by_user.setdefault(mention.handle.split("@")[0].casefold(), []).append(mention.handle)

    def handle(self, user: str, host: str | None, url: str | None = None) -> str:
        """``user@host`` as well as can be told; the bare user when nobody of that name is known."""
        if url is not None and url in self._by_url:
            return self._by_url[url]
        if host is not None:
            return f"{user}@{host}"
        same = self._by_user.get(user.casefold(), [])
        if len(set(same)) == 1:
            return same[0]
        # Several people of that name, or an origin that lists nobody: the host of the link is the best there is.
        link_host = urlsplit(url).hostname if url else None
        return f"{user}@{link_host}" if link_host else user


def _apart(edits: Sequence[Edit]) -> list[Edit]:
    """Of edits that overlap, the first."""
    chosen: list[Edit] = []
    for edit in sorted(edits):
        if not chosen or edit[0] >= chosen[-1][1]:
            chosen.append(edit)
    return chosen


def _linked(text: Text) -> Linked:
    """The words of ``text`` that lead somewhere, but the addresses that are spelt out."""
    links = [span for span in text.spans if span.kind == "link" and not _SPELT.match(text.text, span.start, span.end)]
    return Linked(text.text, tuple(model.Span(start=span.start, end=span.end, url=span.value) for span in links))


def _replacements(text: Text, known: _Known, style: MentionStyle) -> list[tuple[int, int, str]]:
    spans = [span for span in text.spans if span.kind == "mention"]
    found = [(span.start, span.end, _from_span(text.text[span.start : span.end], span, known, style)) for span in spans]
    if "@" not in text.text and "＠" not in text.text:
        return found
    protected, named = _protected(text.text), Stretches(spans)
    for match in _HANDLE.finditer(text.text):
        if protected.hold(match.start()) or named.hold(match.start()):
            continue
        found.append((match.start(), match.end(), _said(known.handle(match["user"], match["host"]), style)))
    return found


def _from_span(words: str, span: Span, known: _Known, style: MentionStyle) -> str:
    user, _, host = words.lstrip("@＠").partition("@")
    return _said(known.handle(user, host or None, span.value or None), style)


def _said(handle: str, style: MentionStyle) -> str:
    return handle.split("@")[0] if style == "name" else handle


def _protected(text: str) -> Stretches:
    """Where an @ belongs to an address."""
    found = addresses(text)
    taken = Stretches(found)
    return Stretches([*found, *(entity for entity in emails(text) if not taken.overlap(entity.start, entity.end))])


def _without_remains(text: Linked) -> Linked:
    """Whatever X would still take for a mention loses its @."""
    for _ in range(_PASSES_MAX):
        if "@" not in text.text and "＠" not in text.text:
            return text
        protected = _protected(text.text)
        live = [entity.start for entity in mentions(text.text) if not protected.hold(entity.start)]
        if not live:
            return text
        text = text.replaced((at, at + 1, "") for at in live)
    return text.without(_AT)

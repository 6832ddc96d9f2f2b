"""A rendition as a post: its HTML, its title, its address. Pure.

Everything is made from plain text, so that nothing of a stranger's markup is left to sanitise; and what WordPress itself reads in a text
(shortcodes, smilies, addresses alone on a line, which it embeds) is written so that it stays text.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from syndicator.contract import Association
from syndicator.model import Rendition, Span
from syndicator.text.links import addresses
from syndicator.text.naming import slug

_ITEM = re.compile(r"^[ \t]*[•\-*–][ \t]+(?=\S)")
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
# Entities of the signs that shortcodes ([gallery]) and smilies (8) are made of: https://developer.wordpress.org/reference/functions/convert_smilies/
_AS_TEXT = str.maketrans({"[": "&#91;", "]": "&#93;", ")": "&#41;"})


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture in the site's library."""

    id: int
    url: str
    width: int | None = None
    height: int | None = None
    description: str = ""

    def to_json(self) -> dict[str, Any]:
        """As receipts and preparations keep it."""
        return asdict(self)


def address_of(rendition: Rendition, key: str) -> str:
    """The slug: words for people, and what makes it ours for ever. WordPress keeps it as it is."""
    words = slug(rendition.title)
    return f"{words}-{_digest(key)[:10]}" if words else _digest(key)[:10]


def file_address(seed: str, url: str) -> str:
    """The slug of a picture in the library: an upload whose answer was lost is found again by it."""
    return f"syn-{_digest(f'{seed} {url}')[:24]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def title_of(rendition: Rendition, association: Association) -> str:
    """The title as WordPress keeps it: HTML."""
    return html.escape(rendition.title.strip() or association.name, quote=False)


def plain(text: str) -> str:
    """A description for the library, which takes whatever is between angle brackets away."""
    return " ".join(text.replace("<", "‹").replace(">", "›").split())


def content_of(rendition: Rendition, pictures: Sequence[Picture], association: Association) -> str:
    """The post's HTML: paragraphs and lists with their links, pictures, the way home."""
    language = rendition.language if rendition.language and rendition.language != association.language else None
    attribute = f' lang="{html.escape(language)}"' if language else ""
    pieces = [_block(rendition, start, end, attribute) for start, end in _paragraphs(rendition.text)]
    pieces += [_figure(picture) for picture in pictures]
    if rendition.link:
        pieces.append(_home(rendition.link, (rendition.language or association.language)[:2]))
    return "\n\n".join(pieces)


def _paragraphs(text: str) -> Iterable[tuple[int, int]]:
    """Where each stretch between blank lines begins and ends."""
    position = 0
    for piece in re.split(r"(\n[ \t]*\n\s*)", text):
        start, position = position, position + len(piece)
        if piece.strip():
            yield start, position


def _block(rendition: Rendition, start: int, end: int, attribute: str) -> str:
    """One paragraph, or a list where every line is marked as one, perhaps after a line that introduces it."""
    lines = []
    for line in rendition.text[start:end].split("\n"):
        if line.strip():
            lines.append((start, start + len(line), _ITEM.match(line)))
        start += len(line) + 1
    first = next((number for number, line in enumerate(lines) if line[2]), len(lines))
    before = "<br>".join(_inline(rendition, begin, stop) for begin, stop, _ in lines[:first])
    if len(lines) - first < 2 or not all(mark for _, _, mark in lines[first:]):
        return f"<p{attribute}>{'<br>'.join(_inline(rendition, begin, stop) for begin, stop, _ in lines)}</p>"
    items = "".join(f"<li>{_inline(rendition, begin + mark.end(), stop)}</li>" for begin, stop, mark in lines[first:] if mark)
    return (f"<p{attribute}>{before}</p>\n" if before else "") + f"<ul{attribute}>{items}</ul>"


def _inline(rendition: Rendition, start: int, end: int) -> str:
    """A stretch of the text as HTML, with its links: the author's, and addresses that are spelt out."""
    pieces, position = [], start
    for span in _links(rendition):
        if span.start < position or span.end > end:
            continue
        pieces += [_text(rendition.text[position : span.start]), _anchor(span.url, rendition.text[span.start : span.end])]
        position = span.end
    return "".join([*pieces, _text(rendition.text[position:end].rstrip())])


def _links(rendition: Rendition) -> list[Span]:
    own = [span for span in rendition.spans if urlsplit(span.url).scheme in _SCHEMES]
    spelt = [Span(start=one.start, end=one.end, url=rendition.text[one.start : one.end]) for one in addresses(rendition.text, bare=False)]
    free = [one for one in spelt if not any(one.start < span.end and span.start < one.end for span in own)]
    return sorted([*own, *free], key=lambda span: span.start)


def _text(text: str) -> str:
    return html.escape(text, quote=False).translate(_AS_TEXT)


def _anchor(url: str, words: str, rel: str = "") -> str:
    relation = f' rel="{rel}"' if rel else ""
    # WordPress looks for shortcodes in attributes too; after the host, these signs have to be encoded anyway (RFC 3986, 3.3 and 3.4).
    target = html.escape(url.replace("[", "%5B").replace("]", "%5D"))
    return f'<a href="{target}"{relation}>{_text(words)}</a>'


def _home(link: str, language: str) -> str:
    """``via``, of RFC 4287: where the content is from."""
    where = urlsplit(link).netloc.removeprefix("www.")
    said = "Page d’origine : " if language == "fr" else "Original page: "
    return f'<p class="syndicator-home">{said}{_anchor(link, where, "via")}</p>'


def _figure(picture: Picture) -> str:
    size = f' width="{picture.width}" height="{picture.height}"' if picture.width and picture.height else ""
    alt = html.escape(picture.description).translate(_AS_TEXT)
    # The class makes WordPress add the smaller sizes by itself.
    return (
        f'<figure class="wp-block-image size-large"><img src="{html.escape(picture.url)}" alt="{alt}"{size} class="wp-image-{picture.id}">'
        "</figure>"
    )

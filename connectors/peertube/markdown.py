"""PeerTube's descriptions: a small, safe part of Markdown → HTML.

PeerTube renders descriptions with line breaks kept and bare links made clickable
(https://docs.joinpeertube.org/api-rest-reference.html#tag/Video, ``description``). What is not known here stays text: everything is
escaped first, so no HTML of the author passes. Every pattern is linear, since descriptions are strangers' text.
"""

from __future__ import annotations

import re
from html import escape, unescape

SOURCE_MAX_CHARS = 64_000

_URL = r"https?://[^\s<>()\[\]\"']+(?:\([^\s<>()]*\)[^\s<>()\[\]\"']*)*"
_INLINE = re.compile(
    r"\\(?P<escaped>[\\`*_{}\[\]()#+.!~-])"
    r"|`(?P<code>[^`\n]{1,300})`"
    r"|!?\[(?P<label>[^\[\]\n]{1,300})\]\((?P<href>" + _URL + r")(?: \"[^\"\n]{0,200}\")?\)"
    r"|(?P<url>" + _URL + r")"
    r"|\*\*(?P<strong>[^*\n]{1,500})\*\*"
    r"|(?<![\w*])\*(?P<em>[^*\s\n][^*\n]{0,500})\*(?![\w*])"
    r"|(?<!\w)_(?P<em_too>[^_\s\n][^_\n]{0,500})_(?!\w)"
    r"|~~(?P<struck>[^~\n]{1,300})~~"
)
_ITEM = re.compile(r"\s{0,3}[-*+•] +(?P<text>.*)")
_HEADING = re.compile(r"\s{0,3}#{1,6} +(?P<text>.*)")
_TAG = re.compile(r"<[^>]*>")
_BREAK = re.compile(r"<(?:br|/p|/li)>")


def html_from_markdown(source: str) -> str:
    """Paragraphs, line breaks, lists, emphasis and links; anything else as the text it is."""
    text = source[:SOURCE_MAX_CHARS].replace("\r\n", "\n").replace("\r", "\n").strip()
    return "\n".join(_block(block) for block in re.split(r"\n[ \t]*\n+", text) if block.strip())


def text_from_markdown(source: str) -> str:
    """The same without any markup, on one line."""
    return " ".join(unescape(_TAG.sub("", _BREAK.sub(" ", html_from_markdown(source)))).split())


def _block(block: str) -> str:
    out: list[str] = []
    paragraph: list[str] = []
    items: list[str] = []
    for line in block.split("\n"):
        item, heading = _ITEM.match(line), _HEADING.match(line)
        if not item:
            _close_list(out, items)
        if item or heading:
            _close_paragraph(out, paragraph)
        if item:
            items.append(_inline(item["text"]))
        elif heading:
            out.append(f"<p><strong>{_inline(heading['text'].rstrip(' #'))}</strong></p>")
        else:
            paragraph.append(_inline(line.strip()))
    _close_list(out, items)
    _close_paragraph(out, paragraph)
    return "\n".join(out)


def _close_paragraph(out: list[str], lines: list[str]) -> None:
    if lines:
        out.append("<p>" + "<br>".join(lines) + "</p>")
        lines.clear()


def _close_list(out: list[str], items: list[str]) -> None:
    if items:
        out.append("<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>")
        items.clear()


def _inline(text: str) -> str:
    out, done = [], 0
    for found in _INLINE.finditer(text):
        out.append(escape(text[done : found.start()], quote=False))
        out.append(_span(found))
        done = found.end()
    out.append(escape(text[done:], quote=False))
    return "".join(out)


def _span(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind == "escaped":
        return escape(found["escaped"], quote=False)
    if kind == "code":
        return f"<code>{escape(found['code'], quote=False)}</code>"
    if kind == "href":
        return _link(found["href"], _inline(found["label"]))
    if kind == "url":
        url = found["url"].rstrip(".,;:!?*_~")
        return _link(url, escape(url, quote=False)) + escape(found["url"][len(url) :], quote=False)
    if kind == "strong":
        return f"<strong>{_inline(found['strong'])}</strong>"
    if kind == "struck":
        return f"<del>{_inline(found['struck'])}</del>"
    return f"<em>{_inline(found['em'] or found['em_too'])}</em>"


def _link(href: str, label: str) -> str:
    # A label that is itself a URL was linked by _inline: links do not nest.
    return f'<a href="{escape(href)}">{_TAG.sub("", label)}</a>'

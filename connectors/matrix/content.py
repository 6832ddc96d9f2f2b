"""What stands in an event: text and HTML, pictures, edits, threads. Pure.

https://spec.matrix.org/v1.16/client-server-api/#mroommessage-msgtypes
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from syndicator.model import Receipt, Rendition, Span
from syndicator.text.links import addresses

Content = dict[str, Any]

KEY = "org.syndicator.key"
"""A field of ours, by which our messages are found again."""
CONTENT_BYTES = 60_000
"""An event holds 65,536 bytes; the server's own fields take some of them."""
SHORT = 200


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """A file that the server has; ``url`` is where it came from."""

    url: str
    mxc: str
    name: str
    media_type: str
    size: int
    width: int | None
    height: int | None
    duration_ms: int | None
    description: str


def to_json(files: list[Uploaded]) -> str:
    """What ``publish`` needs to know of ``files``."""
    return json.dumps([asdict(file) for file in files])


def from_json(prepared: str) -> list[Uploaded]:
    """The inverse of ``to_json``."""
    return [Uploaded(**entry) for entry in json.loads(prepared)]


def message(rendition: Rendition, *, notice: bool) -> Content:
    """The text, with HTML where it has links; without it where both do not fit."""
    rich = _html(rendition)
    body = _spelt_out(rendition.text, rendition.spans)
    content: Content = {"msgtype": "m.notice" if notice else "m.text", "body": body, "m.mentions": {}}
    whole = content | ({"format": "org.matrix.custom.html", "formatted_body": rich} if rich else {})
    return whole if _size(whole) <= CONTENT_BYTES else content


def of_file(file: Uploaded) -> Content:
    """A picture or video; the alt text is its caption, since the specification has no other place for it."""
    info: Content = {"mimetype": file.media_type, "size": file.size}
    for name, value in (("w", file.width), ("h", file.height), ("duration", file.duration_ms)):
        info |= {name: value} if value is not None else {}
    kind = "m.video" if file.media_type.startswith("video/") else "m.image"
    return {"msgtype": kind, "body": file.description or file.name, "filename": file.name, "url": file.mxc, "info": info, "m.mentions": {}}


def edit_of(event_id: str, content: Content) -> Content:
    """An event that replaces another's content (https://spec.matrix.org/v1.16/client-server-api/#event-replacements)."""
    relation = {"m.new_content": content, "m.relates_to": {"rel_type": "m.replace", "event_id": event_id}}
    rich = "formatted_body" in content
    plain = {name: value for name, value in content.items() if name not in ("format", "formatted_body", KEY)}
    shown = plain | {"body": f"* {content['body']}"}
    whole = shown | ({"format": content["format"], "formatted_body": f"* {content['formatted_body']}"} if rich else {}) | relation
    if _size(whole) <= CONTENT_BYTES:
        return whole
    # What stands outside is for clients that know no edits.
    shortened = plain | {"body": f"* {content['body'][:SHORT]}…"} | relation
    return shortened if _size(shortened) <= CONTENT_BYTES else shortened | {"m.new_content": plain | _key(content)}


def in_thread(parent: Receipt) -> Content:
    """The relation of a part to the one before it; clients without threads show an answer."""
    data = dict(parent.data)
    return {
        "m.relates_to": {
            "rel_type": "m.thread",
            "event_id": data.get("root", parent.remote_id),
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": parent.remote_id},
        }
    }


def root_of(shown: Mapping[str, Any]) -> str | None:
    """The message that begins the thread in which an event stands; None outside of threads."""
    relation = shown.get("m.relates_to") or {}
    return str(relation["event_id"]) if relation.get("rel_type") == "m.thread" and relation.get("event_id") else None


def in_reply_to(event_id: str) -> Content:
    """The relation of what is added later to what it belongs to."""
    return {"m.relates_to": {"m.in_reply_to": {"event_id": event_id}}}


def current(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an event shows now: its newest edit, as the server bundles it, else itself."""
    relations = (event.get("unsigned") or {}).get("m.relations") or {}
    newest = (relations.get("m.replace") or {}).get("content") or {}
    shown = newest.get("m.new_content") or event.get("content") or {}
    return shown if isinstance(shown, Mapping) else {}


def _key(content: Content) -> Content:
    return {KEY: content[KEY]} if KEY in content else {}


def _size(content: Content) -> int:
    return len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def _spelt_out(text: str, spans: tuple[Span, ...]) -> str:
    """The text for clients that show no HTML: each link's address behind its words."""
    pieces, position = [], 0
    for span in spans:
        said = text[span.start : span.end]
        pieces.append(text[position : span.end] + ("" if span.url in said else f" ({span.url})"))
        position = span.end
    return "".join([*pieces, text[position:]])


def _html(rendition: Rendition) -> str:
    """The text in HTML, when that shows more than the text alone: links."""
    links = [(span.start, span.end, span.url) for span in rendition.spans]
    for found in addresses(rendition.text, bare=False):
        if all(found.end <= start or found.start >= end for start, end, _ in links):
            links.append((found.start, found.end, found.value))
    pieces, position = [], 0
    for start, end, url in sorted(links):
        pieces += [_escaped(rendition.text[position:start]), f'<a href="{escape(url)}">{_escaped(rendition.text[start:end])}</a>']
        position = end
    return "".join([*pieces, _escaped(rendition.text[position:])]) if links else ""


def _escaped(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>")

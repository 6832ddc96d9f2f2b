"""A rendition as a record of ``app.bsky.feed.post``, and the name it is put under. Pure.

https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/feed/post.json
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from syndicator.model import Attachment, Receipt, Rendition
from syndicator.text.facets import Facet, facets

COLLECTION = "app.bsky.feed.post"
VIDEO = "app.bsky.embed.video"
TAG_MAX_BYTES = 640
URI_MAX_BYTES = 8192
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_UNDATED = datetime(2020, 1, 1, tzinfo=UTC)
_LAST_SECOND = 2**53 // 10**6 - 1
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def record_key(rendition: Rendition, key: str) -> str:
    """The TID that this delivery is put under, at every attempt (https://atproto.com/specs/tid).

    The second is the item's own, so that names sort as posts do; all below it comes from the key, which holds the item, its part and its
    purpose: 2³⁰ names a second, where a clock's ten bits would let two items of one import overwrite each other. Without a date,
    the time comes from the key as well.
    """
    digest = hashlib.sha256(key.encode()).digest()
    noise, clock = int.from_bytes(digest[:8]), int.from_bytes(digest[8:10]) % 1024
    if rendition.published_at is None:
        micros = int(_UNDATED.timestamp()) * 10**6 + noise % 10**13
    else:
        micros = min(max(0, int(rendition.published_at.timestamp())), _LAST_SECOND) * 10**6 + noise % 10**6
    value = micros << 10 | clock
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(60, -1, -5))


def post_record(
    rendition: Rendition, now: datetime, *, embed: Mapping[str, Any] | None, parent: Receipt | None, label: str
) -> dict[str, Any]:
    """The record; equal for equal arguments, byte for byte."""
    text = _composed(rendition.text)
    record: dict[str, Any] = {"$type": COLLECTION, "text": text, "createdAt": _created_at(rendition, now)}
    if stretches := [_facet(found) for found in _usable(rendition)]:
        record["facets"] = stretches
    if rendition.language and _LANGUAGE.fullmatch(rendition.language):
        record["langs"] = [rendition.language]
    if embed:
        record["embed"] = embed
    if parent:
        record["reply"] = {"root": _root(parent), "parent": _reference(parent)}
    if rendition.sensitive or rendition.content_warning:
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": label}]}
    return record


def linked(rendition: Rendition) -> str | None:
    """What a card would lead to that nobody made: the first link of the text."""
    return next((found.value for found in _usable(rendition) if found.kind == "link"), None)


def card(rendition: Rendition, thumb: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The card that was made for the way home, else one that only names where the first link leads; None where there is none."""
    if rendition.card is not None:
        made = rendition.card
        external = {"uri": made.url, "title": made.title, "description": made.description, **({"thumb": thumb} if thumb else {})}
        return {"$type": "app.bsky.embed.external", "external": external}
    uri = linked(rendition)
    if uri is None:
        return None
    host = (urlsplit(uri).hostname or uri).removeprefix("www.")
    return {"$type": "app.bsky.embed.external", "external": {"uri": uri, "title": host, "description": ""}}


def images(pictures: list[dict[str, Any]]) -> dict[str, Any]:
    """Pictures, each made by ``image``."""
    return {"$type": "app.bsky.embed.images", "images": pictures}


def image(blob: Mapping[str, Any], alt: str, width: int | None, height: int | None) -> dict[str, Any]:
    """One picture; without its shape, the apps would guess one."""
    return {"image": blob, "alt": alt, **_shape(width, height)}


def video(film: Attachment, alt: str) -> dict[str, Any]:
    """A video, but for its blob; one without sound is shown as a GIF is."""
    kind = {"presentation": "gif"} if film.type == "gifv" else {}
    return {"$type": VIDEO, **({"alt": alt} if alt else {}), **_shape(film.width, film.height), **kind}


def receipt_of(uri: str, cid: str, handle: str, reply: Mapping[str, Any] | None) -> Receipt:
    """The proof, with what an answer to it will need: itself, and the root of the thread that it is in."""
    root = (reply or {}).get("root") or {"uri": uri, "cid": cid}
    return Receipt(
        remote_id=uri,
        url=f"https://bsky.app/profile/{handle}/post/{uri.rpartition('/')[2]}",
        uri=uri,
        data=(("cid", cid), ("root_uri", str(root["uri"])), ("root_cid", str(root["cid"]))),
    )


def _created_at(rendition: Rendition, now: datetime) -> str:
    """The date of the original; the parts of a thread a millisecond apart, because the apps leave the order of equal dates open."""
    at = (rendition.published_at or now) + timedelta(milliseconds=rendition.part)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shape(width: int | None, height: int | None) -> dict[str, Any]:
    return {"aspectRatio": {"width": width, "height": height}} if width and height and width > 0 and height > 0 else {}


def _composed(text: str) -> str:
    """As the server counts it, and as facets are counted."""
    return unicodedata.normalize("NFC", text)


def _usable(rendition: Rendition) -> list[Facet]:
    """Links, words that are links, and hashtags that the server takes: one too long would cost the whole post."""
    most = {"tag": TAG_MAX_BYTES, "link": URI_MAX_BYTES}
    text = rendition.text
    spans = [replace(one, start=len(_composed(text[: one.start])), end=len(_composed(text[: one.end]))) for one in rendition.spans]
    return [found for found in facets(_composed(text), spans) if len(found.value.encode()) <= most[found.kind]]


def _facet(found: Facet) -> dict[str, Any]:
    name = "uri" if found.kind == "link" else "tag"
    feature = {"$type": f"app.bsky.richtext.facet#{found.kind}", name: found.value}
    return {"index": {"byteStart": found.start, "byteEnd": found.end}, "features": [feature]}


def _reference(receipt: Receipt) -> dict[str, str]:
    return {"uri": receipt.remote_id, "cid": dict(receipt.data)["cid"]}


def _root(receipt: Receipt) -> dict[str, str]:
    data = dict(receipt.data)
    return {"uri": data["root_uri"], "cid": data["root_cid"]}

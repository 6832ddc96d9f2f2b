"""X's media: uploaded in one call or in segments, worked on for a while, described, and gone after a day when nothing shows them.

https://docs.x.com/x-api/media/quickstart/best-practices, https://docs.x.com/x-api/media/quickstart/media-upload-chunked
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from syndicator.sandbox.x_answers import invalid

Json = dict[str, Any]

MAX_BYTES = {"tweet_image": 5_000_000, "tweet_gif": 15_000_000, "tweet_video": 512_000_000}
SEGMENT_MAX_BYTES = 5_000_000
KEPT_S = 86_400
_PREFIX = {"tweet_image": "3", "tweet_gif": "16", "tweet_video": "13"}


@dataclass(kw_only=True)
class Media:
    """One file, of the account that uploaded it."""

    id: str
    category: str
    until: datetime
    data: bytes = b""
    total_bytes: int = 0
    segments: dict[int, bytes] = field(default_factory=dict)
    state: Literal["open", "pending", "in_progress", "succeeded", "failed"] = "open"
    asks_left: int = 0
    """How often its state is asked for before it is ready."""
    alt: str = ""
    sensitive: bool = False

    @property
    def key(self) -> str:
        """What posts call it."""
        return f"{_PREFIX[self.category]}_{self.id}"

    @property
    def json(self) -> Json:
        """As the upload calls answer it."""
        found: Json = {"id": self.id, "media_key": self.key, "size": len(self.data), "expires_after_secs": KEPT_S}
        if self.category == "tweet_image":
            return found | {"image": {"image_type": kind_of(self.data)}}
        progress: Json = {"state": self.state}
        if self.state in ("pending", "in_progress"):
            progress |= {"check_after_secs": 5, "progress_percent": 50 if self.state == "in_progress" else 0}
        return found | {"processing_info": progress}


class Shelf:
    """Everything that was uploaded."""

    def __init__(self) -> None:
        self.media: dict[str, Media] = {}
        self.asks = 1
        """How often the state of a video or GIF is asked for before it is ready."""
        self.fails = False
        """Whether X fails on videos and GIFs."""

    def get(self, media_id: str, now: datetime) -> Media:
        """One that is there still."""
        found = self.media.get(media_id)
        if found is None or found.until <= now:
            raise invalid("BadRequest: Not found", {"media_id": [media_id]})
        return found

    def image(self, media_id: str, body: Json, now: datetime) -> Media:
        """One call, one picture."""
        category, data = body["media_category"], decoded(body["media"])
        if category != "tweet_image" or not kind_of(data).startswith("image/"):
            raise invalid("media type unrecognized.", {"media_category": [category]})
        if len(data) > MAX_BYTES[category]:
            raise invalid(f"File size exceeds {MAX_BYTES[category]} bytes.", {"media": [str(len(data))]})
        found = Media(id=media_id, category=category, until=now + timedelta(seconds=KEPT_S), data=data, state="succeeded")
        self.media[media_id] = found
        return found

    def begin(self, media_id: str, body: Json, now: datetime) -> Media:
        """A session for segments."""
        category, total = body.get("media_category", "tweet_video"), body.get("total_bytes", 0)
        if category not in MAX_BYTES or not 0 < total <= MAX_BYTES[category]:
            raise invalid(f"File size exceeds {MAX_BYTES.get(category, 0)} bytes.", {"total_bytes": [str(total)]})
        found = Media(id=media_id, category=category, until=now + timedelta(seconds=KEPT_S), total_bytes=total)
        self.media[media_id] = found
        return found

    def append(self, found: Media, body: Json) -> None:
        """One segment; sending it again replaces it."""
        data = decoded(body["media"])
        if found.state != "open" or not 0 < len(data) <= SEGMENT_MAX_BYTES:
            raise invalid("Segment size must be at most 5 MB.", {"segment_index": [str(body["segment_index"])]})
        found.segments[body["segment_index"]] = data

    def finish(self, found: Media) -> None:
        """Put the segments together and begin to work on the file."""
        data = b"".join(found.segments[index] for index in sorted(found.segments))
        wanted = "image/gif" if found.category == "tweet_gif" else "video/"
        whole = sorted(found.segments) == list(range(len(found.segments))) and len(data) == found.total_bytes
        if found.state != "open" or not whole or not kind_of(data).startswith(wanted):
            raise invalid("Invalid Media Segments", {"id": [found.id]})
        found.data, found.state, found.asks_left = data, "pending", self.asks

    def ask(self, found: Media) -> None:
        """A question about its state is what makes time pass here."""
        if found.state in ("pending", "in_progress"):
            found.asks_left -= 1
            done: Literal["failed", "succeeded"] = "failed" if self.fails else "succeeded"
            found.state = "in_progress" if found.asks_left > 0 else done

    def describe(self, found: Media, metadata: Json) -> None:
        """Alt text and warning."""
        found.alt = metadata.get("alt_text", {}).get("text", found.alt)
        found.sensitive = any(metadata.get("sensitive_media_warning", {}).values()) or found.sensitive

    def attached(self, media_ids: list[str], now: datetime) -> list[Media]:
        """Those of a post: four pictures, or one GIF, or one video, all of them ready."""
        refused = invalid("Your media IDs are invalid.", {"media.media_ids": [str(media_ids)]})
        found = [self.media[media_id] for media_id in media_ids if media_id in self.media]
        if len(found) < len(media_ids) or len(set(media_ids)) < len(media_ids):
            raise refused
        if any(one.state != "succeeded" or one.until <= now for one in found):
            raise refused
        if len(found) > 1 and any(one.category != "tweet_image" for one in found):
            raise refused
        return found


def decoded(text: str) -> bytes:
    """Base64, as bodies in JSON carry files."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("media is not valid base64.", {"media": []}) from error


def kind_of(data: bytes) -> str:
    """The media type, by the first bytes."""
    starts = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif"}
    for start, kind in starts.items():
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "video/mp4" if data[4:8] == b"ftyp" else "application/octet-stream"

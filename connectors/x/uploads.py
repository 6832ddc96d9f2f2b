"""Pictures and videos on their way to a post: uploaded and described once, waited for without waiting, left out when they will never do."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.x.limits import GIF_MAX_BYTES, GIF_MAX_PIXELS, LIMITS, STILLS
from syndicator import media
from syndicator.contract import Context
from syndicator.errors import Gone, NotReady, Rejected, Transient, Unprepared
from syndicator.media import MediaFile, VideoFile
from syndicator.model import Attachment, Rendition

if TYPE_CHECKING:
    from connectors.x.client import Client

SEGMENT_BYTES = 3_000_000
"""Below X's 5 MB also as base64."""
KEPT_S = 86_400
MARGIN = timedelta(minutes=10)
"""What X would drop so soon is not used any more."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that X has; ``url`` is where it came from."""

    url: str
    media_id: str
    ready: bool
    until: datetime


class Uploads:
    """The uploads of the deliveries under way, by delivery and origin: a second attempt neither uploads nor pays again."""

    def __init__(self, context: Context, client: Callable[[], Client]) -> None:
        self._context = context
        self._client = client
        self._pending: dict[tuple[str, str], Upload] = {}

    async def of(self, rendition: Rendition, key: str) -> list[Upload]:
        """Every attachment that will do, uploaded and described."""
        files = []
        attachments = rendition.attachments[: LIMITS.media.images_max]
        for attachment in attachments:
            file = self._pending.get((key, attachment.url))
            if file is None:
                file = await self._upload(attachment, alone=len(attachments) == 1, sensitive=rendition.sensitive)
            if file is not None:
                self._pending[key, attachment.url] = file
                files.append(file)
        return files

    async def settled(self, files: list[Upload], key: str) -> list[str]:
        """The ids of those that can be attached. Raises Transient while X works on one, Unprepared when it has one no longer."""
        ids = []
        for file in files:
            if file.until - MARGIN <= self._context.now():
                self.forget(key)
                raise Unprepared(f"X keeps {file.url} no longer")
            if file.ready or await self._is_ready(file, key):
                ids.append(file.media_id)
        return ids

    def forget(self, key: str) -> None:
        """They are attached now, or lost."""
        self._pending = {name: file for name, file in self._pending.items() if name[0] != key}

    async def _is_ready(self, file: Upload, key: str) -> bool:
        """False when X has failed on it for good."""
        try:
            document = await self._client().ask("/2/media/upload", {"media_id": file.media_id, "command": "STATUS"})
        except (Rejected, Gone) as error:
            self.forget(key)
            raise Unprepared(error.detail) from error
        state = _state(document.get("data"))
        if state == "failed":
            self._context.log.warning("media left out url=%s: X failed on it", file.url)
            return False
        if state != "succeeded":
            raise NotReady(f"X is still working on {file.url}")
        return True

    async def _upload(self, attachment: Attachment, *, alone: bool, sensitive: bool) -> Upload | None:
        """None when the file will never do: a picture never stops a text."""
        try:
            file = await self.fetched(attachment, alone=alone)
            upload = await self._sent(attachment.url, file)
            if isinstance(file, VideoFile):
                await media.forget(file)
            await self._describe(upload, media.shorten_alt(attachment.description, LIMITS.media.alt_max), sensitive=sensitive)
        except (Rejected, Gone) as error:
            self._context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            return None
        return upload

    async def fetched(self, attachment: Attachment, *, alone: bool) -> MediaFile | VideoFile:
        """The file within X's limits: a GIF moves only where it stands alone, a video lies on the disk."""
        rules, http, cache_dir = LIMITS.media, self._context.http, self._context.state_dir / "media"
        if attachment.type in ("video", "gifv"):
            return await media.fetch_file(http, attachment, rules, cache_dir=cache_dir)
        if alone and attachment.media_type == "image/gif":
            wide = replace(rules, image_max_bytes=GIF_MAX_BYTES, image_max_pixels=GIF_MAX_PIXELS)
            file = await media.fetch(http, attachment, wide, cache_dir=cache_dir)
            if file.media_type == "image/gif":
                return file
        rules = rules if alone else replace(rules, image_types=STILLS)
        return await media.fetch(http, attachment, rules, cache_dir=cache_dir)

    async def _sent(self, url: str, file: MediaFile | VideoFile) -> Upload:
        if isinstance(file, MediaFile) and file.media_type in STILLS:
            body = {"media": _base64(file.data), "media_category": "tweet_image"}
            return self._made(url, await self._client().send("/2/media/upload", body), ready=True)
        category, size = ("tweet_gif", len(file.data)) if isinstance(file, MediaFile) else ("tweet_video", file.size_bytes)
        begun = {"media_category": category, "media_type": file.media_type, "total_bytes": size}
        made = self._made(url, await self._client().send("/2/media/upload/initialize", begun), ready=False)
        route = f"/2/media/upload/{made.media_id}"
        for index, start in enumerate(range(0, size, SEGMENT_BYTES)):
            segment = {"media": _base64(await _piece(file, start)), "segment_index": index}
            await self._client().send(f"{route}/append", segment)
        finished = await self._client().send(f"{route}/finalize", None)
        if _state(finished) == "failed":
            raise Rejected("X failed on it")
        return replace(made, ready=_state(finished) == "succeeded")

    def _made(self, url: str, data: Mapping[str, Any], *, ready: bool) -> Upload:
        seconds = data.get("expires_after_secs")
        if not data.get("id"):
            raise Transient("X does not name the upload")
        kept = timedelta(seconds=min(seconds, KEPT_S) if isinstance(seconds, int) else KEPT_S)
        return Upload(url=url, media_id=str(data["id"]), ready=ready and _state(data) == "succeeded", until=self._context.now() + kept)

    async def _describe(self, upload: Upload, description: str, *, sensitive: bool) -> None:
        """Alt text and warning, in one call that is paid for once. What was to be hidden is not shown when X will not hide it."""
        metadata: dict[str, Any] = {"alt_text": {"text": description}} if description else {}
        if sensitive:
            metadata["sensitive_media_warning"] = {"adult_content": False, "graphic_violence": False, "other": True}
        if not metadata:
            return
        try:
            await self._client().send("/2/media/metadata", {"id": upload.media_id, "metadata": metadata})
        except (Rejected, Gone) as error:
            if sensitive:
                raise
            self._context.log.warning("description left out url=%s: %s", upload.url, error.detail)


def to_json(files: list[Upload]) -> str:
    """What ``publish`` needs to know of ``files``."""
    return json.dumps([[file.url, file.media_id, file.ready, file.until.isoformat()] for file in files])


def from_json(prepared: str) -> list[Upload]:
    """The inverse of ``to_json``."""
    entries = json.loads(prepared)
    return [Upload(url=url, media_id=number, ready=ready, until=datetime.fromisoformat(until)) for url, number, ready, until in entries]


def _state(data: Any) -> str:
    """How far X is with a file; one that it says nothing of is ready (``processing_info`` is for GIFs and videos)."""
    progress = data.get("processing_info") if isinstance(data, Mapping) else None
    return str(progress.get("state")) if isinstance(progress, Mapping) else "succeeded"


async def _piece(file: MediaFile | VideoFile, start: int) -> bytes:
    """One segment of a file, of which no more than that is in memory when it is a video."""
    if isinstance(file, MediaFile):
        return file.data[start : start + SEGMENT_BYTES]
    return await asyncio.to_thread(_read, file.path, start)


def _read(path: Path, start: int) -> bytes:
    try:
        with path.open("rb") as opened:
            opened.seek(start)
            return opened.read(SEGMENT_BYTES)
    except OSError as error:
        raise Transient(f"{path.name}: {error}") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()

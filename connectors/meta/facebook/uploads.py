"""Pictures and videos on their way to a post: at Facebook, and seen by nobody yet."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Protocol

import aiohttp

from connectors.meta.graph import Effect, Json
from syndicator.errors import Transient
from syndicator.media import MediaFile, VideoFile

CHUNK_MAX_BYTES = 20_000_000
"""What is in memory of a video at one time."""


class Page(Protocol):
    """A call on one of the Page's edges."""

    async def __call__(self, method: str, edge: str, *, effect: Effect = "none", json: Any = None, data: Any = None) -> Json: ...


@dataclass(frozen=True, kw_only=True)
class Video:
    """An upload that is complete and not yet published; its number is known before."""

    session: str
    id: str


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is at Facebook before a post: seen by nobody, dropped after a day."""

    at: datetime
    photos: tuple[str, ...] = ()
    video: Video | None = None

    def to_json(self) -> str:
        """What the core keeps."""
        return json.dumps({**asdict(self), "at": self.at.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> Prepared:
        """The inverse of ``to_json``."""
        found = json.loads(text)
        video = Video(**found["video"]) if found["video"] else None
        return cls(at=datetime.fromisoformat(found["at"]), photos=tuple(found["photos"]), video=video)


async def upload_photo(page: Page, file: MediaFile) -> str:
    """Its number."""
    fields = {"published": "false", "temporary": "true", "alt_text_custom": file.description}
    form = _form(file.data, "source", file.name, file.media_type, **fields)
    answer = await page("POST", "photos", effect="private", data=form)
    if not answer.get("id"):
        raise Transient("the answer names no picture")
    return str(answer["id"])


async def upload_video(page: Page, file: VideoFile) -> Video:
    """Facebook says which bytes it wants next, until it has all (https://developers.facebook.com/docs/graph-api/video-uploads)."""
    asked = await page("POST", "videos", effect="private", json={"upload_phase": "start", "file_size": file.size_bytes})
    video = Video(session=str(asked.get("upload_session_id") or ""), id=str(asked.get("video_id") or ""))
    if not video.session or not video.id:
        raise Transient("the answer names no upload")
    start, end = _offsets(asked)
    while start < end:
        chunk = await asyncio.to_thread(_read, file, start, end)
        form = _form(
            chunk, "video_file_chunk", "video", file.media_type,
            upload_phase="transfer", upload_session_id=video.session, start_offset=str(start),
        )  # fmt: skip
        before, (start, end) = start, _offsets(await page("POST", "videos", effect="private", data=form))
        if start <= before:
            raise Transient(f"the upload does not get beyond {start} bytes")
    if start != file.size_bytes:
        raise Transient("the upload ended before the video did")
    return video


def _read(file: VideoFile, start: int, end: int) -> bytes:
    try:
        with file.path.open("rb") as opened:
            opened.seek(start)
            return opened.read(min(end - start, CHUNK_MAX_BYTES))
    except OSError as error:
        raise Transient(f"{file.path.name}: {error}") from error


def _form(data: bytes, name: str, filename: str, media_type: str, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for field, value in fields.items():
        if value:
            form.add_field(field, value)
    form.add_field(name, BytesIO(data), filename=filename, content_type=media_type)
    return form


def _offsets(answer: Json) -> tuple[int, int]:
    """Text in Facebook's answers."""
    try:
        return int(answer.get("start_offset", "")), int(answer.get("end_offset", ""))
    except ValueError as error:
        raise Transient("the answer names no bytes to send") from error

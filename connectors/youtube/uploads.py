"""A file on its way to YouTube: a session that knows how far it is, and is asked.

https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime

from connectors.youtube.answers import Json, error_of, host_of
from connectors.youtube.client import Client
from syndicator.errors import OutcomeUnknown, Transient, Unprepared
from syndicator.http import Response
from syndicator.media import VideoFile

CHUNK_BYTES = 32 * 256 * 1024
"""A multiple of 256 KiB; what is in memory of a video at one time."""
CHUNK_TIMEOUT_S = 900.0
_RANGE = re.compile(r"bytes=0-(\d+)")


@dataclass(frozen=True, kw_only=True)
class Session:
    """An upload that was begun: kept before the first byte leaves. Its address is as good as a key."""

    uri: str
    size_bytes: int
    sha256: str
    at: datetime

    def to_json(self) -> str:
        """What the core keeps."""
        return json.dumps({**asdict(self), "at": self.at.isoformat()})

    @classmethod
    def from_json(cls, text: str) -> Session:
        """The inverse of ``to_json``."""
        found = json.loads(text)
        return cls(**{**found, "at": datetime.fromisoformat(found["at"])})


async def begin(client: Client, url: str, params: dict[str, str], resource: Json, file: VideoFile, now: datetime) -> Session:
    """Tell YouTube what will come; nobody sees anything of it before the last byte is there."""
    headers = {"X-Upload-Content-Length": str(file.size_bytes), "X-Upload-Content-Type": file.media_type}
    response = await client.send("POST", url, params=params, json=resource, headers=headers, safe=True)
    location = response.headers.get("Location", "")
    if not location.startswith(("https://", "http://")):
        raise Transient("YouTube does not say where to send the video")
    return Session(uri=location, size_bytes=file.size_bytes, sha256=file.sha256, at=now)


async def ask(client: Client, session: Session, now: datetime) -> int | Json:
    """How many bytes YouTube has, or the video that they have become. Raises Unprepared when the session is no more."""
    headers = {"Content-Range": f"bytes */{session.size_bytes}", "Content-Length": "0"}
    response = await client.send("PUT", session.uri, headers=headers, encoded=True, safe=True, raises=False)
    return _progress(response, now, write=False)


async def send(client: Client, session: Session, file: VideoFile, start: int, now: datetime) -> Json:
    """Send the rest, from ``start``; the video. Each answer says what has arrived, which may be less than what was sent."""
    while True:
        last = start + CHUNK_BYTES >= file.size_bytes
        chunk = await asyncio.to_thread(_read, file, start)
        headers = {"Content-Range": f"bytes {start}-{start + len(chunk) - 1}/{file.size_bytes}", "Content-Type": file.media_type}
        response = await client.send(
            "PUT", session.uri, headers=headers, body=chunk, encoded=True, timeout_s=CHUNK_TIMEOUT_S, safe=not last, raises=False
        )
        reached = _progress(response, now, write=last)
        if not isinstance(reached, int):
            return reached
        if reached <= start:
            raise Transient(f"the upload does not get beyond {start} bytes")
        start = reached


def _progress(response: Response, now: datetime, *, write: bool) -> int | Json:
    if response.status == 308:
        found = _RANGE.fullmatch(response.headers.get("Range", ""))
        return int(found[1]) + 1 if found else 0
    if response.status in (404, 410):
        raise Unprepared(f"{host_of(response.url)} does not know this upload any more")
    error = error_of(response, now, write=write)
    if error is not None:
        raise error
    video = response.json_object()
    if not video.get("id"):
        said = "YouTube's answer names no video"
        raise OutcomeUnknown(said) if write else Transient(said)
    return video


def _read(file: VideoFile, start: int) -> bytes:
    try:
        with file.path.open("rb") as opened:
            opened.seek(start)
            chunk = opened.read(CHUNK_BYTES)
    except OSError as error:
        raise Transient(f"{file.path.name}: {error}") from error
    if not chunk:
        raise Transient(f"{file.path.name} ends at {start} bytes")
    return chunk

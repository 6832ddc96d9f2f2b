"""Pictures and videos of strangers, made fit to be shown elsewhere.

What a stranger's server sends is fetched through the guarded client without any credential, believed by its first bytes and never by
its name or header, made anew in a process of its own (``shaping.py``), and fetched once: the cache is kept by address and limits, its
files are named by content.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
import unicodedata
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from syndicator.contract import MediaLimits
from syndicator.errors import AuthExpired, ConnectorError, Gone, RateLimited, Rejected, Transient
from syndicator.http import IMAGE_MAX_BYTES, Http, error_for
from syndicator.model import Attachment
from syndicator.shaping import MediaFile, clean_gif, shape, shape_apart, sniff, video_max_bytes

__all__ = ["MediaFile", "clean_gif", "fetch", "shape", "shorten_alt", "sniff"]

VIDEO_TIMEOUT_S = 180.0
CACHE_MAX_BYTES = 200_000_000
_SHAPED_BY = "1"
"""Part of the cache's keys: raise it when the same input gives other bytes."""


async def fetch(http: Http, attachment: Attachment, limits: MediaLimits, *, cache_dir: Path) -> MediaFile:
    """The attachment as ``limits`` allow it; the second time, without asking the origin again.

    Raises Transient when it cannot be had now, Rejected when it will never be of use as media there.
    """
    key = _key(attachment.url, limits)
    found = await asyncio.to_thread(_read, cache_dir, key)
    if found is None:
        _refuse_early(attachment, limits)
        data = await _download(http, attachment, limits)
        found = await asyncio.to_thread(shape_apart, data, limits)
        await asyncio.to_thread(_write, cache_dir, key, found)
    return replace(found, description=shorten_alt(attachment.description, limits.alt_max))


def shorten_alt(text: str, alt_max: int | None) -> str:
    """``text`` within ``alt_max`` characters, cut at a word, with an ellipsis."""
    text = unicodedata.normalize("NFC", text).strip()
    if alt_max is None or len(text) <= alt_max:
        return text
    if alt_max < 1:
        return ""
    cut = alt_max - 1
    space = max(text.rfind(" ", 0, cut + 1), text.rfind("\n", 0, cut + 1))
    if space > alt_max // 2:
        return text[:space].rstrip(" \n,;:.") + "…"
    while cut > 0 and (_continues(text[cut]) or text[cut - 1] == "\u200d"):
        cut -= 1
    return text[:cut].rstrip() + "…"


def _continues(character: str) -> bool:
    """Whether it belongs to the character before it: combining marks, joiners, variation selectors, skin tones."""
    return unicodedata.category(character) in {"Mn", "Me", "Mc"} or character == "\u200d" or "\U0001f3fb" <= character <= "\U0001f3ff"


def _refuse_early(attachment: Attachment, limits: MediaLimits) -> None:
    if attachment.type not in ("video", "gifv"):
        return
    if not limits.videos_max:
        raise Rejected(f"{attachment.url}: no videos there")
    if attachment.size_bytes is not None and attachment.size_bytes > video_max_bytes(limits):
        raise Rejected(f"{attachment.url}: a video of {attachment.size_bytes} bytes is too large")
    if attachment.duration_s is not None and limits.video_max_s is not None and attachment.duration_s > limits.video_max_s:
        raise Rejected(f"{attachment.url}: a video of {attachment.duration_s:.0f} s is too long")


async def _download(http: Http, attachment: Attachment, limits: MediaLimits) -> bytes:
    if attachment.type in ("video", "gifv"):
        response = await http.get(attachment.url, max_bytes=video_max_bytes(limits), timeout_s=VIDEO_TIMEOUT_S)
    else:
        response = await http.get(attachment.url, max_bytes=IMAGE_MAX_BYTES)
    error = error_for(response, http.now())
    if error is None:
        return response.body
    raise _about_the_file(error) from error


def _about_the_file(error: ConnectorError) -> ConnectorError:
    """The origin's refusal concerns this file only: it must neither pause the destination's account nor make it wait."""
    if isinstance(error, RateLimited):
        return Transient(error.detail)
    if isinstance(error, AuthExpired | Gone):
        return Rejected(error.detail)
    return error


def _key(url: str, limits: MediaLimits) -> str:
    shaping = (limits.image_types, limits.image_max_bytes, limits.image_max_pixels)
    video = (limits.videos_max > 0, limits.video_types, limits.video_max_bytes)
    return hashlib.sha256(repr((_SHAPED_BY, url, shaping, video)).encode()).hexdigest()[:32]


def _read(cache_dir: Path, key: str) -> MediaFile | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        entry = json.loads((cache_dir / f"{key}.json").read_bytes())
        data = (cache_dir / Path(entry["file"]).name).read_bytes()
        found = MediaFile(data=data, media_type=entry["media_type"], width=entry["width"], height=entry["height"], description="")
        return found if found.name == entry["file"] else None
    return None


def _write(cache_dir: Path, key: str, found: MediaFile) -> None:
    """Keep it. A cache that cannot be written is no reason not to publish."""
    with suppress(OSError):
        cache_dir.mkdir(parents=True, exist_ok=True)
        _make_room(cache_dir, len(found.data))
        _replace(cache_dir / found.name, found.data)
        entry = {"file": found.name, "media_type": found.media_type, "width": found.width, "height": found.height}
        _replace(cache_dir / f"{key}.json", json.dumps(entry).encode())


def _replace(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise


def _make_room(cache_dir: Path, size_bytes: int) -> None:
    """Drop the oldest until ``size_bytes`` more fit."""
    files = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in cache_dir.iterdir())
    excess = sum(size for _, size, _ in files) + size_bytes - CACHE_MAX_BYTES
    for _, size, path in files:
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= size

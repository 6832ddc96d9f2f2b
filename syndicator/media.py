"""Pictures and videos of strangers, made fit to be shown elsewhere.

What a stranger's server sends is fetched through the guarded client without any credential, believed by its first bytes and never by
its name or header, made anew in a process of its own (``shaping.py``), and fetched once: the cache is kept by address and limits, and by
content for what came from another address; its files are named by content. The address of a generated picture (``text/face.py``) is not
fetched but drawn, that of a file that a person named (``file:``, ``own_url``) is read from the disk; both are otherwise like any.

What is too large for memory goes to disk: ``fetch_file``. Such a file stays until ``forget``, at most two days after its last use, and
all of them together within ``FILES_MAX_BYTES``, the oldest leaving first.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tempfile
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from syndicator.contract import MediaLimits
from syndicator.errors import AuthExpired, ConnectorError, Gone, RateLimited, Rejected, Transient
from syndicator.formats import HEAD_BYTES, duration_s, sniff
from syndicator.http import IMAGE_MAX_BYTES, Http, error_for
from syndicator.model import Attachment
from syndicator.shaping import MediaFile, clean_gif, draw_apart, refuse_long, shape, shape_apart, shape_widths_apart, video_max_bytes
from syndicator.text.face import SCHEME, from_url

__all__ = [
    "MediaFile", "VideoFile", "clean_gif", "fetch", "fetch_file", "fetch_widths", "forget", "own_url", "shape", "shorten_alt", "sniff",
]  # fmt: skip

VIDEO_TIMEOUT_S = 180.0
CACHE_MAX_BYTES = 200_000_000
FILE_MAX_BYTES = 10_000_000_000
"""The largest video that is carried, whatever a destination takes."""
FILES_MAX_BYTES = 20_000_000_000
FILE_AGE = timedelta(days=2)
FILE_TIMEOUT_S = 3 * 3600.0
_SHAPED_BY = "2"
"""Part of the cache's keys: raise it when the same input gives other bytes."""


@dataclass(frozen=True, kw_only=True)
class VideoFile:
    """A video on disk, within a destination's limits; a path, to whoever opens it."""

    path: Path
    media_type: str
    """What its first bytes say."""
    size_bytes: int
    sha256: str
    duration_s: float | None
    """As the file says, else as its origin does."""

    def __fspath__(self) -> str:
        return str(self.path)


async def fetch(http: Http, attachment: Attachment, limits: MediaLimits, *, cache_dir: Path) -> MediaFile:
    """The attachment as ``limits`` allow it; the second time, without asking the origin again.

    Raises Transient when it cannot be had now, Rejected when it will never be of use as media there.
    """
    return (await fetch_widths(http, attachment, limits, (), cache_dir=cache_dir))[0]


async def fetch_widths(
    http: Http, attachment: Attachment, limits: MediaLimits, widths: Sequence[int], *, cache_dir: Path
) -> tuple[MediaFile, ...]:
    """As ``fetch``, and after it copies of a still picture in these ``widths``, as far as they are clearly less: fetched and decoded
    once for all.

    Raises as ``fetch``.
    """
    key = await asyncio.to_thread(_key, attachment.url, limits, http.own_files, widths)
    found = await asyncio.to_thread(_read, cache_dir, key)
    if found is None and attachment.url.startswith(SCHEME):
        found = (await _draw(http, attachment, limits),)
        await asyncio.to_thread(_write, cache_dir, key, found)
    elif found is None:
        found = await _fetch(http, attachment, limits, widths, cache_dir)
        await asyncio.to_thread(_write, cache_dir, key, found)
    description = shorten_alt(attachment.description, limits.alt_max)
    return tuple(replace(one, description=description) for one in found)


async def _fetch(http: Http, attachment: Attachment, limits: MediaLimits, widths: Sequence[int], cache_dir: Path) -> tuple[MediaFile, ...]:
    _refuse_early(attachment, limits, video_max_bytes(limits))
    data = await _download(http, attachment, limits)
    if not widths:
        return (await asyncio.to_thread(shape_apart, data, limits),)
    key = await asyncio.to_thread(_content_key, data, limits, widths)
    found = await asyncio.to_thread(_read, cache_dir, key)
    if found is None:
        found = await asyncio.to_thread(shape_widths_apart, data, limits, widths)
        await asyncio.to_thread(_write, cache_dir, key, found)
    return found


def own_url(path: Path) -> str:
    """The address of a picture file that a person named; another one once the file has changed. Raises OSError when it is not there."""
    status = path.stat()
    return f"{path.absolute().as_uri()}#{status.st_mtime_ns}-{status.st_size}"


async def _draw(http: Http, attachment: Attachment, limits: MediaLimits) -> MediaFile:
    face = from_url(attachment.url)
    if face is None:
        raise Rejected("a damaged address of a generated picture")
    return await asyncio.to_thread(draw_apart, face, limits, logo=_logo(face.logo, http.own_files))


def _logo(path: str, own_files: frozenset[Path]) -> Path | None:
    """The file, if a person named it: what a stranger's address says of this machine's files is not believed."""
    return Path(path) if path and Path(path) in own_files else None


async def fetch_file(http: Http, attachment: Attachment, limits: MediaLimits, *, cache_dir: Path) -> VideoFile:
    """The video as a file on disk, never in memory; begun again where an earlier attempt broke off, if its server can do that.

    Give it back with ``forget`` when it has left. Raises Transient when it cannot be had now, Rejected when it will never be of use there.
    """
    max_bytes = min(limits.video_max_bytes or FILE_MAX_BYTES, FILE_MAX_BYTES)
    _refuse_early(attachment, limits, max_bytes)
    path = cache_dir / "videos" / hashlib.sha256(attachment.url.encode()).hexdigest()[:32]
    await asyncio.to_thread(_sweep, path, http.now(), attachment.size_bytes or 0)
    if not path.exists():
        response = await http.download(attachment.url, path, max_bytes=max_bytes, timeout_s=FILE_TIMEOUT_S)
        error = error_for(response, http.now())
        if error is not None:
            raise _about_the_file(error) from error
    return await asyncio.to_thread(_checked, path, limits, http.now(), attachment.duration_s)


async def forget(file: VideoFile) -> None:
    """Give the disk its room back; safe to call twice."""
    await asyncio.to_thread(file.path.unlink, missing_ok=True)


def _checked(path: Path, limits: MediaLimits, now: datetime, claimed_s: float | None) -> VideoFile:
    """What the file is; it goes when it is of no use there."""
    try:
        with path.open("rb") as file:
            media_type = _video_type(file.read(HEAD_BYTES), limits)
            lasts_s = duration_s(file) or claimed_s
            refuse_long(lasts_s, limits)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        os.utime(path, (now.timestamp(), now.timestamp()))
        return VideoFile(path=path, media_type=media_type, size_bytes=path.stat().st_size, sha256=sha256, duration_s=lasts_s)
    except Rejected:
        path.unlink()
        raise
    except OSError as error:
        raise Transient(f"{path.name}: {error}") from error


def _video_type(head: bytes, limits: MediaLimits) -> str:
    media_type = sniff(head)
    if media_type is None or not limits.videos_max or media_type not in limits.video_types:
        raise Rejected(f"no {media_type or 'file of this kind'} there")
    return media_type


def _sweep(path: Path, now: datetime, size_bytes: int) -> None:
    """Make the folder, and room in it: what is old goes, then the oldest, never what belongs to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    others = sorted(
        (each.stat().st_mtime, each.stat().st_size, each) for each in path.parent.iterdir() if not each.name.startswith(path.name)
    )
    excess = sum(size for _, size, _ in others) + size_bytes - FILES_MAX_BYTES
    for changed_at, size, each in others:
        if excess > 0 or now.timestamp() - changed_at > FILE_AGE.total_seconds():
            each.unlink(missing_ok=True)
            excess -= size


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


def _refuse_early(attachment: Attachment, limits: MediaLimits, max_bytes: int) -> None:
    if attachment.type not in ("video", "gifv"):
        return
    if not limits.videos_max:
        raise Rejected(f"{attachment.url}: no videos there")
    if attachment.size_bytes is not None and attachment.size_bytes > max_bytes:
        raise Rejected(f"{attachment.url}: a video of {attachment.size_bytes} bytes is too large")
    if attachment.duration_s is not None and limits.video_max_s is not None and attachment.duration_s > limits.video_max_s:
        raise Rejected(f"{attachment.url}: a video of {attachment.duration_s:.0f} s is too long")


async def _download(http: Http, attachment: Attachment, limits: MediaLimits) -> bytes:
    own = next((path for path in http.own_files if attachment.url.partition("#")[0] == path.absolute().as_uri()), None)
    if own is not None:
        return await asyncio.to_thread(_read_own, own)
    if attachment.type in ("video", "gifv"):
        response = await http.get(attachment.url, max_bytes=video_max_bytes(limits), timeout_s=VIDEO_TIMEOUT_S)
    else:
        response = await http.get(attachment.url, max_bytes=IMAGE_MAX_BYTES)
    error = error_for(response, http.now())
    if error is None:
        return response.body
    raise _about_the_file(error) from error


def _read_own(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(IMAGE_MAX_BYTES + 1)
    except OSError as error:
        raise Transient(f"{path}: {error.strerror or error}") from error
    if len(data) > IMAGE_MAX_BYTES:
        raise Rejected(f"{path}: more than {IMAGE_MAX_BYTES} bytes")
    return data


def _about_the_file(error: ConnectorError) -> ConnectorError:
    """The origin's refusal concerns this file only: it must neither pause the destination's account nor make it wait."""
    if isinstance(error, RateLimited):
        return Transient(error.detail)
    if isinstance(error, AuthExpired | Gone):
        return Rejected(error.detail)
    return error


def _content_key(data: bytes, limits: MediaLimits, widths: Sequence[int]) -> str:
    return _digest(hashlib.sha256(data).hexdigest(), replace(limits, alt_max=None), tuple(widths))


def _key(url: str, limits: MediaLimits, own_files: frozenset[Path], widths: Sequence[int]) -> str:
    """Of all that decides what comes out; the alt text is cut each time."""
    logo = None
    face = from_url(url)
    if face is not None and (path := _logo(face.logo, own_files)) is not None:
        with suppress(OSError):
            logo = path.stat().st_mtime_ns, path.stat().st_size
    return _digest(url, replace(limits, alt_max=None), logo, *((tuple(widths),) if widths else ()))


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr((_SHAPED_BY, *parts)).encode("utf-8", "replace")).hexdigest()[:32]


def _read(cache_dir: Path, key: str) -> tuple[MediaFile, ...] | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        entry = json.loads((cache_dir / f"{key}.json").read_bytes())
        return tuple(_read_one(cache_dir, one) for one in (entry, *entry.get("narrower", ())))
    return None


def _read_one(cache_dir: Path, entry: dict[str, Any]) -> MediaFile:
    data = (cache_dir / Path(entry["file"]).name).read_bytes()
    found = MediaFile(data=data, media_type=entry["media_type"], width=entry["width"], height=entry["height"], description="")
    if found.name != entry["file"]:
        raise ValueError(f"{entry['file']} is damaged")
    return found


def _write(cache_dir: Path, key: str, found: tuple[MediaFile, ...]) -> None:
    """Keep it. A cache that cannot be written is no reason not to publish."""
    with suppress(OSError):
        cache_dir.mkdir(parents=True, exist_ok=True)
        _make_room(cache_dir, sum(len(one.data) for one in found))
        for one in found:
            _replace(cache_dir / one.name, one.data)
        entry, *narrower = [{"file": one.name, "media_type": one.media_type, "width": one.width, "height": one.height} for one in found]
        _replace(cache_dir / f"{key}.json", json.dumps(entry | ({"narrower": narrower} if narrower else {})).encode())


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
    files = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in cache_dir.iterdir() if path.is_file())
    excess = sum(size for _, size, _ in files) + size_bytes - CACHE_MAX_BYTES
    for _, size, path in files:
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= size

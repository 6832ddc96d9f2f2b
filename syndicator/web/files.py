"""Files as they are served: checked, hashed, compressed once, kept in memory within a bound, and noticed when they change on disk."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
import stat
from collections import OrderedDict
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import IO

from multidict import CIMultiDict

from syndicator.web.policy import policy
from syndicator.web.types import cache_control, file_type

KEPT_MAX_BYTES = 8_000_000
"""All bodies in memory together."""
BODY_MAX_BYTES = 1_000_000
"""A larger file is read from disk each time."""
GZIP_MAX_BYTES = 16_000_000
"""A larger text is sent as it is."""
GZIP_MIN_BYTES = 600
"""Less than one packet is not worth it."""
CHUNK_BYTES = 262_144
ENTRY_BYTES = 2_000
"""What an entry takes beside its bodies, roughly."""

Stamp = tuple[int, int, int]
"""(mtime_ns, size, inode): what changes when a file is replaced."""


@dataclass(frozen=True, kw_only=True)
class File:
    """One file, ready to go out."""

    path: Path
    stamp: Stamp
    body: bytes | None
    """None for what is too large to keep."""
    compressed: bytes | None
    headers: CIMultiDict[str]
    """Of the plain form; not to be changed."""
    compressed_headers: CIMultiDict[str]
    modified_s: int
    etags: tuple[str, str]
    """Of the plain and of the compressed form."""

    @property
    def cost_bytes(self) -> int:
        """What it takes in memory."""
        return len(self.body or b"") + len(self.compressed or b"") + ENTRY_BYTES


def stamp_of(status: os.stat_result) -> Stamp:
    """What tells one version of a file from another."""
    return (status.st_mtime_ns, status.st_size, status.st_ino)


class Files:
    """Everything recently asked for."""

    def __init__(self, *, kept_max_bytes: int = KEPT_MAX_BYTES) -> None:
        self._kept_max_bytes = kept_max_bytes
        self._kept: OrderedDict[str, File] = OrderedDict()
        self._kept_bytes = 0
        self._loading: dict[str, asyncio.Task[File | None]] = {}

    def kept(self, folder: str, name: str) -> File | None:
        """The file, if it is in memory and still the same on disk: one ``stat``."""
        key = f"{folder}/{name}"
        file = self._kept.get(key)
        if file is None:
            return None
        try:
            found = os.stat(key)  # noqa: PTH116 - the hot path: a Path costs as much as the rest of it
        except OSError:
            found = None
        if found is None or stamp_of(found) != file.stamp:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return file

    async def load(self, folder: str, name: str) -> File | None:
        """Read it from disk, once however many ask; None when there is no such file inside ``folder``."""
        key = f"{folder}/{name}"
        task = self._loading.get(key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(_read, folder, name))
            self._loading[key] = task
            task.add_done_callback(lambda done: self._arrived(key, done))
        return await asyncio.shield(task)

    def _arrived(self, key: str, task: asyncio.Task[File | None]) -> None:
        self._loading.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        file = task.result()
        if file is None:
            return
        self._drop(key)
        self._kept[key] = file
        self._kept_bytes += file.cost_bytes
        while self._kept_bytes > self._kept_max_bytes and self._kept:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        file = self._kept.pop(key, None)
        if file is not None:
            self._kept_bytes -= file.cost_bytes


def _read(folder: str, name: str) -> File | None:
    """Only a regular file that is really inside the folder, whatever links lead there."""
    try:
        root = Path(folder).resolve(strict=True)
        path = (root / name).resolve(strict=True)
        if not path.is_relative_to(root):
            return None
        with open(path, "rb", opener=_without_waiting) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                return None
            whole = stream.read() if status.st_size <= _kept_max(name) else None
            digest = hashlib.blake2b(whole, digest_size=16) if whole is not None else _digest(stream)
    except (OSError, ValueError):
        return None
    return _file(name, path, status, whole, digest.hexdigest())


def _without_waiting(path: str, flags: int) -> int:
    """A named pipe in the folder must not hang us."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _digest(stream: IO[bytes]) -> hashlib.blake2b:
    digest = hashlib.blake2b(digest_size=16)
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest


def _kept_max(name: str) -> int:
    return GZIP_MAX_BYTES if file_type(name).text else BODY_MAX_BYTES


def _file(name: str, path: Path, status: os.stat_result, whole: bytes | None, digest: str) -> File:
    kind = file_type(name)
    compressed = None
    if whole is not None and kind.text and len(whole) >= GZIP_MIN_BYTES:
        smaller = gzip.compress(whole, 6, mtime=0)
        compressed = smaller if len(smaller) < len(whole) else None
    etags = (f'"{digest}"', f'"{digest}-gzip"')
    headers = CIMultiDict(policy(name, kind))
    headers["Content-Type"] = kind.media_type
    headers["Cache-Control"] = cache_control(name, kind)
    headers["Last-Modified"] = formatdate(int(status.st_mtime), usegmt=True)
    headers["ETag"] = etags[0]
    headers["Server"] = "syndicator"
    headers["Accept-Ranges"] = "bytes"
    if kind.text:
        headers["Vary"] = "Accept-Encoding"
    if kind.shared:
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = "ETag"
    if name.endswith(".ics"):
        headers["Content-Disposition"] = f'inline; filename="{_ascii(name)}"'
    compressed_headers = headers.copy()
    compressed_headers["ETag"] = etags[1]
    compressed_headers["Content-Encoding"] = "gzip"
    del compressed_headers["Accept-Ranges"]
    return File(
        path=path,
        stamp=stamp_of(status),
        body=whole if whole is not None and len(whole) <= BODY_MAX_BYTES else None,
        compressed=compressed,
        headers=headers,
        compressed_headers=compressed_headers,
        modified_s=int(status.st_mtime),
        etags=etags,
    )


def _ascii(name: str) -> str:
    base = name.rpartition("/")[2]
    return "".join(character if character.isascii() and character not in '"\\' else "_" for character in base)

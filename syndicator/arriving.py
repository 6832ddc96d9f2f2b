"""A large file on its way to disk: bounded, never in memory, and resumed where an earlier attempt broke off.

What has arrived waits beside its place, with the validator that it arrived under: only bytes that the server itself vouches for
(``If-Range``, RFC 9110 13.1.5) are added to it.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import aiohttp

from syndicator.errors import Rejected, Transient, words

DISK_RESERVE_BYTES = 1_000_000_000
"""What stays free on the disk for everything else."""
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


class Arriving:
    """The file ``path``, of at most ``max_bytes``."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._part = path.with_name(f"{path.name}.part")
        self._validator = path.with_name(f"{path.name}.validator")
        self._have = 0

    def headers(self) -> dict[str, str]:
        """What to ask with: the rest, where there is a beginning."""
        asked = {"Accept-Encoding": "identity"}
        with suppress(OSError):
            validator, have = self._validator.read_text(encoding="ascii"), self._part.stat().st_size
            if have:
                self._have = have
                asked |= {"Range": f"bytes={have}-", "If-Range": validator}
        return asked

    async def take(self, answer: aiohttp.ClientResponse) -> None:
        """Read a 200, 206 or 416 to its end, into the file. Raises Rejected when it is too large, Transient when it cannot be had now."""
        if answer.status == 416 or (answer.status == 206 and not self._goes_on(answer)):
            self._discard()
            raise Transient(f"{answer.url.host} has another file there than it had")
        start = self._have if answer.status == 206 else 0
        try:
            self._begin(answer, start)
            with self._part.open("ab" if start else "wb") as file:
                async for chunk in answer.content.iter_chunked(1_048_576):
                    start += len(chunk)
                    if start > self._max_bytes:
                        self._refuse(answer)
                    await asyncio.to_thread(file.write, chunk)
            self._part.replace(self._path)
            self._validator.unlink(missing_ok=True)
        except aiohttp.ClientError:  # some of them are OSErrors
            raise
        except TimeoutError:
            raise
        except OSError as error:
            raise Transient(f"{self._path.name}: {error}") from error

    def _goes_on(self, answer: aiohttp.ClientResponse) -> bool:
        match = _RANGE.match(answer.headers.get("Content-Range", ""))
        return bool(self._have) and match is not None and int(match[1]) == self._have

    def _begin(self, answer: aiohttp.ClientResponse, start: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        left = answer.content_length or 0
        if start + left > self._max_bytes:
            self._refuse(answer)
        if shutil.disk_usage(self._path.parent).free < left + DISK_RESERVE_BYTES:
            self._discard()
            raise Transient(
                f"no room for {left} bytes in {self._path.parent}",
                hint=words(
                    fr="Le disque est presque plein : une grosse vidéo attend qu'il y ait de la place.",
                    en="The disk is nearly full: a large video waits for some room.",
                ),
            )
        if not start:
            self._validator.unlink(missing_ok=True)
            if validator := _validator_of(answer):
                self._validator.write_text(validator, encoding="ascii")

    def _refuse(self, answer: aiohttp.ClientResponse) -> NoReturn:
        answer.close()
        self._discard()
        raise Rejected(f"{answer.url} sent more than {self._max_bytes} bytes")

    def _discard(self) -> None:
        self._part.unlink(missing_ok=True)
        self._validator.unlink(missing_ok=True)


def _validator_of(answer: aiohttp.ClientResponse) -> str | None:
    """A strong one, without which ranges of two attempts may not be put together (RFC 9110 8.8.1); none where bytes were transformed."""
    tag = answer.headers.get("ETag", "")
    if answer.headers.get("Accept-Ranges") == "none" or answer.headers.get("Content-Encoding", "identity") != "identity":
        return None
    validator = tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")
    return validator if validator and validator.isascii() and validator.isprintable() else None

"""Who left the list by the link in their letter: the key that makes the links, and the record of those who followed theirs.

The web server writes a mark; we, who know the readers, write beside it whose it is. A person may add an address, or take a line away.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from connectors.mail.options import address_of
from syndicator.text.way_out import KEY_FILE, RECORD_FILE, mark_of, token_of

KEY_BYTES = 32
_BETWEEN = re.compile(r"[\s,;<>()]+")


class Left:
    """The record in a connector's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: bytes | None = None

    def token(self, reader: str) -> str:
        """What lets this reader leave."""
        return token_of(self._key(), reader)

    def among(self, readers: Iterable[str]) -> frozenset[str]:
        """Those of ``readers`` who left."""
        path = self._folder / RECORD_FILE
        if not path.exists():
            return frozenset()
        key = self._key()
        by_mark = {mark_of(key, reader): reader for reader in readers}
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            told = [_told(line, by_mark) for line in lines]
            if told != lines:
                _replace(path, "".join(f"{line}\n" for line in told))
        finally:
            os.close(fd)
        words = {word.lower() for line in told for word in _words(line)}
        return frozenset(reader for mark, reader in by_mark.items() if mark in words or reader.lower() in words)

    def _key(self) -> bytes:
        if self._made is None:
            path = self._folder / KEY_FILE
            with suppress(FileExistsError):
                draft = path.with_name(f"{KEY_FILE}.{os.getpid()}")
                draft.unlink(missing_ok=True)
                _write(draft, secrets.token_bytes(KEY_BYTES))
                try:
                    os.link(draft, path)  # whole or not at all, and never over one that letters were made with
                finally:
                    draft.unlink()
            self._made = path.read_bytes()
        return self._made


def _told(line: str, by_mark: dict[str, str]) -> str:
    """A line of the record, saying who it is where it did not."""
    words = _words(line)
    reader = next((by_mark[word] for word in words if word in by_mark), None)
    known = any(address_of(word) for word in words)
    return line if reader is None or known else f"{line.rstrip()} {reader}"


def _words(line: str) -> list[str]:
    return [] if line.startswith("#") else _BETWEEN.split(line)


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.tmp")
    draft.unlink(missing_ok=True)
    _write(draft, text.encode())
    draft.replace(path)


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

"""Readers who leave a list that we hold, by the link in their letter (RFC 8058): written down here, heeded by the list's connector.

What is written is a mark that only the list's key makes of an address: neither the link nor the record says whose it is.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from syndicator.text.way_out import KEY_FILE, RECORD_FILE, mark_in


def is_known(folder: Path, token: str) -> bool:
    """Whether the token is one of this list's; ``folder`` is its connector's."""
    return _mark(folder, token) is not None


def leave(folder: Path, token: str, now: datetime) -> bool:
    """Write down that this reader leaves, on the disk before it returns; False when the token is none of ours. Repeating it is harmless.

    Raises OSError when it cannot be written down.
    """
    mark = _mark(folder, token)
    if mark is None:
        return False
    with _alone(folder), (folder / RECORD_FILE).open("a+", encoding="utf-8") as record:
        record.seek(0)
        known = record.read()
        if mark in known.split():
            return True
        record.write(f"{'' if known.endswith(chr(10)) or not known else chr(10)}{mark} {now.isoformat(timespec='seconds')}\n")
        record.flush()
        os.fsync(record.fileno())
    return True


def _mark(folder: Path, token: str) -> str | None:
    try:
        return mark_in((folder / KEY_FILE).read_bytes(), token)
    except OSError:
        return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While nobody else, the list's connector neither, writes the record."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)

"""Addresses that last: the page of an event keeps its name, whatever becomes of the title.

On record, one line an event, before the page is made: ``3f0a91c27d fete-du-velo``. A record that is lost or damaged is made again from the
names of the pages that stand.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from connectors.website import clean
from syndicator.model import Event
from syndicator.text import naming

FOLDER = "events"
_LINE = re.compile(r"([0-9a-f]{10}) ([a-z0-9-]*)")
_FILE = re.compile(r"(?:([a-z0-9-]+)-)?([0-9a-f]{10})\.html")


class Addresses:
    """The slug that each event got when it was first seen."""

    def __init__(self, record: Path, pages: Path, mark: bytes) -> None:
        self._record = record
        self._pages = pages
        """The folder in which pages stand."""
        self._mark = mark
        self._slugs: dict[str, str] | None = None
        self._paths: dict[str, str] = {}

    def of(self, events: Iterable[Event]) -> Mapping[str, str]:
        """uid → the page's path below our folder; what is new is on record afterwards."""
        slugs, fresh, found = self._known(), [], {}
        for event in events:
            path = self._paths.get(event.uid)
            if path is None:
                handle = naming.handle(event.uid)
                if handle not in slugs:
                    slugs[handle] = naming.slug(clean.plain(event.title))
                    fresh.append(handle)
                path = self._paths[event.uid] = _path(handle, slugs[handle])
            found[event.uid] = path
        self._append([f"{handle} {slugs[handle]}\n" for handle in fresh])
        return found

    def _known(self) -> dict[str, str]:
        if self._slugs is None:
            try:
                lines = self._record.read_text("ascii", "replace").splitlines()
                self._slugs = {match[1]: match[2] for line in lines if (match := _LINE.fullmatch(line))}
            except OSError:
                self._slugs = {}
            if not self._slugs:
                self._slugs = self._standing()
                self._append([f"{handle} {slug}\n" for handle, slug in sorted(self._slugs.items())])
        return self._slugs

    def _standing(self) -> dict[str, str]:
        found: dict[str, str] = {}
        with suppress(OSError):
            for path in sorted(self._pages.iterdir()):
                match = _FILE.fullmatch(path.name)
                if match is not None and path.is_file() and not path.is_symlink() and self._mark in path.read_bytes():
                    found[match[2]] = match[1] or ""
        return found

    def _append(self, lines: list[str]) -> None:
        if not lines:
            return
        with self._record.open("ab") as file:
            # A line that a power cut left half written must not swallow the next one.
            file.write(("\n" if file.tell() else "").encode() + "".join(lines).encode())
            file.flush()
            os.fsync(file.fileno())


def _path(handle: str, slug: str) -> str:
    return f"{FOLDER}/{slug}-{handle}.html" if slug else f"{FOLDER}/{handle}.html"

"""The public folder: written whole or not at all, only where bytes differ, and nothing that is not ours is touched.

What we made is on record in a manifest in the state folder, before it is made; only that is ever removed. A file of somebody else in
our way is recognised by not carrying our mark, and left alone.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from syndicator.errors import Rejected, Transient, words

MARK = b"syndicator"
"""Every text we write contains it (``generator``, a comment)."""
MEDIA = "media"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture in our folder."""

    file: str
    """Its path below the folder."""
    width: int | None
    height: int | None


@dataclass(frozen=True, kw_only=True)
class _Manifest:
    files: frozenset[str] = frozenset()
    """Paths below the folder that we made."""
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    """Origin URL → the copy."""


class Folder:
    """One public folder with the record of what we put into it."""

    def __init__(self, root: Path, manifest: Path) -> None:
        self._root = root
        self._path = manifest
        self._manifest = _Manifest()
        self._lock = threading.Lock()
        """Pictures arrive from several threads."""

    def load(self) -> None:
        """Read the record; a missing or damaged one means that we made nothing yet."""
        try:
            raw = json.loads(self._path.read_bytes())
            files = frozenset(str(name) for name in raw["files"] if _is_below(str(name)))
            pictures = {str(url): Picture(**entry) for url, entry in raw["pictures"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._manifest = _Manifest()
        else:
            self._manifest = _Manifest(files=files, pictures=pictures)

    @property
    def pictures(self) -> Mapping[str, Picture]:
        """Origin URL → the copy, as far as we know of one."""
        return self._manifest.pictures

    def holds(self, name: str) -> bool:
        """Whether a file that we made is still there."""
        return name in self._manifest.files and (self._root / name).is_file()

    def check(self, names: Iterable[str]) -> None:
        """Refuse to go on when one of ``names`` is somebody else's file."""
        for name in names:
            path = self._root / name
            if name in self._manifest.files or not path.exists():
                continue
            if not path.is_file() or MARK not in path.read_bytes():
                raise Rejected(
                    f"{path} was not written by us",
                    hint=words(
                        fr=f"Le fichier {path} n'est pas de nous : déplacez-le, ou choisissez un autre dossier avec l'option folder.",
                        en=f"The file {path} is not ours: move it, or choose another folder with the option folder.",
                    ),
                )

    def add_picture(self, name: str, data: bytes) -> str:
        """Keep a picture whose ``name`` is made of its content; returns its path below the folder."""
        path = f"{MEDIA}/{name}"
        with self._lock, _in_plain_words(self._root):
            if not self.holds(path):
                self._claim({path})
                _write(self._root / path, data)
        return path

    def publish(self, files: Mapping[str, bytes], pictures: Mapping[str, Picture]) -> None:
        """Make the folder hold ``files`` and ``pictures``, and nothing else of ours."""
        kept = frozenset(files) | {picture.file for picture in pictures.values()}
        with self._lock, _in_plain_words(self._root):
            self._claim(files)
            for name, data in files.items():
                _write(self._root / name, data)
            for name in sorted(self._manifest.files - kept):
                (self._root / name).unlink(missing_ok=True)
            with suppress(OSError):
                (self._root / MEDIA).rmdir()
            self._record(_Manifest(files=kept, pictures=dict(pictures)))

    def _claim(self, names: Iterable[str]) -> None:
        """Put on record what is about to be made: after a power cut it is still known to be ours."""
        self._record(_Manifest(files=self._manifest.files | frozenset(names), pictures=self.pictures))

    def _record(self, manifest: _Manifest) -> None:
        if manifest == self._manifest:
            return
        pictures = {url: asdict(picture) for url, picture in sorted(manifest.pictures.items())}
        _write(self._path, json.dumps({"files": sorted(manifest.files), "pictures": pictures}, indent=1).encode())
        self._manifest = manifest


def _is_below(name: str) -> bool:
    """Whether a recorded path stays inside the folder, whoever wrote the record."""
    return bool(name) and not name.startswith("/") and not {"", ".", ".."} & set(name.split("/"))


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, readable by any web server; not touched when it holds the same bytes."""
    with suppress(OSError):
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


@contextmanager
def _in_plain_words(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Transient(f"{error.filename or root}: {error.strerror or error}", hint=_FULL if full else _CLOSED) from error


_FULL = words(
    fr="Le disque est plein : faites de la place, la page se mettra à jour toute seule.",
    en="The disk is full: make room, and the page will update by itself.",
)
_CLOSED = words(
    fr="Le dossier public n'est pas accessible en écriture : vérifiez son propriétaire et ses droits.",
    en="The public folder cannot be written: check its owner and its rights.",
)

"""The public folder: each file whole or not at all, written only where bytes differ; nothing that is not ours is touched.

What we made is on record, in the connector's state folder, before it is made; only that is ever replaced or removed. A file of somebody
else in our way is recognised by not carrying our mark, and refused. For projections.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from syndicator.errors import Rejected, Transient, words

_FULL = words(
    fr="Le disque est plein : faites de la place, tout se mettra à jour tout seul.",
    en="The disk is full: make room, and everything will update by itself.",
)
_CLOSED = words(
    fr="Le dossier public n'est pas accessible en écriture : vérifiez son propriétaire et ses droits.",
    en="The public folder cannot be written: check its owner and its permissions.",
)


class Folder:
    """What one projection keeps below one public folder; safe to use from several threads."""

    def __init__(self, root: Path, record: Path, mark: bytes) -> None:
        self._root = root
        self._record = record
        self._mark = mark
        """What every text of ours contains."""
        self._lock = threading.Lock()
        self._ours: frozenset[str] | None = None

    def holds(self, name: str) -> bool:
        """Whether a file that we made is still there."""
        return name in self._known() and (self._root / name).is_file()

    def listed(self, folder: str) -> frozenset[str]:
        """The names of our files that are there now, directly below ``folder``."""
        known = self._known()
        return frozenset(name for name in _names(self._root / folder, f"{folder}/") if name in known)

    def lost(self, folders: Iterable[str]) -> frozenset[str]:
        """The names of our files directly below ``folders`` that are not there any more: one look each, however many they are."""
        there: set[str] = set()
        within = tuple(f"{folder}/" for folder in folders)
        for prefix in within:
            there.update(_names(self._root / prefix, prefix))
        return frozenset(name for name in self._known() - there if name.startswith(within))

    def check(self, names: Iterable[str]) -> None:
        """Raise Rejected when one of ``names`` is somebody else's file."""
        for name in sorted(set(names) - self._known()):
            path = self._root / name
            if not path.is_symlink() and not path.exists():
                continue
            if path.is_symlink() or not path.is_file() or self._mark not in path.read_bytes():
                raise Rejected(
                    f"{path} was not written by us",
                    hint=words(
                        fr=f"Le fichier {path} n'est pas de nous : déplacez-le, ou choisissez un autre nom ou un autre dossier.",
                        en=f"The file {path} is not ours: move it, or choose another name or another folder.",
                    ),
                )

    def add(self, name: str, data: bytes) -> None:
        """Keep a file whose name is made of its content, until a ``publish`` that does not keep it."""
        with self._lock, _in_plain_words(self._root):
            if not self.holds(name):
                self._remember(self._known() | {name})
                write(self._root / name, data)

    def publish(self, files: Mapping[str, bytes], keep: Iterable[str] = ()) -> list[str]:
        """Make the folder hold ``files``, those of ours named in ``keep``, and nothing else of ours; the names that were written.

        Names are paths below the folder; each of ``files`` is asked for once, when it is its turn, so that they need not all be in memory.
        Raises Rejected when a file of somebody else has one of the names, Transient when the disk does not take them.
        """
        with self._lock, _in_plain_words(self._root):
            self.check(files)
            before, after = self._known(), frozenset(files) | (frozenset(keep) & self._known())
            self._root.mkdir(parents=True, exist_ok=True)
            self._remember(before | after)
            written = [name for name in sorted(files) if write(self._root / name, files[name])]
            for name in sorted(before - after):
                self._remove(name)
            self._remember(after)
            return written

    def _remove(self, name: str) -> None:
        path = self._root / name
        path.unlink(missing_ok=True)
        if path.parent != self._root:
            with suppress(OSError):
                path.parent.rmdir()

    def _known(self) -> frozenset[str]:
        if self._ours is None:
            try:
                self._ours = frozenset(name for name in map(str, json.loads(self._record.read_bytes())) if _is_below(name))
            except (OSError, ValueError, TypeError):  # lost or damaged: then nothing is known to be ours, and the mark decides
                self._ours = frozenset()
        return self._ours

    def _remember(self, names: frozenset[str]) -> None:
        if names != self._known() or not self._record.exists():
            write(self._record, json.dumps(sorted(names), separators=(",\n", ":")).encode())
            self._ours = names


def _names(folder: Path, prefix: str) -> list[str]:
    with suppress(OSError), os.scandir(folder) as entries:
        return [prefix + entry.name for entry in entries]
    return []


def _is_below(name: str) -> bool:
    """Whether a recorded path stays inside the folder, whoever wrote the record."""
    return bool(name) and not name.startswith("/") and not {"", ".", ".."} & set(name.split("/"))


def write(path: Path, data: bytes) -> bool:
    """Whether the file had to be written: whole or not at all, readable by any web server, on disk before it is seen."""
    with suppress(OSError):
        if not path.is_symlink() and path.stat().st_size == len(data) and path.read_bytes() == data:
            return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    return True


@contextmanager
def _in_plain_words(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Transient(f"{error.filename or root}: {error.strerror or error}", hint=_FULL if full else _CLOSED) from error

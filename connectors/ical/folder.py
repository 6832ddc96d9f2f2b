"""The public folder: each file whole or not at all, written only where bytes differ; nothing that is not ours is touched.

What we made is on record in the state folder before it is made, and only that is ever removed.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from syndicator.errors import Rejected, Transient, words

_FULL = words(
    fr="Le disque est plein : faites de la place, le calendrier se mettra à jour tout seul.",
    en="The disk is full: make room, and the calendar will update by itself.",
)
_CLOSED = words(
    fr="Le dossier public n'est pas accessible en écriture : vérifiez son propriétaire et ses droits.",
    en="The public folder cannot be written: check its owner and its rights.",
)


class Folder:
    """A folder of calendars, all of them ours or left alone."""

    def __init__(self, root: Path, record: Path, mark: bytes) -> None:
        self._root = root
        self._record = record
        self._mark = mark
        """What every file of ours contains."""

    def publish(self, files: Mapping[str, bytes]) -> list[str]:
        """Make the folder hold ``files``, and nothing else that we made; returns the names that were written.

        Raises Rejected when a file of somebody else has one of the names, Transient when the disk does not take them.
        """
        try:
            return self._publish(files)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise Transient(f"{error.filename or self._root}: {error.strerror or error}", hint=_FULL if full else _CLOSED) from error

    def _publish(self, files: Mapping[str, bytes]) -> list[str]:
        known = self._known()
        for name in sorted(set(files) - known):
            self._refuse_strangers(self._root / name)
        self._root.mkdir(parents=True, exist_ok=True)
        self._remember(known, known | set(files))
        written = [name for name, data in sorted(files.items()) if _write(self._root / name, data)]
        for name in sorted(known - set(files)):
            (self._root / name).unlink(missing_ok=True)
        self._remember(known | set(files), set(files))
        return written

    def _known(self) -> set[str]:
        try:
            names = json.loads(self._record.read_bytes())
            return {str(name) for name in names if "/" not in str(name) and str(name) not in ("", ".", "..")}
        except (OSError, ValueError, TypeError):
            return set()

    def _remember(self, known: set[str], names: set[str]) -> None:
        if names != known or not self._record.exists():
            _write(self._record, json.dumps(sorted(names)).encode())

    def _refuse_strangers(self, path: Path) -> None:
        if not path.is_symlink() and not path.exists():
            return
        if path.is_symlink() or not path.is_file() or self._mark not in path.read_bytes():
            raise Rejected(
                f"{path} was not written by us",
                hint=words(
                    fr=f"Le fichier {path} n'est pas de nous : déplacez-le, ou choisissez un autre nom ou un autre dossier.",
                    en=f"The file {path} is not ours: move it, or choose another name or another folder.",
                ),
            )


def _write(path: Path, data: bytes) -> bool:
    """Whether the file had to be written: whole or not at all, readable by any web server, on disk before it is seen."""
    with suppress(OSError):
        if not path.is_symlink() and path.stat().st_size == len(data) and path.read_bytes() == data:
            return False
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

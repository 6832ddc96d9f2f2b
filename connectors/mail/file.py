"""The readers' file: kept by hand, saved by whatever program people have."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from connectors.mail.options import address_of
from syndicator.errors import Rejected, Words, words

LINES_TOLD = 5
READERS_HINT = words(
    fr="Le fichier des abonnés est illisible ou vide : vérifiez readers, son propriétaire et ses droits (une adresse par ligne).",
    en="The readers' file cannot be read or is empty: check readers, its owner and its permissions (one address a line).",
)


@dataclass(frozen=True, kw_only=True)
class Readers:
    """What a readers' file says."""

    addresses: tuple[str, ...]
    """In its order, each once."""
    unusable: tuple[int, ...] = ()
    """Numbers of the lines that hold no address that we can use."""

    @property
    def remark(self) -> Words | None:
        """What a person should mend."""
        if not self.unusable:
            return None
        lines = ", ".join(map(str, self.unusable[:LINES_TOLD])) + ("…" if len(self.unusable) > LINES_TOLD else "")
        return words(
            fr=f"{len(self.unusable)} ligne(s) du fichier des abonnés ne sont pas une adresse que nous puissions employer : {lines}.",
            en=f"{len(self.unusable)} line(s) of the readers' file hold no address that we can use: {lines}.",
        )


def read(path: Path) -> Readers:
    """The readers that a file names. Raises Rejected when it cannot be read, or names nobody."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Rejected(f"{path}: {type(error).__name__}", hint=READERS_HINT) from error
    found: dict[str, str] = {}
    unusable = []
    for number, line in enumerate(_text(data).splitlines(), 1):
        if not (line := " ".join(line.split())) or line.startswith("#"):
            continue
        if (address := address_of(line)) is None:
            unusable.append(number)
        else:
            found.setdefault(address.lower(), address)
    if not found:
        raise Rejected(f"{path} names nobody", hint=READERS_HINT)
    return Readers(addresses=tuple(found.values()), unusable=tuple(unusable))


def _text(data: bytes) -> str:
    """UTF-8, or what programs on Windows write."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")

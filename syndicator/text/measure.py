"""How much of a destination's room a text takes, with its links, in the markup it will travel in where that counts."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from syndicator.contract import Limits
from syndicator.text.count import Atom, atoms, fits, length, units
from syndicator.text.linked import Linked
from syndicator.text.markup import frame, piece, to_markup


def holds(text: Linked, limits: Limits) -> bool:
    """Whether the destination takes it."""
    return fits(_counted(text, limits), limits)


def size(text: Linked, limits: Limits) -> int:
    """How much of ``limits.text_max`` it takes."""
    return length(_counted(text, limits), limits)


def pieces(text: Linked, limits: Limits) -> list[Atom]:
    """What is never cut, each with its cost, markup included; ``text`` is in NFC."""
    found = atoms(text.text, limits)
    if not limits.markup_counts or limits.markup == "plain":
        return found
    opened = _opened(text, limits)
    return [_dearer(atom, text.text, opened, limits) for atom in found]


def size_bytes(text: Linked, limits: Limits) -> int:
    """How much of ``limits.bytes_max`` it takes."""
    return len(unicodedata.normalize("NFC", _counted(text, limits)).encode())


def _counted(text: Linked, limits: Limits) -> str:
    return to_markup(text, limits.markup) if limits.markup_counts else text.text


def _opened(text: Linked, limits: Limits) -> dict[int, str]:
    """Where words that are links begin, and what the markup adds to them."""
    return {span.start: "".join(frame(span.url, limits.markup)) for span in text.spans}


def _dearer(atom: Atom, text: str, opened: dict[int, str], limits: Limits) -> Atom:
    plain = text[atom.start : atom.end]
    marked = piece(plain, atom.entity, limits.markup) + "".join(opened.get(at, "") for at in range(atom.start, atom.end))
    if marked == plain:
        return atom
    more = units(marked, limits.text_unit) - units(plain, limits.text_unit)
    return replace(atom, cost=atom.cost + more, size=atom.size + len(marked.encode()) - len(plain.encode()))

"""Make a text fit: cut at a word, never in an address, hashtag, mention or grapheme, and never make one up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from syndicator.contract import Limits
from syndicator.text.breaks import Quality, breaks, unchanged
from syndicator.text.clean import clean
from syndicator.text.count import Atom, atoms, fits, length
from syndicator.text.links import Entity, entities

ELLIPSIS = "…"
_WORD_LOSS_MAX = 0.4
"""More than this share of the room is not given up for the sake of an endless word: it is cut."""
_WORD_MAX = 50
"""Characters: longer than this, a word is endless."""
_SENTENCE_MIN = 0.85
"""A sentence that ends in the last part of the room is where a careful person would stop."""
_WINDOW_MIN = 10_000
_TRIES = 100
"""How many places are tried, from the farthest backwards; only contrived texts need more than two."""
_LOOSE_END = regex.compile(r"[\s,;:.…–—«(\[{“‘¿¡&/|·•\-]+$")


def shorten(text: str, limits: Limits, *, tail: str = "") -> str:
    """``text`` and ``tail`` within ``limits``; what does not fit of ``text`` gives way to an ellipsis, ``tail`` is kept whole.

    When not even ``tail`` fits with a word of the text, the tail alone remains, or as much of it as fits.
    """
    text, tail = clean(text), clean(tail)
    if fits(text + tail, limits):
        return text + tail
    ending = ELLIPSIS + tail
    text, pieces = _near(text, limits, ending)
    known, reach = entities(text), _reach(pieces, limits, ending)
    for end in _places(text, pieces, reach):
        cut = _ended(text[:end], known, ending)
        if cut is not None and fits(cut, limits) and unchanged(cut, known, 0, _kept(cut, ending)):
            return cut
    alone = tail.strip()
    if not alone:
        return ELLIPSIS if fits(ELLIPSIS, limits) else ""
    return alone if fits(alone, limits) else shorten(alone, limits)


def _near(text: str, limits: Limits, ending: str) -> tuple[str, list[Atom]]:
    """As much of a very long text as the cut can depend on, and its pieces."""
    window = max(_WINDOW_MIN, 8 * (limits.text_max or limits.bytes_max or 0))
    if len(text) > window:
        pieces = atoms(text[:window], limits)
        # What stands at the edge may have been torn; an address is at most 4096 characters long.
        if _reach(pieces, limits, ending) < window // 2:
            return text[:window], pieces
    return text, atoms(text, limits)


def _reach(pieces: Sequence[Atom], limits: Limits, ending: str) -> int:
    """The end of the longest run of whole pieces that leaves room for ``ending``."""
    room = None if limits.text_max is None else limits.text_max - length(ending, limits)
    room_bytes = None if limits.bytes_max is None else limits.bytes_max - len(ending.encode())
    reach = 0
    for piece in pieces:
        room = None if room is None else room - piece.cost
        room_bytes = None if room_bytes is None else room_bytes - piece.size
        if (room is not None and room < 0) or (room_bytes is not None and room_bytes < 0):
            break
        reach = piece.end
    return reach


def _places(text: str, pieces: Sequence[Atom], reach: int) -> Iterator[int]:
    """Ends to try, best first: whole words from the farthest backwards, or inside a word where that would lose too much."""
    everywhere = breaks(text, pieces)
    near = [place for place in everywhere if place.end <= reach]
    yield from [place.end for place in reversed(near) if place.quality >= Quality.SENTENCE and place.end >= reach * _SENTENCE_MIN][:1]
    words = [place.end for place in reversed(near) if place.quality > Quality.POOR][:_TRIES]
    before = near[-1].end if near else 0
    after = everywhere[len(near)].end if len(near) < len(everywhere) else len(text)
    if not words or (after - before > _WORD_MAX and before < reach * (1 - _WORD_LOSS_MAX)):
        edges = [piece.end for piece in pieces if piece.end <= reach]
        yield from list(reversed(edges))[:_TRIES]
    yield from words


def _ended(kept: str, known: Sequence[Entity], ending: str) -> str | None:
    """``kept`` without a loose end, with the ellipsis clear of any address, hashtag or mention; None when nothing is left."""
    last = max((entity.end for entity in known if entity.end <= len(kept)), default=0)
    loose = _LOOSE_END.search(kept, last)
    if loose is not None:
        kept = kept[: loose.start()]
    if not kept:
        return None
    return f"{kept} {ending}" if len(kept) == last else kept + ending


def _kept(cut: str, ending: str) -> int:
    return len(cut) - len(ending)

"""Make a text fit: cut at a word, never in an address, hashtag, mention or grapheme, and never make one up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from syndicator.contract import Limits
from syndicator.text.breaks import Quality, breaks, unchanged
from syndicator.text.count import Atom
from syndicator.text.linked import EMPTY, Linked
from syndicator.text.links import Entity, entities
from syndicator.text.measure import holds, pieces, size, size_bytes

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


def shorten(text: str, limits: Limits) -> str:
    """``text`` within ``limits``; what does not fit gives way to an ellipsis."""
    return shortened(Linked(text), limits).text


def shortened(text: Linked, limits: Limits, *, tail: Linked = EMPTY) -> Linked:
    """``text`` and ``tail`` within ``limits``; what does not fit of ``text`` gives way to an ellipsis, ``tail`` is kept whole.

    When not even ``tail`` fits with a word of the text, the tail alone remains, or as much of it as fits.
    """
    text, tail = text.cleaned(), tail.cleaned()
    if holds(text + tail, limits):
        return text + tail
    cut = _cut(text, limits, tail)
    return shortened(text.without_isolates(), limits, tail=tail.without_isolates()) if cut.torn() else cut


def _cut(text: Linked, limits: Limits, tail: Linked) -> Linked:
    ending = Linked(ELLIPSIS) + tail
    text, atoms = _near(text, limits, ending)
    known, reach = entities(text.text), _reach(atoms, limits, ending)
    for end in _places(text.text, atoms, reach):
        kept = _kept(text.between(0, end), known)
        cut = kept + ending
        if kept and holds(cut, limits) and unchanged(cut.text, known, 0, len(kept.text)):
            return cut
    alone = tail.stripped()
    if not alone:
        return Linked(ELLIPSIS) if holds(Linked(ELLIPSIS), limits) else EMPTY
    return alone if holds(alone, limits) else shortened(alone, limits)


def _near(text: Linked, limits: Limits, ending: Linked) -> tuple[Linked, list[Atom]]:
    """As much of a very long text as the cut can depend on, and its pieces."""
    window = max(_WINDOW_MIN, 8 * (limits.text_max or limits.bytes_max or 0))
    if len(text.text) > window:
        near = text.between(0, window)
        atoms = pieces(near, limits)
        # What stands at the edge may have been torn; an address is at most 4096 characters long.
        if _reach(atoms, limits, ending) < window // 2:
            return near, atoms
    return text, pieces(text, limits)


def _reach(atoms: Sequence[Atom], limits: Limits, ending: Linked) -> int:
    """The end of the longest run of whole pieces that leaves room for ``ending``."""
    room = None if limits.text_max is None else limits.text_max - size(ending, limits)
    room_bytes = None if limits.bytes_max is None else limits.bytes_max - size_bytes(ending, limits)
    reach = 0
    for piece in atoms:
        room = None if room is None else room - piece.cost
        room_bytes = None if room_bytes is None else room_bytes - piece.size
        if (room is not None and room < 0) or (room_bytes is not None and room_bytes < 0):
            break
        reach = piece.end
    return reach


def _places(text: str, atoms: Sequence[Atom], reach: int) -> Iterator[int]:
    """Ends to try, best first: whole words from the farthest backwards, or inside a word where that would lose too much."""
    everywhere = breaks(text, atoms)
    near = [place for place in everywhere if place.end <= reach]
    yield from [place.end for place in reversed(near) if place.quality >= Quality.SENTENCE and place.end >= reach * _SENTENCE_MIN][:1]
    words = [place.end for place in reversed(near) if place.quality > Quality.POOR][:_TRIES]
    before = near[-1].end if near else 0
    after = everywhere[len(near)].end if len(near) < len(everywhere) else len(text)
    if not words or (after - before > _WORD_MAX and before < reach * (1 - _WORD_LOSS_MAX)):
        edges = [piece.end for piece in atoms if piece.end <= reach]
        yield from list(reversed(edges))[:_TRIES]
    yield from words


def _kept(text: Linked, known: Sequence[Entity]) -> Linked:
    """``text`` without a loose end, and so that an ellipsis does not touch an address, hashtag or mention; empty when nothing is left."""
    last = max((entity.end for entity in known if entity.end <= len(text.text)), default=0)
    loose = _LOOSE_END.search(text.text, last)
    if loose is not None:
        text = text.between(0, loose.start())
    return text + Linked(" ") if text and len(text.text) == last else text

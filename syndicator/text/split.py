"""Tell a long text in several posts: balanced parts, cut where a careful person would, numbered "(1/3)"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from syndicator.contract import Limits
from syndicator.text.breaks import Break, Quality, breaks, unchanged
from syndicator.text.count import Atom
from syndicator.text.linked import EMPTY, Linked
from syndicator.text.links import Entity, entities
from syndicator.text.measure import holds, pieces, size, size_bytes

PARTS_MAX = 12
"""More is a book, not a thread."""

_WORTH = {
    Quality.PARAGRAPH: 0.5,
    Quality.LINE: 0.35,
    Quality.SENTENCE: 0.3,
    Quality.CLAUSE: 0.12,
    Quality.WORD: 0.0,
    Quality.POOR: -0.6,
}
"""What a good place is worth, against the distance from a balanced cut as a share of the limit."""
_TRIES = 100
"""How many places inside a word are tried; only contrived texts need more than two."""
_FIRST_MIN = 0.35
"""No part but the last is filled to less than this share of a balanced part."""


def split(
    text: Linked, limits: Limits, *, first: Limits | None = None, opening: Linked = EMPTY, tail: Linked = EMPTY
) -> list[Linked] | None:
    """``text`` in as few parts as fit, each opened by ``opening``, the last closed by ``tail``; None when they would be too many.

    ``first`` are the limits of the first part, where it has others: a caption's. One part that fits has no number.
    """
    text, opening, tail = text.cleaned().stripped(), opening.cleaned(), tail.cleaned()
    each = [first or limits, *[limits] * (PARTS_MAX - 1)]
    if holds(opening + text + tail, each[0]):
        return [opening + text + tail]
    if limits.text_max is not None and size(text, limits) > limits.text_max * PARTS_MAX:
        return None
    known = entities(text.text)
    found: list[tuple[Quality, list[Linked]]] = []
    for count in range(2, PARTS_MAX + 1):
        plan = _Plan.make(text, each[:count], known, opening, tail)
        cuts = plan.cuts() if plan is not None else None
        if cuts is None:
            continue
        parts = _parts(text, cuts, opening, tail)
        if all(holds(part, most) for part, most in zip(parts, each, strict=False)):
            found.append((min(cut.quality for cut in cuts), parts))
        # One part more is worth it when every part then ends with a sentence.
        if len(found) == 2 or (found and found[0][0] >= Quality.SENTENCE):
            break
    if not found:
        return None
    best = found[-1][1] if found[-1][0] >= Quality.SENTENCE else found[0][1]
    if any(part.torn() for part in best):
        return split(text.without_isolates(), limits, first=first, opening=opening, tail=tail)
    return best


def _parts(text: Linked, cuts: Sequence[Break], opening: Linked, tail: Linked) -> list[Linked]:
    starts, ends = [0, *(cut.start for cut in cuts)], [*(cut.end for cut in cuts), len(text.text)]
    count = len(starts)
    return [
        opening + text.between(start, end) + _number(number, count) + (tail if number == count else EMPTY)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def _number(number: int, count: int) -> Linked:
    return Linked(f" ({number}/{count})")


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How to cut into a given number of parts: costs up to each piece, places to cut, and the room of each part."""

    text: str
    known: Sequence[Entity]
    pieces: Sequence[Atom]
    costs: dict[int, int]
    """Position → cost of everything before it."""
    places: Sequence[Break]
    rooms: Sequence[int]
    """Of each part."""
    tail_cost: int

    @classmethod
    def make(cls, text: Linked, each: Sequence[Limits], known: Sequence[Entity], opening: Linked, tail: Linked) -> _Plan | None:
        """None when that many parts cannot hold the text."""
        limits = each[-1]
        if limits.text_max is None or _bytes_are_tighter(text, limits):
            each = [replace(most, text_max=most.bytes_max, text_unit="bytes", bytes_max=None, url_length=None) for most in each]
        unit = each[-1]
        atoms = pieces(text, unit)
        around = size(opening, unit) + size(_number(len(each), len(each)), unit)
        rooms = [(most.text_max or 0) - around for most in each]
        tail_cost = size(tail, unit)
        costs = dict(zip([0, *(atom.end for atom in atoms)], accumulate((atom.cost for atom in atoms), initial=0), strict=True))
        if min(rooms) <= 0 or costs[len(text.text)] + tail_cost > sum(rooms):
            return None
        return cls(
            text=text.text,
            known=known,
            pieces=atoms,
            costs=costs,
            places=breaks(text.text, atoms),
            rooms=rooms,
            tail_cost=tail_cost,
        )

    def cuts(self) -> list[Break] | None:
        """Where each part but the last ends; None when this number of parts does not work out."""
        found: list[Break] = []
        start = 0
        for number in range(len(self.rooms) - 1):
            place = self._next(start, self.rooms[number:])
            if place is None:
                return None
            found.append(place)
            start = place.start
        if start >= len(self.text) or self._cost(start, len(self.text)) + self.tail_cost > self.rooms[-1]:
            return None
        return found

    def _next(self, start: int, rooms: Sequence[int]) -> Break | None:
        """The best place to end the part that begins at ``start``; ``rooms`` are those of this part and all after it."""
        rest = self._cost(start, len(self.text)) + self.tail_cost
        room, least = rooms[0], rest - sum(rooms[1:])
        ideal = min(room, rest / len(rooms))
        low = max(least, ideal * _FIRST_MIN)
        candidates = [place for place in self.places if place.end > start and low <= self._cost(start, place.end) <= room]
        ranked = sorted(candidates, key=lambda place: self._worth(start, place, ideal, room), reverse=True)
        good = next((place for place in ranked if place.quality > Quality.POOR and self._sound(start, place)), None)
        return good or self._inside_a_word(start, low, ideal, room) or next((place for place in ranked if self._sound(start, place)), None)

    def _worth(self, start: int, place: Break, ideal: float, room: int) -> float:
        return _WORTH[place.quality] - abs(self._cost(start, place.end) - ideal) / room

    def _inside_a_word(self, start: int, low: float, ideal: float, room: int) -> Break | None:
        """For text without blanks: between two graphemes, as near to the balance as possible."""
        ends = [piece.end for piece in self.pieces if piece.end > start and low <= self._cost(start, piece.end) <= room]
        for end in sorted(ends, key=lambda end: abs(self._cost(start, end) - ideal))[:_TRIES]:
            place = Break(end=end, start=end, quality=Quality.POOR)
            if end < len(self.text) and not self.text[end].isspace() and not self.text[end - 1].isspace() and self._sound(start, place):
                return place
        return None

    def _sound(self, start: int, place: Break) -> bool:
        """Whether the part keeps its addresses, hashtags and mentions as they are, and leaves those of the rest alone."""
        part = self.text[start : place.end]
        following = self.text[place.start : place.start + max(self.rooms)]
        rest = [entity for entity in self.known if entity.start == place.start]
        created = [entity for entity in entities(following) if entity.start == 0]
        return unchanged(part, self.known, start, place.end) and (bool(rest) or not created)

    def _cost(self, start: int, end: int) -> int:
        return self.costs[end] - self.costs[start]


def _bytes_are_tighter(text: Linked, limits: Limits) -> bool:
    """Whether the second limit, in bytes, is the one that binds."""
    if limits.bytes_max is None or limits.text_max is None:
        return False
    return size_bytes(text, limits) / limits.bytes_max > size(text, limits) / limits.text_max

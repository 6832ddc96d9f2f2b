"""Tell a long text in several posts: balanced parts, cut where a careful person would, numbered "(1/3)"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from syndicator.contract import Limits
from syndicator.text.breaks import Break, Quality, breaks, unchanged
from syndicator.text.clean import clean
from syndicator.text.count import Atom, atoms, fits, length
from syndicator.text.links import Entity, entities

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


def split(text: str, limits: Limits, *, opening: str = "", tail: str = "") -> list[str] | None:
    """``text`` in as few parts as fit, each opened by ``opening``, the last closed by ``tail``; None when they would be too many.

    One part that fits has no number.
    """
    text, opening, tail = clean(text).strip(), clean(opening), clean(tail)
    if fits(opening + text + tail, limits):
        return [opening + text + tail]
    if limits.text_max is not None and length(text, limits) > limits.text_max * PARTS_MAX:
        return None
    known = entities(text)
    found: list[tuple[Quality, list[str]]] = []
    for count in range(2, PARTS_MAX + 1):
        plan = _Plan.make(text, limits, known, count, opening, tail)
        cuts = plan.cuts() if plan is not None else None
        if cuts is None:
            continue
        parts = _parts(text, cuts, opening, tail)
        if all(fits(part, limits) for part in parts):
            found.append((min(cut.quality for cut in cuts), parts))
        # One part more is worth it when every part then ends with a sentence.
        if len(found) == 2 or (found and found[0][0] >= Quality.SENTENCE):
            break
    if not found:
        return None
    return found[-1][1] if found[-1][0] >= Quality.SENTENCE else found[0][1]


def _parts(text: str, cuts: Sequence[Break], opening: str, tail: str) -> list[str]:
    starts, ends = [0, *(cut.start for cut in cuts)], [*(cut.end for cut in cuts), len(text)]
    count = len(starts)
    return [
        f"{opening}{text[start:end]}{_number(number, count)}{tail if number == count else ''}"
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def _number(number: int, count: int) -> str:
    return f" ({number}/{count})"


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How to cut into a given number of parts: costs up to each piece, places to cut, and the room of each part."""

    text: str
    known: Sequence[Entity]
    pieces: Sequence[Atom]
    costs: dict[int, int]
    """Position → cost of everything before it."""
    places: Sequence[Break]
    count: int
    room: int
    tail_cost: int

    @classmethod
    def make(cls, text: str, limits: Limits, known: Sequence[Entity], count: int, opening: str, tail: str) -> _Plan | None:
        """None when that many parts cannot hold the text."""
        by_bytes = limits.text_max is None or _bytes_are_tighter(text, limits)
        unit = Limits(text_max=limits.bytes_max, text_unit="bytes") if by_bytes else limits
        pieces = atoms(text, unit)
        room = (unit.text_max or 0) - length(opening, unit) - length(_number(count, count), unit)
        tail_cost = length(tail, unit) if tail else 0
        costs = dict(zip([0, *(piece.end for piece in pieces)], accumulate((piece.cost for piece in pieces), initial=0), strict=True))
        if room <= 0 or costs[len(text)] + tail_cost > room * count:
            return None
        return cls(
            text=text,
            known=known,
            pieces=pieces,
            costs=costs,
            places=breaks(text, pieces),
            count=count,
            room=room,
            tail_cost=tail_cost,
        )

    def cuts(self) -> list[Break] | None:
        """Where each part but the last ends; None when this number of parts does not work out."""
        found: list[Break] = []
        start = 0
        for left in range(self.count, 1, -1):
            place = self._next(start, left)
            if place is None:
                return None
            found.append(place)
            start = place.start
        if start >= len(self.text) or self._cost(start, len(self.text)) + self.tail_cost > self.room:
            return None
        return found

    def _next(self, start: int, left: int) -> Break | None:
        """The best place to end the part that begins at ``start`` when ``left`` parts remain, this one included."""
        rest = self._cost(start, len(self.text)) + self.tail_cost
        ideal, least = rest / left, rest - self.room * (left - 1)
        low, high = max(least, ideal * _FIRST_MIN), self.room
        candidates = [place for place in self.places if place.end > start and low <= self._cost(start, place.end) <= high]
        ranked = sorted(candidates, key=lambda place: self._worth(start, place, ideal), reverse=True)
        good = next((place for place in ranked if place.quality > Quality.POOR and self._sound(start, place)), None)
        return good or self._inside_a_word(start, low, ideal) or next((place for place in ranked if self._sound(start, place)), None)

    def _worth(self, start: int, place: Break, ideal: float) -> float:
        return _WORTH[place.quality] - abs(self._cost(start, place.end) - ideal) / self.room

    def _inside_a_word(self, start: int, low: float, ideal: float) -> Break | None:
        """For text without blanks: between two graphemes, as near to the balance as possible."""
        ends = [piece.end for piece in self.pieces if piece.end > start and low <= self._cost(start, piece.end) <= self.room]
        for end in sorted(ends, key=lambda end: abs(self._cost(start, end) - ideal))[:_TRIES]:
            place = Break(end=end, start=end, quality=Quality.POOR)
            if end < len(self.text) and not self.text[end].isspace() and not self.text[end - 1].isspace() and self._sound(start, place):
                return place
        return None

    def _sound(self, start: int, place: Break) -> bool:
        """Whether the part keeps its addresses, hashtags and mentions as they are, and leaves those of the rest alone."""
        part = self.text[start : place.end]
        following = self.text[place.start : place.start + self.room]
        rest = [entity for entity in self.known if entity.start == place.start]
        created = [entity for entity in entities(following) if entity.start == 0]
        return unchanged(part, self.known, start, place.end) and (bool(rest) or not created)

    def _cost(self, start: int, end: int) -> int:
        return self.costs[end] - self.costs[start]


def _bytes_are_tighter(text: str, limits: Limits) -> bool:
    """Whether the second limit, in bytes, is the one that binds."""
    if limits.bytes_max is None or limits.text_max is None:
        return False
    return len(text.encode()) / limits.bytes_max > length(text, limits) / limits.text_max

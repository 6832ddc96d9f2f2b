"""Text in which words may be links: the links move with their words, whatever is taken out, put in or cut off around them."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from syndicator.model import Span
from syndicator.text import clean

Edit = tuple[int, int, str]
"""From, up to (not including), and what stands there instead."""


@dataclass(frozen=True)
class Linked:
    """A text and the words in it that are links: ordered, never overlapping, never blank at their ends."""

    text: str = ""
    spans: tuple[Span, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)

    def __add__(self, other: Linked) -> Linked:
        moved = (Span(start=span.start + len(self.text), end=span.end + len(self.text), url=span.url) for span in other.spans)
        return Linked(self.text + other.text, (*self.spans, *moved))

    def between(self, start: int, end: int | None = None) -> Linked:
        """This stretch of it; of words that are cut in the middle, what is left is the link."""
        end = len(self.text) if end is None else end
        inside = (Span(start=max(span.start, start) - start, end=min(span.end, end) - start, url=span.url) for span in self.spans)
        text = self.text[start:end]
        return Linked(text, tuple(_sound(text, inside)))

    def replaced(self, edits: Iterable[Edit]) -> Linked:
        """With other words in places; ``edits`` do not overlap."""
        ordered = sorted(edits)
        if not ordered:
            return self
        parts, position = [], 0
        for start, end, said in ordered:
            parts += [self.text[position:start], said]
            position = end
        text = "".join([*parts, self.text[position:]])
        return Linked(text, tuple(_sound(text, _moved(self.spans, ordered))))

    def without(self, pattern: re.Pattern[str] | Any, said: str = "") -> Linked:
        """With ``said`` for whatever ``pattern`` finds."""
        return self.replaced((match.start(), match.end(), said) for match in pattern.finditer(self.text))

    def stripped(self, signs: str | None = None) -> Linked:
        """Without blanks, or any of ``signs``, at both ends."""
        start = len(self.text) - len(self.text.lstrip(signs))
        return self.between(start, max(start, len(self.text.rstrip(signs))))

    def torn(self) -> bool:
        """Whether a cut left a bidi isolate open, or took its beginning away."""
        return bool(clean.stray_isolates(self.text))

    def without_isolates(self) -> Linked:
        """Without any, for a text that cannot be cut with them."""
        return self.without(clean.ISOLATES).cleaned()

    def cleaned(self) -> Linked:
        """As ``clean`` leaves it."""
        whole = clean.clean(self.text)
        if whole == self.text or not self.spans:
            return self if whole == self.text else Linked(whole)
        made = self.without(clean.NEWLINES, "\n").without(clean.STRAY)
        made = _composed(made.replaced((at, at + 1, "") for at in clean.stray_isolates(made.text)))
        # What is left is a script that joins letters over the end of a link: rather no link than one on other words.
        return made if made.text == whole else Linked(whole)


EMPTY = Linked()


def joined(pieces: Iterable[Linked | str], between: str = "\n\n") -> Linked:
    """Those of ``pieces`` that are not empty, with ``between`` between them."""
    whole, gap = EMPTY, EMPTY
    for piece in pieces:
        if piece:
            whole = whole + gap + (Linked(piece) if isinstance(piece, str) else piece)
            gap = Linked(between)
    return whole


def _composed(linked: Linked) -> Linked:
    """In NFC, piece by piece, so that the places are known; a mark belongs to the letter before it."""
    borders = {at: _before_a_letter(linked.text, at) for span in linked.spans for at in (span.start, span.end)}
    edges = sorted({0, *borders.values(), len(linked.text)})
    parts, places, length = [], {0: 0}, 0
    for start, end in pairwise(edges):
        parts.append(clean.composed(linked.text[start:end]))
        length += len(parts[-1])
        places[end] = length
    text = "".join(parts)
    moved = (Span(start=places[borders[span.start]], end=places[borders[span.end]], url=span.url) for span in linked.spans)
    return Linked(text, tuple(_sound(text, moved)))


def _sound(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Those that still have words, without blanks at their ends."""
    for span in spans:
        start, end = span.start, span.end
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start < end:
            yield Span(start=start, end=end, url=span.url)


def _moved(spans: Sequence[Span], edits: Sequence[Edit]) -> Iterator[Span]:
    """Where ``spans`` stand after ``edits``: an edit at a border is inside only when it lies inside whole."""
    starts = [edit[0] for edit in edits]
    shifts = [0]
    for start, end, said in edits:
        shifts.append(shifts[-1] + len(said) - (end - start))
    for span in spans:
        yield Span(start=_place(span.start, edits, starts, shifts, after=True), end=_place(span.end, edits, starts, shifts), url=span.url)


def _place(at: int, edits: Sequence[Edit], starts: Sequence[int], shifts: Sequence[int], *, after: bool = False) -> int:
    index = bisect_right(starts, at - 1)
    if index and edits[index - 1][1] > at:  # in the middle of what was replaced
        start, _, said = edits[index - 1]
        return start + shifts[index - 1] + (len(said) if after else 0)
    return at + shifts[index]


def _before_a_letter(text: str, at: int) -> int:
    """``at``, or where the marks end that belong to the letter before it."""
    while at < len(text) and (unicodedata.category(text[at]).startswith("M") or "\u1160" <= text[at] <= "\u11ff"):
        at += 1
    return at

"""Where a careful person would cut a text, and where never.

French typography decides as much as blanks do: nothing is torn from a following " :", " ;", " ?", " !" or " »", from a preceding "« ",
a number from its unit, a date from its month, "M." from its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import regex

from syndicator.text.count import Atom
from syndicator.text.links import Entity, entities


class Quality(IntEnum):
    """How good a place it is to cut."""

    POOR = 0
    """Only when there is nothing better: it tears what belongs together."""
    WORD = 1
    CLAUSE = 2
    SENTENCE = 3
    LINE = 4
    PARAGRAPH = 5


@dataclass(frozen=True, kw_only=True)
class Break:
    """A place to cut: the first part ends at ``end``, the rest begins at ``start``; between them are only blanks."""

    end: int
    start: int
    quality: Quality


_BLANKS = regex.compile(r"\s+")
_NO_BREAK = regex.compile(r"[\u00A0\u202F\u2007]+")
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}"
_CJK_PAIR = regex.compile(rf"(?<=[{_CJK}\u3001-\u3003\u3009\u300B\u300D\u300F\u3011\uFF01-\uFF1F])(?=[{_CJK}])")
_CJK_SENTENCE = frozenset("。！？")
_CLOSING = frozenset(";:?!»%€$£°)]},.…’”。、！？：；」』）")
_OPENING = frozenset("«([{“‘¿¡#@＠＃")
_SENTENCE_END = regex.compile(r"[.!?…]['\"»”’)\]]*(?:[\u00A0\u202F ]»)?$")
_CLAUSE_END = regex.compile(r"[,;:)»\]—–]$")
_LAST_WORD = regex.compile(r"\S+$")
_FIRST_WORD = regex.compile(r"\S+")
_NUMBER = regex.compile(r"[(«]?[+\-−]?\d[\d.,:/\u00A0\u202F]*(?:er|re|e|st|nd|rd|th)?")
_UNIT = regex.compile(r"(?:\p{L}{1,3}|\d.*|[°º%‰€$£×x].*)[.,;:!?)»]*")
_MONTH = regex.compile(
    r"(?:janv|févr|mars|avr|mai|juin|juil|août|sept|oct|nov|déc|jan|feb|mar|apr|may|jun|jul|aug|sep|dec)\p{L}*\.?[,;:!?)]*",
    regex.IGNORECASE,
)
_YEAR = regex.compile(r"(?:19|20)\d\d\b.*")
_HOUR = regex.compile(r"(?:h|heures?)", regex.IGNORECASE)
_ABBREVIATION = regex.compile(
    r"[(«\"'’]*(?:\p{L}\.(?:\p{L}\.)*|(?:MM|Mme|Mmes|Mlle|Mr|Mrs|Ms|Dr|Pr|Prof|St|Ste|Me|Mgr|av|bd|bld|chap|cf|env|ex|éd|fig|hab|min|n|no|nos|num|p|"
    r"pp|réf|rue|tél|tel|vol|vs|approx|dept|ext)\.|n°|N°|Mme|Mmes|Mlle|M|§)",
)
_SEARCH = 60
"""How many characters around a blank are looked at."""


def breaks(text: str, pieces: Sequence[Atom]) -> list[Break]:
    """Every place where ``text`` may be cut without a hyphen, in order; ``pieces`` are its atoms."""
    edges = {piece.start for piece in pieces}
    found = [*_at_blanks(text, edges), *_between_ideographs(text, edges)]
    return sorted(found, key=lambda place: place.end)


def unchanged(part: str, whole: Sequence[Entity], start: int, end: int) -> bool:
    """Whether ``part``, cut from ``start`` to ``end`` of a text that holds ``whole``, begins with exactly what it held there.

    Cutting may neither break an address, hashtag or mention nor make one up. What ``part`` has after the cut is not looked at.
    """
    expected = [(entity.start - start, entity.end - start, entity.kind) for entity in whole if entity.start >= start and entity.end <= end]
    stretch = end - start
    seen = [(entity.start, entity.end, entity.kind) for entity in entities(part) if entity.start < stretch]
    return seen == expected


def _at_blanks(text: str, edges: set[int]) -> Iterator[Break]:
    for match in _BLANKS.finditer(text):
        end, start = match.span()
        if end == 0 or start == len(text) or end not in edges or start not in edges:
            continue
        if _NO_BREAK.fullmatch(match[0]):
            continue
        yield Break(end=end, start=start, quality=_quality(text, end, start, match[0].count("\n")))


def _between_ideographs(text: str, edges: set[int]) -> Iterator[Break]:
    for match in _CJK_PAIR.finditer(text):
        at = match.start()
        if at in edges:
            yield Break(end=at, start=at, quality=Quality.SENTENCE if text[at - 1] in _CJK_SENTENCE else Quality.WORD)


def _quality(text: str, end: int, start: int, newlines: int) -> Quality:
    if newlines >= 2:
        return Quality.PARAGRAPH
    before, after = text[max(0, end - _SEARCH) : end], text[start : start + _SEARCH]
    if after[0] in _CLOSING or before[-1] in _OPENING:
        return Quality.POOR
    if newlines:
        return Quality.LINE
    last, first = _LAST_WORD.search(before), _FIRST_WORD.match(after)
    if last is not None and first is not None and _belong_together(last[0], first[0], before[: last.start()]):
        return Quality.POOR
    if _SENTENCE_END.search(before) and not after[0].islower():
        return Quality.SENTENCE
    return Quality.CLAUSE if _CLAUSE_END.search(before) else Quality.WORD


def _belong_together(last: str, first: str, before: str) -> bool:
    """Whether a person would keep ``last`` and ``first`` on one line."""
    if _ABBREVIATION.fullmatch(last):
        return True
    if _NUMBER.fullmatch(last) and (_UNIT.fullmatch(first) or _MONTH.fullmatch(first)):
        return True
    if _MONTH.fullmatch(last) and _YEAR.fullmatch(first):
        return True
    return bool(_HOUR.fullmatch(last) and first[0].isdigit() and regex.search(r"\d\s*$", before))

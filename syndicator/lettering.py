"""Words in a box: what the fonts can draw of them, in lines that fit, as large as they can be.

French typography holds: no line opens with ``:``, ``!`` or ``»``. A word is broken only when it is wider than its box at every size
worth reading, a text ends in an ellipsis only when it is too long at the least size; nothing ever leaves its box.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, takewhile
from math import ceil
from pathlib import Path
from typing import Literal

from PIL import ImageFont

from syndicator.typeface import typeface

Weight = Literal["bold", "medium"]

FONTS = Path(__file__).parent / "fonts"
FILES: dict[Weight, str] = {"bold": "Inter-ExtraBold.ttf", "medium": "Inter-Medium.ttf"}
LETTERS_MAX = 240
"""More of a text than this never fits a card."""
CAPITAL = 0.727
"""Height of Inter's capitals, of the size."""
LEADING = 1.16
SIZES = 24
"""How many sizes are tried between the largest and the least."""
RAGGED = 0.42
"""A line shorter than this share of the longest is a word left alone."""
NEAR = 0.75
"""How much smaller letters may become so that no word is left alone."""

NBSP = "\N{NO-BREAK SPACE}"
ELLIPSIS = "…"
NARROW = "\N{NARROW NO-BREAK SPACE}"
_SIGNS_AFTER = re.compile(r" (?=[:»›%€…/|·•])")
_NARROW_SIGNS_AFTER = re.compile(r" (?=[;!?])")
_SIGNS_BEFORE = re.compile(r"(?<=[«‹]) ")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
_EMPTIED = re.compile(r"\(\s*\)|\[\s*\]|«\s*»|“\s*”|\"\s*\"")
_DANGLING = " -–—:;,·•|/"
_HYPHENS = "-–—/_.@"


@cache
def font(weight: Weight, size: int) -> ImageFont.FreeTypeFont:
    """In Pillow's own layout: the other one is there or not, machine by machine."""
    return ImageFont.truetype(str(FONTS / FILES[weight]), size, layout_engine=ImageFont.Layout.BASIC)


@cache
def drawable() -> frozenset[str]:
    """The characters that our fonts hold; all of them hold the same."""
    found = typeface(FONTS / FILES["medium"]).glyphs
    return frozenset(char for char in found if unicodedata.category(char)[0] not in "CM")


def written(text: str) -> str:
    """What can be drawn of ``text``, on one line; empty when less than half of its letters can."""
    text = unicodedata.normalize("NFC", text[: 4 * LETTERS_MAX])
    spaced = "".join(" " if char.isspace() and char not in (NBSP, NARROW) else char for char in text)
    kept = "".join(char for char in spaced if char in drawable())
    if 2 * _letters(kept) < _letters(spaced):
        return ""
    if len(kept) < len(spaced):
        kept = _EMPTIED.sub("", kept).strip(_DANGLING)
    kept = re.sub(" {2,}", " ", kept).strip()
    kept = _APOSTROPHE.sub("’", kept)
    return _SIGNS_BEFORE.sub(NBSP, _SIGNS_AFTER.sub(NBSP, _NARROW_SIGNS_AFTER.sub(NARROW, kept)))


def _letters(text: str) -> int:
    return sum(unicodedata.category(char)[0] in "LN" for char in text)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Lines of one size, one below the other."""

    lines: tuple[str, ...]
    weight: Weight
    size: int

    @property
    def pitch(self) -> int:
        """From one baseline to the next."""
        return round(self.size * LEADING)

    @property
    def height(self) -> int:
        """From the top of the first line's capitals to the last baseline."""
        return round(self.size * CAPITAL) + (len(self.lines) - 1) * self.pitch if self.lines else 0

    @property
    def width(self) -> int:
        """Of the longest line's ink."""
        return max((width_of(line, self.weight, self.size) for line in self.lines), default=0)


@cache
def _letter(char: str, weight: Weight, size: int) -> tuple[float, int, int]:
    """How far it moves on, and where its ink begins and ends."""
    face = font(weight, size)
    left, _, right, _ = face.getbbox(char, anchor="ls")
    return face.getlength(char), int(left), int(right)


def placed(text: str, weight: Weight, size: int) -> list[tuple[str, float]]:
    """Each letter and where it stands, kerned; the ink of the first begins at 0."""
    face = typeface(FONTS / FILES[weight])
    letters: list[tuple[str, float]] = []
    x, before = 0.0, ""
    for char in text:
        x += size * face.kern(before, char) if before else -_letter(char, weight, size)[1]
        letters.append((char, x))
        x, before = x + _letter(char, weight, size)[0], char
    return letters


def width_of(text: str, weight: Weight, size: int) -> int:
    """Of the ink alone."""
    return max((ceil(x + _letter(char, weight, size)[2]) for char, x in placed(text, weight, size)), default=0)


def block(text: str, weight: Weight, *, width: int, height: int, largest: int, least: int, lines_max: int) -> Block:
    """``text``, already ``written``, as large as it fits: in whole words, else in broken ones, else cut at the end."""
    if len(text) > LETTERS_MAX:
        text = _ended(text[:LETTERS_MAX].rpartition(" ")[0] or text[:LETTERS_MAX])
    sizes = sorted({least + (largest - least) * step // SIZES for step in range(SIZES + 1)}, reverse=True)
    found = (made for size in sizes if (made := _set(text, weight, size, width, height, lines_max)) is not None)
    largest_made = next(found, None)
    if largest_made is not None:
        near = takewhile(lambda made: made.size >= NEAR * largest_made.size, chain((largest_made,), found))
        return next((made for made in near if not _is_ragged(made)), largest_made)
    for size in sizes[len(sizes) // 2 :]:
        made = _set(text, weight, size, width, height, lines_max, breaking=True)
        if made is not None:
            return made
    return _cut(text, weight, least, width=width, height=height, lines_max=lines_max)


def _set(text: str, weight: Weight, size: int, width: int, height: int, lines_max: int, *, breaking: bool = False) -> Block | None:
    """``text`` in this size; None when it does not fit."""
    lines = _lines(text, weight, size, width, breaking=breaking)
    if lines is None or len(lines) > lines_max:
        return None
    made = Block(lines=tuple(lines), weight=weight, size=size)
    if made.height > height:
        return None
    return made if breaking else _balanced(made, text)


def _is_ragged(made: Block) -> bool:
    widths = [width_of(line, made.weight, made.size) for line in made.lines]
    return min(widths) < RAGGED * max(widths)


def _balanced(made: Block, text: str) -> Block:
    """The same number of lines, as equal as they can be."""
    low, high = 0, made.width
    while high - low > made.size // 8:
        tried = (low + high) // 2
        lines = _lines(text, made.weight, made.size, tried, breaking=False)
        if lines is not None and len(lines) <= len(made.lines):
            high, made = tried, Block(lines=tuple(lines), weight=made.weight, size=made.size)
        else:
            low = tried
    return made


def _cut(text: str, weight: Weight, size: int, *, width: int, height: int, lines_max: int) -> Block:
    lines = _lines(text, weight, size, width, breaking=True) or []
    room = max(1, min(lines_max, 1 + (height - round(size * CAPITAL)) // round(size * LEADING)))
    if len(lines) <= room:
        return Block(lines=tuple(lines), weight=weight, size=size)
    lines = lines[:room]
    last = lines.pop()
    while last and width_of(_ended(last), weight, size) > width:
        shorter = last.rpartition(" ")[0]
        last = shorter if shorter and len(shorter) > len(last) // 2 else last[:-1]
    return Block(lines=(*lines, _ended(last)), weight=weight, size=size)


def _ended(line: str) -> str:
    return line.rstrip(f" {NBSP}{NARROW},;:.!?-–—(«") + ELLIPSIS


def _lines(text: str, weight: Weight, size: int, width: int, *, breaking: bool) -> list[str] | None:
    """``text`` in lines of at most ``width``; None when a word is wider and may not be broken."""
    lines: list[str] = []
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(joined, weight, size) <= width:
            lines[-1] = joined
        elif width_of(word, weight, size) <= width:
            lines.append(word)
        elif not breaking:
            return None
        else:
            lines += _broken(word, weight, size, width)
    return lines


def _broken(word: str, weight: Weight, size: int, width: int) -> Iterator[str]:
    """A word in pieces: after its hyphens where that helps, else anywhere."""
    while word:
        end = _longest(word, weight, size, width)
        yield word[:end]
        word = word[end:]


def _longest(word: str, weight: Weight, size: int, width: int) -> int:
    """How many of its letters fit in one line, at least one."""
    fits, too_many = 1, len(word) + 1
    while too_many - fits > 1:
        tried = (fits + too_many) // 2
        if width_of(word[:tried], weight, size) <= width:
            fits = tried
        else:
            too_many = tried
    hyphen = 1 + max(word.rfind(sign, 0, fits) for sign in _HYPHENS)
    return hyphen if fits < len(word) and 2 * hyphen > fits else fits

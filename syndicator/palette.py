"""The colours of a drawn picture: an association's own, made readable. Pure arithmetic of WCAG 2.2."""

from __future__ import annotations

import re
from dataclasses import dataclass

Colour = tuple[int, int, int]

OURS: Colour = (0xA8, 0x43, 0x2F)
"""The brick red of our own pages."""
WHITE: Colour = (255, 255, 255)
NIGHT: Colour = (24, 24, 27)
READABLE = 4.5
"""WCAG 2.2, 1.4.3, level AA, for text of any size."""
VISIBLE = 1.12
"""How far a shape must stand out from its ground to be seen at all."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True)
class Palette:
    """What a card is painted in: every ink is readable on every ground."""

    ground: Colour
    shapes: tuple[Colour, Colour]
    """Two further grounds, for decoration; text may cross them."""
    ink: Colour
    soft: Colour
    """For what matters less."""

    @property
    def grounds(self) -> tuple[Colour, ...]:
        """All that may lie behind a letter."""
        return (self.ground, *self.shapes)


def is_colour(text: str) -> bool:
    """Whether it is written ``#rrggbb``."""
    return _HEX.fullmatch(text) is not None


def parsed(text: str) -> Colour | None:
    """The colour of ``#rrggbb``; None for anything else."""
    return (int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)) if is_colour(text) else None


def luminance(colour: Colour) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = (value / 255 / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio: 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """``one`` with a ``share`` of ``other``, from 0 to 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def palette_of(colour: str) -> Palette:
    """A palette around ``colour``, or ours; the colour is darkened as little as needed where neither white nor night is readable on it."""
    ground = parsed(colour) or OURS
    while max(contrast(ground, WHITE), contrast(ground, NIGHT)) < READABLE:
        ground = mix(ground, (0, 0, 0), 0.02)
    ink = WHITE if contrast(ground, WHITE) >= READABLE else NIGHT
    shapes = _shapes(ground, ink)
    soft = next(made for share in (0.16, 0.1, 0.05, 0.0) if _readable(made := mix(ink, ground, share), ground, *shapes))
    return Palette(ground=ground, shapes=shapes, ink=ink, soft=soft)


def _shapes(ground: Colour, ink: Colour) -> tuple[Colour, Colour]:
    """Away from the ink, which makes it still better readable; towards it where there is no room left on that side."""
    away = (0, 0, 0) if ink == WHITE else WHITE
    nearer, further = mix(ground, away, 0.13), mix(ground, away, 0.24)
    if contrast(nearer, ground) >= VISIBLE:
        return nearer, further
    pairs = ((mix(ground, ink, share), mix(ground, ink, 1.8 * share)) for share in (0.07, 0.05, 0.03, 0.0))
    return next(pair for pair in pairs if all(_readable(ink, made) for made in pair))


def _readable(ink: Colour, *grounds: Colour) -> bool:
    return all(contrast(ink, ground) >= READABLE for ground in grounds)

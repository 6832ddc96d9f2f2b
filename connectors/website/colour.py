"""Pure: a colour somebody likes → the nearest ones that can be read (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import colorsys
import re

OURS = "#a8432f"
"""Brick red."""
PAPER = "#fbf8f2"
"""The page by day: darker than its cards."""
NIGHT = "#26221e"
"""The cards by night: lighter than the page."""
CONTRAST = 4.8
"""A little more than the 4.5 that level AA asks of text."""
_WRITTEN = re.compile(r"#[0-9a-fA-F]{6}")


def is_colour(text: str) -> bool:
    """Whether it is written ``#rrggbb``."""
    return _WRITTEN.fullmatch(text) is not None


def chosen(*wishes: str) -> str:
    """The first of them that is a colour, else ours."""
    return next((wish for wish in wishes if is_colour(wish)), OURS)


def legible(colour: str, background: str) -> str:
    """``colour``, darkened or lightened in small steps until it stands out from ``background``."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    step = -0.01 if luminance(background) > 0.18 else 0.01
    while contrast(colour, background) < CONTRAST and 0 < lightness + step < 1:
        lightness += step
        colour = "#" + "".join(f"{round(channel * 255):02x}" for channel in colorsys.hls_to_rgb(hue, lightness, saturation))
    return colour.lower()


def contrast(one: str, other: str) -> float:
    """From 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue

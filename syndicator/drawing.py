"""Pictures for what has none: a title, when and where, and whose it is, in the association's colour.

Runs in the child of ``shaping.py`` only. Everything is drawn at twice its size and reduced, with Pillow's own layout and the fonts of
``fonts/``: the same face gives the same bytes on every machine. That layout joins no letters and turns no direction, and the fonts hold
Latin, Greek and Cyrillic: what they lack (emoji, Chinese, Arabic …) is left out, and where little of a title is left, the association's
name stands in its place. Whatever a face says, its text stays inside the picture and its contrast at 4.5:1 or more (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from stat import S_ISREG
from typing import cast

from PIL import Image, ImageDraw, ImageOps

from syndicator.contract import MediaLimits
from syndicator.formats import LOGO_MAX_BYTES, LOGO_MAX_PIXELS, claimed_size
from syndicator.framing import quiet_colour
from syndicator.lettering import CAPITAL, Block, Weight, block, font, placed, written
from syndicator.palette import NIGHT, WHITE, Colour, Palette, luminance, palette_of
from syndicator.text.face import FACTS_MAX, TEXT_MAX, Face

PREVIEW = (1200, 630)
"""What previews of links show: Open Graph's 1.91:1."""
PORTRAIT = (1080, 1350)
SQUARE = (1080, 1080)
TWICE = 2
LOGO_SIDE = 1024
LIGHT = 0.6
"""Of the mean luminance: beyond it a transparent logo was made for a dark page."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Line:
    """Words at their place: ``x`` is where their ink begins, ``y`` the baseline."""

    text: str
    weight: Weight
    size: int
    x: int
    y: int
    colour: Colour


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything stands on a card."""

    size: tuple[int, int]
    palette: Palette
    lines: tuple[Line, ...]
    bar: Box
    logo: Box | None
    """The plate that the logo lies on."""
    variant: int


def size_for(limits: MediaLimits) -> tuple[int, int]:
    """The card's size: upright where posts are pictures, else that of a link's preview."""
    low, high = limits.image_ratio or (0.0, 1000.0)
    upright = limits.image_required or high < PREVIEW[0] / PREVIEW[1]
    return next((size for size in (PORTRAIT, SQUARE) if upright and low <= size[0] / size[1] <= high), PREVIEW)


def draw(face: Face, width: int, height: int, *, logo: Image.Image | None = None) -> Image.Image:
    """The card of ``face``; the same each time."""
    layout = compose(face, TWICE * width, TWICE * height, logo=logo.size if logo else None)
    picture = Image.new("RGB", layout.size, layout.palette.ground)
    pen = ImageDraw.Draw(picture)
    _decorate(pen, layout)
    pen.rounded_rectangle(layout.bar, radius=(layout.bar[3] - layout.bar[1]) // 2, fill=layout.palette.ink)
    for line in layout.lines:
        for char, x in placed(line.text, line.weight, line.size):
            pen.text((line.x + x, line.y), char, fill=line.colour, font=font(line.weight, line.size), anchor="ls")
    if logo is not None and layout.logo is not None:
        _place_logo(picture, pen, logo, layout.logo)
    return picture.resize((width, height), Image.Resampling.BOX)


def compose(face: Face, width: int, height: int, *, logo: tuple[int, int] | None = None) -> Layout:
    """Where everything stands: name above, title in the middle, when and where below; ``logo`` is the size of its picture."""
    scale = _Scale(width=width, height=height, step=min(width, height) / (100 if width > height else 143))
    palette = palette_of(face.colour)
    name, title = written(face.name), written(face.title)
    plate = _plate(logo, scale)
    head, head_end = _header(name if title else "", plate, palette, scale)
    facts, facts_start = _facts(face.facts, palette, scale)
    bar_y = facts_start - scale.of(6) if facts else height - scale.margin - scale.of(1.3)
    words = _title(title or name, palette, head_end, bar_y, scale)
    if words and not facts:
        bar_y = words[-1].y + scale.of(7)
    bar = (scale.margin, bar_y, scale.margin + scale.of(12), bar_y + scale.of(1.3))
    variant = zlib.crc32(face.title[:TEXT_MAX].encode("utf-8", "replace")) % len(_DECORATIONS)
    return Layout(size=(width, height), palette=palette, lines=(*head, *words, *facts), bar=bar, logo=plate, variant=variant)


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """What all sizes on a card are multiples of."""

    width: int
    height: int
    step: float

    def of(self, steps: float) -> int:
        return round(self.step * steps)

    @property
    def margin(self) -> int:
        return self.of(11)

    @property
    def inner(self) -> int:
        return self.width - 2 * self.margin


def _plate(logo: tuple[int, int] | None, scale: _Scale) -> Box | None:
    if logo is None:
        return None
    wide = min(scale.of(44), max(scale.of(14), round(scale.of(10) * logo[0] / logo[1]) + scale.of(4)))
    return scale.margin, scale.margin, scale.margin + wide, scale.margin + scale.of(14)


def _header(name: str, plate: Box | None, palette: Palette, scale: _Scale) -> tuple[tuple[Line, ...], int]:
    """The name, beside the logo if there is one; and where the header ends."""
    top, left = scale.margin, plate[2] + scale.of(3.4) if plate else scale.margin
    if not name:
        return (), plate[3] if plate else top
    made = block(
        name,
        "medium",
        width=scale.width - scale.margin - left,
        height=scale.of(13),
        largest=scale.of(5.4),
        least=scale.of(4.2),
        lines_max=2,
    )
    if plate:
        top = (plate[1] + plate[3] - made.height) // 2
    return _placed(made, left, top, palette.ink), plate[3] if plate else top + made.height


def _facts(facts: Sequence[str], palette: Palette, scale: _Scale) -> tuple[tuple[Line, ...], int]:
    """When and where, upwards from the lower margin; and where they start."""
    blocks: list[Block] = []
    for text in (line for fact in facts[:FACTS_MAX] if (line := written(fact))):
        weight: Weight = "medium" if blocks else "bold"
        largest, least = (5.6, 4.4) if blocks else (6.6, 4.8)
        made = block(text, weight, width=scale.inner, height=scale.height, largest=scale.of(largest), least=scale.of(least), lines_max=2)
        if _tall([*blocks, made], scale) <= 0.38 * scale.height:
            blocks.append(made)
    start = y = scale.height - scale.margin - _tall(blocks, scale)
    lines: list[Line] = []
    for each in blocks:
        lines += _placed(each, scale.margin, y, palette.soft if lines else palette.ink)
        y += each.height + scale.of(3.6)
    return tuple(lines), start


def _tall(blocks: Sequence[Block], scale: _Scale) -> int:
    return sum(each.height for each in blocks) + scale.of(3.6) * max(0, len(blocks) - 1)


def _title(title: str, palette: Palette, above: int, below: int, scale: _Scale) -> tuple[Line, ...]:
    """In the middle between the header and the bar."""
    if not title:
        return ()
    upright = scale.height >= scale.width
    top, bottom = above + scale.of(5.4), below - scale.of(5.4)
    largest, lines_max = (18, 10) if upright else (13.8, 5)
    made = block(title, "bold", width=scale.inner, height=bottom - top, largest=scale.of(largest), least=scale.of(5.6), lines_max=lines_max)
    return _placed(made, scale.margin, top + (bottom - top - made.height) // 2, palette.ink)


def _placed(made: Block, x: int, top: int, colour: Colour) -> tuple[Line, ...]:
    first = top + round(made.size * CAPITAL)
    return tuple(
        Line(text=text, weight=made.weight, size=made.size, x=x, y=first + number * made.pitch, colour=colour)
        for number, text in enumerate(made.lines)
    )


def read_logo(path: Path) -> Image.Image | None:
    """The logo's pixels; None when the file is no longer what the configuration promised."""
    try:
        if not S_ISREG(path.stat().st_mode):
            return None
        data = path.open("rb").read(LOGO_MAX_BYTES + 1)
        size = claimed_size(data)
        if len(data) > LOGO_MAX_BYTES or size is None or not 0 < size[0] * size[1] <= LOGO_MAX_PIXELS:
            return None
        with Image.open(BytesIO(data), formats=["PNG", "JPEG"]) as picture:
            picture.thumbnail((LOGO_SIDE, LOGO_SIDE), Image.Resampling.LANCZOS)
            return ImageOps.exif_transpose(picture).convert("RGBA")
    except Exception:  # noqa: BLE001 - Pillow raises whatever it likes; a card without a logo is better than none
        return None


def _place_logo(picture: Image.Image, pen: ImageDraw.ImageDraw, logo: Image.Image, plate: Box) -> None:
    pad = (plate[3] - plate[1]) // 7
    pen.rounded_rectangle(plate, radius=pad, fill=_under(logo))
    room = plate[2] - plate[0] - 2 * pad, plate[3] - plate[1] - 2 * pad
    factor = min(room[0] / logo.width, room[1] / logo.height)
    scaled = logo.resize((max(1, round(logo.width * factor)), max(1, round(logo.height * factor))), Image.Resampling.LANCZOS)
    at = (plate[0] + plate[2] - scaled.width) // 2, (plate[1] + plate[3] - scaled.height) // 2
    picture.paste(scaled.convert("RGB"), at, mask=scaled.getchannel("A"))


def _under(logo: Image.Image) -> Colour:
    """What a logo lies on: its own ground, or where that is transparent, white, or night under a light one."""
    small = logo.resize((16, 16), Image.Resampling.BOX)
    if logo.getchannel("A").getextrema()[0] == 255:
        red, green, blue = cast("Colour", quiet_colour(small.convert("RGB"), sides=True))
        return red, green, blue
    pixels = small.tobytes()
    dots = [(pixels[at : at + 3], pixels[at + 3]) for at in range(0, len(pixels), 4)]
    opaque = sum(alpha for _, alpha in dots)
    light = sum(luminance((rgb[0], rgb[1], rgb[2])) * alpha for rgb, alpha in dots) / opaque if opaque else 0.0
    return NIGHT if light > LIGHT else WHITE


def _decorate(pen: ImageDraw.ImageDraw, layout: Layout) -> None:
    _DECORATIONS[layout.variant](pen, *layout.size, *layout.palette.shapes)


def _suns(pen: ImageDraw.ImageDraw, width: int, height: int, near: Colour, far: Colour) -> None:
    short = min(width, height)
    _disc(pen, width - 0.06 * short, 0.02 * short, 0.52 * short, near)
    _disc(pen, width + 0.02 * short, height - 0.02 * short, 0.3 * short, far)


def _rings(pen: ImageDraw.ImageDraw, width: int, height: int, near: Colour, far: Colour) -> None:
    short = min(width, height)
    ground = pen.im.getpixel((0, 0))
    for number, radius in enumerate((0.86, 0.7, 0.54, 0.38, 0.22)):
        _disc(pen, width, height, radius * short, (near, ground, near, ground, far)[number])


def _disc(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _slopes(pen: ImageDraw.ImageDraw, width: int, height: int, near: Colour, far: Colour) -> None:
    pen.polygon([(width, 0.18 * height), (width, height), (width - 0.62 * height, height)], fill=near)
    pen.polygon([(width, 0.62 * height), (width, height), (width - 0.28 * height, height)], fill=far)


def _petals(pen: ImageDraw.ImageDraw, width: int, height: int, near: Colour, far: Colour) -> None:
    """Quarter discs, tile by tile, in the lower right corner."""
    tile = round(min(width, height) / 5)
    for column, row, turn, colour in ((1, 1, 0, near), (2, 1, 1, far), (1, 2, 1, near), (1, 3, 2, far), (2, 2, 3, near), (3, 1, 2, near)):
        left, top = width - column * tile, height - row * tile
        x, y = left + tile * (turn in (1, 2)), top + tile * (turn >= 2)
        pen.pieslice((x - tile, y - tile, x + tile, y + tile), 90 * turn, 90 * turn + 90, fill=colour)


_DECORATIONS = (_suns, _rings, _slopes, _petals)

"""The size that a picture has elsewhere: within a destination's pixels, widths and proportions, and never cut off.

What is too long or too tall gets a border in a quiet colour of its own edges: a poster keeps its date at the bottom.
"""

from __future__ import annotations

from math import ceil, floor, inf
from typing import TYPE_CHECKING, cast

from syndicator.contract import MediaLimits
from syndicator.errors import Rejected

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Size = tuple[int, int]

UNIFORM = 24
"""How far apart the colours of an edge may be, of 255, and still count as one."""
SAMPLES = 64


def fits(size: Size, limits: MediaLimits, pixels_max: int) -> bool:
    """Whether a picture of this size is shown as it is."""
    width, height = size
    narrowest, widest = limits.image_min_width or 1, limits.image_max_width or width
    return width * height <= pixels_max and narrowest <= width <= widest and _in_proportion(size, limits)


def frame(size: Size, limits: MediaLimits, pixels_max: int) -> tuple[Size, Size]:
    """The size of the whole, and of the picture in its middle, of a picture of ``size``; the same where it needs no border.

    Raises Rejected where the limits leave no size.
    """
    if fits(size, limits, pixels_max):
        return size, size
    low, high = limits.image_ratio or (0.0, inf)
    width, height = max(float(size[0]), size[1] * low), max(float(size[1]), size[0] / high)
    factor = min(1.0, (pixels_max / (width * height)) ** 0.5, (limits.image_max_width or width) / width)
    narrowest = limits.image_min_width or 1
    across = max(floor(width * factor + 1e-6), narrowest, 1)
    while True:
        whole = across, _height(across, height / width, low, high)
        if whole[0] * whole[1] <= pixels_max:
            break
        if across <= narrowest:
            raise Rejected(f"a picture of {size[0]} × {size[1]} fits no size that is taken there")
        across -= 1
    if _in_proportion(size, limits):
        return whole, whole
    shrunk = min(whole[0] / size[0], whole[1] / size[1])
    return whole, (min(whole[0], max(1, round(size[0] * shrunk))), min(whole[1], max(1, round(size[1] * shrunk))))


def _height(width: int, proportion: float, low: float, high: float) -> int:
    height = max(1, round(width * proportion), ceil(width / high))
    return min(height, floor(width / low)) if low else height


def _in_proportion(size: Size, limits: MediaLimits) -> bool:
    low, high = limits.image_ratio or (0.0, inf)
    return low <= size[0] / size[1] <= high


def framed(picture: Picture, whole: Size, inner: Size) -> Picture:
    """``picture`` scaled to ``inner``, in the middle of ``whole``."""
    from PIL import Image

    scaled = picture if inner == picture.size else picture.resize(inner, Image.Resampling.LANCZOS)
    if whole != inner:
        sides = inner[0] < whole[0]
        ground = Image.new(scaled.mode, whole, quiet_colour(scaled, sides=sides))
        ground.paste(scaled, ((whole[0] - inner[0]) // 2, (whole[1] - inner[1]) // 2))
        scaled = ground
    scaled.info = picture.info
    return scaled


def quiet_colour(picture: Picture, *, sides: bool) -> tuple[int, ...] | int:
    """What continues the picture's left and right (``sides``) or upper and lower edges: their colour where they have one; else it, greyed.

    Transparent around what is transparent.
    """
    from statistics import median_low  # memory for the process that frames pictures

    if picture.mode == "RGBA":
        return (0, 0, 0, 0)
    colours = _edges(picture.convert("RGB"), sides=sides)
    middle = tuple(median_low(channel) for channel in zip(*colours, strict=True))
    spread = sum(max(abs(one - other) for one, other in zip(colour, middle, strict=True)) for colour in colours) / len(colours)
    if spread > UNIFORM:
        grey = sum(middle) // 3
        middle = tuple((channel + 2 * grey) // 3 for channel in middle)
    return middle if picture.mode == "RGB" else middle[0]


def _edges(picture: Picture, *, sides: bool) -> list[tuple[int, int, int]]:
    from PIL import Image

    width, height = picture.size
    boxes = ((0, 0, 1, height), (width - 1, 0, width, height)) if sides else ((0, 0, width, 1), (0, height - 1, width, height))
    size = (1, SAMPLES) if sides else (SAMPLES, 1)
    strips = [picture.crop(box).resize(size, Image.Resampling.BOX).tobytes() for box in boxes]
    return [cast("tuple[int, int, int]", tuple(strip[at : at + 3])) for strip in strips for at in range(0, len(strip), 3)]

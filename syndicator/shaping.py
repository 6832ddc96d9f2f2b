"""Pictures and videos made fit for a destination's limits; and a process of its own to do it in.

What a stranger's server sent is believed by its first bytes and never by its name or header, and decoded by Pillow under a cap of pixels
and from a short list of formats. Every still picture is encoded anew: that drops EXIF, GPS and whatever else hides in a file, and turns
it the way its orientation says. The same input gives the same bytes.

A picture outside a destination's proportions gets a border, a narrow one is scaled up (``framing.py``). What has no picture gets one
that is drawn (``drawing.py``).

``shape_apart`` decodes, and ``draw_apart`` draws, in a child that has little time and memory and nothing to do with the network: hostile
bytes cost that child, and the daemon carries neither Pillow nor the holes that decoded pictures leave in its memory.
"""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import threading
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syndicator.contract import MediaLimits
from syndicator.errors import Rejected, Transient
from syndicator.formats import duration_s, sniff
from syndicator.framing import fits, frame, framed
from syndicator.text.face import Face

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

IMAGE_MAX_BYTES = 15_000_000
PIXELS_MAX = 40_000_000
"""More than this is never decoded."""
PIXELS_KEPT = 16_777_216
"""What a picture is brought down to where the destination has no lower limit."""
VIDEO_MAX_BYTES = 40_000_000
"""Videos travel through memory: beyond this, a link to the original is the better way."""
FRAMES_MAX = 2_000

QUALITIES = (88, 80, 70, 60)
DRAWN = {"quality": 92, "subsampling": 0}
"""What letters and lines need in a JPEG: colours as fine as light, so that red on white stays sharp."""
SCALES = (1.0, 0.75, 0.5, 0.35, 0.25)
NARROWER = 0.85
"""A narrower copy is worth its place on the disk from here on."""
LIGHT_BYTES = 20_000
"""What a narrower copy may have in any case."""

CHILD_SECONDS = 60
CHILD_BYTES = 1_500_000_000
"""Address space: a decoded picture takes up to 160 MB, several times over while it is turned and made smaller."""

_one_at_a_time = threading.Lock()
"""Never two pictures at once."""

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}
_PILLOW = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}


@dataclass(frozen=True, kw_only=True)
class MediaFile:
    """A file within a destination's limits, ready to be uploaded or written."""

    data: bytes
    media_type: str
    """What the bytes are."""
    width: int | None
    height: int | None
    description: str
    """The alt text, within the limit."""

    @property
    def name(self) -> str:
        """A file name made of the content alone: 32 hexadecimal digits and the extension of its type."""
        return f"{hashlib.sha256(self.data).hexdigest()[:32]}.{EXTENSIONS[self.media_type]}"


def shape_apart(data: bytes, limits: MediaLimits) -> MediaFile:
    """``shape`` in a process of its own; blocking. Raises Rejected when it cannot be done, Transient when no process could be had."""
    media_type = sniff(data)
    if media_type is None or media_type.startswith("video/"):
        return shape(data, limits)
    return _asked_apart({"limits": asdict(limits)}, data)[0]


def shape_widths_apart(data: bytes, limits: MediaLimits, widths: Sequence[int]) -> tuple[MediaFile, ...]:
    """``shape_widths`` in a process of its own, as ``shape_apart``."""
    media_type = sniff(data)
    if media_type is None or media_type.startswith("video/"):
        return (shape(data, limits),)
    return _asked_apart({"limits": asdict(limits), "widths": list(widths)}, data)


def draw_apart(face: Face, limits: MediaLimits, *, logo: Path | None) -> MediaFile:
    """The picture of ``face`` (``drawing.py``), fit for ``limits``, with the ``logo`` that a person named; as ``shape_apart``."""
    return _asked_apart({"limits": asdict(limits), "face": asdict(face), "logo": str(logo) if logo else None})[0]


def _asked_apart(asked: dict[str, Any], data: bytes = b"") -> tuple[MediaFile, ...]:
    with _one_at_a_time:
        try:
            child = subprocess.run(
                [sys.executable, "-P", "-m", "syndicator.shaping"],
                input=json.dumps(asked).encode() + b"\n" + data,
                capture_output=True,
                timeout=CHILD_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Rejected(f"the picture takes more than {CHILD_SECONDS} s to make") from error
        except OSError as error:
            raise Transient(f"no process to make a picture in: {error}") from error
    head, _, body = child.stdout.partition(b"\n")
    try:
        told = json.loads(head)
    except ValueError as error:
        raise Rejected(f"making the picture ended with {child.returncode}") from error
    if "rejected" in told:
        raise Rejected(told["rejected"])
    files, at = [], 0
    for told_file in told["files"]:
        size = told_file.pop("bytes")
        files.append(MediaFile(data=body[at : at + size], description="", **told_file))
        at += size
    return tuple(files)


def main() -> None:
    """The child: what is asked in one line of JSON and the file on standard input; types and sizes in one line, and the files, on standard
    output."""
    for what, most in ((resource.RLIMIT_AS, CHILD_BYTES), (resource.RLIMIT_CPU, CHILD_SECONDS), (resource.RLIMIT_CORE, 0)):
        with suppress(OSError, ValueError):  # a hardened unit may forbid it, and has limits of its own
            resource.setrlimit(what, (most, most))
    head, _, data = sys.stdin.buffer.read().partition(b"\n")
    asked = json.loads(head)
    raw: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in asked["limits"].items()}
    limits = MediaLimits(**raw)
    try:
        found = (_drawn(asked, limits),) if asked.get("face") else shape_widths(data, limits, asked.get("widths", ()))
        told: dict[str, Any] = {
            "files": [{"media_type": one.media_type, "width": one.width, "height": one.height, "bytes": len(one.data)} for one in found]
        }
        body = b"".join(one.data for one in found)
    except (Rejected, MemoryError) as error:
        told, body = {"rejected": str(error) or "the picture needs too much memory"}, b""
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + body)


def _drawn(asked: Mapping[str, Any], limits: MediaLimits) -> MediaFile:
    from syndicator import drawing

    face = Face(**(asked["face"] | {"facts": tuple(asked["face"]["facts"])}))
    return draw(face, limits, logo=drawing.read_logo(Path(asked["logo"])) if asked["logo"] else None)


def draw(face: Face, limits: MediaLimits, *, logo: Picture | None = None) -> MediaFile:
    """The picture of ``face``, fit for ``limits``; blocking."""
    from syndicator import drawing

    picture = drawing.draw(face, *drawing.size_for(limits), logo=logo)
    return _encode(_reduced(picture, limits, _pixels_max(limits)), limits, sharp=True)


def shape(data: bytes, limits: MediaLimits) -> MediaFile:
    """``data`` made fit for ``limits``, without description; blocking. Raises Rejected when that cannot be."""
    return shape_widths(data, limits, ())[0]


def shape_widths(data: bytes, limits: MediaLimits, widths: Sequence[int]) -> tuple[MediaFile, ...]:
    """As ``shape``, and after it copies of a still picture in these ``widths``, as far as they are clearly less; decoded
    once for all."""
    media_type = sniff(data)
    if media_type is None:
        raise Rejected("the file is neither a picture nor a video that can be used")
    if media_type.startswith("video/"):
        return (_video(data, media_type, limits),)
    with _one_at_a_time:
        try:
            return _image(data, media_type, limits, widths)
        except (Rejected, MemoryError):
            raise
        except Exception as error:
            # Pillow's decoders raise whatever they like on hostile or broken bytes.
            raise Rejected(f"the picture cannot be read: {type(error).__name__}: {error}") from error


def _video(data: bytes, media_type: str, limits: MediaLimits) -> MediaFile:
    if not limits.videos_max or media_type not in limits.video_types:
        raise Rejected(f"no {media_type} there")
    if len(data) > video_max_bytes(limits):
        raise Rejected(f"a video of {len(data)} bytes is too large")
    refuse_long(duration_s(data), limits)
    return MediaFile(data=data, media_type=media_type, width=None, height=None, description="")


def _image(data: bytes, media_type: str, limits: MediaLimits, widths: Sequence[int]) -> tuple[MediaFile, ...]:
    from PIL import Image

    # The size is checked below before anything is decoded; these stand behind it, for the files in which Pillow finds a picture of its own.
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    pixels_max = _pixels_max(limits)
    with Image.open(BytesIO(data), formats=[_PILLOW[media_type]]) as picture:
        pixels = picture.width * picture.height
        if pixels > PIXELS_MAX:
            raise Rejected(f"a picture of {picture.width} × {picture.height} is too large")
        if media_type == "image/gif" and media_type in limits.image_types and fits(picture.size, limits, pixels_max):
            moving = clean_gif(data)
            if moving is not None and len(moving) <= (limits.image_max_bytes or IMAGE_MAX_BYTES):
                return (MediaFile(data=moving, media_type=media_type, width=picture.width, height=picture.height, description=""),)
        if pixels > pixels_max:
            picture.draft(None, _within(picture.size, pixels_max))
        upright = _upright(picture)
    whole, sharp = _reduced(upright, limits, pixels_max), _is_lossless(data, media_type)
    first = _encode(whole, limits, sharp=sharp)
    return (first, *(_narrower(whole, limits, width, first, sharp=sharp) for width in widths if width <= NARROWER * (first.width or 0)))


def _narrower(whole: Picture, limits: MediaLimits, width: int, first: MediaFile, *, sharp: bool) -> MediaFile:
    """A copy that is lighter than ``first`` by as much as it is narrower."""
    share = len(first.data) * width // (first.width or width)
    max_bytes = min(limits.image_max_bytes or IMAGE_MAX_BYTES, max(LIGHT_BYTES, share))
    smaller = replace(limits, image_min_width=None, image_max_width=width, image_max_bytes=max_bytes)
    return _encode(_reduced(whole, smaller, _pixels_max(limits)), smaller, sharp=sharp)


def _pixels_max(limits: MediaLimits) -> int:
    return min(limits.image_max_pixels or PIXELS_KEPT, PIXELS_KEPT)


def _is_lossless(data: bytes, media_type: str) -> bool:
    """https://developers.google.com/speed/webp/docs/riff_container: VP8L is WebP's lossless form."""
    return media_type in ("image/png", "image/gif") or (media_type == "image/webp" and data[12:16] == b"VP8L")


def _upright(picture: Picture) -> Picture:
    """Turned as its EXIF says, in a mode that every format here can hold, with nothing beside its pixels but a colour profile."""
    from PIL import ImageOps

    profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA") else None
    turned = ImageOps.exif_transpose(picture)
    if turned.has_transparency_data:
        turned = turned.convert("RGBA")
    elif turned.mode not in ("RGB", "L"):
        turned = turned.convert("RGB")
    turned.info = {"icc_profile": profile} if profile else {}
    return turned


def _within(size: tuple[int, int], pixels_max: int) -> tuple[int, int]:
    factor = min(1.0, (pixels_max / (size[0] * size[1])) ** 0.5)
    return max(1, int(size[0] * factor)), max(1, int(size[1] * factor))


def _reduced(picture: Picture, limits: MediaLimits, pixels_max: int) -> Picture:
    whole, inner = frame(picture.size, limits, pixels_max)
    return picture if whole == inner == picture.size else framed(picture, whole, inner)


def _encode(picture: Picture, limits: MediaLimits, *, sharp: bool) -> MediaFile:
    """The best encoding that fits: lossless for what was so (drawings, posters), then less and less of it."""
    max_bytes = limits.image_max_bytes or IMAGE_MAX_BYTES
    for media_type, options in _encodings(picture, limits, sharp=sharp):
        data = _saved(picture, media_type, options)
        if len(data) <= max_bytes:
            return MediaFile(data=data, media_type=media_type, width=picture.width, height=picture.height, description="")
    lossy = _lossy(limits)
    for scale in SCALES[1:]:
        smaller = _reduced(picture, limits, int(picture.width * picture.height * scale**2))
        data = _saved(smaller, lossy, {"quality": QUALITIES[-1]} if lossy != "image/png" else {})
        if len(data) <= max_bytes:
            return MediaFile(data=data, media_type=lossy, width=smaller.width, height=smaller.height, description="")
    raise Rejected(f"the picture cannot be brought down to {max_bytes} bytes")


def _lossy(limits: MediaLimits) -> str:
    for media_type in ("image/jpeg", "image/webp", "image/png"):
        if media_type in limits.image_types:
            return media_type
    raise Rejected(f"no format in common with {', '.join(limits.image_types) or 'a destination without pictures'}")


def _encodings(picture: Picture, limits: MediaLimits, *, sharp: bool) -> list[tuple[str, dict[str, Any]]]:
    lossy = _lossy(limits)
    see_through = picture.mode == "RGBA"
    webp = "image/webp" in limits.image_types
    found: list[tuple[str, dict[str, Any]]] = []
    if "image/png" in limits.image_types and (sharp or (see_through and not webp)):
        found.append(("image/png", {}))
    if see_through and webp:
        found += [("image/webp", {"quality": quality}) for quality in QUALITIES]
    if sharp and lossy == "image/jpeg":
        found.append((lossy, DRAWN))
    if lossy != "image/png":
        found += [(lossy, {"quality": quality}) for quality in QUALITIES]
    return found or [("image/png", {})]


def _saved(picture: Picture, media_type: str, options: dict[str, Any]) -> bytes:
    from PIL import Image

    profile = picture.info.get("icc_profile")
    if media_type == "image/jpeg" and picture.mode == "RGBA":
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(picture, mask=picture.getchannel("A"))
        picture = paper
    out = BytesIO()
    picture.save(out, _PILLOW[media_type], icc_profile=profile, **options)
    return out.getvalue()


def clean_gif(data: bytes) -> bytes | None:
    """An animated GIF without its comments and foreign extensions; None when it is still, endless or broken.

    https://www.w3.org/Graphics/GIF/spec-gif89a.txt, 18 to 26
    """
    with suppress(IndexError):
        out, frames = _gif_blocks(data)
        return out if 1 < frames <= FRAMES_MAX else None
    return None


def _gif_blocks(data: bytes) -> tuple[bytes, int]:
    position = 13 + _colours(data[10])
    out = bytearray(data[:position])
    frames = 0
    while data[position] != 0x3B:
        start = position
        if data[position] == 0x2C:
            frames += 1
            position = _after_blocks(data, position + 11 + _colours(data[position + 9]))
            out += data[start:position]
        elif data[position] == 0x21:
            position = _after_blocks(data, position + 2)
            if data[start + 1] == 0xF9 or data[start + 3 : start + 14] in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
                out += data[start:position]
        else:
            return b"", 0
    return bytes(out) + b";", frames


def _colours(packed: int) -> int:
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _after_blocks(data: bytes, position: int) -> int:
    while data[position]:
        position += data[position] + 1
    return position + 1


def refuse_long(lasts_s: float | None, limits: MediaLimits) -> None:
    """Raises Rejected for a film that lasts longer than the destination takes; None is not known."""
    if lasts_s is not None and limits.video_max_s is not None and lasts_s > limits.video_max_s:
        raise Rejected(f"a video of {lasts_s:.0f} s is too long")


def video_max_bytes(limits: MediaLimits) -> int:
    """What a destination takes, within what we carry."""
    return min(limits.video_max_bytes or VIDEO_MAX_BYTES, VIDEO_MAX_BYTES)


if __name__ == "__main__":
    main()

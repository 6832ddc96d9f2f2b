"""Pictures and videos of strangers, made fit to be shown elsewhere.

What a stranger's server sends is fetched through the guarded client without any credential, believed by its first bytes and never by
its name or header, and decoded by Pillow in a thread, one at a time, under a cap of pixels and from a short list of formats. Every
still picture is encoded anew: that drops EXIF, GPS and whatever else hides in a file, and turns it the way its orientation says. The
same input gives the same bytes, and is fetched once: the cache is kept by address and limits, its files are named by content.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
import threading
import unicodedata
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syndicator.contract import MediaLimits
from syndicator.errors import AuthExpired, ConnectorError, Gone, RateLimited, Rejected, Transient
from syndicator.http import IMAGE_MAX_BYTES, Http, error_for

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

from syndicator.model import Attachment

PIXELS_MAX = 40_000_000
"""More than this is never decoded."""
PIXELS_KEPT = 16_777_216
"""What a picture is brought down to where the destination has no lower limit."""
VIDEO_MAX_BYTES = 40_000_000
"""Videos travel through memory: beyond this, a link to the original is the better way."""
VIDEO_TIMEOUT_S = 180.0
CACHE_MAX_BYTES = 200_000_000
FRAMES_MAX = 2_000

QUALITIES = (88, 80, 70, 60)
SCALES = (1.0, 0.75, 0.5, 0.35, 0.25)

_SHAPED_BY = "1"
"""Part of the cache's keys: raise it when the same input gives other bytes."""

_one_at_a_time = threading.Lock()
"""A decoded picture takes up to 160 MB: never two at once."""

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


async def fetch(http: Http, attachment: Attachment, limits: MediaLimits, *, cache_dir: Path) -> MediaFile:
    """The attachment as ``limits`` allow it; the second time, without asking the origin again.

    Raises Transient when it cannot be had now, Rejected when it will never be of use as media there.
    """
    key = _key(attachment.url, limits)
    found = await asyncio.to_thread(_read, cache_dir, key)
    if found is None:
        _refuse_early(attachment, limits)
        data = await _download(http, attachment, limits)
        found = await asyncio.to_thread(shape, data, limits)
        await asyncio.to_thread(_write, cache_dir, key, found)
    return replace(found, description=shorten_alt(attachment.description, limits.alt_max))


def shorten_alt(text: str, alt_max: int | None) -> str:
    """``text`` within ``alt_max`` characters, cut at a word, with an ellipsis."""
    text = unicodedata.normalize("NFC", text).strip()
    if alt_max is None or len(text) <= alt_max:
        return text
    if alt_max < 1:
        return ""
    cut = alt_max - 1
    space = max(text.rfind(" ", 0, cut + 1), text.rfind("\n", 0, cut + 1))
    if space > alt_max // 2:
        return text[:space].rstrip(" \n,;:.") + "…"
    while cut > 0 and (_continues(text[cut]) or text[cut - 1] == "\u200d"):
        cut -= 1
    return text[:cut].rstrip() + "…"


def _continues(character: str) -> bool:
    """Whether it belongs to the character before it: combining marks, joiners, variation selectors, skin tones."""
    return unicodedata.category(character) in {"Mn", "Me", "Mc"} or character == "\u200d" or "\U0001f3fb" <= character <= "\U0001f3ff"


def _refuse_early(attachment: Attachment, limits: MediaLimits) -> None:
    if attachment.type not in ("video", "gifv"):
        return
    if not limits.videos_max:
        raise Rejected(f"{attachment.url}: no videos there")
    if attachment.size_bytes is not None and attachment.size_bytes > _video_max_bytes(limits):
        raise Rejected(f"{attachment.url}: a video of {attachment.size_bytes} bytes is too large")
    if attachment.duration_s is not None and limits.video_max_s is not None and attachment.duration_s > limits.video_max_s:
        raise Rejected(f"{attachment.url}: a video of {attachment.duration_s:.0f} s is too long")


def _video_max_bytes(limits: MediaLimits) -> int:
    return min(limits.video_max_bytes or VIDEO_MAX_BYTES, VIDEO_MAX_BYTES)


async def _download(http: Http, attachment: Attachment, limits: MediaLimits) -> bytes:
    if attachment.type in ("video", "gifv"):
        response = await http.get(attachment.url, max_bytes=_video_max_bytes(limits), timeout_s=VIDEO_TIMEOUT_S)
    else:
        response = await http.get(attachment.url, max_bytes=IMAGE_MAX_BYTES)
    error = error_for(response, http.now())
    if error is None:
        return response.body
    raise _about_the_file(error) from error


def _about_the_file(error: ConnectorError) -> ConnectorError:
    """The origin's refusal concerns this file only: it must neither pause the destination's account nor make it wait."""
    if isinstance(error, RateLimited):
        return Transient(error.detail)
    if isinstance(error, AuthExpired | Gone):
        return Rejected(error.detail)
    return error


def sniff(data: bytes) -> str | None:
    """The media type that the first bytes tell, among those that are of use here."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"\x1aE\xdf\xa3") and b"webm" in data[:64]:
        return "video/webm"
    if data[4:8] == b"ftyp":
        return _iso_media(data[8:12])
    return None


def _iso_media(brand: bytes) -> str | None:
    """By the major brand (ISO/IEC 14496-12); AVIF, HEIC and M4A share the container and are not videos."""
    if brand == b"qt  ":
        return "video/quicktime"
    return "video/mp4" if brand[:3] in (b"iso", b"mp4", b"avc", b"M4V", b"MSN", b"das", b"f4v", b"mmp", b"3gp") else None


def shape(data: bytes, limits: MediaLimits) -> MediaFile:
    """``data`` made fit for ``limits``, without description; blocking. Raises Rejected when that cannot be."""
    media_type = sniff(data)
    if media_type is None:
        raise Rejected("the file is neither a picture nor a video that can be used")
    if media_type.startswith("video/"):
        return _video(data, media_type, limits)
    with _one_at_a_time:
        try:
            return _image(data, media_type, limits)
        except (Rejected, MemoryError):
            raise
        except Exception as error:
            # Pillow's decoders raise whatever they like on hostile or broken bytes.
            raise Rejected(f"the picture cannot be read: {type(error).__name__}: {error}") from error


def _video(data: bytes, media_type: str, limits: MediaLimits) -> MediaFile:
    if not limits.videos_max or media_type not in limits.video_types:
        raise Rejected(f"no {media_type} there")
    if len(data) > _video_max_bytes(limits):
        raise Rejected(f"a video of {len(data)} bytes is too large")
    return MediaFile(data=data, media_type=media_type, width=None, height=None, description="")


def _image(data: bytes, media_type: str, limits: MediaLimits) -> MediaFile:
    from PIL import Image

    # The size is checked below before anything is decoded; these stand behind it, for the files in which Pillow finds a picture of its own.
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    pixels_max = min(limits.image_max_pixels or PIXELS_KEPT, PIXELS_KEPT)
    with Image.open(BytesIO(data), formats=[_PILLOW[media_type]]) as picture:
        pixels = picture.width * picture.height
        if pixels > PIXELS_MAX:
            raise Rejected(f"a picture of {picture.width} × {picture.height} is too large")
        if media_type == "image/gif" and media_type in limits.image_types and pixels <= pixels_max:
            moving = clean_gif(data)
            if moving is not None and len(moving) <= (limits.image_max_bytes or IMAGE_MAX_BYTES):
                return MediaFile(data=moving, media_type=media_type, width=picture.width, height=picture.height, description="")
        if pixels > pixels_max:
            picture.draft(None, _within(picture.size, pixels_max))
        upright = _upright(picture)
    return _encode(_reduced(upright, pixels_max), limits, sharp=_is_lossless(data, media_type))


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


def _reduced(picture: Picture, pixels_max: int) -> Picture:
    from PIL.Image import Resampling

    size = _within(picture.size, pixels_max)
    if size == picture.size:
        return picture
    smaller = picture.resize(size, Resampling.LANCZOS)
    smaller.info = picture.info
    return smaller


def _encode(picture: Picture, limits: MediaLimits, *, sharp: bool) -> MediaFile:
    """The best encoding that fits: lossless for what was so (drawings, posters), then less and less of it."""
    max_bytes = limits.image_max_bytes or IMAGE_MAX_BYTES
    for media_type, options in _encodings(picture, limits, sharp=sharp):
        data = _saved(picture, media_type, options)
        if len(data) <= max_bytes:
            return MediaFile(data=data, media_type=media_type, width=picture.width, height=picture.height, description="")
    lossy = _lossy(limits)
    for scale in SCALES[1:]:
        smaller = _reduced(picture, int(picture.width * picture.height * scale**2))
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


def _key(url: str, limits: MediaLimits) -> str:
    shaping = (limits.image_types, limits.image_max_bytes, limits.image_max_pixels)
    video = (limits.videos_max > 0, limits.video_types, limits.video_max_bytes)
    return hashlib.sha256(repr((_SHAPED_BY, url, shaping, video)).encode()).hexdigest()[:32]


def _read(cache_dir: Path, key: str) -> MediaFile | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        entry = json.loads((cache_dir / f"{key}.json").read_bytes())
        data = (cache_dir / Path(entry["file"]).name).read_bytes()
        found = MediaFile(data=data, media_type=entry["media_type"], width=entry["width"], height=entry["height"], description="")
        return found if found.name == entry["file"] else None
    return None


def _write(cache_dir: Path, key: str, found: MediaFile) -> None:
    """Keep it. A cache that cannot be written is no reason not to publish."""
    with suppress(OSError):
        cache_dir.mkdir(parents=True, exist_ok=True)
        _make_room(cache_dir, len(found.data))
        _replace(cache_dir / found.name, found.data)
        entry = {"file": found.name, "media_type": found.media_type, "width": found.width, "height": found.height}
        _replace(cache_dir / f"{key}.json", json.dumps(entry).encode())


def _replace(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise


def _make_room(cache_dir: Path, size_bytes: int) -> None:
    """Drop the oldest until ``size_bytes`` more fit."""
    files = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in cache_dir.iterdir())
    excess = sum(size for _, size, _ in files) + size_bytes - CACHE_MAX_BYTES
    for _, size, path in files:
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= size

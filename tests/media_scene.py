"""Pictures and films made for the tests, and what a destination's limits say of a picture, read by Pillow itself."""

from __future__ import annotations

import random
import struct
from io import BytesIO

from aiohttp import web
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from syndicator import registry
from syndicator.contract import MediaLimits
from syndicator.media import MediaFile
from syndicator.sandbox.server import Simulator
from syndicator.shaping import PIXELS_KEPT
from syndicator.testing import NOW


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    """The picture as a file."""
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Incompressible, the same each time."""
    return Image.frombytes(mode, (width, height), random.Random(1).randbytes(width * height * len(mode)))


def opened(found: MediaFile) -> Image.Image:
    """The file, decoded."""
    picture = Image.open(BytesIO(found.data))
    picture.load()
    return picture


def outside(found: MediaFile, limits: MediaLimits) -> list[str]:
    """In which ways a picture is not what ``limits`` ask for."""
    picture = opened(found)
    width, height = picture.size
    low, high = limits.image_ratio or (0.0, float("inf"))
    checks = {
        "type": Image.MIME[picture.format or ""] == found.media_type and found.media_type in limits.image_types,
        "size": (found.width, found.height) == picture.size,
        "bytes": len(found.data) <= (limits.image_max_bytes or 15_000_000),
        "pixels": width * height <= min(limits.image_max_pixels or PIXELS_KEPT, PIXELS_KEPT),
        "narrow": width >= (limits.image_min_width or 1),
        "wide": width <= (limits.image_max_width or width),
        "ratio": low <= width / height <= high,
    }
    return [name for name, good in checks.items() if not good]


def destinations() -> dict[str, MediaLimits]:
    """What every installed destination with pictures takes; those that take the same are one."""
    found: dict[MediaLimits, list[str]] = {}
    for name in registry.names("destinations"):
        limits = getattr(registry.find("destinations", name), "limits", None)
        if limits is not None and limits.media.images_max:
            found.setdefault(limits.media, []).append(name)
    return {"+".join(names): limits for limits, names in found.items()}


def box(name: bytes, *bodies: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    body = b"".join(bodies)
    return struct.pack(">I", 8 + len(body)) + name + body


def film(units: int, scale: int = 1000, *, version: int = 0, brand: bytes = b"isom", last: bool = True, more: bytes = b"") -> bytes:
    """An MP4's frame: its type, its (empty) pictures, and a ``moov`` that says how long it lasts, in front or at the end."""
    times = struct.pack(">QQIQ", 0, 0, scale, units) if version else struct.pack(">IIII", 0, 0, scale, units)
    moov = box(b"moov", box(b"mvhd", bytes((version, 0, 0, 0)), times, bytes(80)), more)
    data = box(b"mdat", bytes(300))
    return box(b"ftyp", brand, bytes(4), b"isom") + (data + moov if last else moov + data)


MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(64)


def photo(width: int = 40, height: int = 20, *, orientation: int = 1) -> bytes:
    """A JPEG as a telephone makes it: left half red, with orientation, GPS, a serial number, a comment and XMP."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.Make] = "GPSPhone"
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (48.0, 23.0, 24.0)
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitudeRef] = "N"
    return encoded(picture, "JPEG", exif=exif, comment=b"GPSPhone", xmp=b"<x:xmpmeta>GPSPhone</x:xmpmeta>")


def moving_gif() -> bytes:
    frames = [Image.new("RGB", (10, 10), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0, duration=100, comment=b"GPSPhone")


class Files(Simulator):
    """A stranger's file server."""

    def __init__(self) -> None:
        super().__init__(now=lambda: NOW)
        self.files: dict[str, bytes] = {}
        self.app.router.add_get("/{name}", self.file)

    async def file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.files:
            raise web.HTTPNotFound
        return web.Response(body=self.files[name], content_type="text/plain")

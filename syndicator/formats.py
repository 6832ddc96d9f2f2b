"""What a file's own bytes say it is: its type, the size of a picture, the duration of a film. Nothing is decoded here.

Names and headers are not asked, and every walk through a file is bounded: a broken or hostile one is None, never an exception.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

HEAD_BYTES = 64
"""As much of a file as ``sniff`` looks at."""
LOGO_MAX_BYTES = 2_000_000
LOGO_MAX_PIXELS = 16_000_000
BOXES_MAX = 1_000
SEGMENTS_MAX = 1_000


def sniff(data: bytes) -> str | None:
    """The media type by the first bytes; None for what is not carried."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"\x1aE\xdf\xa3") and b"webm" in data[:HEAD_BYTES]:
        return "video/webm"
    if data[4:8] == b"ftyp":
        return _iso_media(data[8:12])
    return None


def _iso_media(brand: bytes) -> str | None:
    """By the major brand (ISO/IEC 14496-12); AVIF, HEIC and M4A share the container and are not videos."""
    if brand == b"qt  ":
        return "video/quicktime"
    return "video/mp4" if brand[:3] in (b"iso", b"mp4", b"avc", b"M4V", b"MSN", b"das", b"f4v", b"mmp", b"3gp") else None


def claimed_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG or JPEG, as its header claims; None when there is none."""
    if sniff(data) == "image/png" and data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return width, height
    return _jpeg_size(data) if sniff(data) == "image/jpeg" else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """From the frame header (ITU-T T.81, B.2.2)."""
    position = 2
    for _ in range(SEGMENTS_MAX):
        if position + 9 > len(data) or data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        # A marker may be preceded by fill bytes (B.1.1.2).
        position += 1 if marker == 0xFF else 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None


def duration_s(film: bytes | BinaryIO) -> float | None:
    """How long an MP4 or QuickTime film lasts, from its ``moov`` box; None when it does not say, or is of another kind.

    ISO/IEC 14496-12: ``mvhd`` (8.2.2), and ``mehd`` (8.8.2) where the film is made of fragments.
    """
    file = BytesIO(film) if isinstance(film, bytes) else film
    try:
        end = file.seek(0, 2)
        scale, units = 0, 0
        for path, start, stop in _boxes(file, 0, end, b""):
            if path == b"moov/mvhd":
                scale, units = _mvhd(_at(file, start, min(stop, start + 32)))
            elif path == b"moov/mvex/mehd" and not units:
                body = _at(file, start, min(stop, start + 12))
                units = int.from_bytes(body[4:12] if body[0] == 1 else body[4:8], "big")
    except (OSError, IndexError, struct.error):
        return None
    return units / scale if scale and units else None


def _mvhd(body: bytes) -> tuple[int, int]:
    """The timescale and the duration; 0 where it is not known (all bits set)."""
    wide = body[0] == 1
    scale, units = struct.unpack_from(">IQ", body, 20) if wide else struct.unpack_from(">II", body, 12)
    return scale, 0 if units == (2**64 if wide else 2**32) - 1 else units


def _at(file: BinaryIO, start: int, stop: int) -> bytes:
    file.seek(start)
    return file.read(stop - start)


def _boxes(file: BinaryIO, start: int, end: int, inside: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The boxes from ``start`` to ``end``: their path, and where their bodies start and stop; those within ``moov`` too."""
    for _ in range(BOXES_MAX):
        head = _at(file, start, min(end, start + 16))
        if len(head) < 8:
            return
        size, name, body = int.from_bytes(head[:4], "big"), inside + head[4:8], start + 8
        if size == 1 and len(head) == 16:
            size, body = int.from_bytes(head[8:16], "big"), start + 16
        stop = end if size == 0 else start + size
        if not body <= stop <= end:
            return
        yield name, body, stop
        if name in (b"moov", b"moov/mvex"):
            yield from _boxes(file, body, stop, name + b"/")
        start = stop

"""Strangers' pictures and videos: what is kept, what is dropped, what is refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from syndicator import media, shaping
from syndicator.contract import MediaLimits
from syndicator.errors import RateLimited, Rejected, Transient
from syndicator.http import Http, Sessions
from syndicator.media import MediaFile, clean_gif, fetch, shape, shorten_alt, sniff
from syndicator.model import Attachment
from syndicator.sandbox.server import Fault, Simulator
from syndicator.shaping import shape_apart
from syndicator.testing import NOW

LIMITS = MediaLimits(images_max=4, videos_max=1, image_max_bytes=2_000_000, image_max_pixels=1_000_000, video_max_bytes=1_000, alt_max=1500)
MP4 = b"\x00\x00\x00\x18ftypisom" + bytes(64)


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


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


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Incompressible, the same each time."""
    size = width * height * len(mode)
    state, out = 1, bytearray()
    while len(out) < size:
        state = zlib.crc32(state.to_bytes(8, "big"))
        out += state.to_bytes(4, "big")
    return Image.frombytes(mode, (width, height), bytes(out[:size]))


def png_that_claims(width: int, height: int) -> bytes:
    """A small file that would decode to an enormous picture."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def moving_gif() -> bytes:
    frames = [Image.new("RGB", (10, 10), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0, duration=100, comment=b"GPSPhone")


def opened(found: MediaFile) -> Image.Image:
    picture = Image.open(BytesIO(found.data))
    picture.load()
    return picture


def test_a_photo_tells_nothing_of_its_maker() -> None:
    """EXIF, GPS, comment and XMP are gone from the bytes themselves."""
    before = photo()
    found = shape(before, LIMITS)

    assert b"GPSPhone" in before
    assert b"GPSPhone" not in found.data
    assert b"Exif" not in found.data
    assert dict(opened(found).getexif()) == {}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_upright(orientation: int) -> None:
    """The pixels are turned as the orientation said, since what said so is dropped."""
    found = shape(photo(orientation=orientation), LIMITS)
    picture = opened(found).convert("RGB")
    red_corner = {1: (0, 0), 2: (-1, 0), 3: (-1, -1), 4: (0, -1), 5: (0, 0), 6: (-1, 0), 7: (0, -1), 8: (0, -1)}[orientation]
    x, y = (side + at if at < 0 else at for at, side in zip(red_corner, picture.size, strict=True))
    red, _, blue = picture.getpixel((x, y))  # type: ignore[misc]

    assert (found.width, found.height) == ((20, 40) if orientation >= 5 else (40, 20))
    assert picture.size == (found.width, found.height)
    assert red > 200 > blue


@pytest.mark.parametrize(("form", "mode", "expected", "kept"), [
    ("JPEG", "RGB", "image/jpeg", "RGB"),
    ("JPEG", "CMYK", "image/jpeg", "RGB"),
    ("JPEG", "L", "image/jpeg", "L"),
    ("PNG", "RGB", "image/png", "RGB"),
    ("PNG", "RGBA", "image/png", "RGBA"),
    ("PNG", "LA", "image/png", "RGBA"),
    ("PNG", "P", "image/png", "RGB"),
    ("PNG", "1", "image/png", "RGB"),
    ("WEBP", "RGB", "image/jpeg", "RGB"),
    ("WEBP", "RGBA", "image/webp", "RGBA"),
    ("GIF", "L", "image/png", "RGB"),
])  # fmt: skip
def test_every_mode_becomes_one_that_all_show(form: str, mode: str, expected: str, kept: str) -> None:
    """Printers' colours, greys, palettes and transparency survive as what browsers show."""
    found = shape(encoded(Image.new(mode, (30, 10)), form), LIMITS)
    assert found.media_type == expected
    assert sniff(found.data) == expected
    assert (found.width, found.height) == (30, 10)
    if expected != "image/jpeg" or kept == "L":
        assert opened(found).mode in {kept, "L" if form == "GIF" else kept}


def test_the_same_bytes_each_time() -> None:
    """Twice the same input is twice the same file, by content and by name."""
    first, second = (shape(photo(2000, 1000), LIMITS) for _ in range(2))
    assert first == second
    assert first.name == second.name
    assert first.name.endswith(".jpg")


def test_pixels_at_the_limit_stay_and_one_more_shrinks() -> None:
    """1000 × 1000 is a million; 1000 × 1001 is brought below it, with its proportions."""
    at = shape(encoded(Image.new("RGB", (1000, 1000)), "JPEG"), LIMITS)
    above = shape(encoded(Image.new("RGB", (1000, 1001)), "JPEG"), LIMITS)

    assert (at.width, at.height) == (1000, 1000)
    assert (above.width, above.height) == (999, 1000)


def test_bytes_at_the_limit_stay_and_one_more_is_encoded_harder() -> None:
    """What fits is kept at the best quality; a byte less of room costs quality or size, and still fits."""
    source = encoded(noise(200, 200), "PNG")
    size = len(shape(source, LIMITS).data)
    at = shape(source, MediaLimits(images_max=1, image_max_bytes=size))
    below = shape(source, MediaLimits(images_max=1, image_max_bytes=size - 1))
    tiny = shape(source, MediaLimits(images_max=1, image_max_bytes=3_000))

    assert (at.media_type, len(at.data)) == ("image/png", size)
    assert below.media_type == "image/jpeg"
    assert (below.width, below.height) == (200, 200)
    assert len(tiny.data) <= 3_000
    assert (tiny.width or 0) < 200
    with pytest.raises(Rejected):
        shape(source, MediaLimits(images_max=1, image_max_bytes=100))


def test_a_destination_without_png_gets_transparency_on_white() -> None:
    """A poster with a transparent ground does not turn black."""
    source = encoded(Image.new("RGBA", (10, 10), (0, 0, 0, 0)), "PNG")
    found = shape(source, MediaLimits(images_max=1, image_types=("image/jpeg",)))

    assert found.media_type == "image/jpeg"
    assert opened(found).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("data", [
    png_that_claims(10_000, 4_001),
    png_that_claims(100_000, 100_000),
    png_that_claims(6_000, 6_000),
    b"<!DOCTYPE html><html><body>Not found</body></html>",
    b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    b"",
    photo()[:200],
    b"\x89PNG\r\n\x1a\n" + bytes(50),
    b"GIF89a" + bytes(20),
    b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(50),
    b"%PDF-1.7",
    b"ID3\x04" + bytes(50),
    b"\x00\x00\x00\x18ftypavif" + bytes(50),
])  # fmt: skip
def test_what_is_no_usable_picture_is_refused(data: bytes) -> None:
    """Bombs, web pages, scripts, broken files: refused, never a crash, never passed on."""
    with pytest.raises(Rejected):
        shape(data, LIMITS)


def test_a_moving_gif_keeps_moving_and_loses_its_comment() -> None:
    """Its frames are untouched where the destination takes GIFs; else its first frame is shown."""
    source = moving_gif()
    found = shape(source, LIMITS)
    still = shape(source, MediaLimits(images_max=1, image_types=("image/png",)))

    assert b"GPSPhone" in source
    assert b"GPSPhone" not in found.data
    assert found.media_type == "image/gif"
    assert opened(found).n_frames == 3  # type: ignore[attr-defined]
    assert opened(found).info["loop"] == 0
    assert still.media_type == "image/png"


@pytest.mark.parametrize("cut", [3, 11, 14, 40, -1])
def test_a_broken_gif_is_not_passed_on_as_it_is(cut: int) -> None:
    """Without its end, a GIF is no longer taken block by block."""
    assert clean_gif(moving_gif()[:cut]) is None


def test_videos_pass_as_they_are_within_the_limits() -> None:
    """At the limit it passes, one byte above it does not, nor where there are no videos, nor of another type."""
    at = MP4.ljust(1_000, b"\0")
    assert shape(at, LIMITS) == MediaFile(data=at, media_type="video/mp4", width=None, height=None, description="")
    for data, limits in [
        (at + b"\0", LIMITS),
        (at, MediaLimits(images_max=1)),
        (at, MediaLimits(videos_max=1, video_types=("video/webm",))),
    ]:
        with pytest.raises(Rejected):
            shape(data, limits)


@pytest.mark.parametrize(("text", "alt_max", "expected"), [
    ("Une affiche", None, "Une affiche"),
    ("Une affiche", 11, "Une affiche"),
    ("Une affiche rouge", 16, "Une affiche…"),
    ("Une affiche, rouge et bleue", 13, "Une affiche…"),
    ("Anticonstitutionnellement", 10, "Anticonst…"),
    ("Une affiche", 0, ""),
    ("", 5, ""),
    ("e\u0301té", 3, "été"),
    ("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 9, "👩‍👩‍👧‍👦…"),
])  # fmt: skip
def test_alt_text_is_cut_at_a_word(text: str, alt_max: int | None, expected: str) -> None:
    """Within the limit untouched; else whole words, or whole characters, and an ellipsis."""
    assert shorten_alt(text, alt_max) == expected
    assert alt_max is None or len(shorten_alt(text, alt_max)) <= alt_max


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


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with Files() as files:
        files.files["photo.exe"] = photo()
        yield files


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    sessions = Sessions()
    yield Http(sessions=sessions, now=lambda: NOW, user_agent="syndicator-tests", allow_private=frozenset({"127.0.0.1"}))
    await sessions.close()


async def test_fetched_once(files: Files, http: Http, tmp_path: Path) -> None:
    """The second time costs the origin nothing, whatever the alt text; other limits are another file."""
    url = f"{files.url}/photo.exe"
    first = await fetch(http, Attachment(url=url, description="Deux vélos"), LIMITS, cache_dir=tmp_path / "media")
    again = await fetch(http, Attachment(url=url, description="Trois vélos"), LIMITS, cache_dir=tmp_path / "media")

    assert (first.description, again.description) == ("Deux vélos", "Trois vélos")
    assert first.data == again.data
    assert first.media_type == "image/jpeg"
    assert len(files.requests) == 1
    assert "Authorization" not in files.requests[0].headers
    small = await fetch(http, Attachment(url=url), MediaLimits(images_max=1, image_max_pixels=100), cache_dir=tmp_path / "media")
    assert (small.width, small.height) == (14, 7)
    assert len(files.requests) == 2


@pytest.mark.parametrize("pattern", ["*.jpg", "*.json"])
async def test_a_damaged_cache_is_fetched_again(files: Files, http: Http, tmp_path: Path, pattern: str) -> None:
    """Files cut by a full disk are not published."""
    attachment = Attachment(url=f"{files.url}/photo.exe")
    first = await fetch(http, attachment, LIMITS, cache_dir=tmp_path)
    (path,) = tmp_path.glob(pattern)
    path.write_bytes(path.read_bytes()[:-1])

    assert await fetch(http, attachment, LIMITS, cache_dir=tmp_path) == first
    assert len(files.requests) == 2


async def test_a_cache_that_cannot_be_written_stops_nothing(files: Files, http: Http, tmp_path: Path) -> None:
    """A file where the folder should be: the picture is published all the same."""
    (tmp_path / "media").write_text("")
    found = await fetch(http, Attachment(url=f"{files.url}/photo.exe"), LIMITS, cache_dir=tmp_path / "media")
    assert found.media_type == "image/jpeg"


async def test_the_cache_stays_within_its_size(files: Files, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest make room for the newest."""
    monkeypatch.setattr(media, "CACHE_MAX_BYTES", 5_000)
    for number in range(12):
        files.files[f"{number}"] = encoded(noise(20, 20 + number), "PNG")
        await fetch(http, Attachment(url=f"{files.url}/{number}"), LIMITS, cache_dir=tmp_path)

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 6_000
    files.requests.clear()
    await fetch(http, Attachment(url=f"{files.url}/11"), LIMITS, cache_dir=tmp_path)
    assert files.requests == []


@pytest.mark.parametrize(("status", "kind"), [
    (404, Rejected), (410, Rejected), (403, Rejected), (401, Rejected), (429, Transient), (500, Transient), (503, Transient),
])  # fmt: skip
async def test_a_refusal_concerns_the_file_only(files: Files, http: Http, tmp_path: Path, status: int, kind: type[Exception]) -> None:
    """A stranger's 401 or 429 neither pauses nor slows the account that we publish with."""
    files.fault(Fault(action="answer", status=status, headers={"Retry-After": "3600"}))
    with pytest.raises(kind) as caught:
        await fetch(http, Attachment(url=f"{files.url}/photo.exe"), LIMITS, cache_dir=tmp_path)
    assert type(caught.value) is kind
    assert not isinstance(caught.value, RateLimited)


@pytest.mark.parametrize("action", ["drop", "truncate"])
async def test_a_file_that_does_not_arrive_is_asked_for_again(files: Files, http: Http, tmp_path: Path, action: str) -> None:
    """Half a file is no file, and is not kept."""
    files.fault(Fault(action=action, times=9))  # type: ignore[arg-type]
    with pytest.raises(Transient):
        await fetch(http, Attachment(url=f"{files.url}/photo.exe"), LIMITS, cache_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_private_address_is_not_fetched(files: Files, tmp_path: Path) -> None:
    """A stranger's attachment cannot make us look inside our own network."""
    sessions = Sessions()
    http = Http(sessions=sessions, now=lambda: NOW, user_agent="syndicator-tests")
    with pytest.raises(Rejected):
        await fetch(http, Attachment(url=f"{files.url}/photo.exe"), LIMITS, cache_dir=tmp_path)
    await sessions.close()
    assert files.requests == []


@pytest.mark.parametrize("attachment", [
    Attachment(url="http://127.0.0.1/v.mp4", type="video", size_bytes=1_001),
    Attachment(url="http://127.0.0.1/v.mp4", type="video", duration_s=61.0),
])  # fmt: skip
async def test_a_video_known_to_be_too_much_is_not_even_fetched(http: Http, tmp_path: Path, attachment: Attachment) -> None:
    """Its size and duration, as the origin tells them, spare the transfer."""
    limits = MediaLimits(videos_max=1, video_max_bytes=1_000, video_max_s=60.0)
    with pytest.raises(Rejected):
        await fetch(http, attachment, limits, cache_dir=tmp_path)


async def test_a_video_larger_than_it_said_is_cut_off(files: Files, http: Http, tmp_path: Path) -> None:
    """The limit holds while reading."""
    files.files["v.mp4"] = MP4 + bytes(5_000)
    with pytest.raises(Rejected):
        await fetch(http, Attachment(url=f"{files.url}/v.mp4", type="video"), LIMITS, cache_dir=tmp_path)


def test_a_child_gives_what_we_would_give() -> None:
    """Decoding apart changes no byte and no refusal."""
    source = photo(2000, 1000)
    assert shape_apart(source, LIMITS) == shape(source, LIMITS)

    for data, limits in ((b"not a picture", LIMITS), (encoded(Image.new("RGB", (8, 8)), "PNG")[:40], LIMITS)):
        with pytest.raises(Rejected) as here:
            shape(data, limits)
        with pytest.raises(Rejected) as apart:
            shape_apart(data, limits)
        assert str(apart.value).split(" at 0x")[0] == str(here.value).split(" at 0x")[0]


def test_a_child_that_dies_costs_only_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Killed by the system, or without an answer, it is a refusal like another; the daemon goes on."""
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\nkill -9 $$\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(shaping.sys, "executable", str(interpreter))
    with pytest.raises(Rejected, match="-9"):
        shape_apart(photo(), LIMITS)

    monkeypatch.setattr(shaping.sys, "executable", str(tmp_path / "missing"))
    with pytest.raises(Transient):
        shape_apart(photo(), LIMITS)

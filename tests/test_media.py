"""Strangers' pictures and videos: what is kept, what is dropped, what is refused."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from syndicator import media, shaping
from syndicator.contract import MediaLimits
from syndicator.errors import RateLimited, Rejected, Transient
from syndicator.formats import claimed_size, duration_s
from syndicator.framing import frame, quiet_colour
from syndicator.http import Http, Sessions
from syndicator.media import MediaFile, VideoFile, clean_gif, fetch, fetch_file, forget, shape, shorten_alt, sniff
from syndicator.model import Attachment
from syndicator.sandbox.server import Fault
from syndicator.shaping import shape_apart
from syndicator.testing import NOW
from syndicator.text.face import Face, to_url
from tests.media_scene import MP4, Files, box, destinations, encoded, film, moving_gif, noise, opened, outside, photo

LIMITS = MediaLimits(images_max=4, videos_max=1, image_max_bytes=2_000_000, image_max_pixels=1_000_000, video_max_bytes=1_000, alt_max=1500)


def png_that_claims(width: int, height: int) -> bytes:
    """A small file that would decode to an enormous picture."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


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


NETWORKS = destinations()
NETWORK = pytest.mark.parametrize("name", NETWORKS)
INSTAGRAM = MediaLimits(
    images_max=10,
    image_types=("image/jpeg",),
    image_max_bytes=8_000_000,
    image_ratio=(0.8, 1.91),
    image_min_width=320,
    image_max_width=1440,
)


def sides(limits: MediaLimits) -> dict[str, tuple[int, int]]:
    """Sizes at each of a destination's limits, and one above."""
    found = {"one": (1, 1)}
    if limits.image_max_pixels:
        most = min(limits.image_max_pixels, shaping.PIXELS_KEPT)
        across = int(most**0.5)
        found |= {"pixels": (across, most // across), "pixels above": (across, most // across + 1)}
    if limits.image_min_width:
        found |= {"narrowest": (limits.image_min_width, 300), "narrower": (limits.image_min_width - 1, 300)}
    if limits.image_max_width:
        found |= {"widest": (limits.image_max_width, 1000), "wider": (limits.image_max_width + 1, 1000)}
    if limits.image_ratio:
        low, high = limits.image_ratio
        found |= {"tall": (400, int(400 / low)), "taller": (400, int(400 / low) + 1)}
        found |= {"flat": (int(800 * high), 800), "flatter": (int(800 * high) + 1, 800), "line": (3000, 1), "thread": (1, 3000)}
    return found


@NETWORK
def test_every_network_gets_what_it_takes(name: str) -> None:
    """At each of its limits and one above: its type, its pixels, its widths, its proportions."""
    limits = NETWORKS[name]
    for what, size in sides(limits).items():
        for mode, form in (("L", "JPEG"), ("RGBA", "PNG")) if what in ("one", "wider", "taller", "flatter") else (("L", "JPEG"),):
            assert outside(shape(encoded(Image.new(mode, size), form), limits), limits) == [], (what, size)


NOISE = encoded(noise(1200, 1200), "JPEG", quality=95)


def test_a_network_without_a_limit_of_pixels_has_ours() -> None:
    """At 16 megapixels a picture stays as it is, above it becomes smaller."""
    at, above = (shape(encoded(Image.new("L", (4096, height)), "JPEG"), MediaLimits(images_max=1)) for height in (4096, 4097))
    assert [(found.width, found.height) for found in (at, above)] == [(4096, 4096), (4095, 4096)]


@NETWORK
def test_every_network_gets_no_more_bytes_than_it_takes(name: str) -> None:
    """A picture that hardly gets smaller: within its real limit, within one that it just meets, and within one byte less."""
    limits = NETWORKS[name]
    found = shape(NOISE, limits)
    size = len(found.data)
    below = shape(NOISE, replace(limits, image_max_bytes=size - 1))

    assert outside(found, limits) == []
    assert shape(NOISE, replace(limits, image_max_bytes=size)) == found
    assert outside(below, replace(limits, image_max_bytes=size - 1)) == []


@NETWORK
@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_transparency_is_never_black(name: str, form: str) -> None:
    """It stays transparent where the network can show that, and is white where it cannot."""
    found = shape(encoded(Image.new("RGBA", (400, 400), (0, 0, 0, 0)), form), NETWORKS[name])
    corner = opened(found).convert("RGBA").getpixel((3, 3))
    assert corner == (255, 255, 255, 255) or corner[3] == 0  # type: ignore[index]


@pytest.mark.parametrize(("size", "expected"), [
    ((1080, 1350), (1080, 1350)), ((1080, 1351), (1080, 1350)), ((1910, 1000), (1440, 754)), ((600, 600), (600, 600)),
    ((320, 320), (320, 320)), ((319, 319), (320, 320)), ((1440, 1440), (1440, 1440)), ((1441, 1441), (1440, 1440)),
    ((600, 900), (720, 900)), ((1200, 400), (1200, 629)), ((1000, 5000), (1440, 1800)), ((10_000, 20), (1440, 754)),
    ((10, 10), (320, 320)),
])  # fmt: skip
def test_instagram(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """4:5 to 1.91:1, 320 to 1440 wide: in between untouched, outside it a border, narrow ones scaled up, wide ones down."""
    found = shape(encoded(Image.new("L", size), "JPEG"), INSTAGRAM)
    assert (found.width, found.height) == expected
    assert outside(found, INSTAGRAM) == []


@given(st.tuples(st.integers(1, 30_000), st.integers(1, 30_000)), st.tuples(st.floats(0.05, 1), st.floats(1, 20)), st.integers(1, 2000))
def test_any_picture_gets_a_size(size: tuple[int, int], ratio: tuple[float, float], narrowest: int) -> None:
    """Within all limits at once; the picture itself keeps its proportions, fills one side, and is never cut."""
    limits = MediaLimits(images_max=1, image_ratio=ratio, image_min_width=narrowest, image_max_width=narrowest + 100)
    (width, height), inner = frame(size, limits, 4_500_000 * 20)
    assert ratio[0] <= width / height <= ratio[1]
    assert narrowest <= width <= narrowest + 100
    assert inner[0] <= width
    assert inner[1] <= height
    assert inner[0] == width or inner[1] == height
    assert abs(inner[0] * size[1] - inner[1] * size[0]) <= max(size[0], size[1]) * 1.01


def test_nothing_of_a_poster_is_cut_off() -> None:
    """Its four corners are all there, upright, and around them the colour of its own edge."""
    poster = Image.new("RGB", (500, 1500), (20, 60, 120))
    for x, y, colour in ((0, 0, "red"), (480, 0, "lime"), (0, 1480, "yellow"), (480, 1480, "white")):
        poster.paste(colour, (x, y, x + 20, y + 20))
    found = opened(shape(encoded(poster, "PNG"), replace(INSTAGRAM, image_types=("image/png",))))

    assert found.size == (1200, 1500)
    assert [found.getpixel(at) for at in ((360, 10), (840, 10), (360, 1490), (840, 1490))] == [
        (255, 0, 0), (0, 255, 0), (255, 255, 0), (255, 255, 255),
    ]  # fmt: skip
    assert {found.getpixel((x, y)) for x in (0, 349, 850, 1199) for y in (0, 700, 1499)} == {(20, 60, 120)}


def test_a_border_is_quiet() -> None:
    """Of one colour where the edge has one, greyer than the picture where it has many, in the picture's own mode."""
    plain, loud = Image.new("RGB", (60, 200), (200, 10, 10)), Image.new("RGB", (60, 200), (250, 40, 10))
    loud.paste((10, 200, 30), (0, 0, 60, 90))
    red, green, blue = quiet_colour(loud, sides=True)  # type: ignore[misc]

    assert quiet_colour(plain, sides=True) == (200, 10, 10)
    assert max(red, green, blue) - min(red, green, blue) <= 0.4 * (250 - 10)
    assert quiet_colour(loud, sides=False) == quiet_colour(loud, sides=False)
    assert quiet_colour(Image.new("L", (9, 9), 70), sides=True) == 70
    assert quiet_colour(Image.new("RGBA", (9, 9), "red"), sides=True) == (0, 0, 0, 0)


def test_a_picture_that_fits_no_size_is_refused() -> None:
    """So narrow that its least width would be too many pixels, where there is no border to save it."""
    with pytest.raises(Rejected, match="no size"):
        shape(encoded(Image.new("L", (1, 20_000)), "PNG"), MediaLimits(images_max=1, image_min_width=320, image_max_pixels=1_000_000))


def test_a_drawing_stays_sharp_as_a_jpeg() -> None:
    """What was lossless keeps its colours at full size where only JPEG is taken; a photo does not need it."""
    only = MediaLimits(images_max=1, image_types=("image/jpeg",))
    drawing, picture = (opened(shape(encoded(noise(40, 40), form), only)) for form in ("PNG", "JPEG"))
    assert [layer[1:3] for layer in drawing.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
    assert [layer[1:3] for layer in picture.layer] == [(2, 2), (1, 1), (1, 1)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("data", "size"), [
    (encoded(noise(300, 200), "PNG"), (300, 200)), (encoded(noise(300, 200), "JPEG"), (300, 200)), (photo(40, 20), (40, 20)),
    (encoded(noise(30, 20), "JPEG", progressive=True), (30, 20)), (encoded(noise(30, 20), "GIF"), None), (b"", None),
    (photo()[:12], None), (b"\xff\xd8\xff" + b"\xff" * 5000, None), (b"\x89PNG\r\n\x1a\n", None), (b"\xff\xd8\xff\xe0\0\0" * 999, None),
])  # fmt: skip
def test_what_a_picture_claims_to_measure(data: bytes, size: tuple[int, int] | None) -> None:
    """From its header alone, without decoding."""
    assert claimed_size(data) == size


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


MEHD = box(b"mvex", box(b"mehd", bytes(4), (9_000).to_bytes(4, "big")))


@pytest.mark.parametrize(("data", "seconds"), [
    (film(61_000), 61.0), (film(61_000, last=False), 61.0), (film(90_000 * 7_200, 90_000, version=1), 7_200.0),
    (film(1_500, brand=b"qt  "), 1.5), (film(0), None), (film(0xFFFFFFFF), None), (film(2**64 - 1, version=1), None), (film(5, 0), None),
    (film(0, more=MEHD), 9.0), (MP4, None), (film(61_000)[:-150], None), (b"", None), (b"\x1aE\xdf\xa3webm" + bytes(99), None),
    (box(b"ftyp", b"isom") + b"\0\0\0\1mdat" + (16 + 8).to_bytes(8, "big") + bytes(8) + film(4_000), 4.0),
    (box(b"ftyp", b"isom") + box(b"free") * 5_000 + film(4_000), None), (box(b"ftyp", b"isom") + b"\0\0\0\7moov", None),
    (box(b"ftyp", b"isom") + b"\0\0\0\0moov" + film(3_000)[336:], 3.0),
])  # fmt: skip
def test_how_long_a_film_lasts(data: bytes, seconds: float | None) -> None:
    """As its own index says, wherever that is; unknown, endless or broken is None, within bounded work."""
    assert duration_s(data) == seconds


@pytest.mark.parametrize(("units", "taken"), [(60_000, True), (60_001, False), (0, True)])
def test_a_film_is_measured_by_itself(units: int, taken: bool) -> None:
    """At the limit it passes, a millisecond above it does not, whatever its origin said; what does not say is believed."""
    limits = replace(LIMITS, video_max_s=60.0)
    if taken:
        assert shape(film(units), limits).media_type == "video/mp4"
        return
    with pytest.raises(Rejected, match="too long"):
        shape(film(units), limits)


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
    monkeypatch.setattr(media, "CACHE_MAX_BYTES", 3_000)
    for number in range(6):
        files.files[f"{number}"] = encoded(noise(20, 20 + number), "PNG")
        await fetch(http, Attachment(url=f"{files.url}/{number}"), LIMITS, cache_dir=tmp_path)

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4_500
    files.requests.clear()
    await fetch(http, Attachment(url=f"{files.url}/5"), LIMITS, cache_dir=tmp_path)
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


CARD = Face(title="Bourse aux vélos", facts=("Samedi 12 décembre 2026",), name="Les Amis du Vélo", colour="#1f6f50")


async def test_a_card_is_drawn_once(http: Http, tmp_path: Path) -> None:
    """An address that holds a face asks nobody; the second time it is not even drawn; its alt text goes along."""
    first = await fetch(http, Attachment(url=to_url(CARD), description="Bourse aux vélos, samedi"), LIMITS, cache_dir=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = await fetch(http, Attachment(url=to_url(CARD), description="Autre texte"), LIMITS, cache_dir=tmp_path)

    assert outside(first, LIMITS) == []
    assert (first.width, first.height) == (1200, 630)
    assert (first.description, again.description) == ("Bourse aux vélos, samedi", "Autre texte")
    assert first.data == again.data
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    other = await fetch(http, Attachment(url=to_url(CARD)), replace(INSTAGRAM, image_required=True), cache_dir=tmp_path)
    assert (other.media_type, other.width, other.height) == ("image/jpeg", 1080, 1350)


async def test_only_a_logo_that_a_person_named_is_shown(http: Http, tmp_path: Path) -> None:
    """A stranger's address cannot publish the pictures of this machine; a new logo at the same path is another card."""
    path = tmp_path / "logo.png"
    path.write_bytes(encoded(noise(50, 50), "PNG"))
    attachment = Attachment(url=to_url(replace(CARD, logo=str(path))))
    plain = await fetch(http, Attachment(url=to_url(CARD)), LIMITS, cache_dir=tmp_path / "a")
    refused = await fetch(http, attachment, LIMITS, cache_dir=tmp_path / "a")
    trusted = replace(http, own_files=frozenset({path}))
    shown = await fetch(trusted, attachment, LIMITS, cache_dir=tmp_path / "a")
    path.write_bytes(encoded(Image.new("RGB", (60, 60), "red"), "PNG"))
    changed = await fetch(trusted, attachment, LIMITS, cache_dir=tmp_path / "a")

    assert plain.data == refused.data
    assert len({plain.data, shown.data, changed.data}) == 3


@pytest.mark.parametrize("url", ["card:", "card:%7B", 'card:{"title":1}', "card:" + "%5B" * 50_000])
async def test_a_damaged_card_is_refused(http: Http, tmp_path: Path, url: str) -> None:
    """It costs one attachment."""
    with pytest.raises(Rejected):
        await fetch(http, Attachment(url=url), LIMITS, cache_dir=tmp_path)


ANY_FILM = MediaLimits(videos_max=1, video_max_s=3_600)


async def test_a_large_video_goes_to_disk(files: Files, http: Http, tmp_path: Path) -> None:
    """Its type by its first bytes, its size, its hash, its duration; asked for once; its room is given back."""
    data = film(7_000, more=bytes(3_000_000))
    files.files["v.exe"] = data
    attachment = Attachment(url=f"{files.url}/v.exe", type="video", duration_s=5.0)
    found = await fetch_file(http, attachment, ANY_FILM, cache_dir=tmp_path)

    assert found == VideoFile(
        path=found.path, media_type="video/mp4", size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), duration_s=7.0
    )
    assert Path(found).read_bytes() == data
    assert await fetch_file(http, attachment, ANY_FILM, cache_dir=tmp_path) == found
    assert len(files.requests) == 1
    await forget(found)
    await forget(found)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("data", "limits"), [
    (film(3_600_001), ANY_FILM), (b"<html>not a film</html>" * 9, ANY_FILM), (encoded(noise(9, 9), "PNG"), ANY_FILM), (b"", ANY_FILM),
    (film(1_000), MediaLimits(videos_max=1, video_types=("video/webm",))), (film(1_000), MediaLimits(images_max=1)),
    (film(1_000), MediaLimits(videos_max=1, video_max_bytes=len(film(1_000)) - 1)),
])  # fmt: skip
async def test_a_video_of_no_use_leaves_nothing(files: Files, http: Http, tmp_path: Path, data: bytes, limits: MediaLimits) -> None:
    """Too long by its own index, no film at all, of another type, too large: refused, and no file stays."""
    files.files["v.mp4"] = data
    with pytest.raises(Rejected):
        await fetch_file(http, Attachment(url=f"{files.url}/v.mp4", type="video"), limits, cache_dir=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_video_at_its_limit_passes(files: Files, http: Http, tmp_path: Path) -> None:
    """To the byte."""
    files.files["v.mp4"] = film(1_000)
    limits = MediaLimits(videos_max=1, video_max_bytes=len(film(1_000)))
    found = await fetch_file(http, Attachment(url=f"{files.url}/v.mp4", type="video"), limits, cache_dir=tmp_path)
    assert found.size_bytes == limits.video_max_bytes


async def test_large_videos_do_not_stay(files: Files, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not used for two days goes, then the oldest where there is no room; a small cache beside them stays."""
    for name in "abcd":
        files.files[name] = film(1_000)
    await fetch(http, Attachment(url=f"{files.url}/photo.exe"), LIMITS, cache_dir=tmp_path)

    async def take(name: str, now: datetime) -> VideoFile:
        then = replace(http, now=lambda: now)
        return await fetch_file(then, Attachment(url=f"{files.url}/{name}", type="video"), ANY_FILM, cache_dir=tmp_path)

    first = await take("a", NOW)
    second = await take("b", NOW + timedelta(days=1))
    third = await take("c", NOW + timedelta(days=2, seconds=1))
    assert [file.path.exists() for file in (first, second, third)] == [False, True, True]
    monkeypatch.setattr(media, "FILES_MAX_BYTES", 2 * first.size_bytes - 1)
    fourth = await take("d", NOW + timedelta(days=2, seconds=2))
    assert [file.path.exists() for file in (second, third, fourth)] == [False, True, True]
    files.requests.clear()
    await fetch(http, Attachment(url=f"{files.url}/photo.exe"), LIMITS, cache_dir=tmp_path)
    assert files.requests == []


@pytest.mark.parametrize(("status", "kind"), [(404, Rejected), (403, Rejected), (429, Transient), (503, Transient)])
async def test_a_refused_video_concerns_the_file_only(files: Files, http: Http, tmp_path: Path, status: int, kind: type[Exception]) -> None:
    """As for pictures."""
    files.fault(Fault(action="answer", status=status, headers={"Retry-After": "3600"}))
    with pytest.raises(kind) as caught:
        await fetch_file(http, Attachment(url=f"{files.url}/v.mp4", type="video"), ANY_FILM, cache_dir=tmp_path)
    assert type(caught.value) is kind


def test_the_daemon_does_not_carry_what_draws() -> None:
    """Neither Pillow nor the fonts are loaded by what the daemon imports."""
    program = "import sys, syndicator.media; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split())
    assert "syndicator.media" in loaded
    assert loaded & {"PIL", "PIL.Image", "syndicator.drawing", "syndicator.lettering"} == set()

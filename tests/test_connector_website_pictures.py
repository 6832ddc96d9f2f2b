"""Pictures of the website: several widths, from one download and one decoding; what they cost and what becomes of those that fail."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from PIL import Image, ImageDraw

from connectors.website import Options, WebsiteProjection, pictures
from connectors.website.pictures import LIMITS, WIDTHS, Album, Picture, Variant, gather
from syndicator.folder import Folder
from syndicator.http import Http, Sessions
from syndicator.media import own_url
from syndicator.model import Attachment
from syndicator.testing import NOW, make_context, make_event, make_post, make_view
from tests.media_scene import Files, encoded, noise, photo


class Slow(Files):
    """A file server that never answers for ``/slow-…`` until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = asyncio.Event()
        self.statuses: dict[str, int] = {}
        """File → what is answered instead of 200."""

    async def file(self, request: web.Request) -> web.Response:
        if request.match_info["name"].startswith("slow-"):
            await self.let_go.wait()
        status = self.statuses.get(request.match_info["name"], 200)
        return await super().file(request) if status == 200 else web.Response(status=status)


@pytest.fixture
async def host() -> AsyncIterator[Slow]:
    """A stranger's pictures."""
    async with Slow() as host:
        yield host
        host.let_go.set()


class Place:
    """A public folder, and the way to fill it."""

    def __init__(self, folder: Path, sessions: Sessions, own_files: frozenset[Path] = frozenset()) -> None:
        self.now = NOW
        self.folder_of_records = folder
        self.public = folder / "public"
        self.cache = folder / "cache"
        self.folder = Folder(self.public, folder / "files.json", b"syndicator")
        self.album = Album(folder / "pictures.json")
        self.http = Http(
            sessions=sessions, now=lambda: self.now, user_agent="tests", allow_private=frozenset({"127.0.0.1"}), own_files=own_files
        )

    async def gather(self, *urls: str) -> dict[str, Picture]:
        """Our copies of these."""
        found = await gather(self.http, [Attachment(url=url) for url in urls], self.folder, self.album, self.cache)
        self.folder.publish({}, keep=[file for picture in found.values() for file in picture.files])
        self.album.keep(found)
        return dict(found)

    def opened(self, variant: Variant) -> Image.Image:
        """What really stands in the file."""
        picture = Image.open(BytesIO((self.public / variant.file).read_bytes()))
        picture.load()
        return picture


@pytest.fixture
def place(tmp_path: Path, sessions: Sessions) -> Place:
    """An empty one."""
    return Place(tmp_path, sessions)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3000, 2000), [(320, 213), (640, 427), (1280, 854), (1600, 1067)]),
        ((1240, 1754), [(320, 453), (640, 905), (1218, 1723)]),
        ((1400, 500), [(320, 114), (640, 229), (1400, 500)]),
        ((700, 700), [(320, 320), (700, 700)]),
        ((330, 100), []),
        ((40, 30), []),
    ],
    ids=["photo", "poster", "banner", "square", "small", "tiny"],
)
async def test_a_picture_in_the_widths_that_it_has(
    place: Place, host: Slow, size: tuple[int, int], expected: list[tuple[int, int]]
) -> None:
    """Never enlarged, no width twice over; what is told is what stands in the files; the largest is the picture itself."""
    host.files["a.jpg"] = photo(*size)
    picture = (await place.gather(f"{host.url}/a.jpg"))[f"{host.url}/a.jpg"]

    assert [(one.width, one.height) for one in picture.variants] == expected
    assert [place.opened(one).size for one in picture.variants] == expected
    assert (picture.width, picture.height) == place.opened(picture).size == (expected[-1] if expected else size)
    assert sorted(picture.files) == sorted(f"media/{path.name}" for path in (place.public / "media").iterdir())
    assert [request.path for request in host.requests] == ["/a.jpg"]


async def test_nothing_of_the_camera_is_in_any_width(place: Place, host: Slow) -> None:
    """Upright, and without place, maker and comment."""
    host.files["a.jpg"] = photo(1200, 800, orientation=6)
    (picture,) = (await place.gather(f"{host.url}/a.jpg")).values()

    for one in picture.variants:
        data, shown = (place.public / one.file).read_bytes(), place.opened(one)
        assert b"GPSPhone" not in data
        assert len(shown.getexif()) == 0
        # What was red on the left stands at the top.
        red, blue = shown.getpixel((10, 10)), shown.getpixel((10, shown.height - 10))
        assert isinstance(red, tuple)
        assert isinstance(blue, tuple)
        assert (red[0] > 200, blue[2] > 200) == (True, True)


async def test_a_narrower_copy_is_lighter(place: Place, host: Slow) -> None:
    """By as much as it is narrower, even of what cannot be compressed, and of a drawing that keeps its sharp letters."""
    drawing = Image.new("RGB", (1500, 1000), "white")
    for row in range(0, 1000, 25):
        ImageDraw.Draw(drawing).text((10, row), "Bal folk, samedi 5 décembre à 20h30, salle des fêtes " * 5, fill="navy")
    host.files |= {"noise.png": encoded(noise(1400, 1000), "PNG"), "drawing.png": encoded(drawing, "PNG")}
    found = await place.gather(f"{host.url}/noise.png", f"{host.url}/drawing.png")

    for picture in found.values():
        sizes = [(place.public / one.file).stat().st_size for one in picture.variants]
        shares = [sizes[-1] * (one.width or 0) // (picture.width or 1) for one in picture.variants]
        assert len(sizes) > 2
        assert [size <= max(20_000, share) for size, share in zip(sizes, shares, strict=True)] == [True] * len(sizes)
        assert sizes[-1] <= (LIMITS.image_max_bytes or 0)
    assert found[f"{host.url}/drawing.png"].file.endswith(".png")


async def test_known_pictures_cost_nothing(place: Place, host: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a request nor a process; the same content at another address costs the request alone."""
    host.files |= {"a.jpg": photo(900, 600), "b.jpg": photo(900, 600)}
    first = await place.gather(f"{host.url}/a.jpg")
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    again = await place.gather(f"{host.url}/a.jpg")
    other = await place.gather(f"{host.url}/a.jpg", f"{host.url}/b.jpg")

    assert again == first
    assert other == {f"{host.url}/{name}.jpg": first[f"{host.url}/a.jpg"] for name in "ab"}
    assert [request.path for request in host.requests] == ["/a.jpg", "/b.jpg"]


async def test_a_missing_width_is_put_back_from_the_cache(place: Place, host: Slow) -> None:
    """A folder from which a file was removed is whole again, without asking the origin."""
    host.files["a.jpg"] = photo(900, 600)
    (picture,) = (await place.gather(f"{host.url}/a.jpg")).values()
    for file in picture.files:
        (place.public / file).unlink()
        await place.gather(f"{host.url}/a.jpg")

        assert (place.public / file).is_file()
    assert len(host.requests) == 1


async def test_widths_go_with_their_picture(place: Place, host: Slow) -> None:
    """What is shown no more leaves nothing; what somebody else put there stays."""
    host.files |= {"a.jpg": photo(900, 600), "b.jpg": photo(600, 900)}
    await place.gather(f"{host.url}/a.jpg", f"{host.url}/b.jpg")
    (place.public / "media" / "theirs.jpg").write_bytes(b"theirs")
    (kept,) = (await place.gather(f"{host.url}/b.jpg")).values()

    assert {path.name for path in (place.public / "media").iterdir()} == {Path(file).name for file in kept.files} | {"theirs.jpg"}


async def test_pictures_of_before_there_were_widths_are_made_anew(place: Place, host: Slow, tmp_path: Path) -> None:
    """The record of an earlier version, or a damaged one, is not believed."""
    host.files["a.jpg"] = photo(900, 600)
    found = await place.gather(f"{host.url}/a.jpg")
    record = tmp_path / "pictures.json"
    told = json.loads(record.read_bytes())
    for damage in (
        next({k: v for k, v in entry.items() if k != "variants"} for entry in told.values()),
        {"variants": 3},
        {"variants": [1]},
        7,
    ):
        record.write_text(json.dumps(dict.fromkeys(told, damage)))

        assert place.album.read() == {}
        assert await place.gather(f"{host.url}/a.jpg") == found


async def test_slow_servers_hold_neither_the_page_nor_other_pictures(place: Place, host: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many never answer: the page waits so long and no longer, those that work get their turn, and the rest is asked for again."""
    monkeypatch.setattr(pictures, "AT_ONCE", 2)
    monkeypatch.setattr(pictures, "PATIENCE_S", 1.0)
    monkeypatch.setattr(pictures, "PATIENCE_AGAIN_S", 0.2)
    slow = [f"slow-{number}.jpg" for number in range(3)]
    host.files |= {name: photo(100 + number, 50) for number, name in enumerate([*slow, "good.jpg"])}
    urls = [f"{host.url}/{name}" for name in [*slow, "good.jpg"]]
    found: list[set[str]] = []
    while urls[-1] not in set().union(*found) and len(found) < 8:
        async with asyncio.timeout(10):
            found.append(set(await place.gather(*urls)))
        place.now += pictures.FAILED_AGAIN
    host.let_go.set()
    monkeypatch.setattr(pictures, "PATIENCE_AGAIN_S", 30.0)

    assert (found[0], found[-1]) == (set(), {urls[-1]})
    assert (await place.gather(*urls)).keys() == set(urls)


@pytest.mark.parametrize(
    ("status", "body"), [(404, b""), (410, b""), (403, b""), (200, b"<html>"), (200, photo(60, 40)[:700]), (200, None)]
)
async def test_what_is_refused_is_asked_for_again_after_an_hour_then_rarely(
    place: Place, host: Slow, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes | None
) -> None:
    """Not there, gone, forbidden, no picture, a damaged one, too large: after 1, 2, 4 … 512 hours, then 30 days; not before."""
    monkeypatch.setattr("syndicator.media.IMAGE_MAX_BYTES", 100_000)
    host.files["a.jpg"] = b"\xff\xd8\xff" + bytes(200_000) if body is None else body
    host.statuses["a.jpg"] = status
    asked: list[int] = []
    due = [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023 + 720, 1023 + 1440]
    for hour in sorted({hour for each in due for hour in (each - 1, each) if hour >= 0}):
        place.now = NOW + timedelta(hours=hour)
        assert await place.gather(f"{host.url}/a.jpg") == {}
        asked += [hour] * (len(host.requests) - len(asked))

    assert asked == due


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_server_that_fails_is_asked_again_soon(place: Place, host: Slow, status: int) -> None:
    """Not twice in ten minutes, however often the page is made anew; then as often as it fails."""
    host.files["a.jpg"] = photo(90, 60)
    host.statuses["a.jpg"] = status
    for minute in range(31):
        place.now = NOW + timedelta(minutes=minute)
        assert await place.gather(f"{host.url}/a.jpg") == {}
    assert len(host.requests) == 4

    host.statuses.clear()
    place.now += timedelta(minutes=10)
    assert len(await place.gather(f"{host.url}/a.jpg")) == 1
    assert not (place.folder_of_records / "missing-pictures.json").exists()


async def test_what_was_refused_is_remembered_by_the_next_process(place: Place, host: Slow) -> None:
    """On disk; a damaged record, or one of a clock that was wrong, is not believed; and a picture that comes back is shown."""
    record = place.folder_of_records / "missing-pictures.json"
    url = f"{host.url}/a.jpg"
    await place.gather(url)
    place.album = Album(place.folder_of_records / "pictures.json")
    await place.gather(url)
    assert len(host.requests) == 1
    for damage in ("[]", "{", '{"a": 3}', record.read_text().replace("wait_s", "wait"), record.read_text().replace("+00:00", "")):
        record.write_text(damage)
        await place.gather(url)
    assert len(host.requests) == 6

    place.now = NOW - timedelta(days=3)
    host.files["a.jpg"] = photo(90, 60)
    assert set(await place.gather(url)) == {url}


async def test_a_refusal_is_forgotten_with_its_picture(place: Place, host: Slow) -> None:
    """What is shown no more leaves nothing on record; what it stood beside stays."""
    await place.gather(f"{host.url}/a.jpg", f"{host.url}/b.jpg")
    before = (place.folder_of_records / "missing-pictures.json").stat()
    await place.gather(f"{host.url}/a.jpg", f"{host.url}/b.jpg")
    assert (place.folder_of_records / "missing-pictures.json").stat() == before

    await place.gather(f"{host.url}/b.jpg")
    assert list(place.album.missing()) == [f"{host.url}/b.jpg"]
    await place.gather(f"{host.url}/a.jpg", f"{host.url}/b.jpg")
    assert [request.path for request in host.requests].count("/a.jpg") == 2
    await place.gather()
    assert list(place.folder_of_records.glob("missing*")) == []


async def test_only_a_file_that_a_person_named_is_read(tmp_path: Path, sessions: Sessions, host: Slow) -> None:
    """The logo is; whatever else of this machine an item names is not, and a changed logo is another picture."""
    logo, secret = tmp_path / "logo.png", tmp_path / "secret.png"
    for path in (logo, secret):
        path.write_bytes(encoded(Image.new("RGBA", (500, 500), "#00800080"), "PNG"))
    place = Place(tmp_path, sessions, frozenset({logo}))
    found = await place.gather(own_url(logo), own_url(secret), secret.as_uri(), f"{logo.as_uri()}/../secret.png")
    logo.write_bytes(photo(600, 600))
    changed = await place.gather(own_url(logo))

    assert [(picture.width, picture.file[-4:]) for picture in found.values()] == [(500, ".png")]
    assert [(picture.width, picture.file[-4:]) for picture in changed.values()] == [(600, ".jpg")]


def test_copies_that_stand_for_a_page_elsewhere() -> None:
    """At least 720 pixels wide, as search engines ask; the largest first; none where the original is smaller."""
    copies = tuple(Variant(file=f"{width}.jpg", width=width, height=9) for width in (*WIDTHS, 1600))

    def shared(*variants: Variant) -> list[int | None]:
        last = variants[-1]
        picture = Picture(file=last.file, width=last.width, height=9, variants=variants if len(variants) > 1 else ())
        return [one.width for one in picture.shared]

    assert shared(*copies) == [1600, 1280]
    assert shared(*copies[:2]) == []
    assert shared(Variant(file="a.jpg", width=720, height=9)) == [720]
    assert Picture(file="a.jpg", width=None, height=None).shared == ()


class Images(HTMLParser):
    """Every ``img`` of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs))


async def test_a_page_offers_every_width(tmp_path: Path, sessions: Sessions, host: Slow) -> None:
    """``srcset`` names each file with its real width, ``sizes`` is there, room is kept, nothing is loaded before it is needed."""
    host.files |= {"wide.jpg": photo(3000, 2000), "small.jpg": photo(300, 200)}
    wide, small = (Attachment(url=f"{host.url}/{name}.jpg", description=f"Photo {name}") for name in ("wide", "small"))
    context = make_context(tmp_path, sessions)
    projection = WebsiteProjection(Options(), context)
    items: list[Any] = [
        make_event(image=wide),
        make_post(attachments=(wide, small)),
        make_post(uid="https://s.example/2", attachments=(small,)),
    ]
    await projection.project(make_view(items))
    for page, base in (("index.html", ""), ("events.html", "https://agenda.example/"), ("links.html", "")):
        shown = Images((context.public_dir / page).read_text()).found
        assert {image["alt"] for image in shown} <= {"Photo wide", "Photo small"}
        for image in shown:
            large = image["alt"] == "Photo wide"
            assert (image["width"], image["height"]) == (("1600", "1067") if large else ("300", "200"))
            assert (image["loading"], image["decoding"]) == ("lazy", "async")
            assert ("srcset" in image, "sizes" in image) == (large, large)
            for one in re.split(r", ", image.get("srcset") or ""):
                if one:
                    address, width = one.split(" ")
                    assert address.startswith(f"{base}media/")
                    with Image.open(context.public_dir / address.removeprefix(base)) as picture:
                        assert f"{picture.width}w" == width
        assert [image for image in shown if image["alt"] == "Photo wide"] != []

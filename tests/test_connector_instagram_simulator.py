"""The simulators of Instagram and Threads refuse what the documentation says the real ones refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from syndicator.sandbox.containers import ContainerSimulator
from syndicator.sandbox.instagram import InstagramSimulator
from syndicator.sandbox.threads import ThreadsSimulator, size
from tests.clock import Clock
from tests.media_scene import MP4, Files, encoded, photo
from tests.meta_scene import Visitors

INSTAGRAM, THREADS = "/v26.0/17841405793187218", "/v1.0/17841405793180000"


@pytest.fixture
async def instagram(clock: Clock) -> AsyncIterator[InstagramSimulator]:
    async with InstagramSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def threads(clock: Clock) -> AsyncIterator[ThreadsSimulator]:
    async with ThreadsSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with Files() as files:
        files.files |= {
            "good.jpg": photo(640, 480), "tall.jpg": photo(400, 501 + 10), "wide.jpg": photo(400, 205),
            "picture.png": encoded(Image.new("RGB", (640, 480)), "PNG"), "picture.webp": encoded(Image.new("RGB", (640, 480)), "WEBP"),
            "strip.jpg": photo(1100, 100), "large.jpg": photo(640, 480) + bytes(8 * 1024**2), "text.jpg": b"no picture", "film.mp4": MP4,
        }  # fmt: skip
        yield files


@pytest.fixture
async def films(tmp_path: Path) -> AsyncIterator[str]:
    """Where a video is served as one."""
    (tmp_path / "film.mp4").write_bytes(MP4)
    async with Visitors(tmp_path) as visitors:
        yield visitors.url


async def call(server: ContainerSimulator, method: str, path: str, **given: Any) -> tuple[int, Any]:
    """Status and body; what is given, as JSON or, for Threads, as a form."""
    url, headers = f"{server.url}{path}", {"Authorization": f"Bearer {server.token}"}
    body = {"data": given} if isinstance(server, ThreadsSimulator) else {"json": given}
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers, **body) as answer:
        return answer.status, await answer.json()


def code(answer: tuple[int, Any]) -> tuple[int, int, int | None]:
    status, body = answer
    return status, body["error"]["code"], body["error"].get("error_subcode")


@pytest.mark.parametrize(("given", "expected"), [
    ({"image_url": "good.jpg", "captoin": "a"}, (400, 100, None)),
    ({"image_url": "good.jpg", "caption": "a" * 2201}, (400, 36004, 2207010)),
    ({"image_url": "good.jpg", "caption": " ".join(f"#tag{number}" for number in range(31))}, (400, 100, 2207040)),
    ({"image_url": "good.jpg", "caption": " ".join(f"@user{number}" for number in range(21))}, (400, 100, 2207040)),
    ({"image_url": "good.jpg", "media_type": "TEXT"}, (400, 100, 2207023)),
    ({"caption": "rien à voir"}, (400, 100, None)),
    ({"image_url": "missing.jpg"}, (400, 9004, 2207052)),
    ({"image_url": "text.jpg"}, (400, 9004, 2207052)),
    ({"image_url": "picture.png"}, (400, 36001, 2207005)),
    ({"image_url": "large.jpg"}, (400, 36000, 2207004)),
    ({"image_url": "tall.jpg"}, (400, 36003, 2207009)),
    ({"image_url": "wide.jpg"}, (400, 36003, 2207009)),
    ({"video_url": "film.mp4"}, (400, 100, 2207023)),
    ({"video_url": "film.mp4", "media_type": "REELS", "alt_text": "Un film"}, (400, 100, None)),
    ({"media_type": "CAROUSEL", "children": ["1", "2"]}, (400, 100, 2207028)),
    ({"media_type": "CAROUSEL", "children": "1,2"}, (400, 100, None)),
])  # fmt: skip
async def test_instagram_refuses(instagram: InstagramSimulator, files: Files, given: Any, expected: tuple[int, int, int | None]) -> None:
    """Unknown parameters, limits, and files that are really looked at."""
    given = {name: f"{files.url}/{value}" if name.endswith("_url") else value for name, value in given.items()}
    assert code(await call(instagram, "POST", f"{INSTAGRAM}/media", **given)) == expected
    assert instagram.containers == {}


@pytest.mark.parametrize(("given", "expected"), [
    ({"media_type": "TEXT", "texte": "a"}, (400, 100, None)),
    ({"media_type": "TEXT"}, (400, 100, None)),
    ({"media_type": "POEM", "text": "a"}, (400, 100, None)),
    ({"media_type": "TEXT", "text": "a" * 501}, (400, 100, None)),
    ({"media_type": "TEXT", "text": "🚲" * 126}, (400, 100, None)),
    ({"media_type": "TEXT", "text": "a", "topic_tag": "a.b"}, (400, 100, None)),
    ({"media_type": "TEXT", "text": "a", "is_spoiler_media": "true"}, (400, 100, None)),
    ({"media_type": "TEXT", "text": " ".join(f"https://a.example/{number}" for number in range(6))}, (400, 100, None)),
    ({"media_type": "TEXT", "text": "a", "reply_to_id": "5"}, (400, 24, 4279009)),
    ({"media_type": "IMAGE", "image_url": "good.jpg", "link_attachment": "https://a.example/"}, (400, 100, None)),
    ({"media_type": "IMAGE", "image_url": "good.jpg", "alt_text": "a" * 1001}, (400, 100, None)),
    ({"media_type": "IMAGE"}, (400, 100, None)),
    ({"media_type": "IMAGE", "image_url": "missing.jpg"}, (400, 100, 2207052)),
    ({"media_type": "IMAGE", "image_url": "picture.webp"}, (400, 36001, 2207005)),
    ({"media_type": "IMAGE", "image_url": "large.jpg"}, (400, 36000, 2207004)),
    ({"media_type": "IMAGE", "image_url": "strip.jpg"}, (400, 36003, 2207009)),
    ({"media_type": "CAROUSEL", "children": "1"}, (400, 100, None)),
])  # fmt: skip
async def test_threads_refuses(threads: ThreadsSimulator, files: Files, given: Any, expected: tuple[int, int, int | None]) -> None:
    """Unknown parameters, limits, and files that are really looked at."""
    given = {name: f"{files.url}/{value}" if name.endswith("_url") else value for name, value in given.items()}
    assert code(await call(threads, "POST", f"{THREADS}/threads", **given)) == expected
    assert threads.containers == {}


async def test_a_container_is_published_once_and_in_time(instagram: InstagramSimulator, files: Files, films: str, clock: Clock) -> None:
    """Not before it is ready, not twice, not after a day; and a part of a carousel never."""
    url, publish = f"{films}film.mp4", f"{INSTAGRAM}/media_publish"
    _, made = await call(instagram, "POST", f"{INSTAGRAM}/media", video_url=url, media_type="REELS")
    assert code(await call(instagram, "POST", publish, creation_id=made["id"])) == (400, 9007, 2207027)
    clock.forward(seconds=31)
    assert (await call(instagram, "POST", publish, creation_id=made["id"]))[0] == 200
    assert code(await call(instagram, "POST", publish, creation_id=made["id"])) == (400, 24, 2207006)
    _, child = await call(instagram, "POST", f"{INSTAGRAM}/media", image_url=f"{files.url}/good.jpg", is_carousel_item=True)
    assert code(await call(instagram, "POST", publish, creation_id=child["id"])) == (400, 9007, 2207027)
    _, late = await call(instagram, "POST", f"{INSTAGRAM}/media", image_url=f"{files.url}/good.jpg")
    clock.forward(hours=24)
    assert code(await call(instagram, "POST", publish, creation_id=late["id"])) == (400, -2, 2207020)
    assert len(instagram.shown) == 1


async def test_a_container_tells_where_it_stands(instagram: InstagramSimulator, films: str, clock: Clock) -> None:
    """In the documentation's words; the reason of a failure holds its code."""
    _, made = await call(instagram, "POST", f"{INSTAGRAM}/media", video_url=f"{films}missing.mp4", media_type="REELS")
    path = f"/v26.0/{made['id']}?fields=status_code,status"
    _, failed = await call(instagram, "GET", path)
    _, other = await call(instagram, "POST", f"{INSTAGRAM}/media", video_url=f"{films}film.mp4", media_type="REELS")
    seen = []
    for seconds in (0, 31, 86_400):
        clock.forward(seconds=seconds)
        seen.append((await call(instagram, "GET", f"/v26.0/{other['id']}?fields=status_code"))[1]["status_code"])

    assert failed["status_code"] == "ERROR"
    assert "2207052" in failed["status"]
    assert seen == ["IN_PROGRESS", "FINISHED", "EXPIRED"]
    assert code(await call(instagram, "GET", f"/v26.0/{other['id']}?fields=statuscode")) == (400, 100, None)


async def test_tokens_ripen_and_expire(instagram: InstagramSimulator, clock: Clock) -> None:
    """Renewed from their second day on, by a parameter; dead after sixty."""
    young = instagram.grant("young", age=timedelta(hours=23))
    path = "/refresh_access_token?grant_type={}&access_token={}"
    assert code(await call(instagram, "GET", path.format("ig_refresh_token", young))) == (400, 100, None)
    assert code(await call(instagram, "GET", path.format("th_refresh_token", instagram.token))) == (400, 100, None)
    assert code(await call(instagram, "GET", "/refresh_access_token?grant_type=ig_refresh_token")) == (400, 100, None)
    status, answer = await call(instagram, "GET", path.format("ig_refresh_token", instagram.token))
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "bearer", 60 * 86_400)
    clock.forward(days=58)
    assert code(await call(instagram, "GET", "/v26.0/me?fields=user_id")) == (400, 190, 463)


async def test_what_is_not_ours_is_not_there(instagram: InstagramSimulator, threads: ThreadsSimulator) -> None:
    """Another's account, a post that was never made."""
    assert code(await call(instagram, "GET", "/v26.0/5/media")) == (400, 100, 33)
    assert code(await call(threads, "GET", "/v1.0/5?fields=status")) == (400, 100, 33)
    assert code(await call(threads, "DELETE", "/v1.0/5")) == (400, 100, 33)


def test_emoji_count_as_their_bytes() -> None:
    """And nothing else does."""
    assert [size(text) for text in ("é", "ab", "🚲", "日", "1", "👩‍🚒", "🇫🇷")] == [1, 2, 4, 1, 1, 11, 8]

"""What every publisher promises, with a real WordPress at the other end; and what our simulator says of it, compared.

Run by the scene (``wordpress_scene.py``), which says where the site is. Each test gets an application password of its own, for an author.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from connectors.wordpress import WordpressPublisher
from interop.matrix import Pictures
from interop.processes import Answer, ask
from interop.relay import Relay
from interop.site_server import Editor, WordPress
from syndicator.contract import CanDelete, CanFind, CanPrepare, CanUpdate, Context, Publisher, Secret
from syndicator.errors import Gone, OutcomeUnknown, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Attachment, Span
from syndicator.sandbox.server import Fault, Simulator
from syndicator.sandbox.wordpress_world import plain
from syndicator.testing import PublisherContract, make_context, make_rendition

WHERE, PASSWORD, ADMIN = "SYNDICATOR_INTEROP_BLOG", "SYNDICATOR_INTEROP_BLOG_EDITOR", "SYNDICATOR_INTEROP_BLOG_ADMIN"
POSTS = "/wp/v2/posts"
WICKED = 'x<script>alert(1)</script> [gallery ids="1"] <img src=x onerror=alert(1)> <!-- wp:html --> 8) [caption]'


def environ(site: WordPress) -> Mapping[str, str]:
    """What the tests must be told."""
    return {WHERE: site.url, PASSWORD: site.password, ADMIN: site.others["admin"]}


async def call(
    url: str, method: str, path: str, body: Any = None, *, login: str, password: str, headers: Mapping[str, str] | None = None,
) -> Answer:  # fmt: skip
    """One call of the REST API as somebody."""
    pair = base64.b64encode(f"{login}:{password}".encode()).decode()
    sent = {"Authorization": f"Basic {pair}", **(headers or {"Content-Type": "application/json"})}
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return await ask(method, f"{url}/wp-json{path}", headers=sent, body=data)


class Blog(Relay):
    """The real site without posts, and a password for its author."""

    def __init__(self) -> None:
        super().__init__(os.environ[WHERE])
        self.editor = Editor(url=os.environ[WHERE], password=os.environ[PASSWORD])
        self.password = self.uuid = ""

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        """As the administrator; RuntimeError when that is refused."""
        answer = await call(self.real, method, path, body, login="admin", password=os.environ[ADMIN])
        if answer.status not in (200, 201):
            raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
        return json.loads(answer.body)

    async def fill(self) -> None:
        """Away with what the test before left; a fresh password."""
        for kind in ("posts?status=any,trash&", "media?"):
            route = kind.partition("?")[0]
            for one in await self.admin("GET", f"/wp/v2/{kind}per_page=100&_fields=id"):
                await self.admin("DELETE", f"/wp/v2/{route}/{one['id']}?force=true")
        (author,) = await self.admin("GET", "/wp/v2/users?slug=author&context=edit")
        self.author = author["id"]
        made = await self.admin("POST", f"/wp/v2/users/{self.author}/application-passwords", {"name": f"{datetime.now(UTC):%H%M%S%f}"})
        self.password, self.uuid = made["password"], made["uuid"]

    async def posts(self, status: str = "publish") -> list[dict[str, Any]]:
        """Those in that state, oldest first, as an editor sees them."""
        found = await self.admin("GET", f"{POSTS}?status={status}&per_page=100&context=edit&order=asc&orderby=id")
        return list(found)


class TestRealServer(PublisherContract):
    """As an author of a real site."""

    connector = WordpressPublisher
    path = POSTS

    @pytest.fixture
    async def context(self, tmp_path: Path) -> AsyncIterator[Context]:
        """By the real clock, since the site goes by it."""
        sessions = Sessions()
        yield make_context(tmp_path, sessions, now=lambda: datetime.now(UTC))
        await sessions.close()

    async def start(self) -> Simulator:
        blog = Blog()
        await blog.fill()
        return await blog.start()

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, Blog)
        return WordpressPublisher.Options(url=simulator.url, username="author", app_password=Secret(simulator.password))

    def texts(self, simulator: Simulator) -> list[str]:
        """What the suite asks for without waiting: asked in a thread of its own."""
        assert isinstance(simulator, Blog)
        return _apart(_texts, simulator)

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, Blog)
        _apart(_revoke, simulator)

    async def test_a_post_with_all_that_it_can_hold(self, simulator: Simulator, context: Context) -> None:
        """Pictures in the library, the first featured, described; tags made; what is drafted is not seen; hostile text stays text."""
        assert isinstance(simulator, Blog)
        options = {"url": simulator.url, "username": "author", "app_password": Secret(simulator.password)}
        publisher = WordpressPublisher(WordpressPublisher.Options(**options, tags=("R&D",), own_tags=True), context)
        await publisher.open()
        async with Pictures() as pictures:
            shown = tuple(Attachment(url=f"{pictures.url}/{number}.png", description=f"Vélo <n°{number}>") for number in range(3))
            spans = (Span(start=0, end=1, url="https://asso.example/?a[0]=1&b=2"),)
            rendition = make_rendition(
                title=WICKED,
                text=f"{WICKED}\n\n• un\n• deux",
                spans=spans,
                attachments=shown,
                tags=("Vélo",),
                link="https://home.example/1",
            )
            prepared = await publisher.prepare(rendition, "key")
            assert await publisher.prepare(rendition, "key") == prepared
            assert (await simulator.posts(), len(await simulator.posts("draft"))) == ([], 1)
            receipt = await publisher.publish(rendition, "key", prepared=prepared)
            assert receipt == await publisher.publish(rendition, "key", prepared=prepared)
        assert receipt == await publisher.find("key", rendition, prepared=prepared)

        (post,) = await simulator.posts()
        page = LexborHTMLParser(post["content"]["rendered"])
        assert {one.tag for one in page.css("body *")} == {"p", "a", "ul", "li", "figure", "img"}
        # WordPress makes curly what was straight; every word is there.
        said = page.css_first("p").text()
        assert said.startswith("x<script>alert(1)</script> [gallery ids=")
        assert said.endswith("<!– wp:html –> 8) [caption]"), said
        assert [one.text() for one in page.css("li")] == ["un", "deux"]
        assert page.css_first("a").attributes["href"] == "https://asso.example/?a%5B0%5D=1&b=2"
        assert page.css_first("a[rel=via]").attributes["href"] == "https://home.example/1"
        assert [one.attributes["alt"] for one in page.css("img")] == ["Vélo ‹n°1›", "Vélo ‹n°2›"]
        assert all(str(one.attributes["src"]).startswith(simulator.real) for one in page.css("img"))
        title = LexborHTMLParser(post["title"]["rendered"]).css_first("body")
        assert title.text().startswith("x<script>alert(1)</script> [gallery")
        featured = await simulator.admin("GET", f"/wp/v2/media/{post['featured_media']}?context=edit")
        assert (featured["alt_text"], featured["author"]) == ("Vélo ‹n°0›", simulator.author)
        names = {one["name"] for one in await simulator.admin("GET", f"/wp/v2/tags?post={post['id']}")}
        assert names == {"R&amp;D", "Vélo"}
        seen = await ask("GET", str(receipt.url))
        assert seen.status == 200

        bare = await publisher.update(receipt, make_rendition(title="Sans image", text="Rien"))
        (post,) = await simulator.posts()
        assert (post["featured_media"], post["content"]["raw"], bare.url) == (0, "<p>Rien</p>", receipt.url)
        assert await simulator.admin("GET", "/wp/v2/media?_fields=id") == []

    async def test_binned_by_somebody(self, simulator: Simulator, publisher: Publisher) -> None:
        """Gone for corrections and deletions; and known to have gone out."""
        assert isinstance(simulator, Blog)
        assert isinstance(publisher, CanUpdate)
        assert isinstance(publisher, CanDelete)
        assert isinstance(publisher, CanFind)
        rendition = make_rendition(title="Réunion", text="Venez")
        receipt = await publisher.publish(rendition, "key")
        await simulator.admin("DELETE", f"{POSTS}/{receipt.remote_id}")
        with pytest.raises(Gone):
            await publisher.update(receipt, make_rendition(text="Après"))
        with pytest.raises(Gone):
            await publisher.delete(receipt)
        assert await publisher.find("key", rendition) is not None
        assert await simulator.posts() == []

    async def test_an_answer_lost_while_drafting(self, simulator: Simulator, publisher: Publisher) -> None:
        """No second draft, no second copy of a picture."""
        assert isinstance(simulator, Blog)
        assert isinstance(publisher, CanPrepare)
        async with Pictures() as pictures:
            rendition = make_rendition(title="Réunion", attachments=(Attachment(url=f"{pictures.url}/1.png", description="Un"),))
            for path in ("/wp/v2/media", POSTS):
                simulator.fault(Fault(action="lose", method="POST", path=path))
                with pytest.raises(Transient):
                    await publisher.prepare(rendition, "key")
            prepared = await publisher.prepare(rendition, "key")
        simulator.fault(Fault(action="mask", method="POST", path=POSTS, status=500, body=b"<h1>500</h1>"))
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(rendition, "key", prepared=prepared)
        assert isinstance(publisher, CanFind)
        assert await publisher.find("key", rendition, prepared=prepared) is not None
        assert (len(await simulator.posts("any")), len(await simulator.admin("GET", "/wp/v2/media?_fields=id"))) == (1, 1)

    async def test_a_post_that_is_somebody_elses_now(self, simulator: Simulator, publisher: Publisher) -> None:
        """Refused, and the account goes on."""
        assert isinstance(simulator, Blog)
        assert isinstance(publisher, CanUpdate)
        assert isinstance(publisher, CanDelete)
        receipt = await publisher.publish(make_rendition(), "key")
        await simulator.admin("POST", f"{POSTS}/{receipt.remote_id}", {"author": 1})
        with pytest.raises(Rejected):
            await publisher.update(receipt, make_rendition(text="Après"))
        with pytest.raises(Rejected):
            await publisher.delete(receipt)


def _apart(work: Any, blog: Blog) -> Any:
    """``asyncio.run`` beside the loop that runs: the suite's own methods do not wait."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work(blog)).result()


async def _texts(blog: Blog) -> list[str]:
    return [f"{plain(one['title']['rendered'])}\n{plain(one['content']['rendered'])}" for one in await blog.posts()]


async def _revoke(blog: Blog) -> None:
    await blog.admin("DELETE", f"/wp/v2/users/{blog.author}/application-passwords/{blog.uuid}")

"""The page behind the link of a review, as browsers, mail scanners and curious people meet it."""

from __future__ import annotations

import asyncio
import html
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from syndicator.config.settings import Web
from syndicator.daemon import Attendant
from syndicator.letter.review import VALID, WAY, key_of, path_to
from syndicator.serving import Serving
from syndicator.web.ways import BODY_MAX
from tests.engine_scene import Scene, post
from tests.test_alerts import Post, address, post_office
from tests.test_issuing import DUE, FETE, monday, newsroom
from tests.test_review import DAY_BEFORE, state

FORGED = f"lettre/20261123T080000.000000Z/{'0' * 40}"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass(kw_only=True)
class Served:
    """An association whose next issue waits for Anna, and its server."""

    made: Scene
    office: Post
    attendant: Attendant
    base: str
    session: aiohttp.ClientSession

    @property
    def link(self) -> str:
        """As in the mail."""
        return f"{self.base}{WAY}{path_to(key_of(self.made.config.state_dir), 'lettre', DUE)}"

    async def get(self, url: str, method: str = "GET") -> tuple[int, Mapping[str, str], str]:
        async with self.session.request(method, url, allow_redirects=False) as answer:
            return answer.status, answer.headers, await answer.text()

    async def post(self, url: str, fields: Any, **headers: str) -> tuple[int, Mapping[str, str], str]:
        async with self.session.post(url, data=fields, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers, await answer.text()

    async def token(self) -> str:
        """Of the form, as it is shown now."""
        _, _, page = await self.get(self.link)
        return re.findall(r'name="token" value="([0-9a-f]{40})"', page)[0]


@asynccontextmanager
async def served(folder: Path, *, path: str = "/", language: str = "fr", **changes: Any) -> AsyncIterator[Served]:
    """With the mail sent, the day before."""
    port = free_port()
    base = f"http://127.0.0.1:{port}{path}"
    async with post_office() as office, newsroom(folder, review="anna@asso.example", **changes) as made:
        web = Web(host="127.0.0.1", port=port, path=path)
        association = replace(made.config.association, language=language)
        await made.restart(replace(made.config, alerts=address(office), public_url=base, web=web, association=association))
        made.world.show(FETE, post(1, "Un atelier samedi"))
        await monday(made, DAY_BEFORE)
        attendant = Attendant(tenant=made.tenant, news={"newsletters": asyncio.Event()})
        serving = Serving({"asso": attendant}, made.clock)
        await serving.follow(strict=True)
        async with aiohttp.ClientSession() as session:
            yield Served(made=made, office=office, attendant=attendant, base=base, session=session)
        await serving.stop()


@pytest.mark.parametrize("path", ["/", "/velo/"])
async def test_the_link_of_the_mail_leads_to_the_page(tmp_path: Path, path: str) -> None:
    """Below a sub-path too; the page shows how the issue stands and three things to do."""
    async with served(tmp_path, path=path) as there:
        body = there.office.letters[0].get_body(("plain",))
        assert body is not None
        assert there.link in body.get_content()
        status, headers, page = await there.get(there.link)
        assert status == 200
        assert "Sans réponse de votre part, il part lundi 23 novembre 2026 à 9h." in page
        assert re.findall(r'name="press" value="(\w+)"', page) == ["write", "send", "stop"]
        assert page.count("<form") == 1
        assert " action=" not in page
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "Set-Cookie" not in headers


async def test_a_scanner_presses_nothing(tmp_path: Path) -> None:
    """It GETs the link, all that the page leads to, and every query that looks like a button."""
    async with served(tmp_path) as there:
        before = await state(there.made)
        _, _, page = await there.get(there.link)
        token = await there.token()
        found = [html.unescape(one) for one in re.findall(r'(?:href|src)="([^"]+)"', page) if not one.startswith("data:")]
        assert found
        for query in (*found, f"?press=stop&token={token}", f"?press=send&token={token}", "?noted"):
            for method in ("GET", "HEAD"):
                status, _, _ = await there.get(there.link + query, method)
                assert status == 200
        assert await state(there.made) == before
        assert not there.attendant.news["newsletters"].is_set()


async def test_send_write_and_stop(tmp_path: Path) -> None:
    """Each answers with a redirection to the page that shows what is true, and wakes the daemon."""
    async with served(tmp_path) as there:
        for what, says in (("write", "Sans réponse"), ("send", "Il est approuvé"), ("stop", "Il est arrêté")):
            there.attendant.news["newsletters"].clear()
            fields = {"token": await there.token(), "press": what, "editorial": "À bientôt"}
            status, headers, _ = await there.post(there.link, fields)
            assert (status, headers["Location"]) == (303, "?noted")
            assert there.attendant.news["newsletters"].is_set()
            _, _, page = await there.get(there.link + "?noted")
            assert says in page
            assert "C&#39;est noté" in page
        row = await state(there.made)
        assert (row.state, row.editorial) == ("stopped", "<p>À bientôt</p>")


async def test_a_form_sent_twice(tmp_path: Path) -> None:
    """Reloaded, gone back to, or pressed by two: the second changes nothing, says so, and keeps what was typed."""
    async with served(tmp_path) as there:
        token = await there.token()
        first, second = (
            {"token": token, "press": "write", "editorial": "Un"},
            {"token": token, "press": "send", "editorial": "Deux & trois"},
        )
        assert (await there.post(there.link, first))[0] == 303
        status, _, page = await there.post(there.link, second)
        row = await state(there.made)
        assert (status, row.verdict, row.editorial) == (409, "", "<p>Un</p>")
        assert "Rien n&#39;a été changé" in page
        assert "Deux &amp; trois</textarea>" in page
        assert "pas encore enregistré" in page


async def test_two_at_once(tmp_path: Path) -> None:
    """Of those who press in the same moment, one is obeyed."""
    async with served(tmp_path) as there:
        token = await there.token()
        answers = await asyncio.gather(*(there.post(there.link, {"token": token, "press": what}) for what in ("send", "stop") * 3))
        assert sorted(status for status, _, _ in answers) == [303, 409, 409, 409, 409, 409]


async def test_a_link_that_is_no_good(tmp_path: Path) -> None:
    """Forged, cut, too old, of an issue that never was: one plain page, and no button does anything."""
    async with served(tmp_path) as there:
        token = await there.token()
        key = key_of(there.made.config.state_dir)
        never = path_to(key, "lettre", DUE + timedelta(days=1))
        for rest in ("", "x", FORGED, f"{there.link.rpartition('/')[2]}", never, path_to(key, "autre", DUE)):
            url = f"{there.base}{WAY}{rest}"
            for status, _, page in (await there.get(url), await there.post(url, {"token": token, "press": "stop"})):
                assert (status, "Ce lien ne fonctionne pas" in page) == (404, True)
        assert (await there.get(there.link[:-1]))[0] == 404
        there.made.clock.at = DUE + VALID + timedelta(seconds=1)
        status, _, page = await there.get(there.link)
        assert (status, "Ce lien ne fonctionne pas" in page) == (404, True)
        assert (await state(there.made)).state == "review"


async def test_the_form_of_another_site(tmp_path: Path) -> None:
    """Without the token nothing is pressed; there is no cookie that a strange page could ride on."""
    async with served(tmp_path) as there:
        for fields in (
            {"press": "stop"},
            {"press": "stop", "token": ""},
            {"press": "stop", "token": "0" * 40},
            {"token": await there.token()},
        ):
            status, _, _ = await there.post(there.link, fields, Origin="https://wicked.example")
            assert status == 409
        assert (await there.post(there.link, '{"press":"stop"}', **{"Content-Type": "application/json"}))[0] == 415
        assert (await state(there.made)).state == "review"


async def test_what_is_too_large(tmp_path: Path) -> None:
    """Refused before it is read, with or without an honest length; a long editorial is cut."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_MAX // 1000 + 2):
            yield b"a" * 1000

    async with served(tmp_path) as there:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await there.post(there.link, b"a" * (BODY_MAX + 1), **form))[0] == 413
        assert (await there.post(there.link, pieces(), **form))[0] == 413
        assert (await there.post(there.link, "&".join(f"a{number}=1" for number in range(100)), **form))[0] == 400
        assert (await there.post(there.link, {"token": await there.token(), "press": "write", "editorial": "é" * 20_000}))[0] == 303
        assert (await state(there.made)).editorial.count("é") == 10_000


async def test_hostile_words_stay_words(tmp_path: Path) -> None:
    """What a person typed can neither leave its field nor run."""
    wicked = "</textarea><script>alert(1)</script>\n{{ 7 * 7 }} <img src=x onerror=alert(1)>"
    async with served(tmp_path) as there:
        assert (await there.post(there.link, {"token": await there.token(), "press": "write", "editorial": wicked}))[0] == 303
        _, _, page = await there.get(there.link)
        assert "<script" not in page
        assert page.count("</textarea>") == 1
        _, headers, letter = await there.get(there.link + "?letter")
        assert "<script" not in letter
        assert "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", letter)
        assert "sandbox" in headers["Content-Security-Policy"]


async def test_after_it_has_left(tmp_path: Path) -> None:
    """The page says so, and offers nothing."""
    async with served(tmp_path) as there:
        token = await there.token()
        await monday(there.made)
        assert len(there.made.wall.texts) == 1
        status, _, page = await there.get(there.link)
        assert (status, "Il est parti" in page, "<form" in page) == (200, True, False)
        assert (await there.post(there.link, {"token": token, "press": "stop"}))[0] == 409


async def test_in_english(tmp_path: Path) -> None:
    """The association's language, in the mail and on the page."""
    async with served(tmp_path, language="en", unanswered="wait") as there:
        assert there.office.letters[0]["Subject"].startswith("To review: ")
        _, _, page = await there.get(there.link)
        assert "It waits for your consent" in page
        assert '<html lang="en">' in page


async def test_while_the_association_stops(tmp_path: Path) -> None:
    """Nothing is pressed, and the page says to come back."""
    async with served(tmp_path) as there:
        token = await there.token()
        there.attendant.stopping.set()
        status, _, page = await there.post(there.link, {"token": token, "press": "stop"})
        assert (status, "Rechargez cette page" in page) == (503, True)
        assert (await state(there.made)).state == "review"


async def test_without_a_review_there_is_no_such_page(tmp_path: Path) -> None:
    """Those whose letters nobody reads first serve nothing there."""
    async with served(tmp_path) as there:
        letters = {"lettre": replace(there.made.config.newsletters["lettre"], review="")}
        there.attendant.tenant.config = replace(there.made.config, newsletters=letters, web=Web(host="127.0.0.1", port=free_port()))
        serving = Serving({"asso": there.attendant}, there.made.clock)
        await serving.follow(strict=True)
        assert there.attendant.tenant.config.web is not None
        status, _, _ = await there.get(f"http://127.0.0.1:{there.attendant.tenant.config.web.port}/{WAY}{FORGED}")
        await serving.stop()
        assert status == 404

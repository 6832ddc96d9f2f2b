"""Leaving a list by the link in a letter (RFC 8058): over real sockets, with the connector that made the link."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from connectors.mail.left import Left
from syndicator.config import load
from syndicator.errors import NotReady, Rejected
from syndicator.letter import unsubscribe
from syndicator.serving import lists_of
from syndicator.testing import NOW
from syndicator.text.way_out import KEY_FILE, RECORD_FILE, WAY, mark_in, token_of
from syndicator.web import Health, PublicServer, Site
from syndicator.web.leaving import way_out
from syndicator.web.ways import Asked
from tests.clock import Clock
from tests.mail_scene import KEY, RENDITION, Office, office, publisher

READERS = ["Anne@exemple.fr", "bea@exemple.fr", "cleo@exemple.fr"]
FILE = "\n".join(READERS)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def server() -> Iterator[Office]:
    with office() as server:
        yield server


@dataclass
class Open:
    """A web server that two associations share, asked as a reader's program does."""

    url: str
    client: aiohttp.ClientSession

    async def ask(self, path: str, method: str = "GET", **more: Any) -> tuple[int, str, Any]:
        async with self.client.request(method, self.url + path, **more) as answer:
            return answer.status, await answer.text(), answer.headers


@asynccontextmanager
async def web(folder: Path, prefix: str = "/velo/") -> AsyncIterator[Open]:
    sites = [
        Site(prefix=prefix, folder=folder, ways={WAY: way_out({"abonnes": folder / "state" / "abonnes"}, "Vélo & <Cie>", lambda: NOW)}),
        Site(prefix="/chorale/", folder=folder, ways={WAY: way_out({"abonnes": folder / "autre"}, "La chorale", lambda: NOW)}),
    ]
    running = PublicServer(sites=lambda: sites, health=lambda: Health(ok=True, since=NOW), metrics=str, now=lambda: NOW)
    await running.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as client:
        yield Open(url=f"http://127.0.0.1:{running.port}", client=client)
    await running.stop()


async def send(server: Office, folder: Path, clock: Clock, key: str = KEY, file: str = FILE, **options: Any) -> Any:
    """One issue, turn after turn."""
    for _ in range(10):
        one = publisher(server, folder, clock, readers=file, one_click=True, name="abonnes", public_url="https://velo.example/", **options)
        try:
            await one.open()
            return await one.publish(RENDITION, key)
        except NotReady as error:
            clock.at = max(error.at or clock.at, clock.at)
        finally:
            await one.close()
    raise AssertionError("it never ends")


def path_in(server: Office, number: int) -> str:
    """Where a letter says that its reader leaves."""
    found = re.match(r"<https://velo\.example/(-/lettre/abonnes/[0-9a-f]{64})>, <mailto:", server.read(number)["List-Unsubscribe"])
    assert found
    return f"/velo/{found[1]}"


async def test_a_reader_leaves(server: Office, tmp_path: Path, clock: Clock) -> None:
    """By the button of a mail program; the others stay, the next issue does not go there, and a person can read who left."""
    await send(server, tmp_path, clock)
    async with web(tmp_path) as there:
        status, page, headers = await there.ask(path_in(server, 1), "POST", data=ONE_CLICK)
    clock.forward(days=7)
    receipt = await send(server, tmp_path, clock, KEY[:-1] + "2")

    assert (status, "C’est fait" in page, headers["Cache-Control"], headers["Referrer-Policy"]) == (200, True, "no-store", "no-referrer")
    assert server.readers == [*READERS, READERS[0], READERS[2]]
    assert receipt.data == (("sent", "2"),)
    record = (tmp_path / "state" / "abonnes" / RECORD_FILE).read_text(encoding="utf-8")
    assert re.fullmatch(rf"[0-9a-f]{{32}} {re.escape(NOW.isoformat(timespec='seconds'))} bea@exemple\.fr\n", record)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_does_nothing(server: Office, tmp_path: Path, clock: Clock, method: str) -> None:
    """A program that examines mail opens every link; the page has a button, no script, and speaks the visitor's language."""
    await send(server, tmp_path, clock)
    async with web(tmp_path) as there:
        french, english = [
            await there.ask(path_in(server, 0), method, headers={"Accept-Language": language}) for language in ("fr-FR,fr;q=0.9", "en")
        ]

    assert (french[0], english[0]) == (200, 200)
    assert not (tmp_path / "state" / "abonnes" / RECORD_FILE).exists()
    if method == "GET":
        assert '<html lang="fr">' in french[1]
        assert "<button>Me désabonner</button>" in french[1]
        assert "Vélo &amp; &lt;Cie&gt;" in french[1]
        assert "<button>Unsubscribe</button>" in english[1]
        assert "<script" not in french[1]
    assert "form-action 'self'" in french[2]["Content-Security-Policy"]


async def test_who_may_press_and_how(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Both forms of the standard; no other association's path, no other list's, no token that we did not make, no other method."""
    await send(server, tmp_path, clock)
    path = path_in(server, 0)
    async with web(tmp_path) as there:
        parts = aiohttp.FormData(ONE_CLICK, default_to_multipart=True)
        wrong = [
            path.replace("/velo/", "/chorale/"),
            path.replace("abonnes", "autres"),
            path[:-1] + ("0" if path[-1] != "0" else "1"),
            path[:-64],
            path[:-64] + "é",
            path + "/",
        ]
        told = [(await there.ask(one, "POST", data=ONE_CLICK))[0] for one in wrong]
        others = [(await there.ask(path, method))[0] for method in ("PUT", "DELETE")]
        before = (tmp_path / "state" / "abonnes" / RECORD_FILE).exists()
        pressed = [(await there.ask(path, "POST", data=data))[0] for data in (parts, ONE_CLICK)]

    assert (told, others, before, pressed) == ([404] * 6, [405, 405], False, [200, 200])
    assert len((tmp_path / "state" / "abonnes" / RECORD_FILE).read_text().splitlines()) == 1


async def test_who_leaves_while_the_issue_is_on_its_way(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Is not written to any more."""
    one = publisher(server, tmp_path, clock, readers=FILE, one_click=True, name="abonnes", per_minute=3)
    with pytest.raises(NotReady, match="1/3"):
        await one.publish(RENDITION, KEY)
    await one.close()
    token = Left(tmp_path / "state" / "abonnes").token("cleo@exemple.fr")
    assert unsubscribe.leave(tmp_path / "state" / "abonnes", token, NOW)
    receipt = await send(server, tmp_path, clock)

    assert (server.readers, receipt.data) == (READERS[:2], (("sent", "2"), ("left", "1")))


async def test_the_record_is_a_person_s_too(server: Office, tmp_path: Path, clock: Clock) -> None:
    """An address that somebody adds is heeded; a line that somebody takes away brings the reader back."""
    record = tmp_path / "state" / "abonnes" / RECORD_FILE
    record.parent.mkdir(parents=True)
    record.write_text("# parties\nANNE@exemple.fr, au téléphone\nbea@exemple.fr")
    await send(server, tmp_path, clock, file=FILE + "\n")
    record.write_text("bea@exemple.fr")
    unsubscribe.leave(record.parent, Left(record.parent).token("cleo@exemple.fr"), NOW)
    clock.forward(days=7)
    await send(server, tmp_path, clock, KEY[:-1] + "2")

    assert server.readers == ["cleo@exemple.fr", "Anne@exemple.fr"]
    assert [line.split()[-1] for line in record.read_text().splitlines()] == ["bea@exemple.fr", "cleo@exemple.fr"]


async def test_one_click_needs_an_address(server: Office, tmp_path: Path, clock: Clock) -> None:
    """In https, as the standard wants: told by ``check``."""
    for address in (None, "http://velo.example/"):
        one = publisher(server, tmp_path, clock, readers=FILE, one_click=True, public_url=address)
        with pytest.raises(Rejected) as caught:
            await one.open()
        assert "public_url" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize(("language", "spoken"), [("fr", "fr"), ("fr-CA", "fr"), ("en-GB", "en"), ("br", "en")])
async def test_a_program_that_names_no_language(language: str, spoken: str, tmp_path: Path) -> None:
    """The association's, as far as we speak it."""
    said = await way_out({}, "Vélo", lambda: NOW, language)(Asked(rest="abonnes/x"))
    assert (said.status, f'<html lang="{spoken}">' in said.page) == (404, True)


async def test_where_our_page_answers_letters_lead_there(server: Office, tmp_path: Path, clock: Clock) -> None:
    """Nobody has to ask for it: it is tried, with nobody's link, before the first letter and once an hour."""
    async with web(tmp_path) as there:
        for known in (False, True):
            one = publisher(server, tmp_path, clock, readers=FILE, one_click=None, name="abonnes", public_url=f"{there.url}/velo/")
            await one.open()
            assert (tmp_path / "state" / "abonnes" / KEY_FILE).exists() == known
            with suppress(NotReady):
                await one.publish(RENDITION, KEY)
            await one.close()
            assert one.remark is None
    letter = server.read()
    page, mail = letter["list-unsubscribe"].split(", ")
    assert page.startswith(f"<{there.url}/velo/-/lettre/abonnes/")
    assert mail == "<mailto:lettre@velo.example?subject=unsubscribe>"
    assert letter["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("trouble", ["nobody there", "another's page", "plain http"])
async def test_where_our_page_does_not_answer_letters_offer_a_mail(server: Office, tmp_path: Path, clock: Clock, trouble: str) -> None:
    """A link that leads nowhere is worse than none. ``check`` says so, and what to do; asked for, it is put in unseen."""
    async with web(tmp_path) as there:
        url = {"nobody there": "http://127.0.0.1:9/", "another's page": f"{there.url}/chorale/", "plain http": "http://velo.example/"}[
            trouble
        ]
        one = publisher(server, tmp_path, clock, readers=FILE, one_click=None, name="abonnes", public_url=url)
        with suppress(NotReady):
            await one.publish(RENDITION, KEY)
        await one.open()
        await one.close()
    letter = server.read()
    assert (letter["list-unsubscribe"], letter["list-unsubscribe-post"]) == ("<mailto:lettre@velo.example?subject=unsubscribe>", None)
    said = (one.remark or {"fr": "", "en": ""})["fr"]
    assert ("faites-lui passer /-/" in said) == (trouble != "plain http")


async def test_a_disk_that_takes_nothing(server: Office, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person is told to try again, not that it is done."""
    await send(server, tmp_path, clock)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    async with web(tmp_path) as there:
        status, page, _ = await there.ask(path_in(server, 0), "POST", data=ONE_CLICK)

    assert (status, "Réessayez" in page) == (503, True)


def test_the_link_says_nothing_of_the_reader() -> None:
    """It cannot be guessed without the key, nor carried over to another list; upper case and spaces are the same reader."""
    key, other = b"k" * 32, b"o" * 32
    token = token_of(key, "marie@exemple.fr")

    assert re.fullmatch(r"[0-9a-f]{64}", token)
    assert token == token_of(key, " MARIE@exemple.fr")
    assert mark_in(key, token) == token[:32]
    assert (mark_in(other, token), mark_in(key, token[::-1]), mark_in(key, token + "0"), mark_in(key, "")) == (None, None, None, None)


def test_which_lists_the_web_server_knows(tmp_path: Path) -> None:
    """Those that do not refuse it, by their names in the configuration."""
    path = tmp_path / "velo.toml"
    path.touch(mode=0o600)
    mail = 'type = "mail"\nhost = "smtp.exemple.fr"\nsender = "a@exemple.fr"\nreaders = "abonnes.txt"'
    path.write_text(f"""
[association]
name = "Vélo"
state = "{tmp_path}/state"
[sources.toots]
type = "feed"
url = "https://exemple.fr/feed"
[destinations.abonnes]
{mail}
one_click = true
[destinations.amis]
{mail}
[destinations.autres]
{mail}
one_click = false
[destinations.liste]
type = "mailinglist"
host = "smtp.exemple.fr"
sender = "a@exemple.fr"
to = "l@exemple.fr"
[routes.tout]
""")

    assert lists_of(load(path, environ={})) == {name: tmp_path / "state" / "destinations" / name for name in ("abonnes", "amis")}
    assert urlsplit("/" + WAY).path == "/-/lettre/"

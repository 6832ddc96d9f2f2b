"""docs/servers: the real nginx and the real Caddy (Debian packages), set up as we say, answer like our own server.

What answers a person below ``/-/`` they pass on to it, and no log of theirs keeps the address.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from syndicator.letter.review import WAY as REVIEW
from syndicator.testing import NOW
from syndicator.text.way_out import KEY_FILE, RECORD_FILE, WAY, token_of
from syndicator.web import Health, PublicServer, Site
from syndicator.web.leaving import way_out
from syndicator.web.policy import FILE, PAGE, PERMISSIONS
from syndicator.web.types import TYPES
from syndicator.web.ways import BODY_MAX, SECRET
from tests.test_review import state as issue
from tests.test_review_page import served

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVERS = Path(__file__).parent.parent / "docs" / "servers"
POLICY = (
    *("Content-Type", "Cache-Control", "Content-Security-Policy", "Permissions-Policy", "Cross-Origin-Resource-Policy", "Referrer-Policy"),
    *("X-Content-Type-Options", "Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Content-Disposition"),
)
HASHED = f"media/{'0a' * 16}"
NAMES = (
    *("index.html", "events/index.html", "events/bourse-1f.html", "embed.html", "jeunesse/embed.html", "jeunesse/feed.json"),
    *("feed.json", "icon.svg", f"{HASHED}.jpg", f"{HASHED}.webp"),
    *(f"some.{extension}" for extension in TYPES if extension != "woff2"),
    "inconnu.xyz",
)
PATHS = ("/", "/events/", *(f"/{name}" for name in NAMES))
KEY = b"k" * 32
LOGS = ("log", "error.log", "access.log")
BUTTON = {"List-Unsubscribe": "One-Click"}
TEXT = b"Atelier v\xc3\xa9lo, samedi \xc3\xa0 20h30\n" * 60


def put(folder: Path) -> None:
    """One file of each kind, and one that is being written."""
    for name in (*NAMES, ".index.html.tmp"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(TEXT)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@asynccontextmanager
async def ours(folder: Path, state: Path) -> AsyncIterator[int]:
    """The built-in server, with a list whose readers may leave."""
    (state / KEY_FILE).write_bytes(KEY)
    sites = (Site(prefix="/", folder=folder, ways={WAY: way_out({"abonnes": state}, "Les Amis du Vélo", lambda: NOW)}),)
    server = PublicServer(sites=lambda: sites, health=lambda: Health(ok=True, since=NOW), metrics=str, now=lambda: NOW)
    await server.start("127.0.0.1", 0)
    yield server.port
    await server.stop()


@asynccontextmanager
async def nginx(folder: Path, state: Path, upstream: int) -> AsyncIterator[int]:
    """A real nginx with the documented file, on loopback, without certificates, on a machine that logs whatever it may."""
    port = free_port()
    text = re.sub(r"\n\s+ssl_certificate\S* [^;]+;", "", (SERVERS / "nginx.conf").read_text())
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};").replace("/srv/www/agenda", str(folder))
    text = text.replace("127.0.0.1:8710", f"127.0.0.1:{upstream}")
    (state / "agenda.conf").write_text(text)
    paths = "".join(f"{kind}_temp_path {state}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    logs = f"error_log {state}/error.log info; access_log {state}/access.log;"
    main = f"{user} pid {state}/pid; daemon off; events {{}} http {{ {paths} {logs} include {state}/agenda.conf; }}"
    (state / "nginx.conf").write_text(main)
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, "install the Debian package nginx"
    asked = (found, "-e", f"{state}/error.log", "-c", f"{state}/nginx.conf")
    check = await asyncio.create_subprocess_exec(*asked, "-t", stderr=asyncio.subprocess.PIPE)
    _, said = await check.communicate()
    assert check.returncode == 0, said.decode()
    assert b"warn" not in said, said.decode()
    process = await asyncio.create_subprocess_exec(*asked, "-g", f"error_log {state}/log notice;")
    try:
        await listening(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def caddy(folder: Path, state: Path, upstream: int) -> AsyncIterator[int]:
    """A real Caddy with the documented file, on loopback, without certificates, whose site keeps a log."""
    assert shutil.which("caddy"), "install the Debian package caddy"
    port = free_port()
    log = f"log {{\n\toutput file {state}/access.log\n}}"
    text = (SERVERS / "Caddyfile").read_text().replace("\nagenda.asso.example {", f"\nhttp://127.0.0.1:{port} {{\n{log}", 1)
    text = text.replace("/srv/www/agenda", str(folder)).replace("127.0.0.1:8710", f"127.0.0.1:{upstream}")
    (state / "Caddyfile").write_text("{\n\tadmin off\n}\n" + text)
    process = await asyncio.create_subprocess_exec(
        *("caddy", "run", "--config", str(state / "Caddyfile"), "--adapter", "caddyfile"),
        stderr=(state / "log").open("wb"),
        env={**os.environ, "HOME": str(state), "XDG_DATA_HOME": str(state), "XDG_CONFIG_HOME": str(state)},
    )
    try:
        await listening(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def listening(port: int) -> None:
    """Return as soon as somebody answers there."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


OTHERS = {"nginx": nginx, "caddy": caddy}


@dataclass(frozen=True, kw_only=True)
class Two:
    """Our server's address, and another's that stands before it and reads the same folder."""

    mine: str
    theirs: str
    state: Path
    """Of ours: the list."""
    logs: Path

    def logged(self) -> str:
        """Everything that the other server wrote down."""
        return "".join(path.read_text() for name in LOGS if (path := self.logs / name).exists())


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=OTHERS)
async def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    """Both, over one folder."""
    folder, state, logs = (tmp_path_factory.mktemp(name) for name in ("agenda", "state", "logs"))
    put(folder)
    async with ours(folder, state) as mine, OTHERS[request.param](folder, logs, mine) as theirs:
        yield Two(mine=f"http://127.0.0.1:{mine}", theirs=f"http://127.0.0.1:{theirs}", state=state, logs=logs)


async def ask(origin: str, path: str, method: str = "GET", data: Any = None, **headers: str) -> tuple[int, Any, bytes]:
    """One request that follows and decodes nothing."""
    named = {"Accept-Encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(method, origin + path, data=data, headers=named, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


@pytest.mark.parametrize("path", PATHS)
async def test_the_same_headers(two: Two, path: str) -> None:
    """For every kind of file, what browsers, readers and caches are told is the same, to the letter."""
    (status, mine, body), (their_status, theirs, their_body) = [await ask(origin, path) for origin in (two.mine, two.theirs)]

    assert (their_status, their_body) == (status, body)
    assert {name: theirs.getall(name, []) for name in POLICY} == {name: mine.getall(name, []) for name in POLICY}
    assert "Set-Cookie" not in theirs


async def test_the_same_manners(two: Two) -> None:
    """HEAD, an unchanged file by tag and by date, a part, compression; a folder without its slash leads to it."""
    for origin in (two.mine, two.theirs):
        _, headers, _ = await ask(origin, "/some.ics")
        assert (await ask(origin, "/some.ics", "HEAD"))[::2] == (200, b"")
        assert (await ask(origin, "/some.ics", If_None_Match=headers["ETag"]))[::2] == (304, b"")
        assert (await ask(origin, "/some.ics", If_Modified_Since=headers["Last-Modified"]))[::2] == (304, b"")
        assert (await ask(origin, "/some.ics", Range="bytes=3-9"))[::2] == (206, TEXT[3:10])
        assert (await ask(origin, "/some.ics", Range="bytes=99999-"))[0] == 416
        _, packed, body = await ask(origin, "/some.ics", Accept_Encoding="gzip")
        assert (packed["Content-Encoding"], packed["Vary"], gzip.decompress(body)) == ("gzip", "Accept-Encoding", TEXT)
        assert "Content-Encoding" not in (await ask(origin, "/some.jpg", Accept_Encoding="gzip"))[1]
        status, moved, _ = await ask(origin, "/events")
        assert (status in (301, 308), moved["Location"]) == (True, "/events/")


@pytest.mark.parametrize("path", ["/.index.html.tmp", f"/media/{'0f' * 16}.jpg", "/nulle-part.ics", "/../secret.txt"])
async def test_what_is_not_there_is_not_kept(two: Two, path: str) -> None:
    """404, and no cache believes that it lasts; a file that is being written is nobody's business."""
    for origin in (two.mine, two.theirs):
        status, headers, body = await ask(origin, path)

        assert status in (400, 404)
        assert "max-age" not in headers.get("Cache-Control", "")
        assert TEXT[:20] not in body


def told(headers: Any) -> dict[str, list[str]]:
    """What our server said, once, of a page whose address is a secret."""
    return {name: headers.getall(name, []) for name in (*POLICY, *SECRET, "Vary", "Content-Encoding", "Location") if name != "Server"}


async def test_leaving_a_list(two: Two) -> None:
    """The page is ours to the letter, its button acts, mail programs may press it; nobody's log keeps the address."""
    path = f"/{WAY}abonnes/{token_of(KEY, f'{two.theirs}@exemple.fr')}"
    for method, data in (("GET", None), ("HEAD", None), ("DELETE", None), ("POST", b"x" * (BODY_MAX + 1)), ("POST", BUTTON)):
        assert not (two.state / RECORD_FILE).exists()
        status, theirs, body = await ask(two.theirs, path, method, data, Accept_Encoding="gzip", Accept_Language="fr")
        if data != BUTTON:
            its_status, mine, its_body = await ask(two.mine, path, method, data, Accept_Encoding="gzip", Accept_Language="fr")
            assert (status, body, told(theirs)) == (its_status, its_body, told(mine))
    assert (status, "C’est fait" in body.decode()) == (200, True)
    assert len((two.state / RECORD_FILE).read_text().splitlines()) == 1
    (two.state / RECORD_FILE).unlink()
    parts = aiohttp.FormData(BUTTON, default_to_multipart=True)
    assert (await ask(two.theirs, path, "POST", parts))[0] == 200
    assert (await ask(two.theirs, path[:-1], "POST", BUTTON))[0] == 404
    assert len((two.state / RECORD_FILE).read_text().splitlines()) == 1
    assert path.rpartition("/")[2] not in two.logged()
    (two.state / RECORD_FILE).unlink()


@pytest.mark.parametrize("name", OTHERS)
async def test_reading_an_issue_first(name: str, tmp_path: Path) -> None:
    """A person sees the issue and presses a button; no log knows the address, nor, once we are down, that of who comes in vain."""
    logs = tmp_path / "logs"
    logs.mkdir()
    async with AsyncExitStack() as they, AsyncExitStack() as we:
        there = await we.enter_async_context(served(tmp_path / "asso"))
        mine, path = there.base.rstrip("/"), there.link.removeprefix(there.base.rstrip("/"))
        theirs = f"http://127.0.0.1:{await they.enter_async_context(OTHERS[name](tmp_path, logs, int(mine.rpartition(':')[2])))}"
        (_, page, body), (its_status, its_page, its_body) = [await ask(origin, path) for origin in (mine, theirs)]
        framed, frame, letter = await ask(theirs, f"{path}?letter")
        form = {"token": await there.token(), "press": "stop"}
        pressed, headers, _ = await ask(theirs, path, "POST", form)

        assert (its_status, its_body, told(its_page)) == (200, body, told(page))
        assert (framed, "sandbox" in frame["Content-Security-Policy"], "Fête de l’hiver" in letter.decode()) == (200, True, True)
        assert (pressed, headers["Location"], (await issue(there.made)).state) == (303, "?noted", "stopped")
        await we.aclose()
        status, headers, _ = await ask(theirs, path)
        assert (status, "max-age" in headers.get("Cache-Control", "")) == (502, False)
        await ask(theirs, "/nulle-part")
    logged = "".join(one.read_text() for one in logs.iterdir() if one.name in LOGS)
    assert path.startswith(f"/{REVIEW}lettre/")
    assert [secret for secret in (path.rpartition("/")[2], form["token"]) if secret in logged] == []
    assert name != "caddy" or "nulle-part" in logged


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
async def test_the_files_say_what_our_server_says(name: str) -> None:
    """Also where neither server is installed: the very same policies, and every type we know."""
    text = (SERVERS / name).read_text()

    assert [policy for policy in (f"{PAGE}'self'", f"{PAGE}*", FILE, PERMISSIONS) if f'"{policy}"' not in text] == []
    assert [extension for extension in TYPES if extension != "woff2" and not re.search(rf"\b{extension}\b|jpe\?g", text)] == []

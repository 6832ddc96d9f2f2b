"""docs/servers: nginx and Caddy, set up as we say, answer like our own server. Real ones where they are installed (Debian packages)."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from syndicator.testing import NOW
from syndicator.web import Health, PublicServer, Site
from syndicator.web.policy import FILE, PAGE, PERMISSIONS
from syndicator.web.types import TYPES

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
async def ours(folder: Path, _: Path) -> AsyncIterator[int]:
    """The built-in server."""
    sites = (Site(prefix="/", folder=folder),)
    server = PublicServer(sites=lambda: sites, health=lambda: Health(ok=True, since=NOW), metrics=str, now=lambda: NOW)
    await server.start("127.0.0.1", 0)
    yield server.port
    await server.stop()


@asynccontextmanager
async def nginx(folder: Path, state: Path) -> AsyncIterator[int]:
    """A real nginx with the documented file, on loopback, without certificates."""
    port = free_port()
    text = re.sub(r"\n\s+ssl_certificate\S* [^;]+;", "", (SERVERS / "nginx.conf").read_text())
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};").replace("/srv/www/agenda", str(folder))
    (state / "agenda.conf").write_text(text)
    paths = "".join(f"{kind}_temp_path {state}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root;" if os.geteuid() == 0 else ""
    main = f"{user} pid {state}/pid; error_log {state}/error.log; daemon off; events {{}} http {{ {paths} include {state}/agenda.conf; }}"
    (state / "nginx.conf").write_text(main)
    asked = ("nginx", "-e", f"{state}/error.log", "-c", f"{state}/nginx.conf")
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
async def caddy(folder: Path, state: Path) -> AsyncIterator[int]:
    """A real Caddy with the documented file, on loopback, without certificates."""
    port = free_port()
    text = (SERVERS / "Caddyfile").read_text().replace("\nagenda.asso.example {", f"\nhttp://127.0.0.1:{port} {{")
    (state / "Caddyfile").write_text("{\n\tadmin off\n}\n" + text.replace("/srv/www/agenda", str(folder)))
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


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=OTHERS)
async def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    """Our server's address, and the other's, over the same folder."""
    if shutil.which(request.param) is None and not Path("/usr/sbin", request.param).exists():
        pytest.skip(f"install the Debian package {request.param}")
    folder, state = tmp_path_factory.mktemp("agenda"), tmp_path_factory.mktemp("state")
    put(folder)
    async with ours(folder, state) as mine, OTHERS[request.param](folder, state) as theirs:
        yield f"http://127.0.0.1:{mine}", f"http://127.0.0.1:{theirs}"


async def ask(origin: str, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
    """One request that follows and decodes nothing."""
    named = {"Accept-Encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(method, origin + path, headers=named, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


@pytest.mark.parametrize("path", PATHS)
async def test_the_same_headers(two: tuple[str, str], path: str) -> None:
    """For every kind of file, what browsers, readers and caches are told is the same, to the letter."""
    (status, mine, body), (their_status, theirs, their_body) = [await ask(origin, path) for origin in two]

    assert (their_status, their_body) == (status, body)
    assert {name: theirs.getall(name, []) for name in POLICY} == {name: mine.getall(name, []) for name in POLICY}
    assert "Set-Cookie" not in theirs


async def test_the_same_manners(two: tuple[str, str]) -> None:
    """HEAD, an unchanged file by tag and by date, a part, compression; a folder without its slash leads to it."""
    for origin in two:
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
async def test_what_is_not_there_is_not_kept(two: tuple[str, str], path: str) -> None:
    """404, and no cache believes that it lasts; a file that is being written is nobody's business."""
    for origin in two:
        status, headers, body = await ask(origin, path)

        assert status in (400, 404)
        assert "max-age" not in headers.get("Cache-Control", "")
        assert TEXT[:20] not in body


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
async def test_the_files_say_what_our_server_says(name: str) -> None:
    """Also where neither server is installed: the very same policies, and every type we know."""
    text = (SERVERS / name).read_text()

    assert [policy for policy in (f"{PAGE}'self'", f"{PAGE}*", FILE, PERMISSIONS) if f'"{policy}"' not in text] == []
    assert [extension for extension in TYPES if extension != "woff2" and not re.search(rf"\b{extension}\b|jpe\?g", text)] == []

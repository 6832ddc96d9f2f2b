"""Real site generators, each with the site that our documentation offers; what they build, served on loopback."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from aiohttp import web
from PIL import Image

from interop import install
from interop.processes import free_port

SAMPLES = Path(__file__).parent.parent / "docs" / "static"
ELEVENTY = ("@11ty/eleventy", "3.1.2")


@dataclass(frozen=True)
class Generator:
    """One of them, installed."""

    name: str
    version: str
    build: tuple[str, ...]
    """Run in the site's folder."""
    output: str
    """Where the built site is, below it."""
    events: str
    data: str
    media: str


async def jekyll() -> Generator:
    """From Debian."""
    await install.debian({"jekyll": "jekyll"})
    # Without it, Jekyll leaves its cache in the sources.
    build = ("jekyll", "build", "--quiet", "--disable-disk-cache")
    return Generator("jekyll", await _version("jekyll", "--version"), build, "_site", "_events", "_data/agenda.json", "assets/agenda")


async def hugo() -> Generator:
    """From Debian."""
    await install.debian({"hugo": "hugo"})
    build = ("hugo", "--quiet", "--cleanDestinationDir", "--noTimes")
    return Generator("hugo", await _version("hugo", "version"), build, "public", "content/events", "data/agenda.json", "static/agenda")


async def eleventy() -> Generator:
    """From npm."""
    folder = await install.npm_package("eleventy", *ELEVENTY)
    command = folder / "node_modules" / "@11ty" / "eleventy" / "cmd.cjs"
    # Eleventy never removes what it built before.
    build = ("sh", "-c", 'rm -rf _site && exec node "$0" --quiet', str(command))
    return Generator("eleventy", ELEVENTY[1], build, "_site", "events", "_data/agenda.json", "assets/agenda")


GENERATORS: dict[str, Callable[[], Awaitable[Generator]]] = {"jekyll": jekyll, "hugo": hugo, "eleventy": eleventy}


async def _version(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    found = re.search(r"\d+(\.\d+)+", said.decode())
    return found[0] if found else "?"


def sample(generator: Generator, site: Path) -> None:
    """The documentation's site of that kind, as a volunteer copies it."""
    shutil.copytree(SAMPLES / generator.name, site)


class Served:
    """A built site at ``/``, and our public folder at ``/miroir/``."""

    def __init__(self, built: Path, mirror: Path) -> None:
        self._folders = {"/miroir/": mirror, "/": built}
        self._runner: web.AppRunner | None = None
        self._port = free_port()

    @property
    def url(self) -> str:
        """Without a trailing slash."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._file)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        """No more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        prefix = next(prefix for prefix in self._folders if request.path.startswith(prefix))
        path = self._folders[prefix] / request.path.removeprefix(prefix)
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            return web.Response(status=204 if request.path == "/favicon.ico" else 404)
        return web.FileResponse(path)


async def _picture(_: web.Request) -> web.Response:
    exif, out = Image.Exif(), BytesIO()
    exif[0x010E] = "GPS 48.39 -4.48"
    Image.new("RGB", (900, 600), "teal").save(out, "JPEG", exif=exif)
    return web.Response(body=out.getvalue(), content_type="image/jpeg")


async def origin() -> tuple[web.AppRunner, str]:
    """A server of a picture with something to hide: the runner, and the picture's address."""
    app = web.Application()
    app.router.add_get("/p.jpg", _picture)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner, f"http://127.0.0.1:{port}/p.jpg"

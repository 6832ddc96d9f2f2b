"""Requests a second of our web server, against aiohttp's own static files, each a process; the same client asks both."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

PAGE = "index.html"
SIZE = 40_000
CONNECTIONS = 8
REQUESTS = 200
ROUNDS = 3

BARE = """
import asyncio, sys
from aiohttp import web

async def main():
    app = web.Application()
    app.router.add_static("/", sys.argv[1])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""
OURS = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from syndicator.web import Health, PublicServer, Site

async def main():
    sites = [Site(prefix="/", folder=Path(sys.argv[1]))]
    now = lambda: datetime.now(UTC)
    server = PublicServer(sites=lambda: sites, health=lambda: Health(ok=True, since=now()), metrics=lambda: "", now=now)
    await server.start("127.0.0.1", 0)
    print(server.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


def run() -> None:
    """Print requests a second and the ratio, for an answer with the page and for one that says that it is unchanged."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        Path(folder, PAGE).write_text("<!doctype html>\n" + "<p>Atelier vélo, samedi à la Maison.</p>\n" * (SIZE // 40))
        ports = {name: stack.enter_context(_served(program, folder)) for name, program in (("aiohttp static", BARE), ("ours", OURS))}
        tags = {name: _etag(port) for name, port in ports.items()}
        asked = {
            "200": dict.fromkeys(ports, ""),
            "200, gzip": dict.fromkeys(ports, "Accept-Encoding: gzip\r\n"),
            "304": {name: f"If-None-Match: {tag}\r\n" for name, tag in tags.items()},
        }
        for what, headers in asked.items():
            rates: dict[str, list[float]] = {name: [] for name in ports}
            for _ in range(ROUNDS):
                for name, port in ports.items():
                    rates[name].append(asyncio.run(_rate(port, headers[name])))
            median = {name: sorted(found)[ROUNDS // 2] for name, found in rates.items()}
            shown = "   ".join(f"{name} {rate:6.0f}/s" for name, rate in median.items())
            print(f"  {what:<10} {shown}   ×{median['ours'] / median['aiohttp static']:.2f}", flush=True)


@contextmanager
def _served(program: str, folder: str) -> Iterator[int]:
    """A server as a child process; gives its port."""
    with subprocess.Popen([sys.executable, "-c", program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.stdin.close()


def _etag(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/{PAGE}", timeout=5) as answer:
        return str(answer.headers["ETag"])


async def _rate(port: int, headers: str) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(_ask(port, headers) for _ in range(CONNECTIONS)))
    return CONNECTIONS * REQUESTS / (time.perf_counter() - began)


async def _ask(port: int, headers: str) -> None:
    """One connection, kept open; every answer is read to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET /{PAGE} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()
    for _ in range(REQUESTS):
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 304 " in head[:16]:
            continue
        if b"\r\ncontent-length:" in head:
            await reader.readexactly(int(head.split(b"\r\ncontent-length:")[1].split(b"\r\n")[0]))
            continue
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    writer.close()

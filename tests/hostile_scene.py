"""A server that means harm, or has lost its mind; and the command line as a person types it, in a process of its own."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from syndicator.sandbox.server import Simulator

EXPIRED = Path(__file__).parent / "data" / "tls" / "expired.pem"
"""A key and its certificate for localhost, signed by itself, valid in January 2020 only."""
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
SIGNS_OF_A_BUG = ("Traceback", "Error(", "NoneType", "defect", "défaut")


class Hostile(Simulator):
    """Bad in one way to everybody: ``html``, ``endless``, ``private`` (a redirect inwards), ``nonsense``, ``loop``, or a status."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.app.router.add_route("*", "/{tail:.*}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.way == "endless":
            return await self._endless(request)
        if self.way == "private":
            raise web.HTTPFound("http://192.168.1.1/admin")
        if self.way == "html":
            return web.Response(text="<!DOCTYPE html><title>Bienvenue</title><p>Ce site est en construction.", content_type="text/html")
        if self.way == "nonsense":
            return web.Response(body=bytes(range(256)) * 40, content_type="application/octet-stream")
        if self.way == "loop":
            raise web.HTTPFound(request.path_qs)
        return web.Response(status=int(self.way), text="no")

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": request.headers.get("Accept", "text/html").split(",")[0].split(";")[0]})
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 65_536)
        except ConnectionError:
            return response


class Closed(Simulator):
    """A port where nobody listens: it was taken once, so that nobody else has it either."""

    async def start(self, port: int = 0) -> Closed:
        """Listen, and stop at once."""
        await super().start(port)
        await super().stop()
        return self


async def start_tls() -> tuple[web.AppRunner, str]:
    """A server whose certificate ran out long ago: its runner, and where it is."""
    runner = web.AppRunner(web.Application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(EXPIRED)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    return runner, f"https://127.0.0.1:{runner.addresses[0][1]}"


def give_up_privilege() -> None:
    """Between fork and exec: what root may do whatever a file's mode says, the program to come may not (capabilities(7))."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a script reads."""
        return json.loads(self.out)


def environ(**more: str) -> dict[str, str]:
    """A person's environment, without anything that would choose a configuration for them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNDICATOR", "XDG", "LC_", "LANG"))}
    return kept | {"LANG": "C.UTF-8", "PYTHONWARNINGS": "error::ResourceWarning"} | more


async def syndicator(*arguments: str | Path, language: str = "fr", cwd: Path | None = None, env: Mapping[str, str] = {}) -> Said:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "syndicator", *map(str, arguments)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environ(SYNDICATOR_LANGUAGE=language, PYTHONPATH=str(Path(__file__).parent.parent), **env),
        cwd=cwd,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Said(code=process.returncode, out=out.decode(), err=err.decode())

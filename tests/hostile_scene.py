"""Servers that mean harm, or have lost their mind."""

from __future__ import annotations

import ssl
from pathlib import Path

from aiohttp import web

from syndicator.sandbox.server import Simulator

EXPIRED = Path(__file__).parent / "data" / "tls" / "expired.pem"
"""A key and its certificate for localhost, signed by itself, valid in January 2020 only."""


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

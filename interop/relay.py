"""What stands between a connector and a real server, so that a test's faults (a lost answer, a proxy's 502) happen on the way."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from syndicator.sandbox.server import Simulator

NOT_PASSED_ON = ("Host", "Content-Length", "Connection")
KEPT = ("RateLimit", "Retry-After", "Content-Type", "Content-Encoding", "ETag", "Last-Modified", "Link")


class Relay(Simulator):
    """Passes everything on to the server at ``real``, but for the faults."""

    def __init__(self, real: str) -> None:
        super().__init__()
        self.real = real
        self.app.router.add_route("*", "/{path:.*}", self._pass_on)

    async def _pass_on(self, request: web.Request) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name not in NOT_PASSED_ON}
        async with (
            aiohttp.ClientSession(skip_auto_headers=("Content-Type", "User-Agent"), auto_decompress=False) as session,
            session.request(request.method, f"{self.real}{request.path_qs}", headers=headers, data=await request.read() or None) as answer,
        ):
            kept = {name: value for name, value in answer.headers.items() if name.startswith(KEPT)}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

"""What every simulator is made of: a server on a loopback port, a log of what it was asked, a queue of faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, Self

from aiohttp import web

Stage = Literal["before", "after"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong, ``times`` times, for requests whose method and path fit.

    ``drop``: the connection is cut and nothing was done. ``lose``: it was done, and the connection is cut before any answer.
    ``truncate``: it was done, the headers arrive, the body does not. ``answer``: this answer, and nothing was done. ``mask``: it was
    done, but this is the answer. ``stall``: it was done, and the answer comes ``delay_s`` late.
    """

    action: Literal["drop", "lose", "truncate", "answer", "mask", "stall"]
    method: str = ""
    path: str = ""
    """A part of the path; empty for any."""
    times: int = 1
    skip: int = 0
    """How many fitting requests pass unharmed first."""
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0

    def fits(self, request: web.Request) -> bool:
        """Whether ``request`` is one of those meant."""
        return self.method in ("", request.method) and self.path in request.path


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Simulator:
    """Base of the simulators: subclasses add routes to ``self.app`` in ``__init__`` and keep their world in attributes."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        self.now = now or (lambda: datetime.now(UTC))
        self.app = web.Application(middlewares=[self._watch], client_max_size=64 * 1024**2)
        self.faults: list[Fault] = []
        self.requests: list[Seen] = []
        self.hooks: list[Callable[[Stage, web.Request], None]] = []
        """Called before and after each request is carried out."""
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def host(self) -> str:
        """Its host and port: what a handle ``user@host`` ends with."""
        return f"127.0.0.1:{self._port}"

    async def start(self, port: int = 0) -> Self:
        """Listen on loopback; 0 takes a free port."""
        self._runner = web.AppRunner(self.app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def fault(self, fault: Fault) -> None:
        """Queue a fault; the first that fits a request is used, and used up after ``times``."""
        self.faults.append(fault)

    def _next_fault(self, request: web.Request) -> Fault | None:
        for index, fault in enumerate(self.faults):
            if not fault.fits(request):
                continue
            if fault.skip:
                self.faults[index] = replace(fault, skip=fault.skip - 1)
                return None
            if fault.times > 1:
                self.faults[index] = replace(fault, times=fault.times - 1)
            else:
                del self.faults[index]
            return fault
        return None

    @web.middleware
    async def _watch(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        body = await request.read()
        self.requests.append(
            Seen(
                method=request.method,
                path=request.path,
                query=dict(request.query),
                headers=dict(request.headers),
                body=body,
            )
        )
        fault = self._next_fault(request)
        if fault and fault.action == "drop":
            return _cut(request)
        if fault and fault.action == "answer":
            return _answer(fault)
        self._call_hooks("before", request)
        try:
            response = await handler(request)
        except web.HTTPException as refusal:
            response = web.Response(status=refusal.status, reason=refusal.reason, headers=refusal.headers, body=refusal.body)
        self._call_hooks("after", request)
        if fault is None:
            return response
        if fault.action == "lose":
            return _cut(request)
        if fault.action == "truncate":
            return await _truncate(request)
        if fault.action == "mask":
            return _answer(fault)
        await asyncio.sleep(fault.delay_s)
        return response

    def _call_hooks(self, stage: Stage, request: web.Request) -> None:
        for hook in self.hooks:
            hook(stage, request)


def _answer(fault: Fault) -> web.Response:
    return web.Response(status=fault.status, headers=dict(fault.headers), body=fault.body)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _truncate(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"{")
    if request.transport is not None:
        request.transport.abort()
    return response

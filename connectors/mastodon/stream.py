"""Server-sent events (https://docs.joinmastodon.org/methods/streaming/), to be woken by: what they carry is never used as content.

Mastodon.py's own listener swallows a refused token, reconnects without pause and does not notice silence; this one reports all three.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from syndicator.contract import Secret
from syndicator.errors import Rejected, Transient
from syndicator.http import PrivateAddress, is_public

SILENCE_S = 90.0
"""Mastodon sends a heartbeat every 15 seconds."""
BUFFER_MAX_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ServerEvent:
    """One event: ``update``, ``status.update``, ``delete``, … and its payload."""

    name: str
    data: str


class EventStream:
    """One open connection."""

    def __init__(self, url: str, token: Secret, *, private: bool, user_agent: str, silence_s: float = SILENCE_S) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token.reveal()}", "Accept": "text/event-stream", "User-Agent": user_agent}
        self._private = private
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=silence_s)
        self._session: aiohttp.ClientSession | None = None
        self._events: AsyncIterator[ServerEvent] | None = None

    async def open(self) -> None:
        """Connect. Raises Rejected when this server never will, Transient when it does not now."""
        # A session of its own: the shared one has two connections a host, and this one is kept for days.
        connector = aiohttp.TCPConnector(socket_factory=None if self._private else _guarded)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        host = urlsplit(self._url).netloc
        try:
            answer = await self._session.get(self._url, headers=self._headers, timeout=self._timeout, allow_redirects=False)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self.close()
            raise Transient(f"{host}: {type(error).__name__}") from error
        if answer.status == 200 and answer.content_type == "text/event-stream":
            self._events = _events(answer.content)
            return
        await self.close()
        detail = f"{host} answered {answer.status} to streaming"
        raise Transient(detail) if answer.status in (408, 425, 429) or answer.status >= 500 else Rejected(detail)

    async def next(self) -> ServerEvent | None:
        """The next event; None when the connection has ended, broken or fallen silent."""
        if self._events is None:
            return None
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            return await anext(self._events, None)
        return None

    async def close(self) -> None:
        """Disconnect; safe to repeat."""
        self._events = None
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[ServerEvent]:
    name = ""
    data: list[str] = []
    async for line in _lines(content):
        if not line:
            if name or data:
                yield ServerEvent(name=name, data="\n".join(data))
            name, data = "", []
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[str]:
    buffer = b""
    async for chunk in content.iter_any():
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
        if len(buffer) > BUFFER_MAX_BYTES:
            return


def _guarded(info: Any) -> socket.socket:
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddress(f"{address[0]} is not a public address")
    return socket.socket(family=family, type=kind, proto=protocol)

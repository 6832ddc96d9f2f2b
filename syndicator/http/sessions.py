"""The process's connections."""

from __future__ import annotations

import aiohttp

from syndicator.http.addresses import guarded_socket


class Sessions:
    """The process's aiohttp sessions, made on first use.

    Requests that change something get a fresh connection each: on a kept one, a server that had just closed it would leave us not
    knowing whether it took the request.
    """

    def __init__(self) -> None:
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}

    def get(self, *, private: bool, write: bool) -> aiohttp.ClientSession:
        """The session for hosts that may be ``private`` or not, for requests that ``write`` or not."""
        session = self._sessions.get((private, write))
        if session is None:
            connector = aiohttp.TCPConnector(
                socket_factory=None if private else guarded_socket,
                limit_per_host=4 if private else 2,
                force_close=write,
            )
            session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                headers={"Accept-Encoding": "gzip"},
            )
            # aiohttp sends a PUT or DELETE a second time, by itself, when the answer is lost: whoever asked must know.
            # https://github.com/aio-libs/aiohttp/blob/v3.14.5/aiohttp/client.py#L739; there is no public switch.
            session._retry_connection = not write  # noqa: SLF001
            self._sessions[private, write] = session
        return session

    async def close(self) -> None:
        """Close what was made."""
        sessions = list(self._sessions.values())
        self._sessions.clear()
        for session in sessions:
            await session.close()

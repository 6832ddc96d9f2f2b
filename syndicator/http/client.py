"""One association's way to the network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from syndicator.arriving import Arriving
from syndicator.errors import AuthExpired, ConnectorError, OutcomeUnknown, Rejected, Transient, words
from syndicator.http.addresses import host_of, origin_of, unreachable
from syndicator.http.answers import Response
from syndicator.http.sessions import Sessions

JSON_MAX_BYTES = 5_000_000
FEED_MAX_BYTES = 2_000_000
ICS_MAX_BYTES = 5_000_000
IMAGE_MAX_BYTES = 15_000_000
PAGE_MAX_BYTES = 2_000_000
REDIRECTS_MAX = 5
TOTAL_TIMEOUT_S = 30.0

FOR_ANYBODY = frozenset({
    "accept", "accept-encoding", "accept-language", "user-agent", "if-none-match", "if-modified-since", "range", "if-range",
})  # fmt: skip
"""Headers that follow a redirect to another host; all others may be meant for the first alone."""
SECRET_HEADERS = frozenset({"api-key", "authorization", "cookie", "x-auth-token"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})

OPEN_HINT = words(
    fr="Cette adresse commence par http:// : le secret y voyagerait en clair. Écrivez https:// ; si ce serveur est sur votre réseau, "
    "ajoutez son nom à allow_private dans la section [network].",
    en="This address begins with http://: the secret would travel there for all to read. Write https://; if that server is on your own "
    "network, add its name to allow_private in the [network] section.",
)
BROKEN_HINT = words(
    fr="Il y a un retour à la ligne au milieu du secret : remettez-le d'un seul tenant, sur une ligne, sans rien d'autre.",
    en="There is a line break in the middle of the secret: put it in again in one piece, on one line, with nothing else.",
)

_Reader = Callable[[aiohttp.ClientResponse], Awaitable[bytes]]
"""What becomes of an answer's body."""


class _Sent(NamedTuple):
    """What a request carries beside its headers."""

    params: Any
    json: Any
    data: Any
    encoded: bool = False
    """Whether the address goes out as it is written."""


@dataclass
class Http:
    """One association's way to the network; sessions are shared by all of them (``Sessions``)."""

    sessions: Sessions
    now: Callable[[], datetime]
    user_agent: str
    allow_private: frozenset[str] = frozenset()
    """Lower-case host names, without port, that may lead to private addresses."""
    own_files: frozenset[Path] = frozenset()
    """Files of this machine that a person named (the association's logo): the only ones that a generated picture may show."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | list[tuple[str, str]] | None = None,
        json: Any = None,
        data: Any = None,
        max_bytes: int = JSON_MAX_BYTES,
        timeout_s: float = TOTAL_TIMEOUT_S,
        question: bool = False,
        encoded: bool = False,
    ) -> Response:
        """Send and read to the end, following redirects of safe methods; any status is an answer.

        ``question`` says that the request changes nothing whatever its method (GraphQL asks by POST): it is as safe to repeat as a GET.
        ``encoded`` says that ``url`` goes out exactly as it is written: services tell ``%3A`` from ``:``, or sign their addresses.

        Raises Transient when the request surely did not take effect (refused, unresolved, any failure of a safe method), OutcomeUnknown
        when another method's answer was lost, Rejected for a private address, a bad URL or a body larger than ``max_bytes``.
        """
        safe = question or method in SAFE_METHODS

        async def read(answer: aiohttp.ClientResponse) -> bytes:
            return await _read(answer, max_bytes, safe=safe)

        return await self._follow(method, url, CIMultiDict(headers or {}), _Sent(params, json, data, encoded), timeout_s, read, safe=safe)

    async def download(self, url: str, path: Path, *, max_bytes: int, timeout_s: float) -> Response:
        """GET into the file ``path``, never in memory, going on where an earlier attempt broke off if the server can; any status is an
        answer, and only a complete 200 or 206 leaves a file. The answer's body is empty, or what an error said.

        Raises as ``get``, and Transient when the disk is full.
        """
        arriving = Arriving(path, max_bytes=max_bytes)

        async def read(answer: aiohttp.ClientResponse) -> bytes:
            if answer.status not in (200, 206, 416):
                return await _read(answer, PAGE_MAX_BYTES, safe=True)
            await arriving.take(answer)
            return b""

        return await self._follow("GET", url, CIMultiDict(arriving.headers()), _Sent(None, None, None), timeout_s, read, safe=True)

    async def _follow(
        self, method: str, url: str, sent: CIMultiDict[str], body: _Sent, timeout_s: float, read: _Reader, *, safe: bool
    ) -> Response:
        sent.setdefault("User-Agent", self.user_agent)
        permanent = True
        moved_to = None
        asked, first = url, origin_of(url)
        trusted = host_of(url) in self.allow_private
        for _ in range(REDIRECTS_MAX + 1):
            private = trusted and host_of(url) in self.allow_private
            response = await self._once(method, url, sent, body, timeout_s, asked, read, private=private, safe=safe)
            location = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or not location or method not in SAFE_METHODS:
                return Response(status=response.status, url=response.url, headers=response.headers, body=response.body, moved_to=moved_to)
            try:
                url, body = urljoin(response.url, location), body._replace(params=None, encoded=False)
            except ValueError as error:
                raise Rejected(f"{response.url} leads to {location!r}, which is no web address") from error
            permanent = permanent and response.status in (301, 308)
            moved_to = url if permanent else moved_to
            if origin_of(url) != first:
                sent = CIMultiDict((name, value) for name, value in sent.items() if name.lower() in FOR_ANYBODY)
        raise Transient(f"{url}: more than {REDIRECTS_MAX} redirects")

    async def _once(
        self,
        method: str,
        url: str,
        headers: CIMultiDict[str],
        sent: _Sent,
        timeout_s: float,
        asked: str,
        read: _Reader,
        *,
        private: bool,
        safe: bool,
    ) -> Response:
        if not SECRET_HEADERS.isdisjoint(name.lower() for name in headers):
            self.refuse_open(url)
        _refuse_broken(headers)
        session = self.sessions.get(private=private, write=not safe)
        timeout = aiohttp.ClientTimeout(total=timeout_s, connect=10, sock_read=15)
        try:
            address = URL(url, encoded=sent.encoded)
            async with session.request(
                method, address, headers=headers, params=sent.params, json=sent.json, data=sent.data, timeout=timeout, allow_redirects=False
            ) as answer:
                body = await read(answer)
                return Response(status=answer.status, url=str(answer.url), headers=answer.headers, body=body)
        except ConnectorError:
            raise
        except aiohttp.ClientConnectorError as error:  # before ValueError, which a certificate's error is too
            raise unreachable(url, asked, error) from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
            raise Rejected(f"{url} is not a usable web address") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Transient(f"{urlsplit(url).netloc} does not answer") from error
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            text = f"{host_of(url)}: {type(error).__name__}: {error or 'no answer in time'}"
            raise (Transient(text) if safe else OutcomeUnknown(text)) from error

    def refuse_open(self, url: str) -> None:
        """Raise Rejected where a secret would travel for everybody to read: ``http:``, and not to a host that a person trusts."""
        if url.lower().startswith("http:") and host_of(url) not in self.allow_private:
            raise Rejected(f"{urlsplit(url).netloc}: no secret goes out without TLS", hint=OPEN_HINT)

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | list[tuple[str, str]] | None = None,
        max_bytes: int = JSON_MAX_BYTES,
        timeout_s: float = TOTAL_TIMEOUT_S,
    ) -> Response:
        """GET, any status."""
        return await self.request("GET", url, headers=headers, params=params, max_bytes=max_bytes, timeout_s=timeout_s)


def _refuse_broken(headers: Mapping[str, str]) -> None:
    """Raise AuthExpired for what no header may hold: only a secret comes from outside."""
    if any(sign in value for value in headers.values() for sign in "\r\n\0"):
        raise AuthExpired("the secret holds a line break", hint=BROKEN_HINT)


async def _read(answer: aiohttp.ClientResponse, max_bytes: int, *, safe: bool) -> bytes:
    declared = answer.content_length
    body = bytearray()
    if declared is None or declared <= max_bytes:
        async for chunk in answer.content.iter_chunked(16_384):
            body += chunk
            if len(body) > max_bytes:
                break
        else:
            return bytes(body)
    answer.close()
    if not safe:
        raise OutcomeUnknown(f"{answer.url.host} answered more than {max_bytes} bytes")
    raise Rejected(
        f"{answer.url} sent more than {max_bytes} bytes",
        hint=words(
            fr="La réponse est anormalement grosse : vérifiez l'adresse configurée.",
            en="The answer is abnormally large: check the configured address.",
        ),
    )

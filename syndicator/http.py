"""The one HTTP client: shared session, limits of size, time and address, and status → error in one place.

Strangers' URLs go through here only. A connection to an address that is not public is refused at the socket, after name resolution
and for every redirect, so neither a literal address nor DNS rebinding gets past (aiohttp's resolver alone would not see literals);
``allow_private`` names the hosts of a local network that a person trusts, and a stranger's redirect does not lead there. Bodies are
read in chunks and counted after decompression.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json as jsonlib
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from syndicator.arriving import Arriving
from syndicator.errors import (
    AuthExpired,
    ConnectorError,
    Gone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
    words,
)

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


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer, read to its end."""

    status: int
    url: str
    """After redirects."""
    headers: CIMultiDictProxy[str]
    body: bytes
    moved_to: str | None = None
    """Where a chain of permanent redirects (301, 308) led."""

    def text(self) -> str:
        """The body by its declared charset, else UTF-8; undecodable bytes become U+FFFD."""
        charset = "utf-8"
        for parameter in self.headers.get("Content-Type", "").split(";")[1:]:
            name, _, value = parameter.strip().partition("=")
            if name.lower() == "charset":
                charset = value.strip('"')
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; Transient when it is not (a proxy's page, a truncated answer)."""
        try:
            return jsonlib.loads(self.body)
        except ValueError as error:
            raise Transient(f"{self.url} answered {self.status} with {self.content_type or 'no type'} instead of JSON") from error

    @property
    def content_type(self) -> str:
        """Without parameters, lower case."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()


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


class PrivateAddress(OSError):
    """A host leads to an address that is not public."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, seen through IPv4-mapped, 6to4 and NAT64 wrappings."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


_Reader = Callable[[aiohttp.ClientResponse], Awaitable[bytes]]
"""What becomes of an answer's body."""


class _Sent(NamedTuple):
    """What a request carries beside its headers."""

    params: Any
    json: Any
    data: Any
    encoded: bool = False
    """Whether the address goes out as it is written."""


def _guarded_socket(info: Any) -> socket.socket:
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise PrivateAddress(f"{address[0]} is not a public address")
    return socket.socket(family=family, type=kind, proto=protocol)


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
        asked, first = url, _origin(url)
        trusted = _host(url) in self.allow_private
        for _ in range(REDIRECTS_MAX + 1):
            private = trusted and _host(url) in self.allow_private
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
            if _origin(url) != first:
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
            raise _unreachable(url, asked, error) from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, ValueError) as error:
            raise Rejected(f"{url} is not a usable web address") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Transient(f"{urlsplit(url).netloc} does not answer") from error
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            text = f"{_host(url)}: {type(error).__name__}: {error or 'no answer in time'}"
            raise (Transient(text) if safe else OutcomeUnknown(text)) from error

    def refuse_open(self, url: str) -> None:
        """Raise Rejected where a secret would travel for everybody to read: ``http:``, and not to a host that a person trusts."""
        if url.lower().startswith("http:") and _host(url) not in self.allow_private:
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


def _origin(url: str) -> tuple[str, str]:
    """Scheme, and host with port: credentials given for one are for no other."""
    try:
        return urlsplit(url).scheme, urlsplit(url).netloc
    except ValueError:
        return "", ""


def _host(url: str) -> str:
    """The host's name, lower case; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


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


def _unreachable(url: str, asked: str, error: aiohttp.ClientConnectorError) -> ConnectorError:
    host = urlsplit(url).netloc
    if isinstance(error.os_error, PrivateAddress):
        return _private(host, urlsplit(asked).netloc, error.os_error)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return Transient(
            f"{host}: {getattr(error, 'certificate_error', error.os_error)}",
            hint=words(
                fr="Le certificat de ce serveur n'est pas valable : prévenez les personnes qui l'administrent.",
                en="That server's certificate is not valid: tell the people who run it.",
            ),
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Transient(
            f"{host}: {error.os_error}",
            hint=words(
                fr=f"Le nom de serveur « {host} » est introuvable : vérifiez l'orthographe de l'adresse, et que cette machine "
                "est bien en ligne.",
                en=f'The server name "{host}" cannot be found: check the spelling of the address, and that this machine is online.',
            ),
        )
    return Transient(f"{host}: {error.os_error or error}")


def _private(host: str, asked_host: str, refused: OSError) -> Rejected:
    if host != asked_host:
        return Rejected(
            f"{asked_host} leads to {host}: {refused}",
            hint=words(
                fr=f"{asked_host} renvoie vers une adresse privée ({host}), ce que nous ne suivons pas : vérifiez l'adresse configurée, "
                "ou prévenez les personnes qui administrent ce serveur.",
                en=f"{asked_host} leads to a private address ({host}), which we do not follow: check the configured address, or tell the "
                "people who run that server.",
            ),
        )
    return Rejected(
        f"{host}: {refused}",
        hint=words(
            fr="Si ce serveur est sur votre réseau, ajoutez son nom à allow_private dans la section [network].",
            en="If that server is on your own network, add its name to allow_private in the [network] section.",
        ),
    )


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
                socket_factory=None if private else _guarded_socket,
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


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the service says to come back (RFC 9110 10.2.3: seconds or a date), at most a day ahead; None when it does not say."""
    value = headers.get("Retry-After", "").strip()
    if value.isdigit():
        return now + timedelta(seconds=min(int(value), 86_400))
    if not value:
        return None
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at, now), now + timedelta(days=1))


def error_for(response: Response, now: datetime, *, write: bool = False) -> ConnectorError | None:
    """What an HTTP status means where the service has no dialect of its own; None for 2xx and 304.

    With ``write``, a 5xx is OutcomeUnknown: a gateway may have given up on a server that went on.
    """
    status = response.status
    if 200 <= status < 300 or status == 304:
        return None
    said = f"{urlsplit(response.url).netloc} answered {status}{_excerpt(response)}"
    if status == 429:
        return RateLimited(said, at=retry_after(response.headers, now))
    if status in (401, 403):
        return AuthExpired(said)
    if status == 410:
        return Gone(said)
    if status in (408, 425, 503):
        at = retry_after(response.headers, now)
        return RateLimited(said, at=at) if at else Transient(said)
    if status >= 500:
        return OutcomeUnknown(said) if write else Transient(said)
    return Rejected(said)


def _excerpt(response: Response) -> str:
    if "html" in response.content_type or not response.body:
        return ""
    return ": " + " ".join(response.body[:200].decode("utf-8", "replace").split())

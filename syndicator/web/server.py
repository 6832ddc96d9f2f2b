"""The server itself: who asks for what, and what they get."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import HttpVersion11, web
from multidict import CIMultiDict

from syndicator.errors import SyndicatorError, Words, words
from syndicator.web import answers
from syndicator.web.files import CHUNK_BYTES, File, Files, stamp_of
from syndicator.web.health import Health
from syndicator.web.negotiation import UNSATISFIABLE, is_fresh, language_of, part_of, still_holds, takes_gzip
from syndicator.web.ways import METHODS as WAY_METHODS
from syndicator.web.ways import Way, respond

_PATH = re.compile(r"(?:/[^/\x00-\x1f\x7f\\.][^/\x00-\x1f\x7f\\]*)*/?")
"""No empty segment, nothing hidden, nothing that climbs."""
_METHODS = "GET, HEAD, OPTIONS"
_OWN = frozenset({"/healthz", "/metrics", "/status", "/status.css"})
_LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


@dataclass(frozen=True, kw_only=True)
class Site:
    """One association's public files."""

    prefix: str
    """Where they are found: ``/`` or ``/slug/``."""
    folder: Path
    ways: Mapping[str, Way] = field(default_factory=dict)
    """Path below the prefix, which ends with a slash → what answers a person there instead of a file."""

    def __post_init__(self) -> None:
        if not self.prefix.startswith("/") or not self.prefix.endswith("/"):
            raise ValueError(f"{self.prefix!r} must begin and end with a slash")


class ListenError(SyndicatorError):
    """The address cannot be listened on."""

    def __init__(self, detail: str, *, hint: Words) -> None:
        self.detail = detail
        self.hint = hint
        super().__init__(detail)


class PublicServer:
    """Serves ``sites()``, and to this machine (to everybody with ``public_status``) how the daemon is.

    ``sites`` is asked at every request and should return the same object as long as nothing changed. The longest prefix wins;
    /healthz, /metrics and /status come before any site.
    """

    def __init__(
        self,
        *,
        sites: Callable[[], Sequence[Site]],
        health: Callable[[], Health],
        metrics: Callable[[], str],
        now: Callable[[], datetime],
        public_status: bool = False,
        status: bool = True,
    ) -> None:
        self._sites = sites
        self._health = health
        self._metrics = metrics
        self._now = now
        self.public_status = public_status
        self._status = status
        self._files = Files()
        self._seen: Sequence[Site] | None = None
        self._folders: dict[str, str] = {}
        self._ways: dict[str, Way] = {}
        self._runner: web.ServerRunner | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one. Raises ListenError when the address is taken or not ours."""
        # No access log: visitors' addresses are nobody's business here.
        runner = web.ServerRunner(web.Server(self._answer, access_log=None, keepalive_timeout=30.0), shutdown_timeout=2.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=1024).start()
        except OSError as error:
            await runner.cleanup()
            raise _cannot_listen(host, port, error) from error
        self._runner = runner
        self._port = int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening, let answers under way end, close every connection; safe to call twice."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if request.method in WAY_METHODS and (found := self._way(path)) is not None:
            return await respond(*found, request)
        if request.method not in ("GET", "HEAD"):
            return self._other_method(request)
        if path in _OWN and self._status and (self.public_status or _from_here(request)):
            return self._own(path, request)
        if _PATH.fullmatch(path) is None:
            return answers.not_found(_language(request))
        return await self._public(path, request)

    async def _public(self, path: str, request: web.BaseRequest) -> web.StreamResponse:
        found = self._locate(path)
        if f"{path}/" in self._folders:
            return answers.moved(f"{request.rel_url.raw_path}/")
        if found is None:
            return answers.not_found(_language(request))
        folder, name = found
        if not name or name.endswith("/"):
            name += "index.html"
        file = self._files.kept(folder, name) or await self._files.load(folder, name)
        if file is not None:
            return await _send(file, request)
        if await asyncio.to_thread(_is_folder, folder, name):
            return answers.moved(f"{request.rel_url.raw_path}/")
        return answers.not_found(_language(request))

    def _locate(self, path: str) -> tuple[str, str] | None:
        sites = self._sites()
        if sites is not self._seen:
            self._seen = sites
            self._folders = {site.prefix: str(site.folder) for site in sites}
            self._ways = {f"{site.prefix}{begin}": way for site in sites for begin, way in site.ways.items()}
        cut = path.rfind("/")
        while cut >= 0:
            folder = self._folders.get(path[: cut + 1])
            if folder is not None:
                return folder, path[cut + 1 :]
            cut = path.rfind("/", 0, cut)
        return None

    def _way(self, path: str) -> tuple[Way, str] | None:
        """What answers there, and the rest of the path."""
        self._locate(path)
        if not self._ways or _PATH.fullmatch(path) is None:
            return None
        for begin, way in self._ways.items():
            if path.startswith(begin):
                return way, path[len(begin) :]
        return None

    def _own(self, path: str, request: web.BaseRequest) -> web.Response:
        if path == "/metrics":
            return answers.plain(self._metrics().encode(), "text/plain; version=0.0.4; charset=utf-8")
        if path == "/status":
            return answers.status_page(self._health(), self._now(), _language(request))
        if path == "/status.css":
            return answers.status_stylesheet()
        health = self._health()
        body = json.dumps(health.document(), ensure_ascii=False, indent=1).encode()
        return answers.plain(body + b"\n", "application/json", status=200 if health.ok else 503)

    def _other_method(self, request: web.BaseRequest) -> web.Response:
        if request.method != "OPTIONS":
            return answers.not_allowed(_language(request), _METHODS)
        headers = {
            "Allow": _METHODS,
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since, Range",
            "Access-Control-Max-Age": "86400",
            "Server": "syndicator",
        }
        return web.Response(status=204, headers=headers)


async def _send(file: File, request: web.BaseRequest) -> web.StreamResponse:
    asked = request.headers
    compressed = file.compressed if file.compressed is not None and takes_gzip(asked.get("Accept-Encoding", "")) else None
    headers = (file.headers if compressed is None else file.compressed_headers).copy()
    if is_fresh(file.etags, file.modified_s, asked.get("If-None-Match"), asked.get("If-Modified-Since")):
        del headers["Content-Type"]
        headers.popall("Content-Encoding", None)
        return web.Response(status=304, headers=headers)
    if "Range" in asked and request.method == "GET" and (part := _part(file, request)) is not None:
        return await _send_part(file, part, request)
    body = file.body if compressed is None else compressed
    if body is not None:
        return web.Response(body=body, headers=headers)
    return await _stream(file, headers, request)


def _part(file: File, request: web.BaseRequest) -> range | None:
    """Which bytes of the plain form are asked for; None for all of it."""
    if not still_holds(request.headers.get("If-Range"), file.etags[0], file.headers["Last-Modified"]):
        return None
    return part_of(request.headers["Range"], file.stamp[1])


async def _send_part(file: File, part: range, request: web.BaseRequest) -> web.StreamResponse:
    """206, or 416 for what lies beyond the end (RFC 9110, 15.3.7 and 15.5.17)."""
    headers, size = file.headers.copy(), file.stamp[1]
    if part is UNSATISFIABLE:
        headers["Content-Range"] = f"bytes */{size}"
        headers["Cache-Control"] = "no-store"
        del headers["Content-Type"]
        return web.Response(status=416, headers=headers)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    if file.body is not None:
        return web.Response(status=206, body=file.body[part.start : part.stop], headers=headers)
    return await _stream(file, headers, request, part)


async def _stream(file: File, headers: CIMultiDict[str], request: web.BaseRequest, part: range | None = None) -> web.StreamResponse:
    """What is too large to keep, in pieces; ``part`` of it."""
    try:
        stream = await asyncio.to_thread(file.path.open, "rb")
    except OSError:
        return answers.not_found(_language(request))
    with stream:
        stamp = stamp_of(os.fstat(stream.fileno()))
        if stamp != file.stamp:
            # Replaced this very moment: the new one goes out whole, without the old one's tag.
            part = None
            del headers["ETag"]
            headers.popall("Content-Range", None)
        wanted = part if part is not None else range(stamp[1])
        stream.seek(wanted.start)
        headers["Content-Length"] = str(len(wanted))
        response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
        await response.prepare(request)
        left = 0 if request.method == "HEAD" else len(wanted)
        while left > 0 and (chunk := await asyncio.to_thread(stream.read, min(CHUNK_BYTES, left))):
            await response.write(chunk)
            left -= len(chunk)
    await response.write_eof()
    return response


def _from_here(request: web.BaseRequest) -> bool:
    """Whether a program on this machine asks for itself, rather than a proxy for somebody else.

    A proxy betrays itself by what it adds, by the name it was asked for, or by speaking HTTP/1.0 as nginx does unless told otherwise.
    """
    if any(name in request.headers for name in _FORWARDED) or request.version < HttpVersion11:
        return False
    if (urlsplit(f"//{request.headers.get('Host', '')}").hostname or "") not in _LOOPBACK_NAMES:
        return False
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    if not isinstance(peer, tuple):
        return False
    address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _is_folder(folder: str, name: str) -> bool:
    root = Path(folder).resolve()
    try:
        path = (root / name).resolve(strict=True)
    except (OSError, ValueError):
        return False
    return path.is_dir() and path.is_relative_to(root) and (path / "index.html").is_file()


def _language(request: web.BaseRequest) -> str:
    return language_of(request.headers.get("Accept-Language", ""))


def _cannot_listen(host: str, port: int, error: OSError) -> ListenError:
    return ListenError(
        f"{host}:{port}: {error.strerror or error}",
        hint=words(
            fr=f"L'adresse {host}:{port} est prise, réservée ou inconnue ici : choisissez un autre port, ou arrêtez l'autre programme.",
            en=f"The address {host}:{port} is taken, reserved or not of this machine: choose another port, or stop the other program.",
        ),
    )

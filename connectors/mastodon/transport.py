"""The session that Mastodon.py speaks through: one host, public addresses, bounded answers, nothing from the environment."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from syndicator.http import JSON_MAX_BYTES, PrivateAddress, is_public

CONNECT_TIMEOUT_S = 8
READ_TIMEOUT_S = 20
TOTAL_TIMEOUT_S = 60


class WrongHost(requests.RequestException):
    """A request was about to leave for a host that the token is not for."""


class AnswerTooLarge(requests.RequestException):
    """An answer was larger, or slower, than any honest one."""


@dataclass
class Line:
    """The connection of the request under way: whether any byte of it has left."""

    sock: socket.socket | None = None
    used: bool = False


class Session(requests.Session):
    """Speaks to one host only, and remembers the last answer."""

    def __init__(self, base_url: str, *, private: bool) -> None:
        super().__init__()
        self.trust_env = False
        self.headers["Accept-Encoding"] = "gzip"
        self.cookies.set_policy(NoCookies())
        self.answer: requests.Response | None = None
        self._home = urlsplit(base_url if "://" in base_url else f"https://{base_url}").netloc.lower()
        self.line = Line()
        self._cut = False
        adapter = Adapter(self.line, private=private)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send to our own host; a write on a fresh connection, so that a kept one that has just died does not leave us guessing."""
        if self._cut:
            raise requests.exceptions.InvalidURL("this client is closed")
        if urlsplit(request.url or "").netloc.lower() != self._home:
            raise WrongHost(f"{urlsplit(request.url or '').netloc} is not {self._home}")
        if request.method != "GET":
            self.close()
        self.line.used = False
        self.answer = super().send(request, **kwargs)
        return self.answer

    def get_redirect_target(self, response: requests.Response) -> str | None:
        """Follow only what stays a GET and stays at home."""
        target = super().get_redirect_target(response)
        if target is None or response.request.method != "GET":
            return None
        parts = urlsplit(target)
        https_kept = parts.scheme == "https" or not (response.url or "").startswith("https:")
        return target if not parts.netloc or (parts.netloc.lower() == self._home and https_kept) else None

    def cut(self) -> None:
        """End whatever is under way at once, and refuse anything more."""
        self._cut = True
        if self.line.sock is not None:
            with suppress(OSError):
                self.line.sock.shutdown(socket.SHUT_RDWR)
        self.close()


class NoCookies(DefaultCookiePolicy):
    """Keeps none."""

    def set_ok(self, *_: Any) -> bool:
        """Never."""
        return False


class Adapter(HTTPAdapter):
    """Checks the address before anything is sent, and reads answers up to a size and a time."""

    def __init__(self, line: Line, *, private: bool) -> None:
        self._line = line
        self._private = private
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use connections that know whom they may reach, and that tell when they are used."""
        super().init_poolmanager(*args, **kwargs)
        line, private = self._line, self._private

        class Guarded(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                sock = super()._new_conn()
                address = str(sock.getpeername()[0])
                if not private and not is_public(address):
                    sock.close()
                    raise PrivateAddress(f"{address} is not a public address")
                line.sock = sock
                return sock

            def send(self, data: Any) -> None:
                if self.sock is None:
                    self.connect()
                line.used = True
                super().send(data)

        class GuardedTls(Guarded, HTTPSConnection):
            pass

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Guarded

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = GuardedTls

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Read to the end, counting after decompression."""
        # requests passes ``stream`` by name; the body is read here, so its own unlimited reading finds it done.
        response = super().send(request, *args, **{**kwargs, "stream": True, "timeout": (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)})
        deadline = time.monotonic() + TOTAL_TIMEOUT_S
        body = bytearray()
        for chunk in response.iter_content(16_384):
            body += chunk
            if len(body) > JSON_MAX_BYTES or time.monotonic() > deadline:
                response.close()
                raise AnswerTooLarge(f"more than {JSON_MAX_BYTES} bytes or {TOTAL_TIMEOUT_S} seconds")
        # ``iter_content`` left it consumed; put back what ``content`` returns.
        response._content = bytes(body)  # type: ignore[attr-defined, unused-ignore]  # noqa: SLF001
        return response

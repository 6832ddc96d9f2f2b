"""Mastodon.py, kept off the event loop and on a short leash.

The library is synchronous and its session is not thread-safe, so each account gets one thread of its own. Its own waiting is off
(``ratelimit_method="throw"``), its session holds no environment (no proxy, no ``.netrc``), keeps to the one host the token is for, refuses
private addresses before a byte is sent, and stops reading at a size and at a time. What goes wrong becomes one of our errors, by status
and by how far the request came, never by its text; the token is in none of them.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import Http, PrivateAddress, retry_after

if TYPE_CHECKING:
    import requests


class Client:
    """One account's way to one server; a call is ``await client.call("status_post", …, write=True)``."""

    def __init__(self, base_url: str, token: Secret | None, http: Http) -> None:
        """``http`` lends its User-Agent, its clock and its list of private hosts. Raises AuthExpired for what cannot be a token."""
        # Loaded by those who log in, not by those who only want to know the limits.
        import requests
        from mastodon import Mastodon, MastodonError

        from connectors.mastodon.transport import READ_TIMEOUT_S, Session

        self._http = http
        self._failures = (MastodonError, requests.RequestException)
        self._token = _usable(token)
        self._host = urlsplit(base_url).hostname or ""
        self._session = Session(base_url, private=self._host.lower() in http.allow_private)
        self._closed = False
        self._executor = ThreadPoolExecutor(1, "mastodon")
        self._mastodon = Mastodon(
            api_base_url=base_url,
            ratelimit_method="throw",
            request_timeout=READ_TIMEOUT_S,
            version_check_mode="none",
            mastodon_version="4.0.0",
            user_agent=http.user_agent,
            session=self._session,
        )
        # Set afterwards: the constructor would take a token that happens to be a file's name for that file.
        self._mastodon.access_token = self._token
        # Without this, ``media_post`` asks the server for its version and falls back to the blocking v1 endpoint when that fails.
        self._mastodon.mastodon_major = 4

    def __repr__(self) -> str:
        return f"Client({self._host!r})"

    async def call(self, name: str, *args: Any, write: bool = False, **kwargs: Any) -> Any:
        """The answer of Mastodon.py's method ``name``.

        Raises Transient, RateLimited, AuthExpired, Gone (404, 410), Rejected; for a ``write`` whose answer was lost or is a server
        error, OutcomeUnknown.
        """
        if self._closed:
            raise Transient("this client is closed")
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._call, name, args, write, kwargs)

    async def close(self) -> None:
        """Cut what is under way and end the thread; safe to repeat."""
        self._closed = True
        self._session.cut()
        self._executor.shutdown(wait=False)

    def _call(self, name: str, args: tuple[Any, ...], write: bool, kwargs: dict[str, Any]) -> Any:
        self._session.answer = None
        try:
            result = getattr(self._mastodon, name)(*args, **kwargs)
        except (*self._failures, ValueError, TypeError, AttributeError, KeyError) as error:
            answer = self._session.answer
            if answer is None and not isinstance(error, self._failures):
                raise
            # Mastodon.py quotes bodies and headers in its texts: the cause is kept by name only, so that no traceback can show the token.
            raised = self._unanswered(error, write) if answer is None else self._refused(answer, write, type(error).__name__)
        else:
            answer = self._session.answer
            # requests, and so Mastodon.py, takes a redirect that is not followed for a success.
            if answer is None or answer.status_code < 300:
                return result
            raised = self._refused(answer, write, "redirect")
        raise raised

    def _unanswered(self, error: Exception, write: bool) -> ConnectorError:
        from connectors.mastodon.transport import WrongHost

        causes = list(_causes(error))
        said = f"{self._host}: {self._clean(causes[-1])}"
        if any(isinstance(cause, PrivateAddress) for cause in causes):
            return Rejected(said, hint=PRIVATE_HINT)
        if any(isinstance(cause, WrongHost) for cause in causes):
            return Rejected(said)
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            return Transient(said, hint=CERTIFICATE_HINT)
        return OutcomeUnknown(said) if write and self._session.line.used else Transient(said)

    def _refused(self, answer: requests.Response, write: bool, why: str) -> ConnectorError:
        status = answer.status_code
        said = f"{self._host} answered {status}{self._excerpt(answer)}"
        now = self._http.now()
        if status == 429:
            return RateLimited(said, at=reset_at(answer.headers, now))
        if status in (401, 403):
            return AuthExpired(said)
        if status in (404, 410):
            return Gone(said)
        if status >= 500 or status in (408, 425):
            at = retry_after(answer.headers, now)
            return OutcomeUnknown(said) if write else RateLimited(said, at=at) if at else Transient(said)
        if 300 <= status < 400:
            return Rejected(f"{said}, which leads to {answer.headers.get('Location', 'nowhere')}", hint=MOVED_HINT)
        if status >= 400:
            return Rejected(said)
        unreadable = f"{said} that is not what was asked for ({why})"
        return OutcomeUnknown(unreadable) if write else Transient(unreadable)

    def _excerpt(self, answer: requests.Response) -> str:
        if "html" in answer.headers.get("Content-Type", "") or not answer.content:
            return ""
        return ": " + self._clean(answer.content[:200].decode("utf-8", "replace"))

    def _clean(self, what: object) -> str:
        text = " ".join(str(what).split()) or type(what).__name__
        # No token is that short; a typing error would blot out innocent text.
        return text.replace(self._token, "…") if self._token and len(self._token) > 5 else text


PRIVATE_HINT = words(
    fr="Si ce serveur est sur votre réseau, ajoutez son nom à allow_private dans la section [network].",
    en="If that server is on your own network, add its name to allow_private in the [network] section.",
)
CERTIFICATE_HINT = words(
    fr="Le certificat de ce serveur n'est pas valable : prévenez les personnes qui l'administrent.",
    en="That server's certificate is not valid: tell the people who run it.",
)
MOVED_HINT = words(
    fr="Le serveur renvoie à une autre adresse : corrigez url dans la configuration (avec https://).",
    en="The server points to another address: correct url in the configuration (with https://).",
)
TOKEN_HINT = words(
    fr="Le jeton d'accès contient des caractères impossibles : copiez-le à nouveau (Préférences → Développement).",
    en="The access token holds impossible characters: copy it again (Preferences → Development).",
)


def _usable(token: Secret | None) -> str | None:
    value = token.reveal().strip() if token else None
    if value is not None and not re.fullmatch(r"[!-~]+", value):
        raise AuthExpired("the access token is empty or holds characters that no token has", hint=TOKEN_HINT)
    return value


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what is behind it, outermost first: requests and urllib3 hide it in arguments and attributes."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        behind = [getattr(current, "reason", None), *current.args, current.__cause__, current.__context__]
        waiting += [item for item in behind if isinstance(item, BaseException)]


def reset_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When a 429 ends: Retry-After, else X-RateLimit-Reset (ISO 8601, or seconds since 1970 at GoToSocial), by the server's own clock."""
    at = retry_after(headers, now)
    reset = _instant(headers.get("X-RateLimit-Reset", ""))
    if at is not None or reset is None:
        return at
    with suppress(ValueError, TypeError):
        reset += now - parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
    return min(max(reset, now), now + timedelta(days=1))


def _instant(value: str) -> datetime | None:
    try:
        at = datetime.fromtimestamp(int(value), UTC) if value.strip().isdigit() else datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

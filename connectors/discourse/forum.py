"""Calls to a forum, and what its refusals mean: by ``error_type`` and status, never by their words, which are in the forum's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors.discourse.options import DiscourseOptions
from syndicator.contract import Context
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for, retry_after

Json = Mapping[str, Any]

LONGEST_WAIT = timedelta(days=1)
UPLOAD_TIMEOUT_S = 180.0

KEY_HINT = words(
    fr="Le forum refuse cette clé : demandez à ses administrateurs une clé d'API « utilisateur unique », de portée globale, pour le compte "
    "indiqué dans username.",
    en="The forum refuses this key: ask its administrators for an API key, “single user”, global scope, for the account in username.",
)
ADDRESS_HINT = words(
    fr="Vérifiez url : cette adresse ne répond pas comme un forum Discourse.",
    en="Check url: this address does not answer as a Discourse forum does.",
)


class Forum:
    """One forum, as one of its accounts."""

    def __init__(self, options: DiscourseOptions, context: Context) -> None:
        self._options = options
        self._context = context

    async def read(self, path: str) -> Json:
        """GET."""
        return await self._call("GET", path)

    async def write(self, method: str, path: str, body: Json | None = None) -> Json:
        """Change something; an answer that is lost leaves the outcome unknown."""
        return await self._call(method, path, json=body)

    async def upload(self, form: Any) -> Json:
        """What nobody sees yet: whatever goes wrong, it may be sent again."""
        try:
            return await self._call("POST", "/uploads.json", data=form, timeout_s=UPLOAD_TIMEOUT_S)
        except OutcomeUnknown as error:
            raise Transient(error.detail) from error

    async def _call(self, method: str, path: str, **sent: Any) -> Json:
        headers = {"Api-Key": self._options.key.reveal(), "Api-Username": self._options.username, "Accept": "application/json"}
        response = await self._context.http.request(method, self._options.base + path, headers=headers, **sent)
        if not response.url.startswith(_origin(self._options.base)):
            raise Rejected(f"{self._options.base} leads to {_origin(response.url)}", hint=_moved(_origin(response.url)))
        write = method != "GET"
        error = error_of(response, self._context.now(), write=write)
        if error is not None:
            raise error
        document = _document(response)
        if document is None and response.body.strip():
            said = f"{response.url} answered with something else than JSON"
            raise OutcomeUnknown(said) if write else Rejected(said, hint=ADDRESS_HINT)
        return document or {}


def error_of(response: Response, now: datetime, *, write: bool) -> ConnectorError | None:
    """What the answer means; None when it is good."""
    error = error_for(response, now, write=write)
    if error is None:
        return None
    document = _document(response) or {}
    told = document.get("errors")
    kind = str(document.get("error_type") or "")
    said = f"{urlsplit(response.url).netloc} answered {response.status}: {'; '.join(map(str, told))}"[:500] if told else error.detail
    if response.status == 429 or kind == "rate_limit":
        return RateLimited(said, at=_wait(document, response, now))
    if kind == "read_only":
        return Transient(said)
    if response.status in (404, 410):
        return Gone(said) if kind == "not_found" or response.status == 410 else Rejected(said, hint=ADDRESS_HINT)
    if response.status in (401, 403):
        return AuthExpired(said, hint=KEY_HINT)
    if 300 <= response.status < 400:
        return Rejected(said, hint=_moved(_origin(response.headers.get("Location", ""))))
    return Rejected(said) if response.status == 422 else error


def _document(response: Response) -> Json | None:
    try:
        document = response.json()
    except Transient:
        return None
    return document if isinstance(document, Mapping) else None


def _wait(document: Json, response: Response, now: datetime) -> datetime | None:
    """``extras.wait_seconds``, else the header."""
    extras = document.get("extras")
    seconds = extras.get("wait_seconds") if isinstance(extras, Mapping) else None
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0:
        return now + min(timedelta(seconds=seconds), LONGEST_WAIT)
    return retry_after(response.headers, now)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _moved(to: str) -> Mapping[str, str]:
    return words(
        fr=f"Ce forum a une autre adresse : mettez-la dans url ({to}).",
        en=f"This forum has another address: put it into url ({to}).",
    )

"""Calls to a Keila, and what its refusals mean: by status; its words are for the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.keila.options import KeilaOptions
from syndicator.contract import Context
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, Rejected, Transient, words
from syndicator.http import Response, error_for

Json = Mapping[str, Any]

LISTING_MAX_BYTES = 128 * 1024 * 1024
"""Keila tells of all campaigns at once, with their bodies."""

KEY_HINT = words(
    fr="Keila refuse cette clé : faites-en une nouvelle dans le projet (API → Nouvelle clé), et mettez-la à la place.",
    en="Keila refuses this key: make a new one in the project (API → New API key), and put it in its place.",
)
ADDRESS_HINT = words(
    fr="Vérifiez url : cette adresse ne répond pas comme un Keila.",
    en="Check url: this address does not answer as a Keila does.",
)


class Service:
    """One Keila, as one project."""

    def __init__(self, options: KeilaOptions, context: Context) -> None:
        self._options = options
        self._context = context

    async def read(self, path: str) -> Any:
        """GET; what stands in ``data``. Raises Gone for what is not there."""
        return await self._call("GET", path, max_bytes=LISTING_MAX_BYTES)

    async def write(self, method: str, path: str, body: Json | None = None) -> Any:
        """Change something; an answer that is lost leaves the outcome unknown."""
        return await self._call(method, path, json=body)

    async def draft(self, method: str, path: str, body: Json) -> Any:
        """Change what nobody is sent yet: whatever goes wrong, it may be done again."""
        try:
            return await self.write(method, path, body)
        except OutcomeUnknown as error:
            raise Transient(error.detail) from error

    async def _call(self, method: str, path: str, **sent: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._options.key.reveal()}", "Accept": "application/json"}
        response = await self._context.http.request(method, f"{self._options.base}/api/v1{path}", headers=headers, **sent)
        write = method != "GET"
        error = self._error_of(response, write=write)
        if error is not None:
            raise error
        document = response.json_object()
        if "data" not in document:
            said = f"{urlsplit(response.url).netloc} answered something else than Keila does"
            raise OutcomeUnknown(said) if write else Rejected(said, hint=ADDRESS_HINT)
        return document["data"]

    def _error_of(self, response: Response, *, write: bool) -> ConnectorError | None:
        error = error_for(response, self._context.now(), write=write)
        if error is None:
            return None
        told = response.json_object().get("errors")
        said = f"{urlsplit(response.url).netloc} answered {response.status}: {_told(told)}"[:500] if told else error.detail
        if isinstance(error, AuthExpired):
            return AuthExpired(said, hint=KEY_HINT)
        if response.status == 404:
            return Gone(said) if told else Rejected(said, hint=ADDRESS_HINT)
        if 300 <= response.status < 400:
            return Rejected(said, hint=ADDRESS_HINT)
        return Rejected(said) if response.status in (400, 422) else error


def _told(errors: Any) -> str:
    """``errors``: a list of objects with ``title``, ``detail`` and ``pointer``."""
    if not isinstance(errors, list):
        return str(errors)
    return "; ".join(" ".join(str(one[name]) for name in ("title", "detail", "pointer") if one.get(name)) for one in errors)

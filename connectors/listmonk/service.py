"""Calls to a listmonk, and what its refusals mean: by status, never by their words, which are in its language."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.listmonk.options import ListmonkOptions
from syndicator.contract import Context
from syndicator.errors import AuthExpired, ConnectorError, OutcomeUnknown, Rejected, Transient, words
from syndicator.http import Response, error_for

Json = Mapping[str, Any]

KEY_HINT = words(
    fr="listmonk refuse cet accès : vérifiez username et token, et que le rôle de cet utilisateur d'API permet de lire et de gérer (et, "
    "s'il y est, d'envoyer) les campagnes, et de lire les listes et les modèles.",
    en="listmonk refuses this access: check username and token, and that the role of this API user may get and manage (and, where "
    "there is such, send) campaigns, and get lists and templates.",
)
ADDRESS_HINT = words(
    fr="Vérifiez url : cette adresse ne répond pas comme un listmonk.",
    en="Check url: this address does not answer as a listmonk does.",
)


class Service:
    """One listmonk, as one API user."""

    def __init__(self, options: ListmonkOptions, context: Context) -> None:
        self._options = options
        self._context = context
        pair = f"{options.username}:{options.token.reveal()}"
        self._authorization = f"Basic {b64encode(pair.encode()).decode()}"

    async def read(self, path: str, **params: str) -> Any:
        """GET; what stands in ``data``."""
        return await self._call("GET", path, params=params)

    async def write(self, method: str, path: str, body: Json) -> Any:
        """Change something; an answer that is lost leaves the outcome unknown."""
        return await self._call(method, path, json=body)

    async def draft(self, method: str, path: str, body: Json) -> Any:
        """Change what nobody is sent yet: whatever goes wrong, it may be done again."""
        try:
            return await self.write(method, path, body)
        except OutcomeUnknown as error:
            raise Transient(error.detail) from error

    async def _call(self, method: str, path: str, **sent: Any) -> Any:
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        response = await self._context.http.request(method, f"{self._options.base}/api{path}", headers=headers, **sent)
        write = method != "GET"
        error = self._error_of(response, write=write)
        if error is not None:
            raise error
        document = response.json_object()
        if "data" not in document:
            said = f"{urlsplit(response.url).netloc} answered something else than listmonk does"
            raise OutcomeUnknown(said) if write else Rejected(said, hint=ADDRESS_HINT)
        return document["data"]

    def _error_of(self, response: Response, *, write: bool) -> ConnectorError | None:
        error = error_for(response, self._context.now(), write=write)
        if error is None:
            return None
        told = response.json_object().get("message")
        said = f"{urlsplit(response.url).netloc} answered {response.status}: {told}"[:500] if told else error.detail
        if isinstance(error, AuthExpired):
            return AuthExpired(said, hint=KEY_HINT)
        if response.status == 404 or 300 <= response.status < 400:
            return Rejected(said, hint=ADDRESS_HINT)
        if response.status == 400:
            return Rejected(said)
        return error

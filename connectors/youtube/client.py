"""Calls to YouTube, with access that is renewed when it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from connectors.youtube.answers import Json, access_error, error_of
from connectors.youtube.options import YoutubeOptions
from syndicator.contract import Context
from syndicator.errors import OutcomeUnknown, Transient
from syndicator.http import Response

EARLY = timedelta(seconds=60)
"""Access is renewed so long before it ends."""


class Client:
    """One channel's way to YouTube."""

    def __init__(self, options: YoutubeOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._api = options.api.rstrip("/")
        self._access = ""
        self._access_until: datetime | None = None
        self.expires_at: datetime | None = None
        """When the refresh token itself ends; None when it does not, or Google does not say."""

    async def renew(self) -> None:
        """https://developers.google.com/identity/protocols/oauth2/web-server#offline"""
        form = {
            "client_id": self._options.client_id,
            "client_secret": self._options.client_secret.reveal(),
            "refresh_token": self._options.refresh_token.reveal(),
            "grant_type": "refresh_token",
        }
        now = self._context.now()
        response = await self._context.http.request("POST", f"{self._options.oauth.rstrip('/')}/token", data=form, question=True)
        if (error := access_error(response, now)) is not None:
            raise error
        document = response.json_object()
        if not document.get("access_token"):
            raise Transient("Google's answer holds no access token")
        self._access = str(document["access_token"])
        self._access_until = now + _seconds(document.get("expires_in"), 3600) - EARLY
        left = document.get("refresh_token_expires_in")
        self.expires_at = now + _seconds(left, 0) if left else None

    def let_go(self) -> None:
        """Forget the access, so that the next call asks for it anew."""
        self._access_until = None

    async def call(self, method: str, path: str, params: Mapping[str, str], *, json: Any = None, safe: bool = False) -> Json:
        """An answer's JSON. With ``safe``, nothing that the public sees can have happened when the answer is lost."""
        response = await self.send(method, self._api + path, params=params, json=json, safe=safe)
        write = method != "GET" and not safe
        document = response.json_object()
        if not document and response.status != 204:
            said = "YouTube answered with something else than JSON"
            raise OutcomeUnknown(said) if write else Transient(said)
        return document

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        safe: bool = False,
        raises: bool = True,
        **sent: Any,
    ) -> Response:
        """Any answer, or with ``raises`` a good one; access that YouTube does not know any more is renewed once."""
        write = method != "GET" and not safe
        for attempt in range(2):
            authorised = {**(headers or {}), **await self._authorisation(url)}
            try:
                data = None if body is None else BytesIO(body)
                response = await self._context.http.request(method, url, headers=authorised, data=data, **sent)
            except OutcomeUnknown as error:
                if safe:
                    raise Transient(error.detail) from error
                raise
            if response.status != 401 or attempt:
                break
            self.let_go()
        refusal = error_of(response, self._context.now(), write=write)
        if refusal is not None and raises:
            raise refusal
        return response

    async def _authorisation(self, url: str) -> dict[str, str]:
        """For YouTube alone, wherever a session's address leads."""
        host = urlsplit(url).hostname or ""
        if host != urlsplit(self._api).hostname and not host.endswith(".googleapis.com"):
            return {}
        if self._access_until is None or self._context.now() >= self._access_until:
            await self.renew()
        return {"Authorization": f"Bearer {self._access}"}


def _seconds(value: Any, otherwise: int) -> timedelta:
    return timedelta(seconds=value if isinstance(value, int | float) and value > 0 else otherwise)

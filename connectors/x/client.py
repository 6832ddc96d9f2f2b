"""X's API by tweepy, on our own connections: what leaves goes through the guarded client, what comes back becomes our errors."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from oauthlib.oauth1 import Client as Signer  # type: ignore[import-untyped]
from tweepy.asynchronous import AsyncClient  # type: ignore[import-untyped]

from connectors.x.answers import error_of, problem_error
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, OutcomeUnknown, Transient
from syndicator.http import Http, Response

HOST_OF_TWEEPY = "https://api.twitter.com"
UPLOAD_TIMEOUT_S = 180.0
TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The four strings of OAuth 1.0a: which app, for which account."""

    api_key: Secret
    api_key_secret: Secret
    access_token: Secret
    access_token_secret: Secret

    @property
    def revealed(self) -> tuple[str, str, str, str]:
        """In the order of tweepy and oauthlib."""
        four = (self.api_key, self.api_key_secret, self.access_token, self.access_token_secret)
        first, second, third, fourth = (secret.reveal().strip() for secret in four)
        return first, second, third, fourth


class Answer:
    """As much of aiohttp's response as tweepy looks at."""

    def __init__(self, response: Response, *, write: bool) -> None:
        self.status = response.status
        self.reason = ""
        self.headers = response.headers
        self._response = response
        self._write = write

    async def read(self) -> bytes:
        """The body, which is here already."""
        return self._response.body

    async def json(self) -> Any:
        """The body, decoded; nothing where there is none."""
        if not self._response.body:
            return {}
        try:
            return self._response.json()
        except Transient as error:
            if self._write:
                raise OutcomeUnknown(error.detail) from error
            raise


class Session:
    """What tweepy takes for an aiohttp session."""

    def __init__(self, http: Http, keys: Keys, base_url: str, on_refusal: Callable[[], Awaitable[None]]) -> None:
        self._http = http
        self._secrets = keys.revealed
        self._signer = Signer(*self._secrets)
        self._base_url = base_url
        self._on_refusal = on_refusal

    @asynccontextmanager
    async def request(self, method: str, url: Any, *, params: None, json: Any, headers: Mapping[str, str]) -> AsyncIterator[Answer]:  # noqa: ARG002 - tweepy has put the parameters into the address
        """Sign for the address that is really asked, send, and raise what a refusal means.

        tweepy knows one host only, and a signature covers the host: the one it made is of no use for any other.
        """
        route = str(url).removeprefix(HOST_OF_TWEEPY)
        write = method != "GET" and route.startswith("/2/tweets")
        address, signed, _ = self._signer.sign(self._base_url + route, http_method=method)
        response = await self._http.request(
            method,
            address,
            headers=signed,
            json=json,
            # Uploads and descriptions are seen by nobody until a post shows them.
            question=not write,
            timeout_s=UPLOAD_TIMEOUT_S if route.startswith("/2/media") else TIMEOUT_S,
        )
        error = error_of(response, self._http.now(), write=write)
        if error is not None:
            for secret in self._secrets:
                error.detail = error.detail.replace(secret, "…")
            error.args = (error.detail,)
            if isinstance(error, AuthExpired):
                await self._on_refusal()
            raise error
        yield Answer(response, write=write)


class Client:
    """The calls that we make."""

    def __init__(self, http: Http, keys: Keys, base_url: str, on_refusal: Callable[[], Awaitable[None]]) -> None:
        # They write whole requests into the log, the access token among them.
        for library in ("tweepy", "oauthlib"):
            logging.getLogger(library).setLevel(logging.INFO)
        self._http = http
        self._tweepy = AsyncClient(None, *keys.revealed, return_type=dict, wait_on_rate_limit=False)
        self._tweepy.session = Session(http, keys, base_url, on_refusal)

    async def create(self, text: str, media_ids: list[str]) -> Mapping[str, Any]:
        """Post; what X says of the post it made."""
        return self._data(await self._tweepy.create_tweet(text=text, media_ids=media_ids or None, user_auth=True), write=True)

    async def delete(self, post_id: str) -> Mapping[str, Any]:
        """Remove a post."""
        return self._data(await self._tweepy.delete_tweet(post_id, user_auth=True), write=True)

    async def me(self) -> tuple[Mapping[str, Any], str]:
        """Whose strings these are, and what the app may do with them."""
        answer = await self._tweepy.request("GET", "/2/users/me", params={}, user_auth=True)
        return self._data(await answer.json(), write=False), answer.headers.get("x-access-level", "")

    async def ask(self, route: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        """A question; the whole answer."""
        document = await (await self._tweepy.request("GET", route, params=dict(params), user_auth=True)).json()
        if not isinstance(document, Mapping):
            raise Transient(f"{route}: an answer of another shape than documented")
        return document

    async def send(self, route: str, body: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Something about media; what X says of it."""
        answer = await self._tweepy.request("POST", route, params={}, json=body, user_auth=True)
        document = await answer.json()
        return self._data(document, write=False) if document else {}

    def _data(self, document: Any, *, write: bool) -> Mapping[str, Any]:
        """What was asked for. An answer may be 200 and hold nothing but errors."""
        if isinstance(document, Mapping) and isinstance(document.get("data"), Mapping):
            found: Mapping[str, Any] = document["data"]
            return found
        errors = document.get("errors") if isinstance(document, Mapping) else None
        if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
            status = errors[0].get("status")
            raise problem_error(errors[0], status if isinstance(status, int) else 200, {}, self._http.now(), write=write)
        said = "X gave an answer of another shape than documented"
        raise OutcomeUnknown(said) if write else Transient(said)

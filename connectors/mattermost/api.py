"""Calls to one Mattermost server, and what its answers mean: by ``id``, never by ``message``.

``detailed_error`` is never shown: servers were seen to put the token into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import TOTAL_TIMEOUT_S, Http, Response, error_for, retry_after

CLOSED = frozenset({"api.post.create_post.can_not_post_to_deleted.error", "api.post.create_post.town_square_read_only"})
"""An archived channel; one that is read-only."""
TOO_LATE = "api.post.update_post.permissions_time_limit.app_error"
NO_SUCH_CALL = "api.context.404.app_error"
LONGEST_WAIT = timedelta(days=1)
UPLOAD_TIMEOUT_S = 180.0

TOKEN_HINT = words(
    fr="Mattermost n'accepte pas ce jeton, mal copié ou révoqué : recopiez-le en entier, ou faites-en un nouveau.",
    en="Mattermost does not accept this token, badly copied or revoked: copy all of it again, or make a new one.",
)
RIGHTS_HINT = words(
    fr="Le bot n'a pas le droit d'écrire là : ajoutez-le à l'équipe et au canal, et vérifiez que le canal n'est pas réservé.",
    en="The bot may not write there: add it to the team and to the channel, and check that the channel is not restricted.",
)
CLOSED_HINT = words(
    fr="Ce canal Mattermost est archivé ou en lecture seule : choisissez-en un autre.",
    en="This Mattermost channel is archived or read-only: choose another one.",
)
LATE_HINT = words(
    fr="Ce serveur ne laisse plus corriger un message si vieux : corrigez-le ou supprimez-le à la main.",
    en="This server does not let so old a message be edited any more: correct or delete it by hand.",
)
ADDRESS_HINT = words(
    fr="Vérifiez url : cette adresse ne répond pas comme un serveur Mattermost (donnez celle du serveur seul, comme https://framateam.org).",
    en="Check url: this address does not answer as a Mattermost server does (give that of the server alone, such as https://framateam.org).",
)


class NotAllowed(AuthExpired):
    """403: no right; but also what an edit of a post that is gone is answered."""


class Missing(Gone):
    """404, with the API's own words."""


class Api:
    """One account on one server."""

    def __init__(self, http: Http, url: str, token: Secret) -> None:
        self._http = http
        self._url = url
        self._token = token

    async def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | None = None,
        media_type: str = "",
        write: bool = False,
    ) -> Any:
        """What the server answers. With ``write``, OutcomeUnknown when it may have been carried out. The token never shows."""
        token = self._token.reveal().strip()
        try:
            response = await self._http.request(
                method,
                f"{self._url}/api/v4{path}",
                headers={"Authorization": f"Bearer {token}"} | ({"Content-Type": media_type} if media_type else {}),
                params=params,
                json=json,
                data=data,
                timeout_s=TOTAL_TIMEOUT_S if data is None else UPLOAD_TIMEOUT_S,
            )
            return _result(response, self._http.now(), write=write)
        except ConnectorError as error:
            told = error if write or not isinstance(error, OutcomeUnknown) else Transient(error.detail, hint=error.hint)
            told.detail = told.detail.replace(token, "…")
            told.args = (told.detail,)
            # Its causes may hold the request.
            error.__cause__ = error.__context__ = None
            raise told from None


def _result(response: Response, now: datetime, *, write: bool) -> Any:
    document: Any = None
    try:
        document = response.json()
    except Transient as error:
        if 200 <= response.status < 300:
            raise (OutcomeUnknown(error.detail) if write else Rejected(error.detail, hint=ADDRESS_HINT)) from error
    if 200 <= response.status < 300:
        return document
    raise _error(response, document if isinstance(document, Mapping) else {}, now, write=write)


def _error(response: Response, document: Mapping[str, Any], now: datetime, *, write: bool) -> ConnectorError:
    status, code = response.status, str(document.get("id") or "")
    common = error_for(response, now, write=write)
    assert common is not None
    said = f"{urlsplit(response.url).netloc} answered {status}: {document.get('message')} ({code})"[:500] if code else common.detail
    if status == 429:
        return RateLimited(said, at=_reset(response, now))
    if status == 501:
        # A feature that this server has switched off: not an outage.
        return Rejected(said)
    if status >= 500 or status == 408:
        return OutcomeUnknown(said) if write else Transient(said)
    if status == 401:
        return AuthExpired(said, hint=TOKEN_HINT)
    if code in CLOSED:
        return AuthExpired(said, hint=CLOSED_HINT)
    if status == 403:
        return NotAllowed(said, hint=RIGHTS_HINT)
    if status == 404 and code and code != NO_SUCH_CALL:
        return Missing(said)
    if code and code != NO_SUCH_CALL:
        return Rejected(said, hint=LATE_HINT if code == TOO_LATE else None)
    return Rejected(said, hint=ADDRESS_HINT)


def _reset(response: Response, now: datetime) -> datetime | None:
    """``X-RateLimit-Reset`` is in seconds from now."""
    value = response.headers.get("X-RateLimit-Reset", "").strip()
    if value.isdigit() and "Retry-After" not in response.headers:
        return now + min(timedelta(seconds=int(value)), LONGEST_WAIT)
    return retry_after(response.headers, now)

"""Calls to one Rocket.Chat server, and what its answers mean: by ``errorType``, or the code that stands for it; never by its sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import TOTAL_TIMEOUT_S, Http, Response, error_for, retry_after

UPLOAD_TIMEOUT_S = 180.0
LONGEST_WAIT = timedelta(days=1)

ARCHIVED = "error-room-archived"
NO_RIGHT = frozenset({
    "error-not-allowed", "error-action-not-allowed", "error-unauthorized", "error-forbidden", "unauthorized", "forbidden", "not-allowed",
    "Not Allowed", "error-invalid-room", "error-room-not-found", ARCHIVED, "room_is_blocked", "You_have_been_muted",
    "error-invalid-user", "restricted-workspace", "error-license-user-limit-reached",
})  # fmt: skip
TOO_LATE = frozenset({"error-message-editing-blocked", "error-message-deleting-blocked"})
TOO_MANY = "error-too-many-requests"
# Meteor: « sentence [code] »; some refusals are thrown as a bare code.
_CODE = re.compile(r"(?:^|\[)([A-Za-z]+(?:[-_][A-Za-z]+)+)\]?$")

TOKEN_HINT = words(
    fr="Rocket.Chat n'accepte pas ce jeton ou ce user_id : recopiez les deux en entier (user_id n'est pas le nom du compte), ou faites un "
    "nouveau jeton (Mon compte → Jetons d'accès personnels).",
    en="Rocket.Chat does not accept this token or this user_id: copy all of both again (user_id is not the account's name), or make a new "
    "token (My account → Personal access tokens).",
)
RIGHTS_HINT = words(
    fr="Ce compte n'a pas le droit d'écrire dans ce salon : faites-le entrer, et nommez-le modérateur si le salon est en lecture seule.",
    en="This account may not write in this room: let it in, and make it a moderator if the room is read-only.",
)
ARCHIVED_HINT = words(
    fr="Ce salon Rocket.Chat est archivé : choisissez-en un autre.",
    en="This Rocket.Chat room is archived: choose another one.",
)
LATE_HINT = words(
    fr="Ce serveur ne laisse plus corriger ou effacer un message si vieux : faites-le à la main.",
    en="This server does not let so old a message be edited or deleted any more: do it by hand.",
)
ADDRESS_HINT = words(
    fr="Vérifiez url : cette adresse ne répond pas comme un serveur Rocket.Chat (donnez celle du serveur seul, sans le salon).",
    en="Check url: this address does not answer as a Rocket.Chat server does (give that of the server alone, without the room).",
)


class Unexplained(Rejected):
    """400 without a code: what is there already, what is there no more, a bug over there."""


class Api:
    """One account on one server."""

    def __init__(self, http: Http, url: str, user_id: str, token: Secret) -> None:
        self._http = http
        self._url = url
        self._user_id = user_id
        self._token = token

    async def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        form: Any = None,
        write: bool = False,
    ) -> Mapping[str, Any]:
        """What the server answers. With ``write``, OutcomeUnknown when it may have been carried out. The token never shows."""
        token = self._token.reveal().strip()
        try:
            response = await self._http.request(
                method,
                f"{self._url}/api/v1/{path}",
                headers={"X-Auth-Token": token, "X-User-Id": self._user_id},
                params=params,
                json=json,
                data=form,
                timeout_s=TOTAL_TIMEOUT_S if form is None else UPLOAD_TIMEOUT_S,
            )
            return _result(response, self._http.now(), write=write)
        except ConnectorError as error:
            told = error if write or not isinstance(error, OutcomeUnknown) else Transient(error.detail, hint=error.hint)
            told.detail = told.detail.replace(token, "…")
            told.args = (told.detail,)
            # Its causes may hold the request.
            error.__cause__ = error.__context__ = None
            raise told from None


def _result(response: Response, now: datetime, *, write: bool) -> Mapping[str, Any]:
    try:
        document = response.json()
    except Transient as error:
        if 200 <= response.status < 300:
            raise (OutcomeUnknown(error.detail) if write else Rejected(error.detail, hint=ADDRESS_HINT)) from error
        document = None
    found = document if isinstance(document, Mapping) else {}
    if 200 <= response.status < 300 and found.get("success") is True:
        return found
    if 200 <= response.status < 300 and found.get("success") is not False:
        said = f"{response.url} answered with another shape than documented"
        raise OutcomeUnknown(said) if write else Rejected(said, hint=ADDRESS_HINT)
    raise _error(response, found, now, write=write)


def _error(response: Response, document: Mapping[str, Any], now: datetime, *, write: bool) -> ConnectorError:
    """A refusal has ``success: false``, whatever its status."""
    status, told = response.status, str(document.get("error") or document.get("message") or "")
    code = str(document.get("errorType") or "") or (found[1] if (found := _CODE.search(told)) else "")
    common = error_for(response, now, write=write)
    words_of_it = f"{told} ({code})" if code and code not in told else told
    said = f"{urlsplit(response.url).netloc} answered {status}: {words_of_it}"[:500] if document or common is None else common.detail
    if status == 429 or code == TOO_MANY:
        return RateLimited(said, at=_reset(response, now))
    if status >= 500 or status == 408:
        return OutcomeUnknown(said) if write else Transient(said)
    if status == 401:
        return AuthExpired(said, hint=TOKEN_HINT)
    if status == 403 or code in NO_RIGHT:
        return AuthExpired(said, hint=ARCHIVED_HINT if code == ARCHIVED else RIGHTS_HINT)
    if code:
        return Rejected(said, hint=LATE_HINT if code in TOO_LATE else None)
    return Unexplained(said) if document.get("success") is False and status in (200, 400) else Rejected(said, hint=ADDRESS_HINT)


def _reset(response: Response, now: datetime) -> datetime | None:
    """``X-RateLimit-Reset`` is in milliseconds since the epoch."""
    value = response.headers.get("X-RateLimit-Reset", "").strip()
    if not value.isdigit():
        return retry_after(response.headers, now)
    seconds = min(int(value) / 1000, (now + LONGEST_WAIT).timestamp())
    return max(datetime.fromtimestamp(seconds, UTC), now)

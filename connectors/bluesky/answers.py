"""What a server of the AT Protocol answers, as our errors: by the ``error`` name of its JSON, never by its message.

https://atproto.com/specs/xrpc#error-responses
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for, retry_after

TOKENS = frozenset({"ExpiredToken", "InvalidToken"})
"""Answered with status 400."""
ACCOUNTS = frozenset({"AccountTakedown", "AccountSuspended", "AccountDeactivated", "AccountNotFound"})
LONGEST_WAIT = timedelta(days=1)

PASSWORD_HINT = words(
    fr="Faites un nouveau mot de passe d'application (Paramètres → Confidentialité et sécurité) et mettez-le à la place de l'ancien.",
    en="Make a new app password (Settings → Privacy and security) and put it in the place of the old one.",
)
ACCOUNT_HINT = words(
    fr="Ce compte est désactivé ou suspendu : connectez-vous sur bsky.app pour voir pourquoi.",
    en="This account is deactivated or suspended: log in on bsky.app to see why.",
)


class TokenRefused(AuthExpired):
    """The session is over; a new one may do."""


class BlobLost(Rejected):
    """The server has dropped an upload that no post used in time."""


class NameTaken(Rejected):
    """There is a record of that name already, and it is another than the one put."""


class RecordMissing(Gone):
    """There is no such record."""


def error_of(response: Response, now: datetime, *, write: bool) -> ConnectorError | None:
    """What the answer means; None when it is good. With ``write``, a failure of the server's own leaves the outcome unknown."""
    error = error_for(response, now, write=write)
    if error is None:
        return None
    name = _name(response)
    if response.status == 429 or name == "RateLimitExceeded":
        return RateLimited(error.detail, at=_reset(response, now))
    if name in TOKENS:
        return TokenRefused(error.detail)
    if name in ACCOUNTS:
        return AuthExpired(error.detail, hint=ACCOUNT_HINT)
    if response.status == 401:
        return AuthExpired(error.detail, hint=PASSWORD_HINT)
    kinds = {"BlobNotFound": BlobLost, "InvalidSwap": NameTaken, "RecordNotFound": RecordMissing}
    return kinds[name](error.detail) if name in kinds else error


def json_of(response: Response, *, write: bool) -> Mapping[str, Any]:
    """A good answer's JSON object; an answer that is none proves nothing."""
    try:
        document = response.json()
    except Transient as error:
        raise (OutcomeUnknown(error.detail) if write else error) from error
    if isinstance(document, Mapping):
        return document
    said = f"{response.url} answered with another shape than documented"
    raise OutcomeUnknown(said) if write else Transient(said)


def _name(response: Response) -> str:
    return str(response.json_object().get("error") or "")


def _reset(response: Response, now: datetime) -> datetime | None:
    """``RateLimit-Reset`` in seconds since the epoch; there is no Retry-After but from a proxy."""
    value = response.headers.get("RateLimit-Reset", "").strip()
    if not value.isdigit():
        return retry_after(response.headers, now)
    seconds = min(int(value), int((now + LONGEST_WAIT).timestamp()))
    return max(datetime.fromtimestamp(seconds, UTC), now)

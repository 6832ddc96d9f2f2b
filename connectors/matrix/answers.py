"""What a homeserver answers, as our errors: by ``errcode``, never by its message.

https://spec.matrix.org/v1.16/client-server-api/#standard-error-response
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for, retry_after

TOKENS = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"})
ACCOUNTS = frozenset({"M_USER_DEACTIVATED", "M_USER_LOCKED", "M_USER_SUSPENDED"})
TERMS = frozenset({"M_CONSENT_NOT_GIVEN"})
SERVER = frozenset({"M_RESOURCE_LIMIT_EXCEEDED", "M_USER_LIMIT_EXCEEDED"})
LONGEST_WAIT = timedelta(days=1)

TOKEN_HINT = words(
    fr="Le serveur Matrix n'accepte pas ce jeton, mal copié, ou de session fermée : mettez-en un autre, ou mieux user et password.",
    en="The Matrix server does not accept this token, badly copied, or of a session that was ended: put in another, or better user and "
    "password.",
)
PASSWORD_HINT = words(
    fr="Le serveur Matrix refuse ce nom ou ce mot de passe : vérifiez user et password, et que homeserver est bien celui de ce compte.",
    en="The Matrix server refuses this name or password: check user and password, and that homeserver is that of this account.",
)
ACCOUNT_HINT = words(
    fr="Ce compte Matrix est désactivé, verrouillé ou suspendu : demandez pourquoi aux personnes qui administrent son serveur.",
    en="This Matrix account is deactivated, locked or suspended: ask the people who run its server why.",
)
TERMS_HINT = words(
    fr="Ce serveur Matrix attend que le compte accepte ses conditions : connectez-vous-y une fois avec Element.",
    en="This Matrix server wants the account to accept its terms: log in there once with Element.",
)
SERVER_HINT = words(
    fr="Ce serveur Matrix est plein ou bloqué : prévenez les personnes qui l'administrent.",
    en="This Matrix server is full or blocked: tell the people who run it.",
)
ADDRESS_HINT = words(
    fr="Vérifiez homeserver : cette adresse ne répond pas comme un serveur Matrix.",
    en="Check homeserver: this address does not answer as a Matrix server does.",
)


class TokenRefused(AuthExpired):
    """The token is over; where there is a password, a new one may do."""


class NotAllowed(AuthExpired):
    """The account may not do this: it is not in the room, or not high enough in it."""


class Missing(Gone):
    """There is no such room, alias, event or state."""


class Unsupported(Rejected):
    """The server does not know this kind of request."""


def error_of(response: Response, now: datetime, *, write: bool) -> ConnectorError | None:
    """What the answer means; None when it is good. With ``write``, a failure of the server's own leaves the outcome unknown."""
    error = error_for(response, now, write=write)
    if error is None:
        return None
    document = response.json_object()
    code = str(document.get("errcode") or "")
    said = f"{urlsplit(response.url).netloc} answered {response.status}: {document.get('error')} ({code})"[:500] if code else error.detail
    if response.status == 429 or code == "M_LIMIT_EXCEEDED":
        return RateLimited(said, at=_wait(document, response, now))
    if response.status >= 500 or response.status == 408:
        # A proxy that gave up says nothing about the server behind it.
        return OutcomeUnknown(said) if write else error
    if code in TOKENS:
        return TokenRefused(said, hint=TOKEN_HINT)
    for codes, hint in ((ACCOUNTS, ACCOUNT_HINT), (TERMS, TERMS_HINT), (SERVER, SERVER_HINT)):
        if code in codes:
            return AuthExpired(said, hint=hint)
    if code == "M_FORBIDDEN":
        return NotAllowed(said)
    if code == "M_NOT_FOUND":
        return Missing(said)
    if code == "M_UNRECOGNIZED" or (not code and response.status in (404, 405)):
        return Unsupported(said, hint=ADDRESS_HINT)
    return Rejected(said) if code else error


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


def _wait(document: Mapping[str, Any], response: Response, now: datetime) -> datetime | None:
    """``retry_after_ms``, which is finer than the header that replaces it."""
    wait_ms = document.get("retry_after_ms")
    if isinstance(wait_ms, int | float) and not isinstance(wait_ms, bool) and wait_ms >= 0:
        return now + min(timedelta(milliseconds=wait_ms), LONGEST_WAIT)
    return retry_after(response.headers, now)

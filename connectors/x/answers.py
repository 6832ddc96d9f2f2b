"""What X's refusals mean: https://docs.x.com/x-api/fundamentals/response-codes-and-errors"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from syndicator.errors import (
    AuthExpired,
    ConnectorError,
    Gone,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Transient,
    Unprepared,
    Words,
    words,
)
from syndicator.http import Response, error_for, retry_after

LONGEST_WAIT = timedelta(days=35)
WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
TEMPORARY = frozenset({408, 425})

KEYS_HINT = words(
    fr="X ne reconnaît pas les quatre chaînes : vérifiez que chacune est entière et à sa place, ou régénérez-les toutes les quatre "
    "(console.x.com, votre app → Keys and tokens). Vérifiez aussi que l'horloge de cette machine est à l'heure.",
    en="X does not know the four strings: check that each is whole and in its place, or generate all four again (console.x.com, your app → "
    "Keys and tokens). Check as well that this machine's clock is right.",
)
PERMISSION_HINT = words(
    fr="L'app de console.x.com n'a que le droit de lire : User authentication settings → App permissions → « Read and write », puis "
    "régénérez l'Access Token et son secret (les anciens ne changent pas).",
    en="The app at console.x.com may only read: User authentication settings → App permissions → “Read and write”, then generate the "
    "Access Token and its secret anew (the old ones do not change).",
)
APP_HINT = words(
    fr="X refuse cet usage à l'app : sur console.x.com, vérifiez qu'elle est active, dans un projet, à l'usage (pay-per-use).",
    en="X refuses this use to the app: at console.x.com, check that it is active, in a project, on pay-per-use.",
)
CREDITS_HINT = words(
    fr="Il n'y a plus de crédit : sur console.x.com → Billing, rachetez-en. Tout repartira tout seul.",
    en="There is no credit left: at console.x.com → Billing, buy some. Everything goes on by itself.",
)
SPENDING_HINT = words(
    fr="Le plafond de dépenses fixé sur console.x.com est atteint : tout attend la période suivante, ou relevez-le (Billing).",
    en="The spending limit set at console.x.com is reached: everything waits for the next period, or raise it (Billing).",
)
ACCOUNT_HINT = words(
    fr="Le compte est suspendu ou verrouillé : connectez-vous sur x.com avec ce compte et suivez ce que X demande.",
    en="The account is suspended or locked: log in at x.com with it and do what X asks.",
)
DUPLICATE_HINT = words(
    fr="Le même texte est déjà sur le compte X, et X le refuse deux fois : changez un mot de l'original, ou oubliez cet envoi.",
    en="The same text is already on the X account, and X refuses it twice: change a word of the original, or forget this one.",
)
ADDRESS_HINT = words(
    fr="Vérifiez api : l'adresse ne répond pas comme X.",
    en="Check api: the address does not answer as X does.",
)

FORBIDDEN: Mapping[str, Words] = {
    "oauth1-permissions": PERMISSION_HINT,
    "client-forbidden": APP_HINT,
    "client-not-enrolled": APP_HINT,
    "unsupported-authentication": APP_HINT,
}
"""Types of problem that concern the app or its tokens."""


class Duplicate(Rejected):
    """X has the same text already."""


def error_of(response: Response, now: datetime, *, write: bool) -> ConnectorError | None:
    """What the answer refuses; None when it does not. ``write``: the request makes or removes a post."""
    if 200 <= response.status < 300:
        return None
    document = _problem(response)
    if document is None:
        return _without_words(response, now, write=write)
    return problem_error(document, response.status, response.headers, now, write=write)


def problem_error(document: Mapping[str, Any], status: int, headers: Mapping[str, str], now: datetime, *, write: bool) -> ConnectorError:
    """What a problem document means; its type counts more than the status it comes with."""
    kind = str(document.get("type", "")).rpartition("/")[2]
    said = f"X answered {status}: {_told(document)}"
    if status == 402 or kind.startswith("credits"):
        return _unpaid(document, said, now)
    if kind == "usage-capped":
        return RateLimited(said, at=_next_month(now))
    if status == 429 or kind == "rate-limit-exceeded":
        return RateLimited(said, at=_room_at(headers, now))
    if status == 401:
        return AuthExpired(said, hint=KEYS_HINT)
    if kind in FORBIDDEN:
        return AuthExpired(said, hint=FORBIDDEN[kind])
    if status == 403:
        return _forbidden(document, said)
    if status in (404, 410) or kind == "resource-not-found":
        return Gone(said)
    if status in TEMPORARY or status >= 500 or status < 300:
        # Below 300: an answer that is both yes and no.
        return OutcomeUnknown(said) if write else Transient(said)
    return Unprepared(said) if "media.media_ids" in _parameters(document) else Rejected(said)


def _unpaid(document: Mapping[str, Any], said: str, now: datetime) -> ConnectorError:
    """Credits used up, or a limit reached that the account's owner set and that ends by itself."""
    if document.get("title") != "SpendCapReached":
        return AuthExpired(said, hint=CREDITS_HINT)
    try:
        at = datetime.fromisoformat(str(document.get("reset_date"))).replace(tzinfo=UTC)
    except ValueError:
        at = _next_month(now)
    return RateLimited(said, at=min(max(at, now), now + LONGEST_WAIT), hint=SPENDING_HINT)


def _forbidden(document: Mapping[str, Any], said: str) -> ConnectorError:
    """403: for these, X has one type (about:blank) and no code; the detail is all there is."""
    detail = str(document.get("detail", "")).lower()
    if "duplicate content" in detail:
        return Duplicate(said, hint=DUPLICATE_HINT)
    if "suspended" in detail or "locked" in detail:
        return AuthExpired(said, hint=ACCOUNT_HINT)
    if "access this feature" in detail:
        return AuthExpired(said, hint=APP_HINT)
    return Rejected(said)


def _without_words(response: Response, now: datetime, *, write: bool) -> ConnectorError:
    """No problem document: a gateway, a proxy, another server."""
    error = error_for(response, now, write=write)
    said = error.detail if error else f"X answered {response.status}"
    if response.status == 401:
        return AuthExpired(said, hint=KEYS_HINT)
    if response.status == 402:
        return AuthExpired(said, hint=CREDITS_HINT)
    if response.status == 403:
        # What X itself refuses comes with a reason; this is what stands before it.
        return Transient(said)
    if response.status == 429:
        return RateLimited(said, at=_room_at(response.headers, now))
    if response.status >= 500 and write:
        return OutcomeUnknown(said)
    if error is None or isinstance(error, Rejected | Gone):
        return Rejected(said, hint=ADDRESS_HINT)
    return error


def _problem(response: Response) -> Mapping[str, Any] | None:
    """The body, when it is one of X's two shapes of refusal (Problem, or Error with a code)."""
    document = response.json_object()
    return document if {"type", "title", "detail", "errors", "message"} & set(document) else None


def _told(document: Mapping[str, Any]) -> str:
    errors = [one for one in document.get("errors") or [] if isinstance(one, Mapping)]
    pieces = [document.get("title"), document.get("detail") or document.get("message"), *(one.get("message") for one in errors)]
    return ": ".join(str(piece) for piece in pieces if piece)[:500]


def _parameters(document: Mapping[str, Any]) -> set[str]:
    """Which parameters of the request it is about."""
    errors = [one for one in document.get("errors") or [] if isinstance(one, Mapping)]
    return {name for one in errors if isinstance(one.get("parameters"), Mapping) for name in one["parameters"]}


def _room_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When there is room again: the last of the windows that are used up; None when X does not say."""
    resets = {name: _instant(headers.get(f"{name}-reset", "")) for name in WINDOWS}
    full = [at for name, at in resets.items() if at and headers.get(f"{name}-remaining") == "0"]
    at = max(full) if full else resets[WINDOWS[0]]
    return min(at, now + LONGEST_WAIT) if at and at > now else retry_after(headers, now)


def _instant(seconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isascii() and seconds.isdigit() and len(seconds) <= 11 else None


def _next_month(now: datetime) -> datetime:
    here = now.astimezone(UTC)
    return datetime(here.year + here.month // 12, here.month % 12 + 1, 1, tzinfo=UTC)

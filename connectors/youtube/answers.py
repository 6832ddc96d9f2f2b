"""What YouTube and Google's accounts answer, as our errors: by ``reason``, never by their words.

https://developers.google.com/youtube/v3/docs/errors
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from syndicator.errors import AuthExpired, ConnectorError, Gone, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for, retry_after

Json = Mapping[str, Any]

PACIFIC = ZoneInfo("America/Los_Angeles")
"""Where quotas begin anew at midnight."""
OF_A_DAY = frozenset({"quotaExceeded", "dailyLimitExceeded", "uploadLimitExceeded"})
OF_A_MOMENT = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
NO_CHANNEL = frozenset({"youtubeSignupRequired", "authenticatedUserNotChannel", "channelNotFound"})
NO_PROJECT = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
MISSING = frozenset({"videoNotFound"})
OURS = frozenset({"invalid_client", "unauthorized_client", "deleted_client"})

ACCESS_HINT = words(
    fr="Google ne donne plus accès à la chaîne : refaites le refresh_token (OAuth Playground). S'il meurt tous les sept jours, c'est que "
    "l'écran de consentement est resté en « Testing » : passez-le « In production ».",
    en="Google gives no access to the channel any more: make the refresh_token anew (OAuth Playground). If it dies every seven days, the "
    "consent screen was left in “Testing”: put it “In production”.",
)
CLIENT_HINT = words(
    fr="Google ne connaît pas ce client OAuth : vérifiez client_id et client_secret (console Google Cloud → Credentials).",
    en="Google does not know this OAuth client: check client_id and client_secret (Google Cloud console → Credentials).",
)
RIGHTS_HINT = words(
    fr="Ce jeton n'a pas le droit qu'il faut, ou YouTube a limité ce compte : refaites-le avec la portée youtube.force-ssl, et regardez "
    "YouTube Studio.",
    en="This token lacks the right that is needed, or YouTube limited the account: make it anew with the scope youtube.force-ssl, and look "
    "at YouTube Studio.",
)
CHANNEL_HINT = words(
    fr="Ce compte Google n'a pas de chaîne YouTube : créez-la, ou refaites le jeton en choisissant la bonne chaîne.",
    en="This Google account has no YouTube channel: make one, or make the token anew, choosing the right channel.",
)
PROJECT_HINT = words(
    fr="Dans la console Google Cloud, activez « YouTube Data API v3 » pour ce projet.",
    en="In the Google Cloud console, enable “YouTube Data API v3” for this project.",
)


def error_of(response: Response, now: datetime, *, write: bool) -> ConnectorError | None:
    """What the answer means; None when it is good. With ``write``, a failure of the service's own leaves the outcome unknown."""
    error = error_for(response, now, write=write)
    if error is None:
        return None
    reasons, message = _told(response)
    said = f"YouTube answered {response.status}: {message} ({', '.join(sorted(reasons))})"[:500] if reasons else error.detail
    if reasons & OF_A_DAY:
        return RateLimited(said, at=midnight(now))
    if reasons & OF_A_MOMENT or response.status == 429:
        return RateLimited(said, at=retry_after(response.headers, now))
    if reasons & MISSING:
        return Gone(said)
    for known, hint in ((NO_PROJECT, PROJECT_HINT), (NO_CHANNEL, CHANNEL_HINT)):
        if reasons & known:
            return AuthExpired(said, hint=hint)
    if response.status == 401:
        return AuthExpired(said, hint=ACCESS_HINT)
    if response.status == 403:
        return AuthExpired(said, hint=RIGHTS_HINT)
    return Rejected(said) if isinstance(error, Rejected) else error


def access_error(response: Response, now: datetime) -> ConnectorError | None:
    """Why Google does not renew access (RFC 6749 5.2); None when it did."""
    error = error_for(response, now)
    if error is None:
        return None
    code = str(response.json_object().get("error") or "")
    if code in OURS:
        return AuthExpired(f"Google answered {response.status}: {code}", hint=CLIENT_HINT)
    if code and response.status in (400, 401, 403):
        return AuthExpired(f"Google answered {response.status}: {code}", hint=ACCESS_HINT)
    return Transient(error.detail) if isinstance(error, Rejected | Gone) else error


def midnight(now: datetime) -> datetime:
    """The next one in California."""
    day = now.astimezone(PACIFIC).date() + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=PACIFIC).astimezone(now.tzinfo)


def host_of(url: str) -> str:
    """For errors, which must not tell a session's address."""
    return urlsplit(url).netloc


def _told(response: Response) -> tuple[set[str], str]:
    """Every reason, and the message."""
    error = response.json_object().get("error")
    if not isinstance(error, Mapping):
        return set(), ""
    listed = [one for one in [*(error.get("errors") or []), *(error.get("details") or [])] if isinstance(one, Mapping)]
    return {str(one["reason"]) for one in listed if one.get("reason")}, str(error.get("message") or "")

"""A conversation in LinkedIn's versioned API: its headers, its addresses, and what a refusal means.

https://learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling and …/rate-limits. The body of a refusal is
``{status, code, serviceErrorCode, message}``, sometimes with ``errorDetails.inputErrors``, whose ``code`` says more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from syndicator.contract import Context, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for

Effect = Literal["none", "private", "public"]
"""What a call may leave behind when its answer is lost: nothing new, something that nobody sees, or a publication."""

UPLOAD_TIMEOUT_S = 180.0

TOKEN_HINT = words(
    fr="LinkedIn n'accepte pas ce jeton, mal copié, révoqué ou vieux de plus de 60 jours : recopiez-le en entier, ou faites-en refaire un "
    "par une personne qui administre la page, et changez token et token_issued_on.",
    en="LinkedIn does not accept this token, badly copied, revoked or older than 60 days: copy all of it again, or have a person who "
    "administers the page make another, and change token and token_issued_on.",
)
ROLE_HINT = words(
    fr="LinkedIn refuse l'accès à la page : vérifiez organization ; la personne du jeton doit administrer cette page, et le jeton porter "
    "w_organization_social et r_organization_social.",
    en="LinkedIn denies access to the page: check organization; the token's person must administer that page, and the token hold "
    "w_organization_social and r_organization_social.",
)
VERSION_HINT = words(
    fr="LinkedIn a retiré cette version de son API : mettez dans version un mois récent, comme « 202610 ».",
    en="LinkedIn has withdrawn this version of its API: put a recent month into version, such as “202610”.",
)

_DUPLICATE_OF = re.compile(r"urn:li:(?:share|ugcPost):\d+")


class Duplicate(Rejected):
    """LinkedIn has a post with the same content, or says so; ``urn`` names it, empty when it does not."""

    def __init__(self, detail: str, *, urn: str) -> None:
        self.urn = urn
        super().__init__(detail)


class Rest:
    """One token and one version at one host. What it raises never holds the token."""

    def __init__(self, context: Context, base: str, token: Secret, version: str) -> None:
        self._context = context
        self._base = base.rstrip("/")
        self._token = token
        self._headers = {"Linkedin-Version": version, "X-Restli-Protocol-Version": "2.0.0"}

    async def call(
        self,
        method: str,
        path: str,
        *,
        effect: Effect = "none",
        rest_method: str | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Response:
        """An answer of success. Lost, it is Transient where the call leaves nothing that people see, OutcomeUnknown elsewhere."""
        headers = self._headers | ({"X-RestLi-Method": rest_method} if rest_method else {})
        return await self._send(method, f"{self._base}/rest/{path}", effect, headers=headers, json=json)

    async def upload(self, url: str, data: bytes, media_type: str) -> None:
        """Send a file to where LinkedIn wants it; the token goes to LinkedIn alone."""
        host, own = urlsplit(url).hostname or "", urlsplit(self._base).hostname
        if host != own and not host.endswith((".linkedin.com", ".licdn.com")):
            raise Transient(f"LinkedIn wants an upload at {host}, which is not its own")
        await self._send("PUT", url, "private", headers={"Content-Type": media_type}, data=data, timeout_s=UPLOAD_TIMEOUT_S)

    async def _send(self, method: str, url: str, effect: Effect, *, headers: Mapping[str, str], **sent: Any) -> Response:
        sent["headers"] = {**headers, "Authorization": f"Bearer {self._token.reveal()}"}
        try:
            # Rest.li tells %3A from a colon, and uploads have signed addresses.
            response = await self._context.http.request(method, url, encoded=True, **sent)
            error = _error(response, self._context.now(), effect)
        except OutcomeUnknown as lost:
            error = lost if effect == "public" else Transient(lost.detail)
        except ConnectorError as failed:
            error = failed
        if error is None:
            return response
        raise self._scrubbed(error)

    def _scrubbed(self, error: ConnectorError) -> ConnectorError:
        """Without the token, should LinkedIn repeat it; and without causes."""
        error.detail = error.detail.replace(self._token.reveal(), "…")
        error.args = (error.detail,)
        error.__cause__ = error.__context__ = None
        return error


def encoded(urn: str) -> str:
    """A URN as Rest.li wants it in addresses."""
    return quote(urn, safe="")


def object_in(response: Response) -> Mapping[str, Any]:
    """The answer's object; Transient when it is none."""
    answer = response.json()
    if not isinstance(answer, dict):
        raise Transient(f"{urlsplit(response.url).netloc} answered something else than an object")
    return answer


def _error(response: Response, now: datetime, effect: Effect) -> ConnectorError | None:
    """What an answer stands for; None for success."""
    status = response.status
    if 200 <= status < 300:
        return None
    document = response.json_object()
    common = error_for(response, now)
    said = f"LinkedIn answered {status}: {_told(document)}" if document else common.detail if common else f"LinkedIn answered {status}"
    if status == 401:
        return AuthExpired(said, hint=TOKEN_HINT)
    if status == 403 and document:
        return AuthExpired(said, hint=ROLE_HINT)
    if status == 426:
        return AuthExpired(said, hint=VERSION_HINT)
    if status == 429:
        at = common.at if isinstance(common, RateLimited) else None
        return RateLimited(said, at=at or _next_day(now))
    if "DUPLICATE_POST" in _codes(document):
        named = _DUPLICATE_OF.search(str(document.get("message")))
        return Duplicate(said, urn=named[0] if named else "")
    if status == 404 and document:
        return Gone(said)
    if status == 409:
        return Transient(said)
    if status == 408 or status >= 500:
        return OutcomeUnknown(said) if effect == "public" else Transient(said)
    return common if common is not None and not document else Rejected(said)


def _codes(document: Mapping[str, Any]) -> list[str]:
    details = document.get("errorDetails")
    errors = details.get("inputErrors") if isinstance(details, dict) else None
    inner = [str(error.get("code")) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return [str(document["code"]), *inner] if document.get("code") else inner


def _told(document: Mapping[str, Any]) -> str:
    codes = ", ".join([*_codes(document), *([str(document["serviceErrorCode"])] if document.get("serviceErrorCode") else [])])
    return (f"{document.get('message')} ({codes})" if codes else str(document.get("message")))[:500]


def _next_day(now: datetime) -> datetime:
    """Daily limits begin anew at midnight UTC (https://learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits)."""
    return datetime.combine(now.date() + timedelta(days=1), time(), tzinfo=now.tzinfo)

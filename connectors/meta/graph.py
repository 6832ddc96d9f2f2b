"""A conversation in Meta's Graph API: who speaks, what is asked, and what a refusal means.

Nearly every refusal is an HTTP 400, some are a 200 or a 500: the body tells, by ``code`` and ``error_subcode``, never the status.
https://developers.facebook.com/docs/graph-api/guides/error-handling; codes above a million are seen in practice and in no document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from syndicator.contract import Context, Secret
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

Json = Mapping[str, Any]
Meaning = Literal[
    "credential",
    "permission",
    "person",
    "limit",
    "blocked",
    "refused",
    "duplicate",
    "again",
    "early",
    "anew",
    "unfetched",
    "quota",
    "gone",
    "version",
]
"""What a refusal is about. ``person``: Meta wants the owner to do something there. ``again``: it failed, and may work later. ``early``: not
done, what it needs is not ready yet. ``anew``: not done, what it needs is there no longer and has to be made again. ``unfetched``: Meta
could not have a file from the address it was given. ``quota``: enough for a day."""
Effect = Literal["none", "private", "public"]
"""What a call may leave behind when its answer is lost: nothing new (a question), something that nobody sees, or a publication."""

BLOCKED_FOR = timedelta(hours=6)
"""How long an account is left alone that Meta has blocked for a while: it does not say until when."""
FULL_FOR = timedelta(hours=1)
"""How long to wait for room in a quota of the last 24 hours: it does not say until when."""

MEANINGS: Mapping[int, Meaning] = {
    102: "credential", 190: "credential", 458: "credential", 460: "credential", 463: "credential", 467: "credential", 490: "credential",
    459: "person", 464: "person", 492: "permission",
    3: "permission", 10: "permission", **dict.fromkeys(range(200, 300), "permission"),
    1404078: "person", 4854002: "person",
    4: "limit", 17: "limit", 32: "limit", 341: "limit", 613: "limit", 80001: "limit", 80002: "limit", 1390008: "limit",
    368: "blocked",
    506: "duplicate", 1366051: "duplicate",
    33: "gone", 803: "gone",
    100: "refused", 1346003: "refused", 1404102: "refused", 1609005: "refused", 1609008: "refused",
    2500: "version", 2635: "version",
    1: "again", 2: "again",
}  # fmt: skip
"""Codes and subcodes; a subcode that is known counts more than its code."""

PAUSES: Mapping[Meaning, timedelta] = {"blocked": BLOCKED_FOR, "quota": FULL_FOR}

VERSION_HINT = words(
    fr="Meta ne comprend pas cette version de l'API, ou ce jeton : mettez dans version une version récente, comme « v26.0 » (chacune vit "
    "environ deux ans) ; si rien ne change, refaites le jeton.",
    en="Meta does not understand this version of the API, or this token: put a recent version into version, such as “v26.0” (each lives "
    "for about two years); if nothing changes, make the token anew.",
)
BLOCKED_HINT = words(
    fr="Meta bloque ce compte pour un temps, pour abus présumé : ouvrez-le dans l'application, répondez à ce qui est demandé, et publiez "
    "moins souvent.",
    en="Meta has blocked this account for a while, for supposed abuse: open it in the app, answer what is asked, and post less often.",
)
DUPLICATE_HINT = words(
    fr="Un texte identique vient d'être publié là-bas : rien à faire, sauf si ce n'est pas le vôtre.",
    en="The same text was published there just before: nothing to do, unless it is not yours.",
)


class Duplicate(Rejected):
    """The same words are there already."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error object of the Graph API."""

    code: int
    subcode: int
    transient: bool
    told: str
    """Message, codes and trace, for the log and for Meta's support."""

    def meaning(self, own: Mapping[int, Meaning]) -> Meaning:
        """By subcode, then by code, a network's ``own`` table first; what nobody knows is refused unless Meta calls it transient."""
        for table in (own, MEANINGS):
            for number in (self.subcode, self.code):
                if number in table:
                    return table[number]
        return "again" if self.transient else "refused"


class Unfetched(Transient):
    """Meta could not have a file from the address that it was given."""


class Graph:
    """One token at one host. What it raises never holds the token."""

    def __init__(self, context: Context, base: str, *, meanings: Mapping[int, Meaning], hints: Mapping[Meaning, Words]) -> None:
        self._context = context
        self._base = base.rstrip("/")
        self._meanings = meanings
        """A network's own codes, beside those of all."""
        self._hints = {"blocked": BLOCKED_HINT, "duplicate": DUPLICATE_HINT, "version": VERSION_HINT, **hints}

    async def call(
        self,
        method: str,
        path: str,
        token: Secret,
        *,
        effect: Effect = "none",
        params: Mapping[str, str] | None = None,
        json: Json | None = None,
        data: Any = None,
        timeout_s: float = 30.0,
    ) -> Json:
        """The answer, an object. Lost, it is Transient where the call leaves nothing that people see, OutcomeUnknown elsewhere."""
        context = self._context
        try:
            response = await context.http.request(
                method,
                f"{self._base}/{path}",
                headers={"Authorization": f"Bearer {token.reveal()}"},
                params=params,
                json=json,
                data=data,
                timeout_s=timeout_s,
            )
            return self._result(response, context.now(), effect)
        except OutcomeUnknown as error:
            raise _scrubbed(error if effect == "public" else Transient(error.detail), token) from None
        except ConnectorError as error:
            raise _scrubbed(error, token) from None

    def _result(self, response: Response, now: datetime, effect: Effect) -> Json:
        try:
            answer = response.json()
        except Transient:
            answer = None
        refusal = refusal_in(answer)
        if refusal is not None:
            raise self.error(refusal, response, now, effect)
        if isinstance(answer, dict) and 200 <= response.status < 300:
            return answer
        raise _no_answer(response, now, effect)

    def error(self, refusal: Refusal, response: Response, now: datetime, effect: Effect) -> ConnectorError:
        """What a refusal stands for."""
        meaning = refusal.meaning(self._meanings)
        hint = self._hints.get(meaning)
        if meaning == "limit":
            return RateLimited(refusal.told, at=regained_at(response, now), hint=hint)
        if meaning in PAUSES:
            return RateLimited(refusal.told, at=now + PAUSES[meaning], hint=hint)
        if meaning in ("credential", "permission", "person", "version"):
            return AuthExpired(refusal.told, hint=hint)
        if meaning == "gone":
            return Gone(refusal.told)
        if meaning == "again":
            return OutcomeUnknown(refusal.told) if effect == "public" else Transient(refusal.told)
        if meaning in ("early", "unfetched"):
            return (Unfetched if meaning == "unfetched" else Transient)(refusal.told, hint=hint)
        if meaning == "anew":
            return Unprepared(refusal.told, hint=hint)
        return (Duplicate if meaning == "duplicate" else Rejected)(refusal.told, hint=hint)


def refusal_in(answer: Any) -> Refusal | None:
    """The error object of an answer, whatever its status was; None when it has none."""
    found = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        return None
    code, subcode = _number(found.get("code")), _number(found.get("error_subcode"))
    said = [found.get("message"), found.get("error_user_title"), found.get("error_user_msg")]
    numbers = f"{code}/{subcode}" if subcode else str(code)
    told = f"Graph API: {' — '.join(str(text) for text in said if text)} ({numbers}, trace {found.get('fbtrace_id')})"
    return Refusal(code=code, subcode=subcode, transient=found.get("is_transient") is True, told=told[:600])


def regained_at(response: Response, now: datetime) -> datetime | None:
    """When there is room again: ``estimated_time_to_regain_access``, in minutes (…/docs/graph-api/overview/rate-limiting)."""
    minutes = max(_regain_minutes(response.headers.get("X-Business-Use-Case-Usage", "")), default=0)
    return now + timedelta(minutes=minutes) if minutes else retry_after(response.headers, now)


def _regain_minutes(header: str) -> Iterator[int]:
    try:
        accounts = json.loads(header or "{}")
    except ValueError:
        return
    for uses in accounts.values() if isinstance(accounts, dict) else ():
        for use in uses if isinstance(uses, list) else ():
            if isinstance(use, dict):
                yield min(_number(use.get("estimated_time_to_regain_access")), 1440)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _no_answer(response: Response, now: datetime, effect: Effect) -> ConnectorError:
    """What is not the Graph API's: a proxy's page, or nothing."""
    said = f"{urlsplit(response.url).netloc} answered {response.status} with {response.content_type or 'no type'} instead of an object"
    error = error_for(response, now) or Transient(said)
    if effect == "public" and (response.status < 300 or response.status == 408 or response.status >= 500):
        return OutcomeUnknown(error.detail)
    return error


def _scrubbed(error: ConnectorError, token: Secret) -> ConnectorError:
    """Without the token, which Meta repeats when it does not know it; and without causes, which may hold it."""
    error.detail = error.detail.replace(token.reveal(), "…")
    error.args = (error.detail,)
    error.__cause__ = error.__context__ = None
    return error

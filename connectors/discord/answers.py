"""What Discord answers, as results and as our errors.

https://discord.com/developers/docs/topics/opcodes-and-status-codes
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for, retry_after

UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
NEEDS_THREAD = 220001
TOO_LARGE = 40005

_NO_JSON = object()

WEBHOOK_HINT = words(
    fr="Le webhook n'existe plus : dans Discord, salon → Intégrations → Webhooks, créez-en un et copiez son URL.",
    en="The webhook is no more: in Discord, channel → Integrations → Webhooks, make one and copy its URL.",
)
THREAD_HINT = words(
    fr="Vérifiez thread_id : ce fil n'existe pas dans le salon du webhook, ou bien le salon est un forum et il en faut un.",
    en="Check thread_id: the webhook's channel has no such thread, or it is a forum and needs one.",
)
ADDRESS_HINT = words(
    fr="Vérifiez webhook : l'adresse ne répond pas comme Discord.",
    en="Check webhook: the address does not answer as Discord does.",
)


class TooLarge(Rejected):
    """The files are more than the server takes."""


def room_at(response: Response, now: datetime) -> datetime:
    """When the next request has room (https://discord.com/developers/docs/topics/rate-limits#header-format)."""
    if response.headers.get("X-RateLimit-Remaining") != "0":
        return now
    seconds = response.headers.get("X-RateLimit-Reset-After", "")
    return now + timedelta(seconds=float(seconds)) if re.fullmatch(r"\d{1,6}(\.\d+)?", seconds) else now


def result_of(response: Response, now: datetime, *, write: bool) -> Any:
    """What Discord answered, None for nothing; raises what a refusal stands for."""
    try:
        answer = response.json() if response.body else None
    except Transient:
        answer = _NO_JSON
    if response.status in (200, 204) and answer is not _NO_JSON:
        return answer
    raise _error(response, answer if isinstance(answer, dict) else {}, now, write=write)


def _error(response: Response, document: Mapping[str, Any], now: datetime, *, write: bool) -> ConnectorError:
    status, code = response.status, document.get("code")
    common = error_for(response, now)
    said = common.detail if common else f"{urlsplit(response.url).netloc} answered {status} with something else than JSON"
    said = f"Discord answered {status}: {_told(document)}" if document else said
    if status == 429:
        wait = document.get("retry_after")
        at = now + timedelta(seconds=wait) if isinstance(wait, int | float) else retry_after(response.headers, now)
        return RateLimited(said, at=at)
    if code == UNKNOWN_MESSAGE:
        return Gone(said)
    if code in (UNKNOWN_CHANNEL, NEEDS_THREAD):
        return AuthExpired(said, hint=THREAD_HINT)
    if status in (401, 403, 404):
        # Discord bans addresses that go on calling what is not there: the account waits, whatever it is.
        return AuthExpired(said, hint=WEBHOOK_HINT if document else ADDRESS_HINT)
    if status == 413 or code == TOO_LARGE:
        return TooLarge(said)
    if 300 <= status < 500 and status != 408:
        return Rejected(said, hint=None if document else ADDRESS_HINT)
    if write:
        # Without keys or history, a message that may be there is never taken for one that is not.
        return OutcomeUnknown(said)
    return Transient(said) if status >= 400 else Rejected(said, hint=ADDRESS_HINT)


def _told(document: Mapping[str, Any]) -> str:
    """Its message and code, and for a form what is wrong where (https://discord.com/developers/docs/reference#error-messages)."""
    places = "; ".join(f"{'.'.join(path)}: {message}" for path, message in _leaves(document.get("errors"), ()))
    return f"{document.get('message')} ({document.get('code')}){f': {places}' if places else ''}"[:500]


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(tree, dict):
        return
    for name, inner in tree.items():
        if name != "_errors":
            yield from _leaves(inner, (*path, str(name)))
            continue
        for error in inner if isinstance(inner, list) else []:
            yield path, str(error.get("message") if isinstance(error, dict) else error)

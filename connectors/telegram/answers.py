"""What the Bot API answers, as results and as our errors.

https://core.telegram.org/bots/api#making-requests
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for, retry_after

# The API tells its 400s apart by nothing but ``description``, in English and unchanged for years: whole phrases only, from this list.
# https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp
_MISSING = frozenset({"message to edit not found", "message to delete not found", "MESSAGE_ID_INVALID"})
_NO_RIGHTS = frozenset({
    "chat not found",
    "need administrator rights in the channel chat",
    "not enough rights to send text messages to the chat",
    "not enough rights to send photos to the chat",
    "not enough rights to send videos to the chat",
    "have no rights to send a message",
    "CHAT_WRITE_FORBIDDEN",
    "CHAT_ADMIN_REQUIRED",
    "group chat was deactivated",
})  # fmt: skip
_SAME = "specified new message content and reply markup are exactly the same as a current content and reply markup of the message"
UNCHANGED = frozenset({"message is not modified", f"message is not modified: {_SAME}"})

TOKEN_HINT = words(
    fr="Le jeton n'est plus bon : dans Telegram, demandez-le à @BotFather (/mybots → le bot → API Token) et remplacez-le.",
    en="The token is no good: in Telegram, ask @BotFather for it (/mybots → the bot → API Token) and replace it.",
)
RIGHTS_HINT = words(
    fr="Dans Telegram, faites du bot un administrateur du canal, avec le droit de publier des messages ; vérifiez aussi chat.",
    en="In Telegram, make the bot an administrator of the channel, with the right to post messages; check chat as well.",
)
API_HINT = words(
    fr="Vérifiez api : cette adresse n'est pas celle d'un serveur de l'API des bots Telegram.",
    en="Check api: this is not the address of a Telegram Bot API server.",
)


def result_of(response: Response, now: datetime, *, write: bool, done: Collection[str]) -> Any:
    """What the API answered, or the error that it stands for (https://core.telegram.org/bots/api#making-requests)."""
    try:
        answer = response.json()
    except Transient:
        answer = None
    if not isinstance(answer, dict) or "ok" not in answer:
        raise _foreign(response, now, write=write)
    if answer["ok"] is True and answer.get("result"):
        return answer["result"]
    code = answer["error_code"] if isinstance(answer.get("error_code"), int) else response.status
    phrase = str(answer.get("description", "")).removeprefix("Bad Request: ")
    if code == 400 and phrase in done:
        return None
    raise _refused(code, phrase, answer.get("parameters") or {}, response, now, write=write)


def _refused(code: int, phrase: str, parameters: Mapping[str, Any], response: Response, now: datetime, *, write: bool) -> ConnectorError:
    said = f"Telegram answered {code}: {phrase}"
    if code == 429:
        wait = parameters.get("retry_after")
        return RateLimited(said, at=now + timedelta(seconds=wait) if isinstance(wait, int) else retry_after(response.headers, now))
    if "migrate_to_chat_id" in parameters:
        number = parameters["migrate_to_chat_id"]
        hint = words(
            fr=f"Le groupe a changé de numéro : écrivez chat = \"{number}\".", en=f"The group has a new number: write chat = \"{number}\"."
        )  # fmt: skip
        return AuthExpired(said, hint=hint)
    if code in (401, 404):
        return AuthExpired(said, hint=TOKEN_HINT)
    if code == 403 or (code == 400 and phrase in _NO_RIGHTS):
        return AuthExpired(said, hint=RIGHTS_HINT)
    if code == 400 and phrase in _MISSING:
        return Gone(said)
    if 400 <= code < 500 and code != 408:
        return Rejected(said)
    return OutcomeUnknown(said) if write else Transient(said)


def _foreign(response: Response, now: datetime, *, write: bool) -> ConnectorError:
    """An answer that is not the API's own: of a proxy on the way, or of another server altogether."""
    error = error_for(response, now, write=write)
    said = error.detail if error else f"{urlsplit(response.url).netloc} answered {response.status} without a result"
    if write and (error is None or response.status >= 500 or response.status == 408):
        # Without keys or history, a message that may be there is never taken for one that is not.
        return OutcomeUnknown(said)
    if error is None or isinstance(error, Gone | Rejected):
        return Rejected(said, hint=API_HINT)
    return error

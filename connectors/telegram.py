"""Telegram: a channel (or a group) that a bot of the association's own writes to. A destination.

*What it does.* One message per item, in plain text, links and hashtags live. With pictures (up to ten) or a video, the text is their
caption. Edits and deletions follow, and a thread's parts answer each other.

*Credential.* In Telegram, talk to @BotFather: /newbot, a name, a user name that ends in « bot »; it answers with the token. Then open the
channel → Administrateurs → Ajouter, search for the bot, and leave it « Publier des messages » alone. One minute, free; the token lives
until somebody revokes it at @BotFather. It is part of every address that is called: it is taken out of whatever is said here.

*Cost.* Nothing. One request for each message, pictures included. Telegram slows bots down beyond about one message a second, and twenty a
minute in a group; it says for how long.

*Long texts with pictures.* A caption holds 1,024 characters, a message 4,096. A text too long for a caption is sent as a message, above it
the first picture as the large preview of its address at the origin: Telegram fetches it there, once. The other pictures are not shown; the
log says so.

*"Did it go out?"* Nobody can tell: a bot cannot read what it wrote, and there are no keys. Such a message waits for a person, or is sent
again where ``on_unknown = "retry"``.

*What it cannot do.* Alt texts: Telegram has none, they are lost. Deleting a message older than 48 hours: delete it by hand. Changing the
pictures of an album: a single one is replaced, or added to a text, when an edit does so. Videos other than MP4 and above
40 MB become a still picture and a link.

Specification: https://core.telegram.org/bots/api (10.1).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, ClassVar
from urllib.parse import urlsplit

import aiohttp

from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for, retry_after
from syndicator.media import MediaFile
from syndicator.model import Receipt, Rendition
from syndicator.text.count import length

CAPTION_MAX = 1024
RATIO_MAX = 20
ALBUM_BYTES = 45_000_000
"""A request holds 50 MB."""
UPLOAD_TIMEOUT_S = 180.0
DELETABLE_FOR = timedelta(hours=48)

LIMITS = Limits(
    text_max=4096,
    # Entity offsets are UTF-16 units; so is, to be safe, the length.
    text_unit="utf16",
    threads=True,
    media=MediaLimits(
        images_max=10,
        videos_max=1,
        image_types=("image/jpeg", "image/png"),
        image_max_bytes=10 * 1024**2,
        # Width and height may not exceed 10,000 together: so no picture of up to 20:1 does. Telegram shows much less than that anyway.
        image_max_pixels=4_500_000,
        video_types=("video/mp4",),
        video_max_bytes=50 * 1024**2,
        alt_max=0,
    ),
)

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
_UNCHANGED = frozenset({"message is not modified", f"message is not modified: {_SAME}"})

TOKEN_HINT = words(
    fr="Le jeton n'est plus bon : dans Telegram, demandez-le à @BotFather (/mybots → le bot → API Token) et remplacez-le.",
    en="The token is no good: in Telegram, ask @BotFather for it (/mybots → the bot → API Token) and replace it.",
)
RIGHTS_HINT = words(
    fr="Dans Telegram, faites du bot un administrateur du canal, avec le droit de publier des messages ; vérifiez aussi chat.",
    en="In Telegram, make the bot an administrator of the channel, with the right to post messages; check chat as well.",
)
OLD_HINT = words(
    fr="Un bot ne peut plus effacer un message de plus de 48 heures : effacez-le vous-même dans le canal.",
    en="A bot cannot delete a message older than 48 hours: delete it in the channel yourself.",
)
CAPTION_HINT = words(
    fr="Ce message a des images : son texte ne peut plus dépasser 1 024 caractères. Corrigez-le dans le canal.",
    en="This message has pictures: its text cannot grow beyond 1,024 characters any more. Correct it in the channel.",
)
API_HINT = words(
    fr="Vérifiez api : cette adresse n'est pas celle d'un serveur de l'API des bots Telegram.",
    en="Check api: this is not the address of a Telegram Bot API server.",
)


@dataclass(frozen=True, kw_only=True)
class TelegramOptions:
    """Which channel, and who writes to it."""

    token: Secret
    """The bot's token, as @BotFather gave it."""
    chat: str
    """The channel or group: ``@name``, its ``https://t.me/name``, or its number, such as ``-1001234567890``, when it is private."""
    silent: bool = False
    """Publish without a sound on the subscribers' telephones."""
    link_preview: bool = True
    """Show a card of the first link of a text without pictures."""
    api: str = "https://api.telegram.org"
    """Another Bot API server, when you run your own."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"@\w{4,32}|-?\d{4,}", self.chat_id):
            raise ValueError(
                words(
                    fr=f"« {self.chat} » n'est pas un canal : écrivez @nom, ou son numéro, qui commence par -100.",
                    en=f"“{self.chat}” is not a channel: write @name, or its number, which begins with -100.",
                )
            )
        parts = urlsplit(self.api)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError(words(fr="api est l'adresse d'un serveur, https://…", en="api is the address of a server, https://…"))

    @property
    def chat_id(self) -> str:
        """As the API wants it."""
        name = re.sub(r"^(https?://)?(www\.)?(t\.me|telegram\.me)/(s/)?", "", self.chat.strip()).rstrip("/")
        return f"@{name}" if re.match(r"[A-Za-z]", name) else name


class TelegramPublisher:
    """Writes to one chat; see the module's docstring."""

    Options: ClassVar[type[TelegramOptions]] = TelegramOptions
    limits: Limits = LIMITS

    def __init__(self, options: TelegramOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self.account: str | None = None

    async def open(self) -> None:
        """Log in, find the chat, check that the bot may post there."""
        bot = await self._call("getMe")
        try:
            chat = await self._call("getChat", {"chat_id": self._options.chat_id})
            member = await self._call("getChatMember", {"chat_id": self._options.chat_id, "user_id": bot["id"]})
        except Rejected as error:
            # Whatever it says, the bot does not see the chat as somebody who may post there does.
            raise AuthExpired(error.detail, hint=RIGHTS_HINT) from error
        if not _may_post(chat, member):
            raise AuthExpired(f"the bot is {member.get('status')} there and may not post", hint=RIGHTS_HINT)
        self.account = f"https://t.me/{chat['username']}" if chat.get("username") else None

    async def close(self) -> None:
        """Nothing to give back."""

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Send one message, or an album; pictures that will never do are left out, and the text goes all the same."""
        about: dict[str, Any] = {"chat_id": self._options.chat_id}
        if self._options.silent:
            about["disable_notification"] = True
        if parent is not None:
            about["reply_parameters"] = {"message_id": int(parent.remote_id)}
        files = await self._files(rendition) if _is_caption(rendition.text) else []
        if files:
            try:
                return await self._send_files(rendition, files, about)
            except Rejected as error:
                # Nothing was made. Should it be the text that is refused, it will be refused again.
                self._context.log.warning("media left out uid=%s: %s", rendition.uid, error.detail)
        return await self._send_text(rendition, about)

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace the text or caption, and a single picture that is another one now."""
        sent = dict(receipt.data)
        which = {"chat_id": self._options.chat_id, "message_id": int(receipt.remote_id)}
        form, fits = sent.get("form", "text"), _is_caption(rendition.text)
        if form != "text" and not fits:
            raise Rejected(f"a caption has at most {CAPTION_MAX} characters", hint=CAPTION_HINT)
        if fits and sent.get("media", "") != _origins(rendition):
            changed = await self._replace_file(receipt, rendition, which) if form != "album" else None
            if changed is not None:
                return changed
            self._context.log.warning("media not changed uid=%s", rendition.uid)
        if form == "text":
            await self._call("editMessageText", which | self._text(rendition), done=_UNCHANGED)
        else:
            await self._call("editMessageCaption", which | {"caption": rendition.text}, done=_UNCHANGED)
        return receipt

    async def delete(self, receipt: Receipt) -> None:
        """Remove the message, or every message of the album, while Telegram lets bots do so."""
        sent = dict(receipt.data)
        numbers = [int(number) for number in (receipt.remote_id, *sent.get("also", "").split(",")) if number]
        which = {"message_ids": numbers} if len(numbers) > 1 else {"message_id": numbers[0]}
        try:
            await self._call("deleteMessages" if len(numbers) > 1 else "deleteMessage", {"chat_id": self._options.chat_id, **which})
        except Rejected as error:
            made = datetime.fromtimestamp(int(sent.get("date", 0)), UTC)
            hint = OLD_HINT if self._context.now() - made >= DELETABLE_FOR else error.hint
            raise Rejected(error.detail, hint=hint) from error

    async def _send_text(self, rendition: Rendition, about: Mapping[str, Any]) -> Receipt:
        if not _is_caption(rendition.text) and len(rendition.attachments) > (_picture(rendition) is not None):
            self._context.log.warning("media left out uid=%s: the text is too long for a caption", rendition.uid)
        return _receipt([await self._call("sendMessage", {**about, **self._text(rendition)})], form="text")

    async def _send_files(self, rendition: Rendition, files: list[MediaFile], about: Mapping[str, Any]) -> Receipt:
        caption = {"caption": rendition.text} if rendition.text else {}
        if len(files) == 1:
            kind = _kind(files[0])
            message = await self._call(f"send{kind.capitalize()}", {**about, **caption}, {kind: files[0]})
            return _receipt([message], form=kind, origins=_origins(rendition))
        named = {f"file{number}": file for number, file in enumerate(files)}
        album: list[dict[str, Any]] = [{"type": _kind(file), "media": f"attach://{name}"} for name, file in named.items()]
        album[0] |= caption
        messages = await self._call("sendMediaGroup", {**about, "media": album}, named)
        return _receipt(messages, form="album", origins=_origins(rendition))

    async def _replace_file(self, receipt: Receipt, rendition: Rendition, which: Mapping[str, Any]) -> Receipt | None:
        """One picture or video instead of what there was, a text included; None when there is not exactly one, or it will not do."""
        files = await self._files(rendition) if len(rendition.attachments) == 1 else []
        if not files:
            return None
        new = {"type": _kind(files[0]), "media": "attach://file", "caption": rendition.text}
        try:
            await self._call("editMessageMedia", {**which, "media": new}, {"file": files[0]}, done=_UNCHANGED)
        except Rejected as error:
            self._context.log.warning("media left out uid=%s: %s", rendition.uid, error.detail)
            return None
        data = dict(receipt.data) | {"form": _kind(files[0]), "media": _origins(rendition)}
        return replace(receipt, data=tuple(data.items()))

    def _text(self, rendition: Rendition) -> dict[str, Any]:
        """Without parse_mode, every sign is itself."""
        picture = None if _is_caption(rendition.text) else _picture(rendition)
        if picture is None:
            return {"text": rendition.text, "link_preview_options": {"is_disabled": not self._options.link_preview}}
        return {"text": rendition.text, "link_preview_options": {"url": picture, "prefer_large_media": True, "show_above_text": True}}

    async def _files(self, rendition: Rendition) -> list[MediaFile]:
        """Every attachment that will do, in order."""
        rules = self.limits.media
        share = ALBUM_BYTES // max(1, len(rendition.attachments))
        rules = replace(rules, image_max_bytes=min(rules.image_max_bytes or share, share))
        found = []
        for attachment in rendition.attachments[: rules.images_max]:
            try:
                file = await media.fetch(self._context.http, attachment, rules, cache_dir=self._context.state_dir / "media")
                _check_ratio(file)
            except (Rejected, Gone) as error:
                self._context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            else:
                found.append(file)
        return found

    async def _call(
        self,
        method: str,
        fields: Mapping[str, Any] | None = None,
        files: Mapping[str, MediaFile] | None = None,
        *,
        done: Collection[str] = (),
    ) -> Any:
        """The result of a method; None when it refuses with a phrase that means ``done``. What it raises never holds the token."""
        token, write = self._options.token.reveal().strip(), not method.startswith("get")
        if not re.fullmatch(r"\d+:[A-Za-z0-9_-]+", token):
            raise AuthExpired("this is not the token of a bot", hint=TOKEN_HINT)
        form = _form(fields or {}, files) if files else None
        try:
            response = await self._context.http.request(
                "POST" if write else "GET",
                f"{self._options.api.rstrip('/')}/bot{token}/{method}",
                params=None if write else {name: str(value) for name, value in (fields or {}).items()},
                json=None if form or not write else fields,
                data=form,
                timeout_s=UPLOAD_TIMEOUT_S if files else 30.0,
            )
            return _result(response, self._context.now(), write=write, done=done)
        except ConnectorError as error:
            error.detail = error.detail.replace(token, "…")
            error.args = (error.detail,)
            # Its causes may hold the address, which holds the token.
            error.__cause__ = error.__context__ = None
            raise


def _result(response: Response, now: datetime, *, write: bool, done: Collection[str]) -> Any:
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


def _may_post(chat: Mapping[str, Any], member: Mapping[str, Any]) -> bool:
    status = member.get("status")
    if chat.get("type") == "channel":
        return status == "creator" or (status == "administrator" and member.get("can_post_messages") is True)
    return status in ("creator", "administrator", "member") or (status == "restricted" and member.get("can_send_messages") is True)


def _picture(rendition: Rendition) -> str | None:
    """Where the origin serves the first picture, or a video's still."""
    return next((url for one in rendition.attachments if (url := one.url if one.type == "image" else one.preview_url)), None)


def _is_caption(text: str) -> bool:
    return length(text, LIMITS) <= CAPTION_MAX


def _check_ratio(file: MediaFile) -> None:
    if file.width and file.height and max(file.width, file.height) > RATIO_MAX * min(file.width, file.height):
        raise Rejected(f"a picture of {file.width} × {file.height} is too narrow for Telegram")


def _kind(file: MediaFile) -> str:
    return "video" if file.media_type.startswith("video/") else "photo"


def _origins(rendition: Rendition) -> str:
    return " ".join(attachment.url for attachment in rendition.attachments)


def _form(fields: Mapping[str, Any], files: Mapping[str, MediaFile]) -> aiohttp.FormData:
    """Files travel as multipart/form-data, everything else beside them as text or JSON."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    for name, file in files.items():
        form.add_field(name, BytesIO(file.data), filename=file.name, content_type=file.media_type)
    return form


def _receipt(messages: Any, *, form: str, origins: str = "") -> Receipt:
    """The first message stands for all of an album; the others are needed to delete it."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) and message.get("message_id") for message in messages):
        raise OutcomeUnknown("the answer names no message")
    first, others = messages[0], messages[1:]
    username = (first.get("chat") or {}).get("username")
    data = {
        "form": form,
        "date": str(first.get("date", 0)),
        "media": origins,
        "also": ",".join(str(message["message_id"]) for message in others),
    }
    return Receipt(
        remote_id=str(first["message_id"]),
        url=f"https://t.me/{username}/{first['message_id']}" if username else None,
        data=tuple((name, value) for name, value in data.items() if value),
    )

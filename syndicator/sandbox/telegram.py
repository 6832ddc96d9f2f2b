"""The Telegram Bot API on loopback: the calls of a bot that writes to a channel, checked against the published specification.

https://core.telegram.org/bots/api, reduced in ``data/telegram-bot-api.json``. Stricter than Telegram in one thing: a parameter that the
specification does not know is refused instead of ignored, so that a typing error shows; so is an entity that is not on whole signs of the
text, or whose address is none. Markup is not simulated: ``parse_mode`` is answered 501, and of entities only links on words are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from aiohttp import web

from syndicator.sandbox.published import telegram
from syndicator.sandbox.server import Simulator
from syndicator.sandbox.telegram_calls import Files, Json, Refusal, limit, method_named, received

BOT_TOKEN = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcK"  # noqa: S105
DELETABLE_FOR = timedelta(hours=48)
PHOTO_MAX_BYTES = 10 * 1024**2
VIDEO_MAX_BYTES = 50 * 1024**2


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as the channel holds it."""

    id: int
    date: datetime
    text: str | None = None
    caption: str | None = None
    kind: str | None = None
    """``photo`` or ``video``."""
    file: bytes = b""
    album: str | None = None
    answers: int | None = None
    silent: bool = False
    links: tuple[tuple[str, str], ...] = ()
    """Words that are links, and where to."""
    hidden: bool = False
    """Whether the picture is under a blur."""
    preview: Json = field(default_factory=dict)
    """Its link_preview_options."""

    @property
    def shown(self) -> str:
        """What stands there to be read."""
        return self.text if self.text is not None else self.caption or ""


@dataclass(kw_only=True)
class Chat:
    """A channel or group, and what the bot may do there."""

    id: int
    type: str = "channel"
    title: str = "Les Amis du Vélo"
    username: str | None = "amisduvelo"
    bot_status: str = "administrator"
    """``administrator``, ``member``, ``left`` or ``kicked``."""
    bot_may_post: bool = True
    migrated_to: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    last_id: int = 1

    @property
    def shown(self) -> list[Message]:
        """What members see, oldest first; an album is several messages."""
        return [self.messages[number] for number in sorted(self.messages)]


class TelegramSimulator(Simulator):
    """One bot and the chats it may know."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.tokens = {BOT_TOKEN}
        self.bot = {"id": 4839574812, "is_bot": True, "first_name": "Le Vélo", "username": "amisduvelo_bot"}
        self.channel = Chat(id=-1001234567890)
        self.chats = [self.channel]
        self.app.router.add_route("*", "/bot{token:[^/]*}/{method}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            self._authorize(request.match_info["token"])
            method = method_named(request.match_info["method"])
            result = self._carry_out(method, *await received(request, method))
        except Refusal as error:
            return web.Response(status=error.code, body=error.body, content_type="application/json")
        return web.json_response({"ok": True, "result": result})

    def _authorize(self, token: str) -> None:
        if not re.fullmatch(r"\d+:[\w-]+", token):
            raise Refusal(404, "Not Found")
        if token not in self.tokens:
            raise Refusal(401, "Unauthorized")

    def _carry_out(self, method: str, params: Json, files: Files) -> Any:
        if method == "getMe":
            return self.bot
        chat = self._chat(params.get("chat_id"))
        if method == "getChat":
            return self._chat_json(chat) | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}
        if method == "getChatMember":
            return self._member_json(chat, params["user_id"])
        self._require_posting(chat)
        if method.startswith("send"):
            return self._send(method, chat, params, files)
        if method.startswith("edit"):
            return self._edit(method, chat, params, files)
        return self._delete(chat, params.get("message_ids") or [params["message_id"]], several="message_ids" in params)

    def _chat(self, chat_id: int | str | None) -> Chat:
        for chat in self.chats:
            known = {str(chat.id), f"@{chat.username}".lower() if chat.username else ""}
            if str(chat_id).lower() not in known:
                continue
            if chat.migrated_to is not None:
                raise Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
            if chat.bot_status == "kicked":
                raise Refusal(403, f"Forbidden: bot was kicked from the {chat.type} chat")
            return chat
        raise Refusal(400, "Bad Request: chat not found")

    def _require_posting(self, chat: Chat) -> None:
        if chat.bot_status == "left":
            raise Refusal(403, f"Forbidden: bot is not a member of the {chat.type} chat")
        if chat.type == "channel" and not (chat.bot_status == "administrator" and chat.bot_may_post):
            raise Refusal(400, "Bad Request: need administrator rights in the channel chat")
        if not chat.bot_may_post:
            raise Refusal(400, "Bad Request: not enough rights to send text messages to the chat")

    def _send(self, method: str, chat: Chat, params: Json, files: Files) -> Any:
        answers = self._parent(chat, params.get("reply_parameters"))
        drafts = _drafts(method, params, files)
        sent: list[Json] = []
        for draft in drafts:
            chat.last_id += 1
            album = f"13{chat.last_id - len(sent)}" if len(drafts) > 1 else None
            silent = bool(params.get("disable_notification"))
            message = replace(draft, id=chat.last_id, date=self.now(), answers=answers, album=album, silent=silent)
            chat.messages[message.id] = message
            sent.append(self._message_json(chat, message))
        return sent if method == "sendMediaGroup" else sent[0]

    def _parent(self, chat: Chat, reply: Json | None) -> int | None:
        if reply is None:
            return None
        number = int(reply["message_id"])
        if number in chat.messages:
            return number
        if reply.get("allow_sending_without_reply"):
            return None
        raise Refusal(400, "Bad Request: message to be replied not found")

    def _edit(self, method: str, chat: Chat, params: Json, files: Files) -> Json:
        before = chat.messages.get(params.get("message_id", 0))
        if before is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        after = _edited(method, before, params, files)
        if after == before:
            raise Refusal(400, f"Bad Request: {_NOT_MODIFIED}")
        chat.messages[before.id] = after
        return self._message_json(chat, after) | {"edit_date": _unix(self.now())}

    def _delete(self, chat: Chat, numbers: Iterable[int], *, several: bool) -> bool:
        found = [chat.messages[number] for number in numbers if number in chat.messages]
        if not found and not several:
            raise Refusal(400, "Bad Request: message to delete not found")
        if any(self.now() - message.date >= DELETABLE_FOR for message in found):
            raise Refusal(400, "Bad Request: message can't be deleted")
        for message in found:
            del chat.messages[message.id]
        return True

    def _chat_json(self, chat: Chat) -> Json:
        named = {"username": chat.username} if chat.username else {}
        return {"id": chat.id, "type": chat.type, "title": chat.title, **named}

    def _member_json(self, chat: Chat, user_id: int) -> Json:
        if chat.type == "channel" and chat.bot_status != "administrator":
            raise Refusal(400, "Bad Request: member list is inaccessible")
        if user_id != self.bot["id"]:
            raise Refusal(400, "Bad Request: user not found")
        member: Json = {"status": chat.bot_status, "user": self.bot}
        if chat.bot_status != "administrator":
            return member
        rights = dict.fromkeys((name for name in telegram()["required"]["ChatMemberAdministrator"] if name.startswith("can_")), False)
        posting = {"can_post_messages": chat.bot_may_post, "can_edit_messages": False} if chat.type == "channel" else {}
        return member | rights | posting | {"is_anonymous": False}

    def _message_json(self, chat: Chat, message: Message) -> Json:
        answer: Json = {"message_id": message.id, "date": _unix(message.date), "chat": self._chat_json(chat)}
        if chat.type == "channel":
            answer["sender_chat"] = self._chat_json(chat)
        if message.text is not None:
            answer["text"] = message.text
        if message.caption:
            answer["caption"] = message.caption
        if message.album:
            answer["media_group_id"] = message.album
        file: Json = {"file_id": f"AgAC{message.id}", "file_unique_id": f"AQAD{message.id}", "width": 640, "height": 480}
        if message.kind == "photo":
            answer["photo"] = [file]
        if message.kind == "video":
            answer["video"] = file | {"duration": 12}
        return answer


_NO_GIFTS = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup"
    " of the message"
)


def _unix(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp())


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _text(params: Json) -> Json:
    text = str(params.get("text", "")).strip()
    if not text:
        raise Refusal(400, "Bad Request: message text is empty")
    if _units(text) > limit("sendMessage", "text"):
        raise Refusal(400, "Bad Request: message is too long")
    return {"text": text, "links": _links(str(params["text"]), params.get("entities"))}


def _caption(params: Json) -> Json:
    caption = str(params.get("caption", "")).strip()
    if _units(caption) > limit("sendPhoto", "caption"):
        raise Refusal(400, "Bad Request: message caption is too long")
    return {"caption": caption, "links": _links(str(params.get("caption", "")), params.get("caption_entities"))}


def _links(text: str, entities: list[Json] | None) -> tuple[tuple[str, str], ...]:
    """https://core.telegram.org/bots/api#messageentity: offset and length in UTF-16 units."""
    units, found = text.encode("utf-16-le"), []
    for entity in entities or []:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if entity["type"] != "text_link":
            raise Refusal(501, f"Not Implemented: {entity['type']}")
        if not 0 <= start < end <= len(units) // 2:
            raise Refusal(400, "Bad Request: entity is out of the text")
        try:
            words = units[2 * start : 2 * end].decode("utf-16-le")
        except UnicodeDecodeError as error:
            raise Refusal(400, "Bad Request: entity begins or ends in the middle of a sign") from error
        if not re.match(r"https?://[^\s/]", entity.get("url", "")):
            raise Refusal(400, "Bad Request: entity has no address")
        found.append((words, entity["url"]))
    return tuple(found)


def _drafts(method: str, params: Json, files: Files) -> list[Message]:
    """The messages that a call makes, without number and date."""
    empty = Message(id=0, date=datetime.min.replace(tzinfo=UTC))
    if method == "sendMessage":
        return [replace(empty, preview=params.get("link_preview_options") or {}, **_text(params))]
    if method != "sendMediaGroup":
        kind = method.removeprefix("send").lower()
        hidden = bool(params.get("has_spoiler"))
        return [replace(empty, kind=kind, file=_file(kind, files.get(kind, b"")), hidden=hidden, **_caption(params))]
    if not 2 <= len(params["media"]) <= limit("sendMediaGroup", "media"):
        raise Refusal(400, "Bad Request: wrong number of media in the album")
    return [replace(empty, **_media(one, files)) for one in params["media"]]


def _media(media: Json, files: Files) -> Json:
    name = str(media["media"]).removeprefix("attach://")
    file = _file(media["type"], files.get(name, b""))
    return {"kind": media["type"], "file": file, "hidden": bool(media.get("has_spoiler")), **_caption(media)}


def _file(kind: str, data: bytes) -> bytes:
    """``data``, when it is what its kind asks for (https://core.telegram.org/bots/api#sendphoto)."""
    if kind == "video":
        if data[4:8] != b"ftyp" or len(data) > VIDEO_MAX_BYTES:
            raise Refusal(400, "Bad Request: wrong type of the file")
        return data
    if len(data) > PHOTO_MAX_BYTES:
        raise Refusal(400, "Bad Request: PHOTO_SAVE_FILE_INVALID")
    width, height = _size(data)
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise Refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    return data


def _size(data: bytes) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(data), formats=["JPEG", "PNG"]) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError) as error:
        raise Refusal(400, "Bad Request: IMAGE_PROCESS_FAILED") from error


def _edited(method: str, before: Message, params: Json, files: Files) -> Message:
    if method == "editMessageText":
        if before.text is None:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        return replace(before, preview=params.get("link_preview_options") or {}, **_text(params))
    if method == "editMessageMedia":
        return replace(before, text=None, preview={}, **_media(params["media"], files))
    if before.kind is None:
        raise Refusal(400, "Bad Request: there is no caption in the message to edit")
    return replace(before, **_caption(params))

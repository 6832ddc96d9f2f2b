"""Discord's webhooks on loopback: messages posted, edited and deleted by whoever knows the address, checked against the specification.

https://discord.com/developers/docs/resources/webhook, reduced in ``data/discord-openapi.json``. Only version 10 of the API answers: without
a version in the address, Discord takes one that it no longer documents. Stricter than Discord in one thing: a field that the specification
does not know is refused instead of ignored, so that a typing error shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from syndicator.sandbox.forms import parts
from syndicator.sandbox.openapi import Flaw, flaws
from syndicator.sandbox.published import discord
from syndicator.sandbox.server import Simulator

Json = dict[str, Any]

EPOCH_MS = 1_420_070_400_000
"""https://discord.com/developers/docs/reference#snowflakes"""
CONTENT_MAX = 2000
EMBEDS_MAX = 6000
FILE_MAX_BYTES = 10 * 1024**2
REQUEST_MAX_BYTES = 25 * 1024**2
BUCKET_LIMIT = 5
BUCKET_PERIOD = timedelta(seconds=2)
SUPPRESS_EMBEDS = 1 << 2
TOKEN = "ig5AO-wdVWpCBtUUMxmgsWryqgsW3DChbKYOINftJ4DCrUbnkedoYZD0VOH1QLr-S3sV"  # noqa: S105
_CODES = {
    "maxLength": "BASE_TYPE_MAX_LENGTH",
    "minLength": "BASE_TYPE_MIN_LENGTH",
    "maxItems": "BASE_TYPE_MAX_LENGTH",
    "required": "BASE_TYPE_REQUIRED",
    "enum": "BASE_TYPE_CHOICES",
    "const": "BASE_TYPE_CHOICES",
    "pattern": "NUMBER_TYPE_COERCE",
}


_MASKED = re.compile(r"(?<!\\)(?P<before>(?:\\\\)*)\[(?P<words>(?:\\.|(?!://)[^\]\\\n])+)\]\(<(?P<url>https?://[^<>\s]+)>\)")
"""https://support.discord.com/hc/articles/210298617: not of words that are an address themselves."""


class Refusal(Exception):
    """What the API answers instead of a result (https://discord.com/developers/docs/topics/opcodes-and-status-codes#json)."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        self.status = status
        self.body = refusal(code, message, **more)
        super().__init__(message)


def _read(text: str) -> str:
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text)


def refusal(code: int, message: str, **more: Any) -> bytes:
    """The body of a refusal."""
    return json.dumps({"message": message, "code": code, **more}).encode()


@dataclass(frozen=True, kw_only=True)
class File:
    """An attachment as the message holds it."""

    id: str
    filename: str
    content_type: str
    data: bytes
    description: str | None = None

    @property
    def covered(self) -> bool:
        """Whether it shows only to who clicks it: its name says so."""
        return self.filename.startswith("SPOILER_")


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as the channel holds it."""

    id: str
    channel_id: str
    at: datetime
    username: str
    content: str = ""
    embeds: tuple[Json, ...] = ()
    files: tuple[File, ...] = ()
    flags: int = 0
    pings: tuple[str, ...] = ()
    """Whom it called: ``everyone``, ``here``, or a number."""
    edited_at: datetime | None = None

    @property
    def shown(self) -> str:
        """The text as people read it: links show their words, and backslashes do their work, of what stands before a sign that is no
        letter, digit or space."""
        return _read(_MASKED.sub(lambda link: link["before"] + link["words"], self._written))

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Words that are links, and where to."""
        return tuple((_read(link["words"]), link["url"]) for link in _MASKED.finditer(self._written))

    @property
    def _written(self) -> str:
        return self.content or "".join(str(embed.get("description", "")) for embed in self.embeds)


@dataclass(kw_only=True)
class Webhook:
    """One webhook, its channel and its threads."""

    id: str = "245037420704169985"
    token: str = TOKEN
    name: str = "Les Amis du Vélo"
    channel_id: str = "199737254929760256"
    guild_id: str = "199737254929760250"
    forum: bool = False
    threads: set[str] = field(default_factory=set)
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def shown(self) -> list[Message]:
        """What is there, oldest first."""
        return sorted(self.messages.values(), key=lambda message: int(message.id))


class DiscordSimulator(Simulator):
    """One webhook of a server."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.webhook = Webhook()
        self._count = 0
        self._used: dict[str, list[datetime]] = {}
        self.app.middlewares.append(self._limited)
        one = "/api/v10/webhooks/{webhook_id}/{webhook_token}"
        router = self.app.router
        router.add_get(one, self._show)
        router.add_post(one, self._post)
        router.add_get(f"{one}/messages/{{message_id}}", self._read)
        router.add_patch(f"{one}/messages/{{message_id}}", self._edit)
        router.add_delete(f"{one}/messages/{{message_id}}", self._delete)

    @property
    def address(self) -> str:
        """What a person copies from the channel's settings."""
        return f"{self.url}/api/webhooks/{self.webhook.id}/{self.webhook.token}"

    @web.middleware
    async def _limited(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        """https://discord.com/developers/docs/topics/rate-limits: one bucket for each way of using the webhook."""
        name, now = f"{request.method} {request.path.count('/')}", self.now()
        used = [at for at in self._used.get(name, []) if now - at < BUCKET_PERIOD]
        wait = (used[0] + BUCKET_PERIOD - now).total_seconds() if used else BUCKET_PERIOD.total_seconds()
        headers = {
            "X-RateLimit-Limit": str(BUCKET_LIMIT),
            "X-RateLimit-Remaining": str(max(0, BUCKET_LIMIT - len(used) - 1)),
            "X-RateLimit-Reset": f"{(now + timedelta(seconds=wait)).timestamp():.3f}",
            "X-RateLimit-Reset-After": f"{wait:.3f}",
            "X-RateLimit-Bucket": "80c17d2f203122d936070c88c8d10f33",
        }
        if len(used) >= BUCKET_LIMIT:
            body = json.dumps({"message": "You are being rate limited.", "retry_after": wait, "global": False}).encode()
            more = {"Retry-After": str(int(wait) + 1), "X-RateLimit-Scope": "user"}
            return web.Response(status=429, body=body, content_type="application/json", headers=headers | more)
        self._used[name] = [*used, now]
        try:
            response: web.StreamResponse = await handler(request)
        except Refusal as error:
            response = web.Response(status=error.status, body=error.body, content_type="application/json")
        except web.HTTPNotFound:
            response = web.Response(status=404, body=refusal(0, "404: Not Found"), content_type="application/json")
        response.headers.update(headers)
        return response

    def _known(self, request: web.Request) -> Webhook:
        webhook = self.webhook
        if request.match_info["webhook_id"] != webhook.id:
            raise Refusal(404, 10015, "Unknown Webhook")
        if request.match_info["webhook_token"] != webhook.token:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        return webhook

    def _channel(self, request: web.Request, webhook: Webhook) -> str:
        """Where it goes; the query is checked on the way."""
        path = "/webhooks/{webhook_id}/{webhook_token}" + ("/messages/{message_id}" if "message_id" in request.match_info else "")
        known = discord()["calls"][path][request.method.lower()]
        given: Json = {name: {"true": True, "false": False}.get(value, value) for name, value in request.query.items()}
        _refuse(list(flaws({"type": "object", "properties": known}, given, discord()["schemas"])))
        thread = request.query.get("thread_id")
        if thread is not None and thread not in webhook.threads:
            raise Refusal(404, 10003, "Unknown Channel")
        if thread is None and webhook.forum:
            raise Refusal(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
        return thread or webhook.channel_id

    def _message(self, request: web.Request) -> Message:
        webhook = self._known(request)
        channel_id = self._channel(request, webhook)
        found = webhook.messages.get(request.match_info["message_id"])
        if found is None or found.channel_id != channel_id:
            raise Refusal(404, 10008, "Unknown Message")
        return found

    async def _show(self, request: web.Request) -> web.Response:
        webhook = self._known(request)
        return web.json_response({
            "id": webhook.id,
            "type": 1,
            "name": webhook.name,
            "avatar": None,
            "application_id": None,
            "channel_id": webhook.channel_id,
            "guild_id": webhook.guild_id,
            "token": webhook.token,
            "url": self.address,
        })  # fmt: skip

    async def _post(self, request: web.Request) -> web.Response:
        webhook = self._known(request)
        channel_id = self._channel(request, webhook)
        body, files = await _received(request, "IncomingWebhookRequestPartial")
        empty = Message(id=self._snowflake(), channel_id=channel_id, at=self.now(), username=body.get("username") or webhook.name)
        message = self._filled(empty, body, files)
        webhook.messages[message.id] = message
        if request.query.get("wait") != "true":
            return web.Response(status=204)
        return web.json_response(self._json(message))

    async def _read(self, request: web.Request) -> web.Response:
        return web.json_response(self._json(self._message(request)))

    async def _edit(self, request: web.Request) -> web.Response:
        before = self._message(request)
        body, files = await _received(request, "IncomingWebhookUpdateRequestPartial")
        after = replace(self._filled(before, body, files), edited_at=self.now())
        self.webhook.messages[after.id] = after
        return web.json_response(self._json(after))

    async def _delete(self, request: web.Request) -> web.Response:
        del self.webhook.messages[self._message(request).id]
        return web.Response(status=204)

    def _filled(self, before: Message, body: Json, files: dict[str, File]) -> Message:
        """``before`` with what the body says; what it leaves out stays."""
        content = body.get("content") or "" if "content" in body else before.content
        embeds = tuple(body.get("embeds") or ()) if "embeds" in body else before.embeds
        kept = self._attached(before, body, files)
        if not (content.strip() or embeds or kept):
            raise Refusal(400, 50006, "Cannot send an empty message")
        flags = body.get("flags") or 0
        if flags & ~SUPPRESS_EMBEDS:
            raise Refusal(400, 50035, "Invalid Form Body", errors={"flags": _errors("BAD_FLAGS", "Only SUPPRESS_EMBEDS may be set")})
        pings = _pings(content, body.get("allowed_mentions"))
        return replace(before, content=content, embeds=embeds, files=kept, flags=flags, pings=pings)

    def _attached(self, before: Message, body: Json, files: dict[str, File]) -> tuple[File, ...]:
        """https://discord.com/developers/docs/reference#editing-message-attachments"""
        named = body.get("attachments")
        if named is None:
            return before.files + tuple(replace(file, id=self._snowflake()) for file in files.values())
        old = {file.id: file for file in before.files}
        found = []
        for one in named:
            if one["id"] in old:
                file = old[one["id"]]
            elif one["id"] in files:
                file = replace(files[one["id"]], id=self._snowflake())
            else:
                raise Refusal(400, 50035, "Invalid Form Body", errors={"attachments": _errors("ATTACHMENT_NOT_FOUND", "Not found")})
            described = {key: one[key] for key in ("description", "filename") if key in one}
            found.append(replace(file, **described))
        return tuple(found)

    def _snowflake(self) -> str:
        self._count += 1
        return str((int(self.now().timestamp() * 1000) - EPOCH_MS << 22) | self._count)

    def _json(self, message: Message) -> Json:
        return {
            "id": message.id,
            "type": 0,
            "channel_id": message.channel_id,
            "webhook_id": self.webhook.id,
            "content": message.content,
            "author": _author(self.webhook.id, message.username),
            "timestamp": message.at.astimezone(UTC).isoformat(),
            "edited_timestamp": message.edited_at.astimezone(UTC).isoformat() if message.edited_at else None,
            "attachments": [self._file_json(message, file) for file in message.files],
            "embeds": list(message.embeds),
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": "everyone" in message.pings,
            "components": [],
            "flags": message.flags,
            "pinned": False,
            "tts": False,
        }

    def _file_json(self, message: Message, file: File) -> Json:
        url = f"https://cdn.discordapp.com/attachments/{message.channel_id}/{file.id}/{file.filename}"
        found: Json = {
            "id": file.id,
            "filename": file.filename,
            "size": len(file.data),
            "url": url,
            "proxy_url": url.replace("cdn.discordapp.com", "media.discordapp.net"),
            "content_type": file.content_type,
        }
        return found | ({"description": file.description} if file.description else {})


def _author(webhook_id: str, name: str) -> Json:
    empty: Json = {"avatar": None, "discriminator": "0000", "public_flags": 0, "flags": 0, "global_name": None, "primary_guild": None}
    return {"id": webhook_id, "username": name, "bot": True, **empty}


async def _received(request: web.Request, schema: str) -> tuple[Json, dict[str, File]]:
    """The body, as JSON or beside files, checked; the files by the number that ``attachments`` calls them."""
    raw = await request.read()
    if len(raw) > REQUEST_MAX_BYTES:
        raise Refusal(413, 40005, "Request entity too large")
    files: dict[str, File] = {}
    text = raw
    if request.content_type == "multipart/form-data":
        text = b"{}"
        for part in parts(request.headers["Content-Type"], raw):
            number = re.fullmatch(r"files\[(\d+)\]", part.name)
            if number:
                files[number[1]] = File(id="", filename=part.filename or "", content_type=part.content_type, data=part.body)
            elif part.name == "payload_json":
                text = part.body
    try:
        body = json.loads(text)
    except ValueError as error:
        raise Refusal(400, 50109, "The request body contains invalid JSON.") from error
    if any(len(file.data) > FILE_MAX_BYTES for file in files.values()):
        raise Refusal(413, 40005, "Request entity too large")
    _refuse([*flaws(discord()["schemas"][schema], body, discord()["schemas"]), *_unpublished(body)])
    return body, files


def _unpublished(body: Json) -> list[Flaw]:
    """Limits that the prose of the documentation states and the schema does not."""
    found = []
    if len(str(body.get("content") or "").encode("utf-16-le")) // 2 > CONTENT_MAX:
        found.append(Flaw(path=("content",), keyword="maxLength", limit=CONTENT_MAX))
    if sum(len(str(embed.get("description") or "")) for embed in body.get("embeds") or []) > EMBEDS_MAX:
        found.append(Flaw(path=("embeds",), keyword="maxLength", limit=EMBEDS_MAX))
    if "discord" in str(body.get("username") or "").lower():
        found.append(Flaw(path=("username",), keyword="USERNAME_INVALID_CONTAINS", limit="discord"))
    return found


def _refuse(found: list[Flaw]) -> None:
    """https://discord.com/developers/docs/reference#error-messages: a tree of the places, each with its errors."""
    if not found:
        return
    tree: Json = {}
    for flaw in found:
        place = tree
        for name in flaw.path:
            place = place.setdefault(name, {})
        place |= _errors(_CODES.get(flaw.keyword, flaw.keyword), f"{flaw.keyword}: {flaw.limit}")
    raise Refusal(400, 50035, "Invalid Form Body", errors=tree)


def _errors(code: str, message: str) -> Json:
    return {"_errors": [{"code": code, "message": message}]}


def _pings(content: str, allowed: Json | None) -> tuple[str, ...]:
    """Whom the content calls, unless ``allowed_mentions`` says otherwise."""
    kinds = ["everyone", "users", "roles"] if allowed is None else allowed.get("parse") or []
    found = re.findall(r"@(everyone|here)\b", content) if "everyone" in kinds else []
    found += re.findall(r"<@!?(\d+)>", content) if "users" in kinds else []
    found += re.findall(r"<@&(\d+)>", content) if "roles" in kinds else []
    return tuple(found)

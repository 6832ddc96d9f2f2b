"""A Rocket.Chat server on loopback: one room, an account in it. It refuses what the server's source code refuses.

https://github.com/RocketChat/Rocket.Chat (apps/meteor/app/api/server/v1/{chat,rooms}.ts and app/lib/server, 7 and 8) and
https://github.com/RocketChat/Rocket.Chat-Open-API, whose licence is not stated: nothing of it is copied here. Never compared to a real one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from syndicator.sandbox.forms import parts
from syndicator.sandbox.server import Simulator

Json = dict[str, Any]

TEXT_MAX = 5000
CALLS_MAX = 10
CALLS_PERIOD = timedelta(seconds=60)
UPLOADS_LIVE = timedelta(hours=24)
_MESSAGE_FIELDS = frozenset({"_id", "rid", "msg", "tmid", "tshow", "alias", "emoji", "avatar", "attachments", "blocks", "customFields"})
_CONFIRM_FIELDS = frozenset({"avatar", "emoji", "alias", "groupable", "msg", "tmid", "customFields", "t", "content", "description"})
_CALLED = re.compile(r"(?:^|\s|>)@([0-9a-zA-Z-_.]+)", re.MULTILINE)
ALIKE = str.maketrans({"\u2217": "*", "\u02cd": "_", "\u223c": "~", "\u02cb": "`", "\u2060": None})


class Refusal(Exception):
    """API.v1.failure and its kin: a sentence, and sometimes a code."""

    def __init__(self, error: str | None = None, code: str = "", *, status: int = 400, **more: Any) -> None:
        self.status = status
        told = {} if error is None else {"error": f"{error} [{code}]" if code and code != error else error}
        self.body = {"success": False, **told, **({"errorType": code} if code else {}), **more}
        super().__init__(error)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was uploaded, and may be shown."""

    id: str
    name: str
    media_type: str
    data: bytes
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as the room holds it."""

    id: str
    user_id: str
    at: datetime
    msg: str = ""
    tmid: str = ""
    file: Upload | None = None
    description: str = ""
    kind: str = ""
    hidden: bool = False
    edited_at: datetime | None = None

    @property
    def shown(self) -> str:
        """The text as people read it."""
        return self.msg.translate(ALIKE)

    @property
    def called(self) -> list[str]:
        """Whom it calls, in its text and in its description."""
        return _CALLED.findall(self.msg) + _CALLED.findall(self.description)


@dataclass(kw_only=True)
class Room:
    """One room."""

    id: str = "6GFJ3tbmHiyHbahmC"
    name: str = "annonces"
    kind: str = "c"
    member: bool = True
    read_only: bool = False
    archived: bool = False
    encrypted: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def shown(self) -> list[Message]:
        """What people see, oldest first."""
        return [message for message in self.messages.values() if not message.kind and not message.hidden]


class RocketchatSimulator(Simulator):
    """One workspace with one room."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.room = Room()
        self.user_id = "rbAXPnMktTFbNpwtJ"
        self.token = "t0k3n" * 8
        self.uploads: dict[str, Upload] = {}
        self.text_max = TEXT_MAX
        self.file_max: int = 104_857_600
        self.keep = ""
        """What becomes of deleted messages: ``""`` nothing is left, ``rm`` a note, ``hidden`` themselves."""
        self.block_after: timedelta | None = None
        """How long messages may be edited and deleted."""
        self.calls_max: int | None = None
        """How many calls of a kind in a minute; None: as for the role bot."""
        self._calls: dict[str, list[datetime]] = {}
        self._count = 0
        self.app.middlewares.append(self._refusing)
        router, api = self.app.router, "/api/v1"
        router.add_get(f"{api}/me", self._me)
        router.add_get(f"{api}/rooms.info", self._info)
        router.add_get(f"{api}/settings.public", self._settings)
        router.add_post(f"{api}/chat.sendMessage", self._send)
        router.add_post(f"{api}/chat.update", self._update)
        router.add_post(f"{api}/chat.delete", self._delete)
        router.add_get(f"{api}/chat.getMessage", self._get)
        router.add_get(f"{api}/chat.syncMessages", self._sync)
        router.add_post(f"{api}/rooms.media/{{rid}}", self._upload)
        router.add_post(f"{api}/rooms.mediaConfirm/{{rid}}/{{file_id}}", self._confirm)

    @web.middleware
    async def _refusing(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            if (request.headers.get("X-Auth-Token"), request.headers.get("X-User-Id")) != (self.token, self.user_id):
                body = {"status": "error", "message": "You must be logged in to do this."}
                return web.json_response(body, status=401)
            headers = self._counted(request)
            response: web.Response = await handler(request)
        except Refusal as refusal:
            response = web.json_response(refusal.body, status=refusal.status, headers=refusal.body.pop("headers", None))
        except web.HTTPNotFound:
            response = web.json_response({"success": False, "error": "API endpoint does not exist"}, status=404)
        response.headers.update(headers)
        return response

    def _counted(self, request: web.Request) -> dict[str, str]:
        """A limit for each route (ApiClass.ts, enforceRateLimit)."""
        if self.calls_max is None:
            return {}
        route, now = f"{request.method} {request.path.split('/')[3]}", self.now()
        recent = [at for at in self._calls.get(route, []) if now - at < CALLS_PERIOD]
        reset = str(int(((recent[0] if recent else now) + CALLS_PERIOD).timestamp() * 1000))
        headers = {"X-RateLimit-Limit": str(self.calls_max), "X-RateLimit-Reset": reset}
        if len(recent) >= self.calls_max:
            said = "Error, too many requests. Please slow down. You must wait 60 seconds before trying this endpoint again."
            raise Refusal(f"{said} [error-too-many-requests]", status=429, headers={**headers, "X-RateLimit-Remaining": "0"})
        self._calls[route] = [*recent, now]
        return headers

    def _writable(self, room_id: str) -> None:
        """canSendMessageAsync: refusals without a code of their own."""
        if room_id != self.room.id:
            raise Refusal("error-invalid-room")
        if not self.room.member:
            raise Refusal("error-not-allowed")
        if self.room.read_only:
            raise Refusal("You can't send messages because the room is readonly.")

    async def _me(self, _: web.Request) -> web.Response:
        return _success({"_id": self.user_id, "username": "agenda", "roles": ["user"]})

    async def _info(self, request: web.Request) -> web.Response:
        room, asked = self.room, dict(request.query)
        if asked not in ({"roomName": room.name}, {"roomId": room.id}):
            raise Refusal('The required "roomId" or "roomName" param provided does not match any channel', "error-room-not-found")
        if room.archived:
            raise Refusal(f"The channel, {room.name}, is archived", "error-room-archived")
        if not room.member:
            raise Refusal("not-allowed", "Not Allowed")
        shown: Json = {"_id": room.id, "name": room.name, "t": room.kind, "ro": room.read_only}
        return _success({"room": shown | ({"encrypted": True} if room.encrypted else {})})

    async def _settings(self, request: web.Request) -> web.Response:
        known = {"Message_MaxAllowedSize": self.text_max, "FileUpload_MaxFileSize": self.file_max, "Site_Name": "Asso"}
        wanted = request.query.get("_id", ",".join(known)).split(",")
        return _success({"settings": [{"_id": name, "value": known[name]} for name in wanted if name in known]})

    async def _send(self, request: web.Request) -> web.Response:
        body = await _object(request, frozenset({"message", "previewUrls"}))
        sent = body.get("message")
        if not isinstance(sent, dict) or not sent.keys() <= _MESSAGE_FIELDS or not isinstance(sent.get("msg", ""), str):
            raise Refusal("must have required property 'message'", "invalid-params")
        if len(sent.get("msg", "").encode("utf-16-le")) // 2 > self.text_max:
            raise Refusal("Message size exceeds Message_MaxAllowedSize", "error-message-size-exceeded")
        self._writable(str(sent.get("rid", "")))
        if self.room.encrypted:
            raise Refusal("Not allowed to send un-encrypted messages in an encrypted room", "error-not-allowed")
        if sent.get("_id") in self.room.messages:
            # sendMessage answers nothing, and what shall be made of it fails.
            raise Refusal("Cannot read properties of undefined (reading 'starred')")
        message = Message(id=str(sent.get("_id") or self._new()), user_id=self.user_id, at=self.now(), msg=sent.get("msg", ""))
        return self._added(replace(message, tmid=self._thread(sent)))

    async def _update(self, request: web.Request) -> web.Response:
        body = await _object(request, frozenset({"roomId", "msgId", "text", "previewUrls", "customFields"}))
        message = self._named(body)
        self._in_time(message, "error-message-editing-blocked", "Message editing is blocked")
        self._writable(self.room.id)
        # The text of a message with a file is the file's description.
        changes: Json = {"description": body["text"]} if message.file else {"msg": body["text"]}
        after = replace(message, **changes, edited_at=self.now())
        self.room.messages[after.id] = after
        return _success({"message": self._json(after)})

    async def _delete(self, request: web.Request) -> web.Response:
        message = self._named(await _object(request, frozenset({"roomId", "msgId", "asUser", "fileId"})))
        self._in_time(message, "error-message-deleting-blocked", "Message deleting is blocked")
        if not self.room.member:
            raise Refusal("error-action-not-allowed")
        if self.keep:
            self.room.messages[message.id] = replace(message, kind="rm" if self.keep == "rm" else "", hidden=self.keep == "hidden", msg="")
        else:
            del self.room.messages[message.id]
        return _success({"_id": message.id, "ts": str(int(self.now().timestamp() * 1000)), "message": {"_id": message.id}})

    async def _get(self, request: web.Request) -> web.Response:
        message = self.room.messages.get(request.query.get("msgId", ""))
        if message is None:
            raise Refusal
        if not self.room.member:
            raise Refusal("Not allowed", "error-not-allowed")
        return _success({"message": self._json(message)})

    async def _sync(self, request: web.Request) -> web.Response:
        if request.query.get("roomId") != self.room.id or not self.room.member:
            raise Refusal("Not allowed", "error-not-allowed")
        since = datetime.fromisoformat(request.query["lastUpdate"])
        updated = [message for message in self.room.messages.values() if max(message.at, message.edited_at or message.at) >= since]
        return _success({"result": {"updated": [self._json(message) for message in updated], "deleted": []}})

    async def _upload(self, request: web.Request) -> web.Response:
        if request.match_info["rid"] != self.room.id or not self.room.member:
            raise Refusal("unauthorized", status=403)
        files = [part for part in parts(request.headers["Content-Type"], await request.read()) if part.name == "file"]
        if not files:
            raise Refusal("[invalid-field]", "invalid-field")
        if len(files[0].body) > self.file_max:
            raise Refusal("[error-file-too-large]", "error-file-too-large")
        upload = Upload(id=self._new(), name=files[0].filename or "", media_type=files[0].content_type, data=files[0].body, at=self.now())
        self.uploads[upload.id] = upload
        return _success({"file": {"_id": upload.id, "url": f"/file-upload/{upload.id}/{upload.name}"}})

    async def _confirm(self, request: web.Request) -> web.Response:
        """Each confirmation makes a message, also the second of the same file."""
        if request.match_info["rid"] != self.room.id or not self.room.member:
            raise Refusal("unauthorized", status=403)
        body = await _object(request, _CONFIRM_FIELDS)
        upload = self.uploads.get(request.match_info["file_id"])
        if upload is None or self.now() - upload.at > UPLOADS_LIVE:
            raise Refusal("[invalid-file]", "invalid-file")
        if len(str(body.get("description", ""))) > self.text_max:
            raise Refusal("[error-message-size-exceeded]", "error-message-size-exceeded")
        self._writable(self.room.id)
        message = Message(id=self._new(), user_id=self.user_id, at=self.now(), file=upload, description=str(body.get("description", "")))
        return self._added(replace(message, tmid=self._thread(body)))

    def _thread(self, body: Json) -> str:
        """Threads in threads are taken for the thread."""
        tmid = str(body.get("tmid") or "")
        parent = self.room.messages.get(tmid)
        return (parent.tmid or tmid) if parent else tmid

    def _added(self, message: Message) -> web.Response:
        self.room.messages[message.id] = message
        return _success({"message": self._json(message)})

    def _named(self, body: Json) -> Message:
        message = self.room.messages.get(str(body.get("msgId", "")))
        if message is None:
            raise Refusal(f'No message found with the id of "{body.get("msgId")}".')
        if body.get("roomId") != self.room.id:
            raise Refusal("The room id provided does not match where the message is from.")
        return message

    def _in_time(self, message: Message, code: str, said: str) -> None:
        if self.block_after is not None and self.now() - message.at > self.block_after:
            raise Refusal(said, code)

    def _new(self) -> str:
        self._count += 1
        return f"server{self._count:011d}"

    def _json(self, message: Message) -> Json:
        found: Json = {
            "_id": message.id,
            "rid": self.room.id,
            "msg": message.msg,
            "ts": message.at.isoformat(),
            "u": {"_id": message.user_id, "username": "agenda"},
        }
        found |= {"tmid": message.tmid} if message.tmid else {}
        found |= {"t": message.kind} if message.kind else {}
        found |= {"_hidden": True} if message.hidden else {}
        if message.file is not None:
            name = message.file.name
            found["file"] = {"_id": message.file.id, "name": name, "type": message.file.media_type}
            found["attachments"] = [{"title": name, "type": "file", "description": message.description}]
        return found


def _success(body: Json) -> web.Response:
    return web.json_response({**body, "success": True})


async def _object(request: web.Request, known: frozenset[str]) -> Json:
    """The body's object; ``additionalProperties: false``, as their schemas say."""
    try:
        found = json.loads(await request.read())
    except ValueError as error:
        raise Refusal("Invalid JSON", "invalid-params") from error
    if not isinstance(found, dict) or not found.keys() <= known:
        raise Refusal("must NOT have additional properties", "invalid-params")
    return found

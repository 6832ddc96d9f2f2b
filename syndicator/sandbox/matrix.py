"""A Matrix homeserver on loopback: one room, its members, what is written there. It refuses what Synapse 1.163 was seen to refuse.

https://spec.matrix.org/v1.16/client-server-api/; ``python -m interop matrix`` asks it and a real Synapse the same questions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from syndicator.sandbox.matrix_checks import Refusal, check_content, number, read_json
from syndicator.sandbox.server import Simulator

Json = dict[str, Any]

SERVER = "asso.example"
TRANSACTIONS_KEPT = timedelta(hours=24)
UPLOAD_MAX = 50 * 1024**2
EDITS = "m.replace"


@dataclass(kw_only=True)
class Device:
    """Who a token speaks for."""

    user_id: str
    device_id: str


@dataclass(kw_only=True)
class Event:
    """What stands in a room."""

    event_id: str
    sender: str
    at: datetime
    content: Json
    redacted: bool = False

    @property
    def relation(self) -> Json:
        """What it has to do with another event."""
        found = self.content.get("m.relates_to")
        return found if isinstance(found, dict) else {}


@dataclass(kw_only=True)
class Room:
    """One room; its events oldest first."""

    room_id: str = "!RnYxYZabcdefghijklmnopqrstuvwxyz0123456789AB"
    """Since version 12 there is no server in it."""
    alias: str = f"#annonces:{SERVER}"
    creator: str = f"@admin:{SERVER}"
    members: set[str] = field(default_factory=set)
    invited: set[str] = field(default_factory=set)
    encrypted: bool = False
    levels: Json = field(default_factory=lambda: {"users": {}, "users_default": 0, "events_default": 0})
    events: list[Event] = field(default_factory=list)

    def may_write(self, user_id: str) -> bool:
        """Whether the account's level suffices."""
        needed = self.levels.get("events", {}).get("m.room.message", self.levels["events_default"])
        return user_id == self.creator or self.levels["users"].get(user_id, self.levels["users_default"]) >= needed

    def event(self, event_id: str) -> Event | None:
        """By its number."""
        return next((event for event in self.events if event.event_id == event_id), None)

    def edits_of(self, event: Event) -> list[Event]:
        """Those of its author that still stand, newest first."""
        found = [
            one
            for one in self.events
            if one.relation.get("rel_type") == EDITS and one.relation.get("event_id") == event.event_id and one.sender == event.sender
        ]
        return found[::-1]

    def shown(self, event: Event) -> Json:
        """Its content as clients show it."""
        edits = self.edits_of(event)
        return dict(edits[0].content["m.new_content"]) if edits else event.content

    @property
    def messages(self) -> list[Event]:
        """What people see, oldest first: no edits, nothing redacted."""
        return [event for event in self.events if not event.redacted and event.relation.get("rel_type") != EDITS]


class MatrixSimulator(Simulator):
    """One homeserver."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.room = Room()
        self.passwords: dict[str, str] = {}
        self.tokens: dict[str, Device] = {}
        self.media: dict[str, tuple[str, bytes]] = {}
        self.upload_max = UPLOAD_MAX
        self.burst: int | None = None
        """How many events an account may send at once, with one more every five seconds; None: as many as it likes."""
        self._sent_at: list[datetime] = []
        self._transactions: dict[tuple[str, str, str], tuple[datetime, Json]] = {}
        self._count = 0
        self.app.middlewares.append(self._refusing)
        router, v3, room = self.app.router, "/_matrix/client/v3", "/_matrix/client/v3/rooms/{room_id}"
        router.add_get("/_matrix/client/versions", self._versions)
        router.add_post(f"{v3}/login", self._login)
        router.add_get(f"{v3}/account/whoami", self._whoami)
        router.add_get(f"{v3}/directory/room/{{alias}}", self._directory)
        router.add_get(f"{v3}/joined_rooms", self._joined)
        router.add_get(f"{v3}/sync", self._sync)
        router.add_post(f"{v3}/join/{{room}}", self._join)
        router.add_get(f"{room}/state/{{type}}/", self._state)
        router.add_put(f"{room}/send/{{type}}/{{txn}}", self._send)
        router.add_put(f"{room}/redact/{{event_id}}/{{txn}}", self._redact)
        router.add_get(f"{room}/event/{{event_id}}", self._event)
        router.add_get(f"{room}/messages", self._messages)
        router.add_get("/_matrix/client/v1/rooms/{room_id}/relations/{event_id}/{rel_type}", self._relations)
        router.add_get("/_matrix/client/v1/media/config", self._config)
        router.add_post("/_matrix/media/v3/upload", self._upload)

    def add_account(self, name: str, password: str) -> str:
        """An account that can log in; its full name."""
        user_id = f"@{name}:{SERVER}"
        self.passwords[user_id] = password
        return user_id

    def add_token(self, user_id: str, device_id: str) -> str:
        """A token for one of its devices; the device's earlier ones are over."""
        self.tokens = {token: device for token, device in self.tokens.items() if device != Device(user_id=user_id, device_id=device_id)}
        self._count += 1
        token = f"syt_{self._count}_{'k' * 20}"
        self.tokens[token] = Device(user_id=user_id, device_id=device_id)
        return token

    @web.middleware
    async def _refusing(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        try:
            return await handler(request)  # type: ignore[no-any-return]
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
            return web.json_response({"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"}, status=error.status)

    def _device(self, request: web.Request) -> Device:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            raise Refusal(401, "M_MISSING_TOKEN", "Missing access token")
        if token not in self.tokens:
            raise Refusal(401, "M_UNKNOWN_TOKEN", "Invalid access token passed.", soft_logout=False)
        return self.tokens[token]

    def _entered(self, request: web.Request) -> Device:
        """Who asks, who must be in the room."""
        device = self._device(request)
        if request.match_info["room_id"] != self.room.room_id or device.user_id not in self.room.members:
            raise Refusal(
                403, "M_FORBIDDEN", f"User {device.user_id} not in room {request.match_info['room_id']}, and room previews are disabled"
            )
        return device

    async def _versions(self, _: web.Request) -> web.Response:
        return web.json_response({"versions": ["v1.11", "v1.12"], "unstable_features": {}})

    async def _login(self, request: web.Request) -> web.Response:
        body = read_json(await request.read())
        user = str((body.get("identifier") or {}).get("user", ""))
        user_id = user if user.startswith("@") else f"@{user}:{SERVER}"
        if body.get("type") != "m.login.password":
            raise Refusal(400, "M_INVALID_PARAM", "Invalid login submission")
        if user_id not in self.passwords or self.passwords[user_id] != body.get("password"):
            raise Refusal(403, "M_FORBIDDEN", "Invalid username or password")
        device_id = str(body.get("device_id") or "NEWDEVICE")
        token = self.add_token(user_id, device_id)
        return web.json_response({"user_id": user_id, "access_token": token, "home_server": SERVER, "device_id": device_id})

    async def _whoami(self, request: web.Request) -> web.Response:
        device = self._device(request)
        return web.json_response({"user_id": device.user_id, "is_guest": False, "device_id": device.device_id})

    async def _directory(self, request: web.Request) -> web.Response:
        if request.match_info["alias"] != self.room.alias:
            raise Refusal(404, "M_NOT_FOUND", f"Room alias {request.match_info['alias']} not found")
        return web.json_response({"room_id": self.room.room_id, "servers": [SERVER]})

    async def _joined(self, request: web.Request) -> web.Response:
        return web.json_response({"joined_rooms": [self.room.room_id] if self._device(request).user_id in self.room.members else []})

    async def _sync(self, request: web.Request) -> web.Response:
        device, rooms = self._device(request), Json()
        if device.user_id in self.room.invited:
            state = [{"type": "m.room.create", "state_key": "", "sender": self.room.creator, "content": {"room_version": "12"}}]
            if self.room.encrypted:
                algorithm = {"algorithm": "m.megolm.v1.aes-sha2"}
                state.append({"type": "m.room.encryption", "state_key": "", "sender": self.room.creator, "content": algorithm})
            rooms = {"invite": {self.room.room_id: {"invite_state": {"events": state}}}}
        return web.json_response({"next_batch": "s1", **({"rooms": rooms} if rooms else {})})

    async def _join(self, request: web.Request) -> web.Response:
        device = self._device(request)
        read_json(await request.read())
        if request.match_info["room"] not in (self.room.alias, self.room.room_id):
            raise Refusal(404, "M_NOT_FOUND", f"Room alias {request.match_info['room']} not found")
        if device.user_id not in self.room.invited | self.room.members:
            raise Refusal(403, "M_FORBIDDEN", "You are not invited to this room.")
        self.room.invited.discard(device.user_id)
        self.room.members.add(device.user_id)
        return web.json_response({"room_id": self.room.room_id})

    async def _state(self, request: web.Request) -> web.Response:
        self._entered(request)
        room, kind = self.room, request.match_info["type"]
        known: dict[str, Json] = {"m.room.power_levels": room.levels, "m.room.create": {"room_version": "12"}}
        if room.encrypted:
            known["m.room.encryption"] = {"algorithm": "m.megolm.v1.aes-sha2"}
        if kind not in known:
            raise Refusal(404, "M_NOT_FOUND", "Event not found.")
        if request.query.get("format") == "event":
            return web.json_response({"type": kind, "state_key": "", "sender": room.creator, "content": known[kind]})
        return web.json_response(known[kind])

    async def _send(self, request: web.Request) -> web.Response:
        device = self._entered(request)
        return web.json_response(await self._once(request, device, self._write))

    async def _redact(self, request: web.Request) -> web.Response:
        device = self._entered(request)
        return web.json_response(await self._once(request, device, self._take_away))

    async def _once(self, request: web.Request, device: Device, act: Callable[[web.Request, Device, Json], Json]) -> Json:
        """What the same device gets for the same transaction, for a day, whatever the body says."""
        name = (device.user_id, device.device_id, request.path)
        known = self._transactions.get(name)
        if known is not None and self.now() - known[0] < TRANSACTIONS_KEPT:
            return known[1]
        answer = act(request, device, read_json(await request.read()))
        self._transactions[name] = (self.now(), answer)
        return answer

    def _write(self, _: web.Request, device: Device, content: Json) -> Json:
        self._slow_down()
        if not self.room.may_write(device.user_id):
            raise Refusal(403, "M_FORBIDDEN", "You don't have permission to post that to the room. user_level (0) < send_level (50)")
        check_content(content)
        relation = content.get("m.relates_to") or {}
        target = self.room.event(str(relation.get("event_id", "")))
        if relation.get("rel_type") == "m.thread" and target is not None and target.relation.get("rel_type"):
            raise Refusal(400, "M_UNKNOWN", "Cannot start threads from an event with a relation")
        return {"event_id": self._add(device, content).event_id}

    def _take_away(self, request: web.Request, device: Device, _: Json) -> Json:
        self._slow_down()
        event = self.room.event(request.match_info["event_id"])
        self._count += 1
        # What is not there, and what is another's, is redacted in vain.
        if event is not None and event.sender == device.user_id:
            event.content, event.redacted = {}, True
        return {"event_id": f"$redaction{self._count}"}

    def _slow_down(self) -> None:
        """Synapse's ``rc_message``: a burst, then 0.2 events a second."""
        if self.burst is None:
            return
        since = self.now() - timedelta(seconds=5 * self.burst)
        recent = [at for at in self._sent_at if at > since]
        if len(recent) >= self.burst:
            wait_s = (recent[0] - since).total_seconds()
            raise Refusal(
                429,
                "M_LIMIT_EXCEEDED",
                "Too Many Requests",
                headers={"Retry-After": str(int(wait_s) + 1)},
                retry_after_ms=int(wait_s * 1000),
            )
        self._sent_at = [*recent, self.now()]

    def _add(self, device: Device, content: Json) -> Event:
        self._count += 1
        event = Event(event_id=f"$event{self._count:039d}", sender=device.user_id, at=self.now(), content=content)
        self.room.events.append(event)
        return event

    async def _event(self, request: web.Request) -> web.Response:
        device = self._device(request)
        event = self.room.event(request.match_info["event_id"])
        if event is None or device.user_id not in self.room.members:
            raise Refusal(404, "M_NOT_FOUND", "Event not found.")
        return web.json_response(self._json(event))

    async def _messages(self, request: web.Request) -> web.Response:
        self._entered(request)
        if request.query.get("dir") != "b":
            raise Refusal(400, "M_MISSING_PARAM", "Missing required string query parameter 'dir'")
        wanted = json.loads(request.query.get("filter", "{}"))
        end = int(request.query.get("from", f"t{len(self.room.events)}").removeprefix("t"))
        start = max(0, end - number(request.query.get("limit"), 10))
        chunk = [event for event in self.room.events[start:end][::-1] if event.sender in wanted.get("senders", [event.sender])]
        more = {"end": f"t{start}"} if start else {}
        return web.json_response({"start": f"t{end}", "chunk": [self._json(event) for event in chunk], **more})

    async def _relations(self, request: web.Request) -> web.Response:
        self._entered(request)
        event = self.room.event(request.match_info["event_id"])
        if event is None:
            raise Refusal(404, "M_UNKNOWN", "Unknown parent event.")
        return web.json_response({"chunk": [self._json(one) for one in self.room.edits_of(event)]})

    async def _config(self, request: web.Request) -> web.Response:
        self._device(request)
        return web.json_response({"m.upload.size": self.upload_max})

    async def _upload(self, request: web.Request) -> web.Response:
        self._device(request)
        body = await request.read()
        if len(body) > self.upload_max:
            raise Refusal(413, "M_TOO_LARGE", "Upload request body is too large")
        self._count += 1
        mxc = f"mxc://{SERVER}/file{self._count}"
        self.media[mxc] = (request.content_type, body)
        return web.json_response({"content_uri": mxc})

    def _json(self, event: Event) -> Json:
        found: Json = {
            "type": "m.room.message",
            "room_id": self.room.room_id,
            "event_id": event.event_id,
            "sender": event.sender,
            "origin_server_ts": int(event.at.timestamp() * 1000),
            "content": event.content,
            "unsigned": {},
        }
        if event.redacted:
            found["unsigned"]["redacted_because"] = {"type": "m.room.redaction", "sender": event.sender}
        elif edits := self.room.edits_of(event):
            found["unsigned"]["m.relations"] = {EDITS: self._json(edits[0])}
        return found

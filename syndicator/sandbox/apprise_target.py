"""What apprise sends to, on loopback: a web hook of its ``json://`` and an ntfy server.

After https://appriseit.com/services/json/ and https://docs.ntfy.sh/publish/#publish-as-json: who knows the password may post; what has
another shape, or is too long, is refused. Neither tells apprise what its message is called.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from syndicator.sandbox.server import Simulator

Json = dict[str, Any]

USER, PASSWORD = "asso", "s3cret-of-the-hook"
HOOK_FIELDS: dict[str, type] = {"version": str, "title": str, "message": str, "attachments": list, "type": str}
NTFY_FIELDS: dict[str, type] = {
    "topic": str,
    "title": str,
    "message": str,
    "priority": int,
    "tags": list,
    "click": str,
    "markdown": bool,
    "icon": str,
}
NTFY_MAX_BYTES = 4096 * 2
HOOK_MAX = 32_768


@dataclass(frozen=True, kw_only=True)
class Message:
    """What arrived."""

    title: str
    text: str
    topic: str = ""


class AppriseTarget(Simulator):
    """One hook and one topic, behind the same password."""

    def __init__(self, *, now: Callable[[], Any] | None = None) -> None:
        super().__init__(now=now)
        self.password = PASSWORD
        self.messages: list[Message] = []
        self.app.router.add_post("/hook", self._hook)
        self.app.router.add_post("/", self._ntfy)

    @property
    def hook(self) -> str:
        """Its address, as apprise writes it."""
        return f"json://{USER}:{PASSWORD}@{self.host}/hook"

    @property
    def topic(self) -> str:
        """The address of the ntfy topic."""
        return f"ntfy://{USER}:{PASSWORD}@{self.host}/agenda"

    def _refusal(self, request: web.Request) -> web.Response | None:
        wanted = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        return (
            None if request.headers.get("Authorization") == f"Basic {wanted}" else web.json_response({"error": "unauthorized"}, status=401)
        )

    async def _hook(self, request: web.Request) -> web.Response:
        refusal, body = self._refusal(request), await _shaped(request, HOOK_FIELDS)
        if refusal is not None:
            return refusal
        if body is None or body.keys() != HOOK_FIELDS.keys() or len(body["message"]) > HOOK_MAX:
            return web.json_response({"error": "invalid payload"}, status=400)
        self.messages.append(Message(title=body["title"], text=body["message"]))
        return web.json_response({"ok": True})

    async def _ntfy(self, request: web.Request) -> web.Response:
        refusal, body = self._refusal(request), await _shaped(request, NTFY_FIELDS)
        if refusal is not None:
            return refusal
        if body is None or body.get("topic") != "agenda" or len(body.get("message", "").encode()) > NTFY_MAX_BYTES:
            return web.json_response({"code": 40024, "http": 400, "error": "invalid request: body must be message JSON"}, status=400)
        self.messages.append(Message(title=body.get("title", ""), text=body.get("message", ""), topic="agenda"))
        return web.json_response({"id": f"m{len(self.messages)}", "event": "message", "topic": "agenda"})


async def _shaped(request: web.Request, fields: Mapping[str, type]) -> Json | None:
    """The body, when each of its fields is known and of its type."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        return None
    known = isinstance(body, dict) and all(isinstance(value, fields.get(name, ())) for name, value in body.items())
    return body if known else None

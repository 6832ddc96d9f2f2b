"""A wall: a destination as most webhooks are, with neither idempotency key nor any way to ask what is there. For tests only.

Messages can be edited and removed by the id that the answer to their creation names; who missed that answer will never know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from aiohttp import web

from syndicator.contract import Context, Limits, MediaLimits
from syndicator.errors import Gone, OutcomeUnknown
from syndicator.http import error_for
from syndicator.model import Receipt, Rendition
from syndicator.sandbox.server import Simulator


@dataclass(kw_only=True)
class Message:
    """What hangs on the wall."""

    id: str
    text: str
    answers: str | None
    pictures: tuple[str, ...]


class WallSimulator(Simulator):
    """POST makes a message and says its id; PATCH and DELETE change it; there is no GET."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.messages: dict[str, Message] = {}
        self.serial = 0
        router = self.app.router
        router.add_post("/hook", self._post)
        router.add_patch("/hook/{id}", self._edit)
        router.add_delete("/hook/{id}", self._delete)

    async def _post(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self.serial += 1
        message = Message(id=str(self.serial), text=body["text"], answers=body["answers"], pictures=tuple(body["pictures"]))
        self.messages[message.id] = message
        return web.json_response({"id": message.id})

    async def _edit(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        message = self._named(request)
        message.text, message.pictures = body["text"], tuple(body["pictures"])
        return web.json_response({"id": message.id})

    async def _delete(self, request: web.Request) -> web.Response:
        del self.messages[self._named(request).id]
        return web.json_response({})

    def _named(self, request: web.Request) -> Message:
        message = self.messages.get(request.match_info["id"])
        if message is None:
            raise web.HTTPNotFound
        return message


class WallPublisher:
    """Writes on one wall."""

    @dataclass(frozen=True, kw_only=True)
    class Options:
        url: str

    limits: ClassVar[Limits] = Limits(text_max=500, threads=True, media=MediaLimits(images_max=4))

    def __init__(self, options: Options, context: Context) -> None:
        self._url = options.url
        self._http = context.http

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        answer = await self._send("POST", self._url, _body(rendition) | {"answers": parent.remote_id if parent else None})
        return Receipt(remote_id=str(answer["id"]))

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        await self._send("PATCH", f"{self._url}/{receipt.remote_id}", _body(rendition))
        return receipt

    async def delete(self, receipt: Receipt) -> None:
        await self._send("DELETE", f"{self._url}/{receipt.remote_id}", {})

    async def _send(self, method: str, url: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        response = await self._http.request(method, url, json=dict(body))
        if response.status == 404:
            raise Gone(f"{url} is not there")
        error = error_for(response, self._http.now(), write=True)
        if error is not None:
            raise error
        try:
            answer: Mapping[str, Any] = json.loads(response.body)
        except ValueError as error:
            raise OutcomeUnknown("the answer cannot be read") from error
        return answer


def _body(rendition: Rendition) -> dict[str, Any]:
    return {"text": rendition.text, "pictures": [attachment.url for attachment in rendition.attachments]}

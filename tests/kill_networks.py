"""The networks of the kill tests: simulators that count requests, can kill who sent one, and can be put back as they were."""

from __future__ import annotations

import copy
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from aiohttp import web

from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mastodon_write import WRITING
from syndicator.sandbox.server import Simulator
from syndicator.text.html import to_text
from tests.kill_child import Page
from tests.kill_wall import WallSimulator

SCOPES = ("read:accounts", "read:statuses", "write:statuses", "write:media")
NetworkName = Literal["mastodon", "gotosocial", "wall"]
HTTP_STAGES = ("received", "done", "answering")


@dataclass(frozen=True, kw_only=True, order=True)
class Shown:
    """One object on a network: its text, the text of what it answers, how many pictures it has."""

    text: str
    answers: str = ""
    pictures: int = 0


@dataclass(kw_only=True)
class Seen:
    """One request: how far the ledger was when it came, and what it asked for."""

    transactions: int
    what: str


@dataclass(kw_only=True)
class Killer:
    """Stands before a simulator: counts requests, kills who sent one, and can carry one out late."""

    page: Page
    seen: list[Seen] = field(default_factory=list)
    point: tuple[int, str] | None = None
    late_by: timedelta | None = None
    """With it, a request whose sender was killed when it was ``received`` is carried out all the same, that much later."""
    _late: list[tuple[datetime, web.Request, Callable[[web.Request], Awaitable[web.StreamResponse]]]] = field(default_factory=list)

    async def catch_up(self, at: datetime) -> None:
        """Carry out what was held until ``at``."""
        due, self._late = [one for one in self._late if one[0] <= at], [one for one in self._late if one[0] > at]
        for _, request, handler in due:
            await handler(request)

    @web.middleware
    async def stand(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        await self.catch_up(self.page.now())
        number, stage = len(self.seen), ""
        self.seen.append(Seen(transactions=self.page.transactions, what=f"{request.method} {request.path}"))
        if self.point is not None and self.point[0] == number:
            stage = self.point[1]
        if stage == "received":
            await request.read()
            self._kill()
            if self.late_by is not None:
                self._late.append((self.page.now() + self.late_by, request, handler))
            return web.Response()
        response = await handler(request)
        if stage:
            if stage == "answering":
                _answer_half(request, response)
            self._kill()
        return response

    def _kill(self) -> None:
        self.point = None
        os.kill(self.page.pid, signal.SIGKILL)


def _answer_half(request: web.Request, response: web.StreamResponse) -> None:
    body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    assert request.transport is not None
    head = f"HTTP/1.1 {response.status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    request.transport.write(head.encode() + (b"\r\n" + body[: len(body) // 2] if body else b""))


class Network:
    """A destination on loopback, its world, and how to put it back as it was."""

    def __init__(self, name: NetworkName, page: Page) -> None:
        self.name = name
        self.killer = Killer(page=page)
        self.simulator: Simulator = WallSimulator(now=page.now) if name == "wall" else MastodonSimulator(now=page.now, flavour=name)
        self.simulator.app.middlewares.insert(0, self.killer.stand)
        if isinstance(self.simulator, MastodonSimulator):
            self.account = self.simulator.world.add_account("asso", "Les Amis du Vélo")
            self.token = self.simulator.world.add_token(self.account, *SCOPES)

    @property
    def toml(self) -> str:
        """Its section in a configuration."""
        if self.name == "wall":
            return f'type = "wall"\nurl = "{self.simulator.url}/hook"'
        return f'type = "mastodon"\nurl = "{self.simulator.url}"\ntoken = "{self.token}"'

    def shown(self) -> list[Shown]:
        """What visitors see, oldest first."""
        if isinstance(self.simulator, WallSimulator):
            messages = self.simulator.messages
            return [
                Shown(text=one.text, answers=messages[one.answers].text if one.answers else "", pictures=len(one.pictures))
                for one in messages.values()
            ]
        assert isinstance(self.simulator, MastodonSimulator)
        world = self.simulator.world
        return [
            Shown(
                text=to_text(one.content),
                answers=to_text(world.statuses[one.in_reply_to_id].content) if one.in_reply_to_id in world.statuses else "",
                pictures=len(one.media_ids),
            )
            for one in world.of_account(self.account.id)
        ]

    def ids(self) -> set[str]:
        """The ids of what visitors see."""
        if isinstance(self.simulator, WallSimulator):
            return set(self.simulator.messages)
        assert isinstance(self.simulator, MastodonSimulator)
        return {one.id for one in self.simulator.world.of_account(self.account.id)}

    def save(self) -> Any:
        """Everything it holds."""
        return copy.deepcopy([vars(owner)[name] for owner, name in self._held()])

    def restore(self, saved: Any) -> None:
        """Put everything back."""
        for (owner, name), value in zip(self._held(), copy.deepcopy(saved), strict=True):
            setattr(owner, name, value)
        self.simulator.requests.clear()
        self.killer.seen.clear()
        self.killer.point = self.killer.late_by = None

    def _held(self) -> list[tuple[Any, str]]:
        simulator = self.simulator
        if isinstance(simulator, WallSimulator):
            return [(simulator, "messages"), (simulator, "serial")]
        assert isinstance(simulator, MastodonSimulator)
        writing, world = simulator.app[WRITING], simulator.world
        return [
            *((world, name) for name in ("statuses", "media", "_serial")),
            *((writing, name) for name in ("throttles", "_keys", "_edits")),
            (simulator, "deleted"),
            (simulator, "_paged"),
        ]

"""An origin and the networks, in a process of their own, with a stopwatch: how long after a toot the last network is asked to publish it.

As a program: opens them, says on one line how to reach them (JSON), then does what its standard input says, a line each, and answers with
a line: ``listening``, ``toot TEXT``, ``bare`` (the requests that the last toot led to, then ``go``, then how long these took to arrive).
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from syndicator.sandbox.commerce import Commerce
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mastodon_world import Account
from syndicator.sandbox.server import Stage

NETWORKS = ("bluesky", "facebook", "mattermost", "rocketchat", "telegram")
PATIENCE_S = 30.0
STREAM = "/api/v1/streaming/user"
NOT_SENT_AGAIN = frozenset({"host", "content-length", "transfer-encoding", "connection"})


@dataclass(kw_only=True)
class Market:
    """The origin, the networks, and when each of them was asked last."""

    origin: MastodonSimulator = field(default_factory=MastodonSimulator)
    commerce: Commerce = field(default_factory=lambda: Commerce(names=NETWORKS))
    asked_at: dict[str, float] = field(default_factory=dict)
    asked: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    read: list[Mapping[str, Any]] = field(default_factory=list)
    """What the origin was asked since the last toot."""
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    asso: Account = field(init=False)
    _own_listeners: int = 0

    async def start(self) -> dict[str, str]:
        """Open everything; how to reach it."""
        await self.origin.start()
        await self.commerce.start()
        self._own_listeners = len(self.origin.world.listeners)
        self.asso = self.origin.world.add_account("velo", "Les Amis du Vélo")
        for name, network in self.commerce.networks.items():
            network.simulator.hooks.append(lambda stage, request, name=name: self._note(name, stage, request))
        self.origin.hooks.append(self._note_reading)
        token = self.origin.world.add_token(self.asso, "read:accounts", "read:statuses")
        return {"account": f"{self.origin.url}/@velo", "token": token, "destinations": self.commerce.toml()}

    async def stop(self) -> None:
        """Close everything."""
        await self.origin.stop()
        await self.commerce.stop()

    def _note(self, name: str, stage: Stage, request: web.Request) -> None:
        network = self.commerce.networks[name]
        method, path = network.creation
        if stage != "before" or request.method != method or path not in request.path or name in self.asked_at:
            return
        self.asked_at[name] = time.perf_counter()
        self.asked[name] = as_told(request, network.simulator.requests[-1].body)
        if len(self.asked_at) == len(NETWORKS):
            self.complete.set()

    def _note_reading(self, stage: Stage, request: web.Request) -> None:
        if stage == "before" and request.path != STREAM and len(self.asked_at) < len(NETWORKS):
            # Without the token: so many looks in a minute are more than an origin allows one visitor.
            told = as_told(request, b"")
            self.read.append({**told, "headers": {name: value for name, value in told["headers"].items() if name != "Authorization"}})

    def _begin(self) -> float:
        self.asked_at.clear()
        self.complete.clear()
        return time.perf_counter()

    async def _until_complete(self, began: float) -> float:
        try:
            await asyncio.wait_for(self.complete.wait(), PATIENCE_S)
        except TimeoutError:
            raise SystemExit(f"never asked: {', '.join(sorted({*NETWORKS} - {*self.asked_at}))}") from None
        return max(self.asked_at.values()) - began

    async def toot(self, text: str) -> float:
        """Post it; seconds until the last network was asked to publish it."""
        self.read.clear()
        began = self._begin()
        self.origin.world.post(self.asso, text)
        return await self._until_complete(began)

    async def bare(self, go: asyncio.StreamReader) -> float:
        """Let the other side send the same requests once more; seconds until the last has arrived."""
        say({"read": self.read, "asked": list(self.asked.values())})
        await go.readline()
        began = self._begin()
        say("go")
        return await self._until_complete(began)

    async def listening(self) -> bool:
        """Wait until somebody listens to the origin's stream: what is published from now on is news."""
        listeners = self.origin.world.listeners
        for _ in range(600):
            if len(listeners) > self._own_listeners:
                break
            await asyncio.sleep(0.05)
        return len(listeners) > self._own_listeners


def as_told(request: web.Request, body: bytes) -> dict[str, Any]:
    """A request, so that it can be sent again."""
    headers = {key: value for key, value in request.headers.items() if key.lower() not in NOT_SENT_AGAIN}
    return {"method": request.method, "url": str(request.url), "headers": headers, "body": base64.b64encode(body).decode()}


def say(what: object) -> None:
    """One line."""
    print(json.dumps(what), flush=True)


async def _serve() -> None:
    market, orders = Market(), asyncio.StreamReader()
    say(await market.start())
    gc.disable()  # the stopwatch must not stop for itself
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while order := (await orders.readline()).decode().strip():
        name, _, text = order.partition(" ")
        if name == "toot":
            say(await market.toot(text))
        elif name == "bare":
            say(await market.bare(orders))
        else:
            say(await market.listening())
    await market.stop()


if __name__ == "__main__":
    asyncio.run(_serve())

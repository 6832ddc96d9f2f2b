"""An issue by listmonk and by Keila, from the newsletter's hour to the last reader: each request goes wrong in every way, and what readers
got is counted.

As in ``test_once_networks.py``: the real configuration, steps, ledger and connector on real sockets; a killed process is a tenant thrown
away in the middle of a request, and its successor finds the folder as it was left.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from syndicator import steps
from syndicator.config import load
from syndicator.http import Sessions
from syndicator.model import Delivery, Post
from syndicator.sandbox.keila import KEY, KeilaSimulator
from syndicator.sandbox.listmonk import TOKEN, USERNAME, ListmonkSimulator
from syndicator.tenant import Tenant
from tests.engine_scene import Clock, World, source
from tests.once_scene import TROUBLES, Killed, Strike, Striker, Trouble

T = TypeVar("T")
OPTIONS: Mapping[str, str] = {
    "listmonk": f'username = "{USERNAME}"\ntoken = "{TOKEN}"\nlists = ["La lettre du vélo", "4"]',
    "keila": f'key = "{KEY}"\nsender = "La lettre du vélo"',
}
READERS = {"listmonk": {"ana@exemple.fr", "bob@exemple.fr", "eve@exemple.fr"}, "keila": {"ana@exemple.fr", "bob@exemple.fr"}}
HORIZON = timedelta(hours=20)


@dataclass(kw_only=True)
class Hour:
    """The hour of one newsletter, played from nothing."""

    name: str
    folder: Path
    sessions: Sessions
    clock: Clock = field(default_factory=Clock)
    killed: int = 0

    def __post_init__(self) -> None:
        make = {"listmonk": ListmonkSimulator, "keila": KeilaSimulator}[self.name]
        self.simulator: Any = make(now=self.clock)
        self.striker = Striker(simulator=self.simulator, now=self.clock)
        self.simulator.app.middlewares.insert(0, self.striker.stand)
        self.world = World()
        self.tenant: Tenant

    async def prepare(self) -> None:
        """A newsletter that has news, a minute before its hour."""
        await self.simulator.start()
        path = self.folder / "velo.toml"
        path.touch(mode=0o600)
        path.write_text(f"""
[association]
name = "Les Amis du Vélo"
timezone = "UTC"
state = "{self.folder}/state"
[web]
listen = ""
[network]
allow_private = ["127.0.0.1"]
[sources.toots]
type = "feed"
url = "https://social.example/feed"
[routes.tout]
[destinations.there]
type = "{self.name}"
url = "{self.simulator.url}"
{OPTIONS[self.name]}
[newsletters.lettre]
when = "chaque jour à 14h"
destinations = ["there"]
""")
        self.config = replace(load(path, environ={}), sources={"toots": source(self.world)})
        await self.begin()
        await steps.issue(self.tenant)
        await steps.poll(self.tenant, "toots")
        self.clock.go(hours=1)
        uid = "https://social.example/1"
        self.world.show(Post(uid=uid, url=uid, html="<p>Un atelier samedi</p>", language="fr", published_at=self.clock()))
        await steps.poll(self.tenant, "toots")
        self.clock.go(hours=1, minutes=-1)

    async def begin(self) -> None:
        self.tenant = Tenant.make(self.config, self.sessions, self.clock, random.Random(7))
        await self.tenant.start()

    async def _alive(self, step: Coroutine[Any, Any, T]) -> T:
        """One step; when the process dies in it, another one begins, and Killed is raised."""
        task, struck = asyncio.create_task(step), asyncio.create_task(self.striker.struck.wait())
        await asyncio.wait({task, struck}, return_when=asyncio.FIRST_COMPLETED)
        struck.cancel()
        if task.done() and not self.striker.struck.is_set():
            return task.result()
        self.killed += 1
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        self.striker.struck.clear()
        self.striker.buried.set()
        self.tenant.ledger.close()
        assert self.tenant._lock_fd is not None
        os.close(self.tenant._lock_fd)
        self.striker.strikes.pop(0)
        self.striker.buried = asyncio.Event()
        await self.begin()
        raise Killed

    async def play(self, *strikes: Strike) -> list[Delivery]:
        """Let the hour come, and everything after it, until nothing is left to do; then the outbox of the letter."""
        self.clock.go(minutes=2)
        self.striker.arm(*strikes)
        end = self.clock() + HORIZON
        for _ in range(200):
            with contextlib.suppress(Killed):
                await self._alive(steps.issue(self.tenant))
                delivered = await self._alive(steps.deliver(self.tenant, "there"))
                if delivered.worked:
                    continue
                if delivered.again_at is None or delivered.again_at > end:
                    return await self.rows()
                self.clock.at = max(self.clock.at, delivered.again_at)
        raise AssertionError("it never comes to rest")

    async def rows(self) -> list[Delivery]:
        states = ("pending", "sending", "done", "parked", "dropped")
        return await self.tenant.ledger.transact(lambda store: store.outbox.deliveries(*states))

    @property
    def letters(self) -> Counter[str]:
        """Who got how many."""
        return Counter(one.to for one in getattr(self.simulator, "shown", self.simulator.letters))


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    sessions = Sessions()
    yield sessions
    await sessions.close()


@contextlib.asynccontextmanager
async def hour(name: str, folder: Path, sessions: Sessions) -> AsyncIterator[Hour]:
    folder.mkdir(parents=True)
    one = Hour(name=name, folder=folder, sessions=sessions)
    await one.prepare()
    try:
        yield one
    finally:
        await one.tenant.close()
        await one.simulator.stop()


REQUESTS = {
    "listmonk": ["GET lists", "GET templates", "GET campaigns", "GET campaigns", "POST campaigns", "GET campaigns", "PUT status"],
    "keila": ["GET senders", "GET campaigns", "POST campaigns", "GET mc_101", "POST send", "GET mc_101"],
}
"""What an undisturbed issue asks of each; the last part of each path."""


@pytest.mark.parametrize("name", OPTIONS)
async def test_undisturbed(tmp_path: Path, sessions: Sessions, name: str) -> None:
    """One campaign, one letter a reader, and the requests that the plays below go through."""
    async with hour(name, tmp_path / name, sessions) as played:
        (row,) = await played.play()

        assert (row.state, played.letters) == ("done", dict.fromkeys(READERS[name], 1))
        assert len(played.simulator.campaigns) == 1
        assert [f"{line.partition(' ')[0]} {line.rpartition('/')[2]}" for line in played.striker.seen] == REQUESTS[name]


PLAYS = [(name, number) for name, requests in REQUESTS.items() for number in range(len(requests))]


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize(("name", "number"), PLAYS)
async def test_nobody_gets_it_twice(tmp_path: Path, sessions: Sessions, name: str, number: int, trouble: Trouble) -> None:
    """Whatever goes wrong, at whichever request: one letter a reader, no person is asked, and no draft is left beside."""
    async with hour(name, tmp_path / "one", sessions) as played:
        (row,) = await played.play(Strike(number=number, trouble=trouble))

        assert (row.state, played.letters) == ("done", dict.fromkeys(READERS[name], 1))
        assert len(played.simulator.campaigns) == 1
        assert played.striker.strikes == []
        assert played.killed == (trouble in ("killed before", "killed after"))


@pytest.mark.parametrize("name", OPTIONS)
async def test_two_things_go_wrong(tmp_path: Path, sessions: Sessions, name: str) -> None:
    """A fixed sample of pairs: while the one is put right, the other happens."""
    rng = random.Random(name)
    for turn in range(12):
        first = rng.randrange(len(REQUESTS[name]))
        pair = [Strike(number=first + later, trouble=rng.choice(TROUBLES)) for later in (0, rng.randrange(1, 4))]
        async with hour(name, tmp_path / str(turn), sessions) as played:
            (row,) = await played.play(*pair)

            assert (row.state, played.letters) == ("done", dict.fromkeys(READERS[name], 1)), pair

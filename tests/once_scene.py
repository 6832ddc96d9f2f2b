"""One day of one association and one network, played as often as something can go wrong: each time from nothing, with another accident.

Everything runs in this process, on real sockets: the real configuration, steps, ledger, connector. A killed process is a tenant that is
thrown away in the middle of a request, with all that it held in memory; its successor finds the folder as it was left.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from aiohttp import web
from PIL import Image

from syndicator import steps
from syndicator.config import load
from syndicator.http import Sessions
from syndicator.model import Attachment, Delivery, Post
from syndicator.route import Route
from syndicator.sandbox.server import Fault, Simulator
from syndicator.store import Store
from syndicator.tenant import Tenant
from tests.engine_scene import Clock, World, source
from tests.media_scene import encoded, film
from tests.once_networks import VIEWS, Shown, network, shown

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Trouble = Literal["drop", "lose", "truncate", "mask", "killed before", "killed after"]
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)
DEATHS: frozenset[Trouble] = frozenset({"killed before", "killed after"})
FAULTS: Mapping[Trouble, Literal["drop", "lose", "truncate", "mask"]] = {
    "drop": "drop", "lose": "lose", "truncate": "truncate", "mask": "mask",
}  # fmt: skip
PAGE = b"<html><h1>Bad Gateway</h1></html>"
HORIZON = timedelta(days=2)
STEPS_MAX = 400
OUTAGE = timedelta(hours=1)
THERE = "there"
ALT = "Deux vélos contre un mur"


class Killed(Exception):
    """The process is no more."""


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What goes wrong, at which request since the news was there; 0 is the first."""

    number: int
    trouble: Trouble
    away: timedelta = timedelta(0)
    """Of one that kills: how long until the next process begins."""


@dataclass(kw_only=True)
class Striker:
    """Stands before a simulator: counts requests once it is armed, and spoils those that it was told to."""

    simulator: Simulator
    now: Callable[[], datetime]
    counting: bool = False
    seen: list[str] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    closed_until: datetime | None = None
    """Until then, everybody is answered with the page of a proxy."""
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    buried: asyncio.Event = field(default_factory=asyncio.Event)

    def arm(self, *strikes: Strike) -> None:
        """From here on, requests count."""
        self.counting, self.strikes = True, [*strikes]

    @web.middleware
    async def stand(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.closed_until is not None and self.now() < self.closed_until:
            return web.Response(status=503, body=PAGE, content_type="text/html")
        if not self.counting:
            return await handler(request)
        self.seen.append(f"{request.method} {request.path}")
        if not self.strikes or self.strikes[0].number != len(self.seen) - 1:
            return await handler(request)
        trouble = self.strikes[0].trouble
        if trouble in DEATHS:
            return await self._die(request, handler, trouble)
        self.strikes.pop(0)
        html = {"Content-Type": "text/html"}
        self.simulator.faults.insert(0, Fault(action=FAULTS[trouble], status=502, headers=html, body=PAGE))
        return await handler(request)

    async def _die(self, request: web.Request, handler: Handler, trouble: Trouble) -> web.StreamResponse:
        """Hold the request until its sender is no more."""
        await request.read()
        if trouble == "killed after":
            await handler(request)
        self.struck.set()
        await self.buried.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


class Bugs(logging.Handler):
    """Collects what must never be logged: tracebacks, ours and the simulators'."""

    LOGGERS = ("syndicator", "aiohttp", "asyncio")

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(f"{record.getMessage()}: {logging.Formatter().formatException(record.exc_info) if record.exc_info else ''}")

    def __enter__(self) -> Bugs:
        for name in self.LOGGERS:
            logging.getLogger(name).addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        for name in self.LOGGERS:
            logging.getLogger(name).removeHandler(self)


@dataclass(kw_only=True)
class Stage:
    """What all plays share: a folder that everybody can read, and what an earlier play has left to be reused."""

    folder: Path
    url: str
    """Where the folder is seen from outside: the origin's pictures, and what we publish."""
    sessions: Sessions
    plays: int = 0
    ledger: Path | None = None
    """A ledger after a first look at a quiet origin."""
    media: dict[str, Path] = field(default_factory=dict)
    """Type → the pictures that it was given, as they were shaped."""


@contextlib.asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Open, for as many plays as one likes."""
    for name, size in (("velo", (40, 20)), ("pont", (40, 30))):
        (folder / f"{name}.jpg").write_bytes(encoded(Image.new("RGB", size, "red"), "JPEG"))
    (folder / "film.mp4").write_bytes(film(9_000))
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sessions = Sessions()
    yield Stage(folder=folder, url=f"http://127.0.0.1:{runner.addresses[0][1]}", sessions=sessions)
    await sessions.close()
    await runner.cleanup()


class Play:
    """One association that mirrors its words to one network."""

    def __init__(self, stage: Stage, name: str, route: Route) -> None:
        stage.plays += 1
        self.stage, self.name, self.route = stage, name, route
        self.folder = stage.folder / str(stage.plays)
        self.clock = Clock()
        self.network = network(name, self.clock)
        self.striker = Striker(simulator=self.network.simulator, now=self.clock)
        self.network.simulator.app.middlewares.insert(0, self.striker.stand)
        self.world = World()
        self.tenant: Tenant
        self.killed = 0
        self.receipted = 0
        """How many receipts there must be at the end."""

    async def __aenter__(self) -> Play:
        await self.network.simulator.start()
        state = self.folder / "state"
        state.mkdir(parents=True)
        self._configure()
        if self.stage.ledger is not None:
            shutil.copy(self.stage.ledger, state / "syndicator.db")
        if self.name in self.stage.media:
            shutil.copytree(self.stage.media[self.name], self._media)
        await self.begin()
        if self.stage.ledger is None:
            await steps.poll(self.tenant, "toots")
            await self.end()
            self.stage.ledger = self.stage.folder / "first-look.db"
            shutil.copy(state / "syndicator.db", self.stage.ledger)
            await self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()
        await self.network.simulator.stop()
        if self.name not in self.stage.media and self._media.is_dir():
            self.stage.media[self.name] = self.stage.folder / f"media-{self.name}"
            shutil.copytree(self._media, self.stage.media[self.name], ignore=shutil.ignore_patterns("videos"))
        shutil.rmtree(self.folder, ignore_errors=True)  # a thread of a killed process may still write

    @property
    def _media(self) -> Path:
        return self.folder / "state" / "destinations" / THERE / "media"

    def _configure(self) -> None:
        options = {"type": self.name, **self.network.options()}
        lines = [
            '[association]\nname = "Les Amis du Vélo"',
            f'state = "{self.folder}/state"\npublic = "{self.folder}/public"',
            f'[web]\nlisten = ""\npublic_url = "{self.stage.url}/{self.folder.name}/public/"',
            '[network]\nallow_private = ["127.0.0.1"]',
            f'[sources.toots]\ntype = "feed"\nurl = "{self.stage.url}/feed"',
            "[routes.all]",
            f"[destinations.{THERE}]",
            *(f"{key} = {_toml(value)}" for key, value in options.items()),
        ]
        path = self.folder / "asso.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        path.chmod(0o600)
        config = load(path, environ={})
        self.config = replace(config, sources={"toots": source(self.world)}, routes={"all": self.route})

    async def begin(self) -> None:
        """Start a process."""
        self.tenant = Tenant.make(self.config, self.stage.sessions, self.clock, random.Random(7))
        await self.tenant.start()

    async def end(self) -> None:
        """End it in order."""
        await self.tenant.close()

    async def restart(self) -> None:
        await self.end()
        await self.begin()

    async def _alive(self, step: Coroutine[Any, Any, T]) -> T:
        """One step; when the process dies in it, another one begins, and Killed is raised."""
        task, struck = asyncio.create_task(step), asyncio.create_task(self.striker.struck.wait())
        await asyncio.wait({task, struck}, return_when=asyncio.FIRST_COMPLETED)
        struck.cancel()
        if task.done() and not self.striker.struck.is_set():
            return task.result()
        await self._bury(task)
        self.clock.at += self.striker.strikes.pop(0).away
        self.striker.buried = asyncio.Event()
        await self.begin()
        raise Killed

    async def _bury(self, task: asyncio.Task[Any]) -> None:
        """Nothing that it had in memory is written down any more."""
        self.killed += 1
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        self.striker.struck.clear()
        self.striker.buried.set()
        self.tenant.ledger.close()
        assert self.tenant._lock_fd is not None
        os.close(self.tenant._lock_fd)

    async def settle(self, horizon: timedelta = HORIZON) -> None:
        """Read the origin, then deliver until nothing is left to do or to wait for; waiting costs no time."""
        end = self.clock() + horizon
        for _ in range(STEPS_MAX):
            try:
                if not self.tenant.polled_at:
                    await self._alive(steps.poll(self.tenant, "toots"))
                delivered = await self._alive(steps.deliver(self.tenant, THERE))
                if delivered.worked:
                    continue
                if delivered.again_at is None or delivered.again_at > end:
                    return
                self.clock.at = max(self.clock.at, delivered.again_at)
            except Killed:
                end = self.clock() + horizon
        raise AssertionError(f"it never comes to rest: {[(row.purpose, row.state, row.reason) for row in await self.rows()]}")

    async def rows(self) -> list[Delivery]:
        """The outbox, the oldest first."""
        states = ("pending", "sending", "done", "parked", "dropped")
        return sorted(await self.ask(lambda store: store.outbox.deliveries(*states)), key=lambda row: row.id)

    async def ask(self, question: Callable[[Store], T]) -> T:
        return await self.tenant.ledger.transact(question)

    def shown(self) -> list[Shown]:
        """What visitors see."""
        return shown(VIEWS[self.name], self.network.simulator)[0]

    def ids(self) -> set[str]:
        """The ids of what visitors see."""
        return shown(VIEWS[self.name], self.network.simulator)[1]

    async def receipts(self) -> list[str]:
        """The ids that the ledger has of what it thinks is there."""
        sql = "select remote_id from receipt where deleted_at is null and remote_id != ''"
        rows = await self.ask(lambda store: store.outbox._db.conn.execute(sql).fetchall())
        return [str(row[0]) for row in rows]

    # What happens at the origin

    def post(self, number: int, text: str, **changes: Any) -> Post:
        """A post of now."""
        uid = f"https://social.example/{number}"
        return Post(**{"uid": uid, "url": uid, "html": f"<p>{text}</p>", "language": "fr", "published_at": self.clock(), **changes})

    @property
    def picture(self) -> Attachment:
        return Attachment(url=f"{self.stage.url}/velo.jpg", description=ALT)

    @property
    def film(self) -> Attachment:
        return Attachment(url=f"{self.stage.url}/film.mp4", type="video", media_type="video/mp4")


def _toml(value: Any) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'

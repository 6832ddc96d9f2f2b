"""What the outbox machine plays with: an origin, and a process that can die at any moment, on the network of ``outbox_wire``."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from syndicator import steps
from syndicator.config import Config, DestinationConfig, Network, SourceConfig
from syndicator.contract import Association, Context
from syndicator.editing import Wish
from syndicator.http import Sessions
from syndicator.model import Batch, Post, Tombstone
from syndicator.route import Pace, Route, Style
from syndicator.store import Ledger, Store
from syndicator.tenant import Tenant
from tests.outbox_wire import PUBLISHERS, Clock, Died, Wire, WireOptions


@dataclass(kw_only=True)
class Origin:
    """What the association publishes."""

    posts: dict[str, Post] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class OriginOptions:
    origin: Origin


class OriginSource:
    """Reads it."""

    Options: ClassVar[type[Any]] = OriginOptions

    def __init__(self, options: OriginOptions, context: Context) -> None:
        self._origin = options.origin

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def fetch(self, cursor: str | None) -> Batch:
        gone = tuple(Tombstone(uid=uid, certain=True) for uid in sorted(self._origin.gone))
        return Batch(changed=tuple(self._origin.posts.values()), gone=gone, cursor="read")

    async def read(self, ids: Sequence[str]) -> Batch:
        return await self.fetch(None)


class Inline(Executor):
    """Runs everything here and now: nothing in these tests depends on threads."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # as every executor does
            future.set_exception(error)
        return future


class FragileLedger(Ledger):
    """A ledger whose process dies at a transaction chosen beforehand."""

    cut: tuple[int, str] | None = None
    """(how many more transactions, ``before`` | ``inside`` | ``after``)."""

    def transact_now(self, work: Callable[[Store], Any]) -> Any:
        stage = ""
        if self.cut is not None:
            self.cut = (self.cut[0] - 1, self.cut[1])
            stage = self.cut[1] if self.cut[0] <= 0 else ""

        def inside(store: Store) -> Any:
            result = work(store)
            if stage == "inside":
                raise Died
            return result

        if stage == "before":
            raise Died
        result = super().transact_now(inside)
        if stage == "after":
            raise Died
        return result


def config_for(folder: Path, origin: Origin, wire: Wire, wish: Wish) -> Config:
    """One source, one destination, one route with threads and a short grace window."""
    year = timedelta(days=365)
    return Config(
        path=folder / "asso.toml",
        slug="asso",
        association=Association(name="Les Amis du Vélo"),
        state_dir=folder / "state",
        public_dir=folder / "public",
        public_url=None,
        web=None,
        network=Network(),
        alerts=None,
        sources={
            "origin": SourceConfig(
                name="origin",
                type="origin",
                title="",
                poll=timedelta(minutes=1),
                connector=OriginSource,
                options=OriginOptions(origin=origin),
            )
        },
        destinations={
            "elsewhere": DestinationConfig(
                name="elsewhere",
                type="wire",
                title="",
                role="publisher",
                connector=PUBLISHERS[wire.kind, wire.edits],
                options=WireOptions(wire=wire),
                pace=Pace(on_unknown="retry" if wire.blind_retries else "park"),
            )
        },
        routes={
            "all": Route(
                name="all",
                sources=("origin",),
                destinations=("elsewhere",),
                style=Style(long_text="thread", link="never"),
                delay=timedelta(seconds=30),
                max_age=year,
                backfill=year,
                edit=wish,
            )
        },
        digest="",
    )


class Bugs(logging.Handler):
    """Keeps what was logged as our own fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(self.format(record))


class Process:
    """The daemon's work without the daemon: it can die, and be started again on what it left."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self.config, self.clock = config, clock
        self.cut: tuple[int, str] | None = None
        self.deaths = 0
        self.bugs = Bugs()
        self._loop = asyncio.new_event_loop()
        self._tenant: Tenant | None = None
        self._sessions = Sessions()

    def work(self) -> datetime | None:
        """Look at the origin, deliver what may leave now; when to look again. Starts anew when it is dead, and may die on the way."""
        try:
            return self._loop.run_until_complete(self._work())
        except Died:
            self.die()
            return self.clock()

    async def _work(self) -> datetime | None:
        tenant = self._tenant
        if tenant is None:
            rng = random.Random(self.deaths)
            tenant = self._tenant = Tenant.make(self.config, self._sessions, self.clock, rng, Inline())
            tenant.log = logging.Logger("asso")  # of its own: the root's handlers would keep thousands of lines
            tenant.log.addHandler(self.bugs)
            tenant.ledger = FragileLedger(tenant.ledger.path, Inline())
            self._arm(tenant)
            await tenant.start()
        self._arm(tenant)
        await steps.poll(tenant, "origin")
        for _ in range(200):
            delivered = await steps.deliver(tenant, "elsewhere")
            if not delivered.worked:
                return delivered.again_at
        raise AssertionError("it never comes to rest")

    async def look(self) -> None:
        """Look at the origin while something else is going on."""
        assert self._tenant is not None
        await steps.poll(self._tenant, "origin")

    def _arm(self, tenant: Tenant) -> None:
        assert isinstance(tenant.ledger, FragileLedger)
        if self.cut is not None:
            tenant.ledger.cut, self.cut = self.cut, None

    def die(self) -> None:
        """Lose everything that is only in memory."""
        self.deaths += 1
        if self._tenant is not None:
            self._tenant.ledger.close()
            if self._tenant._lock_fd is not None:
                os.close(self._tenant._lock_fd)
            self._tenant = None

    def ledger(self, work: Callable[[Store], Any]) -> Any:
        """Look at the ledger, or change it, as a person's command does."""
        if self._tenant is not None:
            return Ledger.transact_now(self._tenant.ledger, work)
        ledger = Ledger(self.config.state_dir / "syndicator.db")
        try:
            return ledger.transact_now(work)
        finally:
            ledger.close()

    def end(self) -> None:
        self.die()
        self._loop.run_until_complete(self._sessions.close())
        self._loop.close()

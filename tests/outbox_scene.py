"""What the outbox machine plays with: a scripted network of three kinds, an origin, a clock, and a process that can die at any moment."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal

from syndicator import steps
from syndicator.config import Config, DestinationConfig, Network, SourceConfig
from syndicator.contract import Association, Context, Limits
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Batch, Post, Receipt, Rendition, Tombstone
from syndicator.route import Pace, Route, Style
from syndicator.store import Ledger, Store
from syndicator.tenant import Tenant
from syndicator.testing import NOW

Kind = Literal["keyed", "findable", "blind"]
KEY_WINDOW = timedelta(hours=1)
LATE_BY = timedelta(seconds=15)
"""How long a request may be under way when nobody waits for it any more: less than policy.ASK_AGAIN."""
ANSWERS = (
    "ok", "refuse", "lose-request", "lose-answer", "late", "limit", "expire", "reject", "die-before", "die-after", "die-late",
)  # fmt: skip
Answer = str


class Died(BaseException):
    """The process is no more."""


class Clock:
    """The present of everybody."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass(kw_only=True)
class Thing:
    """One object on the network."""

    id: str
    key: str
    uid: str
    part: int
    parts: int
    text: str
    answers: str | None
    answers_last: bool
    """Whether what it answers was the last part of its thread then."""


class Wire:
    """The network: does what its script says, and remembers who sent what, knowing what."""

    def __init__(self, clock: Clock, kind: Kind, *, blind_retries: bool) -> None:
        self.clock, self.kind, self.blind_retries = clock, kind, blind_retries
        self.up = True
        self.script: deque[Answer] = deque()
        self.things: dict[str, Thing] = {}
        self.ever: dict[str, Thing] = {}
        self.rejected: set[str] = set()
        """uids that were refused once."""
        self.violations: list[str] = []
        self._keys: dict[str, tuple[str, datetime]] = {}
        self._late: list[tuple[datetime, Callable[[], object]]] = []
        self._maybe: dict[str, datetime] = {}
        """key → when it was first used for what may be there, as long as nobody has found out since."""
        self._serial = 0

    def catch_up(self) -> None:
        """Carry out what was under way until now, each at its time."""
        now = self.clock()
        due = [one for one in self._late if one[0] <= now]
        self._late = [one for one in self._late if one[0] > now]
        for at, do in due:
            self.clock.at = at
            do()
        self.clock.at = now

    def forgive(self, key: str) -> None:
        """A person has looked: what was sent with this key is not there."""
        self._maybe.pop(key, None)

    def ask(self) -> None:
        """A harmless request."""
        self.catch_up()
        if not self.up:
            raise Transient("the network is down")

    def find(self, key: str) -> Receipt | None:
        """What was made with this key."""
        self.ask()
        found = next((thing for thing in self.ever.values() if thing.key == key), None)
        if found is None:
            self._maybe.pop(key, None)
        return None if found is None else Receipt(remote_id=found.id)

    def publish(self, rendition: Rendition, key: str, parent: Receipt | None) -> Receipt:
        """A request to make an object; whoever sends it twice must have a reason."""
        self.ask()
        first_at = self._maybe.get(key)
        keyed = self.kind == "keyed" and first_at is not None and self.clock() - first_at < KEY_WINDOW
        if first_at is not None and not keyed and not self.blind_retries:
            self.violations.append(f"blind second send of {rendition.uid} part {rendition.part}")
        answer = self._answer(rendition.uid)
        if answer not in ("refuse", "limit", "expire", "reject"):
            self._maybe.setdefault(key, self.clock())
        made = self._carry_out(answer, lambda: self._make(rendition, key, parent))
        return Receipt(remote_id=made.id)

    def change(self, receipt: Receipt, act: Callable[[Thing], object]) -> None:
        """A request to edit or remove an object."""
        self.ask()
        thing = self.ever.get(receipt.remote_id)
        answer = self._answer(thing.uid if thing else "")

        def carry_out() -> None:
            there = self.things.get(receipt.remote_id)
            if there is None:
                raise Gone("not there")
            act(there)

        self._carry_out(answer, carry_out)

    def _answer(self, uid: str) -> Answer:
        answer = self.script.popleft() if self.script else "ok"
        if answer == "refuse":
            raise Transient("not now")
        if answer == "limit":
            raise RateLimited("slowly", at=self.clock() + timedelta(minutes=2))
        if answer == "expire":
            raise AuthExpired("who are you?")
        if answer == "reject":
            self.rejected.add(uid)
            raise Rejected("never")
        return answer

    def _carry_out(self, answer: Answer, do: Callable[[], Any]) -> Any:
        if answer in ("late", "die-late"):
            self._late.append((self.clock() + LATE_BY, lambda: self._quietly(do)))
        result = do() if answer in ("ok", "lose-answer", "die-after") else None
        if answer.startswith("die"):
            raise Died
        if answer != "ok":
            raise OutcomeUnknown("no answer")
        return result

    def _quietly(self, do: Callable[[], Any]) -> None:
        try:
            do()
        except Gone:
            return

    def _make(self, rendition: Rendition, key: str, parent: Receipt | None) -> Thing:
        known = self._keys.get(key)
        if self.kind == "keyed" and known is not None and self.clock() - known[1] < KEY_WINDOW:
            return self.ever[known[0]]
        self._serial += 1
        before = self.ever[parent.remote_id] if parent else None
        thing = Thing(
            id=f"o{self._serial}",
            key=key,
            uid=rendition.uid,
            part=rendition.part,
            parts=rendition.parts,
            text=rendition.text,
            answers=before.id if before else None,
            answers_last=before is None or before.part == before.parts - 1,
        )
        self.things[thing.id] = self.ever[thing.id] = thing
        self._keys[key] = (thing.id, self.clock())
        return thing


@dataclass(frozen=True, kw_only=True)
class WireOptions:
    wire: Wire


class Blind:
    """A publisher that only knows what it is told."""

    Options: ClassVar[type[Any]] = WireOptions
    limits: ClassVar[Limits] = Limits(text_max=60, threads=True)

    def __init__(self, options: WireOptions, context: Context) -> None:
        self.wire = options.wire

    async def open(self) -> None:
        self.wire.ask()

    async def close(self) -> None: ...

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        return self.wire.publish(rendition, key, parent)

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        def write(thing: Thing) -> None:
            thing.text, thing.parts = rendition.text, rendition.parts

        self.wire.change(receipt, write)
        return receipt

    async def delete(self, receipt: Receipt) -> None:
        self.wire.change(receipt, lambda thing: self.wire.things.pop(thing.id))


class Findable(Blind):
    """One that can ask."""

    async def find(self, key: str, rendition: Rendition) -> Receipt | None:
        return self.wire.find(key)


class Keyed(Findable):
    """One whose service knows its keys for a while."""

    limits: ClassVar[Limits] = replace(Blind.limits, key_window_s=int(KEY_WINDOW.total_seconds()))


PUBLISHERS: dict[Kind, type[Blind]] = {"blind": Blind, "findable": Findable, "keyed": Keyed}


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


def config_for(folder: Path, origin: Origin, wire: Wire) -> Config:
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
                connector=PUBLISHERS[wire.kind],
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

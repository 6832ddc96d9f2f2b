"""The schedule: asyncio loops over ``steps``, one task a source and one a destination account, and an end in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from syndicator import alerts, memory, steps
from syndicator.contract import CanListen
from syndicator.errors import ConnectorError, Rejected, StateError
from syndicator.logs import event
from syndicator.problems import Problem
from syndicator.tenant import Tenant
from syndicator.words import pick

LONGEST_SLEEP = timedelta(minutes=1)
"""A destination looks at its outbox at least this often: a person may have changed it with ``syndicator outbox``."""
AFTER_A_FAULT = timedelta(minutes=1)
CLOCK_JUMP = timedelta(minutes=5)
CLOCK_HOLD = timedelta(minutes=10)
TAKE_NOTE_EVERY = timedelta(seconds=20)
GRACE_S = 8.0
"""How long work under way may take to end when we are told to stop."""


@dataclass(kw_only=True)
class Attendant:
    """Runs one association until told to stop."""

    tenant: Tenant
    spread: timedelta = timedelta(0)
    """The first look at each source comes at random within this."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    news: dict[str, asyncio.Event] = field(default_factory=dict)
    """Destination → set when there may be work for it."""
    problems: Sequence[Problem] = ()
    """Open problems, as last noted."""
    unfinished: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(destination, state) → deliveries that wait or are parked, as last noted."""
    state_problem: str = ""
    """Why the ledger cannot be used, as long as it cannot."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _hold_until: datetime | None = None
    _looked: set[str] = field(default_factory=set)
    """Sources that were asked at least once since the start, with or without an answer."""
    _shown: set[str] = field(default_factory=set)
    """Views that have been written once."""

    async def start(self) -> None:
        """Take the state folder and begin; raises StateError when it cannot be taken."""
        await self.tenant.start()
        self.news = {name: asyncio.Event() for name in self.tenant.config.destinations}
        self._run("clock", self._watch_clock)
        self._run("alerts", self._take_note)
        if self.tenant.config.newsletters:
            self._run("newsletters", self._attend_newsletters)
        for name in self.tenant.config.sources:
            self._run(f"source:{name}", self._attend_source, name)
        for name in self.tenant.publishers:
            self._run(f"destination:{name}", self._attend_publisher, name)
        for name in self.tenant.projections:
            self._run(f"destination:{name}", self._attend_projection, name)

    async def stop(self) -> None:
        """End in order: nothing new begins, what is being sent may end, then everything is closed."""
        self.stopping.set()
        for one in self.news.values():
            one.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.tenant.close()

    def lives(self) -> bool:
        """Whether every loop is still there."""
        return self.stopping.is_set() or not any(task.done() for task in self._tasks)

    def _run(self, subject: str, loop: Callable[..., Coroutine[Any, Any, None]], *names: str) -> None:
        self._tasks.append(asyncio.create_task(self._supervise(subject, loop, *names), name=f"{self.tenant.config.slug}:{subject}"))

    async def _supervise(self, subject: str, loop: Callable[..., Coroutine[Any, Any, None]], *names: str) -> None:
        """Keep a loop going: a ledger that fails, or a bug, stops it for a minute and no other."""
        while not self.stopping.is_set():
            try:
                await loop(*names)
            except StateError as error:
                await self._state_failed(subject, error)
            except Exception as error:
                event(self.tenant.log, logging.ERROR, "loop.bug", subject=subject, exc_info=error)
            await self._sleep(AFTER_A_FAULT)

    async def _state_failed(self, subject: str, error: StateError) -> None:
        hint = pick(error.hint, self.tenant.language) if error.hint else ""
        self.state_problem = f"{error.detail}. {hint}"
        event(self.tenant.log, logging.ERROR, "state.unusable", subject=subject, detail=error.detail, hint=hint or None)

    async def _attend_source(self, name: str) -> None:
        listener: asyncio.Task[None] | None = None
        wake = asyncio.Event()
        await self._sleep(self.spread * self.tenant.rng.random())
        try:
            while not self.stopping.is_set():
                polled = await steps.poll(self.tenant, name)
                if name not in self._looked:
                    self._looked.add(name)
                    self._tell_everybody()
                event(
                    self.tenant.log,
                    logging.INFO if polled.new or polled.changed or polled.gone else logging.DEBUG,
                    "source.polled",
                    source=name,
                    new=polled.new,
                    changed=polled.changed,
                    gone=polled.gone,
                )
                if polled.new or polled.changed or polled.gone:
                    self._tell_everybody()
                if listener is None and polled.error is None:
                    listener = self._listen(name, wake)
                await self._until(wake, polled.again_at)
                wake.clear()
        finally:
            if listener is not None:
                listener.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listener

    def _listen(self, name: str, wake: asyncio.Event) -> asyncio.Task[None] | None:
        source = self.tenant.connectors.get(f"sources.{name}")
        return asyncio.create_task(self._attend_listener(name, wake)) if isinstance(source, CanListen) else None

    async def _attend_listener(self, name: str, wake: asyncio.Event) -> None:
        """Turn the origin's pushes into polls; when listening fails, polling alone goes on."""
        failures = 0
        while not self.stopping.is_set():
            source = self.tenant.connectors.get(f"sources.{name}")
            try:
                if isinstance(source, CanListen):
                    await source.wait()
                    failures = 0
                    wake.set()
                else:
                    failures += 1
            except Rejected as error:
                event(self.tenant.log, logging.INFO, "source.not-listening", source=name, detail=str(error))
                return
            except ConnectorError as error:
                failures += 1
                event(self.tenant.log, logging.DEBUG, "source.listener-lost", source=name, detail=str(error))
            except Exception as error:
                event(self.tenant.log, logging.ERROR, "source.listener-bug", source=name, exc_info=error)
                return
            if failures:
                await self._sleep(min(timedelta(seconds=5) * 2 ** min(failures, 6), timedelta(minutes=5)))

    async def _attend_publisher(self, name: str) -> None:
        while not self.stopping.is_set():
            if self._hold_until is not None and self.tenant.now() < self._hold_until:
                await self._sleep(LONGEST_SLEEP)
                continue
            self.news[name].clear()
            delivered = await steps.deliver(self.tenant, name)
            if not delivered.worked:
                longest = self.tenant.now() + LONGEST_SLEEP
                await self._until(self.news[name], min(delivered.again_at or longest, longest))

    async def _attend_newsletters(self) -> None:
        news = self.news.setdefault("newsletters", asyncio.Event())
        while not self.stopping.is_set():
            news.clear()
            issued = await steps.issue(self.tenant)
            if issued.made:
                self._tell_everybody()
                news.clear()
            longest = self.tenant.now() + LONGEST_SLEEP
            await self._until(news, min(issued.again_at or longest, longest))

    async def _attend_projection(self, name: str) -> None:
        turns_at: datetime | None = None
        await self._first_looks(name)
        while not self.stopping.is_set():
            self.news[name].clear()
            due = turns_at is not None and self.tenant.now() >= turns_at
            projected = await steps.project(self.tenant, name, force=due)
            turns_at = projected.again_at or turns_at
            if projected.wrote and name not in self._shown:  # templates, and all that is only read once
                self._shown.add(name)
                memory.trim()
            longest = self.tenant.now() + timedelta(hours=1)
            await self._until(self.news[name], min(turns_at or longest, longest))

    async def _first_looks(self, name: str) -> None:
        """Until every source of a view has been asked once, now or in an earlier life: a new folder must not empty a page that is there."""
        asked = self.tenant.config.sources.keys()  # nobody asks a newsletter, whose issues a page may show
        sources = {source for route in self.tenant.routes if name in route.destinations for source in route.sources} & asked
        known = await self.tenant.ledger.transact(lambda store: {one for one in sources if not store.items.cursor(one)[1]})
        while not self.stopping.is_set() and not sources <= known | self._looked:
            self.news[name].clear()
            await self._until(self.news[name], self.tenant.now() + LONGEST_SLEEP)

    def _tell_everybody(self) -> None:
        for one in self.news.values():
            one.set()

    async def _take_note(self) -> None:
        """Keep what the web server shows up to date, and tell a person what they must know."""
        while not self.stopping.is_set():
            self.problems, self.unfinished = await self.tenant.ledger.transact(
                lambda store: (store.problems.open(), store.outbox.unfinished())
            )
            self.state_problem = ""
            await alerts.tell(self.tenant)
            await self._sleep(TAKE_NOTE_EVERY)

    async def _watch_clock(self) -> None:
        """A clock that jumps makes news look old or quiet hours wrong: publishing waits a little for it to be put right."""
        tenant = self.tenant
        wall, steady = tenant.now(), time.clock_gettime(time.CLOCK_BOOTTIME)
        while not self.stopping.is_set():
            await self._sleep(timedelta(seconds=5))
            passed = timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME) - steady)
            jump = tenant.now() - wall - passed
            if abs(jump) > CLOCK_JUMP:
                event(tenant.log, logging.WARNING, "clock.jumped", by_s=round(jump.total_seconds()))
                self._hold_until = tenant.now() + CLOCK_HOLD
                detail = f"{jump.total_seconds():+.0f} s"
                await tenant.ledger.transact(lambda store, detail=detail: store.problems.put("clock", "clock", detail, "", tenant.now()))  # type: ignore[misc]
                self._tell_everybody()
            elif self._hold_until is not None and tenant.now() >= self._hold_until:
                self._hold_until = None
                await tenant.ledger.transact(lambda store: store.problems.clear("clock"))
            wall, steady = tenant.now(), time.clock_gettime(time.CLOCK_BOOTTIME)

    async def _sleep(self, length: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), max(length.total_seconds(), 0.0))

    async def _until(self, wake: asyncio.Event, at: datetime) -> None:
        """Until ``wake`` is set, ``at`` has come, or the end begins."""
        length = max((at - self.tenant.now()).total_seconds(), 0.0)
        waiting = [asyncio.create_task(wake.wait()), asyncio.create_task(self.stopping.wait())]
        try:
            await asyncio.wait(waiting, timeout=length, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

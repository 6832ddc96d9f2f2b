"""The process: every association's attendant, the web server, signals, and what systemd wants to hear."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syndicator import memory, systemd
from syndicator.config import Config
from syndicator.daemon import Attendant
from syndicator.errors import ConfigError, StateError, SyndicatorError
from syndicator.http import Sessions
from syndicator.logs import event
from syndicator.serving import Serving
from syndicator.tenant import Tenant
from syndicator.words import pick, say

Load = Callable[[], tuple[Sequence[Config], Sequence[ConfigError]]]
"""Read the configuration again: the associations that are right, and what is wrong with the others."""

LEDGER_THREADS = 4
TIDY_AFTER_S = (8, 60, 600)
SPREAD_S = 0.2
"""For each association beyond the first, how much longer the first polls are spread over: a host's hundreds do not all ask at once."""


@dataclass(kw_only=True)
class Service:
    """Serves one association or hundreds until SIGTERM or SIGINT; SIGHUP reads the configuration again."""

    load: Load
    environ: Mapping[str, str]
    now: Callable[[], datetime]
    language: str
    many: bool
    """Whether one association that cannot be served must not keep the others from it."""
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("syndicator"))
    attendants: dict[str, Attendant] = field(default_factory=dict)
    sessions: Sessions = field(default_factory=Sessions)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _reload: asyncio.Event = field(default_factory=asyncio.Event)
    _executor: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(LEDGER_THREADS, "ledger"))

    async def run(self) -> None:
        """Until told to stop; raises ConfigError or StateError when there is nothing to serve."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        serving = Serving(self.attendants, self.now)
        watch = asyncio.create_task(self._watch())
        tidy = asyncio.create_task(_tidy())
        try:
            configs, errors = self.load()
            if errors and (not self.many or not configs):
                raise errors[0]
            await self._start_all(configs, errors)
            await serving.follow(strict=True)
            systemd.ready(self.environ, self._status())
            event(self.log, logging.INFO, "service.ready", associations=len(self.attendants))
            await self._wait(serving)
        finally:
            systemd.stopping(self.environ)
            watch.cancel()
            tidy.cancel()
            await serving.stop()
            await self._stop_all()
            await self.sessions.close()
            self._executor.shutdown()
            event(self.log, logging.INFO, "service.stopped")

    async def _wait(self, serving: Serving) -> None:
        while not self._stop.is_set():
            waiting = [asyncio.create_task(one.wait()) for one in (self._stop, self._reload)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            if self._reload.is_set() and not self._stop.is_set():
                self._reload.clear()
                await self._read_again()
                await serving.follow()

    async def _start_all(self, configs: Sequence[Config], errors: Sequence[ConfigError]) -> None:
        for error in errors:
            event(self.log, logging.ERROR, "config.refused", detail=str(error))
        spread = timedelta(seconds=SPREAD_S * (len(configs) - 1))
        for config in configs:
            try:
                await self._start(config, spread)
            except StateError as error:
                if not self.many:
                    raise
                self._refused(config, error)

    async def _start_again(self, configs: Sequence[Config], former: Mapping[str, Config]) -> None:
        """Start what a reload brought; where its folder cannot be used, what ran before goes on."""
        for config in configs:
            try:
                await self._start(config, timedelta(0))
            except StateError as error:
                self._refused(config, error)
                if config.slug in former:
                    with contextlib.suppress(StateError):
                        await self._start(former[config.slug], timedelta(0))

    def _refused(self, config: Config, error: StateError) -> None:
        hint = pick(error.hint, config.association.language) if error.hint else ""
        event(self.log, logging.ERROR, "association.refused", slug=config.slug, detail=error.detail, hint=hint or None)

    async def _start(self, config: Config, spread: timedelta) -> None:
        rng = random.Random()  # noqa: S311 - jitter, no secret
        tenant = Tenant.make(config, self.sessions, self.now, rng, self._executor)
        attendant = Attendant(tenant=tenant, spread=spread)
        try:
            await attendant.start()
        except SyndicatorError:
            await attendant.stop()
            raise
        self.attendants[config.slug] = attendant

    async def _stop_all(self) -> None:
        stopped = list(self.attendants.values())
        self.attendants.clear()
        await asyncio.gather(*(attendant.stop() for attendant in stopped))

    async def _read_again(self) -> None:
        """SIGHUP: the new configuration where it is right, the old one where it is not; who did not change goes on undisturbed."""
        systemd.reloading(self.environ)
        configs, errors = self.load()
        for error in errors:
            event(self.log, logging.ERROR, "config.refused", detail=str(error), hint=say(self.language, "run.reload-refused"))
        wrong = {problem.path for error in errors for problem in error.problems}
        wanted = {config.slug: config for config in configs}
        kept = {
            slug
            for slug, attendant in self.attendants.items()
            if attendant.tenant.config == wanted.get(slug) or str(attendant.tenant.config.path) in wrong
        }
        stopped = [self.attendants.pop(slug) for slug in list(self.attendants) if slug not in kept]
        await asyncio.gather(*(attendant.stop() for attendant in stopped))
        former = {attendant.tenant.config.slug: attendant.tenant.config for attendant in stopped}
        await self._start_again([config for slug, config in wanted.items() if slug not in kept], former)
        systemd.ready(self.environ, self._status())
        if configs:
            event(self.log, logging.INFO, "service.reloaded", associations=len(self.attendants))
        else:
            event(self.log, logging.INFO, "service.unchanged", associations=len(self.attendants))

    async def _watch(self) -> None:
        """Tell systemd's watchdog that we live: only when the loop turns, the ledger threads answer and nobody's loop is lost."""
        interval = systemd.watchdog_interval_s(self.environ)
        while interval is not None:
            loop = asyncio.get_running_loop()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(loop.run_in_executor(self._executor, _nothing), timeout=interval)
                if all(attendant.lives() for attendant in self.attendants.values()):
                    systemd.alive(self.environ)
            await asyncio.sleep(interval)

    def _status(self) -> str:
        return say(self.language, "run.started", count=len(self.attendants))


async def _tidy() -> None:
    """Start-up and the first polls leave more behind than what follows ever needs."""
    for after_s in TIDY_AFTER_S:
        await asyncio.sleep(after_s)
        memory.give_back(settled=True)


def _nothing() -> None:
    """What an idle thread has to do to show that it is there."""

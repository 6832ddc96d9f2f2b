"""The loops: what happens by itself, what ends in order, and what does not stop the rest.

Nothing here waits for a clock: short waits of the daemon end when the test says so, everything else is told by events.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator import daemon
from syndicator.config import Config
from syndicator.daemon import Attendant
from syndicator.errors import ConfigError, Problem, Rejected, StateError, Transient
from syndicator.http import Sessions
from syndicator.letter.newsletter import Newsletter
from syndicator.letter.schedule import parse
from syndicator.service import Service
from syndicator.store import Ledger
from syndicator.tenant import Tenant
from tests.engine_scene import (
    START,
    Clock,
    FindableWall,
    Screen,
    ScriptedSource,
    Wall,
    World,
    configuration,
    destination,
    post,
    projection,
    route,
    source,
)

PATIENCE_S = 20
"""How long a test waits for what must happen before it fails; nothing takes that long."""
AT_ONCE = {"delay": timedelta(0), "backfill": timedelta(days=1)}


@dataclass(kw_only=True)
class Stepped(Attendant):
    """An attendant whose short waits end when the test says so."""

    waiting: dict[timedelta, asyncio.Event] = field(default_factory=dict)
    ends: dict[timedelta, asyncio.Event] = field(default_factory=dict)

    async def _sleep(self, length: timedelta) -> None:
        if not length:
            return
        end = self.ends.setdefault(length, asyncio.Event())
        end.clear()
        self.waiting.setdefault(length, asyncio.Event()).set()
        tasks = [asyncio.create_task(one.wait()) for one in (end, self.stopping)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()

    async def until_waits(self, **length: float) -> None:
        """Until a loop has come to a wait of this length."""
        await soon(self.waiting.setdefault(timedelta(**length), asyncio.Event()))

    async def tick(self, **length: float) -> None:
        """End the waits of this length, and see the loops through to their next."""
        await self.until_waits(**length)
        self.waiting[timedelta(**length)].clear()
        self.ends[timedelta(**length)].set()
        await self.until_waits(**length)


async def soon(what: asyncio.Event | Awaitable[Any]) -> Any:
    """What must happen."""
    return await asyncio.wait_for(what.wait() if isinstance(what, asyncio.Event) else what, PATIENCE_S)


@dataclass(kw_only=True)
class House:
    """One association, running."""

    clock: Clock
    config: Config
    attendant: Stepped
    world: World
    wall: Wall
    screen: Screen
    hung: asyncio.Event
    """Set after each publication."""


@contextlib.asynccontextmanager
async def house(
    folder: Path, *, slug: str = "asso", kind: type[Any] = FindableWall, source_kind: type[Any] = ScriptedSource
) -> AsyncIterator[House]:
    """An association that mirrors at once, with a page, not started yet."""
    clock, world, wall, screen, sessions, hung = Clock(), World(), Wall(), Screen(), Sessions(), asyncio.Event()

    async def note() -> None:
        hung.set()

    wall.after["publish"] = note
    config = configuration(
        folder,
        [source(world, kind=source_kind)],
        [destination(wall, kind=kind), projection(screen)],
        [route(**AT_ONCE), route("page", destinations=["page"])],
        slug=slug,
    )
    attendant = Stepped(tenant=Tenant.make(config, sessions, clock, rng()))
    try:
        yield House(clock=clock, config=config, attendant=attendant, world=world, wall=wall, screen=screen, hung=hung)
    finally:
        await attendant.stop()
        await sessions.close()


def rng() -> random.Random:
    return random.Random(7)


def rows(config: Config) -> list[tuple[str, str]]:
    """(purpose, state) of what is in the outbox of an association that has ended."""
    ledger = Ledger(config.state_dir / "syndicator.db")
    try:
        found = ledger.transact_now(lambda store: store.outbox.deliveries("pending", "sending", "done", "parked", "dropped"))
    finally:
        ledger.close()
    return [(row.purpose, row.state) for row in found]


async def test_what_is_published_is_mirrored_by_itself(tmp_path: Path) -> None:
    """A look, its news told to every destination, a post and a page; every loop lives."""
    async with house(tmp_path) as one:
        shown = asyncio.Event()
        one.world.show(post(1))

        class Noting(list[Any]):
            def append(self, view: Any) -> None:
                super().append(view)
                if view.items:
                    shown.set()

        one.screen.views = Noting()
        await one.attendant.start()
        await soon(one.hung)
        await soon(shown)
        assert (one.wall.texts, one.attendant.lives()) == (["Bonjour"], True)
        await one.attendant.stop()
        assert rows(one.config) == [("create", "done")]


async def test_a_view_does_not_wait_for_a_newsletter_to_be_looked_at(tmp_path: Path) -> None:
    """Its issues are shown there, but no origin is asked for them: the page stands before the first of them."""
    async with house(tmp_path) as one:
        letter = Newsletter(
            name="lettre", title="La lettre", schedule=parse("chaque lundi à 9h"), sources=("toots",), destinations=("page",)
        )
        one.config = replace(one.config, newsletters={"lettre": letter})
        one.attendant.tenant = Tenant.make(one.config, one.attendant.tenant.sessions, one.clock, rng())
        shown = asyncio.Event()

        class Noting(list[Any]):
            def append(self, view: Any) -> None:
                super().append(view)
                shown.set()

        one.screen.views = Noting()
        one.world.show(post(1))
        await one.attendant.start()
        await soon(shown)
        assert "newsletter:lettre" in one.screen.views[-1].sources


async def test_news_wakes_a_listener_s_source_at_once(tmp_path: Path) -> None:
    """The origin says that there may be news: it is looked at, though no look is due."""

    class Listening(ScriptedSource):
        async def wait(self) -> None:
            await bell.wait()
            bell.clear()

    bell = asyncio.Event()
    async with house(tmp_path, source_kind=Listening) as one:
        one.world.show(post(1))
        await one.attendant.start()
        await soon(one.hung)
        one.hung.clear()
        one.world.show(post(2, "Encore"))
        bell.set()
        await soon(one.hung)
        assert one.wall.texts == ["Bonjour", "Encore"]


@pytest.mark.parametrize(("error", "told"), [(Rejected("never"), "source.not-listening"), (RuntimeError("bug"), "source.listener-bug")])
async def test_where_listening_fails_for_good_polling_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, told: str
) -> None:
    """It is said once, and nothing else stops."""
    caplog.set_level(logging.INFO)
    failed = asyncio.Event()

    class Deaf(ScriptedSource):
        async def wait(self) -> None:
            failed.set()
            raise error

    async with house(tmp_path, source_kind=Deaf) as one:
        one.world.show(post(1))
        await one.attendant.start()
        await soon(failed)
        await soon(one.hung)
        assert one.attendant.lives()
        await one.attendant.stop()
    assert [record.message for record in caplog.records if record.message.startswith("source.") and "listen" in record.message] == [told]


async def test_a_listener_that_is_cut_off_comes_back(tmp_path: Path) -> None:
    """After a while that grows; when it hears again, the source is looked at."""
    answers: list[Exception] = [Transient("cut"), Transient("cut")]
    heard = asyncio.Event()

    class Cut(ScriptedSource):
        async def wait(self) -> None:
            if answers:
                raise answers.pop()
            heard.set()
            await asyncio.Event().wait()

    async with house(tmp_path, source_kind=Cut) as one:
        await one.attendant.start()
        await one.attendant.until_waits(seconds=10)
        one.attendant.ends[timedelta(seconds=10)].set()
        await one.attendant.until_waits(seconds=20)
        one.attendant.ends[timedelta(seconds=20)].set()
        await soon(heard)


async def test_a_stop_lets_what_is_being_sent_end(tmp_path: Path) -> None:
    """SIGTERM in the middle of a publication: it arrives, its receipt is kept, nothing new begins."""
    async with house(tmp_path) as one:
        leaving, answer = asyncio.Event(), asyncio.Event()

        async def slow() -> None:
            leaving.set()
            await answer.wait()

        one.wall.before["publish"] = slow
        one.world.show(post(1), post(2, "Deux", published_at=START + timedelta(seconds=1)))
        await one.attendant.start()
        await soon(leaving)
        stop = asyncio.create_task(one.attendant.stop())
        await soon(one.attendant.stopping)
        assert not stop.done()
        answer.set()
        await soon(stop)
        assert one.wall.texts == ["Bonjour"]
        assert sorted(rows(one.config)) == [("create", "done"), ("create", "pending")]


async def test_a_stop_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What never answers is left in doubt, and found out at the next start: posted once."""
    monkeypatch.setattr(daemon, "GRACE_S", 0.01)
    async with house(tmp_path) as one:
        leaving = asyncio.Event()

        async def never() -> None:
            leaving.set()
            await asyncio.Event().wait()

        one.wall.after["publish"] = never
        one.world.show(post(1))
        await one.attendant.start()
        await soon(leaving)
        await soon(one.attendant.stop())
        assert rows(one.config) == [("create", "sending")]
        one.wall.after.clear()
        found = asyncio.Event()

        async def note() -> None:
            found.set()

        one.wall.after["find"] = note
        one.clock.go(minutes=5)
        sessions = Sessions()
        second = Stepped(tenant=Tenant.make(one.config, sessions, one.clock, rng()))
        await second.start()
        await soon(found)
        await second.stop()
        await sessions.close()
        assert (one.wall.made, rows(one.config)) == (1, [("create", "done")])


async def test_a_bug_in_a_loop_stops_it_for_a_minute_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Logged with its traceback, then it begins again."""
    again = asyncio.Event()
    runs = 0

    async def loop() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ZeroDivisionError("au fond")
        again.set()
        await asyncio.Event().wait()

    async with house(tmp_path) as one:
        one.world.show(post(1))
        await one.attendant.start()
        one.attendant._run("test", loop)
        await one.attendant.until_waits(minutes=1)
        await soon(one.hung)
        one.attendant.ends[timedelta(minutes=1)].set()
        await soon(again)
        assert one.attendant.lives()
        one.attendant._tasks[-1].cancel()
    (record,) = [record for record in caplog.records if record.message == "loop.bug"]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


async def test_a_ledger_that_fails_is_said_and_tried_again(tmp_path: Path) -> None:
    """A disk that is full for a while: the loops rest, say so in the association's language, and go on by themselves."""
    async with house(tmp_path) as one:
        await one.attendant.start()
        ledger = one.config.state_dir / "syndicator.db"
        await one.attendant.until_waits(seconds=20)

        def squeeze(store: Any) -> None:
            conn = store.items._db.conn
            conn.execute(f"pragma max_page_count = {conn.execute('pragma page_count').fetchone()[0]}")

        await one.attendant.tenant.ledger.transact(squeeze)
        one.world.show(*(post(n, f"n° {n}", title="é" * 3000) for n in range(20)))
        for task in one.attendant._tasks:
            if "source" in task.get_name():
                task.cancel()
        one.attendant._run("source:toots", one.attendant._attend_source, "toots")
        await one.attendant.until_waits(minutes=1)
        assert "Le disque est plein" in one.attendant.state_problem
        assert (one.wall.made, ledger.exists()) == (0, True)
        await one.attendant.tenant.ledger.transact(lambda store: store.items._db.conn.execute("pragma max_page_count = 100000"))
        one.attendant.ends[timedelta(minutes=1)].set()
        await soon(one.hung)
        await one.attendant.tick(seconds=20)
        assert one.attendant.state_problem == ""


async def test_one_association_s_fault_does_not_stop_another(tmp_path: Path) -> None:
    """A damaged ledger here, a bug in a connector there: the third posts."""
    async with house(tmp_path, slug="a") as damaged, house(tmp_path, slug="b") as bugged, house(tmp_path, slug="c") as well:
        await damaged.attendant.start()
        await damaged.attendant.until_waits(seconds=20)
        damage(damaged.attendant.tenant.ledger)
        bugged.world.down = ZeroDivisionError("au fond")
        await bugged.attendant.start()
        well.world.show(post(1))
        await well.attendant.start()
        await soon(well.hung)
        await damaged.attendant.until_waits(seconds=20)
        damaged.attendant.ends[timedelta(seconds=20)].set()
        await damaged.attendant.until_waits(minutes=1)
        assert "sauvegarde" in damaged.attendant.state_problem
        assert [one.attendant.lives() for one in (damaged, bugged, well)] == [True, True, True]


def damage(ledger: Ledger) -> None:
    """While none of its threads is at work: a file cut short under SQLite's feet would take the whole process with it."""
    with ledger._lock:
        assert ledger._db is not None
        ledger._db.conn.close()
        ledger._db = None
        for path in ledger.path.parent.glob(f"{ledger.path.name}*"):
            path.unlink()
        ledger.path.write_bytes(b"perdu" * 5000)


@pytest.mark.parametrize("hours", [30, -30])
async def test_a_clock_that_jumps_holds_what_would_be_posted(tmp_path: Path, hours: int) -> None:
    """Ten minutes, told as a problem; edits of the world are still read; then everything goes on."""
    async with house(tmp_path) as one:
        await one.attendant.start()
        await one.attendant.until_waits(seconds=5)
        one.clock.go(hours=hours)
        await one.attendant.tick(seconds=5)
        await one.attendant.until_waits(minutes=1)
        one.world.show(post(1, published_at=one.clock()))
        await daemon.steps.poll(one.attendant.tenant, "toots")
        one.attendant._tell_everybody()
        for _ in range(2):
            one.clock.go(minutes=4)
            await one.attendant.tick(seconds=5)
        problems = await one.attendant.tenant.ledger.transact(lambda store: store.problems.open())
        assert ([(p.subject, p.kind) for p in problems], one.wall.made) == ([("clock", "clock")], 0)
        one.clock.go(minutes=4)
        await one.attendant.tick(seconds=5)
        one.attendant.ends[timedelta(minutes=1)].set()
        await soon(one.hung)
        assert await one.attendant.tenant.ledger.transact(lambda store: store.problems.open()) == []


async def test_a_clock_that_goes_holds_nothing(tmp_path: Path) -> None:
    """Some minutes of difference are a slow machine, or a correction that harms nobody."""
    async with house(tmp_path) as one:
        await one.attendant.start()
        for _ in range(5):
            one.clock.go(minutes=4)
            await one.attendant.tick(seconds=5)
        assert one.attendant._hold_until is None


async def test_what_the_status_shows_is_kept_up_to_date(tmp_path: Path) -> None:
    """Open problems, and what waits or is parked."""
    async with house(tmp_path) as one:
        one.wall.fail("publish", Rejected("422"))
        one.world.show(post(1))
        await one.attendant.start()
        await soon(one.hung)
        parked = False
        while not parked:
            await one.attendant.tick(seconds=20)
            parked = one.attendant.unfinished == {("wall", "parked"): 1}
        assert [problem.kind for problem in one.attendant.problems] == ["rejected"]


async def test_two_daemons_on_one_folder_are_refused(tmp_path: Path) -> None:
    """The second says so and lets go of everything; the first goes on."""
    async with house(tmp_path) as one:
        await one.attendant.start()
        sessions = Sessions()
        second = Attendant(tenant=Tenant.make(one.config, sessions, one.clock, rng()))
        with pytest.raises(StateError, match="in use"):
            await second.start()
        await second.stop()
        await sessions.close()
        one.world.show(post(1))
        await daemon.steps.poll(one.attendant.tenant, "toots")
        one.attendant._tell_everybody()
        await soon(one.hung)


# the service


class Manager:
    """A service manager that listens, as systemd does."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)

    async def hear(self, word: str) -> None:
        """Until this was said."""
        loop = asyncio.get_running_loop()
        while True:
            said = (await soon(loop.sock_recv(self._socket, 4096))).decode().splitlines()
            if word in said:
                return

    def close(self) -> None:
        self._socket.close()


@dataclass(kw_only=True)
class Hall:
    """A service at work, its configurations in memory."""

    manager: Manager
    service: Service
    run: asyncio.Task[None]
    configs: list[Config]
    errors: list[ConfigError]

    async def reload(self) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        await self.manager.hear("RELOADING=1")
        await self.manager.hear("READY=1")

    async def end(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await self.manager.hear("STOPPING=1")
        await soon(self.run)


@contextlib.asynccontextmanager
async def hall(folder: Path, configs: Sequence[Config], *, many: bool = True, clock: Clock | None = None) -> AsyncIterator[Hall]:
    manager = Manager(folder)
    now, errors, given = clock or Clock(), [], list(configs)
    service = Service(
        load=lambda: (list(given), list(errors)), environ={"NOTIFY_SOCKET": str(manager.path)}, now=now, language="fr", many=many
    )
    run = asyncio.create_task(service.run())
    try:
        await manager.hear("READY=1")
        yield Hall(manager=manager, service=service, run=run, configs=given, errors=errors)
        if not run.done():
            os.kill(os.getpid(), signal.SIGTERM)
            await soon(run)
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        manager.close()


def association(folder: Path, slug: str, world: World, wall: Wall, *, name: str = "wall") -> Config:
    return configuration(
        folder,
        [source(world)],
        [destination(wall, name=name)],
        [route(destinations=[name], **AT_ONCE)],
        slug=slug,
        digest=name,
    )


def hung_on(wall: Wall) -> asyncio.Event:
    hung = asyncio.Event()

    async def note() -> None:
        hung.set()

    wall.after["publish"] = note
    return hung


async def test_a_service_begins_and_ends_in_order(tmp_path: Path) -> None:
    """Ready when everybody runs, everything let go of when it is told to stop."""
    world, wall = World(), Wall()
    hung = hung_on(wall)
    world.show(post(1))
    config = association(tmp_path, "a", world, wall)
    async with hall(tmp_path, [config], many=False) as it:
        await soon(hung)
        await it.end()
        assert (it.service.attendants, rows(config)) == ({}, [("create", "done")])


async def test_a_reload_takes_the_new_configuration_and_leaves_who_did_not_change(tmp_path: Path) -> None:
    """Another place for this one; the other goes on undisturbed; one more begins, one ends."""
    worlds, walls = [World() for _ in range(4)], [Wall() for _ in range(4)]
    before = [association(tmp_path, slug, world, wall) for slug, world, wall in zip("abc", worlds, walls, strict=False)]
    elsewhere = Wall()
    hung, begun = hung_on(elsewhere), hung_on(walls[3])
    async with hall(tmp_path, before) as it:
        undisturbed = it.service.attendants["b"]
        worlds[0].show(post(1))
        worlds[3].show(post(1))
        moved = association(tmp_path, "a", worlds[0], elsewhere, name="elsewhere")
        it.configs[:] = [moved, before[1], association(tmp_path, "d", worlds[3], walls[3])]
        await it.reload()
        assert sorted(it.service.attendants) == ["a", "b", "d"]
        assert it.service.attendants["b"] is undisturbed
        await soon(hung)
        await soon(begun)
        assert undisturbed.lives()


async def test_a_reload_keeps_what_ran_where_the_new_configuration_is_wrong(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake in one file changes nothing for its association; it is said."""
    world, wall = World(), Wall()
    hung = hung_on(wall)
    config = association(tmp_path, "a", world, wall)
    async with hall(tmp_path, [config], many=False) as it:
        running = it.service.attendants["a"]
        it.configs.clear()
        it.errors.append(ConfigError([Problem(path=str(config.path), line=3, key="sources.toots.url", text="adresse inconnue")]))
        await it.reload()
        assert it.service.attendants == {"a": running}
        assert running.lives()
        world.show(post(1))
        await daemon.steps.poll(running.tenant, "toots")
        running._tell_everybody()
        await soon(hung)
    assert "config.refused" in [record.message for record in caplog.records]


@pytest.mark.parametrize("many", [False, True])
async def test_a_reload_keeps_what_ran_where_the_new_folder_cannot_be_used(
    tmp_path: Path, many: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The configuration reads well, but its state folder does not do: the old one goes on."""
    world, wall = World(), Wall()
    hung = hung_on(wall)
    config = association(tmp_path, "a", world, wall)
    (tmp_path / "file").write_text("")
    async with hall(tmp_path, [config], many=many) as it:
        it.configs[:] = [replace(config, state_dir=tmp_path / "file" / "state")]
        world.show(post(1))
        await it.reload()
        assert [attendant.tenant.config for attendant in it.service.attendants.values()] == [config]
        await soon(hung)
    assert "association.refused" in [record.message for record in caplog.records]


async def test_one_association_that_cannot_begin_does_not_keep_the_others(tmp_path: Path) -> None:
    """Among many; alone, it is the end, with the reason."""
    (tmp_path / "file").write_text("")
    wall, world = Wall(), World()
    hung = hung_on(wall)
    world.show(post(1))
    broken = replace(association(tmp_path, "a", World(), Wall()), state_dir=tmp_path / "file" / "state")
    async with hall(tmp_path, [broken, association(tmp_path, "b", world, wall)]) as it:
        assert list(it.service.attendants) == ["b"]
        await soon(hung)
    alone = Service(load=lambda: ([broken], []), environ={}, now=Clock(), language="fr", many=False)
    with pytest.raises(StateError):
        await soon(alone.run())


async def test_a_service_with_nothing_right_to_serve_says_why(tmp_path: Path) -> None:
    """A wrong configuration alone is the end."""
    error = ConfigError([Problem(path="a.toml", line=1, key="", text="vide")])
    service = Service(load=lambda: ([], [error]), environ={}, now=Clock(), language="fr", many=True)
    with pytest.raises(ConfigError) as caught:
        await soon(service.run())
    assert caught.value is error

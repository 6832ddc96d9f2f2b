"""What is asked of the ledger while the disk is busy is written together: one commit, each work whole or not at all."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syndicator.errors import StateError
from syndicator.store import Ledger, Store

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Watched(Ledger):
    """A ledger that counts its transactions, and whose first work lasts until the test says so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, ThreadPoolExecutor(2))
        self.transactions = 0
        self.busy, self.go_on = threading.Event(), threading.Event()

    def transact_now(self, work: Callable[[Store], Any]) -> Any:
        self.transactions += 1
        return super().transact_now(work)

    def linger(self, _: Store) -> None:
        """Be busy."""
        self.busy.set()
        assert self.go_on.wait(20)

    async def meanwhile(self, *works: Callable[[Store], Any]) -> list[Any]:
        """What comes of works that are asked for, in this order, while another is being written."""
        first = asyncio.ensure_future(self.transact(self.linger))
        await asyncio.to_thread(self.busy.wait, 20)
        waiting: list[Awaitable[Any]] = []
        for work in works:
            waiting.append(asyncio.ensure_future(self.transact(work)))
            await asyncio.sleep(0)  # it has joined the queue
        self.go_on.set()
        await first
        return await asyncio.gather(*waiting, return_exceptions=True)

    @property
    def subjects(self) -> list[str]:
        """What another program finds in the file."""
        with closing(sqlite3.connect(self.path)) as db:
            return [row[0] for row in db.execute("select subject from problem order by subject")]


@pytest.fixture
def ledger(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "ledger.db")


def put(subject: str) -> Callable[[Store], str]:
    """Write something down."""

    def work(store: Store) -> str:
        store.problems.put(subject, "kind", "", "", NOW)
        return subject

    return work


def broken(subject: str, error: BaseException) -> Callable[[Store], str]:
    """Write something down, and fail."""

    def work(store: Store) -> str:
        put(subject)(store)
        raise error

    return work


async def test_those_that_wait_are_written_together(ledger: Watched) -> None:
    """One transaction for all of them, in their order, each told its own result."""
    found = await ledger.meanwhile(put("a"), put("b"), lambda store: len(store.problems.open()))

    assert found == ["a", "b", 2]
    assert ledger.transactions == 2
    assert ledger.subjects == ["a", "b"]


async def test_nobody_hears_before_it_is_on_the_disk(ledger: Watched) -> None:
    """Whoever goes on after ``transact`` finds it in the file, whoever else was written with it."""
    seen: list[list[str]] = []

    async def ask(subject: str) -> None:
        await ledger.transact(put(subject))
        seen.append(ledger.subjects)

    first = asyncio.ensure_future(ledger.transact(ledger.linger))
    await asyncio.to_thread(ledger.busy.wait, 20)
    asked = [asyncio.ensure_future(ask(name)) for name in "abc"]
    await asyncio.sleep(0)
    ledger.go_on.set()
    await asyncio.gather(first, *asked)

    assert seen == [["a", "b", "c"]] * 3


@pytest.mark.parametrize("error", [ZeroDivisionError("au fond"), KeyError("x"), asyncio.CancelledError()])
async def test_one_that_fails_harms_no_other(ledger: Watched, error: BaseException) -> None:
    """It hears of its error and leaves nothing behind; those before and after it are written."""
    found = await ledger.meanwhile(put("a"), broken("b", error), put("c"))

    assert [found[0], type(found[1]), found[2]] == ["a", type(error), "c"]
    assert (ledger.subjects, ledger.transactions) == (["a", "c"], 2)


async def test_a_constraint_that_one_violates_is_its_own_state_error(ledger: Watched) -> None:
    """SQLite refuses a row, not the transaction."""

    def wrong(store: Store) -> None:
        put("b")(store)
        store.outbox._db.conn.execute("insert into delivery (id) values (null)")

    found = await ledger.meanwhile(put("a"), wrong, put("c"))

    assert (found[0], found[2], ledger.subjects) == ("a", "c", ["a", "c"])
    assert isinstance(found[1], StateError)
    assert isinstance(found[1].__cause__, sqlite3.IntegrityError)


async def test_when_sqlite_takes_all_of_it_back_everybody_hears_so(ledger: Watched) -> None:
    """A disk that is full, say: nothing of it is there, nobody believes otherwise, and the next try works."""

    def undone(store: Store) -> None:
        put("b")(store)
        store.outbox._db.conn.execute("rollback")  # as SQLite does by itself then
        raise sqlite3.OperationalError("database or disk is full")

    found = await ledger.meanwhile(put("a"), undone, put("c"))

    assert [type(one) for one in found] == [StateError] * 3
    assert ledger.subjects == []
    assert (await ledger.transact(put("d")), ledger.subjects) == ("d", ["d"])


async def test_a_commit_that_fails_fails_for_all(ledger: Watched) -> None:
    """A foreign key that is checked at the end, by one of them: none is told that it was written."""

    def postponed(store: Store) -> None:
        conn = store.outbox._db.conn
        conn.execute("pragma defer_foreign_keys = on")
        conn.execute("create table if not exists parent (id integer primary key)")
        conn.execute("create table if not exists child (id integer references parent (id))")
        conn.execute("insert into child values (7)")

    found = await ledger.meanwhile(put("a"), postponed)

    assert [type(one) for one in found] == [StateError] * 2
    assert ledger.subjects == []
    assert await ledger.transact(put("d")) == "d"


async def test_who_does_not_wait_any_more_is_left_out(ledger: Watched) -> None:
    """A task that is cancelled before its turn has come asks for nothing; the others go on."""
    first = asyncio.ensure_future(ledger.transact(ledger.linger))
    await asyncio.to_thread(ledger.busy.wait, 20)
    one, two = (asyncio.ensure_future(ledger.transact(put(name))) for name in "ab")
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.sleep(0)
    ledger.go_on.set()

    assert (await asyncio.gather(first, one, two, return_exceptions=True))[2] == "b"
    assert ledger.subjects == ["b"]


async def test_without_a_thread_nobody_waits_for_ever(tmp_path: Path) -> None:
    """After the end of the process's threads, asking fails at once, twice as well."""
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    ledger = Ledger(tmp_path / "ledger.db", executor)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await ledger.transact(put("a"))

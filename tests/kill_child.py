"""The process that gets killed: a real tenant, real steps, and a ``Ledger`` that SIGKILLs its own process at a given transaction.

``python -m tests.kill_child SOCKET`` imports everything once, then forks for each job that comes through the Unix socket: nothing of one
run is left for the next but the state folder. A connection that ends without an answer is a process that was killed.

Also here: ``OriginFile``, a source that reads what is published from a JSON file, and ``Page``, the few bytes that the killed process,
its successor and the test share: one clock, the count of ledger transactions, the pid.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import importlib
import io
import json
import logging
import mmap
import os
import random
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from syndicator import registry, steps
from syndicator.config import load
from syndicator.contract import Context
from syndicator.http import Sessions
from syndicator.model import Attachment, Batch, Post, Tombstone
from syndicator.store import Ledger, Store
from syndicator.tenant import Tenant

HORIZON = timedelta(days=2)
"""How far the clock may be moved on until nothing is left to wait for."""
STEPS_MAX = 400
HIGH_FD = 900
LATE_IMPORTS = (
    "connectors.mastodon.client", "connectors.mastodon.transport", "encodings.utf_8_sig", "mastodon", "requests", "PIL.Image", "regex",
    "syndicator.attempt", "syndicator.render", "syndicator.media", "syndicator.cli.outbox",
)  # fmt: skip
"""What a daemon loads when it first needs it: loaded once here, not in every process."""


class Page:
    """Shared memory: (clock, ledger transactions begun, pid)."""

    SIZE = 24

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), self.SIZE)

    @classmethod
    def make(cls, path: Path) -> Page:
        path.write_bytes(bytes(cls.SIZE))
        return cls(path)

    def now(self) -> datetime:
        """The one clock of everybody in a test."""
        return datetime.fromtimestamp(struct.unpack_from("d", self._map, 0)[0], UTC)

    def set_now(self, at: datetime) -> None:
        struct.pack_into("d", self._map, 0, at.timestamp())

    @property
    def transactions(self) -> int:
        return int(struct.unpack_from("q", self._map, 8)[0])

    @transactions.setter
    def transactions(self, value: int) -> None:
        struct.pack_into("q", self._map, 8, value)

    @property
    def pid(self) -> int:
        return int(struct.unpack_from("q", self._map, 16)[0])

    @pid.setter
    def pid(self, value: int) -> None:
        struct.pack_into("q", self._map, 16, value)


class OriginFile:
    """A free network in a file: a list of posts, and of uids that are gone for good."""

    @dataclass(frozen=True, kw_only=True)
    class Options:
        path: Path

    def __init__(self, options: Options, context: Context) -> None:
        self._path = options.path

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def fetch(self, cursor: str | None) -> Batch:
        return Batch(changed=tuple(self._posts()), gone=self._gone(), cursor="read")

    async def read(self, ids: Sequence[str]) -> Batch:
        return Batch(changed=tuple(post for post in self._posts() if post.uid in ids), gone=self._gone())

    def _posts(self) -> list[Post]:
        return [
            Post(
                uid=post["uid"],
                url=post["uid"],
                html=f"<p>{post['text']}</p>",
                language="fr",
                published_at=datetime.fromisoformat(post["at"]),
                in_reply_to=post.get("in_reply_to"),
                attachments=tuple(Attachment(url=url, description="Deux vélos") for url in post.get("pictures", ())),
            )
            for post in json.loads(self._path.read_text())["posts"]
        ]

    def _gone(self) -> tuple[Tombstone, ...]:
        return tuple(Tombstone(uid=uid, certain=True) for uid in json.loads(self._path.read_text())["gone"])


def die() -> None:
    """As a power cut would have it: nothing is cleaned up, nothing is flushed."""
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def arm(page: Page, kill: tuple[int, str] | None) -> list[int]:
    """Count the ledger's transactions; at the one that ``kill`` names, die ``before`` it begins, ``inside`` it or ``after`` its commit.

    The list grows by the numbers of those that write.
    """
    real = Ledger.transact_now
    writing: list[int] = []

    def transact_now(ledger: Ledger, work: Callable[[Store], Any]) -> Any:
        page.transactions += 1
        stage = kill[1] if kill is not None and kill[0] == page.transactions else ""

        def inside(store: Store) -> Any:
            connection = store.outbox._db.conn
            before = connection.total_changes
            result = work(store)
            if connection.total_changes != before:
                writing.append(page.transactions)
            if stage == "inside":
                die()
            return result

        if stage == "before":
            die()
        result = real(ledger, inside)
        if stage == "after":
            die()
        return result

    setattr(Ledger, "transact_now", transact_now)  # noqa: B010 - a method is replaced, on purpose
    return writing


async def settle(config_path: Path, page: Page) -> None:
    """Start as the daemon does, read the origin, then deliver until nothing is left to do or to wait for; waiting costs no time."""
    sessions = Sessions()
    tenant = Tenant.make(load(config_path, environ={}), sessions, page.now, random.Random(7))
    horizon = page.now() + HORIZON
    await tenant.start()
    for _ in range(STEPS_MAX):
        if not tenant.polled_at:
            await steps.poll(tenant, "origin")
        delivered = await steps.deliver(tenant, "elsewhere")
        if delivered.worked:
            continue
        if delivered.again_at is None or delivered.again_at > horizon:
            break
        page.set_now(max(page.now(), delivered.again_at))
    else:
        raise RuntimeError("it never comes to rest")
    await tenant.close()
    await sessions.close()


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Do one job in this process."""
    page = Page(Path(job["page"]))
    page.pid, page.transactions = os.getpid(), 0
    if job.get("argv") is not None:
        from syndicator.cli import main

        with contextlib.redirect_stdout(io.StringIO()) as said:
            code = main(job["argv"], {"LANG": "fr_FR.UTF-8"})
        return {"code": code, "said": said.getvalue()}
    kill = job.get("kill")
    writing = arm(page, (int(kill[0]), str(kill[1])) if kill else None)
    log = logging.FileHandler(job["log"])
    log.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger("syndicator").addHandler(log)
    logging.getLogger("syndicator").setLevel(logging.INFO)
    asyncio.run(settle(Path(job["config"]), page))
    return {"transactions": page.transactions, "writing": writing}


def serve(path: str) -> None:
    """Fork for every job, until the socket's folder is gone or we are told to end."""
    for name in LATE_IMPORTS:
        importlib.import_module(name)
    registry.find("sources", "origin-file")
    registry.find("destinations", "wall")
    registry.find("destinations", "mastodon")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # what is never collected is never written to, and so never copied
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    while True:
        connection, _ = listening.accept()
        if os.fork():
            connection.close()
            continue
        listening.close()
        # The highest descriptor is closed last: when the test sees the end, locks and files are free already.
        line = os.fdopen(fcntl.fcntl(connection.fileno(), fcntl.F_DUPFD, HIGH_FD), "r+b", buffering=0)
        connection.close()
        try:
            answer = work(json.loads(line.readline()))
        except BaseException as error:  # whatever it is, the test is told
            answer = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(BrokenPipeError):  # a test that failed does not wait for us
            line.write(json.dumps(answer).encode() + b"\n")
        os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])

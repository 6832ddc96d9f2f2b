"""What the kill tests share: three networks that can kill their visitor, a folder that outlives it, and the runs of ``kill_child``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.kill_child import Page
from tests.kill_networks import HTTP_STAGES, Network, NetworkName, Seen, Shown
from tests.media_scene import Files, photo

ROOT = Path(__file__).parent.parent
ORIGIN = "https://social.example/users/asso/statuses"
LEDGER_STAGES = ("before", "inside", "after")


@dataclass(frozen=True, kw_only=True)
class Step:
    """A point at which a process can die. Ordered by (``transactions``, ``place``): the transactions begun so far, then what follows."""

    label: str
    transactions: int
    place: tuple[int, ...]
    request: int | None = None
    """The number of the request, for what happens at the network."""
    stage: str = ""

    @property
    def order(self) -> tuple[int, ...]:
        return (self.transactions, *self.place)


@dataclass(kw_only=True)
class Ran:
    """How a run of ``kill_child`` ended."""

    killed: bool
    answer: Mapping[str, Any] = field(default_factory=dict)


class ForkServer:
    """``kill_child``, waiting for jobs."""

    def __init__(self, folder: Path) -> None:
        plugins = folder / "plugins" / "kill_tests-1.dist-info"
        plugins.mkdir(parents=True)
        (plugins / "METADATA").write_text("Metadata-Version: 2.1\nName: kill-tests\nVersion: 1\n")
        (plugins / "entry_points.txt").write_text(
            "[syndicator.sources]\norigin-file = tests.kill_child:OriginFile\n"
            "[syndicator.destinations]\nwall = tests.kill_wall:WallPublisher\n"
        )
        self._path = folder / "socket"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kill_child", str(self._path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(plugins.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        )

    async def run(self, job: Mapping[str, Any]) -> Ran:
        """One process, to its end."""
        while not self._path.exists():
            assert self._process.poll() is None, "kill_child does not start"
            await asyncio.sleep(0.02)
        reader, writer = await self._connect()
        writer.write(json.dumps(job).encode() + b"\n")
        line = await reader.readline()
        writer.close()
        if not line:
            return Ran(killed=True)
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return Ran(killed=False, answer=answer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            try:
                return await asyncio.open_unix_connection(str(self._path))
            except ConnectionRefusedError:  # bound, not listening yet
                await asyncio.sleep(0.02)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A state folder and a network at one moment."""

    folder: Path
    world: Any
    now: datetime


class Lab:
    """One network, one association that writes to it, and its origin."""

    def __init__(self, folder: Path, server: ForkServer, name: NetworkName, files: Files) -> None:
        folder.mkdir(parents=True)
        self.folder, self.server, self.files = folder, server, files
        self.page = Page.make(folder / "page")
        self.page.set_now(datetime.now(UTC).replace(microsecond=0))
        self.network = Network(name, self.page)
        self._saves = 0

    def configure(self, edit: str = "update") -> None:
        """Write the configuration; ``edit`` is what the route wants of edits."""
        text = f"""
            [association]
            name = "Les Amis du Vélo"
            state = "{self.folder}/state"
            [network]
            allow_private = ["127.0.0.1"]
            [sources.origin]
            type = "origin-file"
            path = "{self.folder}/origin.json"
            [routes.all]
            backfill = "1d"
            edit = "{edit}"
            [destinations.elsewhere]
            """
        path = self.folder / "asso.toml"
        path.write_text(textwrap.dedent(text) + self.network.toml + "\n")
        path.chmod(0o600)

    def origin(self, *posts: Mapping[str, Any], gone: Iterable[str] = ()) -> None:
        """What the free network shows from now on."""
        (self.folder / "origin.json").write_text(json.dumps({"posts": posts, "gone": [uid_of(name) for name in gone]}))

    def post(self, name: str, text: str, *, answers: str = "", pictures: int = 0) -> dict[str, Any]:
        """A post published now."""
        return {
            "uid": uid_of(name),
            "text": text,
            "at": self.page.now().isoformat(),
            "in_reply_to": uid_of(answers) if answers else None,
            "pictures": [f"{self.files.url}/velo.jpg"] * pictures,
        }

    async def run(self, *, kill: tuple[int, str] | None = None) -> Ran:
        """A process of the daemon, until nothing is left to do or it dies."""
        self.network.killer.seen.clear()
        return await self.server.run({
            "config": str(self.folder / "asso.toml"),
            "page": str(self.folder / "page"),
            "log": str(self.folder / "log"),
            "kill": kill,
        })  # fmt: skip

    async def command(self, *argv: str) -> str:
        """What a command of ours prints; it must succeed."""
        argv = (argv[0], "--config", str(self.folder / "asso.toml"), *argv[1:])
        ran = await self.server.run({"page": str(self.folder / "page"), "argv": argv})
        assert ran.answer["code"] == 0, ran.answer
        return str(ran.answer["said"])

    async def parked(self) -> list[dict[str, Any]]:
        """The deliveries that ``outbox list`` shows as left to a person."""
        return [one for one in json.loads(await self.command("outbox", "list", "--json")) if one["state"] == "parked"]

    def save(self) -> Saved:
        """Everything as it is."""
        self._saves += 1
        kept = self.folder / f"saved-{self._saves}"
        kept.mkdir()
        shutil.copytree(self.folder / "state", kept / "state")
        shutil.copy(self.folder / "origin.json", kept)
        return Saved(folder=kept, world=self.network.save(), now=self.page.now())

    def restore(self, saved: Saved) -> None:
        """Everything as it was; the origin's own words too."""
        shutil.rmtree(self.folder / "state", ignore_errors=True)
        shutil.copytree(saved.folder / "state", self.folder / "state")
        shutil.copy(saved.folder / "origin.json", self.folder)
        self.network.restore(saved.world)
        self.page.set_now(saved.now)
        (self.folder / "log").write_text("")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the ledger's file directly."""
        with contextlib.closing(sqlite3.connect(self.folder / "state" / "syndicator.db")) as db:
            return db.execute(sql).fetchall()

    async def count(self, saved: Saved) -> list[Step]:
        """Every point of a run from ``saved`` at which it can be killed, in order; the run itself is left as it ended."""
        self.restore(saved)
        ran = await self.run()
        ledger = _ledger_steps(int(ran.answer["transactions"]), set(ran.answer["writing"]))
        return sorted([*ledger, *_request_steps(self.network.killer.seen)], key=lambda step: step.order)

    async def kill(self, saved: Saved, step: Step) -> None:
        """From ``saved`` on, die at ``step``."""
        self.restore(saved)
        await self.kill_here(step)

    async def kill_here(self, step: Step) -> None:
        """From here on, die at ``step``."""
        if step.request is not None:
            self.network.killer.point = (step.request, step.stage)
            ran = await self.run()
        else:
            ran = await self.run(kill=(step.transactions, step.stage))
        assert ran.killed, f"outlived {step.label}"


def uid_of(name: str) -> str:
    return f"{ORIGIN}/{name}"


def _ledger_steps(transactions: int, writing: set[int]) -> Iterator[Step]:
    for number in range(1, transactions + 1):
        for place, stage in enumerate(LEDGER_STAGES):
            if stage == "inside" and number not in writing:
                continue
            yield Step(label=f"transaction {number}, {stage}", transactions=number, place=(place,), stage=stage)


def _request_steps(seen: Iterable[Seen]) -> Iterator[Step]:
    for number, one in enumerate(seen):
        for place, stage in enumerate(HTTP_STAGES):
            label = f"request {number}, {one.what}, {stage}"
            yield Step(label=label, transactions=one.transactions, place=(3, number, place), request=number, stage=stage)


def undecidable(steps: list[Step], seen: Iterable[Seen], creation: str) -> set[str]:
    """The labels of the steps at which, where there is neither key nor question, nobody can know whether a creation took place: from the
    commit that says "it leaves now" until the commit that says "it is there"."""
    leaving = {one.transactions for one in seen if one.what == creation}
    return {
        step.label
        for step in steps
        for number in leaving
        if (number, LEDGER_STAGES.index("after")) <= step.order < (number + 1, LEDGER_STAGES.index("after"))
    }


def differences(shown: Iterable[Shown], expected: Iterable[Shown]) -> tuple[int, int]:
    """(how many expected objects are missing, how many are too many)."""
    there, wanted = Counter(shown), Counter(expected)
    return sum((wanted - there).values()), sum((there - wanted).values())


@contextlib.asynccontextmanager
async def lab(folder: Path, server: ForkServer, name: NetworkName, edit: str = "update") -> AsyncIterator[Lab]:
    """A lab whose association has looked at its origin once, when there was nothing."""
    async with Files() as files:
        files.files["velo.jpg"] = photo()
        scene = Lab(folder, server, name, files)
        async with scene.network.simulator:
            scene.configure(edit)
            scene.origin()
            await scene.run()
            scene.page.set_now(scene.page.now() + timedelta(minutes=1))
            yield scene

"""From a new toot, told by the origin's stream, until five networks of the sandbox are asked to publish it: what the daemon itself takes.

The origin, the networks and the stopwatch are a process of their own (``market.py``). The baseline of each toot are the bare requests that
it led to, sent again by a client that does nothing else: the look at the origin, then the five POSTs all together. The difference is our
own share: hearing of the toot, reading it, deciding, shaping it for five networks, and writing down durably what leaves before it leaves.

A virtual machine does not always have its processors. The toots during which the hypervisor took none of their time are told apart: they
are what this code costs; the others tell of the machine.

Beside it, what a ledger cannot do without: one commit for the toot and its deliveries, one for all that is about to leave (SQLite, WAL,
``synchronous=FULL``, in the same folder).
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import random
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from benchmarks.market import NETWORKS
from syndicator.config import load
from syndicator.daemon import Attendant
from syndicator.http import Sessions
from syndicator.memory import give_back, settle
from syndicator.tenant import Tenant

TOOTS = 200
WARM_UP = 5
REST_S = 0.12
"""Between two toots: what follows an answer is done by then."""
COMMITS = 2
CONFIG = """
[association]
name = "Les Amis du Vélo"
state = "{folder}/state"
[network]
allow_private = ["127.0.0.1"]
[sources.toots]
type = "mastodon"
account = "{account}"
token = "{token}"
poll = "1h"
[routes.tout]
delay = "0s"
{destinations}
"""
HTML = (
    "<p>Samedi, atelier n° {} à la <a href='https://maison.example/plan'>Maison des associations</a> : freins, dérailleurs, roues voilées. "
    "Venez avec votre vélo, repartez avec un vélo qui roule&nbsp;!</p><p>Entrée libre, de 14&nbsp;h à 18&nbsp;h. "
    "<a href='https://social.example/tags/velo' class='mention hashtag' rel='tag'>#<span>vélo</span></a> "
    "<a href='https://social.example/tags/brest' class='mention hashtag' rel='tag'>#<span>Brest</span></a></p>"
)


@dataclass(kw_only=True)
class Times:
    """Seconds, one of each for every toot."""

    first: float = 0.0
    """The very first after the start, with all that is only then imported and opened."""
    published: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    commits: list[float] = field(default_factory=list)
    stolen: list[bool] = field(default_factory=list)
    """Whether the hypervisor gave this machine's processors to others meanwhile."""

    @property
    def own(self) -> list[float]:
        """What is ours of each."""
        return [whole - bare for whole, bare in zip(self.published, self.bare, strict=True)]

    @property
    def undisturbed(self) -> list[float]:
        """What is ours of each that had the whole machine."""
        return [own for own, stolen in zip(self.own, self.stolen, strict=True) if not stolen]


def run() -> None:
    """Print the distributions, and the ratio of the medians."""
    logging.getLogger("syndicator").setLevel(logging.ERROR)
    settle()
    with TemporaryDirectory() as folder:
        times = asyncio.run(_measure(Path(folder)))
    for what, values in (
        (f"baseline: the bare look and {len(NETWORKS)} bare POSTs", times.bare),
        (f"from the toot to the last of {len(NETWORKS)} networks", times.published),
        ("our own share: the difference", times.own),
        (f"our own share of the {len(times.undisturbed)} with nothing stolen", times.undisturbed or times.own),
        (f"for comparison: {COMMITS} durable commits in a row", times.commits),
    ):
        print(f"  {what:<46} p50 {_at(values, 0.5) * 1000:6.1f} ms   p99 {_at(values, 0.99) * 1000:6.1f} ms")
    print(
        f"  ratio of the medians ×{_at(times.published, 0.5) / _at(times.bare, 0.5):.1f}; the first toot after a start {times.first:.2f} s"
    )


async def _measure(folder: Path) -> Times:
    times, ledger = Times(), _ledger(folder)
    async with _market() as market, aiohttp.ClientSession() as client, _daemon(folder, await market.read()):
        await market.ask("listening")
        times.first = await market.ask("toot", HTML.format("premier"))
        for number in range(WARM_UP + TOOTS):
            await asyncio.sleep(REST_S)
            if number == WARM_UP:
                give_back(settled=True)  # as the service does when it has started
            before = _stolen()
            published = await market.ask("toot", HTML.format(number))
            stolen = _stolen() > before
            await asyncio.sleep(REST_S)
            bare = await market.bare(client)
            if number >= WARM_UP:
                times.stolen.append(stolen)
                times.published.append(published)
                times.bare.append(bare)
                times.commits.append(_commit(ledger))
    ledger.close()
    return times


@dataclass(frozen=True, kw_only=True)
class Line:
    """The other process, asked by lines."""

    process: asyncio.subprocess.Process

    async def read(self) -> Any:
        """Its next answer."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError("the networks' process has ended")
        return json.loads(line)

    def _write(self, *words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write((" ".join(words) + "\n").encode())

    async def ask(self, *words: str) -> Any:
        """Give an order and wait for the answer."""
        self._write(*words)
        return await self.read()

    async def bare(self, client: aiohttp.ClientSession) -> float:
        """Send again what the last toot led to; seconds until all of it had arrived."""
        known = await self.ask("bare")
        self._write("ready")
        await self.read()
        for one in known["read"]:
            await _send(client, one)
        await asyncio.gather(*(_send(client, one) for one in known["asked"]))
        took: float = await self.read()
        return took


async def _send(client: aiohttp.ClientSession, one: Mapping[str, Any]) -> None:
    body = base64.b64decode(one["body"])
    async with client.request(one["method"], one["url"], headers=one["headers"], data=body) as answer:
        await answer.read()


@asynccontextmanager
async def _market() -> AsyncIterator[Line]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.market", stdin=pipe, stdout=pipe, limit=2**20)
    try:
        yield Line(process=process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def _daemon(folder: Path, reached: Mapping[str, str]) -> AsyncIterator[None]:
    """The association's attendant, with every loop of its own."""
    path = folder / "velo.toml"
    path.touch(mode=0o600)
    path.write_text(CONFIG.format(folder=folder, **reached), encoding="utf-8")
    sessions = Sessions()
    attendant = Attendant(tenant=Tenant.make(load(path, environ={}), sessions, lambda: datetime.now(UTC), random.Random(1)))
    await attendant.start()
    try:
        yield
    finally:
        await attendant.stop()
        await sessions.close()


def _ledger(folder: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(folder / "baseline.db", isolation_level=None)
    conn.execute("pragma journal_mode=wal")
    conn.execute("pragma synchronous=full")
    conn.execute("create table t (id integer primary key, text text not null)")
    return conn


def _commit(conn: sqlite3.Connection) -> float:
    began = time.perf_counter()
    for _ in range(COMMITS):
        conn.execute("insert into t (text) values (?)", (HTML,))
    return time.perf_counter() - began


def _stolen() -> int:
    """Since the start of this machine, in the kernel's ticks; 0 where it does not tell (``steal`` of proc(5))."""
    try:
        return int(Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=9)[8])
    except (OSError, ValueError, IndexError):
        return 0


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]

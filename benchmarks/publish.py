"""From a post's ingest to its publication at five destinations that answer at once: what is left is our own share.

The baseline is the least that a ledger which survives a power cut must write: one commit for the post and its deliveries, then two for
each delivery, "about to be sent" and "sent" (SQLite, WAL, ``synchronous=FULL``, in the same folder).
"""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, ClassVar

from syndicator import steps
from syndicator.config import Config, DestinationConfig, SourceConfig, load
from syndicator.contract import Context, Limits, MediaLimits
from syndicator.http import Sessions
from syndicator.model import Batch, Post, Receipt, Rendition
from syndicator.tenant import Tenant

DESTINATIONS = 5
POSTS = 150
COMMITS = 1 + 2 * DESTINATIONS
CONFIG = """
[association]
name = "Les Amis du Vélo"
state = "{folder}/state"

[sources.toots]
type = "feed"
url = "https://replaced.example/"

{destinations}

[routes.tout]
delay = "0s"
"""
NETWORK = """
[destinations.{0}]
type = "website"
folder = "{0}"
"""
HTML = (
    "<p>Samedi, atelier à la <a href='https://maison.example/plan'>Maison des associations</a> : freins, dérailleurs, roues voilées. "
    "Venez avec votre vélo, repartez avec un vélo qui roule&nbsp;!</p><p>Entrée libre, de 14&nbsp;h à 18&nbsp;h. "
    "<a href='https://social.example/tags/velo' class='mention hashtag' rel='tag'>#<span>vélo</span></a> "
    "<a href='https://social.example/tags/brest' class='mention hashtag' rel='tag'>#<span>Brest</span></a></p>"
)


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """No options."""


@dataclass(kw_only=True)
class World:
    """What the origin shows next, and when it arrived where."""

    post: Post | None = None
    arrived: list[float] = field(default_factory=list)


def origin(world: World) -> type[Any]:
    """A source that shows the world's post."""

    class Origin:
        Options: ClassVar[type[Any]] = Nothing

        def __init__(self, options: Nothing, context: Context) -> None:
            """Nothing is kept."""

        async def open(self) -> None:
            """Always open."""

        async def close(self) -> None:
            """Always open."""

        async def fetch(self, _: str | None) -> Batch:
            """The post, if there is one."""
            return Batch(changed=(world.post,) if world.post else (), cursor="here")

    return Origin


def network(world: World) -> type[Any]:
    """A publisher that has the post at once."""

    class Network:
        Options: ClassVar[type[Any]] = Nothing
        limits: ClassVar[Limits] = Limits(text_max=500, threads=True, media=MediaLimits(images_max=4))

        def __init__(self, options: Nothing, context: Context) -> None:
            """Nothing is kept."""

        async def open(self) -> None:
            """Always open."""

        async def close(self) -> None:
            """Always open."""

        async def publish(self, _: Rendition, key: str, **__: object) -> Receipt:
            """Note the time."""
            world.arrived.append(time.perf_counter())
            return Receipt(remote_id=key, url=f"https://network.example/{key}")

    return Network


def run() -> None:
    """Print both distributions and the ratio of their medians."""
    logging.getLogger("syndicator").setLevel(logging.ERROR)
    with TemporaryDirectory() as folder:
        spent, commits = asyncio.run(_publish(Path(folder)))
    for what, values in (
        (f"baseline: {COMMITS} durable commits in a row", commits),
        (f"a post, until the last of {DESTINATIONS} has it", spent),
    ):
        print(f"  {what:<44} p50 {_at(values, 0.5) * 1000:6.2f} ms   p99 {_at(values, 0.99) * 1000:6.2f} ms")
    print(f"  ratio of the medians ×{_at(spent, 0.5) / _at(commits, 0.5):.1f}")


async def _publish(folder: Path) -> tuple[list[float], list[float]]:
    """Seconds from the look that finds a post until the last destination has it, for each of many posts; after each, the baseline."""
    baseline = _baseline(folder)
    world, clock = World(), [datetime(2026, 11, 21, 12, 0, tzinfo=UTC)]
    sessions = Sessions()
    tenant = Tenant.make(_config(folder, world), sessions, lambda: clock[0], random.Random(1))
    await tenant.start()
    await steps.poll(tenant, "toots")
    spent, commits = [], []
    for number in range(POSTS):
        clock[0] += timedelta(hours=1)
        uid = f"https://social.example/users/velo/statuses/{number}"
        world.post = Post(uid=uid, url=uid, source="toots", html=HTML, language="fr", published_at=clock[0], tags=("vélo", "Brest"))
        world.arrived.clear()
        began = time.perf_counter()
        await steps.poll(tenant, "toots")
        await asyncio.gather(*(steps.deliver(tenant, name) for name in tenant.publishers))
        if len(world.arrived) != DESTINATIONS:
            raise RuntimeError(f"{len(world.arrived)} of {DESTINATIONS} arrived")
        spent.append(max(world.arrived) - began)
        commits.append(_commit(baseline))
    baseline.close()
    await tenant.close()
    await sessions.close()
    return spent, commits


def _config(folder: Path, world: World) -> Config:
    path = folder / "velo.toml"
    names = [f"network{number}" for number in range(DESTINATIONS)]
    path.write_text(CONFIG.format(folder=folder, destinations="\n".join(map(NETWORK.format, names))))
    config = load(path, environ={})
    sources: dict[str, SourceConfig] = {
        name: replace(source, connector=origin(world), options=Nothing()) for name, source in config.sources.items()
    }
    destinations: dict[str, DestinationConfig] = {
        name: replace(one, role="publisher", connector=network(world), options=Nothing()) for name, one in config.destinations.items()
    }
    return replace(config, sources=MappingProxyType(sources), destinations=MappingProxyType(destinations))


def _baseline(folder: Path) -> sqlite3.Connection:
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


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]

"""Cost of steps without news, with 100 and with 100,000 stored items a source, each of them delivered.

The origins are real HTTP servers in another process; the CPU is that of our process, all threads together. Both ledgers are asked in
turn, so that whatever the machine does meanwhile happens to both.
"""

from __future__ import annotations

import asyncio
import logging
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import town
from benchmarks.history import grow
from syndicator import steps
from syndicator.config import load
from syndicator.http import Sessions
from syndicator.tenant import Tenant

SIZES = (100, 100_000)
ROUNDS = 30
SOURCES = ["agenda", "toots", "videos", "blog", "partage"]
PARTS = (town.AGENDA, town.TOOTING, town.OTHERS, town.VIEWS, town.ELSEWHERE)
Step = Callable[[Tenant], Awaitable[object]]


def run() -> None:
    """Print the cost of each step for each size, and the ratio."""
    logging.getLogger("syndicator").setLevel(logging.ERROR)
    with TemporaryDirectory() as folder, town.opened() as origins:
        asyncio.run(_run(origins, Path(folder)))
    print("  promised: a poll without news, at most ×1.3")


async def _run(origins: town.Origins, folder: Path) -> None:
    sessions = Sessions()
    tenants = [await _tenant(origins, folder / str(size), sessions, size) for size in SIZES]
    print(f"  {'CPU of a step, median':<46}" + "".join(f"{size:>10,} items" for size in SIZES) + "    ratio (wall)")
    for what, step in _steps():
        cpu: list[list[float]] = [[] for _ in SIZES]
        wall: list[list[float]] = [[] for _ in SIZES]
        for _ in range(ROUNDS):
            for index, tenant in enumerate(tenants):
                began, used = time.perf_counter(), time.process_time()
                await step(tenant)
                cpu[index].append(time.process_time() - used)
                wall[index].append(time.perf_counter() - began)
        _show(what, [statistics.median(one) for one in cpu], [statistics.median(one) for one in wall])
    for tenant in tenants:
        await tenant.close()
    await sessions.close()


def _steps() -> list[tuple[str, Step]]:
    polls: list[tuple[str, Step]] = [
        (f"poll, {kind}", lambda tenant, name=name: steps.poll(tenant, name))  # type: ignore[misc]
        for name, kind in zip(SOURCES, ("Mobilizon", "Mastodon", "PeerTube", "WordPress feed", "calendar"), strict=True)
    ]
    return [
        *polls,
        ("deliver, nothing due", lambda tenant: steps.deliver(tenant, "ailleurs")),
        ("project, nothing changed: calendar", lambda tenant: steps.project(tenant, "calendrier")),
        ("project, nothing changed: website", lambda tenant: steps.project(tenant, "site")),
        ("not idle: the calendar written anew", lambda tenant: steps.project(tenant, "calendrier", force=True)),
    ]


async def _tenant(origins: town.Origins, folder: Path, sessions: Sessions, size: int) -> Tenant:
    """An association that has read everything there is, and has ``size`` items of the past for each source."""
    config = load(origins.config(folder, *PARTS), environ={})
    now = datetime.now(UTC)
    tenant = Tenant.make(config, sessions, lambda: datetime.now(UTC), random.Random(1))
    await tenant.start()
    for _ in range(2):
        for source in SOURCES:
            await steps.poll(tenant, source)
    tenant.ledger.close()
    grow(folder / "state" / "syndicator.db", now.isoformat(), size, SOURCES, "ailleurs")
    for projection in ("calendrier", "site"):
        await steps.project(tenant, projection)
    for source in SOURCES:
        polled = await steps.poll(tenant, source)
        if polled.error is not None or polled.new or polled.changed or polled.gone:
            raise RuntimeError(f"{source} is not idle: {polled}")
    return tenant


def _show(what: str, cpu: list[float], wall: list[float]) -> None:
    costs = "".join(f"{one * 1000:>13.2f} ms" for one in cpu)
    print(f"  {what:<46}{costs}    ×{cpu[1] / cpu[0]:.2f} (×{wall[1] / wall[0]:.2f})", flush=True)

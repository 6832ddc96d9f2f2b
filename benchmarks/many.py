"""A host's process: what one association more takes, against a process of its own for it; and the idle CPU of all.

Each association mirrors Mobilizon into a calendar and a website, looks every five minutes (the default), and is served by the same web
server. CPU is counted once all have read everything, so it is that of idling: looks, clocks, outboxes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import town
from benchmarks.processes import cpu_s, daemon, memory_kb, settled_kb, until

ASSOCIATIONS = 200
OBSERVED_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a process took."""

    rss_kb: int
    pss_kb: int
    ready_cpu_s: float
    """Until everybody's files were there."""
    idle_cpu_s: float
    """In a minute."""


def run() -> None:
    """Print both processes and what follows for one association."""
    with TemporaryDirectory() as folder, town.opened() as origins:
        alone = _measure(origins, Path(folder) / "one", 1, observed_s=3.0)
        host = _measure(origins, Path(folder) / "many", ASSOCIATIONS, observed_s=OBSERVED_S)
    for what, found in (("baseline: one association", alone), (f"{ASSOCIATIONS} associations", host)):
        print(
            f"  {what:<28} {found.rss_kb / 1024:6.1f} MiB RSS {found.pss_kb / 1024:6.1f} MiB PSS"
            f"   {found.ready_cpu_s:5.1f} s of CPU until all is read, then {found.idle_cpu_s:5.2f} s a minute"
        )
    each = (host.rss_kb - alone.rss_kb) / (ASSOCIATIONS - 1)
    print(f"  one association more: {each / 1024:.2f} MiB, ×{each / alone.rss_kb:.3f} of a process of its own;", end=" ")
    print(f"idle CPU {host.idle_cpu_s / ASSOCIATIONS * 1000:.0f} ms a minute each")


def _measure(origins: town.Origins, folder: Path, count: int, *, observed_s: float) -> Found:
    configs = folder / "configs"
    configs.mkdir(parents=True)
    for number in range(count):
        name = f"asso{number:03}"
        made = origins.config(folder / name, town.AGENDA, town.VIEWS, town.WEB, name=name, poll="5m")
        made.rename(configs / made.name)
    written = [folder / f"asso{number:03}" / "public" / "index.html" for number in range(count)]
    with daemon("--config-dir", str(configs)) as process:
        until(lambda: all(path.exists() for path in written), within_s=120)
        settled_kb(process.pid)
        ready = began_s = cpu_s(process.pid)
        time.sleep(observed_s)
        found = memory_kb(process.pid)
        idle = (cpu_s(process.pid) - began_s) * 60 / observed_s
    return Found(rss_kb=found["Rss"], pss_kb=found["Pss"], ready_cpu_s=ready, idle_cpu_s=idle)

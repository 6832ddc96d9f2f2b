"""Memory of a daemon that mirrors Mobilizon into a calendar and a website, against Python with the libraries no daemon of this kind can
do without, running."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import town
from benchmarks.processes import daemon, environment, memory_kb, settled_kb, status_kb, until

BASELINE = """
import asyncio, sqlite3, sys
import aiohttp
from aiohttp import web

async def main():
    sqlite3.connect(":memory:").execute("select 1")
    runner = web.ServerRunner(web.Server(lambda request: None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession():
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""
PROMISED = "under 64 MB"


def run() -> None:
    """Print RSS and PSS of both."""
    with TemporaryDirectory() as folder:
        found = baseline()
        base = found["Rss"]
        _show("baseline: Python, aiohttp client and server, sqlite3", found, base)
        with town.opened() as origins:
            _daemon(origins, Path(folder) / "plain", base, "Mobilizon → iCal + website, 30 events")
            _daemon(origins, Path(folder) / "plain", base, "the same, started again", again=True)
        with town.opened(pictures=10) as origins:
            _daemon(origins, Path(folder) / "pictures", base, "with ten photographs of 12 MP made smaller")
            _daemon(origins, Path(folder) / "pictures", base, "the same, started again", again=True)
    print(f"  promised, without pictures: {PROMISED} RSS")


def baseline() -> dict[str, int]:
    """Memory of a process that does nothing with what it has loaded."""
    with subprocess.Popen([sys.executable, "-c", BASELINE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        found = memory_kb(process.pid)
        process.stdin.close()
    return found


def _daemon(origins: town.Origins, folder: Path, base_kb: int, what: str, *, again: bool = False) -> None:
    config = origins.config(folder, town.AGENDA, town.VIEWS, town.WEB, poll="1s")
    with daemon("--config", str(config)) as process:
        if not again:
            until(lambda: (folder / "public/agenda.ics").exists() and (folder / "public/index.html").exists(), within_s=60)
        settled_kb(process.pid, quiet_s=3)
        _show(what, memory_kb(process.pid), base_kb, status_kb(process.pid, "VmHWM"))


def _show(what: str, found: dict[str, int], base_kb: int, peak_kb: int = 0) -> None:
    peak = f"  (peak {peak_kb / 1024:.1f})" if peak_kb else ""
    rss, pss = found["Rss"] / 1024, found["Pss"] / 1024
    print(f"  {what:<56} {rss:6.1f} MiB RSS {pss:6.1f} MiB PSS  ×{found['Rss'] / base_kb:.2f}{peak}", flush=True)

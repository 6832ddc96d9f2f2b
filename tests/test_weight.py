"""How little it takes: what is loaded, how much memory a daemon has, and that idling writes nothing. Sizes are asserted, never times."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.processes import status_kb
from syndicator.sandbox.mobilizon import MobilizonSimulator

RSS_MAX_KB = 64 * 1024
"""What the closest peer takes for one shot."""
PATIENCE_S = 60
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

LOADED = """
import asyncio, os, random, sys
from datetime import UTC, datetime
from pathlib import Path
from syndicator import service, steps
from syndicator.config import load
from syndicator.http import Sessions
from syndicator.tenant import Tenant

async def main():
    sessions = Sessions()
    tenant = Tenant.make(load(Path(sys.argv[1]), environ={}), sessions, lambda: datetime.now(UTC), random.Random(1))
    await tenant.start()
    polled = await steps.poll(tenant, "agenda")
    views = [await steps.project(tenant, name) for name in ("calendrier", "site")]
    assert polled.new == 30 and all(view.wrote for view in views), (polled, views)
    await tenant.close()
    await sessions.close()

asyncio.run(main())
print(sorted(sys.modules))
"""
HELPED = """
import sys
from syndicator.cli import main
assert main(["--help"]) == 0
print(sorted(sys.modules))
"""


@pytest.fixture(name="instance")
async def given_instance() -> AsyncIterator[MobilizonSimulator]:
    """An instance where an association announced a month of workshops yesterday."""
    now = datetime.now(UTC).replace(microsecond=0)
    simulator = await MobilizonSimulator().start()
    simulator.add_group("velo", "Les Amis du Vélo")
    for day in range(1, 31):
        begins_on = now + timedelta(days=day)
        simulator.add_event(
            *("velo", f"Atelier {day}", begins_on, begins_on + timedelta(hours=2)),
            description="<p>Venez réparer votre vélo. <a href='https://velo.example/'>Le programme</a></p>",
            inserted_at=now - timedelta(days=1),
        )
    yield simulator
    await simulator.stop()


@pytest.fixture(name="config")
def given_config(instance: MobilizonSimulator, tmp_path: Path) -> Path:
    """Mobilizon → iCal and website, served by the daemon itself."""
    path = tmp_path / "velo.toml"
    path.write_text(
        f"""
[association]
name = "Les Amis du Vélo"
state = "{tmp_path}/state"
public = "{tmp_path}/public"

[web]
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1:8000/"

[network]
allow_private = ["127.0.0.1"]

[sources.agenda]
type = "mobilizon"
url = "{instance.url}"
groups = ["velo"]
poll = "1s"

[destinations.calendrier]
type = "ical"

[destinations.site]
type = "website"
calendar = "agenda.ics"

[routes.tout]
""",
        encoding="utf-8",
    )
    return path


async def loaded_by(program: str, *arguments: str) -> set[str]:
    """The modules that a fresh Python has loaded when ``program`` ends."""
    command = [sys.executable, "-c", program, *arguments]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[int]:
    """The real daemon; its process number."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "syndicator", "run", "--config", str(config)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **given_by_the_unit()},
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_S)


def given_by_the_unit() -> dict[str, str]:
    """What systemd puts into the environment of the service."""
    unit = (Path(__file__).parent.parent / "systemd" / "syndicator.service").read_text(encoding="utf-8")
    return dict(line.removeprefix("Environment=").split("=", 1) for line in unit.splitlines() if line.startswith("Environment="))


async def looks(instance: MobilizonSimulator, count: int) -> None:
    """Until the instance has been asked ``count`` times more."""
    asked = asyncio.Event()
    until = len(instance.requests) + count

    def watch(*_: object) -> None:
        if len(instance.requests) >= until:
            asked.set()

    instance.hooks.append(watch)
    await asyncio.wait_for(asked.wait(), PATIENCE_S)
    instance.hooks.remove(watch)


async def settled(instance: MobilizonSimulator, public: Path) -> None:
    """Until the daemon has written its views, and has looked again."""
    while not ((public / "agenda.ics").exists() and (public / "index.html").exists()):
        await looks(instance, 1)
    await looks(instance, 3)


async def test_what_is_not_configured_is_not_loaded(config: Path) -> None:
    """Mobilizon → iCal and website: no other connector, no SDK, nothing that only pictures, logins, old databases or long texts need."""
    loaded = await loaded_by(LOADED, str(config))

    assert {name.split(".")[1] for name in loaded if name.startswith("connectors.")} == {"mobilizon", "ical", "website"}
    assert not loaded & {
        *("mastodon", "requests", "urllib3", "tweepy", "feedparser", "recurring_ical_events", "caldav", "aiosmtplib", "smtplib"),
        *("PIL", "sqlite_utils", "click", "regex", "babel", "anyio._backends._asyncio", "gql.transport.aiohttp", "xml.etree.ElementTree"),
        *("syndicator.render", "syndicator.attempt", "syndicator.text.links", "syndicator.sandbox", "syndicator.testing"),
        *("connectors.ical.source", "pip", "pkg_resources"),
    }


async def test_help_is_light() -> None:
    """Asking what there is loads neither the network nor an event loop, nor any connector."""
    loaded = await loaded_by(HELPED)

    assert not {name.split(".")[0] for name in loaded} & {
        *("aiohttp", "asyncio", "connectors", "gql", "graphql", "icalendar"),
        *("jinja2", "nh3", "regex", "selectolax", "sqlite3", "sqlite_utils", "ssl"),
    }


@LINUX
async def test_a_running_daemon_stays_under_64_mb(instance: MobilizonSimulator, config: Path, tmp_path: Path) -> None:
    """Mobilizon → iCal and website, read, written, served, and looking again each second."""
    async with running(config) as pid:
        await settled(instance, tmp_path / "public")

        assert status_kb(pid, "VmRSS") < RSS_MAX_KB


async def test_looks_without_news_write_nothing(instance: MobilizonSimulator, config: Path, tmp_path: Path) -> None:
    """Neither the database, nor its log, nor any public file is touched by polls that find nothing."""

    def written() -> dict[str, tuple[int, str]]:
        files = [*(tmp_path / "state").glob("syndicator.db*"), *(tmp_path / "public").rglob("*")]
        # The shared-memory index of readers (-shm) is not data: SQLite makes it anew at each start.
        return {
            str(path.relative_to(tmp_path)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in files
            if path.is_file() and not path.name.endswith("-shm")
        }

    async with running(config):
        await settled(instance, tmp_path / "public")
        before = written()
        await looks(instance, 4)

        assert {"state/syndicator.db", "state/syndicator.db-wal", "public/agenda.ics"} <= before.keys()
        assert written() == before

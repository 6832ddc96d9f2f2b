"""An issue to sixty readers by the real daemon, killed and killed again: nobody has it twice, and it goes on where it was.

The daemon is ``syndicator run`` in a process of its own; the mail server is a real one, and kills whoever is talking to it.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from syndicator import steps
from syndicator.cli.status import state_of
from syndicator.config import load
from syndicator.http import Sessions
from syndicator.sandbox.server import Simulator
from syndicator.tenant import Tenant
from tests.engine_scene import Clock
from tests.mail_scene import Office, office
from tests.shell_scene import a_minute_passes, daemon, syndicator

READERS = [f"lectrice{number:02}@exemple.fr" for number in range(60)]
LIST = "lettre@listes.example"


class Site(Simulator):
    """A site whose feed has one entry, of a moment that the test chooses."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self._at = at
        self.app.router.add_get("/feed", self._feed)

    async def _feed(self, _: web.Request) -> web.Response:
        entry = f"<entry><id>urn:1</id><title>Un atelier samedi</title><updated>{self._at:%Y-%m-%dT%H:%M:%SZ}</updated></entry>"
        head = (
            f'<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:0</id><title>Vélo</title><updated>{self._at:%Y-%m-%dT%H:%M:%SZ}</updated>'
        )
        return web.Response(text=f"{head}{entry}</feed>", content_type="application/atom+xml")


@pytest.fixture
def server() -> Iterator[Office]:
    with office() as server:
        yield server


def configure(folder: Path, server: Office, site: Site, hour: int, **options: Any) -> Path:
    """An association whose newsletter leaves every day at ``hour`` UTC, to readers or to a list."""
    (folder / "abonnes.txt").write_text("\n".join(READERS))
    path = folder / "velo.toml"
    path.touch(mode=0o600)
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in options.items())
    path.write_text(f"""
[association]
name = "Les Amis du Vélo"
timezone = "UTC"
state = "{folder}/state"
[web]
listen = ""
[network]
allow_private = ["127.0.0.1"]
[sources.site]
type = "feed"
url = "{site.url}/feed"
[routes.tout]
[destinations.poste]
host = "127.0.0.1"
port = {server.port}
security = "none"
sender = "Les Amis du Vélo <lettre@velo.example>"
{lines}
[newsletters.lettre]
when = "chaque jour à {hour}h"
destinations = ["poste"]
""")
    return path


async def prepare(folder: Path, server: Office, **options: Any) -> tuple[Path, Site]:
    """Everything as it is some hours after a newsletter's hour, the machine having been off since two days before."""
    now = datetime.now(UTC)
    site = Site(now - timedelta(hours=49))
    await site.start()
    path = configure(folder, server, site, (now - timedelta(hours=3)).hour, **options)
    clock, sessions = Clock(at=now - timedelta(hours=50)), Sessions()
    tenant = Tenant.make(load(path, environ={}), sessions, clock, random.Random(7))
    await tenant.start()
    await steps.issue(tenant)
    clock.at += timedelta(hours=10)
    await steps.poll(tenant, "site")
    await tenant.close()
    await sessions.close()
    return path, site


async def test_killed_again_and_again(server: Office, tmp_path: Path) -> None:
    """Before a letter leaves, and after it was taken but before the answer: everybody has it once, and whose answer was lost is counted."""
    path, site = await prepare(tmp_path, server, type="mail", readers="abonnes.txt", per_minute=60_000)
    server.answers = {READERS[59]: deque(["451 4.7.1 greylisted"])}
    for number, taken in ((5, False), (19, True), (41, False)):
        async with daemon("--config", path) as one:

            def kill(address: str, reader: str = READERS[number], pid: int = one.process.pid) -> None:
                if address == reader:
                    os.kill(pid, signal.SIGKILL)

            server.taken, server.named = (kill, lambda _: None) if taken else (lambda _: None, kill)
            assert await one.end() == -signal.SIGKILL
            a_minute_passes(tmp_path / "state")
    server.taken = server.named = lambda _: None
    async with daemon("--config", path) as one:
        await one.says("delivery.under-way", "59/60")
        told = await syndicator("status", "--config", path)
        state = state_of(load(path, environ={}))["destinations"]["poste"]
        one.signal(signal.SIGTERM)
        assert await one.end() == 0
    await site.stop()

    assert Counter(server.readers).most_common(1)[0][1] == 1
    assert set(READERS) - set(server.readers) == {READERS[59]}
    assert server.readers == sorted(server.readers)
    assert (state["letter"], "lettre en cours d'envoi : 59/60" in told.out) == ("59/60", True)
    assert all(reader not in "\n".join(one.log) for reader in READERS)


async def test_stopped_in_order(server: Office, tmp_path: Path) -> None:
    """A daemon that is told to stop ends the letter under way, and nobody is left not knowing."""
    path, site = await prepare(tmp_path, server, type="mail", readers="abonnes.txt", per_minute=60_000)
    async with daemon("--config", path) as one:
        server.taken = lambda address: one.signal(signal.SIGTERM) if address == READERS[7] else None
        assert await one.end() == 0
    await site.stop()

    assert server.readers == READERS
    assert any("delivery.done" in line for line in one.log)
    assert not any("letter sent, not to everybody" in line for line in one.log)


@pytest.mark.parametrize("taken", [False, True])
async def test_a_list_s_letter(server: Office, tmp_path: Path, taken: bool) -> None:
    """Killed with the one letter under way, a list cannot be asked: a person looks, and nothing is sent on trust."""
    path, site = await prepare(tmp_path, server, type="mailinglist", to=LIST)
    async with daemon("--config", path) as one:

        def kill(_: str, pid: int = one.process.pid) -> None:
            os.kill(pid, signal.SIGKILL)

        server.taken, server.named = (kill, lambda _: None) if taken else (lambda _: None, kill)
        assert await one.end() == -signal.SIGKILL
        a_minute_passes(tmp_path / "state")
    server.taken = server.named = lambda _: None
    async with daemon("--config", path) as one:
        await one.says("delivery.parked", "kind=unknown")
        one.signal(signal.SIGTERM)
        assert await one.end() == 0
    told = await syndicator("outbox", "list", "--json", "--config", path)
    (row,) = [row for row in told.json if row["state"] == "parked"] if isinstance(told.json, list) else told.json["parked"]
    assert server.readers == ([LIST] if taken else [])

    await syndicator("outbox", "done" if taken else "retry", str(row["id"]), "--config", path)
    await syndicator("once", "--config", path)
    await site.stop()
    assert server.readers == [LIST]

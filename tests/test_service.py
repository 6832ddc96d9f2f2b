"""The daemon as systemd runs it: signals, its notifications, its address, its end."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
import pytest_asyncio

from syndicator.sandbox.server import Fault
from syndicator.sandbox.town import Town
from tests.shell_scene import Daemon, Home, a_minute_passes, daemon, until

END_S = 10


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    town = await Town().start()
    yield town
    await town.stop()


@pytest.fixture
def home(town: Town, tmp_path: Path) -> Home:
    return Home(town=town, folder=tmp_path).write()


@dataclass(frozen=True)
class Manager:
    """What a service manager hears."""

    path: str
    socket: socket.socket

    async def hears(self, *wanted: str) -> dict[str, str]:
        """The next message that assigns all of ``wanted``."""
        async with asyncio.timeout(30):
            while True:
                message = (await asyncio.get_running_loop().sock_recv(self.socket, 4096)).decode()
                if set(wanted) <= set(message.split("\n")):
                    return dict(line.split("=", 1) for line in message.split("\n"))


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.setblocking(False)
        listening.bind(path)
        yield Manager(path, listening)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def read(url: str) -> str:
    return (await asyncio.to_thread(lambda: urlopen(url, timeout=5).read())).decode()


async def begun(home: Home, one: Daemon) -> None:
    """Until the daemon has taken note of what was there before."""
    await one.says("source.skipped", "source=toots")


async def end(one: Daemon, number: signal.Signals = signal.SIGTERM) -> None:
    """Told to end, it ends well, in time, and says so."""
    one.signal(number)
    async with asyncio.timeout(END_S):
        assert await one.end() == 0
    assert "service.stopped" in one.log[-1]
    assert [line for line in one.log if "traceback" in line] == []


async def test_it_tells_its_manager_how_it_is(home: Home, manager: Manager) -> None:
    """READY with a status in words, a sign of life twice in each watchdog period, RELOADING and READY around a reload, STOPPING."""
    async with daemon("--config", home.config, env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "500000"}, fresh=True) as one:
        assert await manager.hears("READY=1") == {"READY": "1", "STATUS": "une association servie"}
        for _ in range(2):
            assert await manager.hears("WATCHDOG=1") == {"WATCHDOG": "1"}
        one.signal(signal.SIGHUP)
        assert int((await manager.hears("RELOADING=1"))["MONOTONIC_USEC"]) > 0
        await manager.hears("READY=1")
        one.signal(signal.SIGTERM)
        await manager.hears("STOPPING=1")
        assert await one.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_answer_under_way_is_waited_for(home: Home, number: signal.Signals) -> None:
    """Told to end between request and answer, it waits, keeps the receipt, and sends nothing twice afterwards."""
    async with daemon("--config", home.config) as one:
        await begun(home, one)
        home.town.elsewhere.fault(Fault(action="stall", method="POST", path="/api/v1/statuses", delay_s=2))
        home.town.toot("En route pendant l'arrêt")
        await until(lambda: len(home.town.mirrored()) == 1)
        await end(one, number)
    assert [row["state"] for row in (await home.run("outbox", "--all", "--json")).json] == ["done"]
    assert (await home.run("once")).code == 0
    assert home.town.mirrored_texts() == ["En route pendant l'arrêt"]


async def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(home: Home) -> None:
    """It ends in time all the same; what became of the post is found out at the next start, and it is there once."""
    async with daemon("--config", home.config) as one:
        await begun(home, one)
        home.town.elsewhere.fault(Fault(action="stall", method="POST", path="/api/v1/statuses", delay_s=60))
        home.town.toot("Réponse jamais venue")
        await until(lambda: len(home.town.mirrored()) == 1)
        await end(one)
    a_minute_passes(home.state)
    async with daemon("--config", home.config) as one:
        await one.says("delivery.done")
        await end(one)
    assert home.town.mirrored_texts() == ["Réponse jamais venue"]
    assert (await home.run("status")).code == 0


async def test_a_reload_takes_what_is_right_and_refuses_what_is_not(home: Home) -> None:
    """With a wrong file everything goes on as it was, and the log names the line; with a right one, the new is done."""
    async with daemon("--config", home.config) as one:
        await begun(home, one)
        good = home.config.read_text()
        home.config.write_text(good.replace('groups = ["velo"]', 'group = ["velo"]'))
        one.signal(signal.SIGHUP)
        refused = await one.says("config.refused")
        assert "velo.toml" in refused
        assert "« group »" in refused
        assert "l'ancienne reste en service" in refused
        home.town.toot("Pendant la faute")
        await until(lambda: "Pendant la faute" in home.town.mirrored_texts())

        home.config.write_text(good + f'[sources.blog]\ntype = "feed"\nurl = "{home.town.blog.url}/feed/"\npoll = "1s"\n')
        one.signal(signal.SIGHUP)
        await one.says("service.reloaded")
        await one.says("source.skipped", "source=blog")
        home.town.blog.publish("Après la correction", "<p>Tout va.</p>")
        await until(lambda: any("Après la correction" in text for text in home.town.mirrored_texts()))
        await end(one)


async def test_an_address_that_is_taken_is_named(home: Home) -> None:
    """At the start it is a reason not to start; at a reload the old address stays, and the daemon with it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken, free = other.getsockname()[1], free_port()
        web = f'[web]\nlisten = "127.0.0.1:{taken}"\n'
        said = await home.write(web).run("run")
        assert (said.code, str(taken) in said.err, "Traceback" in said.err) == (1, True, False)
        assert "autre programme" in said.err

        home.write(web.replace(str(taken), str(free)))
        async with daemon("--config", home.config) as one:
            await one.says("service.ready")
            await until(lambda: (home.public / "events.json").exists())
            home.write(web)
            one.signal(signal.SIGHUP)
            await one.says("service.reloaded")
            assert str(taken) in await one.says("web.refused")
            assert "upcoming" in await read(f"http://127.0.0.1:{free}/events.json")
            assert "syndicator_up 1" in await read(f"http://127.0.0.1:{free}/metrics")

            another = free_port()
            home.write(web.replace(str(taken), str(another)))
            one.signal(signal.SIGHUP)
            await one.says("service.reloaded")
            await one.says("web.listening", str(another))
            await until(lambda: not listens(free))
            assert "upcoming" in await read(f"http://127.0.0.1:{another}/events.json")
            await end(one)


async def test_a_wrong_configuration_does_not_start(home: Home) -> None:
    """78, every problem with its line, and nothing made on the disk."""
    home.config.write_text(home.config.read_text().replace("[sources.agenda]", "[sources.agenda]\npol = 3").replace('type = "website"', ""))
    said = await home.run("run")
    assert (said.code, said.out) == (78, "")
    assert "« pol » n'existe pas ici. Vouliez-vous dire « poll » ?" in said.err
    assert "il manque la clé « type »" in said.err
    assert "2 points à corriger" in said.err
    assert not home.state.exists()

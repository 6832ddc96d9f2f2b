"""An issue that a person reads first, by the real daemon, killed at every moment of it: nobody has it twice, nobody is without it, and a
stop is obeyed.

The daemon is killed from within (``tests.review_child``) before and after each commit that matters, and by its mail servers before and
after they take a letter. Then it is started again, and the person does what anybody would: they open the link of their latest mail, and
press the button when the page does not say that it was pressed. By default a sample of the moments; ``SYNDICATOR_KILL_ALL=1``: all.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html import unescape
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from syndicator import steps
from syndicator.config import load
from syndicator.http import Sessions
from syndicator.tenant import Tenant
from tests.engine_scene import Clock
from tests.mail_scene import Office, office
from tests.review_child import started
from tests.shell_scene import until
from tests.test_connector_mail_killed import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANNA = "anna@asso.example"
READERS = ("a@exemple.fr", "b@exemple.fr", "c@exemple.fr")
BEFORE = ("begun:inside", "begun:after", "mail:named", "mail:taken", "mailed:inside", "mailed:after")
PRESSED = ("pressed:inside", "pressed:after")
LEAVING = ("made:inside", "made:after", "sending:inside", "sending:after", "reader:taken")
CASES = [
    *(("send", moment) for moment in (*BEFORE, *PRESSED, *LEAVING)),
    *(("stop", moment) for moment in (*BEFORE, *PRESSED)),
    *(("", moment) for moment in (*BEFORE, *LEAVING)),
]
"""What the person presses, nothing being an answer too; when the daemon dies."""
SAMPLE = CASES if os.environ.get("SYNDICATOR_KILL_ALL") else [
    ("send", "mail:taken"),
    ("send", "pressed:after"),
    ("send", "made:after"),
    ("stop", "mail:named"),
    ("stop", "pressed:inside"),
    ("", "mailed:inside"),
    ("", "made:inside"),
]  # fmt: skip
TWICE = frozenset({"mail:taken", "mailed:inside"})
"""Moments at which the mail had been taken, and we could not write that down."""
PAGE = {"send": ("Il est approuvé", "Il est parti"), "stop": ("Il a été arrêté",)}
"""What the page says of what was pressed."""


@dataclass(kw_only=True)
class Desk:
    """An association, its mail servers, and Anna's browser."""

    folder: Path
    server: Office
    port: int
    browser: aiohttp.ClientSession

    @property
    def config(self) -> Path:
        return self.folder / "velo.toml"

    def mails(self) -> list[tuple[str, str]]:
        """What Anna was sent: each mail's Message-ID, and its link."""
        found = []
        for address, raw in list(self.server.letters):
            if address == ANNA:
                mail = message_from_bytes(raw, policy=policy.default)
                (body,) = (part.get_content() for part in mail.walk() if part.get_content_type() == "text/plain")
                found.append((str(mail["Message-ID"]), re.findall(r"http://127\.0\.0\.1:\d+(/-/relecture/\S+)", body)[0]))
        return found

    def readers(self) -> list[str]:
        return sorted(address for address in self.server.readers if address != ANNA)

    async def page(self) -> str:
        """What the link of the latest mail shows."""
        async with self.browser.get(f"http://127.0.0.1:{self.port}{self.mails()[-1][1]}") as answer:
            assert answer.status == 200
            return unescape(await answer.text())

    async def shows(self, what: str) -> bool:
        """Whether the page says that it was pressed."""
        page = await self.page()
        return any(words in page for words in PAGE[what])

    async def press(self, what: str) -> int:
        """The button, on the page as it is now; 0 when there is no answer."""
        token = re.findall(r'name="token" value="([0-9a-f]{40})"', await self.page())[0]
        with suppress(aiohttp.ClientConnectionError):
            address = f"http://127.0.0.1:{self.port}{self.mails()[-1][1]}"
            async with self.browser.post(address, data={"token": token, "press": what}, allow_redirects=False) as answer:
                return answer.status
        return 0

    def listens(self) -> bool:
        """Whether the daemon's pages can be asked for."""
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    async def ends(self, process: ForkServerProcess) -> int | None:
        """How a process ended."""
        await asyncio.to_thread(process.join, 20)
        return process.exitcode

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Of the ledger."""
        told = [value.isoformat() if isinstance(value, datetime) else value for value in values]
        with closing(sqlite3.connect(self.folder / "state" / "syndicator.db", isolation_level=None)) as db:
            return db.execute(sql, told).fetchall()

    def time_passes(self) -> None:
        """For the ledger: the time to read is over, and what was leaving when its process ended may be asked about."""
        for table, key, column in (("issue", "until_at", "made_at"), ("review", "until_at", "mailed_at"), ("delivery", "id", "updated_at")):
            for name, at in self.rows(f"select {key}, {column} from {table} where {column} is not null"):
                self.rows(f"update {table} set {column} = ? where {key} = ?", datetime.fromisoformat(at) - timedelta(hours=2), name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def morning(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, Path]]:
    """A site with one entry, and the state of who read it yesterday, some hours before a newsletter's hour that has passed since."""
    now = datetime.now(UTC)
    site = Site(now - timedelta(hours=49))
    await site.start()
    folder = tmp_path_factory.mktemp("hier")
    configure(folder, site, 1, 1, now)
    clock, sessions = Clock(at=now - timedelta(hours=50)), Sessions()
    tenant = Tenant.make(load(folder / "velo.toml", environ={}), sessions, clock, random.Random(7))
    await tenant.start()
    await steps.issue(tenant)
    clock.at += timedelta(hours=10)
    await steps.poll(tenant, "site")
    await tenant.close()
    await sessions.close()
    yield site, folder / "state"
    await site.stop()


def configure(folder: Path, site: Site, port: int, smtp: int, now: datetime) -> None:
    """A newsletter that leaves every day, three hours ago."""
    (folder / "abonnes.txt").write_text("\n".join(READERS))
    (folder / "velo.toml").touch(mode=0o600)
    (folder / "velo.toml").write_text(f"""
[association]
name = "Les Amis du Vélo"
timezone = "UTC"
state = "{folder}/state"
[web]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}/"
[network]
allow_private = ["127.0.0.1"]
[alerts]
to = ["bureau@asso.example"]
smtp = "smtp://127.0.0.1:{smtp}"
from = "syndicator@velo.example"
[sources.site]
type = "feed"
url = "{site.url}/feed"
[routes.tout]
[destinations.poste]
type = "mail"
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "Les Amis du Vélo <lettre@velo.example>"
readers = "abonnes.txt"
per_minute = 60000
[newsletters.lettre]
when = "chaque jour à {(now - timedelta(hours=3)).hour}h"
destinations = ["poste"]
review = "{ANNA}"
review_before = "1h"
""")


@asynccontextmanager
async def desk(folder: Path, morning: tuple[Site, Path]) -> AsyncIterator[Desk]:
    with office() as server, socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
        free.close()
        configure(folder, morning[0], port, server.port, datetime.now(UTC))
        shutil.copytree(morning[1], folder / "state")
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as browser:
            yield Desk(folder=folder, server=server, port=port, browser=browser)


async def dies(there: Desk, press: str, moment: str) -> None:
    """A daemon's life until that moment, with a person who presses as soon as she can."""
    process = started("run", there.config, moment)

    def kill(address: str) -> None:
        if address == (ANNA if moment.startswith("mail:") else READERS[1]):
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)

    if moment in ("mail:named", "mail:taken", "reader:taken"):
        there.server.named, there.server.taken = (kill, lambda _: None) if moment.endswith("named") else (lambda _: None, kill)
    if moment in (*PRESSED, *LEAVING):
        await until(lambda: bool(there.rows("select 1 from review where mailed_at is not null")), "the mail")
        if press:
            await there.press(press)
        else:
            process.terminate()
            assert await there.ends(process) == 0
            there.time_passes()
            process = started("run", there.config, moment)
    assert await there.ends(process) == -signal.SIGKILL, (there.folder / "log").read_text()
    there.server.named = there.server.taken = lambda _: None


@pytest.mark.parametrize(("press", "moment"), SAMPLE)
async def test_killed(tmp_path: Path, morning: tuple[Site, Path], press: str, moment: str) -> None:
    """Whoever is asked is asked; what they answered, or would have, is what happens; once."""
    async with desk(tmp_path, morning) as there:
        await dies(there, press, moment)
        if moment in LEAVING:
            there.time_passes()
        process = started("run", there.config)
        await until(there.listens, "the page")
        if press:
            await until(lambda: bool(there.mails()), "the mail")
            if not await there.shows(press):
                assert await there.press(press) == 303
            assert await there.shows(press)
        if press != "stop" and moment not in BEFORE:
            await until(lambda: len(there.readers()) == len(READERS), "the letter")
        if moment in BEFORE:
            await until(lambda: bool(there.rows("select 1 from review where mailed_at is not null")), "the mail")
        process.terminate()
        assert await there.ends(process) == 0
        there.time_passes()
        assert await there.ends(started("once", there.config)) == 0

        assert there.readers() == ([] if press == "stop" else list(READERS))
        assert len(there.mails()) == 1 + (moment in TWICE)
        assert len(set(there.mails())) == 1
        assert there.rows("select state from issue") == [("stopped" if press == "stop" else "made",)]
        assert there.rows("select state from delivery where state != 'done'") == []

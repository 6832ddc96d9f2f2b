"""The hour of one newsletter on each way out, played from nothing as often as something can go wrong: each time with another accident.

Everything runs in this process, on real sockets: the real configuration, steps, ledger, connector. A process is killed in the middle of a
request: its successor finds the folder as it was at that moment, and nobody hears from the one that died any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args
from xml.etree import ElementTree

from aiohttp import web

from syndicator import steps
from syndicator.config import load
from syndicator.http import Sessions
from syndicator.issue_list import ways_of
from syndicator.model import Attachment, Delivery, Post
from syndicator.sandbox.keila import KEY, KeilaSimulator
from syndicator.sandbox.listmonk import TOKEN, USERNAME, ListmonkSimulator
from syndicator.sandbox.mailtrain import MailtrainSimulator
from syndicator.sandbox.server import Simulator
from syndicator.tenant import Tenant
from tests.engine_scene import Clock, World, source
from tests.mail_scene import Office, office
from tests.once_scene import TROUBLES, Striker

T = TypeVar("T")
Accident = Literal["drop", "lose", "truncate", "busy", "killed before", "killed after"]
MAIL_ACCIDENTS: tuple[Accident, ...] = get_args(Accident)
"""On a line to a mail server: cut before a command is carried out; carried out, its answer lost or cut; told to go (421); our own death."""
LIST, READERS = "lettre@listes.example", ("ana@exemple.fr", "bob@exemple.fr", "eve@exemple.fr")
HORIZON = timedelta(hours=20)
SERVER = 'host = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "lettre@velo.example"\n'
WAYS: Mapping[str, str] = {
    "mail": 'type = "mail"\nreaders = "{folder}/abonnes.txt"\nper_minute = 6000\n' + SERVER,
    "mailinglist": f'type = "mailinglist"\nto = "{LIST}"\n' + SERVER,
    "mailinglist (drops_repeats)": f'type = "mailinglist"\nto = "{LIST}"\ndrops_repeats = true\n' + SERVER,
    "listmonk": f'type = "listmonk"\nurl = "{{url}}"\nusername = "{USERNAME}"\ntoken = "{TOKEN}"\nlists = ["La lettre du vélo", "4"]\n',
    "keila": f'type = "keila"\nurl = "{{url}}"\nkey = "{KEY}"\nsender = "La lettre du vélo"\n',
    "mailtrain": 'type = "mailtrain"\nurl = "{url}"\ncampaign = "{campaign}"\ntoken = "{token}"\n',
    "letters": 'type = "letters"\n',
}
"""The ways out that are made for issues of a newsletter, each with what its configuration needs."""
BY_MAIL = frozenset({"mail", "mailinglist", "mailinglist (drops_repeats)"})
WITH_ARCHIVE = frozenset({"mailtrain"})


def accidents(way: str) -> tuple[str, ...]:
    """What can go wrong with one request."""
    return MAIL_ACCIDENTS if way in BY_MAIL else TROUBLES


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What goes wrong, at which request; 0 is the first."""

    number: int
    trouble: Any


@dataclass(kw_only=True)
class Relay:
    """Stands before a mail server: counts commands, a letter being one, and spoils those that it was told to."""

    port: int
    upstream: int
    counting: bool = False
    shut: bool = False
    """Whoever calls is not heard: they died."""
    seen: list[str] = field(default_factory=list)
    strikes: list[Any] = field(default_factory=list)
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    buried: asyncio.Event = field(default_factory=asyncio.Event)

    def arm(self, *strikes: Any) -> None:
        self.counting, self.strikes = True, [*strikes]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until a side hangs up or something goes wrong."""
        if not self.shut:
            there, back = await asyncio.open_connection("127.0.0.1", self.upstream)
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._talk(reader, writer, there, back)
            back.close()
        writer.transport.abort()

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: asyncio.StreamReader, back: asyncio.StreamWriter
    ) -> None:
        writer.write(await _answer(there))
        letter = False
        while asked := await (reader.readuntil(b"\r\n.\r\n") if letter else reader.readline()):
            name = "letter" if letter else asked.split()[0].decode().upper()
            trouble = self._trouble(name)
            if trouble == "busy":
                writer.write(b"421 4.3.2 too busy\r\n")
                await writer.drain()
            if trouble in ("drop", "busy"):
                return
            if trouble == "killed before":
                await self._die()
                return
            back.write(asked)
            answer = await _answer(there)
            if trouble == "killed after":
                await self._die()
                return
            if trouble == "truncate":
                writer.write(answer[:2])
                await writer.drain()
            if trouble:
                return
            writer.write(answer)
            letter = name == "DATA" and answer.startswith(b"354")

    def _trouble(self, name: str) -> str:
        if self.shut:
            return "drop"
        if not self.counting:
            return ""
        self.seen.append(name)
        if not self.strikes or self.strikes[0].number != len(self.seen) - 1:
            return ""
        trouble = str(self.strikes[0].trouble)
        if not trouble.startswith("killed"):
            self.strikes.pop(0)
        return trouble

    async def _die(self) -> None:
        self.struck.set()
        await self.buried.wait()


async def _answer(there: asyncio.StreamReader) -> bytes:
    """One answer, of several lines perhaps."""
    lines = b""
    while line := await there.readline():
        lines += line
        if line[3:4] != b"-":
            break
    return lines


class Pictures(Simulator):
    """Where the issue's picture stands."""

    def __init__(self, picture: bytes) -> None:
        super().__init__()
        self._picture = picture
        self.app.router.add_get("/velo.jpg", self._get)

    async def _get(self, _: web.Request) -> web.Response:
        return web.Response(body=self._picture, content_type="image/jpeg")


@dataclass(kw_only=True)
class Hour:
    """A newsletter that has news, a minute before it leaves by one way."""

    way: str
    folder: Path
    sessions: Sessions
    striker: Any
    """``Striker`` or ``Relay``."""
    options: str
    simulator: Any = None
    server: Office | None = None
    clock: Clock = field(default_factory=Clock)
    world: World = field(default_factory=World)
    lives: int = 0
    asked: bool = False
    """Whether a person had to decide."""

    async def prepare(self) -> None:
        (self.folder / "abonnes.txt").write_text("\n".join(READERS))
        await self.begin()
        await steps.issue(self.tenant)
        await steps.poll(self.tenant, "toots")
        self.clock.go(hours=1)
        uid = "https://social.example/1"
        pictures = (Attachment(url=f"{self.simulator.url}/velo.jpg", description="Un vélo"),) if self.way == "letters" else ()
        self.world.show(
            Post(uid=uid, url=uid, html="<p>Un atelier samedi</p>", language="fr", published_at=self.clock(), attachments=pictures)
        )
        await steps.poll(self.tenant, "toots")
        self.clock.go(hours=1, minutes=-1)

    @property
    def home(self) -> Path:
        """The folder of the process that lives."""
        return self.folder / str(self.lives)

    async def begin(self) -> None:
        self.home.mkdir(exist_ok=True)
        path = self.home / "velo.toml"
        path.touch(mode=0o600)
        names = ["there", *(["archives"] if self.way in WITH_ARCHIVE else [])]
        archives = '[destinations.archives]\ntype = "letters"' if self.way in WITH_ARCHIVE else ""
        page = 'public_url = "https://agenda.example/"' if self.way in (*WITH_ARCHIVE, "letters") else ""
        path.write_text(f"""
[association]
name = "Les Amis du Vélo"
timezone = "UTC"
state = "{self.home}/state"
public = "{self.home}/public"
[web]
listen = ""
{page}
[network]
allow_private = ["127.0.0.1"]
[sources.toots]
type = "feed"
url = "https://social.example/feed"
[destinations.there]
{self.options}
{archives}
[newsletters.lettre]
when = "chaque jour à 14h"
destinations = {names}
""")
        config = replace(load(path, environ={}), sources={"toots": source(self.world)})
        self.tenant = Tenant.make(config, self.sessions, self.clock, random.Random(7))
        await self.tenant.start()

    async def _alive(self, step: Coroutine[Any, Any, T]) -> T | None:
        """One step; None when the process died in it, and another one began on the folder as it was then."""
        task, struck = asyncio.create_task(step), asyncio.create_task(self.striker.struck.wait())
        await asyncio.wait({task, struck}, return_when=asyncio.FIRST_COMPLETED)
        struck.cancel()
        if not self.striker.struck.is_set():
            return task.result()
        before = self.home
        self.lives += 1
        for name in ("state", "public"):
            if (before / name).exists():
                shutil.copytree(before / name, self.home / name)
        self.striker.shut = True
        self.striker.struck.clear()
        self.striker.buried.set()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await self.tenant.close()
        self.striker.strikes.pop(0)
        self.striker.buried, self.striker.shut = asyncio.Event(), False
        await self.begin()
        return None

    async def play(self, *strikes: Strike) -> None:
        """Let the hour come, and everything after it, until nothing is left to do; where a person must decide, they do."""
        self.clock.go(minutes=2)
        self.striker.arm(*strikes)
        end = self.clock() + HORIZON
        for _ in range(300):
            await self._alive(steps.issue(self.tenant))
            for view in self.tenant.projections:
                await self._alive(steps.project(self.tenant, view, force=True))
            if self.way == "letters":
                self.clock.go(hours=4)
                if self.clock() > end:
                    return
                continue
            delivered = await self._alive(steps.deliver(self.tenant, "there"))
            if delivered is None or delivered.worked:
                continue
            if delivered.again_at is not None and delivered.again_at <= end:
                self.clock.at = max(self.clock.at, delivered.again_at)
            elif not await self._decided():
                return
        raise AssertionError(f"it never comes to rest: {await self.rows()}")

    async def _decided(self) -> bool:
        """A person looks whether it is there, and says so."""
        parked = [row for row in await self.rows() if row.state == "parked"]
        now, there = self.clock(), bool(self.got())
        for row in parked:
            assert row.reason == "unknown", row
            self.asked = True
            if there:
                await self.tenant.ledger.transact(lambda store, number=row.id: store.outbox.settle_by_hand(number, now))
            else:
                await self.tenant.ledger.transact(lambda store, number=row.id: store.outbox.retry(number, now))
        return bool(parked)

    async def rows(self) -> list[Delivery]:
        states = ("pending", "sending", "done", "parked", "dropped")
        return await self.tenant.ledger.transact(lambda store: store.outbox.deliveries(*states))

    async def unknown(self) -> int:
        """Of how many readers it is said that nobody knows."""
        uid = next((row.uid for row in await self.rows()), "")
        ways = await self.tenant.ledger.transact(lambda store: ways_of(store, uid))
        return int(ways.get("there", {}).get("unknown", 0))

    def got(self) -> Counter[str]:
        """Who got how many."""
        if self.server is not None and self.way == "mail":
            return Counter(self.server.readers)
        if self.server is not None:
            ids = [str(message_from_bytes(raw, policy=policy.default)["Message-ID"]) for _, raw in self.server.letters]
            return Counter(set(ids) if "drops" in self.way else ids)
        if self.way == "mailtrain":
            self.simulator.look()
            return Counter(one.guid for one in self.simulator.sent)
        if self.way == "letters":
            return self._archived()
        return Counter(one.to for one in getattr(self.simulator, "shown", self.simulator.letters))

    def _archived(self) -> Counter[str]:
        """Pages of issues, and entries of the feed."""
        archive = self.home / "public" / "lettres"
        pages = [path.name for path in archive.glob("*.html") if path.name != "index.html"]
        feed = ElementTree.parse(archive / "feed.atom") if (archive / "feed.atom").exists() else None
        entries = [entry.findtext("{*}id") or "" for entry in feed.iterfind("{*}entry")] if feed is not None else []
        return Counter([*pages, *entries])


@asynccontextmanager
async def hour(way: str, folder: Path, sessions: Sessions, picture: bytes) -> AsyncIterator[Hour]:
    """On a way that was never used before."""
    folder.mkdir(parents=True)
    async with contextlib.AsyncExitStack() as stack:
        if way in BY_MAIL:
            server = stack.enter_context(office())
            relay = Relay(port=0, upstream=server.port)
            listening = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
            stack.push_async_callback(_closed, listening)
            options = WAYS[way].format(port=listening.sockets[0].getsockname()[1], folder=folder)
            made = Hour(way=way, folder=folder, sessions=sessions, striker=relay, options=options, server=server)
        else:
            clock = Clock()
            simulator = _simulator(way, clock, picture)
            striker = Striker(simulator=simulator, now=clock)
            simulator.app.middlewares.insert(0, striker.stand)
            await simulator.start()
            stack.push_async_callback(simulator.stop)
            options = WAYS[way].format(
                url=simulator.url, campaign=getattr(simulator, "campaign", ""), token=getattr(simulator, "token", "")
            )
            made = Hour(way=way, folder=folder, sessions=sessions, striker=striker, options=options, simulator=simulator, clock=clock)
            if way == "mailtrain":
                simulator.feed = lambda: (made.home / "public" / "lettres" / "latest-lettre.rss").read_bytes()
        await made.prepare()
        try:
            yield made
        finally:
            await made.tenant.close()


def _simulator(way: str, clock: Clock, picture: bytes) -> Any:
    if way == "letters":
        return Pictures(picture)
    return {"listmonk": ListmonkSimulator, "keila": KeilaSimulator, "mailtrain": MailtrainSimulator}[way](now=clock)


async def _closed(listening: asyncio.Server) -> None:
    listening.close()

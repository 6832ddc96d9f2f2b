"""A day of an association that mirrors to every network there is: its free networks, everybody else's, and what was asked of them."""

from __future__ import annotations

import asyncio
import logging
import random
import textwrap
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors.bluesky import session
from syndicator import registry, steps
from syndicator.config import load
from syndicator.http import Sessions
from syndicator.logs import LineFormatter
from syndicator.sandbox.commerce import Commerce
from syndicator.sandbox.discourse import DiscourseSimulator
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mastodon_world import Media, Status
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.sandbox.peertube import PeertubeSimulator
from syndicator.sandbox.server import Fault, Seen, Simulator, Stage
from syndicator.sandbox.town import CHANNEL, GROUP, Town, picture
from syndicator.sandbox.youtube import YoutubeSimulator
from syndicator.store import Store
from syndicator.tenant import Tenant
from syndicator.web import Health, PublicServer, Site
from tests.engine_scene import Clock
from tests.letter_networks import LETTERS
from tests.media_scene import film

MARKER = "parole-d-autrui-7f3a"
"""What only others wrote over there."""
OURS = ("caldav", "ical", "letters", "static", "website")
"""Views: files of ours, and a calendar that is ours alone, which tests of its own watch."""

PICTURE_SHOWN = {"rocketchat": "/rooms.mediaConfirm/"}


@dataclass(kw_only=True)
class Reader:
    """Stands before a simulator and notes whether it told us what others wrote."""

    told: bool = False

    @web.middleware
    async def stand(self, request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
        self.told |= MARKER.encode() in body
        return response


@dataclass(kw_only=True)
class Day:
    """What happens, and the daemon that mirrors it, step by step."""

    folder: Path
    clock: Clock
    town: Town
    commerce: Commerce
    port: int
    tenant: Tenant = field(init=False)
    sessions: Sessions = field(init=False)
    readers: dict[str, Reader] = field(default_factory=dict)
    log: StringIO = field(default_factory=StringIO)
    """All that the daemon said."""

    @property
    def destinations(self) -> dict[str, tuple[Simulator, tuple[str, str]]]:
        """Type → its simulator, and the request that makes a post of text."""
        known = {name: (one.simulator, one.creation) for name, one in self.commerce.networks.items()}
        return {**known, "mastodon": (self.town.elsewhere, ("POST", "/api/v1/statuses"))}

    def seen(self) -> Iterator[tuple[str, Seen]]:
        """Every request that a destination got, with the type of that destination."""
        for name, (simulator, _) in self.destinations.items():
            yield from ((name, one) for one in simulator.requests)

    async def begin(self) -> None:
        """Start the daemon on the folder, as after any end."""
        self.sessions = Sessions()
        config = load(self._config(), environ={})
        self.tenant = Tenant.make(config, self.sessions, self.clock, random.Random(7))
        await self.tenant.start()

    async def end(self) -> None:
        """Stop it."""
        await self.tenant.close()
        await self.sessions.close()

    def _config(self) -> Path:
        text = f"""
            [association]
            name = "Les Amis du Vélo"
            state = "{self.folder}/state"
            public = "{self.folder}/public"
            [web]
            listen = ""
            public_url = "http://127.0.0.1:{self.port}/"
            [network]
            allow_private = ["127.0.0.1"]
            [sources.agenda]
            type = "mobilizon"
            url = "{self.town.mobilizon.url}"
            groups = ["{GROUP}"]
            [sources.toots]
            type = "mastodon"
            account = "{self.town.mastodon.url}/@velo"
            recheck_every = "1m"
            [sources.videos]
            type = "peertube"
            channel = "{self.town.peertube.url}/c/{CHANNEL}"
            [destinations.ical]
            type = "ical"
            [destinations.website]
            type = "website"
            [destinations.mastodon]
            type = "mastodon"
            url = "{self.town.elsewhere.url}"
            token = "{self.town.mirror_token}"
            [routes.tout]
            link = "always"
            long_text = "thread"
            """
        path = self.folder / "velo.toml"
        path.write_text(textwrap.dedent(text) + self.commerce.toml(), encoding="utf-8")
        path.chmod(0o600)
        return path

    async def rest(self, *, looks: int = 2, **length: float) -> None:
        """Let time pass: every source is read, and everything that may leave leaves when it may."""
        part = timedelta(**length) / looks
        for _ in range(looks):
            await self._look()
            await asyncio.gather(*(steps.project(self.tenant, name) for name in self.tenant.projections))
            end = self.clock() + part
            while (soonest := await self._deliver()) is not None and soonest <= end:
                self.clock.at = max(self.clock.at, soonest)
            self.clock.at = max(self.clock.at, end)

    async def _look(self) -> None:
        await asyncio.gather(*(steps.poll(self.tenant, name) for name in self.tenant.config.sources))

    async def _deliver(self) -> datetime | None:
        """Send what may leave now; when more may."""
        again = await asyncio.gather(*(self._drain(name) for name in self.tenant.publishers))
        return min((at for at in again if at is not None), default=None)

    async def _drain(self, name: str) -> datetime | None:
        while (delivered := await steps.deliver(self.tenant, name)).worked:
            continue
        return delivered.again_at

    def lose_answers(self) -> None:
        """The next post of text is made at each network, and its answer is lost on the way; then others write there."""
        for name, (method, path) in ((name, creation) for name, (_, creation) in self.destinations.items()):
            self._lose(name, method, path)

    def lose_pictures(self) -> None:
        """The same with the next picture, where that is shown by a request of its own."""
        for name, path in PICTURE_SHOWN.items():
            if name in self.destinations:
                self._lose(name, "POST", path)

    def _lose(self, name: str, method: str, path: str) -> None:
        simulator, questions = self.destinations[name][0], self.commerce.networks[name].asked_first if name != "mastodon" else 0
        fault = Fault(action="lose", method=method, path=path, skip=questions)

        def write(stage: Stage, request: web.Request) -> None:
            if stage == "after" and fault.fits(request) and not any(replace(one, skip=questions) == fault for one in simulator.faults):
                simulator.hooks.remove(write)
                self.plant(name)

        simulator.fault(fault)
        simulator.hooks.append(write)

    def faults(self) -> list[str]:
        """The networks whose answer was not lost yet."""
        return [name for name, (simulator, _) in self.destinations.items() if simulator.faults]

    async def play(self) -> None:
        """A day, two nights, and a restart."""
        await self.rest(minutes=10)
        hello = await self._unanswered()
        poster, story = await self._posts()
        await self._withdrawn()
        await self._events()
        self.town.edit_toot(hello, "Bonjour ! L'atelier rouvre dimanche, finalement. #vélo")
        self.town.edit_toot(poster, "La nouvelle affiche, plus grande")
        await self.rest(hours=1)
        self._remove_there("Un long récit")
        for status in (hello, poster, story):
            self.town.delete_toot(status)
        await self.rest(hours=3, looks=4)
        await self._restart()
        await self.rest(hours=30)
        self.town.toot("Encore là, deux jours plus tard, avec des jetons tout neufs.")
        await self.rest(hours=1)

    async def _unanswered(self) -> Status:
        """Every network makes a post and its answer is lost; the daemon ends before anybody knows."""
        hello = self.town.toot("Bonjour ! L'atelier rouvre samedi. #vélo")
        self.lose_answers()
        await self.rest(minutes=3, looks=1)
        await self._restart()
        await self.rest(hours=1)
        await self.decide()
        return hello

    async def _posts(self) -> tuple[Status, Status]:
        town = self.town
        self.lose_pictures()
        poster = self._album("La nouvelle affiche", "", "Au dos : le plan pour venir")
        secret = self._album("Une chute sans gravité", "")
        secret.sensitive, secret.spoiler_text = True, "Blessure"
        first = town.toot("Trois conseils pour l'hiver (1/2) : des gants, une lampe.")
        town.toot("(2/2) Et des pneus bien gonflés.", reply_to=first)
        story = town.toot("Un long récit. " + "Nous avons roulé longtemps, sous la pluie, puis au soleil. " * 12)
        self._film("La balade en images", "Des vélos passent sur un pont")
        video = town.peertube.publish(CHANNEL, "Réparer une crevaison", description="En cinq minutes.", duration=312, lines=(720,))
        await self.rest(hours=1)
        town.peertube.edit(video.uuid, name="Réparer une crevaison, en six minutes")
        await self.rest(hours=1)
        town.peertube.delete(video.uuid)
        return poster, story

    async def _withdrawn(self) -> None:
        """What was deleted before anybody knew whether it went out is looked for, and removed."""
        doomed = self.town.toot("Annoncé trop vite")
        video = self.town.peertube.publish(CHANNEL, "Montré trop vite", duration=12, lines=(720,))
        await self._look()
        self.clock.go(minutes=3)
        self.lose_answers()
        await self._deliver()
        self._forget_sessions()
        self.town.delete_toot(doomed)
        self.town.peertube.delete(video.uuid)
        for _ in range(3):
            await self._look()
            self.clock.go(minutes=2)
        await self.rest(hours=1)
        await self.decide()

    async def _events(self) -> None:
        town, begins_on = self.town, self.clock() + timedelta(days=9)
        event = town.mobilizon.add_event(GROUP, "Bal à vélo", begins_on, begins_on + timedelta(hours=2), description="<p>On danse.</p>")
        await self.rest(hours=1)
        town.mobilizon.move_event(event.uuid, begins_on + timedelta(days=1), begins_on + timedelta(days=1, hours=3))
        await self.rest(hours=1)
        town.mobilizon.cancel_event(event.uuid)
        await self.rest(hours=1)

    def _forget_sessions(self) -> None:
        """YouTube forgets an upload, as it does after a week: only the list of its videos can tell then."""
        for simulator, _ in self.destinations.values():
            if isinstance(simulator, YoutubeSimulator):
                simulator.uploads.clear()

    def _remove_there(self, text: str) -> None:
        """Somebody removes a copy by hand, where asking for it tells that from a refusal."""
        simulators = [simulator for simulator, _ in self.destinations.values()]
        for discourse in (one for one in simulators if isinstance(one, DiscourseSimulator)):
            for topic in discourse.forum.listed:
                if topic.raw.startswith(text):
                    topic.deleted_at = self.clock()

    async def _restart(self) -> None:
        await self.end()
        await self.begin()

    def plant(self, *names: str) -> None:
        """Put others' words there."""
        for name in names or self.destinations:
            if name != "mastodon":
                self.commerce.networks[name].plant(MARKER)
        world = self.town.elsewhere.world
        for account in (self.town.mirror, world.add_account("passante", MARKER)):
            account.display_name = f"Les Amis du Vélo {MARKER}"
            world.post(account, f"<p>{MARKER}</p>")

    def _film(self, text: str, alt: str) -> Status:
        """A toot with a video in it, and the still picture that Mastodon makes of one."""
        url, film_id, still_id = self.town.mastodon.url, self._media("video"), self._media("image")
        shown = {"id": film_id, "type": "video", "description": alt, "remote_url": None, "meta": {}, "blurhash": None}
        shown |= {"url": f"{url}/media/{film_id}.mp4", "preview_url": f"{url}/media/{still_id}.png"}
        return self.town.mastodon.world.post(self.town.asso, f"<p>{text}</p>", extra={"media_attachments": [shown]})

    def _album(self, text: str, *alts: str) -> Status:
        """A toot with pictures; those without a description are all the same one."""
        return self.town.mastodon.world.post(self.town.asso, f"<p>{text}</p>", media_ids=[self._media("image", alt) for alt in alts])

    def _media(self, kind: str, alt: str = "") -> str:
        world = self.town.mastodon.world
        media_id = f"{kind}-{zlib.crc32(alt.encode())}"
        data, media_type = (film(9_000), "video/mp4") if kind == "video" else (picture(media_id), "image/png")
        world.media[media_id] = Media(
            id=media_id, account_id=self.town.asso.id, type=kind, data=data, media_type=media_type, description=alt
        )
        return media_id

    async def decide(self) -> None:
        """A person looks at what nobody could know, and says that it is there."""

        def settle(store: Store) -> None:
            for delivery in store.outbox.deliveries("parked"):
                if delivery.outcome_unknown:
                    store.outbox.settle_by_hand(delivery.id, self.clock())

        await self.tenant.ledger.transact(settle)


def installed() -> list[str]:
    """The commercial networks and chats that a configuration can name."""
    return [name for name in registry.names("destinations") if name not in (*OURS, *LETTERS, "mastodon")]


@contextmanager
def at_once() -> Iterator[None]:
    """Apprise lets real seconds pass between two messages; what is kept of Bluesky's password is slow to guess."""
    from apprise import NotifyBase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NotifyBase, "request_rate_per_sec", 0)
        patch.setattr(session, "ROUNDS", 1)
        yield


@asynccontextmanager
async def day_in(folder: Path) -> AsyncIterator[Day]:
    """Everything open, with others' words everywhere, and the daemon begun."""
    clock = Clock(at=datetime.now(UTC).replace(microsecond=0))
    town = Town(
        mobilizon=MobilizonSimulator(now=clock),
        mastodon=MastodonSimulator(now=clock),
        peertube=PeertubeSimulator(now=clock),
        elsewhere=MastodonSimulator(now=clock),
    )
    (folder / "public").mkdir()
    sites = (Site(prefix="/", folder=folder / "public"),)
    server = PublicServer(sites=lambda: sites, health=lambda: Health(ok=True, since=clock()), metrics=str, now=clock)
    await server.start("127.0.0.1", 0)
    commerce = Commerce(names=installed(), now=clock)
    day = Day(folder=folder, clock=clock, town=town, commerce=commerce, port=server.port)
    day.readers = {name: Reader() for name in day.destinations}
    for name, (simulator, _) in day.destinations.items():
        simulator.app.middlewares.insert(0, day.readers[name].stand)
    handler = logging.StreamHandler(day.log)
    handler.setFormatter(LineFormatter(journal=False))
    log = logging.getLogger("syndicator")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    await town.start()
    try:
        async with commerce:
            day.plant()
            await day.begin()
            yield day
            await day.end()
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        await town.stop()
        await server.stop()

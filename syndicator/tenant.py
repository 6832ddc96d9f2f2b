"""One association at work: its configuration, its ledger, its connectors, its clock. What ``steps`` work on."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from syndicator import expiring
from syndicator.assemble import make_connector, make_folder
from syndicator.config import Config, DestinationConfig, SourceConfig
from syndicator.contract import Projection, Publisher, Source
from syndicator.errors import AuthExpired, StateError, words
from syndicator.http import Sessions
from syndicator.logs import event
from syndicator.model import Delivery
from syndicator.plan import Target, find_loop
from syndicator.policy import speak_at
from syndicator.route import Route
from syndicator.shelf import Seen
from syndicator.store import Ledger, Store

if TYPE_CHECKING:
    from syndicator.ahead import Looked
    from syndicator.issuing import Looked as Issuing
    from syndicator.letter.shape import Hosted

ABOUT_DESTINATIONS = ("destination", "expiring:destination", "media", "budget")
"""What problems may be about, before the name of a destination."""
LOCK_TRIES = 15
LOCK_WAIT_S = 0.1


class InUse(StateError):
    """Another process works on the state folder."""


@dataclass(kw_only=True)
class Tenant:
    """An association, ready for steps; everything it keeps in memory can be lost without harm."""

    config: Config
    sessions: Sessions
    now: Callable[[], datetime]
    rng: random.Random
    ledger: Ledger
    log: logging.Logger
    owner: str
    """Names this process in leases."""
    connectors: dict[str, Any] = field(default_factory=dict)
    """``sources.NAME`` or ``destinations.NAME`` → the open connector."""
    vouched: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """(source, uid) → when the origin last said, asked by name, that it is there though unlisted."""
    failures: dict[str, int] = field(default_factory=dict)
    """``sources.NAME`` or ``destinations.NAME`` → failures in a row."""
    closed_until: dict[str, datetime] = field(default_factory=dict)
    """``destinations.NAME`` or ``alerts`` → when to try again to reach it."""
    accounts: dict[str, str] = field(default_factory=dict)
    """``sources.NAME`` or ``destinations.NAME`` → the account it last was, in lower case: known even while it is closed."""
    opened_at: dict[str, datetime] = field(default_factory=dict)
    """``sources.NAME`` or ``destinations.NAME`` → when its connector was last opened."""
    months: dict[str, datetime] = field(default_factory=dict)
    """Destination → the month that its spending was last looked at for."""
    polled_at: dict[str, datetime] = field(default_factory=dict)
    done_at: dict[str, datetime] = field(default_factory=dict)
    """Destination → when it last did what it is there for."""
    tally: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(what, name, outcome) → how often since the start: what /metrics tells."""
    seen: Seen = field(default_factory=Seen)
    """What its views are made from, and what they last showed."""
    ahead: dict[str, Looked] = field(default_factory=dict)
    """Destination → what was known when its reminders and recaps were last looked at."""
    issuing: dict[str, Issuing] = field(default_factory=dict)
    """Newsletter → what was known when its issues were last looked at."""
    hosted: dict[str, Hosted] = field(default_factory=dict)
    """Origin URL → our copy, of the pictures of letters."""
    healthy: set[str] = field(default_factory=set)
    """Subjects that are known to have no open problem: their ledger row need not be looked for."""
    _opening: dict[str, asyncio.Lock] = field(default_factory=dict)
    _lock_fd: int | None = None
    _routes: tuple[Route, ...] | None = None

    @classmethod
    def make(
        cls, config: Config, sessions: Sessions, now: Callable[[], datetime], rng: random.Random, executor: Executor | None = None
    ) -> Tenant:
        """The tenant of a configuration; nothing is opened yet. ``executor`` is where its ledger works."""
        return cls(
            config=config,
            sessions=sessions,
            now=now,
            rng=rng,
            ledger=Ledger(config.state_dir / "syndicator.db", executor),
            log=logging.getLogger(f"syndicator.{config.slug}"),
            owner=f"{os.getpid()}.{rng.getrandbits(32):08x}",
        )

    @property
    def language(self) -> str:
        """What this association's people read."""
        return self.config.association.language

    @property
    def zone(self) -> ZoneInfo:
        """The association's wall clock."""
        return ZoneInfo(self.config.association.timezone)

    @property
    def publishers(self) -> list[str]:
        """Names of the destinations that go through the outbox."""
        return [name for name, destination in self.config.destinations.items() if destination.role == "publisher"]

    @property
    def projections(self) -> list[str]:
        """Names of the destinations that rewrite a view."""
        return [name for name, destination in self.config.destinations.items() if destination.role == "projection"]

    @property
    def routes(self) -> Sequence[Route]:
        """In the order of the configuration; then those of the recaps that they ask for, and of newsletters."""
        if self._routes is None:
            self._routes = (*self.config.routes.values(), *_own_routes(self.config))
        return self._routes

    def title_of(self, source: str) -> str:
        """What people read of a source; of one that is ours, the newsletter's title."""
        if source in self.config.sources:
            return self.config.sources[source].title
        letter = self.config.newsletters.get(source.partition(":")[2])
        return letter.title if letter else self.config.association.name

    def destination_names(self) -> frozenset[str]:
        """Names and types of every destination: what an author's ``#no…`` may refuse."""
        return frozenset(word for destination in self.config.destinations.values() for word in (destination.name, destination.type))

    def targets(self) -> Mapping[str, Target]:
        """The publishers as far as planning goes."""
        targets = {}
        for name in self.publishers:
            destination = self.config.destinations[name]
            limits = getattr(self.connectors.get(f"destinations.{name}"), "limits", None) or destination.connector.limits
            targets[name] = Target(name=name, type=destination.type, kinds=limits.kinds)
        return targets

    def ways(self, source: str) -> list[tuple[str, str, str]]:
        """(route, source, destination) of everything that this source's items may take to a publisher."""
        publishers = set(self.publishers)
        return [
            (route.name, source, destination)
            for route in self.routes
            if source in route.sources
            for destination in route.destinations
            if destination in publishers
        ]

    def allowed_at(self, delivery: Delivery, last_sent_at: datetime | None) -> datetime:
        """When a new post may leave, by its destination's pace."""
        return speak_at(delivery.due_at, self.config.destinations[delivery.destination].pace, last_sent_at, self.zone)

    async def source(self, name: str) -> Source:
        """A source, open; raises what its ``open`` raises."""
        return cast("Source", await self._connector("sources", name, self.config.sources[name]))

    async def publisher(self, name: str) -> Publisher:
        """A publisher, open; raises what its ``open`` raises, and AuthExpired when what it would mirror is itself."""
        publisher = cast("Publisher", await self._connector("destinations", name, self.config.destinations[name]))
        self._refuse_loop(name)
        return publisher

    def publisher_at_work(self, name: str) -> Publisher | None:
        """A publisher that is open and may be used as it is."""
        publisher: Publisher | None = self.connectors.get(f"destinations.{name}")
        return None if self.accounts.get(f"destinations.{name}") in self.loop() else publisher

    async def projection(self, name: str) -> Projection:
        """A projection, open; raises what its ``open`` raises."""
        return cast("Projection", await self._connector("destinations", name, self.config.destinations[name]))

    async def _connector(self, group: str, name: str, config: SourceConfig | DestinationConfig) -> Any:
        key = f"{group}.{name}"
        async with self._opening.setdefault(key, asyncio.Lock()):
            if key not in self.connectors:
                connector = make_connector(self.config, config, self.sessions, self.now)
                try:
                    await connector.open()
                except BaseException:
                    await self._shut(key, connector)
                    raise
                self.connectors[key] = connector
                self.opened_at[key] = self.now()
                account = getattr(connector, "account", None)
                if isinstance(account, str):
                    self.accounts[key] = account.lower()
                await expiring.look(self, key, connector)
            return self.connectors[key]

    async def forget(self, key: str) -> None:
        """Close a connector, so that its next use opens it anew."""
        connector = self.connectors.pop(key, None)
        if connector is not None:
            await self._shut(key, connector)

    async def _shut(self, key: str, connector: Any) -> None:
        try:
            await connector.close()
        except Exception as error:  # noqa: BLE001 - it is not used any more: whatever it says must not stop what is
            event(self.log, logging.ERROR, "close.bug", connector=key, exc_info=error)

    def own_accounts(self) -> frozenset[str]:
        """The accounts that the association's sources read."""
        return frozenset(account for key, account in self.accounts.items() if key.startswith("sources."))

    def loop(self) -> tuple[str, ...]:
        """A circle among the routes, as far as the accounts are known."""
        return find_loop(
            (self.accounts.get(f"sources.{source}"), self.accounts.get(f"destinations.{destination}"))
            for route in self.routes
            for source in route.sources
            for destination in route.destinations
        )

    def _refuse_loop(self, name: str) -> None:
        circle = self.loop()
        if self.accounts.get(f"destinations.{name}") in circle:
            way = " → ".join((*circle, circle[0]))
            raise AuthExpired(
                f"loop: {way}",
                hint=words(
                    fr=f"Les routes tournent en rond ({way}) : un compte serait recopié sur lui-même. Retirez cette destination, "
                    "ou changez de compte. Rien n'y sera publié d'ici là.",
                    en=f"The routes go round in a circle ({way}): an account would be mirrored onto itself. Remove this destination, "
                    "or use another account. Nothing is posted there until then.",
                ),
            )

    def lock(self) -> None:
        """Be the only process that works on this state folder; raises StateError when another one does."""
        folder = make_folder(self.config.state_dir, mode=0o700)
        make_folder(self.config.public_dir, mode=0o755)
        try:
            fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"{folder}: {error.strerror}",
                hint=words(
                    fr="Le service ne peut pas écrire dans ce dossier : vérifiez son propriétaire et ses droits.",
                    en="The service cannot write to this folder: check its owner and its permissions.",
                ),
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            raise InUse(
                f"{folder} is in use",
                hint=words(
                    fr="Un autre syndicator travaille déjà sur ce dossier : arrêtez-le d'abord, ou donnez à celui-ci un autre dossier.",
                    en="Another syndicator already works on this folder: stop it first, or give this one a folder of its own.",
                ),
            ) from error
        self._lock_fd = fd

    async def _lock_soon(self) -> None:
        """``lock``, with some patience for a process that was killed and is not quite gone."""
        for _ in range(LOCK_TRIES - 1):
            try:
                return self.lock()
            except StateError:
                await asyncio.sleep(LOCK_WAIT_S)
        return self.lock()

    async def start(self) -> None:
        """Take the folder, and give back what an interrupted process had claimed."""
        await self._lock_soon()
        subjects = [f"{about}source:{name}" for name in self.config.sources for about in ("", "expiring:")]
        subjects += [f"{about}:{name}" for name in self.config.destinations for about in ABOUT_DESTINATIONS]

        def begin(store: Store) -> None:
            store.outbox.free()
            store.problems.keep(subjects)

        await self.ledger.transact(begin)

    async def close(self) -> None:
        """Close every connector and the ledger, and let go of the folder."""
        for key in list(self.connectors):
            await self.forget(key)
        self.ledger.close()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None


def wait_after(failures: int, poll: timedelta, rng: random.Random) -> timedelta:
    """How long a source rests after ``failures`` in a row: the poll interval, doubled each time up to an hour, with jitter."""
    longest = max(poll, timedelta(hours=1))
    ceiling = min(poll * 2 ** min(max(failures, 0), 12), longest)
    return timedelta(seconds=ceiling.total_seconds() * rng.uniform(0.9, 1.1))


def _own_routes(config: Config) -> tuple[Route, ...]:
    """Of recaps and newsletters; what makes them is loaded by those who have some."""
    routes: tuple[Route, ...] = ()
    if any(route.recap for route in config.routes.values()):
        from syndicator.recaps import recap_routes

        routes += recap_routes(config)
    if config.newsletters:
        from syndicator.newsletters import newsletter_routes

        routes += newsletter_routes(config)
    return routes

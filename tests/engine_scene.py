"""What the engine's tests share: a clock that moves when told, an origin and a network that are plain objects."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from syndicator import steps
from syndicator.config import Alerts, Config, DestinationConfig, Network, SourceConfig
from syndicator.contract import Association, Context, Limits, View
from syndicator.errors import Gone as GoneThere
from syndicator.http import Sessions
from syndicator.model import Batch, Delivery, Item, Post, Receipt, Rendition, Tombstone
from syndicator.problems import Problem
from syndicator.route import Pace, Route, Style
from syndicator.store import Store
from syndicator.tenant import Tenant

T = TypeVar("T")
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LONG = "Il y a d'abord ceci à dire, et ce n'est pas rien. Il y a ensuite cela à dire, pas mal non plus."
"""Two parts on the wall."""
THREAD = Style(long_text="thread", link="never")
Gone = Literal["certain", "missing", "unlisted", "silent"]
"""What the origin says of an item that it no longer lists: 410; 404; here it is; nothing that can be relied on."""


@dataclass(kw_only=True)
class Clock:
    """The one clock of a test."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def go(self, **length: float) -> datetime:
        """Let time pass."""
        self.at += timedelta(**length)
        return self.at


@dataclass(kw_only=True)
class World:
    """What an origin shows, what it was asked, and what it fails at."""

    items: dict[str, Item] = field(default_factory=dict)
    off: dict[str, tuple[Gone, Item]] = field(default_factory=dict)
    complete: bool = True
    cursor: str | None = "here"
    settled: str | None = None
    """With it, a fetch from this very cursor finds nothing new: an origin with a cheap question."""
    vouches: bool = False
    """Names what is there as present, without telling it again."""
    account: str | None = None
    faults: dict[str, list[Exception]] = field(default_factory=dict)
    """``open``, ``fetch``, ``read`` → what the next calls raise."""
    down: Exception | None = None
    """What every call raises."""
    fetched: list[str | None] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def show(self, *items: Item) -> None:
        """Publish or edit."""
        for item in items:
            self.off.pop(item.uid, None)
            self.items[item.uid] = item

    def hide(self, *uids: str, how: Gone = "certain") -> None:
        """Take off the listing."""
        for uid in uids:
            item = self.items.pop(uid, None)
            self.off[uid] = (how, item if item is not None else self.off[uid][1])

    def trouble(self, call: str) -> None:
        """Raise what was scripted."""
        if self.faults.get(call):
            raise self.faults[call].pop(0)
        if self.down is not None:
            raise self.down


@dataclass(frozen=True, kw_only=True)
class WorldOptions:
    world: World


class BlindSource:
    """Lists everything at each look; cannot be asked for items by name."""

    Options: ClassVar[type[Any]] = WorldOptions

    def __init__(self, options: WorldOptions, context: Context) -> None:
        self.world = options.world
        self.account: str | None = None

    async def open(self) -> None:
        self.world.trouble("open")
        self.account = self.world.account

    async def close(self) -> None: ...

    async def fetch(self, cursor: str | None) -> Batch:
        self.world.fetched.append(cursor)
        self.world.trouble("fetch")
        if cursor is not None and cursor == self.world.settled:
            return Batch(cursor=cursor)
        if self.world.vouches:
            return Batch(present=frozenset(self.world.items), cursor=self.world.cursor, complete=self.world.complete)
        return Batch(changed=tuple(self.world.items.values()), cursor=self.world.cursor, complete=self.world.complete)


class ScriptedSource(BlindSource):
    """Lists everything at each look, and answers for single items."""

    async def read(self, ids: Sequence[str]) -> Batch:
        self.world.asked.append(tuple(ids))
        self.world.trouble("read")
        world, off = self.world, {uid: self.world.off[uid] for uid in ids if uid in self.world.off}
        there = [world.items[uid] for uid in ids if uid in world.items] + [item for how, item in off.values() if how == "unlisted"]
        gone = [Tombstone(uid=uid, certain=how == "certain") for uid, (how, _) in off.items() if how in ("certain", "missing")]
        return Batch(changed=tuple(there), gone=tuple(gone))


@dataclass(kw_only=True)
class Sign:
    """One object on the wall."""

    id: str
    text: str
    key: str
    answers: str | None = None
    edits: list[str] = field(default_factory=list)


Hook = Callable[[], Awaitable[None]]


@dataclass(kw_only=True)
class Wall:
    """A network: what hangs there, what was asked of it, and what it fails at."""

    signs: dict[str, Sign] = field(default_factory=dict)
    account: str | None = None
    script: dict[str, list[tuple[Exception, bool]]] = field(default_factory=dict)
    """Call → what the next ones raise, and whether it was carried out all the same."""
    before: dict[str, Hook] = field(default_factory=dict)
    """Call → what happens elsewhere just before it is carried out."""
    after: dict[str, Hook] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    made: int = 0

    @property
    def texts(self) -> list[str]:
        """What a visitor reads, the oldest first."""
        return [sign.edits[-1] if sign.edits else sign.text for sign in self.signs.values()]

    def fail(self, call: str, *errors: Exception, done: bool = False) -> None:
        """Script what the next calls of this name raise."""
        self.script.setdefault(call, []).extend((error, done) for error in errors)

    async def do(self, call: str, carry_out: Callable[[], T]) -> T:
        """One request."""
        self.calls.append(call)
        if call in self.before:
            await self.before[call]()
        error, done = self.script[call].pop(0) if self.script.get(call) else (None, True)
        result = carry_out() if done else None
        if call in self.after:
            await self.after[call]()
        if error is not None:
            raise error
        return result  # type: ignore[return-value]

    def put(self, rendition: Rendition, key: str, parent: Receipt | None) -> Receipt:
        """Hang something up."""
        self.made += 1
        remote_id = f"w{self.made}"
        self.signs[remote_id] = Sign(id=remote_id, text=rendition.text, key=key, answers=parent.remote_id if parent else None)
        self.keys[key] = remote_id
        return self.receipt(remote_id)

    def edit(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Change what hangs there."""
        if receipt.remote_id not in self.signs:
            raise GoneThere(receipt.remote_id)
        self.signs[receipt.remote_id].edits.append(rendition.text)
        return receipt

    def remove(self, receipt: Receipt) -> None:
        """Take something down."""
        if self.signs.pop(receipt.remote_id, None) is None:
            raise GoneThere(receipt.remote_id)
        self.removed.append(receipt.remote_id)

    def receipt(self, remote_id: str) -> Receipt:
        return Receipt(remote_id=remote_id, url=f"https://wall.example/{remote_id}", uri=f"https://wall.example/uri/{remote_id}")


@dataclass(frozen=True, kw_only=True)
class WallOptions:
    wall: Wall


class MuteWall:
    """Can only be written to."""

    Options: ClassVar[type[Any]] = WallOptions
    limits = Limits(text_max=60, threads=True)

    def __init__(self, options: WallOptions, context: Context) -> None:
        self.wall = options.wall
        self.account: str | None = None

    async def open(self) -> None:
        await self.wall.do("open", lambda: None)
        self.account = self.wall.account

    async def close(self) -> None: ...

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        return await self.wall.do("publish", lambda: self.wall.put(rendition, key, parent))


class PlainWall(MuteWall):
    """Can edit and remove; nobody can ask it what went out."""

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        return await self.wall.do("update", lambda: self.wall.edit(receipt, rendition))

    async def delete(self, receipt: Receipt) -> None:
        await self.wall.do("delete", lambda: self.wall.remove(receipt))


class EditingWall(MuteWall):
    """Can edit, not remove."""

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        return await self.wall.do("update", lambda: self.wall.edit(receipt, rendition))


class RemovingWall(MuteWall):
    """Can remove, not edit, as X."""

    async def delete(self, receipt: Receipt) -> None:
        await self.wall.do("delete", lambda: self.wall.remove(receipt))


class FindableWall(PlainWall):
    """Answers "did it go out?"."""

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:
        return await self.wall.do("find", lambda: self.wall.receipt(self.wall.keys[key]) if key in self.wall.keys else None)


class KeyedWall(PlainWall):
    """Turns a repeated key into the same object, for an hour; nobody can ask it anything."""

    limits = Limits(text_max=60, threads=True, key_window_s=3600)

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        def once() -> Receipt:
            return self.wall.receipt(self.wall.keys[key]) if key in self.wall.keys else self.wall.put(rendition, key, parent)

        return await self.wall.do("publish", once)


class KeyedFindableWall(KeyedWall, FindableWall):
    """Both, as Mastodon."""


class PreparedWall(FindableWall):
    """Has a harmless first step."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:
        return await self.wall.do("prepare", lambda: f"draft of {rendition.text}")


@dataclass(kw_only=True)
class Screen:
    """What a projection was given."""

    views: list[View] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class ScreenOptions:
    screen: Screen


class Projector:
    """Shows views on a screen."""

    Options: ClassVar[type[Any]] = ScreenOptions

    def __init__(self, options: ScreenOptions, context: Context) -> None:
        self.screen = options.screen

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def project(self, view: View) -> None:
        if self.screen.faults:
            raise self.screen.faults.pop(0)
        self.screen.views.append(view)


def post(number: int = 1, text: str = "Bonjour", **changes: Any) -> Post:
    """A note of the association's, published when the scene starts."""
    uid = f"https://social.example/{number}"
    return replace(Post(uid=uid, url=uid, html=f"<p>{text}</p>", language="fr", published_at=START), **changes)


def source(world: World, *, name: str = "toots", kind: type[Any] = ScriptedSource) -> SourceConfig:
    """One ``[sources.NAME]``."""
    return SourceConfig(
        name=name,
        type="scripted",
        title=name.capitalize(),
        poll=timedelta(minutes=5),
        connector=kind,
        options=WorldOptions(world=world),
    )


def destination(wall: Wall, *, name: str = "wall", kind: type[Any] = FindableWall, pace: Pace | None = None) -> DestinationConfig:
    """One ``[destinations.NAME]`` that is published to."""
    return DestinationConfig(
        name=name, type="wall", title=name, role="publisher", connector=kind, options=WallOptions(wall=wall), pace=pace or Pace()
    )


def projection(screen: Screen, *, name: str = "page") -> DestinationConfig:
    """One ``[destinations.NAME]`` that is a view."""
    return DestinationConfig(
        name=name, type="page", title=name, role="projection", connector=Projector, options=ScreenOptions(screen=screen)
    )


def route(name: str = "all", *, sources: Sequence[str] = ("toots",), destinations: Sequence[str] = ("wall",), **changes: Any) -> Route:
    """A route; by default the scene's only one."""
    return Route(name=name, sources=tuple(sources), destinations=tuple(destinations), **changes)


def configuration(
    folder: Path,
    sources: Sequence[SourceConfig],
    destinations: Sequence[DestinationConfig],
    routes: Sequence[Route],
    *,
    slug: str = "asso",
    alerts: Alerts | None = None,
    digest: str = "1",
    name: str = "Les Amis du Vélo",
) -> Config:
    """An association's configuration, as ``config.load`` would have made it."""
    return Config(
        path=folder / f"{slug}.toml",
        slug=slug,
        association=Association(name=name),
        state_dir=folder / slug / "state",
        public_dir=folder / slug / "public",
        public_url=None,
        web=None,
        network=Network(),
        alerts=alerts,
        sources={one.name: one for one in sources},
        destinations={one.name: one for one in destinations},
        routes={one.name: one for one in routes},
        digest=digest,
    )


@dataclass(kw_only=True)
class Scene:
    """An association at work, step by step."""

    clock: Clock
    sessions: Sessions
    config: Config
    tenant: Tenant
    world: World
    wall: Wall
    screen: Screen

    async def restart(self, config: Config | None = None) -> None:
        """End the process and begin another, perhaps with another configuration."""
        await self.tenant.close()
        self.config = config or self.config
        self.tenant = Tenant.make(self.config, self.sessions, self.clock, random.Random(7))
        await self.tenant.start()

    async def poll(self, name: str = "toots") -> steps.Polled:
        return await steps.poll(self.tenant, name)

    async def deliver(self, name: str = "wall", *, most: int = 50) -> int:
        """Send all that may leave now; how many attempts that took."""
        for attempts in range(most):
            if not (await steps.deliver(self.tenant, name)).worked:
                return attempts
        raise AssertionError("it never comes to rest")

    async def settle(self, name: str = "wall", **horizon: float) -> None:
        """Send all that may leave, letting time pass as far as it takes."""
        end = self.clock() + timedelta(**(horizon or {"hours": 6}))
        for _ in range(300):
            delivered = await steps.deliver(self.tenant, name)
            if delivered.worked:
                continue
            if delivered.again_at is None or delivered.again_at > end:
                return
            self.clock.at = max(self.clock.at, delivered.again_at)
        raise AssertionError("it never comes to rest")

    async def ask(self, question: Callable[[Store], T]) -> T:
        return await self.tenant.ledger.transact(question)

    async def rows(self) -> list[Delivery]:
        """The outbox, the oldest first."""
        states = ("pending", "sending", "done", "parked", "dropped")
        return sorted(await self.ask(lambda store: store.outbox.deliveries(*states)), key=lambda row: row.id)

    async def fates(self) -> list[tuple[str, str, str]]:
        """(purpose, state, reason) of every delivery, the oldest first."""
        return [(row.purpose, row.state, row.reason) for row in await self.rows()]

    async def problems(self) -> list[Problem]:
        return await self.ask(lambda store: store.problems.open())


@contextlib.asynccontextmanager
async def stage(
    folder: Path,
    *,
    kind: type[Any] = FindableWall,
    source_kind: type[Any] = ScriptedSource,
    pace: Pace | None = None,
    routes: Sequence[Route] | None = None,
    config: Callable[[World, Wall, Screen], Config] | None = None,
    world: World | None = None,
    alerts: Alerts | None = None,
    first_look: bool = True,
) -> AsyncIterator[Scene]:
    """An association with one origin, one wall and one page, which has had its first look at a quiet origin."""
    world, wall, screen, clock, sessions = world or World(), Wall(), Screen(), Clock(), Sessions()
    if config is not None:
        made = config(world, wall, screen)
    else:
        given = routes if routes is not None else [route()]
        made = configuration(
            folder,
            [source(world, kind=source_kind)],
            [destination(wall, kind=kind, pace=pace), projection(screen)],
            given,
            alerts=alerts,
        )
    tenant = Tenant.make(made, sessions, clock, random.Random(7))
    scene = Scene(clock=clock, sessions=sessions, config=made, tenant=tenant, world=world, wall=wall, screen=screen)
    await tenant.start()
    if first_look:
        for name in made.sources:
            await scene.poll(name)
    try:
        yield scene
    finally:
        await scene.tenant.close()
        await sessions.close()


async def published(scene: Scene, *items: Post) -> None:
    """Shown at the origin, read, and mirrored once the grace window is over."""
    scene.world.show(*(items or (post(),)))
    await scene.poll()
    await scene.settle()

"""The same event through several sources, over the real store: never two announcements, never none."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from syndicator.config import Config
from syndicator.contract import Limits
from syndicator.model import Event, Place
from syndicator.route import Filter, Route
from syndicator.testing import make_event
from tests.engine_scene import START, FindableWall, Gone, Scene, Screen, Wall, World, configuration, destination, route, source, stage

UUID = "9a1b2c3d-0000-4000-8000-000000000001"
DAY = timedelta(days=1)


class Can(FindableWall):
    limits = Limits(text_max=500)


@dataclass
class Town:
    """A home that organises, a calendar that gathers, and one wall."""

    scene: Scene
    worlds: dict[str, World]

    async def show(self, name: str, *items: Event) -> None:
        self.worlds[name].show(*items)
        await self.scene.poll(name)

    async def hide(self, name: str, *items: Event) -> None:
        self.worlds[name].hide(*(item.uid for item in items))
        await self.scene.poll(name)

    async def settle(self) -> None:
        await self.scene.settle(hours=3)

    @property
    def hung(self) -> list[str]:
        """What visitors see."""
        return [text.split("\n")[0] for text in self.scene.wall.texts]

    @property
    def made(self) -> int:
        """How many announcements there ever were."""
        return self.scene.wall.made

    async def states(self) -> list[tuple[str, str, str, str]]:
        return [(row.uid, row.purpose, row.state, row.reason) for row in await self.scene.rows()]


@asynccontextmanager
async def town(folder: Path, **options: Any) -> AsyncIterator[Town]:
    worlds = {"home": World(), "town": World(), "third": World()}

    def config(world: World, wall: Wall, screen: Screen) -> Config:
        # The order of the configuration says who is preferred where nothing else does.
        sources = [source(one, name=name) for name, one in worlds.items()]
        routes = options.get("routes") or [route(sources=tuple(worlds))]
        return configuration(folder, sources, [destination(wall, kind=options.get("kind", Can))], routes)

    async with stage(folder, config=config) as scene:
        yield Town(scene, worlds)


LATE = timedelta(days=2)
"""How long before they begin events are announced, where they wait for it."""


def event(name: str, **changes: Any) -> Event:
    """The same evening, under each source's own name."""
    uids = {"home": f"https://home.example/events/{UUID}", "town": "bal@town.example", "third": "https://third.example/agenda/17"}
    base = make_event(uid=uids[name], url=f"https://{name}.example/e", title="Bal d'hiver", published_at=START)
    return replace(base, source=name, **changes)


@pytest.mark.parametrize("order", list(permutations(("home", "town", "third"))), ids="-".join)
async def test_at_once_in_any_order_it_is_announced_once_as_its_home_tells_it(tmp_path: Path, order: tuple[str, ...]) -> None:
    async with town(tmp_path) as there:
        for name in order:
            await there.show(name, event(name))
        await there.settle()
        assert (there.hung, there.made) == (["Bal d'hiver"], 1)
        assert [row[0] for row in await there.states() if row[2] == "done"] == [event("home").uid]


@pytest.mark.parametrize("order", list(permutations(("home", "town"))), ids="-".join)
async def test_one_that_comes_later_is_not_announced_again(tmp_path: Path, order: tuple[str, ...]) -> None:
    """Not even when it comes from the event's home."""
    first, later = order
    async with town(tmp_path) as there:
        await there.show(first, event(first))
        await there.settle()
        await there.show(later, event(later))
        await there.settle()
        await there.show(later, event(later, html="<p>Autre texte</p>"))
        await there.settle()
        assert there.made == 1
        assert [(row[0], row[2]) for row in await there.states()] == [(event(first).uid, "done")]


async def test_what_is_no_twin_is_announced(tmp_path: Path) -> None:
    """Another title; the same title elsewhere; the same on another day."""
    async with town(tmp_path) as there:
        far = Place(name="Salle des fêtes", locality="Quimper")
        await there.show("home", event("home", place=Place(name="Salle des fêtes", locality="Brest")))
        other_day = event("third")
        await there.show("town", event("town", place=far))
        await there.show("third", replace(other_day, starts_at=other_day.starts_at + DAY, ends_at=None))
        await there.settle()
        assert there.made == 3


async def test_when_the_announced_copy_goes_the_other_takes_it_over(tmp_path: Path) -> None:
    """The announcement stays, follows what the other says from then on, and goes with it."""
    async with town(tmp_path) as there:
        await there.show("home", event("home"))
        await there.settle()
        await there.show("town", event("town"))
        await there.hide("home", event("home"))
        await there.settle()
        assert (there.hung, there.made, there.scene.wall.removed) == (["Bal d'hiver"], 1, [])
        await there.show("town", event("town", title="Grand bal d'hiver"))
        await there.settle()
        assert (there.hung, there.made) == (["Grand bal d'hiver"], 1)
        await there.show("home", event("home", title="Grand bal d'hiver"))
        await there.settle()
        assert there.made == 1
        await there.hide("town", event("town"))
        await there.settle()
        assert (there.hung, there.made, len(there.scene.wall.removed)) == (["Grand bal d'hiver"], 1, 0)
        await there.hide("home", event("home"))
        await there.settle()
        assert (there.hung, there.made, len(there.scene.wall.removed)) == ([], 1, 1)


async def test_the_one_that_was_not_announced_goes(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        await there.show("home", event("home"))
        await there.show("town", event("town"))
        await there.hide("town", event("town"))
        await there.settle()
        assert (there.hung, there.made) == (["Bal d'hiver"], 1)


async def test_gone_before_it_was_announced_the_other_is(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        await there.show("town", event("town"))
        await there.show("home", event("home"))
        await there.hide("home", event("home"))
        await there.settle()
        assert (there.hung, there.made) == (["Bal d'hiver"], 1)
        assert [row[0] for row in await there.states() if row[2] == "done"] == [event("town").uid]


@pytest.mark.parametrize("announced", ["home", "town"])
@pytest.mark.parametrize("moves", ["home", "town"])
async def test_moved_in_one_then_in_the_other(tmp_path: Path, announced: str, moves: str) -> None:
    """Whoever moves it first, it stays one, before its announcement as after."""
    for settled in (False, True):
        folder = tmp_path / str(settled)
        async with town(folder) as there:
            other = "town" if announced == "home" else "home"
            still = "town" if moves == "home" else "home"
            for name in (announced, other):
                await there.show(name, event(name))
                if settled:
                    await there.settle()
            for name in (moves, still):
                shown = event(name)
                assert shown.ends_at is not None
                await there.show(name, replace(shown, starts_at=shown.starts_at + 7 * DAY, ends_at=shown.ends_at + 7 * DAY))
                if settled:
                    await there.settle()
            await there.settle()
            assert (len(there.hung), there.made) == (1, 1), settled


@pytest.mark.parametrize("order", list(permutations(("home", "town"))), ids="-".join)
async def test_called_off_at_home_before_it_was_announced(tmp_path: Path, order: tuple[str, ...]) -> None:
    """What the gathering calendar has not heard of yet is not announced as if it took place."""
    async with town(tmp_path) as there:
        for name in order:
            await there.show(name, event(name, status="cancelled" if name == "home" else "confirmed"))
        await there.settle()
        assert there.made == 0
        await there.show("home", event("home"))
        await there.settle()
        assert (there.made, [row[0] for row in await there.states() if row[2] == "done"]) == (1, [event("home").uid])


async def test_called_off_where_it_was_not_announced_says_nothing_twice(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        await there.show("home", event("home"))
        await there.settle()
        await there.show("town", event("town"))
        await there.show("town", event("town", status="cancelled"))
        await there.show("home", event("home", status="cancelled"))
        await there.settle()
        assert there.made == 1


async def test_routes_to_different_places_do_not_meet(tmp_path: Path) -> None:
    """Two sources that go nowhere together are no twins of each other."""
    routes = [route("a", sources=("home",)), route("b", sources=("town",), destinations=())]
    async with town(tmp_path, routes=routes) as there:
        await there.show("town", event("town"))
        await there.show("home", event("home"))
        await there.settle()
        assert there.made == 1


def reconfigured(there: Town, *routes: Route, alone: bool = False) -> Config:
    """The same association with other routes, and perhaps with the sources alone that these read."""
    config = there.scene.config
    read = {name for one in routes for name in one.sources} if alone else set(config.sources)
    sources = {name: one for name, one in config.sources.items() if name in read}
    return replace(config, sources=sources, routes={one.name: one for one in routes}, digest="2")


async def hung_after(there: Town, *routes: Route, alone: bool = False) -> list[str]:
    """Who is announced when the home's copy waited for its day, and the configuration changed meanwhile."""
    await there.show("town", event("town"))
    await there.show("home", event("home"))
    await there.scene.restart(reconfigured(there, *routes, alone=alone))
    await there.scene.settle(days=60)
    return [row[0] for row in await there.states() if row[2] == "done"]


def route_late(name: str = "all", **changes: Any) -> Route:
    return route(name, **{"sources": ("home", "town", "third"), "announce": LATE, **changes})


async def test_the_home_is_read_no_more_when_its_day_comes(tmp_path: Path) -> None:
    """Its copy waited, for the others to be silent; it leaves the configuration, and another is announced though it never changes."""
    for number, left in enumerate([("town", "third"), ("town",)]):
        async with town(tmp_path / str(number), routes=[route_late()]) as there:
            announced = await hung_after(there, route_late(sources=left), alone=True)
            assert (announced, there.hung, there.made) == ([event("town").uid], ["Bal d'hiver"], 1)


async def test_the_home_is_left_out_when_its_day_comes(tmp_path: Path) -> None:
    """A route of its own that carries something else now, or only reminds."""
    others = route_late(sources=("town", "third"))
    for number, own in enumerate([route_late("own", sources=("home",), filter=Filter(tags=("rock",))),
                                  route_late("own", sources=("home",), purposes=("remind",))]):  # fmt: skip
        async with town(tmp_path / str(number), routes=[route_late()]) as there:
            assert await hung_after(there, own, others) == [event("town").uid]


async def test_of_those_that_are_left_the_best_is_announced(tmp_path: Path) -> None:
    async with town(tmp_path, routes=[route_late()]) as there:
        await there.show("third", event("third"))
        assert await hung_after(there, route_late(sources=("town", "third")), alone=True) == [event("town").uid]
        assert there.made == 1


async def test_one_is_over_before_the_other(tmp_path: Path) -> None:
    """The copy that waited has no end; the account could not speak until the event had begun."""
    begun = event("home").starts_at + timedelta(minutes=5)
    async with town(tmp_path) as there:
        await there.show("town", event("town"))
        await there.show("home", event("home", ends_at=None))
        there.scene.clock.at = begun
        await there.settle()
        assert [(row[0], row[2], row[3]) for row in await there.states()] == [
            (event("town").uid, "done", ""),
            (event("home").uid, "dropped", "over"),
        ]


@pytest.mark.parametrize("said", [{"status": "cancelled"}, {"visibility": "private"}, {"draft": True}])
async def test_called_off_or_taken_back_at_home_as_it_leaves_nobody_is_announced(tmp_path: Path, said: dict[str, Any]) -> None:
    """The home's word on its own event holds for the copies, as while it waited."""
    async with town(tmp_path, routes=[route_late()]) as there:
        await there.show("town", event("town"))
        await there.show("home", event("home"))
        there.worlds["home"].show(event("home", **said))
        await there.scene.settle(days=60)
        assert (there.made, [row for row in await there.states() if row[2] == "pending"]) == (0, [])


@pytest.mark.parametrize("how", ["certain", "missing"])
async def test_gone_as_it_leaves_the_other_is_announced(tmp_path: Path, how: Gone) -> None:
    """The origin is asked again just before; what it says then no poll has said."""
    async with town(tmp_path, routes=[route_late()]) as there:
        await there.show("town", event("town"))
        await there.show("home", event("home"))
        there.worlds["home"].hide(event("home").uid, how=how)
        await there.scene.settle(days=60)
        assert (there.made, [row[0] for row in await there.states() if row[2] == "done"]) == (1, [event("town").uid])


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_comes_and_goes_in_whatever_order_there_is_one_as_long_as_somebody_shows_it(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    done: list[str] = []
    async with town(tmp_path) as there:
        for _ in range(14):
            name = chance.choice(list(there.worlds))
            if event(name).uid in there.worlds[name].items and chance.random() < 0.5:
                await there.hide(name, event(name))
                done.append(f"-{name}")
            else:
                await there.show(name, event(name, html=f"<p>{len(done)}</p>"))
                done.append(f"+{name}")
            if chance.random() < 0.5:
                await there.settle()
                done.append("settle")
                assert len(there.hung) == any(world.items for world in there.worlds.values()), done

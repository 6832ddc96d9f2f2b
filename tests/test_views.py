"""What a projection is shown of an agenda that many sources tell, and what of it is read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator import items, steps
from syndicator.config import Config, SourceConfig
from syndicator.contract import View
from syndicator.model import Event, Item, Place
from syndicator.route import Filter, Route
from syndicator.testing import make_event
from tests.engine_scene import START, Scene, Screen, ScriptedSource, Wall, World, configuration, destination, post, projection, route, stage

HOME = "https://mobilizon.example/events/1"
OTHER = "7@town.example"


@dataclass(frozen=True, kw_only=True)
class CalendarOptions:
    world: World
    url: str = ""
    """What it reads, as a person would give it."""


class Calendar(ScriptedSource):
    """A source whose options say where it reads."""

    Options = CalendarOptions

    def __init__(self, options: Any, context: Any) -> None:
        super().__init__(options, context)


def concert(uid: str = HOME, **changes: Any) -> Event:
    url = uid if "://" in uid else "https://town.example/calendar/"
    made = make_event(uid=uid, url=url, title="Concert", starts_at=START + timedelta(days=9), ends_at=None, html="", published_at=START)
    return replace(made, **{"place": None, **changes})


class Town:
    """A town: its own calendar first in the configuration, then two groups, all on one page."""

    def __init__(self, *, routes: Sequence[Route] | None = None) -> None:
        self.worlds = {"town": World(), "band": World(), "hall": World()}
        self.urls = {"town": "https://town.example/calendar.ics", "band": "@band@mobilizon.example", "hall": "hall.example"}
        self.routes = routes or [route(sources=["town", "band", "hall"], destinations=["page"])]

    def config(self, folder: Path, *, digest: str = "1") -> Any:
        def made(_: World, wall: Wall, screen: Screen) -> Config:
            sources = [
                SourceConfig(
                    name=name,
                    type="calendar",
                    title=name.capitalize(),
                    poll=timedelta(minutes=5),
                    connector=Calendar,
                    options=CalendarOptions(world=world, url=self.urls[name]),
                )
                for name, world in self.worlds.items()
            ]
            return configuration(folder, sources, [destination(wall), projection(screen)], self.routes, digest=digest)

        return made

    async def show(self, scene: Scene, **told: Sequence[Item]) -> View:
        """What the page shows once these sources tell this, and nothing else."""
        for name, shown in told.items():
            world = self.worlds[name]
            world.items.clear()
            world.show(*shown)
            await scene.poll(name)
        await steps.project(scene.tenant, "page")
        return scene.screen.views[-1]

    async def hide(self, scene: Scene, name: str, uid: str) -> View:
        """What the page shows once this source takes this back."""
        self.worlds[name].hide(uid)
        await scene.poll(name)
        await steps.project(scene.tenant, "page")
        return scene.screen.views[-1]


def told(view: View) -> list[tuple[str, str]]:
    return [(item.source, item.uid) for item in view.items]


async def test_an_event_of_three_sources_stands_once_as_its_home_tells_it(tmp_path: Path) -> None:
    """Whatever the order in which they told of it; with all the sources that show it, the home first."""
    town = Town()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        view = await town.show(scene, town=[concert(OTHER, html="<p>Beaucoup de mots</p>")])
        assert (told(view), view.shown_by) == ([("town", OTHER)], {})
        view = await town.show(scene, hall=[concert("urn:hall", place=Place(locality="Brest"))], band=[concert()])
        assert (told(view), view.shown_by) == ([("band", HOME)], {HOME: ("band", "town", "hall")})
        assert view.changed >= {OTHER, HOME, "urn:hall"}
        assert set(view.changed_at) == set(view.first_seen_at) == {HOME}


async def test_what_another_source_shows_changes_what_stands(tmp_path: Path) -> None:
    """An event is changed when a source joins it or leaves it, though its own words are the same."""
    town = Town()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        await town.show(scene, band=[concert()])
        joined = await town.show(scene, town=[concert(OTHER)])
        left = await town.show(scene, town=[concert(OTHER, title="Un autre concert")])
        assert (joined.changed, joined.shown_by) == ({HOME, OTHER}, {HOME: ("band", "town")})
        assert (left.changed, left.shown_by) == ({HOME, OTHER}, {})
        assert told(left) == [("town", OTHER), ("band", HOME)]
        again = await town.show(scene, town=[concert(OTHER)])
        gone = await town.hide(scene, "town", OTHER)
        assert again.changed == gone.changed == {HOME, OTHER}
        assert (told(gone), gone.shown_by) == ([("band", HOME)], {})


async def test_the_home_copy_may_go(tmp_path: Path) -> None:
    """Then another stands in its place."""
    town = Town()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        await town.show(scene, band=[concert()], town=[concert(OTHER)])
        view = await town.hide(scene, "band", HOME)
        assert (told(view), view.changed) == ([("town", OTHER)], {HOME, OTHER})


async def test_after_a_restart_what_may_have_changed_is_said_to_have(tmp_path: Path) -> None:
    """Nobody remembers what a source's event was the same as before it went; without news nothing changed."""
    town = Town()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        await town.show(scene, band=[concert(), concert("urn:far", title="Loin")], town=[concert(OTHER)])
        await scene.restart()
        await steps.project(scene.tenant, "page", force=True)
        assert scene.screen.views[-1].changed == frozenset()
        await scene.restart()
        view = await town.hide(scene, "town", OTHER)
        assert view.changed == {OTHER, HOME, "urn:far"}


async def test_a_filter_is_met_by_any_copy(tmp_path: Path) -> None:
    """The town tags what the band does not; the band's own words are shown."""
    town = Town(routes=[route(sources=["town", "band", "hall"], destinations=["page"], filter=Filter(tags=("accueil",)))])
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        view = await town.show(scene, band=[concert(), concert("urn:other", title="Autre")], town=[concert(OTHER, tags=("Accueil",))])
        assert (told(view), view.shown_by) == ([("band", HOME)], {HOME: ("band", "town")})


@pytest.mark.parametrize("home", [{"visibility": "private"}, {"draft": True}, {"tags": ("nopage",)}])
async def test_what_the_home_takes_back_is_nowhere(tmp_path: Path, home: dict[str, Any]) -> None:
    """Though somebody else still shows it; what a copy keeps to itself takes nothing from the home."""
    town = Town()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        assert told(await town.show(scene, band=[concert(**home)], town=[concert(OTHER)])) == []
        view = await town.show(scene, band=[concert()], town=[concert(OTHER, **home)])
        assert (told(view), view.shown_by) == ([("band", HOME)], {})


async def test_a_page_of_one_source_knows_nothing_of_the_others(tmp_path: Path) -> None:
    """What two sources show is one only where both go."""
    town = Town(routes=[route(sources=["town"], destinations=["page"])])
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        view = await town.show(scene, band=[concert()], town=[concert(OTHER)])
        assert (told(view), view.shown_by, view.sources) == ([("town", OTHER)], {}, {"town": "Town"})


async def test_only_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One event of many: one is decoded; after a while without use everything is, and the view is the same."""
    decoded: list[str] = []
    load = items.load_item
    monkeypatch.setattr(items, "load_item", lambda text: decoded.append(text) or load(text))  # type: ignore[func-returns-value]
    town = Town()
    many = [concert(f"urn:{n}", title=f"Concert {n}") for n in range(50)]
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        await town.show(scene, band=many, town=[post(1), post(2)])
        decoded.clear()
        many[7] = replace(many[7], title="Déplacé")
        view = await town.show(scene, band=many)
        # once to see how it changed, once for the view
        assert (len(decoded), len(view.items)) == (2, 52)
        scene.clock.go(minutes=20)
        await steps.project(scene.tenant, "page")
        decoded.clear()
        await steps.project(scene.tenant, "page", force=True)
        assert len(decoded) == 52
        assert scene.screen.views[-1] == replace(view, changed=frozenset())


async def test_what_moved_says_where_it_was(tmp_path: Path) -> None:
    """As it was before its date last changed, for as long as it is known; in a process that has just begun, too."""
    town = Town()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        before = concert()
        assert (await town.show(scene, band=[before])).previous == {}
        moved = replace(before, starts_at=before.starts_at + timedelta(days=1))
        view = await town.show(scene, band=[moved], town=[concert("urn:other", title="Autre")])
        assert {uid: event.starts_at for uid, event in view.previous.items()} == {HOME: before.starts_at}
        renamed = await town.show(scene, band=[replace(moved, title="Grand concert")])
        assert renamed.previous == view.previous
        await scene.restart()
        await steps.project(scene.tenant, "page", force=True)
        assert scene.screen.views[-1].previous == view.previous
        assert (await town.hide(scene, "band", HOME)).previous == {}


async def test_a_copy_that_does_not_know_of_the_move_yet_is_not_left_at_the_old_date(tmp_path: Path) -> None:
    """The band moves its concert; the town's calendar has not heard of it. In a process that has just begun, too; until the town speaks."""
    town = Town()
    before = concert()
    moved = replace(before, starts_at=before.starts_at + timedelta(days=1))
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        await town.show(scene, band=[before], town=[concert(OTHER)])
        scene.clock.go(hours=1)
        view = await town.show(scene, band=[moved])
        assert (told(view), view.shown_by) == ([("band", HOME)], {HOME: ("band", "town")})
        assert (view.items[0], set(view.previous)) == (replace(moved, source="band", sequence=1), {HOME})
        scene.clock.go(hours=1)
        assert told(await town.show(scene, town=[concert(OTHER)])) == [("band", HOME)]
        await scene.restart()
        await steps.project(scene.tenant, "page", force=True)
        assert replace(scene.screen.views[-1], changed=view.changed) == view

        scene.clock.go(hours=1)
        again = await town.show(scene, town=[concert(OTHER, html="<p>Le samedi, comme prévu.</p>")])
        assert sorted(told(again)) == [("band", HOME), ("town", OTHER)]
        followed = await town.show(scene, town=[concert(OTHER, starts_at=moved.starts_at)])
        assert (told(followed), followed.shown_by) == ([("band", HOME)], {HOME: ("band", "town")})


async def test_a_move_that_the_home_knows_nothing_of_hides_neither(tmp_path: Path) -> None:
    """The town's calendar says another date than the band itself, which says nothing new: nobody knows who is right."""
    town = Town()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        await town.show(scene, band=[concert()], town=[concert(OTHER)])
        scene.clock.go(hours=1)
        view = await town.show(scene, town=[concert(OTHER, starts_at=concert().starts_at + timedelta(days=1))])
        assert (sorted(told(view)), view.shown_by) == ([("band", HOME), ("town", OTHER)], {})


async def test_a_copy_that_comes_after_the_move_stands_for_itself(tmp_path: Path) -> None:
    """Whoever announces it at the old date now was never one with what has moved away."""
    town = Town()
    before = concert()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        await town.show(scene, band=[before])
        scene.clock.go(hours=1)
        await town.show(scene, band=[replace(before, starts_at=before.starts_at + timedelta(days=1))])
        scene.clock.go(hours=1)
        view = await town.show(scene, town=[concert(OTHER)])
        assert sorted(told(view)) == [("band", HOME), ("town", OTHER)]


async def test_when_the_moved_one_goes_the_copy_stands_again(tmp_path: Path) -> None:
    """Then nobody says that it moved."""
    town = Town()
    before = concert()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        await town.show(scene, band=[before], town=[concert(OTHER)])
        scene.clock.go(hours=1)
        await town.show(scene, band=[replace(before, starts_at=before.starts_at + timedelta(days=1))])
        assert told(await town.hide(scene, "band", HOME)) == [("town", OTHER)]


async def test_step_by_step_is_as_at_once(tmp_path: Path) -> None:
    """Events and posts that come, change, move, age and go: at each step the view equals that of a process that knows nothing."""
    town = Town()
    async with stage(tmp_path, config=town.config(tmp_path)) as scene:
        steps_taken: list[dict[str, list[Item]]] = [
            {"band": [concert(), concert("urn:b", title="Bal")], "town": [concert(OTHER), post(1)]},
            {"town": [concert(OTHER, starts_at=START + timedelta(days=8)), post(1, "Corrigé"), post(2)]},
            {"hall": [concert("urn:h", title="BAL !"), post(3)], "band": [concert(title="Grand concert", url=OTHER)]},
            {"town": [concert(OTHER, title="Grand concert"), post(2)], "hall": []},
        ]
        for told_now in steps_taken:
            warm = await town.show(scene, **told_now)
            scene.clock.go(days=150)
            await scene.restart()
            await steps.project(scene.tenant, "page", force=True)
            cold = scene.screen.views[-1]
            await scene.restart()
            scene.clock.go(days=-150)
            await steps.project(scene.tenant, "page", force=True)
            assert replace(scene.screen.views[-1], changed=warm.changed) == warm
            assert set(told(cold)) <= set(told(warm))

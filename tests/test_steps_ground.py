"""What steps stand on: views, the folder and the file, the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator import steps
from syndicator.config import Config
from syndicator.errors import Rejected, StateError, Transient
from syndicator.tenant import Tenant
from syndicator.testing import make_event
from tests.engine_scene import (
    START,
    Scene,
    Screen,
    Wall,
    World,
    configuration,
    post,
    projection,
    published,
    route,
    source,
    stage,
)

# projections


async def test_a_view_is_written_once_a_change(tmp_path: Path) -> None:
    """With what changed since; nothing is written when nothing did."""
    async with stage(tmp_path, routes=[route(destinations=["page"])]) as scene:
        scene.world.show(post(1), post(2, published_at=START - timedelta(days=30)))
        await scene.poll()
        assert (await steps.project(scene.tenant, "page")).wrote
        assert not (await steps.project(scene.tenant, "page")).wrote
        scene.world.show(post(1, "Corrigé"))
        scene.world.hide(post(2).uid)
        await scene.poll()
        assert (await steps.project(scene.tenant, "page")).wrote
        assert not (await steps.project(scene.tenant, "page")).wrote
        first, second = scene.screen.views
        assert [item.uid for item in first.items] == [post(2).uid, post(1).uid]
        assert first.changed == {post(1).uid, post(2).uid}
        assert ([item.html for item in second.items], second.changed) == (["<p>Corrigé</p>"], {post(1).uid, post(2).uid})
        assert second.sources == {"toots": "Toots"}


async def test_a_view_obeys_the_rules_of_its_routes(tmp_path: Path) -> None:
    """What is not public, is a reply to others, or refuses the place is not shown; what is old is; each item once."""
    other = World()

    def two(world: World, wall: Wall, screen: Screen) -> Config:
        given = [route(sources=["toots", "more"], destinations=["page"]), route("again", destinations=["page"])]
        return configuration(tmp_path, [source(world), source(other, name="more")], [projection(screen)], given)

    async with stage(tmp_path, config=two) as scene:
        shown = [post(1), post(2, published_at=START - timedelta(days=300)), make_event(starts_at=START + timedelta(days=5), ends_at=None)]
        hidden = [
            post(3, visibility="unlisted"),
            post(4, reply_to_other=True),
            post(5, "#nocross"),
            post(6, "#noPage"),
            post(7, draft=True),
            make_event(uid="old", starts_at=START - timedelta(days=500), ends_at=None),
        ]
        scene.world.show(*shown, *hidden)
        other.show(post(1))
        await scene.poll()
        await scene.poll("more")
        await steps.project(scene.tenant, "page")
        (view,) = scene.screen.views
        assert sorted(item.uid for item in view.items) == sorted(item.uid for item in shown)


async def test_a_view_is_written_anew_when_time_or_the_configuration_changes_it(tmp_path: Path) -> None:
    """It says when: an event begins or ends, a day does; a changed configuration has everything changed."""
    async with stage(tmp_path, routes=[route(destinations=["page"])]) as scene:
        event = make_event(starts_at=START + timedelta(hours=2), ends_at=START + timedelta(hours=3), published_at=START)
        scene.world.show(event)
        await scene.poll()
        turns = []
        for at in (START, START + timedelta(hours=2), START + timedelta(hours=3)):
            scene.clock.at = at
            projected = await steps.project(scene.tenant, "page", force=True)
            turns.append(projected.again_at)
        assert turns == [START + timedelta(hours=2), START + timedelta(hours=3), datetime(2026, 11, 21, 23, 0, 5, tzinfo=UTC)]
        assert [view.changed for view in scene.screen.views] == [{event.uid}, frozenset(), frozenset()]
        await scene.restart(replace(scene.config, digest="2"))
        assert (await steps.project(scene.tenant, "page")).wrote
        assert scene.screen.views[-1].changed == {event.uid}


@pytest.mark.parametrize(("error", "kind"), [(Transient("503"), "unreachable"), (Rejected("403"), "refused"), (OSError("disk"), "bug")])
async def test_a_view_that_fails_is_tried_again_with_all_that_changed(tmp_path: Path, error: Exception, kind: str) -> None:
    """Told as a problem until it works; what changed in between is not forgotten."""
    async with stage(tmp_path, routes=[route(destinations=["page"])]) as scene:
        scene.world.show(post(1))
        await scene.poll()
        scene.screen.faults.append(error)
        failed = await steps.project(scene.tenant, "page")
        assert (failed.wrote, failed.again_at is not None and failed.again_at > scene.clock()) == (False, True)
        assert [(problem.subject, problem.kind) for problem in await scene.problems()] == [("destination:page", kind)]
        scene.world.show(post(2))
        await scene.poll()
        assert (await steps.project(scene.tenant, "page")).wrote
        assert (scene.screen.views[0].changed, await scene.problems()) == ({post(1).uid, post(2).uid}, [])
        scene.screen.faults.append(error)
        again = await steps.project(scene.tenant, "page", force=True)
        assert again.again_at is not None
        assert again.again_at - scene.clock() < timedelta(seconds=70), "the wait begins anew after a success"


# the folder and the file


async def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """With what to do; when the first has ended, it may."""
    async with stage(tmp_path) as scene:
        second = Tenant.make(scene.config, scene.sessions, scene.clock, scene.tenant.rng)
        with pytest.raises(StateError, match="in use") as caught:
            await second.start()
        assert caught.value.hint is not None
        assert "arrêtez-le" in caught.value.hint["fr"]
        await scene.tenant.close()
        await second.start()
        await second.close()


async def test_an_idle_round_does_not_touch_the_ledger(tmp_path: Path) -> None:
    """Polls, destinations and views with no news: not a byte of the file or its journal, for hours."""
    async with stage(tmp_path, routes=[route(destinations=["wall", "page"])]) as scene:
        await published(scene, *(post(n) for n in range(5)))
        await steps.project(scene.tenant, "page")
        await scene.poll()
        files = [scene.config.state_dir / name for name in ("syndicator.db", "syndicator.db-wal")]
        before = [(path.stat().st_mtime_ns, path.read_bytes()) for path in files]
        for _ in range(10):
            scene.clock.go(minutes=30)
            await scene.poll()
            assert await scene.deliver() == 0
            await steps.project(scene.tenant, "page")
        assert [(path.stat().st_mtime_ns, path.read_bytes()) for path in files] == before


def _full(scene: Scene) -> None:
    def squeeze(store: Any) -> None:
        conn = store.items._db.conn
        pages = conn.execute("pragma page_count").fetchone()[0]
        conn.execute(f"pragma max_page_count = {pages}")

    scene.tenant.ledger.transact_now(squeeze)


async def test_a_full_disk_stops_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """It gets out of the step as what it is; with room again, everything goes on."""
    async with stage(tmp_path) as scene:
        many = [post(n, f"{n} " + "é" * 30, title="t" * 900) for n in range(40)]
        scene.world.show(*many)
        _full(scene)
        with pytest.raises(StateError, match="full"):
            await scene.poll()
        scene.tenant.ledger.transact_now(lambda store: store.items._db.conn.execute("pragma max_page_count = 100000"))
        await scene.poll()
        scene.clock.go(minutes=3)
        _full(scene)
        with pytest.raises(StateError, match="full"):
            await scene.deliver(most=100)
        scene.tenant.ledger.transact_now(lambda store: store.items._db.conn.execute("pragma max_page_count = 100000"))
        await scene.settle()
        texts = scene.wall.texts
        assert (len(texts), len(set(texts))) == (40, 40)


STEPS: list[Callable[[Tenant], Any]] = [
    lambda tenant: steps.poll(tenant, "toots"),
    lambda tenant: steps.deliver(tenant, "wall"),
    lambda tenant: steps.project(tenant, "page"),
]


@pytest.mark.parametrize("number", range(len(STEPS)))
async def test_without_its_ledger_no_step_goes_on(tmp_path: Path, number: int) -> None:
    """A damaged file gets out as StateError; nothing is posted."""
    async with stage(tmp_path) as scene:
        await scene.tenant.close()
        for path in scene.config.state_dir.glob("syndicator.db*"):
            path.unlink()
        (scene.config.state_dir / "syndicator.db").write_bytes(b"perdu" * 2000)
        with pytest.raises(StateError):
            await STEPS[number](scene.tenant)
        assert scene.wall.made == 0


async def test_nothing_of_it_is_said_in_the_log_but_one_line_an_event(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A post's whole life: found, sent; each with what a person looks for."""
    caplog.set_level(logging.INFO)
    async with stage(tmp_path) as scene:
        caplog.clear()
        await published(scene)
        told = [(record.message, getattr(record, "fields", {}).get("uid")) for record in caplog.records if record.levelno >= logging.INFO]
        assert told == [("item.new", post(1).uid), ("delivery.done", post(1).uid)]

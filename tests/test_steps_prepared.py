"""Networks with a harmless first step: what was prepared is kept, used for its own words only, made anew when it expired, asked about."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from syndicator.contract import Context
from syndicator.errors import OutcomeUnknown, Transient, Unprepared
from syndicator.model import Receipt, Rendition
from tests.engine_scene import FindableWall, Scene, WallOptions, post, published, route, stage


class ContainerWall(FindableWall):
    """As Instagram: publishes containers, each once and within a day; knows what became of one, not of a key."""

    LIFE = timedelta(hours=24)

    def __init__(self, options: WallOptions, context: Context) -> None:
        super().__init__(options, context)
        self.now = context.now

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:
        def container() -> str:
            name = f"c{self.wall.calls.count('prepare')}"
            self.wall.keys[name] = f"made {self.now().isoformat()}"
            return name

        return await self.wall.do("prepare", container)

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        assert prepared is not None

        def once() -> Receipt:
            if self._expired(prepared):
                raise Unprepared(f"{prepared} has expired")
            receipt = self.wall.put(rendition, prepared, parent)
            self.wall.signs[receipt.remote_id].key = key
            return receipt

        return await self.wall.do("publish", once)

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:
        assert prepared is not None, "nobody can ask after a container without its name"

        def asked() -> Receipt | None:
            state = self.wall.keys[prepared]
            return None if state.startswith("made") else self.wall.receipt(state)

        return await self.wall.do("find", asked)

    def _expired(self, container: str) -> bool:
        return self.now() - datetime.fromisoformat(self.wall.keys[container].removeprefix("made ")) >= self.LIFE


def calls(scene: Scene) -> list[str]:
    return [call for call in scene.wall.calls if call != "open"]


async def test_what_expired_is_prepared_anew(tmp_path: Path) -> None:
    """The network was full for a day and a bit: another container, one post."""
    async with stage(tmp_path, kind=ContainerWall) as scene:
        scene.wall.fail("publish", Transient("503"))
        scene.world.show(post(1))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        scene.clock.go(hours=25)
        await scene.settle()
        assert (calls(scene), scene.wall.texts) == (["prepare", "publish", "publish", "prepare", "publish"], ["Bonjour"])


async def test_what_the_service_failed_on_is_prepared_anew_and_not_for_ever_at_once(tmp_path: Path) -> None:
    """Unprepared, twice: each time another container, after a while."""
    async with stage(tmp_path, kind=ContainerWall) as scene:
        scene.wall.fail("publish", Unprepared("ERROR"), Unprepared("ERROR"))
        began = scene.clock()
        await published(scene)
        assert (calls(scene).count("prepare"), scene.wall.made, (scene.clock() - began) > timedelta(minutes=2, seconds=10)) == (3, 1, True)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("done", [False, True])
async def test_what_nobody_knows_is_asked_by_what_was_prepared(tmp_path: Path, done: bool, restart: bool) -> None:
    """By the container's name, which outlives the process; published if it was not, from that same container."""
    async with stage(tmp_path, kind=ContainerWall) as scene:
        scene.wall.fail("publish", OutcomeUnknown("timeout") if not restart else KeyboardInterrupt(), done=done)
        scene.world.show(post(1))
        await scene.poll()
        scene.clock.go(minutes=3)
        if restart:
            with pytest.raises(KeyboardInterrupt):
                await scene.deliver()
            await scene.restart()
        else:
            await scene.deliver()
        await scene.settle()
        assert (scene.wall.made, calls(scene)) == (1, ["prepare", "publish", "find", *([] if done else ["publish"])])


async def test_what_nobody_knows_and_expired_since_is_still_asked_about(tmp_path: Path) -> None:
    """A day later: it was not published, its container is of no use, another is."""
    async with stage(tmp_path, kind=ContainerWall) as scene:
        scene.wall.fail("publish", OutcomeUnknown("timeout"))
        scene.world.show(post(1))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        scene.clock.go(hours=25)
        await scene.settle()
        assert (calls(scene), scene.wall.texts) == (["prepare", "publish", "find", "publish", "prepare", "publish"], ["Bonjour"])


async def test_what_is_posted_anew_is_prepared_anew(tmp_path: Path) -> None:
    """The first post's container is its own."""
    async with stage(tmp_path, kind=ContainerWall, routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Deux"))
        assert calls(scene) == ["prepare", "publish", "delete", "prepare", "publish"]
        assert scene.wall.texts == ["Deux"]

"""Leaving a destination: nothing new goes there, everything of ours is taken away, and it can be taken up again."""

from __future__ import annotations

import asyncio
import io
import signal
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from syndicator import steps
from syndicator.alerts import describe
from syndicator.cli import main
from syndicator.cli.depart import _show
from syndicator.cli.status import _destination, state_of
from syndicator.config import load
from syndicator.contract import Limits, Prices
from syndicator.departing import SPACING
from syndicator.errors import OutcomeUnknown, RateLimited, Rejected
from syndicator.http import Sessions
from syndicator.sandbox.server import Fault
from syndicator.sandbox.town import Town
from syndicator.tenant import Tenant
from tests.engine_scene import LONG, START, THREAD, FindableWall, MuteWall, Scene, post, route, stage
from tests.shell_scene import SIGNS_OF_A_BUG, Home, daemon, environ, until


async def leave(scene: Scene, *, remove: bool = True) -> int:
    """What the command writes."""
    return await scene.ask(lambda store: store.departing.close("wall", scene.clock(), remove=remove))


async def back(scene: Scene) -> None:
    await scene.ask(lambda store: store.departing.reopen("wall", scene.clock()))


async def standing(scene: Scene) -> list[str]:
    """The remote ids of all that is there."""
    return [one.receipt.remote_id for one in await scene.ask(lambda store: store.departing.standing("wall"))]


async def publish(scene: Scene, *items: Any) -> None:
    scene.world.show(*items)
    await scene.poll()
    await scene.settle()


# the engine's part


async def test_everything_goes_the_newest_first_and_with_pauses(tmp_path: Path) -> None:
    """Posts and every part of a thread; an answer before what it answers."""
    async with stage(tmp_path, routes=[route(style=THREAD)]) as scene:
        await publish(scene, post(1, "A"), post(2, LONG, published_at=START + timedelta(seconds=1)))
        assert await standing(scene) == ["w1", "w2", "w3"]
        before = scene.clock.go(hours=1)
        assert await leave(scene) == 3
        await scene.settle()
        assert (scene.wall.removed, scene.wall.signs, await standing(scene)) == (["w3", "w2", "w1"], {}, [])
        assert scene.clock() == before + 2 * SPACING
        assert await scene.problems() == []


async def test_nothing_new_goes_there(tmp_path: Path) -> None:
    """What waited is dropped with its reason, what comes later is not even planned; another destination is not concerned."""
    async with stage(tmp_path) as scene:
        await publish(scene, post(1, "A"))
        scene.world.show(post(2, "B"))
        await scene.poll()
        await leave(scene)
        await publish(scene, post(1, "A, mieux"), post(3, "C"))
        assert await scene.fates() == [("create", "done", ""), ("create", "dropped", "departed"), ("delete", "done", "")]
        assert scene.wall.texts == []


async def test_what_was_under_way_is_found_and_removed(tmp_path: Path) -> None:
    """Its outcome was unknown when we left: it arrived all the same, so it is taken away; nothing is sent again."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", OutcomeUnknown("no answer"), done=True)
        scene.world.show(post(1, "A"))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        assert await leave(scene) == 0
        await scene.settle()
        assert (scene.wall.removed, scene.wall.calls.count("publish"), await standing(scene)) == (["w1"], 1, [])


async def test_what_was_under_way_and_never_arrived_is_not_sent(tmp_path: Path) -> None:
    """Not found: dropped, because we left."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", OutcomeUnknown("no answer"))
        scene.world.show(post(1, "A"))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        await leave(scene)
        await scene.settle()
        assert (scene.wall.calls.count("publish"), await scene.fates()) == (1, [("create", "dropped", "departed")])


async def test_interrupted_it_goes_on(tmp_path: Path) -> None:
    """Leaving twice is leaving once; what is removed is not removed again; a service that asks for time gets it."""
    async with stage(tmp_path) as scene:
        await publish(scene, *(post(number, str(number)) for number in range(1, 6)))
        await leave(scene)
        await scene.deliver(most=3)
        removed = len(scene.wall.removed)
        assert 0 < removed < 5
        await scene.restart()
        assert await leave(scene) == 5 - removed
        scene.wall.fail("delete", RateLimited("429", at=scene.clock() + timedelta(minutes=30)))
        await scene.settle()
        assert (sorted(scene.wall.removed), scene.wall.calls.count("delete")) == (["w1", "w2", "w3", "w4", "w5"], 6)
        assert scene.clock() > START + timedelta(minutes=30)


async def test_what_the_network_refuses_to_remove_is_a_persons(tmp_path: Path) -> None:
    """Parked with what to do; done by hand, nothing stands any more. The rest goes."""
    async with stage(tmp_path) as scene:
        await publish(scene, post(1, "A"), post(2, "B"))
        scene.wall.fail("delete", Rejected("too old"))
        await leave(scene)
        await scene.settle()
        (problem,) = await scene.problems()
        number = int(problem.subject.removeprefix("delivery:"))
        assert problem.kind == "cannot-delete"
        assert describe(problem, "fr") == (
            f"Ce réseau ne nous laisse pas effacer à distance ce que fut l'envoi n° {number}.",
            f"Effacez-le à la main sur le compte, puis : syndicator outbox done {number}.",
        )
        assert (scene.wall.removed, await standing(scene)) == (["w1"], ["w2"])
        assert await leave(scene) == 0
        await scene.ask(lambda store: store.outbox.settle_by_hand(number, scene.clock()))
        assert await standing(scene) == []


async def test_taken_up_again(tmp_path: Path) -> None:
    """What is removed is not posted again, even when it is edited; nor what appeared meanwhile; what comes, comes."""
    async with stage(tmp_path) as scene:
        await publish(scene, post(1, "A"), post(2, "B"))
        await leave(scene)
        scene.clock.go(minutes=10)
        await publish(scene, post(3, "pendant", published_at=scene.clock()))
        scene.clock.go(minutes=10)
        await back(scene)
        await publish(
            scene,
            post(1, "A2"),
            post(2, "B2"),
            post(3, "pendant, mieux", published_at=START + timedelta(minutes=10)),
            post(4, "D", published_at=scene.clock()),
        )
        assert (scene.wall.removed, scene.wall.texts) == (["w2", "w1"], ["D"])
        assert ("create", "dropped", "departed") not in await scene.fates()


async def test_taken_up_before_the_removals_keeps_everything(tmp_path: Path) -> None:
    """They are given up, a person need not decide on them, and edits follow again."""
    async with stage(tmp_path) as scene:
        await publish(scene, post(1, "A"))
        scene.wall.fail("delete", Rejected("not now"))
        await leave(scene)
        await scene.settle()
        assert [one.kind for one in await scene.problems()] == ["cannot-delete"]
        await back(scene)
        await publish(scene, post(1, "A2"))
        assert (scene.wall.texts, await scene.problems()) == (["A2"], [])
        assert ("delete", "dropped", "stayed") in await scene.fates()
        await leave(scene)
        await scene.settle()
        assert scene.wall.texts == []


class PaidWall(FindableWall):
    limits = Limits(text_max=40, threads=True, prices=Prices(currency="USD", delete=5))


async def test_status_says_so(tmp_path: Path) -> None:
    """Since when, and how much is still there."""
    async with stage(tmp_path) as scene:
        await publish(scene, post(1, "A"))
        await leave(scene)
        await scene.tenant.close()
        state = state_of(scene.config)["destinations"]["wall"]
        assert _destination(state, "fr") == "1 fait, 1 en attente, quittée le 21/11/2026, 1 message encore là-bas"
        assert "left on 2026-11-21" in _destination(state, "en")


# the command


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    town = await Town().start()
    yield town
    await town.stop()


@dataclass(frozen=True, kw_only=True)
class Desk:
    """An association's folder, and a person at a keyboard."""

    home: Home
    screen: pytest.CaptureFixture[str]
    keyboard: pytest.MonkeyPatch

    @property
    def there(self) -> list[str]:
        """What hangs in the account elsewhere."""
        return self.home.town.mirrored_texts()

    async def mirror(self, *texts: str, first: bool = False) -> None:
        """A round of the daemon's, with these toots; the very first only looks."""
        if first:
            await self.mirror()
        for text in texts:
            self.home.town.toot(text)
        sessions = Sessions()
        tenant = Tenant.make(load(self.home.config, environ={}), sessions, lambda: datetime.now(UTC), Random(7))
        try:
            await tenant.start()
            await steps.poll(tenant, "toots")
            while (await steps.deliver(tenant, "ailleurs")).worked:
                pass
        finally:
            await tenant.close()
            await sessions.close()

    async def types(self, *arguments: str, code: int = 0, answer: str = "") -> str:
        """A command, and what is on the screen when it has ended; nothing of ours broke."""
        self.keyboard.setattr(sys, "stdin", io.StringIO(answer))
        self.screen.readouterr()
        argv = [*arguments, "--config", str(self.home.config)]
        ended = await asyncio.to_thread(main, argv, {"SYNDICATOR_LANGUAGE": "fr"})
        out, err = self.screen.readouterr()
        assert [sign for sign in SIGNS_OF_A_BUG if sign in out + err] == []
        assert ended == code, out + err
        return out + err


@pytest.fixture
def desk(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(home=Home(town=town, folder=tmp_path).write(), screen=capsys, keyboard=monkeypatch)


async def test_a_person_leaves(desk: Desk) -> None:
    """Shown first, and left alone without a yes; then everything is removed, and nothing comes back."""
    await desk.mirror("Un", "Deux", "Trois", first=True)
    shown = await desk.types("depart", "ailleurs", "--list")
    assert "« ailleurs » : 3 messages de nous, du " in shown
    assert shown.count(desk.home.town.elsewhere.url) == 3
    for answer in ("", "autre\n"):
        assert "Rien n'a été fait." in await desk.types("depart", "ailleurs", code=1, answer=answer)
    assert len(desk.there) == 3

    left = await desk.types("depart", "ailleurs", answer="ailleurs\n")
    assert "« ailleurs » est quittée : plus rien n'y part." in left
    assert "3/3" in left
    assert "Tout est retiré." in left
    await desk.mirror("Quatre")
    assert desk.there == []
    assert "quittée le " in await desk.types("status")
    assert "rien de nous ne s'y trouve" in await desk.types("depart", "ailleurs", "--list")


async def test_a_person_comes_back(desk: Desk) -> None:
    """What comes from then on goes there again; nothing else does."""
    await desk.mirror("Un", first=True)
    await desk.types("depart", "ailleurs", "--yes")
    await desk.mirror("Deux")
    assert "rouverte" in await desk.types("depart", "ailleurs", "--undo")
    assert "n'a pas été quittée" in await desk.types("depart", "ailleurs", "--undo", code=1)
    await desk.mirror("Trois")
    assert desk.there == ["Trois"]


async def test_a_daemon_at_work_does_it(desk: Desk) -> None:
    """The command says so and ends; the service removes, and posts nothing new."""
    await desk.mirror("Un", "Deux", first=True)
    async with daemon("--config", desk.home.config) as service:
        await service.says("service.ready")
        assert "Le service retire 2 messages" in await desk.types("depart", "ailleurs", "--yes")
        desk.home.town.toot("Trois")  # news: the service looks at its outbox at once
        await until(lambda: desk.there == [], "the end of the removals")
        service.signal(signal.SIGTERM)
        assert await service.end() == 0
    assert desk.there == []


async def test_what_is_refused_is_shown(desk: Desk) -> None:
    """Exit code 1, with the address of what is left; the others are gone."""
    await desk.mirror("Un", "Deux", first=True)
    desk.home.town.elsewhere.fault(Fault(action="answer", status=422, method="DELETE", body=b'{"error": "trop vieux"}'))
    assert "Encore 1 message là-bas" in await desk.types("depart", "ailleurs", "--yes", code=1)
    assert len(desk.there) == 1
    assert "outbox done" in await desk.types("outbox", "list")


async def test_a_lost_access_is_told(desk: Desk) -> None:
    """It does not wait for ever: what to do, 1, and nothing is forgotten."""
    await desk.mirror("Un", first=True)
    desk.home.town.elsewhere.world.tokens.clear()
    assert "refuse notre accès" in await desk.types("depart", "ailleurs", "--yes", code=1)
    assert desk.there == ["Un"]
    assert "1 message encore là-bas" in await desk.types("status", code=1)


async def test_interrupted_by_hand(desk: Desk) -> None:
    """Ctrl-C in a process of its own: 130, and the same command goes on."""
    await desk.mirror("Un", "Deux", "Trois", first=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "syndicator", "depart", "ailleurs", "--yes", "--config", str(desk.home.config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environ(SYNDICATOR_LANGUAGE="fr"),
    )
    await until(lambda: len(desk.there) < 3, "the first removal")
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130, err.decode()
    assert "Interrompu" in err.decode()
    assert "Traceback" not in err.decode()
    assert 0 < len(desk.there) < 3
    await desk.types("depart", "ailleurs", "--yes")
    assert desk.there == []


async def test_what_cannot_be_left_says_why(desk: Desk) -> None:
    """A slip of the name, a view, a section that was taken out too early."""
    assert "jamais lancé" in await desk.types("depart", "ailleurs", code=1)
    await desk.mirror("Un", first=True)
    assert "« ailleurs » ?" in await desk.types("depart", "aileurs", "--yes", code=1)
    assert "n'est pas un compte" in await desk.types("depart", "site", "--yes", code=1)
    config = desk.home.config
    config.write_text(config.read_text().replace("[destinations.ailleurs]", "[destinations.nouveau]"))
    assert "Remettez sa section [destinations.ailleurs]" in await desk.types("depart", "ailleurs", "--yes", code=1)
    assert desk.there == ["Un"]


def test_a_place_that_cannot_remove_is_only_closed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The addresses are for a person; the price is told where there is one."""

    async def made(kind: type[Any]) -> tuple[Any, Any]:
        async with stage(tmp_path / kind.__name__, kind=kind) as scene:
            await publish(scene, *(post(number, str(number)) for number in range(1, 9)))
            return scene.config.destinations["wall"], await scene.ask(lambda store: store.departing.standing("wall"))

    args = Namespace(language="fr", list=False)
    for kind, said, unsaid in (
        (MuteWall, "Ce réseau ne permet pas d'effacer à distance", "coûtera"),
        (PaidWall, "Les retirer coûtera 0,04\u00a0$ (0,005\u00a0$ chacun).", "ne permet pas"),
        (FindableWall, "vous sera montré", "coûtera"),
    ):
        destination, there = asyncio.run(made(kind))
        _show(destination, there, args)
        out = capsys.readouterr().out
        assert said in out
        assert unsaid not in out
        assert "… et 3 autres" in out

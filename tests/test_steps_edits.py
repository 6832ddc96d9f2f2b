"""What an edit of something that is out does, by what its route wants and what the network can; and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator.contract import Limits
from syndicator.errors import OutcomeUnknown, Rejected
from syndicator.route import Pace
from tests.edits_scene import ANEW, IN_PLACE, NOTE, NOTHING, arrived
from tests.engine_scene import (
    EditingWall,
    FindableWall,
    KeyedWall,
    MuteWall,
    PlainWall,
    RemovingWall,
    Scene,
    post,
    published,
    route,
    stage,
)

BOTH, EDITS, REMOVES, NEITHER = PlainWall, EditingWall, RemovingWall, MuteWall


@pytest.mark.parametrize(
    ("wish", "kind", "means", "fate"),
    [
        ("update", BOTH, IN_PLACE, ("update", "done", "")),
        ("update", EDITS, IN_PLACE, ("update", "done", "")),
        ("update", REMOVES, NOTHING, ("update", "dropped", "cannot-update")),
        ("update", NEITHER, NOTHING, ("update", "dropped", "cannot-update")),
        ("replace", BOTH, ANEW, ("replace", "done", "replaced")),
        ("replace", EDITS, IN_PLACE, ("update", "done", "")),
        ("replace", REMOVES, ANEW, ("replace", "done", "replaced")),
        ("replace", NEITHER, NOTE, ("announce-change", "done", "")),
        ("note", BOTH, NOTE, ("announce-change", "done", "")),
        ("note", EDITS, NOTE, ("announce-change", "done", "")),
        ("note", REMOVES, NOTE, ("announce-change", "done", "")),
        ("note", NEITHER, NOTE, ("announce-change", "done", "")),
        ("ignore", BOTH, NOTHING, ("create", "done", "")),
    ],
)
async def test_what_the_route_wants_within_what_the_network_can(
    tmp_path: Path, wish: Any, kind: type[Any], means: str, fate: tuple[str, str, str]
) -> None:
    """The table of the manual."""
    async with stage(tmp_path, kind=kind, routes=[route(edit=wish)]) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Deux"))
        assert (arrived(scene.wall), (await scene.fates())[-1], await scene.problems()) == (means, fate, [])


@pytest.mark.parametrize(("wish", "kind", "means"), [("note", EDITS, IN_PLACE), ("note", NEITHER, NOTHING), ("replace", NEITHER, NOTHING)])
async def test_where_only_videos_are_shown_there_is_no_note(tmp_path: Path, wish: Any, kind: type[Any], means: str) -> None:
    """A note would be a second video."""

    class Screens(kind):  # type: ignore[misc]
        limits = Limits(text_max=60, kinds=frozenset({"video"}))

    async with stage(tmp_path, kind=Screens, routes=[route(edit=wish)]) as scene:
        await published(scene, post(1, "Un", kind="video"))
        first = scene.wall.texts
        await published(scene, post(1, "Deux", kind="video"))
        assert (scene.wall.made, scene.wall.texts != first) == (1, means == IN_PLACE)


# when it may


async def test_a_burst_of_edits_is_one_replacement_or_one_note(tmp_path: Path) -> None:
    """The grace window holds for them too; in place, each goes at once."""
    for wish, made in (("replace", 2), ("note", 2), ("update", 1)):
        async with stage(tmp_path / wish, routes=[route(edit=wish)]) as scene:
            await published(scene, post(1, "Un"))
            for text in ("Deux", "Trois", "Quatre"):
                scene.world.show(post(1, text))
                await scene.poll()
                await scene.deliver()
                scene.clock.go(seconds=30)
            await scene.settle()
            assert scene.wall.made == made
            assert "Quatre" in scene.wall.texts[-1]
            assert not any("Deux" in text or "Trois" in text for text in scene.wall.texts)


async def test_quiet_hours_hold_what_makes_a_new_post_before_the_old_one_goes(tmp_path: Path) -> None:
    """Nobody finds nothing there all night; spacing is kept too."""
    night = Pace(quiet_from=time(22), quiet_until=time(8), spacing=timedelta(minutes=30))
    morning = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    for wish in ("replace", "note"):
        async with stage(tmp_path / wish, pace=night, routes=[route(edit=wish)]) as scene:
            await published(scene, post(1, "Un"), post(2, "Deux"))
            scene.clock.at = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
            scene.world.show(post(1, "Un!"), post(2, "Deux!"))
            await scene.poll()
            times: list[datetime] = []

            async def note(scene: Scene = scene, times: list[datetime] = times) -> None:
                times.append(scene.clock())

            scene.wall.before["publish"] = note
            scene.clock.go(minutes=5)
            await scene.deliver()
            assert scene.wall.texts == ["Un", "Deux"]
            await scene.settle(hours=12)
            assert times == [morning, morning + timedelta(minutes=30)]
            assert scene.wall.made == 4


async def test_what_waited_is_asked_for_again_at_its_origin(tmp_path: Path) -> None:
    """Deleted in the meantime: no note about what is gone, and nothing is posted anew."""
    for wish in ("replace", "note"):
        async with stage(tmp_path / wish, routes=[route(edit=wish)]) as scene:
            await published(scene, post(1, "Un"))
            scene.world.show(post(1, "Deux"))
            await scene.poll()
            scene.world.hide(post(1).uid)
            await scene.settle()
            assert (scene.wall.texts, scene.wall.made) == ([], 1)


# what is not settled yet


@pytest.mark.parametrize("wish", ["replace", "note"])
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("kind", [FindableWall, KeyedWall, PlainWall])
async def test_an_edit_while_the_creation_is_in_doubt_waits_for_it(tmp_path: Path, wish: Any, done: bool, kind: type[Any]) -> None:
    """Sending, unknown, parked: whatever it was, there is the first text once, or the last, as the route has it."""
    async with stage(tmp_path, kind=kind, routes=[route(edit=wish)]) as scene:
        scene.wall.fail("publish", OutcomeUnknown("timeout"), done=done)

        async def edited() -> None:
            scene.world.show(post(1, "Nouveau"))
            await scene.poll()
            scene.wall.after.clear()

        scene.wall.after["publish"] = edited
        await published(scene, post(1, "Ancien"))
        if kind is PlainWall:
            assert (scene.wall.made, [row.state for row in await scene.rows()]) == (int(done), ["parked", "pending"])
            word = "settle_by_hand" if done else "retry"
            await scene.ask(lambda store: getattr(store.outbox, word)(1, scene.clock()))
            await scene.settle()
            # Told by hand, it has no receipt: what comes later is theirs to do. Sent again, it is sent as it is now.
            assert scene.wall.texts == (["Ancien"] if done else ["Nouveau"])
            return
        # Found not to be there, it leaves as it is now; a key sends again what was sent.
        first = "Nouveau" if kind is FindableWall and not done else "Ancien"
        assert scene.wall.texts[0] == ("Nouveau" if wish == "replace" else first)
        assert [("Nouveau" in text) for text in scene.wall.texts[1:]] == ([True] if (wish, first) == ("note", "Ancien") else [])


@pytest.mark.parametrize("wish", ["replace", "note"])
async def test_an_edit_of_what_was_refused_waits_for_a_person(tmp_path: Path, wish: Any) -> None:
    """Sent again, it goes as it is now; there is nothing to replace, nothing to add."""
    async with stage(tmp_path, routes=[route(edit=wish)]) as scene:
        scene.wall.fail("publish", Rejected("422"))
        await published(scene, post(1, "Ancien"))
        await published(scene, post(1, "Nouveau"))
        assert scene.wall.made == 0
        await scene.ask(lambda store: store.outbox.retry(1, scene.clock()))
        await scene.settle()
        assert (scene.wall.texts, scene.wall.made) == (["Nouveau"], 1)


# another configuration


@pytest.mark.parametrize("after", ["update", "replace", "note", "ignore"])
@pytest.mark.parametrize("before", ["update", "replace", "note"])
async def test_an_edit_that_waits_follows_the_configuration_of_now(tmp_path: Path, before: Any, after: Any) -> None:
    """Planned under one wish, left under another; a later one makes everything right."""
    async with stage(tmp_path, routes=[route(edit=before)]) as scene:
        await published(scene, post(1, "Un"))
        scene.world.show(post(1, "Deux"))
        await scene.poll()
        await scene.restart(replace(scene.config, routes={"all": route(edit=after)}))
        await scene.settle()
        expected = {"update": IN_PLACE, "replace": ANEW, "note": NOTE, "ignore": NOTHING}[after]
        assert arrived(scene.wall) == expected
        if after == "ignore":
            assert (await scene.fates())[-1] == ("update", "dropped", "not-followed")


async def test_a_removal_that_may_have_happened_is_followed_by_its_new_post_whatever_the_configuration_says(tmp_path: Path) -> None:
    """Even where the route is closed now: what was out stays out."""
    for after in ("update", "ignore", "no route"):
        for done in (True, False):
            async with stage(tmp_path / f"{after}{done}", routes=[route(edit="replace")]) as scene:
                await published(scene, post(1, "Un"))
                scene.wall.fail("delete", OutcomeUnknown("timeout"), done=done)
                scene.world.show(post(1, "Deux"))
                await scene.poll()
                scene.clock.go(minutes=3)
                await scene.deliver()
                routes = {} if after == "no route" else {"all": route(edit=after)}
                await scene.restart(replace(scene.config, routes=routes))
                await scene.settle()
                assert (scene.wall.texts, scene.wall.made) == (["Deux"], 2)


async def test_notes_go_when_what_they_are_about_is_posted_anew(tmp_path: Path) -> None:
    """The route wanted notes first, then replacements: what is there says it all."""
    async with stage(tmp_path, routes=[route(edit="note")]) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Deux"))
        await scene.restart(replace(scene.config, routes={"all": route(edit="replace")}))
        await published(scene, post(1, "Trois"))
        assert scene.wall.texts == ["Trois"]


async def test_what_was_corrected_in_place_since_is_what_the_next_note_is_compared_with(tmp_path: Path) -> None:
    """Notes, then corrections, then notes again."""
    async with stage(tmp_path, routes=[route(edit="note")]) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Deux"))
        await scene.restart(replace(scene.config, routes={"all": route(edit="update")}))
        await published(scene, post(1, "Trois"))
        await scene.restart(replace(scene.config, routes={"all": route(edit="note")}))
        await published(scene, post(1, "Deux"))
        assert [word in text for word, text in zip(("Trois", "Deux", "Deux"), scene.wall.texts, strict=True)] == [True] * 3

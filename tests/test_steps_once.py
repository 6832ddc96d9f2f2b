"""Twice is once: loops and boosts, several ways to one place, sources that share an item, outcomes that nobody knows."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator import steps
from syndicator.config import Config
from syndicator.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.model import Actor, Post
from syndicator.route import Pace
from tests.engine_scene import (
    START,
    FindableWall,
    KeyedFindableWall,
    KeyedWall,
    PlainWall,
    Screen,
    Wall,
    World,
    configuration,
    destination,
    post,
    published,
    route,
    source,
    stage,
)

# loops and boosts


async def test_our_own_copy_coming_back_goes_nowhere(tmp_path: Path) -> None:
    """Read from another source, by its address or its id; even when it was read before its receipt was written."""
    back = World()

    def both(world: World, wall: Wall, screen: Screen) -> Config:
        routes = [route(), route("back", sources=["copies"])]
        return configuration(tmp_path, [source(world), source(back, name="copies")], [destination(wall)], routes)

    def copy(number: int, by: str) -> Post:
        address = f"https://wall.example/{'uri/' if by == 'uri' else ''}w{number}"
        return post(100 + number, "Bonjour", uid=address, url=address, published_at=START)

    async with stage(tmp_path, config=both) as scene:
        await published(scene, post(1))
        back.show(copy(1, "url"))
        await scene.poll("copies")

        async def read_at_once() -> None:
            back.show(copy(2, "uri"))
            await scene.poll("copies")

        scene.wall.after["publish"] = read_at_once
        await published(scene, post(2))
        scene.wall.after.clear()
        await scene.settle()
        assert scene.wall.made == 2
        assert [fate for fate in await scene.fates() if fate[1] == "dropped"] == [("create", "dropped", "loop")]


@pytest.mark.parametrize("forgotten", [False, True])
async def test_an_account_is_never_mirrored_onto_itself(tmp_path: Path, forgotten: bool) -> None:
    """A circle among the accounts: nothing is posted there, a person is told, even while the origin does not answer."""
    async with stage(tmp_path, world=World(account="Asso@wall.example")) as scene:
        scene.wall.account = "asso@WALL.example"
        scene.world.show(post(1))
        await scene.poll()
        if forgotten:
            scene.world.faults["fetch"] = [Transient("503")]
            await scene.poll()
        await scene.settle()
        assert scene.wall.made == 0
        assert [(problem.subject, problem.kind) for problem in await scene.problems() if problem.kind == "auth"] == [
            ("destination:wall", "auth")
        ]
        assert [state for _, state, _ in await scene.fates()] == ["pending"]


async def test_boosts_of_our_own_other_accounts_are_carried_those_of_strangers_are_not(tmp_path: Path) -> None:
    """Whose the other sources are is asked when it is not known yet."""
    other = World(account="Velo@social.example")

    def both(world: World, wall: Wall, screen: Screen) -> Config:
        return configuration(tmp_path, [source(world), source(other, name="velo")], [destination(wall)], [route()])

    async with stage(tmp_path, config=both) as scene:
        await scene.restart()
        boosts = [
            post(n, text, boost_of=f"https://elsewhere.example/{n}", boost_of_other=True, author=Actor(name=handle, handle=handle))
            for n, text, handle in ((1, "De nous", "velo@social.example"), (2, "D'autrui", "x@elsewhere.example"))
        ]
        await published(scene, *boosts)
        assert len(scene.wall.texts) == 1
        assert scene.wall.texts[0].startswith("De nous")


# twice is once


async def test_two_routes_to_one_destination_post_once(tmp_path: Path) -> None:
    """Nor do two looks, a restart, or a second source with the same item."""
    other = World()

    def two(world: World, wall: Wall, screen: Screen) -> Config:
        routes = [route("a"), route("b", sources=["toots", "more"])]
        return configuration(tmp_path, [source(world), source(other, name="more")], [destination(wall)], routes)

    async with stage(tmp_path, config=two) as scene:
        other.show(post(1))
        await published(scene, post(1))
        await scene.poll("more")
        await scene.restart()
        await scene.poll("more")
        await scene.poll()
        await scene.settle()
        assert scene.wall.made == 1


async def test_an_item_of_two_sources_goes_only_when_both_lost_it_and_comes_back_once(tmp_path: Path) -> None:
    """One source's loss and return change nothing; the last one's loss removes; the first return posts again."""
    other = World()

    def two(world: World, wall: Wall, screen: Screen) -> Config:
        given = route(sources=["toots", "more"])
        return configuration(tmp_path, [source(world), source(other, name="more")], [destination(wall)], [given])

    async with stage(tmp_path, config=two) as scene:
        other.show(post(1))
        await published(scene, post(1))
        await scene.poll("more")
        for step, (made, hanging) in {
            "hide a": (1, 1),
            "show a": (1, 1),
            "hide b": (1, 1),
            "hide a again": (1, 0),
            "show b": (2, 1),
        }.items():
            world, name = (other, "more") if " b" in step else (scene.world, "toots")
            if step.startswith("hide"):
                world.hide(post(1).uid)
            else:
                world.show(post(1))
            await scene.poll(name)
            await scene.settle()
            assert (step, scene.wall.made, len(scene.wall.signs)) == (step, made, hanging)


async def test_an_edit_that_only_the_second_source_saw_is_followed(tmp_path: Path) -> None:
    """The first saw an earlier one and is gone since."""
    other = World()

    def two(world: World, wall: Wall, screen: Screen) -> Config:
        given = route(sources=["toots", "more"])
        return configuration(tmp_path, [source(world), source(other, name="more")], [destination(wall)], [given])

    async with stage(tmp_path, config=two) as scene:
        other.show(post(1, "Un"))
        await published(scene, post(1, "Un"))
        await scene.poll("more")
        await published(scene, post(1, "Deux"))
        scene.world.hide(post(1).uid)
        await scene.poll()
        other.show(post(1, "Trois"))
        await scene.poll("more")
        await scene.settle()
        assert (scene.wall.texts, scene.wall.made) == (["Trois"], 1)


async def test_an_item_that_waits_is_not_lost_with_the_source_that_saw_it_first(tmp_path: Path) -> None:
    """Another shows it: it leaves as that one has it."""
    other = World()

    def two(world: World, wall: Wall, screen: Screen) -> Config:
        given = route(sources=["toots", "more"])
        return configuration(tmp_path, [source(world), source(other, name="more")], [destination(wall)], [given])

    async with stage(tmp_path, config=two) as scene:
        other.show(post(1, "De l'autre"))
        scene.world.show(post(1, "De l'un"))
        await scene.poll()
        await scene.poll("more")
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert scene.wall.texts == ["De l'autre"]


async def test_a_source_that_is_renamed_keeps_its_place(tmp_path: Path) -> None:
    """What waits leaves, nothing is doubled, and what is deleted then is removed."""
    async with stage(tmp_path) as scene:
        await published(scene, post(1, "Déjà là"))
        scene.world.show(post(2, "En attente", published_at=scene.clock()))
        await scene.poll()
        renamed = [source(scene.world, name="pouets")]
        await scene.restart(configuration(tmp_path, renamed, list(scene.config.destinations.values()), [route(sources=["pouets"])]))
        await scene.poll("pouets")
        await scene.settle()
        assert scene.wall.texts == ["Déjà là", "En attente"]
        scene.world.hide(post(1).uid)
        await scene.poll("pouets")
        await scene.settle()
        assert (scene.wall.made, scene.wall.texts) == (2, ["En attente"])


async def test_unpublished_and_published_again_is_removed_and_posted_again(tmp_path: Path) -> None:
    """With the old copy gone before the new one comes, even when removing it takes its time."""
    async with stage(tmp_path) as scene:
        await published(scene, post(1))
        scene.wall.fail("delete", *(Transient("503") for _ in range(3)))
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.deliver()
        scene.world.show(post(1))
        await scene.poll()
        await scene.settle()
        assert (list(scene.wall.signs), scene.wall.removed) == (["w2"], ["w1"])


async def test_what_comes_back_while_its_first_copy_is_in_doubt_is_there_once(tmp_path: Path) -> None:
    """Sent, no answer, deleted, published again: whichever is there in the end, it is one."""
    for done in (True, False):
        async with stage(tmp_path / str(done)) as scene:
            scene.wall.fail("publish", OutcomeUnknown("timeout"), done=done)
            scene.world.show(post(1))
            await scene.poll()
            scene.clock.go(minutes=3)
            await scene.deliver()
            scene.world.hide(post(1).uid)
            await scene.poll()
            scene.world.show(post(1))
            await scene.poll()
            await scene.settle()
            assert len(scene.wall.signs) == 1


async def test_a_process_that_ends_anywhere_goes_on_where_it_was(tmp_path: Path) -> None:
    """Leases are given back at once; nothing waits ten minutes, nothing is doubled."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1))
        await scene.poll()
        scene.clock.go(minutes=3)
        claim = await scene.ask(
            lambda store: store.outbox.claim("wall", "another", steps.LEASE, scene.clock(), lambda delivery, last: delivery.due_at)
        )
        assert claim.delivery is not None
        assert await scene.deliver() == 0
        await scene.restart()
        assert await scene.deliver() == 1
        assert scene.wall.texts == ["Bonjour"]


# outcome unknown


UNKNOWN: list[tuple[type[Any], bool, timedelta, int, str]] = [
    (KeyedWall, True, timedelta(0), 1, "done"),
    (KeyedWall, False, timedelta(0), 1, "done"),
    (KeyedWall, True, timedelta(hours=1), 1, "parked"),
    (KeyedWall, False, timedelta(hours=1), 0, "parked"),
    (FindableWall, True, timedelta(0), 1, "done"),
    (FindableWall, False, timedelta(0), 1, "done"),
    (KeyedFindableWall, True, timedelta(0), 1, "done"),
    (KeyedFindableWall, True, timedelta(hours=1), 1, "done"),
    (KeyedFindableWall, False, timedelta(hours=1), 1, "done"),
    (PlainWall, True, timedelta(0), 1, "parked"),
    (PlainWall, False, timedelta(0), 0, "parked"),
]


@pytest.mark.parametrize(("kind", "done", "later", "hanging", "state"), UNKNOWN)
@pytest.mark.parametrize("how", ["no answer", "killed"])
async def test_an_unknown_outcome_is_found_out_before_anything_is_sent_again(
    tmp_path: Path, how: str, kind: type[Any], done: bool, later: timedelta, hanging: int, state: str
) -> None:
    """By the key while it holds, by asking where that can be; else a person decides. Whatever happened, it hangs there at most once."""
    async with stage(tmp_path, kind=kind) as scene:
        scene.wall.fail("publish", OutcomeUnknown("timeout") if how == "no answer" else KeyboardInterrupt(), done=done)
        scene.world.show(post(1))
        await scene.poll()
        scene.clock.go(minutes=3)
        if how == "no answer":
            await scene.deliver()
        else:
            with pytest.raises(KeyboardInterrupt):
                await scene.deliver()
            await scene.restart()
        scene.clock.at += later
        await scene.settle()
        assert (len(scene.wall.signs), [row.state for row in await scene.rows()]) == (hanging, [state])
        assert [(p.subject, p.kind) for p in await scene.problems()] == ([("delivery:1", "unknown")] if state == "parked" else [])


async def test_on_unknown_retry_prefers_two_to_none(tmp_path: Path) -> None:
    """Where the owner says so, and only there."""
    async with stage(tmp_path, kind=PlainWall, pace=Pace(on_unknown="retry")) as scene:
        scene.wall.fail("publish", OutcomeUnknown("timeout"), done=True)
        await published(scene)
        assert (scene.wall.texts, [row.state for row in await scene.rows()]) == (["Bonjour", "Bonjour"], ["done"])


@pytest.mark.parametrize(
    "error", [Transient("503"), OutcomeUnknown("timeout"), AuthExpired("401"), RateLimited("429"), Rejected("422"), ValueError("bug")]
)
async def test_a_question_that_fails_answers_nothing(tmp_path: Path, error: Exception) -> None:
    """ "Did it go out?" and no usable answer: it is asked again, or a person decides; it is never sent on a guess."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", OutcomeUnknown("timeout"), done=True)
        scene.wall.fail("find", error)
        scene.world.show(post(1))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        scene.clock.go(minutes=1)
        await scene.deliver()
        (row,) = await scene.rows()
        assert row.outcome_unknown
        await scene.settle()
        assert (scene.wall.made, scene.wall.calls.count("publish")) == (1, 1)
        person = isinstance(error, Rejected | ValueError)
        assert [row.state for row in await scene.rows()] == ["parked" if person else "done"]
        assert [problem.subject for problem in await scene.problems()] == (["delivery:1"] if person else [])


async def test_what_was_found_not_to_be_there_is_known_not_to_be(tmp_path: Path) -> None:
    """Refused when it is sent again: the person is told that, not that nobody knows."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", OutcomeUnknown("timeout"), Rejected("422"))
        await published(scene)
        assert [(row.state, row.outcome_unknown) for row in await scene.rows()] == [("parked", False)]
        assert [problem.kind for problem in await scene.problems()] == ["rejected"]


@pytest.mark.parametrize("kind", [KeyedFindableWall, FindableWall])
async def test_what_was_deleted_while_nobody_knows_is_not_sent_again_to_find_out(tmp_path: Path, kind: type[Any]) -> None:
    """It is looked for, and removed if it is there."""
    for done in (True, False):
        async with stage(tmp_path / str(done), kind=kind) as scene:
            scene.wall.fail("publish", OutcomeUnknown("timeout"), done=done)
            scene.world.show(post(1))
            await scene.poll()
            scene.clock.go(minutes=3)
            await scene.deliver()
            scene.world.hide(post(1).uid)
            await scene.poll()
            await scene.settle()
            assert (scene.wall.texts, scene.wall.made, scene.wall.calls.count("publish")) == ([], int(done), 1)


async def test_a_clock_put_back_does_not_make_an_old_key_young(tmp_path: Path) -> None:
    """Nobody knows how long ago it was sent: the key is not relied on."""
    async with stage(tmp_path, kind=KeyedWall) as scene:
        scene.wall.fail("publish", OutcomeUnknown("timeout"), done=True)
        scene.world.show(post(1))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        scene.wall.keys.clear()
        (row,) = await scene.rows()
        await scene.ask(lambda store: store.outbox.again(row, START, "x", START, outcome_unknown=True, attempted=True))
        scene.clock.go(minutes=-2)
        await scene.settle()
        assert (scene.wall.made, [row.state for row in await scene.rows()]) == (1, ["parked"])

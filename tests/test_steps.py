"""The whole path, step by step, on an origin and a network that are plain objects: what is posted, how often, and what is not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator import steps
from syndicator.config import Config
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, SourceEmptied, StateError, Transient
from syndicator.model import Actor, Batch, Post, Tombstone
from syndicator.route import Filter, Pace, Style
from syndicator.tenant import Tenant
from syndicator.testing import make_event
from tests.engine_scene import (
    START,
    BlindSource,
    FindableWall,
    KeyedFindableWall,
    KeyedWall,
    MuteWall,
    PlainWall,
    PreparedWall,
    Scene,
    Screen,
    ScriptedSource,
    Wall,
    World,
    configuration,
    destination,
    post,
    projection,
    route,
    source,
    stage,
)

LONG = "Il y a d'abord ceci à dire. Il y a ensuite cela à dire."
"""Two parts on the wall."""
THREAD = Style(long_text="thread", link="never")


async def published(scene: Scene, *items: Post) -> None:
    """Shown at the origin, read, and mirrored once the grace window is over."""
    scene.world.show(*(items or (post(),)))
    await scene.poll()
    await scene.settle()


# the first look


async def test_the_first_look_mirrors_nothing_old_and_says_how_much(tmp_path: Path) -> None:
    """What was there before is not posted, then or ever; what comes after is."""
    async with stage(tmp_path, first_look=False) as scene:
        scene.world.show(*(post(n, published_at=START - timedelta(hours=n)) for n in range(1, 5)))
        polled = await scene.poll()
        await scene.settle()
        assert (polled.new, polled.planned, polled.skipped, scene.wall.texts) == (4, 0, 4, [])
        scene.world.show(
            post(1, "Corrigé", published_at=START - timedelta(hours=1)), post(9, "Neuf", published_at=scene.clock.go(minutes=5))
        )
        polled = await scene.poll()
        await scene.settle()
        assert (polled.new, polled.changed, scene.wall.texts) == (1, 1, ["Neuf"])


async def test_backfill_mirrors_as_far_back_as_it_says_in_order(tmp_path: Path) -> None:
    """The oldest first, and no older."""
    async with stage(tmp_path, routes=[route(backfill=timedelta(hours=3))], first_look=False) as scene:
        scene.world.show(*(post(n, f"H-{n}", published_at=START - timedelta(hours=n)) for n in range(1, 6)))
        assert (await scene.poll()).skipped == 2
        await scene.settle()
        assert scene.wall.texts == ["H-3", "H-2", "H-1"]


async def test_a_route_added_later_begins_then_unless_it_asks_for_more(tmp_path: Path) -> None:
    """Without backfill nothing old goes to the new place; with it, what is stored does, and the old place gets nothing twice."""
    async with stage(tmp_path) as scene:
        await published(scene, post(1, "Un"))
        extra, third = Wall(), Wall()
        destinations = [*scene.config.destinations.values(), destination(extra, name="extra"), destination(third, name="third")]
        routes = [route(), route("plain", destinations=["extra"]), route("past", destinations=["third"], backfill=timedelta(days=1))]
        scene.clock.go(minutes=10)
        await scene.restart(configuration(tmp_path, list(scene.config.sources.values()), destinations, routes))
        await scene.poll()
        for name in ("wall", "extra", "third"):
            await scene.settle(name)
        assert (scene.wall.texts, extra.texts, third.texts) == (["Un"], [], ["Un"])


# the grace window


async def test_an_edit_inside_the_grace_window_replaces(tmp_path: Path) -> None:
    """Only the newest text goes, once."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1, "Fotue"))
        await scene.poll()
        assert await scene.deliver() == 0
        scene.clock.go(minutes=1)
        scene.world.show(post(1, "Foutue"))
        await scene.poll()
        await scene.settle()
        assert (scene.wall.texts, scene.wall.calls.count("publish"), scene.wall.calls.count("update")) == (["Foutue"], 1, 0)


async def test_a_deletion_inside_the_grace_window_cancels(tmp_path: Path) -> None:
    """Nothing goes, and the reason is on record."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1))
        await scene.poll()
        scene.world.hide(post(1).uid)
        scene.clock.go(minutes=1)
        await scene.poll()
        await scene.settle()
        assert scene.wall.calls == ["open"]
        assert await scene.fates() == [("create", "dropped", "deleted-in-time")]


async def test_delete_and_redraft_is_one_post(tmp_path: Path) -> None:
    """As Mastodon does it: the first disappears, another takes its place, and only that one is mirrored."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1, "Fotue"))
        await scene.poll()
        scene.world.hide(post(1).uid)
        scene.world.show(post(2, "Foutue", published_at=scene.clock.go(seconds=30)))
        await scene.poll()
        await scene.settle()
        assert (scene.wall.made, scene.wall.texts) == (1, ["Foutue"])


async def test_an_opt_out_inside_the_grace_window_cancels_and_its_end_brings_it_back(tmp_path: Path) -> None:
    """The author's hashtag counts as long as it stands there."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1, "Entre nous #nocross"))
        await scene.poll()
        scene.world.show(post(2, "Pour tous"))
        await scene.poll()
        scene.world.show(post(1, "Pour tous aussi"), post(2, "Finalement non #pasWall"))
        await scene.poll()
        await scene.settle()
        assert scene.wall.texts == ["Pour tous aussi"]
        scene.world.show(post(2, "Finalement si", published_at=START))
        await scene.poll()
        await scene.settle()
        assert scene.wall.texts == ["Pour tous aussi", "Finalement si"]


async def test_an_event_cancelled_before_it_was_announced_is_not_unless_it_takes_place_after_all(tmp_path: Path) -> None:
    """Cancelled by mistake and confirmed again: announced once."""
    async with stage(tmp_path) as scene:
        event = make_event(source="toots", published_at=START, html="")
        scene.world.show(event)
        await scene.poll()
        scene.world.show(replace(event, status="cancelled"))
        await scene.poll()
        await scene.settle()
        assert (scene.wall.made, await scene.fates()) == (0, [("create", "dropped", "cancelled-in-time")])
        scene.world.show(event)
        await scene.poll()
        await scene.settle()
        assert (scene.wall.made, await scene.fates()) == (1, [("create", "done", "")])


# after publication


async def test_an_edit_after_publication_follows_and_so_does_a_deletion(tmp_path: Path) -> None:
    """One request each."""
    async with stage(tmp_path) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Deux"))
        assert (scene.wall.texts, scene.wall.made) == (["Deux"], 1)
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert (scene.wall.texts, scene.wall.calls) == ([], ["open", "publish", "update", "delete"])
        assert await scene.ask(lambda store: store.outbox.sent("wall", post(1).uid)) is None
        assert [fate[:2] for fate in await scene.fates()] == [("create", "done"), ("update", "done"), ("delete", "done")]


async def test_an_edit_that_shows_nowhere_asks_for_nothing(tmp_path: Path) -> None:
    """Another language of the page, another date: no request at all."""
    async with stage(tmp_path) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Un", duration_s=3.0))
        assert scene.wall.calls == ["open", "publish"]
        assert (await scene.fates())[1] == ("update", "done", "no-visible-change")


@pytest.mark.parametrize(
    "change",
    [{"html": "<p>Bonjour #nocross</p>"}, {"visibility": "private"}, {"draft": True}],
)
async def test_what_its_author_takes_back_is_removed(tmp_path: Path, change: Any) -> None:
    """Later, too."""
    async with stage(tmp_path) as scene:
        await published(scene, post(1))
        await published(scene, post(1, **change))
        assert (scene.wall.texts, scene.wall.removed) == ([], ["w1"])


async def test_an_edit_while_the_creation_is_prepared_goes_as_the_newest_text(tmp_path: Path) -> None:
    """What was prepared of the old text is not published."""
    async with stage(tmp_path, kind=PreparedWall) as scene:

        async def edited() -> None:
            scene.world.show(post(1, "Nouveau"))
            await scene.poll()

        scene.wall.before["prepare"] = edited
        await published(scene, post(1, "Ancien"))
        assert (scene.wall.texts, scene.wall.calls.count("publish"), scene.wall.calls.count("update")) == (["Nouveau"], 1, 0)


@pytest.mark.parametrize("change", [None, {"html": "<p>Bonjour #nocross</p>"}])
async def test_what_is_withdrawn_while_it_is_prepared_does_not_leave(tmp_path: Path, change: Any) -> None:
    """Deleted or opted out in that very moment; not even when the preparation fails and would be tried again."""
    async with stage(tmp_path, kind=PreparedWall) as scene:

        async def withdrawn() -> None:
            if change is None:
                scene.world.hide(post(1).uid)
            else:
                scene.world.show(post(1, **change))
            await scene.poll()

        scene.wall.before["prepare"] = withdrawn
        scene.wall.fail("prepare", Transient("503"))
        await published(scene, post(1))
        assert (scene.wall.made, scene.wall.calls.count("prepare")) == (0, 1)


@pytest.mark.parametrize("done", [True, False])
async def test_an_edit_while_the_outcome_is_unknown_follows_it(tmp_path: Path, done: bool) -> None:
    """The copy, whichever attempt made it, shows the newest text in the end, and is one."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", OutcomeUnknown("timeout"), done=done)

        async def edited() -> None:
            scene.world.show(post(1, "Nouveau"))
            await scene.poll()
            scene.wall.after.clear()

        scene.wall.after["publish"] = edited
        await published(scene, post(1, "Ancien"))
        assert (scene.wall.texts, scene.wall.made) == (["Nouveau"], 1)


async def test_an_edit_taken_back_while_its_outcome_is_unknown_is_undone_there_too(tmp_path: Path) -> None:
    """A to B, no answer, back to A: the wall may show B, so it is told A again."""
    async with stage(tmp_path) as scene:
        await published(scene, post(1, "A"))
        scene.wall.fail("update", OutcomeUnknown("timeout"), done=True)
        scene.world.show(post(1, "B"))
        await scene.poll()
        await scene.deliver()
        assert scene.wall.texts == ["B"]
        await published(scene, post(1, "A"))
        assert scene.wall.texts == ["A"]


async def test_what_is_deleted_while_an_edit_of_it_is_in_doubt_is_removed(tmp_path: Path) -> None:
    """The edit has lost its reason, whether it arrived or not."""
    async with stage(tmp_path) as scene:
        await published(scene, post(1, "A"))
        scene.wall.fail("update", OutcomeUnknown("timeout"), done=True)
        scene.world.show(post(1, "B"))
        await scene.poll()
        await scene.deliver()
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert (scene.wall.texts, scene.wall.calls.count("update")) == ([], 1)
        assert [row.state for row in await scene.rows()] == ["done", "dropped", "done"]


async def test_what_was_prepared_is_used_for_the_same_words_only(tmp_path: Path) -> None:
    """A container made once is published later; another text needs another."""
    async with stage(tmp_path, kind=PreparedWall) as scene:
        scene.wall.fail("publish", Transient("503"), Transient("503"))
        scene.world.show(post(1, "A"))
        await scene.poll()
        scene.clock.go(minutes=3)
        for text in ("A", "A", "B"):
            scene.world.show(post(1, text))
            await scene.deliver()
            scene.clock.go(minutes=30)
        assert [call for call in scene.wall.calls if call != "open"] == ["prepare", "publish", "publish", "prepare", "publish"]
        assert scene.wall.texts == ["B"]


async def test_what_a_place_turns_out_not_to_show_is_dropped(tmp_path: Path) -> None:
    """Its limits are known once it is open: nothing is sent, and the reason is on record."""

    class Narrow(FindableWall):
        async def open(self) -> None:
            await super().open()
            self.limits = replace(self.limits, kinds=frozenset({"event"}))

    async with stage(tmp_path, kind=Narrow) as scene:
        await published(scene)
        assert (scene.wall.made, await scene.fates()) == (0, [("create", "dropped", "nothing-to-show")])


async def test_what_was_removed_there_by_hand_is_left_in_peace(tmp_path: Path) -> None:
    """Gone: an edit has nothing to edit, a deletion nothing to do; nobody is troubled."""
    async with stage(tmp_path) as scene:
        await published(scene, post(1, "A"))
        scene.wall.fail("update", Gone("404"))
        scene.wall.fail("delete", Gone("404"))
        await published(scene, post(1, "B"))
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert await scene.fates() == [("create", "done", ""), ("update", "dropped", "gone-there"), ("delete", "done", "")]
        assert await scene.problems() == []


async def test_a_place_that_cannot_edit_or_remove_says_so(tmp_path: Path) -> None:
    """The edit is dropped with its reason; the deletion is a person's to do, with the address."""
    async with stage(tmp_path, kind=MuteWall) as scene:
        await published(scene, post(1, "A"))
        await published(scene, post(1, "B"))
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert (await scene.fates())[1:] == [("update", "dropped", "cannot-update"), ("delete", "parked", "https://wall.example/w1")]
        assert [(problem.subject, problem.kind) for problem in await scene.problems()] == [("delivery:3", "cannot-delete")]


# threads


async def test_a_thread_is_mirrored_in_order_and_as_a_thread(tmp_path: Path) -> None:
    """Whatever order it is told in; each part answers the copy of the one before."""
    async with stage(tmp_path) as scene:
        await published(
            scene,
            post(3, "C", in_reply_to=post(2).uid, published_at=START + timedelta(seconds=2)),
            post(1, "A"),
            post(2, "B", in_reply_to=post(1).uid),
        )
        assert [(sign.text, sign.answers) for sign in scene.wall.signs.values()] == [("A", None), ("B", "w1"), ("C", "w2")]


async def test_an_answer_waits_as_long_as_what_it_answers_may_be_out(tmp_path: Path) -> None:
    """Parked with an unknown outcome: a person's word ends that, either way."""
    for word, answers in (("retry", "w2"), ("abandon", None)):
        async with stage(tmp_path / word, kind=PlainWall) as scene:
            scene.wall.fail("publish", OutcomeUnknown("timeout"))
            await published(scene, post(1, "A"), post(2, "B", in_reply_to=post(1).uid))
            assert (scene.wall.made, [state for _, state, _ in await scene.fates()]) == (0, ["parked", "pending"])
            if word == "retry":
                scene.wall.made = 1
            await scene.ask(lambda store, word=word: getattr(store.outbox, word)(1, scene.clock()))
            await scene.settle()
            assert [(sign.text, sign.answers) for sign in scene.wall.signs.values()][-1] == ("B", answers)


async def test_an_answer_stands_alone_when_its_parent_was_refused(tmp_path: Path) -> None:
    """One poison item never stops another."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", Rejected("422"))
        await published(scene, post(1, "A"), post(2, "B", in_reply_to=post(1).uid))
        assert [(sign.text, sign.answers) for sign in scene.wall.signs.values()] == [("B", None)]


async def test_a_long_text_is_a_thread_there_and_is_corrected_and_removed_part_by_part(tmp_path: Path) -> None:
    """Every part has its own copy; one that a person removed does not keep the others."""
    async with stage(tmp_path, routes=[route(style=THREAD)]) as scene:
        await published(scene, post(1, LONG))
        assert [sign.answers for sign in scene.wall.signs.values()] == [None, "w1"]
        assert "ceci" in scene.wall.texts[0]
        assert "cela" in scene.wall.texts[1]
        await published(scene, post(1, LONG.replace("cela", "ça")))
        assert scene.wall.made == 2
        assert "ça" in scene.wall.texts[1]
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert scene.wall.texts == []


@pytest.mark.parametrize("done", [True, False])
async def test_a_lost_part_is_resumed_under_its_true_parent(tmp_path: Path, done: bool) -> None:
    """The second part's outcome is unknown, the process ends there: it is found or sent again, below the first, which is not doubled."""
    async with stage(tmp_path, routes=[route(style=THREAD)]) as scene:

        async def second_is_lost() -> None:
            if scene.wall.calls.count("publish") == 2:
                scene.wall.fail("publish", OutcomeUnknown("cut"), done=done)

        scene.wall.before["publish"] = second_is_lost
        scene.world.show(post(1, LONG))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        assert len(scene.wall.signs) == (2 if done else 1)
        await scene.restart()
        await scene.settle()
        assert [sign.answers for sign in scene.wall.signs.values()] == [None, "w1"]
        assert scene.wall.made == 2


async def test_what_is_deleted_between_two_parts_stops_there_and_is_removed(tmp_path: Path) -> None:
    """The second part does not follow."""
    async with stage(tmp_path, routes=[route(style=THREAD)]) as scene:

        async def deleted() -> None:
            scene.world.hide(post(1).uid)
            await scene.poll()

        scene.wall.after["publish"] = deleted
        await published(scene, post(1, LONG))
        assert (scene.wall.made, scene.wall.texts) == (1, [])


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


# what is missing


async def test_missing_is_believed_the_second_time(tmp_path: Path) -> None:
    """A 404 may be a bad moment: it is asked for again a minute later, and only then removed."""
    async with stage(tmp_path) as scene:
        await published(scene)
        scene.world.hide(post(1).uid, how="missing")
        assert (await scene.poll()).gone == 0
        scene.clock.go(seconds=30)
        assert (await scene.poll()).gone == 0
        scene.clock.go(seconds=31)
        assert (await scene.poll()).gone == 1
        await scene.settle()
        assert scene.wall.texts == []


async def test_certain_is_believed_at_once(tmp_path: Path) -> None:
    """410, a tombstone: the origin knows what it says."""
    async with stage(tmp_path) as scene:
        await published(scene)
        scene.world.hide(post(1).uid, how="certain")
        assert (await scene.poll()).gone == 1


async def test_absence_and_outages_confirm_nothing(tmp_path: Path) -> None:
    """Not listed and no answer to the question; or asked, and down: it stays, for days."""
    async with stage(tmp_path) as scene:
        await published(scene)
        scene.world.hide(post(1).uid, how="silent")
        for _ in range(5):
            scene.clock.go(hours=5)
            assert (await scene.poll()).gone == 0
        scene.world.hide(post(1).uid, how="missing")
        assert (await scene.poll()).gone == 0
        scene.world.faults["read"] = [Transient("503") for _ in range(5)]
        for _ in range(5):
            scene.clock.go(hours=5)
            assert (await scene.poll()).error is not None
        scene.world.show(post(1))
        await scene.poll()
        await scene.settle()
        assert (scene.wall.texts, scene.wall.removed) == (["Bonjour"], [])


async def test_a_source_that_cannot_be_asked_never_deletes_by_absence(tmp_path: Path) -> None:
    """A feed's entry that has slid out of it is still there for all we know."""
    async with stage(tmp_path, source_kind=BlindSource) as scene:
        await published(scene)
        scene.world.hide(post(1).uid)
        for _ in range(3):
            scene.clock.go(hours=5)
            assert (await scene.poll()).gone == 0


async def test_what_is_there_though_unlisted_is_not_asked_for_at_each_look(tmp_path: Path) -> None:
    """Once an hour is enough; what is not vouched for any more is forgotten."""
    async with stage(tmp_path) as scene:
        await published(scene)
        scene.world.hide(post(1).uid, how="unlisted")
        asked = len(scene.world.asked)
        for _ in range(12):
            await scene.poll()
            scene.clock.go(minutes=5)
        assert len(scene.world.asked) == asked + 1
        await scene.poll()
        assert len(scene.world.asked) == asked + 2
        assert len(scene.tenant.vouched) == 1
        scene.world.hide(post(1).uid, how="certain")
        scene.world.show(post(2))
        scene.clock.go(hours=2)
        assert (await scene.poll()).gone == 1
        scene.world.hide(post(2).uid, how="unlisted")
        await scene.poll()
        assert [uid for _, uid in scene.tenant.vouched] == [post(2).uid]


async def test_what_is_listed_is_not_asked_for_and_not_gone(tmp_path: Path) -> None:
    """Missing once, back in the listing: no question, and the second time begins anew."""
    async with stage(tmp_path) as scene:
        await published(scene)
        scene.world.hide(post(1).uid, how="missing")
        await scene.poll()
        scene.world.show(post(1))
        scene.clock.go(minutes=5)
        asked = len(scene.world.asked)
        assert (await scene.poll()).gone == 0
        assert len(scene.world.asked) == asked
        scene.world.hide(post(1).uid, how="missing")
        assert (await scene.poll()).gone == 0


async def test_what_its_origin_names_as_present_is_not_missing(tmp_path: Path) -> None:
    """Without telling it again: the doubt is over, and nothing is asked."""
    async with stage(tmp_path) as scene:
        await published(scene)
        scene.world.hide(post(1).uid, how="missing")
        await scene.poll()
        scene.world.show(post(1))
        scene.world.vouches = True
        asked = len(scene.world.asked)
        scene.clock.go(minutes=5)
        assert (await scene.poll()).gone == 0
        assert len(scene.world.asked) == asked
        assert await scene.ask(lambda store: store.items.waiting("toots")) == frozenset()


async def test_many_missing_are_asked_for_by_and_by(tmp_path: Path) -> None:
    """Fifty at a look, each once before it is due again, and all of them though the origin has nothing new to list."""
    async with stage(tmp_path) as scene:
        scene.world.show(*(post(n) for n in range(250)))
        await scene.poll()
        scene.world.hide(*(post(n).uid for n in range(120)), how="certain")
        scene.world.cursor = scene.world.settled = "after"
        gone = []
        for _ in range(4):
            gone.append((await scene.poll()).gone)
            scene.clock.go(minutes=5)
        assert gone == [50, 50, 20, 0]
        assert [len(ids) for ids in scene.world.asked] == [50, 50, 20]


async def test_a_source_that_lost_most_keeps_everything_and_still_brings_what_is_new(tmp_path: Path) -> None:
    """A person is told; nothing is removed on such evidence, whatever else the origin says; the problem stays until it is over."""
    async with stage(tmp_path) as scene:
        await published(scene, *(post(n, f"n° {n}") for n in range(10)))
        hanging = len(scene.wall.signs)
        scene.world.hide(*(post(n).uid for n in range(8)), how="certain")
        scene.world.show(post(50, "Neuf", published_at=scene.clock()))
        scene.world.cursor = scene.world.settled = "after"
        for _ in range(3):
            polled = await scene.poll()
            assert isinstance(polled.error, SourceEmptied)
            assert (polled.error.missing, polled.gone) == (8, 0)
            scene.clock.go(minutes=5)
        await scene.settle()
        assert len(scene.wall.signs) == hanging + 1
        assert [(problem.subject, problem.kind) for problem in await scene.problems()] == [("source:toots", "emptied")]
        scene.world.show(*(post(n, f"n° {n}") for n in range(8)))
        assert (await scene.poll()).error is None
        assert await scene.problems() == []


async def test_a_person_can_confirm_that_a_source_lost_most(tmp_path: Path) -> None:
    """``accept``: then each is asked for as always, though the listing has not changed since; the next time it is a question again."""
    async with stage(tmp_path) as scene:
        await published(scene, *(post(n, f"n° {n}") for n in range(10)))
        scene.world.hide(*(post(n).uid for n in range(8)), how="certain")
        scene.world.cursor = scene.world.settled = "after"
        await scene.poll()
        await scene.ask(lambda store: store.items.accept_emptied("toots", accept=True))
        assert (await scene.poll()).gone == 8
        await scene.settle()
        assert (len(scene.wall.signs), await scene.problems()) == (2, [])
        scene.world.settled = None
        await scene.poll()
        assert not await scene.ask(lambda store: store.items.emptied_accepted("toots"))


async def test_few_items_may_all_go(tmp_path: Path) -> None:
    """Four of four are no catastrophe, and each is confirmed."""
    async with stage(tmp_path) as scene:
        await published(scene, *(post(n) for n in range(4)))
        scene.world.hide(*(post(n).uid for n in range(4)))
        assert (await scene.poll()).gone == 4


async def test_an_item_that_is_told_as_there_and_as_gone_is_there(tmp_path: Path) -> None:
    """It is not posted a second time as if it had come back."""

    class Confused(ScriptedSource):
        async def fetch(self, cursor: str | None) -> Batch:
            batch = await super().fetch(cursor)
            return replace(batch, gone=tuple(Tombstone(uid=item.uid, certain=True) for item in batch.changed))

    async with stage(tmp_path, source_kind=Confused) as scene:
        await published(scene)
        await scene.poll()
        await scene.settle()
        assert (scene.wall.made, scene.wall.removed) == (1, [])


# sources that fail


@pytest.mark.parametrize(
    ("error", "kind", "seconds"),
    [
        (Transient("503"), "unreachable", 120),
        (RateLimited("429", at=START + timedelta(hours=1)), "rate-limited", 3600),
        (RateLimited("429", at=START - timedelta(hours=1)), "rate-limited", 10),
        (AuthExpired("401"), "auth", 600),
        (Rejected("404"), "refused", 600),
        (RuntimeError("bug"), "bug", 600),
    ],
)
@pytest.mark.parametrize("call", ["open", "fetch"])
async def test_a_source_that_fails_is_told_of_and_comes_back_by_itself(
    tmp_path: Path, call: str, error: Exception, kind: str, seconds: int
) -> None:
    """With the wait that fits; once it works, the problem is over; nothing was missed."""
    async with stage(tmp_path, first_look=False) as scene:
        scene.world.faults[call] = [error]
        polled = await scene.poll()
        wait = (polled.again_at - scene.clock()).total_seconds()
        assert (polled.error is not None, 0.9 * seconds <= wait <= 1.1 * seconds) == (True, True)
        assert [(problem.subject, problem.kind) for problem in await scene.problems()] == [("source:toots", kind)]
        scene.world.show(post(1, published_at=scene.clock.go(minutes=1)))
        assert (await scene.poll()).error is None
        assert await scene.problems() == []


async def test_a_bug_in_a_source_is_logged_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With its traceback: it is what its author needs."""
    async with stage(tmp_path) as scene:
        scene.world.faults["fetch"] = [ZeroDivisionError("au fond")]
        await scene.poll()
        record = next(record for record in caplog.records if record.message == "source.bug")
        assert record.exc_info is not None
        assert isinstance(record.exc_info[1], ZeroDivisionError)


async def test_closing_what_failed_may_fail_too(tmp_path: Path) -> None:
    """The step says what happened first, and the next look opens it anew."""

    class Stubborn(ScriptedSource):
        async def close(self) -> None:
            raise RuntimeError("already closed")

    async with stage(tmp_path, source_kind=Stubborn) as scene:
        scene.world.faults["fetch"] = [Transient("503")]
        assert isinstance((await scene.poll()).error, Transient)
        assert (await scene.poll()).error is None


async def test_an_item_that_cannot_be_kept_does_not_keep_back_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is named in the log with its traceback, a person is told, and it comes again once it can be kept; the others go on."""
    async with stage(tmp_path) as scene:
        naive = datetime(2026, 11, 21, 12, 0)  # noqa: DTZ001
        scene.world.show(post(1, "A"), post(2, "poison", published_at=naive), post(3, "C"))
        scene.world.cursor = "later"
        polled = await scene.poll()
        await scene.settle()
        assert (polled.new, scene.wall.texts) == (2, ["A", "C"])
        assert [(problem.subject, problem.kind) for problem in await scene.problems()] == [("source:toots", "bug")]
        assert [getattr(r, "fields", {}).get("uid") for r in caplog.records if r.message == "item.bug"] == [post(2).uid]
        scene.world.show(post(2, "B", published_at=naive.replace(tzinfo=UTC)))
        await scene.poll()
        await scene.settle()
        assert (scene.world.fetched[-1], scene.wall.texts, await scene.problems()) == ("here", ["A", "C", "B"], [])


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


# errors


async def test_a_dead_credential_pauses_is_told_once_and_resumes_by_itself(tmp_path: Path) -> None:
    """Nothing is lost, nothing is tried in between; neither its death at the door nor in the middle."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1, "A"), post(2, "B"))
        await scene.poll()
        scene.clock.go(minutes=3)
        scene.wall.fail("publish", AuthExpired("401"))
        scene.wall.fail("open", *[AuthExpired("401")] * 3)
        scene.wall.script["open"].insert(0, (AuthExpired("401"), False))
        told = []
        for _ in range(200):
            await scene.deliver()
            told.append(tuple((problem.kind, problem.since) for problem in await scene.problems()))
            scene.clock.go(minutes=1)
        assert {since for kinds in told for _, since in kinds if kinds} == {told[0][0][1]}
        assert (sorted(scene.wall.texts), scene.wall.calls.count("open"), await scene.problems()) == (["A", "B"], 6, [])


async def test_a_service_that_asks_to_wait_gets_what_it_asks(tmp_path: Path) -> None:
    """The whole account rests until that instant, and goes on then; a restart does not shorten it."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1, "A"), post(2, "B"))
        await scene.poll()
        scene.clock.go(minutes=3)
        until = scene.clock() + timedelta(hours=2)
        scene.wall.fail("publish", RateLimited("429", at=until))
        await scene.deliver()
        await scene.restart()
        calls = len(scene.wall.calls)
        scene.clock.at = until - timedelta(seconds=1)
        assert (await steps.deliver(scene.tenant, "wall")) == steps.Delivered(worked=False, again_at=until)
        assert len(scene.wall.calls) == calls
        scene.clock.at = until
        await scene.settle()
        assert sorted(scene.wall.texts) == ["A", "B"]


async def test_a_wait_that_is_over_already_does_not_make_us_hammer(tmp_path: Path) -> None:
    """A server whose clock is late: ten seconds at least."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("open", RateLimited("429", at=START - timedelta(days=1)))
        scene.wall.fail("publish", RateLimited("429", at=START - timedelta(days=1)))
        scene.world.show(post(1))
        await scene.poll()
        scene.clock.go(minutes=3)
        for _ in range(2):
            await scene.deliver()
            delivered = await steps.deliver(scene.tenant, "wall")
            assert delivered.again_at is not None
            assert delivered.again_at >= scene.clock() + timedelta(seconds=10)
            scene.clock.at = delivered.again_at
        await scene.settle()
        assert scene.wall.texts == ["Bonjour"]


@pytest.mark.parametrize(
    ("error", "kind"), [(Rejected("422"), "rejected"), (Gone("404"), "rejected"), (ZeroDivisionError("bug"), "unknown")]
)
async def test_a_poison_item_is_parked_and_the_next_goes(tmp_path: Path, error: Exception, kind: str) -> None:
    """Refused, or a bug while it was sent: a person decides on that one alone."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", error)
        await published(scene, post(1, "poison"), post(2, "B"))
        assert (scene.wall.texts, [row.state for row in await scene.rows()]) == (["B"], ["parked", "done"])
        assert [(problem.subject, problem.kind) for problem in await scene.problems()] == [("delivery:1", kind)]


async def test_a_bug_before_anything_left_is_said_to_be_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With its traceback in the log, and no doubt about the outcome."""
    async with stage(tmp_path, kind=PreparedWall) as scene:
        scene.wall.fail("prepare", KeyError("au fond"))
        await published(scene)
        assert [(row.state, row.outcome_unknown, row.reason) for row in await scene.rows()] == [
            ("parked", False, "bug: KeyError: 'au fond'")
        ]
        assert [problem.kind for problem in await scene.problems()] == ["bug"]
        record = next(record for record in caplog.records if record.message == "delivery.bug")
        assert record.exc_info is not None


async def test_a_destination_that_cannot_be_opened_waits_and_is_not_knocked_at(tmp_path: Path) -> None:
    """A bug, a refusal or an outage at the door: rest, tell, try again; whoever asks meanwhile is told when."""
    async with stage(tmp_path) as scene:
        for error in (Transient("503"), Rejected("404"), KeyError("bug")):
            scene.wall.fail("open", error)
            opened = scene.wall.calls.count("open")
            first = await steps.deliver(scene.tenant, "wall")
            assert first.again_at is not None
            assert first.again_at > scene.clock() + timedelta(seconds=10)
            for _ in range(5):
                assert await steps.deliver(scene.tenant, "wall") == first
            assert scene.wall.calls.count("open") == opened + 1
            scene.clock.at = first.again_at
        await published(scene, post(1, published_at=scene.clock()))
        assert (scene.wall.texts, await scene.problems()) == (["Bonjour"], [])


async def test_an_outage_does_not_cost_a_knock_an_item(tmp_path: Path) -> None:
    """Ten items wait, the service is down: one tries, the account rests; then all go, in order."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", *[Transient("503")] * 5)
        scene.world.show(*(post(n, f"n° {n}") for n in range(10)))
        await scene.poll()
        scene.clock.go(minutes=3)
        assert await scene.deliver() == 1
        await scene.settle()
        assert len(scene.wall.texts) == 10
        assert scene.wall.calls.count("publish") == 15


# asked again before it leaves


async def test_what_was_held_is_asked_for_again_before_it_leaves(tmp_path: Path) -> None:
    """Deleted since the last look: never sent, without waiting for the next."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1))
        await scene.poll()
        scene.world.hide(post(1).uid)
        await scene.settle()
        assert (scene.wall.made, await scene.fates()) == (0, [("create", "dropped", "deleted-in-time")])


async def test_what_is_not_found_when_it_is_about_to_leave_waits_for_certainty(tmp_path: Path) -> None:
    """Missing once: it does not leave; missing twice: never; there again: it leaves."""
    for back in (False, True):
        async with stage(tmp_path / str(back)) as scene:
            scene.world.show(post(1))
            await scene.poll()
            scene.world.hide(post(1).uid, how="missing")
            scene.clock.go(minutes=3)
            await scene.deliver()
            assert [row.state for row in await scene.rows()] == ["pending"]
            if back:
                scene.world.show(post(1))
            await scene.settle()
            assert scene.wall.made == int(back)


async def test_an_edit_seen_when_it_is_about_to_leave_goes_as_the_newest(tmp_path: Path) -> None:
    """Nobody had to poll for it."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1, "Ancien"))
        await scene.poll()
        scene.world.show(post(1, "Nouveau"))
        await scene.settle()
        assert (scene.wall.texts, scene.wall.calls) == (["Nouveau"], ["open", "publish"])


@pytest.mark.parametrize("error", [Transient("503"), RateLimited("429"), AuthExpired("401"), Gone("account"), RuntimeError("closed")])
async def test_while_its_origin_cannot_be_asked_a_held_item_waits(tmp_path: Path, error: Exception) -> None:
    """The destination is not blamed, and other origins' items pass; then it leaves."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1))
        await scene.poll()
        scene.world.faults["read"] = [error, error]
        scene.clock.go(minutes=3)
        await scene.deliver()
        assert (scene.wall.made, await scene.problems()) == (0, [])
        assert (await scene.ask(lambda store: store.accounts.paused("wall")))[0] is None
        await scene.settle()
        assert scene.wall.texts == ["Bonjour"]


async def test_an_origin_that_will_never_answer_does_not_hold_for_ever(tmp_path: Path) -> None:
    """What was read before stands."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1))
        await scene.poll()
        scene.world.faults["read"] = [Rejected("400")]
        await scene.settle()
        assert scene.wall.texts == ["Bonjour"]


async def test_a_bug_in_the_question_is_a_person_s_in_the_end(tmp_path: Path) -> None:
    """A few tries, then parked as one; nothing is posted unasked."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1))
        await scene.poll()
        scene.world.faults["read"] = [RuntimeError("bug")] * 9
        await scene.settle()
        assert (scene.wall.made, [row.state for row in await scene.rows()]) == (0, ["parked"])


async def test_what_leaves_at_once_is_not_asked_for_again(tmp_path: Path) -> None:
    """Without a grace window it was read a moment ago."""
    async with stage(tmp_path, routes=[route(delay=timedelta(0))]) as scene:
        await published(scene)
        assert (scene.wall.texts, scene.world.asked) == (["Bonjour"], [])


async def test_what_is_too_old_when_it_could_leave_is_dropped_with_its_reason(tmp_path: Path) -> None:
    """A post after three days, an event once it is over."""
    async with stage(tmp_path) as scene:
        soon = make_event(
            source="toots", starts_at=START + timedelta(hours=9), ends_at=START + timedelta(days=1), published_at=START, html=""
        )
        scene.world.show(post(1), soon)
        await scene.poll()
        scene.wall.fail("open", RateLimited("429", at=START + timedelta(days=4)))
        await scene.settle(days=9)
        assert scene.wall.made == 0
        assert sorted(await scene.fates()) == [("create", "dropped", "over"), ("create", "dropped", "stale")]


async def test_the_rules_of_now_hold_when_it_leaves(tmp_path: Path) -> None:
    """A route that was closed, or filters since, lets nothing out that still waited; one that was renamed lets it pass."""
    for name, given, texts in (
        ("closed", [], []),
        ("filtered", [route(filter=Filter(tags=("vélo",)))], []),
        ("renamed", [route("new")], ["Bonjour"]),
    ):
        async with stage(tmp_path / name) as scene:
            scene.world.show(post(1))
            await scene.poll()
            await scene.restart(replace(scene.config, routes={one.name: one for one in given}))
            await scene.settle()
            assert (name, scene.wall.texts) == (name, texts)


# pace


async def test_quiet_hours_hold_what_is_new_and_nothing_else(tmp_path: Path) -> None:
    """Posts wait until the morning, even those that were due before and held up; edits and deletions do not."""
    night = Pace(quiet_from=time(22), quiet_until=time(8))
    async with stage(tmp_path, pace=night) as scene:
        await published(scene, post(1, "A"), post(2, "B"))
        scene.world.show(post(3, "C", published_at=scene.clock()))
        await scene.poll()
        scene.clock.at = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
        scene.world.show(post(1, "A!"))
        scene.world.hide(post(2).uid)
        scene.world.show(post(4, "D", published_at=scene.clock()))
        await scene.poll()
        await scene.deliver()
        assert scene.wall.texts == ["A!"]
        morning = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
        scene.clock.go(minutes=3)
        assert (await steps.deliver(scene.tenant, "wall")).again_at == morning
        await scene.settle(hours=12)
        assert (scene.wall.texts, scene.clock()) == (["A!", "C", "D"], morning)


async def test_spacing_keeps_posts_apart_and_threads_together(tmp_path: Path) -> None:
    """Half an hour between two new ones; the parts of one thread, and what answers it, at once."""
    async with stage(tmp_path, pace=Pace(spacing=timedelta(minutes=30)), routes=[route(style=THREAD)]) as scene:
        times: dict[str, datetime] = {}

        async def note() -> None:
            times[f"{len(times)}"] = scene.clock()

        scene.wall.before["publish"] = note
        later = {"published_at": START + timedelta(seconds=9)}
        await published(scene, post(1, LONG), post(2, "Suite", in_reply_to=post(1).uid), post(3, "Autre", **later))
        first = times["0"]
        assert [round((at - first).total_seconds()) for at in times.values()] == [0, 0, 0, 1800]


# a person


async def test_a_person_sends_again_or_gives_up(tmp_path: Path) -> None:
    """Sent again as it is now; given up for good, whatever is edited later."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", Rejected("422"), Rejected("422"))
        await published(scene, post(1, "A"), post(2, "B"))
        scene.world.show(post(1, "A corrigé"))
        await scene.poll()
        await scene.settle()
        assert [row.state for row in await scene.rows()] == ["parked", "parked"]
        await scene.ask(lambda store: (store.outbox.retry(1, scene.clock()), store.outbox.abandon(2, scene.clock())))
        await published(scene, post(2, "B corrigé"))
        assert (scene.wall.texts, await scene.fates()) == (["A corrigé"], [("create", "done", ""), ("create", "dropped", "by-hand")])


async def test_what_is_parked_is_no_problem_any_more_once_it_is_deleted_at_its_origin(tmp_path: Path) -> None:
    """Nobody need decide on it."""
    async with stage(tmp_path) as scene:
        scene.wall.fail("publish", Rejected("422"))
        await published(scene)
        assert len(await scene.problems()) == 1
        scene.world.hide(post(1).uid)
        await scene.poll()
        assert (await scene.problems(), await scene.fates()) == ([], [("create", "dropped", "deleted-in-time")])


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

"""What is posted, how often, and what is not: the grace window, edits and deletions, threads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator.errors import Gone, OutcomeUnknown, Rejected, Transient
from syndicator.testing import make_event
from tests.engine_scene import LONG, START, THREAD, FindableWall, MuteWall, PlainWall, PreparedWall, post, published, route, stage

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

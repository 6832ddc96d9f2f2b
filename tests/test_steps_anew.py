"""What is removed and posted anew: once, whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syndicator import spending
from syndicator.config import Config
from syndicator.contract import Limits, MediaLimits, Prices
from syndicator.errors import OutcomeUnknown, Rejected, Transient
from syndicator.model import Attachment
from syndicator.route import Pace
from syndicator.testing import make_event
from tests.edits_scene import IN_PLACE, NOTE, arrived
from tests.engine_scene import (
    LONG,
    START,
    THREAD,
    FindableWall,
    KeyedWall,
    PlainWall,
    RemovingWall,
    Scene,
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

# posted anew


async def test_the_old_one_goes_before_the_new_one_comes(tmp_path: Path) -> None:
    """Two of one text at once are a duplicate to X; and the new one has a key of its own."""
    async with stage(tmp_path, kind=KeyedWall, routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Deux"))
        assert (scene.wall.calls, scene.wall.texts) == (["open", "publish", "delete", "publish"], ["Deux"])
        assert len(scene.wall.keys) == 2


async def test_anew_and_anew_and_deleted(tmp_path: Path) -> None:
    """One at each time; when it is deleted at its origin, none; when it comes back, one."""
    async with stage(tmp_path, routes=[route(edit="replace")]) as scene:
        for text in ("Un", "Deux", "Trois"):
            await published(scene, post(1, text))
            assert scene.wall.texts == [text]
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert (scene.wall.texts, scene.wall.removed) == ([], ["w1", "w2", "w3"])
        scene.world.show(post(1, "Quatre"))
        await scene.poll()
        await scene.settle()
        await published(scene, post(1, "Cinq"))
        assert (scene.wall.texts, scene.wall.made) == (["Cinq"], 5)


async def test_what_cannot_be_paid_this_month_is_not_removed_this_month(tmp_path: Path) -> None:
    """The new post is asked for its price before the old one goes; then both happen, and both are counted."""

    class Dear(FindableWall):
        limits = Limits(text_max=60, prices=Prices(currency="EUR", create=600, delete=100))

    async with stage(tmp_path, kind=Dear, pace=Pace(budget=1.0), routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Deux"))
        assert (scene.wall.texts, [problem.kind for problem in await scene.problems()]) == (["Un"], ["budget"])
        await scene.settle(days=30)
        assert (scene.wall.texts, scene.clock().astimezone(scene.tenant.zone).month) == (["Deux"], 12)
        month = spending.month_of(scene.clock(), scene.tenant.zone)
        assert await scene.ask(lambda store: store.spending.spent("wall", month)) == 700


async def test_what_no_reader_sees_is_not_posted_anew(tmp_path: Path) -> None:
    """An alt text that was forgotten, a language: corrected in place where that can be, else left as it is."""

    class Gallery(FindableWall):
        limits = Limits(text_max=60, media=MediaLimits(images_max=4))

    class Gallery2(RemovingWall):
        limits = Gallery.limits

    picture = Attachment(url="data:velo.jpg")
    for kind, calls in ((Gallery, ["open", "publish", "update"]), (Gallery2, ["open", "publish"])):
        for wish in ("replace", "note"):
            async with stage(tmp_path / kind.__name__ / wish, kind=kind, routes=[route(edit=wish)]) as scene:
                await published(scene, post(1, "Un", attachments=(picture,)))
                described = replace(picture, description="Deux vélos")
                await published(scene, post(1, "Un", attachments=(described,), language="en"))
                assert (scene.wall.calls, scene.wall.made) == (calls, 1)


async def test_a_thread_is_posted_anew_whole_and_in_order(tmp_path: Path) -> None:
    """Though only its second part changed; longer or shorter than before; each part under the new one before it."""
    async with stage(tmp_path, routes=[route(edit="replace", style=THREAD)]) as scene:
        await published(scene, post(1, LONG))
        longer = f"{LONG} Et il y a enfin tout le reste à dire, hélas."
        for text, parts in ((LONG.replace("cela", "ça"), 2), (longer, 3), ("Bref.", 1), (LONG, 2)):
            before = set(scene.wall.signs)
            await published(scene, post(1, text))
            ids = list(scene.wall.signs)
            assert (len(ids), before & set(ids)) == (parts, set())
            assert [sign.answers for sign in scene.wall.signs.values()] == [None, *ids[:-1]]
        receipts = await scene.ask(lambda store: [live.sent.receipt.remote_id for live in store.outbox.receipts.live("wall")])
        assert receipts == list(scene.wall.signs)


async def test_the_rest_of_a_thread_is_removed_before_the_new_one_comes(tmp_path: Path) -> None:
    """Even when that takes its time, the process ends, another edit comes, and none of it is forgotten when it is deleted then."""
    for then in ("nothing", "edited", "deleted"):
        async with stage(tmp_path / then, routes=[route(edit="replace", style=THREAD)]) as scene:
            await published(scene, post(1, LONG))

            async def second_fails(scene: Scene = scene) -> None:
                if scene.wall.removed == ["w1"] and not scene.wall.script.get("delete"):
                    scene.wall.fail("delete", Transient("503"), Transient("503"))

            scene.wall.before["delete"] = second_fails
            scene.world.show(post(1, LONG.replace("cela", "ça")))
            await scene.poll()
            scene.clock.go(minutes=3)
            await scene.deliver()
            assert list(scene.wall.signs) == ["w2"]
            scene.wall.before.clear()
            if then == "edited":
                scene.world.show(post(1, LONG.replace("cela", "autre chose")))
            if then == "deleted":
                scene.world.hide(post(1).uid)
            await scene.poll()
            await scene.restart()
            await scene.settle()
            told = {"nothing": ["ceci", "ça"], "edited": ["ceci", "autre"], "deleted": []}[then]
            assert [word in text for word, text in zip(told, scene.wall.texts, strict=True)] == [True] * len(told)
            assert [sign.answers for sign in scene.wall.signs.values()] == ([None, "w3"] if told else [])


UNKNOWN: list[tuple[type[Any], bool, int]] = [
    (KeyedWall, True, 1),
    (KeyedWall, False, 1),
    (FindableWall, True, 1),
    (FindableWall, False, 1),
]


@pytest.mark.parametrize("how", ["no answer", "killed"])
@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("kind", [KeyedWall, FindableWall, PlainWall, RemovingWall])
@pytest.mark.parametrize("call", ["delete", "publish"])
async def test_a_replacement_that_is_cut_anywhere_ends_with_one(tmp_path: Path, call: str, kind: type[Any], done: bool, how: str) -> None:
    """A deletion can be repeated; the creation is found out as any other: by its key, by asking, by a person."""
    async with stage(tmp_path, kind=kind, routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        scene.wall.fail(call, OutcomeUnknown("timeout") if how == "no answer" else KeyboardInterrupt(), done=done)
        scene.world.show(post(1, "Deux"))
        await scene.poll()
        scene.clock.go(minutes=3)
        if how == "no answer":
            await scene.deliver()
        else:
            with pytest.raises(KeyboardInterrupt):
                await scene.deliver()
            await scene.restart()
        await scene.settle()
        row = (await scene.rows())[0]
        nobody_knows = call == "publish" and kind in (PlainWall, RemovingWall)
        assert (row.state, row.outcome_unknown) == (("parked", True) if nobody_knows else ("done", False))
        if nobody_knows:
            word = "settle_by_hand" if done else "retry"
            await scene.ask(lambda store: getattr(store.outbox, word)(row.id, scene.clock()))
            await scene.settle()
        assert (scene.wall.texts, scene.wall.removed) == (["Deux"], ["w1"])


@pytest.mark.parametrize(("kind", "means"), [(PlainWall, IN_PLACE), (RemovingWall, NOTE)])
async def test_what_may_not_be_removed_any_more_is_corrected_otherwise(tmp_path: Path, kind: type[Any], means: str) -> None:
    """Telegram removes nothing that is older than two days: as if it could not remove at all."""
    async with stage(tmp_path, kind=kind, routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        scene.wall.fail("delete", Rejected("too old"))
        await published(scene, post(1, "Deux"))
        assert (arrived(scene.wall), await scene.problems()) == (means, [])


async def test_what_cannot_be_corrected_at_all_is_a_person_s(tmp_path: Path) -> None:
    """They remove it themselves and say so: then the new one comes. Or they leave it."""

    class Screens(RemovingWall):
        limits = Limits(text_max=60, kinds=frozenset({"video"}))

    for word, made in (("settle_by_hand", 2), ("abandon", 1)):
        async with stage(tmp_path / word, kind=Screens, routes=[route(edit="replace")]) as scene:
            await published(scene, post(1, "Un", kind="video"))
            scene.wall.fail("delete", Rejected("no"))
            await published(scene, post(1, "Deux", kind="video"))
            assert [problem.kind for problem in await scene.problems()] == ["cannot-delete"]
            (row,) = [row for row in await scene.rows() if row.state == "parked"]
            await scene.ask(lambda store, word=word, row=row: getattr(store.outbox, word)(row.id, scene.clock()))
            await scene.settle()
            assert (row.purpose, scene.wall.made) == ("replace", made)


async def test_a_part_that_cannot_be_removed_waits_for_a_person_and_the_new_thread_with_it(tmp_path: Path) -> None:
    """Given up: it stays there and is ours no more; the new thread comes all the same."""
    async with stage(tmp_path, routes=[route(edit="replace", style=THREAD)]) as scene:
        await published(scene, post(1, LONG))

        async def second_refused() -> None:
            if scene.wall.removed:
                scene.wall.fail("delete", Rejected("no"))

        scene.wall.before["delete"] = second_refused
        await published(scene, post(1, LONG.replace("cela", "ça")))
        assert list(scene.wall.signs) == ["w2"]
        (row,) = [row for row in await scene.rows() if row.state == "parked"]
        await scene.ask(lambda store: store.outbox.abandon(row.id, scene.clock()))
        scene.wall.before.clear()
        await scene.settle()
        assert list(scene.wall.signs) == ["w2", "w3", "w4"]
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert list(scene.wall.signs) == ["w2"]


async def test_what_a_person_removed_there_is_not_posted_anew(tmp_path: Path) -> None:
    """It is left in peace, as with any edit."""
    async with stage(tmp_path, routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        scene.wall.signs.clear()
        await published(scene, post(1, "Deux"))
        assert (scene.wall.texts, (await scene.fates())[-1]) == ([], ("replace", "dropped", "gone-there"))


async def test_news_or_not_what_was_out_is_out_again(tmp_path: Path) -> None:
    """Older than max_age, cancelled, out of the filter: none of that keeps back what takes the place of an old one."""

    class Wide(FindableWall):
        limits = Limits(text_max=500)

    async with stage(tmp_path, kind=Wide, routes=[route(edit="replace")]) as scene:
        event = make_event(source="toots", published_at=START, html="", title="Vélo")
        await published(scene, post(1, "Un"))
        scene.world.show(event)
        await scene.poll()
        await scene.settle()
        scene.clock.go(days=20)
        scene.world.show(post(1, "Deux"), replace(event, status="cancelled"))
        await scene.poll()
        await scene.settle()
        assert sorted(scene.wall.removed) == ["w1", "w2"]
        assert "Deux" in scene.wall.texts
        assert any("ANNULÉ" in text for text in scene.wall.texts)


async def test_what_its_author_takes_back_meanwhile_is_not_posted_anew(tmp_path: Path) -> None:
    """Between the removal and the new post: the removal stands."""
    async with stage(tmp_path, routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        scene.wall.fail("publish", Transient("503"))
        scene.world.show(post(1, "Deux"))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        assert scene.wall.texts == []
        await published(scene, post(1, "Deux #nocross"))
        assert (scene.wall.texts, (await scene.fates())[0]) == ([], ("create", "dropped", "opted-out"))


async def test_an_edit_between_goes_as_the_newest(tmp_path: Path) -> None:
    """Removed, not posted yet, edited again: one new post with the last words."""
    async with stage(tmp_path, routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        scene.wall.fail("publish", Transient("503"))
        scene.world.show(post(1, "Deux"))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        await published(scene, post(1, "Trois"))
        assert (scene.wall.texts, scene.wall.made) == (["Trois"], 2)


async def test_a_second_edit_while_the_removal_is_in_doubt_waits_for_it(tmp_path: Path) -> None:
    """Even one that takes the first back: what may have been removed must come again."""
    for text in ("Trois", "Un"):
        for done in (True, False):
            async with stage(tmp_path / f"{text}{done}", routes=[route(edit="replace")]) as scene:
                await published(scene, post(1, "Un"))
                scene.wall.fail("delete", OutcomeUnknown("timeout"), done=done)
                scene.world.show(post(1, "Deux"))
                await scene.poll()
                scene.clock.go(minutes=3)
                await scene.deliver()
                await published(scene, post(1, text))
                assert (scene.wall.texts, scene.wall.made) == ([text], 2)


async def test_what_is_deleted_while_the_removal_is_in_doubt_is_gone(tmp_path: Path) -> None:
    """Nothing comes after it."""
    for done in (True, False):
        async with stage(tmp_path / str(done), routes=[route(edit="replace")]) as scene:
            await published(scene, post(1, "Un"))
            scene.wall.fail("delete", OutcomeUnknown("timeout"), done=done)
            scene.world.show(post(1, "Deux"))
            await scene.poll()
            scene.clock.go(minutes=3)
            await scene.deliver()
            scene.world.hide(post(1).uid)
            await scene.poll()
            await scene.settle()
            assert (scene.wall.texts, scene.wall.made) == ([], 1)
            assert [state for _, state, _ in await scene.fates() if state in ("pending", "parked")] == []


async def test_an_answer_to_what_is_posted_anew_waits_for_the_new_one(tmp_path: Path) -> None:
    """It answers what is there."""
    async with stage(tmp_path, routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        scene.wall.fail("publish", Transient("503"))
        scene.world.show(post(1, "Deux"))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        await published(scene, post(2, "Réponse", in_reply_to=post(1).uid, published_at=scene.clock()))
        assert [(sign.text, sign.answers) for sign in scene.wall.signs.values()] == [("Deux", None), ("Réponse", "w2")]


async def test_copies_that_we_removed_are_still_known_for_ours(tmp_path: Path) -> None:
    """Read late from another source, or boosted there: they are not carried as something new."""
    back = World(account="asso@wall.example")

    def both(world: World, wall: Wall, screen: Screen) -> Config:
        routes = [route(edit="replace"), route("back", sources=["copies"])]
        return configuration(tmp_path, [source(world), source(back, name="copies")], [destination(wall)], routes)

    async with stage(tmp_path, config=both) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Deux"))
        copies = [
            post(100 + n, f"w{n}", uid=f"https://wall.example/uri/w{n}", url=f"https://wall.example/w{n}", published_at=scene.clock())
            for n in (1, 2)
        ]
        boost = post(200, "RT", boost_of="https://wall.example/uri/w2", published_at=scene.clock())
        back.show(*copies, boost)
        await scene.poll("copies")
        await scene.settle()
        assert (scene.wall.texts, scene.wall.made) == (["Deux"], 2)


async def test_a_boost_between_goes_its_own_way(tmp_path: Path) -> None:
    """Of the original: it is carried already, however often its copy was posted anew."""
    async with stage(tmp_path, routes=[route(edit="replace")]) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(2, "RT", boost_of=post(1).uid, published_at=scene.clock()))
        await published(scene, post(1, "Deux"))
        assert scene.wall.texts == ["Deux"]

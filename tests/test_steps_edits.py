"""What an edit of something that is out does, by what its route wants and what the network can: once, whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from syndicator.config import Config
from syndicator.contract import Limits, MediaLimits
from syndicator.errors import OutcomeUnknown, Rejected, Transient
from syndicator.model import Attachment
from syndicator.route import Pace
from syndicator.testing import make_event
from tests.engine_scene import (
    LONG,
    START,
    THREAD,
    EditingWall,
    FindableWall,
    KeyedWall,
    MuteWall,
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

IN_PLACE, ANEW, NOTE, NOTHING = "in place", "anew", "note", "nothing"
BOTH, EDITS, REMOVES, NEITHER = PlainWall, EditingWall, RemovingWall, MuteWall


def arrived(wall: Wall) -> str:
    """What became of "Un" when it was edited to "Deux"."""
    (first, *others) = wall.signs.values()
    if others:
        assert (first.text, first.edits, [sign.answers for sign in others]) == ("Un", [], ["w1"])
        assert "Deux" in others[0].text
        assert "social.example/1" in others[0].text
        return NOTE
    return {("w1", "Deux"): IN_PLACE, ("w2", "Deux"): ANEW, ("w1", "Un"): NOTHING}[first.id, wall.texts[0]]


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
        for text, parts in ((LONG.replace("cela", "ça"), 2), (f"{LONG} Et il y a enfin tout le reste à dire, hélas.", 3), ("Bref.", 1), (LONG, 2)):
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


# notes


async def test_each_edit_that_readers_see_is_told_once(tmp_path: Path) -> None:
    """A note an edit, each under the original; none for what was told already; a taking back is news."""
    async with stage(tmp_path, routes=[route(edit="note")]) as scene:
        await published(scene, post(1, "Un"))
        for text in ("Deux", "Trois", "Un"):
            await published(scene, post(1, text))
            await published(scene, post(1, text, duration_s=float(len(text))))
        assert [sign.answers for sign in scene.wall.signs.values()] == [None, "w1", "w1", "w1"]
        assert [text in sign.text for text, sign in zip(("Un", "Deux", "Trois", "Un"), scene.wall.signs.values(), strict=True)] == [
            True
        ] * 4


async def test_a_note_says_that_it_is_one(tmp_path: Path) -> None:
    """In its title, or before its text; without the pictures, and with the way home."""

    class Wide(FindableWall):
        limits = Limits(text_max=500, media=MediaLimits(images_max=4))

    picture = Attachment(url="data:velo.jpg")
    event = make_event(source="toots", published_at=START, html="", image=picture)
    items = [post(1, attachments=(picture,)), post(2, title="Fête", kind="article"), post(3, language="en"), event]
    edited = [
        replace(item, title="Grande fête" if item.title else "", html="<p>À neuf heures</p>") if item is not event else item
        for item in items
    ]
    edited[3] = replace(event, html="<p>À neuf heures</p>")
    async with stage(tmp_path, kind=Wide, routes=[route(edit="note")]) as scene:
        await published(scene, *items)
        await published(scene, *edited)
        nbsp = "\u00a0"
        told = [text.split("\n\n")[0] for text in scene.wall.texts if "neuf heures" in text]
        assert sorted(told) == sorted(
            [f"Mis à jour{nbsp}:", f"Mis à jour{nbsp}: Grande fête", "Updated:", f"CHANGEMENT{nbsp}: Atelier vélo"]
        )
        assert all("https://" in text for text in scene.wall.texts if "neuf heures" in text)


async def test_notes_go_with_the_original_and_are_known_for_ours(tmp_path: Path) -> None:
    """Nothing is left over; what is there can be listed."""
    async with stage(tmp_path, routes=[route(edit="note")]) as scene:
        for text in ("Un", "Deux", "Trois"):
            await published(scene, post(1, text))
        live = await scene.ask(lambda store: store.outbox.receipts.live("wall"))
        assert [(one.uid, one.slot.purpose, one.sent.receipt.remote_id) for one in live] == [
            (post(1).uid, "create", "w1"),
            (post(1).uid, "announce-change", "w2"),
            (post(1).uid, "announce-change", "w3"),
        ]
        names = [("https://wall.example/uri/w3", "")]
        assert await scene.ask(lambda store: store.outbox.ours(names)) == {"https://wall.example/uri/w3"}
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert (scene.wall.texts, await scene.ask(lambda store: store.outbox.receipts.live("wall"))) == ([], [])
        scene.world.show(post(1, "Retour"))
        await scene.poll()
        await scene.settle()
        assert scene.wall.texts == ["Retour"]


async def test_a_note_answers_the_last_part_of_a_thread(tmp_path: Path) -> None:
    """It is one post, whatever the length, and leads home."""
    async with stage(tmp_path, routes=[route(edit="note", style=replace(THREAD, link="when-cut"))]) as scene:
        await published(scene, post(1, LONG))
        hanging = list(scene.wall.signs)
        await published(scene, post(1, LONG.replace("ceci", "tout ceci")))
        *thread, note = scene.wall.signs.values()
        assert ([sign.id for sign in thread], [sign.edits for sign in thread]) == (hanging, [[]] * len(hanging))
        assert (note.answers, "social.example/1" in note.text) == (hanging[-1], True)


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("kind", [KeyedWall, FindableWall, PlainWall])
async def test_a_note_whose_outcome_nobody_knows_is_found_out_as_any_post(tmp_path: Path, kind: type[Any], done: bool) -> None:
    """And the next one waits for it."""
    async with stage(tmp_path, kind=kind, routes=[route(edit="note")]) as scene:
        await published(scene, post(1, "Un"))
        scene.wall.fail("publish", OutcomeUnknown("timeout"), done=done)
        scene.world.show(post(1, "Deux"))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        scene.world.show(post(1, "Trois"))
        await scene.poll()
        await scene.settle()
        if kind is PlainWall:
            (row,) = [row for row in await scene.rows() if row.state == "parked"]
            assert (row.purpose, row.outcome_unknown, scene.wall.made) == ("announce-change", True, 1 + done)
            word = "settle_by_hand" if done else "retry"
            await scene.ask(lambda store: getattr(store.outbox, word)(row.id, scene.clock()))
            await scene.settle()
        notes = list(scene.wall.signs.values())[1:]
        # What surely is not there goes as the newest text, once; what is there keeps its words, and the newest follow.
        told = ["Trois"] if kind is not KeyedWall and not done else ["Deux", "Trois"]
        assert [text in note.text for text, note in zip(told, notes, strict=True)] == [True] * len(told)


async def test_what_is_deleted_while_a_note_is_in_doubt_leaves_nothing(tmp_path: Path) -> None:
    """The note is looked for, and removed if it is there."""
    for done in (True, False):
        async with stage(tmp_path / str(done), routes=[route(edit="note")]) as scene:
            await published(scene, post(1, "Un"))
            scene.wall.fail("publish", OutcomeUnknown("timeout"), done=done)
            scene.world.show(post(1, "Deux"))
            await scene.poll()
            scene.clock.go(minutes=3)
            await scene.deliver()
            scene.world.hide(post(1).uid)
            await scene.poll()
            await scene.settle()
            assert (scene.wall.texts, scene.wall.calls.count("publish")) == ([], 2)


async def test_a_note_that_was_refused_is_no_problem_once_there_is_a_newer_edit(tmp_path: Path) -> None:
    """Which makes a note of its own."""
    async with stage(tmp_path, routes=[route(edit="note")]) as scene:
        await published(scene, post(1, "Un"))
        scene.wall.fail("publish", Rejected("422"))
        await published(scene, post(1, "Deux"))
        assert len(await scene.problems()) == 1
        await published(scene, post(1, "Trois"))
        assert (len(await scene.problems()), len(scene.wall.signs), "Trois" in scene.wall.texts[1]) == (0, 2, True)


async def test_a_note_is_too_late_in_the_end(tmp_path: Path) -> None:
    """The network was away for a week: what changed then is no news any more."""
    async with stage(tmp_path, routes=[route(edit="note")]) as scene:
        await published(scene, post(1, "Un"))
        scene.wall.fail("publish", Transient("503"))
        scene.world.show(post(1, "Deux"))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        scene.clock.go(days=7)
        await scene.settle()
        assert (scene.wall.made, (await scene.fates())[-1]) == (1, ("announce-change", "dropped", "stale"))


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

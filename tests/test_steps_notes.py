"""Notes about edits: each told once, and gone with what it is about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syndicator.contract import Limits, MediaLimits
from syndicator.errors import OutcomeUnknown, Rejected, Transient
from syndicator.model import Attachment
from syndicator.testing import make_event
from tests.engine_scene import LONG, START, THREAD, FindableWall, KeyedWall, MuteWall, PlainWall, post, published, route, stage

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


async def test_notes_are_taken_away_when_a_network_is_left(tmp_path: Path) -> None:
    """The newest first, as everything of ours."""
    async with stage(tmp_path, routes=[route(edit="note")]) as scene:
        for text in ("Un", "Deux", "Trois"):
            await published(scene, post(1, text))
        assert await scene.ask(lambda store: store.departing.close("wall", scene.clock(), remove=True)) == 3
        await scene.settle()
        assert (scene.wall.texts, scene.wall.removed) == ([], ["w3", "w2", "w1"])


async def test_notes_that_cannot_be_removed_are_a_person_s(tmp_path: Path) -> None:
    """Each with its address."""
    async with stage(tmp_path, kind=MuteWall, routes=[route(edit="note")]) as scene:
        await published(scene, post(1, "Un"))
        await published(scene, post(1, "Deux"))
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        parked = [(row.purpose, row.reason) for row in await scene.rows() if row.state == "parked"]
        assert parked == [("delete", "https://wall.example/w1"), ("delete", "https://wall.example/w2")]

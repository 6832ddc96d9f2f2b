"""What is read: the first look, what is missing, sources that fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syndicator.errors import AuthExpired, RateLimited, Rejected, SourceEmptied, Transient
from syndicator.model import Batch, Tombstone
from tests.engine_scene import START, BlindSource, ScriptedSource, Wall, configuration, destination, post, published, route, stage

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

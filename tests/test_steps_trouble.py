"""What goes wrong elsewhere and when it may leave at all: errors, the question to the origin, pace, a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from syndicator import steps
from syndicator.errors import AuthExpired, Gone, NotReady, RateLimited, Rejected, Transient
from syndicator.route import Filter, Pace
from syndicator.testing import make_event
from tests.engine_scene import LONG, START, THREAD, PreparedWall, post, published, route, stage

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


@pytest.mark.parametrize(("error", "meanwhile"), [(NotReady("a film"), ["B"]), (Transient("down"), [])])
async def test_a_service_at_work_on_one_post_makes_no_other_wait(tmp_path: Path, error: Transient, meanwhile: list[str]) -> None:
    """What is not ready there is asked for again; an outage, though, is the account's."""
    async with stage(tmp_path) as scene:
        scene.world.show(post(1, "A"), post(2, "B"))
        await scene.poll()
        scene.clock.go(minutes=3)
        scene.wall.fail("publish", error)
        await scene.deliver()
        assert scene.wall.texts == meanwhile
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

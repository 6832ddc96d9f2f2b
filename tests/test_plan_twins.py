"""One event under several names: the rules, one by one. ``tests/test_steps_twins.py`` plays them over the real store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from syndicator.model import Event
from syndicator.plan import Adopted, Change, Facts, Plan, Refused
from syndicator.route import Filter
from syndicator.testing import make_event
from tests.plan_scene import EDITS, NOW, OPENED, ROUTE, TARGETS, cancelled, change, created, facts, followed, known, outcome

HOME = make_event(uid="https://home.example/1", source="agenda", published_at=NOW)
TOWN = make_event(uid="bal@town.example", source="toots", published_at=NOW)
SUPERSEDED = ("create", *EDITS, "remind", "retire")


def given(*best_first: Change, **more: Any) -> Facts:
    """What is known when these are copies of one event."""
    return facts(copies={(one.item.source, one.item.uid): best_first for one in best_first}, **more)


def new(event: Event) -> Any:
    return created(event, due_at=NOW + ROUTE.delay)


def twin(event: Event) -> Refused:
    return Refused(route="r", destination="wall", uid=event.uid, reason="twin")


@pytest.mark.parametrize("batch", [(HOME, TOWN), (TOWN, HOME)])
def test_both_in_one_batch_the_home_copy_is_announced(batch: tuple[Event, ...]) -> None:
    both = [change(item) for item in batch]
    plan = outcome(*both, given=given(change(HOME), change(TOWN)))
    assert (plan.planned, plan.refused, plan.cancelled) == ((new(HOME),), (twin(TOWN),), ())


def test_the_home_copy_takes_the_place_of_what_waits() -> None:
    plan = outcome(change(HOME), given=given(change(HOME), change(TOWN), known=known(TOWN, "pending")))
    assert plan == Plan(planned=(new(HOME),), cancelled=(cancelled(TOWN, "twin", "create"),))


def test_what_waits_of_the_home_copy_keeps_its_place() -> None:
    plan = outcome(change(TOWN), given=given(change(HOME), change(TOWN), known=known(HOME, "pending")))
    assert plan == Plan(refused=(twin(TOWN),))


@pytest.mark.parametrize("state", [{"state": "done"}, {"state": "sending"}, {"state": "pending", "outcome_unknown": True}])
@pytest.mark.parametrize("pair", [(HOME, TOWN), (TOWN, HOME)])
def test_what_is_announced_or_may_be_is_not_announced_again(state: dict[str, Any], pair: tuple[Event, Event]) -> None:
    out, later = pair
    plan = outcome(change(later), given=given(change(HOME), change(TOWN), known=known(out, **state)))
    assert plan == Plan(refused=(twin(later),))


def test_an_announcement_somewhere_else_is_none_here() -> None:
    plan = outcome(change(TOWN), given=given(change(HOME), change(TOWN), known=known(HOME, target="x")))
    assert plan == Plan(planned=(new(TOWN),))


def test_an_earlier_life_is_no_announcement() -> None:
    returned = change(HOME, incarnation=1)
    plan = outcome(change(TOWN), given=given(returned, change(TOWN), known=known(HOME, incarnation=0)))
    assert plan.planned == (new(TOWN),)


@pytest.mark.parametrize(("reason", "home"), [
    ("cancelled", replace(HOME, status="cancelled")),
    ("opted-out", replace(HOME, tags=("nomirror",))),
    ("not-public", replace(HOME, visibility="private")),
])  # fmt: skip
def test_what_its_home_took_back_or_called_off_is_not_announced_by_others(reason: str, home: Event) -> None:
    plan = outcome(change(TOWN), given=given(change(home), change(TOWN)))
    assert [one.reason for one in plan.refused] == [reason]
    waiting = outcome(change(home), given=given(change(home), change(TOWN), known=known(TOWN, "pending")))
    assert (waiting.planned, waiting.cancelled) == ((), (cancelled(TOWN, reason, "create"),))


@pytest.mark.parametrize("changes", [{"tags": ("nomirror",)}, {"visibility": "private"}])
@pytest.mark.parametrize("state", ["pending", "done"])
def test_the_copy_that_stands_is_taken_back_and_the_home_copy_is_announced(state: str, changes: dict[str, Any]) -> None:
    """Also later, when the home copy changes."""
    town = change(replace(TOWN, **changes), "changed")
    there = given(change(HOME), town, known=known(TOWN, state))
    plan = outcome(town, given=there)
    assert [(one.uid, one.purpose) for one in plan.planned if one.purpose == "create"] == [(HOME.uid, "create")]
    assert outcome(change(HOME, "changed"), given=there).planned[-1:] == (new(HOME),)


def test_what_waits_and_passes_no_filter_any_more_keeps_nobody_back() -> None:
    bal = replace(ROUTE, filter=Filter(tags=("bal",)))
    without, still = change(replace(HOME, tags=()), "changed"), change(replace(TOWN, tags=("bal",)))
    plan = outcome(without, routes=(bal,), given=given(without, still, known=known(HOME, "pending")))
    assert plan.planned == (new(TOWN),)


def test_an_edit_that_makes_twins_of_two_that_wait_leaves_one() -> None:
    both = known(HOME, "pending") | known(TOWN, "pending")
    by_home = outcome(change(HOME, "changed"), given=given(change(HOME, "changed"), change(TOWN), known=both))
    by_town = outcome(change(TOWN, "changed"), given=given(change(HOME), change(TOWN, "changed"), known=both))
    assert by_home.cancelled == by_town.cancelled == (cancelled(TOWN, "twin", "create"),)


def test_the_announced_copy_goes_and_the_other_takes_it_over() -> None:
    gone, heir = change(HOME, "gone"), change(TOWN, revision=3)
    plan = outcome(gone, given=given(gone, heir, known=known(HOME)))
    by = new(TOWN)
    assert plan.adopted == (Adopted(uid=HOME.uid, destination="wall", by=by),)
    assert plan.planned == (followed(TOWN, "update", 3),)
    assert plan.cancelled == (cancelled(HOME, "superseded", *SUPERSEDED),)


def test_it_goes_before_it_was_announced_and_the_other_is() -> None:
    gone = change(HOME, "gone")
    plan = outcome(gone, given=given(gone, change(TOWN), known=known(HOME, "pending")))
    assert (plan.planned, plan.cancelled, plan.adopted) == ((new(TOWN),), (cancelled(HOME, "deleted-in-time", *SUPERSEDED),), ())


def test_nobody_knows_whether_it_is_out_when_it_goes() -> None:
    """It is looked for and removed, and the other is announced."""
    gone = change(HOME, "gone")
    plan = outcome(gone, given=given(gone, change(TOWN), known=known(HOME, "sending")))
    assert [(one.uid, one.purpose) for one in plan.planned] == [(HOME.uid, "delete"), (TOWN.uid, "create")]


def test_the_other_goes_nowhere_near() -> None:
    """Nobody leads it there: the announcement is removed with its own copy."""
    only_home = replace(ROUTE, sources=("agenda",))
    gone = change(HOME, "gone")
    plan = outcome(gone, routes=(only_home,), given=given(gone, change(TOWN), known=known(HOME)))
    assert [(one.uid, one.purpose) for one in plan.planned] == [(HOME.uid, "delete")]


def test_the_one_that_was_not_announced_goes_without_a_trace() -> None:
    gone = change(TOWN, "gone")
    assert outcome(gone, given=given(change(HOME), gone, known=known(HOME))) == Plan()


def test_without_twins_nothing_is_asked() -> None:
    assert outcome(change(HOME), given=Facts(since=OPENED)) == Plan(planned=(new(HOME),))
    assert set(TARGETS) == {"wall", "x"}

"""What ``plan`` makes of what is known already: edits, deletions, what comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syndicator.model import Item
from syndicator.plan import RECONSIDERED, Known, Plan, find_loop
from syndicator.route import Filter, Style
from syndicator.testing import make_event, make_post
from tests.plan_scene import EDITS, NOW, ROUTE, cancelled, change, created, facts, followed, known, outcome, refused

# what is known already


@pytest.mark.parametrize("kind", ["new", "changed"])
def test_an_item_that_waits_is_left_to_be_rendered_when_it_leaves(kind: Any) -> None:
    """An edit inside the grace window replaces: there is nothing to send twice. So for what a person must decide on."""
    item = make_post()
    for state in ("pending", "parked"):
        assert outcome(change(item, kind), given=facts(known=known(item, state))) == Plan()


@pytest.mark.parametrize(("state", "unknown"), [("done", False), ("sending", False), ("pending", True), ("parked", True)])
def test_an_edit_follows_what_is_or_may_be_out(state: str, unknown: bool) -> None:
    """One update a revision, behind its creation; an older one that still waits is superseded."""
    item = make_post()
    made = outcome(change(item, "changed", revision=4), given=facts(known=known(item, state, outcome_unknown=unknown)))
    assert made == Plan(planned=(followed(item, "update", 4),), cancelled=(cancelled(item, "superseded", *EDITS),))


def test_an_edit_follows_part_by_part() -> None:
    """Each part of a thread has its own remote object."""
    item = make_post()
    parts = tuple(replace(known(item)[item.uid, "wall"][0], part=part, id=part) for part in (1, 0))
    made = outcome(change(item, "changed"), given=facts(known={(item.uid, "wall"): parts}))
    assert made.planned == (followed(item, "update", 2), followed(item, "update", 2, part=1))


@pytest.mark.parametrize("wish", ["update", "replace", "note"])
def test_what_an_edit_does_there_is_decided_when_it_leaves(wish: Any) -> None:
    """By the configuration and the network of then."""
    item = make_post()
    made = outcome(change(item, "changed"), routes=(replace(ROUTE, edit=wish),), given=facts(known=known(item)))
    assert made.planned == (followed(item, "update", 2),)


def test_what_is_being_posted_anew_is_rendered_when_it_leaves() -> None:
    """Removed, and waiting to be posted again: an edit has nothing to follow, a deletion only cancels."""
    item = make_post()
    one = known(item, "pending")[item.uid, "wall"][0]
    parts = {(item.uid, "wall"): (one, replace(one, id=2, part=1, state="dropped", reason="superseded"))}
    assert outcome(change(item, "changed"), given=facts(known=parts)) == Plan()
    assert outcome(change(item, "gone"), given=facts(known=parts)) == Plan(cancelled=(cancelled(item, "deleted-in-time"),))


def noted(item: Item, *notes: tuple[int, str, bool]) -> dict[tuple[str, str], tuple[Known, ...]]:
    one = known(item)[item.uid, "wall"][0]
    made = [
        replace(one, id=10 + number, purpose="announce-change", incarnation=number, state=state, outcome_unknown=unknown)
        for number, state, unknown in notes
    ]
    return {(item.uid, "wall"): (one, *made)}


def test_notes_are_removed_with_what_they_are_about() -> None:
    """Those that are or may be out, each behind itself; what never left is only cancelled."""
    item = make_post()
    notes = noted(item, (4, "done", False), (2, "done", False), (7, "pending", True), (9, "pending", False), (8, "dropped", False))
    made = outcome(change(item, "gone"), given=facts(known=notes))
    assert made == Plan(
        planned=(
            followed(item, "delete", 0),
            *(created(item, purpose="delete", revision=-number, due_at=NOW, parent_id=10 + number) for number in (2, 4, 7)),
        ),
        cancelled=(cancelled(item, "deleted-in-time"),),
    )


def test_notes_stay_where_deletions_do_not_follow() -> None:
    """As does what they are about."""
    item = make_post()
    routes = (replace(ROUTE, deletions=False),)
    assert outcome(change(item, "gone"), routes=routes, given=facts(known=noted(item, (2, "done", False)))).planned == ()


def test_notes_are_no_creations() -> None:
    """What comes back is created, whatever was noted about it before; a note of the same number as its life does not stand for it."""
    item = make_post()
    given = facts(known=noted(item, (1, "done", False)))
    assert outcome(change(item, "returned", incarnation=1), given=given).planned == (created(item, revision=1),)


def test_an_edit_does_not_follow_where_the_route_says_so() -> None:
    """``edit = "ignore"``."""
    item = make_post()
    assert outcome(change(item, "changed"), routes=(replace(ROUTE, edit="ignore"),), given=facts(known=known(item))) == Plan()


def test_the_same_item_from_a_second_source_is_no_news() -> None:
    """Only a change of it is."""
    item = make_post(source="agenda")
    assert outcome(change(item, "new"), given=facts(known=known(item))) == Plan()
    assert outcome(change(item, "returned"), given=facts(known=known(item))) == Plan()


def test_a_deletion_inside_the_grace_window_cancels() -> None:
    """Nothing was sent, nothing is."""
    item = make_post()
    assert outcome(change(item, "gone"), given=facts(known=known(item, "pending"))) == Plan(cancelled=(cancelled(item, "deleted-in-time"),))


def test_a_deletion_after_publication_follows() -> None:
    """One delete a life of the item and part; what was never sent is only cancelled."""
    item = make_post()
    one = known(item)[item.uid, "wall"][0]
    parts = (one, replace(one, part=1, state="pending", outcome_unknown=True), replace(one, part=2, state="pending"))
    made = outcome(change(item, "gone", revision=9), given=facts(known={(item.uid, "wall"): parts}))
    assert made == Plan(
        planned=(followed(item, "delete", 0), followed(item, "delete", 0, part=1)), cancelled=(cancelled(item, "deleted-in-time"),)
    )


def test_a_deletion_does_not_follow_where_the_route_says_so() -> None:
    """``deletions = false``: but what waits is still cancelled."""
    item = make_post()
    made = outcome(change(item, "gone"), routes=(replace(ROUTE, deletions=False),), given=facts(known=known(item)))
    assert made == Plan(cancelled=(cancelled(item, "deleted-in-time"),))


def test_an_item_is_gone_only_when_every_source_that_leads_there_lost_it() -> None:
    """Another source that shows it counts, but only where a route takes its items to the same place."""
    item = make_post()
    shown = facts(known=known(item), live_elsewhere={item.uid: frozenset({"agenda"})})
    assert outcome(change(item, "gone"), given=shown) == Plan()
    only_toots = replace(ROUTE, sources=("toots",))
    elsewhere = replace(ROUTE, name="e", sources=("agenda",), destinations=("x",))
    assert outcome(change(item, "gone"), routes=(only_toots, elsewhere), given=shown).planned == (followed(item, "delete", 0),)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (make_post(tags=("nocross",)), "opted-out"),
        (make_post(visibility="private"), "not-public"),
        (make_event(draft=True), "draft"),
    ],
)
def test_what_its_author_takes_back_later_is_removed(item: Item, reason: str) -> None:
    """An opt-out, a post made private, an event made a draft again: as good as deleted, even while another source shows it."""
    given = facts(known=known(item), live_elsewhere={item.uid: frozenset({"agenda", "toots"})})
    made = outcome(change(item, "changed"), given=given)
    assert made == Plan(planned=(followed(item, "delete", 0),), cancelled=(cancelled(item, reason),))


def test_a_content_warning_given_later_removes_it_where_those_are_skipped() -> None:
    """The old copy without the warning does not stay."""
    item = make_post(content_warning="mort")
    route = replace(ROUTE, style=Style(content_warnings="skip"))
    assert outcome(change(item, "changed"), routes=(route,), given=facts(known=known(item))).planned == (followed(item, "delete", 0),)


def test_what_one_of_two_routes_carries_is_not_removed_by_the_other() -> None:
    """An unlisted post that the second route takes stays, though the first does not carry such posts."""
    item = make_post(visibility="unlisted")
    routes = (ROUTE, replace(ROUTE, name="quiet", filter=Filter(unlisted=True)))
    made = outcome(change(item, "changed"), routes=routes, given=facts(known=known(item, route="quiet")))
    assert made.planned == (followed(item, "update", 2, route="quiet"),)


def test_a_route_to_elsewhere_does_not_keep_it_here() -> None:
    """Unlisted now: the route that takes such posts leads to another place, so the copy here is removed."""
    item = make_post(visibility="unlisted")
    routes = (ROUTE, replace(ROUTE, name="quiet", destinations=("x",), filter=Filter(unlisted=True)))
    made = outcome(change(item, "changed"), routes=routes, given=facts(known={**known(item), **known(item, target="x", route="quiet")}))
    assert [(one.destination, one.purpose) for one in made.planned] == [("wall", "delete"), ("x", "update")]


def test_an_edit_that_no_longer_passes_the_filter_still_follows() -> None:
    """What is out is kept true; the filter only decides what goes out."""
    item = make_post()
    route = replace(ROUTE, filter=Filter(tags=("vélo",)))
    assert outcome(change(item, "changed"), routes=(route,), given=facts(known=known(item))).planned == (followed(item, "update", 2),)


def test_an_event_cancelled_before_it_was_announced_is_not_announced() -> None:
    """It waits no longer, whatever became of its other parts; one that is out is updated."""
    event = make_event(status="cancelled")
    one = known(event, "pending")[event.uid, "wall"][0]
    waiting = {(event.uid, "wall"): (one, replace(one, part=1, state="dropped", reason="superseded"))}
    assert outcome(change(event, "changed"), given=facts(known=waiting)) == Plan(
        cancelled=(cancelled(event, "cancelled-in-time", "create"),)
    )
    assert outcome(change(event, "changed"), given=facts(known=known(event))).planned == (followed(event, "update", 2),)


@pytest.mark.parametrize("reason", sorted(RECONSIDERED))
def test_what_was_dropped_for_a_reason_that_has_passed_goes_out(reason: str) -> None:
    """An event that takes place after all, an opt-out that was a slip: nothing was sent, so it is decided anew."""
    item = make_post()
    made = outcome(change(item, "changed"), given=facts(known=known(item, "dropped", reason=reason)))
    assert made == Plan(planned=(created(item),))


@pytest.mark.parametrize("reason", ["by-hand", "never-sent", "deleted-in-time"])
def test_what_a_person_gave_up_stays_so(reason: str) -> None:
    """An edit does not overrule a person."""
    item = make_post()
    assert outcome(change(item, "changed"), given=facts(known=known(item, "dropped", reason=reason))) == Plan()


def test_what_comes_back_lives_again() -> None:
    """Unpublished and published again: a creation of its own, though it is older than the route; but not where it never was."""
    item = make_post(published_at=NOW - timedelta(hours=5))
    fresh = {("r", "toots", "wall"): NOW}
    back = change(item, "returned", incarnation=1)
    made = outcome(back, given=facts(known=known(item), since=fresh))
    assert made == Plan(planned=(created(item, revision=1, due_at=NOW - timedelta(hours=5) + ROUTE.delay),))
    assert outcome(back, given=facts(since=fresh)) == refused(item, "old")


def test_unknown_places_are_left_alone() -> None:
    """A route to a projection, or from another source, plans nothing."""
    item = make_post(source="elsewhere")
    assert outcome(change(item)) == Plan()
    assert outcome(change(make_post()), routes=(replace(ROUTE, destinations=("page",)),)) == Plan()


# loops by accounts


@pytest.mark.parametrize(
    ("ways", "circle"),
    [
        ([], ()),
        ([("a@x", "b@x")], ()),
        ([("a@x", "A@X")], ("a@x",)),
        ([("a@x", "b@x"), ("b@x", "a@x")], ("a@x", "b@x")),
        ([("a@x", "b@x"), ("b@x", "c@x"), ("c@x", "a@x"), ("d@x", "a@x")], ("a@x", "b@x", "c@x")),
        ([("a@x", "b@x"), ("a@x", "c@x"), ("b@x", "d@x"), ("c@x", "d@x")], ()),
        ([("d@x", "b@x"), ("b@x", "c@x"), ("c@x", "b@x")], ("b@x", "c@x")),
        ([(None, "a@x"), ("a@x", None), (None, None)], ()),
    ],
)
def test_find_loop(ways: Any, circle: tuple[str, ...]) -> None:
    """A circle is found through any number of accounts, and only a circle; unknown accounts make none."""
    assert find_loop(ways) == circle

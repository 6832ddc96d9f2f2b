"""Every rule of ``plan``, by name: who gets what, when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syndicator.model import Actor, Item, Post
from syndicator.plan import (
    RECONSIDERED,
    Cancelled,
    Change,
    Facts,
    Known,
    Plan,
    Planned,
    Refused,
    Target,
    find_loop,
    fold,
    passes,
    plan,
    refusal,
    too_late,
)
from syndicator.route import Filter, Route, Style
from syndicator.testing import make_event, make_post

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
EVERYTHING = frozenset({"note", "article", "video", "live", "image", "audio", "event"})
OPENED = {("r", source, target): NOW - timedelta(days=30) for source in ("toots", "agenda") for target in ("wall", "x")}
ROUTE = Route(name="r", sources=("toots", "agenda"), destinations=("wall",))
EDITS = ("update", "replace", "announce-change")
"""What an edit may still be waiting as."""
TARGETS = {"wall": Target(name="wall", type="mastodon", kinds=EVERYTHING), "x": Target(name="x", type="x", kinds=EVERYTHING)}


def change(item: Item, kind: Any = "new", **changes: Any) -> Change:
    return replace(Change(kind=kind, item=item, incarnation=0, revision=1 if kind == "new" else 2, first_seen_at=NOW), **changes)


def known(item: Item, state: str = "done", target: str = "wall", **changes: Any) -> dict[tuple[str, str], tuple[Known, ...]]:
    one = Known(id=1, route="r", part=0, incarnation=0, state=state, outcome_unknown=False)
    return {(item.uid, target): (replace(one, **changes),)}


def facts(**changes: Any) -> Facts:
    return replace(Facts(since=OPENED), **changes)


def outcome(*changes: Change, routes: tuple[Route, ...] = (ROUTE,), given: Facts | None = None, now: datetime = NOW) -> Plan:
    return plan(changes, routes, TARGETS, given or facts(), now)


def created(item: Item, **changes: Any) -> Planned:
    base = Planned(
        route="r", source=item.source, uid=item.uid, destination="wall", purpose="create", revision=0, due_at=NOW - timedelta(minutes=3)
    )
    return replace(base, **changes)


def refused(item: Item, reason: str, *, route: str = "r", target: str = "wall") -> Plan:
    return Plan(refused=(Refused(route=route, destination=target, uid=item.uid, reason=reason),))


def cancelled(item: Item, reason: str, *purposes: Any) -> Cancelled:
    return Cancelled(uid=item.uid, destination="wall", purposes=purposes or ("create", *EDITS), reason=reason)


def followed(item: Item, purpose: Any, revision: int, **changes: Any) -> Planned:
    return created(item, purpose=purpose, revision=revision, due_at=NOW, parent_uid=item.uid, **changes)


# carried


def test_a_new_public_item_is_created_once_its_grace_is_over() -> None:
    """Published five minutes ago with a grace of two: due three minutes ago."""
    item = make_post()
    assert outcome(change(item)) == Plan(planned=(created(item),))


@pytest.mark.parametrize(
    ("published_at", "due_at"),
    [
        (NOW, NOW + timedelta(minutes=10)),
        (NOW - timedelta(minutes=4), NOW + timedelta(minutes=6)),
        (NOW - timedelta(hours=2), NOW - timedelta(minutes=110)),
        (NOW + timedelta(days=3), NOW + timedelta(minutes=10)),
        (None, NOW + timedelta(minutes=10)),
    ],
)
def test_grace_is_counted_from_publication_never_from_the_future(published_at: datetime | None, due_at: datetime) -> None:
    """An origin whose clock is ahead does not hold its items for days; one without a date counts from when it was seen."""
    item = make_post(published_at=published_at)
    route = replace(ROUTE, delay=timedelta(minutes=10))
    assert outcome(change(item), routes=(route,)) == Plan(planned=(created(item, due_at=due_at),))


def test_items_leave_in_the_order_of_their_publication() -> None:
    """Whatever order a batch has."""
    items = [make_post(uid=f"u{minutes}", published_at=NOW - timedelta(minutes=minutes)) for minutes in (3, 9, 6)]
    assert [planned.uid for planned in outcome(*map(change, items)).planned] == ["u9", "u6", "u3"]


def test_a_reply_never_stands_before_what_it_answers() -> None:
    """Even when clocks say otherwise, when both are of one second, or when they answer each other in a circle."""
    at = NOW - timedelta(minutes=5)
    last = make_post(uid="a", in_reply_to="b", published_at=at)
    middle = make_post(uid="b", in_reply_to="c", published_at=at)
    root = make_post(uid="c", published_at=at + timedelta(seconds=30))
    circle = [make_post(uid="d", in_reply_to="e", published_at=NOW), make_post(uid="e", in_reply_to="d", published_at=NOW)]
    planned = outcome(*map(change, (last, middle, root, *circle))).planned
    assert [(one.uid, one.parent_uid) for one in planned] == [("c", None), ("b", "c"), ("a", "b"), ("e", "d"), ("d", "e")]


# refused


@pytest.mark.parametrize("visibility", ["unlisted", "private", "direct"])
def test_refused_not_public(visibility: Any) -> None:
    """Only public items are carried; unlisted ones where the route says so, private ones never."""
    item = make_post(visibility=visibility)
    assert outcome(change(item)) == refused(item, "not-public")
    open_route = replace(ROUTE, filter=Filter(unlisted=True))
    assert bool(outcome(change(item), routes=(open_route,)).planned) == (visibility == "unlisted")


@pytest.mark.parametrize("item", [make_post(draft=True), make_event(draft=True)])
def test_refused_drafts(item: Item) -> None:
    """A draft is nobody's business."""
    assert outcome(change(item)) == refused(item, "draft")


def test_refused_replies_to_others() -> None:
    """A conversation with somebody else stays where it is; a thread with oneself is carried."""
    item = make_post(reply_to_other=True, in_reply_to="https://elsewhere.example/1")
    assert outcome(change(item)) == refused(item, "reply")
    own = make_post(in_reply_to="https://social.example/0")
    assert outcome(change(own)).planned == (created(own, parent_uid="https://social.example/0"),)


BOOST = make_post(
    boost_of="https://elsewhere.example/9", boost_of_other=True, author=Actor(name="Voisins", handle="Voisins@elsewhere.example")
)


@pytest.mark.parametrize(
    ("item", "given", "conditions", "reason"),
    [
        (BOOST, {}, {}, "boost"),
        (BOOST, {"own_accounts": frozenset({"voisins@elsewhere.example"})}, {}, None),
        (BOOST, {"own_accounts": frozenset({"voisins@elsewhere.example"})}, {"boosts": False}, "boost"),
        (BOOST, {"own_accounts": frozenset({"voisins@elsewhere.example"}), "stored": frozenset({BOOST.boost_of})}, {}, "boost"),
        (replace(BOOST, boost_of_other=False), {}, {}, None),
        (replace(BOOST, boost_of_other=False), {"stored": frozenset({BOOST.boost_of})}, {}, "boost"),
    ],
)
def test_refused_boosts_of_others_and_of_what_is_carried_already(item: Post, given: Any, conditions: Any, reason: str | None) -> None:
    """A stranger's words are not ours to repeat, and our own are not repeated twice."""
    route = replace(ROUTE, filter=Filter(**conditions))
    assert refusal(item, route, "wall", "mastodon", facts(**given)) == reason


def test_refused_loops() -> None:
    """What we made ourselves and what our own program posted does not go round."""
    item = make_post()
    assert outcome(change(item), given=facts(ours=frozenset({item.uid}))) == refused(item, "loop")
    posted = make_post(application="Syndicator")
    assert outcome(change(posted)) == refused(posted, "loop")


def test_refused_opted_out() -> None:
    """The author's hashtag keeps an item from the network it names, by type or by name, and from no other."""
    both = replace(ROUTE, destinations=("wall", "x"))
    item = make_post(tags=("noX",))
    made = outcome(change(item), routes=(both,))
    assert made == Plan(planned=(created(item),), refused=refused(item, "opted-out", target="x").refused)
    by_type = make_post(tags=("pasMastodon",))
    assert outcome(change(by_type)) == refused(by_type, "opted-out")
    everywhere = make_post(html="<p>Entre nous #nocross</p>")
    assert outcome(change(everywhere), routes=(both,)).planned == ()


def test_refused_older_than_the_route() -> None:
    """The first look mirrors nothing old unless backfill asks for it, and then no older than that."""
    item = make_post(published_at=NOW - timedelta(hours=5))
    first = change(item, first=True)
    fresh = facts(since={("r", "toots", "wall"): NOW})
    assert outcome(first, given=fresh) == refused(item, "old")
    for hours, carried in ((4, False), (6, True)):
        route = replace(ROUTE, backfill=timedelta(hours=hours))
        assert bool(outcome(first, routes=(route,), given=fresh).planned) is carried


def test_an_undated_item_of_the_first_look_is_old() -> None:
    """Without a date nobody can tell; only backfill takes it."""
    item = make_post(published_at=None)
    fresh = facts(since={("r", "toots", "wall"): NOW})
    assert outcome(change(item, first=True), given=fresh) == refused(item, "old")
    assert outcome(change(item), given=fresh).planned
    assert outcome(change(item, first=True), routes=(replace(ROUTE, backfill=timedelta(hours=1)),), given=fresh).planned


@pytest.mark.parametrize(("seconds", "carried"), [(119, True), (121, False)])
def test_an_origin_whose_clock_is_late_is_forgiven_two_minutes(seconds: int, carried: bool) -> None:
    """For what was not there at the first look; what was there is older than the route for sure."""
    item = make_post(published_at=NOW - timedelta(seconds=seconds))
    fresh = facts(since={("r", "toots", "wall"): NOW})
    assert bool(outcome(change(item), given=fresh).planned) is carried
    assert outcome(change(item, first=True), given=fresh) == refused(item, "old")


def test_an_edit_does_not_make_an_old_item_new() -> None:
    """Nor does a look after the route was opened."""
    item = make_post(published_at=NOW - timedelta(hours=5))
    fresh = facts(since={("r", "toots", "wall"): NOW})
    assert outcome(change(item, "changed", first=True), given=fresh) == refused(item, "old")


def test_refused_too_old_to_be_news() -> None:
    """After an outage of days, what nobody waits for any more is left out; backfill is the longer of both."""
    item = make_post(published_at=NOW - timedelta(days=4))
    assert outcome(change(item)) == refused(item, "stale")
    assert outcome(change(item), routes=(replace(ROUTE, max_age=timedelta(days=5)),)).planned
    assert outcome(change(item), routes=(replace(ROUTE, backfill=timedelta(days=5)),)).planned


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("times", "over"),
    [
        ({"starts_at": NOW - DAY, "ends_at": NOW + DAY}, None),
        ({"starts_at": NOW - DAY, "ends_at": NOW}, "over"),
        ({"starts_at": NOW, "ends_at": None}, "over"),
        ({"starts_at": NOW + DAY, "ends_at": None}, None),
        ({"starts_at": NOW - timedelta(hours=12), "ends_at": None, "start_is_date": True}, None),
        ({"starts_at": NOW - timedelta(hours=25), "ends_at": None, "start_is_date": True}, "over"),
        ({"starts_at": NOW - 3 * DAY, "ends_at": NOW - timedelta(hours=12), "start_is_date": True, "end_is_date": True}, None),
    ],
)
def test_refused_events_that_are_over(times: Any, over: str | None) -> None:
    """An event is news until its end, a date-only one until the end of its last day, however long ago it was announced."""
    event = make_event(published_at=NOW - 20 * DAY, **times)
    assert too_late(event, NOW - 20 * DAY, NOW, 3 * DAY) == over
    assert outcome(change(event)) == (
        refused(event, over) if over else Plan(planned=(created(event, due_at=NOW - 20 * DAY + ROUTE.delay),))
    )


def test_refused_cancelled_before_anybody_was_told() -> None:
    """Nobody needs to hear that what they never heard of does not take place."""
    event = make_event(status="cancelled")
    assert outcome(change(event)) == refused(event, "cancelled")


def test_refused_by_the_destination_s_kinds() -> None:
    """What a network cannot show is not sent there."""
    item = make_post(kind="video")
    targets = {"wall": replace(TARGETS["wall"], kinds=frozenset({"note"}))}
    assert plan([change(item)], (ROUTE,), targets, facts(), NOW) == refused(item, "kind")


def test_refused_content_warnings_where_the_route_skips_them() -> None:
    """``content_warnings = "skip"``: nothing at all; else the item goes."""
    item = make_post(content_warning="actualités")
    assert outcome(change(item), routes=(replace(ROUTE, style=Style(content_warnings="skip")),)) == refused(item, "content-warning")
    assert outcome(change(item)).planned


@pytest.mark.parametrize(
    ("conditions", "item", "fits"),
    [
        ({}, make_post(), True),
        ({"kinds": ("event",)}, make_post(), False),
        ({"kinds": ("event",)}, make_event(), True),
        ({"kinds": ("note", "video")}, make_post(kind="video"), True),
        ({"tags": ("vélo",)}, make_post(tags=("Velo",)), True),
        ({"tags": ("#VÉLO",)}, make_post(tags=("velo",)), True),
        ({"tags": ("vélo", "train")}, make_post(tags=("auto",)), False),
        ({"exclude_tags": ("interne",)}, make_post(tags=("Interne",)), False),
        ({"languages": ("fr",)}, make_post(language="fr-CA"), True),
        ({"languages": ("fr",)}, make_post(language="fro"), False),
        ({"languages": ("fr",)}, make_post(language=None), True),
        ({"languages": ("br", "fr")}, make_post(language="en"), False),
        ({"keywords": ("réunion",)}, make_post(html="<p>Une REUNION demain</p>"), True),
        ({"keywords": ("union",)}, make_post(html="<p>Une réunion demain</p>"), False),
        ({"keywords": ("atelier",)}, make_event(title="Atelier !"), True),
        ({"keywords": ("p",)}, make_post(html="<p>rien</p>"), False),
        ({"exclude_keywords": ("privé",)}, make_post(html="<p>C’est privé.</p>"), False),
        ({"tags": ("vélo",), "exclude_keywords": ("privé",)}, make_post(tags=("vélo",)), True),
    ],
)
def test_refused_by_the_route_s_filter(conditions: Any, item: Item, fits: bool) -> None:
    """Every condition counts; case and accents do not, and words are whole."""
    assert passes(item, Filter(**conditions)) is fits
    assert outcome(change(item), routes=(replace(ROUTE, filter=Filter(**conditions)),)).planned == ((created(item),) if fits else ())


def test_folding_takes_case_accents_and_the_sharp_away() -> None:
    """And leaves other scripts alone."""
    assert [fold(text) for text in ("#ÉTÉ", "Straße", "Ζωή", "日本")] == ["ete", "strasse", "ζωη", "日本"]


def test_two_routes_to_one_destination_carry_an_item_once() -> None:
    """The first that does not refuse it."""
    item = make_post(tags=("vélo",))
    first = replace(ROUTE, name="first", filter=Filter(tags=("train",)))
    routes = (first, ROUTE, replace(ROUTE, name="last"))
    given = facts(since={(name, "toots", "wall"): NOW - 30 * DAY for name in ("first", "r", "last")})
    assert outcome(change(item), routes=routes, given=given) == Plan(
        planned=(created(item),), refused=refused(item, "filter", route="first").refused
    )


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

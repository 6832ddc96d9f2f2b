"""Every rule of ``plan``, by name: who gets what, when, and who does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from syndicator.model import Actor, Item, Post
from syndicator.plan import Plan, fold, passes, plan, refusal, too_late
from syndicator.route import Filter, Style
from syndicator.testing import make_event, make_post
from tests.plan_scene import NOW, ROUTE, TARGETS, change, created, facts, outcome, refused

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

"""The ledger: what is kept, in which order it is given out, and what happens when the disk, the file or the folder fails."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest

from syndicator import schema
from syndicator.errors import StateError
from syndicator.items import Stored, instant
from syndicator.model import Delivery, Item, Place, Receipt, Rendition, Tombstone
from syndicator.outbox import Claim
from syndicator.plan import Cancelled, Change, Known, Plan, Planned
from syndicator.problems import Problem
from syndicator.rows import Sent
from syndicator.store import Ledger, Store
from syndicator.testing import make_event, make_post, make_rendition

T = TypeVar("T")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LEASE = timedelta(minutes=10)


def after(**length: float) -> datetime:
    return NOW + timedelta(**length)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "syndicator.db")
    yield ledger
    ledger.close()


@pytest.fixture
def do(ledger: Ledger) -> Callable[[Callable[[Store], Any]], Any]:
    return ledger.transact_now


Do = Callable[[Callable[[Store], Any]], Any]


def planned(uid: str = "u", **changes: Any) -> Planned:
    base = Planned(route="r", source="toots", uid=uid, destination="wall", purpose="create", revision=0, due_at=NOW)
    return replace(base, **changes)


def at_once(delivery: Delivery, last_sent_at: datetime | None) -> datetime:
    return delivery.due_at


def write(do: Do, *plans: Planned, now: datetime = NOW) -> int:
    return int(do(lambda store: store.outbox.write(Plan(planned=plans), now)))


def claim(do: Do, now: datetime = NOW, allowed: Any = at_once, owner: str = "me") -> Claim:
    claimed: Claim = do(lambda store: store.outbox.claim("wall", owner, LEASE, now, allowed))
    return claimed


def claimed(do: Do, now: datetime = NOW) -> Delivery:
    delivery = claim(do, now).delivery
    assert delivery is not None
    return delivery


def send(do: Do, delivery: Delivery, now: datetime = NOW, *parts: str) -> tuple[Rendition, ...]:
    texts = parts or ("texte",)
    renditions = tuple(make_rendition(uid=delivery.uid, text=text, part=number, parts=len(texts)) for number, text in enumerate(texts))
    assert do(lambda store: store.outbox.sending(delivery, renditions[0], renditions, now))
    return renditions


def deliver(do: Do, delivery: Delivery, remote_id: str, now: datetime = NOW, *parts: str) -> None:
    rendition = send(do, delivery, now, *parts)[0]
    do(lambda store: store.outbox.done(delivery, Receipt(remote_id=remote_id, url=f"https://wall.example/{remote_id}"), rendition, now))


def states(do: Do) -> list[tuple[str, int, str, str]]:
    """(purpose, part, state, reason), the oldest first."""
    rows = do(lambda store: store.outbox.deliveries("pending", "sending", "done", "parked", "dropped"))
    return [(row.purpose, row.part, row.state, row.reason) for row in sorted(rows, key=lambda row: row.id)]


# items


def diff(do: Do, *items: Item, now: datetime = NOW, first: bool = False, source: str = "toots") -> list[Change]:
    changes: list[Change] = do(lambda store: store.items.diff(source, items, now, first=first))
    return changes


def bury(do: Do, uid: str, now: datetime, *, certain: bool = True, source: str = "toots") -> list[Change]:
    confirmed_before = now - timedelta(minutes=1)
    tombstone = Tombstone(uid=uid, certain=certain)
    changes: list[Change] = do(lambda store: store.items.bury(source, [tombstone], now, confirmed_before))
    return changes


def test_what_is_new_what_changed_and_what_did_not(do: Do) -> None:
    """An item is told once, then whenever its content differs, with its number; an equal one is no change."""
    one, two = make_post(uid="1"), make_post(uid="2", html="<p>Autre</p>")
    assert diff(do, one, two, first=True) == [
        Change(kind="new", item=one, incarnation=0, revision=1, first_seen_at=NOW, first=True),
        Change(kind="new", item=two, incarnation=0, revision=1, first_seen_at=NOW, first=True),
    ]
    edited = replace(two, html="<p>Mieux</p>")
    assert diff(do, replace(one, updated_at=after(hours=1)), edited, now=after(hours=1)) == [
        Change(kind="changed", item=edited, incarnation=0, revision=2, first_seen_at=NOW, first=True)
    ]
    assert do(lambda store: store.items.item("toots", "2")) == Stored(
        item=edited, incarnation=0, revision=2, first_seen_at=NOW, changed_at=after(hours=1), first=True
    )


def test_gone_and_back_is_another_life(do: Do) -> None:
    """The same item, with the next number of its life; equal content or not."""
    item = make_post(uid="1")
    diff(do, item)
    gone = bury(do, "1", after(minutes=1))
    assert gone == [Change(kind="gone", item=item, incarnation=0, revision=1, first_seen_at=NOW)]
    assert do(lambda store: store.items.item("toots", "1")) is None
    assert bury(do, "1", after(minutes=2)) == []
    back = diff(do, item, now=after(minutes=3))
    assert back == [Change(kind="returned", item=item, incarnation=1, revision=2, first_seen_at=after(minutes=3))]
    assert do(lambda store: store.items.counts()) == {"toots": 1}


def test_two_sources_share_the_lives_of_an_item(do: Do) -> None:
    """While one still shows it, it goes on; when none does, whichever shows it next begins another life."""
    item = make_post(uid="1")
    diff(do, item, source="a")
    assert [change.incarnation for change in diff(do, item, source="b")] == [0]
    bury(do, "1", NOW, source="a")
    assert do(lambda store: store.items.live_elsewhere("a", ["1", "2"])) == {"1": frozenset({"b"})}
    assert [(change.kind, change.incarnation) for change in diff(do, item, source="a")] == [("returned", 0)]
    bury(do, "1", NOW, source="a")
    bury(do, "1", NOW, source="b")
    assert [(change.kind, change.incarnation) for change in diff(do, item, source="c")] == [("new", 1)]
    assert [(change.kind, change.incarnation) for change in diff(do, item, source="b")] == [("returned", 1)]


def test_two_sources_never_give_an_item_the_same_revision_twice(do: Do) -> None:
    """Else the edit that one of them missed would be taken for one that was followed already."""
    for source in ("a", "b"):
        diff(do, make_post(uid="1"), source=source)
    revisions = [
        diff(do, make_post(uid="1", html=f"<p>{number}</p>"), source=source)[0].revision
        for number, source in enumerate(("a", "b", "b", "a"))
    ]
    assert revisions == [2, 3, 4, 5]


def test_an_item_is_shown_as_its_own_source_has_it_else_as_another_does(do: Do) -> None:
    """So that one source's loss is not the item's; only those asked for count."""
    one, other = make_post(uid="1", source="a", html="<p>A</p>"), make_post(uid="1", source="b", html="<p>B</p>")
    diff(do, one, source="a")
    diff(do, other, source="b")

    def shown(source: str, among: set[str] | None = None) -> Item | None:
        stored = do(lambda store: store.items.item(source, "1", among))
        return None if stored is None else stored.item

    assert [shown("a"), shown("b"), shown("c"), shown("a", {"b"}), shown("a", {"c"})] == [one, other, one, other, None]
    bury(do, "1", NOW, source="a")
    assert [shown("a"), shown("b")] == [other, other]


def test_missing_counts_only_when_it_is_confirmed_later(do: Do) -> None:
    """Once is an accident; the second time, not before some time has passed, it is gone. Seen in between, it never was."""
    diff(do, make_post(uid="1"))
    assert bury(do, "1", NOW, certain=False) == []
    assert do(lambda store: store.items.missing("toots", "1"))
    assert do(lambda store: store.items.waiting("toots")) == {"1"}
    assert bury(do, "1", after(seconds=30), certain=False) == []
    assert do(lambda store: store.items.unconfirmed("toots", after(seconds=-1))) == []
    assert do(lambda store: store.items.unconfirmed("toots", NOW)) == ["1"]
    assert [change.kind for change in bury(do, "1", after(seconds=60), certain=False)] == ["gone"]
    assert do(lambda store: store.items.unconfirmed("toots", after(hours=1))) == []


@pytest.mark.parametrize("how", ["present", "changed", "edited"])
def test_missing_is_forgotten_when_it_is_seen(do: Do, how: str) -> None:
    """Named as present, or told again, equal or not."""
    item = make_post(uid="1")
    diff(do, item, make_post(uid="2"))
    bury(do, "1", NOW, certain=False)
    bury(do, "2", NOW, certain=False)
    if how == "present":
        do(lambda store: store.items.mark_present("toots", ["1", "unheard-of"]))
    else:
        diff(do, replace(item, html="<p>Mieux</p>") if how == "edited" else item)
    assert do(lambda store: store.items.waiting("toots")) == {"2"}
    assert bury(do, "1", after(hours=1), certain=False) == []


def test_a_tombstone_of_a_stranger_is_nothing(do: Do) -> None:
    """Nor one from another source."""
    diff(do, make_post(uid="1"))
    assert bury(do, "unheard-of", NOW) == []
    assert bury(do, "1", NOW, source="agenda") == []


def test_a_cursor_is_kept_until_there_is_another(do: Do) -> None:
    """None keeps the old place; the first look is the first once."""

    def cursor(store: Store) -> tuple[str | None, bool]:
        return store.items.cursor("toots")

    assert do(cursor) == (None, True)
    do(lambda store: store.items.set_cursor("toots", None, NOW))
    assert do(cursor) == (None, False)
    for given, kept in (("a", "a"), (None, "a"), ("b", "b")):
        do(lambda store, given=given: store.items.set_cursor("toots", given, NOW))
        assert do(cursor) == (kept, False)


def test_a_way_is_open_since_it_was_first_asked_for(do: Do) -> None:
    """Whatever is added later is open from then on, and is said to be new once."""
    one, two = ("r", "toots", "wall"), ("r", "toots", "x")
    assert do(lambda store: store.items.since([one], NOW)) == ({one: NOW}, True)
    assert do(lambda store: store.items.since([one], after(hours=1))) == ({one: NOW}, False)
    assert do(lambda store: store.items.since([one, two], after(hours=2))) == ({one: NOW, two: after(hours=2)}, True)


def test_a_way_that_was_opened_by_a_wrong_clock_is_open_from_now(do: Do) -> None:
    """Opened tomorrow, as the clock had it then: else what is published until tomorrow would be older than its route."""
    way = ("r", "toots", "wall")
    do(lambda store: store.items.since([way], after(days=1)))
    assert do(lambda store: store.items.since([way], NOW)) == ({way: NOW}, False)
    assert do(lambda store: store.items.since([way], after(hours=1))) == ({way: NOW}, False)


def test_a_complete_listing_must_hold_what_is_in_its_window(do: Do) -> None:
    """Events by their end, posts by their publication; the gone, and other sources', are not expected."""
    past = make_event(uid="past", starts_at=after(days=-9), ends_at=after(days=-8))
    running = make_event(uid="running", starts_at=after(days=-9), ends_at=after(days=9))
    old, new = make_post(uid="old", published_at=after(days=-5)), make_post(uid="new", published_at=after(days=-1))
    diff(do, past, running, old, new, make_post(uid="gone"))
    diff(do, make_post(uid="elsewhere"), source="b")
    bury(do, "gone", NOW)
    assert sorted(do(lambda store: store.items.listed("toots", after(days=-2)))) == ["new", "running"]
    assert sorted(do(lambda store: store.items.listed("toots", None))) == ["new", "old", "past", "running"]


def test_changes_are_numbered_through(do: Do) -> None:
    """What came, changed or went since a number; nothing counts up when nothing changed."""
    item = make_post(uid="1")
    diff(do, item, make_post(uid="2"))
    assert do(lambda store: (store.items.seq(), store.items.changed_since(0))) == (2, {"1", "2"})
    diff(do, item)
    assert do(lambda store: store.items.seq()) == 2
    bury(do, "2", NOW)
    assert do(lambda store: (store.items.seq(), store.items.changed_since(2))) == (3, {"2"})


def test_a_window_holds_the_newest_posts_and_the_events_that_are_not_long_over(do: Do) -> None:
    """In the order of their dates, from the sources asked for."""
    events = [make_event(uid=f"e{days}", starts_at=after(days=days), ends_at=after(days=days, hours=1)) for days in (-9, 3, -1)]
    posts = [make_post(uid=f"p{days}", published_at=after(days=-days)) for days in (1, 3, 2)]
    diff(do, *events, *posts)
    diff(do, make_post(uid="other"), source="b")
    window = do(lambda store: store.items.window(["toots"], after(days=-2), 2))
    assert [stored.item.uid for stored in window] == ["e-1", "e3", "p2", "p1"]


@pytest.mark.parametrize(
    ("changes", "grows"),
    [
        ({"starts_at": after(days=20)}, 1),
        ({"ends_at": None}, 1),
        ({"start_is_date": True}, 1),
        ({"place": Place(name="Ailleurs")}, 1),
        ({"online_url": "https://visio.example"}, 1),
        ({"status": "cancelled"}, 1),
        ({"title": "Autre"}, 0),
        ({"html": "<p>Autre</p>"}, 0),
        ({"sequence": 7}, 7),
    ],
)
def test_the_sequence_of_an_event_grows_when_it_moves(do: Do, changes: Any, grows: int) -> None:
    """RFC 5545 3.8.7.4: date, place, status; not every word. An origin that counts itself is believed when it is ahead."""
    event = make_event()
    diff(do, event)
    diff(do, replace(event, capacity=99, **changes))
    assert do(lambda store: store.items.item("toots", event.uid)).item.sequence == grows


def test_an_event_does_not_move_by_standing_in_the_hour_that_is_there_twice(do: Do) -> None:
    """The last Sunday of October, half past two at night, in the event's own zone as sources give it."""
    event = make_event(starts_at=datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Paris")), ends_at=None)
    diff(do, event)
    changes = diff(do, replace(event, title="Autre"))
    assert [change.item.sequence for change in changes if not isinstance(change.item, type(make_post()))] == [0]


def test_the_backlog_of_a_new_way_is_what_is_there(do: Do) -> None:
    """Live items as if they were new, the oldest first, with what is known of them."""
    items = [make_post(uid=f"{days}", published_at=after(days=-days)) for days in (1, 3, 2, 9)]
    diff(do, *items, first=True)
    bury(do, "2", NOW)
    backlog = do(lambda store: store.items.backlog("toots", after(days=-5)))
    assert [(change.kind, change.item.uid, change.first) for change in backlog] == [("new", "3", True), ("new", "1", True)]


# the outbox: claims


def test_a_delivery_is_written_once(do: Do) -> None:
    """Item, destination, purpose, revision and part make it; a second plan for the same leaves it as it is."""
    assert write(do, planned()) == 1
    assert write(do, planned(due_at=after(days=1), route="other")) == 0
    assert claimed(do).route == "r"


def test_the_first_that_is_due_leaves_first_and_is_nobody_else_s(do: Do) -> None:
    """A claim is a lease; another claim gets the next, or hears when to come back."""
    write(
        do, planned("late", due_at=after(minutes=-1)), planned("early", due_at=after(minutes=-2)), planned("later", due_at=after(hours=1))
    )
    assert [claimed(do).uid, claimed(do).uid] == ["early", "late"]
    assert claim(do) == Claim(look_again_at=after(minutes=10))
    assert claim(do, after(minutes=9)).delivery is None
    assert claimed(do, after(minutes=10)).uid == "early"


def test_nothing_to_do_is_said(do: Do) -> None:
    """And when the next is due."""
    assert claim(do) == Claim()
    write(do, planned(due_at=after(hours=1)))
    assert claim(do) == Claim(look_again_at=after(hours=1))
    assert claim(do, after(hours=1)).delivery is not None


def test_leases_are_given_back_at_a_start(do: Do) -> None:
    """The one process that holds the folder takes what an interrupted one had claimed; nothing is written when there is nothing."""
    write(do, planned())
    claimed(do)
    assert claim(do).delivery is None
    assert do(lambda store: store.outbox.free()) == 1
    assert do(lambda store: store.outbox.free()) == 0
    assert claimed(do).outcome_unknown is False


def test_what_was_being_sent_when_the_process_died_has_an_unknown_outcome(do: Do) -> None:
    """With exactly what left, and since when."""
    write(do, planned())
    rendition = send(do, claimed(do), after(seconds=1))[0]
    do(lambda store: store.outbox.free())
    again = claimed(do, after(minutes=1))
    assert (again.outcome_unknown, again.rendition, again.first_sent_at, again.attempts) == (True, rendition, after(seconds=1), 1)


def test_what_was_withdrawn_does_not_leave(do: Do) -> None:
    """A cancellation that comes while it is being prepared wins; nothing that goes wrong afterwards brings it back."""
    write(do, planned())
    delivery = claimed(do)
    withdrawal = Cancelled(uid="u", destination="wall", purposes=("create",), reason="opted-out")
    do(lambda store: store.outbox.write(Plan(cancelled=(withdrawal,)), NOW))
    rendition = make_rendition()
    assert not do(lambda store: store.outbox.sending(delivery, rendition, [rendition], NOW))
    do(lambda store: store.outbox.again(delivery, NOW, "Transient", NOW, outcome_unknown=False, attempted=False))
    assert not do(lambda store: store.outbox.park(delivery, "Rejected", NOW, outcome_unknown=False))
    do(lambda store: store.outbox.drop(delivery.id, "stale", NOW))
    assert states(do) == [("create", 0, "dropped", "opted-out")]
    assert claim(do) == Claim()


def test_what_may_be_out_is_not_cancelled(do: Do) -> None:
    """Being sent, or with an unknown outcome, waiting or parked: only what surely never left can simply be forgotten."""
    withdrawal = Cancelled(uid="u", destination="wall", purposes=("create",), reason="deleted-in-time")

    def withdraw(store: Store) -> None:
        store.outbox.write(Plan(cancelled=(withdrawal,)), NOW)

    write(do, planned())
    delivery = claimed(do)
    send(do, delivery)
    for step in ("sending", "pending", "parked"):
        do(withdraw)
        assert states(do)[0][2] == step
        if step == "sending":
            do(lambda store: store.outbox.again(delivery, NOW, "x", NOW, outcome_unknown=True, attempted=True))
        elif step == "pending":
            do(lambda store: store.outbox.park(delivery, "unknown", NOW, outcome_unknown=True))


def test_what_a_person_need_not_decide_any_more_is_closed(do: Do) -> None:
    """Parked because it was refused, then deleted at the origin: dropped, and no longer a problem."""
    write(do, planned(), planned("other"))
    for _ in range(2):
        delivery = claimed(do)
        do(lambda store, delivery=delivery: store.outbox.park(delivery, "Rejected", NOW, outcome_unknown=False))
        do(lambda store, delivery=delivery: store.problems.put(f"delivery:{delivery.id}", "rejected", "x", "", NOW))
    withdrawal = Cancelled(uid="u", destination="wall", purposes=("create",), reason="deleted-in-time")
    do(lambda store: store.outbox.write(Plan(cancelled=(withdrawal,)), NOW))
    assert states(do) == [("create", 0, "dropped", "deleted-in-time"), ("create", 0, "parked", "Rejected")]
    assert [problem.subject for problem in do(lambda store: store.problems.open())] == ["delivery:2"]


def test_what_was_dropped_and_is_wanted_again_comes_back_whole(do: Do) -> None:
    """As new: due, untried, with the time it came back."""
    write(do, planned())
    delivery = claimed(do)
    do(lambda store: store.outbox.again(delivery, NOW, "x", NOW, outcome_unknown=False, attempted=False))
    do(lambda store: store.outbox.drop(delivery.id, "opted-out", NOW))
    assert write(do, planned(due_at=after(hours=1), route="s"), now=after(minutes=30)) == 1
    assert do(lambda store: store.outbox.delivery(delivery.id)) == replace(
        delivery, route="s", due_at=after(hours=1), created_at=after(minutes=30), updated_at=after(minutes=30)
    )


@pytest.mark.parametrize("reason", ["by-hand", "never-sent", "deleted-in-time"])
def test_what_was_dropped_for_good_does_not_come_back(do: Do, reason: str) -> None:
    """A person gave it up, or it has nothing to stand on."""
    write(do, planned())
    do(lambda store: store.outbox.drop(1, reason, NOW))
    assert write(do, planned()) == 0
    assert states(do) == [("create", 0, "dropped", reason)]


# the outbox: order


def test_an_answer_waits_for_the_whole_of_what_it_answers(do: Do) -> None:
    """Then it answers its last part; while the outcome of that is unknown, it waits."""
    write(do, planned("root"), planned("reply", parent_uid="root"))
    root = claimed(do)
    deliver(do, root, "w1", NOW, "un", "deux")
    part = claimed(do)
    assert (part.uid, part.part, claim(do).delivery) == ("root", 1, None)
    send(do, part)
    do(lambda store: store.outbox.park(part, "unknown", NOW, outcome_unknown=True))
    assert claim(do).delivery is None
    do(lambda store: store.outbox.done(part, Receipt(remote_id="w2"), make_rendition(part=1), NOW))
    reply = claim(do)
    assert (reply.delivery and reply.delivery.uid, reply.parent) == ("reply", Receipt(remote_id="w2"))


@pytest.mark.parametrize(
    ("fate", "leaves"),
    [("dropped", True), ("parked", True), ("parked-unknown", False), ("pending", False), ("sending", False), ("deleted", True)],
)
def test_an_answer_does_not_wait_for_what_will_not_come(do: Do, fate: str, leaves: bool) -> None:
    """Dropped, refused or removed, its parent leaves it to stand alone; as long as the parent may be out, or come, it waits."""
    write(do, planned("root"))
    root = claimed(do)
    write(do, planned("reply", parent_uid="root"))
    if fate == "sending":
        send(do, root)
    elif fate == "deleted":
        deliver(do, root, "w1")
        do(lambda store: store.outbox.removed(replace(root, purpose="delete"), NOW))
    elif fate == "dropped":
        do(lambda store: store.outbox.drop(root.id, "by-hand", NOW))
    elif fate.startswith("parked"):
        do(lambda store: store.outbox.park(root, "x", NOW, outcome_unknown=fate == "parked-unknown"))
    else:
        do(lambda store: store.outbox.again(root, after(hours=1), "x", NOW, outcome_unknown=False, attempted=True))
    found = claim(do)
    assert (found.delivery.uid if found.delivery else None, found.parent) == ("reply" if leaves else None, None)


def test_a_part_that_grew_superfluous_keeps_no_answer_waiting_and_comes_back_when_it_is_needed(do: Do) -> None:
    """A thread of three, edited to two before it left, edited back to three."""
    write(do, planned("root"), planned("reply", parent_uid="root"))
    for texts in (("un", "deux", "trois"), ("un", "deux"), ("un", "deux", "3")):
        root = claimed(do)
        send(do, root, NOW, *texts)
        do(lambda store, root=root: store.outbox.again(root, NOW, "x", NOW, outcome_unknown=False, attempted=True))
        third = {3: ("create", 2, "pending", ""), 2: ("create", 2, "dropped", "superseded")}[len(texts)]
        assert states(do)[3] == third
    deliver(do, claimed(do), "w1", NOW, "un", "deux")
    assert states(do)[3] == ("create", 2, "dropped", "superseded")
    deliver(do, claimed(do), "w2")
    found = claim(do)
    assert (found.delivery and found.delivery.uid, found.parent and found.parent.remote_id) == ("reply", "w2")


def test_parts_follow_one_another_each_with_what_was_cut_then(do: Do) -> None:
    """Frozen when the first part left; a part waits for the receipt of the one before."""
    write(do, planned())
    root = claimed(do)
    renditions = send(do, root, NOW, "un", "deux", "trois")
    assert claim(do).delivery is None
    do(lambda store: store.outbox.done(root, Receipt(remote_id="w1"), renditions[0], NOW))
    second = claim(do)
    assert second.delivery is not None
    assert (second.delivery.part, second.delivery.rendition, second.parent) == (1, renditions[1], Receipt(remote_id="w1"))
    assert claim(do).delivery is None


def test_a_part_without_its_first_is_dropped(do: Do) -> None:
    """When a person gives the first part up, the others have nothing to answer."""
    write(do, planned())
    root = claimed(do)
    send(do, root, NOW, "un", "deux")
    do(lambda store: store.outbox.park(root, "x", NOW, outcome_unknown=True))
    assert do(lambda store: store.outbox.abandon(root.id, NOW))
    assert claim(do) == Claim()
    assert states(do) == [("create", 0, "dropped", "by-hand"), ("create", 1, "dropped", "never-sent")]


@pytest.mark.parametrize("purpose", ["update", "delete"])
def test_a_correction_waits_for_what_it_corrects(do: Do, purpose: Any) -> None:
    """And is dropped when that never left."""
    write(do, planned())
    root = claimed(do)
    write(do, planned(purpose=purpose, revision=2, parent_uid="u"))
    assert claim(do).delivery is None
    send(do, root)
    do(lambda store: store.outbox.park(root, "x", NOW, outcome_unknown=True))
    assert claim(do).delivery is None
    do(lambda store: store.outbox.abandon(root.id, NOW))
    assert claim(do) == Claim()
    assert states(do)[1] == (purpose, 0, "dropped", "never-sent")


@pytest.mark.parametrize("before", ["delete-waiting", "delete-parked", "create-unknown", "create-sending"])
def test_what_came_back_waits_until_its_former_copy_is_settled(do: Do, before: str) -> None:
    """Else the deletion would take the new copy, or two would stand there."""
    write(do, planned())
    old = claimed(do)
    if before.startswith("delete"):
        deliver(do, old, "w1")
        write(do, planned(purpose="delete", parent_uid="u"))
        delete = claimed(do)
        if before == "delete-parked":
            do(lambda store: store.outbox.park(delete, "cannot-delete", NOW, outcome_unknown=False))
        else:
            do(lambda store: store.outbox.again(delete, after(hours=1), "x", NOW, outcome_unknown=False, attempted=True))
    else:
        send(do, old)
        if before == "create-unknown":
            do(lambda store: store.outbox.park(old, "unknown", NOW, outcome_unknown=True))
    write(do, planned(revision=1))
    assert claim(do).delivery is None
    unsettled = 2 if before.startswith("delete") else 1
    do(lambda store: store.outbox.drop(unsettled, "by-hand", NOW))
    assert claimed(do).revision == 1


def test_pace_holds_for_what_is_new_and_begins_a_thread(do: Do) -> None:
    """Not for what answers our own post at once, nor for later parts, corrections, and questions about what may be out."""
    asked: list[tuple[str, datetime, datetime | None]] = []

    def allowed(delivery: Delivery, last_sent_at: datetime | None) -> datetime:
        asked.append((delivery.uid, delivery.due_at, last_sent_at))
        return delivery.due_at

    write(do, planned("root", due_at=after(hours=-1)), planned("reply", parent_uid="root"))
    root = claim(do, allowed=allowed).delivery
    assert root is not None
    deliver(do, root, "w1", NOW, "un", "deux")
    part = claim(do, allowed=allowed).delivery
    assert part is not None
    deliver(do, part, "w2")
    write(do, planned("root", purpose="update", parent_uid="root", revision=2, due_at=after(hours=-1)))
    assert claim(do, allowed=allowed).delivery is not None
    assert claim(do, after(minutes=5), allowed=allowed).delivery is not None
    assert asked == [("root", NOW, None), ("reply", after(minutes=5), None)]


def test_pace_is_judged_by_now_not_by_when_it_was_due(do: Do) -> None:
    """What was due in the afternoon and held up until the night is in the quiet hours."""
    asked = []

    def allowed(delivery: Delivery, last_sent_at: datetime | None) -> datetime:
        asked.append(delivery.due_at)
        return after(days=1)

    write(do, planned(due_at=after(hours=-8)))
    assert claim(do, allowed=allowed) == Claim(look_again_at=after(days=1))
    assert asked == [NOW]


# the outbox: receipts


def test_receipts_are_kept_with_what_stands_there(do: Do) -> None:
    """By part; a deletion takes them away; an edit replaces."""
    write(do, planned())
    root = claimed(do)
    renditions = send(do, root, NOW, "un", "deux")
    receipt = Receipt(remote_id="w1", url="https://wall.example/w1", uri="urn:1", data=(("cid", "b"),))
    do(lambda store: store.outbox.done(root, receipt, renditions[0], NOW))
    part = claimed(do)
    do(lambda store: store.outbox.done(part, Receipt(remote_id="w2"), renditions[1], NOW))
    assert do(lambda store: store.outbox.parts("wall", "u")) == [
        Sent(receipt=receipt, rendition=renditions[0]),
        Sent(receipt=Receipt(remote_id="w2"), rendition=renditions[1]),
    ]
    do(lambda store: store.outbox.removed(replace(part, purpose="delete"), NOW))
    assert do(lambda store: store.outbox.sent("wall", "u", 1)) is None
    assert do(lambda store: store.outbox.sent("wall", "u")) == Sent(receipt=receipt, rendition=renditions[0])


def test_our_own_copies_are_known_by_address_and_by_id(do: Do) -> None:
    """Empty addresses are nobody's."""
    for number, (url, uri) in enumerate([("https://wall.example/1", None), ("", "urn:2"), ("", "")]):
        write(do, planned(str(number)))
        delivery = claimed(do)
        rendition = send(do, delivery)[0]
        do(
            lambda store, delivery=delivery, rendition=rendition, url=url, uri=uri: store.outbox.done(
                delivery, Receipt(remote_id="x", url=url, uri=uri), rendition, NOW
            )
        )
    names = [("https://wall.example/1", "x"), ("a", "https://wall.example/1"), ("urn:2", "y"), ("b", ""), ("c", "z")]
    assert do(lambda store: store.outbox.ours(names)) == {"https://wall.example/1", "a", "urn:2"}


def test_what_is_known_of_an_item_is_told_by_destination(do: Do) -> None:
    """Its creations, with what became of them."""
    write(do, planned(), planned(destination="x"), planned(purpose="delete"), planned("v"))
    do(lambda store: store.outbox.drop(2, "opted-out", NOW))
    assert do(lambda store: store.outbox.known(["u", "w"])) == {
        ("u", "wall"): (Known(id=1, route="r", part=0, incarnation=0, state="pending", outcome_unknown=False),),
        ("u", "x"): (Known(id=2, route="r", part=0, incarnation=0, state="dropped", outcome_unknown=False, reason="opted-out"),),
    }


def test_only_an_edit_whose_outcome_is_unknown_makes_unsure(do: Do) -> None:
    """Then what stands there need not be what the receipt says."""
    write(do, planned())
    deliver(do, claimed(do), "w1")
    write(do, planned(purpose="update", revision=2, parent_uid="u"))
    update = claimed(do)

    def unsure() -> bool:
        return bool(do(lambda store: store.outbox.unsure("wall", "u")))

    assert not unsure()
    send(do, update)
    assert unsure()
    do(lambda store: store.outbox.again(update, NOW, "x", NOW, outcome_unknown=True, attempted=True))
    assert unsure()
    do(lambda store: store.outbox.done(update, Receipt(remote_id="w1"), make_rendition(), NOW))
    assert not unsure()


# what a person decides


def test_a_person_sends_again_what_was_parked(do: Do) -> None:
    """As surely not out: untried, rendered anew; nothing but what is parked."""
    write(do, planned())
    delivery = claimed(do)
    assert not do(lambda store: store.outbox.retry(delivery.id, NOW))
    send(do, delivery)
    do(lambda store: store.outbox.park(delivery, "unknown", NOW, outcome_unknown=True))
    assert do(lambda store: store.outbox.retry(delivery.id, after(hours=1)))
    again = claimed(do, after(hours=1))
    assert (again.outcome_unknown, again.rendition, again.prepared, again.first_sent_at, again.attempts, again.reason) == (
        *(False, None, None, None),
        *(0, ""),
    )
    assert not do(lambda store: store.outbox.retry(99, NOW))


def test_a_part_that_is_sent_again_keeps_its_words(do: Do) -> None:
    """It was cut from a text that is half out."""
    write(do, planned())
    deliver(do, claimed(do), "w1", NOW, "un", "deux")
    part = claimed(do)
    do(lambda store: store.outbox.park(part, "x", NOW, outcome_unknown=False))
    do(lambda store: store.outbox.retry(part.id, NOW))
    again = claimed(do)
    assert again.rendition is not None
    assert again.rendition.text == "deux"


def test_a_person_gives_up_what_waits_or_is_parked(do: Do) -> None:
    """Not what is being sent at this moment, and not what is done."""
    write(do, planned("a"), planned("b"), planned("c"))
    sending, parked = claimed(do), claimed(do)
    send(do, sending)
    do(lambda store: store.outbox.park(parked, "x", NOW, outcome_unknown=True))
    assert [do(lambda store, number=number: store.outbox.abandon(number, NOW)) for number in (1, 2, 3, 4)] == [False, True, True, False]
    assert [state for _, _, state, _ in states(do)] == ["sending", "dropped", "dropped"]


def test_counts(do: Do) -> None:
    """By destination and state; what is unfinished is told apart, a row that is being sent as waiting."""
    write(do, planned("a"), planned("b"), planned("c"), planned("d", destination="x"))
    deliver(do, claimed(do), "w1")
    parked = claimed(do)
    do(lambda store: store.outbox.park(parked, "x", NOW, outcome_unknown=False))
    send(do, claimed(do))
    assert do(lambda store: store.outbox.counts()) == {
        ("wall", "done"): 1,
        ("wall", "parked"): 1,
        ("wall", "sending"): 1,
        ("x", "pending"): 1,
    }
    assert do(lambda store: store.outbox.unfinished()) == {("wall", "pending"): 1, ("wall", "parked"): 1, ("x", "pending"): 1}
    assert [delivery.uid for delivery in do(lambda store: store.outbox.waiting("wall"))] == ["c"]


# accounts and problems


def test_an_account_rests_until_it_is_woken(do: Do) -> None:
    """With the reason; waking takes both away."""
    assert do(lambda store: store.accounts.paused("wall")) == (None, "")
    do(lambda store: store.accounts.pause("wall", after(hours=1), "RateLimited"))
    assert do(lambda store: store.accounts.paused("wall")) == (after(hours=1), "RateLimited")
    do(lambda store: store.accounts.pause("wall", None))
    assert do(lambda store: store.accounts.paused("wall")) == (None, "")


def test_a_projection_remembers_what_it_showed(do: Do) -> None:
    """And a pause of the same destination changes nothing of that."""
    assert do(lambda store: store.accounts.projected("page")) == (0, None)
    do(lambda store: store.accounts.set_projected("page", 7, "digest"))
    do(lambda store: store.accounts.pause("page", NOW, "x"))
    assert do(lambda store: store.accounts.projected("page")) == (7, "digest")


def problems(do: Do) -> list[Problem]:
    opened: list[Problem] = do(lambda store: store.problems.open())
    return opened


def test_a_problem_is_news_once(do: Do) -> None:
    """Until it is another one, or over."""
    assert do(lambda store: store.problems.put("source:toots", "auth", "401", "hint", NOW))
    assert not do(lambda store: store.problems.put("source:toots", "auth", "403", "", after(hours=1)))
    do(lambda store: store.problems.told(["source:toots"], after(minutes=1)))
    told = Problem(subject="source:toots", kind="auth", detail="401", hint="hint", since=NOW, told_at=after(minutes=1))
    assert problems(do) == [told]
    assert do(lambda store: store.problems.put("source:toots", "refused", "404", "", after(hours=1)))
    assert problems(do) == [Problem(subject="source:toots", kind="refused", detail="404", hint="", since=after(hours=1), told_at=None)]
    assert do(lambda store: store.problems.clear("source:toots"))
    assert not do(lambda store: store.problems.clear("source:toots"))


def test_an_outage_does_not_hide_what_a_person_must_mend(do: Do) -> None:
    """A dead credential stays told while its server is down for a while; the mail about it does not go twice."""
    do(lambda store: store.problems.put("destination:wall", "auth", "401", "", NOW))
    do(lambda store: store.problems.told(["destination:wall"], NOW))
    for kind in ("unreachable", "rate-limited"):
        assert not do(lambda store, kind=kind: store.problems.put("destination:wall", kind, "x", "", after(hours=1)))
    assert [(problem.kind, problem.told_at) for problem in problems(do)] == [("auth", NOW)]


def test_an_outage_goes_on_whatever_the_service_calls_it(do: Do) -> None:
    """Unreachable, then asking for patience, then unreachable: one outage, since the beginning; a dead credential is news."""
    do(lambda store: store.problems.put("source:toots", "unreachable", "x", "", NOW))
    assert do(lambda store: store.problems.put("source:toots", "rate-limited", "x", "", after(hours=1)))
    assert do(lambda store: store.problems.put("source:toots", "unreachable", "x", "", after(hours=2)))
    assert [(problem.kind, problem.since) for problem in problems(do)] == [("unreachable", NOW)]
    assert do(lambda store: store.problems.put("source:toots", "auth", "x", "", after(hours=3)))
    assert [(problem.kind, problem.since) for problem in problems(do)] == [("auth", after(hours=3))]


# the file


def fingerprint(ledger: Ledger) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(ledger.path.parent.iterdir())
        if not path.name.endswith("-shm")
    }


def test_a_transaction_that_changes_nothing_writes_nothing(do: Do, ledger: Ledger) -> None:
    """Not a byte, in the file or in its journal."""
    item = make_post(uid="1")
    diff(do, item)
    do(lambda store: store.items.set_cursor("toots", "a", NOW))
    do(lambda store: store.items.since([("r", "toots", "wall")], NOW))
    do(lambda store: store.accounts.set_projected("page", 1, "d"))
    do(lambda store: store.problems.put("state", "bug", "x", "", NOW))
    write(do, planned(due_at=after(hours=1)))
    before = fingerprint(ledger)

    def idle(store: Store) -> None:
        store.items.diff("toots", [item], after(hours=1), first=False)
        store.items.set_cursor("toots", "a", NOW)
        store.items.set_cursor("toots", None, NOW)
        store.items.since([("r", "toots", "wall")], NOW)
        store.items.mark_present("toots", ["1", "2"])
        store.items.accept_emptied("toots", accept=False)
        store.outbox.write(Plan(planned=(planned(),)), NOW)
        store.outbox.claim("wall", "me", LEASE, NOW, at_once)
        store.outbox.free()
        store.accounts.set_projected("page", 1, "d")
        store.problems.put("state", "bug", "y", "", NOW)
        store.problems.clear("nobody")

    do(idle)
    assert fingerprint(ledger) == before


def test_a_transaction_that_fails_leaves_nothing(do: Do, ledger: Ledger) -> None:
    """A bug in the middle takes everything back; the next goes on."""

    def half(store: Store) -> None:
        store.items.diff("toots", [make_post(uid="1")], NOW, first=True)
        raise KeyError("bug")

    with pytest.raises(KeyError):
        do(half)
    assert do(lambda store: store.items.counts()) == {}
    assert diff(do, make_post(uid="1"))


def test_what_is_committed_is_there_after_a_crash(ledger: Ledger, tmp_path: Path, do: Do) -> None:
    """A copy of the files as they are on the disk at this moment, with the journal, holds it: nobody had to close anything."""
    write(do, planned())
    copy = tmp_path / "copy" / "syndicator.db"
    copy.parent.mkdir()
    for name in ("syndicator.db", "syndicator.db-wal"):
        (copy.parent / name).write_bytes((tmp_path / name).read_bytes())
    other = Ledger(copy)
    assert other.transact_now(lambda store: store.outbox.counts()) == {("wall", "pending"): 1}
    other.close()


def test_commits_reach_the_disk_before_anything_is_sent(do: Do) -> None:
    """``synchronous=FULL`` with a write-ahead journal: a power cut is a crash like any other."""
    settings = do(
        lambda store: [
            store.items._db.conn.execute(f"pragma {name}").fetchone()[0] for name in ("synchronous", "journal_mode", "foreign_keys")
        ]
    )
    assert settings == [2, "wal", 1]


def test_a_full_disk_is_said_and_loses_nothing(ledger: Ledger, do: Do) -> None:
    """One clear sentence; what was there is there, what failed has not happened at all, and with room it goes on."""
    diff(do, make_post(uid="1"))
    pages = do(lambda store: store.items._db.conn.execute("pragma page_count").fetchone()[0])
    do(lambda store: store.items._db.conn.execute(f"pragma max_page_count = {pages}"))
    many = [make_post(uid=f"n{number}", html=f"<p>{'é' * 2000}</p>") for number in range(50)]
    with pytest.raises(StateError, match="database or disk is full") as caught:
        diff(do, *many)
    assert caught.value.hint is not None
    assert caught.value.hint["fr"].startswith("Le disque est plein")
    assert do(lambda store: store.items.counts()) == {"toots": 1}
    do(lambda store: store.items._db.conn.execute("pragma max_page_count = 100000"))
    assert len(diff(do, *many)) == 50


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    """Not a database at all, or one with its middle torn out."""
    path = tmp_path / "syndicator.db"
    path.write_bytes(b"Ceci n'est pas une base." * 1000)
    with pytest.raises(StateError, match="not a database") as caught:
        Ledger(path).transact_now(lambda store: store.items.counts())
    assert caught.value.hint is not None
    assert "sauvegarde" in caught.value.hint["fr"]


def test_a_file_damaged_in_the_middle_is_said(tmp_path: Path) -> None:
    """When it is read, not before; and what it says does not change anything."""
    path = tmp_path / "syndicator.db"
    whole = Ledger(path)
    whole.transact_now(
        lambda store: store.items.diff("toots", [make_post(uid=f"{n}", html="é" * 3000) for n in range(40)], NOW, first=True)
    )
    whole.close()
    data = bytearray(path.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)
    path.write_bytes(data)
    ledger = Ledger(path)
    with pytest.raises(StateError, match="malformed") as caught:
        ledger.transact_now(lambda store: store.items.diff("toots", [make_post(uid="new")], NOW, first=False))
    ledger.close()
    assert caught.value.hint is not None
    assert "sauvegarde" in caught.value.hint["fr"]


@pytest.mark.parametrize("where", ["below-a-file", "is-a-folder"])
def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, where: str) -> None:
    """Owner and permissions are what a person checks then."""
    if where == "below-a-file":
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "syndicator.db"
    else:
        path = tmp_path / "syndicator.db"
        path.mkdir()
    with pytest.raises(StateError) as caught:
        Ledger(path).transact_now(lambda store: store.items.counts())
    assert caught.value.hint is not None
    assert "droits" in caught.value.hint["fr"]


def test_a_file_that_turns_read_only_is_said(do: Do) -> None:
    """As on a disk that the system has remounted after an error; reading goes on."""
    diff(do, make_post(uid="1"))
    do(lambda store: store.items._db.conn.execute("pragma query_only = 1"))
    with pytest.raises(StateError, match="readonly") as caught:
        diff(do, make_post(uid="2"))
    assert caught.value.hint is not None
    assert "droits" in caught.value.hint["fr"]


def test_a_file_that_another_program_holds_is_said(ledger: Ledger, do: Do) -> None:
    """After the time it is waited for; when that lets go, everything goes on."""
    do(lambda store: store.items._db.conn.execute("pragma busy_timeout = 1"))
    other = sqlite3.connect(ledger.path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StateError, match="locked") as caught:
        diff(do, make_post(uid="1"))
    assert caught.value.hint is not None
    assert "Un autre programme" in caught.value.hint["fr"]
    other.execute("rollback")
    other.close()
    assert len(diff(do, make_post(uid="1"))) == 1


@pytest.mark.parametrize("there", [False, True])
def test_a_migration_that_is_interrupted_has_not_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    """Of a new database or of one with a past: the next start begins it anew, on the database as it was."""
    ledger = Ledger(tmp_path / "syndicator.db")
    if there:
        diff(ledger.transact_now, make_post(uid="1"))
        ledger.close()
    second = {"second": "create table more (id integer primary key) strict;\ncreate nonsense;\n"}
    monkeypatch.setattr(schema, "MIGRATIONS", dict(schema.MIGRATIONS) | second)
    with pytest.raises(StateError, match="nonsense"):
        ledger.transact_now(lambda store: store.items.counts())
    monkeypatch.setitem(second, "second", "create table more (id integer primary key) strict;\n")
    monkeypatch.setattr(schema, "MIGRATIONS", dict(schema.MIGRATIONS) | second)
    assert ledger.transact_now(lambda store: store.items.counts()) == ({"toots": 1} if there else {})
    ledger.close()


def test_migrations_are_applied_once(ledger: Ledger, do: Do) -> None:
    """Opening again changes nothing of what is there."""
    diff(do, make_post(uid="1"))
    ledger.close()
    before = ledger.path.read_bytes()
    assert do(lambda store: store.items.counts()) == {"toots": 1}
    ledger.close()
    assert ledger.path.read_bytes() == before


async def test_transactions_of_many_tasks_do_not_mix(tmp_path: Path) -> None:
    """Each sees the whole of every other or nothing of it, whichever thread it runs in; the loop turns meanwhile."""
    with ThreadPoolExecutor(4) as executor:
        ledger = Ledger(tmp_path / "syndicator.db", executor)
        threads = set()

        def count_up(store: Store) -> None:
            threads.add(threading.get_ident())
            seq = store.items.seq()
            store.items.diff("toots", [make_post(uid=f"{seq}"), make_post(uid=f"{seq}b")], NOW, first=False)

        await asyncio.gather(*(ledger.transact(count_up) for _ in range(20)))
        assert await ledger.transact(lambda store: (store.items.seq(), store.items.counts())) == (40, {"toots": 40})
        assert threading.get_ident() not in threads
        ledger.close()


# the cost


def steps_of(ledger: Ledger, work: Callable[[Store], Any]) -> int:
    """How much SQLite does for a transaction: its virtual machine's steps, in tens."""
    ledger.transact_now(lambda store: None)
    assert ledger._db is not None
    counted = 0

    def tick() -> int:
        nonlocal counted
        counted += 1
        return 0

    ledger._db.conn.set_progress_handler(tick, 10)
    ledger.transact_now(work)
    ledger._db.conn.set_progress_handler(None, 10)
    return counted


def idle(store: Store) -> None:
    """All that polls, destinations and views ask the ledger while nothing happens."""
    store.items.cursor("toots")
    store.items.since([("r", "toots", "wall")], NOW)
    store.items.listed("toots", after(days=-1))
    store.items.listed("quiet", None)
    store.items.waiting("toots")
    store.items.unconfirmed("toots", NOW)
    store.items.emptied_accepted("toots")
    store.items.mark_present("toots", ["p1"])
    store.items.seq()
    store.items.changed_since(store.items.seq())
    store.accounts.paused("wall")
    store.accounts.projected("page")
    store.outbox.claim("wall", "me", LEASE, NOW, at_once)
    store.outbox.unfinished()
    store.problems.open()


def history(do: Do, count: int) -> None:
    """``count`` old posts, all of them mirrored."""
    posts = [make_post(uid=f"p{number}", published_at=after(days=-30, seconds=-number)) for number in range(count)]

    def fill(store: Store) -> None:
        store.items.diff("toots", posts, NOW, first=True)
        store.outbox.write(Plan(planned=tuple(planned(post.uid) for post in posts)), NOW)
        rendition = make_rendition()
        for number in range(count):
            delivery = store.outbox.delivery(number + 1)
            assert delivery is not None
            store.outbox.done(delivery, Receipt(remote_id=f"{number}"), rendition, NOW)

    do(fill)
    do(lambda store: store.items.since([("r", "toots", "wall")], NOW))


def test_idling_does_not_cost_more_when_the_history_is_long(tmp_path: Path) -> None:
    """Counted in steps of the database, so that no clock is asked: the same for ten items and for three thousand."""
    costs = []
    for count in (10, 3000):
        ledger = Ledger(tmp_path / f"{count}.db")
        history(ledger.transact_now, count)
        costs.append(steps_of(ledger, idle))
        ledger.close()
    assert costs[1] <= costs[0] * 1.3 + 5, costs


def test_the_cost_is_really_counted(tmp_path: Path) -> None:
    """A question that does read everything costs more: the comparison above can fail."""
    costs = []
    for count in (10, 3000):
        ledger = Ledger(tmp_path / f"{count}.db")
        history(ledger.transact_now, count)
        costs.append(steps_of(ledger, lambda store: store.items.counts()))
        ledger.close()
    assert costs[1] > 50 * costs[0]


def test_an_instant_as_text_sorts_as_time_does() -> None:
    """With or without microseconds, from whatever zone."""
    paris = ZoneInfo("Europe/Paris")
    instants = [NOW, after(microseconds=1), after(seconds=1).astimezone(paris), after(hours=1)]
    texts = [instant(at) for at in instants]
    assert texts == sorted(texts)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", text) for text in texts)

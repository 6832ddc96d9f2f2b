"""Never twice, never lost, whatever happens in whatever order: a Hypothesis state machine over the real store, plan and steps.

It publishes, answers, edits, deletes and brings back, and changes its mind on what an edit does; the network refuses, loses requests and
answers, is late, limits and rejects; the process dies at a ledger transaction or at a request; time passes; a person decides. In the end
the network works again, and what is there is compared with what the association shows.

In the suite it runs a fixed set of examples. To search further: ``SYNDICATOR_MACHINE_EXAMPLES=5000 pytest tests/test_outbox_machine.py``.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syndicator.editing import Wish
from syndicator.model import Delivery, Post
from syndicator.render import render
from tests.outbox_scene import Origin, Process, config_for
from tests.outbox_wire import ANSWERS, LATE_BY, Clock, Kind, Thing, Wire

EXAMPLES = int(os.environ.get("SYNDICATOR_MACHINE_EXAMPLES", "0"))
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where a commit costs no disk: deaths are played here, power cuts are SQLite's business."""
WISHES: tuple[Wish, ...] = ("update", "replace", "note")
WAITS_S = (5, 31, 31, 60, 600, 3_700, 90_000)
LONG = " et la suite au prochain message, car tout ne tient pas dans un seul."


@dataclass(frozen=True, kw_only=True)
class Luck:
    """What befalls the next requests, when the process dies, and how time passes; it works each time."""

    answers: list[str]
    cut: tuple[int, str] | None
    waits_s: list[int]


LUCK = strategies.builds(
    Luck,
    answers=strategies.lists(strategies.sampled_from(ANSWERS), max_size=3),
    cut=strategies.none() | strategies.tuples(strategies.integers(1, 14), strategies.sampled_from(("before", "inside", "after"))),
    waits_s=strategies.lists(strategies.sampled_from(WAITS_S), max_size=2),
)


class OutboxMachine(RuleBasedStateMachine):
    """One association, one destination of one kind."""

    @initialize(
        kind=strategies.sampled_from(("keyed", "findable", "blind")),
        blind_retries=strategies.sampled_from((False, False, True)),
        wish=strategies.sampled_from(WISHES),
        edits=strategies.booleans(),
    )
    def start(self, kind: Kind, blind_retries: bool, wish: Wish, edits: bool) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.clock, self.origin = Clock(), Origin()
        # What cannot be edited at all stays as it was: nothing to compare.
        self.wire = Wire(self.clock, kind, blind_retries=blind_retries and kind == "blind", edits=edits or wish == "update")
        self.process = Process(config_for(Path(self.folder.name), self.origin, self.wire, wish), self.clock)
        self.by_hand: set[str] = set()
        """uids of what a person found there: we have no receipt, so what happens to it later is theirs to do."""
        self.vanished: set[str] = set()
        """uids that were gone once: what answers them may stand alone."""
        self.versions = 0
        self.before: dict[str, str] = {}
        """uid → its text before the last edit."""
        self.graves: dict[str, Post] = {}
        self.told: dict[str, list[Post]] = {}
        """uid → every wording it ever had."""

    # what the association does, and how it goes

    @rule(luck=LUCK, answers=strategies.integers(0, 3), long=strategies.booleans())
    def publish(self, luck: Luck, answers: int, long: bool) -> None:
        uid = f"https://social.example/{len(self.origin.posts) + len(self.origin.gone) + 1}"
        parents = list(self.origin.posts)
        parent = parents[-answers] if answers and answers <= len(parents) else None
        self._show(Post(uid=uid, url=uid, html=self._text(long), published_at=self.clock(), in_reply_to=parent))
        self._go_on(luck)

    @precondition(lambda self: self.origin.posts)
    @rule(luck=LUCK, which=strategies.integers(0, 5), long=strategies.booleans())
    def edit(self, luck: Luck, which: int, long: bool) -> None:
        post = self._chosen(list(self.origin.posts.values()), which)
        self.before[post.uid] = post.html
        self._show(replace(post, html=self._text(long)))
        self._go_on(luck)

    @precondition(lambda self: self.origin.posts)
    @rule(luck=LUCK, which=strategies.integers(0, 5))
    def undo(self, luck: Luck, which: int) -> None:
        """An edit that takes the last one back."""
        post = self._chosen(list(self.origin.posts.values()), which)
        self._show(replace(post, html=self.before.get(post.uid, post.html)))
        self._go_on(luck)

    @precondition(lambda self: self.origin.posts)
    @rule(luck=LUCK, which=strategies.integers(0, 5))
    def delete(self, luck: Luck, which: int) -> None:
        post = self._chosen(list(self.origin.posts.values()), which)
        self._bury(post.uid)
        self._go_on(luck)

    @precondition(lambda self: self.origin.gone)
    @rule(luck=LUCK, which=strategies.integers(0, 5))
    def bring_back(self, luck: Luck, which: int) -> None:
        uid = self._chosen(sorted(self.origin.gone), which)
        self.origin.gone.remove(uid)
        self.origin.posts[uid] = self.graves.pop(uid)
        self._go_on(luck)

    @precondition(lambda self: self.origin.posts)
    @rule(which=strategies.integers(0, 5), gone=strategies.booleans())
    def meanwhile(self, which: int, gone: bool) -> None:
        """An edit or a deletion that we learn of while something is about to leave."""
        uid = self._chosen(list(self.origin.posts), which)

        async def happen() -> None:
            post = self.origin.posts.get(uid)
            if post is not None and gone:
                self._bury(uid)
            elif post is not None:
                self.before[uid] = post.html
                self._show(replace(post, html=self._text(long=False)))
            await self.process.look()

        self.wire.meanwhile = happen

    # what happens otherwise

    @rule(luck=LUCK)
    def pass_time(self, luck: Luck) -> None:
        self._go_on(luck)

    @rule(seconds=strategies.sampled_from(WAITS_S))
    def outage(self, seconds: int) -> None:
        self.wire.up = False
        self._pass(seconds)
        self.wire.up = True

    @rule()
    def restart(self) -> None:
        self.process.die()
        self.process.work()

    @rule(wish=strategies.sampled_from(WISHES))
    def reconfigure(self, wish: Wish) -> None:
        """Another wish, at the next start."""
        if self.wire.edits or wish != "update":
            self.process.config = config_for(Path(self.folder.name), self.origin, self.wire, wish)
            self.process.die()

    @rule()
    def person(self) -> None:
        """Somebody looks at what is parked, a minute after the last of it, and does what they are told."""
        self._pass(60)
        for delivery in self._rows("parked"):
            self._decide(delivery)

    def _go_on(self, luck: Luck) -> None:
        self.wire.script.extend(luck.answers)
        if luck.cut is not None:
            self.process.cut = luck.cut
        for seconds in luck.waits_s:
            self._pass(seconds)

    def _pass(self, seconds: int) -> None:
        self.clock.at += timedelta(seconds=seconds)
        self.wire.catch_up()
        self.process.work()

    # what must hold

    @invariant()
    def never_twice(self) -> None:
        if not hasattr(self, "wire"):
            return
        assert self.process.bugs.seen == []
        assert self.wire.violations == []
        keys = [thing.key for thing in self.wire.ever.values()]
        assert self.wire.blind_retries or len(keys) == len(set(keys)), "two objects for one delivery"
        twice = [uid for uid in {thing.uid for thing in self.wire.things.values()} - self.by_hand if self._twice(self._there(uid))]
        notes = self._note_keys() if twice else set()
        for uid in twice:
            own = [thing for thing in self._there(uid) if thing.key not in notes]
            assert self.wire.blind_retries or not self._twice(own), f"two of {uid} at once"

    def _twice(self, things: list[Thing]) -> bool:
        return len(things) != len({thing.part for thing in things})

    def teardown(self) -> None:
        if not hasattr(self, "wire"):
            return
        try:
            self._settle()
            self.never_twice()
            self._compare()
        finally:
            self.process.end()
            self.folder.cleanup()

    def _settle(self) -> None:
        """The network works, time passes, and a person decides what is theirs to decide."""
        self.wire.up, self.process.cut = True, None
        self.wire.script.clear()
        for _ in range(80):
            again_at = self.process.work()
            if self._rows("parked"):
                self.person()
            elif again_at is None and not self._rows("pending", "sending"):
                self.clock.at += LATE_BY
                self.wire.catch_up()
                return
            self.clock.at = max(self.clock.at + timedelta(seconds=1), again_at or self.clock.at + timedelta(minutes=5))
            self.wire.catch_up()
        raise AssertionError(f"it never comes to rest: {self._rows('pending', 'sending', 'parked')}")

    def _compare(self) -> None:
        for uid in self.by_hand:
            assert uid in self.origin.gone or self._there(uid), f"{uid} is lost"
        for uid in self.origin.gone - self.by_hand:
            assert self._known(uid) == [], f"{uid} is gone and still shown"
        for uid, post in self.origin.posts.items():
            if uid in self.by_hand:
                continue
            self._compare_one(post)

    def _compare_one(self, post: Post) -> None:
        """The item itself once, part by part; and the last word on it, its own or a note's, is the author's last."""
        note_keys, there = self._note_keys(), self._known(post.uid)
        notes = [thing for thing in there if thing.key in note_keys]
        things = [thing for thing in there if thing.key not in note_keys]
        last = max((thing for thing in there), key=lambda thing: thing.changed)
        texts = [thing.text for thing in things]
        if last in notes:
            assert _version(last.text) == _version(post.html), f"the last note on {post.uid} is not the last word"
            assert self.wire.ever[last.answers or ""].uid == post.uid
            # An edit in place that another wish cut short may have made the thread shorter already.
            assert texts
            assert any(texts == self._expected(told)[: len(texts)] for told in self.told[post.uid])
        else:
            assert texts == self._expected(post)
        for before, thing in pairwise(things):
            assert thing.answers == before.id or self.wire.blind_retries
        self._check_answer(post, things[0])

    def _check_answer(self, post: Post, thing: Thing) -> None:
        parent = post.in_reply_to
        troubled = self.vanished | self.by_hand | self.wire.rejected
        if parent is None:
            assert thing.answers is None
        elif thing.answers is None:
            assert parent in troubled, f"{post.uid} answers nothing"
        else:
            assert self.wire.ever[thing.answers].uid == parent
            # Of a thread that an edit was just making shorter or longer, either part may have been the last.
            assert thing.answers_last or parent in troubled or parent in self.before, f"{post.uid} answers the middle of a thread"

    # small print

    def _note_keys(self) -> set[str]:
        states = ("pending", "sending", "done", "parked", "dropped")
        return {row.key for row in self._rows(*states) if row.purpose == "announce-change"}

    def _show(self, post: Post) -> None:
        self.origin.posts[post.uid] = post
        self.told.setdefault(post.uid, []).append(post)

    def _bury(self, uid: str) -> None:
        self.graves[uid] = self.origin.posts.pop(uid)
        self.origin.gone.add(uid)
        self.vanished.add(uid)

    def _text(self, long: bool) -> str:
        self.versions += 1
        return f"<p>Version {self.versions}{LONG if long else ''}</p>"

    def _chosen(self, among: list[Any], which: int) -> Any:
        return among[which % len(among)]

    def _rows(self, *states: str) -> list[Delivery]:
        rows: list[Delivery] = self.process.ledger(lambda store: store.outbox.deliveries(*states))
        return rows

    def _there(self, uid: str) -> list[Thing]:
        return sorted((thing for thing in self.wire.things.values() if thing.uid == uid), key=lambda thing: thing.part)

    def _known(self, uid: str) -> list[Thing]:
        """What is there and was told to us: where it is sent blindly, of two we know one."""
        newest = {thing.key: thing for thing in self.wire.ever.values()}
        return [thing for thing in self._there(uid) if thing is newest[thing.key]]

    def _expected(self, post: Post) -> list[str]:
        config = self.process.config
        limits = config.destinations["elsewhere"].connector.limits
        return [one.text for one in render(post, limits, config.routes["all"].style, association=config.association)]

    def _decide(self, delivery: Delivery) -> None:
        """As ``syndicator outbox`` does it: say of what is there that it is done, send again what is not."""
        now = self.clock()
        there = any(thing.key == delivery.key for thing in self.wire.ever.values())
        if delivery.outcome_unknown and there:
            self.by_hand.add(delivery.uid)
            self.process.ledger(lambda store: store.outbox.settle_by_hand(delivery.id, now))
        else:
            self.wire.forgive(delivery.key)
            self.process.ledger(lambda store: store.outbox.retry(delivery.id, now))


def _version(text: str) -> str:
    found = re.search(r"Version (\d+)", text)
    return found[1] if found else ""


def luck(*answers: str, wait: tuple[int, ...] = (31,), cut: tuple[int, str] | None = None) -> Luck:
    return Luck(answers=list(answers), cut=cut, waits_s=list(wait))


def _publish(m: OutboxMachine, *, long: bool = False, answers: int = 0) -> None:
    m.publish(luck=luck(), answers=answers, long=long)


def _edit_taken_back(m: OutboxMachine) -> None:
    _publish(m)
    m.edit(luck=luck("lose-answer", wait=(5,)), which=0, long=False)
    m.undo(luck=luck(wait=(1,)), which=0)


def _back_before_it_was_gone(m: OutboxMachine) -> None:
    _publish(m)
    m.delete(luck=luck(*["refuse"] * 8, wait=(1, 11, 21, 41, 81, 161, 321, 641)), which=0)
    m.bring_back(luck=luck(wait=(1, 601)), which=0)


def _shorter_then_longer(m: OutboxMachine) -> None:
    _publish(m, long=True)
    m.edit(luck=luck("ok", "die-after"), which=0, long=False)
    m.edit(luck=luck(), which=0, long=True)


def _edited_meanwhile(m: OutboxMachine) -> None:
    m.publish(luck=luck(wait=()), answers=0, long=False)
    m.meanwhile(which=0, gone=False)
    m.pass_time(luck=luck())


def _gone_meanwhile(m: OutboxMachine) -> None:
    m.publish(luck=luck(wait=()), answers=0, long=False)
    m.meanwhile(which=0, gone=True)
    m.pass_time(luck=luck())


def _late_edit(m: OutboxMachine) -> None:
    _publish(m)
    m.edit(luck=luck("late", wait=(5,)), which=0, long=False)
    m.edit(luck=luck(wait=(1,)), which=0, long=False)


def _removal_refused_the_second_time(m: OutboxMachine) -> None:
    _publish(m, long=True)
    m.edit(luck=luck("ok", "lose-answer", "reject", wait=(31, 31)), which=0, long=False)
    m.person()
    m.edit(luck=luck(), which=0, long=True)


def _answer_to_a_thread(m: OutboxMachine) -> None:
    m.publish(luck=luck(wait=()), answers=0, long=True)
    m.publish(luck=luck("refuse"), answers=1, long=False)


def _late_and_restarted(m: OutboxMachine) -> None:
    m.publish(luck=luck("die-late"), answers=0, long=False)
    m.restart()


def _gone_while_nobody_knows(m: OutboxMachine) -> None:
    m.publish(luck=luck("lose-answer"), answers=0, long=False)
    m.delete(luck=luck(), which=0)


def _key_too_old(m: OutboxMachine) -> None:
    m.publish(luck=luck("die-after"), answers=0, long=False)
    m.process.die()
    m.pass_time(luck=luck(wait=(3_700,)))


def _late_and_gone(m: OutboxMachine) -> None:
    m.publish(luck=luck("late"), answers=0, long=False)
    m.delete(luck=luck(wait=(6, 6)), which=0)


def _begun_in_place(m: OutboxMachine) -> None:
    m.reconfigure("update")
    _publish(m)
    m.edit(luck=luck("lose-answer", wait=(5,)), which=0, long=False)
    m.reconfigure("note")
    m.undo(luck=luck(wait=(31, 600)), which=0)


def _refused_and_told_otherwise(m: OutboxMachine) -> None:
    _publish(m, long=True)
    m.edit(luck=luck("reject", wait=(31, 600)), which=0, long=False)
    m.edit(luck=luck("ok", "reject", wait=(31, 600)), which=0, long=True)


def _edited_between(m: OutboxMachine) -> None:
    _publish(m, long=True)
    m.edit(luck=luck("ok", "refuse", wait=(31, 600)), which=0, long=True)
    m.edit(luck=luck(wait=(1,)), which=0, long=False)
    m.delete(luck=luck("die-after", wait=(31,)), which=0)
    m.bring_back(luck=luck(wait=(600,)), which=0)


def _part_behind_a_removal(m: OutboxMachine) -> None:
    _publish(m)
    m.edit(luck=luck("ok", "limit", wait=(31, 150)), which=0, long=True)
    m.edit(luck=luck("die-before", wait=(150,)), which=0, long=False)
    m.edit(luck=luck("die-before", "die-late", wait=(31, 600)), which=0, long=True)


STORIES = (
    _edit_taken_back, _edited_meanwhile, _gone_meanwhile, _late_edit, _back_before_it_was_gone, _shorter_then_longer,
    _removal_refused_the_second_time,
    _answer_to_a_thread, _late_and_restarted, _gone_while_nobody_knows, _key_too_old,
    _late_and_gone, _begun_in_place, _refused_and_told_otherwise, _edited_between,
    _part_behind_a_removal,
)  # fmt: skip


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__.strip("_"))
def test_stories(story: Callable[[OutboxMachine], None], kind: Kind, wish: Wish) -> None:
    """What the machine once stumbled over, or would find after hours only: told to the same end, on every kind of network."""
    machine = OutboxMachine()
    machine.start(kind=kind, blind_retries=False, wish=wish, edits=True)
    try:
        story(machine)
        machine.never_twice()
    finally:
        machine.teardown()


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(
    max_examples=EXAMPLES or 120,
    stateful_step_count=40 if EXAMPLES else 20,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)

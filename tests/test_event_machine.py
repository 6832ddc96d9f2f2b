"""Events that move, are cancelled, take place after all, are reminded of: the outbox machine with events instead of posts.

Nothing goes out twice, no reminder is lost, and in the end the last word that each network has on an event is what is true, in its
announcement or in a notice; no reminder that is there says another day. Further: ``SYNDICATOR_MACHINE_EXAMPLES=5000 pytest`` this file.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import initialize, precondition, rule

from syndicator.model import Event
from syndicator.plan.moments import reminders
from syndicator.plan.notes import NOTES
from syndicator.route import Style
from syndicator.testing import NOW
from syndicator.text.dates import describe_when
from tests.outbox_scene import Origin, Process, config_for
from tests.outbox_wire import Clock, Kind, Thing, Wire
from tests.test_outbox_machine import EXAMPLES, LUCK, MEMORY, Luck, OutboxMachine

DAY = timedelta(days=1)
OFFSETS = tuple(number * DAY for number in (99, 98, 96, 93))
"""The events are a hundred days off: each day that passes brings a reminder, whatever moves by minutes."""


class EventMachine(OutboxMachine):
    """One association, one destination of one kind, and events."""

    reconfigure = None
    meanwhile = None
    edit = None

    @initialize(
        kind=strategies.sampled_from(("keyed", "findable", "blind")),
        wish=strategies.sampled_from(("update", "note")),
        notice=strategies.sampled_from(("when-needed", "always")),
        edits=strategies.booleans(),
    )
    def start(self, kind: Kind, wish: Literal["update", "note"], notice: Literal["when-needed", "always"], edits: bool) -> None:  # type: ignore[override]
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.clock, self.origin = Clock(), Origin()
        self.wire = Wire(self.clock, kind, blind_retries=False, edits=edits)
        config = config_for(Path(self.folder.name), self.origin, self.wire, wish)
        there = config.destinations["elsewhere"]
        wide: Any = type("Wide", (there.connector,), {"limits": replace(there.connector.limits, text_max=400)})
        route = replace(config.routes["all"], remind=OFFSETS, notice=notice, style=Style(link="never"))
        config = replace(config, destinations={"elsewhere": replace(there, connector=wide)}, routes={"all": route})
        self.process = Process(config, self.clock)
        self.by_hand: set[str] = set()
        self.vanished: set[str] = set()
        self.versions = 0
        self.before: dict[str, Any] = {}
        self.graves: dict[str, Any] = {}
        self.told: dict[str, list[Any]] = {}

    @rule(luck=LUCK)
    def publish(self, luck: Luck) -> None:  # type: ignore[override]
        uid = f"https://events.example/{len(self.origin.posts) + len(self.origin.gone) + 1}"
        start = NOW + 100 * DAY
        event = Event(uid=uid, url=uid, title="Bal", starts_at=start, timezone="Europe/Paris", published_at=self.clock())
        self._show(self._moved(event))  # type: ignore[arg-type]
        self._go_on(luck)

    @precondition(lambda self: self.origin.posts)
    @rule(luck=LUCK, which=strategies.integers(0, 5))
    def move(self, luck: Luck, which: int) -> None:
        self._change(which, luck, self._moved)

    @precondition(lambda self: self.origin.posts)
    @rule(luck=LUCK, which=strategies.integers(0, 5))
    def undo(self, luck: Luck, which: int) -> None:
        """Back to what it was before its last change."""
        self._change(which, luck, lambda event: self.before.get(event.uid, event))

    @precondition(lambda self: self.origin.posts)
    @rule(luck=LUCK, which=strategies.integers(0, 5), status=strategies.sampled_from(("cancelled", "confirmed")))
    def decide_on(self, luck: Luck, which: int, status: Literal["cancelled", "confirmed"]) -> None:
        """Called off, or on again."""
        self._change(which, luck, lambda event: replace(event, status=status))

    @precondition(lambda self: self.origin.posts)
    @rule(luck=LUCK, which=strategies.integers(0, 5))
    def describe(self, luck: Luck, which: int) -> None:
        """Only the description changes."""
        self._change(which, luck, lambda event: replace(event, html=self._text(long=False)))

    def _change(self, which: int, luck: Luck, how: Any) -> None:
        event = self._chosen(list(self.origin.posts.values()), which)
        changed = how(event)
        self.before[event.uid] = event
        self._show(changed)
        self._go_on(luck)

    def _moved(self, event: Event) -> Event:
        self.versions += 1
        return replace(event, starts_at=NOW + 100 * DAY + timedelta(minutes=7 * self.versions))

    def _note_keys(self) -> set[str]:
        return {row.key for row in self._every() if row.purpose in NOTES}

    def _every(self) -> list[Any]:
        return self._rows("pending", "sending", "done", "parked", "dropped")

    def _compare(self) -> None:
        super()._compare()
        self._check_reminders()

    def _compare_one(self, post: Any) -> None:
        """Announced once, unless nobody was told before it was cancelled; what was said last is true."""
        event: Event = post
        reminding = {row.key for row in self._every() if row.purpose == "remind"}
        there = self._known(event.uid)
        first = [thing for thing in there if thing.key not in self._note_keys()]
        if not first:
            assert event.status == "cancelled", f"{event.uid} is lost"
            return
        assert len(first) == 1
        said = [thing for thing in there if thing.key not in reminding]
        last = max(said, key=lambda thing: thing.changed)
        assert self._is_true(last, event), f"the last word on {event.uid} is {last.text}"
        troubled = event.uid in self.wire.rejected
        assert troubled or all(self._is_true(thing, event) for thing in there if thing.key in reminding), "an old reminder is there"

    def _is_true(self, thing: Thing, event: Event) -> bool:
        said = thing.text.partition(" (avant")[0]
        return describe_when(event, "fr") in said and ("ANNULÉ" in thing.text) == (event.status == "cancelled")

    def _settle(self) -> None:
        """Until all of the reminders have come: there is always another one within days."""
        self.quiet_at = self.clock()
        super()._settle()

    def _check_reminders(self) -> None:
        """Of every event that takes place, each one that came after the last trouble came, once."""
        sent = {(row.uid, row.revision) for row in self._every() if row.purpose == "remind" and row.state == "done"}
        for uid, post in self.origin.posts.items():
            event: Any = post
            if event.status != "confirmed" or uid in self.by_hand:
                continue
            later = [one for one in reminders(event, OFFSETS, NOW.time()) if self.quiet_at + DAY < one.at <= self.clock()]
            lost = [one.at for one in later if (uid, one.number) not in sent]
            assert lost == [], f"reminders of {uid} are lost"


def test_a_story() -> None:
    """Announced, reminded of, moved while the network is away, killed, cancelled and on again."""
    kinds: tuple[Kind, ...] = ("keyed", "findable", "blind")
    for kind in kinds:
        for edits in (True, False):
            machine = EventMachine()
            machine.start(kind=kind, wish="update", notice="always", edits=edits)
            calm, waits = Luck(answers=[], cut=None, waits_s=[31, 600]), Luck(answers=["refuse"], cut=(3, "after"), waits_s=[90_000, 31])
            machine.publish(luck=calm)
            machine.pass_time(luck=waits)
            machine.move(luck=waits, which=0)
            machine.decide_on(luck=calm, which=0, status="cancelled")
            machine.decide_on(luck=waits, which=0, status="confirmed")
            machine.never_twice()
            machine.teardown()


TestEventMachine = EventMachine.TestCase
TestEventMachine.settings = settings(
    max_examples=EXAMPLES or 20,
    stateful_step_count=40 if EXAMPLES else 10,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)

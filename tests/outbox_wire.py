"""A scripted network of three kinds, which remembers who sent what, knowing what; and its publishers."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from syndicator.contract import Context, Limits
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.model import Receipt, Rendition
from syndicator.testing import NOW

Kind = Literal["keyed", "findable", "blind"]
KEY_WINDOW = timedelta(hours=1)
LATE_BY = timedelta(seconds=15)
"""How long a request may be under way when nobody waits for it any more: less than policy.ASK_AGAIN."""
ANSWERS = (
    "ok", "refuse", "lose-request", "lose-answer", "late", "limit", "expire", "reject", "die-before", "die-after", "die-late",
)  # fmt: skip
Answer = str


class Died(BaseException):
    """The process is no more."""


class Clock:
    """The present of everybody."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass(kw_only=True)
class Thing:
    """One object on the network."""

    id: str
    key: str
    uid: str
    part: int
    parts: int
    text: str
    answers: str | None
    answers_last: bool
    """Whether what it answers was the last part of its thread then."""
    changed: int
    """Counts makings and changes of everything here: what has the highest has the last word. The parts of a thread speak at once."""


class Wire:
    """The network: does what its script says, and remembers who sent what, knowing what."""

    def __init__(self, clock: Clock, kind: Kind, *, blind_retries: bool, edits: bool = True) -> None:
        self.clock, self.kind, self.blind_retries, self.edits = clock, kind, blind_retries, edits
        self.up = True
        self.script: deque[Answer] = deque()
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        """What happens, once, while the next creation is being prepared."""
        self.things: dict[str, Thing] = {}
        self.ever: dict[str, Thing] = {}
        self.rejected: set[str] = set()
        """uids that were refused once."""
        self.violations: list[str] = []
        self._keys: dict[str, tuple[str, datetime]] = {}
        self._late: list[tuple[datetime, Callable[[], object]]] = []
        self._maybe: dict[str, datetime] = {}
        """key → when it was first used for what may be there, as long as nobody has found out since."""
        self._serial = 0

    def catch_up(self) -> None:
        """Carry out what was under way until now, each at its time."""
        now = self.clock()
        due = [one for one in self._late if one[0] <= now]
        self._late = [one for one in self._late if one[0] > now]
        for at, do in due:
            self.clock.at = at
            do()
        self.clock.at = now

    def forgive(self, key: str) -> None:
        """A person has looked: what was sent with this key is not there."""
        self._maybe.pop(key, None)

    def ask(self) -> None:
        """A harmless request."""
        self.catch_up()
        if not self.up:
            raise Transient("the network is down")

    def find(self, key: str) -> Receipt | None:
        """What was made with this key."""
        self.ask()
        found = next((thing for thing in self.ever.values() if thing.key == key), None)
        if found is None:
            self._maybe.pop(key, None)
        return None if found is None else Receipt(remote_id=found.id)

    def publish(self, rendition: Rendition, key: str, parent: Receipt | None) -> Receipt:
        """A request to make an object; whoever sends it twice must have a reason."""
        self.ask()
        first_at = self._maybe.get(key)
        keyed = self.kind == "keyed" and first_at is not None and self.clock() - first_at < KEY_WINDOW
        if first_at is not None and not keyed and not self.blind_retries:
            self.violations.append(f"blind second send of {rendition.uid} part {rendition.part}")
        answer = self._answer(rendition.uid)
        if answer not in ("refuse", "limit", "expire", "reject"):
            self._maybe.setdefault(key, self.clock())
        made = self._carry_out(answer, lambda: self._make(rendition, key, parent))
        return Receipt(remote_id=made.id)

    def change(self, receipt: Receipt, act: Callable[[Thing], object]) -> None:
        """A request to edit or remove an object."""
        self.ask()
        thing = self.ever.get(receipt.remote_id)
        answer = self._answer(thing.uid if thing else "")

        def carry_out() -> None:
            there = self.things.get(receipt.remote_id)
            if there is None:
                raise Gone("not there")
            self._serial += 1
            there.changed = self._serial
            act(there)

        self._carry_out(answer, carry_out)

    def _answer(self, uid: str) -> Answer:
        answer = self.script.popleft() if self.script else "ok"
        if answer == "refuse":
            raise Transient("not now")
        if answer == "limit":
            raise RateLimited("slowly", at=self.clock() + timedelta(minutes=2))
        if answer == "expire":
            raise AuthExpired("who are you?")
        if answer == "reject":
            self.rejected.add(uid)
            raise Rejected("never")
        return answer

    def _carry_out(self, answer: Answer, do: Callable[[], Any]) -> Any:
        if answer in ("late", "die-late"):
            self._late.append((self.clock() + LATE_BY, lambda: self._quietly(do)))
        result = do() if answer in ("ok", "lose-answer", "die-after") else None
        if answer.startswith("die"):
            raise Died
        if answer != "ok":
            raise OutcomeUnknown("no answer")
        return result

    def _quietly(self, do: Callable[[], Any]) -> None:
        try:
            do()
        except Gone:
            return

    def _make(self, rendition: Rendition, key: str, parent: Receipt | None) -> Thing:
        known = self._keys.get(key)
        if self.kind == "keyed" and known is not None and self.clock() - known[1] < KEY_WINDOW:
            return self.ever[known[0]]
        self._serial += 1
        before = self.ever[parent.remote_id] if parent else None
        thing = Thing(
            id=f"o{self._serial}",
            key=key,
            uid=rendition.uid,
            part=rendition.part,
            parts=rendition.parts,
            text=rendition.text,
            answers=before.id if before else None,
            answers_last=before is None or before.part == before.parts - 1,
            changed=before.changed if before is not None and rendition.part else self._serial,
        )
        self.things[thing.id] = self.ever[thing.id] = thing
        self._keys[key] = (thing.id, self.clock())
        return thing


@dataclass(frozen=True, kw_only=True)
class WireOptions:
    wire: Wire


class Blind:
    """A publisher that only knows what it is told, and can remove it."""

    Options: ClassVar[type[Any]] = WireOptions
    limits: ClassVar[Limits] = Limits(text_max=60, threads=True)

    def __init__(self, options: WireOptions, context: Context) -> None:
        self.wire = options.wire

    async def open(self) -> None:
        self.wire.ask()

    async def close(self) -> None: ...

    async def delete(self, receipt: Receipt) -> None:
        self.wire.change(receipt, lambda thing: self.wire.things.pop(thing.id))

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:
        meanwhile, self.wire.meanwhile = self.wire.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return "ready"

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        return self.wire.publish(rendition, key, parent)


class Editing(Blind):
    """One whose posts can be edited."""

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        def write(thing: Thing) -> None:
            thing.text, thing.parts = rendition.text, rendition.parts

        self.wire.change(receipt, write)
        return receipt


class Findable(Blind):
    """One that can ask."""

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:
        return self.wire.find(key)


class Keyed(Findable):
    """One whose service knows its keys for a while."""

    limits: ClassVar[Limits] = replace(Blind.limits, key_window_s=int(KEY_WINDOW.total_seconds()))


class EditingFindable(Editing, Findable):
    """Both."""


class EditingKeyed(Editing, Keyed):
    """Both."""


PUBLISHERS: dict[tuple[Kind, bool], type[Blind]] = {
    ("blind", False): Blind,
    ("findable", False): Findable,
    ("keyed", False): Keyed,
    ("blind", True): Editing,
    ("findable", True): EditingFindable,
    ("keyed", True): EditingKeyed,
}
"""By what the service can tell, and whether it lets edit."""

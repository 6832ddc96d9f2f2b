"""What planning goes by, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from syndicator.model import Item, Purpose

RECONSIDERED = frozenset({
    "not-public", "draft", "opted-out", "content-warning", "cancelled-in-time", "cancelled", "over", "stale", "filter", "boost",
    "nothing-to-show", "no-route", "superseded", "twin",
})  # fmt: skip
"""Why a creation that never left was dropped, as far as another edit may undo the reason."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happened to one item of one source, as the store saw it."""

    kind: Literal["new", "changed", "gone", "returned"]
    item: Item
    """As it is now; for ``gone``, as it was last."""
    incarnation: int
    """How many times it has come back after it was gone."""
    revision: int
    """Counts its contents from 1."""
    first_seen_at: datetime
    first: bool = False
    """True when the very first look at its source saw it: it may be of any age."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A publisher as far as planning goes."""

    name: str
    type: str
    kinds: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Known:
    """A delivery that exists and makes something: the item itself, or a note about an edit of it."""

    id: int
    purpose: Purpose = "create"
    route: str
    part: int
    incarnation: int
    """Which life of the item; of a note, the revision that it tells of."""
    state: str
    outcome_unknown: bool
    reason: str = ""

    @property
    def never_sent(self) -> bool:
        """Whether nothing of it can have reached the network, though it may still leave."""
        return self.state in ("pending", "parked") and not self.outcome_unknown

    @property
    def unsent(self) -> bool:
        """Whether there is nothing of it to change or to take back."""
        return self.never_sent or self.state == "dropped"

    @property
    def reconsidered(self) -> bool:
        """Whether it was dropped for a reason that may have passed."""
        return self.state == "dropped" and self.reason in RECONSIDERED


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the outbox and the store already know of the changed items."""

    ours: frozenset[str] = frozenset()
    """uids of changed items that are copies we made ourselves."""
    live_elsewhere: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """uid → the other sources that still show it."""
    stored: frozenset[str] = frozenset()
    """Those uids among what the changed items boost that are items themselves."""
    own_accounts: frozenset[str] = frozenset()
    """Handles of the association's own sources, lower case."""
    known: Mapping[tuple[str, str], tuple[Known, ...]] = field(default_factory=dict)
    """(uid, destination) → what was made of it there, or is about to be."""
    since: Mapping[tuple[str, str, str], datetime] = field(default_factory=dict)
    """(route, source, destination) → when that way was first open."""
    copies: Mapping[tuple[str, str], tuple[Change, ...]] = field(default_factory=dict)
    """(source, uid) → all copies of that event, itself too, the best first; only where several sources show it."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A delivery to be written to the outbox."""

    route: str
    source: str
    uid: str
    destination: str
    purpose: Purpose
    revision: int
    due_at: datetime
    part: int = 0
    parent_uid: str | None = None
    """The item whose ``create`` delivery there must have its receipt first."""
    parent_id: int | None = None
    """The delivery that must be settled first, where it is another one than that."""


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """A waiting delivery that has lost its reason."""

    uid: str
    destination: str
    purposes: tuple[Purpose, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Rescheduled:
    """A creation that waits, and is now to wait until another moment."""

    uid: str
    destination: str
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """An announcement that stays though its own copy is gone: from now on it is that of another copy of the event."""

    uid: str
    destination: str
    by: Planned
    """The announcement as it would have been of that one."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An item that a route does not carry, and why: a word of ``refusal.*`` in the message catalogues."""

    route: str
    destination: str
    uid: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to write, in one transaction with the items themselves."""

    planned: tuple[Planned, ...] = ()
    cancelled: tuple[Cancelled, ...] = ()
    refused: tuple[Refused, ...] = ()
    rescheduled: tuple[Rescheduled, ...] = ()
    adopted: tuple[Adopted, ...] = ()

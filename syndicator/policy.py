"""What becomes of a delivery after an attempt: error × attempts × age × now → decision; and when a publisher may speak.

Pure; the randomness is handed in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from syndicator.errors import AuthExpired, Gone, NotReady, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.model import Delivery, Purpose
from syndicator.route import Pace

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
DEFAULT_RATE_WAIT = timedelta(minutes=5)
ASK_AGAIN = timedelta(seconds=20)
"""How long after an unknown outcome the question "did it go out?" is worth asking: the request may still be under way."""
GIVE_UP = timedelta(days=14)
"""How long an update or a deletion is tried, and a service is asked what became of a creation, before a person is."""
KEY_MARGIN = 0.9
"""The part of a service's key window that we rely on: its clock is not ours."""
FIRST_PROBE = timedelta(minutes=5)
FOLLOWS: frozenset[Purpose] = frozenset({"update", "replace", "delete", "retire"})
"""Purposes that change or remove what is there, and may be repeated; all others make something."""


class NotYet(Transient):
    """Our own side is not ready: no fault of the destination's, whose account does not rest for it."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """It surely did not happen: again at ``at``."""

    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class Recover:
    """It may have happened: find out at ``at``, before anything is sent again."""

    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class Pause:
    """The account cannot work until ``at``; ``person`` tells whether somebody must act. The delivery waits with it."""

    at: datetime
    reason: str
    person: bool
    outcome_unknown: bool


@dataclass(frozen=True, kw_only=True)
class Park:
    """A person must decide."""

    reason: str
    outcome_unknown: bool


@dataclass(frozen=True, kw_only=True)
class Done:
    """Nothing is left to do."""


@dataclass(frozen=True, kw_only=True)
class Drop:
    """There is nothing to do it to any more."""

    reason: str


Decision = Retry | Recover | Pause | Park | Done | Drop


def decide(error: Exception, delivery: Delivery, now: datetime, rng: random.Random, *, sent: bool, keyed: bool = False) -> Decision:
    """What to do after ``error``; ``sent`` tells whether the attempt had reached the call that changes something, ``keyed`` whether the
    service still knows its key, so that sending again is as good as asking.

    An attempt that surely failed does not settle an earlier one whose outcome is unknown: that stays unknown.
    """
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, RateLimited):
        at = error.at or now + DEFAULT_RATE_WAIT
        # A moment that is over already must not make us knock without a pause.
        return Pause(at=max(at, now + FIRST_WAIT), reason=reason, person=False, outcome_unknown=delivery.outcome_unknown)
    if isinstance(error, NotReady) and error.at is not None and not delivery.outcome_unknown:
        return Retry(at=error.at, reason=reason)
    if isinstance(error, Transient):
        return _again(delivery, now, rng, reason)
    if isinstance(error, OutcomeUnknown):
        return _unknown(delivery, now, rng, reason, sent=sent, keyed=keyed)
    if isinstance(error, AuthExpired):
        return Pause(at=now + FIRST_PROBE, reason=reason, person=True, outcome_unknown=delivery.outcome_unknown)
    if isinstance(error, Gone):
        return _gone(delivery, reason)
    if isinstance(error, Rejected):
        return Park(reason=reason, outcome_unknown=delivery.outcome_unknown)
    return Park(reason=f"bug: {reason}", outcome_unknown=delivery.outcome_unknown or sent)


def _again(delivery: Delivery, now: datetime, rng: random.Random, reason: str) -> Decision:
    if delivery.purpose in FOLLOWS and now - delivery.created_at > GIVE_UP:
        return Park(reason=reason, outcome_unknown=_matters(delivery))
    if delivery.outcome_unknown and delivery.first_sent_at is not None and now - delivery.first_sent_at > GIVE_UP:
        return Park(reason="unknown", outcome_unknown=True)
    at = now + backoff(delivery.attempts + 1, rng)
    return Recover(at=at, reason=reason) if delivery.outcome_unknown else Retry(at=at, reason=reason)


def _matters(delivery: Delivery) -> bool:
    """Whether an unknown outcome must be remembered: what we may have removed to post it anew is missed when it is not."""
    return delivery.purpose == "replace" and delivery.outcome_unknown


def _unknown(delivery: Delivery, now: datetime, rng: random.Random, reason: str, *, sent: bool, keyed: bool) -> Decision:
    if not sent:
        return _again(delivery, now, rng, reason)
    if delivery.purpose in FOLLOWS and now - delivery.created_at > GIVE_UP:
        return Park(reason=reason, outcome_unknown=delivery.purpose == "replace")
    wait = backoff(delivery.attempts + 1, rng)
    # An edit repeated is harmless, unless the first one is still under way and comes last.
    at_once = delivery.purpose == "delete" or (keyed and delivery.purpose not in FOLLOWS)
    return Recover(at=now + (wait if at_once else max(ASK_AGAIN, wait)), reason=reason)


def _gone(delivery: Delivery, reason: str) -> Decision:
    if delivery.purpose == "delete":
        return Done()
    if delivery.purpose in FOLLOWS:
        return Drop(reason="gone-there")
    return Park(reason=reason, outcome_unknown=delivery.outcome_unknown)


def backoff(attempts: int, rng: random.Random) -> timedelta:
    """Exponential with jitter: after ``attempts`` failures (1 or more), between half and all of ``FIRST_WAIT`` × 2 ** (attempts - 1)."""
    ceiling = min(FIRST_WAIT * 2 ** min(max(attempts, 1) - 1, 16), LONGEST_WAIT)
    return timedelta(seconds=ceiling.total_seconds() * rng.uniform(0.5, 1.0))


def key_holds(delivery: Delivery, key_window_s: int, now: datetime) -> bool:
    """Whether the service still turns this delivery's key into the object an earlier attempt may have made."""
    if not key_window_s or delivery.first_sent_at is None:
        return False
    age = now - delivery.first_sent_at
    # Sent in the future: our clock was put back, and nobody knows how old the key is.
    return timedelta(0) <= age < timedelta(seconds=key_window_s * KEY_MARGIN)


def speak_at(due_at: datetime, pace: Pace, last_sent_at: datetime | None, zone: tzinfo) -> datetime:
    """The first instant, not before ``due_at``, at which a publisher's pace allows a new post."""
    at = due_at if last_sent_at is None else max(due_at, last_sent_at + pace.spacing)
    if pace.quiet_from is None or pace.quiet_until is None or pace.quiet_from == pace.quiet_until:
        return at
    local = at.astimezone(zone)
    if not _quiet(local.time(), pace.quiet_from, pace.quiet_until):
        return at
    wake = datetime.combine(local.date(), pace.quiet_until, zone).replace(fold=local.fold)
    if local.time() >= pace.quiet_until:
        wake += timedelta(days=1)
    return max(at, wake.astimezone(due_at.tzinfo))


def _quiet(clock: time, start: time, end: time) -> bool:
    return start <= clock < end if start < end else clock >= start or clock < end

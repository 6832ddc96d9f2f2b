"""The issues of a newsletter, for those who ask: what was sent when, to how many, and what comes next."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from syndicator.config import Config
from syndicator.errors import NotReady
from syndicator.http import Sessions
from syndicator.issues import Row
from syndicator.issuing import coming, uid_of
from syndicator.letter.newsletter import Newsletter
from syndicator.letter.schedule import next_after
from syndicator.logs import clean
from syndicator.tenant import Tenant

if TYPE_CHECKING:
    from syndicator.store import Store

READERS = ("sent", "refused", "unknown")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One issue that there was, or should have been."""

    until_at: datetime
    state: str
    things: int
    """How many things it told."""
    ways: dict[str, dict[str, Any]]
    """Destination → what became of it there: ``state``, ``reason``, ``progress`` of what is under way, and readers ``sent``, ``refused``,
    ``unknown`` where they are known."""


@dataclass(frozen=True, kw_only=True)
class Letters:
    """One newsletter."""

    name: str
    title: str
    next_at: datetime
    review: bool
    """Whether the next issue is before a person's eyes."""
    approved: bool = False
    """Whether that person said to send it."""
    issues: tuple[Listed, ...]
    """The newest first."""

    def data(self) -> dict[str, Any]:
        """For a script."""
        return asdict(self)


def next_key(*, review: bool, approved: bool) -> str:
    """Of the words that say when the next issue leaves."""
    return "newsletter.next-approved" if approved else "newsletter.next-review" if review else "newsletter.next"


class _Seen(Exception):
    """Takes a transaction back that was only to look."""

    def __init__(self, letters: list[Letters]) -> None:
        self.letters = letters


def listed(config: Config, letters: Iterable[Newsletter], now: datetime) -> list[Letters]:
    """Each of ``letters``; raises StateError when the ledger cannot be read."""
    tenant = Tenant.make(config, Sessions(), lambda: now, random.Random())  # noqa: S311 - never used
    if not tenant.ledger.path.exists():
        return [_promised(tenant, letter, now) for letter in letters]

    def look(store: Store) -> None:
        raise _Seen([_of(tenant, store, letter, now) for letter in letters])

    try:
        tenant.ledger.transact_now(look)
    except _Seen as seen:
        return seen.letters
    finally:
        tenant.ledger.close()
    raise AssertionError("looking always ends in what was seen")


def _promised(tenant: Tenant, letter: Newsletter, now: datetime) -> Letters:
    """Where nothing ran yet."""
    next_at = next_after(letter.schedule, now, tenant.zone, letter.starts)
    return Letters(name=letter.name, title=letter.title, next_at=next_at.astimezone(tenant.zone), review=False, issues=())


def _of(tenant: Tenant, store: Store, letter: Newsletter, now: datetime) -> Letters:
    upcoming, rows = coming(tenant, store, letter, now), store.issues.all(letter.name)
    return Letters(
        name=letter.name,
        title=letter.title,
        next_at=upcoming.until_at.astimezone(tenant.zone),
        review=upcoming.state == "review",
        approved=upcoming.verdict == "send",
        issues=tuple(_issue(tenant, store, letter, row) for row in rows if row.state != "review"),
    )


def _issue(tenant: Tenant, store: Store, letter: Newsletter, row: Row) -> Listed:
    uid = uid_of(tenant, letter, row.until_at)
    return Listed(
        until_at=row.until_at.astimezone(tenant.zone),
        state=row.state,
        things=store.issues.things(letter.name, row.until_at),
        ways=ways_of(store, uid),
    )


def ways_of(store: Store, uid: str) -> dict[str, dict[str, Any]]:
    """What became of an issue at each destination that it goes to."""
    found = {}
    for (_, name), known in store.outbox.known([uid]).items():
        state = next((one.state for one in known if one.state not in ("done", "dropped")), known[-1].state)
        sent = store.outbox.sent(name, uid)
        reason = next((one.reason for one in known if one.state == state), "")
        found[name] = {"state": state, **_why(state, reason), **_readers(sent.receipt.data if sent else ())}
    return found


def _why(state: str, reason: str) -> dict[str, str]:
    """Why it stands there; ``progress`` where it is under way: ``1200/5000``."""
    kind, _, detail = reason.partition(": ")
    if state == "pending" and kind == NotReady.__name__:
        return {"reason": "", "progress": clean(detail)}
    return {"reason": "" if state == "done" else clean(reason)}


def _readers(told: Iterable[tuple[str, str]]) -> Mapping[str, int]:
    """Numbers that a way out left with its receipt."""
    return {key: int(value) for key, value in told if key in READERS and value.isdigit()}

"""What a person should know of: one row a subject, raised once, cleared when it is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from syndicator.items import instant
from syndicator.schema import Database

PASSING = frozenset({"unreachable", "rate-limited"})
"""Kinds of problem that may pass by themselves."""

NOTICES = frozenset({"media", "budget", "budget-soon", "expiring"})
"""Kinds that a person should know of while everything does what it was told to: a round has not failed for them."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that does not work, until it does again."""

    subject: str
    """``source:NAME``, ``destination:NAME``, ``media:NAME`` and ``budget:NAME`` of a destination, ``expiring:source:NAME`` or
    ``expiring:destination:NAME``, ``delivery:ID``, ``review:NEWSLETTER``, ``clock``."""
    kind: str
    """A word of ``problem.*`` in the message catalogues: it holds what to do."""
    detail: str
    """What the service said."""
    hint: str
    """The connector's own advice, in the association's language; may be empty."""
    since: datetime
    told_at: datetime | None


class Problems:
    """The open problems of one association."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, subject: str, kind: str, detail: str, hint: str, now: datetime) -> bool:
        """Open a problem; True when it is news (another kind than the one known for this subject).

        What may pass by itself never hides what a person must mend (a server that is down says nothing of its credential), and goes on
        from when it began whatever it turns into.
        """
        row = self._db.conn.execute("select * from problem where subject = ?", (subject,)).fetchone()
        if row is not None and (row["kind"] == kind or (kind in PASSING and row["kind"] not in PASSING)):
            return False
        goes_on = row is not None and row["kind"] in PASSING and kind in PASSING
        self._db.conn.execute(
            "insert or replace into problem (subject, kind, detail, hint, since, told_at) values (?, ?, ?, ?, ?, ?)",
            (subject, kind, detail, hint, row["since"] if goes_on else instant(now), row["told_at"] if goes_on else None),
        )
        return True

    def clear(self, subject: str) -> bool:
        """Close a problem; True when there was one."""
        return bool(self._db.conn.execute("delete from problem where subject = ?", (subject,)).rowcount)

    def told(self, subjects: Iterable[str], now: datetime) -> None:
        """Remember that a person was told of these."""
        self._db.conn.executemany("update problem set told_at = ? where subject = ?", [(instant(now), subject) for subject in subjects])

    def keep(self, subjects: Iterable[str]) -> None:
        """At a start: forget what concerns accounts that are no longer configured, and a clock that jumped long ago."""
        kept = set(subjects)
        for problem in self.open():
            if problem.subject not in kept and not problem.subject.startswith("delivery:"):
                self.clear(problem.subject)

    def open(self) -> list[Problem]:
        """All of them, the oldest first."""
        return [
            Problem(
                subject=row["subject"],
                kind=row["kind"],
                detail=row["detail"],
                hint=row["hint"],
                since=datetime.fromisoformat(row["since"]),
                told_at=datetime.fromisoformat(row["told_at"]) if row["told_at"] else None,
            )
            for row in self._db.conn.execute("select * from problem order by since, subject")
        ]

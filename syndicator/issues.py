"""The store's half for newsletters: which issues there were to be, what became of each, and what they told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from syndicator.items import instant
from syndicator.rows import instant_of
from syndicator.schema import Database

State = Literal["review", "made", "skipped", "stopped"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One issue that was due."""

    newsletter: str
    until_at: datetime
    since_at: datetime
    state: State
    """``review``: a person sees it first; ``made``: it is in the outbox; ``skipped``: too little to tell; ``stopped`` by a person."""
    editorial: str = ""
    """What a person wrote for it, HTML."""
    verdict: Literal["", "send"] = ""
    """What a person said of it."""
    begun_at: datetime | None = None
    """When it was first written down; of no account when written."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """What went back and forth with the person who sees an issue first."""

    presses: int = 0
    """How often they decided something."""
    mailed_at: datetime | None = None
    decided_at: datetime | None = None
    """When they last decided something."""
    edited: bool = False
    """Whether what a person wrote for it was written on its page: no later post or file replaces that."""


class Issues:
    """Issues of an association's newsletters."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self, newsletter: str, most: int = 50) -> list[Row]:
        """The newest first."""
        rows = self._db.conn.execute("select * from issue where newsletter = ? order by until_at desc limit ?", (newsletter, most))
        return [_row(row) for row in rows]

    def last(self, newsletter: str) -> Row | None:
        """The newest one."""
        found = self.all(newsletter, 1)
        return found[0] if found else None

    def told_until(self, newsletter: str) -> datetime | None:
        """Until when everything has been told: what came later is news."""
        row = self._db.conn.execute(
            "select max(until_at) as at from issue where newsletter = ? and state = 'made'", (newsletter,)
        ).fetchone()
        return instant_of(row["at"])

    def put(self, row: Row, now: datetime) -> None:
        """Write an issue down, or what became of it."""
        self._db.conn.execute(
            "insert into issue (newsletter, until_at, since_at, state, editorial, verdict, made_at) values (?, ?, ?, ?, ?, ?, ?)"
            " on conflict (newsletter, until_at) do update set state = excluded.state, editorial = excluded.editorial,"
            " verdict = excluded.verdict",
            (row.newsletter, instant(row.until_at), instant(row.since_at), row.state, row.editorial, row.verdict, instant(now)),
        )

    def one(self, newsletter: str, until_at: datetime) -> Row | None:
        """The issue that was due then."""
        sql = "select * from issue where newsletter = ? and until_at = ?"
        row = self._db.conn.execute(sql, (newsletter, instant(until_at))).fetchone()
        return _row(row) if row else None

    def review(self, newsletter: str, until_at: datetime) -> Review:
        """What was said of an issue."""
        sql = "select * from review where newsletter = ? and until_at = ?"
        row = self._db.conn.execute(sql, (newsletter, instant(until_at))).fetchone()
        if row is None:
            return Review()
        return Review(
            presses=row["presses"],
            mailed_at=instant_of(row["mailed_at"]),
            decided_at=instant_of(row["decided_at"]),
            edited=bool(row["edited"]),
        )

    def mailed(self, newsletter: str, until_at: datetime, now: datetime) -> None:
        """Remember that a person was shown an issue."""
        self._db.conn.execute(
            "insert into review (newsletter, until_at, mailed_at) values (?, ?, ?)"
            " on conflict (newsletter, until_at) do update set mailed_at = excluded.mailed_at",
            (newsletter, instant(until_at), instant(now)),
        )

    def pressed(self, newsletter: str, until_at: datetime, now: datetime, *, edited: bool) -> None:
        """Remember that a person decided something: every form that was shown before is void."""
        self._db.conn.execute(
            "insert into review (newsletter, until_at, presses, decided_at, edited) values (?, ?, 1, ?, ?)"
            " on conflict (newsletter, until_at) do update set presses = presses + 1, decided_at = excluded.decided_at,"
            " edited = max(edited, excluded.edited)",
            (newsletter, instant(until_at), instant(now), edited),
        )

    def told(self, newsletter: str, before: datetime) -> frozenset[str]:
        """uids that issues due before ``before`` told."""
        rows = self._db.conn.execute("select uid from told where newsletter = ? and until_at < ?", (newsletter, instant(before)))
        return frozenset(row["uid"] for row in rows)

    def things(self, newsletter: str, until_at: datetime) -> int:
        """How many things an issue told."""
        sql = "select count(*) as n from told where newsletter = ? and until_at = ?"
        return int(self._db.conn.execute(sql, (newsletter, instant(until_at))).fetchone()["n"])

    def tell(self, newsletter: str, until_at: datetime, uids: Iterable[str]) -> None:
        """Remember what an issue tells; what it told before it was changed is forgotten."""
        self._db.conn.execute("delete from told where newsletter = ? and until_at = ?", (newsletter, instant(until_at)))
        self._db.conn.executemany(
            "insert or ignore into told (newsletter, uid, until_at) values (?, ?, ?)",
            [(newsletter, uid, instant(until_at)) for uid in uids],
        )


def _row(row: object) -> Row:
    values = dict(row)  # type: ignore[call-overload]
    return Row(
        newsletter=values["newsletter"],
        until_at=datetime.fromisoformat(values["until_at"]),
        since_at=datetime.fromisoformat(values["since_at"]),
        state=values["state"],
        editorial=values["editorial"],
        verdict=values["verdict"],
        begun_at=instant_of(values["made_at"]),
    )

"""The store's part for accounts as a whole: when one rests, when its credential dies, whether we left it; what a projection last showed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from syndicator.items import instant
from syndicator.schema import Database


class Accounts:
    """The destinations of one association."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def pause(self, destination: str, until: datetime | None, reason: str = "") -> None:
        """Let an account rest until then; None wakes it."""
        self._db.conn.execute(
            "insert into destination (name, paused_until, paused_for) values (?, ?, ?) on conflict (name) do update"
            " set paused_until = excluded.paused_until, paused_for = excluded.paused_for"
            " where paused_until is not excluded.paused_until or paused_for is not excluded.paused_for",
            (destination, instant(until) if until else None, reason if until else None),
        )

    def paused(self, destination: str) -> tuple[datetime | None, str]:
        """Until when an account rests, and why."""
        row = self._one("select paused_until, paused_for from destination where name = ?", destination)
        return (
            (None, "")
            if row is None
            else (datetime.fromisoformat(row["paused_until"]) if row["paused_until"] else None, row["paused_for"] or "")
        )

    def projected(self, destination: str) -> tuple[int, str | None]:
        """The change number a projection last showed, and the digest of its configuration then."""
        row = self._one("select seen_seq, digest from destination where name = ?", destination)
        return (0, None) if row is None else (row["seen_seq"], row["digest"])

    def set_projected(self, destination: str, seq: int, digest: str) -> None:
        """Remember what a projection shows."""
        self._db.conn.execute(
            "insert into destination (name, seen_seq, digest) values (?, ?, ?) on conflict (name) do update"
            " set seen_seq = excluded.seen_seq, digest = excluded.digest"
            " where seen_seq is not excluded.seen_seq or digest is not excluded.digest",
            (destination, seq, digest),
        )

    def expires(self, account: str, at: datetime | None) -> None:
        """Remember when the credential of ``sources.NAME`` or ``destinations.NAME`` dies; None when that is not known."""
        if at is None:
            self._db.conn.execute("delete from expiry where account = ?", (account,))
            return
        self._db.conn.execute(
            "insert into expiry (account, at) values (?, ?) on conflict (account) do update set at = excluded.at where at != excluded.at",
            (account, instant(at)),
        )

    def expiries(self) -> dict[str, datetime]:
        """When credentials die, by ``sources.NAME`` or ``destinations.NAME``."""
        return {row["account"]: datetime.fromisoformat(row["at"]) for row in self._db.conn.execute("select * from expiry")}

    def departed(self) -> dict[str, datetime]:
        """The destinations that we left, and since when."""
        rows = self._db.conn.execute("select name, departed_at from destination where departed_at is not null")
        return {row["name"]: datetime.fromisoformat(row["departed_at"]) for row in rows}

    def _one(self, sql: str, *values: Any) -> Any:
        return self._db.conn.execute(sql, values).fetchone()

"""The store's half for recaps: which there were to be."""

from __future__ import annotations

from datetime import datetime

from syndicator.items import instant
from syndicator.schema import Database


class Recaps:
    """The store's part: which recaps there were to be."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def made_at(self, destination: str, name: str) -> datetime | None:
        """When its events were first looked at; None when they have not been."""
        row = self._db.conn.execute("select made_at from recap where destination = ? and name = ?", (destination, name)).fetchone()
        return None if row is None else datetime.fromisoformat(row["made_at"])

    def make(self, destination: str, name: str, now: datetime) -> None:
        """Its time has come, whether there is anything to tell or not."""
        self._db.conn.execute(
            "insert or ignore into recap (destination, name, made_at) values (?, ?, ?)", (destination, name, instant(now))
        )

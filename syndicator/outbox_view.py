"""What the outbox can be asked, changing nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from syndicator.model import Delivery
from syndicator.plan import Known
from syndicator.receipts import Receipts
from syndicator.rows import Sent, Slot, delivery_of
from syndicator.schema import Database
from syndicator.turns import OPEN, UNSETTLED


class OutboxView:
    """Deliveries and receipts of one association, as they stand."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.receipts = Receipts(db)

    def known(self, uids: Iterable[str]) -> dict[tuple[str, str], tuple[Known, ...]]:
        """What was made of these items or about them, by (uid, destination)."""
        found: dict[tuple[str, str], list[Known]] = {}
        sql = "select * from delivery where uid = ? and purpose in ('create', 'announce-change', 'cancel', 'remind')"
        for uid in uids:
            for row in self._db.conn.execute(sql, (uid,)):
                known = Known(
                    id=row["id"],
                    purpose=row["purpose"],
                    route=row["route"],
                    part=row["part"],
                    incarnation=row["revision"],
                    state=row["state"],
                    outcome_unknown=bool(row["outcome_unknown"]),
                    reason=row["reason"],
                )
                found.setdefault((uid, row["destination"]), []).append(known)
        return {way: tuple(all_known) for way, all_known in found.items()}

    def delivery(self, delivery_id: int) -> Delivery | None:
        """One row."""
        row = self._one("select * from delivery where id = ?", delivery_id)
        return None if row is None else delivery_of(row)

    def deliveries(self, *states: str, limit: int = 200) -> list[Delivery]:
        """Rows in these states, the newest change first."""
        marks = ",".join("?" for _ in states)
        rows = self._db.conn.execute(
            f"select * from delivery where state in ({marks}) order by updated_at desc, id desc limit ?",  # noqa: S608
            (*states, limit),
        )
        return [delivery_of(row) for row in rows]

    def waiting(self, destination: str, limit: int = 20) -> list[Delivery]:
        """What leaves next for a destination."""
        sql = f"select * from delivery where destination = ? and {OPEN} order by due_at, id limit ?"  # noqa: S608
        return [delivery_of(row) for row in self._db.conn.execute(sql, (destination, limit))]

    def counts(self) -> Mapping[tuple[str, str], int]:
        """(destination, state) → how many deliveries."""
        rows = self._db.conn.execute("select destination, state, count(*) as n from delivery group by destination, state")
        return {(row["destination"], row["state"]): row["n"] for row in rows}

    def unfinished(self) -> Mapping[tuple[str, str], int]:
        """``counts`` for what waits or is parked alone; costs no more when the history is long."""
        rows = self._db.conn.execute(
            f"select destination, 'pending' as state, count(*) as n from delivery where {OPEN} group by destination"  # noqa: S608
            " union all select destination, state, count(*) from delivery where state = 'parked' group by destination"
        )
        return {(row["destination"], row["state"]): row["n"] for row in rows}

    def sent(self, destination: str, uid: str, part: int = 0) -> Sent | None:
        """A remote object of the item itself that is there, as far as we know."""
        return self.receipts.at(destination, uid, Slot(part=part))

    def unsure(self, destination: str, uid: str, part: int = 0) -> bool:
        """Whether an edit may have reached the remote object without our knowing: then it may not look as ``sent`` says."""
        sql = f"select 1 as one from delivery where uid = ? and destination = ? and part = ? and {UNSETTLED}"  # noqa: S608
        return self._one(f"{sql} and outcome_unknown = 1 and purpose in ('update', 'replace')", uid, destination, part) is not None

    def parts(self, destination: str, uid: str) -> list[Sent]:
        """The remote objects of the item itself, first part first."""
        return self.receipts.parts(destination, uid)

    def _one(self, sql: str, *values: Any) -> Any:
        return self._db.conn.execute(sql, values).fetchone()

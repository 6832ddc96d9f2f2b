"""Whose turn it is: what a delivery waits for before it may leave, as the rows of its item tell.

A thread part waits for the part before, an answer for all of what it answers, an edit or a removal for its object, an item that came back
for the removal of its last copy, one that is posted anew for the removal of the rest of its old thread, an edit and a thread part for an
edit that may be removing their object or what it answers, the later parts of an edit for the first, a notice for the notice before, a
reminder for what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syndicator.model import Receipt
from syndicator.plan.notes import NOTICES
from syndicator.policy import FOLLOWS
from syndicator.receipts import Receipts
from syndicator.rows import Slot
from syndicator.schema import Database

OPEN = "state in ('pending', 'sending')"
UNSETTLED = "(state in ('pending', 'sending') or (state = 'parked' and outcome_unknown = 1))"
LIVES_BEFORE = (
    "revision < :revision and ((purpose = 'create' and (state in ('pending', 'sending') or (state = 'parked' and outcome_unknown = 1)))"
    " or (purpose = 'delete' and revision >= 0 and state not in ('done', 'dropped')))"
)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Whether a delivery's way is free."""

    free: bool = False
    parent: Receipt | None = None
    """What it answers."""
    pointless: str = ""
    """Why there is nothing left to wait for."""


WAIT = Turn()


class Turns:
    """Reads the outbox; changes nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._receipts = Receipts(db)

    def of(self, row: Any) -> Turn:
        """Whether it is the turn of a row of ``delivery``, apart from the time."""
        if any(self._exists(row, what) for what in _waits_for(row)):
            return WAIT
        if row["parent_id"] is None:
            return Turn(free=True)
        parent = self._db.conn.execute("select * from delivery where id = ?", (row["parent_id"],)).fetchone()
        answer = row["purpose"] not in FOLLOWS and row["part"] == 0
        if parent["state"] == "done":
            return self._after(parent, answer=answer)
        if parent["state"] == "dropped":
            # An answer can stand alone; a note on what was never there says nothing.
            return Turn(free=True) if row["purpose"] == "create" and answer else Turn(pointless="never-sent")
        parked_unsent = parent["state"] == "parked" and not parent["outcome_unknown"]
        return Turn(free=row["purpose"] == "create" and answer and parked_unsent)

    def _after(self, parent: Any, *, answer: bool) -> Turn:
        destination, uid = parent["destination"], parent["uid"]
        if not answer:
            sent = self._receipts.at(destination, uid, Slot(part=parent["part"]))
            return Turn(free=True, parent=sent.receipt if sent else None)
        if self._exists(parent, f"purpose = 'create' and revision = :revision and {UNSETTLED}"):
            return WAIT
        parts = self._receipts.parts(destination, uid)
        return Turn(free=True, parent=parts[-1].receipt if parts else None)

    def _exists(self, row: Any, what: str) -> bool:
        sql = f"select 1 as one from delivery where uid = :uid and destination = :destination and {what}"  # noqa: S608
        values = {name: row[name] for name in ("uid", "destination", "revision", "part")}
        return self._db.conn.execute(sql, values).fetchone() is not None


def _waits_for(row: Any) -> tuple[str, ...]:
    """Which other rows of the item, at that destination, must be settled first."""
    if row["purpose"] == "create" and row["part"] == 0:
        anew = "purpose = 'replace' and part > 0 and state not in ('done', 'dropped')"
        return (anew, LIVES_BEFORE) if row["revision"] else (anew,)
    if row["purpose"] == "create":
        return (f"purpose = 'replace' and part = 0 and outcome_unknown = 1 and {UNSETTLED}",)
    if row["purpose"] == "update":
        removing = f"purpose = 'replace' and {UNSETTLED}"
        first = f"purpose in ('update', 'replace') and revision = :revision and part = 0 and {OPEN}"
        return (removing, first) if row["part"] else (removing,)
    if row["purpose"] in NOTICES:
        return (f"purpose in ('announce-change', 'cancel') and revision < :revision and {UNSETTLED}",)
    if row["purpose"] == "remind":
        return (f"purpose = 'replace' and {UNSETTLED}",)
    return ()

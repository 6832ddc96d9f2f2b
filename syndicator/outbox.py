"""The store's half for what is sent: deliveries, their claims, and the receipts.

The life of a delivery: ``pending`` (claimed by a lease while it is prepared) → ``sending``, committed with its frozen rendition before
the request leaves → ``done`` with a receipt, or back to ``pending``, or ``parked`` for a person, or ``dropped`` with a reason. A
``sending`` row whose lease is over was interrupted: nobody knows its outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from syndicator import renewal
from syndicator.codec import delivery_key, dump
from syndicator.items import instant
from syndicator.model import Delivery, Purpose, Receipt, Rendition
from syndicator.outbox_view import OutboxView
from syndicator.plan import RECONSIDERED, Plan, Planned
from syndicator.policy import ASK_AGAIN, FOLLOWS
from syndicator.rows import delivery_of, instant_of, made_anew
from syndicator.schema import Database
from syndicator.text.told import Told
from syndicator.turns import OPEN, UNSETTLED, Turns

MOVED_BACK = "'superseded', 'cancelled', 'over', 'deleted-in-time', 'not-public', 'draft', 'opted-out', 'filter'"
"""Why a reminder, or the taking back of a note, was given up, as far as another edit may undo the reason."""
AGAIN = ", ".join(f"'{reason}'" for reason in sorted(RECONSIDERED))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A delivery to work on now, or when to look again."""

    delivery: Delivery | None = None
    parent: Receipt | None = None
    """The receipt that a thread part answers."""
    look_again_at: datetime | None = None
    """When the next delivery of this destination is due; None when only an event can bring work."""


Allowed = Callable[[Delivery, datetime | None], datetime]
"""(delivery, when this destination last spoke) → the first instant at which it may leave."""


class Outbox(OutboxView):
    """Deliveries and receipts of one association."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self._turns = Turns(db)

    # planning

    def ours(self, names: Iterable[tuple[str, str]]) -> frozenset[str]:
        """Of these (uid, url), the uids of copies that we made."""
        return self.receipts.ours(names)

    def write(self, plan: Plan, now: datetime) -> int:
        """Carry out a plan; how many deliveries it added. What is there already is left as it is."""
        for cancelled in plan.cancelled:
            marks = ",".join("?" for _ in cancelled.purposes)
            rows = self._db.conn.execute(
                "update delivery set state = 'dropped', reason = ?, updated_at = ?, lease_until = null where uid = ? and destination = ?"  # noqa: S608
                f" and state in ('pending', 'parked') and outcome_unknown = 0 and purpose in ({marks})"
                # What goes on removing the rest of an old thread must not stop halfway.
                " and (purpose != 'replace' or part = 0) returning id",
                (cancelled.reason, instant(now), cancelled.uid, cancelled.destination, *cancelled.purposes),
            ).fetchall()
            # A person need not decide any more on what was parked.
            self._db.conn.executemany("delete from problem where subject = ?", [(f"delivery:{row['id']}",) for row in rows])
        for moved in plan.rescheduled:
            self._db.conn.execute(
                "update delivery set due_at = ? where uid = ? and destination = ? and purpose = 'create' and part = 0"
                " and state = 'pending' and first_sent_at is null and outcome_unknown = 0",
                (instant(moved.due_at), moved.uid, moved.destination),
            )
        return sum(self._insert(planned, now) for planned in plan.planned)

    def _insert(self, planned: Planned, now: datetime) -> int:
        parent_id = planned.parent_id
        if parent_id is None and planned.parent_uid is not None:
            part = planned.part if planned.purpose != "create" else 0
            parent = self._one(
                "select id from delivery where uid = ? and destination = ? and purpose = 'create' and part = ? order by revision desc",
                *(planned.parent_uid, planned.destination, part),
            )
            parent_id = parent["id"] if parent else None
        return self.add(planned, planned.part, parent_id, now)

    def add(self, planned: Planned, part: int, parent_id: int | None, now: datetime) -> int:
        """Write a row; one that was dropped before it ever left, for a reason that has passed, comes back."""
        key = delivery_key(planned.uid, planned.destination, planned.purpose, planned.revision, part)
        return self._db.conn.execute(
            "insert into delivery (route, source, uid, destination, purpose, revision, part, key,"  # noqa: S608
            " due_at, parent_id, created_at, updated_at)"
            f" values ({', '.join('?' * 12)}) on conflict (uid, destination, purpose, revision, part) do update"
            " set state = 'pending', reason = '', route = excluded.route, source = excluded.source, due_at = excluded.due_at,"
            " parent_id = excluded.parent_id, attempts = 0, prepared = null, rendition = null, first_sent_at = null,"
            " created_at = excluded.created_at, updated_at = excluded.updated_at"
            f" where delivery.state = 'dropped' and ((delivery.purpose = 'create' and delivery.reason in ({AGAIN}))"
            f" or (delivery.purpose in ('remind', 'retire') and delivery.reason in ({MOVED_BACK})))",
            (
                *(planned.route, planned.source, planned.uid, planned.destination, planned.purpose, planned.revision, part, key),
                *(instant(planned.due_at), parent_id, instant(now), instant(now)),
            ),
        ).rowcount

    # claims

    def claim(self, destination: str, owner: str, lease: timedelta, now: datetime, allowed: Allowed) -> Claim:
        """Take the first delivery that may leave now, for ``lease``; else say when to look again."""
        last_sent_at = self.last_sent_at(destination)
        look_again: datetime | None = None
        rows = self._db.conn.execute(f"select * from delivery where destination = ? and {OPEN} order by due_at, id", (destination,))  # noqa: S608
        for row in rows:
            due_at = datetime.fromisoformat(row["due_at"])
            if due_at > now:
                look_again = due_at if look_again is None else min(look_again, due_at)
                break
            leased_until = instant_of(row["lease_until"])
            delivery = delivery_of(row)
            at = max(delivery.due_at, leased_until or delivery.due_at)
            turn = self._turns.of(row)
            if turn.pointless:
                self.drop(delivery.id, turn.pointless, now)
                return self.claim(destination, owner, lease, now, allowed)  # something may have waited for it
            if not turn.free:
                continue
            if _speaks(delivery):
                # What answers our own post follows at once; quiet hours hold for it all the same.
                answer = turn.parent is not None and delivery.purpose == "create"
                at = max(at, allowed(replace(delivery, due_at=max(at, now)), None if answer else last_sent_at))
            if at <= now:
                return self._lease(row, turn.parent, owner, now + lease, now)
            look_again = at if look_again is None else min(look_again, at)
        return Claim(look_again_at=look_again)

    def _lease(self, row: Any, parent: Receipt | None, owner: str, until: datetime, now: datetime) -> Claim:
        self._db.conn.execute(
            "update delivery set lease_owner = ?, lease_until = ?, updated_at = ?, state = 'pending',"
            " outcome_unknown = max(outcome_unknown, state = 'sending') where id = ?",
            (owner, instant(until), instant(now), row["id"]),
        )
        delivery = self.delivery(row["id"])
        return Claim(delivery=delivery, parent=parent)

    def free(self) -> int:
        """Give back every lease: called by the one process that holds the state folder, when it starts.

        What was leaving when its process ended may still be under way: the question what became of it waits for ``ASK_AGAIN``.
        """
        leaving = self._db.conn.execute(f"select id, due_at, updated_at from delivery where {OPEN} and state = 'sending'").fetchall()  # noqa: S608
        for row in leaving:
            ask_at = instant(datetime.fromisoformat(row["updated_at"]) + ASK_AGAIN)
            self._db.conn.execute("update delivery set due_at = ? where id = ?", (max(row["due_at"], ask_at), row["id"]))
        return int(self._db.conn.execute(f"update delivery set lease_until = null where {OPEN} and lease_until is not null").rowcount)  # noqa: S608

    # an attempt

    def unprepare(self, delivery_id: int) -> None:
        """Forget what ``prepare`` made: it is of no use any more."""
        self._db.conn.execute("update delivery set prepared = null where id = ?", (delivery_id,))

    def sending(
        self,
        delivery: Delivery,
        rendition: Rendition,
        parts: Sequence[Rendition],
        now: datetime,
        *,
        prepared: str | None = None,
        told: Told | None = None,
    ) -> bool:
        """Mark it as leaving, with exactly what leaves and what ``prepare`` made of it; the later parts of a thread get their rows, each
        behind the one before. ``told`` is what it says of an event; None leaves what was noted.

        False when it was withdrawn meanwhile: then it must not leave.
        """
        marked = self._db.conn.execute(
            "update delivery set state = 'sending', purpose = ?, outcome_unknown = 1, rendition = ?, attempts = attempts + 1,"  # noqa: S608
            " prepared = coalesce(?, prepared), told = coalesce(?, told),"
            f" first_sent_at = case when ? then coalesce(first_sent_at, ?) else ? end, updated_at = ? where id = ? and {OPEN}",
            (
                *(delivery.purpose, dump(rendition), prepared, dump(told) if told is not None else None),
                *(delivery.outcome_unknown, *(instant(now),) * 3, delivery.id),
            ),
        ).rowcount
        if marked and delivery.purpose == "create" and delivery.part == 0 and not delivery.outcome_unknown:
            self._write_parts(delivery, parts, now)
        return bool(marked)

    def lengthen(self, update: Delivery, incarnation: int, parts: Sequence[Rendition], now: datetime) -> None:
        """With an edit of a thread: rows for the parts that it has now and had not, none for those that never left."""
        sql = "select * from delivery where uid = ? and destination = ? and purpose = 'create' and revision = ? and part = 0"
        first = self._one(sql, update.uid, update.destination, incarnation)
        if first is not None:
            self._write_parts(delivery_of(first), parts, now)

    def _write_parts(self, first: Delivery, parts: Sequence[Rendition], now: datetime) -> None:
        self._db.conn.execute(
            "update delivery set state = 'dropped', reason = 'superseded', updated_at = ? where uid = ? and destination = ?"
            " and purpose = 'create' and revision = ? and part >= ? and state = 'pending' and outcome_unknown = 0",
            (instant(now), first.uid, first.destination, first.revision, len(parts)),
        )
        parent_id = first.id
        for later in parts[1:]:
            planned = Planned(
                route=first.route,
                source=first.source,
                uid=first.uid,
                destination=first.destination,
                purpose="create",
                revision=first.revision,
                due_at=now,
            )
            self.add(planned, later.part, parent_id, now)
            row = self._one(
                "select id from delivery where uid = ? and destination = ? and purpose = 'create' and revision = ? and part = ?",
                *(first.uid, first.destination, first.revision, later.part),
            )
            self._db.conn.execute(
                "update delivery set rendition = ? where id = ? and state = 'pending' and first_sent_at is null", (dump(later), row["id"])
            )
            parent_id = row["id"]

    def done(self, delivery: Delivery, receipt: Receipt | None, rendition: Rendition | None, now: datetime, reason: str = "") -> None:
        """Nothing is left to do: keep the proof, if there is one, and close the row."""
        if receipt is not None and rendition is not None:
            self.receipts.keep(delivery, receipt, rendition, now)
        self._close(delivery.id, "done", reason, now)
        if delivery.purpose not in FOLLOWS:
            self._db.conn.execute(
                "insert into destination (name, last_sent_at) values (?, ?) on conflict (name) do update set last_sent_at = ?",
                (delivery.destination, instant(now), instant(now)),
            )

    def removed(self, delivery: Delivery, now: datetime) -> None:
        """It is there no more. A part that an edit left over may come back with another edit: then as a new object, under a new key."""
        self.receipts.removed(delivery, now)
        if delivery.purpose == "update":
            key = delivery_key(delivery.uid, delivery.destination, "create-again", delivery.revision, delivery.part)
            self._db.conn.execute(
                "update delivery set state = 'dropped', reason = 'superseded', key = ? where id = ?", (key, delivery.parent_id)
            )

    def anew(self, replacing: Delivery, now: datetime) -> None:
        """The first object of an item was removed to be posted anew: the rest of its thread and the notes about it go, then it comes."""
        renewal.begin(self._db, self, replacing, now)

    def announce(self, edit: Delivery, purpose: Purpose, now: datetime) -> bool:
        """A note is to tell of an edit, which leaves what is there as it is. False when the edit was withdrawn meanwhile."""
        if not self._close(edit.id, "done", "noted", now, only=OPEN):
            return False
        renewal.tell(self, edit, purpose, now)
        return True

    def announce_beside(self, edit: Delivery, purpose: Purpose, due_at: datetime, now: datetime) -> None:
        """A note is to tell of an edit that is made in place too; asked again, it stays one. Not when the edit was withdrawn meanwhile."""
        row = self.delivery(edit.id)
        if row is not None and row.state in ("pending", "sending"):
            self.write(Plan(planned=(renewal.notice(edit, purpose, due_at),)), now)

    def announced_at(self, destination: str, uid: str, incarnation: int) -> datetime | None:
        """When an item went out there in this life of it; None as long as it has not."""
        row = self._one(
            "select updated_at from delivery where uid = ? and destination = ? and purpose = 'create' and revision = ? and part = 0"
            " and state = 'done'",
            *(uid, destination, incarnation),
        )
        return None if row is None else datetime.fromisoformat(row["updated_at"])

    def reminders(self, destination: str) -> list[tuple[int, str, int]]:
        """(id, uid, moment) of the reminders that wait and may still be given up."""
        rows = self._db.conn.execute(
            "select id, uid, revision from delivery where destination = ? and state = 'pending' and state in ('pending', 'sending')"
            " and purpose = 'remind' and outcome_unknown = 0",
            (destination,),
        )
        return [(row["id"], row["uid"], row["revision"]) for row in rows]

    def unfinished_parts(self, destination: str, uid: str) -> str:
        """Why it cannot be posted anew yet: a part of it may be on its way; empty when none is."""
        sql = f"select 1 as one from delivery where uid = ? and destination = ? and purpose = 'create' and {UNSETTLED}"  # noqa: S608
        unsettled = self._one(f"{sql} and outcome_unknown = 1", uid, destination) is not None
        return "a part of its thread may be on its way" if unsettled else ""

    def last_sent_at(self, destination: str) -> datetime | None:
        """When it last got a new post."""
        row = self._one("select last_sent_at from destination where name = ?", destination)
        return instant_of(row["last_sent_at"]) if row else None

    def again(self, delivery: Delivery, at: datetime, reason: str, now: datetime, *, outcome_unknown: bool, attempted: bool) -> None:
        """Try later, unless it was withdrawn meanwhile. What surely was not sent is rendered anew then."""
        self._db.conn.execute(
            "update delivery set state = 'pending', due_at = ?, reason = ?, outcome_unknown = ?, lease_until = null, updated_at = ?,"  # noqa: S608
            f" attempts = attempts + ?, first_sent_at = case when ? then first_sent_at end where id = ? and {OPEN}",
            (instant(at), reason, outcome_unknown, instant(now), int(not attempted), outcome_unknown, delivery.id),
        )

    def release(self, delivery_id: int) -> None:
        """Give its claim back: it is to wait for its time."""
        self._db.conn.execute(f"update delivery set lease_until = null where id = ? and {OPEN}", (delivery_id,))  # noqa: S608

    def park(self, delivery: Delivery, reason: str, now: datetime, *, outcome_unknown: bool) -> bool:
        """Leave it to a person. False when it was withdrawn meanwhile: then there is nothing to decide."""
        return self._close(delivery.id, "parked", reason, now, outcome_unknown=outcome_unknown, only=OPEN)

    def drop(self, delivery_id: int, reason: str, now: datetime) -> None:
        """Give it up, with the reason on record; the first reason stays."""
        self._close(delivery_id, "dropped", reason, now, only="state not in ('done', 'dropped')")

    def _close(self, delivery_id: int, state: str, reason: str, now: datetime, *, outcome_unknown: bool = False, only: str = "1") -> bool:
        over = state != "parked"  # then what it said is in the receipt, or nowhere
        sql = (
            "update delivery set state = ?, reason = ?, lease_until = null, updated_at = ?, outcome_unknown = ?,"
            " rendition = case when ? then null else rendition end, prepared = case when ? then null else prepared end,"
            " told = case when ? then null else told end where id = ?"
        )
        values = (state, reason, instant(now), outcome_unknown, over, over, over, delivery_id)
        return bool(self._db.conn.execute(f"{sql} and {only}", values).rowcount)

    # what a person decides

    def retry(self, delivery_id: int, now: datetime) -> bool:
        """A person says that it is not there: send it again. False when there is no such parked delivery."""
        return bool(
            self._db.conn.execute(
                "update delivery set state = 'pending', first_sent_at = null, attempts = 0, due_at = ?,"
                " outcome_unknown = outcome_unknown and purpose in ('update', 'replace', 'delete', 'retire'), reason = '',"
                " rendition = case when part > 0 then rendition end, prepared = null, updated_at = ? where id = ? and state = 'parked'",
                (instant(now), instant(now), delivery_id),
            ).rowcount
        )

    def settle_by_hand(self, delivery_id: int, now: datetime) -> bool:
        """A person says that it is as it must be: there, or gone from there. False when there is no such parked delivery.

        What waited for it goes on. Without a receipt, later edits cannot follow.
        """
        delivery = self.delivery(delivery_id)
        if delivery is None or delivery.state != "parked":
            return False
        if delivery.purpose == "replace" and delivery.part == 0:
            self.anew(delivery, now)
        elif delivery.purpose in ("delete", "replace"):
            self.removed(delivery, now)
        self.done(delivery, None, None, now, reason="settled-by-hand")
        return True

    def abandon(self, delivery_id: int, now: datetime) -> bool:
        """A person gives it up. False when there is no such delivery that waits or is parked."""
        delivery = self.delivery(delivery_id)
        if delivery is None or delivery.state not in ("parked", "pending"):
            return False
        if delivery.purpose == "replace" and delivery.part:
            self.receipts.removed(delivery, now)  # it stays there and is ours no more: the new thread's part takes its place
        self.drop(delivery_id, "by-hand", now)
        return True


def _speaks(delivery: Delivery) -> bool:
    """Whether it is a new post, for which the pace holds; what is posted anew was held before the old one was removed."""
    return delivery.purpose not in FOLLOWS and not delivery.outcome_unknown and delivery.part == 0 and not made_anew(delivery)

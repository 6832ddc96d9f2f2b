"""What an edit asks for where it is not simply made: rows for a post that is removed and posted anew, and for a note about it.

An item that is posted anew is the creation that it was, under another key, rendered when it leaves; so are the parts of its thread. It
waits until the rest of its old thread is removed; that rest has its own rows, so that an interruption anywhere goes on where it was.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from syndicator.codec import delivery_key
from syndicator.items import instant
from syndicator.model import Delivery, Purpose
from syndicator.plan import Cancelled, Plan, Planned, retractions
from syndicator.plan.notes import NOTICES
from syndicator.rows import delivery_of
from syndicator.schema import Database

if TYPE_CHECKING:
    from syndicator.outbox import Outbox


def begin(db: Database, outbox: Outbox, replacing: Delivery, now: datetime) -> None:
    """The first object of an item is gone: have the rest of its thread and the notes about it removed, then have it posted."""
    outbox.removed(replacing, now)
    created = _created(db, replacing)
    if not created:
        return
    uid, destination = replacing.uid, replacing.destination
    rest = Planned(
        route=created[0].route,
        source=created[0].source,
        uid=uid,
        destination=destination,
        purpose="replace",
        revision=replacing.revision,
        due_at=replacing.due_at,
    )
    for later in outbox.receipts.parts(destination, uid):
        outbox.add(rest, later.rendition.part, None, now)
    notes = [known for known in outbox.known([uid])[uid, destination] if known.purpose in NOTICES]
    superseded = Cancelled(uid=uid, destination=destination, purposes=("update", *sorted(NOTICES)), reason="superseded")
    outbox.write(Plan(cancelled=(superseded,), planned=retractions(notes, rest, now)), now)
    for part in created:
        _reset(db, part, delivery_key(uid, destination, "create-again", replacing.revision, part.part), now)


def _created(db: Database, replacing: Delivery) -> list[Delivery]:
    """The creations of its thread that nobody has given up, first part first."""
    rows = db.conn.execute(
        "select part.* from delivery as part join delivery as first on first.id = ? and part.uid = first.uid"
        " and part.destination = first.destination and part.purpose = 'create' and part.revision = first.revision"
        " where part.state != 'dropped' order by part.part",
        (replacing.parent_id,),
    )
    return [delivery_of(row) for row in rows]


def _reset(db: Database, created: Delivery, key: str, now: datetime) -> None:
    """A creation that is to be carried out again; a later part once the first one leaves."""
    state, reason = ("dropped", "superseded") if created.part else ("pending", "")
    db.conn.execute(
        "update delivery set state = ?, reason = ?, key = ?, attempts = 0, prepared = null, rendition = null, told = null,"
        " first_sent_at = null, outcome_unknown = 0, lease_until = null, created_at = ?, updated_at = ? where id = ?",
        (state, reason, key, instant(now), instant(now), created.id),
    )
    db.conn.execute("delete from problem where subject = ?", (f"delivery:{created.id}",))


def tell(outbox: Outbox, edit: Delivery, purpose: Purpose, now: datetime) -> None:
    """A note takes the place of an edit, and of those that wait."""
    superseded = Cancelled(uid=edit.uid, destination=edit.destination, purposes=("update",), reason="superseded")
    outbox.write(Plan(cancelled=(superseded,), planned=(notice(edit, purpose, now),)), now)


def notice(edit: Delivery, purpose: Purpose, due_at: datetime) -> Planned:
    """The note that tells of an edit."""
    return Planned(
        route=edit.route,
        source=edit.source,
        uid=edit.uid,
        destination=edit.destination,
        purpose=purpose,
        revision=edit.revision,
        due_at=due_at,
        parent_id=edit.parent_id,
    )

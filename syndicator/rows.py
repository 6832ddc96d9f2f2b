"""Rows of the outbox as the model's data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syndicator.codec import delivery_key, load
from syndicator.model import Delivery, Purpose, Receipt, Rendition
from syndicator.plan.notes import removal_number, removed_by
from syndicator.policy import FOLLOWS


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A remote object as we left it."""

    receipt: Receipt
    rendition: Rendition


@dataclass(frozen=True, kw_only=True)
class Slot:
    """Which of an item's objects at one destination: the item itself, or what was posted about it later."""

    purpose: Purpose = "create"
    revision: int = 0
    """0 for the item itself, whatever life and edit of it; for a note, the revision that it told of; for a reminder, its moment."""
    part: int = 0


def slot_of(delivery: Delivery) -> Slot:
    """The object that a delivery makes, changes or removes."""
    if delivery.purpose in ("delete", "retire") and delivery.revision < 0:  # as ``removal_of`` has it
        purpose, revision = removed_by(delivery.revision)
        return Slot(purpose=purpose, revision=revision, part=delivery.part)
    if delivery.purpose == "create" or delivery.purpose in FOLLOWS:
        return Slot(part=delivery.part)
    return Slot(purpose=delivery.purpose, revision=delivery.revision, part=delivery.part)


def removal_of(slot: Slot, incarnation: int) -> int:
    """The ``revision`` of the delivery that removes what is there: lives of an item count from 0 up, notes about it count down."""
    return removal_number(slot.purpose, slot.revision) if slot.revision else incarnation


def made_anew(delivery: Delivery) -> bool:
    """Whether a creation stands in for one that we removed, to post it as it is now: its key says so."""
    first = delivery_key(delivery.uid, delivery.destination, "create", delivery.revision, delivery.part)
    return delivery.purpose == "create" and delivery.key != first


def instant_of(text: str | None) -> datetime | None:
    """What ``items.instant`` wrote."""
    return None if text is None else datetime.fromisoformat(text)


def delivery_of(row: Any) -> Delivery:
    """A row of ``delivery``."""
    return Delivery(
        id=row["id"],
        route=row["route"],
        source=row["source"],
        uid=row["uid"],
        destination=row["destination"],
        purpose=row["purpose"],
        revision=row["revision"],
        part=row["part"],
        key=row["key"],
        state=row["state"],
        due_at=datetime.fromisoformat(row["due_at"]),
        attempts=row["attempts"],
        prepared=row["prepared"],
        rendition=load(Rendition, row["rendition"]) if row["rendition"] else None,
        first_sent_at=instant_of(row["first_sent_at"]),
        outcome_unknown=bool(row["outcome_unknown"]),
        reason=row["reason"],
        parent_id=row["parent_id"],
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
    )


def sent_of(row: Any) -> Sent:
    """A row of ``receipt``."""
    data = tuple((str(name), str(value)) for name, value in json.loads(row["data"]))
    receipt = Receipt(remote_id=row["remote_id"], url=row["url"], uri=row["uri"], data=data)
    return Sent(receipt=receipt, rendition=load(Rendition, row["rendition"]))

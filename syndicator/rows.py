"""Rows of the outbox as the model's data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syndicator.codec import load
from syndicator.model import Delivery, Receipt, Rendition


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A remote object as we left it."""

    receipt: Receipt
    rendition: Rendition


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

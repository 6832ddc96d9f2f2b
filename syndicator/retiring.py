"""The taking back of notes that have become untrue.

A note (a reminder, a notice) says what was true when it left. When the event moves, is renamed, cancelled or confirmed, a reminder is
removed where that can be, else corrected; a notice is removed or corrected where the network can edit, and stays elsewhere: the newer one
tells. What can be neither is told by the notice alone. A corrected note names no date: so it need never be corrected again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from syndicator.model import Delivery, Event, Item
from syndicator.plan import Plan, Planned
from syndicator.plan.notes import NOTES
from syndicator.receipts import Live
from syndicator.rows import removal_of
from syndicator.text.told import Told, moved

if TYPE_CHECKING:
    from syndicator.store import Store


def has_moved(told: Told | None, item: Item) -> bool:
    """Whether an event is not as readers were told."""
    return told is not None and isinstance(item, Event) and moved(told.event, item)


def retire_for(store: Store, items: Iterable[Item], at: datetime, now: datetime) -> None:
    """The taking back, at ``at``, of what is out and says of these items what is not so any more."""
    for event in items:
        if isinstance(event, Event):
            notes = [(name, note) for name, note in store.outbox.receipts.notes(event.uid) if has_moved(note.told, event)]
            store.outbox.write(Plan(planned=tuple(_taking_back(name, note, event, at) for name, note in notes)), now)


def retire_late(store: Store, note: Delivery, now: datetime) -> None:
    """The same for a note that turns out to be there."""
    stored = store.items.item(note.source, note.uid) if note.purpose in NOTES else None
    if stored is not None:
        retire_for(store, [stored.item], now, now)


def _taking_back(destination: str, note: Live, event: Event, at: datetime) -> Planned:
    revision = removal_of(note.slot, 0)
    return Planned(route="", source=event.source, uid=event.uid, destination=destination, purpose="retire", revision=revision, due_at=at)

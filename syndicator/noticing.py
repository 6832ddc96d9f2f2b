"""What readers of a destination must hear of an event that changed."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from syndicator.codec import dump
from syndicator.contract import Publisher
from syndicator.editing import as_seen
from syndicator.items import Stored
from syndicator.judge import rendered
from syndicator.model import Delivery, Event, Item
from syndicator.plan.notes import notice_about
from syndicator.retiring import has_moved
from syndicator.route import Route
from syndicator.tenant import Tenant
from syndicator.text.told import Told, facts_of

__all__ = ["has_moved", "may_notice", "notice_digest", "told_by"]


def told_by(item: Item, digest: str = "") -> Told | None:
    """What a post about ``item`` says of an event; None of what is none."""
    return Told(event=facts_of(item), digest=digest) if isinstance(item, Event) else None


def may_notice(route: Route, item: Item) -> bool:
    """Whether a route's notices tell of an item."""
    if not isinstance(item, Event):
        return True
    purpose = "cancel" if notice_about(item) == "cancel" else "change"
    return route.notice != "never" and purpose in route.purposes


def notice_digest(tenant: Tenant, publisher: Publisher, delivery: Delivery, stored: Stored) -> str:
    """Names what a notice of the item as it is now would say, but for what was before."""
    told = rendered(tenant, publisher, replace(delivery, purpose="announce-change"), stored)
    return hashlib.sha256("\n".join(dump(one) for one in as_seen(told[:1])).encode()).hexdigest()[:32]

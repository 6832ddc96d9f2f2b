"""An issue that a person sends, rather than its hour.

It is written down as approved; what makes and delivers it is what makes and delivers every other, so that it leaves exactly once: the
daemon where it runs, else one round here.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from syndicator import steps
from syndicator.config import Config
from syndicator.http import Sessions
from syndicator.issue_list import ways_of
from syndicator.issues import Row
from syndicator.issuing import send_now, uid_of
from syndicator.letter.newsletter import Newsletter
from syndicator.tenant import InUse, Tenant


@dataclass(frozen=True, kw_only=True)
class SentNow:
    """What came of it."""

    result: Literal["nothing", "daemon", "here", "later"]
    """There is nothing to tell; the daemon that runs sends it; it was sent from here; it was approved, and leaves at its hour."""
    until_at: datetime | None = None
    ways: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Destination → its state, as far as it went."""

    def data(self) -> dict[str, Any]:
        """For a script."""
        return {"result": self.result, "until_at": self.until_at, "destinations": self.ways}


async def send(config: Config, letter: Newsletter, sessions: Sessions, now: Callable[[], datetime]) -> SentNow:
    """Send what there is to tell; raises StateError when the ledger cannot be used."""
    tenant = Tenant.make(config, sessions, now, random.Random())  # noqa: S311 - jitter, no secret
    try:
        try:
            await tenant.start()
            alone = True
        except InUse:
            alone = False
        if alone:
            await asyncio.gather(*(steps.poll(tenant, name) for name in letter.sources))
        row = await tenant.ledger.transact(lambda store: send_now(tenant, store, letter, tenant.now()))
        if row is None:
            return SentNow(result="nothing")
        if row.until_at > tenant.now():
            return SentNow(result="later", until_at=row.until_at)
        return await _deliver(tenant, letter, row) if alone else SentNow(result="daemon", until_at=row.until_at)
    finally:
        await tenant.close()


async def _deliver(tenant: Tenant, letter: Newsletter, row: Row) -> SentNow:
    """One round for the newsletter's destinations."""
    await steps.issue(tenant)
    for name in letter.destinations:
        if name in tenant.projections:
            await steps.project(tenant, name, force=True)
    for name in letter.destinations:
        while name in tenant.publishers and (await steps.deliver(tenant, name)).worked:
            pass
    uid = uid_of(tenant, letter, row.until_at)
    ways = await tenant.ledger.transact(lambda store: ways_of(store, uid))
    return SentNow(result="here", until_at=row.until_at, ways=ways)

"""Credentials that run out: a connector renews its own as long as the service lets it; a person is told of the others in time.

A connector renews in ``open``. One that says when its credential dies (``Expiring``) is therefore closed and opened again once a day, by
the task that uses it, between two things to do.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from syndicator.errors import Words
from syndicator.logs import event
from syndicator.words import pick, say

if TYPE_CHECKING:
    from syndicator.store import Store
    from syndicator.tenant import Tenant

LOOK_EVERY = timedelta(days=1)
SOON = timedelta(days=10)
"""How long before its end a person hears of a credential that was not renewed."""


def expires_at(connector: Any) -> datetime | None:
    """When an open connector's credential dies; None when it says nothing of it."""
    at = getattr(connector, "expires_at", None)
    return at if isinstance(at, datetime) else None


def is_due(tenant: Tenant, key: str) -> bool:
    """Whether an open connector's credential runs out, and a day has passed since it was looked at."""
    connector, opened_at = tenant.connectors.get(key), tenant.opened_at.get(key)
    return hasattr(connector, "expires_at") and opened_at is not None and tenant.now() - opened_at >= LOOK_EVERY


async def renew(tenant: Tenant, key: str) -> None:
    """Let it be opened anew, when that is due."""
    if is_due(tenant, key):
        await tenant.forget(key)


async def look(tenant: Tenant, key: str, connector: Any) -> None:
    """After an opening: note when the credential dies, and tell a person when that is soon."""
    if not hasattr(connector, "expires_at"):
        return
    at, now = expires_at(connector), tenant.now()
    subject = subject_of(key)
    hint = advice(at, tenant, key.partition(".")[2], getattr(connector, "renewal", None)) if at else ""

    def write(store: Store) -> bool:
        store.accounts.expires(key, at)
        if at is not None and at - now < SOON:
            return store.problems.put(subject, "expiring", at.isoformat(timespec="minutes"), hint, now)
        store.problems.clear(subject)
        return False

    if await tenant.ledger.transact(write):
        event(tenant.log, logging.WARNING, "problem", subject=subject, kind="expiring", detail=at)


def subject_of(key: str) -> str:
    """What a problem with the credential of ``sources.NAME`` or ``destinations.NAME`` is about."""
    group, _, name = key.partition(".")
    return f"expiring:{group.removesuffix('s')}:{name}"


def advice(at: datetime, tenant: Tenant, name: str, own: Words | None) -> str:
    """Until when, and what to do: the connector's own words where it has some."""
    todo = pick(own, tenant.language) if own else say(tenant.language, "problem.expiring.todo", name=name)
    return say(tenant.language, "expiring.until", date=day(at.astimezone(tenant.zone).date(), tenant.language), todo=todo)


def day(on: date, language: str) -> str:
    """A date in figures, as the language writes it: ``03/12/2026`` or ``2026-12-03``."""
    return f"{on:%d/%m/%Y}" if language.split("-")[0].lower() == "fr" else on.isoformat()

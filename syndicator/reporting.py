"""Problems of a source or a destination as a whole: opened once, told once, closed when it works again."""

from __future__ import annotations

import logging

from syndicator.errors import AuthExpired, ConnectorError, Gone, RateLimited, Rejected, SourceEmptied
from syndicator.logs import event
from syndicator.tenant import Tenant
from syndicator.words import pick


def kind_of(error: Exception) -> str:
    """The word of ``problem.*`` for an error."""
    kinds = ((RateLimited, "rate-limited"), (AuthExpired, "auth"), (Rejected | Gone, "refused"), (ConnectorError, "unreachable"))
    return next((kind for which, kind in kinds if isinstance(error, which)), "bug")


async def report(tenant: Tenant, subject: str, kind: str, error: ConnectorError | SourceEmptied) -> None:
    """Open a problem; the log has every occurrence, the person is told once."""
    hint = getattr(error, "hint", None)
    advice = pick(hint, tenant.language) if hint else ""
    now = tenant.now()
    tenant.healthy.discard(subject)
    news = await tenant.ledger.transact(lambda store: store.problems.put(subject, kind, str(error), advice, now))
    level = logging.WARNING if news else logging.INFO
    event(tenant.log, level, "problem", subject=subject, kind=kind, detail=str(error))


async def recovered(tenant: Tenant, subject: str) -> None:
    """Close a problem, if there was one."""
    if subject not in tenant.healthy and await tenant.ledger.transact(lambda store: store.problems.clear(subject)):
        event(tenant.log, logging.INFO, "problem.over", subject=subject)
    tenant.healthy.add(subject)

"""What is known but not listed any more: asked for by name before anybody believes that it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from syndicator.contract import CanRead, Source
from syndicator.errors import SourceEmptied
from syndicator.model import Batch
from syndicator.store import Store
from syndicator.tenant import Tenant

CONFIRM_SOONEST = timedelta(seconds=5)
CONFIRM_LATEST = timedelta(minutes=1)
VOUCHED_FOR = timedelta(hours=1)
"""An item that is there but not listed is not asked for again sooner than this."""
EMPTIED_AT_LEAST = 5
ASK_AT_ONCE = 50
"""How many missing items one poll asks for by name; the others wait for the next."""


async def confirmed(tenant: Tenant, name: str, source: Source, batch: Batch) -> tuple[Batch, SourceEmptied | None]:
    """The batch, with what is known but missing asked for by name; with SourceEmptied when too much is missing to be true."""
    now = tenant.now()
    if not isinstance(source, CanRead):
        return batch, None

    def recall(store: Store) -> tuple[list[str], frozenset[str], list[str], bool]:
        known = store.items.listed(name, batch.complete_since) if batch.complete else []
        return known, store.items.waiting(name), store.items.unconfirmed(name, before), store.items.emptied_accepted(name)

    before = now - confirm_after(tenant.config.sources[name].poll)
    known, waiting, doubtful, accepted = await tenant.ledger.transact(recall)
    there = {item.uid for item in batch.changed} | batch.present
    seen = there | {tombstone.uid for tombstone in batch.gone}
    absent = [uid for uid in known if uid not in seen]
    emptied = len(absent) >= EMPTIED_AT_LEAST and 2 * len(absent) > len(known)
    if emptied and not accepted:
        # Without the cursor the next look lists everything again: what is missing then is the question.
        return replace(batch, gone=(), cursor=None), SourceEmptied(missing=len(absent), known=len(known))
    if accepted and not emptied and batch.complete:
        await tenant.ledger.transact(lambda store: store.items.accept_emptied(name, accept=False))
    long_ago = now - VOUCHED_FOR
    fresh = [uid for uid in absent if uid not in waiting and tenant.vouched.get((name, uid), long_ago) <= long_ago]
    ask = [uid for uid in dict.fromkeys((*doubtful, *fresh)) if uid not in there]
    if len(ask) > ASK_AT_ONCE:
        batch = replace(batch, cursor=None)
    return (await _asked(tenant, name, source, batch, ask[:ASK_AT_ONCE]) if ask else batch), None


def confirm_after(poll_every: timedelta) -> timedelta:
    """How long an item must have been missing when it is asked for the second time."""
    return min(max(poll_every, CONFIRM_SOONEST), CONFIRM_LATEST)


async def _asked(tenant: Tenant, name: str, source: CanRead, batch: Batch, ask: Sequence[str]) -> Batch:
    """The batch, completed by what the origin says of ``ask``."""
    answer = await source.read(ask)
    there = {item.uid for item in answer.changed} | answer.present
    now = tenant.now()
    for one in [one for one, at in tenant.vouched.items() if now - at > VOUCHED_FOR]:
        del tenant.vouched[one]
    tenant.vouched.update(dict.fromkeys(((name, uid) for uid in there), now))
    gone = {tombstone.uid: tombstone for tombstone in (*batch.gone, *answer.gone) if tombstone.uid not in there}
    return replace(
        batch,
        changed=(*batch.changed, *answer.changed),
        present=batch.present | answer.present,
        gone=tuple(gone.values()),
    )

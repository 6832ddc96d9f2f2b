"""What a look at a source brought, written down with its deliveries: items, cursor and plan in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syndicator.confirming import confirm_after
from syndicator.errors import ConnectorError, SourceEmptied
from syndicator.logs import event
from syndicator.model import Batch, Event, Post
from syndicator.plan import Change, Facts, Plan, plan
from syndicator.store import Store
from syndicator.tenant import Tenant


@dataclass(frozen=True, kw_only=True)
class Polled:
    """What a look at a source brought."""

    again_at: datetime
    new: int = 0
    changed: int = 0
    gone: int = 0
    planned: int = 0
    skipped: int = 0
    """Items that were there before the route was: mirrored only with ``backfill``."""
    more: bool = False
    """There may be more to see at once."""
    error: ConnectorError | SourceEmptied | None = None


def write_down(tenant: Tenant, store: Store, name: str, batch: Batch, now: datetime, *, first: bool) -> Polled:
    """Items, cursor and deliveries, in the caller's transaction."""
    since, opened = store.items.since(tenant.ways(name), now)
    there = {item.uid for item in batch.changed} | batch.present
    gone = [tombstone for tombstone in batch.gone if tombstone.uid not in there]
    buried = store.items.bury(name, gone, now, now - confirm_after(tenant.config.sources[name].poll))
    store.items.mark_present(name, batch.present)
    changes = [*buried, *store.items.diff(name, batch.changed, now, first=first)]
    if opened and not first:
        changes = _with_backlog(tenant, store, name, changes, now)
    store.items.set_cursor(name, batch.cursor, now)
    if not changes:
        return Polled(again_at=now)
    departed = store.accounts.departed()
    targets = {target: there for target, there in tenant.targets().items() if target not in departed}
    made = plan(changes, tenant.routes, targets, _facts(tenant, store, name, changes, since), now)
    if made.adopted:
        from syndicator.twins import adopt

        adopt(store.db, made.adopted, now)
    planned = store.outbox.write(made, now)
    grace = max((route.delay for route in tenant.routes if name in route.sources), default=timedelta(0))
    if targets:  # memory for those who publish
        from syndicator.retiring import retire_for

        retire_for(store, (change.item for change in changes if change.kind == "changed"), now + grace, now)
    _log_plan(tenant, name, changes, made)
    counts = {kind: sum(change.kind == kind for change in changes) for kind in ("new", "changed", "gone", "returned")}
    return Polled(
        again_at=now,
        new=counts["new"] + counts["returned"],
        changed=counts["changed"],
        gone=counts["gone"],
        planned=planned,
        skipped=len({refused.uid for refused in made.refused if refused.reason == "old"}),
    )


def _with_backlog(tenant: Tenant, store: Store, name: str, changes: list[Change], now: datetime) -> list[Change]:
    backfill = max((route.backfill for route in tenant.routes if name in route.sources), default=timedelta(0))
    if not backfill:
        return changes
    changed = {change.item.uid for change in changes}
    return [*changes, *(change for change in store.items.backlog(name, now - backfill) if change.item.uid not in changed)]


def _facts(tenant: Tenant, store: Store, name: str, changes: Sequence[Change], since: dict[tuple[str, str, str], datetime]) -> Facts:
    copies, opened = _copies(tenant, store, name, changes)
    changed = [change.item for change in changes]
    others = {copy.item.uid: copy.item for group in copies.values() for copy in group if copy.item.source != name}
    items = [*changed, *others.values()]
    uids = [item.uid for item in items]
    return Facts(
        ours=store.outbox.ours((item.uid, item.url) for item in items),
        live_elsewhere=store.items.live_elsewhere(name, [item.uid for item in changed]),
        stored=store.items.stored(item.boost_of for item in changed if isinstance(item, Post) and item.boost_of),
        own_accounts=tenant.own_accounts(),
        known=store.outbox.known(uids),
        since=opened | since,
        copies=copies,
    )


def _copies(
    tenant: Tenant, store: Store, name: str, changes: Sequence[Change]
) -> tuple[dict[tuple[str, str], tuple[Change, ...]], dict[tuple[str, str, str], datetime]]:
    """The copies of the events that several sources show, and since when the others' ways are open."""
    if len(tenant.config.sources) < 2 or not any(isinstance(change.item, Event) for change in changes):
        return {}, {}
    # Most associations have one calendar: they need not carry what tells the events of several apart.
    from syndicator.twins import companions, copies_of, opened

    others = companions(tenant, name)
    copies = copies_of(tenant, store, name, changes, others) if others else {}
    return copies, opened(store, others) if copies else {}


def _log_plan(tenant: Tenant, name: str, changes: Sequence[Change], made: Plan) -> None:
    for change in changes:
        event(tenant.log, logging.INFO, f"item.{change.kind}", source=name, uid=change.item.uid)
    for refused in made.refused:
        if refused.reason != "old":
            event(
                tenant.log,
                logging.INFO,
                "item.refused",
                route=refused.route,
                destination=refused.destination,
                uid=refused.uid,
                reason=refused.reason,
            )
    skipped = {refused.uid for refused in made.refused if refused.reason == "old"}
    if skipped:
        event(tenant.log, logging.INFO, "source.skipped", source=name, items=len(skipped), reason="older than the route")

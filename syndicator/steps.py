"""One unit of work each, for whoever schedules them: ``poll`` a source, ``deliver`` one delivery, ``project`` a view.

None of them raises for what a service, a network or an item does: each says what happened and when to come back. StateError alone gets
out, because without the ledger nothing may go on.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syndicator import expiring, spending
from syndicator.confirming import confirmed
from syndicator.contract import CanRead, Publisher
from syndicator.errors import AuthExpired, ConnectorError, RateLimited, Rejected, StateError
from syndicator.logs import event
from syndicator.model import Batch, Post
from syndicator.outbox import Claim
from syndicator.reporting import kind_of, recovered, report
from syndicator.store import Store
from syndicator.taking import Polled, write_down
from syndicator.tenant import Tenant, wait_after
from syndicator.views import look, turning

KNOCK_AGAIN = timedelta(seconds=10)
"""The least time before the next try, whatever a service says that we should wait."""
GO_ON = timedelta(seconds=1)
"""Until the rest of what a look found only the beginning of: what was found leaves first."""
LEASE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Issued:
    """Whether newsletters have something new for their destinations."""

    made: bool
    again_at: datetime | None
    """None without a newsletter."""


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What became of a destination's next delivery."""

    worked: bool
    """True when there was one: ask again at once."""
    again_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Projected:
    """Whether a view was written, and when it changes by the mere passing of time."""

    wrote: bool
    again_at: datetime | None = None
    """None when nothing was written: the last answer still holds."""
    error: ConnectorError | None = None


async def poll(tenant: Tenant, name: str) -> Polled:
    """Ask a source what is new and write it down with its deliveries, in one transaction."""
    key, poll_every, now = f"sources.{name}", tenant.config.sources[name].poll, tenant.now()
    try:
        await expiring.renew(tenant, key)
        source = await tenant.source(name)
        cursor, first = await tenant.ledger.transact(lambda store: store.items.cursor(name))
        seen, emptied = await confirmed(tenant, name, source, await source.fetch(cursor))
        await _introduce(tenant, seen)
        polled, poison = await _taken(tenant, name, seen, now, first=first)
    except StateError:
        raise
    except Exception as error:
        return await _unpolled(tenant, name, error)
    tenant.failures.pop(key, None)
    tenant.polled_at[name] = now
    tenant.tally["polls", name, "ok"] += 1
    if emptied is not None:
        await report(tenant, f"source:{name}", "emptied", emptied)
    elif poison is not None:
        await report(tenant, f"source:{name}", "bug", poison)
    else:
        await recovered(tenant, f"source:{name}")
    again_at = tenant.now() + (GO_ON if seen.more else wait_after(0, poll_every, tenant.rng))
    return replace(polled, again_at=again_at, more=seen.more, error=emptied)


async def _introduce(tenant: Tenant, batch: Batch) -> None:
    """Learn whose the other sources are before a boost of somebody else is judged: it may be one of them."""
    if any(isinstance(item, Post) and item.boost_of_other for item in batch.changed):
        for name in tenant.config.sources:
            if not tenant.failures.get(f"sources.{name}"):
                with contextlib.suppress(Exception):  # its own poll tells what is wrong
                    await tenant.source(name)


async def _taken(tenant: Tenant, name: str, batch: Batch, now: datetime, *, first: bool) -> tuple[Polled, Rejected | None]:
    """Write a batch down; what cannot be written is left out, so that it does not keep back the rest."""
    try:
        return await tenant.ledger.transact(lambda store: write_down(tenant, store, name, batch, now, first=first)), None
    except StateError:
        raise
    except Exception as error:
        changed = [item for item in batch.changed if await _fits(tenant, name, Batch(changed=(item,)), now)]
        gone = [tombstone for tombstone in batch.gone if await _fits(tenant, name, Batch(gone=(tombstone,)), now)]
        if (len(changed), len(gone)) == (len(batch.changed), len(batch.gone)):
            raise
        rest = replace(batch, changed=tuple(changed), gone=tuple(gone), cursor=None)  # what is left out must come again
        polled = await tenant.ledger.transact(lambda store: write_down(tenant, store, name, rest, now, first=first))
        return polled, Rejected(f"{type(error).__name__}: {error}")


class _Rehearsed(Exception):
    """Takes a transaction back that was only to be tried."""


async def _fits(tenant: Tenant, name: str, batch: Batch, now: datetime) -> bool:
    def rehearse(store: Store) -> None:
        write_down(tenant, store, name, batch, now, first=True)
        raise _Rehearsed

    try:
        await tenant.ledger.transact(rehearse)
    except StateError:
        raise
    except _Rehearsed:
        return True
    except Exception as error:
        uids = ", ".join(one.uid for one in (*batch.changed, *batch.gone))
        event(tenant.log, logging.ERROR, "item.bug", source=name, uid=uids, exc_info=error)
    return False


async def _unpolled(tenant: Tenant, name: str, error: Exception) -> Polled:
    key = f"sources.{name}"
    kind = kind_of(error)
    if not isinstance(error, ConnectorError):
        event(tenant.log, logging.ERROR, "source.bug", source=name, exc_info=error)
        error = Rejected(f"{type(error).__name__}: {error}")
    tenant.failures[key] = tenant.failures.get(key, 0) + 1
    await tenant.forget(key)
    tenant.tally["polls", name, "failed"] += 1
    await report(tenant, f"source:{name}", kind, error)
    return Polled(again_at=_source_again(tenant, error, key, tenant.config.sources[name].poll), error=error)


def _source_again(tenant: Tenant, error: ConnectorError, key: str, poll_every: timedelta) -> datetime:
    now = tenant.now()
    if isinstance(error, RateLimited) and error.at is not None:
        return max(error.at, now + KNOCK_AGAIN)
    if isinstance(error, AuthExpired | Rejected):
        return now + max(poll_every, wait_after(tenant.failures[key], poll_every, tenant.rng))
    return now + wait_after(tenant.failures[key], min(poll_every, timedelta(minutes=1)), tenant.rng)


async def reread(tenant: Tenant, source_name: str, uid: str) -> None:
    """Ask the origin for one item again and write down what it says; raises what the source raises."""
    source = await tenant.source(source_name)
    if not isinstance(source, CanRead):
        return
    now = tenant.now()
    answer = replace(await source.read([uid]), cursor=None, complete=False)
    await tenant.ledger.transact(lambda store: write_down(tenant, store, source_name, answer, now, first=False))


async def deliver(tenant: Tenant, name: str) -> Delivered:
    """Send a destination's next delivery, if one may leave now."""
    now = tenant.now()
    closed_until = tenant.closed_until.get(f"destinations.{name}")
    if closed_until is not None and closed_until > now:
        return Delivered(worked=False, again_at=closed_until)
    ready = spending.is_told(tenant, name) and not expiring.is_due(tenant, f"destinations.{name}")
    publisher = tenant.publisher_at_work(name) if ready else None
    until, why, claim = await tenant.ledger.transact(lambda store: _next(tenant, store, name, now, claims=publisher is not None))
    if until is not None and until > now:
        return Delivered(worked=False, again_at=until)
    if publisher is not None and claim is not None:
        return await _claimed(tenant, publisher, name, claim)
    await spending.turn(tenant, name)
    try:
        await expiring.renew(tenant, f"destinations.{name}")
        publisher = await tenant.publisher(name)
    except StateError:
        raise
    except Exception as error:
        return await _closed(tenant, name, error)
    tenant.closed_until.pop(f"destinations.{name}", None)
    if until is not None:
        await tenant.ledger.transact(lambda store: store.accounts.pause(name, None))
        event(tenant.log, logging.INFO, "destination.resumed", destination=name, after=why)
    return await _claimed(tenant, publisher, name, await tenant.ledger.transact(lambda store: _claim(tenant, store, name, now)))


def _next(tenant: Tenant, store: Store, name: str, now: datetime, *, claims: bool) -> tuple[datetime | None, str, Claim | None]:
    """Until when the account rests and why; with what leaves next where it does not, if ``claims``."""
    until, why = store.accounts.paused(name)
    return until, why, _claim(tenant, store, name, now) if claims and until is None else None


def _claim(tenant: Tenant, store: Store, name: str, now: datetime) -> Claim:
    from syndicator.ahead import look_ahead

    look_ahead(tenant, store, name, now)
    if tenant.config.newsletters:
        # With it come the rules of texts: memory for those who have a newsletter.
        from syndicator.issuing import look

        look(tenant, store, now)
    return store.outbox.claim(name, tenant.owner, LEASE, now, tenant.allowed_at)


async def _claimed(tenant: Tenant, publisher: Publisher, name: str, claim: Claim) -> Delivered:
    if claim.delivery is None:
        if claim.look_again_at is None:
            await recovered(tenant, f"destination:{name}")
        return Delivered(worked=False, again_at=claim.look_again_at)
    # With it come the rules of every network's text: memory for those who publish.
    from syndicator.attempt import attempt

    if await attempt(tenant, publisher, claim.delivery, claim.parent, reread):
        await recovered(tenant, f"destination:{name}")
    return Delivered(worked=True)


async def _closed(tenant: Tenant, name: str, error: Exception) -> Delivered:
    """The destination cannot be opened: rest, and say so when a person is needed."""
    key = f"destinations.{name}"
    await tenant.forget(key)
    tenant.failures[key] = tenant.failures.get(key, 0) + 1
    kind = kind_of(error)
    if not isinstance(error, ConnectorError):
        event(tenant.log, logging.ERROR, "destination.bug", destination=name, exc_info=error)
        error = Rejected(f"{type(error).__name__}: {error}")
    await report(tenant, f"destination:{name}", kind, error)
    now = tenant.now()
    at = now + wait_after(tenant.failures[key], timedelta(seconds=15), tenant.rng)
    if isinstance(error, RateLimited) and error.at is not None:
        at = max(error.at, now + KNOCK_AGAIN)
    if isinstance(error, AuthExpired | Rejected):
        at = now + wait_after(tenant.failures[key], timedelta(minutes=5), tenant.rng)
    tenant.closed_until[key] = at
    return Delivered(worked=False, again_at=at)


async def issue(tenant: Tenant) -> Issued:
    """Make the issues of newsletters whose hour has come."""
    from syndicator.issuing import look

    now = tenant.now()

    def write(store: Store) -> tuple[bool, datetime | None]:
        before = store.items.seq()
        again_at = look(tenant, store, now)
        return store.items.seq() != before, again_at

    made, again_at = await tenant.ledger.transact(write)
    if any(letter.review for letter in tenant.config.newsletters.values()):
        from syndicator.reviewing import ask

        await ask(tenant)
    return Issued(made=made, again_at=again_at)


async def project(tenant: Tenant, name: str, *, force: bool = False) -> Projected:
    """Rewrite a projection's view when something it shows changed, or when ``force`` says that time has passed."""
    now = tenant.now()
    digest = tenant.config.digest
    try:
        seq, (shown, before) = await tenant.ledger.transact(lambda store: (store.items.seq(), store.accounts.projected(name)))
        if shown == seq and before == digest and not force:
            tenant.done_at.setdefault(name, now)  # as it stands, it is right
            tenant.seen.rest(now)
            return Projected(wrote=False)
        seen = await tenant.ledger.transact(lambda store: look(tenant, store, name, shown if before == digest else -1, now))
        tenant.seen.keep(name, seen.shelf, seen.verdicts, now)
        projection = await tenant.projection(name)
        await projection.project(seen.view)
        await tenant.ledger.transact(lambda store: store.accounts.set_projected(name, seen.lineup.seq, digest))
        tenant.seen.showed(name, seen.lineup)
    except StateError:
        raise
    except Exception as error:
        return await _unprojected(tenant, name, error)
    tenant.failures.pop(f"destinations.{name}", None)
    await recovered(tenant, f"destination:{name}")
    tenant.done_at[name] = now
    tenant.tally["views", name, "ok"] += 1
    event(tenant.log, logging.INFO, "view.written", destination=name, items=len(seen.view.items), changed=len(seen.view.changed))
    return Projected(wrote=True, again_at=turning(tenant, seen.stored, now))


async def _unprojected(tenant: Tenant, name: str, error: Exception) -> Projected:
    key = f"destinations.{name}"
    kind = kind_of(error)
    if not isinstance(error, ConnectorError):
        event(tenant.log, logging.ERROR, "view.bug", destination=name, exc_info=error)
        error = Rejected(f"{type(error).__name__}: {error}")
    tenant.failures[key] = tenant.failures.get(key, 0) + 1
    await tenant.forget(key)
    await report(tenant, f"destination:{name}", kind, error)
    return Projected(wrote=False, again_at=tenant.now() + wait_after(tenant.failures[key], timedelta(seconds=30), tenant.rng), error=error)

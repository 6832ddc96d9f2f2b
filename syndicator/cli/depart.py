"""``syndicator depart DESTINATION``: show all that we posted there, then take it away and send nothing there any more."""

from __future__ import annotations

import asyncio
import random
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from syndicator.cli import COMMANDS, FAILED, OK
from syndicator.cli.configuration import is_there, load_one
from syndicator.config import Config, DestinationConfig
from syndicator.contract import CanDelete, Prices
from syndicator.expiring import day
from syndicator.logs import visible
from syndicator.problems import PASSING
from syndicator.words import say

if TYPE_CHECKING:
    from syndicator.departing import Standing
    from syndicator.steps import Delivered
    from syndicator.store import Ledger
    from syndicator.tenant import Tenant

HELP = COMMANDS["depart"]
SHOWN = 5
"""How many addresses are shown without ``--list``."""
LOOK_AGAIN_S = 60.0


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """The destination's name; ``--list``, ``--yes``, ``--undo``."""
    parser.add_argument("destination", help=say(language, "depart.name"))
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--list", action="store_true", help=say(language, "depart.list"))
    chosen.add_argument("--yes", action="store_true", help=say(language, "depart.yes"))
    chosen.add_argument("--undo", action="store_true", help=say(language, "depart.undo"))


def run(args: Namespace) -> int:
    """Show, ask, close the way, and remove; 1 when something of ours is left there."""
    from syndicator.store import Ledger

    config = load_one(args)
    if not is_there(config.state_dir / "syndicator.db"):
        print(say(args.language, "status.never"), file=sys.stderr)
        return FAILED
    ledger = Ledger(config.state_dir / "syndicator.db")
    try:
        name = args.destination
        standing: list[Standing] = ledger.transact_now(lambda store: store.departing.standing(name))
        destination = config.destinations.get(name)
        if destination is None or destination.role != "publisher":
            print(_no_way(config, name, len(standing), args.language), file=sys.stderr)
            return FAILED
        if args.undo:
            return _undo(ledger, name, args.language)
        _show(destination, standing, args)
        if args.list:
            return OK
        if not args.yes and not _confirmed(name, args.language, something=bool(standing)):
            print(say(args.language, "depart.kept"))
            return FAILED
        removable = _can_delete(destination)
        waiting = ledger.transact_now(lambda store: store.departing.close(name, datetime.now(UTC), remove=removable))
    finally:
        ledger.close()
    print(say(args.language, "depart.closed", name=name), flush=True)
    return _carry_out(config, name, waiting, args.language)


def _no_way(config: Config, name: str, standing: int, language: str) -> str:
    """Why this is nothing that can be left, and what to do."""
    if name in config.destinations:
        return say(language, "depart.a-view", name=name)
    if standing:
        return say(language, "depart.not-configured", name=name, count=standing)
    close = get_close_matches(name, config.destinations, n=1)
    meant = say(language, "config.did-you-mean", name=close[0]) if close else ""
    return say(language, "depart.no-destination", name=name, meant=meant)


def _undo(ledger: Ledger, name: str, language: str) -> int:
    left = ledger.transact_now(lambda store: store.accounts.departed())
    if name not in left:
        print(say(language, "depart.not-left", name=name))
        return FAILED
    ledger.transact_now(lambda store: store.departing.reopen(name, datetime.now(UTC)))
    print(say(language, "depart.undone", name=name))
    return OK


def _can_delete(destination: DestinationConfig) -> bool:
    return issubclass(destination.connector, CanDelete)


def _show(destination: DestinationConfig, standing: Sequence[Standing], args: Namespace) -> None:
    """What is there, what removing it costs, and what cannot be removed."""
    language, name = args.language, destination.name
    if not standing:
        print(say(language, "depart.nothing", name=name))
        return
    first, last = _day(standing[0], language), _day(standing[-1], language)
    print(say(language, "depart.standing", name=name, count=len(standing), first=first, last=last))
    shown = standing if args.list else standing[-SHOWN:]
    _rows(shown, language)
    if len(shown) < len(standing):
        print(say(language, "depart.more", count=len(standing) - len(shown)))
    if not _can_delete(destination):
        print(say(language, "depart.cannot"))
        return
    prices: Prices | None = getattr(getattr(destination.connector, "limits", None), "prices", None)
    if prices is not None and prices.delete:
        from syndicator.text.cost import in_words

        price = in_words(prices.delete * len(standing), prices.currency, language)
        print(say(language, "depart.price", price=price, each=in_words(prices.delete, prices.currency, language)))
    print(say(language, "depart.may-refuse"))


def _rows(standing: Sequence[Standing], language: str) -> None:
    for one in standing:
        print(say(language, "depart.row", date=_day(one, language), url=visible(one.receipt.url or one.receipt.remote_id)))


def _day(one: Standing, language: str) -> str:
    return day(one.delivered_at.date(), language)


def _confirmed(name: str, language: str, *, something: bool) -> bool:
    print(say(language, "depart.confirm" if something else "depart.confirm-closing"))
    try:
        return input(say(language, "depart.type")).strip() == name
    except EOFError:
        print()
        return False


def _carry_out(config: Config, name: str, waiting: int, language: str) -> int:
    """Remove now, unless a daemon at work on this folder does it."""
    from syndicator.tenant import InUse

    try:
        left = asyncio.run(_remove_all(config, name, waiting, language))
    except InUse:
        if waiting:
            print(say(language, "depart.daemon", count=waiting))
        return OK
    except KeyboardInterrupt:
        print(f"\n{say(language, 'depart.interrupted')}", file=sys.stderr)
        raise
    if not left:
        print(say(language, "depart.done"))
        return OK
    print(say(language, "depart.left", count=len(left)))
    _rows(left, language)
    return FAILED


async def _remove_all(config: Config, name: str, waiting: int, language: str) -> list[Standing]:
    """Send the removals until none waits or a person is needed; what is left there."""
    from syndicator.http import Sessions
    from syndicator.tenant import Tenant

    sessions = Sessions()
    tenant = Tenant.make(config, sessions, lambda: datetime.now(UTC), random.Random())  # noqa: S311 - jitter, no secret
    try:
        await tenant.start()
        await _work(tenant, name, waiting, language)
        return await tenant.ledger.transact(lambda store: store.departing.standing(name))
    finally:
        await tenant.close()
        await sessions.close()


async def _work(tenant: Tenant, name: str, count: int, language: str) -> None:
    from syndicator import steps

    told: datetime | None = None
    while waiting := await tenant.ledger.transact(lambda store: store.departing.removals(name)):
        delivered = await steps.deliver(tenant, name)
        if delivered.worked:
            _progress(count - waiting + 1, count, language)
            continue
        if await _stuck(tenant, name, language):
            return
        told = await _wait(tenant, delivered, told, language)
    if count and sys.stdout.isatty():
        print()


def _progress(done: int, count: int, language: str) -> None:
    """On a terminal one line that changes, else a line each."""
    text = say(language, "depart.progress", done=min(done, count), count=count)
    print(f"\r{text}" if sys.stdout.isatty() else text, end="" if sys.stdout.isatty() else "\n", flush=True)


async def _stuck(tenant: Tenant, name: str, language: str) -> bool:
    """Whether nothing goes on without a person, who is told."""
    from syndicator.alerts import as_data
    from syndicator.cli.once import problem_lines

    problems = await tenant.ledger.transact(lambda store: store.problems.open())
    found = [one for one in problems if one.subject == f"destination:{name}" and one.kind not in PASSING]
    for problem in found:
        data: dict[str, Any] = as_data(problem, language)
        print("\n".join(problem_lines(data, language)), file=sys.stderr)
    return bool(found)


async def _wait(tenant: Tenant, delivered: Delivered, told: datetime | None, language: str) -> datetime | None:
    """Until the next removal may leave; a person is told when that is not soon, once for each hour named."""
    at = delivered.again_at
    length = LOOK_AGAIN_S if at is None else max((at - tenant.now()).total_seconds(), 0.05)
    if at is not None and at != told and length > LOOK_AGAIN_S / 4:
        print(say(language, "depart.waiting", until=f"{at.astimezone(tenant.zone):%H:%M}"), flush=True)
        told = at
    await asyncio.sleep(min(length, LOOK_AGAIN_S))
    return told

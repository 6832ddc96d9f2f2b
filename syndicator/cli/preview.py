"""``syndicator preview``: what leaves next for each destination, or how the newest items would look there. Sends nothing."""

from __future__ import annotations

import asyncio
import random
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from syndicator.cli import COMMANDS, OK, show_json
from syndicator.cli.configuration import load_one
from syndicator.config import Config
from syndicator.words import say

HELP = COMMANDS["preview"]
NEXT = 5


def add_arguments(parser: ArgumentParser, language: str) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=say(language, "cli.json"))


def run(args: Namespace) -> int:
    """Show; reads the ledger, or the sources themselves when there is none yet."""
    from syndicator.showing import lines

    config = load_one(args)
    if (config.state_dir / "syndicator.db").exists():
        shown, waiting = asyncio.run(_shown(config))
    else:
        with TemporaryDirectory() as folder:
            aside = replace(config, state_dir=Path(folder) / "state", public_dir=Path(folder) / "public")
            shown, waiting = asyncio.run(_read_and_show(aside))
    if args.json:
        show_json([one.data() for one in shown])
        return OK
    print(say(args.language, "preview.waiting" if waiting else "preview.examples"))
    for one in shown:
        print("\n".join(lines(one, args.language)))
    return OK


async def _read_and_show(config: Config) -> tuple[list[Any], bool]:
    from syndicator import steps
    from syndicator.http import Sessions
    from syndicator.tenant import Tenant

    sessions = Sessions()
    tenant = Tenant.make(config, sessions, lambda: datetime.now(UTC), random.Random())  # noqa: S311 - jitter, no secret
    try:
        await tenant.start()
        for name in config.sources:
            await steps.poll(tenant, name)
    finally:
        await tenant.close()
        await sessions.close()
    return await _shown(config)


async def _shown(config: Config) -> tuple[list[Any], bool]:
    from syndicator.showing import show
    from syndicator.store import Ledger

    ledger = Ledger(config.state_dir / "syndicator.db")
    shown = []
    try:
        for name, destination in config.destinations.items():
            if destination.role != "publisher":
                continue
            for delivery in await ledger.transact(lambda store, name=name: store.outbox.waiting(name, NEXT)):  # type: ignore[misc]
                stored = await ledger.transact(lambda store, d=delivery: store.items.item(d.source, d.uid))  # type: ignore[misc]
                route = config.routes.get(delivery.route)
                if stored is not None and route is not None and delivery.purpose != "delete":
                    limits, association = destination.connector.limits, config.association
                    shown.append(show(stored.item, name, destination.type, limits, route.style, association, delivery.purpose))
        if shown:
            return shown, True
        return await _examples(config, ledger), False
    finally:
        ledger.close()


async def _examples(config: Config, ledger: Any) -> list[Any]:
    """One item of each kind that a route would carry, as each of its destinations would get it."""
    from syndicator.plan import Facts, refusal
    from syndicator.showing import examples, show

    now = datetime.now(UTC)
    shown = []
    for route in config.routes.values():
        window = await ledger.transact(lambda store, names=route.sources: store.items.window(names, now, 50))
        for name in route.destinations:
            destination = config.destinations[name]
            if destination.role != "publisher":
                continue
            carried = [s.item for s in window if refusal(s.item, route, name, destination.type, Facts()) is None]
            shown += [
                show(item, name, destination.type, destination.connector.limits, route.style, config.association)
                for item in examples(carried)
            ]
    return shown

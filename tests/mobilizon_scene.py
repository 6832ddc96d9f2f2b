"""A simulated Mobilizon instance and a source that reads it: what the tests of the mobilizon connector share."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.mobilizon import MobilizonSource, Options
from syndicator.contract import Context
from syndicator.model import Batch, Event
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.sandbox.mobilizon_world import EventRecord
from syndicator.testing import NOW, PARIS

LAST_WEEK = NOW - timedelta(days=7)
SOON = datetime(2026, 12, 5, 20, 30, tzinfo=PARIS)
HISTORY_START = datetime(2026, 10, 21, tzinfo=UTC)


async def instance(*, version: str = "5.1.3") -> MobilizonSimulator:
    """An instance that has one group, ``asso``."""
    simulator = MobilizonSimulator(now=lambda: NOW, version=version)
    simulator.add_group("asso", "Les Amis du Vélo")
    return await simulator.start()


def source_of(simulator: MobilizonSimulator, context: Context, **options: Any) -> MobilizonSource:
    """A source of the group ``asso`` unless told otherwise."""
    if not options.keys() & {"groups", "tags", "whole_instance"}:
        options["groups"] = ("asso",)
    return MobilizonSource(Options(url=simulator.url, **options), context)


async def only_event(simulator: MobilizonSimulator, context: Context) -> Event:
    """The one event that the source sees."""
    (item,) = (await source_of(simulator, context).fetch(None)).changed
    assert isinstance(item, Event)
    return item


def event_in(batch: Batch, uid: str) -> Event:
    """The event ``uid`` of a batch."""
    item = next(item for item in batch.changed if item.uid == uid)
    assert isinstance(item, Event)
    return item


def first_event(simulator: MobilizonSimulator) -> EventRecord:
    """The oldest event of the instance."""
    return next(iter(simulator.world.events.values()))


def questions(simulator: MobilizonSimulator) -> list[str]:
    """The names of the operations asked, in order."""
    return [json.loads(seen.body)["query"].split("(")[0].split()[1] for seen in simulator.requests if seen.path == "/api"]

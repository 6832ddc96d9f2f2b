"""The questions put to Mobilizon: valid against its published schema, within its limits, fit for its version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from graphql import parse, validate

from connectors.mobilizon import queries
from syndicator.contract import Context
from syndicator.http import Sessions
from syndicator.model import Batch
from syndicator.sandbox.mobilizon import MobilizonSimulator
from syndicator.sandbox.mobilizon_schema import complexity, published_schema, schema_for
from syndicator.testing import make_context
from tests.mobilizon_scene import LAST_WEEK, SOON, instance, questions, source_of


@pytest.fixture
async def simulator() -> AsyncIterator[MobilizonSimulator]:
    simulator = await instance()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    sessions = Sessions()
    yield make_context(tmp_path, sessions)
    await sessions.close()


PORTABLE = queries.Dialect()
NEWEST = queries.dialect_of("5.1.3")
DIALECT_QUERIES = {
    "probe": lambda dialect: queries.probe_groups(queries.GROUPS_PER_PROBE, True, True, dialect),
    "probe-events": lambda dialect: queries.probe_groups(1, True, False, dialect),
    "probe-posts": lambda dialect: queries.probe_groups(1, False, True, dialect),
    "probe-tags": lambda _: queries.PROBE_TAGS,
    "probe-instance": lambda _: queries.PROBE_INSTANCE,
    "group-events": queries.group_events,
    "group-posts": lambda _: queries.GROUP_POSTS,
    "tagged-events": queries.tagged_events,
    "instance-events": queries.instance_events,
    "read-events": lambda dialect: queries.read_events(queries.ITEMS_PER_READ, dialect),
    "read-posts": lambda _: queries.read_posts(queries.ITEMS_PER_READ),
}


@pytest.mark.parametrize("name", DIALECT_QUERIES)
def test_portable_queries_are_valid_against_the_published_schema(name: str) -> None:
    """What we ask a server of unknown version is in the schema that Mobilizon publishes, and within the older limit of complexity."""
    document = parse(DIALECT_QUERIES[name](PORTABLE))

    assert validate(published_schema(), document) == []
    assert complexity(document) <= 250


@pytest.mark.parametrize("name", DIALECT_QUERIES)
def test_queries_with_extras_are_valid_where_they_are_asked(name: str) -> None:
    """What we ask a 5.1 server is in its schema, and within the limit of complexity."""
    document = parse(DIALECT_QUERIES[name](NEWEST))

    assert validate(schema_for((5, 1)), document) == []
    assert complexity(document) <= 300


@pytest.mark.parametrize(("version", "dialect"), [
    (None, PORTABLE),
    ("", PORTABLE),
    ("unknown", PORTABLE),
    ("3.0.4", PORTABLE),
    ("3.1.0-beta.2", queries.Dialect(ordered=True)),
    ("5.0.1", queries.Dialect(ordered=True)),
    ("5.1.0-rc.1", queries.Dialect(ordered=True, long_events=True)),
    ("10.0.0", queries.Dialect(ordered=True, long_events=True)),
])  # fmt: skip
def test_extras_follow_the_version(version: str | None, dialect: queries.Dialect) -> None:
    """An extra is asked for only from the version that has it."""
    assert queries.dialect_of(version) == dialect


@pytest.mark.parametrize("version", ["3.0.4", "3.2.0", "4.0.2", "5.0.1", "5.1.3"])
async def test_every_version_is_read(context: Context, version: str) -> None:
    """Old or new, a server gives the same items, and an idle poll costs one request."""
    async with await instance(version=version) as simulator:
        event = simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
        post = simulator.add_post("asso", "Billet", inserted_at=LAST_WEEK)
        source = source_of(simulator, context)
        await source.open()
        first = await source.fetch(None)
        simulator.requests.clear()
        idle = await source.fetch(first.cursor)

        assert [item.uid for item in first.changed] == [event.url, post.url]
        assert idle == Batch(cursor=first.cursor)
        assert questions(simulator) == ["Probe"]


async def test_a_server_that_lies_about_its_version_is_read(simulator: MobilizonSimulator, context: Context) -> None:
    """Extras that are refused are given up for good, and the portable questions go on."""
    event = simulator.add_event("asso", "Atelier", SOON, inserted_at=LAST_WEEK)
    simulator.version, simulator.claimed_version = "3.0.4", "5.1.3"
    source = source_of(simulator, context)
    await source.open()
    first = await source.fetch(None)
    simulator.requests.clear()
    for _ in range(3):
        await source.fetch(first.cursor)

    assert [item.uid for item in first.changed] == [event.url]
    assert questions(simulator) == ["Probe"] * 3

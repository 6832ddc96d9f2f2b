"""The token of Instagram and Threads: renewed every week, kept for nobody else to read, replaced by a new one in the configuration."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.meta.instagram import InstagramPublisher
from connectors.meta.threads import ThreadsPublisher
from syndicator.contract import Context, Expiring, Secret
from syndicator.errors import AuthExpired, Rejected
from syndicator.http import Sessions
from syndicator.sandbox.containers import ContainerSimulator
from syndicator.sandbox.graph import envelope
from syndicator.sandbox.instagram import InstagramSimulator
from syndicator.sandbox.server import Fault
from syndicator.sandbox.threads import PERMISSIONS, ThreadsSimulator
from syndicator.testing import make_context, make_rendition
from tests.clock import Clock
from tests.meta_scene import asked

LIFE = timedelta(days=60)
NETWORKS: list[tuple[type[Any], type[ContainerSimulator]]] = [
    (InstagramPublisher, InstagramSimulator),
    (ThreadsPublisher, ThreadsSimulator),
]


@pytest.fixture(params=NETWORKS, ids=["instagram", "threads"])
async def network(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[tuple[type[Any], ContainerSimulator]]:
    publisher, simulator = request.param
    async with simulator(now=clock) as server:
        yield publisher, server


@pytest.fixture
async def context(tmp_path: Path, clock: Clock) -> AsyncIterator[Context]:
    sessions = Sessions()
    yield make_context(tmp_path, sessions, now=clock)
    await sessions.close()


Network = tuple[type[Any], ContainerSimulator]


def publisher_for(network: Network, context: Context, token: str | None = None) -> Any:
    publisher, server = network
    return publisher(publisher.Options(token=Secret(token or server.token), api=server.url), context)


def renewals(server: ContainerSimulator) -> int:
    return asked(server, "GET", "/refresh_access_token")


async def test_renewed_on_its_second_day_and_every_week_then(network: Network, context: Context, clock: Clock) -> None:
    """The configured token's age nobody knows: it is renewed after a day; then its end is known, and the others live a week."""
    _, server = network
    publisher = publisher_for(network, context)
    assert isinstance(publisher, Expiring)
    seen = []
    for hours in (0, 24, 1, 24 * 6, 24):
        clock.forward(hours=hours)
        await publisher.open()
        seen.append((renewals(server), publisher.expires_at))

    second_day, last = clock() - timedelta(days=7), clock()
    assert seen == [(0, None), (0, None), (1, second_day + LIFE), (1, second_day + LIFE), (2, last + LIFE)]


async def test_a_year_without_a_person(network: Network, context: Context, clock: Clock) -> None:
    """Opened anew each day by another process, with the same configuration: the token never dies."""
    _, server = network
    configured = server.token
    for _ in range(365):
        clock.forward(days=1)
        await publisher_for(network, context, configured).open()

    assert clock() > server.grants[configured].expires_at + timedelta(days=200)
    assert 50 <= renewals(server) <= 55


async def test_renewed_while_it_publishes_too(network: Network, context: Context, clock: Clock) -> None:
    """A daemon that runs for months opens nothing: each post looks whether it is time."""
    _, server = network
    publisher = publisher_for(network, context)
    await publisher.open()
    clock.forward(days=30)
    with suppress(Rejected):  # no picture, where there must be one
        await publisher.prepare(make_rendition(), "key")
    assert renewals(server) == 1


async def test_kept_for_nobody_else_to_read(network: Network, context: Context, clock: Clock) -> None:
    """Mode 0600; and used by the next process."""
    _, server = network
    configured = server.token
    await publisher_for(network, context, configured).open()
    clock.forward(days=2)
    await publisher_for(network, context, configured).open()
    file = context.state_dir / "token.json"
    kept = json.loads(file.read_text())

    assert file.stat().st_mode & 0o777 == 0o600
    assert kept["token"] in server.grants
    assert configured not in file.read_text()
    clock.forward(days=59)
    await publisher_for(network, context, configured).open()


async def test_a_new_token_in_the_configuration_counts_at_once(network: Network, context: Context, clock: Clock) -> None:
    """Whatever was kept of the old one."""
    _, server = network
    old = server.token
    await publisher_for(network, context, old).open()
    clock.forward(days=2)
    await publisher_for(network, context, old).open()
    server.grants.clear()
    with pytest.raises(AuthExpired):
        await publisher_for(network, context, old).open()
    fresh = server.grant("fresh", age=timedelta(minutes=1), permissions=PERMISSIONS)
    publisher = publisher_for(network, context, fresh)
    await publisher.open()

    assert publisher.expires_at is None
    assert fresh in (context.state_dir / "token.json").read_text()


async def test_what_is_kept_and_damaged_is_forgotten(network: Network, context: Context) -> None:
    """Then the configured one is used."""
    (context.state_dir / "token.json").write_text('{"seed": 5')
    await publisher_for(network, context).open()
    assert (context.state_dir / "token.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fault", [
    Fault(action="drop", times=9, path="/refresh"), Fault(action="answer", status=503, path="/refresh"),
    Fault(action="answer", status=400, path="/refresh", body=envelope(100, 0, "less than 24 hours old")),
    Fault(action="answer", status=200, path="/refresh", body=b"{}"),
    Fault(action="answer", status=200, path="/refresh", body=b'{"access_token": "", "expires_in": 5183944}'),
    Fault(action="answer", status=200, path="/refresh", body=b'{"access_token": "x", "expires_in": "soon"}'),
], ids=["cut", "503", "refused", "empty", "no-token", "no-end"])  # fmt: skip
async def test_a_renewal_that_fails_stops_nothing(
    network: Network, context: Context, clock: Clock, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    """It is said in the log, and tried again some hours later, not at every post."""
    _, server = network
    publisher = publisher_for(network, context)
    await publisher.open()
    clock.forward(days=2)
    server.fault(fault)
    with caplog.at_level(logging.WARNING):
        await publisher.open()
    assert "token not renewed" in caplog.text
    assert publisher.expires_at is None
    tried = renewals(server)
    server.faults.clear()
    await publisher.open()
    assert renewals(server) == tried
    clock.forward(hours=7)
    await publisher.open()
    assert publisher.expires_at == clock() + LIFE


async def test_two_months_of_standstill_need_a_person(network: Network, context: Context, clock: Clock) -> None:
    """Said in plain words, with the page to open."""
    await publisher_for(network, context).open()
    clock.forward(days=61)
    with pytest.raises(AuthExpired) as caught:
        await publisher_for(network, context).open()
    assert "developers.facebook.com" in (caught.value.hint or {})["fr"]


async def test_a_state_folder_that_is_full_stops_nothing(network: Network, context: Context, clock: Clock) -> None:
    """The new token is used as long as the process runs."""
    _, server = network
    publisher = publisher_for(network, context)
    await publisher.open()
    clock.forward(days=2)
    (context.state_dir / ".token.json.tmp").mkdir()
    await publisher.open()
    clock.forward(days=59)
    await publisher.open()
    assert renewals(server) == 2

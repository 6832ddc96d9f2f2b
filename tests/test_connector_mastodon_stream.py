"""Listening to the stream, as a wake-up only."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.mastodon.source import MastodonSource
from connectors.mastodon.stream import EventStream
from syndicator.contract import Secret
from syndicator.errors import Rejected, Transient
from syndicator.model import Tombstone
from syndicator.sandbox.server import Fault
from tests.mastodon_source_scene import Build, asso, given_build, given_clock, given_context, given_opened, given_sessions, post, texts, uid  # noqa: F401 - fixtures


async def listen(source: MastodonSource) -> None:
    """Wait for news, but not for ever: a test that hangs is a failed one."""
    await asyncio.wait_for(source.wait(), 20)


async def test_news_of_the_account_wake_and_those_of_others_do_not(build: Build, opened: Build) -> None:
    """A new connection is worth one look; then only the account's own updates are, whoever else is followed."""
    simulator = await build()
    other = simulator.world.add_account("voisine")
    source = await opened(simulator, token=True)
    first = await source.fetch(None)
    await listen(source)
    simulator.world.post(other, "<p>Bruit</p>")
    post(simulator, "<p>Nouveau</p>")
    await listen(source)

    assert texts(await source.fetch(first.cursor)) == ["<p>Nouveau</p>"]


async def test_edits_and_deletions_heard_of_are_looked_at_at_once(build: Build, opened: Build) -> None:
    """``status.update`` and ``delete`` bring the next look forward; what they carry is not used."""
    simulator = await build()
    statuses = [post(simulator, f"<p>{number}</p>") for number in range(2)]
    source = await opened(simulator, token=True)
    first = await source.fetch(None)
    await listen(source)
    settled = await source.fetch(first.cursor)
    simulator.world.edit(statuses[0], content="<p>Corrigé</p>")
    await listen(source)
    edited = await source.fetch(settled.cursor)
    gone = uid(simulator, statuses[1])
    simulator.world.delete(statuses[1])
    await listen(source)
    deleted = await source.fetch(edited.cursor)

    assert texts(edited) == ["<p>Corrigé</p>", "<p>1</p>"]
    assert deleted.gone == (Tombstone(uid=gone),)


async def test_a_lost_connection_is_worth_a_look(build: Build, opened: Build, clock: list[datetime]) -> None:
    """A stream that ends after a while returns as possible news; one that ends at once is a fault to wait out."""
    simulator = await build()
    source = await opened(simulator, token=True)
    simulator.stream_ends = True
    await listen(source)
    with pytest.raises(Transient):
        await listen(source)
    await listen(source)
    clock[0] += timedelta(hours=1)
    await listen(source)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refused_stream_never_will(build: Build, opened: Build, status: int) -> None:
    """Refused, streaming is given up and the core polls; the account itself goes on."""
    simulator = await build()
    source = await opened(simulator, token=True)
    simulator.fault(Fault(action="answer", status=status, path="/streaming", times=9))
    with pytest.raises(Rejected):
        await listen(source)
    assert (await source.fetch(None)).changed == ()


async def test_a_stream_that_fails_is_tried_later(build: Build, opened: Build) -> None:
    """A gateway's error, or no answer, is no refusal."""
    simulator = await build()
    source = await opened(simulator, token=True)
    for fault in (Fault(action="answer", status=502, path="/streaming"), Fault(action="drop", path="/streaming", times=2)):
        simulator.fault(fault)
        with pytest.raises(Transient):
            await listen(source)


@pytest.mark.parametrize(("flavour", "token", "options"), [
    ("mastodon", False, {}), ("mastodon", True, {"stream": False}),
    ("gotosocial", True, {}), ("pixelfed", True, {}), ("friendica", True, {}),
])  # fmt: skip
async def test_who_cannot_be_listened_to_is_polled(build: Build, opened: Build, flavour: str, token: bool, options: dict[str, Any]) -> None:
    """Without a token, without the wish, or where the server streams by WebSocket or not at all."""
    simulator = await build(flavour=flavour)
    post(simulator, "<p>Un</p>")
    with pytest.raises(Rejected):
        await listen(await opened(simulator, token=token, **options))


async def test_silence_is_a_lost_connection(build: Build) -> None:
    """Nothing heard, not even a heartbeat, for as long as agreed: the connection is taken for dead."""
    simulator = await build()
    token = Secret(simulator.world.add_token(asso(simulator), "read"))
    stream = EventStream(f"{simulator.url}/api/v1/streaming/user", token, private=True, user_agent="test", silence_s=0.2)
    await stream.open()
    try:
        assert await asyncio.wait_for(stream.next(), 20) is None
    finally:
        await stream.close()

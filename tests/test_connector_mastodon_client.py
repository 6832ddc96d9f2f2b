"""The client around Mastodon.py: what an answer, or its absence, means; and what never leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from aiohttp import web

from connectors.mastodon.client import Client, reset_at
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW
from tests.mastodon_scene import Server, client_of


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


BARE = "/api/v1/accounts/verify_credentials"


ANSWERS = [
    (401, AuthExpired, AuthExpired),
    (403, AuthExpired, AuthExpired),
    (404, Gone, Gone),
    (410, Gone, Gone),
    (422, Rejected, Rejected),
    (400, Rejected, Rejected),
    (413, Rejected, Rejected),
    (429, RateLimited, RateLimited),
    (500, Transient, OutcomeUnknown),
    (502, Transient, OutcomeUnknown),
    (503, Transient, OutcomeUnknown),
    (599, Transient, OutcomeUnknown),
    (302, Rejected, Rejected),
]


@pytest.mark.parametrize(("status", "reading", "writing"), ANSWERS)
async def test_a_status_means_the_same_everywhere(
    server: Server, sessions: Sessions, status: int, reading: type[Exception], writing: type[Exception]
) -> None:
    """By number alone, for what is read and what is written, and the token is in no error."""
    client = client_of(server, sessions)
    fault = Fault(action="answer", status=status, headers={"Location": "https://autre.example/"}, body=b'{"error": "no: tok-xyz"}', times=2)
    server.fault(fault)
    with pytest.raises(reading) as read:
        await client.call("account_verify_credentials")
    with pytest.raises(writing) as written:
        await client.call("status_post", "Bonjour", write=True)
    await client.close()

    assert (type(read.value), type(written.value)) == (reading, writing)
    assert "tok-xyz" not in f"{read.value!r} {written.value!r} {client!r} {read.value.__context__!r} {read.value.__cause__!r}"


async def test_how_far_a_write_came_decides(server: Server, sessions: Sessions) -> None:
    """Refused and unresolved are surely not sent; cut after the first byte is unknown; a read is simply tried again."""
    nowhere = Client("http://127.0.0.1:9", Secret("x"), client_of(server, sessions)._http)
    with pytest.raises(Transient):
        await nowhere.call("status_post", "x", write=True)
    await nowhere.close()
    client = client_of(server, sessions, token=server.token)
    for action in ("drop", "lose", "truncate"):
        server.fault(Fault(action=action, method="POST"))  # type: ignore[arg-type]
        with pytest.raises(OutcomeUnknown):
            await client.call("status_post", "x", write=True)
        server.fault(Fault(action=action, path=BARE))  # type: ignore[arg-type]
        with pytest.raises(Transient):
            await client.call("account_verify_credentials")
    await client.close()


async def test_nothing_leaves_for_a_private_address(server: Server, sessions: Sessions) -> None:
    """The connection is made and closed; no byte, and no token, goes over it."""
    client = client_of(server, sessions, private=False)
    with pytest.raises(Rejected) as caught:
        await client.call("status_post", "x", write=True)
    await client.close()
    assert server.requests == []
    assert "allow_private" in (caught.value.hint or {})["fr"]


async def test_a_token_that_cannot_be_one_is_not_shown(server: Server, sessions: Sessions) -> None:
    """A line break in it would end up in the transport's own error."""
    for token in ("abc\ndef", "jeton-é", "", "two words"):
        with pytest.raises(AuthExpired) as caught:
            client_of(server, sessions, token=token)
        assert token == "" or token not in repr(caught.value)
    trailing = client_of(server, sessions, token=f"{server.token}\n")
    assert (await trailing.call("account_verify_credentials"))["username"] == "asso"
    await trailing.close()


async def test_redirects_are_followed_at_home_only(sessions: Sessions) -> None:
    """A read may move within its server; a write never does, and the token goes nowhere else."""
    async with Simulator(now=lambda: NOW) as elsewhere, Server() as server:
        client = client_of(server, sessions, token=server.token)
        server.fault(Fault(action="answer", status=302, headers={"Location": BARE}, path="/api/v1/preferences"))
        assert (await client.call("preferences"))["username"] == "asso"
        server.fault(Fault(action="answer", status=302, headers={"Location": f"{elsewhere.url}/x"}, times=2))
        for name, write in (("preferences", False), ("status_post", True)):
            with pytest.raises(Rejected) as caught:
                await client.call(name, *(["x"] if write else []), write=write)
            assert caught.value.hint is not None
        await client.close()
        assert elsewhere.requests == []
        assert server.shown == []


async def test_an_endless_answer_is_cut_off(sessions: Sessions) -> None:
    """Six megabytes of JSON are no status."""

    class Flood(Simulator):
        def __init__(self) -> None:
            super().__init__(now=lambda: NOW)
            self.app.router.add_get(BARE, self.flood)

        async def flood(self, _: web.Request) -> web.Response:
            response = web.Response(body=b'"' + b"a" * 6_000_000 + b'"', content_type="application/json")
            response.enable_compression()
            return response

    async with Flood() as flood:
        client = client_of(flood, sessions)
        with pytest.raises(Transient):
            await client.call("account_verify_credentials")
        await client.close()


async def test_closing_cuts_what_is_under_way(server: Server, sessions: Sessions) -> None:
    """Shutting down does not wait for a server that does not answer, and nothing can be called afterwards."""
    client = client_of(server, sessions, token=server.token)
    arrived = asyncio.Event()
    server.hooks.append(lambda stage, _: arrived.set() if stage == "after" else None)
    server.fault(Fault(action="stall", delay_s=0.5))
    posting = asyncio.ensure_future(client.call("status_post", "x", write=True))
    await arrived.wait()
    await client.close()
    with pytest.raises(OutcomeUnknown):
        await posting
    await client.close()


@pytest.mark.parametrize(("headers", "expected"), [
    ({"Retry-After": "60", "X-RateLimit-Reset": "2026-11-21T13:00:00Z"}, NOW + timedelta(seconds=60)),
    ({"X-RateLimit-Reset": "2026-11-21T12:05:00.123456Z"}, NOW + timedelta(minutes=5, microseconds=123456)),
    ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 300)}, NOW + timedelta(minutes=5)),
    ({"X-RateLimit-Reset": "2026-11-21T14:05:00Z", "Date": "Sat, 21 Nov 2026 14:00:00 GMT"}, NOW + timedelta(minutes=5)),
    ({"X-RateLimit-Reset": "2026-11-20T12:00:00Z"}, NOW),
    ({"X-RateLimit-Reset": "2031-01-01T12:00:00Z"}, NOW + timedelta(days=1)),
    ({"X-RateLimit-Reset": "soon"}, None),
    ({"X-RateLimit-Reset": "99999999999999999999"}, None),
    ({}, None),
])  # fmt: skip
def test_when_a_throttle_ends(headers: dict[str, str], expected: datetime | None) -> None:
    """Retry-After, else the reset in either spelling, by the server's clock, never in the past nor beyond a day."""
    assert reset_at(headers, NOW) == expected


async def test_a_write_never_rides_on_an_old_connection(server: Server, sessions: Sessions) -> None:
    """A kept connection may have died unnoticed, which would leave us not knowing; reads may share one."""
    ports: list[int] = []

    def note(stage: str, request: web.Request) -> None:
        if stage == "before" and request.transport is not None:
            ports.append(request.transport.get_extra_info("peername")[1])

    server.hooks.append(note)
    client = client_of(server, sessions, token=server.token)
    for name, args, write in (("account_verify_credentials", (), False), ("preferences", (), False), ("status_post", ("x",), True)):
        with suppress(Gone):
            await client.call(name, *args, write=write)
    await client.close()
    assert ports[0] == ports[1] != ports[2]

"""The Bluesky session: made once, kept, renewed; what is written where, and what happens when it is over."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from syndicator.contract import Secret
from syndicator.errors import AuthExpired, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, make_rendition
from tests.bluesky_scene import PUT, Server, given_quick, opened, publisher_for  # noqa: F401 - a fixture
from tests.media_scene import Files

CREATE, REFRESH = "com.atproto.server.createSession", "com.atproto.server.refreshSession"
PASSWORD = "abcd-efgh-ijkl-mnop"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


def kept(folder: Path) -> Path:
    return folder / "state" / "under-test" / "session.json"


async def test_one_login_serves_for_ever(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """A hundred restarts (``once`` from cron) are one login and renewals: logins are counted, 300 a day."""
    for _ in range(100):
        publisher = await opened(server, sessions, tmp_path)
        assert publisher.account == "asso.bsky.social"
        await publisher.close()
        server.clock.forward(minutes=5)
    assert (len(server.asked(CREATE)), len(server.asked(REFRESH))) == (1, 99)


async def test_a_session_that_is_over_is_renewed_in_passing(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """After two hours the server refuses with a 400; the post goes out all the same, once, without a new login."""
    publisher = await opened(server, sessions, tmp_path)
    server.clock.forward(hours=3)
    await publisher.publish(make_rendition(), "key-1")
    assert (len(server.asked(CREATE)), len(server.asked(REFRESH)), len(server.asked(PUT)), len(server.records)) == (1, 1, 2, 1)


async def test_after_a_long_sleep_it_logs_in_again(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """A refresh token lives ninety days: after that the app password still works, and nobody is asked."""
    publisher = await opened(server, sessions, tmp_path)
    server.clock.forward(days=91)
    await publisher.publish(make_rendition(), "key-1")
    assert (len(server.asked(CREATE)), len(server.records)) == (2, 1)


async def test_a_lost_renewal_is_harmless(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Nothing was published, and the old token works once more."""
    publisher = await opened(server, sessions, tmp_path)
    server.clock.forward(hours=3)
    server.fault(Fault(action="lose", path=REFRESH))
    with pytest.raises(Transient):
        await publisher.publish(make_rendition(), "key-1")
    await publisher.publish(make_rendition(), "key-1")
    assert (len(server.asked(CREATE)), len(server.records)) == (1, 1)


async def test_a_kept_session_is_never_worse_than_none(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Whatever the server has against renewing it (the account was moved, say), the app password is tried."""
    await opened(server, sessions, tmp_path)
    server.fault(Fault(action="answer", status=400, body=b'{"error":"InvalidRequest","message":"Could not find user info"}', path=REFRESH))
    publisher = await opened(server, sessions, tmp_path)
    await publisher.publish(make_rendition(), "key-1")
    assert (len(server.asked(CREATE)), len(server.records)) == (2, 1)


async def test_the_session_is_for_our_eyes_only(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Its file is closed to others, holds neither the password nor a plain hash of it, and nothing is printed."""
    publisher = await opened(server, sessions, tmp_path)
    path = kept(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PASSWORD not in path.read_text()
    tokens = json.loads(path.read_text())
    shown = repr(vars(publisher)) + repr(vars(publisher)["_client"]) + repr(vars(publisher)["_client"].session)
    assert not any(secret in shown for secret in (PASSWORD, tokens["access"], tokens["refresh"]))
    assert [one.name for one in path.parent.iterdir()] == ["session.json"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"owner":"00","salt":"00"}', b"\xff"])
async def test_a_damaged_file_costs_a_login(server: Server, sessions: Sessions, tmp_path: Path, damage: bytes) -> None:
    """A power cut in the wrong moment, an older format: no crash."""
    await opened(server, sessions, tmp_path)
    kept(tmp_path).write_bytes(damage)
    await opened(server, sessions, tmp_path)
    assert len(server.asked(CREATE)) == 2


@pytest.mark.parametrize("changes", [{"app_password": Secret("wxyz-wxyz-wxyz-wxyz")}, {"handle": "autre.bsky.social"}])
async def test_another_password_or_account_is_tried_at_once(
    server: Server, sessions: Sessions, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """A typing error shows in ``check``, not in three months when the kept session ends."""
    await opened(server, sessions, tmp_path)
    with pytest.raises(AuthExpired) as caught:
        await opened(server, sessions, tmp_path, **changes)
    assert "mot de passe d'application" in (caught.value.hint or {})["fr"]


async def test_a_revoked_password_pauses_for_a_person(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Refused for the session, for its renewal, for the login: one attempt each, then a person is asked."""
    publisher = await opened(server, sessions, tmp_path)
    server.sessions.revoke(server.asso, "syndicator")
    server.clock.forward(hours=3)
    with pytest.raises(AuthExpired) as caught:
        await publisher.publish(make_rendition(), "key-1")
    assert caught.value.hint is not None
    assert (len(server.asked(CREATE)), len(server.asked(REFRESH)), len(server.asked(PUT))) == (2, 1, 1)


@pytest.mark.parametrize("status", ["deactivated", "takendown"])
async def test_an_account_that_is_closed_is_said_so(server: Server, sessions: Sessions, tmp_path: Path, status: Any) -> None:
    """At ``check`` and when posting, with the words that help."""
    publisher = await opened(server, sessions, tmp_path)
    server.asso.status = status
    for attempt in (publisher.publish(make_rendition(), "key-1"), opened(server, sessions, tmp_path / "new")):
        with pytest.raises(AuthExpired) as caught:
            await attempt
        assert "bsky.app" in (caught.value.hint or {})["fr"]


async def test_the_accounts_own_password_is_warned_about(
    server: Server, sessions: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It works, and it gives away more than is needed; an app password is not warned about."""
    with caplog.at_level(logging.WARNING):
        await opened(server, sessions, tmp_path / "1")
        assert caplog.text == ""
        await opened(server, sessions, tmp_path / "2", app_password=Secret("hunter2"))
    assert "own password" in caplog.text


async def test_the_account_is_written_to_where_it_lives(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """bsky.social is a door: the DID document names the server behind it, and the login stays at the door."""
    server.service = server.url.replace("127.0.0.1", "localhost") + "/"
    publisher = await opened(server, sessions, tmp_path)
    receipt = await publisher.publish(make_rendition(), "key-1")
    assert await publisher.find("key-1", make_rendition()) == receipt
    hosts = {seen.path.rpartition(".")[2]: seen.headers["Host"].partition(":")[0] for seen in server.requests}
    assert hosts == {"createSession": "127.0.0.1", "putRecord": "localhost", "getRecord": "localhost"}


@pytest.mark.parametrize("service", ["", "ftp://pds.example", "javascript:alert(1)", "https://"])
async def test_a_strange_did_document_is_not_followed(server: Server, sessions: Sessions, tmp_path: Path, service: str) -> None:
    """The server that let us in is used instead."""
    server.service = service or "x"
    publisher = await opened(server, sessions, tmp_path)
    await publisher.publish(make_rendition(), "key-1")
    assert len(server.records) == 1


async def test_a_handle_that_lost_its_domain_is_still_ours(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """``handle.invalid`` is no name: the configured one stands in links."""
    server.asso.handle = "handle.invalid"
    publisher = publisher_for(server, sessions, tmp_path, handle="handle.invalid")
    await publisher.open()
    assert publisher.account == "handle.invalid"
    server.asso.handle = "nouveau.bsky.social"
    await publisher.open()
    assert publisher.account == "nouveau.bsky.social"


async def test_too_many_logins_wait(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Thirty in five minutes; the answer says until when, without Retry-After."""
    for number in range(30):
        await opened(server, sessions, tmp_path / str(number))
    with pytest.raises(RateLimited) as caught:
        await opened(server, sessions, tmp_path / "over")
    assert caught.value.at is not None
    assert (caught.value.at - NOW).total_seconds() == 300


async def test_an_address_that_is_no_pds_is_refused_with_advice(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """A website, a typing error: said in words at ``check``."""
    async with Files() as website:
        with pytest.raises(Rejected) as caught:
            await opened(server, sessions, tmp_path, pds=website.url)
    assert "pds" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"did":"did:plc:x","accessJwt":"","refreshJwt":"x"}', b"<html>"])
async def test_a_login_answered_with_nonsense_is_no_crash(server: Server, sessions: Sessions, tmp_path: Path, body: bytes) -> None:
    """A proxy, a half-started server: later."""
    server.fault(Fault(action="answer", status=200, body=body, path=CREATE))
    with pytest.raises(Transient):
        await opened(server, sessions, tmp_path)


async def test_before_login_nothing_is_sent(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Closed, or never open: nothing leaves, nothing is lost; closing is always safe."""
    publisher = publisher_for(server, sessions, tmp_path)
    await publisher.close()
    with pytest.raises(Transient):
        await publisher.publish(make_rendition(), "key-1")
    assert server.requests == []

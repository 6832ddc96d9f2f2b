"""The Matrix publisher's account: logging in, finding server and room, invitations, levels, encryption, and a token that never shows."""

from __future__ import annotations

import json
import logging
import stat
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.matrix import MatrixPublisher
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.sandbox.matrix import MatrixSimulator
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import HTML_ERROR, make_context, make_rendition
from tests.matrix_scene import PASSWORD, ROOM, Server, opened, options_for, with_password


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


async def test_a_password_is_used_once(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """What it is exchanged for is kept for the next time, readable by us alone, and the device stays the same."""
    for _ in range(3):
        publisher = await opened(server, sessions, tmp_path, with_password(server))
        await publisher.close()

    kept = tmp_path / "state" / "under-test" / "session.json"
    assert server.asked("/login") == 1
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert PASSWORD not in kept.read_text()
    assert [device.device_id[:11] for device in server.tokens.values()] == ["ELEMENT", "SYNDICATOR_"]


async def test_a_token_that_died_is_renewed(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """While writing or between two runs: it was refused at the door, so nothing is in doubt; the key still holds."""
    publisher = await opened(server, sessions, tmp_path, with_password(server))
    first = await publisher.publish(make_rendition(), "key")
    server.tokens.clear()
    assert await publisher.publish(make_rendition(), "key") == first
    server.tokens.clear()
    again = await opened(server, sessions, tmp_path, with_password(server))
    assert await again.publish(make_rendition(), "key") == first

    assert (server.asked("/login"), len(server.texts)) == (3, 1)


async def test_another_accounts_token_is_not_used(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """The configuration changed."""
    await opened(server, sessions, tmp_path, with_password(server))
    other = server.add_account("autre", PASSWORD)
    server.room.members.add(other)
    publisher = await opened(server, sessions, tmp_path, options_for(server, access_token=None, user=other, password=Secret(PASSWORD)))
    await publisher.publish(make_rendition(), "key")

    assert server.room.messages[0].sender == other


@pytest.mark.parametrize("kept", [b"", b"[]", b'{"token": 1}', b"\xff"])
async def test_a_damaged_file_costs_a_login(server: Server, sessions: Sessions, tmp_path: Path, kept: bytes) -> None:
    """No more."""
    await opened(server, sessions, tmp_path, with_password(server))
    folder = tmp_path / "state" / "under-test"
    (folder / "session.json").write_bytes(kept)
    (folder / "device.json").write_bytes(kept)
    publisher = await opened(server, sessions, tmp_path, with_password(server))

    assert (await publisher.publish(make_rendition(), "key")).remote_id
    assert server.asked("/login") == 2


async def test_a_wrong_password_asks_for_a_person(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Logging in, and when the kept token dies after the password was changed."""
    publisher = await opened(server, sessions, tmp_path, with_password(server))
    server.passwords[server.user] = "another"
    server.tokens.clear()
    for attempt in (publisher.publish(make_rendition(), "key"), opened(server, sessions, tmp_path / "fresh", with_password(server))):
        with pytest.raises(AuthExpired) as caught:
            await attempt
        assert "password" in (caught.value.hint or {})["en"]


@pytest.mark.parametrize(("fault", "expected"), [
    (Fault(action="lose", path="/login"), Transient), (Fault(action="answer", status=503, body=HTML_ERROR, path="/login"), Transient),
    (Fault(action="answer", status=200, body=b"{}", path="/login"), Transient),
    (Fault(action="answer", status=429, body=b'{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":9}', path="/login"), RateLimited),
    (Fault(action="answer", status=200, body=b"{}", path="/whoami"), Transient),
    (Fault(action="answer", status=200, body=b"{}", path="/directory/"), Transient),
    (Fault(action="answer", status=404, body=b'{"errcode":"M_NOT_FOUND"}', path="/directory/"), Rejected),
    (Fault(action="answer", status=503, body=HTML_ERROR, path="/versions"), Transient),
    (Fault(action="answer", status=429, headers={"Retry-After": "9"}, path="/versions"), RateLimited),
    (Fault(action="answer", status=404, body=HTML_ERROR, path="/joined_rooms"), Rejected),
])  # fmt: skip
async def test_opening_leaves_nothing_in_doubt(
    server: Server, sessions: Sessions, tmp_path: Path, fault: Fault, expected: type[ConnectorError]
) -> None:
    """An outage, an overload, a wrong address: never an unknown outcome."""
    server.fault(fault)
    with pytest.raises(ConnectorError) as caught:
        await opened(server, sessions, tmp_path, with_password(server))

    assert isinstance(caught.value, expected)
    assert not isinstance(caught.value, OutcomeUnknown)


class Domain(Simulator):
    """The association's website, whose domain is that of its Matrix names."""

    def __init__(self, points_to: str) -> None:
        super().__init__()
        body = json.dumps({"m.homeserver": {"base_url": points_to}}).encode()
        self.fault(Fault(action="answer", status=200, body=body, path="/.well-known/matrix/client", times=99))


async def test_the_server_is_found_by_its_domain(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Where the client API lives elsewhere, the domain says so."""
    async with Domain(f"{server.url}/") as domain:
        publisher = await opened(server, sessions, tmp_path, options_for(server, homeserver=domain.url))
        await publisher.publish(make_rendition(), "key")

    assert len(server.texts) == 1
    assert not any("Authorization" in seen.headers for seen in domain.requests)


@pytest.mark.parametrize("points_to", ["nonsense", "https://", "", "http://127.0.0.1:1/x"])
async def test_what_is_no_homeserver_is_refused_with_advice(server: Server, sessions: Sessions, tmp_path: Path, points_to: str) -> None:
    """Whatever else answers there."""
    async with Domain(points_to) as domain:
        with pytest.raises((Rejected, Transient)) as caught:
            await opened(server, sessions, tmp_path, options_for(server, homeserver=domain.url))

    assert isinstance(caught.value, Transient) == points_to.startswith("http:")


async def test_an_invited_account_comes_in_when_it_writes(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Opening changes nothing; the first message finds the door."""
    server.room.members.clear()
    server.room.invited.add(server.user)
    publisher = await opened(server, sessions, tmp_path)
    assert server.room.members == set()
    server.clock.forward(hours=25)
    await publisher.publish(make_rendition(), "key")

    assert (server.room.members, len(server.texts)) == ({server.user}, 1)


async def test_a_stranger_is_told_to_be_invited(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """When opening, and when it was put out later: nothing counts as deleted then."""
    publisher = await opened(server, sessions, tmp_path)
    receipt = await publisher.publish(make_rendition(), "key")
    server.clock.forward(hours=25)
    server.room.members.clear()
    attempts: list[Callable[[], Any]] = [
        lambda: opened(server, sessions, tmp_path), lambda: publisher.publish(make_rendition(), "other"),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(AuthExpired) as caught:
            await attempt()
        assert "invitez-le" in (caught.value.hint or {})["fr"]
    server.fault(Fault(action="answer", status=404, body=b'{"errcode":"M_NOT_FOUND","error":"Event not found."}', path="/event/"))
    with pytest.raises(AuthExpired):
        await publisher.delete(receipt)


async def test_an_announcement_room_wants_a_moderator(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Said when opening, before anything is lost; and when it changes later."""
    publisher = await opened(server, sessions, tmp_path)
    server.room.levels = {"users": {}, "users_default": 0, "events_default": 0, "events": {"m.room.message": 50}}
    for attempt in (opened(server, sessions, tmp_path), publisher.publish(make_rendition(), "key")):
        with pytest.raises(AuthExpired) as caught:
            await attempt
        assert "modérateur" in (caught.value.hint or {})["fr"]

    server.room.levels["users"][server.user] = 50
    await opened(server, sessions, tmp_path)


async def test_whoever_made_the_room_may_write(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Since version 12, its maker is in no list of levels."""
    server.room.levels |= {"events_default": 100}
    server.room.creator = server.user
    publisher = await opened(server, sessions, tmp_path)

    assert (await publisher.publish(make_rendition(), "key")).remote_id


@pytest.mark.parametrize("inside", [True, False])
async def test_an_encrypted_room_is_refused(server: Server, sessions: Sessions, tmp_path: Path, inside: bool) -> None:
    """Said in plain words when opening, to a member as to whoever is invited."""
    server.room.encrypted = True
    if not inside:
        server.room.members.clear()
        server.room.invited.add(server.user)
    with pytest.raises(Rejected) as caught:
        await opened(server, sessions, tmp_path)

    assert "chiffré" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("room", [
    "https://matrix.to/#/#annonces:asso.example", "https://matrix.to/#/%23annonces%3Aasso.example?via=asso.example", f" {ROOM} ",
    "https://matrix.to/#/#annonces:asso.example/$event?via=x",
])  # fmt: skip
async def test_a_room_is_known_by_its_link_too(server: Server, sessions: Sessions, tmp_path: Path, room: str) -> None:
    """As Element's « share » button gives it."""
    publisher = await opened(server, sessions, tmp_path, options_for(server, room=room))

    assert publisher.account == f"https://matrix.to/#/{ROOM}"


async def test_a_room_is_known_by_its_number(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """With or without a server in it."""
    publisher = await opened(server, sessions, tmp_path, options_for(server, room=server.room.room_id))
    receipt = await publisher.publish(make_rendition(), "key")

    assert receipt.url == f"https://matrix.to/#/{server.room.room_id}/{receipt.remote_id}?via=asso.example"
    assert server.asked("/directory/") == 0


@pytest.mark.parametrize("changes", [
    {"homeserver": "ftp://x.example"}, {"homeserver": ""}, {"homeserver": "https://a:b@x.example"}, {"room": "annonces"}, {"room": ""},
    {"room": "#annonces"}, {"access_token": None}, {"user": "@a:b"}, {"password": Secret("x"), "user": "@a:b"},
    {"access_token": None, "user": "@a:b"}, {"access_token": None, "password": Secret("x")},
])  # fmt: skip
def test_what_cannot_work_is_no_option(changes: dict[str, Any]) -> None:
    """Said when the configuration is read, in both languages."""
    known = {"homeserver": "https://asso.example", "room": ROOM, "access_token": Secret("x")}
    if changes == {"user": "@a:b"}:
        assert MatrixPublisher.Options(**{**known, **changes})  # a name beside a token is only a note
        return
    with pytest.raises(ValueError, match="fr") as caught:
        MatrixPublisher.Options(**{**known, **changes})

    assert set(caught.value.args[0]) >= {"fr", "en"}


async def test_the_servers_size_of_files_is_obeyed(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Asked when opening; servers of before are asked where it was then, and those that do not say are believed to take ours."""
    server.upload_max = 1_000
    publisher = await opened(server, sessions, tmp_path)
    assert (publisher.limits.media.image_max_bytes, publisher.limits.media.video_max_bytes) == (1_000, 1_000)

    server.fault(Fault(action="answer", status=404, body=b'{"errcode":"M_UNRECOGNIZED"}', path="/v1/media/config"))
    publisher = await opened(server, sessions, tmp_path)
    assert publisher.limits.media.image_max_bytes == 20 * 1024**2
    assert server.asked("/media/v3/config") == 1


@pytest.mark.parametrize("fault", [
    Fault(action="lose", times=9), Fault(action="drop", times=9), Fault(action="truncate"), Fault(action="mask", status=502),
    Fault(action="answer", status=404, body=b"TOKEN PASSWORD", times=9),
    Fault(action="answer", status=200, body=b"TOKEN PASSWORD", times=9),
    Fault(action="answer", status=400, body=b'{"errcode":"M_UNKNOWN","error":"TOKEN PASSWORD"}', times=9),
    Fault(action="answer", status=403, body=b'{"errcode":"M_FORBIDDEN","error":"TOKEN PASSWORD"}', times=9),
    Fault(action="answer", status=401, body=b'{"errcode":"M_UNKNOWN_TOKEN","error":"TOKEN PASSWORD"}', times=9),
    Fault(action="answer", status=200, headers={"X-Bad": "a" * 40_000}, times=9),
    Fault(action="answer", status=200, body=b" " * 5_000_001, times=9),
], ids=["lost", "cut", "truncated", "502", "echo-404", "echo-200", "echo-400", "echo-403", "echo-401", "header", "huge"])  # fmt: skip
@pytest.mark.parametrize("verb", ["open", "publish", "update", "delete"])
async def test_no_secret_ever_shows(
    server: Server, sessions: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: Fault, verb: str
) -> None:
    """Neither token nor password, in an error, its causes, a traceback, a log or a repr, whatever answers."""
    publisher = await opened(server, sessions, tmp_path, with_password(server))
    receipt = await publisher.publish(make_rendition(), "key")
    tokens = list(server.tokens)
    attempt = {
        "open": publisher.open, "publish": lambda: publisher.publish(make_rendition(), "other"),
        "update": lambda: publisher.update(receipt, make_rendition(text="Autre")), "delete": lambda: publisher.delete(receipt),
    }[verb]  # fmt: skip
    body = fault.body.replace(b"TOKEN", tokens[-1].encode()).replace(b"PASSWORD", PASSWORD.encode())
    server.fault(Fault(action=fault.action, status=fault.status, headers=fault.headers, body=body, times=fault.times))
    with caplog.at_level(logging.DEBUG), pytest.raises(ConnectorError) as caught:
        await attempt()

    error: BaseException | None = caught.value
    told = [caplog.text, repr(publisher), repr(vars(publisher)), repr(receipt), *traceback.format_exception(caught.value)]
    while error is not None:
        told += [repr(error), str(error), repr(vars(error)), repr(error.args)]
        error = error.__cause__ or error.__context__
    assert not any(secret in " ".join(told) for secret in [PASSWORD, *tokens, *server.tokens])


async def post(server: MatrixSimulator, sessions: Sessions, body: Any, *, token: str) -> tuple[int, str]:
    path = f"/_matrix/client/v3/rooms/{server.room.room_id}/send/m.room.message/t1"
    async with sessions.get(private=True, write=True).request(
        "PUT", server.url + path, data=body if isinstance(body, bytes) else json.dumps(body), headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        return answer.status, (await answer.json()).get("errcode", "")


@pytest.mark.parametrize(("body", "expected"), [
    (b"{", (400, "M_NOT_JSON")),
    ([], (400, "M_BAD_JSON")),
    ({"body": "a"}, (400, "M_UNKNOWN")),
    ({"msgtype": "m.text", "body": 5}, (400, "M_UNKNOWN")),
    ({"msgtype": "m.text", "body": "a", "x": 0.5}, (400, "M_BAD_JSON")),
    ({"msgtype": "m.text", "body": "a", "x": [2**53]}, (400, "M_BAD_JSON")),
    ({"msgtype": "m.text", "body": "a", "m.mentions": {"room": "yes"}}, (400, "M_BAD_JSON")),
    ({"msgtype": "m.text", "body": "a" * 65_000}, (413, "M_TOO_LARGE")),
    ({"msgtype": "m.text", "body": "a" * 64_000}, (200, "")),
])  # fmt: skip
async def test_the_simulator_refuses_what_a_homeserver_refuses(
    server: Server, sessions: Sessions, body: Any, expected: tuple[int, str]
) -> None:
    """Not JSON, incomplete, of another type, with fractions, too large."""
    assert await post(server, sessions, body, token=server.token) == expected
    assert await post(server, sessions, {}, token="syt_nobody") == (401, "M_UNKNOWN_TOKEN")


async def test_the_token_may_be_of_nobodys_device(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Application services have none: the token itself then tells one from another."""
    server.fault(Fault(action="answer", status=200, body=json.dumps({"user_id": server.user}).encode(), path="/whoami"))
    await opened(server, sessions, tmp_path)

    known = json.loads((tmp_path / "state" / "under-test" / "device.json").read_text())
    assert server.token not in known["device"]


async def test_closing_before_opening_is_fine(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """And writing before opening is a thing of the future."""
    publisher = MatrixPublisher(options_for(server), make_context(tmp_path, sessions))
    await publisher.close()
    with pytest.raises(Transient):
        await publisher.publish(make_rendition(), "key")

"""The Mastodon publisher: the contract on three kinds of server, opening, and Pixelfed's own ways."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.mastodon.limits import LIMITS, limits_of
from connectors.mastodon.publisher import MastodonPublisher
from syndicator.contract import Limits, Secret
from syndicator.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected
from syndicator.http import Sessions
from syndicator.model import Receipt
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import PublisherContract, make_context, make_rendition
from tests.mastodon_scene import SCOPES, Server, opened, options_for, picture
from tests.media_scene import MP4, Files, photo

JSON = {"Content-Type": "application/json"}


class Suite(PublisherContract):
    connector = MastodonPublisher
    path = "/api/v1/statuses"
    flavour = "mastodon"
    dialect = tuple(
        (what, Fault(action="answer", method="POST", status=status, body=body, headers=JSON | headers, path="/api/v1/statuses"), error)
        for what, status, body, headers, error in (
            ("too many requests", 429, b'{"error":"Too many requests"}', {"X-RateLimit-Reset": "2026-11-21T12:05:00.000Z"}, RateLimited),
            ("GoToSocial's too many requests", 429, b'{"error":"x"}', {"X-RateLimit-Reset": "1795262700"}, RateLimited),
            ("a token revoked", 401, b'{"error":"The access token was revoked"}', {}, AuthExpired),
            ("a right that the token lacks", 403, b'{"error":"This action is outside the authorized scopes"}', {}, AuthExpired),
            ("an account frozen", 403, b'{"error":"Your login is currently disabled"}', {}, AuthExpired),
            ("a text too long", 422, b'{"error":"Validation failed: Text character limit of 500 exceeded"}', {}, Rejected),
            ("a parent that is gone", 404, b'{"error":"The post you are trying to reply to does not appear to exist."}', {}, Rejected),
            ("another address", 302, b"", {"Location": "https://moved.example/api/v1/statuses"}, Rejected),
            ("a crash", 500, b'{"error":"x"}', {}, OutcomeUnknown),
            ("an error in a good answer", 200, b'{"error":"x"}', {}, OutcomeUnknown),
        )
    )

    async def start(self) -> Simulator:
        return await Server(flavour=self.flavour).start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, Server)
        return simulator.shown

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, Server)
        simulator.world.tokens.clear()

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        assert isinstance(simulator, Server)
        return simulator.world.statuses[receipt.remote_id].in_reply_to_id


class TestMastodon(Suite):
    """With keys that the server keeps for an hour."""

    def text_of_length(self, limits: Limits, length: int) -> str:
        """A URL counts 23, and a person's character one, however many code points it has."""
        url = "https://asso.example/" + "long/" * 30
        return f"{url} 👩‍👩‍👧‍👦".ljust(len(url) + 8 + length - 25, "a")


class TestGotosocial(Suite):
    """With keys that the server ignores, ULIDs, and nothing shown to strangers."""

    flavour = "gotosocial"


class TestAkkoma(Suite):
    """With flake ids."""

    flavour = "akkoma"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with Files() as files:
        files.files["velo.jpg"] = photo()
        files.files["film.mp4"] = MP4
        yield files


@pytest.fixture
async def publisher(server: Server, sessions: Sessions, tmp_path: Path) -> AsyncIterator[MastodonPublisher]:
    publisher = await opened(server, sessions, tmp_path)
    yield publisher
    await publisher.close()


async def test_open_learns_account_limits_and_software(publisher: MastodonPublisher, server: Server) -> None:
    """The handle is the one that a source of the same account has; limits are the server's."""
    assert publisher.account == f"asso@{server.host}"
    assert publisher.limits == LIMITS


async def test_the_handle_has_the_domain_of_the_handle(sessions: Sessions, tmp_path: Path) -> None:
    """A server that lives at social.asso.example may name its people @asso.example."""
    async with Server(domain="asso.example") as server:
        publisher = await opened(server, sessions, tmp_path)
        assert publisher.account == "asso@asso.example"
        await publisher.close()


@pytest.mark.parametrize("missing", SCOPES)
async def test_a_token_without_a_needed_scope_is_found_out_at_once(sessions: Sessions, tmp_path: Path, missing: str) -> None:
    """``check`` says which, before anything fails on the first post."""
    async with Server(scopes=tuple(scope for scope in SCOPES if scope != missing)) as server:
        with pytest.raises(AuthExpired) as caught:
            await opened(server, sessions, tmp_path)
        assert missing != "read:accounts" or "403" in caught.value.detail
        assert missing == "read:accounts" or missing in caught.value.detail


async def test_a_server_that_tells_no_scopes_is_asked_for_the_timeline(sessions: Sessions, tmp_path: Path) -> None:
    """Without it nobody could say whether a post went out."""
    async with Server(flavour="gotosocial", scopes=("read:accounts", "write")) as server:
        with pytest.raises(AuthExpired) as caught:
            await opened(server, sessions, tmp_path)
        assert caught.value.hint is not None


@pytest.mark.parametrize(("scopes", "warned"), [(SCOPES, False), (("profile", *SCOPES), False), (("read", "write", "follow"), True)])
async def test_a_token_wider_than_needed_is_told(
    sessions: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture, scopes: tuple[str, ...], warned: bool
) -> None:
    """Once, in the log, without refusing it."""
    async with Server(scopes=scopes) as server:
        with caplog.at_level(logging.WARNING):
            await (await opened(server, sessions, tmp_path)).close()
    assert ("token wider than needed scopes=follow,read,write" in caplog.text) == warned


async def test_an_address_without_mastodon_is_refused_with_advice(sessions: Sessions, tmp_path: Path, files: Files) -> None:
    """A website, a typing error: said in words at ``check``."""
    context = make_context(tmp_path, sessions)
    publisher = MastodonPublisher(MastodonPublisher.Options(url=files.url, token=Secret("x")), context)
    with pytest.raises(Rejected) as caught:
        await publisher.open()
    await publisher.close()
    assert "Mastodon" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("url", ["", "mailto:asso@example.org", "https://", "https://user:pw@social.example"])
def test_what_is_no_server_is_no_option(url: str) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match=r"https://mastodon\.social") as caught:
        MastodonPublisher.Options(url=url, token=Secret("x"))
    assert set(caught.value.args[0]) >= {"fr", "en"}


@pytest.mark.parametrize("url", ["social.example", "https://social.example/", "https://social.example/@asso"])
def test_a_server_may_be_written_as_people_write_it(url: str) -> None:
    """With or without scheme, slash or page."""
    assert MastodonPublisher.Options(url=url, token=Secret("x")).base_url == "https://social.example"


def test_limits_without_an_account_are_mastodons() -> None:
    """``try`` and ``preview`` need no login."""
    assert MastodonPublisher.limits == LIMITS
    assert (LIMITS.text_max, LIMITS.url_length, LIMITS.key_window_s) == (500, 23, 3600)


def test_other_servers_count_otherwise() -> None:
    """GoToSocial: no keys, code points, URLs at full length; Pixelfed: a picture or nothing; nonsense changes nothing."""
    instance = {"configuration": {"statuses": {"max_characters": 5000, "max_media_attachments": 6, "characters_reserved_per_url": 25}}}
    gotosocial = limits_of(instance, "gotosocial")
    assert (gotosocial.text_max, gotosocial.text_unit, gotosocial.url_length) == (5000, "characters", None)
    assert (gotosocial.key_window_s, gotosocial.media.images_max, gotosocial.media.mixed) == (0, 6, True)
    assert limits_of({}, "pixelfed").media.image_required
    assert limits_of({"max_toot_chars": 1312}, "pleroma").text_max == 1312
    assert limits_of({"configuration": {"statuses": [], "media_attachments": {"image_size_limit": "x"}}}, "mastodon") == LIMITS


@pytest.fixture
async def pixelfed() -> AsyncIterator[Server]:
    async with Server(flavour="pixelfed", scopes=("read", "write")) as server:
        yield server


async def test_pixelfed_takes_pictures_only(pixelfed: Server, sessions: Sessions, tmp_path: Path, files: Files) -> None:
    """A text alone is refused here: its 403 would look like a dead token and pause the account."""
    publisher = await opened(pixelfed, sessions, tmp_path)
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(), "key-1")
    receipt = await publisher.publish(make_rendition(attachments=(picture(files),)), "key-2")
    await publisher.publish(make_rendition(text="Suite", part=1, parts=2), "key-3", parent=receipt)
    await publisher.close()
    assert len(pixelfed.shown) == 2


async def test_pixelfed_never_gets_a_key(pixelfed: Server, sessions: Sessions, tmp_path: Path, files: Files) -> None:
    """It would answer 400 to the second use, even when the first made nothing; the timeline tells instead."""
    publisher = await opened(pixelfed, sessions, tmp_path)
    rendition = make_rendition(attachments=(picture(files),))
    pixelfed.fault(Fault(action="lose", method="POST", path="/api/v1/statuses"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key-1")
    found = await publisher.find("key-1", rendition)
    await publisher.close()

    assert found is not None
    assert publisher.limits.key_window_s == 0
    assert not any("Idempotency-Key" in request.headers for request in pixelfed.requests)

"""The Mastodon publisher against Mastodon, GoToSocial and Pixelfed; its client; and the simulator's own account of a text."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from connectors.mastodon.client import Client, reset_at
from connectors.mastodon.limits import LIMITS, limits_of
from connectors.mastodon.publisher import MastodonPublisher
from syndicator.contract import Limits, Secret
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Http, Sessions
from syndicator.model import Attachment, Receipt
from syndicator.sandbox import mastodon_text
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mastodon_write import WRITING
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import NOW, PublisherContract, make_context, make_rendition
from syndicator.text.html import to_text
from tests.test_media import MP4, Files, photo

SCOPES = ("read:accounts", "read:statuses", "write:statuses", "write:media")


class Clock:
    """The present, which tests move."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **spans: float) -> None:
        self.at += timedelta(**spans)


class Server(MastodonSimulator):
    """A server with the association's account."""

    def __init__(self, *, flavour: Any = "mastodon", scopes: tuple[str, ...] = SCOPES, **options: Any) -> None:
        self.clock = Clock()
        super().__init__(now=self.clock, flavour=flavour, **options)
        self.asso = self.world.add_account("asso", "Les Amis du Vélo")
        self.token = self.world.add_token(self.asso, *scopes)
        self.clock.forward(minutes=1)

    @property
    def shown(self) -> list[str]:
        """The account's statuses as text, oldest first."""
        return [to_text(status.content) for status in self.world.of_account(self.asso.id)]


def options_for(server: Simulator, **changes: Any) -> Any:
    assert isinstance(server, Server)
    return MastodonPublisher.Options(**{"url": server.url, "token": Secret(server.token), **changes})


class Suite(PublisherContract):
    connector = MastodonPublisher
    path = "/api/v1/statuses"
    flavour = "mastodon"

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
async def sessions() -> AsyncIterator[Sessions]:
    sessions = Sessions()
    yield sessions
    await sessions.close()


async def opened(server: Server, sessions: Sessions, folder: Path, **changes: Any) -> MastodonPublisher:
    context = make_context(folder, sessions, now=server.clock)
    publisher = MastodonPublisher(options_for(server, **changes), context)
    await publisher.open()
    return publisher


@pytest.fixture
async def publisher(server: Server, sessions: Sessions, tmp_path: Path) -> AsyncIterator[MastodonPublisher]:
    publisher = await opened(server, sessions, tmp_path)
    yield publisher
    await publisher.close()


def picture(files: Files, description: str = "Deux vélos contre un mur") -> Attachment:
    return Attachment(url=f"{files.url}/velo.jpg", description=description, focus=(0.5, -0.25))


def film(files: Files) -> Attachment:
    return Attachment(url=f"{files.url}/film.mp4", type="video", description="Une balade")


# Opening


async def test_open_learns_account_limits_and_software(publisher: MastodonPublisher, server: Server) -> None:
    """The handle is the one that a source of the same account has; limits are the server's."""
    assert publisher.account == f"asso@{server.host}"
    assert publisher.limits == replace(LIMITS, media=replace(LIMITS.media, video_max_bytes=103_809_024))


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


# Publishing


async def test_everything_arrives_as_rendered(publisher: MastodonPublisher, server: Server, files: Files) -> None:
    """Text, warning, language, media with alt text and focus, visibility: one status that holds all of it."""
    rendition = make_rendition(
        text="Bal ce soir https://asso.example/bal #Fête",
        content_warning="Musique forte",
        sensitive=True,
        language="br",
        visibility="unlisted",
        attachments=(picture(files),),
    )
    receipt = await publisher.publish(rendition, "key-1")

    (status,) = server.world.of_account(server.asso.id)
    (media,) = server.world.media.values()
    assert receipt == Receipt(
        remote_id=status.id,
        url=f"{server.url}/@asso/{status.id}",
        uri=f"{server.url}/users/asso/statuses/{status.id}",
        data=((picture(files).url, media.id),),
    )
    assert (status.source_text, status.spoiler_text, status.sensitive) == (rendition.text, "Musique forte", True)
    assert (status.language, status.visibility, status.media_ids) == ("br", "unlisted", [media.id])
    assert (media.description, media.media_type) == ("Deux vélos contre un mur", "image/jpeg")
    assert b"GPSPhone" not in media.data
    upload = next(request for request in server.requests if request.path == "/api/v2/media")
    assert b"0.5,-0.25" in upload.body


@pytest.mark.parametrize(("language", "fallback", "sent"), [
    ("fr", None, "fr"), ("pt-BR", None, "pt-BR"), (None, "br", "br"), (None, None, None), ("???", None, None),
])  # fmt: skip
async def test_language_is_told_when_known(
    server: Server, sessions: Sessions, tmp_path: Path, language: str | None, fallback: str | None, sent: str | None
) -> None:
    """Never a guess: without one the account's own setting decides."""
    publisher = await opened(server, sessions, tmp_path, language=fallback)
    await publisher.publish(make_rendition(language=language), "key-1")
    body = next(request.body for request in server.requests if request.method == "POST").decode()
    await publisher.close()
    assert (f"language={sent}" in body) if sent else ("language" not in body)


async def test_the_option_can_keep_posts_out_of_public_timelines(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Option ``visibility``; and what is not public is never posted."""
    publisher = await opened(server, sessions, tmp_path, visibility="unlisted")
    await publisher.publish(make_rendition(), "key-1")
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(visibility="private"), "key-2")
    await publisher.close()
    assert [status.visibility for status in server.world.statuses.values()] == ["unlisted"]


async def test_a_picture_that_cannot_be_used_never_stops_the_text(
    publisher: MastodonPublisher, server: Server, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """A web page instead of a picture, one that is gone, one that the server refuses: left out and told, the others are posted."""
    files.files["page.jpg"] = b"<html>not found</html>"
    broken = [Attachment(url=f"{files.url}/page.jpg"), Attachment(url=f"{files.url}/gone.jpg")]
    receipt = await publisher.publish(make_rendition(attachments=(*broken, picture(files))), "key-1")
    server.fault(Fault(action="answer", status=422, path="/api/v2/media"))
    await publisher.publish(make_rendition(text="Sans image", attachments=(picture(files),)), "key-2")

    assert [url for url, _ in receipt.data] == [picture(files).url]
    assert server.shown == ["Bonjour à toutes et à tous", "Sans image"]
    assert [len(status.media_ids) for status in server.world.of_account(server.asso.id)] == [1, 0]
    assert f"media left out url={files.url}/page.jpg" in caplog.text
    assert f"media left out url={files.url}/gone.jpg" in caplog.text


@pytest.mark.parametrize("fault", [Fault(action="answer", status=503, times=9), Fault(action="drop", times=9)])
async def test_a_picture_that_cannot_be_had_now_makes_the_post_wait(
    publisher: MastodonPublisher, server: Server, files: Files, fault: Fault
) -> None:
    """Its origin is down: nothing is posted yet."""
    files.fault(fault)
    with pytest.raises(Transient):
        await publisher.prepare(make_rendition(attachments=(picture(files),)), "key-1")
    assert server.shown == []


@pytest.mark.parametrize("action", ["lose", "drop", "truncate"])
async def test_a_lost_upload_is_only_tried_again(publisher: MastodonPublisher, server: Server, files: Files, action: Any) -> None:
    """What is attached to nothing is seen by nobody: no unknown outcome from ``prepare``."""
    server.fault(Fault(action=action, path="/api/v2/media"))
    with pytest.raises(Transient):
        await publisher.prepare(make_rendition(attachments=(picture(files),)), "key-1")


async def test_prepared_media_are_uploaded_once(publisher: MastodonPublisher, server: Server, files: Files) -> None:
    """A publish that fails and is tried again uses what ``prepare`` made; also one by a new process."""
    rendition = make_rendition(attachments=(picture(files),))
    prepared = await publisher.prepare(rendition, "key-1")
    server.fault(Fault(action="answer", status=429, method="POST", path="/api/v1/statuses"))
    with pytest.raises(RateLimited):
        await publisher.publish(rendition, "key-1", prepared=prepared)
    await publisher.publish(rendition, "key-1", prepared=prepared)

    assert len([request for request in server.requests if request.path == "/api/v2/media"]) == len(server.world.media)


async def test_a_video_still_worked_on_makes_the_post_wait(publisher: MastodonPublisher, server: Server, files: Files) -> None:
    """202, then 206 twice, then ready: three attempts, one upload, one status."""
    server.app[WRITING].processing_polls = 2
    rendition = make_rendition(attachments=(film(files),))
    prepared = await publisher.prepare(rendition, "key-1")
    for _ in range(2):
        with pytest.raises(Transient):
            await publisher.publish(rendition, "key-1", prepared=prepared)
    receipt = await publisher.publish(rendition, "key-1", prepared=prepared)

    assert len(server.world.media) == 1
    assert server.world.statuses[receipt.remote_id].media_ids == list(server.world.media)
    uploads = [request for request in server.requests if request.path == "/api/v2/media"]
    assert len(uploads) == 1


async def test_a_video_that_cannot_be_processed_is_left_out(publisher: MastodonPublisher, server: Server, files: Files) -> None:
    """The text goes out without it."""
    rendition = make_rendition(attachments=(film(files),))
    prepared = await publisher.prepare(rendition, "key-1")
    server.fault(Fault(action="answer", status=422, path="/api/v1/media/"))
    await publisher.publish(rendition, "key-1", prepared=prepared)
    assert [status.media_ids for status in server.world.statuses.values()] == [[]]


async def test_media_that_the_server_dropped_meanwhile_are_uploaded_again(
    publisher: MastodonPublisher, server: Server, files: Files
) -> None:
    """Prepared, then the token was dead for two days: the post still has its picture."""
    rendition = make_rendition(attachments=(picture(files),))
    prepared = await publisher.prepare(rendition, "key-1")
    server.world.media.clear()
    server.clock.forward(days=2)
    receipt = await publisher.publish(rendition, "key-1", prepared=prepared)

    assert server.world.statuses[receipt.remote_id].media_ids == list(server.world.media)
    assert len(server.world.media) == 1


async def test_media_that_hang_on_our_own_post_show_that_it_went_out(
    publisher: MastodonPublisher, server: Server, files: Files, sessions: Sessions, tmp_path: Path
) -> None:
    """The key is forgotten after an hour, but attached media tell: no second post."""
    rendition = make_rendition(attachments=(picture(files),))
    prepared = await publisher.prepare(rendition, "key-1")
    server.fault(Fault(action="lose", method="POST", path="/api/v1/statuses"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key-1", prepared=prepared)
    server.clock.forward(hours=2)
    again = await opened(server, sessions, tmp_path)
    receipt = await again.publish(rendition, "key-1", prepared=prepared)
    await again.close()

    assert [status.id for status in server.world.statuses.values()] == [receipt.remote_id]
    assert receipt.data == ((picture(files).url, *server.world.media),)


async def test_an_answer_to_what_is_gone_is_refused(publisher: MastodonPublisher, server: Server) -> None:
    """Somebody deleted the thread's first part: the second does not go out alone."""
    parent = await publisher.publish(make_rendition(text="Un", parts=2), "key-1")
    await publisher.delete(parent)
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(text="Deux", part=1, parts=2), "key-2", parent=parent)
    assert server.shown == []


async def test_an_answer_of_another_shape_is_an_unknown_outcome(publisher: MastodonPublisher, server: Server) -> None:
    """200 without an id, or a web page, proves nothing."""
    for body, kind in ((b"{}", "application/json"), (b"[]", "application/json"), (b"<p>ok", "text/html"), (b"", "application/json")):
        server.fault(Fault(action="answer", status=200, headers={"Content-Type": kind}, body=body, method="POST"))
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(make_rendition(), "key-1")


async def test_throttles_say_until_when(publisher: MastodonPublisher, server: Server) -> None:
    """By the server's own clock, from its header: 30 deletions in half an hour."""
    server.app[WRITING].throttles["delete"].limit = 1
    receipts = [await publisher.publish(make_rendition(text=str(number)), f"key-{number}") for number in range(2)]
    await publisher.delete(receipts[0])
    with pytest.raises(RateLimited) as caught:
        await publisher.delete(receipts[1])
    assert caught.value.at == NOW + timedelta(minutes=30)


# Edits


async def test_an_edit_keeps_the_media_and_changes_the_alt_text(publisher: MastodonPublisher, server: Server, files: Files) -> None:
    """Nothing is uploaded again, nothing is detached."""
    receipt = await publisher.publish(make_rendition(attachments=(picture(files),)), "key-1")
    edited = await publisher.update(receipt, make_rendition(text="Corrigé", attachments=(picture(files, "Trois vélos"),)))

    (status,), (media,) = server.world.statuses.values(), server.world.media.values()
    assert edited == receipt
    assert (status.source_text, status.media_ids, media.description) == ("Corrigé", [media.id], "Trois vélos")
    assert status.edited_at is not None


async def test_an_edit_can_add_and_remove_media(publisher: MastodonPublisher, server: Server, files: Files) -> None:
    """What is new is uploaded, what is gone is detached, warning and mark come and go."""
    receipt = await publisher.publish(make_rendition(content_warning="Vélos", sensitive=True), "key-1")
    with_picture = await publisher.update(receipt, make_rendition(attachments=(picture(files),)))
    (status,), (media,) = server.world.statuses.values(), server.world.media.values()
    assert (status.media_ids, status.spoiler_text, status.sensitive) == ([media.id], "", False)
    assert with_picture.data == ((picture(files).url, media.id),)

    without = await publisher.update(with_picture, make_rendition(sensitive=True))
    assert (status.media_ids, status.sensitive, without.data) == ([], True, ())


async def test_an_edit_elsewhere_keeps_the_media(sessions: Sessions, tmp_path: Path, files: Files) -> None:
    """GoToSocial takes the ids alone."""
    async with Server(flavour="gotosocial") as server:
        publisher = await opened(server, sessions, tmp_path)
        receipt = await publisher.publish(make_rendition(attachments=(picture(files),)), "key-1")
        await publisher.update(receipt, make_rendition(text="Corrigé", attachments=(picture(files),)))
        await publisher.close()
        assert [(status.source_text, len(status.media_ids)) for status in server.world.statuses.values()] == [("Corrigé", 1)]


# Did it go out?

SAMPLES = [
    "Bonjour à toutes et à tous",
    "Bal ce soir https://asso.example/un/chemin/tellement/long/qu-il/est/coupé?a=1&b=2 #Fête",
    "Premier paragraphe\n\nDeuxième\navec une ligne <script> & « guillemets » @personne",
    "Mention de voisine@autre.example et de :emoji:",
    "👩‍👩‍👧‍👦 🇫🇷",
]


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial", "akkoma", "friendica"])
@pytest.mark.parametrize("text", SAMPLES)
async def test_ours_is_found_by_its_text(sessions: Sessions, tmp_path: Path, flavour: str, text: str) -> None:
    """However the server dresses it, and among others."""
    async with Server(flavour=flavour) as server:
        publisher = await opened(server, sessions, tmp_path)
        server.fault(Fault(action="lose", method="POST"))
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(make_rendition(text=text), "key-1")
        for other in ("Autre chose", "Bonjour"):
            server.clock.forward(minutes=1)
            await publisher.publish(make_rendition(text=other), f"key-{other}")
        found = await publisher.find("key-1", make_rendition(text=text))
        await publisher.close()

        assert found is not None
        assert found.remote_id == server.world.of_account(server.asso.id)[0].id


@pytest.mark.parametrize("change", [
    {"text": "Réunion à 18 h 30"},
    {"text": "Réunion à 18 h !"},
    {"text": "Réunion à 18"},
    {"content_warning": "Politique"},
    {"part": 1, "parts": 2},
])  # fmt: skip
async def test_what_looks_alike_is_not_ours(publisher: MastodonPublisher, change: dict[str, Any]) -> None:
    """Another hour, another mark, a warning, a part of a thread: not the same post."""
    await publisher.publish(make_rendition(text="Réunion à 18 h"), "key-other")
    assert await publisher.find("key-1", replace(make_rendition(text="Réunion à 18 h"), **change)) is None


async def test_the_same_text_of_another_item_is_not_ours(
    publisher: MastodonPublisher, server: Server, sessions: Sessions, tmp_path: Path
) -> None:
    """The same words twice in a month are two posts, also for a process that starts anew."""
    first = await publisher.publish(make_rendition(text="Bonne année"), "key-1")
    again = await opened(server, sessions, tmp_path)
    rendition = make_rendition(uid="https://social.example/2", text="Bonne année")

    assert await again.find("key-2", rendition) is None
    server.fault(Fault(action="lose", method="POST"))
    with pytest.raises(OutcomeUnknown):
        await again.publish(rendition, "key-2")
    found = await again.find("key-2", rendition)
    await again.close()
    assert found is not None
    assert found.remote_id != first.remote_id


async def test_what_was_there_before_is_not_ours(publisher: MastodonPublisher, server: Server) -> None:
    """A person wrote the same words yesterday; our request was lost."""
    server.world.post(server.asso, "<p>Bonne année</p>", created_at=NOW - timedelta(days=1))
    rendition = make_rendition(text="Bonne année", published_at=NOW - timedelta(days=2))
    server.fault(Fault(action="drop", method="POST"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key-1")
    assert await publisher.find("key-1", rendition) is None


async def test_a_boost_is_not_ours(publisher: MastodonPublisher, server: Server) -> None:
    """Sharing somebody's words is not having said them."""
    other = server.world.add_account("voisine", domain="autre.example")
    server.world.boost(server.asso, server.world.post(other, "<p>Bonne année</p>"))
    assert await publisher.find("key-1", make_rendition(text="Bonne année")) is None


async def test_a_picture_without_text_is_told_apart_by_its_alt_text(publisher: MastodonPublisher, files: Files) -> None:
    """Two photo posts without a word are two posts."""
    await publisher.publish(make_rendition(text="", attachments=(picture(files, "Un vélo"),)), "key-other")
    wanted = make_rendition(text="", attachments=(picture(files, "Deux vélos"),))
    assert await publisher.find("key-1", wanted) is None
    assert await publisher.find("key-1", make_rendition(text="")) is None


async def test_found_however_far_down(publisher: MastodonPublisher, server: Server) -> None:
    """Pages are walked back to the first attempt."""
    server.fault(Fault(action="lose", method="POST"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(make_rendition(), "key-1")
    for number in range(90):
        server.clock.forward(seconds=30)
        server.world.post(server.asso, f"<p>{number}</p>")
    found = await publisher.find("key-1", make_rendition())
    assert found is not None
    assert found.remote_id == server.world.of_account(server.asso.id)[0].id


async def test_not_sure_is_not_no(publisher: MastodonPublisher, server: Server) -> None:
    """More posts since than are read: nobody claims that it did not go out."""
    for number in range(401):
        server.world.post(server.asso, f"<p>{number}</p>")
    with pytest.raises(Transient):
        await publisher.find("key-1", make_rendition())


async def test_a_timeline_that_does_not_answer_is_not_no(publisher: MastodonPublisher, server: Server) -> None:
    """An outage leaves the question open."""
    server.fault(Fault(action="answer", status=502, path=f"/api/v1/accounts/{server.asso.id}/statuses"))
    with pytest.raises(Transient):
        await publisher.find("key-1", make_rendition())


async def test_a_text_dressed_otherwise_is_told_by_its_source(publisher: MastodonPublisher, server: Server) -> None:
    """A server that makes *stars* bold shows other words than we sent; the source tells, and where it does not, nobody guesses."""
    ours = make_rendition(text="Un *grand* bal")
    shown = server.world.post(server.asso, "<p>Un <strong>grand</strong> bal</p>", source_text="Un *grand* bal", created_at=NOW)
    server.fault(Fault(action="answer", status=403, path="/source"))
    with pytest.raises(Transient):
        await publisher.find("key-1", ours)
    found = await publisher.find("key-1", ours)
    assert found is not None
    assert found.remote_id == shown.id
    assert await publisher.find("key-2", make_rendition(text="Un _grand_ bal")) is None


async def test_a_post_removed_meanwhile_was_still_made(publisher: MastodonPublisher, server: Server) -> None:
    """Somebody deleted it before the core heard of it: that is no reason to post it again."""
    receipt = await publisher.publish(make_rendition(), "key-1")
    server.world.delete(server.world.statuses[receipt.remote_id])
    assert await publisher.find("key-1", make_rendition()) == Receipt(remote_id=receipt.remote_id)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"key-1": "x"}'])
async def test_a_damaged_note_of_what_was_sent_stops_nothing(server: Server, sessions: Sessions, tmp_path: Path, content: bytes) -> None:
    """The outbox is the truth; the note only sharpens ``find``."""
    publisher = await opened(server, sessions, tmp_path)
    (tmp_path / "state" / "under-test" / "sent.json").write_bytes(content)
    receipt = await publisher.publish(make_rendition(), "key-1")
    await publisher.close()
    again = await opened(server, sessions, tmp_path)
    found = await again.find("key-1", make_rendition())
    await again.close()
    assert found == receipt


async def test_after_an_hour_the_key_is_forgotten(publisher: MastodonPublisher, server: Server) -> None:
    """Which is why ``limits`` says an hour: the same key then makes a second post."""
    await publisher.publish(make_rendition(), "key-1")
    server.clock.forward(seconds=publisher.limits.key_window_s)
    await publisher.publish(make_rendition(), "key-1")
    assert len(server.shown) == 2


# Pixelfed


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


# The client

BARE = "/api/v1/accounts/verify_credentials"


def client_of(server: Simulator, sessions: Sessions, *, token: str = "tok-xyz", private: bool = True) -> Client:
    http = Http(
        sessions=sessions,
        now=server.now,
        user_agent="syndicator-tests (+https://asso.example/)",
        allow_private=frozenset({"127.0.0.1"}) if private else frozenset(),
    )
    return Client(server.url, Secret(token), http)


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


# The simulator's own account of a text


@pytest.mark.parametrize(("text", "length"), [
    ("", 0),
    ("abc", 3),
    ("é", 1),
    ("e\u0301", 1),
    ("👩‍👩‍👧‍👦", 1),
    ("https://a.example/" + "x" * 300, 23),
    ("(https://a.example/b).", 26),
    ("https://a.example/b_(c)", 23),
    ("@asso@social.example bonjour", 13),
    ("asso@social.example", 19),
])  # fmt: skip
def test_how_mastodon_counts(text: str, length: int) -> None:
    """URLs 23, mentions without their host, characters as people see them."""
    assert mastodon_text.length(text) == length


def test_how_mastodon_shows_a_text() -> None:
    """Long links in three spans, tags with their case, known people as links, strangers and markup as text."""
    html = mastodon_text.to_html(
        "Voir https://www.asso.example/un/chemin/tellement/long #Fête\n@asso @personne <b>\n\nFin",
        "https://social.example",
        lambda name, host: "https://social.example/@asso" if (name, host) == ("asso", "") else None,
    )
    assert html == (
        '<p>Voir <a href="https://www.asso.example/un/chemin/tellement/long" target="_blank" rel="nofollow noopener" translate="no">'
        '<span class="invisible">https://www.</span><span class="ellipsis">asso.example/un/chemin/telleme</span>'
        '<span class="invisible">nt/long</span></a> '
        '<a href="https://social.example/tags/Fête" class="mention hashtag" rel="tag">#<span>Fête</span></a><br />'
        '<span class="h-card" translate="no"><a href="https://social.example/@asso" class="u-url mention">@<span>asso</span></a></span>'
        " @personne &lt;b&gt;</p><p>Fin</p>"
    )


async def test_the_sandbox_refuses_what_mastodon_refuses(server: Server, sessions: Sessions) -> None:
    """Without a word or a picture, too long an alt text, no file, somebody else's status, a token without the scope."""
    client = client_of(server, sessions, token=server.token)
    other = server.world.add_account("voisine")
    theirs = server.world.post(other, "<p>x</p>")
    cases: list[tuple[str, tuple[Any, ...], dict[str, Any], type[Exception]]] = [
        ("status_post", ("",), {}, Rejected),
        ("status_post", ("x",), {"media_ids": ["1"]}, Rejected),
        ("status_post", ("x",), {"in_reply_to_id": "1"}, Gone),
        ("media_post", (photo(),), {"mime_type": "image/jpeg", "description": "a" * 1501}, Rejected),
        ("media_post", (b"%PDF-1.7",), {"mime_type": "image/jpeg"}, Rejected),
        ("status_update", (theirs.id, "y"), {}, Gone),
        ("status_delete", (theirs.id,), {}, Gone),
    ]
    for name, args, kwargs, error in cases:
        with pytest.raises(error):
            await client.call(name, *args, write=True, **kwargs)
    await client.close()
    reader = client_of(server, sessions, token=server.world.add_token(server.asso, "read"))
    with pytest.raises(AuthExpired):
        await reader.call("status_post", "x", write=True)
    await reader.close()
    assert list(server.world.statuses.values()) == [theirs]

"""What the Mastodon publisher posts, edits and deletes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.mastodon.publisher import MastodonPublisher
from syndicator.errors import OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt
from syndicator.sandbox.mastodon_write import WRITING
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, make_rendition
from tests.mastodon_scene import Server, film, opened, picture
from tests.media_scene import MP4, Files, photo


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
    upload, post = (request for request in server.requests if request.method == "POST")
    assert b"0.5,-0.25" in upload.body
    assert b"content_type=text%2Fplain" in post.body


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


async def test_what_was_uploaded_before_a_failure_is_not_uploaded_again(publisher: MastodonPublisher, server: Server, files: Files) -> None:
    """The second picture's origin was down: the second attempt uploads that one alone."""
    files.files["deux.jpg"] = photo(50, 50)
    rendition = make_rendition(attachments=(picture(files), Attachment(url=f"{files.url}/deux.jpg")))
    files.fault(Fault(action="answer", path="deux"))
    with pytest.raises(Transient):
        await publisher.prepare(rendition, "key-1")
    prepared = await publisher.prepare(rendition, "key-1")
    receipt = await publisher.publish(rendition, "key-1", prepared=prepared)

    assert server.world.statuses[receipt.remote_id].media_ids == list(server.world.media)
    assert len(server.world.media) == 2


async def test_a_video_uploaded_again_is_waited_for_once(publisher: MastodonPublisher, server: Server, files: Files) -> None:
    """The server dropped it, gets it anew, works on it, and the next attempt uses that one."""
    rendition = make_rendition(attachments=(film(files),))
    prepared = await publisher.prepare(rendition, "key-1")
    server.world.media.clear()
    with pytest.raises(Transient):
        await publisher.publish(rendition, "key-1", prepared=prepared)
    receipt = await publisher.publish(rendition, "key-1", prepared=prepared)

    assert server.world.statuses[receipt.remote_id].media_ids == list(server.world.media)
    assert len(server.world.media) == 1


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
        await publisher.update(receipt, make_rendition(text="Corrigé", sensitive=True, attachments=(picture(files),)))
        await publisher.close()
        assert [(status.source_text, len(status.media_ids)) for status in server.world.statuses.values()] == [("Corrigé", 1)]

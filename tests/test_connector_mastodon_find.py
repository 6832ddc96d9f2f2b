"""Did it go out? The Mastodon publisher looks on the account's own timeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.mastodon.publisher import MastodonPublisher
from syndicator.errors import OutcomeUnknown, Transient
from syndicator.http import Sessions
from syndicator.model import Receipt
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, make_rendition
from tests.mastodon_scene import Server, opened, picture
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
async def test_what_looks_alike_is_not_ours(publisher: MastodonPublisher, server: Server, change: dict[str, Any]) -> None:
    """Another hour, another mark, a warning, a part of a thread: not the same post; a person may have written it."""
    words = "Réunion à 18 h"
    server.world.post(server.asso, f"<p>{words}</p>", source_text=words)
    assert await publisher.find("key-1", replace(make_rendition(text=words), **change)) is None
    assert await publisher.find("key-1", make_rendition(text=words)) is not None


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


async def test_what_was_there_before_is_not_ours(publisher: MastodonPublisher, server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """A person wrote the same words yesterday; our request was lost, and so was our process."""
    server.world.post(server.asso, "<p>Bonne année</p>", created_at=NOW - timedelta(days=1))
    rendition = make_rendition(text="Bonne année", published_at=NOW - timedelta(days=2))
    server.fault(Fault(action="drop", method="POST"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key-1")
    again = await opened(server, sessions, tmp_path)
    found = await again.find("key-1", rendition)
    await again.close()
    assert found is None


async def test_a_boost_is_not_ours(publisher: MastodonPublisher, server: Server) -> None:
    """Sharing somebody's words is not having said them."""
    other = server.world.add_account("voisine", domain="autre.example")
    server.world.boost(server.asso, server.world.post(other, "<p>Bonne année</p>"))
    assert await publisher.find("key-1", make_rendition(text="Bonne année")) is None


async def test_a_picture_without_text_is_told_apart_by_its_alt_text(
    publisher: MastodonPublisher, server: Server, files: Files, sessions: Sessions, tmp_path: Path
) -> None:
    """Two photo posts without a word are two posts, also when nothing is remembered of the first."""
    receipt = await publisher.publish(make_rendition(text="", attachments=(picture(files, "Un vélo"),)), "key-other")
    forgetful = await opened(server, sessions, tmp_path / "new")
    others = [
        make_rendition(text="", attachments=(picture(files, "Deux vélos"),)),
        make_rendition(text="", attachments=(picture(files, "Un vélo"), picture(files, "Un vélo"))),
        make_rendition(text=""),
    ]
    assert [await forgetful.find("key-1", other) for other in others] == [None, None, None]
    found = await forgetful.find("key-1", make_rendition(text="", attachments=(picture(files, "Un vélo"),)))
    await forgetful.close()
    assert found == receipt


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

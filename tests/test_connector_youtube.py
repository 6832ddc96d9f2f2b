"""The YouTube publisher: the contract, uploads in pieces that go on where they stopped, access that is renewed, quotas, and words."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

import pytest

from connectors.youtube import YoutubePublisher, uploads
from connectors.youtube.answers import midnight
from connectors.youtube.publisher import LIMITS, plain, tags_of
from syndicator.contract import Association, Context, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt, Rendition
from syndicator.render import render
from syndicator.route import Style
from syndicator.sandbox.server import Fault, Simulator
from syndicator.sandbox.youtube import CLIENT_ID, CLIENT_SECRET, PIECE, REFRESH_TOKEN, YoutubeSimulator, refused
from syndicator.sandbox.youtube_spec import spec, written
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_post, make_rendition
from tests.clock import Clock
from tests.media_scene import Files, box, film
from tests.meta_scene import AsTheCore, told

UPLOAD = "/upload/youtube/v3/videos"
AT_ONCE = uploads.CHUNK_BYTES
"""Before the tests make it small."""
FILM = film(90_000) + box(b"free", bytes(range(256)) * 2800)
"""Ninety seconds, in three pieces of 256 KiB, of which the last is not full."""
MIDNIGHT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
"""In California, which is eight hours behind in winter."""


def answer(status: int, body: bytes, *, method: str = "PUT", path: str = UPLOAD, kind: str = "application/json", **headers: str) -> Fault:
    return Fault(action="answer", method=method, path=path, status=status, body=body, headers={"Content-Type": kind, **headers}, times=9)


class Filmed(AsTheCore):
    """As the core uses it, with a film for what has none."""

    publisher = YoutubePublisher


class TestYoutube(PublisherContract):
    """On the association's channel. The session is asked first; its faults strike the piece that makes the video."""

    connector = Filmed
    path = UPLOAD
    method = "PUT"
    dialect = (
        ("the quota of a day", answer(403, refused(403, "quotaExceeded"), method="POST"), RateLimited),
        ("the channel's own limit", answer(400, refused(400, "uploadLimitExceeded"), method="POST"), RateLimited),
        ("too fast", answer(403, refused(403, "rateLimitExceeded"), method="POST"), RateLimited),
        ("a right that is missing", answer(403, refused(403, "insufficientPermissions"), method="POST"), AuthExpired),
        ("no channel", answer(401, refused(401, "youtubeSignupRequired"), method="POST"), AuthExpired),
        ("a project without the API", answer(403, refused(403, "accessNotConfigured"), method="POST"), AuthExpired),
        ("access that nothing renews", answer(401, refused(401, "authError"), method="POST"), AuthExpired),
        ("a title", answer(400, refused(400, "invalidTitle"), method="POST"), Rejected),
        ("tags", answer(400, refused(400, "invalidTags"), method="POST"), Rejected),
        ("an error of its own", answer(500, refused(500, "backendError"), method="POST"), Transient),
        ("a page of a proxy", answer(502, HTML_ERROR, method="POST", kind="text/html"), Transient),
        ("a begin without an address", answer(200, b"{}", method="POST"), Transient),
        ("a session that is no more", answer(404, b"Not Found"), Unprepared),
        ("a session that is gone", answer(410, b"Gone"), Unprepared),
        ("an outage when asked", answer(503, b""), Transient),
        ("an outage in the last piece", replace(answer(503, b"", **{"Retry-After": "60"}), skip=1), RateLimited),
        ("a failure in the last piece", replace(answer(500, refused(500, "backendError")), skip=1), OutcomeUnknown),
        ("an answer without a video", replace(answer(200, b"{}"), skip=1), OutcomeUnknown),
        ("a revoked token", answer(400, b'{"error": "invalid_grant"}', method="POST", path="/token"), AuthExpired),
    )

    async def start(self) -> Simulator:
        return await YoutubeSimulator(now=lambda: NOW).start()

    @pytest.fixture
    async def context(self, tmp_path: Path) -> AsyncIterator[Context]:
        sessions = Sessions()
        async with Files() as files:
            files.files["film.mp4"] = film(90_000)
            Filmed.picture = Attachment(url=f"{files.url}/film.mp4", type="video")
            yield make_context(tmp_path, sessions)
        await sessions.close()

    @pytest.fixture
    async def publisher(self, simulator: Simulator, context: Context) -> AsyncIterator[Any]:
        """As in the suite; what is asked before the last piece is let through, and access is asked for anew where that is to fail."""
        publisher = self.connector(self.options(simulator), context)
        await publisher.open()
        simulator.fault = _striking(simulator, publisher)  # type: ignore[method-assign]
        yield publisher
        await publisher.close()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, YoutubeSimulator)
        return [video.snippet["description"] for video in simulator.channel.shown]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, YoutubeSimulator)
        simulator.channel.refresh_token = "another"
        simulator.access.clear()


def _striking(simulator: Simulator, publisher: Any) -> Any:
    """Faults of the suite strike the first PUT: here that only asks how far the upload is, the second one makes the video."""

    def fault(one: Fault) -> None:
        if one.path == "/token":
            publisher._client.let_go()
        lasting = one.times > 1 or one.method != "PUT"
        simulator.faults.append(one if lasting else replace(one, skip=1))

    return fault


def options_for(server: Simulator, **changes: Any) -> Any:
    given = {"client_id": CLIENT_ID, "client_secret": Secret(CLIENT_SECRET), "refresh_token": Secret(REFRESH_TOKEN)}
    return YoutubePublisher.Options(**{**given, "api": server.url, "oauth": server.url, **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[YoutubeSimulator]:
    async with YoutubeSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with Files() as files:
        files.files |= {"film.mp4": FILM, "page.mp4": b"<html>not found</html>"}
        yield files


@pytest.fixture
async def context(tmp_path: Path, clock: Clock) -> AsyncIterator[Context]:
    sessions = Sessions()
    yield make_context(tmp_path, sessions, now=clock, association=Association(name="Les Amis du Vélo"))
    await sessions.close()


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "CHUNK_BYTES", PIECE)


@pytest.fixture
async def publisher(server: YoutubeSimulator, context: Context) -> YoutubePublisher:
    publisher = YoutubePublisher(options_for(server), context)
    await publisher.open()
    return publisher


def filmed(files: Files, name: str = "film.mp4", **changes: Any) -> Rendition:
    video = Attachment(url=f"{files.url}/{name}", type="video", media_type="video/mp4", duration_s=90)
    return make_rendition(**{"title": "Ma vidéo", "attachments": (video,), **changes})


def ranges(server: YoutubeSimulator) -> list[str]:
    return [
        seen.headers["Content-Range"].removeprefix("bytes ") for seen in server.requests if seen.method == "PUT" and seen.path == UPLOAD
    ]


async def test_a_video_arrives_whole(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files) -> None:
    """In pieces, with its words, marked as the configuration says; and the disk gets its room back."""
    rendition = filmed(
        files, text="Une vidéo de l'atelier\n\nhttps://video.example/w/abc", tags=("vélo", "fête de la musique"), language="fr"
    )
    receipt = await publisher.publish(rendition, "key", prepared=await publisher.prepare(rendition, "key"))

    [video] = server.channel.shown
    assert video.data == FILM
    assert receipt == Receipt(remote_id=video.id, url=f"https://www.youtube.com/watch?v={video.id}")
    assert video.snippet == {
        "title": "Ma vidéo",
        "description": "Une vidéo de l'atelier\n\nhttps://video.example/w/abc",
        "tags": ["vélo", "fête de la musique"],
        "categoryId": "29",
        "defaultLanguage": "fr",
        "defaultAudioLanguage": "fr",
    }
    assert {"privacyStatus": "public", "selfDeclaredMadeForKids": False, "license": "youtube"}.items() <= video.status.items()
    size = len(FILM)
    assert ranges(server) == [f"*/{size}", f"0-{PIECE - 1}/{size}", f"{PIECE}-{2 * PIECE - 1}/{size}", f"{2 * PIECE}-{size - 1}/{size}"]
    assert list((publisher._context.state_dir / "media" / "videos").iterdir()) == []
    assert publisher.account == f"https://www.youtube.com/channel/{server.channel.id}"


async def test_the_options_reach_the_video(server: YoutubeSimulator, context: Context, files: Files) -> None:
    """Who may see it, for whom, under which terms, in which category, and whether anybody is told."""
    changes = {"privacy": "unlisted", "made_for_kids": True, "license": "creativeCommon", "category": "27", "notify_subscribers": False}
    publisher = YoutubePublisher(options_for(server, **changes), context)
    await publisher.publish(filmed(files, title=""), "key")

    [video] = server.channel.shown
    expected = {"privacyStatus": "unlisted", "selfDeclaredMadeForKids": True, "license": "creativeCommon", "uploadStatus": "uploaded"}
    assert expected.items() <= video.status.items()
    assert (video.snippet["categoryId"], video.snippet["title"]) == ("27", "Les Amis du Vélo")
    [begun] = [seen for seen in server.requests if seen.method == "POST" and seen.path == UPLOAD]
    assert begun.query == {"uploadType": "resumable", "part": "snippet,status", "notifySubscribers": "false"}


@pytest.mark.parametrize("action", ["drop", "lose", "truncate"])
@pytest.mark.parametrize("piece", [0, 1])
async def test_an_upload_goes_on_where_it_stopped(
    publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, action: Any, piece: int
) -> None:
    """Whatever happens between two pieces, nothing is out; the next attempt asks first, and sends only what is missing."""
    rendition = filmed(files)
    prepared = await publisher.prepare(rendition, "key")
    server.fault(Fault(action=action, method="PUT", path=UPLOAD, skip=1 + piece))
    with pytest.raises(Transient):
        await publisher.publish(rendition, "key", prepared=prepared)
    assert await publisher.find("key", rendition, prepared=prepared) is None
    before = len(ranges(server))
    await publisher.publish(rendition, "key", prepared=prepared)

    assert [video.data for video in server.channel.shown] == [FILM]
    start = (piece + (action != "drop")) * PIECE
    assert ranges(server)[before + 1].startswith(f"{start}-")
    assert len(files.requests) == 1


async def test_a_daemon_that_was_killed_goes_on(server: YoutubeSimulator, context: Context, files: Files) -> None:
    """Another process has the prepared session and the folder, and nothing else; the file is fetched again where it is gone."""
    rendition = filmed(files)
    prepared = await YoutubePublisher(options_for(server), context).prepare(rendition, "key")
    server.fault(Fault(action="drop", method="PUT", path=UPLOAD, skip=2))
    with pytest.raises(Transient):
        await YoutubePublisher(options_for(server), context).publish(rendition, "key", prepared=prepared)
    for left in (context.state_dir / "media" / "videos").iterdir():
        left.unlink()
    await YoutubePublisher(options_for(server), context).publish(rendition, "key", prepared=prepared)

    assert [video.data for video in server.channel.shown] == [FILM]
    assert len(files.requests) == 2


async def test_what_arrived_is_what_youtube_says(
    publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, monkeypatch: Any
) -> None:
    """It may keep less of a piece than was sent; an upload that does not advance is tried again later."""
    monkeypatch.setattr(uploads, "CHUNK_BYTES", 2 * PIECE)
    server.takes = PIECE
    await publisher.publish(filmed(files), "key")
    assert [video.data for video in server.channel.shown] == [FILM]
    assert [said.partition("-")[0] for said in ranges(server)[1:]] == ["0", f"{PIECE}", f"{2 * PIECE}"]

    server.takes = 0
    with pytest.raises(Transient):
        await publisher.publish(filmed(files), "key-2")


async def test_the_session_tells_what_went_out(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, clock: Clock) -> None:
    """The answer to the last piece was lost: asking again is enough, for a week; nothing is sent twice."""
    rendition = filmed(files)
    prepared = await publisher.prepare(rendition, "key")
    server.fault(Fault(action="lose", method="PUT", path=UPLOAD, skip=3))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    clock.forward(days=6)
    found = await publisher.find("key", rendition, prepared=prepared)
    again = await publisher.publish(rendition, "key", prepared=prepared)

    [video] = server.channel.shown
    assert found == again == Receipt(remote_id=video.id, url=f"https://www.youtube.com/watch?v={video.id}")


async def test_after_a_week_the_channel_tells(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, clock: Clock) -> None:
    """A video of the same words, and not one that was there before the upload was begun."""
    rendition = filmed(files)
    await publisher.publish(rendition, "key-before")
    clock.forward(hours=1)
    prepared = await publisher.prepare(rendition, "key")
    clock.forward(days=8)
    assert await publisher.find("key", rendition, prepared=prepared) is None
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)

    prepared = await publisher.prepare(rendition, "key")
    made = await publisher.publish(rendition, "key", prepared=prepared)
    clock.forward(days=8)
    assert await publisher.find("key", rendition, prepared=prepared) == made


async def test_what_was_never_begun_is_not_found(publisher: YoutubePublisher, server: YoutubeSimulator) -> None:
    """Without a session nothing can be out."""
    before = len(server.requests)

    assert await publisher.find("key", make_rendition()) is None
    assert len(server.requests) == before


async def test_another_file_is_another_upload(
    publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, context: Context
) -> None:
    """The origin replaced the file between two attempts: pieces of two films are never put together."""
    rendition = filmed(files)
    prepared = await publisher.prepare(rendition, "key")
    for left in (context.state_dir / "media" / "videos").iterdir():
        left.unlink()
    files.files["film.mp4"] = film(60_000)
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)

    assert server.channel.shown == []


@pytest.mark.parametrize("rendition", [
    make_rendition(), make_rendition(attachments=(Attachment(url="https://video.example/1.jpg"),)),
])  # fmt: skip
async def test_without_a_file_a_person_is_told(publisher: YoutubePublisher, server: YoutubeSimulator, rendition: Rendition) -> None:
    """Before anything is asked of YouTube, with what to do."""
    before = len(server.requests)
    with pytest.raises(Rejected) as caught:
        await publisher.prepare(rendition, "key")

    assert "téléchargement" in (caught.value.hint or {})["fr"]
    assert len(server.requests) == before


async def test_a_file_that_is_no_video_is_refused(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files) -> None:
    """Whatever its name says; one that cannot be had now is waited for."""
    with pytest.raises(Rejected):
        await publisher.prepare(filmed(files, "page.mp4"), "key")
    files.fault(Fault(action="answer", status=503))
    with pytest.raises(Transient):
        await publisher.prepare(filmed(files), "key")

    assert [seen for seen in server.requests if seen.path == UPLOAD] == []


async def test_the_core_leaves_the_file_to_the_upload(publisher: YoutubePublisher, files: Files) -> None:
    """Large files have more time than pictures: gathering fetches nothing."""
    rendition = filmed(files)
    await publisher.gather(rendition.attachments[0], rendition)

    assert files.requests == []


async def test_access_is_renewed(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, clock: Clock) -> None:
    """Before it ends; and once more, where Google forgot it before its time, even in the middle of an upload."""
    rendition = filmed(files)
    clock.forward(hours=2)
    prepared = await publisher.prepare(rendition, "key")
    server.fault(replace(answer(401, refused(401, "authError")), times=1, skip=2))
    receipt = await publisher.publish(rendition, "key", prepared=prepared)
    server.access.clear()
    await publisher.update(receipt, rendition)

    assert sum(seen.path == "/token" for seen in server.requests) == 4
    assert [video.data for video in server.channel.shown] == [FILM]


async def test_the_end_of_access_is_known_where_google_says_it(server: YoutubeSimulator, context: Context, clock: Clock) -> None:
    """A consent screen left in "Testing" ends it after seven days."""
    publisher = YoutubePublisher(options_for(server), context)
    await publisher.open()
    assert publisher.expires_at is None
    server.channel.refresh_ends_in = 7 * 86_400
    await publisher.open()

    assert publisher.expires_at == clock() + timedelta(days=7)


@pytest.mark.parametrize(("fault", "expected", "hint"), [
    (answer(400, b'{"error": "invalid_grant"}', method="POST", path="/token"), AuthExpired, "refresh_token"),
    (answer(401, b'{"error": "invalid_client"}', method="POST", path="/token"), AuthExpired, "client_id"),
    (answer(403, b'{"error": "access_denied"}', method="POST", path="/token"), AuthExpired, "refresh_token"),
    (answer(404, HTML_ERROR, method="POST", path="/token"), Transient, ""),
    (answer(500, b"", method="POST", path="/token"), Transient, ""),
    (answer(200, b"{}", method="POST", path="/token"), Transient, ""),
    (Fault(action="lose", path="/token", times=9), Transient, ""),
    (answer(200, b'{"items": []}', method="GET", path="/channels"), AuthExpired, "chaîne"),
    (answer(403, refused(403, "accessNotConfigured"), method="GET", path="/channels"), AuthExpired, "YouTube Data API"),
    (answer(200, HTML_ERROR, method="GET", path="/channels"), Transient, ""),
    (answer(429, b"", method="GET", path="/channels"), RateLimited, ""),
])  # fmt: skip
async def test_opening_says_what_is_wrong(
    publisher: YoutubePublisher, server: YoutubeSimulator, fault: Fault, expected: type[ConnectorError], hint: str
) -> None:
    """With the access, the client or the channel; an outage is none of these."""
    server.fault(fault)
    with pytest.raises(ConnectorError) as caught:
        await publisher.open()

    assert type(caught.value) is expected
    assert hint in (caught.value.hint or {"fr": ""})["fr"]


async def test_a_scope_that_is_missing_is_said(publisher: YoutubePublisher, server: YoutubeSimulator) -> None:
    """``youtube.upload`` alone neither corrects nor deletes."""
    server.channel.scopes = ("https://www.googleapis.com/auth/youtube.upload",)
    with pytest.raises(AuthExpired) as caught:
        await publisher.open()

    assert "youtube.force-ssl" in (caught.value.hint or {})["fr"]


async def test_a_quota_waits_for_midnight_in_california(
    publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, clock: Clock
) -> None:
    """The hundred and first video of a day; and the units of everything else."""
    server._used["uploads 2026-11-21"] = 100
    with pytest.raises(RateLimited) as uploads_of_the_day:
        await publisher.prepare(filmed(files), "key")
    server._used["units 2026-11-21"] = 9_990
    with pytest.raises(RateLimited) as units:
        await publisher.delete(Receipt(remote_id="x"))
    assert [error.value.at for error in (uploads_of_the_day, units)] == [MIDNIGHT, MIDNIGHT]

    clock.at = MIDNIGHT
    assert await publisher.prepare(filmed(files), "key")


@pytest.mark.parametrize(("now", "expected"), [
    (datetime(2026, 3, 8, 9, 0, tzinfo=UTC), datetime(2026, 3, 9, 7, 0, tzinfo=UTC)),
    (datetime(2026, 11, 1, 6, 59, tzinfo=UTC), datetime(2026, 11, 1, 7, 0, tzinfo=UTC)),
    (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), datetime(2026, 11, 2, 8, 0, tzinfo=UTC)),
])  # fmt: skip
def test_midnight_knows_summer_time(now: datetime, expected: datetime) -> None:
    """On the days when the clocks change, too."""
    assert midnight(now) == expected


async def test_a_correction_changes_words_and_nothing_else(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files) -> None:
    """The whole snippet is sent, since what is left out would be lost; who may see it stays as somebody may have set it."""
    receipt = await publisher.publish(filmed(files, tags=("vélo",), language="fr"), "key")
    [video] = server.channel.shown
    video.status["privacyStatus"] = "unlisted"
    after = filmed(files, title="Un autre titre", text="Autre texte", tags=("atelier",), language="fr")
    assert await publisher.update(receipt, after) == receipt

    assert video.snippet == {
        "title": "Un autre titre", "description": "Autre texte", "tags": ["atelier"], "categoryId": "29",
        "defaultLanguage": "fr", "defaultAudioLanguage": "fr",
    }  # fmt: skip
    assert video.status["privacyStatus"] == "unlisted"


async def test_a_video_removed_there_is_gone(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files) -> None:
    """By its reason: another 404 is none."""
    receipt = await publisher.publish(filmed(files), "key")
    server.channel.videos.clear()
    for attempt in (publisher.update(receipt, filmed(files)), publisher.delete(receipt)):
        with pytest.raises(Gone):
            await attempt
    server.fault(answer(404, HTML_ERROR, method="DELETE", path="/videos", kind="text/html"))
    with pytest.raises(Rejected):
        await publisher.delete(receipt)


async def test_a_project_without_an_audit_is_noticed(
    publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """The video is there, and private: the log says so."""
    server.channel.audited = False
    with caplog.at_level(logging.WARNING):
        await publisher.publish(filmed(files), "key")

    assert server.channel.shown[0].status["privacyStatus"] == "private"
    assert "audit" in caplog.text


async def test_a_video_post_becomes_an_upload(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files) -> None:
    """As the core renders it: signs that YouTube refuses are replaced, the way home stays."""
    [video] = filmed(files).attachments
    tags = tuple(f"mot {number}" for number in range(100))
    post = make_post(
        kind="video", title="<3 & vélo", html="<p>1 &lt; 2 &gt; 0</p>", url="https://video.example/w/abc", attachments=(video,), tags=tags
    )
    [rendition] = render(post, publisher.limits, Style(), association=Association(name="A"))
    await publisher.publish(rendition, "key")

    [made] = server.channel.shown
    assert made.snippet["title"] == "‹3 & vélo"
    assert made.snippet["description"] == "1 ‹ 2 › 0\n\n#Mot0 #Mot1 #Mot2 #Mot3\n\nhttps://video.example/w/abc"
    assert len(made.snippet["tags"]) == 56


def test_signs_that_are_refused_take_no_room() -> None:
    """Where quotes of three bytes do not fit, brackets do."""
    assert plain("<" * 5000) == "(" * 5000
    assert plain("<b>") == "‹b›"


def test_tags_fit() -> None:
    """Five hundred characters with commas and quotes; each once, without the signs that end one."""
    assert tags_of(("vélo", 'a"b,c', "vélo", "  ", "<x>")) == ["vélo", "a b c", "x"]
    assert [len(tag) for tag in tags_of(("a" * 249, "b" * 250, "c"))] == [249, 250]
    assert tags_of(("a" * 249, "b" * 251, "c")) == ["a" * 249, "c"]


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_is_not_public_is_refused(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, visibility: Any) -> None:
    """Before anything is asked."""
    rendition, before = filmed(files, visibility=visibility), len(server.requests)
    attempts = (publisher.prepare(rendition, "k"), publisher.publish(rendition, "k"), publisher.update(Receipt(remote_id="x"), rendition))
    for attempt in attempts:
        with pytest.raises(Rejected):
            await attempt

    assert len(server.requests) == before


@pytest.mark.parametrize("changes", [{"category": "Éducation"}, {"category": ""}, {"client_id": " "}])
def test_what_is_no_option(changes: dict[str, str]) -> None:
    """Said when the configuration is read, in both languages."""
    given = {"client_id": CLIENT_ID, "client_secret": Secret("s"), "refresh_token": Secret("r")}
    with pytest.raises(ValueError, match=r"category|client_id") as caught:
        YoutubePublisher.Options(**{**given, **changes})

    assert set(caught.value.args[0]) >= {"fr", "en"}


async def test_secrets_never_show(
    publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the tokens nor the session's address, which is as good as one: not in errors, logs or receipts."""
    rendition = filmed(files)
    prepared = await publisher.prepare(rendition, "key")
    secrets = [CLIENT_SECRET, REFRESH_TOKEN, *server.access, json.loads(prepared)["uri"], next(iter(server.uploads))]
    shown = []
    for fault in (
        Fault(action="drop", method="PUT", times=9), Fault(action="truncate", method="PUT", times=9), answer(404, b"Not Found"),
        answer(500, refused(500, "backendError")), answer(200, b" " * 5_000_001), answer(400, b"{}"),
    ):  # fmt: skip
        server.faults = [fault]
        with caplog.at_level(logging.DEBUG), pytest.raises(ConnectorError) as caught:
            await publisher.publish(rendition, "key", prepared=prepared)
        shown.append(told(caught.value, publisher, publisher._options))
    server.faults = []
    shown.append(repr(await publisher.publish(rendition, "key", prepared=prepared)))

    assert [secret for secret in secrets if secret in " ".join([*shown, caplog.text])] == []


async def test_no_token_for_strangers(publisher: YoutubePublisher, server: YoutubeSimulator, files: Files, context: Context) -> None:
    """A session's address at somebody else's host gets the bytes that it is for, and nothing that opens the channel."""
    session = uploads.Session(uri=f"http://localhost:{files.url.rpartition(':')[2]}/film.mp4", size_bytes=1, sha256="", at=NOW)
    with pytest.raises(ConnectorError):
        await uploads.ask(publisher._client, session, NOW)

    assert [seen.headers.get("Authorization") for seen in files.requests] == [None]


def test_the_specification_is_reduced_to_what_is_asked() -> None:
    """It says where it is from, is written as the reduction writes it, and one scope is enough for every call."""
    assert set(spec()["provenance"]) == {"what", "from", "licence", "reduced"}
    assert written(spec()) == files_of("syndicator.sandbox").joinpath("data/youtube-discovery.json").read_text("utf-8")
    assert all("https://www.googleapis.com/auth/youtube.force-ssl" in call["scopes"] for call in spec()["calls"].values())
    assert AT_ONCE % PIECE == 0
    assert LIMITS.kinds == {"video"}

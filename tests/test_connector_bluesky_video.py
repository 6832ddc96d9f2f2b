"""Videos on Bluesky: sent to the service that makes them fit to be played, waited for, and left at home when that never will be."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.bluesky import BlueskyPublisher
from connectors.bluesky.videos import TRIES
from syndicator.config import Config, DestinationConfig, Network
from syndicator.contract import Secret
from syndicator.errors import NotReady, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Attachment, Rendition
from syndicator.route import Pace
from syndicator.sandbox.server import Fault
from syndicator.testing import HTML_ERROR, NOW, make_rendition
from tests.bluesky_scene import PUT, Server, given_quick, opened, options_for  # noqa: F401 - a fixture
from tests.engine_scene import Scene, World, configuration, post, published, route, source, stage
from tests.media_scene import MP4, Files, photo

SEND, ASK = "app.bsky.video.uploadVideo", "app.bsky.video.getJobStatus"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with Files() as files:
        files.files |= {"film.mp4": MP4, "film.jpg": photo()}
        yield files


@pytest.fixture
async def publisher(server: Server, sessions: Sessions, tmp_path: Path) -> AsyncIterator[BlueskyPublisher]:
    publisher = await opened(server, sessions, tmp_path, video=server.url)
    yield publisher
    await publisher.close()


def film(files: Files, **changes: Any) -> Attachment:
    about = {"url": f"{files.url}/film.mp4", "type": "video", "description": "Une balade", "width": 1280, "height": 720}
    return Attachment(**{**about, "preview_url": f"{files.url}/film.jpg", **changes})


def posted(files: Files, **changes: Any) -> Rendition:
    return make_rendition(text="Le film", attachments=(film(files, **changes),))


async def test_a_video_is_prepared_waited_for_and_posted(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """Uploaded once; while the service works the post waits, without a second upload, and then holds what the service made."""
    rendition = posted(files)
    prepared = await publisher.prepare(rendition, "key-1")
    for _ in range(3):
        with pytest.raises(Transient, match="still at work"):
            await publisher.publish(rendition, "key-1", prepared=prepared)
        server.clock.forward(seconds=5)
    assert server.records == []
    server.clock.forward(seconds=10)
    receipt = await publisher.publish(rendition, "key-1", prepared=prepared)

    (blob,) = server.asso.repository.blobs.values()
    assert server.records[0]["embed"] == {
        "$type": "app.bsky.embed.video",
        "alt": "Une balade",
        "aspectRatio": {"width": 1280, "height": 720},
        "video": {**blob.reference(), "mimeType": "video/mp4"},
    }
    assert (blob.data, len(server.asked(SEND)), len(server.asked(PUT))) == (MP4, 1, 1)
    assert receipt == await publisher.find("key-1", rendition)


async def test_the_service_gets_a_pass_and_no_token(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """Made for the account's own server, for half an hour, for nothing but leaving a blob there."""
    await publisher.prepare(posted(files), "key-1")
    (asked,), (sent,) = server.asked("com.atproto.server.getServiceAuth"), server.asked(SEND)
    until = str(int(NOW.timestamp()) + 1800)
    assert asked.query == {"aud": server.did, "lxm": "com.atproto.repo.uploadBlob", "exp": until}
    assert sent.query["did"] == server.asso.did
    assert sent.headers["Content-Length"] == str(len(MP4))
    assert sent.headers["Authorization"] != asked.headers["Authorization"]


async def test_no_video_file_stays_behind(publisher: BlueskyPublisher, files: Files, tmp_path: Path) -> None:
    """On disk while it is sent, and gone after that."""
    await publisher.gather(film(files), posted(files))
    kept = list(tmp_path.rglob("videos/*"))
    await publisher.prepare(posted(files), "key-1")
    assert (len(kept), list(tmp_path.rglob("videos/*"))) == (1, [])
    assert [seen.path for seen in files.requests] == ["/film.mp4"]


async def test_a_silent_clip_is_shown_as_one(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """Mastodon's ``gifv`` is a GIF in all but its file; a shape that is not known is not invented."""
    rendition = posted(files, type="gifv", description="", width=None)
    prepared = await publisher.prepare(rendition, "key-1")
    server.clock.forward(minutes=1)
    await publisher.publish(rendition, "key-1", prepared=prepared)
    embed = server.records[0]["embed"]
    assert {name: value for name, value in embed.items() if name != "video"} == {"$type": "app.bsky.embed.video", "presentation": "gif"}


async def test_the_same_video_again_is_known(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """An upload whose answer was lost, or a post deleted and written again: the service says that it has it, with a 409."""
    server.fault(Fault(action="lose", path=SEND))
    with pytest.raises(Transient):
        await publisher.prepare(posted(files), "key-1")
    server.clock.forward(minutes=1)
    prepared = await publisher.prepare(posted(files), "key-1")
    await publisher.publish(posted(files), "key-1", prepared=prepared)
    assert (len(server.asked(SEND)), len(server.videos.jobs), len(server.records)) == (2, 1, 1)


async def without_video(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """The core asks for the media anew, and is told that there is no video; a caller that goes on gets the picture."""
    with pytest.raises(Rejected):
        await publisher.gather(film(files), posted(files))
    await publisher.publish(posted(files), "key-1")
    assert [one["alt"] for one in server.records[0]["embed"]["images"]] == ["Une balade"]


@pytest.mark.parametrize("code", ["validation_failure", "encoding_failure", "pds_upload_unsupported_blob_size"])
async def test_a_video_that_never_will_do_is_left_at_home(publisher: BlueskyPublisher, server: Server, files: Files, code: str) -> None:
    """Once is enough; the post is made anew, with the picture and the way home. Another video is not concerned."""
    server.videos.failure = code
    prepared = await publisher.prepare(posted(files), "key-1")
    server.clock.forward(minutes=1)
    with pytest.raises(Unprepared, match=code):
        await publisher.publish(posted(files), "key-1", prepared=prepared)
    await without_video(publisher, server, files)
    files.files["autre.mp4"] = MP4
    await publisher.gather(film(files, url=f"{files.url}/autre.mp4"), posted(files))


async def test_a_failure_that_may_pass_is_tried_again(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """Uploaded anew each time, and given up after the third."""
    server.videos.failure = "generic_failure"
    for number in range(TRIES):
        await publisher.gather(film(files), posted(files))
        prepared = await publisher.prepare(posted(files), "key-1")
        server.clock.forward(minutes=1)
        with pytest.raises(Unprepared):
            await publisher.publish(posted(files), "key-1", prepared=prepared)
        assert len(server.asked(SEND)) == number + 1
    await without_video(publisher, server, files)


async def test_a_failure_is_known_after_a_restart(server: Server, sessions: Sessions, files: Files, tmp_path: Path) -> None:
    """What is known of a video survives; a damaged file is as none."""
    server.videos.failure = "encoding_failure"
    publisher = await opened(server, sessions, tmp_path, video=server.url)
    prepared = await publisher.prepare(posted(files), "key-1")
    server.clock.forward(minutes=1)
    with pytest.raises(Unprepared):
        await publisher.publish(posted(files), "key-1", prepared=prepared)
    again = await opened(server, sessions, tmp_path, video=server.url)
    with pytest.raises(Rejected):
        await again.gather(film(files), posted(files))
    for damage in (b"", b"[]", b'{"a": "b"}', b"\xff"):
        next(tmp_path.rglob("videos.json")).write_bytes(damage)
        await again.gather(film(files), posted(files))


@pytest.mark.parametrize("said", ["email", "size", "page"])
async def test_an_upload_that_is_refused_leaves_the_video_at_home(
    publisher: BlueskyPublisher, server: Server, files: Files, said: str
) -> None:
    """An account without a confirmed address, a file too large, a page instead of an answer: the post does not wait for it."""
    server.videos.unconfirmed = said == "email"
    too_large = json.dumps({"error": "InvalidRequest", "message": "file size (300000001 bytes) is larger than"}).encode()
    body = {"size": too_large, "page": HTML_ERROR}.get(said)
    if body:
        server.fault(Fault(action="answer", status=400, body=body, path=SEND))
    with pytest.raises(Unprepared):
        await publisher.prepare(posted(files), "key-1")
    await without_video(publisher, server, files)


async def test_a_pass_that_is_not_given_costs_the_video_alone(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """A clock that is wrong: refused for good, and still the text goes in the end, with the picture."""
    for _ in range(TRIES):
        server.fault(Fault(action="answer", status=400, body=b'{"error":"BadExpiration","message":"x"}', path="getServiceAuth"))
        with pytest.raises(Unprepared, match="BadExpiration"):
            await publisher.prepare(posted(files), "key-1")
    await without_video(publisher, server, files)


@pytest.mark.parametrize("fault", [
    Fault(action="answer", status=503, body=HTML_ERROR, path=SEND), Fault(action="answer", status=429, body=b"{}", path=SEND),
    Fault(action="drop", path=SEND), Fault(action="answer", status=200, body=b"[]", path=SEND),
    Fault(action="answer", status=200, body=b"{}", path="getServiceAuth"), Fault(action="answer", status=502, path="describeServer"),
])  # fmt: skip
async def test_an_outage_of_the_service_is_waited_for(publisher: BlueskyPublisher, server: Server, files: Files, fault: Fault) -> None:
    """It says nothing of the video, nor of the account."""
    server.fault(fault)
    with pytest.raises(Transient) as caught:
        await publisher.prepare(posted(files), "key-1")
    assert type(caught.value) is Transient
    assert json.loads(await publisher.prepare(posted(files), "key-1"))["job"]


@pytest.mark.parametrize(("fault", "kind"), [
    (Fault(action="answer", status=503, path=ASK), Transient), (Fault(action="answer", status=200, body=b"[]", path=ASK), NotReady),
    (Fault(action="answer", status=404, body=b"{}", path=ASK), Unprepared),
    (Fault(action="answer", status=200, body=b'{"jobStatus":{"state":"JOB_STATE_COMPLETED"}}', path=ASK), Unprepared),
])  # fmt: skip
async def test_an_answer_without_a_video_is_no_video(
    publisher: BlueskyPublisher, server: Server, files: Files, fault: Fault, kind: type[Transient]
) -> None:
    """Nothing is posted; what the service has lost is made anew."""
    prepared = await publisher.prepare(posted(files), "key-1")
    server.clock.forward(minutes=1)
    server.fault(fault)
    with pytest.raises(Transient) as caught:
        await publisher.publish(posted(files), "key-1", prepared=prepared)
    assert (type(caught.value), server.records) == (kind, [])


async def test_one_that_was_there_before_names_its_blob(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """Its status is a failure, ``already_exists``, and it can be posted all the same."""
    prepared = await publisher.prepare(posted(files), "key-1")
    server.clock.forward(minutes=1)
    blob = server.asso.repository.upload(MP4, "video/mp4", server.clock()).reference()
    status = {"jobStatus": {"jobId": "x", "state": "JOB_STATE_FAILED", "error": "already_exists", "blob": blob}}
    server.fault(Fault(action="answer", status=200, body=json.dumps(status).encode(), path=ASK))
    await publisher.publish(posted(files), "key-1", prepared=prepared)
    assert server.records[0]["embed"]["video"] == blob


async def test_a_blob_that_the_server_dropped_is_made_anew(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """A pause of hours between upload and post; should the service insist that it has it, the post goes without."""
    for _ in range(TRIES):
        prepared = await publisher.prepare(posted(files), "key-1")
        server.clock.forward(minutes=1)
        server.fault(Fault(action="answer", status=400, body=b'{"error":"BlobNotFound","message":"x"}', path=PUT))
        with pytest.raises(Unprepared):
            await publisher.publish(posted(files), "key-1", prepared=prepared)
    await without_video(publisher, server, files)


@pytest.mark.parametrize(("changes", "url"), [
    ({}, "https://video.bsky.app"), ({"pds": "https://morel.us-east.host.bsky.network"}, "https://video.bsky.app"),
    ({"pds": "https://pds.asso.example"}, None), ({"pds": "https://notbsky.social"}, None), ({"video": ""}, None),
    ({"pds": "https://pds.asso.example", "video": "video.asso.example"}, "https://video.asso.example"),
])  # fmt: skip
def test_whose_video_service(changes: dict[str, Any], url: str | None) -> None:
    """Bluesky's for Bluesky's accounts, another only when somebody says so."""
    options = BlueskyPublisher.Options(handle="asso.bsky.social", app_password=Secret("x"), **changes)
    assert options.video_url == url


async def test_without_a_service_a_video_is_its_picture(server: Server, sessions: Sessions, files: Files, tmp_path: Path) -> None:
    """The limits say so before a post is shaped; whoever does not look gets the picture."""
    publisher = await opened(server, sessions, tmp_path)
    await publisher.publish(posted(files), "key-1")
    assert (publisher.limits.media.videos_max, BlueskyPublisher.limits.media.videos_max) == (0, 1)
    assert [one["alt"] for one in server.records[0]["embed"]["images"]] == ["Une balade"]
    assert server.asked(SEND) == []


async def test_what_was_sent_to_a_service_that_is_configured_away(
    publisher: BlueskyPublisher, server: Server, sessions: Sessions, files: Files, tmp_path: Path
) -> None:
    """It is not waited for: the post is made anew."""
    prepared = await publisher.prepare(posted(files), "key-1")
    other = await opened(server, sessions, tmp_path)
    with pytest.raises(Unprepared):
        await other.publish(posted(files), "key-1", prepared=prepared)


@pytest.mark.parametrize("video", ["ftp://video.example", "https://", "https://user:pw@video.example"])
def test_what_is_no_server_is_no_option(video: str) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match=r"https://video\.bsky\.app") as caught:
        BlueskyPublisher.Options(handle="asso.bsky.social", app_password=Secret("x"), video=video)
    assert set(caught.value.args[0]) >= {"fr", "en"}


@pytest.mark.parametrize(("query", "status", "name"), [
    ({"aud": "did:web:a", "lxm": "com.atproto.repo.uploadBlob", "exp": "1"}, 400, "BadExpiration"),
    ({"aud": "did:web:a", "lxm": "com.atproto.repo.uploadBlob", "exp": str(int(NOW.timestamp()) + 3601)}, 400, "BadExpiration"),
    ({"aud": "did:web:a", "exp": str(int(NOW.timestamp()) + 61)}, 400, "BadExpiration"),
    ({"lxm": "com.atproto.repo.uploadBlob"}, 500, "InternalServerError"),
    ({"aud": "did:web:a", "lxm": "a b"}, 500, "InternalServerError"), ({"aud": "did:web:a", "exp": "soon"}, 500, "InternalServerError"),
])  # fmt: skip
async def test_the_simulator_signs_no_pass_that_the_server_would_not(
    publisher: BlueskyPublisher, server: Server, sessions: Sessions, query: dict[str, str], status: int, name: str
) -> None:
    """Too long, in the past, for nobody."""
    token = vars(publisher)["_client"].session.access
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{server.url}/xrpc/com.atproto.server.getServiceAuth"
    async with sessions.get(private=True, write=False).get(url, params=query, headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (status, name)


@pytest.mark.parametrize(
    "changes", [{"did": "did:plc:" + "b" * 24}, {"aud": "did:web:video.bsky.app"}, {"lxm": "app.bsky.video.uploadVideo"}]
)
async def test_the_simulator_takes_no_pass_of_another_kind(server: Server, sessions: Sessions, changes: dict[str, str]) -> None:
    """Of another account, for another server, for something else."""
    until = int(NOW.timestamp()) + 60
    said = {"did": server.asso.did, "aud": server.did, "lxm": "com.atproto.repo.uploadBlob", **changes}
    token = server.sessions.sign_pass(server.asso.did, aud=said["aud"], lxm=said["lxm"], until=until)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "video/mp4"}
    url = f"{server.url}/xrpc/{SEND}?did={said['did']}&name=a.mp4"
    async with sessions.get(private=True, write=True).post(url, data=MP4, headers=headers) as answer:
        assert answer.status == 401
    assert server.videos.jobs == {}


@contextlib.asynccontextmanager
async def mirrored(server: Server, folder: Path) -> AsyncIterator[Scene]:
    """The whole engine, with this account for its only destination."""

    def config(world: World, *_: Any) -> Config:
        account = DestinationConfig(
            name="wall", type="bluesky", title="Bluesky", role="publisher", connector=BlueskyPublisher,
            options=options_for(server, video=server.url), pace=Pace(),
        )  # fmt: skip
        made = configuration(folder, [source(world)], [account], [route()])
        return replace(made, network=Network(allow_private=frozenset({"127.0.0.1"})))

    async with stage(folder, config=config) as scene:
        # One clock for both.
        scene.clock.at = server.clock.at
        scene.tenant.now = scene.clock = server.clock
        yield scene


async def test_the_engine_waits_for_the_video(server: Server, files: Files, tmp_path: Path) -> None:
    """From a toot to the record: one upload, some looks, one post."""
    async with mirrored(server, tmp_path) as scene:
        await published(scene, post(html="<p>Le film</p>", attachments=(film(files),)))
        assert [fate[:2] for fate in await scene.fates()] == [("create", "done")]
    assert [record["embed"]["$type"] for record in server.records] == ["app.bsky.embed.video"]
    assert (len(server.asked(SEND)), len(server.asked(PUT))) == (1, 1)


@pytest.mark.parametrize(("trouble", "uploads"), [("encoding_failure", 1), ("generic_failure", TRIES), ("email", 1)])
async def test_the_engine_sends_the_picture_and_the_way_home_instead(
    server: Server, files: Files, tmp_path: Path, trouble: str, uploads: int
) -> None:
    """A video that the service does not take costs nobody the text, and a person is told."""
    server.videos.failure, server.videos.unconfirmed = trouble, trouble == "email"
    async with mirrored(server, tmp_path) as scene:
        toot = post(html="<p>Le film</p>", attachments=(film(files),))
        await published(scene, toot)
        assert [fate[:2] for fate in await scene.fates()] == [("create", "done")]
        assert [(problem.subject, problem.kind) for problem in await scene.problems()] == [("media:wall", "media")]
    (record,) = server.records
    assert [one["alt"] for one in record["embed"]["images"]] == ["Une balade"]
    assert record["text"] == f"Le film\n\n{toot.url}"
    assert len(server.asked(SEND)) == uploads

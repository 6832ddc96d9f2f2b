"""The Instagram publisher: the contract, containers, pictures that are fetched from us, "did it go out?", what each refusal means."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from connectors.meta.instagram import InstagramPublisher
from syndicator.contract import Context, Secret
from syndicator.errors import AuthExpired, ConnectorError, NotReady, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt
from syndicator.sandbox.graph import envelope, refused
from syndicator.sandbox.instagram import InstagramSimulator
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_rendition
from tests.clock import Clock
from tests.media_scene import MP4, Files, encoded
from tests.meta_scene import AsTheCore, asked, pictures, scene, strangers, told

PUBLISH = "/media_publish"


class Pictured(AsTheCore):
    """As the core uses it, with a picture for what has none."""

    publisher = InstagramPublisher


class TestInstagram(PublisherContract):
    """On a professional account."""

    connector = Pictured
    path = PUBLISH
    dialect = (
        ("the quota of a day", refused(9, 2207042, "You reached maximum number of posts", path=PUBLISH), RateLimited),
        ("its own rate limit", refused(4, 0, "Application request limit reached", path=PUBLISH), RateLimited),
        ("an account called spam", refused(4, 2207051, "We restrict certain activity", path=PUBLISH), RateLimited),
        ("a restricted account", refused(25, 2207050, "The Instagram account is restricted.", path=PUBLISH), AuthExpired),
        ("a dead token behind a 400", refused(190, 463, "Session has expired", path=PUBLISH), AuthExpired),
        ("a permission that is missing", refused(10, 0, "Application does not have permission", path=PUBLISH), AuthExpired),
        ("media not ready", refused(9007, 2207027, "Media ID is not available", path=PUBLISH), Transient),
        ("a container not found yet", refused(24, 2207008, "The media builder does not exist", path=PUBLISH), Transient),
        ("a server error of its own", refused(-1, 2207001, "Instagram server error", path=PUBLISH), OutcomeUnknown),
        ("something transient", refused(777, 0, "Try again", path=PUBLISH, is_transient=True), OutcomeUnknown),
        ("a refusal behind a 500", refused(36004, 2207010, "The caption is too long", path=PUBLISH, status=500), Rejected),
        ("an error behind a 200", refused(190, 460, "Password changed", path=PUBLISH, status=200), AuthExpired),
        ("a caption too long", refused(36004, 2207010, "The caption is too long", path="/media"), Rejected),
        ("a failure to make it", refused(-1, 2207032, "Create media fail", path="/media"), Transient),
        ("a slow download", refused(-2, 2207003, "It takes too long to download the media.", path="/media"), Transient),
        ("a file not fetched", refused(9004, 2207052, "Only photo or video can be accepted", path="/media"), Transient),
        ("a 200 without a number", Fault(action="answer", path=PUBLISH, status=200, body=b"{}"), OutcomeUnknown),
    )

    async def start(self) -> Simulator:
        return await InstagramSimulator(now=lambda: NOW).start()

    @pytest.fixture
    async def context(self, tmp_path: Path) -> AsyncIterator[Context]:
        async with strangers() as files, scene(tmp_path, Clock()) as context:
            Pictured.picture = Attachment(url=f"{files.url}/1.jpg", description="Deux vélos")
            yield context

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, InstagramSimulator)
        return InstagramPublisher.Options(token=Secret(simulator.__dict__.setdefault("configured", simulator.token)), api=simulator.url)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, InstagramSimulator)
        return [post.text for post in simulator.shown]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, InstagramSimulator)
        simulator.kill()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[InstagramSimulator]:
    async with InstagramSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with strangers() as files:
        yield files


@pytest.fixture
async def context(tmp_path: Path, clock: Clock) -> AsyncIterator[Context]:
    async with scene(tmp_path, clock) as context:
        yield context


def options_for(server: InstagramSimulator, **changes: Any) -> Any:
    return InstagramPublisher.Options(**{"token": Secret(server.token), "api": server.url, **changes})


@pytest.fixture
async def publisher(server: InstagramSimulator, context: Context) -> InstagramPublisher:
    publisher = InstagramPublisher(options_for(server), context)
    await publisher.open()
    return publisher


async def test_a_picture_travels_with_its_alt_text(publisher: InstagramPublisher, server: InstagramSimulator, files: Files) -> None:
    """One picture, fetched by Instagram at our address; the receipt names the post's public page."""
    receipt = await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")

    [post] = server.shown
    assert (post.text, post.alts) == ("Bonjour à toutes et à tous", ("Photo 1.jpg",))
    assert [(file.media_type, file.width, file.height) for file in post.media] == [("image/jpeg", 641, 480)]
    assert receipt == Receipt(remote_id=post.id, url=f"https://www.instagram.com/p/C{int(post.id) % 10**9:x}/")
    assert publisher.account == "https://www.instagram.com/amisduvelo/"


async def test_ten_pictures_are_a_carousel_and_more_are_left_out(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files
) -> None:
    """In the author's order, each with its alt text."""
    wanted = pictures(files, *(f"{number}.jpg" for number in range(11)))
    await publisher.publish(make_rendition(attachments=wanted), "key")

    [post] = server.shown
    assert [file.width for file in post.media] == [640 + number for number in range(10)]
    assert post.alts == tuple(attachment.description for attachment in wanted[:10])
    assert post.given["media_type"] == "CAROUSEL"


@pytest.mark.parametrize(("size", "form"), [((100, 100), "PNG"), ((3000, 400), "JPEG"), ((400, 3000), "WEBP"), ((4000, 4000), "JPEG")])
async def test_whatever_the_picture_instagram_takes_it(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files, size: tuple[int, int], form: str
) -> None:
    """As a JPEG within its ratios and widths: the simulator looks at what it fetches."""
    files.files["odd"] = encoded(Image.new("RGB", size, "teal"), form)
    await publisher.publish(make_rendition(attachments=pictures(files, "odd")), "key")

    [file] = server.shown[0].media
    assert file.media_type == "image/jpeg"
    assert 320 <= file.width <= 1440


async def test_a_video_is_a_reel_that_is_waited_for(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock
) -> None:
    """While Instagram works on it that is NotReady; the same container is published then."""
    files.files["film"] = MP4
    rendition = make_rendition(attachments=pictures(files, "film", type="video"))
    prepared = await publisher.prepare(rendition, "key")
    with pytest.raises(NotReady):
        await publisher.publish(rendition, "key", prepared=prepared)
    clock.forward(seconds=31)
    await publisher.publish(rendition, "key", prepared=prepared)

    [post] = server.shown
    assert (post.given["media_type"], post.media[0].data) == ("REELS", MP4)
    assert len(server.containers) == 1


async def test_a_video_that_will_not_do_becomes_its_still(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The container fails, says why, and the next one shows the picture of the video, alt text included."""
    files.files["film"] = MP4
    video = Attachment(url=f"{files.url}/film", type="video", description="Un atelier", preview_url=f"{files.url}/2.jpg")
    rendition = make_rendition(attachments=(video,))
    prepared = await publisher.prepare(rendition, "key")
    [container] = server.containers.values()
    server.containers[container.id] = replace(container, trouble="2207026")
    clock.forward(minutes=1)
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)
    await publisher.publish(rendition, "key", prepared=await publisher.prepare(rendition, "key"))

    [post] = server.shown
    assert ([file.media_type for file in post.media], post.alts) == (["image/jpeg"], ("Un atelier",))
    assert "video left out" in caplog.text


async def test_without_a_picture_nothing_is_posted(publisher: InstagramPublisher, server: InstagramSimulator, files: Files) -> None:
    """None given, or none that will do: refused with advice, before anything is asked."""
    files.files["text"] = b"no picture at all"
    server.requests.clear()
    for attachments in ((), pictures(files, "text", "missing")):
        with pytest.raises(Rejected) as caught:
            await publisher.prepare(make_rendition(attachments=attachments), "key")
        assert "image" in (caught.value.hint or {})["fr"]
    assert server.requests == []


async def test_one_bad_picture_does_not_stop_the_others(publisher: InstagramPublisher, server: InstagramSimulator, files: Files) -> None:
    """Refused by us or by Instagram: left out; two of which one remains are no carousel."""
    files.files["text"] = b"no picture at all"
    await publisher.publish(make_rendition(attachments=pictures(files, "text", "1.jpg", "2.jpg")), "key-1")
    server.fault(refused(36000, 2207004, "The image size is too large.", path="/media"))
    await publisher.publish(make_rendition(attachments=pictures(files, "3.jpg", "4.jpg")), "key-2")

    assert [len(post.media) for post in server.shown] == [2, 1]
    assert server.shown[1].alts == ("Photo 4.jpg",)


async def test_the_same_picture_twice_is_shown_once(publisher: InstagramPublisher, server: InstagramSimulator, files: Files) -> None:
    """Two of which one remains are no carousel."""
    await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg", "1.jpg")), "key")
    assert (len(server.shown[0].media), len(server.containers)) == (1, 1)


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_is_not_public_never_leaves(publisher: InstagramPublisher, server: InstagramSimulator, visibility: Any) -> None:
    """Whatever the core thinks."""
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(visibility=visibility), "key")
    assert server.containers == {}


async def test_a_second_attempt_makes_no_second_child(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock
) -> None:
    """While Instagram works on the pictures of a carousel, that is Transient; what was made of them is used again."""
    server.image_seconds = 20
    rendition = make_rendition(attachments=pictures(files, "1.jpg", "2.jpg"))
    with pytest.raises(Transient):
        await publisher.prepare(rendition, "key")
    clock.forward(seconds=21)
    await publisher.prepare(rendition, "key")

    assert len(server.containers) == 3


async def test_a_dead_child_is_made_anew(publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock) -> None:
    """One that expired while the carousel waited."""
    server.image_seconds = 20
    rendition = make_rendition(attachments=pictures(files, "1.jpg", "2.jpg"))
    with pytest.raises(Transient):
        await publisher.prepare(rendition, "key")
    server.image_seconds = 0
    clock.forward(hours=25)
    with pytest.raises(Unprepared):
        await publisher.prepare(rendition, "key")
    await publisher.publish(rendition, "key")

    assert len(server.shown[0].media) == 2


async def test_a_container_is_published_once(publisher: InstagramPublisher, server: InstagramSimulator, files: Files) -> None:
    """The answer lost, the same container tells that it went out, and as what; nothing is sent again."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    server.fault(Fault(action="lose", path=PUBLISH))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    found = await publisher.find("key", rendition, prepared=prepared)
    again = await publisher.publish(rendition, "key", prepared=prepared)

    assert found == again == Receipt(remote_id=server.shown[0].id, url=again.url)
    assert (len(server.shown), asked(server, "POST", PUBLISH)) == (1, 1)


async def test_find_tells_a_lost_request_from_a_lost_answer(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock
) -> None:
    """Ready, failed or expired: it was not published. At work: nobody can tell yet."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    assert await publisher.find("key", rendition, prepared=prepared) is None

    [container] = server.containers.values()
    server.containers[container.id] = replace(container, ready_at=clock() + timedelta(minutes=1))
    with pytest.raises(Transient):
        await publisher.find("key", rendition, prepared=prepared)
    clock.forward(hours=25)
    assert await publisher.find("key", rendition, prepared=prepared) is None
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)


async def test_a_container_that_nobody_knows_any_more(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock
) -> None:
    """The list tells, when it has had the time; only then another is made."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    server.containers.clear()
    for attempt in (publisher.find("key", rendition, prepared=prepared), publisher.publish(rendition, "key", prepared=prepared)):
        with pytest.raises(Transient) as caught:
            await attempt
        assert type(caught.value) is Transient
    clock.forward(minutes=10)
    assert await publisher.find("key", rendition, prepared=prepared) is None
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)


async def test_published_and_not_listed_is_never_sent_again(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock
) -> None:
    """The list may lag behind; when it never shows the post, it is done all the same, without a number."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    await publisher.publish(rendition, "key", prepared=prepared)
    server.unlisted = True
    for question in (publisher.find("key", rendition, prepared=prepared), publisher.publish(rendition, "key", prepared=prepared)):
        with pytest.raises(Transient):
            await question
    clock.forward(minutes=11)

    assert await publisher.find("key", rendition, prepared=prepared) == Receipt(remote_id="")
    assert len(server.shown) == 1


async def test_a_container_not_found_is_asked_for_again_before_another_is_made(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock
) -> None:
    """For two minutes, as Instagram advises."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    kinds = []
    for _ in range(3):
        server.fault(refused(24, 2207008, "The media builder does not exist", path=PUBLISH))
        with pytest.raises(Transient) as caught:
            await publisher.publish(rendition, "key", prepared=prepared)
        kinds.append(type(caught.value))
        clock.forward(minutes=1)

    assert kinds == [Transient, Transient, Unprepared]


async def test_a_permalink_that_does_not_come_is_no_failure(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files
) -> None:
    """The post is there: what is asked afterwards cannot make it undone."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    server.fault(Fault(action="answer", method="GET", path="/v26.0/1", skip=1, status=503, body=HTML_ERROR))
    receipt = await publisher.publish(rendition, "key", prepared=prepared)

    assert receipt == Receipt(remote_id=server.shown[0].id)


async def test_lost_while_preparing_is_harmless(publisher: InstagramPublisher, server: InstagramSimulator, files: Files) -> None:
    """A container nobody publishes is seen by nobody."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    for action in ("lose", "drop", "truncate"):
        server.fault(Fault(action=action, method="POST", path="/media"))  # type: ignore[arg-type]
        with pytest.raises(Transient):
            await publisher.prepare(rendition, "key")
    await publisher.publish(rendition, "key")

    assert len(server.shown) == 1


async def test_what_meta_cannot_fetch_waits_and_then_asks_for_a_person(
    publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock
) -> None:
    """A crawler's bad hour passes; a wall in front of our server does not."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    server.fault(replace(refused(9004, 2207052, "Only photo or video can be accepted", path="/media"), times=9))
    for hours in (0, 5):
        clock.forward(hours=hours)
        with pytest.raises(Transient) as waited:
            await publisher.prepare(rendition, "key")
        assert "robots.txt" in (waited.value.hint or {})["fr"]
    clock.forward(hours=2)
    with pytest.raises(Rejected) as caught:
        await publisher.prepare(rendition, "key")
    assert "robots.txt" in (caught.value.hint or {})["fr"]


async def test_an_address_that_shows_nothing_is_noticed_before_meta_is_asked(
    server: InstagramSimulator, context: Context, files: Files
) -> None:
    """public_url leads somewhere else: refused with advice."""
    publisher = InstagramPublisher(options_for(server), replace(context, public_url=f"{context.public_url}elsewhere/"))
    await publisher.open()
    with pytest.raises(Rejected) as caught:
        await publisher.prepare(make_rendition(attachments=pictures(files, "1.jpg")), "key")

    assert "public_url" in (caught.value.hint or {})["fr"]
    assert asked(server, "POST", "") == 0


@pytest.mark.parametrize("url", [
    None, "http://asso.example/", "https://localhost/", "https://192.168.1.10/", "https://[fe80::1]/", "https://agenda.local/", "https://nas/",
])  # fmt: skip
async def test_an_address_that_nobody_can_open_is_refused_at_once(tmp_path: Path, url: str | None) -> None:
    """By what it says alone: nothing is asked of anybody."""
    sessions = Sessions()
    context = replace(make_context(tmp_path, sessions), public_url=url)
    publisher = InstagramPublisher(InstagramPublisher.Options(token=Secret("x")), context)
    with pytest.raises(Rejected) as caught:
        await publisher.open()
    assert "public_url" in (caught.value.hint or {})["fr"]


async def test_copies_stay_for_two_days_and_others_files_for_ever(
    publisher: InstagramPublisher, context: Context, files: Files, clock: Clock
) -> None:
    """What a container still needs stays; what is not ours is not touched."""
    folder = context.public_dir / "posted" / context.name

    async def names() -> set[str]:
        return {path.name for path in folder.iterdir()}

    await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key-1")
    (folder / "note.txt").write_text("À garder")
    clock.forward(hours=47)
    [first] = await names() - {"note.txt"}
    await publisher.publish(make_rendition(text="Deux", attachments=pictures(files, "2.jpg")), "key-2")
    assert first in await names()
    clock.forward(hours=2)
    await publisher.publish(make_rendition(text="Trois", attachments=pictures(files, "2.jpg")), "key-3")

    assert len(await names()) == 2
    assert first not in await names()


async def test_a_personal_account_is_refused_with_advice(server: InstagramSimulator, context: Context) -> None:
    """It can be read, and never written."""
    server.account_type = "PERSONAL"
    with pytest.raises(Rejected) as caught:
        await InstagramPublisher(options_for(server), context).open()
    assert "professionnel" in (caught.value.hint or {})["fr"]


async def test_both_documented_shapes_of_me_are_understood(server: InstagramSimulator, context: Context) -> None:
    """Alone, or in a list."""
    server.me_in_a_list = True
    publisher = InstagramPublisher(options_for(server), context)
    await publisher.open()
    assert publisher.account == "https://www.instagram.com/amisduvelo/"


async def test_a_day_that_is_full_waits(publisher: InstagramPublisher, server: InstagramSimulator, files: Files, clock: Clock) -> None:
    """The quota is Instagram's own: the whole account waits an hour, then asks again."""
    server.quota_total = 0
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")
    assert caught.value.at == clock() + timedelta(hours=1)


@pytest.mark.parametrize("changes", [{"version": "26"}, {"api": "graph.instagram.com"}])
def test_what_cannot_be_is_no_option(changes: dict[str, str]) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match=r"version|api") as caught:
        InstagramPublisher.Options(token=Secret("x"), **changes)
    assert set(caught.value.args[0]) >= {"fr", "en"}


@pytest.mark.parametrize("fault", [
    Fault(action="drop", times=9), Fault(action="truncate"), Fault(action="mask", status=502),
    Fault(action="answer", times=9, status=400, body=envelope(190, 0, "Malformed access token THAAIGseedZCpsBAK1ZCvelo9ZAasso7bresse3ZD")),
    Fault(action="answer", times=9, status=200, body=b"[]"),
], ids=["cut", "truncated", "502", "echo", "list"])  # fmt: skip
@pytest.mark.parametrize("verb", ["open", "prepare", "publish", "find"])
async def test_the_token_never_shows(
    publisher: InstagramPublisher,
    server: InstagramSimulator,
    files: Files,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    fault: Fault,
    verb: str,
) -> None:
    """Not in an error, its causes, or a log; not even where it is renewed, which takes it in the address."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    clock.forward(days=8)
    attempt: Any = {
        "open": publisher.open, "prepare": lambda: publisher.prepare(rendition, "key"),
        "publish": lambda: publisher.publish(rendition, "key", prepared=prepared),
        "find": lambda: publisher.find("key", rendition, prepared=prepared),
    }[verb]  # fmt: skip
    tokens = list(server.grants)
    server.fault(fault)
    shown = ""
    with caplog.at_level(logging.DEBUG):
        try:
            await attempt()
        except ConnectorError as error:
            shown = told(error, publisher, vars(publisher), prepared)

    assert not [token for token in [*tokens, *server.grants] if token in shown + caplog.text]
    assert json.loads(prepared).keys() == {"container", "at"}

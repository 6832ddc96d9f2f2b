"""The Threads publisher: the contract, threads and topics, pictures that are fetched from us, deletions, what each refusal means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.meta.threads import ThreadsPublisher
from syndicator.contract import Context, MediaLimits, Secret
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.model import Attachment, Receipt
from syndicator.sandbox.graph import error, refused
from syndicator.sandbox.server import Fault, Simulator
from syndicator.sandbox.threads import PERMISSIONS, ThreadsSimulator
from syndicator.testing import NOW, PublisherContract, make_rendition
from tests.clock import Clock
from tests.media_scene import MP4, Files
from tests.meta_scene import AsTheCore, asked, pictures, scene, strangers

PUBLISH = "/threads_publish"
NOT_FOUND = refused(24, 4279009, "The requested resource does not exist", path=PUBLISH, error_user_title="Media Not Found")


class Kept(AsTheCore):
    """As the core uses it."""

    publisher = ThreadsPublisher


class TestThreads(PublisherContract):
    """On a profile."""

    connector = Kept
    path = PUBLISH
    dialect = (
        ("its own rate limit", refused(4, 0, "Application request limit reached", path=PUBLISH), RateLimited),
        ("the rate of a user", refused(17, 0, "User request limit reached", path=PUBLISH), RateLimited),
        ("the quota of a day", refused(9, 0, "The user has reached the maximum number of posts", path=PUBLISH), RateLimited),
        ("an account called spam", refused(-1, 2207051, "Blocked", path=PUBLISH), RateLimited),
        ("a restricted account", refused(-1, 4279013, "The user is restricted", path=PUBLISH), AuthExpired),
        ("a dead token behind a 400", refused(190, 463, "Session has expired", path=PUBLISH), AuthExpired),
        ("an error behind a 200", refused(190, 460, "Password changed", path=PUBLISH, status=200), AuthExpired),
        ("a permission that is missing", refused(10, 0, "Application does not have permission", path=PUBLISH), AuthExpired),
        ("a container not found yet", NOT_FOUND, Transient),
        ("a server error of its own", refused(2, 0, "Service temporarily unavailable", path=PUBLISH), OutcomeUnknown),
        ("something transient", refused(777, 0, "Try again", path=PUBLISH, is_transient=True), OutcomeUnknown),
        ("a refusal behind a 500", refused(100, 0, "Param creation_id", path=PUBLISH, status=500), Rejected),
        ("a text refused", refused(100, 0, "Param text must be at most 500 characters long.", path="/threads"), Rejected),
        ("an outage while preparing", refused(2, 0, "An unexpected error has occurred.", path="/threads"), Transient),
        ("a 200 without a number", Fault(action="answer", path=PUBLISH, status=200, body=b"{}"), OutcomeUnknown),
    )

    async def start(self) -> Simulator:
        return await ThreadsSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        assert isinstance(simulator, ThreadsSimulator)
        return ThreadsPublisher.Options(token=Secret(simulator.__dict__.setdefault("configured", simulator.token)), api=simulator.url)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, ThreadsSimulator)
        return [post.text for post in simulator.shown]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, ThreadsSimulator)
        simulator.kill()

    def text_of_length(self, limits: Any, length: int) -> str:
        """An emoji counts as its four bytes, an accent as one character."""
        return "🚲é" + "a" * (length - 5)

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        assert isinstance(simulator, ThreadsSimulator)
        return simulator.parent_of(simulator.posts[receipt.remote_id])


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[ThreadsSimulator]:
    async with ThreadsSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with strangers() as files:
        yield files


@pytest.fixture
async def context(tmp_path: Path, clock: Clock) -> AsyncIterator[Context]:
    async with scene(tmp_path, clock) as context:
        yield context


async def opened(server: ThreadsSimulator, context: Context, **changes: Any) -> ThreadsPublisher:
    options: dict[str, Any] = {"token": Secret(server.token), "api": server.url, **changes}
    publisher = ThreadsPublisher(ThreadsPublisher.Options(**options), context)
    await publisher.open()
    return publisher


@pytest.fixture
async def publisher(server: ThreadsSimulator, context: Context) -> ThreadsPublisher:
    return await opened(server, context)


async def test_a_text_alone_is_a_post(publisher: ThreadsPublisher, server: ThreadsSimulator) -> None:
    """With its public page in the receipt."""
    receipt = await publisher.publish(make_rendition(), "key")

    [post] = server.shown
    assert post.given == {"media_type": "TEXT", "text": "Bonjour à toutes et à tous"}
    assert receipt == Receipt(remote_id=post.id, url=f"https://www.threads.com/@amisduvelo/post/D{int(post.id) % 10**9:x}")
    assert publisher.account == "https://www.threads.com/@amisduvelo"


async def test_pictures_travel_with_their_alt_texts(publisher: ThreadsPublisher, server: ThreadsSimulator, files: Files) -> None:
    """One alone, twenty in a carousel; a long alt text is cut at a word."""
    long = Attachment(url=f"{files.url}/1.jpg", description="vélo " * 300)
    await publisher.publish(make_rendition(attachments=(long,)), "key-1")
    wanted = pictures(files, *(f"{number}.jpg" for number in range(21)))
    await publisher.publish(make_rendition(text="Vingt", attachments=wanted), "key-2")

    one, many = server.shown
    assert (one.given["media_type"], [file.width for file in one.media]) == ("IMAGE", [641])
    assert 990 < len(one.alts[0]) <= 1000
    assert [file.width for file in many.media] == [640 + number for number in range(20)]
    assert many.alts == tuple(attachment.description for attachment in wanted[:20])


async def test_sensitive_media_are_hidden_until_asked_for(publisher: ThreadsPublisher, server: ThreadsSimulator, files: Files) -> None:
    """One picture, several, and never a text, where it would be refused."""
    for number, names in enumerate((("1.jpg",), ("1.jpg", "2.jpg"), ())):
        await publisher.publish(make_rendition(text=f"{number}", attachments=pictures(files, *names), sensitive=True), f"key-{number}")
    assert [post.given.get("is_spoiler_media") for post in server.shown] == ["true", "true", None]


async def test_a_bad_picture_never_stops_a_text(publisher: ThreadsPublisher, server: ThreadsSimulator, files: Files) -> None:
    """Refused by us, or by Threads."""
    files.files["text"] = b"no picture at all"
    await publisher.publish(make_rendition(attachments=pictures(files, "text")), "key-1")
    server.fault(refused(36001, 2207005, "The image format is not supported", path="/threads"))
    await publisher.publish(make_rendition(text="Deux", attachments=pictures(files, "1.jpg")), "key-2")

    assert [(post.text, post.media) for post in server.shown] == [("Bonjour à toutes et à tous", ()), ("Deux", ())]


async def test_without_a_public_address_there_are_no_media(server: ThreadsSimulator, context: Context, files: Files) -> None:
    """The core is told, so that the text links to them; what it sends all the same goes without."""
    publisher = await opened(server, replace(context, public_url=None))
    await publisher.publish(make_rendition(), "key")

    assert publisher.limits.media == MediaLimits()
    assert (await opened(server, context)).limits.media.images_max == 20
    await publisher.publish(make_rendition(text="Deux", attachments=pictures(files, "1.jpg")), "key-2")
    assert [post.media for post in server.shown] == [(), ()]


async def test_a_video_is_waited_for(publisher: ThreadsPublisher, server: ThreadsSimulator, files: Files, clock: Clock) -> None:
    """And when it will not do, its still picture goes."""
    files.files["film"] = MP4
    video = Attachment(url=f"{files.url}/film", type="video", description="Un atelier", preview_url=f"{files.url}/2.jpg")
    for trouble in ("", "FAILED_DOWNLOADING_VIDEO", "INVALID_DURATION"):
        rendition = make_rendition(text=f"Film {trouble}", attachments=(video,))
        prepared = await publisher.prepare(rendition, "key")
        container = list(server.containers.values())[-1]
        server.containers[container.id] = replace(container, trouble=trouble)
        with pytest.raises(Transient):
            await publisher.publish(rendition, "key", prepared=prepared)
        clock.forward(seconds=31)
        try:
            await publisher.publish(rendition, "key", prepared=prepared)
        except Unprepared:
            prepared = await publisher.prepare(rendition, "key")
            clock.forward(seconds=31)
            await publisher.publish(rendition, "key", prepared=prepared)

    assert [post.media[0].media_type for post in server.shown] == ["video/mp4", "video/mp4", "image/jpeg"]


async def test_a_topic_is_set_once_for_a_thread(server: ThreadsSimulator, context: Context) -> None:
    """On its first part."""
    publisher = await opened(server, context, topic=" Vélo ")
    parent = await publisher.publish(make_rendition(text="Un", parts=2), "key-1")
    await publisher.publish(make_rendition(text="Deux", part=1, parts=2), "key-2", parent=parent)

    assert [post.given.get("topic_tag") for post in server.shown] == ["Vélo", None]


@pytest.mark.parametrize("changes", [{"topic": ""}, {"topic": "a.b"}, {"topic": "#velo"}, {"topic": "a" * 51}, {"api": "ftp://x"}])
def test_what_threads_would_refuse_is_no_option(changes: dict[str, str]) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match=r"topic|api") as caught:
        ThreadsPublisher.Options(token=Secret("x"), **changes)
    assert set(caught.value.args[0]) >= {"fr", "en"}


async def test_a_lost_part_is_found_among_the_replies(publisher: ThreadsPublisher, server: ThreadsSimulator) -> None:
    """And tells the number that the next part answers."""
    parent = await publisher.publish(make_rendition(text="Un", parts=2), "key-1")
    part = make_rendition(text="Deux #velo", part=1, parts=2)
    prepared = await publisher.prepare(part, "key-2", parent=parent)
    server.fault(Fault(action="lose", path=PUBLISH))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(part, "key-2", parent=parent, prepared=prepared)

    found = await publisher.find("key-2", part, prepared=prepared)
    assert found is not None
    assert (found.remote_id, len(server.shown)) == (server.shown[1].id, 2)


async def test_without_the_right_to_list_replies_a_lost_part_is_known_to_have_gone_out(
    publisher: ThreadsPublisher, server: ThreadsSimulator, clock: Clock
) -> None:
    """Its number is not: what would answer it, or remove it, waits for a person."""
    grant = server.grants[server.token]
    grant.permissions = PERMISSIONS - {"threads_read_replies"}
    parent = await publisher.publish(make_rendition(text="Un", parts=3), "key-1")
    part = make_rendition(text="Deux", part=1, parts=3)
    prepared = await publisher.prepare(part, "key-2", parent=parent)
    server.fault(Fault(action="lose", path=PUBLISH))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(part, "key-2", parent=parent, prepared=prepared)
    with pytest.raises(Transient):
        await publisher.find("key-2", part, prepared=prepared)
    clock.forward(minutes=11)
    found = await publisher.find("key-2", part, prepared=prepared)

    assert found == Receipt(remote_id="")
    for attempt in (publisher.prepare(make_rendition(text="Trois", part=2, parts=3), "key-3", parent=found), publisher.delete(found)):
        with pytest.raises(Rejected) as caught:
            await attempt
        assert "à la main" in (caught.value.hint or {})["fr"]
    assert len(server.shown) == 2


async def test_a_container_that_threads_loses_is_made_anew(publisher: ThreadsPublisher, server: ThreadsSimulator, clock: Clock) -> None:
    """It says that it is finished, and does not find it: asked again for two minutes, then another is made."""
    rendition = make_rendition()
    prepared = await publisher.prepare(rendition, "key")
    server.lost = set(server.containers)
    kinds = []
    for _ in range(3):
        with pytest.raises(Transient) as caught:
            await publisher.publish(rendition, "key", prepared=prepared)
        kinds.append(type(caught.value))
        clock.forward(minutes=1)
    await publisher.publish(rendition, "key", prepared=await publisher.prepare(rendition, "key"))

    assert kinds == [Transient, Transient, Unprepared]
    assert len(server.shown) == 1


async def test_not_found_because_it_went_out_meanwhile(publisher: ThreadsPublisher, server: ThreadsSimulator) -> None:
    """An attempt whose answer was lost was still under way when the next began: the list tells, and nothing is made twice."""
    rendition = make_rendition()
    prepared = await publisher.prepare(rendition, "key")
    [container] = server.containers.values()

    def overtaken(stage: str, request: Any) -> None:
        if stage == "before" and PUBLISH in request.path and not server.shown:
            server.publish(container, rendition.text)

    server.hooks.append(overtaken)
    receipt = await publisher.publish(rendition, "key", prepared=prepared)

    assert receipt.remote_id == server.shown[0].id
    assert len(server.shown) == 1


async def test_another_post_with_the_same_text_long_ago_is_not_ours(
    publisher: ThreadsPublisher, server: ThreadsSimulator, clock: Clock
) -> None:
    """Only what is younger than the container."""
    rendition = make_rendition()
    await publisher.publish(rendition, "key-1")
    clock.forward(days=7)
    prepared = await publisher.prepare(rendition, "key-2")
    server.containers.clear()
    with pytest.raises(Transient):
        await publisher.find("key-2", rendition, prepared=prepared)
    clock.forward(minutes=10)
    assert await publisher.find("key-2", rendition, prepared=prepared) is None


async def test_a_page_full_of_newer_posts_proves_nothing(publisher: ThreadsPublisher, server: ThreadsSimulator) -> None:
    """Asked without a container, it says that it cannot tell."""
    for number in range(100):
        server.publish(server.keep({"media_type": "TEXT", "text": f"{number}"}), f"{number}")
    with pytest.raises(Transient):
        await publisher.find("key", make_rendition(text="Jamais parti"))


async def test_a_deletion_without_the_right_stops_nothing_else(publisher: ThreadsPublisher, server: ThreadsSimulator) -> None:
    """A person is told which one is missing; a dead token is another matter."""
    receipt = await publisher.publish(make_rendition(), "key")
    server.grants[server.token].permissions = PERMISSIONS - {"threads_delete"}
    with pytest.raises(Rejected) as caught:
        await publisher.delete(receipt)
    assert "threads_delete" in (caught.value.hint or {})["fr"]
    server.dead = error(190, 460, "Password changed")
    with pytest.raises(AuthExpired):
        await publisher.delete(receipt)


async def test_deletions_have_a_limit_of_their_own(publisher: ThreadsPublisher, server: ThreadsSimulator) -> None:
    """A hundred a day."""
    for number in range(101):
        server.publish(server.keep({"media_type": "TEXT", "text": f"{number}"}), f"{number}")
    numbers = list(server.posts)
    for number in numbers[:100]:
        await publisher.delete(Receipt(remote_id=number))
    with pytest.raises(RateLimited):
        await publisher.delete(Receipt(remote_id=numbers[100]))
    with pytest.raises(Gone):
        await publisher.delete(Receipt(remote_id=numbers[0]))
    server.fault(Fault(action="answer", method="DELETE", status=200, body=b'{"success": false}'))
    with pytest.raises(Transient):
        await publisher.delete(Receipt(remote_id=numbers[100]))


async def test_a_token_that_may_not_publish_is_refused_at_once(server: ThreadsSimulator, context: Context) -> None:
    """By a question that only who may publish is answered."""
    server.grants[server.token].permissions = frozenset({"threads_basic"})
    with pytest.raises(AuthExpired) as caught:
        await opened(server, context)
    assert "threads_content_publish" in (caught.value.hint or {})["fr"]


async def test_too_many_links_wait_for_a_person(publisher: ThreadsPublisher, server: ThreadsSimulator) -> None:
    """Threads takes five different ones."""
    links = [f"https://asso.example/{number}" for number in range(6)]
    await publisher.publish(make_rendition(text=" ".join([*links[:5], links[0]])), "key-5")
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(text=" ".join(links)), "key-6")
    assert asked(server, "POST", PUBLISH) == 1


async def test_one_way(publisher: ThreadsPublisher, server: ThreadsSimulator, files: Files) -> None:
    """What is asked of Threads: who we are, how much room there is, containers, and nothing of what others write."""
    await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")
    assert {(seen.method, seen.path.rpartition("/")[2] if not seen.path[-1].isdigit() else "…") for seen in server.requests} == {
        ("GET", "me"), ("GET", "threads_publishing_limit"), ("POST", "threads"), ("POST", "threads_publish"), ("GET", "…"),
    }  # fmt: skip

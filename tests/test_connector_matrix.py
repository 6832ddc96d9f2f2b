"""The Matrix publisher: the contract, words as links, pictures as messages of their own, edits, threads, one message for each key."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.matrix import MatrixPublisher
from connectors.matrix.content import CONTENT_BYTES, KEY, edit_of, message
from syndicator.contract import Limits
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt, Span
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import PublisherContract, make_rendition
from tests.matrix_scene import ROOM, Server, opened, pictures
from tests.matrix_scene import options_for as token_options
from tests.media_scene import Files

SEND = "/send/m.room.message/"


def refused(status: int, errcode: str, **more: Any) -> Fault:
    body = json.dumps({"errcode": errcode, "error": "…", **more}).encode()
    return Fault(action="answer", status=status, body=body, headers={"Content-Type": "application/json"}, method="PUT", path=SEND, times=9)


class TestMatrix(PublisherContract):
    """In a room."""

    connector = MatrixPublisher
    path = SEND
    method = "PUT"
    dialect = (
        ("its own 429", refused(429, "M_LIMIT_EXCEEDED", retry_after_ms=4200), RateLimited),
        ("a dead token", refused(401, "M_UNKNOWN_TOKEN"), AuthExpired),
        ("a forgotten token", refused(401, "M_MISSING_TOKEN"), AuthExpired),
        ("a deactivated account", refused(403, "M_USER_DEACTIVATED"), AuthExpired),
        ("a locked account", refused(401, "M_USER_LOCKED", soft_logout=True), AuthExpired),
        ("terms to accept", refused(403, "M_CONSENT_NOT_GIVEN", consent_uri="https://x.example"), AuthExpired),
        ("a full server", refused(403, "M_RESOURCE_LIMIT_EXCEEDED"), AuthExpired),
        ("too low a level", refused(403, "M_FORBIDDEN"), AuthExpired),
        ("too large an event", refused(413, "M_TOO_LARGE"), Rejected),
        ("a bad event", refused(400, "M_BAD_JSON"), Rejected),
        ("a server's own error", refused(500, "M_UNKNOWN"), OutcomeUnknown),
        ("no event in the answer", Fault(action="answer", status=200, body=b"{}", method="PUT", path=SEND), OutcomeUnknown),
        ("a list", Fault(action="answer", status=200, body=b"[]", method="PUT", path=SEND), OutcomeUnknown),
        ("a redirect", Fault(action="answer", status=302, headers={"Location": "https://x.example"}, method="PUT", path=SEND), Rejected),
    )

    async def start(self) -> Simulator:
        return await Server().start()

    def options(self, simulator: Simulator) -> Any:
        return token_options(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, Server)
        return simulator.texts

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, Server)
        simulator.tokens.clear()

    def text_of_length(self, limits: Limits, length: int) -> str:
        """Bytes, and the signs that take most room in an event."""
        return "é" + '"' * (length - 2)

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        assert isinstance(simulator, Server)
        event = simulator.room.event(receipt.remote_id)
        assert event is not None
        return str(event.relation["m.in_reply_to"]["event_id"])


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
async def publisher(server: Server, sessions: Sessions, tmp_path: Path) -> MatrixPublisher:
    return await opened(server, sessions, tmp_path)


async def test_a_receipt_leads_to_the_message(publisher: MatrixPublisher, server: Server) -> None:
    """Its page on matrix.to, for whoever has an account anywhere; the room's is the account."""
    receipt = await publisher.publish(make_rendition(), "key")

    event_id = server.room.messages[0].event_id
    assert publisher.account == f"https://matrix.to/#/{ROOM}"
    assert receipt == Receipt(remote_id=event_id, url=f"https://matrix.to/#/{ROOM}/{event_id}?via=asso.example", data=(("text", event_id),))


async def test_a_text_is_an_event_as_specified(publisher: MatrixPublisher, server: Server) -> None:
    """Links live, signs themselves, nobody mentioned."""
    await publisher.publish(make_rendition(text="@room <b> & #vélo\nhttps://asso.example/a_b"), "key")

    content = server.room.messages[0].content
    assert content.pop(KEY).startswith("syn-")
    assert content == {
        "msgtype": "m.text",
        "body": "@room <b> & #vélo\nhttps://asso.example/a_b",
        "format": "org.matrix.custom.html",
        "formatted_body": '@room &lt;b&gt; &amp; #vélo<br><a href="https://asso.example/a_b">https://asso.example/a_b</a>',
        "m.mentions": {},
    }


async def test_words_are_links(publisher: MatrixPublisher, server: Server) -> None:
    """The author's own words; spelt out for clients that show no HTML. A text without links needs none."""
    url = 'https://asso.example/?a="b"&c'
    rendition = make_rendition(text="Voir le programme, ici.", spans=(Span(start=5, end=17, url=url), Span(start=19, end=22, url=url)))
    await publisher.publish(rendition, "key-1")
    await publisher.publish(make_rendition(text="Sans lien"), "key-2")

    first, second = (event.content for event in server.room.messages)
    assert first["body"] == f"Voir le programme ({url}), ici ({url})."
    assert first["formatted_body"].startswith('Voir <a href="https://asso.example/?a=&quot;b&quot;&amp;c">le programme</a>, <a ')
    assert "formatted_body" not in second


async def test_a_notice_is_written_as_robots_do(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """Posted and edited."""
    publisher = await opened(server, sessions, tmp_path, token_options(server, notice=True))
    receipt = await publisher.publish(make_rendition(), "key")
    await publisher.update(receipt, make_rendition(text="Après"))

    assert [event.content["msgtype"] for event in server.room.events] == ["m.notice", "m.notice"]


async def test_files_are_messages_of_their_own(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """After the text, in the author's order, with their alt texts, sizes and types; what is no picture is left out."""
    shown = pictures(files, "1.jpg", "page.jpg", "2.jpg", "film.mp4")
    receipt = await publisher.publish(make_rendition(attachments=shown), "key")

    assert server.files == [("m.image", "Deux vélos"), ("m.image", "Deux vélos"), ("m.video", "Deux vélos")]
    picture = server.room.messages[1].content
    assert picture["info"] == {"mimetype": "image/jpeg", "size": len(server.media[picture["url"]][1]), "w": 41, "h": 30}
    assert picture["filename"].endswith(".jpg")
    assert [name for name, _ in receipt.data] == ["text", *(shown[place].url for place in (0, 2, 3))]


async def test_a_picture_without_description_shows_its_name(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """A caption equal to the file's name is none."""
    await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg", description="")), "key")

    content = server.room.messages[1].content
    assert content["body"] == content["filename"]


async def test_no_more_files_than_fit(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """Ten; each is a message."""
    films = tuple(Attachment(url=f"{files.url}/film.mp4?{number}", type="video", duration_s=2.5) for number in range(12))
    await publisher.publish(make_rendition(attachments=films), "key")

    assert len(server.files) == 10
    assert server.room.messages[1].content["info"]["duration"] == 2500


async def test_files_are_uploaded_beforehand_and_once(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """What was prepared is used; nobody sees it before."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    assert (server.room.messages, len(server.media)) == ([], 1)

    await publisher.publish(rendition, "key", prepared=prepared)
    assert (len(server.files), len(server.media)) == (1, 1)


async def test_an_interrupted_post_is_finished(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """The text is there, the server says to slow down: unknown, never forgotten; the next attempt sends only what lacks."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg", "2.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    server.burst = 2
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    assert (len(server.texts), len(server.files)) == (1, 1)

    server.clock.forward(seconds=30)
    receipt = await publisher.publish(rendition, "key", prepared=prepared)
    assert (len(server.texts), len(server.files)) == (1, 2)
    assert [event_id for _, event_id in receipt.data] == [event.event_id for event in server.room.messages]


async def test_a_post_interrupted_for_days_is_finished(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """The text went out, the machine was off for a weekend: the server has forgotten its number, we find it and add what lacks."""
    server.clock.forward(hours=30)
    rendition = make_rendition(attachments=pictures(files, "1.jpg"), published_at=server.clock())
    prepared = await publisher.prepare(rendition, "key")
    server.fault(Fault(action="drop", path=SEND, skip=1))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    assert (len(server.texts), len(server.files)) == (1, 0)

    server.clock.forward(hours=60)
    receipt = await publisher.publish(rendition, "key", prepared=prepared)
    assert (len(server.texts), len(server.files)) == (1, 1)
    assert [event_id for _, event_id in receipt.data] == [event.event_id for event in server.room.messages]


async def test_the_first_refusal_is_told_as_it_is(publisher: MatrixPublisher, server: Server) -> None:
    """Nothing went out yet: the wait that the server asks for is kept."""
    server.burst = 1
    await publisher.publish(make_rendition(text="Un"), "key-1")
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(text="Deux"), "key-2")

    assert caught.value.at is not None
    assert (caught.value.at - server.clock()).total_seconds() == 5


async def test_a_refused_picture_does_not_stop_the_text(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """Neither when it is uploaded nor when its message is refused."""
    server.fault(Fault(action="answer", status=413, body=b'{"errcode":"M_TOO_LARGE"}', path="/upload"))
    await publisher.publish(make_rendition(text="Un", attachments=pictures(files, "1.jpg")), "key-1")
    server.fault(Fault(action="answer", status=413, body=b'{"errcode":"M_TOO_LARGE"}', path=SEND, skip=1))
    receipt = await publisher.publish(make_rendition(text="Deux", attachments=pictures(files, "2.jpg")), "key-2")

    assert (server.texts, server.files, len(receipt.data)) == (["Un", "Deux"], [], 1)


async def test_a_failing_upload_may_be_tried_again(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """An upload that nothing shows is nothing: never an unknown outcome."""
    for fault in (Fault(action="drop", path="/upload"), Fault(action="answer", status=502, path="/upload")):
        server.faults = [fault, fault]
        rendition = make_rendition(attachments=pictures(files, "1.jpg"))
        for attempt in (publisher.prepare(rendition, "key"), publisher.publish(rendition, "key")):
            with pytest.raises(Transient):
                await attempt
    assert server.room.messages == []


async def test_the_key_holds_for_a_day_and_only_for_its_device(
    publisher: MatrixPublisher, server: Server, sessions: Sessions, tmp_path: Path
) -> None:
    """Its transaction number is the server's own guard; under a new token, our own messages are looked through first."""
    server.clock.forward(hours=30)
    rendition = make_rendition(published_at=server.clock())
    first = await publisher.publish(rendition, "key")
    looked = server.asked("/messages")
    assert (await publisher.publish(rendition, "key")).remote_id == first.remote_id
    assert server.asked("/messages") == looked

    server.tokens.clear()
    server.token = server.add_token(server.user, "ANOTHER")
    again = await opened(server, sessions, tmp_path)
    assert (await again.publish(rendition, "key")).remote_id == first.remote_id
    assert (server.asked("/messages"), len(server.texts)) == (looked + 1, 1)


async def test_found_again_far_down(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """Behind many messages, edited, with its pictures, and with its place in a thread."""
    parent = await publisher.publish(make_rendition(text="Un", parts=2), "key-1")
    rendition = make_rendition(text="Deux", part=1, parts=2, attachments=pictures(files, "1.jpg"))
    child = await publisher.publish(rendition, "key-2", parent=parent)
    await publisher.update(child, make_rendition(text="Deux bis", attachments=rendition.attachments))
    for number in range(60):
        await publisher.publish(make_rendition(text=f"{number}"), f"later-{number}")

    assert await publisher.find("key-2", rendition) == child
    assert dict(child.data)["root"] == parent.remote_id
    assert await publisher.find("key-3", rendition) is None


async def test_what_somebody_else_wrote_is_not_ours(publisher: MatrixPublisher, server: Server) -> None:
    """Even with our key on it."""
    receipt = await publisher.publish(make_rendition(), "key")
    event = server.room.event(receipt.remote_id)
    assert event is not None
    event.sender = "@mallory:elsewhere.example"

    assert await publisher.find("key", make_rendition()) is None


async def test_a_room_too_full_to_look_through_is_no_no(publisher: MatrixPublisher, server: Server) -> None:
    """Rather ask again later than say what is not known."""
    server.fault(Fault(action="answer", status=200, body=b'{"chunk":[],"end":"t1"}', path="/messages", times=99))
    with pytest.raises(Transient):
        await publisher.find("key", make_rendition())


async def test_a_thread_has_one_root(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """Each part answers the one before; pictures stay in the thread."""
    first = await publisher.publish(make_rendition(text="Un", parts=3), "key-1")
    second = await publisher.publish(make_rendition(text="Deux", part=1, parts=3), "key-2", parent=first)
    await publisher.publish(make_rendition(text="Trois", part=2, parts=3, attachments=pictures(files, "1.jpg")), "key-3", parent=second)

    relations = [event.relation for event in server.room.messages]
    assert relations[0] == {}
    assert [(relation["event_id"], relation["m.in_reply_to"]["event_id"]) for relation in relations[1:]] == [
        (first.remote_id, first.remote_id), (first.remote_id, second.remote_id), (first.remote_id, second.remote_id),
    ]  # fmt: skip


async def test_an_edit_says_what_it_replaces(publisher: MatrixPublisher, server: Server) -> None:
    """For clients that know edits, and with a star for those that do not."""
    receipt = await publisher.publish(make_rendition(text="Avant"), "key")
    await publisher.update(receipt, make_rendition(text="Après https://a.example/"))

    edit = server.room.events[-1].content
    assert (edit["body"], edit["m.new_content"]["body"]) == ("* Après https://a.example/", "Après https://a.example/")
    assert edit["m.relates_to"] == {"rel_type": "m.replace", "event_id": receipt.remote_id}
    assert edit["m.mentions"] == edit["m.new_content"]["m.mentions"] == {}


async def test_back_to_what_it_was(publisher: MatrixPublisher, server: Server) -> None:
    """A text that returns is an edit like any other, not a repetition."""
    receipt = await publisher.publish(make_rendition(text="Un"), "key")
    for text in ("Deux", "Un", "Deux"):
        receipt = await publisher.update(receipt, make_rendition(text=text))
        assert server.texts == [text]


async def test_pictures_follow_an_edit(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """One goes, one is described anew, one comes, as an answer below; and back again."""
    one, two, three = pictures(files, "1.jpg", "2.jpg", "3.jpg")
    receipt = await publisher.publish(make_rendition(attachments=(one, two)), "key")
    described = pictures(files, "2.jpg", description="Un vélo rouge")
    receipt = await publisher.update(receipt, make_rendition(attachments=(*described, three)))
    assert server.files == [("m.image", "Un vélo rouge"), ("m.image", "Deux vélos")]
    assert server.room.messages[-1].relation == {"m.in_reply_to": {"event_id": receipt.remote_id}}

    receipt = await publisher.update(receipt, make_rendition(attachments=(one, two)))
    assert server.files == [("m.image", "Deux vélos"), ("m.image", "Deux vélos")]
    await publisher.delete(receipt)
    assert server.room.messages == []


async def test_a_repeated_edit_adds_no_second_picture(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """Its answer was lost: the same receipt is used once more."""
    receipt = await publisher.publish(make_rendition(), "key")
    for _ in range(2):
        after = await publisher.update(receipt, make_rendition(attachments=pictures(files, "1.jpg")))

    assert len(server.files) == 1
    assert after.remote_id == receipt.remote_id


async def test_a_picture_alone(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """It is the object; an edit may give it words."""
    receipt = await publisher.publish(make_rendition(text="", attachments=pictures(files, "1.jpg")), "key")
    assert (receipt.remote_id, server.texts) == (server.room.messages[0].event_id, [])
    receipt = await publisher.update(receipt, make_rendition(text="Des mots", attachments=pictures(files, "1.jpg")))
    assert server.texts == ["Des mots"]
    await publisher.delete(receipt)
    assert server.room.messages == []


async def test_a_deletion_takes_everything(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """Text, pictures, and the edits, which hold the text too; again is no error but Gone."""
    receipt = await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")
    for text in ("Un", "Deux"):
        receipt = await publisher.update(receipt, make_rendition(text=text, attachments=pictures(files, "1.jpg", description=text)))
    await publisher.delete(receipt)

    assert all(event.redacted for event in server.room.events)
    with pytest.raises(Gone):
        await publisher.delete(receipt)


async def test_a_deletion_may_be_interrupted(publisher: MatrixPublisher, server: Server, files: Files) -> None:
    """Whatever was left is taken by the second attempt, also when a person had removed the text."""
    receipt = await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg", "2.jpg")), "key")
    server.fault(Fault(action="drop", path="/redact/", skip=1))
    with pytest.raises(OutcomeUnknown):
        await publisher.delete(receipt)
    text = server.room.event(receipt.remote_id)
    assert text is not None
    text.content, text.redacted = {}, True
    with pytest.raises(Gone):
        await publisher.delete(receipt)

    assert server.room.messages == []


@pytest.mark.parametrize("sign", ["a", "é", '"', "&", "\n", "\\", "<"])
def test_every_text_and_its_edits_fit_into_an_event(sign: str) -> None:
    """Whatever it is made of; the HTML goes first, what other clients show is shortened last."""
    text = sign * (15_000 // len(sign.encode()))
    for rendition in (make_rendition(text=text), make_rendition(text=text, spans=(Span(start=0, end=1, url="https://a.example/"),))):
        for content in (message(rendition, notice=False), edit_of("$" + "a" * 43, message(rendition, notice=False) | {KEY: "syn"})):
            assert len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()) <= CONTENT_BYTES
            assert content.get("m.new_content", content)["body"].startswith(sign)


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_only_what_is_public(publisher: MatrixPublisher, server: Server, visibility: Any) -> None:
    """Neither posted nor put in the place of something public."""
    receipt = await publisher.publish(make_rendition(), "key")
    for attempt in (
        publisher.publish(make_rendition(visibility=visibility), "k"),
        publisher.update(receipt, make_rendition(visibility=visibility)),
    ):
        with pytest.raises(Rejected):
            await attempt
    assert len(server.room.events) == 1

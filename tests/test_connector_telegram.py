"""The Telegram publisher: the contract, pictures and captions, edits, the API's dialect of errors, and a token that never shows."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from connectors.telegram import TelegramPublisher
from connectors.telegram.publisher import LIMITS
from syndicator.contract import Association, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt, Rendition, Span
from syndicator.render import render
from syndicator.route import Style
from syndicator.sandbox.forms import parts
from syndicator.sandbox.published import TELEGRAM_ANSWERS, TELEGRAM_METHODS, reduce_telegram, telegram, written
from syndicator.sandbox.server import Fault, Simulator
from syndicator.sandbox.telegram import BOT_TOKEN, Chat, TelegramSimulator
from syndicator.sandbox.telegram_calls import refusal
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_post, make_rendition
from tests.clock import Clock
from tests.media_scene import MP4, Files, encoded
from tests.media_scene import film as clip

LONG = "Un paragraphe de plus. " * 60
ASSOCIATION = Association(name="Les Amis du Vélo")


class TestTelegram(PublisherContract):
    """In a channel, by its name."""

    connector = TelegramPublisher
    path = "/sendMessage"
    dialect = tuple(
        (what, Fault(action="answer", status=status, body=refusal(code, said, **more), path="/sendMessage"), error)
        for what, status, code, said, more, error in (
            ("too many requests", 429, 429, "Too Many Requests: retry after 37", {"retry_after": 37}, RateLimited),
            ("too many requests in a good answer", 200, 429, "Too Many Requests: retry after 3", {"retry_after": 3}, RateLimited),
            ("a token revoked", 401, 401, "Unauthorized", {}, AuthExpired),
            ("a token that is none", 404, 404, "Not Found", {}, AuthExpired),
            ("the bot thrown out", 403, 403, "Forbidden: bot was kicked from the channel chat", {}, AuthExpired),
            ("no such channel, as a 400", 400, 400, "Bad Request: chat not found", {}, AuthExpired),
            ("no right, as a 400", 400, 400, "Bad Request: need administrator rights in the channel chat", {}, AuthExpired),
            ("a group that moved, as a 400", 400, 400, "Bad Request: group chat was upgraded", {"migrate_to_chat_id": -1009}, AuthExpired),
            ("an error in a good answer", 200, 400, "Bad Request: message is too long", {}, Rejected),
            ("a parent that is gone", 400, 400, "Bad Request: message to be replied not found", {}, Rejected),
            ("a crash", 500, 500, "Internal Server Error", {}, OutcomeUnknown),
        )
    )

    async def start(self) -> Simulator:
        return await TelegramSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, TelegramSimulator)
        return [message.shown for message in simulator.channel.shown]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, TelegramSimulator)
        simulator.tokens.clear()

    def text_of_length(self, limits: Any, length: int) -> str:
        """Telegram counts UTF-16 units: two for an emoji."""
        return "🚲" + "a" * (length - 2)

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        assert isinstance(simulator, TelegramSimulator)
        return str(simulator.channel.messages[int(receipt.remote_id)].answers)


def options_for(server: Simulator, **changes: Any) -> Any:
    return TelegramPublisher.Options(**{"token": Secret(BOT_TOKEN), "chat": "@amisduvelo", "api": server.url, **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[TelegramSimulator]:
    async with TelegramSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def publisher(server: TelegramSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> TelegramPublisher:
    publisher = TelegramPublisher(options_for(server), make_context(tmp_path, sessions, now=clock))
    await publisher.open()
    return publisher


def other(publisher: TelegramPublisher, server: TelegramSimulator, sessions: Sessions, folder: Path, **changes: Any) -> TelegramPublisher:
    return TelegramPublisher(options_for(server, **changes), make_context(folder, sessions))


def pictures(files: Files, *names: str) -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description="Deux vélos") for name in names)


def calls(server: TelegramSimulator) -> list[str]:
    """The methods called, without those of ``open``."""
    return [name for seen in server.requests if not (name := seen.path.rpartition("/")[2]).startswith("get")]


async def test_open_names_the_channel(publisher: TelegramPublisher, server: TelegramSimulator) -> None:
    """Three questions, and nothing posted."""
    assert publisher.account == "https://t.me/amisduvelo"
    assert [seen.path.rpartition("/")[2] for seen in server.requests] == ["getMe", "getChat", "getChatMember"]


async def test_a_receipt_leads_to_the_message(publisher: TelegramPublisher) -> None:
    """Its page, and what deleting it will need."""
    receipt = await publisher.publish(make_rendition(), "key")

    assert receipt == Receipt(
        remote_id="2", url="https://t.me/amisduvelo/2", data=(("form", "text"), ("date", str(int(NOW.timestamp()))))
    )  # fmt: skip


async def test_a_private_channel_has_a_number_and_no_page(server: TelegramSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """Nobody outside could open it."""
    server.channel.username = None
    publisher = TelegramPublisher(options_for(server, chat="-1001234567890"), make_context(tmp_path, sessions))
    await publisher.open()
    receipt = await publisher.publish(make_rendition(), "key")

    assert (publisher.account, receipt.url) == (None, None)


@pytest.mark.parametrize(("written", "sent"), [
    ("@amisduvelo", "@amisduvelo"), ("amisduvelo", "@amisduvelo"), ("https://t.me/amisduvelo", "@amisduvelo"),
    ("t.me/s/amisduvelo/", "@amisduvelo"), ("-1001234567890", "-1001234567890"),
])  # fmt: skip
def test_a_channel_may_be_written_as_people_know_it(written: str, sent: str) -> None:
    """Its name, its page, its number."""
    assert TelegramPublisher.Options(token=Secret("x"), chat=written).chat_id == sent


@pytest.mark.parametrize("changes", [
    {"chat": "https://t.me/+AbCdEf"}, {"chat": ""}, {"chat": "Les Amis du Vélo"}, {"chat": "12"}, {"api": "api.telegram.org"},
    {"api": "https://user:pw@api.telegram.org"},
])  # fmt: skip
def test_what_is_no_channel_or_server_is_no_option(changes: dict[str, str]) -> None:
    """Said when the configuration is read, in both languages, without the token."""
    with pytest.raises(ValueError, match=r"canal|api") as caught:
        TelegramPublisher.Options(**{"token": Secret(BOT_TOKEN), "chat": "@amisduvelo", **changes})

    assert set(caught.value.args[0]) >= {"fr", "en"}
    assert BOT_TOKEN not in repr(caught.value)


@pytest.mark.parametrize("chat", [
    Chat(id=-1001234567890, bot_may_post=False),
    Chat(id=-1001234567890, bot_status="member"),
    Chat(id=-1001234567890, bot_status="left"),
    Chat(id=-1001234567890, bot_status="kicked"),
    Chat(id=-1001234567890, username="autre"),
    Chat(id=-1001234567890, type="supergroup", bot_status="left"),
], ids=["no-right", "no-admin", "left", "kicked", "another", "group"])  # fmt: skip
async def test_a_bot_that_may_not_post_is_found_out_at_once(
    server: TelegramSimulator, sessions: Sessions, tmp_path: Path, chat: Chat
) -> None:
    """``check`` says so, and what to do; and so does a first post, which pauses the account instead of losing the message."""
    server.chats = [chat]
    publisher = TelegramPublisher(options_for(server), make_context(tmp_path, sessions))
    for attempt in (publisher.open(), publisher.publish(make_rendition(), "key")):
        with pytest.raises(AuthExpired) as caught:
            await attempt
        assert "administrateur" in (caught.value.hint or {})["fr"]
    assert chat.shown == []


async def test_a_group_needs_no_administrator(server: TelegramSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """Any member may write there."""
    server.chats = [Chat(id=-1001234567890, type="supergroup", bot_status="member")]
    publisher = TelegramPublisher(options_for(server), make_context(tmp_path, sessions))
    await publisher.open()
    await publisher.publish(make_rendition(text="Bonjour"), "key")

    assert [message.text for message in server.chats[0].shown] == ["Bonjour"]


async def test_a_group_that_moved_names_its_new_number(server: TelegramSimulator, publisher: TelegramPublisher) -> None:
    """The account waits, so that nothing is lost until the configuration says where to."""
    server.channel.migrated_to = -1009876543210
    with pytest.raises(AuthExpired) as caught:
        await publisher.publish(make_rendition(), "key")

    assert 'chat = "-1009876543210"' in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("token", ["nonsense", "12:ab/../getMe", "", "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcX"])
async def test_a_wrong_token_asks_for_botfather(server: TelegramSimulator, sessions: Sessions, tmp_path: Path, token: str) -> None:
    """Whether it is somebody else's, revoked, or never was one."""
    publisher = TelegramPublisher(options_for(server, token=Secret(token)), make_context(tmp_path, sessions))
    with pytest.raises(AuthExpired) as caught:
        await publisher.open()

    assert "@BotFather" in (caught.value.hint or {})["fr"]


async def test_an_address_without_telegram_is_refused_with_advice(sessions: Sessions, tmp_path: Path, files: Files) -> None:
    """A typing error in ``api``."""
    publisher = TelegramPublisher(options_for(files), make_context(tmp_path, sessions))
    with pytest.raises(Rejected) as caught:
        await publisher.open()

    assert "api" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("text", [
    "*gras* _italique_ [lien](https://x.example) `code` <3 <b>&amp;</b> ~~non~~",
    "1. un\n# titre\n> citation\n||secret|| \\ @asso",
])  # fmt: skip
async def test_every_sign_is_itself(publisher: TelegramPublisher, server: TelegramSimulator, text: str) -> None:
    """No markup is read into a text, in messages nor captions."""
    await publisher.publish(make_rendition(text=text), "key")

    assert [message.text for message in server.channel.shown] == [text]
    assert b"parse_mode" not in server.requests[-1].body


@pytest.mark.parametrize(("changes", "silent", "preview"), [
    ({}, False, {"is_disabled": False}),
    ({"silent": True}, True, {"is_disabled": False}),
    ({"link_preview": False}, False, {"is_disabled": True}),
])  # fmt: skip
async def test_options_do_what_they_say(
    server: TelegramSimulator, sessions: Sessions, tmp_path: Path, changes: Any, silent: bool, preview: Any
) -> None:
    """Sound and link cards."""
    publisher = TelegramPublisher(options_for(server, **changes), make_context(tmp_path, sessions))
    await publisher.publish(make_rendition(), "key")

    assert [(message.silent, message.preview) for message in server.channel.shown] == [(silent, preview)]


async def test_one_picture_has_the_text_as_its_caption(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """Uploaded by us, without what cameras hide in files."""
    receipt = await publisher.publish(make_rendition(text="Bonjour", attachments=pictures(files, "1.jpg")), "key")

    (message,) = server.channel.shown
    assert (message.kind, message.caption, message.text) == ("photo", "Bonjour", None)
    assert b"GPSPhone" not in message.file
    assert message.file.startswith(b"\xff\xd8\xff")
    assert dict(receipt.data)["form"] == "photo"


async def test_a_video_too(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """By its own call."""
    film = Attachment(url=f"{files.url}/film.mp4", type="video")
    await publisher.publish(make_rendition(text="Bonjour", attachments=(film,)), "key")

    (message,) = server.channel.shown
    assert (message.kind, message.caption, message.file) == ("video", "Bonjour", MP4)


async def test_several_pictures_are_one_album(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """One call, in the author's order, the text below the first; the whole album is edited and deleted together."""
    attachments = pictures(files, *(f"{number}.jpg" for number in range(10)))
    receipt = await publisher.publish(make_rendition(text="Bonjour", attachments=attachments), "key")
    shown = server.channel.shown

    assert [message.caption for message in shown] == ["Bonjour", *[""] * 9]
    assert len({message.album for message in shown}) == 1
    assert len({message.file for message in shown}) == 10
    assert receipt.remote_id == str(shown[0].id)

    await publisher.update(receipt, make_rendition(text="Bonsoir", attachments=attachments))
    assert [message.caption for message in server.channel.shown][:2] == ["Bonsoir", ""]
    await publisher.delete(receipt)
    assert server.channel.shown == []
    assert calls(server) == ["sendMediaGroup", "editMessageCaption", "deleteMessages"]


async def test_an_album_may_answer(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """A part of a thread with pictures hangs under its parent too."""
    parent = await publisher.publish(make_rendition(), "key-1")
    await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg", "2.jpg")), "key-2", parent=parent)

    assert [message.answers for message in server.channel.shown] == [None, 2, 2]


async def test_a_long_text_is_cut_to_a_caption_with_the_way_home(
    publisher: TelegramPublisher, server: TelegramSimulator, files: Files
) -> None:
    """As the core shapes it: the pictures stay, the caption is full and ends with the link."""
    post = make_post(html=f"<p>{LONG} \U0001f6b2</p>", attachments=pictures(files, "1.jpg", "2.jpg"))
    (rendition,) = render(post, TelegramPublisher.limits, Style(), association=ASSOCIATION)
    await publisher.publish(rendition, "key")

    first, second = server.channel.shown
    assert (first.kind, second.kind, second.caption) == ("photo", "photo", "")
    assert first.caption is not None
    assert first.caption.endswith(f"\n\n{post.url}")
    assert 1000 < len(first.caption) <= 1024


async def test_a_long_text_may_go_on_below(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """As a thread: the first part is the caption, the others have a message's room and answer each other; not a word is lost."""
    post = make_post(html=f"<p>{LONG * 4}</p>", attachments=pictures(files, "1.jpg"))
    parts = render(post, TelegramPublisher.limits, Style(long_text="thread"), association=ASSOCIATION)
    parent = None
    for part in parts:
        parent = await publisher.publish(part, f"key-{part.part}", parent=parent)

    shown = server.channel.shown
    assert [message.answers for message in shown] == [None, *[message.id for message in shown[:-1]]]
    assert (len(shown[0].shown) <= 1024, max(len(message.shown) for message in shown[1:]) > 1024) == (True, True)
    assert " ".join(message.shown for message in shown).count("Un paragraphe de plus.") == LONG.count("plus") * 4


@pytest.mark.parametrize("extra", [0, 1])
async def test_the_limit_of_a_caption_is_telegrams(
    publisher: TelegramPublisher, server: TelegramSimulator, files: Files, extra: int, caplog: pytest.LogCaptureFixture
) -> None:
    """In UTF-16 units. Whoever does not keep to it gets the text, whole, and a word in the log."""
    assert LIMITS.caption_max == 1024
    text = "🚲" + "a" * (1022 + extra)
    await publisher.publish(make_rendition(text=text, attachments=pictures(files, "1.jpg")), "key")

    assert [(message.shown, message.kind) for message in server.channel.shown] == [(text, None if extra else "photo")]
    assert ("caption is too long" in caplog.text) == bool(extra)


BAL = "Fête 👩‍👩‍👧‍👦 : le programme, <b>et</b> l'adresse"
LINKS = (("le programme", "https://asso.example/programme"), ("l'adresse", "https://asso.example/où?a=1&b=2"))


def linked(text: str = BAL, **changes: Any) -> Rendition:
    spans = [Span(start=text.index(words), end=text.index(words) + len(words), url=url) for words, url in LINKS if words in text]
    return make_rendition(text=text, spans=tuple(spans), **changes)


async def test_words_are_links(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """On their words, after emoji and signs that markup would eat; in messages, captions and albums, and after an edit."""
    shapes: list[dict[str, Any]] = [{}, {"attachments": pictures(files, "1.jpg")}, {"attachments": pictures(files, "1.jpg", "2.jpg")}]
    for number, shape in enumerate(shapes):
        server.channel.messages.clear()
        receipt = await publisher.publish(linked(**shape), f"key-{number}")
        assert next((message.shown, message.links) for message in server.channel.shown) == (BAL, LINKS)
        await publisher.update(receipt, linked("Samedi, le programme", **shape))
        assert next((message.shown, message.links) for message in server.channel.shown) == ("Samedi, le programme", LINKS[:1])
    receipt = await publisher.publish(make_rendition(text="Bal"), "key")
    await publisher.update(receipt, linked(attachments=pictures(files, "3.jpg")))
    assert [(message.kind, message.links) for message in server.channel.shown][-1] == ("photo", LINKS)


async def test_no_more_links_than_telegram_shows(publisher: TelegramPublisher, server: TelegramSimulator) -> None:
    """Beyond a hundred they are words."""
    spans = tuple(Span(start=2 * number, end=2 * number + 1, url="https://asso.example/") for number in range(120))
    await publisher.publish(make_rendition(text="a " * 120 + "b", spans=spans), "key")

    assert len(server.channel.shown[0].links) == 100


async def test_what_is_sensitive_lies_under_a_blur(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """A picture, a video, each of an album, and the one that an edit brings; nothing else does."""
    film = (Attachment(url=f"{files.url}/film.mp4", type="video"),)
    for attachments in (pictures(files, "1.jpg"), film, pictures(files, "1.jpg", "2.jpg")):
        receipt = await publisher.publish(make_rendition(sensitive=True, attachments=attachments), "key")
    assert [message.hidden for message in server.channel.shown] == [True] * 4
    assert LIMITS.sensitive_media

    server.channel.messages.clear()
    receipt = await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")
    assert [message.hidden for message in server.channel.shown] == [False]
    await publisher.update(receipt, make_rendition(sensitive=True, attachments=pictures(files, "2.jpg")))
    assert [message.hidden for message in server.channel.shown] == [True]


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_nothing_private_is_published(publisher: TelegramPublisher, server: TelegramSimulator, visibility: Any) -> None:
    """Whatever the core may ask."""
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(visibility=visibility), "key")
    assert server.channel.shown == []


async def test_a_large_video_travels_from_disk(
    publisher: TelegramPublisher, server: TelegramSimulator, files: Files, tmp_path: Path
) -> None:
    """More than pictures may have; with its shape and its length, and gone from the disk when it has left."""
    files.files["long.mp4"] = clip(92_400, more=bytes(41_000_000))
    film = Attachment(url=f"{files.url}/long.mp4", type="video", width=1280, height=720)
    await publisher.gather(film, make_rendition())
    assert len(list(tmp_path.rglob("videos/*"))) == 1
    await publisher.publish(make_rendition(attachments=(film,)), "key")

    sent = server.requests[-1].body
    fields = {
        name: part.body.decode() for part in parts(server.requests[-1].headers["Content-Type"], sent) if (name := part.name) != "video"
    }
    assert {name: fields[name] for name in ("width", "height", "duration", "supports_streaming")} == {
        "width": "1280", "height": "720", "duration": "92", "supports_streaming": "true",
    }  # fmt: skip
    assert [len(message.file) > 41_000_000 for message in server.channel.shown] == [True]
    assert list(tmp_path.rglob("videos/*")) == []
    assert len(files.requests) == 1


@pytest.mark.parametrize("name", ["page.jpg", "nowhere.jpg"])
async def test_a_picture_that_will_never_do_stops_no_text(
    publisher: TelegramPublisher, server: TelegramSimulator, files: Files, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a picture, not there: left out, and said."""
    await publisher.publish(make_rendition(text="Bonjour", attachments=pictures(files, name)), "key")

    assert [message.text for message in server.channel.shown] == ["Bonjour"]
    assert f"media left out url={files.url}/{name}" in caplog.text


async def test_a_picture_that_cannot_be_had_now_makes_the_message_wait(
    publisher: TelegramPublisher, server: TelegramSimulator, files: Files
) -> None:
    """The origin is down: nothing is sent yet."""
    files.fault(Fault(action="answer", status=503))
    with pytest.raises(Transient):
        await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")

    assert server.channel.shown == []


@pytest.mark.parametrize("fault", [
    Fault(action="answer", status=400, body=refusal(400, "Bad Request: IMAGE_PROCESS_FAILED"), path="/sendPhoto"),
    Fault(action="answer", status=413, body=refusal(413, "Request Entity Too Large"), path="/sendPhoto"),
    Fault(action="answer", status=413, body=b"<html>nginx", headers={"Content-Type": "text/html"}, path="/sendPhoto"),
], ids=["400", "413", "nginx"])  # fmt: skip
async def test_a_picture_that_telegram_refuses_stops_no_text(
    publisher: TelegramPublisher, server: TelegramSimulator, files: Files, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """What passed our checks and not theirs is left out, and said."""
    server.fault(fault)
    await publisher.publish(make_rendition(text="Bonjour", attachments=pictures(files, "1.jpg")), "key")

    assert [message.text for message in server.channel.shown] == ["Bonjour"]
    assert "media left out" in caplog.text


async def test_the_largest_pictures_pass(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """Brought down to what Telegram takes, in every shape, with a border where it takes none of that shape."""
    shapes = [(3000, 2000), (9000, 1000), (9_750, 500), (100, 2100), (10_500, 500)]
    for number, size in enumerate(shapes):
        files.files[f"large{number}.png"] = encoded(Image.new("RGB", size, "blue"), "PNG")
    await publisher.publish(make_rendition(attachments=pictures(files, *(f"large{number}.png" for number in range(5)))), "key")

    assert [message.kind for message in server.channel.shown] == ["photo"] * 5


async def test_an_edit_replaces_a_single_picture(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """The poster was the wrong one; what did not change is not uploaded again."""
    receipt = await publisher.publish(make_rendition(text="Bal", attachments=pictures(files, "1.jpg")), "key")
    (before,) = server.channel.shown
    same = await publisher.update(receipt, make_rendition(text="Bal folk", attachments=pictures(files, "1.jpg")))
    for _ in range(2):
        same = await publisher.update(same, make_rendition(text="Bal folk", attachments=pictures(files, "2.jpg")))

    (after,) = server.channel.shown
    assert (after.caption, after.id, after.file != before.file) == ("Bal folk", before.id, True)
    assert calls(server) == ["sendPhoto", "editMessageCaption", "editMessageMedia", "editMessageCaption"]


async def test_an_edit_adds_a_picture_to_a_text(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """One picture: Telegram can put it in the text's place."""
    receipt = await publisher.publish(make_rendition(text="Bal"), "key")
    receipt = await publisher.update(receipt, make_rendition(text="Bal", attachments=pictures(files, "1.jpg")))

    assert [(message.caption, message.kind) for message in server.channel.shown] == [("Bal", "photo")]
    await publisher.update(receipt, make_rendition(text="Bal folk", attachments=pictures(files, "1.jpg")))
    assert [message.caption for message in server.channel.shown] == ["Bal folk"]


async def test_an_edit_never_loses_its_text_for_a_picture(
    publisher: TelegramPublisher, server: TelegramSimulator, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """Albums keep their pictures, refused ones are left out: the text is corrected, and the log says what was not."""
    album = await publisher.publish(make_rendition(text="Bal", attachments=pictures(files, "1.jpg", "2.jpg")), "key-1")
    await publisher.update(album, make_rendition(text="Bal folk", attachments=pictures(files, "3.jpg")))
    text = await publisher.publish(make_rendition(text="Concert"), "key-2")
    server.fault(Fault(action="answer", status=400, body=refusal(400, "Bad Request: IMAGE_PROCESS_FAILED"), path="/editMessageMedia"))
    await publisher.update(text, make_rendition(text="Concert rock", attachments=pictures(files, "3.jpg")))

    assert [message.shown for message in server.channel.shown] == ["Bal folk", "", "Concert rock"]
    assert caplog.text.count("media not changed") == 2


async def test_a_caption_cannot_become_a_long_text(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """Telegram has no way: a person is told what to do, and nothing is cut."""
    receipt = await publisher.publish(make_rendition(text="Bal", attachments=pictures(files, "1.jpg")), "key")
    with pytest.raises(Rejected) as caught:
        await publisher.update(receipt, make_rendition(text=LONG, attachments=pictures(files, "1.jpg")))

    assert "1 024" in (caught.value.hint or {})["fr"]
    assert [message.caption for message in server.channel.shown] == ["Bal"]


@pytest.mark.parametrize(("hours", "deleted"), [(47, True), (48, False)])
async def test_a_message_is_deleted_within_48_hours(
    publisher: TelegramPublisher, server: TelegramSimulator, clock: Clock, hours: int, deleted: bool
) -> None:
    """After that a person is told to do it."""
    receipt = await publisher.publish(make_rendition(), "key")
    clock.forward(hours=hours)
    if deleted:
        await publisher.delete(receipt)
    else:
        with pytest.raises(Rejected) as caught:
            await publisher.delete(receipt)
        assert "48 heures" in (caught.value.hint or {})["fr"]

    assert bool(server.channel.shown) != deleted


async def test_an_old_message_is_still_edited(publisher: TelegramPublisher, server: TelegramSimulator, clock: Clock) -> None:
    """A channel's own posts have no age limit."""
    receipt = await publisher.publish(make_rendition(text="Bal"), "key")
    clock.forward(days=40)
    await publisher.update(receipt, make_rendition(text="Annulé : Bal"))

    assert [message.text for message in server.channel.shown] == ["Annulé : Bal"]


async def test_what_somebody_deleted_there_is_gone(publisher: TelegramPublisher, server: TelegramSimulator, files: Files) -> None:
    """For an edit, a caption's edit, and a deletion; a part whose parent is gone is refused, not posted alone."""
    text = await publisher.publish(make_rendition(text="Bal"), "key-1")
    picture = await publisher.publish(make_rendition(text="Bal", attachments=pictures(files, "1.jpg")), "key-2")
    server.channel.messages.clear()
    for attempt in (
        publisher.update(text, make_rendition(text="Bal folk")),
        publisher.update(picture, make_rendition(text="Bal folk", attachments=pictures(files, "1.jpg"))),
        publisher.delete(text),
    ):
        with pytest.raises(Gone):
            await attempt
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(part=1, parts=2), "key-3", parent=text)

    assert server.channel.shown == []


def json_fault(code: int, description: str, *, status: int | None = None, **parameters: int) -> Fault:
    headers = {"Content-Type": "application/json"}
    return Fault(action="answer", status=status or code, headers=headers, body=refusal(code, description, **parameters), times=9)


@pytest.mark.parametrize(("fault", "expected"), [
    (json_fault(429, "Too Many Requests: retry after 37", retry_after=37), RateLimited),
    (json_fault(401, "Unauthorized"), AuthExpired),
    (json_fault(401, "Unauthorized", status=200), AuthExpired),
    (json_fault(404, "Not Found"), AuthExpired),
    (json_fault(403, "Forbidden: bot was blocked by the user"), AuthExpired),
    (json_fault(400, "Bad Request: chat not found"), AuthExpired),
    (json_fault(400, "Bad Request: not enough rights to send text messages to the chat"), AuthExpired),
    (json_fault(400, "Bad Request: message is too long"), Rejected),
    (json_fault(400, "Bad Request: the chat not found in this message"), Rejected),
    (json_fault(500, "Internal Server Error"), OutcomeUnknown),
    (json_fault(502, "Bad Gateway", status=200), OutcomeUnknown),
    (Fault(action="answer", status=200, body=b'{"ok": true}', times=9), OutcomeUnknown),
    (Fault(action="answer", status=200, body=b'{"ok": true, "result": [7]}', times=9), OutcomeUnknown),
    (Fault(action="answer", status=200, body=b'{"ok": true, "result": {"date": 1}}', times=9), OutcomeUnknown),
    (Fault(action="answer", status=200, body=HTML_ERROR, headers={"Content-Type": "text/html"}, times=9), OutcomeUnknown),
    (Fault(action="answer", status=503, body=HTML_ERROR, headers={"Content-Type": "text/html"}, times=9), OutcomeUnknown),
    (Fault(action="answer", status=504, times=9), OutcomeUnknown),
    (Fault(action="answer", status=404, body=HTML_ERROR, headers={"Content-Type": "text/html"}, times=9), Rejected),
    (Fault(action="drop", times=9), OutcomeUnknown),
])  # fmt: skip
async def test_each_answer_is_the_right_error(
    publisher: TelegramPublisher, server: TelegramSimulator, fault: Fault, expected: type[ConnectorError]
) -> None:
    """By code, by parameter, and for a few 400s by whole phrases; whatever may have been made is never called a failure."""
    server.fault(fault)
    with pytest.raises(ConnectorError) as caught:
        await publisher.publish(make_rendition(), "key")

    assert type(caught.value) is expected


async def test_the_wait_is_what_telegram_says(publisher: TelegramPublisher, server: TelegramSimulator) -> None:
    """``parameters.retry_after``, in seconds."""
    server.fault(json_fault(429, "Too Many Requests: retry after 37", retry_after=37))
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(), "key")

    assert caught.value.at == NOW + timedelta(seconds=37)


async def test_reading_may_be_repeated(server: TelegramSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """An outage while logging in leaves nothing in doubt."""
    publisher = TelegramPublisher(options_for(server), make_context(tmp_path, sessions))
    for fault in (Fault(action="drop"), Fault(action="answer", status=502), json_fault(500, "Internal Server Error")):
        server.faults = [replace(fault, path="/getMe", times=9)]
        with pytest.raises(Transient):
            await publisher.open()


BAD_HEADER = {"X-Bad": "a" * 40_000}


@pytest.mark.parametrize("fault", [
    Fault(action="lose", times=9), Fault(action="drop", times=9), Fault(action="truncate"), Fault(action="mask", status=502),
    Fault(action="answer", status=404, body=f"404: /bot{BOT_TOKEN}/sendMessage".encode(), headers={"Content-Type": "text/plain"}),
    Fault(action="answer", status=200, body=f"no such page: /bot{BOT_TOKEN}/".encode(), headers={"Content-Type": "text/plain"}),
    Fault(action="answer", status=400, body=refusal(400, f"Bad Request: token {BOT_TOKEN}")),
    Fault(action="answer", status=401, body=refusal(401, "Unauthorized")),
    Fault(action="answer", status=200, headers=BAD_HEADER),
    Fault(action="answer", status=200, body=b" " * 5_000_001),
    Fault(action="answer", status=302, headers={"Location": f"http://127.0.0.1:1/bot{BOT_TOKEN}/getMe"}, times=9),
], ids=["lost", "cut", "truncated", "502", "echo-404", "echo-200", "echo-400", "401", "header", "huge", "redirect"])  # fmt: skip
@pytest.mark.parametrize("verb", ["open", "publish", "update", "delete"])
async def test_the_token_never_shows(
    publisher: TelegramPublisher, server: TelegramSimulator, caplog: pytest.LogCaptureFixture, fault: Fault, verb: str
) -> None:
    """Not in an error, its causes, a traceback, a log or a repr, whatever answers."""
    receipt = await publisher.publish(make_rendition(), "key")
    attempt = {
        "open": publisher.open, "publish": lambda: publisher.publish(make_rendition(), "key"),
        "update": lambda: publisher.update(receipt, make_rendition(text="Autre")), "delete": lambda: publisher.delete(receipt),
    }[verb]  # fmt: skip
    server.fault(fault)
    with caplog.at_level(logging.DEBUG), pytest.raises(ConnectorError) as caught:
        await attempt()

    error: BaseException | None = caught.value
    told = [caplog.text, repr(publisher), repr(vars(publisher)), repr(receipt), *traceback.format_exception(caught.value)]
    while error is not None:
        told += [repr(error), str(error), repr(vars(error)), repr(error.args)]
        error = error.__cause__ or error.__context__
    assert BOT_TOKEN.partition(":")[2] not in " ".join(told)


async def test_what_the_simulator_answers_has_every_required_field(
    publisher: TelegramPublisher, server: TelegramSimulator, sessions: Sessions, files: Files
) -> None:
    """By the published specification, for each type that is answered."""
    await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")
    asked = {"getMe": "", "getChat": "?chat_id=@amisduvelo", "getChatMember": f"?chat_id=@amisduvelo&user_id={server.bot['id']}"}
    answers = {}
    for method, query in {**asked, "sendMessage": "?chat_id=@amisduvelo&text=Bonjour"}.items():
        async with sessions.get(private=True, write=False).get(f"{server.url}/bot{BOT_TOKEN}/{method}{query}") as answer:
            answers[method] = (await answer.json())["result"]
    required = {kind: set(names) for kind, names in telegram()["required"].items()}
    kinds = {"getMe": "User", "getChat": "ChatFullInfo", "getChatMember": "ChatMemberAdministrator", "sendMessage": "Message"}

    assert {method: list(required[kind] - answers[method].keys()) for method, kind in kinds.items()} == {method: [] for method in kinds}


def link(offset: int, length: int, url: str = "https://asso.example/") -> dict[str, Any]:
    return {"type": "text_link", "offset": offset, "length": length, "url": url}


@pytest.mark.parametrize(("method", "params", "code"), [
    ("sendMessage", {"chat_id": "@amisduvelo"}, 400),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": "a", "txet": "b"}, 400),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": "a", "link_preview_options": {"is_disabled": "no"}}, 400),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": "a", "reply_parameters": {}}, 400),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": " "}, 400),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": "a", "parse_mode": "HTML"}, 501),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": "a", "entities": [{"type": "bold", "offset": 0, "length": 1}]}, 501),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": "a", "entities": [link(0, 2)]}, 400),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": "🚲a", "entities": [link(1, 1)]}, 400),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": "a", "entities": [link(0, 1, "mailto:a@b.example")]}, 400),
    ("sendMessage", {"chat_id": "@amisduvelo", "text": "a", "entities": [{"type": "text_link", "offset": 0}]}, 400),
    ("sendMediaGroup", {"chat_id": "@amisduvelo", "media": [{"type": "photo", "media": "attach://a"}]}, 400),
    ("sendMediaGroup", {"chat_id": "@amisduvelo", "media": [{"type": "photo", "src": "attach://a"}] * 2}, 400),
    ("sendPhoto", {"chat_id": "@amisduvelo", "photo": "attach://nothing"}, 400),
    ("deleteMessage", {"chat_id": "@amisduvelo", "message_id": "x"}, 400),
    ("shutdown", {}, 404),
])  # fmt: skip
async def test_the_simulator_refuses_what_the_specification_does_not_allow(
    server: TelegramSimulator, sessions: Sessions, method: str, params: Any, code: int
) -> None:
    """Missing, unknown, of another type, too few, empty."""
    async with sessions.get(private=True, write=True).post(f"{server.url}/bot{BOT_TOKEN}/{method}", json=params) as answer:
        document = json.loads(await answer.read())

    assert (answer.status, document["ok"], document["error_code"]) == (code, False, code)
    assert server.channel.shown == []


def test_the_reduced_specification_says_where_it_is_from() -> None:
    """Source, licence, and what was left out; its limits are those that we declare."""
    found = telegram()

    assert set(found["provenance"]) == {"what", "from", "licence", "reduced"}
    assert found["methods"]["sendMessage"]["text"]["limits"] == [f"1-{LIMITS.text_max} characters"]
    assert found["methods"]["sendPhoto"]["caption"]["limits"] == ["0-1024 characters"]
    assert found["methods"]["sendMediaGroup"]["media"]["limits"] == [f"include 2-{LIMITS.media.images_max}"]


def test_the_specification_is_reduced_to_what_is_asked() -> None:
    """The same input gives the same bytes; every type that a call reaches, through others too, and of descriptions the limits alone."""

    def field(name: str, kind: str, description: str = "") -> dict[str, Any]:
        return {"name": name, "types": [kind], "required": True, "description": description}

    kinds = {
        "Media": {"subtypes": ["Photo"]}, "Photo": {"fields": [field("caption", "String", "Caption, 0-1024 characters after parsing")]},
        "Unused": {"fields": []}, "Keyboard": {"fields": []},
    }  # fmt: skip
    call = {"fields": [field("media", "Array of Media"), field("reply_markup", "Keyboard")]}
    answers = {name: {"fields": [field("id", "Integer")]} for name in TELEGRAM_ANSWERS}
    reduced = reduce_telegram({"methods": dict.fromkeys(TELEGRAM_METHODS, call), "types": kinds | answers})

    media = {"types": ["Array of Media"], "required": True, "limits": []}
    caption = {"types": ["String"], "required": True, "limits": ["0-1024 characters"]}
    assert reduced["methods"] == {key: {"media": media} for key in TELEGRAM_METHODS}
    assert reduced["types"] == {"Media": {"subtypes": ["Photo"]}, "Photo": {"fields": {"caption": caption}}}
    assert reduced["required"] == {key: ["id"] for key in TELEGRAM_ANSWERS}
    assert written(telegram()) == files_of("syndicator.sandbox").joinpath("data/telegram-bot-api.json").read_text("utf-8")

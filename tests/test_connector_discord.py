"""The Discord publisher: the contract, files and alt texts, markdown that stays text, limits of rate, and an address that never shows."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from connectors.discord import DiscordPublisher
from connectors.discord.markdown import markdown
from connectors.discord.publisher import LIMITS
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt, Span
from syndicator.sandbox.discord import SUPPRESS_EMBEDS, TOKEN, DiscordSimulator, Message, refusal
from syndicator.sandbox.openapi import flaws
from syndicator.sandbox.published import discord, reduce_discord, written
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_rendition
from tests.clock import Clock
from tests.media_scene import MP4, Files, encoded, noise

CHANNEL = "https://discord.com/channels/199737254929760250/199737254929760256"
THREAD = "1020276787390984203"
JSON = "application/json"


class TestDiscord(PublisherContract):
    """In a channel of a server."""

    connector = DiscordPublisher
    path = "/api/v10/webhooks/"
    dialect = tuple(
        (what, Fault(action="answer", method="POST", status=status, body=body, headers={"Content-Type": kind}), error)
        for what, status, body, kind, error in (
            ("too many requests", 429, b'{"message": "", "retry_after": 0.65, "global": false}', JSON, RateLimited),
            ("Cloudflare's too many requests", 429, b"error code: 1015", "text/plain", RateLimited),
            ("a wrong token", 401, refusal(50027, "Invalid Webhook Token"), JSON, AuthExpired),
            ("a webhook deleted", 404, refusal(10015, "Unknown Webhook"), JSON, AuthExpired),
            ("a right taken away", 403, refusal(50013, "Missing Permissions"), JSON, AuthExpired),
            ("a thread that is gone", 404, refusal(10003, "Unknown Channel"), JSON, AuthExpired),
            ("a forum without a thread, as a 400", 400, refusal(220001, "Webhooks posted to forum channels must have"), JSON, AuthExpired),
            ("a form filled in wrongly", 400, refusal(50035, "Invalid Form Body", errors={}), JSON, Rejected),
            ("nothing said", 400, refusal(50006, "Cannot send an empty message"), JSON, Rejected),
            ("too large", 413, refusal(40005, "Request entity too large"), JSON, Rejected),
            ("a crash", 500, refusal(0, "500: Internal Server Error"), JSON, OutcomeUnknown),
            ("a page in a good answer", 200, HTML_ERROR, "text/html", OutcomeUnknown),
        )
    )

    async def start(self) -> Simulator:
        return await DiscordSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, DiscordSimulator)
        return [message.shown for message in simulator.webhook.shown]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, DiscordSimulator)
        simulator.webhook.token = "another"

    def text_of_length(self, limits: Any, length: int) -> str:
        """UTF-16 units: two for an emoji."""
        return "🚲" + "a" * (length - 2)


def options_for(server: Simulator, **changes: Any) -> Any:
    assert isinstance(server, DiscordSimulator)
    address = server.address.replace(server.webhook.token, TOKEN)
    return DiscordPublisher.Options(**{"webhook": Secret(address), **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def publisher(server: DiscordSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> DiscordPublisher:
    publisher = DiscordPublisher(options_for(server), make_context(tmp_path, sessions, now=clock))
    await publisher.open()
    return publisher


def pictures(files: Files, *names: str, description: str = "Deux vélos") -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description=description) for name in names)


def alts(server: DiscordSimulator) -> list[list[str | None]]:
    return [[file.description for file in message.files] for message in server.webhook.shown]


def bodies(server: DiscordSimulator, method: str) -> list[Any]:
    """What was sent as JSON, alone or in a form."""
    found = []
    for seen in server.requests:
        if seen.method == method:
            raw = seen.body
            if b'name="payload_json"' in raw:
                raw = raw.partition(b'name="payload_json"')[2].partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
            found.append(json.loads(raw))
    return found


async def test_open_names_the_channel(publisher: DiscordPublisher, server: DiscordSimulator) -> None:
    """One question, and nothing posted."""
    assert publisher.account == CHANNEL
    assert [seen.method for seen in server.requests] == ["GET"]


async def test_a_receipt_leads_to_the_message(publisher: DiscordPublisher, server: DiscordSimulator) -> None:
    """Its page, for members of the server."""
    receipt = await publisher.publish(make_rendition(), "key")

    number = server.webhook.shown[0].id
    assert receipt == Receipt(remote_id=number, url=f"{CHANNEL}/{number}")


async def test_nobody_is_called(publisher: DiscordPublisher, server: DiscordSimulator) -> None:
    """Posted or edited: what looks like a mention is text."""
    text = "@everyone @here <@123> <@&456> <#789> @asso"
    receipt = await publisher.publish(make_rendition(text=text), "key")
    assert [(message.pings, message.shown) for message in server.webhook.shown] == [((), text)]
    await publisher.update(receipt, make_rendition(text=f"{text} !"))
    assert [(message.pings, message.shown) for message in server.webhook.shown] == [((), f"{text} !")]
    assert [body["allowed_mentions"] for body in bodies(server, "POST") + bodies(server, "PATCH")] == [{"parse": []}] * 2


async def test_the_simulator_would_call_them(server: DiscordSimulator, sessions: Sessions) -> None:
    """The test above can fail."""
    await post(server, sessions, {"content": "@everyone <@123>"})

    assert server.webhook.shown[0].pings == ("everyone", "123")


@pytest.mark.parametrize(("text", "sent"), [
    ("*gras* _italique_ `code` ~~non~~ ||secret||", r"\*gras\* \_italique\_ \`code\` \~\~non\~\~ \|\|secret\|\|"),
    ("[lien](https://x.example/a)", r"\[lien\](<https://x.example/a>)"),
    ("# Titre\n> citation\n- un\n1. deux\n-# petit", "\\# Titre\n\\> citation\n\\- un\n1\\. deux\n\\-# petit"),
    ("https://x.example/a_b_c*d et https://x.example/e", "https://x.example/a_b_c*d et https://x.example/e"),
    ("Voir https://x.example/a, puis https://x.example/b.", "Voir https://x.example/a, puis https://x.example/b."),
    ("[voir https://x.example/a] (https://x.example/b)", r"\[voir <https://x.example/a>\] (<https://x.example/b>)"),
    ("https://x.example/a! <https://x.example/a>", r"<https://x.example/a>! \<<https://x.example/a>\>"),
    (r"¯\_(ツ)_/¯ <3 5 > 4", r"¯\\\_(ツ)\_/¯ \<3 5 \> 4"),
    ("C'est fini : #vélo :)", "C'est fini : #vélo :)"),
])  # fmt: skip
def test_every_sign_is_itself(text: str, sent: str) -> None:
    """No markup is read into a text, and no link takes what stands beside it."""
    assert markdown(text) == sent


@given(st.text(alphabet="ab é🚲*_`~|<>[]()\\#-+=>1.@:\n\t", max_size=60))
def test_escaping_changes_nothing_that_is_read(text: str) -> None:
    """Backslashes taken away as Discord does, the text is what it was; and it has no subtext, which CommonMark does not know."""
    sent = markdown(text)

    assert re.sub(r"\\([^0-9A-Za-z\s])", r"\1", sent) == text
    assert not re.search(r"^[ \t]*-# ", sent, re.MULTILINE)


@pytest.mark.parametrize(("text", "words", "url", "sent"), [
    ("le programme, ici", "le programme", "https://a.example/p?x=1&y=(2)", "[le programme](<https://a.example/p?x=1&y=(2)>), ici"),
    ("le *vrai* [plan]", "*vrai* [plan]", "https://a.example/", r"le [\*vrai\* \[plan\]](<https://a.example/>)"),
    ("un mot", "un mot", "https://a.example/a b<c>\\d", "[un mot](<https://a.example/a%20b%3Cc%3E%5Cd>)"),
    ("deux\nlignes", "deux\nlignes", "https://a.example/", "[deux lignes](<https://a.example/>)"),
    ("La suite : https://a.example/1", "https://a.example/1", "https://a.example/1?mtm_campaign=x", "La suite : https://a.example/1?mtm_campaign=x"),
    ("(https://a.example/1)", "https://a.example/1", "https://a.example/2", "(<https://a.example/2>)"),
    ("voir https://a.example/1", "voir https://a.example/1", "https://b.example/", "voir https://a.example/1 (<https://b.example/>)"),
    ("- le mot https://c.example/_a_b", "le mot", "https://a.example/", "\\- [le mot](<https://a.example/>) https://c.example/_a_b"),
])  # fmt: skip
def test_words_are_links(text: str, words: str, url: str, sent: str) -> None:
    """Without a card; the true address is spelt out where the words are an address, for which Discord would show no link."""
    at = text.index(words)
    assert markdown(text, [Span(start=at, end=at + len(words), url=url)]) == sent


@given(st.text(alphabet="ab é🚲\ue000*_`~|<>[]()\\#-+=>1.@:\n", min_size=2, max_size=40), st.data())
def test_links_are_on_their_words(text: str, data: st.DataObject) -> None:
    """Read back as Discord reads it, the text is what it was and the link on the words it was on, whatever signs there are."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    words = text[start:end].replace("\n", " ")
    content = markdown(text, [Span(start=start, end=end, url="https://a.example/")])
    message = Message(id="1", channel_id="1", at=NOW, username="a", content=content)

    assert message.shown == text[:start] + words + text[end:]
    assert message.links == ((words, "https://a.example/"),)


async def test_links_stay_through_an_edit(publisher: DiscordPublisher, server: DiscordSimulator) -> None:
    """Posted, corrected."""
    words = (Span(start=0, end=12, url="https://a.example/"),)
    receipt = await publisher.publish(make_rendition(text="Le programme du bal", spans=words), "key")
    await publisher.update(receipt, make_rendition(text="Le programme corrigé", spans=words))

    (message,) = server.webhook.shown
    assert (message.shown, message.links) == ("Le programme corrigé", (("Le programme", "https://a.example/"),))


@pytest.mark.parametrize(("count", "shown"), [(10, 10), (40, 20)])
async def test_addresses_behind_words_never_cost_a_word(
    publisher: DiscordPublisher, server: DiscordSimulator, count: int, shown: int
) -> None:
    """What is too long only by what is not seen is an embed, whole; with as many of its links as an embed has room for."""
    text = "mot " * 499 + "fin."
    spans = tuple(Span(start=4 * number, end=4 * number + 3, url=f"https://a.example/{'x' * 80}") for number in range(count))
    await publisher.publish(make_rendition(text=text, spans=spans), "key")

    (message,) = server.webhook.shown
    assert (message.shown, message.content, len(message.embeds)) == (text, "", 1)
    assert len(message.links) == shown


@pytest.mark.parametrize("stars", [1, 2000])
async def test_backslashes_never_cost_a_word(publisher: DiscordPublisher, server: DiscordSimulator, stars: int) -> None:
    """A text of full length whose escapes do not fit beside it is shown whole, as an embed; and may change back."""
    text = "*" * stars + "a" * (2000 - stars)
    receipt = await publisher.publish(make_rendition(text=text), "key")
    (message,) = server.webhook.shown
    assert (message.shown, message.content, len(message.embeds)) == (text, "", 1)

    await publisher.update(receipt, make_rendition(text="Bref"))
    assert [(message.content, message.embeds) for message in server.webhook.shown] == [("Bref", ())]


async def test_escapes_that_fit_stay_in_the_message(publisher: DiscordPublisher, server: DiscordSimulator) -> None:
    """Exactly 2,000 with them."""
    await publisher.publish(make_rendition(text="*" * 1000), "key")

    assert [(len(message.content), message.embeds) for message in server.webhook.shown] == [(2000, ())]


async def test_files_travel_with_their_alt_texts(publisher: DiscordPublisher, server: DiscordSimulator, files: Files) -> None:
    """In the author's order; an empty one leaves no empty field, one above the limit is cut at a word."""
    long = "mot " * 300
    attachments = (
        *pictures(files, "1.jpg", description="Un"), *pictures(files, "2.jpg", description=""), *pictures(files, "3.jpg", description=long),
    )  # fmt: skip
    receipt = await publisher.publish(make_rendition(text="Photos", attachments=attachments), "key")

    (message,) = server.webhook.shown
    assert message.content == "Photos"
    assert alts(server) == [["Un", None, f"{'mot ' * 255}mot…"]]
    assert all(b"GPSPhone" not in file.data and file.data.startswith(b"\xff\xd8\xff") for file in message.files)
    assert receipt.data == tuple(zip([one.url for one in attachments], [file.id for file in message.files], strict=True))
    assert "description" not in bodies(server, "POST")[0]["attachments"][1]


async def test_pictures_alone_are_a_message(publisher: DiscordPublisher, server: DiscordSimulator, files: Files) -> None:
    """Ten of them, without a word."""
    await publisher.publish(make_rendition(text="", attachments=pictures(files, *(f"{n}.jpg" for n in range(10)))), "key")

    assert [len(message.files) for message in server.webhook.shown] == [10]


async def test_the_same_picture_twice_is_two_files(publisher: DiscordPublisher, files: Files) -> None:
    """Whoever mirrored it under two addresses can still take one away."""
    files.files["copie.jpg"] = files.files["1.jpg"]
    receipt = await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg", "copie.jpg")), "key")

    assert [url.rpartition("/")[2] for url, _ in receipt.data] == ["1.jpg", "copie.jpg"]


async def test_a_video_too(publisher: DiscordPublisher, server: DiscordSimulator, files: Files) -> None:
    """As it is."""
    film = Attachment(url=f"{files.url}/film.mp4", type="video", description="Une balade")
    await publisher.publish(make_rendition(attachments=(film,)), "key")

    (file,) = server.webhook.shown[0].files
    assert (file.content_type, file.data, file.description) == ("video/mp4", MP4, "Une balade")


async def test_ten_large_pictures_fit_one_request(publisher: DiscordPublisher, server: DiscordSimulator, files: Files) -> None:
    """Each may have 10 MiB, all together 25: they are brought down to their share."""
    drawing = encoded(noise(960, 960), "PNG")
    files.files |= {f"large{number}.png": drawing for number in range(10)}
    assert len(drawing) * 10 > 25 * 1024 * 1024
    await publisher.publish(make_rendition(attachments=pictures(files, *(f"large{n}.png" for n in range(10)))), "key")

    assert [len(message.files) for message in server.webhook.shown] == [10]


@pytest.mark.parametrize("name", ["page.jpg", "nowhere.jpg"])
async def test_a_picture_that_will_never_do_stops_no_text(
    publisher: DiscordPublisher, server: DiscordSimulator, files: Files, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Left out, and said."""
    await publisher.publish(make_rendition(text="Bonjour", attachments=pictures(files, name)), "key")

    assert [(message.content, message.files) for message in server.webhook.shown] == [("Bonjour", ())]
    assert f"media left out url={files.url}/{name}" in caplog.text


async def test_a_picture_that_cannot_be_had_now_makes_the_message_wait(
    publisher: DiscordPublisher, server: DiscordSimulator, files: Files
) -> None:
    """The origin is down: nothing is sent yet."""
    files.fault(Fault(action="answer", status=503))
    with pytest.raises(Transient):
        await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")

    assert server.webhook.shown == []


@pytest.mark.parametrize("fault", [
    Fault(action="answer", status=413, body=refusal(40005, "Request entity too large")),
    Fault(action="answer", status=413, body=HTML_ERROR, headers={"Content-Type": "text/html"}),
], ids=["discord", "proxy"])  # fmt: skip
async def test_files_too_large_stop_no_text(
    publisher: DiscordPublisher, server: DiscordSimulator, files: Files, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """Servers of each level take another size: the text goes, edits keep what was there, and the log says so. A text alone is refused."""
    server.fault(replace(fault, method="POST"))
    receipt = await publisher.publish(make_rendition(text="Bonjour", attachments=pictures(files, "1.jpg")), "key")
    server.fault(replace(fault, method="PATCH"))
    await publisher.update(receipt, make_rendition(text="Bonsoir", attachments=pictures(files, "1.jpg")))
    assert [(message.content, message.files) for message in server.webhook.shown] == [("Bonsoir", ())]
    assert caplog.text.count("media left out") == 2

    server.fault(replace(fault, method="POST"))
    with pytest.raises(Rejected) as caught:
        await publisher.publish(make_rendition(), "key-2")
    assert type(caught.value) is Rejected


async def test_what_is_sensitive_lies_under_a_cover(publisher: DiscordPublisher, server: DiscordSimulator, files: Files) -> None:
    """Each file of the message; an edit keeps what it is, and uploads anew what changed."""
    assert LIMITS.sensitive_media
    attachments = pictures(files, "1.jpg", "2.jpg")
    receipt = await publisher.publish(make_rendition(sensitive=True, attachments=attachments), "key")
    assert covered(server) == [True, True]
    assert [url for url, _ in receipt.data] == [*[one.url for one in attachments], "sensitive"]

    before = server.webhook.shown[0].files
    receipt = await publisher.update(receipt, make_rendition(text="Après", sensitive=True, attachments=attachments))
    assert server.webhook.shown[0].files == before
    receipt = await publisher.update(receipt, make_rendition(text="Après", attachments=attachments))
    assert (covered(server), [url for url, _ in receipt.data]) == ([False, False], [one.url for one in attachments])
    await publisher.update(receipt, make_rendition(text="Après", sensitive=True, attachments=attachments))
    assert covered(server) == [True, True]


def covered(server: DiscordSimulator) -> list[bool]:
    return [file.covered for message in server.webhook.shown for file in message.files]


async def test_media_are_fetched_once(publisher: DiscordPublisher, files: Files) -> None:
    """What was gathered for a message is what it is sent with."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg", "2.jpg", "3.jpg"))
    for attachment in rendition.attachments:
        await publisher.gather(attachment, rendition)
    await publisher.publish(rendition, "key")

    assert len(files.requests) == 3


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_nothing_private_is_published(publisher: DiscordPublisher, server: DiscordSimulator, visibility: Any) -> None:
    """Whatever the core may ask."""
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(visibility=visibility), "key")
    assert server.webhook.shown == []


async def test_an_edit_uploads_only_what_is_new(publisher: DiscordPublisher, server: DiscordSimulator, files: Files) -> None:
    """Pictures come, go, keep their place, and get better alt texts."""
    receipt = await publisher.publish(make_rendition(text="Avant", attachments=pictures(files, "1.jpg", "2.jpg")), "key")
    before = server.webhook.shown[0].files
    wanted = (*pictures(files, "3.jpg", description="Trois"), *pictures(files, "2.jpg", description="Deux, enfin décrite"))
    receipt = await publisher.update(receipt, make_rendition(text="Après", attachments=wanted))

    (message,) = server.webhook.shown
    assert (message.content, alts(server)) == ("Après", [["Trois", "Deux, enfin décrite"]])
    assert message.files[1].id == before[1].id
    assert [url for url, _ in receipt.data] == [one.url for one in wanted]
    assert server.requests[-1].body.count(b'name="files[') == 1

    await publisher.update(receipt, make_rendition(text="Après", attachments=()))
    assert alts(server) == [[]]


async def test_a_thread_has_its_own_number(server: DiscordSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """Posts, edits and deletions all go there."""
    server.webhook.forum, server.webhook.threads = True, {THREAD}
    publisher = DiscordPublisher(options_for(server, thread_id=THREAD), make_context(tmp_path, sessions))
    await publisher.open()
    receipt = await publisher.publish(make_rendition(text="Avant"), "key")
    assert receipt.url == f"https://discord.com/channels/199737254929760250/{THREAD}/{receipt.remote_id}"
    await publisher.update(receipt, make_rendition(text="Après"))
    assert [(message.content, message.channel_id) for message in server.webhook.shown] == [("Après", THREAD)]
    await publisher.delete(receipt)
    assert server.webhook.shown == []


@pytest.mark.parametrize(("forum", "thread_id"), [(True, None), (False, THREAD)])
async def test_a_wrong_thread_pauses_with_advice(
    server: DiscordSimulator, sessions: Sessions, tmp_path: Path, forum: bool, thread_id: str | None
) -> None:
    """A forum without a thread, a thread that is not there: somebody must say where; nothing is lost meanwhile."""
    server.webhook.forum = forum
    publisher = DiscordPublisher(options_for(server, thread_id=thread_id), make_context(tmp_path, sessions))
    with pytest.raises(AuthExpired) as caught:
        await publisher.publish(make_rendition(), "key")

    assert "thread_id" in (caught.value.hint or {})["fr"]


async def test_another_name_is_shown(server: DiscordSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """On posts; an edit cannot say it and need not."""
    publisher = DiscordPublisher(options_for(server, username="L'agenda"), make_context(tmp_path, sessions))
    receipt = await publisher.publish(make_rendition(), "key")
    await publisher.update(receipt, make_rendition(text="Après"))

    assert [message.username for message in server.webhook.shown] == ["L'agenda"]


async def test_cards_can_be_suppressed(server: DiscordSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """On posts and edits; but never the embed that holds the text."""
    publisher = DiscordPublisher(options_for(server, suppress_embeds=True), make_context(tmp_path, sessions))
    receipt = await publisher.publish(make_rendition(), "key-1")
    await publisher.update(receipt, make_rendition(text="Après"))
    await publisher.publish(make_rendition(text="*" * 1500), "key-2")

    assert [message.flags for message in server.webhook.shown] == [SUPPRESS_EMBEDS, 0]


@pytest.mark.parametrize("changes", [
    {"thread_id": "fil"}, {"thread_id": ""}, {"username": ""}, {"username": " "}, {"username": "a" * 81}, {"username": "Discord de l'asso"},
])  # fmt: skip
def test_what_discord_would_refuse_is_no_option(changes: dict[str, str]) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match=r"thread_id|username") as caught:
        DiscordPublisher.Options(webhook=Secret("x"), **changes)

    assert set(caught.value.args[0]) >= {"fr", "en"}


@pytest.mark.parametrize("address", [
    "https://discord.com/channels/1/2", "nonsense", "", "https://user:pw@discord.com/api/webhooks/1/abc", "ftp://discord.com/api/webhooks/1/a",
])  # fmt: skip
async def test_what_is_no_webhook_asks_for_one(sessions: Sessions, tmp_path: Path, address: str) -> None:
    """A channel's page copied instead of the webhook's address: said before anything is asked of anybody."""
    publisher = DiscordPublisher(DiscordPublisher.Options(webhook=Secret(address)), make_context(tmp_path, sessions))
    with pytest.raises(AuthExpired) as caught:
        await publisher.open()

    assert "Webhooks" in (caught.value.hint or {})["fr"]


async def test_an_address_without_discord_is_refused_with_advice(sessions: Sessions, tmp_path: Path, files: Files) -> None:
    """Whatever else answers there."""
    options = DiscordPublisher.Options(webhook=Secret(f"{files.url}/api/webhooks/1/abcdef"))
    publisher = DiscordPublisher(options, make_context(tmp_path, sessions))
    with pytest.raises(AuthExpired) as caught:
        await publisher.open()

    assert "webhook" in (caught.value.hint or {})["fr"]


async def test_a_deleted_webhook_is_no_deleted_message(publisher: DiscordPublisher, server: DiscordSimulator) -> None:
    """Both are 404: the code tells a person from nothing to do."""
    receipt = await publisher.publish(make_rendition(), "key")
    server.webhook.messages.clear()
    for gone in (publisher.update(receipt, make_rendition(text="Après")), publisher.delete(receipt)):
        with pytest.raises(Gone):
            await gone
    server.webhook.id = "1"
    for dead in (publisher.update(receipt, make_rendition(text="Après")), publisher.delete(receipt), publisher.open()):
        with pytest.raises(AuthExpired):
            await dead


async def test_room_that_is_used_up_is_waited_for(publisher: DiscordPublisher, server: DiscordSimulator, clock: Clock) -> None:
    """The answer says that nothing more fits and for how long: the next message waits here, and Discord never has to refuse."""
    for number in range(5):
        await publisher.publish(make_rendition(text=f"{number}"), f"key-{number}")
    asked = len(server.requests)
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(text="5"), "key-5")
    assert (len(server.requests), caught.value.at) == (asked, clock() + timedelta(seconds=2))

    clock.forward(seconds=2)
    await publisher.publish(make_rendition(text="5"), "key-5")
    assert len(server.webhook.shown) == 6


def answered(status: int, body: bytes, *, kind: str = "application/json", **headers: str) -> Fault:
    return Fault(action="answer", status=status, body=body, headers={"Content-Type": kind, **headers}, times=9)


FORM_ERROR = refusal(50035, "Invalid Form Body", errors={"embeds": {"0": {"url": {"_errors": [{"code": "URL", "message": "Not a URL."}]}}}})


@pytest.mark.parametrize(("fault", "expected"), [
    (answered(429, b'{"message": "You are being rate limited.", "retry_after": 0.65, "global": false}'), RateLimited),
    (answered(429, b"error code: 1015", kind="text/plain"), RateLimited),
    (answered(401, refusal(50027, "Invalid Webhook Token")), AuthExpired),
    (answered(401, refusal(0, "401: Unauthorized")), AuthExpired),
    (answered(403, refusal(50013, "Missing Permissions")), AuthExpired),
    (answered(404, refusal(10015, "Unknown Webhook")), AuthExpired),
    (answered(404, refusal(10003, "Unknown Channel")), AuthExpired),
    (answered(404, HTML_ERROR, kind="text/html"), AuthExpired),
    (answered(400, FORM_ERROR), Rejected),
    (answered(400, refusal(50006, "Cannot send an empty message")), Rejected),
    (answered(400, b"[]"), Rejected),
    (answered(302, b"", Location="https://discord.com/login"), Rejected),
    (answered(500, refusal(0, "500: Internal Server Error")), OutcomeUnknown),
    (answered(503, HTML_ERROR, kind="text/html"), OutcomeUnknown),
    (answered(524, b""), OutcomeUnknown),
    (answered(200, HTML_ERROR, kind="text/html"), OutcomeUnknown),
    (answered(200, b'{"content": "a"}'), OutcomeUnknown),
    (answered(200, b"[]"), OutcomeUnknown),
    (answered(204, b""), OutcomeUnknown),
    (Fault(action="drop", times=9), OutcomeUnknown),
])  # fmt: skip
async def test_each_answer_is_the_right_error(
    publisher: DiscordPublisher, server: DiscordSimulator, fault: Fault, expected: type[ConnectorError]
) -> None:
    """By code and status; whatever may have been made is never called a failure."""
    server.fault(fault)
    with pytest.raises(ConnectorError) as caught:
        await publisher.publish(make_rendition(), "key")

    assert type(caught.value) is expected


async def test_the_wait_is_what_discord_says(publisher: DiscordPublisher, server: DiscordSimulator) -> None:
    """``retry_after``, in fractions of a second; Cloudflare's own refusal says it in a header."""
    told = [(b'{"message": "", "retry_after": 0.65, "global": true}', 0.65), (b"error code: 1015", 40)]
    for body, seconds in told:
        server.faults = [answered(429, body, **{"Retry-After": "40"})]
        with pytest.raises(RateLimited) as caught:
            await publisher.publish(make_rendition(), "key")
        assert caught.value.at == NOW + timedelta(seconds=seconds)


async def test_a_refused_form_says_what_is_wrong_where(publisher: DiscordPublisher, server: DiscordSimulator) -> None:
    """The tree of errors, flat."""
    server.fault(answered(400, FORM_ERROR))
    with pytest.raises(Rejected) as caught:
        await publisher.publish(make_rendition(), "key")

    assert caught.value.detail == "Discord answered 400: Invalid Form Body (50035): embeds.0.url: Not a URL."


async def test_reading_may_be_repeated(publisher: DiscordPublisher, server: DiscordSimulator) -> None:
    """An outage while logging in leaves nothing in doubt."""
    for fault in (Fault(action="drop"), Fault(action="answer", status=502), Fault(action="answer", status=503)):
        server.faults = [replace(fault, times=9)]
        with pytest.raises(Transient):
            await publisher.open()


PATH = f"/api/v10/webhooks/245037420704169985/{TOKEN}"


@pytest.mark.parametrize("fault", [
    Fault(action="lose", times=9), Fault(action="drop", times=9), Fault(action="truncate"), Fault(action="mask", status=502),
    answered(404, f"404: {PATH}".encode(), kind="text/plain"),
    answered(200, f"no such page: {PATH}".encode(), kind="text/plain"),
    answered(400, refusal(50035, f"Bad {PATH}")),
    answered(401, refusal(50027, "Invalid Webhook Token")),
    answered(200, b"", **{"X-Bad": "a" * 40_000}),
    answered(200, b" " * 5_000_001),
    answered(302, b"", Location=f"http://127.0.0.1:1{PATH}"),
], ids=["lost", "cut", "truncated", "502", "echo-404", "echo-200", "echo-400", "401", "header", "huge", "redirect"])  # fmt: skip
@pytest.mark.parametrize("verb", ["open", "publish", "update", "delete"])
async def test_the_address_never_shows(
    publisher: DiscordPublisher, server: DiscordSimulator, caplog: pytest.LogCaptureFixture, fault: Fault, verb: str
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
    assert TOKEN not in " ".join(told)


async def post(server: DiscordSimulator, sessions: Sessions, body: Any, query: str = "?wait=true", method: str = "POST") -> tuple[int, Any]:
    url = f"{server.url}/api/v10/webhooks/{server.webhook.id}/{server.webhook.token}{query}"
    async with sessions.get(private=True, write=True).request(method, url, json=body) as answer:
        return answer.status, json.loads(await answer.read() or b"null")


@pytest.mark.parametrize(("body", "query", "code"), [
    ({}, "?wait=true", 50006),
    ({"content": "a" * 2001}, "?wait=true", 50035),
    ({"content": "🚲" * 1001}, "?wait=true", 50035),
    ({"content": 5}, "?wait=true", 50035),
    ({"content": "a", "contents": "b"}, "?wait=true", 50035),
    ({"content": "a", "allowed_mentions": {"parse": ["all"]}}, "?wait=true", 50035),
    ({"content": "a", "attachments": [{"description": "sans numéro"}]}, "?wait=true", 50035),
    ({"content": "a", "attachments": [{"id": "0"}]}, "?wait=true", 50035),
    ({"content": "a", "embeds": [{"description": "a" * 4097}]}, "?wait=true", 50035),
    ({"content": "a", "embeds": [{}] * 11}, "?wait=true", 50035),
    ({"content": "a", "username": "Le Discord"}, "?wait=true", 50035),
    ({"content": "a", "flags": 1}, "?wait=true", 50035),
    ({"content": "a"}, "?wait=perhaps", 50035),
    ({"content": "a"}, "?thread_id=5", 10003),
])  # fmt: skip
async def test_the_simulator_refuses_what_the_specification_does_not_allow(
    server: DiscordSimulator, sessions: Sessions, body: Any, query: str, code: int
) -> None:
    """Too long, of another type, unknown, incomplete."""
    status, answer = await post(server, sessions, body, query)

    assert (status // 100, answer["code"]) == (4, code)
    assert server.webhook.shown == []


async def test_what_the_simulator_answers_has_every_required_field(
    publisher: DiscordPublisher, server: DiscordSimulator, sessions: Sessions, files: Files
) -> None:
    """By the published specification, for each type that is answered."""
    receipt = await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")
    _, webhook = await post(server, sessions, None, "", "GET")
    _, message = await post(server, sessions, None, f"/messages/{receipt.remote_id}", "GET")
    required = {kind: set(names) for kind, names in discord()["required"].items()}
    answers = {
        "GuildIncomingWebhookResponse": webhook, "MessageResponse": message,
        "MessageAttachmentResponse": message["attachments"][0], "UserResponse": message["author"],
    }  # fmt: skip

    assert {kind: list(required[kind] - answer.keys()) for kind, answer in answers.items()} == {kind: [] for kind in required}


@pytest.mark.parametrize("body", [
    {"content": None}, {"content": "a" * 2000}, {"content": "a" * 2001}, {"tts": 1}, {"embeds": [{"color": -1}]},
    {"embeds": [{"title": 5}]},
    {"attachments": [{"id": "1", "description": "a" * 1025}]}, {"attachments": [{"id": "01"}]}, {"username": ""}, {"embeds": {}},
    {"allowed_mentions": {"parse": ["users", "users"]}}, {"allowed_mentions": None}, {"allowed_mentions": {"users": ["x"]}},
])  # fmt: skip
def test_our_reading_of_schemas_is_the_libraries(body: Any) -> None:
    """The simulator's small validator agrees with jsonschema on what is right and what is wrong."""
    schemas = discord()["schemas"]
    whole = {"$ref": "#/components/schemas/IncomingWebhookRequestPartial", "components": {"schemas": schemas}}
    right = Draft202012Validator(whole).is_valid(body)

    assert (list(flaws(schemas["IncomingWebhookRequestPartial"], body, schemas)) == []) == right


def test_the_limits_are_the_specifications() -> None:
    """Text, files and alt texts, from the published schema; which says where it is from."""
    found = discord()
    properties = found["schemas"]["IncomingWebhookRequestPartial"]["properties"]

    assert set(found["provenance"]) == {"what", "from", "licence", "reduced"}
    assert (LIMITS.text_max, LIMITS.media.images_max, LIMITS.media.alt_max) == (
        properties["content"]["maxLength"],
        properties["attachments"]["maxItems"],
        found["schemas"]["MessageAttachmentRequest"]["properties"]["description"]["maxLength"],
    )


def test_the_specification_is_reduced_to_what_is_asked() -> None:
    """The same input gives the same bytes; what nobody here sends is left out, and what is left is whole."""
    flat = {"type": "string"}
    body = {"properties": {"content": flat, "poll": {"$ref": "#/components/schemas/Poll"}, "id": {"$ref": "#/components/schemas/Id"}}}
    names = ["GuildIncomingWebhookResponse", "MessageResponse", "MessageAttachmentResponse", "UserResponse"]
    answers = {name: {"required": ["id"], "properties": {"id": flat}} for name in names}
    bodies = dict.fromkeys(["IncomingWebhookRequestPartial", "IncomingWebhookUpdateRequestPartial"], body)
    operations = {"parameters": [], "post": {"parameters": [{"name": "wait", "in": "query", "schema": {"type": "boolean"}}]}}
    paths = dict.fromkeys(discord()["calls"], operations)
    reduced = reduce_discord({"paths": paths, "components": {"schemas": {**bodies, **answers, "Poll": flat, "Id": flat}}})

    assert reduced["schemas"].keys() == {*bodies, "Id"}
    assert reduced["schemas"]["IncomingWebhookRequestPartial"]["properties"].keys() == {"content", "id"}
    assert reduced["calls"] == {key: {"post": {"wait": {"type": "boolean"}}} for key in discord()["calls"]}
    assert reduced["required"] == {key: ["id"] for key in names}
    assert written(discord()) == files_of("syndicator.sandbox").joinpath("data/discord-openapi.json").read_text("utf-8")

"""The Rocket.Chat publisher: the contract, numbers of our own, pictures as messages, signs that mean nothing, nobody called."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rocketchat import RocketchatPublisher
from connectors.rocketchat.publisher import LIMITS
from connectors.rocketchat.wording import ALIKE, JOINER, plain
from syndicator.contract import Limits, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt
from syndicator.sandbox import rocketchat
from syndicator.sandbox.rocketchat import RocketchatSimulator
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_rendition
from syndicator.text.links import addresses, emails
from tests.clock import Clock
from tests.media_scene import Files

SEND = "/chat.sendMessage"
TOKEN = "t0k3n" * 8


def refused(error: str | None, code: str = "", *, status: int = 400, times: int = 1) -> Fault:
    document = {"success": False, **({"error": error} if error else {}), **({"errorType": code} if code else {})}
    return Fault(action="answer", status=status, body=json.dumps(document).encode(), path=SEND, times=times)


class TestRocketchat(PublisherContract):
    """In a room of a workspace."""

    connector = RocketchatPublisher
    path = SEND
    dialect = (
        ("its own 429", refused("Error, too many requests. [error-too-many-requests]", status=429), RateLimited),
        (
            "its own 429 behind a 400",
            refused("Error, too many requests. [error-too-many-requests]", "error-too-many-requests"),
            RateLimited,
        ),
        (
            "a dead token",
            Fault(action="answer", status=401, body=b'{"status":"error","message":"You must be logged in."}', path=SEND),
            AuthExpired,
        ),
        ("no right, as a code", refused("error-not-allowed"), AuthExpired),
        ("no right, with a sentence", refused("Not allowed [error-not-allowed]", "error-not-allowed"), AuthExpired),
        ("no right, in an ok answer", refused("Not allowed", "error-not-allowed", status=200), AuthExpired),
        ("a room that is gone", refused("error-invalid-room"), AuthExpired),
        ("a muted account", refused("You_have_been_muted"), AuthExpired),
        ("too long a text", refused("Too long [error-message-size-exceeded]", "error-message-size-exceeded"), Rejected),
        ("another shape", refused("must have required property 'message' [invalid-params]", "invalid-params"), Rejected),
        ("a sentence without a code", refused("Something about this message"), Rejected),
        ("an error of its own", refused("Internal server error", status=500), OutcomeUnknown),
        ("an address without the API", Fault(action="answer", status=404, body=HTML_ERROR, path=SEND), Rejected),
        ("a page instead of a message", Fault(action="answer", status=200, body=HTML_ERROR, path=SEND), OutcomeUnknown),
        ("no message in the answer", Fault(action="answer", status=200, body=b'{"success":true}', path=SEND), OutcomeUnknown),
        ("no verdict in the answer", Fault(action="answer", status=200, body=b"{}", path=SEND), OutcomeUnknown),
        ("a redirect", Fault(action="answer", status=302, headers={"Location": "https://x.example"}, path=SEND), Rejected),
    )

    async def start(self) -> Simulator:
        return await RocketchatSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, RocketchatSimulator)
        return [message.shown for message in simulator.room.shown if message.file is None]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, RocketchatSimulator)
        simulator.token = "another"

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        assert isinstance(simulator, RocketchatSimulator)
        return simulator.room.messages[receipt.remote_id].tmid

    def text_of_length(self, limits: Limits, length: int) -> str:
        """JavaScript's length: two for an emoji."""
        return "🚲" + "a" * (length - 2)


def options_for(server: Simulator, **changes: Any) -> Any:
    assert isinstance(server, RocketchatSimulator)
    known = {"url": server.url, "user_id": server.user_id, "token": Secret(TOKEN), "room": "annonces"}
    return RocketchatPublisher.Options(**{**known, **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[RocketchatSimulator]:
    async with RocketchatSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def publisher(server: RocketchatSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> RocketchatPublisher:
    publisher = RocketchatPublisher(options_for(server), make_context(tmp_path, sessions, now=clock))
    await publisher.open()
    return publisher


def pictures(files: Files, *names: str, description: str = "Deux vélos") -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description=description) for name in names)


def films(files: Files, count: int) -> tuple[Attachment, ...]:
    """Files that need no decoding."""
    return tuple(Attachment(url=f"{files.url}/film.mp4?{number}", type="video", description=f"Film {number}") for number in range(count))


def captions(server: RocketchatSimulator) -> list[str]:
    return [message.description for message in server.room.shown if message.file is not None]


async def test_a_receipt_leads_to_the_message(publisher: RocketchatPublisher, server: RocketchatSimulator) -> None:
    """Under the number that we chose; the room's page is the account."""
    receipt = await publisher.publish(make_rendition(), "key")

    (message,) = server.room.shown
    assert re.fullmatch(r"[23456789A-HJ-NP-TW-Za-km-z]{17}", message.id)
    assert receipt == Receipt(remote_id=message.id, url=f"{server.url}/channel/annonces?msg={message.id}")
    assert publisher.account == f"{server.url}/channel/annonces"


@pytest.mark.parametrize("room", ["annonces", "#annonces", "URL/channel/annonces", "URL/group/annonces/", "6GFJ3tbmHiyHbahmC"])
async def test_a_room_is_known_by_its_name_or_number(server: RocketchatSimulator, sessions: Sessions, tmp_path: Path, room: str) -> None:
    """As it is written in the list, in the address bar, or in its settings; a private one has another page."""
    server.room.kind = "p"
    publisher = RocketchatPublisher(options_for(server, room=room.replace("URL", server.url)), make_context(tmp_path, sessions))
    await publisher.open()

    assert publisher.account == f"{server.url}/group/annonces"


@pytest.mark.parametrize("changes", [
    {"url": "ftp://x.example"}, {"url": ""}, {"url": "https://a:b@x.example"}, {"room": ""}, {"room": "a b"}, {"room": "#"},
])  # fmt: skip
def test_what_cannot_work_is_no_option(changes: dict[str, Any]) -> None:
    """Said when the configuration is read, in both languages."""
    known = {"url": "https://chat.example", "user_id": "u", "token": Secret("x"), "room": "annonces"}
    with pytest.raises(ValueError, match="fr") as caught:
        RocketchatPublisher.Options(**{**known, **changes})

    assert set(caught.value.args[0]) >= {"fr", "en"}


async def test_nobody_is_called(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files) -> None:
    """In a text or a description, posted or edited: it reads the same; addresses and e-mail stay what they are."""
    text = "@all @here, >@asso ! contact@asso.example https://asso.example/@agenda"
    shown = pictures(files, "1.jpg", description="@all en photo")
    receipt = await publisher.publish(make_rendition(text=text, attachments=shown), "key")
    described = pictures(files, "1.jpg", description="@here en photo")
    await publisher.update(receipt, make_rendition(text=f"{text} !", attachments=described))

    assert [message.called for message in server.room.shown] == [[], []]
    assert server.room.shown[0].shown == f"{text} !"
    assert "contact@asso.example https://asso.example/@agenda" in server.room.shown[0].msg


@pytest.mark.parametrize(("text", "sent"), [
    ("étudiant*e*s et *tou*te*s*", "étudiant∗e∗s et ∗tou∗te∗s∗"),
    ("5 * 3\nune *seule", "5 * 3\nune *seule"),
    ("_italique_ nom_de_fichier", "ˍitaliqueˍ nom_de_fichier"),
    ("~non~ `code` ~", "∼non∼ ˋcodeˋ ∼"),
    ("[lien](https://x.example/a) ![](https://x.example/b)", f"[lien]{JOINER}(https://x.example/a) ![]{JOINER}(https://x.example/b)"),
    ("# Titre\n#vélo\n> citation\n- un", f"{JOINER}# Titre\n#vélo\n{JOINER}> citation\n{JOINER}- un"),
    ("1. deux\n* trois\n2.quatre", f"{JOINER}1. deux\n{JOINER}* trois\n2.quatre"),
    ("||secret|| <t:1630360800>", f"|{JOINER}|secret|{JOINER}| <{JOINER}t:1630360800>"),
    ("<https://x.example/a|b>", f"<{JOINER}https://x.example/a|b>"),
    ("https://x.example/a_b_*c* jean_p_@asso.example", "https://x.example/a_b_*c* jean_p_@asso.example"),
    (r"\(x\) \[y\]", rf"\{JOINER}(x\) \{JOINER}[y\]"),
    ("10:30, C'est fini :)", "10:30, C'est fini :)"),
])  # fmt: skip
def test_every_sign_is_itself(text: str, sent: str) -> None:
    """There are no escapes: pairs are replaced by what looks alike, the rest is kept apart; addresses stay whole."""
    assert plain(text) == sent


@given(st.text(alphabet="ab é🚲*_`~|<>[]()\\#-+=>1.@:/\n\t", max_size=60))
def test_reads_the_same_and_means_nothing(text: str) -> None:
    """Nothing is lost, and no line holds what its parser looks for."""
    sent = plain(text)
    assert sent.translate(rocketchat.ALIKE) == text

    for line in sent.split("\n"):
        kept = [(entity.start, entity.end) for entity in [*addresses(line, bare=False), *emails(line)]]
        free = "".join(sign for place, sign in enumerate(line) if not any(start <= place < end for start, end in kept))
        assert all(free.count(sign) < 2 for sign in "*~`")
        assert not re.search(r"\]\(|\|\||<[A-Za-z+]|(?:^|[\s>])@[\w.-]|(?<![A-Za-z0-9])_.*_(?![A-Za-z0-9])", free)
        assert not re.match(r">|#{1,4}[ \t]|[-*][ \t]|\d+\.[ \t]", line)


def test_the_signs_are_known_on_both_sides() -> None:
    """What the simulator reads back is what is written."""
    assert {ord(alike): sign for sign, alike in ALIKE.items()} == {key: value for key, value in rocketchat.ALIKE.items() if value}


async def test_joiners_never_cost_a_word(publisher: RocketchatPublisher, server: RocketchatSimulator) -> None:
    """Where only they make a text too long, they are left out, and still nobody is called."""
    text = "@all " + "|" * 4994
    await publisher.publish(make_rendition(text=text), "key")

    assert (server.room.shown[0].msg.replace(JOINER, ""), server.room.shown[0].called) == (text, [])


async def test_files_are_messages_of_their_own(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files) -> None:
    """After the text, in the author's order, with their alt texts; what is no picture is left out."""
    shown = (*pictures(files, "1.jpg", "page.jpg"), *films(files, 1))
    receipt = await publisher.publish(make_rendition(attachments=shown), "key")

    assert captions(server) == ["Deux vélos", "Film 0"]
    uploads = [message.file for message in server.room.shown if message.file]
    assert [(one.name, one.media_type) for one in uploads] == [
        (f"{receipt.remote_id}-1.jpg", "image/jpeg"), (f"{receipt.remote_id}-3.mp4", "video/mp4"),
    ]  # fmt: skip
    assert [url for url, _ in receipt.data] == [shown[0].url, shown[2].url]


async def test_no_more_files_than_fit(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files) -> None:
    """Four: ten calls of a kind in a minute are all that a server takes."""
    await publisher.publish(make_rendition(attachments=films(files, 6)), "key")

    assert len(captions(server)) == LIMITS.media.images_max == 4


async def test_an_interrupted_post_is_finished(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files) -> None:
    """Cut at each step: unknown, never forgotten; the next attempt adds what lacks and nothing twice."""
    rendition = make_rendition(attachments=films(files, 3))
    prepared = await publisher.prepare(rendition, "key")
    for fault in (
        Fault(action="lose", path=SEND), Fault(action="answer", status=429, path="/rooms.mediaConfirm"),
        Fault(action="lose", path="/rooms.mediaConfirm"), Fault(action="drop", path="/rooms.mediaConfirm"),
        Fault(action="mask", status=502, path="/rooms.mediaConfirm", skip=0),
    ):  # fmt: skip
        server.fault(fault)
        with pytest.raises(OutcomeUnknown):
            await publisher.publish(rendition, "key", prepared=prepared)
    receipt = await publisher.publish(rendition, "key", prepared=prepared)

    assert (len(server.room.shown), captions(server)) == (4, ["Film 0", "Film 1", "Film 2"])
    assert [message_id for _, message_id in receipt.data] == [message.id for message in server.room.shown[1:]]
    assert await publisher.find("key", rendition, prepared=prepared) == receipt


async def test_a_token_that_dies_on_the_way(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files) -> None:
    """The text is out: unknown, so that nobody takes the whole for undone."""
    server.fault(Fault(action="answer", status=401, body=b'{"status":"error"}', path="/rooms.mediaConfirm"))
    with pytest.raises(OutcomeUnknown) as caught:
        await publisher.publish(make_rendition(attachments=films(files, 1)), "key")

    assert "jeton" in (caught.value.hint or {})["fr"]


async def test_a_known_number_answered_with_nothing(publisher: RocketchatPublisher, server: RocketchatSimulator) -> None:
    """Success without a message, as some versions may say: looked up."""
    first = await publisher.publish(make_rendition(), "key")
    server.fault(Fault(action="answer", status=200, body=b'{"success":true}', path=SEND))

    assert await publisher.publish(make_rendition(), "key") == first


async def test_uploads_do_not_live_for_ever(
    publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files, clock: Clock
) -> None:
    """What was prepared a day ago is prepared anew, before anything goes out."""
    rendition = make_rendition(attachments=films(files, 1))
    prepared = await publisher.prepare(rendition, "key")
    clock.forward(hours=23)
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)
    assert server.room.shown == []
    await publisher.publish(make_rendition(text="Sans image"), "key-2", prepared=await publisher.prepare(make_rendition(), "key-2"))

    assert await publisher.publish(rendition, "key", prepared=await publisher.prepare(rendition, "key"))
    assert captions(server) == ["Film 0"]


@pytest.mark.parametrize("fault", [
    Fault(action="drop", path="/rooms.media/", times=2), Fault(action="answer", status=502, path="/rooms.media/", times=2),
    Fault(action="answer", status=200, body=b'{"success": true}', path="/rooms.media/", times=2),
])  # fmt: skip
async def test_a_failing_upload_may_be_tried_again(
    publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files, fault: Fault
) -> None:
    """An upload that nothing shows is nothing: never an unknown outcome."""
    server.fault(fault)
    rendition = make_rendition(attachments=films(files, 1))
    for attempt in (publisher.prepare(rendition, "key"), publisher.publish(rendition, "key")):
        with pytest.raises(Transient):
            await attempt
    assert server.room.shown == []


async def test_a_refused_picture_does_not_stop_the_text(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files) -> None:
    """Too large, on a server without that call, or gone when it is to be shown."""
    server.file_max = 10
    await publisher.publish(make_rendition(text="Un", attachments=films(files, 1)), "key-1")
    server.file_max = 10**6
    server.fault(Fault(action="answer", status=404, body=b'{"success":false,"error":"API endpoint does not exist"}', path="/rooms.media/"))
    await publisher.publish(make_rendition(text="Deux", attachments=films(files, 1)), "key-2")
    prepared = await publisher.prepare(make_rendition(attachments=films(files, 1)), "key-3")
    server.uploads.clear()
    await publisher.publish(make_rendition(text="Trois", attachments=films(files, 1)), "key-3", prepared=prepared)

    assert [message.shown for message in server.room.shown] == ["Un", "Deux", "Trois"]


async def test_a_thread_has_one_root(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files) -> None:
    """Pictures stay in it."""
    first = await publisher.publish(make_rendition(text="Un", parts=3), "key-1")
    second = await publisher.publish(make_rendition(text="Deux", part=1, parts=3, attachments=films(files, 1)), "key-2", parent=first)
    await publisher.publish(make_rendition(text="Trois", part=2, parts=3), "key-3", parent=second)

    assert [message.tmid for message in server.room.shown] == ["", *[first.remote_id] * 3]


async def test_a_picture_alone_says_what_it_shows(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files) -> None:
    """A message cannot be empty; nothing at all is none."""
    await publisher.publish(make_rendition(text="", attachments=films(files, 1)), "key-1")
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(text=""), "key-2")

    assert [message.shown for message in server.room.shown] == ["Film 0", ""]


async def test_pictures_follow_an_edit_as_far_as_they_can(
    publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """One is described anew, one goes; one that comes stays at home, and the log says so."""
    one, two, three = films(files, 3)
    receipt = await publisher.publish(make_rendition(attachments=(one, two)), "key")
    described = Attachment(url=one.url, type="video", description="Un film rouge")
    receipt = await publisher.update(receipt, make_rendition(text="Après", attachments=(described, three)))

    assert (server.room.shown[0].shown, captions(server)) == ("Après", ["Un film rouge"])
    assert [url for url, _ in receipt.data] == [one.url]
    assert three.url in caplog.text
    asked = len(server.requests)
    await publisher.update(receipt, make_rendition(text="Après", attachments=(described,)))
    assert [seen.path.rpartition("/")[2] for seen in server.requests[asked:]] == ["chat.getMessage", "chat.update", "chat.getMessage"]


@pytest.mark.parametrize("keep", ["", "rm", "hidden"])
async def test_a_deletion_takes_everything(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files, keep: str) -> None:
    """Whatever the workspace keeps of it: text and pictures; again is Gone, an edit too, and it is not found."""
    server.keep = keep
    rendition = make_rendition(attachments=films(files, 2))
    receipt = await publisher.publish(rendition, "key")
    await publisher.delete(receipt)
    assert server.room.shown == []
    with pytest.raises(Gone):
        await publisher.update(receipt, make_rendition(text="Après"))
    if not keep:
        with pytest.raises(Gone):
            await publisher.delete(receipt)
    assert await publisher.find("key", rendition) is None


async def test_a_deletion_may_be_interrupted(publisher: RocketchatPublisher, server: RocketchatSimulator, files: Files) -> None:
    """Whatever was left is taken by the second attempt, also when a person had removed the text."""
    receipt = await publisher.publish(make_rendition(attachments=films(files, 2)), "key")
    server.fault(Fault(action="drop", path="/chat.delete", skip=1))
    with pytest.raises(OutcomeUnknown):
        await publisher.delete(receipt)
    del server.room.messages[receipt.remote_id]
    with pytest.raises(Gone):
        await publisher.delete(receipt)

    assert server.room.shown == []


async def test_too_late_waits_for_a_person(publisher: RocketchatPublisher, server: RocketchatSimulator, clock: Clock) -> None:
    """The workspace's own limit, in plain words."""
    receipt = await publisher.publish(make_rendition(), "key")
    server.block_after = timedelta(minutes=5)
    clock.forward(minutes=6)
    for attempt in (publisher.update(receipt, make_rendition(text="Après")), publisher.delete(receipt)):
        with pytest.raises(Rejected) as caught:
            await attempt
        assert "à la main" in (caught.value.hint or {})["fr"]


async def test_what_cannot_be_edited_is_not_gone(publisher: RocketchatPublisher, server: RocketchatSimulator) -> None:
    """A refusal without a code, while the message is there."""
    receipt = await publisher.publish(make_rendition(), "key")
    for path in ("/chat.update", "/chat.delete"):
        server.fault(Fault(action="answer", status=400, body=b'{"success":false,"error":"Who knows"}', path=path))
    for attempt in (publisher.update(receipt, make_rendition(text="Après")), publisher.delete(receipt)):
        with pytest.raises(Rejected):
            await attempt


async def test_a_read_only_room_wants_a_moderator(server: RocketchatSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """It is refused with a sentence alone: that the room is read-only is known."""
    server.room.read_only = True
    publisher = RocketchatPublisher(options_for(server), make_context(tmp_path, sessions))
    await publisher.open()
    with pytest.raises(AuthExpired) as caught:
        await publisher.publish(make_rendition(), "key")

    assert "modérateur" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize(("changes", "expected", "hint"), [
    ({"archived": True}, AuthExpired, "archivé"), ({"member": False}, AuthExpired, "room"), ({"name": "x", "id": "y"}, AuthExpired, "room"),
    ({"encrypted": True}, Rejected, "chiffré"),
])  # fmt: skip
async def test_what_is_amiss_is_said_when_opening(
    server: RocketchatSimulator, sessions: Sessions, tmp_path: Path, changes: dict[str, Any], expected: type[ConnectorError], hint: str
) -> None:
    """Before anything is lost, and with what to do."""
    for name, value in changes.items():
        setattr(server.room, name, value)
    with pytest.raises(expected) as caught:
        await RocketchatPublisher(options_for(server), make_context(tmp_path, sessions)).open()

    assert hint in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize(("fault", "expected"), [
    (Fault(action="drop", times=2), Transient), (Fault(action="answer", status=502, body=HTML_ERROR), Transient),
    (Fault(action="answer", status=200, body=HTML_ERROR), Rejected), (Fault(action="answer", status=404, body=HTML_ERROR), Rejected),
    (Fault(action="answer", status=200, body=b"[]"), Rejected), (Fault(action="answer", status=200, body=b'{"success":true}'), Rejected),
    (Fault(action="answer", status=429, headers={"Retry-After": "7"}), RateLimited),
])  # fmt: skip
async def test_opening_leaves_nothing_in_doubt(
    server: RocketchatSimulator, sessions: Sessions, tmp_path: Path, fault: Fault, expected: type[ConnectorError]
) -> None:
    """An outage, another server, an overload."""
    server.fault(fault)
    with pytest.raises(ConnectorError) as caught:
        await RocketchatPublisher(options_for(server), make_context(tmp_path, sessions)).open()

    assert type(caught.value) is expected


async def test_the_workspaces_own_limits_are_obeyed(server: RocketchatSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """Asked when opening; a workspace that does not say is taken for an ordinary one."""
    server.text_max, server.file_max = 1000, 2000
    publisher = RocketchatPublisher(options_for(server), make_context(tmp_path, sessions))
    await publisher.open()
    assert (publisher.limits.text_max, publisher.limits.media.image_max_bytes) == (1000, 2000)

    for fault in (
        Fault(action="answer", status=400, body=b'{"success":false}', path="/settings.public"),
        Fault(action="answer", status=200, body=b'{"success":true,"settings":[{"_id":"Message_MaxAllowedSize"}]}', path="/settings"),
    ):  # fmt: skip
        server.fault(fault)
        publisher = RocketchatPublisher(options_for(server), make_context(tmp_path, sessions))
        await publisher.open()
        assert publisher.limits == LIMITS


async def test_the_wait_is_what_the_server_says(publisher: RocketchatPublisher, server: RocketchatSimulator, clock: Clock) -> None:
    """Milliseconds since the epoch; never more than a day, never the past."""
    server.calls_max = 2
    for number in range(2):
        await publisher.publish(make_rendition(text=f"{number}"), f"key-{number}")
        clock.forward(seconds=10)
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(), "key")
    assert caught.value.at == NOW + timedelta(seconds=60)

    for told, expected in (("99999999999999", clock() + timedelta(days=1)), ("5", clock()), ("soon", None)):
        server.faults = [Fault(action="answer", status=429, headers={"X-RateLimit-Reset": told})]
        with pytest.raises(RateLimited) as caught:
            await publisher.publish(make_rendition(), "key")
        assert caught.value.at == expected


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_only_what_is_public(publisher: RocketchatPublisher, server: RocketchatSimulator, visibility: Any) -> None:
    """Neither posted nor put in the place of something public."""
    receipt = await publisher.publish(make_rendition(), "key")
    secret = make_rendition(text="Secret", visibility=visibility)
    for attempt in (publisher.publish(secret, "other"), publisher.update(receipt, secret)):
        with pytest.raises(Rejected):
            await attempt
    assert [message.shown for message in server.room.shown] == [make_rendition().text]


@pytest.mark.parametrize("fault", [
    Fault(action="lose", times=9), Fault(action="drop", times=9), Fault(action="truncate"), Fault(action="mask", status=502),
    Fault(action="answer", status=404, body=TOKEN.encode(), times=9), Fault(action="answer", status=200, body=TOKEN.encode(), times=9),
    Fault(action="answer", status=400, body=json.dumps({"success": False, "error": f"x {TOKEN}", "errorType": "x"}).encode(), times=9),
    Fault(action="answer", status=401, body=json.dumps({"status": "error", "message": TOKEN}).encode(), times=9),
    Fault(action="answer", status=200, headers={"X-Bad": "a" * 40_000}, times=9),
    Fault(action="answer", status=200, body=b" " * 5_000_001, times=9),
], ids=["lost", "cut", "truncated", "502", "echo-404", "echo-200", "echo-400", "echo-401", "header", "huge"])  # fmt: skip
@pytest.mark.parametrize("verb", ["open", "publish", "update", "delete"])
async def test_the_token_never_shows(
    publisher: RocketchatPublisher, server: RocketchatSimulator, caplog: pytest.LogCaptureFixture, fault: Fault, verb: str
) -> None:
    """Not in an error, its causes, a traceback, a log or a repr, whatever answers."""
    receipt = await publisher.publish(make_rendition(), "key")
    attempt = {
        "open": publisher.open, "publish": lambda: publisher.publish(make_rendition(), "other"),
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


@pytest.mark.parametrize(("body", "expected"), [
    ({"message": {"rid": "x", "msg": "a"}}, "error-invalid-room"),
    ({"message": {"msg": "a" * 5001}}, "error-message-size-exceeded"),
    ({"message": {"msg": "🚲" * 2501}}, "error-message-size-exceeded"),
    ({"message": {"msg": 5}}, "invalid-params"),
    ({"message": {"text": "a"}}, "invalid-params"),
    ({"message": {"msg": "a"}, "more": 1}, "invalid-params"),
    ({}, "invalid-params"),
    (b"{", "invalid-params"),
    ({"message": {"msg": "@all"}}, ""),
])  # fmt: skip
async def test_the_simulator_refuses_what_the_server_refuses(
    server: RocketchatSimulator, sessions: Sessions, body: Any, expected: str
) -> None:
    """Elsewhere, too long, of another shape; and it would call people, so that the tests above can fail."""
    if isinstance(body, dict) and "message" in body:
        body["message"].setdefault("rid", server.room.id)
    async with sessions.get(private=True, write=True).request(
        "POST", f"{server.url}/api/v1{SEND}", data=body if isinstance(body, bytes) else json.dumps(body),
        headers={"X-Auth-Token": server.token, "X-User-Id": server.user_id},
    ) as answer:  # fmt: skip
        document = await answer.json()
    assert (answer.status, expected in (document.get("errorType"), document.get("error"), "")) == (400 if expected else 200, True)
    assert [message.called for message in server.room.shown] == ([] if expected else [["all"]])

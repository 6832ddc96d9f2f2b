"""The Mattermost publisher: the contract, files named by their alt texts, markdown that stays text, nobody called, found by its key."""

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

from connectors.mattermost import MattermostPublisher
from connectors.mattermost.markdown import JOINER, markdown
from connectors.mattermost.publisher import LIMITS
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt
from syndicator.sandbox.mattermost import FILES_MAX, POST_RUNES_MAX, MattermostSimulator
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_rendition
from tests.clock import Clock
from tests.media_scene import Files

POSTS = "/api/v4/posts"


def refused(status: int, code: str, **more: Any) -> Fault:
    body = json.dumps({"id": code, "message": "…", "status_code": status, **more}).encode()
    return Fault(action="answer", status=status, body=body, headers={"Content-Type": "application/json"}, path=POSTS)


class TestMattermost(PublisherContract):
    """In a channel of a team."""

    connector = MattermostPublisher
    path = POSTS
    dialect = (
        (
            "its own 429",
            Fault(action="answer", status=429, body=b"limit exceeded", headers={"X-RateLimit-Reset": "3"}, path=POSTS),
            RateLimited,
        ),
        ("a dead token", refused(401, "api.context.session_expired.app_error"), AuthExpired),
        ("no right to write", refused(403, "api.context.permissions.app_error"), AuthExpired),
        ("an archived channel", refused(400, "api.post.create_post.can_not_post_to_deleted.error"), AuthExpired),
        ("a channel that is gone", refused(404, "app.channel.get.existing.app_error"), AuthExpired),
        ("too long a text", refused(400, "model.post.is_valid.message_length.app_error"), Rejected),
        ("a root that is gone", refused(400, "api.post.create_post.root_id.app_error"), Rejected),
        ("a feature switched off, behind a 501", refused(501, "api.post.create_post.disabled.app_error"), Rejected),
        ("the same post just under way", refused(500, "api.post.deduplicate_create_post.pending"), OutcomeUnknown),
        ("a busy server", refused(503, "api.context.server_busy.app_error"), OutcomeUnknown),
        ("an address without the API", Fault(action="answer", status=404, body=HTML_ERROR, path=POSTS), Rejected),
        ("a page instead of a post", Fault(action="answer", status=200, body=HTML_ERROR, path=POSTS), OutcomeUnknown),
        ("no post in the answer", Fault(action="answer", status=201, body=b"{}", path=POSTS), OutcomeUnknown),
        ("a list", Fault(action="answer", status=201, body=b"[]", path=POSTS), OutcomeUnknown),
        ("a redirect", Fault(action="answer", status=302, headers={"Location": "https://x.example"}, path=POSTS), Rejected),
    )

    async def start(self) -> Simulator:
        return await MattermostSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, MattermostSimulator)
        return [post.shown for post in simulator.shown]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, MattermostSimulator)
        simulator.token = "another"

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        assert isinstance(simulator, MattermostSimulator)
        return simulator.posts[receipt.remote_id].root_id


def options_for(server: Simulator, **changes: Any) -> Any:
    assert isinstance(server, MattermostSimulator)
    return MattermostPublisher.Options(**{"url": server.url, "token": Secret("k" * 26), "channel": "asso/annonces", **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[MattermostSimulator]:
    async with MattermostSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def publisher(server: MattermostSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> MattermostPublisher:
    publisher = MattermostPublisher(options_for(server), make_context(tmp_path, sessions, now=clock))
    await publisher.open()
    return publisher


def pictures(files: Files, *names: str, description: str = "Deux vélos") -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description=description) for name in names)


def names(server: MattermostSimulator) -> list[list[str]]:
    return [[server.files[one].name for one in post.file_ids] for post in server.shown]


async def test_a_receipt_leads_to_the_post(publisher: MattermostPublisher, server: MattermostSimulator) -> None:
    """Its page, whatever the team is called; the channel's is the account."""
    receipt = await publisher.publish(make_rendition(), "key")

    post_id = server.shown[0].id
    assert receipt == Receipt(remote_id=post_id, url=f"{server.url}/_redirect/pl/{post_id}")
    assert publisher.account == f"{server.url}/asso/channels/annonces"


@pytest.mark.parametrize("channel", ["asso/annonces", "asso/channels/annonces", "URL/asso/channels/annonces", "c" * 26])
async def test_a_channel_is_known_by_its_address(server: MattermostSimulator, sessions: Sessions, tmp_path: Path, channel: str) -> None:
    """Whole or in short, or by its number."""
    publisher = MattermostPublisher(options_for(server, channel=channel.replace("URL", server.url)), make_context(tmp_path, sessions))
    await publisher.open()
    await publisher.publish(make_rendition(), "key")

    assert len(server.shown) == 1


@pytest.mark.parametrize("changes", [
    {"url": "ftp://x.example"}, {"url": ""}, {"url": "https://a:b@x.example"}, {"channel": ""}, {"channel": "annonces"},
    {"channel": "a/b/c/d"},
])  # fmt: skip
def test_what_cannot_work_is_no_option(changes: dict[str, Any]) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match="fr") as caught:
        MattermostPublisher.Options(**{"url": "https://framateam.org", "token": Secret("x"), "channel": "asso/annonces", **changes})

    assert set(caught.value.args[0]) >= {"fr", "en"}


async def test_nobody_is_called(publisher: MattermostPublisher, server: MattermostSimulator) -> None:
    """Posted or edited: it reads the same; addresses and e-mail stay what they are."""
    text = "@channel @all, (@here) @asso ! contact@asso.example https://asso.example/@agenda"
    receipt = await publisher.publish(make_rendition(text=text), "key")
    await publisher.update(receipt, make_rendition(text=f"{text} !"))

    assert [(post.called, post.shown) for post in server.shown] == [([], f"{text} !")]
    assert "contact@asso.example https://asso.example/@agenda" in server.shown[0].message


@pytest.mark.parametrize(("text", "sent"), [
    ("*gras* _italique_ `code` ~~non~~ |a|b|", r"\*gras\* \_italique\_ \`code\` \~\~non\~\~ \|a\|b\|"),
    ("[lien](https://x.example/a)", r"\[lien\](<https://x.example/a>)"),
    ("# Titre\n#vélo\n> citation\n- un\n1. deux\n---\n====", f"\\# Titre\n#vélo\n\\> citation\n\\- un\n1\\. deux\n\\---\n{JOINER}===="),
    ("https://x.example/a_b_c*d et https://x.example/e.", "https://x.example/a_b_c*d et https://x.example/e."),
    ("<https://x.example/a> <b> 1 < 2", f"<{JOINER}<https://x.example/a>\\> <{JOINER}b\\> 1 < 2"),
    (r"C:\dir \* a\ ", r"C:\dir \\\* a\ "),
    ("&lt; &amp; a & b", f"&{JOINER}lt; &{JOINER}amp; a & b"),
    ("    code\n\tcode", f"{JOINER}    code\n{JOINER}\tcode"),
    (r"¯\_(ツ)_/¯", r"¯\\\_(ツ)\_/¯"),
    ("étudiant*e*s ~canal", r"étudiant\*e\*s \~canal"),
])  # fmt: skip
def test_every_sign_is_itself(text: str, sent: str) -> None:
    """Only what both of its readers take for an escape is one; no link takes what stands beside it."""
    assert markdown(text) == sent


def read(sent: str) -> str:
    """As the web client reads a text without addresses: its escapes (mattermost/marked), and no more."""
    return re.sub(r"\\([`*{}\[\]()#+\-.!_>|~]|\\(?!\w))", r"\1", sent).replace(JOINER, "")


@given(st.text(alphabet="ab é🚲*_`~|<>[]()\\#-+=>1.@:&;\n\t", max_size=60))
def test_escaping_changes_nothing_that_is_read(text: str) -> None:
    """Escapes undone as its web client does, the text is what it was; and nothing in it means anything."""
    sent = markdown(text)

    assert read(sent) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`|]", sent)
    assert not re.search(r"^[ \t]*(?:#{1,6} |> ?|[-+] |\d+[.)] )", sent, re.MULTILINE)
    assert not re.search(r"(?<![\w.-])@\w", sent)


async def test_backslashes_never_cost_a_word(publisher: MattermostPublisher, server: MattermostSimulator) -> None:
    """Where only they make a text too long, they are left out, and still nobody is called."""
    text = "@all " + "*" * (POST_RUNES_MAX - 6)
    await publisher.publish(make_rendition(text=text), "key")

    assert (server.shown[0].message.replace(JOINER, ""), server.shown[0].called) == (text, [])


async def test_alt_texts_are_the_names_of_files(publisher: MattermostPublisher, server: MattermostSimulator, files: Files) -> None:
    """Without what a name cannot hold; what is no picture is left out."""
    shown = (*pictures(files, "1.jpg", description='Un vélo / "rouge"\n: devant.'), *pictures(files, "page.jpg", "film.mp4"))
    receipt = await publisher.publish(make_rendition(attachments=shown), "key")

    assert names(server) == [["Un vélo rouge devant.jpg", "Deux vélos.mp4"]]
    assert [url for url, _ in receipt.data] == [shown[0].url, shown[2].url]


async def test_a_picture_without_description_has_a_plain_name(
    publisher: MattermostPublisher, server: MattermostSimulator, files: Files
) -> None:
    """Never an empty one."""
    await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg", description="  / ")), "key")

    assert re.fullmatch(r"[0-9a-f]{32}\.jpg", names(server)[0][0])


async def test_no_more_files_than_fit(publisher: MattermostPublisher, server: MattermostSimulator, files: Files) -> None:
    """The documented five."""
    films = tuple(Attachment(url=f"{files.url}/film.mp4?{number}", type="video") for number in range(7))
    await publisher.publish(make_rendition(attachments=films), "key")

    assert len(server.shown[0].file_ids) == FILES_MAX == LIMITS.media.images_max


async def test_files_are_uploaded_beforehand_and_once(publisher: MattermostPublisher, server: MattermostSimulator, files: Files) -> None:
    """What was prepared is used."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    await publisher.publish(rendition, "key", prepared=prepared)

    assert (len(server.files), names(server)) == (1, [["Deux vélos.jpg"]])


@pytest.mark.parametrize("fault", [
    Fault(action="drop", path="/files", times=2), Fault(action="answer", status=502, path="/files", times=2),
    Fault(action="answer", status=201, body=b'{"file_infos": []}', path="/files", times=2),
])  # fmt: skip
async def test_a_failing_upload_may_be_tried_again(
    publisher: MattermostPublisher, server: MattermostSimulator, files: Files, fault: Fault
) -> None:
    """An upload that nothing shows is nothing: never an unknown outcome."""
    server.fault(fault)
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    for attempt in (publisher.prepare(rendition, "key"), publisher.publish(rendition, "key")):
        with pytest.raises(Transient):
            await attempt
    assert server.shown == []


async def test_a_server_without_files_still_takes_texts(publisher: MattermostPublisher, server: MattermostSimulator, files: Files) -> None:
    """Switched off (501), or too large (413)."""
    server.attachments = False
    await publisher.publish(make_rendition(text="Un", attachments=pictures(files, "1.jpg")), "key-1")
    server.attachments, server.file_max = True, 10
    await publisher.publish(make_rendition(text="Deux", attachments=pictures(files, "1.jpg")), "key-2")

    assert [(post.shown, post.file_ids) for post in server.shown] == [("Un", ()), ("Deux", ())]


async def test_the_servers_own_limits_are_obeyed(server: MattermostSimulator, sessions: Sessions, tmp_path: Path) -> None:
    """Asked when opening; what it does not say stays as it is known."""
    server.post_max, server.file_max = 4000, 1000
    publisher = MattermostPublisher(options_for(server), make_context(tmp_path, sessions))
    await publisher.open()
    assert (publisher.limits.text_max, publisher.limits.media.image_max_bytes) == (4000, 1000)

    server.fault(Fault(action="answer", status=200, body=b'{"MaxPostSize": "many"}', path="/config/client"))
    await publisher.open()
    assert publisher.limits == LIMITS


async def test_found_by_its_key(publisher: MattermostPublisher, server: MattermostSimulator, clock: Clock, files: Files) -> None:
    """Behind more than a page of others, edited, in a thread, with its files; not what another account wrote or somebody deleted."""
    root = await publisher.publish(make_rendition(text="Un", parts=2), "key-1")
    rendition = make_rendition(text="Deux", part=1, parts=2, attachments=pictures(files, "1.jpg", "page.jpg"))
    prepared = await publisher.prepare(rendition, "key-2")
    receipt = await publisher.publish(rendition, "key-2", parent=root, prepared=prepared)
    await publisher.update(receipt, make_rendition(text="Deux bis", attachments=rendition.attachments))
    for number in range(70):
        server.posts[f"other{number}"] = type(server.shown[0])(id=f"other{number}", user_id="z" * 26, created_at=clock(), message="a")

    assert await publisher.find("key-2", rendition, prepared=prepared) == receipt
    assert receipt.data == (("root", root.remote_id), (rendition.attachments[0].url, server.posts[receipt.remote_id].file_ids[0]))
    await publisher.delete(receipt)
    assert await publisher.find("key-2", rendition) is None


async def test_looking_back_ends(publisher: MattermostPublisher, server: MattermostSimulator, clock: Clock) -> None:
    """Where the item was not there yet; a channel too full to look through is asked again later."""
    server.fault(Fault(action="answer", status=200, body=_page(60, NOW - timedelta(days=2)), path="/posts", times=99))
    assert await publisher.find("key", make_rendition()) is None
    assert sum("/channels/" in seen.path and seen.path.endswith("/posts") for seen in server.requests) == 1

    server.faults = [Fault(action="answer", status=200, body=_page(60, NOW), path="/posts", times=200)]
    with pytest.raises(Transient):
        await publisher.find("key", make_rendition())


def _page(size: int, at: Any) -> bytes:
    posts = {f"p{number}": {"id": f"p{number}", "create_at": int(at.timestamp() * 1000), "user_id": "z"} for number in range(size)}
    return json.dumps({"order": list(posts), "posts": posts}).encode()


async def test_a_repetition_within_half_a_minute_is_the_same(
    publisher: MattermostPublisher, server: MattermostSimulator, clock: Clock
) -> None:
    """The server's own guard, beside ours: it covers a first request that is still on its way when we ask."""
    first = await publisher.publish(make_rendition(), "key")
    assert (await publisher.publish(make_rendition(), "key")).remote_id == first.remote_id
    clock.forward(seconds=31)
    await publisher.publish(make_rendition(), "key")
    assert len(server.shown) == 2


async def test_a_thread_has_one_root(publisher: MattermostPublisher, server: MattermostSimulator) -> None:
    """The server takes no other."""
    first = await publisher.publish(make_rendition(text="Un", parts=3), "key-1")
    second = await publisher.publish(make_rendition(text="Deux", part=1, parts=3), "key-2", parent=first)
    await publisher.publish(make_rendition(text="Trois", part=2, parts=3), "key-3", parent=second)

    assert [post.root_id for post in server.shown] == ["", first.remote_id, first.remote_id]


async def test_files_follow_an_edit(publisher: MattermostPublisher, server: MattermostSimulator, files: Files) -> None:
    """One goes, one stays without being uploaded again, one comes; an edit of words leaves them alone."""
    one, two, three = pictures(files, "1.jpg", "2.jpg", "3.jpg")
    receipt = await publisher.publish(make_rendition(attachments=(one, two)), "key")
    receipt = await publisher.update(receipt, make_rendition(text="Mots", attachments=(one, two)))
    assert "file_ids" not in json.loads(server.requests[-1].body)
    kept = server.shown[0].file_ids[1]
    receipt = await publisher.update(receipt, make_rendition(attachments=(two, three)))

    assert (server.shown[0].file_ids[0], len(server.files)) == (kept, 3)
    assert [url for url, _ in receipt.data] == [two.url, three.url]
    receipt = await publisher.update(receipt, make_rendition())
    assert (server.shown[0].file_ids, receipt.data) == ((), ())


async def test_an_edit_of_what_is_gone_is_no_missing_right(publisher: MattermostPublisher, server: MattermostSimulator) -> None:
    """The server answers both alike: it is asked which."""
    receipt = await publisher.publish(make_rendition(), "key")
    server.member = False
    for attempt in (publisher.update(receipt, make_rendition(text="Après")), publisher.delete(receipt)):
        with pytest.raises(AuthExpired):
            await attempt
    server.member = True
    await publisher.delete(receipt)
    for attempt in (publisher.update(receipt, make_rendition(text="Après")), publisher.delete(receipt)):
        with pytest.raises(Gone):
            await attempt


async def test_an_edit_too_late_waits_for_a_person(publisher: MattermostPublisher, server: MattermostSimulator, clock: Clock) -> None:
    """The server's own limit, in plain words."""
    receipt = await publisher.publish(make_rendition(), "key")
    server.edit_limit_s = 300
    clock.forward(minutes=6)
    with pytest.raises(Rejected) as caught:
        await publisher.update(receipt, make_rendition(text="Après"))

    assert "à la main" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize(("changes", "hint"), [
    ({"archived": True}, "archivé"), ({"member": False}, "ajoutez-le"), ({"token": "x"}, "jeton"), ({"channel_id": "d" * 26}, "channel"),
])  # fmt: skip
async def test_what_is_amiss_is_said_when_opening(
    server: MattermostSimulator, sessions: Sessions, tmp_path: Path, changes: dict[str, Any], hint: str
) -> None:
    """Before anything is lost, and with what to do."""
    for name, value in changes.items():
        setattr(server, name, value)
    channel = "c" * 26 if "channel_id" in changes else "asso/annonces"
    publisher = MattermostPublisher(options_for(server, channel=channel), make_context(tmp_path, sessions))
    with pytest.raises(AuthExpired) as caught:
        await publisher.open()

    assert hint in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize(("fault", "expected"), [
    (Fault(action="drop", times=2), Transient), (Fault(action="answer", status=502, body=HTML_ERROR), Transient),
    (Fault(action="answer", status=200, body=HTML_ERROR), Rejected), (Fault(action="answer", status=404, body=HTML_ERROR), Rejected),
    (Fault(action="answer", status=200, body=b"[]"), Rejected),
    (Fault(action="answer", status=429, headers={"X-RateLimit-Reset": "7"}), RateLimited),
])  # fmt: skip
async def test_opening_leaves_nothing_in_doubt(
    server: MattermostSimulator, sessions: Sessions, tmp_path: Path, fault: Fault, expected: type[ConnectorError]
) -> None:
    """An outage, another server, an overload."""
    server.fault(fault)
    with pytest.raises(ConnectorError) as caught:
        await MattermostPublisher(options_for(server), make_context(tmp_path, sessions)).open()

    assert type(caught.value) is expected


async def test_the_wait_is_what_the_server_says(publisher: MattermostPublisher, server: MattermostSimulator, clock: Clock) -> None:
    """Seconds from now, in one header or the other."""
    server.per_minute = 1
    await publisher.publish(make_rendition(text="Un"), "key-1")
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(text="Deux"), "key-2")
    assert caught.value.at == clock() + timedelta(seconds=60)

    server.per_minute = None
    server.fault(Fault(action="answer", status=429, headers={"X-RateLimit-Reset": "9"}))
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(text="Deux"), "key-2")
    assert caught.value.at == clock() + timedelta(seconds=9)


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_only_what_is_public(publisher: MattermostPublisher, server: MattermostSimulator, visibility: Any) -> None:
    """Neither posted nor put in the place of something public."""
    receipt = await publisher.publish(make_rendition(), "key")
    secret = make_rendition(text="Secret", visibility=visibility)
    for attempt in (publisher.publish(secret, "other"), publisher.update(receipt, secret)):
        with pytest.raises(Rejected):
            await attempt
    assert [post.shown for post in server.shown] == [make_rendition().text]


@pytest.mark.parametrize("fault", [
    Fault(action="lose", times=9), Fault(action="drop", times=9), Fault(action="truncate"), Fault(action="mask", status=502),
    Fault(action="answer", status=404, body=b"k" * 26, times=9), Fault(action="answer", status=200, body=b"k" * 26, times=9),
    Fault(action="answer", status=400, body=b'{"id":"x","message":"' + b"k" * 26 + b'"}', times=9),
    Fault(action="answer", status=401, body=b'{"id":"x","message":"m","detailed_error":"token=' + b"k" * 26 + b'"}', times=9),
    Fault(action="answer", status=200, headers={"X-Bad": "a" * 40_000}, times=9),
    Fault(action="answer", status=200, body=b" " * 5_000_001, times=9),
], ids=["lost", "cut", "truncated", "502", "echo-404", "echo-200", "echo-400", "echo-401", "header", "huge"])  # fmt: skip
@pytest.mark.parametrize("verb", ["open", "publish", "update", "delete"])
async def test_the_token_never_shows(
    publisher: MattermostPublisher, server: MattermostSimulator, caplog: pytest.LogCaptureFixture, fault: Fault, verb: str
) -> None:
    """Not in an error, its causes, a traceback, a log or a repr, whatever answers; not even where the server says it."""
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
    assert "k" * 26 not in " ".join(told)


@pytest.mark.parametrize(("body", "expected"), [
    ({"channel_id": "x", "message": "a"}, (403, "api.context.permissions.app_error")),
    ({"message": "a" * 16_384}, (400, "model.post.is_valid.message_length.app_error")),
    ({"message": ""}, (400, "api.context.invalid_body_param.app_error")),
    ({"message": "a", "file_ids": ["x"] * 6}, (400, "model.post.is_valid.file_ids.app_error")),
    ({"message": "a", "root_id": "x" * 26}, (400, "api.post.create_post.root_id.app_error")),
    ({"message": "a", "props": []}, (400, "api.context.invalid_body_param.app_error")),
    ({"message": "a", "root": "x"}, (400, "api.context.invalid_body_param.app_error")),
    ([], (400, "api.context.invalid_body_param.app_error")),
    (b"{", (400, "api.context.invalid_body_param.app_error")),
    ({"message": "@here"}, (201, "")),
])  # fmt: skip
async def test_the_simulator_refuses_what_the_server_refuses(
    server: MattermostSimulator, sessions: Sessions, body: Any, expected: tuple[int, str]
) -> None:
    """Elsewhere, too long, empty, of another shape; and it would call people, so that the tests above can fail."""
    sent = body if isinstance(body, bytes) else json.dumps({"channel_id": server.channel_id, **body} if isinstance(body, dict) else body)
    async with sessions.get(private=True, write=True).request(
        "POST", f"{server.url}{POSTS}", data=sent, headers={"Authorization": f"Bearer {server.token}"}
    ) as answer:
        document = await answer.json()
    assert (answer.status, document["id"] if answer.status >= 400 else "") == expected
    assert [post.called for post in server.shown] == ([["here"]] if answer.status == 201 else [])

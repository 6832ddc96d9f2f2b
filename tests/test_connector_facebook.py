"""The Facebook publisher: the contract, pictures, videos, cards, edits, "did it go out?", and what each refusal of the Graph API means."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.meta.facebook import FacebookPublisher
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt, Rendition
from syndicator.sandbox import facebook as page
from syndicator.sandbox.facebook import PAGE, FacebookSimulator
from syndicator.sandbox.graph import TOKEN, envelope, error, refused
from syndicator.sandbox.graph_spec import CALLS, fits, node, reduce, written
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_rendition
from tests.clock import Clock
from tests.media_scene import MP4, Files, encoded, noise, photo

HOME = "https://mobilizon.example/events/1"


class TestFacebook(PublisherContract):
    """On a Page."""

    connector = FacebookPublisher
    path = "/feed"
    dialect = (
        ("a rate of its own", refused(32, 0, "Page request limit reached", path="/feed"), RateLimited),
        ("a rate behind a transient", refused(4, 0, "Application request limit reached", path="/feed", is_transient=True), RateLimited),
        ("a rate behind a 500", refused(613, 0, "Calls to this api have exceeded the rate limit.", path="/feed", status=500), RateLimited),
        ("a block for abuse", refused(368, 1390008, "You're going too fast", path="/feed"), RateLimited),
        ("a duplicate", refused(506, 1366051, "Duplicate status message", path="/feed"), Rejected),
        ("a refusal behind a 500", refused(100, 1609005, "Invalid link", path="/feed", status=500), Rejected),
        ("a dead token behind a 400", refused(190, 463, "Session has expired", path="/feed"), AuthExpired),
        ("a 200 that holds an error", refused(200, 0, "Permissions error", path="/feed", status=200), AuthExpired),
        ("a failure of its own", refused(2, 0, "Service temporarily unavailable", path="/feed", is_transient=True), OutcomeUnknown),
        ("an answer that is no object", Fault(action="answer", path="/feed", status=200, body=b"[]"), OutcomeUnknown),
    )

    async def start(self) -> Simulator:
        return await FacebookSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, FacebookSimulator)
        return [post.message for post in simulator.shown]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, FacebookSimulator)
        simulator.dead = error(190, 460, "The session has been invalidated because the user changed their password")


def options_for(server: Simulator, **changes: Any) -> Any:
    return FacebookPublisher.Options(**{"page": PAGE, "token": Secret(TOKEN), "api": server.url, **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[FacebookSimulator]:
    async with FacebookSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def publisher(server: FacebookSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> FacebookPublisher:
    publisher = FacebookPublisher(options_for(server), make_context(tmp_path, sessions, now=clock))
    await publisher.open()
    server.requests.clear()
    return publisher


def pictures(files: Files, *names: str, description: str = "Deux vélos") -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description=description) for name in names)


def film(files: Files) -> Rendition:
    return make_rendition(text="Une balade", attachments=(Attachment(url=f"{files.url}/film.mp4", type="video"),))


def asked(server: FacebookSimulator) -> list[str]:
    """Method and last part of the path of every request."""
    return [f"{seen.method} {seen.path.rpartition('/')[2]}" for seen in server.requests]


def body(server: FacebookSimulator) -> Any:
    return json.loads(server.requests[-1].body)


async def test_open_says_whose_page_it_is(server: FacebookSimulator, publisher: FacebookPublisher) -> None:
    """By its number, which never changes; two questions, the token in no address but the one that must hold it."""
    await publisher.open()

    assert publisher.account == f"https://www.facebook.com/{PAGE}"
    assert publisher.expires_at is None
    assert asked(server) == ["GET me", "GET debug_token"]
    assert server.requests[0].query == {"fields": "id,name"}
    assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_a_token_with_an_end_says_when(server: FacebookSimulator, publisher: FacebookPublisher) -> None:
    """Made from a token that was not extended, it dies within hours: said before it does."""
    server.world.expires_at = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
    await publisher.open()

    assert publisher.expires_at == server.world.expires_at


async def test_a_token_that_may_not_ask_is_not_refused_for_it(server: FacebookSimulator, publisher: FacebookPublisher) -> None:
    """The question about its end is for developers of the app."""
    server.world.may_debug = False
    await publisher.open()

    assert publisher.expires_at is None


@pytest.mark.parametrize(("change", "word"), [
    ({"token_of": page.PERSON}, "me/accounts"),
    ({"scopes": ("pages_show_list", "pages_read_engagement")}, "pages_manage_posts"),
])  # fmt: skip
async def test_the_usual_mistakes_are_told_at_once(
    server: FacebookSimulator, publisher: FacebookPublisher, change: dict[str, Any], word: str
) -> None:
    """The person's token instead of the Page's; a right that was not given."""
    for name, value in change.items():
        setattr(server.world, name, value)
    with pytest.raises(AuthExpired) as caught:
        await publisher.open()

    assert caught.value.hint is not None
    assert word in caught.value.hint["fr"]


@pytest.mark.parametrize(("version", "passes"), [("v26.0", True), ("v25.0", True), ("v19.0", True), ("v99.0", False)])
async def test_the_version_is_an_option(server: FacebookSimulator, sessions: Sessions, tmp_path: Path, version: str, passes: bool) -> None:
    """An expired one is answered by the oldest that lives, one that does not exist says so."""
    publisher = FacebookPublisher(options_for(server, version=version), make_context(tmp_path, sessions))
    if passes:
        await publisher.open()
        assert server.requests[0].path == f"/{version}/me"
        return
    with pytest.raises(AuthExpired) as caught:
        await publisher.open()
    assert caught.value.hint is not None
    assert "version" in caught.value.hint["fr"]


@pytest.mark.parametrize("wrong", [{"page": "lesamisduvelo"}, {"page": ""}, {"version": "26"}, {"version": "v26.0/me"}])
def test_options_that_cannot_be_are_refused(wrong: dict[str, str]) -> None:
    """Numbers are numbers."""
    with pytest.raises(ValueError, match="fr"):
        FacebookPublisher.Options(**{"page": PAGE, "token": Secret(TOKEN), **wrong})


async def test_a_text_is_one_post(server: FacebookSimulator, publisher: FacebookPublisher) -> None:
    """One request; the receipt leads to it."""
    receipt = await publisher.publish(make_rendition(text="Bonjour"), "key")

    (post,) = server.shown
    assert (post.message, post.link) == ("Bonjour", None)
    assert receipt == Receipt(remote_id=post.id, url=f"https://www.facebook.com/{post.id}")
    assert asked(server) == ["POST feed"]


@pytest.mark.parametrize(("text", "link", "message", "card"), [
    ("Réunion publique", HOME, "Réunion publique", HOME),
    ("Lire https://presse.example/a et https://presse.example/b", None, "Lire https://presse.example/a et https://presse.example/b",
     "https://presse.example/a"),
    ("Lire https://presse.example/a", HOME, "Lire https://presse.example/a", HOME),
    ("Voir https://www.facebook.com/events/1 et https://presse.example/b", None,
     "Voir https://www.facebook.com/events/1 et https://presse.example/b", "https://presse.example/b"),
    ("Voir https://fb.me/e/1", None, "Voir https://fb.me/e/1", None),
    ("Vu là-bas", "https://m.facebook.com/1", "Vu là-bas\n\nhttps://m.facebook.com/1", None),
    ("", HOME, "", HOME),
])  # fmt: skip
async def test_a_link_becomes_a_card(
    server: FacebookSimulator, publisher: FacebookPublisher, text: str, link: str | None, message: str, card: str | None
) -> None:
    """The way home before the author's own; never one to Facebook, which is refused: that stays in the text."""
    await publisher.publish(make_rendition(text=text, link=link), "key")

    assert [(post.message, post.link) for post in server.shown] == [(message, card)]


async def test_pictures_travel_with_their_alt_texts(server: FacebookSimulator, publisher: FacebookPublisher, files: Files) -> None:
    """Uploaded unseen, then shown by one post in the author's order; the way home stands in the text then."""
    attachments = (
        *pictures(files, "1.jpg", description="Un"), *pictures(files, "2.jpg", description=""),
        *pictures(files, "3.jpg", description="mot " * 300),
    )  # fmt: skip
    rendition = make_rendition(text="Photos", link=HOME, attachments=attachments)
    prepared = await publisher.prepare(rendition, "key")
    assert server.shown == []
    await publisher.publish(rendition, "key", prepared=prepared)

    (post,) = server.shown
    assert (post.message, post.link) == (f"Photos\n\n{HOME}", None)
    assert [photo.alt for photo in post.photos] == ["Un", "", f"{'mot ' * 249}mot…"]
    assert all(photo.temporary and b"GPSPhone" not in photo.file.data for photo in post.photos)
    assert asked(server) == ["POST photos", "POST photos", "POST photos", "POST feed"]


async def test_ten_pictures_and_no_word(server: FacebookSimulator, publisher: FacebookPublisher, files: Files) -> None:
    """An eleventh stays at home."""
    await publisher.publish(make_rendition(text="", attachments=pictures(files, *["1.jpg"] * 11)), "key")

    assert [len(post.photos) for post in server.shown] == [10]


async def test_a_large_picture_is_made_small_enough(server: FacebookSimulator, publisher: FacebookPublisher, files: Files) -> None:
    """Four megabytes."""
    files.files["large.png"] = encoded(noise(1200, 1200), "PNG")
    assert len(files.files["large.png"]) > page.PHOTO_MAX_BYTES
    await publisher.publish(make_rendition(attachments=pictures(files, "large.png")), "key")

    assert [len(post.photos) for post in server.shown] == [1]


@pytest.mark.parametrize("name", ["page.jpg", "nowhere.jpg", "refused.jpg"])
async def test_a_picture_that_will_never_do_stops_no_text(
    server: FacebookSimulator, publisher: FacebookPublisher, files: Files, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """At its origin or at Facebook: left out, and said; the link has its card then."""
    files.files["refused.jpg"] = photo()
    if name == "refused.jpg":
        server.fault(refused(1, 1366046, "Photos should be smaller than 4 MB", path="/photos"))
    await publisher.publish(make_rendition(text="Bonjour", link=HOME, attachments=pictures(files, name)), "key")

    assert [(post.message, post.photos, post.link) for post in server.shown] == [("Bonjour", (), HOME)]
    assert f"media left out url={files.url}/{name}" in caplog.text


@pytest.mark.parametrize("fault", [
    refused(1, 0, "An unknown error occurred", path="/photos"), refused(2, 0, "", path="/photos", is_transient=True, status=500),
    Fault(action="lose", path="/photos"), Fault(action="answer", path="/photos", status=502, body=HTML_ERROR),
    Fault(action="answer", path="/photos", body=b"{}", status=200),
], ids=["1", "2", "lost", "502", "nameless"])  # fmt: skip
async def test_an_upload_that_failed_left_nothing(
    server: FacebookSimulator, publisher: FacebookPublisher, files: Files, fault: Fault
) -> None:
    """Nobody sees it, so it is simply tried again."""
    server.fault(fault)
    with pytest.raises(Transient):
        await publisher.prepare(make_rendition(attachments=pictures(files, "1.jpg")), "key")

    assert server.shown == []


async def test_pictures_kept_too_long_are_uploaded_anew(
    server: FacebookSimulator, publisher: FacebookPublisher, files: Files, clock: Clock
) -> None:
    """Facebook drops them after a day; a text alone does not age."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared, plain = await publisher.prepare(rendition, "key"), await publisher.prepare(make_rendition(text="Seul"), "key-2")
    clock.forward(hours=21)
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)
    await publisher.publish(make_rendition(text="Seul"), "key-2", prepared=plain)
    await publisher.publish(rendition, "key", prepared=await publisher.prepare(rendition, "key"))

    assert [len(post.photos) for post in server.shown] == [0, 1]


async def test_a_video_is_uploaded_in_the_pieces_that_facebook_wants(
    server: FacebookSimulator, publisher: FacebookPublisher, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And published by the last request alone; of its file, nothing stays here."""
    monkeypatch.setattr(page, "CHUNK", len(MP4) // 2 + 1)
    rendition = film(files)
    prepared = await publisher.prepare(rendition, "key")
    assert (server.shown, [upload.data for upload in server.world.uploads.values()]) == ([], [MP4])
    assert [path for path in tmp_path.rglob("videos/*") if path.is_file()] == []
    receipt = await publisher.publish(rendition, "key", prepared=prepared)

    (post,) = server.shown
    assert (post.message, post.video) == ("Une balade", receipt.remote_id)
    assert receipt.url == f"https://www.facebook.com/{PAGE}/videos/{receipt.remote_id}"
    assert asked(server) == ["POST videos"] * 4

    await publisher.update(receipt, make_rendition(text="Une longue balade"))
    assert [post.message for post in server.shown] == ["Une longue balade"]
    await publisher.delete(receipt)
    assert server.shown == []


@pytest.mark.parametrize("answer", [b'{"start_offset": "0", "end_offset": "1"}', b'{"start_offset": "9", "end_offset": "9"}', b"{}"])
async def test_an_upload_that_goes_nowhere_ends(
    server: FacebookSimulator, publisher: FacebookPublisher, files: Files, answer: bytes
) -> None:
    """It is tried again later, from the start."""
    server.fault(Fault(action="answer", path="/videos", status=200, body=answer, skip=1))
    with pytest.raises(Transient):
        await publisher.prepare(film(files), "key")


async def test_an_upload_that_facebook_lost_is_made_anew(server: FacebookSimulator, publisher: FacebookPublisher, files: Files) -> None:
    """Publishing it says so."""
    prepared = await publisher.prepare(film(files), "key")
    server.world.uploads.clear()
    with pytest.raises(Unprepared):
        await publisher.publish(film(files), "key", prepared=prepared)


@pytest.mark.parametrize("works_at_once", [True, False])
async def test_a_lost_video_is_found_by_its_number(
    server: FacebookSimulator, publisher: FacebookPublisher, files: Files, works_at_once: bool
) -> None:
    """Also while Facebook works on it and lists it nowhere; and not before it was published."""
    server.world.works_at_once = works_at_once
    rendition = film(files)
    prepared = await publisher.prepare(rendition, "key")
    assert await publisher.find("key", rendition, prepared=prepared) is None
    server.fault(Fault(action="lose", path="/videos"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    found = await publisher.find("key", rendition, prepared=prepared)

    assert found is not None
    assert [found.remote_id] == list(server.world.uploads)
    server.world.uploads.clear()
    assert await publisher.find("key", rendition, prepared=prepared) is None


async def test_a_lost_post_is_found_by_its_pictures(
    server: FacebookSimulator, publisher: FacebookPublisher, files: Files, clock: Clock
) -> None:
    """Without a word to know it by, and among others of the same kind; one picture or an album."""
    names = [f"{number}.jpg" for number in range(3)]
    renditions = [make_rendition(text="", uid=f"urn:{n}", attachments=pictures(files, *names[:n])) for n in (1, 2, 3)]
    ready = [await publisher.prepare(rendition, f"key-{n}") for n, rendition in enumerate(renditions)]
    made = []
    for n, rendition in enumerate(renditions[:2]):
        made.append(await publisher.publish(rendition, f"key-{n}", prepared=ready[n]))
        clock.forward(seconds=1)
    found = [await publisher.find(f"key-{n}", rendition, prepared=ready[n]) for n, rendition in enumerate(renditions)]

    assert [one and one.remote_id for one in found] == [made[0].remote_id, made[1].remote_id, None]


async def test_an_older_post_with_the_same_words_is_not_ours(server: FacebookSimulator, publisher: FacebookPublisher, clock: Clock) -> None:
    """The weekly reminder of last week is not that of today."""
    await publisher.publish(make_rendition(text="Atelier ce soir"), "key-1")
    clock.forward(days=7)
    rendition = make_rendition(text="Atelier ce soir", link=HOME)
    prepared = await publisher.prepare(rendition, "key-2")
    assert await publisher.find("key-2", rendition, prepared=prepared) is None

    server.fault(Fault(action="lose", path="/feed"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key-2", prepared=prepared)
    found = await publisher.find("key-2", rendition, prepared=prepared)
    newest = server.shown[-1].id
    assert found == Receipt(remote_id=newest, url=f"https://www.facebook.com/{PAGE}/posts/{newest}", data=(("card", HOME),))


async def test_too_many_posts_since_leave_it_open(server: FacebookSimulator, publisher: FacebookPublisher) -> None:
    """What may stand further back is not declared absent."""
    prepared = await publisher.prepare(make_rendition(text="Perdu"), "key")
    for number in range(50):
        await publisher.publish(make_rendition(text=f"Brève {number}"), f"key-{number}")
    with pytest.raises(Transient):
        await publisher.find("key", make_rendition(text="Perdu"), prepared=prepared)


@pytest.mark.parametrize("answer", [b"{}", b'{"data": null}', b"<html>"])
async def test_no_list_is_no_proof(server: FacebookSimulator, publisher: FacebookPublisher, answer: bytes) -> None:
    """Only a list of posts can say that ours is not there."""
    server.fault(Fault(action="answer", method="GET", status=200, body=answer))
    with pytest.raises(Transient):
        await publisher.find("key", make_rendition())


async def test_the_same_words_twice_are_refused_with_advice(server: FacebookSimulator, publisher: FacebookPublisher, clock: Clock) -> None:
    """Facebook has them already; a person sees whether that is well."""
    await publisher.publish(make_rendition(), "key-1")
    clock.forward(minutes=5)
    with pytest.raises(Rejected) as caught:
        await publisher.publish(make_rendition(), "key-2")

    assert len(server.shown) == 1
    assert caught.value.hint is not None
    assert "identique" in caught.value.hint["fr"]


async def test_a_duplicate_of_what_we_just_made_is_ours(server: FacebookSimulator, publisher: FacebookPublisher, clock: Clock) -> None:
    """An earlier attempt made it, and the list did not show it when it was looked for; a list that cannot be had now is no answer."""
    rendition = make_rendition()
    prepared = await publisher.prepare(rendition, "key")
    server.fault(Fault(action="lose", path="/feed"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    clock.forward(minutes=5)
    server.fault(Fault(action="answer", method="GET", status=502))
    with pytest.raises(Transient):
        await publisher.publish(rendition, "key", prepared=prepared)
    receipt = await publisher.publish(rendition, "key", prepared=prepared)

    assert [post.id for post in server.shown] == [receipt.remote_id]


async def test_an_edit_changes_the_words_alone(server: FacebookSimulator, publisher: FacebookPublisher, files: Files) -> None:
    """A card stays where it was, so its link is not spelt out; pictures stay too, with theirs in the text."""
    carded = await publisher.publish(make_rendition(text="Avant", link=HOME), "key-1")
    await publisher.update(carded, make_rendition(text="Après", link=HOME))
    shown = await publisher.publish(make_rendition(text="Avant", link=HOME, attachments=pictures(files, "1.jpg")), "key-2")
    await publisher.update(shown, make_rendition(text="Après", link=HOME))
    plain = await publisher.publish(make_rendition(text="Court"), "key-3")
    await publisher.update(plain, make_rendition(text="Long", link=HOME))

    told = [(post.message, post.link, len(post.photos)) for post in server.shown]
    assert told == [("Après", HOME, 0), (f"Après\n\n{HOME}", None, 1), (f"Long\n\n{HOME}", None, 0)]


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_is_not_public_never_leaves(server: FacebookSimulator, publisher: FacebookPublisher, visibility: str) -> None:
    """Neither posted, nor uploaded, nor written over a post."""
    receipt = await publisher.publish(make_rendition(), "key")
    server.requests.clear()
    for attempt in (
        publisher.publish(make_rendition(visibility=visibility), "key"), publisher.prepare(make_rendition(visibility=visibility), "key"),
        publisher.update(receipt, make_rendition(visibility=visibility)),
    ):  # fmt: skip
        with pytest.raises(Rejected):
            await attempt
    assert server.requests == []


CREDENTIAL = [(190, subcode) for subcode in (0, 458, 459, 460, 463, 464, 467, 490, 492)] + [(102, 0), (190, 33)]


@pytest.mark.parametrize(("code", "subcode", "kind"), [
    *((code, subcode, AuthExpired) for code, subcode in CREDENTIAL),
    *((code, 0, AuthExpired) for code in (3, 10, 200, 210, 283, 299)),
    (200, 1404078, AuthExpired), (368, 4854002, AuthExpired),
    *((code, 0, RateLimited) for code in (4, 17, 32, 341, 613, 80001, 368)), (100, 1390008, RateLimited),
    (506, 0, Rejected), (100, 1366051, Rejected),
    (100, 0, Rejected), (100, 1609008, Rejected), (200, 1346003, Rejected), (1, 1404102, Rejected), (7777, 0, Rejected),
    (1, 0, OutcomeUnknown), (2, 0, OutcomeUnknown),
    (100, 33, AuthExpired),
])  # fmt: skip
async def test_every_code_means_something(
    server: FacebookSimulator, publisher: FacebookPublisher, code: int, subcode: int, kind: type[ConnectorError]
) -> None:
    """By subcode, then by code; the Page itself gone is a credential that points to nothing."""
    server.fault(refused(code, subcode, "Non", path="/feed", error_user_title="Titre", error_user_msg="Texte"))
    with pytest.raises(ConnectorError) as caught:
        await publisher.publish(make_rendition(), "key")

    assert type(caught.value) is kind
    assert caught.value.detail == f"Graph API: Non — Titre — Texte ({f'{code}/{subcode}' if subcode else code}, trace AXr4ceT0simulat0r)"


async def test_what_meta_calls_transient_is_unknown_on_the_feed_only(server: FacebookSimulator, publisher: FacebookPublisher) -> None:
    """A question may be put again."""
    server.fault(refused(7777, 0, "Oups", path="/feed", is_transient=True))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(make_rendition(), "key")
    server.fault(refused(7777, 0, "Oups", method="GET", is_transient=True))
    with pytest.raises(Transient):
        await publisher.find("key", make_rendition())


@pytest.mark.parametrize(("headers", "at"), [
    ({"X-Business-Use-Case-Usage": json.dumps({PAGE: [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 12}]})}, 12),
    ({"X-Business-Use-Case-Usage": "{"}, None),
    ({"X-Business-Use-Case-Usage": '{"1": [{"estimated_time_to_regain_access": "x"}, 3], "2": 4}'}, None),
    ({"Retry-After": "300"}, 5),
    ({}, None),
])  # fmt: skip
async def test_a_limit_lasts_as_long_as_it_says(
    server: FacebookSimulator, publisher: FacebookPublisher, headers: dict[str, str], at: int | None
) -> None:
    """In minutes; or not at all."""
    server.fault(Fault(action="answer", path="/feed", status=400, headers=headers, body=envelope(80001, 0, "Too many calls")))
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(), "key")

    assert caught.value.at == (NOW + timedelta(minutes=at) if at else None)


async def test_a_block_is_left_alone_for_hours(server: FacebookSimulator, publisher: FacebookPublisher) -> None:
    """And a person is told what to do."""
    server.fault(refused(368, 0, "The action attempted has been deemed abusive", path="/feed"))
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(), "key")

    assert caught.value.at == NOW + timedelta(hours=6)
    assert caught.value.hint is not None


@pytest.mark.parametrize(("verb", "edge"), [("update", "POST"), ("delete", "DELETE")])
async def test_what_somebody_removed_is_gone(server: FacebookSimulator, publisher: FacebookPublisher, verb: str, edge: str) -> None:
    """By hand, on the Page."""
    receipt = await publisher.publish(make_rendition(), "key")
    server.world.posts.clear()
    with pytest.raises(Gone):
        await (publisher.update(receipt, make_rendition()) if verb == "update" else publisher.delete(receipt))

    assert server.requests[-1].method == edge


@pytest.mark.parametrize("fault", [
    Fault(action="lose", times=9), Fault(action="drop", times=9), Fault(action="truncate"), Fault(action="mask", status=502),
    refused(190, 0, f"Malformed access token {TOKEN}", method=""), refused(100, 0, f"Bad {TOKEN}", method="", status=200),
    Fault(action="answer", status=404, body=TOKEN.encode(), headers={"Content-Type": "text/plain"}),
    Fault(action="answer", status=302, headers={"Location": f"http://127.0.0.1:1/?access_token={TOKEN}"}),
    Fault(action="answer", status=200, body=b" " * 5_000_001),
], ids=["lost", "cut", "truncated", "502", "echo-190", "echo-200", "echo-404", "redirect", "huge"])  # fmt: skip
@pytest.mark.parametrize("verb", ["open", "prepare", "publish", "update", "delete", "find"])
async def test_the_token_never_shows(
    publisher: FacebookPublisher, server: FacebookSimulator, files: Files, caplog: pytest.LogCaptureFixture, fault: Fault, verb: str
) -> None:
    """Not in an error, its causes, a traceback, a log or a repr, whatever answers: Meta repeats a token that it does not know."""
    receipt = await publisher.publish(make_rendition(), "key")
    shown = make_rendition(text="Autre", attachments=pictures(files, "1.jpg"))
    attempt = {
        "open": publisher.open, "prepare": lambda: publisher.prepare(shown, "key"), "publish": lambda: publisher.publish(shown, "key"),
        "update": lambda: publisher.update(receipt, shown), "delete": lambda: publisher.delete(receipt),
        "find": lambda: publisher.find("key", shown),
    }[verb]  # fmt: skip
    server.fault(fault)
    told: list[str] = []
    with caplog.at_level(logging.DEBUG):
        try:
            await attempt()
        except ConnectorError as raised:
            told += traceback.format_exception(raised)
            failure: BaseException | None = raised
            while failure is not None:
                told += [repr(failure), str(failure), repr(vars(failure)), repr(failure.args)]
                failure = failure.__cause__ or failure.__context__
    told += [caplog.text, repr(publisher), repr(vars(publisher)), repr(receipt)]

    assert not server.faults or fault.times > 1
    assert TOKEN not in " ".join(told)


@pytest.mark.parametrize(("path", "sent", "code"), [
    ("feed", {}, 100),
    ("feed", {"message": "a" * 63_207}, 100),
    ("feed", {"message": "a", "attachment": "x"}, 100),
    ("feed", {"message": "a", "published": "peut-être"}, 100),
    ("feed", {"message": "a", "attached_media": "x"}, 100),
    ("feed", {"message": "a", "attached_media": [{"media_fbid": "404"}]}, 100),
    ("feed", {"message": "a", "link": "https://www.facebook.com/x"}, 100),
    ("feed", {"message": "a", "link": "chez-nous"}, 100),
    ("feed", {"message": "a", "access_token": "faux"}, 0),
    ("photos", {"published": "false"}, 324),
    ("videos", {"upload_phase": "finish", "upload_session_id": "404"}, 6000),
    ("nowhere", {"message": "a"}, 100),
])  # fmt: skip
async def test_the_simulator_refuses_what_the_page_refuses(
    server: FacebookSimulator, sessions: Sessions, path: str, sent: dict[str, Any], code: int
) -> None:
    """Unknown parameters and types by Meta's own specification; the header's token counts, not that of the body."""
    url, headers = f"{server.url}/v26.0/{PAGE}/{path}", {"Authorization": f"Bearer {TOKEN}"}
    async with sessions.get(private=True, write=True).post(url, json=sent, headers=headers) as answer:
        told = json.loads(await answer.read())

    assert told.get("error", {}).get("code", 0) == code
    assert len(server.shown) == (0 if code else 1)


async def test_the_simulator_takes_forms_too(server: FacebookSimulator, sessions: Sessions) -> None:
    """As curl would send it: the token beside the text, lists as text."""
    sent = {"message": "Bonjour", "attached_media": "[]", "access_token": TOKEN}
    async with sessions.get(private=True, write=True).post(f"{server.url}/v26.0/{PAGE}/feed", data=sent) as answer:
        assert answer.status == 200
    async with sessions.get(private=True, write=True).post(f"{server.url}/v26.0/{PAGE}/feed", data={"message": "Sans jeton"}) as answer:
        assert answer.status == 400

    assert [post.message for post in server.shown] == ["Bonjour"]


def test_the_specification_is_reduced_to_what_is_asked() -> None:
    """The same input gives the same bytes, and each file says where it came from."""
    spec = {"apis": [{"method": "POST", "endpoint": "feed", "params": [{"name": "message", "type": "string"}]}], "fields": [{"name": "id"}]}
    found = reduce(spec, ("POST feed",))

    assert (found["calls"], found["fields"]) == ({"POST feed": {"message": "string"}}, ["id"])
    folder = Path(page.__file__).parent / "data"
    for name, calls in CALLS.items():
        assert set(node(name)["calls"]) == set(calls)
        assert set(node(name)["provenance"]) == {"what", "from", "licence", "reduced"}
        assert written(node(name)) == (folder / f"graph.{name}.json").read_text("utf-8")


@pytest.mark.parametrize(("value", "kind", "right"), [
    ("a", "string", True), (5, "string", True), (["a"], "string", False), (True, "bool", True), ("oui", "bool", False),
    ("12", "unsigned int", True), ("x", "int", False), (True, "int", False), ('["a"]', "list<string>", True), ("{}", "list", False),
    ({"a": 1}, "map", True), ("[]", "map", False), ("{", "map", False), ("BACKDATE", "pagefeed_formatting_enum_param", True),
])  # fmt: skip
def test_types_in_metas_words(value: Any, kind: str, right: bool) -> None:
    """As JSON or as the text of a form."""
    assert fits(value, kind) is right

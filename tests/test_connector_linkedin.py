"""The LinkedIn publisher: the contract, little text, pictures and cards, duplicates and their ghosts, versions, and what refusals mean."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from connectors.linkedin import LIMITS, LinkedinPublisher
from connectors.linkedin.posts import plain
from syndicator.contract import Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, NotReady, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Attachment, Card, Receipt, Rendition
from syndicator.sandbox.linkedin import AUTHOR, COMMENTARY_MAX, ORGANIZATION, TOKEN, LinkedinSimulator, duplicate, little, refusal
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_rendition
from syndicator.text.markup import to_markup
from tests.clock import Clock
from tests.media_scene import Files, photo

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
EVENT = Card(url="https://mobilizon.example/events/1", title="Atelier vélo", description="Samedi, 20 h 30, La Maison")


def answered(status: int, body: bytes, *, method: str = "POST", path: str = "/rest/posts", **headers: str) -> Fault:
    kind = {"Content-Type": "application/json"}
    return Fault(action="answer", method=method, path=path, status=status, body=body, headers={**kind, **headers})


class TestLinkedin(PublisherContract):
    """On the page of an organisation."""

    connector = LinkedinPublisher
    path = "/rest/posts"
    dialect = (
        ("a daily limit", answered(429, refusal(429, "TOO_MANY_REQUESTS", "Resource level throttle", serviceErrorCode=101)), RateLimited),
        ("an old version", answered(426, refusal(426, "NONEXISTENT_VERSION", "Requested version 202401 is not active")), AuthExpired),
        ("a lost role", answered(403, refusal(403, "ACCESS_DENIED", "Not enough permissions", serviceErrorCode=100)), AuthExpired),
        ("a ghost", answered(422, duplicate("urn:li:share:404")), Rejected),
        ("a duplicate of nothing", answered(422, duplicate("nothing")), Rejected),
        ("a field", answered(422, refusal(422, "UNPROCESSABLE_ENTITY", "ERROR :: /commentary")), Rejected),
        ("a failure of its own", answered(500, refusal(500, "INTERNAL_SERVER_ERROR", "Internal Server Error")), OutcomeUnknown),
        ("a gateway", answered(504, b"{}"), OutcomeUnknown),
        ("a success without a name", answered(201, b""), OutcomeUnknown),
        ("a page that is not there", answered(404, refusal(404, "NOT_FOUND", "Not Found")), AuthExpired),
    )

    async def start(self) -> Simulator:
        return await LinkedinSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, LinkedinSimulator)
        return [post.shown for post in simulator.shown]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, LinkedinSimulator)
        simulator.revoked = True


def options_for(server: Simulator, **changes: Any) -> Any:
    return LinkedinPublisher.Options(**{"organization": ORGANIZATION, "token": Secret(TOKEN), "api": server.url, **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[LinkedinSimulator]:
    async with LinkedinSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with Files() as files:
        files.files |= {f"{number}.jpg": photo(40 + number, 30) for number in range(3)}
        files.files["page.jpg"] = b"<html>not found</html>"
        yield files


@pytest.fixture
async def publisher(server: LinkedinSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> LinkedinPublisher:
    publisher = LinkedinPublisher(options_for(server), make_context(tmp_path, sessions, now=clock))
    await publisher.open()
    server.requests.clear()
    return publisher


def pictures(files: Files, *names: str, description: str = "Deux vélos") -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description=description) for name in names)


def asked(server: LinkedinSimulator) -> list[str]:
    return [f"{seen.method} {seen.path.split('/')[2 if seen.path.startswith('/rest') else 1]}" for seen in server.requests]


async def test_open_reads_one_post_and_says_whose_page_it_is(server: LinkedinSimulator, publisher: LinkedinPublisher) -> None:
    """Token, role, right to read and version in one question; the page's name is encoded as Rest.li wants it."""
    await publisher.open()

    assert publisher.account == f"https://www.linkedin.com/company/{ORGANIZATION}"
    (seen,) = server.requests
    assert (seen.method, seen.query) == ("GET", {"author": AUTHOR, "q": "author", "count": "1", "sortBy": "LAST_MODIFIED"})
    assert (seen.headers["Linkedin-Version"], seen.headers["X-Restli-Protocol-Version"]) == ("202610", "2.0.0")
    assert "author=urn%3Ali%3Aorganization%3A" in server.paths[-1]


@pytest.mark.parametrize(("change", "word"), [
    ({"token": "another"}, "60 jours"), ({"revoked": True}, "60 jours"), ({"administrator": False}, "administrer"),
    ({"scopes": ("w_organization_social",)}, "r_organization_social"),
])  # fmt: skip
async def test_the_usual_mistakes_are_told_at_once(
    server: LinkedinSimulator, publisher: LinkedinPublisher, change: dict[str, Any], word: str
) -> None:
    """A dead token, a role that was taken away, a right that was not asked for."""
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(AuthExpired) as caught:
        await publisher.open()

    assert caught.value.hint is not None
    assert word in caught.value.hint["fr"]


@pytest.mark.parametrize(("version", "warned", "lives"), [
    ("202611", False, True), ("202602", False, True), ("202601", True, True), ("202511", True, True), ("202510", True, False),
])  # fmt: skip
async def test_a_version_gets_old(
    server: LinkedinSimulator, sessions: Sessions, tmp_path: Path, caplog: pytest.LogCaptureFixture, version: str, warned: bool, lives: bool
) -> None:
    """Remarked from ten months on; withdrawn, it stops everything and says what to do."""
    publisher = LinkedinPublisher(options_for(server, version=version), make_context(tmp_path, sessions))
    if lives:
        await publisher.open()
    else:
        with pytest.raises(AuthExpired) as caught:
            await publisher.open()
        assert caught.value.hint is not None
        assert "version" in caught.value.hint["fr"]

    assert (f"retirera bientôt la version {version}" in (publisher.remark or {}).get("fr", "")) == (warned and lives)
    assert ("will soon withdraw" in caplog.text) == (warned and lives)


@pytest.mark.parametrize(("issued_on", "expires_at"), [("2026-11-01", datetime(2026, 12, 31, tzinfo=UTC)), (None, None)])
def test_the_tokens_end_is_reckoned(tmp_path: Path, issued_on: str | None, expires_at: datetime | None) -> None:
    """Sixty days after the day that a person wrote down: LinkedIn does not tell."""
    options = LinkedinPublisher.Options(organization=ORGANIZATION, token=Secret(TOKEN), token_issued_on=issued_on)

    assert LinkedinPublisher(options, make_context(tmp_path, Sessions())).expires_at == expires_at


@pytest.mark.parametrize("wrong", [
    {"organization": "les-amis-du-velo"}, {"version": "2026-10"}, {"version": "202613"}, {"token_issued_on": "1er novembre"},
])  # fmt: skip
def test_options_that_cannot_be_are_refused(wrong: dict[str, str]) -> None:
    """Numbers, months and days."""
    with pytest.raises(ValueError, match="fr"):
        LinkedinPublisher.Options(**{"organization": ORGANIZATION, "token": Secret(TOKEN), **wrong})


async def test_a_text_is_one_post(server: LinkedinSimulator, publisher: LinkedinPublisher) -> None:
    """One request; the receipt leads to it."""
    receipt = await publisher.publish(make_rendition(text="Bonjour"), "key")

    (post,) = server.shown
    assert (post.commentary, post.content) == ("Bonjour", {})
    assert receipt == Receipt(remote_id=post.urn, url=f"https://www.linkedin.com/feed/update/{post.urn}/")
    assert asked(server) == ["POST posts"]


SIGNS = r"Prix (5 € | 3 €) [gratuit] {x} <3 *gras* _ital_ ~non~ \o/ asso@exemple.fr # et #vélo, #Ré_union"


async def test_every_sign_arrives(server: LinkedinSimulator, publisher: LinkedinPublisher) -> None:
    """In little text as it is rendered for LinkedIn; hashtags live; the text itself is found again."""
    rendition = make_rendition(text=to_markup(SIGNS, "little"))
    await publisher.publish(rendition, "key")

    assert [post.shown for post in server.shown] == [SIGNS]
    assert await publisher.find("key", rendition) is not None


async def test_the_simulator_would_cut_it(server: LinkedinSimulator, publisher: LinkedinPublisher) -> None:
    """In silence, as LinkedIn does: the test above can fail."""
    await publisher.publish(make_rendition(text=SIGNS), "key")

    assert [post.shown for post in server.shown] == ["Prix "]


@pytest.mark.parametrize(("commentary", "shown"), [
    (r"\(a\)", "(a)"), ("a #vélo b", "a #vélo b"), (r"{hashtag|\#|vélo}", "#vélo"), ("{hashtag|#|vélo}", "#vélo"),
    (r"{hashtag|\#|ré\_union}", "#ré_union"), ("Avec @[Camille](urn:li:person:abc1) !", "Avec Camille !"),
    ("a (b", "a "), ("a # b", "a "), ("a @b", "a "), ("a \\b", "a "), ("a {hashtag|x}", "a "), ("a_b", "a"), ("", ""),
])  # fmt: skip
def test_little_text(commentary: str, shown: str) -> None:
    """https://learn.microsoft.com/linkedin/marketing/community-management/shares/little-text-format"""
    assert little(commentary) == shown


def test_escapes_count() -> None:
    """Declared so that the text is made to fit with them."""
    assert (LIMITS.text_max, LIMITS.markup, LIMITS.markup_counts) == (COMMENTARY_MAX, "little", True)


@pytest.mark.parametrize("count", [1, 2])
async def test_pictures_travel_with_their_alt_texts(
    server: LinkedinSimulator, publisher: LinkedinPublisher, files: Files, count: int
) -> None:
    """Uploaded before, to the address that LinkedIn signed, then shown in the author's order."""
    attachments = (*pictures(files, "1.jpg", description="Un"), *pictures(files, "2.jpg", description=""))[:count]
    rendition = make_rendition(text="Photos", attachments=attachments, card=EVENT)
    prepared = await publisher.prepare(rendition, "key")
    assert server.shown == []
    await publisher.publish(rendition, "key", prepared=prepared)

    urns = list(server.images)
    (post,) = server.shown
    first = {"id": urns[0], "altText": "Un"}
    assert post.content == ({"media": first} if count == 1 else {"multiImage": {"images": [first, {"id": urns[1]}]}})
    assert all(image.data.startswith(b"\xff\xd8\xff") and b"GPSPhone" not in image.data for image in server.images.values())
    assert asked(server) == ["POST images", "PUT dms-uploads"] * count + ["GET images"] * count + ["POST posts"]


async def test_a_link_has_our_card(server: LinkedinSimulator, publisher: LinkedinPublisher, files: Files) -> None:
    """With its picture; LinkedIn would make none."""
    card = replace(EVENT, image=pictures(files, "1.jpg")[0], title="mot " * 200, description="")
    await publisher.publish(make_rendition(card=card), "key-1")
    await publisher.publish(make_rendition(text="Sans image", card=EVENT), "key-2")

    (urn,) = server.images
    contents = [post.content for post in server.shown]
    assert contents == [
        {"article": {"source": EVENT.url, "title": f"{'mot ' * 99}mot…", "thumbnail": urn}},
        {"article": {"source": EVENT.url, "title": "Atelier vélo", "description": "Samedi, 20 h 30, La Maison"}},
    ]


async def test_a_picture_that_is_not_ready_makes_the_post_wait(
    server: LinkedinSimulator, publisher: LinkedinPublisher, files: Files
) -> None:
    """Without sleeping, and without another upload."""
    server.works_at_once = False
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    with pytest.raises(NotReady):
        await publisher.publish(rendition, "key", prepared=prepared)
    assert server.shown == []
    server.work()
    await publisher.publish(rendition, "key", prepared=prepared)

    assert [list(post.content) for post in server.shown] == [["media"]]
    assert asked(server).count("PUT dms-uploads") == 1


@pytest.mark.parametrize("how", ["page.jpg", "nowhere.jpg", "failed", "gone", "refused"])
async def test_a_picture_that_will_never_do_stops_no_text(
    server: LinkedinSimulator, publisher: LinkedinPublisher, files: Files, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """At its origin, or at LinkedIn: left out, and said."""
    name = how if how.endswith(".jpg") else "1.jpg"
    rendition = make_rendition(text="Bonjour", attachments=pictures(files, name))
    if how == "refused":
        server.fault(answered(400, b"too large", method="PUT", path="/dms-uploads"))
    prepared = await publisher.prepare(rendition, "key")
    if how in ("failed", "gone"):
        server.images = {urn: replace(one, status="PROCESSING_FAILED") for urn, one in server.images.items() if how == "failed"}
    await publisher.publish(rendition, "key", prepared=prepared)

    assert [(post.shown, post.content) for post in server.shown] == [("Bonjour", {})]
    assert "media left out" in caplog.text


@pytest.mark.parametrize("fault", [
    answered(500, b"", path="/rest/images"), Fault(action="lose", path="/rest/images"), answered(503, HTML_ERROR, path="/rest/images"),
    answered(200, b"{}", path="/rest/images"), answered(200, b"[]", path="/rest/images"),
    answered(500, b"", method="PUT", path="/dms-uploads"), Fault(action="lose", method="PUT"),
], ids=["500", "lost", "html", "empty", "list", "put-500", "put-lost"])  # fmt: skip
async def test_an_upload_that_failed_left_nothing(
    server: LinkedinSimulator, publisher: LinkedinPublisher, files: Files, fault: Fault
) -> None:
    """Nobody sees it, so it is simply tried again."""
    server.fault(fault)
    with pytest.raises(Transient):
        await publisher.prepare(make_rendition(attachments=pictures(files, "1.jpg")), "key")

    assert server.shown == []


async def test_the_token_goes_to_linkedin_alone(server: LinkedinSimulator, publisher: LinkedinPublisher, files: Files) -> None:
    """Wherever it is told to send a picture."""
    elsewhere = files.url.replace("127.0.0.1", "localhost")
    told = {"value": {"uploadUrl": f"{elsewhere}/1.jpg", "image": "urn:li:image:1"}}
    server.fault(answered(200, json.dumps(told).encode(), path="/rest/images"))
    with pytest.raises(Transient):
        await publisher.prepare(make_rendition(attachments=pictures(files, "1.jpg")), "key")

    assert [seen.method for seen in files.requests] == ["GET"]


async def test_videos_stay_at_home(server: LinkedinSimulator, publisher: LinkedinPublisher, files: Files) -> None:
    """Rendered as a still picture and a link; one that comes all the same is neither fetched nor sent."""
    film = Attachment(url=f"{files.url}/film.mp4", type="video")
    await publisher.publish(make_rendition(text="Une balade", attachments=(film,)), "key")

    assert (LIMITS.media.videos_max, files.requests) == (0, [])
    assert [(post.shown, post.content) for post in server.shown] == [("Une balade", {})]


async def test_an_edit_changes_the_words_alone(server: LinkedinSimulator, publisher: LinkedinPublisher) -> None:
    """A partial update, at an encoded address."""
    receipt = await publisher.publish(make_rendition(text="Avant", card=EVENT), "key")
    await publisher.update(receipt, make_rendition(text="Après", card=EVENT))

    assert [(post.shown, list(post.content)) for post in server.shown] == [("Après", ["article"])]
    assert server.paths[-1] == f"/rest/posts/{receipt.remote_id.replace(':', '%3A')}"
    assert server.requests[-1].headers["X-RestLi-Method"] == "PARTIAL_UPDATE"


async def test_what_was_lost_is_found_once(server: LinkedinSimulator, publisher: LinkedinPublisher, clock: Clock) -> None:
    """Not the same words of last week, and also when other posts changed since."""
    first = await publisher.publish(make_rendition(text="Atelier ce soir"), "key-1")
    clock.forward(days=7)
    rendition = make_rendition(text="Atelier ce soir")
    prepared = await publisher.prepare(rendition, "key-2")
    assert await publisher.find("key-2", rendition, prepared=prepared) is None
    server.fault(Fault(action="lose", path="/rest/posts"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key-2", prepared=prepared)
    clock.forward(minutes=1)
    await publisher.update(first, make_rendition(text="Atelier hier soir"))
    found = await publisher.find("key-2", rendition, prepared=prepared)

    assert found is not None
    assert found.remote_id == server.shown[-1].urn != first.remote_id


async def test_pictures_alone_are_found_by_themselves(server: LinkedinSimulator, publisher: LinkedinPublisher, files: Files) -> None:
    """One or several, without a word."""
    renditions = [make_rendition(text="", attachments=pictures(files, *names)) for names in (["0.jpg"], ["1.jpg", "2.jpg"], ["2.jpg"])]
    ready = [await publisher.prepare(rendition, f"key-{n}") for n, rendition in enumerate(renditions)]
    made = [await publisher.publish(renditions[n], f"key-{n}", prepared=ready[n]) for n in (0, 1)]
    found = [await publisher.find(f"key-{n}", rendition, prepared=ready[n]) for n, rendition in enumerate(renditions)]

    assert found == [*made, None]


async def test_too_many_posts_since_leave_it_open(server: LinkedinSimulator, publisher: LinkedinPublisher, clock: Clock) -> None:
    """What may stand further back is not declared absent; what is older than we are has nothing to say."""
    for number in range(50):
        await publisher.publish(make_rendition(text=f"Brève {number}"), f"key-{number}")
    with pytest.raises(Transient):
        await publisher.find("key", make_rendition(text="Perdu"))
    clock.forward(hours=1)

    assert await publisher.find("key", make_rendition(text="Perdu", published_at=clock())) is None


@pytest.mark.parametrize("answer", [b"{}", b'{"elements": null}', b"[]", b"<html>"])
async def test_no_list_is_no_proof(server: LinkedinSimulator, publisher: LinkedinPublisher, answer: bytes) -> None:
    """Only a list of posts can say that ours is not there."""
    server.fault(answered(200, answer, method="GET"))
    with pytest.raises(Transient):
        await publisher.find("key", make_rendition())


async def test_a_duplicate_of_what_we_just_made_is_ours(server: LinkedinSimulator, publisher: LinkedinPublisher) -> None:
    """An earlier attempt made it, and the list did not show it yet: LinkedIn names it."""
    rendition = make_rendition()
    prepared = await publisher.prepare(rendition, "key")
    server.fault(Fault(action="lose", path="/rest/posts"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    receipt = await publisher.publish(rendition, "key", prepared=prepared)

    assert [post.urn for post in server.shown] == [receipt.remote_id]


async def test_a_duplicate_of_an_older_post_is_refused_with_advice(
    server: LinkedinSimulator, publisher: LinkedinPublisher, clock: Clock
) -> None:
    """Somebody's, or another item's: never taken for ours."""
    await publisher.publish(make_rendition(), "key-1")
    clock.forward(hours=2)
    with pytest.raises(Rejected) as caught:
        await publisher.publish(make_rendition(), "key-2")

    assert caught.value.hint is not None
    assert "identique" in caught.value.hint["fr"]


async def test_the_ghost_of_a_removed_post_is_refused_with_advice(
    server: LinkedinSimulator, publisher: LinkedinPublisher, clock: Clock
) -> None:
    """It goes away by itself."""
    await publisher.delete(await publisher.publish(make_rendition(), "key-1"))
    with pytest.raises(Rejected) as caught:
        await publisher.publish(make_rendition(), "key-2")
    assert caught.value.hint is not None
    assert "un jour ou deux" in caught.value.hint["fr"]
    clock.forward(days=2)
    await publisher.publish(make_rendition(), "key-2")

    assert len(server.shown) == 1


@pytest.mark.parametrize(("status", "body", "headers", "at"), [
    (429, refusal(429, "TOO_MANY_REQUESTS", "Throttle"), {}, MIDNIGHT),
    (429, b"", {}, MIDNIGHT),
    (429, b"", {"Retry-After": "90"}, NOW + timedelta(seconds=90)),
])  # fmt: skip
async def test_a_daily_limit_lasts_until_midnight(
    server: LinkedinSimulator, publisher: LinkedinPublisher, status: int, body: bytes, headers: dict[str, str], at: datetime
) -> None:
    """UTC, unless LinkedIn says otherwise."""
    server.fault(answered(status, body, **headers))
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(), "key")

    assert caught.value.at == at


async def test_a_refusal_says_what_is_wrong(server: LinkedinSimulator, publisher: LinkedinPublisher) -> None:
    """In LinkedIn's own words and codes."""
    with pytest.raises(Rejected) as caught:
        await publisher.publish(make_rendition(text="a" * 3001), "key")

    assert caught.value.detail == (
        "LinkedIn answered 422: ERROR :: /commentary :: maxLength 3000 (UNPROCESSABLE_ENTITY, FIELD_VALUE_INVALID)"
    )


async def test_an_edit_that_collides_is_repeated(server: LinkedinSimulator, publisher: LinkedinPublisher) -> None:
    """It surely did not take effect."""
    receipt = await publisher.publish(make_rendition(), "key")
    server.fault(answered(409, refusal(409, "CONFLICT", "Write conflict")))
    with pytest.raises(Transient):
        await publisher.update(receipt, make_rendition(text="Après"))


async def test_what_somebody_removed(server: LinkedinSimulator, publisher: LinkedinPublisher) -> None:
    """An edit finds it gone, a deletion has nothing to do."""
    receipt = await publisher.publish(make_rendition(), "key")
    server.posts.clear()
    with pytest.raises(Gone):
        await publisher.update(receipt, make_rendition(text="Après"))
    await publisher.delete(receipt)

    assert server.requests[-1].method == "DELETE"


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_is_not_public_never_leaves(server: LinkedinSimulator, publisher: LinkedinPublisher, visibility: str) -> None:
    """Neither posted, nor uploaded, nor written over a post."""
    hidden: Rendition = make_rendition(visibility=visibility)
    receipt = Receipt(remote_id="urn:li:share:1")
    for attempt in (publisher.publish(hidden, "key"), publisher.prepare(hidden, "key"), publisher.update(receipt, hidden)):
        with pytest.raises(Rejected):
            await attempt

    assert server.requests == []


@pytest.mark.parametrize("fault", [
    Fault(action="lose", times=9), Fault(action="truncate"), Fault(action="mask", status=502),
    answered(401, refusal(401, "INVALID_ACCESS_TOKEN", f"Unknown {TOKEN}"), method="", path=""),
    answered(400, f"no {TOKEN}".encode(), method="", path=""),
    answered(302, b"", method="", path="", Location=f"http://127.0.0.1:1/?token={TOKEN}"),
], ids=["lost", "truncated", "502", "echo-401", "echo-400", "redirect"])  # fmt: skip
@pytest.mark.parametrize("verb", ["open", "publish", "update", "delete", "find"])
async def test_the_token_never_shows(
    publisher: LinkedinPublisher, server: LinkedinSimulator, caplog: pytest.LogCaptureFixture, fault: Fault, verb: str
) -> None:
    """Not in an error, its causes, a traceback, a log or a repr, whatever answers."""
    receipt = await publisher.publish(make_rendition(), "key")
    attempt = {
        "open": publisher.open, "publish": lambda: publisher.publish(make_rendition(text="Autre"), "key"),
        "update": lambda: publisher.update(receipt, make_rendition(text="Autre")), "delete": lambda: publisher.delete(receipt),
        "find": lambda: publisher.find("key", make_rendition()),
    }[verb]  # fmt: skip
    server.fault(fault)
    told = [repr(publisher), repr(vars(publisher)), repr(receipt)]
    with caplog.at_level(logging.DEBUG):
        try:
            await attempt()
        except ConnectorError as raised:
            failure: BaseException | None = raised
            told += traceback.format_exception(raised)
            while failure is not None:
                told += [repr(failure), str(failure), repr(vars(failure)), repr(failure.args)]
                failure = failure.__cause__ or failure.__context__

    assert server.requests[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in " ".join([*told, caplog.text])


GOOD = {
    "author": AUTHOR, "commentary": "a", "visibility": "PUBLIC", "distribution": {"feedDistribution": "MAIN_FEED"},
    "lifecycleState": "PUBLISHED",
}  # fmt: skip
ARTICLE = {"source": "https://x.example", "title": "x"}


@pytest.mark.parametrize(("path", "sent", "headers", "status"), [
    ("posts", {"commentary": "a"}, {}, 422),
    ("posts", GOOD | {"author": "urn:li:organization:1"}, {}, 422),
    ("posts", GOOD | {"comentary": "a"}, {}, 422),
    ("posts", GOOD | {"content": {"media": {"id": "x"}, "article": ARTICLE}}, {}, 422),
    ("posts", GOOD | {"content": {"multiImage": {"images": [{"id": "x"}]}}}, {}, 422),
    ("posts", GOOD | {"content": {"article": ARTICLE | {"title": "x" * 401}}}, {}, 422),
    ("posts", GOOD | {"commentary": ""}, {}, 400),
    ("posts", GOOD | {"content": {"media": {"id": "urn:li:image:404"}}}, {}, 400),
    ("posts", GOOD, {"Linkedin-Version": "202301"}, 426),
    ("posts", GOOD, {"Linkedin-Version": "latest"}, 426),
    ("posts", GOOD, {"Authorization": "Bearer another"}, 401),
    ("posts/urn:li:share:1", {}, {}, 400),
    ("posts/urn%3Ali%3Ashare%3A1", {"patch": {"$set": {"commentary": "a"}}}, {}, 400),
    ("images", {}, {}, 400),
])  # fmt: skip
async def test_the_simulator_refuses_what_linkedin_refuses(
    server: LinkedinSimulator, sessions: Sessions, path: str, sent: Any, headers: dict[str, str], status: int
) -> None:
    """Incomplete, too long, two kinds of content, nothing at all, a picture that is not there, versions, addresses that are not encoded."""
    usual = {"Authorization": f"Bearer {TOKEN}", "Linkedin-Version": "202610", "X-Restli-Protocol-Version": "2.0.0"}
    url = URL(f"{server.url}/rest/{path}", encoded=True)
    async with sessions.get(private=True, write=True).post(url, json=sent, headers=usual | headers) as answer:
        told = json.loads(await answer.read())

    assert (answer.status, told["status"]) == (status, status)
    assert server.shown == []


@pytest.mark.parametrize(("text", "read"), [
    (r"{hashtag|\#|vélo} et {hashtag|#|ré\_union}", "#vélo et #ré_union"), (r"\(a\)  \\ b", r"(a) \ b"), ("E\u0301te\u0301", "Été"),
])  # fmt: skip
def test_texts_are_compared_as_people_read_them(text: str, read: str) -> None:
    """LinkedIn may give back another spelling of the same."""
    assert plain(text) == read

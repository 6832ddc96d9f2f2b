"""The Bluesky publisher: the contract against a PDS, the posts it makes, and what it does when things go wrong."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from connectors.bluesky import BlueskyPublisher
from connectors.bluesky.publisher import LIMITS
from connectors.bluesky.record import record_key
from syndicator.contract import CanPrepare, CanUpdate, Limits, Secret
from syndicator.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.http import Sessions
from syndicator.model import Attachment, Card, Receipt, Span
from syndicator.sandbox.bluesky_lexicon import TID
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_rendition
from syndicator.text.face import Face, to_url
from tests.bluesky_scene import PUT, Server, given_quick, opened, options_for  # noqa: F401 - a fixture
from tests.media_scene import Files, encoded, noise, photo

UPLOAD = "com.atproto.repo.uploadBlob"
DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"


class TestContract(PublisherContract):
    """What every publisher promises."""

    connector = BlueskyPublisher
    path = PUT
    dialect = tuple(
        (
            what,
            Fault(action="answer", status=status, body=b'{"error":"%s","message":"x"}' % name.encode(), headers=headers, path=PUT, times=9),
            error,
        )
        for what, status, name, headers, error in (
            ("too many requests", 429, "RateLimitExceeded", {"RateLimit-Reset": "1795262460"}, RateLimited),
            ("a limit named in a 400", 400, "RateLimitExceeded", {}, RateLimited),
            ("a dead token", 400, "ExpiredToken", {}, AuthExpired),
            ("a token of another server", 400, "InvalidToken", {}, AuthExpired),
            ("no such account", 403, "AccountNotFound", {}, AuthExpired),
            ("an account taken down", 401, "AccountTakedown", {}, AuthExpired),
            ("an account suspended", 400, "AccountSuspended", {}, AuthExpired),
            ("a record that is none", 400, "InvalidRequest", {}, Rejected),
            ("another record of that name", 400, "InvalidSwap", {}, Rejected),
            ("too large", 413, "PayloadTooLarge", {}, Rejected),
            ("a crash", 500, "InternalServerError", {}, OutcomeUnknown),
            ("a door without a house", 502, "UpstreamFailure", {}, OutcomeUnknown),
            ("an error in a good answer", 200, "InvalidRequest", {}, OutcomeUnknown),
        )
    )

    async def start(self) -> Simulator:
        return await Server().start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, Server)
        return [record["text"] for record in simulator.records]

    def kill_credential(self, simulator: Simulator) -> None:
        """Revoked; the access token lives on until its two hours are over."""
        assert isinstance(simulator, Server)
        simulator.sessions.revoke(simulator.asso, "syndicator")
        simulator.clock.forward(hours=3)

    def parent_of(self, simulator: Simulator, receipt: Receipt) -> str | None:
        assert isinstance(simulator, Server)
        reply = simulator.asso.repository.records["app.bsky.feed.post", receipt.remote_id.rpartition("/")[2]].value.get("reply")
        return reply["parent"]["uri"] if reply else None

    def text_of_length(self, limits: Limits, length: int) -> str:
        """A family is one character, whatever it is made of."""
        return "👩‍👩‍👧‍👦" + "a" * (length - 1)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    async with Files() as files:
        files.files["velo.jpg"] = photo()
        yield files


@pytest.fixture
async def publisher(server: Server, sessions: Sessions, tmp_path: Path) -> AsyncIterator[BlueskyPublisher]:
    publisher = await opened(server, sessions, tmp_path)
    yield publisher
    await publisher.close()


def picture(files: Files, name: str = "velo.jpg", description: str = "Deux vélos contre un mur") -> Attachment:
    return Attachment(url=f"{files.url}/{name}", description=description)


async def test_a_post_is_a_record_with_facets_in_bytes(publisher: BlueskyPublisher, server: Server) -> None:
    """Links and hashtags stand on their words after accents and emoji; mentions stay text; date and language are the original's."""
    text = "Fête 👩‍👩‍👧‍👦 chez asso@mastodon.example : https://asso.example/fête?a=1&b=2 #Vélorution"
    receipt = await publisher.publish(make_rendition(text=text), "key-1")

    raw = text.encode()
    link, tag = "https://asso.example/fête?a=1&b=2".encode(), "#Vélorution".encode()
    uri = f"at://{DID}/app.bsky.feed.post/{server.posts(server.asso)[0]['rkey']}"
    cid = server.posts(server.asso)[0]["cid"]
    assert server.records == [
        {
            "$type": "app.bsky.feed.post",
            "text": text,
            "createdAt": "2026-11-21T12:00:00.000Z",
            "langs": ["fr"],
            "facets": [
                {
                    "index": {"byteStart": raw.index(link), "byteEnd": raw.index(link) + len(link)},
                    "features": [{"$type": "app.bsky.richtext.facet#link", "uri": link.decode()}],
                },
                {
                    "index": {"byteStart": raw.index(tag), "byteEnd": raw.index(tag) + len(tag)},
                    "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "Vélorution"}],
                },
            ],
            "embed": {
                "$type": "app.bsky.embed.external",
                "external": {"uri": link.decode(), "title": "asso.example", "description": ""},
            },
        }
    ]
    assert receipt == Receipt(
        remote_id=uri,
        url=f"https://bsky.app/profile/asso.bsky.social/post/{uri.rpartition('/')[2]}",
        uri=uri,
        data=(("cid", cid), ("root_uri", uri), ("root_cid", cid)),
    )


async def test_a_plain_post_has_nothing_else(publisher: BlueskyPublisher, server: Server) -> None:
    """No link, no known language: no card, no facets, no language invented."""
    await publisher.publish(make_rendition(text="Bonjour", language=None), "key-1")
    assert server.records == [{"$type": "app.bsky.feed.post", "text": "Bonjour", "createdAt": "2026-11-21T12:00:00.000Z"}]


async def test_a_decomposed_text_is_sent_composed(publisher: BlueskyPublisher, server: Server) -> None:
    """The server counts what it gets: 300 letters in two pieces each would take more bytes, and facets would slip."""
    await publisher.publish(make_rendition(text="Ve\u0301lo #e\u0301te\u0301"), "key-1")
    assert server.records[0]["text"] == "Vélo #été"
    assert server.records[0]["facets"][0]["index"] == {"byteStart": 6, "byteEnd": 12}


async def test_bytes_are_a_limit_of_their_own(publisher: BlueskyPublisher, server: Server) -> None:
    """3,000 bytes pass, one more does not, whatever the number of characters."""
    zalgo = "a" + "\u0316" * 1499
    await publisher.publish(make_rendition(text=zalgo + "b"), "key-max")
    with pytest.raises(Rejected):
        await publisher.publish(make_rendition(text=zalgo + "bc"), "key-over")
    assert (LIMITS.bytes_max, len((zalgo + "b").encode()), len(server.records)) == (3000, 3000, 1)


async def test_a_facet_too_long_never_costs_the_post(publisher: BlueskyPublisher, server: Server) -> None:
    """A hashtag of few characters and many bytes stays text, where the server would refuse everything."""
    tag = ("a" + "\u0316" * 20) * 20
    await publisher.publish(make_rendition(text=f"#{tag} #vélo", language="x_quatsch"), "key-1")
    assert [facet["features"][0]["tag"] for facet in server.records[0]["facets"]] == ["vélo"]
    assert "langs" not in server.records[0]


async def test_parts_of_a_thread_know_parent_and_root(publisher: BlueskyPublisher, server: Server) -> None:
    """The third part answers the second, in the thread of the first; dates a millisecond apart keep them in order."""
    parent = None
    for part, text in enumerate(("Un", "Deux", "Trois")):
        parent = await publisher.publish(make_rendition(text=text, part=part, parts=3), f"key-{part}", parent=parent)

    names = [{"uri": f"at://{DID}/app.bsky.feed.post/{post['rkey']}", "cid": post["cid"]} for post in server.posts(server.asso)]
    assert [record.get("reply") for record in server.records] == [
        None,
        {"root": names[0], "parent": names[0]},
        {"root": names[0], "parent": names[1]},
    ]
    assert [record["createdAt"] for record in server.records] == [f"2026-11-21T12:00:00.{part:03}Z" for part in range(3)]


async def test_a_part_found_again_knows_its_root(publisher: BlueskyPublisher, server: Server) -> None:
    """After a lost answer the thread goes on where it was."""
    first = await publisher.publish(make_rendition(text="Un", parts=3), "key-0")
    rendition = make_rendition(text="Deux", part=1, parts=3)
    second = await publisher.publish(rendition, "key-1", parent=first)
    assert await publisher.find("key-1", rendition) == second
    assert dict(second.data)["root_uri"] == first.remote_id


@pytest.mark.parametrize(("at", "start"), [
    (NOW, "3n2t2g"), (datetime(1, 1, 1, tzinfo=UTC), "222222"), (datetime(9999, 12, 31, tzinfo=UTC), "bzzzz"), (None, "3"),
])  # fmt: skip
def test_names_are_tids(at: datetime | None, start: str) -> None:
    """Whatever the date says, and always the same for the same delivery."""
    rendition = make_rendition(published_at=at)
    names = [record_key(rendition, f"key-{number}") for number in range(200)]
    assert all(TID.fullmatch(name) and name.startswith(start) for name in names)
    assert len(set(names)) == 200
    assert names == [record_key(rendition, f"key-{number}") for number in range(200)]


def test_names_sort_as_posts_do() -> None:
    """The listing of an account is in the order of the originals; two of one second do not collide."""
    at = [NOW + timedelta(seconds=seconds) for seconds in range(50)]
    names = [record_key(make_rendition(published_at=one), f"key-{number}") for number, one in enumerate(at)]
    assert names == sorted(names)
    assert len({record_key(make_rendition(), hashlib.sha256(bytes([a, b])).hexdigest()) for a in range(64) for b in range(64)}) == 4096


async def test_sent_again_is_the_same_record(publisher: BlueskyPublisher, server: Server) -> None:
    """A lost answer, the same key: one post, one revision, and the receipt that the first attempt would have given."""
    server.fault(Fault(action="lose", path=PUT))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(make_rendition(), "key-1")
    server.clock.forward(minutes=1)
    receipt = await publisher.publish(make_rendition(), "key-1")

    assert receipt == await publisher.find("key-1", make_rendition())
    assert server.asso.repository.revision == 1
    assert server.put()[0] == server.put()[1]


async def test_what_readers_saw_is_never_changed(publisher: BlueskyPublisher, server: Server) -> None:
    """An undated item sent again a minute later would have another date: the first post stays as it is, and is the receipt."""
    undated = make_rendition(published_at=None)
    server.fault(Fault(action="mask", status=503, path=PUT))
    with pytest.raises(Transient):
        await publisher.publish(undated, "key-1")
    before = server.posts(server.asso)
    server.clock.forward(minutes=1)
    receipt = await publisher.publish(undated, "key-1")

    assert server.posts(server.asso) == before
    assert (receipt.remote_id.rpartition("/")[2], dict(receipt.data)["cid"]) == (before[0]["rkey"], before[0]["cid"])


async def test_a_key_of_another_purpose_is_another_post(publisher: BlueskyPublisher, server: Server) -> None:
    """A reminder of an event does not overwrite its announcement; both have the item's date."""
    await publisher.publish(make_rendition(text="Ce samedi"), "create")
    await publisher.publish(make_rendition(text="C'est demain"), "remind")
    assert [record["text"] for record in server.records] == ["Ce samedi", "C'est demain"]


async def test_pictures_travel_with_alt_text_and_shape(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """As JPEG, without what the camera wrote; the fifth stays at home; a link in the text gets no card beside them."""
    files.files["affiche.png"] = encoded(Image.new("RGBA", (30, 60), (0, 0, 0, 0)), "PNG")
    shown = (picture(files), picture(files, "affiche.png", ""), *[picture(files) for _ in range(3)])
    await publisher.publish(make_rendition(text="https://asso.example/", attachments=shown), "key-1")

    embed = server.records[0]["embed"]
    assert embed["$type"] == "app.bsky.embed.images"
    assert [(one["alt"], one["aspectRatio"]) for one in embed["images"]] == [
        ("Deux vélos contre un mur", {"width": 40, "height": 20}),
        ("", {"width": 30, "height": 60}),
        *[("Deux vélos contre un mur", {"width": 40, "height": 20})] * 2,
    ]
    blobs = server.asso.repository.blobs
    assert {blobs[one["image"]["ref"]["$link"]].media_type for one in embed["images"]} == {"image/jpeg"}
    assert not any(b"GPSPhone" in blob.data for blob in blobs.values())


async def test_a_large_picture_is_made_to_fit(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """Under what the server takes when the post is put, not only when the picture is uploaded."""
    files.files["grand.jpg"] = encoded(noise(2100, 2100), "JPEG", quality=90)
    await publisher.publish(make_rendition(attachments=(picture(files, "grand.jpg"),)), "key-1")

    blob = server.records[0]["embed"]["images"][0]["image"]
    assert len(files.files["grand.jpg"]) > 2_000_000
    assert 100_000 < blob["size"] <= 976 * 1024


async def test_a_picture_that_will_never_do_is_left_out(
    publisher: BlueskyPublisher, server: Server, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """The text goes without it, and the log says so; one that fails for now makes the post wait."""
    files.files["faux.jpg"] = b"not a picture"
    with caplog.at_level(logging.WARNING):
        await publisher.publish(make_rendition(attachments=(picture(files, "faux.jpg"), picture(files))), "key-1")
    assert [one["alt"] for one in server.records[0]["embed"]["images"]] == ["Deux vélos contre un mur"]
    assert "media left out" in caplog.text

    files.fault(Fault(action="answer", status=503))
    with pytest.raises(Transient):
        await publisher.publish(make_rendition(attachments=(picture(files, "autre.jpg"),)), "key-2")
    assert len(server.records) == 1


@pytest.mark.parametrize("fault", [
    Fault(action="lose", path=UPLOAD), Fault(action="truncate", path=UPLOAD), Fault(action="mask", status=502, path=UPLOAD),
    Fault(action="answer", status=200, body=b"[]", path=UPLOAD), Fault(action="answer", status=200, body=b"{}", path=UPLOAD),
])  # fmt: skip
async def test_a_failed_upload_has_published_nothing(publisher: BlueskyPublisher, server: Server, files: Files, fault: Fault) -> None:
    """However it fails, it is surely not public: the post simply waits."""
    server.fault(fault)
    with pytest.raises(Transient):
        await publisher.publish(make_rendition(attachments=(picture(files),)), "key-1")
    assert server.records == []


async def test_prepared_uploads_are_used_once_made(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """A second attempt sends the very same record, without uploading again, even when the origin has lost the picture."""
    assert isinstance(publisher, CanPrepare)
    rendition = make_rendition(attachments=(picture(files),))
    prepared = await publisher.prepare(rendition, "key-1")
    assert server.records == []
    files.files.clear()
    server.fault(Fault(action="lose", path=PUT))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key-1", prepared=prepared)
    await publisher.publish(rendition, "key-1", prepared=prepared)
    assert len(server.asked(UPLOAD)) == 1
    assert server.asso.repository.revision == 1


async def test_an_upload_dropped_meanwhile_is_made_again(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """What waited too long between upload and post (a pause, an outage) is no reason to fail."""
    rendition = make_rendition(attachments=(picture(files),))
    prepared = await publisher.prepare(rendition, "key-1")
    server.clock.forward(hours=2)
    receipt = await publisher.publish(rendition, "key-1", prepared=prepared)
    assert receipt.remote_id
    assert len(server.asked(UPLOAD)) == 2


async def test_a_card_leads_home(publisher: BlueskyPublisher, server: Server, files: Files) -> None:
    """With the title, the words and the picture that were made for it, whatever else the text links to."""
    card = Card(url="https://agenda.example/e/1", title="Bal folk", description="Samedi à 20 h", image=picture(files))
    await publisher.publish(make_rendition(text="Avec https://other.example/", card=card), "key-1")
    external = server.records[0]["embed"]["external"]
    thumb = external.pop("thumb")
    assert external == {"uri": "https://agenda.example/e/1", "title": "Bal folk", "description": "Samedi à 20 h"}
    assert thumb == next(iter(server.asso.repository.blobs.values())).reference()


@pytest.mark.parametrize("damage", ["away", "broken", "refused"])
async def test_a_card_never_holds_a_post_back(
    publisher: BlueskyPublisher, server: Server, files: Files, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its picture is only a decoration: without it the card has its words, and the log says so."""
    files.files["faux.jpg"] = b"not a picture"
    if damage == "away":
        files.fault(Fault(action="answer", status=503))
    elif damage == "refused":
        server.fault(Fault(action="answer", status=413, body=b'{"error":"PayloadTooLarge","message":"x"}', path=UPLOAD))
    image = picture(files, "faux.jpg" if damage == "broken" else "velo.jpg")
    await publisher.publish(make_rendition(card=Card(url="https://a.example/", title="Bal", image=image)), "key-1")
    assert server.records[0]["embed"]["external"] == {"uri": "https://a.example/", "title": "Bal", "description": ""}
    assert image.url in caplog.text


async def test_a_drawn_picture_is_a_picture(publisher: BlueskyPublisher, server: Server) -> None:
    """What an item without a picture gets is drawn, uploaded and under what a card may have."""
    face = Face(title="Bal folk", facts=("samedi 28 novembre à 20 h",), name="Les Amis du Vélo")
    card = Card(url="https://a.example/", title="Bal folk", image=Attachment(url=to_url(face)))
    await publisher.publish(make_rendition(card=card), "key-1")
    thumb = server.records[0]["embed"]["external"]["thumb"]
    assert (thumb["mimeType"], 5_000 < thumb["size"] <= 1_000_000) == ("image/jpeg", True)


async def test_words_are_links_on_themselves(publisher: BlueskyPublisher, server: Server) -> None:
    """After accents and emoji, in bytes, and also in a text that is sent composed; where nobody made a card, the first of them has one."""
    text = "Fe\u0302te \U0001f468\u200d\U0001f467 : le programme de l'e\u0301te\u0301, #bal"
    at = text.index("le programme")
    span = Span(start=at, end=at + len("le programme de l'e\u0301te\u0301"), url="https://asso.example/programme?a=é")
    await publisher.publish(make_rendition(text=text, spans=(span,)), "key-1")

    record = server.records[0]
    raw = record["text"].encode()
    shown = {raw[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode(): one["features"][0] for one in record["facets"]}
    assert shown == {
        "le programme de l'été": {"$type": "app.bsky.richtext.facet#link", "uri": "https://asso.example/programme?a=é"},
        "#bal": {"$type": "app.bsky.richtext.facet#tag", "tag": "bal"},
    }
    assert record["embed"]["external"]["uri"] == "https://asso.example/programme?a=é"


async def test_no_card_when_nobody_wants_one(server: Server, sessions: Sessions, tmp_path: Path) -> None:
    """``link_card = false``: the link in the text is all."""
    publisher = await opened(server, sessions, tmp_path, link_card=False)
    await publisher.publish(make_rendition(text="https://www.asso.example/"), "key-1")
    assert "embed" not in server.records[0]


@pytest.mark.parametrize(("options", "label"), [({}, "graphic-media"), ({"sensitive_label": "nudity"}, "nudity")])
async def test_what_is_sensitive_is_labelled(
    server: Server, sessions: Sessions, tmp_path: Path, options: dict[str, Any], label: str
) -> None:
    """So that apps blur it; nothing else is labelled."""
    publisher = await opened(server, sessions, tmp_path, **options)
    await publisher.publish(make_rendition(sensitive=True), "key-1")
    await publisher.publish(make_rendition(), "key-2")
    assert [record.get("labels") for record in server.records] == [
        {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": label}]},
        None,
    ]


async def test_nothing_private_and_nothing_empty_is_published(publisher: BlueskyPublisher, server: Server) -> None:
    """Everything there is public; an empty post would be a riddle."""
    for rendition in (make_rendition(visibility="private"), make_rendition(visibility="direct"), make_rendition(text="")):
        with pytest.raises(Rejected):
            await publisher.publish(rendition, "key-1")
    assert server.asked(PUT) == []


async def test_a_deletion_is_of_the_account_that_posted(publisher: BlueskyPublisher, server: Server) -> None:
    """Deleted twice is deleted; a receipt of an account that we no longer write to is not reported as deleted."""
    receipt = await publisher.publish(make_rendition(), "key-1")
    for _ in range(2):
        await publisher.delete(receipt)
    assert server.records == []
    other = server.add_account("ancien.bsky.social")
    with pytest.raises(AuthExpired):
        await publisher.delete(Receipt(remote_id=f"at://{other.did}/app.bsky.feed.post/3mp3kvgzq7c2a"))


def test_edits_are_not_promised() -> None:
    """The apps show the first version for ever, so an update would only pretend."""
    assert not issubclass(BlueskyPublisher, CanUpdate)


@pytest.mark.parametrize(("status", "name", "kind"), [
    (400, "InvalidRequest", Rejected), (401, "AuthenticationRequired", AuthExpired), (401, "AccountTakedown", AuthExpired),
    (401, "AccountDeactivated", AuthExpired), (403, "AccountNotFound", AuthExpired), (400, "AccountSuspended", AuthExpired),
    (413, "PayloadTooLarge", Rejected), (500, "InternalServerError", OutcomeUnknown), (502, "UpstreamFailure", OutcomeUnknown),
    (200, "Anything", OutcomeUnknown), (429, "RateLimitExceeded", RateLimited),
])  # fmt: skip
async def test_refusals_are_told_apart_by_name(
    publisher: BlueskyPublisher, server: Server, status: int, name: str, kind: type[Exception]
) -> None:
    """The ``error`` of the body decides before the status does."""
    server.fault(Fault(action="answer", status=status, body=b'{"error":"%s","message":"x"}' % name.encode(), path=PUT))
    with pytest.raises(kind):
        await publisher.publish(make_rendition(), "key-1")


@pytest.mark.parametrize(("status", "kind"), [(503, Transient), (200, OutcomeUnknown), (404, Rejected)])
async def test_a_page_instead_of_an_answer(publisher: BlueskyPublisher, server: Server, status: int, kind: type[Exception]) -> None:
    """A proxy's HTML is no crash, and a 200 with a page proves nothing."""
    server.fault(Fault(action="answer", status=status, headers={"Content-Type": "text/html"}, body=HTML_ERROR, path=PUT))
    with pytest.raises(kind):
        await publisher.publish(make_rendition(), "key-1")


async def test_a_rate_limit_says_when(publisher: BlueskyPublisher, server: Server) -> None:
    """``RateLimit-Reset`` is an instant, not a number of seconds; nothing is tried before, and all goes well after."""
    server.meters["write"].points = 3
    await publisher.publish(make_rendition(), "key-1")
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(), "key-2")
    assert caught.value.at == NOW + timedelta(hours=1)
    server.clock.forward(hours=1)
    await publisher.publish(make_rendition(), "key-2")
    assert len(server.records) == 2


@pytest.mark.parametrize(("headers", "at"), [
    ({"RateLimit-Reset": "99999999999"}, NOW + timedelta(days=1)), ({"RateLimit-Reset": "12"}, NOW), ({"RateLimit-Reset": "soon"}, None),
    ({"Retry-After": "60"}, NOW + timedelta(seconds=60)), ({}, None),
])  # fmt: skip
async def test_a_strange_limit_neither_crashes_nor_stops_for_ever(
    publisher: BlueskyPublisher, server: Server, headers: dict[str, str], at: datetime | None
) -> None:
    """A day at most, never the past; unknown when nothing is said."""
    server.fault(Fault(action="answer", status=429, headers=headers, path=PUT))
    with pytest.raises(RateLimited) as caught:
        await publisher.publish(make_rendition(), "key-1")
    assert caught.value.at == at


@pytest.mark.parametrize(
    "handle", ["", "asso", "asso@mastodon.example", "https://bsky.app/profile/asso.bsky.social", "asso..social", "été.fr"]
)
def test_what_is_no_handle_is_no_option(handle: str) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match=r"asso\.bsky\.social") as caught:
        BlueskyPublisher.Options(handle=handle, app_password=Secret("x"))
    assert set(caught.value.args[0]) >= {"fr", "en"}


@pytest.mark.parametrize("pds", ["", "https://", "ftp://pds.example", "https://user:pw@pds.example"])
def test_what_is_no_server_is_no_option(pds: str) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match=r"https://bsky\.social") as caught:
        BlueskyPublisher.Options(handle="asso.bsky.social", app_password=Secret("x"), pds=pds)
    assert set(caught.value.args[0]) >= {"fr", "en"}


def test_a_handle_may_be_written_as_people_write_it() -> None:
    """With its @, in capitals, with spaces around."""
    options = BlueskyPublisher.Options(handle=" @Asso.Bsky.Social", app_password=Secret("x"), pds="pds.asso.example/")
    assert (options.account, options.base_url) == ("asso.bsky.social", "https://pds.asso.example")


def test_limits_need_no_account() -> None:
    """``try`` and ``preview`` know them without a login."""
    assert BlueskyPublisher.limits == LIMITS
    assert (LIMITS.text_max, LIMITS.text_unit, LIMITS.bytes_max, LIMITS.threads) == (300, "graphemes", 3000, True)
    assert (LIMITS.spans, LIMITS.card, LIMITS.sensitive_media) == (True, True, True)

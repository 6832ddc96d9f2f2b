"""Pictures, GIFs and videos on X: uploaded and described once, waited for, left out when they never do; and what the simulator keeps to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.x import XPublisher
from connectors.x.limits import LIMITS
from connectors.x.uploads import SEGMENT_BYTES
from syndicator.errors import AuthExpired, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt
from syndicator.sandbox.openapi import flaws
from syndicator.sandbox.server import Fault
from syndicator.sandbox.x import KEYS, XSimulator
from syndicator.sandbox.x_answers import CREDITS, INVALID, problem
from syndicator.sandbox.x_oauth import Doors
from syndicator.sandbox.x_spec import SENSITIVE, reduce, spec, written
from syndicator.sandbox.x_text import weight
from syndicator.testing import HTML_ERROR, make_rendition
from tests.clock import Clock
from tests.media_scene import MP4, Files, encoded, moving_gif, noise
from tests.x_scene import asked, bodies, film, opened, pictures, publisher, server

__all__ = ["publisher", "server"]

UPLOAD = "POST /2/media/upload"
METADATA = "POST /2/media/metadata"


def shown(server: XSimulator) -> list[list[tuple[str, str, bool]]]:
    """Of each post: category, alt text, warning."""
    return [[(one.category, one.alt, one.sensitive) for one in post.media] for post in server.posts]


async def test_pictures_travel_with_their_alt_texts(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """Four, in the author's order; without a description none is paid for; a long one is cut at a word."""
    attachments = (
        *pictures(files, "1.jpg", description="Un"), *pictures(files, "2.jpg", description=""),
        *pictures(files, "3.jpg", description="mot " * 300), *pictures(files, "4.jpg", description="Quatre"),
    )  # fmt: skip
    await publisher.publish(make_rendition(attachments=attachments), "key")

    assert shown(server) == [
        [
            ("tweet_image", "Un", False),
            ("tweet_image", "", False),
            ("tweet_image", f"{'mot ' * 249}mot…", False),
            ("tweet_image", "Quatre", False),
        ]
    ]
    assert [what for what, _ in server.charges] == ["user", *["metadata"] * 3, "create"]
    assert LIMITS.prices is not None
    assert server.spent == 10 + 3 * LIMITS.prices.description + LIMITS.prices.create
    assert all(one.data.startswith(b"\xff\xd8\xff") and b"GPSPhone" not in one.data for one in server.posts[0].media)


async def test_what_was_prepared_is_not_uploaded_again(
    publisher: XPublisher, server: XSimulator, sessions: Sessions, files: Files, tmp_path: Path, clock: Clock
) -> None:
    """Nor described, nor paid for; also after a restart."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg", "2.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    assert server.posts == []
    before = len(server.requests)
    await (await opened(server, sessions, tmp_path, clock)).publish(rendition, "key", prepared=prepared)

    assert asked(server)[before:] == ["POST /2/tweets"]
    assert [len(post.media) for post in server.posts] == [2]


async def test_what_is_hidden_at_home_is_hidden_there(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """X's own warning, in the same call as the description."""
    attachments = (*pictures(files, "1.jpg", description="Un"), *pictures(files, "2.jpg", description=""))
    await publisher.publish(make_rendition(attachments=attachments, sensitive=True), "key")

    assert shown(server) == [[("tweet_image", "Un", True), ("tweet_image", "", True)]]
    assert asked(server).count(METADATA) == 2


@pytest.mark.parametrize("sensitive", [False, True])
async def test_without_the_warning_nothing_hidden_is_shown(
    publisher: XPublisher, server: XSimulator, files: Files, caplog: pytest.LogCaptureFixture, *, sensitive: bool
) -> None:
    """X takes the picture and not what is said of it: it goes bare only when it may, and the log says so."""
    refusal = problem(400, "Invalid Request", "no", INVALID)
    server.fault(Fault(action="answer", path="/2/media/metadata", status=400, body=refusal))
    await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg"), sensitive=sensitive), "key")

    assert shown(server) == [[] if sensitive else [("tweet_image", "", False)]]
    assert ("media left out" if sensitive else "description left out") in caplog.text


async def test_a_video_is_waited_for_without_waiting(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """Three steps, then a question at each attempt; the post leaves when X is done."""
    server.shelf.asks = 2
    rendition = make_rendition(text="La balade", attachments=film(files))
    prepared = await publisher.prepare(rendition, "key")
    number = next(iter(server.shelf.media))
    upload = f"/2/media/upload/{number}"
    assert asked(server)[1:] == [
        "POST /2/media/upload/initialize", f"POST {upload}/append", f"POST {upload}/finalize", METADATA
    ]  # fmt: skip
    assert bodies(server, "/2/media/upload/initialize") == [
        {"media_category": "tweet_video", "media_type": "video/mp4", "total_bytes": len(MP4)}
    ]
    with pytest.raises(Transient, match="still working"):
        await publisher.publish(rendition, "key", prepared=prepared)
    assert server.posts == []
    await publisher.publish(rendition, "key", prepared=prepared)

    assert shown(server) == [[("tweet_video", "Une balade", False)]]
    assert server.posts[0].media[0].data == MP4
    assert asked(server).count("GET /2/media/upload") == 2


async def test_a_large_video_goes_in_segments(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """Each below X's 5 MB, numbered from zero, nothing lost."""
    large = MP4 + bytes(2 * SEGMENT_BYTES + 5)
    files.files["film.mp4"] = large
    rendition = make_rendition(attachments=film(files))
    await publisher.publish(rendition, "key", prepared=await publisher.prepare(rendition, "key"))

    (one,) = server.posts[0].media
    assert (sorted(one.segments), one.data) == ([0, 1, 2], large)


async def test_a_video_on_which_x_fails_stops_no_text(
    publisher: XPublisher, server: XSimulator, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    """Left out, and said; a post that holds nothing else is refused."""
    server.shelf.fails = True
    rendition = make_rendition(text="La balade", attachments=film(files))
    prepared = await publisher.prepare(rendition, "key")
    await publisher.publish(rendition, "key", prepared=prepared)
    assert ([post.text for post in server.posts], shown(server)) == (["La balade"], [[]])
    assert "media left out" in caplog.text

    server.fault(Fault(action="lose", method="POST", path="/2/tweets"))
    bare = make_rendition(text="", attachments=film(files))
    with pytest.raises(Rejected, match="nothing is left"):
        await publisher.publish(bare, "key-2", prepared=await publisher.prepare(bare, "key-2"))


async def test_what_x_dropped_is_made_anew(publisher: XPublisher, server: XSimulator, files: Files, clock: Clock) -> None:
    """After a day nothing of it is left: it surely did not go out, and is prepared again."""
    for attachments in (pictures(files, "1.jpg"), film(files)):
        rendition = make_rendition(text=f"{len(server.posts)}", attachments=attachments)
        prepared = await publisher.prepare(rendition, "key")
        clock.forward(days=1)
        with pytest.raises(Unprepared):
            await publisher.publish(rendition, "key", prepared=prepared)
        anew = await publisher.prepare(rendition, "key")
        assert anew != prepared
        await publisher.publish(rendition, "key", prepared=anew)
    assert [len(post.media) for post in server.posts] == [1, 1]


async def test_what_x_does_not_know_is_made_anew(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """Lost before its time: told by the post itself, or by the question."""
    for attachments in (pictures(files, "1.jpg"), film(files)):
        rendition = make_rendition(text=f"{len(server.posts)}", attachments=attachments)
        prepared = await publisher.prepare(rendition, "key")
        server.shelf.media.clear()
        with pytest.raises(Unprepared):
            await publisher.publish(rendition, "key", prepared=prepared)
        await publisher.publish(rendition, "key", prepared=await publisher.prepare(rendition, "key"))
    assert [len(post.media) for post in server.posts] == [1, 1]


async def test_a_gif_moves_where_it_stands_alone(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """X takes one, by itself; beside pictures it is a picture."""
    files.files["roue.gif"] = moving_gif()
    wheel = Attachment(url=f"{files.url}/roue.gif", media_type="image/gif", description="Une roue")
    alone = make_rendition(text="Seule", attachments=(wheel,))
    await publisher.publish(alone, "key", prepared=await publisher.prepare(alone, "key"))
    await publisher.publish(make_rendition(text="Avec", attachments=(wheel, *pictures(files, "1.jpg"))), "key-2")

    assert [[one.category for one in post.media] for post in server.posts] == [["tweet_gif"], ["tweet_image", "tweet_image"]]


async def test_a_gif_that_stands_still_keeps_to_the_limit_of_pictures(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """15 MB are for what moves."""
    files.files["affiche.gif"] = encoded(noise(1300, 1300), "PNG")
    poster = Attachment(url=f"{files.url}/affiche.gif", media_type="image/gif")
    assert len(files.files["affiche.gif"]) > 5_000_000
    await publisher.publish(make_rendition(attachments=(poster,)), "key")

    (one,) = server.posts[0].media
    assert one.category == "tweet_image"
    assert len(one.data) <= 5_000_000


async def test_a_large_picture_is_brought_down(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """Below 5 MB."""
    files.files["1.jpg"] = encoded(noise(1500, 1500), "PNG")
    assert len(files.files["1.jpg"]) > 5_000_000
    await publisher.publish(make_rendition(attachments=pictures(files, "1.jpg")), "key")

    assert [len(one.data) <= 5_000_000 for one in server.posts[0].media] == [True]


@pytest.mark.parametrize("name", ["page.jpg", "nowhere.jpg"])
async def test_a_picture_that_will_never_do_stops_no_text(
    publisher: XPublisher, server: XSimulator, files: Files, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Left out, and said; the others go."""
    await publisher.publish(make_rendition(attachments=pictures(files, name, "1.jpg")), "key")

    assert [len(post.media) for post in server.posts] == [1]
    assert f"media left out url={files.url}/{name}" in caplog.text


TROUBLE = [
    (Fault(action="answer", status=503, body=HTML_ERROR, headers={"Content-Type": "text/html"}), Transient),
    (Fault(action="answer", status=500, body=problem(500, "Internal Server Error", "no")), Transient),
    (Fault(action="drop"), Transient),
    (Fault(action="lose"), Transient),
    (Fault(action="truncate"), Transient),
    (Fault(action="answer", status=429, headers={"Retry-After": "60"}), RateLimited),
    (Fault(action="answer", status=401), AuthExpired),
    (Fault(action="answer", status=402, body=problem(402, "CreditsDepleted", "no", CREDITS)), AuthExpired),
    (Fault(action="answer", status=200, body=HTML_ERROR), Transient),
]
NAMELESS = (Fault(action="answer", status=200, body=b'{"data": {"media_key": "3_1"}}'), Transient)


@pytest.mark.parametrize(
    ("path", "fault", "kind"),
    [(path, *one) for path in ("/2/media/upload", "/2/media/metadata") for one in TROUBLE] + [("/2/media/upload", *NAMELESS)],
)
async def test_trouble_with_media_makes_the_post_wait(
    publisher: XPublisher, server: XSimulator, files: Files, path: str, fault: Fault, kind: type[Exception]
) -> None:
    """Nobody sees an upload: whatever becomes of it, nothing went out; and the next attempt succeeds."""
    server.fault(replace(fault, path=path))
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    with pytest.raises(kind) as caught:
        await publisher.prepare(rendition, "key")
    assert type(caught.value) is kind
    assert server.posts == []
    await publisher.publish(rendition, "key", prepared=await publisher.prepare(rendition, "key"))
    assert shown(server) == [[("tweet_image", "Deux vélos", False)]]


async def test_the_second_of_two_failed_and_the_first_is_kept(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """What is there already is neither sent nor paid for again."""
    server.fault(Fault(action="answer", method="POST", path="/2/media/upload", status=503, skip=1))
    rendition = make_rendition(attachments=pictures(files, "1.jpg", "2.jpg"))
    with pytest.raises(Transient):
        await publisher.prepare(rendition, "key")
    await publisher.publish(rendition, "key", prepared=await publisher.prepare(rendition, "key"))

    assert (asked(server).count(UPLOAD), asked(server).count(METADATA)) == (3, 2)


async def test_a_picture_that_cannot_be_had_now_makes_the_post_wait(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """The origin is down: nothing is sent yet."""
    files.fault(Fault(action="answer", status=503))
    with pytest.raises(Transient):
        await publisher.prepare(make_rendition(attachments=pictures(files, "1.jpg")), "key")

    assert asked(server) == ["GET /2/users/me"]


async def test_a_post_is_found_by_its_words_and_its_media(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """The address that X adds for a picture is not part of the words; a post with other media is another post."""
    rendition = make_rendition(text="Voir https://asso.bzh", attachments=pictures(files, "1.jpg", "2.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    server.fault(Fault(action="lose", method="POST", path="/2/tweets"))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)

    found = await publisher.find("key", rendition, prepared=prepared)
    assert found == Receipt(remote_id=server.posts[0].id, url=f"https://x.com/amisduvelo/status/{server.posts[0].id}")
    assert await publisher.find("other", make_rendition(text="Voir https://asso.bzh"), prepared="[]") is None


async def test_what_is_kept_between_attempts_holds_no_secret(publisher: XPublisher, files: Files, tmp_path: Path) -> None:
    """Numbers, addresses and dates."""
    rendition = make_rendition(attachments=pictures(files, "1.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    await publisher.publish(rendition, "key", prepared=prepared)
    told = prepared + (tmp_path / "state" / "under-test" / "x.json").read_text()

    assert [len(entry) for entry in json.loads(prepared)] == [4]
    assert not [secret for secret in vars(KEYS).values() if secret in told]


# What the simulator keeps to.


async def test_the_simulator_answers_as_specified(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """Each answer has the shape that the specification gives it."""
    seen: dict[str, Any] = {}
    client = publisher._opened()
    seen["POST /2/media/upload/initialize"] = begun = await client.send(
        "/2/media/upload/initialize", {"media_category": "tweet_video", "media_type": "video/mp4", "total_bytes": len(MP4)}
    )
    route = f"/2/media/upload/{begun['id']}"
    seen["POST /2/media/upload/{id}/append"] = await client.send(f"{route}/append", {"media": "AAAAGGZ0eXBpc29t", "segment_index": 0})
    rendition = make_rendition(attachments=film(files))
    prepared = await publisher.prepare(rendition, "key")
    number = json.loads(prepared)[0][1]
    seen["GET /2/media/upload"] = (await client.ask("/2/media/upload", {"media_id": number, "command": "STATUS"}))["data"]
    seen["POST /2/media/metadata"] = await client.send("/2/media/metadata", {"id": number, "metadata": {"alt_text": {"text": "Film"}}})
    seen["POST /2/tweets"] = made = await client.create("Film", [number])
    seen["DELETE /2/tweets/{id}"] = await client.delete(str(made["id"]))

    for call, data in seen.items():
        schema = spec()["schemas"][spec()["answers"][call]]
        assert list(flaws(schema, {"data": data}, spec()["schemas"])) == [], call


@pytest.mark.parametrize(("route", "body"), [
    ("/2/tweets", {"txt": "Bonjour"}),
    ("/2/tweets", {"text": "Bonjour", "media": {"media_ids": []}}),
    ("/2/tweets", {"text": "Bonjour", "media": {"media_ids": ["1", "2", "3", "4", "5"]}}),
    ("/2/tweets", {"text": ""}),
    ("/2/tweets", {"text": "Oui", "reply": {"in_reply_to_tweet_id": "1"}}),
    ("/2/tweets", {"text": "Oui", "quote_tweet_id": "1"}),
    ("/2/media/upload", {"media": "AAAA"}),
    ("/2/media/upload", {"media": "!", "media_category": "tweet_image"}),
    ("/2/media/upload", {"media": "AAAA", "media_category": "tweet_image"}),
    ("/2/media/upload/initialize", {"media_category": "tweet_video", "media_type": "video/mp4", "total_bytes": 512_000_001}),
    ("/2/media/metadata", {"id": "1", "metadata": {"alt_text": {"text": "a" * 1001}}}),
])  # fmt: skip
async def test_the_simulator_refuses_what_x_refuses(publisher: XPublisher, server: XSimulator, route: str, body: dict[str, Any]) -> None:
    """By the specification, and by the rules for accounts like ours."""
    with pytest.raises((Rejected, Unprepared)):
        await publisher._opened().send(route, body)
    assert server.posts == []


async def test_the_simulator_mixes_no_kinds(publisher: XPublisher, server: XSimulator, files: Files) -> None:
    """A video beside a picture, a video that is not ready, somebody's number."""
    picture = json.loads(await publisher.prepare(make_rendition(attachments=pictures(files, "1.jpg")), "a"))[0][1]
    video = json.loads(await publisher.prepare(make_rendition(attachments=film(files)), "b"))[0][1]
    for ids in ([video], [picture, video], [picture, picture], ["123"]):
        with pytest.raises(Unprepared):
            await publisher._opened().create("Non", ids)


CONFORMANCE = json.loads((Path(__file__).parent / "data" / "twitter-text" / "validate.json").read_text())
LONG_HOSTS = "punycode encoded"
"""Needs the real list of top-level domains and their encoding, which the simulator does without."""


@pytest.mark.parametrize(
    "case", [one for one in CONFORMANCE["WeightedTweetsWithDiscountedEmojiCounterTest"] if LONG_HOSTS not in one["description"]],
    ids=lambda case: case["description"][:40],
)  # fmt: skip
def test_the_simulator_weighs_as_x_does(case: dict[str, Any]) -> None:
    """twitter-text's own data, configuration v3."""
    assert weight(case["text"]) == case["expected"]["weightedLength"]


def test_rfc_5849_has_an_example() -> None:
    """The signature of X's own documentation (https://docs.x.com/fundamentals/authentication/oauth-1-0a/creating-a-signature)."""
    from syndicator.sandbox.x_oauth import _signature

    parameters = [
        ("status", "Hello Ladies + Gentlemen, a signed OAuth request!"), ("include_entities", "true"),
        ("oauth_consumer_key", KEYS.consumer_key), ("oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"),
        ("oauth_signature_method", "HMAC-SHA1"), ("oauth_timestamp", "1318622958"), ("oauth_token", KEYS.token), ("oauth_version", "1.0"),
    ]  # fmt: skip
    assert _signature(KEYS, "POST", "https://api.twitter.com/1.1/statuses/update.json", parameters) == "hCtSmYh+iHYCEqBWrE7C7hYmtUk="
    assert Doors().flaw(KEYS, "Bearer abc", "GET", "https://api.x.com/2/users/me", []) == "no OAuth header"


def test_the_reduction_is_repeatable() -> None:
    """The file is what the command writes: what it knows of the whole is in it already."""
    document: dict[str, Any] = {"components": {"schemas": spec()["schemas"], "parameters": {}}, "paths": {}}
    for path, known in spec()["queries"].items():
        parameters = [{"name": name, "in": "query", "schema": schema, "description": "prose"} for name, schema in known.items()]
        document["paths"][path] = {"get": {"parameters": parameters}}
    kept = (Path(__file__).parent.parent / "syndicator" / "sandbox" / "data" / "x-openapi.json").read_text(encoding="utf-8")

    assert written(reduce(document)) == kept
    assert spec()["schemas"]["CreateMediaMetadataMetadata"]["properties"]["sensitive_media_warning"] == SENSITIVE


async def test_a_day_unused_costs_nothing_more(publisher: XPublisher, server: XSimulator, clock: Clock) -> None:
    """The month of the manual page: thirty posts, thirty pictures described, no link."""
    for day in range(30):
        clock.forward(days=1)
        await publisher.publish(make_rendition(text=f"Jour {day}"), f"key-{day}")

    assert server.spent == 10 + 30 * 15
    assert clock() - server.posts[0].at == timedelta(days=29)

"""The Discourse publisher: the contract, titles that a forum takes, pictures, tags of two kinds, mentions that call nobody, refusals."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.discourse import DiscoursePublisher
from connectors.discourse.writing import external_id, quiet, tags_of, titles
from syndicator.contract import Association, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt
from syndicator.render import render
from syndicator.route import Style
from syndicator.sandbox.discourse import DiscourseSimulator, refused
from syndicator.sandbox.discourse_spec import spec, written
from syndicator.sandbox.discourse_world import KEY
from syndicator.sandbox.openapi import flaws
from syndicator.sandbox.server import Fault, Simulator
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_event, make_post, make_rendition
from syndicator.testing.makers import PARIS
from tests.clock import Clock
from tests.media_scene import Files

POSTS = "/posts.json"
ASSO = Association(name="Les Amis du Vélo", language="fr")


def answer(status: int, body: bytes, *, path: str = POSTS, kind: str = "application/json", **headers: str) -> Fault:
    return Fault(action="answer", path=path, status=status, body=body, headers={"Content-Type": kind, **headers}, times=9)


class TestDiscourse(PublisherContract):
    """In a category of a forum."""

    connector = DiscoursePublisher
    path = POSTS
    dialect = (
        ("a limit", answer(429, refused(429, "rate_limit", "Trop souvent", extras={"wait_seconds": 9})), RateLimited),
        ("a limit behind a 403", answer(403, refused(403, "rate_limit", "Trop", extras={"wait_seconds": 9})), RateLimited),
        ("a dead key", answer(403, refused(403, "invalid_access", "Clé invalide")), AuthExpired),
        ("nobody", answer(403, refused(403, "not_logged_in", "Connectez-vous")), AuthExpired),
        ("a forum that may be read only", answer(503, refused(503, "read_only", "Lecture seule")), Transient),
        ("a body it does not want", answer(422, refused(422, "", "Le corps ne semble pas clair")), Rejected),
        ("a parameter it does not know", answer(400, refused(400, "invalid_parameters", "tags")), Rejected),
        ("a body too large for its proxy", answer(413, HTML_ERROR, kind="text/html"), Rejected),
        ("no forum there", answer(404, HTML_ERROR, kind="text/html"), Rejected),
        ("another address", answer(301, b"", Location="https://forum.example/posts.json"), Rejected),
        ("an error of its own", answer(500, HTML_ERROR, kind="text/html"), OutcomeUnknown),
        ("a gateway in its way", answer(502, HTML_ERROR, kind="text/html"), OutcomeUnknown),
        ("a page instead of an answer", answer(200, HTML_ERROR, kind="text/html"), OutcomeUnknown),
        ("an answer without a topic", answer(200, b'{"success": true}'), OutcomeUnknown),
        ("a list", answer(200, b"[]"), OutcomeUnknown),
    )

    async def start(self) -> Simulator:
        return await DiscourseSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, DiscourseSimulator)
        return [topic.shown for topic in simulator.forum.listed]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, DiscourseSimulator)
        simulator.forum.key = "another"

    def text_of_length(self, limits: Any, length: int) -> str:
        """Characters; a forum wants some variety."""
        return ("Bonjour à toutes et à tous ! " * (length // 20))[: length - 1] + "."


def options_for(server: Simulator, **changes: Any) -> Any:
    return DiscoursePublisher.Options(**{"url": server.url, "key": Secret(KEY), "username": "asso", "category": 5, **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[DiscourseSimulator]:
    async with DiscourseSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def publisher(server: DiscourseSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> DiscoursePublisher:
    return await made(server, sessions, tmp_path, clock)


async def made(server: DiscourseSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, **changes: Any) -> DiscoursePublisher:
    publisher = DiscoursePublisher(options_for(server, **changes), make_context(tmp_path, sessions, now=clock, association=ASSO))
    await publisher.open()
    return publisher


def pictures(files: Files, *names: str) -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description=f"Photo | de [{name}]") for name in names)


def bodies(server: DiscourseSimulator, method: str, part: str) -> list[Any]:
    return [json.loads(seen.body) for seen in server.requests if seen.method == method and part in seen.path]


def asked(server: DiscourseSimulator, method: str, part: str) -> int:
    return sum(seen.method == method and part in seen.path for seen in server.requests)


async def test_an_event_is_a_topic(publisher: DiscoursePublisher, server: DiscourseSimulator) -> None:
    """With its title, its words that are links, and its page alone on the last line, where the forum makes a card of it."""
    event = make_event(
        title="Atelier vélo du samedi", html='<p>Venez <a href="https://asso.example/@plan">ici</a> * réparer_votre_vélo</p>'
    )
    [rendition] = render(event, publisher.limits, Style(), association=ASSO)
    receipt = await publisher.publish(rendition, "key")

    [topic] = server.forum.listed
    assert (topic.title, topic.category, topic.external_id) == ("Atelier vélo du samedi", 5, external_id("key"))
    assert "Venez [ici](https://asso.example/@plan) \\* réparer\\_votre\\_vélo" in topic.raw
    assert topic.raw.endswith(f"\n\n{event.url}")
    url = f"{server.url}/t/{topic.slug}/{topic.id}"
    assert receipt == Receipt(remote_id=str(topic.id), url=url, data=(("post", str(topic.post_id)), ("title", topic.title)))
    assert publisher.account == f"{server.url}/u/asso"


@pytest.mark.parametrize(("title", "text", "expected"), [
    ("Atelier vélo du samedi", "x", "Atelier vélo du samedi"),
    ("Atelier vélo", "x", "Atelier vélo — samedi 21 novembre 2026 à 13h"),
    ("", "Bonjour à toutes et à tous\nla suite", "Bonjour à toutes et à tous"),
    ("", "Venez [ici](https://a.example/b) \\*vite\\*, tout de suite", "Venez ici *vite*, tout de suite"),
    ("", "https://asso.example/une/adresse/tres/longue/vraiment", "Les Amis du Vélo"),
    ("", "", "Les Amis du Vélo"),
])  # fmt: skip
def test_titles_are_long_enough(title: str, text: str, expected: str) -> None:
    """A short one gets the date; without one, the text begins with it; noise is replaced by the association's name."""
    assert titles(make_rendition(title=title, text=text), ASSO)[0] == expected


def test_titles_without_a_date() -> None:
    """The association's name does for what has none, and no title gets too long."""
    assert titles(make_rendition(title="Vélo", published_at=None), Association(name="Asso")) == ("Vélo — Asso — Asso",)
    assert max(len(title) for title in titles(make_rendition(title="Mot " * 63), ASSO)) <= 255


async def test_a_title_that_is_taken_gets_a_date(publisher: DiscoursePublisher, server: DiscourseSimulator) -> None:
    """Whatever the forum's language, and although it has no code for it; the same goes for shouting."""
    for number, title in enumerate(["Réunion de rentrée", "Réunion de rentrée", "ASSEMBLÉE GÉNÉRALE"]):
        await publisher.publish(make_rendition(title=title, text=f"Venez nombreuses et nombreux, {number}"), f"key-{number}")

    dated = " — samedi 21 novembre 2026 à 13h"
    assert [topic.title for topic in server.forum.listed] == [
        "Réunion de rentrée",
        f"Réunion de rentrée{dated}",
        f"ASSEMBLÉE GÉNÉRALE{dated}",
    ]


async def test_an_event_is_told_apart_by_its_own_date(publisher: DiscoursePublisher, server: DiscourseSimulator) -> None:
    """Not by that of its announcement, which is the same for all dates of a series."""
    for number, day in enumerate((5, 12)):
        event = make_event(starts_at=datetime(2026, 12, day, 20, 30, tzinfo=PARIS), ends_at=None, published_at=None)
        await publisher.publish(render(event, publisher.limits, Style(), association=ASSO)[0], f"key-{number}")

    assert [topic.title for topic in server.forum.listed] == [
        "Atelier vélo — samedi 5 décembre 2026 à 20h30",
        "Atelier vélo — samedi 12 décembre 2026 à 20h30",
    ]


async def test_a_short_text_is_signed(publisher: DiscoursePublisher, server: DiscourseSimulator) -> None:
    """A forum wants 20 characters."""
    await publisher.publish(make_rendition(text="Bonjour !"), "key")

    assert server.forum.listed[0].raw == "Bonjour !\n\n— Les Amis du Vélo · samedi 21 novembre 2026 à 13h"


@pytest.mark.parametrize(("text", "expected"), [
    ("@everyone venez, @alice aussi", "@\u200beveryone venez, @\u200balice aussi"),
    ("écrire à contact@asso.example", "écrire à contact@asso.example"),
    ("[ici](https://a.example/@bob) (@bob)", "[ici](https://a.example/@bob) (@\u200bbob)"),
    ("https://a.example/@bob/1?x=1&copy;=2 @all", "https://a.example/@bob/1?x=1&copy;=2 @\u200ball"),
    ("&amp;copy; &copy; R&D", "\\&amp;copy; \\&copy; R&D"),
])  # fmt: skip
def test_nobody_is_called(text: str, expected: str) -> None:
    """What would be a mention stays text, addresses stay whole."""
    assert quiet(text) == expected


@given(st.text(alphabet="@ab /.:[](){}&;#é\n", max_size=60))
def test_no_text_calls_anybody(text: str) -> None:
    """However the signs stand, the forum sees no mention."""
    from syndicator.sandbox.discourse import _pings  # its own reading of the forum's rule

    assert _pings(quiet(text)) == ()


async def test_mentions_in_a_topic_call_nobody(publisher: DiscoursePublisher, server: DiscourseSimulator) -> None:
    """On the forum itself, in new topics and in edits."""
    receipt = await publisher.publish(make_rendition(text="Merci à @alice et à @tout_le_monde pour hier"), "key")
    await publisher.update(receipt, make_rendition(text="Merci à @bob et à @tout_le_monde pour hier"))

    [topic] = server.forum.listed
    assert (topic.pings, topic.shown.replace("\u200b", "")) == ((), "Merci à @bob et à @tout_le_monde pour hier")


async def test_pictures_follow_the_text(publisher: DiscoursePublisher, server: DiscourseSimulator, files: Files) -> None:
    """Uploaded before anything is seen, described, in order, ten at most; what is no picture is left out, and the text goes."""
    names = ["0.jpg", "page.jpg", *(f"{number}.jpg" for number in range(1, 12))]
    rendition = make_rendition(attachments=pictures(files, *names))
    prepared = await publisher.prepare(rendition, "key")
    assert server.forum.listed == []
    receipt = await publisher.publish(rendition, "key", prepared=prepared)

    [topic] = server.forum.listed
    assert [alt for alt, _ in topic.images] == [f"Photo - de [{number}.jpg]" for number in range(9)]
    assert all(url in server.forum.uploads for _, url in topic.images)
    assert "|690x460](upload://" in topic.raw
    assert asked(server, "POST", "/uploads.json") == 9
    assert dict(receipt.data).keys() == {"post", "title", *(f"{files.url}/{number}.jpg" for number in range(9))}


async def test_an_edit_keeps_the_pictures_that_stay(publisher: DiscoursePublisher, server: DiscourseSimulator, files: Files) -> None:
    """Only new ones are uploaded; text, title and order follow."""
    receipt = await publisher.publish(make_rendition(title="Premier titre du jour", attachments=pictures(files, "0.jpg", "1.jpg")), "key")
    after = make_rendition(title="Second titre du jour", text="Le texte est un autre", attachments=pictures(files, "2.jpg", "1.jpg"))
    changed = await publisher.update(receipt, after)

    [topic] = server.forum.listed
    assert (topic.title, topic.shown) == ("Second titre du jour", "Le texte est un autre")
    assert [alt for alt, _ in topic.images] == ["Photo - de [2.jpg]", "Photo - de [1.jpg]"]
    assert asked(server, "POST", "/uploads.json") == 3
    assert dict(changed.data)["title"] == "Second titre du jour"

    await publisher.update(changed, after)
    assert (asked(server, "PUT", "/t/-/"), asked(server, "POST", "/uploads.json")) == (1, 3)


async def test_uploads_do_not_wait_for_ever(publisher: DiscoursePublisher, server: DiscourseSimulator, files: Files, clock: Clock) -> None:
    """A forum removes after two days what nothing shows: they are made anew."""
    rendition = make_rendition(attachments=pictures(files, "0.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    clock.forward(hours=41)
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)

    assert server.forum.listed == []


@pytest.mark.parametrize(("fault", "expected"), [
    (answer(429, refused(429, "rate_limit", "Trop", extras={"wait_seconds": 9}), path="/uploads.json"), RateLimited),
    (answer(502, HTML_ERROR, path="/uploads.json", kind="text/html"), Transient),
    (Fault(action="lose", path="/uploads.json", times=9), Transient),
    (answer(200, HTML_ERROR, path="/uploads.json", kind="text/html"), Transient),
    (answer(403, refused(403, "invalid_access", "Clé"), path="/uploads.json"), AuthExpired),
])  # fmt: skip
async def test_an_upload_may_be_repeated(
    publisher: DiscoursePublisher, server: DiscourseSimulator, files: Files, fault: Fault, expected: type[ConnectorError]
) -> None:
    """Nobody sees it: a lost answer leaves nothing in doubt."""
    server.fault(fault)
    with pytest.raises(ConnectorError) as caught:
        await publisher.prepare(make_rendition(attachments=pictures(files, "0.jpg")), "key")

    assert type(caught.value) is expected


@pytest.mark.parametrize("body", [refused(422, "", "Format non autorisé"), b"{}"])
async def test_a_picture_that_the_forum_refuses_is_left_out(
    publisher: DiscoursePublisher, server: DiscourseSimulator, files: Files, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    """The text goes all the same, and the log says so."""
    server.fault(answer(200 if body == b"{}" else 422, body, path="/uploads.json"))
    with caplog.at_level(logging.WARNING):
        await publisher.publish(make_rendition(attachments=pictures(files, "0.jpg")), "key")

    assert [topic.images for topic in server.forum.listed] == [[]]
    assert "media left out" in caplog.text


@pytest.mark.parametrize(("version", "sent"), [
    ((2025, 12), ["agenda", "velo"]),
    ((2026, 2), [{"name": "agenda"}, {"name": "velo"}]),
    ((2026, 8), [{"name": "agenda"}, {"name": "velo"}]),
])  # fmt: skip
async def test_tags_in_the_form_that_the_forum_takes(
    server: DiscourseSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, version: tuple[int, int], sent: list[Any]
) -> None:
    """As names before 2026, as objects since; the forum's own list tells."""
    server.forum.version = version
    publisher = await made(server, sessions, tmp_path, clock, tags=("Agenda", "velo"))
    await publisher.publish(make_rendition(), "key")

    assert bodies(server, "POST", POSTS)[0]["tags"] == sent
    assert server.forum.listed[0].tags == ("agenda", "velo")


async def test_tags_of_the_post_where_wished(server: DiscourseSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """After those of the configuration, five in all; none where the account may not use any."""
    publisher = await made(server, sessions, tmp_path, clock, tags=("agenda",), own_tags=True)
    await publisher.publish(make_rendition(tags=("Vélo", "Fête de la musique !", "agenda", "a", "b", "c", "d")), "key")
    server.forum.tagging = False
    bare = await made(server, sessions, tmp_path, clock, tags=("agenda",))
    await bare.publish(make_rendition(text="Un autre texte que celui d'avant"), "key-2")

    first, second = bodies(server, "POST", POSTS)
    assert [tag["name"] for tag in first["tags"]] == ["agenda", "vélo", "fête-de-la-musique", "a", "b"]
    assert "tags" not in second


def test_tags_are_words() -> None:
    """Twenty characters, without the signs that a forum refuses; nothing is left of what is nothing else."""
    assert tags_of(["#Vélo/Rando", "???", "x" * 30, "#vélo rando"], 5) == ["vélo-rando", "x" * 20]


async def test_the_number_finds_the_topic(publisher: DiscoursePublisher, server: DiscourseSimulator, clock: Clock, files: Files) -> None:
    """Sent again after the answer was lost, however late, it is the same topic: told apart from a title that is taken."""
    rendition = make_rendition(title="Réunion de rentrée", attachments=pictures(files, "0.jpg"))
    prepared = await publisher.prepare(rendition, "key")
    server.fault(Fault(action="lose", method="POST", path=POSTS))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    clock.forward(minutes=5)
    again = await publisher.publish(rendition, "key", prepared=prepared)

    assert again == await publisher.find("key", rendition, prepared=prepared)
    assert (len(server.forum.listed), again.remote_id) == (1, str(server.forum.listed[0].id))
    assert asked(server, "POST", POSTS) == 2


async def test_a_second_title_is_found_too(publisher: DiscoursePublisher, server: DiscourseSimulator, clock: Clock) -> None:
    """The answer to the second try with a date was lost."""
    await publisher.publish(make_rendition(title="Réunion de rentrée"), "key-1")
    other = make_rendition(title="Réunion de rentrée", text="Un autre texte que le premier")
    server.fault(Fault(action="lose", method="POST", path=POSTS, skip=1))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(other, "key-2")
    clock.forward(minutes=5)
    await publisher.publish(other, "key-2")

    assert len(server.forum.listed) == 2


async def test_what_waits_for_moderators_is_for_a_person(publisher: DiscoursePublisher, server: DiscourseSimulator) -> None:
    """It is neither out nor refused, and never sent a second time."""
    server.forum.account.queued = True
    with pytest.raises(Rejected) as caught:
        await publisher.publish(make_rendition(), "key")

    assert "modérateurs" in (caught.value.hint or {})["fr"]
    assert len(server.forum.queue) == 1


async def test_a_topic_that_somebody_removed_is_gone(publisher: DiscoursePublisher, server: DiscourseSimulator, clock: Clock) -> None:
    """Moderators still see it, others do not: both learn that it is gone."""
    for staff in (True, False):
        server.forum.account.staff = staff
        receipt = await publisher.publish(make_rendition(text=f"Un texte assez long, {staff}"), f"key-{staff}")
        server.forum.topics[int(receipt.remote_id)].deleted_at = clock()
        for attempt in (publisher.update(receipt, make_rendition(text="Après coup, autrement")), publisher.delete(receipt)):
            with pytest.raises(Gone):
                await attempt


async def test_what_an_account_may_not_do_any_more_is_said(publisher: DiscoursePublisher, server: DiscourseSimulator, clock: Clock) -> None:
    """A simple account deletes its topics for a day and corrects them for thirty: this topic is refused, the account goes on."""
    server.forum.account.staff = False
    receipt = await publisher.publish(make_rendition(), "key")
    clock.forward(days=2)
    await publisher.update(receipt, make_rendition(text="Une correction, à temps"))
    with pytest.raises(Rejected) as late:
        await publisher.delete(receipt)
    clock.forward(days=30)
    with pytest.raises(Rejected) as later:
        await publisher.update(receipt, make_rendition(text="Une correction, trop tard"))

    assert ["modérateur" in (error.value.hint or {})["fr"] for error in (late, later)] == [True, True]


async def test_a_403_of_one_topic_does_not_stop_the_account(publisher: DiscoursePublisher, server: DiscourseSimulator) -> None:
    """A topic that was archived is refused; a key that is dead asks for a person."""
    receipt = await publisher.publish(make_rendition(), "key")
    for path, attempt in (("/posts/", publisher.update), ("/t/", publisher.delete)):
        method = "PUT" if path == "/posts/" else "DELETE"
        server.fault(replace(answer(403, refused(403, "invalid_access", "Non")), method=method, path=path, times=1))
        arguments = (receipt, make_rendition(text="Une correction à faire")) if method == "PUT" else (receipt,)
        with pytest.raises(Rejected):
            await attempt(*arguments)
    server.forum.key = "another"
    with pytest.raises(AuthExpired):
        await publisher.delete(receipt)


async def test_the_wait_is_what_the_forum_says(publisher: DiscoursePublisher, server: DiscourseSimulator, clock: Clock) -> None:
    """In ``extras``, else in the header; sixty requests a minute are enough for nobody's patience."""
    server.fault(replace(answer(429, refused(429, "rate_limit", "Trop", extras={"wait_seconds": 7}), **{"Retry-After": "60"}), times=1))
    with pytest.raises(RateLimited) as told:
        await publisher.publish(make_rendition(), "key")
    server.fault(replace(answer(429, b"Slow down", kind="text/plain", **{"Retry-After": "60"}), times=1))
    with pytest.raises(RateLimited) as header:
        await publisher.publish(make_rendition(), "key")
    for _ in range(59):
        await publisher.find("key", make_rendition())
    with pytest.raises(RateLimited) as own:
        await publisher.publish(make_rendition(), "key")

    assert [error.value.at for error in (told, header, own)] == [clock() + timedelta(seconds=seconds) for seconds in (7, 60, 60)]


@pytest.mark.parametrize(("category", "hint"), [(6, "category"), (77, "category")])
async def test_a_category_that_is_not_ours_is_refused_when_opening(
    server: DiscourseSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, category: int, hint: str
) -> None:
    """Before anything is to be published."""
    with pytest.raises(AuthExpired) as caught:
        await made(server, sessions, tmp_path, clock, category=category)

    assert hint in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("fault", [
    answer(200, HTML_ERROR, path="/site.json", kind="text/html"), answer(404, HTML_ERROR, path="/site.json", kind="text/html"),
    answer(200, b'{"name": "other"}', path="/site.json"),
])  # fmt: skip
async def test_what_is_no_forum_is_refused_when_opening(publisher: DiscoursePublisher, server: DiscourseSimulator, fault: Fault) -> None:
    """With what to check."""
    server.fault(fault)
    with pytest.raises(Rejected) as caught:
        await publisher.open()

    assert "url" in (caught.value.hint or {})["fr"]


async def test_a_forum_that_moved_says_where(publisher: DiscoursePublisher, server: DiscourseSimulator, files: Files) -> None:
    """The key is not handed to the other host, and the person is told the address."""
    files.files["site.json"] = b'{"categories": []}'
    server.fault(answer(301, b"", path="/site.json", Location=f"{files.url}/site.json"))
    with pytest.raises(Rejected) as caught:
        await publisher.open()

    assert files.url in (caught.value.hint or {})["fr"]
    assert all("Api-Key" not in seen.headers for seen in files.requests)


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_is_not_public_is_refused(publisher: DiscoursePublisher, server: DiscourseSimulator, visibility: Any) -> None:
    """Before anything is asked."""
    receipt = Receipt(remote_id="1", data=(("post", "2"),))
    before = len(server.requests)
    for attempt in (publisher.publish, lambda rendition, _: publisher.update(receipt, rendition)):
        with pytest.raises(Rejected):
            await attempt(make_rendition(visibility=visibility), "key")

    assert len(server.requests) == before


@pytest.mark.parametrize("changes", [
    {"url": "forum.asso.example"}, {"url": "ftp://forum.example"}, {"url": "https://u:p@forum.example"}, {"category": 0},
    {"tags": ("a", "b", "c", "d", "e", "f")}, {"tags": (" ",)},
])  # fmt: skip
def test_what_no_forum_takes_is_no_option(changes: dict[str, Any]) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match=r"forum|category|tags") as caught:
        DiscoursePublisher.Options(**{"url": "https://f.example", "key": Secret("k"), "username": "a", "category": 1, **changes})

    assert set(caught.value.args[0]) >= {"fr", "en"}


async def test_the_key_never_shows(publisher: DiscoursePublisher, server: DiscourseSimulator, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in errors nor in logs nor in receipts, even where the forum echoes it."""
    receipt = await publisher.publish(make_rendition(), "key")
    told = [repr(receipt), repr(publisher), repr(publisher._options)]
    for fault in (Fault(action="lose", times=9), answer(403, refused(403, "invalid_access", "Non")), answer(422, refused(422, "", "Non"))):
        server.faults = [replace(fault, method="POST")]
        with caplog.at_level(logging.DEBUG), pytest.raises(ConnectorError) as caught:
            await publisher.publish(make_rendition(text=f"Un second texte, plus long, {fault.status}"), f"key-{fault.status}")
        told += [repr(caught.value), repr(vars(caught.value)), repr(caught.value.__cause__)]

    assert KEY not in " ".join([*told, caplog.text])


async def test_the_text_of_a_post_shows_whole(publisher: DiscoursePublisher, server: DiscourseSimulator) -> None:
    """Every sign that Markdown knows stays a sign."""
    post = make_post(html="<p># Pas un titre<br>1. pas une liste [x] &lt;b&gt; a_b_c *étoile* `code` ~~rayé~~ | barre</p>")
    [rendition] = render(post, publisher.limits, Style(), association=ASSO)
    await publisher.publish(rendition, "key")

    shown = server.forum.listed[0].shown
    assert shown == "# Pas un titre\n1. pas une liste [x] <b> a_b_c *étoile* `code` ~~rayé~~ | barre"


async def test_answers_of_the_simulator_have_the_published_shape(
    publisher: DiscoursePublisher, server: DiscourseSimulator, files: Files
) -> None:
    """Every required field, of its type."""
    receipt = await publisher.publish(make_rendition(attachments=pictures(files, "0.jpg")), "key")
    for call, path in (("GET /t/{id}.json", f"/t/{receipt.remote_id}.json"), ("GET /site.json", "/site.json")):
        headers = {"Api-Key": KEY, "Api-Username": "asso"}
        answered = await publisher._context.http.get(f"{server.url}{path}", headers=headers)
        # The document lists every theme and flag of one forum; a new forum has none.
        found = [flaw for flaw in flaws(spec()["answers"][call], answered.json(), {}) if flaw.keyword in ("required", "type")]
        assert found == [], call


def test_the_specification_is_reduced_to_what_is_asked() -> None:
    """It says where it is from, and is written as the reduction writes it."""
    assert set(spec()["provenance"]) == {"what", "from", "licence", "reduced"}
    assert written(spec()) == files_of("syndicator.sandbox").joinpath("data/discourse-openapi.json").read_text("utf-8")

"""The WordPress publisher: the contract, HTML that stays what it was, the library, terms, drafts, the trash, sites of every make."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from connectors.wordpress import WordpressPublisher
from connectors.wordpress.writing import Picture, address_of, content_of
from syndicator.contract import Association, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, Unprepared
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt, Span
from syndicator.render import render
from syndicator.route import Style
from syndicator.sandbox.server import Fault, Simulator
from syndicator.sandbox.wordpress import WordpressSimulator, refused
from syndicator.sandbox.wordpress_world import PASSWORD, Account, Entry, filtered, plain
from syndicator.testing import HTML_ERROR, NOW, PublisherContract, make_context, make_event, make_post, make_rendition
from tests.clock import Clock
from tests.media_scene import Files

POSTS = "/wp/v2/posts"
ASSO = Association(name="Les Amis du Vélo", language="fr")


def answer(status: int, body: bytes, *, path: str = POSTS, kind: str = "application/json", **headers: str) -> Fault:
    return Fault(action="answer", path=path, status=status, body=body, headers={"Content-Type": kind, **headers}, times=9)


class TestWordpress(PublisherContract):
    """As an author of a site."""

    connector = WordpressPublisher
    path = POSTS
    dialect = (
        ("a plugin's limit", answer(429, HTML_ERROR, kind="text/html"), RateLimited),
        ("maintenance", answer(503, HTML_ERROR, kind="text/html", **{"Retry-After": "600"}), RateLimited),
        ("a dead password", answer(401, refused(401, "incorrect_password")), AuthExpired),
        ("passwords switched off", answer(401, refused(401, "application_passwords_disabled")), AuthExpired),
        ("a role that may not publish", answer(403, refused(403, "rest_cannot_publish")), AuthExpired),
        ("a role that may not write", answer(403, refused(403, "rest_cannot_create")), AuthExpired),
        ("a firewall, for this text", replace(answer(403, HTML_ERROR, kind="text/html"), method="POST"), Rejected),
        ("a parameter it does not know", answer(400, refused(400, "rest_invalid_param", params={"title": "non"})), Rejected),
        ("nothing in it", answer(400, refused(400, "empty_content")), Rejected),
        ("a body too large for its host", answer(413, HTML_ERROR, kind="text/html"), Rejected),
        ("no such route", answer(404, refused(404, "rest_no_route")), Rejected),
        ("another address", answer(301, b"", Location="https://www.asso.example/"), Rejected),
        ("PHP that died, perhaps after the post was made", answer(500, HTML_ERROR, kind="text/html"), OutcomeUnknown),
        ("the same, told by WordPress", answer(500, refused(500, "internal_server_error")), OutcomeUnknown),
        ("its database", answer(500, refused(500, "db_insert_error")), OutcomeUnknown),
        ("a gateway in its way", answer(502, HTML_ERROR, kind="text/html"), OutcomeUnknown),
        ("a page instead of an answer", answer(200, HTML_ERROR, kind="text/html"), OutcomeUnknown),
        ("an answer without a post", answer(200, b"{}"), OutcomeUnknown),
        ("a list", answer(200, b"[]"), OutcomeUnknown),
    )

    async def start(self) -> Simulator:
        return await WordpressSimulator(now=lambda: NOW).start()

    def options(self, simulator: Simulator) -> Any:
        return options_for(simulator)

    def texts(self, simulator: Simulator) -> list[str]:
        assert isinstance(simulator, WordpressSimulator)
        return [entry.text for entry in simulator.blog.shown()]

    def kill_credential(self, simulator: Simulator) -> None:
        assert isinstance(simulator, WordpressSimulator)
        simulator.blog.password = "another"


def options_for(server: Simulator, **changes: Any) -> Any:
    assert isinstance(server, WordpressSimulator)
    return WordpressPublisher.Options(**{"url": server.site, "username": "asso", "app_password": Secret(PASSWORD), **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[WordpressSimulator]:
    async with WordpressSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def publisher(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> WordpressPublisher:
    return await made(server, sessions, tmp_path, clock)


async def made(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, **changes: Any) -> WordpressPublisher:
    publisher = WordpressPublisher(options_for(server, **changes), make_context(tmp_path, sessions, now=clock, association=ASSO))
    await publisher.open()
    return publisher


def pictures(files: Files, *names: str) -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description=f"Photo <de> {name}") for name in names)


def asked(server: WordpressSimulator, method: str, part: str) -> int:
    return sum(seen.method == method and part in seen.path for seen in server.requests)


def only(server: WordpressSimulator) -> Entry:
    (entry,) = server.blog.shown()
    return entry


async def sent(publisher: WordpressPublisher, rendition: Any, key: str = "key") -> Receipt:
    """As the core does."""
    prepared = await publisher.prepare(rendition, key)
    return await publisher.publish(rendition, key, prepared=prepared)


# What a post is


async def test_an_event_is_a_post(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """With its title, its date, its words that are links, and the way home, said to be where it is from."""
    event = make_event(
        html='<p>Venez <a href="https://asso.example/plan?a=1&amp;b=2">ici</a> &lt;b&gt; !</p><ul><li>un</li><li>deux</li></ul>'
    )
    [rendition] = render(event, publisher.limits, Style(), association=ASSO)
    receipt = await sent(publisher, rendition)

    entry = only(server)
    page = LexborHTMLParser(entry.content)
    assert (entry.title, entry.status, entry.categories) == ("Atelier vélo", "publish", [1])
    assert [(a.attributes["href"], a.text()) for a in page.css("a")] == [
        ("https://asso.example/plan?a=1&b=2", "ici"),
        (event.url, "mobilizon.example"),
    ]
    assert page.css_first("a[rel=via]").attributes["href"] == event.url
    assert [one.text() for one in page.css("li")] == ["un", "deux"]
    assert "samedi 5 décembre 2026" in entry.text
    assert "Venez ici <b> !" in entry.text
    url = f"{server.url}/{entry.slug}/"
    assert receipt == Receipt(remote_id=str(entry.id), url=url, uri=f"{server.url}/?p={entry.id}", data=(("kind", "post"),))
    assert (publisher.account, entry.slug) == (f"{server.url}/", address_of(rendition, "key"))


WICKED = (
    'x<script>alert(1)</script> [gallery ids="1"] <img src=x onerror=alert(1)> <!-- wp:html --> 8) &lt;b&gt; "q" \'s\' '
    "[url](javascript:alert(1))"
)


@pytest.mark.parametrize("role", ["author", "editor"])
async def test_a_hostile_text_stays_text(publisher: WordpressPublisher, server: WordpressSimulator, role: str) -> None:
    """Also from an editor, whose HTML WordPress believes: no element, no shortcode, no smiley that nobody wrote."""
    server.blog.account.role = role
    span = Span(start=0, end=1, url='javascript:alert("1")')
    await sent(publisher, make_rendition(title=WICKED, text=WICKED, spans=(span,), link='https://a.example/"onclick="x[gallery]'))

    entry = only(server)
    page = LexborHTMLParser(entry.content)
    assert {one.tag for one in page.css("body *")} == {"p", "a"}
    assert page.css_first("p").text() == WICKED
    assert [a.attributes for a in page.css("a")] == [{"href": 'https://a.example/"onclick="x%5Bgallery%5D', "rel": "via"}]
    assert not set("[]") & set(entry.content)
    assert "8)" not in entry.content
    assert LexborHTMLParser(entry.title).css_first("body").text() == WICKED


@given(st.text(alphabet="<>&[]()\"'/\\ab•- \n:;8#@é", max_size=60))
def test_every_text_reads_as_it_was_written(text: str) -> None:
    """Whatever stands in it: only blanks, and the marks of a list, may go."""
    made = content_of(make_rendition(text=text), (), ASSO)
    page = LexborHTMLParser(f"<body>{made}</body>")
    assert {one.tag for one in page.css("body *")} <= {"p", "br", "ul", "li", "a"}
    shown = "".join(one for one in page.css_first("body").text() if not one.isspace())
    assert shown.replace("•", "").replace("-", "") == "".join(text.split()).replace("•", "").replace("-", "")


def test_paragraphs_lines_and_lists() -> None:
    """A list may follow the line that introduces it; a single dash is none."""
    text = "Bonjour,\nvenez :\n\nAu menu :\n• vélos\n• gâteaux\n\n- seul\n\nVoir https://asso.example/a_b?c=1&d=2."
    assert content_of(make_rendition(text=text, link=None), (), ASSO).split("\n\n") == [
        "<p>Bonjour,<br>venez :</p>",
        "<p>Au menu :</p>\n<ul><li>vélos</li><li>gâteaux</li></ul>",
        "<p>- seul</p>",
        '<p>Voir <a href="https://asso.example/a_b?c=1&amp;d=2">https://asso.example/a_b?c=1&amp;d=2</a>.</p>',
    ]


def test_another_language_is_marked() -> None:
    """For those who have it read to them."""
    shown = content_of(make_rendition(text="Good morning", language="en", link="https://www.a.example/1"), (), ASSO)

    assert shown == (
        '<p lang="en">Good morning</p>\n\n<p class="syndicator-home">Original page: '
        '<a href="https://www.a.example/1" rel="via">a.example</a></p>'
    )


def test_a_picture_in_the_text() -> None:
    """With its size and description; WordPress adds the smaller ones by its class."""
    picture = Picture(id=7, url="https://a.example/x.jpg", width=40, height=30, description='Un "vélo" [rouge]')

    assert content_of(make_rendition(text=""), (picture,), ASSO) == (
        '<figure class="wp-block-image size-large"><img src="https://a.example/x.jpg" alt="Un &quot;vélo&quot; &#91;rouge&#93;" '
        'width="40" height="30" class="wp-image-7"></figure>'
    )


# Drafts: exactly once


async def test_nothing_is_seen_before_its_time(publisher: WordpressPublisher, server: WordpressSimulator, files: Files) -> None:
    """Prepared, however often, it is one draft and one copy of each picture; shown twice, it is one post."""
    rendition = make_rendition(title="Réunion", attachments=pictures(files, "0.jpg"))
    prepared = [await publisher.prepare(rendition, "key") for _ in range(2)]
    assert (server.blog.shown(), len(server.blog.entries), len(server.blog.library)) == ([], 1, 1)
    receipts = [await publisher.publish(rendition, "key", prepared=one) for one in prepared]

    assert receipts[0] == receipts[1] == await publisher.find("key", rendition, prepared=prepared[0])
    assert only(server).featured in server.blog.library


@pytest.mark.parametrize("path", ["/wp/v2/media", POSTS])
@pytest.mark.parametrize("action", ["lose", "truncate", "mask"])
async def test_a_lost_answer_leaves_nothing_behind(
    publisher: WordpressPublisher, server: WordpressSimulator, files: Files, path: str, action: Any
) -> None:
    """Draft and picture were made: they are found again by the address that only they have."""
    rendition = make_rendition(title="Réunion", attachments=pictures(files, "0.jpg"))
    server.fault(Fault(action=action, method="POST", path=path, status=500, body=HTML_ERROR))
    with pytest.raises(Transient):
        await publisher.prepare(rendition, "key")
    await sent(publisher, rendition)

    assert (len(server.blog.entries), len(server.blog.library)) == (1, 1)


async def test_shown_or_not_shown_is_known(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """A draft that is still one did not go out; asked again, it goes out once."""
    rendition = make_rendition(title="Réunion")
    prepared = await publisher.prepare(rendition, "key")
    assert await publisher.find("key", rendition, prepared=prepared) is None
    server.fault(Fault(action="mask", method="POST", path=POSTS, status=500, body=HTML_ERROR))
    with pytest.raises(OutcomeUnknown):
        await publisher.publish(rendition, "key", prepared=prepared)
    found = await publisher.find("key", rendition, prepared=prepared)

    assert found is not None
    assert found == await publisher.publish(rendition, "key", prepared=prepared)
    assert len(server.blog.shown()) == 1


async def test_what_somebody_binned_went_out(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """It is found in the trash, so that it is not published anew."""
    rendition = make_rendition(title="Réunion")
    prepared = await publisher.prepare(rendition, "key")
    await publisher.publish(rendition, "key", prepared=prepared)
    server.bin(only(server))

    assert await publisher.find("key", rendition, prepared=prepared) is not None
    assert await publisher.find("key", rendition) is not None


async def test_a_draft_that_somebody_deleted_is_made_anew(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """Neither lost nor given up."""
    rendition = make_rendition(title="Réunion")
    prepared = await publisher.prepare(rendition, "key")
    server.blog.entries.clear()
    assert await publisher.find("key", rendition, prepared=prepared) is None
    with pytest.raises(Unprepared):
        await publisher.publish(rendition, "key", prepared=prepared)
    await sent(publisher, rendition)

    assert len(server.blog.shown()) == 1


@pytest.mark.parametrize("status", ["pending", "draft"])
async def test_somebody_on_the_site_publishes(
    server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, status: str
) -> None:
    """Where that is wished: a correction does not decide it."""
    publisher = await made(server, sessions, tmp_path, clock, status=status)
    receipt = await sent(publisher, make_rendition(title="Réunion"))
    (entry,) = server.blog.entries.values()
    assert entry.status == status
    entry.status = "publish"
    await publisher.update(receipt, make_rendition(title="Réunion reportée"))

    assert (only(server).title, only(server).status) == ("Réunion reportée", "publish")


async def test_what_waits_for_review_is_told(publisher: WordpressPublisher, server: WordpressSimulator, clock: Clock) -> None:
    """A site whose clock is late only schedules what is dated by ours: a person is told, nothing is sent twice."""
    publisher._options = replace(publisher._options, dates="origin")
    rendition = make_rendition(published_at=clock())
    prepared = await publisher.prepare(rendition, "key")
    server.now = lambda: NOW
    clock.forward(minutes=10)
    rendition = replace(rendition, published_at=clock())
    with pytest.raises(Rejected) as caught:
        await publisher.publish(rendition, "key", prepared=prepared)

    assert "relecture" in (caught.value.hint or {})["fr"]


async def test_dates(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """When it came, or when it was published at home; never to come."""
    was = clock()
    clock.forward(days=40)
    for dates, name in (("now", "a"), ("origin", "b")):
        publisher = await made(server, sessions, tmp_path, clock, dates=dates)
        await sent(publisher, make_rendition(title=name, published_at=was), name)
    await sent(publisher, make_rendition(title="c", published_at=was.replace(year=2039)), "c")

    assert [entry.at for entry in server.blog.shown()] == [clock(), was, clock()]


# Pictures


async def test_pictures_are_in_the_library(publisher: WordpressPublisher, server: WordpressSimulator, files: Files) -> None:
    """Described, never led to elsewhere; the first is featured, the others stand in the text; what is no picture is left out."""
    await sent(publisher, make_rendition(title="Photos", attachments=pictures(files, "0.jpg", "page.jpg", "1.jpg", "2.jpg")))

    entry, library = only(server), server.blog.library
    page = LexborHTMLParser(entry.content)
    assert [(one.alt, one.title) for one in library.values()] == [(f"Photo ‹de› {number}.jpg",) * 2 for number in range(3)]
    first, second, third = library.values()
    assert entry.featured == first.id
    assert [img.attributes["src"].rpartition("/")[2] for img in page.css("img")] == [second.name, third.name]
    assert [img.attributes["alt"] for img in page.css("img")] == [second.alt, third.alt]
    assert files.url not in entry.content


async def test_a_theme_that_shows_no_featured_image(
    server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, files: Files
) -> None:
    """All of them stand in the text; a video is told by its format where that is wished."""
    publisher = await made(server, sessions, tmp_path, clock, pictures="content", formats=True)
    await sent(publisher, make_rendition(attachments=pictures(files, "0.jpg"), notes=("video-as-picture",)))

    entry = only(server)
    assert (entry.featured, entry.content.count("<img"), entry.format) == (0, 1, "video")


async def test_an_edit_keeps_the_pictures_that_stay(publisher: WordpressPublisher, server: WordpressSimulator, files: Files) -> None:
    """New ones are uploaded, those that went are removed, a description is corrected in the library too."""
    receipt = await sent(publisher, make_rendition(title="Avant", attachments=pictures(files, "0.jpg", "1.jpg")))
    kept = server.blog.library[only(server).featured]
    stays = replace(pictures(files, "0.jpg")[0], description="Un vélo, enfin décrit")
    changed = await publisher.update(receipt, make_rendition(title="Après", attachments=(stays, *pictures(files, "2.jpg"))))

    entry = only(server)
    assert (entry.title, entry.featured, kept.alt) == ("Après", kept.id, "Un vélo, enfin décrit")
    assert [one.alt for one in server.blog.library.values()] == ["Un vélo, enfin décrit", "Photo ‹de› 2.jpg"]
    assert asked(server, "POST", "/wp/v2/media") == 4  # three uploads and one description

    bare = await publisher.update(changed, make_rendition(title="Sans image"))
    assert (only(server).featured, server.blog.library, bare.data) == (0, {}, (("kind", "post"),))


async def test_what_is_deleted_leaves_no_picture(publisher: WordpressPublisher, server: WordpressSimulator, files: Files) -> None:
    """The post is in the trash; its pictures, which would stay public, are gone; also when the answer was lost in between."""
    receipt = await sent(publisher, make_rendition(attachments=pictures(files, "0.jpg")))
    server.fault(Fault(action="lose", method="DELETE", path=POSTS))
    with pytest.raises(OutcomeUnknown):
        await publisher.delete(receipt)
    with pytest.raises(Gone):
        await publisher.delete(receipt)

    assert ([one.status for one in server.blog.entries.values()], server.blog.library) == (["trash"], {})


async def test_a_site_without_a_trash(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """Its owner wants none: what goes is gone."""
    receipt = await sent(publisher, make_rendition())
    server.blog.trash = False
    await publisher.delete(receipt)

    assert server.blog.entries == {}


@pytest.mark.parametrize(("body", "status", "kind"), [
    (refused(500, "rest_upload_sideload_error"), 500, "application/json"), (HTML_ERROR, 413, "text/html"),
    (refused(400, "rest_upload_file_too_big"), 400, "application/json"), (b"{}", 201, "application/json"),
])  # fmt: skip
async def test_a_picture_that_the_site_refuses_is_left_out(
    publisher: WordpressPublisher, server: WordpressSimulator, files: Files, caplog: pytest.LogCaptureFixture, body: bytes, status: int,
    kind: str,
) -> None:  # fmt: skip
    """The text goes; also where WordPress says for good by a 500."""
    server.fault(replace(answer(status, body, path="/wp/v2/media", kind=kind), method="POST"))
    await sent(publisher, make_rendition(attachments=pictures(files, "0.jpg")))

    assert (len(server.blog.shown()), only(server).featured) == (1, 0)
    assert "media left out" in caplog.text


# Categories and tags


async def test_categories_and_tags_by_name(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """Found whatever their case and accents, ampersands too; tags that are missing are made, once."""
    server.blog.add_term("categories", "Ateliers & réparation")
    server.blog.add_term("tags", "vélo")
    options = {"categories": ("ateliers & Reparation",), "tags": ("Vélo",), "own_tags": True}
    publisher = await made(server, sessions, tmp_path, clock, **options)
    receipt = await sent(publisher, make_rendition(tags=("Brest", "R&D", "velo")), "a")
    await sent(publisher, make_rendition(tags=("brest",)), "b")

    blog = server.blog
    assert [[blog.terms["categories"][one] for one in entry.categories] for entry in blog.shown()] == [["Ateliers &amp; réparation"]] * 2
    assert [[blog.terms["tags"][one] for one in entry.tags] for entry in blog.shown()] == [["vélo", "Brest", "R&amp;D"], ["vélo", "Brest"]]
    await publisher.update(receipt, make_rendition(tags=("Quimper",)))
    assert [blog.terms["tags"][one] for one in blog.shown()[0].tags] == ["vélo", "Quimper"]
    assert blog.shown()[0].categories != [1]


async def test_a_term_that_the_search_does_not_find(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """WordPress names the one that exists, and it is taken."""
    number = server.blog.add_term("tags", "Vélo")
    server.fault(answer(200, b"[]", path="/wp/v2/tags"))
    server.faults = [replace(server.faults[0], method="GET")]

    assert await publisher._terms.numbers("tags", ["vélo"]) == [number]


async def test_an_author_makes_no_categories(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """That is said when opening; an editor makes them."""
    with pytest.raises(AuthExpired) as caught:
        await made(server, sessions, tmp_path, clock, categories=("Agenda",))
    assert "(Agenda)" in (caught.value.hint or {})["fr"]
    server.blog.account.role = "editor"
    await sent(await made(server, sessions, tmp_path, clock, categories=("Agenda",)), make_rendition())

    assert server.blog.terms["categories"][only(server).categories[0]] == "Agenda"


# What becomes of it there


async def test_what_somebody_binned_is_gone(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """Though WordPress corrects it in the trash without a word."""
    receipt = await sent(publisher, make_rendition())
    server.bin(only(server))
    for attempt in (publisher.update(receipt, make_rendition(text="Après")), publisher.delete(receipt)):
        with pytest.raises(Gone):
            await attempt

    assert server.blog.shown() == []


async def test_a_post_that_is_somebody_elses_now(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """It is refused, and the account goes on."""
    receipt = await sent(publisher, make_rendition())
    only(server).author = 1
    for attempt in (publisher.update(receipt, make_rendition(text="Après")), publisher.delete(receipt)):
        with pytest.raises(Rejected) as caught:
            await attempt
        assert "là-bas" in (caught.value.hint or {})["fr"]


async def test_an_edit_leaves_the_address(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """Links that people have go on working, and what the site sorted stays sorted."""
    receipt = await sent(publisher, make_rendition(title="Avant"))
    only(server).tags, only(server).slug = [9], "choisi-la-bas"
    after = await publisher.update(receipt, make_rendition(title="Après"))

    assert (only(server).slug, only(server).title, after.url) == ("choisi-la-bas", "Après", f"{server.url}/choisi-la-bas/")


# Sites of every make


@pytest.mark.parametrize(("folder", "pretty"), [("", False), ("/blog", True), ("/blog", False)])
async def test_a_site_in_a_folder_and_plain_permalinks(
    server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, files: Files, folder: str, pretty: bool
) -> None:
    """The API is found, and everything works as elsewhere."""
    server.blog.folder, server.blog.pretty = folder, pretty
    publisher = await made(server, sessions, tmp_path, clock, tags=("R&D",))
    receipt = await sent(publisher, make_rendition(title="Réunion", attachments=pictures(files, "0.jpg")))
    await publisher.update(receipt, make_rendition(title="Réunion reportée"))
    assert only(server).title == "Réunion reportée"
    await publisher.delete(receipt)

    assert server.blog.shown() == []


async def test_an_api_of_another_name(server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> None:
    """Where the site renamed it, its home page says so; an address of another host is not followed."""
    server.faults = [
        Fault(action="answer", path="/wp-json", status=404, body=HTML_ERROR),
        Fault(action="answer", method="GET", path="/", status=404, body=HTML_ERROR),
    ]
    server.blog.pretty = False
    publisher = await made(server, sessions, tmp_path, clock)
    assert "rest_route" in publisher._site._root
    for _ in range(2):
        server.fault(Fault(action="answer", method="GET", path="/", status=404, body=HTML_ERROR))
    server.fault(
        Fault(action="answer", path="/", body=b"", status=200, headers={"Link": '<https://evil.example/>; rel="https://api.w.org/"'})
    )
    with pytest.raises(Rejected) as caught:
        await publisher.open()

    assert "Vérifiez url" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize(("changes", "hint"), [
    ({"passwords": False}, "désactivés"), ({"headers": False}, "Authorization"), ({"password": "another"}, "refaites"),
    ({"rest": "off"}, "Vérifiez username"), ({"rest": "walled"}, "pare-feu"), ({"account": Account(role="contributor")}, "Auteur"),
])  # fmt: skip
async def test_what_keeps_us_out_is_said_when_opening(
    server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, changes: dict[str, Any], hint: str
) -> None:  # fmt: skip
    """With what to do, before anything is to be published."""
    for name, value in changes.items():
        setattr(server.blog, name, value)
    with pytest.raises(AuthExpired) as caught:
        await made(server, sessions, tmp_path, clock)

    assert hint in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("changes", [{"rest": "members"}, {"hides_accounts": True}])
async def test_a_site_that_hides_its_accounts(
    server: WordpressSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, changes: dict[str, Any]
) -> None:
    """Works all the same; a wrong password is noticed all the same."""
    for name, value in changes.items():
        setattr(server.blog, name, value)
    await sent(await made(server, sessions, tmp_path, clock), make_rendition())
    assert len(server.blog.shown()) == 1
    server.blog.password = "another"
    with pytest.raises((AuthExpired, Rejected)):
        await made(server, sessions, tmp_path, clock)


async def test_a_site_that_moved_says_where(publisher: WordpressPublisher, server: WordpressSimulator, files: Files) -> None:
    """The password is not handed to the other host, and the person is told the address."""
    files.files["wp-json/"] = b'{"namespaces": []}'
    server.fault(Fault(action="answer", path="/wp-json", status=301, headers={"Location": f"{files.url}/wp-json/"}))
    with pytest.raises(Rejected) as caught:
        await publisher.open()

    assert files.url in (caught.value.hint or {})["fr"]
    assert all("Authorization" not in seen.headers for seen in files.requests)


async def test_no_password_goes_out_in_the_open(sessions: Sessions, tmp_path: Path) -> None:
    """A site without https is refused, but on a network that a person trusts."""
    options = WordpressPublisher.Options(url="http://asso.example", username="asso", app_password=Secret(PASSWORD))
    with pytest.raises(Rejected) as caught:
        await WordpressPublisher(options, make_context(tmp_path, sessions)).open()

    assert "https://" in (caught.value.hint or {})["fr"]


@pytest.mark.parametrize("visibility", ["private", "direct"])
async def test_what_is_not_public_is_refused(publisher: WordpressPublisher, server: WordpressSimulator, visibility: Any) -> None:
    """Before anything is asked."""
    before, rendition = len(server.requests), make_rendition(visibility=visibility)
    receipt = Receipt(remote_id="1", data=(("kind", "post"),))
    for attempt in (publisher.publish(rendition, "k"), publisher.prepare(rendition, "k"), publisher.update(receipt, rendition)):
        with pytest.raises(Rejected):
            await attempt

    assert len(server.requests) == before


@pytest.mark.parametrize("changes", [
    {"url": "asso.example"}, {"url": "ftp://asso.example"}, {"url": "https://u:p@asso.example"}, {"username": " "}, {"username": "a:b"},
    {"tags": (" ",)}, {"categories": ("",)},
])  # fmt: skip
def test_what_no_site_takes_is_no_option(changes: dict[str, Any]) -> None:
    """Said when the configuration is read, in both languages."""
    with pytest.raises(ValueError, match=r"site|username|categories") as caught:
        WordpressPublisher.Options(**{"url": "https://a.example", "username": "a", "app_password": Secret("k"), **changes})

    assert set(caught.value.args[0]) >= {"fr", "en"}


@pytest.mark.parametrize("url", [
    "https://a.example/blog", "https://a.example/blog/", "https://a.example/blog/wp-admin/profile.php", "https://a.example/blog/wp-login.php",
    "https://a.example/blog/wp-json/wp/v2", "https://a.example/blog/index.php",
])  # fmt: skip
def test_any_page_of_the_site_will_do(url: str) -> None:
    """What people copy from the bar of their browser."""
    assert WordpressPublisher.Options(url=url, username="a", app_password=Secret("k")).base == "https://a.example/blog"


async def test_the_password_never_shows(
    publisher: WordpressPublisher, server: WordpressSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in errors nor in logs nor in receipts."""
    receipt = await sent(publisher, make_rendition())
    told = [repr(receipt), repr(publisher), repr(publisher._options)]
    for fault in (Fault(action="lose", times=9), answer(401, refused(401, "incorrect_password")), answer(400, refused(400, "non"))):
        server.faults = [replace(fault, method="POST")]
        with caplog.at_level(logging.DEBUG), pytest.raises(ConnectorError) as caught:
            await publisher.publish(make_rendition(), f"key-{fault.status}")
        told += [repr(caught.value), repr(vars(caught.value)), repr(caught.value.__cause__)]

    assert PASSWORD not in " ".join([*told, caplog.text])


async def test_what_a_post_costs(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """Three small requests, whose answers do not repeat the text."""
    del server.requests[:]
    await sent(publisher, make_rendition(text="Un long texte. " * 50))

    assert [seen.method for seen in server.requests] == ["GET", "POST", "POST"]
    assert all("id,status,link" in seen.query["_fields"] for seen in server.requests)


def test_the_simulator_filters_as_wordpress_does() -> None:
    """As measured on 6.5.5, for an author; an editor's HTML stays."""
    given = (
        '<p>Un &amp; <a href="https://a.example/" rel="via" onclick="x()">mot</a><br>d</p>'
        '<script>alert(1)</script><iframe src="x"></iframe>&#91;'
    )
    author, editor = Account(role="author"), Account(role="editor")

    assert filtered(given, author) == '<p>Un &amp; <a href="https://a.example/" rel="via">mot</a><br>d</p>alert(1)&#091;'
    assert filtered(given, editor) == given
    assert plain(filtered(given, author)) == "Un & mot\nd\nalert(1)["


async def test_a_post_of_the_origin_shows_whole(publisher: WordpressPublisher, server: WordpressSimulator) -> None:
    """A long article is not cut: the page here may stand alone."""
    post = make_post(kind="article", title="Récit", html="".join(f"<p>Jour {day} : {'nous roulons ' * 40}</p>" for day in range(30)))
    [rendition] = render(post, publisher.limits, Style(), association=ASSO)
    await sent(publisher, rendition)

    assert all(f"Jour {day} :" in only(server).text for day in range(30))
    assert json.dumps(rendition.notes) == "[]"

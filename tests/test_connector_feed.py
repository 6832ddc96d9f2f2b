"""Feeds: the source contract against a WordPress-like site, what makers of feeds do, and what a hostile one may try."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.feed import FeedSource
from connectors.feed.jsonfeed import parsed_json
from connectors.feed.markup import text_from
from connectors.feed.parser import parsed
from connectors.feed.posts import posts_from
from syndicator.contract import CanRead, Context
from syndicator.http import Sessions
from syndicator.model import Actor, Attachment, Batch, Post
from syndicator.sandbox.feed import FeedSimulator
from syndicator.sandbox.server import Simulator
from syndicator.testing import NOW, SourceContract, make_context

DATA = Path(__file__).parent / "data" / "feed"
SECRET = "Procès-verbal confidentiel"
SHARED_GUID = '<item><guid isPermaLink="false">x</guid><link>https://a.example/{}</link></item>'
RSS = (
    '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>T</title><link>https://asso.example/</link>{}</channel></rss>'
)


def fill(simulator: FeedSimulator, articles: int = 3) -> None:
    for number in range(articles):
        simulator.publish(f"Article {number}", f"<p>Texte {number}</p>", at=NOW - timedelta(hours=articles - number))


def read(
    body: bytes | str, *, url: str = "https://asso.example/feed/", content_type: str = "application/rss+xml", **options: Any
) -> list[Post]:
    """Parse without a process: what ``parser.py`` and ``posts.py`` make of a body."""
    data = body.encode() if isinstance(body, str) else body
    feed = parsed_json(data) or parsed(data, url=url, content_type=content_type)
    return list(posts_from(feed, url=url, **({"kind": "article", "full_text": True, "author": None} | options)))


class TestFeedContract(SourceContract):
    connector = FeedSource
    path = "/feed"

    async def start(self) -> Simulator:
        simulator = await FeedSimulator(now=lambda: NOW).start()
        fill(simulator)
        return simulator

    def options(self, simulator: Simulator) -> Any:
        return FeedSource.Options(url=f"{simulator.url}/feed/")

    async def add(self, simulator: Simulator) -> str:
        assert isinstance(simulator, FeedSimulator)
        return simulator.guid(simulator.publish("Nouvel article"))

    async def edit(self, simulator: Simulator) -> str:
        assert isinstance(simulator, FeedSimulator)
        return simulator.guid(simulator.edit(next(iter(simulator.articles)), title="Titre corrigé", slug="nouveau-slug"))

    async def remove(self, simulator: Simulator) -> str:
        assert isinstance(simulator, FeedSimulator)
        article = next(iter(simulator.articles.values()))
        simulator.delete(article.id)
        return simulator.guid(article)

    async def hide(self, simulator: Simulator) -> str:
        assert isinstance(simulator, FeedSimulator)
        for status in ("draft", "private", "future"):
            simulator.publish(SECRET, SECRET, status=status)
        return SECRET


class TestAtomContract(TestFeedContract):
    """The same site, read by its Atom feed."""

    def options(self, simulator: Simulator) -> Any:
        return FeedSource.Options(url=f"{simulator.url}/feed/atom/")


class TestJsonFeedContract(TestFeedContract):
    """The same site, read by its JSON Feed."""

    def options(self, simulator: Simulator) -> Any:
        return FeedSource.Options(url=f"{simulator.url}/feed.json")


@pytest.fixture
async def simulator() -> AsyncIterator[FeedSimulator]:
    simulator = FeedSimulator(now=lambda: NOW)
    fill(simulator)
    async with simulator:
        yield simulator


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    sessions = Sessions()
    yield make_context(tmp_path, sessions)
    await sessions.close()


def source_at(url: str, context: Context, **options: Any) -> FeedSource:
    return FeedSource(FeedSource.Options(url=url, **options), context)


# What the three kinds say of one article


@pytest.mark.parametrize("path", ["/feed/", "/feed/atom/", "/feed.json"])
async def test_one_article_is_the_same_in_every_format(simulator: FeedSimulator, context: Context, path: str) -> None:
    """RSS, Atom and JSON Feed of one site name the same item, with the same text, date, author and tags."""
    simulator.articles.clear()
    article = simulator.publish("Vélo & train", '<p>Voir <a href="/plan/">le plan</a></p>', at=NOW, categories=("Vélo", "Non classé"))
    (post,) = (await source_at(simulator.url + path, context).fetch(None)).changed
    assert isinstance(post, Post)

    assert replace(post, summary="") == Post(
        uid=simulator.guid(article),
        url=simulator.permalink(article),
        kind="article",
        title="Vélo & train",
        html=f'<p>Voir <a href="{simulator.url}/plan/">le plan</a></p>',
        published_at=NOW,
        language="fr-FR",
        author=Actor(name="Camille"),
        tags=("Vélo",),
    )
    assert post.summary in ("Vélo & train, en bref.", "")


def test_wordpress_as_it_is() -> None:
    """Late pictures, emoji, counters, gravatars, credits, relative links, entities in titles: what an author meant is what comes out."""
    first, second = read((DATA / "wordpress.rss").read_bytes())

    assert "est apparu en premier" not in first.html + first.summary
    assert '<a href="https://asso.example/plan/">plan</a>' in first.html
    assert replace(first, html="") == Post(
        uid="https://asso.example/?p=42",
        url="https://asso.example/2026/11/atelier/",
        kind="article",
        title="L’atelier rouvre & s’agrandit",
        summary="L’atelier rouvre samedi…",
        published_at=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        language="fr-FR",
        author=Actor(name="Camille"),
        tags=("Atelier",),
        attachments=(
            Attachment(url="https://asso.example/wp-content/uploads/atelier.jpg", description="L’atelier", width=1024, height=768),
        ),
    )
    assert second == Post(
        uid="https://asso.example/?p=41",
        url="https://asso.example/2026/11/balade/",
        kind="article",
        title="Balade du dimanche",
        html="Rendez-vous à 9h.",
        published_at=datetime(2026, 11, 19, 8, 0, tzinfo=UTC),
        language="fr-FR",
        attachments=(
            Attachment(url="https://asso.example/wp-content/uploads/balade.jpg", media_type="image/jpeg", size_bytes=54321),
        ),
    )  # fmt: skip


def test_mastodons_own_feed_keeps_text_and_alt_texts_apart() -> None:
    """feedparser takes the first alt text for the body and loses which picture it belongs to: we do not."""
    (post,) = read((DATA / "mastodon.rss").read_bytes(), kind="note")

    assert text_from(post.html) == "Deux photos de la sortie #vélo"
    assert (post.title, post.summary, post.sensitive, post.tags) == ("", "", True, ("velo",))
    assert post.attachments == (
        Attachment(
            url="https://files.social.example/1.jpg",
            description="Un vélo rouge contre un mur",
            media_type="image/jpeg",
            size_bytes=123456,
        ),
        Attachment(
            url="https://files.social.example/2.mp4",
            type="video",
            description="La descente filmée",
            media_type="video/mp4",
            size_bytes=654321,
        ),
    )


async def test_pixelfeds_atom_though_not_well_formed(simulator: FeedSimulator, context: Context) -> None:
    """The picture once, with its alt text; the caption once, not as a title too."""
    photo = simulator.photograph("Départ de la balade & café", alt="Dix vélos sous la pluie", at=NOW)
    nameless = simulator.photograph("", at=NOW - timedelta(hours=1))
    source = source_at(f"{simulator.url}/users/asso.atom", context, kind="image")
    posts = {post.uid: post for post in (await source.fetch(None)).changed if isinstance(post, Post)}
    post, bare = posts[f"{simulator.url}/p/asso/{photo.id}"], posts[f"{simulator.url}/p/asso/{nameless.id}"]

    assert text_from(post.html) == "Départ de la balade & café"
    assert (post.kind, post.title, bare.title, post.published_at) == ("image", "", "", NOW)
    assert post.author == Actor(name="asso", url=f"{simulator.url}/asso")
    assert post.attachments == (Attachment(url=photo.picture, description="Dix vélos sous la pluie", media_type="image/jpeg"),)


def test_json_feed() -> None:
    """Numeric ids, attachments, texts without HTML, unusable dates."""
    url = "https://asso.example/feed.json"
    first, second = read((DATA / "jsonfeed.json").read_bytes(), url=url, kind="audio")

    assert first == Post(
        uid="feed:asso.example/feed.json#7",
        url="https://asso.example/7",
        kind="audio",
        title="Émission n° 7",
        html='<p>Écoutez <a href="https://asso.example/7.mp3">l\'émission</a>.</p>',
        summary="Une émission sur les pistes cyclables",
        published_at=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        updated_at=datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        language="fr",
        author=Actor(name="Camille"),
        tags=("radio",),
        attachments=(
            Attachment(url="https://asso.example/7.jpg"),
            Attachment(url="https://asso.example/7.mp3", type="audio", media_type="audio/mpeg", size_bytes=4_200_000, duration_s=1800.0),
        ),
    )
    assert second == Post(
        uid="urn:note:8",
        url="https://asso.example/",
        kind="audio",
        html="<p>Une ligne &lt;b&gt;brute&lt;/b&gt;<br>et une autre</p>",
        language="fr",
        author=Actor(name="Les Amis du Vélo", url="https://asso.example/"),
    )


@pytest.mark.parametrize(("items", "uids"), [
    ("<item><title>A</title><guid>https://a.example/1</guid></item>", ["https://a.example/1"]),
    ('<item><title>A</title><guid isPermaLink="false">42</guid></item>', ["feed:asso.example/feed/#42"]),
    ("<item><title>A</title><link>HTTPS://Asso.Example/a?utm_source=rss&amp;id=3#suite</link></item>", ["https://asso.example/a?id=3"]),
    ("<item><title>A</title><link>/a</link></item>", ["https://asso.example/a"]),
    ("".join(SHARED_GUID.format(n) for n in (1, 2)), ["https://a.example/1", "https://a.example/2"]),
    ('<item><guid isPermaLink="false">x</guid><title>A</title></item>' * 2, ["feed:asso.example/feed/#x"]),
], ids=["guid", "bare-guid", "link", "relative-link", "one-guid-for-all", "twice-the-same"])  # fmt: skip
def test_what_identifies_an_item(items: str, uids: list[str]) -> None:
    """Its id; without one its page; and one id shared by different pages identifies nothing."""
    assert [post.uid for post in read(RSS.format(items))] == uids


def test_without_id_and_page_the_title_identifies() -> None:
    """A hash that stays when the text is corrected, and differs from one title to the next."""
    item = "<item><title>{}</title><description>{}</description></item>"
    (before,) = read(RSS.format(item.format("Titre", "Texte")))
    (after,) = read(RSS.format(item.format("Titre", "Texte corrigé")))
    (other,) = read(RSS.format(item.format("Autre", "Texte")))

    assert before.uid == after.uid != other.uid
    assert before.url == "https://asso.example/"


@pytest.mark.parametrize(("date", "expected"), [
    ("<pubDate>Fri, 20 Nov 2026 09:00:00 +0100</pubDate>", datetime(2026, 11, 20, 8, 0, tzinfo=UTC)),
    ("<pubDate>ven., 20 nov. 2026 09:00:00 +0100</pubDate>", None),
    ("<pubDate>Fri, 20 Nov 99999 09:00:00 GMT</pubDate>", None),
    ("", None),
], ids=["rfc822", "french", "absurd", "none"])  # fmt: skip
def test_a_date_is_known_or_none(date: str, expected: datetime | None) -> None:
    """Never today's date in its place."""
    (post,) = read(RSS.format(f"<item><title>A</title><link>https://a.example/</link>{date}</item>"))
    assert post.published_at == expected


@pytest.mark.parametrize("body", [
    RSS.format("<item><title>Caf&eacute; & th\u00e9</title><link>https://a.example/1</link></item>").encode(),
    RSS.format("<item><title>Café &amp; thé</title><link>https://a.example/1</link></item>").encode()[:-20],
    RSS.replace("UTF-8", "ISO-8859-1").format("<item><title>Café &amp; thé</title><link>https://a.example/1</link></item>").encode("latin-1"),
    b"\xef\xbb\xbf" + RSS.format("<item><title>Café &amp; thé</title><link>https://a.example/1</link></item>").encode(),
    RSS.replace("UTF-8", "UTF-16").format("<item><title>Café &amp; thé</title><link>https://a.example/1</link></item>").encode("utf-16"),
], ids=["undefined-entity", "cut", "latin-1", "bom", "utf-16"])  # fmt: skip
@pytest.mark.parametrize("content_type", ["application/rss+xml", "text/xml", "text/html", "text/plain"])
def test_feeds_that_break_the_rules_are_read(body: bytes, content_type: str) -> None:
    """Entities, truncation, charsets, wrong types: what can be understood is."""
    assert [(post.title, post.uid) for post in read(body, content_type=content_type)] == [("Café & thé", "https://a.example/1")]


def test_a_title_is_plain_text() -> None:
    """Markup goes where it is markup and stays where it is text; an Atom summary of type text becomes HTML safely."""
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="oc"><title>T</title><entry><id>urn:1</id><link href="/1"/>'
        '<title type="html">&lt;b&gt;Gras&lt;/b&gt; &amp;amp; fin</title><summary type="text">1 &lt; 2</summary></entry>'
        '<entry><id>urn:2</id><link href="/2"/><title>Le &lt;script&gt; en HTML</title>'
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Corps</p></div></content></entry></feed>'
    )
    first, second = read(atom, content_type="application/atom+xml")

    assert (first.title, first.html, first.language, first.url) == ("Gras & fin", "<p>1 &lt; 2</p>", "oc", "https://asso.example/1")
    assert second.title == "Le <script> en HTML"
    assert text_from(second.html) == "Corps"


def test_options_shape_what_is_carried() -> None:
    """Summary instead of the whole text, an author of one's own, another kind."""
    posts = read((DATA / "wordpress.rss").read_bytes(), full_text=False, author="L'association", kind="note")

    assert [text_from(post.html) for post in posts] == ["L’atelier rouvre samedi […]", "Rendez-vous à 9h."]
    assert {(post.author, post.kind, post.summary) for post in posts} == {(Actor(name="L'association"), "note", "")}


@pytest.mark.parametrize(("creator", "name"), [
    ("Camille Le Goff", "Camille Le Goff"),
    ("noreply@blogger.example (Camille)", "Camille"),
    ("camille@asso.example", None),
    ("Camille &lt;camille@asso.example&gt;", "Camille"),
])  # fmt: skip
def test_a_mailbox_is_no_author(creator: str, name: str | None) -> None:
    """Names are kept, addresses of people never."""
    (post,) = read(RSS.format(f"<item><title>A</title><link>https://a.example/</link><author>{creator}</author></item>"))
    assert post.author == (Actor(name=name) if name else None)


def test_control_characters_and_surrogates_go() -> None:
    """No store and no network takes them."""
    body = json.dumps(
        {"version": "https://jsonfeed.org/version/1", "items": [{"id": "a\x00b\ud800", "title": "x\x07y", "url": "https://a.example"}]}
    )
    (post,) = read(body)
    assert (post.uid, post.title) == ("feed:asso.example/feed/#ab", "xy")


# Cost


async def test_open_and_first_fetch_ask_once(simulator: FeedSimulator, context: Context) -> None:
    """What open fetched serves the first fetch; later ones ask with both validators."""
    source = source_at(f"{simulator.url}/feed/", context)
    await source.open()
    first = await source.fetch(None)
    assert len(simulator.requests) == 1

    assert await source.fetch(first.cursor) == Batch()
    assert len(simulator.requests) == 2
    assert {"If-None-Match", "If-Modified-Since"} <= set(simulator.requests[1].headers)


async def test_a_site_without_validators_is_not_parsed_again(simulator: FeedSimulator, context: Context) -> None:
    """The same bytes are no news, also after a restart; a feed that was only built again is none either, and changes no cursor."""
    feed = RSS.format("<item><title>A</title><link>https://a.example/1</link></item>{}")
    url = simulator.serve("/plain.xml", feed.format("").encode())
    first = await source_at(url, context).fetch(None)
    again = source_at(url, context)
    assert await again.fetch(first.cursor) == Batch()

    simulator.serve("/plain.xml", feed.format("<lastBuildDate>Sat, 21 Nov 2026 12:00:00 GMT</lastBuildDate>").encode())
    assert await again.fetch(first.cursor) == Batch()
    assert len(first.changed) == 1


async def test_other_options_read_the_feed_anew(simulator: FeedSimulator, context: Context) -> None:
    """A change of configuration shows at the next poll, not at the site's next article."""
    url = f"{simulator.url}/feed/"
    first = await source_at(url, context).fetch(None)
    batch = await source_at(url, context, author="L'association").fetch(first.cursor)

    assert [item.author for item in batch.changed if isinstance(item, Post)] == [Actor(name="L'association")] * 3


async def test_a_cursor_of_another_time_is_no_trouble(simulator: FeedSimulator, context: Context) -> None:
    """Whatever it is, the feed is read anew."""
    for cursor in ("", "[]", "{", '{"unknown": 1}', "12"):
        assert len((await source_at(f"{simulator.url}/feed/", context).fetch(cursor)).changed) == 3


async def test_validators_of_another_address_are_not_believed(simulator: FeedSimulator, context: Context) -> None:
    """A redirect that leads elsewhere than last time answers 304 to what it was never asked: the feed is fetched whole."""
    simulator.redirects["/go"] = (302, "/feed/")
    source = source_at(f"{simulator.url}/go", context)
    first = await source.fetch(None)
    simulator.redirects["/go"] = (302, "/feed/atom/")
    fresh = simulator.publish("Entre-temps", at=NOW - timedelta(days=9))
    batch = await source.fetch(first.cursor)

    assert simulator.guid(fresh) in {item.uid for item in batch.changed}


async def test_a_permanent_move_is_told_once(simulator: FeedSimulator, context: Context, caplog: pytest.LogCaptureFixture) -> None:
    """The new address is in the log, once, and the feed is read meanwhile."""
    source = source_at(f"{simulator.url}/feed", context)
    with caplog.at_level(logging.WARNING):
        first = await source.fetch(None)
        await source.fetch(first.cursor)

    assert len(first.changed) == 3
    assert [record.getMessage() for record in caplog.records] == [f"the feed moved for good: change url to {simulator.url}/feed/"]


async def test_absence_means_nothing(simulator: FeedSimulator, context: Context) -> None:
    """A feed rolls: it never claims to be complete, and cannot be asked for old items."""
    for number in range(12):
        simulator.publish(f"Billet {number}", at=NOW)
    source = source_at(f"{simulator.url}/feed/", context)
    batch = await source.fetch(None)

    assert (len(batch.changed), batch.complete, batch.gone) == (10, False, ())
    assert not isinstance(source, CanRead)

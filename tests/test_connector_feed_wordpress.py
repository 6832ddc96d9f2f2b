"""Feeds of WordPress: what its validators do not tell, what its first page does not show, what it lists and must not be read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.feed import OWED_MAX, PAGES_MAX, WHOLE_EVERY, FeedSource
from connectors.feed.known import validators
from connectors.feed.markup import text_from, with_characters
from syndicator.contract import Context
from syndicator.http import Sessions
from syndicator.model import Batch, Post, Tombstone
from syndicator.sandbox.feed import Article, FeedSimulator
from syndicator.sandbox.server import Fault
from syndicator.testing import NOW, make_context
from tests.test_connector_feed import RSS, SECRET, read

ITEM = "<item><title>{0}</title><link>https://asso.example/{0}/</link></item>"


class Clock:
    """One time for the site and for us."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(clock: Clock) -> AsyncIterator[FeedSimulator]:
    async with FeedSimulator(now=clock) as site:
        for hours in (3, 2, 1):
            site.publish(f"Article d'il y a {hours} h", at=NOW - timedelta(hours=hours))
        yield site


@pytest.fixture
async def context(tmp_path: Path, clock: Clock) -> AsyncIterator[Context]:
    sessions = Sessions()
    context = make_context(tmp_path, sessions)
    yield replace(context, now=clock)
    await sessions.close()


@pytest.fixture
async def source(site: FeedSimulator, context: Context) -> FeedSource:
    source = FeedSource(FeedSource.Options(url=f"{site.url}/feed/"), context)
    await source.open()
    return source


def uids(batch: Batch) -> list[str]:
    return [item.uid for item in batch.changed]


def publish(site: FeedSimulator, count: int) -> list[str]:
    """That many articles, newest first."""
    articles = [site.publish(f"Numéro {n}", at=site.now() - timedelta(seconds=20 * (count - n))) for n in range(count)]
    return [site.guid(article) for article in reversed(articles)]


def pages(site: FeedSimulator) -> list[str]:
    """The pages that were asked for."""
    return [seen.query.get("paged", "1") for seen in site.requests if seen.path == "/feed/"]


# Validators


async def test_two_articles_in_one_second_with_our_look_between(site: FeedSimulator, source: FeedSource) -> None:
    """WordPress would answer 304 to the validators of the first: they are not used, and the second is seen at once."""
    await source.fetch(None)
    site.publish("Le premier", at=NOW)
    between = await source.fetch(None)
    second = site.publish("Le second", at=NOW)

    assert site.guid(second) not in uids(between)
    assert site.guid(second) in uids(await source.fetch(between.cursor))


async def test_later_the_validators_serve_again(site: FeedSimulator, source: FeedSource, clock: Clock) -> None:
    """Once the newest change is old enough, a poll without news is one conditional request, and the cursor stays as it was."""
    await source.close()
    site.requests.clear()
    site.publish("À l'instant", at=NOW)
    cursor = (await source.fetch(None)).cursor
    clock.at += timedelta(minutes=5)
    assert await source.fetch(cursor) == Batch()
    assert await source.fetch(cursor) == Batch()

    conditional = ["If-None-Match" in seen.headers and "If-Modified-Since" in seen.headers for seen in site.requests]
    assert conditional == [False, False, True]


@pytest.mark.parametrize(("headers", "expected"), [
    ({"ETag": '"a"', "Last-Modified": "Sat, 21 Nov 2026 11:59:58 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, True),
    ({"ETag": '"a"', "Last-Modified": "Sat, 21 Nov 2026 11:59:59 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, False),
    ({"ETag": '"a"', "Last-Modified": "Sat, 21 Nov 2026 12:30:00 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}, False),
    ({"ETag": '"a"', "Last-Modified": f"{NOW - timedelta(seconds=1):%a, %d %b %Y %H:%M:%S} GMT"}, False),
    ({"ETag": '"a"', "Last-Modified": f"{NOW - timedelta(minutes=1):%a, %d %b %Y %H:%M:%S} GMT", "Date": "hier"}, True),
    ({"ETag": '"a"'}, True),
    ({"ETag": '"a"', "Last-Modified": "hier"}, True),
    ({"Last-Modified": "Fri, 20 Nov 2026 12:00:00 GMT"}, True),
    ({}, True),
], ids=["two-seconds", "one-second", "to-come", "our-clock", "our-clock-old", "etag-alone", "no-date", "date-alone", "none"])  # fmt: skip
def test_which_validators_are_believed(headers: dict[str, str], expected: bool) -> None:
    """All that came, unless the change is less than two seconds older than the answer: then none."""
    sent = (headers.get("ETag", ""), headers.get("Last-Modified", ""))
    assert validators(headers, NOW) == (sent if expected else ("", ""))


async def test_an_article_that_comes_out_late_behind_a_newer_one(site: FeedSimulator, source: FeedSource, clock: Clock) -> None:
    """Its validators do not change, so the site says 304: the feed is read whole every few hours all the same."""
    cursor = (await source.fetch(None)).cursor
    late = site.publish("Prévu avant le dernier", at=NOW - timedelta(minutes=90))
    clock.at += timedelta(minutes=5)
    assert await source.fetch(cursor) == Batch()

    clock.at += WHOLE_EVERY
    assert site.guid(late) in uids(await source.fetch(cursor))


# Further pages


async def test_more_articles_than_a_page_holds(site: FeedSimulator, source: FeedSource) -> None:
    """All of them are found, by as many pages as it takes to come to one that was known; and only once."""
    cursor = (await source.fetch(None)).cursor
    site.requests.clear()
    fresh = publish(site, 25)
    batch = await source.fetch(cursor)

    assert uids(batch)[:25] == fresh
    assert pages(site) == ["1", "2", "3"]
    assert await source.fetch(batch.cursor) == Batch()


async def test_a_page_that_holds_something_known_is_enough(site: FeedSimulator, source: FeedSource) -> None:
    """Nine new articles leave a known one in the feed: nothing slid off."""
    cursor = (await source.fetch(None)).cursor
    site.requests.clear()
    fresh = publish(site, 9)

    assert uids(await source.fetch(cursor))[:9] == fresh
    assert pages(site) == ["1"]


async def test_exactly_one_page_of_new_articles(site: FeedSimulator, source: FeedSource) -> None:
    """Nobody can tell without a look at the next page, which ends the matter; so does the 404 behind the last one."""
    cursor = (await source.fetch(None)).cursor
    site.articles.clear()
    site.requests.clear()
    fresh = publish(site, 10)

    assert uids(await source.fetch(cursor)) == fresh
    assert pages(site) == ["1", "2"]


async def test_the_first_look_reads_one_page(site: FeedSimulator, source: FeedSource) -> None:
    """The past is not asked for: neither at the first look, nor after a change of options."""
    publish(site, 30)
    await source.fetch(None)
    await source.fetch('{"options": "others"}')
    assert set(pages(site)) == {"1"}


async def test_a_site_that_was_empty(site: FeedSimulator, source: FeedSource) -> None:
    """Nothing known is something known: what comes then is all new."""
    site.articles.clear()
    await source.close()
    cursor = (await source.fetch(None)).cursor
    fresh = publish(site, 12)
    assert uids(await source.fetch(cursor)) == fresh


async def test_pages_are_bounded(site: FeedSimulator, source: FeedSource) -> None:
    """Where everything is new, as after a move of the whole site, ten pages are read and no more."""
    cursor = (await source.fetch(None)).cursor
    site.requests.clear()
    fresh = publish(site, 150)

    assert uids(await source.fetch(cursor)) == fresh[: PAGES_MAX * 10]
    assert pages(site) == [str(n) for n in range(1, PAGES_MAX + 1)]


async def test_a_page_that_cannot_be_had_now_is_asked_for_again(site: FeedSimulator, source: FeedSource, context: Context) -> None:
    """What the first page shows is not held back meanwhile, the rest follows, also after a restart."""
    cursor = (await source.fetch(None)).cursor
    fresh = publish(site, 25)
    site.fault(Fault(action="answer", status=503, path="/feed/", skip=1))
    first = await source.fetch(cursor)
    assert uids(first) == fresh[:10]

    again = FeedSource(FeedSource.Options(url=f"{site.url}/feed/"), context)
    batch = await again.fetch(first.cursor)
    assert uids(batch)[:25] == fresh
    assert await again.fetch(batch.cursor) == Batch()


async def test_a_page_that_never_comes_is_given_up(site: FeedSimulator, source: FeedSource) -> None:
    """A broken second page does not make us ask for ever."""
    cursor = (await source.fetch(None)).cursor
    publish(site, 25)
    for _ in range(OWED_MAX + 1):
        site.fault(Fault(action="answer", status=500, path="/feed/", skip=1))
        batch = await source.fetch(cursor)
        assert len(batch.changed) == 10
        cursor = batch.cursor
    site.requests.clear()
    assert await source.fetch(cursor) == Batch()
    assert pages(site) == ["1"]


async def test_a_cache_that_gives_the_first_page_for_every_page(site: FeedSimulator, context: Context) -> None:
    """The second page brings nothing new: that was the last."""
    feed = RSS.replace("{}", "<generator>https://wordpress.org/?v=6.5.5</generator>{}")
    url = site.serve("/cache/feed/", feed.format(ITEM.format("ancien")).encode())
    source = FeedSource(FeedSource.Options(url=url), context)
    cursor = (await source.fetch(None)).cursor
    site.serve("/cache/feed/", feed.format(ITEM.format("nouveau")).encode())
    site.requests.clear()

    assert uids(await source.fetch(cursor)) == ["https://asso.example/nouveau/"]
    assert [dict(seen.query) for seen in site.requests] == [{}, {"paged": "2"}]


async def test_feeds_of_others_have_no_further_pages(site: FeedSimulator, context: Context) -> None:
    """``paged`` is WordPress's word: nobody else is asked."""
    url = site.serve("/feed.xml", RSS.format(ITEM.format("ancien")).encode())
    source = FeedSource(FeedSource.Options(url=url), context)
    cursor = (await source.fetch(None)).cursor
    site.serve("/feed.xml", RSS.format(ITEM.format("nouveau")).encode())
    site.requests.clear()

    assert uids(await source.fetch(cursor)) == ["https://asso.example/nouveau/"]
    assert len(site.requests) == 1


# What a password protects


@pytest.mark.parametrize(("path", "full_text"), [("/feed/", True), ("/feed/", False), ("/feed/atom/", True)])
async def test_an_article_with_a_password_is_never_read(site: FeedSimulator, context: Context, path: str, full_text: bool) -> None:
    """WordPress lists it, with its title and a form: it is no post of ours, neither in a feed of whole texts nor of summaries."""
    site.full_text = full_text
    locked = site.publish(SECRET, SECRET, password="sésame", at=NOW)
    batch = await FeedSource(FeedSource.Options(url=site.url + path), context).fetch(None)

    assert len(batch.changed) == 3
    assert SECRET not in repr(batch)
    assert batch.gone == (Tombstone(uid=site.guid(locked), certain=True),)


async def test_an_article_that_gets_a_password_is_gone(site: FeedSimulator, source: FeedSource, clock: Clock) -> None:
    """The origin no longer shows it to the public: so do the mirrors; and it is back when the password goes."""
    article = next(iter(site.articles.values()))
    first = await source.fetch(None)
    clock.at += timedelta(minutes=5)
    site.edit(article.id, password="sésame")
    locked = await source.fetch(first.cursor)
    clock.at += timedelta(minutes=5)
    site.edit(article.id, password="")
    opened = await source.fetch(locked.cursor)

    assert site.guid(article) in uids(first)
    assert (site.guid(article) in uids(locked), locked.gone) == (False, (Tombstone(uid=site.guid(article), certain=True),))
    assert (site.guid(article) in uids(opened), opened.gone) == (True, ())


async def test_a_locked_article_is_known_like_any_other(site: FeedSimulator, source: FeedSource, clock: Clock) -> None:
    """It stands between the new and the old: no further page is read for it."""
    cursor = (await source.fetch(None)).cursor
    clock.at += timedelta(minutes=5)
    cursor = (await source.fetch(cursor)).cursor or cursor
    site.articles.clear()
    site.publish("Verrouillé", password="sésame", at=NOW)
    cursor = (await source.fetch(cursor)).cursor
    site.requests.clear()
    publish(site, 9)
    await source.fetch(cursor)
    assert pages(site) == ["1"]


# Emoji


def test_emoji_are_characters() -> None:
    """WordPress makes pictures of another server out of them; in the text they are what the author typed, and no picture of the article."""
    article: Article = FeedSimulator(now=lambda: NOW).publish("Fête", "<p>Venez 🎉 nombreux &amp; à vélo 🚲</p>")
    body = FeedSimulator._content(FeedSimulator(now=lambda: NOW), article)
    assert "s.w.org/images/core/emoji" in body

    (post,) = read(RSS.replace("<rss ", '<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" ').format(
        f"<item><title>Fête</title><link>https://asso.example/fete/</link><content:encoded><![CDATA[{body}]]></content:encoded></item>"
    ))  # fmt: skip
    assert (post.html, text_from(post.html), post.attachments) == (
        "<p>Venez 🎉 nombreux &amp; à vélo 🚲</p>", "Venez 🎉 nombreux & à vélo 🚲", (),
    )  # fmt: skip


@pytest.mark.parametrize(("html", "expected"), [
    ('<img class="wp-smiley emoji" src="x.png" alt=":)">', ":)"),
    ('<img src="https://s.w.org/images/core/emoji/15.0.3/svg/1f6b2.svg" alt="🚲" />', "🚲"),
    ('<img class="emoji" src="x.png" alt="&lt;3">', "&lt;3"),
    ('<img class="emoji" src="x.png" alt="' + "long " * 20 + '">', '<img class="emoji" src="x.png" alt="' + "long " * 20 + '">'),
    ('<img src="emoji.jpg" alt="Un emoji peint">', '<img src="emoji.jpg" alt="Un emoji peint">'),
    ('<a class="emoji">smile</a>', '<a class="emoji">smile</a>'),
], ids=["smiley", "core", "escaped", "long", "picture", "link"])  # fmt: skip
def test_only_emoji_become_characters(html: str, expected: str) -> None:
    """Pictures stay pictures."""
    assert with_characters(html) == expected


async def test_posts_are_as_before(source: FeedSource) -> None:
    """None of this changes an ordinary article."""
    posts = [post for post in (await source.fetch(None)).changed if isinstance(post, Post)]
    assert [post.title for post in posts] == [f"Article d'il y a {hours} h" for hours in (1, 2, 3)]

"""An account's feed, where its API is closed to strangers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.mastodon.address import Identity
from connectors.mastodon.rss import posts_from_feed
from syndicator.errors import Rejected, Transient
from syndicator.model import Attachment, Batch
from syndicator.testing import NOW
from tests.mastodon_source_scene import (  # noqa: F401 - fixtures
    PICTURE,
    Build,
    asso,
    given_build,
    given_clock,
    given_context,
    given_opened,
    given_sessions,
    picture,
    post,
    texts,
    uid,
)


async def test_the_feed_gives_what_the_api_would(build: Build, opened: Build) -> None:
    """Same uid, page, text, warning, alt text and date by the feed as by the API; what only the API knows is missing."""
    simulator = await build()
    alts = [picture(simulator, asso(simulator), "Première image").id, picture(simulator, asso(simulator), "Seconde & dernière").id]
    html = '<p>Atelier <a href="/tags/velo" class="mention hashtag" rel="tag">#<span>vélo</span></a></p>'
    post(simulator, html, spoiler_text="Mécanique <fine>", sensitive=True, media_ids=alts)
    by_api = await (await opened(simulator)).fetch(None)
    simulator.closed = True
    by_feed = await (await opened(simulator)).fetch(None)

    [api], [feed] = by_api.changed, by_feed.changed
    known = [replace(one, width=None, height=None, blurhash=None) for one in api.attachments]
    assert feed == replace(
        api,
        language=None,
        author=replace(api.author, avatar_url=None),
        attachments=tuple(replace(one, media_type="image/jpeg", size_bytes=len(PICTURE)) for one in known),
    )
    assert (by_feed.complete, by_feed.complete_since) == (True, NOW)


async def test_unlisted_posts_of_the_feed_are_told_apart_once(build: Build, opened: Build) -> None:
    """Mastodon's feed holds unlisted posts too: each new one is asked for by its ActivityPub id, once."""
    simulator = await build(closed=True)
    post(simulator, "<p>Public</p>")
    post(simulator, "<p>discret</p>", visibility="unlisted")
    source = await opened(simulator)
    first = await source.fetch(None)
    simulator.requests.clear()
    fresh = await source.fetch(None)

    assert (texts(first), texts(fresh)) == (["<p>Public</p>"], ["<p>Public</p>"])
    assert [seen.path for seen in simulator.requests] == ["/@asso.rss"]
    both = await (await opened(simulator, unlisted=True)).fetch(None)
    assert [item.visibility for item in both.changed] == ["unlisted", "public"]


async def test_a_feed_is_asked_for_only_if_changed(build: Build, opened: Build) -> None:
    """The feed's ETag is kept with its quotes, so that a poll without news is answered 304."""
    simulator = await build(flavour="pixelfed")
    post(simulator, "<p>Photo</p>")
    source = await opened(simulator)
    first = await source.fetch(None)

    assert await source.fetch(first.cursor) == Batch(cursor=first.cursor)
    assert simulator.requests[-1].headers["If-None-Match"].startswith('W/"')


async def test_pixelfed_pictures_keep_their_alt_text(build: Build, opened: Build) -> None:
    """Pixelfed's feed puts the picture into the text: it becomes an attachment with its alt text, and leaves the text."""
    simulator = await build(flavour="pixelfed")
    media = picture(simulator, asso(simulator), 'Un "beau" vélo')
    status = post(simulator, "Balade", media_ids=[media.id])
    batch = await (await opened(simulator)).fetch(None)

    url = f"{simulator.url}/media/{media.id}.jpg"
    assert [(item.uid, item.kind, item.html, item.attachments) for item in batch.changed] == [
        (uid(simulator, status), "image", "<p>Balade</p>", (Attachment(url=url, media_type="image/jpeg", description='Un "beau" vélo'),))
    ]


IDENTITY = Identity(user="asso", domain="social.example", base_url="https://social.example", actor_url="https://social.example/users/asso")


@pytest.mark.parametrize(
    "body", [b"/etc/passwd", b"http://127.0.0.1/", b"", b"{}", b"<html><p>Bienvenue", b"<rss><channel><item>", b"<a/>"]
)
def test_what_is_no_feed_is_never_taken_for_an_address(body: bytes) -> None:
    """A body that looks like a file's name or an address is refused as a feed, not opened."""
    with pytest.raises(Transient):
        posts_from_feed(body, "application/rss+xml", IDENTITY)


def test_a_nested_bomb_is_refused() -> None:
    """600 kB of nested elements are refused before the slow parser sees them."""
    bomb = b'<rss version="2.0"><channel>' + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</channel></rss>"
    with pytest.raises(Rejected):
        posts_from_feed(bomb, "application/rss+xml", IDENTITY)

"""Feeds: the HTML of items, the options, and pages that announce a feed."""

from __future__ import annotations

import pytest

from connectors.feed import FeedSource
from connectors.feed.markup import absolute, normal_link, pictures, without_credits
from syndicator.contract import Page


def test_links_become_absolute_and_text_stays() -> None:
    """Only attributes of tags change."""
    html = '<p>href="/x" <a href="/a?b=1&amp;c=2">a</a> <img src=\'b.png\' alt="c > d"> <a href="mailto:x@y.example">m</a> <a href="http://[">z</a></p>'
    assert absolute(html, "https://a.example/dir/page") == (
        '<p>href="/x" <a href="https://a.example/a?b=1&amp;c=2">a</a> <img src="https://a.example/dir/b.png" alt="c > d"> '
        '<a href="mailto:x@y.example">m</a> <a href="http://[">z</a></p>'
    )


def test_pictures_of_the_author_only() -> None:
    """Not data:, not emoji, not avatars, not counters; srcset where there is nothing else."""
    html = (
        '<img src="data:image/gif;base64,AA"><img src="/wp-includes/images/smilies/smile.png"><img class="avatar" src="/me.jpg">'
        '<img src="https://stats.example/matomo.php" width=1 height=1><img srcset="/small.jpg 300w, /large.jpg 900w" alt="Deux">'
        '<IMG SRC="trois.jpg" WIDTH="300px">'
    )
    found = [(one.url, one.alt, one.width) for one in pictures(html, "https://a.example/p/")]
    assert found == [("https://a.example/small.jpg", "Deux", None), ("https://a.example/p/trois.jpg", "", 300)]


def test_credits_go_and_an_authors_links_stay() -> None:
    """Only a last paragraph with exactly the two links of a credit is one."""
    link = "https://a.example/2026/x/"
    credit = f'<p>The post <a href="{link}">X</a> appeared first on <a href="https://a.example">A</a>.</p>'
    other = f'<p>Voir <a href="{link}">ici</a> et <a href="https://b.example/">là</a>.</p>'

    assert without_credits(f"<p>Texte</p>\n{credit}\n", link) == "<p>Texte</p>"
    assert without_credits(f"<p>Texte</p>\n{other}", link) == f"<p>Texte</p>\n{other}"
    assert without_credits("Texte nu", link) == "Texte nu"


def test_normal_links() -> None:
    """Case of the host, fragments and campaign parameters do not matter; the rest does."""
    assert normal_link("HTTPS://A.example/B?utm_medium=x&id=1&fbclid=z#frag") == "https://a.example/B?id=1"
    assert normal_link("https://a.example") == "https://a.example/"


@pytest.mark.parametrize("url", ["asso.example/feed", "ftp://asso.example/feed", "/etc/passwd", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """The configuration says so, in both languages."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        FeedSource.Options(url=url)
    assert {"fr", "en"} <= set(caught.value.args[0])


def page(body: bytes = b"<html>", *, software: str | None = None, links: tuple[tuple[str, str, str], ...] = ()) -> Page:
    return Page(
        url="https://asso.example/", asked_url="https://asso.example", content_type="text/html", body=body, software=software, links=links
    )


WORDPRESS = (
    ("alternate", "application/rss+xml", "https://asso.example/comments/feed/"),
    ("alternate", "application/rss+xml", "https://asso.example/feed/"),
    ("alternate", "application/json", "https://asso.example/wp-json/wp/v2/pages/2"),
)


@pytest.mark.parametrize(("seen", "url"), [
    (page(b'<?xml version="1.0"?><!-- x --><rss version="2.0">'), "https://asso.example/"),
    (page(b'\xef\xbb\xbf<feed xmlns="http://www.w3.org/2005/Atom">'), "https://asso.example/"),
    (page(b'<rdf:RDF xmlns="http://purl.org/rss/1.0/">'), "https://asso.example/"),
    (page(b'{"version": "https://jsonfeed.org/version/1.1"'), "https://asso.example/"),
    (page(b"<rss>", software="mastodon"), "https://asso.example/"),
    (page(links=WORDPRESS, software="wordpress"), "https://asso.example/feed/"),
    (page(links=(("alternate", "application/json", "https://asso.example/feed.json"),)), "https://asso.example/feed.json"),
    (page(links=WORDPRESS[2:]), None),
    (page(links=(("alternate", "application/rss+xml", "https://asso.example/@asso.rss"),), software="mastodon"), None),
    (page(links=(("stylesheet", "application/rss+xml", "https://asso.example/x"),)), None),
    (page(b"<html><rss>"), None),
    (page(b'{"version": "1"}'), None),
])  # fmt: skip
def test_recognises_feeds_and_pages_that_announce_one(seen: Page, url: str | None) -> None:
    """The fallback for any website, but not in the place of a service's own connector."""
    assert FeedSource.recognise(seen) == ({"url": url} if url else None)

"""PeerTube: addresses, options, pages, and Markdown."""

from __future__ import annotations

import pytest

from connectors.peertube import PeertubeSource, actor_from
from connectors.peertube.markdown import html_from_markdown, text_from_markdown
from syndicator.contract import Page


@pytest.mark.parametrize(("kind", "value", "base", "name"), [
    ("channel", "velo@tube.example", "https://tube.example", "velo"),
    ("channel", "@velo@tube.example", "https://tube.example", "velo"),
    ("channel", "https://tube.example/c/velo/videos?s=1", "https://tube.example", "velo"),
    ("channel", "https://tube.example/video-channels/velo", "https://tube.example", "velo"),
    ("channel", "http://tube.example:9000/c/velo@autre.example", "http://tube.example:9000", "velo@autre.example"),
    ("channel", "https://tube.example/@velo", "https://tube.example", "velo"),
    ("account", "https://tube.example/a/asso/video-channels", "https://tube.example", "asso"),
    ("account", "https://tube.example/accounts/asso", "https://tube.example", "asso"),
])  # fmt: skip
def test_handles_and_pages_are_understood(kind: str, value: str, base: str, name: str) -> None:
    """People paste what their browser shows."""
    actor = actor_from(kind, value)
    assert (actor.base, actor.kind, actor.name) == (base, kind, name)


@pytest.mark.parametrize("given", [
    {},
    {"channel": "velo@a.example", "account": "asso@a.example"},
    {"channel": "velo"},
    {"channel": "https://tube.example/a/asso"},
    {"channel": "https://tube.example/"},
    {"account": "ftp://tube.example/a/asso"},
], ids=["nothing", "both", "no-host", "an-account", "home", "ftp"])  # fmt: skip
def test_options_that_mean_nothing_are_refused_in_both_languages(given: dict[str, str]) -> None:
    """The configuration says what is wrong before anything is asked."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        PeertubeSource.Options(**given)
    assert {"fr", "en"} <= set(caught.value.args[0])


def page(url: str, *, software: str | None = "peertube", links: tuple[tuple[str, str, str], ...] = ()) -> Page:
    return Page(url=url, asked_url=url, content_type="text/html", body=b"", software=software, links=links)


@pytest.mark.parametrize(("seen", "expected"), [
    (page("https://tube.example/c/velo/videos"), {"channel": "https://tube.example/c/velo"}),
    (page("https://tube.example/video-channels/velo"), {"channel": "https://tube.example/c/velo"}),
    (page("https://tube.example/a/asso"), {"account": "https://tube.example/a/asso"}),
    (page("https://tube.example/@asso"), {"account": "https://tube.example/a/asso"}),
    (
        page("https://tube.example/@velo", links=(("alternate", "application/rss+xml", "https://tube.example/feeds/videos.xml?videoChannelId=3"),)),
        {"channel": "https://tube.example/c/velo"},
    ),
    (page("https://tube.example/@velo", links=(("canonical", "", "https://tube.example/c/velo"),)), {"channel": "https://tube.example/c/velo"}),
    (page("https://tube.example/"), None),
    (page("https://tube.example/w/kkGMgK9ZtnKfYAgnEtQxbv"), None),
    (page("https://blog.example/c/velo", software=None), None),
    (page("https://social.example/@velo", software="mastodon"), None),
])  # fmt: skip
def test_recognises_its_pages_and_no_others(seen: Page, expected: dict[str, str] | None) -> None:
    """A channel's or account's page gives the options that read it."""
    found = PeertubeSource.recognise(seen)
    assert found == expected
    if found:
        PeertubeSource.Options(**found)


@pytest.mark.parametrize(("source", "html", "text"), [
    ("Bonjour\r\nà tous\r\n\r\nFin", "<p>Bonjour<br>à tous</p>\n<p>Fin</p>", "Bonjour à tous Fin"),
    ("- un\n- deux", "<ul><li>un</li><li>deux</li></ul>", "un deux"),
    ("Liste :\n* un\nfin", "<p>Liste :</p>\n<ul><li>un</li></ul>\n<p>fin</p>", "Liste : un fin"),
    ("## Titre ##", "<p><strong>Titre</strong></p>", "Titre"),
    ("voir https://a.example/x_y_z.", '<p>voir <a href="https://a.example/x_y_z">https://a.example/x_y_z</a>.</p>', "voir https://a.example/x_y_z."),
    ("[a & b](https://a.example/?x=1&y=2)", '<p><a href="https://a.example/?x=1&amp;y=2">a &amp; b</a></p>', "a & b"),
    ("[mal](javascript:alert(1))", "<p>[mal](javascript:alert(1))</p>", "[mal](javascript:alert(1))"),
    ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>", "<script>alert(1)</script>"),
    ("*un* **deux** ~~trois~~", "<p><em>un</em> <strong>deux</strong> <del>trois</del></p>", "un deux trois"),
    ("`a*b*c` 2*3*4", "<p><code>a*b*c</code> 2*3*4</p>", "a*b*c 2*3*4"),
    (r"pas \*gras\*", "<p>pas *gras*</p>", "pas *gras*"),
    ("[https://a.example](https://a.example)", '<p><a href="https://a.example">https://a.example</a></p>', "https://a.example"),
    ("", "", ""),
])  # fmt: skip
def test_markdown_becomes_safe_html(source: str, html: str, text: str) -> None:
    """Paragraphs, breaks, lists and links; nothing of the author's passes as HTML."""
    assert html_from_markdown(source) == html
    assert text_from_markdown(source) == text

"""HTML of the origins as plain text: the corpus, hostile input, spans."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.text.clean import clean
from syndicator.text.html import HTML_MAX, Span, Text, from_text, parse, to_text
from syndicator.text.urls import web_url

CASES = tomllib.loads((Path(__file__).parent / "data" / "text" / "html.toml").read_text())["case"]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['number']}-{case['what']}" for case in CASES])
def test_corpus(case: dict[str, str]) -> None:
    """Each rule of the corpus, on the shortest text that shows it."""
    assert to_text(case["html"]) == case["text"]


def test_the_quote_fallback_goes_when_the_quote_is_carried() -> None:
    """Corpus 42: p or span, whatever stands in it."""
    html = '<p class="quote-inline">RE: <a href="https://h.fr/1">https://h.fr/1</a></p><p>ok <span class="quote-inline">RE: x</span></p>'
    assert to_text(html, quote_inline=False) == "ok"


def test_spans_stand_where_they_say() -> None:
    """What is a link, a mention or a hashtag is known by its place in the text."""
    html = (
        '<p>👋 <span class="h-card"><a href="https://h.fr/@u" class="u-url mention">@<span>u</span></a></span>'
        ' <a href="https://ex.org/a_(b)">ici</a> <a href="https://h.fr/tags/x" class="mention hashtag" rel="tag">#<span>été</span></a></p>'
    )
    assert parse(html) == Text(
        text="👋 @u ici (https://ex.org/a_%28b%29) #été",
        spans=(
            Span(start=2, end=4, kind="mention", value="https://h.fr/@u"),
            Span(start=10, end=34, kind="link", value="https://ex.org/a_(b)"),
            Span(start=36, end=40, kind="hashtag", value="été"),
        ),
    )


HOSTILE = {
    "div": "<div>" * 40_000 + "x",
    "list": "<ul><li>" * 25_000 + "x",
    "quote": "<blockquote>" * 17_000 + "x",
    "bold": "<b>a" * 50_000,
    "link": "<a href=https://x.fr>" * 9_000 + "x",
    "table": "<table><tr><td>" * 13_000 + "x",
    "lt": "<" * 200_000,
    "amp": "&" * 200_000,
    "attributes": "<a " + "x=1 " * 50_000 + ">x",
    "script": "<script>" + "x" * 200_000,
    "comment": "<!--" * 50_000,
    "zalgo": "e" + "\u0316\u0301" * 100_000,
    "newlines": "<pre>" + "\n" * 200_000 + "x",
    "bidi": "\u2066" * 200_000,
    "surrogates": "a\ud800" * 50_000,
    "nul": "a\0" * 50_000,
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_input_is_only_text(html: str) -> None:
    """Corpus 60: whatever comes in, an encodable text of bounded size comes out."""
    text = to_text(html)
    text.encode()
    assert len(text) <= 3 * HTML_MAX
    assert "\0" not in text
    assert clean(text) == text


def test_the_words_survive_ten_thousand_elements_around_them() -> None:
    """Corpus 60: deep nesting costs the layout, never the text."""
    assert to_text("<div>" * 10_000 + "bonjour") == "bonjour"
    assert to_text("<blockquote>" * 5_000 + "bonjour") == "> > > bonjour"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_plain_text_survives_the_way_there_and_back(text: str) -> None:
    """A body given as plain text reads as it was written, blanks apart."""
    assert to_text(from_text(text)).split() == clean(text).split()


@settings(deadline=None)
@given(st.text(alphabet="<>/abp &;=\"'#\n-!", max_size=120))
def test_any_markup_gives_clean_text(html: str) -> None:
    """No tag soup raises, leaves blanks at the ends of lines that had words, or more than one empty line in a row."""
    text = to_text(html)
    assert "\n\n\n" not in text
    assert clean(text) == text


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("https://ex.org/a", "https://ex.org/a"),
        (" HTTP://Ex.org ", "http://Ex.org"),
        ("//ex.org/a", None),
        ("/a", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("https://ex.org/a b", None),
        ("", None),
    ],
)
def test_only_whole_web_addresses_are_links(href: str, url: str | None) -> None:
    """Corpus 29: anything else keeps its words only."""
    assert web_url(href) == url

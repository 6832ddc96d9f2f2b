"""Markup: a reader sees exactly the text; and what it costs where it counts."""

from __future__ import annotations

import html
from dataclasses import replace

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.contract import Limits
from syndicator.model import Span
from syndicator.text.clean import clean
from syndicator.text.linked import Linked
from syndicator.text.links import hashtags
from syndicator.text.markup import to_markup
from syndicator.text.measure import holds, pieces, size
from syndicator.text.shorten import shortened
from tests.text_networks import DISCORD, LINKEDIN, TELEGRAM_HTML

TEXT = Linked("Voir le *programme* (1) #été_2\n# fin", (Span(start=5, end=19, url='https://ex.org/a_(b)?c=1&d="'),))


@pytest.mark.parametrize(
    ("markup", "made"),
    [
        ("plain", "Voir le *programme* (1) #été_2\n# fin"),
        ("html", 'Voir <a href="https://ex.org/a_(b)?c=1&amp;d=&quot;">le *programme*</a> (1) #été_2\n# fin'),
        ("markdown", "Voir [le \\*programme\\*](https://ex.org/a_%28b%29?c=1&d=%22) (1) #été\\_2\n\\# fin"),
        ("little", "Voir le \\*programme\\* \\(1\\) {hashtag|\\#|été\\_2}\n\\# fin"),
    ],
)
def test_each_markup(markup: str, made: str) -> None:
    """Corpus 5, 48: what the network reads."""
    assert to_markup(TEXT, markup) == made  # type: ignore[arg-type]


def test_addresses_stay_live() -> None:
    """In Markdown as they are; in little text by its grammar, which escapes everything and knows no addresses."""
    assert to_markup("https://ex.org/a_b_c *x*", "markdown") == "https://ex.org/a_b_c \\*x\\*"
    assert to_markup("https://ex.org/a_b~c#d", "little") == "https://ex.org/a\\_b\\~c\\#d"


SIGNS = st.text(alphabet='ab \\|{}@[]()<>#*_~é1\n-&"', max_size=60)
WORDS = st.sampled_from(["#tag", "#é_é", "https://ex.org/a_(b)#c", "@u", "\\", "mot", " ", "\n", "(", "# ", "👨‍👩‍👧‍👦"])
TEXTS = st.lists(WORDS | SIGNS, max_size=20).map("".join).map(clean)


@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_little_text_reads_as_it_was_written(text: str) -> None:
    """By the published grammar: no reserved sign is left bare, and taking the escapes away gives the text back."""
    made = to_markup(text, "little")
    templates = regex.compile(r"\{hashtag\|\\#\|((?:[^\\|{}]|\\.)+)\}")
    assert len(templates.findall(made)) == len(hashtags(text))
    flat = templates.sub(lambda match: "\\#" + match[1], made)
    assert regex.search(r"(?<!\\)(?:\\\\)*[|{}@\[\]()<>#*_~]", flat) is None or _bare(flat) == ""
    assert regex.sub(r"\\(.)", r"\1", flat) == text.replace("＃", "#")


def _bare(text: str) -> str:
    """The reserved signs that no backslash escapes."""
    left, at = "", 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        left += text[at] if text[at] in "|{}@[]()<>#*_~" else ""
        at += 1
    return left


@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_html_reads_as_it_was_written(text: str) -> None:
    """No sign of the text is a tag."""
    assert html.unescape(to_markup(text, "html")) == html.unescape(html.escape(text, quote=False))


@settings(max_examples=100, deadline=None)
@given(text=TEXTS, limit=st.integers(1, 80), base=st.sampled_from([LINKEDIN, DISCORD, replace(TELEGRAM_HTML, markup_counts=True)]))
def test_the_limit_holds_for_what_is_sent(text: str, limit: int, base: Limits) -> None:
    """With every escape; and the costs of the pieces are those of the whole, line starts of Markdown apart."""
    limits = replace(base, text_max=limit)
    assert len(to_markup(shortened(Linked(text), limits), limits.markup).encode("utf-16-le")) // 2 <= 2 * limit
    assert holds(shortened(Linked(text), limits), limits)
    if limits.markup != "markdown":
        assert sum(piece.cost for piece in pieces(Linked(text), limits)) == size(Linked(text), limits)


def test_links_take_room_where_the_markup_counts() -> None:
    """The brackets and the address too."""
    assert size(TEXT, DISCORD) == len(to_markup(TEXT, "markdown"))
    assert size(TEXT, replace(DISCORD, markup_counts=False)) == len(TEXT.text)
    assert sum(piece.cost for piece in pieces(TEXT, replace(DISCORD, markup="html"))) == len(to_markup(TEXT, "html"))

"""The text of a page: Markdown in which what was text stays text."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.website import clean
from connectors.website.static.markdown import DEPTH_MAX, escaped, markdown
from tests.static_scene import SYNTAX

HARD = "  \n"


@pytest.mark.parametrize(("source", "expected"), [
    ("<p>Un</p><p>Deux</p>", "Un\n\nDeux\n"),
    ("<p>Un<br>deux<br><br>trois</p>", f"Un{HARD}deux{HARD}trois\n"),
    ("<p>Venez <strong>tous</strong> et <em>toutes</em>, <del>non</del></p>", "Venez **tous** et *toutes*, ~~non~~\n"),
    ("<p>a<b> mot </b>b</p>", "a **mot** b\n"),
    ("<p><b>«\u00a0Bal\u00a0»</b></p>", "«\u00a0Bal\u00a0»\n"),
    ("<p><b>a</b><b>b</b> <b><i>c</i></b></p>", "**a**b **c**\n"),
    ("<p><b>a<br>b</b></p>", f"a{HARD}b\n"),
    ("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul><p>e</p>", "- a\n- b\n  1. c\n  2. d\n\ne\n"),
    ("<ol><li><p>a</p><p>b</p></li><li>c</li></ol>", "1. a\n\n   b\n2. c\n"),
    ("<blockquote><p>a</p><p>b</p></blockquote><p>c</p>", "> a\n>\n> b\n\nc\n"),
    ("<ul><li>a<blockquote><p>b</p><p>c</p></blockquote></li></ul>", "- a\n\n  > b\n  >\n  > c\n"),
    ("<h2>Programme<br>du jour</h2><p>x</p><h3>Le soir</h3>", "## Programme du jour\n\nx\n\n### Le soir\n"),
    ("<pre>un\n  deux</pre>", f"un{HARD}deux\n"),
    ("<p>le <code>mode *a*</code></p>", "le mode &#42;a&#42;\n"),
    ('<p><a href="https://x.example/a_(b)?c=d&amp;copy=1|z&quot;">voir *là*</a></p>',
     "[voir &#42;là&#42;](https://x.example/a_%28b%29?c=d&amp;copy=1%7Cz%22)\n"),
    ('<p><a href="https://x.example/{{7*7}}?é">a<b>b</b></a></p>', "[ab](https://x.example/%7B%7B7%2A7%7D%7D?é)\n"),
    ('<p><a href="https://x.example/"></a><a href="https://x.example/">\n</a>b</p>', "b\n"),
    ('<a href="https://x.example/"><p>a</p></a>', "a\n"),
    ("", ""), ("<p> </p>", ""),
])  # fmt: skip
def test_what_it_becomes(source: str, expected: str) -> None:
    """Paragraphs, breaks, emphasis, lists, quotes, headings and links, as every reader of Markdown takes them."""
    assert markdown(clean.body(source, "https://mobilizon.example/")) == expected


@pytest.mark.parametrize("line", [
    "1. un", "12) un", "- un", "+ un", "= un", "===", "---", "--", ": un", "# un", "> un", "* un", "    code", "\tcode", "```", "~~~",
    "| a | b |",
    "[a]: https://x.example", "[^1]: note", "*[abbr]: x", "{: .class}", "{::nomarkdown}", "$$x$$", "^", "![a](b)", "<https://x.example>",
    "&copy;",
    "---\ntitle: x\n---", "Setext\n======", "{% raw %}", "{{< x >}}", "{{% x %}}", "<%= x %>", "{# x #}", "\\*", "a\\\nb", SYNTAX,
])  # fmt: skip
def test_text_that_looks_like_markup(line: str) -> None:
    """Nothing in it can begin anything, at the start of a line or within; and read as HTML reads it, it is the same text."""
    written = markdown(clean.body(f"<p>{html.escape(line)}</p>", "https://mobilizon.example/"))

    assert not re.search(r"[\\`*_{}\[\]<>|~^$%@]|^[-+=:#]|^\d+[.)]|&(?!#\d+;)", written, re.MULTILINE)
    assert " ".join(html.unescape(written).split()) == " ".join(line.split())


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab 1.-+=:#>*_`~|[](){}<>&%$@!\\\"'/\n\t"), max_size=60))
def test_any_text_comes_back(text: str) -> None:
    """Whatever stands between two tags."""
    written = markdown(f"<p>{html.escape(text)}</p>")

    assert " ".join(html.unescape(written).split()) == " ".join(text.split())
    assert not re.search(r"[\\`*_{}\[\]<>|~^$%@]", written)


def test_bare_addresses_stay_text() -> None:
    """A link is only what the author made one."""
    assert escaped("http://a.example www.b.example moi@c.example 20h:30 a.b") == (
        "http&#58;//a.example www&#46;b.example moi&#64;c.example 20h:30 a.b"
    )


def test_depth_is_bounded() -> None:
    """Ten thousand lists in each other are told, without a page as wide as that."""
    written = markdown(clean.body("<ul><li>a" * 5_000 + "</li></ul>" * 5_000, "https://mobilizon.example/"))

    assert max(len(line) for line in written.splitlines()) <= 2 * DEPTH_MAX + 3

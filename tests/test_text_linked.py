"""Words that are links: they move with the text, and never point at other words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.contract import Limits
from syndicator.model import Span
from syndicator.text.clean import clean
from syndicator.text.html import parse
from syndicator.text.linked import Linked, joined
from syndicator.text.mentions import neutralise
from syndicator.text.shorten import shortened
from syndicator.text.split import split
from syndicator.text.tags import at_most, closing_tags, without_controls
from tests.text_networks import NETWORKS


def linked(text: str, *words: str) -> Linked:
    """``text`` in which each of ``words``, in order, is a link to itself."""
    spans, at = [], 0
    for word in words:
        start = text.index(word, at)
        at = start + len(word)
        spans.append(Span(start=start, end=at, url=f"https://ex.org/{word.replace(' ', '-')}"))
    return Linked(text, tuple(spans))


def shown(text: Linked) -> list[tuple[str, str]]:
    """What a reader sees of each link."""
    return [(text.text[span.start : span.end], span.url.removeprefix("https://ex.org/")) for span in text.spans]


@pytest.mark.parametrize(
    ("edits", "text", "links"),
    [
        ([(0, 3, "")], "le programme", [("le programme", "le-programme")]),
        ([(0, 3, "Voilà ")], "Voilà le programme", [("le programme", "le-programme")]),
        ([(3, 6, "")], "Ah programme", [("programme", "le-programme")]),
        ([(0, 6, "")], "programme", [("programme", "le-programme")]),
        ([(6, 15, "menu")], "Ah le menu", [("le menu", "le-programme")]),
        ([(3, 15, "ça")], "Ah ça", [("ça", "le-programme")]),
        ([(2, 15, "")], "Ah", []),
        ([(6, 15, "")], "Ah le ", [("le", "le-programme")]),
    ],
)
def test_edits_move_and_shrink_links(edits: list[tuple[int, int, str]], text: str, links: list[tuple[str, str]]) -> None:
    """Before, in and over the words."""
    made = linked("Ah le programme", "le programme").replaced(edits)
    assert (made.text, shown(made)) == (text, links)


def test_the_same_words_twice() -> None:
    """Each keeps its own link, wherever it goes."""
    text = Linked("ici, ici et ici", (Span(start=0, end=3, url="https://a.fr"), Span(start=5, end=8, url="https://b.fr")))
    moved = joined(["Titre", text.without(re.compile("^ici, "))])
    assert moved == Linked("Titre\n\nici et ici", (Span(start=7, end=10, url="https://b.fr"),))


def test_composing_does_not_shift_links() -> None:
    """Corpus 31, 54: decomposed letters before, in and at the end of the words."""
    text = linked("e\u0301te\u0301 : le de\u0301ba\u0302t\u0301 ici", "le de\u0301ba\u0302t")
    made = text.cleaned()
    assert made.text == clean(text.text)
    assert [words for words, _ in shown(made)] == [clean("le débât\u0301")]


LETTERS = "ĂĄĆĈĊČ"
"""One for each link: what a link shows is made of its letter and of nothing else."""
AROUND = st.sampled_from([
    " ", " ", "\n", "\n\n", "mot", "#tag", "#noX", "@u", "e\u0301", "\u0301", "é", "👨‍👩‍👧‍👦", "https://ex.org/a", "exemple.fr", "(", ")",
    "« ", " »", "\u2067", "\u2069", "\u200b", "\r\n", ".", ":", "漢字",
])  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> Linked:
    """Text in which each link shows its own letter only."""
    made = Linked()
    for letter in draw(st.lists(st.sampled_from(LETTERS), max_size=6, unique=True)):
        made = made + Linked("".join(draw(st.lists(AROUND, max_size=6))))
        words = draw(st.sampled_from([letter, letter * 3, f"{letter} {letter * 4}", letter * 70, f"{letter}\u0301 {letter}"]))
        made = made + Linked(words, (Span(start=0, end=len(words), url=f"https://{letter}.example/"),))
    return made + Linked("".join(draw(st.lists(AROUND, max_size=6))))


def on_their_words(text: Linked) -> bool:
    """Whether each letter of a link is in its link, and nothing else is."""
    inside: dict[int, str] = {}
    for span in text.spans:
        inside |= {at: span.url[8] for at in range(span.start, span.end) if not text.text[at].isspace()}
    marks = {at for at in inside if text.text[at] == "\u0301"}
    blank = {at for span in text.spans for at in (span.start, span.end - 1) if text.text[at].isspace()}
    letters = {at: letter for at, letter in enumerate(text.text) if letter in LETTERS or letter in _COMPOSED}
    return not blank and {at: _COMPOSED.get(letter, letter) for at, letter in letters.items()} == {
        at: letter for at, letter in inside.items() if at not in marks
    }


_COMPOSED = {clean(letter + "\u0301"): letter for letter in LETTERS if len(clean(letter + "\u0301")) == 1}

TRANSFORMS: dict[str, Callable[[Linked], Linked]] = {
    "as it is": lambda text: text,
    "cleaned": Linked.cleaned,
    "stripped": Linked.stripped,
    "without control tags": lambda text: without_controls(text, ["x"]),
    "without closing tags": lambda text: closing_tags(text)[0],
    "with one hashtag": lambda text: at_most(text, 1),
    "without words": lambda text: text.without(regex.compile("mot|é")),
    "after a title": lambda text: joined(["Titre", text, Linked("fin")]),
}


@settings(max_examples=60, deadline=None)
@given(text=texts())
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS.keys())
def test_links_stay_on_their_words(transform: Callable[[Linked], Linked], text: Linked) -> None:
    """Whatever is done to the text."""
    text = text.cleaned()
    assert on_their_words(transform(text))
    assert text.text == clean(text.text)


@settings(max_examples=80, deadline=None)
@given(text=texts())
def test_cleaning_a_linked_text_is_cleaning_its_text(text: Linked) -> None:
    """The same characters, once and again."""
    done = text.cleaned()
    assert done.text == clean(text.text) == clean(done.text)
    assert done.cleaned() == done


@settings(max_examples=100, deadline=None)
@given(text=texts(), name=st.sampled_from(list(NETWORKS)), limit=st.integers(20, 90))
def test_links_stay_on_their_words_when_cut(text: Linked, name: str, limit: int) -> None:
    """Shortened and split, in every unit, counted with and without markup."""
    network = NETWORKS[name]
    limits = Limits(
        text_max=limit,
        text_unit=network.text_unit,
        url_length=network.url_length,
        markup=network.markup,
        markup_counts=network.markup_counts,
        spans=network.spans,
    )
    once = shortened(text, limits)
    assert on_their_words(once)
    assert shortened(once, limits) == once
    assert all(on_their_words(part) for part in split(text, limits) or ())


def test_words_of_a_link_and_its_address() -> None:
    """Where the address is not spelt out, the words are all there is; an address that is spelt out is no span."""
    html = '<p>👋 <a href="https://ex.org/a_(b)">ici</a>, <a href="https://ex.org/c">ex.org/c</a>, <a href="https://ex.org/d">là.fr</a></p>'
    text = neutralise(parse(html, spell_links=False), ())
    assert text.text == "👋 ici, https://ex.org/c, là.fr (https://ex.org/d)"
    assert text.spans == (Span(start=2, end=5, url="https://ex.org/a_(b)"),)
    assert neutralise(parse(html), ()).spans == ()

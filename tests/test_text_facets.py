"""Facets: byte ranges that always stand on their words."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.model import Span
from syndicator.text.clean import clean
from syndicator.text.facets import Facet, facets
from syndicator.text.shorten import shorten
from tests.text_networks import BLUESKY


def test_bytes_not_characters() -> None:
    """Corpus 54: right after accents and emoji."""
    text = "été 👨‍👩‍👧‍👦 https://ex.org/a #Tag"
    assert facets(text) == (
        Facet(start=32, end=48, kind="link", value="https://ex.org/a"),
        Facet(start=49, end=53, kind="tag", value="Tag"),
    )


def test_what_is_no_address_gets_no_facet() -> None:
    """Corpus 26, 54: neither file names nor broken addresses, and no tag inside an address."""
    assert facets("README.md M.Dupont http://[x https://ex.org:99999/ #é" + "e" * 64) == ()
    assert [facet.value for facet in facets("https://ex.org/#a")] == ["https://ex.org/#a"]


def test_words_that_are_links() -> None:
    """Each « ici » its own, in bytes, beside what is found in the text."""
    text = "é ici et ici https://ex.org/a"
    spans = (Span(start=9, end=12, url="https://b.fr/"), Span(start=2, end=5, url="https://a.fr/"))
    assert facets(text, spans) == (
        Facet(start=3, end=6, kind="link", value="https://a.fr/"),
        Facet(start=10, end=13, kind="link", value="https://b.fr/"),
        Facet(start=14, end=30, kind="link", value="https://ex.org/a"),
    )


@pytest.mark.parametrize(
    ("spans", "values"),
    [
        ([(4, 20, "https://a.fr/")], ["https://a.fr/", "été"]),
        ([(0, 8, "https://a.fr/"), (5, 21, "https://b.fr/")], ["https://a.fr/", "été"]),
        ([(0, 3, "mailto:a@b.fr"), (0, 3, "https://[")], ["https://ex.org/a", "été"]),
        ([(20, 40, "https://a.fr/"), (3, 3, "https://a.fr/"), (-1, 2, "https://a.fr/")], ["https://ex.org/a", "été"]),
        ([(18, 26, "https://a.fr/")], ["https://a.fr/"]),
    ],
)
def test_of_two_that_overlap_one_wins(spans: list[tuple[int, int, str]], values: list[str]) -> None:
    """Corpus 54: words over what is found in the text, the first words over others; what cannot be goes."""
    given_spans = [Span(start=start, end=end, url=url) for start, end, url in spans]
    found = facets("ah https://ex.org/a #été ça", given_spans)
    assert [facet.value for facet in found] == values
    assert all(one.end <= other.start for one, other in pairwise(found))


WORDS = st.sampled_from(["https://ex.org/a", "#tag", "#été", "é", "👨‍👩‍👧‍👦", " ", "mot", "漢", "\n", "(", ")", "@u"])


@settings(deadline=None)
@given(st.lists(WORDS, max_size=120).map("".join))
def test_facets_are_on_their_words_also_after_cutting(text: str) -> None:
    """The bytes of a facet are the link or the hashtag itself."""
    for said in (clean(text), shorten(text, BLUESKY)):
        raw = said.encode()
        end = 0
        for facet in facets(said):
            assert facet.start >= end
            end = facet.end
            assert raw[facet.start : facet.end].decode().lstrip("#") == facet.value

"""Facets: byte ranges that always stand on their words."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

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

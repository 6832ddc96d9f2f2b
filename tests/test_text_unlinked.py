"""Texts without addresses: nothing that a network would link, and still a text that reads well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.text.clean import clean
from syndicator.text.linked import Linked
from syndicator.text.links import addresses
from syndicator.text.unlinked import without_addresses

_DATA: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "twitter-text" / "extract.json").read_text())
CASES = [case for section in ("urls", "urls_with_indices", "urls_with_directional_markers") for case in _DATA.get(section, ())]


def said(text: str, *, bare: bool = True, language: str = "fr") -> str:
    return without_addresses(Linked(text), bare=bare, language=language).text


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_conformance_nothing_is_left_to_link(case: dict[str, Any]) -> None:
    """The official data of twitter-text: whatever X would find is gone."""
    assert addresses(clean(case["text"])) or not case["expected"]
    assert addresses(said(clean(case["text"]))) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Inscriptions : https://ex.org/a", "Inscriptions"),
        ("Inscriptions\u00a0: https://ex.org/a.", "Inscriptions."),
        ("Inscriptions :\nhttps://ex.org/a\n\nÀ demain", "Inscriptions\n\nÀ demain"),
        ("Tout est là 👉 https://ex.org/a", "Tout est là"),
        ("Tout est là 👇🏽\n\nhttps://ex.org/a", "Tout est là"),
        ("Bonjour\n\nhttps://ex.org/a\n\nÀ demain", "Bonjour\n\nÀ demain"),
        ("Le bilan (https://ex.org/a) est là", "Le bilan est là"),
        ("Inscription : https://www.ex.org/a avant lundi", "Inscription : ex point org avant lundi"),
        ("À lire sur https://www.ex.org/a/b?c=d", "À lire sur ex point org"),
        ("Sur exemple.fr, et exemple.fr/agenda !", "Sur exemple point fr, et exemple point fr/agenda !"),
        ("www.asso.coop", "asso point coop"),
        ("EXEMPLE.FR", "EXEMPLE point FR"),
        ("exemple.fr/a?b=c.d", "exemple point fr"),
        ("C’est fini.Il part avec M.Dupont", "C’est fini. Il part avec M. Dupont"),
        ("README.md", "README point md"),
        ("écrire à a.b@exemple.fr", "écrire à a.b@exemple.fr"),
        ("https://ex.org/a", ""),
        ("3.14 et v1.2.3", "3.14 et v1.2.3"),
    ],
)
def test_what_a_careful_person_would_leave(text: str, left: str) -> None:
    """Corpus 26: no dangling colon, no empty brackets, no hole."""
    assert said(text) == left


def test_in_english_and_where_bare_domains_are_no_links() -> None:
    """Our own words are in the reader's language; a domain stays where nobody links it."""
    assert said("See https://ex.org/a today, or exemple.fr", language="en") == "See ex dot org today, or exemple dot fr"
    assert said("Voir https://ex.org/a ce soir, ou exemple.fr", bare=False) == "Voir ex.org ce soir, ou exemple.fr"


WORDS = st.sampled_from([
    "https://ex.org/a?b=c", "https://éco.fr", "http://localhost:80/x", "exemple.fr", "a.b.co/x", "fin.Le", "M.Dupont", "mot", " ", "\n",
    ":", "(", ")", "👉", "@", "#tag", ".", "/", "中", "a.com中", "t.co", "http://",
])  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(text=st.lists(WORDS | st.text(max_size=3), max_size=40).map("".join).map(clean), bare=st.booleans())
def test_no_address_is_left_and_nothing_else_is_touched(text: str, bare: bool) -> None:
    """Whatever the text; one without an address stays as it is, and doing it twice is doing it once."""
    left = said(text, bare=bare)
    assert addresses(left, bare=bare) == []
    assert said(left, bare=bare) == left
    if not addresses(text, bare=bare):
        assert left == text

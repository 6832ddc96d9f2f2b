"""Shortening: at a word, never in an address, hashtag, mention or grapheme, never making one up."""

from __future__ import annotations

import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.contract import Limits
from syndicator.text.breaks import breaks
from syndicator.text.clean import clean
from syndicator.text.count import atoms, fits, graphemes
from syndicator.text.linked import Linked
from syndicator.text.links import entities
from syndicator.text.shorten import ELLIPSIS, shorten, shortened
from tests.text_networks import BLUESKY, NETWORKS, X

THIRTY = Limits(text_max=30)
FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("exactement trente caractères !", "exactement trente caractères !"),
        ("Voici une phrase assez longue : elle continue", "Voici une phrase assez…"),
        ("Bonjour à toutes et à tous, venez", "Bonjour à toutes et à tous…"),
        ("Une première phrase finie. Une seconde", "Une première phrase finie…"),
        ("Regardez https://exemple.fr/une/adresse/longue", "Regardez…"),
        ("Voyez https://ex.org/adresse et la suite", "Voyez https://ex.org/adresse …"),
        ("Bonjour #EducationPopulaire et la suite", "Bonjour #EducationPopulaire …"),
        ("mot mot mot mot mot mot exemple.frites et", "mot mot mot mot mot mot…"),
        ("a" * 31, "a" * 29 + ELLIPSIS),
        ("Bonjour " + "a" * 600, "Bonjour " + "a" * 21 + ELLIPSIS),
        ("漢字" * 20, "漢字" * 14 + "漢…"),
        ("Venez tous ce soir à la salle ! On y sera", "Venez tous ce soir à la…"),
        ("Venez tous ce soir à la salle\u00a0! On y sera", "Venez tous ce soir à la…"),
        ("Il dit à tout le monde « oui » puis part", "Il dit à tout le monde…"),
        ("Le prix est maintenant de 12 000 € environ", "Le prix est maintenant de…"),
        ("Rendez-vous le matin à 12 h 30 précises", "Rendez-vous le matin à…"),
        ("Avec la participation de M. Dupont ici", "Avec la participation de…"),
        ("C’est pour ce samedi 5 décembre 2026", "C’est pour ce samedi…"),
        (f"{'mot ' * 6}{FAMILY}{FAMILY}", f"mot mot mot mot mot mot{ELLIPSIS}"),
    ],
)
def test_where_a_careful_person_would_stop(text: str, short: str) -> None:
    """Corpus 24, 30, 32, 33, 34, 35."""
    assert shorten(text, THIRTY) == short


@pytest.mark.parametrize(
    ("text", "tail", "short"),
    [
        ("Un texte", "\n\nhttps://ex.org/1", "Un texte\n\nhttps://ex.org/1"),
        ("Un texte un peu trop long", "\n\nhttps://ex.org/1", "Un texte un…\n\nhttps://ex.org/1"),
        ("Un texte", "\n\nhttps://ex.org/presque/trente", "https://ex.org/presque/trente"),
        ("", "\n\nhttps://ex.org/1", "\n\nhttps://ex.org/1"),
    ],
)
def test_the_tail_is_kept_whole(text: str, tail: str, short: str) -> None:
    """The way home survives whatever the text does."""
    assert shortened(Linked(text), THIRTY, tail=Linked(tail)).text == short


WORDS = st.sampled_from([
    "https://ex.org/a?b=c", "https://a.example/x(y)", "exemple.fr", "exemple.frites", "a.b.co", "#tag", "#é", "@u", "a@b.fr", " ", " ",
    "\n", "\n\n", "mot", "élan", FAMILY, "e\u0301", "\u200d", "🇫🇷", "1\ufe0f\u20e3", "中文", "« ", " »", "\u00a0!", ".", "…", "M. ",
    "12 000", "$ABC",
])  # fmt: skip
TEXTS = st.lists(WORDS | st.text(max_size=4), max_size=60).map("".join)
LIMITS = st.one_of(
    st.sampled_from(list(NETWORKS.values())),
    st.builds(
        Limits,
        text_max=st.integers(1, 60),
        text_unit=st.sampled_from(["characters", "graphemes", "utf16", "weighted", "threads", "bytes"]),
        bytes_max=st.none() | st.integers(1, 80),
        url_length=st.none() | st.just(23),
    ),
)


@settings(max_examples=80, deadline=None)
@given(text=TEXTS, limits=LIMITS)
def test_it_always_fits(text: str, limits: Limits) -> None:
    """Whatever the text, the unit and the limit; and a short text is left as it is."""
    short = shorten(text, limits)
    assert fits(short, limits)
    if fits(clean(text), limits):
        assert short == clean(text)


@settings(max_examples=80, deadline=None)
@given(text=TEXTS, limits=LIMITS)
def test_nothing_is_torn_and_nothing_made_up(text: str, limits: Limits) -> None:
    """What is left of the text holds its first addresses, hashtags and mentions, and whole graphemes."""
    text = clean(text)
    short = shorten(text, limits)
    if short in {text, "", ELLIPSIS}:
        return
    kept = short.removesuffix(ELLIPSIS)
    left = kept.removesuffix(" ") if not text.startswith(kept) else kept
    assert text.startswith(left)
    edges = {0, *(piece.end for piece in atoms(text, limits))}
    assert len(left) in edges
    expected = [entity for entity in entities(text) if entity.end <= len(left)]
    assert entities(short) == expected
    assert not expected or expected[-1].end < len(kept) or not kept.endswith(expected[-1].value)


@settings(max_examples=100, deadline=None)
@given(text=TEXTS, limits=LIMITS)
def test_shortening_twice_is_shortening_once(text: str, limits: Limits) -> None:
    """Idempotent."""
    once = shorten(text, limits)
    assert shorten(once, limits) == once


@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_breaks_are_between_whole_pieces(text: str) -> None:
    """Only blanks are lost where a text may be cut, and no grapheme, address, hashtag or mention is touched."""
    text = clean(text)
    edges = {0, len(text), *(piece.end for piece in atoms(text, X))}
    for place in breaks(text, atoms(text, X)):
        assert {place.end, place.start} <= edges
        assert text[place.end : place.start].strip() == ""


def test_normalised_forms_are_the_same_text() -> None:
    """Corpus 31: decomposed letters count, and come out, as composed ones."""
    assert shorten(unicodedata.normalize("NFD", "é" * 300), BLUESKY) == "é" * 300
    assert len(graphemes(shorten(unicodedata.normalize("NFD", "é" * 301), BLUESKY))) == 300


@pytest.mark.parametrize("unit", ["mot ", "a", "https://ex.org/a ", "#tag", "中", FAMILY, "exemple.fr.", "« ", "1 "])
def test_work_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Four times the text, about four times the steps."""
    steps = [_steps(unit * (size // len(unit))) for size in (2_000, 8_000)]
    assert steps[1] <= 6 * steps[0] + 500


def _steps(text: str) -> int:
    count = 0

    def profile(frame: object, event: str, arg: Any) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        shorten(text, X)
    finally:
        sys.setprofile(before)
    return count

"""Threads: balanced parts, cut where a careful person would, numbered, each within the limit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.contract import Limits
from syndicator.text.clean import clean
from syndicator.text.count import fits, length
from syndicator.text.linked import Linked
from syndicator.text.links import entities
from syndicator.text.split import PARTS_MAX
from syndicator.text.split import split as split_linked
from tests.text_networks import BLUESKY, MASTODON, THREADS, X

PARAGRAPH = (
    "Samedi 5 décembre 2026, nous vous invitons à la Maison du vélo. M. Dupont présentera l’atelier à 12 h 30 précises, et le prix "
    "est de 1 000 € ! Venez nombreux : c’est gratuit pour les enfants. "
)


def split(text: str, limits: Limits, *, opening: str = "", tail: str = "") -> list[str] | None:
    """Of plain text."""
    parts = split_linked(Linked(text), limits, opening=Linked(opening), tail=Linked(tail))
    return None if parts is None else [part.text for part in parts]


def _bodies(parts: list[str]) -> list[str]:
    return [part.removesuffix(f" ({number}/{len(parts)})") for number, part in enumerate(parts, 1)]


def test_what_fits_is_one_part_without_number() -> None:
    """Corpus 24."""
    assert split("é" * 300, BLUESKY) == ["é" * 300]
    parts = split("é " * 151, BLUESKY)
    assert parts is not None
    assert len(parts) == 2


@pytest.mark.parametrize("limits", [X, BLUESKY, MASTODON, THREADS])
@pytest.mark.parametrize("times", [2, 4, 10])
def test_parts_are_balanced_whole_and_within_the_limit(limits: Limits, times: int) -> None:
    """Corpus 36, 37: no tiny part, nothing lost, every part ends where a sentence or clause ends."""
    text = (PARAGRAPH * times).strip()
    parts = split(text, limits)
    assert parts is not None
    assert all(fits(part, limits) for part in parts)
    if len(parts) == 1:
        return
    bodies = _bodies(parts)
    assert " ".join(bodies) == text
    lengths = [length(body, limits) for body in bodies]
    assert min(lengths) > 0.4 * max(lengths)
    assert all(body[-1] in ".!," for body in bodies)
    assert not any(body[0] in ";:?!»%€" for body in bodies)


def test_ten_parts_keep_room_for_their_number() -> None:
    """Corpus 36: "(10/11)" is longer than "(1/9)"."""
    parts = split(PARAGRAPH * 14, X)
    assert parts is not None
    assert len(parts) >= 10
    assert all(fits(part, X) for part in parts)
    assert parts[-1].endswith(f"({len(parts)}/{len(parts)})")


def test_an_early_line_break_makes_no_tiny_part() -> None:
    """Corpus 37."""
    parts = split("Court titre de ce billet.\n" + "mot " * 90, BLUESKY)
    assert parts is not None
    assert min(len(part) for part in parts) > 150
    barely = split("mot " * 77 + "ab", BLUESKY)
    assert barely is not None
    assert [len(part) for part in barely] == [161, 160]


def test_paragraphs_are_the_best_places() -> None:
    """A blank line near the middle wins over any sentence."""
    text = "Une phrase. " * 14 + "\n\n" + "Une autre. " * 16
    parts = split(text, BLUESKY)
    assert parts is not None
    assert _bodies(parts) == [("Une phrase. " * 14).strip(), ("Une autre. " * 16).strip()]


def test_what_belongs_together_stays_together() -> None:
    """Corpus 35, 36: no part begins with a sign, a unit or the name after "M."."""
    text = " ".join(["Rendez-vous avec M. Dupont à 12 h 30 : c’est 1 000 € « tout compris » !"] * 8)
    parts = split(text, BLUESKY)
    assert parts is not None
    for body in _bodies(parts)[1:]:
        assert body.split()[0] in {"Rendez-vous", "avec", "à", "c’est", "«", "tout", "M."}
    for body in _bodies(parts)[:-1]:
        assert body.split()[-1] not in {"M.", "«", "12", "h", "1", "000"}


def test_the_opening_is_on_every_part_and_the_tail_on_the_last() -> None:
    """Corpus 38: a content warning is repeated, the link stands once."""
    parts = split(PARAGRAPH * 3, BLUESKY, opening="⚠ bruit\n\n", tail="\n\nhttps://ex.org/1")
    assert parts is not None
    assert all(part.startswith("⚠ bruit\n\n") for part in parts)
    assert [part.endswith("\n\nhttps://ex.org/1") for part in parts] == [False] * (len(parts) - 1) + [True]
    assert all(fits(part, BLUESKY) for part in parts)


def test_a_word_without_end_is_cut_between_graphemes() -> None:
    """Corpus 32, 33."""
    parts = split("a" * 700, BLUESKY)
    assert parts is not None
    assert "".join(_bodies(parts)) == "a" * 700
    chinese = split("漢" * 200, X)
    assert chinese is not None
    assert "".join(_bodies(chinese)) == "漢" * 200


def test_a_book_is_no_thread() -> None:
    """Beyond a dozen parts the answer is None: the caller shortens."""
    assert split("mot " * 5000, BLUESKY) is None


WORDS = st.sampled_from(
    [
        "https://ex.org/a?b=c",
        "exemple.fr",
        "exemple.frites",
        "#tag",
        "@u",
        "a@b.fr",
        "mot",
        "élan",
        "👨‍👩‍👧‍👦",
        "中文字",
        "« oui »",
        "fin.",
        "M.",
        "12 000 €",
        "!",
    ]
)
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from([" ", " ", " ", "\n", "\n\n", ""])), max_size=80).map(
    lambda pairs: "".join(word + blank for word, blank in pairs)
)


@settings(max_examples=80, deadline=None)
@given(text=TEXTS, limit=st.integers(40, 120), unit=st.sampled_from(["characters", "graphemes", "weighted", "utf16", "threads", "bytes"]))
def test_every_part_holds_what_the_text_held_there(text: str, limit: int, unit: str) -> None:
    """No address, hashtag, mention or grapheme is torn or made up; nothing but blanks is lost."""
    limits = Limits(text_max=limit, text_unit=unit)  # type: ignore[arg-type]
    text = clean(text).strip()
    parts = split(text, limits)
    if parts is None:
        return
    assert len(parts) <= PARTS_MAX
    assert all(fits(part, limits) for part in parts)
    bodies = _bodies(parts) if len(parts) > 1 else parts
    assert "".join("".join(bodies).split()) == "".join(text.split())
    assert [entity.value for body in bodies for entity in entities(body)] == [entity.value for entity in entities(text)]

"""Lengths in each network's own unit: twitter-text's conformance data, the corpus, and the sum of the pieces."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicator.contract import Limits, TextUnit
from syndicator.text.count import atoms, fits, graphemes, length
from tests.text_networks import BLUESKY, MASTODON, NETWORKS, TELEGRAM, THREADS, X

_DATA: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "twitter-text" / "validate.json").read_text())
# The first section counts as version 2 does, where two of its texts hold emoji that version 3 counts for less.
_V2_ONLY = {
    "Count a mix of single byte single word, and double word unicode characters",
    "Count unicode emoji chars outside the basic multilingual plane with skin tone modifiers",
}
WEIGHTED = [
    *_DATA["WeightedTweetsWithDiscountedEmojiCounterTest"],
    *(case for case in _DATA["WeightedTweetsCounterTest"] if case["description"] not in _V2_ONLY),
]


@pytest.mark.parametrize("case", WEIGHTED, ids=[str(number) for number in range(len(WEIGHTED))])
def test_conformance_weights(case: dict[str, Any]) -> None:
    """We count as X counts."""
    expected = case["expected"]
    assert (length(case["text"], X), fits(case["text"], X)) == (expected["weightedLength"], expected["valid"])


FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "limits", "expected"),
    [
        (FAMILY + "🇫🇷👍🏽1️⃣", X, 8),
        (FAMILY + "🇫🇷👍🏽1️⃣", BLUESKY, 4),
        (FAMILY, TELEGRAM, 11),
        (FAMILY, THREADS, 25),
        ("🇫🇷👍🏽1️⃣é漢", THREADS, 8 + 8 + 1 + 3 + 3 + 1 + 1),
        ("e\u0301", X, 1),
        ("e\u0301", MASTODON, 1),
        ("漢字", X, 4),
        ("漢字", Limits(text_unit="bytes"), 6),
        ("«…»", X, 4),
        ("https://ex.org/" + "a" * 300, X, 23),
        ("https://ex.org/" + "a" * 300, MASTODON, 23),
        ("https://ex.org/" + "a" * 300, BLUESKY, 315),
        ("exemple.fr", X, 23),
        ("exemple.fr", MASTODON, 10),
        ("https://social.example/@asso/1", X, 30),
        ("https://a.example", MASTODON, 23),
        (" ".join(f"https://ex.org/{number}/" + "x" * 120 for number in range(6)), X, 6 * 23 + 5),
    ],
)
def test_lengths(text: str, limits: Limits, expected: int) -> None:
    """Corpus 25, 26, 30, 31, 32; an address of an unknown top level counts for the more of both."""
    assert length(text, limits) == expected


@pytest.mark.parametrize(("limits", "unit"), [(X, "a"), (BLUESKY, FAMILY), (MASTODON, "é"), (TELEGRAM, "a")])
def test_the_limit_itself_fits_and_one_more_does_not(limits: Limits, unit: str) -> None:
    """Corpus 24."""
    assert limits.text_max is not None
    count = min(limits.text_max, 3000 // len(unit.encode())) if limits.bytes_max else limits.text_max
    assert fits(unit * count, limits)
    assert not fits(unit * (count + 1), limits)


def test_the_second_limit_in_bytes_holds() -> None:
    """Corpus 31: few graphemes of many marks are still too many bytes."""
    zalgo = "e" + "\u0316" * 30
    assert length(zalgo * 60, BLUESKY) == 60
    assert not fits(zalgo * 60, BLUESKY)


def test_graphemes_are_what_readers_see() -> None:
    """A family is one, a flag is one."""
    assert graphemes(f"a{FAMILY}🇫🇷é") == ["a", FAMILY, "🇫🇷", "é"]


FRAGMENTS = st.sampled_from([
    "https://ex.org/a?b=c", "https://a.example/x", "exemple.fr", "#tag", "@u", "a@b.fr", " ", "é", FAMILY, "\u0301", "\u200d", "🇫🇷",
    "a", "1", "\ufe0f\u20e3", "#", "中", "\u0600", "\n", ".", "©", "❤️",
])  # fmt: skip
TEXTS = st.lists(FRAGMENTS | st.text(max_size=3), max_size=12).map(lambda parts: unicodedata.normalize("NFC", "".join(parts)))


@settings(max_examples=100, deadline=None)
@given(text=TEXTS, unit=st.sampled_from(get_args(TextUnit)), url=st.sampled_from([None, 23]))
def test_the_pieces_make_the_whole(text: str, unit: TextUnit, url: int | None) -> None:
    """Pieces that are never cut cover the text, and their costs add up to its length."""
    limits = Limits(text_unit=unit, url_length=url)
    pieces = atoms(text, limits)
    assert "".join(text[piece.start : piece.end] for piece in pieces) == text
    assert sum(piece.cost for piece in pieces) == length(text, limits)
    assert sum(piece.size for piece in pieces) == len(text.encode())


@pytest.mark.parametrize("name", NETWORKS)
def test_the_empty_text_is_nothing(name: str) -> None:
    """Nothing takes no room."""
    assert length("", NETWORKS[name]) == 0

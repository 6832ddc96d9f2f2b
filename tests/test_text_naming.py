"""Names made from items."""

from __future__ import annotations

import pytest

from syndicator.text.naming import SLUG_MAX, handle, slug


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Fête de l'été", "fete-de-l-ete"),
        ("  Œuvre & cœur – n° 3 !", "oeuvre-coeur-n-3"),
        ("Straße", "strasse"),
        ("日本", ""),
        ("a" * 80, "a" * SLUG_MAX),
        ("mot " * 30, "-".join(["mot"] * 15)),
    ],
)
def test_words_become_an_address(words: str, expected: str) -> None:
    """Lower case, without accents, cut between words."""
    assert slug(words) == expected


def test_a_handle_is_for_ever() -> None:
    """It is part of addresses that search engines and calendars keep."""
    assert handle("https://mobilizon.example/events/1") == "ee844bb68a"

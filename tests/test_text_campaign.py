"""Links home that say where a visitor came from."""

from __future__ import annotations

import pytest

from syndicator.text.campaign import tagged


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("https://ex.org/a", "https://ex.org/a?mtm_campaign=c&mtm_source=x&mtm_medium=social"),
        ("https://ex.org/a?b=%C3%A9+d#e", "https://ex.org/a?b=%C3%A9+d&mtm_campaign=c&mtm_source=x&mtm_medium=social#e"),
        ("https://ex.org/a#e", "https://ex.org/a?mtm_campaign=c&mtm_source=x&mtm_medium=social#e"),
        ("https://ex.org/a?mtm_campaign=z", "https://ex.org/a?mtm_campaign=z"),
        ("tag:ex.org,2026:1", "tag:ex.org,2026:1"),
        ("http://[ex", "http://[ex"),
    ],
)
def test_parameters_are_added_once_and_nothing_else_changes(url: str, made: str) -> None:
    """Query and fragment stay as they were."""
    assert tagged(url, "c", "x") == made
    assert tagged(made, "c", "x") == made


def test_names_are_encoded_and_may_be_missing() -> None:
    """A campaign has a name of its own; without one there are no parameters, without a source only that is missing."""
    assert tagged("https://ex.org/", "Rentrée & co", "x") == (
        "https://ex.org/?mtm_campaign=Rentr%C3%A9e%20%26%20co&mtm_source=x&mtm_medium=social"
    )
    assert tagged("https://ex.org/", "c", "") == "https://ex.org/?mtm_campaign=c&mtm_medium=social"
    assert tagged("https://ex.org/", "", "x") == "https://ex.org/"

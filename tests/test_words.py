"""The catalogues: every language says the same things."""

from __future__ import annotations

import string

import pytest

from syndicator import words as module
from syndicator.errors import words
from syndicator.words import language_of, languages, pick, say


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def differences(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """Keys that only one has, or whose placeholders differ (the singular may leave the number out)."""
    missing = set(first) ^ set(second)
    common = set(first) & set(second)
    return sorted(missing | {key for key in common if (placeholders(first[key]) ^ placeholders(second[key])) - _optional(key)})


def _optional(key: str) -> set[str]:
    return {"count"} if key.endswith(".one") else set()


@pytest.mark.parametrize("language", sorted(languages() - {"fr"}))
def test_every_language_has_the_same_keys_and_placeholders(language: str) -> None:
    """Nothing is said in one language only, and no value is lost in translation."""
    assert differences(dict(module._catalogue("fr")), dict(module._catalogue(language))) == []


def test_a_difference_would_be_seen() -> None:
    """The comparison above can fail."""
    assert differences({"a": "{x}", "b": ""}, {"a": "{y}", "c": ""}) == ["a", "b", "c"]
    assert differences({"a.one": "un"}, {"a.one": "{count}"}) == []
    assert differences({"a.other": "un"}, {"a.other": "{count}"}) == ["a.other"]


@pytest.mark.parametrize("language", sorted(languages()))
def test_every_sentence_can_be_said(language: str) -> None:
    """Braces are balanced, and no sentence is empty."""
    for key, text in module._catalogue(language).items():
        assert text.format_map(dict.fromkeys(placeholders(text), "x")).strip(), key


def test_a_language_falls_back_to_its_base_then_to_english() -> None:
    """A reader of Canadian French gets French, one of Breton gets English."""
    assert say("fr-CA", "config.missing", key="url") == say("fr", "config.missing", key="url")
    assert say("br", "config.missing", key="url") == say("en", "config.missing", key="url")
    assert pick(words(fr="oui", en="yes", br="ya"), "br-FR") == "ya"
    assert pick(words(fr="oui", en="yes"), "br") == "yes"
    assert pick({"br": "ya"}, "fr") == "ya"


def test_an_unknown_key_is_a_bug() -> None:
    """It never shows as an empty sentence."""
    with pytest.raises(KeyError):
        say("fr", "config.no-such-sentence")


@pytest.mark.parametrize(("language", "count", "singular"), [
    ("fr", 0, True), ("fr", 1, True), ("fr", 2, False), ("en", 0, False), ("en", 1, True), ("en", 2, False),
])  # fmt: skip
def test_numbers_choose_their_plural(language: str, count: int, singular: bool) -> None:
    """French counts nothing as one, English as many."""
    expected = module._catalogue(language)["check.verdict-wrong." + ("one" if singular else "other")]
    assert say(language, "check.verdict-wrong", count=count) == expected.format(count=count)


@pytest.mark.parametrize(("environ", "expected"), [
    ({}, "fr"),
    ({"LANG": "C.UTF-8"}, "fr"),
    ({"LANG": "POSIX"}, "fr"),
    ({"LANG": "en_GB.UTF-8"}, "en"),
    ({"LANG": "de_DE.UTF-8"}, "fr"),
    ({"LANG": "fr_FR@euro", "LC_MESSAGES": "en_US"}, "en"),
    ({"LANG": "en_GB.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, "fr"),
    ({"LANG": "en_GB.UTF-8", "LC_ALL": ""}, "en"),
    ({"LANG": "en_GB.UTF-8", "SYNDICATOR_LANGUAGE": "fr"}, "fr"),
    ({"SYNDICATOR_LANGUAGE": "en"}, "en"),
])  # fmt: skip
def test_the_machines_language_is_found(environ: dict[str, str], expected: str) -> None:
    """French first: only a machine that says English gets English."""
    assert language_of(environ) == expected

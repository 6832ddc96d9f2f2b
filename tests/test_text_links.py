"""Addresses, hashtags, mentions and cashtags: twitter-text's own conformance data, and what it does not cover."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from syndicator.text.links import Entity, addresses, cashtags, entities, hashtags, mentions, urls

CONFORMANCE: dict[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent / "data" / "twitter-text" / "extract.json").read_text())

VALUES: dict[str, Callable[[str], list[Entity]]] = {
    "urls": urls,
    "tco_urls_with_params": urls,
    "hashtags": hashtags,
    "hashtags_from_astral": hashtags,
    "mentions": mentions,
    "cashtags": cashtags,
}
INDICES: dict[str, tuple[str, Callable[[str], list[Entity]]]] = {
    "urls_with_indices": ("url", urls),
    "urls_with_directional_markers": ("url", urls),
    "hashtags_with_indices": ("hashtag", hashtags),
    "mentions_with_indices": ("screen_name", mentions),
    "cashtags_with_indices": ("cashtag", cashtags),
}


def _cases(sections: list[str]) -> list[Any]:
    return [
        pytest.param(section, case, id=f"{section}-{number}") for section in sections for number, case in enumerate(CONFORMANCE[section])
    ]


@pytest.mark.parametrize(("section", "case"), _cases(list(VALUES)))
def test_conformance_values(section: str, case: dict[str, Any]) -> None:
    """We see what X sees."""
    assert [entity.value for entity in VALUES[section](case["text"])] == case["expected"]


@pytest.mark.parametrize(("section", "case"), _cases(list(INDICES)))
def test_conformance_indices(section: str, case: dict[str, Any]) -> None:
    """And where X sees it."""
    key, find = INDICES[section]
    assert [{key: entity.value, "indices": [entity.start, entity.end]} for entity in find(case["text"])] == case["expected"]


@pytest.mark.parametrize(("section", "case"), _cases(["mentions_or_lists_with_indices"]))
def test_conformance_lists(section: str, case: dict[str, Any]) -> None:
    """A list of a user is one thing with its owner."""
    text = case["text"]
    found = [
        {
            "screen_name": entity.value,
            "list_slug": text[entity.start + 1 + len(entity.value) : entity.end],
            "indices": [entity.start, entity.end],
        }
        for entity in mentions(text)
    ]
    assert found == case["expected"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("voir https://fr.wikipedia.org/wiki/Loi_(1901).", [("url", "https://fr.wikipedia.org/wiki/Loi_(1901)")]),
        ("(https://ex.org/a)", [("url", "https://ex.org/a")]),
        ("« https://ex.org/a » https://ex.org/b, suite", [("url", "https://ex.org/a"), ("url", "https://ex.org/b")]),
        ("3.14159265 fin.Le M.Durand v1.2.3", []),
        ("M.Dupont", [("domain", "M.Dupont")]),  # a brand has the top level
        ("exemple.fr README.md asso.coop", [("domain", "exemple.fr"), ("domain", "README.md"), ("domain", "asso.coop")]),
        ("https://social.example/@u@other/123", [("address", "https://social.example/@u@other/123")]),
        ("http://localhost:8000/a. http://nuage/x", [("address", "http://localhost:8000/a"), ("address", "http://nuage/x")]),
        ("https://éco.fr https://xn--co-9ia.fr/", [("url", "https://éco.fr"), ("url", "https://xn--co-9ia.fr/")]),
        ("écrire à a.b+c@exemple.fr !", [("email", "a.b+c@exemple.fr")]),
        (".#tag! (#tag) #tag’s", [("hashtag", "tag")] * 3),
        ("#123 # ## #️⃣ #", []),
        ("#Éducation #éco-lieu #日本", [("hashtag", "Éducation"), ("hashtag", "éco"), ("hashtag", "日本")]),
        ("5 $ ou $ABC", [("cashtag", "ABC")]),
        ("@-, @. 5@8h @_@", []),
        ("＠user", [("mention", "user")]),
    ],
)
def test_what_is_never_cut(text: str, found: list[tuple[str, str]]) -> None:
    """Corpus 16, 19, 20, 26, 27, 28, 50: the whole of each, and nothing else."""
    assert [(entity.kind, entity.value) for entity in entities(text)] == found


def test_entities_never_overlap_and_are_what_the_text_holds() -> None:
    """An address wins over the @ and # in it."""
    text = "https://ex.org/@a#b @c #d e@f.fr https://x.example/#y"
    found = entities(text)
    assert [(entity.kind, text[entity.start : entity.end]) for entity in found] == [
        ("url", "https://ex.org/@a#b"),
        ("mention", "@c"),
        ("hashtag", "#d"),
        ("email", "e@f.fr"),
        ("address", "https://x.example/#y"),
    ]
    assert addresses(text, bare=False) == [found[0], found[-1]]


HOSTILE = ["a.", "中.", "a.co/(", "http://", "a.com中", "#1", "#", "@a ", "@", "xn--.", "a.co/((((", "a@b.", "a.@", "http://a.co/..",
           "a.co/?!", "-.-", "a_.", "$a", "#a#", ".", "a", "a+", "http://a.co/http://a.co", "http://localhost/...."]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_work_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Four times the text, about four times the steps: no text makes us slow."""
    steps = [_steps(entities, (unit * size)[:size]) for size in (2_000, 8_000)]
    assert steps[1] <= 6 * steps[0] + 200


def _steps(function: Callable[[str], object], text: str) -> int:
    """How many lines of Python and calls into C the function takes."""
    count = 0

    def trace(frame: object, event: str, arg: object) -> Any:
        nonlocal count
        count += 1
        return trace

    def profile(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += 1

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        function(text)
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return count


def test_addresses_never_overlap() -> None:
    """Two addresses glued together share no letter: whoever rewrites them writes each letter once."""
    text = "https://ex.org/a?https://éco.fr et https://b.fr"
    found = addresses(text)

    assert all(before.end <= after.start for before, after in pairwise(found))
    assert found[-1].value == "https://b.fr"

"""``docs/texts.md``: every option and variable is there, and every example is what the tests see."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from syndicator.route import Style
from syndicator.text.template import FILTERS, Values, template_problem

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "docs" / "texts.md", ROOT / "docs" / "en" / "texts.md"]
CASES = tomllib.loads((ROOT / "tests" / "data" / "text" / "render.toml").read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize("page", PAGES, ids=["fr", "en"])
def test_every_option_variable_and_filter_is_told(page: Path) -> None:
    """By its name."""
    text = page.read_text(encoding="utf-8")
    names = [*(each.name for each in fields(Style)), *(each.name for each in fields(Values)), *FILTERS]
    assert [name for name in names if f"`{name}`" not in text and not re.search(rf"^### .*\b{name}\b", text, re.MULTILINE)] == []


def test_every_option_has_its_section_with_its_default() -> None:
    """In French, where the manual is whole."""
    headings = re.findall(r"^### (.+)$", PAGES[0].read_text(encoding="utf-8"), re.MULTILINE)
    told = dict(pair for heading in headings for pair in re.findall(r"(\w+) \((`\"[\w-]+\"`|vide|\d+)\)", heading))
    assert told == {each.name: _said(each.default) for each in fields(Style)}


def test_every_example_is_what_comes_out() -> None:
    """Each framed text is one that the corpus expects, no-break spaces apart."""
    expected = {_plain(text) for case in CASES for text in case["texts"]}
    shown = re.findall(r"^```text\n(.*?)\n```$", PAGES[0].read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(shown) > 15
    assert [text for text in shown if _plain(text) not in expected] == []


def test_the_template_of_the_manual_is_sound() -> None:
    """And it is the one whose result is shown below it."""
    (shown,) = re.findall(r'template = """\n(.*?)"""', PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    assert template_problem(shown) is None
    assert _plain(shown).strip() in {_plain(case["style"]["template"]) for case in CASES if case.get("style", {}).get("template")}


def _said(default: object) -> str:
    if default == "":
        return "vide"
    return f'`"{default}"`' if isinstance(default, str) else str(default)


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")

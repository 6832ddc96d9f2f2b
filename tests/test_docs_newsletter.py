"""The newsletter's manual: the same in both languages, and true to the code."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from jinja2 import Environment, meta

from syndicator.cli.newsletter import ACTIONS
from syndicator.config.newsletters import KINDS, NewsletterKeys, SectionKeys
from syndicator.letter.newsletter import EVENTS_WITHIN
from syndicator.letter.review import KEY_FILE, VALID
from syndicator.letter.schedule import ANCHOR, parse
from syndicator.letter.shape import WORDS, shape
from syndicator.newsletters import LATE
from tests.test_letter_shape import HOME, ISSUE

ROOT = Path(__file__).parent.parent
PAGES = {language: (ROOT / path).read_text() for language, path in (("fr", "docs/newsletter.md"), ("en", "docs/en/newsletter.md"))}
TEMPLATE = (ROOT / "syndicator/letter/templates/letter.mjml.j2").read_text()
KEYS = {"fr": ("clé", "par défaut"), "en": ("key", "by default")}
each = pytest.mark.parametrize("language", PAGES)


def tables(language: str) -> list[list[list[str]]]:
    """Every table of a page: its rows, without the line below the head."""
    found = re.findall(r"(?:^\|.*\n)+", PAGES[language], re.MULTILINE)
    return [[re.split(r" (?<!\\)\| ", row.strip("| \n")) for row in table.splitlines() if not row.startswith("|--")] for table in found]


def named(cell: str) -> list[str]:
    """What a cell names in code."""
    return re.findall(r"`([^`]+)`", cell)


@each
def test_every_key_with_its_default(language: str) -> None:
    """Of a newsletter and of a section."""
    newsletter, section = [table[1:] for table in tables(language) if tuple(table[0][:2]) == KEYS[language]]

    assert {name for row in newsletter for name in named(row[0])} == {field.name for field in fields(NewsletterKeys)}
    assert [name for row in section for name in named(row[0])] == [field.name for field in fields(SectionKeys)]
    told = {name: value for row in (*newsletter, *section) for name, value in zip(named(row[0]), named(row[1]), strict=False)}
    usual = NewsletterKeys(when="", destinations=())
    assert told["starts"] == f'"{ANCHOR.isoformat()}"'
    assert (told["at_least"], told["most"]) == (str(usual.at_least), str(SectionKeys().most))
    assert (told["within"], told["kinds"]) == (f'"{EVENTS_WITHIN.days}d"', '["event"]')
    (row,) = (row for row in newsletter if "review" in named(row[0]))
    assert named(row[1]) == [f'"{usual.review_before.days * 24}h"', f'"{usual.unanswered}"']
    (row,) = (row for row in section if "kinds" in named(row[0]))
    assert set(named(row[2])) == set(KINDS) - {"digest"}  # an issue tells of no issue


@each
def test_every_rhythm_is_understood(language: str) -> None:
    """Those in quotation marks, and those in configurations."""
    heading = {"fr": "## Le rythme", "en": "## The rhythm"}[language]
    said = " ".join(PAGES[language].partition(heading)[2].partition("\n## ")[0].split()).partition(" - ")[0]
    rhythms = re.findall(r'« ([^»]+) »|"([^"]+)"', said)
    whens = re.findall(r'^ *when = "([^"]+)"', PAGES[language], re.MULTILINE)

    assert len(rhythms) >= 8
    assert len(whens) >= 3
    for rhythm in (*(french or english for french, english in rhythms), *whens):
        parse(rhythm)


@each
def test_every_command(language: str) -> None:
    """Of ``syndicator newsletter``, and no other."""
    (table,) = (table for table in tables(language) if table[0][0] in ("commande", "command"))
    typed = [named(row[0]) for row in table[1:]]
    assert typed[0] == ["syndicator newsletter", ACTIONS[0]]
    assert [first.split()[2] for first, *_ in typed[1:]] == list(ACTIONS[1:])


@each
def test_every_variable_of_a_template(language: str) -> None:
    """All that our own template uses are told, and each that is told is there; so are our words, and what a section and an entry hold."""
    (table,) = (table for table in tables(language) if table[0][0] == "variable")
    told = {name for row in table[1:] for name in named(row[0]) if "." not in name}
    used = meta.find_undeclared_variables(Environment(autoescape=True).parse(TEMPLATE))

    assert used <= told
    for name in told:
        shape(ISSUE, HOME, template=f"<mjml><mj-body><mj-raw>{{{{ {name} }}}}</mj-raw></mj-body></mjml>")
    by_name = {row[0]: named(row[1]) for row in table[1:]}
    assert set(by_name["`words`"]) == WORDS[language].keys()
    entry = ISSUE.sections[0].entries[0]
    for held, owner in ((by_name["`issue`"], ISSUE), (by_name["`issue.sections`"], ISSUE.sections[0])):
        assert [name for name in held if not hasattr(owner, name)] == []
    (thing,) = (names for names in by_name.values() if "when" in names)
    assert [name for name in thing if not hasattr(entry, name) and name != "description"] == []


@each
def test_what_the_review_promises(language: str) -> None:
    """How long a link works, how late an issue may leave, what voids every link."""
    page = PAGES[language]
    assert (VALID.days, LATE.days) == (7, 30)
    assert {"fr": "sept jours", "en": "seven days"}[language] in page
    assert {"fr": "trente jours", "en": "thirty days"}[language] in page
    assert f"`{KEY_FILE}`" in page


def test_both_languages_tell_the_same() -> None:
    """As many chapters, rows and points; the same template to begin with, and the same files and options named."""
    french, english = PAGES.values()
    shapes = []
    for language, page in PAGES.items():
        headings = [line.split(" ")[0] for line in page.splitlines() if re.match("#+ ", line)]
        points = [len(re.findall(r"^(?:- |\d\. )", part, re.MULTILINE)) for part in re.split(r"^#+ ", page, flags=re.MULTILINE)]
        codes = re.findall(r"^ *```(\w+)$", page, re.MULTILINE)
        shapes.append((headings, points, codes, [[len(row) for row in table] for table in tables(language)]))
    assert shapes[0] == shapes[1]
    templates = [re.findall(r"^```jinja\n(.*?)^```", page, re.MULTILINE | re.DOTALL) for page in (french, english)]
    assert templates[0] == templates[1]
    names = [set(re.findall(r"`([a-z_]+(?: = \w+)?)`", page)) for page in (french, english)]
    assert names[0] == names[1]
    links = [
        {target.removeprefix("../") for target in re.findall(r"\]\(((?:\.\./)?(?:destinations|servers)[^)]*)\)", page)}
        for page in (french, english)
    ]
    assert links[0] == links[1]

"""An issue before it leaves, as one page to look at: subject, preview line, weight, the letter at two widths, its text part.

The page is a single file that asks nobody for anything; the letter stands in frames that can neither run nor open anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from syndicator.contract import Association
from syndicator.forthcoming import Forthcoming
from syndicator.letter.shape import preview_line
from syndicator.text.dates import describe_instant
from syndicator.text.way_out import with_unsubscribe
from syndicator.words import say

PAGES = Path(__file__).parent / "pages"
CUT_KB = 102
"""Gmail cuts off what is behind it."""
WIDTHS = (360, 700)
WORDS = ("title", "intro", "phone", "computer", "text", "empty")


def page(one: Forthcoming, association: Association, language: str) -> str:
    """The whole page, as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("letter.html.j2").render(
        language=language,
        association=association.name,
        style=(PAGES / "letter.css").read_text(encoding="utf-8"),
        words={key: say(language, f"newsletter.page.{key}") for key in WORDS},
        letter=_shown(one),
        text=with_unsubscribe(one.rendition.text, "…"),
        letter_language=one.letter.language,
        facts=facts(one, association, language),
        widths=WIDTHS,
        empty=not one.issue.sections,
    )


def facts(one: Forthcoming, association: Association, language: str) -> list[tuple[str, str]]:
    """What to know of it besides what it says: heading and words."""
    due = describe_instant(one.row.until_at, association.timezone, language)
    told = {
        "subject": one.rendition.title,
        "preview": preview_line(one.issue),
        "leaves": _leaves(one, due, language),
        "to": ", ".join(one.letter.destinations),
        "news": say(language, "newsletter.things", count=one.issue.news, least=one.letter.at_least),
        "weight": say(language, "newsletter.weight", size=kilobytes(one, language), most=CUT_KB),
    }
    return [(say(language, f"newsletter.page.{key}"), text) for key, text in told.items() if text]


def _leaves(one: Forthcoming, due: str, language: str) -> str:
    if one.row.verdict == "send":
        return say(language, "newsletter.approved-until", at=due)
    return say(language, "newsletter.reviewed-until", at=due) if one.row.state == "review" else due


def kilobytes(one: Forthcoming, language: str) -> str:
    """How heavy the HTML is, as a mail program counts it."""
    size = f"{len(one.rendition.html.encode()) / 1000:.1f}"
    return size.replace(".", ",") if language.split("-")[0].lower() == "fr" else size


def data(one: Forthcoming) -> dict[str, Any]:
    """The same for a script."""
    return {
        "newsletter": one.letter.name,
        "state": "review" if one.row.state == "review" else "due",
        "approved": one.row.verdict == "send",
        "since_at": one.row.since_at,
        "until_at": one.row.until_at,
        "subject": one.rendition.title,
        "preview": preview_line(one.issue),
        "bytes": len(one.rendition.html.encode()),
        "news": one.issue.news,
        "at_least": one.letter.at_least,
        "empty": not one.issue.sections,
        "destinations": list(one.letter.destinations),
        "sections": [
            {"title": section.title, "shown": [entry.title for entry in section.entries], "named": [entry.title for entry in section.brief]}
            for section in one.issue.sections
        ],
        "text": one.rendition.text,
    }


def _shown(one: Forthcoming) -> str:
    """The letter with its pictures inside it."""
    html = one.rendition.html
    for url, picture in one.pictures.items():
        html = html.replace(url, picture)
    return html

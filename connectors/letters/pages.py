"""Pages of the archive, and an issue's body for feeds: Jinja, everything escaped but the editorial, which is cleaned here."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from connectors.letters.record import Kept, web_address
from syndicator.contract import Association
from syndicator.model import Event
from syndicator.text.clean import clean
from syndicator.text.dates import describe_when
from syndicator.text.html import parse

LEAD_MAX = 200
_HERE = Path(__file__).parent
_TAGS = {"p", "br", "a", "strong", "em", "b", "i", "ul", "ol", "li", "blockquote"}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_WORDS = {
    "fr": {
        "all": "Tous les numéros",
        "also": "Et aussi :",
        "none": "Le premier numéro paraîtra ici.",
        "older": "Numéro précédent :",
        "newer": "Numéro suivant :",
        "subscribe": "Suivre par flux :",
        "untracked": "Cette page ne dépose aucun cookie et ne suit personne.",
        "skip": "Aller au contenu",
    },
    "en": {
        "all": "All issues",
        "also": "And also:",
        "none": "The first issue will appear here.",
        "older": "Previous issue:",
        "newer": "Next issue:",
        "subscribe": "Follow by feed:",
        "untracked": "This page sets no cookie and follows nobody.",
        "skip": "Skip to the content",
    },
}


@dataclass(frozen=True, kw_only=True)
class Site:
    """What every page says beside its issue."""

    title: str
    association: Association
    home_url: str
    address: str
    """Where the archive is found, ending in a slash; empty when it is not known."""


def words_for(language: str) -> Mapping[str, str]:
    """Our own words: French for French, English for all others."""
    return _WORDS["fr" if _base(language) == "fr" else "en"]


def date_of(kept: Kept, association: Association, language: str) -> str:
    """The day it was due, on the association's clock."""
    day = Event(uid="", url="", title="", starts_at=kept.issue.until_at, timezone=association.timezone, start_is_date=True)
    return describe_when(day, language, home_timezone=association.timezone)


def lead_of(kept: Kept) -> str:
    """How it begins: the editorial, else its first titles."""
    titles = [entry.title for section in kept.issue.sections for entry in section.entries]
    text = " ".join(parse(kept.issue.editorial, spell_links=False).text.split()) or " · ".join(titles[:4])
    if len(text) <= LEAD_MAX:
        return text
    return text[:LEAD_MAX].rsplit(" ", 1)[0].rstrip(" ,;:.·") + "…"


def editorial_of(kept: Kept) -> Markup:
    """A person's words: paragraphs, emphasis, lists, links of the web."""

    def attribute(_tag: str, _name: str, value: str) -> str | None:
        return value if value.lower().startswith("mailto:") else web_address(value) or None

    cleaned: str = nh3.clean(
        clean(kept.issue.editorial),
        tags=_TAGS,
        attributes={"a": {"href"}},
        attribute_filter=attribute,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return Markup(cleaned)  # noqa: S704 - just cleaned


class Pages:
    """The compiled templates."""

    def __init__(self) -> None:
        self._templates = _templates()

    def issue(self, site: Site, kept: Kept) -> bytes:
        """The page of one issue."""
        values = {**self._values(site, kept), "language": kept.issue.language, "words": words_for(kept.issue.language)}
        return self._render("issue.html.j2", site, {**values, "base": "", "path": f"{kept.name}.html", "description": lead_of(kept)})

    def body(self, site: Site, kept: Kept) -> str:
        """Its content for feeds: whole addresses; pictures only where ours are known."""
        values = {**self._values(site, kept), "words": words_for(kept.issue.language), "base": site.address}
        shown = kept.pictures if site.address else {}
        return self._templates.get_template("body.html.j2").render(values | {"pictures": shown}).strip()

    def index(self, site: Site, archive: Sequence[Kept]) -> bytes:
        """``index.html``."""
        association, language = site.association, site.association.language
        zone = ZoneInfo(association.timezone)
        several = len({kept.issue.newsletter for kept in archive}) > 1
        rows: list[dict[str, Any]] = [
            {
                "file": f"{kept.name}.html",
                "title": kept.issue.subject or kept.issue.title,
                "newsletter": kept.issue.title if several else "",
                "date": date_of(kept, association, language),
                "day": kept.issue.until_at.astimezone(zone).date(),
                "lead": lead_of(kept),
                "language": kept.issue.language if _base(kept.issue.language) != _base(language) else "",
            }
            for kept in archive
        ]
        years = [(year, list(found)) for year, found in groupby(rows, key=lambda row: row["day"].year)]
        values = {"years": years, "language": language, "words": words_for(language), "path": "", "description": ""}
        return self._render("index.html.j2", site, values)

    def _values(self, site: Site, kept: Kept) -> dict[str, Any]:
        issue = kept.issue
        return {
            "issue": issue,
            "heading": issue.subject or issue.title,
            "kicker": issue.title if issue.title not in issue.subject else "",
            "date": date_of(kept, site.association, issue.language),
            "day": issue.until_at.astimezone(ZoneInfo(site.association.timezone)).date().isoformat(),
            "editorial": editorial_of(kept),
            "pictures": kept.pictures,
        }

    def _render(self, template: str, site: Site, values: Mapping[str, Any]) -> bytes:
        return self._templates.get_template(template).render({"site": site, **values}).encode("utf-8", "replace")


@functools.cache
def _templates() -> Environment:
    """Read and compiled once, however many associations a process serves."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lines"] = lambda text: Markup("<br>").join(str(text).split("\n"))
    return environment


def stylesheet(colour: str) -> bytes:
    """``style.css``; the association's colour is decoration only, so that any will do."""
    own = f":root {{ --colour: {colour}; }}\n" if _COLOUR.fullmatch(colour) else ""
    return (_HERE / "assets" / "style.css").read_bytes() + own.encode()


def _base(language: str) -> str:
    return language.partition("-")[0].lower()

"""An issue as a letter: subject, HTML made of MJML, and a text part written from the data. No I/O but reading the template."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from syndicator.contract import Association
from syndicator.errors import Rejected, words
from syndicator.model import Entry, Event, Issue, Section
from syndicator.palette import NIGHT, READABLE, WHITE, Colour, contrast, mix, palette_of
from syndicator.text.clean import clean
from syndicator.text.dates import describe_when
from syndicator.text.html import to_text
from syndicator.text.urls import web_url
from syndicator.text.way_out import BEGIN, END, UNSUBSCRIBE

SIZE_MAX = 100_000
"""Bytes of HTML: Gmail cuts off what is behind 102 kB."""
_TAGS = {"p", "br", "a", "strong", "em", "b", "i", "ul", "ol", "li", "blockquote"}
_SCHEMES = {"http", "https", "mailto"}
_GROUND: Colour = (0xF4, 0xF1, 0xEA)
"""What is behind the foot by day; _DARK is what is behind the words by night: links must be readable there, and are on the other ground."""
_DARK: Colour = (0x23, 0x23, 0x27)
WORDS = {
    "fr": {
        "also": "Et aussi :",
        "online": "Lire cette lettre en ligne",
        "untracked": "Cette lettre ne contient aucun pisteur : personne ne sait si vous l’avez ouverte.",
        "unsubscribe": "Ne plus recevoir cette lettre",
        "more": "En savoir plus :",
    },
    "en": {
        "also": "And also:",
        "online": "Read this letter online",
        "untracked": "There is no tracker in this letter: nobody knows whether you opened it.",
        "unsubscribe": "Stop receiving this letter",
        "more": "More:",
    },
}
TEMPLATE_HINT = words(
    fr="Le modèle de la lettre est inutilisable : corrigez-le, ou retirez template de la section de la lettre.",
    en="The letter's template cannot be used: correct it, or remove template from the newsletter's section.",
)


@dataclass(frozen=True, kw_only=True)
class Hosted:
    """A picture where we serve it."""

    url: str
    width: int


@dataclass(frozen=True, kw_only=True)
class Letter:
    """An issue, ready to be sent."""

    subject: str
    html: str
    """At most ``SIZE_MAX`` bytes of UTF-8."""
    text: str


def shape(
    issue: Issue,
    association: Association,
    *,
    pictures: Mapping[str, Hosted] | None = None,
    web_address: str | None = None,
    template: str | None = None,
) -> Letter:
    """The letter. ``pictures`` are those that we serve, by their address at the origin: others are left out, since a reader's program must
    ask nobody but us. ``template`` is MJML of one's own instead of ours.

    Raises Rejected when that template cannot be used.
    """
    said = WORDS["fr" if issue.language.split("-")[0].lower() == "fr" else "en"]
    values = {
        **_colours(association.colour),
        "association": clean(association.name),
        "home_url": _address(association.url),
        "home_name": re.sub(r"^https?://(www\.)?|/$", "", association.url or ""),
        "web_url": web_address,
        "date": _date(issue, association),
        "words": said,
        "editorial": _words_of_a_person(issue.editorial),
        "pictures": pictures or {},
        "unsubscribe": UNSUBSCRIBE,
        "begin_unsubscribe": Markup(BEGIN),  # noqa: S704 - ours
        "end_unsubscribe": Markup(END),  # noqa: S704 - ours
    }
    fitting = issue
    page = _page(fitting, values, template)
    while len(page.encode()) > SIZE_MAX and (shorter := _shorter(fitting)) is not None:
        fitting = shorter
        page = _page(fitting, values, template)
    return Letter(subject=clean(issue.subject), html=page, text=_text(issue, association, said, web_address))


def _page(issue: Issue, values: Mapping[str, Any], template: str | None) -> str:
    from mjml import mjml2html

    whole = {**values, "issue": _safe(issue), "preview": preview_line(issue)}
    try:
        source = _environment().from_string(template) if template is not None else _environment().get_template("letter.mjml.j2")
        page: str = mjml2html(source.render(whole))
    except (TemplateError, ValueError, OSError, ArithmeticError, LookupError, TypeError) as error:
        raise Rejected(f"the letter's template: {type(error).__name__}: {error}", hint=TEMPLATE_HINT) from error
    return _with_language(page, issue.language)


def _with_language(page: str, language: str) -> str:
    """For screen readers, which otherwise read French with English sounds."""
    tag = page[page.index("<html") : page.index(">", page.index("<html")) + 1]
    return page if " lang=" in tag else page.replace(tag, f'{tag[:-1]} lang="{escape(language)}">', 1)


@functools.cache
def _environment() -> Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lines"] = lambda text: Markup("<br />").join(str(text).split("\n"))
    return environment


def _shorter(issue: Issue) -> Issue | None:
    """With the last entry that is shown whole named only; None when all are."""
    for index in range(len(issue.sections) - 1, -1, -1):
        section = issue.sections[index]
        if section.entries:
            moved = replace(section, entries=section.entries[:-1], brief=(section.entries[-1], *section.brief))
            return replace(issue, sections=(*issue.sections[:index], moved, *issue.sections[index + 1 :]))
    return None


def _safe(issue: Issue) -> Issue:
    """What strangers wrote: no control characters, and no address but of the web."""

    def entry(one: Entry) -> Entry:
        return replace(
            one,
            title=clean(one.title),
            text=clean(one.text),
            when=clean(one.when),
            place=clean(one.place),
            state=clean(one.state),
            url=_address(one.url) or "",
            image=replace(one.image, description=clean(one.image.description)) if one.image else None,
        )

    def section(one: Section) -> Section:
        return replace(one, title=clean(one.title), entries=tuple(map(entry, one.entries)), brief=tuple(map(entry, one.brief)))

    return replace(issue, title=clean(issue.title), subject=clean(issue.subject), sections=tuple(map(section, issue.sections)))


def _address(url: str | None) -> str | None:
    try:
        return web_url(url) if url else None
    except ValueError:
        return None


def _words_of_a_person(html: str) -> Markup:
    """The editorial: paragraphs, emphasis, lists and links of the web, as well-formed XML."""
    cleaned: str = nh3.clean(
        clean(html), tags=_TAGS, attributes={"a": {"href"}}, attribute_filter=_whole_address, url_schemes=_SCHEMES, link_rel=None
    )
    return Markup(cleaned.replace("<br>", "<br />"))  # noqa: S704 - just cleaned


def _whole_address(_tag: str, _name: str, value: str) -> str | None:
    """In a letter there is no page that an address could be relative to."""
    return value if value.partition(":")[0].lower() in _SCHEMES else None


def preview_line(issue: Issue) -> str:
    """What a mailbox shows beside the subject."""
    said = " ".join(to_text(issue.editorial).split())
    titles = [entry.title for section in issue.sections for entry in section.entries]
    return clean(said or " · ".join(titles[1:4] or titles))[:140]


def _date(issue: Issue, association: Association) -> str:
    day = Event(uid="", url="", title="", starts_at=issue.until_at, timezone=association.timezone, start_is_date=True)
    return describe_when(day, issue.language, home_timezone=association.timezone)


def _colours(colour: str) -> dict[str, str]:
    palette = palette_of(colour)
    return {
        "band": _hex(palette.ground),
        "band_ink": _hex(palette.ink),
        "ink": _hex(NIGHT),
        "accent": _hex(_legible(palette.ground, _GROUND, NIGHT)),
        "night_accent": _hex(_legible(palette.ground, _DARK, WHITE)),
    }


def _legible(colour: Colour, ground: Colour, towards: Colour) -> Colour:
    share = 0.0
    while contrast(mix(colour, towards, share), ground) < READABLE:
        share += 0.05
    return mix(colour, towards, share)


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _text(issue: Issue, association: Association, said: Mapping[str, str], web_address: str | None) -> str:
    """Written from the data: titles underlined, one thing after the other, addresses on lines of their own."""
    safe = _safe(issue)
    blocks = [f"{clean(association.name)}\n{safe.title} – {_date(issue, association)}"]
    if safe.editorial:
        blocks.append(to_text(safe.editorial))
    for section in safe.sections:
        blocks.append(f"{section.title.upper()}\n{'=' * min(len(section.title), 60)}")
        blocks += [_told(entry) for entry in section.entries]
        if section.brief:
            named = (f"- {' – '.join(filter(None, (one.title, one.when)))}\n  {one.url}" for one in section.brief)
            blocks.append("\n".join([said["also"], *named]))
    home = _address(association.url)
    tail = ["-- ", clean(association.name), *([home] if home else []), *([f"{said['online']} : {web_address}"] if web_address else [])]
    blocks.append("\n".join([*tail, said["untracked"], f"{said['unsubscribe']} : {UNSUBSCRIBE}"]))
    return "\n\n".join(blocks) + "\n"


def _told(entry: Entry) -> str:
    lines = [entry.title, entry.when, entry.place, entry.state, entry.text if entry.text != entry.title else "", entry.url]
    return "\n".join(line for line in lines if line)

"""``[newsletters.NAME]``: what is sent when, to whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from syndicator.config.accounts import NAME
from syndicator.config.decode import INVALID, Decoder, shown
from syndicator.config.lines import Key
from syndicator.config.settings import DestinationConfig
from syndicator.contract import Association
from syndicator.errors import words
from syndicator.letter.newsletter import EVENTS_WITHIN, USUAL, Newsletter, Wanted
from syndicator.letter.schedule import ANCHOR, parse
from syndicator.model import PostKind

KINDS = ("event", *get_args(PostKind))
_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_NO_DATE = words(fr='Une date comme "2026-12-07".', en='A date such as "2026-12-07".')
_NO_MAIL = words(fr="Une adresse de courriel.", en="A mail address.")
_BELOW_ONE = words(fr="Un nombre entier à partir de 1.", en="A whole number from 1 on.")
_MIXED = words(
    fr="Une rubrique montre des événements ou des publications, pas les deux : faites-en deux.",
    en="A section shows events or posts, not both: make two of it.",
)
_NO_LETTERS = words(
    fr="Cette destination ne porte pas de lettre d'information.",
    en="This destination carries no newsletter.",
)
_NO_REVIEW = words(
    fr="review demande une section [alerts] : c'est par elle que part le courriel.",
    en="review needs an [alerts] section: its mail goes that way.",
)


@dataclass(frozen=True, kw_only=True)
class SectionKeys:
    """One of ``sections``."""

    title: str = ""
    kinds: tuple[str, ...] = ("event",)
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    within: timedelta = EVENTS_WITHIN
    most: int = 10


@dataclass(frozen=True, kw_only=True)
class NewsletterKeys:
    """The keys of ``[newsletters.NAME]``."""

    when: str
    destinations: tuple[str, ...]
    title: str = ""
    sources: tuple[str, ...] | None = None
    starts: str | None = None
    at_least: int = 1
    sections: tuple[SectionKeys, ...] = ()
    editorial_tag: str = ""
    editorial_file: Path | None = None
    language: str = ""
    review: str = ""
    review_before: timedelta = timedelta(hours=24)
    unanswered: Literal["send", "wait"] = "send"
    template: Path | None = None


def read_newsletters(
    raw: Any,
    decoder: Decoder,
    association: Association | None,
    sources: tuple[str, ...],
    destinations: Mapping[str, DestinationConfig],
    *,
    has_alerts: bool,
) -> dict[str, Newsletter]:
    """``[newsletters.*]``: those that can be used."""
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        decoder.report.add(("newsletters",), "expected-table", value=shown(raw))
        return {}
    found: dict[str, Newsletter] = {}
    for name, table in raw.items():
        at: Key = ("newsletters", name)
        if not isinstance(table, dict):
            decoder.report.add(at, "expected-table", value=shown(table))
        elif not NAME.fullmatch(name):
            decoder.report.add(at, "bad-name", value=shown(name))
        elif (keys := decoder.table(NewsletterKeys, table, at)) is not INVALID:
            before = len(decoder.report.problems)
            newsletter = _newsletter(name, keys, at, decoder, association, sources)
            _check_destinations(keys, at, decoder, destinations)
            if keys.review and not has_alerts:
                decoder.report.add_words((*at, "review"), _NO_REVIEW)
            if len(decoder.report.problems) == before and newsletter is not None:
                found[name] = newsletter
    return found


def _newsletter(
    name: str, keys: NewsletterKeys, at: Key, decoder: Decoder, association: Association | None, sources: tuple[str, ...]
) -> Newsletter | None:
    report = decoder.report
    for index, source in enumerate(keys.sources or ()):
        if source not in sources:
            report.add((*at, "sources", index), "unknown-sources", name=source, meant=report.meant(source, sources))
    for index, section in enumerate(keys.sections):
        _check_section(section, (*at, "sections", index), decoder, sources)
    if keys.at_least < 1:
        report.add_words((*at, "at_least"), _BELOW_ONE)
    if keys.review and not _MAIL.fullmatch(keys.review):
        report.add_words((*at, "review"), _NO_MAIL)
    starts = ANCHOR if keys.starts is None else _date(keys.starts, (*at, "starts"), decoder)
    try:
        schedule = parse(keys.when)
    except ValueError as error:
        report.add_words((*at, "when"), error.args[0])
        return None
    if starts is None or association is None:
        return None
    return Newsletter(
        name=name,
        schedule=schedule,
        title=keys.title or association.name,
        sources=keys.sources or sources,
        destinations=keys.destinations,
        starts=starts,
        at_least=keys.at_least,
        sections=tuple(map(_wanted, keys.sections)) or USUAL,
        editorial_tag=keys.editorial_tag,
        editorial_file=keys.editorial_file,
        language=keys.language or association.language,
        review=keys.review,
        review_before=keys.review_before,
        unanswered=keys.unanswered,
        template=keys.template,
    )


def _wanted(keys: SectionKeys) -> Wanted:
    return Wanted(title=keys.title, kinds=keys.kinds, tags=keys.tags, sources=keys.sources, within=keys.within, most=keys.most)


def _check_section(section: SectionKeys, at: Key, decoder: Decoder, sources: tuple[str, ...]) -> None:
    for index, kind in enumerate(section.kinds):
        if kind not in KINDS:
            decoder.report.add((*at, "kinds", index), "not-a-choice", value=shown(kind), meant=decoder.report.meant(kind, KINDS))
    if "event" in section.kinds and len(section.kinds) > 1:
        decoder.report.add_words((*at, "kinds"), _MIXED)
    if section.most < 1:
        decoder.report.add_words((*at, "most"), _BELOW_ONE)
    for index, source in enumerate(section.sources):
        if source not in sources:
            decoder.report.add((*at, "sources", index), "unknown-sources", name=source, meant=decoder.report.meant(source, sources))


def _check_destinations(keys: NewsletterKeys, at: Key, decoder: Decoder, destinations: Mapping[str, DestinationConfig]) -> None:
    """Each is one the file has, and can carry an issue."""
    if not keys.destinations:
        decoder.report.add((*at, "destinations"), "empty-list", key="destinations")
    for index, name in enumerate(keys.destinations):
        there = destinations.get(name)
        if there is None:
            meant = decoder.report.meant(name, destinations)
            decoder.report.add((*at, "destinations", index), "unknown-destinations", name=name, meant=meant)
        elif there.role == "publisher" and "digest" not in there.connector.limits.kinds:
            decoder.report.add_words((*at, "destinations", index), _NO_LETTERS)


def _date(text: str, at: Key, decoder: Decoder) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        decoder.report.add_words(at, _NO_DATE)
        return None

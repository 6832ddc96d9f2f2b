"""``[newsletters.NAME]``: what is sent when, to whom."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from syndicator.config.accounts import NAME
from syndicator.config.decode import INVALID, Decoder, shown
from syndicator.config.lines import Key
from syndicator.config.sections import LANGUAGE
from syndicator.config.settings import DestinationConfig
from syndicator.contract import Association
from syndicator.errors import words
from syndicator.letter.newsletter import EVENTS_WITHIN, USUAL, Newsletter, Wanted
from syndicator.letter.schedule import ANCHOR, Schedule, parse
from syndicator.model import PostKind

KINDS = tuple(kind for kind in ("event", *get_args(PostKind)) if kind != "digest")
"""What a section may show; an issue tells of no other issue."""
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
_NO_PAGE = words(
    fr="review demande une section [web] avec public_url : la personne qui relit répond sur une page de notre serveur.",
    en="review needs a [web] section with public_url: whoever reads first answers on a page of our server.",
)
_NO_KINDS = words(
    fr='Cette rubrique ne montre rien : kinds = ["event"], par exemple.',
    en='This section shows nothing: kinds = ["event"], for example.',
)
_NO_TIME = words(fr='Une durée plus longue que rien, comme "45d".', en='A duration longer than nothing, such as "45d".')
_TOO_EARLY = words(
    fr="C'est plus que le temps entre deux numéros : une durée plus courte, ou un rythme plus lent.",
    en="That is more than the time between two issues: a shorter duration, or a slower rhythm.",
)
_NOT_ITS_OWN = words(
    fr="Cette source n'est pas parmi celles de la lettre (sources) : ajoutez-l'y, ou retirez-la d'ici.",
    en="This source is not among those of the newsletter (sources): add it there, or remove it here.",
)
_IDLE_STARTS = words(
    fr="starts n'a d'effet que pour un rythme « un lundi sur deux » : retirez-le.",
    en='starts has an effect only with a rhythm such as "every second monday": remove it.',
)
_APART = {"day": timedelta(days=1), "week": timedelta(days=7), "fortnight": timedelta(days=14), "month": timedelta(days=28)}
"""The least time between two hours of a rhythm."""


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
    has_pages: bool,
    named: Collection[str] = (),
) -> dict[str, Newsletter]:
    """``[newsletters.*]``: those that can be used.

    ``destinations`` are those that can be used, ``named`` all that the file names; ``has_pages`` is whether our server can show a page.
    """
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
            _check_destinations(keys, at, decoder, destinations, named)
            if keys.review and not has_alerts:
                decoder.report.add_words((*at, "review"), _NO_REVIEW)
            if keys.review and not has_pages:
                decoder.report.add_words((*at, "review"), _NO_PAGE)
            if len(decoder.report.problems) == before and newsletter is not None:
                found[name] = newsletter
    return found


def _newsletter(
    name: str, keys: NewsletterKeys, at: Key, decoder: Decoder, association: Association | None, sources: tuple[str, ...]
) -> Newsletter | None:
    report = decoder.report
    _check_names(keys.sources or (), (*at, "sources"), decoder, sources)
    for index, section in enumerate(keys.sections):
        _check_section(section, (*at, "sections", index), decoder, sources, keys.sources or sources)
    if keys.at_least < 1:
        report.add_words((*at, "at_least"), _BELOW_ONE)
    if keys.review and not _MAIL.fullmatch(keys.review):
        report.add_words((*at, "review"), _NO_MAIL)
    if keys.language and not LANGUAGE.fullmatch(keys.language):
        report.add((*at, "language"), "bad-language", value=shown(keys.language))
    starts = ANCHOR if keys.starts is None else _date(keys.starts, (*at, "starts"), decoder)
    try:
        schedule = parse(keys.when)
    except ValueError as error:
        report.add_words((*at, "when"), error.args[0])
        return None
    _check_times(keys, schedule, at, decoder)
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


def _check_times(keys: NewsletterKeys, schedule: Schedule, at: Key, decoder: Decoder) -> None:
    """What else is said of time fits the rhythm."""
    if keys.starts is not None and schedule.unit != "fortnight":
        decoder.report.add_words((*at, "starts"), _IDLE_STARTS)
    if keys.review_before <= timedelta(0):
        decoder.report.add_words((*at, "review_before"), _NO_TIME)
    elif keys.review and keys.review_before > _APART[schedule.unit]:
        decoder.report.add_words((*at, "review_before"), _TOO_EARLY)


def _check_names(names: Sequence[str], at: Key, decoder: Decoder, known: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name not in known:
            decoder.report.add((*at, index), "unknown-sources", name=name, meant=decoder.report.meant(name, known))
        elif name in names[:index]:
            decoder.report.add((*at, index), "twice", name=name)


def _wanted(keys: SectionKeys) -> Wanted:
    return Wanted(title=keys.title, kinds=keys.kinds, tags=keys.tags, sources=keys.sources, within=keys.within, most=keys.most)


def _check_section(section: SectionKeys, at: Key, decoder: Decoder, sources: tuple[str, ...], own: tuple[str, ...]) -> None:
    if not section.kinds:
        decoder.report.add_words((*at, "kinds"), _NO_KINDS)
    if section.within <= timedelta(0):
        decoder.report.add_words((*at, "within"), _NO_TIME)
    for index, kind in enumerate(section.kinds):
        if kind not in KINDS:
            decoder.report.add((*at, "kinds", index), "not-a-choice", value=shown(kind), meant=decoder.report.meant(kind, KINDS))
    if "event" in section.kinds and len(section.kinds) > 1:
        decoder.report.add_words((*at, "kinds"), _MIXED)
    if section.most < 1:
        decoder.report.add_words((*at, "most"), _BELOW_ONE)
    _check_names(section.sources, (*at, "sources"), decoder, sources)
    for index, source in enumerate(section.sources):
        if source in sources and source not in own:
            decoder.report.add_words((*at, "sources", index), _NOT_ITS_OWN)


def _check_destinations(
    keys: NewsletterKeys, at: Key, decoder: Decoder, destinations: Mapping[str, DestinationConfig], named: Collection[str]
) -> None:
    """Each is one the file has, and can carry an issue."""
    if not keys.destinations:
        decoder.report.add((*at, "destinations"), "empty-list", key="destinations")
    for index, name in enumerate(keys.destinations):
        there = destinations.get(name)
        if name in keys.destinations[:index]:
            decoder.report.add((*at, "destinations", index), "twice", name=name)
        elif there is None and name in named:
            continue  # what is wrong with it is said where it stands
        elif there is None:
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

"""``[routes.NAME]``: one flat table that fills a Route, its Filter and its Style; the defaults are theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from syndicator.config.accounts import NAME
from syndicator.config.decode import INVALID, Decoder, keys, shown
from syndicator.config.lines import Key
from syndicator.errors import words
from syndicator.model import PostKind
from syndicator.plan.moments import clock, recap_clock
from syndicator.route import Filter, Route, Style

KINDS = ("event", *get_args(PostKind))
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_BELOW_ONE = words(fr="Un nombre entier à partir de 1 : 1 pour chaque message.", en="A whole number from 1 on: 1 for each post.")
_NO_HOUR = words(fr='Une heure comme "09:00".', en='An hour such as "09:00".')
_NO_DAY_AND_HOUR = words(fr='Un jour, en anglais, et une heure : "monday 09:00".', en='A day of the week and an hour: "monday 09:00".')
_TEMPLATES = tuple(sorted(key for key in keys(Style) if key.startswith("template")))
_FROM_ELSEWHERE = frozenset({"name", "filter", "style"})

ROUTE_KEYS = (keys(Route) - _FROM_ELSEWHERE) | keys(Filter) | keys(Style)


def read_routes(raw: Any, decoder: Decoder, sources: Iterable[str], destinations: Iterable[str], *, needed: bool) -> dict[str, Route]:
    """``[routes.*]``: those that can be used. ``sources`` and ``destinations`` are the names that the file has, usable or not.

    ``needed``: nothing else leads anywhere.
    """
    if raw is None and not needed:
        return {}
    if not isinstance(raw, dict) or not raw:
        decoder.report.add(("routes",), "no-routes")
        return {}
    names = {"sources": tuple(sources), "destinations": tuple(destinations)}
    found: dict[str, Route] = {}
    for name, table in raw.items():
        at: Key = ("routes", name)
        if not isinstance(table, dict):
            decoder.report.add(at, "expected-table", value=shown(table))
        elif not NAME.fullmatch(name):
            decoder.report.add(at, "bad-name", value=shown(name))
        elif (route := _route(name, table, at, decoder, names)) is not None:
            found[name] = route
    return found


def _route(name: str, table: Mapping[str, Any], at: Key, decoder: Decoder, names: Mapping[str, tuple[str, ...]]) -> Route | None:
    report = decoder.report
    report.unknown(table, at, ROUTE_KEYS)
    for key, known in names.items():
        _known_names(table.get(key), (*at, key), known, decoder)
    for index, kind in enumerate(_texts(table.get("kinds"))):
        if kind not in KINDS:
            report.add((*at, "kinds", index), "not-a-choice", value=shown(kind), meant=report.meant(kind, KINDS))
    for index, language in enumerate(_texts(table.get("languages"))):
        if not _LANGUAGE.fullmatch(language):
            report.add((*at, "languages", index), "bad-language", value=shown(language))
    everything = {key: list(known) for key, known in names.items()}
    flat = {key: value for key, value in table.items() if key not in _FROM_ELSEWHERE}
    own = decoder.values(Route, {**everything, **flat, "name": name}, at)
    narrow, style = decoder.values(Filter, table, at), decoder.values(Style, table, at)
    _check_style(style, at, decoder)
    _check_times(own, at, decoder)
    if any(value is INVALID for value in (*own.values(), *narrow.values(), *style.values())):
        return None
    return Route(**own, filter=Filter(**narrow), style=Style(**style))


def _check_style(style: dict[str, Any], at: Key, decoder: Decoder) -> None:
    """Its language is one, its templates can be used, its footer comes now and then."""
    language, every = style.get("language"), style.get("footer_every")
    if isinstance(language, str) and language and not _LANGUAGE.fullmatch(language):
        decoder.report.add((*at, "language"), "bad-language", value=shown(language))
    if isinstance(every, int) and every < 1:
        decoder.report.add_words((*at, "footer_every"), _BELOW_ONE)
    for key in _TEMPLATES:
        template = style.get(key)
        if isinstance(template, str) and template:
            from syndicator.text.template import template_problem  # Jinja, for those who write templates

            problem = template_problem(template)
            if problem is not None:
                decoder.report.add_words((*at, key), problem)


def _check_times(own: dict[str, Any], at: Key, decoder: Decoder) -> None:
    """The hours of reminders and recaps are hours."""
    for key, read, problem in (("remind_at", clock, _NO_HOUR), ("recap_at", recap_clock, _NO_DAY_AND_HOUR)):
        text = own.get(key)
        if not isinstance(text, str):
            continue
        try:
            read(text)
        except ValueError:
            decoder.report.add_words((*at, key), problem)
            own[key] = INVALID


def _known_names(value: Any, at: Key, known: tuple[str, ...], decoder: Decoder) -> None:
    """Each name is one the file has, and stands there once. (That it is an array of texts is checked when it is decoded.)"""
    seen: set[str] = set()
    for index, name in enumerate(_texts(value)):
        if name not in known:
            decoder.report.add((*at, index), f"unknown-{at[-1]}", name=name, meant=decoder.report.meant(name, known))
        elif name in seen:
            decoder.report.add((*at, index), "twice", name=name)
        seen.add(name)
    if value == []:
        decoder.report.add(at, "empty-list", key=at[-1])


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

"""The accounts: ``[sources.NAME]`` and ``[destinations.NAME]``, each the core's few keys and the connector's own Options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import Any, Literal

from syndicator.config.decode import INVALID, Decoder, UnsupportedTypeError, keys, shown
from syndicator.config.lines import Key
from syndicator.config.settings import DestinationConfig, SourceConfig
from syndicator.registry import Group, RegistryError, find, names
from syndicator.route import Pace
from syndicator.words import pick

POLL_MIN = timedelta(seconds=1)
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_HOURS = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")


@dataclass(frozen=True, kw_only=True)
class SourceKeys:
    """What the core takes from ``[sources.NAME]``."""

    type: str
    """Which connector: see the list of sources."""
    title: str | None = None
    """What people read; the name with a capital when left out."""
    poll: timedelta = timedelta(minutes=5)
    """The time between two looks."""


@dataclass(frozen=True, kw_only=True)
class DestinationKeys:
    """What the core takes from ``[destinations.NAME]``."""

    type: str
    """Which connector: see the list of destinations."""
    title: str | None = None
    """What people read; the name with a capital when left out."""


@dataclass(frozen=True, kw_only=True)
class PublisherKeys(DestinationKeys):
    """What the core takes besides where a destination is an account that speaks."""

    quiet_hours: str | None = None
    """``"22:00-07:00"``, local time of the association: no new posts then."""
    spacing: timedelta = timedelta(0)
    """The least time between two new posts."""
    budget: float | None = None
    """The most to spend there in a calendar month, in the currency of that network's prices; beyond it, posts wait for the next month."""
    on_unknown: Literal["park", "retry"] = "park"
    """When nobody can tell whether a post went out: ask a person, or risk two rather than none."""


def read_sources(raw: Any, decoder: Decoder) -> dict[str, SourceConfig]:
    """``[sources.*]``: those that can be used."""
    found: dict[str, SourceConfig] = {}
    for name, table, at in _named("sources", raw, decoder):
        connector = _connector("sources", table, at, decoder)
        if connector is None:
            continue
        own, options = _decoded(SourceKeys, connector, table, at, decoder)
        if own is INVALID or options is INVALID:
            continue
        if own.poll < POLL_MIN:
            decoder.report.add((*at, "poll"), "poll-too-short")
        found[name] = SourceConfig(
            name=name, type=own.type, title=own.title or _title(name), poll=own.poll, connector=connector, options=options
        )
    return found


def read_destinations(raw: Any, decoder: Decoder) -> dict[str, DestinationConfig]:
    """``[destinations.*]``: those that can be used."""
    found: dict[str, DestinationConfig] = {}
    for name, table, at in _named("destinations", raw, decoder):
        connector = _connector("destinations", table, at, decoder)
        if connector is None:
            continue
        publisher = hasattr(connector, "publish")
        if not publisher:
            for key in sorted(keys(PublisherKeys) & table.keys() - keys(DestinationKeys) - keys(connector.Options)):
                decoder.report.add((*at, key), "publishers-only", key=key, type=table["type"])
                table = {k: v for k, v in table.items() if k != key}
        own, options = _decoded(PublisherKeys if publisher else DestinationKeys, connector, table, at, decoder)
        pace = _pace(own, at, decoder) if publisher and own is not INVALID else Pace()
        if own is INVALID or options is INVALID or pace is None:
            continue
        found[name] = DestinationConfig(
            name=name,
            type=own.type,
            title=own.title or _title(name),
            role="publisher" if publisher else "projection",
            connector=connector,
            options=options,
            pace=pace,
        )
    _keep_apart(found, decoder)
    return found


def _keep_apart(found: Mapping[str, DestinationConfig], decoder: Decoder) -> None:
    """Two projections never write the same file: each would undo the other's."""
    writers: dict[str, str] = {}
    for name, destination in found.items():
        files = [file.lower() for file in getattr(destination.options, "files", ())] if destination.role == "projection" else []
        taken = next((file for file in files if file in writers), None)
        if taken is not None:
            decoder.report.add(("destinations", name), "same-file", file=taken, other=writers[taken])
        writers.update({file: name for file in files if file not in writers})


def _named(group: Group, raw: Any, decoder: Decoder) -> Iterator[tuple[str, dict[str, Any], Key]]:
    if not isinstance(raw, dict) or not raw:
        decoder.report.add((group,), f"no-{group}")
        return
    for name, table in raw.items():
        at = (group, name)
        if not isinstance(table, dict):
            decoder.report.add(at, "expected-table", value=shown(table))
        elif not NAME.fullmatch(name):
            decoder.report.add(at, "bad-name", value=shown(name))
        else:
            yield name, table, at


def _connector(group: Group, table: Mapping[str, Any], at: Key, decoder: Decoder) -> type[Any] | None:
    kind = table.get("type")
    if kind is None:
        decoder.report.add((*at, "type"), "no-type", names=", ".join(names(group)))
        return None
    if not isinstance(kind, str):
        decoder.report.add((*at, "type"), "expected-text", value=shown(kind))
        return None
    try:
        return find(group, kind)
    except RegistryError as error:
        decoder.report.add((*at, "type"), "no-connector", type=kind, why=pick(error.hint, decoder.report.language))
        return None


def _decoded(own: type[Any], connector: type[Any], table: Mapping[str, Any], at: Key, decoder: Decoder) -> tuple[Any, Any]:
    """The core's keys and the connector's Options, each INVALID when it cannot be used."""
    core = keys(own)
    values = decoder.values(own, table, at)
    kept = {key: value for key, value in table.items() if key not in core}
    try:
        options = decoder.table(connector.Options, kept, at, owner=connector, also=core)
    except (UnsupportedTypeError, NameError) as error:
        decoder.report.add(at, "connector-broken", type=table["type"], reason=error)
        options = INVALID
    return (INVALID if any(value is INVALID for value in values.values()) else own(**values)), options


def _pace(own: PublisherKeys, at: Key, decoder: Decoder) -> Pace | None:
    if own.budget is not None and not own.budget > 0:
        decoder.report.add((*at, "budget"), "bad-budget", value=shown(own.budget))
        return None
    pace = Pace(spacing=own.spacing, budget=own.budget, on_unknown=own.on_unknown)
    if own.quiet_hours is None:
        return pace
    hours = _hours(own.quiet_hours)
    if hours is None:
        decoder.report.add((*at, "quiet_hours"), "bad-quiet-hours", value=shown(own.quiet_hours))
        return None
    return replace(pace, quiet_from=hours[0], quiet_until=hours[1])


def _hours(text: str) -> tuple[time, time] | None:
    match = _HOURS.fullmatch(text)
    if match is None:
        return None
    hour, minute, until_hour, until_minute = map(int, match.groups())
    try:
        start, end = time(hour, minute), time(until_hour % 24 if until_minute == 0 else until_hour, until_minute)
    except ValueError:
        return None
    return None if start == end else (start, end)


def _title(name: str) -> str:
    text = re.sub("[-_]+", " ", name).strip()
    return text[:1].upper() + text[1:]

"""Pages to the end, and what to make of each object on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from logging import Logger
from typing import Any

from connectors.mobilizon.api import Answer, Fault, refusal
from connectors.mobilizon.parse import MalformedItem
from syndicator.model import Event, Item

PAGES_MAX = 1000
"""An end for a server that has none."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One object of a list, and the faults that concern it."""

    raw: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()

    @property
    def uid(self) -> str | None:
        """Its ActivityPub id, if it came."""
        url = self.raw.get("url")
        return url if isinstance(url, str) and url else None

    @property
    def uncertain(self) -> bool:
        """Whether a part of it failed for now: it is there, but shown as it came it would look edited."""
        return any(not fault.lasting and fault.path[-1:] != ("category",) for fault in self.faults)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer to a question for a list."""

    entries: tuple[Entry, ...]
    total: int
    nulls: int = 0
    """Elements that came as null."""


@dataclass(frozen=True, kw_only=True)
class Collected:
    """All pages of one list, each object once."""

    entries: tuple[Entry, ...]
    whole: bool
    """Whether nothing that the server counted is missing."""


@dataclass(kw_only=True)
class Sifted:
    """What a listing amounts to."""

    items: dict[str, Item] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    whole: bool = True
    unsettled: bool = False
    """Whether the next look should read everything again."""
    wake_at: datetime | None = None
    """When the first of the items held back for their date of publication comes out."""

    def hold(self, until: datetime) -> None:
        """Remember that something comes out at ``until``."""
        self.wake_at = until if self.wake_at is None else min(self.wake_at, until)


def page_of(answer: Answer, *path: str) -> Page:
    """The list at ``path``. Raises what its absence means."""
    node: Any = answer.data
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    elements = node.get("elements") if isinstance(node, dict) else None
    if not isinstance(elements, list):
        raise refusal(answer.faults_at(*path))
    total = node.get("total")
    return Page(
        entries=tuple(
            Entry(raw=raw, faults=tuple(fault for fault in answer.faults if fault.path[: len(path) + 2] == (*path, "elements", index)))
            for index, raw in enumerate(elements)
            if isinstance(raw, dict)
        ),
        total=total if isinstance(total, int) else len(elements),
        nulls=sum(1 for raw in elements if not isinstance(raw, dict)),
    )


async def all_pages(
    ask: Callable[[int, int], Awaitable[Page]],
    *,
    size: int,
    most: int,
    enough: Callable[[Page], bool] = lambda _: False,
) -> Collected:
    """Every object of a list, each once, until ``enough`` says that the rest does not matter.

    Paging is by offset and nothing breaks ties, so objects with equal keys may change places between two pages: one comes twice, one
    never. What the count misses is looked for again in bigger pages, up to ``most``, whose borders lie elsewhere.
    """
    seen: dict[str, Entry] = {}
    for limit in (size, most, most - most // 8, most - most // 5):
        whole, total = await _walk(ask, limit, seen, enough)
        if whole and len(seen) >= total:
            return Collected(entries=tuple(seen.values()), whole=True)
    return Collected(entries=tuple(seen.values()), whole=False)


async def _walk(
    ask: Callable[[int, int], Awaitable[Page]], limit: int, seen: dict[str, Entry], enough: Callable[[Page], bool]
) -> tuple[bool, int]:
    """Read pages of ``limit`` into ``seen``; whether the end was reached, and how many objects there ought to be."""
    nulls = 0
    for number in range(1, PAGES_MAX + 1):
        page = await ask(number, limit)
        nulls += page.nulls
        for index, entry in enumerate(page.entries):
            seen.setdefault(entry.uid or f"nameless {number}.{index}", entry)
        if enough(page):
            return nulls == 0, 0
        if not (page.entries or page.nulls) or number * limit >= page.total:
            return nulls == 0, page.total
    return False, page.total


def sift(
    entries: Iterable[Entry],
    build: Callable[[Mapping[str, Any]], Item],
    into: Sifted,
    *,
    now: datetime,
    since: datetime,
    log: Logger,
) -> None:
    """Sort what came: items to hand on, items that are merely there, items held back; what is hidden or over leaves no trace."""
    for entry in entries:
        if entry.uncertain and entry.uid:
            into.present.add(entry.uid)
            into.unsettled = True
            continue
        try:
            item = build(entry.raw)
        except MalformedItem as error:
            log.warning("object=%s unreadable: %s", entry.uid or "without a url", error)
            if entry.uid:
                into.present.add(entry.uid)
            continue
        if item.visibility != "public" or item.draft or last_instant(item) < since:
            continue
        if item.published_at is not None and item.published_at > now:
            into.hold(item.published_at)
            continue
        into.items.setdefault(item.uid, item)


def last_instant(item: Item) -> datetime:
    """When an event is over, or a post was published."""
    if not isinstance(item, Event):
        return item.published_at or datetime.max.replace(tzinfo=UTC)
    last = item.ends_at or item.starts_at
    whole_day = item.end_is_date if item.ends_at else item.start_is_date
    return last + timedelta(days=1) if whole_day else last

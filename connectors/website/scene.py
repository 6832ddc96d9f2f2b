"""What every part of the website is made from, and what a part makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from connectors.website import colour
from connectors.website.cards import EventCard, EventRow, PostCard, event_card, event_row, post_card
from connectors.website.options import Options
from connectors.website.page import Pages, Site
from connectors.website.pictures import Picture
from connectors.website.selection import Selection
from connectors.website.standing import Last, Standing
from syndicator.contract import Association, View
from syndicator.model import Event, Item, Post

T = TypeVar("T")


class Memo:
    """What was made of an item stays right as long as its mark does; of too much of it, the oldest is forgotten."""

    def __init__(self, stamp: str = "", most: int = 4_000) -> None:
        self.stamp = stamp
        """What it depends on beside the items."""
        self._most = most
        self._made: dict[tuple[str, str], tuple[str, Any]] = {}
        self._kept: dict[str, Any] = {}
        self.last: Last | None = None
        """What ``kept`` things are as of."""

    def of(self, what: str, uid: str, mark: str | None, make: Callable[[], T]) -> T:
        """What ``make`` returned for this item when its mark was this one; ``what`` says what it makes."""
        if mark is None:
            return make()
        found: tuple[str, T] | None = self._made.get((what, uid))
        if found is None or found[0] != mark:
            if len(self._made) >= self._most:
                del self._made[next(iter(self._made))]
            found = self._made[what, uid] = (mark, make())
        return found[1]

    def kept(self, what: str, make: Callable[[], T]) -> T:
        """What a part keeps from one projection to the next, in step with ``Scene.went`` and ``came``; at first, what ``make`` returns."""
        if what not in self._kept:
            self._kept[what] = make()
        found: T = self._kept[what]
        return found


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One projection, under way."""

    view: View
    selection: Selection
    site: Site
    association: Association
    options: Options
    name: str
    """The destination's, in the configuration."""
    pictures: Mapping[str, Picture]
    """Origin URL → our copy."""
    pages: Pages
    leaves: Mapping[str, str] = field(default_factory=dict)
    """uid of an event → its page, as a path below our folder; for those that have one."""
    changed: frozenset[str] | None = None
    """uids whose own files must be made anew; None for all of them."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """uid → another word whenever anything of the item, its picture or its past differs."""
    standing: Standing = field(default_factory=Standing)
    memo: Memo = field(default_factory=Memo)
    went: Sequence[Item] = ()
    """Items as they were in ``memo.last`` of which anything differs now: they, what is said of them, or that they are there."""
    came: Sequence[Item] = ()
    """Items as they are now, of which anything differs; all of them where there is no ``memo.last``."""
    differing: frozenset[str] = frozenset()
    """The uids of both, and of those that are over since, or have lost their page."""
    places: Mapping[str, int] = field(default_factory=dict)
    """uid → where the event stands among those that have a page."""

    @property
    def accent(self) -> str:
        """The colour of links and dates, as it was wished for."""
        return colour.chosen(self.options.accent, self.association.colour)

    def marks_of(self, items: Iterable[Item]) -> str:
        """A text that differs whenever one of them does, or their order."""
        return "|".join([self.marks.get(item.uid, "") for item in items])

    def row(self, event: Event) -> EventRow:
        """The event in a list of many."""
        return self.memo.of(
            "row", event.uid, self.marks.get(event.uid), lambda: event_row(event, self.association, self.site.labels, **self._own(event))
        )

    def card(self, event: Event) -> EventCard:
        """The event in a list of few, with its picture."""
        return self.memo.of(
            "card",
            event.uid,
            self.marks.get(event.uid),
            lambda: event_card(event, self.association, self.site.labels, self.pictures, **self._own(event)),
        )

    def post(self, post: Post) -> PostCard:
        """The post, with its pictures."""
        return self.memo.of(
            "post",
            post.uid,
            self.marks.get(post.uid),
            lambda: post_card(post, self.view, self.association, self.site.labels, self.pictures),
        )

    def _own(self, event: Event) -> dict[str, Any]:
        """What is said of an event beside itself: where our page of it is, and when it was to be."""
        return {"page": self.leaves.get(event.uid), "previous": self.view.previous.get(event.uid)}


@dataclass(frozen=True, kw_only=True)
class Made:
    """Files of one part, as paths below our folder."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    pages: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    """More files, each made when it is written: thousands of them need not be in memory at once."""
    keep: frozenset[str] = frozenset()
    """Files of an earlier projection that are still right, and need not be made again."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Path → what that file, made or kept, was made from: found again in ``Scene.standing.keys``, as long as the file is there."""


Wanted = tuple[str, Callable[[], bytes]]
"""What a file is made from, in a word that differs whenever the file does, and how it is made."""


def stale(scene: Scene, wanted: Mapping[str, Wanted], **more: Any) -> Made:
    """Of the files ``wanted``, by path, only those are made that do not stand as they shall."""
    keys = {path: key for path, (key, _) in wanted.items()}
    pages = {path: make for path, (key, make) in wanted.items() if scene.standing.keys.get(path) != key}
    return Made(pages=pages, keep=frozenset(keys.keys() - pages.keys()), keys=keys, **more)


Part = Callable[[Scene], Made]
"""Pure: what stands afterwards equals a full rebuild, byte for byte."""

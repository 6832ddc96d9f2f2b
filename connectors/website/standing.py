"""What the last projection left and was made from, on record: what is still right need not be made again.

The record is written after the files. What is about to be made is noted before, so that after a crash in between it is made anew.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.website.options import Options
from connectors.website.pictures import Picture, stills
from connectors.website.selection import Selection
from syndicator.contract import Association, View
from syndicator.folder import write
from syndicator.model import Item
from syndicator.text import naming


def nothing(_: str) -> bytes | None:
    """No file of an earlier projection can be relied on."""
    return None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What an earlier projection left. Empty when it was made by another version, or with other options."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """Path of a file of ours that is there → what it was made from, as far as the part that made it says so."""
    items: Mapping[str, str] = field(default_factory=dict)
    """uid → ``mark_of`` the item then."""
    read: Callable[[str], bytes | None] = nothing
    """A file of the folder itself, exactly as we left it; None when it is not."""


def mark_of(text: str) -> str:
    """Sixteen digits that stand for ``text``."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def mark(*parts: object) -> str:
    """Sixteen digits that stand for ``parts``."""
    return mark_of(repr(parts))


@functools.cache
def version() -> str:
    """Another one whenever anything differs in the code, templates and words that pages are made of."""
    found = hashlib.blake2b(digest_size=8)
    for folder in (Path(__file__).parent, Path(naming.__file__).parent):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                found.update(path.read_bytes())
    return found.hexdigest()


def stamp(options: Options, association: Association, public_url: str | None, sources: Mapping[str, str]) -> str:
    """What everything depends on beside the items."""
    return mark(version(), options, association, public_url, sorted(sources.items()))


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a projection finds before it makes anything."""

    stamp: str
    standing: Standing
    marks: Mapping[str, str]
    """uid → its mark, as far as it goes without pictures."""
    unchanged: frozenset[str]
    """uids of which nothing but a picture may differ."""


@dataclass(frozen=True, kw_only=True)
class Last:
    """The view before, as long as it is remembered."""

    view: View
    items: Mapping[str, Item]
    """By uid."""
    plain: Mapping[str, str]
    """uid → its mark, as far as it goes without pictures."""
    marks: Mapping[str, str]
    selection: Selection


def look(view: View, standing: Standing, stamp: str, last: Last | None = None) -> Look:
    """Compare ``view`` with what stands. An item that is not said to have changed keeps the mark of its content."""
    marks: dict[str, str] = {}
    unchanged: set[str] = set()
    same = _sameness(view, last)
    for item in view.items:
        uid = item.uid
        if last is not None and same(item):
            marks[uid] = last.plain[uid]
            if uid not in view.changed:
                unchanged.add(uid)
            continue
        about = _circumstances(item, view)
        before = standing.items.get(uid, "")
        if uid not in view.changed and before.startswith(about):
            unchanged.add(uid)
            marks[uid] = before[: len(about) + 16]
        else:
            marks[uid] = about + mark(item)
    return Look(stamp=stamp, standing=standing, marks=marks, unchanged=frozenset(unchanged))


def _sameness(view: View, last: Last | None) -> Callable[[Item], bool]:
    """Whether an item and all that is said of it are as they were."""
    if last is None:
        return lambda _: False
    items, was, at = last.items, last.view.changed_at, view.changed_at
    others = [(view.shown_by, last.view.shown_by), (view.previous, last.view.previous)]
    differ = {uid for now, then in others for uid in now.keys() | then.keys() if now.get(uid) != then.get(uid)}

    def same(item: Item) -> bool:
        uid = item.uid
        return items.get(uid) is item and was.get(uid) == at.get(uid) and uid not in differ

    return same


def _circumstances(item: Item, view: View) -> str:
    """What is said of an item beside itself, ending in a blank."""
    uid = item.uid
    at = view.changed_at.get(uid)
    found = str(at.timestamp()) if at else ""
    if uid in view.shown_by or uid in view.previous:
        found += mark(view.shown_by.get(uid), view.previous.get(uid))
    return f"{found} "


def with_pictures(view: View, marks: Mapping[str, str], pictures: Mapping[str, Picture]) -> Mapping[str, str]:
    """The same marks, another one where an item's pictures differ."""
    if not pictures:
        return marks
    found = dict(marks)
    for item in view.items:
        shown = [pictures[still.url] for still in stills(item) if still.url in pictures]
        if shown:
            found[item.uid] = f"{marks[item.uid]} {mark(shown)}"
    return found


def changes(view: View, marks: Mapping[str, str], standing: Standing) -> frozenset[str] | None:
    """uids whose own files must be made anew; None for all of them."""
    if not standing.items:
        return None
    before = standing.items
    return view.changed | {uid for uid, found in marks.items() if before.get(uid) != found}


@dataclass(frozen=True, kw_only=True)
class Differing:
    """uids of what is not as it was in the last view; all there are, where that is not remembered."""

    items: frozenset[str]
    """They, what is said of them, or whether they are there."""
    all: frozenset[str]
    """These, and the events that are over since, or have lost their page."""


def differing(selection: Selection, marks: Mapping[str, str], last: Last | None) -> Differing:
    """Compare with the last view."""
    if last is None:
        found = frozenset(marks)
        return Differing(items=found, all=found)
    items = frozenset(uid for uid, now in marks.items() if last.marks.get(uid) != now) | (last.marks.keys() - marks.keys())
    paged, before = ({event.uid for event in one.paged} for one in (selection, last.selection))
    return Differing(items=items, all=items | (selection.to_come ^ last.selection.to_come) | (paged ^ before))


class Stamps:
    """The record, in the state folder; lost or damaged, everything is made anew."""

    def __init__(self, state: Path, root: Path) -> None:
        self._record = state / "standing.json"
        self._unfinished = state / "unfinished.json"
        self._root = root
        self._last: dict[str, Any] = {}
        """As ``finish`` left it: a record of thousands need not be read again."""

    def load(self, stamp: str, lost: frozenset[str]) -> Standing:
        """What stands, as far as it was made under this ``stamp``; ``lost`` are files of folders that are not there any more."""
        try:
            raw = self._last if self._last and self._record.exists() else json.loads(self._record.read_bytes())
            if raw["stamp"] != stamp:
                return Standing()
            keys, items, left = dict(raw["keys"]), dict(raw["items"]), dict(raw["left"])
            for name in (*lost, *self._being_made(), *(name for name, seen in left.items() if not seen or seen != self._look(name))):
                keys.pop(name, None)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return Standing()
        return Standing(keys=keys, items=items, read=lambda name: self._as_left(name, left.get(name)))

    def begin(self, names: Iterable[str]) -> None:
        """Note what is about to be made, beside what an earlier attempt left unfinished."""
        if wanted := sorted({*names, *self._being_made()}):
            write(self._unfinished, json.dumps(wanted).encode())

    def finish(self, stamp: str, keys: Mapping[str, str], items: Mapping[str, str]) -> None:
        """Remember what stands now. A file of the folder itself is also known by its look: people write there by hand."""
        left = {name: self._look(name) for name in sorted(keys) if "/" not in name}
        made = {"stamp": stamp, "left": left, "keys": keys, "items": items}
        if made != self._last or not self._record.exists():
            write(self._record, json.dumps(made, separators=(",\n", ":")).encode())
        self._last = made
        self._unfinished.unlink(missing_ok=True)

    def _being_made(self) -> list[str]:
        """Raises ValueError when the note is damaged: then nothing is certain."""
        with suppress(FileNotFoundError):
            return list(map(str, json.loads(self._unfinished.read_bytes())))
        return []

    def _look(self, name: str) -> list[int]:
        with suppress(OSError):
            seen = (self._root / name).stat()
            return [seen.st_ino, seen.st_size, seen.st_mtime_ns]
        return []

    def _as_left(self, name: str, look: object) -> bytes | None:
        if not look or look != self._look(name):
            return None
        with suppress(OSError):
            return (self._root / name).read_bytes()
        return None

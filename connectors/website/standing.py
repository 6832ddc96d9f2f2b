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
class Last:
    """The view before, as long as it is remembered."""

    view: View
    items: Mapping[str, Item]
    """By uid."""
    plain: Mapping[str, str]
    """uid → its mark, as far as it goes without pictures."""
    marks: Mapping[str, str]
    pictures: Mapping[str, Picture]
    selection: Selection
    leaves: Mapping[str, str]
    places: Mapping[str, int]
    """uid → where it stood among the events that have a page."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a projection finds before it makes anything."""

    stamp: str
    standing: Standing
    items: Mapping[str, Item]
    """By uid."""
    marks: Mapping[str, str]
    """uid → its mark, as far as it goes without pictures."""
    suspect: frozenset[str]
    """uids of which more than a picture may differ from what stands."""
    differing: frozenset[str]
    """uids of which anything but a picture differs from the last view, or that came or went; all of them where there is none."""


def look(view: View, standing: Standing, stamp: str, last: Last | None = None) -> Look:
    """Compare ``view`` with what stands. An item that is not said to have changed keeps the mark of its content."""
    items = {item.uid: item for item in view.items}
    differing = _differing(view, items, last) if last else frozenset(items)
    marks = dict(last.plain) if last else {}
    suspect: set[str] = set(view.changed)
    for uid in differing:
        item = items.get(uid)
        if item is None:
            del marks[uid]
            continue
        about, before = _circumstances(item, view), standing.items.get(uid, "")
        if uid not in view.changed and before.startswith(about):
            marks[uid] = before[: len(about) + 16]
        else:
            suspect.add(uid)
            marks[uid] = about + mark(item)
    return Look(stamp=stamp, standing=standing, items=items, marks=marks, suspect=frozenset(suspect), differing=differing)


def _differing(view: View, items: Mapping[str, Item], last: Last) -> frozenset[str]:
    was, at, known = last.view.changed_at, view.changed_at, last.items
    found = {uid for uid, item in items.items() if known.get(uid) is not item or was.get(uid) != at.get(uid)}
    pairs: tuple[tuple[Mapping[str, object], Mapping[str, object]], ...] = (
        (view.shown_by, last.view.shown_by),
        (view.previous, last.view.previous),
    )
    for now, then in pairs:
        found.update(uid for uid in now.keys() | then.keys() if now.get(uid) != then.get(uid))
    return frozenset(found & (items.keys() | known.keys()) | (known.keys() - items.keys()))


def _circumstances(item: Item, view: View) -> str:
    """What is said of an item beside itself, ending in a blank."""
    uid = item.uid
    at = view.changed_at.get(uid)
    found = str(at.timestamp()) if at else ""
    if uid in view.shown_by or uid in view.previous:
        found += mark(view.shown_by.get(uid), view.previous.get(uid))
    return f"{found} "


def with_pictures(items: Iterable[Item], marks: Mapping[str, str], pictures: Mapping[str, Picture]) -> dict[str, str]:
    """The marks of these items, another one where an item's pictures differ."""
    found: dict[str, str] = {}
    for item in items:
        shown = [pictures[still.url] for still in stills(item) if still.url in pictures] if pictures else []
        found[item.uid] = f"{marks[item.uid]} {mark(shown)}" if shown else marks[item.uid]
    return found


def changes(view: View, marks: Mapping[str, str], standing: Standing, differ: frozenset[str], last: Last | None) -> frozenset[str] | None:
    """uids whose own files must be made anew; None for all of them."""
    if not standing.items:
        return None
    if last is not None and standing.items is last.marks:
        return view.changed | differ
    before = standing.items
    return view.changed | {uid for uid, found in marks.items() if before.get(uid) != found}


def differing(found: Look, selection: Selection, pictures: Mapping[str, Picture], last: Last | None) -> frozenset[str]:
    """uids of what is shown otherwise than in the last view: they, a picture, being over, or having a page; all where there is none."""
    if last is None:
        return frozenset(found.items)
    uids = found.differing
    if pictures != last.pictures:
        urls = {url for url in pictures.keys() | last.pictures.keys() if pictures.get(url) != last.pictures.get(url)}
        uids |= {item.uid for item in found.items.values() if not urls.isdisjoint([still.url for still in stills(item)])}
    if selection.midnight == last.selection.midnight:
        return uids
    paged, before = ({event.uid for event in one.paged} for one in (selection, last.selection))
    return uids | (selection.to_come ^ last.selection.to_come) | (paged ^ before)


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
            keys, items, left = raw["keys"], raw["items"], raw["left"]
            others = [name for name, seen in left.items() if not seen or seen != self._look(name)]
            if untrue := keys.keys() & {*lost, *self._being_made(), *others}:
                keys = {name: key for name, key in keys.items() if name not in untrue}
            if not isinstance(items, dict):
                return Standing()
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

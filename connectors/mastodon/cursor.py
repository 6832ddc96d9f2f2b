"""Where reading stands, as a bounded line of JSON: the last id, and the recent posts that edits and deletions are looked for in. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from os.path import commonprefix
from typing import Self

RECENT_MAX = 60


@dataclass(frozen=True, kw_only=True)
class Recent:
    """A post that may still be edited or deleted."""

    id: str
    uid: str
    at: int
    """When it was published, seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class Position:
    """How far an account has been read."""

    actor: str
    """Whose statuses these are: ids mean nothing on another server."""
    last: str | None = None
    """The newest id seen, shown or not."""
    recent: tuple[Recent, ...] = ()

    @classmethod
    def decode(cls, cursor: str | None, actor: str) -> Self | None:
        """The position that ``encode`` wrote for this actor; None for anything else: then reading starts afresh."""
        try:
            data = json.loads(cursor or "null")
            if data["actor"] != actor:
                return None
            recent = tuple(Recent(id=str(i), at=int(at), uid=str(data["prefix"]) + str(rest)) for i, at, rest in data["recent"])
            last = data["last"]
        except (ValueError, TypeError, KeyError):
            return None
        return cls(actor=actor, last=None if last is None else str(last), recent=recent)

    def encode(self) -> str:
        """At most a few kilobytes: the uids of one account begin alike."""
        prefix = commonprefix([recent.uid for recent in self.recent])  # noqa: RUF071 - characters are meant, not folders
        rows = [[recent.id, recent.at, recent.uid.removeprefix(prefix)] for recent in self.recent]
        data = {"actor": self.actor, "last": self.last, "prefix": prefix, "recent": rows}
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    def advanced(self, ids: Iterable[str], shown: Iterable[Recent], now: datetime, window: timedelta) -> Position:
        """The position after having seen ``ids``, of which ``shown`` went out; forgets what left the window or is too much to keep."""
        last = max([*ids, *([self.last] if self.last else [])], key=id_order, default=None)
        kept = {recent.id: recent for recent in (*self.recent, *shown) if recent.at >= (now - window).timestamp()}
        newest = sorted(kept.values(), key=lambda recent: id_order(recent.id))[-RECENT_MAX:]
        return replace(self, last=last, recent=tuple(newest))

    def without(self, uids: Iterable[str]) -> Position:
        """The position once these are known to be gone."""
        gone = set(uids)
        return replace(self, recent=tuple(recent for recent in self.recent if recent.uid not in gone)) if gone else self


def id_order(status_id: str) -> tuple[int, str]:
    """Sorts ids of one server by time: numbers, ULIDs and flakes alike."""
    return (len(status_id), status_id)

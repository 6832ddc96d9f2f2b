"""What is ours in one CalDAV calendar, on disk before it is made there: only that is ever changed or removed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from syndicator.folder import write

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One object, by its name in the calendar."""

    made: bool = False
    """Whether it was seen to be there; until then it may or may not be."""
    etag: str | None = None
    """The server's, as we last saw it; None when it gave none."""
    written: str = ""
    """The digest of what we wrote; empty when that is not known."""
    ends_at: str = ""
    """When its event is over, ISO 8601; empty when that is not known."""
    refused: str = ""
    """The digest of what the calendar did not take, and since when, and why."""
    refused_at: str = ""
    detail: str = ""
    why: dict[str, str] = field(default_factory=dict)

    def done(self, digest: str, etag: str | None, ends_at: datetime) -> Kept:
        """It was written."""
        return Kept(made=True, etag=etag, written=digest, ends_at=ends_at.isoformat())

    def declined(self, digest: str, detail: str, why: dict[str, str], now: datetime) -> Kept:
        """The calendar did not take it."""
        return replace(self, refused=digest, refused_at=now.isoformat(), detail=detail, why=why)


@dataclass(kw_only=True)
class Record:
    """Everything of ours in one calendar."""

    path: Path
    calendar: str
    maker: str
    objects: dict[str, Kept] = field(default_factory=dict)

    @classmethod
    def where(cls, folder: Path, calendar: str) -> Path:
        """Each calendar has a record of its own: what is in another one is not in this one."""
        return folder / f"objects-{hashlib.sha256(calendar.encode()).hexdigest()[:12]}.json"

    @classmethod
    def load(cls, folder: Path, calendar: str) -> Record | None:
        """The record as it was last kept; None when there is none, or it is damaged."""
        path = cls.where(folder, calendar)
        try:
            raw: Any = json.loads(path.read_bytes())
            if raw["version"] != VERSION or raw["calendar"] != calendar:
                return None
            objects = {str(name): Kept(**said) for name, said in raw["objects"].items()}
            return cls(path=path, calendar=calendar, maker=str(raw["maker"]), objects=objects)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def keep(self) -> None:
        """Write it down, whole, before anything else happens. Raises OSError."""
        objects = {name: _brief(kept) for name, kept in sorted(self.objects.items())}
        said = {"version": VERSION, "calendar": self.calendar, "maker": self.maker, "objects": objects}
        write(self.path, json.dumps(said, ensure_ascii=False, indent=0).encode("utf-8", "replace"))


def _brief(kept: Kept) -> dict[str, Any]:
    return {name: value for name, value in asdict(kept).items() if value}

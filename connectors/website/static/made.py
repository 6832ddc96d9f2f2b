"""What the last projections made, on record: which page shows which picture, what git has not heard of yet, whether a build is due."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from syndicator.folder import write


@dataclass(frozen=True, kw_only=True)
class Made:
    """Lost or damaged, everything is made anew, and compared with what is there."""

    form: str = ""
    """Of the options and of the program: with another, every page is made anew."""
    pages: Mapping[str, str | None] = field(default_factory=dict)
    """Page → the picture that it shows."""
    pictures: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """Files of ours that are gone, for git."""
    due: bool = False
    """Whether something changed since the site was last built."""

    @property
    def names(self) -> frozenset[str]:
        """Pages and pictures, as paths below the site."""
        return frozenset((*self.pages, *self.pictures))

    @classmethod
    def read(cls, path: Path) -> Made:
        """What is on record."""
        try:
            raw = json.loads(path.read_bytes())
            return cls(
                form=str(raw["form"]),
                pages={str(name): None if picture is None else str(picture) for name, picture in raw["pages"].items()},
                pictures=tuple(map(str, raw["pictures"])),
                removed=tuple(map(str, raw["removed"])),
                due=bool(raw["due"]),
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def keep(self, path: Path) -> None:
        """Put this on record."""
        write(path, json.dumps(asdict(self), sort_keys=True).encode())

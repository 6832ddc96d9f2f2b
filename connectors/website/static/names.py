"""Names of pages that last: the one that an event got first, whatever becomes of its title. What stands in the folder is the record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from connectors.website import clean
from syndicator.model import Event
from syndicator.text import naming

_FILE = re.compile(r"((?:[a-z0-9-]+-)?([0-9a-f]{10}))\.md")


def names(folder: Path, events: Iterable[Event]) -> Mapping[str, str]:
    """uid → ``bal-folk-3f0a91c27d``: the name of its page in ``folder``, without ``.md``."""
    standing: dict[str, str] = {}
    with suppress(OSError):
        for path in sorted(folder.iterdir(), reverse=True):
            if match := _FILE.fullmatch(path.name):
                standing[match[2]] = match[1]
    found = {}
    for event in events:
        handle = naming.handle(event.uid)
        found[event.uid] = standing.get(handle) or "-".join(part for part in (naming.slug(clean.plain(event.title)), handle) if part)
    return found

"""The last reading of a calendar, on disk: what is left after ``scan.py``, with the validators of the answer it came from.

It is what makes an unchanged calendar cost one conditional request for ever, while the dates of its series move on with time. It holds no
private event and nobody's address, and may be deleted at any moment.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from connectors.ical.scan import Block, Scan


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What one answer held."""

    url: str
    etag: str = ""
    modified: str = ""
    unconditional: bool = False
    """Whether the server sent everything again to who had it already."""
    scan: Scan

    @property
    def digest(self) -> str:
        """Changes when anything that we read changes."""
        return hashlib.sha256(_dump(self.scan)).hexdigest()


def load(path: Path, url: str) -> Snapshot | None:
    """The snapshot of ``url``, if there is a usable one."""
    try:
        raw = json.loads(path.read_bytes())
        if raw["url"] != url:
            return None
        kept = raw["scan"]
        scan = Scan(
            events=tuple(_block(block) for block in kept["events"]),
            zones=tuple(_block(block) for block in kept["zones"]),
            properties=dict(kept["properties"]),
            complete=bool(kept["complete"]),
        )
        return Snapshot(
            url=url, etag=str(raw["etag"]), modified=str(raw["modified"]), unconditional=bool(raw.get("unconditional")), scan=scan
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(path: Path, snapshot: Snapshot) -> None:
    """Keep it, whole or not at all, for our eyes only."""
    validators = {"etag": snapshot.etag, "modified": snapshot.modified, "unconditional": snapshot.unconditional}
    head = json.dumps({"url": snapshot.url, **validators})
    data = head[:-1].encode() + b', "scan": ' + _dump(snapshot.scan) + b"}"
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    draft.replace(path)


def _dump(scan: Scan) -> bytes:
    return json.dumps({
        "events": [_plain(block) for block in scan.events],
        "zones": [_plain(block) for block in scan.zones],
        "properties": scan.properties,
        "complete": scan.complete,
    }).encode()  # fmt: skip


def _plain(block: Block) -> dict[str, object]:
    return {"lines": block.lines, "parts": [_plain(part) for part in block.parts]}


def _block(raw: dict[str, list[list[str]]]) -> Block:
    lines = tuple((str(name), str(line)) for name, line in raw["lines"])
    return Block(lines=lines, parts=tuple(_block(part) for part in raw["parts"]))  # type: ignore[arg-type]

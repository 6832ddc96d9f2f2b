"""How fast letters leave: so many at once as twenty seconds allow, then a rest; kept over a restart, and by all issues together."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from syndicator.folder import write

BURST_S = 20.0


class Pace:
    """Of one account."""

    def __init__(self, path: Path, per_minute: int) -> None:
        self._path = path
        self._each = timedelta(minutes=1) / per_minute
        self.burst = max(1, round(per_minute * BURST_S / 60))
        """How many letters may leave in a row."""

    def free_at(self, now: datetime) -> datetime | None:
        """When the next burst may leave; None: now. A clock that was put back does not make it wait for long."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            at = datetime.fromisoformat(json.loads(self._path.read_bytes())["next_at"])
            if now < at <= now + self._each * self.burst:
                return at
        return None

    def spend(self, letters: int, began: datetime) -> datetime:
        """Write down that so many letters leave from ``began`` on; when the next may."""
        at = began + self._each * letters
        write(self._path, json.dumps({"next_at": at.isoformat()}).encode())
        return at

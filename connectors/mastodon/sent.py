"""Which keys were tried when, and what came of them: so that ``find`` looks far enough back and takes nobody else's post for ours."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

KEPT = 300


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One key: when it was first tried, and the id of what it made, once known."""

    at: datetime
    remote_id: str | None = None


class Sent:
    """A small file in the connector's own folder. Losing it costs certainty, never a post: the outbox is the truth."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._attempts: dict[str, Attempt] | None = None

    async def of_key(self, key: str) -> Attempt | None:
        """What is known of ``key``."""
        return (await self._loaded()).get(key)

    async def ids_of_others(self, key: str) -> frozenset[str]:
        """What other keys made."""
        return frozenset(one.remote_id for name, one in (await self._loaded()).items() if name != key and one.remote_id)

    async def try_now(self, key: str, now: datetime) -> None:
        """Note that ``key`` is about to be used."""
        attempts = await self._loaded()
        if key not in attempts:
            attempts[key] = Attempt(at=now)
            await asyncio.to_thread(self._save, attempts)

    async def made(self, key: str, now: datetime, remote_id: str) -> None:
        """Note what ``key`` made."""
        attempts = await self._loaded()
        attempts[key] = replace(attempts.get(key, Attempt(at=now)), remote_id=remote_id)
        await asyncio.to_thread(self._save, attempts)

    async def _loaded(self) -> dict[str, Attempt]:
        if self._attempts is None:
            self._attempts = await asyncio.to_thread(self._load)
        return self._attempts

    def _load(self) -> dict[str, Attempt]:
        with suppress(OSError, ValueError, TypeError, AttributeError):
            entries = json.loads(self._path.read_bytes())
            return {key: Attempt(at=datetime.fromisoformat(at), remote_id=remote_id) for key, (at, remote_id) in entries.items()}
        return {}

    def _save(self, attempts: dict[str, Attempt]) -> None:
        for key in list(attempts)[:-KEPT]:
            del attempts[key]
        with suppress(OSError):
            unfinished = self._path.with_suffix(".tmp")
            unfinished.write_text(json.dumps({key: [one.at.isoformat(), one.remote_id] for key, one in attempts.items()}))
            unfinished.replace(self._path)

"""A small file of the connector's own: whose strings these are, and which keys were tried when.

Losing it costs a cent and some certainty, never a post: the outbox is the truth.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

KEPT = 300


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose strings these are."""

    id: str
    username: str


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One key: when it was first tried, and the id of what it made, once known."""

    at: datetime
    remote_id: str | None = None


class Memory:
    """What survives a restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loaded = False
        self._account: tuple[str, str, Account] | None = None
        """For which strings, asked on which day."""
        self._attempts: dict[str, Attempt] = {}

    async def account(self, mark: str, day: str) -> Account | None:
        """The owner of the strings with this ``mark``, if X told it on that day and has not refused them since."""
        await self._load_once()
        known = self._account
        return known[2] if known is not None and known[:2] == (mark, day) else None

    async def keep_account(self, mark: str, day: str, account: Account) -> None:
        """X has told."""
        await self._load_once()
        self._account = (mark, day, account)
        await asyncio.to_thread(self._save)

    async def forget_account(self) -> None:
        """X has refused the strings: what was known of them is worth nothing."""
        await self._load_once()
        if self._account is not None:
            self._account = None
            await asyncio.to_thread(self._save)

    async def attempt(self, key: str) -> Attempt | None:
        """What is known of ``key``."""
        await self._load_once()
        return self._attempts.get(key)

    async def ids_of_others(self, key: str) -> frozenset[str]:
        """What other keys made."""
        await self._load_once()
        return frozenset(one.remote_id for name, one in self._attempts.items() if name != key and one.remote_id)

    async def trying(self, key: str, now: datetime) -> None:
        """Note that ``key`` is about to be used."""
        await self._load_once()
        if key not in self._attempts:
            self._attempts[key] = Attempt(at=now)
            await asyncio.to_thread(self._save)

    async def made(self, key: str, now: datetime, remote_id: str) -> None:
        """Note what ``key`` made."""
        await self._load_once()
        self._attempts[key] = replace(self._attempts.get(key, Attempt(at=now)), remote_id=remote_id)
        await asyncio.to_thread(self._save)

    async def failed(self, key: str) -> None:
        """Note that ``key`` surely made nothing."""
        if self._attempts.pop(key, None) is not None:
            await asyncio.to_thread(self._save)

    async def _load_once(self) -> None:
        if not self._loaded:
            await asyncio.to_thread(self._load)
            self._loaded = True

    def _load(self) -> None:
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            found: dict[str, Any] = json.loads(self._path.read_bytes())
            self._attempts = {key: Attempt(at=datetime.fromisoformat(at), remote_id=made) for key, (at, made) in found["keys"].items()}
            if found["account"]:
                mark, day, number, username = found["account"]
                self._account = (mark, day, Account(id=number, username=username))

    def _save(self) -> None:
        self._attempts = dict(list(self._attempts.items())[-KEPT:])
        known = self._account
        document = {
            "account": [known[0], known[1], known[2].id, known[2].username] if known else None,
            "keys": {key: [one.at.isoformat(), one.remote_id] for key, one in self._attempts.items()},
        }
        with suppress(OSError):
            unfinished = self._path.with_suffix(".tmp")
            unfinished.write_text(json.dumps(document))
            unfinished.replace(self._path)

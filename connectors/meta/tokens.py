"""A token that lives for sixty days and is renewed long before: Instagram's and Threads' alike.

https://developers.facebook.com/documentation/instagram-platform/reference/refresh_access_token: any token that is at least a day old and
has not expired gives a new one, good for sixty days. What the configuration holds is only the first of them; those that follow are kept in
the state folder, readable by us alone, until the configuration holds another.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from connectors.meta.graph import Graph
from syndicator.contract import Context, Secret
from syndicator.errors import ConnectorError

RENEW_AFTER = timedelta(days=7)
RIPE = timedelta(hours=25)
"""A token is not renewed on its first day; ours may be a little older than when we first saw it, never younger."""
TRY_AGAIN = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The token in use."""

    seed: str
    """The digest of the configured token that it descends from."""
    token: Secret
    at: datetime
    """When it was issued; for the configured one, when we first saw it."""
    expires_at: datetime | None = None
    """None for the configured one: nobody tells."""


class LongLived:
    """The token of one account, renewed in time."""

    def __init__(self, context: Context, configured: Secret, graph: Graph, grant_type: str) -> None:
        self._context = context
        self._configured = Secret(configured.reveal().strip())
        self._graph = graph
        """The host without a version: where tokens are renewed."""
        self._grant_type = grant_type
        self._file = context.state_dir / "token.json"
        self._kept: Kept | None = None
        self._tried_at: datetime | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When the token in use dies; None when that is not known yet."""
        return self._kept.expires_at if self._kept else None

    async def current(self) -> Secret:
        """The token to speak with."""
        return (await self._current()).token

    async def _current(self) -> Kept:
        if self._kept is None:
            seed = hashlib.sha256(self._configured.reveal().encode()).hexdigest()
            kept = await asyncio.to_thread(_read, self._file)
            if kept is None or kept.seed != seed:
                kept = Kept(seed=seed, token=self._configured, at=self._context.now())
                await self._keep(kept)
            self._kept = kept
        return self._kept

    async def renew(self) -> None:
        """Exchange it for a new one when it is time. Failing is no reason to stop: there are weeks left to try again."""
        kept, now = await self._current(), self._context.now()
        due_at = kept.at + (RENEW_AFTER if kept.expires_at else RIPE)
        if now < due_at or (self._tried_at is not None and now - self._tried_at < TRY_AGAIN):
            return
        self._tried_at = now
        params = {"grant_type": self._grant_type, "access_token": kept.token.reveal()}
        try:
            answer = await self._graph.call("GET", "refresh_access_token", kept.token, params=params)
        except ConnectorError as error:
            self._context.log.warning("token not renewed: %s", error.detail)
            return
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(seconds, int):
            self._context.log.warning("token not renewed: the answer holds none")
            return
        self._kept = replace(kept, token=Secret(token), at=now, expires_at=now + timedelta(seconds=seconds))
        await self._keep(self._kept)

    async def _keep(self, kept: Kept) -> None:
        try:
            await asyncio.to_thread(_write, self._file, kept)
        except OSError as error:
            self._context.log.warning("token not kept: %s", error.strerror)


def _read(file: Path) -> Kept | None:
    """None when there is nothing that can be used: then the configured token is."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        entry = json.loads(file.read_bytes())
        expires_at = entry["expires_at"]
        return Kept(
            seed=str(entry["seed"]),
            token=Secret(str(entry["token"])),
            at=datetime.fromisoformat(entry["at"]),
            expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        )
    return None


def _write(file: Path, kept: Kept) -> None:
    """Whole or not at all, and never readable by anybody else."""
    entry = {
        "seed": kept.seed,
        "token": kept.token.reveal(),
        "at": kept.at.isoformat(),
        "expires_at": kept.expires_at.isoformat() if kept.expires_at else None,
    }
    draft = file.with_name(f".{file.name}.tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
        stream.write(json.dumps(entry).encode())
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)

"""What the tests of X share: the account's simulator, its options, a publisher that is logged in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from connectors.x import XPublisher
from syndicator.contract import Secret
from syndicator.http import Sessions
from syndicator.model import Attachment
from syndicator.sandbox.x import KEYS, XSimulator
from syndicator.testing import make_context
from tests.clock import Clock
from tests.media_scene import Files

SECRETS = (KEYS.consumer_key, KEYS.consumer_secret, KEYS.token, KEYS.token_secret)


def options_for(server: XSimulator, **changes: Any) -> Any:
    names = ("api_key", "api_key_secret", "access_token", "access_token_secret")
    return XPublisher.Options(**{"api": server.url, **dict(zip(names, map(Secret, SECRETS), strict=True)), **changes})


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[XSimulator]:
    async with XSimulator(now=clock) as server:
        yield server


@pytest.fixture
async def publisher(server: XSimulator, sessions: Sessions, tmp_path: Path, clock: Clock) -> XPublisher:
    return await opened(server, sessions, tmp_path, clock)


async def opened(server: XSimulator, sessions: Sessions, tmp_path: Path, clock: Clock, **changes: Any) -> XPublisher:
    """As after a restart: what was in the state folder is there still."""
    publisher = XPublisher(options_for(server, **changes), make_context(tmp_path, sessions, now=clock))
    await publisher.open()
    return publisher


def pictures(files: Files, *names: str, description: str = "Deux vélos") -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description=description) for name in names)


def film(files: Files) -> tuple[Attachment, ...]:
    return (Attachment(url=f"{files.url}/film.mp4", type="video", description="Une balade"),)


def asked(server: XSimulator) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in server.requests]


def bodies(server: XSimulator, path: str) -> list[Any]:
    return [json.loads(seen.body) for seen in server.requests if seen.method == "POST" and seen.path == path]

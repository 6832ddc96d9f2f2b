"""The association on a Mastodon-like server, and the source that reads it: what the tests of the source share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.mastodon.source import MastodonSource
from syndicator.contract import Context, Secret
from syndicator.http import Sessions
from syndicator.model import Batch, Post
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mastodon_world import Account, Media, Status
from syndicator.testing import NOW, make_context

PICTURE = b"\xff\xd8\xff\xe0 a picture"


def picture(simulator: MastodonSimulator, account: Account, description: str = "Trois vélos contre un mur", **fields: Any) -> Media:
    """Put a picture on the server."""
    world = simulator.world
    media = Media(id=world.next_id(), account_id=account.id, type="image", data=PICTURE, media_type="image/jpeg", description=description)
    world.media[media.id] = media
    for name, value in fields.items():
        setattr(media, name, value)
    return media


def post(simulator: MastodonSimulator, content: str, **fields: Any) -> Status:
    """Let the association write; on Pixelfed a picture comes with it."""
    account = asso(simulator)
    media = [picture(simulator, account).id] if simulator.flavour.name == "pixelfed" else []
    return simulator.world.post(account, content, **{"media_ids": media, **fields})


def asso(simulator: MastodonSimulator) -> Account:
    """The association's account."""
    account = simulator.account_named("asso")
    assert account is not None
    return account


def uid(simulator: MastodonSimulator, status: Status) -> str:
    """The ActivityPub id."""
    return simulator.shapes.uri(status)


@pytest.fixture(name="sessions")
async def given_sessions() -> AsyncIterator[Sessions]:
    sessions = Sessions()
    yield sessions
    await sessions.close()


@pytest.fixture(name="clock")
def given_clock() -> list[datetime]:
    """The present, as its only element."""
    return [NOW]


@pytest.fixture(name="context")
def given_context(tmp_path: Path, sessions: Sessions, clock: list[datetime]) -> Context:
    return make_context(tmp_path, sessions, now=lambda: clock[0])


Build = Callable[..., Any]


@pytest.fixture(name="build")
async def given_build(clock: list[datetime]) -> AsyncIterator[Build]:
    """Make a started simulator with the association's account."""
    made: list[MastodonSimulator] = []

    async def build(**options: Any) -> MastodonSimulator:
        simulator = MastodonSimulator(now=lambda: clock[0], **options)
        simulator.world.add_account("asso", "Les Amis du Vélo")
        made.append(simulator)
        return await simulator.start()

    yield build
    for simulator in made:
        await simulator.stop()


@pytest.fixture(name="opened")
async def given_opened(context: Context) -> AsyncIterator[Build]:
    """Make an open source for a simulator's association."""
    made: list[MastodonSource] = []

    async def opened(simulator: MastodonSimulator, *, token: bool = False, **options: Any) -> MastodonSource:
        secret = Secret(simulator.world.add_token(asso(simulator), "read:statuses", "read:accounts")) if token else None
        account = options.pop("account", simulator.shapes.profile_url(asso(simulator)))
        source = MastodonSource(MastodonSource.Options(account=account, token=secret, **options), context)
        made.append(source)
        await source.open()
        return source

    yield opened
    for source in made:
        await source.close()


def texts(batch: Batch) -> list[str]:
    """The bodies, in order."""
    return [item.html for item in batch.changed if isinstance(item, Post)]

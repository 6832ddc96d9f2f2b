"""A simulated PDS with the association's account, and publishers that write to it: what the Bluesky tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.bluesky import BlueskyPublisher, session
from syndicator.contract import Secret
from syndicator.http import Sessions
from syndicator.sandbox.bluesky import BlueskySimulator
from syndicator.sandbox.server import Seen, Simulator
from syndicator.testing import make_context
from tests.clock import Clock

PUT = "com.atproto.repo.putRecord"


@pytest.fixture(autouse=True, name="quick")
def given_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of the password is slow to guess, and as slow to make: here it need not be."""
    monkeypatch.setattr(session, "ROUNDS", 10)


class Server(BlueskySimulator):
    """A PDS with the association's account."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        super().__init__(now=self.clock, **options)
        self.asso = self.add_account("asso.bsky.social")

    @property
    def records(self) -> list[dict[str, Any]]:
        """The account's posts, without the names and CIDs of the server."""
        return [{key: value for key, value in post.items() if key not in ("rkey", "cid")} for post in self.posts(self.asso)]

    def asked(self, name: str) -> list[Seen]:
        """The requests for the procedure ``name`` that arrived."""
        return [seen for seen in self.requests if seen.path == f"/xrpc/{name}"]

    def put(self) -> list[dict[str, Any]]:
        """The bodies of the records that were sent."""
        return [json.loads(seen.body) for seen in self.asked(PUT)]


def options_for(server: Simulator, **changes: Any) -> Any:
    return BlueskyPublisher.Options(
        **{"handle": "asso.bsky.social", "app_password": Secret("abcd-efgh-ijkl-mnop"), "pds": server.url, **changes}
    )


def publisher_for(server: Server, sessions: Sessions, folder: Path, **changes: Any) -> BlueskyPublisher:
    """Not open yet; the same folder is the same state."""
    return BlueskyPublisher(options_for(server, **changes), make_context(folder, sessions, now=server.clock))


async def opened(server: Server, sessions: Sessions, folder: Path, **changes: Any) -> BlueskyPublisher:
    publisher = publisher_for(server, sessions, folder, **changes)
    await publisher.open()
    return publisher

"""A simulated server with the association's account, and publishers that write to it: what the tests of the publisher share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.mastodon.client import Client
from connectors.mastodon.publisher import MastodonPublisher
from syndicator.contract import Secret
from syndicator.http import Http, Sessions
from syndicator.model import Attachment
from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.server import Simulator
from syndicator.testing import make_context
from syndicator.text.html import to_text
from tests.clock import Clock
from tests.media_scene import Files

SCOPES = ("read:accounts", "read:statuses", "write:statuses", "write:media")


class Server(MastodonSimulator):
    """A server with the association's account."""

    def __init__(self, *, flavour: Any = "mastodon", scopes: tuple[str, ...] = SCOPES, **options: Any) -> None:
        self.clock = Clock()
        super().__init__(now=self.clock, flavour=flavour, **options)
        self.asso = self.world.add_account("asso", "Les Amis du Vélo")
        self.token = self.world.add_token(self.asso, *scopes)
        self.clock.forward(minutes=1)

    @property
    def shown(self) -> list[str]:
        """The account's statuses as text, oldest first."""
        return [to_text(status.content) for status in self.world.of_account(self.asso.id)]


def options_for(server: Simulator, **changes: Any) -> Any:
    assert isinstance(server, Server)
    return MastodonPublisher.Options(**{"url": server.url, "token": Secret(server.token), **changes})


async def opened(server: Server, sessions: Sessions, folder: Path, **changes: Any) -> MastodonPublisher:
    context = make_context(folder, sessions, now=server.clock)
    publisher = MastodonPublisher(options_for(server, **changes), context)
    await publisher.open()
    return publisher


def picture(files: Files, description: str = "Deux vélos contre un mur") -> Attachment:
    return Attachment(url=f"{files.url}/velo.jpg", description=description, focus=(0.5, -0.25))


def film(files: Files) -> Attachment:
    return Attachment(url=f"{files.url}/film.mp4", type="video", description="Une balade")


def client_of(server: Simulator, sessions: Sessions, *, token: str = "tok-xyz", private: bool = True) -> Client:
    http = Http(
        sessions=sessions,
        now=server.now,
        user_agent="syndicator-tests (+https://asso.example/)",
        allow_private=frozenset({"127.0.0.1"}) if private else frozenset(),
    )
    return Client(server.url, Secret(token), http)

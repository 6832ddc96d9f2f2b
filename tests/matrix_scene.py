"""A simulated homeserver with the association's account in a room, and publishers that write there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.matrix import MatrixPublisher
from syndicator.contract import Secret
from syndicator.http import Sessions
from syndicator.model import Attachment
from syndicator.sandbox.matrix import MatrixSimulator
from syndicator.sandbox.server import Simulator
from syndicator.testing import make_context
from tests.clock import Clock
from tests.media_scene import Files

PASSWORD = "correct horse battery staple"
ROOM = "#annonces:asso.example"


class Server(MatrixSimulator):
    """A homeserver with the association's account in the room."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(now=self.clock)
        self.user = self.add_account("agenda", PASSWORD)
        self.token = self.add_token(self.user, "ELEMENT")
        self.room.members.add(self.user)

    @property
    def texts(self) -> list[str]:
        """What people read, oldest first, without the files' captions."""
        shown = [self.room.shown(event) for event in self.room.messages]
        return [content["body"] for content in shown if content["msgtype"] in ("m.text", "m.notice")]

    @property
    def files(self) -> list[tuple[str, str]]:
        """Kind and caption of each file, oldest first."""
        shown = [self.room.shown(event) for event in self.room.messages]
        return [(content["msgtype"], content["body"]) for content in shown if "url" in content]

    def asked(self, part: str) -> int:
        """How many requests had that in their path."""
        return sum(part in seen.path for seen in self.requests)


def options_for(server: Simulator, **changes: Any) -> Any:
    assert isinstance(server, Server)
    return MatrixPublisher.Options(**{"homeserver": server.url, "room": ROOM, "access_token": Secret(server.token), **changes})


def with_password(server: Server, **changes: Any) -> Any:
    return options_for(server, access_token=None, user=server.user, password=Secret(PASSWORD), **changes)


async def opened(server: Server, sessions: Sessions, folder: Path, options: Any = None) -> MatrixPublisher:
    publisher = MatrixPublisher(options or options_for(server), make_context(folder, sessions, now=server.clock))
    await publisher.open()
    return publisher


def pictures(files: Files, *names: str, description: str = "Deux vélos") -> tuple[Attachment, ...]:
    return tuple(Attachment(url=f"{files.url}/{name}", description=description) for name in names)

"""A network of Meta's that fetches from our own web server, and publishers used as the core uses them: what the tests of both share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from syndicator.contract import Context
from syndicator.errors import ConnectorError, Unprepared
from syndicator.http import Sessions
from syndicator.model import Attachment, Receipt, Rendition
from syndicator.sandbox.server import Simulator
from syndicator.testing import NOW, make_context
from syndicator.web import Health, PublicServer, Site
from tests.clock import Clock
from tests.media_scene import Files, photo


class Visitors:
    """The association's public folder, served by our own web server."""

    def __init__(self, folder: Path) -> None:
        sites = [Site(prefix="/", folder=folder)]
        self.server = PublicServer(sites=lambda: sites, health=lambda: Health(ok=True, since=NOW), metrics=str, now=lambda: NOW)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/"

    async def __aenter__(self) -> Visitors:
        await self.server.start("127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.server.stop()


class AsTheCore:
    """A publisher used as the core uses it: what was prepared is kept by key, and prepared anew when that is asked for. An item without a
    picture gets one, where the network takes none without.
    """

    publisher: type[Any]
    picture: Attachment | None = None

    def __init__(self, options: Any, context: Context) -> None:
        self._inner = self.publisher(options, context)
        self._prepared: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _shown(self, rendition: Rendition) -> Rendition:
        return rendition if rendition.attachments or self.picture is None else replace(rendition, attachments=(self.picture,))

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        shown = self._shown(rendition)
        prepared = prepared or self._prepared.get(key) or await self._inner.prepare(shown, key, parent=parent)
        self._prepared[key] = prepared
        try:
            receipt: Receipt = await self._inner.publish(shown, key, parent=parent, prepared=prepared)
        except Unprepared:
            del self._prepared[key]
            raise
        return receipt

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:
        found: Receipt | None = await self._inner.find(key, self._shown(rendition), prepared=prepared or self._prepared.get(key))
        return found


def asked(server: Simulator, method: str, part: str) -> int:
    """How many requests with this method had this part in their path."""
    return sum(seen.method == method and part in seen.path for seen in server.requests)


def pictures(files: Files, *names: str, **changes: Any) -> tuple[Attachment, ...]:
    """What an item shows, as its origin serves it."""
    return tuple(Attachment(url=f"{files.url}/{name}", description=f"Photo {name}", **changes) for name in names)


@asynccontextmanager
async def strangers() -> AsyncIterator[Files]:
    """The origin: pictures of a shape that every network takes."""
    async with Files() as files:
        files.files |= {f"{number}.jpg": photo(640 + number, 480) for number in range(22)}
        yield files


@asynccontextmanager
async def scene(folder: Path, clock: Clock, name: str = "under-test") -> AsyncIterator[Context]:
    """A context whose public folder visitors can open."""
    sessions = Sessions()
    context = make_context(folder, sessions, name=name, now=clock)
    async with Visitors(context.public_dir) as visitors:
        yield replace(context, public_url=visitors.url)
    await sessions.close()


def told(error: ConnectorError, *more: object) -> str:
    """Everything that an error and what is around it can show."""
    texts, seen = [repr(one) for one in more], error.__cause__ or error.__context__
    texts += [repr(error), str(error), repr(vars(error))]
    while seen is not None:
        texts += [repr(seen), repr(vars(seen))]
        seen = seen.__cause__ or seen.__context__
    return " ".join(texts)

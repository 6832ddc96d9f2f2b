"""What every source promises, with a real WordPress at the other end. Run by the scene, which says where the site is."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.feed import FeedSource
from interop.relay import Relay
from interop.site_server import Editor
from syndicator.contract import Context
from syndicator.http import Sessions
from syndicator.sandbox.server import Simulator
from syndicator.testing import SourceContract, make_context

WHERE, PASSWORD = "SYNDICATOR_INTEROP_SITE", "SYNDICATOR_INTEROP_SITE_PASSWORD"
SECRET = "Procès-verbal confidentiel"  # noqa: S105 - of an assembly


def environ(site: Editor) -> Mapping[str, str]:
    """What the tests must be told."""
    return {WHERE: site.url, PASSWORD: site.password}


class Site(Relay):
    """The real site, with three articles on it."""

    def __init__(self) -> None:
        super().__init__(os.environ[WHERE])
        self.editor = Editor(url=os.environ[WHERE], password=os.environ[PASSWORD])
        self.articles: list[dict[str, Any]] = []

    async def fill(self) -> None:
        """Away with what the test before left; three articles of this morning."""
        await self.editor.empty()
        for hours in (3, 2, 1):
            at = datetime.now(UTC) - timedelta(hours=hours)
            self.articles.append(await self.editor.publish(f"Article {hours}", date_gmt=f"{at:%Y-%m-%dT%H:%M:%S}"))


class TestRealServer(SourceContract):
    """Each test on a site with three articles."""

    connector = FeedSource
    path = "/feed"

    @pytest.fixture
    async def context(self, tmp_path: Path) -> AsyncIterator[Context]:
        """By the real clock, since the site goes by it."""
        sessions = Sessions()
        yield make_context(tmp_path, sessions, now=lambda: datetime.now(UTC))
        await sessions.close()

    async def start(self) -> Simulator:
        site = Site()
        await site.fill()
        return await site.start()

    def options(self, simulator: Simulator) -> Any:
        return FeedSource.Options(url=f"{simulator.url}/feed/")

    async def add(self, simulator: Simulator) -> str:
        assert isinstance(simulator, Site)
        return str((await simulator.editor.publish("Nouvel article"))["guid"]["rendered"])

    async def edit(self, simulator: Simulator) -> str:
        assert isinstance(simulator, Site)
        article = simulator.articles[0]
        await simulator.editor.api(f"posts/{article['id']}", {"title": "Titre corrigé", "slug": "nouveau-slug"})
        return str(article["guid"]["rendered"])

    async def remove(self, simulator: Simulator) -> str:
        assert isinstance(simulator, Site)
        article = simulator.articles[0]
        await simulator.editor.api(f"posts/{article['id']}", {}, method="DELETE")
        return str(article["guid"]["rendered"])

    async def hide(self, simulator: Simulator) -> str:
        assert isinstance(simulator, Site)
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
        for fields in ({"status": "draft"}, {"status": "private"}, {"status": "future", "date_gmt": tomorrow}, {"password": "sésame"}):
            await simulator.editor.publish(SECRET, SECRET, **fields)
        return SECRET

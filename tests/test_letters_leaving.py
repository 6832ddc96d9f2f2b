"""An issue by the real engine to its archive, to Mailtrain and to a network: in that order, each once, killed or not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.letters import LettersProjection
from connectors.mailtrain import MailtrainPublisher
from syndicator import steps
from syndicator.cli.preview import _waiting
from syndicator.config import Config, DestinationConfig, Network
from syndicator.contract import Limits, Secret
from syndicator.foreseeing import places
from syndicator.letter.newsletter import Newsletter
from syndicator.letter.schedule import parse
from syndicator.sandbox.mailtrain import MailtrainSimulator
from syndicator.sandbox.server import Fault
from tests.engine_scene import FindableWall, Scene, Screen, Wall, World, configuration, destination, post, projection, source, stage

DUE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
URL = "https://agenda.example/"
GUID = "urn:syndicator:asso:newsletter:lettre:2026-11-23"


class Network500(FindableWall):
    """A network of five hundred characters."""

    limits = Limits(text_max=500, url_length=23)


@asynccontextmanager
async def newsroom(folder: Path, server: MailtrainSimulator, *, archive: bool = True) -> AsyncIterator[Scene]:
    """An association whose letter goes to an archive, to Mailtrain and to a network, and to a page."""
    ways = ("mailtrain", "reseau", "page", *(["archives"] if archive else []))
    letter = Newsletter(
        name="lettre", title="La lettre du vélo", schedule=parse("chaque lundi à 9h"), sources=("toots",), destinations=ways
    )

    def config(world: World, wall: Wall, screen: Screen) -> Config:
        options = MailtrainPublisher.Options(url=server.url, campaign=server.campaign, token=Secret(server.token))
        mailtrain: Any = {"type": "mailtrain", "role": "publisher", "connector": MailtrainPublisher, "options": options}
        archives: Any = {"type": "letters", "role": "projection", "connector": LettersProjection, "options": LettersProjection.Options()}
        both = [
            DestinationConfig(name="mailtrain", title="Mailtrain", **mailtrain),
            DestinationConfig(name="archives", title="Archives", **archives),
        ]
        plain = [destination(wall, name="reseau", kind=Network500), projection(screen)]
        made = configuration(folder, [source(world)], [*both, *plain], [])
        made = replace(made, public_url=URL, network=Network(allow_private=frozenset({"127.0.0.1"})))
        return replace(made, newsletters={"lettre": letter})

    async with stage(folder, config=config) as made:
        server.feed = (made.config.public_dir / "lettres" / "latest-lettre.rss").read_bytes
        await steps.issue(made.tenant)
        made.world.show(post(1, "Un atelier samedi"))
        made.clock.at = DUE
        await made.poll()
        await steps.issue(made.tenant)
        yield made


@pytest.fixture
async def server() -> AsyncIterator[MailtrainSimulator]:
    async with MailtrainSimulator() as server:
        yield server


async def test_each_way_has_the_issue(server: MailtrainSimulator, tmp_path: Path) -> None:
    """The network's message leads to a page that is there; Mailtrain's readers get the whole."""
    async with newsroom(tmp_path, server) as made:
        await made.deliver("mailtrain")
        assert (server.asked, await made.problems()) == (0, [])
        await steps.project(made.tenant, "archives")
        made.clock.go(minutes=1)
        await made.deliver("mailtrain")
        await made.deliver("reseau")
        server.look()

        ((text,), (sent,)) = made.wall.texts, server.sent
        link = text.split()[-1]
        assert link.startswith(f"{URL}lettres/")
        assert (made.config.public_dir / link.removeprefix(URL)).is_file()
        assert text.startswith("La lettre du vélo : Un atelier samedi")
        assert (sent.guid, "Un atelier samedi" in sent.html) == (GUID, True)


async def test_without_an_archive_nothing_leads_there(server: MailtrainSimulator, tmp_path: Path) -> None:
    """A page that shows posts has no page of the issue."""
    async with newsroom(tmp_path, server, archive=False) as made:
        await made.deliver("reseau")
        await steps.project(made.tenant, "page")

        assert [URL in text for text in made.wall.texts] == [False]
        assert [item.url for item in made.screen.views[-1].items if getattr(item, "kind", "") == "digest"] == [""]


async def test_the_preview_shows_the_message(server: MailtrainSimulator, tmp_path: Path) -> None:
    """As the network will get it, before it leaves; letters have a preview of their own."""
    async with newsroom(tmp_path, server) as made:
        where = places(made.config, {"reseau": Network500.limits, "mailtrain": MailtrainPublisher.limits})
        (shown,) = await _waiting(made.config, made.tenant.ledger, where, made.clock())
        await made.deliver("reseau")

        assert [one.text for one in shown.renditions] == made.wall.texts


@pytest.mark.parametrize("action", ["drop", "lose", "truncate"])
async def test_a_lost_answer_and_a_restart(server: MailtrainSimulator, tmp_path: Path, action: Any) -> None:
    """Asked again by itself; nobody gets it twice, nobody is asked to look."""
    async with newsroom(tmp_path, server) as made:
        await steps.project(made.tenant, "archives")
        server.fault(Fault(action=action, path="/rss/fetch", times=4))
        for hours in range(4):
            made.clock.at = DUE + timedelta(hours=hours)
            await made.deliver("mailtrain")
            server.look()
            await made.restart()
        server.faults.clear()
        await made.settle("mailtrain")
        server.look()

        assert [one.guid for one in server.sent] == [GUID]
        assert [row.state for row in await made.rows() if row.destination == "mailtrain"] == ["done"]


async def test_killed_while_asking(server: MailtrainSimulator, tmp_path: Path) -> None:
    """Mailtrain heard it, we died before its answer: asked again, sent once."""
    async with newsroom(tmp_path, server) as made:
        await steps.project(made.tenant, "archives")
        server.fault(Fault(action="stall", path="/rss/fetch", delay_s=30))
        asking = asyncio.create_task(made.deliver("mailtrain"))
        await server.heard.wait()
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        server.look()
        await made.restart()
        await made.settle("mailtrain")
        server.look()

        assert [one.guid for one in server.sent] == [GUID]
        assert server.asked == 2
        assert [row.state for row in await made.rows() if row.destination == "mailtrain"] == ["done"]

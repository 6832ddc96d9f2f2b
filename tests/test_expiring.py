"""Credentials that run out: renewed once a day by the connector, told to a person in time where that does not help."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest

from syndicator.alerts import as_data
from syndicator.assemble import make_connector
from syndicator.cli.check import _about, _budget
from syndicator.cli.status import _expiry, state_of
from syndicator.contract import Context
from syndicator.errors import AuthExpired, Words, words
from syndicator.expiring import day
from syndicator.route import Pace
from tests.engine_scene import (
    START,
    BlindSource,
    FindableWall,
    Scene,
    Screen,
    Wall,
    WallOptions,
    World,
    configuration,
    destination,
    post,
    projection,
    route,
    source,
    stage,
)


@dataclass(kw_only=True)
class Permit:
    """What a service says of a credential, and how often it was asked and let go."""

    until: datetime | None
    renews: timedelta | None = None
    """How much longer it lives with each opening."""
    opened: int = 0
    closed: int = 0
    renewal: Words | None = None


@dataclass(frozen=True, kw_only=True)
class PermitOptions(WallOptions):
    permit: Permit = field(default_factory=lambda: Permit(until=None))


class PermitWall(FindableWall):
    """Knows when its credential dies, once open."""

    Options: ClassVar[type[Any]] = PermitOptions

    def __init__(self, options: PermitOptions, context: Context) -> None:
        super().__init__(options, context)
        self.permit, self._now = options.permit, context.now
        self.expires_at: datetime | None = None
        self.renewal = options.permit.renewal

    async def open(self) -> None:
        await super().open()
        self.permit.opened += 1
        if self.permit.renews is not None:
            self.permit.until = self._now() + self.permit.renews
        self.expires_at = self.permit.until

    async def close(self) -> None:
        self.permit.closed += 1


def permitted(folder: Path, permit: Permit) -> Any:
    """An association whose wall has a permit."""

    def config(world: World, wall: Wall, screen: Screen) -> Any:
        one = replace(destination(wall, kind=PermitWall), options=PermitOptions(wall=wall, permit=permit))
        return configuration(folder, [source(world)], [one, projection(screen)], [route()])

    return stage(folder, config=config)


async def told(scene: Scene) -> list[tuple[str, str]]:
    return [(problem.subject, problem.kind) for problem in await scene.problems()]


async def test_a_person_is_told_ten_days_before(tmp_path: Path) -> None:
    """Not earlier; once; with the date and what to do; and no more once it is renewed."""
    permit = Permit(until=START + timedelta(days=12))
    async with permitted(tmp_path, permit) as scene:
        for _ in range(2):
            await scene.deliver()
            scene.clock.go(days=1)
        assert await told(scene) == []
        for _ in range(3):
            scene.clock.go(days=1)
            await scene.deliver()
        (problem,) = await scene.problems()
        assert (problem.subject, problem.kind, problem.since) == ("expiring:destination:wall", "expiring", START + timedelta(days=3))
        said = as_data(problem, "fr")
        assert said["what"] == "L'accès à « wall » expire bientôt."
        assert said["todo"].startswith("Il expire le 03/12/2026. Créez un nouvel accès")

        permit.until = START + timedelta(days=60)
        scene.clock.go(days=1)
        await scene.deliver()
        assert await told(scene) == []


async def test_the_connectors_own_advice_goes_first(tmp_path: Path) -> None:
    """It knows the page where a new credential is made."""
    permit = Permit(until=START + timedelta(days=2), renewal=words(fr="Allez à la page des jetons.", en="Go to the page of tokens."))
    async with permitted(tmp_path, permit) as scene:
        await scene.deliver()
        assert [problem.hint for problem in await scene.problems()] == ["Il expire le 23/11/2026. Allez à la page des jetons."]


async def test_a_connector_may_renew_once_a_day_and_no_oftener(tmp_path: Path) -> None:
    """It is closed and opened again between two deliveries; one that renews itself never troubles anybody."""
    permit = Permit(until=None, renews=timedelta(days=11))
    async with permitted(tmp_path, permit) as scene:
        for _ in range(72):
            await scene.deliver()
            scene.clock.go(hours=1)
        assert (permit.opened, permit.closed, await told(scene)) == (3, 2, [])
        scene.world.show(post(1, "A", published_at=scene.clock()))
        await scene.poll()
        await scene.settle()
        assert (permit.opened, scene.wall.texts) == (4, ["A"])


async def test_a_renewal_that_is_refused_is_an_access_that_is_lost(tmp_path: Path) -> None:
    """Told as such; sending rests and goes on by itself."""
    permit = Permit(until=START + timedelta(days=90))
    async with permitted(tmp_path, permit) as scene:
        await scene.deliver()
        scene.wall.fail("open", AuthExpired("401"))
        scene.clock.go(days=1)
        await scene.deliver()
        assert await told(scene) == [("destination:wall", "auth")]
        scene.clock.go(hours=1)
        await scene.deliver()
        assert await told(scene) == []


async def test_an_account_that_says_nothing_stays_open(tmp_path: Path) -> None:
    """Only what runs out is opened again."""
    async with stage(tmp_path) as scene:
        for _ in range(4):
            await scene.deliver()
            scene.clock.go(days=1)
        assert scene.wall.calls == ["open"]


class PermitSource(BlindSource):
    """A source whose token runs out."""

    expires_at: datetime | None = START + timedelta(days=3)


async def test_a_source_too(tmp_path: Path) -> None:
    """Opened again once a day by its poll; told under its own name; forgotten with its section."""
    async with stage(tmp_path, source_kind=PermitSource) as scene:
        scene.clock.go(days=1)
        first = scene.tenant.connectors["sources.toots"]
        await scene.poll()
        assert scene.tenant.connectors["sources.toots"] is not first
        assert await told(scene) == [("expiring:source:toots", "expiring")]
        await scene.restart(replace(scene.config, sources={}))
        assert await told(scene) == []


async def test_status_shows_the_date(tmp_path: Path) -> None:
    """As the last opening told it, of destinations and of sources."""
    permit = Permit(until=START + timedelta(days=60, hours=11, minutes=30))
    async with permitted(tmp_path, permit) as scene:
        await scene.deliver()
        await scene.tenant.close()
        state = state_of(scene.config)
        assert list(_expiry(state["destinations"]["wall"], "fr")) == ["accès jusqu'au 21/01/2027"]
        assert list(_expiry(state["sources"]["toots"], "fr")) == []


async def test_check_shows_the_date_and_a_budget_that_does_nothing(tmp_path: Path) -> None:
    """One line each."""
    permit = Permit(until=START + timedelta(days=60))
    async with permitted(tmp_path, permit) as scene:
        account = scene.config.destinations["wall"]
        connector = make_connector(scene.config, account, scene.sessions, scene.clock)
        await connector.open()
        assert _about(account, connector, scene.config) == "wall, accès jusqu'au 20/01/2027"
        assert list(_budget(account, "fr")) == []
        (note,) = _budget(replace(account, pace=Pace(budget=5.0)), "fr")
        assert (note.subject, note.kind, note.good) == ("destinations.wall", "note", True)
        assert "« budget » n'a pas d'effet" in note.text


@pytest.mark.parametrize(("language", "text"), [("fr", "03/12/2026"), ("fr-CA", "03/12/2026"), ("en", "2026-12-03")])
def test_a_day(language: str, text: str) -> None:
    """As readers of the language write it."""
    assert day(datetime(2026, 12, 3, tzinfo=ZoneInfo("Europe/Paris")).date(), language) == text

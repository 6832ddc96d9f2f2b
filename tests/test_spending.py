"""What posting costs: counted as it leaves, held within the month's budget, told in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syndicator.cli.status import _spent, state_of
from syndicator.config import Config
from syndicator.contract import Limits, Prices
from syndicator.errors import OutcomeUnknown, Rejected, Transient
from syndicator.model import Attachment, Card, Rendition, Span
from syndicator.route import Pace, Style
from syndicator.spending import Month, month_of
from syndicator.text.cost import NBSP, cost_of, in_words
from tests.engine_scene import START, FindableWall, MuteWall, Scene, post, route, stage

PRICES = Prices(currency="USD", create=15, create_with_link=200, update=10, delete=5, description=1)
WEIGHTED = Limits(text_max=280, text_unit="weighted", prices=PRICES)
COUNTED = Limits(text_max=280, prices=PRICES)
PARIS = ZoneInfo("Europe/Paris")


def shown(text: str = "Bonjour", **more: Any) -> Rendition:
    return Rendition(uid="u", text=text, **more)


# prices


@pytest.mark.parametrize(("rendition", "limits", "purpose", "mills"), [
    (shown(), COUNTED, "create", 15),
    (shown("Voir https://exemple.fr/a"), COUNTED, "create", 200),
    (shown("Voir exemple.fr/a"), COUNTED, "create", 15),
    (shown("Voir exemple.fr/a"), WEIGHTED, "create", 200),
    (shown("Écrire à nous@exemple.fr"), WEIGHTED, "create", 15),
    (shown(link="https://exemple.fr/a"), COUNTED, "create", 200),
    (shown(card=Card(url="https://exemple.fr/a", title="A")), COUNTED, "create", 200),
    (shown("ici", spans=(Span(start=0, end=3, url="https://exemple.fr/a"),)), COUNTED, "create", 200),
    (shown(attachments=(Attachment(url="a", description="Un vélo"), Attachment(url="b", description=" "))), COUNTED, "create", 16),
    (shown(attachments=(Attachment(url="a", description="Un vélo"),)), COUNTED, "update", 10),
    (shown("https://exemple.fr/a"), COUNTED, "delete", 5),
    (shown("https://exemple.fr/a"), COUNTED, "remind", 200),
    (shown("https://exemple.fr/a"), Limits(), "create", 0),
])  # fmt: skip
def test_what_a_request_costs(rendition: Rendition, limits: Limits, purpose: Any, mills: int) -> None:
    """By what it does, whether it holds a link as that network sees links, and how many descriptions it carries."""
    assert cost_of(rendition, limits, purpose) == mills


@pytest.mark.parametrize(("mills", "currency", "language", "text"), [
    (15, "USD", "fr", f"0,015{NBSP}$"), (15, "USD", "en", "$0.015"), (1230, "USD", "fr", f"1,23{NBSP}$"), (5000, "EUR", "en-GB", "€5.00"),
    (0, "EUR", "fr-CA", f"0,00{NBSP}€"), (12_500, "CHF", "en", f"12.50{NBSP}CHF"), (12_500, "chf", "fr", f"12,50{NBSP}CHF"),
])  # fmt: skip
def test_an_amount_in_words(mills: int, currency: str, language: str, text: str) -> None:
    """As the language writes it, with thousandths only where there are some."""
    assert in_words(mills, currency, language) == text


@pytest.mark.parametrize(("now", "begins_at", "ends_at"), [
    (datetime(2026, 11, 21, 12, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC)),
    (datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)),
    (datetime(2026, 3, 31, 22, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC), datetime(2026, 4, 30, 22, tzinfo=UTC)),
])  # fmt: skip
def test_a_month_is_the_associations(now: datetime, begins_at: datetime, ends_at: datetime) -> None:
    """It begins at midnight where the association is, in winter and in summer."""
    assert month_of(now, PARIS) == Month(begins_at=begins_at, ends_at=ends_at)


# counting


class PaidWall(FindableWall):
    """Charges for what it is asked."""

    limits = Limits(text_max=40, threads=True, prices=PRICES)


class PaidMuteWall(MuteWall):
    """The same; nobody can ask it what went out."""

    limits = Limits(text_max=40, threads=True, prices=PRICES)


async def spent(scene: Scene) -> int:
    month = month_of(scene.clock(), PARIS)
    return await scene.ask(lambda store: store.spending.spent("wall", month))


async def published(scene: Scene, *items: Any) -> None:
    scene.world.show(*items)
    await scene.poll()
    await scene.settle()


def poor(budget: float, **more: Any) -> dict[str, Any]:
    return {"kind": PaidWall, "pace": Pace(budget=budget), "routes": [route(max_age=timedelta(days=60), **more)]}


async def test_everything_that_is_charged_counts(tmp_path: Path) -> None:
    """A post, its edit and its deletion, once each, whatever the price of a link."""
    async with stage(tmp_path, kind=PaidWall) as scene:
        await published(scene, post(1, "A"))
        assert await spent(scene) == 15
        await published(scene, post(1, "B"))
        assert await spent(scene) == 25
        scene.world.hide(post(1).uid)
        await scene.poll()
        await scene.settle()
        assert await spent(scene) == 30
        await published(scene, post(2, "voir https://exemple.fr/"))
        assert await spent(scene) == 230


@pytest.mark.parametrize("error", [Transient("503"), Rejected("422")])
async def test_what_surely_failed_is_taken_back(tmp_path: Path, error: Exception) -> None:
    """Then nothing was spent; what goes out in the end counts once."""
    async with stage(tmp_path, kind=PaidWall) as scene:
        scene.wall.fail("publish", error)
        scene.world.show(post(1, "A"))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        assert (scene.wall.calls.count("publish"), await spent(scene)) == (1, 0)
        await scene.settle()
        assert await spent(scene) == 15 * len(scene.wall.signs)


@pytest.mark.parametrize("done", [True, False])
async def test_an_unknown_outcome_counts_until_it_is_known(tmp_path: Path, done: bool) -> None:
    """It may have been charged; found there, it was, once; surely not there, the second request counts alone."""
    async with stage(tmp_path, kind=PaidWall) as scene:
        scene.wall.fail("publish", OutcomeUnknown("no answer"), done=done)
        scene.world.show(post(1, "A"))
        await scene.poll()
        scene.clock.go(minutes=3)
        await scene.deliver()
        assert await spent(scene) == 15
        await scene.settle()
        assert (len(scene.wall.signs), await spent(scene)) == (1, 15)


async def test_what_nobody_can_tell_stays_counted(tmp_path: Path) -> None:
    """Where there is no asking, it may have been charged for good."""
    async with stage(tmp_path, kind=PaidMuteWall) as scene:
        scene.wall.fail("publish", OutcomeUnknown("no answer"))
        await published(scene, post(1, "A"))
        assert (await spent(scene), (await scene.rows())[0].state) == (15, "parked")


async def test_a_place_that_charges_nothing_counts_nothing(tmp_path: Path) -> None:
    """Even with a budget, of which ``check`` says that it does nothing."""
    async with stage(tmp_path, pace=Pace(budget=0.001)) as scene:
        await published(scene, post(1, "A"), post(2, "B"))
        assert (len(scene.wall.signs), await spent(scene), await scene.problems()) == (2, 0, [])


# the budget


async def test_a_post_beyond_the_budget_waits_for_the_next_month(tmp_path: Path) -> None:
    """It leaves in the first minutes of the next month, the association's; a person is told, and told again when it is over."""
    async with stage(tmp_path, **poor(0.03)) as scene:
        await published(scene, post(1, "A"), post(2, "B"), post(3, "C"))
        assert scene.wall.texts == ["A", "B"]
        held = (await scene.rows())[-1]
        assert (held.state, held.reason, held.due_at, held.attempts) == ("pending", "budget", datetime(2026, 11, 30, 23, tzinfo=UTC), 0)
        assert [(one.subject, one.kind) for one in await scene.problems()] == [("budget:wall", "budget")]

        await scene.settle(days=20)
        assert scene.wall.texts == ["A", "B", "C"]
        assert (await spent(scene), await scene.problems()) == (15, [])


async def test_what_still_fits_leaves_and_corrections_always_do(tmp_path: Path) -> None:
    """A cheaper post behind one that is held; an edit and a deletion, though nothing is left."""
    async with stage(tmp_path, **poor(0.2)) as scene:
        await published(scene, post(1, "A"))
        await published(scene, post(2, "https://exemple.fr/"), post(3, "C"))
        assert scene.wall.texts == ["A", "C"]
        await published(scene, *(post(number, "encore", published_at=START + timedelta(seconds=number)) for number in range(4, 20)))
        assert await spent(scene) == 195
        await published(scene, post(1, "A2"))
        scene.world.hide(post(3).uid)
        await scene.poll()
        await scene.settle()
        assert (scene.wall.texts[0], "C" in scene.wall.texts, await spent(scene)) == ("A2", False, 210)


async def test_a_thread_leaves_whole_or_waits_whole(tmp_path: Path) -> None:
    """Its parts are paid for together, before the first."""
    long = "Il y a d'abord ceci à dire. Il y a ensuite cela à dire."
    async with stage(tmp_path, **poor(0.03, style=Style(long_text="thread", link="never"))) as scene:
        await published(scene, post(1, "A"), post(2, long))
        assert scene.wall.texts == ["A"]
    async with stage(tmp_path / "richer", **poor(0.045, style=Style(long_text="thread", link="never"))) as scene:
        await published(scene, post(1, "A"), post(2, long))
        assert (len(scene.wall.texts), await spent(scene)) == (3, 45)


def with_budget(config: Config, budget: float | None) -> Config:
    wall = config.destinations["wall"]
    return replace(config, destinations={**config.destinations, "wall": replace(wall, pace=replace(wall.pace, budget=budget))})


@pytest.mark.parametrize("budget", [0.2, None])
async def test_a_raised_budget_frees_what_is_held_at_once(tmp_path: Path, budget: float | None) -> None:
    """With the configuration read again; the problem is over. The same budget read again asks nobody anything."""
    async with stage(tmp_path, **poor(0.02)) as scene:
        await published(scene, post(1, "A"), post(2, "B"))
        asked = len(scene.world.asked)
        await scene.restart()
        await scene.deliver()
        assert (scene.wall.texts, len(scene.world.asked)) == (["A"], asked)

        await scene.restart(with_budget(scene.config, budget))
        await scene.deliver()
        assert (scene.wall.texts, await scene.problems()) == (["A", "B"], [])


async def test_a_lowered_budget_is_told_and_an_unchanged_one_is_not_told_twice(tmp_path: Path) -> None:
    """What was said stays said through a restart."""
    async with stage(tmp_path, **poor(0.03)) as scene:
        await published(scene, post(1, "A"), post(2, "B"), post(3, "C"))
        first = await scene.problems()
        scene.clock.go(hours=1)
        await scene.restart()
        await scene.deliver()
        assert await scene.problems() == first
        await scene.restart(with_budget(scene.config, 0.001))
        await scene.settle()
        assert [(one.kind, len(scene.wall.texts)) for one in await scene.problems()] == [("budget", 2)]


async def test_a_warning_at_four_fifths_once_a_month(tmp_path: Path) -> None:
    """From 80 % on, gone with the new month, and said anew then."""
    async with stage(tmp_path, **poor(0.055)) as scene:
        await published(scene, post(1, "A"), post(2, "B"))
        assert await scene.problems() == []
        await published(scene, post(3, "C"))
        warned = await scene.problems()
        assert [(one.subject, one.kind, one.detail) for one in warned] == [("budget:wall", "budget-soon", "0.04 / 0.06")]
        scene.world.hide(post(3).uid)
        await scene.poll()
        await scene.settle()
        assert await scene.problems() == warned
        scene.clock.go(days=15)
        await scene.deliver()
        assert await scene.problems() == []


async def test_what_is_no_news_any_more_next_month_is_left_with_its_reason(tmp_path: Path) -> None:
    """A person reads that it was the budget."""
    async with stage(tmp_path, kind=PaidWall, pace=Pace(budget=0.02)) as scene:
        await published(scene, post(1, "A"), post(2, "B"))
        await scene.settle(days=20)
        assert await scene.fates() == [("create", "done", ""), ("create", "dropped", "over-budget")]


async def test_a_refusal_gives_its_share_to_what_is_held(tmp_path: Path) -> None:
    """It will never be spent: the next in line leaves now, not next month."""
    async with stage(tmp_path, **poor(0.03)) as scene:
        await published(scene, post(1, "A"))
        scene.wall.fail("publish", OutcomeUnknown("no answer"), Rejected("422"))
        await published(scene, post(2, "B"), post(3, "C", published_at=START + timedelta(seconds=1)))
        assert [row.state for row in await scene.rows()] == ["done", "parked", "done"]
        assert (scene.wall.texts, await spent(scene), scene.clock() < START + timedelta(hours=1)) == (["A", "C"], 30, True)


async def test_status_shows_what_is_spent(tmp_path: Path) -> None:
    """In the association's language and the network's currency."""
    async with stage(tmp_path, **poor(5.0)) as scene:
        await published(scene, post(1, "A"))
        config = scene.config
        await scene.tenant.close()
        month = month_of(scene.clock(), PARIS)
        state = state_of(config)["destinations"]["wall"]
        assert (state["currency"], state["budget"], state["held"]) == ("USD", 5.0, 0)
        assert await scene.ask(lambda store: store.spending.spent("wall", month)) == 15
        told = {**state, "spent": 1.23}
        assert list(_spent(told, "fr")) == [f"1,23{NBSP}$ sur 5,00{NBSP}$ ce mois-ci"]
        assert list(_spent({**told, "held": 2}, "en")) == ["$1.23 of $5.00 this month", "2 wait for the next month's budget"]
        assert list(_spent({**told, "budget": None}, "en")) == ["$1.23 this month"]

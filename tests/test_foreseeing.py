"""All that a network would be told of an event, before anything is: its announcement, reminders, a change, a cancellation, the lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from syndicator.config import Config
from syndicator.contract import Association, Limits, Prices
from syndicator.estimate import Account, Estimate, Outlay, estimates, outlays
from syndicator.foreseeing import Place, afterwards, announcement, places, recaps
from syndicator.model import Attachment, Event
from syndicator.preview_page import page
from syndicator.route import Filter, Route, Style
from syndicator.sandbox.town import GROUP, at_clock
from syndicator.showing import Shown, in_order, lines, together
from syndicator.testing import make_event
from tests import preview_scene
from tests.engine_scene import FindableWall, MuteWall, RemovingWall, Wall, World, configuration, destination, route, source, stage
from tests.preview_scene import Show

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PAID = Limits(text_max=280, prices=Prices(currency="USD", create=15, create_with_link=200))
FREE = Limits(text_max=500)
NB = "\u00a0"


def ball(**changes: Any) -> Event:
    """In two weeks, on a Saturday, at half past eight in the evening."""
    event = make_event(source="agenda", title="Bal", html="<p>On danse.</p>", image=Attachment(url="https://m.example/bal.png"))
    return replace(event, **changes)


def there(folder: Path, *routes: Route, kind: type[Any] = RemovingWall, limits: Limits = FREE) -> tuple[Config, Place]:
    """An association with one network."""
    config = configuration(folder, [source(World(), name="agenda")], [destination(Wall(), kind=kind)], routes)
    return config, places(config, {"wall": limits})["wall"]


def agenda(name: str = "all", **changes: Any) -> Route:
    return route(name, sources=("agenda",), **changes)


def stages(shown: Sequence[Shown]) -> list[tuple[str, str]]:
    """What each is for, and how it begins."""
    return [(one.purpose, one.renditions[0].text.split("\n")[0].replace(NB, " ")) for one in shown]


CHANGE = ("announce-change", "CHANGEMENT : Bal")
CANCEL = ("cancel", "ANNULÉ : Bal")


def test_reminders_are_shown_as_of_their_hour(tmp_path: Path) -> None:
    """One post of words each, with the way home; each in its own words."""
    config, place = there(tmp_path, agenda(remind=(2 * timedelta(hours=1), DAY), notice="never"))
    shown = afterwards(ball(), config, place, NOW)
    starts_at = ball().starts_at

    assert stages(shown) == [("remind", "Demain : Bal"), ("remind", "Dans 2 heures : Bal")]
    assert [(one.at, one.sure) for one in shown] == [(starts_at - DAY, True), (starts_at - timedelta(hours=2), True)]
    assert all(not part.attachments and part.text.endswith(ball().url) for one in shown for part in one.renditions)


@pytest.mark.parametrize(("now", "wanted"), [
    (timedelta(days=3), 2), (timedelta(hours=5), 1), (timedelta(hours=1), 0),
])  # fmt: skip
def test_a_moment_that_is_over_when_it_is_announced_is_not_shown(tmp_path: Path, now: timedelta, wanted: int) -> None:
    """Nor is one that comes before the announcement itself, where that waits."""
    config, place = there(tmp_path, agenda(remind=(DAY, timedelta(hours=2)), notice="never"))
    late, late_place = there(tmp_path, agenda(remind=(7 * DAY, DAY), announce=3 * DAY, notice="never"))

    assert len(afterwards(ball(), config, place, ball().starts_at - now)) == wanted
    assert stages(afterwards(ball(), late, late_place, NOW)) == [("remind", "Demain : Bal")]


@pytest.mark.parametrize(("kind", "edit", "notice", "wanted"), [
    (RemovingWall, "update", "when-needed", [CHANGE, CANCEL]),
    (MuteWall, "update", "when-needed", [CHANGE, CANCEL]),
    (FindableWall, "update", "when-needed", []),
    (FindableWall, "update", "always", [CHANGE, CANCEL]),
    (FindableWall, "note", "when-needed", [CHANGE, CANCEL]),
    (RemovingWall, "update", "never", []),
    (RemovingWall, "replace", "when-needed", []),
    (RemovingWall, "ignore", "when-needed", []),
    (MuteWall, "ignore", "always", [CHANGE, CANCEL]),
])  # fmt: skip
def test_a_change_is_shown_where_it_makes_a_post_of_its_own(
    tmp_path: Path, kind: type[Any], edit: Any, notice: Any, wanted: list[tuple[str, str]]
) -> None:
    """By the table of edits: where the announcement is corrected or posted anew, nothing is beside it."""
    config, place = there(tmp_path, agenda(edit=edit, notice=notice), kind=kind)
    shown = afterwards(ball(), config, place, NOW)

    assert stages(shown) == wanted
    assert not any(one.sure for one in shown)


def test_a_change_says_what_was(tmp_path: Path) -> None:
    """Here, a week later; the page and the terminal say that it is a supposition."""
    config, place = there(tmp_path, agenda())
    change, _ = afterwards(ball(), config, place, NOW)

    assert "12 décembre 2026" in change.renditions[0].text
    assert "avant : samedi 5 décembre 2026" in change.renditions[0].text.replace(NB, " ")
    assert lines([change], "fr")[0] == "┌─ wall · s'il est déplacé, ici d'une semaine · Bal"
    assert lines([change], "en")[0] == "┌─ wall · if it moves, here by a week · Bal"


def test_each_purpose_has_its_own_template(tmp_path: Path) -> None:
    """As its route gives it."""
    style = Style(template_remind="R {{ title }} {{ offset }}", template_change="C {{ before.when }}", template_cancel="A {{ title }}")
    config, place = there(tmp_path, agenda(remind=(DAY,), style=style))

    assert [text[:4] for _, text in stages(afterwards(ball(), config, place, NOW))] == ["R De", "C sa", "A AN"]


@pytest.mark.parametrize("routes", [
    [agenda(purposes=("remind", "cancel"), remind=(DAY,))],
    [agenda(filter=Filter(tags=("rock",)), remind=(DAY,))],
    [route(sources=("toots",), remind=(DAY,))],
])  # fmt: skip
def test_what_is_not_announced_there_is_not_told_of_later(tmp_path: Path, routes: list[Route]) -> None:
    """No announcement, no reminder; nor is there one of what is called off."""
    config, place = there(tmp_path, *routes)

    assert afterwards(ball(), config, place, NOW) == []
    assert afterwards(ball(status="cancelled"), *there(tmp_path, agenda(remind=(DAY,))), NOW) == []


def test_a_purpose_that_is_left_out_is_not_shown(tmp_path: Path) -> None:
    """And two routes to one place are one: the second may only remind."""
    first, second = agenda("a", purposes=("announce", "cancel")), agenda("b", purposes=("remind",), remind=(DAY,))

    assert stages(afterwards(ball(), *there(tmp_path, first), NOW)) == [CANCEL]
    assert stages(afterwards(ball(), *there(tmp_path, first, second), NOW)) == [("remind", "Demain : Bal"), CANCEL]


def test_the_next_list_is_shown(tmp_path: Path) -> None:
    """With what is in its days, not called off, and carried; none of an empty week."""
    config, place = there(tmp_path, agenda(recap=("week", "month"), filter=Filter(exclude_tags=("prive",))))
    monday = datetime(2026, 11, 23, 9, tzinfo=UTC)
    events = [
        ball(uid="urn:1", starts_at=monday + 2 * DAY, ends_at=None),
        ball(uid="urn:2", starts_at=monday + 3 * DAY, ends_at=None, status="cancelled", title="Annulé"),
        ball(uid="urn:3", starts_at=monday + 3 * DAY, ends_at=None, tags=("privé",), title="Privé"),
        ball(uid="urn:4", starts_at=monday + 12 * DAY, ends_at=None, title="En décembre"),
    ]
    week, month = recaps(events, config, place, NOW)

    assert (week.kind, week.title, week.at) == ("recap", "L’agenda du 23 au 29 novembre 2026", monday - timedelta(hours=1))
    assert [text in week.renditions[0].text for text in ("Bal", "Annulé", "Privé", "En décembre")] == [True, False, False, False]
    assert [text in month.renditions[0].text for text in ("mercredi", "En décembre")] == [False, True]
    assert list(recaps(events[1:3], config, place, NOW)) == []
    assert list(recaps(events, config, replace(place, limits=Limits(kinds=frozenset({"event"}))), NOW)) == []
    assert lines([week], "fr")[0] == "┌─ wall · part lundi 23 novembre 2026 à 9h · L’agenda du 23 au 29 novembre 2026"
    assert len(together([week, replace(week, destination="other", uid="urn:syndicator:recap:other:week:2026-W48")])) == 1


def test_what_an_event_costs(tmp_path: Path) -> None:
    """Its announcement and its reminders; a change is told apart, for it may never come."""
    config, place = there(tmp_path, agenda(remind=(DAY, timedelta(hours=2))), limits=PAID)
    shown = [announcement(ball(), config.routes["all"], place, config), *afterwards(ball(), config, place, NOW)]
    (outlay,), (estimate,) = outlays(shown), estimates(shown, {"wall": Account()})

    assert outlay == Outlay(destination="wall", title="Bal", announcement=200, reminders=(200, 200), if_changed=200, currency="USD")
    assert outlay.says("fr").replace(NB, " ") == (
        "wall : un événement comme « Bal » coûte 0,60 $ en tout : 0,20 $ pour l'annonce, 0,40 $ pour les 2 rappels."
        " Déplacé ou annulé : 0,20 $ de plus."
    )
    assert outlay.says("en") == (
        "wall: an event like “Bal” costs $0.60 in all: $0.20 for the announcement, $0.40 for the 2 reminders."
        " Moved or cancelled: $0.20 more."
    )
    assert (estimate.posts, estimate.mills) == (3, 600)
    assert outlays(shown[:1]) == outlays([replace(one, limits=FREE) for one in shown]) == []


def test_a_reminder_of_next_month_is_not_this_months_affair(tmp_path: Path) -> None:
    """The budget is asked what leaves until the end of the month."""
    config, place = there(tmp_path, agenda(remind=(DAY,), notice="never"), limits=PAID)
    shown = [announcement(ball(), config.routes["all"], place, config), *afterwards(ball(), config, place, NOW)]
    december = datetime(2026, 11, 30, 23, tzinfo=UTC)
    account = Account(budget=250, until=december)

    assert estimates(shown, {"wall": account}) == [
        Estimate(destination="wall", posts=2, mills=400, later=200, currency="USD", account=account)
    ]
    assert estimates(shown, {"wall": account})[0].fits
    assert not estimates(shown, {"wall": replace(account, until=december + 31 * DAY)})[0].fits


def test_thing_by_thing_stage_by_stage(tmp_path: Path) -> None:
    """Whatever the places, an event is told from its announcement to what may never be; what is said alike is said once."""
    config, place = there(tmp_path, agenda(remind=(DAY,)))
    other = replace(place, name="other")
    both = replace(config, routes={"all": agenda(remind=(DAY,), destinations=("wall", "other"))})
    shown = in_order([
        one
        for where in (place, other)
        for event in (ball(), ball(uid="urn:2", title="Fest-noz"))
        for one in (announcement(event, both.routes["all"], where, both), *afterwards(event, both, where, NOW))
    ])  # fmt: skip

    assert [(look[0].title, look[0].purpose, len(look)) for look in together(shown)] == [
        (title, purpose, 2) for title in ("Bal", "Fest-noz") for purpose in ("create", "remind", "announce-change", "cancel")
    ]
    found = LexborHTMLParser(page(shown, Association(name="Les Amis"), {}, "fr"))
    assert [one.text() for one in found.css("section:first-of-type h3.stage")] == [
        "annonce", "rappel, vendredi 4 décembre 2026 à 20h30", "s'il est déplacé, ici d'une semaine", "s'il est annulé",
    ]  # fmt: skip
    assert len(found.css("section")) == len(found.css("nav a")) == 2


# the command


def publish(made: Show) -> None:
    """One event, in ten days."""
    made.town.mobilizon.add_event(
        GROUP,
        "Bal à vélo",
        at_clock(10, 20, 30),
        at_clock(10, 23),
        description="<p>On danse.</p>",
    )


async def test_the_command_shows_it_all(tmp_path: Path) -> None:
    """In the terminal, to a script and on the page, from the same configuration."""
    routes = '[routes.tout]\nremind = ["1d", "2h"]\ntemplate_remind = "Rappel ! {{ title }} {{ url }}"\n'
    async with preview_scene.show(tmp_path, publish=publish, networks=("x",), routes=routes) as made:
        told = await made.preview("--html", tmp_path / "page.html")
        data = json.loads((await made.preview("--json")).out)
    of_x = [(one["purpose"], one["sure"]) for one in data if (one["destination"], one["kind"]) == ("x", "event")]

    assert of_x == [("create", True), ("remind", True), ("remind", True), ("announce-change", False), ("cancel", False)]
    assert [one["purpose"] for one in data if (one["destination"], one["kind"]) == ("mastodon", "event")] == ["create", "remind", "remind"]
    assert all(one["parts"][0]["text"].startswith("Rappel !") and one["at"] for one in data if one["purpose"] == "remind")
    assert told.out.count("┌─ x · rappel, ") == 2
    assert "Déplacé ou annulé :" in told.out
    stages_ = [one.text() for one in LexborHTMLParser((tmp_path / "page.html").read_text()).css("h3.stage")]
    assert (stages_[0], len(stages_), [one.startswith("rappel, ") for one in stages_[1:3]]) == ("annonce", 5, [True, True])


async def test_what_waits_is_shown_as_it_will_leave(tmp_path: Path) -> None:
    """A reminder that is in the outbox is shown as a reminder, as of its hour, and not as the announcement again."""
    from syndicator.cli.preview import _waiting

    def config(world: World, wall: Wall, _: Any) -> Config:
        routes = [route(remind=(DAY,), notice="always")]
        return configuration(tmp_path, [source(world)], [destination(wall, kind=FindableWall)], routes)

    async with stage(tmp_path, config=config) as scene:
        event = ball(source="toots", published_at=scene.clock())
        scene.world.show(event)
        await scene.poll()
        where = places(scene.config, {"wall": Limits(text_max=500)})
        before = await _waiting(scene.config, scene.tenant.ledger, where, scene.clock())
        await scene.settle()
        scene.clock.at = event.starts_at - timedelta(hours=30)
        await scene.deliver()
        scene.world.show(replace(event, title="Grand bal"))
        await scene.poll()
        await scene.deliver()
        after = await _waiting(scene.config, scene.tenant.ledger, where, scene.clock())

    assert [one.purpose for one in before] == ["create", "remind", "announce-change", "cancel"]
    assert [text for _, text in stages(after)] == ["CHANGEMENT : Grand bal (avant : « Bal »)", "Demain : Grand bal"]

"""An event is not one post: announcements ahead, reminders, notices, cancellations and recaps, over the real store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syndicator.contract import Limits
from syndicator.errors import OutcomeUnknown, Transient
from syndicator.model import Event, Place
from syndicator.route import Pace, Route, Style
from syndicator.steps import deliver
from syndicator.testing import make_event
from tests.engine_scene import EditingWall, FindableWall, MuteWall, PlainWall, RemovingWall, Scene, route, stage

PARIS = ZoneInfo("Europe/Paris")
NBSP = "\u00a0"
DAY, HOURS = timedelta(days=1), timedelta(hours=2)
WIDE = Limits(text_max=500, threads=True)
SATURDAY = datetime(2026, 12, 5, 20, 30, tzinfo=PARIS)


class Can(FindableWall):
    """Edits, removes, and has room."""

    limits = WIDE


class Edits(EditingWall):
    limits = WIDE


class Removes(RemovingWall):
    limits = WIDE

    async def find(self, key: str, rendition: Any, *, prepared: str | None = None) -> Any:
        return await self.wall.do("find", lambda: self.wall.receipt(self.wall.keys[key]) if key in self.wall.keys else None)


class Cannot(MuteWall):
    limits = WIDE


class Blind(PlainWall):
    limits = WIDE


def event(**changes: Any) -> Event:
    """Saturday evening in two weeks."""
    return make_event(source="toots", html="", published_at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC), **changes)


def moved(days: int = 0, **changes: Any) -> Event:
    """The same on another day."""
    base = event()
    assert base.ends_at is not None
    return replace(base, starts_at=base.starts_at + days * DAY, ends_at=base.ends_at + days * DAY, **changes)


async def show(scene: Scene, *items: Event) -> None:
    """Published or edited, read, and all that follows at once is done."""
    scene.world.show(*items)
    await scene.poll()
    await scene.settle(hours=3)


async def live(scene: Scene, until: datetime) -> None:
    """Let time pass, as the daemon does: until it was told to look again, or for an hour."""
    while True:
        while (delivered := await deliver(scene.tenant, "wall")).worked:
            continue
        now = scene.clock.at
        if now >= until:
            return
        soon = max(delivered.again_at or until, now + timedelta(minutes=1))
        scene.clock.at = min(soon, now + timedelta(hours=1), until)


def firsts(scene: Scene) -> list[str]:
    """The first line of what hangs there."""
    return [text.split("\n")[0] for text in scene.wall.texts]


# announce


async def test_an_event_is_announced_some_days_before_it_begins(tmp_path: Path) -> None:
    """At its own hour; moved while it waits, it waits for the new day; a post of the same route leaves at once."""
    async with stage(tmp_path, kind=Can, routes=[route(announce=7 * DAY)]) as scene:
        await show(scene, event())
        (row,) = await scene.rows()
        assert (row.due_at, scene.wall.texts) == (SATURDAY - 7 * DAY, [])
        await show(scene, moved(3))
        (row,) = await scene.rows()
        assert row.due_at == SATURDAY - 4 * DAY
        await live(scene, SATURDAY - 4 * DAY - timedelta(minutes=1))
        assert scene.wall.texts == []
        await live(scene, SATURDAY - 4 * DAY + timedelta(minutes=5))
        assert firsts(scene) == ["Atelier vélo"]


async def test_what_its_origin_says_at_the_last_moment_moves_an_announcement(tmp_path: Path) -> None:
    """The origin is asked before it leaves, and then it waits again."""
    async with stage(tmp_path, kind=Can, routes=[route(announce=7 * DAY)]) as scene:
        await show(scene, event())
        scene.world.show(moved(3))
        await live(scene, SATURDAY - 5 * DAY)
        assert scene.wall.texts == []
        await live(scene, SATURDAY - 3 * DAY)
        assert firsts(scene) == ["Atelier vélo"]


async def test_an_event_published_late_is_announced_at_once(tmp_path: Path) -> None:
    """It is nearer than that already."""
    async with stage(tmp_path, kind=Can, routes=[route(announce=30 * DAY)]) as scene:
        await show(scene, event())
        assert firsts(scene) == ["Atelier vélo"]


# remind


async def test_an_event_is_reminded_of(tmp_path: Path) -> None:
    """Each time once, in words that are true then, under its announcement."""
    async with stage(tmp_path, kind=Can, routes=[route(remind=(DAY, HOURS))]) as scene:
        await show(scene, event())
        await live(scene, SATURDAY - DAY - timedelta(minutes=1))
        assert len(scene.wall.signs) == 1
        await live(scene, SATURDAY + DAY)
        assert firsts(scene) == ["Atelier vélo", f"Demain{NBSP}: Atelier vélo", f"Dans 2 heures{NBSP}: Atelier vélo"]
        assert [sign.answers for sign in scene.wall.signs.values()] == [None, "w1", "w1"]


async def test_a_day_before_is_the_same_hour_across_the_change_of_clocks(tmp_path: Path) -> None:
    """25 October 2026: the day has 25 hours."""
    start = datetime(2026, 10, 25, 20, 30, tzinfo=PARIS)
    async with stage(tmp_path, kind=Can, routes=[route(remind=(DAY,))], first_look=False) as scene:
        scene.clock.at = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
        await scene.poll()
        await show(scene, replace(event(), starts_at=start, ends_at=None, published_at=scene.clock.at))
        await live(scene, datetime(2026, 10, 24, 20, 29, tzinfo=PARIS))
        assert len(scene.wall.signs) == 1
        await live(scene, datetime(2026, 10, 24, 20, 31, tzinfo=PARIS))
        assert len(scene.wall.signs) == 2


async def test_an_event_without_an_hour_is_reminded_of_in_the_morning(tmp_path: Path) -> None:
    """Hours before it mean nothing; no clock time is told."""
    day = replace(event(), starts_at=datetime(2026, 12, 5, tzinfo=PARIS), ends_at=None, start_is_date=True)
    async with stage(tmp_path, kind=Can, routes=[route(remind=(DAY, HOURS, timedelta(0)), remind_at="10:15")]) as scene:
        await show(scene, day)
        await live(scene, datetime(2026, 12, 4, 10, 14, tzinfo=PARIS))
        assert len(scene.wall.signs) == 1
        await live(scene, datetime(2026, 12, 7, tzinfo=PARIS))
        assert firsts(scene)[1:] == [f"Demain{NBSP}: Atelier vélo", f"Aujourd’hui{NBSP}: Atelier vélo"]
        assert not any("h" in text.split("📅")[1].split("\n")[0].removeprefix(" samedi 5 décembre") for text in scene.wall.texts)


async def test_a_reminder_waits_in_the_quiet_hours_and_is_dropped_when_it_comes_too_late(tmp_path: Path) -> None:
    """What may not be said until it has begun is not said."""
    pace = Pace(quiet_from=time(17), quiet_until=time(23))
    async with stage(tmp_path, kind=Can, pace=pace, routes=[route(remind=(DAY, HOURS))]) as scene:
        await show(scene, event())
        await live(scene, SATURDAY + DAY)
        assert [(row.purpose, row.state, row.reason) for row in await scene.rows()] == [
            ("create", "done", ""),
            ("remind", "done", ""),
            ("remind", "dropped", "superseded"),
        ]
        assert (await scene.rows())[1].updated_at.astimezone(PARIS).hour == 23


async def test_a_reminder_of_a_moved_event_moves(tmp_path: Path) -> None:
    """One that waits is for the new day; one that is out is taken away, and comes again."""
    async with stage(tmp_path, kind=Can, routes=[route(remind=(DAY,))]) as scene:
        await show(scene, event())
        await live(scene, SATURDAY - 2 * DAY)
        await show(scene, moved(4))
        await live(scene, SATURDAY + DAY)
        assert firsts(scene) == ["Atelier vélo"]
        await live(scene, SATURDAY + 3 * DAY + timedelta(hours=1))
        assert firsts(scene) == ["Atelier vélo", f"Demain{NBSP}: Atelier vélo"]
        await show(scene, moved(9))
        assert firsts(scene) == ["Atelier vélo"]
        await live(scene, SATURDAY + 8 * DAY + timedelta(hours=1))
        assert firsts(scene) == ["Atelier vélo", f"Demain{NBSP}: Atelier vélo"]


async def test_moved_there_and_back_is_not_reminded_of_twice(tmp_path: Path) -> None:
    """The moment was told of already."""
    async with stage(tmp_path, kind=Removes, routes=[route(remind=(3 * DAY, DAY))]) as scene:
        await show(scene, event())
        await live(scene, SATURDAY - 3 * DAY + timedelta(hours=1))
        for there in (moved(7), event()):
            await show(scene, there)
        await live(scene, SATURDAY + DAY)
        reminders = [row for row in await scene.rows() if row.purpose == "remind"]
        assert [(row.state, row.reason) for row in reminders] == [("done", ""), ("done", "")]


async def test_moved_and_back_before_its_reminder_it_is_reminded_of(tmp_path: Path) -> None:
    """What was given up comes back."""
    async with stage(tmp_path, kind=Can, routes=[route(remind=(DAY,))]) as scene:
        await show(scene, event())
        await live(scene, SATURDAY - DAY - timedelta(hours=5))
        for there in (moved(7), event()):
            await show(scene, there)
        await live(scene, SATURDAY)
        assert firsts(scene)[-1] == f"Demain{NBSP}: Atelier vélo"


@pytest.mark.parametrize("end", ["cancelled", "gone", "draft"])
async def test_nothing_is_reminded_of_that_does_not_take_place(tmp_path: Path, end: str) -> None:
    """Cancelled, deleted or withdrawn."""
    async with stage(tmp_path, kind=Can, routes=[route(remind=(DAY, HOURS))]) as scene:
        await show(scene, event())
        await live(scene, SATURDAY - DAY + timedelta(hours=1))
        assert len(scene.wall.signs) == 2
        if end == "gone":
            scene.world.hide(event().uid)
        else:
            scene.world.show(replace(event(), status="cancelled") if end == "cancelled" else replace(event(), draft=True))
        await scene.poll()
        await live(scene, SATURDAY + DAY)
        assert firsts(scene) == ([f"ANNULÉ{NBSP}: Atelier vélo"] if end == "cancelled" else [])


async def test_late_reminders_are_one(tmp_path: Path) -> None:
    """The daemon was away: of several only the last, and none once it has begun."""
    for away, told in ((timedelta(hours=1), [f"Dans une heure{NBSP}: Atelier vélo"]), (timedelta(0), [])):
        async with stage(tmp_path / str(away), kind=Can, routes=[route(remind=(DAY, HOURS))]) as scene:
            await show(scene, event())
            scene.clock.at = SATURDAY - away
            await scene.restart()
            await scene.settle()
            assert firsts(scene)[1:] == told


async def test_reminders_asked_for_later_are_those_to_come(tmp_path: Path) -> None:
    """Events known already are reminded of; what was due before anybody asked is not."""
    async with stage(tmp_path, kind=Can, routes=[route()]) as scene:
        await show(scene, event())
        scene.clock.at = SATURDAY - 3 * DAY
        asked = replace(scene.config, routes={"all": route(remind=(7 * DAY, DAY))})
        await scene.restart(asked)
        await live(scene, SATURDAY)
        assert firsts(scene) == ["Atelier vélo", f"Demain{NBSP}: Atelier vélo"]


async def test_what_was_announced_after_a_reminder_s_moment_is_not_reminded_of(tmp_path: Path) -> None:
    """Readers have just been told."""
    async with stage(tmp_path, kind=Can, routes=[route(remind=(30 * DAY,))]) as scene:
        await show(scene, event())
        await live(scene, SATURDAY)
        assert firsts(scene) == ["Atelier vélo"]


async def test_a_reminder_whose_outcome_nobody_knows_is_taken_back_when_it_is_found(tmp_path: Path) -> None:
    """It left before the event moved, and says the old day."""
    async with stage(tmp_path, kind=Can, routes=[route(remind=(DAY,))]) as scene:
        await show(scene, event())
        await live(scene, SATURDAY - DAY - timedelta(minutes=5))
        scene.wall.fail("publish", OutcomeUnknown("timeout"), done=True)
        scene.clock.at = SATURDAY - DAY
        await scene.deliver()
        await show(scene, moved(4))
        await live(scene, SATURDAY)
        assert firsts(scene) == ["Atelier vélo"]
        assert "mercredi 9 décembre" in scene.wall.texts[0]


# notices and cancellations


@pytest.mark.parametrize("kind", [Can, Edits])
async def test_where_the_announcement_can_be_edited_there_is_no_notice(tmp_path: Path, kind: type[Any]) -> None:
    """It says the new day, then that it is cancelled, then that it is not."""
    async with stage(tmp_path, kind=kind, routes=[route()]) as scene:
        for told, words in ((event(), "samedi 5"), (moved(1), "dimanche 6"), (replace(event(), status="cancelled"), "ANNULÉ")):
            await show(scene, told)
            assert len(scene.wall.texts) == 1
            assert words in scene.wall.texts[0]


@pytest.mark.parametrize("kind", [Removes, Cannot])
async def test_where_it_cannot_a_notice_says_what_was_and_what_is(tmp_path: Path, kind: type[Any]) -> None:
    """Under the announcement; the date, the place, the title, the cancellation, and that it takes place after all."""
    there = Place(name="Le Port", locality="Brest")
    async with stage(tmp_path, kind=kind, routes=[route()]) as scene:
        steps = [
            (event(), "Atelier vélo"),
            (moved(1), f"CHANGEMENT{NBSP}: Atelier vélo"),
            (moved(1, place=there), f"CHANGEMENT{NBSP}: Atelier vélo"),
            (moved(1, place=there, title="Bal"), f"CHANGEMENT{NBSP}: Bal (avant{NBSP}: «{NBSP}Atelier vélo{NBSP}»)"),
            (moved(1, place=there, title="Bal", status="cancelled"), f"ANNULÉ{NBSP}: Bal"),
            (moved(1, place=there, title="Bal"), f"FINALEMENT MAINTENU{NBSP}: Bal"),
        ]
        for told, _ in steps:
            await show(scene, told)
        assert firsts(scene) == [first for _, first in steps]
        assert f"dimanche 6 décembre 2026 de 20h30 à 22h30 (avant{NBSP}: samedi 5 décembre 2026 de 20h30 à 22h30)" in scene.wall.texts[1]
        assert f"📍 Le Port, Brest (avant{NBSP}: La Maison, 3 rue du Port, 29200 Brest)" in scene.wall.texts[2]
        assert [sign.answers for sign in scene.wall.signs.values()] == [None, *["w1"] * 5]
        assert [row.purpose for row in await scene.rows() if row.state == "done" and row.reason != "noted"] == [
            "create", *["announce-change"] * 3, "cancel", "announce-change",
        ]  # fmt: skip


async def test_what_readers_need_not_know_makes_no_notice(tmp_path: Path) -> None:
    """Another description, a place's coordinates, a room: nothing of it is posted."""
    async with stage(tmp_path, kind=Cannot, routes=[route()]) as scene:
        base = event()
        assert base.place is not None
        for edited in (
            base,
            replace(base, html="<p>Plus</p>"),
            replace(base, place=replace(base.place, latitude=48.4)),
            replace(base, capacity=9),
        ):
            await show(scene, edited)
        assert len(scene.wall.texts) == 1


async def test_a_burst_of_edits_is_one_notice(tmp_path: Path) -> None:
    """It waits until there is quiet, and tells the end of it; a burst that ends where it began tells nothing."""
    async with stage(tmp_path, kind=Cannot, routes=[route(delay=timedelta(minutes=10))]) as scene:
        await show(scene, event())
        for burst, notices in (((1, 2, 3), 1), ((4, 5, 3), 1)):
            for days in burst:
                scene.world.show(moved(days))
                await scene.poll()
                await scene.deliver()
                scene.clock.go(minutes=3)
                await scene.deliver()
            await scene.settle()
            assert len(scene.wall.texts) == 1 + notices
        assert f"mardi 8 décembre 2026 de 20h30 à 22h30 (avant{NBSP}: samedi 5 décembre" in scene.wall.texts[1]


async def test_told_beside_the_correction_where_the_route_wants_it(tmp_path: Path) -> None:
    """``always``: the announcement is edited, and a notice says what was; the older one goes."""
    async with stage(tmp_path, kind=Can, routes=[route(notice="always")]) as scene:
        for days in (0, 1, 2):
            await show(scene, moved(days))
        assert firsts(scene) == ["Atelier vélo", f"CHANGEMENT{NBSP}: Atelier vélo"]
        assert ["lundi 7" in text for text in scene.wall.texts] == [True, True]
        await show(scene, moved(2, html="<p>Autre texte</p>"))
        assert len(scene.wall.texts) == 2
        await show(scene, moved(2, status="cancelled"))
        assert firsts(scene) == [f"ANNULÉ{NBSP}: Atelier vélo"] * 2


async def test_notices_can_be_unwanted(tmp_path: Path) -> None:
    """``never``, or not among the route's purposes."""
    for number, options in enumerate(({"notice": "never"}, {"purposes": ("announce", "cancel")}, {"purposes": ("announce", "change")})):
        async with stage(tmp_path / str(number), kind=Cannot, routes=[route(**options)]) as scene:
            await show(scene, event())
            await show(scene, moved(1))
            await show(scene, moved(1, status="cancelled"))
            assert len(scene.wall.texts) == (1, 2, 2)[number]


async def test_an_older_notice_that_can_be_edited_but_not_removed_says_that_it_is_out_of_date(tmp_path: Path) -> None:
    """Without naming a day: so it stays true."""
    async with stage(tmp_path, kind=Edits, routes=[route(notice="always", remind=(DAY,))]) as scene:
        for days in (0, 1, 2):
            await show(scene, moved(days))
        await live(scene, SATURDAY + DAY + timedelta(hours=1))
        await show(scene, moved(3))
        assert firsts(scene) == ["Atelier vélo", *[f"CHANGEMENT{NBSP}: Atelier vélo"] * 4]
        assert ["n’est plus à jour" in text for text in scene.wall.texts] == [False, True, True, True, False]
        assert ["décembre" in text for text in scene.wall.texts] == [True, False, False, False, True]


async def test_notices_go_with_a_deleted_event(tmp_path: Path) -> None:
    """And reminders with them; brought back, it is announced as new."""
    async with stage(tmp_path, kind=Removes, routes=[route(remind=(13 * DAY,))]) as scene:
        await show(scene, event())
        await live(scene, SATURDAY - 13 * DAY + timedelta(minutes=1))
        await show(scene, replace(event(), title="Bal"))
        await show(scene, replace(event(), title="Bal", status="cancelled"))
        scene.world.hide(event().uid)
        await scene.poll()
        await scene.settle()
        assert scene.wall.texts == []
        await show(scene, event())
        assert firsts(scene) == ["Atelier vélo"]


async def test_a_notice_is_not_stale_while_the_event_is_to_come(tmp_path: Path) -> None:
    """The network was away for a week: readers must still hear of it."""
    async with stage(tmp_path, kind=Removes, routes=[route()]) as scene:
        await show(scene, event())
        await scene.ask(lambda store: store.accounts.pause("wall", scene.clock() + 7 * DAY))
        await show(scene, moved(1))
        await scene.settle(days=8)
        assert firsts(scene) == ["Atelier vélo", f"CHANGEMENT{NBSP}: Atelier vélo"]


@pytest.mark.parametrize("kind", [Removes, Blind])
@pytest.mark.parametrize("done", [True, False])
async def test_a_notice_whose_outcome_nobody_knows_is_told_once(tmp_path: Path, kind: type[Any], done: bool) -> None:
    """It is looked for, or a person decides; then the next move is told from there."""
    notice = "when-needed" if kind is Removes else "always"
    async with stage(tmp_path, kind=kind, routes=[route(notice=notice)]) as scene:
        await show(scene, event())
        scene.wall.fail("publish", OutcomeUnknown("timeout"), done=done)
        await show(scene, moved(1))
        for row in await scene.rows():
            if row.state == "parked":
                word = "settle_by_hand" if done else "retry"
                await scene.ask(lambda store, row=row, word=word: getattr(store.outbox, word)(row.id, scene.clock()))  # type: ignore[misc]
        await scene.settle()
        assert len([first for first in firsts(scene) if first.startswith("CHANGEMENT")]) == 1


# templates


async def test_each_purpose_has_its_own_template(tmp_path: Path) -> None:
    """With what was before, and how long it is until then."""
    style = Style(
        template_change="Changé {{ title }} : {{ before.when }} → {{ when }}",
        template_remind="{{ offset }} ! {{ title }}",
        template_cancel="Pas de {{ title }}",
    )
    async with stage(tmp_path, kind=Cannot, routes=[route(style=style, remind=(DAY,))]) as scene:
        await show(scene, event())
        await show(scene, moved(1))
        await live(scene, SATURDAY + timedelta(hours=1))
        await show(scene, moved(1, status="cancelled"))
        assert scene.wall.texts[1:] == [
            f"Changé CHANGEMENT{NBSP}: Atelier vélo : samedi 5 décembre 2026 de 20h30 à 22h30 → dimanche 6 décembre 2026 de 20h30 à 22h30",
            f"Demain ! Demain{NBSP}: Atelier vélo",
            f"Pas de ANNULÉ{NBSP}: Atelier vélo",
        ]


# recaps


MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=PARIS)


def listed(number: int, **changes: Any) -> Event:
    """An event of the first week of December."""
    uid = f"https://mobilizon.example/{number}"
    return replace(event(), uid=uid, url=uid, title=f"Rendez-vous {number}", **changes)


def agenda(**changes: Any) -> Route:
    """Recaps alone."""
    return route(purposes=("recap",), recap=("week",), **changes)


async def test_the_week_is_told_of_on_monday(tmp_path: Path) -> None:
    """By days, in the order of the hours, with place and address; once; nothing of what is elsewhere in time."""
    async with stage(tmp_path, kind=Can, routes=[agenda()]) as scene:
        first = listed(1, starts_at=datetime(2026, 12, 1, 18, 0, tzinfo=PARIS), ends_at=None)
        other = listed(2, starts_at=datetime(2026, 12, 7, 0, 30, tzinfo=PARIS), ends_at=None)
        trip = listed(
            3,
            starts_at=datetime(2026, 12, 5, tzinfo=PARIS),
            ends_at=datetime(2026, 12, 6, tzinfo=PARIS),
            start_is_date=True,
            end_is_date=True,
        )
        await show(scene, listed(4), first, other, trip, listed(5, status="cancelled"))
        await live(scene, MONDAY - timedelta(minutes=1))
        assert scene.wall.texts == []
        await live(scene, MONDAY + timedelta(days=6))
        (text,) = scene.wall.texts
        assert text == (
            "L’agenda du 30 novembre au 6 décembre 2026\n\n"
            "mardi 1er décembre\n• 18h – Rendez-vous 1 (https://mobilizon.example/1), La Maison, Brest\n\n"
            "samedi 5 décembre\n• du 5 au 6 déc. – Rendez-vous 3 (https://mobilizon.example/3), La Maison, Brest\n"
            "• 20h30 – Rendez-vous 4 (https://mobilizon.example/4), La Maison, Brest"
        )


async def test_a_recap_follows_its_events(tmp_path: Path) -> None:
    """Moved away, added, cancelled while the week lasts; once the week is over it stays as it was told."""
    async with stage(tmp_path, kind=Can, routes=[agenda()]) as scene:
        await show(scene, listed(1), listed(2))
        await live(scene, MONDAY + timedelta(hours=1))
        shifted = datetime(2026, 12, 12, 20, 30, tzinfo=PARIS)
        await show(scene, listed(1, status="cancelled"), listed(2, starts_at=shifted, ends_at=None), listed(3))
        assert len(scene.wall.texts) == 1
        text = scene.wall.texts[0]
        assert (f"ANNULÉ{NBSP}: Rendez-vous 1" in text, "Rendez-vous 2" in text, "20h30 – Rendez-vous 3" in text) == (True, False, True)
        await live(scene, MONDAY + timedelta(days=6, hours=16))
        await show(scene, replace(listed(1, status="cancelled"), title="Plus rien"))
        assert scene.wall.texts == [text]


async def test_an_empty_week_is_not_told_of(tmp_path: Path) -> None:
    """Nor what comes up in it later: that is announced by itself."""
    async with stage(tmp_path, kind=Can, routes=[agenda()]) as scene:
        await live(scene, MONDAY + timedelta(hours=1))
        await show(scene, listed(1))
        await live(scene, MONDAY + timedelta(days=5))
        assert scene.wall.texts == []


@pytest.mark.parametrize(("late", "told"), [(timedelta(days=2), 1), (timedelta(days=4), 0)])
async def test_a_late_recap_is_told_while_half_of_the_week_is_left(tmp_path: Path, late: timedelta, told: int) -> None:
    """The daemon was away, or the network."""
    async with stage(tmp_path / "daemon", kind=Can, routes=[agenda()]) as scene:
        await show(scene, listed(1))
        scene.clock.at = MONDAY + late
        await scene.settle()
        assert len(scene.wall.texts) == told
    async with stage(tmp_path / "network", kind=Can, routes=[agenda()]) as scene:
        await show(scene, listed(1))
        await live(scene, MONDAY - timedelta(minutes=5))
        scene.clock.at = MONDAY
        scene.wall.fail("publish", Transient("503"))
        await scene.deliver()
        scene.clock.at = MONDAY + late
        await scene.settle()
        assert len(scene.wall.texts) == told


async def test_two_routes_to_one_place_make_one_recap(tmp_path: Path) -> None:
    """Of the events of both, each once."""
    routes = [agenda(name="un"), agenda(name="deux")]
    async with stage(tmp_path, kind=Can, routes=routes) as scene:
        await show(scene, listed(1))
        await live(scene, MONDAY + timedelta(hours=1))
        assert len(scene.wall.texts) == 1
        assert scene.wall.texts[0].count("Rendez-vous") == 1


async def test_a_long_recap_is_a_thread_or_cut_with_its_way_home(tmp_path: Path) -> None:
    """Whatever the route does with long texts."""

    class Narrow(FindableWall):
        limits = Limits(text_max=200, threads=True)

    class Single(FindableWall):
        limits = Limits(text_max=200)

    for kind, parts in ((Narrow, 2), (Single, 1)):
        async with stage(tmp_path / kind.__name__, kind=kind, routes=[agenda()]) as scene:
            await show(scene, listed(1), listed(2), listed(3))
            await live(scene, MONDAY + timedelta(hours=1))
            assert len(scene.wall.signs) >= parts
            assert [sign.answers for sign in scene.wall.signs.values()][:parts] == [None, "w1"][:parts]


async def test_a_recap_of_the_month_by_a_template(tmp_path: Path) -> None:
    """On its first day, with the events in words."""
    style = Style(template_recap="{{ title }} :{% for one in events %} [{{ one.day }}, {{ one.hour }}, {{ one.title }}]{% endfor %}")
    month = route(purposes=("recap",), recap=("month",), recap_at="tuesday 07:30", style=style)
    async with stage(tmp_path, kind=Can, routes=[month]) as scene:
        await show(scene, listed(1))
        await live(scene, datetime(2026, 12, 1, 7, 29, tzinfo=PARIS))
        assert scene.wall.texts == []
        await live(scene, datetime(2026, 12, 1, 8, 0, tzinfo=PARIS))
        assert scene.wall.texts == ["L’agenda de décembre 2026 : [samedi 5 décembre, 20h30, Rendez-vous 1]"]


# what was before


async def test_the_store_remembers_what_an_event_was_before_its_date_changed(tmp_path: Path) -> None:
    """Only its date counts, and only the last change; nothing is kept of what is gone."""
    uid = event().uid
    async with stage(tmp_path, kind=Can, routes=[route()]) as scene:
        seen = []
        for told in (event(), event(title="Bal"), moved(1, title="Bal"), moved(1), moved(2)):
            scene.world.show(told)
            await scene.poll()
            found = await scene.ask(lambda store: store.items.previous([uid, "unknown"]))
            seen.append({one: (before.starts_at, before.title) for one, before in found.items()})
        first, second = {uid: (SATURDAY, "Bal")}, {uid: (SATURDAY + DAY, "Atelier vélo")}
        assert seen == [{}, {}, first, first, second]
        scene.world.hide(uid)
        await scene.poll()
        assert await scene.ask(lambda store: store.items.previous([uid])) == {}

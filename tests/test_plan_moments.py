"""When things about an event are due: tables, on wall clocks that change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from syndicator.model import Event
from syndicator.plan import Rescheduled
from syndicator.plan.moments import Recap, begun_at, due_now, half_left, in_days, last_recap, reminders
from syndicator.plan.notes import removal_number, removed_by
from syndicator.testing import make_event, make_post
from syndicator.text.leads import lead
from syndicator.text.told import moved
from tests.plan_scene import NOW, ROUTE, change, created, facts, known, outcome, refused

PARIS, TOKYO = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Tokyo")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NINE = time(9)


def at(*parts: int, zone: ZoneInfo = PARIS) -> datetime:
    return datetime(*parts, tzinfo=zone)  # type: ignore[arg-type,misc]


def event(start: datetime, **changes: object) -> Event:
    return replace(make_event(starts_at=start, ends_at=None), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "offsets", "due"),
    [
        (event(at(2026, 12, 5, 20, 30)), (DAY, 2 * HOUR), [at(2026, 12, 4, 20, 30), at(2026, 12, 5, 18, 30)]),
        # The night of the change has 25 hours, that of spring 23.
        (event(at(2026, 10, 25, 20, 30)), (DAY, 24 * HOUR + HOUR), [at(2026, 10, 24, 20, 30), at(2026, 10, 24, 20, 30)]),
        (event(at(2026, 3, 29, 20, 30)), (DAY, 2 * HOUR), [at(2026, 3, 28, 20, 30), at(2026, 3, 29, 18, 30)]),
        (event(at(2026, 3, 30, 2, 30)), (DAY,), [at(2026, 3, 29, 3, 30)]),
        (event(at(2026, 12, 5, 20, 30, zone=TOKYO), timezone="Asia/Tokyo"), (DAY,), [at(2026, 12, 4, 20, 30, zone=TOKYO)]),
        (event(at(2026, 12, 5), start_is_date=True), (DAY, 2 * HOUR, 0 * DAY), [at(2026, 12, 4, 9), at(2026, 12, 5, 9)]),
        (event(at(2026, 12, 5, 20), long_event=True), (DAY, 2 * HOUR), [at(2026, 12, 4, 9)]),
        (event(at(2026, 12, 5, 20, 30)), (0 * DAY,), []),
    ],
)
def test_reminders_are_due_on_the_event_s_own_clock(told: Event, offsets: tuple[timedelta, ...], due: list[datetime]) -> None:
    """Days keep the hour, hours are hours that pass, what has no hour is told of in the morning."""
    assert [one.at for one in reminders(told, offsets, NINE)] == sorted({one.astimezone(UTC) for one in due})


def test_a_reminder_is_named_by_its_moment() -> None:
    """Another moment is another reminder; of a day without an hour, the hour at which we speak is none of its name."""
    first, later = event(at(2026, 12, 5, 20, 30)), event(at(2026, 12, 6, 20, 30))
    (one,), (two,), (back,) = (reminders(told, (DAY,), NINE) for told in (first, later, first))
    assert (one.number != two.number, one.number) == (True, back.number)
    day = event(at(2026, 12, 5), start_is_date=True)
    assert len({reminders(day, (DAY,), time(hour))[0].number for hour in (8, 9, 18)}) == 1


def test_of_late_reminders_only_the_last_is_told() -> None:
    """And all of those to come."""
    all_three = reminders(event(at(2026, 12, 5, 20, 30)), (2 * DAY, DAY, HOUR), NINE)
    assert due_now(all_three, at(2026, 12, 5, 8)) == all_three[1:]
    assert due_now(all_three, at(2026, 12, 1)) == all_three
    assert due_now(all_three, at(2026, 12, 6)) == all_three[-1:]


def test_a_day_has_begun_when_it_is_over() -> None:
    """Until then its reminder is none too late; an hour is one."""
    assert begun_at(event(at(2026, 12, 5), start_is_date=True)) == at(2026, 12, 6)
    assert begun_at(event(at(2026, 12, 5, 20, 30))) == at(2026, 12, 5, 20, 30)


@pytest.mark.parametrize(
    ("start", "now", "french", "english"),
    [
        (at(2026, 12, 5, 20, 30), at(2026, 12, 3, 9), "Dans 2 jours", "In 2 days"),
        (at(2026, 12, 5, 20, 30), at(2026, 12, 4, 23, 59), "Demain", "Tomorrow"),
        (at(2026, 12, 5, 20, 30), at(2026, 12, 5, 9), "Ce soir", "Tonight"),
        (at(2026, 12, 5, 14), at(2026, 12, 5, 9), "Aujourd’hui", "Today"),
        (at(2026, 12, 5, 20, 30), at(2026, 12, 5, 18, 31), "Dans 2 heures", "In 2 hours"),
        (at(2026, 12, 5, 20, 30), at(2026, 12, 5, 19, 30), "Dans une heure", "In an hour"),
        (at(2026, 12, 5, 20, 30), at(2026, 12, 5, 19, 0), "Ce soir", "Tonight"),
        (at(2026, 12, 5, 20, 30), at(2026, 12, 5, 20, 1), "Dans 30 minutes", "In 30 minutes"),
        (at(2026, 12, 5, 0, 30), at(2026, 12, 4, 22, 30), "Dans 2 heures", "In 2 hours"),
        (at(2026, 12, 5, 20, 30), at(2026, 12, 5, 20, 30), "", ""),
        # The event's own calendar: in Tokyo it is tomorrow already.
        (at(2026, 12, 5, 9, zone=TOKYO), at(2026, 12, 4, 8), "Demain", "Tomorrow"),
    ],
)
def test_how_long_it_is_until_then_is_true_when_it_is_said(start: datetime, now: datetime, french: str, english: str) -> None:
    """In words for the day, in numbers when it is soon."""
    told = event(start, timezone=str(start.tzinfo))
    assert (lead(told, now, "fr"), lead(told, now, "en")) == (french, english)


def test_a_day_without_an_hour_is_no_evening() -> None:
    """It is today, the whole day."""
    day = event(at(2026, 12, 5), start_is_date=True)
    assert [lead(day, at(2026, 12, number, 22), "fr") for number in (3, 4, 5, 6)] == ["Dans 2 jours", "Demain", "Aujourd’hui", ""]


@pytest.mark.parametrize(
    ("period", "when", "now", "name", "first", "due"),
    [
        ("week", "monday 09:00", at(2026, 11, 30, 9), "2026-W49", date(2026, 11, 30), at(2026, 11, 30, 9)),
        ("week", "monday 09:00", at(2026, 11, 30, 8, 59), "2026-W48", date(2026, 11, 23), at(2026, 11, 23, 9)),
        ("week", "wednesday 18:30", at(2026, 12, 4), "2026-W49", date(2026, 11, 30), at(2026, 12, 2, 18, 30)),
        ("week", "sunday 18:00", at(2026, 11, 29, 18), "2026-W49", date(2026, 11, 30), at(2026, 11, 29, 18)),
        ("week", "thursday 12:00", at(2026, 12, 31, 12), "2027-W01", date(2027, 1, 4), at(2026, 12, 31, 12)),
        ("month", "monday 09:00", at(2026, 12, 1, 9), "2026-12", date(2026, 12, 1), at(2026, 12, 1, 9)),
        ("month", "monday 09:00", at(2026, 12, 1, 8), "2026-11", date(2026, 11, 1), at(2026, 11, 1, 9)),
        # At the same hour on the clock, on both sides of its change.
        ("week", "monday 09:00", at(2026, 10, 26, 9), "2026-W44", date(2026, 10, 26), at(2026, 10, 26, 9)),
    ],
)
def test_recaps_are_due_on_the_association_s_clock(period: str, when: str, now: datetime, name: str, first: date, due: datetime) -> None:
    """Early in a week for the week that has begun, late in it for the one that comes."""
    recap = last_recap(period, when, now.astimezone(UTC), PARIS)  # type: ignore[arg-type]
    assert (recap.name, recap.first, recap.at) == (name, first, due)


def test_a_recap_is_late_when_half_of_it_is_over() -> None:
    """By then it helps nobody."""
    recap = last_recap("week", "monday 09:00", at(2026, 11, 30, 9), PARIS)
    assert [half_left(recap, now, PARIS) for now in (recap.at, at(2026, 12, 3, 12), at(2026, 12, 3, 12, 1))] == [True, True, False]


@pytest.mark.parametrize(
    ("told", "within"),
    [
        (event(at(2026, 11, 30, 0, 0)), True),
        (event(at(2026, 12, 6, 23, 59)), True),
        (event(at(2026, 12, 7, 0, 0)), False),
        (event(at(2026, 11, 29, 22), ends_at=at(2026, 11, 30, 2)), False),
        (event(at(2026, 11, 28), ends_at=at(2026, 11, 30), start_is_date=True, end_is_date=True), True),
        (event(at(2026, 11, 1), ends_at=at(2027, 6, 30)), False),
        (event(at(2026, 12, 2), ends_at=at(2027, 6, 30)), True),
    ],
)
def test_what_takes_place_in_a_week(told: Event, within: bool) -> None:
    """On one of its days; the end of a night belongs to its evening; what goes on for weeks, when it begins."""
    recap: Recap = last_recap("week", "monday 09:00", at(2026, 11, 30, 9), PARIS)
    assert in_days(told, recap.first, recap.last) is within


def test_announced_some_days_before() -> None:
    """Never before its grace window is over, and a post at once; what is announced by now is not put off."""
    route = replace(ROUTE, announce=7 * DAY)
    far, near = event(at(2026, 12, 5, 20, 30), source="agenda"), event(at(2026, 11, 23, 20, 30), source="agenda", uid="near")
    day = event(at(2026, 12, 5), start_is_date=True, source="agenda", uid="day")
    dues = {far: at(2026, 11, 28, 20, 30).astimezone(UTC), near: NOW - timedelta(minutes=3), day: at(2026, 11, 28, 9).astimezone(UTC)}
    made = outcome(*map(change, dues), change(make_post(uid="note")), routes=(route,))
    assert {one.uid: one.due_at for one in made.planned} == {
        **{told.uid: due for told, due in dues.items()},
        "note": NOW - timedelta(minutes=3),
    }
    assert outcome(change(far, "changed"), routes=(route,), given=facts(known=known(far, "pending"))).rescheduled == (
        Rescheduled(uid=far.uid, destination="wall", due_at=dues[far]),
    )
    assert outcome(change(far, "changed"), routes=(route,), given=facts(known=known(far))).rescheduled == ()


def test_a_route_that_announces_nothing() -> None:
    """It is for something else; another one may."""
    item = make_post()
    assert outcome(change(item), routes=(replace(ROUTE, purposes=("recap",)),)) == refused(item, "purpose")
    both = (replace(ROUTE, purposes=("recap",)), replace(ROUTE, name="r2"))
    opened = facts(since={(name, "toots", "wall"): NOW - 30 * DAY for name in ("r", "r2")})
    assert outcome(change(item), routes=both, given=opened).planned == (created(item, route="r2"),)


@pytest.mark.parametrize(
    ("edited", "news"),
    [
        ({"title": "Atelier  vélo "}, False),
        ({"title": "Bal"}, True),
        ({"starts_at": at(2026, 12, 5, 20, 30, 20)}, False),
        ({"starts_at": at(2026, 12, 5, 20, 45)}, True),
        ({"ends_at": at(2026, 12, 5, 23)}, True),
        ({"start_is_date": True, "end_is_date": True}, True),
        ({"place": None}, True),
        ({"online_url": "https://visio.example"}, True),
        ({"status": "cancelled"}, True),
        ({"html": "<p>Autre</p>", "capacity": 3, "full": True, "tags": ("x",)}, False),
    ],
)
def test_what_readers_must_hear_of(edited: dict[str, object], news: bool) -> None:
    """What they would otherwise have wrong: the day, the hour, the place, the name, whether it takes place."""
    assert moved(make_event(), make_event(**edited)) is news


@pytest.mark.parametrize(("purpose", "revision"), [("announce-change", 2), ("remind", 29_850_000), ("cancel", 3), ("cancel", 29_850_000)])
def test_a_note_is_named_by_what_takes_it_away(purpose: str, revision: int) -> None:
    """And no two share a name."""
    number = removal_number(purpose, revision)  # type: ignore[arg-type]
    assert (number < 0, removed_by(number)) == (True, (purpose, revision))

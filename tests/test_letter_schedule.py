"""When an issue is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicator.letter.schedule import Schedule, next_after, parse

PARIS = ZoneInfo("Europe/Paris")
NINE = time(9)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("chaque lundi à 9h", Schedule(unit="week", weekday=0, at=NINE)),
        ("Tous les vendredis, à 18 h 30", Schedule(unit="week", weekday=4, at=time(18, 30))),
        ("every Monday at 9:00", Schedule(unit="week", weekday=0, at=NINE)),
        ("un lundi sur deux à 9h", Schedule(unit="fortnight", weekday=0, at=NINE)),
        ("every second monday at 9:00", Schedule(unit="fortnight", weekday=0, at=NINE)),
        ("le premier du mois à 9h", Schedule(unit="month", day=1, at=NINE)),
        ("first of the month at 9:00", Schedule(unit="month", day=1, at=NINE)),
        ("le 15 du mois à 9h", Schedule(unit="month", day=15, at=NINE)),
        ("the 31st of the month at 9:00", Schedule(unit="month", day=31, at=NINE)),
        ("le dernier jour du mois à 9h", Schedule(unit="month", day=-1, at=NINE)),
        ("le premier lundi du mois 9h", Schedule(unit="month", weekday=0, nth=1, at=NINE)),
        ("le deuxième mardi du mois à 9h", Schedule(unit="month", weekday=1, nth=2, at=NINE)),
        ("last friday of the month at 9:00", Schedule(unit="month", weekday=4, nth=-1, at=NINE)),
        ("chaque jour à 7h05", Schedule(unit="day", at=time(7, 5))),
    ],
)
def test_a_rhythm_is_said_in_words(said: str, expected: Schedule) -> None:
    """In French and English, with or without accents and capitals."""
    assert parse(said) == expected


@pytest.mark.parametrize(
    "said", ["", "lundi", "chaque lundi", "chaque lundi à 25h", "le 32 du mois à 9h", "le 0 du mois à 9h", "* * * * *", "9h"]
)
def test_what_is_no_rhythm_is_refused(said: str) -> None:
    """With examples, in both languages."""
    with pytest.raises(ValueError, match="chaque lundi") as caught:
        parse(said)
    assert "every monday" in caught.value.args[0]["en"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "after", "expected"),
    [
        ("chaque lundi à 9h", "2026-11-22T12:00", "2026-11-23T08:00"),
        ("chaque lundi à 9h", "2026-11-23T08:00", "2026-11-30T08:00"),
        ("chaque lundi à 9h", "2026-03-28T12:00", "2026-03-30T07:00"),
        ("chaque dimanche à 2h30", "2026-03-28T12:00", "2026-03-29T01:30"),
        ("chaque dimanche à 2h30", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("le 31 du mois à 9h", "2026-02-01T00:00", "2026-02-28T08:00"),
        ("le dernier vendredi du mois à 9h", "2026-11-01T00:00", "2026-11-27T08:00"),
        ("le quatrième dimanche du mois à 9h", "2026-11-01T00:00", "2026-11-22T08:00"),
        ("un lundi sur deux à 9h", "2026-11-16T00:00", "2026-11-16T08:00"),
        ("un lundi sur deux à 9h", "2026-11-16T08:00", "2026-11-30T08:00"),
    ],
)
def test_the_next_issue(said: str, after: str, expected: str) -> None:
    """On the association's clock; an hour that is skipped comes later, one that is there twice comes once."""
    assert next_after(parse(said), utc(after), PARIS) == utc(expected)


def test_every_second_week_counts_from_the_day_that_was_named() -> None:
    """So that an association keeps its own weeks."""
    assert next_after(parse("un lundi sur deux à 9h"), utc("2026-11-16T00:00"), PARIS, date(2026, 11, 23)) == utc("2026-11-23T08:00")


@given(
    st.sampled_from(
        ["chaque jour à 2h30", "chaque lundi à 9h", "un jeudi sur deux à 9h", "le 31 du mois à 9h", "le premier lundi du mois à 9h"]
    ),
    st.integers(0, 20 * 366 * 24 * 3600),
)
def test_issues_follow_each_other(said: str, seconds: int) -> None:
    """Asked from any moment between two issues, the next is the same."""
    schedule, after = parse(said), utc("2020-01-01T00:00") + timedelta(seconds=seconds)
    first = next_after(schedule, after, PARIS)
    between = after + (first - after) / 2

    assert first > after
    assert next_after(schedule, between, PARIS) == first
    assert next_after(schedule, first, PARIS) > first

"""Dates in words: every kind of event, French and English first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from syndicator.testing import PARIS, make_event
from syndicator.text.dates import describe_instant, describe_when, short_when

_EVENT = make_event()


def _at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=PARIS)  # type: ignore[arg-type,misc]


CASES: list[tuple[dict[str, Any], str, str, str]] = [
    ({}, "samedi 5 décembre 2026 de 20h30 à 22h30", "Saturday 5 December 2026 from 8:30 pm to 10:30 pm", "sam. 5 déc., 20h30"),
    ({"ends_at": None}, "samedi 5 décembre 2026 à 20h30", "Saturday 5 December 2026 at 8:30 pm", "sam. 5 déc., 20h30"),
    ({"ends_at": _EVENT.starts_at}, "samedi 5 décembre 2026 à 20h30", "Saturday 5 December 2026 at 8:30 pm", "sam. 5 déc., 20h30"),
    (
        {"starts_at": _at(2026, 12, 1, 9), "ends_at": _at(2026, 12, 1, 12)},
        "mardi 1er décembre 2026 de 9h à 12h",
        "Tuesday 1 December 2026 from 9 am to noon",
        "mar. 1er déc., 9h",
    ),
    ({"start_is_date": True, "ends_at": None}, "samedi 5 décembre 2026", "Saturday 5 December 2026", "sam. 5 déc."),
    ({"start_is_date": True, "end_is_date": True}, "samedi 5 décembre 2026", "Saturday 5 December 2026", "sam. 5 déc."),
    (
        {"start_is_date": True, "end_is_date": True, "ends_at": _at(2026, 12, 7)},
        "du 5 au 7 décembre 2026",
        "5 to 7 December 2026",
        "du 5 au 7 déc.",
    ),
    (
        {"start_is_date": True, "end_is_date": True, "starts_at": _at(2026, 11, 30), "ends_at": _at(2026, 12, 2)},
        "du 30 novembre au 2 décembre 2026",
        "30 November to 2 December 2026",
        "du 30 nov. au 2 déc.",
    ),
    (
        {"start_is_date": True, "end_is_date": True, "starts_at": _at(2026, 12, 31), "ends_at": _at(2027, 1, 1)},
        "du 31 décembre 2026 au 1er janvier 2027",
        "31 December 2026 to 1 January 2027",
        "du 31 déc. 2026 au 1er janv. 2027",
    ),
    ({"ends_at": _at(2026, 12, 6)}, "samedi 5 décembre 2026 de 20h30 à minuit",
     "Saturday 5 December 2026 from 8:30 pm to midnight", "sam. 5 déc., 20h30"),
    ({"ends_at": _at(2026, 12, 6, 4)}, "samedi 5 décembre 2026 de 20h30 à 4h",
     "Saturday 5 December 2026 from 8:30 pm to 4 am", "sam. 5 déc., 20h30"),
    (
        {"ends_at": _at(2026, 12, 6, 11, 15)},
        "du samedi 5 décembre à 20h30 au dimanche 6 décembre 2026 à 11h15",
        "from Saturday 5 December at 8:30 pm to Sunday 6 December 2026 at 11:15 am",
        "du 5 au 6 déc.",
    ),
    (
        {"ends_at": _at(2027, 1, 2, 17), "long_event": False},
        "du samedi 5 décembre 2026 à 20h30 au samedi 2 janvier 2027 à 17h",
        "from Saturday 5 December 2026 at 8:30 pm to Saturday 2 January 2027 at 5 pm",
        "du 5 déc. 2026 au 2 janv. 2027",
    ),
    ({"ends_at": _at(2027, 6, 30, 17)}, "du 5 décembre 2026 au 30 juin 2027",
     "5 December 2026 to 30 June 2027", "du 5 déc. 2026 au 30 juin 2027"),
    ({"start_is_date": True}, "samedi 5 décembre 2026, jusqu’à 22h30", "Saturday 5 December 2026, until 10:30 pm", "sam. 5 déc."),
    ({"end_is_date": True}, "samedi 5 décembre 2026 à 20h30", "Saturday 5 December 2026 at 8:30 pm", "sam. 5 déc., 20h30"),
    (
        {"end_is_date": True, "ends_at": _at(2026, 12, 7)},
        "du samedi 5 décembre à 20h30 au lundi 7 décembre 2026",
        "from Saturday 5 December at 8:30 pm to Monday 7 December 2026",
        "du 5 au 7 déc.",
    ),
    # Stored as UTC, as Mobilizon does: the day is the day in Paris.
    (
        {"starts_at": datetime(2026, 12, 4, 23, 0, tzinfo=UTC), "start_is_date": True, "ends_at": None},
        "samedi 5 décembre 2026",
        "Saturday 5 December 2026",
        "sam. 5 déc.",
    ),
    # The night the clocks change: 2 h long on the wall, 3 h in fact.
    (
        {"starts_at": datetime(2026, 10, 24, 23, 0, tzinfo=UTC), "ends_at": datetime(2026, 10, 25, 2, 0, tzinfo=UTC)},
        "dimanche 25 octobre 2026 de 1h à 3h",
        "Sunday 25 October 2026 from 1 am to 3 am",
        "dim. 25 oct., 1h",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "french", "english", "short"), CASES)
def test_when(changes: dict[str, Any], french: str, english: str, short: str) -> None:
    """No time that nobody gave, no end that says nothing, the event's own clock."""
    event = make_event(**changes)
    assert describe_when(event, "fr") == french
    assert describe_when(event, "fr-CA") == french
    assert describe_when(event, "en") == english
    assert short_when(event, "fr") == short


@pytest.mark.parametrize(
    ("timezone", "french", "english"),
    [
        (
            "America/Montreal",
            "samedi 5 décembre 2026 à 14h30 (heure locale, Montreal)",
            "Saturday 5 December 2026 at 2:30 pm (Montreal time)",
        ),
        ("Europe/Brussels", "samedi 5 décembre 2026 à 20h30", "Saturday 5 December 2026 at 8:30 pm"),
        ("Nulle/Part", "samedi 5 décembre 2026 à 20h30", "Saturday 5 December 2026 at 8:30 pm"),
    ],
)
def test_another_clock_is_named(timezone: str, french: str, english: str) -> None:
    """Only where it shows another time than at home."""
    event = make_event(timezone=timezone, ends_at=None)
    assert describe_when(event, "fr", home_timezone="Europe/Paris") == french
    assert describe_when(event, "en", home_timezone="Europe/Paris") == english
    assert "(" not in describe_when(event, "fr")


@pytest.mark.parametrize(
    ("language", "when", "short"),
    [
        ("de", "Samstag, 5. Dezember 2026, 20:30 – 22:30", "Sa., 5. Dez., 20:30"),
        ("br", "Sadorn 5 Kerzu 2026, 20:30 – 22:30", "Sad. 5 Kzu., 20:30"),
        ("xx-nowhere", "Saturday, December 5, 2026, 8:30\u202fPM – 10:30\u202fPM", "Sat, Dec 5, 8:30\u202fPM"),
    ],
)
def test_other_languages_have_their_own_formats(language: str, when: str, short: str) -> None:
    """Babel knows them; seconds never show."""
    assert describe_when(make_event(), language) == when
    assert short_when(make_event(), language).replace("  ", " ") == short


def test_several_days_in_another_language() -> None:
    """Both ends in full."""
    event = make_event(start_is_date=True, end_is_date=True, ends_at=_at(2026, 12, 7))
    assert describe_when(event, "de") == "Samstag, 5. Dezember 2026 – Montag, 7. Dezember 2026"


def test_one_instant() -> None:
    """A live begins once, on the association's clock."""
    at = datetime(2026, 12, 5, 19, 30, tzinfo=UTC)
    assert describe_instant(at, "Europe/Paris", "fr") == "samedi 5 décembre 2026 à 20h30"
    assert describe_instant(at, "America/New_York", "en") == "Saturday 5 December 2026 at 2:30 pm"
    assert describe_instant(at, "Europe/Paris", "de") == "Samstag, 5. Dezember 2026, 20:30"


def test_the_year_on_request() -> None:
    """Lists of one season leave it out, archives do not."""
    assert short_when(make_event(), "fr", year=True) == "sam. 5 déc. 2026, 20h30"
    assert short_when(make_event(), "en", year=True) == "Sat 5 Dec 2026, 8:30 pm"

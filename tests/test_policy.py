"""What becomes of a delivery after an attempt: every kind of error, before and after the request left, known and unknown."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicator.editing import Abilities, as_seen, means_for
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, RateLimited, Rejected, Transient
from syndicator.model import Attachment, Delivery
from syndicator.policy import (
    ASK_AGAIN,
    DEFAULT_RATE_WAIT,
    FIRST_PROBE,
    FIRST_WAIT,
    GIVE_UP,
    LONGEST_WAIT,
    Decision,
    Done,
    Drop,
    Park,
    Pause,
    Recover,
    Retry,
    backoff,
    decide,
    key_holds,
    speak_at,
)
from syndicator.route import Pace, Route
from syndicator.testing import make_rendition

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


class Longest(random.Random):
    """Jitter that always takes the longest wait."""

    def uniform(self, a: float, b: float) -> float:
        return b


def delivery(**changes: Any) -> Delivery:
    base = Delivery(
        id=1,
        route="r",
        source="toots",
        uid="u",
        destination="wall",
        purpose="create",
        revision=0,
        key="k",
        due_at=NOW,
        created_at=NOW - timedelta(hours=1),
        updated_at=NOW,
    )
    return replace(base, **changes)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


LATER = NOW + timedelta(hours=9)
UNSENT, SENT = False, True
TABLE: list[tuple[Exception, dict[str, Any], bool, Decision]] = [
    (Transient("x"), {}, SENT, Retry(at=after(10), reason="Transient: x")),
    (Transient("x"), {"attempts": 3}, SENT, Retry(at=after(80), reason="Transient: x")),
    (Transient("x"), {"outcome_unknown": True}, UNSENT, Recover(at=after(10), reason="Transient: x")),
    (Transient("x"), {"outcome_unknown": True}, SENT, Recover(at=after(10), reason="Transient: x")),
    (
        Transient("x"),
        {"outcome_unknown": True, "first_sent_at": NOW - GIVE_UP - timedelta(seconds=1)},
        UNSENT,
        Park(reason="unknown", outcome_unknown=True),
    ),
    (Transient("x"), {"purpose": "update"}, SENT, Retry(at=after(10), reason="Transient: x")),
    (Transient("x"), {"purpose": "update", "created_at": NOW - GIVE_UP}, SENT, Retry(at=after(10), reason="Transient: x")),
    (
        Transient("x"),
        {"purpose": "delete", "created_at": NOW - GIVE_UP - timedelta(seconds=1)},
        SENT,
        Park(reason="Transient: x", outcome_unknown=False),
    ),
    (Transient("x"), {"created_at": NOW - 2 * GIVE_UP}, SENT, Retry(at=after(10), reason="Transient: x")),
    (
        RateLimited("x", at=LATER),
        {},
        SENT,
        Pause(at=LATER, reason="RateLimited: x", person=False, outcome_unknown=False),
    ),
    (
        RateLimited("x", at=LATER),
        {"outcome_unknown": True},
        UNSENT,
        Pause(at=LATER, reason="RateLimited: x", person=False, outcome_unknown=True),
    ),
    (RateLimited("x"), {}, SENT, Pause(at=NOW + DEFAULT_RATE_WAIT, reason="RateLimited: x", person=False, outcome_unknown=False)),
    (
        RateLimited("x", at=NOW - timedelta(days=1)),
        {},
        SENT,
        Pause(at=NOW + FIRST_WAIT, reason="RateLimited: x", person=False, outcome_unknown=False),
    ),
    (OutcomeUnknown("x"), {}, UNSENT, Retry(at=after(10), reason="OutcomeUnknown: x")),
    (OutcomeUnknown("x"), {}, SENT, Recover(at=NOW + ASK_AGAIN, reason="OutcomeUnknown: x")),
    (OutcomeUnknown("x"), {"attempts": 4}, SENT, Recover(at=after(160), reason="OutcomeUnknown: x")),
    (OutcomeUnknown("x"), {"outcome_unknown": True}, UNSENT, Recover(at=after(10), reason="OutcomeUnknown: x")),
    (OutcomeUnknown("x"), {"purpose": "update"}, SENT, Recover(at=NOW + ASK_AGAIN, reason="OutcomeUnknown: x")),
    (OutcomeUnknown("x"), {"purpose": "delete"}, SENT, Recover(at=after(10), reason="OutcomeUnknown: x")),
    (OutcomeUnknown("x"), {"purpose": "update"}, UNSENT, Retry(at=after(10), reason="OutcomeUnknown: x")),
    (OutcomeUnknown("x"), {"purpose": "replace"}, SENT, Recover(at=NOW + ASK_AGAIN, reason="OutcomeUnknown: x")),
    (
        OutcomeUnknown("x"),
        {"purpose": "replace", "created_at": NOW - 2 * GIVE_UP},
        SENT,
        Park(reason="OutcomeUnknown: x", outcome_unknown=True),
    ),
    (
        Transient("x"),
        {"purpose": "replace", "created_at": NOW - 2 * GIVE_UP, "outcome_unknown": True},
        SENT,
        Park(reason="Transient: x", outcome_unknown=True),
    ),
    (OutcomeUnknown("x"), {"purpose": "announce-change"}, SENT, Recover(at=NOW + ASK_AGAIN, reason="OutcomeUnknown: x")),
    (Transient("x"), {"purpose": "announce-change", "created_at": NOW - 2 * GIVE_UP}, SENT, Retry(at=after(10), reason="Transient: x")),
    (Gone("x"), {"purpose": "replace"}, SENT, Drop(reason="gone-there")),
    (Gone("x"), {"purpose": "announce-change"}, SENT, Park(reason="Gone: x", outcome_unknown=False)),
    (AuthExpired("x"), {}, SENT, Pause(at=NOW + FIRST_PROBE, reason="AuthExpired: x", person=True, outcome_unknown=False)),
    (
        AuthExpired("x"),
        {"outcome_unknown": True},
        UNSENT,
        Pause(at=NOW + FIRST_PROBE, reason="AuthExpired: x", person=True, outcome_unknown=True),
    ),
    (Rejected("x"), {}, SENT, Park(reason="Rejected: x", outcome_unknown=False)),
    (Rejected("x"), {"outcome_unknown": True}, UNSENT, Park(reason="Rejected: x", outcome_unknown=True)),
    (Gone("x"), {"purpose": "delete"}, SENT, Done()),
    (Gone("x"), {"purpose": "update"}, SENT, Drop(reason="gone-there")),
    (Gone("x"), {}, SENT, Park(reason="Gone: x", outcome_unknown=False)),
    (ValueError("x"), {}, UNSENT, Park(reason="bug: ValueError: x", outcome_unknown=False)),
    (ValueError("x"), {}, SENT, Park(reason="bug: ValueError: x", outcome_unknown=True)),
    (TimeoutError("x"), {"outcome_unknown": True}, UNSENT, Park(reason="bug: TimeoutError: x", outcome_unknown=True)),
]


@pytest.mark.parametrize(("error", "changes", "sent", "decision"), TABLE)
def test_every_error_has_its_decision(error: Exception, changes: dict[str, Any], sent: bool, decision: Decision) -> None:
    """What surely failed is tried again; what may be out is found out first; what a person must do waits for them; nothing else."""
    assert decide(error, delivery(**changes), NOW, Longest(), sent=sent) == decision


def test_a_key_that_holds_is_asked_sooner() -> None:
    """Sending again with the same key is the question itself: it need not wait for the first request to end."""
    decided = decide(OutcomeUnknown("x"), delivery(), NOW, Longest(), sent=True, keyed=True)
    assert decided == Recover(at=NOW + FIRST_WAIT, reason="OutcomeUnknown: x")


ERRORS = st.sampled_from([Transient("x"), RateLimited("x"), OutcomeUnknown("x"), AuthExpired("x"), Rejected("x"), Gone("x"), OSError("x")])


@given(error=ERRORS, sent=st.booleans(), keyed=st.booleans(), attempts=st.integers(0, 60), seed=st.integers())
def test_nothing_settles_an_unknown_creation_by_failing(error: Exception, sent: bool, keyed: bool, attempts: int, seed: int) -> None:
    """Whatever happens to a later attempt: nobody knows more than before, and it is never simply sent again."""
    unknown = delivery(outcome_unknown=True, attempts=attempts)
    decided = decide(error, unknown, NOW, random.Random(seed), sent=sent, keyed=keyed)
    assert isinstance(decided, Recover | Pause | Park)
    assert isinstance(decided, Recover) or decided.outcome_unknown


@given(error=ERRORS, sent=st.booleans(), attempts=st.integers(0, 60), seed=st.integers())
def test_nobody_knocks_without_a_pause(error: Exception, sent: bool, attempts: int, seed: int) -> None:
    """Every decision to try again leaves at least some seconds, and at most an hour unless the service asked for more."""
    decided = decide(error, delivery(attempts=attempts), NOW, random.Random(seed), sent=sent)
    if isinstance(decided, Retry | Recover | Pause):
        assert FIRST_WAIT / 2 <= decided.at - NOW <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(-3, 10), (0, 10), (1, 10), (2, 20), (3, 40), (8, 1280), (9, 2560), (10, 3600), (17, 3600), (10**6, 3600)]
)
def test_the_wait_doubles_up_to_an_hour(attempts: int, seconds: int) -> None:
    """After the first failure, the second, and so on for ever."""
    assert backoff(attempts, Longest()) == timedelta(seconds=seconds)


@given(attempts=st.integers(-5, 200), seed=st.integers())
def test_jitter_takes_away_at_most_half(attempts: int, seed: int) -> None:
    """So that a hundred associations do not come back at the same instant."""
    longest = backoff(attempts, Longest())
    assert longest / 2 <= backoff(attempts, random.Random(seed)) <= longest


def test_jitter_differs() -> None:
    """It would be of no use otherwise."""
    assert len({backoff(5, random.Random(seed)) for seed in range(20)}) == 20


@pytest.mark.parametrize(
    ("sent_before_s", "window_s", "holds"),
    [
        (0, 3600, True),
        (3239, 3600, True),
        (3240, 3600, False),
        (3600, 3600, False),
        (1, 0, False),
        (None, 3600, False),
        (-1, 3600, False),
        (-86400, 3600, False),
    ],
)
def test_a_key_is_relied_on_for_nine_tenths_of_its_window(sent_before_s: int | None, window_s: int, holds: bool) -> None:
    """Never when the service has none, never when it was not sent, never when our clock was put back since: nobody knows its age then."""
    sent_at = None if sent_before_s is None else NOW - timedelta(seconds=sent_before_s)
    assert key_holds(delivery(first_sent_at=sent_at), window_s, NOW) is holds


# pace


NIGHT = Pace(quiet_from=time(22, 0), quiet_until=time(8, 0))
NOON = Pace(quiet_from=time(12, 30), quiet_until=time(13, 30))


def paris(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=PARIS, fold=fold).astimezone(UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("due_at", "pace", "at"),
    [
        (paris(2026, 11, 21, 21, 59), NIGHT, paris(2026, 11, 21, 21, 59)),
        (paris(2026, 11, 21, 22, 0), NIGHT, paris(2026, 11, 22, 8, 0)),
        (paris(2026, 11, 21, 23, 59), NIGHT, paris(2026, 11, 22, 8, 0)),
        (paris(2026, 11, 22, 0, 0), NIGHT, paris(2026, 11, 22, 8, 0)),
        (paris(2026, 11, 22, 7, 59), NIGHT, paris(2026, 11, 22, 8, 0)),
        (paris(2026, 11, 22, 8, 0), NIGHT, paris(2026, 11, 22, 8, 0)),
        (paris(2026, 12, 31, 23, 0), NIGHT, paris(2027, 1, 1, 8, 0)),
        (paris(2026, 11, 21, 13, 0), NOON, paris(2026, 11, 21, 13, 30)),
        (paris(2026, 11, 21, 12, 29), NOON, paris(2026, 11, 21, 12, 29)),
        (paris(2026, 3, 28, 23, 0), NIGHT, paris(2026, 3, 29, 8, 0)),
        (paris(2026, 10, 24, 23, 0), NIGHT, paris(2026, 10, 25, 8, 0)),
        (paris(2026, 3, 29, 1, 0), Pace(quiet_from=time(0), quiet_until=time(2, 30)), paris(2026, 3, 29, 3, 30)),
        (
            paris(2026, 10, 25, 2, 15, fold=1),
            Pace(quiet_from=time(0), quiet_until=time(2, 30)),
            paris(2026, 10, 25, 2, 30, fold=1),
        ),
        (paris(2026, 11, 21, 23, 0), Pace(quiet_from=time(22)), paris(2026, 11, 21, 23, 0)),
        (paris(2026, 11, 21, 22, 30), Pace(quiet_from=time(22), quiet_until=time(22)), paris(2026, 11, 21, 22, 30)),
    ],
)
def test_quiet_hours(due_at: datetime, pace: Pace, at: datetime) -> None:
    """Local wall clock, across midnight, across years and across both changes of the clock."""
    assert speak_at(due_at, pace, None, PARIS) == at


def test_spacing_counts_from_the_last_new_post_and_can_end_in_the_quiet_hours() -> None:
    """Then the next morning it is."""
    pace = replace(NIGHT, spacing=timedelta(hours=3))
    due_at = paris(2026, 11, 21, 18, 0)
    assert speak_at(due_at, pace, None, PARIS) == due_at
    assert speak_at(due_at, pace, paris(2026, 11, 21, 17, 0), PARIS) == paris(2026, 11, 21, 20, 0)
    assert speak_at(due_at, pace, paris(2026, 11, 21, 12, 0), PARIS) == due_at
    assert speak_at(due_at, pace, paris(2026, 11, 21, 19, 30), PARIS) == paris(2026, 11, 22, 8, 0)


ALL, EDITS, REMOVES, NEITHER = (True, True), (True, False), (False, True), (False, False)


@pytest.mark.parametrize(
    ("wish", "told", "silent"),
    [
        # What readers see; and where no note can be posted. For all, edits, removes, neither.
        ("update", ("in-place", "in-place", "nothing", "nothing"), ("in-place", "in-place", "nothing", "nothing")),
        ("replace", ("anew", "in-place", "anew", "note"), ("anew", "in-place", "anew", "nothing")),
        ("note", ("note", "note", "note", "note"), ("in-place", "in-place", "nothing", "nothing")),
        ("ignore", ("nothing",) * 4, ("nothing",) * 4),
    ],
)
def test_what_an_edit_does_is_a_table(wish: Any, told: tuple[str, ...], silent: tuple[str, ...]) -> None:
    """What the route wants × what the network can; what no reader sees is edited in place, or nothing is done."""
    route = Route(name="r", sources=(), destinations=(), edit=wish)
    for notes, expected in ((True, told), (False, silent)):
        can = [Abilities(edits=edits, removes=removes, notes=notes) for edits, removes in (ALL, EDITS, REMOVES, NEITHER)]
        assert tuple(means_for(route, abilities, seen=True) for abilities in can) == expected
        unseen = "nothing" if wish == "ignore" else "in-place"
        assert [means_for(route, abilities, seen=False) for abilities in can] == [unseen, unseen, "nothing", "nothing"]


def test_readers_see_words_and_pictures_not_their_descriptions() -> None:
    """An alt text, a language, a date, what we noted: the same to see. Another picture, order, title or warning: not."""
    picture, other = Attachment(url="https://a.example/1.jpg", description="Un vélo", width=9), Attachment(url="https://a.example/2.jpg")
    shown = make_rendition(attachments=(picture, other), language="fr")
    same = replace(shown, attachments=(Attachment(url=picture.url), other), language="en", published_at=None, notes=("shortened",))
    assert as_seen([shown]) == as_seen([same])
    for differing in (
        replace(shown, text="autre"),
        replace(shown, title="autre"),
        replace(shown, content_warning="mort"),
        replace(shown, attachments=(other, picture)),
        replace(shown, link="https://a.example/"),
    ):
        assert as_seen([shown]) != as_seen([differing])
    assert as_seen([shown]) != as_seen([shown, shown])

"""The widget's files: what ``widget.json`` says of each item, how much of it there is, and what visitors download."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.website import Options, WebsiteProjection
from connectors.website.widget import ALL_MAX, EACH_MAX, EVENTS_MAX, PAST_MAX
from syndicator.contract import View
from syndicator.http import Sessions
from syndicator.model import Event, Offer, Place
from syndicator.testing import NOW, PARIS, make_context, make_event, make_post, make_view
from syndicator.text.naming import handle

ASSETS = Path(__file__).parent.parent / "connectors" / "website" / "assets"


def dated(number: int, starts_at: datetime, **changes: Any) -> Event:
    """An event of its own."""
    uid = f"https://mobilizon.example/events/{number}"
    return make_event(**{"uid": uid, "url": uid, "title": f"Numéro {number}", "starts_at": starts_at, "ends_at": None, **changes})


async def made(folder: Path, sessions: Sessions, view: View, **options: Any) -> Path:
    """The public folder, projected."""
    context = make_context(folder, sessions)
    projection = WebsiteProjection(Options(**options), context)
    await projection.open()
    await projection.project(view)
    return context.public_dir


async def data(folder: Path, sessions: Sessions, view: View, **options: Any) -> dict[str, Any]:
    """``widget.json``."""
    found: dict[str, Any] = json.loads((await made(folder, sessions, view, **options) / "widget.json").read_bytes())
    return found


async def test_what_it_says_of_an_event(tmp_path: Path, sessions: Sessions) -> None:
    """Hours with their offset and the date in words in both languages; where our page and our file are; nothing that was not said."""
    event = dated(1, datetime(2026, 12, 5, 20, 30, tzinfo=PARIS), offers=(Offer(price="0"),), full=True, tags=("Vélo", "vélo "))
    before = replace(event, starts_at=datetime(2026, 12, 1, 20, tzinfo=PARIS))
    view = replace(
        make_view([event]), previous={event.uid: before}, shown_by={event.uid: ("agenda", "ville")}, sources={"agenda": "Les Amis"}
    )
    found = await data(tmp_path, sessions, view, calendar="agenda.ics", event_ics=True)

    assert {**found, "events": []} == {
        "version": 1,
        "generator": "syndicator",
        "title": "Les Amis du Vélo",
        "language": "fr",
        "timezone": "Europe/Paris",
        "accent": ["#a8432f", "#d37360"],
        "calendar": "agenda.ics",
        "sources": {"agenda": "Les Amis", "ville": ""},
        "events": [],
        "posts": [],
        "videos": [],
    }
    assert found["events"] == [
        {
            "title": "Numéro 1",
            "url": "https://mobilizon.example/events/1",
            "page": f"events/numero-1-{handle(event.uid)}.html",
            "ics": f"agenda/{handle(event.uid)}.ics",
            "start": "2026-12-05T20:30:00+01:00",
            "timezone": "Europe/Paris",
            "when": {"fr": "samedi 5 décembre 2026 à 20h30", "en": "Saturday 5 December 2026 at 8:30 pm"},
            "was": {"fr": "mardi 1er décembre 2026 à 20h", "en": "Tuesday 1 December 2026 at 8 pm"},
            "full": True,
            "place": "La Maison, 3 rue du Port, 29200 Brest",
            "price": {"fr": "Gratuit", "en": "Free"},
            "text": "Venez réparer votre vélo.",
            "tags": ["Vélo", "vélo"],
            "sources": ["agenda", "ville"],
            "language": "fr",
        }
    ]


LASTS = [
    ("an evening", {"ends_at": datetime(2026, 12, 5, 22, tzinfo=PARIS)}, None),
    ("into the small hours", {"ends_at": datetime(2026, 12, 6, 4, tzinfo=PARIS)}, None),
    ("until midnight", {"ends_at": datetime(2026, 12, 6, tzinfo=PARIS)}, None),
    ("a weekend until midnight", {"ends_at": datetime(2026, 12, 7, tzinfo=PARIS)}, "2026-12-06"),
    ("until the next morning", {"ends_at": datetime(2026, 12, 6, 10, tzinfo=PARIS)}, "2026-12-06"),
    ("two nights", {"ends_at": datetime(2026, 12, 7, 4, tzinfo=PARIS)}, "2026-12-07"),
    ("days without hour", {"ends_at": datetime(2026, 12, 7, tzinfo=PARIS), "end_is_date": True, "start_is_date": True}, "2026-12-07"),
    ("no end", {"ends_at": None}, None),
]


@pytest.mark.parametrize(("changes", "last"), [case[1:] for case in LASTS], ids=[case[0] for case in LASTS])
async def test_the_last_day_in_a_calendar(tmp_path: Path, sessions: Sessions, changes: dict[str, Any], last: str | None) -> None:
    """What ends in the small hours, or at midnight, does not stand on the day after."""
    found = await data(tmp_path, sessions, make_view([dated(1, datetime(2026, 12, 5, 20, tzinfo=PARIS), **changes)]))

    assert found["events"][0].get("last") == last


async def test_it_is_bounded_and_no_tag_or_source_is_forgotten(tmp_path: Path, sessions: Sessions) -> None:
    """The soonest events, the first of each tag and source beyond them, what goes on, and the last of the past; by start."""
    start = datetime(2026, 12, 1, 20, tzinfo=PARIS)
    items = [dated(number, start + timedelta(hours=number), tags=("bal",)) for number in range(EVENTS_MAX + 100)]
    rare = [dated(5000 + number, start + timedelta(days=100 + number), tags=("rare",)) for number in range(EACH_MAX + 3)]
    far = dated(6000, start + timedelta(days=150), source="voisins")
    past = [dated(7000 + number, NOW - timedelta(days=2, hours=number)) for number in range(PAST_MAX + 5)]
    found = await data(tmp_path, sessions, make_view([*items, *rare, far, *past]), pages=False)
    titles = [event["title"] for event in found["events"]]

    assert titles[:PAST_MAX] == [event.title for event in reversed(past[:PAST_MAX])]
    assert titles[PAST_MAX:] == [event.title for event in (*items[:EVENTS_MAX], *rare[:EACH_MAX], far)]
    many = [dated(number, start + timedelta(hours=number), tags=(f"tag{number}",)) for number in range(600)]
    assert len((await data(tmp_path / "many", sessions, make_view(many), pages=False))["events"]) == ALL_MAX


async def test_what_it_says_of_posts(tmp_path: Path, sessions: Sessions) -> None:
    """A warning stands instead of the text; a planned broadcast says when in words; videos are apart."""
    posts = [
        make_post(html="<p>Du sang</p>", content_warning="Blessure"),
        make_post(
            uid="https://v.example/1",
            url="https://v.example/1",
            kind="live",
            title="Débat",
            live="scheduled",
            starts_at=NOW,
            html="<p>Oui</p>",
        ),
    ]
    found = await data(tmp_path, sessions, make_view(posts))

    assert [(post["name"], post["warning"], post.get("text")) for post in found["posts"]] == [("Blessure", "Blessure", None)]
    assert [(post["title"], post["live"], post["when"]["fr"], post["text"]) for post in found["videos"]] == [
        ("Débat", "scheduled", "samedi 21 novembre 2026 à 13h", "Oui")
    ]


async def test_switched_off_it_is_not_there(tmp_path: Path, sessions: Sessions) -> None:
    """And what was there goes."""
    names = {"widget.js", "widget.json", "embed.html", "embed.js"}
    before = {path.name for path in (await made(tmp_path, sessions, make_view([make_event()]))).iterdir()}
    after = {path.name for path in (await made(tmp_path, sessions, make_view([make_event()]), widget=False)).iterdir()}

    assert (names & before, names & after) == (names, set())


async def test_the_frame_without_javascript(tmp_path: Path, sessions: Sessions) -> None:
    """The next dates as a list, every word escaped, no inline script or style; the empty state in words."""
    wicked = dated(1, datetime(2026, 12, 5, 20, tzinfo=PARIS), title="<b onclick=x>Bal</b>", url='javascript:"x"', place=Place(name="<i>"))
    page = (await made(tmp_path, sessions, make_view([wicked])) / "embed.html").read_text()
    empty = (await made(tmp_path / "empty", sessions, make_view([])) / "embed.html").read_text()

    assert "<li>&lt;b onclick=x&gt;Bal&lt;/b&gt;\u00a0: samedi 5 décembre 2026 à 20h</li>" in page
    assert "javascript" not in page
    assert re.findall(r"<script[^>]*>.", page) == ['<script type="module" src="embed.js"><']
    assert "<p>Aucun rendez-vous n’est annoncé pour l’instant. Revenez bientôt\u00a0!</p>" in empty


def test_what_visitors_download_is_small_and_plain() -> None:
    """Under 15 kB gzipped; it imports nothing, evaluates nothing, writes no markup and keeps nothing."""
    script = (ASSETS / "widget.js").read_text()

    assert len(gzip.compress(script.encode(), 6)) < 15_000
    banned = r"(inner|outer|Adjacent)HTML|document\.write|\beval\b|new Function|\bimport\s*[({'\"]|cookie|Storage|indexedDB|\.style\b"
    assert re.findall(banned, script) == []
    assert re.findall(r"https?://[\w.]+", script) == []

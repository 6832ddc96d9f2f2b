"""The website of 10,000 events: everything made, then one event changed, and nothing changed.

Only the projection: what the daemon does before (reading its store) is in ``agenda``. Files are written to disk as in production, each on
disk before it is seen.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from connectors.website import Options, WebsiteProjection
from syndicator.contract import Association, Context, View
from syndicator.http import Sessions
from syndicator.model import Actor, Event, Offer, Place
from syndicator.testing import make_context

EVENTS = 10_000
UPDATES = 5
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
TAGS = ("vélo", "atelier", "bal", "concert", "cinéma", "jeunesse", "accueil", "écologie", "lecture", "potager", "marche", "théâtre")
TOWNS = ("Brest", "Quimper", "Morlaix", "Carhaix", "Landerneau", "Plouzané", "Crozon", "Douarnenez")
SOURCES = {f"groupe-{number}": f"Groupe {number}" for number in range(20)}
PROMISED = 50


def run() -> None:
    """Print what each projection took, and the ratio."""
    asyncio.run(_measure())


async def _measure() -> None:
    sessions = Sessions()
    with TemporaryDirectory() as folder:
        context = make_context(
            Path(folder), sessions, now=lambda: NOW, association=Association(name="Agenda du Finistère", url="https://agenda.example/")
        )
        events = list(_events(random.Random(7)))
        whole = _view(events, frozenset(event.uid for event in events))
        full = await _timed(context, whole)
        files = sum(1 for path in context.public_dir.rglob("*") if path.is_file())
        print(f"  {EVENTS} events, everything made: {full:6.2f} s, {files} files", flush=True)
        connector = WebsiteProjection(Options(), context)
        await connector.project(_view(events, frozenset()))
        updates = [await _update(connector, events, number) for number in range(UPDATES)]
        idle = await _timed_with(connector, _view(events, frozenset()))
        restarted = await _timed(context, _view(events, frozenset()))
    await sessions.close()
    median = sorted(updates)[len(updates) // 2]
    print(f"  one event changed: {median * 1000:6.0f} ms (from {min(updates) * 1000:.0f} to {max(updates) * 1000:.0f})")
    print(f"  nothing changed:   {idle * 1000:6.0f} ms, after a restart {restarted * 1000:.0f} ms")
    print(f"  an update costs 1/{full / median:.0f} of everything (promised: at most 1/{PROMISED})")


async def _update(connector: WebsiteProjection, events: list[Event], number: int) -> float:
    """Another title for an event to come, at another hour; the rest is as it was."""
    place = len(events) * (number + 5) // (UPDATES + 6)
    old = events[place]
    events[place] = replace(old, title=f"{old.title} (déplacé)", starts_at=old.starts_at + timedelta(minutes=15), sequence=1)
    return await _timed_with(connector, _view(events, frozenset({old.uid})))


async def _timed(context: Context, view: View) -> float:
    return await _timed_with(WebsiteProjection(Options(), context), view)


async def _timed_with(connector: WebsiteProjection, view: View) -> float:
    began = time.perf_counter()
    await connector.project(view)
    return time.perf_counter() - began


def _events(rng: random.Random) -> Iterator[Event]:
    """A town's: 400 days back, two years ahead, with the texts that people write."""
    for number in range(EVENTS):
        starts_at = NOW.astimezone(PARIS) + timedelta(minutes=round(-400 * 1440 + number * 1130 * 1440 / EVENTS))
        paragraph = "Venez nombreuses et nombreux : la salle ouvre une demi-heure avant, et chacun apporte quelque chose à partager. "
        uid = f"https://mobilizon.example/events/{number:08x}-a102-45f2-95d8-860610085fa4"
        yield Event(
            uid=uid,
            url=uid,
            source=f"groupe-{number % len(SOURCES)}",
            title=f"{rng.choice(TAGS).capitalize()} à {rng.choice(TOWNS)}, rendez-vous {number}",
            html="".join(f"<p>{paragraph * rng.randint(1, 3)}</p>" for _ in range(rng.randint(1, 4))),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=2),
            timezone="Europe/Paris",
            place=Place(name="Salle des fêtes", street="3 rue du Port", postal_code="29200", locality=rng.choice(TOWNS), country="France"),
            organizer=Actor(name=SOURCES[f"groupe-{number % len(SOURCES)}"], url="https://mobilizon.example/@groupe"),
            tags=tuple(rng.sample(TAGS, rng.randint(1, 3))),
            language="fr",
            offers=(Offer(price="5"),) if number % 3 else (),
            published_at=NOW - timedelta(days=500),
        )


def _view(events: list[Event], changed: frozenset[str]) -> View:
    seen = dict.fromkeys((event.uid for event in events), NOW - timedelta(days=1))
    return View(
        items=sorted(events, key=lambda event: (event.starts_at, event.uid)),
        changed=changed,
        changed_at=seen | dict.fromkeys((event.uid for event in events if event.sequence), NOW),
        first_seen_at=seen,
        sources=SOURCES,
    )

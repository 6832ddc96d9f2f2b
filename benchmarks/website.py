"""The website of 10,000 events: everything made, then one event changed, and nothing changed.

The projection alone, and the engine's view of a store of twenty sources together with it. Files are written as in production, each on disk
before it is seen; with ``TMPDIR=/dev/shm`` the disk does not count.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks import agenda
from connectors.website import Options, WebsiteProjection
from syndicator.contract import Association, View
from syndicator.http import Sessions
from syndicator.memory import give_back
from syndicator.model import Actor, Event, Offer, Place
from syndicator.testing import make_context

EVENTS = 10_000
UPDATES = (1_000, 7_230, 7_400, 7_900, 8_600, 9_300, 9_400)
"""Places of the events that change, by start: one long over, one of the next days, some of the next year."""
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
        await _alone(Path(folder), sessions)
    with TemporaryDirectory() as folder:
        await _with_engine(Path(folder), sessions)
    await sessions.close()


async def _alone(folder: Path, sessions: Sessions) -> None:
    context = make_context(
        folder, sessions, now=lambda: NOW, association=Association(name="Agenda du Finistère", url="https://agenda.example/")
    )
    events = list(_events(random.Random(7)))
    whole = _view(events, frozenset(event.uid for event in events))
    full = await _timed_with(WebsiteProjection(Options(), context), whole)
    files = sum(1 for path in context.public_dir.rglob("*") if path.is_file())
    print(f"  {EVENTS} events, everything made: {full}, {files} files", flush=True)
    connector = WebsiteProjection(Options(), context)
    await connector.project(_view(events, frozenset()))
    give_back(settled=True)  # as the service does when it has started
    _ratio("one event changed", full, [await _update(connector, events, place) for place in UPDATES])
    idle = await _timed_with(connector, _view(events, frozenset()))
    restarted = await _timed_with(WebsiteProjection(Options(), context), _view(events, frozenset()))
    print(f"  nothing changed:   {idle}; after a restart {restarted}", flush=True)
    await connector.close()


async def _with_engine(folder: Path, sessions: Sessions) -> None:
    """The view from a store of twenty sources, then the projection of it: all that a change costs after it was read."""
    tenant, events = agenda.make_tenant(folder), agenda.make_events()
    for name in tenant.config.sources:
        theirs = [event for event in events if event.source == name]
        tenant.ledger.transact_now(partial(_store, name, theirs))
    context = make_context(
        folder / "made", sessions, now=lambda: agenda.NOW, association=Association(name="La ville", url="https://ville.example/")
    )
    connector = WebsiteProjection(Options(images=False), context)

    async def shown(since: int) -> tuple[int, Took]:
        began = Took.now()
        seen = agenda.viewed(tenant, since)
        await connector.project(seen.view)
        return seen.lineup.seq, began.until_now()

    seq, full = await shown(-1)
    print(f"  engine and website, everything made: {full}", flush=True)
    ones = []
    give_back(settled=True)
    for place in UPDATES:
        old = events[place]
        changed = replace(old, title=f"Déplacé {place}", starts_at=old.starts_at + timedelta(minutes=15))
        tenant.ledger.transact_now(partial(_store, old.source, [changed]))
        seq, took = await shown(seq)
        ones.append(took)
    _ratio("engine and website, one event changed", full, ones)
    await connector.close()


def _store(name: str, events: list[Event], store: Any) -> None:
    store.items.diff(name, events, agenda.NOW, first=False)


def _ratio(what: str, full: Took, ones: Sequence[Took]) -> None:
    """The dearest and the median of them."""
    for how in ("median", "dearest"):
        wall, cpu = (sorted(getattr(one, name) for one in ones)[len(ones) // 2 if how == "median" else -1] for name in ("wall_s", "cpu_s"))
        print(
            f"  {what}, {how}: {wall * 1000:.0f} ms, {cpu * 1000:.0f} ms of CPU: 1/{full.wall_s / wall:.0f} of everything,"
            f" 1/{full.cpu_s / cpu:.0f} of its CPU (promised: at most 1/{PROMISED})",
            flush=True,
        )


@dataclass(frozen=True, kw_only=True)
class Took:
    """By the clock, and of the processor."""

    wall_s: float
    cpu_s: float

    @classmethod
    def now(cls) -> Took:
        """The beginning."""
        return cls(wall_s=time.perf_counter(), cpu_s=time.process_time())

    def until_now(self) -> Took:
        """What passed since."""
        end = Took.now()
        return Took(wall_s=end.wall_s - self.wall_s, cpu_s=end.cpu_s - self.cpu_s)

    def __str__(self) -> str:
        return f"{self.wall_s:.2f} s ({self.cpu_s:.2f} s of CPU)"


async def _update(connector: WebsiteProjection, events: list[Event], place: int) -> Took:
    """Another title for an event to come, at another hour; the rest is as it was."""
    old = events[place]
    events[place] = replace(old, title=f"{old.title} (déplacé)", starts_at=old.starts_at + timedelta(minutes=15), sequence=1)
    return await _timed_with(connector, _view(events, frozenset({old.uid})))


async def _timed_with(connector: WebsiteProjection, view: View) -> Took:
    began = Took.now()
    await connector.project(view)
    return began.until_now()


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
            place=Place(
                name="Salle des fêtes",
                street="3 rue du Port",
                postal_code="29200",
                locality=rng.choice(TOWNS),
                country="France",
                latitude=48.39,
                longitude=-4.48,
            ),
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

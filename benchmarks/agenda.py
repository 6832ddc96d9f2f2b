"""A shared agenda of 10,000 events from twenty calendars: the CPU that a view of it costs the engine, at first and after one change.

As a program: makes the ledger in the folder given, measures, and says what it found (JSON).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.processes import memory_kb

EVENTS = 10_000
SOURCES = 20
TWINS = 500
"""So many of the events are told by a second source as well."""
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TEXT = "<p>" + "Venez comme vous êtes, avec ou sans vélo, petits et grands. " * 12 + "</p>"


def run() -> None:
    """Print times, the ratio and memory."""
    with TemporaryDirectory() as folder:
        told = subprocess.run([sys.executable, "-m", "benchmarks.agenda", folder], check=True, capture_output=True, text=True)
    found = json.loads(told.stdout)
    one = found["one_s"]
    print(f"  {found['events']:,} events stored, {found['shown']:,} shown, {found['together']:,} of them told by two sources")
    print(f"  full view, nothing in memory        {found['full_s'] * 1000:7.0f} ms")
    print(f"  view after one event changed        {one * 1000:7.0f} ms   1/{found['full_s'] / one:.0f} of it")
    print(f"  view at midnight, nothing changed   {found['none_s'] * 1000:7.0f} ms")
    warm, idle = found["warm_kb"] / 1024, found["idle_kb"] / 1024
    print(f"  memory while views are made         {warm:7.1f} MiB more than before, {idle:.1f} MiB once idle")


def measured(folder: Path) -> dict[str, Any]:
    """What the views of a big agenda cost."""
    from syndicator import memory
    from syndicator.tenant import Tenant

    tenant: Tenant = make_tenant(folder)
    events = make_events()
    for name in tenant.config.sources:
        theirs = [event for event in events if event.source == name]
        tenant.ledger.transact_now(lambda store, name=name, theirs=theirs: store.items.diff(name, theirs, NOW, first=True))  # type: ignore[misc]
    del theirs
    memory.settle()
    memory.give_back()
    before = memory_kb(os.getpid())["Rss"]
    view, full_s = _timed(lambda: viewed(tenant, -1))
    shown, ones = view.lineup.seq, []
    for number in range(9):
        changed = replace(events[number * 7], title=f"Déplacé {number}", starts_at=events[number * 7].starts_at + timedelta(hours=1))
        tenant.ledger.transact_now(lambda store, changed=changed: store.items.diff(changed.source, [changed], NOW, first=False))  # type: ignore[misc]
        after, took = _timed(partial(viewed, tenant, shown))
        assert changed.uid in after.view.changed
        shown = after.lineup.seq
        ones.append(took)
    none_s = _timed(lambda: viewed(tenant, shown))[1]
    together = len(view.view.shown_by)
    counted = len(view.view.items)
    warm = memory_kb(os.getpid())["Rss"]
    del view, after
    tenant.seen.rest(NOW + timedelta(hours=1))
    return {
        "events": len(events),
        "shown": counted,
        "together": together,
        "full_s": full_s,
        "one_s": sorted(ones)[len(ones) // 2],
        "none_s": none_s,
        "warm_kb": warm - before,
        "idle_kb": memory_kb(os.getpid())["Rss"] - before,
    }


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the CPU time that it took."""
    began = time.process_time()
    done = work()
    return done, time.process_time() - began


def viewed(tenant: Any, shown: int) -> Any:
    """One view, and what a projection that worked remembers of it."""
    from syndicator.views import look

    seen = tenant.ledger.transact_now(lambda store: look(tenant, store, "site", shown, NOW))
    tenant.seen.keep("site", seen.shelf, seen.verdicts, NOW)
    tenant.seen.showed("site", seen.lineup)
    return seen


def make_tenant(folder: Path) -> Any:
    from syndicator.config import load
    from syndicator.tenant import Tenant

    sources = "".join(f'[sources.s{n}]\ntype = "ical"\nurl = "https://s{n}.example/agenda.ics"\n' for n in range(SOURCES))
    path = folder / "ville.toml"
    path.write_text(
        f'[association]\nname = "La ville"\nstate = "{folder}/state"\npublic = "{folder}/public"\n{sources}'
        '[destinations.site]\ntype = "website"\n[routes.tout]\nexclude_tags = ["prive"]\n',
        encoding="utf-8",
    )
    return Tenant.make(load(path, environ={}), None, lambda: NOW, random.Random(1))  # type: ignore[arg-type]


def make_events() -> list[Any]:
    from syndicator.model import Actor, Attachment, Event, Place

    def event(number: int, source: int) -> Event:
        at = NOW - timedelta(days=300) + timedelta(hours=number)
        return Event(
            uid=f"https://s{source}.example/events/{number}",
            url=f"https://s{source}.example/events/{number}",
            source=f"s{source}",
            title=f"Atelier numéro {number}",
            html=TEXT,
            starts_at=at,
            ends_at=at + timedelta(hours=2),
            timezone="Europe/Paris",
            place=Place(name=f"Salle {number % 300}", street="1 rue du Port", locality="Brest", latitude=48.39, longitude=-4.48),
            organizer=Actor(name=f"Les amis {number % 50}", url="https://s.example/@amis"),
            tags=("velo", f"theme{number % 40}"),
            image=Attachment(url=f"https://s{source}.example/media/{number}.jpg", description=""),
            published_at=at - timedelta(days=20),
        )

    first = [event(number, number % SOURCES) for number in range(EVENTS - TWINS)]
    return [*first, *(event(number, (number + 1) % SOURCES) for number in range(TWINS))]


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))

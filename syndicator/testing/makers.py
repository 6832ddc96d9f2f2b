"""Items, renditions, views and contexts for tests: plausible by default, naming only what matters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from syndicator.contract import Association, Context, View
from syndicator.http import Http, Sessions
from syndicator.model import Event, Item, Place, Post, Rendition

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def make_post(**changes: Any) -> Post:
    """A plausible public post; name what matters to the test."""
    post = Post(
        uid="https://social.example/users/asso/statuses/1",
        url="https://social.example/@asso/1",
        source="toots",
        html="<p>Bonjour à toutes et à tous</p>",
        language="fr",
        published_at=NOW - timedelta(minutes=5),
    )
    return replace(post, **changes)


def make_event(**changes: Any) -> Event:
    """A plausible public event in two weeks, 20:30 to 22:30 in Paris; name what matters to the test."""
    event = Event(
        uid="https://mobilizon.example/events/0b5d4ae9-6d8f-4b5c-8f0b-0d9f6f9a0001",
        url="https://mobilizon.example/events/0b5d4ae9-6d8f-4b5c-8f0b-0d9f6f9a0001",
        source="agenda",
        title="Atelier vélo",
        html="<p>Venez réparer votre vélo.</p>",
        starts_at=datetime(2026, 12, 5, 20, 30, tzinfo=PARIS),
        ends_at=datetime(2026, 12, 5, 22, 30, tzinfo=PARIS),
        timezone="Europe/Paris",
        place=Place(name="La Maison", street="3 rue du Port", postal_code="29200", locality="Brest", country="France"),
        published_at=NOW - timedelta(minutes=5),
        language="fr",
    )
    return replace(event, **changes)


def make_rendition(**changes: Any) -> Rendition:
    """A short public text; name what matters to the test."""
    return replace(Rendition(uid="https://social.example/1", text="Bonjour à toutes et à tous", language="fr", published_at=NOW), **changes)


def make_view(items: Iterable[Item], *, changed: Iterable[str] | None = None, changed_at: datetime = NOW) -> View:
    """A view of ``items``, all of them changed unless told otherwise, ordered as the core orders them."""
    ordered = sorted(items, key=_view_order)
    uids = [item.uid for item in ordered]
    return View(
        items=ordered,
        changed=frozenset(uids if changed is None else changed),
        changed_at=dict.fromkeys(uids, changed_at),
        first_seen_at=dict.fromkeys(uids, changed_at),
        sources={item.source: item.source.capitalize() for item in ordered},
    )


def _view_order(item: Item) -> tuple[datetime, str]:
    at = item.starts_at if isinstance(item, Event) else item.published_at
    return (at or NOW, item.uid)


def make_context(
    tmp_path: Path,
    sessions: Sessions,
    *,
    name: str = "under-test",
    now: Callable[[], datetime] = lambda: NOW,
    association: Association | None = None,
    public_url: str | None = "https://agenda.example/",
) -> Context:
    """A context whose folders are below ``tmp_path`` and whose client may reach loopback, where the simulators are."""
    state_dir, public_dir = tmp_path / "state" / name, tmp_path / "public"
    state_dir.mkdir(parents=True, exist_ok=True)
    public_dir.mkdir(parents=True, exist_ok=True)
    http = Http(sessions=sessions, now=now, user_agent="syndicator-tests", allow_private=frozenset({"127.0.0.1", "localhost"}))
    return Context(
        name=name,
        http=http,
        now=now,
        log=logging.getLogger(f"syndicator.{name}"),
        association=association or Association(name="Les Amis du Vélo", url="https://asso.example/"),
        state_dir=state_dir,
        public_dir=public_dir,
        public_url=public_url,
    )

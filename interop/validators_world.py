"""A mirror with an event of every kind, strangers, posts and videos: written by the projections that an association has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.ical import IcalProjection
from connectors.ical.projection import IcalProjectionOptions
from connectors.website import Options as PageOptions
from connectors.website import WebsiteProjection
from connectors.website.options import OwnLink
from connectors.website.static import Options as StaticOptions
from connectors.website.static import StaticProjection
from interop.static_world import NOW, PARIS, event, hostile, ordinary, posts, view
from syndicator.contract import Association, Context, View
from syndicator.http import Http, Sessions
from syndicator.model import Actor, Attachment, Event, Item, Offer, Place, Post

PUBLIC_URL = "https://miroir.example/"
MOVED = "https://mobilizon.example/events/20"
CANCELLED = "https://mobilizon.example/events/6"
DAYS = "https://mobilizon.example/events/3"


@dataclass(frozen=True)
class Mirror:
    """What was written."""

    public: Path
    data: Path
    """The data of the form for other programs."""
    events: Sequence[Event]

    def files(self, *endings: str) -> list[Path]:
        """Those of the public folder with one of these endings."""
        return sorted(path for path in self.public.rglob("*") if path.is_file() and path.name.endswith(endings))


async def write(folder: Path, picture: str) -> Mirror:
    """Everything that the three projections make of it."""
    events = [*ordinary(picture), *_more(picture), *hostile()]
    shown = _view([*events, *posts(picture), *_videos(picture)])
    sessions = Sessions()
    links = (
        OwnLink(title="Adhérer", url="https://asso.example/adherer"),
        OwnLink(title="Mastodon", url="https://m.example/@a", rel_me=True),
    )
    page = PageOptions(title="L'agenda", description="Tout ce qui se passe.", calendar="agenda.ics", event_ics=True, links=links)
    form = StaticOptions(generator="json", site=folder / "site")
    try:
        (folder / "site").mkdir()
        await IcalProjection(IcalProjectionOptions(per_event=True), _context(folder, "ical", sessions)).project(shown)
        await StaticProjection(form, _context(folder, "static", sessions)).project(shown)
        await WebsiteProjection(page, _context(folder, "website", sessions)).project(shown)
    finally:
        await sessions.close()
    return Mirror(folder / "public", folder / "site", events)


def _view(items: Sequence[Item]) -> View:
    before = replace(event(20), title="Assemblée", starts_at=datetime(2026, 12, 8, 18, tzinfo=PARIS))
    titles = {"agenda": "Agenda", "toots": "Mastodon", "tube": "PeerTube"}
    return view(list(items), previous={MOVED: before}, sources=titles, shown_by={MOVED: ("agenda", "toots")})


def _more(picture: str) -> list[Event]:
    """What the sites of generators had no need of."""
    hall = Place(name="Salle & « fêtes »", street="1 place du Marché", postal_code="29200", locality="Brest", country="FR",
                 latitude=48.39, longitude=-4.48)  # fmt: skip
    organizer = Actor(name="Les Amis du Vélo", url="https://mobilizon.example/@amis", handle="@amis@mobilizon.example")
    return [
        event(20, title="Assemblée", starts_at=datetime(2026, 12, 9, 18, tzinfo=PARIS), sequence=1, place=hall, organizer=organizer),
        event(21, title="Visioconférence", starts_at=datetime(2026, 12, 10, 20, tzinfo=PARIS), place=None,
              online_url="https://visio.example/salle?a=1&b=2", offers=(Offer(price="0"),)),
        event(22, title="Ici et en ligne", starts_at=datetime(2026, 12, 11, 20, tzinfo=PARIS), place=hall, online_url="https://visio.example/",
              offers=(Offer(price="7.50"), Offer(price="3")), ticket_url="https://billets.example/?a=1&b=2", full=True,
              tags=("Fête & bal", "vélo", "C++", "50 %"), image=Attachment(url=picture, description="")),
        event(23, title="En cours", starts_at=NOW - timedelta(hours=1), ends_at=NOW + timedelta(hours=2)),
        event(24, title="Peut-être", status="tentative", starts_at=datetime(2026, 12, 12, tzinfo=PARIS), start_is_date=True),
    ]  # fmt: skip


def _videos(picture: str) -> list[Post]:
    url = "https://tube.example/w/1"
    film = Attachment(type="video", url="https://tube.example/1.mp4", media_type="video/mp4", duration_s=75, preview_url=picture)
    return [
        Post(uid=url, url=url, source="tube", kind="video", title="Le bal, « en » images & sons", html="<p>Un film</p>", language="fr",
             published_at=datetime(2026, 11, 20, 8, tzinfo=UTC), attachments=(film,), tags=("bal",)),
    ]  # fmt: skip


def _context(folder: Path, name: str, sessions: Sessions) -> Context:
    state = folder / "state" / name
    state.mkdir(parents=True)
    return Context(
        name=name,
        http=Http(sessions=sessions, now=lambda: NOW, user_agent="syndicator-interop", allow_private=frozenset({"127.0.0.1"})),
        now=lambda: NOW,
        log=logging.getLogger("interop"),
        association=Association(name="Les Amis du Vélo & Cie", url="https://asso.example/"),
        state_dir=state,
        public_dir=folder / "public",
        public_url=PUBLIC_URL,
    )

"""The page for visitors, and the fragment that other pages include."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from connectors.website import colour
from connectors.website.cards import EventCard, EventRow, Image, PostCard
from connectors.website.labels import Labels

Cards = Mapping[str, Sequence[EventCard | EventRow | PostCard]]
"""By section: upcoming, ongoing, past, posts, videos."""

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a page says beside the items; every text and address in it is clean."""

    title: str
    description: str
    association: str
    labels: Labels
    home_url: str | None
    """The association's own site."""
    page_url: str | None
    """Where our folder is found, ending in a slash; None when it is not known."""
    calendar: str | None
    """As a link of the page."""
    subscribe_url: str | None
    """``webcal:``, for programs that subscribe."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a page says of itself to search engines and to those who share it."""

    path: str
    """Below our folder; empty for the front page."""
    title: str
    description: str = ""
    image: Image | None = None
    structured: Markup | None = None
    """JSON-LD, safe in a script element."""
    ics: str | None = None
    """A calendar file of this page alone, as a link of the page."""

    @property
    def up(self) -> str:
        """From the page to our folder."""
        return "../" * self.path.count("/")


@dataclass(frozen=True, kw_only=True)
class Link:
    """A page of ours, as a path below our folder, and its name."""

    path: str
    name: str
    count: int = 0


@functools.cache
def _templates() -> Environment:
    """Read and compiled once, however many associations a process serves."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Pages:
    """The compiled templates."""

    def __init__(self) -> None:
        self._templates = _templates()

    def index(self, site: Site, cards: Cards, head: Head, explore: Sequence[Link]) -> bytes:
        """``index.html``."""
        return self._render("index.html.j2", site, {**cards, "head": head, "explore": explore, "up": ""})

    def leaf(self, site: Site, head: Head, card: EventCard, more: Mapping[str, Any]) -> bytes:
        """The page of one event."""
        return self._render("event.html.j2", site, {"head": head, "card": card, "up": head.up, **more})

    def listing(self, site: Site, head: Head, lists: Mapping[str, Any]) -> bytes:
        """The page of a tag, of a source or of a year."""
        return self._render("listing.html.j2", site, {"head": head, "up": head.up, **lists})

    def links(self, site: Site, head: Head, links: Sequence[Link]) -> bytes:
        """A page that leads to other pages."""
        return self._render("directory.html.j2", site, {"head": head, "up": head.up, "links": links})

    def presence(self, site: Site, values: Mapping[str, Any]) -> bytes:
        """``links.html``."""
        return self._render("presence.html.j2", site, values)

    def fragment(self, site: Site, cards: Cards) -> bytes:
        """``events.html``. It stands in pages elsewhere, so its pictures need our full address, and are left out without one."""
        return self._render("events.html.j2", site, {**cards, "base": site.page_url})

    def _render(self, template: str, site: Site, values: Mapping[str, Any]) -> bytes:
        own = {"calendar_from": functools.partial(_calendar_from, site), **vars(site)}
        return self._templates.get_template(template).render({**own, **values}).encode()


def _calendar_from(site: Site, up: str) -> str:
    """The calendar as a page in a folder links it: a whole address stays what it is."""
    calendar = site.calendar or ""
    return calendar if "://" in calendar or calendar.startswith("/") else up + calendar


def stylesheet(accent: str) -> bytes:
    """``style.css`` with the accent colour, as far as it can be read by day and by night."""
    day, night = colour.legible(accent, colour.PAPER), colour.legible(accent, colour.NIGHT)
    own = f"""
.syndicator {{ --syndicator-accent: {day}; --syndicator-tile: {day}; }}
@media (prefers-color-scheme: dark) {{ .syndicator-page {{ --syndicator-accent: {night}; }} }}
"""
    return (ASSETS / "style.css").read_bytes() + own.encode()


def icon(name: str, accent: str) -> bytes:
    """``icon.svg``: the association's initial on its colour, for tabs and bookmarks."""
    initial = next((character for character in name.upper() if character.isalnum()), "•")
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
<!-- syndicator -->
<rect width="64" height="64" rx="14" fill="{colour.legible(accent, colour.PAPER)}"/>
<text x="32" y="45" text-anchor="middle" font-family="Georgia, serif" font-size="38" font-weight="700" fill="#fff">{escape(initial)}</text>
</svg>
""".encode()

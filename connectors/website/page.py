"""The page for visitors, and the fragment that other pages include."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from connectors.website import colour
from connectors.website.cards import EventCard, PostCard
from connectors.website.labels import Labels

Cards = Mapping[str, Sequence[EventCard | PostCard]]
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

    def index(self, site: Site, cards: Cards) -> bytes:
        """``index.html``."""
        return self._render("index.html.j2", site, cards)

    def presence(self, site: Site, values: Mapping[str, Any]) -> bytes:
        """``links.html``."""
        return self._render("presence.html.j2", site, values)

    def fragment(self, site: Site, cards: Cards) -> bytes:
        """``events.html``. It stands in pages elsewhere, so its pictures need our full address, and are left out without one."""
        return self._render("events.html.j2", site, {**cards, "base": site.page_url})

    def _render(self, template: str, site: Site, values: Mapping[str, Any]) -> bytes:
        return self._templates.get_template(template).render({**vars(site), **values}).encode()


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

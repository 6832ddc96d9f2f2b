"""What a person decides about the website."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from connectors.website import clean, colour
from syndicator.errors import words

FILES = (
    *(
        "index.html",
        "events.html",
        "events.json",
        "feed.atom",
        "feed.json",
        "style.css",
        "icon.svg",
        "links.html",
        "links.css",
        "sitemap.xml",
    ),
    *("widget.js", "widget.json", "embed.html", "embed.js", "links.html", "links.css", "events.geojson"),
)
_STYLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.css")
_FOLDER = re.compile(r"([a-z0-9][a-z0-9-]{0,79})(/[a-z0-9][a-z0-9-]{0,79})*")


@dataclass(frozen=True, kw_only=True)
class OwnLink:
    """One line of ``links``."""

    title: str
    """What people read."""
    url: str
    """Where it leads, beginning with https:// or http://."""
    rel_me: bool = False
    """Whether that is the association too, such as another account of its own: Mastodon shows it as verified if it links back."""

    def __post_init__(self) -> None:
        if not self.title.strip() or clean.link(self.url) is None:
            raise ValueError(
                words(
                    fr=f"Un lien a un titre et une adresse entière, https://… : « {self.title} », « {self.url} ».",
                    en=f'A link has a title and a whole address, https://…: "{self.title}", "{self.url}".',
                )
            )


@dataclass(frozen=True, kw_only=True)
class Options:
    """Every one may be left out."""

    title: str | None = None
    """The title of the page and of its feeds; by default the association's name."""
    description: str = ""
    """One sentence under the title."""
    folder: str = ""
    """Folder below the public folder, such as ``jeunesse`` (a-z, 0-9, - and /); empty for the public folder itself."""
    calendar: str | None = None
    """The calendar to subscribe to, as the page's links name it: ``agenda.ics`` beside the page, or a whole address."""
    events_max: int = 50
    """How many events to come the page and the fragment show; ``events.json`` has them all (``more`` names those beyond 1,000)."""
    past: timedelta = timedelta(days=30)
    """How long an event that is over stays in the list of past events; ``"0s"`` for no such list."""
    posts: bool = True
    """Whether posts and videos are shown and put into the feeds, or events alone."""
    posts_max: int = 12
    """How many of the latest posts the page shows."""
    videos_max: int = 6
    """How many of the latest videos the page shows."""
    feed_max: int = 50
    """How many of the latest items ``feed.atom`` and ``feed.json`` hold."""
    pages: bool = True
    """Whether every event, tag, source and year gets a page of its own, for search engines and for links that last."""
    keep: timedelta | None = None
    """How long the page of an event stays after the event is over; without it, as long as we know of the event (some 400 days)."""
    event_ics: bool = False
    """Whether ``calendar`` has a file for each event beside it (``per_event = true`` there): then each page offers its own."""
    widget: bool = True
    """Whether the widget is there: ``widget.js`` for one line on any site, its data, and ``embed.html`` for a frame."""
    geojson: bool = True
    """Whether there is ``events.geojson``: the events to come that have a place on the map, for uMap, GoGoCarto and others."""
    presence: bool = True
    """Whether there is ``links.html``: the association's links and accounts, the next events and the latest news on one small page."""
    links: tuple[OwnLink, ...] = ()
    """What that page leads to, in this order: ``[{ title = "Adhérer", url = "https://…" }]``; ``rel_me = true`` for other accounts."""
    theme: str | None = None
    """A stylesheet of yours beside that page, such as ``maison.css``, which it reads after ours."""
    images: bool = True
    """Whether pictures are copied and shown; they are served from our folder, never from the origin."""
    accent: str = ""
    """The colour of links and dates, ``#rrggbb``; empty for the association's ``colour``, and for ours where it has none. Darkened or
    lightened as far as being legible needs."""

    @property
    def files(self) -> tuple[str, ...]:
        """What is written below the public folder, as far as two must not write the same."""
        return tuple(f"{self.folder}/{name}".lstrip("/") for name in FILES)

    def __post_init__(self) -> None:
        if self.accent and not colour.is_colour(self.accent):
            raise ValueError(
                words(
                    fr=f"accent = « {self.accent} » n'est pas une couleur : écrivez-la #rrvvbb, par exemple #a8432f.",
                    en=f'accent = "{self.accent}" is not a colour: write it #rrggbb, for example #a8432f.',
                )
            )
        if self.folder and not _FOLDER.fullmatch(self.folder):
            raise ValueError(
                words(
                    fr=f"folder = « {self.folder} » : seulement des lettres minuscules, des chiffres, - et /, sans / au début ni à la fin.",
                    en=f'folder = "{self.folder}": lower-case letters, digits, - and / only, with no / at either end.',
                )
            )
        if self.theme is not None and (not _STYLE.fullmatch(self.theme) or self.theme in FILES):
            raise ValueError(
                words(
                    fr=f"theme = « {self.theme} » : le nom d'un fichier .css à vous dans le même dossier, par exemple maison.css.",
                    en=f'theme = "{self.theme}": the name of a .css file of yours in the same folder, for example maison.css.',
                )
            )
        for name in ("events_max", "posts_max", "videos_max", "feed_max"):
            if getattr(self, name) < 0:
                raise ValueError(words(fr=f"{name} ne peut pas être négatif.", en=f"{name} cannot be negative."))
        if self.past < timedelta(0):
            raise ValueError(words(fr="past ne peut pas être négatif.", en="past cannot be negative."))
        if self.keep is not None and self.keep < timedelta(0):
            raise ValueError(words(fr="keep ne peut pas être négatif.", en="keep cannot be negative."))

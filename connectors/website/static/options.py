"""What a person decides about the data and pages of a site of theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from connectors.website.static.generators import GENERATORS
from syndicator.errors import words

DATA_FILE = "agenda.json"
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_AUTHOR = re.compile(r"[^<>\n\x00]*[^<>\s\x00] <[^<>\s\x00]+>")


@dataclass(frozen=True, kw_only=True)
class Section:
    """A list of coming events that a page of the site shows."""

    name: str
    """What templates call it: a-z, 0-9 and _, beginning with a letter."""
    tags: tuple[str, ...] = ()
    """Events that bear one of them; compared without case, accents or #."""
    organizers: tuple[str, ...] = ()
    """Events of one of these organizers, by the name they show; with ``tags`` too, one of both is enough. With neither: all events."""
    limit: int | None = None
    """How many at most, the soonest first; by default all of them."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                words(
                    fr=f"« {self.name} » ne peut pas nommer une section : des lettres a-z, des chiffres et _, une lettre d'abord.",
                    en=f'"{self.name}" cannot name a section: letters a-z, digits and _, a letter first.',
                )
            )
        if self.limit is not None and self.limit < 0:
            raise ValueError(words(fr="limit ne peut pas être négatif.", en="limit cannot be negative."))


@dataclass(frozen=True, kw_only=True)
class Options:
    """Two are needed; the rest has the generator's own customs for defaults."""

    generator: Literal["jekyll", "hugo", "eleventy", "json"]
    """What builds the site; ``json`` writes data alone, for any other program."""
    site: Path
    """The folder of the site's sources, where its own configuration stands; for ``json``, any folder that exists."""
    events_dir: str | None = None
    """Where the page of each event goes, below ``site``; by default ``_events``, ``content/events`` or ``events``; none with ``json``."""
    data_dir: str | None = None
    """Where ``agenda.json`` goes, below ``site``; by default ``_data``, ``data`` or ``_data``; with ``json``, ``site`` itself."""
    media_dir: str | None = None
    """Where copied pictures go, below ``site``; by default ``assets/agenda``, with Hugo ``static/agenda``, with ``json`` ``agenda``."""
    sections: tuple[Section, ...] = ()
    """Ready-made lists for templates: ``[{ name = "accueil", tags = ["accueil"], limit = 5 }]``."""
    past: timedelta = timedelta(days=30)
    """How long an event that is over stays in the data's list of past events; its page stays as long as the event is public."""
    posts_max: int = 20
    """How many of the latest posts the data holds."""
    videos_max: int = 10
    """How many of the latest videos the data holds."""
    images: bool = True
    """Whether pictures are copied, stripped of what cameras hide in them; else there are none."""
    calendar: str | None = None
    """The whole address of the calendar to subscribe to, for templates that show it."""
    git: Literal["no", "commit", "push"] = "no"
    """Whether what we wrote, and nothing else, is committed, and the commit pushed to the branch's own upstream; never by force."""
    author: str = "syndicator <syndicator@localhost>"
    """Who signs these commits: ``Name <address>``."""
    hook: tuple[str, ...] = ()
    """A command and its arguments, run in ``site`` when something changed, without a shell: ``["bundle", "exec", "jekyll", "build"]``."""
    hook_timeout: timedelta = timedelta(minutes=5)
    """A command that takes longer is ended, and counts as failed."""

    @property
    def data_file(self) -> str:
        """The data's path below ``site``."""
        return f"{self.directory('data')}/{DATA_FILE}".lstrip("/")

    @property
    def files(self) -> tuple[str, ...]:
        """What two destinations must not both write."""
        return (str(self.site / self.data_file), *([str(self.site / self.directory("events"))] if self.pages else []))

    @property
    def pages(self) -> bool:
        """Whether each event has a page."""
        return GENERATORS[self.generator].events is not None

    def directory(self, kind: Literal["events", "data", "media"]) -> str:
        """``events_dir``, ``data_dir`` or ``media_dir``, as asked for or by the generator's custom; empty for ``site`` itself."""
        said: str | None = getattr(self, f"{kind}_dir")
        custom: str | None = getattr(GENERATORS[self.generator], kind)
        return (custom or "") if said is None else said

    def __post_init__(self) -> None:
        self._check_folders()
        for name in ("posts_max", "videos_max"):
            if getattr(self, name) < 0:
                raise ValueError(words(fr=f"{name} ne peut pas être négatif.", en=f"{name} cannot be negative."))
        if self.past < timedelta(0):
            raise ValueError(words(fr="past ne peut pas être négatif.", en="past cannot be negative."))
        if self.hook_timeout <= timedelta(0):
            raise ValueError(words(fr="hook_timeout doit être plus long que zéro.", en="hook_timeout must be longer than zero."))
        if self.hook and not self.hook[0]:
            raise ValueError(words(fr="hook commence par le nom d'une commande.", en="hook begins with the name of a command."))
        if not _AUTHOR.fullmatch(self.author):
            raise ValueError(
                words(
                    fr=f"author = « {self.author} » : écrivez « Nom <adresse> », par exemple « Agenda <agenda@asso.example> ».",
                    en=f'author = "{self.author}": write "Name <address>", for example "Agenda <agenda@asso.example>".',
                )
            )
        names = [section.name for section in self.sections]
        if len(set(names)) < len(names):
            raise ValueError(words(fr="Deux sections portent le même nom.", en="Two sections have the same name."))

    def _check_folders(self) -> None:
        for name in ("events_dir", "data_dir", "media_dir"):
            said = getattr(self, name)
            if said is not None and not _FOLDER.fullmatch(said) and (said or name != "data_dir"):
                raise ValueError(
                    words(
                        fr=f"{name} = « {said} » : un chemin sous site, en lettres, chiffres, - _ . et /, sans / au début ni à la fin.",
                        en=f'{name} = "{said}": a path below site, of letters, digits, - _ . and /, with no / at either end.',
                    )
                )
        if self.events_dir is not None and not self.pages:
            raise ValueError(
                words(
                    fr='Avec generator = "json" il n\'y a pas de pages : retirez events_dir.',
                    en='With generator = "json" there are no pages: remove events_dir.',
                )
            )

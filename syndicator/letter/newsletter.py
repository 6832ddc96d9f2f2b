"""What a person decides about a newsletter. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from syndicator.errors import Rejected, words
from syndicator.letter.schedule import ANCHOR, Schedule

EVENTS_WITHIN = timedelta(days=45)
TEMPLATE_HINT = words(
    fr="Le modèle de la lettre est illisible : vérifiez template, et les droits de ce fichier.",
    en="The letter's template cannot be read: check template, and that file's permissions.",
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One section: an empty tuple means no condition, several conditions all hold."""

    title: str = ""
    """By default a heading that says what is in it."""
    kinds: tuple[str, ...] = ("event",)
    """``event`` and ``Post.kind``s; events and posts do not stand in one section."""
    tags: tuple[str, ...] = ()
    """At least one of them; compared without case, accents or #."""
    sources: tuple[str, ...] = ()
    within: timedelta = EVENTS_WITHIN
    """Events: how far ahead."""
    most: int = 10
    """How many are shown whole; the others are named below."""


POSTS = ("note", "article", "image", "audio")
VIDEOS = ("video", "live")
USUAL = (Wanted(), Wanted(kinds=POSTS), Wanted(kinds=VIDEOS))


@dataclass(frozen=True, kw_only=True)
class Newsletter:
    """One newsletter of an association."""

    name: str
    schedule: Schedule
    title: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    starts: date = ANCHOR
    """A day of a week that has an issue, for "every second"."""
    at_least: int = 1
    """How many new things an issue needs; with fewer, they wait for the next."""
    sections: tuple[Wanted, ...] = USUAL
    editorial_tag: str = ""
    """A post with this tag is the editorial of the next issue, and is not told as a post."""
    editorial_file: Path | None = None
    """A text file that a person keeps: its words are the editorial when it changed since the last issue."""
    language: str = "fr"
    review: str = ""
    """The mail address of the person who sees an issue first; empty: nobody."""
    review_before: timedelta = timedelta(hours=24)
    unanswered: Literal["send", "wait"] = "send"
    """What happens at the hour when that person said nothing."""
    template: Path | None = None
    """MJML of one's own."""


def template_of(newsletter: Newsletter) -> str | None:
    """MJML of one's own, if there is any. Raises Rejected when its file cannot be read."""
    if newsletter.template is None:
        return None
    try:
        return newsletter.template.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected(f"{newsletter.template}: {type(error).__name__}", hint=TEMPLATE_HINT) from error

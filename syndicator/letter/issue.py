"""One issue of the newsletter, as data: what is told, in which words, before anybody gives it a shape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from syndicator.model import Attachment


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that an issue tells."""

    uid: str
    kind: str
    """``event``, or a ``Post.kind``."""
    title: str
    """Plain text; of a post without a title, how it begins."""
    url: str
    """The way home; empty where there is none."""
    text: str = ""
    """Plain text, cut between words."""
    when: str = ""
    """An event's date, or the day a post was published, in words."""
    place: str = ""
    state: str = ""
    """What must be known of an event beside its date, in words: full, online, not certain; empty when nothing."""
    image: Attachment | None = None
    new: bool = True
    """Whether no issue has told it before."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Entries under a heading."""

    title: str
    entries: tuple[Entry, ...]
    brief: tuple[Entry, ...] = ()
    """What there was no room to show, by title alone: nothing is forgotten."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """What one issue tells."""

    newsletter: str
    """Its name in the configuration."""
    title: str
    """The newsletter's, for people."""
    subject: str
    language: str
    since_at: datetime
    """What is new since then is told."""
    until_at: datetime
    """When it is due: events over by then are left out."""
    editorial: str = ""
    """A person's own words, untrusted HTML."""
    sections: tuple[Section, ...] = ()

    @property
    def uids(self) -> frozenset[str]:
        """Everything that it tells."""
        return frozenset(entry.uid for section in self.sections for entry in (*section.entries, *section.brief))

    @property
    def news(self) -> int:
        """How many things it tells that no issue has told before."""
        return len({entry.uid for section in self.sections for entry in (*section.entries, *section.brief) if entry.new})

"""What a Discourse forum holds: one account, categories, tags, topics, uploads. No HTTP here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

KEY = "714552c6148e1617aeab526d0606184b94a80ec048fc09894ff1a72b740c5f19"
IMAGE = re.compile(r"!\[((?:\\.|[^\]\\])*)\]\((upload://[\w.]+)\)")


@dataclass(kw_only=True)
class Upload:
    """A file, which goes when no post shows it."""

    short_url: str
    data: bytes
    filename: str
    at: datetime


@dataclass(kw_only=True)
class Topic:
    """A topic, and its first post."""

    id: int
    post_id: int
    title: str
    raw: str
    category: int
    username: str
    at: datetime
    external_id: str | None = None
    tags: tuple[str, ...] = ()
    posts_count: int = 1
    versions: int = 1
    deleted_at: datetime | None = None
    pings: tuple[str, ...] = ()
    """Whom it called."""

    @property
    def slug(self) -> str:
        """Its name in an address."""
        return "-".join(re.findall(r"[a-z0-9]+", self.title.lower())) or "topic"

    @property
    def shown(self) -> str:
        """The text as people read it: backslashes do their work, pictures are none of it."""
        return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", IMAGE.sub("", self.raw)).strip()

    @property
    def images(self) -> list[tuple[str, str]]:
        """Each picture's alt text and upload."""
        return [(re.sub(r"\\([^0-9A-Za-z\s])", r"\1", alt.partition("|")[0]), url) for alt, url in IMAGE.findall(self.raw)]


@dataclass(kw_only=True)
class Account:
    """Whom the key is for."""

    username: str = "asso"
    staff: bool = True
    trust_level: int = 2
    queued: bool = False
    """Whether moderators see what it writes first."""


@dataclass(kw_only=True)
class Forum:
    """What the forum holds."""

    key: str = KEY
    account: Account = field(default_factory=Account)
    categories: dict[int, tuple[str, int]] = field(default_factory=lambda: {5: ("Annonces", 1), 6: ("Équipe", 3)})
    """Number → name, and what the account may do there: 1 all, 2 answer, 3 read."""
    tags: set[str] = field(default_factory=lambda: {"agenda", "velo"})
    tagging: bool = True
    version: tuple[int, int] = (2026, 8)
    topics: dict[int, Topic] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    queue: list[Json] = field(default_factory=list)

    @property
    def listed(self) -> list[Topic]:
        """What visitors see, oldest first."""
        return [topic for topic in self.topics.values() if topic.deleted_at is None]

"""What a configuration is once it has been read: frozen data, every value of its right type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from syndicator.contract import Association, Secret
from syndicator.route import Pace, Route

if TYPE_CHECKING:
    from syndicator.letter.newsletter import Newsletter

ConnectorClass = type[Any]
"""A connector as the registry finds it."""


@dataclass(frozen=True, kw_only=True)
class Web:
    """The daemon's own server: public files, /healthz, /metrics, and a status page."""

    host: str
    port: int
    path: str = "/"
    """Below which this association's pages are served; begins and ends with a slash."""
    public_status: bool = False
    """Whether strangers may see the status page; otherwise only this machine."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """What the HTTP client may reach."""

    allow_private: frozenset[str] = frozenset()
    """Host names, lower case, that may lead to private addresses."""


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """Who is told by e-mail when a person must act."""

    to: tuple[str, ...]
    smtp: Secret
    """``smtps://user:password@host:465`` or ``smtp://…:587`` (STARTTLS)."""
    sender: str
    """The From address."""


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """One ``[sources.NAME]``."""

    name: str
    type: str
    title: str
    """What people read, on pages and in calendars."""
    poll: timedelta
    """The time between two looks."""
    connector: ConnectorClass
    options: Any = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class DestinationConfig:
    """One ``[destinations.NAME]``."""

    name: str
    type: str
    title: str
    role: Literal["publisher", "projection"]
    connector: ConnectorClass
    options: Any = field(repr=False)
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, kw_only=True)
class Config:
    """One association's configuration."""

    path: Path
    slug: str
    """The file's name without ``.toml``: this association's name on this machine."""
    association: Association
    state_dir: Path
    public_dir: Path
    public_url: str | None
    """Where visitors find ``public_dir``, ending in a slash."""
    web: Web | None
    network: Network
    alerts: Alerts | None
    sources: Mapping[str, SourceConfig]
    destinations: Mapping[str, DestinationConfig]
    routes: Mapping[str, Route]
    newsletters: Mapping[str, Newsletter] = field(default_factory=dict)
    digest: str
    """Changes when what is shown may change: after it has, projections are rebuilt whole. Secrets have no part in it."""

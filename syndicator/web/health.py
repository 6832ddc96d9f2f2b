"""How the daemon is: what /healthz and the status page tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class PartHealth:
    """One source or destination."""

    name: str
    """As in the configuration."""
    type: str
    """The connector's name."""
    ok: bool
    last_success_at: datetime | None = None
    """When it last did what it is there for; None when it never did."""
    problem: str = ""
    """What is wrong and what a person can do, in the association's language; empty when all is well."""
    waiting: int = 0
    """Deliveries that will go out by themselves."""
    parked: int = 0
    """Deliveries that wait for a person."""


@dataclass(frozen=True, kw_only=True)
class AssociationHealth:
    """One association."""

    name: str
    """As people read it."""
    ok: bool
    problem: str = ""
    """What concerns the whole of it (configuration, state folder)."""
    sources: tuple[PartHealth, ...] = ()
    destinations: tuple[PartHealth, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Health:
    """The whole process."""

    ok: bool
    """False when it does not do its work: what a supervisor acts upon. A remote service that is down does not make it so."""
    since: datetime
    """When it started."""
    version: str = ""
    associations: tuple[AssociationHealth, ...] = ()

    def document(self) -> dict[str, Any]:
        """The body of /healthz: the same fields, instants in ISO 8601."""
        document: dict[str, Any] = _plain(asdict(self))
        return document


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value

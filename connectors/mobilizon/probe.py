"""The cheap question: has anything moved? Its answer is boiled down to a digest that the cursor keeps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.mobilizon.api import Answer, Fault

MISSING_CODES = frozenset({"group_not_found", "not_found"})
FRESH = timedelta(seconds=2)
"""Mobilizon's clock counts whole seconds: what was touched that lately may be touched again without a trace."""


@dataclass(kw_only=True)
class Probe:
    """What the cheap question found out."""

    version: str | None = None
    states: list[tuple[Any, ...]] = field(default_factory=list)
    """What the digest is made of: counts and last changes."""
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    """Of groups that exist but could not be read."""
    newest: str = ""

    def note_list(self, name: str, node: object) -> bool:
        """Take down a list's count and last change; False when it did not come."""
        if not isinstance(node, dict) or not isinstance(node.get("elements"), list):
            return False
        touched = [entry.get("updatedAt") or "" for entry in node["elements"] if isinstance(entry, dict)]
        newest = max(touched, default="")
        self.newest = max(self.newest, newest)
        self.states.append((name, node.get("total"), newest))
        return True

    def note_group(self, name: str, alias: str, answer: Answer, lists: tuple[str, ...]) -> None:
        """Take down what ``answer`` says of one group."""
        node = answer.data.get(alias)
        faults = answer.faults_at(alias)
        if node is None and (not faults or any(fault.code in MISSING_CODES for fault in faults)):
            self.missing.append(name)
            self.states.append((name, "missing"))
        elif isinstance(node, dict) and all(self.note_list(f"{name} {key}", node.get(key)) for key in lists):
            self.found.append(name)
        else:
            self.faults.extend(faults)
            self.states.append((name, "failed"))

    def note_version(self, answer: Answer) -> None:
        """Take down the server's version."""
        config = answer.data.get("config")
        version = config.get("version") if isinstance(config, dict) else None
        self.version = version if isinstance(version, str) else self.version

    def digest(self, *circumstances: str) -> str:
        """Equal as long as nothing moved and the question stayed the same."""
        text = json.dumps([circumstances, self.version, sorted(self.states, key=str)])
        return hashlib.sha256(text.encode()).hexdigest()

    def is_fresh(self, now: datetime) -> bool:
        """Whether the last change is too recent to rely on its second."""
        try:
            return datetime.fromisoformat(self.newest) >= now - FRESH
        except (ValueError, TypeError):
            return False


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """What one fetch leaves for the next: of constant size."""

    digest: str = ""
    wake_at: datetime | None = None
    """When something held back comes out, though the server will show no change then."""

    @classmethod
    def load(cls, text: str | None) -> Cursor:
        """The cursor that ``dump`` wrote; an empty one for any other text."""
        try:
            stored: Mapping[str, Any] = json.loads(text or "{}")
            wake_at = datetime.fromisoformat(stored["wake_at"]) if stored.get("wake_at") else None
            return cls(digest=str(stored.get("digest", "")), wake_at=wake_at)
        except (ValueError, TypeError, AttributeError):
            return cls()

    def dump(self) -> str:
        """As text."""
        return json.dumps({"digest": self.digest, "wake_at": self.wake_at.isoformat() if self.wake_at else None})

    def is_settled(self, digest: str, now: datetime) -> bool:
        """Whether there can be nothing to read."""
        return self.digest == digest and (self.wake_at is None or now < self.wake_at)

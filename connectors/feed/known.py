"""What the last look at a feed left behind, as a cursor keeps it, and which validators may be believed next time. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

YOUNG = timedelta(seconds=2)
"""A change this close to the answer may share its second with one still to come (RFC 9110 8.8.2.2)."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """``url`` is where redirects led, for validators belong to that address."""

    options: str = ""
    """Hash of the options that shaped the posts: with others, the feed is read anew."""
    url: str = ""
    etag: str = ""
    modified: str = ""
    body: str = ""
    """Hash of the bytes: an unchanged body is not parsed again."""
    items: str = ""
    """Hash of the posts: a feed that only says it was built again is no news."""
    names: str | None = None
    """Short hashes of the items' uids, one after the other; None where nobody needs them (only WordPress has further pages)."""

    owed: int = 0
    """How often the feed's further pages could not be had since they were first needed."""

    def owing(self, before: Known) -> Known:
        """The same, so that the next look reads everything again and still knows what was known ``before``."""
        return replace(self, etag="", modified="", body="", items="", names=before.names, owed=before.owed + 1)

    def holds(self, uids: Iterable[str]) -> bool:
        """Whether one of ``uids`` was in the feed at the last look, or that look says nothing of it."""
        if self.names is None:
            return True
        known = set(self.names.split())
        return any(_name(uid) in known for uid in uids)

    def conditions(self) -> dict[str, str]:
        """The headers that ask for the feed only if it changed."""
        return {name: value for name, value in (("If-None-Match", self.etag), ("If-Modified-Since", self.modified)) if value}

    def cursor(self) -> str:
        """As the store keeps it."""
        return json.dumps({name: value for name, value in vars(self).items() if value is not None})


def known_from(cursor: str | None, options: str) -> Known:
    """What a cursor says, when it was made with these options; else nothing but those."""
    try:
        known = Known(**json.loads(cursor or "{}"))
    except (ValueError, TypeError):
        known = Known()
    return known if known.options == options else Known(options=options)


def names_of(uids: Iterable[str]) -> str:
    """``Known.names`` for these uids."""
    return " ".join(_name(uid) for uid in uids)


def validators(headers: Mapping[str, str], now: datetime) -> tuple[str, str]:
    """ETag and Last-Modified to ask with next time; neither while the last change is too young to be told from the next one.

    WordPress makes both of the second of its newest modification: two articles in one second, with our look between them, would be
    one. https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.2
    """
    modified = headers.get("Last-Modified", "")
    changed_at = _instant(modified)
    if changed_at is not None and (_instant(headers.get("Date", "")) or now) - changed_at < YOUNG:
        return "", ""
    return headers.get("ETag", ""), modified


def hashed(data: bytes) -> str:
    """Enough of SHA-256 to tell two looks apart."""
    return hashlib.sha256(data).hexdigest()[:24]


def _name(uid: str) -> str:
    return hashed(uid.encode("utf-8", "replace"))[:8]


def _instant(date: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)

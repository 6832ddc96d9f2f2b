"""One issue as the archive keeps it, in a file of its own: what it tells, and which of our pictures belong to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from syndicator.model import Attachment, Entry, Issue, Post, Section
from syndicator.text.clean import clean
from syndicator.text.naming import handle
from syndicator.text.urls import web_url


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A picture where we serve it."""

    file: str
    """Below the archive's folder."""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An issue that stays."""

    uid: str
    issue: Issue
    updated_at: datetime
    pictures: Mapping[str, Copy] = field(default_factory=dict)
    """By the address at the origin."""

    @property
    def name(self) -> str:
        """Its page's, without ``.html``."""
        return handle(self.uid)

    @property
    def order(self) -> tuple[datetime, str]:
        """By when it was due."""
        return (self.issue.until_at, self.uid)


def kept_from_post(post: Post, issue: Issue, changed_at: datetime | None, pictures: Mapping[str, Copy]) -> Kept:
    """What strangers wrote, without control characters, and with no address but of the web; the editorial is cleaned where it is shown."""
    return Kept(uid=post.uid, issue=_safe(issue), updated_at=max(changed_at or issue.until_at, issue.until_at), pictures=pictures)


def _safe(issue: Issue) -> Issue:
    return Issue(
        newsletter=issue.newsletter,
        title=_line(issue.title),
        subject=_line(issue.subject),
        language=issue.language,
        since_at=issue.since_at,
        until_at=issue.until_at,
        editorial=clean(issue.editorial),
        sections=tuple(
            Section(title=_line(one.title), entries=tuple(map(_entry, one.entries)), brief=tuple(map(_entry, one.brief)))
            for one in issue.sections
        ),
    )


def _entry(entry: Entry) -> Entry:
    image = Attachment(url=entry.image.url, description=_line(entry.image.description)) if entry.image else None
    return Entry(
        uid=entry.uid,
        kind=entry.kind,
        title=_line(entry.title),
        url=web_address(entry.url),
        text=clean(entry.text),
        when=_line(entry.when),
        place=_line(entry.place),
        state=_line(entry.state),
        image=image,
    )


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def web_address(url: str | None) -> str:
    """``url`` when it is one of the web, else nothing."""
    try:
        return web_url(url or "") or ""
    except ValueError:
        return ""


def to_json(kept: Kept) -> bytes:
    """The same bytes for the same issue."""
    return json.dumps(asdict(kept), ensure_ascii=False, indent=1, sort_keys=True, default=_instant).encode("utf-8", "replace")


def _instant(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def from_json(data: bytes) -> Kept:
    """What ``to_json`` wrote. Raises ValueError, TypeError, KeyError or AttributeError for anything else."""
    raw = json.loads(data)
    issue = raw["issue"]
    for name in ("since_at", "until_at"):
        issue[name] = datetime.fromisoformat(issue[name])
    issue["sections"] = tuple(
        Section(title=one["title"], entries=tuple(map(_read, one["entries"])), brief=tuple(map(_read, one["brief"])))
        for one in issue["sections"]
    )
    pictures = {url: Copy(**one) for url, one in raw["pictures"].items()}
    return Kept(uid=raw["uid"], issue=Issue(**issue), updated_at=datetime.fromisoformat(raw["updated_at"]), pictures=pictures)


def _read(raw: dict[str, Any]) -> Entry:
    image = raw.pop("image")
    return Entry(**raw, image=Attachment(url=image["url"], description=image["description"]) if image else None)

"""Data: what a file's extension means to a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass

MINUTE, QUARTER, DAY, YEAR = 60, 900, 86_400, 31_536_000


@dataclass(frozen=True, kw_only=True)
class FileType:
    """How one kind of file is served."""

    media_type: str
    max_age_s: int
    text: bool = False
    """Whether compressing it is worth the while."""
    shared: bool = False
    """Whether scripts of other sites may read it (CORS); there are no credentials that this could expose."""
    page: bool = False
    """Whether a browser shows it as a page, which loads other files."""


def _text(media_type: str, max_age_s: int, *, shared: bool = False) -> FileType:
    return FileType(media_type=f"{media_type}; charset=utf-8", max_age_s=max_age_s, text=True, shared=shared)


OTHER = FileType(media_type="application/octet-stream", max_age_s=QUARTER)

TYPES = {
    "html": FileType(media_type="text/html; charset=utf-8", max_age_s=MINUTE, text=True, page=True),
    "ics": _text("text/calendar", QUARTER, shared=True),
    "atom": _text("application/atom+xml", QUARTER, shared=True),
    "rss": _text("application/rss+xml", QUARTER, shared=True),
    "xml": _text("application/xml", QUARTER, shared=True),
    "json": FileType(media_type="application/json", max_age_s=MINUTE, text=True, shared=True),
    "geojson": FileType(media_type="application/geo+json", max_age_s=MINUTE, text=True, shared=True),
    "js": _text("text/javascript", QUARTER, shared=True),
    "css": _text("text/css", QUARTER),
    "txt": _text("text/plain", QUARTER),
    "csv": _text("text/csv", QUARTER, shared=True),
    "vcf": _text("text/vcard", QUARTER, shared=True),
    "svg": FileType(media_type="image/svg+xml", max_age_s=DAY, text=True),
    "jpg": FileType(media_type="image/jpeg", max_age_s=DAY),
    "jpeg": FileType(media_type="image/jpeg", max_age_s=DAY),
    "png": FileType(media_type="image/png", max_age_s=DAY),
    "gif": FileType(media_type="image/gif", max_age_s=DAY),
    "webp": FileType(media_type="image/webp", max_age_s=DAY),
    "avif": FileType(media_type="image/avif", max_age_s=DAY),
    "mp4": FileType(media_type="video/mp4", max_age_s=DAY),
    "mov": FileType(media_type="video/quicktime", max_age_s=DAY),
    "webm": FileType(media_type="video/webm", max_age_s=DAY),
    "ico": FileType(media_type="image/vnd.microsoft.icon", max_age_s=DAY),
    "woff2": FileType(media_type="font/woff2", max_age_s=YEAR),
}

_NAMES = {"feed.json": FileType(media_type="application/feed+json", max_age_s=QUARTER, text=True, shared=True)}
_BY_CONTENT = re.compile(r"(^|/)[0-9a-f]{32}\.[a-z0-9]+$")


def file_type(name: str) -> FileType:
    """How the file with this path is served."""
    base = name.rpartition("/")[2]
    return _NAMES.get(base) or TYPES.get(base.rpartition(".")[2].lower(), OTHER)


def cache_control(name: str, kind: FileType) -> str:
    """A file named after its content never changes; a text that is old is never shown without asking whether it still holds."""
    if _BY_CONTENT.search(name):
        return f"public, max-age={YEAR}, immutable"
    return f"public, max-age={kind.max_age_s}" + (", must-revalidate" if kind.text else "")

"""Pure: what a request's headers ask for (RFC 9110)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache

_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)
UNSATISFIABLE = range(0)


@lru_cache(maxsize=256)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether gzip is acceptable (12.5.3)."""
    weights = _weights(accept_encoding)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


@lru_cache(maxsize=256)
def language_of(accept_language: str) -> str:
    """``fr`` or ``en``, whichever the visitor likes better (12.5.4); French for one who does not say."""
    weights = _weights(accept_language)
    best = {"fr": weights.get("*", 0.0), "en": weights.get("*", 0.0)}
    for tag, weight in weights.items():
        primary = tag.partition("-")[0]
        if primary in best:
            best[primary] = max(best[primary], weight)
    return "en" if best["en"] > best["fr"] else "fr"


def is_fresh(etags: tuple[str, str], modified_s: int, if_none_match: str | None, if_modified_since: str | None) -> bool:
    """Whether the visitor already has it: by tag where one is given, else by date (13.2.2)."""
    if if_none_match is not None:
        if if_none_match in etags:
            return True
        tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
        return "*" in tags or any(tag in etags for tag in tags)
    if if_modified_since is None:
        return False
    try:
        at = parsedate_to_datetime(if_modified_since)
    except ValueError:
        return False
    return modified_s <= (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def part_of(asked: str, size_bytes: int) -> range | None:
    """The bytes that a ``Range`` asks for (14.1.2): None for the whole, ``UNSATISFIABLE`` for what lies beyond the end.

    Several parts at once may be answered with the whole, as may what is not understood.
    """
    found = _RANGE.fullmatch(asked)
    if found is None or found[0].strip().endswith("=-"):
        return None
    first, last = found[1], found[2]
    if not first:
        return range(max(0, size_bytes - int(last)), size_bytes) if int(last) and size_bytes else UNSATISFIABLE
    if last and int(last) < int(first):
        return None
    if int(first) >= size_bytes:
        return UNSATISFIABLE
    return range(int(first), min(int(last) + 1, size_bytes) if last else size_bytes)


def still_holds(if_range: str | None, etag: str, last_modified: str) -> bool:
    """Whether a part continues what the visitor has (13.1.5): the very same tag, never a weak one, or the very same date."""
    return if_range is None or if_range.strip() in (etag, last_modified)


def _weights(header: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in header[:1000].split(","):
        name, _, parameters = part.partition(";")
        weight = 1.0
        for parameter in parameters.split(";"):
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        if name.strip():
            found[name.strip().lower()] = weight
    return found

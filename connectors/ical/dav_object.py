"""Pure: an event → the one object that shows it in a CalDAV calendar (RFC 4791 4.1), and how ours is told from another's.

The VEVENT is the feed's, byte for byte, but for a mark. What makes a feed a feed stays out: an object must not have a METHOD.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.ical.feed import PRODID, Head, feed
from syndicator.model import Event
from syndicator.text.clean import clean

MARK = "X-SYNDICATOR-MADE-BY"
_NAME = re.compile(r"syndicator-[0-9a-f]{32}\.ics")
_FOLD = re.compile(r"\r?\n[ \t]")
_HEAD = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\nCALSCALE:GREGORIAN".encode()
_DAY = re.compile(r"\d{8}")
_ESCAPED = re.compile(r"\\([\\;,nN])")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Which event an object shows, and who made it."""

    uid: str
    maker: str
    """What stands behind our mark; empty without one."""
    ends_at: datetime | None
    """Roughly: the day on which it is over."""


def name_of(uid: str) -> str:
    """The object's name: always the same for one event, never one that a person or a program would give."""
    plain = " ".join(clean(uid).split())  # as it stands in the object
    return f"syndicator-{hashlib.sha256(plain.encode('utf-8', 'replace')).hexdigest()[:32]}.ics"


def is_our_kind_of_name(name: str) -> bool:
    """Whether ``name_of`` gives such names."""
    return _NAME.fullmatch(name) is not None


def maker_of(*words: str) -> str:
    """What this destination signs with: recognises its objects when its own record is lost."""
    return hashlib.sha256("\n".join(words).encode("utf-8", "replace")).hexdigest()[:16]


def calendar_object(head: Head, event: Event, changed_at: datetime, first_seen_at: datetime | None, maker: str) -> bytes:
    """One VCALENDAR with one VEVENT and the timezones that it names."""
    seen = {} if first_seen_at is None else {event.uid: first_seen_at}
    whole = feed(head, [event], {event.uid: changed_at}, seen)
    # Texts hold no bare line break, and folded lines begin with a blank: this is where the first component begins.
    body = whole[whole.index(b"\r\nBEGIN:", len(b"BEGIN:VCALENDAR")) :]
    return _HEAD + body.replace(b"\r\nEND:VEVENT\r\n", f"\r\n{MARK}:{maker}\r\nEND:VEVENT\r\n".encode(), 1)


def digest_of(data: bytes) -> str:
    """What tells two contents apart."""
    return hashlib.sha256(data).hexdigest()[:32]


def same_text(data: str, ours: bytes) -> bool:
    """Whether a server gives back what we wrote; line ends are lost in XML."""
    return data.replace("\r", "").strip() == ours.decode().replace("\r", "").strip()


def identity_of(data: str) -> Identity | None:
    """Whose the object is; None when it shows no event."""
    found: dict[str, str] = {}
    open_parts: list[str] = []
    for line in _FOLD.sub("", data).splitlines():
        name, _, value = line.partition(":")
        name = name.partition(";")[0].strip().upper()
        if name == "BEGIN":
            open_parts.append(value.strip().upper())
        elif name == "END":
            del open_parts[-1:]
        elif open_parts == ["VCALENDAR", "VEVENT"]:
            found.setdefault(name, value.strip())
    if "UID" not in found:
        return None
    uid = _ESCAPED.sub(lambda match: "\n" if match[1] in "nN" else match[1], found["UID"])
    return Identity(uid=uid, maker=found.get(MARK, ""), ends_at=_day(found.get("DTEND") or found.get("DTSTART", "")))


def _day(value: str) -> datetime | None:
    found = _DAY.match(value)
    try:
        return datetime.strptime(found[0], "%Y%m%d").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None

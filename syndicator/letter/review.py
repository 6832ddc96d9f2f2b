"""The link by which a person decides on an issue, and the form behind it: what may be pressed, and by whom.

Nothing of it is stored but a key. The link names an issue and is sealed; a form's token is sealed for the issue as it was when the form
was shown, so that whatever has been pressed since, here or by somebody else, makes it void.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

WAY = "-/relecture/"
"""Below the public address: then the newsletter's name, the issue's hour and a seal, with slashes between."""
KEY_FILE = "review.key"
VALID = timedelta(days=7)
"""How long after the issue's hour its link works."""
_KEY_BYTES, _SEAL_BYTES = 32, 20
_REST = re.compile(r"([A-Za-z0-9_-]{1,64})/(\d{8}T\d{6}\.\d{6}Z)/([0-9a-f]{40})")
_STAMP = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, kw_only=True)
class Link:
    """Which issue a link is about."""

    newsletter: str
    until_at: datetime


def key_of(folder: Path) -> bytes:
    """The key in an association's state folder, made where there is none; raises OSError when it cannot be read or made."""
    path = folder / KEY_FILE
    with suppress(FileNotFoundError):
        return path.read_bytes()
    made = folder / f".{KEY_FILE}.{secrets.token_hex(4)}"
    fd = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # somebody else was faster: theirs is the key
            path.hardlink_to(made)
    finally:
        made.unlink()
    return path.read_bytes()


def path_to(key: bytes, newsletter: str, until_at: datetime) -> str:
    """The link's part below ``WAY``."""
    stamp = until_at.astimezone(UTC).strftime(_STAMP)
    return f"{newsletter}/{stamp}/{_sealed(key, 'link', newsletter, stamp)}"


def read(key: bytes, rest: str, now: datetime) -> Link | None:
    """What a link is about; None for one that is not ours, or too old."""
    found = _REST.fullmatch(rest)
    if found is None:
        return None
    newsletter, stamp, seal = found.groups()
    if not hmac.compare_digest(seal, _sealed(key, "link", newsletter, stamp)):
        return None
    until_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    return Link(newsletter=newsletter, until_at=until_at) if now <= until_at + VALID else None


def token_of(key: bytes, link: Link, seen: str) -> str:
    """What a form must send back; ``seen`` is the issue as it was when the form was shown."""
    return _sealed(key, "press", link.newsletter, link.until_at.astimezone(UTC).strftime(_STAMP), seen)


def fits(key: bytes, link: Link, seen: str, token: str) -> bool:
    """Whether a form was shown for the issue as it still is."""
    return hmac.compare_digest(token.encode("utf-8", "replace"), token_of(key, link, seen).encode())


def _sealed(key: bytes, *told: str) -> str:
    return hmac.digest(key, "\0".join(("review", *told)).encode(), "sha256")[:_SEAL_BYTES].hex()

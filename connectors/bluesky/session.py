"""The session of one account: what the app password is exchanged for, kept in a file that only we can read."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from syndicator.errors import Transient

ROUNDS = 100_000
"""What the file knows of the password must not give it away."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Who we are there, and until when; never printed."""

    did: str
    handle: str
    service: str
    """The server that holds the account, without a trailing slash."""
    access: str = field(repr=False)
    refresh: str = field(repr=False)

    @property
    def full_rights(self) -> bool:
        """Whether the account's own password was used: its token says so (``scope``)."""
        with suppress(ValueError, AttributeError, IndexError):
            claims = self.access.split(".")[1]
            return bool(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("scope") == "com.atproto.access")
        return False


def session_from(answer: Mapping[str, Any], *, handle: str, pds: str) -> Session:
    """The session that ``createSession`` or ``refreshSession`` answered."""
    texts = {name: answer.get(name) for name in ("did", "accessJwt", "refreshJwt")}
    missing = [name for name, value in texts.items() if not isinstance(value, str) or not value]
    if missing:
        raise Transient(f"{pds}: the answer to the login lacks {', '.join(missing)}")
    said = str(answer.get("handle") or "").lower()
    return Session(
        did=str(texts["did"]),
        # What the server says when the domain of the handle no longer points to the account.
        handle=handle if said in ("", "handle.invalid") else said,
        service=_service(answer.get("didDoc"), pds),
        access=str(texts["accessJwt"]),
        refresh=str(texts["refreshJwt"]),
    )


def _service(document: Any, pds: str) -> str:
    """The account's server by its DID document; bsky.social is only the door to many (https://atproto.com/specs/did)."""
    services = document.get("service") if isinstance(document, Mapping) else None
    for service in services if isinstance(services, list) else ():
        if not isinstance(service, Mapping) or not str(service.get("id")).endswith("#atproto_pds"):
            continue
        endpoint = str(service.get("serviceEndpoint")).rstrip("/")
        parts = urlsplit(endpoint)
        # Tokens that came over TLS do not leave without it.
        if parts.hostname and parts.scheme in ("https", urlsplit(pds).scheme):
            return endpoint
    return pds


class SessionFile:
    """One session on disk, of use only to who has the same app password for the same account on the same server."""

    def __init__(self, path: Path, *, pds: str, handle: str, password: str) -> None:
        self._path = path
        self._owner = f"{pds}\n{handle}\n{password}".encode()

    def load(self) -> Session | None:
        """What was kept; None when there is nothing, or when it is another's."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            entry = json.loads(self._path.read_bytes())
            if secrets.compare_digest(entry.pop("owner"), self._mark(bytes.fromhex(entry.pop("salt")))):
                return Session(**entry)
        return None

    def save(self, session: Session) -> None:
        """Keep it, whole or not at all. A disk that does not take it costs a login next time, no more."""
        salt = secrets.token_bytes(16)
        text = json.dumps({**asdict(session), "salt": salt.hex(), "owner": self._mark(salt)})
        with suppress(OSError):
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".session-")
            try:
                with os.fdopen(handle, "w") as file:
                    file.write(text)
                Path(name).replace(self._path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise

    def _mark(self, salt: bytes) -> str:
        return hashlib.pbkdf2_hmac("sha256", self._owner, salt, ROUNDS).hex()

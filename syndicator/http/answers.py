"""What a server answered, and what its status means."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from multidict import CIMultiDictProxy

from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer, read to its end."""

    status: int
    url: str
    """After redirects."""
    headers: CIMultiDictProxy[str]
    body: bytes
    moved_to: str | None = None
    """Where a chain of permanent redirects (301, 308) led."""

    def text(self) -> str:
        """The body by its declared charset, else UTF-8; undecodable bytes become U+FFFD."""
        charset = "utf-8"
        for parameter in self.headers.get("Content-Type", "").split(";")[1:]:
            name, _, value = parameter.strip().partition("=")
            if name.lower() == "charset":
                charset = value.strip('"')
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; Transient when it is not (a proxy's page, a truncated answer)."""
        try:
            return jsonlib.loads(self.body)
        except ValueError as error:
            raise Transient(f"{self.url} answered {self.status} with {self.content_type or 'no type'} instead of JSON") from error

    def json_object(self) -> Mapping[str, Any]:
        """The body where it is a JSON object, such as most services' refusals are; empty where it is anything else."""
        try:
            found = jsonlib.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, Mapping) else {}

    @property
    def content_type(self) -> str:
        """Without parameters, lower case."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the service says to come back (RFC 9110 10.2.3: seconds or a date), at most a day ahead; None when it does not say."""
    value = headers.get("Retry-After", "").strip()
    if value.isdigit():
        return now + timedelta(seconds=min(int(value), 86_400))
    if not value:
        return None
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at, now), now + timedelta(days=1))


def error_for(response: Response, now: datetime, *, write: bool = False) -> ConnectorError | None:
    """What an HTTP status means where the service has no dialect of its own; None for 2xx and 304.

    With ``write``, a 5xx is OutcomeUnknown: a gateway may have given up on a server that went on.
    """
    status = response.status
    if 200 <= status < 300 or status == 304:
        return None
    said = f"{urlsplit(response.url).netloc} answered {status}{_excerpt(response)}"
    if status == 429:
        return RateLimited(said, at=retry_after(response.headers, now))
    if status in (401, 403):
        return AuthExpired(said)
    if status == 410:
        return Gone(said)
    if status in (408, 425, 503):
        at = retry_after(response.headers, now)
        return RateLimited(said, at=at) if at else Transient(said)
    if status >= 500:
        return OutcomeUnknown(said) if write else Transient(said)
    return Rejected(said)


def _excerpt(response: Response) -> str:
    if "html" in response.content_type or not response.body:
        return ""
    return ": " + " ".join(response.body[:200].decode("utf-8", "replace").split())

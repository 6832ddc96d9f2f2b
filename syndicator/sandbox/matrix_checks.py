"""What a homeserver refuses of a message before it looks at anything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

EVENT_MAX_BYTES = 65_536
ENVELOPE_BYTES = 700
"""What the server's own fields take: hashes, signatures, the events before."""
INTEGER_MAX = 2**53 - 1


class Refusal(Exception):
    """What the API answers instead of a result (https://spec.matrix.org/v1.16/client-server-api/#standard-error-response)."""

    def __init__(self, status: int, errcode: str, error: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"errcode": errcode, "error": error, **more}
        super().__init__(error)


def read_json(body: bytes) -> Json:
    """The body's object."""
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Refusal(400, "M_NOT_JSON", "Content not JSON.") from error
    if not isinstance(found, dict):
        raise Refusal(400, "M_BAD_JSON", "Content must be a JSON object.")
    return found


def check_content(content: Json) -> None:
    """Refuse a message that cannot be an event."""
    _check_canonical(content)
    for name in ("body", "msgtype"):
        if name not in content:
            raise Refusal(400, "M_UNKNOWN", f"'{name}' not in content")
        if not isinstance(content[name], str):
            raise Refusal(400, "M_UNKNOWN", f"'{name}' not a string type")
    _check_mentions(content.get("m.mentions", {}))
    if len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()) + ENVELOPE_BYTES > EVENT_MAX_BYTES:
        raise Refusal(413, "M_TOO_LARGE", "event too large")


def number(value: str | None, otherwise: int) -> int:
    """A query parameter that is a number."""
    if value is None:
        return otherwise
    if not value.isdigit():
        raise Refusal(400, "M_INVALID_PARAM", "Query parameter must be an integer")
    return int(value)


def _check_canonical(value: Any) -> None:
    """https://spec.matrix.org/v1.16/appendices/#canonical-json: no fractions, no numbers that doubles cannot hold."""
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) > INTEGER_MAX):
        raise Refusal(400, "M_BAD_JSON", "JSON integer out of range" if isinstance(value, int) else "Bad JSON value: float")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_canonical(inner)


def _check_mentions(mentions: Any) -> None:
    """https://spec.matrix.org/v1.16/client-server-api/#user-and-room-mentions"""
    good = isinstance(mentions, dict) and isinstance(mentions.get("room", False), bool)
    users = mentions.get("user_ids", []) if good else None
    if not isinstance(users, list) or not all(isinstance(user, str) for user in users):
        raise Refusal(400, "M_BAD_JSON", "m.mentions is not as specified")

"""Logs: one line an event, ``name key=value …``, made for the journal; secrets never, anywhere.

Under systemd each line opens with its priority (``<6>``, sd-daemon(3)) and has no time, which the journal knows; elsewhere it opens
with the time and the level. Whatever passes here is searched for credentials: those the configuration handed out, by value, and the
places where services put theirs, by shape.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO
from urllib.parse import quote

HIDDEN = "…"
SECRET_MIN_LENGTH = 6
"""Shorter credentials are not searched for by value: they would blot out innocent text."""

_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
_SHAPES = (
    (
        re.compile(r"(?i)(\b(?:proxy-)?authorization\b[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|digest|oauth|dpop)\s+)?[^\s\"',}]+"),
        r"\1" + HIDDEN,
    ),
    (re.compile(r"(?i)\b(bearer|basic|dpop)\s+[a-z0-9._~+/=-]{8,}"), r"\1 " + HIDDEN),
    (
        re.compile(
            r"(?i)((?:access_|refresh_|id_|bot_|app_)?(?:token|password|passwd|secret|apikey|api_key|client_secret|app_password|accessjwt|refreshjwt)"
            # After a colon and a space, a word is a sentence's, such as "token: missing"; a credential is longer, or has digits.
            r"[\"']?\s*(?:=\s*[\"']?|:\s*[\"']|:(?=\S)|:\s+(?=\S{12}|\S*\d)))[^\s&\"',;}]+"
        ),
        r"\1" + HIDDEN,
    ),
    (re.compile(r"(/webhooks/\d{5,}/)[A-Za-z0-9._-]{20,}"), r"\1" + HIDDEN),
    (re.compile(r"(/bot)\d{5,}:[A-Za-z0-9_-]{20,}"), r"\1" + HIDDEN),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@"), r"\1:" + HIDDEN + "@"),
)

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What would move a terminal's cursor or turn the writing direction around; line breaks and tabs stay."""


class Redactor:
    """Takes credentials out of text; one for the process, because a secret is a secret in everybody's log."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def hide(self, value: str) -> None:
        """From now on ``value`` is never written, plain or as part of a URL."""
        forms = {form for form in (value, quote(value, safe=""), quote(value)) if len(form) >= SECRET_MIN_LENGTH}
        if forms <= self._values:
            return
        self._values |= forms
        longest_first = sorted(self._values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def clean(self, text: str) -> str:
        """``text`` without any credential."""
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN, text)
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        return text


REDACTOR = Redactor()


def hide(value: str) -> None:
    """Never write ``value`` in any log of this process."""
    REDACTOR.hide(value)


def clean(text: str) -> str:
    """``text`` without any credential or control character: for whatever is shown outside the logs (terminal, status page, alerts)."""
    return visible(REDACTOR.clean(text))


def visible(text: str) -> str:
    """``text`` without control characters: for whatever strangers wrote that is shown in a terminal."""
    return _UNSEEN.sub("\ufffd", text)


def event(log: logging.Logger, level: int, name: str, /, *, exc_info: BaseException | None = None, **fields: Any) -> None:
    """Log one event: ``event(log, logging.INFO, "source.polled", source="toots", changed=2)``. Fields that are None are left out."""
    if log.isEnabledFor(level):
        kept = {key: value for key, value in fields.items() if value is not None}
        log.log(level, "%s", name, exc_info=exc_info, extra={"fields": kept})


class LineFormatter(logging.Formatter):
    """One record → one line; a traceback is one field of it, its lines joined by `` | ``."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__()
        self.journal = journal

    def format(self, record: logging.LogRecord) -> str:
        """``record`` as a line without credentials."""
        parts = [self._head(record), _one_line(record.getMessage())]
        fields: Mapping[str, Any] = getattr(record, "fields", {})
        parts += [f"{key}={_value(value)}" for key, value in fields.items()]
        if record.exc_info and record.exc_info[1] is not None:
            told = "".join(traceback.format_exception(record.exc_info[1]))
            parts.append(f"traceback={_value(' | '.join(line.strip() for line in told.splitlines()))}")
        return REDACTOR.clean(" ".join(part for part in parts if part))

    def _head(self, record: logging.LogRecord) -> str:
        if self.journal:
            return f"<{_priority(record.levelno)}>{record.name}"
        at = datetime.fromtimestamp(record.created, UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z {record.levelname.lower()} {record.name}"


def _priority(level: int) -> int:
    return next((number for least, number in sorted(_PRIORITIES.items(), reverse=True) if level >= least), 7)


def _one_line(text: str) -> str:
    """Without line breaks or other control characters: one event stays one line, whatever a server said."""
    return "".join(char if char.isprintable() else {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char, "\ufffd") for char in text)


def _value(value: Any) -> str:
    """Bare when it is one word, else quoted as logfmt does."""
    text = _one_line(value.isoformat() if isinstance(value, datetime) else str(value))
    if text and not re.search(r"[\s\"=]", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def set_up(environ: Mapping[str, str], *, verbose: bool = False, stream: TextIO | None = None) -> None:
    """Send every logger's records to stderr in our form, and keep libraries' chatter out."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(journal="JOURNAL_STREAM" in environ))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("syndicator").setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.raiseExceptions = False

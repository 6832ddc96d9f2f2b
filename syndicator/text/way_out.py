"""How the reader of a letter leaves the list: the line in its footer, for whoever sends it to fill in or to take away."""

from __future__ import annotations

import hmac
import re
from html import escape

UNSUBSCRIBE = "https://unsubscribe.invalid/"
"""Stands where a way out puts its own address."""
BEGIN, END = "<!--unsubscribe-->", "<!--/unsubscribe-->"
_LINE = re.compile(rf"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def with_unsubscribe(text: str, address: str) -> str:
    """A part of the letter with the address by which its reader leaves the list."""
    return text.replace(UNSUBSCRIBE, escape(address) if "<html" in text[:200] else address)


def without_unsubscribe(text: str) -> str:
    """A part of the letter without that line: whoever sends it on has one of their own."""
    if BEGIN in text:
        return _LINE.sub("", text)
    return "\n".join(line for line in text.split("\n") if UNSUBSCRIBE not in line).rstrip() + "\n"


KEY_FILE = "unsubscribe.key"
"""Beside a list that we hold: what its readers' tokens are made with."""
RECORD_FILE = "unsubscribed.txt"
"""Beside it: who left, one a line: their mark or their address, and when."""
WAY = "-/lettre/"
"""Below the public address: then the list's name, a slash and a reader's token."""
_MARK_BYTES = 16
_TOKEN = re.compile(r"[0-9a-f]{64}")


def mark_of(key: bytes, address: str) -> str:
    """What a reader is known by where nobody shall read who it is."""
    return _sealed(key, "reader", address.strip().lower())


def token_of(key: bytes, address: str) -> str:
    """What lets a reader, and nobody else, leave: it says nothing of their address, and cannot be guessed."""
    mark = mark_of(key, address)
    return mark + _sealed(key, "token", mark)


def mark_in(key: bytes, token: str) -> str | None:
    """Whose token it is; None when we never made it."""
    if not _TOKEN.fullmatch(token):
        return None
    mark, seal = token[: 2 * _MARK_BYTES], token[2 * _MARK_BYTES :]
    return mark if hmac.compare_digest(seal, _sealed(key, "token", mark)) else None


def _sealed(key: bytes, purpose: str, text: str) -> str:
    return hmac.digest(key, f"{purpose}\0{text}".encode(), "sha256")[:_MARK_BYTES].hex()

"""Characters that must never travel: controls, lone surrogates, invisible traps, endless combining marks."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Any

# C0 (but tab and newline), DEL, C1, surrogates, noncharacters, soft hyphen, zero-width space, byte order mark, interlinear
# annotation, and the bidi embeddings and overrides: isolates and marks are what honest bidirectional text needs.
STRAY = re.compile(
    r"[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\uD800-\uDFFF\uFDD0-\uFDEF\uFFFE\uFFFF"
    r"\u00AD\u180E\u200B\u202A-\u202E\u2060-\u2064\u206A-\u206F\uFEFF\uFFF9-\uFFFB]"
)
NEWLINES = re.compile(r"\r\n?|[\u2028\u2029\u0085]")
# Unicode TR15 (stream-safe text format): no honest text has more than 30 in a row, and normalising a long run is quadratic.
_PERHAPS_MARKS = re.compile(r"[^\w\s\x00-\u02FF]{31}")
ISOLATES = re.compile("[\u2066-\u2069]")
_ISOLATES = {"\u2066", "\u2067", "\u2068"}
_POP_ISOLATE = "\u2069"


def clean(text: str) -> str:
    """The same text in NFC, with one kind of newline and without what no reader should get."""
    if text.isascii() and text.isprintable():
        return text
    text = STRAY.sub("", NEWLINES.sub("\n", text))
    stray = stray_isolates(text)
    if stray:
        text = "".join(character for index, character in enumerate(text) if index not in stray)
    return composed(text)


def composed(text: str) -> str:
    """The same text in NFC, with no more marks in a row than a letter may have."""
    if _PERHAPS_MARKS.search(text):
        text = _marks().sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


@functools.cache
def _marks() -> Any:
    # Loaded for the rare text that may need it: a megabyte that most associations never use.
    import regex

    return regex.compile(r"(\p{M}{30})\p{M}+")


def stray_isolates(text: str) -> set[int]:
    """Where the bidi isolates stand that are not closed in ``text``, or were never opened in it."""
    if _POP_ISOLATE not in text and not any(mark in text for mark in _ISOLATES):
        return set()
    opened: list[int] = []
    stray: set[int] = set()
    for index, character in enumerate(text):
        if character in _ISOLATES:
            opened.append(index)
        elif character == _POP_ISOLATE:
            if opened:
                opened.pop()
            else:
                stray.add(index)
    return stray.union(opened)

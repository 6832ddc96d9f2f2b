"""Plain text in a destination's markup: every sign of the text stays what it is."""

from __future__ import annotations

import regex

from syndicator.contract import Markup
from syndicator.text.links import addresses

# CommonMark 2.4: any ASCII punctuation may be escaped; these are the ones that mean something inside or at the start of a line.
_INLINE = regex.compile(r"([\\`*_\[\]<>~|])")
_LINE_START = regex.compile(r"^([ \t]*)([#+\-=>]|\d{1,9}[.)])(?=[ \t]|$)", regex.MULTILINE)


def to_markup(text: str, markup: Markup) -> str:
    """``text`` so that a reader of ``markup`` sees exactly it; line breaks stay line breaks, addresses stay live."""
    if markup == "html":
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _markdown(text) if markup == "markdown" else text


def _markdown(text: str) -> str:
    parts, position = [], 0
    for entity in addresses(text, bare=False):
        parts.append(_escaped(text[position : entity.start]))
        parts.append(entity.value)
        position = entity.end
    parts.append(_escaped(text[position:]))
    return str(_LINE_START.sub(_at_line_start, "".join(parts)))


def _escaped(text: str) -> str:
    return str(_INLINE.sub(r"\\\1", text))


def _at_line_start(match: regex.Match[str]) -> str:
    sign = match[2]
    return f"{match[1]}{sign[:-1]}\\{sign[-1]}"

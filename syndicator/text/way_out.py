"""How the reader of a letter leaves the list: the line in its footer, for whoever sends it to fill in or to take away."""

from __future__ import annotations

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

"""Plain text so that Mattermost shows exactly it. Pure.

Its web client reads Markdown with a marked of its own (https://github.com/mattermost/marked), its telephones with commonmark.js: only what
both take for an escape is one here. Where neither knows any, an invisible word joiner keeps signs from meaning something.
"""

from __future__ import annotations

import regex

from syndicator.text.links import addresses

JOINER = "\u2060"

# A backslash is one unless it stands before a sign that can be escaped, or at the end of a line.
_BACKSLASH = regex.compile(r"\\(?=[!-/:-@\[-`{-~]|$)", regex.M)
_INLINE = regex.compile(r"([`*_\[\]>|~])")
_TAG = regex.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = regex.compile(r"&(?=#?\w+;)")
_MENTION = regex.compile(r"(?<![\p{L}\p{N}._-])@(?=[\p{L}\p{N}_])")
_LINE_SIGN = regex.compile(r"^([ \t]*)(?=#{1,6}[ \t]|#{1,6}$|[+\-](?:[ \t\-]|$))", regex.M)
_LINE_NUMBER = regex.compile(r"^([ \t]*\d{1,9})([.)])(?=[ \t]|$)", regex.M)
_LINE_INVISIBLE = regex.compile(r"^(?=[ \t]{4}|\t|[ \t]*=+[ \t]*$)", regex.M)
_ENDS_WELL = regex.compile(r"[.,:;]?(?:\s|$)")


def markdown(text: str) -> str:
    """``text`` with its signs escaped, its links live and whole, and nobody called."""
    parts, position = [], 0
    for entity in addresses(text, bare=False):
        parts.append(_escaped(text[position : entity.start], last=False))
        # Whatever follows without a space would become a part of the address, our backslashes too.
        parts.append(entity.value if _ENDS_WELL.match(text, entity.end) else f"<{entity.value}>")
        position = entity.end
    parts.append(_escaped(text[position:], last=True))
    marked = _LINE_SIGN.sub(r"\1\\", "".join(parts))
    marked = _LINE_NUMBER.sub(r"\1\\\2", marked)
    return str(_LINE_INVISIBLE.sub(JOINER, marked))


def uncalled(text: str) -> str:
    """``text`` as it is, with nobody called."""
    return str(_MENTION.sub(f"@{JOINER}", text))


def _escaped(text: str, *, last: bool) -> str:
    text = _BACKSLASH.sub(r"\\\\", text) if last or not text.endswith("\\") else _BACKSLASH.sub(r"\\\\", text[:-1]) + "\\" + JOINER
    text = _INLINE.sub(r"\\\1", text)
    text = _TAG.sub(f"<{JOINER}", text)
    if text.endswith("<"):
        # What follows is an address of its own.
        text += JOINER
    return uncalled(_ENTITY.sub(f"&{JOINER}", text))

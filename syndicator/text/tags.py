"""Hashtags: compared, made, dropped, and obeyed when they are the author's own "not there, please".

An author keeps a post from a network with ``#no<name>`` or ``#pas<name>``, where the name is a destination's name or type in the
configuration (``#noX``, ``#pasFacebook``, ``#pasSurLinkedIn``), and from everywhere with ``#nocross`` or ``#pasdereprise``. Case,
accents, hyphens and underscores do not matter. These tags are for us: they are removed from what is sent.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from syndicator.model import Item
from syndicator.text.html import parse
from syndicator.text.linked import Linked

if TYPE_CHECKING:
    from syndicator.text.links import Entity

NEVER_ANYWHERE = frozenset({
    "nocross", "nocrosspost", "nocrossposting", "nomirror", "nosyndication", "norepost", "nosync",
    "pasdecross", "pasdecrosspost", "pasdereprise", "pasdecopie", "pasderelais", "pasdemiroir", "sansreprise",
})  # fmt: skip
_REFUSALS = ("no", "not", "noton", "non", "pas", "pasde", "pasd", "passur", "sans")
_BEGINNINGS = (*_REFUSALS, *NEVER_ANYWHERE)
_CANDIDATE = re.compile(r"[#＃]([^\s#＃]+)")
_LINE = re.compile(r"(?:[#＃][^\s#＃]+[\s,;·•|/]*)+")
HOLE = "\ufffc"
_HOLE_IN_BRACKETS = re.compile(rf"\(\s*(?:{HOLE}\s*)+\)|\[\s*(?:{HOLE}\s*)+\]")
_HOLE_LINE = re.compile(rf"\n(?:[ \t,;·•|/]*{HOLE})+[ \t,;·•|/]*(?=\n)")
_HOLE_AFTER_BLANK = re.compile(rf"(?:(?<=[\s(«])(?:{HOLE}[ \u00A0]?)+|[ \u00A0]?{HOLE}(?=$|[\s.,)]))", re.MULTILINE)
_HOLES = re.compile(HOLE)
_BLANK_LINES = re.compile(r"\n{3,}")


@functools.lru_cache(maxsize=1024)
def folded(tag: str) -> str:
    """``tag`` for comparison: without #, case, accents, hyphens or underscores."""
    decomposed = unicodedata.normalize("NFKD", tag.lstrip("#＃").casefold())
    return "".join(character for character in decomposed if character.isalnum())


def opted_out(item: Item, destination_names: Collection[str]) -> bool:
    """Whether the author's own hashtags refuse the destination that goes by any of ``destination_names`` (its name, its type)."""
    refused = _refused(destination_names)
    texts = [text for text in (parse(item.html).text, item.title) if _may_refuse(text)]
    return any(folded(tag) in refused for tag in (*item.tags, *(entity.value for text in texts for entity in hashtags(text))))


def _may_refuse(text: str) -> bool:
    """Whether a word after a # begins like a refusal: only then is it worth two megabytes of rules to see where the hashtag ends."""
    return any(folded(word).startswith(_BEGINNINGS) for word in _CANDIDATE.findall(text))


def hashtags(text: str) -> list[Entity]:
    """The hashtags of ``text``, by the rules of ``links``, which are loaded for a text that may hold one."""
    if "#" not in text and "＃" not in text:
        return []
    from syndicator.text import links

    return links.hashtags(text)


def is_control(tag: str, destination_names: Collection[str]) -> bool:
    """Whether ``tag`` is meant for us and not for readers."""
    return folded(tag) in _refused(destination_names)


def without_controls(text: Linked, destination_names: Collection[str]) -> Linked:
    """``text`` without the control tags, wherever they stand, and without the hole they would leave."""
    refused = _refused(destination_names)
    return _without(text, lambda entity: folded(entity.value) in refused)


def closing_tags(text: Linked) -> tuple[Linked, str]:
    """``text`` without its closing line or lines of nothing but hashtags, and those lines."""
    lines = text.text.rstrip().split("\n")
    first = len(lines)
    while first > 0 and (not lines[first - 1].strip() or _LINE.fullmatch(lines[first - 1].strip())):
        first -= 1
    closing = "\n".join(lines[first:]).strip()
    return text.between(0, len("\n".join(lines[:first]).rstrip())), closing


def at_most(text: Linked, limit: int) -> Linked:
    """``text`` with its first ``limit`` hashtags; from a closing line the others go, in a sentence they only lose their #."""
    extra = hashtags(text.text)[limit:]
    if not extra:
        return text
    body_end = len(closing_tags(text)[0].text)
    first = extra[0].start
    kept = _without(text, lambda entity: entity.start >= max(first, body_end))
    return kept.replaced((entity.start, entity.start + 1, "") for entity in extra if entity.start < body_end)


def hashtag(words: str) -> str | None:
    """A tag of one or several words as a hashtag: ``économie sociale`` → ``#ÉconomieSociale``; None when nothing is left of it."""
    import regex

    parts = [part for part in regex.split(r"[^\p{L}\p{M}\p{N}]+", words.strip().lstrip("#＃")) if part]
    if not parts or not any(character.isalpha() for character in "".join(parts)):
        return None
    # A screen reader tells the words of a hashtag apart by their capitals.
    joined = parts[0] if len(parts) == 1 else "".join(part[0].upper() + part[1:] for part in parts)
    return f"#{joined}"


def hashtag_line(tags: Iterable[str], limit: int) -> str:
    """The first ``limit`` of ``tags`` as one line of hashtags, each once."""
    seen: dict[str, str] = {}
    for tag in tags:
        made = hashtag(tag)
        if made is not None:
            seen.setdefault(folded(made), made)
    return " ".join(list(seen.values())[:limit])


def visible_tags(item: Item, destination_names: Collection[str]) -> tuple[str, ...]:
    """The item's tags that are meant for readers."""
    return tuple(tag for tag in item.tags if not is_control(tag, destination_names))


def _refused(destination_names: Collection[str]) -> frozenset[str]:
    return _refusals_of(frozenset(destination_names))


@functools.lru_cache(maxsize=256)
def _refusals_of(destination_names: frozenset[str]) -> frozenset[str]:
    names = {folded(name) for name in destination_names} - {""}
    return NEVER_ANYWHERE | {refusal + name for refusal in _REFUSALS for name in names}


def _without(text: Linked, unwanted: Callable[[Entity], bool]) -> Linked:
    return without(text, [(entity.start, entity.end) for entity in hashtags(text.text) if unwanted(entity)])


def without(text: Linked, stretches: Collection[tuple[int, int]]) -> Linked:
    """``text`` without these stretches, and without the holes they would leave; a line that held nothing else goes with them."""
    if not stretches:
        return text
    marked = text.replaced((start, end, HOLE) for start, end in stretches).without(_HOLE_IN_BRACKETS, HOLE)
    marked = (Linked("\n") + marked + Linked("\n")).without(_HOLE_LINE)
    return marked.without(_HOLE_AFTER_BLANK).without(_HOLES).without(_BLANK_LINES, "\n\n").stripped("\n")

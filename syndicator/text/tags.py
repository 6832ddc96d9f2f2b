"""Hashtags: compared, made, dropped, and obeyed when they are the author's own "not there, please".

An author keeps a post from a network with ``#no<name>`` or ``#pas<name>``, where the name is a destination's name or type in the
configuration (``#noX``, ``#pasFacebook``, ``#pasSurLinkedIn``), and from everywhere with ``#nocross`` or ``#pasdereprise``. Case,
accents, hyphens and underscores do not matter. These tags are for us: they are removed from what is sent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable

import regex

from syndicator.model import Item
from syndicator.text.html import parse
from syndicator.text.links import Entity, hashtags

NEVER_ANYWHERE = frozenset({
    "nocross", "nocrosspost", "nocrossposting", "nomirror", "nosyndication", "norepost", "nosync",
    "pasdecross", "pasdecrosspost", "pasdereprise", "pasdecopie", "pasderelais", "pasdemiroir", "sansreprise",
})  # fmt: skip
_REFUSALS = ("no", "not", "noton", "non", "pas", "pasde", "pasd", "passur", "sans")
_LINE = regex.compile(r"(?:[#＃][^\s#＃]+[\s,;·•|/]*)+")
_HOLE = "\ufffc"
_HOLE_IN_BRACKETS = regex.compile(rf"\(\s*(?:{_HOLE}\s*)+\)|\[\s*(?:{_HOLE}\s*)+\]")
_HOLE_LINE = regex.compile(rf"\n(?:[ \t,;·•|/]*{_HOLE})+[ \t,;·•|/]*(?=\n)")
_HOLE_AFTER_BLANK = regex.compile(rf"(?:(?<=[\s(«])(?:{_HOLE}[ \u00A0]?)+|[ \u00A0]?{_HOLE}(?=$|[\s.,)]))", regex.MULTILINE)
_BLANK_LINES = regex.compile(r"\n{3,}")
_TAG_SIGNS = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


def folded(tag: str) -> str:
    """``tag`` for comparison: without #, case, accents, hyphens or underscores."""
    decomposed = unicodedata.normalize("NFKD", tag.lstrip("#＃").casefold())
    return "".join(character for character in decomposed if character.isalnum())


def opted_out(item: Item, destination_names: Collection[str]) -> bool:
    """Whether the author's own hashtags refuse the destination that goes by any of ``destination_names`` (its name, its type)."""
    refused = _refused(destination_names)
    return any(folded(tag) in refused for tag in all_tags(item))


def all_tags(item: Item) -> list[str]:
    """Every hashtag of ``item``: those its origin lists, and those in its text."""
    text = parse(item.html).text
    return [*item.tags, *(entity.value for entity in hashtags(text)), *(entity.value for entity in hashtags(item.title))]


def is_control(tag: str, destination_names: Collection[str]) -> bool:
    """Whether ``tag`` is meant for us and not for readers."""
    return folded(tag) in _refused(destination_names)


def without_controls(text: str, destination_names: Collection[str]) -> str:
    """``text`` without the control tags, wherever they stand, and without the hole they would leave."""
    refused = _refused(destination_names)
    return _without(text, lambda entity: folded(entity.value) in refused)


def closing_tags(text: str) -> tuple[str, str]:
    """``text`` without its closing line or lines of nothing but hashtags, and those lines."""
    lines = text.rstrip().split("\n")
    first = len(lines)
    while first > 0 and (not lines[first - 1].strip() or _LINE.fullmatch(lines[first - 1].strip())):
        first -= 1
    closing = "\n".join(lines[first:]).strip()
    return ("\n".join(lines[:first]).rstrip(), closing) if first else ("", closing)


def at_most(text: str, limit: int) -> str:
    """``text`` with its first ``limit`` hashtags; from a closing line the others go, in a sentence they only lose their #."""
    extra = hashtags(text)[limit:]
    if not extra:
        return text
    body_end = len(closing_tags(text)[0])
    first = extra[0].start
    kept = _without(text, lambda entity: entity.start >= max(first, body_end))
    for entity in reversed([entity for entity in extra if entity.start < body_end]):
        kept = kept[: entity.start] + kept[entity.start + 1 :]
    return kept


def hashtag(words: str) -> str | None:
    """A tag of one or several words as a hashtag: ``économie sociale`` → ``#ÉconomieSociale``; None when nothing is left of it."""
    parts = [part for part in _TAG_SIGNS.split(words.strip().lstrip("#＃")) if part]
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
    names = {folded(name) for name in destination_names} - {""}
    return NEVER_ANYWHERE | {refusal + name for refusal in _REFUSALS for name in names}


def _without(text: str, unwanted: Callable[[Entity], bool]) -> str:
    """``text`` without the hashtags that are ``unwanted``; a line that held nothing else goes with them."""
    found = [entity for entity in hashtags(text) if unwanted(entity)]
    if not found:
        return text
    parts, position = [], 0
    for entity in found:
        parts.append(text[position : entity.start])
        position = entity.end
    marked = _HOLE.join([*parts, text[position:]])
    marked = _HOLE_LINE.sub("", f"\n{_HOLE_IN_BRACKETS.sub(_HOLE, marked)}\n")
    marked = _HOLE_AFTER_BLANK.sub("", marked)
    return str(_BLANK_LINES.sub("\n\n", marked.replace(_HOLE, "")).strip("\n"))

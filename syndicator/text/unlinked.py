"""A text without addresses, for networks that charge for each: still a text that reads well.

What leads somewhere by its words keeps the words. An address alone on its line goes, with the colon or the arrow that led to it; one in the
middle of a sentence leaves the name of its host behind. Where bare domains become links by themselves, they are written as they are
spoken ("exemple point fr"), and a full stop glued to the next sentence gets the blank it should have had.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import regex

from syndicator.text.linked import Edit, Linked
from syndicator.text.links import Entity, addresses
from syndicator.text.tags import HOLE, without

_PASSES_MAX = 4
_LEAD = regex.compile(r"\s*[:：→➡👉🔗⬇👇➜►▶⤵▸\uFE0F\U0001F3FB-\U0001F3FF]+\s*$")
_LINE_ENDS = regex.compile(r"[)\].,;!?»”\s]*?(?:$|\n)")
_WORD_BEFORE = regex.compile(r"[\p{L}\p{N}’',»)]\s*$")
_HOLES = regex.compile(f"{HOLE}+")
_DOTS = {"fr": " point ", "en": " dot "}
_PATH_MAX = 25
_PATH = regex.compile(r"/[\p{L}\p{N}/_\-]*")
_LOOK_BACK = 80


def without_addresses(text: Linked, *, bare: bool, language: str) -> Linked:
    """``text`` with no address in it; ``bare`` also none that is only a domain."""
    left = Linked(text.text)
    for _ in range(_PASSES_MAX):
        found = addresses(left.text, bare=bare)
        if not found:
            return left
        left = _once(left, found, bare=bare, language=language)
    return left.replaced(
        (entity.start, entity.end, entity.value.replace(".", " ").replace("://", " ")) for entity in addresses(left.text, bare=bare)
    )


def _once(text: Linked, found: list[Entity], *, bare: bool, language: str) -> Linked:
    marked = text.replaced(_edits(text.text, found, bare=bare, language=language))
    return without(marked, [match.span() for match in _HOLES.finditer(marked.text)])


def _edits(text: str, found: list[Entity], *, bare: bool, language: str) -> Iterator[Edit]:
    for entity in found:
        if entity.kind == "domain":
            yield entity.start, entity.end, _spoken(entity.value, language)
            continue
        before = text[max(0, entity.start - _LOOK_BACK) : entity.start]
        lead = _LEAD.search(before)
        ends_line = _LINE_ENDS.match(text, entity.end) is not None
        host = _host(entity.value)
        if lead is not None and ends_line:
            yield entity.start - len(lead[0]), entity.end, HOLE
        elif host and (lead is not None or _WORD_BEFORE.search(before.rsplit("\n", 1)[-1])):
            yield entity.start, entity.end, _spoken(host, language) if bare else host
        else:
            yield entity.start, entity.end, HOLE


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _spoken(domain: str, language: str) -> str:
    """As one says it aloud; no network makes a link of that."""
    left, _, right = domain.partition(".")
    if "/" not in right and "." not in right and right[:1].isupper() and not (right.isupper() and left.isupper() and len(left) > 1):
        return f"{left}. {right}"  # the end of one sentence and the beginning of the next, or "M.Dupont"
    host, slash, rest = domain.partition("/")
    path = slash + rest if len(rest) <= _PATH_MAX and _PATH.fullmatch(slash + rest) else ""
    return host.split(":")[0].removeprefix("www.").replace(".", _DOTS[language]) + path.rstrip("/")

"""How long a text is, as each network counts: code points, graphemes, UTF-16 units, bytes, the weights of X, or as Threads does."""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import regex

from syndicator.contract import Limits, TextUnit
from syndicator.text.links import Entity, addresses, entities

# twitter-text v3: these ranges weigh 1, everything else 2, an emoji sequence 2, any address 23.
_LIGHT = regex.compile(r"[\u0000-\u10FF\u2000-\u200D\u2010-\u201F\u2032-\u2037]")
_X_URL = 23
_PICTOGRAPH = r"(?:(?![\u00A9\u00AE\u2122\u265F])\p{Extended_Pictographic}|[\u00A9\u00AE\u2122\u265F](?=\uFE0F))"
_EMOJI = regex.compile(
    r"\p{Regional_Indicator}{2}"
    r"|[#*0-9]\uFE0F?\u20E3"
    r"|\U0001F3F4[\U000E0030-\U000E007A]++\U000E007F"
    rf"|{_PICTOGRAPH}(?:\p{{Emoji_Modifier}}|\uFE0F)?(?:\u200D[\p{{Extended_Pictographic}}](?:\p{{Emoji_Modifier}}|\uFE0F)?)*+"
)
_GRAPHEME = regex.compile(r"\X")
# https://developers.facebook.com/docs/threads/overview: "Emojis are counted as the number of UTF-8 bytes". Whatever may be part of one.
_EMOJI_SIGN = regex.compile(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\uFE0F\u20E3\u200D\U000E0020-\U000E007F]")

_Counter = Callable[[str], int]


@dataclass(frozen=True, kw_only=True)
class Atom:
    """What is never cut: a grapheme, or a whole address, hashtag, mention or e-mail address."""

    start: int
    end: int
    cost: int
    """In the destination's unit."""
    size: int
    """In UTF-8 bytes."""
    entity: Entity | None = None


def length(text: str, limits: Limits) -> int:
    """How much of ``limits.text_max`` the text takes, after NFC."""
    text = unicodedata.normalize("NFC", text)
    weighted = limits.text_unit == "weighted"
    if limits.url_length is None and not weighted:
        return _COUNTERS[limits.text_unit](text)
    return _with_urls(text, addresses(text, bare=weighted), limits)


def fits(text: str, limits: Limits) -> bool:
    """Whether the destination takes a text of that length."""
    if limits.text_max is not None and length(text, limits) > limits.text_max:
        return False
    return limits.bytes_max is None or len(unicodedata.normalize("NFC", text).encode()) <= limits.bytes_max


def atoms(text: str, limits: Limits) -> list[Atom]:
    """The text in pieces that are never cut, each with its cost; their costs add up to ``length`` (``text`` is in NFC)."""
    found: list[Atom] = []
    waiting = deque(entities(text))
    start = end = 0
    held: list[Entity] = []
    for match in _GRAPHEME.finditer(text):
        end = max(end, match.end())
        # A grapheme and an entity that share a character make one piece.
        while waiting and waiting[0].start < end:
            held.append(waiting.popleft())
            end = max(end, held[-1].end)
        if end == match.end():
            found.append(_atom(text, start, end, held, limits))
            start, held = end, []
    return found


def units(text: str, unit: TextUnit) -> int:
    """How many of ``unit`` the text is, addresses like anything else."""
    return _COUNTERS[unit](text)


def graphemes(text: str) -> list[str]:
    """What readers see as single characters."""
    return [match[0] for match in _GRAPHEME.finditer(text)]


def _atom(text: str, start: int, end: int, held: list[Entity], limits: Limits) -> Atom:
    piece = text[start:end]
    cost = _with_urls(text, [entity for entity in held if _counts_as_link(entity, limits)], limits, start, end)
    return Atom(start=start, end=end, cost=cost, size=len(piece.encode()), entity=held[-1] if held else None)


def _counts_as_link(entity: Entity, limits: Limits) -> bool:
    if limits.text_unit == "weighted":
        return entity.kind in {"url", "address", "domain"}
    return entity.kind in {"url", "address"} and limits.url_length is not None


def _with_urls(text: str, found: Sequence[Entity], limits: Limits, start: int = 0, end: int | None = None) -> int:
    """The cost from ``start`` to ``end``, where ``found`` are the links in it."""
    count, link = _COUNTERS[limits.text_unit], limits.url_length or _X_URL
    total, position = 0, start
    for entity in found:
        # A service that does not know the top-level domain counts every character: never less than either.
        cost = max(link, count(entity.value)) if entity.kind == "address" else link
        total += count(text[position : entity.start]) + cost
        position = entity.end
    return total + count(text[position:end])


def _weight(text: str) -> int:
    """Weight without addresses: an emoji sequence is 2, light characters 1, the rest 2."""
    total, position = 0, 0
    for match in _EMOJI.finditer(text):
        total += _plain_weight(text[position : match.start()]) + 2
        position = match.end()
    return total + _plain_weight(text[position:])


def _plain_weight(text: str) -> int:
    return 2 * len(text) - len(_LIGHT.findall(text))


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _grapheme_count(text: str) -> int:
    return len(_GRAPHEME.findall(text))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _threads(text: str) -> int:
    return len(text) + sum(_bytes(sign) - 1 for sign in _EMOJI_SIGN.findall(text))


_COUNTERS: Mapping[TextUnit, _Counter] = {
    "characters": len,
    "graphemes": _grapheme_count,
    "utf16": _utf16,
    "bytes": _bytes,
    "weighted": _weight,
    "threads": _threads,
}

"""Plain text so that Rocket.Chat shows exactly it. Pure.

Its parser (https://github.com/RocketChat/Rocket.Chat/tree/develop/packages/message-parser) knows no escapes, and a pair of ``*`` around
anything in a line vanishes into bold: étudiant*e*s would lose its signs. So pairs are replaced by signs that look alike and mean nothing;
everywhere else an invisible word joiner is enough.
"""

from __future__ import annotations

from collections.abc import Callable

import regex

from syndicator.text.links import addresses, emails

JOINER = "\u2060"
ALIKE = {"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"}

_PAIRED = {
    "*": regex.compile(r"\*"),
    # Inside of words it means nothing.
    "_": regex.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"),
    "~": regex.compile(r"~"),
    "`": regex.compile(r"`"),
}
_BROKEN: tuple[tuple[regex.Pattern[str], str], ...] = (
    (regex.compile(r"\]\("), f"]{JOINER}("),
    (regex.compile(r"\|(?=\|)"), f"|{JOINER}"),
    (regex.compile(r"<(?=[A-Za-z+]|$)"), f"<{JOINER}"),
    (regex.compile(r"\\(?=[(\[])"), f"\\{JOINER}"),
    (regex.compile(r"(?<![\p{L}\p{N}._-])@(?=[\p{L}\p{N}._-])"), f"@{JOINER}"),
)
_LINE = regex.compile(r"^(?=>|#{1,4}[ \t]|[-*\u2217][ \t]|\d+\.[ \t])", regex.M)
_MENTION = _BROKEN[-1][0]


def plain(text: str) -> str:
    """``text`` with signs that mean nothing, its addresses untouched, and nobody called."""
    lines = [_outside(line, _unpaired(line)) for line in text.split("\n")]
    return str(_LINE.sub(JOINER, "\n".join(lines)))


def uncalled(text: str) -> str:
    """``text`` as it is, with nobody called."""
    return _outside(text, lambda piece: str(_MENTION.sub(f"@{JOINER}", piece)))


def _unpaired(line: str) -> Callable[[str], str]:
    """What to do to each piece of ``line``: which signs come twice in it is known of the whole line alone."""
    pieces: list[str] = []
    _outside(line, lambda piece: pieces.append(piece) or "")  # type: ignore[func-returns-value]
    twice = [sign for sign, found in _PAIRED.items() if sum(len(found.findall(piece)) for piece in pieces) > 1]

    def changed(piece: str) -> str:
        for sign in twice:
            piece = _PAIRED[sign].sub(ALIKE[sign], piece)
        for found, instead in _BROKEN:
            piece = found.sub(lambda _, instead=instead: instead, piece)
        return piece

    return changed


def _outside(text: str, change: Callable[[str], str]) -> str:
    """``change`` applied to what is neither a web address nor an e-mail address."""
    pieces, position = [], 0
    for entity in sorted([*addresses(text, bare=False), *emails(text)], key=lambda entity: entity.start):
        if entity.start < position:
            continue
        pieces += [change(text[position : entity.start]), text[entity.start : entity.end]]
        position = entity.end
    return "".join([*pieces, change(text[position:])])

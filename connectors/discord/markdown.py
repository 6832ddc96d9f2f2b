"""A text in Discord's markdown, so that people see exactly it. Pure.

https://discord.com/developers/docs/reference#message-formatting
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from syndicator.model import Span
from syndicator.text.links import addresses
from syndicator.text.markup import to_markup

_SUBTEXT = re.compile(r"^([ \t]*)-#(?=[ \t])", re.MULTILINE)
_ENDS_WELL = re.compile(r"[.,:;]?(?:\s|$)")
_IN_TARGET = {"<": "%3C", ">": "%3E", "\\": "%5C", " ": "%20", "\n": ""}


def markdown(text: str, spans: Sequence[Span] = ()) -> str:
    """``text`` with its links live and whole, ``spans`` on their words, and every other sign itself."""
    links = [(one.start, one.end, _masked(text[one.start : one.end], one.url, last=_ends_well(text, one.end))) for one in spans]
    taken = {at for start, end, _ in links for at in range(start, end)}
    alone = (one for one in addresses(text, bare=False) if taken.isdisjoint(range(one.start, one.end)))
    links += [(one.start, one.end, _bare(one.value, last=_ends_well(text, one.end))) for one in alone]
    # What is finished is kept out of the way of the rest's backslashes.
    hole = next(sign for sign in map(chr, range(0xE000, 0xF900)) if sign not in text)
    holed, position = [], 0
    for start, end, _ in sorted(links):
        holed += [text[position:start], hole]
        position = end
    marked = _SUBTEXT.sub(r"\1\\-#", to_markup("".join([*holed, text[position:]]), "markdown"))
    made = [link for _, _, link in sorted(links)]
    return "".join(piece for pair in zip_longest(marked.split(hole), made, fillvalue="") for piece in pair)


def _masked(words: str, url: str, *, last: bool) -> str:
    """Words that link to ``url``, without a card. Discord shows no link whose words are an address: then the true one is spelt out."""
    target = "".join(_IN_TARGET.get(sign, sign) for sign in url)
    inside = addresses(words, bare=False)
    if not inside:
        return f"[{to_markup(words.replace(chr(10), ' '), 'markdown')}](<{target}>)"
    if inside[0].end - inside[0].start == len(words):
        return _bare(target, last=last)
    return f"{markdown(words)} (<{target}>)"


def _bare(address: str, *, last: bool) -> str:
    return address if last else f"<{address}>"


def _ends_well(text: str, end: int) -> bool:
    """Discord takes whatever follows without a space for a part of the address, our backslashes too."""
    return _ENDS_WELL.match(text, end) is not None

"""Notes: what is posted about an item later, and how a delivery that takes one away names it. Pure."""

from __future__ import annotations

from syndicator.model import Event, Item, Purpose

NOTICES: frozenset[Purpose] = frozenset({"announce-change", "cancel"})
"""Notes that tell of an edit."""
NOTES: frozenset[Purpose] = NOTICES | {"remind"}
_FROM: dict[Purpose, int] = {"announce-change": 0, "remind": 1 << 32, "cancel": 1 << 33}
"""Where the names of each purpose's notes begin: a note is named by an edit's number or by minutes since 1970, both far below 2 ** 32."""


def removal_number(purpose: Purpose, revision: int) -> int:
    """The ``revision`` of a delivery that takes a note away: the lives of an item count from 0 up, its notes count down."""
    return -(_FROM[purpose] + revision)


def removed_by(number: int) -> tuple[Purpose, int]:
    """Purpose and ``revision`` of the note that ``removal_number`` named."""
    purpose = max((one for one in _FROM if _FROM[one] < -number), key=_FROM.__getitem__)
    return purpose, -number - _FROM[purpose]


def notice_about(item: Item) -> Purpose:
    """What a notice of its latest edit is."""
    return "cancel" if isinstance(item, Event) and item.status == "cancelled" else "announce-change"

"""Copies of an event that moved whose own sources do not know it yet. Pure.

A copy that is one with an event by title, beginning and place alone is apart from it once that moves in another source: it would stand at a
date that is known to be untrue, as if it were another event. So it stays one with it until its own source says anything new.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from syndicator.likeness import Copy, together, traits_of
from syndicator.model import Event

Group = tuple[int, ...]
Stayed = Callable[[int, int], bool]
"""(position of a copy, position of one that moved) → whether the latter is to be believed: the former's source said nothing new since."""


def followed(copies: Sequence[Copy], groups: Sequence[Group], before: Mapping[int, Event], stayed: Stayed) -> list[Group]:
    """``groups`` of ``copies``, with what was one with an event before it moved and stands still where it was.

    ``before``: position → the event as it was, of those that moved.
    """
    ghosts = {position: (event, traits_of(event)) for position, event in before.items()}
    beside = list(_beside(copies, ghosts))
    of = {position: group for group in groups for position in group}
    once = [*ghosts, *beside]
    for old in together([*ghosts.values(), *(copies[position] for position in beside)]) if beside else ():
        _take_along(copies, of, [once[place] for place in old], ghosts, stayed)
    return list({id(group): group for group in of.values()}.values())


def _beside(copies: Sequence[Copy], ghosts: Mapping[int, Copy]) -> Iterator[int]:
    """What may have been one with them."""
    likenesses = {traits.likeness for _, traits in ghosts.values()} - {None}
    names = {name for _, traits in ghosts.values() for name in traits.names}
    for position, (_, traits) in enumerate(copies) if ghosts else ():
        if position not in ghosts and (traits.likeness in likenesses or not names.isdisjoint(traits.names)):
            yield position


def _take_along(copies: Sequence[Copy], of: dict[int, Group], old: Sequence[int], moved: Collection[int], stayed: Stayed) -> None:
    """Have what was one with an event that moved be one with it again, each with all that it is one with now, or not at all."""
    gone, left = [one for one in old if one in moved], [one for one in old if one not in moved]
    if not gone:
        return
    group = of.get(gone[0], (gone[0],))
    ahead = [one for one in gone if one in group]
    for piece in [of.get(one, (one,)) for one in left]:
        sources = [copies[one][0].source for one in (*group, *piece)]
        knows = any(one not in left or not stayed(one, other) for one in piece for other in ahead)
        if not knows and len(set(sources)) == len(sources):
            group = (*group, *piece)
            of.update(dict.fromkeys(group, group))

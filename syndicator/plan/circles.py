"""Circles among accounts that are mirrored from one to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def find_loop(ways: Iterable[tuple[str | None, str | None]]) -> tuple[str, ...]:
    """A circle in what is mirrored from account to account, as the accounts on it in order; empty when there is none."""
    follows: dict[str, set[str]] = {}
    for origin, copy in ways:
        if origin and copy:
            follows.setdefault(origin.lower(), set()).add(copy.lower())
    for start in sorted(follows):
        path = _way_back(follows, start)
        if path:
            return path
    return ()


def _way_back(follows: Mapping[str, set[str]], start: str) -> tuple[str, ...]:
    reached: dict[str, tuple[str, ...]] = {start: (start,)}
    waiting = [start]
    while waiting:
        account = waiting.pop()
        for following in sorted(follows.get(account, ())):
            if following == start:
                return reached[account]
            if following not in reached:
                reached[following] = (*reached[account], following)
                waiting.append(following)
    return ()

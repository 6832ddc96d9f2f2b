"""(group, name) → connector class, through entry points: the one door between the daemon and the packages that hold connectors.

Ours and a stranger's register in the same way, in their ``pyproject.toml``::

    [project.entry-points."syndicator.destinations"]
    forum = "syndicator_forum:ForumPublisher"

A connector's module is imported when it is asked for by name, never before: an SDK costs memory only where it is configured.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import is_dataclass
from importlib.metadata import EntryPoint, distributions
from typing import Any, Literal

from syndicator.errors import SyndicatorError, Words, words

Group = Literal["sources", "destinations"]
Code = Literal["unknown", "claimed-twice", "broken"]


class RegistryError(SyndicatorError):
    """No connector can be had under that name; ``code`` says why and ``hint`` what a person can do."""

    def __init__(self, detail: str, *, code: Code, hint: Words, suggestions: Sequence[str] = ()) -> None:
        self.detail = detail
        self.code = code
        self.hint = hint
        self.suggestions = tuple(suggestions)
        super().__init__(detail)


def names(group: Group, *, path: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The connector names that installed packages offer, sorted. Nothing is imported."""
    return tuple(sorted(_claims(group, path)))


def find(group: Group, name: str, *, path: tuple[str, ...] | None = None) -> type[Any]:
    """The connector class registered under ``name``; imports its module. ``path`` replaces ``sys.path`` as the place to look.

    Raises RegistryError: nobody offers it, two packages do, or its module cannot be loaded.
    """
    claims = _claims(group, path)
    if name not in claims:
        raise _unknown(group, name, tuple(sorted(claims)))
    entries = claims[name]
    if len(entries) > 1:
        raise _claimed_twice(group, name, entries)
    return _load(group, entries[0][1])


@functools.cache
def _claims(group: Group, path: tuple[str, ...] | None) -> dict[str, tuple[tuple[str, EntryPoint], ...]]:
    """Every name with the (package, entry point) pairs that claim it; a package seen twice on the path counts once, as in imports."""
    found: dict[str, list[tuple[str, EntryPoint]]] = {}
    seen: set[str] = set()
    for distribution in distributions() if path is None else distributions(path=list(path)):
        entries = distribution.entry_points.select(group=f"syndicator.{group}")
        package = _normal(distribution.metadata["Name"] or "?") if entries else ""
        if package in seen:
            continue
        for entry in entries:
            seen.add(package)
            found.setdefault(entry.name, []).append((package, entry))
    return {name: tuple(entries) for name, entries in found.items()}


def _normal(package: str) -> str:
    """PEP 503."""
    return package.lower().replace("_", "-").replace(".", "-")


def _load(group: Group, entry: EntryPoint) -> type[Any]:
    try:
        found = entry.load()
    except Exception as error:  # a stranger's module may raise anything
        raise _broken(group, entry, f"{type(error).__name__}: {error}") from error
    if not isinstance(found, type) or not is_dataclass(getattr(found, "Options", None)):
        raise _broken(group, entry, "not a class with an Options dataclass")
    return found


def _unknown(group: Group, name: str, known: tuple[str, ...]) -> RegistryError:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=3)
    listed = ", ".join(known) or "—"
    fr, en = f"Types connus : {listed}.", f"Known types: {listed}."
    if close:
        fr, en = f"Vouliez-vous dire « {close[0]} » ? {fr}", f'Did you mean "{close[0]}"? {en}'
    return RegistryError(f"no connector is named {name} in {group}", code="unknown", suggestions=close, hint=words(fr=fr, en=en))


def _claimed_twice(group: Group, name: str, entries: Sequence[tuple[str, EntryPoint]]) -> RegistryError:
    packages = sorted(package for package, _ in entries)
    listed = ", ".join(packages)
    return RegistryError(
        f"{group}.{name} is claimed by {listed}",
        code="claimed-twice",
        suggestions=packages,
        hint=words(
            fr=f"Plusieurs paquets installés fournissent « {name} » : {listed}. Désinstallez-en un.",
            en=f'Several installed packages offer "{name}": {listed}. Uninstall one of them.',
        ),
    )


def _broken(group: Group, entry: EntryPoint, why: str) -> RegistryError:
    return RegistryError(
        f"{group}.{entry.name} ({entry.value}) cannot be loaded: {why}",
        code="broken",
        hint=words(
            fr=f"Le connecteur « {entry.name} » ne se charge pas ({why}). Réinstallez le paquet qui le fournit.",
            en=f'The connector "{entry.name}" cannot be loaded ({why}). Reinstall the package that offers it.',
        ),
    )

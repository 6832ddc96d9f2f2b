"""What every part of the website is made from, and what a part makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.website.options import Options
from connectors.website.page import Pages, Site
from connectors.website.pictures import Picture
from connectors.website.selection import Selection
from connectors.website.standing import Standing
from syndicator.contract import Association, View


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One projection, under way."""

    view: View
    selection: Selection
    site: Site
    association: Association
    options: Options
    name: str
    """The destination's, in the configuration."""
    pictures: Mapping[str, Picture]
    """Origin URL → our copy."""
    pages: Pages
    leaves: Mapping[str, str] = field(default_factory=dict)
    """uid of an event → its page, as a path below our folder; for those that have one."""
    changed: frozenset[str] | None = None
    """uids whose own files must be made anew; None for all of them."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """uid → another word whenever anything of the item, its picture or its past differs."""
    standing: Standing = field(default_factory=Standing)


@dataclass(frozen=True, kw_only=True)
class Made:
    """Files of one part, as paths below our folder."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    pages: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    """More files, each made when it is written: thousands of them need not be in memory at once."""
    keep: frozenset[str] = frozenset()
    """Files of an earlier projection that are still right, and need not be made again."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Path → what that file, made or kept, was made from: found again in ``Scene.standing.keys``, as long as the file is there."""
    reread: frozenset[str] = frozenset()
    """Files that the next projection wants to read as they were left: ``Scene.standing.read``."""


Part = Callable[[Scene], Made]
"""Pure: what stands afterwards equals a full rebuild, byte for byte."""

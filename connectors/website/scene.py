"""What every part of the website is made from, and what a part makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.website.options import Options
from connectors.website.page import Pages, Site
from connectors.website.pictures import Picture
from connectors.website.selection import Selection
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
    changed: frozenset[str] | None = None
    """uids whose own files must be made anew; None for all of them."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """Files of one part, as paths below our folder."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()
    """Files of an earlier projection that are still right, and need not be made again."""


Part = Callable[[Scene], Made]
"""Pure: what stands afterwards equals a full rebuild, byte for byte."""

"""The part that makes pages which last: one an event, one a tag, source and year, and the map of them all."""

from __future__ import annotations

from connectors.website.leaves import leaves
from connectors.website.scene import Made, Scene
from connectors.website.sitemap import sitemap
from connectors.website.topics import collect, topics


def pages(scene: Scene) -> Made:
    """Nothing where the option ``pages`` is off."""
    if not scene.options.pages:
        return Made()
    found = collect(scene)
    events, lists = leaves(scene), topics(scene, found)
    keys = {**events.keys, **lists.keys}
    return Made(
        files=sitemap(scene, keys).files,
        pages={**events.pages, **lists.pages},
        keep=events.keep | lists.keep,
        keys=keys,
    )

"""``sitemap.xml``: every page of ours, for search engines (https://www.sitemaps.org/protocol.html). Only where our address is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape

from connectors.website.scene import Made, Scene

URLS_MAX = 50_000
"""In one file; with more, ``sitemap.xml`` lists files."""
_OPEN = '<?xml version="1.0" encoding="UTF-8"?>\n<!-- syndicator -->\n'
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def sitemap(scene: Scene, paths: Iterable[str]) -> Made:
    """One file, or an index and its parts; ``paths`` are the pages below our folder."""
    base = scene.site.page_url
    if base is None:
        return Made()
    start, events = escape(base), _events(scene)
    urls = [f"<url><loc>{start}{path}</loc>{events.get(path, '')}</url>" for path in ("", *sorted(paths))]
    if len(urls) <= URLS_MAX:
        return Made(files={"sitemap.xml": _document("urlset", urls)})
    parts = {
        f"sitemap-{number}.xml": _document("urlset", urls[at : at + URLS_MAX])
        for number, at in enumerate(range(0, len(urls), URLS_MAX), start=1)
    }
    index = _document("sitemapindex", [f"<sitemap><loc>{start}{name}</loc></sitemap>" for name in parts])
    return Made(files={"sitemap.xml": index, **parts})


def _events(scene: Scene) -> Mapping[str, str]:
    """Path → what is said of the page of an event, anew for those that differ."""
    kept: dict[str, str] = scene.memo.kept("sitemap of events", dict)
    for uid in scene.differing:
        if uid in scene.places:
            kept[scene.leaves[uid]] = _lastmod(scene.view.changed_at.get(uid))
    return kept


def _lastmod(at: datetime | None) -> str:
    return "" if at is None else f"<lastmod>{at.astimezone(UTC).isoformat(timespec='seconds')}</lastmod>"


def _document(element: str, lines: Iterable[str]) -> bytes:
    body = "\n".join(lines)
    return f"{_OPEN}<{element} {_NAMESPACE}>\n{body}\n</{element}>\n".encode()

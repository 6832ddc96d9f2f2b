"""The projection: a view of items → the files of a small website."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.website import atom, clean, jsonfeed, records
from connectors.website.cards import event_card, post_card
from connectors.website.entries import entry_of
from connectors.website.labels import labels_for
from connectors.website.options import FILES
from connectors.website.options import Options as WebsiteOptions
from connectors.website.page import Cards, Pages, Site, icon, stylesheet
from connectors.website.pictures import Album, Picture, gather, stills
from connectors.website.selection import Selection, select
from syndicator.contract import Context, View
from syndicator.folder import Folder
from syndicator.model import Item

MARK = b"syndicator"
"""Every text we write contains it (``generator``, a comment)."""


class WebsiteProjection:
    """Writes the page, the fragment, the data and the feeds of one association."""

    Options: ClassVar[type[WebsiteOptions]] = WebsiteOptions

    def __init__(self, options: WebsiteOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._folder = Folder(context.public_dir / options.folder, context.state_dir / "files.json", MARK)
        self._album = Album(context.state_dir / "pictures.json")
        self._pages = Pages()
        self._site = _site(options, context)

    async def open(self) -> None:
        """Make sure that what stands in the folder is ours or nobody's. Raises Rejected when it is somebody else's."""
        await asyncio.to_thread(self._folder.check, FILES)

    async def close(self) -> None:
        """Nothing is held."""

    async def project(self, view: View) -> None:
        """Write what differs. A picture that cannot be had now is left out, and asked for again at the next projection."""
        selection = select(view, self._context.now(), self._context.association.timezone, self._options)
        await asyncio.to_thread(self._folder.check, FILES)
        pictures = await self._pictures(selection)
        await asyncio.to_thread(self._write, selection, view, pictures)

    async def _pictures(self, selection: Selection) -> Mapping[str, Picture]:
        if not self._options.images:
            return {}
        most = self._options.events_max
        shown: tuple[Item, ...] = (*selection.upcoming[:most], *selection.ongoing[:most], *selection.posts, *selection.videos)
        wanted = [still for item in shown for still in stills(item)]
        return await gather(self._context.http, wanted, self._folder, self._album, self._context.state_dir / "media")

    def _write(self, selection: Selection, view: View, pictures: Mapping[str, Picture]) -> None:
        self._folder.publish(self._files(selection, view, pictures), keep={picture.file for picture in pictures.values()})
        self._album.keep(pictures)

    def _files(self, selection: Selection, view: View, pictures: Mapping[str, Picture]) -> dict[str, bytes]:
        site, association, most = self._site, self._context.association, self._options.events_max
        cards: Cards = {
            "upcoming": [event_card(event, association, site.labels, pictures) for event in selection.upcoming[:most]],
            "ongoing": [event_card(event, association, site.labels, pictures) for event in selection.ongoing[:most]],
            "past": [event_card(event, association, site.labels, pictures) for event in selection.past[:most]],
            "posts": [post_card(post, view, association, site.labels, pictures) for post in selection.posts],
            "videos": [post_card(post, view, association, site.labels, pictures) for post in selection.videos],
        }
        entries = [entry_of(item, view, site, association, pictures) for item in selection.feed]
        return {
            "index.html": self._pages.index(site, cards),
            "events.html": self._pages.fragment(site, cards),
            "events.json": _json(records.document(selection, view, site, association, pictures)),
            "feed.atom": atom.feed(entries, site, f"{association.url or association.name}#{self._context.name}"),
            "feed.json": _json(jsonfeed.feed(entries, site)),
            "style.css": stylesheet(self._options.accent),
            "icon.svg": icon(association.name, self._options.accent),
        }


def _site(options: WebsiteOptions, context: Context) -> Site:
    association = context.association
    folder = f"{options.folder}/" if options.folder else ""
    page_url = context.public_url + folder if context.public_url else None
    calendar = options.calendar
    absolute = clean.link(calendar, page_url or "") if calendar else None
    return Site(
        title=clean.printed(options.title or association.name),
        description=clean.printed(options.description),
        association=clean.plain(association.name),
        labels=labels_for(association.language),
        home_url=clean.link(association.url),
        page_url=page_url,
        calendar=calendar,
        subscribe_url=f"webcal://{absolute.partition('://')[2]}" if absolute else None,
    )


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"

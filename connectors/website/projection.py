"""The projection: a view of items → the files of a small website."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import ClassVar

from connectors.website import clean
from connectors.website.front import front
from connectors.website.labels import labels_for
from connectors.website.options import FILES
from connectors.website.options import Options as WebsiteOptions
from connectors.website.page import Pages, Site
from connectors.website.pictures import Album, Picture, gather, logo, stills
from connectors.website.presence import presence
from connectors.website.scene import Part, Scene
from connectors.website.selection import Selection, select
from syndicator.contract import Context, View
from syndicator.folder import Folder
from syndicator.model import Item

MARK = b"syndicator"
"""Every text we write contains it (``generator``, a comment)."""
PARTS: Sequence[Part] = (front, presence)
"""A part more of the website is a function more here."""


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
        scene = Scene(
            view=view,
            selection=selection,
            site=self._site,
            association=self._context.association,
            options=self._options,
            name=self._context.name,
            pictures=await self._pictures(selection),
            pages=self._pages,
        )
        await asyncio.to_thread(self._write, scene)

    async def _pictures(self, selection: Selection) -> Mapping[str, Picture]:
        if not self._options.images:
            return {}
        most = self._options.events_max
        shown: tuple[Item, ...] = (*selection.upcoming[:most], *selection.ongoing[:most], *selection.posts, *selection.videos)
        wanted = [still for item in shown for still in stills(item)]
        if self._options.presence and (own := await asyncio.to_thread(logo, self._context.association)):
            wanted.append(own)
        return await gather(self._context.http, wanted, self._folder, self._album, self._context.state_dir / "media")

    def _write(self, scene: Scene) -> None:
        made = [part(scene) for part in PARTS]
        files = {path: data for one in made for path, data in one.files.items()}
        kept = {file for picture in scene.pictures.values() for file in picture.files}.union(*(one.keep for one in made))
        self._folder.publish(files, keep=kept)
        self._album.keep(scene.pictures)


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

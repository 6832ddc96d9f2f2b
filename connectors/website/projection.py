"""The projection: a view of items → the files of a small website."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from connectors.website import clean
from connectors.website.addresses import FOLDER as EVENTS
from connectors.website.addresses import Addresses
from connectors.website.front import front
from connectors.website.geojson import geojson
from connectors.website.labels import labels_for
from connectors.website.options import FILES
from connectors.website.options import Options as WebsiteOptions
from connectors.website.page import Pages, Site
from connectors.website.pages import pages
from connectors.website.pictures import Album, Picture, gather, logo, stills
from connectors.website.presence import presence
from connectors.website.scene import Made, Memo, Part, Scene
from connectors.website.selection import Selection, again, select
from connectors.website.standing import Last, Look, Stamps, changes, differing, look, stamp, with_pictures
from connectors.website.widget import widget
from syndicator.contract import Context, View
from syndicator.folder import Folder
from syndicator.model import Item

MARK = b"syndicator"
"""Every text we write contains it (``generator``, a comment)."""
IDLE_S = 900.0
"""What no projection has asked for so long is let go."""
FOLDERS = (EVENTS, "tags", "sources", "archive")
PARTS: Sequence[Part] = (front, presence, pages, widget, geojson)
"""A part more of the website is a function more here."""


class WebsiteProjection:
    """Writes the page, the fragment, the data and the feeds of one association."""

    Options: ClassVar[type[WebsiteOptions]] = WebsiteOptions

    def __init__(self, options: WebsiteOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._folder = Folder(context.public_dir / options.folder, context.state_dir / "files.json", MARK)
        self._album = Album(context.state_dir / "pictures.json")
        self._addresses = Addresses(context.state_dir / "addresses.txt", context.public_dir / options.folder / EVENTS, MARK)
        self._stamps = Stamps(context.state_dir, context.public_dir / options.folder)
        self._pages = Pages()
        self._memo = Memo()
        self._idle: asyncio.TimerHandle | None = None
        self._site = _site(options, context)

    async def open(self) -> None:
        """Make sure that what stands in the folder is ours or nobody's. Raises Rejected when it is somebody else's."""
        await asyncio.to_thread(self._folder.check, FILES)

    async def close(self) -> None:
        """Let go of what is remembered."""
        self.rest()

    def rest(self) -> None:
        """Forget what only makes the next projection cheaper, and the view that it was made from."""
        if self._idle is not None:
            self._idle.cancel()
        self._memo, self._idle = Memo(), None

    async def project(self, view: View) -> None:
        """Write what differs. A picture that cannot be had now is left out, and asked for again later (``pictures``)."""
        await asyncio.to_thread(self._folder.check, FILES)
        marked, selection = await asyncio.to_thread(self._look, view)
        pictures = await self._pictures(selection, marked)
        await asyncio.to_thread(self._write, view, selection, marked, pictures)
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.rest)

    def _look(self, view: View) -> tuple[Look, Selection]:
        """What stands, and what differs from when it was made."""
        now = stamp(self._options, self._context.association, self._context.public_url, view.sources)
        if self._memo.stamp != now:
            self._memo = Memo(now)
        last, clock, timezone = self._memo.last, self._context.now(), self._context.association.timezone
        found = look(view, self._stamps.load(now, self._folder.lost(FOLDERS)), now, last)
        if last is None:
            return found, select(view, clock, timezone, self._options)
        went, came = ([items[uid] for uid in found.differing if uid in items] for items in (last.items, found.items))
        return found, again(last.selection, went, came, view, clock, timezone, self._options)

    async def _pictures(self, selection: Selection, found: Look) -> Mapping[str, Picture]:
        """Of what is shown. Those on pages that stand are not looked at again, only those that are still missing."""
        if not self._options.images:
            return {}
        most = self._options.events_max
        shown: tuple[Item, ...] = (*selection.upcoming[:most], *selection.ongoing[:most], *selection.posts, *selection.videos)
        wanted = {still.url: still for item in shown for still in stills(item)}
        if self._options.presence and (own := await asyncio.to_thread(logo, self._context.association)):
            wanted[own.url] = own
        known = await asyncio.to_thread(self._album.read)
        relied: dict[str, Picture] = {}
        for event in (*selection.to_come_by_start, *reversed(selection.paged)):
            for still in stills(event):
                if event.uid not in found.suspect and still.url in known and still.url not in wanted:
                    relied[still.url] = known[still.url]
                else:
                    wanted.setdefault(still.url, still)
        asked = [still for url, still in wanted.items() if url not in relied]
        return relied | dict(await gather(self._context.http, asked, self._folder, self._album, self._context.state_dir / "media"))

    def _write(self, view: View, selection: Selection, found: Look, pictures: Mapping[str, Picture]) -> None:
        memo = self._memo
        # Taken back only when all went well: half a step would be none.
        self._memo = Memo()
        last, items = memo.last, found.items
        differ = differing(found, selection, pictures, last)
        came = [items[uid] for uid in differ if uid in items]
        kept = {uid: mark for uid, mark in last.marks.items() if uid in items} if last else {}
        marks = kept | with_pictures(came, found.marks, pictures)
        paged = selection.paged
        leaves = self._addresses.of(paged)
        scene = Scene(
            view=view,
            selection=selection,
            site=self._site,
            association=self._context.association,
            options=self._options,
            name=self._context.name,
            pictures=pictures,
            pages=self._pages,
            leaves=leaves,
            changed=changes(view, marks, found.standing, differ, last),
            marks=marks,
            standing=found.standing,
            memo=memo,
            went=[last.items[uid] for uid in differ if uid in last.items] if last else (),
            came=came,
            differing=differ,
            places={event.uid: place for place, event in enumerate(paged)},
        )
        made = [part(scene) for part in PARTS]
        files = Files(made)
        self._stamps.begin(name for name in files if name in found.standing.keys)
        self._folder.publish(
            files, keep={file for picture in pictures.values() for file in picture.files}.union(*(one.keep for one in made))
        )
        self._album.keep(pictures)
        keys = {path: key for one in made for path, key in one.keys.items()}
        self._stamps.finish(found.stamp, keys, marks)
        memo.last = Last(
            view=view,
            items=items,
            plain=found.marks,
            marks=marks,
            pictures=pictures,
            selection=selection,
            leaves=leaves,
            places=scene.places,
        )
        self._memo = memo


class Files(Mapping[str, bytes]):
    """What all parts made, one file at a time."""

    def __init__(self, made: Sequence[Made]) -> None:
        self._files = {path: data for one in made for path, data in one.files.items()}
        self._pages = {path: make for one in made for path, make in one.pages.items()}

    def __getitem__(self, path: str) -> bytes:
        return self._files[path] if path in self._files else self._pages[path]()

    def __iter__(self) -> Iterator[str]:
        yield from self._files
        yield from self._pages

    def __len__(self) -> int:
        return len(self._files) + len(self._pages)


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

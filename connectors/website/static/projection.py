"""The projection: a view of items → data and pages in the sources of a site, a commit of them, and a build."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from connectors.website import clean
from connectors.website.labels import labels_for
from connectors.website.options import Options as Shown
from connectors.website.page import Site
from connectors.website.pictures import Album, Picture, gather, stills
from connectors.website.selection import Selection, select
from connectors.website.static.data import MARK, Scene, document, page
from connectors.website.static.generators import GENERATORS
from connectors.website.static.git import Repository
from connectors.website.static.hook import rebuild
from connectors.website.static.made import Made
from connectors.website.static.names import names
from connectors.website.static.options import Options as StaticOptions
from syndicator.contract import Context, View
from syndicator.errors import ConnectorError, Rejected, Words, words
from syndicator.folder import Folder
from syndicator.model import Event, Item

FORM = 1
"""Raised when pages are written otherwise: then all of them are made anew."""


class StaticProjection:
    """Keeps one association's data and pages in the sources of one site."""

    Options: ClassVar[type[StaticOptions]] = StaticOptions

    def __init__(self, options: StaticOptions, context: Context) -> None:
        self.remark: Words | None = None
        """Once open: what a person should look at."""
        self._options = options
        self._context = context
        mark = f'"{MARK}"'.encode()
        self._folder = Folder(options.site, context.state_dir / "files.json", mark)
        self._media = Folder(options.site / options.directory("media"), context.state_dir / "media.json", mark)
        self._album = Album(context.state_dir / "pictures.json")
        self._record = context.state_dir / "made.json"
        self._told: dict[str, str] = {}
        """uid → its record in the data, as long as nothing that it says changed."""
        self._told_with: dict[str, str | None] = {}
        """uid → the picture that it shows there."""
        self._told_for = ""
        self._repository = Repository(site=options.site, author=options.author)

    async def open(self) -> None:
        """Make sure that there is a site, that what we would write is ours or nobody's, and that git could take it."""
        await asyncio.to_thread(self._check)
        if self._options.git != "no":
            await self._repository.check(push=self._options.git == "push")

    async def close(self) -> None:
        """Nothing is held."""

    async def project(self, view: View) -> None:
        """Write what differs, commit it, build. What git or the build refuse is tried again; the files are right in any case."""
        await asyncio.to_thread(self._check)
        selection = select(view, self._context.now(), self._context.association.timezone, _shown(self._options))
        pictures = await self._pictures(view, selection)
        form = _form(view, self._options, self._context)
        scene = Scene(
            view=view,
            selection=selection,
            site=_site(self._options, self._context),
            association=self._context.association,
            options=self._options,
            pictures=pictures,
            names=await asyncio.to_thread(self._names, view),
            told=self._standing(view, form, pictures),
            public_url=self._context.public_url,
        )
        made = await asyncio.to_thread(self._write, scene, form)
        await self._tell(made)

    def _check(self) -> None:
        site, generator = self._options.site, GENERATORS[self._options.generator]
        if not site.is_dir():
            raise Rejected(
                f"{site}: not a folder",
                hint=words(
                    fr=f"Le dossier {site} n'existe pas, ou n'est pas accessible au syndicator : vérifiez site, et les droits.",
                    en=f"The folder {site} does not exist, or the syndicator may not enter it: check site, and the permissions.",
                ),
            )
        self._folder.check((self._options.data_file,))
        known = not generator.settings or any((site / name).exists() for name in generator.settings)
        self.remark = None if known else _no_site(site, generator.name, generator.settings[0])

    async def _pictures(self, view: View, selection: Selection) -> Mapping[str, Picture]:
        if not self._options.images:
            return {}
        shown: tuple[Item, ...] = (*selection.upcoming, *selection.ongoing, *selection.past, *selection.posts, *selection.videos)
        wanted = [still for item in shown for still in stills(item)]
        # The page of what is over keeps the picture that it has, and asks for none.
        known = await asyncio.to_thread(self._album.read)
        wanted += [still for item in view.items if isinstance(item, Event) for still in stills(item) if still.url in known]
        return await gather(self._context.http, wanted, self._media, self._album, self._context.state_dir / "media")

    def _standing(self, view: View, form: str, pictures: Mapping[str, Picture]) -> dict[str, str]:
        """Records made for an earlier view that are still right."""
        if self._told_for != form:
            return {}
        shown = {item.uid: _picture(item, pictures) for item in view.items if isinstance(item, Event) and item.uid not in view.changed}
        return {uid: text for uid, text in self._told.items() if uid in shown and self._told_with.get(uid) == shown[uid]}

    def _write(self, scene: Scene, form: str) -> Made:
        before = Made.read(self._record)
        pages = self._pages(scene)
        there = self._folder.listed(self._options.directory("events"))
        files = {self._options.data_file: document(scene)}
        for name, event in pages.items():
            as_it_was = before.form == form and event.uid not in scene.view.changed and name in there
            if not as_it_was or before.pages.get(name) != _picture(event, scene.pictures):
                files[name] = page(event, scene)
        media = self._options.directory("media")
        pictures = {file for picture in scene.pictures.values() for file in picture.files}
        after = Made(
            form=form,
            pages={name: _picture(event, scene.pictures) for name, event in sorted(pages.items())},
            pictures=tuple(sorted(f"{media}/{file}" for file in pictures)),
        )
        gone = before.names - after.names
        differs = bool(gone or after.names - before.names) or any(not _is(self._options.site / name, data) for name, data in files.items())
        removed = tuple(sorted({*before.removed, *gone} - after.names)) if self._options.git != "no" else ()
        due = bool(self._options.hook) and (before.due or differs or before.form != form)
        if (removed, due) != (before.removed, before.due):  # a build that is due is not forgotten in a power cut
            replace(before, removed=removed, due=due).keep(self._record)
        self._folder.publish(files, keep=pages)
        if pictures or before.pictures:
            self._media.publish({}, keep=pictures)
        self._album.keep(scene.pictures)
        made = replace(after, removed=removed, due=due)
        made.keep(self._record)
        self._remember(scene, form)
        return made

    def _remember(self, scene: Scene, form: str) -> None:
        selection = scene.selection
        listed = {event.uid: event for event in (*selection.upcoming, *selection.ongoing, *selection.past)}
        self._told_for = form
        self._told = {uid: text for uid, text in scene.told.items() if uid in listed}
        self._told_with = {uid: _picture(listed[uid], scene.pictures) for uid in self._told}

    def _names(self, view: View) -> Mapping[str, str]:
        return names(self._options.site / self._options.directory("events"), (item for item in view.items if isinstance(item, Event)))

    def _pages(self, scene: Scene) -> dict[str, Event]:
        if not self._options.pages:
            return {}
        folder = self._options.directory("events")
        events = (item for item in scene.view.items if isinstance(item, Event))
        return {f"{folder}/{scene.names[event.uid]}.md".lstrip("/"): event for event in events}

    async def _tell(self, made: Made) -> None:
        """Git and the build, each whatever becomes of the other; then the first trouble."""
        troubles: list[ConnectorError] = []
        if self._options.git != "no":
            try:
                made = await self._commit(made)
            except ConnectorError as error:
                troubles.append(error)
        if made.due:
            try:
                await rebuild(self._options)
                await asyncio.to_thread(replace(made, due=False).keep, self._record)
            except ConnectorError as error:
                troubles.append(error)
        if troubles:
            raise troubles[0]

    async def _commit(self, made: Made) -> Made:
        options = self._options
        ours = {options.data_file, *made.names, *made.removed}
        within = [path for path in (options.data_file, options.directory("media"), options.directory("events")) if path]
        french = labels_for(self._context.association.language).language == "fr"
        await self._repository.commit(ours, within, "Agenda mis à jour" if french else "Events updated")
        made = replace(made, removed=())
        await asyncio.to_thread(made.keep, self._record)
        if options.git == "push":
            await self._repository.push()
        return made


def _shown(options: StaticOptions) -> Shown:
    return Shown(past=options.past, posts_max=options.posts_max, videos_max=options.videos_max, feed_max=0)


def _site(options: StaticOptions, context: Context) -> Site:
    association = context.association
    calendar = clean.link(options.calendar) if options.calendar else None
    return Site(
        title=clean.plain(association.name),
        description="",
        association=clean.plain(association.name),
        labels=labels_for(association.language),
        home_url=clean.link(association.url),
        page_url=None,
        calendar=calendar,
        subscribe_url=f"webcal://{calendar.partition('://')[2]}" if calendar else None,
    )


def _picture(event: Event, pictures: Mapping[str, Picture]) -> str | None:
    return next((pictures[still.url].file for still in stills(event) if still.url in pictures), None)


def _form(view: View, options: StaticOptions, context: Context) -> str:
    decided = (FORM, options, context.association, sorted(view.sources.items()))
    return hashlib.sha256(repr(decided).encode("utf-8", "replace")).hexdigest()


def _is(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _no_site(site: Path, generator: str, setting: str) -> Words:
    return words(
        fr=f"{site} ne ressemble pas à un site {generator} (pas de {setting}) : vérifiez site. Les fichiers y sont écrits quand même.",
        en=f"{site} does not look like a {generator} site (no {setting}): check site. The files are written there all the same.",
    )

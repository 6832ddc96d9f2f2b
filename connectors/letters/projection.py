"""The projection: issues of newsletters → their archive."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

from connectors.letters.feeds import atom, rss
from connectors.letters.pages import Pages, Site, stylesheet
from connectors.letters.record import Copy, Kept, from_json, kept_from_post, to_json, web_address
from syndicator.contract import Context, MediaLimits, View
from syndicator.errors import ConnectorError
from syndicator.folder import Folder, write
from syndicator.media import fetch
from syndicator.model import Attachment, Issue, Post
from syndicator.text.naming import slug

FOLDER = "lettres"
"""Where the core's own links to issues lead."""
PICTURES = "pictures"
MARK = b"syndicator"
"""Every text we write contains it."""
FEED_MAX = 20
LIMITS = MediaLimits(
    images_max=1,
    image_types=("image/jpeg", "image/png", "image/webp"),
    image_max_bytes=200_000,
    image_max_width=1200,
    image_max_pixels=1_200_000,
)
"""Twice the width at which a page shows it, for sharp screens."""
AT_ONCE = 4
PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class LettersOptions:
    """Every one may be left out."""

    title: str = ""
    """The title of the page of all issues and of the feed; by default that of the newsletter."""
    images: bool = True
    """Whether pages show copies of the pictures; without, only texts and links."""

    @property
    def files(self) -> tuple[str, ...]:
        """What nobody else may write."""
        return tuple(f"{FOLDER}/{name}" for name in ("index.html", "feed.atom", "feed.rss", "style.css"))


class LettersProjection:
    """Writes the pages and the feeds of all issues that it was ever given; see the package's docstring."""

    Options: ClassVar[type[LettersOptions]] = LettersOptions

    def __init__(self, options: LettersOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._folder = Folder(context.public_dir / FOLDER, context.state_dir / "files.json", MARK)
        self._issues = context.state_dir / "issues"
        self._pages = Pages()

    async def open(self) -> None:
        """Make sure that what stands in the folder is ours or nobody's. Raises Rejected when it is somebody else's."""
        await asyncio.to_thread(self._folder.check, ("index.html", "feed.atom", "feed.rss", "style.css"))

    async def close(self) -> None:
        """Nothing is held."""

    async def project(self, view: View) -> None:
        """Write what differs. What fell out of the view stays; a picture that cannot be had now is asked for again next time."""
        shown = [(item, item.issue) for item in view.items if isinstance(item, Post) and item.issue is not None and not item.draft]
        known = await asyncio.to_thread(self._read)
        pictures = await self._pictures([issue for _, issue in shown], known.values())
        now = {post.uid: kept_from_post(post, issue, view.changed_at.get(post.uid), _of(issue, pictures)) for post, issue in shown}
        await asyncio.to_thread(self._write, known, now)

    def _read(self) -> dict[str, Kept]:
        """Every issue ever shown; a damaged file is left alone, and so is its page."""
        found: dict[str, Kept] = {}
        for path in sorted(self._issues.glob("*.json")):
            try:
                kept = from_json(path.read_bytes())
            except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
                self._context.log.warning("%s cannot be read, its page stays as it is: %s", path, error)
                continue
            found[kept.uid] = kept
        return found

    async def _pictures(self, issues: Iterable[Issue], known: Iterable[Kept]) -> Mapping[str, Copy]:
        """By the address at the origin: those that an issue had before, and those that can be had now."""
        if not self._options.images:
            return {}
        entries = (entry for issue in issues for section in issue.sections for entry in section.entries)
        wanted = {entry.image.url: entry.image for entry in entries if entry.image is not None}
        found = {url: copy for kept in known for url, copy in kept.pictures.items() if url in wanted and self._folder.holds(copy.file)}
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(image: Attachment) -> None:
            async with gate:
                try:
                    file = await fetch(self._context.http, image, LIMITS, cache_dir=self._context.state_dir / "media")
                except ConnectorError as error:
                    self._context.log.log(logging.INFO, "picture left out: %s", error)
                    return
                copy = Copy(file=f"{PICTURES}/{file.name}", width=file.width, height=file.height)
                await asyncio.to_thread(self._folder.add, copy.file, file.data)
                found[image.url] = copy

        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
                for url, image in wanted.items():
                    if url not in found:
                        tasks.create_task(one(image))
        return found

    def _write(self, known: Mapping[str, Kept], now: Mapping[str, Kept]) -> None:
        for kept in now.values():
            if known.get(kept.uid) != kept:
                write(self._issues / f"{kept.name}.json", to_json(kept))
        archive = sorted({**known, **now}.values(), key=lambda kept: kept.order, reverse=True)
        if not self._options.images:
            archive = [replace(kept, pictures={}) for kept in archive]
        damaged = {f"{path.stem}.html" for path in self._issues.glob("*.json")}
        self._folder.publish(self._files(archive), keep={copy.file for kept in archive for copy in kept.pictures.values()} | damaged)

    def _files(self, archive: Sequence[Kept]) -> dict[str, bytes]:
        site = self._site(archive)
        files = {f"{kept.name}.html": self._pages.issue(site, kept) for kept in archive}
        files |= {"index.html": self._pages.index(site, archive), "style.css": stylesheet(self._context.association.colour)}
        files |= self._feeds(site, "feed", archive[:FEED_MAX])
        for newsletter in sorted({kept.issue.newsletter for kept in archive}):
            own = [kept for kept in archive if kept.issue.newsletter == newsletter]
            named = replace(site, title=own[0].issue.title or site.title)
            files |= self._feeds(named, f"feed-{slug(newsletter)}", own[:FEED_MAX])
            latest = f"latest-{slug(newsletter)}"
            files[f"{latest}.rss"] = rss(named, f"{latest}.rss", self._with_bodies(named, own[:1]))
        return files

    def _feeds(self, site: Site, name: str, archive: Sequence[Kept]) -> dict[str, bytes]:
        whole = self._with_bodies(site, archive)
        feed_id = f"{self._context.name}/{name}"
        return {f"{name}.atom": atom(site, f"{name}.atom", feed_id, whole), f"{name}.rss": rss(site, f"{name}.rss", whole)}

    def _with_bodies(self, site: Site, archive: Sequence[Kept]) -> list[tuple[Kept, str]]:
        return [(kept, self._pages.body(site, kept)) for kept in archive]

    def _site(self, archive: Sequence[Kept]) -> Site:
        association, titles = self._context.association, {kept.issue.title for kept in archive}
        return Site(
            title=self._options.title or (titles.pop() if len(titles) == 1 else "") or association.name,
            association=association,
            home_url=web_address(association.url),
            address=f"{self._context.public_url}{FOLDER}/" if self._context.public_url else "",
        )


def _of(issue: Issue, pictures: Mapping[str, Copy]) -> dict[str, Copy]:
    shown = (entry.image.url for section in issue.sections for entry in section.entries if entry.image is not None)
    return {url: pictures[url] for url in shown if url in pictures}

"""The media of a post as parts of a container: offered where the service can fetch them, one alone or several in a carousel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from connectors.meta.containers import Containers
from connectors.meta.graph import Unfetched
from connectors.meta.hosting import UNFETCHED_HINT, Hosting, Unseen
from syndicator import media
from syndicator.contract import Context, MediaLimits
from syndicator.errors import Gone, NotReady, Rejected, Unprepared
from syndicator.model import Attachment, Rendition

UNFETCHED_FOR = timedelta(hours=6)
"""Meta's crawler has bad hours; what it cannot have for longer, a person should know of."""
MADE_MAX = 500
VIDEO_TYPES = frozenset({"video", "gifv"})


@dataclass(frozen=True, kw_only=True)
class Part:
    """A medium that the service can fetch."""

    url: str
    """Where from."""
    alt: str
    video: str | None = None
    """For a video: its address at the origin."""


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """How one network is told of media."""

    one: Callable[[Part], Mapping[str, Any]]
    carousel: Callable[[Sequence[str]], Mapping[str, Any]]


class Parts:
    """The media of one account's posts."""

    def __init__(self, context: Context, hosting: Hosting, containers: Containers, shapes: Shapes) -> None:
        self._context = context
        self._hosting = hosting
        self._containers = containers
        self._shapes = shapes
        self._made: dict[tuple[str, str], str] = {}
        """(delivery's key, address of the medium) → the part of a carousel that was made of it: a second attempt makes no other."""
        self._unfetched_since: dict[str, datetime] = {}

    async def gather(self, attachment: Attachment, limits: MediaLimits) -> None:
        """Fetch one attachment to where ``offered`` looks first."""
        fetch = media.fetch_file if attachment.type in VIDEO_TYPES else media.fetch
        await fetch(self._context.http, attachment, limits, cache_dir=self._context.state_dir / "media")

    async def offered(self, rendition: Rendition, limits: MediaLimits) -> list[Part]:
        """Every attachment that will do, once, at an address of ours; of a video that will not, its still picture."""
        await self._hosting.tidy()
        found: list[Part] = []
        for attachment in rendition.attachments[: max(limits.images_max, limits.videos_max)]:
            part = await self._offer(attachment, limits)
            if part is not None and part.url not in [other.url for other in found]:
                found.append(part)
        return found

    async def _offer(self, attachment: Attachment, limits: MediaLimits) -> Part | None:
        moving = attachment.type in VIDEO_TYPES
        if moving and attachment.url in self._containers.unfit:
            return await self._still(attachment, limits)
        http, cache_dir = self._context.http, self._context.state_dir / "media"
        try:
            file = await (media.fetch_file if moving else media.fetch)(http, attachment, limits, cache_dir=cache_dir)
            url = await self._hosting.offer(file)
        except Unseen:
            raise
        except (Rejected, Gone) as error:
            self._context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            return await self._still(attachment, limits) if moving else None
        return Part(url=url, alt=media.shorten_alt(attachment.description, limits.alt_max), video=attachment.url if moving else None)

    async def _still(self, attachment: Attachment, limits: MediaLimits) -> Part | None:
        if attachment.preview_url is None:
            return None
        return await self._offer(replace(attachment, url=attachment.preview_url, type="image", preview_url=None), limits)

    async def container(self, account: str, key: str, parts: Sequence[Part], given: Mapping[str, Any]) -> str:
        """A container of ``parts``, with what else is ``given``. Raises Rejected when one alone will never do, Transient while the service
        is still at one of several.
        """
        if len(parts) > 1:
            children = await self._children(account, key, parts)
            parts = [part for part in parts if part.url in children]
            if len(parts) > 1:
                return await self._carousel(account, key, list(children.values()), given)
        return await self._create(account, parts[0], {**self._shapes.one(parts[0]), **given})

    async def _carousel(self, account: str, key: str, children: Sequence[str], given: Mapping[str, Any]) -> str:
        try:
            if not await self._containers.all_ready(children):
                raise NotReady("the service is still working on the media")
            container = await self._containers.create(account, {**self._shapes.carousel(children), **given})
        except Unprepared:
            self._forget(key)
            raise
        self._forget(key)
        return container

    async def _children(self, account: str, key: str, parts: Sequence[Part]) -> dict[str, str]:
        """Address → container, without those that the service refuses."""
        found = {}
        for part in parts:
            child = self._made.get((key, part.url))
            if child is None:
                try:
                    child = await self._create(account, part, {**self._shapes.one(part), "is_carousel_item": True})
                except Rejected as error:
                    if error.hint is UNFETCHED_HINT:
                        raise
                    self._context.log.warning("media left out url=%s: %s", part.url, error.detail)
                    continue
                self._made[key, part.url] = child
            found[part.url] = child
        return found

    async def _create(self, account: str, part: Part, given: Mapping[str, Any]) -> str:
        try:
            container = await self._containers.create(account, given)
        except Unfetched as error:
            now = self._context.now()
            if now - self._unfetched_since.setdefault(part.url, now) < UNFETCHED_FOR:
                raise
            del self._unfetched_since[part.url]
            raise Rejected(error.detail, hint=UNFETCHED_HINT) from error
        self._unfetched_since.pop(part.url, None)
        return container

    def _forget(self, key: str) -> None:
        self._made = {name: child for name, child in list(self._made.items())[-MADE_MAX:] if name[0] != key}

"""Pictures of what is shown: fetched once, served by us. A picture that cannot be had is left out, and asked for again next time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from syndicator.contract import MediaLimits
from syndicator.errors import ConnectorError
from syndicator.folder import Folder, write
from syndicator.http import Http
from syndicator.media import fetch
from syndicator.model import Attachment, Event, Item

LIMITS = MediaLimits(
    images_max=4,
    # No GIF: what moves by itself and cannot be stopped disturbs readers (WCAG 2.2.2); its first frame is shown.
    image_types=("image/jpeg", "image/png", "image/webp"),
    image_max_bytes=400_000,
    image_max_pixels=1_600_000,
)
"""What a page can carry: about 1 600 × 1 000 pixels, at a size that a phone loads quickly."""
MEDIA = "media"
AT_ONCE = 4
PATIENCE_S = 60.0
"""However many servers are slow, the page does not wait longer than this for its pictures."""


def stills(item: Item) -> tuple[Attachment, ...]:
    """The still images that show ``item``: an event's picture, a post's pictures, a video's thumbnail; none of a sensitive post."""
    if isinstance(item, Event):
        return (item.image,) if item.image is not None and item.image.type == "image" else ()
    if item.sensitive:
        return ()
    found = (_still(attachment) for attachment in item.attachments)
    return tuple(still for still in found if still is not None)[: LIMITS.images_max]


def _still(attachment: Attachment) -> Attachment | None:
    if attachment.type == "image":
        return attachment
    if attachment.preview_url is None:
        return None
    return Attachment(url=attachment.preview_url, description=attachment.description)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture in our folder."""

    file: str
    """Its path below the folder."""
    width: int | None
    height: int | None


class Album:
    """Which copy is of which original; lost or damaged, the pictures are fetched again."""

    def __init__(self, record: Path) -> None:
        self._record = record

    def read(self) -> Mapping[str, Picture]:
        """Origin URL → the copy."""
        try:
            raw = json.loads(self._record.read_bytes())
            return {str(url): Picture(**entry) for url, entry in raw.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def keep(self, pictures: Mapping[str, Picture]) -> None:
        """Remember these and no others."""
        write(self._record, json.dumps({url: asdict(picture) for url, picture in sorted(pictures.items())}, indent=1).encode())


async def gather(http: Http, wanted: Iterable[Attachment], folder: Folder, album: Album, cache_dir: Path) -> Mapping[str, Picture]:
    """Origin URL → our copy, for those that could be had in time."""
    unique = {attachment.url: attachment for attachment in wanted}
    known = await asyncio.to_thread(album.read)
    found = {url: known[url] for url in unique if url in known and folder.holds(known[url].file)}
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(attachment: Attachment) -> None:
        async with gate:
            with suppress(ConnectorError):
                media = await fetch(http, attachment, LIMITS, cache_dir=cache_dir)
                file = f"{MEDIA}/{media.name}"
                await asyncio.to_thread(folder.add, file, media.data)
                found[attachment.url] = Picture(file=file, width=media.width, height=media.height)

    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            for url, attachment in unique.items():
                if url not in found:
                    tasks.create_task(one(attachment))
    return found

"""Pictures of what is shown: fetched once, served by us in several widths.

A picture that cannot be had is left out. One that its server refuses, or that is none, is asked for again after a day, then after two,
four and so on up to thirty; one whose server did not answer, as soon as the page is made anew, but not twice in ten minutes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from syndicator.contract import Association, MediaLimits
from syndicator.errors import ConnectorError, Rejected
from syndicator.folder import Folder, write
from syndicator.http import Http
from syndicator.media import MediaFile, fetch_widths, own_url
from syndicator.model import Attachment, Event, Item

LIMITS = MediaLimits(
    images_max=4,
    # No GIF: what moves by itself and cannot be stopped disturbs readers (WCAG 2.2.2); its first frame is shown.
    image_types=("image/jpeg", "image/png", "image/webp"),
    image_max_bytes=400_000,
    image_max_pixels=2_100_000,
    image_max_width=1600,
)
"""What a page can carry: 1 600 × 1 200 pixels, or a poster of 1 200 × 1 700, at a size that a phone loads quickly."""
WIDTHS = (320, 640, 1280)
"""Narrower copies, for narrower places and screens; a picture is never enlarged."""
SHARED_MIN_WIDTH = 720
"""What search engines and networks ask of a picture that stands for a page."""
MEDIA = "media"
AT_ONCE = 4
PATIENCE_S = 60.0
"""However many servers are slow, the page does not wait longer than this for its pictures."""
PATIENCE_AGAIN_S = 10.0
"""And not longer than this for those that it waited for in vain before."""
FAILED_AGAIN = timedelta(minutes=10)
"""How long a picture is not asked for after its server did not answer."""
REFUSED_AGAIN = timedelta(hours=1)
"""And after it was refused, or was no picture that we can show; twice as long each time."""
REFUSED_AGAIN_MAX = timedelta(days=30)


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


def logo(association: Association) -> Attachment | None:
    """The association's own picture file, as something to gather; None where there is none."""
    if association.logo is None:
        return None
    with suppress(OSError):
        return Attachment(url=own_url(association.logo), description=association.name)
    return None


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One copy of a picture."""

    file: str
    """Its path below the folder."""
    width: int | None
    height: int | None


@dataclass(frozen=True, kw_only=True)
class Picture(Variant):
    """A picture in our folder, as large as it is there."""

    variants: tuple[Variant, ...] = ()
    """All copies of it, narrowest first, the largest included; empty where there is but one."""

    @property
    def files(self) -> tuple[str, ...]:
        """Every file of it."""
        return tuple(dict.fromkeys((self.file, *(variant.file for variant in self.variants))))

    @property
    def shared(self) -> tuple[Variant, ...]:
        """The copies that are large enough to stand for a page elsewhere (``og:image``, JSON-LD), largest first; may be empty."""
        return tuple(one for one in (self, *reversed(self.variants[:-1])) if one.width and one.width >= SHARED_MIN_WIDTH)


@dataclass(frozen=True, kw_only=True)
class InVain:
    """A picture that could not be had when it was last asked for."""

    asked_at: datetime
    wait: timedelta
    """How long it is not asked for again."""
    times: int
    """How often that was in vain, one time after another."""

    def rests(self, now: datetime) -> bool:
        """Whether it is not asked for now; one that was asked for in the future, by a clock that was wrong then, is."""
        return timedelta(0) <= now - self.asked_at < self.wait


def in_vain(before: InVain | None, now: datetime, *, refused: bool) -> InVain:
    """What is remembered of a picture that could not be had once more."""
    times = before.times + 1 if before is not None else 1
    if not refused:
        return InVain(asked_at=now, wait=FAILED_AGAIN, times=times)
    longer = before is not None and before.wait >= REFUSED_AGAIN
    wait = min(before.wait * 2, REFUSED_AGAIN_MAX) if before is not None and longer else REFUSED_AGAIN
    return InVain(asked_at=now, wait=wait, times=times)


class Album:
    """Which copy is of which original; lost or damaged, the pictures are fetched again."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._missing = record.with_name("missing-pictures.json")

    def read(self) -> Mapping[str, Picture]:
        """Origin URL → the copy."""
        try:
            raw = json.loads(self._record.read_bytes())
            # Without ``variants`` it was made before there were several widths: it is made again.
            return {str(url): _picture(entry) for url, entry in raw.items() if "variants" in entry}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def keep(self, pictures: Mapping[str, Picture]) -> None:
        """Remember these and no others."""
        write(self._record, json.dumps({url: asdict(picture) for url, picture in sorted(pictures.items())}, indent=1).encode())

    def missing(self) -> Mapping[str, InVain]:
        """Origin URL → when it was asked for in vain; lost or damaged, it is asked for again."""
        try:
            return {str(url): _in_vain(entry) for url, entry in json.loads(self._missing.read_bytes()).items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
            return {}

    def miss(self, missing: Mapping[str, InVain]) -> None:
        """Remember that these could not be had, and no others."""
        if not missing:
            self._missing.unlink(missing_ok=True)
            return
        told = {
            url: {"asked_at": one.asked_at.isoformat(), "wait_s": one.wait.total_seconds(), "times": one.times}
            for url, one in sorted(missing.items())
        }
        write(self._missing, json.dumps(told, indent=1).encode())


def _in_vain(entry: dict[str, Any]) -> InVain:
    asked_at = datetime.fromisoformat(entry["asked_at"])
    if asked_at.tzinfo is None:
        raise ValueError(entry["asked_at"])
    return InVain(asked_at=asked_at, wait=timedelta(seconds=entry["wait_s"]), times=int(entry["times"]))


def _picture(entry: dict[str, Any]) -> Picture:
    return Picture(**(entry | {"variants": tuple(Variant(**one) for one in entry["variants"])}))


async def gather(http: Http, wanted: Iterable[Attachment], folder: Folder, album: Album, cache_dir: Path) -> Mapping[str, Picture]:
    """Origin URL → our copy, for those that could be had in time; what never failed before comes first.

    What was asked for in vain a short while ago is left out, and nobody is asked.
    """
    unique = {attachment.url: attachment for attachment in wanted}
    known, before = await asyncio.to_thread(lambda: (album.read(), album.missing()))
    found = {url: known[url] for url in unique if url in known and all(folder.holds(file) for file in known[url].files)}
    lost = {url: before[url] for url in unique if url in before and url not in found}
    missing = [one for url, one in unique.items() if url not in found and not (url in lost and lost[url].rests(http.now()))]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(attachment: Attachment) -> None:
        async with gate:
            # That it was cut off is remembered as well.
            last = lost.get(attachment.url)
            lost[attachment.url] = in_vain(last, http.now(), refused=False)
            try:
                copies = await fetch_widths(http, attachment, LIMITS, WIDTHS, cache_dir=cache_dir)
            except ConnectorError as error:
                lost[attachment.url] = in_vain(last, http.now(), refused=isinstance(error, Rejected))
                return
            found[attachment.url] = await asyncio.to_thread(_added, folder, copies)
            del lost[attachment.url]

    async def each(attachments: Sequence[Attachment], patience_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s), asyncio.TaskGroup() as tasks:
                for attachment in attachments:
                    tasks.create_task(one(attachment))

    again = sorted((one for one in missing if one.url in before), key=lambda attachment: before[attachment.url].times)
    try:
        await each([attachment for attachment in missing if attachment.url not in before], PATIENCE_S)
        await each(again, PATIENCE_AGAIN_S)
    finally:
        if lost != before:
            await asyncio.to_thread(album.miss, lost)
    return found


def _added(folder: Folder, copies: Sequence[MediaFile]) -> Picture:
    """The copies in the folder; the first is the largest."""
    made = [Variant(file=f"{MEDIA}/{copy.name}", width=copy.width, height=copy.height) for copy in copies]
    for variant, copy in zip(made, copies, strict=True):
        folder.add(variant.file, copy.data)
    several = tuple(sorted(made, key=lambda variant: variant.width or 0)) if len(made) > 1 else ()
    return Picture(**asdict(made[0]), variants=several)

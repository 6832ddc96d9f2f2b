"""Media at hand before a post leaves: what cannot be had is waited for a while, then left out, and a person is told.

Every attachment of a rendition is fetched into the cache that the destination's connector reads from, so that the connector asks the
origin for nothing. What fails for now is tried again, ``MEDIA_TRIES`` times and no longer than ``PATIENCE``; then the post goes without
it, with the way home, and so it does at once without what will never do. Other posts and the account itself never wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syndicator.contract import CanGather
from syndicator.errors import ConnectorError, Rejected, Transient
from syndicator.items import instant
from syndicator.logs import event
from syndicator.model import Attachment, Delivery, Event, Item, Rendition
from syndicator.policy import NotYet
from syndicator.schema import Database

if TYPE_CHECKING:
    from syndicator.contract import Publisher
    from syndicator.store import Store
    from syndicator.tenant import Tenant

MEDIA_TRIES = 5
PATIENCE = timedelta(minutes=10)
"""Where tries are rare (cron), the text waits no longer than this."""
TIMEOUT_S = 240.0
"""For all of a post's media at one try; what is there by then stays in the cache for the next."""
FAILED = "media-failed"
"""The note of a rendition that had to do without some of its media."""


Shape = Callable[[Item], Sequence[Rendition]]
"""How an item shows at the destination."""


class Gathering:
    """The store's part: how often the media of a delivery failed, and whether a person knows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def failed(self, delivery_id: int, now: datetime) -> tuple[int, datetime]:
        """Count one more failure; how many there were, and when the first was."""
        row = self._db.conn.execute(
            "insert into gathering (delivery_id, tries, since) values (?, 1, ?)"
            " on conflict (delivery_id) do update set tries = tries + 1 returning tries, since",
            (delivery_id, instant(now)),
        ).fetchone()
        return row["tries"], datetime.fromisoformat(row["since"])

    def went(self, delivery: Delivery, rendition: Rendition | None) -> None:
        """A post is there: forget its failures; one that has all its media shows that they arrive again."""
        self._db.conn.execute("delete from gathering where delivery_id = ?", (delivery.id,))
        if rendition is not None and rendition.attachments and FAILED not in rendition.notes:
            self._db.conn.execute("delete from problem where subject = ?", (subject(delivery.destination),))


def subject(destination: str) -> str:
    """What a problem with the media of a destination's posts is about."""
    return f"media:{destination}"


async def gathered(
    tenant: Tenant, publisher: Publisher, delivery: Delivery, item: Item, shape: Shape, *, there: Iterable[Attachment] = ()
) -> list[Rendition]:
    """How ``item`` shows with the media that can be had; but for those that are ``there`` already, all of them are in the cache then.

    Raises NotYet while it is worth waiting for one of them.
    """
    at_hand, lost = {attachment.url for attachment in there}, dict[str, str]()
    while True:
        renditions = list(shape(without(item, lost)))
        wanted = [(one, shown) for shown in renditions for one in shown.attachments if _fetchable(one) and one.url not in at_hand]
        if not wanted:
            return await _reported(tenant, delivery, renditions, lost)
        failed, passing = await _fetched(tenant, publisher, delivery.destination, wanted)
        if passing and await _worth_waiting(tenant, delivery):
            event(tenant.log, logging.INFO, "media.waiting", destination=delivery.destination, uid=delivery.uid, detail=passing)
            raise NotYet(f"its media cannot be had now: {passing}")
        lost |= failed
        at_hand |= {one.url for one, _ in wanted}


def as_before(item: Item, first: Rendition, shape: Shape) -> list[Rendition]:
    """How ``item`` shows with the media that its ``first`` part went with: asks for nothing."""
    renditions = list(shape(item))
    if FAILED not in first.notes:
        return renditions
    lost = {one.url for rendition in renditions for one in rendition.attachments} - {one.url for one in first.attachments}
    return [marked(rendition) for rendition in shape(without(item, lost))] if lost else renditions


def _fetchable(attachment: Attachment) -> bool:
    return attachment.url.startswith(("http://", "https://"))


async def _fetched(
    tenant: Tenant, publisher: Publisher, destination: str, wanted: Sequence[tuple[Attachment, Rendition]]
) -> tuple[dict[str, str], str]:
    """Put media into the cache: what failed and why, and what of it may pass."""
    failed: dict[str, str] = {}
    passing = ""
    loop = asyncio.get_running_loop()
    end = loop.time() + TIMEOUT_S
    for attachment, rendition in wanted:
        try:
            async with asyncio.timeout_at(end):
                await _fetch(tenant, publisher, destination, attachment, rendition)
        except (Transient, TimeoutError) as error:
            failed[attachment.url] = passing = f"{attachment.url}: {error or 'no answer in time'}"
        except ConnectorError as error:
            failed[attachment.url] = f"{attachment.url}: {error}"
        except Exception as error:  # noqa: BLE001 - a defect met in a picture must not stop the text
            event(tenant.log, logging.ERROR, "media.bug", destination=destination, url=attachment.url, exc_info=error)
            failed[attachment.url] = f"{attachment.url}: {type(error).__name__}: {error}"
    return failed, passing


async def _fetch(tenant: Tenant, publisher: Publisher, destination: str, attachment: Attachment, rendition: Rendition) -> None:
    """One attachment, to where the connector finds it; nothing of it stays in memory."""
    if isinstance(publisher, CanGather):
        return await publisher.gather(attachment, rendition)
    # With it comes what decodes pictures: memory for those who publish some.
    from syndicator import media
    from syndicator.assemble import http_for
    from syndicator.shaping import VIDEO_MAX_BYTES

    rules = publisher.limits.media
    http = http_for(tenant.config, tenant.sessions, tenant.now)
    cache_dir = tenant.config.state_dir / "destinations" / destination / "media"
    try:
        await media.fetch(http, attachment, rules, cache_dir=cache_dir)
    except Rejected:
        # A video that is too large for memory may be one that the connector takes to disk: it knows.
        if attachment.type == "image" or (rules.video_max_bytes or 0) <= VIDEO_MAX_BYTES:
            raise


async def _worth_waiting(tenant: Tenant, delivery: Delivery) -> bool:
    now = tenant.now()
    tries, since = await tenant.ledger.transact(lambda store: store.gathering.failed(delivery.id, now))
    return tries < MEDIA_TRIES and now - since < PATIENCE


async def _reported(tenant: Tenant, delivery: Delivery, renditions: list[Rendition], lost: Mapping[str, str]) -> list[Rendition]:
    """The renditions, saying what they lack; the log has every loss, a person hears of the first."""
    if not lost:
        return renditions
    name, detail = delivery.destination, "; ".join(lost.values())

    def put(store: Store) -> bool:
        return store.problems.put(subject(name), "media", detail, "", tenant.now())

    await tenant.ledger.transact(put)
    event(tenant.log, logging.WARNING, "media.lost", destination=name, uid=delivery.uid, detail=detail)
    return [marked(rendition) for rendition in renditions]


def marked(rendition: Rendition) -> Rendition:
    """A rendition that says that it lacks some of its media."""
    return replace(rendition, notes=tuple(dict.fromkeys((*rendition.notes, FAILED))))


def without(item: Item, lost: Collection[str]) -> Item:
    """The item without the media at these addresses: what is left of them is of a kind that no network takes, so that rendering it shows
    the way home; of a video without its file, its picture."""
    if not lost:
        return item
    if isinstance(item, Event):
        return item if item.image is None else replace(item, image=_left_home(item.image, lost))
    return replace(item, attachments=tuple(_left_home(attachment, lost) for attachment in item.attachments))


def _left_home(attachment: Attachment, lost: Collection[str]) -> Attachment:
    if attachment.url in lost and attachment.type in ("video", "gifv") and attachment.preview_url not in (None, *lost):
        return replace(attachment, media_type="")
    moving_picture_lost = attachment.type in ("video", "gifv") and attachment.preview_url in lost
    return replace(attachment, type="unknown", preview_url=None) if attachment.url in lost or moving_picture_lost else attachment

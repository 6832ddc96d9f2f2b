"""Pure: which items stand where, at a given day."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.website.options import Options
from syndicator.contract import View
from syndicator.model import Event, Item, Post

FAR = timedelta(days=3)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is shown, in the order it is shown."""

    upcoming: tuple[Event, ...]
    """Today's included, even when they are over; soonest first."""
    ongoing: tuple[Event, ...]
    """Activities that go on for weeks: they would hide the dates to come."""
    past: tuple[Event, ...]
    """Latest first."""
    posts: tuple[Post, ...]
    """Latest first, videos apart."""
    videos: tuple[Post, ...]
    feed: tuple[Item, ...]
    """Last changed first."""
    heads: tuple[Post, ...] = ()
    """Every post and video that is not a part of another, latest first."""
    to_come: frozenset[str] = frozenset()
    """uids of the events that are not over."""
    to_come_by_start: tuple[Event, ...] = ()
    """The same, those that go on for weeks among them."""
    paged: tuple[Event, ...] = ()
    """The events that have a page of their own, by start."""


def select(view: View, now: datetime, timezone: str, options: Options) -> Selection:
    """Sort the view into its places; only the day of ``now`` in the association's timezone matters, not the hour."""
    midnight = datetime.combine(now.astimezone(ZoneInfo(timezone)).date(), time(), ZoneInfo(timezone))
    events = [item for item in view.items if isinstance(item, Event)]
    to_come = [event for event in events if not _over(event, midnight)]
    uids = frozenset(event.uid for event in to_come)
    past = [event for event in events if event.uid not in uids and not _over(event, midnight - options.past)]
    posts = [item for item in view.items if isinstance(item, Post)] if options.posts else []
    heads = _heads(posts, view)
    return Selection(
        upcoming=tuple(event for event in to_come if not event.is_long),
        ongoing=tuple(event for event in to_come if event.is_long),
        past=tuple(reversed(past)),
        posts=tuple(post for post in heads if not is_video(post))[: options.posts_max],
        videos=tuple(post for post in heads if is_video(post))[: options.videos_max],
        feed=_feed(view, [*to_come, *past, *posts], options.feed_max),
        heads=heads,
        to_come=uids,
        to_come_by_start=tuple(to_come),
        paged=_paged(events, uids, midnight, options),
    )


def _paged(events: list[Event], to_come: frozenset[str], midnight: datetime, options: Options) -> tuple[Event, ...]:
    if not options.pages:
        return ()
    if options.keep is None:
        return tuple(events)
    since = midnight - options.keep
    return tuple(event for event in events if event.uid in to_come or not _over(event, since))


def _heads(posts: list[Post], view: View) -> tuple[Post, ...]:
    latest = sorted(posts, key=lambda post: (published_at(post, view), post.uid), reverse=True)
    uids = {post.uid for post in posts}
    return tuple(post for post in latest if post.in_reply_to not in uids and post.boost_of not in uids)


def _feed(view: View, items: list[Event | Post], length: int) -> tuple[Item, ...]:
    def newest(item: Event | Post) -> tuple[datetime, datetime, str]:
        return (view.changed_at.get(item.uid, LONG_AGO), published_at(item, view), item.uid)

    return tuple(heapq.nlargest(length, items, key=newest))


def is_video(post: Post) -> bool:
    """Whether a post belongs with the videos: a toot that merely carries one does not."""
    return post.kind in ("video", "live")


def published_at(item: Item, view: View) -> datetime:
    """When the public first saw it, at its origin or here."""
    return item.published_at or view.first_seen_at.get(item.uid, LONG_AGO)


def wall_clock(event: Event) -> tzinfo:
    """The clock the event goes by; the offset its origin gave when the zone has no name we know."""
    try:
        return ZoneInfo(event.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return event.starts_at.tzinfo or UTC


def first_day(event: Event) -> date:
    """Its first day on its own wall clock."""
    if getattr(event.starts_at.tzinfo, "key", None) == event.timezone:
        return event.starts_at.date()
    return event.starts_at.astimezone(wall_clock(event)).date()


def last_day(event: Event) -> date:
    """Its last day on its own wall clock, inclusive."""
    return (event.ends_at or event.starts_at).astimezone(wall_clock(event)).date()


def _over(event: Event, at: datetime) -> bool:
    far = at - (event.ends_at or event.starts_at)
    if far > FAR or far < -FAR:  # no clock is so far from another, and a view holds thousands
        return far > FAR
    if event.start_is_date if event.ends_at is None else event.end_is_date:
        end = datetime.combine(last_day(event) + timedelta(days=1), time(), wall_clock(event))
        return end <= at
    return (event.ends_at or event.starts_at) < at

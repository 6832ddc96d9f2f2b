"""Pure: which items stand where, at a given day."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.website.options import Options
from syndicator.contract import View
from syndicator.model import Event, Item, Post

FAR = timedelta(days=3)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is shown, in the order it is shown."""

    midnight: datetime
    """When the day began."""
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
    midnight = _midnight(now, timezone)
    events = sorted([item for item in view.items if isinstance(item, Event)], key=by_start)
    to_come = tuple(event for event in events if not _over(event, midnight))
    uids = frozenset(event.uid for event in to_come)
    past = [event for event in events if event.uid not in uids and not _over(event, midnight - options.past)]
    posts = [item for item in view.items if isinstance(item, Post)] if options.posts else []
    heads = _heads(posts, view)
    return Selection(
        midnight=midnight,
        upcoming=tuple(event for event in to_come if not event.is_long),
        ongoing=tuple(event for event in to_come if event.is_long),
        past=tuple(reversed(past)),
        posts=tuple(post for post in heads if not is_video(post))[: options.posts_max],
        videos=tuple(post for post in heads if is_video(post))[: options.videos_max],
        feed=_feed(view, [*to_come, *past, *posts], options.feed_max),
        heads=heads,
        to_come=uids,
        to_come_by_start=to_come,
        paged=_paged(events, uids, midnight, options),
    )


def again(
    last: Selection, went: Sequence[Item], came: Sequence[Item], view: View, now: datetime, timezone: str, options: Options
) -> Selection:
    """The same as ``select``, from the last selection and the few items that differ since; there may be thousands that do not."""
    midnight = _midnight(now, timezone)
    if midnight != last.midnight or not all(isinstance(item, Event) for item in (*went, *came)):
        return select(view, now, timezone, options)
    gone, fresh = ([item for item in items if isinstance(item, Event)] for items in (went, came))
    to_come = [event for event in fresh if not _over(event, midnight)]
    uids = frozenset(event.uid for event in to_come)
    past = [event for event in fresh if event.uid not in uids and not _over(event, midnight - options.past)]
    feed = _feed_again(last.feed, {event.uid for event in gone}, [*to_come, *past], view, options.feed_max)
    if feed is None:
        return select(view, now, timezone, options)
    return replace(
        last,
        upcoming=_merged(last.upcoming, gone, [event for event in to_come if not event.is_long]),
        ongoing=_merged(last.ongoing, gone, [event for event in to_come if event.is_long]),
        past=_merged(last.past[::-1], gone, past)[::-1],
        feed=feed,
        to_come=(last.to_come - {event.uid for event in gone}) | uids,
        to_come_by_start=_merged(last.to_come_by_start, gone, to_come),
        paged=_merged(last.paged, gone, _paged(fresh, uids, midnight, options)),
    )


def by_start(event: Event) -> tuple[datetime, str]:
    """The order of events."""
    return (event.starts_at, event.uid)


def _midnight(now: datetime, timezone: str) -> datetime:
    return datetime.combine(now.astimezone(ZoneInfo(timezone)).date(), time(), ZoneInfo(timezone))


def _merged(events: tuple[Event, ...], gone: Sequence[Event], fresh: Sequence[Event]) -> tuple[Event, ...]:
    """``events``, which are by start, without those ``gone``, and with ``fresh``."""
    found = list(events)
    for event in gone:
        place = bisect_left(found, by_start(event), key=by_start)
        if place < len(found) and found[place].uid == event.uid:
            del found[place]
    for event in fresh:
        insort(found, event, key=by_start)
    return tuple(found)


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


def _feed(view: View, items: Iterable[Item], length: int) -> tuple[Item, ...]:
    return tuple(heapq.nlargest(length, items, key=partial(_newest, view)))


def _newest(view: View, item: Item) -> tuple[datetime, datetime, str]:
    return (view.changed_at.get(item.uid, LONG_AGO), published_at(item, view), item.uid)


def _feed_again(feed: tuple[Item, ...], gone: AbstractSet[str], fresh: Sequence[Item], view: View, length: int) -> tuple[Item, ...] | None:
    """The feed, from the last one; None when what took a place may be behind one that was left out then."""
    stayed = [item for item in feed if item.uid not in gone]
    found = _feed(view, [*stayed, *fresh], length)
    if len(feed) < length or len(stayed) == len(feed):
        return found
    last = feed[-1]
    if last.uid in gone or len(found) < length or _newest(view, found[-1]) < _newest(view, last):
        return None
    return found


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

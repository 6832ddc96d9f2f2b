"""Recaps: one post that lists the events of a week or a month, made by ourselves and carried like any other.

A recap is a post of a source that nobody polls, one for each destination and period, with a route of its own: so that it leaves once,
follows its events, is told as a thread and can be removed, all by the outbox. What several routes would tell one destination is one recap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, get_args
from zoneinfo import ZoneInfo

from syndicator.contract import Association
from syndicator.model import Event, Post
from syndicator.plan.moments import WEEKDAYS, Period, Recap, recap_clock
from syndicator.route import Filter, Route
from syndicator.text import phrases
from syndicator.text.listing import day_of, listed, recap_html, recap_title

if TYPE_CHECKING:
    from syndicator.config import Config

PERIODS: tuple[Period, ...] = get_args(Period)
_FIRST_HALF = {"week": timedelta(days=3.5), "month": timedelta(days=14)}
_PREFIX = "recap:"


def is_recap(source: str) -> bool:
    """Whether a source is ours."""
    return source.startswith(_PREFIX)


def recap_source(destination: str, period: Period) -> str:
    """The name of the source that a destination's recaps come from; none that a configuration can have."""
    return f"{_PREFIX}{destination}:{period}"


def asking(routes: Iterable[Route], destination: str, period: Period) -> list[Route]:
    """The routes that want this recap there."""
    return [route for route in routes if destination in route.destinations and period in route.recap and "recap" in route.purposes]


def recap_routes(config: Config) -> tuple[Route, ...]:
    """The routes that recaps take: each like the first of those that ask for it."""
    home = home_of(config)
    found = []
    for name in (name for name, one in config.destinations.items() if one.role == "publisher"):
        for period in PERIODS:
            wanting = asking(config.routes.values(), name, period)
            if wanting:
                found.append(_route(wanting[0], name, period, home))
    return tuple(found)


def home_of(config: Config) -> str:
    """Where a recap leads: the association's site, else the pages that we write; empty where there is neither."""
    return config.association.url or config.public_url or ""


def _route(like: Route, destination: str, period: Period, home: str) -> Route:
    weekday, hour = recap_clock(like.recap_at)
    late = _FIRST_HALF[period] - timedelta(hours=hour.hour, minutes=hour.minute)
    if period == "week":
        # From Thursday on, the week that comes is told of.
        late += timedelta(days=7 - weekday if weekday >= WEEKDAYS.index("thursday") else -weekday)
    style = replace(like.style, long_text="thread", template=like.style.template_recap, hashtags="keep")
    leads_home = bool(home) and like.style.link != "never"
    return Route(
        name=like.name,
        sources=(recap_source(destination, period),),
        destinations=(destination,),
        filter=Filter(unlisted=True),
        style=replace(style, link="always") if leads_home else replace(style, link="never"),
        delay=timedelta(0),
        max_age=late,
        edit="ignore" if like.edit == "ignore" else "update",
        deletions=like.deletions,
    )


def recap_post(recap: Recap, events: Sequence[Event], route: Route, association: Association, home: str) -> Post:
    """The post that tells of these events, in the order in which they are given."""
    from syndicator.text.language import our_language  # regular expressions, for those who ask for recaps

    language, zone = our_language(route.style.language, None, association.language), ZoneInfo(association.timezone)
    lines = listed(events, recap.first, language, association.timezone)
    (source,) = route.sources
    return Post(
        uid=f"urn:syndicator:{source}:{recap.name}",
        url=home,
        source=source,
        title=recap_title(recap.period, recap.first, recap.last, language),
        html=recap_html(lines) or f"<p>{phrases.phrase(language, 'nothing-left')}</p>",
        language=language,
        published_at=recap.at,
        starts_at=datetime.combine(recap.first, datetime.min.time(), zone),
        listing=tuple(events),
    )


def in_order(events: Mapping[str, Event], recap: Recap) -> list[Event]:
    """Day by day; within a day, what goes on for days first, then by the hour."""
    return sorted(events.values(), key=lambda event: (day_of(event, recap.first), event.starts_at, event.uid))

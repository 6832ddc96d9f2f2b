"""Pure: items → what the templates show. Nothing of a stranger's gets further than here without having been cleaned."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Literal
from zoneinfo import ZoneInfo

from markupsafe import Markup

from connectors.website import clean
from connectors.website.labels import Labels
from connectors.website.pictures import Picture, Variant, stills
from connectors.website.selection import first_day, published_at, wall_clock
from syndicator.contract import Association, View
from syndicator.model import Event, Item, Offer, Place, Post
from syndicator.text.dates import describe_instant, describe_when

INLINE_MAX = 420
"""A description no longer than this is shown whole; of a longer one the beginning, and the rest on demand."""
EXCERPT_MAX = 280
NAME_MAX = 70
TAGS_MAX = 8


@dataclass(frozen=True, kw_only=True)
class Image:
    """A picture as a page shows it; ``file`` is its path below our folder."""

    file: str
    width: int | None
    height: int | None
    alt: str
    variants: tuple[Variant, ...] = ()
    """All its copies, narrowest first; empty where there is but one."""


@dataclass(frozen=True, kw_only=True)
class Badge:
    """A state in words; ``kind`` only chooses how it looks."""

    kind: Literal["cancelled", "full", "tentative", "moved", "online", "live"]
    text: str


@dataclass(frozen=True, kw_only=True)
class Prose:
    """A body: whole when it is short, else its beginning, and the whole behind it."""

    whole: Markup
    excerpt: str
    """Plain text; empty when ``whole`` is short enough to be shown at once."""


@dataclass(frozen=True, kw_only=True)
class EventCard:
    """One event."""

    anchor: str
    title: str
    url: str | None
    language: str | None
    """Where it is not the page's own."""
    when: str
    starts: str
    """For ``<time datetime>``."""
    day: str
    month: str
    badges: tuple[Badge, ...]
    cancelled: bool
    place: str
    map_url: str | None
    online_url: str | None
    ticket_url: str | None
    prices: str
    organizer: str
    organizer_url: str | None
    prose: Prose
    image: Image | None
    tags: tuple[str, ...]
    page: str | None = None
    """Our page of it, as a path below our folder."""
    was: str = ""
    """The date it had before it was moved, in words."""

    @property
    def name(self) -> str:
        """What a list of headings calls it."""
        return self.title


@dataclass(frozen=True, kw_only=True)
class EventRow:
    """One event in a list of many: cheap to make."""

    anchor: str
    title: str
    url: str | None
    page: str | None
    language: str | None
    when: str
    starts: str
    place: str
    badges: tuple[Badge, ...]


@dataclass(frozen=True, kw_only=True)
class PostCard:
    """One post, article, picture or video."""

    anchor: str
    title: str
    """Empty for a toot."""
    name: str
    """What a list of headings calls it: its title, or how it begins."""
    url: str | None
    action: str
    """What the link to the original invites to."""
    language: str | None
    published: str
    published_text: str
    source: str
    badges: tuple[Badge, ...]
    warning: str
    """Shown instead of the body until asked for; empty when there is none."""
    prose: Prose
    images: tuple[Image, ...]
    duration: str
    poll: tuple[str, ...]
    quote: str
    quote_url: str | None
    tags: tuple[str, ...]


def event_row(
    event: Event, association: Association, labels: Labels, *, page: str | None = None, previous: Event | None = None
) -> EventRow:
    """The event, on one or two lines."""
    return EventRow(
        anchor=anchor(event),
        title=clean.printed(event.title),
        url=clean.link(event.url),
        page=page,
        language=_foreign(event.language, labels),
        when=describe_when(event, labels.language, home_timezone=association.timezone),
        starts=starts(event),
        place=place_text(event.place or Place()),
        badges=_event_badges(event, labels, moved=moved_from(event, previous) is not None),
    )


def moved_from(event: Event, previous: Event | None) -> Event | None:
    """``previous``, where it says another date than ``event`` does."""
    if previous is None or (starts(previous), ends(previous)) == (starts(event), ends(event)):
        return None
    return previous


def event_card(
    event: Event,
    association: Association,
    labels: Labels,
    pictures: Mapping[str, Picture],
    *,
    page: str | None = None,
    previous: Event | None = None,
) -> EventCard:
    """The event, in the page's language, on its own clock; ``previous`` is what it was before its date changed."""
    was = moved_from(event, previous)
    day = first_day(event)
    place = event.place or Place()
    images = _images(event, pictures)
    return EventCard(
        anchor=anchor(event),
        title=clean.printed(event.title),
        url=clean.link(event.url),
        language=_foreign(event.language, labels),
        when=describe_when(event, labels.language, home_timezone=association.timezone),
        starts=starts(event),
        day=str(day.day),
        month=labels.months[day.month - 1],
        badges=_event_badges(event, labels, moved=was is not None),
        cancelled=event.status == "cancelled",
        place=place_text(place),
        map_url=map_url(place),
        online_url=clean.link(event.online_url),
        ticket_url=clean.link(event.ticket_url),
        prices=prices(event, labels),
        organizer=clean.plain(event.organizer.name) if event.organizer else "",
        organizer_url=clean.link(event.organizer.url) if event.organizer else None,
        prose=_prose(clean.body(event.html, event.url)),
        image=images[0] if images else None,
        tags=tags_of(event),
        page=page,
        was=describe_when(was, labels.language, home_timezone=association.timezone) if was and event.status != "cancelled" else "",
    )


def post_card(post: Post, view: View, association: Association, labels: Labels, pictures: Mapping[str, Picture]) -> PostCard:
    """The post, in the page's language, dated on the association's clock."""
    at = published_at(post, view).astimezone(ZoneInfo(association.timezone))
    quote = post.quote if post.quote is not None and post.quote.accepted else None
    html = clean.body(post.html, post.url, quoted=quote is not None)
    elsewhere = post.kind in ("article", "video", "live")
    title, warning = clean.printed(post.title), clean.printed(post.content_warning) or (labels.sensitive if post.sensitive else "")
    return PostCard(
        anchor=anchor(post),
        title=title,
        name=title or warning or clean.excerpt(clean.text_of(html), NAME_MAX) or labels.post_without_text,
        url=None if post.kind == "digest" and post.url == association.url else clean.link(post.url),  # a letter that is nowhere to be read
        action=_action(post, labels),
        language=_foreign(post.language, labels),
        published=at.isoformat(timespec="minutes"),
        published_text=f"{at.day} {labels.months[at.month - 1]} {at.year}",
        source=clean.plain(view.sources.get(post.source, "")),
        badges=_live_badges(post, association, labels),
        warning=warning,
        prose=_summary(post) or _prose(html, elsewhere=elsewhere),
        images=_images(post, pictures),
        duration=duration(post.duration_s),
        poll=tuple(clean.plain(option) for option in post.poll.options) if post.poll else (),
        quote=clean.plain(quote.author.name) if quote and quote.author else "",
        quote_url=clean.link(quote.url) if quote else None,
        tags=tags_of(post),
    )


def anchor(item: Item) -> str:
    """A stable id inside the page."""
    return f"s-{hashlib.sha256(item.uid.encode('utf-8', 'replace')).hexdigest()[:12]}"


def starts(event: Event) -> str:
    """ISO 8601: a bare date where there is no hour, else with the offset of its own clock."""
    return moment(event, event.starts_at, date_only=event.start_is_date)


def ends(event: Event) -> str | None:
    """The same for its end; a bare date is the last day, inclusive."""
    return None if event.ends_at is None else moment(event, event.ends_at, date_only=event.end_is_date)


def moment(event: Event, at: datetime, *, date_only: bool) -> str:
    """``at`` on the event's own clock, ISO 8601."""
    local = at.astimezone(wall_clock(event))
    return local.date().isoformat() if date_only else local.isoformat(timespec="seconds")


def place_text(place: Place) -> str:
    """Name, street, postcode and town, on one line; nothing twice."""
    town = " ".join(part for part in (place.postal_code, place.locality) if part)
    parts: list[str] = []
    for part in (place.name, place.street, town or place.region):
        text = clean.plain(part)
        if text and text.casefold() not in (known.casefold() for known in parts):
            parts.append(text)
    return ", ".join(parts)


def map_url(place: Place) -> str | None:
    """Where OpenStreetMap shows it: a link, nothing is loaded from there."""
    if place.latitude is None or place.longitude is None:
        return None
    at = f"{place.latitude:.5f}", f"{place.longitude:.5f}"
    return f"https://www.openstreetmap.org/?mlat={at[0]}&mlon={at[1]}#map=17/{at[0]}/{at[1]}"


def prices(event: Event, labels: Labels) -> str:
    """What it costs, as people write it."""
    texts = dict.fromkeys(text for offer in event.offers if (text := _price(offer, labels)))
    return " · ".join(texts)


def _price(offer: Offer, labels: Labels) -> str:
    try:
        amount = Decimal(offer.price)
    except InvalidOperation:
        return clean.plain(offer.price)
    if not amount.is_finite() or amount < 0:
        return ""
    if amount == 0:
        return labels.free
    number = f"{amount:.2f}".removesuffix(".00")
    currency = clean.plain(offer.currency)
    if labels.language == "fr":
        return f"{number.replace('.', ',')}\u00a0{'€' if currency == 'EUR' else currency}"
    return f"€{number}" if currency == "EUR" else f"{number} {currency}"


def duration(seconds: float | None) -> str:
    """``4:05`` or ``1:02:03``; empty when it is not known."""
    if not seconds or seconds < 1:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _event_badges(event: Event, labels: Labels, *, moved: bool) -> tuple[Badge, ...]:
    found: list[Badge] = []
    if event.status == "cancelled":
        return (Badge(kind="cancelled", text=labels.cancelled),)
    if moved:
        found.append(Badge(kind="moved", text=labels.moved))
    if event.full:
        found.append(Badge(kind="full", text=labels.full))
    if event.status == "tentative":
        found.append(Badge(kind="tentative", text=labels.tentative))
    if event.online_url:
        found.append(Badge(kind="online", text=labels.online))
    return tuple(found)


def _live_badges(post: Post, association: Association, labels: Labels) -> tuple[Badge, ...]:
    if post.live == "live":
        return (Badge(kind="live", text=labels.live_now),)
    if post.live == "scheduled":
        at = f"{labels.colon}{describe_instant(post.starts_at, association.timezone, labels.language)}" if post.starts_at else ""
        return (Badge(kind="live", text=labels.live_planned + at),)
    return ()


def _action(post: Post, labels: Labels) -> str:
    return {
        "article": labels.read_on,
        "video": labels.watch,
        "live": labels.watch,
        "image": labels.see_pictures,
        "audio": labels.listen,
        "digest": labels.read_letter,
    }.get(post.kind, labels.read_post)


def _summary(post: Post) -> Prose | None:
    summary = clean.printed(post.summary)
    if not summary or post.kind not in ("article", "video", "live"):
        return None
    return Prose(whole=Markup(""), excerpt=clean.excerpt(summary, EXCERPT_MAX))


def _prose(html: str, *, elsewhere: bool = False) -> Prose:
    begin = clean.printed(clean.lead(html, EXCERPT_MAX))
    if elsewhere:
        return Prose(whole=Markup(""), excerpt=begin)
    # The HTML went through clean.body: this is the one place where it is declared safe.
    return Prose(whole=Markup(html), excerpt=begin if len(clean.text_of(html)) > INLINE_MAX else "")  # noqa: S704


def _images(item: Item, pictures: Mapping[str, Picture]) -> tuple[Image, ...]:
    shown = ((attachment, pictures.get(attachment.url)) for attachment in stills(item))
    return tuple(
        Image(
            file=picture.file,
            width=picture.width,
            height=picture.height,
            alt=clean.plain(attachment.description),
            variants=picture.variants,
        )
        for attachment, picture in shown
        if picture is not None
    )


def tags_of(item: Item) -> tuple[str, ...]:
    """Its tags as they are shown; each has a page."""
    return shown_tags(item.tags)


@functools.lru_cache(maxsize=4_096)
def shown_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Clean, each once, and no more than fit."""
    return tuple(dict.fromkeys(tag for tag in map(clean.plain, tags) if tag))[:TAGS_MAX]


def _foreign(language: str | None, labels: Labels) -> str | None:
    if not language or not language.replace("-", "").isalnum() or not language.isascii():
        return None
    return None if language.lower().partition("-")[0] == labels.language else language

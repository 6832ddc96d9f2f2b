"""What flows through the daemon: frozen data, no I/O.

Names follow ActivityStreams 2.0 (https://www.w3.org/TR/activitystreams-vocabulary/) and iCalendar (RFC 5545) wherever those have
a word. Instants end in ``_at`` and are aware; durations and sizes carry their unit. ``uid`` identifies an item for ever and
everywhere: the ActivityPub id, the iCalendar UID (with its RECURRENCE-ID for one occurrence), or the best the origin has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Visibility = Literal["public", "unlisted", "private", "direct"]
PostKind = Literal["note", "article", "video", "live", "image", "audio", "digest"]
"""``digest``: an issue of the association's own newsletter, which the core makes."""
EventStatus = Literal["confirmed", "tentative", "cancelled"]
AttachmentType = Literal["image", "video", "gifv", "audio", "unknown"]
LiveState = Literal["scheduled", "live", "ended"]
Purpose = Literal["create", "update", "replace", "delete", "remind", "announce-change", "cancel", "retire"]
"""What a delivery is for; ``retire`` takes back a note that is out and has become untrue."""

LONG_EVENT = timedelta(days=30)
"""Longer than this is an activity that goes on, not a date to come (Mobilizon's ``durationOfLongEvent``)."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who wrote a post or organises an event."""

    name: str
    """The display name, plain text."""
    url: str | None = None
    """Their page."""
    handle: str | None = None
    """``user@host``, without a leading @; None outside the fediverse."""
    avatar_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A picture, video or sound that belongs to an item; ``url`` is where the origin serves it."""

    url: str
    type: AttachmentType = "image"
    description: str = ""
    """The alt text, plain text; empty when the author gave none."""
    media_type: str | None = None
    """Such as ``image/jpeg``, as the origin says; not to be trusted."""
    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None
    duration_s: float | None = None
    preview_url: str | None = None
    """A still image of it."""
    focus: tuple[float, float] | None = None
    """The focal point, each in [-1, 1], (0, 0) the centre, y upwards (Mastodon's ``meta.focus``)."""
    blurhash: str | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an event takes place; every part may be empty."""

    name: str = ""
    street: str = ""
    postal_code: str = ""
    locality: str = ""
    region: str = ""
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Poll:
    """A poll (ActivityStreams Question): its options, never its votes."""

    options: tuple[str, ...]
    multiple: bool = False
    closes_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Quote:
    """The post that a post quotes; only what the quoted author accepted is ever carried."""

    url: str
    author: Actor | None = None
    text: str = ""
    """Plain text of the quoted post; empty when it may only be linked."""
    accepted: bool = False


@dataclass(frozen=True, kw_only=True)
class Mention:
    """Somebody named in a post."""

    handle: str
    """``user@host``, always with its host."""
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What it costs to attend (schema.org Offer)."""

    price: str
    """Decimal number as text, such as ``5`` or ``7.50``."""
    currency: str = "EUR"
    """ISO 4217."""
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that an issue tells."""

    uid: str
    kind: str
    """``event``, or a ``Post.kind``."""
    title: str
    """Plain text; of a post without a title, how it begins."""
    url: str
    """The way home; empty where there is none."""
    text: str = ""
    """Plain text, cut between words."""
    when: str = ""
    """An event's date, or the day a post was published, in words."""
    place: str = ""
    state: str = ""
    """What must be known of an event beside its date, in words: full, online, not certain; empty when nothing."""
    image: Attachment | None = None
    new: bool = True
    """Whether no issue has told it before."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Entries under a heading."""

    title: str
    entries: tuple[Entry, ...]
    brief: tuple[Entry, ...] = ()
    """What there was no room to show, by title alone: nothing is forgotten."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """What one issue tells."""

    newsletter: str
    """Its name in the configuration."""
    title: str
    """The newsletter's, for people."""
    subject: str
    language: str
    since_at: datetime
    """What is new since then is told."""
    until_at: datetime
    """When it is due: events over by then are left out."""
    editorial: str = ""
    """A person's own words, untrusted HTML."""
    sections: tuple[Section, ...] = ()

    @property
    def uids(self) -> frozenset[str]:
        """Everything that it tells."""
        return frozenset(entry.uid for section in self.sections for entry in (*section.entries, *section.brief))

    @property
    def news(self) -> int:
        """How many things it tells that no issue has told before."""
        return len({entry.uid for section in self.sections for entry in (*section.entries, *section.brief) if entry.new})


@dataclass(frozen=True, kw_only=True)
class Post:
    """A status, a video, a photo, a feed entry, a group post."""

    uid: str
    url: str
    """The page at the origin: the way home."""
    kind: PostKind = "note"
    source: str = ""
    """The name of the configured source; the core fills it in."""
    title: str = ""
    """Plain text."""
    html: str = ""
    """The body as the origin gave it: untrusted HTML."""
    summary: str = ""
    """A short plain-text description where the origin has one apart from the body (feeds, videos)."""
    content_warning: str = ""
    """Plain text shown before the body (ActivityStreams ``summary`` of a Note)."""
    sensitive: bool = False
    """The media are to be hidden until asked for."""
    visibility: Visibility = "public"
    draft: bool = False
    published_at: datetime | None = None
    updated_at: datetime | None = None
    """When the author last changed it, where the origin knows; never used to detect a change."""
    language: str | None = None
    """BCP 47, or None when unknown."""
    author: Actor | None = None
    tags: tuple[str, ...] = ()
    """Without the #, in the author's spelling where it is known."""
    attachments: tuple[Attachment, ...] = ()
    poll: Poll | None = None
    quote: Quote | None = None
    mentions: tuple[Mention, ...] = ()
    emojis: tuple[str, ...] = ()
    """Shortcodes of custom emoji that stand in the text as ``:shortcode:``."""
    in_reply_to: str | None = None
    """The uid of the parent when that is known, else its id or URL."""
    reply_to_other: bool = False
    """True when the thread it belongs to is somebody else's."""
    boost_of: str | None = None
    """The uid or URL of what this merely shares (ActivityStreams Announce)."""
    boost_of_other: bool = False
    """True when what it shares was written by somebody else."""
    application: str | None = None
    """The name of the program it was posted with; our own name means a loop."""
    live: LiveState | None = None
    """For kind ``live``: where the broadcast stands; the replay is the same item with kind ``video``."""
    starts_at: datetime | None = None
    """For a scheduled live: when it begins."""
    duration_s: float | None = None
    embed_url: str | None = None
    """A player page, already carrying the privacy options the service has."""
    issue: Issue | None = None
    """For the kind ``digest``: what it tells."""
    listing: tuple[Event, ...] = ()
    """For a recap, which the core makes itself: the events that it lists, with what is said of them."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event: one date, or one occurrence of a series."""

    uid: str
    url: str
    """The page at the origin: the way home."""
    source: str = ""
    """The name of the configured source; the core fills it in."""
    title: str
    html: str = ""
    """The description as the origin gave it: untrusted HTML."""
    status: EventStatus = "confirmed"
    visibility: Visibility = "public"
    draft: bool = False
    starts_at: datetime
    """Aware. With ``start_is_date`` only its date in ``timezone`` means anything."""
    ends_at: datetime | None = None
    """Aware, never before ``starts_at``; None when the organiser gave none. With ``end_is_date`` its date in ``timezone`` is the last
    day, inclusive."""
    timezone: str
    """IANA name: the wall clock of the event."""
    start_is_date: bool = False
    end_is_date: bool = False
    place: Place | None = None
    online_url: str | None = None
    """Where to attend online."""
    organizer: Actor | None = None
    tags: tuple[str, ...] = ()
    category: str | None = None
    """The origin's own word, an open list."""
    language: str | None = None
    image: Attachment | None = None
    offers: tuple[Offer, ...] = ()
    ticket_url: str | None = None
    accessibility: tuple[tuple[str, str], ...] = ()
    """The origin's keys and values, such as ``("wheelchair", "yes")``."""
    capacity: int | None = None
    """How many may attend; None when there is no limit."""
    full: bool = False
    published_at: datetime | None = None
    updated_at: datetime | None = None
    """Only where the origin's own word can be trusted; never used to detect a change."""
    long_event: bool | None = None
    """The origin's own verdict; None leaves it to ``is_long``."""
    recurrence_id: str | None = None
    """For one occurrence of a series: its original start, ISO 8601."""
    sequence: int = 0
    """iCalendar SEQUENCE: the core raises it when date, place or status change."""

    @property
    def is_long(self) -> bool:
        """Whether this is an activity that goes on for weeks rather than a date to come."""
        if self.long_event is not None:
            return self.long_event
        return self.ends_at is not None and self.ends_at - self.starts_at > LONG_EVENT


Item = Post | Event


@dataclass(frozen=True, kw_only=True)
class Tombstone:
    """An item that its origin, when asked for it by name, no longer shows to the public."""

    uid: str
    certain: bool = False
    """True when the origin says so for good (410, ActivityPub Tombstone). Otherwise the core asks once more, later, before it
    believes it."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one look at the origin saw."""

    changed: tuple[Item, ...] = ()
    """Items as they are now. Reporting an unchanged one is harmless: the store compares content."""
    present: frozenset[str] = frozenset()
    """uids seen to be there still, whose content was not read again."""
    gone: tuple[Tombstone, ...] = ()
    cursor: str | None = None
    """Where to go on next time; opaque to the core; None keeps the old one."""
    more: bool = False
    """True when there may be more above the cursor: it is asked for again at once, after this was written down and may leave."""
    complete: bool = False
    """True when ``changed`` and ``present`` together are everything that the origin lists. What is known and missing is then asked for
    by name (``CanRead``) before it counts as gone."""
    complete_since: datetime | None = None
    """With ``complete``: the listing covers what ends (events) or was published (posts) at or after this instant; None: everything."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Words of a text that are a link: code points from ``start`` up to, not including, ``end``."""

    start: int
    end: int
    url: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """The preview of a link, made from the item that it leads to."""

    url: str
    title: str
    description: str = ""
    image: Attachment | None = None
    """A picture that is not in the post itself."""


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """An item as one destination will show it: one remote object."""

    uid: str
    """The item's."""
    text: str
    """Within the destination's limits, counted as it counts, in its markup."""
    title: str = ""
    """For destinations that have one (Limits.title_max)."""
    html: str = ""
    """A whole letter, for destinations that send one (``Limits.letter``); ``text`` is its text part and ``title`` its subject."""
    link: str | None = None
    """The way home, for destinations that take it apart from the text."""
    spans: tuple[Span, ...] = ()
    """The author's words that are links, in order, for destinations that can show them so (``Limits.spans``)."""
    card: Card | None = None
    """For destinations that take one (``Limits.card``): on the part that holds the link."""
    language: str | None = None
    content_warning: str = ""
    sensitive: bool = False
    visibility: Visibility = "public"
    attachments: tuple[Attachment, ...] = ()
    tags: tuple[str, ...] = ()
    event: Event | None = None
    """For destinations with events of their own (``Limits.events``): its instants, place and organiser; all else is in the text."""
    published_at: datetime | None = None
    """When the item was published at its origin: lets keys sort, is not shown."""
    part: int = 0
    """0-based place in a thread."""
    parts: int = 1
    notes: tuple[str, ...] = field(default=())
    """What a person should know of the shaping (``shortened``, ``media-left-out``, …): for preview and the log."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The proof that one remote object exists."""

    remote_id: str
    """As the service names it; may be empty for services that give none."""
    url: str | None = None
    """Its public page."""
    uri: str | None = None
    """Its global id (ActivityPub id) where that differs from the URL: recognises our own posts when they come back."""
    data: tuple[tuple[str, str], ...] = ()
    """What the connector needs later to update, delete or answer to it, such as ``("cid", "bafy…")``."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One item, one destination, one purpose, one revision, one part: a row of the outbox."""

    id: int
    route: str
    source: str
    uid: str
    destination: str
    purpose: Purpose
    revision: int
    part: int = 0
    key: str
    """Same delivery, same key, at every attempt: what services take as an idempotency key."""
    state: Literal["pending", "sending", "done", "parked", "dropped"] = "pending"
    due_at: datetime
    attempts: int = 0
    prepared: str | None = None
    rendition: Rendition | None = None
    """As it last left, or was prepared to: while the outcome is unknown, every attempt sends exactly this."""
    first_sent_at: datetime | None = None
    outcome_unknown: bool = False
    """True from the moment the request may have left until somebody knows."""
    reason: str = ""
    """Why it waits, is parked or was dropped."""
    parent_id: int | None = None
    """The delivery whose receipt this one needs first."""
    created_at: datetime
    updated_at: datetime

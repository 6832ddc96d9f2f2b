"""What a connector is: three roles, and abilities that a class has by having the method.

A connector translates, calls and raises the errors of ``syndicator.errors``. It does not sleep, retry, loop over parts, read the
environment, touch the store, log what it raises, or know another connector. It is built as ``cls(options, context)``, where
``cls.Options`` is a frozen, keyword-only dataclass that ``config.py`` decodes from TOML (see ``docs/connectors.md`` for the field
types it knows), so a connector's constructor does no I/O. Synchronous SDKs run in threads, with their own waiting and retrying
switched off.

A connector class also has ``Options`` and, where it can tell its service from a public URL alone, ``recognise`` (CanRecognise).
The types that a field of ``Options`` may have: ``str``, ``int``, ``float``, ``bool``, ``Secret``, ``timedelta`` (written ``"90s"``,
``"10m"``, ``"2h"``, ``"7d"``), ``Path``, ``Literal[…]`` of strings, ``tuple[T, …]`` of those (a TOML array), another frozen dataclass (a
TOML table), and ``T | None`` with None as the default. A check that spans fields is a ``__post_init__`` that raises
``ValueError(words(…))``. A projection's Options may have ``files``: the paths below the public folder that no other destination may
write. A publisher's may have ``one_click``: where it is not false, readers leave its list by our web server (``text.way_out``). Each
field's docstring says what it does: it is the manual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from logging import Logger
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from syndicator.errors import Words
from syndicator.model import Attachment, Batch, Event, Item, Receipt, Rendition

if TYPE_CHECKING:
    from syndicator.http import Http

TextUnit = Literal["characters", "graphemes", "utf16", "weighted", "threads", "bytes"]
"""How a service counts: Unicode code points after NFC; extended grapheme clusters; UTF-16 code units; twitter-text v3 weights;
code points but emoji in UTF-8 bytes (Threads); UTF-8 bytes."""

Markup = Literal["plain", "html", "markdown", "little"]
"""What the text is written in; ``little`` is LinkedIn's little text format."""


class Secret:
    """A credential: usable by ``reveal()`` alone, and never printed, compared in logs or put into an error by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The credential itself: hand it to the client library, nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, kw_only=True)
class MediaLimits:
    """What a destination takes beside the text; sizes in bytes, pixels and seconds."""

    images_max: int = 0
    """How many pictures one post holds."""
    videos_max: int = 0
    mixed: bool = False
    """Whether pictures and videos may stand in one post."""
    image_types: tuple[str, ...] = ("image/jpeg", "image/png", "image/gif", "image/webp")
    image_max_bytes: int | None = None
    image_max_pixels: int | None = None
    image_min_width: int | None = None
    """Narrower pictures are scaled up to it, in pixels."""
    image_max_width: int | None = None
    image_ratio: tuple[float, float] | None = None
    """The least and the greatest width / height; what is outside gets a border, nothing of the picture is cut off."""
    video_types: tuple[str, ...] = ("video/mp4", "video/webm", "video/quicktime")
    video_max_bytes: int | None = None
    video_max_s: float | None = None
    alt_max: int | None = None
    """Longest alt text, in characters; 0 where there is none; None without limit."""
    image_required: bool = False
    """Whether a post must show something: a picture, or a video where it takes one."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What a service charges for a request, in thousandths of its currency."""

    currency: str
    """ISO 4217."""
    create: int = 0
    create_with_link: int = 0
    """Instead of ``create``, for a text that holds an address."""
    update: int = 0
    delete: int = 0
    description: int = 0
    """For each alt text, beside ``create``."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a destination can show, as data: ``render.py`` obeys it and ``docs/destinations.md`` is made from it."""

    kinds: frozenset[str] = frozenset({"note", "article", "video", "live", "image", "audio", "digest", "event"})
    """The kinds of item it can carry (``Post.kind``, or ``event``)."""
    text_max: int | None = None
    text_unit: TextUnit = "characters"
    bytes_max: int | None = None
    """A second limit, in UTF-8 bytes, where the service has one."""
    caption_max: int | None = None
    """Instead of ``text_max``, for a text that accompanies media, where that is less."""
    url_length: int | None = None
    """What any URL counts for; None when it counts as long as it is."""
    title_max: int | None = None
    """None when there is no title: then the title opens the text."""
    markup: Markup = "plain"
    markup_counts: bool = False
    """Whether the service counts the text with its markup: escapes take room."""
    spans: bool = False
    """Whether words can be links: then ``Rendition.spans`` says where those of the author stand, and the address is not spelt out."""
    letter: bool = False
    """Whether it sends whole letters: then ``Rendition.html`` has one. Such a destination takes issues of a newsletter only."""
    link_apart: bool = False
    """Whether the way home travels in ``Rendition.link`` instead of at the end of the text."""
    content_warning: bool = False
    """Whether it has a field of its own for it, which counts with the text; else it opens the text."""
    sensitive_media: bool = False
    """Whether it can hide media until they are asked for, without a content warning of its own; else those stay at home."""
    events: bool = False
    """Whether it has events of its own: then ``Rendition.event`` says what a calendar must know of one."""
    card: bool = False
    """Whether ``Rendition.card`` becomes the preview of a link, instead of what the service reads from the page itself."""
    hashtags_max: int | None = None
    threads: bool = False
    """Whether a part can answer its parent."""
    media: MediaLimits = MediaLimits()
    key_window_s: int = 0
    """How long the service itself turns a repeated key into the same object; 0: never."""
    prices: Prices | None = None
    """None where nothing is charged."""


@dataclass(frozen=True, kw_only=True)
class Association:
    """Who is being mirrored; what pages, feeds and User-Agents say of them."""

    name: str
    language: str = "fr"
    """BCP 47; what their readers and their communicator read."""
    timezone: str = "Europe/Paris"
    url: str | None = None
    contact: str | None = None
    colour: str = ""
    """``#rrggbb``: what generated pictures are made in; empty for ours."""
    logo: Path | None = None
    """A picture file of theirs, PNG or JPEG, for generated pictures."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """All that a connector gets from outside itself."""

    name: str
    """This source's or destination's name in the configuration."""
    http: Http
    now: Callable[[], datetime]
    """The present, aware, UTC."""
    log: Logger
    association: Association
    state_dir: Path
    """A folder of this connector's own; it exists."""
    public_dir: Path
    """Where this association's public files are written; served by our web server or any other."""
    public_url: str | None = None
    """Where visitors find ``public_dir``, ending in a slash; None when it is not known."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What a projection shows: everything its routes carry to it, now."""

    items: Sequence[Item]
    """Public, filtered, each uid once; events by ``starts_at``, posts by ``published_at``; ties by uid."""
    changed: frozenset[str]
    """uids whose content changed, came or went since the last successful projection; all of them after a configuration change."""
    changed_at: Mapping[str, datetime]
    """uid → when the store last saw its content change: DTSTAMP, LAST-MODIFIED, ``updated``."""
    first_seen_at: Mapping[str, datetime]
    sources: Mapping[str, str]
    """Source name → the title that people read."""
    previous: Mapping[str, Event] = field(default_factory=dict)
    """uid → the event as it was before its date last changed, for those that moved."""
    shown_by: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """uid → the sources that show it, first the one whose copy stands in ``items``; its own source alone where there is no entry."""


class Connector(Protocol):
    """What every source, publisher and projection has."""

    Options: ClassVar[type[Any]]

    async def open(self) -> None:
        """Log in and learn limits. ``syndicator check`` is open + close, so it must not change anything at the service.

        Raises Transient, RateLimited, AuthExpired, or Rejected when the service is not what the options claim.
        """

    async def close(self) -> None:
        """Give back what ``open`` took; safe to call when ``open`` failed or was never called."""


class Source(Connector, Protocol):
    """Reads one origin."""

    async def fetch(self, cursor: str | None) -> Batch:
        """What there is since ``cursor`` (None: the first time; then what the origin shows now, within its window).

        A fetch without news costs the origin one small request and returns ``Batch()`` or one with the same cursor. Only public
        items may be returned unless an option says otherwise; the core checks again.
        Raises Transient, RateLimited, AuthExpired, Rejected (the origin is not what the options claim).
        """


class Publisher(Connector, Protocol):
    """Makes one remote object per delivery, always called through the outbox."""

    limits: Limits
    """Data only; may become narrower or wider in ``open``."""

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Make the remote object, once.

        Raises Transient only when it surely was not made; OutcomeUnknown when the request left and no usable answer came; RateLimited,
        AuthExpired, Rejected.
        """


class Projection(Connector, Protocol):
    """Rewrites a whole view; idempotent, so it needs no outbox."""

    async def project(self, view: View) -> None:
        """Show exactly this view: what it leaves equals a full rebuild, byte for byte, and nothing is written when nothing changed."""


@runtime_checkable
class CanRead(Protocol):
    """A source that can be asked for items by name."""

    async def read(self, ids: Sequence[str]) -> Batch:
        """Items ``ids`` (uids this source gave before) as they are now: ``changed`` when there, ``gone`` when the origin says so.

        One that is in neither is unknown, and is kept. Used to confirm deletions, to catch edits, and just before a held item leaves.
        """


@runtime_checkable
class CanListen(Protocol):
    """A source that can be told of news."""

    async def wait(self) -> None:
        """Return when there may be news. Never the source of content; a connection lost counts as possible news.

        Raises Transient when listening does not work now, Rejected when it never will: the core then only polls.
        """


@runtime_checkable
class CanRecognise(Protocol):
    """A source that can tell from a public page whether it is theirs."""

    @classmethod
    def recognise(cls, page: Page) -> Mapping[str, Any] | None:
        """The options that read ``page``'s account, group, channel, feed or calendar; None when it is not of this service. No I/O."""


@runtime_checkable
class CanGather(Protocol):
    """A publisher that fetches its media in a way of its own: to disk, or by other limits than ``limits.media``."""

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:
        """Fetch one attachment of ``rendition`` to where ``prepare`` and ``publish`` look first; the service is not asked for anything.

        Raises Transient when it cannot be had now, Rejected when it will never be of use there.
        """


@runtime_checkable
class CanPrepare(Protocol):
    """A publisher with a harmless first step: a container, a draft, an upload session."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:
        """Make it and return what ``publish`` needs; the core commits that before ``publish`` may use it.

        ``publish`` raises Transient while the service is still at it, and Unprepared when it has to be made anew.
        """


@runtime_checkable
class CanUpdate(Protocol):
    """A publisher whose posts can be edited."""

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Make the remote object show ``rendition``; repeating it is harmless. Raises Gone when it is no longer there."""


@runtime_checkable
class CanDelete(Protocol):
    """A publisher whose posts can be removed."""

    async def delete(self, receipt: Receipt) -> None:
        """Remove the remote object; repeating it is harmless. Raises Gone when it is no longer there (which the core takes as done)."""


@runtime_checkable
class CanFind(Protocol):
    """A publisher that can answer "did it go out?"."""

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:
        """The object that ``publish`` with this key made, from what was ``prepared``; None when it surely made none.

        Asked only after an unknown outcome. Raises Transient when it cannot tell now.
        """


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a look at a public URL found, for ``CanRecognise``."""

    url: str
    """After redirects."""
    asked_url: str
    """As the person gave it."""
    content_type: str
    """Without parameters, lower case."""
    body: bytes
    """Its first 512 kB."""
    software: str | None = None
    """``software.name`` of the host's NodeInfo, lower case; None when it has none."""
    software_version: str | None = None
    links: tuple[tuple[str, str, str], ...] = ()
    """(rel, type, absolute href) of the page's ``<link>`` elements and Link headers."""


@runtime_checkable
class Expiring(Protocol):
    """A connector whose credential runs out; it renews it by itself as long as the service lets it."""

    expires_at: datetime | None
    """When the credential that is in use now dies; None when that is not known. A person is told in time, in the connector's own words
    where it has some: an attribute ``renewal`` (``errors.Words``)."""


class Remarking(Protocol):
    """A connector that works, and knows, once open, what a person should mend all the same."""

    remark: Words | None
    """In each language; None when all is well. ``syndicator check`` shows it."""


class Named(Protocol):
    """A connector that knows, once open, whose account it reads or writes."""

    account: str | None
    """``user@host`` or a canonical URL; equal on both sides when a source and a destination are the same account."""

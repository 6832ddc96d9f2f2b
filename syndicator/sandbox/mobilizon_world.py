"""What a Mobilizon instance holds: groups, events, posts, tombstones. No HTTP and no GraphQL here."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar
from uuid import uuid4
from zoneinfo import ZoneInfo

SEEN_BY_ALL = ("PUBLIC", "UNLISTED")


@dataclass(kw_only=True)
class Picture:
    """An uploaded picture."""

    name: str
    data: bytes
    media_type: str
    inserted_at: datetime

    @property
    def path(self) -> str:
        """Where it is served."""
        return f"/media/{hashlib.sha256(self.data).hexdigest()[:32]}/{self.name}"


@dataclass(kw_only=True)
class Group:
    """A group; ``name`` is what its address has after the @."""

    id: int
    name: str
    display_name: str
    base_url: Callable[[], str]
    visibility: str = "PUBLIC"
    suspended: bool = False

    @property
    def url(self) -> str:
        """Its page and ActivityPub id."""
        return f"{self.base_url()}/@{self.name}"


@dataclass(kw_only=True)
class EventRecord:
    """An event as the database keeps it: instants in UTC, whole seconds."""

    id: int
    uuid: str
    group: Group
    title: str
    begins_on: datetime
    ends_on: datetime | None = None
    description: str | None = None
    timezone: str | None = "Europe/Paris"
    show_start_time: bool = True
    show_end_time: bool = True
    status: str = "CONFIRMED"
    visibility: str = "PUBLIC"
    draft: bool = False
    category: str = "MEETING"
    language: str | None = "fr"
    tags: list[str] = field(default_factory=list)
    place: dict[str, Any] | None = None
    """Keys as in the schema's ``Address``."""
    picture: Picture | None = None
    online_address: str | None = None
    is_online: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    offers: list[dict[str, Any]] = field(default_factory=list)
    show_price: bool = False
    capacity: int = 0
    join_options: str = "FREE"
    external_participation_url: str | None = None
    participants: int = 0
    publish_at: datetime | None = None
    remote_url: str | None = None
    """For a copy of another instance's event: its id there."""
    inserted_at: datetime
    updated_at: datetime

    @property
    def url(self) -> str:
        """Its page and ActivityPub id."""
        return self.remote_url or f"{self.group.base_url()}/events/{self.uuid}"

    @property
    def is_listed(self) -> bool:
        """Whether lists show it to anybody."""
        return self.visibility == "PUBLIC" and not self.draft

    @property
    def is_readable(self) -> bool:
        """Whether anybody who has its address may read it."""
        return self.visibility in SEEN_BY_ALL and not self.draft


@dataclass(kw_only=True)
class PostRecord:
    """A group's post."""

    id: int
    slug: str
    group: Group
    title: str
    body: str = ""
    visibility: str = "PUBLIC"
    draft: bool = False
    language: str | None = "fr"
    tags: list[str] = field(default_factory=list)
    picture: Picture | None = None
    publish_at: datetime | None = None
    inserted_at: datetime
    updated_at: datetime

    @property
    def url(self) -> str:
        """Its page and ActivityPub id."""
        return f"{self.group.base_url()}/p/{self.slug}"

    @property
    def is_listed(self) -> bool:
        """Whether lists show it to anybody; a date of publication to come does not hide it."""
        return self.visibility == "PUBLIC" and not self.draft

    @property
    def is_readable(self) -> bool:
        """Whether anybody who has its address may read it."""
        return self.visibility in SEEN_BY_ALL and not self.draft


Record = TypeVar("Record", EventRecord, PostRecord)


class MobilizonWorld:
    """An instance's content, and what its members do with it. Every method acts at ``now``."""

    def __init__(self, now: Callable[[], datetime], base_url: Callable[[], str]) -> None:
        self._now = now
        self._base_url = base_url
        self._last_id = 0
        self.groups: dict[str, Group] = {}
        self.events: dict[str, EventRecord] = {}
        """By uuid."""
        self.posts: dict[str, PostRecord] = {}
        """By slug."""
        self.tombstones: dict[str, datetime] = {}
        """Path → when its object was deleted."""
        self.pictures: dict[str, Picture] = {}
        """By path."""

    def add_group(self, name: str, display_name: str | None = None, **fields: Any) -> Group:
        """Create a group; its page is ``/@name``."""
        group = Group(id=self._next_id(), name=name, display_name=display_name or name, base_url=self._base_url, **fields)
        self.groups[name] = group
        return group

    def suspend_group(self, group: Group | str) -> None:
        """The moderators suspend it: it and its content are gone from sight."""
        self._group(group).suspended = True

    def add_event(
        self,
        group: Group | str,
        title: str,
        begins_on: datetime | date,
        ends_on: datetime | date | None = None,
        *,
        picture: bytes | None = None,
        **fields: Any,
    ) -> EventRecord:
        """Publish an event. A bare date hides the time, as a person does who picks a day in the form; fields as in EventRecord."""
        zone = fields.get("timezone", "Europe/Paris")
        fields.setdefault("show_start_time", isinstance(begins_on, datetime))
        fields.setdefault("show_end_time", ends_on is None or isinstance(ends_on, datetime))
        now = self._second(fields.pop("inserted_at", None))
        event = EventRecord(
            id=self._next_id(),
            uuid=fields.pop("uuid", None) or str(uuid4()),
            group=self._group(group),
            title=title,
            begins_on=_utc(begins_on, zone),
            ends_on=_utc(ends_on, zone) if ends_on else None,
            picture=self.add_picture(picture) if picture else None,
            inserted_at=now,
            updated_at=fields.pop("updated_at", now),
            **fields,
        )
        self.events[event.uuid] = event
        return event

    def edit_event(self, event: EventRecord | str, **changes: Any) -> EventRecord:
        """Change fields of EventRecord."""
        return self._touch(self._event(event), changes)

    def move_event(self, event: EventRecord | str, begins_on: datetime | date, ends_on: datetime | date | None = None) -> EventRecord:
        """Another date; without ``ends_on`` the event keeps its length."""
        event = self._event(event)
        begins = _utc(begins_on, event.timezone)
        kept = begins + (event.ends_on - event.begins_on) if event.ends_on else None
        return self._touch(event, {"begins_on": begins, "ends_on": _utc(ends_on, event.timezone) if ends_on else kept})

    def cancel_event(self, event: EventRecord | str) -> EventRecord:
        """It stays where it is, marked as cancelled."""
        return self._touch(self._event(event), {"status": "CANCELLED"})

    def delete_event(self, event: EventRecord | str) -> None:
        """Gone for good: its address answers 410 from now on."""
        event = self.events.pop(self._event(event).uuid)
        self.tombstones[f"/events/{event.uuid}"] = self._second()

    def unpublish_event(self, event: EventRecord | str) -> EventRecord:
        """A draft again: its address answers 404."""
        return self._touch(self._event(event), {"draft": True})

    def participate(self, event: EventRecord | str, people: int = 1) -> EventRecord:
        """Somebody comes: the counter is part of the row, so ``updatedAt`` moves too."""
        event = self._event(event)
        return self._touch(event, {"participants": event.participants + people})

    def add_post(self, group: Group | str, title: str, body: str = "", *, picture: bytes | None = None, **fields: Any) -> PostRecord:
        """Publish a post of the group; fields as in PostRecord."""
        identifier = self._next_id()
        now = self._second(fields.pop("inserted_at", None))
        post = PostRecord(
            id=identifier,
            slug=fields.pop("slug", None) or f"{_slug(title)}-{uuid4().hex[:8]}",
            group=self._group(group),
            title=title,
            body=body,
            picture=self.add_picture(picture) if picture else None,
            publish_at=fields.pop("publish_at", now),
            inserted_at=now,
            updated_at=fields.pop("updated_at", now),
            **fields,
        )
        self.posts[post.slug] = post
        return post

    def edit_post(self, post: PostRecord | str, **changes: Any) -> PostRecord:
        """Change fields of PostRecord; its slug stays."""
        post = self._post(post)
        return self._touch(post, changes)

    def delete_post(self, post: PostRecord | str) -> None:
        """Gone; unlike an event it leaves no trace: its address answers 404."""
        del self.posts[self._post(post).slug]

    def add_picture(self, data: bytes, name: str = "affiche") -> Picture:
        """Upload a picture, to be served below ``/media``."""
        media_type, ending = ("image/png", "png") if data.startswith(b"\x89PNG") else ("image/jpeg", "jpg")
        picture = Picture(name=f"{name}.{ending}", data=data, media_type=media_type, inserted_at=self._second())
        self.pictures[picture.path] = picture
        return picture

    def _touch(self, record: Record, changes: dict[str, Any]) -> Record:
        for name, value in changes.items():
            if not hasattr(record, name):
                raise AttributeError(f"{type(record).__name__} has no {name}")
            setattr(record, name, value)
        record.updated_at = self._second()
        return record

    def _group(self, group: Group | str) -> Group:
        return self.groups[group] if isinstance(group, str) else group

    def _event(self, event: EventRecord | str) -> EventRecord:
        return self.events[event] if isinstance(event, str) else event

    def _post(self, post: PostRecord | str) -> PostRecord:
        return self.posts[post] if isinstance(post, str) else post

    def _second(self, at: datetime | None = None) -> datetime:
        return (at or self._now()).astimezone(UTC).replace(microsecond=0)

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id


def _utc(at: datetime | date, zone: str | None) -> datetime:
    if not isinstance(at, datetime):
        at = datetime.combine(at, time(), ZoneInfo(zone or "UTC"))
    return at.astimezone(UTC).replace(microsecond=0)


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(letter if letter.isalnum() else " " for letter in plain).split()) or "billet"

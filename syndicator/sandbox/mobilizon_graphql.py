"""What Mobilizon's resolvers answer to anybody: lists, lookups, refusals. No HTTP here.

Behaviour read in its source: lib/graphql/resolvers/{group,event,post,search}.ex, lib/mobilizon/events/events.ex, lib/graphql/error.ex.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from graphql import GraphQLEnumType, GraphQLError, GraphQLSchema

from syndicator.sandbox.mobilizon_schema import LONG_EVENT_SINCE, Release
from syndicator.sandbox.mobilizon_world import EventRecord, Group, MobilizonWorld, Picture, PostRecord

LONG_EVENT = timedelta(days=30)
ROOT_EVENTS_MAX = 99
MESSAGES: Mapping[str, tuple[int, str, str]] = {
    "group_not_found": (404, "Group not found", "Groupe non trouvé"),
    "event_not_found": (404, "Event not found", "Événement non trouvé"),
    "post_not_found": (404, "Post not found", "Billet non trouvé"),
    "unauthenticated": (401, "You need to be logged in", "Vous devez être connecté·e"),
    "events_max_limit_reached": (422, "events_max_limit_reached", "events_max_limit_reached"),
    "unknown": (500, "Something went wrong", "Quelque chose s'est mal passé"),
}
"""Code → status, message in English and in French (lib/graphql/error.ex and its translations)."""
SORT_KEYS: Mapping[str, Callable[[EventRecord], datetime]] = {
    "BEGINS_ON": lambda event: event.begins_on,
    "INSERTED_AT": lambda event: event.inserted_at,
    "UPDATED_AT": lambda event: event.updated_at,
}


class Refusal(Exception):
    """A resolver's error, by its code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Crash(Exception):
    """What Absinthe does not survive: the request ends in a 500."""


def format_error(error: GraphQLError, language: str) -> dict[str, Any]:
    """An entry of ``errors``, its message in the reader's language."""
    formatted: dict[str, Any] = {"locations": [{"line": place.line, "column": place.column} for place in error.locations or ()]}
    if isinstance(error.original_error, Refusal):
        code = error.original_error.code
        status, english, french = MESSAGES[code]
        formatted |= {"code": code, "status_code": status, "field": None, "message": french if language == "fr" else english}
    else:
        formatted["message"] = error.message
    if error.path is not None:
        formatted["path"] = error.path
    return formatted


@dataclass(frozen=True, kw_only=True)
class Resolvers:
    """The root of one question, asked of ``world`` at ``now``."""

    world: MobilizonWorld
    schema: GraphQLSchema
    version: str
    release: Release
    now: datetime
    base_url: str
    instance_name: str
    shuffle: random.Random
    """The database has no tie-breaker: rows with equal keys come in whatever order."""
    broken: Mapping[tuple[str, str], str]
    """(group name, event uuid or post slug; field) → the code that the field fails with."""

    def root(self) -> dict[str, Any]:
        """The fields of RootQueryType that this instance answers."""
        return {
            "config": lambda _: {
                "name": self.instance_name,
                "version": self.version,
                "languages": ["fr"],
                "longEvents": True,
                "durationOfLongEvent": LONG_EVENT.days,
                "timezones": ["Europe/Brussels", "Europe/Paris"],
                "federating": True,
            },
            "group": lambda _, **args: self._find_group(args["preferredUsername"]),
            "event": lambda _, **args: self._find_event(args["uuid"]),
            "post": lambda _, **args: self._find_post(args["slug"]),
            "events": lambda _, **args: self._root_events(**args),
            "searchEvents": lambda _, **args: self._search_events(**args),
        }

    def _find_group(self, name: str) -> dict[str, Any]:
        group = self.world.groups.get(name.removesuffix("@" + self.base_url.split("//")[1]))
        if group is None or group.suspended:
            raise Refusal("group_not_found")
        return self._group(group)

    def _find_event(self, uuid: str) -> dict[str, Any]:
        event = self.world.events.get(uuid)
        if event is None or not event.is_readable or event.group.suspended:
            raise Refusal("event_not_found")
        return self._event(event)

    def _find_post(self, slug: str) -> dict[str, Any]:
        post = self.world.posts.get(slug)
        if post is None or not post.is_readable or post.group.suspended:
            raise Refusal("post_not_found")
        return self._post(post)

    def _root_events(self, page: int = 1, limit: int = 10, orderBy: str = "BEGINS_ON", direction: str = "ASC") -> dict[str, Any]:  # noqa: N803
        """To come or going on, never cancelled."""
        if limit > ROOT_EVENTS_MAX:
            raise Refusal("events_max_limit_reached")
        shown = (
            event
            for event in self._listed()
            if event.status != "CANCELLED" and (event.begins_on > self.now or (event.ends_on is not None and event.ends_on > self.now))
        )
        return self._page(self._ordered(shown, orderBy, direction), page, limit)

    def _search_events(self, page: int = 1, limit: int = 10, **args: Any) -> dict[str, Any]:
        """By beginning, then by id; tags are compared as they are spelt, and one is enough."""
        begins_on, ends_on = args.get("beginsOn") or self.now, args.get("endsOn")
        tags = [tag for tag in (args.get("tags") or "").split(",") if tag]
        term = (args.get("term") or "").casefold()
        shown = [
            event
            for event in self._listed()
            if event.begins_on >= begins_on
            and (ends_on is None or (event.ends_on or event.begins_on) <= ends_on)
            and (not tags or any(tag in event.tags for tag in tags))
            and term in event.title.casefold()
        ]
        return self._page(sorted(shown, key=lambda event: (event.begins_on, event.id)), page, limit)

    def _listed(self) -> list[EventRecord]:
        return [event for event in self.world.events.values() if event.is_listed and not event.group.suspended]

    def _ordered(self, events: Iterable[EventRecord], order: str, direction: str) -> list[EventRecord]:
        rows = list(events)
        self.shuffle.shuffle(rows)
        return sorted(rows, key=SORT_KEYS[order], reverse=direction == "DESC")

    def _page(self, rows: list[EventRecord], page: int, limit: int) -> dict[str, Any]:
        start = (page - 1) * limit
        return {"total": len(rows), "elements": [self._event(event) for event in rows[start : start + limit]]}

    def _organized_events(self, group: Group, **args: Any) -> dict[str, Any]:
        after, before = args.get("afterDatetime"), args.get("beforeDatetime")
        rows = [event for event in self._listed() if event.group is group and self._is_between(event, after, before)]
        ordered = self._ordered(rows, args.get("order", "BEGINS_ON"), args.get("orderDirection", "ASC"))
        return self._page(ordered, args.get("page", 1), args.get("limit", 10))

    def _is_between(self, event: EventRecord, after: datetime | None, before: datetime | None) -> bool:
        """Since 5.1 both bounds speak of the end of an event; before, ``after`` spoke of its beginning, so ongoing ones vanished."""
        end = event.ends_on or event.begins_on
        if self.release >= LONG_EVENT_SINCE:
            return (after is None or end >= after) and (before is None or end <= before)
        return (after is None or event.begins_on > after) and (before is None or event.begins_on < before)

    def _posts(self, group: Group, page: int = 1, limit: int = 10) -> dict[str, Any]:
        """Newest row first; a date of publication to come does not hide a post (lib/mobilizon/posts/posts.ex)."""
        rows = [post for post in self.world.posts.values() if post.group is group and post.is_listed]
        self.shuffle.shuffle(rows)
        rows.sort(key=lambda post: post.inserted_at, reverse=True)
        start = (page - 1) * limit
        return {"total": len(rows), "elements": [self._post(post) for post in rows[start : start + limit]]}

    def _group(self, group: Group) -> dict[str, Any]:
        closed = dict.fromkeys(("members", "discussions", "resources", "todoLists", "followers", "activity"), _closed)
        fields = self._actor(group) | closed
        fields["organizedEvents"] = lambda _, **args: self._organized_events(group, **args)
        fields["posts"] = lambda _, **args: self._posts(group, **args)
        return self._with_broken(group.name, fields)

    def _actor(self, group: Group) -> dict[str, Any]:
        return {
            "__typename": "Group",
            "id": str(group.id),
            "type": "GROUP",
            "url": group.url,
            "name": group.display_name,
            "preferredUsername": group.name,
            "domain": None,
            "local": True,
            "visibility": group.visibility,
            "suspended": False,
        }

    def _event(self, event: EventRecord) -> dict[str, Any]:
        fields = {
            "__typename": "Event",
            "id": str(event.id),
            "uuid": event.uuid,
            "url": event.url,
            "local": event.remote_url is None,
            "title": event.title,
            "slug": event.title.lower().replace(" ", "-"),
            "description": event.description,
            "beginsOn": _instant(event.begins_on),
            "endsOn": _instant(event.ends_on),
            "status": event.status,
            "visibility": event.visibility,
            "draft": event.draft,
            "joinOptions": event.join_options,
            "externalParticipationUrl": event.external_participation_url,
            "onlineAddress": event.online_address,
            "picture": self._picture(event.picture),
            "physicalAddress": event.place,
            "attributedTo": self._actor(event.group),
            "tags": self._tags(event.tags),
            "category": lambda _: self._category(event.category),
            "language": event.language,
            "publishAt": _instant(event.publish_at),
            "insertedAt": _instant(event.inserted_at),
            "updatedAt": _instant(event.updated_at),
            "participantStats": {"participant": event.participants},
            "metadata": [{"key": key, "value": value, "type": "STRING"} for key, value in event.metadata.items()],
            "longEvent": event.ends_on is not None and event.ends_on - event.begins_on > LONG_EVENT,
            "options": self._options(event),
        }
        return self._with_broken(event.uuid, fields)

    def _options(self, event: EventRecord) -> dict[str, Any]:
        return {
            "timezone": event.timezone,
            "isOnline": event.is_online,
            "showStartTime": event.show_start_time,
            "showEndTime": event.show_end_time,
            "maximumAttendeeCapacity": event.capacity,
            "remainingAttendeeCapacity": 0,
            "showRemainingAttendeeCapacity": False,
            "anonymousParticipation": False,
            "showParticipationPrice": event.show_price,
            "offers": event.offers,
        }

    def _post(self, post: PostRecord) -> dict[str, Any]:
        fields = {
            "id": str(post.id),
            "slug": post.slug,
            "url": post.url,
            "title": post.title,
            "body": post.body,
            "visibility": post.visibility,
            "draft": post.draft,
            "language": post.language,
            "publishAt": _instant(post.publish_at),
            "insertedAt": _instant(post.inserted_at),
            "updatedAt": _instant(post.updated_at),
            "tags": self._tags(post.tags),
            "picture": self._picture(post.picture),
            "attributedTo": self._actor(post.group),
        }
        return self._with_broken(post.slug, fields)

    def _picture(self, picture: Picture | None) -> dict[str, Any] | None:
        """``alt`` is always null: it is neither stored nor returned."""
        if picture is None:
            return None
        return {
            "url": self.base_url + picture.path,
            "name": picture.name,
            "contentType": picture.media_type,
            "size": len(picture.data),
            "alt": None,
            "metadata": {"width": None, "height": None, "blurhash": None},
        }

    def _tags(self, titles: Iterable[str]) -> list[dict[str, Any]]:
        return [{"title": title, "slug": title.lower().replace(" ", "-")} for title in titles]

    def _category(self, category: str) -> str:
        """A value that the instance no longer defines cannot be serialised."""
        known = self.schema.type_map["EventCategory"]
        if isinstance(known, GraphQLEnumType) and category not in known.values:
            raise Crash(category)
        return category

    def _with_broken(self, key: str, fields: dict[str, Any]) -> dict[str, Any]:
        for (owner, name), code in self.broken.items():
            if owner == key:
                fields[name] = _failing(code)
        return fields


def _failing(code: str) -> Callable[..., NoReturn]:
    def fail(_: object, **_args: object) -> NoReturn:
        raise Refusal(code)

    return fail


_closed = _failing("unauthenticated")


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None

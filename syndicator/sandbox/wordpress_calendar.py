"""The Events Calendar's REST API (tribe/events/v1), as far as one client writes events.

After https://docs.theeventscalendar.com/rest-api/ and the plugin's source, https://github.com/the-events-calendar/the-events-calendar
(src/Tribe/REST/V1/Endpoints): what is required, that a number or slug that is none is an invalid parameter, that empty values are dropped
instead of clearing, that a venue or organiser that is known is used again, that who may not publish has the event wait for review.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from syndicator.sandbox.wordpress_world import STATUSES, Entry, Json, Refusal, filtered, invalid, slug_of

if TYPE_CHECKING:
    from syndicator.sandbox.wordpress import Asked, WordpressSimulator

BASE = "/tribe/events/v1/events"
LINKED = {
    "venue": frozenset({"venue", "address", "city", "zip", "province", "country", "state", "phone", "website", "description"}),
    "organizer": frozenset({"organizer", "website", "email", "phone", "description"}),
}
TEXTS = ("title", "description", "slug", "excerpt")
FIELDS = frozenset({
    *TEXTS, *LINKED, "status", "timezone", "all_day", "start_date", "end_date", "image", "website", "categories", "tags", "cost", "date",
    "date_utc", "featured", "show_map", "show_map_link",
})  # fmt: skip
FORM = "%Y-%m-%d %H:%M:%S"


class Calendar:
    """The plugin, on one site."""

    def __init__(self, site: WordpressSimulator) -> None:
        self._site = site
        self.routes = (
            ("POST", BASE, self._create),
            ("GET", rf"{BASE}/(\d+)", self._get),
            ("GET", rf"{BASE}/by-slug/([^/]+)", self._by_slug),
            ("POST", rf"{BASE}/(\d+)", self._update),
            ("DELETE", rf"{BASE}/(\d+)", self._delete),
        )

    def _create(self, asked: Asked) -> tuple[int, Json]:
        self._site.demand(asked, "edit_posts", "rest_forbidden")
        body = asked.body()
        if missing := [name for name in ("title", "start_date", "end_date") if name not in body]:
            raise Refusal(400, "rest_missing_callback_param", f"Paramètre(s) manquant(s) : {', '.join(missing)}", params=missing)
        entry = Entry(id=0, type="tribe_events", author=self._site.blog.account.id, at=self._site.now())
        self._write(entry, body)
        return 201, self._json(self._site.add(entry))

    def _get(self, asked: Asked, number: str) -> tuple[int, Json]:
        entry = self._known(number)
        if entry.status != "publish":
            self._site.demand(asked, "edit_posts", "event-not-accessible")
        return 200, self._json(entry)

    def _by_slug(self, asked: Asked, slug: str) -> tuple[int, Json]:
        found = next((one for one in self._site.blog.entries.values() if one.type == "tribe_events" and one.slug == slug), None)
        if found is None:
            raise invalid(slug="Paramètre non valide.")
        return self._get(asked, str(found.id))

    def _update(self, asked: Asked, number: str) -> tuple[int, Json]:
        entry = self._known(number)
        self._site.demand(asked, "edit_posts", "rest_forbidden")
        self._write(entry, asked.body())
        return 200, self._json(entry)

    def _delete(self, asked: Asked, number: str) -> tuple[int, Json]:
        entry = self._known(number)
        self._site.demand(asked, "delete_posts", "rest_forbidden")
        if entry.status == "trash":
            raise Refusal(410, "event-is-in-trash", "L'évènement est déjà dans la corbeille.")
        self._site.bin(entry)
        return 200, self._json(entry)

    def _known(self, number: str) -> Entry:
        found = self._site.blog.entries.get(int(number))
        if found is None or found.type != "tribe_events":
            raise invalid(id="Paramètre non valide.")
        return found

    def _write(self, entry: Entry, body: Json) -> None:
        if flaws := dict(self._flaws(body)):
            raise invalid(**flaws)
        blog = self._site.blog
        # array_filter(): what is empty leaves things as they are.
        given = {name: value for name, value in body.items() if value not in ("", 0, None, False, [], {}, "0")}
        entry.title = filtered(given.get("title", entry.title), blog.account)
        entry.content = filtered(given.get("description", entry.content), blog.account)
        entry.slug = given.get("slug", entry.slug)
        if "status" in given or not entry.id:
            status = given.get("status", "publish")
            entry.status = "pending" if status == "publish" and blog.calendar_reviews else status
        entry.featured = int(given.get("image", entry.featured))
        entry.tags = [int(one) for one in given.get("tags", entry.tags)]
        entry.categories = [self._category(name) for name in given["categories"]] if "categories" in given else entry.categories
        kept = ("timezone", "start_date", "end_date", "website")
        entry.event |= {name: given[name] for name in kept if name in given}
        if "all_day" in body:
            entry.event["all_day"] = bool(body["all_day"])
        for kind in LINKED:
            if kind in given:
                entry.event[kind] = self._linked(kind, given[kind])

    def _category(self, name: str) -> int:
        return self._site.blog.term("event_categories", name) or self._site.blog.add_term("event_categories", name)

    def _linked(self, kind: str, given: Json) -> int:
        """The one of the same words, else a new one."""
        known = self._site.blog.linked[kind]
        number = next((number for number, one in known.items() if one == given), None) or self._site.blog.next_id()
        known[number] = given
        return number

    def _flaws(self, body: Json) -> Any:
        yield from ((name, "inconnu") for name in set(body) - FIELDS)
        yield from ((name, "n'est pas un texte") for name in TEXTS if name in body and not (isinstance(body[name], str) and body[name]))
        yield from ((name, "n'est pas une date") for name in ("start_date", "end_date") if name in body and not _is_time(body[name]))
        if "timezone" in body and not _is_zone(body["timezone"]):
            yield "timezone", "fuseau inconnu"
        if "status" in body and body["status"] not in STATUSES:
            yield "status", "statut inconnu"
        if "website" in body and not re.match(r"https?://\S+$", str(body["website"])):
            yield "website", "n'est pas une adresse"
        if "image" in body and not (str(body["image"]).isdigit() and int(body["image"]) in self._site.blog.library):
            yield "image", "n'est pas une image"
        yield from ((kind, "incomplet") for kind, names in LINKED.items() if kind in body and not _is_entry(body[kind], kind, names))

    def _json(self, entry: Entry) -> Json:
        blog, event = self._site.blog, entry.event
        shown = (
            f"{self._site.site}/event/{entry.slug}/"
            if entry.status == "publish"
            else f"{self._site.site}/?post_type=tribe_events&p={entry.id}"
        )
        zone = ZoneInfo(event.get("timezone", "UTC"))
        utc = {
            f"utc_{name}": f"{datetime.strptime(event[name], FORM).replace(tzinfo=zone).astimezone(UTC):{FORM}}"
            for name in ("start_date", "end_date")
        }
        return {
            "id": entry.id, "status": entry.status, "slug": entry.slug or slug_of(entry.title), "url": shown, "title": entry.title,
            "description": entry.content, "image": {"id": entry.featured} if entry.featured else False, **event, **utc,
            "venue": blog.linked["venue"].get(event.get("venue", 0), []),
            "organizer": [blog.linked["organizer"][event["organizer"]]] if "organizer" in event else [],
        }  # fmt: skip


def _is_time(value: Any) -> bool:
    try:
        datetime.strptime(value, FORM).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        return False
    return True


def _is_zone(value: Any) -> bool:
    try:
        ZoneInfo(value)
    except (TypeError, ValueError, ZoneInfoNotFoundError):
        return False
    return True


def _is_entry(value: Any, kind: str, names: frozenset[str]) -> bool:
    return isinstance(value, dict) and bool(value.get(kind)) and set(value) <= names

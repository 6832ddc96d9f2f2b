"""A Mobilizon instance in a box: its GraphQL API for anybody, its ActivityPub objects, NodeInfo and group pages.

Follows Mobilizon 5.1.3, and older versions by ``version``. Questions are executed against Mobilizon's own schema. What members do is
done by calling the world's methods: ``add_group``, ``add_event``, ``edit_event``, ``move_event``, ``cancel_event``, ``delete_event``,
``unpublish_event``, ``participate``, ``add_post``, ``edit_post``, ``delete_post``.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Any

from aiohttp import web
from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationType, execute_sync, parse, validate

from syndicator.sandbox.mobilizon_graphql import MESSAGES, Crash, Refusal, Resolvers, format_error
from syndicator.sandbox.mobilizon_schema import complexity, complexity_max, operation_of, release_of, schema_for
from syndicator.sandbox.mobilizon_world import MobilizonWorld
from syndicator.sandbox.server import Simulator

ACTIVITY_JSON = "application/activity+json"
NODEINFO_REL = "http://nodeinfo.diaspora.software/ns/schema/2.1"


class MobilizonSimulator(Simulator):
    """One instance; ``version`` decides what it understands."""

    def __init__(
        self, *, now: Callable[[], datetime] | None = None, version: str = "5.1.3", name: str = "Mobilizon du bac à sable"
    ) -> None:
        super().__init__(now=now)
        self.version = version
        self.claimed_version: str | None = None
        """What it says instead, as a fork or a patched build may."""
        self.name = name
        self.broken: dict[tuple[str, str], str] = {}
        """(group name, event uuid or post slug; field) → the code that the field fails with, beside otherwise good data."""
        self._shuffle = random.Random(1)  # noqa: S311 - no secret, and the same at every run
        self.world = world = MobilizonWorld(lambda: self.now(), lambda: self.url)  # noqa: PLW0108 - the clock may be replaced
        self.add_group, self.suspend_group = world.add_group, world.suspend_group
        self.add_event, self.edit_event, self.move_event = world.add_event, world.edit_event, world.move_event
        self.cancel_event, self.delete_event, self.unpublish_event = world.cancel_event, world.delete_event, world.unpublish_event
        self.participate = world.participate
        self.add_post, self.edit_post, self.delete_post = world.add_post, world.edit_post, world.delete_post
        self.app.add_routes([
            web.post("/api", self._api),
            web.get("/api", self._api),
            web.get("/.well-known/nodeinfo", self._nodeinfo_links),
            web.get("/.well-known/nodeinfo/2.1", self._nodeinfo),
            web.get("/events/{uuid}", self._event_page),
            web.get("/p/{slug}", self._post_page),
            web.get("/media/{hash}/{name}", self._media),
            web.get("/@{name}", self._group_page),
            web.get("/", self._home),
        ])  # fmt: skip

    async def _api(self, request: web.Request) -> web.Response:
        payload = await _payload(request)
        query = payload.get("query") if isinstance(payload, dict) else None
        if not isinstance(query, str) or not query.strip():
            return web.json_response({"errors": [{"message": "No query document supplied"}]}, status=400)
        language = request.headers.get("Accept-Language", "en")[:2].lower()
        try:
            answer = self._execute(query, payload.get("variables") or {}, payload.get("operationName"), language)
        except Crash:
            return web.Response(status=500, text="Internal Server Error")
        return web.json_response(answer, headers={"Access-Control-Allow-Origin": "*"})

    def _execute(self, query: str, variables: dict[str, Any], name: str | None, language: str) -> dict[str, Any]:
        """As Absinthe does: whatever is wrong with the question answers 200, with ``errors`` and without ``data``."""
        schema = schema_for(release_of(self.version))
        try:
            document = parse(query)
        except GraphQLError as error:
            return {"errors": [format_error(error, language)]}
        if refused := validate(schema, document) or self._too_complex(document, name):
            return {"errors": [format_error(error, language) for error in refused]}
        operation = operation_of(document, name)
        if operation is None or operation.operation is not OperationType.QUERY:
            status, english, french = MESSAGES["unauthenticated"]
            message = french if language == "fr" else english
            return {"data": None, "errors": [{"code": "unauthenticated", "status_code": status, "field": None, "message": message}]}
        result = execute_sync(schema, document, root_value=self._resolvers().root(), variable_values=variables, operation_name=name)
        return _answer(result, language)

    def _too_complex(self, document: DocumentNode, name: str | None) -> list[GraphQLError]:
        cost, most = complexity(document, name), complexity_max(release_of(self.version))
        if cost <= most:
            return []
        operation = operation_of(document, name)
        called = operation.name.value if operation and operation.name else ""
        return [GraphQLError(f"Operation {called} is too complex: complexity is {cost} and maximum is {most}")]

    def _resolvers(self) -> Resolvers:
        release = release_of(self.version)
        return Resolvers(
            world=self.world,
            schema=schema_for(release),
            version=self.claimed_version or self.version,
            release=release,
            now=self.now(),
            base_url=self.url,
            instance_name=self.name,
            shuffle=self._shuffle,
            broken=self.broken,
        )

    async def _event_page(self, request: web.Request) -> web.Response:
        event = self.world.events.get(request.match_info["uuid"])
        if request.path in self.world.tombstones:
            tombstone = {"id": self.url + request.path, "type": "Tombstone", "deleted": self.world.tombstones[request.path].isoformat()}
            return _activity(tombstone, status=410) if _wants_activity(request) else _page("Événement supprimé", "", status=410)
        if event is None or not event.is_readable:
            return _not_found()
        if not _wants_activity(request):
            return _page(event.title, event.description or "")
        times = {"startTime": event.begins_on.isoformat(), "endTime": event.ends_on.isoformat() if event.ends_on else None}
        return _activity({"id": event.url, "type": "Event", "name": event.title, "content": event.description} | times)

    async def _post_page(self, request: web.Request) -> web.Response:
        """A deleted post is looked up nowhere else: 404, though its tombstone exists (lib/web/cache/activity_pub.ex)."""
        post = self.world.posts.get(request.match_info["slug"])
        if post is None or not post.is_readable:
            return _not_found()
        if not _wants_activity(request):
            return _page(post.title, post.body)
        return _activity({"id": post.url, "type": "Article", "name": post.title, "content": post.body})

    async def _group_page(self, request: web.Request) -> web.Response:
        group = self.world.groups.get(request.match_info["name"])
        if group is None or group.suspended:
            return _not_found()
        if not _wants_activity(request):
            return _page(group.display_name, "")
        return _activity({"id": group.url, "type": "Group", "preferredUsername": group.name, "name": group.display_name})

    async def _media(self, request: web.Request) -> web.Response:
        picture = self.world.pictures.get(request.path)
        if picture is None:
            return _not_found()
        return web.Response(body=picture.data, content_type=picture.media_type)

    async def _home(self, _: web.Request) -> web.Response:
        return _page(self.name, "")

    async def _nodeinfo_links(self, _: web.Request) -> web.Response:
        return web.json_response({"links": [{"rel": NODEINFO_REL, "href": f"{self.url}/.well-known/nodeinfo/2.1"}]})

    async def _nodeinfo(self, _: web.Request) -> web.Response:
        local_posts = sum(1 for event in self.world.events.values() if event.remote_url is None)
        return web.json_response({
            "version": "2.1",
            "software": {"name": "Mobilizon", "version": self.claimed_version or self.version, "repository": "https://framagit.org/kaihuri/mobilizon"},
            "protocols": ["activitypub"],
            "services": {"inbound": [], "outbound": ["atom1.0"]},
            "openRegistrations": False,
            "usage": {"users": {"total": 1}, "localComments": 0, "localPosts": local_posts},
            "metadata": {"nodeName": self.name, "nodeDescription": ""},
        })  # fmt: skip


async def _payload(request: web.Request) -> Any:
    try:
        if request.method == "POST":
            return await request.json()
        return {"query": request.query.get("query"), "variables": json.loads(request.query.get("variables", "null"))}
    except ValueError:
        return None


def _answer(result: ExecutionResult, language: str) -> dict[str, Any]:
    errors = result.errors or []
    for error in errors:
        if error.original_error is not None and not isinstance(error.original_error, Refusal | GraphQLError):
            raise error.original_error
    formatted = [format_error(error, language) for error in errors]
    if result.data is None:
        return {"errors": formatted}
    return {"data": result.data, "errors": formatted} if formatted else {"data": result.data}


def _wants_activity(request: web.Request) -> bool:
    return ACTIVITY_JSON in request.headers.get("Accept", "") or "application/ld+json" in request.headers.get("Accept", "")


def _activity(document: dict[str, Any], *, status: int = 200) -> web.Response:
    body = json.dumps({"@context": "https://www.w3.org/ns/activitystreams"} | document)
    return web.Response(text=body, status=status, content_type=ACTIVITY_JSON)


def _page(title: str, body: str, *, status: int = 200) -> web.Response:
    html = f'<!DOCTYPE html><html lang="fr"><head><title>{escape(title)}</title></head><body><h1>{escape(title)}</h1>{body}</body></html>'
    return web.Response(text=html, status=status, content_type="text/html", headers={"X-Frame-Options": "DENY"})


def _not_found() -> web.Response:
    return _page("Page introuvable", "", status=404)

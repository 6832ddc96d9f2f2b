"""X's API v2 on loopback: posts made, removed and listed by whoever signs with the account's four strings, and paid for.

https://docs.x.com/x-api, reduced in ``data/x-openapi.json``. Signatures (OAuth 1.0a, HMAC-SHA1) are computed anew and compared.
Stricter than X in one thing: a field or a parameter that the specification does not know is refused. What X answers where its
documentation is silent (a text that is too long, a second cashtag) is what others have seen, and is told by its detail alone.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from syndicator.sandbox.openapi import flaws
from syndicator.sandbox.server import Simulator
from syndicator.sandbox.x_answers import NOT_FOUND, READ_ONLY, Refusal, duplicate, forbidden, invalid, problem, unpaid
from syndicator.sandbox.x_media import Media, Shelf
from syndicator.sandbox.x_oauth import Doors, Keys
from syndicator.sandbox.x_spec import spec
from syndicator.sandbox.x_text import LENGTH_MAX, cashtags, holds_url, mentions, shown, weight

Json = dict[str, Any]

EPOCH_MS = 1_288_834_974_657
WINDOW = timedelta(minutes=15)
LIMITS = {"POST /2/tweets": 100, "DELETE /2/tweets/{id}": 50, "GET /2/users/me": 75, "GET /2/users/{id}/tweets": 900}
OTHER_LIMIT = 500
DUPLICATE_FOR = timedelta(days=30)
PRICES = {"create": 15, "create with URL": 200, "delete": 10, "metadata": 5, "user": 10, "own post": 1}
"""Thousandths of a dollar: https://docs.x.com/x-api/getting-started/pricing, 2026-08-28."""
KEYS = Keys(
    consumer_key="xvz1evFS4wEEPTGEFPHBog",
    consumer_secret="kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",  # noqa: S106
    token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",  # noqa: S106
    token_secret="LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",  # noqa: S106
)
"""The examples of X's own documentation."""


@dataclass(frozen=True, kw_only=True)
class XPost:
    """A post as everybody sees it."""

    id: str
    at: datetime
    text: str
    media: tuple[Media, ...] = ()
    calls: tuple[str, ...] = ()
    """Whom it mentions."""


class XSimulator(Simulator):
    """One account, its program, its credits and its posts."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.keys = KEYS
        self.user_id = "2244994945"
        self.username = "amisduvelo"
        self.access = "read-write"
        """What the program may do: ``read`` cannot post."""
        self.balance = 10_000
        """Credits, in thousandths of a dollar; at zero, nothing is answered any more."""
        self.charges: list[tuple[str, int]] = []
        """What was charged, in order: for what (see ``PRICES``), how much."""
        self.shelf = Shelf()
        self.hidden: set[str] = set()
        """Posts that the timeline does not list yet."""
        self._posts: dict[str, XPost] = {}
        self._removed: set[str] = set()
        self._doors = Doors()
        self._used: dict[str, list[datetime]] = {}
        self._count = 0
        self._seen_today: set[tuple[str, str]] = set()
        self._routes()

    def _routes(self) -> None:
        router, wrapped = self.app.router, self._wrapped
        router.add_get("/2/users/me", wrapped("GET /2/users/me", self._me))
        router.add_get("/2/users/{id}/tweets", wrapped("GET /2/users/{id}/tweets", self._timeline))
        router.add_post("/2/tweets", wrapped("POST /2/tweets", self._create))
        router.add_delete("/2/tweets/{id}", wrapped("DELETE /2/tweets/{id}", self._delete))
        router.add_post("/2/media/upload", wrapped("POST /2/media/upload", self._upload))
        router.add_get("/2/media/upload", wrapped("GET /2/media/upload", self._state))
        router.add_post("/2/media/upload/initialize", wrapped("POST /2/media/upload/initialize", self._begin))
        router.add_post("/2/media/upload/{id}/append", wrapped("POST /2/media/upload/{id}/append", self._append))
        router.add_post("/2/media/upload/{id}/finalize", wrapped("POST /2/media/upload/{id}/finalize", self._finish))
        router.add_post("/2/media/metadata", wrapped("POST /2/media/metadata", self._describe))

    @property
    def posts(self) -> list[XPost]:
        """What is there, oldest first."""
        return sorted(self._posts.values(), key=lambda post: int(post.id))

    @property
    def spent(self) -> int:
        """All charges, in thousandths of a dollar."""
        return sum(amount for _, amount in self.charges)

    def write(self, text: str) -> XPost:
        """A post that somebody makes in the app."""
        post = XPost(id=self._number(), at=self.now(), text=text)
        self._posts[post.id] = post
        return post

    def _wrapped(self, call: str, handle: Callable[[web.Request], Awaitable[web.Response]]) -> Callable[[web.Request], Any]:
        """Who asks, whether there is room and credit; then the call itself."""

        async def answer(request: web.Request) -> web.Response:
            headers, room = self._window(call)
            try:
                self._admit(request, room=room)
                response = await handle(request)
            except Refusal as refusal:
                response = web.Response(status=refusal.status, body=refusal.body, content_type="application/problem+json")
            response.headers.update(headers)
            return response

        return answer

    def _window(self, call: str) -> tuple[dict[str, str], bool]:
        """https://docs.x.com/x-api/fundamentals/rate-limits: what is said of it, and whether there is room."""
        now, limit = self.now(), LIMITS.get(call, OTHER_LIMIT)
        used = [at for at in self._used.get(call, []) if now - at < WINDOW]
        reset = (used[0] if used else now) + WINDOW
        left = limit - len(used)
        if left > 0:
            self._used[call] = [*used, now]
        headers = {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(max(0, left - 1)),
            "x-rate-limit-reset": str(int(reset.timestamp())),
            "x-access-level": self.access,
        }
        return headers, left > 0

    def _admit(self, request: web.Request, *, room: bool) -> None:
        url = f"{request.scheme}://{request.host}{request.path}"
        header = request.headers.get("Authorization", "")
        if self._doors.flaw(self.keys, header, request.method, url, request.query.items()):
            raise Refusal(401, "Unauthorized", "Unauthorized")
        if not room:
            raise Refusal(429, "Too Many Requests", "Too Many Requests")
        if self.access == "read" and request.method != "GET":
            detail = "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
            raise forbidden(detail, READ_ONLY)
        if self.balance <= 0:
            raise unpaid(self.user_id)

    def _charge(self, what: str, resource: str = "") -> None:
        """A resource that is read again on the same day (UTC) is charged once."""
        seen = f"{self.now().astimezone(UTC):%Y-%m-%d}", resource
        if resource and seen in self._seen_today:
            return
        self._seen_today.add(seen)
        self.charges.append((what, PRICES[what]))
        self.balance -= PRICES[what]

    async def _body(self, request: web.Request, call: str) -> Json:
        if request.content_type != "application/json":
            raise Refusal(415, "Unsupported Media Type", f"not {request.content_type}")
        try:
            body: Json = json.loads(await request.read())
        except ValueError as error:
            raise invalid("the request body is not valid JSON", {}) from error
        _refuse(spec()["schemas"][spec()["bodies"][call]], body)
        return body

    async def _me(self, request: web.Request) -> web.Response:
        _refuse_query("/2/users/me", request)
        self._charge("user", self.user_id)
        return web.json_response({"data": {"id": self.user_id, "name": "Les Amis du Vélo", "username": self.username}})

    async def _create(self, request: web.Request) -> web.Response:
        body = await self._body(request, "POST /2/tweets")
        text = str(body.get("text", "")).strip()
        self._may(body, text)
        media = self.shelf.attached(body.get("media", {}).get("media_ids", []), self.now())
        if not text and not media:
            raise invalid("text or media is required.", {"text": [text]})
        post = XPost(id=self._number(), at=self.now(), text=text, media=tuple(media), calls=tuple(mentions(text)))
        self._posts[post.id] = post
        self._charge("create with URL" if holds_url(text) else "create")
        made = {"id": post.id, "text": self._shown(post)["text"], "edit_history_post_ids": [post.id]}
        return web.json_response({"data": made}, status=201)

    def _may(self, body: Json, text: str) -> None:
        """The rules of self-service accounts."""
        if "reply" in body:
            raise forbidden("Reply to this conversation is not allowed because you have not been mentioned by its author.")
        if "quote_tweet_id" in body:
            raise forbidden("Quoting is not available on this plan.")
        if weight(text) > LENGTH_MAX:
            raise forbidden("You are not permitted to perform this action.")
        if len(cashtags(text)) > 1:
            raise forbidden("You are not allowed to create a Tweet with more than one cashtag.")
        same = " ".join(text.split())
        if any(" ".join(post.text.split()) == same and self.now() - post.at < DUPLICATE_FOR for post in self._posts.values() if same):
            raise duplicate()

    async def _delete(self, request: web.Request) -> web.Response:
        number = request.match_info["id"]
        if number not in self._posts and number not in self._removed:
            told = f"Could not find tweet with id: [{number}]."
            raise Refusal(404, "Not Found Error", told, NOT_FOUND, resource_type="tweet", resource_id=number)
        self._posts.pop(number, None)
        self._removed.add(number)
        self._charge("delete")
        return web.json_response({"data": {"deleted": True}})

    async def _timeline(self, request: web.Request) -> web.Response:
        _refuse_query("/2/users/{id}/tweets", request)
        if request.match_info["id"] != self.user_id:
            raise Refusal(404, "Not Found Error", "Could not find user.", NOT_FOUND, resource_type="user")
        since = datetime.fromisoformat(request.query.get("start_time", "2010-11-06T00:00:00Z"))
        listed = [post for post in reversed(self.posts) if post.at >= since and post.id not in self.hidden]
        first, size = int(request.query.get("pagination_token", "0")), int(request.query.get("max_results", "10"))
        page = listed[first : first + size]
        for post in page:
            self._charge("own post", post.id)
        fields = {"id", "text", *request.query.get("post.fields", "").split(",")}
        meta: Json = {"result_count": len(page)}
        if len(listed) > first + size:
            meta["next_token"] = str(first + size)
        found: Json = {"meta": meta}
        if page:
            found["data"] = [{name: value for name, value in self._shown(post).items() if name in fields} for post in page]
        return web.json_response(found)

    def _shown(self, post: XPost) -> Json:
        keys = [one.key for one in post.media]
        given = shown(post.text, post.id, [f"https://x.com/{self.username}/status/{post.id}/photo/1", *keys])
        found: Json = {"id": post.id, "text": given.text, "created_at": post.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")}
        if given.urls:
            found["entities"] = {"urls": list(given.urls)}
        return found | ({"attachments": {"media_keys": keys}} if keys else {})

    async def _upload(self, request: web.Request) -> web.Response:
        body = await self._body(request, "POST /2/media/upload")
        return web.json_response({"data": self.shelf.image(self._number(), body, self.now()).json})

    async def _begin(self, request: web.Request) -> web.Response:
        body = await self._body(request, "POST /2/media/upload/initialize")
        found = self.shelf.begin(self._number(), body, self.now())
        return web.json_response({"data": {"id": found.id, "media_key": found.key, "expires_after_secs": 86_400}})

    async def _append(self, request: web.Request) -> web.Response:
        body = await self._body(request, "POST /2/media/upload/{id}/append")
        found = self.shelf.get(request.match_info["id"], self.now())
        self.shelf.append(found, body)
        return web.json_response({"data": {"expires_at": int(found.until.timestamp())}})

    async def _finish(self, request: web.Request) -> web.Response:
        found = self.shelf.get(request.match_info["id"], self.now())
        self.shelf.finish(found)
        return web.json_response({"data": found.json})

    async def _state(self, request: web.Request) -> web.Response:
        _refuse_query("/2/media/upload", request)
        found = self.shelf.get(request.query.get("media_id", ""), self.now())
        if found.category == "tweet_image":
            raise invalid("BadRequest: Not found", {"media_id": [found.id]})
        self.shelf.ask(found)
        return web.json_response({"data": found.json})

    async def _describe(self, request: web.Request) -> web.Response:
        body = await self._body(request, "POST /2/media/metadata")
        found = self.shelf.get(body["id"], self.now())
        self.shelf.describe(found, body.get("metadata", {}))
        self._charge("metadata")
        return web.json_response({"data": {"id": found.id, "associated_metadata": body.get("metadata", {})}})

    def _number(self) -> str:
        """A snowflake: time, then a count."""
        self._count += 1
        return str((int(self.now().timestamp() * 1000) - EPOCH_MS << 22) | self._count)


def _refuse(schema: Json, value: Json) -> None:
    found = list(flaws(schema, value, spec()["schemas"]))
    if found:
        places = {".".join(flaw.path) or "body": [f"{flaw.keyword}: {flaw.limit}"] for flaw in found}
        raise invalid("; ".join(f"{name}: {told[0]}" for name, told in places.items()), places)


def _refuse_query(path: str, request: web.Request) -> None:
    """Lists are written with commas, numbers as digits."""
    known = spec()["queries"][path]
    given: Json = {}
    for name, value in request.query.items():
        kind = known.get(name, {}).get("type")
        given[name] = value.split(",") if kind == "array" else int(value) if kind == "integer" and value.isdigit() else value
    _refuse({"type": "object", "properties": known}, given)


__all__ = ["KEYS", "PRICES", "Media", "XPost", "XSimulator", "problem"]

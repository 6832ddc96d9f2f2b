"""A Mattermost server on loopback: one team, one channel, a bot that may write there. It refuses what the server's source code refuses.

https://github.com/mattermost/mattermost (api/v4/source/*.yaml, server/channels/api4, server/channels/app/post.go, as of 2026); never
compared to a real one. Stricter in one thing: a field that a post does not have is refused instead of ignored, so that a typing error is
seen.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from syndicator.sandbox.server import Simulator

Json = dict[str, Any]

POST_RUNES_MAX = 16_383
FILES_MAX = 5
"""As api/v4/source/posts.yaml says; newer servers take ten."""
FILE_MAX_BYTES = 100 * 1024**2
PENDING_FOR = timedelta(seconds=30)
PER_PAGE_MAX = 200
_POST_FIELDS = frozenset({"channel_id", "message", "root_id", "file_ids", "props", "metadata", "pending_post_id"})
_PATCH_FIELDS = frozenset({"is_pinned", "message", "file_ids", "has_reactions", "props"})
_CALLED = re.compile(r"(?<![\w@./-])@([A-Za-z0-9][A-Za-z0-9._-]*)")


class Refusal(Exception):
    """What the API answers instead of a result: model.AppError."""

    def __init__(self, status: int, code: str, message: str = "", detailed: str = "") -> None:
        self.status = status
        self.body = {"id": code, "message": message or code, "detailed_error": detailed, "request_id": "r" * 26, "status_code": status}
        super().__init__(code)


@dataclass(frozen=True, kw_only=True)
class File:
    """An uploaded file."""

    id: str
    name: str
    data: bytes
    post_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post as the channel holds it."""

    id: str
    user_id: str
    created_at: datetime
    message: str
    root_id: str = ""
    file_ids: tuple[str, ...] = ()
    props: Mapping[str, Any] = field(default_factory=dict)
    pending_post_id: str = ""
    deleted_at: datetime | None = None

    @property
    def shown(self) -> str:
        """The text as people read it: backslashes do their work before what its web client takes for escapable."""
        text = re.sub(r"\\([`*{}\[\]()#+\-.!_>|~\\])", r"\1", self.message)
        return re.sub(r"<(https?://[^ >]+)>", r"\1", text).replace("\u2060", "")

    @property
    def called(self) -> list[str]:
        """Whom it calls: ``channel``, ``all``, ``here``, or a name."""
        return _CALLED.findall(self.message)


class MattermostSimulator(Simulator):
    """One server with one channel."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.token = "k" * 26
        self.user_id = "b" * 26
        self.channel_id = "c" * 26
        self.member = True
        self.archived = False
        self.edit_limit_s = -1
        """How old a post may be that is edited; -1: any."""
        self.attachments = True
        self.post_max = POST_RUNES_MAX
        self.file_max = FILE_MAX_BYTES
        self.per_minute: int | None = None
        """How many requests the server takes in a minute."""
        self.posts: dict[str, Post] = {}
        self.files: dict[str, File] = {}
        self._count = 0
        self._pending: dict[str, tuple[datetime, str]] = {}
        self._asked: list[datetime] = []
        self.app.middlewares.append(self._refusing)
        router, api = self.app.router, "/api/v4"
        router.add_get(f"{api}/users/me", self._me)
        router.add_get(f"{api}/teams/name/{{team}}/channels/name/{{channel}}", self._channel)
        router.add_get(f"{api}/channels/{{channel_id}}", self._channel)
        router.add_get(f"{api}/channels/{{channel_id}}/members/me", self._membership)
        router.add_get(f"{api}/channels/{{channel_id}}/posts", self._list)
        router.add_get(f"{api}/config/client", self._config)
        router.add_post(f"{api}/files", self._upload)
        router.add_post(f"{api}/posts", self._create)
        router.add_get(f"{api}/posts/{{post_id}}", self._read)
        router.add_put(f"{api}/posts/{{post_id}}/patch", self._patch)
        router.add_delete(f"{api}/posts/{{post_id}}", self._delete)

    @property
    def shown(self) -> list[Post]:
        """What people see, oldest first."""
        return [post for post in self.posts.values() if post.deleted_at is None]

    @web.middleware
    async def _refusing(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        if not request.path.startswith("/api/"):
            # Every other address is the web app's, which shows what it likes.
            return web.Response(text="<!doctype html><html><head><title>Mattermost</title></head></html>", content_type="text/html")
        limited = self._limited()
        if limited is not None:
            return limited
        try:
            self._authorised(request)
            return await handler(request)  # type: ignore[no-any-return]
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        except web.HTTPNotFound:
            return web.json_response(Refusal(404, "api.context.404.app_error", "Sorry, we could not find the page.").body, status=404)

    def _limited(self) -> web.Response | None:
        """server/channels/app/ratelimit.go: plain text, and seconds from now."""
        if self.per_minute is None:
            return None
        since = self.now() - timedelta(minutes=1)
        self._asked = [at for at in self._asked if at > since]
        if len(self._asked) < self.per_minute:
            self._asked.append(self.now())
            return None
        wait = str(int((self._asked[0] - since).total_seconds()) or 1)
        headers = {"X-RateLimit-Limit": str(self.per_minute), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60", "Retry-After": wait}
        return web.Response(status=429, text="limit exceeded\n", headers=headers)

    def _authorised(self, request: web.Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != self.token:
            # What servers of before do: the token stands in the answer.
            raise Refusal(401, "api.context.session_expired.app_error", "Invalid or expired session, please login again.", f"token={token}")

    def _in_channel(self, channel_id: str) -> None:
        if channel_id != self.channel_id or not self.member:
            raise Refusal(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.")

    async def _me(self, _: web.Request) -> web.Response:
        return web.json_response({"id": self.user_id, "username": "agenda", "is_bot": True})

    async def _channel(self, request: web.Request) -> web.Response:
        asked = dict(request.match_info)
        if asked not in ({"team": "asso", "channel": "annonces"}, {"channel_id": self.channel_id}):
            raise Refusal(404, "app.channel.get_by_name.missing.app_error", "Channel does not exist.")
        deleted = int(self.now().timestamp() * 1000) if self.archived else 0
        return web.json_response({"id": self.channel_id, "team_id": "t" * 26, "name": "annonces", "type": "O", "delete_at": deleted})

    async def _membership(self, _: web.Request) -> web.Response:
        if not self.member:
            raise Refusal(404, "app.channel.get_member.missing.app_error", "No channel member found for that user ID and channel ID.")
        return web.json_response({"channel_id": self.channel_id, "user_id": self.user_id, "roles": "channel_user"})

    async def _config(self, request: web.Request) -> web.Response:
        if request.query.get("format") != "old":
            raise Refusal(501, "api.config.client.old_format.app_error", "New format for the client configuration is not supported yet.")
        return web.json_response({"Version": "10.11.4", "MaxPostSize": str(self.post_max), "MaxFileSize": str(self.file_max)})

    async def _upload(self, request: web.Request) -> web.Response:
        if not self.attachments:
            raise Refusal(501, "api.file.attachments.disabled.app_error", "File attachments have been disabled on this server.")
        self._in_channel(request.query.get("channel_id", ""))
        name, data = request.query.get("filename", ""), await request.read()
        if not name or request.content_type.startswith("multipart/"):
            raise Refusal(400, "api.context.invalid_url_param.app_error", "Invalid or missing filename parameter in request URL.")
        if len(data) > self.file_max:
            raise Refusal(413, "api.file.upload_file.too_large_detailed.app_error", "Unable to upload file. File is too large.")
        file = File(id=self._new("f"), name=name, data=data)
        self.files[file.id] = file
        info = {"id": file.id, "user_id": self.user_id, "name": name, "size": len(data), "mime_type": request.content_type}
        return web.json_response({"file_infos": [info], "client_ids": []}, status=201)

    async def _create(self, request: web.Request) -> web.Response:
        body = _object(await request.read(), _POST_FIELDS)
        self._in_channel(str(body.get("channel_id", "")))
        pending = str(body.get("pending_post_id") or "")
        known = self._pending.get(pending)
        if pending and known and self.now() - known[0] < PENDING_FOR:
            return web.json_response(self._json(self.posts[known[1]]), status=201)
        if self.archived:
            raise Refusal(400, "api.post.create_post.can_not_post_to_deleted.error", "Can not post to deleted channel.")
        root = self.posts.get(str(body.get("root_id") or ""))
        if body.get("root_id") and (root is None or root.deleted_at is not None or root.root_id):
            raise Refusal(400, "api.post.create_post.root_id.app_error", "Invalid RootId parameter.")
        file_ids = tuple(body.get("file_ids") or ())
        post = Post(id=self._new("p"), user_id=self.user_id, created_at=self.now(), message="", root_id=str(body.get("root_id") or ""))
        post = replace(post, message=self._text(body, file_ids), props=dict(body.get("props") or {}) | {"from_bot": "true"})
        self.posts[post.id] = replace(post, file_ids=self._attached(file_ids, post.id), pending_post_id=pending)
        self._pending[pending] = (self.now(), post.id)
        return web.json_response(self._json(self.posts[post.id]), status=201)

    async def _read(self, request: web.Request) -> web.Response:
        return web.json_response(self._json(self._found(request)))

    async def _patch(self, request: web.Request) -> web.Response:
        body = _object(await request.read(), _PATCH_FIELDS)
        try:
            post = self._found(request)
        except Refusal as refusal:
            # https://github.com/mattermost/mattermost/blob/master/server/channels/api4/post.go (postPatchChecks)
            raise Refusal(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.") from refusal
        self._in_channel(self.channel_id)
        if 0 <= self.edit_limit_s < (self.now() - post.created_at).total_seconds():
            code = "api.post.update_post.permissions_time_limit.app_error"
            raise Refusal(400, code, f"Post edit is only allowed for {self.edit_limit_s} seconds.")
        file_ids = tuple(body["file_ids"]) if "file_ids" in body else post.file_ids
        message = self._text({"message": post.message, **body}, file_ids)
        after = replace(post, message=message, file_ids=self._attached(file_ids, post.id), props=body.get("props", post.props))
        self.posts[post.id] = after
        return web.json_response(self._json(after))

    async def _delete(self, request: web.Request) -> web.Response:
        post = self._found(request)
        self._in_channel(self.channel_id)
        for one in list(self.posts.values()):
            if post.id in (one.id, one.root_id):
                self.posts[one.id] = replace(one, deleted_at=self.now())
        return web.json_response({"status": "OK"})

    async def _list(self, request: web.Request) -> web.Response:
        self._in_channel(request.match_info["channel_id"])
        page, per_page = int(request.query.get("page", 0)), min(int(request.query.get("per_page", 60)), PER_PAGE_MAX)
        found = self.shown[::-1][page * per_page : (page + 1) * per_page]
        # Roots come along without being counted.
        roots = [self.posts[post.root_id] for post in found if post.root_id]
        posts = {post.id: self._json(post) for post in [*found, *roots]}
        return web.json_response({"order": [post.id for post in found], "posts": posts, "next_post_id": "", "prev_post_id": ""})

    def _found(self, request: web.Request) -> Post:
        post = self.posts.get(request.match_info["post_id"])
        if post is None or post.deleted_at is not None:
            raise Refusal(404, "app.post.get.app_error", "Unable to get the post.")
        return post

    def _text(self, body: Json, file_ids: tuple[str, ...]) -> str:
        """model.Post.IsValid."""
        message = str(body.get("message", ""))
        if len(message) > self.post_max:
            raise Refusal(
                400, "model.post.is_valid.message_length.app_error", "Post Message property is longer than the maximum permitted length."
            )
        if len(file_ids) > FILES_MAX:
            raise Refusal(400, "model.post.is_valid.file_ids.app_error", "Invalid file ids.")
        if not message and not file_ids:
            raise Refusal(400, "api.context.invalid_body_param.app_error", "Invalid or missing post in request body.")
        return message

    def _attached(self, file_ids: tuple[str, ...], post_id: str) -> tuple[str, ...]:
        """Those that exist and belong to no other post; what is not one is dropped in silence, as attachFilesToPost does."""
        good = tuple(one for one in file_ids if one in self.files and self.files[one].post_id in ("", post_id))
        self.files |= {one: replace(self.files[one], post_id=post_id) for one in good}
        return good

    def _new(self, sign: str) -> str:
        self._count += 1
        return sign + hashlib.sha256(str(self._count).encode()).hexdigest()[:25]

    def _json(self, post: Post) -> Json:
        return {
            "id": post.id,
            "create_at": int(post.created_at.timestamp() * 1000),
            "delete_at": 0,
            "user_id": post.user_id,
            "channel_id": self.channel_id,
            "root_id": post.root_id,
            "message": post.message,
            "type": "",
            "props": dict(post.props),
            "file_ids": list(post.file_ids),
            "pending_post_id": post.pending_post_id,
        }


def _object(body: bytes, known: frozenset[str]) -> Json:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Refusal(400, "api.context.invalid_body_param.app_error", "Invalid or missing post in request body.") from error
    if not isinstance(found, dict) or not found.keys() <= known or not isinstance(found.get("props", {}), dict):
        raise Refusal(400, "api.context.invalid_body_param.app_error", "Invalid or missing post in request body.")
    return found

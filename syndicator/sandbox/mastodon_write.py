"""The writing half of the Mastodon-like simulator: statuses and media made, edited and deleted, keys, scopes and throttles.

Follows https://docs.joinmastodon.org/methods/statuses/ and /methods/media/, and for what these leave open the servers' sources: keys are
remembered for an hour by Mastodon, not at all by GoToSocial, and answered 400 the second time by Pixelfed, whatever became of the first.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from syndicator.sandbox import mastodon_text
from syndicator.sandbox.mastodon_json import CONFIGURATION, stamp
from syndicator.sandbox.mastodon_world import Account, Media, Status

if TYPE_CHECKING:
    from syndicator.sandbox.mastodon import MastodonSimulator

KEY_LIFE = timedelta(hours=1)
EDITS_MAX = 10
"""Pixelfed's."""


@dataclass(kw_only=True)
class Throttle:
    """``limit`` requests in each window of ``period`` (config/initializers/rack_attack.rb)."""

    limit: int
    period: timedelta
    used: dict[tuple[str, int], int] = field(default_factory=dict)


class Writing:
    """What the writing half keeps; tests reach it as ``simulator.app[WRITING]``."""

    def __init__(self, simulator: MastodonSimulator) -> None:
        self.simulator = simulator
        self.world = simulator.world
        self.throttles = {
            "token": Throttle(limit=300, period=timedelta(minutes=5)),
            "media": Throttle(limit=30, period=timedelta(minutes=30)),
            "delete": Throttle(limit=30, period=timedelta(minutes=30)),
        }
        self.processing_polls = 1
        """How many times an uploaded video answers 206 before it is ready."""
        self.max_characters: int = CONFIGURATION["statuses"]["max_characters"]
        self._keys: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._edits: dict[str, int] = {}

    @property
    def kind(self) -> str:
        """Which server this is."""
        return self.simulator.flavour.name

    async def post(self, request: web.Request) -> web.Response:
        """POST /api/v1/statuses"""
        account = self.simulator.require(request, "write:statuses")
        params = await _params(request)
        parent = self._parent(params.get("in_reply_to_id"), account)
        known = self._known(account, request.headers.get("Idempotency-Key"))
        if known is None:
            known = self._make(account, params, parent, request.headers["Authorization"].removeprefix("Bearer "))
            self._remember(account, request.headers.get("Idempotency-Key"), known)
        return web.json_response(self.simulator.status_json(known, account))

    def _parent(self, status_id: str | None, account: Account) -> Status | None:
        return self.simulator.seen(str(status_id), account) if status_id else None

    def _known(self, account: Account, key: str | None) -> Status | None:
        found = self._keys.get((account.id, key or ""))
        fresh = found is not None and self.world.now() < found[1] + KEY_LIFE
        if self.kind == "pixelfed" and key:
            if fresh:
                raise _refused(web.HTTPBadRequest, "Duplicate idempotency key.")
            self._keys[account.id, key] = ("", self.world.now())
        if found is None or not fresh or self.kind not in ("mastodon", "akkoma"):
            return None
        status = self.world.statuses.get(found[0])
        if status is None:
            raise _refused(web.HTTPNotFound, "Record not found")
        return status

    def _remember(self, account: Account, key: str | None, status: Status) -> None:
        if key and self.kind != "gotosocial":
            self._keys[account.id, key] = (status.id, self.world.now())

    def _make(self, account: Account, params: dict[str, Any], parent: Status | None, token: str) -> Status:
        media = self._media_of(account, _ids(params), None)
        if self.kind == "pixelfed" and not media and parent is None:
            raise _refused(web.HTTPForbidden, "Empty statuses are not allowed")
        text, warning = self._checked_text(params, with_media=bool(media))
        visibility = str(params.get("visibility") or "public")
        if visibility not in ("public", "unlisted", "private", "direct"):
            raise _invalid("Visibility is not included in the list")
        return self.world.post(
            account,
            self.html(text),
            visibility=visibility,
            in_reply_to_id=parent.id if parent else None,
            in_reply_to_account_id=parent.account.id if parent else None,
            spoiler_text=warning,
            sensitive=_true(params.get("sensitive")) or bool(warning),
            language=params.get("language") or "fr",
            media_ids=[one.id for one in media],
            source_text=text,
            application=self.world.tokens[token].application,
        )

    def _checked_text(self, params: dict[str, Any], *, with_media: bool) -> tuple[str, str]:
        text, warning = str(params.get("status") or "").strip(), str(params.get("spoiler_text") or "")
        if not text and warning:
            text, warning = warning, ""
        if not text and not with_media:
            raise _invalid("Text can't be blank")
        counted = mastodon_text.length if self.kind == "mastodon" else len
        if counted(text) + len(warning) > self.max_characters:
            raise _invalid(f"Text character limit of {self.max_characters} exceeded")
        return text, warning

    def html(self, text: str) -> str:
        """The text as this server shows it."""
        return mastodon_text.to_html(text, self.simulator.url, self._page_of, short_links=self.kind == "mastodon")

    def _page_of(self, name: str, host: str) -> str | None:
        local = host in ("", self.simulator.host, self.simulator.domain)
        for account in self.world.accounts.values():
            if account.username.lower() == name.lower() and (not account.domain if local else account.domain == host):
                return self.simulator.shapes.profile_url(account)
        return None

    def _media_of(self, account: Account, ids: list[str], status: Status | None) -> list[Media]:
        taken = {media_id for other in self.world.statuses.values() if other is not status for media_id in other.media_ids}
        media = [self.world.media[media_id] for media_id in ids if media_id in self.world.media and media_id not in taken]
        if len(ids) > CONFIGURATION["statuses"]["max_media_attachments"]:
            raise _invalid("Cannot attach more than 4 files")
        if len(media) < len(ids) or any(one.account_id != account.id for one in media):
            raise _invalid("Media not found or already attached to another post")
        if len(media) > 1 and any(one.type != "image" for one in media) and self.kind == "mastodon":
            raise _invalid("Cannot attach a video to a post that already contains images")
        if any(one.polls_left for one in media):
            raise _invalid("Cannot attach files that have not finished processing. Try again in a moment!")
        return media

    async def edit(self, request: web.Request) -> web.Response:
        """PUT /api/v1/statuses/:id: what is left out of media_ids is detached; an edit that changes nothing leaves no mark."""
        account = self.simulator.require(request, "write:statuses")
        status = self._own(request, account)
        params = await _params(request)
        strict = self.kind == "gotosocial" and request.content_type == "application/json"
        if strict and not isinstance(params.get("sensitive", False), bool):
            raise _refused(web.HTTPBadRequest, "Bad Request: json: cannot unmarshal string into Go struct field of type bool")
        media = self._media_of(account, _ids(params), status)
        for attributes in params.get("media_attributes") or []:
            self._describe(next((one for one in media if one.id == str(attributes["id"])), None), attributes.get("description"))
        text, warning = self._checked_text(params, with_media=bool(media))
        fields = {
            "source_text": text,
            "content": self.html(text),
            "spoiler_text": warning,
            "sensitive": _true(params.get("sensitive")) or bool(warning),
            "language": params.get("language") or status.language,
            "media_ids": [one.id for one in media],
        }
        if params.get("media_attributes") or any(getattr(status, name) != value for name, value in fields.items()):
            self._count_edit(status)
            self.world.edit(status, **fields)
        return web.json_response(self.simulator.status_json(status, account))

    def _count_edit(self, status: Status) -> None:
        self._edits[status.id] = self._edits.get(status.id, 0) + 1
        if self.kind == "pixelfed" and self._edits[status.id] > EDITS_MAX:
            raise _refused(web.HTTPBadRequest, "You cannot edit your post more than 10 times.")

    def _own(self, request: web.Request, account: Account) -> Status:
        status = self.world.statuses.get(request.match_info["id"])
        if status is None or status.account.id != account.id:
            raise _refused(web.HTTPNotFound, "Record not found")
        return status

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /api/v1/statuses/:id answers with the source text, for those who redraft."""
        account = self.simulator.require(request, "write:statuses")
        self.count("delete", account.id)
        status = self._own(request, account)
        answer = self.simulator.status_json(status, account) | {"text": status.source_text}
        self.world.delete(status)
        return web.json_response(answer)

    async def source(self, request: web.Request) -> web.Response:
        """GET /api/v1/statuses/:id/source"""
        status = self._own(request, self.simulator.require(request, "read:statuses"))
        return web.json_response({"id": status.id, "text": status.source_text, "spoiler_text": status.spoiler_text})

    async def upload(self, request: web.Request) -> web.Response:
        """POST /api/v2/media: pictures are ready at once, videos later."""
        account = self.simulator.require(request, "write:media")
        self.count("media", account.id)
        params = await _params(request)
        media = self._stored(account, params.get("file"))
        self._describe(media, params.get("description"))
        self.world.media[media.id] = media
        return web.json_response(self.simulator.shapes.media(media), status=202 if media.polls_left else 200)

    def _stored(self, account: Account, data: Any) -> Media:
        if not isinstance(data, bytes) or not data:
            raise _invalid("File can't be blank")
        media_type = _sniffed(data)
        rules = CONFIGURATION["media_attachments"]
        if media_type not in rules["supported_mime_types"]:
            raise _invalid("File content type is invalid, File is invalid")
        kind = media_type.split("/")[0]
        if len(data) > rules["image_size_limit" if kind == "image" else "video_size_limit"]:
            raise _invalid("File file size is too large")
        waits = self.processing_polls if kind != "image" and self.kind != "gotosocial" else 0
        return Media(id=self.world.next_id(), account_id=account.id, type=kind, data=data, media_type=media_type, polls_left=waits)

    def _describe(self, media: Media | None, description: Any) -> None:
        if media is None or description is None:
            return
        limit = CONFIGURATION["media_attachments"]["description_limit"]
        if len(str(description)) > limit:
            raise _invalid(f"Description is too long (maximum is {limit} characters)")
        media.description = str(description)

    async def media(self, request: web.Request) -> web.Response:
        """GET and PUT /api/v1/media/:id, while it is attached to nothing: 206 as long as it is being worked on."""
        account = self.simulator.require(request, "write:media")
        media = self.world.media.get(request.match_info["id"])
        attached = any(media.id in status.media_ids for status in self.world.statuses.values()) if media else False
        if media is None or media.account_id != account.id or attached:
            raise _refused(web.HTTPNotFound, "Record not found")
        if request.method == "PUT":
            self._describe(media, (await _params(request)).get("description"))
        answer = self.simulator.shapes.media(media)
        if not media.polls_left:
            return web.json_response(answer)
        media.polls_left -= 1
        return web.json_response(answer, status=206)

    async def application(self, request: web.Request) -> web.Response:
        """GET /api/v1/apps/verify_credentials, with the scopes since 4.3."""
        self.simulator.require(request)
        token = self.world.tokens[request.headers["Authorization"].removeprefix("Bearer ")]
        answer: dict[str, Any] = {"name": token.application, "website": None}
        return web.json_response(answer | ({"scopes": sorted(token.scopes)} if self.kind == "mastodon" else {}))

    def count(self, name: str, who: str) -> dict[str, str]:
        """The headers of a throttle after one more request; 429 above its limit."""
        throttle = self.throttles[name]
        window, rest = divmod(int(self.world.now().timestamp()), int(throttle.period.total_seconds()))
        used = throttle.used[who, window] = throttle.used.get((who, window), 0) + 1
        ends = datetime.fromtimestamp(self.world.now().timestamp() - rest, UTC) + throttle.period
        headers = {
            "X-RateLimit-Limit": str(throttle.limit),
            "X-RateLimit-Remaining": str(max(0, throttle.limit - used)),
            "X-RateLimit-Reset": str(int(ends.timestamp())) if self.kind == "gotosocial" else stamp(ends),
        }
        if used > throttle.limit:
            raise _refused(web.HTTPTooManyRequests, "Too many requests", **headers)
        return headers

    @web.middleware
    async def throttled(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        """Every API request of a token counts, and every answer tells the server's own time."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        headers: dict[str, str] = {}
        try:
            if request.path.startswith("/api/") and token in self.world.tokens:
                headers = self.count("token", token)
            response = await handler(request)
        except web.HTTPException as refusal:
            kept = {name: value for name, value in refusal.headers.items() if name != "Content-Length"}
            response = web.Response(status=refusal.status, body=refusal.body, headers=kept)
        if not response.prepared:
            for name, value in headers.items():
                response.headers.setdefault(name, value)
            response.headers["Date"] = format_datetime(self.world.now().astimezone(UTC), usegmt=True)
        return response


WRITING = web.AppKey("writing", Writing)


def add_routes(simulator: MastodonSimulator) -> None:
    """Let accounts write through the API; harmless to repeat."""
    if WRITING in simulator.app:
        return
    writing = Writing(simulator)
    simulator.app[WRITING] = writing
    simulator.app.middlewares.append(writing.throttled)
    router = simulator.app.router
    router.add_post("/api/v1/statuses", writing.post)
    router.add_put("/api/v1/statuses/{id}", writing.edit)
    router.add_delete("/api/v1/statuses/{id}", writing.delete)
    router.add_get("/api/v1/statuses/{id}/source", writing.source)
    router.add_post("/api/v2/media", writing.upload)
    router.add_get("/api/v1/media/{id}", writing.media)
    router.add_put("/api/v1/media/{id}", writing.media)
    router.add_get("/api/v1/apps/verify_credentials", writing.application)


def _refused(error: type[web.HTTPError], text: str, **headers: str) -> web.HTTPError:
    return error(text=json.dumps({"error": text}), content_type="application/json", headers=headers)


def _invalid(text: str) -> web.HTTPError:
    return _refused(web.HTTPUnprocessableEntity, f"Validation failed: {text}")


def _ids(params: dict[str, Any]) -> list[str]:
    return [str(media_id) for media_id in params.get("media_ids") or []]


def _true(value: Any) -> bool:
    return str(value).lower() in ("1", "true", "on")


async def _params(request: web.Request) -> dict[str, Any]:
    """As Rails reads them: JSON, a form, or a form with files; ``name[]`` makes a list."""
    body = await request.read()
    if request.content_type == "application/json":
        try:
            found = json.loads(body)
        except ValueError as error:
            raise _refused(web.HTTPBadRequest, "Error occurred while parsing request parameters") from error
        return found if isinstance(found, dict) else {}
    pairs = _parts(request, body) if request.content_type == "multipart/form-data" else list((await request.post()).items())
    params: dict[str, Any] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            params.setdefault(name.removesuffix("[]"), []).append(value)
        else:
            params[name] = value
    return params


def _parts(request: web.Request, body: bytes) -> list[tuple[str, Any]]:
    """The parts of a multipart form (RFC 7578), files as bytes. The log of requests has read the stream, so aiohttp's reader cannot."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
    pairs: list[tuple[str, Any]] = []
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        disposition = head.decode("utf-8", "replace")
        name = disposition.partition('name="')[2].partition('"')[0]
        content = content.removesuffix(b"\r\n")
        pairs.append((name, content if 'filename="' in disposition else content.decode("utf-8")))
    return pairs


def _sniffed(data: bytes) -> str:
    for start, media_type in (
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF8", "image/gif"),
        (b"\x1aE\xdf\xa3", "video/webm"),
        (b"ID3", "audio/mpeg"),
    ):
        if data.startswith(start):
            return media_type
    if data[8:12] == b"WEBP":
        return "image/webp"
    return "video/mp4" if data[4:8] == b"ftyp" else "application/octet-stream"

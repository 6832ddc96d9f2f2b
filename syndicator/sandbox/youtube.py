"""YouTube on loopback: one channel, uploads in pieces, quotas, and Google's renewal of access.

Shapes after the discovery document (``data/youtube-discovery.json``), uploads after
https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol, errors after
https://developers.google.com/youtube/v3/docs/errors, access after https://developers.google.com/identity/protocols/oauth2/web-server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from syndicator.sandbox.openapi import flaws
from syndicator.sandbox.server import Simulator
from syndicator.sandbox.youtube_spec import spec

Json = dict[str, Any]

CLIENT_ID = "1234567890-abcdef.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-3n0ughF0rTheT3sts"  # noqa: S105
REFRESH_TOKEN = "1//03xYzRefreshForTests-L9Ir"  # noqa: S105
SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
PIECE = 256 * 1024
TITLE_MAX, DESCRIPTION_MAX, TAGS_MAX = 100, 5000, 500
CATEGORIES = frozenset({"1", "2", "10", "15", "17", "19", "20", "22", "23", "24", "25", "26", "27", "28", "29"})
UPLOADS_A_DAY, UNITS_A_DAY = 100, 10_000
SESSION_LIVES = timedelta(days=7)
ACCESS_LIVES = timedelta(seconds=3599)
PACIFIC = ZoneInfo("America/Los_Angeles")


class Refusal(Exception):
    """What the API answers instead of a result."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status = status
        self.body = refused(status, reason, message)
        super().__init__(reason)


def refused(status: int, reason: str, message: str = "") -> bytes:
    """The body of a refusal (https://developers.google.com/youtube/v3/docs/core_errors)."""
    one = {"message": message, "domain": "youtube", "reason": reason}
    return json.dumps({"error": {"code": status, "message": message, "errors": [one]}}).encode()


@dataclass(kw_only=True)
class Video:
    """A video of the channel."""

    id: str
    snippet: Json
    status: Json
    data: bytes
    at: datetime


@dataclass(kw_only=True)
class Upload:
    """A session, and what it has."""

    resource: Json
    size: int
    media_type: str
    at: datetime
    data: bytearray = field(default_factory=bytearray)
    video: Video | None = None


@dataclass(kw_only=True)
class Channel:
    """One channel, and the project that we are."""

    id: str = "UCx5Gu6gFCKmtRqNx3bSs_yw"
    client_secret: str = CLIENT_SECRET
    refresh_token: str = REFRESH_TOKEN
    refresh_ends_in: int | None = None
    scopes: tuple[str, ...] = (SCOPE,)
    audited: bool = True
    """Without it, what it uploads is private."""
    videos: dict[str, Video] = field(default_factory=dict)

    @property
    def shown(self) -> list[Video]:
        """What is there, oldest first."""
        return list(self.videos.values())


class YoutubeSimulator(Simulator):
    """YouTube, Google's uploads and Google's accounts, at one address."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.channel = Channel()
        self.uploads: dict[str, Upload] = {}
        self.access: dict[str, datetime] = {}
        self.takes: int | None = None
        """The most that is kept of one piece; None: all of it."""
        self._used: dict[str, int] = {}
        self._count = 0
        self.app.middlewares.append(self._answered)
        router = self.app.router
        router.add_post("/token", self._renew)
        router.add_get("/youtube/v3/channels", self._channels)
        router.add_get("/youtube/v3/playlistItems", self._items)
        router.add_put("/youtube/v3/videos", self._update)
        router.add_delete("/youtube/v3/videos", self._delete)
        router.add_post("/upload/youtube/v3/videos", self._begin)
        router.add_put("/upload/youtube/v3/videos", self._take)

    @web.middleware
    async def _answered(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await handler(request)
        except Refusal as error:
            response = web.Response(status=error.status, body=error.body, content_type="application/json")
        return response

    # Access

    async def _renew(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, self.channel.client_secret):
            return web.json_response({"error": "invalid_client", "error_description": "Unauthorized"}, status=401)
        if form.get("grant_type") != "refresh_token":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if form.get("refresh_token") != self.channel.refresh_token:
            told = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            return web.json_response(told, status=400)
        self._count += 1
        token = f"ya29.access-{self._count}"
        self.access[token] = self.now() + ACCESS_LIVES
        answer: Json = {"access_token": token, "expires_in": 3599, "scope": " ".join(self.channel.scopes), "token_type": "Bearer"}
        if self.channel.refresh_ends_in is not None:
            answer["refresh_token_expires_in"] = self.channel.refresh_ends_in
        return web.json_response(answer)

    def _admit(self, request: web.Request, call: str, units: int = 0) -> None:
        """Who asks, for what, and how often today."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.access.get(token, self.now()) <= self.now():
            raise Refusal(401, "authError", "Request had invalid authentication credentials.")
        known = spec()["calls"][call]
        if not set(known["scopes"]) & set(self.channel.scopes):
            raise Refusal(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        if any(name not in known["parameters"] for name in request.query):
            raise Refusal(400, "unexpectedParameter", "The request specifies an unexpected parameter.")
        if any(not request.query.get(name) for name in known["required"]):
            raise Refusal(400, "missingRequiredParameter", "The request is missing a required parameter.")
        self._spend("uploads" if call == "insert" else "units", 1 if call == "insert" else units)

    def _spend(self, what: str, units: int) -> None:
        bucket = f"{what} {self.now().astimezone(PACIFIC).date()}"
        most = UPLOADS_A_DAY if what == "uploads" else UNITS_A_DAY
        if self._used.get(bucket, 0) + units > most:
            raise Refusal(403, "quotaExceeded", "The request cannot be completed because you have exceeded your quota.")
        self._used[bucket] = self._used.get(bucket, 0) + units

    # The channel and its videos

    async def _channels(self, request: web.Request) -> web.Response:
        self._admit(request, "channels", 1)
        item = {
            "kind": "youtube#channel",
            "id": self.channel.id,
            "contentDetails": {"relatedPlaylists": {"uploads": f"UU{self.channel.id[2:]}"}},
        }
        return web.json_response({"kind": "youtube#channelListResponse", "items": [item]})

    async def _items(self, request: web.Request) -> web.Response:
        """Newest first."""
        self._admit(request, "playlistItems", 1)
        if request.query.get("playlistId") != f"UU{self.channel.id[2:]}":
            raise Refusal(404, "playlistNotFound", "The playlist cannot be found.")
        latest = self.channel.shown[::-1][: int(request.query.get("maxResults", "5"))]
        items = [
            {
                "snippet": {
                    "title": video.snippet["title"],
                    "description": video.snippet.get("description", ""),
                    "publishedAt": _stamp(video.at),
                    "resourceId": {"kind": "youtube#video", "videoId": video.id},
                }
            }
            for video in latest
        ]
        return web.json_response({"kind": "youtube#playlistItemListResponse", "items": items})

    async def _update(self, request: web.Request) -> web.Response:
        """https://developers.google.com/youtube/v3/docs/videos/update: a part that is sent replaces the whole of what was."""
        self._admit(request, "update", 50)
        body = await _resource(request)
        video = self._known(body.get("id"))
        if "snippet" in request.query["part"].split(","):
            video.snippet = _checked_snippet(body.get("snippet") or {}, whole=True)
        if "status" in request.query["part"].split(","):
            video.status = body.get("status") or {}
        return web.json_response(_shown(video))

    async def _delete(self, request: web.Request) -> web.Response:
        self._admit(request, "delete", 50)
        del self.channel.videos[self._known(request.query["id"]).id]
        return web.Response(status=204)

    def _known(self, video_id: Any) -> Video:
        video = self.channel.videos.get(str(video_id))
        if video is None:
            raise Refusal(404, "videoNotFound", "The video that you are trying to change cannot be found.")
        return video

    # Uploads

    async def _begin(self, request: web.Request) -> web.Response:
        if request.query.get("uploadType") != "resumable":
            raise Refusal(400, "mediaBodyRequired", "The request does not include the video content.")
        body = await _resource(request)
        media_type, size = request.headers.get("X-Upload-Content-Type", ""), request.headers.get("X-Upload-Content-Length", "")
        if not (media_type.startswith("video/") or media_type in spec()["accept"]) or not size.isdigit() or int(size) > spec()["max_bytes"]:
            raise Refusal(400, "invalidRequest", "The upload is not of a kind or size that is accepted.")
        _checked_snippet(body.get("snippet") or {}, whole=False)
        self._admit(request, "insert")
        upload_id = f"ADPycd{len(self.uploads)}-{'x' * 40}"
        self.uploads[upload_id] = Upload(resource=body, size=int(size), media_type=media_type, at=self.now())
        where = f"{self.url}/upload/youtube/v3/videos?uploadType=resumable&part=snippet%2Cstatus&upload_id={upload_id}"
        return web.Response(headers={"Location": where, "X-GUploader-UploadID": upload_id})

    async def _take(self, request: web.Request) -> web.Response:
        upload = self.uploads.get(request.query.get("upload_id", ""))
        if upload is None or self.now() - upload.at > SESSION_LIVES:
            return web.Response(status=404, text="Not Found")
        if upload.video is not None:
            return web.json_response(_shown(upload.video))
        said, body = request.headers.get("Content-Range", ""), await request.read()
        if said == f"bytes */{upload.size}" and not body:
            return _incomplete(upload)
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", said)
        if found is None or int(found[3]) != upload.size or int(found[2]) - int(found[1]) + 1 != len(body):
            raise Refusal(400, "badContentRange", "Failed to parse Content-Range header.")
        last = int(found[2]) + 1 == upload.size
        if int(found[1]) != len(upload.data) or (not last and len(body) % PIECE):
            raise Refusal(400, "badRequest", "The piece does not begin where the upload is, or is no multiple of 256 KiB.")
        upload.data += body if self.takes is None else body[: self.takes - self.takes % PIECE]
        if len(upload.data) < upload.size:
            return _incomplete(upload)
        upload.video = self._made(upload)
        return web.json_response(_shown(upload.video))

    def _made(self, upload: Upload) -> Video:
        status = {"privacyStatus": "public", "license": "youtube", "embeddable": True} | upload.resource.get("status", {})
        status |= {"uploadStatus": "uploaded"} | ({} if self.channel.audited else {"privacyStatus": "private"})
        video_id = f"dQw4w9W{len(self.channel.videos):04d}"
        video = Video(id=video_id, snippet=dict(upload.resource["snippet"]), status=status, data=bytes(upload.data), at=self.now())
        self.channel.videos[video_id] = video
        return video


async def _resource(request: web.Request) -> Json:
    try:
        body: Json = json.loads(await request.read())
    except ValueError as error:
        raise Refusal(400, "parseError", "Parse Error") from error
    found = list(flaws(spec()["schemas"]["Video"], body, spec()["schemas"]))
    if found:
        raise Refusal(400, "badRequest", "; ".join(f"{'.'.join(flaw.path)}: {flaw.keyword}" for flaw in found))
    return body


def _checked_snippet(snippet: Json, *, whole: bool) -> Json:
    """https://developers.google.com/youtube/v3/docs/videos/insert#errors"""
    title, description = snippet.get("title", ""), snippet.get("description", "")
    if not title.strip() or len(title) > TITLE_MAX or re.search("[<>]", title):
        raise Refusal(400, "invalidTitle", "The request metadata specifies an invalid or empty video title.")
    if len(description.encode()) > DESCRIPTION_MAX or re.search("[<>]", description):
        raise Refusal(400, "invalidDescription", "The request metadata specifies an invalid video description.")
    tags = snippet.get("tags", [])
    if sum(len(tag) + 2 * (" " in tag) for tag in tags) + max(0, len(tags) - 1) > TAGS_MAX or any(re.search("[<>,]", tag) for tag in tags):
        raise Refusal(400, "invalidTags", "The request metadata specifies invalid video keywords.")
    if snippet.get("categoryId", "" if whole else "22") not in CATEGORIES:
        raise Refusal(400, "invalidCategoryId", "The snippet.categoryId property specifies an invalid category ID.")
    return dict(snippet)


def _incomplete(upload: Upload) -> web.Response:
    """Without a range when nothing has arrived."""
    headers = {"Range": f"bytes=0-{len(upload.data) - 1}"} if upload.data else {}
    return web.Response(status=308, reason="Resume Incomplete", headers=headers)


def _shown(video: Video) -> Json:
    return {"kind": "youtube#video", "id": video.id, "snippet": video.snippet | {"publishedAt": _stamp(video.at)}, "status": video.status}


def _stamp(at: datetime) -> str:
    return at.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")

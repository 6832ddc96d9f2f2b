"""A PeerTube instance as a visitor without an account meets it.

After the OpenAPI document of PeerTube 8.1 (https://docs.joinpeertube.org/api-rest-reference.html) and its source: lists hold what is
public and published, scheduled lives only where asked for; ``description`` in lists is the truncated one; errors are RFC 7807; JSON has a
weak ETag; 50 requests in 10 seconds.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from aiohttp import web

from syndicator.sandbox.peertube_world import (
    INTERNAL,
    LIVE_ENDED,
    PASSWORD,
    PRIVATE,
    PUBLIC,
    PUBLISHED,
    TO_TRANSCODE,
    UNLISTED,
    WAITING_FOR_LIVE,
    Channel,
    Video,
    Writer,
)
from syndicator.sandbox.server import Simulator

SORTS = {"name", "duration", "createdAt", "publishedAt", "originallyPublishedAt", "views", "likes", "comments", "trending", "hot", "best"}
FILM = Path(__file__).parent / "data" / "film.mp4"
UUID_SPACE = UUID("6f1f39a4-7c6b-4b0e-9d5e-0f8a4f3b2c1d")


class PeertubeSimulator(Simulator):
    """One instance; ``version`` below 8.1 has no ``thumbnails``, below 7.3 no scheduled lives."""

    def __init__(self, *, now: Callable[[], datetime] | None = None, version: str = "8.1.0", rate_limit: int = 50) -> None:
        super().__init__(now=now)
        self.version = version
        self.rate_limit = rate_limit
        self.channels: dict[str, Channel] = {}
        self.videos: dict[str, Video] = {}
        self._last_id = 0
        self._window: tuple[datetime, int] | None = None
        self.app.middlewares.append(self._limit)
        route = self.app.router.add_get
        route("/api/v1/video-channels/{handle}", self._channel)
        route("/api/v1/accounts/{handle}", self._account)
        route("/api/v1/{kind:video-channels|accounts}/{handle}/videos", self._list)
        route("/api/v1/videos/{id}", self._detail)
        route("/lazy-static/thumbnails/{name}", self._picture)
        route("/static/web-videos/{name}", self._film)
        route("/static/streaming-playlists/hls/{uuid}/{name}", self._film)
        route("/.well-known/nodeinfo", self._nodeinfo_links)
        route("/nodeinfo/2.0.json", self._nodeinfo)
        route("/videos/watch/{id}", self._watch_page)
        route("/w/{id}", self._watch_page)
        route("/{kind:c|a|video-channels|accounts}/{handle}{rest:(/.*)?}", self._actor_page)
        route("/@{handle}", self._actor_page)

    # The world

    def add_channel(self, name: str, display_name: str = "", *, account: str = "asso", host: str | None = None) -> Channel:
        """A channel of ``account``; known from another instance when it has a ``host``."""
        channel = Channel(name=name, display_name=display_name or name, account=account, host=host)
        self.channels[channel.handle] = channel
        return channel

    def publish(self, channel: str, name: str, *, at: datetime | None = None, **fields: Any) -> Video:
        """Put a video online; ``fields`` are those of ``Video``."""
        self._last_id += 1
        at = at or self.now()
        uuid = str(uuid5(UUID_SPACE, f"{self._last_id}"))
        known: dict[str, Any] = {"id": self._last_id, "uuid": uuid, "channel": self.channels[channel], "name": name}
        dates = {"created_at": at, "published_at": at, "updated_at": at}
        video = Video(**(known | dates | fields))
        self.videos[uuid] = video
        return video

    def edit(self, uuid: str, **fields: Any) -> Video:
        """Change what the owner can change."""
        self.videos[uuid] = replace(self.videos[uuid], updated_at=self.now(), **fields)
        return self.videos[uuid]

    def unpublish(self, uuid: str, privacy: int = PRIVATE) -> None:
        """Take it out of the public's sight."""
        self.edit(uuid, privacy=privacy)

    def delete(self, uuid: str) -> None:
        """Remove it for good."""
        del self.videos[uuid]

    def view(self, uuid: str) -> None:
        """Somebody watched it: views and ``updatedAt`` move, nothing else."""
        self.edit(uuid, views=self.videos[uuid].views + 1)

    def schedule_live(self, channel: str, name: str, starts_at: datetime, **fields: Any) -> Video:
        """Announce a live."""
        live: dict[str, Any] = {
            "is_live": True,
            "state": WAITING_FOR_LIVE,
            "schedules": (starts_at,),
            "duration": 0,
            "wait_transcoding": False,
        }
        return self.publish(channel, name, **(live | fields))

    def start_live(self, uuid: str) -> None:
        """On air: published now."""
        self.edit(uuid, state=PUBLISHED, published_at=self.now())

    def end_live(self, uuid: str, *, replay: bool) -> None:
        """Off air. The replay takes the live's place, once ``transcoded``; a permanent live waits for the next broadcast."""
        live = self.videos[uuid]
        if replay and not live.permanent_live:
            self.edit(uuid, is_live=False, schedules=(), state=TO_TRANSCODE, wait_transcoding=True)
        else:
            self.edit(uuid, state=WAITING_FOR_LIVE if live.permanent_live else LIVE_ENDED, schedules=())

    def transcoded(self, uuid: str, duration: int = 3600) -> None:
        """Transcoding is done: PeerTube counts the replay as newly published."""
        self.edit(uuid, state=PUBLISHED, duration=duration, published_at=self.now())

    def uid(self, video: Video) -> str:
        """Its ActivityPub id."""
        return f"{self._writer().home(video.channel)}/videos/watch/{video.uuid}"

    def _writer(self) -> Writer:
        return Writer(url=self.url, host=self.host, version=self._version())

    # The API

    async def _list(self, request: web.Request) -> web.StreamResponse:
        actor = self._actor(request, request.match_info["kind"] == "video-channels")
        if actor is None:
            return _problem(404, "Not found", request)
        query = request.query
        wrong = _wrong_parameters(query)
        if wrong:
            return _problem(400, f"Incorrect request parameters: {', '.join(wrong)}", request)
        scheduled = query.get("includeScheduledLive") == "true" and self._version() >= (7, 3)
        shown = [video for video in self.videos.values() if self._is_listed(video, actor, query, scheduled=scheduled)]
        shown.sort(key=lambda video: (video.published_at, video.id), reverse=True)
        start, count = int(query.get("start", "0")), int(query.get("count", "15"))
        page = {"data": [self._writer().video(video, scheduled=scheduled) for video in shown[start : start + count]]}
        return self._answer(request, page if query.get("skipCount") == "true" else {"total": len(shown), **page})

    def _is_listed(self, video: Video, actor: list[Channel], query: Any, *, scheduled: bool) -> bool:
        published = video.state == PUBLISHED or (video.state == TO_TRANSCODE and not video.wait_transcoding)
        to_come = scheduled and video.state == WAITING_FOR_LIVE and any(at > self.now() for at in video.schedules)
        # Without the parameter the instance's default policy hides sensitive videos.
        sensitive_fits = {"true": video.nsfw, "both": True}.get(query.get("nsfw", "false"), not video.nsfw)
        live_fits = query.get("isLive") in (None, str(video.is_live).lower())
        return video.privacy == PUBLIC and video.channel in actor and (published or to_come) and sensitive_fits and live_fits

    async def _detail(self, request: web.Request) -> web.StreamResponse:
        asked = request.match_info["id"]
        if not re.fullmatch(r"\d+|[0-9a-f-]{36}|[1-9a-zA-Z]{22}", asked):
            return _problem(400, "Incorrect request parameters: id", request)
        video = next((video for video in self.videos.values() if asked in (str(video.id), video.uuid, video.short)), None)
        if video is None:
            return _problem(404, "Video not found", request)
        if video.privacy == PASSWORD:
            detail = "Please provide a password to access this password protected video"
            return _problem(403, detail, request, code="video_requires_password")
        if video.privacy in (PRIVATE, INTERNAL) or (video.privacy == UNLISTED and asked == str(video.id)):
            return _problem(403, "Cannot fetch information of private/internal/blocked video", request)
        more = self._writer().detail(video, size=FILM.stat().st_size)
        return self._answer(request, self._writer().video(video, scheduled=True) | more)

    async def _channel(self, request: web.Request) -> web.StreamResponse:
        actor = self._actor(request, channel=True)
        return self._answer(request, self._writer().channel(actor[0])) if actor else _problem(404, "Video channel not found", request)

    async def _account(self, request: web.Request) -> web.StreamResponse:
        actor = self._actor(request, channel=False)
        return self._answer(request, self._writer().account(actor[0])) if actor else _problem(404, "Account not found", request)

    def _actor(self, request: web.Request, channel: bool) -> list[Channel] | None:
        """The channels that a handle means; a local handle may carry this instance's own host."""
        handle = request.match_info["handle"].removesuffix(f"@{self.host}")
        if channel:
            return [self.channels[handle]] if handle in self.channels else None
        return [one for one in self.channels.values() if (f"{one.account}@{one.host}" if one.host else one.account) == handle] or None

    def _version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split(".")[:2])

    def _answer(self, request: web.Request, data: Any) -> web.Response:
        """JSON with Express's weak ETag."""
        body = json.dumps(data).encode()
        etag = f'W/"{len(body):x}-{hashlib.sha1(body, usedforsecurity=False).hexdigest()[:27]}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, content_type="application/json", charset="utf-8", headers={"ETag": etag})

    @web.middleware
    async def _limit(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        if not request.path.startswith("/api/"):
            return await handler(request)
        now = self.now()
        began, used = self._window or (now, 0)
        if now - began >= timedelta(seconds=10):
            began, used = now, 0
        self._window = (began, used + 1)
        reset = began + timedelta(seconds=10)
        headers = {
            "X-RateLimit-Limit": str(self.rate_limit),
            "X-RateLimit-Remaining": str(max(0, self.rate_limit - used - 1)),
            "X-RateLimit-Reset": str(int(reset.timestamp())),
        }
        if used >= self.rate_limit:
            refusal = _problem(429, "Too many requests, please try again later.", request)
            refusal.headers.update(headers | {"Retry-After": str(max(1, int((reset - now).total_seconds())))})
            return refusal
        response = await handler(request)
        response.headers.update(headers)
        return response

    # Pages and files

    async def _watch_page(self, request: web.Request) -> web.Response:
        asked = request.match_info["id"]
        video = next((video for video in self.videos.values() if asked in (video.uuid, video.short)), None)
        if video is None or video.privacy not in (PUBLIC, UNLISTED):
            return _page("PeerTube", "", status=404)
        return _page(video.name, f'<link rel="canonical" href="{self.url}/w/{video.short}">')

    async def _actor_page(self, request: web.Request) -> web.Response:
        kind = request.match_info.get("kind", "")
        channel = self._actor(request, channel=True) if kind not in ("a", "accounts") else None
        account = self._actor(request, channel=False) if channel is None and kind not in ("c", "video-channels") else None
        if not channel and not account:
            return _page("PeerTube", "", status=404)
        feed = "/feeds/videos.xml?" + ("videoChannelId=1" if channel else "accountId=1")
        name = channel[0].display_name if channel else (account or [])[0].account
        return _page(name, f'<link rel="alternate" type="application/rss+xml" title="{escape(name)}" href="{feed}">')

    async def _picture(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        size = (280, 157) if name.startswith("small-") else (850, 480)
        return web.Response(body=_jpeg(name, size), content_type="image/jpeg")

    async def _film(self, request: web.Request) -> web.StreamResponse:
        """The same three seconds, whatever the video and its size; in parts, where they are asked for."""
        uuid, _, rest = request.match_info["name"].rpartition(".mp4")[0].removesuffix("-fragmented").rpartition("-")
        video = self.videos.get(uuid)
        if video is None or video.privacy not in (PUBLIC, UNLISTED) or rest not in map(str, video.lines):
            return _problem(404, "File not found", request)
        return web.FileResponse(FILM, headers={"Content-Type": "video/mp4"})

    async def _nodeinfo_links(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": f"{self.url}/nodeinfo/2.0.json"}]}
        )

    async def _nodeinfo(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"version": "2.0", "software": {"name": "peertube", "version": self.version}, "protocols": ["activitypub"], "metadata": {}}
        )


def _wrong_parameters(query: Any) -> list[str]:
    rules: dict[str, Callable[[str], bool]] = {
        "start": lambda text: text.isdigit(),
        "count": lambda text: text.isdigit() and int(text) <= 100,
        "sort": lambda text: text.removeprefix("-") in SORTS,
        "nsfw": lambda text: text in ("true", "false", "both"),
        "skipCount": lambda text: text in ("true", "false"),
        "isLive": lambda text: text in ("true", "false"),
        "includeScheduledLive": lambda text: text in ("true", "false"),
    }
    return [name for name, is_right in rules.items() if name in query and not is_right(query[name])]


def _problem(status: int, detail: str, request: web.Request, *, code: str | None = None) -> web.Response:
    """RFC 7807, as PeerTube words it."""
    titles = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
    kind = f"https://docs.joinpeertube.org/api-rest-reference.html#section/Errors/{code}" if code else "about:blank"
    body = {"type": kind, "detail": detail, "status": status, "title": titles[status], "instance": request.path} | (
        {"code": code} if code else {}
    )
    return web.json_response(body, status=status, content_type="application/problem+json")


def _page(title: str, head: str, *, status: int = 200) -> web.Response:
    opening = f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>{escape(title)}</title>{head}</head>'
    return web.Response(text=f"{opening}<body><h1>{escape(title)}</h1></body></html>", content_type="text/html", status=status)


def _jpeg(name: str, size: tuple[int, int]) -> bytes:
    """A real picture of one colour, always the same for one name."""
    from PIL import Image

    red, green, blue = hashlib.sha256(name.removeprefix("small-").encode()).digest()[:3]
    out = io.BytesIO()
    Image.new("RGB", size, (red, green, blue)).save(out, "JPEG")
    return out.getvalue()

"""A Facebook Page on loopback: what its token may do through the Graph API, checked against Meta's specification (``graph.py``).

https://developers.facebook.com/docs/pages-api/posts, …/docs/graph-api/reference/page/photos and …/docs/graph-api/video-uploads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from syndicator.sandbox.graph import File, GraphSimulator, Json, asked, checked, error

PAGE = "104230415558080"
PERSON = "10158777121210001"
MESSAGE_MAX = 63_206
PHOTO_MAX_BYTES = 4 * 1024**2
TEMPORARY_FOR = timedelta(hours=24)
SAME_WITHIN = timedelta(hours=1)
CHUNK = 1_048_576
SCOPES = ("pages_show_list", "pages_read_engagement", "pages_manage_posts", "public_profile")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A picture; unpublished until a post shows it."""

    id: str
    at: datetime
    file: File
    alt: str = ""
    temporary: bool = False


@dataclass(frozen=True, kw_only=True)
class Post:
    """What the public sees."""

    id: str
    at: datetime
    message: str = ""
    link: str | None = None
    """The card, crawled from that page."""
    photos: tuple[Photo, ...] = ()
    video: str | None = None


@dataclass(kw_only=True)
class Upload:
    """A video on its way."""

    session: str
    video: str
    size: int
    data: bytes = b""
    published: bool = False
    ready: bool = False
    """Whether Facebook is done working on it, so that it is listed."""
    description: str = ""


@dataclass(kw_only=True)
class World:
    """The Page, and the person who made its token."""

    name: str = "Les Amis du Vélo"
    posts: dict[str, Post] = field(default_factory=dict)
    photos: dict[str, Photo] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    """By video."""
    token_of: str = PAGE
    """Whose token it is: the Page's, or by mistake the person's."""
    scopes: tuple[str, ...] = SCOPES
    expires_at: datetime | None = None
    may_debug: bool = True
    """Whether the token is that of a developer of the application."""
    works_at_once: bool = True
    """Whether videos are ready as soon as they are published."""


class FacebookSimulator(GraphSimulator):
    """One Page."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.world = World()
        self._count = 0
        router = self.app.router
        router.add_get("/{version}/me", self._me)
        router.add_get("/{version}/debug_token", self._debug)
        page = f"/{{version}}/{PAGE}"
        router.add_post(f"{page}/feed", self._feed)
        router.add_post(f"{page}/photos", self._photo)
        router.add_post(f"{page}/videos", self._video)
        router.add_get(f"{page}/published_posts", self._published)
        router.add_get("/{version}/{node}", self._read)
        router.add_post("/{version}/{node}", self._edit)
        router.add_delete("/{version}/{node}", self._delete)

    @property
    def shown(self) -> list[Post]:
        """What the public sees, oldest first."""
        return sorted(self.world.posts.values(), key=lambda post: (post.at, post.id))

    async def _me(self, request: web.Request) -> web.Response:
        await checked(request, "Page", "GET #get")
        name = self.world.name if self.world.token_of == PAGE else "Camille"
        return web.json_response({"id": self.world.token_of, "name": name})

    async def _debug(self, request: web.Request) -> web.Response:
        """https://developers.facebook.com/docs/graph-api/reference/debug_token"""
        if not self.world.may_debug:
            raise error(
                100, 0, "(#100) You must provide an app access token, or a user access token that is an owner or developer of the app"
            )
        if (await asked(request)).text("input_token") != self.token:
            return web.json_response({"data": {"is_valid": False, "scopes": []}})
        at = self.world.expires_at
        told = {"type": "PAGE", "is_valid": True, "expires_at": int(at.timestamp()) if at else 0, "scopes": list(self.world.scopes)}
        return web.json_response({"data": {**told, "profile_id": self.world.token_of}})

    def _may_write(self) -> None:
        if "pages_manage_posts" not in self.world.scopes:
            raise error(200, 0, "(#200) The permission(s) pages_manage_posts are not available")
        if self.world.token_of != PAGE:
            raise error(210, 0, "(#210) A page access token is required to request this resource.")

    async def _feed(self, request: web.Request) -> web.Response:
        self._may_write()
        given = await checked(request, "Page", "POST feed")
        message, link = given.text("message").strip(), given.text("link") or None
        photos = self._attached(given.value("attached_media") or [])
        if not message and not link and not photos:
            raise error(100, 0, "(#100) Missing message or attachment")
        _check_message(message)
        if link is not None:
            _check_link(link)
        self._refuse_twice(message, link, photos)
        post = self._show(message=message, link=link, photos=photos)
        return web.json_response({"id": post.id})

    def _attached(self, media: Any) -> tuple[Photo, ...]:
        found = []
        for one in media if isinstance(media, list) else []:
            photo = self.world.photos.get(str(one.get("media_fbid"))) if isinstance(one, dict) else None
            if photo is None or (photo.temporary and self.now() - photo.at > TEMPORARY_FOR):
                raise error(100, 0, "(#100) Param attached_media has an invalid media_fbid")
            found.append(photo)
        return tuple(found)

    def _refuse_twice(self, message: str, link: str | None, photos: tuple[Photo, ...]) -> None:
        """The same words again, soon."""
        recent = [post for post in self.shown if self.now() - post.at <= SAME_WITHIN]
        if message and any((post.message, post.link, len(post.photos)) == (message, link, len(photos)) for post in recent):
            raise error(506, 0, "Duplicate status message", error_user_title="Duplicate Status Update")

    def _show(self, **content: Any) -> Post:
        post = Post(id=f"{PAGE}_{self._number()}", at=self.now(), **content)
        self.world.posts[post.id] = post
        return post

    def _number(self) -> str:
        self._count += 1
        return str(122_093_000_000_000_000 + self._count)

    async def _photo(self, request: web.Request) -> web.Response:
        self._may_write()
        given = await checked(request, "Page", "POST photos")
        file = given.files.get("source")
        if file is None or not file.data.startswith(_PICTURES):
            raise error(324, 2069019, "(#324) Missing or invalid image file")
        if len(file.data) > PHOTO_MAX_BYTES:
            raise error(1, 1366046, "Your photos couldn't be uploaded. Photos should be smaller than 4 MB and saved as JPG, PNG.")
        if given.flag("temporary", False) and given.flag("published", True):
            raise error(100, 0, "(#100) Only unpublished photos can be temporary")
        alt, temporary = given.text("alt_text_custom"), given.flag("temporary", False)
        photo = Photo(id=self._number(), at=self.now(), file=file, alt=alt, temporary=temporary)
        self.world.photos[photo.id] = photo
        if not given.flag("published", True):
            return web.json_response({"id": photo.id})
        return web.json_response({"id": photo.id, "post_id": self._show(message=given.text("message"), photos=(photo,)).id})

    async def _video(self, request: web.Request) -> web.Response:
        self._may_write()
        given = await checked(request, "Page", "POST videos")
        phase = given.text("upload_phase")
        if phase == "start":
            size = int(given.text("file_size") or 0)
            upload = Upload(session=self._number(), video=self._number(), size=size)
            self.world.uploads[upload.video] = upload
            return web.json_response({"upload_session_id": upload.session, "video_id": upload.video, **_wanted(upload)})
        found = next((one for one in self.world.uploads.values() if one.session == given.text("upload_session_id")), None)
        if found is None or found.published:
            raise error(6000, 1363019, "There was a problem uploading your video file. Please try again with another file.")
        if phase == "transfer":
            chunk = given.files.get("video_file_chunk")
            if chunk is None or given.text("start_offset") != str(len(found.data)):
                told = {"start_offset": len(found.data), "end_offset": min(len(found.data) + CHUNK, found.size)}
                raise error(6001, 1363037, "Invalid start offset", error_data=told)
            found.data += chunk.data[:CHUNK]
            return web.json_response(_wanted(found))
        return self._finish(found, given.text("description"))

    def _finish(self, upload: Upload, description: str) -> web.Response:
        _check_message(description)
        if len(upload.data) != upload.size:
            raise error(6000, 1363030, "The upload is not complete")
        upload.published, upload.description = True, description
        if self.world.works_at_once:
            self.work()
        return web.json_response({"success": True})

    def work(self) -> None:
        """Facebook gets done with the videos that were published."""
        for upload in self.world.uploads.values():
            if upload.published and not upload.ready:
                upload.ready = True
                self._show(message=upload.description, video=upload.video)

    async def _published(self, request: web.Request) -> web.Response:
        given = await checked(request, "Page", "GET published_posts")
        limit, fields = int(given.text("limit") or 25), _fields(given.text("fields"))
        if limit > 100:
            raise error(100, 0, "(#100) The parameter limit is greater than the maximum allowed")
        posts = [_post_json(post, fields) for post in reversed(self.shown)]
        return web.json_response({"data": posts[:limit]})

    async def _read(self, request: web.Request) -> web.Response:
        upload = self.world.uploads.get(request.match_info["node"])
        if upload is None:
            return self.missing(request.match_info["node"])
        done = {True: "complete", False: "not_started"}
        phases = {
            "uploading_phase": {"status": "complete" if upload.published else "in_progress"},
            "processing_phase": {"status": done[upload.ready]},
            "publishing_phase": {"status": done[upload.ready]},
        }
        status = {"video_status": "ready" if upload.ready else "processing" if upload.published else "uploading", **phases}
        return web.json_response({"id": upload.video, "status": status})

    async def _edit(self, request: web.Request) -> web.Response:
        self._may_write()
        node = request.match_info["node"]
        post = self._post_of(node)
        if post is None:
            return self.missing(node)
        given = await (checked(request, "PagePost", "POST #update") if post.id == node else checked(request, "AdVideo", "POST #update"))
        message = given.text("message" if post.id == node else "description").strip()
        _check_message(message)
        self.world.posts[post.id] = replace(post, message=message)
        return web.json_response({"success": True})

    async def _delete(self, request: web.Request) -> web.Response:
        self._may_write()
        node = request.match_info["node"]
        post = self._post_of(node)
        if post is None:
            return self.missing(node)
        del self.world.posts[post.id]
        self.world.uploads.pop(post.video or "", None)
        return web.json_response({"success": True})

    def _post_of(self, node: str) -> Post | None:
        """A post by its own number, or its video's."""
        return next((post for post in self.shown if node in (post.id, post.video)), None)


def _wanted(upload: Upload) -> Json:
    """Which bytes come next, as text."""
    start = len(upload.data)
    return {"start_offset": str(start), "end_offset": str(min(start + CHUNK, upload.size))}


def _check_message(message: str) -> None:
    if len(message) > MESSAGE_MAX:
        raise error(100, 0, f"(#100) Param message must be at most {MESSAGE_MAX} characters long")


def _check_link(link: str) -> None:
    host = (urlsplit(link).hostname or "").lower()
    if urlsplit(link).scheme not in ("http", "https") or not host:
        raise error(100, 1500, "The url you supplied is invalid")
    if re.search(r"(^|\.)(facebook\.com|fb\.com)$", host):
        raise error(
            100,
            1609008,
            "(#100) Invalid parameter",
            error_user_title="Link To Facebook",
            error_user_msg="Links to Facebook are not allowed",
        )


def _fields(text: str) -> set[str]:
    """The fields asked for, without what is asked of them."""
    flat = text
    while "{" in flat:
        flat = re.sub(r"\{[^{}]*\}", "", flat)
    return {name.strip() for name in flat.split(",") if name.strip()} or {"id", "message", "created_time"}


def _post_json(post: Post, fields: set[str]) -> Mapping[str, Any]:
    shown: Json = {
        "created_time": post.at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "permalink_url": f"https://www.facebook.com/{PAGE}/posts/{post.id}",
    }
    shown |= {"message": post.message} if post.message else {}
    parts: list[Json] = [{"target": {"id": photo.id}} for photo in post.photos] or ([{"target": {"id": post.video}}] if post.video else [])
    if len(parts) > 1:
        # Several pictures make an album, which has a number of its own.
        parts = [{"target": {"id": post.id.partition("_")[2]}, "subattachments": {"data": parts}}]
    shown |= {"attachments": {"data": parts}} if parts else {}
    return {"id": post.id} | {name: value for name, value in shown.items() if name in fields}

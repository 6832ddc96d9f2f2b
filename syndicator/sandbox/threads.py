"""Threads' API on loopback: containers made, looked at and published for one profile; parts of a thread; deletions.

Meta publishes no specification of it that a machine can read: the calls, their parameters and their limits are those of its pages
(https://developers.facebook.com/documentation/threads/posts, …/posts/delete-posts, …/troubleshooting, …/retrieve-and-manage-replies,
…/create-posts/spoilers, …/create-posts/text-attachments, read in November 2026). Where those say that something is refused but not with
which code, it is 100.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import regex
from aiohttp import web

from syndicator.sandbox.containers import Container, ContainerSimulator, Fetched, Published, children_of, fetched, fields, listed, stamp
from syndicator.sandbox.graph import Asked, asked, error
from syndicator.sandbox.graph_spec import fits

Json = dict[str, Any]

TEXT_MAX = 500
ALT_MAX = 1000
LINKS_MAX = 5
IMAGE_MAX_BYTES = 8 * 1024**2
RATIO_MAX = 10.0
CAROUSEL = (2, 20)
DELETIONS_A_DAY = 100
PERMISSIONS = frozenset({"threads_basic", "threads_content_publish", "threads_delete", "threads_manage_replies", "threads_read_replies"})
PARAMETERS: Mapping[str, str] = {
    "media_type": "string", "text": "string", "image_url": "string", "video_url": "string", "is_carousel_item": "bool",
    "children": "string", "alt_text": "string", "link_attachment": "string", "topic_tag": "string", "reply_to_id": "string",
    "reply_control": "string",
    "quote_post_id": "string", "auto_publish_text": "bool", "is_spoiler_media": "bool", "text_entities": "list<map>",
}  # fmt: skip
"""Of ``POST threads``."""
CONTAINER_FIELDS = frozenset({"id", "status", "error_message"})
POST_FIELDS = frozenset({
    "id", "media_product_type", "media_type", "permalink", "owner", "username", "text", "timestamp", "shortcode", "is_quote_post",
    "alt_text", "has_replies", "is_reply", "root_post", "replied_to", "link_attachment_url", "topic_tag", "is_spoiler_media",
})  # fmt: skip
_URL = re.compile(r"https?://[^\s<>]+|\bwww\.[^\s<>]+")
_EMOJI = regex.compile(r"\p{Emoji_Presentation}|\p{Extended_Pictographic}|[\p{Regional_Indicator}\u200d\ufe0f\u20e3]|\p{Emoji_Modifier}")


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """A post that its author removed."""

    id: str
    at: datetime


class ThreadsSimulator(ContainerSimulator):
    """One profile."""

    renewal = "th_refresh_token"

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now, versions=("v1.0",), account_id="17841405793180000", username="amisduvelo")
        self.token = self.grant("seed", permissions=PERMISSIONS)
        self.quota_total = 250
        self.lost: set[str] = set()
        """Containers that are said to be finished and are not found when they are to be published."""
        self.deletions: list[Deletion] = []
        router = self.app.router
        router.add_get("/{version}/me", self._me)
        router.add_get("/{version}/{account}/threads_publishing_limit", self._quota)
        router.add_get("/{version}/{account}/threads", self._list)
        router.add_get("/{version}/{account}/replies", self._replies)
        router.add_post("/{version}/{account}/threads", self._create)
        router.add_post("/{version}/{account}/threads_publish", self._publish)
        router.add_get("/{version}/{object}", self._show)
        router.add_delete("/{version}/{object}", self._delete)

    def parent_of(self, post: Published) -> str | None:
        """The number of the post that it answers."""
        return post.given.get("reply_to_id") or None

    async def _may(self, request: web.Request, permission: str) -> None:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        token = value.strip() if kind.lower() in ("bearer", "oauth") else (await asked(request)).text("access_token")
        if permission not in self.grants[token].permissions:
            raise error(10, 0, f"Application does not have permission for this action: {permission}")

    async def _me(self, request: web.Request) -> web.Response:
        whole = {"id": self.account_id, "username": self.username, "name": "Les Amis du Vélo"}
        return web.json_response(fields(request, whole, frozenset({*whole, "threads_profile_picture_url", "threads_biography"})))

    async def _quota(self, request: web.Request) -> web.Response:
        self.own(request)
        await self._may(request, "threads_content_publish")
        day = {"quota_duration": 86_400}
        quota = {
            "quota_usage": self.used(),
            "config": {"quota_total": self.quota_total, **day},
            "delete_quota_usage": self._deleted_today(),
            "delete_config": {"quota_total": DELETIONS_A_DAY, **day},
        }
        names = request.query.get("fields", "quota_usage").split(",")
        return web.json_response({"data": [{name: quota[name] for name in names if name in quota}]})

    async def _list(self, request: web.Request) -> web.Response:
        self.own(request)
        posts = [] if self.unlisted else [post for post in self.shown if not self.parent_of(post)]
        return listed(request, [self._json(post) for post in posts], POST_FIELDS)

    async def _replies(self, request: web.Request) -> web.Response:
        self.own(request)
        await self._may(request, "threads_read_replies")
        posts = [] if self.unlisted else [post for post in self.shown if self.parent_of(post)]
        return listed(request, [self._json(post) for post in posts], POST_FIELDS)

    async def _create(self, request: web.Request) -> web.Response:
        self.own(request)
        await self._may(request, "threads_content_publish")
        found = await asked(request)
        self._check(found)
        kind, flagged = found.text("media_type"), found.flag("is_carousel_item", default=False)
        if kind == "CAROUSEL":
            return web.json_response({"id": self._carousel(found).id})
        if kind == "TEXT":
            if not found.text("text") or flagged:
                raise error(100, 0, "Param text is required", type="THApiException")
            return web.json_response({"id": self.keep(found.given).id})
        if kind not in ("IMAGE", "VIDEO"):
            raise error(100, 0, "Param media_type must be one of {TEXT, IMAGE, VIDEO, CAROUSEL}", type="THApiException")
        return web.json_response({"id": (await self._medium(found, kind)).id})

    def _check(self, found: Asked) -> None:
        for name, value in found.given.items():
            if name != "access_token" and (name not in PARAMETERS or not fits(value, PARAMETERS[name])):
                raise error(100, 0, f"Param {name} is not one of POST threads, or must be {PARAMETERS.get(name)}", type="THApiException")
        if size(found.text("text")) > TEXT_MAX:
            raise error(100, 0, f"Param text must be at most {TEXT_MAX} characters long.", type="THApiException")
        if len(found.text("alt_text")) > ALT_MAX:
            raise error(100, 0, f"Param alt_text must be at most {ALT_MAX} characters long.", type="THApiException")
        if len({*_URL.findall(found.text("text")), *filter(None, [found.text("link_attachment")])}) > LINKS_MAX:
            raise error(100, 0, "THREADS_API__LINK_LIMIT_EXCEEDED", type="THApiException", error_user_title="Too many links")
        if found.text("link_attachment") and found.text("media_type") != "TEXT":
            raise error(100, 0, "Param link_attachment is for text posts", type="THApiException")
        if found.flag("is_spoiler_media", default=False) and found.text("media_type") == "TEXT":
            raise error(100, 0, "Param is_spoiler_media is for media", type="THApiException")
        if not re.fullmatch(r"[^.&]{0,50}", found.text("topic_tag")):
            raise error(100, 0, "Param topic_tag must have 1 to 50 characters, no periods and no ampersands", type="THApiException")
        if found.text("reply_to_id") and found.text("reply_to_id") not in self.posts:
            raise error(24, 4279009, "The requested resource does not exist", error_user_title="Media Not Found")

    async def _medium(self, found: Asked, kind: str) -> Container:
        url = found.text("image_url" if kind == "IMAGE" else "video_url")
        if not url:
            raise error(100, 0, f"Param {kind.lower()}_url is required", type="THApiException")
        file = await fetched(url)
        if kind == "VIDEO":
            trouble = (
                "FAILED_DOWNLOADING_VIDEO" if file is None else "" if file.media_type.startswith("video/") else "FAILED_PROCESSING_VIDEO"
            )
            return self.keep(found.given, (file,) if file else (), trouble=trouble)
        _check_image(file, url)
        return self.keep(found.given, (file,) if file else ())

    def _carousel(self, found: Asked) -> Container:
        children = children_of(found, self.containers)
        if len(children) != len(found.text("children").split(",")) or not CAROUSEL[0] <= len(children) <= CAROUSEL[1]:
            raise error(100, 0, f"Param children must hold {CAROUSEL[0]} to {CAROUSEL[1]} containers", type="THApiException")
        if not all(str(self.containers[child].given.get("is_carousel_item")).lower() == "true" for child in children):
            raise error(100, 0, "Param children: each is to be made with is_carousel_item", type="THApiException")
        return self.keep(found.given, children=children)

    async def _publish(self, request: web.Request) -> web.Response:
        self.own(request)
        await self._may(request, "threads_content_publish")
        container = self.containers.get((await asked(request)).text("creation_id"))
        state = self.status(container) if container else "PUBLISHED"
        if container is None or state in ("PUBLISHED", "EXPIRED", "IN_PROGRESS") or container.id in self.lost:
            raise error(24, 4279009, "The requested resource does not exist", error_user_title="Media Not Found")
        if state == "ERROR":
            raise error(-1, 0, "An unknown error occurred")
        if self.used() >= self.quota_total:
            raise error(9, 0, "The user has reached the maximum number of posts of 24 hours")
        return web.json_response({"id": self.publish(container, str(container.given.get("text") or "")).id})

    async def _show(self, request: web.Request) -> web.Response:
        name = request.match_info["object"]
        container, post = self.containers.get(name), self.posts.get(name)
        if container is not None:
            state = self.status(container)
            whole = {"id": name, "status": state} | ({"error_message": container.trouble} if state == "ERROR" else {})
            return web.json_response(fields(request, whole, CONTAINER_FIELDS))
        if post is None:
            return self.missing(name)
        return web.json_response(fields(request, self._json(post), POST_FIELDS))

    async def _delete(self, request: web.Request) -> web.Response:
        """https://developers.facebook.com/documentation/threads/posts/delete-posts"""
        await self._may(request, "threads_delete")
        name = request.match_info["object"]
        if name not in self.posts:
            return self.missing(name)
        if self._deleted_today() >= DELETIONS_A_DAY:
            raise error(4, 0, "Application request limit reached")
        del self.posts[name]
        self.deletions.append(Deletion(id=name, at=self.now()))
        return web.json_response({"success": True, "deleted_id": name})

    def _deleted_today(self) -> int:
        return sum(self.now() - deletion.at < timedelta(days=1) for deletion in self.deletions)

    def _json(self, post: Published) -> Json:
        shortcode = f"D{int(post.id) % 10**9:x}"
        parent = self.parent_of(post)
        whole: Json = {
            "id": post.id,
            "media_product_type": "THREADS",
            "permalink": f"https://www.threads.com/@{self.username}/post/{shortcode}",
            "shortcode": shortcode,
            "username": self.username,
            "timestamp": stamp(post.at),
            "is_reply": parent is not None,
        }
        return whole | ({"text": post.text} if post.text else {}) | ({"replied_to": {"id": parent}} if parent else {})


def size(text: str) -> int:
    """How long a text is: characters, but emoji count as their UTF-8 bytes."""
    return sum(len(sign.encode()) if _EMOJI.fullmatch(sign) else 1 for sign in unicodedata.normalize("NFC", text))


def _check_image(image: Fetched | None, url: str) -> None:
    if image is None:
        raise error(
            100,
            2207052,
            "The media could not be fetched from this URI",
            error_user_msg=f"The media could not be fetched from this URI: {url}",
        )
    if image.media_type not in ("image/jpeg", "image/png"):
        raise error(36001, 2207005, f"The image format {image.media_type} is not supported.")
    if len(image.data) > IMAGE_MAX_BYTES:
        raise error(36000, 2207004, "The image size is too large.")
    if not 1 / RATIO_MAX <= image.width / image.height <= RATIO_MAX:
        raise error(36003, 2207009, "The submitted image with aspect ratio cannot be published.")

"""Instagram's API with Instagram login, on loopback: containers made, looked at and published for one professional account.

Checked against Meta's own specification of the nodes (``data/graph.IGUserForIGOnlyAPI.json``) and refusing what the documentation says it
refuses (https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/ig-user/media and …/error-codes).
What a second publication of one container is answered is nowhere written: here, that there is no such container any more.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from syndicator.sandbox.containers import Container, ContainerSimulator, Fetched, children_of, fetched, fields, listed, stamp
from syndicator.sandbox.graph import Asked, checked, error
from syndicator.sandbox.graph_spec import node

Json = dict[str, Any]

CAPTION_MAX = 2200
HASHTAGS_MAX = 30
MENTIONS_MAX = 20
IMAGE_MAX_BYTES = 8 * 1024**2
RATIO = (0.8, 1.91)
RATIO_SLACK = 0.005
"""4:5 and 1.91:1 as whole pixels can say them."""
CAROUSEL = (2, 10)
VIDEO_MAX_BYTES = 300 * 1024**2
CONTAINER_FIELDS = frozenset({"id", "status", "status_code"})


class InstagramSimulator(ContainerSimulator):
    """One professional account."""

    renewal = "ig_refresh_token"

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now, versions=("v25.0", "v26.0"), account_id="17841405793187218", username="amisduvelo")
        self.account_type = "BUSINESS"
        self.me_in_a_list = False
        """The guide shows the answer of ``/me`` in a list; the reference, alone."""
        router = self.app.router
        router.add_get("/{version}/me", self._me)
        router.add_get("/{version}/{account}/content_publishing_limit", self._quota)
        router.add_get("/{version}/{account}/media", self._list)
        router.add_post("/{version}/{account}/media", self._create)
        router.add_post("/{version}/{account}/media_publish", self._publish)
        router.add_get("/{version}/{object}", self._show)

    async def _me(self, request: web.Request) -> web.Response:
        whole = {"id": "26000000000000001", "user_id": self.account_id, "username": self.username, "account_type": self.account_type}
        answer = fields(request, whole, _known("IGUserForIGOnlyAPI"))
        return web.json_response({"data": [answer]} if self.me_in_a_list else answer)

    async def _quota(self, request: web.Request) -> web.Response:
        self.own(request)
        quota = {"quota_usage": self.used(), "config": {"quota_total": self.quota_total, "quota_duration": 86_400}}
        names = request.query.get("fields", "quota_usage").split(",")
        return web.json_response({"data": [{name: quota[name] for name in names if name in quota}]})

    async def _list(self, request: web.Request) -> web.Response:
        self.own(request)
        posts = [] if self.unlisted else self.shown
        return listed(request, [_json(post.id, post.text, post.at) for post in posts], _known("IGMediaForIGOnlyAPI"))

    async def _create(self, request: web.Request) -> web.Response:
        self.own(request)
        found = await checked(request, "IGUserForIGOnlyAPI", "POST media")
        _check_caption(found.text("caption"))
        kind = found.text("media_type")
        if kind == "CAROUSEL":
            return web.json_response({"id": self._carousel(found).id})
        if kind not in ("", "IMAGE", "REELS", "VIDEO"):
            raise error(100, 2207023, f"Unknown media type {kind}")
        if found.text("video_url"):
            return web.json_response({"id": (await self._video(found)).id})
        if not found.text("image_url"):
            raise error(100, 0, "(#100) The parameter image_url is required")
        image = await fetched(found.text("image_url"))
        _check_image(image, found.text("image_url"))
        return web.json_response({"id": self.keep(found.given, (image,) if image else ()).id})

    async def _video(self, found: Asked) -> Container:
        """It is fetched and looked at later: the container tells."""
        if found.text("alt_text"):
            raise error(100, 0, "(#100) alt_text is not supported for reels")
        if found.text("media_type") not in ("REELS", "VIDEO"):
            raise error(100, 2207023, "The media type of a video is REELS")
        video = await fetched(found.text("video_url"))
        if video is None:
            return self.keep(found.given, trouble="2207052")
        good = video.media_type.startswith("video/") and len(video.data) <= VIDEO_MAX_BYTES
        return self.keep(found.given, (video,), trouble="" if good else "2207026")

    def _carousel(self, found: Asked) -> Container:
        wanted = found.value("children")
        children = children_of(found, self.containers)
        parts = [self.containers[child] for child in children]
        whole = isinstance(wanted, list) and len(children) == len(wanted)
        if not whole or not CAROUSEL[0] <= len(children) <= CAROUSEL[1] or not all(_flag(part.given) for part in parts):
            raise error(
                100, 2207028, "Your post will not be published: a carousel has 2 to 10 items", error_user_title="Carousel validation failed"
            )
        return self.keep(found.given, children=children)

    async def _publish(self, request: web.Request) -> web.Response:
        self.own(request)
        found = await checked(request, "IGUser", "POST media_publish")
        container = self.containers.get(found.text("creation_id"))
        state = self.status(container) if container else "PUBLISHED"
        if container is None or state == "PUBLISHED":
            raise error(24, 2207006, "The requested resource does not exist", error_user_title="Media Not Found")
        if state == "EXPIRED":
            raise error(-2, 2207020, "The media you are trying to access has expired. Please try to upload again.")
        if state != "FINISHED" or _flag(container.given):
            raise error(9007, 2207027, "Media ID is not available", error_user_title="Media is not ready")
        if self.used() >= self.quota_total:
            raise error(9, 2207042, "You reached maximum number of posts that is allowed to be published by Content Publishing API.")
        return web.json_response({"id": self.publish(container, str(container.given.get("caption") or "")).id})

    async def _show(self, request: web.Request) -> web.Response:
        name = request.match_info["object"]
        container, post = self.containers.get(name), self.posts.get(name)
        if container is not None:
            state = self.status(container)
            told = f"Error: Media upload has failed with error code {container.trouble}" if state == "ERROR" else f"{state.capitalize()}: …"
            return web.json_response(fields(request, {"id": name, "status_code": state, "status": told}, CONTAINER_FIELDS))
        if post is None:
            return self.missing(name)
        return web.json_response(fields(request, _json(post.id, post.text, post.at), _known("IGMediaForIGOnlyAPI")))


def _known(name: str) -> frozenset[str]:
    return frozenset(node(name)["fields"])


def _flag(given: Json) -> bool:
    """Whether it is part of a carousel."""
    return str(given.get("is_carousel_item", "")).lower() in ("true", "1")


def _json(post_id: str, caption: str, at: datetime) -> Json:
    shortcode = f"C{int(post_id) % 10**9:x}"
    link = f"https://www.instagram.com/p/{shortcode}/"
    whole = {"id": post_id, "permalink": link, "shortcode": shortcode, "timestamp": stamp(at)}
    return whole | ({"caption": caption} if caption else {})


def _check_caption(caption: str) -> None:
    if len(unicodedata.normalize("NFC", caption)) > CAPTION_MAX:
        raise error(
            36004,
            2207010,
            "The submitted caption is too long",
            error_user_msg="The caption was too long. It has a maximum of 2200 characters.",
        )
    if len(re.findall(r"#\w+", caption)) > HASHTAGS_MAX or len(re.findall(r"(?<!\S)@\w+", caption)) > MENTIONS_MAX:
        raise error(100, 2207040, "Cannot use more than 20 tags per created media.")


def _check_image(image: Fetched | None, url: str) -> None:
    if image is None:
        text = "The media could not be fetched from this URI"
        raise error(
            9004,
            2207052,
            "Only photo or video can be accepted as media type.",
            error_user_title="Media download has failed.",
            error_user_msg=f"{text}: {url}",
        )
    if image.media_type != "image/jpeg":
        raise error(36001, 2207005, f"The image format {image.media_type} is not supported. Supported formats are: JPEG.")
    if len(image.data) > IMAGE_MAX_BYTES:
        raise error(36000, 2207004, "The image size is too large.", error_user_msg="It should be less than 8 MiB.")
    if not RATIO[0] - RATIO_SLACK <= image.width / image.height <= RATIO[1] + RATIO_SLACK:
        raise error(36003, 2207009, "The submitted image with aspect ratio cannot be published.")

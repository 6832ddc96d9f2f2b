"""The page of an organisation on LinkedIn, on loopback, from the text of its documentation: there is no machine-readable one.

https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, …/images-api and …/little-text-format, and what other
programs met: a text is cut in silence at its first reserved sign that is not escaped (linkedctl#194, composio#2710), and what was removed
still counts as a duplicate, under names that lead nowhere (composio#2710). Stricter than LinkedIn in one thing: a field that is not known
is refused instead of ignored, so that a typing error shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from syndicator.sandbox.openapi import flaws
from syndicator.sandbox.server import Simulator

Json = dict[str, Any]

TOKEN = "AQXdSP_W41_UPs5ioT_t8HESyODB4FqbkJ8LrV_5mff4gPODzOYR"  # noqa: S105
ORGANIZATION = "2414183"
AUTHOR = f"urn:li:organization:{ORGANIZATION}"
SCOPES = ("w_organization_social", "r_organization_social")
COMMENTARY_MAX = 3000
REMEMBERED_FOR = timedelta(hours=48)
"""How long a removed text still counts as a duplicate."""
VERSIONS_LIVE = 12
"""Months."""
TEXT = {"type": "string"}
IMAGE = {"type": "object", "required": ["id"], "properties": {"id": TEXT, "altText": {"type": "string", "maxLength": 4086}}}
ARTICLE = {
    "type": "object",
    "required": ["source", "title"],
    "properties": {
        "source": {"type": "string", "pattern": "^https?://"},
        "title": {"type": "string", "maxLength": 400},
        "description": {"type": "string", "maxLength": 4086},
        "thumbnail": TEXT,
        "thumbnailAltText": TEXT,
    },
}
SEVERAL = {
    "type": "object",
    "required": ["images"],
    "properties": {"images": {"type": "array", "minItems": 2, "maxItems": 20, "items": IMAGE}},
}
POST = {
    "type": "object",
    "required": ["author", "commentary", "visibility", "distribution", "lifecycleState"],
    "properties": {
        "author": {"const": AUTHOR},
        "commentary": {"type": "string", "maxLength": COMMENTARY_MAX},
        "visibility": {"enum": ["PUBLIC", "LOGGED_IN"]},
        "distribution": {
            "type": "object",
            "required": ["feedDistribution"],
            "properties": {
                "feedDistribution": {"enum": ["MAIN_FEED", "NONE"]},
                "targetEntities": {"type": "array", "items": {}},
                "thirdPartyDistributionChannels": {"type": "array", "items": {}},
            },
        },
        "lifecycleState": {"const": "PUBLISHED"},
        "isReshareDisabledByAuthor": {"type": "boolean"},
        "content": {"type": "object", "properties": {"media": IMAGE, "multiImage": SEVERAL, "article": ARTICLE}},
    },
}
COMMENTARY = {"type": "object", "required": ["commentary"], "properties": {"commentary": {"type": "string", "maxLength": COMMENTARY_MAX}}}
SET = {"type": "object", "required": ["$set"], "properties": {"$set": COMMENTARY}}
PATCH = {"type": "object", "required": ["patch"], "properties": {"patch": SET}}
OWNER = {"type": "object", "required": ["owner"], "properties": {"owner": {"const": AUTHOR}}}
INITIALIZE = {"type": "object", "required": ["initializeUploadRequest"], "properties": {"initializeUploadRequest": OWNER}}

_LITTLE = re.compile(
    r"\\(?P<escaped>[\\|{}@\[\]()<>#*_~])"
    r"|\{hashtag\|\\?(?P<sign>[#＃])\|(?P<tag>(?:[^\\|{}@\[\]()<>#*~]|\\[\\|{}@\[\]()<>#*_~])+)\}"
    r"|(?P<hashtag>[#＃]\w+)"
    r"|@\[(?P<name>[^\]]+)\]\(urn:li:(?:person|organization):\w+\)"
    r"|(?P<text>[^\\|{}@\[\]()<>#*_~]+)"
)


def little(commentary: str) -> str:
    """What people see of it: up to the first reserved sign that is neither escaped nor part of a hashtag or mention."""
    shown, position = [], 0
    while found := _LITTLE.match(commentary, position):
        tag = re.sub(r"\\(.)", r"\1", found["tag"] or "")
        shown.append(found["escaped"] or (found["sign"] or "") + tag or found["hashtag"] or found["name"] or found["text"] or "")
        position = found.end()
    return "".join(shown)


class Refusal(Exception):
    """What the API answers instead of a result."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body
        super().__init__(body.decode())


def refusal(status: int, code: str, message: str, **more: Any) -> bytes:
    """The body of a refusal (https://learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling)."""
    return json.dumps({"status": status, "code": code, "message": message, **more}).encode()


def duplicate(urn: str) -> bytes:
    """As seen in the wild."""
    return json.dumps({
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "message": f"com.linkedin.content.common.exception.BadRequestResponseException: Content is a duplicate of {urn}",
        "errorDetails": {"inputErrors": [{"description": "Duplicate post is detected", "input": {}, "code": "DUPLICATE_POST"}]},
        "status": 422,
    }).encode()  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Image:
    """A picture that somebody uploads."""

    urn: str
    data: bytes = b""
    status: str = "WAITING_UPLOAD"


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post of the page."""

    urn: str
    at: datetime
    commentary: str
    content: Json
    changed_at: datetime

    @property
    def shown(self) -> str:
        """The text as people read it."""
        return little(self.commentary)


class LinkedinSimulator(Simulator):
    """One page, and a token of one who administers it."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.token = TOKEN
        self.revoked = False
        self.scopes = SCOPES
        self.administrator = True
        self.works_at_once = True
        """Whether pictures are ready as soon as they are uploaded."""
        self.posts: dict[str, Post] = {}
        self.images: dict[str, Image] = {}
        self.paths: list[str] = []
        """Every address as it was written."""
        self._said: dict[str, tuple[str, datetime]] = {}
        self._count = 0
        self.app.middlewares.append(self._rest)
        router = self.app.router
        router.add_post("/rest/posts", self._create)
        router.add_get("/rest/posts", self._find)
        router.add_get("/rest/posts/{urn}", self._read)
        router.add_post("/rest/posts/{urn}", self._edit)
        router.add_delete("/rest/posts/{urn}", self._delete)
        router.add_post("/rest/images", self._initialize)
        router.add_get("/rest/images/{urn}", self._image)
        router.add_put("/dms-uploads/{urn}", self._upload)

    @property
    def shown(self) -> list[Post]:
        """What the public sees, oldest first."""
        return sorted(self.posts.values(), key=lambda post: (post.at, post.urn))

    def work(self) -> None:
        """LinkedIn gets done with the pictures."""
        self.images = {urn: replace(one, status="AVAILABLE") if one.data else one for urn, one in self.images.items()}

    @web.middleware
    async def _rest(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        self.paths.append(request.raw_path)
        try:
            self._admit(request)
            return await handler(request)
        except Refusal as error:
            return web.Response(status=error.status, body=error.body, content_type="application/json")

    def _admit(self, request: web.Request) -> None:
        """Token, version, protocol and addresses: before anything is looked at."""
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refusal(401, refusal(401, "INVALID_ACCESS_TOKEN", "Invalid access token", serviceErrorCode=65600))
        if self.revoked:
            text = "The token used in the request has been revoked by the user"
            raise Refusal(401, refusal(401, "REVOKED_ACCESS_TOKEN", text, serviceErrorCode=65601))
        if not request.path.startswith("/rest/"):
            return
        version = request.headers.get("Linkedin-Version")
        if version is None:
            raise Refusal(
                400, refusal(400, "VERSION_MISSING", "A version must be present. Please specify a version by adding the version header")
            )
        if not re.fullmatch(r"20\d{4}", version) or not 0 <= self._age(version) <= VERSIONS_LIVE:
            raise Refusal(426, refusal(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active"))
        if request.headers.get("X-Restli-Protocol-Version") == "2.0.0" and re.search(r"urn:li:", request.raw_path):
            raise Refusal(400, refusal(400, "ILLEGAL_ARGUMENT", "Syntax exception in path variables"))

    def _age(self, version: str) -> int:
        now = self.now()
        return (now.year - int(version[:4])) * 12 + now.month - int(version[4:])

    def _allow(self, scope: str, what: str, *, of: str = AUTHOR) -> None:
        """The right, of one who administers that page."""
        if scope not in self.scopes or not self.administrator or of != AUTHOR:
            raise Refusal(403, refusal(403, "ACCESS_DENIED", f"Not enough permissions to access: {what}", serviceErrorCode=100))

    async def _create(self, request: web.Request) -> web.Response:
        self._allow("w_organization_social", "posts.CREATE")
        body = await _received(request, POST)
        content = body.get("content", {})
        for urn in _pictures(content):
            if self.images.get(urn, Image(urn=urn)).status != "AVAILABLE":
                raise Refusal(400, refusal(400, "MEDIA_ASSET_PROCESSING_FAILED", f"{urn} is not available"))
        if not body["commentary"].strip() and not content:
            raise Refusal(400, refusal(400, "INVALID_ARGUMENT", "A post needs a commentary or content"))
        self._refuse_twice(body["commentary"], content)
        post = Post(
            urn=f"urn:li:share:{self._number()}", at=self.now(), changed_at=self.now(), commentary=body["commentary"], content=content
        )
        self.posts[post.urn] = post
        self._said[_said(post.commentary, content)] = (post.urn, self.now())
        return web.Response(status=201, headers={"x-restli-id": post.urn})

    def _refuse_twice(self, commentary: str, content: Json) -> None:
        urn, at = self._said.get(_said(commentary, content), ("", self.now()))
        if urn and self.now() - at < REMEMBERED_FOR:
            # What was removed gets a new name at each attempt, which leads nowhere.
            raise Refusal(422, duplicate(urn if urn in self.posts else f"urn:li:share:{self._number()}"))

    def _number(self) -> str:
        self._count += 1
        return str(7_431_329_065_766_260_000 + self._count)

    async def _find(self, request: web.Request) -> web.Response:
        self._allow("r_organization_social", "posts.FINDER-author", of=request.query.get("author", AUTHOR))
        if request.headers.get("X-RestLi-Method") != "FINDER" or request.query.get("q") != "author" or "author" not in request.query:
            raise Refusal(400, refusal(400, "ILLEGAL_ARGUMENT", "Unknown finder"))
        count = int(request.query.get("count", "10"))
        if not 1 <= count <= 100 or request.query.get("sortBy", "LAST_MODIFIED") != "LAST_MODIFIED":
            raise Refusal(400, refusal(400, "ILLEGAL_ARGUMENT", "Invalid query parameters"))
        newest = sorted(self.shown, key=lambda post: post.changed_at, reverse=True)[:count]
        return web.json_response({"paging": {"start": 0, "count": count, "links": []}, "elements": [_json(post) for post in newest]})

    def _post(self, request: web.Request) -> Post:
        urn = unquote(request.match_info["urn"])
        if urn not in self.posts:
            raise Refusal(404, refusal(404, "NOT_FOUND", f"Post {urn} could not be found"))
        return self.posts[urn]

    async def _read(self, request: web.Request) -> web.Response:
        self._allow("r_organization_social", "posts.GET")
        return web.json_response(_json(self._post(request)))

    async def _edit(self, request: web.Request) -> web.Response:
        self._allow("w_organization_social", "posts.PARTIAL_UPDATE")
        if request.headers.get("X-RestLi-Method") != "PARTIAL_UPDATE":
            raise Refusal(400, refusal(400, "ILLEGAL_ARGUMENT", "X-RestLi-Method must be PARTIAL_UPDATE"))
        body = await _received(request, PATCH)
        post = self._post(request)
        self.posts[post.urn] = replace(post, commentary=body["patch"]["$set"]["commentary"], changed_at=self.now())
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.Response:
        """Idempotent: what is gone already is answered the same."""
        self._allow("w_organization_social", "posts.DELETE")
        self.posts.pop(unquote(request.match_info["urn"]), None)
        return web.Response(status=204)

    async def _initialize(self, request: web.Request) -> web.Response:
        self._allow("w_organization_social", "images.ACTION-initializeUpload")
        if request.query.get("action") != "initializeUpload":
            raise Refusal(400, refusal(400, "ILLEGAL_ARGUMENT", "Unknown action"))
        await _received(request, INITIALIZE)
        image = Image(urn=f"urn:li:image:C4E10AQ{self._number()}")
        self.images[image.urn] = image
        address = f"{self.url}/dms-uploads/{image.urn.replace(':', '%3A')}?ca=vector_feedshare&sig=a%2Fb%3D"
        expires = int((self.now() + timedelta(hours=24)).timestamp() * 1000)
        return web.json_response({"value": {"uploadUrlExpiresAt": expires, "uploadUrl": address, "image": image.urn}})

    async def _upload(self, request: web.Request) -> web.Response:
        image = self.images.get(request.match_info["urn"])
        if image is None or not request.raw_path.endswith("?ca=vector_feedshare&sig=a%2Fb%3D"):
            return web.Response(status=400, text="signature mismatch")
        data = await request.read()
        good = data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8"))
        status = "PROCESSING_FAILED" if not good else "AVAILABLE" if self.works_at_once else "PROCESSING"
        self.images[image.urn] = replace(image, data=data, status=status)
        return web.Response(status=201)

    async def _image(self, request: web.Request) -> web.Response:
        urn = unquote(request.match_info["urn"])
        if urn not in self.images:
            raise Refusal(404, refusal(404, "NOT_FOUND", f"Image {urn} could not be found"))
        return web.json_response({"id": urn, "owner": AUTHOR, "status": self.images[urn].status})


async def _received(request: web.Request, schema: Json) -> Json:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise Refusal(400, refusal(400, "ILLEGAL_ARGUMENT", "Could not parse the body as JSON")) from error
    found = list(flaws(schema, body, {}))
    content = body.get("content") if isinstance(body, dict) else None
    if found or (isinstance(content, dict) and len(content) != 1):
        told = (
            "; ".join(f"ERROR :: /{'/'.join(flaw.path)} :: {flaw.keyword} {flaw.limit}" for flaw in found)
            or "content holds one kind of thing"
        )
        errors = [{"description": told, "input": {}, "code": "FIELD_VALUE_INVALID"}]
        raise Refusal(422, refusal(422, "UNPROCESSABLE_ENTITY", told, errorDetails={"inputErrors": errors}))
    return dict(body)


def _pictures(content: Json) -> list[str]:
    images = [content["media"]] if "media" in content else content.get("multiImage", {}).get("images", [])
    thumbnail = content.get("article", {}).get("thumbnail")
    return [image["id"] for image in images] + ([thumbnail] if thumbnail else [])


def _said(commentary: str, content: Json) -> str:
    """What LinkedIn compares: the words, and the page they lead to; an upload has a new name each time."""
    return f"{commentary}\n{content.get('article', {}).get('source', '')}\n{'' if commentary else json.dumps(content)}"


def _json(post: Post) -> Json:
    def milliseconds(at: datetime) -> int:
        return int(at.timestamp() * 1000)

    return {
        "id": post.urn,
        "author": AUTHOR,
        "commentary": post.commentary,
        "visibility": "PUBLIC",
        "lifecycleState": "PUBLISHED",
        "createdAt": milliseconds(post.at),
        "publishedAt": milliseconds(post.at),
        "lastModifiedAt": milliseconds(post.changed_at),
        **({"content": post.content} if post.content else {}),
    }

"""What Instagram and Threads share: media that Meta fetches from a public address, containers, publications, and tokens of 60 days.

A container is made, worked on, and published once; after a day it is of no use any more
(https://developers.facebook.com/documentation/instagram-platform/content-publishing). As the real one, this really fetches the address
that it is given, so that a wrong one shows. Stricter than Meta in one thing: a video has to be served as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Literal

import aiohttp
from aiohttp import web
from PIL import Image

from syndicator.sandbox.graph import Asked, GraphSimulator, asked, error

Json = dict[str, Any]

CONTAINER_LIFE = timedelta(hours=24)
TOKEN_LIFE = timedelta(days=60)
TOKEN_RIPE = timedelta(hours=24)
"""A younger token is not renewed."""
QUOTA_PERIOD = timedelta(hours=24)
FETCH_TIMEOUT_S = 10.0

Status = Literal["IN_PROGRESS", "FINISHED", "ERROR", "EXPIRED", "PUBLISHED"]


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file as it was found at a public address."""

    url: str
    data: bytes
    media_type: str
    """What the bytes are."""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, kw_only=True)
class Container:
    """What was asked for, with the media that it was found to hold."""

    id: str
    at: datetime
    ready_at: datetime
    given: Json
    media: tuple[Fetched, ...] = ()
    children: tuple[str, ...] = ()
    trouble: str = ""
    """Why the service failed on it; empty when it did not."""
    published_as: str = ""

    @property
    def alts(self) -> str:
        """The alt text given."""
        return str(self.given.get("alt_text") or "")


@dataclass(frozen=True, kw_only=True)
class Published:
    """A post as the public sees it."""

    id: str
    at: datetime
    text: str
    media: tuple[Fetched, ...]
    alts: tuple[str, ...]
    """One for each medium; empty where there is none."""
    given: Json
    """What its container was asked for."""


@dataclass(kw_only=True)
class Grant:
    """A long-lived token."""

    at: datetime
    expires_at: datetime
    permissions: frozenset[str] = field(default_factory=frozenset)


class ContainerSimulator(GraphSimulator):
    """Base of both: subclasses say how calls and fields are called there."""

    renewal = ""
    """The ``grant_type`` that renews a token."""
    image_seconds = 0
    video_seconds = 30
    """How long it works on what it fetched."""

    def __init__(self, *, now: Callable[[], datetime] | None = None, versions: tuple[str, ...], account_id: str, username: str) -> None:
        super().__init__(now=now, versions=versions)
        self.account_id = account_id
        self.username = username
        self.grants: dict[str, Grant] = {}
        self.containers: dict[str, Container] = {}
        self.posts: dict[str, Published] = {}
        """What there is, by its number, in the order of publication."""
        self.quota_total = 100
        self.unlisted = False
        """Set: lists lag behind and do not show what was just published."""
        self._count = 0
        self.token = self.grant("seed")
        self.app.router.add_get("/refresh_access_token", self._renew)

    def grant(self, name: str, *, age: timedelta = timedelta(days=2), permissions: frozenset[str] = frozenset()) -> str:
        """A new long-lived token, ``age`` old."""
        token, at = f"THAAIG{name}ZCpsBAK1ZCvelo9ZAasso7bresse3ZD", self.now() - age
        self.grants[token] = Grant(at=at, expires_at=at + TOKEN_LIFE, permissions=permissions)
        return token

    @property
    def shown(self) -> list[Published]:
        """What the public sees, oldest first."""
        return list(self.posts.values())

    async def _admit(self, request: web.Request) -> None:
        given = await _token(request)
        grant = self.grants.get(given)
        if grant is not None and self.now() >= grant.expires_at:
            raise error(190, 463, f"Error validating access token: Session has expired on {grant.expires_at:%A, %d-%b-%y %H:%M:%S} PDT")
        # Each of the tokens that live is as good as any other.
        kept, self.token = self.token, given if grant is not None else self.token
        try:
            await super()._admit(request)
        finally:
            self.token = kept

    def kill(self) -> None:
        """Revoke every token."""
        self.grants.clear()
        self.token = "another"  # noqa: S105

    async def _renew(self, request: web.Request) -> web.Response:
        """https://developers.facebook.com/documentation/instagram-platform/reference/refresh_access_token"""
        if request.query.get("grant_type") != self.renewal:
            raise error(100, 0, f"Invalid grant_type: must be {self.renewal}")
        # The token to renew is a parameter; a header alone is not documented.
        old = self.grants.get(request.query.get("access_token", ""))
        if old is None:
            raise error(100, 0, "The parameter access_token is required")
        if self.now() - old.at < TOKEN_RIPE:
            raise error(100, 0, "The access token is less than 24 hours old")
        self._count += 1
        token = self.grant(f"renewed{self._count}", age=timedelta(0), permissions=old.permissions)
        return web.json_response({"access_token": token, "token_type": "bearer", "expires_in": int(TOKEN_LIFE.total_seconds())})

    def new_id(self) -> str:
        """A number such as theirs."""
        self._count += 1
        return str(17_889_455_560_051_000 + self._count)

    def own(self, request: web.Request) -> None:
        """Refuse an account that is not the token's; ``me`` is."""
        if request.match_info["account"] not in (self.account_id, "me"):
            raise error(100, 33, f"Unsupported request. Object with ID '{request.match_info['account']}' does not exist")

    def keep(self, given: Json, media: tuple[Fetched, ...] = (), children: tuple[str, ...] = (), trouble: str = "") -> Container:
        """A new container."""
        slow = any(file.media_type.startswith("video/") for file in media)
        ready_at = self.now() + timedelta(seconds=self.video_seconds if slow else self.image_seconds)
        container = Container(
            id=self.new_id(), at=self.now(), ready_at=ready_at, given=given, media=media, children=children, trouble=trouble
        )
        self.containers[container.id] = container
        return container

    def status(self, container: Container) -> Status:
        """Where a container stands now."""
        if container.published_as:
            return "PUBLISHED"
        if self.now() - container.at >= CONTAINER_LIFE:
            return "EXPIRED"
        if self.now() < container.ready_at:
            return "IN_PROGRESS"
        if container.trouble:
            return "ERROR"
        parts = [self.status(self.containers[child]) for child in container.children]
        return next((state for state in ("ERROR", "EXPIRED", "IN_PROGRESS") if state in parts), "FINISHED")

    def publish(self, container: Container, text: str) -> Published:
        """Make it a post."""
        parts = [self.containers[child] for child in container.children] or [container]
        files = [(file, part.alts) for part in parts for file in part.media]
        post = Published(
            id=self.new_id(),
            at=self.now(),
            text=text,
            media=tuple(file for file, _ in files),
            alts=tuple(alt for _, alt in files),
            given=container.given,
        )
        self.posts[post.id] = post
        self.containers[container.id] = replace(container, published_as=post.id)
        return post

    def used(self) -> int:
        """How many posts of the last day count against the quota."""
        return sum(self.now() - post.at < QUOTA_PERIOD for post in self.posts.values())


async def _token(request: web.Request) -> str:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() in ("bearer", "oauth") else (await asked(request)).text("access_token")


async def fetched(url: str) -> Fetched | None:
    """What is at a public address; None when it cannot be had."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)) as session,
            session.get(url, headers={"User-Agent": "facebookexternalhit/1.1"}) as answer,
        ):
            data = await answer.read()
            if answer.status != 200:
                return None
            declared = answer.content_type
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    if data[4:8] == b"ftyp" and declared in ("video/mp4", "video/quicktime"):
        return Fetched(url=url, data=data, media_type=declared)
    return await asyncio.to_thread(_picture, url, data)


def _picture(url: str, data: bytes) -> Fetched | None:
    try:
        with Image.open(BytesIO(data)) as picture:
            return Fetched(
                url=url, data=data, media_type=f"image/{(picture.format or '').lower()}", width=picture.width, height=picture.height
            )
    except (OSError, ValueError):
        return None


def stamp(at: datetime) -> str:
    """As Meta writes instants."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def fields(request: web.Request, whole: Json, known: frozenset[str]) -> Json:
    """What was asked for of an object; an unknown field is refused."""
    names = [name for name in request.query.get("fields", "id").split(",") if name]
    for name in names:
        if name not in known:
            raise error(100, 0, f"(#100) Tried accessing nonexisting field ({name})")
    return {"id": whole["id"]} | {name: whole[name] for name in names if name in whole}


def listed(request: web.Request, objects: list[Json], known: frozenset[str]) -> web.Response:
    """A page of a list, newest first."""
    limit = int(request.query.get("limit", "25"))
    page = [fields(request, whole, known) for whole in reversed(objects)][: min(limit, 100)]
    return web.json_response({"data": page, "paging": {"cursors": {"before": "QVFIU", "after": "QVFIV"}}})


def children_of(found: Asked, known: Mapping[str, Container]) -> tuple[str, ...]:
    """The containers that a carousel names, as a list or with commas between them; those that nobody knows are left as they are."""
    value = found.value("children") if found.text("children").startswith("[") else found.text("children").split(",")
    return tuple(str(child) for child in value if str(child) in known) if isinstance(value, list) else ()

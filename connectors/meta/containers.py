"""The two steps of Instagram and Threads: a container that nobody sees, made of texts and of addresses of media, and its publication.

The container is the key: it is published once, whoever asks again, and its status says whether it was
(https://developers.facebook.com/documentation/instagram-platform/content-publishing#troubleshooting and
https://developers.facebook.com/documentation/threads/troubleshooting). It dies after a day.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.meta.graph import Graph, Json
from connectors.meta.tokens import LongLived
from syndicator.contract import Context
from syndicator.errors import AuthExpired, ConnectorError, Gone, NotReady, OutcomeUnknown, Rejected, Transient, Unprepared
from syndicator.model import Receipt, Rendition

KEY_WINDOW_S = 24 * 3600
LOST_FOR = timedelta(minutes=2)
"""How long a container is asked for again that is not found when it is to be published, before another is made (…/error-codes, 2207008)."""
LISTED_WITHIN = timedelta(minutes=10)
"""How long a list may lag behind what was published."""
CLOCK_SKEW = timedelta(minutes=10)
PAGE = 100
PREPARE_TIMEOUT_S = 90.0
"""Making a container, Meta fetches the media first."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A container on its way."""

    container: str
    at: datetime
    answers: bool = False
    """Whether it answers another post."""
    video: str | None = None
    """The address, at the origin, of the video that it holds."""

    def to_json(self) -> str:
        """What the core keeps."""
        entry = {"container": self.container, "at": self.at.isoformat(), "answers": self.answers, "video": self.video}
        return json.dumps({name: value for name, value in entry.items() if value})

    @staticmethod
    def from_json(text: str) -> Prepared:
        """The inverse of ``to_json``."""
        entry = json.loads(text)
        at = datetime.fromisoformat(entry["at"])
        return Prepared(container=entry["container"], at=at, answers=entry.get("answers", False), video=entry.get("video"))


@dataclass(frozen=True, kw_only=True)
class Calls:
    """How one network calls things."""

    create: str
    publish: str
    status: str
    """The container's field that says where it stands."""
    reason: str
    """The container's field that says why it failed."""
    text: str
    as_form: bool
    """Whether requests are forms, else JSON."""
    hopeless: Callable[[str], bool]
    """Whether a reason says that the medium itself will never do."""
    lists: Mapping[bool, str]
    """What lists the account's posts; under True, those that answer another."""


class Containers:
    """One account's containers and posts."""

    def __init__(self, context: Context, graph: Graph, tokens: LongLived, calls: Calls) -> None:
        self._context = context
        self._graph = graph
        self._tokens = tokens
        self._calls = calls
        self._since: dict[tuple[str, str], datetime] = {}
        """(what, container) → when it was first seen so."""
        self.unfit: set[str] = set()
        """Addresses, at the origin, of videos that the service failed on for good."""

    async def ask(self, path: str, **params: str) -> Json:
        """A question."""
        return await self._graph.call("GET", path, await self._tokens.current(), params=params)

    async def create(self, account: str, given: Mapping[str, Any]) -> str:
        """Make a container; repeating it is harmless, nobody sees it and it dies by itself."""
        token = await self._tokens.current()
        path = f"{account}/{self._calls.create}"
        body: dict[str, Any] = {"data": _form(given)} if self._calls.as_form else {"json": dict(given)}
        answer = await self._graph.call("POST", path, token, effect="private", timeout_s=PREPARE_TIMEOUT_S, **body)
        if not answer.get("id"):
            raise Transient("the answer names no container")
        return str(answer["id"])

    async def status(self, container: str) -> tuple[str, str]:
        """Where it stands, ``GONE`` when the service knows it no longer, and why it failed."""
        try:
            answer = await self.ask(container, fields=f"{self._calls.status},{self._calls.reason}")
        except (Gone, Rejected):
            return "GONE", ""
        return str(answer.get(self._calls.status) or ""), str(answer.get(self._calls.reason) or "")

    async def all_ready(self, children: Sequence[str]) -> bool:
        """Whether every part of a carousel can be used. Raises Unprepared when one never will."""
        for child in children:
            state, reason = await self.status(child)
            if state in ("ERROR", "EXPIRED", "GONE"):
                raise Unprepared(f"a part of the carousel is {state.lower()}: {reason}")
            if state != "FINISHED":
                return False
        return True

    async def publish(self, account: str, prepared: Prepared, rendition: Rendition) -> Receipt:
        """Publish a container, or say where it went when it was published before."""
        state, reason = await self.status(prepared.container)
        if state in ("PUBLISHED", "GONE"):
            found = await self._published(account, prepared, rendition, state)
            if found is None:
                raise Unprepared(f"container {prepared.container} is not there any more")
            return found
        if state in ("ERROR", "EXPIRED"):
            raise self._failed(prepared, state, reason)
        if state != "FINISHED":
            raise NotReady(f"container {prepared.container} is {state or 'in an unknown state'}")
        token = await self._tokens.current()
        path, body = f"{account}/{self._calls.publish}", {"creation_id": prepared.container}
        given: dict[str, Any] = {"data": body} if self._calls.as_form else {"json": body}
        try:
            answer = await self._graph.call("POST", path, token, effect="public", **given)
        except Unprepared as error:
            return await self._lost(account, prepared, rendition, error)
        if not answer.get("id"):
            raise OutcomeUnknown("the answer names no post")
        return Receipt(remote_id=str(answer["id"]), url=await self._page(str(answer["id"])))

    async def find(self, account: str, prepared: Prepared, rendition: Rendition) -> Receipt | None:
        """What became of a container whose publication had no answer; None when it was not published."""
        state, _ = await self.status(prepared.container)
        if state in ("PUBLISHED", "GONE"):
            return await self._published(account, prepared, rendition, state)
        if state in ("FINISHED", "ERROR", "EXPIRED"):
            return None
        raise Transient(f"container {prepared.container} is {state or 'in an unknown state'}")

    async def search(self, account: str, rendition: Rendition, since: datetime, *, answers: bool = False) -> Receipt | None:
        """Our post with this text, since then; the newest of several. Raises Transient when the list does not reach back so far."""
        listed = f"{account}/{self._calls.lists[answers]}"
        answer = await self.ask(listed, fields=f"id,{self._calls.text},permalink,timestamp", limit=str(PAGE))
        posts = [post for post in answer.get("data") or [] if isinstance(post, dict)]
        wanted = _plain(rendition.text)
        recent = [post for post in posts if (_at(post) or since) >= since - CLOCK_SKEW]
        for post in recent:
            if _plain(str(post.get(self._calls.text) or "")) == wanted:
                return Receipt(remote_id=str(post["id"]), url=post.get("permalink"))
        if len(recent) >= PAGE:
            raise Transient(f"cannot tell: more than {PAGE} posts since {since:%Y-%m-%d %H:%M}")
        return None

    async def _published(self, account: str, prepared: Prepared, rendition: Rendition, state: str) -> Receipt | None:
        """The post of a container that is published, or that nobody knows any more; None when there is none."""
        found = await self._listed(account, prepared, rendition)
        if found is not None:
            return found
        if not self._for(LISTED_WITHIN, state, prepared.container):
            raise Transient(f"container {prepared.container} is {state.lower()}, and no post of it is listed yet")
        # When it is published, it went out, that is certain; which post it is, nobody tells.
        return Receipt(remote_id="") if state == "PUBLISHED" else None

    async def _lost(self, account: str, prepared: Prepared, rendition: Rendition, error: Unprepared) -> Receipt:
        """ "No such container", said of one that was ready: known to pass, or published by an attempt that was still under way."""
        found = await self._listed(account, prepared, rendition)
        if found is not None:
            return found
        if not self._for(LOST_FOR, "lost", prepared.container):
            raise Transient(error.detail) from error
        raise error

    async def _listed(self, account: str, prepared: Prepared, rendition: Rendition) -> Receipt | None:
        try:
            return await self.search(account, rendition, prepared.at, answers=prepared.answers)
        except AuthExpired:
            # Posts that answer another are listed only for tokens with a permission that writing them does not need.
            if not prepared.answers:
                raise
            return None

    def _failed(self, prepared: Prepared, state: str, reason: str) -> Unprepared:
        if prepared.video and self._calls.hopeless(reason):
            self.unfit.add(prepared.video)
            self._context.log.warning("video left out url=%s: %s", prepared.video, reason)
        return Unprepared(f"container {prepared.container} is {state.lower()}: {reason}")

    def _for(self, span: timedelta, what: str, container: str) -> bool:
        """Whether this has been so for that long."""
        now = self._context.now()
        self._since = {key: at for key, at in self._since.items() if now - at < timedelta(days=1)}
        return now - self._since.setdefault((what, container), now) >= span

    async def _page(self, post_id: str) -> str | None:
        """The post's public page. It is there, whatever this question brings."""
        try:
            return (await self.ask(post_id, fields="permalink")).get("permalink")
        except ConnectorError as error:
            self._context.log.info("no page for post=%s: %s", post_id, error.detail)
            return None


def _form(given: Mapping[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


def _plain(text: str) -> str:
    """What two copies of one text have in common, whatever a service does to spaces and to the signs of tags."""
    return " ".join(unicodedata.normalize("NFC", text).replace("#", "").split())


def _at(post: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.strptime(str(post.get("timestamp")), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None

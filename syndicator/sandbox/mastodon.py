"""Mastodon, and what speaks its API: GoToSocial, Pixelfed, Akkoma, Friendica (``flavour``), each with its own habits.

Follows https://docs.joinmastodon.org/ and, for limits and refusals, the servers' sources. Strangers see public and unlisted statuses;
an author's own token sees the private and direct ones too, as it does there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from syndicator.sandbox import mastodon_pages, mastodon_write
from syndicator.sandbox.mastodon_flavours import FLAVOURS, FlavourName
from syndicator.sandbox.mastodon_json import Shapes, stamp
from syndicator.sandbox.mastodon_world import Account, Status, World, id_order
from syndicator.sandbox.server import Simulator

HEARTBEAT_S = 15.0
PAGED_WINDOW = timedelta(minutes=15)
PAGED = frozenset({"min_id", "max_id", "since_id", "page"})


def refuse(error: type[web.HTTPError], text: str, **headers: str) -> web.HTTPError:
    """An error as the API words it."""
    return error(text=json.dumps({"error": text}), content_type="application/json", headers=headers)


class MastodonSimulator(Simulator):
    """One server; its accounts, statuses and tokens are in ``world``."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime] | None = None,
        flavour: FlavourName = "mastodon",
        closed: bool = False,
        secure: bool = False,
        domain: str | None = None,
    ) -> None:
        """``closed``: DISALLOW_UNAUTHENTICATED_API_ACCESS; ``secure``: AUTHORIZED_FETCH; ``domain``: LOCAL_DOMAIN where it differs."""
        super().__init__(now=now)
        self.flavour = FLAVOURS[flavour]
        self.world = World(self.now, ids=self.flavour.ids)
        self.closed = closed
        self.secure = secure
        self.domain = domain
        self.paged_limit = 300
        self.stream_ends = False
        """Whether streams end as soon as they are open, as behind a proxy that was restarted."""
        self.deleted: set[str] = set()
        """ActivityPub ids of what was deleted."""
        self._paged: dict[tuple[str, int], int] = {}
        self._stopping = asyncio.Event()
        self.world.listeners.append(self._note_deletion)
        self._add_routes()
        mastodon_pages.add_routes(self)
        mastodon_write.add_routes(self)

    @property
    def shapes(self) -> Shapes:
        """How this server words things, now that its address is known."""
        return Shapes(self.flavour, self.world, self.url)

    def status_json(self, status: Status, viewer: Account | None) -> dict[str, Any]:
        """The status as ``viewer`` is told of it."""
        return self.shapes.status(status, viewer)

    def viewer(self, request: web.Request, *scopes: str) -> Account | None:
        """Whose token came with the request, None without one; 401 for one that is not valid, 403 when it has none of ``scopes``."""
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        if not value:
            return None
        token = self.world.tokens.get(value)
        if kind != "Bearer" or token is None:
            raise refuse(web.HTTPUnauthorized, "The access token is invalid")
        wanted = {wide for scope in scopes for wide in (scope, scope.split(":")[0])}
        if scopes and not wanted & token.scopes:
            raise refuse(web.HTTPForbidden, "This action is outside the authorized scopes")
        return self.world.accounts[token.account_id]

    def require(self, request: web.Request, *scopes: str) -> Account:
        """Like ``viewer``, and 401 without a token."""
        account = self.viewer(request, *scopes)
        if account is None:
            raise refuse(web.HTTPUnauthorized, "The access token is invalid")
        return account

    def reader(self, request: web.Request, *scopes: str) -> Account | None:
        """Like ``viewer``, and 401 without a token where this server is closed to strangers."""
        account = self.viewer(request, *scopes)
        if account is None and (self.closed or not self.flavour.anonymous):
            raise refuse(web.HTTPUnauthorized, self.flavour.refusal)
        return account

    def visible(self, status: Status, viewer: Account | None) -> bool:
        """Whether ``viewer`` may see it: everybody the public and unlisted ones, its author all, members those for them alone."""
        own = viewer is not None and viewer.id == status.account.id
        here_only = status.extra.get("local_only") is True and viewer is None
        return own or (status.visibility in ("public", "unlisted") and not here_only)

    def seen(self, status_id: str, viewer: Account | None) -> Status:
        """The status of that id; 404 when there is none that ``viewer`` may see."""
        status = self.world.statuses.get(status_id)
        if status is None or not self.visible(status, viewer):
            raise refuse(web.HTTPNotFound, "Record not found")
        return status

    def account_named(self, username: str) -> Account | None:
        """The local account of that name."""
        return next((a for a in self.world.accounts.values() if a.username.lower() == username.lower() and not a.domain), None)

    async def stop(self) -> None:
        """Stop listening and end the streams."""
        self._stopping.set()
        await super().stop()

    def _note_deletion(self, event: str, status: Status) -> None:
        if event == "delete" and not status.account.domain:
            self.deleted.add(self.shapes.uri(status))

    def _add_routes(self) -> None:
        get = self.app.router.add_get
        get("/api/v2/instance", self._instance)
        get("/api/v1/instance", self._instance_v1)
        get("/api/v1/accounts/lookup", self._lookup)
        get("/api/v1/accounts/verify_credentials", self._verify)
        get("/api/v1/accounts/{id}", self._account)
        get("/api/v1/accounts/{id}/statuses", self._statuses_of)
        get("/api/v1/statuses/{id}", self._status)
        if self.flavour.batch:
            get("/api/v1/statuses", self._batch)
        if self.flavour.streaming != "none":
            get("/api/v1/streaming/user", self._stream)

    async def _instance(self, _: web.Request) -> web.Response:
        return web.json_response(self.shapes.instance(self.domain or self.host))

    async def _instance_v1(self, _: web.Request) -> web.Response:
        return web.json_response(self.shapes.instance_v1(self.domain or self.host))

    async def _lookup(self, request: web.Request) -> web.Response:
        self.reader(request, "read:accounts", "read:statuses")
        name, _, host = request.query.get("acct", "").lstrip("@").partition("@")
        account = self.account_named(name)
        if account is None or host.lower() not in ("", self.domain or self.host):
            raise refuse(web.HTTPNotFound, "Record not found")
        return web.json_response(self.shapes.account(account))

    async def _verify(self, request: web.Request) -> web.Response:
        account = self.require(request, "read:accounts", "profile")
        return web.json_response(self.shapes.account(account) | {"source": {"privacy": "public", "sensitive": False, "language": "fr"}})

    async def _account(self, request: web.Request) -> web.Response:
        self.reader(request, "read:accounts", "read:statuses")
        return web.json_response(self.shapes.account(self._account_of(request)))

    def _account_of(self, request: web.Request) -> Account:
        account = self.world.accounts.get(request.match_info["id"])
        if account is None:
            raise refuse(web.HTTPNotFound, "Record not found")
        return account

    async def _status(self, request: web.Request) -> web.Response:
        viewer = self.reader(request, "read:statuses")
        return web.json_response(self.status_json(self.seen(request.match_info["id"], viewer), viewer))

    async def _batch(self, request: web.Request) -> web.Response:
        viewer = self.reader(request, "read:statuses")
        ids = list(dict.fromkeys(request.query.getall(self.flavour.batch or "", [])))
        if len(ids) > self.flavour.batch_max:
            raise refuse(web.HTTPUnprocessableEntity, "Mastodon::ValidationError")
        found = [self.world.statuses[status_id] for status_id in ids if status_id in self.world.statuses]
        return web.json_response([self.status_json(status, viewer) for status in found if self.visible(status, viewer)])

    async def _statuses_of(self, request: web.Request) -> web.Response:
        viewer = self.reader(request, "read:statuses")
        headers = self._count_paged(request)
        account = self._account_of(request)
        wanted = [s for s in reversed(self.world.of_account(account.id)) if self.visible(s, viewer) and self._asked_for(s, request)]
        page = self._page(wanted, request)
        if page and self.flavour.link_header:
            headers["Link"] = self._link(request, page)
        return web.json_response([self.status_json(status, viewer) for status in page], headers=headers)

    def _asked_for(self, status: Status, request: web.Request) -> bool:
        flags = {name for name, value in request.query.items() if value.lower() in ("1", "true")}
        if "pinned" in flags:
            return bool(status.extra.get("pinned"))
        to_other = status.in_reply_to_id is not None and status.in_reply_to_account_id != status.account.id
        refused = (
            ("exclude_reblogs" in flags and status.reblog_of is not None)
            or ("exclude_replies" in flags and to_other)
            or ("only_media" in flags and not (status.media_ids or status.extra.get("media_attachments")))
        )
        return not refused

    def _page(self, newest_first: list[Status], request: web.Request) -> list[Status]:
        query = request.query
        try:
            limit = int(query.get("limit", self.flavour.limit_default))
        except ValueError:
            limit = self.flavour.limit_default
        limit = max(1, min(limit, self.flavour.limit_max))
        if "min_id" in query:
            above = [s for s in newest_first if id_order(s.id) > id_order(query["min_id"])]
            if self.flavour.min_id == "newest":
                return above[:limit]
            above = [s for s in above if "max_id" not in query or id_order(s.id) < id_order(query["max_id"])]
            return above[-limit:]
        below = [s for s in newest_first if "max_id" not in query or id_order(s.id) < id_order(query["max_id"])]
        if "since_id" in query and self.flavour.name not in ("gotosocial", "pixelfed"):
            below = [s for s in below if id_order(s.id) > id_order(query["since_id"])]
        return below[:limit]

    def _link(self, request: web.Request, page: list[Status]) -> str:
        kept = {name: value for name, value in request.query.items() if name not in PAGED}
        return ", ".join(
            f'<{request.url.with_query(kept | {name: status.id})}>; rel="{rel}"'
            for name, status, rel in (("max_id", page[-1], "next"), ("min_id", page[0], "prev"))
        )

    def _count_paged(self, request: web.Request) -> dict[str, str]:
        """Mastodon's throttle of paged requests, in fixed windows (config/initializers/rack_attack.rb)."""
        now = self.now()
        window = int(now.timestamp() // PAGED_WINDOW.total_seconds())
        ends = datetime.fromtimestamp((window + 1) * PAGED_WINDOW.total_seconds(), UTC)
        who = request.headers.get("Authorization", request.remote or "")
        used = self._paged.get((who, window), 0)
        if PAGED & set(request.query):
            used += 1
            self._paged[who, window] = used
        reset = str(int(ends.timestamp())) if self.flavour.name == "gotosocial" else stamp(ends)
        headers = {
            "X-RateLimit-Limit": str(self.paged_limit),
            "X-RateLimit-Remaining": str(max(0, self.paged_limit - used)),
            "X-RateLimit-Reset": reset,
        }
        if used > self.paged_limit:
            raise refuse(web.HTTPTooManyRequests, "Too many requests", **headers)
        return headers

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events of the home timeline: the owner's own statuses, and everybody's here, as if all were followed."""
        if self.flavour.streaming == "websocket":
            raise refuse(web.HTTPBadRequest, "Bad Request: the client is not using the websocket protocol")
        token = request.query.get("access_token")
        if not request.headers.get("Authorization") and not token:
            raise refuse(web.HTTPUnauthorized, "Missing access token")
        viewer = self.require(request, "read:statuses")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "private, no-store"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue()

        def tell(event: str, status: Status) -> None:
            if self.visible(status, viewer):
                data = status.id if event == "delete" else json.dumps(self.status_json(status, viewer))
                queue.put_nowait(f"event: {event}\ndata: {data}\n\n".encode())

        self.world.listeners.append(tell)
        try:
            await response.write(b":)\n")
            if not self.stream_ends:
                await self._pump(queue, response)
        finally:
            self.world.listeners.remove(tell)
        return response

    async def _pump(self, queue: asyncio.Queue[bytes], response: web.StreamResponse) -> None:
        with suppress(ConnectionError):
            while not self._stopping.is_set():
                getting = asyncio.ensure_future(queue.get())
                stopping = asyncio.ensure_future(self._stopping.wait())
                done, waiting = await asyncio.wait({getting, stopping}, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
                for task in waiting:
                    task.cancel()
                await response.write(getting.result() if getting in done else b":thump\n")

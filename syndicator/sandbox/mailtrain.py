"""A Mailtrain server on loopback: one user, one RSS campaign that reads a feed. It refuses what the server's source code refuses.

https://github.com/Mailtrain-org/mailtrain (server/routes/api.js, server/lib/passport.js, server/models/campaigns.js,
server/services/feedcheck.js, server/app-builder.js); never compared to a real one. The feed is read by ``look``, when a test says that
the feed checker has come by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

from aiohttp import web

from syndicator.sandbox.server import Simulator

CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A campaign that an entry of the feed became, sent to every reader of the list."""

    guid: str
    subject: str
    html: str


class MailtrainSimulator(Simulator):
    """One Mailtrain."""

    def __init__(self, feed: Callable[[], bytes] | None = None, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.token = "e" * 40
        self.campaign = "Rw7uJxk2Q"
        self.type = "rss"
        self.active = True
        self.may_fetch = True
        self.feed = feed
        """What the campaign's feed answers."""
        self.sent: list[Sent] = []
        self.asked = 0
        self.heard = asyncio.Event()
        """Set once it was asked to look."""
        self._scheduled = False
        self.app.middlewares.append(self._errors)
        self.app.router.add_get("/api/lists/{email}", self._lists)
        self.app.router.add_get("/api/rss/fetch/{cid}", self._fetch)

    @web.middleware
    async def _errors(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        """``authByAccessToken`` before everything below ``/api``; every other address is the client's page."""
        if not request.path.startswith("/api/"):
            return web.Response(text="<!doctype html><html><head><title>Mailtrain</title></head></html>", content_type="text/html")
        token = request.headers.get("access-token") or request.query.get("access_token")
        if not token:
            return web.json_response({"error": "Missing access_token", "data": []}, status=403)
        if token != self.token:
            return web.json_response({"error": "Invalid or expired access_token", "data": []}, status=403)
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return web.json_response({"error": "Not Found", "data": []}, status=404)

    async def _lists(self, _: web.Request) -> web.Response:
        return web.json_response({"data": []})

    async def _fetch(self, request: web.Request) -> web.Response:
        if request.match_info["cid"] != self.campaign:
            # ``campaign.id`` of nothing is a TypeError there.
            return web.json_response({"error": "Cannot read properties of undefined (reading 'id')", "data": []}, status=500)
        if not self.may_fetch:
            return web.json_response({"error": "Denied permission fetchRss on campaign", "data": []}, status=403)
        if self.type != "rss":
            return web.json_response({"error": "Invalid campaign type", "data": []}, status=500)
        self.asked += 1
        self.heard.set()
        self._scheduled = True
        # Express: ``res.json()`` of undefined sends a JSON type and no body.
        return web.Response(body=b"", content_type="application/json")

    def look(self) -> None:
        """The feed checker's turn: entries whose guid the campaign has not had yet become campaigns and are sent."""
        if not (self._scheduled and self.active and self.feed):
            return
        self._scheduled = False
        known = {one.guid for one in self.sent}
        for item in ElementTree.fromstring(self.feed()).iter("item"):  # noqa: S314 - a feed of ours
            guid = item.findtext("guid") or item.findtext("link") or ""
            if guid not in known:
                known.add(guid)
                html = item.findtext(CONTENT) or item.findtext("description") or ""
                self.sent.append(Sent(guid=guid, subject=item.findtext("title") or "", html=html))

"""The demo's page: the association's free networks on the left, what came of them on the right, live.

One origin, loopback only, no dependency. What changes something is a POST of JSON whose Origin is this page, so that no other page open
in the same browser can play here.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from typing import Any

from aiohttp import web

from syndicator.sandbox.mastodon import MastodonSimulator
from syndicator.sandbox.mastodon_world import Status
from syndicator.sandbox.mobilizon_world import EventRecord
from syndicator.sandbox.town import CHANNEL, GROUP, PARIS, Public, Town, plain

TEXT_MAX = 500
_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
_SITE_CSP = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; frame-ancestors 'self'"


class Stage:
    """The page and what it asks for."""

    def __init__(self, town: Town, public: Public, words: dict[str, str], language: str, log: Callable[[], Sequence[str]]) -> None:
        self._town = town
        self._public = public
        self._words = words
        self._language = language
        self._log = log
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.app = web.Application(client_max_size=65_536)
        self.app.add_routes([
            web.get("/", self._page),
            web.get("/stage.js", self._script),
            web.get("/stage.css", self._style),
            web.get("/icon.svg", self._icon),
            web.get("/site/{path:.*}", self._site),
            web.get("/media/{side:here|there}/{id}", self._media),
            web.get("/api/words", self._speak),
            web.get("/api/state", self._state),
            web.post("/api/act", self._act),
        ])  # fmt: skip

    async def start(self, port: int = 0) -> None:
        """Listen on loopback."""
        self._runner = web.AppRunner(self.app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, _: web.Request) -> web.Response:
        text = _asset("stage.html").replace("{language}", self._language)
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": _CSP})

    async def _script(self, _: web.Request) -> web.Response:
        return web.Response(text=_asset("stage.js"), content_type="text/javascript")

    async def _style(self, _: web.Request) -> web.Response:
        return web.Response(text=_asset("stage.css"), content_type="text/css")

    async def _icon(self, _: web.Request) -> web.Response:
        return web.Response(text=_asset("icon.svg"), content_type="image/svg+xml")

    async def _site(self, request: web.Request) -> web.Response:
        """The association's public page, as the daemon serves it, for the frame; its links open elsewhere."""
        found = await self._public.file(request.match_info["path"])
        if found is None:
            raise web.HTTPNotFound
        body, content_type = found
        if content_type == "text/html":
            body = body.replace(b"<head>", b'<head><base target="_blank">', 1)
        return web.Response(body=body, content_type=content_type, headers={"Content-Security-Policy": _SITE_CSP})

    async def _media(self, request: web.Request) -> web.Response:
        server = self._town.mastodon if request.match_info["side"] == "here" else self._town.elsewhere
        media = server.world.media.get(request.match_info["id"])
        if media is None or not media.media_type.startswith("image/"):
            raise web.HTTPNotFound
        return web.Response(body=media.data, content_type=media.media_type, headers={"X-Content-Type-Options": "nosniff"})

    async def _speak(self, _: web.Request) -> web.Response:
        return web.json_response(self._words)

    async def _state(self, _: web.Request) -> web.Response:
        calendar = await self._public.calendar()
        state = {
            "toots": [self._toot(status) for status in reversed(self._town.mastodon.world.of_account(self._town.asso.id))],
            "events": [_event(event) for event in sorted(self._town.mobilizon.world.events.values(), key=_begin)],
            "videos": [{"id": video.uuid, "title": video.name} for video in reversed(self._town.peertube.videos.values())],
            "mirror": [self._mirrored(status) for status in reversed(self._town.mirrored())],
            "calendar": [
                {
                    "id": properties.get("UID", ""),
                    "title": properties["SUMMARY"],
                    "start": properties.get("DTSTART", ""),
                    "status": properties.get("STATUS", ""),
                    "sequence": properties.get("SEQUENCE", "0"),
                }
                for properties in sorted(calendar, key=lambda event: event.get("DTSTART", ""))
            ],
            "site": self._public.url,
            "siteVersion": f"{zlib.crc32((await self._public.file('') or (b'', ''))[0]):08x}",
            "log": list(self._log())[-40:],
        }
        return web.json_response(state, headers={"Cache-Control": "no-store"})

    def _toot(self, status: Status) -> dict[str, Any]:
        return {
            "id": status.id,
            "text": plain(status.content),
            "edited": status.edited_at is not None,
            "visibility": status.visibility,
            "reply": status.in_reply_to_id is not None,
            "pictures": _pictures(self._town.mastodon, status, "here"),
        }

    def _mirrored(self, status: Status) -> dict[str, Any]:
        return {
            "id": status.id,
            "text": plain(status.content),
            "edited": status.edited_at is not None,
            "reply": status.in_reply_to_id is not None,
            "pictures": _pictures(self._town.elsewhere, status, "there"),
        }

    async def _act(self, request: web.Request) -> web.Response:
        if request.headers.get("Origin", "").rstrip("/") != self.url.rstrip("/") or request.content_type != "application/json":
            raise web.HTTPForbidden(text="only this page may act here")
        try:
            asked = json.loads(await request.text())
            self._do(str(asked["action"]), str(asked.get("id", "")), str(asked.get("text", ""))[:TEXT_MAX], str(asked.get("when", "")))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise web.HTTPBadRequest(text=f"not understood: {error}") from error
        return web.json_response({})

    def _do(self, action: str, id_: str, text: str, when: str) -> None:
        town = self._town
        statuses, events = town.mastodon.world.statuses, town.mobilizon.world.events
        if action == "toot" and text.strip():
            town.toot(text)
        elif action == "edit-toot" and text.strip():
            town.edit_toot(statuses[id_], text)
        elif action == "delete-toot":
            town.delete_toot(statuses[id_])
        elif action == "event" and text.strip():
            begins_on = _evening(when)
            town.mobilizon.add_event(GROUP, text, begins_on, begins_on + timedelta(hours=2))
        elif action == "move-event":
            begins_on = _evening(when)
            town.mobilizon.move_event(events[id_].uuid, begins_on, begins_on + timedelta(hours=2))
        elif action == "cancel-event":
            town.mobilizon.cancel_event(events[id_].uuid)
        elif action == "video" and text.strip():
            town.peertube.publish(CHANNEL, text, description="", duration=60)
        else:
            raise ValueError(action)


def _pictures(server: MastodonSimulator, status: Status, side: str) -> list[dict[str, str]]:
    media = server.world.media
    return [{"id": media_id, "side": side, "alt": media[media_id].description or ""} for media_id in status.media_ids if media_id in media]


def _asset(name: str) -> str:
    return (files("syndicator.sandbox") / "pages" / name).read_text(encoding="utf-8")


def _evening(when: str) -> datetime:
    """Half past eight in the evening of an ISO date."""
    return datetime.combine(date.fromisoformat(when), time(20, 30), PARIS)


def _begin(event: EventRecord) -> datetime:
    return event.begins_on


def _event(event: EventRecord) -> dict[str, Any]:
    return {
        "id": event.uuid,
        "title": event.title,
        "start": event.begins_on.astimezone(PARIS).strftime("%Y-%m-%d %H:%M"),
        "status": event.status,
    }

"""A Keila on loopback: one project with its contacts, senders, segments and campaigns, and what each contact got.

After its published API (``KeilaWeb.Api.Schemas.MailingsCampaign``, which each Keila shows at ``/api/v1/openapi``) and its source,
https://github.com/pentacent/keila: the order to send is always taken (202), what comes of it is seen later; of a campaign that was sent,
nothing is sent again. Liquid is understood as far as variables: what else would be executed is written down.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

from aiohttp import web

from syndicator.sandbox.openapi import flaws
from syndicator.sandbox.server import Simulator

Json = dict[str, Any]

KEY = "keila-9d1f-project-key"
DATA_MAX_BYTES = 32 * 1024
_TEXT: Json = {"type": "string"}
_MAP: Json = {"type": "object"}
_PROPERTIES: Json = {
    **dict.fromkeys(("subject", "text_body", "mjml_body", "html_body", "template_id", "sender_id", "segment_id", "preview_text"), _TEXT),
    **dict.fromkeys(("json_body", "mjml_content", "html_content", "text_content", "data"), _MAP),
}
_TYPE: Json = {"type": "string", "enum": ["markdown", "text", "block", "mjml", "html"]}
_SETTINGS: Json = {"type": "object", "properties": {"type": _TYPE, "do_not_track": {"type": "boolean"}}}
UPDATE: Json = {
    "type": "object",
    "properties": {"data": {"type": "object", "properties": {**_PROPERTIES, "settings": _SETTINGS}}},
}
CREATE: Json = {
    "type": "object",
    "properties": {
        "data": {
            "type": "object",
            "properties": {**_PROPERTIES, "settings": {**_SETTINGS, "required": ["type"]}},
            "required": ["subject", "settings"],
        }
    },
}
"""``CreateParams`` and ``UpdateParams``: as ``schema.ex`` builds them."""
_LIQUID = re.compile(r"\{\{-?(.*?)-?\}\}|\{%-?(.*?)-?%\}", re.DOTALL)
_OPEN = re.compile(r"\{\{|\{%")


@dataclass(kw_only=True)
class Campaign:
    """One of them, as the database has it."""

    id: str
    fields: Json
    inserted_at: datetime
    updated_at: datetime
    sent_at: datetime | None = None
    scheduled_for: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What one contact got."""

    campaign: str
    to: str
    subject: str
    html: str
    text: str
    tracked: bool
    executed: tuple[str, ...]


class Refusal(Exception):
    """What Keila answers instead of a result."""

    def __init__(self, status: int, title: str, pointer: str = "") -> None:
        self.status = status
        self.body = {"errors": [{"status": str(status), "title": title, **({"pointer": pointer} if pointer else {})}]}
        super().__init__(title)


def refused(status: int, title: str) -> bytes:
    """The body of a refusal."""
    return json.dumps(Refusal(status, title).body).encode()


class KeilaSimulator(Simulator):
    """One project of a Keila."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.key: str = KEY
        self.senders: dict[str, str] = {"ms_1": "Essais", "ms_2": "La lettre du vélo"}
        self.segments: dict[str, tuple[str, set[str]]] = {"sgm_1": ("Bénévoles", {"bob@exemple.fr"})}
        self.contacts: list[str] = ["ana@exemple.fr", "bob@exemple.fr"]
        self.campaigns: dict[str, Campaign] = {}
        self.letters: list[Letter] = []
        self.credits: int | None = None
        """Of this account; None where credits are not counted."""
        self.slow = 0
        """How many requests it takes until an order is carried out."""
        self._orders: list[tuple[str, int]] = []
        self.app.middlewares.append(self._guarded)
        router = self.app.router
        router.add_get("/api/v1/senders", self._get_senders)
        router.add_get("/api/v1/segments", self._get_segments)
        router.add_get("/api/v1/campaigns", self._index)
        router.add_post("/api/v1/campaigns", self._create)
        router.add_get("/api/v1/campaigns/{id}", self._show)
        router.add_patch("/api/v1/campaigns/{id}", self._update)
        router.add_put("/api/v1/campaigns/{id}", self._update)
        router.add_delete("/api/v1/campaigns/{id}", self._delete)
        router.add_post("/api/v1/campaigns/{id}/actions/send", self._deliver)

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        self._carry_out()
        try:
            self._admit(request)
            response: web.StreamResponse = await handler(request)
        except Refusal as error:
            response = web.json_response(error.body, status=error.status)
        return response

    def _admit(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            raise Refusal(403, "Not authorized")

    # What may be read

    async def _get_senders(self, _: web.Request) -> web.Response:
        return _listing([{"id": number, "name": name, "from_email": "lettre@asso.example"} for number, name in self.senders.items()])

    async def _get_segments(self, _: web.Request) -> web.Response:
        return _listing([{"id": number, "name": name, "filter": {}} for number, (name, _people) in self.segments.items()])

    async def _index(self, _: web.Request) -> web.Response:
        found = sorted(self.campaigns.values(), key=lambda one: one.updated_at, reverse=True)
        return _listing([_json(one) for one in found])

    async def _show(self, request: web.Request) -> web.Response:
        return web.json_response({"data": _json(self._known(request))})

    def _known(self, request: web.Request) -> Campaign:
        campaign = self.campaigns.get(request.match_info["id"])
        if campaign is None:
            raise Refusal(404, "Not found")
        return campaign

    # What is written

    async def _create(self, request: web.Request) -> web.Response:
        fields = self._valid(await _body(request, CREATE))
        number = f"mc_{len(self.campaigns) + 101}"
        self.campaigns[number] = Campaign(id=number, fields=fields, inserted_at=self.now(), updated_at=self.now())
        return web.json_response({"data": _json(self.campaigns[number])})

    async def _update(self, request: web.Request) -> web.Response:
        body = await _body(request, UPDATE)
        campaign = self._known(request)
        settings = {**campaign.fields["settings"], **body.get("settings", {})}
        campaign.fields = self._valid({**campaign.fields, **body, "settings": settings})
        campaign.updated_at = self.now()
        return web.json_response({"data": _json(campaign)})

    def _valid(self, fields: Json) -> Json:
        """``creation_changeset``."""
        if not fields["subject"].strip():
            raise Refusal(400, "can't be blank", "/data/attributes/subject")
        if fields.get("sender_id") not in (None, *self.senders):
            raise Refusal(400, "can't be blank", "/data/attributes/sender")
        if fields.get("segment_id") not in (None, *self.segments):
            raise Refusal(400, "can't be blank", "/data/attributes/segment")
        if len(json.dumps(fields.get("data") or {})) > DATA_MAX_BYTES:
            raise Refusal(400, "max 32 KB data allowed", "/data/attributes/data")
        return fields

    async def _delete(self, request: web.Request) -> web.Response:
        self.campaigns.pop(request.match_info["id"], None)
        return web.Response(status=204)

    async def _deliver(self, request: web.Request) -> web.Response:
        """202, whatever will come of it."""
        campaign = self._known(request)
        self._orders.append((campaign.id, self.slow))
        return web.json_response({"data": {"delivery_queued": True, "campaign_id": campaign.id}}, status=202)

    # What Keila does by itself

    def _carry_out(self) -> None:
        """Between two requests, what was ordered."""
        waiting = [(number, left - 1) for number, left in self._orders if left > 0]
        due = [number for number, left in self._orders if left <= 0]
        self._orders = waiting
        for number in due:
            if number in self.campaigns:
                self.deliver(self.campaigns[number])

    def deliver(self, campaign: Campaign) -> None:
        """``deliver_campaign``: nothing when it was sent, has no sender, nobody to be written to, or too few credits."""
        segment = campaign.fields.get("segment_id")
        people = [one for one in self.contacts if segment is None or one in self.segments[segment][1]]
        refused = campaign.sent_at is not None or campaign.fields.get("sender_id") is None or not people
        if refused or (self.credits is not None and self.credits < len(people)):
            return
        campaign.sent_at = campaign.updated_at = self.now()
        self.letters += [letter for one in people if (letter := self._letter(campaign, one)) is not None]

    @property
    def shown(self) -> list[Letter]:
        """What contacts got until now, all that was ordered being done."""
        self._orders = [(number, 0) for number, _ in self._orders]
        self._carry_out()
        return self.letters

    def _letter(self, campaign: Campaign, reader: str) -> Letter | None:
        """None where the template fails: such letters are not sent."""
        executed: list[str] = []
        fields = campaign.fields
        known = {"unsubscribe_link": f"{self.url}/unsubscribe/p_1/{reader.partition('@')[0]}/hmac"}
        known |= {f"campaign.data.{name}": str(value) for name, value in (fields.get("data") or {}).items()}

        def said(found: re.Match[str]) -> str:
            wanted = (found[1] or "").strip()
            if wanted in known:
                return known[wanted]
            executed.append(found[0])
            return ""

        source = fields["subject"], fields.get("html_body") or ""
        if any(_OPEN.search(_LIQUID.sub("", text)) for text in source):
            return None
        subject, html = (_LIQUID.sub(said, text) for text in source)
        return Letter(
            campaign=campaign.id,
            to=reader,
            subject=subject,
            html=html,
            text=_text(html),
            tracked=not fields["settings"].get("do_not_track", False),
            executed=tuple(executed),
        )


class _Text(HTMLParser):
    """``html_to_text``: the words of the body."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._apart = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as the parser calls it
        self._apart = tag in ("style", "script", "title")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - as the parser calls it
        self._apart = False

    def handle_data(self, data: str) -> None:
        self.words += [] if self._apart else data.split()


def _text(html: str) -> str:
    parser = _Text()
    parser.feed(html)
    parser.close()
    return " ".join(parser.words)


def _json(campaign: Campaign) -> Json:
    """``campaign_data``."""
    names = (
        "subject",
        "text_body",
        "mjml_body",
        "html_body",
        "json_body",
        "data",
        "template_id",
        "sender_id",
        "segment_id",
        "preview_text",
    )
    times = ("sent_at", "scheduled_for", "inserted_at", "updated_at")
    told = {name: at.isoformat() if (at := getattr(campaign, name)) else None for name in times}
    settings = {"type": campaign.fields["settings"]["type"]}
    return {"id": campaign.id, "settings": settings, **{name: campaign.fields.get(name) for name in names}, **told}


def _listing(rows: list[Json]) -> web.Response:
    return web.json_response({"meta": {"page": 0, "page_count": 1, "count": len(rows)}, "data": rows})


async def _body(request: web.Request, schema: Json) -> Json:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise Refusal(400, "Invalid JSON") from error
    for flaw in flaws(schema, body, {}):
        title = {"unknown": "Unexpected field", "required": "Missing field"}.get(flaw.keyword, f"Request error: {flaw.keyword}")
        raise Refusal(400, title, "/" + "/".join(flaw.path))
    found: Json = body["data"]
    return found

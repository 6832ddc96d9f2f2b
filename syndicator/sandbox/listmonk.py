"""A listmonk (version 6) on loopback: lists with readers, templates, campaigns, one API user, and what each reader got.

Requests are checked against the published specification (``data/listmonk-openapi.json``); what that leaves out (who may do what, refusals,
search, templates) is after the source, https://github.com/knadh/listmonk. Refusals are ``{"message": …}`` in listmonk's language, here
French. Stricter in one thing: a field that the specification does not know is refused instead of ignored, so that a typing error shows.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from syndicator.sandbox.listmonk_spec import request_schema, spec
from syndicator.sandbox.listmonk_template import TemplateError, check, is_template, render
from syndicator.sandbox.openapi import flaws
from syndicator.sandbox.server import Simulator

Json = dict[str, Any]

USERNAME, TOKEN = "syndicator", "Zk3wM9-listmonk-token"
SENDER = "Les Amis du Vélo <lettre@asso.example>"
EMPTY = '{{ template "content" . }}'
NAME_MAX, SUBJECT_MAX = 2000, 5000
PERMISSIONS = frozenset({"campaigns:get_all", "campaigns:manage_all", "lists:get_all", "templates:get"})
# ``UpdateCampaignStatus``: what may become what.
_FROM = {
    "draft": {"scheduled"},
    "scheduled": {"draft", "paused"},
    "running": {"paused", "draft"},
    "paused": {"running"},
    "cancelled": {"running", "paused"},
}


@dataclass(kw_only=True)
class Campaign:
    """One of them, as the database has it."""

    id: int
    fields: Json
    created_at: datetime
    updated_at: datetime
    status: str = "draft"
    started_at: datetime | None = None
    done: set[str] = field(default_factory=set)
    """Who was written to: ``last_subscriber_id`` keeps a campaign that goes on from beginning anew."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What one reader got."""

    campaign: int
    to: str
    subject: str
    html: str
    text: str
    executed: tuple[str, ...]


class Refusal(Exception):
    """What listmonk answers instead of a result."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


def refused(message: str) -> bytes:
    """The body of a refusal."""
    return json.dumps({"message": message}).encode()


class ListmonkSimulator(Simulator):
    """One listmonk."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.lists: dict[int, str] = {1: "Essais", 3: "La lettre du vélo", 4: "Bénévoles"}
        self.readers: dict[int, list[str]] = {1: [], 3: ["ana@exemple.fr", "bob@exemple.fr"], 4: ["bob@exemple.fr", "eve@exemple.fr"]}
        self.templates: dict[int, Json] = {
            1: {"name": "Default campaign template", "type": "campaign", "body": f"<html><body>{EMPTY}</body></html>", "is_default": True},
            2: {"name": "Transactional", "type": "tx", "body": EMPTY, "is_default": False},
            5: {"name": "Vide", "type": "campaign", "body": EMPTY, "is_default": False},
        }
        self.campaigns: dict[int, Campaign] = {}
        self.letters: list[Letter] = []
        self.token: str = TOKEN
        self.permissions: set[str] = set(PERMISSIONS)
        self.app.middlewares.append(self._guarded)
        router = self.app.router
        router.add_get("/api/lists", self._get_lists)
        router.add_get("/api/templates", self._get_templates)
        router.add_get("/api/campaigns", self._query)
        router.add_post("/api/campaigns", self._create)
        router.add_get(r"/api/campaigns/{id:\d+}", self._get)
        router.add_put(r"/api/campaigns/{id:\d+}", self._update)
        router.add_put(r"/api/campaigns/{id:\d+}/status", self._status)

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        try:
            self._admit(request)
            response: web.StreamResponse = await handler(request)
        except Refusal as error:
            response = web.json_response({"message": error.message}, status=error.status)
        return response

    def _admit(self, request: web.Request) -> None:
        basic = "Basic " + b64encode(f"{USERNAME}:{self.token}".encode()).decode()
        if request.headers.get("Authorization") not in (basic, f"token {USERNAME}:{self.token}"):
            raise Refusal(403, "invalid API credentials")

    def _need(self, permission: str) -> None:
        if permission not in self.permissions:
            raise Refusal(403, f"permission denied: {permission}")

    # What may be read

    async def _get_lists(self, request: web.Request) -> web.Response:
        """Whoever may not see all lists sees none here: list roles are not played."""
        shown = self.lists if "lists:get_all" in self.permissions else {}
        results = [{"id": number, "uuid": f"list-{number}", "name": name, "type": "private"} for number, name in shown.items()]
        return _page(results, request)

    async def _get_templates(self, _: web.Request) -> web.Response:
        self._need("templates:get")
        return web.json_response({"data": [{"id": number, **template} for number, template in self.templates.items()]})

    async def _query(self, request: web.Request) -> web.Response:
        """``query``: spaces become ``&``; then ILIKE on name and subject (or words of them, which is not played)."""
        self._need("campaigns:get_all")
        wanted = "&".join(request.query.get("query", "").split()).lower()
        found = [one for one in self.campaigns.values() if wanted in f"{one.fields['name']} {one.fields['subject']}".lower()]
        found.sort(key=lambda one: one.id, reverse=True)
        return _page([self._json(one, body=request.query.get("no_body") != "true") for one in found], request)

    async def _get(self, request: web.Request) -> web.Response:
        self._need("campaigns:get_all")
        return web.json_response({"data": self._json(self._known(request))})

    def _known(self, request: web.Request) -> Campaign:
        campaign = self.campaigns.get(int(request.match_info["id"]))
        if campaign is None:  # 400, not 404
            raise Refusal(400, "Campagne introuvable")
        return campaign

    # What is written

    async def _create(self, request: web.Request) -> web.Response:
        self._need("campaigns:manage_all")
        fields = self._valid(
            {"type": "regular", "content_type": "richtext", "messenger": "email", **await _body(request, request_schema())}
        )
        number = max(self.campaigns, default=40) + 1
        self.campaigns[number] = Campaign(id=number, fields=fields, created_at=self.now(), updated_at=self.now())
        return web.json_response({"data": self._json(self.campaigns[number])})

    async def _update(self, request: web.Request) -> web.Response:
        self._need("campaigns:manage_all")
        campaign = self._known(request)
        if campaign.status not in ("draft", "paused", "scheduled"):
            raise Refusal(400, "Impossible de modifier une campagne en cours ou terminée.")
        # The lists are not among what is kept when they are left out: ``campReq.ListIDs`` begins empty.
        campaign.fields = self._valid({**campaign.fields, "lists": [], **await _body(request, request_schema())})
        campaign.updated_at = self.now()
        return web.json_response({"data": self._json(campaign)})

    def _valid(self, fields: Json) -> Json:
        """``validateCampaignFields``."""
        fields = {"altbody": None, "tags": [], "headers": [], "template_id": None, "body": "", **fields}
        fields["from_email"] = fields.get("from_email") or SENDER
        if not 1 <= len(fields.get("name", "")) <= NAME_MAX:
            raise Refusal(400, "Longueur du nom invalide.")
        if not 1 <= len(fields.get("subject", "")) <= SUBJECT_MAX:
            raise Refusal(400, "Longueur du sujet invalide.")
        if not fields.get("lists"):
            raise Refusal(400, "Identifiants de liste invalides.")
        if fields["messenger"] != "email":
            raise Refusal(400, "Messager inconnu.")
        try:
            for text in (fields["subject"], fields["body"], fields["altbody"] or ""):
                check(text)
        except TemplateError as error:
            raise Refusal(400, f"Erreur de compilation du corps de la campagne : {error}") from error
        if fields["template_id"] is None:
            fields["template_id"] = next(number for number, one in self.templates.items() if one["is_default"])
        return fields

    async def _status(self, request: web.Request) -> web.Response:
        self._need("campaigns:manage_all")
        status = str((await _body(request, spec()["status"])).get("status"))
        campaign = self._known(request)
        if campaign.status not in _FROM.get(status, set()) or (status == "scheduled" and not campaign.fields.get("send_at")):
            raise Refusal(400, "Seules les campagnes en pause et les brouillons peuvent être lancés.")
        self.set_status(campaign, status)
        return web.json_response({"data": self._json(campaign)})

    def set_status(self, campaign: Campaign, status: str) -> None:
        """What a person does in listmonk's own pages, too."""
        campaign.status, campaign.updated_at = status, self.now()
        if status == "running":
            campaign.started_at = campaign.started_at or self.now()
            self._send(campaign)

    def finish(self, campaign: Campaign) -> None:
        """Everybody was written to."""
        campaign.status, campaign.updated_at = "finished", self.now()

    def _send(self, campaign: Campaign) -> None:
        readers = {reader for number in campaign.fields["lists"] for reader in self.readers.get(int(number), [])}
        for reader in sorted(readers - campaign.done):
            campaign.done.add(reader)
            letter = self._letter(campaign, reader)
            if letter is not None:
                self.letters.append(letter)

    def _letter(self, campaign: Campaign, reader: str) -> Letter | None:
        """None where the template fails: listmonk logs that, and goes on."""
        address = f"{self.url}/subscription/campaign-{campaign.id}/{reader.partition('@')[0]}"
        fields = campaign.fields
        try:
            subject = render(fields["subject"], address, html=False) if is_template(fields["subject"]) else None
            template = self.templates[fields["template_id"]]["body"]
            body = render(template.replace(EMPTY, fields["body"]), address, html=True)
            plain = fields["altbody"] or ""
            text = render(plain, address, html=True) if is_template(plain) else None
        except TemplateError:
            return None
        return Letter(
            campaign=campaign.id,
            to=reader,
            subject=subject.text if subject else fields["subject"],
            html=body.text,
            text=text.text if text else plain,
            executed=(*(subject.executed if subject else []), *body.executed, *(text.executed if text else [])),
        )

    def _json(self, campaign: Campaign, *, body: bool = True) -> Json:
        fields = campaign.fields
        shown: Json = {
            **fields,
            "id": campaign.id,
            "uuid": f"campaign-{campaign.id}",
            "created_at": campaign.created_at.isoformat(),
            "updated_at": campaign.updated_at.isoformat(),
            "started_at": campaign.started_at.isoformat() if campaign.started_at else None,
            "status": campaign.status,
            "sent": len(campaign.done),
            "lists": [{"id": int(number), "name": self.lists.get(int(number), "")} for number in fields["lists"]],
        }
        return shown if body else {**shown, "body": ""}


def _page(results: list[Json], request: web.Request) -> web.Response:
    """``per_page``: a number, or ``all``; 20 when it is left out."""
    wanted = request.query.get("per_page", "20")
    shown = results if wanted == "all" else results[: int(wanted)]
    return web.json_response({"data": {"results": shown, "total": len(results), "page": 1, "per_page": len(shown)}})


async def _body(request: web.Request, schema: Json) -> Json:
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise Refusal(400, "code=400, message=Syntax error") from error
    found = [f"{'.'.join(flaw.path)}: {flaw.keyword}" for flaw in flaws(schema, body, {})]
    if found:
        raise Refusal(400, f"code=400, message=Unmarshal type error: {'; '.join(found)}")
    return dict(body)

"""A campaign for each issue: a draft, then its start. The package's docstring is the manual page."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from connectors.listmonk.options import ListmonkOptions
from connectors.listmonk.service import Json, Service
from connectors.listmonk.writing import html_of, mark_of, name_of, subject_of, text_of
from syndicator.contract import Context, Limits
from syndicator.errors import AuthExpired, OutcomeUnknown, Rejected, words
from syndicator.model import Receipt, Rendition

LIMITS = Limits(kinds=frozenset({"digest"}), letter=True, title_max=150)
_EMPTY = re.compile(r"\s*\{\{-?\s*template\s+\"content\"\s+\.\s*-?\}\}\s*")

LISTS_HINT = words(
    fr="Vérifiez lists : des noms ou des numéros de listes de votre listmonk, que le rôle de l'utilisateur d'API permet de voir.",
    en="Check lists: names or numbers of lists of your listmonk, which the role of the API user may see.",
)
TEMPLATE_HINT = words(
    fr="Il faut à listmonk un modèle vide : Campagnes → Modèles → Nouveau, du type « Campagne », avec pour seul contenu "
    '{{ template "content" . }}. Vérifiez aussi template, s\'il est là.',
    en="listmonk needs an empty template: Campaigns → Templates → New, of the type “Campaign”, with nothing in it but "
    '{{ template "content" . }}. Check template too, if it is there.',
)
GONE_HINT = words(
    fr="Le brouillon de ce numéro n'est plus dans listmonk (effacé, ou renommé). S'il ne devait pas partir, il n'y a rien "
    "à faire ; si aucune campagne ne l'a envoyé, envoyez-le d'ici une nouvelle fois.",
    en="The draft of this issue is no longer in listmonk (deleted, or renamed). If it should not leave, there is nothing "
    "to do; if no campaign has sent it, send it again from here.",
)
EDITED_HINT = words(
    fr="Quelqu'un a modifié le brouillon de ce numéro dans listmonk : nous ne l'envoyons pas. Lancez-le là-bas ; ou "
    "renvoyez-le d'ici, tel que nous l'avons écrit.",
    en="Somebody changed the draft of this issue in listmonk: we do not send it. Start it there; or send it again from "
    "here, as we wrote it.",
)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A draft, and what stood in it."""

    id: int
    content: str

    def to_json(self) -> str:
        return json.dumps({"id": self.id, "content": self.content})

    @classmethod
    def of(cls, campaign: Json) -> _Prepared:
        return cls(id=int(campaign["id"]), content=_content(campaign))


class ListmonkPublisher:
    """Sends issues of a newsletter by listmonk."""

    Options: ClassVar[type[ListmonkOptions]] = ListmonkOptions
    limits: Limits = LIMITS

    def __init__(self, options: ListmonkOptions, context: Context) -> None:
        self._options = options
        self._service = Service(options, context)
        self._lists: list[int] = []
        self._template = 0
        self.account = options.base

    async def open(self) -> None:
        """See that the lists and an empty template are there, and that campaigns may be read. Nothing is made."""
        self._lists = await self._known_lists()
        self._template = await self._empty_template()
        await self._service.read("/campaigns", per_page="1", no_body="true")

    async def close(self) -> None:
        """Nothing to give back."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002 - letters answer nothing
        """A draft with this letter: the one that is there already, brought up to date, or a new one."""
        wanted = await self._wanted(rendition, key)
        found = await self._ours(key)
        if (started := _started(found)) is not None:
            return _Prepared.of(started).to_json()
        if not found:
            return _Prepared.of(await self._service.draft("POST", "/campaigns", wanted)).to_json()
        draft = found[0]
        if _content(draft) != _content(wanted):
            draft = await self._service.draft("PUT", f"/campaigns/{draft['id']}", wanted)
        return _Prepared.of(draft).to_json()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Start the campaign: unless it was started, deleted or changed meanwhile."""
        ready = _Prepared(**json.loads(prepared or await self.prepare(rendition, key, parent=parent)))
        found = await self._ours(key)
        if (started := _started(found)) is not None:
            return _receipt(started)
        draft = _still_there(found, ready)
        if _content(draft) != ready.content:
            raise Rejected(f"campaign {ready.id} was changed", hint=EDITED_HINT)
        try:
            return _receipt(await self._service.write("PUT", f"/campaigns/{ready.id}/status", {"status": "running"}))
        except Rejected:
            # listmonk starts nothing twice: perhaps somebody was faster.
            if (started := _started(await self._ours(key))) is not None:
                return _receipt(started)
            raise

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the key tells
        """The campaign, once it was started; None while it is a draft."""
        found = await self._ours(key)
        if (started := _started(found)) is not None:
            return _receipt(started)
        if prepared is not None:
            _still_there(found, _Prepared(**json.loads(prepared)))
        return None

    async def _ours(self, key: str) -> list[Json]:
        """Our campaigns of this issue, the oldest first. ``query`` looks in names and subjects, in its own way."""
        page = await self._service.read("/campaigns", query=mark_of(key), per_page="all")
        results = page.get("results") or []
        return sorted((one for one in results if str(one.get("name", "")).endswith(f"[{mark_of(key)}]")), key=lambda one: int(one["id"]))

    async def _wanted(self, rendition: Rendition, key: str) -> Json:
        if not self._lists:
            self._lists = await self._known_lists()
        if not self._template:
            self._template = await self._empty_template()
        sender = {"from_email": self._options.sender} if self._options.sender else {}
        return {
            "name": name_of(rendition.title, key),
            "subject": subject_of(rendition.title or rendition.text[:100]),
            "lists": self._lists,
            "type": "regular",
            "content_type": "html",
            "messenger": "email",
            "body": html_of(rendition.html),
            "altbody": text_of(rendition.text),
            "template_id": self._template,
            **sender,
        }

    async def _known_lists(self) -> list[int]:
        page = await self._service.read("/lists", per_page="all", minimal="true")
        known = [(int(one["id"]), str(one["name"])) for one in page.get("results") or []]
        found: list[int] = []
        for wanted in self._options.lists:
            named = [number for number, name in known if name.strip() == wanted.strip()]
            numbered = [number for number, _ in known if str(number) == wanted.strip()]
            if not (these := named or numbered):
                raise AuthExpired(f"no list “{wanted}”", hint=LISTS_HINT)
            found += [these[0]] if these[0] not in found else []
        return found

    async def _empty_template(self) -> int:
        wanted = self._options.template
        for one in await self._service.read("/templates") or []:
            mine = wanted is None or one["id"] == wanted
            if mine and one.get("type", "campaign") == "campaign" and _EMPTY.fullmatch(str(one.get("body", ""))):
                return int(one["id"])
        raise AuthExpired("no empty template" if wanted is None else f"template {wanted} is not there, or not empty", hint=TEMPLATE_HINT)


def _started(campaigns: list[Json]) -> Json | None:
    """The one that was started or scheduled, by whomever; also when it was stopped since, which is a person's word."""
    return next((one for one in campaigns if one.get("status") != "draft"), None)


def _still_there(campaigns: list[Json], ready: _Prepared) -> Json:
    draft = next((one for one in campaigns if one["id"] == ready.id), None)
    if draft is None:
        raise Rejected(f"campaign {ready.id} is not there any more", hint=GONE_HINT)
    return draft


def _content(campaign: Json) -> str:
    """A digest of what readers would get, and of who they are."""
    lists = sorted(int(one["id"] if isinstance(one, dict) else one) for one in campaign.get("lists") or [])
    parts: list[Any] = [campaign.get("subject"), campaign.get("body"), campaign.get("altbody"), lists]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _receipt(campaign: Json) -> Receipt:
    if not campaign.get("id"):
        raise OutcomeUnknown("the answer names no campaign")
    return Receipt(remote_id=str(campaign["id"]))

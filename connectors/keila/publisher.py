"""A campaign for each issue: a draft, then its sending. The package's docstring is the manual page."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from connectors.keila.options import KeilaOptions
from connectors.keila.service import Json, Service
from connectors.keila.writing import OUR_KEY, html_of, subject_of
from syndicator.contract import Context, Limits
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Transient, Words, words
from syndicator.model import Receipt, Rendition

LIMITS = Limits(kinds=frozenset({"digest"}), letter=True, title_max=150)
ORDERS_MAX = 8
"""How often Keila is told to send what it then does not."""

SENDER_HINT = words(
    fr="Vérifiez sender : le nom d'un expéditeur de ce projet de Keila (Expéditeurs).",
    en="Check sender: the name of a sender of this Keila project (Senders).",
)
SEGMENT_HINT = words(
    fr="Vérifiez segment : le nom d'un segment de ce projet de Keila (Segments).",
    en="Check segment: the name of a segment of this Keila project (Segments).",
)
GONE_HINT = words(
    fr="Le brouillon de ce numéro n'est plus dans Keila. S'il ne devait pas partir, il n'y a rien à faire ; si aucune campagne ne "
    "l'a envoyé, envoyez-le d'ici une nouvelle fois.",
    en="The draft of this issue is no longer in Keila. If it should not leave, there is nothing to do; if no campaign has sent it, send it "
    "again from here.",
)
EDITED_HINT = words(
    fr="Quelqu'un a modifié le brouillon de ce numéro dans Keila : nous ne l'envoyons pas. Envoyez-le là-bas ; ou "
    "renvoyez-le d'ici, tel que nous l'avons écrit.",
    en="Somebody changed the draft of this issue in Keila: we do not send it. Send it there; or send it again from here, as we wrote it.",
)
UNSENT_HINT = words(
    fr="Keila a pris l'ordre d'envoyer ce numéro, et ne l'envoie pas : regardez là-bas si quelqu'un est abonné (et dans le segment), "
    "si l'expéditeur est vérifié, s'il reste des crédits. Puis envoyez-le d'ici une nouvelle fois.",
    en="Keila took the order to send this issue, and does not send it: look there whether somebody is subscribed (and in the segment), "
    "whether the sender is verified, whether credits are left. Then send it again from here.",
)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A draft, and what stood in it."""

    id: str
    content: str

    def to_json(self) -> str:
        return json.dumps({"id": self.id, "content": self.content})

    @classmethod
    def of(cls, campaign: Json) -> _Prepared:
        return cls(id=str(campaign["id"]), content=_content(campaign))


class KeilaPublisher:
    """Sends issues of a newsletter by Keila."""

    Options: ClassVar[type[KeilaOptions]] = KeilaOptions
    limits: Limits = LIMITS

    def __init__(self, options: KeilaOptions, context: Context) -> None:
        self._options = options
        self._service = Service(options, context)
        self._sender: str | None = None
        self._segment: str | None = None
        self._orders: dict[str, int] = {}
        self.account = options.base

    async def open(self) -> None:
        """See that the sender and the segment are there. Nothing is made."""
        self._sender = await self._named("/senders", self._options.sender, SENDER_HINT)
        if self._options.segment is not None:
            self._segment = await self._named("/segments", self._options.segment, SEGMENT_HINT)

    async def close(self) -> None:
        """Nothing to give back."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002 - letters answer nothing
        """A draft with this letter: the one that is there already, brought up to date, or a new one."""
        wanted = await self._wanted(rendition, key)
        found = await self._ours(key)
        if (sent := _sent(found)) is not None:
            return _Prepared.of(sent).to_json()
        if not found:
            return _Prepared.of(await self._service.draft("POST", "/campaigns", {"data": wanted})).to_json()
        draft = found[0]
        if _content(draft) != _content(wanted):
            draft = await self._service.draft("PATCH", _path(str(draft["id"])), {"data": wanted})
        return _Prepared.of(draft).to_json()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Have the campaign sent: unless it was sent, deleted or changed meanwhile."""
        ready = _Prepared(**json.loads(prepared or await self.prepare(rendition, key, parent=parent)))
        campaign = await self._known(ready)
        if _sent([campaign]) is not None:
            return _receipt(campaign)
        if _content(campaign) != ready.content:
            raise Rejected(f"campaign {ready.id} was changed", hint=EDITED_HINT)
        if self._orders.get(ready.id, 0) >= ORDERS_MAX:
            del self._orders[ready.id]
            raise Rejected(f"campaign {ready.id} is not sent", hint=UNSENT_HINT)
        await self._order(ready)
        return await self._confirmed(ready)

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the key tells
        """The campaign, once it was sent or scheduled; None before: Keila sends nothing twice, so that it may be told again."""
        found = [await self._known(_Prepared(**json.loads(prepared)))] if prepared is not None else await self._ours(key)
        sent = _sent(found)
        return None if sent is None else _receipt(sent)

    async def _order(self, ready: _Prepared) -> None:
        try:
            await self._service.write("POST", f"{_path(ready.id)}/actions/send")
        except Gone as error:
            raise Rejected(error.detail, hint=GONE_HINT) from error
        self._orders[ready.id] = self._orders.get(ready.id, 0) + 1

    async def _confirmed(self, ready: _Prepared) -> Receipt:
        """Keila says 202 whatever will come of it; what was sent has a date."""
        try:
            campaign = await self._known(ready)
        except (Transient, Rejected) as error:
            raise OutcomeUnknown(error.detail) from error
        if _sent([campaign]) is None:
            raise OutcomeUnknown(f"Keila has not sent campaign {ready.id} yet")
        self._orders.pop(ready.id, None)
        return _receipt(campaign)

    async def _known(self, ready: _Prepared) -> Json:
        try:
            campaign: Json = await self._service.read(_path(ready.id))
        except Gone as error:
            raise Rejected(error.detail, hint=GONE_HINT) from error
        return campaign

    async def _ours(self, key: str) -> list[Json]:
        """Our campaigns of this issue, the oldest first."""
        found = [one for one in await self._service.read("/campaigns") if (one.get("data") or {}).get(OUR_KEY) == key]
        return sorted(found, key=lambda one: (str(one.get("inserted_at")), str(one["id"])))

    async def _wanted(self, rendition: Rendition, key: str) -> Json:
        if self._sender is None:
            await self.open()
        subject, more = subject_of(rendition.title or rendition.text[:100])
        return {
            "subject": subject,
            "settings": {"type": "html", "do_not_track": True},
            "html_body": html_of(rendition.html),
            "sender_id": self._sender,
            "data": {OUR_KEY: key, **more},
            **({"segment_id": self._segment} if self._segment is not None else {}),
        }

    async def _named(self, path: str, wanted: str, hint: Words) -> str:
        known = await self._service.read(path)
        for one in known:
            if wanted in (one.get("name"), one.get("id")):
                return str(one["id"])
        raise AuthExpired(f"{path}: no “{wanted}”", hint=hint)


def _path(number: str) -> str:
    return f"/campaigns/{quote(number, safe='')}"


def _sent(campaigns: list[Json]) -> Json | None:
    """The one that was sent or is to be sent at an hour, by whomever."""
    return next((one for one in campaigns if one.get("sent_at") or one.get("scheduled_for")), None)


def _content(campaign: Json) -> str:
    """A digest of what readers would get, and of who they are."""
    data = {name: value for name, value in (campaign.get("data") or {}).items() if name != OUR_KEY}
    parts = [campaign.get("subject"), campaign.get("html_body"), campaign.get("sender_id"), campaign.get("segment_id"), data]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _receipt(campaign: Json) -> Receipt:
    return Receipt(remote_id=str(campaign["id"]))

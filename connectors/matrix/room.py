"""One room as the account sees it: where it is, whether it may write there, what it wrote there."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from connectors.matrix.answers import Missing, NotAllowed
from connectors.matrix.client import V3, Client
from connectors.matrix.content import KEY, Content
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Transient, words

PAGE = "50"
"""Of the largest, more would be more than an answer may have."""
PAGES_MAX = 60
LOOK_BACK = timedelta(days=15)
"""Nobody asks for longer what became of a message."""
MARGIN = timedelta(hours=1)
"""The server's clock is not ours."""

ENCRYPTED_HINT = words(
    fr="Ce salon est chiffré : un robot ne peut pas y écrire lisiblement. Faites un salon d'annonces sans chiffrement.",
    en="This room is encrypted: a robot cannot write there legibly. Make a room for announcements without encryption.",
)
INVITE_HINT = words(
    fr="Le compte n'est pas dans le salon : invitez-le (Element : le salon → Inviter), il y entrera tout seul.",
    en="The account is not in the room: invite it (Element: the room → Invite), it will come in by itself.",
)
LEVEL_HINT = words(
    fr="Le compte n'a pas le droit d'écrire dans ce salon : donnez-lui le rôle de modérateur.",
    en="The account may not write in this room: make it a moderator.",
)
ROOM_HINT = words(
    fr="Vérifiez room : ce serveur ne connaît pas de salon de ce nom.",
    en="Check room: this server knows no room of that name.",
)


class Room:
    """One room."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = name
        self._id = ""

    @property
    def link(self) -> str:
        """Its page, for whoever has an account anywhere."""
        return f"https://matrix.to/#/{quote(self._name, safe='!#:')}"

    def link_to(self, event_id: str) -> str:
        """The page of one message."""
        server = self._client.session.user_id.partition(":")[2]
        return f"{self.link}/{quote(event_id, safe='$')}?via={quote(server)}"

    async def open(self) -> None:
        """See that it is there, not encrypted, and that the account writes in it or is invited; nothing changes."""
        self._id = self._name if self._name.startswith("!") else await self._found()
        if await self._is_member():
            await self._refuse_encrypted()
            await self._refuse_low_level()
        else:
            await self._refuse_uninvited()

    async def send(self, content: Content, transaction: str) -> str:
        """Write one message, once for each transaction; its number. An account that is only invited joins first."""
        path = self._path("send", "m.room.message", transaction)
        try:
            answer = await self._client.call("PUT", path, content, write=True)
        except NotAllowed as error:
            await self.enter(error)
            answer = await self._client.call("PUT", path, content, write=True)
        if not answer.get("event_id"):
            raise OutcomeUnknown("the answer names no event")
        return str(answer["event_id"])

    async def enter(self, refused: NotAllowed) -> None:
        """Accept the invitation, if that is what was missing."""
        if await self._is_member():
            raise AuthExpired(refused.detail, hint=LEVEL_HINT) from refused
        try:
            await self._client.call("POST", f"{V3}/join/{quote(self._name, safe='')}", {})
        except (NotAllowed, Missing) as error:
            raise AuthExpired(error.detail, hint=INVITE_HINT) from error
        await self._refuse_encrypted()

    async def event(self, event_id: str) -> Mapping[str, Any]:
        """One message as it is now; Gone when it was removed."""
        try:
            event = await self._client.call("GET", self._path("event", event_id))
        except Missing as error:
            if not await self._is_member():
                raise AuthExpired(error.detail, hint=INVITE_HINT) from None
            raise
        if not event.get("content"):
            raise Gone(f"{event_id} was redacted")
        return event

    async def redact(self, event_id: str, transaction: str) -> None:
        """Remove one message; repeating it is harmless."""
        await self._client.call("PUT", self._path("redact", event_id, transaction), {}, write=True)

    async def edits(self, event_id: str) -> list[str]:
        """The events that edited a message: they hold its text too."""
        path = self._path("relations", event_id, "m.replace").replace(V3, "/_matrix/client/v1")
        try:
            answer = await self._client.call("GET", path, params={"limit": PAGE})
        except (Missing, Rejected):
            return []
        return [str(one["event_id"]) for one in answer.get("chunk") or [] if one.get("event_id")]

    async def ours(self, mark: str, since: datetime) -> dict[str, Mapping[str, Any]]:
        """By their key, the messages whose key begins with ``mark``, among those that we wrote since then.

        Raises Transient when there are too many to tell.
        """
        wanted = {"senders": [self._client.session.user_id], "types": ["m.room.message"]}
        params = {"dir": "b", "limit": PAGE, "filter": json.dumps(wanted)}
        found: dict[str, Mapping[str, Any]] = {}
        for _ in range(PAGES_MAX):
            page = await self._client.call("GET", self._path("messages"), params=params)
            events = [event for event in page.get("chunk") or [] if isinstance(event, Mapping)]
            found |= {key: event for event in events if (key := _key(event)).startswith(mark)}
            oldest = min((int(event.get("origin_server_ts", 0)) for event in events), default=None)
            # An empty page may still lead to another.
            if not page.get("end") or (oldest is not None and oldest < since.timestamp() * 1000):
                return found
            params["from"] = str(page["end"])
        raise Transient(f"more than {PAGES_MAX} pages of messages to look through")

    async def _found(self) -> str:
        try:
            answer = await self._client.call("GET", f"{V3}/directory/room/{quote(self._name, safe='')}")
        except Missing as error:
            raise Rejected(error.detail, hint=ROOM_HINT) from error
        if not answer.get("room_id"):
            raise Transient("the server does not name the room")
        return str(answer["room_id"])

    async def _is_member(self) -> bool:
        answer = await self._client.call("GET", f"{V3}/joined_rooms")
        return self._id in (answer.get("joined_rooms") or [])

    async def _refuse_uninvited(self) -> None:
        """Raise AuthExpired, unless there is an invitation; Rejected when it is to an encrypted room."""
        nothing = {"not_types": ["*"]}
        wanted = {
            "presence": nothing,
            "account_data": nothing,
            "room": {"rooms": [self._id], "timeline": {"limit": 1}, "ephemeral": nothing},
        }
        # Synapse gives the same answer for two minutes to the same question; without ``since``, no timeout is waited for.
        params = {"timeout": str(secrets.randbelow(1000)), "set_presence": "offline", "filter": json.dumps(wanted)}
        answer = await self._client.call("GET", f"{V3}/sync", params=params)
        invitation = ((answer.get("rooms") or {}).get("invite") or {}).get(self._id)
        if invitation is None:
            raise AuthExpired(f"{self._client.session.user_id} is not in {self._name}, nor invited", hint=INVITE_HINT)
        state = (invitation.get("invite_state") or {}).get("events") or []
        if any(event.get("type") == "m.room.encryption" for event in state):
            raise Rejected(f"{self._name} is encrypted", hint=ENCRYPTED_HINT)

    async def _refuse_encrypted(self) -> None:
        if await self._state("m.room.encryption"):
            raise Rejected(f"{self._name} is encrypted", hint=ENCRYPTED_HINT)

    async def _refuse_low_level(self) -> None:
        """https://spec.matrix.org/v1.16/client-server-api/#mroompower_levels"""
        me = self._client.session.user_id
        levels = await self._state("m.room.power_levels")
        needed = int((levels.get("events") or {}).get("m.room.message", levels.get("events_default", 0)))
        mine = int((levels.get("users") or {}).get(me, levels.get("users_default", 0)))
        if mine >= needed:
            return
        # In rooms of version 12, whoever made them stands above all levels and in no list.
        create = await self._state("m.room.create", params={"format": "event"})
        if me != create.get("sender") and me not in ((create.get("content") or {}).get("additional_creators") or []):
            raise AuthExpired(f"{me} has level {mine} in {self._name}, messages need {needed}", hint=LEVEL_HINT)

    async def _state(self, kind: str, *, params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """The room's state of that kind; empty when it has none."""
        try:
            return await self._client.call("GET", self._path("state", kind, ""), params=params)
        except Missing:
            return {}

    def _path(self, *parts: str) -> str:
        return "/".join([f"{V3}/rooms", *(quote(part, safe="") for part in (self._id, *parts))])


def _key(event: Mapping[str, Any]) -> str:
    content = event.get("content")
    return str(content.get(KEY) or "") if isinstance(content, Mapping) and event.get("event_id") else ""

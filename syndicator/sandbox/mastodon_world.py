"""What a Mastodon-like server holds: accounts, statuses, media, tokens. No HTTP here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

IdStyle = Literal["snowflake", "ulid", "flake", "serial"]
"""How a server numbers: Mastodon and Pixelfed, GoToSocial, Pleroma and Akkoma, Friendica."""

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(kw_only=True)
class Account:
    """An account; of this server unless it has a ``domain``."""

    id: str
    username: str
    display_name: str
    bot: bool = False
    domain: str | None = None


@dataclass(kw_only=True)
class Status:
    """A status in the shape it is kept; ``extra`` is merged into what the API answers."""

    id: str
    account: Account
    content: str
    created_at: datetime
    visibility: str = "public"
    edited_at: datetime | None = None
    in_reply_to_id: str | None = None
    in_reply_to_account_id: str | None = None
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = "fr"
    media_ids: list[str] = field(default_factory=list)
    source_text: str = ""
    """The plain text as it was posted."""
    application: str | None = "Web"
    reblog_of: Status | None = None
    """What this merely shares; its own content is then empty."""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Media:
    """An uploaded file; ``ready`` turns true after ``polls_left`` questions (the service works on it meanwhile)."""

    id: str
    account_id: str
    type: str
    data: bytes
    media_type: str
    description: str = ""
    polls_left: int = 0


@dataclass(kw_only=True)
class Token:
    """An access token: whose, and what it may do."""

    value: str
    account_id: str
    scopes: frozenset[str]
    application: str = "syndicator"
    """The name of the program that it was given to."""


class World:
    """Everything on one server; ids are strings that grow with time, as snowflakes do."""

    def __init__(self, now: Callable[[], datetime], *, ids: IdStyle = "snowflake") -> None:
        self.now = now
        self.ids = ids
        self.accounts: dict[str, Account] = {}
        self.statuses: dict[str, Status] = {}
        self.media: dict[str, Media] = {}
        self.tokens: dict[str, Token] = {}
        self._serial = 0
        self.listeners: list[Callable[[str, Status], None]] = []
        """Called with ``update``, ``status.update`` or ``delete`` and the status concerned."""

    def next_id(self) -> str:
        """The next id in this server's style; but for serial numbers, milliseconds and a counter."""
        self._serial += 1
        milliseconds = int(self.now().timestamp() * 1000)
        if self.ids == "ulid":
            return _digits((milliseconds << 80) + self._serial, CROCKFORD, 26)
        if self.ids == "flake":
            return _digits((milliseconds << 64) + self._serial, BASE62, 18)
        if self.ids == "serial":
            return str(self._serial)
        return str((milliseconds << 16) + (self._serial & 0xFFFF))

    def add_account(self, username: str, display_name: str = "", *, bot: bool = False, domain: str | None = None) -> Account:
        """Open an account, or learn of one elsewhere (``domain``)."""
        account = Account(id=self.next_id(), username=username, display_name=display_name or username, bot=bot, domain=domain)
        self.accounts[account.id] = account
        return account

    def add_token(self, account: Account, *scopes: str) -> str:
        """Authorise an application."""
        value = secrets.token_urlsafe(24)
        self.tokens[value] = Token(value=value, account_id=account.id, scopes=frozenset(scopes))
        return value

    def post(self, account: Account, content: str, **fields: Any) -> Status:
        """Publish a status whose HTML is ``content``."""
        status = Status(id=self.next_id(), account=account, content=content, created_at=fields.pop("created_at", self.now()), **fields)
        self.statuses[status.id] = status
        self._tell("update", status)
        return status

    def boost(self, account: Account, status: Status, **fields: Any) -> Status:
        """Share a status."""
        return self.post(account, "", reblog_of=status, **fields)

    def edit(self, status: Status, **fields: Any) -> None:
        """Change a status and mark it edited."""
        for name, value in fields.items():
            setattr(status, name, value)
        status.edited_at = self.now()
        self._tell("status.update", status)

    def delete(self, status: Status) -> None:
        """Remove a status."""
        self.statuses.pop(status.id, None)
        self._tell("delete", status)

    def of_account(self, account_id: str) -> list[Status]:
        """An account's statuses, oldest first."""
        return sorted((s for s in self.statuses.values() if s.account.id == account_id), key=lambda s: id_order(s.id))

    def _tell(self, event: str, status: Status) -> None:
        for listener in list(self.listeners):
            listener(event, status)


def id_order(status_id: str) -> tuple[int, str]:
    """Sorts ids as time does, in every style."""
    return (len(status_id), status_id)


def _digits(number: int, alphabet: str, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, len(alphabet))
        digits.append(alphabet[rest])
    return "".join(reversed(digits))

"""What a Mastodon-like server holds: accounts, statuses, media, tokens. No HTTP here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(kw_only=True)
class Account:
    """A local account."""

    id: str
    username: str
    display_name: str
    bot: bool = False


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


class World:
    """Everything on one server; ids are strings that grow with time, as snowflakes do."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.accounts: dict[str, Account] = {}
        self.statuses: dict[str, Status] = {}
        self.media: dict[str, Media] = {}
        self.tokens: dict[str, Token] = {}
        self._serial = 0
        self.listeners: list[Callable[[str, Status], None]] = []
        """Called with ``update``, ``status.update`` or ``delete`` and the status concerned."""

    def next_id(self) -> str:
        """A snowflake-like id: milliseconds shifted by 16 bits, plus a counter."""
        self._serial += 1
        return str((int(self.now().timestamp() * 1000) << 16) + (self._serial & 0xFFFF))

    def add_account(self, username: str, display_name: str = "", *, bot: bool = False) -> Account:
        """Open an account."""
        account = Account(id=self.next_id(), username=username, display_name=display_name or username, bot=bot)
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
        return sorted((s for s in self.statuses.values() if s.account.id == account_id), key=lambda s: int(s.id))

    def _tell(self, event: str, status: Status) -> None:
        for listener in list(self.listeners):
            listener(event, status)

"""What a person configures of a Telegram channel. The package's docstring is the manual page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from syndicator.contract import Secret
from syndicator.errors import words


@dataclass(frozen=True, kw_only=True)
class TelegramOptions:
    """Which channel, and who writes to it."""

    token: Secret
    """The bot's token, as @BotFather gave it."""
    chat: str
    """The channel or group: ``@name``, its ``https://t.me/name``, or its number, such as ``-1001234567890``, when it is private."""
    silent: bool = False
    """Publish without a sound on the subscribers' telephones."""
    link_preview: bool = True
    """Show a card of the first link of a text without pictures."""
    api: str = "https://api.telegram.org"
    """Another Bot API server, when you run your own."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"@\w{4,32}|-?\d{4,}", self.chat_id):
            raise ValueError(
                words(
                    fr=f"« {self.chat} » n'est pas un canal : écrivez @nom, ou son numéro, qui commence par -100.",
                    en=f"“{self.chat}” is not a channel: write @name, or its number, which begins with -100.",
                )
            )
        parts = urlsplit(self.api)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError(words(fr="api est l'adresse d'un serveur, https://…", en="api is the address of a server, https://…"))

    @property
    def chat_id(self) -> str:
        """As the API wants it."""
        name = re.sub(r"^(https?://)?(www\.)?(t\.me|telegram\.me)/(s/)?", "", self.chat.strip()).rstrip("/")
        return f"@{name}" if re.match(r"[A-Za-z]", name) else name

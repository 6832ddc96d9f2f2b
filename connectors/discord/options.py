"""What a person configures of a Discord channel. The package's docstring is the manual page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from syndicator.contract import Secret
from syndicator.errors import words


@dataclass(frozen=True, kw_only=True)
class DiscordOptions:
    """Which channel, and under which name."""

    webhook: Secret
    """The webhook's whole address, ``https://discord.com/api/webhooks/…/…``."""
    thread_id: str | None = None
    """The number of a thread of that channel, or of a forum's post, to write into."""
    username: str | None = None
    """Another name to show than the webhook's own."""
    suppress_embeds: bool = False
    """Show no cards of the links in a text."""

    def __post_init__(self) -> None:
        if self.thread_id is not None and not re.fullmatch(r"[1-9]\d*", self.thread_id):
            raise ValueError(words(fr="thread_id est un numéro, entre guillemets.", en="thread_id is a number, in quotes."))
        if self.username is not None and not (1 <= len(self.username.strip()) <= 80 and "discord" not in self.username.lower()):
            raise ValueError(
                words(fr="username a 1 à 80 caractères, sans le mot « discord ».", en="username has 1 to 80 characters, without “discord”.")
            )

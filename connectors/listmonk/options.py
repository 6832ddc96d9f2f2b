"""Which listmonk, as whom, to which lists."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from syndicator.contract import Secret
from syndicator.errors import words


@dataclass(frozen=True, kw_only=True)
class ListmonkOptions:
    """Which listmonk, as whom, to which lists."""

    url: str
    """The address of your listmonk, such as ``https://lettre.asso.example``."""
    username: str
    """Name of the API user."""
    token: Secret
    """The token that listmonk shows once, when the API user is made."""
    lists: tuple[str, ...]
    """The lists that get the letter: their names, or their numbers."""
    template: int | None = None
    """Number of an empty template. Left out, the first template that is empty is taken."""
    sender: str | None = None
    """Who writes: ``Les Amis du Vélo <lettre@asso.example>``; by default whoever listmonk's settings name."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError(
                words(
                    fr=f"« {self.url} » n'est pas l'adresse d'un listmonk : écrivez par exemple https://lettre.asso.example.",
                    en=f"“{self.url}” is not the address of a listmonk: write for example https://lettre.asso.example.",
                )
            )
        if not self.lists or not all(one.strip() for one in self.lists):
            raise ValueError(words(fr="lists nomme au moins une liste.", en="lists names one list at least."))

    @property
    def base(self) -> str:
        """Without a slash at its end."""
        return self.url.rstrip("/")

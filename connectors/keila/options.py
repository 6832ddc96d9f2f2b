"""Which Keila, from whom, to whom."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from syndicator.contract import Secret
from syndicator.errors import words


@dataclass(frozen=True, kw_only=True)
class KeilaOptions:
    """Which Keila, from whom, to whom."""

    key: Secret
    """The API key of the project, which Keila shows once."""
    sender: str
    """The name of the project's sender that writes, or its id (``ms_…``)."""
    url: str = "https://app.keila.io"
    """The address of your Keila."""
    segment: str | None = None
    """The name of the segment that gets the letter, or its id (``sgm_…``); by default all active contacts."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError(
                words(
                    fr=f"« {self.url} » n'est pas l'adresse d'un Keila : écrivez par exemple https://keila.asso.example.",
                    en=f"“{self.url}” is not the address of a Keila: write for example https://keila.asso.example.",
                )
            )

    @property
    def base(self) -> str:
        """Without a slash at its end."""
        return self.url.rstrip("/")

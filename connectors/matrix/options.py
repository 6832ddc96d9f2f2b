"""Which room, and who writes there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from syndicator.contract import Secret
from syndicator.errors import words

_LINK = "https://matrix.to/#/"
_ROOM = re.compile(r"#[^\s:]+:\S+|![^\s:]+(?::\S+)?")


@dataclass(frozen=True, kw_only=True)
class MatrixOptions:
    """Which room, and who writes there."""

    homeserver: str
    """Address of the account's server, such as ``https://matrix.asso.example``; the part after the colon of its name will often do."""
    room: str
    """The room: its address ``#annonces:asso.example``, its number ``!…``, or its ``https://matrix.to/#/…`` link."""
    access_token: Secret | None = None
    """A token of the account; or else ``user`` and ``password``."""
    user: str = ""
    """The account's name, such as ``@agenda:asso.example``."""
    password: Secret | None = None
    """Its password."""
    notice: bool = False
    """Write as robots do (``m.notice``): shown paler, and for most people without a sound."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(
                words(
                    fr=f"« {self.homeserver} » n'est pas l'adresse d'un serveur : écrivez par exemple https://matrix.asso.example.",
                    en=f"“{self.homeserver}” is not the address of a server: write for example https://matrix.asso.example.",
                )
            )
        if not _ROOM.fullmatch(self.room_name):
            raise ValueError(
                words(
                    fr=f"« {self.room} » n'est pas un salon : écrivez par exemple #annonces:asso.example.",
                    en=f"“{self.room}” is not a room: write for example #annonces:asso.example.",
                )
            )
        if (self.access_token is None) == (not self.user or self.password is None):
            raise ValueError(
                words(fr="Donnez soit access_token, soit user et password.", en="Give either access_token, or user and password.")
            )

    @property
    def base_url(self) -> str:
        """Scheme, host and port alone."""
        parts = urlsplit(self.homeserver if "://" in self.homeserver else f"https://{self.homeserver}")
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def room_name(self) -> str:
        """The room's address or number, out of a link too."""
        name = self.room.strip()
        return unquote(name.removeprefix(_LINK).split("?")[0].split("/")[0]) if name.startswith(_LINK) else name

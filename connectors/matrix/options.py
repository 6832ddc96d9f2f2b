"""Which room, and who writes there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from syndicator.contract import Secret
from syndicator.errors import words

_LINK = re.compile(r"https?://[^#\s]*#/(?:room/)?(?=[#!%])")
"""``https://matrix.to/#/…``, and what a browser shows above a room in Element."""
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
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError(
                words(
                    fr=f"« {self.homeserver} » n'est pas l'adresse d'un serveur : écrivez par exemple https://asso.example, ce qui suit "
                    "les deux-points dans le nom du compte.",
                    en=f"“{self.homeserver}” is not the address of a server: write for example https://asso.example, what follows the "
                    "colon in the account's name.",
                )
            )
        if not _ROOM.fullmatch(self.room_name):
            raise ValueError(
                words(
                    fr=f"« {self.room} » n'est pas un salon : écrivez son adresse, par exemple #annonces:asso.example (Element : le salon "
                    "→ Paramètres → Général).",
                    en=f"“{self.room}” is not a room: write its address, for example #annonces:asso.example (Element: the room → "
                    "Settings → General).",
                )
            )
        if (self.access_token is None) == (not self.user or self.password is None):
            raise ValueError(
                words(fr="donnez soit access_token, soit user et password.", en="give either access_token, or user and password.")
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
        link = _LINK.match(name)
        return unquote(name[link.end() :].split("?")[0].split("/")[0]) if link else name

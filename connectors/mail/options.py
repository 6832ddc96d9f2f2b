"""What a person decides about sending letters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import unquote
from pathlib import Path
from typing import Literal

from syndicator.contract import Secret
from syndicator.errors import words

_ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+\.[^\s@<>,;:\".]+|[^\s@<>,;:\"]+@localhost")
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>\s*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What would end a header, or has no business in one."""
PER_MINUTE_MAX = 60_000
ADDRESS_MAX = 254
LOCAL_MAX = 64
"""RFC 5321, 4.5.3.1."""
PORTS = {"tls": 465, "starttls": 587, "none": 25}


def address_of(text: str) -> str | None:
    """The mail address in ``Name <address>`` or alone, in ASCII (RFC 5891 for its domain); None when there is none that can be used."""
    local, at, domain = _divided(text)[1].rpartition("@")
    try:
        found = local + at + domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    usable = _ADDRESS.fullmatch(found) and found.isascii() and len(found) <= ADDRESS_MAX and len(local) <= LOCAL_MAX
    return found if usable and not CONTROL.search(text) else None


def name_of(text: str) -> str:
    """The name in ``Name <address>``."""
    return _divided(text)[0]


def _divided(text: str) -> tuple[str, str]:
    found = _NAMED.fullmatch(text)
    return (unquote(found[1].strip()), found[2].strip()) if found else ("", text.strip())


@dataclass(frozen=True, kw_only=True)
class Server:
    """The server that takes our letters, and who writes them."""

    host: str
    """The mail server that takes our letters, such as ``smtp.asso.example``."""
    sender: str
    """Who writes: ``Les Amis du Vélo <lettre@asso.example>``. The server must let this address write."""
    port: int | None = None
    """By default 465 with ``tls``, 587 with ``starttls``, 25 with ``none``."""
    security: Literal["tls", "starttls", "none"] = "tls"
    """How the way to the server is protected; ``none`` only for a server in ``allow_private``."""
    username: str | None = None
    """Left out when the server asks for none."""
    password: Secret | None = None
    """Of that account."""
    reply_to: str | None = None
    """Where answers go, when it is not the sender."""

    def __post_init__(self) -> None:
        self.check("sender", "reply_to")
        if (self.username is None) != (self.password is None):
            raise ValueError(words(fr="username et password vont ensemble.", en="username and password go together."))

    def check(self, *names: str) -> None:
        """Raise ValueError for a field that should be a mail address and is none."""
        for name in names:
            value = getattr(self, name)
            if value is not None and address_of(value) is None:
                raise ValueError(
                    words(
                        fr=f"{name} = « {value} » n'est pas une adresse de courriel que nous puissions employer.",
                        en=f'{name} = "{value}" is not a mail address that we can use.',
                    )
                )

    @property
    def chosen_port(self) -> int:
        """The port to connect to."""
        return self.port or PORTS[self.security]


@dataclass(frozen=True, kw_only=True)
class ToReaders(Server):
    """One letter a reader."""

    readers: Path
    """A file with one address a line, kept by hand; lines that begin with ``#`` are notes."""
    unsubscribe: str | None = None
    """The address that a person who wants no more letters writes to; by default the sender's."""
    per_minute: int = 60
    """How many letters leave in a minute. Ask the server's keepers what they allow."""
    one_click: bool | None = None
    """Put a link in each letter by which its reader leaves at once, and the button of Gmail and others (RFC 8058). By default, where
    ``public_url`` is in https and our page is seen to answer there; ``true`` relies on it unseen, ``false`` leaves the address alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check("unsubscribe")
        if not 1 <= self.per_minute <= PER_MINUTE_MAX:
            raise ValueError(words(fr="per_minute : entre 1 et 60000.", en="per_minute: between 1 and 60000."))


@dataclass(frozen=True, kw_only=True)
class ToList(Server):
    """One letter to a list, which sends it on."""

    to: str
    """The address of the mailing list (Sympa, Framalistes, Mailman)."""
    drops_repeats: bool = False
    """Whether the list drops a letter that it had within a day, as Sympa does. Then a lost answer is no riddle."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check("to")

"""What a person configures of an account on Bluesky. The package's docstring is the manual page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from syndicator.contract import Secret
from syndicator.errors import words

VIDEO_SERVICE = "https://video.bsky.app"
_HANDLE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_OFFICIAL = (".bsky.social", ".bsky.network")
"""What the servers of Bluesky itself are called."""


@dataclass(frozen=True, kw_only=True)
class PublisherOptions:
    """Which account, and how it speaks."""

    handle: str
    """The account's name, such as ``asso.bsky.social``, or your own domain if the account has it."""
    app_password: Secret
    """An app password of this account, never its own password."""
    pds: str = "https://bsky.social"
    """Address of the server where the account logs in; only for accounts outside of bsky.social."""
    link_card: bool = True
    """Whether a post without a picture shows a card for its link."""
    video: str | None = None
    """Address of the service that makes videos fit to be played; left out: Bluesky's own for accounts of bsky.social, none elsewhere.
    Without one (``""``), a video becomes its picture and the link home."""
    sensitive_label: Literal["graphic-media", "nudity", "sexual", "porn"] = "graphic-media"
    """The label of posts whose media are sensitive; apps blur what carries it, more or less according to the label."""

    def __post_init__(self) -> None:
        if not _HANDLE.fullmatch(self.account):
            raise ValueError(
                words(
                    fr=f"« {self.handle} » n'est pas un nom de compte : écrivez par exemple asso.bsky.social.",
                    en=f"“{self.handle}” is not the name of an account: write for example asso.bsky.social.",
                )
            )
        for value, base, example in ((self.pds, self.base_url, "https://bsky.social"), (self.video, self.video_url, VIDEO_SERVICE)):
            parts = urlsplit(base or "")
            if value is not None and base is not None and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
                raise ValueError(
                    words(
                        fr=f"« {value} » n'est pas l'adresse d'un serveur : écrivez par exemple {example}.",
                        en=f"“{value}” is not the address of a server: write for example {example}.",
                    )
                )

    @property
    def account(self) -> str:
        """The handle as the network writes it."""
        return self.handle.strip().removeprefix("@").lower()

    @property
    def base_url(self) -> str:
        """Scheme, host and port alone."""
        return _base(self.pds)

    @property
    def video_url(self) -> str | None:
        """The video service; None without one."""
        if self.video is not None:
            return _base(self.video) if self.video.strip() else None
        host = f".{urlsplit(self.base_url).hostname or ''}"
        return VIDEO_SERVICE if host.endswith(_OFFICIAL) else None


def _base(url: str) -> str:
    parts = urlsplit(url if "://" in url else f"https://{url}")
    return f"{parts.scheme}://{parts.netloc}"

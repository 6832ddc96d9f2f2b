"""Which site, who writes there, and what becomes of posts and events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from syndicator.contract import Secret
from syndicator.errors import words

_PAGES = re.compile(r"/(wp-admin|wp-login\.php|wp-json|index\.php)(/.*)?$")


@dataclass(frozen=True, kw_only=True)
class WordpressOptions:
    """Which site, who writes there, and what becomes of posts and events."""

    url: str
    """The site's address, with its folder where it has one: ``https://asso.example`` or ``https://asso.example/blog``."""
    username: str
    """Name of the account that writes, as one logs in with it."""
    app_password: Secret
    """An application password of that account, not the one it logs in with."""
    status: Literal["publish", "pending", "draft"] = "publish"
    """``publish`` shows it at once; ``pending`` and ``draft`` leave that to somebody on the site."""
    events: Literal["auto", "post", "tec"] = "auto"
    """What an event becomes: one of The Events Calendar where the site has that plugin, else a post; always a post; always the former."""
    categories: tuple[str, ...] = ()
    """Names of categories for every post, made where they are missing and the account may; none: the site's default category."""
    tags: tuple[str, ...] = ()
    """Names of tags for every post."""
    own_tags: bool = False
    """Whether the post's own hashtags become tags too."""
    pictures: Literal["featured", "content"] = "featured"
    """Whether the first picture is the post's featured image, or stands in its text like the others, for themes that show none."""
    dates: Literal["now", "origin"] = "now"
    """What date a post bears: when it came to the site, or when it was published at its origin (for taking over an archive)."""
    formats: bool = False
    """Whether what shows a video gets the post format "video", for themes that make something of it."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError(
                words(
                    fr=f"« {self.url} » n'est pas l'adresse d'un site : écrivez par exemple https://asso.example.",
                    en=f"“{self.url}” is not the address of a site: write for example https://asso.example.",
                )
            )
        if not self.username.strip() or ":" in self.username:
            raise ValueError(
                words(
                    fr="username est le nom (ou le courriel) avec lequel ce compte se connecte au site.",
                    en="username is the name (or the e-mail address) that this account logs in with.",
                )
            )
        if not all(name.strip() for name in (*self.categories, *self.tags)):
            raise ValueError(words(fr="categories et tags n'ont pas de mot vide.", en="categories and tags have no empty word."))

    @property
    def base(self) -> str:
        """The site's own address, without a slash at its end, whichever of its pages was given."""
        return _PAGES.sub("", self.url.rstrip("/")).rstrip("/")

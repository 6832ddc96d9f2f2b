"""Which forum, where in it, and who writes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from syndicator.contract import Secret
from syndicator.errors import words

TAGS_MAX = 5
"""``max_tags_per_topic`` of a new forum."""


@dataclass(frozen=True, kw_only=True)
class DiscourseOptions:
    """Which forum, where in it, and who writes."""

    url: str
    """The forum's address, such as ``https://forum.asso.example``."""
    key: Secret
    """The API key, made by the forum's administrators."""
    username: str
    """Name of the account that writes: the one that the key was made for."""
    category: int
    """Number of the category: what its address ends with (``…/c/annonces/5``)."""
    tags: tuple[str, ...] = ()
    """Tags for every topic, five at most."""
    own_tags: bool = False
    """Whether the post's own hashtags become tags too, as far as the forum has room for them."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError(
                words(
                    fr=f"« {self.url} » n'est pas l'adresse d'un forum : écrivez par exemple https://forum.asso.example.",
                    en=f"“{self.url}” is not the address of a forum: write for example https://forum.asso.example.",
                )
            )
        if self.category < 1:
            raise ValueError(words(fr="category est un numéro, 1 au moins.", en="category is a number, 1 at least."))
        if len(self.tags) > TAGS_MAX or not all(tag.strip() for tag in self.tags):
            raise ValueError(words(fr="tags a cinq mots au plus, aucun vide.", en="tags has five words at most, none of them empty."))

    @property
    def base(self) -> str:
        """Without a slash at its end."""
        return self.url.rstrip("/")

"""What a person writes in the configuration to read a Mobilizon instance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from syndicator.errors import words

GROUP_NAME = re.compile(r"[A-Za-z0-9_.-]+(@[A-Za-z0-9.-]+(:\d+)?)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which instance, and what of it."""

    url: str
    """Address of the instance that is the group's home, such as ``https://mobilizon.fr``."""
    groups: tuple[str, ...] = ()
    """Names of the groups to read, as in their address after the @: ``asso``, or ``asso@other.instance`` through this instance."""
    tags: tuple[str, ...] = ()
    """Instead of groups: the events of the instance that have one of these tags, spelt as on the instance."""
    whole_instance: bool = False
    """Instead of groups: every event to come of the instance."""
    federated: bool = False
    """With ``tags`` or ``whole_instance``: also the events that the instance received from other instances."""
    events: bool = True
    """Read the events."""
    posts: bool = True
    """Read the public posts of the groups."""
    history: timedelta = timedelta(days=31)
    """How far back to look: events that ended, and posts published, longer ago are left out."""
    timezone: str | None = None
    """Time zone of events that name none, such as ``Europe/Paris``; the association's when left out."""
    page_size: int = 100
    """How many events or posts to ask for at once; smaller for a weak server."""

    def __post_init__(self) -> None:
        _check_url(self.url)
        _check_choice(self)
        for group in self.groups:
            if not GROUP_NAME.fullmatch(group.lstrip("@")):
                raise ValueError(
                    words(
                        fr=f"« {group} » n'est pas un nom de groupe : donnez ce qui suit le @ dans l'adresse de sa page.",
                        en=f'"{group}" is not the name of a group: give what follows the @ in the address of its page.',
                    )
                )
        if self.timezone is not None:
            _check_timezone(self.timezone)
        if not 1 <= self.page_size <= 1000:
            raise ValueError(words(fr="page_size doit être entre 1 et 1000.", en="page_size must be between 1 and 1000."))

    @property
    def instance(self) -> str:
        """The instance's address, without a trailing slash."""
        return self.url.rstrip("/")

    @property
    def group_names(self) -> tuple[str, ...]:
        """The groups as the API takes them: without a leading @, and without the host where it is this instance's."""
        home = "@" + urlsplit(self.url).netloc.lower()
        names = (group.lstrip("@") for group in self.groups)
        return tuple(dict.fromkeys(name[: -len(home)] if name.lower().endswith(home) else name for name in names))


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc and parts.path in ("", "/") and not parts.query:
        return
    raise ValueError(
        words(
            fr=f"« {url} » n'est pas l'adresse d'une instance : donnez-la seule, comme https://mobilizon.fr, et le groupe dans « groups ».",
            en=f'"{url}" is not the address of an instance: give it alone, such as https://mobilizon.fr, and the group in "groups".',
        )
    )


def _check_choice(options: Options) -> None:
    chosen = sum((bool(options.groups), bool(options.tags), options.whole_instance))
    if chosen != 1:
        raise ValueError(
            words(
                fr="Choisissez une seule de ces options : groups, tags ou whole_instance.",
                en="Choose one of these options and no more: groups, tags or whole_instance.",
            )
        )
    if not options.events and not (options.posts and options.groups):
        raise ValueError(
            words(
                fr="Il ne reste rien à lire : activez events, ou posts avec groups.",
                en="There is nothing left to read: switch on events, or posts together with groups.",
            )
        )


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(
            words(
                fr=f"« {name} » n'est pas un fuseau horaire : écrivez par exemple Europe/Paris.",
                en=f'"{name}" is not a time zone: write for example Europe/Paris.',
            )
        ) from error

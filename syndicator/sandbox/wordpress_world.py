"""What a WordPress site holds: accounts by role, posts, events, pictures, terms; and what it makes of the HTML of those it does not trust.

After https://developer.wordpress.org/, measured on WordPress 6.5.5. No HTTP here.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

Json = dict[str, Any]

PASSWORD = "abcd EFGH 1234 ijkl MNOP 5678"  # noqa: S105 - of nobody
"""As WordPress shows it."""
ROLES: dict[str, frozenset[str]] = {
    "contributor": frozenset({"read", "edit_posts", "delete_posts"}),
    "author": frozenset({
        "read", "edit_posts", "delete_posts", "publish_posts", "upload_files", "edit_published_posts", "delete_published_posts",
    }),
    "editor": frozenset({
        "read", "edit_posts", "delete_posts", "publish_posts", "upload_files", "edit_published_posts", "delete_published_posts",
        "edit_others_posts", "delete_others_posts", "manage_categories", "unfiltered_html",
    }),
}  # fmt: skip
"""https://wordpress.org/documentation/article/roles-and-capabilities/"""
STATUSES = ("publish", "future", "draft", "pending", "private")

_ALLOWED = {
    "a": {"href", "rel", "rev", "name", "target"}, "br": set(), "div": set(), "em": set(), "figcaption": set(), "figure": set(),
    "h2": set(), "h3": set(), "img": {"alt", "height", "loading", "src", "width"}, "li": set(), "ol": set(), "p": set(), "span": set(),
    "strong": set(), "ul": set(), "b": set(), "i": set(),
}  # fmt: skip
_EVERYWHERE = {"class", "dir", "id", "lang", "style", "title"}
_PROTOCOLS = re.compile(r"(https?|mailto|tel):", re.IGNORECASE)


class Refusal(Exception):
    """A ``WP_Error``."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        self.status = status
        self.body = {"code": code, "message": message, "data": {"status": status, **data}}
        super().__init__(code)


def invalid(**params: str) -> Refusal:
    """A parameter, each with what is wrong with it."""
    return Refusal(400, "rest_invalid_param", f"Paramètre(s) non valide(s) : {', '.join(params)}", params=params)


@dataclass(kw_only=True)
class Account:
    """Whom the password is for."""

    login: str = "asso"
    role: str = "author"
    id: int = 3

    def can(self, right: str) -> bool:
        """Whether its role has that right."""
        return right in ROLES[self.role]


@dataclass(kw_only=True)
class Picture:
    """A file of the library."""

    id: int
    slug: str
    name: str
    media_type: str
    data: bytes
    title: str = ""
    alt: str = ""
    author: int = 3


@dataclass(kw_only=True)
class Entry:
    """A post, or an event."""

    id: int
    type: str
    author: int
    at: datetime
    """When it is dated; UTC, which is also the site's time."""
    title: str = ""
    content: str = ""
    status: str = "draft"
    slug: str = ""
    featured: int = 0
    categories: list[int] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    format: str = "standard"
    event: Json = field(default_factory=dict)
    """Dates and place, of an event."""

    @property
    def text(self) -> str:
        """What people read, title and all."""
        return f"{plain(self.title)}\n{plain(self.content)}"


@dataclass(kw_only=True)
class Blog:
    """One site."""

    name: str = "Les Amis du Vélo"
    account: Account = field(default_factory=Account)
    password: str = PASSWORD
    folder: str = ""
    """Where it is installed, such as ``/blog``."""
    pretty: bool = True
    """Permalinks by name; else ``?rest_route=``."""
    passwords: bool = True
    """Whether application passwords are on."""
    headers: bool = True
    """Whether the host lets the header Authorization through."""
    hides_accounts: bool = False
    """Whether a security plugin keeps ``/users`` to itself."""
    rest: str = "open"
    """``members``: nothing without an account; ``off``: nothing at all; ``walled``: a firewall's page."""
    trash: bool = True
    upload_max_bytes: int = 2 * 1024**2
    calendar: bool = False
    """Whether The Events Calendar is there."""
    calendar_reviews: bool = False
    """Whether this account's events wait for review."""
    entries: dict[int, Entry] = field(default_factory=dict)
    library: dict[int, Picture] = field(default_factory=dict)
    terms: dict[str, dict[int, str]] = field(default_factory=lambda: {"categories": {1: "Non classé"}, "tags": {}, "event_categories": {}})
    linked: dict[str, dict[int, Json]] = field(default_factory=lambda: {"venue": {}, "organizer": {}})
    _last: int = 10

    def next_id(self) -> int:
        """Of whatever comes next: posts, pictures, venues share their numbers."""
        self._last += 1
        return self._last

    def shown(self, kind: str = "") -> list[Entry]:
        """What visitors see, oldest first; of one type, or all."""
        return [one for one in self.entries.values() if one.status == "publish" and kind in ("", one.type)]

    def free_slug(self, wanted: str, own: int, kind: str) -> str:
        """``wanted``, or with a number: nothing of that type bears it twice; of pictures, nothing at all."""
        mine = [one.slug for one in self.entries.values() if one.id != own and kind in (one.type, "attachment")]
        taken = {*mine, *(one.slug for one in self.library.values() if one.id != own)}
        found, number = wanted, 2
        while found in taken:
            found, number = f"{wanted}-{number}", number + 1
        return found

    def term(self, taxonomy: str, name: str) -> int | None:
        """The number of a name, told apart as the database does: without case and accents."""
        return next((number for number, known in self.terms[taxonomy].items() if _folded(known) == _folded(name)), None)

    def add_term(self, taxonomy: str, name: str) -> int:
        """A new one."""
        number = max(self.terms[taxonomy], default=1) + 1
        self.terms[taxonomy][number] = html.escape(html.unescape(name), quote=False)
        return number


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", html.unescape(text).casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))


def slug_of(title: str) -> str:
    """``sanitize_title``."""
    return re.sub(r"[^a-z0-9_]+", "-", _folded(re.sub(r"<[^>]*>", "", title))).strip("-")


def plain(markup: str) -> str:
    """As a browser shows it, without tags."""
    broken = re.sub(r"<br\s*/?>|</p>|</li>|</figure>", "\n", markup)
    return re.sub(r"\n{3,}", "\n\n", html.unescape(re.sub(r"<[^>]*>", "", broken))).strip()


def line(text: str) -> str:
    """``sanitize_text_field``."""
    return " ".join(plain(text).split())


class _Kses(HTMLParser):
    """``wp_kses_post``: what is not allowed is taken out, and its words stay."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.made: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ALLOWED:
            return
        kept = "".join(f' {name}="{html.escape(value or "")}"' for name, value in attrs if self._keeps(tag, name, value or ""))
        self.made.append(f"<{tag}{kept}>")

    def _keeps(self, tag: str, name: str, value: str) -> bool:
        if name not in _ALLOWED[tag] | _EVERYWHERE:
            return False
        return name not in ("href", "src") or bool(_PROTOCOLS.match(value)) or ":" not in value.split("/")[0]

    def handle_endtag(self, tag: str) -> None:
        if tag in _ALLOWED:
            self.made.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.made.append(data.replace("<", "&lt;").replace(">", "&gt;"))

    def handle_entityref(self, name: str) -> None:
        self.made.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.made.append(f"&#{name};" if name.lower().startswith("x") else f"&#{name.zfill(3)};")


def filtered(markup: str, account: Account) -> str:
    """What is kept of the HTML of an account."""
    if account.can("unfiltered_html"):
        return markup
    kses = _Kses()
    kses.feed(markup)
    kses.close()
    return "".join(kses.made)


def numbers(value: Any) -> Iterable[int]:
    """A list of numbers, as JSON or with commas."""
    return (int(one) for one in (value if isinstance(value, list) else str(value).split(",")) if str(one).strip())

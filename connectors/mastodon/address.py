"""Whose account it is: what a person wrote (handle or profile page) → user, server and ActivityPub id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from syndicator.errors import words
from syndicator.http import Http, error_for

USERNAME = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_HANDLE = re.compile(rf"@?({USERNAME})@([A-Za-z0-9.-]+(?::\d+)?)")
_PROFILE = re.compile(rf"/(?:@|users/|profile/|u/|p/|i/web/profile/)?({USERNAME})(?:@([A-Za-z0-9.-]+(?::\d+)?))?(?:/.*)?")
_WEBFINGER_MAX_BYTES = 200_000
_PAGES_OF_NOBODY = frozenset({
    "about", "api", "auth", "display", "explore", "home", "i", "login", "media", "notice", "objects", "public", "settings", "site", "tags",
    "users", "profile", "u", "p", "web",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where an account is asked for."""

    user: str
    base_url: str
    """Scheme and host, without a trailing slash."""

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base_url).netloc


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who an account is, as its server says."""

    user: str
    domain: str
    """The host in its handle (LOCAL_DOMAIN)."""
    base_url: str
    """Where its API is (WEB_DOMAIN)."""
    actor_url: str | None
    """Its ActivityPub id."""

    @property
    def handle(self) -> str:
        """``user@host``, lower case."""
        return f"{self.user}@{self.domain}".lower()


def address_of(account: str) -> Address:
    """Read ``@user@host`` or the address of a profile page; ValueError with words when it is neither."""
    account = account.strip()
    handle = _HANDLE.fullmatch(account)
    if handle:
        return Address(user=handle[1], base_url=f"https://{handle[2].lower()}")
    address = address_of_page(account)
    if address is None:
        raise ValueError(
            words(
                fr=f"« {account} » n'est pas un compte : écrivez @nom@serveur, ou l'adresse de la page du compte.",
                en=f"“{account}” is not an account: write @name@server, or the address of the account's page.",
            )
        )
    return address


def address_of_page(url: str) -> Address | None:
    """The account whose page ``url`` is; None when it is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    path = re.sub(r"(/feed)?\.(rss|atom)$", "", parts.path)
    profile = _PROFILE.fullmatch(path.rstrip("/"))
    if profile is None or profile[1].lower() in _PAGES_OF_NOBODY:
        return None
    if profile[2]:
        # The page that a server has of somebody elsewhere: the elsewhere is meant.
        return Address(user=profile[1], base_url=f"https://{profile[2].lower()}")
    return Address(user=profile[1], base_url=f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}")


async def identify(http: Http, address: Address) -> Identity:
    """Ask WebFinger (RFC 7033) who that is; a server that does not say is taken at its address.

    Raises Transient, RateLimited when it does not answer now.
    """
    unknown = Identity(user=address.user, domain=address.host, base_url=address.base_url, actor_url=None)
    response = await http.get(
        f"{address.base_url}/.well-known/webfinger",
        params={"resource": f"acct:{address.user}@{address.host}"},
        headers={"Accept": "application/jrd+json, application/json"},
        max_bytes=_WEBFINGER_MAX_BYTES,
    )
    if response.status in (408, 425, 429) or response.status >= 500:
        error = error_for(response, http.now())
        if error is not None:
            raise error
    if response.status != 200 or "json" not in response.content_type:
        return unknown
    document = response.json()
    actor = _self_link(document)
    subject = _HANDLE.fullmatch(str(document.get("subject", "")).removeprefix("acct:")) if isinstance(document, Mapping) else None
    if actor is None or subject is None:
        return unknown
    parts = urlsplit(actor)
    return Identity(user=subject[1], domain=subject[2].lower(), base_url=f"{parts.scheme}://{parts.netloc}", actor_url=actor)


def _self_link(document: Any) -> str | None:
    links = document.get("links") if isinstance(document, Mapping) else None
    for link in links if isinstance(links, list) else []:
        href = link.get("href") if isinstance(link, Mapping) and link.get("rel") == "self" else None
        if isinstance(href, str) and urlsplit(href).scheme in ("http", "https") and "json" in str(link.get("type", "")):
            return href
    return None

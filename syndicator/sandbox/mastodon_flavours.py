"""Where servers that speak Mastodon's API differ from Mastodon, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from syndicator.sandbox.mastodon_world import IdStyle

FlavourName = Literal["mastodon", "gotosocial", "pixelfed", "akkoma", "friendica"]


@dataclass(frozen=True, kw_only=True)
class Flavour:
    """One kind of server."""

    name: FlavourName
    version: str
    """``software.version`` of NodeInfo."""
    api_version: str
    """``version`` of ``/api/v1/instance``."""
    ids: IdStyle = "snowflake"
    anonymous: bool = True
    """Whether strangers may read accounts and statuses."""
    refusal: str = "This method requires an authenticated user"
    """What they are told otherwise."""
    min_id: Literal["above", "newest"] = "above"
    """Whether ``min_id`` gives the page immediately above it, or the newest ones above it."""
    batch: str | None = None
    """The parameter that names several statuses at once; None where there is no such call."""
    batch_max: int = 20
    link_header: bool = True
    limit_default: int = 20
    limit_max: int = 40
    streaming: Literal["sse", "websocket", "none"] = "none"
    status_path: str = "/users/{name}/statuses/{id}"
    """The ActivityPub id of a status."""
    page_path: str = "/@{name}/{id}"
    actor_path: str = "/users/{name}"
    profile_path: str = "/@{name}"
    feed_path: str = "/@{name}.rss"
    tombstone: bool = False
    """Whether a deleted object answers 410 with a Tombstone rather than 404."""


FLAVOURS: dict[FlavourName, Flavour] = {
    "mastodon": Flavour(name="mastodon", version="4.5.2", api_version="4.5.2", batch="id[]", streaming="sse"),
    "gotosocial": Flavour(
        name="gotosocial",
        version="0.20.2+git-a1b2c3d",
        api_version="0.20.2+git-a1b2c3d",
        ids="ulid",
        anonymous=False,
        refusal="Unauthorized: token not supplied",
        limit_default=30,
        streaming="websocket",
        page_path="/@{name}/statuses/{id}",
        feed_path="/@{name}/feed.rss",
    ),
    "pixelfed": Flavour(
        name="pixelfed",
        version="0.12.6",
        api_version="3.5.3 (compatible; Pixelfed 0.12.6)",
        anonymous=False,
        refusal="Unauthenticated.",
        min_id="newest",
        link_header=False,
        status_path="/p/{name}/{id}",
        page_path="/p/{name}/{id}",
        profile_path="/{name}",
        feed_path="/users/{name}.atom",
    ),
    "akkoma": Flavour(
        name="akkoma",
        version="3.16.0",
        api_version="2.7.2 (compatible; Akkoma 3.16.0)",
        ids="flake",
        batch="ids[]",
        batch_max=100,
        streaming="websocket",
        status_path="/objects/{uuid}",
        page_path="/notice/{id}",
        profile_path="/{name}",
        feed_path="/users/{name}/feed.rss",
    ),
    "friendica": Flavour(
        name="friendica",
        version="2025.07-1570",
        api_version="2.8.0 (compatible; Friendica 2025.07)",
        ids="serial",
        status_path="/objects/{uuid}",
        page_path="/display/{uuid}",
        actor_path="/profile/{name}",
        profile_path="/profile/{name}",
        feed_path="/feed/{name}",
        tombstone=True,
    ),
}

"""What a server that speaks Mastodon's API can really do, found once by NodeInfo: everything else asks this record, never a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from syndicator.http import Http, Response, error_for

NODEINFO_MAX_BYTES = 200_000
FAMILY = frozenset({
    "mastodon", "glitchsoc", "hometown", "ecko", "fedibird", "gotosocial", "pixelfed", "pleroma", "akkoma", "friendica", "mitra",
    "iceshrimp.net",
})  # fmt: skip
"""``software.name`` of what this connector reads."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """How to read one server."""

    software: str = ""
    """``software.name``, lower case; empty when unknown."""
    version: tuple[int, int] = (0, 0)
    cursor: Literal["min_id", "window"] = "min_id"
    """Whether ``min_id`` gives the page just above it, or the newest ones above it, so that the way down must be walked."""
    batch: Literal["id[]", "ids[]"] | None = None
    """The parameter of ``GET /api/v1/statuses`` that names several at once; None where recent ones are listed again instead."""
    batch_max: int = 20
    stream: Literal["sse", "ws"] | None = None
    carries_thread_owner: bool = False
    """Whether ``in_reply_to_account_id`` names the owner of the thread (Mastodon) rather than the author of the parent."""
    titled: bool = False
    """Whether ``spoiler_text`` is a title (Friendica)."""
    tells_language: bool = True
    """False where every status claims English (Pixelfed)."""
    pictures: bool = False
    """Whether its posts are pictures first of all (Pixelfed)."""
    feed: str | None = None
    """Path of an account's feed; None where there is none."""
    feed_has_unlisted: bool = False


_FEED = "/@{name}.rss"
_MASTODON = Capabilities(stream="sse", carries_thread_owner=True, feed=_FEED, feed_has_unlisted=True)
_PLEROMA = Capabilities(batch="ids[]", batch_max=100, stream="ws", feed="/users/{name}/feed.rss")
_KNOWN: Mapping[str, Capabilities] = {
    "mastodon": _MASTODON,
    "glitchsoc": _MASTODON,
    "hometown": _MASTODON,
    "ecko": _MASTODON,
    "fedibird": _MASTODON,
    "gotosocial": Capabilities(stream="ws", feed="/@{name}/feed.rss"),
    "pixelfed": Capabilities(cursor="window", tells_language=False, pictures=True, feed="/users/{name}.atom"),
    "pleroma": _PLEROMA,
    "akkoma": _PLEROMA,
    "friendica": Capabilities(titled=True, feed="/feed/{name}"),
}


def capabilities_of(software: str, version: str) -> Capabilities:
    """The record of a server by its NodeInfo; what is unknown gets the few calls that all of them answer."""
    found = re.match(r"(\d+)\.(\d+)", version)
    number = (int(found[1]), int(found[2])) if found else (0, 0)
    record = replace(_KNOWN.get(software, Capabilities()), software=software, version=number)
    # https://docs.joinmastodon.org/methods/statuses/#index: 4.3.0 added it; DEFAULT_STATUSES_LIMIT is 20.
    if record.carries_thread_owner and number >= (4, 3):
        return replace(record, batch="id[]")
    return record


async def discover(http: Http, base_url: str) -> Capabilities:
    """Ask a server what it is (https://github.com/jhass/nodeinfo); one without NodeInfo is unknown, not an error.

    Raises Transient, RateLimited when it does not answer now.
    """
    links = _document(await http.get(f"{base_url}/.well-known/nodeinfo", max_bytes=NODEINFO_MAX_BYTES), http)
    href = _newest(links.get("links"))
    if href is None:
        return Capabilities()
    document = _document(await http.get(href, max_bytes=NODEINFO_MAX_BYTES), http)
    software = document.get("software")
    if not isinstance(software, Mapping):
        return Capabilities()
    return capabilities_of(str(software.get("name", "")).lower(), str(software.get("version", "")))


def _document(response: Response, http: Http) -> Mapping[str, Any]:
    if response.status in (429, 408, 425) or response.status >= 500:
        error = error_for(response, http.now())
        if error is not None:
            raise error
    if response.status != 200 or "json" not in response.content_type:
        return {}
    document = response.json()
    return document if isinstance(document, Mapping) else {}


def _newest(links: Any) -> str | None:
    """The href of the highest schema version offered."""
    offered = [link for link in links if isinstance(link, Mapping)] if isinstance(links, list) else []
    hrefs = sorted(
        (str(link.get("rel", "")), str(link["href"]))
        for link in offered
        if "nodeinfo.diaspora.software/ns/schema/" in str(link.get("rel", "")) and isinstance(link.get("href"), str)
    )
    return hrefs[-1][1] if hrefs else None

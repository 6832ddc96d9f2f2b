"""Asking for one post by its ActivityPub id, as any server would, without an account: is it there, and for whom?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from syndicator.http import Http, error_for
from syndicator.model import Tombstone

ACCEPT = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})

Answer = Literal["public", "unlisted", "private", "unknown"]


async def ask(http: Http, uid: str) -> Tombstone | Answer:
    """What the origin says of ``uid``: a Tombstone when it is gone, its visibility when it is there, ``unknown`` when it will not say.

    A server with AUTHORIZED_FETCH refuses unsigned questions (401): unknown, never gone. Raises Transient, RateLimited.
    """
    if not uid.startswith(("http://", "https://")):
        return "unknown"
    response = await http.get(uid, headers={"Accept": ACCEPT})
    if response.status in (404, 410):
        return Tombstone(uid=uid, certain=response.status == 410)
    error = error_for(response, http.now())
    if error is not None and (response.status in (408, 425, 429) or response.status >= 500):
        raise error
    if error is not None or "json" not in response.content_type:
        return "unknown"
    document = response.json()
    if not isinstance(document, Mapping) or document.get("id") != uid:
        return "unknown"
    return Tombstone(uid=uid, certain=True) if document.get("type") == "Tombstone" else _visibility(document)


def _visibility(document: Mapping[str, Any]) -> Answer:
    """https://docs.joinmastodon.org/spec/activitypub/#properties-used: public in ``to``, unlisted in ``cc``."""
    if PUBLIC & _addresses(document.get("to")):
        return "public"
    return "unlisted" if PUBLIC & _addresses(document.get("cc")) else "private"


def _addresses(value: Any) -> set[str]:
    return {str(item) for item in (value if isinstance(value, list) else [value])}

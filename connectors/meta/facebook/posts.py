"""What a post of a Page says and shows. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.meta.graph import Json
from syndicator.model import Receipt, Rendition
from syndicator.text.links import addresses

TEXT_MAX = 63_206


def message(rendition: Rendition, card: str | None) -> str:
    """The text, and the way home where no card shows it."""
    home = rendition.link if rendition.link != card else None
    parts = [rendition.text, home] if home and len(rendition.text) + 2 + len(home) <= TEXT_MAX else [rendition.text]
    return "\n\n".join(part for part in parts if part)


def carded(rendition: Rendition) -> str | None:
    """The link to make a card of: the way home, else the first that the author gave; none of Facebook's own, which it refuses."""
    found = [rendition.link] if rendition.link else [entity.value for entity in addresses(rendition.text, bare=False)]
    return next((url for url in found if not _on_facebook(url)), None)


def _on_facebook(url: str) -> bool:
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return True
    return host in ("fb.com", "fb.me", "fb.watch") or host == "facebook.com" or host.endswith((".facebook.com", ".fb.com"))


def receipt_of(post_id: str, *, card: str | None, url: Any = None) -> Receipt:
    """Of a post; ``card`` is the link that it shows."""
    data = (("card", card),) if card else ()
    return Receipt(remote_id=post_id, url=str(url or f"https://www.facebook.com/{post_id}"), data=data)


def made_at(post: Json) -> datetime:
    """When it was published; what does not say so counts as new."""
    try:
        at = datetime.fromisoformat(str(post.get("created_time")))
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def targets(post: Json) -> Iterable[str]:
    """The numbers of the pictures that a post shows."""
    for attachment in _data(post.get("attachments")):
        for shown in (attachment, *_data(attachment.get("subattachments"))):
            target = shown.get("target")
            if isinstance(target, dict) and target.get("id"):
                yield str(target["id"])


def _data(edge: Any) -> Sequence[Json]:
    found = edge.get("data") if isinstance(edge, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def bare(text: str) -> str:
    """To compare texts by."""
    return " ".join(unicodedata.normalize("NFC", text).split())

"""What a post says and shows in LinkedIn's words, and whether one that is there is ours. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from syndicator.media import shorten_alt
from syndicator.model import Rendition

TITLE_MAX = 400
DESCRIPTION_MAX = 4086

Json = Mapping[str, Any]

_HASHTAG = re.compile(r"\{hashtag\|\\?([#＃])\|((?:[^\\|{}]|\\.)+)\}")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One that LinkedIn has."""

    urn: str
    alt: str


def body(author: str, rendition: Rendition, pictures: Sequence[Picture], thumbnail: str | None) -> Json:
    """A post to create (https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api)."""
    content = _content(rendition, pictures, thumbnail)
    return {
        "author": author,
        "commentary": rendition.text,
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
        **({"content": content} if content else {}),
    }


def _content(rendition: Rendition, pictures: Sequence[Picture], thumbnail: str | None) -> Json:
    """One picture, several, or the card of a link: LinkedIn reads no page itself when it is asked through the API."""
    shown = [{"id": picture.urn} | ({"altText": picture.alt} if picture.alt else {}) for picture in pictures]
    if len(shown) == 1:
        return {"media": shown[0]}
    if shown:
        return {"multiImage": {"images": shown}}
    card = rendition.card
    if card is None:
        return {}
    article = {
        "source": card.url,
        "title": shorten_alt(card.title, TITLE_MAX),
        "description": shorten_alt(card.description, DESCRIPTION_MAX),
    }
    return {"article": {name: value for name, value in article.items() if value} | ({"thumbnail": thumbnail} if thumbnail else {})}


def plain(little: str) -> str:
    """What people read of a text in LinkedIn's little text format, white space apart."""
    text = _ESCAPED.sub(r"\1", _HASHTAG.sub(r"\1\2", little))
    return " ".join(unicodedata.normalize("NFC", text).split())


def shows(post: Json) -> Iterator[str]:
    """The pictures of a post."""
    content = post.get("content")
    if not isinstance(content, dict):
        return
    several = content.get("multiImage")
    images = several.get("images") if isinstance(several, dict) else None
    for one in [content.get("media"), *(images if isinstance(images, list) else [])]:
        if isinstance(one, dict) and one.get("id"):
            yield str(one["id"])


def made_at(post: Json) -> datetime:
    """When it was created; what does not say so counts as new."""
    return _instant(post.get("createdAt"))


def changed_at(post: Json) -> datetime:
    """When it was last modified."""
    return _instant(post.get("lastModifiedAt"))


def _instant(at: Any) -> datetime:
    """Milliseconds since 1970."""
    return datetime.fromtimestamp(at / 1000, UTC) if isinstance(at, int) else datetime.max.replace(tzinfo=UTC)

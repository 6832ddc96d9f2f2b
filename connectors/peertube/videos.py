"""One video of PeerTube's API → one Post, and what a listing tells about it. Pure.

Fields: https://docs.joinpeertube.org/api-rest-reference.html#tag/Video. Raw objects live only in here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.peertube.markdown import html_from_markdown, text_from_markdown
from syndicator.model import Actor, Attachment, LiveState, Post

PUBLIC = 1
PUBLISHED, TO_TRANSCODE, WAITING_FOR_LIVE, LIVE_ENDED = 1, 2, 4, 5
LINES_MAX = 1080
"""Better files are larger than what any network shows of them."""


class Unreadable(ValueError):
    """A video lacks what every video has; the text names the field."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a listing says of one video."""

    uuid: str
    uid: str
    published_at: datetime
    digest: str
    """Of the mirrored fields that a listing shows: another digest is worth a detail call. Views, likes and ``updatedAt``, which moves
    by itself every day, are not in it."""


def listed_from(raw: Any) -> Listed:
    """What a listing says of one video; raises Unreadable."""
    if not isinstance(raw, dict):
        raise Unreadable("not an object")
    return Listed(
        uuid=_text(raw, "uuid"),
        uid=_text(raw, "url"),
        published_at=_instant(raw, "publishedAt"),
        digest=_digest(raw),
    )


def is_public(raw: Mapping[str, Any]) -> bool:
    """Whether everybody may see it: not unlisted, private, internal, behind a password or blocked by the instance."""
    return _id(raw, "privacy") == PUBLIC and not raw.get("blacklisted")


def is_ready(raw: Mapping[str, Any]) -> bool:
    """Whether there is something to see or to announce: published, or a live to come or ended; never what still waits for transcoding."""
    state = _id(raw, "state") or PUBLISHED
    return state in (PUBLISHED, WAITING_FOR_LIVE, LIVE_ENDED) or (state == TO_TRANSCODE and raw.get("waitTranscoding") is False)


def post_from_video(raw: Mapping[str, Any], *, base: str, p2p: bool, now: datetime) -> Post:
    """The video as a Post; ``base`` is the queried instance, whose paths are relative; raises Unreadable."""
    uid = _text(raw, "url")
    live, starts_at = _live(raw, now)
    language = (raw.get("language") or {}).get("id")
    return Post(
        uid=uid,
        url=_page(raw, uid),
        kind="live" if raw.get("isLive") else "video",
        title=_text(raw, "name"),
        html=html_from_markdown(raw.get("description") or ""),
        summary=text_from_markdown(raw.get("truncatedDescription") or ""),
        content_warning=str(raw.get("nsfwSummary") or ""),
        sensitive=bool(raw.get("nsfw")),
        published_at=_instant(raw, "publishedAt"),
        language=str(language).replace("_", "-") if language else None,
        author=_channel(raw, base),
        tags=tuple(str(tag) for tag in raw.get("tags") or ()),
        attachments=_attachments(raw, base),
        live=live,
        starts_at=starts_at,
        duration_s=float(raw.get("duration") or 0) or None,
        embed_url=_embed(raw, uid, p2p=p2p),
    )


def _live(raw: Mapping[str, Any], now: datetime) -> tuple[LiveState | None, datetime | None]:
    """Where the broadcast stands. A permanent live that has no date to come is between two broadcasts: ended, as far as readers care."""
    if not raw.get("isLive"):
        return None, None
    state = _id(raw, "state") or PUBLISHED
    dates = sorted(_instant(schedule, "startAt") for schedule in raw.get("liveSchedules") or ())
    if state == PUBLISHED:
        return "live", None
    if state == LIVE_ENDED or not dates:
        return "ended", None
    return "scheduled", next((date for date in dates if date > now), dates[-1])


def _page(raw: Mapping[str, Any], uid: str) -> str:
    """The short public page on the video's home instance (https://host/w/SHORT), which people can copy; else its id, a page as well."""
    home, short = urlsplit(uid), raw.get("shortUUID")
    if not short or not home.path.startswith("/videos/watch/"):
        return uid
    return f"{home.scheme}://{home.netloc}/w/{short}"


def _embed(raw: Mapping[str, Any], uid: str, *, p2p: bool) -> str | None:
    """The player page on the home instance, without title and warning. ``p2p=0`` keeps visitors' addresses from other viewers."""
    if not raw.get("embedPath"):
        return None
    home = urlsplit(uid)
    return f"{home.scheme}://{home.netloc}{raw['embedPath']}?title=0&warningTitle=0" + ("" if p2p else "&p2p=0")


def _channel(raw: Mapping[str, Any], base: str) -> Actor | None:
    channel = raw.get("channel") or raw.get("account")
    if not isinstance(channel, dict) or not channel.get("name"):
        return None
    avatars = sorted((channel.get("avatars") or ()), key=lambda avatar: avatar.get("width") or 0)
    return Actor(
        name=channel.get("displayName") or channel["name"],
        url=channel.get("url"),
        handle=f"{channel['name']}@{channel['host']}" if channel.get("host") else None,
        avatar_url=_file(avatars[-1], base, "path") if avatars else None,
    )


def _attachments(raw: Mapping[str, Any], base: str) -> tuple[Attachment, ...]:
    """The video itself with its still, where PeerTube lets everybody download it; else its still alone."""
    stills = _thumbnail(raw, base)
    file = None if raw.get("isLive") or raw.get("downloadEnabled") is not True else _best_file(raw)
    if file is None:
        return stills
    return (
        Attachment(
            url=str(file.get("fileUrl") or file["fileDownloadUrl"]),
            type="video",
            media_type="video/mp4",
            width=file.get("width") or None,
            height=file.get("height") or _id(file, "resolution"),
            size_bytes=file["size"],
            duration_s=float(raw.get("duration") or 0) or None,
            preview_url=stills[0].url if stills else None,
        ),
    )


def _best_file(raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The best one of at most 1080 lines, with pictures and sound in one: whole files first, then those made for streaming."""
    streamed = [file for playlist in raw.get("streamingPlaylists") or () for file in playlist.get("files") or ()]
    for files in (raw.get("files") or (), streamed):
        usable: list[Mapping[str, Any]] = [file for file in files if _is_usable(file)]
        if usable:
            return max(usable, key=lambda file: (_id(file, "resolution"), file.get("fps") or 0))
    return None


def _is_usable(file: Mapping[str, Any]) -> bool:
    """Whether every player and network takes it. PeerTube since 6.2 may keep sound apart from pictures."""
    url = str(file.get("fileUrl") or file.get("fileDownloadUrl") or "")
    lines, size = _id(file, "resolution"), file.get("size")
    whole = file.get("hasVideo") is not False and file.get("hasAudio") is not False
    measured = isinstance(lines, int) and 0 < lines <= LINES_MAX and isinstance(size, int) and size > 0
    return measured and whole and url.startswith(("https://", "http://")) and urlsplit(url).path.lower().endswith(".mp4")


def _thumbnail(raw: Mapping[str, Any], base: str) -> tuple[Attachment, ...]:
    """The largest picture: ``thumbnails`` since 8.1, ``previewPath`` and the smaller ``thumbnailPath`` before."""
    pictures = sorted((raw.get("thumbnails") or ()), key=lambda picture: picture.get("width") or 0)
    if pictures:
        url = _file(pictures[-1], base, "path")
        return (Attachment(url=url, width=pictures[-1].get("width"), height=pictures[-1].get("height")),) if url else ()
    path = raw.get("previewPath") or raw.get("thumbnailPath")
    return (Attachment(url=base + path),) if path else ()


def _file(raw: Mapping[str, Any], base: str, path_key: str) -> str | None:
    if raw.get("fileUrl"):
        return str(raw["fileUrl"])
    return base + raw[path_key] if raw.get(path_key) else None


def _digest(raw: Mapping[str, Any]) -> str:
    channel = raw.get("channel") or {}
    mirrored = [
        [raw.get(name) for name in ("url", "name", "publishedAt", "nsfw", "nsfwSummary", "isLive", "liveSchedules", "duration")],
        raw.get("truncatedDescription") or raw.get("description"),
        [_id(raw, name) for name in ("privacy", "licence", "language", "category", "state")],
        [picture.get("fileUrl") for picture in raw.get("thumbnails") or ()] or [raw.get("previewPath"), raw.get("thumbnailPath")],
        [channel.get("name"), channel.get("displayName")],
    ]
    return hashlib.sha256(json.dumps(mirrored).encode()).hexdigest()[:12]


def _id(raw: Mapping[str, Any], name: str) -> Any:
    value = raw.get(name)
    return value.get("id") if isinstance(value, dict) else value


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"no {name}")
    return value


def _instant(raw: Mapping[str, Any], name: str) -> datetime:
    try:
        value = datetime.fromisoformat(_text(raw, name))
    except ValueError as error:
        raise Unreadable(f"no usable {name}") from error
    if value.tzinfo is None:
        raise Unreadable(f"{name} has no time zone")
    return value

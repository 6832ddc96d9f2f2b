"""What a PeerTube instance holds, and how its API writes it. No HTTP here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

PUBLIC, UNLISTED, PRIVATE, INTERNAL, PASSWORD = range(1, 6)
PRIVACIES = {PUBLIC: "Public", UNLISTED: "Unlisted", PRIVATE: "Private", INTERNAL: "Internal", PASSWORD: "Password protected"}
PUBLISHED, TO_TRANSCODE, WAITING_FOR_LIVE, LIVE_ENDED = 1, 2, 4, 5
STATES = {PUBLISHED: "Published", TO_TRANSCODE: "To transcode", WAITING_FOR_LIVE: "Waiting for livestream", LIVE_ENDED: "Livestream ended"}
LANGUAGES = {"fr": "French", "en": "English", "oc": "Occitan", "zh-Hans": "Simplified Chinese", "lsf": "French Sign Language"}
SHORT_ALPHABET = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(kw_only=True)
class Channel:
    """A channel and the account it belongs to; of another instance when it has a ``host``."""

    name: str
    display_name: str
    account: str
    host: str | None = None

    @property
    def handle(self) -> str:
        """As this instance names it."""
        return f"{self.name}@{self.host}" if self.host else self.name


@dataclass(kw_only=True)
class Video:
    """A video or live as the instance keeps it."""

    id: int
    uuid: str
    channel: Channel
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    privacy: int = PUBLIC
    state: int = PUBLISHED
    wait_transcoding: bool = True
    nsfw: bool = False
    nsfw_summary: str | None = None
    language: str | None = "fr"
    licence: tuple[int, str] | None = (2, "Attribution - Share Alike")
    category: tuple[int, str] | None = None
    duration: int = 300
    is_live: bool = False
    permanent_live: bool = False
    lines: tuple[int, ...] = ()
    """The heights in which its file is there; none while it waits for transcoding, or where the instance hides files."""
    streamed: bool = False
    """Whether those are files for streaming only."""
    downloadable: bool = True
    schedules: tuple[datetime, ...] = ()
    views: int = 0
    picture: int = 0
    """Raised with each new thumbnail."""
    created_at: datetime
    published_at: datetime
    updated_at: datetime
    originally_published_at: datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def short(self) -> str:
        """The shortUUID."""
        return short_uuid(self.uuid)


def short_uuid(uuid: str) -> str:
    """A UUID in base 58, 22 characters (https://github.com/oculus42/short-uuid, which PeerTube uses)."""
    number, digits = UUID(uuid).int, ""
    while number:
        number, digit = divmod(number, 58)
        digits = SHORT_ALPHABET[digit] + digits
    return digits.rjust(22, SHORT_ALPHABET[0])


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes videos and actors as an instance at ``url`` of ``version`` does."""

    url: str
    host: str
    version: tuple[int, ...]

    def home(self, channel: Channel) -> str:
        """Where the instance of ``channel`` is."""
        return f"https://{channel.host}" if channel.host else self.url

    def video(self, video: Video, *, scheduled: bool) -> dict[str, Any]:
        """As in a list; with ``scheduled``, its state and dates too."""
        excerpt = video.description if len(video.description) <= 250 else video.description[:247] + "..."
        name = f"{video.uuid}-{video.picture}.jpg"
        out: dict[str, Any] = {
            "id": video.id,
            "uuid": video.uuid,
            "shortUUID": video.short,
            "url": f"{self.home(video.channel)}/videos/watch/{video.uuid}",
            "name": video.name,
            "category": _constant(video.category),
            "licence": _constant(video.licence),
            "language": {"id": video.language, "label": LANGUAGES.get(video.language or "", "Unknown")},
            "privacy": {"id": video.privacy, "label": PRIVACIES[video.privacy]},
            "nsfw": video.nsfw,
            "nsfwFlags": 0,
            "nsfwSummary": video.nsfw_summary,
            "truncatedDescription": excerpt or None,
            "description": excerpt or None,
            "isLocal": video.channel.host is None,
            "duration": video.duration,
            "aspectRatio": 1.7778,
            "views": video.views,
            "viewers": 0,
            "likes": 0,
            "dislikes": 0,
            "comments": 0,
            "thumbnailPath": f"/lazy-static/thumbnails/small-{name}",
            "previewPath": f"/lazy-static/thumbnails/{name}",
            "embedPath": f"/videos/embed/{video.short}",
            "createdAt": _stamp(video.created_at),
            "updatedAt": _stamp(video.updated_at),
            "publishedAt": _stamp(video.published_at),
            "originallyPublishedAt": _stamp(video.originally_published_at) if video.originally_published_at else None,
            "isLive": video.is_live,
            "account": self.account(video.channel),
            "channel": self.channel(video.channel),
        }
        if self.version >= (8, 1):
            sizes = (("small-", 280, 157), ("", 850, 480))
            out["thumbnails"] = [
                {"fileUrl": f"{self.url}/lazy-static/thumbnails/{size}{name}", "width": width, "height": height}
                for size, width, height in sizes
            ]
        if scheduled:
            out["state"] = {"id": video.state, "label": STATES[video.state]}
            out["liveSchedules"] = [{"startAt": _stamp(at)} for at in video.schedules]
        return out | video.extra

    def detail(self, video: Video, *, size: int) -> dict[str, Any]:
        """What only the answer about one video says; each of its files has ``size`` bytes."""
        files = [self._file(video, lines, size) for lines in sorted(video.lines, reverse=True)]
        playlist = f"{self.url}/static/streaming-playlists/hls/{video.uuid}/master.m3u8"
        return {
            "description": video.description or None,
            "support": None,
            "tags": list(video.tags),
            "state": {"id": video.state, "label": STATES[video.state]},
            "waitTranscoding": video.wait_transcoding,
            "commentsPolicy": {"id": 1, "label": "Enabled"},
            "downloadEnabled": video.downloadable,
            "blacklisted": False,
            "files": [] if video.streamed else files,
            "streamingPlaylists": [{"id": 1, "type": 1, "playlistUrl": playlist, "files": files}] if video.streamed else [],
        }

    def _file(self, video: Video, lines: int, size: int) -> dict[str, Any]:
        name = f"{video.uuid}-{lines}{'-fragmented' if video.streamed else ''}.mp4"
        folder = f"streaming-playlists/hls/{video.uuid}" if video.streamed else "web-videos"
        return {
            "id": lines,
            "resolution": {"id": lines, "label": f"{lines}p"},
            "width": lines * 16 // 9,
            "height": lines,
            "size": size,
            "fps": 25,
            "hasAudio": True,
            "hasVideo": True,
            "fileUrl": f"{self.url}/static/{folder}/{name}",
            "fileDownloadUrl": f"{self.url}/download/{folder}/{name}",
            "storage": 0,
        }

    def channel(self, channel: Channel) -> dict[str, Any]:
        """A channel's summary."""
        return self._actor(channel, channel.name, channel.display_name, "video-channels")

    def account(self, channel: Channel) -> dict[str, Any]:
        """The summary of the account that owns ``channel``."""
        return self._actor(channel, channel.account, channel.account.capitalize(), "accounts")

    def _actor(self, channel: Channel, name: str, display_name: str, path: str) -> dict[str, Any]:
        return {
            "id": 1,
            "name": name,
            "displayName": display_name,
            "host": channel.host or self.host,
            "url": f"{self.home(channel)}/{path}/{name}",
            "avatars": [],
        }


def _constant(value: tuple[int, str] | None) -> dict[str, Any]:
    return {"id": value[0], "label": value[1]} if value else {"id": None, "label": "Unknown"}


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

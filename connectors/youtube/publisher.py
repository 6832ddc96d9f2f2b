"""Uploading videos, and changing what is said of them. The package's docstring is the manual page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors.youtube import uploads
from connectors.youtube.answers import ACCESS_HINT, CHANNEL_HINT, Json
from connectors.youtube.client import Client
from connectors.youtube.options import YoutubeOptions
from connectors.youtube.uploads import Session
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits
from syndicator.errors import AuthExpired, Rejected, Transient, Unprepared, Words, words
from syndicator.media import VideoFile
from syndicator.model import Attachment, Receipt, Rendition

TITLE_MAX = 100
DESCRIPTION_MAX_BYTES = 5000
TAGS_MAX = 500
"""Characters of all tags together, with a comma between them and quotes around those that hold a space."""
SAME_CLOCK = timedelta(minutes=10)
LOOKED_AT = 50
"""How many of the channel's latest videos one page lists."""

LIMITS = Limits(
    kinds=frozenset({"video"}),
    text_max=DESCRIPTION_MAX_BYTES,
    text_unit="bytes",
    title_max=TITLE_MAX,
    media=MediaLimits(
        videos_max=1,
        image_types=(),
        video_types=("video/mp4", "video/webm", "video/quicktime"),
        video_max_bytes=media.FILE_MAX_BYTES,
        video_max_s=12 * 3600,
        alt_max=0,
    ),
)

NO_FILE = words(
    fr="Il n'y a pas de fichier à envoyer : PeerTube n'en permet pas le téléchargement, ou la vidéo est sensible, trop grosse ou trop "
    "longue. Dans PeerTube, cochez « Activer le téléchargement », ou mettez-la vous-même sur YouTube.",
    en="There is no file to upload: PeerTube does not allow its download, or the video is sensitive, too large or too long. In PeerTube, "
    "tick “Enable download”, or put it on YouTube yourself.",
)


class YoutubePublisher:
    """Writes to one channel; see the package's docstring."""

    Options: ClassVar[type[YoutubeOptions]] = YoutubeOptions
    limits: Limits = LIMITS
    renewal: ClassVar[Words] = ACCESS_HINT

    def __init__(self, options: YoutubeOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._client = Client(options, context)
        self.account: str | None = None
        self.expires_at: datetime | None = None

    async def open(self) -> None:
        """Renew access and see whose channel it is; nothing is uploaded."""
        await self._client.renew()
        self.expires_at = self._client.expires_at
        self.account = f"https://www.youtube.com/channel/{(await self._channel())['id']}"

    async def close(self) -> None:
        """Forget the access."""
        self._client.let_go()

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:
        """Nothing yet: without its file there is nothing to show, and ``prepare`` may wait for it longer than one does for a picture."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002
        """Fetch the file, and begin an upload."""
        video = _video(rendition)
        file = await self._file(video)
        params = {
            "uploadType": "resumable",
            "part": "snippet,status",
            "notifySubscribers": str(self._options.notify_subscribers).lower(),
        }
        resource = {"snippet": self._snippet(rendition), "status": self._status()}
        url = f"{self._options.api.rstrip('/')}/upload/youtube/v3/videos"
        session = await uploads.begin(self._client, url, params, resource, file, self._context.now())
        return session.to_json()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Send what YouTube does not have yet; with the last byte, the video is there."""
        video = _video(rendition)
        session = Session.from_json(prepared if prepared is not None else await self.prepare(rendition, key, parent=parent))
        now = self._context.now()
        reached = await uploads.ask(self._client, session, now)
        if not isinstance(reached, int):
            return self._receipt(reached)
        file = await self._file(video)
        if (file.size_bytes, file.sha256) != (session.size_bytes, session.sha256):
            raise Unprepared("the video is another file than the one whose upload was begun")
        receipt = self._receipt(await uploads.send(self._client, session, file, reached, now))
        await media.forget(file)
        return receipt

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002
        """Ask the upload; when YouTube has forgotten it, look among the channel's latest videos."""
        if prepared is None:
            return None  # nothing was begun
        session = Session.from_json(prepared)
        try:
            reached = await uploads.ask(self._client, session, self._context.now())
        except Unprepared:
            return await self._listed(rendition, session)
        return None if isinstance(reached, int) else self._receipt(reached)

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace title, description and tags; the file stays what it was."""
        _refuse_private(rendition)
        resource = {"id": receipt.remote_id, "snippet": self._snippet(rendition)}
        await self._client.call("PUT", "/youtube/v3/videos", {"part": "snippet"}, json=resource)
        return receipt

    async def delete(self, receipt: Receipt) -> None:
        """Remove the video."""
        await self._client.call("DELETE", "/youtube/v3/videos", {"id": receipt.remote_id})

    async def _file(self, video: Attachment) -> VideoFile:
        return await media.fetch_file(self._context.http, video, self.limits.media, cache_dir=self._context.state_dir / "media")

    async def _channel(self) -> Json:
        answer = await self._client.call("GET", "/youtube/v3/channels", {"part": "id,contentDetails", "mine": "true"})
        found = answer.get("items") or []
        if not found or not isinstance(found[0], dict) or not found[0].get("id"):
            raise AuthExpired("this account has no channel", hint=CHANNEL_HINT)
        channel: Json = found[0]
        return channel

    async def _listed(self, rendition: Rendition, session: Session) -> Receipt | None:
        """The latest video of the channel that says exactly this."""
        playlists = ((await self._channel()).get("contentDetails") or {}).get("relatedPlaylists") or {}
        params = {"part": "snippet", "playlistId": str(playlists.get("uploads") or ""), "maxResults": str(LOOKED_AT)}
        answer = await self._client.call("GET", "/youtube/v3/playlistItems", params)
        items = answer.get("items")
        if not isinstance(items, list):
            raise Transient("YouTube does not list the channel's videos")
        wanted = self._snippet(rendition)
        since = (session.at - SAME_CLOCK).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        for item in items:
            said = item.get("snippet") or {}
            same = (said.get("title"), said.get("description")) == (wanted["title"], wanted["description"])
            if same and str(said.get("publishedAt") or "") >= since:
                return self._receipt({"id": (said.get("resourceId") or {}).get("videoId")})
        return None

    def _snippet(self, rendition: Rendition) -> dict[str, Any]:
        """All that YouTube keeps of the words: what an edit leaves out would be lost."""
        language = {"defaultLanguage": rendition.language, "defaultAudioLanguage": rendition.language} if rendition.language else {}
        return {
            "title": quoted(rendition.title or self._context.association.name),
            "description": plain(rendition.text),
            "tags": tags_of(rendition.tags),
            "categoryId": self._options.category,
            **language,
        }

    def _status(self) -> dict[str, Any]:
        return {
            "privacyStatus": self._options.privacy,
            "selfDeclaredMadeForKids": self._options.made_for_kids,
            "license": self._options.license,
        }

    def _receipt(self, video: Json) -> Receipt:
        shown = (video.get("status") or {}).get("privacyStatus")
        if shown and shown != self._options.privacy:
            self._context.log.warning("YouTube made the video %s %s: its audit of the project is missing, perhaps", video.get("id"), shown)
        return Receipt(remote_id=str(video["id"]), url=f"https://www.youtube.com/watch?v={video['id']}")


def _video(rendition: Rendition) -> Attachment:
    _refuse_private(rendition)
    found = next((one for one in rendition.attachments if one.type in ("video", "gifv")), None)
    if found is None:
        raise Rejected("there is no video file to upload", hint=NO_FILE)
    return found


def _refuse_private(rendition: Rendition) -> None:
    if rendition.visibility not in ("public", "unlisted"):
        raise Rejected("only what is public is published")


def quoted(text: str) -> str:
    """Without ``<`` and ``>``, which YouTube refuses: with quotes that look like them."""
    return text.replace("<", "‹").replace(">", "›")


def plain(text: str) -> str:
    """A description without them: with brackets where quotes would take too much room."""
    return quoted(text) if len(quoted(text).encode()) <= DESCRIPTION_MAX_BYTES else text.replace("<", "(").replace(">", ")")


def tags_of(names: tuple[str, ...]) -> list[str]:
    """As many as there is room for, each once."""
    found: list[str] = []
    used = 0
    for name in dict.fromkeys(" ".join(name.translate(_NO_TAG).split()) for name in names):
        size = len(name) + (2 if " " in name else 0) + (1 if found else 0)
        if name and used + size <= TAGS_MAX:
            found.append(name)
            used += size
    return found


_NO_TAG = str.maketrans(dict.fromkeys('<>,"', " "))

"""Writing to one channel. The package's docstring is the manual page."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from connectors.mattermost.api import ADDRESS_HINT, CLOSED_HINT, RIGHTS_HINT, Api, Missing, NotAllowed
from connectors.mattermost.markdown import markdown, uncalled
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits, Secret
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Transient, words
from syndicator.model import Attachment, Receipt, Rendition

KEY = "syndicator_key"
FILE_MAX_BYTES = 20 * 1024**2
PAGE = 60
PAGES_MAX = 100
LOOK_BACK = timedelta(days=15)
"""Nobody asks for longer what became of a post."""
MARGIN = timedelta(hours=1)
"""The server's clock is not ours."""

LIMITS = Limits(
    text_max=16_383,
    threads=True,
    media=MediaLimits(
        images_max=5,
        videos_max=1,
        mixed=True,
        image_max_bytes=FILE_MAX_BYTES,
        video_max_bytes=FILE_MAX_BYTES,
        alt_max=150,
    ),
)
_ID = re.compile(r"[a-z0-9]{26}")
_PLACE = re.compile(r"(?P<team>[\w.-]+)/(?:channels/)?(?P<channel>[\w.-]+)")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")

CHANNEL_HINT = words(
    fr="Vérifiez channel : ce canal n'existe pas, ou le bot ne le voit pas (ajoutez-le à l'équipe et au canal).",
    en="Check channel: there is no such channel, or the bot does not see it (add it to the team and to the channel).",
)


@dataclass(frozen=True, kw_only=True)
class MattermostOptions:
    """Which channel, and who writes there."""

    url: str
    """Address of the server, such as ``https://framateam.org``."""
    token: Secret
    """The bot's token, or a personal access token."""
    channel: str
    """The channel, as its address says: ``equipe/annonces``; or its number of 26 letters."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if "/hooks/" in self.url:
            raise ValueError(
                words(
                    fr="url est l'adresse du serveur, comme https://framateam.org, pas celle d'un webhook : il faut le jeton d'un bot.",
                    en="url is the server's address, such as https://framateam.org, not that of a webhook: it takes a bot's token.",
                )
            )
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError(
                words(
                    fr=f"« {self.url} » n'est pas l'adresse d'un serveur : écrivez par exemple https://framateam.org.",
                    en=f"“{self.url}” is not the address of a server: write for example https://framateam.org.",
                )
            )
        if not _ID.fullmatch(self.place) and not _PLACE.fullmatch(self.place):
            raise ValueError(
                words(
                    fr=f"« {self.channel} » n'est pas un canal : écrivez equipe/canal, comme dans son adresse.",
                    en=f"“{self.channel}” is not a channel: write team/channel, as its address has it.",
                )
            )

    @property
    def base_url(self) -> str:
        """The server's address without a trailing slash; a path is kept, some servers live below one."""
        return (self.url if "://" in self.url else f"https://{self.url}").rstrip("/")

    @property
    def place(self) -> str:
        """The channel, out of its whole address too."""
        return self.channel.strip().removeprefix(f"{self.base_url}/").strip("/")

    @property
    def address(self) -> str:
        """The channel's page."""
        found = _PLACE.fullmatch(self.place)
        return f"{self.base_url}/{found['team']}/channels/{found['channel']}" if found else f"{self.base_url}/{self.place}"


class MattermostPublisher:
    """Writes to one channel; see the package's docstring."""

    Options: ClassVar[type[MattermostOptions]] = MattermostOptions
    limits: Limits = LIMITS

    def __init__(self, options: MattermostOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._api = Api(context.http, options.base_url, options.token)
        self._user_id = ""
        self._channel_id = ""
        self.account: str | None = None

    async def open(self) -> None:
        """See whose token it is, that the channel is there and open, and what the server takes; nothing is posted."""
        me = await self._api.call("GET", "/users/me")
        channel = await self._found()
        if not isinstance(me, Mapping) or not me.get("id") or not channel.get("id"):
            raise Rejected("the answer is not that of a Mattermost server", hint=ADDRESS_HINT)
        if channel.get("delete_at"):
            raise AuthExpired(f"{self._options.place} is archived", hint=CLOSED_HINT)
        try:
            await self._api.call("GET", f"/channels/{channel['id']}/members/me")
        except Missing as error:
            raise AuthExpired(error.detail, hint=RIGHTS_HINT) from error
        self._user_id, self._channel_id = str(me["id"]), str(channel["id"])
        self.account = self._options.address
        self._learn(await self._api.call("GET", "/config/client", params={"format": "old"}))

    async def close(self) -> None:
        """Nothing to give back."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002
        """Upload the files; nobody sees them before a post names them."""
        return json.dumps(await self._uploaded(rendition.attachments))

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Write one post, with the files that will do."""
        _refuse(rendition)
        entries = await self._uploaded(rendition.attachments) if prepared is None else json.loads(prepared)
        files = [(str(url), str(file_id)) for url, file_id in entries]
        root = dict(parent.data).get("root", parent.remote_id) if parent is not None else ""
        body = {
            "channel_id": self._channel_id,
            "message": self._message(rendition.text),
            "root_id": root,
            "file_ids": [file_id for _, file_id in files],
            "props": {KEY: _digest(key)},
            "pending_post_id": f"{self._user_id}:{_digest(key)}",
        }
        try:
            post = await self._api.call("POST", "/posts", body, params={"set_online": "false"}, write=True)
        except Missing as error:
            raise AuthExpired(error.detail, hint=CHANNEL_HINT) from error
        return self._receipt(post, files, root)

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:
        """Look through the channel's newest posts for the one that carries the key."""
        since = self._begun(rendition)
        for page in range(PAGES_MAX):
            answer = await self._api.call(
                "GET", f"/channels/{self._channel_id}/posts", params={"page": str(page), "per_page": str(PAGE), "skipFetchThreads": "true"}
            )
            posts = _posts(answer)
            for post in posts:
                ours = post.get("user_id") == self._user_id and not post.get("delete_at")
                if ours and (post.get("props") or {}).get(KEY) == _digest(key):
                    return self._receipt(post, _named(post, rendition, prepared), str(post.get("root_id") or ""))
            oldest = min((int(post.get("create_at", 0)) for post in posts), default=0)
            if len(posts) < PAGE or oldest < since.timestamp() * 1000:
                return None
        raise Transient(f"more than {PAGES_MAX} pages of posts to look through")

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace the text and the files; those that did not change are not uploaded again."""
        _refuse(rendition)
        data = dict(receipt.data)
        new = dict(await self._uploaded(one for one in rendition.attachments if one.url not in data))
        files = [(one.url, file_id) for one in rendition.attachments if (file_id := data.get(one.url) or new.get(one.url))]
        body: dict[str, Any] = {"message": self._message(rendition.text)}
        if files != [(name, value) for name, value in receipt.data if "://" in name]:
            body["file_ids"] = [file_id for _, file_id in files]
        try:
            post = await self._api.call("PUT", f"/posts/{receipt.remote_id}/patch", body, write=True)
        except NotAllowed:
            await self._refuse_gone(receipt.remote_id)
            raise
        return self._receipt(post, files, data.get("root", ""))

    async def delete(self, receipt: Receipt) -> None:
        """Remove the post."""
        try:
            await self._api.call("DELETE", f"/posts/{receipt.remote_id}", write=True)
        except NotAllowed:
            await self._refuse_gone(receipt.remote_id)
            raise

    async def _refuse_gone(self, post_id: str) -> None:
        """An edit of what is gone is refused like one without a right: raise Gone if it is gone."""
        post = await self._api.call("GET", f"/posts/{post_id}")
        if isinstance(post, Mapping) and post.get("delete_at"):
            raise Gone(f"{post_id} was deleted")

    async def _found(self) -> Mapping[str, Any]:
        place = self._options.place
        found = _PLACE.fullmatch(place)
        path = f"/teams/name/{quote(found['team'])}/channels/name/{quote(found['channel'])}" if found else f"/channels/{place}"
        try:
            channel = await self._api.call("GET", path)
        except (Missing, NotAllowed) as error:
            raise AuthExpired(error.detail, hint=CHANNEL_HINT) from error
        return channel if isinstance(channel, Mapping) else {}

    def _message(self, text: str) -> str:
        """Escaped, unless only the escapes make it too long."""
        marked = markdown(text)
        return marked if len(marked) <= (self.limits.text_max or 0) else uncalled(text)

    async def _uploaded(self, attachments: Iterable[Attachment]) -> list[tuple[str, str]]:
        """Where each attachment that will do came from, and its number."""
        wanted = list(attachments)[: self.limits.media.images_max]
        return [(one.url, file_id) for one in wanted if (file_id := await self._upload(one)) is not None]

    async def _upload(self, attachment: Attachment) -> str | None:
        """None when the file will never do: a picture never stops a text."""
        context = self._context
        try:
            file = await media.fetch(context.http, attachment, self.limits.media, cache_dir=context.state_dir / "media")
            # In the query, not in a form: forms disagree on what is not ASCII in a name.
            place = {"channel_id": self._channel_id, "filename": _file_name(file.description, file.name)}
            answer = await self._api.call("POST", "/files", params=place, data=file.data, media_type=file.media_type)
        except (Rejected, Gone) as error:
            context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            return None
        infos = answer.get("file_infos") if isinstance(answer, Mapping) else None
        if not infos or not infos[0].get("id"):
            raise Transient("the server does not name the upload")
        return str(infos[0]["id"])

    def _learn(self, config: Any) -> None:
        """https://developers.mattermost.com/api-documentation/#/operations/GetClientConfig"""
        said = config if isinstance(config, Mapping) else {}
        text, size = (int(value) if (value := str(said.get(name, ""))).isdigit() else 0 for name in ("MaxPostSize", "MaxFileSize"))
        rules = LIMITS.media
        if 0 < size < FILE_MAX_BYTES:
            rules = replace(rules, image_max_bytes=size, video_max_bytes=size)
        self.limits = replace(LIMITS, text_max=text or LIMITS.text_max, media=rules)

    def _begun(self, rendition: Rendition) -> datetime:
        """Before this, no attempt was made."""
        earliest = self._context.now() - LOOK_BACK
        return max(rendition.published_at or earliest, earliest) - MARGIN

    def _receipt(self, post: Any, files: list[tuple[str, str]], root: str) -> Receipt:
        if not isinstance(post, Mapping) or not post.get("id"):
            raise OutcomeUnknown("the answer names no post")
        data = (*([("root", root)] if root else []), *files)
        return Receipt(remote_id=str(post["id"]), url=f"{self._options.base_url}/_redirect/pl/{post['id']}", data=data)


def _refuse(rendition: Rendition) -> None:
    if rendition.visibility not in ("public", "unlisted"):
        raise Rejected("only what is public is published")


def _posts(answer: Any) -> list[Mapping[str, Any]]:
    """The posts of a page, newest first; roots of threads that come along are none of it."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("order"), list) or not isinstance(answer.get("posts"), Mapping):
        raise Transient("the answer is no list of posts")
    return [post for post_id in answer["order"] if isinstance(post := answer["posts"].get(post_id), Mapping)]


def _named(post: Mapping[str, Any], rendition: Rendition, prepared: str | None) -> list[tuple[str, str]]:
    """Where the post's files came from: as they were prepared, else in the author's order when none is missing."""
    files = [str(file_id) for file_id in post.get("file_ids") or []]
    known = {str(file_id): str(url) for url, file_id in json.loads(prepared)} if prepared else {}
    urls = [one.url for one in rendition.attachments]
    if not known and len(urls) == len(files):
        known = dict(zip(files, urls, strict=True))
    return [(known[file_id], file_id) for file_id in files if file_id in known]


def _file_name(description: str, name: str) -> str:
    """The alt text as the name of a file: Mattermost shows it, and reads it aloud."""
    told = " ".join(_NOT_IN_NAMES.sub(" ", description).split()).strip(".")
    return f"{told}{PurePath(name).suffix}" if told else name


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:26]

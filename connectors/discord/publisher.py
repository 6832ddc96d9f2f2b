"""Writing through one webhook: the messages it posts, edits and deletes. The package's docstring is the manual page."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any, ClassVar
from urllib.parse import urlsplit

import aiohttp

from connectors.discord.answers import ADDRESS_HINT, WEBHOOK_HINT, TooLarge, result_of, room_at
from connectors.discord.markdown import markdown
from connectors.discord.options import DiscordOptions
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected
from syndicator.media import MediaFile
from syndicator.model import Attachment, Receipt, Rendition
from syndicator.text.count import length

SUPPRESS_EMBEDS = 1 << 2
CONTENT_MAX = 2000
EMBED_MAX = 4096
"""https://discord.com/developers/docs/resources/message#embed-object-embed-limits"""
SPOILER = "SPOILER_"
"""What a file's name begins with that lies under a cover."""
SENSITIVE = "sensitive"
REQUEST_BYTES = 24_000_000
"""A request holds 25 MiB, whatever each file may have."""
UPLOAD_TIMEOUT_S = 180.0

LIMITS = Limits(
    text_max=CONTENT_MAX,
    text_unit="utf16",
    spans=True,
    sensitive_media=True,
    media=MediaLimits(
        images_max=10,
        videos_max=1,
        image_max_bytes=10 * 1024**2,
        video_types=("video/mp4", "video/webm", "video/quicktime"),
        video_max_bytes=10 * 1024**2,
        alt_max=1024,
    ),
)

_ADDRESS = re.compile(r"/api(?:/v\d+)?/webhooks/(?P<id>\d+)/(?P<token>[\w-]+)/?")


class DiscordPublisher:
    """Writes through one webhook; see the package's docstring."""

    Options: ClassVar[type[DiscordOptions]] = DiscordOptions
    limits: Limits = LIMITS

    def __init__(self, options: DiscordOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._cache_dir = context.state_dir / "media"
        self._guild_id: str | None = None
        self._full_until: dict[str, datetime] = {}
        """Method → when its bucket empties."""
        self.account: str | None = None

    async def open(self) -> None:
        """See that the webhook is there, and which channel it writes to; nothing is posted."""
        webhook = await self._call("GET")
        if not isinstance(webhook, dict) or not webhook.get("id"):
            raise Rejected("the answer is not a webhook", hint=ADDRESS_HINT)
        self._guild_id = webhook.get("guild_id")
        self.account = self._page(self._options.thread_id or webhook.get("channel_id"))

    async def close(self) -> None:
        """Nothing to give back."""

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:
        """Fetch a file, as small as its share of a request."""
        await media.fetch(self._context.http, attachment, _rules(rendition), cache_dir=self._cache_dir)

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Post one message; files that will never do are left out, and the text goes all the same."""
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected(f"a {rendition.visibility} item is not for publication")
        return await self._write("POST", "", rendition, {})

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace text, files and descriptions; files that did not change are not uploaded again."""
        wanted = {attachment.url for attachment in rendition.attachments}
        # A file that is there keeps its name, and so its cover.
        same = (SENSITIVE in dict(receipt.data)) == rendition.sensitive
        kept = {url: number for url, number in receipt.data if url in wanted and same}
        return await self._write("PATCH", f"/messages/{receipt.remote_id}", rendition, kept)

    async def delete(self, receipt: Receipt) -> None:
        """Remove the message."""
        await self._call("DELETE", f"/messages/{receipt.remote_id}")

    async def _write(self, method: str, path: str, rendition: Rendition, kept: Mapping[str, str]) -> Receipt:
        """Post or edit; ``kept`` are the files that the message has: where from, and their numbers."""
        files = await self._files(rendition, kept)
        name = {"username": self._options.username} if self._options.username and method == "POST" else {}
        try:
            message = await self._call(method, path, body=self._body(rendition, files, kept) | name, files=_named(files, rendition))
        except TooLarge as error:
            if not files:
                raise Rejected(error.detail) from error
            self._context.log.warning("media left out uid=%s: %s", rendition.uid, error.detail)
            files = {}
            message = await self._call(method, path, body=self._body(rendition, files, kept) | name)
        return self._receipt(message, rendition, files, kept)

    def _body(self, rendition: Rendition, files: Mapping[str, MediaFile], kept: Mapping[str, str]) -> dict[str, Any]:
        """What a message says, whole: an edit replaces all of it."""
        text = markdown(rendition.text, rendition.spans)
        embeds: list[dict[str, Any]] = []
        if length(text, LIMITS) > CONTENT_MAX >= length(rendition.text, LIMITS):
            # Only what is not seen makes it too long; an embed's description has more room.
            text, embeds = "", [{"description": _roomy(rendition)}]
        return {
            "content": text,
            "embeds": embeds,
            "attachments": self._attachments(rendition, files, kept),
            "allowed_mentions": {"parse": []},
            # The flag would hide our own embed as well.
            "flags": SUPPRESS_EMBEDS if self._options.suppress_embeds and not embeds else 0,
        }

    def _attachments(self, rendition: Rendition, files: Mapping[str, MediaFile], kept: Mapping[str, str]) -> list[dict[str, str]]:
        """Old and new files in the author's order, with their alt texts; new ones are called by their place in the form."""
        places = {url: str(place) for place, url in enumerate(files)}
        found = []
        for attachment in rendition.attachments:
            number = kept.get(attachment.url) or places.get(attachment.url)
            if number is None:
                continue
            alt = media.shorten_alt(attachment.description, self.limits.media.alt_max)
            found.append({"id": number} | ({"description": alt} if alt else {}))
        return found

    async def _files(self, rendition: Rendition, kept: Collection[str]) -> dict[str, MediaFile]:
        """Every attachment that will do, by its address at the origin, but those that are ``kept``."""
        rules = _rules(rendition)
        found: dict[str, MediaFile] = {}
        for attachment in rendition.attachments[: rules.images_max]:
            if attachment.url in kept:
                continue
            try:
                found[attachment.url] = await media.fetch(self._context.http, attachment, rules, cache_dir=self._cache_dir)
            except (Rejected, Gone) as error:
                self._context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
        return found

    async def _call(
        self, method: str, path: str = "", *, body: Mapping[str, Any] | None = None, files: Mapping[str, MediaFile] | None = None
    ) -> Any:
        """Discord's answer, None when it is empty. What it raises never holds the address."""
        base, token = self._webhook()
        now = self._context.now()
        bucket = f"{method} {bool(path)}"
        full_until = self._full_until.get(bucket, now)
        if full_until > now:
            raise RateLimited("Discord has no room for more just now", at=full_until)
        query = {"wait": "true"} if method == "POST" else {}
        if self._options.thread_id and (method != "GET" or path):
            query["thread_id"] = self._options.thread_id
        try:
            response = await self._context.http.request(
                method,
                base + path,
                params=query,
                json=None if files else body,
                data=_form(body or {}, files) if files else None,
                timeout_s=UPLOAD_TIMEOUT_S if files else 30.0,
            )
            self._full_until[bucket] = room_at(response, now)
            return result_of(response, now, write=method != "GET")
        except ConnectorError as error:
            error.detail = error.detail.replace(token, "…")
            error.args = (error.detail,)
            # Its causes may hold the address.
            error.__cause__ = error.__context__ = None
            raise

    def _webhook(self) -> tuple[str, str]:
        """The address to call, of the version that we speak, and the secret part of it."""
        parts = urlsplit(self._options.webhook.reveal().strip())
        found = _ADDRESS.fullmatch(parts.path)
        if found is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise AuthExpired("this is not the address of a webhook", hint=WEBHOOK_HINT)
        return f"{parts.scheme}://{parts.netloc}/api/v10/webhooks/{found['id']}/{found['token']}", found["token"]

    def _receipt(self, message: Any, rendition: Rendition, files: Mapping[str, MediaFile], kept: Mapping[str, str]) -> Receipt:
        if not isinstance(message, dict) or not message.get("id"):
            raise OutcomeUnknown("the answer names no message")
        names = dict(zip(_named(files, rendition), files, strict=True))
        urls = {number: url for url, number in kept.items()}
        listed = [(str(file.get("id")), str(file.get("filename"))) for file in message.get("attachments") or []]
        found = [(url, number) for number, name in listed if (url := urls.get(number) or names.get(name))]
        page = self._page(message.get("channel_id"))
        return Receipt(
            remote_id=str(message["id"]),
            url=f"{page}/{message['id']}" if page else None,
            data=(*found, *([(SENSITIVE, "yes")] if found and rendition.sensitive else [])),
        )

    def _page(self, channel_id: str | None) -> str | None:
        return f"https://discord.com/channels/{self._guild_id}/{channel_id}" if self._guild_id and channel_id else None


def _rules(rendition: Rendition) -> MediaLimits:
    """What each file may have, of a request that holds all of them."""
    share = REQUEST_BYTES // max(1, len(rendition.attachments))
    return replace(LIMITS.media, image_max_bytes=min(LIMITS.media.image_max_bytes or share, share))


def _roomy(rendition: Rendition) -> str:
    """The text with as many links on words as an embed has room for."""
    for count in range(len(rendition.spans), 0, -1):
        text = markdown(rendition.text, rendition.spans[:count])
        if length(text, LIMITS) <= EMBED_MAX:
            return text
    return markdown(rendition.text)


def _named(files: Mapping[str, MediaFile], rendition: Rendition) -> dict[str, MediaFile]:
    """By a name of its own for each file of a request: in the answer, it tells them apart."""
    cover = SPOILER if rendition.sensitive else ""
    return {f"{cover}{place}-{file.name}": file for place, file in enumerate(files.values())}


def _form(body: Mapping[str, Any], files: Mapping[str, MediaFile]) -> aiohttp.FormData:
    """https://discord.com/developers/docs/reference#uploading-files"""
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps(body), content_type="application/json")
    for place, (name, file) in enumerate(files.items()):
        form.add_field(f"files[{place}]", BytesIO(file.data), filename=name, content_type=file.media_type)
    return form

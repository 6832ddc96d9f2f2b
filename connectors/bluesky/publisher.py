"""Writing to one account: the posts it puts, deletes and finds again. The package's docstring is the manual page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from connectors.bluesky import record
from connectors.bluesky.answers import BlobLost, NameTaken, RecordMissing
from connectors.bluesky.client import Client
from connectors.bluesky.options import PublisherOptions
from connectors.bluesky.videos import Failed, Failures, VideoService
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits
from syndicator.errors import Gone, OutcomeUnknown, Rejected, Transient
from syndicator.model import Attachment, Receipt, Rendition

FOREVER_S = 10 * 365 * 86_400
MOVING = ("video", "gifv")

LIMITS = Limits(
    text_max=300,
    text_unit="graphemes",
    bytes_max=3000,
    spans=True,
    card=True,
    sensitive_media=True,
    threads=True,
    media=MediaLimits(
        images_max=4,
        # The network shows everything as JPEG, what is transparent as black, and of what moves the first picture.
        image_types=("image/jpeg",),
        # 2,000,000 since 2026; servers of before, and the picture of a card, take half of it.
        image_max_bytes=976 * 1024,
        image_max_pixels=4_000_000,
        videos_max=1,
        video_types=("video/mp4",),
        video_max_bytes=300_000_000,
        # https://github.com/bluesky-social/social-app/blob/main/src/lib/constants.ts
        video_max_s=600,
        alt_max=2000,
    ),
    # A record put twice under one name is there once.
    key_window_s=FOREVER_S,
)


class BlueskyPublisher:
    """Publishes to one account; see the package's docstring."""

    Options: ClassVar[type[PublisherOptions]] = PublisherOptions
    limits: Limits = LIMITS

    def __init__(self, options: PublisherOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._client = Client(
            context.http,
            pds=options.base_url,
            handle=options.account,
            password=options.app_password,
            path=context.state_dir / "session.json",
        )
        self._cache_dir = context.state_dir / "media"
        self._failures = Failures(context.state_dir / "videos.json")
        url = options.video_url
        self._videos = VideoService(http=context.http, client=self._client, base_url=url) if url else None
        rules = LIMITS.media if self._videos else replace(LIMITS.media, videos_max=0)
        self.limits = replace(LIMITS, card=options.link_card, media=rules)
        self.account: str | None = None

    async def open(self) -> None:
        """Log in, or renew the session that was kept."""
        session = await self._client.log_in()
        self.account = session.handle
        if session.full_rights:
            self._context.log.warning("the account's own password is used; an app password would do")

    async def close(self) -> None:
        """Forget the session; what is on disk serves the next time."""
        self._client.log_out()

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:  # noqa: ARG002 - the same for every post
        """Fetch a picture, or a video to disk; what the video service refused before is no video for us any more."""
        if attachment.type in MOVING:
            await self._failures.refuse(attachment.url)
            await media.fetch_file(self._context.http, attachment, self.limits.media, cache_dir=self._cache_dir)
        else:
            await media.fetch(self._context.http, attachment, self.limits.media, cache_dir=self._cache_dir)

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002 - named by content
        """Upload what the post shows; what no post uses is dropped by the server."""
        return json.dumps(await self._embed(rendition))

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Put one post; media that will never do are left out, a video that is not ready yet makes it wait."""
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected(f"a {rendition.visibility} item is not for publication")
        embed = await self._embed(rendition) if prepared is None else json.loads(prepared)
        try:
            return await self._put(rendition, key, parent, await self._ready(embed))
        except BlobLost as error:
            if embed and "job" in embed:
                raise await self._failures.add(embed["url"], Failed(error.detail, hopeless=False)) from error
            return await self._put(rendition, key, parent, await self._embed(rendition))
        except NameTaken:
            # An earlier attempt made it, with another picture or date: what readers have seen stays.
            found = await self.find(key, rendition)
            if found is None:
                raise
            return found

    async def delete(self, receipt: Receipt) -> None:
        """Remove the post; the server answers the same when it is gone already."""
        _, _, repo, collection, rkey = receipt.remote_id.split("/")
        await self._client.call("com.atproto.repo.deleteRecord", {"repo": repo, "collection": collection, "rkey": rkey}, write=True)

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the name tells
        """Ask for the one name that this delivery can have."""
        name = {"repo": self._client.session.did, "collection": record.COLLECTION, "rkey": record.record_key(rendition, key)}
        try:
            answer = await self._client.query("com.atproto.repo.getRecord", name)
        except RecordMissing:
            return None
        value = answer.get("value")
        if not answer.get("uri") or not answer.get("cid") or not isinstance(value, Mapping):
            raise Transient("the answer names no record")
        return record.receipt_of(str(answer["uri"]), str(answer["cid"]), self._client.session.handle, value.get("reply"))

    async def _put(self, rendition: Rendition, key: str, parent: Receipt | None, embed: Mapping[str, Any] | None) -> Receipt:
        post = record.post_record(rendition, self._context.now(), embed=embed, parent=parent, label=self._options.sensitive_label)
        if not post["text"] and not embed:
            raise Rejected("there is neither a text nor a picture")
        body = {
            "repo": self._client.session.did,
            "collection": record.COLLECTION,
            "rkey": record.record_key(rendition, key),
            "record": post,
            # Only where there is none, or the very same.
            "swapRecord": None,
        }
        answer = await self._client.call("com.atproto.repo.putRecord", body, write=True)
        if not answer.get("uri") or not answer.get("cid"):
            raise OutcomeUnknown("the answer names no record")
        return record.receipt_of(str(answer["uri"]), str(answer["cid"]), self._client.session.handle, post.get("reply"))

    async def _embed(self, rendition: Rendition) -> dict[str, Any] | None:
        """Its video or its pictures; without any, a card for its link."""
        for film in (one for one in rendition.attachments if one.type in MOVING):
            embed = await self._video(film) if self._videos else None
            if embed is not None:
                return embed
        stills = [still for one in rendition.attachments if (still := _still(one)) is not None]
        pictures = [picture for one in stills[: LIMITS.media.images_max] if (picture := await self._image(one)) is not None]
        if pictures:
            return record.images(pictures)
        return record.card(rendition, await self._thumb(rendition)) if self._options.link_card else None

    async def _video(self, film: Attachment) -> dict[str, Any] | None:
        """Sent to be made fit to be played; None when that will never be."""
        assert self._videos is not None
        try:
            await self._failures.refuse(film.url)
            file = await media.fetch_file(self._context.http, film, self.limits.media, cache_dir=self._cache_dir)
        except (Rejected, Gone) as error:
            self._context.log.warning("media left out url=%s: %s", film.url, error.detail)
            return None
        try:
            number = await self._videos.upload(file)
        except Failed as error:
            raise await self._failures.add(film.url, error) from error
        await media.forget(file)
        alt = media.shorten_alt(film.description, self.limits.media.alt_max)
        return {"job": number, "url": film.url, "embed": record.video(film, alt)}

    async def _ready(self, embed: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """What the record holds; of a video, once the service is done with it."""
        if not embed or "job" not in embed:
            return embed
        if self._videos is None:
            raise await self._failures.add(embed["url"], Failed("there is no video service any more", hopeless=True))
        try:
            return {**embed["embed"], "video": await self._videos.blob(embed["job"])}
        except Failed as error:
            raise await self._failures.add(embed["url"], error) from error

    async def _thumb(self, rendition: Rendition) -> Mapping[str, Any] | None:
        """The picture of the card: it never holds a post back, even when it cannot be had just now."""
        image = rendition.card.image if rendition.card else None
        if image is None:
            return None
        try:
            file = await media.fetch(self._context.http, image, LIMITS.media, cache_dir=self._cache_dir)
        except (Transient, Rejected, Gone) as error:
            self._context.log.warning("card without its picture url=%s: %s", image.url, error.detail)
            return None
        return await self._blob(file, image.url)

    async def _image(self, attachment: Attachment) -> dict[str, Any] | None:
        """None when the picture will never do: it never stops a text."""
        try:
            file = await media.fetch(self._context.http, attachment, LIMITS.media, cache_dir=self._cache_dir)
        except (Rejected, Gone) as error:
            self._context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            return None
        blob = await self._blob(file, attachment.url)
        return record.image(blob, file.description, file.width, file.height) if blob is not None else None

    async def _blob(self, file: media.MediaFile, url: str) -> Mapping[str, Any] | None:
        """What the server calls an upload; None when it does not take it."""
        try:
            answer = await self._client.call("com.atproto.repo.uploadBlob", data=file.data, media_type=file.media_type)
        except (Rejected, Gone) as error:
            self._context.log.warning("media left out url=%s: %s", url, error.detail)
            return None
        blob = answer.get("blob")
        if not isinstance(blob, Mapping):
            raise Transient("the server does not name the upload")
        return blob


def _still(attachment: Attachment) -> Attachment | None:
    """A picture; a video's, where the video itself cannot be shown."""
    if attachment.type == "image":
        return attachment
    return Attachment(url=attachment.preview_url, description=attachment.description) if attachment.preview_url else None

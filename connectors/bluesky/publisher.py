"""Writing to one account: the posts it puts, deletes and finds again. The package's docstring is the manual page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from connectors.bluesky import record
from connectors.bluesky.answers import BlobLost, NameTaken, RecordMissing
from connectors.bluesky.client import Client
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits, Secret
from syndicator.errors import Gone, OutcomeUnknown, Rejected, Transient, words
from syndicator.model import Attachment, Receipt, Rendition

FOREVER_S = 10 * 365 * 86_400

LIMITS = Limits(
    text_max=300,
    text_unit="graphemes",
    bytes_max=3000,
    threads=True,
    media=MediaLimits(
        images_max=4,
        # The network shows everything as JPEG, what is transparent as black, and of what moves the first picture.
        image_types=("image/jpeg",),
        # 2,000,000 since 2026; servers of before, and the picture of a card, take half of it.
        image_max_bytes=976 * 1024,
        image_max_pixels=4_000_000,
        alt_max=2000,
    ),
    # A record put twice under one name is there once.
    key_window_s=FOREVER_S,
)
_HANDLE = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class PublisherOptions:
    """Which account, and how it speaks."""

    handle: str
    """The account's name, such as ``asso.bsky.social``, or your own domain if the account has it."""
    app_password: Secret
    """An app password of this account, never its own password."""
    pds: str = "https://bsky.social"
    """Address of the server where the account logs in; only for accounts outside of bsky.social."""
    link_card: bool = True
    """Whether a post without a picture shows a card for its first link."""
    sensitive_label: Literal["graphic-media", "nudity", "sexual", "porn"] = "graphic-media"
    """The label of posts whose media are sensitive; apps blur what carries it, more or less according to the label."""

    def __post_init__(self) -> None:
        if not _HANDLE.fullmatch(self.account):
            raise ValueError(
                words(
                    fr=f"« {self.handle} » n'est pas un nom de compte : écrivez par exemple asso.bsky.social.",
                    en=f"“{self.handle}” is not the name of an account: write for example asso.bsky.social.",
                )
            )
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(
                words(
                    fr=f"« {self.pds} » n'est pas l'adresse d'un serveur : écrivez par exemple https://bsky.social.",
                    en=f"“{self.pds}” is not the address of a server: write for example https://bsky.social.",
                )
            )

    @property
    def account(self) -> str:
        """The handle as the network writes it."""
        return self.handle.strip().removeprefix("@").lower()

    @property
    def base_url(self) -> str:
        """Scheme, host and port alone."""
        parts = urlsplit(self.pds if "://" in self.pds else f"https://{self.pds}")
        return f"{parts.scheme}://{parts.netloc}"


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

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002 - named by content
        """Upload the pictures; what no post uses is dropped by the server."""
        return json.dumps(await self._embed(rendition))

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Put one post; pictures that will never do are left out."""
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected(f"a {rendition.visibility} item is not for publication")
        embed = await self._embed(rendition) if prepared is None else json.loads(prepared)
        try:
            return await self._put(rendition, key, parent, embed)
        except BlobLost:
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
        """Its pictures; without any, a card for its link."""
        wanted = [one for one in rendition.attachments if one.type == "image"][: LIMITS.media.images_max]
        pictures = [picture for one in wanted if (picture := await self._image(one)) is not None]
        if pictures:
            return record.images(pictures)
        uri = record.linked(rendition) if self._options.link_card else None
        return None if uri is None else record.card(rendition, uri, await self._thumb(rendition))

    async def _thumb(self, rendition: Rendition) -> Mapping[str, Any] | None:
        """The still picture of what cannot stand in the post itself."""
        url = next((one.preview_url for one in rendition.attachments if one.type != "image" and one.preview_url), None)
        picture = await self._image(Attachment(url=url)) if url else None
        return picture["image"] if picture else None

    async def _image(self, attachment: Attachment) -> dict[str, Any] | None:
        """None when the picture will never do: it never stops a text."""
        context = self._context
        try:
            file = await media.fetch(context.http, attachment, LIMITS.media, cache_dir=context.state_dir / "media")
            answer = await self._client.call("com.atproto.repo.uploadBlob", data=file.data, media_type=file.media_type)
        except (Rejected, Gone) as error:
            context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            return None
        blob = answer.get("blob")
        if not isinstance(blob, Mapping):
            raise Transient("the server does not name the upload")
        return record.image(blob, file.description, file.width, file.height)

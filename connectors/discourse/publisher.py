"""Writing topics: new ones, their pictures, their edits. The package's docstring is the manual page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, ClassVar
from urllib.parse import quote

import aiohttp

from connectors.discourse.forum import Forum, Json
from connectors.discourse.options import TAGS_MAX, DiscourseOptions
from connectors.discourse.writing import RAW_MAX, external_id, picture, raw, tags_of, titles
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Unprepared, words
from syndicator.model import Attachment, Receipt, Rendition

FOR_EVER_S = 10 * 365 * 24 * 3600
KEPT_FOR = timedelta(hours=40)
"""Uploads that no post shows are removed after 48 hours (``clean_orphan_uploads_grace_period_hours``)."""
FULL = 1
"""``permission`` of a category in which the account may create topics."""

LIMITS = Limits(
    text_max=RAW_MAX,
    # A date may have to be added.
    title_max=200,
    markup="markdown",
    markup_counts=True,
    spans=True,
    media=MediaLimits(
        images_max=10,
        # ``max_image_size_kb`` of a new forum.
        image_max_bytes=4096 * 1024,
        image_max_pixels=12_000_000,
        alt_max=1000,
    ),
    key_window_s=FOR_EVER_S,
)

CATEGORY_HINT = words(
    fr="Vérifiez category, et que ce compte a le droit de créer des sujets dans cette catégorie du forum.",
    en="Check category, and that this account may create topics in that category of the forum.",
)
QUEUE_HINT = words(
    fr="Le forum garde ce message pour ses modérateurs : acceptez-le là-bas, et dispensez ce compte de validation (confiance 2).",
    en="The forum keeps this post for its moderators: accept it there, then exempt the account from approval (trust level 2).",
)
DELETE_HINT = words(
    fr="Le forum ne laisse pas ce compte supprimer ce sujet (plus d'un jour, ou déjà des réponses) : supprimez-le là-bas, ou faites du "
    "compte un modérateur.",
    en="The forum does not let this account delete this topic (older than a day, or answered): delete it there, or make the account a "
    "moderator.",
)
EDIT_HINT = words(
    fr="Le forum refuse cette correction. Si c'est qu'elle vient trop tard, faites-la là-bas, ou faites de ce compte un modérateur.",
    en="The forum refuses this correction. If it comes too late, make it there, or make the account a moderator.",
)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """Uploads that no post shows yet: where each picture is from, and how it is written in Markdown."""

    at: datetime
    pictures: Mapping[str, str]

    def to_json(self) -> str:
        return json.dumps({"at": self.at.isoformat(), "pictures": dict(self.pictures)})

    @classmethod
    def from_json(cls, text: str) -> _Prepared:
        found = json.loads(text)
        return cls(at=datetime.fromisoformat(found["at"]), pictures=found["pictures"])


class DiscoursePublisher:
    """Writes in one category; see the package's docstring."""

    Options: ClassVar[type[DiscourseOptions]] = DiscourseOptions
    limits: Limits = LIMITS

    def __init__(self, options: DiscourseOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._forum = Forum(options, context)
        self._tags_allowed = True
        self._tags_are_objects = True
        self.account: str | None = None

    async def open(self) -> None:
        """See that the key is good and that the account may create topics in the category; nothing is posted."""
        site = await self._forum.read("/site.json")
        categories = site.get("categories")
        if not isinstance(categories, list):
            raise Rejected("the answer does not describe a forum", hint=words(fr="Vérifiez url.", en="Check url."))
        found = next((one for one in categories if one.get("id") == self._options.category), None)
        if found is None or found.get("permission") != FULL:
            name = f"category {self._options.category}" if found is None else f"category “{found.get('name')}”"
            raise AuthExpired(f"{self._options.username} may not create topics in {name}", hint=CATEGORY_HINT)
        known = site.get("top_tags") or []
        self._tags_allowed = bool(site.get("can_tag_topics"))
        # Since version 2026.1 tags are objects; as text, they are refused since 2026.7.
        self._tags_are_objects = not any(isinstance(tag, str) for tag in known)
        self.account = f"{self._options.base}/u/{quote(self._options.username)}"

    async def close(self) -> None:
        """Nothing to give back."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002
        """Upload the pictures, which nothing shows yet; what will never do is left out."""
        return _Prepared(at=self._context.now(), pictures=await self._uploaded(rendition.attachments)).to_json()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Make the topic, once for each key."""
        _refuse_private(rendition)
        ready = _Prepared.from_json(prepared) if prepared is not None else None
        if ready is not None and ready.pictures and self._context.now() - ready.at > KEPT_FOR:
            raise Unprepared("the pictures were uploaded too long ago")
        pictures = ready.pictures if ready is not None else await self._uploaded(rendition.attachments)
        body = {
            "raw": raw(rendition, pictures.values(), self._context.association),
            "category": self._options.category,
            "external_id": external_id(key),
            **self._tags(rendition),
        }
        for title in titles(rendition, self._context.association):
            try:
                post = await self._forum.write("POST", "/posts.json", {**body, "title": title})
            except Rejected as error:
                refused = error
            else:
                return self._receipt(post, title, pictures)
            # Either it is there already, by its number, or something is wrong with it: perhaps only the title, which is another's.
            if (found := await self._found(key, pictures)) is not None:
                return found
        raise refused

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the key tells
        """The topic with that number."""
        return await self._found(key, _Prepared.from_json(prepared).pictures if prepared is not None else {})

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace text, title and pictures; pictures that did not change are not uploaded again."""
        _refuse_private(rendition)
        known = dict(receipt.data)
        kept = {url: markdown for url, markdown in receipt.data if "://" in url}
        wanted = rendition.attachments[: self.limits.media.images_max]
        new = await self._uploaded(one for one in wanted if one.url not in kept)
        shown = {one.url: markdown for one in wanted if (markdown := kept.get(one.url) or new.get(one.url))}
        body = {"post": {"raw": raw(rendition, shown.values(), self._context.association)}}
        try:
            answer = await self._forum.write("PUT", f"/posts/{known['post']}.json", body)
            if (answer.get("post") or {}).get("deleted_at"):
                raise Gone(f"topic {receipt.remote_id} was deleted")
            title = await self._retitled(receipt, rendition, known.get("title", ""))
        except (Rejected, AuthExpired) as error:
            # Whose fault it is: the key's, or this topic's, which may be closed, or too old.
            await self._look(receipt)
            raise Rejected(error.detail, hint=EDIT_HINT) from error
        return Receipt(remote_id=receipt.remote_id, url=receipt.url, data=_data(known["post"], title, shown))

    async def delete(self, receipt: Receipt) -> None:
        """Remove the topic."""
        try:
            await self._forum.write("DELETE", f"/t/{quote(receipt.remote_id)}.json")
        except (Rejected, AuthExpired) as error:
            # Discourse refuses to delete what is deleted, in the same words as what may not be.
            await self._look(receipt)
            raise Rejected(error.detail, hint=DELETE_HINT) from error

    async def _look(self, receipt: Receipt) -> None:
        """Raises Gone when the topic is no more, AuthExpired when nothing may be read."""
        topic = await self._forum.read(f"/t/{quote(receipt.remote_id)}.json")
        if topic.get("deleted_at"):
            raise Gone(f"topic {receipt.remote_id} was deleted")

    async def _retitled(self, receipt: Receipt, rendition: Rendition, before: str) -> str:
        """The title, changed where it has to be."""
        wanted = titles(rendition, self._context.association)
        if before in wanted:
            return before
        for title in wanted:
            try:
                # The specification says ``topic.title``; the forum reads ``title``.
                await self._forum.write("PUT", f"/t/-/{quote(receipt.remote_id)}.json", {"title": title, "topic": {"title": title}})
            except Rejected as error:
                refused = error
            else:
                return title
        raise refused

    async def _found(self, key: str, pictures: Mapping[str, str]) -> Receipt | None:
        try:
            topic = await self._forum.read(f"/t/external_id/{external_id(key)}.json")
        except Gone:
            return None
        posts = (topic.get("post_stream") or {}).get("posts") or [{}]
        first = {"id": posts[0].get("id"), "topic_id": topic.get("id"), "topic_slug": topic.get("slug")}
        return self._receipt(first, str(topic.get("title") or ""), pictures)

    def _receipt(self, post: Json, title: str, pictures: Mapping[str, str]) -> Receipt:
        if post.get("action") == "enqueued":
            raise Rejected("the forum keeps the post for its moderators", hint=QUEUE_HINT)
        topic, number = post.get("topic_id"), post.get("id")
        if not topic or not number:
            raise OutcomeUnknown("the answer names no topic")
        url = f"{self._options.base}/t/{post.get('topic_slug') or '-'}/{topic}"
        return Receipt(remote_id=str(topic), url=url, data=_data(str(number), title, pictures))

    def _tags(self, rendition: Rendition) -> dict[str, Any]:
        own = rendition.tags if self._options.own_tags else ()
        found = tags_of([*self._options.tags, *own], TAGS_MAX) if self._tags_allowed else []
        if not found:
            return {}
        return {"tags": [{"name": tag} for tag in found] if self._tags_are_objects else found}

    async def _uploaded(self, attachments: Iterable[Attachment]) -> dict[str, str]:
        """Where each picture is from → how it is written in Markdown; without those that will never do."""
        found: dict[str, str] = {}
        for attachment in list(attachments)[: self.limits.media.images_max]:
            try:
                found[attachment.url] = await self._upload(attachment)
            except (Rejected, Gone) as error:
                self._context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
        return found

    async def _upload(self, attachment: Attachment) -> str:
        cache_dir = self._context.state_dir / "media"
        file = await media.fetch(self._context.http, attachment, self.limits.media, cache_dir=cache_dir)
        form = aiohttp.FormData()
        form.add_field("upload_type", "composer")
        form.add_field("synchronous", "true")
        form.add_field("file", BytesIO(file.data), filename=file.name, content_type=file.media_type)
        answer = await self._forum.upload(form)
        if not str(answer.get("short_url") or "").startswith("upload://"):
            raise Rejected("the forum does not name the upload")
        width, height = answer.get("thumbnail_width") or answer.get("width"), answer.get("thumbnail_height") or answer.get("height")
        return picture(str(answer["short_url"]), width, height, file.description)


def _data(post: str, title: str, pictures: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return (("post", post), ("title", title), *pictures.items())


def _refuse_private(rendition: Rendition) -> None:
    if rendition.visibility not in ("public", "unlisted"):
        raise Rejected("only what is public is published")

"""Writing posts and events: drafts, their publication, their edits. The package's docstring is the manual page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC
from typing import Any, ClassVar

from connectors.wordpress import calendar
from connectors.wordpress.library import Library, Terms
from connectors.wordpress.options import WordpressOptions
from connectors.wordpress.site import PASSWORDS_OFF_HINT, ROLE_HINT, Json, Refused, Site
from connectors.wordpress.writing import Picture, address_of, content_of, plain, title_of
from syndicator.contract import Context, Limits, MediaLimits
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Unprepared, words
from syndicator.model import Receipt, Rendition

POSTS = "/wp/v2/posts"
POST_FIELDS = "id,status,link,guid"
EVENT_FIELDS = "id,status,url"

LIMITS = Limits(
    title_max=250,
    spans=True,
    link_apart=True,
    media=MediaLimits(
        images_max=20,
        # ``upload_max_filesize`` where nobody raised it, and the width beyond which WordPress itself scales down.
        image_max_bytes=2_000_000,
        image_max_width=2560,
        alt_max=500,
    ),
)

REVIEW_HINT = words(
    fr="Le site garde cet article pour relecture : publiez-le là-bas, et donnez à ce compte le rôle « Auteur » (avec The Events Calendar : "
    "le droit de publier des évènements).",
    en="The site keeps this post for review: publish it there, and give this account the role “Author” (with The Events Calendar: the "
    "right to publish events).",
)
NO_CALENDAR_HINT = words(
    fr="L'extension The Events Calendar n'est pas active sur ce site : activez-la, ou écrivez events = \"post\".",
    en='The plugin The Events Calendar is not active on this site: activate it, or write events = "post".',
)


def _category_hint(names: str) -> Mapping[str, str]:
    return words(
        fr=f"Ces catégories n'existent pas sur le site, et un compte « Auteur » n'en crée pas : créez-les là-bas ({names}).",
        en=f"These categories do not exist on the site, and an “Author” account makes none: make them there ({names}).",
    )


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A draft that nobody sees, and what it refers to."""

    id: int
    calendar: bool
    """Whether it is an event of The Events Calendar."""
    pictures: Mapping[str, Picture]
    """Where each is from → in the library."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> _Prepared:
        found = json.loads(text)
        pictures = {url: Picture(**one) for url, one in found["pictures"].items()}
        return cls(id=found["id"], calendar=found["calendar"], pictures=pictures)


class WordpressPublisher:
    """Writes on one site; see the package's docstring."""

    Options: ClassVar[type[WordpressOptions]] = WordpressOptions
    limits: Limits = LIMITS

    def __init__(self, options: WordpressOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._site = Site(options, context)
        self._library = Library(self._site, context, LIMITS.media)
        self._terms = Terms(self._site, context)
        self.account: str | None = None

    async def open(self) -> None:
        """See that the site is one, that the account may publish there, and whether it keeps a calendar; nothing is written."""
        about = await self._site.find_api()
        await self._log_in(about)
        has_calendar = calendar.NAMESPACE in (about.get("namespaces") or ())
        if self._options.events == "tec" and not has_calendar:
            raise Rejected("The Events Calendar is not there", hint=NO_CALENDAR_HINT)
        self.limits = replace(LIMITS, events=has_calendar and self._options.events != "post")
        if not self._terms.makes["categories"]:
            missing = [name for name in self._options.categories if await self._terms.find("categories", name) is None]
            if missing:
                raise AuthExpired(f"no such categories: {', '.join(missing)}", hint=_category_hint(", ".join(missing)))
        self.account = f"{about.get('home') or self._options.base}/"

    async def _log_in(self, about: Json) -> None:
        try:
            me = await self._site.read("/wp/v2/users/me", {"context": "edit", "_fields": "id,capabilities"})
        except AuthExpired as error:
            # A site without https, and some security plugins, switch them off; then its description does not mention them.
            if "application-passwords" not in (about.get("authentication") or ()):
                raise AuthExpired(error.detail, hint=PASSWORDS_OFF_HINT) from error
            await self._look_otherwise(error)
            return
        except Rejected as error:
            await self._look_otherwise(error)
            return
        rights = me.get("capabilities") or {}
        if not (rights.get("publish_posts") and rights.get("upload_files")):
            raise AuthExpired(f"{self._options.username} may not publish and upload", hint=ROLE_HINT)
        self._terms.makes["categories"] = bool(rights.get("manage_categories"))

    async def _look_otherwise(self, refused: AuthExpired | Rejected) -> None:
        """Some plugins hide accounts even from themselves; what only writers may read tells as well. Raises ``refused`` when that fails."""
        try:
            await self._site.read("/wp/v2/types/post", {"context": "edit", "_fields": "slug"})
        except (AuthExpired, Rejected):
            raise refused from None

    async def close(self) -> None:
        """Nothing to give back."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002
        """Upload the pictures and make a draft, which nothing shows yet; what was made before is found again."""
        _refuse_private(rendition)
        in_calendar = rendition.event is not None
        address = address_of(rendition, key)
        pictures = await self._library.take(rendition.attachments, key)
        draft = await self._of_address(address, in_calendar=in_calendar)
        if draft is None:
            body = {**await self._new_fields(rendition, pictures, address), "status": "draft"}
            draft = await self._site.make(_route(in_calendar), body, _only(in_calendar))
        return _Prepared(id=_number(draft), calendar=in_calendar, pictures=pictures).to_json()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Show the draft: however often that is asked, it is one post."""
        _refuse_private(rendition)
        if prepared is None:
            pictures = await self._library.take(rendition.attachments, key)
            body = {**await self._new_fields(rendition, pictures, address_of(rendition, key)), **self._shown(rendition)}
            in_calendar = rendition.event is not None
            answer = await self._site.write(_route(in_calendar), body, _only(in_calendar))
            return self._receipt(answer, pictures, in_calendar=in_calendar, new=True)
        ready = _Prepared.from_json(prepared)
        body = {**self._fields(rendition, ready.pictures, in_calendar=ready.calendar), **self._shown(rendition)}
        try:
            answer = await self._site.write(f"{_route(ready.calendar)}/{ready.id}", body, _only(ready.calendar))
        except Gone as error:
            raise Unprepared(error.detail) from error
        return self._receipt(answer, ready.pictures, in_calendar=ready.calendar, new=True)

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:
        """The draft, if it is one no more; without one, what bears the address that only this delivery makes."""
        in_calendar, pictures = rendition.event is not None, dict[str, Picture]()
        if prepared is None:
            found = await self._of_address(address_of(rendition, key), in_calendar=in_calendar)
        else:
            ready = _Prepared.from_json(prepared)
            in_calendar, pictures = ready.calendar, dict(ready.pictures)
            try:
                found = await self._site.read(f"{_route(in_calendar)}/{ready.id}", {"context": "edit", **_only(in_calendar)})
            except Gone:
                return None
        if found is None or (found.get("status") == "draft" and self._options.status != "draft"):
            return None
        return self._receipt(found, pictures, in_calendar=in_calendar, new=False)

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace title, text, pictures and dates; pictures that did not change are not uploaded again, those that went are removed."""
        _refuse_private(rendition)
        in_calendar, kept = _kept(receipt)
        wanted = rendition.attachments[: LIMITS.media.images_max]
        new = await self._library.take([one for one in wanted if one.url not in kept], receipt.remote_id)
        before = {one.url: kept.get(one.url) or new.get(one.url) for one in wanted}
        shown = {one.url: replace(there, description=plain(one.description)) for one in wanted if (there := before[one.url])}
        body = self._fields(rendition, shown, in_calendar=in_calendar)
        if kept and not shown and not in_calendar:
            body["featured_media"] = 0
        if self._options.own_tags:
            body["tags"] = await self._terms.numbers("tags", (*self._options.tags, *rendition.tags))
        answer = await self._site.write(f"{_route(in_calendar)}/{receipt.remote_id}", body, _only(in_calendar))
        if answer.get("status") == "trash":
            raise Gone(f"post {receipt.remote_id} is in the trash")
        for url, picture in shown.items():
            if url in kept and kept[url].description != picture.description:
                await self._library.describe(picture, picture.description)
        await self._library.drop(picture for url, picture in kept.items() if url not in shown)
        return self._receipt(answer, shown, in_calendar=in_calendar, new=False)

    async def delete(self, receipt: Receipt) -> None:
        """Put it into the site's trash, and its pictures, which would stay public, away for good."""
        in_calendar, pictures = _kept(receipt)
        route = f"{_route(in_calendar)}/{receipt.remote_id}"
        try:
            await self._site.delete(route)
        except Gone:
            # Perhaps by us, before the answer was lost.
            await self._library.drop(pictures.values())
            raise
        except Refused as error:
            if error.code != "rest_trash_not_supported":
                raise
            # The site's owner wants no trash (EMPTY_TRASH_DAYS).
            await self._site.delete(route, {"force": "true"})
        await self._library.drop(pictures.values())

    async def _of_address(self, address: str, *, in_calendar: bool) -> Json | None:
        """What bears this address, a draft or in the trash too; None when nothing does."""
        if in_calendar:
            try:
                found = await self._site.read(f"{calendar.ROUTE}/by-slug/{address}", _only(in_calendar))
            except Gone:
                return None
            return found if isinstance(found, Mapping) else None
        query = {"slug": f"{address},{address}__trashed", "status": "any,trash", "context": "edit", **_only(in_calendar)}
        listed = await self._site.read(POSTS, query)
        return listed[0] if isinstance(listed, list) and listed else None

    async def _new_fields(self, rendition: Rendition, pictures: Mapping[str, Picture], address: str) -> dict[str, Any]:
        """All that a new one has: beside the text, its address, categories and tags, which are the site's own business afterwards."""
        options, in_calendar = self._options, rendition.event is not None
        fields = {**self._fields(rendition, pictures, in_calendar=in_calendar), "slug": address}
        if options.categories:
            # The Events Calendar has categories of its own, and takes names.
            numbers = [] if in_calendar else await self._terms.numbers("categories", options.categories)
            fields["categories"] = list(options.categories) if in_calendar else numbers
        if names := (*options.tags, *(rendition.tags if options.own_tags else ())):
            fields["tags"] = await self._terms.numbers("tags", names)
        return fields

    def _fields(self, rendition: Rendition, pictures: Mapping[str, Picture], *, in_calendar: bool) -> dict[str, Any]:
        """Title, text and pictures; dates and place of an event."""
        shown = [pictures[one.url] for one in rendition.attachments if one.url in pictures]
        featured = shown[:1] if self._options.pictures == "featured" else []
        content = content_of(rendition, shown[len(featured) :], self._context.association)
        fields: dict[str, Any] = {"title": title_of(rendition, self._context.association)}
        if in_calendar:
            fields |= {"description": content, **({"image": str(featured[0].id)} if featured else {})}
            return fields | (calendar.event_fields(rendition.event, rendition.link) if rendition.event is not None else {})
        fields |= {"content": content, **({"featured_media": featured[0].id} if featured else {})}
        if self._options.formats and "video-as-picture" in rendition.notes:
            fields["format"] = "video"
        return fields

    def _shown(self, rendition: Rendition) -> dict[str, Any]:
        """What makes it public. A date to come would only schedule it."""
        fields: dict[str, Any] = {"status": self._options.status}
        if self._options.dates == "origin" and rendition.published_at is not None and rendition.event is None:
            at = min(rendition.published_at, self._context.now()).astimezone(UTC)
            fields["date_gmt"] = f"{at:%Y-%m-%dT%H:%M:%S}"
        return fields

    def _receipt(self, answer: Json, pictures: Mapping[str, Picture], *, in_calendar: bool, new: bool) -> Receipt:
        number, status = _number(answer), answer.get("status")
        if new and self._options.status == "publish" and status != "publish":
            raise Rejected(f"the site keeps post {number} as {status}", hint=REVIEW_HINT)
        guid = answer.get("guid")
        kept = ((url, json.dumps(picture.to_json())) for url, picture in pictures.items())
        return Receipt(
            remote_id=str(number),
            url=str(answer.get("url" if in_calendar else "link") or "") or None,
            # What the site's own feed calls it, should somebody read that.
            uri=str(guid.get("rendered") or "") or None if isinstance(guid, Mapping) else None,
            data=(("kind", "event" if in_calendar else "post"), *kept),
        )


def _route(in_calendar: bool) -> str:
    return calendar.ROUTE if in_calendar else POSTS


def _only(in_calendar: bool) -> dict[str, str]:
    return {"_fields": EVENT_FIELDS if in_calendar else POST_FIELDS}


def _kept(receipt: Receipt) -> tuple[bool, dict[str, Picture]]:
    """Whether it is an event, and its pictures by where they are from."""
    known = dict(receipt.data)
    pictures = {url: Picture(**json.loads(text)) for url, text in receipt.data if url != "kind"}
    return known.get("kind") == "event", pictures


def _number(answer: Json) -> int:
    number = answer.get("id")
    if not isinstance(number, int):
        raise OutcomeUnknown("the answer names no post")
    return number


def _refuse_private(rendition: Rendition) -> None:
    if rendition.visibility not in ("public", "unlisted"):
        raise Rejected("only what is public is published")

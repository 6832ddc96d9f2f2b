"""LinkedIn: the page of an organisation. A destination, **experimental**: never tried against the real service, and rarely to be had.

LinkedIn gives the right to post for an organisation only "to registered legal organizations for commercial use cases", after looking at
each application: most associations will be refused. What follows is written from its documentation and from what other programs met.

*What it does.* One post per item, with up to twenty pictures and their descriptions (alt texts), or else a card of the link that we make:
title, summary and picture, for LinkedIn reads none through its API. Edits of the text and deletions follow. "Did it go out?" is answered
by looking at the page's latest posts.

*Credential.* In the developer portal, some days of waiting, then every 60 days a person again.

1. https://www.linkedin.com/developers → Create app: name it after the association, choose its LinkedIn page, and have an administrator of
   the page confirm ("Verify").
2. Products → **Community Management API** → Request access: fill in the form (legal name, registration number, what it is for), and wait.
3. Once granted: Docs and tools → OAuth Token Tools → Create token; choose ``w_organization_social`` and ``r_organization_social``; log in
   as an administrator of the page. That is ``token``; put the day into ``token_issued_on``, so that you are reminded in time.
4. ``organization`` is the number in the page's address when you administer it: linkedin.com/company/**123456**/admin.

The token lives for 60 days. Tokens that renew themselves are for partners of LinkedIn alone: a person repeats step 3.

*Cost.* Nothing. Limits are counted by day, and begin anew at midnight UTC.

*Versions.* LinkedIn withdraws each monthly version of its API after about a year: ``version`` is one of those months, the log warns when it
gets old.

*What it cannot do.* Videos: they become a still picture and a link. Threads (3,000 characters, in which the backslashes count that
LinkedIn's text format needs). Edit the pictures or the card of a post. Content warnings of their own, hidden media. Post the same
words twice: a text that was removed there is refused for a day or two, by the trace that it left.

*Not verified against the real service*: everything; in particular whether an association under the French law of 1901 is accepted, that
reading the page's posts comes with the same product, the length of titles and alt texts, and how fast a new post is listed.

Specification: https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api, …/images-api, …/little-text-format.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar

from connectors.linkedin.posts import Json, Picture, body, changed_at, made_at, plain, shows
from connectors.linkedin.rest import ROLE_HINT, Duplicate, Rest, encoded, object_in
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits, Secret
from syndicator.errors import AuthExpired, Gone, NotReady, OutcomeUnknown, Rejected, Transient, Words, words
from syndicator.media import MediaFile
from syndicator.model import Attachment, Receipt, Rendition

TOKEN_LIVES = timedelta(days=60)
OLD_MONTHS = 10
CLOCK_SKEW = timedelta(minutes=10)
SAME_CLOCK = timedelta(minutes=1)
"""Where taking another's post for ours would be worse than not knowing ours."""
LOOKED_AT = 50
IMAGE_MAX_BYTES = 8_000_000

LIMITS = Limits(
    text_max=3000,
    markup="little",
    markup_counts=True,
    card=True,
    media=MediaLimits(
        images_max=20,
        image_types=("image/jpeg", "image/png", "image/gif"),
        image_max_bytes=IMAGE_MAX_BYTES,
        image_max_pixels=36_152_319,
        alt_max=4086,
    ),
)

DUPLICATE_HINT = words(
    fr="Un texte identique est déjà sur la page : rien à faire, sauf si ce n'est pas le vôtre.",
    en="The same text is on the page already: nothing to do, unless it is not yours.",
)
GHOST_HINT = words(
    fr="LinkedIn garde un jour ou deux la trace d'un texte retiré et refuse le même : réessayez après-demain, ou changez-en un mot.",
    en="LinkedIn keeps the trace of a removed text for a day or two and refuses the same: try again in two days, or change a word.",
)


@dataclass(frozen=True, kw_only=True)
class LinkedinOptions:
    """Which page. Experimental: see the manual."""

    organization: str
    """The page's number, as in linkedin.com/company/123456/admin."""
    token: Secret
    """Access token of an administrator of the page, with ``w_organization_social`` and ``r_organization_social``; it lives for 60 days."""
    token_issued_on: str | None = None
    """The day on which the token was made, such as ``2026-11-21``: you are reminded before its 60 days are over."""
    version: str = "202610"
    """Month of LinkedIn's API, ``YYYYMM``; each lives for about a year."""
    api: str = "https://api.linkedin.com"
    """Where the API is; only tests put something else."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[1-9]\d*", self.organization):
            raise ValueError(
                words(
                    fr="organization est le numéro de la page, entre guillemets : linkedin.com/company/NUMÉRO/admin quand on l'administre.",
                    en="organization is the page's number, in quotes: linkedin.com/company/NUMBER/admin when you administer it.",
                )
            )
        if not re.fullmatch(r"20\d\d(0[1-9]|1[0-2])", self.version):
            raise ValueError(words(fr="version est un mois, comme « 202610 ».", en="version is a month, such as “202610”."))
        try:
            date.fromisoformat(self.token_issued_on or "2026-01-01")
        except ValueError as error:
            text = words(fr="token_issued_on est un jour, comme « 2026-11-21 ».", en="token_issued_on is a day, such as “2026-11-21”.")
            raise ValueError(text) from error


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Pictures that LinkedIn has, and no post shows yet."""

    at: datetime
    pictures: tuple[Picture, ...] = ()
    thumbnail: str | None = None

    def to_json(self) -> str:
        """What the core keeps."""
        return json.dumps([self.at.isoformat(), [[picture.urn, picture.alt] for picture in self.pictures], self.thumbnail])

    @classmethod
    def from_json(cls, text: str) -> Prepared:
        """The inverse of ``to_json``."""
        at, pictures, thumbnail = json.loads(text)
        return cls(at=datetime.fromisoformat(at), pictures=tuple(Picture(urn=urn, alt=alt) for urn, alt in pictures), thumbnail=thumbnail)


class LinkedinPublisher:
    """Writes on one page; see the module's docstring."""

    Options: ClassVar[type[LinkedinOptions]] = LinkedinOptions
    limits: Limits = LIMITS
    expires_at: datetime | None

    def __init__(self, options: LinkedinOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._author = f"urn:li:organization:{options.organization}"
        self._rest = Rest(context, options.api, options.token, options.version)
        self.account: str | None = None
        self.remark: Words | None = None
        self.expires_at = _expiry(options.token_issued_on)

    async def open(self) -> None:
        """Read one of the page's posts: that takes the token, the role, the right to read and the version. Nothing is posted."""
        await self._latest(1)
        self._warn_of_age()
        self.account = f"https://www.linkedin.com/company/{self._options.organization}"

    async def close(self) -> None:
        """Nothing to give back."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002
        """Upload the pictures; what will never do is left out."""
        return (await self._prepared(rendition)).to_json()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Make one post, once LinkedIn is done with the pictures."""
        ready = await self._settled(Prepared.from_json(prepared) if prepared is not None else await self._prepared(rendition))
        post = body(self._author, rendition, ready.pictures, ready.thumbnail)
        try:
            response = await self._rest.call("POST", "posts", effect="public", json=post)
        except Duplicate as error:
            return await self._already(error, ready)
        except Gone as error:
            raise AuthExpired(error.detail, hint=ROLE_HINT) from error
        urn = response.headers.get("x-restli-id")
        if not urn:
            raise OutcomeUnknown("the answer names no post")
        return _receipt(urn)

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace the text; pictures and card stay what they were."""
        _refuse_private(rendition)
        patch = {"patch": {"$set": {"commentary": rendition.text}}}
        path = f"posts/{encoded(receipt.remote_id)}"
        await self._rest.call("POST", path, effect="public", rest_method="PARTIAL_UPDATE", json=patch)
        return receipt

    async def delete(self, receipt: Receipt) -> None:
        """Remove the post; LinkedIn answers the same when it is gone already."""
        await self._rest.call("DELETE", f"posts/{encoded(receipt.remote_id)}", effect="public", rest_method="DELETE")

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002
        """Look among the page's latest posts for our pictures, or else our text."""
        if prepared is not None:
            ready = Prepared.from_json(prepared)
        else:
            ready = Prepared(at=rendition.published_at or self._context.now() - timedelta(days=3))
        since, text = ready.at - CLOCK_SKEW, plain(rendition.text)
        urns = {picture.urn for picture in ready.pictures}
        posts = await self._latest(LOOKED_AT)
        for post in sorted(posts, key=made_at):
            ours = urns & set(shows(post)) or (text and plain(str(post.get("commentary") or "")) == text)
            if ours and made_at(post) >= since:
                return _receipt(str(post["id"]))
        if len(posts) >= LOOKED_AT and all(changed_at(post) >= since for post in posts):
            raise Transient(f"cannot tell: more than {LOOKED_AT} posts since {since:%Y-%m-%d %H:%M}")
        return None

    async def _latest(self, count: int) -> list[Json]:
        """The page's posts, those that changed last first."""
        query = f"author={encoded(self._author)}&q=author&count={count}&sortBy=LAST_MODIFIED"
        try:
            response = await self._rest.call("GET", f"posts?{query}", rest_method="FINDER")
        except Gone as error:
            raise AuthExpired(error.detail, hint=ROLE_HINT) from error
        listed = object_in(response).get("elements")
        if not isinstance(listed, list):
            raise Transient("LinkedIn does not list the page's posts")
        return [post for post in listed if isinstance(post, dict) and post.get("id")]

    async def _already(self, error: Duplicate, ready: Prepared) -> Receipt:
        """Content that LinkedIn has: ours when it came after we began, else somebody's, or the trace of what was removed."""
        if not error.urn:
            raise Rejected(error.detail, hint=DUPLICATE_HINT) from error
        try:
            post = object_in(await self._rest.call("GET", f"posts/{encoded(error.urn)}"))
        except Gone:
            raise Rejected(error.detail, hint=GHOST_HINT) from error
        if made_at(post) >= ready.at - SAME_CLOCK:
            return _receipt(error.urn)
        raise Rejected(error.detail, hint=DUPLICATE_HINT) from error

    async def _prepared(self, rendition: Rendition) -> Prepared:
        _refuse_private(rendition)
        ready = Prepared(at=self._context.now())
        pictures = [await self._uploaded(one) for one in rendition.attachments[: LIMITS.media.images_max]]
        found = tuple(picture for picture in pictures if picture is not None)
        if found or rendition.card is None or rendition.card.image is None:
            return replace(ready, pictures=found)
        thumbnail = await self._uploaded(rendition.card.image)
        return replace(ready, thumbnail=thumbnail.urn if thumbnail else None)

    async def _uploaded(self, attachment: Attachment) -> Picture | None:
        """None when it will never do: a picture never stops a text."""
        context = self._context
        try:
            file = await media.fetch(context.http, attachment, self.limits.media, cache_dir=context.state_dir / "media")
            return Picture(urn=await self._upload(file), alt=file.description)
        except (Rejected, Gone) as error:
            context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            return None

    async def _upload(self, file: MediaFile) -> str:
        asked = {"initializeUploadRequest": {"owner": self._author}}
        answer = object_in(await self._rest.call("POST", "images?action=initializeUpload", effect="private", json=asked))
        value = answer.get("value")
        if not isinstance(value, dict) or not value.get("uploadUrl") or not value.get("image"):
            raise Transient("the answer names no place to upload to")
        await self._rest.upload(str(value["uploadUrl"]), file.data, file.media_type)
        return str(value["image"])

    async def _settled(self, ready: Prepared) -> Prepared:
        """Without the pictures that LinkedIn failed on. Raises NotReady while it works on one."""
        pictures = tuple([picture for picture in ready.pictures if await self._is_there(picture.urn)])
        thumbnail = ready.thumbnail if ready.thumbnail and await self._is_there(ready.thumbnail) else None
        return replace(ready, pictures=pictures, thumbnail=thumbnail)

    async def _is_there(self, urn: str) -> bool:
        try:
            status = object_in(await self._rest.call("GET", f"images/{encoded(urn)}")).get("status")
        except Gone:
            status = "gone"
        if status in ("PROCESSING", "WAITING_UPLOAD"):
            raise NotReady(f"LinkedIn is still working on {urn}")
        if status != "AVAILABLE":
            self._context.log.warning("media left out urn=%s: %s", urn, status)
        return bool(status == "AVAILABLE")

    def _warn_of_age(self) -> None:
        version, now = self._options.version, self._context.now()
        age = (now.year - int(version[:4])) * 12 + now.month - int(version[4:])
        if age >= OLD_MONTHS:
            self.remark = words(
                fr=f"LinkedIn retirera bientôt la version {version} de son API : mettez dans version un mois récent.",
                en=f"LinkedIn will soon withdraw version {version} of its API: put a recent month into version.",
            )
            self._context.log.warning("api version=%s is %d months old: LinkedIn will soon withdraw it", version, age)


def _expiry(issued_on: str | None) -> datetime | None:
    if issued_on is None:
        return None
    return datetime.combine(date.fromisoformat(issued_on), time(), tzinfo=UTC) + TOKEN_LIVES


def _refuse_private(rendition: Rendition) -> None:
    if rendition.visibility not in ("public", "unlisted"):
        raise Rejected(f"a {rendition.visibility} item is not for publication")


def _receipt(urn: str) -> Receipt:
    return Receipt(remote_id=urn, url=f"https://www.linkedin.com/feed/update/{urn}/")

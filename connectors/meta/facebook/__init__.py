"""Facebook: one Page, through the Graph API. A destination.

*What it does.* One post per item on the Page, with up to ten pictures and their descriptions (alt texts), or a video, or else a card of
the link, which Facebook makes from the page that it leads to. Edits of the text and deletions follow. "Did it go out?" is answered by
looking at the Page's latest posts, for the same pictures or the same text.

*Credential.* A Page token, from an application of the association's own; half an hour, once, with a Facebook account that administers the
Page.

1. https://developers.facebook.com → My Apps → Create App; type "Business" (or "Other", then "Business"). Name it after the association.
2. In the app: App settings → Basic: add the address of your privacy policy, then switch the app to **Live**. In development mode everything
   seems to work, but only the people who have a role in the app see the posts.
3. Tools → Graph API Explorer: choose the app, "User Token", and the permissions ``pages_show_list``, ``pages_manage_posts`` and
   ``pages_read_engagement`` (and ``business_management`` when the Page belongs to a business portfolio). Generate, and choose the Page.
4. Make it last: in Tools → Access Token Debugger, "Extend Access Token" (60 days). Put the long token back into the Explorer and ask
   ``me/accounts``: of your Page, ``access_token`` is the ``token`` wanted here, and ``id`` is ``page``. Only a Page token that was made
   from an extended one has no end; where Meta tells us that yours has one, you are warned in time.
5. Leave App settings → Advanced → "Require App Secret" off.

For one's own Page with one's own role in the app, Meta demands no review. The token dies with that person's password, their role on the
Page, the app, or when Facebook doubts the account ("checkpoint"): then do 3 and 4 again. Meta may also demand two-factor authentication or
a "Page Publishing Authorization" first: it is shown on the Page.

*Cost.* Nothing. A handful of requests for each post. Facebook slows applications that ask too much, and blocks for some hours accounts that
post too often: both are obeyed.

*What it cannot do.* Events: Meta's API has not been able to make any for years, so an event is a post, with its link and picture. Edit the
pictures or the card of a post. Make threads: 63,206 characters are room enough. Show a content warning apart, or hide sensitive media.
Make a card of a link that leads to Facebook. Carry a video above 1 GB or four hours: it becomes a still picture and a link.

*Not verified against the real service*: that a lost video is found by its upload; how long unused pictures are kept (24 hours assumed);
whether the "data access" that Meta lets lapse after 90 days stops a Page token from posting; who sees the posts of an app in development.

Specification: https://developers.facebook.com/docs/pages-api/posts and …/docs/graph-api/reference/page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors.meta.facebook.posts import TEXT_MAX, bare, carded, made_at, message, receipt_of, targets
from connectors.meta.facebook.uploads import Prepared, Video, upload_photo, upload_video
from connectors.meta.graph import Duplicate, Effect, Graph, Json, Meaning
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits, Secret
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Transient, Unprepared, Words, words
from syndicator.model import Attachment, Receipt, Rendition

NEEDED = frozenset({"pages_manage_posts", "pages_read_engagement"})
KEPT_FOR = timedelta(hours=20)
"""Pictures and videos that nothing shows are kept for a day there."""
CLOCK_SKEW = timedelta(minutes=10)
SAME_CLOCK = timedelta(minutes=1)
"""Where taking another's post for ours would be worse than not knowing ours."""
LOOKED_AT = 50
UPLOAD_TIMEOUT_S = 180.0

LIMITS = Limits(
    text_max=TEXT_MAX,
    link_apart=True,
    media=MediaLimits(
        images_max=10,
        videos_max=1,
        image_types=("image/jpeg", "image/png"),
        image_max_bytes=4_000_000,
        video_types=("video/mp4", "video/quicktime"),
        video_max_bytes=1_000_000_000,
        video_max_s=14_400,
        alt_max=1000,
    ),
)

MEANINGS: Mapping[int, Meaning] = {
    **dict.fromkeys((324, 1366046), "refused"),  # a picture that is none, or too large
    **dict.fromkeys((1363019, 1363030, 1363037, 1363041), "anew"),  # an upload that was lost on the way
}

TOKEN_HINT = words(
    fr="Facebook n'accepte pas ce jeton, mal copié, expiré ou révoqué : recopiez-le en entier, ou refaites-en un (explorateur de l'API "
    "Graph, jeton prolongé, me/accounts).",
    en="Facebook does not accept this token, badly copied, expired or revoked: copy all of it again, or make another (Graph API Explorer, "
    "extended token, me/accounts).",
)
RIGHTS_HINT = words(
    fr="Il faut un jeton de la Page avec pages_manage_posts et pages_read_engagement, fait par une personne qui l'administre.",
    en="It takes a token of the Page with pages_manage_posts and pages_read_engagement, made by a person who administers it.",
)
PERSON_HINT = words(
    fr="Facebook demande une vérification : ouvrez la Page avec le compte qui l'administre et faites ce qui y est demandé.",
    en="Facebook demands a verification: open the Page with the account that administers it and do what is asked there.",
)
PAGE_HINT = words(
    fr="Ce jeton n'est pas celui de la Page indiquée dans page (c'est le vôtre, ou celui d'une autre Page) : dans la réponse à "
    "me/accounts, prenez pour votre Page id et access_token.",
    en="This token is not that of the Page in page (it is your own, or another Page's): in the answer to me/accounts, take id and "
    "access_token of your Page.",
)
HINTS: Mapping[Meaning, Words] = {"credential": TOKEN_HINT, "permission": RIGHTS_HINT, "person": PERSON_HINT}


@dataclass(frozen=True, kw_only=True)
class FacebookOptions:
    """Which Page."""

    page: str
    """The Page's number, ``id`` in the answer of ``me/accounts``."""
    token: Secret
    """The Page's own access token, ``access_token`` in the same answer."""
    version: str = "v26.0"
    """Version of the Graph API; each lives for about two years."""
    api: str = "https://graph.facebook.com"
    """Where the API is; only tests put something else."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[1-9]\d*", self.page):
            raise ValueError(
                words(
                    fr="page est le numéro de la Page, entre guillemets : « id » dans la réponse à me/accounts, ni son nom ni son adresse.",
                    en="page is the Page's number, in quotes: id in the answer to me/accounts, neither its name nor its address.",
                )
            )
        if not re.fullmatch(r"v\d+\.\d+", self.version):
            raise ValueError(words(fr="version s'écrit comme « v26.0 ».", en="version is written like “v26.0”."))


class FacebookPublisher:
    """Writes on one Page; see the module's docstring."""

    Options: ClassVar[type[FacebookOptions]] = FacebookOptions
    limits: Limits = LIMITS

    def __init__(self, options: FacebookOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._cache_dir = context.state_dir / "media"
        base = f"{options.api.rstrip('/')}/{options.version}"
        self._graph = Graph(context, base, meanings=MEANINGS, hints=HINTS)
        # Videos have a host of their own.
        base = base.replace("://graph.facebook.com/", "://graph-video.facebook.com/")
        self._videos = Graph(context, base, meanings=MEANINGS, hints=HINTS)
        self.account: str | None = None
        self.expires_at: datetime | None = None

    async def open(self) -> None:
        """See whose token it is, what it may do and how long; nothing is posted."""
        me = await self._call("GET", "me", params={"fields": "id,name"})
        if str(me.get("id")) != self._options.page:
            raise AuthExpired(f"the token is that of {me.get('name')} ({me.get('id')}), not of the Page", hint=PAGE_HINT)
        self.account = f"https://www.facebook.com/{self._options.page}"
        self.expires_at = await self._expiry()

    async def close(self) -> None:
        """Nothing to give back."""

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:  # noqa: ARG002 - each as if it were alone
        """Fetch one attachment; a video to the disk."""
        fetch = media.fetch_file if attachment.type in ("video", "gifv") else media.fetch
        await fetch(self._context.http, attachment, self.limits.media, cache_dir=self._cache_dir)

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002
        """Upload the media, shown nowhere yet; what will never do is left out."""
        return (await self._prepared(rendition)).to_json()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Make one post."""
        ready = Prepared.from_json(prepared) if prepared is not None else await self._prepared(rendition)
        if (ready.photos or ready.video) and self._context.now() - ready.at > KEPT_FOR:
            raise Unprepared("the media were uploaded too long ago")
        if ready.video is not None:
            return await self._publish_video(rendition, ready.video)
        card = None if ready.photos else carded(rendition)
        attached = [{"media_fbid": photo} for photo in ready.photos]
        body = {"message": message(rendition, card), "link": card, "attached_media": attached}
        try:
            answer = await self._of_page("POST", "feed", effect="public", json={name: value for name, value in body.items() if value})
        except Duplicate as error:
            # What an earlier attempt made came after its preparation; the Page's list may not have shown it yet when it was looked for.
            found = await self._found(rendition, ready, ready.at - SAME_CLOCK)
            if found is None:
                raise Rejected(error.detail, hint=error.hint) from error
            return found
        if not answer.get("id"):
            raise OutcomeUnknown("the answer names no post")
        return receipt_of(str(answer["id"]), card=card)

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace the text; pictures and card stay what they were."""
        _refuse_private(rendition)
        about = dict(receipt.data)
        name = "description" if "video" in about else "message"
        await self._call("POST", receipt.remote_id, effect="public", json={name: message(rendition, about.get("card"))})
        return receipt

    async def delete(self, receipt: Receipt) -> None:
        """Remove the post."""
        await self._call("DELETE", receipt.remote_id, effect="public")

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002
        """Look among the Page's latest posts for our pictures, or else our text; a video is asked for by its number."""
        if prepared is not None:
            ready = Prepared.from_json(prepared)
        else:
            ready = Prepared(at=rendition.published_at or self._context.now() - timedelta(days=3))
        if ready.video is not None:
            return await self._found_video(ready.video)
        return await self._found(rendition, ready, ready.at - CLOCK_SKEW)

    async def _found(self, rendition: Rendition, ready: Prepared, since: datetime) -> Receipt | None:
        posts = await self._posts_since(since)
        card = None if ready.photos else carded(rendition)
        text = bare(message(rendition, card))
        for post in posts:
            if set(ready.photos) & set(targets(post)) or (text and bare(str(post.get("message") or "")) == text):
                return receipt_of(str(post["id"]), card=card, url=post.get("permalink_url"))
        return None

    async def _prepared(self, rendition: Rendition) -> Prepared:
        _refuse_private(rendition)
        at = self._context.now()
        photos = []
        for attachment in rendition.attachments[: LIMITS.media.images_max]:
            try:
                if attachment.type in ("video", "gifv"):
                    return Prepared(at=at, video=await self._video(attachment))
                file = await media.fetch(self._context.http, attachment, self.limits.media, cache_dir=self._cache_dir)
                photos.append(await upload_photo(self._of_page, file))
            except (Rejected, Gone) as error:
                self._context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
        return Prepared(at=at, photos=tuple(photos))

    async def _video(self, attachment: Attachment) -> Video:
        """Uploaded; until it is, its file stays here for another attempt."""
        file = await media.fetch_file(self._context.http, attachment, self.limits.media, cache_dir=self._cache_dir)
        video = await upload_video(self._of_page, file)
        await media.forget(file)
        return video

    async def _publish_video(self, rendition: Rendition, video: Video) -> Receipt:
        body = {"upload_phase": "finish", "upload_session_id": video.session, "description": message(rendition, None)}
        answer = await self._of_page("POST", "videos", effect="public", json=body)
        if answer.get("success") is not True:
            raise OutcomeUnknown("the answer does not say that the video was taken")
        return self._video_receipt(video)

    async def _found_video(self, video: Video) -> Receipt | None:
        """Its upload counts as complete once it was published, however long Facebook then works on it."""
        try:
            answer = await self._call("GET", video.id, params={"fields": "status"})
        except Gone:
            return None
        status = answer.get("status")
        phase = status.get("uploading_phase") if isinstance(status, dict) else None
        if not isinstance(phase, dict):
            raise Transient("Facebook does not say what became of the video")
        return self._video_receipt(video) if phase.get("status") == "complete" else None

    def _video_receipt(self, video: Video) -> Receipt:
        url = f"https://www.facebook.com/{self._options.page}/videos/{video.id}"
        return Receipt(remote_id=video.id, url=url, data=(("video", video.id),))

    async def _posts_since(self, since: datetime) -> list[Json]:
        """Oldest first."""
        fields = "id,message,created_time,permalink_url,attachments{target,subattachments{target}}"
        answer = await self._of_page("GET", "published_posts", params={"fields": fields, "limit": str(LOOKED_AT)})
        listed = answer.get("data")
        if not isinstance(listed, list):
            raise Transient("Facebook does not list the Page's posts")
        recent: list[Json] = [post for post in listed if isinstance(post, dict) and post.get("id") and made_at(post) >= since]
        if len(recent) >= LOOKED_AT:
            raise Transient(f"cannot tell: more than {LOOKED_AT} posts since {since:%Y-%m-%d %H:%M}")
        return recent[::-1]

    async def _expiry(self) -> datetime | None:
        """When the token ends; None when it does not, or may not ask. Raises AuthExpired when it lacks a right."""
        token = self._options.token.reveal()
        try:
            told = (await self._call("GET", "debug_token", params={"input_token": token})).get("data")
        except (AuthExpired, Rejected, Gone):
            # By the book, only a token of the app or of one of its developers may ask.
            return None
        if not isinstance(told, dict):
            return None
        missing = NEEDED - set(told.get("scopes") or NEEDED)
        if missing:
            raise AuthExpired(f"the token lacks {', '.join(sorted(missing))}", hint=RIGHTS_HINT)
        at = told.get("expires_at")
        return datetime.fromtimestamp(at, UTC) if isinstance(at, int) and at > 0 else None

    async def _of_page(self, method: str, edge: str, *, effect: Effect = "none", **sent: Any) -> Json:
        """A call on one of the Page's edges: when that is gone, the Page is, or our right to it."""
        graph = self._videos if edge == "videos" else self._graph
        timeout_s = UPLOAD_TIMEOUT_S if sent.get("data") is not None else 30.0
        try:
            return await graph.call(method, f"{self._options.page}/{edge}", self._options.token, effect=effect, timeout_s=timeout_s, **sent)
        except Gone as error:
            raise AuthExpired(error.detail, hint=PAGE_HINT) from error

    async def _call(self, method: str, path: str, *, effect: Effect = "none", **sent: Any) -> Json:
        return await self._graph.call(method, path, self._options.token, effect=effect, **sent)


def _refuse_private(rendition: Rendition) -> None:
    if rendition.visibility not in ("public", "unlisted"):
        raise Rejected(f"a {rendition.visibility} item is not for publication")

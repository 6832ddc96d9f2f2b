"""Instagram: one professional account. A destination. Not verified against the real service yet.

*What it does.* One post per item: a picture, up to ten of them in a carousel, or a video (a reel), with its text as the caption. The alt
texts of pictures travel with them; Instagram has none for videos.

*A picture, always.* Instagram takes no post without one: an item that has none gets a generated one. It takes JPEG only, between 4:5 and
1.91:1: pictures are converted, and those outside get a border, nothing is cut off.

*It must be able to come and fetch.* Nothing is uploaded: Instagram opens an https address of ours. ``[web] public_url`` must be set and be
open to the whole internet; the copies stay there for two days, below ``posted/``.

*Credential.* Free; half an hour the first time.
1. In the Instagram app: Paramètres → Type de compte et outils → Passer à un compte professionnel (free, and it may be undone).
2. On https://developers.facebook.com: Mes apps → Créer une app → the use case « Gérer les messages et le contenu sur Instagram ». Any
   Facebook account will do; no Facebook Page is needed.
3. In that app: API Instagram → Configuration de l'API avec la connexion Instagram → add the permissions ``instagram_business_basic`` and
   ``instagram_business_content_publish``.
4. Rôles de l'app → Rôles → add the account as « Testeur Instagram »; accept in Instagram: Paramètres → Site web → Applications et sites web
   → Invitations. An account that has a role in the app needs no review by Meta.
5. Back on that page, « Générer des jetons d'accès » → the account → « Générer le jeton » → copy it into ``token``.

*How long it lives.* 60 days; it is renewed by itself every week, also in the state folder alone: the configuration keeps the first one.
What dies with a changed password, a lost role or two months of standstill needs step 5 again; a new token in the configuration counts at
once.

*Cost.* Nothing. 50 or 100 posts a day, says Meta in two places; ``check`` reads which.

*"Did it go out?"* Known: what is to be published is a container, which is published once, and tells whether it was.

*What it cannot do.* Correct or remove a post: that is done in the app. Links are not clickable in captions; nothing can be hidden behind a
warning, so that sensitive media stay at home; longer texts than 2,200 characters or 30 hashtags are shortened; no threads.

*Not verified* against the real service: everything, above all the walk above, whose words Meta changes often; how it counts characters;
what the second publication of one container is answered.

Documentation: https://developers.facebook.com/documentation/instagram-platform/content-publishing
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from connectors.meta.containers import KEY_WINDOW_S, Calls, Containers, Prepared
from connectors.meta.graph import Graph, Json, Meaning
from connectors.meta.hosting import UNFETCHED_HINT, Hosting
from connectors.meta.parts import Part, Parts, Shapes
from connectors.meta.tokens import LongLived
from syndicator.contract import Context, Limits, MediaLimits, Secret
from syndicator.errors import Rejected, Words, words
from syndicator.model import Attachment, Receipt, Rendition

LIMITS = Limits(
    text_max=2200,
    hashtags_max=30,
    media=MediaLimits(
        images_max=10,
        videos_max=1,
        image_types=("image/jpeg",),
        image_max_bytes=8_000_000,
        image_min_width=320,
        image_max_width=1440,
        image_ratio=(0.8, 1.91),
        video_types=("video/mp4", "video/quicktime"),
        video_max_bytes=300_000_000,
        video_max_s=900.0,
        alt_max=1000,
        image_required=True,
    ),
    key_window_s=KEY_WINDOW_S,
)

# https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference/error-codes
MEANINGS: Mapping[int, Meaning] = {
    **dict.fromkeys((2207001, 2207003, 2207032, 2207053, 2207082, -1, -2), "again"),
    **dict.fromkeys((2207006, 2207008, 2207020, 24), "anew"),
    2207027: "early",
    2207052: "unfetched",
    2207042: "quota",
    2207050: "person",
    25: "person",
    2207051: "blocked",
    **dict.fromkeys(
        (2207004, 2207005, 2207009, 2207010, 2207023, 2207026, 2207028, 2207040, 2207057, 36000, 36001, 36003, 36004), "refused"
    ),
}
PROFESSIONAL = frozenset({"BUSINESS", "MEDIA_CREATOR", "CREATOR"})
_CODE = re.compile(r"\b2207\d{3}\b")

TOKEN_HINT = words(
    fr="Instagram n'accepte pas ce jeton, mal copié, expiré ou révoqué : recopiez-le en entier, ou refaites-en un "
    "(developers.facebook.com, votre app → API Instagram → « Générer des jetons d'accès »).",
    en="Instagram does not accept this token, badly copied, expired or revoked: copy all of it again, or make another "
    "(developers.facebook.com, your app → Instagram API → “Generate access tokens”).",
)
PERMISSION_HINT = words(
    fr="Il manque un droit au jeton : ajoutez instagram_business_basic et instagram_business_content_publish à l'app, puis refaites le "
    "jeton.",
    en="The token lacks a permission: add instagram_business_basic and instagram_business_content_publish to the app, then make a new "
    "token.",
)
PERSON_HINT = words(
    fr="Instagram attend quelque chose de vous : ouvrez le compte dans l'application et faites ce qu'elle demande.",
    en="Instagram wants something from you: open the account in the app and do what it asks.",
)
PROFESSIONAL_HINT = words(
    fr="Ce compte est personnel : dans l'application Instagram, passez à un compte professionnel (gratuit).",
    en="This is a personal account: in the Instagram app, switch to a professional account (free).",
)
PICTURE_HINT = words(
    fr="Instagram ne prend rien sans image, et aucune de celles-ci n'a pu servir.",
    en="Instagram takes nothing without a picture, and none of these would do.",
)
HINTS: Mapping[Meaning, Words] = {
    "credential": TOKEN_HINT,
    "permission": PERMISSION_HINT,
    "person": PERSON_HINT,
    "unfetched": UNFETCHED_HINT,
}


@dataclass(frozen=True, kw_only=True)
class InstagramOptions:
    """Which account."""

    token: Secret
    """Long-lived access token of the account, as the app's page gives it; it is renewed by itself."""
    version: str = "v26.0"
    """Version of Meta's API; each lives for about two years."""
    api: str = "https://graph.instagram.com"
    """Address of the API."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"v\d+\.\d+", self.version):
            raise ValueError(words(fr="version s'écrit comme « v26.0 ».", en="version is written like “v26.0”."))
        if urlsplit(self.api).scheme not in ("http", "https") or not urlsplit(self.api).hostname:
            raise ValueError(words(fr="api est une adresse https.", en="api is an https address."))


def _hopeless(reason: str) -> bool:
    """Whether a container's ``status`` names a code that says that the video will never do."""
    return any(MEANINGS.get(int(code)) == "refused" for code in _CODE.findall(reason))


def _one(part: Part) -> Mapping[str, Any]:
    if part.video:
        return {"media_type": "REELS", "video_url": part.url}
    return {"image_url": part.url, **({"alt_text": part.alt} if part.alt else {})}


def _carousel(children: Sequence[str]) -> Mapping[str, Any]:
    return {"media_type": "CAROUSEL", "children": list(children)}


CALLS = Calls(
    create="media",
    publish="media_publish",
    status="status_code",
    reason="status",
    text="caption",
    as_form=False,
    hopeless=_hopeless,
    lists={False: "media", True: "media"},
)


class InstagramPublisher:
    """Publishes to one account; see the module's docstring."""

    Options: ClassVar[type[InstagramOptions]] = InstagramOptions
    limits: Limits = LIMITS

    def __init__(self, options: InstagramOptions, context: Context) -> None:
        self._options = options
        self._context = context
        api = options.api.rstrip("/")
        graph = Graph(context, f"{api}/{options.version}", meanings=MEANINGS, hints=HINTS)
        self._tokens = LongLived(context, options.token, Graph(context, api, meanings=MEANINGS, hints=HINTS), "ig_refresh_token")
        self._hosting = Hosting(context)
        self._containers = Containers(context, graph, self._tokens, CALLS)
        self._parts = Parts(context, self._hosting, self._containers, Shapes(one=_one, carousel=_carousel))
        self._account_id = "me"
        self.account: str | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When the token dies that is in use now."""
        return self._tokens.expires_at

    async def open(self) -> None:
        """See whose token it is, that it may publish, and that Instagram can fetch from us; nothing is posted."""
        problem = self._hosting.problem(self._options.api)
        if problem is not None:
            raise problem
        await self._tokens.renew()
        me = _first(await self._containers.ask("me", fields="user_id,username,account_type"))
        if not me.get("user_id") or not me.get("username"):
            raise Rejected("the answer names no account")
        if me.get("account_type", "BUSINESS") not in PROFESSIONAL:
            raise Rejected(f"{me['username']} is a {me['account_type']} account", hint=PROFESSIONAL_HINT)
        self._account_id = str(me["user_id"])
        self.account = f"https://www.instagram.com/{me['username']}/"
        # Only who may publish is told.
        quota = _first(await self._containers.ask(f"{self._account_id}/content_publishing_limit", fields="config,quota_usage"))
        self._context.log.debug("quota used=%s config=%s", quota.get("quota_usage"), quota.get("config"))

    async def close(self) -> None:
        """Nothing to give back."""

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:  # noqa: ARG002 - each as if it were alone
        """Fetch one attachment; a video to the disk."""
        await self._parts.gather(attachment, self.limits.media)

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002 - no threads there
        """Make a container, which nobody sees and which dies after a day; Instagram fetches the media now."""
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected(f"a {rendition.visibility} item is not for publication")
        await self._tokens.renew()
        at = self._context.now()
        parts = await self._parts.offered(rendition, self.limits.media)
        if not parts:
            raise Rejected("no picture", hint=PICTURE_HINT)
        given = {"caption": rendition.text} if rendition.text else {}
        container = await self._parts.container(self._account_id, key, parts, given)
        return Prepared(container=container, at=at, video=parts[0].video).to_json()

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Publish the container, once; while Instagram still works on it, that is Transient."""
        prepared = prepared or await self.prepare(rendition, key, parent=parent)
        return await self._containers.publish(self._account_id, Prepared.from_json(prepared), rendition)

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the container is the key
        """What became of the container; without one, the account's own posts tell."""
        if prepared is not None:
            return await self._containers.find(self._account_id, Prepared.from_json(prepared), rendition)
        since = rendition.published_at or self._context.now() - timedelta(days=3)
        return await self._containers.search(self._account_id, rendition, since)


def _first(answer: Json) -> Json:
    """The only object of a list, where there is one: some answers are shown in one in the guide, and alone in the reference."""
    listed = answer.get("data")
    found = listed[0] if isinstance(listed, list) and listed else answer
    return found if isinstance(found, dict) else {}

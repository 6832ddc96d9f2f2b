"""Threads: one profile. A destination. Not verified against the real service yet.

*What it does.* One post per item, with up to twenty pictures or a video and their descriptions (alt texts); long texts as a thread, where
the route says so. Deletions follow. Sensitive media are hidden until they are asked for. The first address in a text without media becomes
its card, which Threads makes from that page; the first hashtag becomes its topic, unless ``topic`` names one.

*Media are fetched from us.* Nothing is uploaded: Threads opens an https address of ours. Where ``[web] public_url`` is not set, or not open
to the whole internet, posts go out without media, with a link instead. The copies stay there for two days, below ``posted/``.

*Credential.* Free; half an hour the first time.
1. On https://developers.facebook.com: Mes apps → Créer une app → the use case « Accéder à l'API Threads ».
2. In that use case, « Personnaliser » → add the permissions ``threads_basic``, ``threads_content_publish``, ``threads_delete``,
   ``threads_manage_replies`` and ``threads_read_replies``.
3. Rôles de l'app → Rôles → add the profile as « Testeur Threads »; accept in Threads: Paramètres → Compte → Autorisations de sites web →
   Invitations. A profile that has a role in the app needs no review by Meta.
4. Back in the use case: Paramètres → « Générateur de jetons » → the profile → copy the token into ``token``.

*How long it lives.* 60 days; it is renewed by itself every week, in the state folder alone: the configuration keeps the first one. What
dies with a changed password, a lost role or two months of standstill needs step 4 again; a new token in the configuration counts at once.

*Cost.* Nothing. 250 posts, 1,000 parts of threads and 100 deletions a day.

*"Did it go out?"* Known: what is to be published is a container, which is published once, and tells whether it was. Which post a part of a
thread became is told only to a token with ``threads_read_replies``.

*What it cannot do.* Correct a post. More than 500 characters in one, where emoji count as their UTF-8 bytes. More than five different links
in one: such a post waits for a person. More than one live hashtag: the others stay text.

*Not verified* against the real service: everything, above all the walk above, whose words Meta changes often; with which code it says that
it could not fetch a picture; that a token without ``threads_delete`` is told so.

Documentation: https://developers.facebook.com/documentation/threads/posts
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from connectors.meta.containers import KEY_WINDOW_S, Calls, Containers, Prepared
from connectors.meta.graph import Graph, Meaning
from connectors.meta.hosting import NO_MEDIA, UNFETCHED_HINT, Hosting
from connectors.meta.parts import Part, Parts, Shapes
from connectors.meta.tokens import LongLived
from syndicator.contract import Context, Limits, MediaLimits, Secret
from syndicator.errors import AuthExpired, Rejected, Transient, Words, words
from syndicator.model import Attachment, Receipt, Rendition

LIMITS = Limits(
    text_max=500,
    text_unit="threads",
    threads=True,
    sensitive_media=True,
    media=MediaLimits(
        images_max=20,
        videos_max=1,
        image_types=("image/jpeg", "image/png"),
        image_max_bytes=8_000_000,
        image_min_width=320,
        image_max_width=1440,
        image_ratio=(0.1, 10.0),
        video_types=("video/mp4", "video/quicktime"),
        video_max_bytes=1_000_000_000,
        video_max_s=300.0,
        alt_max=1000,
    ),
    key_window_s=KEY_WINDOW_S,
)

# Threads publishes no table of its own: those of Instagram, and what is seen in practice.
MEANINGS: Mapping[int, Meaning] = {
    **dict.fromkeys((2207001, 2207003, 2207032, 2207053, -1, -2), "again"),
    **dict.fromkeys((4279009, 24), "anew"),
    2207027: "early",
    2207052: "unfetched",
    2207042: "quota",
    9: "quota",
    4279013: "person",
    2207050: "person",
    2207051: "blocked",
    **dict.fromkeys((2207004, 2207005, 2207009, 2207026, 36000, 36001, 36003), "refused"),
}
# https://developers.facebook.com/documentation/threads/troubleshooting
PASSING = frozenset({"", "UNKNOWN", "FAILED_DOWNLOADING_VIDEO"})
"""Reasons of a failure that may be another time; all others are of the video itself."""

TOKEN_HINT = words(
    fr="Threads n'accepte pas ce jeton, mal copié, expiré ou révoqué : recopiez-le en entier, ou refaites-en un (developers.facebook.com, "
    "votre app → API Threads → Paramètres → « Générateur de jetons »).",
    en="Threads does not accept this token, badly copied, expired or revoked: copy all of it again, or make another "
    "(developers.facebook.com, your app → Threads API → Settings → “User token generator”).",
)
PERMISSION_HINT = words(
    fr="Il manque un droit au jeton : ajoutez threads_basic, threads_content_publish, threads_delete, threads_manage_replies et "
    "threads_read_replies à l'app, puis refaites le jeton.",
    en="The token lacks a permission: add threads_basic, threads_content_publish, threads_delete, threads_manage_replies and "
    "threads_read_replies to the app, then make a new token.",
)
PERSON_HINT = words(
    fr="Threads attend quelque chose de vous : ouvrez le profil dans l'application et faites ce qu'elle demande.",
    en="Threads wants something from you: open the profile in the app and do what it asks.",
)
BY_HAND_HINT = words(
    fr="Threads n'a pas dit lequel de vos messages c'est : faites-le à la main dans l'application.",
    en="Threads did not say which of your posts it is: do it by hand in the app.",
)
HINTS: Mapping[Meaning, Words] = {
    "credential": TOKEN_HINT,
    "permission": PERMISSION_HINT,
    "person": PERSON_HINT,
    "unfetched": UNFETCHED_HINT,
}


@dataclass(frozen=True, kw_only=True)
class ThreadsOptions:
    """Which profile, and its topic."""

    token: Secret
    """Long-lived access token of the profile, as the app's page gives it; it is renewed by itself."""
    topic: str | None = None
    """The topic of every post, 1 to 50 characters without ``.`` or ``&``; left out, its first hashtag is."""
    api: str = "https://graph.threads.net"
    """Address of the API."""

    def __post_init__(self) -> None:
        if self.topic is not None and not re.fullmatch(r"[^.&#\n]{1,50}", self.topic.strip()):
            raise ValueError(
                words(fr="topic a 1 à 50 caractères, sans point, & ni #.", en="topic has 1 to 50 characters, without a period, & or #.")
            )
        if urlsplit(self.api).scheme not in ("http", "https") or not urlsplit(self.api).hostname:
            raise ValueError(words(fr="api est une adresse https.", en="api is an https address."))


def _one(part: Part) -> Mapping[str, Any]:
    kind = {"media_type": "VIDEO", "video_url": part.url} if part.video else {"media_type": "IMAGE", "image_url": part.url}
    return {**kind, **({"alt_text": part.alt} if part.alt else {})}


def _carousel(children: Sequence[str]) -> Mapping[str, Any]:
    return {"media_type": "CAROUSEL", "children": ",".join(children)}


CALLS = Calls(
    create="threads",
    publish="threads_publish",
    status="status",
    reason="error_message",
    text="text",
    as_form=True,
    hopeless=lambda reason: reason not in PASSING,
    lists={False: "threads", True: "replies"},
)


class ThreadsPublisher:
    """Publishes to one profile; see the module's docstring."""

    Options: ClassVar[type[ThreadsOptions]] = ThreadsOptions
    limits: Limits = LIMITS

    def __init__(self, options: ThreadsOptions, context: Context) -> None:
        self._options = options
        self._context = context
        api = options.api.rstrip("/")
        self._graph = Graph(context, f"{api}/v1.0", meanings=MEANINGS, hints=HINTS)
        self._tokens = LongLived(context, options.token, Graph(context, api, meanings=MEANINGS, hints=HINTS), "th_refresh_token")
        self._hosting = Hosting(context)
        self._containers = Containers(context, self._graph, self._tokens, CALLS)
        self._parts = Parts(context, self._hosting, self._containers, Shapes(one=_one, carousel=_carousel))
        self._account_id = "me"
        self.account: str | None = None
        self.remark: Words | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When the token dies that is in use now."""
        return self._tokens.expires_at

    async def open(self) -> None:
        """See whose token it is and that it may publish; nothing is posted. There are no media without an address that Threads can open."""
        problem = self._hosting.problem(self._options.api)
        self.limits, self.remark = LIMITS if problem is None else replace(LIMITS, media=MediaLimits()), None
        if problem is not None and problem.hint is not None:
            self._context.log.warning("no media: %s", problem.detail)
            self.remark = {language: f"{text} {problem.hint[language]}" for language, text in NO_MEDIA.items()}
        await self._tokens.renew()
        me = await self._containers.ask("me", fields="id,username")
        if not me.get("id") or not me.get("username"):
            raise Rejected("the answer names no profile")
        self._account_id = str(me["id"])
        self.account = f"https://www.threads.com/@{me['username']}"
        # Only who may publish is told.
        await self._containers.ask(f"{self._account_id}/threads_publishing_limit", fields="quota_usage,config")

    async def close(self) -> None:
        """Nothing to give back."""

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:  # noqa: ARG002 - each as if it were alone
        """Fetch one attachment; a video to the disk."""
        await self._parts.gather(attachment, self.limits.media)

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:
        """Make a container, which nobody sees and which dies after a day; Threads fetches the media now."""
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected(f"a {rendition.visibility} item is not for publication")
        if parent is not None and not parent.remote_id:
            raise Rejected("the post that it answers is not known by its number", hint=BY_HAND_HINT)
        await self._tokens.renew()
        at = self._context.now()
        parts = await self._parts.offered(rendition, self.limits.media)
        container = await self._container(rendition, key, parts, self._given(rendition, parent))
        video = parts[0].video if parts else None
        return Prepared(container=container, at=at, answers=parent is not None, video=video).to_json()

    def _given(self, rendition: Rendition, parent: Receipt | None) -> dict[str, Any]:
        given: dict[str, Any] = {"text": rendition.text} if rendition.text else {}
        if parent is not None:
            return given | {"reply_to_id": parent.remote_id}
        return given | ({"topic_tag": self._options.topic.strip()} if self._options.topic else {})

    async def _container(self, rendition: Rendition, key: str, parts: Sequence[Part], given: Mapping[str, Any]) -> str:
        hidden = {"is_spoiler_media": True} if rendition.sensitive else {}
        if parts:
            try:
                return await self._parts.container(self._account_id, key, parts, {**given, **hidden})
            except Rejected as error:
                if error.hint is UNFETCHED_HINT or not rendition.text:
                    raise
                # Whether it is the text or the picture that will not do, the text alone tells.
                self._context.log.warning("media left out uid=%s: %s", rendition.uid, error.detail)
        return await self._containers.create(self._account_id, {"media_type": "TEXT", **given})

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Publish the container, once; while Threads still works on it, that is Transient."""
        prepared = prepared or await self.prepare(rendition, key, parent=parent)
        return await self._containers.publish(self._account_id, Prepared.from_json(prepared), rendition)

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the container is the key
        """What became of the container; without one, the profile's own posts tell."""
        if prepared is not None:
            return await self._containers.find(self._account_id, Prepared.from_json(prepared), rendition)
        since = rendition.published_at or self._context.now() - timedelta(days=3)
        return await self._containers.search(self._account_id, rendition, since, answers=rendition.part > 0)

    async def delete(self, receipt: Receipt) -> None:
        """Remove the post."""
        if not receipt.remote_id:
            raise Rejected("the post is not known by its number", hint=BY_HAND_HINT)
        try:
            answer = await self._graph.call("DELETE", receipt.remote_id, await self._tokens.current(), effect="public")
        except AuthExpired as error:
            # Either the token is dead, which this question says, or it lacks one permission, which is no reason to stop publishing.
            await self._containers.ask("me", fields="id")
            raise Rejected(error.detail, hint=PERMISSION_HINT) from error
        if answer.get("success") is not True:
            raise Transient("Threads does not say that it removed the post")

"""Writing to one account: the statuses it makes, edits, deletes and finds again. The package's docstring is the manual page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlsplit

from connectors.mastodon.address import Address, identify
from connectors.mastodon.capabilities import discover
from connectors.mastodon.limits import LIMITS, MASTODON_FAMILY, limits_of
from connectors.mastodon.own import alike, is_part, same_text
from connectors.mastodon.sent import Sent
from connectors.mastodon.uploads import Upload, Uploads, attributes, from_json, to_json
from syndicator.contract import Context, Limits, Secret
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Transient, words
from syndicator.http import error_for
from syndicator.model import Receipt, Rendition

if TYPE_CHECKING:
    from connectors.mastodon.client import Client

NEEDED = {"read:accounts": ("read", "profile"), "read:statuses": ("read",), "write:statuses": ("write",), "write:media": ("write",)}
"""The scopes that are used, and the wider ones that hold them."""
CLOCK_SKEW = timedelta(minutes=10)
PAGE = 40
PAGES_MAX = 10
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

SCOPES_HINT = words(
    fr="Créez un jeton avec les droits read:accounts, read:statuses, write:statuses et write:media (Préférences → Développement).",
    en="Make a token with the scopes read:accounts, read:statuses, write:statuses and write:media (Preferences → Development).",
)
NOT_MASTODON_HINT = words(
    fr="Vérifiez url : cette adresse n'est pas celle d'un serveur Mastodon ou compatible.",
    en="Check url: this is not the address of a server that speaks Mastodon's API.",
)
PICTURE_HINT = words(
    fr="Pixelfed ne prend que des publications avec une image : filtrez la route, ou choisissez une autre destination.",
    en="Pixelfed takes only posts with a picture: filter the route, or choose another destination.",
)


@dataclass(frozen=True, kw_only=True)
class PublisherOptions:
    """Which account, and how it speaks."""

    url: str
    """Address of the server, such as ``https://mastodon.social``."""
    token: Secret
    """Access token of the account, with the scopes ``read:accounts read:statuses write:statuses write:media``."""
    visibility: Literal["public", "unlisted"] = "public"
    """``unlisted`` keeps the posts out of the public timelines; followers and visitors of the profile still see them."""
    language: str | None = None
    """Language of posts whose own is not known, such as ``fr``; left out, the account's own setting decides."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(
                words(
                    fr=f"« {self.url} » n'est pas l'adresse d'un serveur : écrivez par exemple https://mastodon.social.",
                    en=f"“{self.url}” is not the address of a server: write for example https://mastodon.social.",
                )
            )

    @property
    def base_url(self) -> str:
        """Scheme, host and port alone."""
        parts = urlsplit(self.url if "://" in self.url else f"https://{self.url}")
        return f"{parts.scheme}://{parts.netloc}"


class MastodonPublisher:
    """Publishes to one account; see the module's docstring."""

    Options: ClassVar[type[PublisherOptions]] = PublisherOptions
    limits: Limits = LIMITS

    def __init__(self, options: PublisherOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._client: Client | None = None
        self._account_id = ""
        self._software = ""
        self._sent = Sent(context.state_dir / "sent.json")
        self._uploads = Uploads(context, self._call)
        self.account: str | None = None

    async def open(self) -> None:
        """Log in, check the token's rights, learn the server's limits."""
        from connectors.mastodon.client import Client

        http, base_url = self._context.http, self._options.base_url
        await self.close()
        self._client = Client(base_url, self._options.token, http)
        me = await self._ask_who()
        self._software = (await discover(http, base_url)).software
        await self._check_rights()
        self.limits = limits_of(await self._instance(), self._software)
        self.account = (await identify(http, Address(user=str(me["username"]), base_url=base_url))).handle

    async def close(self) -> None:
        """Cut what is under way."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002 - files have no parent
        """Upload the media and return their ids; what is never attached is dropped by the server after a day."""
        return to_json(await self._uploads.of(rendition, key, self.limits.media))

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Post one status; media that will never do are left out, media not ready yet make it wait."""
        uploads = self._uploads
        wanted = await uploads.of(rendition, key, self.limits.media) if prepared is None else uploads.renewed(from_json(prepared), key)
        try:
            files = await uploads.settled(wanted)
        except Gone:
            # Either they hang on the post that an earlier attempt made, or the server has dropped them.
            found = await self.find(key, rendition)
            if found is not None:
                return found
            uploads.forget(key)
            files = await uploads.settled(await uploads.of(rendition, key, self.limits.media))
        return await self._post(rendition, key, parent, files)

    async def _post(self, rendition: Rendition, key: str, parent: Receipt | None, files: list[Upload]) -> Receipt:
        if self._software == "pixelfed" and not files and parent is None:
            # It would answer 403, which elsewhere means that the token is no good.
            raise Rejected("Pixelfed takes no post without a picture", hint=PICTURE_HINT)
        await self._sent.try_now(key, self._context.now())
        try:
            status = await self._call(
                "status_post",
                rendition.text,
                in_reply_to_id=parent.remote_id if parent else None,
                media_ids=[upload.media_id for upload in files] or None,
                sensitive=rendition.sensitive,
                visibility=self._visibility(rendition),
                spoiler_text=rendition.content_warning or None,
                language=self._language(rendition),
                # Pixelfed remembers the key before it looks at the post: after a refusal it would answer 400 for an hour.
                idempotency_key=None if self._software == "pixelfed" else key,
                # Servers with markup of their own would read some into the text.
                content_type="text/plain",
                write=True,
            )
        except Gone as error:
            what = "the post that it answers" if parent else "what this key made"
            raise Rejected(f"{what} is no longer there: {error.detail}") from error
        if not status.get("id"):
            raise OutcomeUnknown("the answer names no status")
        await self._sent.made(key, self._context.now(), str(status["id"]))
        self._uploads.forget(key)
        return _receipt(status, files)

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace text, warning, media and alt texts; media that did not change are not uploaded again."""
        rules, owner = self.limits.media, receipt.remote_id
        files = await self._uploads.settled(await self._uploads.of(rendition, owner, rules, kept=dict(receipt.data)))
        arguments: dict[str, Any] = {"spoiler_text": rendition.content_warning or None, "sensitive": rendition.sensitive or None}
        if self._software in MASTODON_FAMILY and files:
            # Mastodon.py takes the ids from these; without any of the two, the server detaches what there is.
            arguments["media_attributes"] = attributes(rendition, files, rules)
        else:
            arguments["media_ids"] = [upload.media_id for upload in files] or None
        status = await self._call("status_update", owner, rendition.text, write=True, **arguments)
        if not status.get("id"):
            raise OutcomeUnknown("the answer names no status")
        self._uploads.forget(owner)
        return _receipt(status, files)

    async def delete(self, receipt: Receipt) -> None:
        """Remove the status."""
        await self._call("status_delete", receipt.remote_id, write=True)

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the post itself tells
        """Look for it on the account's own timeline, back to the first attempt; never what another key made."""
        attempt = await self._sent.of_key(key)
        if attempt is not None and attempt.remote_id:
            return await self._known(attempt.remote_id, rendition)
        since = attempt.at if attempt else rendition.published_at
        since = (since or self._context.now() - timedelta(days=3)) - CLOCK_SKEW
        others = await self._sent.ids_of_others(key)
        found = None
        async for status in self._own_since(since):
            if str(status["id"]) not in others and await self._is(status, rendition):
                found = status
        if found is None:
            return None
        await self._sent.made(key, self._context.now(), str(found["id"]))
        return _found(found, rendition)

    async def _known(self, remote_id: str, rendition: Rendition) -> Receipt:
        try:
            return _found(await self._call("status", remote_id), rendition)
        except Gone:
            # It was made, and somebody removed it since: that is no reason to make another.
            return Receipt(remote_id=remote_id)

    async def _own_since(self, since: datetime) -> Any:
        """Our own statuses, newest first, down to ``since``."""
        last: str | None = None
        for _ in range(PAGES_MAX):
            page = await self._call("account_statuses", self._account_id, exclude_reblogs=True, limit=PAGE, max_id=last)
            for status in page:
                created = status.get("created_at")
                if isinstance(created, datetime) and created.tzinfo and created < since:
                    return
                yield status
            if not page or str(page[-1]["id"]) == last:
                return
            last = str(page[-1]["id"])
        raise Transient(f"cannot tell: more than {PAGES_MAX * PAGE} statuses since {since:%Y-%m-%d %H:%M}")

    async def _is(self, status: Mapping[str, Any], rendition: Rendition) -> bool:
        if not is_part(status, rendition):
            return False
        if same_text(status, rendition):
            return True
        if not alike(status, rendition):
            return False
        # Rendered otherwise than we would: only the text as it was posted can tell.
        try:
            source = await self._call("status_source", status["id"])
        except Gone:
            return False
        except (AuthExpired, Rejected) as error:
            raise Transient(f"cannot tell whether {status['id']} is ours: {error.detail}") from error
        return str(source.get("text") or "").split() == rendition.text.split()

    def _visibility(self, rendition: Rendition) -> str:
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected(f"a {rendition.visibility} item is not for publication")
        return "unlisted" if rendition.visibility == "unlisted" else self._options.visibility

    def _language(self, rendition: Rendition) -> str | None:
        language = rendition.language or self._options.language
        return language if language and _LANGUAGE.fullmatch(language) else None

    async def _ask_who(self) -> Mapping[str, Any]:
        try:
            me: Mapping[str, Any] = await self._call("account_verify_credentials")
        except (Gone, Rejected) as error:
            raise Rejected(error.detail, hint=error.hint or NOT_MASTODON_HINT) from error
        if not me.get("id") or not me.get("username"):
            raise Rejected("the server does not say whose token this is", hint=NOT_MASTODON_HINT)
        self._account_id = str(me["id"])
        return me

    async def _check_rights(self) -> None:
        """By the application's scopes where the server tells them (Mastodon 4.3), else by reading our own timeline."""
        try:
            scopes = (await self._call("app_verify_credentials")).get("scopes")
        except (AuthExpired, Gone, Rejected):
            scopes = None
        if not isinstance(scopes, list):
            try:
                await self._call("account_statuses", self._account_id, limit=1)
            except AuthExpired as error:
                raise AuthExpired(error.detail, hint=SCOPES_HINT) from error
            return
        missing = [name for name, wider in NEEDED.items() if not {name, *wider} & set(scopes)]
        if missing:
            raise AuthExpired(f"the token lacks {', '.join(missing)}", hint=SCOPES_HINT)
        unneeded = sorted(set(scopes) - set(NEEDED) - {"profile"})
        if unneeded:
            self._context.log.warning("token wider than needed scopes=%s", ",".join(unneeded))

    async def _instance(self) -> Mapping[str, Any]:
        http = self._context.http
        for version in ("v2", "v1"):
            response = await http.get(f"{self._options.base_url}/api/{version}/instance")
            if response.status == 200:
                document = response.json()
                return document if isinstance(document, Mapping) else {}
            error = error_for(response, http.now())
            if isinstance(error, Transient):
                raise error
        return {}

    async def _call(self, name: str, *args: Any, write: bool = False, **kwargs: Any) -> Any:
        if self._client is None:
            raise Transient("not logged in")
        answer = await self._client.call(name, *args, write=write, **kwargs)
        if not isinstance(answer, list if name == "account_statuses" else Mapping):
            said = f"{name}: an answer of another shape than documented"
            raise OutcomeUnknown(said) if write else Transient(said)
        return answer


def _receipt(status: Mapping[str, Any], files: list[Upload]) -> Receipt:
    return Receipt(
        remote_id=str(status["id"]),
        url=status.get("url"),
        uri=status.get("uri"),
        data=tuple((upload.url, upload.media_id) for upload in files),
    )


def _found(status: Mapping[str, Any], rendition: Rendition) -> Receipt:
    """The receipt of a status met again; its media are told apart by their order, when none was left out."""
    there = [str(one["id"]) for one in status.get("media_attachments") or []]
    urls = [attachment.url for attachment in rendition.attachments]
    data = tuple(zip(urls, there, strict=True)) if len(urls) == len(there) else ()
    return Receipt(remote_id=str(status["id"]), url=status.get("url"), uri=status.get("uri"), data=data)

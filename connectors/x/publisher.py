"""Writing to one account of X. The package's docstring is the manual page."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from connectors.x.answers import ADDRESS_HINT, PERMISSION_HINT, Duplicate
from connectors.x.limits import LIMITS
from connectors.x.memory import Account, Attempt, Memory
from connectors.x.uploads import Uploads, from_json, to_json
from connectors.x.wording import media_count, posted, same_text
from syndicator.contract import Context, Limits, Secret
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Transient, Unprepared, words
from syndicator.model import Attachment, Receipt, Rendition

if TYPE_CHECKING:
    from connectors.x.client import Client

CLOCK_SKEW = timedelta(minutes=5)
LISTED_AFTER = timedelta(hours=1)
"""By then a post that is there is in the timeline too."""
LOOKED_BACK = timedelta(days=3)
PAGE = 100
PAGES_MAX = 5


@dataclass(frozen=True, kw_only=True)
class XOptions:
    """Which account: the four strings of OAuth 1.0a, from console.x.com."""

    api_key: Secret
    """« API Key » (consumer key) of the app."""
    api_key_secret: Secret
    """« API Key Secret » of the app."""
    access_token: Secret
    """« Access Token » of the account, made after the app was given « Read and write »."""
    access_token_secret: Secret
    """« Access Token Secret » of the account."""
    api: str = "https://api.x.com"
    """Where X's API answers; only tests and the sandbox have another."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.api)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(
                words(
                    fr=f"« {self.api} » n'est pas une adresse : laissez api de côté, il vaut https://api.x.com.",
                    en=f"“{self.api}” is not an address: leave api out, it is https://api.x.com.",
                )
            )


class XPublisher:
    """Publishes to one account; see the package's docstring."""

    Options: ClassVar[type[XOptions]] = XOptions
    limits: Limits = LIMITS

    def __init__(self, options: XOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._client: Client | None = None
        self._memory = Memory(context.state_dir / "x.json")
        self._uploads = Uploads(context, self._opened)
        self._me: Account | None = None
        self.account: str | None = None

    async def open(self) -> None:
        """Learn whose strings these are, and whether they may post: asked once a day at most, because X charges a cent for it."""
        from connectors.x.client import Client, Keys

        options, now = self._options, self._context.now()
        keys = Keys(
            api_key=options.api_key,
            api_key_secret=options.api_key_secret,
            access_token=options.access_token,
            access_token_secret=options.access_token_secret,
        )
        self._client = Client(self._context.http, keys, options.api.rstrip("/"), self._memory.forget_account)
        mark = hashlib.sha256("\n".join([*keys.revealed, options.api]).encode()).hexdigest()
        day = f"{now.astimezone(UTC):%Y-%m-%d}"
        self._me = await self._memory.account(mark, day)
        if self._me is None:
            self._me = await self._ask_who(self._client)
            await self._memory.keep_account(mark, day, self._me)
        self.account = f"https://x.com/{self._me.username}"

    async def close(self) -> None:
        """Nothing to give back: the connections are not ours."""
        self._client = None

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:
        """Fetch one attachment as it will be uploaded."""
        await self._uploads.fetched(attachment, alone=len(rendition.attachments) == 1)

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002 - files have no parent
        """Upload and describe the media, and return their ids; what is never shown, X drops after a day."""
        _check_public(rendition)
        return to_json(await self._uploads.of(rendition, key))

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002 - no threads
        """Post once; media that will never do are left out, media not ready yet make it wait."""
        _check_public(rendition)
        files = await self._uploads.of(rendition, key) if prepared is None else from_json(prepared)
        media_ids = await self._uploads.settled(files, key)
        text = posted(rendition.text)
        if not text.strip() and not media_ids:
            raise Rejected("nothing is left to post")
        earlier = await self._memory.attempt(key)
        await self._memory.trying(key, self._context.now())
        try:
            data = await self._opened().create(text, media_ids)
        except Duplicate as error:
            return await self._there_already(error, rendition, key, prepared, earlier)
        except (Transient, AuthExpired, Rejected, Gone) as error:
            if earlier is None:
                await self._memory.failed(key)
            if isinstance(error, Unprepared):
                self._uploads.forget(key)
            raise
        if not data.get("id"):
            raise OutcomeUnknown("the answer names no post")
        self._uploads.forget(key)
        return await self._receipt(key, data)

    async def delete(self, receipt: Receipt) -> None:
        """Remove the post."""
        data = await self._opened().delete(receipt.remote_id)
        if data.get("deleted") is not True:
            raise OutcomeUnknown(f"X does not say that {receipt.remote_id} is removed")

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:
        """Look for it among the account's own posts, since the first attempt; each one that is read costs a tenth of a cent."""
        attempt = await self._memory.attempt(key)
        if attempt is not None and attempt.remote_id:
            return await self._receipt(key, {"id": attempt.remote_id})
        since = attempt.at if attempt else rendition.published_at or self._context.now() - LOOKED_BACK
        others = await self._memory.ids_of_others(key)
        media_max = len(rendition.attachments) if prepared is None else len(from_json(prepared))
        found = None
        async for post in self._own_since(since - CLOCK_SKEW):
            if str(post.get("id")) not in others and media_count(post) <= media_max and same_text(post, rendition.text):
                found = post
        return await self._receipt(key, found) if found else None

    async def _there_already(
        self, error: Duplicate, rendition: Rendition, key: str, prepared: str | None, earlier: Attempt | None
    ) -> Receipt:
        """X has the same words already: ours, if we tried before; else somebody's, which proves nothing about this delivery."""
        if earlier is None:
            await self._memory.failed(key)
            raise Rejected(error.detail, hint=error.hint) from error
        found = await self.find(key, rendition, prepared=prepared)
        if found is not None:
            return found
        if self._context.now() - earlier.at < LISTED_AFTER:
            raise OutcomeUnknown(f"{error.detail}; the timeline does not show it yet") from error
        raise Rejected(error.detail, hint=error.hint) from error

    async def _own_since(self, since: datetime) -> AsyncIterator[Mapping[str, Any]]:
        """Our own posts, newest first. https://docs.x.com/x-api/users/get-posts"""
        if self._me is None:
            raise Transient("not logged in")
        query = {
            "max_results": str(PAGE),
            "start_time": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "exclude": "replies,retweets",
            "post.fields": "attachments,created_at,entities",
        }
        for _ in range(PAGES_MAX):
            try:
                document = await self._opened().ask(f"/2/users/{self._me.id}/tweets", query)
            except (Rejected, Gone) as error:
                raise Transient(f"cannot tell: {error.detail}") from error
            for post in document.get("data") or []:
                yield post
            further = (document.get("meta") or {}).get("next_token")
            if not further:
                return
            query["pagination_token"] = str(further)
        raise Transient(f"cannot tell: more than {PAGES_MAX * PAGE} posts since {since:%Y-%m-%d %H:%M}")

    async def _ask_who(self, client: Client) -> Account:
        try:
            data, access = await client.me()
        except Gone as error:
            raise Rejected(error.detail, hint=ADDRESS_HINT) from error
        if access == "read":
            raise AuthExpired("the app may only read", hint=PERMISSION_HINT)
        if not data.get("id") or not data.get("username"):
            raise Rejected("X does not say whose strings these are", hint=ADDRESS_HINT)
        return Account(id=str(data["id"]), username=str(data["username"]))

    async def _receipt(self, key: str, data: Mapping[str, Any]) -> Receipt:
        post_id = str(data["id"])
        await self._memory.made(key, self._context.now(), post_id)
        name = self._me.username if self._me else "i"
        return Receipt(remote_id=post_id, url=f"https://x.com/{name}/status/{post_id}")

    def _opened(self) -> Client:
        if self._client is None:
            raise Transient("not logged in")
        return self._client


def _check_public(rendition: Rendition) -> None:
    if rendition.visibility not in ("public", "unlisted"):
        raise Rejected(f"a {rendition.visibility} item is not for publication")

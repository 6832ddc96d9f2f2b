"""The source: finds the account, learns what its server can do, and reads it by the API, or by its feed where that is closed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from connectors.mastodon.address import Identity, address_of, address_of_page, identify
from connectors.mastodon.api import ApiReader, Wishes
from connectors.mastodon.capabilities import FAMILY, Capabilities, discover
from connectors.mastodon.client import Client
from connectors.mastodon.parse import Reading
from connectors.mastodon.stream import EventStream, ServerEvent
from syndicator.contract import Context, Page, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, Rejected, Transient, words
from syndicator.model import Batch

if TYPE_CHECKING:
    from connectors.mastodon.rss import FeedReader

SHORT_STREAM = timedelta(minutes=1)
"""A stream that ends sooner than this is a fault, not a server that was restarted."""


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """Which account is read, and how."""

    account: str
    """The account to read: ``@name@server``, or the address of its page."""
    token: Secret | None = None
    """An access token, only where the server shows nothing without one, or to be told of news at once. Right needed: ``read:statuses``."""
    unlisted: bool = False
    """Read unlisted posts too; by default only public ones are."""
    boosts: bool = True
    """Read boosts too; routes carry those of the association's own other accounts, never those of strangers."""
    stream: bool = True
    """With a token, be told of news at once (Mastodon only); the account is still polled."""
    recheck: timedelta = timedelta(days=2)
    """How long after publication a post is still looked at for edits and deletions."""
    recheck_every: timedelta = timedelta(minutes=10)
    """How often that is done."""

    def __post_init__(self) -> None:
        address_of(self.account)


class MastodonSource:
    """Reads one account of Mastodon, GoToSocial, Pixelfed, Pleroma, Akkoma or Friendica."""

    Options: ClassVar[type[SourceOptions]] = SourceOptions

    def __init__(self, options: SourceOptions, context: Context) -> None:
        self.options = options
        self.context = context
        self.account: str | None = None
        """``user@host``, lower case, once open."""
        self._identity: Identity | None = None
        self._capabilities = Capabilities()
        self._client: Client | None = None
        self._reader: ApiReader | FeedReader | None = None
        self._stream: EventStream | None = None
        self._stream_since: datetime | None = None

    async def open(self) -> None:
        """Find the account and the way to read it."""
        http = self.context.http
        identity = await identify(http, address_of(self.options.account))
        self._identity = identity
        self._capabilities = await discover(http, identity.base_url)
        self._client = Client(identity.base_url, self.options.token, http)
        try:
            self._reader = await self._api_reader(self._client, identity)
        except AuthExpired:
            if self.options.token is not None:
                raise
            self._reader = await self._feed_reader(identity)
        self.account = identity.handle

    async def close(self) -> None:
        """Hang up."""
        await self._hang_up()
        if self._client is not None:
            await self._client.close()
            self._client = None
        self._reader = None

    async def fetch(self, cursor: str | None) -> Batch:
        """Public posts above the cursor, and recent ones again when that is due."""
        try:
            return await self._opened().fetch(cursor)
        except Gone as error:
            raise Rejected(error.detail, hint=NO_ACCOUNT) from error

    async def read(self, ids: Sequence[str]) -> Batch:
        """Posts by uid, as they are now."""
        return await self._opened().read(ids)

    async def wait(self) -> None:
        """Return when the account has news, on a connection kept between calls."""
        reader = self._opened()
        if not isinstance(reader, ApiReader):
            raise Rejected("a feed cannot be listened to")
        if self._stream is None:
            # Nothing is replayed: whatever happened while nobody listened is found by one look.
            self._stream = await self._listening()
            self._stream_since = self.context.now()
            reader.recheck_soon()
            return
        event = await self._stream.next()
        while event is not None:
            if _concerns(event, reader):
                return
            event = await self._stream.next()
        await self._hang_up()
        if self._stream_since is None or self.context.now() - self._stream_since < SHORT_STREAM:
            raise Transient("the stream ended at once")

    @classmethod
    def recognise(cls, page: Page) -> Mapping[str, Any] | None:
        """The account whose page, post or feed this is, on a server of this family."""
        if page.software not in FAMILY:
            return None
        address = address_of_page(page.url) or address_of_page(page.asked_url)
        if address is None:
            return None
        slash = "" if page.software in ("pixelfed", "pleroma", "akkoma") else "profile/" if page.software == "friendica" else "@"
        return {"account": f"{address.base_url}/{slash}{address.user}"}

    def _opened(self) -> ApiReader | FeedReader:
        if self._reader is None:
            raise Transient("the source is not open")
        return self._reader

    async def _api_reader(self, client: Client, identity: Identity) -> ApiReader:
        try:
            account = await client.call("account_lookup", identity.user)
        except Gone as error:
            raise Rejected(error.detail, hint=NO_ACCOUNT) from error
        if not isinstance(account, Mapping) or not account.get("id"):
            raise Transient(f"{identity.base_url} answered something else than an account")
        account_id = str(account["id"])
        if self.options.token is None:
            # Some servers show accounts to strangers, but not what they write.
            await client.call("account_statuses", account_id, limit=1)
        options = self.options
        return ApiReader(
            client=client,
            http=self.context.http,
            base_url=identity.base_url,
            token=options.token,
            reading=Reading(account_id=account_id, domain=identity.domain, capabilities=self._capabilities),
            wishes=Wishes(unlisted=options.unlisted, boosts=options.boosts, recheck=options.recheck, recheck_every=options.recheck_every),
            log=self.context.log,
        )

    async def _feed_reader(self, identity: Identity) -> FeedReader:
        # feedparser takes 15 MB: only where a feed is read.
        from connectors.mastodon.rss import FeedReader

        reader = FeedReader(
            http=self.context.http,
            identity=identity,
            capabilities=self._capabilities,
            unlisted=self.options.unlisted,
            log=self.context.log,
        )
        await reader.open()
        return reader

    async def _listening(self) -> EventStream:
        token, identity = self.options.token, self._identity
        if token is None or identity is None or not self.options.stream or self._capabilities.stream != "sse":
            raise Rejected("this account cannot be listened to")
        url = f"{await self._streaming_base(identity)}/api/v1/streaming/user"
        http = self.context.http
        private = (urlsplit(url).hostname or "").lower() in http.allow_private
        stream = EventStream(url, token, private=private, user_agent=http.user_agent)
        await stream.open()
        return stream

    async def _streaming_base(self, identity: Identity) -> str:
        """Large servers stream from a host of its own (``configuration.urls.streaming``)."""
        response = await self.context.http.get(f"{identity.base_url}/api/v2/instance")
        told = ""
        with suppress(ConnectorError, TypeError, KeyError):
            told = str(response.json()["configuration"]["urls"]["streaming"]) if response.status == 200 else ""
        parts = urlsplit(told)
        if parts.scheme not in ("wss", "ws") or not parts.hostname:
            return identity.base_url
        return told.rstrip("/").replace("ws", "http", 1)

    async def _hang_up(self) -> None:
        if self._stream is not None:
            await self._stream.close()
            self._stream = None


def _concerns(event: ServerEvent, reader: ApiReader) -> bool:
    """Whether a home timeline's event is about the account: all whom it follows speak there too."""
    if event.name == "delete":
        known = reader.knows(event.data.strip())
        if known:
            reader.recheck_soon()
        return known
    if event.name not in ("update", "status.update"):
        return False
    try:
        own = str(json.loads(event.data)["account"]["id"]) == reader.account_id
    except (ValueError, TypeError, KeyError):
        return True
    if own and event.name == "status.update":
        reader.recheck_soon()
    return own


NO_ACCOUNT = words(
    fr="Ce compte n'existe pas (ou plus) sur ce serveur : vérifiez account.",
    en="That account does not exist (any more) on that server: check account.",
)

"""Any website that has an RSS, Atom or JSON Feed: the way to read WordPress and everything that has no connector of its own.

What it does: fetches the feed, and turns each item into a post with its title, text, picture (with its alt text where the feed gives
one), tags, author, language and date. It reads RSS 0.9 to 2.0, Atom and JSON Feed, well-formed or not; WordPress's featured image or
first picture (never its emoji or counters); Pixelfed's and Mastodon's own feeds, with their alt texts. Of a WordPress site it reads
further pages of the feed when more was written between two polls than one page holds. An article with a password, which WordPress
lists with a form for its text, is never mirrored; one that gets a password is removed where it was.

Credential: none; a feed that needs a password cannot be read.

Cost: one request per poll, answered "304 not modified" when nothing changed; every six hours the whole feed, because WordPress says 304
of an article that comes out behind a newer one. Only when the feed really changed is it parsed, in a process of its own (0.1 to 0.3 s of
CPU and 20 to 35 MB for that moment): a feed is a stranger's document, and one made to hurt is killed after 15 seconds at most and costs
this daemon nothing. At most 2 MB and 500 items are read, of WordPress ten such pages.

What it cannot do: a feed shows the last ten items or so. What comes and goes between two polls is not seen, an item that is no
longer in it is not taken for deleted, and edits are followed only as long as the item is there. An item without a date has none here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from connectors.feed.apart import Refusals, plain
from connectors.feed.known import Known, hashed, known_from, names_of, validators
from connectors.feed.posts import locked_in, posts_from
from connectors.feed.recognition import feed_url_on, is_something_else
from syndicator.contract import Context, Page
from syndicator.errors import AuthExpired, Gone, Rejected, Transient, words
from syndicator.http import FEED_MAX_BYTES, Response, error_for
from syndicator.model import Batch, Post, Tombstone

FRESH = timedelta(minutes=1)
"""How long what ``open`` fetched may serve the first ``fetch``."""
WHOLE_EVERY = timedelta(hours=6)
"""How long a site is believed that nothing changed. WordPress's validators know of dates only: an article that was due before the
newest one and comes out after it changes neither."""
PAGES_MAX = 10
"""How many pages of a WordPress feed one look reads at most."""
OWED_MAX = 3
"""How often further pages that could not be had are asked for again."""

NOT_A_FEED = words(
    fr="Cette adresse ne mène pas à un flux RSS, Atom ou JSON Feed. Sur un site WordPress, essayez d'ajouter /feed/ à l'adresse du site.",
    en="This address does not lead to an RSS, Atom or JSON feed. On a WordPress site, try adding /feed/ to the site's address.",
)
GONE_FOR_GOOD = words(
    fr="Le site dit que ce flux a été supprimé pour de bon : cherchez sa nouvelle adresse, ou retirez cette source.",
    en="The site says that this feed was removed for good: find its new address, or remove this source.",
)
LOCKED = words(
    fr="Le site refuse de montrer ce flux aux visiteurs : demandez aux personnes qui l'administrent de l'ouvrir.",
    en="The site refuses to show this feed to visitors: ask the people who run it to open it.",
)


@dataclass(frozen=True, kw_only=True)
class FeedOptions:
    """What the configuration says."""

    url: str
    """The address of the feed itself, such as ``https://asso.example/feed/``."""
    kind: Literal["article", "note", "image", "video", "audio"] = "article"
    """What its items are: decides how they are shown (an article by title and link, a note by its text, an image by its pictures)."""
    full_text: bool = True
    """Carry the whole text where the feed has it; with ``false``, its summary only."""
    author: str | None = None
    """The name to show as the author, instead of the one in the feed."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(words(
                fr=f"« {self.url} » n'est pas une adresse de flux ; elle commence par https:// ou http://.",
                en=f"“{self.url}” is not the address of a feed; one begins with https:// or http://.",
            ))  # fmt: skip


class FeedSource:
    """Reads one feed."""

    Options: ClassVar[type[Any]] = FeedOptions

    def __init__(self, options: FeedOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._opened: tuple[datetime, Response] | None = None
        self._latest: tuple[str, Known] | None = None
        """Cursor → what was learnt since without any news, so that nothing needs to be stored for it."""
        self._whole_at: datetime | None = None
        """When the feed was last read whole."""
        self._moved_to: str | None = None
        self.account: str | None = None

    async def open(self) -> None:
        """Check that there is a feed; the answer serves the first ``fetch``. Raises Rejected when it is something else."""
        response = await self._get({})
        if is_something_else(response.body):
            raise _not_a_feed(response)
        self._opened = (self._context.now(), response)
        self.account = self._options.url

    async def close(self) -> None:
        """Forget what was fetched."""
        self._opened = None

    async def fetch(self, cursor: str | None) -> Batch:
        """Every item of the feed when any of them changed; nothing otherwise."""
        known = self._known(cursor)
        response = await self._look(known)
        if response is None:
            return Batch()
        etag, modified = validators(response.headers, self._context.now())
        seen = replace(known, url=response.url, etag=etag, modified=modified, body=hashed(response.body))
        if cursor is not None and seen.body == known.body:
            self._latest = (cursor, seen)
            return Batch()
        feed = await self._read(response, seen.body, first=cursor is None)
        posts, locked = await self._understood(feed)
        seen = replace(seen, items=hashed(repr((posts, locked)).encode()))
        if cursor is not None and seen.items == known.items:
            self._latest = (cursor, replace(seen, names=known.names))
            return Batch()
        if _is_wordpress(feed):
            uids = [*(post.uid for post in posts), *locked]
            seen = replace(seen, names=names_of(uids))
            if uids and not known.holds(uids):
                older, also_locked, reached = await self._older(response.url, known, uids)
                posts, locked = (*posts, *older), (*locked, *also_locked)
                seen = seen if reached or known.owed >= OWED_MAX else seen.owing(known)
        gone = tuple(Tombstone(uid=uid, certain=True) for uid in locked)
        return Batch(changed=posts, gone=gone, cursor=seen.cursor())

    @classmethod
    def recognise(cls, page: Page) -> Mapping[str, Any] | None:
        """A feed, or a page that announces one; services with a connector of their own only where the feed itself was asked for."""
        url = feed_url_on(page)
        return {"url": url} if url else None

    def _known(self, cursor: str | None) -> Known:
        if self._latest and self._latest[0] == cursor:
            return self._latest[1]
        return known_from(cursor, hashed(repr(self._options).encode()))

    async def _look(self, known: Known) -> Response | None:
        """The feed, or None when it has not changed. Validators of one address say nothing of another."""
        now = self._context.now()
        opened, self._opened = self._opened, None
        if opened and now - opened[0] <= FRESH:
            self._whole_at = opened[0]
            return opened[1]
        believed = self._whole_at is not None and now - self._whole_at < WHOLE_EVERY
        response = await self._get(known.conditions() if believed else {})
        if response.status == 304 and response.url == known.url:
            return None
        self._whole_at = now
        return response if response.status != 304 else await self._get({})

    async def _get(self, headers: Mapping[str, str], *, url: str | None = None) -> Response:
        accept = (
            "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
        )
        response = await self._context.http.get(url or self._options.url, headers={"Accept": accept, **headers}, max_bytes=FEED_MAX_BYTES)
        error = error_for(response, self._context.now())
        if isinstance(error, Gone):
            raise Rejected(error.detail, hint=GONE_FOR_GOOD)
        if isinstance(error, AuthExpired):
            raise AuthExpired(error.detail, hint=LOCKED)
        if isinstance(error, Rejected):
            raise Rejected(error.detail, hint=NOT_A_FEED)
        if error:
            raise error
        if url is None and response.moved_to and response.moved_to != self._moved_to:
            self._moved_to = response.moved_to
            self._context.log.warning("the feed moved for good: change url to %s", response.moved_to)
        return response

    async def _read(self, response: Response, body: str, *, first: bool) -> dict[str, Any]:
        """The feed as plain data; raises Rejected, or Transient where there was a feed before."""
        refusals = Refusals(path=self._context.state_dir / "refused.json", now=self._context.now())
        refusals.check(body)
        try:
            feed = await plain(response)
        except Rejected as error:
            refusals.keep(body, error)
            raise
        if not feed["version"] and not feed["entries"]:
            # A site under maintenance answers with a page: what was a feed before may be one again.
            raise _not_a_feed(response) if first else Transient(f"{response.url} is not a feed at the moment", hint=NOT_A_FEED)
        return feed

    async def _understood(self, feed: Mapping[str, Any]) -> tuple[tuple[Post, ...], tuple[str, ...]]:
        """The posts, and the uids of those that only a password shows."""
        options = self._options
        posts = await asyncio.to_thread(
            posts_from, feed, url=options.url, kind=options.kind, full_text=options.full_text, author=options.author
        )
        return posts, locked_in(feed, url=options.url)

    async def _older(self, url: str, known: Known, uids: Sequence[str]) -> tuple[list[Post], list[str], bool]:
        """What slid off the first page of a WordPress feed unseen: its further pages, down to one that holds something known.

        False when a page could not be had this time.
        """
        seen, posts, locked = set(uids), list[Post](), list[str]()
        for number in range(2, PAGES_MAX + 1):
            try:
                response = await self._get({}, url=_page_url(url, number))
                more, hidden = await self._understood(await plain(response))
            except Transient:
                return posts, locked, False
            except (AuthExpired, Rejected):
                # 404 is how the pages end.
                break
            fresh = {uid for uid in (*(post.uid for post in more), *hidden) if uid not in seen}
            posts += [post for post in more if post.uid in fresh]
            locked += [uid for uid in hidden if uid in fresh]
            if not fresh or known.holds(fresh):
                break
            seen |= fresh
        return posts, locked, True


def _is_wordpress(feed: Mapping[str, Any]) -> bool:
    return "wordpress" in str(feed.get("generator")).lower()


def _page_url(url: str, number: int) -> str:
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "paged"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("paged", str(number))])))


def _not_a_feed(response: Response) -> Rejected:
    return Rejected(f"{response.url} is {response.content_type or 'of no declared type'}, not a feed", hint=NOT_A_FEED)

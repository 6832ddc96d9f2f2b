"""Any website that has an RSS, Atom or JSON Feed: the way to read WordPress and everything that has no connector of its own.

What it does: fetches the feed, and turns each item into a post with its title, text, picture (with its alt text where the feed gives
one), tags, author, language and date. It reads RSS 0.9 to 2.0, Atom and JSON Feed, well-formed or not; WordPress's featured image or
first picture (never its emoji or counters); Pixelfed's and Mastodon's own feeds, with their alt texts.

Credential: none; a feed that needs a password cannot be read.

Cost: one request per poll, answered "304 not modified" when nothing changed. Only when the feed really changed is it parsed, in a
process of its own (0.1 to 0.3 s of CPU and 20 to 35 MB for that moment): a feed is a stranger's document, and one made to hurt is
killed after 15 seconds at most and costs this daemon nothing. At most 2 MB and 500 items are read.

What it cannot do: a feed shows the last ten items or so. What comes and goes between two polls is not seen, an item that is no
longer in it is not taken for deleted, and edits are followed only as long as the item is there. An item without a date has none here.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from connectors.feed.jsonfeed import parsed_json
from connectors.feed.posts import posts_from
from connectors.feed.recognition import feed_url_on, is_something_else
from syndicator.contract import Context, Page
from syndicator.errors import AuthExpired, Gone, Rejected, Transient, words
from syndicator.http import FEED_MAX_BYTES, Response, error_for
from syndicator.model import Batch, Post

PARSE_MAX_S = 15.0
REFUSED_FOR = timedelta(days=1)
"""A body that could not be parsed is tried again after that: it may have been this machine that was slow."""
FRESH = timedelta(minutes=1)
"""How long what ``open`` fetched may serve the first ``fetch``."""

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
HOSTILE = words(
    fr="Ce flux est anormal (trop gros, trop imbriqué, trop long à lire) : il n'a pas été lu. Prévenez les personnes qui tiennent le site.",
    en="This feed is abnormal (too large, too deeply nested or too long to read): it was not read. Tell the people who run the site.",
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


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the last look left behind; ``url`` is where redirects led, for validators belong to that address."""

    options: str = ""
    """Hash of the options that shaped the posts: with others, the feed is read anew."""
    url: str = ""
    etag: str = ""
    modified: str = ""
    body: str = ""
    """Hash of the bytes: an unchanged body is not parsed again."""
    items: str = ""
    """Hash of the posts: a feed that only says it was built again is no news."""


class FeedSource:
    """Reads one feed."""

    Options: ClassVar[type[Any]] = FeedOptions

    def __init__(self, options: FeedOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._opened: tuple[datetime, Response] | None = None
        self._latest: tuple[str, _Known] | None = None
        """Cursor → what was learnt since without any news, so that nothing needs to be stored for it."""
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
        seen = _Known(
            options=known.options,
            url=response.url,
            etag=response.headers.get("ETag", ""),
            modified=response.headers.get("Last-Modified", ""),
            body=_hash(response.body),
            items=known.items,
        )
        if cursor is not None and seen.body == known.body:
            self._latest = (cursor, seen)
            return Batch()
        posts = await self._posts(response, seen.body, first=cursor is None)
        items = _hash(repr(posts).encode())
        if cursor is not None and items == known.items:
            self._latest = (cursor, seen)
            return Batch()
        return Batch(changed=posts, cursor=json.dumps({**vars(seen), "items": items}))

    @classmethod
    def recognise(cls, page: Page) -> Mapping[str, Any] | None:
        """A feed, or a page that announces one; services with a connector of their own only where the feed itself was asked for."""
        url = feed_url_on(page)
        return {"url": url} if url else None

    def _known(self, cursor: str | None) -> _Known:
        if self._latest and self._latest[0] == cursor:
            return self._latest[1]
        options = _hash(repr(self._options).encode())
        try:
            known = _Known(**json.loads(cursor or "{}"))
        except (ValueError, TypeError):
            known = _Known()
        return known if known.options == options else _Known(options=options)

    async def _look(self, known: _Known) -> Response | None:
        """The feed, or None when it has not changed. Validators of one address say nothing of another."""
        opened, self._opened = self._opened, None
        if opened and self._context.now() - opened[0] <= FRESH:
            return opened[1]
        response = await self._get(_conditions(known))
        if response.status != 304:
            return response
        return None if response.url == known.url else await self._get({})

    async def _get(self, headers: Mapping[str, str]) -> Response:
        accept = (
            "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
        )
        response = await self._context.http.get(self._options.url, headers={"Accept": accept, **headers}, max_bytes=FEED_MAX_BYTES)
        error = error_for(response, self._context.now())
        if isinstance(error, Gone):
            raise Rejected(error.detail, hint=GONE_FOR_GOOD)
        if isinstance(error, AuthExpired):
            raise AuthExpired(error.detail, hint=LOCKED)
        if isinstance(error, Rejected):
            raise Rejected(error.detail, hint=NOT_A_FEED)
        if error:
            raise error
        if response.moved_to and response.moved_to != self._moved_to:
            self._moved_to = response.moved_to
            self._context.log.warning("the feed moved for good: change url to %s", response.moved_to)
        return response

    async def _posts(self, response: Response, body: str, *, first: bool) -> tuple[Post, ...]:
        refused = self._refused()
        if refused.get("body") == body:
            raise Rejected(refused["fault"], hint=HOSTILE)
        feed = parsed_json(response.body) if response.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else None
        try:
            feed = feed or await _parsed_apart(response)
        except Rejected as error:
            until = (self._context.now() + REFUSED_FOR).isoformat()
            self._refused_path.write_text(json.dumps({"body": body, "fault": error.detail, "until": until}))
            raise
        if not feed["version"] and not feed["entries"]:
            # A site under maintenance answers with a page: what was a feed before may be one again.
            raise _not_a_feed(response) if first else Transient(f"{response.url} is not a feed at the moment", hint=NOT_A_FEED)
        options = self._options
        return await asyncio.to_thread(
            posts_from, feed, url=options.url, kind=options.kind, full_text=options.full_text, author=options.author
        )

    @property
    def _refused_path(self) -> Path:
        return self._context.state_dir / "refused.json"

    def _refused(self) -> dict[str, str]:
        """Hash and fault of the last body that could not be parsed: one bad body costs one parse a day, also after a restart."""
        try:
            refused: dict[str, str] = json.loads(self._refused_path.read_bytes())
            fresh = datetime.fromisoformat(refused["until"]) > self._context.now()
        except (OSError, ValueError, TypeError, KeyError):
            return {}
        return refused if fresh else {}


async def _parsed_apart(response: Response) -> dict[str, Any]:
    """What ``parser.py`` makes of the body, in a process that is killed when it takes too long; raises Rejected."""
    if is_something_else(response.body):
        return {"version": "", "entries": []}
    arguments = json.dumps({"url": response.url, "content_type": response.headers.get("Content-Type", "")})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        str(Path(__file__).with_name("parser.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        # Nothing of our environment, which may hold credentials, but where the packages are.
        env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONIOENCODING": "utf-8"},
    )
    try:
        async with asyncio.timeout(PARSE_MAX_S):
            answer, _ = await process.communicate(arguments.encode() + b"\n" + response.body)
    except TimeoutError as error:
        raise Rejected(f"{response.url} takes more than {PARSE_MAX_S:.0f} s to read", hint=HOSTILE) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Rejected(f"{response.url} cannot be read: the parser ended with {process.returncode}", hint=HOSTILE)
    feed: dict[str, Any] = json.loads(answer)
    if "refused" in feed:
        raise Rejected(f"{response.url} is refused: {feed['refused']}", hint=HOSTILE)
    return feed


def _conditions(known: _Known) -> dict[str, str]:
    conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.modified}
    return {name: value for name, value in conditions.items() if value}


def _not_a_feed(response: Response) -> Rejected:
    return Rejected(f"{response.url} is {response.content_type or 'of no declared type'}, not a feed", hint=NOT_A_FEED)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]

"""Reading an account's feed, where its API is closed to strangers and there is no token.

A feed gives the newest posts without boosts, replies or alt texts of later pictures (Pixelfed). Its entries get the uid that the API would
give them, so that a token added later changes no identity. Mastodon's feed holds the unlisted posts too and does not mark them: each
post is asked for once by its ActivityPub id, and one that the origin will not speak of is taken for not public.
"""

from __future__ import annotations

import asyncio
import calendar
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from logging import Logger
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import feedparser
from selectolax.lexbor import LexborHTMLParser

from connectors.mastodon import objects
from connectors.mastodon.address import Identity
from connectors.mastodon.capabilities import Capabilities
from syndicator.errors import AuthExpired, Rejected, Transient, words
from syndicator.http import FEED_MAX_BYTES, Http, Response, error_for
from syndicator.model import Actor, Attachment, AttachmentType, Batch, Post, Tombstone
from syndicator.text.html import HTML_MAX
from syndicator.text.urls import web_url

DEPTH_MAX = 200
ENTRIES_MAX = 200
MEDIA = "{http://search.yahoo.com/mrss/}"
ATOM = "{http://www.w3.org/2005/Atom}"
NEEDS_TOKEN = words(
    fr="Ce serveur ne montre rien sans jeton : sur ce compte, créez une application qui n'a que le droit read:statuses "
    "(Préférences → Développement) et donnez son jeton dans token.",
    en="This server shows nothing without a token: on that account, create an application with the right read:statuses only "
    "(Preferences → Development) and give its token as token.",
)

_PAGE = re.compile(r"/@[^/]+/(?:statuses/)?([0-9A-Za-z]+)$")
# app/helpers/formatting_helper.rb, rss_content_preroll: the label is translated, its shape is not.
_WARNING = re.compile(r"\s*<p><strong>[^<]*</strong>([^<]*)</p>\s*<hr\s*/?>\s*")


@dataclass(frozen=True, kw_only=True)
class _Media:
    attachments: tuple[Attachment, ...] = ()
    adult: bool = False


class FeedReader:
    """One account's feed."""

    def __init__(self, *, http: Http, identity: Identity, capabilities: Capabilities, unlisted: bool, log: Logger) -> None:
        self._http = http
        self._identity = identity
        self._capabilities = capabilities
        self._unlisted = unlisted
        self._log = log
        self._visibility: dict[str, objects.Answer] = {}

    @property
    def url(self) -> str | None:
        """Where the feed is, on servers known to have one."""
        path = self._capabilities.feed
        return f"{self._identity.base_url}{path.format(name=self._identity.user)}" if path else None

    async def open(self) -> None:
        """Make sure that the feed can be read. Raises AuthExpired when a token is the only way."""
        posts = await self._posts(await self._get({}))
        asks = self._capabilities.feed_has_unlisted and not self._unlisted
        if asks and posts and await objects.ask(self._http, posts[0].uid) == "unknown":
            raise AuthExpired(f"{self._identity.base_url} does not say which posts are public", hint=NEEDS_TOKEN)

    async def fetch(self, cursor: str | None) -> Batch:
        """Everything in the feed that is public, unless it has not changed."""
        response = await self._get(_conditions(cursor, self.url))
        if response.status == 304:
            return Batch(cursor=cursor)
        posts = [shown for post in await self._posts(response) if (shown := await self._marked(post)) is not None]
        dates = [post.published_at for post in posts if post.published_at]
        tags = {"ETag": "etag", "Last-Modified": "modified"}
        state = {"feed": self.url} | {name: response.headers[header] for header, name in tags.items() if header in response.headers}
        return Batch(
            changed=tuple(posts),
            cursor=json.dumps(state, separators=(",", ":")),
            complete=len(dates) == len(posts) > 0,
            complete_since=min(dates, default=None),
        )

    async def read(self, ids: Sequence[str]) -> Batch:
        """Each of ``ids`` by its ActivityPub id."""
        gone, present = [], set()
        for uid in dict.fromkeys(ids):
            answer = await objects.ask(self._http, uid)
            if isinstance(answer, Tombstone):
                gone.append(answer)
            elif answer == "public" or (answer == "unlisted" and self._unlisted):
                present.add(uid)
        return Batch(gone=tuple(gone), present=frozenset(present))

    async def _marked(self, post: Post) -> Post | None:
        """The post with its visibility, asked for once; None when it may not be shown. What is not known is not public."""
        if not self._capabilities.feed_has_unlisted:
            return post
        if post.uid not in self._visibility:
            answer = await objects.ask(self._http, post.uid)
            self._visibility[post.uid] = "private" if isinstance(answer, Tombstone) else answer
        if self._visibility[post.uid] == "public":
            return post
        listed_nowhere = self._visibility[post.uid] in ("unlisted", "unknown")
        return replace(post, visibility="unlisted") if self._unlisted and listed_nowhere else None

    async def _get(self, headers: Mapping[str, str]) -> Response:
        if self.url is None:
            raise AuthExpired(f"{self._identity.base_url} is closed to strangers and has no known feed", hint=NEEDS_TOKEN)
        response = await self._http.get(self.url, headers=headers, max_bytes=FEED_MAX_BYTES)
        if response.status in (401, 403, 404, 406, 410):
            raise AuthExpired(f"{self.url} answered {response.status}, and the API is closed to strangers", hint=NEEDS_TOKEN)
        error = error_for(response, self._http.now())
        if error is not None:
            raise error
        return response

    async def _posts(self, response: Response) -> list[Post]:
        parsed = await asyncio.to_thread(posts_from_feed, response.body, response.headers.get("Content-Type", ""), self._identity)
        if self._capabilities.pictures:
            return [_picture(post) for post in parsed]
        return [_warned(post) for post in parsed]


def _conditions(cursor: str | None, url: str | None) -> dict[str, str]:
    try:
        state = json.loads(cursor or "{}")
        same = state.get("feed") == url
    except (ValueError, AttributeError):
        return {}
    headers = {"If-None-Match": state.get("etag"), "If-Modified-Since": state.get("modified")}
    return {name: str(value) for name, value in headers.items() if value} if same else {}


def posts_from_feed(body: bytes, content_type: str, identity: Identity) -> list[Post]:
    """The posts of an account's RSS or Atom feed. Raises Transient for what is no feed, Rejected for what is hostile."""
    _check_depth(body)
    # Always a stream: text or bytes would be taken for an address or a file's name.
    feed = feedparser.parse(
        io.BytesIO(body), response_headers={"content-type": content_type}, sanitize_html=False, resolve_relative_uris=False
    )
    if not feed.get("version"):
        raise Transient(f"{identity.base_url} answered something else than a feed")
    media = _media_by_guid(body)
    author = Actor(name=_name(feed.feed, identity), url=web_url(str(feed.feed.get("link") or "")), handle=identity.handle)
    posts = [_post(entry, media, author, identity) for entry in feed.entries[:ENTRIES_MAX]]
    return [post for post in posts if post is not None]


def _name(feed: Mapping[str, Any], identity: Identity) -> str:
    title = unescape(str(feed.get("title") or "")).strip()
    return identity.user if not title or title.endswith(f" on {identity.domain}") else title


def _check_depth(body: bytes) -> None:
    """feedparser's time grows with the square of the depth; expat, which it uses too, counts in milliseconds."""
    depth = deepest = 0

    def start(*_: object) -> None:
        nonlocal depth, deepest
        depth += 1
        deepest = max(deepest, depth)
        if depth > DEPTH_MAX:
            raise Rejected(f"a feed nested more than {DEPTH_MAX} deep")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Transient(f"not a whole feed: {error}") from error


def _media_by_guid(body: bytes) -> dict[str, _Media]:
    """The attachments of each entry with their alt texts, which feedparser takes apart (and shows the first as the entry's content)."""
    root = ElementTree.fromstring(body)  # noqa: S314 - bounded in size and depth; expat limits entities
    found = {}
    for item in (*root.iter("item"), *root.iter(f"{ATOM}entry")):
        guid = item.findtext("guid") or item.findtext(f"{ATOM}id") or ""
        contents = list(item.iter(f"{MEDIA}content"))
        adult = any((content.findtext(f"{MEDIA}rating") or "") == "adult" for content in contents)
        found[guid.strip()] = _Media(attachments=tuple(_attachments(contents)), adult=adult)
    return found


def _attachments(contents: Iterable[ElementTree.Element]) -> Iterable[Attachment]:
    for content in contents:
        url = web_url(content.get("url") or "")
        if url is None:
            continue
        media_type = content.get("type") or ""
        thumbnail = content.find(f"{MEDIA}thumbnail")
        size = content.get("fileSize") or ""
        yield Attachment(
            url=url,
            type=_type(media_type, content.get("medium") or ""),
            description=(content.findtext(f"{MEDIA}description") or "").strip(),
            media_type=media_type or None,
            size_bytes=int(size) if size.isdigit() else None,
            preview_url=web_url(thumbnail.get("url") or "") if thumbnail is not None else None,
        )


def _type(media_type: str, medium: str) -> AttachmentType:
    # Mastodon calls the silent loop that a GIF became an image, and its file a video.
    if medium == "image" and media_type.startswith("video/"):
        return "gifv"
    for kind in ("image", "video", "audio"):
        if medium == kind or media_type.startswith(f"{kind}/"):
            return kind
    return "unknown"


def _post(entry: Mapping[str, Any], media: Mapping[str, _Media], author: Actor, identity: Identity) -> Post | None:
    guid, link = str(entry.get("id") or ""), web_url(str(entry.get("link") or ""))
    if not (guid or link):
        return None
    own = media.get(guid, _Media())
    uid = _uid(guid or str(link), identity)
    return Post(
        uid=uid,
        url=link or web_url(guid) or uid,
        html=_html(entry),
        sensitive=own.adult,
        published_at=_instant(entry),
        author=author,
        tags=tuple(dict.fromkeys(str(tag["term"]).lstrip("#") for tag in entry.get("tags") or () if tag.get("term"))),
        attachments=own.attachments,
    )


def _uid(guid: str, identity: Identity) -> str:
    """The ActivityPub id: Mastodon's and GoToSocial's feeds name the page instead, which differs."""
    page = _PAGE.search(guid)
    return f"{identity.actor_url}/statuses/{page[1]}" if page and identity.actor_url else guid


def _html(entry: Mapping[str, Any]) -> str:
    # feedparser lends ``content`` to the first media:description, as text/plain: an alt text is not the post.
    bodies = [part for part in entry.get("content") or () if part.get("type") in ("text/html", "application/xhtml+xml")]
    return str(bodies[0].get("value") or "") if bodies else str(entry.get("summary") or "")


def _instant(entry: Mapping[str, Any]) -> datetime | None:
    parsed = entry.get("published_parsed") or entry.get("updated_parsed")
    return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None


def _warned(post: Post) -> Post:
    """Mastodon opens the text with the content warning; it gets its own field back."""
    warning = _WARNING.match(post.html)
    if warning is None:
        return post
    return replace(post, html=post.html[warning.end() :], content_warning=unescape(warning[1]).strip())


def _picture(post: Post) -> Post:
    """Pixelfed opens the text with the picture; its alt text is there alone."""
    body = LexborHTMLParser(post.html[:HTML_MAX]).body
    image = body.css_first("img") if body is not None else None
    if body is None or image is None:
        return replace(post, kind="image" if post.attachments else "note")
    url = web_url(image.attributes.get("src") or "")
    alt = (image.attributes.get("alt") or "").strip()
    image.decompose()
    attachments = post.attachments or ((Attachment(url=url),) if url else ())
    described = tuple(replace(one, description=one.description or alt) if one.url == url else one for one in attachments)
    return replace(post, kind="image", html=body.inner_html or "", attachments=described)

"""A small WordPress site, and feeds of other makers beside it.

RSS 2.0 and Atom after WordPress's own templates (``wp-includes/feed-rss2.php``, ``feed-atom.php``), its conditional GET
(``WP::send_headers``: the ETag is a hash of the newest modification), its emoji and its protected posts, all compared with a WordPress
6.5.5 (``./run interop``); a JSON Feed as its plugin writes it; Pixelfed's Atom after its
template, with the end tag that is missing there.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from typing import Any, Literal

from aiohttp import web

from syndicator.sandbox.server import Simulator

PER_FEED = 10
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wfw="http://wellformedweb.org/CommentAPI/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/" '
    'xmlns:media="http://search.yahoo.com/mrss/"'
)
VERSION = "6.5.5"
_EMOJI = re.compile("[\U0001f300-\U0001faff]")


@dataclass(frozen=True, kw_only=True)
class Article:
    """A WordPress post; only what is published leaves the site."""

    id: int
    slug: str
    title: str
    content: str
    excerpt: str
    status: Literal["publish", "draft", "private", "future"]
    author: str
    categories: tuple[str, ...]
    featured: str | None
    """Path of the featured image, for sites with a plugin that puts it into the feed."""
    password: str
    """With one, the post is published and in the feed, but without its text."""
    published_at: datetime
    modified_at: datetime


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A post of the Pixelfed-like account."""

    id: int
    caption: str
    picture: str
    alt: str
    published_at: datetime


class FeedSimulator(Simulator):
    """The site; ``bodies`` are served as they are, for whatever a stranger's server may send."""

    def __init__(self, *, now: Callable[[], datetime] | None = None, title: str = "Les Amis du Vélo", full_text: bool = True) -> None:
        super().__init__(now=now)
        self.title = title
        self.full_text = full_text
        self.articles: dict[int, Article] = {}
        self.photos: list[Photo] = []
        self.bodies: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.redirects: dict[str, tuple[int, str]] = {"/feed": (301, "/feed/")}
        self._last_id = 100
        route = self.app.router.add_get
        route("/", self._home)
        route("/feed/", self._rss)
        route("/feed/atom/", self._atom)
        route("/comments/feed/", self._comments)
        route("/feed.json", self._json_feed)
        route("/users/{name}.atom", self._pixelfed)
        route("/endless", self._endless)
        route("/{path:.*}", self._anything)

    # The world

    def publish(self, title: str, content: str = "", *, at: datetime | None = None, **fields: Any) -> Article:
        """Write an article; ``fields`` are those of ``Article``."""
        self._last_id += 1
        at = at or self.now()
        known: dict[str, Any] = {
            "id": self._last_id,
            "slug": re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or str(self._last_id),
            "title": title,
            "content": content or f"<p>{escape(title)}, en détail.</p>",
            "excerpt": f"{title}, en bref.",
            "status": "publish",
            "author": "Camille",
            "categories": ("Non classé",),
            "featured": None,
            "password": "",
            "published_at": at,
            "modified_at": at,
        }
        self.articles[self._last_id] = Article(**(known | fields))
        return self.articles[self._last_id]

    def edit(self, id_: int, **fields: Any) -> Article:
        """Change an article; its guid stays, whatever becomes of its slug."""
        self.articles[id_] = replace(self.articles[id_], modified_at=self.now(), **fields)
        return self.articles[id_]

    def delete(self, id_: int) -> None:
        """Put an article into the bin."""
        del self.articles[id_]

    def photograph(self, caption: str, *, alt: str = "", at: datetime | None = None) -> Photo:
        """Post a picture on the Pixelfed-like account."""
        self._last_id += 1
        picture = f"{self.url}/storage/m/{self._last_id}.jpg"
        photo = Photo(id=self._last_id, caption=caption, picture=picture, alt=alt, published_at=at or self.now())
        self.photos.insert(0, photo)
        return photo

    def serve(self, path: str, body: bytes, content_type: str = "application/rss+xml; charset=UTF-8", **headers: str) -> str:
        """Answer ``path`` with exactly this; the address of it."""
        self.bodies[path] = (body, {"Content-Type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}})
        return self.url + path

    def serve_bomb(self, path: str, unfolded_bytes: int) -> str:
        """A body that is small on the way and large once unpacked."""
        return self.serve(path, gzip.compress(b" " * unfolded_bytes), Content_Encoding="gzip")

    def guid(self, article: Article) -> str:
        """Its guid: a link that nobody changes."""
        return f"{self.url}/?p={article.id}"

    def permalink(self, article: Article) -> str:
        """Its page."""
        return f"{self.url}/{article.published_at:%Y/%m/%d}/{article.slug}/"

    def _published(self) -> list[Article]:
        shown = [article for article in self.articles.values() if article.status == "publish"]
        return sorted(shown, key=lambda article: (article.published_at, article.id), reverse=True)

    # Feeds

    async def _rss(self, request: web.Request) -> web.StreamResponse:
        page = int(request.query.get("paged", "1"))
        shown = self._published()[(page - 1) * PER_FEED : page * PER_FEED]
        if page > 1 and not shown:
            # A feed all the same, without items.
            body = self._channel(f"Page non trouvée &#8211; {escape(self.title)}", request.path_qs, "")
            return web.Response(status=404, text=body, content_type="application/rss+xml", charset="UTF-8", headers=self._headers())
        items = "".join(self._item(article) for article in shown)
        return self._conditional(request, self._channel(escape(self.title), "/feed/", items), "application/rss+xml")

    async def _comments(self, request: web.Request) -> web.StreamResponse:
        body = self._channel(f"Commentaires sur : {escape(self.title)}", "/comments/feed/", "", language="")
        return self._conditional(request, body, "application/rss+xml")

    def _channel(self, title: str, path: str, items: str, *, language: str = "\n\t<language>fr-FR</language>") -> str:
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"\n\t{NAMESPACES}>\n<channel>\n\t<title>{title}</title>'
            f'\n\t<atom:link href="{self.url}{path}" rel="self" type="application/rss+xml" />\n\t<link>{self.url}</link>'
            f"\n\t<description></description>\n\t<lastBuildDate>{format_datetime(self._modified_at())}</lastBuildDate>"
            f"{language}\n\t<sy:updatePeriod>\n\thourly\t</sy:updatePeriod>"
            "\n\t<sy:updateFrequency>\n\t1\t</sy:updateFrequency>"
            f"\n\t<generator>https://wordpress.org/?v={VERSION}</generator>\n{items}</channel>\n</rss>\n"
        )

    def _item(self, article: Article) -> str:
        categories = "".join(f"<category><![CDATA[{name}]]></category>" for name in article.categories)
        content = f"<content:encoded><![CDATA[{self._content(article)}]]></content:encoded>" if self.full_text else ""
        featured = f'<media:content url="{self.url}{article.featured}" medium="image" />' if article.featured else ""
        link = self.permalink(article)
        return (
            f"\t<item>\n\t\t<title>{_title(article)}</title>\n\t\t<link>{link}</link>\n\t\t\t\t\t<comments>{link}#respond</comments>\n"
            f"\t\t\n\t\t<dc:creator><![CDATA[{article.author}]]></dc:creator>"
            f"\n\t\t<pubDate>{format_datetime(article.published_at)}</pubDate>"
            f'\n\t\t\t\t{categories}\n\t\t<guid isPermaLink="false">{self.guid(article)}</guid>'
            f"\n\n\t\t\t\t\t<description><![CDATA[{_excerpt(article)}]]></description>\n\t\t\t\t\t\t\t\t\t\t{content}{featured}"
            f"\n\t\t\t\t\t\n\t\t\t\t\t<wfw:commentRss>{link}feed/</wfw:commentRss>\n\t\t\t<slash:comments>0</slash:comments>\n\t</item>\n"
        )

    def _content(self, article: Article) -> str:
        """As the filters of ``the_content_feed`` leave it: emoji are pictures, what has a password is a form."""
        if article.password:
            action = f"{self.url}/wp-login.php?action=postpass"
            return f'<form action="{action}" class="post-password-form" method="post"><p>Cette publication est protégée.</p></form>'
        return _EMOJI.sub(_staticized, article.content)

    async def _atom(self, request: web.Request) -> web.StreamResponse:
        entries = "".join(self._entry(article) for article in self._published()[:PER_FEED])
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
            f'xmlns:thr="http://purl.org/syndication/thread/1.0" xml:lang="fr-FR">'
            f'<title type="text">{escape(self.title)}</title><subtitle type="text"></subtitle>'
            f"<updated>{_stamp(self._modified_at())}</updated>"
            f'<link rel="alternate" type="text/html" href="{self.url}" /><id>{self.url}/feed/atom/</id>'
            f'<link rel="self" type="application/atom+xml" href="{self.url}/feed/atom/" />'
            f'<generator uri="https://wordpress.org/" version="{VERSION}">WordPress</generator>{entries}</feed>'
        )
        return self._conditional(request, body, "application/atom+xml")

    def _entry(self, article: Article) -> str:
        link = self.permalink(article)
        categories = "".join(f'<category scheme="{self.url}" term="{escape(name)}" />' for name in article.categories)
        return (
            f'<entry><author><name>{article.author}</name></author><title type="html"><![CDATA[{_title(article)}]]></title>'
            f'<link rel="alternate" type="text/html" href="{link}" /><id>{self.guid(article)}</id>'
            f"<updated>{_stamp(article.modified_at)}</updated>"
            f"<published>{_stamp(article.published_at)}</published>{categories}"
            f'<summary type="html"><![CDATA[{_excerpt(article)}]]></summary>'
            f'<content type="html" xml:base="{link}"><![CDATA[{self._content(article)}]]></content>'
            f'<link rel="replies" type="text/html" href="{link}#respond" thr:count="0" /><thr:total>0</thr:total></entry>'
        )

    async def _json_feed(self, request: web.Request) -> web.StreamResponse:
        items = [
            {
                "id": self.guid(article),
                "url": self.permalink(article),
                "title": article.title,
                "content_html": article.content,
                "date_published": article.published_at.isoformat(),
                "date_modified": article.modified_at.isoformat(),
                "authors": [{"name": article.author}],
                "tags": list(article.categories),
            }
            for article in self._published()[:PER_FEED]
        ]
        feed = {"version": "https://jsonfeed.org/version/1.1", "title": self.title, "home_page_url": self.url, "language": "fr-FR"}
        return self._conditional(request, json.dumps({**feed, "items": items}), "application/feed+json")

    async def _pixelfed(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        profile = f"{self.url}/{name}"
        author = f"<author><name>{name}</name><uri>{profile}</uri></author>"
        entries = "".join(self._photo(photo, name, author) for photo in self.photos[:PER_FEED])
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">'
            f'<id>{self.url}/users/{name}.atom</id><title>{name} on Pixelfed</title><subtitle type="html">Des photos</subtitle>{author}'
            f'<link rel="alternate" type="text/html" href="{profile}"/>{entries}</feed>'
        )
        return web.Response(text=body, content_type="application/atom+xml")

    def _photo(self, photo: Photo, name: str, author: str) -> str:
        url, caption = f"{self.url}/p/{name}/{photo.id}", escape(photo.caption)
        return (
            f"<entry><id>{url}</id><title>{caption or 'No caption'}</title><updated>{_stamp(photo.published_at)}</updated>{author}"
            f'<content type="html">\n<![CDATA[\n<img id="rss_item_1" src="{photo.picture}" alt="{escape(photo.alt)}">\n'
            f'<p style="padding:10px;">{caption}</p>\n]]>\n</content><link rel="alternate" href="{url}" /><summary>{caption}</summary>'
            f'<media:content url="{photo.picture}" type="image/jpeg" medium="image">\n</entry>'
        )

    def _modified_at(self) -> datetime:
        """As ``get_lastpostmodified``: of what is published, the newest modification, or date where that is later."""
        return max((max(article.modified_at, article.published_at) for article in self._published()), default=self.now())

    def _validators(self) -> dict[str, str]:
        """As ``WP::send_headers``; the date is the server's own."""
        modified = format_datetime(self._modified_at().astimezone(UTC), usegmt=True)
        etag = '"' + hashlib.md5(modified.encode(), usedforsecurity=False).hexdigest() + '"'
        return {"ETag": etag, "Last-Modified": modified, "Date": format_datetime(self.now().astimezone(UTC), usegmt=True)}

    def _conditional(self, request: web.Request, body: str, content_type: str) -> web.Response:
        """As ``WP::send_headers``: every validator that was sent must fit; a date fits when it is not before the newest modification."""
        validators = self._validators()
        etag, since = request.headers.get("If-None-Match"), _date(request.headers.get("If-Modified-Since"))
        asked = [etag == validators["ETag"]] if etag else []
        asked += [since >= self._modified_at().replace(microsecond=0)] if since else []
        if asked and all(asked):
            return web.Response(status=304, headers={**validators, "Content-Type": f"{content_type}; charset=UTF-8"})
        return web.Response(text=body, content_type=content_type, charset="UTF-8", headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {**self._validators(), "Link": self._api_link()}

    def _api_link(self) -> str:
        """``rest_output_link_header``: with every page."""
        return f'<{self.url}/wp-json/>; rel="https://api.w.org/"'

    # Pages and whatever else

    async def _home(self, request: web.Request) -> web.Response:
        if "p" in request.query:
            article = self.articles.get(int(request.query["p"]))
            raise web.HTTPMovedPermanently(self.permalink(article)) if article else web.HTTPNotFound
        links = [
            ("application/rss+xml", f"{self.title} &raquo; Flux", "/feed/"),
            ("application/rss+xml", f"{self.title} &raquo; Flux des commentaires", "/comments/feed/"),
            ("application/json", "JSON", "/wp-json/wp/v2/pages/2"),
        ]
        return _page(self.title, links, [article.title for article in self._published()])

    async def _anything(self, request: web.Request) -> web.StreamResponse:
        if request.path in self.redirects:
            status, target = self.redirects[request.path]
            return web.Response(status=status, headers={"Location": target})
        if request.path in self.bodies:
            body, headers = self.bodies[request.path]
            return web.Response(body=body, headers=headers)
        if request.path.endswith(".jpg"):
            return web.Response(body=_jpeg(request.path), content_type="image/jpeg")
        article = next((one for one in self._published() if self.permalink(one) == self.url + request.path), None)
        page = _page(article.title, [], [article.content]) if article else _page("Page introuvable", [], [], status=404)
        page.headers["Link"] = self._api_link()
        return page

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        """A feed whose end never comes."""
        response = web.StreamResponse(headers={"Content-Type": "application/rss+xml"})
        await response.prepare(request)
        await response.write(b'<?xml version="1.0"?><rss version="2.0"><channel>')
        while request.transport is not None and not request.transport.is_closing():
            await response.write(b"<item><title>Encore</title></item>" * 1_000)
        return response


def _page(title: str, links: Sequence[tuple[str, str, str]], parts: Sequence[str], *, status: int = 200) -> web.Response:
    head = "".join(f'<link rel="alternate" type="{type_}" title="{name}" href="{href}" />' for type_, name, href in links)
    opening = f'<!DOCTYPE html><html lang="fr-FR"><head><meta charset="UTF-8"><title>{escape(title)}</title>{head}</head>'
    body = "".join(f"<article>{part}</article>" for part in parts)
    return web.Response(text=f"{opening}<body><h1>{escape(title)}</h1>{body}</body></html>", content_type="text/html", status=status)


def _title(article: Article) -> str:
    return f"Protégé : {escape(article.title)}" if article.password else escape(article.title)


def _excerpt(article: Article) -> str:
    if article.password:
        return "Il n’y a pas d’extrait, car cette publication est protégée."
    return escape(article.excerpt)


def _staticized(emoji: re.Match[str]) -> str:
    """``wp_staticize_emoji``."""
    source = f"https://s.w.org/images/core/emoji/15.0.3/72x72/{ord(emoji[0]):x}.png"
    return f'<img src="{source}" alt="{emoji[0]}" class="wp-smiley" style="height: 1em; max-height: 1em;" />'


def _date(header: str | None) -> datetime | None:
    """None for what is no date, as ``strtotime`` has it."""
    try:
        return parsedate_to_datetime(header or "")
    except ValueError:
        return None


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _jpeg(name: str) -> bytes:
    """A real picture of one colour, always the same for one name."""
    from PIL import Image

    red, green, blue = hashlib.sha256(name.encode()).digest()[:3]
    out = io.BytesIO()
    Image.new("RGB", (1200, 800), (red, green, blue)).save(out, "JPEG")
    return out.getvalue()

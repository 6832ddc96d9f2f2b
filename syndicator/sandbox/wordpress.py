"""A WordPress site on loopback: its REST API (wp/v2), home page, library; and The Events Calendar where that is wanted.

After https://developer.wordpress.org/rest-api/reference/, and measured on WordPress 6.5.5: what it answers to whom, by ``code``; a draft
gets a slug of its own at once (``-2``), a trashed post another (``__trashed``), is updated with 200, and is trashed once; media know no
trash; a date to come schedules. Stricter in one thing: a parameter that neither knows is refused instead of ignored.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from syndicator.sandbox.server import Simulator
from syndicator.sandbox.wordpress_calendar import Calendar
from syndicator.sandbox.wordpress_world import (
    ROLES,
    STATUSES,
    Blog,
    Entry,
    Json,
    Picture,
    Refusal,
    filtered,
    invalid,
    line,
    numbers,
    slug_of,
)

UPLOADS = "/wp-content/uploads/2026/11"
TYPES = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
WALL = "<html><head><title>403 Forbidden</title></head><body><h1>Access denied</h1></body></html>"
POST_FIELDS = frozenset({
    "title", "content", "excerpt", "slug", "status", "date_gmt", "featured_media", "categories", "tags", "format",
})  # fmt: skip
FORMATS = ("standard", "aside", "chat", "gallery", "link", "image", "quote", "status", "video", "audio")


def refused(status: int, code: str, message: str = "Désolé.", **data: Any) -> bytes:
    """The body of a refusal."""
    return json.dumps(Refusal(status, code, message, **data).body).encode()


class Asked:
    """One call of the API."""

    def __init__(self, method: str, route: str, query: Mapping[str, str], request: web.Request, data: bytes) -> None:
        self.method, self.route, self.query, self.request, self.data = method, route, query, request, data

    def body(self) -> Json:
        """The JSON, or nothing."""
        try:
            found = json.loads(self.data or b"{}")
        except ValueError as error:
            raise Refusal(400, "rest_invalid_json", "Corps JSON non valide.") from error
        return dict(found)


class WordpressSimulator(Simulator):
    """One site."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.blog = Blog()
        self.calendar = Calendar(self)
        self.app.router.add_route("*", "/{tail:.*}", self._answer)
        self._routes: tuple[tuple[str, str, Callable[..., Any]], ...] = (
            ("GET", r"/", self._root),
            ("GET", r"/wp/v2/users/me", self._me),
            ("GET", r"/wp/v2/types/post", self._type),
            ("GET", r"/wp/v2/posts", self._list),
            ("POST", r"/wp/v2/posts", self._create),
            ("GET", r"/wp/v2/posts/(\d+)", self._get),
            ("POST", r"/wp/v2/posts/(\d+)", self._update),
            ("DELETE", r"/wp/v2/posts/(\d+)", self._delete),
            ("GET", r"/wp/v2/media", self._media),
            ("POST", r"/wp/v2/media", self._upload),
            ("POST", r"/wp/v2/media/(\d+)", self._describe),
            ("DELETE", r"/wp/v2/media/(\d+)", self._drop),
            ("GET", r"/wp/v2/(categories|tags)", self._terms),
            ("POST", r"/wp/v2/(categories|tags)", self._add_term),
        )

    @property
    def site(self) -> str:
        """The site's address."""
        return self.url + self.blog.folder

    # The way in

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        blog, path = self.blog, request.path
        if not path.startswith(f"{blog.folder}/"):
            return web.Response(status=404, text="<h1>Not Found</h1>", content_type="text/html")
        path = path.removeprefix(blog.folder)
        route = request.query.get("rest_route") or (path.removeprefix("/wp-json") if blog.pretty and path.startswith("/wp-json") else "")
        if not route:
            return self._page(path)
        if blog.rest == "walled":
            return web.Response(status=403, text=WALL, content_type="text/html")
        query = {name: value for name, value in parse_qsl(request.query_string) if name != "rest_route"}
        asked = Asked(request.method, route.rstrip("/") or "/", query, request, await request.read())
        try:
            status, answer = self._call(asked)
        except Refusal as error:
            status, answer = error.status, error.body
        if status < 300 and "_fields" in query:
            answer = [_only(one, query["_fields"]) for one in answer] if isinstance(answer, list) else _only(answer, query["_fields"])
        return web.json_response(answer, status=status)

    def _call(self, asked: Asked) -> tuple[int, Any]:
        blog, logged_in = self.blog, self.logged_in(asked)
        if blog.rest == "off" or (blog.rest == "members" and not logged_in):
            raise Refusal(401, "rest_login_required", "L'API REST est réservée aux membres.")
        if blog.hides_accounts and asked.route.startswith("/wp/v2/users"):
            raise Refusal(403, "rest_user_cannot_view", "Désolé.")
        for method, pattern, handler in (*self._routes, *(self.calendar.routes if blog.calendar else ())):
            match = re.fullmatch(pattern, asked.route)
            if match and method == asked.method:
                found: tuple[int, Any] = handler(asked, *match.groups())
                return found
        raise Refusal(404, "rest_no_route", "Aucune route ne correspond à l'URL et à la méthode de requête.")

    def logged_in(self, asked: Asked) -> bool:
        """By an application password, with or without its blanks."""
        blog, given = self.blog, asked.request.headers.get("Authorization", "")
        if not (blog.passwords and blog.headers and given.startswith("Basic ")):
            return False
        login, _, password = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
        return login == blog.account.login and re.sub(r"\W", "", password) == re.sub(r"\W", "", blog.password)

    def demand(self, asked: Asked, right: str, code: str) -> None:
        """A right of the account: 401 without one, 403 where it lacks it."""
        if not self.logged_in(asked) or not self.blog.account.can(right):
            raise Refusal(403 if self.logged_in(asked) else 401, code, "Désolé, vous n'avez pas l'autorisation d'effectuer cette action.")

    def _page(self, path: str) -> web.Response:
        blog = self.blog
        link = f"{self.site}/wp-json/" if blog.pretty else f"{self.site}/?rest_route=/"
        headers = {"Link": f'<{link}>; rel="https://api.w.org/"'}
        if path.startswith(UPLOADS):
            found = next((one for one in blog.library.values() if path == f"{UPLOADS}/{one.name}"), None)
            if found is not None:
                return web.Response(body=found.data, content_type=found.media_type)
        if path == "/":
            return web.Response(text=f"<title>{html.escape(blog.name)}</title>", content_type="text/html", headers=headers)
        entry = next((one for one in blog.shown() if one.slug == path.strip("/").rpartition("/")[2]), None)
        if entry is None:
            return web.Response(status=404, text="<h1>Introuvable</h1>", content_type="text/html", headers=headers)
        return web.Response(text=f"<h1>{entry.title}</h1>{entry.content}", content_type="text/html", headers=headers)

    # What may be read

    def _root(self, _asked: Asked) -> tuple[int, Json]:
        blog = self.blog
        spaces = ["oembed/1.0", "wp/v2", "wp-site-health/v1", *(["tribe/events/v1"] if blog.calendar else [])]
        endpoint = {"endpoints": {"authorization": f"{self.site}/wp-admin/authorize-application.php"}}
        authentication = {"application-passwords": endpoint} if blog.passwords else []
        about = {"name": blog.name, "description": "", "url": self.site, "home": self.site, "gmt_offset": "0", "timezone_string": ""}
        return 200, {**about, "namespaces": spaces, "authentication": authentication, "routes": {}}

    def _me(self, asked: Asked) -> tuple[int, Json]:
        self.demand(asked, "read", "rest_not_logged_in")
        account = self.blog.account
        rights = dict.fromkeys(sorted(ROLES[account.role]), True)
        return 200, {"id": account.id, "name": account.login, "roles": [account.role], "capabilities": {**rights, account.role: True}}

    def _type(self, asked: Asked) -> tuple[int, Json]:
        if asked.query.get("context") == "edit":
            self.demand(asked, "edit_posts", "rest_forbidden_context")
        return 200, {"slug": "post", "name": "Articles"}

    def _list(self, asked: Asked) -> tuple[int, Any]:
        wanted = asked.query.get("status", "publish").split(",")
        for status in wanted:
            if status != "publish" and not (self.logged_in(asked) and self.blog.account.can("edit_posts")):
                raise invalid(status="Le statut est interdit.")
            if status not in (*STATUSES, "trash", "any", "inherit"):
                raise invalid(status=f"status[0] {status}")
        # ``any`` is all but what is out of sight: the trash, and automatic drafts.
        stati = {*wanted, *(STATUSES if "any" in wanted else ())}
        slugs = [one for one in asked.query.get("slug", "").split(",") if one]
        found = [one for one in self.blog.entries.values() if one.type == "post" and one.status in stati]
        return 200, [self.post_json(one) for one in reversed(found) if not slugs or one.slug in slugs]

    def _get(self, asked: Asked, number: str) -> tuple[int, Json]:
        entry = self.entry(number, "post")
        if asked.query.get("context") == "edit" or entry.status != "publish":
            self.demand(asked, "edit_posts", "rest_forbidden_context")
        return 200, self.post_json(entry)

    def entry(self, number: str, kind: str) -> Entry:
        """One of that type, whatever its state."""
        found = self.blog.entries.get(int(number))
        if found is None or found.type != kind:
            raise Refusal(404, "rest_post_invalid_id", "ID de publication non valide.")
        return found

    # What is written

    def _create(self, asked: Asked) -> tuple[int, Json]:
        self.demand(asked, "edit_posts", "rest_cannot_create")
        entry = Entry(id=0, type="post", author=self.blog.account.id, at=self.now(), categories=[1])
        self._write(entry, asked.body())
        if not entry.title and not entry.content:
            raise Refusal(400, "empty_content", "Le contenu, le titre et l'extrait sont vides.")
        return 201, self.post_json(self.add(entry))

    def add(self, entry: Entry) -> Entry:
        """Number it, and find it a slug that is free, drafts too."""
        entry.id = self.blog.next_id()
        entry.slug = self.blog.free_slug(entry.slug or slug_of(entry.title), entry.id, entry.type)
        self.blog.entries[entry.id] = entry
        return entry

    def _update(self, asked: Asked, number: str) -> tuple[int, Json]:
        entry = self.entry(number, "post")
        self.demand(asked, "edit_posts", "rest_cannot_edit")
        self.own(entry, "rest_cannot_edit")
        body = asked.body()
        if "slug" in body:
            body["slug"] = self.blog.free_slug(str(body["slug"]), entry.id, "post")
        self._write(entry, body)
        return 200, self.post_json(entry)

    def own(self, entry: Entry, code: str) -> None:
        """An author may touch nothing but its own, a contributor nothing that is published."""
        account = self.blog.account
        others = entry.author != account.id and not account.can("edit_others_posts")
        if others or (entry.status == "publish" and not account.can("edit_published_posts")):
            raise Refusal(403, code, "Désolé, vous n'avez pas l'autorisation de modifier cette publication.")

    def _write(self, entry: Entry, body: Json) -> None:
        _refuse_flaws(body)
        blog, status = self.blog, body.get("status", entry.status)
        if status in ("publish", "future", "private") and not blog.account.can("publish_posts"):
            raise Refusal(403, "rest_cannot_publish", "Désolé, vous n'avez pas l'autorisation de publier.")
        if entry.status == "trash" and "status" not in body:
            status = "trash"
        if "date_gmt" in body:
            entry.at = datetime.fromisoformat(body["date_gmt"]).replace(tzinfo=self.now().tzinfo)
        if status == "publish" and entry.at - self.now() >= timedelta(minutes=1):
            status = "future"
        entry.status = status
        entry.title = filtered(body.get("title", entry.title), blog.account)
        entry.content = filtered(body.get("content", entry.content), blog.account)
        entry.slug = body.get("slug", entry.slug)
        entry.format = body.get("format", entry.format)
        entry.categories = [one for one in body.get("categories", entry.categories) if one in blog.terms["categories"]] or [1]
        entry.tags = [one for one in body.get("tags", entry.tags) if one in blog.terms["tags"]]
        if (featured := body.get("featured_media", entry.featured)) in (0, *blog.library):
            entry.featured = featured

    def _delete(self, asked: Asked, number: str) -> tuple[int, Json]:
        entry = self.entry(number, "post")
        self.demand(asked, "delete_posts", "rest_cannot_delete")
        self.own(entry, "rest_cannot_delete")
        if asked.query.get("force") == "true":
            del self.blog.entries[entry.id]
            return 200, {"deleted": True, "previous": self.post_json(entry)}
        if not self.blog.trash:
            raise Refusal(501, "rest_trash_not_supported", "La publication ne peut pas être mise à la corbeille.")
        if entry.status == "trash":
            raise Refusal(410, "rest_already_trashed", "La publication a déjà été supprimée.")
        self.bin(entry)
        return 200, self.post_json(entry)

    def bin(self, entry: Entry) -> None:
        """Into the trash; its slug is free again."""
        entry.status, entry.slug = "trash", f"{entry.slug}__trashed"

    def post_json(self, entry: Entry) -> Json:
        """As the API shows it to somebody who may edit it."""
        shown = f"{self.site}/{entry.slug}/" if self.blog.pretty and entry.status == "publish" else f"{self.site}/?p={entry.id}"
        at = f"{entry.at:%Y-%m-%dT%H:%M:%S}"
        return {
            "id": entry.id, "date": at, "date_gmt": at, "slug": entry.slug, "status": entry.status, "type": "post", "link": shown,
            "guid": {"rendered": f"{self.site}/?p={entry.id}"}, "title": {"raw": entry.title, "rendered": entry.title},
            "content": {"raw": entry.content, "rendered": entry.content}, "author": entry.author, "featured_media": entry.featured,
            "categories": entry.categories, "tags": entry.tags, "format": entry.format,
        }  # fmt: skip

    # The library

    def _media(self, asked: Asked) -> tuple[int, Any]:
        slugs = [one for one in asked.query.get("slug", "").split(",") if one]
        return 200, [self._picture_json(one) for one in self.blog.library.values() if not slugs or one.slug in slugs]

    def _upload(self, asked: Asked) -> tuple[int, Json]:
        self.demand(asked, "upload_files", "rest_cannot_create")
        if not asked.data:
            raise Refusal(400, "rest_upload_no_data", "Aucune donnée fournie.")
        match = re.search(r'filename="([^"]+)"', asked.request.headers.get("Content-Disposition", ""))
        if match is None:
            raise Refusal(400, "rest_upload_no_content_disposition", "Aucun Content-Disposition fourni.")
        ending, kind = match[1].rpartition(".")[2].lower(), asked.request.content_type
        if TYPES.get(kind) != ending:
            raise Refusal(500, "rest_upload_sideload_error", "Désolé, vous n'avez pas l'autorisation de téléverser ce type de fichier.")
        if len(asked.data) > self.blog.upload_max_bytes:
            raise Refusal(400, "rest_upload_file_too_big", "Ce fichier est trop gros.")
        number = self.blog.next_id()
        slug = self.blog.free_slug(asked.query.get("slug") or slug_of(match[1].rpartition(".")[0]), number, "attachment")
        title, alt = line(asked.query.get("title", "")), line(asked.query.get("alt_text", ""))
        name = f"{slug}.{ending}"
        self.blog.library[number] = Picture(id=number, slug=slug, name=name, media_type=kind, data=asked.data, title=title, alt=alt)
        return 201, self._picture_json(self.blog.library[number])

    def _describe(self, asked: Asked, number: str) -> tuple[int, Json]:
        self.demand(asked, "upload_files", "rest_cannot_edit")
        found, body = self._known_picture(number), asked.body()
        if set(body) - {"alt_text", "title", "caption"}:
            raise invalid(**dict.fromkeys(body, "inconnu"))
        found.alt = line(body.get("alt_text", found.alt))
        return 200, self._picture_json(found)

    def _drop(self, asked: Asked, number: str) -> tuple[int, Json]:
        found = self._known_picture(number)
        self.demand(asked, "delete_posts", "rest_cannot_delete")
        if asked.query.get("force") != "true":
            raise Refusal(501, "rest_trash_not_supported", "La publication ne peut pas être mise à la corbeille.")
        del self.blog.library[found.id]
        for entry in self.blog.entries.values():
            entry.featured = 0 if entry.featured == found.id else entry.featured
        return 200, {"deleted": True, "previous": self._picture_json(found)}

    def _known_picture(self, number: str) -> Picture:
        if int(number) not in self.blog.library:
            raise Refusal(404, "rest_post_invalid_id", "ID de publication non valide.")
        return self.blog.library[int(number)]

    def _picture_json(self, one: Picture) -> Json:
        sizes = {"width": 480, "height": 360, "file": f"2026/11/{one.name}", "sizes": {}}
        shown = {"id": one.id, "slug": one.slug, "status": "inherit", "alt_text": one.alt, "mime_type": one.media_type}
        return {**shown, "title": {"rendered": one.title}, "source_url": f"{self.site}{UPLOADS}/{one.name}", "media_details": sizes}

    # Categories and tags

    def _terms(self, asked: Asked, taxonomy: str) -> tuple[int, Any]:
        """The search is the database's: without case and accents, in the name as it is kept."""
        wanted = slug_of(asked.query.get("search", "")).replace("-", " ")
        known = self.blog.terms[taxonomy].items()
        return 200, [{"id": number, "name": name} for number, name in known if wanted in slug_of(name).replace("-", " ")]

    def _add_term(self, asked: Asked, taxonomy: str) -> tuple[int, Json]:
        self.demand(asked, "manage_categories" if taxonomy == "categories" else "edit_posts", "rest_cannot_create")
        name = str(asked.body().get("name") or "")
        if not name:
            raise Refusal(400, "rest_missing_callback_param", "Paramètre(s) manquant(s) : name", params=["name"])
        if (known := self.blog.term(taxonomy, name)) is not None:
            raise Refusal(400, "term_exists", "Un terme avec ce nom existe déjà dans cette taxonomie.", term_id=known)
        number = self.blog.add_term(taxonomy, name)
        return 201, {"id": number, "name": self.blog.terms[taxonomy][number]}


def _refuse_flaws(body: Json) -> None:
    """Types as the schema of a post has them."""
    flaws = dict.fromkeys(set(body) - POST_FIELDS, "inconnu")
    flaws |= {name: f"{name} n'est pas un texte" for name in ("title", "content", "slug") if not isinstance(body.get(name, ""), str)}
    if body.get("status", "publish") not in STATUSES:
        flaws["status"] = "status n'est pas l'un de publish, future, draft, pending et private."
    if body.get("format", "standard") not in FORMATS:
        flaws["format"] = "format n'est pas l'un des formats."
    for name in ("categories", "tags"):
        try:
            list(numbers(body.get(name, [])))
        except ValueError:
            flaws[name] = f"{name}[0] n'est pas de type integer."
    if flaws:
        raise invalid(**flaws)


def _only(answer: Json, fields: str) -> Json:
    """``_fields``."""
    return {name: answer[name] for name in fields.split(",") if name in answer}

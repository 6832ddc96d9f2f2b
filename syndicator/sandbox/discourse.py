"""A Discourse forum on loopback: topics of one account, its uploads, and the rules of a new forum.

After the published specification (``data/discourse-openapi.json``), and for what that leaves out (refusals, limits, ``external_id``, tags,
what an account of which trust level may do) after the source, https://github.com/discourse/discourse. Refusals say what is wrong in the
forum's language, here French, and carry an ``error_type``; there are no codes. Stricter than Discourse in one thing: a field that neither
knows is refused instead of ignored, so that a typing error shows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from syndicator.sandbox.discourse_spec import filled, spec
from syndicator.sandbox.discourse_world import IMAGE, Forum, Topic, Upload
from syndicator.sandbox.forms import parts
from syndicator.sandbox.openapi import flaws
from syndicator.sandbox.server import Simulator

Json = dict[str, Any]

RAW_MIN, RAW_MAX = 20, 32_000
TITLE_MIN, TITLE_MAX, TITLE_WORD_MAX = 15, 255, 30
TITLE_ENTROPY, BODY_ENTROPY = 10, 7
TAGS_MAX = 5
IMAGE_MAX_BYTES = 4096 * 1024
EXTENSIONS = frozenset({"jpg", "jpeg", "png", "gif", "heic", "heif", "webp", "avif"})
KEPT_FOR = timedelta(hours=48)
MEMORY = timedelta(seconds=120)
"""The same request of the same key, repeated within it, gets the answer of the first."""
PER_MINUTE = 60
TAG_FORMS = {"names": (2025, 12), "both": (2026, 1), "objects": (2026, 7)}

_MENTION = re.compile(r"(?<![\w/])@(\w[\w.-]*)")
_ADDRESS = re.compile(r"https?://[^\s)>]+")


class Refusal(Exception):
    """What the forum answers instead of a result."""

    def __init__(self, status: int, kind: str, *told: str, **more: Any) -> None:
        self.status = status
        self.body: Json = {"errors": list(told), **({"error_type": kind} if kind else {}), **more}
        super().__init__(told)


def refused(status: int, kind: str, *told: str, **more: Any) -> bytes:
    """The body of a refusal."""
    return json.dumps(Refusal(status, kind, *told, **more).body).encode()


class DiscourseSimulator(Simulator):
    """One forum."""

    def __init__(self, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(now=now)
        self.forum = Forum()
        self._memory: dict[str, tuple[datetime, int, Json]] = {}
        self._calls: list[datetime] = []
        self._last = 100
        self.app.middlewares.append(self._guarded)
        router = self.app.router
        router.add_get("/site.json", self._site)
        router.add_post("/posts.json", self._post)
        router.add_put(r"/posts/{id:\d+}.json", self._edit)
        router.add_put(r"/t/-/{id:\d+}.json", self._retitle)
        router.add_get(r"/t/external_id/{external_id}.json", self._by_external_id)
        router.add_get(r"/t/{id:\d+}.json", self._topic)
        router.add_get(r"/t/{slug}/{id:\d+}.json", self._topic)
        router.add_delete(r"/t/{id:\d+}.json", self._delete)
        router.add_post("/uploads.json", self._upload)

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        try:
            self._admit(request)
            response: web.StreamResponse = await handler(request)
        except Refusal as error:
            response = web.json_response(error.body, status=error.status)
            if error.status == 429:
                response.headers["Retry-After"] = str(error.body["extras"]["wait_seconds"])
        except web.HTTPNotFound:
            response = web.Response(status=404, text="<h1>Oups</h1>", content_type="text/html")
        return response

    def _admit(self, request: web.Request) -> None:
        """Who asks, and how often."""
        given = request.headers.get("Api-Key"), request.headers.get("Api-Username")
        if given != (self.forum.key, self.forum.account.username) and (any(given) or request.method != "GET"):
            raise Refusal(403, "invalid_access", "Vous n'avez pas l'autorisation : le nom ou la clé d'API est invalide.")
        now = self.now()
        self._calls = [at for at in self._calls if now - at < timedelta(minutes=1)]
        if len(self._calls) >= PER_MINUTE:
            wait = int((self._calls[0] + timedelta(minutes=1) - now).total_seconds())
            told = "Vous avez effectué cette action trop souvent, réessayez plus tard."
            raise Refusal(429, "rate_limit", told, extras={"wait_seconds": wait, "time_left": f"{wait} secondes"})
        self._calls.append(now)

    # What may be read

    async def _site(self, request: web.Request) -> web.Response:
        forum = self.forum
        known = "Api-Key" in request.headers
        of_category = spec()["answers"]["GET /site.json"]["properties"]["categories"]["items"]
        named = self._form() != "names"
        listed = [{"id": number, "name": tag, "slug": tag} if named else tag for number, tag in enumerate(sorted(forum.tags), 1)]
        categories = [
            filled(of_category, {"id": number, "name": name, "slug": name.lower(), "permission": permission if known else None})
            for number, (name, permission) in forum.categories.items()
        ]
        given: Json = {"categories": categories, "can_tag_topics": forum.tagging and known, "can_create_tag": False, "top_tags": listed}
        return web.json_response(filled(spec()["answers"]["GET /site.json"], given))

    def _form(self) -> str:
        """How tags are written in requests and answers of this version."""
        return [name for name, since in TAG_FORMS.items() if self.forum.version >= since or name == "names"][-1]

    async def _by_external_id(self, request: web.Request) -> web.Response:
        wanted = request.match_info["external_id"]
        found = next((topic for topic in self.forum.listed if topic.external_id == wanted), None)
        if found is None:
            raise _not_found()
        return web.Response(status=301, headers={"Location": f"{self.url}/t/{found.slug}/{found.id}.json"})

    async def _topic(self, request: web.Request) -> web.Response:
        return web.json_response(self._topic_json(self._known(request, deleted=self.forum.account.staff)))

    def _known(self, request: web.Request, *, deleted: bool) -> Topic:
        topic = self.forum.topics.get(int(request.match_info["id"]))
        if topic is None or (topic.deleted_at and not deleted):
            raise _not_found()
        return topic

    # What is written

    async def _post(self, request: web.Request) -> web.Response:
        body = await _json(request, "POST /posts.json", "tags")
        signature = hashlib.sha1(json.dumps(body, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
        at, status, answer = self._memory.get(signature, (None, 0, {}))
        if at is None or self.now() - at > MEMORY:
            status, answer = self._created(body)
            self._memory[signature] = (self.now(), status, answer)
        return web.json_response(answer, status=status)

    def _created(self, body: Json) -> tuple[int, Json]:
        tags = self._named(body)
        title, raw = _pretty(str(body.get("title") or "")), str(body["raw"]).strip()
        found = [*self._wrong_title(title, None), *self._wrong_raw(raw), *self._wrong_place(body)]
        if found:
            return 422, {"action": "create_post", "errors": found}
        if self.forum.account.queued:
            self.forum.queue.append(body)
            return 200, {"success": True, "action": "enqueued", "pending_count": len(self.forum.queue)}
        self._last += 1
        topic = Topic(
            id=self._last,
            post_id=self._last + 1000,
            title=title,
            raw=raw,
            category=body["category"],
            username=self.forum.account.username,
            at=self.now(),
            external_id=body.get("external_id"),
            tags=tuple(tag for tag in tags if tag in self.forum.tags),
            pings=_pings(raw),
        )
        self.forum.topics[topic.id] = topic
        return 200, self._post_json("POST /posts.json", topic)

    def _named(self, body: Json) -> list[str]:
        """The tags, in the form that this version takes."""
        tags = body.get("tags") or []
        if len(tags) > TAGS_MAX:
            raise Refusal(422, "", f"Un sujet ne peut avoir plus de {TAGS_MAX} étiquettes.")
        form, texts = self._form(), [isinstance(tag, str) for tag in tags]
        if tags and ((form == "names" and not all(texts)) or (form == "objects" and any(texts))):
            raise Refusal(400, "invalid_parameters", "Vous avez fourni des paramètres non valides : tags")
        return [tag if isinstance(tag, str) else str(tag.get("name")) for tag in tags] if self.forum.tagging else []

    def _wrong_title(self, title: str, own: int | None) -> list[str]:
        found = []
        if len(title) < TITLE_MIN:
            found.append(f"Le titre est trop court (au moins {TITLE_MIN} caractères)")
        if len(title) > TITLE_MAX:
            found.append(f"Le titre est trop long (pas plus de {TITLE_MAX} caractères)")
        if len(set(title)) < TITLE_ENTROPY or title == title.upper() or any(len(word) > TITLE_WORD_MAX for word in title.split()):
            found.append("Le titre ne semble pas clair. Est-ce une phrase complète ?")
        if any(topic.title.lower() == title.lower() and topic.id != own for topic in self.forum.listed):
            found.append("Le titre a déjà été utilisé")
        return found

    def _wrong_raw(self, raw: str) -> list[str]:
        found = []
        if len(raw) < RAW_MIN:
            found.append(f"Le corps est trop court (au moins {RAW_MIN} caractères)")
        if len(raw) > RAW_MAX:
            found.append(f"Le corps est trop long (pas plus de {RAW_MAX} caractères)")
        if len(set(raw)) < BODY_ENTROPY:
            found.append("Le corps ne semble pas clair. Est-ce une phrase complète ?")
        if self.forum.account.trust_level == 0 and not self.forum.account.staff:
            if len(_ADDRESS.findall(raw)) > 2:
                found.append("Désolé, les nouveaux utilisateurs ne peuvent placer que deux liens dans un message.")
            if len(IMAGE.findall(raw)) > 1:
                found.append("Désolé, les nouveaux utilisateurs ne peuvent placer qu'un média dans un message.")
        return found

    def _wrong_place(self, body: Json) -> list[str]:
        name, permission = self.forum.categories.get(body.get("category", 0), ("", 0))
        if not name:
            return ["La catégorie doit être remplie"]
        if permission != 1:
            raise Refusal(403, "invalid_access", "Vous n'avez pas l'autorisation d'afficher la ressource demandée.")
        wanted = body.get("external_id")
        if wanted is None:
            return []
        if len(wanted) > 50 or not re.fullmatch(r"[\w-]+", wanted):
            return ["External n'est pas valide"]
        return ["External est déjà utilisé"] if any(topic.external_id == wanted for topic in self.forum.listed) else []

    async def _edit(self, request: web.Request) -> web.Response:
        body = await _json(request, "PUT /posts/{id}.json")
        number = int(request.match_info["id"])
        topic = next((topic for topic in self.forum.topics.values() if topic.post_id == number), None)
        if topic is None or (topic.deleted_at and not self.forum.account.staff):
            raise _not_found()
        self._may_edit(topic)
        raw = body["post"]["raw"].strip()
        if found := self._wrong_raw(raw):
            raise Refusal(422, "", *found)
        topic.versions += topic.raw != raw
        topic.raw, topic.pings = raw, _pings(raw)
        return web.json_response({"post": self._post_json("PUT /posts/{id}.json", topic)})

    async def _retitle(self, request: web.Request) -> web.Response:
        """``topic.title`` is what the specification says; the controller reads ``title``."""
        body = await _json(request, "PUT /t/-/{id}.json", "title")
        topic = self._known(request, deleted=False)
        self._may_edit(topic)
        if "title" in body:
            title = _pretty(body["title"])
            if found := self._wrong_title(title, topic.id):
                raise Refusal(422, "", *found)
            topic.title = title
        shown = {"id": topic.id, "title": topic.title, "fancy_title": topic.title, "slug": topic.slug, "posts_count": topic.posts_count}
        return web.json_response({"basic_topic": shown})

    def _may_edit(self, topic: Topic) -> None:
        account = self.forum.account
        if not account.staff and self.now() - topic.at > timedelta(days=30 if account.trust_level >= 2 else 1):
            raise Refusal(422, "", "Ce message a été créé il y a trop longtemps. Il ne peut plus être modifié ni supprimé.")

    async def _delete(self, request: web.Request) -> web.Response:
        topic = self.forum.topics.get(int(request.match_info["id"]))
        young = topic is not None and topic.posts_count <= 1 and self.now() - topic.at < timedelta(days=1)
        if topic is None or topic.deleted_at or not (self.forum.account.staff or young):
            raise Refusal(
                422, "", "Une erreur est survenue lors de la suppression de ce sujet. Veuillez contacter un administrateur du site."
            )
        topic.deleted_at = self.now()
        return web.Response()

    async def _upload(self, request: web.Request) -> web.Response:
        fields = parts(request.headers.get("Content-Type", ""), await request.read())
        texts: Json = {part.name: part.body.decode() for part in fields if part.filename is None}
        if "synchronous" in texts:
            texts["synchronous"] = {"true": True, "false": False}.get(texts["synchronous"], texts["synchronous"])
        _refuse_flaws("POST /uploads.json", texts)
        file = next((part for part in fields if part.name == "file" and part.filename), None)
        if file is None or file.filename is None:
            raise Refusal(422, "", "Le fichier est manquant.")
        extension = file.filename.rpartition(".")[2].lower()
        if extension not in EXTENSIONS:
            raise Refusal(422, "", f"Désolé, le fichier que vous essayez d'envoyer n'est pas autorisé ({', '.join(sorted(EXTENSIONS))}).")
        if len(file.body) > IMAGE_MAX_BYTES:
            raise Refusal(422, "", "Désolé, l'image que vous essayez d'envoyer est trop grosse.")
        short = f"upload://{hashlib.sha1(file.body, usedforsecurity=False).hexdigest()[:27]}.{extension}"
        self.forum.uploads[short] = Upload(short_url=short, data=file.body, filename=file.filename, at=self.now())
        sizes = {"width": 1200, "height": 800, "thumbnail_width": 690, "thumbnail_height": 460, "filesize": len(file.body)}
        answer = {"id": len(self.forum.uploads), "original_filename": file.filename, "extension": extension, "short_url": short, **sizes}
        return web.json_response(filled(spec()["answers"]["POST /uploads.json"], answer))

    # How it is told

    def _post_json(self, call: str, topic: Topic) -> Json:
        schema = spec()["answers"][call]
        schema = schema["properties"].get("post", schema)
        deleted_at = topic.deleted_at.isoformat() if topic.deleted_at else None
        shown = {"id": topic.post_id, "topic_id": topic.id, "topic_slug": topic.slug, "username": topic.username, "post_number": 1}
        return filled(schema, {**shown, "raw": topic.raw, "created_at": topic.at.isoformat(), "deleted_at": deleted_at})

    def _topic_json(self, topic: Topic) -> Json:
        schema = spec()["answers"]["GET /t/{id}.json"]
        of_post = schema["properties"]["post_stream"]["properties"]["posts"]["items"]
        post = filled(of_post, {"id": topic.post_id, "topic_id": topic.id, "topic_slug": topic.slug, "post_number": 1})
        deleted_at = topic.deleted_at.isoformat() if topic.deleted_at else None
        shown = {"id": topic.id, "title": topic.title, "slug": topic.slug, "category_id": topic.category, "deleted_at": deleted_at}
        return filled(schema, {**shown, "post_stream": {"posts": [post], "stream": [topic.post_id]}})


def _not_found() -> Refusal:
    return Refusal(404, "not_found", "L'URL ou la ressource demandée n'a pas pu être trouvée.")


def _pretty(title: str) -> str:
    """``TextCleaner.clean_title``: what a forum makes of every title."""
    title = re.sub(r"[!?]{2,}", lambda match: match[0][0], " ".join(title.split()))
    title = re.sub(r"(?<!\.)\.$", "", title)
    return title[:1].upper() + title[1:] if title == title.lower() else title


def _pings(raw: str) -> tuple[str, ...]:
    """Whom Discourse would call: an address is no mention, nor is what stands inside a word."""
    return tuple(_MENTION.findall(_ADDRESS.sub("", raw)))


async def _json(request: web.Request, call: str, *more: str) -> Json:
    """The body, checked; ``more`` are fields that the specification leaves out and the forum reads."""
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise Refusal(400, "invalid_parameters", "Le corps n'est pas du JSON.") from error
    _refuse_flaws(call, {name: value for name, value in body.items() if name not in more})
    return dict(body)


def _refuse_flaws(call: str, body: Json) -> None:
    found = list(flaws(spec()["bodies"][call], body, {}))
    if found:
        told = "; ".join(f"{'.'.join(flaw.path)}: {flaw.keyword}" for flaw in found)
        raise Refusal(400, "invalid_parameters", f"Vous avez fourni des paramètres non valides : {told}")

"""Calls to a site's REST API, and what its refusals mean: by ``code`` and status, never by their words, which are in the site's language.

https://developer.wordpress.org/rest-api/
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from connectors.wordpress.options import WordpressOptions
from syndicator.contract import Context
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, Rejected, Transient, Words, words
from syndicator.http import Response, error_for

Json = Mapping[str, Any]

UPLOAD_TIMEOUT_S = 180.0
ROOT_FIELDS = "name,home,url,namespaces,authentication"
_API_LINK = re.compile(r"<([^>]+)>\s*;[^,]*rel=\"?https://api\.w\.org/\"?")

LOGIN_HINT = words(
    fr="Le site ne reconnaît pas ce compte. Vérifiez username, et refaites un mot de passe d'application (Comptes → Profil → Mots de passe "
    "d'application) : ce n'est pas le mot de passe de connexion. S'il est bon, l'hébergeur retire sans doute l'en-tête « Authorization » : "
    "demandez-lui de le laisser passer.",
    en="The site does not know this account. Check username, and make a new application password (Users → Profile → Application "
    "Passwords): it is not the password one logs in with. If it is right, the host probably drops the header “Authorization”: ask them to "
    "let it through.",
)
PASSWORDS_OFF_HINT = words(
    fr="Les mots de passe d'application sont désactivés sur ce site : il lui faut une adresse en https, et aucun réglage d'extension de "
    "sécurité qui les interdise (Wordfence, Solid Security…).",
    en="Application passwords are switched off on this site: it needs an https address, and no setting of a security plugin that forbids "
    "them (Wordfence, Solid Security…).",
)
ROLE_HINT = words(
    fr="Ce compte n'a pas le droit de publier sur ce site : donnez-lui le rôle « Auteur ».",
    en="This account may not publish on this site: give it the role “Author”.",
)
OTHERS_HINT = words(
    fr="Le site ne laisse pas ce compte toucher à cet article, passé sans doute à quelqu'un d'autre : corrigez-le ou supprimez-le là-bas.",
    en="The site does not let this account touch this post, which is probably somebody else's now: correct or delete it there.",
)
BLOCKED_HINT = words(
    fr="Un pare-feu du site ou de l'hébergeur bloque l'API REST : autorisez-y l'adresse de cette machine, ou le chemin /wp-json/.",
    en="A firewall of the site or its host blocks the REST API: allow this machine's address there, or the path /wp-json/.",
)
BLOCKED_POST_HINT = words(
    fr="Un pare-feu du site ou de l'hébergeur a bloqué cette publication, pas les autres : demandez à l'hébergeur ce qu'il y a vu.",
    en="A firewall of the site or its host blocked this post, and no other: ask the host what it saw in it.",
)
ADDRESS_HINT = words(
    fr="Vérifiez url : cette adresse ne répond pas comme un site WordPress, ou une extension y a coupé l'API REST.",
    en="Check url: this address does not answer as a WordPress site does, or a plugin has cut off its REST API.",
)
LARGE_HINT = words(
    fr="Le site refuse un envoi de cette taille : faites augmenter « upload_max_filesize » et « post_max_size » par l'hébergeur.",
    en="The site refuses an upload of that size: have the host raise “upload_max_filesize” and “post_max_size”.",
)

MISSING = frozenset({"rest_post_invalid_id", "rest_already_trashed", "event-not-found", "event-is-in-trash"})
NOT_ONES_OWN = frozenset({"rest_cannot_edit", "rest_cannot_delete", "rest_forbidden_context", "rest_forbidden", "event-not-accessible"})
NO_RIGHT = frozenset({"rest_cannot_create", "rest_cannot_publish", "rest_cannot_assign_term", "rest_forbidden_status"})


class Refused(Rejected):
    """Refused with a ``code``, which tells the caller what to do instead."""

    def __init__(self, detail: str, *, code: str, data: Json, hint: Words | None = None) -> None:
        self.code, self.data = code, data
        super().__init__(detail, hint=hint)


class Blocked(AuthExpired):
    """A 403 that is none of WordPress's own."""


class Site:
    """One site, as one of its accounts."""

    def __init__(self, options: WordpressOptions, context: Context) -> None:
        self._options = options
        self._context = context
        # WordPress shows the password in groups of four and takes it with and without the blanks.
        pair = f"{options.username.strip()}:{options.app_password.reveal().strip()}"
        self._authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._root = ""
        """What a route is appended to, and then its query."""

    async def find_api(self) -> Json:
        """Where the API is: pretty, plain, or where the home page says; and what it says of itself."""
        base = self._options.base
        for root in (f"{base}/wp-json", f"{base}/?rest_route="):
            if (found := await self._root_at(root)) is not None:
                return found
        home = await self._send("GET", f"{base}/")
        link = _API_LINK.search(", ".join(home.headers.getall("Link", [])))
        root = link[1].rstrip("/") if link else ""
        if root.startswith(_origin(base)) and (found := await self._root_at(root)) is not None:
            return found
        raise Rejected(f"{base} has no REST API", hint=ADDRESS_HINT)

    async def _root_at(self, root: str) -> Json | None:
        response = await self._send("GET", _address(root, "/", {"_fields": ROOT_FIELDS}))
        document = _document(response)
        if isinstance(document, Mapping) and "namespaces" in document:
            self._root = root
            return document
        error = error_of(response, self._context.now(), write=False)
        if response.status in (200, 404) or error is None:
            return None
        raise error

    async def read(self, route: str, query: Mapping[str, str] | None = None) -> Any:
        """GET."""
        return await self._call("GET", route, query or {})

    async def write(self, route: str, body: Json, query: Mapping[str, str] | None = None) -> Json:
        """POST; an answer that is lost leaves the outcome unknown."""
        try:
            return _object(await self._call("POST", route, query or {}, json=body))
        except Blocked as error:
            # The account, or only this text?
            await self.read("/wp/v2/types/post", {"context": "edit", "_fields": "slug"})
            raise Rejected(error.detail, hint=BLOCKED_POST_HINT) from error

    async def delete(self, route: str, query: Mapping[str, str] | None = None) -> None:
        """DELETE."""
        await self._call("DELETE", route, query or {})

    async def upload(self, query: Mapping[str, str], headers: Mapping[str, str], data: bytes) -> Json:
        """A file for the library, which nothing shows yet: whatever goes wrong, it may be sent again."""
        try:
            answer = await self._call("POST", "/wp/v2/media", query, headers=headers, data=data, timeout_s=UPLOAD_TIMEOUT_S)
        except OutcomeUnknown as error:
            raise Transient(error.detail) from error
        return _object(answer)

    async def make(self, route: str, body: Json, query: Mapping[str, str] | None = None) -> Json:
        """POST of what may be repeated, such as a draft or a tag: nobody sees it, and it is looked for first."""
        try:
            return await self.write(route, body, query)
        except OutcomeUnknown as error:
            raise Transient(error.detail) from error

    async def _call(self, method: str, route: str, query: Mapping[str, str], **sent: Any) -> Any:
        if not self._root:
            await self.find_api()
        write = method != "GET"
        response = await self._send(method, _address(self._root, route, query), **sent)
        if (error := error_of(response, self._context.now(), write=write)) is not None:
            raise error
        document = _document(response)
        if document is None:
            said = f"{_bare(response.url)} answered with something else than JSON"
            raise OutcomeUnknown(said) if write else Rejected(said, hint=ADDRESS_HINT)
        return document

    async def _send(self, method: str, url: str, headers: Mapping[str, str] | None = None, **sent: Any) -> Response:
        wanted = {"Authorization": self._authorization, "Accept": "application/json", **(headers or {})}
        response = await self._context.http.request(method, url, headers=wanted, **sent)
        if not response.url.startswith(_origin(self._options.base)):
            raise Rejected(f"{_origin(self._options.base)} leads to {_origin(response.url)}", hint=_moved(_origin(response.url)))
        return response


def error_of(response: Response, now: datetime, *, write: bool) -> ConnectorError | None:
    """What the answer means; None when it is good."""
    error = error_for(response, now, write=write)
    if error is None or response.status == 429:
        return error
    document = _document(response)
    told = document if isinstance(document, Mapping) else {}
    code = str(told.get("code") or "")
    data = told["data"] if isinstance(told.get("data"), Mapping) else {}
    said = f"{urlsplit(response.url).netloc} answered {response.status}: {code}: {told.get('message')}"[:500] if code else error.detail
    if _is_missing(code, data):
        return Gone(said)
    if response.status in (401, 403):
        return _not_allowed(response.status, code, said)
    if response.status == 413:
        return Rejected(said, hint=LARGE_HINT)
    if 300 <= response.status < 400:
        return Rejected(said, hint=_moved(_origin(response.headers.get("Location", ""))))
    if response.status == 404:
        return Rejected(said, hint=ADDRESS_HINT)
    # An upload that WordPress will never take is a 500 of its own: https://core.trac.wordpress.org/ticket/46671
    if code and (400 <= response.status < 500 or code == "rest_trash_not_supported" or code.startswith("rest_upload_")):
        return Refused(said, code=code, data=data)
    return error


def _is_missing(code: str, data: Json) -> bool:
    """Also The Events Calendar's way to say so: its number, or its slug, is no valid parameter."""
    params = data.get("params")
    return code in MISSING or (code == "rest_invalid_param" and isinstance(params, Mapping) and not {"id", "slug"}.isdisjoint(params))


def _not_allowed(status: int, code: str, said: str) -> ConnectorError:
    if status == 401:
        return AuthExpired(said, hint=PASSWORDS_OFF_HINT if "disabled" in code else LOGIN_HINT)
    if code in NOT_ONES_OWN:
        return Rejected(said, hint=OTHERS_HINT)
    if code in NO_RIGHT:
        return AuthExpired(said, hint=ROLE_HINT)
    return AuthExpired(said, hint=LOGIN_HINT) if code else Blocked(said, hint=BLOCKED_HINT)


def _address(root: str, route: str, query: Mapping[str, str]) -> str:
    """A route of the API with its query, in either form of permalinks."""
    if "?" in root:
        return f"{root}{quote(route)}" + (f"&{urlencode(query)}" if query else "")
    return f"{root}{quote(route)}" + (f"?{urlencode(query)}" if query else "")


def _document(response: Response) -> Any:
    try:
        return response.json()
    except Transient:
        return None


def _object(answer: Any) -> Json:
    if not isinstance(answer, Mapping):
        raise OutcomeUnknown("the answer is no object")
    return answer


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _bare(url: str) -> str:
    return url.partition("?")[0]


def _moved(to: str) -> Words:
    return words(
        fr=f"Ce site a une autre adresse : mettez-la dans url ({to}).",
        en=f"This site has another address: put it into url ({to}).",
    )

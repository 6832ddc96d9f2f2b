"""What the simulators of Meta's networks share: Graph API versions, the access token, refusals, usage headers and published parameters.

https://developers.facebook.com/docs/graph-api/guides/error-handling and …/overview/rate-limiting. Nearly every refusal is an HTTP 400 whose
body tells what it is. Stricter than Meta in one thing: a parameter that its specification does not name is refused instead of ignored, so
that a typing error shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from syndicator.sandbox.forms import parts
from syndicator.sandbox.graph_spec import wrong
from syndicator.sandbox.server import Fault, Simulator

Json = dict[str, Any]

TOKEN = "EAAGm0PX4ZCpsBAK1ZCvelo9ZAasso7bresse3ZD"  # noqa: S105
TRACE = "AXr4ceT0simulat0r"
_VERSION = re.compile(r"/(v\d+\.\d+)(?=/|$)")
_PUBLIC = frozenset({"access_token", "fields", "limit", "after", "before", "appsecret_proof"})
"""Parameters that every call takes."""


def envelope(code: int, subcode: int = 0, message: str = "", **more: Any) -> bytes:
    """The body of a refusal; ``more`` are its fields such as ``type``, ``is_transient``, ``error_user_title`` and ``error_user_msg``."""
    told: Json = {"message": message or f"(#{code}) Refused", "type": "OAuthException", "code": code}
    told |= {"error_subcode": subcode} if subcode else {}
    return json.dumps({"error": {**told, "is_transient": False, **more, "fbtrace_id": TRACE}}).encode()


class Refusal(Exception):
    """What the API answers instead of a result."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body
        super().__init__(body.decode())


def error(code: int, subcode: int = 0, message: str = "", *, status: int = 400, **more: Any) -> Refusal:
    """To be raised by a handler; the fields are those of ``envelope``."""
    return Refusal(status, envelope(code, subcode, message, **more))


def refused(
    code: int, subcode: int = 0, message: str = "", *, method: str = "POST", path: str = "", status: int = 400, **more: Any
) -> Fault:
    """The same as a fault to queue: nothing was done, and this is the answer."""
    body = envelope(code, subcode, message, **more)
    return Fault(action="answer", method=method, path=path, status=status, headers={"Content-Type": "application/json"}, body=body)


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a request."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call: its parameters, from the query, a form or JSON, and its files by the name of their field."""

    given: Json
    files: Mapping[str, File] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A parameter as text; empty when it is not there."""
        value = self.given.get(name, "")
        return value if isinstance(value, str) else json.dumps(value)

    def flag(self, name: str, default: bool) -> bool:
        """A parameter that is true or false, however it is written."""
        return {"true": True, "1": True, "false": False, "0": False}.get(self.text(name).lower(), default)

    def value(self, name: str) -> Any:
        """A parameter that is a list or an object: as such in JSON, as JSON text in a form; None when it is neither."""
        value = self.given.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return None


class GraphSimulator(Simulator):
    """Base of those simulators: subclasses add their routes below ``/{version}`` and raise ``error(…)``."""

    def __init__(self, *, now: Callable[[], datetime] | None = None, versions: tuple[str, ...] = ("v25.0", "v26.0")) -> None:
        super().__init__(now=now)
        self.versions = versions
        self.token = TOKEN
        """The token that is valid."""
        self.dead: Refusal | None = None
        """Set: what every call is answered, such as ``error(190, 460, "…")``."""
        self.usage: Json = {"call_count": 1, "total_cputime": 1, "total_time": 1}
        """Percent of what the application may use."""
        self.business: Json = {}
        """Account id → a list of what it uses (``X-Business-Use-Case-Usage``)."""
        self.app.middlewares.append(self._graph)

    @web.middleware
    async def _graph(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        try:
            await self._admit(request)
            response = await handler(request)
        except Refusal as refusal:
            response = web.Response(status=refusal.status, body=refusal.body, content_type="application/json")
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            response = self.missing(request.path)
        response.headers.update(self._usage())
        response.headers["facebook-api-version"] = self.versions[-1]
        return response

    async def _admit(self, request: web.Request) -> None:
        """A version that lives, and a token that is valid: otherwise nothing is looked at."""
        version = _VERSION.match(request.path)
        if version is not None and _age(version[1]) > _age(self.versions[-1]):
            raise error(2500, 0, f"Unknown path components: {request.path}")
        if self.dead is not None:
            raise self.dead
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        given = value.strip() if kind.lower() in ("bearer", "oauth") else (await asked(request)).text("access_token")
        if not given:
            raise error(2500, 0, "An active access token must be used to query information about the current user.")
        if given != self.token:
            # The real one repeats the token too.
            raise error(190, 0, f"Malformed access token {given}")

    def missing(self, what: str) -> web.Response:
        """What is said of an object that is not there, or not ours: the two look alike."""
        text = f"Unsupported request. Object with ID '{what}' does not exist, cannot be loaded due to missing permissions"
        return web.Response(status=400, body=envelope(100, 33, text, type="GraphMethodException"), content_type="application/json")

    def _usage(self) -> Mapping[str, str]:
        used = {"X-App-Usage": json.dumps(self.usage)}
        return used | ({"X-Business-Use-Case-Usage": json.dumps(self.business)} if self.business else {})


def _age(version: str) -> tuple[int, ...]:
    """So that versions sort; one that has expired is answered by the oldest that lives."""
    return tuple(int(part) for part in version[1:].split("."))


async def asked(request: web.Request) -> Asked:
    """The parameters of a call."""
    raw, given = await request.read(), dict(request.query)
    if request.content_type == "application/json" and raw:
        try:
            return Asked(given=given | json.loads(raw))
        except (TypeError, ValueError) as problem:
            raise error(100, 0, "Invalid JSON in the body") from problem
    if request.content_type == "multipart/form-data":
        fields = parts(request.headers["Content-Type"], raw)
        files = {
            part.name: File(filename=part.filename, content_type=part.content_type, data=part.body)
            for part in fields
            if part.filename is not None
        }
        return Asked(given=given | {part.name: part.body.decode() for part in fields if part.filename is None}, files=files)
    return Asked(given=given | {name: str(value) for name, value in (await request.post()).items()})


async def checked(request: web.Request, node: str, call: str) -> Asked:
    """The parameters of a call such as ``("Page", "POST feed")``, refused where Meta's specification knows no such parameter or type."""
    found = await asked(request)
    named = {name: value for name, value in found.given.items() if name not in _PUBLIC}
    for problem in wrong(node, call, named):
        raise error(100, 0, f"(#100) {problem}")
    return found

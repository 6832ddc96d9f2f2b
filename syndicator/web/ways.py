"""Pages that answer a person, rather than files: what was asked, without anything about who asked, and what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

from syndicator.web.negotiation import language_of
from syndicator.web.policy import ALWAYS, PERMISSIONS

BODY_MAX = 128_000
FIELDS_MAX = 20
BODY_PATIENCE_S = 20.0
METHODS = frozenset({"GET", "HEAD", "POST"})
_FORM, _PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
SECRET = {
    **ALWAYS,
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "syndicator",
}
"""The address is a secret: nobody is told of it, nothing keeps it."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, as far as it concerns what answers it."""

    rest: str
    """What follows the way's own path."""
    query: str = ""
    form: Mapping[str, str] | None = None
    """The fields of a POST, as far as a page of ours sends them (mail programs may send ``multipart/form-data``, RFC 8058: of that, none);
    None when it is none."""
    language: str = ""
    """``fr`` or ``en``, whichever the visitor likes better; empty for one who does not say."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is answered."""

    status: int = 200
    page: str = ""
    """HTML."""
    policy: str = "default-src 'none'; frame-ancestors 'none'"
    """Its Content-Security-Policy."""
    headers: Mapping[str, str] = field(default_factory=dict)


Way = Callable[[Asked], Awaitable[Said]]


async def respond(way: Way, rest: str, request: web.BaseRequest) -> web.Response:
    """Have ``way`` answer; what is too large, too slow or no form does not reach it."""
    form = None
    if request.method == "POST":
        if request.content_type not in (_FORM, _PARTS):
            return _refused(415)
        try:
            async with asyncio.timeout(BODY_PATIENCE_S):
                body = await _read(request)
        except TimeoutError:
            return _refused(408)
        form = None if body is None else _fields(body) if request.content_type == _FORM else {}
        if form is None:
            return _refused(413 if body is None else 400)
    likes = request.headers.get("Accept-Language", "")
    language = language_of(likes) if likes.strip() else ""
    said = await way(Asked(rest=rest, query=request.rel_url.raw_query_string, form=form, language=language))
    headers = {**SECRET, "Content-Security-Policy": said.policy, "Content-Type": "text/html; charset=utf-8", **said.headers}
    return web.Response(status=said.status, body=said.page.encode("utf-8", "replace"), headers=headers)


async def _read(request: web.BaseRequest) -> bytes | None:
    """The body; None when it is larger than a person's words can be."""
    if (request.content_length or 0) > BODY_MAX:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > BODY_MAX:
            return None
    return bytes(body)


def _fields(body: bytes) -> dict[str, str] | None:
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="replace"))
    except ValueError:
        return None


def _refused(status: int) -> web.Response:
    # What is left of the body is not waited for.
    return web.Response(status=status, headers={**SECRET, "Connection": "close"})

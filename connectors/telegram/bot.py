"""Calls of the Bot API, with files where they have some; what is said of a failure never holds the token."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from io import BytesIO
from typing import Any, BinaryIO

import aiohttp

from connectors.telegram.answers import TOKEN_HINT, result_of
from connectors.telegram.content import File
from connectors.telegram.options import TelegramOptions
from syndicator.errors import AuthExpired, ConnectorError, Transient
from syndicator.http import Http
from syndicator.media import MediaFile

UPLOAD_TIMEOUT_S = 300.0


class Bot:
    """One bot at one server."""

    def __init__(self, http: Http, options: TelegramOptions) -> None:
        self._http = http
        self._options = options

    async def call(
        self,
        method: str,
        fields: Mapping[str, Any] | None = None,
        files: Mapping[str, File] | None = None,
        *,
        done: Collection[str] = (),
    ) -> Any:
        """The result of a method; None when it refuses with a phrase that means ``done``."""
        token, write = self._options.token.reveal().strip(), not method.startswith("get")
        if not re.fullmatch(r"\d+:[A-Za-z0-9_-]+", token):
            raise AuthExpired("this is not the token of a bot", hint=TOKEN_HINT)
        try:
            with ExitStack() as opened:
                response = await self._http.request(
                    "POST" if write else "GET",
                    f"{self._options.api.rstrip('/')}/bot{token}/{method}",
                    params=None if write else {name: str(value) for name, value in (fields or {}).items()},
                    json=None if files or not write else fields,
                    data=await _form(fields or {}, files, opened) if files else None,
                    timeout_s=UPLOAD_TIMEOUT_S if files else 30.0,
                )
            return result_of(response, self._http.now(), write=write, done=done)
        except ConnectorError as error:
            error.detail = error.detail.replace(token, "…")
            error.args = (error.detail,)
            # Its causes may hold the address, which holds the token.
            error.__cause__ = error.__context__ = None
            raise


async def _form(fields: Mapping[str, Any], files: Mapping[str, File], opened: ExitStack) -> aiohttp.FormData:
    """Files travel as multipart/form-data, everything else beside them as text or JSON."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    for name, file in files.items():
        form.add_field(name, await _body(file, opened), filename=_filename(file), content_type=file.media_type)
    return form


async def _body(file: File, opened: ExitStack) -> BinaryIO:
    if isinstance(file, MediaFile):
        return BytesIO(file.data)
    try:
        return opened.enter_context(await asyncio.to_thread(file.path.open, "rb"))
    except OSError as error:
        raise Transient(f"{file.path.name}: {error}") from error


def _filename(file: File) -> str:
    return file.name if isinstance(file, MediaFile) else f"{file.sha256[:32]}.mp4"

"""What the Bot API asks of a call, from the published specification: which methods, which parameters, of which types, how long.

https://core.telegram.org/bots/api#making-requests, reduced in ``data/telegram-bot-api.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from syndicator.sandbox.forms import parts
from syndicator.sandbox.published import telegram

Json = dict[str, Any]
Files = Mapping[str, bytes]

REQUEST_MAX_BYTES = 50 * 1024**2
_MARKUP = ("parse_mode", "quote_parse_mode", "quote_entities")
_JSON_TYPES: Mapping[str, tuple[type, ...]] = {"Integer": (int,), "Float": (int, float), "String": (str,), "Boolean": (bool,)}


class Refusal(Exception):
    """What the API answers instead of a result."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        self.code = code
        self.body = refusal(code, description, **parameters)
        super().__init__(description)


def refusal(code: int, description: str, **parameters: int) -> bytes:
    """The body of a refusal (https://core.telegram.org/bots/api#making-requests)."""
    answer: Json = {"ok": False, "error_code": code, "description": description}
    return json.dumps(answer | ({"parameters": parameters} if parameters else {})).encode()


def method_named(name: str) -> str:
    """Names of methods are compared without case."""
    for known in telegram()["methods"]:
        if known.lower() == name.lower():
            return str(known)
    raise Refusal(404, "Not Found")


async def received(request: web.Request, method: str) -> tuple[Json, Files]:
    """The parameters, in any of the four ways of sending them, and the files."""
    body = await request.read()
    if len(body) > REQUEST_MAX_BYTES:
        raise Refusal(413, "Request Entity Too Large")
    params: Json = dict(request.query)
    files: dict[str, bytes] = {}
    if request.content_type == "application/json" and body:
        params |= _parsed(body.decode())
    elif request.content_type == "multipart/form-data":
        for part in parts(request.headers["Content-Type"], body):
            if part.filename is None:
                params[part.name] = part.body.decode()
            else:
                files[part.name] = part.body
    elif body:
        params |= {name: str(value) for name, value in (await request.post()).items()}
    return _checked(method, params, files), files


def _checked(method: str, params: Json, files: Files) -> Json:
    """``params`` as the specification types them; Refusal for what it does not allow."""
    fields = telegram()["methods"][method]
    read = {name: _typed(name, fields[name]["types"], value) if name in fields else value for name, value in params.items()}
    _check_fields(method, fields, read | {name: "" for name in files if name in fields})
    return read


def _typed(name: str, types: list[str], value: Any) -> Any:
    """A parameter that came as text, as what it stands for."""
    if not isinstance(value, str) or "String" in types or "InputFile" in types:
        return value
    if types == ["Integer"]:
        if not re.fullmatch(r"-?\d+", value):
            raise Refusal(400, f'Bad Request: invalid parameter "{name}" specified')
        return int(value)
    if types == ["Boolean"]:
        return value.lower() in ("true", "1", "yes")
    return _parsed(value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refusal(400, "Bad Request: can't parse JSON object") from error


def _check_fields(where: str, fields: Json, given: Json) -> None:
    for name, described in fields.items():
        if described["required"] and name not in given:
            raise Refusal(400, f"Bad Request: {where}: parameter {name} is missing")
    for name, value in given.items():
        if name not in fields:
            raise Refusal(400, f"Bad Request: {where} has no parameter {name}")
        if name in _MARKUP:
            raise Refusal(501, f"Not Implemented: {name}")
        if not any(_fits(value, kind) for kind in fields[name]["types"]):
            raise Refusal(400, f"Bad Request: {where}: {name} is no {' or '.join(fields[name]['types'])}")


def _fits(value: Any, kind: str) -> bool:
    if kind.startswith("Array of "):
        return isinstance(value, list) and all(_fits(item, kind.removeprefix("Array of ")) for item in value)
    if kind in _JSON_TYPES:
        return isinstance(value, bool) == (kind == "Boolean") and isinstance(value, _JSON_TYPES[kind])
    if kind == "InputFile":
        return bool(value == "")
    described = telegram()["types"][kind]
    if "subtypes" in described:
        return any(_fits(value, subtype) for subtype in described["subtypes"])
    if not isinstance(value, dict) or (kind.startswith("InputMedia") and value.get("type") != kind.removeprefix("InputMedia").lower()):
        return False
    _check_fields(kind, described["fields"], value)
    return True


def limit(method: str, name: str) -> int:
    """The upper end that the specification states, such as 4096 of ``1-4096 characters``."""
    return int(re.findall(r"\d+", telegram()["methods"][method][name]["limits"][0])[1])

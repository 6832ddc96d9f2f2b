"""Lexicons of the AT Protocol: what a record or a call must look like, checked by the published schemas in ``data``.

https://atproto.com/specs/lexicon; the complaints are worded as the reference PDS words them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import regex

_FORMATS = {
    "at-uri": re.compile(r"at://[a-zA-Z0-9._:%-]+(/[a-zA-Z0-9-.]+(/[a-zA-Z0-9._~:@!$&%')(*+,;=-]+)?)?"),
    "at-identifier": re.compile(
        r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]|([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z][a-zA-Z0-9-]*"
    ),
    "cid": re.compile(r"[a-zA-Z0-9+=]{8,256}"),
    "datetime": re.compile(r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,20})?(Z|[+-][0-2]\d:[0-5]\d)"),
    "did": re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]"),
    "language": re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8})*|i-[a-zA-Z0-9-]+"),
    "nsid": re.compile(r"[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+"),
    "record-key": re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9_~.:-]{1,512}"),
    "uri": re.compile(r"\w+:(//)?[^\s/]\S*"),
}
TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_GRAPHEME = regex.compile(r"\X")


class Invalid(Exception):
    """What does not fit, and where."""


class Lexicons:
    """The published schemas; ``image_max_bytes`` stands in for the lexicon's, which differs from release to release."""

    def __init__(self, *, image_max_bytes: int) -> None:
        self._image_max_bytes = image_max_bytes

    def check_input(self, procedure: str, body: Any) -> None:
        """Raise Invalid unless ``body`` is what the procedure takes."""
        self._check(procedure, _definition(procedure)["input"]["schema"], body, "$")

    def check_params(self, query: str, given: Mapping[str, str]) -> dict[str, Any]:
        """The parameters of a query as what they stand for; raise Invalid unless it takes them."""
        schema = _definition(query)["parameters"]
        numbers = {name for name, inner in schema["properties"].items() if inner["type"] == "integer"}
        read = {name: int(value) if name in numbers and value.lstrip("-").isdigit() else value for name, value in given.items()}
        self._object(query, schema, read, "$")
        return read

    def check_record(self, collection: str, record: Any) -> None:
        """Raise Invalid unless ``record`` may stand in ``collection``; what is not known is not checked."""
        if collection in _all():
            self._check(collection, _definition(collection)["record"], record, "$.record")

    def _check(self, home: str, schema: Mapping[str, Any], value: Any, path: str) -> None:
        kind = schema["type"]
        if kind == "ref":
            home, schema = _resolve(home, schema["ref"])
            self._check(home, schema, value, path)
        elif kind == "union":
            self._union(home, schema, value, path)
        elif kind == "object":
            self._object(home, schema, value, path)
        elif kind == "array":
            self._array(home, schema, value, path)
        elif kind == "blob":
            self._blob(home, schema, value, path)
        elif kind == "string":
            _string(schema, value, path)
        elif kind == "integer":
            _integer(schema, value, path)
        elif kind == "boolean":
            _demand(isinstance(value, bool), "boolean", value, path)
        else:
            _demand(isinstance(value, dict), "object", value, path)

    def _object(self, home: str, schema: Mapping[str, Any], value: Any, path: str) -> None:
        _demand(isinstance(value, dict), "object", value, path)
        for key in schema.get("required", ()):
            if key not in value:
                raise Invalid(f'Missing required key "{key}" at {path}')
        for key, inner in schema["properties"].items():
            if key in value and not (value[key] is None and key in schema.get("nullable", ())):
                self._check(home, inner, value[key], f"{path}.{key}")

    def _union(self, home: str, schema: Mapping[str, Any], value: Any, path: str) -> None:
        if not isinstance(value, dict) or not isinstance(value.get("$type"), str):
            raise Invalid(f'Expected an object which includes the "$type" property value type (got {_said(value)}) at {path}')
        known = {ref.removesuffix("#main"): ref for ref in (_absolute(home, ref) for ref in schema["refs"])}
        ref = known.get(value["$type"].removesuffix("#main"))
        # Unions are open: what another program has invented passes.
        if ref is not None and ref.partition("#")[0] in _all():
            self._check(*_resolve(home, ref), value, path)

    def _array(self, home: str, schema: Mapping[str, Any], value: Any, path: str) -> None:
        _demand(isinstance(value, list), "array", value, path)
        most = schema.get("maxLength")
        if most is not None and len(value) > most:
            raise Invalid(f"array too big (maximum {most}, got {len(value)}) at {path}")
        for index, inner in enumerate(value):
            self._check(home, schema["items"], inner, f"{path}[{index}]")

    def _blob(self, home: str, schema: Mapping[str, Any], value: Any, path: str) -> None:
        whole = isinstance(value, dict) and value.get("$type") == "blob" and isinstance(value.get("size"), int)
        if not whole or not isinstance(value.get("mimeType"), str) or not isinstance(value.get("ref"), dict):
            raise Invalid(f"Expected blob value type (got {_said(value)}) at {path}")
        accepted = schema.get("accept", ["*/*"])
        if not any(_accepts(pattern, value["mimeType"]) for pattern in accepted):
            raise Invalid(f'Expected "{accepted[0]}" (got "{value["mimeType"]}") at {path}.mimeType')
        most = self._image_max_bytes if home == "app.bsky.embed.images" else schema.get("maxSize")
        if most is not None and value["size"] > most:
            raise Invalid(f"blob too big (maximum {most}, got {value['size']}) at {path}")


def blobs_in(value: Any) -> list[dict[str, Any]]:
    """Every blob that a record refers to."""
    if isinstance(value, dict) and value.get("$type") == "blob":
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [blob for one in inner for blob in blobs_in(one)]


def _string(schema: Mapping[str, Any], value: Any, path: str) -> None:
    _demand(isinstance(value, str), "string", value, path)
    size, most = len(value.encode()), schema.get("maxLength")
    if most is not None and size > most:
        raise Invalid(f"string too big (maximum {most}, got {size}) at {path}")
    most = schema.get("maxGraphemes")
    count = len(_GRAPHEME.findall(value)) if most is not None else 0
    if most is not None and count > most:
        raise Invalid(f"grapheme too big (maximum {most}, got {count}) at {path}")
    form = schema.get("format")
    if form in _FORMATS and (not _FORMATS[form].fullmatch(value) or (form == "datetime" and not _is_date(value))):
        raise Invalid(f'Invalid {"record key" if form == "record-key" else form} (got "{value}") at {path}')


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return not value.endswith("-00:00")


def _integer(schema: Mapping[str, Any], value: Any, path: str) -> None:
    _demand(isinstance(value, int) and not isinstance(value, bool), "integer", value, path)
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and value < least:
        raise Invalid(f"integer too small (minimum {least}, got {value}) at {path}")
    if most is not None and value > most:
        raise Invalid(f"integer too big (maximum {most}, got {value}) at {path}")


def _demand(good: bool, kind: str, value: Any, path: str) -> None:
    if not good:
        raise Invalid(f"Expected {kind} value type (got {_said(value)}) at {path}")


def _said(value: Any) -> str:
    return json.dumps(value)[:80]


def _accepts(pattern: str, media_type: str) -> bool:
    return pattern == "*/*" or pattern == media_type or (pattern.endswith("/*") and media_type.startswith(pattern[:-1]))


def _absolute(home: str, ref: str) -> str:
    return f"{home}{ref}" if ref.startswith("#") else ref


def _resolve(home: str, ref: str) -> tuple[str, Mapping[str, Any]]:
    name, _, part = _absolute(home, ref).partition("#")
    return name, _definition(name, part or "main")


def _definition(name: str, part: str = "main") -> Mapping[str, Any]:
    found: Mapping[str, Any] = _all()[name]["defs"][part]
    return found


@cache
def _all() -> dict[str, Any]:
    folder = files("syndicator.sandbox") / "data"
    named = [entry for entry in folder.iterdir() if entry.name.startswith(("app.bsky.", "com.atproto."))]
    return {entry.name.removesuffix(".json"): json.loads(entry.read_text(encoding="utf-8")) for entry in named}

"""Discourse's published specification, reduced to the calls that our simulator answers; and the way it was reduced.

``python -m syndicator.sandbox.discourse_spec discourse-openapi.json`` writes ``data/discourse-openapi.json``: the same input gives the same
bytes. Only shapes are kept, no prose.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

Json = dict[str, Any]

BODIES = {
    "POST /posts.json": ("/posts.json", "post", "application/json"),
    "PUT /posts/{id}.json": ("/posts/{id}.json", "put", "application/json"),
    "PUT /t/-/{id}.json": ("/t/-/{id}.json", "put", "application/json"),
    "POST /uploads.json": ("/uploads.json", "post", "multipart/form-data"),
}
ANSWERS = {
    "POST /posts.json": ("/posts.json", "post"),
    "PUT /posts/{id}.json": ("/posts/{id}.json", "put"),
    "PUT /t/-/{id}.json": ("/t/-/{id}.json", "put"),
    "GET /t/{id}.json": ("/t/{id}.json", "get"),
    "POST /uploads.json": ("/uploads.json", "post"),
    "GET /site.json": ("/site.json", "get"),
}
WITHOUT = frozenset({"suggested_topics", "related_topics", "timeline_lookup"})
"""Large parts of answers that nobody here reads."""
_KEPT = frozenset({"type", "properties", "required", "items", "enum"})

PROVENANCE: Json = {
    "what": "Discourse API (2026-08-20), https://docs.discourse.org/",
    "from": "https://github.com/discourse/discourse_api_docs at 6737ac2, openapi.json",
    "licence": "MIT, as stated in its info.license",
    "reduced": "types and required fields of the requests and answers of six calls; no prose",
}


@cache
def spec() -> Json:
    """``bodies`` and ``answers``: call → schema."""
    found: Json = json.loads(files("syndicator.sandbox").joinpath("data", "discourse-openapi.json").read_text("utf-8"))
    return found


def reduce(document: Json) -> Json:
    """What ``spec`` holds, of the whole specification."""
    paths = document["paths"]
    bodies = {call: _shape(paths[path][verb]["requestBody"]["content"][kind]["schema"]) for call, (path, verb, kind) in BODIES.items()}
    answers = {
        call: _shape(paths[path][verb]["responses"]["200"]["content"]["application/json"]["schema"])
        for call, (path, verb) in ANSWERS.items()
    }
    return {"provenance": PROVENANCE, "bodies": bodies, "answers": answers}


def _shape(schema: Json) -> Json:
    kept = {key: value for key, value in schema.items() if key in _KEPT}
    if "properties" in kept:
        kept["properties"] = {name: _shape(value) for name, value in kept["properties"].items() if name not in WITHOUT}
    if "required" in kept:
        kept["required"] = [name for name in kept["required"] if name not in WITHOUT]
    if "items" in kept:
        kept["items"] = _shape(kept["items"])
    return kept


def filled(schema: Json, given: Json) -> Json:
    """An object with every required field: as ``given``, else empty in its own way."""
    names: list[str] = schema["required"] if "required" in schema else list(schema["properties"])
    made = {name: empty(schema["properties"][name]) for name in names}
    return made | given


def empty(schema: Json) -> Any:
    """The least value of its type; null where that is allowed."""
    types = schema.get("type", "string")
    types = [types] if isinstance(types, str) else types
    if "null" in types:
        return None
    if "object" in types:
        return filled(schema, {}) if "properties" in schema else {}
    return {"array": [], "integer": 0, "number": 0, "boolean": False}.get(types[0], "")


def written(reduced: Json) -> str:
    """As the file holds it."""
    return json.dumps(reduced, ensure_ascii=False, indent=0, sort_keys=True) + "\n"


if __name__ == "__main__":
    target = Path(__file__).parent / "data" / "discourse-openapi.json"
    target.write_text(written(reduce(json.loads(Path(sys.argv[1]).read_text("utf-8")))), "utf-8")

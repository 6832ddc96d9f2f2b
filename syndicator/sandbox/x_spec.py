"""X's published specification, reduced to the calls that our simulator answers; and the way it was reduced.

``python -m syndicator.sandbox.x_spec openapi.json`` writes ``data/x-openapi.json``: the same input gives the same bytes. Only shapes are
kept (types, patterns, limits), no prose.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

Json = dict[str, Any]

BODIES = {
    "POST /2/tweets": "CreatePostsRequest",
    "POST /2/media/upload": "MediaUploadRequest",
    "POST /2/media/upload/initialize": "InitializeMediaUploadRequest",
    "POST /2/media/upload/{id}/append": "AppendMediaUploadRequest",
    "POST /2/media/metadata": "CreateMediaMetadataRequest",
}
ANSWERS = {
    "POST /2/tweets": "CreatePostsResponse",
    "DELETE /2/tweets/{id}": "DeletePostsResponse",
    "POST /2/media/upload": "MediaUploadResponse",
    "GET /2/media/upload": "GetMediaUploadStatusResponse",
    "POST /2/media/upload/initialize": "InitializeMediaUploadResponse",
    "POST /2/media/upload/{id}/append": "AppendMediaUploadResponse",
    "POST /2/media/upload/{id}/finalize": "FinalizeMediaUploadResponse",
    "POST /2/media/metadata": "CreateMediaMetadataResponse",
}
QUERIES = ("/2/users/me", "/2/users/{id}/tweets", "/2/media/upload")
WITHOUT = frozenset(
    {"poll", "geo", "call_to_actions", "audience_policy", "geo_restrictions", "content_expiration", "domain_restrictions", "errors"}
    | {"found_media_origin", "management_info", "preview_image", "sticker_info", "upload_source", "allow_download_status", "shared_info"}
)
"""Fields that nobody here sends."""
SENSITIVE = {"type": "object", "properties": {name: {"type": "boolean"} for name in ("adult_content", "graphic_violence", "other")}}
"""The specification only says "object"; the fields are those of https://docs.x.com/x-api/media/create-media-metadata."""
_KEPT = frozenset(
    {"$ref", "type", "properties", "required", "items", "enum", "pattern", "minimum", "maximum", "minItems", "maxItems", "minLength"}
    | {"maxLength", "uniqueItems", "anyOf", "oneOf", "allOf"}
)

PROVENANCE: Json = {
    "what": "X API v2, OpenAPI 2.167 (2026-08-22), https://docs.x.com/x-api",
    "from": "https://github.com/xdevplatform/docs at 28713281, openapi.json",
    "licence": "X Developer Agreement and Policy, as stated in its info.license; here only the shapes of ten calls, for tests",
    "reduced": "types, patterns and limits of requests and answers; no prose; fields that nobody here sends are left out",
}


@cache
def spec() -> Json:
    """``bodies`` and ``answers`` (call → schema name), ``queries`` (path → name → schema), ``schemas``."""
    found: Json = json.loads(files("syndicator.sandbox").joinpath("data", "x-openapi.json").read_text("utf-8"))
    return found


def reduce(document: Json) -> Json:
    """What ``spec`` holds, of the whole specification."""
    schemas = document["components"]["schemas"]
    reached: dict[str, Json] = {}
    waiting = [*BODIES.values(), *ANSWERS.values()]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = _shape(schemas[name])
            waiting += re.findall(r'"#/components/schemas/(\w+)"', json.dumps(reached[name]))
    reached["CreateMediaMetadataMetadata"]["properties"]["sensitive_media_warning"] = SENSITIVE
    queries = {path: _query(document, path) for path in QUERIES}
    return {"provenance": PROVENANCE, "bodies": BODIES, "answers": ANSWERS, "queries": queries, "schemas": reached}


def _query(document: Json, path: str) -> Json:
    parameters = [_resolved(document, one) for one in document["paths"][path]["get"]["parameters"]]
    wanted = [one for one in parameters if one["in"] == "query" and not one["name"].startswith(("poll.", "place."))]
    return {one["name"]: _shape(_resolved(document, one["schema"])) for one in wanted}


def _resolved(document: Json, value: Json) -> Json:
    if "$ref" not in value:
        return value
    _, _, kind, name = value["$ref"].split("/")
    found: Json = document["components"][kind][name]
    return found


def _shape(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_shape(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: _shape(value) for key, value in schema.items() if key in _KEPT}
    if "properties" in schema:
        found["properties"] = {name: _shape(value) for name, value in schema["properties"].items() if name not in WITHOUT}
    return found


def written(reduced: Json) -> str:
    """The file's text: the same for the same content."""
    return json.dumps(reduced, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    text = written(reduce(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
    (Path(__file__).parent / "data" / "x-openapi.json").write_text(text, encoding="utf-8")

"""YouTube's discovery document, reduced to the calls that our simulator answers; and the way it was reduced.

``python -m syndicator.sandbox.youtube_spec youtube.v3.json`` writes ``data/youtube-discovery.json``: the same input gives the same bytes.
Only shapes are kept, no prose.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CALLS = {
    "insert": ("videos", "insert"),
    "update": ("videos", "update"),
    "delete": ("videos", "delete"),
    "channels": ("channels", "list"),
    "playlistItems": ("playlistItems", "list"),
}
SCHEMAS = {
    "Video": frozenset({"id", "kind", "snippet", "status"}),
    "VideoSnippet": frozenset(
        {"title", "description", "tags", "categoryId", "defaultLanguage", "defaultAudioLanguage", "channelId", "publishedAt"}
    ),
    "VideoStatus": frozenset({"privacyStatus", "selfDeclaredMadeForKids", "license", "embeddable", "uploadStatus", "publishAt"}),
}
"""What is sent and answered here, and which of its fields."""
_KEPT = frozenset({"type", "$ref", "enum", "items"})

PROVENANCE: Json = {
    "what": "YouTube Data API v3, discovery document of revision 20261104, https://developers.google.com/youtube/v3",
    "from": "google-api-python-client 2.202.0, googleapiclient/discovery_cache/documents/youtube.v3.json",
    "licence": "Apache-2.0, as stated by that package",
    "reduced": "types and values of a video's words and status, and the parameters of five calls; no prose",
}


@cache
def spec() -> Json:
    """``schemas``, ``calls`` (their parameters and scopes) and ``max_bytes`` of an upload."""
    found: Json = json.loads(files("syndicator.sandbox").joinpath("data", "youtube-discovery.json").read_text("utf-8"))
    return found


def reduce(document: Json) -> Json:
    """What ``spec`` holds, of the whole document."""
    methods = {name: document["resources"][resource]["methods"][verb] for name, (resource, verb) in CALLS.items()}
    known = {name: _shape(value) for name, value in document["parameters"].items()} | {"uploadType": {"type": "string"}}
    calls = {
        name: {
            "parameters": known | {key: _shape(value) for key, value in method["parameters"].items()},
            "required": [key for key, value in method["parameters"].items() if value.get("required")],
            "scopes": method["scopes"],
        }
        for name, method in methods.items()
    }
    schemas = {
        name: {
            "type": "object",
            "properties": {key: _shape(value) for key, value in document["schemas"][name]["properties"].items() if key in kept},
        }
        for name, kept in SCHEMAS.items()
    }
    upload = methods["insert"]["mediaUpload"]
    return {"provenance": PROVENANCE, "calls": calls, "schemas": schemas, "accept": upload["accept"], "max_bytes": int(upload["maxSize"])}


def _shape(schema: Json) -> Json:
    return {key: _shape(value) if key == "items" else value for key, value in schema.items() if key in _KEPT}


def written(reduced: Json) -> str:
    """As the file holds it."""
    return json.dumps(reduced, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    target = Path(__file__).parent / "data" / "youtube-discovery.json"
    target.write_text(written(reduce(json.loads(Path(sys.argv[1]).read_text("utf-8")))), "utf-8")

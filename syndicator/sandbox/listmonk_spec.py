"""listmonk's published specification, reduced to the calls that our simulator answers; and the way it was reduced.

``python -m syndicator.sandbox.listmonk_spec listmonk-openapi.json`` writes ``data/listmonk-openapi.json``: the same input gives the same
bytes. The project publishes YAML; any program turns that into the JSON that is read here. Only shapes are kept, no prose.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SCHEMAS = ("Campaign", "CampaignRequest", "CampaignUpdate", "List", "Template")
_KEPT = frozenset({"type", "properties", "required", "items", "enum"})

PROVENANCE: Json = {
    "what": "listmonk API, https://listmonk.app/docs/swagger/",
    "from": "https://github.com/knadh/listmonk at 911e0b77 (2026-07-21), docs/swagger/collections.yaml",
    "licence": "AGPL-3.0, as stated in its info.license",
    "reduced": "types of the campaigns, lists and templates of six calls; no prose",
}


@cache
def spec() -> Json:
    """``schemas``: name → schema; ``status``: the body of a change of status."""
    found: Json = json.loads(files("syndicator.sandbox").joinpath("data", "listmonk-openapi.json").read_text("utf-8"))
    return found


@cache
def request_schema() -> Json:
    """The body that makes or changes a campaign. The published request has no body, text part or template, and hides headers inside
    ``send_at``; those stand in the schema of the answer to it, and the source (``campReq``) reads them.
    """
    schemas = spec()["schemas"]
    return {"type": "object", "properties": {**schemas["CampaignUpdate"]["properties"], **schemas["CampaignRequest"]["properties"]}}


def reduce(document: Json) -> Json:
    """What ``spec`` holds, of the whole specification."""
    schemas = document["components"]["schemas"]
    status = document["paths"]["/campaigns/{id}/status"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    return {"provenance": PROVENANCE, "schemas": {name: _shape(schemas[name]) for name in SCHEMAS}, "status": _shape(status)}


def _shape(schema: Json) -> Json:
    kept = {key: value for key, value in schema.items() if key in _KEPT}
    if "properties" in kept:
        kept["properties"] = {name: _shape(value) for name, value in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _shape(kept["items"])
    return kept


def written(reduced: Json) -> str:
    """As the file holds it."""
    return json.dumps(reduced, ensure_ascii=False, indent=0, sort_keys=True) + "\n"


if __name__ == "__main__":
    target = Path(__file__).parent / "data" / "listmonk-openapi.json"
    target.write_text(written(reduce(json.loads(Path(sys.argv[1]).read_text("utf-8")))), "utf-8")

"""Meta's own specification of its Graph API, reduced to the calls that our simulators answer.

``python -m syndicator.sandbox.graph_spec FOLDER``, where FOLDER holds ``Page.json`` and its like, writes ``data/graph.Page.json`` and so
on: the same input gives the same bytes. Each file says where it came from.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CALLS: Mapping[str, tuple[str, ...]] = {
    "Page": ("POST feed", "POST photos", "POST videos", "GET published_posts", "GET #get"),
    "PagePost": ("POST #update", "DELETE #delete", "GET #get"),
    "AdVideo": ("POST #update", "DELETE #delete", "GET #get"),
    "IGUser": ("POST media", "POST media_publish", "GET media", "GET content_publishing_limit", "GET #get"),
    "IGMedia": ("GET #get",),
    "IGUserForIGOnlyAPI": ("POST media", "GET media", "GET content_publishing_limit", "GET #get"),
    "IGMediaForIGOnlyAPI": ("GET #get",),
}
"""Node → its calls; ``#get``, ``#update`` and ``#delete`` are those on the node itself."""
PROVENANCE = {
    "what": "Meta Graph API, nodes as its own SDKs are generated from (2026-04-15)",
    "from": "https://github.com/facebook/facebook-business-sdk-codegen at ad2b0b6, api_specs/specs",
    "licence": "Meta platform licence, graph.LICENSE beside this file",
    "reduced": "parameters of the calls that the simulators answer, with their types; names of the fields that can be read",
}
_ENUM = re.compile(r"\w+_enum(_param)?|[a-z]+_[a-z_]+")


@cache
def node(name: str) -> Json:
    """``calls`` (call → parameter → type) and ``fields`` of a node."""
    found: Json = json.loads(files("syndicator.sandbox").joinpath("data", f"graph.{name}.json").read_text("utf-8"))
    return found


def reduce(spec: Json, calls: tuple[str, ...]) -> Json:
    """The calls named, and every field."""
    found = {f"{call['method']} {call.get('endpoint') or call.get('name')}": call["params"] for call in spec["apis"]}
    parameters = {call: {parameter["name"]: parameter["type"] for parameter in found[call]} for call in calls}
    return {"provenance": PROVENANCE, "calls": parameters, "fields": sorted(field["name"] for field in spec["fields"])}


def wrong(name: str, call: str, given: Mapping[str, Any]) -> Iterator[str]:
    """What the specification says against these parameters of that call."""
    known = node(name)["calls"][call]
    for parameter, value in given.items():
        if parameter not in known:
            yield f"Param {parameter} is not one of {call}"
        elif not fits(value, known[parameter]):
            yield f"Param {parameter} must be {known[parameter]}"


def fits(value: Any, kind: str) -> bool:
    """Whether a value, as JSON or as the text of a form, is of a type in Meta's words."""
    if kind in ("string", "datetime", "file") or _ENUM.fullmatch(kind):
        return isinstance(value, str | int)
    if kind == "Object":
        # Meta's word for an id, or for whatever else it does not describe.
        return True
    if kind == "bool":
        return isinstance(value, bool) or str(value).lower() in ("true", "false", "0", "1")
    if kind in ("unsigned int", "int", "float"):
        return not isinstance(value, bool) and re.fullmatch(r"-?\d+(\.\d+)?", str(value)) is not None
    wanted = dict if kind == "map" else list
    try:
        return isinstance(json.loads(value) if isinstance(value, str) else value, wanted)
    except ValueError:
        return False


def written(reduced: Json) -> str:
    """The file's text: the same for the same content."""
    return json.dumps(reduced, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(folder: str) -> None:
    """Reduce the specifications in ``folder`` and put them where the simulators look."""
    for name, calls in CALLS.items():
        text = written(reduce(json.loads((Path(folder) / f"{name}.json").read_text("utf-8")), calls))
        (Path(__file__).parent / "data" / f"graph.{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:2])

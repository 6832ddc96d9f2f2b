"""Does a value have the shape that an OpenAPI 3.1 schema asks for? The keywords that published specifications use, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """One place where the value is not as asked; ``keyword`` is the schema's word that says so."""

    path: Path
    keyword: str
    limit: Any = None


def flaws(schema: Schema, value: Any, schemas: Mapping[str, Schema], path: Path = ()) -> Iterator[Flaw]:
    """Everything wrong with ``value``. A property that the schema does not know is wrong too: it would be ignored in silence, and so
    would a typing error.
    """
    if "$ref" in schema:
        yield from flaws(schemas[schema["$ref"].rpartition("/")[2]], value, schemas, path)
        return
    for part in schema.get("allOf", []):
        yield from flaws(part, value, schemas, path)
    yield from _union(schema, value, schemas, path)
    types = schema.get("type", [])
    if types and not any(_is(value, name) for name in ([types] if isinstance(types, str) else types)):
        yield Flaw(path=path, keyword="type", limit=types)
    elif isinstance(value, str):
        yield from _text(schema, value, path)
    elif isinstance(value, list):
        yield from _array(schema, value, schemas, path)
    elif isinstance(value, dict):
        yield from _object(schema, value, schemas, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(schema, value, path)


def _union(schema: Schema, value: Any, schemas: Mapping[str, Schema], path: Path) -> Iterator[Flaw]:
    choices = schema.get("oneOf") or schema.get("anyOf") or []
    attempts = [list(flaws(choice, value, schemas, path)) for choice in choices]
    if attempts and all(attempts):
        # What is wrong with the choice that was meant: the one that gets furthest.
        yield from max(attempts, key=lambda found: max(len(flaw.path) for flaw in found))
    if "const" in schema and value != schema["const"]:
        yield Flaw(path=path, keyword="const", limit=schema["const"])
    if "enum" in schema and value not in schema["enum"]:
        yield Flaw(path=path, keyword="enum", limit=schema["enum"])


def _is(value: Any, name: str) -> bool:
    if name == "null":
        return value is None
    if name in ("integer", "number"):
        return isinstance(value, int if name == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, {"string": str, "boolean": bool, "array": list, "object": dict}[name])


def _text(schema: Schema, value: str, path: Path) -> Iterator[Flaw]:
    yield from _size(schema, len(value), "Length", path)
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield Flaw(path=path, keyword="pattern", limit=schema["pattern"])


def _array(schema: Schema, value: list[Any], schemas: Mapping[str, Schema], path: Path) -> Iterator[Flaw]:
    yield from _size(schema, len(value), "Items", path)
    if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
        yield Flaw(path=path, keyword="uniqueItems")
    for index, item in enumerate(value):
        yield from flaws(schema.get("items", {}), item, schemas, (*path, str(index)))


def _object(schema: Schema, value: dict[str, Any], schemas: Mapping[str, Schema], path: Path) -> Iterator[Flaw]:
    for name in schema.get("required", []):
        if name not in value:
            yield Flaw(path=(*path, name), keyword="required")
    properties = schema.get("properties")
    if properties is None:
        return
    for name, item in value.items():
        if name in properties:
            yield from flaws(properties[name], item, schemas, (*path, name))
        else:
            yield Flaw(path=(*path, name), keyword="unknown")


def _number(schema: Schema, value: float, path: Path) -> Iterator[Flaw]:
    if value < schema.get("minimum", value):
        yield Flaw(path=path, keyword="minimum", limit=schema["minimum"])
    if value > schema.get("maximum", value):
        yield Flaw(path=path, keyword="maximum", limit=schema["maximum"])


def _size(schema: Schema, size: int, what: str, path: Path) -> Iterator[Flaw]:
    for keyword, wrong in (("min", size < schema.get(f"min{what}", size)), ("max", size > schema.get(f"max{what}", size))):
        if wrong:
            yield Flaw(path=path, keyword=f"{keyword}{what}", limit=schema[f"{keyword}{what}"])

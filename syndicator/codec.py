"""Items, renditions and receipts as JSON and back, without loss: what the store keeps.

Instants are kept in UTC (an event's wall clock is its ``timezone``), fields at their default are left out, unknown fields of a newer
version are ignored, so a database survives an upgrade and the way back. Pure.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import types
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from syndicator.model import Actor, Event, Item, Place, Post

T = TypeVar("T")

NOT_CONTENT = frozenset({"source", "sequence", "updated_at"})
"""Fields whose change is no change of the item: ours, or moved by the origin for reasons of its own."""


def encode(value: Any) -> dict[str, Any]:
    """A model object as plain JSON data."""
    data: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        if field.default is not dataclasses.MISSING and content == field.default:
            continue
        data[field.name] = _plain(content)
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if dataclasses.is_dataclass(value):
        return encode(value)
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value


def decode(kind: type[T], data: dict[str, Any]) -> T:
    """The model object of class ``kind`` that ``encode`` made ``data`` from."""
    readers = _readers(cast("Hashable", kind))
    return kind(**{name: readers[name](value) for name, value in data.items() if name in readers})


def _shared(kind: type[T], data: dict[str, Any]) -> T:
    """``decode``, and one object for all that are equal: an agenda has few places and organisers, each many times."""
    known = _readers(cast("Hashable", kind))
    return cast("T", _one_of_each(cast("Hashable", kind), tuple(item for item in data.items() if item[0] in known)))


@functools.lru_cache(maxsize=512)
def _one_of_each(kind: Any, items: tuple[tuple[str, Any], ...]) -> Any:
    return decode(kind, dict(items))


@functools.cache
def _readers(kind: Any) -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in dataclasses.fields(kind)}


def _reader(hint: Any) -> Callable[[Any], Any]:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = _reader(next(part for part in get_args(hint) if part is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is Literal:
        return _same
    if origin is tuple:
        parts = get_args(hint)
        if len(parts) == 2 and parts[1] is Ellipsis:
            each = _reader(parts[0])
            return lambda value: tuple(each(part) for part in value)
        eachs = [_reader(part) for part in parts]
        return lambda value: tuple(read(part) for read, part in zip(eachs, value, strict=True))
    if hint is datetime:
        return datetime.fromisoformat
    if hint in (Place, Actor):
        return functools.partial(_shared, cast("type[Any]", hint))
    if dataclasses.is_dataclass(hint):
        return functools.partial(decode, cast("type[Any]", hint))
    return _same


def _same(value: Any) -> Any:
    return value


def dump(value: Any) -> str:
    """A model object as compact JSON text with a stable order."""
    return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8", "replace").decode()


def load(kind: type[T], text: str) -> T:
    """What ``dump`` wrote."""
    return decode(kind, json.loads(text))


def dump_item(item: Item) -> str:
    """An item with its class."""
    return ("E" if isinstance(item, Event) else "P") + dump(item)


def load_item(text: str) -> Item:
    """What ``dump_item`` wrote."""
    return load(Event, text[1:]) if text[0] == "E" else load(Post, text[1:])


def content_hash(item: Item) -> str:
    """What changes when, and only when, the item's content does; 32 hexadecimal digits."""
    data = {name: value for name, value in encode(item).items() if name not in NOT_CONTENT}
    text = json.dumps([type(item).__name__, data], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def delivery_key(uid: str, destination: str, purpose: str, revision: int, part: int) -> str:
    """Same delivery, same key, for ever: a UUID-like text any service takes as an idempotency key."""
    digest = hashlib.sha256("\n".join([uid, destination, purpose, str(revision), str(part)]).encode("utf-8", "replace")).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"

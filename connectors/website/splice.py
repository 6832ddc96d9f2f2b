"""Lists of records in data files: those of events that did not change are taken over from the file as it stands, not made again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from connectors.website.scene import Scene
from syndicator.model import Event

_BEGIN = b"\n  {\n"
_END = b"\n  }"
_NEXT = _END + b","
"""A record is indented by two: no line inside it is, and no text holds a line break. A piece is a record without its first brace."""


def document(head: Mapping[str, Any], lists: Mapping[str, Sequence[bytes]]) -> bytes:
    """A whole file: what is said of all records, then the lists of them."""
    return b",\n".join([encoded(head)[:-2], *(f' "{name}": '.encode() + _list(records) for name, records in lists.items())]) + b"\n}\n"


def spliced(scene: Scene, path: str, events: Iterable[Event], made: Callable[[Event], Mapping[str, Any]]) -> list[bytes]:
    """The record of each event. ``made`` makes one; its first value is what is found under that name in the file: the event's ``uid``."""
    standing = _pieces(scene.standing.read(path) or b"") if scene.changed is not None else {}
    return [_piece(scene, event, made, standing) for event in events]


def encoded(value: Any) -> bytes:
    """One value a line, accents as they are."""
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _piece(scene: Scene, event: Event, made: Callable[[Event], Mapping[str, Any]], standing: Mapping[bytes, bytes]) -> bytes:
    if scene.changed is not None and event.uid not in scene.changed:
        known = standing.get(encode_basestring(event.uid).encode())
        if known is not None:
            return known
    return b"  " + encoded(made(event))[2:].replace(b"\n", b"\n  ")


def _pieces(data: bytes) -> dict[bytes, bytes]:
    """The first value of each record, encoded → the record, as it stands in a file that ``document`` made."""
    found: dict[bytes, bytes] = {}
    for piece in data.split(_BEGIN)[1:]:
        first = piece[piece.index(b": ") + 2 : piece.index(b",\n")]
        found[first] = piece[:-1] if piece.endswith(_NEXT) else piece[: piece.index(_END) + len(_END)]
    return found


def _list(records: Sequence[bytes]) -> bytes:
    return b"[" + _BEGIN + (b"," + _BEGIN).join(records) + b"\n ]" if records else b"[]"

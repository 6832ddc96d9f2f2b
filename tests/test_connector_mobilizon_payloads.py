"""Mobilizon's objects become items: one file a case, ``tests/data/mobilizon``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.mobilizon.parse import MalformedItem, Setting, event_from, post_from
from syndicator.model import Actor, Attachment, Event, Item, Offer, Place, Post

PAIRS = sorted((Path(__file__).parent / "data" / "mobilizon").glob("*.json"))
SETTING = Setting(host="mobilizon.example", timezone="Europe/Paris")
OBJECTS = {"organizer": Actor, "author": Actor, "place": Place, "image": Attachment}
LISTS = {"offers": Offer, "attachments": Attachment}


def item_of(kind: str, fields: dict[str, Any]) -> Item:
    """The item that a file describes."""
    built = {name: _value(name, value) for name, value in fields.items()}
    return Event(**built) if kind == "event" else Post(**built)


def _value(name: str, value: Any) -> Any:
    if name.endswith("_at") and value is not None:
        return datetime.fromisoformat(value)
    if name in OBJECTS:
        return OBJECTS[name](**value)
    if name in LISTS:
        return tuple(LISTS[name](**entry) for entry in value)
    if name == "accessibility":
        return tuple((key, word) for key, word in value)
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_an_object_becomes_its_item(path: Path) -> None:
    """The whole item, field by field, is what the file says; ``why`` in the file says what it is about."""
    pair = json.loads(path.read_text("utf-8"))
    build = event_from if pair["kind"] == "event" else post_from
    item = build(pair["payload"], SETTING)

    assert item == item_of(pair["kind"], pair["expected"])
    if isinstance(item, Event):
        assert str(item.starts_at.tzinfo) == item.timezone


@pytest.mark.parametrize(("change", "named"), [
    ({"url": None}, "no url"),
    ({"title": "  "}, "no title"),
    ({"beginsOn": None}, "no beginsOn"),
    ({"beginsOn": "tomorrow"}, "beginsOn is 'tomorrow'"),
    ({"endsOn": "2026-13-01T00:00:00Z"}, "endsOn is '2026-13-01T00:00:00Z'"),
])  # fmt: skip
def test_what_cannot_be_shown_is_named(change: dict[str, Any], named: str) -> None:
    """An object without what an item needs names the field."""
    payload = json.loads((PAIRS[0].parent / "event-in-winter.json").read_text("utf-8"))["payload"] | change

    with pytest.raises(MalformedItem) as caught:
        event_from(payload, SETTING)
    assert str(caught.value) == named

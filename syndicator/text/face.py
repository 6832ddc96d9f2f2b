"""What a generated picture says, and how it travels: as the address of an attachment, so that it is made like any other picture is fetched.

Pure. ``render`` makes the face, ``media.fetch`` draws it (``drawing.py``); the same face gives the same picture.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from urllib.parse import quote, unquote

SCHEME = "card:"


@dataclass(frozen=True, kw_only=True)
class Face:
    """The words and the dress of a picture for an item that has none."""

    title: str
    facts: tuple[str, ...] = ()
    """When and where, a line each, in the reader's language."""
    name: str = ""
    """The association's."""
    colour: str = ""
    """``#rrggbb``; empty for ours."""
    logo: str = ""
    """The path of its picture file; empty for none."""
    language: str = "fr"


def to_url(face: Face) -> str:
    """The address that stands for this picture."""
    return SCHEME + quote(json.dumps(asdict(face), ensure_ascii=False, sort_keys=True, separators=(",", ":")), safe="")


def from_url(url: str) -> Face | None:
    """The face that an address stands for; None when it is an ordinary address, or damaged."""
    if not url.startswith(SCHEME):
        return None
    try:
        raw = json.loads(unquote(url.removeprefix(SCHEME)))
        face = Face(**(raw | {"facts": tuple(raw.get("facts", ()))}))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    return (
        face if all(isinstance(part, str) for part in (face.title, *face.facts, face.name, face.colour, face.logo, face.language)) else None
    )

"""What a generated picture says, and how it travels: as the address of an attachment, so that it is made like any other picture is fetched.

Pure. ``render`` makes the face, ``media.fetch`` draws it (``drawing.py``); the same face gives the same picture.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from urllib.parse import quote, unquote

SCHEME = "card:"
TEXT_MAX = 2_000
FACTS_MAX = 4


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
    return SCHEME + quote(json.dumps(asdict(face), ensure_ascii=False, sort_keys=True, separators=(",", ":")), safe="", errors="replace")


def from_url(url: str) -> Face | None:
    """The face that an address stands for; None when it is an ordinary address, or damaged."""
    if not url.startswith(SCHEME):
        return None
    try:
        raw = json.loads(unquote(url.removeprefix(SCHEME)))
        face = Face(**(raw | {"facts": tuple(raw.get("facts", ()))}))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    said = face.title, *face.facts, face.name, face.colour, face.logo, face.language
    return _bounded(face) if all(isinstance(part, str) for part in said) else None


def _bounded(face: Face) -> Face:
    """No more of it than a picture could show, however much a stranger's address says."""
    facts = tuple(fact[:TEXT_MAX] for fact in face.facts[:FACTS_MAX])
    return replace(face, title=face.title[:TEXT_MAX], facts=facts, name=face.name[:TEXT_MAX])

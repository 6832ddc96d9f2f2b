"""Whether a status on our own timeline is the one that a rendition made. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from syndicator.model import Rendition
from syndicator.text.html import to_text


def is_part(status: Mapping[str, Any], rendition: Rendition) -> bool:
    """Whether all but the text agrees: warning, place in a thread, number of media, alt texts of what has no text."""
    there = status.get("media_attachments") or []
    if _words(str(status.get("spoiler_text") or "")) != _words(rendition.content_warning):
        return False
    # A later part always answers the one before; a first part may well answer an earlier post of the same thread.
    if (rendition.part > 0 and not status.get("in_reply_to_id")) or len(there) > len(rendition.attachments):
        return False
    if rendition.text.strip():
        return True
    alts = sorted(_words(str(one.get("description") or "")) for one in there)
    return alts == sorted(_words(attachment.description) for attachment in rendition.attachments)


def same_text(status: Mapping[str, Any], rendition: Rendition) -> bool:
    """Whether it shows exactly that text."""
    return _words(to_text(str(status.get("content") or ""))) == _words(rendition.text)


def alike(status: Mapping[str, Any], rendition: Rendition) -> bool:
    """Whether it shows the same letters and digits, so that a server's own markup may make the difference."""
    letters = _letters(rendition.text)
    return bool(letters) and _letters(to_text(str(status.get("content") or ""))) == letters


def _words(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _letters(text: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFC", text).casefold() if character.isalnum())

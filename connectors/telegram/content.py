"""What a message holds, in the words of the Bot API. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syndicator.errors import OutcomeUnknown
from syndicator.media import MediaFile, VideoFile
from syndicator.model import Attachment, Receipt, Rendition

ENTITIES_MAX = 100
"""https://core.telegram.org/api/entities#entity-length: what comes after has no effect."""

Fields = dict[str, Any]
File = MediaFile | VideoFile
"""A picture in memory, or a video on disk."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A picture or a video, and what is said of it."""

    file: File
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """``photo`` or ``video``."""
        return "video" if isinstance(self.file, VideoFile) else "photo"


def piece_of(file: File, attachment: Attachment, rendition: Rendition) -> Piece:
    """What is sensitive lies under a blur; a video has its shape and length, which Telegram does not look for."""
    about: Fields = {"has_spoiler": True} if rendition.sensitive else {}
    if isinstance(file, VideoFile):
        about["supports_streaming"] = True
        if attachment.width and attachment.height:
            about |= {"width": attachment.width, "height": attachment.height}
        if file.duration_s:
            about["duration"] = round(file.duration_s)
    return Piece(file=file, about=about)


def text_of(rendition: Rendition, *, preview: bool) -> Fields:
    """Without parse_mode, every sign is itself; words that are links are named beside the text."""
    return _said("text", "entities", rendition) | {"link_preview_options": {"is_disabled": not preview}}


def caption_of(rendition: Rendition) -> Fields:
    """The text below pictures."""
    return _said("caption", "caption_entities", rendition)


def album_of(named: Mapping[str, Piece], rendition: Rendition) -> list[Fields]:
    """Several pictures, the text below the first."""
    album: list[Fields] = [media_of(name, piece) for name, piece in named.items()]
    if rendition.text:
        album[0] |= caption_of(rendition)
    return album


def media_of(name: str, piece: Piece) -> Fields:
    """One picture or video of an album, or in the place of another; its file travels as ``name``."""
    return {"type": piece.kind, "media": f"attach://{name}", **piece.about}


def origins(rendition: Rendition) -> str:
    """Which media it shows."""
    return " ".join(attachment.url for attachment in rendition.attachments)


def receipt_of(messages: Any, *, form: str, media: str = "") -> Receipt:
    """The first message stands for all of an album; the others are needed to delete it."""
    if not isinstance(messages, list) or not all(isinstance(message, dict) and message.get("message_id") for message in messages):
        raise OutcomeUnknown("the answer names no message")
    first, others = messages[0], messages[1:]
    username = (first.get("chat") or {}).get("username")
    data = {
        "form": form,
        "date": str(first.get("date", 0)),
        "media": media,
        "also": ",".join(str(message["message_id"]) for message in others),
    }
    return Receipt(
        remote_id=str(first["message_id"]),
        url=f"https://t.me/{username}/{first['message_id']}" if username else None,
        data=tuple((name, value) for name, value in data.items() if value),
    )


def _said(name: str, entities_name: str, rendition: Rendition) -> Fields:
    entities = [
        {
            "type": "text_link",
            "offset": _units(rendition.text[: one.start]),
            "length": _units(rendition.text[one.start : one.end]),
            "url": one.url,
        }
        for one in rendition.spans[:ENTITIES_MAX]
    ]
    return {name: rendition.text, **({entities_name: entities} if entities else {})}


def _units(text: str) -> int:
    """https://core.telegram.org/bots/api#messageentity: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2

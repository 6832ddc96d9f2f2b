"""Which pictures and videos of an item a destination gets, and what their alt text is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from syndicator.contract import Limits, MediaLimits
from syndicator.model import Attachment
from syndicator.text.clean import clean
from syndicator.text.shorten import shorten


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What goes along, and what a person should know of it."""

    attachments: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def incomplete(self) -> bool:
        """Whether something stayed at home, so that the way home must be shown."""
        return bool({"media-left-out", "video-as-picture", "sensitive-media-left-out"} & set(self.notes))


def choose(
    attachments: Sequence[Attachment], limits: Limits, *, sensitive: bool, default_alt: str = "", face: Attachment | None = None
) -> Chosen:
    """The attachments that the destination takes, in the author's order.

    Pictures are resized and re-encoded later, so that only their number counts here; a video that it does not take becomes its still
    picture. Where pictures and videos cannot stand together, the kind that comes first wins. What the author hid is never shown bare.
    Where the network insists on a picture and there is none, it gets ``face``, made for it.
    """
    notes: list[str] = []
    if sensitive and attachments and not (limits.content_warning or limits.sensitive_media):
        notes, attachments = ["sensitive-media-left-out"], ()
    usable = [made for attachment in attachments if (made := _usable(attachment, limits.media, notes)) is not None]
    kept = _counted(usable, limits.media)
    if len(kept) < len(attachments):
        notes.append("media-left-out")
    if limits.media.image_required and not kept and face is not None:
        notes.append("picture-made")
        kept = [face]
    described = tuple(_described(attachment, limits.media, default_alt, notes) for attachment in kept)
    return Chosen(attachments=described, notes=tuple(dict.fromkeys(notes)))


def _usable(attachment: Attachment, media: MediaLimits, notes: list[str]) -> Attachment | None:
    """``attachment``, or its still picture, or None."""
    if attachment.type == "image":
        return attachment if media.images_max else None
    if attachment.type in {"video", "gifv"} and _takes_video(attachment, media):
        return attachment
    if attachment.type in {"video", "gifv"} and attachment.preview_url and media.images_max:
        notes.append("video-as-picture")
        return Attachment(url=attachment.preview_url, description=attachment.description)
    return None


def _takes_video(attachment: Attachment, media: MediaLimits) -> bool:
    if not media.videos_max or (attachment.media_type is not None and attachment.media_type not in media.video_types):
        return False
    size, most = attachment.size_bytes, media.video_max_bytes
    duration, longest = attachment.duration_s, media.video_max_s
    return not (size is not None and most is not None and size > most) and not (
        duration is not None and longest is not None and duration > longest
    )


def _counted(usable: Sequence[Attachment], media: MediaLimits) -> list[Attachment]:
    """As many of each kind as fit in one post."""
    room = {"image": media.images_max, "video": media.videos_max}
    kept: list[Attachment] = []
    for attachment in usable:
        kind = "image" if attachment.type == "image" else "video"
        first = "image" if not kept or kept[0].type == "image" else "video"
        if room[kind] and (media.mixed or not kept or kind == first):
            room[kind] -= 1
            kept.append(attachment)
    return kept


def _described(attachment: Attachment, media: MediaLimits, default_alt: str, notes: list[str]) -> Attachment:
    alt = clean(attachment.description).strip() or default_alt
    if not alt:
        notes.append("alt-missing")
    if media.alt_max == 0 or not alt:
        return replace(attachment, description="")
    cut = alt if media.alt_max is None else shorten(alt, Limits(text_max=media.alt_max))
    if cut != alt:
        notes.append("alt-cut")
    return replace(attachment, description=cut)

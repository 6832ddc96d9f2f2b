"""What an edit does to what is out already: the route's wish × what the network can do. Pure.

The table, also in ``docs/operating.md``; what the network cannot do falls back, from left to right:

=========  ==========================================================================
update     edited in place, else nothing; an event that moved or is cancelled: else a note
replace    removed and posted anew, else edited in place, else a note, else nothing
note       a note, else edited in place, else nothing
ignore     nothing
=========  ==========================================================================

``notice`` of the route adds to that for events: ``never`` takes the notes away, ``always`` tells with a note what moved, beside the edit.

What no reader sees (an alt text, a date) makes no noise: it is edited in place where that can be, and nothing happens elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from syndicator.model import Attachment, Rendition
from syndicator.route import Route

Wish = Literal["update", "replace", "note", "ignore"]
Means = Literal["in-place", "anew", "note", "nothing"]


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """What can be done there to what is out."""

    edits: bool
    removes: bool
    notes: bool
    """Whether a short text of its own can be posted there: not where only videos or events are shown."""


def means_for(route: Route, abilities: Abilities, *, seen: bool, moved: bool = False) -> Means:
    """How an edit arrives; ``seen`` tells whether a reader would notice it, ``moved`` whether they must: it is an event's date, place or
    title, or its cancellation.
    """
    if route.edit == "ignore":
        return "nothing"
    if seen and route.edit == "replace" and abilities.removes:
        return "anew"
    if seen and abilities.notes and (route.edit == "note" or (route.edit == "replace" and not abilities.edits)):
        return "note"
    if abilities.edits:
        return "in-place"
    return "note" if moved and abilities.notes else "nothing"


def as_seen(renditions: Iterable[Rendition]) -> tuple[Rendition, ...]:
    """The renditions as readers see them: two that are equal need no second post."""
    return tuple(_as_seen(rendition) for rendition in renditions)


def _as_seen(rendition: Rendition) -> Rendition:
    card = rendition.card
    if card is not None and card.image is not None:
        card = replace(card, image=_picture(card.image))
    return replace(
        rendition,
        card=card,
        attachments=tuple(_picture(attachment) for attachment in rendition.attachments),
        language=None,
        visibility="public",
        tags=(),
        # Its dates and place are in the text too.
        event=None,
        published_at=None,
        notes=(),
    )


def _picture(attachment: Attachment) -> Attachment:
    return Attachment(url=attachment.url, type=attachment.type)

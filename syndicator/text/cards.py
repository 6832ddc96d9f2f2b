"""Cards for links and pictures for items that have none, made of what the item says."""

from __future__ import annotations

from collections.abc import Sequence

from syndicator.contract import Limits
from syndicator.model import Attachment, Card, Event, Item, Post
from syndicator.text.attachments import Chosen
from syndicator.text.clean import clean
from syndicator.text.face import Face, to_url
from syndicator.text.phrases import phrase
from syndicator.text.shorten import ELLIPSIS, shorten
from syndicator.text.wording import Wording

TITLE_MAX = 120
"""Graphemes of a generated picture's title, and of a card's."""
DESCRIPTION_MAX = 200
"""Graphemes of a card's description."""


def face(wording: Wording, title: str, warning: str) -> Attachment:
    """The picture to draw for an item, and its alt text, in the same words. What is behind a warning at home is not on it."""
    title = f"⚠ {warning}" if warning else title
    facts = tuple(fact for fact in (wording.when(), wording.place()) if fact) if not warning else ()
    title = _cut(title or wording.association.name, TITLE_MAX)
    dress = wording.association
    drawn = Face(title=title, facts=facts, name=dress.name, colour=dress.colour, logo=str(dress.logo or ""), language=wording.language)
    return Attachment(url=to_url(drawn), description=phrase(wording.language, "face", words=" — ".join([title, *facts])))


def card(wording: Wording, url: str, title: str, excerpt: str, chosen: Chosen, warning: str) -> Card:
    """The preview of the way home: the title, and of the ``excerpt`` what the title does not say."""
    item, shown = wording.item, _cut(title, TITLE_MAX)
    if warning:
        return Card(url=url, title=_cut(f"⚠ {warning}", TITLE_MAX), image=_hidden_image(wording, warning, chosen))
    facts = " · ".join(fact for fact in (wording.when(), wording.place()) if fact) if isinstance(item, Event) else ""
    said = " — ".join(piece for piece in (facts, " ".join(_rest(excerpt, shown).split())) if piece)
    return Card(url=url, title=shown, description=_cut(said, DESCRIPTION_MAX), image=_image(wording, title, chosen))


def in_card(item: Item) -> bool:
    """Whether its picture only stands for the page that the link leads to, so that it belongs on the link's card."""
    return isinstance(item, Post) and item.kind in {"article", "video", "live"}


def _image(wording: Wording, title: str, chosen: Chosen) -> Attachment | None:
    """A picture of the item's that is not in the post; for what has a title, one that is made for it."""
    item = wording.item
    if chosen.attachments:
        return None
    if not (isinstance(item, Post) and item.sensitive):
        own: Sequence[Attachment] = item.attachments if isinstance(item, Post) else [item.image] if item.image else []
        for attachment in own:
            still = attachment if attachment.type == "image" else _still(attachment)
            if still is not None:
                return Attachment(url=still.url, description=clean(still.description).strip() or wording.picture(), focus=still.focus)
    return face(wording, title, "") if item.title else None


def _still(video: Attachment) -> Attachment | None:
    return Attachment(url=video.preview_url, description=video.description) if video.preview_url else None


def _hidden_image(wording: Wording, warning: str, chosen: Chosen) -> Attachment | None:
    return face(wording, "", warning) if wording.item.title and not chosen.attachments else None


def _rest(text: str, title: str) -> str:
    """``text`` from where ``title`` leaves it, when it begins with those words."""
    if title.endswith(ELLIPSIS) and text.startswith(title.removesuffix(ELLIPSIS).rstrip()):
        return ELLIPSIS + text[len(title.removesuffix(ELLIPSIS).rstrip()) :].lstrip(" ,;:.\n")
    first, _, rest = text.partition("\n")
    return rest if first.strip() == title else text


def _cut(text: str, most: int) -> str:
    return shorten(text, Limits(text_max=most, text_unit="graphemes"))

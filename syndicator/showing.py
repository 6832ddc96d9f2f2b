"""What a destination would receive, for a person to look at: ``preview`` and ``try``."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syndicator import registry
from syndicator.contract import Association, Limits, Markup
from syndicator.logs import visible
from syndicator.model import Attachment, Event, Item, Post, Purpose, Rendition
from syndicator.recaps import is_recap
from syndicator.render import render
from syndicator.route import Style
from syndicator.text.cost import cost_of, in_words
from syndicator.text.count import length
from syndicator.text.dates import describe_instant
from syndicator.text.html import to_text
from syndicator.text.notes import describe
from syndicator.words import say

WIDTH = 76
_TAG = re.compile(r"<[^<>]*>")
_LITTLE_TAG = re.compile(r"\{hashtag\|\\#\|([^|{}]+)\}")
_MARKDOWN_LINK = re.compile(r"(?<!\\)\[((?:[^\[\]\\]|\\.)+)\]\((?:<[^<>\n]*>|[^()\s]+)\)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One item as one destination would get it."""

    destination: str
    type: str
    uid: str
    title: str
    purpose: Purpose
    limits: Limits
    renditions: tuple[Rendition, ...]
    kind: str = "note"
    """``Post.kind``, ``event``, ``thread`` for a post that goes on with one before it, or ``recap`` for one that lists events."""
    language: str = "fr"
    """Of those who look."""
    at: datetime | None = None
    """When it leaves, for what waits for its hour."""
    timezone: str = "Europe/Paris"
    """Whose clock that is read on."""
    sure: bool = True
    """Whether it leaves by itself: not what tells of a change that may never come."""

    @property
    def thing(self) -> str:
        """What tells it from other things, wherever it goes: each place has a recap of its own."""
        return self.title if self.kind == "recap" else self.uid

    def data(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "destination": self.destination,
            "type": self.type,
            "uid": self.uid,
            "title": self.title,
            "purpose": self.purpose,
            "at": self.at.isoformat() if self.at else None,
            "sure": self.sure,
            "kind": self.kind,
            "length_max": self.limits.text_max,
            "currency": self.limits.prices.currency if self.limits.prices else None,
            "parts": [
                {
                    "title": part.title,
                    "text": part.text,
                    "length": length(part.text, self.limits),
                    "length_max": most(part, self.limits),
                    "cost": cost_of(part, self.limits, self.purpose) / 1000,
                    "link": part.link,
                    "spans": [{"start": span.start, "end": span.end, "url": span.url} for span in part.spans],
                    "card": {"url": part.card.url, "title": part.card.title, "description": part.card.description} if part.card else None,
                    "content_warning": part.content_warning,
                    "language": part.language,
                    "attachments": [{"url": one.url, "type": one.type, "description": one.description} for one in part.attachments],
                    "notes": list(part.notes),
                }
                for part in self.renditions
            ],
        }


def show(
    item: Item,
    destination: str,
    kind: str,
    limits: Limits,
    style: Style,
    association: Association,
    purpose: Purpose = "create",
    *,
    before: Event | None = None,
    at: datetime | None = None,
) -> Shown:
    """Render without sending: a notice tells what was ``before``, a reminder how long it is from ``at`` until then."""
    from syndicator.judge import as_told  # with it comes the ledger

    told, style = as_told(item, style, limits, purpose)
    renditions = render(
        told,
        limits,
        style,
        association=association,
        destination_names={destination, kind},
        destination_type=kind,
        purpose=purpose,
        before=before,
        now=at if purpose == "remind" else None,
    )
    return Shown(
        destination=destination,
        type=kind,
        uid=item.uid,
        title=title_of(item),
        purpose=purpose,
        limits=limits,
        renditions=renditions,
        kind=kind_of(item),
        language=association.language,
        at=at,
        timezone=association.timezone,
    )


def what_kind(item: Item) -> str:
    """What ``Limits.kinds`` calls it."""
    return "event" if isinstance(item, Event) else item.kind


def kind_of(item: Item) -> str:
    """What it is, for a person."""
    if isinstance(item, Post) and is_recap(item.source):
        return "recap"
    return "thread" if isinstance(item, Post) and item.in_reply_to else what_kind(item)


def most(part: Rendition, limits: Limits) -> int | None:
    """How long the text may be there, with what accompanies it."""
    room = [most for most in (limits.text_max, limits.caption_max if part.attachments else None) if most]
    return min(room) if room else None


def price_of(part: Rendition, one: Shown) -> str:
    """What it costs there, in words; empty where nothing is charged."""
    prices = one.limits.prices
    return in_words(cost_of(part, one.limits, one.purpose), prices.currency, one.language) if prices else ""


def as_seen(text: str, markup: Markup) -> str:
    """A text in its markup as people will read it."""
    return seen(text, markup)[0]


def seen(text: str, markup: Markup) -> tuple[str, list[tuple[int, int]]]:
    """The same, with the places of what Markdown makes links of."""
    if markup == "plain":
        return text, []
    if markup == "html":
        return html.unescape(_TAG.sub("", text)), []
    if markup == "little":
        return _ESCAPE.sub(r"\1", _LITTLE_TAG.sub(lambda match: "#" + match[1], text)), []
    shown, places, position = "", list[tuple[int, int]](), 0
    for link in _MARKDOWN_LINK.finditer(text):
        shown += _ESCAPE.sub(r"\1", text[position : link.start()])
        label = _ESCAPE.sub(r"\1", link[1])
        places.append((len(shown), len(shown) + len(label)))
        shown, position = shown + label, link.end()
    return shown + _ESCAPE.sub(r"\1", text[position:]), places


def title_of(item: Item) -> str:
    """A line that tells an item from others."""
    text = item.title or to_text(item.html) or item.uid
    return textwrap.shorten(" ".join(text.split()), 70, placeholder="…")


def publishers() -> Mapping[str, type[Any]]:
    """Every installed connector that publishes, by name."""
    classes = {name: registry.find("destinations", name) for name in registry.names("destinations")}
    return {name: found for name, found in classes.items() if hasattr(found, "publish")}


def examples(items: Collection[Item]) -> list[Item]:
    """One of each kind, the newest post and the next event first, a thread with its beginning: enough to see how everything will look."""
    newest: dict[str, Item] = {}
    public = [item for item in items if item.visibility == "public" and not getattr(item, "reply_to_other", False)]
    for item in sorted(public, key=_age, reverse=True):
        newest.setdefault(kind_of(item), item)
    thread = newest.get("thread")
    begins = next((item for item in public if isinstance(thread, Post) and item.uid == thread.in_reply_to), None)
    if thread is None or begins is None:
        return list(newest.values())
    found = [item for item in newest.values() if item is not begins]
    found.insert(found.index(thread), begins)
    return found


def _age(item: Item) -> float:
    at = item.published_at or (item.starts_at if isinstance(item, Event) else None)
    return at.timestamp() if at else 0.0


def in_order(shown: Sequence[Shown]) -> list[Shown]:
    """Thing by thing, and of each first its announcement, then what is said of it later; else as they come."""
    things: dict[str, int] = {}
    for one in shown:
        things.setdefault(one.thing, len(things))
    return sorted(shown, key=lambda one: (things[one.thing], not one.sure, one.purpose != "create", _leaves(one), one.purpose))


def _leaves(one: Shown) -> float:
    return one.at.timestamp() if one.at is not None else 0.0


def together(shown: Sequence[Shown]) -> list[list[Shown]]:
    """What looks the same in several places, as one: the places of each look, looks and places in their order."""
    looks: dict[Any, list[Shown]] = {}
    for one in shown:
        look = tuple(
            (
                *(part.title, as_seen(part.text, one.limits.markup), part.content_warning, part.link, part.card),
                *(part.part, part.parts, part.notes, tuple(map(_alt, part.attachments))),
            )
            for part in one.renditions
        )
        looks.setdefault((one.thing, one.purpose, one.at, look), []).append(one)
    return list(looks.values())


def lines(places: Sequence[Shown], language: str) -> list[str]:
    """For a terminal: one look, the places that have it, and how it measures up there."""
    first = places[0]
    names = ", ".join(one.destination for one in places)
    what = stage_of(first, language)
    out = [visible(f"┌─ {names}{f' · {what}' if what else ''} · {first.title}")]
    if not first.renditions:
        return [*out, f"└─ {say(language, 'showing.nothing')}"]
    for number, part in enumerate(first.renditions):
        out += [visible(row) for row in _body(part, first.limits, language)]
        out += _measures(part, [(one, one.renditions[number]) for one in places], language)
    return [*out, "└─"]


def stage_of(one: Shown, language: str) -> str:
    """What it says of an event that was announced, or does to what is out; when a recap leaves; empty for an item itself."""
    if one.at is not None and (one.purpose == "remind" or one.kind == "recap"):
        key = "preview.stage.remind" if one.purpose == "remind" else "preview.stage.recap"
        return say(language, key, when=describe_instant(one.at, one.timezone, language))
    if one.purpose == "create":
        return ""
    return say(language, f"outbox.purpose.{one.purpose}" if one.sure else f"preview.stage.{one.purpose}")


def _body(part: Rendition, limits: Limits, language: str) -> list[str]:
    head = [f"⚠ {part.content_warning}"] if part.content_warning else []
    body = [*head, *([part.title, ""] if part.title else []), *as_seen(part.text, limits.markup).splitlines()]
    body += ["", f"🔗 {part.link}"] if part.link else []
    out = ["│ " + row for line in body for row in (textwrap.wrap(line, WIDTH) or [""])]
    for attachment in part.attachments:
        alt = attachment.description or say(language, "showing.no-alt")
        out.append("│ " + textwrap.shorten(say(language, f"showing.{attachment.type}", alt=" ".join(alt.split())), WIDTH, placeholder="…"))
    return out


def _measures(part: Rendition, places: Sequence[tuple[Shown, Rendition]], language: str) -> list[str]:
    """How long it is of how much there may be, in each place, and what it costs; then what was done to it, in words."""
    used = []
    for one, rendition in places:
        room, price = most(rendition, one.limits), price_of(rendition, one)
        length_used = f"{length(rendition.text, one.limits)}{f'/{room}' if room else ''}{f' ({price})' if price else ''}"
        used.append((f"{one.destination} " if len(places) > 1 else "") + length_used)
    turn = [f"{part.part + 1}/{part.parts}"] if part.parts > 1 else []
    return [f"├─ {' · '.join([*used, *turn])}", *(f"│  {describe(note, language)}" for note in part.notes)]


def _alt(attachment: Attachment) -> tuple[str, str]:
    return attachment.type, attachment.description or ""


def show_all(items: Sequence[Item], association: Association) -> list[Shown]:
    """Each example on each installed network that takes its kind."""
    return [
        show(item, name, name, publisher.limits, Style(), association)
        for name, publisher in publishers().items()
        for item in examples(items)
        if what_kind(item) in publisher.limits.kinds
    ]

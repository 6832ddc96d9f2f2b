"""A rendition as a topic: its title, its text, its tags. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from syndicator.contract import Association
from syndicator.model import Rendition
from syndicator.text.dates import describe_instant
from syndicator.text.links import addresses
from syndicator.text.markup import to_markup

RAW_MAX = 32_000
"""``max_post_length`` of a new forum, in characters of Markdown."""
RAW_MIN = 20
TITLE_MAX = 255
TITLE_MIN = 15
WORD_MAX = 30
"""``title_max_word_length``: a longer one is taken for noise."""
TAG_MAX = 20

# Discourse calls whoever stands behind an @ that begins a word, and everybody with @here or @all.
_MENTION = re.compile(r"(?<![\w/])@(?=\w)")
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_DATE = "📅"
_APART = "\u200b"
# https://github.com/discourse/discourse/blob/main/lib/discourse_tagging.rb, TAGS_FILTER_REGEXP
_NOT_IN_TAGS = re.compile(r"[/?#\[\]@!$&'()*+,;=.%\\`^\s|{}\"<>]+")


def external_id(key: str) -> str:
    """The number that a topic carries for us: letters, digits and dashes, 50 at most."""
    return f"syn-{hashlib.sha256(key.encode()).hexdigest()[:40]}"


def titles(rendition: Rendition, association: Association) -> tuple[str, ...]:
    """What the topic may be called: as the author wishes, and, should the forum refuse that, with date and time."""
    wanted = " ".join((rendition.title or _first_line(rendition.text)).split())
    if not wanted or any(len(word) > WORD_MAX for word in wanted.split()):
        wanted = association.name
    dated = _dated(wanted, rendition, association)
    return (wanted, dated) if len(wanted) >= TITLE_MIN else (dated,)


def _dated(title: str, rendition: Rendition, association: Association) -> str:
    when = _when(rendition, association) or association.name
    full = f"{title[: TITLE_MAX - len(when) - 3]} — {when}"
    return full if len(full) >= TITLE_MIN else f"{full} — {association.name}"[:TITLE_MAX]


def _when(rendition: Rendition, association: Association) -> str:
    """An event's date, which opens its text; else when it was published."""
    opening = _first_line(rendition.text)
    if opening.startswith(_DATE):
        return opening.removeprefix(_DATE).strip()
    if rendition.published_at is None:
        return ""
    return describe_instant(rendition.published_at, association.timezone, rendition.language or association.language)


def _first_line(text: str) -> str:
    """Without what only Markdown needs."""
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return re.sub(r"\\([^\w\s])", r"\1", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line))[:80]


def raw(rendition: Rendition, pictures: Iterable[str], association: Association) -> str:
    """The topic's text: nobody is called, and pictures follow it as far as there is room."""
    text = quiet(rendition.text)
    for picture in pictures:
        longer = f"{text}\n\n{picture}" if text else picture
        text = longer if len(longer) <= RAW_MAX else text
    if len(text) >= RAW_MIN:
        return text
    signature = " · ".join(piece for piece in (association.name, _when(rendition, association)) if piece)
    return f"{text}\n\n— {to_markup(signature, 'markdown')}"


def quiet(text: str) -> str:
    """Markdown in which no word calls anybody and no sign is read as another; addresses stay whole."""
    pieces, position = [], 0
    for entity in addresses(text, bare=False):
        pieces += [_quiet(text[position : entity.start]), entity.value]
        position = entity.start + len(entity.value)
    return "".join([*pieces, _quiet(text[position:])])


def _quiet(text: str) -> str:
    return _ENTITY.sub(r"\\&", _MENTION.sub("@" + _APART, text))


def picture(short_url: str, width: int | None, height: int | None, description: str) -> str:
    """An upload in Markdown; Discourse reads what follows a bar as its size."""
    alt = to_markup(" ".join(description.replace("|", "-").split()), "markdown")
    return f"![{alt}{f'|{width}x{height}' if width and height else ''}]({short_url})"


def tags_of(names: Sequence[str], most: int) -> list[str]:
    """As a forum writes them, each once."""
    spelt = (_NOT_IN_TAGS.sub("-", name.strip().lower()).strip("-")[:TAG_MAX].rstrip("-") for name in names)
    return list(dict.fromkeys(tag for tag in spelt if tag))[:most]

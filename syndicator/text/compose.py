"""Put the pieces of a post together so that they fit: what matters least goes first, nothing is cut where it hurts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from syndicator.contract import Limits
from syndicator.text.count import graphemes
from syndicator.text.linked import EMPTY, Linked, joined
from syndicator.text.measure import holds
from syndicator.text.shorten import ELLIPSIS, shortened
from syndicator.text.split import split

EXCERPT_MIN = 40
"""Graphemes: fewer of an excerpt say nothing, and it is left out."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A post before it is made to fit; every piece is plain text, before any markup, and may be empty."""

    opening: str = ""
    """The content warning, where it has no field: before every part."""
    title: str = ""
    facts: str = ""
    """When and where: as precious as the title."""
    extras: str = ""
    """Price and the like: nice to know."""
    body: Linked = EMPTY
    bare_body: Linked | None = None
    """The body without its closing hashtags; None when it has none of its own."""
    excerpt: bool = False
    """Whether the body is only an appetiser, which may be left out; otherwise it is the post."""
    closings: tuple[str, ...] = ("",)
    """Poll or quote after the body: the best wording first, shorter ones after it."""
    tags: str = ""
    link: Linked = EMPTY
    """Shown in any case."""
    link_when_cut: Linked = EMPTY
    """Shown only when something had to be cut."""
    footer: str = ""


@dataclass(frozen=True, kw_only=True)
class Composed:
    """The text of each part, and what was done to make it fit."""

    parts: tuple[Linked, ...]
    notes: tuple[str, ...] = ()

    @property
    def cut(self) -> bool:
        """Whether text of the author is missing."""
        return "shortened" in self.notes


def compose(draft: Draft, limits: Limits, *, first: Limits | None = None, thread: bool = False) -> Composed:
    """The draft within ``limits``, whole if it can be; in several parts when ``thread`` and it is too long for one.

    ``first`` are the limits of the first or only part, where it has others: a caption's.
    """
    first = first or limits
    for candidate, notes in _whole(draft):
        text = joined(_all(candidate))
        if holds(text, first):
            return Composed(parts=(text,), notes=notes)
    if thread and not draft.excerpt:
        told = _split(draft, limits, first)
        if told is not None:
            return told
    return _cut(draft, first)


def _whole(draft: Draft) -> Iterator[tuple[Draft, tuple[str, ...]]]:
    """The draft with all of the author's words, and ever less of what surrounds them."""
    for number, closing in enumerate(draft.closings):
        shorter = ("quote-as-link",) if number else ()
        base = replace(draft, closings=(closing,))
        yield base, shorter
        if draft.footer:
            yield replace(base, footer=""), (*shorter, "footer-left-out")
        if _has_tags(draft):
            footer = ("footer-left-out",) if draft.footer else ()
            yield _without_tags(replace(base, footer="")), (*shorter, *footer, "hashtags-dropped")


def _split(draft: Draft, limits: Limits, first: Limits) -> Composed | None:
    tail: list[str | Linked] = [draft.closings[-1], draft.tags, draft.link, draft.footer]
    text = joined([draft.title, draft.facts, draft.extras, draft.body])
    opening = Linked(f"{draft.opening}\n\n" if draft.opening else "")
    footer = ("footer-left-out",) if draft.footer else ()
    tags = ("hashtags-dropped",) if draft.tags else ()
    endings: tuple[tuple[list[str | Linked], tuple[str, ...]], ...] = (
        (tail, ()),
        (tail[:3], footer),
        ([tail[0], tail[2]], (*footer, *tags)),
    )
    for ending, notes in endings:
        parts = split(text, limits, first=first, opening=opening, tail=_after(ending))
        if parts is not None:
            return Composed(parts=tuple(parts), notes=("thread", *notes))
    return None


def _cut(draft: Draft, limits: Limits) -> Composed:
    """Shorter, with the way home: first the excerpt gives way, then the extras, the closing, the title; the facts last."""
    base = replace(_without_tags(draft), footer="", link=draft.link or draft.link_when_cut, closings=draft.closings[-1:])
    notes = (*(("footer-left-out",) if draft.footer else ()), *(("hashtags-dropped",) if _has_tags(draft) else ()))
    for candidate, more in _ever_less(base):
        before = [candidate.opening, candidate.title, candidate.facts, candidate.extras]
        after: list[str | Linked] = [*candidate.closings, candidate.link]
        tail = _after(after)
        if not candidate.body:
            text = joined([*before, *after])
            if holds(text, limits):
                return Composed(parts=(text,), notes=(*notes, *more, "shortened"))
            continue
        head = joined(before)
        whole = joined([head, candidate.body])
        text = shortened(whole, limits, tail=tail)
        if text == whole + tail or _says_enough(text.text, head.text, tail.text, _least(candidate)):
            return Composed(parts=(text,), notes=(*notes, *more, "shortened"))
    tail = _after([base.facts, base.link])
    text = shortened(joined([base.opening, base.title or base.body]), limits, tail=tail)
    return Composed(parts=(text,), notes=(*notes, "details-left-out", "shortened"))


def _ever_less(draft: Draft) -> Iterator[tuple[Draft, tuple[str, ...]]]:
    yield draft, ()
    if draft.excerpt:
        yield replace(draft, body=EMPTY), ()
    if draft.extras:
        yield replace(draft, extras=""), ("details-left-out",)
        yield replace(draft, extras="", body=EMPTY if draft.excerpt else draft.body), ("details-left-out",)
    if any(draft.closings):
        yield replace(draft, extras="", closings=("",)), ("closing-left-out",)


def _has_tags(draft: Draft) -> bool:
    return bool(draft.tags) or (draft.bare_body is not None and draft.bare_body != draft.body)


def _without_tags(draft: Draft) -> Draft:
    return replace(draft, tags="", body=draft.body if draft.bare_body is None else draft.bare_body, bare_body=None)


def _least(draft: Draft) -> int:
    """How many graphemes of the body are worth showing: of a note alone, any."""
    return EXCERPT_MIN if draft.excerpt or any(draft.closings) else 1


def _says_enough(text: str, head: str, tail: str, least: int) -> bool:
    """Whether a shortened text still has its whole head, its tail, and a taste of the body."""
    if not text.startswith(head) or not text.endswith(tail):
        return False
    body = text[len(head) : len(text) - len(tail)].strip().removesuffix(ELLIPSIS)
    return len(graphemes(body)) >= least


def _all(draft: Draft) -> list[str | Linked]:
    return [
        draft.opening,
        draft.title,
        draft.facts,
        draft.extras,
        draft.body,
        *draft.closings[:1],
        draft.tags,
        draft.link,
        draft.footer,
    ]


def _after(pieces: Iterable[str | Linked]) -> Linked:
    after = joined(pieces)
    return Linked("\n\n") + after if after else EMPTY

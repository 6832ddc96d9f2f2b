"""What goes where and how: sources × filter → destinations × options. Data only; ``plan.py`` and ``render.py`` obey it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from typing import Literal

OnPurpose = Literal["announce", "remind", "change", "cancel", "recap"]
"""What a route may be for: items themselves, reminders, notices of a change, of a cancellation, lists of a week or month."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a route carries; an empty tuple means no condition, several conditions all hold."""

    kinds: tuple[str, ...] = ()
    """``event`` or a ``Post.kind``."""
    tags: tuple[str, ...] = ()
    """At least one of them; compared without case, accents or #."""
    exclude_tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """BCP 47 prefixes, such as ``fr``; an item without a language passes."""
    keywords: tuple[str, ...] = ()
    """At least one of them as a whole word in title or text; compared without case or accents."""
    exclude_keywords: tuple[str, ...] = ()
    unlisted: bool = False
    """Carry unlisted posts too."""
    boosts: bool = True
    """Carry boosts of the association's own other accounts; those of strangers never are."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How ``render.py`` shapes what a route carries."""

    link: Literal["always", "when-cut", "never"] = "when-cut"
    """When the text ends with the link home. Events, videos and articles always have it, unless ``never``."""
    content_warnings: Literal["show", "link", "skip"] = "show"
    """With a content warning: the warning and the text; the warning and the link home; nothing at all."""
    mentions: Literal["handle", "name"] = "handle"
    """``user@host`` or only ``user``: never a live handle of somebody else there."""
    hashtags: Literal["keep", "drop"] = "keep"
    """``drop`` removes the closing line of hashtags."""
    long_text: Literal["shorten", "thread"] = "shorten"
    """What happens to a text longer than the destination takes."""
    custom_emoji: Literal["drop", "keep"] = "drop"
    """``:shortcodes:`` of emoji that exist only at the origin."""
    footer: str = ""
    """A line added at the end where there is room for it: the way home."""
    footer_every: int = 1
    """On one post of so many; which ones, the post itself decides, so that an edit does not change it."""
    text_links: Literal["keep", "drop"] = "keep"
    """``drop`` takes the addresses out of the author's text, where a network charges for links."""
    campaign: str = ""
    """Marks links home for Matomo: ``mtm_campaign`` with this name, ``mtm_source`` with the destination's type; empty: not at all."""
    language: str = ""
    """The language of our own words (dates, "the rest is here"), BCP 47; empty: the item's."""
    template: str = ""
    """Jinja: a text of your own instead of ours; see the manual for what it may use."""
    template_remind: str = ""
    """The same for a reminder."""
    template_change: str = ""
    """The same for a notice that an event moved."""
    template_cancel: str = ""
    """The same for a notice that an event is cancelled."""
    template_recap: str = ""
    """The same for the list of a week or a month."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One row of the association's plan."""

    name: str
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    filter: Filter = Filter()
    style: Style = Style()
    delay: timedelta = timedelta(minutes=2)
    """The grace window: an edit within it replaces, a deletion cancels."""
    max_age: timedelta = timedelta(days=3)
    """Older than this, a post is no news any more and is dropped; an event is news until it begins."""
    backfill: timedelta = timedelta(0)
    """How far back the first start mirrors."""
    edit: Literal["update", "replace", "note", "ignore"] = "update"
    """What an edit after publication does: corrects it there where the network can; removes it and posts it anew; adds a note that says
    what is new; nothing."""
    deletions: bool = True
    """Whether a deletion made after publication follows."""
    announce: timedelta = timedelta(0)
    """How long before it begins an event is announced, at the same hour of the day; ``"0d"``: as soon as it is published."""
    remind: tuple[timedelta, ...] = ()
    """How long before it begins an announced event is told of again, each time: ``["1d", "2h"]``. Days keep the hour of the day; an event
    without an hour is told of at ``remind_at``, and by days alone."""
    remind_at: str = "09:00"
    """When, on the event's own clock, for an event without an hour."""
    notice: Literal["when-needed", "always", "never"] = "when-needed"
    """Whether a new date, place or title, or a cancellation, makes a post of its own: where the announcement cannot be corrected in place
    (or ``edit = "note"``); beside the correction too; nowhere."""
    recap: tuple[Literal["week", "month"], ...] = ()
    """One post that lists the events of the week, of the month."""
    recap_at: str = "monday 09:00"
    """When, on the association's clock; that of the month on its first day at this hour."""
    purposes: tuple[OnPurpose, ...] = ("announce", "remind", "change", "cancel", "recap")
    """What goes this way; all that is asked for, unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """When a publisher may speak; corrections (update, delete) never wait for it."""

    quiet_from: time | None = None
    """Start of the quiet hours, local time of the association."""
    quiet_until: time | None = None
    """Their end; may be earlier in the day than their start."""
    spacing: timedelta = timedelta(0)
    """The least time between two new posts; the parts of one thread follow each other at once."""
    budget: float | None = None
    """The most to spend in a calendar month, in the currency of the network's prices: beyond it, posts wait for the next month."""
    on_unknown: Literal["park", "retry"] = "park"
    """What to do when nobody can tell whether a post went out: ask a person, or risk two rather than none."""

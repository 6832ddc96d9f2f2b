"""What an item says, in words that are fit for strangers: no live handles, no tags meant for us, no emoji that only exist at home."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import regex

from syndicator.contract import Association, Limits
from syndicator.model import Event, Item, Mention, Poll, Post, Purpose
from syndicator.plan.notes import NOTICES
from syndicator.route import Style
from syndicator.text import phrases
from syndicator.text.clean import clean
from syndicator.text.dates import describe_instant, describe_when
from syndicator.text.html import parse
from syndicator.text.language import our_language
from syndicator.text.leads import lead
from syndicator.text.linked import Linked
from syndicator.text.links import addresses
from syndicator.text.mentions import neutralise, neutralise_plain
from syndicator.text.tags import without_controls
from syndicator.text.told import date_moved, place_of
from syndicator.text.unlinked import without_addresses

_TRAILING_BLANKS = regex.compile(r"[^\S\n]+$", regex.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Was:
    """What an event was, in words; empty where it still is."""

    title: str = ""
    when: str = ""
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One item's words for one destination, by one route's style."""

    item: Item
    limits: Limits
    style: Style
    association: Association
    names: Collection[str]
    """Of every destination: hashtags that refuse one of them are for us."""
    before: Event | None = None
    """The event as readers were told of it last, where this is to say what changed."""
    now: datetime | None = None
    """The present, where this is to say how long it is until the event."""

    @property
    def language(self) -> str:
        """That of the words we add."""
        return our_language(self.style.language, self.item.language, self.association.language)

    def text(self) -> Linked:
        """The body; its words that are links know where they lead, where the destination can show them so."""
        words_only = links_words(self.limits) or self.style.text_links == "drop"
        parsed = parse(self.item.html, quote_inline=self._quote_inline, spell_links=not words_only)
        return self._tidy(neutralise(parsed, self._mentions, self.style.mentions)).cleaned()

    def line(self, text: str) -> str:
        """A title or another single line of plain text."""
        return " ".join(self.plain(text).split())

    def plain(self, text: str) -> str:
        """Plain text of the author's, with its line breaks."""
        return self._tidy(Linked(neutralise_plain(clean(text).strip(), self._mentions, self.style.mentions))).text

    def words_only(self, text: Linked) -> str:
        """``text`` for a place where no link can be: a title, a card, a picture."""
        return without_addresses(text, bare=False, language=self.language).text

    @property
    def has_links(self) -> bool:
        """Whether the author's text leads somewhere."""
        parsed = parse(self.item.html, quote_inline=self._quote_inline)
        bare = self.limits.text_unit == "weighted"
        return any(addresses(text, bare=bare) for text in (parsed.text, self.item.title))

    def warning(self) -> str:
        """The content warning in one line."""
        if isinstance(self.item, Event):
            return ""
        text = " ".join(neutralise_plain(clean(self.item.content_warning), self._mentions, self.style.mentions).split())
        return self._without_emojis(Linked(text)).text

    def title(self, purpose: Purpose = "create") -> str:
        """The title; an event's says first what happened to it, as does a note's about an edit."""
        title = self.line(self.item.title)
        if isinstance(self.item, Post):
            return self._phrase("updated", title=title).strip() if purpose == "announce-change" else title
        if purpose == "retire":
            return self._phrase("changed", title=title)
        if self.before is not None and (old := self.line(self.before.title)) != title and purpose in NOTICES:
            title = self._phrase("was-titled", now=title, before=old)
        if self.item.status == "cancelled" or purpose == "cancel":
            return self._phrase("cancelled", title=title)
        if purpose == "announce-change":
            return self._phrase(self._what_happened(), title=title)
        if purpose == "remind" and (ahead := self.lead()):
            return self._phrase("ahead-tentative" if self.item.status == "tentative" else "ahead", lead=ahead, title=title)
        if self.item.status == "tentative":
            return self._phrase("tentative", title=title)
        return self._phrase("reminder", title=title) if purpose == "remind" else title

    def lead(self) -> str:
        """How long it is until the event: "Demain"."""
        return lead(self.item, self.now, self.language) if isinstance(self.item, Event) and self.now is not None else ""

    def _what_happened(self) -> str:
        """The phrase for what an event's change is."""
        if self.before is None or not isinstance(self.item, Event) or self.before.status == self.item.status:
            return "changed"
        if self.item.status == "tentative":
            return "tentative"
        return "back-on" if self.before.status == "cancelled" else "confirmed"

    def when(self) -> str:
        """When the event takes place, or the live begins."""
        if isinstance(self.item, Event):
            return describe_when(self.item, self.language, home_timezone=self.association.timezone)
        if self.item.kind != "live" or self.item.live == "ended":
            return ""
        if self.item.live == "live" or self.item.starts_at is None:
            return self._phrase("live-now") if self.item.live == "live" else ""
        when = describe_instant(self.item.starts_at, self.association.timezone, self.language)
        return self._phrase("live-scheduled", when=f"le {when}" if self.language == "fr" else when)

    def place(self) -> str:
        """Where the event takes place, in one line."""
        if isinstance(self.item, Post):
            return ""
        place = self.line(phrases.where(self.item.place)) if self.item.place is not None else ""
        if not self.item.online_url:
            return place
        return self._phrase("also-online", place=place) if place else self._phrase("online")

    def was(self) -> Was:
        """What readers were told last, as far as it is otherwise now."""
        before, item = self.before, self.item
        if before is None or not isinstance(item, Event):
            return Was()
        old = replace(self, item=before, before=None)
        return Was(
            title=old.line(before.title) if old.line(before.title) != self.line(item.title) else "",
            when=old.when() if date_moved(before, item) else "",
            place=old.place() if place_of(before) != place_of(item) else "",
        )

    def price(self) -> str:
        """What the event costs, in one line."""
        return phrases.price(self.item.offers, self.language) if isinstance(self.item, Event) else ""

    def facts(self) -> str:
        """When and where, a line each."""
        if isinstance(self.item, Post):
            return self.when()
        was, when, place = self.was(), self.when(), self.place()
        if was.when:
            when = self._phrase("was", now=when, before=was.when)
        if was.place:
            place = self._phrase("was", now=place or self._phrase("no-place"), before=was.place)
        return "\n".join([f"📅 {when}", *([f"📍 {place}"] if place else [])])

    def outdated(self) -> str:
        """What takes the place of the facts where they are not true any more."""
        return self._phrase("outdated")

    def extras(self) -> str:
        """The price, whether there is room left, and whether it is one date of a series."""
        cost = self.price()
        full = isinstance(self.item, Event) and self.item.full
        series = isinstance(self.item, Event) and self.item.recurrence_id is not None
        lines = [f"🎟 {cost}" if cost else "", self._phrase("full") if full else "", self._phrase("series") if series else ""]
        return "\n".join(line for line in lines if line)

    def closings(self) -> tuple[str, ...]:
        """The poll's options or the post quoted; the shortest wording last."""
        if isinstance(self.item, Event):
            return ("",)
        poll, quote = self._poll(self.item.poll), self.item.quote
        if quote is None:
            return (poll,)
        link = "" if self.style.link == "never" or self.style.text_links == "drop" else quote.url
        short = "\n\n".join(piece for piece in (poll, link) if piece)
        if not quote.accepted or not quote.text.strip():
            return (short,)
        said = "\n".join(f"> {line}".rstrip() for line in self.plain(quote.text).split("\n"))
        name = self.line(quote.author.name) if quote.author is not None else ""
        intro = self._phrase("quoting", name=name) if name else ""
        rich = "\n".join(piece for piece in (intro, said, link) if piece)
        return ("\n\n".join(piece for piece in (poll, rich) if piece), short)

    def way_home(self, url: str) -> str:
        """What the link home is shown as: alone, or where to vote."""
        poll = self.item.poll if isinstance(self.item, Post) else None
        if poll is None:
            return url
        if poll.closes_at is None:
            return self._phrase("vote", url=url)
        return self._phrase("vote-until", when=describe_instant(poll.closes_at, self.association.timezone, self.language), url=url)

    def picture(self) -> str:
        """The alt text of a picture whose author is the origin: a poster, the still of a video."""
        title = self.line(self.item.title)
        if isinstance(self.item, Event):
            return self._phrase("poster", title=title)
        return self._phrase("thumbnail", title=title) if self.item.kind in {"video", "live"} and title else ""

    @property
    def _mentions(self) -> tuple[Mention, ...]:
        return () if isinstance(self.item, Event) else self.item.mentions

    @property
    def _quote_inline(self) -> bool:
        return isinstance(self.item, Event) or self.item.quote is None

    def _poll(self, poll: Poll | None) -> str:
        if poll is None:
            return ""
        sign = "☐" if poll.multiple else "○"
        return "\n".join(f"{sign} {self.line(option)}" for option in poll.options)

    def _tidy(self, text: Linked) -> Linked:
        text = self._without_emojis(without_controls(text, self.names))
        if self.style.text_links == "drop":
            return without_addresses(text, bare=self.limits.text_unit == "weighted", language=self.language)
        return text

    def _without_emojis(self, text: Linked) -> Linked:
        """Without the ``:shortcodes:`` that exist only at home; clocks and paths have none of them."""
        emojis = () if isinstance(self.item, Event) else self.item.emojis
        if not emojis or self.style.custom_emoji == "keep":
            return text
        names = "|".join(regex.escape(name.strip(":")) for name in sorted(emojis, key=len, reverse=True))
        shortcodes = regex.compile(
            rf"(?:(?<=^|\s):(?:{names}):(?![\p{{L}}\p{{N}}])[ \u00A0]?|[ \u00A0]?(?<![\p{{L}}\p{{N}}]):(?:{names}):(?![\p{{L}}\p{{N}}]))",
            flags=regex.M,
        )
        return text.without(shortcodes).without(_TRAILING_BLANKS).stripped("\n")

    def _phrase(self, key: str, /, **values: str) -> str:
        return phrases.phrase(self.language, key, **values)


def links_words(limits: Limits) -> bool:
    """Whether words can be links there: LinkedIn's little text has none, whatever its limits say."""
    return limits.spans and limits.markup != "little"

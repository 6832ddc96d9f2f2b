"""An item as one destination will show it: pure, deterministic, in the destination's own limits and the author's own words.

``render`` holds nothing that changes by itself (votes, participants), so that two equal renditions mean that there is nothing to
update. What it had to do to the text is in ``Rendition.notes``; ``syndicator.text.notes`` puts that into words.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import regex

from syndicator.contract import Association, Limits
from syndicator.model import Event, Item, Post, Purpose, Rendition
from syndicator.route import Style
from syndicator.text import phrases
from syndicator.text.attachments import Chosen, choose
from syndicator.text.clean import clean
from syndicator.text.compose import Composed, Draft, compose
from syndicator.text.count import length
from syndicator.text.dates import describe_instant, describe_when
from syndicator.text.html import parse
from syndicator.text.language import our_language, valid_language
from syndicator.text.links import addresses, hashtags
from syndicator.text.markup import to_markup
from syndicator.text.mentions import neutralise, neutralise_plain
from syndicator.text.shorten import shorten
from syndicator.text.tags import at_most, closing_tags, folded, hashtag_line, visible_tags, without_controls

EXCERPT_MAX = 500
"""Graphemes of an article, a video's description or an event's, where they are only the appetiser of the page at home."""
HASHTAGS_ADDED_MAX = 4
"""How many of an event's, article's or video's tags become hashtags where the destination sets no limit of its own."""
TITLE_FROM_TEXT_MAX = 80
"""Characters of a title made of the text, for destinations that insist on one."""
WARNING = "⚠"


def render(
    item: Item,
    limits: Limits,
    style: Style,
    *,
    association: Association,
    destination_names: Collection[str] = (),
    purpose: Purpose = "create",
) -> tuple[Rendition, ...]:
    """What to publish of ``item``: one rendition, several for a thread, none when the style or the destination leaves it out.

    ``destination_names`` are the names and types of every destination configured: hashtags that refuse one of them are for us, and are
    removed. ``purpose`` only matters for events: a reminder or a change says so in its title.
    """
    kind = "event" if isinstance(item, Event) else item.kind
    warning = "" if isinstance(item, Event) else _warning(item, style)
    if kind not in limits.kinds or (warning and style.content_warnings == "skip"):
        return ()
    hidden = bool(warning) and style.content_warnings == "link"
    style = replace(style, link="always") if hidden else style
    shaping = _Shaping(limits=limits, style=style, association=association, names=destination_names)
    if isinstance(item, Event):
        return shaping.event(item, purpose)
    return shaping.warning_only(item, warning) if hidden else shaping.post(item, warning)


@dataclass(frozen=True, kw_only=True)
class _Shaping:
    """Everything but the item that a rendition depends on."""

    limits: Limits
    style: Style
    association: Association
    names: Collection[str]

    def post(self, post: Post, warning: str) -> tuple[Rendition, ...]:
        """A note, article, photo, video, live or sound."""
        language = our_language(post.language, self.association.language)
        text = self._text(post)
        title = self._line(post, post.title)
        excerpt = post.kind in {"article", "video", "live"}
        # What stands behind a warning at home does not stand in the open elsewhere.
        hidden = post.sensitive or bool(warning)
        chosen = choose(post.attachments, self.limits, sensitive=hidden, default_alt=_thumbnail_alt(post, title, language))
        text = _without_title(text, title)
        body = _without_title(self._excerpt(self._summary(post) or text), title) if excerpt else self._with_few_tags(text)
        draft = Draft(
            opening=f"{WARNING} {warning}" if warning and not self.limits.content_warning else "",
            title=title,
            facts=_live(post, language, self.association.timezone),
            body=body,
            bare_body=None if excerpt else closing_tags(body)[0],
            excerpt=excerpt,
            closings=self._closings(post, language),
            tags=self._added_tags(post, text, body) if excerpt else "",
        )
        always = excerpt or chosen.incomplete or post.boost_of is not None or post.poll is not None
        notes = [
            *(["excerpt"] if excerpt and body != text else []),
            *(["cw-shown"] if draft.opening else []),
            *(["hashtags-limited"] if not excerpt and len(hashtags(body)) < len(hashtags(text)) else []),
        ]
        return self._renditions(post, draft, chosen, notes, always=always, warning=warning)

    def event(self, event: Event, purpose: Purpose) -> tuple[Rendition, ...]:
        """An event: what, when, where, a taste of the description."""
        language = our_language(event.language, self.association.language)
        text = self._text(event)
        cancelled = event.status == "cancelled" or purpose == "cancel"
        title = _event_title(event, self._line(event, event.title), language, purpose)
        body = "" if cancelled else self._excerpt(text)
        draft = Draft(
            title=title,
            facts=_facts(event, language, self.association.timezone),
            extras="" if cancelled else _extras(event, language),
            body=body,
            excerpt=True,
            tags="" if cancelled else self._added_tags(event, text, body),
        )
        alt = phrases.phrase(language, "poster", title=self._line(event, event.title))
        chosen = choose((event.image,) if event.image else (), self.limits, sensitive=False, default_alt=alt)
        # A poster left out is on the page at home, which is always linked.
        return self._renditions(event, draft, chosen, ["excerpt"] if body not in {"", text} else [], always=True)

    def warning_only(self, post: Post, warning: str) -> tuple[Rendition, ...]:
        """The content warning and the way home, nothing of the content."""
        in_field = self.limits.content_warning
        draft = Draft(title="" if in_field else f"{WARNING} {warning}")
        return self._renditions(replace(post, tags=()), draft, Chosen(), ["cw-link"], always=True, warning=warning if in_field else "")

    def _text(self, item: Item) -> str:
        """The body as plain text, fit for strangers: no live handles, no control tags, no emoji that only exist at home."""
        quote_inline = isinstance(item, Event) or item.quote is None
        parsed = parse(item.html, quote_inline=quote_inline)
        text = neutralise(parsed, () if isinstance(item, Event) else item.mentions, self.style.mentions)
        return self._tidy(item, text)

    def _line(self, item: Item, text: str) -> str:
        """The same for a title or another single line of plain text."""
        return " ".join(self._plain(item, text).split())

    def _summary(self, post: Post) -> str:
        return self._plain(post, post.summary)

    def _plain(self, item: Item, text: str) -> str:
        known = () if isinstance(item, Event) else item.mentions
        return self._tidy(item, neutralise_plain(clean(text).strip(), known, self.style.mentions))

    def _tidy(self, item: Item, text: str) -> str:
        text = without_controls(text, self.names)
        emojis = () if isinstance(item, Event) else item.emojis
        return _without_emojis(text, emojis) if self.style.custom_emoji == "drop" else text

    def _excerpt(self, text: str) -> str:
        """What an article, video or event shows of its text; all of it where the destination shows whole pages."""
        if self.limits.title_max is not None:
            return text
        return shorten(closing_tags(text)[0] or text, Limits(text_max=EXCERPT_MAX, text_unit="graphemes"))

    def _with_few_tags(self, text: str) -> str:
        """The text of a note with no more hashtags than the style and the destination want."""
        if self.style.hashtags == "drop":
            text = closing_tags(text)[0]
        return text if self.limits.hashtags_max is None else at_most(text, self.limits.hashtags_max)

    def _added_tags(self, item: Item, text: str, body: str) -> str:
        """The item's tags as a line of hashtags, but those that the shown body already has."""
        if self.style.hashtags == "drop":
            return ""
        said = {folded(entity.value) for entity in hashtags(body)}
        wanted = [tag for tag in [*visible_tags(item, self.names), *_closing_names(text)] if folded(tag) not in said]
        most = HASHTAGS_ADDED_MAX
        if self.limits.hashtags_max is not None:
            most = min(most, max(0, self.limits.hashtags_max - len(said)))
        return hashtag_line(wanted, most)

    def _closings(self, post: Post, language: str) -> tuple[str, ...]:
        """The poll's options or the post quoted; the shortest wording last."""
        poll = ""
        if post.poll is not None:
            sign = "☐" if post.poll.multiple else "○"
            poll = "\n".join(f"{sign} {self._line(post, option)}" for option in post.poll.options)
        quote = post.quote
        if quote is None:
            return (poll,)
        link = "" if self.style.link == "never" else quote.url
        short = "\n\n".join(piece for piece in (poll, link) if piece)
        if not quote.accepted or not quote.text.strip():
            return (short,)
        said = "\n".join(f"> {line}".rstrip() for line in self._plain(post, quote.text).split("\n"))
        name = self._line(post, quote.author.name) if quote.author is not None else ""
        intro = phrases.phrase(language, "quoting", name=name) if name else ""
        rich = "\n".join(piece for piece in (intro, said, link) if piece)
        return ("\n\n".join(piece for piece in (poll, rich) if piece), short)

    def _renditions(
        self, item: Item, draft: Draft, chosen: Chosen, notes: list[str], *, always: bool, warning: str = ""
    ) -> tuple[Rendition, ...]:
        draft, title, more = self._titled(draft)
        draft = self._linked(item, draft, always=always, empty=not chosen.attachments)
        if self.style.footer:
            draft = replace(draft, footer=clean(self.style.footer).strip())
        warning = _fitting_warning(warning, self.limits)
        composed = compose(draft, _beside(warning, self.limits), thread=self.style.long_text == "thread" and self.limits.threads)
        all_notes = (*notes, *more, *chosen.notes, *composed.notes, *self._cost_notes(composed))
        base = Rendition(
            uid=item.uid,
            text="",
            title=title,
            link=self._link_apart(item, composed, always=always),
            language=valid_language(item.language),
            content_warning=warning if self.limits.content_warning else "",
            sensitive=isinstance(item, Post) and (item.sensitive or bool(warning)),
            visibility=item.visibility,
            attachments=chosen.attachments,
            tags=visible_tags(item, self.names),
            published_at=item.published_at,
            notes=tuple(dict.fromkeys(all_notes)),
        )
        return tuple(self._part(base, composed.parts, part) for part in range(len(composed.parts)))

    def _part(self, base: Rendition, parts: tuple[str, ...], part: int) -> Rendition:
        """One part of the thread: media on the first, the link's card on the last, the warning on each."""
        text = to_markup(parts[part], self.limits.markup)
        first, last = part == 0, part == len(parts) - 1
        return replace(
            base,
            text=text,
            part=part,
            parts=len(parts),
            attachments=base.attachments if first else (),
            link=base.link if last else None,
            sensitive=base.sensitive and (first or bool(base.content_warning)),
        )

    def _titled(self, draft: Draft) -> tuple[Draft, str, list[str]]:
        """The title apart, where the destination has a place for it."""
        most = self.limits.title_max
        if most is None:
            return draft, "", []
        title = draft.title
        if not title:
            title = shorten(_first_line(draft.body or draft.facts), Limits(text_max=min(most, TITLE_FROM_TEXT_MAX)))
            return draft, title, []
        cut = shorten(title, Limits(text_max=most))
        return replace(draft, title=""), cut, ["title-cut"] if cut != title else []

    def _linked(self, item: Item, draft: Draft, *, always: bool, empty: bool) -> Draft:
        """The way home, as the style wants it; a post that would hold nothing else has it in any case."""
        nothing = empty and not any([draft.opening, draft.title, draft.facts, draft.body, *draft.closings])
        if self.style.link == "never" and not nothing:
            return draft
        if self.limits.link_apart or any(entity.value == item.url for entity in addresses(f"{draft.body}\n{draft.closings[0]}")):
            return draft
        poll = item.poll if isinstance(item, Post) else None
        if poll is not None:
            language = our_language(item.language, self.association.language)
            if poll.closes_at is None:
                return replace(draft, link=phrases.phrase(language, "vote", url=item.url))
            when = describe_instant(poll.closes_at, self.association.timezone, language)
            return replace(draft, link=phrases.phrase(language, "vote-until", when=_with_article(when, language), url=item.url))
        if always or nothing or self.style.link == "always":
            return replace(draft, link=item.url)
        return replace(draft, link_when_cut=item.url)

    def _link_apart(self, item: Item, composed: Composed, *, always: bool) -> str | None:
        if not self.limits.link_apart or self.style.link == "never":
            return None
        return item.url if always or self.style.link == "always" or composed.cut or not composed.parts[0] else None

    def _cost_notes(self, composed: Composed) -> tuple[str, ...]:
        """X makes links of bare domains, counts each for 23 and charges for them."""
        if self.limits.text_unit != "weighted":
            return ()
        found = [entity.kind for part in composed.parts for entity in addresses(part)]
        return (*(["domain-linked"] if "domain" in found else []), *(["link-costs"] if found else []))


def _warning(post: Post, style: Style) -> str:
    """The content warning in one line, without what only exists at home."""
    text = " ".join(neutralise_plain(clean(post.content_warning), post.mentions, style.mentions).split())
    return _without_emojis(text, post.emojis) if style.custom_emoji == "drop" else text


def _fitting_warning(warning: str, limits: Limits) -> str:
    """The warning where it has a field, with half of the room left for the text: the services that have one count both together."""
    if not limits.content_warning or limits.text_max is None:
        return warning
    return shorten(warning, replace(limits, text_max=limits.text_max // 2, bytes_max=None))


def _beside(warning: str, limits: Limits) -> Limits:
    """The room that a warning in its own field leaves for the text."""
    if not warning or not limits.content_warning or limits.text_max is None:
        return limits
    return replace(limits, text_max=limits.text_max - length(warning, limits))


def _without_emojis(text: str, emojis: Collection[str]) -> str:
    """``text`` without the ``:shortcodes:`` of those emoji; clocks and paths have none of them."""
    if not emojis:
        return text
    names = "|".join(regex.escape(name.strip(":")) for name in sorted(emojis, key=len, reverse=True))
    text = regex.sub(
        rf"(?:(?<=^|\s):(?:{names}):(?![\p{{L}}\p{{N}}])[ \u00A0]?|[ \u00A0]?(?<![\p{{L}}\p{{N}}]):(?:{names}):(?![\p{{L}}\p{{N}}]))",
        "",
        text,
        flags=regex.M,
    )
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def _without_title(body: str, title: str) -> str:
    """The body without a first line that only says the title again."""
    first, _, rest = body.partition("\n")
    return rest.lstrip("\n") if title and first.strip() == title else body


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def _closing_names(text: str) -> list[str]:
    return [entity.value for entity in hashtags(closing_tags(text)[1])]


def _thumbnail_alt(post: Post, title: str, language: str) -> str:
    """A video's picture is the origin's, not the author's: its alt text is made of the title."""
    return phrases.phrase(language, "thumbnail", title=title) if post.kind in {"video", "live"} and title else ""


def _live(post: Post, language: str, timezone: str) -> str:
    if post.kind != "live" or post.live == "ended":
        return ""
    if post.live == "live" or post.starts_at is None:
        return phrases.phrase(language, "live-now") if post.live == "live" else ""
    when = describe_instant(post.starts_at, timezone, language)
    return phrases.phrase(language, "live-scheduled", when=_with_article(when, language, "le"))


def _with_article(when: str, language: str, article: str = "") -> str:
    return f"{article} {when}" if language == "fr" and article else when


def _event_title(event: Event, title: str, language: str, purpose: Purpose) -> str:
    if event.status == "cancelled" or purpose == "cancel":
        return phrases.phrase(language, "cancelled", title=title)
    if purpose == "announce-change":
        return phrases.phrase(language, "changed", title=title)
    if event.status == "tentative":
        return phrases.phrase(language, "tentative", title=title)
    return phrases.phrase(language, "reminder", title=title) if purpose == "remind" else title


def _facts(event: Event, language: str, home_timezone: str) -> str:
    """When and where, a line each."""
    when = describe_when(event, language, home_timezone=home_timezone)
    place = neutralise_plain(clean(phrases.where(event.place))) if event.place is not None else ""
    if event.online_url:
        place = phrases.phrase(language, "also-online", place=place) if place else phrases.phrase(language, "online")
    return "\n".join([f"📅 {when}", *([f"📍 {place}"] if place else [])])


def _extras(event: Event, language: str) -> str:
    cost = phrases.price(event.offers, language)
    return "\n".join([*([f"🎟 {cost}"] if cost else []), *([phrases.phrase(language, "full")] if event.full else [])])

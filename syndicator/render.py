"""An item as one destination will show it: pure, deterministic, in the destination's own limits and the author's own words.

``render`` holds nothing that changes by itself (votes, participants), so that two equal renditions mean that there is nothing to
update. What it had to do to the text is in ``Rendition.notes``; ``syndicator.text.notes`` puts that into words. The rules, with
examples, are told in ``docs/texts.md``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from syndicator.contract import Association, Limits
from syndicator.model import Card, Event, Item, Post, Purpose, Rendition, Span
from syndicator.route import Style
from syndicator.text import cards
from syndicator.text.attachments import Chosen, choose
from syndicator.text.campaign import tagged
from syndicator.text.clean import clean
from syndicator.text.compose import Composed, Draft, compose
from syndicator.text.language import valid_language
from syndicator.text.linked import EMPTY, Linked, joined
from syndicator.text.links import addresses, hashtags
from syndicator.text.listing import Listed, listed
from syndicator.text.markup import to_markup
from syndicator.text.measure import size
from syndicator.text.shorten import shorten, shortened
from syndicator.text.tags import at_most, closing_tags, folded, hashtag_line, visible_tags
from syndicator.text.template import Values, fill, uses
from syndicator.text.told import moved as has_moved
from syndicator.text.wording import Wording, links_words

EXCERPT_MAX = 500
"""Graphemes of an article, a video's description or an event's, where they are only the appetiser of the page at home."""
HASHTAGS_ADDED_MAX = 4
"""How many of an event's, article's or video's tags become hashtags where the destination sets no limit of its own."""
TITLE_FROM_TEXT_MAX = 80
"""Characters of a title made of the text, for destinations that insist on one."""
EVENT_ITSELF: frozenset[Purpose] = frozenset({"create", "update", "replace"})
"""What shows an event as such; all other purposes tell something about it."""
WARNING = "⚠"


def render(
    item: Item,
    limits: Limits,
    style: Style,
    *,
    association: Association,
    destination_names: Collection[str] = (),
    destination_type: str = "",
    purpose: Purpose = "create",
    before: Event | None = None,
    now: datetime | None = None,
) -> tuple[Rendition, ...]:
    """What to publish of ``item``: one rendition, several for a thread, none when the style or the destination leaves it out.

    ``destination_names`` are the names and types of every destination configured: hashtags that refuse one of them are for us, and are
    removed. ``destination_type`` is told to Matomo where the style marks links home. A ``purpose`` of its own, such as a reminder, is said
    in the title: with ``before``, the event as readers were told of it last, a notice says what changed; with ``now``, a reminder says how
    long it is until then.
    """
    kind = "event" if isinstance(item, Event) else item.kind
    wording = Wording(item=item, limits=limits, style=style, association=association, names=destination_names, before=before, now=now)
    warning = wording.warning()
    if kind not in limits.kinds or (warning and style.content_warnings == "skip"):
        return ()
    hidden = bool(warning) and style.content_warnings == "link"
    # Tags tell what is behind the warning.
    item = replace(item, tags=()) if hidden else item
    shaping = _Shaping(
        item=item,
        limits=limits,
        style=replace(style, link="always", template="") if hidden else style,
        association=association,
        names=destination_names,
        wording=wording,
        warning=warning,
        home=tagged(item.url, style.campaign, destination_type),
        purpose=purpose,
    )
    return shaping.warning_only() if hidden else shaping.renditions()


@dataclass(frozen=True, kw_only=True)
class _Shaping:
    """Everything that the renditions of one item for one destination depend on."""

    item: Item
    limits: Limits
    style: Style
    association: Association
    names: Collection[str]
    wording: Wording
    warning: str
    home: str
    """The way home, with its campaign parameters."""
    purpose: Purpose

    def renditions(self) -> tuple[Rendition, ...]:
        """A note, a photo and a sound tell their text; articles, videos, lives and events their title, facts and an excerpt."""
        wording, whole = self.wording, self.wording.text()
        title = wording.title(self.purpose)
        text = _without_title(whole, wording.title()) if isinstance(self.item, Post) else whole
        brief = self._brief
        body = EMPTY if brief else self._body(text, title)
        chosen = self._chosen(title, body)
        draft = Draft(
            opening=f"{WARNING} {self.warning}" if self.warning and not self.limits.content_warning else "",
            title=title,
            facts=wording.outdated() if self.purpose == "retire" else wording.facts(),
            extras="" if brief else wording.extras(),
            body=body,
            bare_body=None if self._excerpts else closing_tags(body)[0],
            excerpt=self._excerpts,
            closings=wording.closings(),
            tags=self._added_tags(text, body) if self._excerpts and not brief else "",
        )
        notes = [
            *(["excerpt"] if self._excerpts and body and body != text else []),
            *(["cw-shown"] if draft.opening else []),
            *(["hashtags-limited"] if not self._excerpts and len(hashtags(body.text)) < len(hashtags(text.text)) else []),
            *(["links-dropped"] if self.style.text_links == "drop" and wording.has_links else []),
        ]
        post = self.item if isinstance(self.item, Post) else None
        always = self._excerpts or chosen.incomplete or (post is not None and (post.boost_of is not None or post.poll is not None))
        return self._made(draft, chosen, notes, always=always)

    def warning_only(self) -> tuple[Rendition, ...]:
        """The content warning and the way home, nothing of the content."""
        shown = "" if self.limits.content_warning else f"{WARNING} {self.warning}"
        face = cards.face(self.wording, "", self.warning)
        chosen = choose((), self.limits, sensitive=True, face=face)
        return self._made(Draft(title=shown), chosen, ["cw-link"], always=True)

    @property
    def _brief(self) -> bool:
        """Whether only the title and the facts of an event are told: they are the news."""
        if not isinstance(self.item, Event):
            return False
        said = self.wording.before
        moved = self.purpose == "announce-change" and said is not None and has_moved(said, self.item)
        return moved or self.item.status == "cancelled" or self.purpose in ("cancel", "retire")

    @property
    def _excerpts(self) -> bool:
        """Whether the text is only the appetiser of a page."""
        return isinstance(self.item, Event) or self.item.kind in {"article", "video", "live", "digest"}

    def _body(self, text: Linked, title: str) -> Linked:
        if not self._excerpts:
            return self._with_few_tags(text)
        if isinstance(self.item, Event):
            return self._excerpt(text)
        return _without_title(self._excerpt(Linked(self.wording.plain(self.item.summary)) or text), title)

    def _excerpt(self, text: Linked) -> Linked:
        """What an article, video or event shows of its text; all of it where the destination shows whole pages."""
        if self.limits.title_max is not None:
            return text
        return shortened(closing_tags(text)[0] or text, Limits(text_max=EXCERPT_MAX, text_unit="graphemes"))

    def _with_few_tags(self, text: Linked) -> Linked:
        """The text of a note with no more hashtags than the style and the destination want."""
        if self.style.hashtags == "drop":
            text = closing_tags(text)[0]
        return text if self.limits.hashtags_max is None else at_most(text, self.limits.hashtags_max)

    def _added_tags(self, text: Linked, body: Linked) -> str:
        """The item's tags as a line of hashtags, but those that the shown body already has."""
        if self.style.hashtags == "drop":
            return ""
        said = {folded(entity.value) for entity in hashtags(body.text)}
        closing = [entity.value for entity in hashtags(closing_tags(text)[1])]
        wanted = [tag for tag in [*visible_tags(self.item, self.names), *closing] if folded(tag) not in said]
        most = HASHTAGS_ADDED_MAX
        if self.limits.hashtags_max is not None:
            most = min(most, max(0, self.limits.hashtags_max - len(said)))
        return hashtag_line(wanted, most)

    def _chosen(self, title: str, body: Linked) -> Chosen:
        """What stands behind a warning at home does not stand in the open elsewhere."""
        item = self.item
        own = item.attachments if isinstance(item, Post) else (item.image,) if item.image else ()
        required = self.limits.media.image_required
        face = cards.face(self.wording, title or self._first_words(body), self.warning) if required else None
        hidden = bool(self.warning) or (isinstance(item, Post) and item.sensitive)
        if not self._pictured_by_card:
            return choose(own, self.limits, sensitive=hidden, default_alt=self.wording.picture(), face=face)
        videos = [one for one in own if one.type != "image"]
        limits = replace(self.limits, media=replace(self.limits.media, images_max=0))
        chosen = choose(videos, limits, sensitive=hidden, default_alt=self.wording.picture())
        return replace(chosen, notes=tuple(note for note in chosen.notes if note != "media-left-out"))

    @property
    def _pictured_by_card(self) -> bool:
        """Whether the link's card shows the picture, which only stands for the page behind it."""
        shown = self.style.link != "never" and (not self.style.template or uses(self.style.template, "url"))
        return self.limits.card and not self.limits.media.image_required and shown and cards.in_card(self.item)

    def _made(self, draft: Draft, chosen: Chosen, notes: list[str], *, always: bool) -> tuple[Rendition, ...]:
        draft, title, more = self._titled(draft)
        draft = self._linked(draft, always=always, empty=not chosen.attachments)
        if self.style.footer and self._has_footer():
            draft = replace(draft, footer=clean(self.style.footer).strip())
        limits, first, warning = self._room(chosen)
        composed, unusable = self._composed(draft, title, limits, first, alone=not chosen.attachments)
        link = self._link_apart(composed, always=always)
        base = Rendition(
            uid=self.item.uid,
            text="",
            title=title,
            link=link,
            language=valid_language(self.item.language),
            content_warning=warning,
            sensitive=isinstance(self.item, Post) and (self.item.sensitive or bool(self.warning)),
            visibility=self.item.visibility,
            attachments=chosen.attachments,
            tags=visible_tags(self.item, self.names),
            event=self._event(),
            published_at=self.item.published_at,
            notes=tuple(dict.fromkeys((*notes, *more, *unusable, *chosen.notes, *composed.notes, *self._cost_notes(composed)))),
        )
        where = len(composed.parts) - 1 if link else self._part_with_link(composed)
        card = self._card(draft, title, chosen) if self.limits.card and where is not None else None
        return tuple(self._part(base, composed.parts, number, card if number == where else None) for number in range(len(composed.parts)))

    def _event(self) -> Event | None:
        """What a calendar must know; None of what only speaks of an event, such as a reminder, and behind a warning."""
        item = self.item
        if not (self.limits.events and isinstance(item, Event)) or self.warning or self.purpose not in EVENT_ITSELF:
            return None
        return Event(
            uid=item.uid,
            url=item.url,
            title=item.title,
            status=item.status,
            starts_at=item.starts_at,
            ends_at=item.ends_at,
            timezone=item.timezone,
            start_is_date=item.start_is_date,
            end_is_date=item.end_is_date,
            place=item.place,
            online_url=item.online_url,
            organizer=item.organizer,
        )

    def _part(self, base: Rendition, parts: tuple[Linked, ...], part: int, card: Card | None) -> Rendition:
        """One part of the thread: media on the first, the way home on the last, the warning on each."""
        first, last = part == 0, part == len(parts) - 1
        return replace(
            base,
            text=to_markup(parts[part], self.limits.markup),
            # Where the markup can say it, it has been said.
            spans=parts[part].spans if self.limits.markup == "plain" else (),
            card=card,
            part=part,
            parts=len(parts),
            attachments=base.attachments if first else (),
            link=base.link if last else None,
            sensitive=base.sensitive and (first or bool(base.content_warning)),
        )

    def _room(self, chosen: Chosen) -> tuple[Limits, Limits, str]:
        """The limits of a text, those of the first one, which may be a caption, and the warning for its field.

        The services that have a field for it count it with the text: at most half of the room is its.
        """
        limits = first = self.limits
        if chosen.attachments and limits.caption_max is not None:
            first = replace(limits, text_max=min(limits.caption_max, limits.text_max or limits.caption_max))
        if not self.warning or not limits.content_warning:
            return limits, first, ""
        if first.text_max is None:
            return limits, first, self.warning
        warning = shorten(self.warning, replace(first, text_max=first.text_max // 2, bytes_max=None))
        return _beside(warning, limits), _beside(warning, first), warning

    def _composed(self, draft: Draft, title: str, limits: Limits, first: Limits, *, alone: bool) -> tuple[Composed, tuple[str, ...]]:
        """The texts; by the route's own template where it has one that can be used, and that says something of what stands ``alone``."""
        thread = self.style.long_text == "thread" and self.limits.threads
        if not self.style.template:
            return compose(draft, limits, first=first, thread=thread), ()
        opening = "" if draft.opening and uses(self.style.template, "warning") else draft.opening
        text = joined([draft.body, draft.closings[0]])
        values = self._values(draft, title or draft.title)
        composed = fill(self.style.template, values, text, limits, first=first, thread=thread, opening=opening)
        if composed is not None and (not alone or any(part.text.strip() for part in composed.parts)):
            return composed, ()
        return compose(draft, limits, first=first, thread=thread), ("template-left-out",)

    def _values(self, draft: Draft, title: str) -> Values:
        item, wording = self.item, self.wording
        author = item.organizer if isinstance(item, Event) else item.author
        tags = visible_tags(item, self.names)
        return Values(
            title=title,
            url=self.home,
            when=wording.when(),
            place=wording.place(),
            price=wording.price(),
            tags=tags,
            hashtags=draft.tags or hashtag_line(tags, self.limits.hashtags_max or HASHTAGS_ADDED_MAX),
            warning=self.warning,
            author=wording.line(author.name) if author is not None else "",
            source=item.source,
            kind="event" if isinstance(item, Event) else item.kind,
            language=wording.language,
            association=self.association.name,
            before=wording.was(),
            offset=wording.lead(),
            events=self._listed(),
        )

    def _listed(self) -> tuple[Listed, ...]:
        """The events of a recap, for its template."""
        if not isinstance(self.item, Post) or not self.item.listing or self.item.starts_at is None:
            return ()
        zone = ZoneInfo(self.association.timezone)
        return listed(self.item.listing, self.item.starts_at.astimezone(zone).date(), self.wording.language, self.association.timezone)

    def _titled(self, draft: Draft) -> tuple[Draft, str, list[str]]:
        """The title apart, where the destination has a place for it."""
        most = self.limits.title_max
        if most is None:
            return draft, "", []
        if not draft.title:
            first = draft.opening or self._first_words(draft.body) or _first_line(draft.facts)
            return draft, shorten(first, Limits(text_max=min(most, TITLE_FROM_TEXT_MAX))), []
        # A note about an edit has a title of ours, though its item may have none.
        title = draft.title if self.item.title else f"{draft.title} {self._first_words(draft.body)}"
        cut = shorten(title, Limits(text_max=most))
        return replace(draft, title=""), cut, ["title-cut"] if cut != title else []

    def _linked(self, draft: Draft, *, always: bool, empty: bool) -> Draft:
        """The way home, as the style wants it; a post that would hold nothing else has it in any case."""
        nothing = empty and not any([draft.opening, draft.title, draft.facts, draft.body, *draft.closings])
        if self.style.link == "never" and not nothing:
            return draft
        said = f"{draft.body.text}\n{draft.closings[0]}"
        if self.limits.link_apart or self.item.url in {*_urls(said), *(span.url for span in draft.body.spans)}:
            return draft
        if (isinstance(self.item, Post) and self.item.poll is not None) or always or nothing or self.style.link == "always":
            return replace(draft, link=self._way_home())
        return replace(draft, link_when_cut=self._way_home())

    def _way_home(self) -> Linked:
        """The address itself, its campaign parameters out of sight where they can be."""
        # Discord, for one, shows no link whose words are an address.
        if self.home == self.item.url or not links_words(self.limits) or self.limits.markup == "markdown":
            return Linked(self.wording.way_home(self.home))
        shown = self.wording.way_home(self.item.url)
        start = shown.index(self.item.url)
        return Linked(shown, (Span(start=start, end=start + len(self.item.url), url=self.home),))

    def _link_apart(self, composed: Composed, *, always: bool) -> str | None:
        if not self.limits.link_apart or self.style.link == "never":
            return None
        return self.home if always or self.style.link == "always" or composed.cut or not composed.parts[0] else None

    def _part_with_link(self, composed: Composed) -> int | None:
        """Which part leads home."""
        ours = {self.home, self.item.url}
        for number, part in reversed(list(enumerate(composed.parts))):
            if ours & {*_urls(part.text), *(span.url for span in part.spans)}:
                return number
        return None

    def _card(self, draft: Draft, title: str, chosen: Chosen) -> Card:
        words = self.wording.words_only(closing_tags(draft.body)[0])
        said = title or draft.title or _first_line(words) or self.association.name
        return cards.card(self.wording, self.home, said, words, chosen, self.warning)

    def _first_words(self, body: Linked) -> str:
        return _first_line(self.wording.words_only(body))

    def _has_footer(self) -> bool:
        """Whether this one of so many has the footer: its own name decides, for ever."""
        every = max(1, self.style.footer_every)
        return int.from_bytes(sha256(self.item.uid.encode()).digest()[:8]) % every == 0

    def _cost_notes(self, composed: Composed) -> tuple[str, ...]:
        """X makes links of bare domains, counts each for 23 and charges for them."""
        if self.limits.text_unit != "weighted":
            return ()
        found = [entity.kind for part in composed.parts for entity in addresses(part.text)]
        return (*(["domain-linked"] if "domain" in found else []), *(["link-costs"] if found else []))


def _beside(warning: str, limits: Limits) -> Limits:
    """The room that a warning in its own field leaves for the text."""
    return limits if limits.text_max is None else replace(limits, text_max=limits.text_max - size(Linked(warning), limits))


def _without_title(body: Linked, title: str) -> Linked:
    """The body without a first line that only says the title again."""
    first, _, _ = body.text.partition("\n")
    return body.between(len(first)).stripped("\n") if title and first.strip() == title else body


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def _urls(text: str) -> set[str]:
    return {entity.value for entity in addresses(text)}

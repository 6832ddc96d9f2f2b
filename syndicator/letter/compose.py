"""Pure: items × newsletter × what was told before → an issue."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from syndicator.contract import Association, Limits
from syndicator.letter.newsletter import VIDEOS, Newsletter, Wanted
from syndicator.model import Attachment, Entry, Event, Issue, Item, Post, Section
from syndicator.plan.refusals import fold, kind_of
from syndicator.text.clean import clean
from syndicator.text.dates import describe_when, short_when
from syndicator.text.html import to_text
from syndicator.text.phrases import where
from syndicator.text.shorten import shorten

TEXT_MAX = 320
TITLE_MAX = 110
BEGINNING_MAX = 80
"""Of a post without a title, what stands as its heading."""
SUBJECT_MAX = 78
"""Characters: what a phone shows of a subject is less still, so that what matters comes first."""
_SENTENCE = re.compile(rf"(.{{12,{BEGINNING_MAX - 1}}}?[.!?…])\s+(?=\S)")
_AFTER_A_CUT = " \u00a0\u202f,;:.–—"
"""What no text begins with."""
WORDS = {
    "fr": {
        "events": "À venir",
        "posts": "Ces derniers temps",
        "videos": "À voir",
        "cancelled": "Annulé",
        "full": "Complet",
        "tentative": "À confirmer",
        "online": "En ligne",
        "more": "et {count} autres",
    },
    "en": {
        "events": "Coming up",
        "posts": "Lately",
        "videos": "To watch",
        "cancelled": "Cancelled",
        "full": "Fully booked",
        "tentative": "To be confirmed",
        "online": "Online",
        "more": "and {count} more",
    },
}


def compose(
    newsletter: Newsletter,
    items: Sequence[Item],
    arrived: Mapping[str, datetime],
    told: Collection[str],
    since_at: datetime,
    until_at: datetime,
    association: Association,
    *,
    editorial: str = "",
) -> Issue:
    """The issue that is due at ``until_at``.

    ``items`` are those that may be shown, as they are now; ``arrived`` says when each came to us or was published, whichever is later;
    ``told`` are the uids that an earlier issue told. What arrived after ``since_at`` and was published by ``until_at`` is told, so that
    periods that follow each other leave nothing out, however late it was seen; an event is in every issue until it is over, unless it was
    cancelled.
    """
    words = WORDS["fr" if newsletter.language.split("-")[0].lower() == "fr" else "en"]
    shown = [item for item in items if item.source in newsletter.sources and not is_editorial(item, newsletter)]
    taken: set[str] = set()
    sections = []
    for wanted in newsletter.sections:
        fitting = [item for item in shown if item.uid not in taken and _fits(item, wanted)]
        chosen = _events(fitting, wanted, until_at) if "event" in wanted.kinds else _posts(fitting, arrived, told, since_at, until_at)
        taken.update(item.uid for item in chosen)
        entries = [_entry(item, newsletter, association, told, words) for item in chosen]
        if entries:
            heading = wanted.title or _heading(wanted, words)
            sections.append(Section(title=heading, entries=tuple(entries[: wanted.most]), brief=tuple(entries[wanted.most :])))
    return Issue(
        newsletter=newsletter.name,
        title=newsletter.title,
        subject=_subject(newsletter, [item for item in shown if item.uid in taken], sections, words),
        language=newsletter.language,
        since_at=since_at,
        until_at=until_at,
        editorial=editorial,
        sections=tuple(sections),
    )


def is_editorial(item: Item, newsletter: Newsletter) -> bool:
    """Whether a post is the words of an issue rather than one of its entries."""
    return isinstance(item, Post) and bool(newsletter.editorial_tag) and fold(newsletter.editorial_tag) in {fold(tag) for tag in item.tags}


def _fits(item: Item, wanted: Wanted) -> bool:
    if kind_of(item) not in wanted.kinds or (wanted.sources and item.source not in wanted.sources):
        return False
    return not wanted.tags or not {fold(tag) for tag in wanted.tags}.isdisjoint(fold(tag) for tag in item.tags)


def _events(items: Iterable[Item], wanted: Wanted, until_at: datetime) -> list[Item]:
    """Those to come, soonest first; activities that go on for weeks after them."""
    events = [item for item in items if isinstance(item, Event) and item.status != "cancelled"]
    to_come = [event for event in events if ends_after(event, until_at) and event.starts_at <= until_at + wanted.within]
    ordered = sorted(to_come, key=lambda event: (event.is_long or event.starts_at < until_at, event.starts_at, event.uid))
    return list(ordered)


def ends_after(event: Event, at: datetime) -> bool:
    """Whether it is not over at ``at``; a day without an hour lasts until its midnight."""
    end = event.ends_at or event.starts_at
    if event.end_is_date or (event.ends_at is None and event.start_is_date):
        local = end.astimezone(ZoneInfo(event.timezone)).date() + timedelta(days=1)
        end = datetime.combine(local, datetime.min.time(), ZoneInfo(event.timezone))
    return end > at


def _posts(
    items: Iterable[Item], arrived: Mapping[str, datetime], told: Collection[str], since_at: datetime, until_at: datetime
) -> list[Item]:
    """What no issue told, newest first; a thread is told by its beginning."""
    fresh = [item for item in items if isinstance(item, Post) and item.uid not in told and item.boost_of is None]
    own = {post.uid for post in fresh}
    heads = [post for post in fresh if post.in_reply_to is None or (post.in_reply_to not in own and post.in_reply_to not in told)]
    new = [post for post in heads if post.uid in arrived and since_at < arrived[post.uid] and (post.published_at or until_at) <= until_at]
    return sorted(new, key=lambda post: (post.published_at or arrived[post.uid], post.uid), reverse=True)


def _entry(item: Item, newsletter: Newsletter, association: Association, told: Collection[str], words: dict[str, str]) -> Entry:
    language, text = newsletter.language, _prose(item)
    if isinstance(item, Event):
        states = [words["full"]] * item.full + [words["tentative"]] * (item.status == "tentative")
        return Entry(
            uid=item.uid,
            kind="event",
            title=_line(item.title, TITLE_MAX),
            url=item.url,
            text=_cut(text, TEXT_MAX),
            when=describe_when(item, language, home_timezone=association.timezone),
            place=where(item.place) if item.place else words["online"] if item.online_url else "",
            state=" · ".join(states),
            image=item.image,
            new=item.uid not in told,
        )
    title, at = _line(item.title, TITLE_MAX), item.published_at
    if not title and not item.content_warning:
        title, text = _begun(text or item.url)
    return Entry(
        uid=item.uid,
        kind=item.kind,
        title=title or _line(item.content_warning, BEGINNING_MAX),
        url=item.url,
        text=_line(item.content_warning, TEXT_MAX) if item.content_warning else _cut(text, TEXT_MAX),
        when=_day(at, association.timezone, language) if at else "",
        image=None if item.sensitive or item.content_warning else _picture(item),
        new=item.uid not in told,
    )


def _begun(text: str) -> tuple[str, str]:
    """A text without a title as a heading and what follows it, so that nothing is read twice: its first line, its first sentence, or as
    much of it as a heading holds."""
    line, _, rest = text.strip().partition("\n")
    if len(line) <= BEGINNING_MAX:
        return line, rest.strip()
    sentence = _SENTENCE.match(line)
    if sentence:
        return sentence[1], text.strip()[sentence.end() :].strip()
    heading = _line(line, BEGINNING_MAX)
    kept = heading.removesuffix("…").rstrip()
    if not text.strip().startswith(kept):
        return heading, text
    return heading, f"… {text.strip().removeprefix(kept).lstrip(_AFTER_A_CUT)}"


def _prose(item: Item) -> str:
    summary = item.summary if isinstance(item, Post) else ""
    return clean(summary).strip() or to_text(item.html)


def _picture(post: Post) -> Attachment | None:
    for attachment in post.attachments:
        if attachment.type == "image":
            return attachment
        if attachment.preview_url:
            return Attachment(url=attachment.preview_url, description=attachment.description)
    return None


def _day(at: datetime, timezone: str, language: str) -> str:
    day = Event(uid="", url="", title="", starts_at=at, timezone=timezone, start_is_date=True)
    return describe_when(day, language, home_timezone=timezone)


def _heading(wanted: Wanted, words: dict[str, str]) -> str:
    return words["events" if "event" in wanted.kinds else "videos" if set(wanted.kinds) <= set(VIDEOS) else "posts"]


def _subject(newsletter: Newsletter, items: Sequence[Item], sections: Sequence[Section], words: dict[str, str]) -> str:
    """What is most worth opening it for, then how much more there is; the newsletter's own title when nothing has a name."""
    by_uid = {item.uid: item for item in items}
    entries = [entry for section in sections for entry in (*section.entries, *section.brief)]
    first = next((entry for entry in entries if entry.new), entries[0] if entries else None)
    if first is None:
        return newsletter.title
    item = by_uid[first.uid]
    date = f" ({short_when(item, newsletter.language)})" if isinstance(item, Event) else ""
    others = len(entries) - 1
    rest = f", {words['more'].format(count=others)}" if others > 1 else ""
    return f"{_line(first.title, SUBJECT_MAX - len(date) - len(rest))}{date}{rest}"


def _line(text: str, length: int) -> str:
    return _cut(" ".join(clean(text).split()), length)


def _cut(text: str, length: int) -> str:
    return shorten(text, Limits(text_max=length))

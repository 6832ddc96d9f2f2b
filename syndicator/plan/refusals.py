"""What a route never carries, and when an item is no news any more."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from syndicator.model import Event, Item, Post
from syndicator.plan.facts import Facts
from syndicator.route import Filter, Route
from syndicator.text.html import to_text
from syndicator.text.tags import opted_out

WITHDRAWN = frozenset({"not-public", "draft", "opted-out", "content-warning"})
"""Refusals that hold for what is out already: it is taken back."""


def too_late(item: Item, published_at: datetime, now: datetime, max_age: timedelta) -> str | None:
    """Why an item is no news any more: ``over`` for an event that has ended, ``stale`` for a post; None while it is news."""
    if isinstance(item, Event):
        ends_at = item.ends_at or item.starts_at
        if item.end_is_date or (item.ends_at is None and item.start_is_date):
            ends_at += timedelta(days=1)
        return "over" if ends_at <= now else None
    return "stale" if now - published_at > max_age else None


def refusal(item: Item, route: Route, destination: str, destination_type: str, facts: Facts) -> str | None:
    """Why this route never carries this item there, whenever it is; None when it does. Projections obey the same rules."""
    return (
        _privacy(item, route.filter)
        or ("loop" if item.uid in facts.ours else None)
        or (_post_refusal(item, route, facts) if isinstance(item, Post) else None)
        or ("opted-out" if opted_out(item, {destination, destination_type}) else None)
        or ("filter" if not passes(item, route.filter) else None)
    )


def _privacy(item: Item, conditions: Filter) -> str | None:
    if item.draft:
        return "draft"
    allowed = ("public", "unlisted") if conditions.unlisted else ("public",)
    return None if item.visibility in allowed else "not-public"


def _post_refusal(post: Post, route: Route, facts: Facts) -> str | None:
    if post.reply_to_other:
        return "reply"
    if post.application and post.application.lower() == "syndicator":
        return "loop"
    if post.boost_of is not None:
        author = (post.author.handle or "").lower() if post.author else ""
        if not route.filter.boosts or post.boost_of in facts.stored or (post.boost_of_other and author not in facts.own_accounts):
            return "boost"
    if post.content_warning and route.style.content_warnings == "skip":
        return "content-warning"
    return None


def kind_of(item: Item) -> str:
    """``event``, or the kind of a post."""
    return "event" if isinstance(item, Event) else item.kind


def passes(item: Item, conditions: Filter) -> bool:
    """Whether an item meets every condition of a filter."""
    if conditions.kinds and kind_of(item) not in conditions.kinds:
        return False
    if conditions.languages and item.language and not _speaks(item.language, conditions.languages):
        return False
    tags = {fold(tag) for tag in item.tags}
    if conditions.tags and tags.isdisjoint(fold(tag) for tag in conditions.tags):
        return False
    if not tags.isdisjoint(fold(tag) for tag in conditions.exclude_tags):
        return False
    if not (conditions.keywords or conditions.exclude_keywords):
        return True
    words = fold(f"{item.title} {to_text(item.html)}")
    if conditions.keywords and not _mentions(words, conditions.keywords):
        return False
    return not _mentions(words, conditions.exclude_keywords)


def _speaks(language: str, wanted: Collection[str]) -> bool:
    tag = language.lower()
    return any(tag == want.lower() or tag.startswith(want.lower() + "-") for want in wanted)


def _mentions(folded: str, keywords: Iterable[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(fold(keyword))}(?!\w)", folded) for keyword in keywords)


def fold(text: str) -> str:
    """A text without case, accents or a leading #: how tags and keywords are compared."""
    decomposed = unicodedata.normalize("NFKD", text.removeprefix("#").casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))

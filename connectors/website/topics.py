"""Pages of many: one a tag, one a source, one a year, and those that lead to them."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from markupsafe import Markup

from connectors.website import clean, jsonld
from connectors.website.cards import EventRow, post_card, shown_tags
from connectors.website.labels import Labels
from connectors.website.page import Head, Link
from connectors.website.presence_labels import presence_labels_for
from connectors.website.scene import Made, Scene
from connectors.website.selection import first_day
from connectors.website.standing import mark, mark_of
from syndicator.model import Event, Item, Post
from syndicator.text import naming

LISTED_MAX = 50
"""Events to come, and as many past ones, on the page of a tag or of a source; the years have them all."""
POSTS_MAX = 10
YEAR_MAX = 400
"""Events that one page of a year shows; with more, every month has a page of its own."""

INDEX = "index"
Page = tuple[str, Callable[[], bytes]]
"""What it is made from, in a word, and how it is made."""


@dataclass(kw_only=True)
class Topic:
    """What one page lists, in the order of the view; posts latest first."""

    path: str
    name: str
    events: list[Event] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    """Of all of them, and whether they are to come."""

    @property
    def key(self) -> str:
        """Another one whenever the page differs."""
        return mark_of("|".join([self.name, *self.marks]))


@functools.lru_cache(maxsize=4_096)
def tag_page(tag: str) -> str:
    """The page of a tag; case and accents make no difference, and a tag without letters of ours has one too."""
    slug = naming.slug(tag)
    return f"tags/{slug if slug not in ('', INDEX) else naming.handle(tag.casefold())}.html"


@functools.lru_cache(maxsize=1_024)
def source_page(name: str) -> str:
    """The page of a source."""
    return f"sources/{naming.slug(name) or naming.handle(name)}.html"


@dataclass(frozen=True, kw_only=True)
class Section:
    """Events under one heading."""

    id: str
    title: str
    rows: Sequence[EventRow]
    empty: str = ""
    """What is said when there are none."""


@dataclass(frozen=True, kw_only=True)
class Topics:
    """Everything that is shown by many."""

    tags: Sequence[Topic]
    sources: Sequence[Topic]
    years: Mapping[int, Sequence[Topic]]
    """Their months, in order."""


def collect(scene: Scene) -> Topics:
    """The view, by tag, source, year and month. One pass, as little as possible for each item: there may be thousands."""
    tags, by_tags = _by_tag(scene)
    sources = _by_source(scene)
    years: dict[int, dict[int, Topic]] = {}
    shown_by, marks, to_come = scene.view.shown_by, scene.marks, scene.selection.to_come
    for event in scene.selection.paged:
        uid = event.uid
        word = marks[uid] + ("+" if uid in to_come else "-")
        lists = [*by_tags[event.tags], _month(years, first_day(event), scene.site.labels)]
        if sources:
            lists += [sources[name] for name in shown_by.get(uid, (event.source,)) if name in sources]
        for topic in lists:
            topic.events.append(event)
            topic.marks.append(word)
    for post in scene.selection.heads:
        own = [sources[name] for name in shown_by.get(post.uid, (post.source,)) if name in sources]
        for topic in (*by_tags[post.tags], *own):
            topic.posts.append(post)
            topic.marks.append(marks[post.uid])
    return Topics(
        tags=tags,
        sources=sorted(sources.values(), key=lambda topic: (topic.name.casefold(), topic.path)),
        years={year: [years[year][month] for month in sorted(years[year])] for year in sorted(years, reverse=True)},
    )


def _by_tag(scene: Scene) -> tuple[list[Topic], Mapping[tuple[str, ...], Sequence[Topic]]]:
    """A page for each tag, by name, each called as it is most often spelt; and which pages each set of tags belongs to."""
    spellings: Mapping[str, Counter[str]] = defaultdict(Counter)
    paths: dict[tuple[str, ...], list[str]] = {}
    items: tuple[Item, ...] = (*scene.selection.paged, *scene.selection.heads)
    for tags, count in Counter([item.tags for item in items]).items():
        shown = {tag_page(tag): tag for tag in shown_tags(tags)}
        paths[tags] = list(shown)
        for path, tag in shown.items():
            spellings[path][tag] += count
    found = {path: Topic(path=path, name=min(counts, key=lambda tag: (-counts[tag], tag))) for path, counts in spellings.items()}
    ordered = sorted(found.values(), key=lambda topic: (topic.name.casefold(), topic.path))
    return ordered, {tags: [found[path] for path in named] for tags, named in paths.items()}


def _by_source(scene: Scene) -> dict[str, Topic]:
    """None where there is but one source: the front page is its page."""
    titles = scene.view.sources
    if len(titles) < 2:
        return {}
    return {name: Topic(path=source_page(name), name=clean.plain(title) or name) for name, title in titles.items()}


def _month(years: dict[int, dict[int, Topic]], day: date, labels: Labels) -> Topic:
    months = years.setdefault(day.year, {})
    if day.month not in months:
        name = f"{labels.month_names[day.month - 1]} {day.year}"
        months[day.month] = Topic(path=f"archive/{day.year}-{day.month:02}.html", name=name)
    return months[day.month]


def topics(scene: Scene, found: Topics) -> Made:
    """Only pages that something touched are made anew."""
    wanted = _indexes(scene, found)
    for topic in (*found.tags, *found.sources):
        wanted[topic.path] = (topic.key, functools.partial(_topic_page, scene, topic))
    for year, months in found.years.items():
        wanted.update(_year(scene, year, months))
    keys = {path: key for path, (key, _) in wanted.items()}
    stale = {path for path, key in keys.items() if scene.standing.keys.get(path) != key}
    return Made(pages={path: wanted[path][1] for path in stale}, keep=frozenset(keys.keys() - stale), keys=keys)


def explore(scene: Scene) -> list[Link]:
    """What the front page leads to."""
    labels = scene.site.labels
    presence = [Link(path="links.html", name=presence_labels_for(labels.language).links)] if scene.options.presence else []
    if not scene.options.pages:
        return presence
    found = [Link(path="archive/index.html", name=labels.years), Link(path="tags/index.html", name=labels.tags)]
    titles = scene.view.sources if len(scene.view.sources) > 1 else {}
    sources = [Link(path=source_page(name), name=clean.plain(title) or name) for name, title in titles.items()]
    return presence + found + sorted(sources, key=lambda link: (link.name.casefold(), link.path))


def _topic_page(scene: Scene, topic: Topic) -> bytes:
    to_come = [event for event in topic.events if event.uid in scene.selection.to_come]
    past = [event for event in reversed(topic.events) if event.uid not in scene.selection.to_come]
    shown = to_come[:LISTED_MAX]
    site, labels = scene.site, scene.site.labels
    sections = [Section(id="s-upcoming", title=labels.upcoming, rows=_rows(scene, shown), empty=labels.none_upcoming)]
    if past:
        sections.append(Section(id="s-past", title=labels.past, rows=_rows(scene, past[:LISTED_MAX])))
    posts = [post_card(post, scene.view, scene.association, labels, {}) for post in topic.posts[:POSTS_MAX]]
    head = Head(
        path=topic.path,
        title=topic.name,
        description=f"{labels.about_tag}{labels.colon}{topic.name} – {site.title}",
        structured=_structured(scene, shown),
    )
    more = len(to_come) > LISTED_MAX or len(past) > LISTED_MAX
    return scene.pages.listing(site, head, {"sections": sections, "posts": posts, "more": more})


def _year(scene: Scene, year: int, months: Sequence[Topic]) -> dict[str, Page]:
    """The page of a year, and those of its months when it has too many events."""
    path, labels = f"archive/{year}.html", scene.site.labels
    title = f"{labels.all_events}{labels.colon}"
    if sum(len(month.events) for month in months) <= YEAR_MAX:
        key = mark([month.key for month in months])
        return {path: (key, functools.partial(_months, scene, Head(path=path, title=f"{title}{year}"), months))}
    found = {
        month.path: (month.key, functools.partial(_months, scene, Head(path=month.path, title=title + month.name), [month]))
        for month in months
    }
    links = [Link(path=month.path, name=month.name, count=len(month.events)) for month in months]
    return {**found, path: (mark(links), functools.partial(_index, scene, Head(path=path, title=f"{title}{year}"), links))}


def _indexes(scene: Scene, found: Topics) -> dict[str, Page]:
    labels = scene.site.labels
    tags = [Link(path=topic.path, name=topic.name, count=len(topic.events) + len(topic.posts)) for topic in found.tags]
    years = [
        Link(path=f"archive/{year}.html", name=str(year), count=sum(len(month.events) for month in months))
        for year, months in found.years.items()
    ]
    return {
        path: (mark(links), functools.partial(_index, scene, Head(path=path, title=title), links))
        for path, title, links in (("tags/index.html", labels.tags, tags), ("archive/index.html", labels.years, years))
    }


def _index(scene: Scene, head: Head, links: Sequence[Link]) -> bytes:
    return scene.pages.links(scene.site, head, links)


def _months(scene: Scene, head: Head, months: Sequence[Topic]) -> bytes:
    sections = [Section(id=f"m-{place}", title=month.name, rows=_rows(scene, month.events)) for place, month in enumerate(months, start=1)]
    structured = _structured(scene, [event for month in months for event in month.events])
    return scene.pages.listing(scene.site, replace(head, structured=structured), {"sections": sections, "posts": [], "more": False})


def _rows(scene: Scene, events: Sequence[Event]) -> list[EventRow]:
    return [scene.row(event) for event in events]


def _structured(scene: Scene, events: Sequence[Event]) -> Markup | None:
    base = scene.site.page_url
    return jsonld.script(jsonld.item_list([base + scene.leaves[event.uid] for event in events])) if base and events else None

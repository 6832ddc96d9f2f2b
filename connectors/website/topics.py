"""Pages of many: one a tag, one a source, one a year, and those that lead to them."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from connectors.website import clean, jsonld
from connectors.website.cards import EventRow, event_row, post_card, tags_of
from connectors.website.page import Head, Link
from connectors.website.scene import Made, Scene
from connectors.website.selection import first_day
from connectors.website.standing import mark
from syndicator.model import Event, Item, Post
from syndicator.text import naming

LISTED_MAX = 100
"""Events to come, and as many past ones, on the page of a tag or of a source; the years have them all."""
POSTS_MAX = 10
YEAR_MAX = 400
"""Events that one page of a year shows; with more, every month has a page of its own."""

INDEX = "index"
Page = tuple[str, Callable[[], bytes]]
"""What it is made from, in a word, and how it is made."""


@dataclass(kw_only=True)
class Topic:
    """One page of many items, in the order of the view."""

    path: str
    name: str
    events: list[Event] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    """Latest first."""

    def add(self, item: Item) -> None:
        """One more."""
        if isinstance(item, Event):
            self.events.append(item)
        else:
            self.posts.append(item)


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
    years: Mapping[int, Mapping[int, Sequence[Event]]]


def collect(scene: Scene) -> Topics:
    """The view, by tag, source and year."""
    return Topics(tags=by_tag(scene), sources=by_source(scene), years=by_year(scene.selection.paged))


def topics(scene: Scene, found: Topics) -> Made:
    """Only pages that something touched are made anew."""
    wanted = _indexes(scene, found)
    for topic in (*found.tags, *found.sources):
        wanted[topic.path] = (_key(scene, topic), functools.partial(_topic_page, scene, topic))
    for year, months in found.years.items():
        wanted.update(_year(scene, year, months))
    keys = {path: key for path, (key, _) in wanted.items()}
    stale = {path for path, key in keys.items() if scene.standing.keys.get(path) != key}
    return Made(pages={path: wanted[path][1] for path in stale}, keep=frozenset(keys.keys() - stale), keys=keys)


def explore(scene: Scene) -> list[Link]:
    """What the front page leads to."""
    if not scene.options.pages:
        return []
    labels = scene.site.labels
    found = [Link(path="archive/index.html", name=labels.years), Link(path="tags/index.html", name=labels.tags)]
    titles = scene.view.sources if len(scene.view.sources) > 1 else {}
    sources = [Link(path=source_page(name), name=clean.plain(title) or name) for name, title in titles.items()]
    return found + sorted(sources, key=lambda link: (link.name.casefold(), link.path))


def by_tag(scene: Scene) -> list[Topic]:
    """By name; each is called as it is most often spelt."""
    found: dict[str, Topic] = {}
    spellings: Mapping[str, Counter[str]] = defaultdict(Counter)
    for item in _listed(scene):
        for path, tag in {tag_page(tag): tag for tag in tags_of(item)}.items():
            found.setdefault(path, Topic(path=path, name=tag)).add(item)
            spellings[path][tag] += 1
    for path, topic in found.items():
        topic.name = min(spellings[path], key=lambda tag: (-spellings[path][tag], tag))
    return sorted(found.values(), key=lambda topic: (topic.name.casefold(), topic.path))


def by_source(scene: Scene) -> list[Topic]:
    """By title; none where there is but one source: the front page is its page."""
    titles, shown_by = scene.view.sources, scene.view.shown_by
    if len(titles) < 2:
        return []
    found = {name: Topic(path=source_page(name), name=clean.plain(title) or name) for name, title in titles.items()}
    for item in _listed(scene):
        for name in shown_by.get(item.uid, (item.source,)):
            if name in found:
                found[name].add(item)
    return sorted(found.values(), key=lambda topic: (topic.name.casefold(), topic.path))


def by_year(events: Sequence[Event]) -> dict[int, dict[int, list[Event]]]:
    """Year → month → events, on their own clocks, latest year first."""
    found: dict[int, dict[int, list[Event]]] = {}
    for event in events:
        day = first_day(event)
        found.setdefault(day.year, {}).setdefault(day.month, []).append(event)
    return {year: dict(sorted(found[year].items())) for year in sorted(found, reverse=True)}


def _listed(scene: Scene) -> Iterator[Item]:
    yield from scene.selection.paged
    yield from scene.selection.heads


def _key(scene: Scene, topic: Topic) -> str:
    marks, to_come = scene.marks, scene.selection.to_come
    events = [marks[event.uid] + ("+" if event.uid in to_come else "-") for event in topic.events]
    return mark(topic.name, events, [marks[post.uid] for post in topic.posts])


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


def _year(scene: Scene, year: int, months: Mapping[int, Sequence[Event]]) -> dict[str, Page]:
    """The page of a year, and those of its months when it has too many events."""
    path, labels = f"archive/{year}.html", scene.site.labels
    events = [event for month in months.values() for event in month]
    if len(events) <= YEAR_MAX:
        sections = {f"m-{month:02}": (f"{labels.month_names[month - 1]} {year}", found) for month, found in months.items()}
        head = Head(path=path, title=f"{labels.all_events}{labels.colon}{year}", structured=_structured(scene, events))
        return {path: (_marks(scene, events), functools.partial(_months, scene, head, sections))}
    found: dict[str, Page] = {}
    links = []
    for month, listed in months.items():
        name = f"{labels.month_names[month - 1]} {year}"
        links.append(Link(path=f"archive/{year}-{month:02}.html", name=name, count=len(listed)))
        head = Head(path=links[-1].path, title=f"{labels.all_events}{labels.colon}{name}", structured=None)
        found[head.path] = (_marks(scene, listed), functools.partial(_months, scene, head, {f"m-{month:02}": (name, listed)}))
    found[path] = (mark(links), functools.partial(_index, scene, Head(path=path, title=f"{labels.all_events}{labels.colon}{year}"), links))
    return found


def _indexes(scene: Scene, found: Topics) -> dict[str, Page]:
    labels = scene.site.labels
    tags = [Link(path=topic.path, name=topic.name, count=len(topic.events) + len(topic.posts)) for topic in found.tags]
    years = [
        Link(path=f"archive/{year}.html", name=str(year), count=sum(map(len, months.values()))) for year, months in found.years.items()
    ]
    return {
        path: (mark(links), functools.partial(_index, scene, Head(path=path, title=title), links))
        for path, title, links in (("tags/index.html", labels.tags, tags), ("archive/index.html", labels.years, years))
    }


def _index(scene: Scene, head: Head, links: Sequence[Link]) -> bytes:
    return scene.pages.links(scene.site, head, links)


def _months(scene: Scene, head: Head, months: Mapping[str, tuple[str, Sequence[Event]]]) -> bytes:
    sections = [Section(id=anchor, title=title, rows=_rows(scene, events)) for anchor, (title, events) in months.items()]
    return scene.pages.listing(scene.site, head, {"sections": sections, "posts": [], "more": False})


def _marks(scene: Scene, events: Sequence[Event]) -> str:
    return mark([scene.marks[event.uid] for event in events])


def _rows(scene: Scene, events: Sequence[Event]) -> list[EventRow]:
    labels, previous = scene.site.labels, scene.view.previous
    return [event_row(event, scene.association, labels, page=scene.leaves[event.uid], previous=previous.get(event.uid)) for event in events]


def _structured(scene: Scene, events: Sequence[Event]) -> Markup | None:
    base = scene.site.page_url
    return jsonld.script(jsonld.item_list([base + scene.leaves[event.uid] for event in events])) if base and events else None

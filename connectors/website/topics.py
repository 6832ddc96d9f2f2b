"""Pages of many: one a tag, one a source, one a year, and those that lead to them."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from markupsafe import Markup

from connectors.website import clean, jsonld
from connectors.website.cards import EventRow, post_card, shown_tags
from connectors.website.labels import Labels
from connectors.website.page import Head, Link
from connectors.website.presence_labels import presence_labels_for
from connectors.website.scene import Made, Scene, Wanted, stale
from connectors.website.selection import first_day
from connectors.website.standing import mark, mark_of
from syndicator.contract import View
from syndicator.model import Event, Item, Post
from syndicator.text import naming

LISTED_MAX = 50
"""Events to come, and as many past ones, on the page of a tag or of a source; the years have them all."""
POSTS_MAX = 10
YEAR_MAX = 400
"""Events that one page of a year shows; with more, every month has a page of its own."""

INDEX = "index"
_MONTHS = "archive/"


@dataclass(kw_only=True)
class Topic:
    """What one page lists, in the order of the view; posts latest first."""

    path: str
    name: str
    events: Sequence[Event] = ()
    shown: str = ""
    """Another one whenever any of the events is, or its being to come."""
    posts: list[Post] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    """Of the posts."""

    @property
    def key(self) -> str:
        """Another one whenever the page differs."""
        return mark_of("|".join([self.name, self.shown, *self.marks]))


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
    """The view, by tag, source, year and month."""
    listed = _listed(scene)
    tags = {path: Topic(path=path, name=name) for path, name in _tag_names(scene).items()}
    titles = scene.view.sources if len(scene.view.sources) > 1 else {}
    sources = {source_page(name): Topic(path=source_page(name), name=clean.plain(title) or name) for name, title in titles.items()}
    months = {path: _month(path, scene.site.labels) for path in sorted(listed) if path.startswith(_MONTHS)}
    every = {**tags, **sources, **months}
    for path, page in listed.items():
        every[path].events, every[path].shown = page.events, page.shown
    for post in scene.selection.heads:
        for path in _posted(scene, post):
            every[path].posts.append(post)
            every[path].marks.append(scene.marks[post.uid])
    years: dict[int, list[Topic]] = {}
    for path, month in months.items():
        years.setdefault(_year_of(path), []).append(month)
    return Topics(tags=_by_name(tags), sources=_by_name(sources), years={year: years[year] for year in sorted(years, reverse=True)})


def _by_name(topics: Mapping[str, Topic]) -> list[Topic]:
    return sorted(topics.values(), key=lambda topic: (topic.name.casefold(), topic.path))


@dataclass(frozen=True, kw_only=True)
class Page:
    """The events of one page, by start."""

    events: Sequence[Event]
    shown: str


def _listed(scene: Scene) -> Mapping[str, Page]:
    """Path → its events: only pages that an event which differs is or was on are gathered again, there may be thousands."""
    kept: dict[str, Page] = scene.memo.kept("pages of many", dict)
    last, events, differing = scene.memo.last, scene.selection.paged, scene.differing
    before = [last.selection.paged[last.places[uid]] for uid in differing if uid in last.places] if last else []
    touched = {path for event in before if last for path in _paths(last.view, event)}
    members: dict[str, list[str]] = {path: [event.uid for event in kept[path].events if event.uid not in differing] for path in touched}
    for event in (events[scene.places[uid]] for uid in differing if uid in scene.places):
        for path in _paths(scene.view, event):
            if path not in members:
                members[path] = [one.uid for one in kept[path].events] if path in kept else []
            members[path].append(event.uid)
    for path, uids in members.items():
        if uids:
            kept[path] = _page_of(scene, [events[place] for place in sorted(map(scene.places.__getitem__, uids))])
        else:
            del kept[path]
    return kept


def _page_of(scene: Scene, events: Sequence[Event]) -> Page:
    marks, to_come = scene.marks, scene.selection.to_come
    return Page(events=events, shown=mark_of("|".join([marks[event.uid] + ("+" if event.uid in to_come else "-") for event in events])))


def _paths(view: View, event: Event) -> tuple[str, ...]:
    """The pages that list an event: of its tags, its month, its sources."""
    day = first_day(event)
    sources = _source_paths(view, event)
    return (*(path for path, _ in _spelt(event.tags)), f"{_MONTHS}{day.year:04}-{day.month:02}.html", *sources)


def _posted(scene: Scene, post: Post) -> tuple[str, ...]:
    return (*(path for path, _ in _spelt(post.tags)), *_source_paths(scene.view, post))


def _source_paths(view: View, item: Item) -> tuple[str, ...]:
    """None where there is but one source: the front page is its page."""
    if len(view.sources) < 2:
        return ()
    names = view.shown_by.get(item.uid, (item.source,))
    return tuple(dict.fromkeys(source_page(name) for name in names if name in view.sources))


@functools.lru_cache(maxsize=4_096)
def _spelt(tags: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The pages of these tags, each with the tag as it is spelt here."""
    return tuple({tag_page(tag): tag for tag in shown_tags(tags)}.items())


def _tag_names(scene: Scene) -> Mapping[str, str]:
    """The page of each tag → the tag as it is most often spelt."""
    spellings: Mapping[str, Counter[str]] = defaultdict(Counter)
    items: tuple[Item, ...] = (*scene.selection.paged, *scene.selection.heads)
    for tags, count in Counter([item.tags for item in items]).items():
        for path, tag in _spelt(tags):
            spellings[path][tag] += count
    return {path: min(counts, key=lambda tag: (-counts[tag], tag)) for path, counts in spellings.items()}


def _month(path: str, labels: Labels) -> Topic:
    return Topic(path=path, name=f"{labels.month_names[int(path[-7:-5]) - 1]} {_year_of(path)}")


def _year_of(path: str) -> int:
    return int(path[len(_MONTHS) : -len("-01.html")])


def topics(scene: Scene, found: Topics) -> Made:
    """Only pages that something touched are made anew."""
    wanted = _indexes(scene, found)
    for topic in (*found.tags, *found.sources):
        wanted[topic.path] = (topic.key, functools.partial(_topic_page, scene, topic))
    for year, months in found.years.items():
        wanted.update(_year(scene, year, months))
    return stale(scene, wanted)


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


def _year(scene: Scene, year: int, months: Sequence[Topic]) -> dict[str, Wanted]:
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


def _indexes(scene: Scene, found: Topics) -> dict[str, Wanted]:
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

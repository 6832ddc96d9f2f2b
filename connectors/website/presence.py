"""``links.html``: who the association is, where it is found, what comes next and what is new, on one page that fits a telephone.

Its own links, its accounts (those of the sources, as far as one author wrote most of what a source has), the next events, the latest
posts and videos, and the feeds.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from markupsafe import Markup

from connectors.website import clean, jsonld
from connectors.website.cards import Badge, EventCard, Image, PostCard, event_card, post_card
from connectors.website.page import ASSETS
from connectors.website.pictures import Picture, logo
from connectors.website.presence_labels import presence_labels_for
from connectors.website.scene import Made, Scene, stale
from connectors.website.standing import mark
from syndicator.contract import View
from syndicator.model import Event, Item

FILE = "links.html"
STYLE = "links.css"
EVENTS, POSTS, VIDEOS = 5, 3, 3
EXCERPT_MAX = 160


@dataclass(frozen=True, kw_only=True)
class Button:
    """A link; ``me`` says that whoever it leads to is the same as who is shown here."""

    title: str
    url: str
    note: str = ""
    """Where it leads: a handle, or the name of the server."""
    me: bool = False


@dataclass(frozen=True, kw_only=True)
class Line:
    """One event, post or video."""

    title: str
    url: str | None
    language: str | None
    when: str
    at: str
    """For ``<time datetime>``."""
    badges: tuple[Badge, ...]
    facts: tuple[str, ...]
    image: Image | None
    spoken: bool = False
    """Whether the title is how a text without one begins."""


def presence(scene: Scene) -> Made:
    """The page and its look; nothing with ``presence = false``."""
    if not scene.options.presence:
        return Made()
    buttons, selection = _own(scene), scene.selection
    accounts = [account for account in accounts_of(scene.view, _written(scene)) if account.url not in {button.url for button in buttons}]
    shown = [scene.marks_of(items) for items in (_next(scene), selection.posts[:POSTS], selection.videos[:VIDEOS])]
    key = mark(shown, accounts, _logo(scene))
    return stale(scene, {FILE: (key, lambda: _page(scene, buttons, accounts))}, files={STYLE: (ASSETS / STYLE).read_bytes()})


def _next(scene: Scene) -> Sequence[Event]:
    return (*scene.selection.upcoming[:EVENTS], *scene.selection.ongoing[:EVENTS])[:EVENTS]


def _page(scene: Scene, buttons: Sequence[Button], accounts: Sequence[Button]) -> bytes:
    site, selection, image = scene.site, scene.selection, _logo(scene)
    values = {
        "url": f"{site.page_url}{FILE}" if site.page_url else None,
        "name": site.association,
        "presence": presence_labels_for(site.labels.language),
        "logo": image,
        "theme": scene.options.theme,
        "buttons": buttons,
        "accounts": accounts,
        "events": [_event(event, scene) for event in _next(scene)],
        "posts": [_post(post_card(post, scene.view, scene.association, site.labels, scene.pictures)) for post in selection.posts[:POSTS]],
        "films": [_post(post_card(post, scene.view, scene.association, site.labels, scene.pictures)) for post in selection.videos[:VIDEOS]],
        "structured": structured(scene, [*buttons, *accounts], image),
    }
    return scene.pages.presence(site, values)


def _own(scene: Scene) -> list[Button]:
    site = scene.site
    home = [Button(title=site.labels.website, url=site.home_url, note=_host(site.home_url), me=True)] if site.home_url else []
    own = [(clean.printed(link.title), clean.link(link.url), link.rel_me) for link in scene.options.links]
    listed = {url for _, url, _ in own}
    return [
        *(button for button in home if button.url not in listed),
        *(Button(title=title, url=url, note=_host(url), me=me) for title, url, me in own if url),
    ]


Author = tuple[str, str, str | None]
"""Address, name and handle; without them, nobody at the server of what was written."""
NOBODY: Author = ("", "", None)


def _written(scene: Scene) -> Counter[tuple[str, Author]]:
    """How much each author wrote in each source: only what differs is counted again, there may be thousands."""
    written = scene.memo.kept(f"{FILE} authors", Counter[tuple[str, Author]])
    written.subtract(map(_authorship, scene.went))
    written.update(map(_authorship, scene.came))
    return written


def accounts_of(view: View, written: Counter[tuple[str, Author]] | None = None) -> list[Button]:
    """The account behind each source: whoever wrote more than half of what it has, at its own server; in the order of the sources."""
    written = Counter(map(_authorship, view.items)) if written is None else written
    buttons: dict[str, Button] = {}
    for source in view.sources:
        authors = {author: count for (at, author), count in written.items() if at == source and count}
        total = sum(authors.values())
        authors.pop(NOBODY, None)
        (home, name, handle), count = max(authors.items(), key=lambda one: (one[1], repr(one[0])), default=(NOBODY, 0))
        url = clean.link(home)
        if url and count * 2 > total:
            note = f"@{clean.plain(handle)}" if handle else _host(url)
            title = clean.printed(view.sources[source]) or clean.printed(name) or note
            buttons.setdefault(url, Button(title=title, url=url, note=note, me=True))
    return list(buttons.values())


def _authorship(item: Item) -> tuple[str, Author]:
    """Its source, none for what others wrote; and who wrote it."""
    actor = item.organizer if isinstance(item, Event) else item.author
    source = item.source if isinstance(item, Event) or item.boost_of is None else ""
    at_home = actor is not None and actor.url and _host(actor.url) == _host(item.url)
    return source, (actor.url or "", actor.name, actor.handle) if actor is not None and at_home else NOBODY


def _host(url: str | None) -> str:
    return _name_of("/".join((url or "").split("/", 3)[:3]))


@functools.lru_cache(maxsize=256)
def _name_of(server: str) -> str:
    try:
        return (urlsplit(server).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _logo(scene: Scene) -> Image | None:
    wanted = logo(scene.association)
    picture: Picture | None = scene.pictures.get(wanted.url) if wanted else None
    if picture is None:
        return None
    # The name stands beside it: to say it twice helps nobody.
    return Image(file=picture.file, width=picture.width, height=picture.height, alt="", variants=picture.variants)


def _event(event: Event, scene: Scene) -> Line:
    card: EventCard = event_card(
        event,
        scene.association,
        scene.site.labels,
        scene.pictures,
        page=scene.leaves.get(event.uid),
        previous=scene.view.previous.get(event.uid),
    )
    return Line(
        title=card.title,
        url=card.page or card.url,
        language=card.language,
        when=card.when,
        at=card.starts,
        badges=card.badges,
        facts=tuple(fact for fact in (card.place, f"{scene.site.labels.was} {card.was}." if card.was else "") if fact),
        image=card.image,
    )


def _post(card: PostCard) -> Line:
    text = clean.excerpt(card.prose.excerpt or clean.text_of(str(card.prose.whole)), EXCERPT_MAX)
    return Line(
        title=card.title or card.warning or text or card.name,
        url=card.url,
        language=card.language,
        when=card.published_text,
        at=card.published,
        badges=card.badges,
        facts=tuple(fact for fact in (card.source, card.duration) if fact),
        image=None if card.warning or not card.images else card.images[0],
        spoken=not card.title,
    )


def structured(scene: Scene, buttons: Sequence[Button], image: Image | None) -> Markup:
    """The same for machines: https://schema.org/ProfilePage about an https://schema.org/Organization."""
    site = scene.site
    organization = {
        "@type": "Organization",
        "name": site.association,
        "url": site.home_url or site.page_url,
        "description": site.description,
        "logo": f"{site.page_url}{image.file}" if image and site.page_url else None,
        "sameAs": [button.url for button in buttons if button.me and button.url != site.home_url],
    }
    page = {
        "@context": "https://schema.org",
        "@type": "ProfilePage",
        "name": site.title,
        "url": f"{site.page_url}{FILE}" if site.page_url else None,
        "inLanguage": site.labels.language,
        "mainEntity": {key: value for key, value in organization.items() if value},
    }
    return jsonld.script({key: value for key, value in page.items() if value})

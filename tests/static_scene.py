"""A site of each generator, and what is read back from it by readers that are not ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from connectors.website.static import Options, StaticProjection
from syndicator.contract import Association, View
from syndicator.http import Sessions
from syndicator.model import Actor, Event, Item, Place
from syndicator.testing import NOW, PARIS, make_context, make_event, make_post

WICKED = json.loads((Path(__file__).parent / "data" / "website" / "hostile.json").read_text())
BASE = "https://mobilizon.example/events/"
SYNTAX = (
    """{{ 7*7 }} {% include x %} {{< ref "x" >}} {{% x %}} <%= 7 %> ${7} --- "a": 'b' # [a](javascript:alert(1)) **b** `c` $$x$$ | t |"""
)
"""What means something to Liquid, Hugo, Nunjucks, EJS, JavaScript, YAML or Markdown."""
PAGES = {"jekyll": "_events", "hugo": "content/events", "eleventy": "events"}
DATA = {"jekyll": "_data/agenda.json", "hugo": "data/agenda.json", "eleventy": "_data/agenda.json", "json": "agenda.json"}


def event(number: int, **changes: Any) -> Event:
    """One with an uid and an address of its own."""
    uid = f"{BASE}{number}"
    return make_event(**{"uid": uid, "url": uid, **changes})


def hostile() -> list[Item]:
    """Events and a post that try everything."""
    escaped = SYNTAX.replace("<", "&lt;")
    return [
        event(
            91,
            title=WICKED["title"],
            html=WICKED["html"],
            url=WICKED["url"],
            tags=(WICKED["tag"],),
            place=Place(name=WICKED["place"]),
            organizer=Actor(name=WICKED["organizer"], url=WICKED["url"]),
            starts_at=datetime(2027, 1, 5, 18, tzinfo=PARIS),
            ends_at=None,
        ),
        event(
            92,
            title=SYNTAX,
            html=f"<p>{escaped}</p>",
            tags=(SYNTAX, "../../x"),
            place=Place(name=SYNTAX),
            starts_at=datetime(2027, 1, 6, 18, tzinfo=PARIS),
            ends_at=None,
        ),
        make_post(uid="https://s.example/9", title=SYNTAX, html=WICKED["html"], url=WICKED["url"], author=Actor(name=WICKED["tag"])),
    ]


def projection(folder: Path, sessions: Sessions, now: datetime | Callable[[], datetime] = NOW, /, **options: Any) -> StaticProjection:
    """One that writes into ``folder / "site"``."""
    site = folder / "site"
    site.mkdir(parents=True, exist_ok=True)
    association = Association(name="Les Amis du Vélo", url="https://asso.example/")
    context = make_context(folder, sessions, now=now if callable(now) else lambda: now, association=association)
    return StaticProjection(Options(**{"generator": "jekyll", "site": site, **options}), context)


async def written(folder: Path, sessions: Sessions, view: View, now: datetime = NOW, /, **options: Any) -> dict[str, bytes]:
    """What a projection of ``view`` leaves in the site."""
    connector = projection(folder, sessions, now, **options)
    await connector.open()
    await connector.project(view)
    await connector.close()
    return files(folder / "site")


def files(site: Path) -> dict[str, bytes]:
    """Every file of it, but git's own."""
    found = sorted(path for path in site.rglob("*") if path.is_file() and ".git" not in path.relative_to(site).parts)
    return {str(path.relative_to(site)): path.read_bytes() for path in found}


def front_matter(page: bytes) -> tuple[dict[str, Any], str]:
    """A page's data, read by PyYAML, and its text."""
    empty, matter, text = page.decode().split("---\n", 2)
    assert empty == ""
    found = yaml.safe_load(matter)
    assert isinstance(found, dict)
    return found, text.strip("\n")

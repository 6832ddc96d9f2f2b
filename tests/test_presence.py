"""links.html: what the association is reached by, on one page that people and machines read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from connectors.website import Options, WebsiteProjection
from connectors.website.options import OwnLink
from connectors.website.presence import Button, accounts_of
from syndicator.contract import Association, Context
from syndicator.errors import Rejected
from syndicator.http import Sessions
from syndicator.model import Actor, Item, Post
from syndicator.testing import PARIS, make_context, make_event, make_post, make_view
from tests.media_scene import photo

WICKED = json.loads((Path(__file__).parent / "data" / "website" / "hostile.json").read_text())
VELO = Actor(name="Les Amis", url="https://pouet.example/@velo", handle="velo@pouet.example")
LINKS = (
    OwnLink(title="Adhérer", url="https://www.dons.example/velo"),
    OwnLink(title="Pixelfed", url="https://pix.example/@velo", rel_me=True),
)


class Read(HTMLParser):
    """The page as a browser without styles sees it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.structured: Any = None
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.structured = json.loads(data)
        elif data.strip():
            self.text.append(" ".join(data.split()))

    def handle_endtag(self, _: str) -> None:
        self._inside = ""

    def links(self, word: str) -> list[str | None]:
        """The addresses whose ``rel`` has this word."""
        return [attrs["href"] for tag, attrs in self.tags if tag == "a" and word in (attrs.get("rel") or "").split()]

    def meta(self, name: str) -> str | None:
        """What this ``meta`` says."""
        return next((attrs["content"] for tag, attrs in self.tags if tag == "meta" and name in attrs.values()), None)


def asso(folder: Path, sessions: Sessions, **changes: Any) -> Context:
    """An association's context."""
    association = Association(name="Les Amis du Vélo", url="https://asso.example/", **changes)
    context = make_context(folder, sessions, association=association)
    return replace(context, http=replace(context.http, own_files=frozenset({association.logo} if association.logo else ())))


async def shown(context: Context, items: list[Item], **options: Any) -> Read:
    """The page."""
    projection = WebsiteProjection(Options(**options), context)
    await projection.open()
    await projection.project(make_view(items))
    return Read((context.public_dir / "links.html").read_text())


def post(number: int, *, source: str = "pouets", author: Actor = VELO, **changes: Any) -> Post:
    """One by the association unless told otherwise."""
    url = f"https://pouet.example/@velo/{number}"
    return make_post(uid=url, url=url, source=source, author=author, **changes)


async def test_all_that_leads_to_the_association(tmp_path: Path, sessions: Sessions) -> None:
    """Its site, its links in their order, the accounts of its sources; those that are itself are marked so."""
    page = await shown(asso(tmp_path, sessions), [post(1), make_event()], links=LINKS)

    assert [attrs["href"] for _, attrs in page.tags if attrs.get("class") == "syndicator-link"] == [
        "https://asso.example/", "https://www.dons.example/velo", "https://pix.example/@velo", "https://pouet.example/@velo",
    ]  # fmt: skip
    assert page.links("me") == ["https://asso.example/", "https://pix.example/@velo", "https://pouet.example/@velo"]
    assert [text for text in ("Adhérer", "dons.example", "Pixelfed", "@velo@pouet.example") if text not in page.text] == []


async def test_a_link_is_there_once(tmp_path: Path, sessions: Sessions) -> None:
    """Whoever lists the site or an account of theirs decides where it stands and what it is called."""
    links = (OwnLink(title="Chez nous", url="https://asso.example/"), OwnLink(title="Pouets", url=VELO.url or "", rel_me=True))
    page = await shown(asso(tmp_path, sessions), [post(1)], links=links)

    assert [attrs["href"] for _, attrs in page.tags if attrs.get("class") == "syndicator-link"] == [link.url for link in links]
    assert "Chez nous" in page.text
    assert "Nos comptes" not in page.text


def test_an_account_is_whoever_wrote_most() -> None:
    """Not a guest, not somebody who was boosted, not an actor of another server, nobody where there are many."""
    guest = Actor(name="Invitée", url="https://pouet.example/@invitee")
    elsewhere = Actor(name="Fil", url="https://agregateur.example/")
    items: list[Item] = [
        post(1), post(2), post(3, author=guest), post(4, author=guest, boost_of="https://x.example/1"),
        post(5, source="fil", author=elsewhere), post(6, source="deux"), post(7, source="deux", author=guest),
        make_event(source="agenda", organizer=None),
    ]  # fmt: skip
    assert accounts_of(replace(make_view(items), sources={name: name.title() for name in ("agenda", "pouets", "fil", "deux")})) == [
        Button(title="Pouets", url="https://pouet.example/@velo", note="@velo@pouet.example", me=True)
    ]


async def test_what_comes_next_and_what_is_new(tmp_path: Path, sessions: Sessions) -> None:
    """The five next events with their dates in words and their state, three posts, three videos; no clock time for a day."""
    base = "https://mobilizon.example/events/"
    events = [
        make_event(
            uid=f"{base}{n}", url=f"{base}{n}", title=f"Rendez-vous {n}", starts_at=datetime(2026, 12, n, tzinfo=PARIS), ends_at=None,
            start_is_date=True, status="cancelled" if n == 2 else "confirmed", full=n == 3,
        )
        for n in range(1, 8)
    ]  # fmt: skip
    films = [post(20 + n, kind="video", title=f"Film {n}", duration_s=65.0) for n in range(4)]
    page = await shown(asso(tmp_path, sessions), [*events, *(post(n, title=f"Note {n}") for n in range(5)), *films], calendar="agenda.ics")

    assert [text for text in page.text if text.startswith("Rendez-vous ")] == [f"Rendez-vous {n}" for n in range(1, 6)]
    assert {attrs["datetime"] for tag, attrs in page.tags if tag == "time"} >= {f"2026-12-0{n}" for n in range(1, 6)}
    assert next(text for text in page.text if text.endswith("décembre 2026")) == "mardi 1er décembre 2026"
    assert [text for text in page.text if text in ("Annulé", "Complet")] == ["Annulé", "Complet"]
    assert (sum(text.startswith("Note ") for text in page.text), sum(text.startswith("Film ") for text in page.text)) == (3, 3)
    ours = [href for tag, attrs in page.tags if tag == "a" and (href := attrs["href"]) and not href.startswith("https:")]
    assert [re.sub(r"-[0-9a-f]+\.html", "", href) for href in ours[:5]] == [f"events/rendez-vous-{n}" for n in range(1, 6)]
    assert ours[5:] == [
        "index.html", "webcal://agenda.example/agenda.ics", "index.html#s-news", "webcal://agenda.example/agenda.ics", "agenda.ics",
        "feed.atom", "feed.json",
    ]  # fmt: skip


async def test_a_moved_event_says_when_it_was_to_be(tmp_path: Path, sessions: Sessions) -> None:
    """Whoever knew the old date is told; without pages of ours the link leads to the origin."""
    before, event = make_event(starts_at=datetime(2026, 12, 1, 20, tzinfo=PARIS), ends_at=None), make_event()
    context = asso(tmp_path, sessions)
    view = replace(make_view([event]), previous={event.uid: before})
    await WebsiteProjection(Options(pages=False), context).project(view)
    page = Read((context.public_dir / "links.html").read_text())

    assert "Ce rendez-vous a été déplacé. Il était prévu : mardi 1er décembre 2026 à 20h." in page.text
    assert event.url in [attrs["href"] for tag, attrs in page.tags if tag == "a"]


async def test_with_nothing_to_show_it_says_so(tmp_path: Path, sessions: Sessions) -> None:
    """No item, no link, no address of ours: still a page, without empty sections."""
    context = replace(make_context(tmp_path, sessions, association=Association(name="Seule")), public_url=None)
    page = await shown(context, [])

    assert [text for text in page.text if text in ("Nos liens", "Nos comptes", "Nouvelles", "Vidéos")] == []
    assert any(text.startswith("Aucun rendez-vous") for text in page.text)
    assert page.structured == {
        "@context": "https://schema.org", "@type": "ProfilePage", "name": "Seule", "inLanguage": "fr",
        "mainEntity": {"@type": "Organization", "name": "Seule"},
    }  # fmt: skip
    assert page.meta("og:url") is None


async def test_a_content_warning_hides_text_and_pictures(tmp_path: Path, sessions: Sessions) -> None:
    """The warning stands there instead."""
    page = await shown(asso(tmp_path, sessions), [post(1, html="<p>Du sang</p>", content_warning="Blessure", sensitive=True)])

    assert "Blessure" in page.text
    assert "Du sang" not in " ".join(page.text)


async def test_for_machines_and_for_those_who_share_it(tmp_path: Path, sessions: Sessions) -> None:
    """JSON-LD and Open Graph name the association, its logo by our own whole address, and what else is the association."""
    logo = tmp_path / "logo.jpg"
    logo.write_bytes(photo(900, 900))
    context = asso(tmp_path, sessions, logo=logo)
    page = await shown(context, [post(1)], links=LINKS, description="Ateliers & bals", title="Vélo !")
    image = page.meta("og:image")

    assert image is not None
    assert (context.public_dir / image.removeprefix("https://agenda.example/")).read_bytes().startswith(b"\xff\xd8\xff")
    assert page.structured == {
        "@context": "https://schema.org", "@type": "ProfilePage", "name": "Vélo\u00a0!", "url": "https://agenda.example/links.html",
        "inLanguage": "fr",
        "mainEntity": {
            "@type": "Organization", "name": "Les Amis du Vélo", "url": "https://asso.example/", "description": "Ateliers & bals",
            "logo": image, "sameAs": ["https://pix.example/@velo", "https://pouet.example/@velo"],
        },
    }  # fmt: skip
    assert {name: page.meta(name) for name in ("og:title", "og:url", "og:locale", "og:description", "description")} == {
        "og:title": "Vélo\u00a0!", "og:url": "https://agenda.example/links.html", "og:locale": "fr_FR", "og:description": "Ateliers & bals",
        "description": "Ateliers & bals",
    }  # fmt: skip


async def test_another_logo_is_shown_at_once(tmp_path: Path, sessions: Sessions) -> None:
    """Also when it has the old one's name; one that is gone or broken is left out."""
    logo, pages = tmp_path / "logo.png", []
    context = asso(tmp_path, sessions, logo=logo)
    for data in (photo(900, 900), photo(800, 400), b"broken", None):
        logo.unlink(missing_ok=True)
        if data is not None:
            logo.write_bytes(data)
        pages.append(await shown(context, []))

    assert [[attrs["width"] for tag, attrs in page.tags if tag == "img"] for page in pages] == [["900"], ["800"], [], []]


async def test_hostile_items_stay_text(tmp_path: Path, sessions: Sessions) -> None:
    """Markup in names, titles, places and links: nothing of it lives, not in JSON-LD either."""
    wicked = Actor(name=WICKED["organizer"], url=WICKED["url"], handle="</script><b>")
    closing = Actor(name="x", url="https://pouet.example/</script><script>window.pwned=1</script>", handle="</script>")
    items: list[Item] = [
        make_event(title=WICKED["title"], html=WICKED["html"], url=WICKED["url"], organizer=wicked, tags=(WICKED["tag"],)),
        post(1, title=WICKED["title"], html=WICKED["html"], author=closing),
        post(2, source="autres", html=WICKED["html"], author=wicked, content_warning=WICKED["tag"]),
    ]
    context = asso(tmp_path, sessions)
    page = await shown(context, items, description="</script><script>window.pwned=1</script>", title="<b>Nous</b>")
    raw = (context.public_dir / "links.html").read_text()

    assert re.findall(r"<(script|svg|iframe|img|style|math|object|b)\b", raw) == ["script"]
    assert [href for _, attrs in page.tags if (href := attrs.get("href") or "").startswith(("javascript:", "data:"))] == []
    assert page.structured["mainEntity"]["description"] == "</script><script>window.pwned=1</script>"
    assert "<b>Nous</b>" in page.text


async def test_in_english(tmp_path: Path, sessions: Sessions) -> None:
    """The whole page in the association's language."""
    page = await shown(asso(tmp_path, sessions, language="en"), [post(1), make_event()], links=LINKS)

    assert [text for text in ("Our links", "Our accounts", "Upcoming events", "The whole agenda", "All the news", "Miss nothing")
            if text not in page.text] == []  # fmt: skip
    assert (page.tags[0], page.meta("og:locale")) == (("html", {"lang": "en"}), "en_GB")


async def test_a_stylesheet_of_theirs_comes_last(tmp_path: Path, sessions: Sessions) -> None:
    """Ours first, so that theirs decides; it is never touched."""
    context = asso(tmp_path, sessions)
    (context.public_dir / "maison.css").write_text("body { color: red }")
    page = await shown(context, [], theme="maison.css")

    assert [attrs["href"] for tag, attrs in page.tags if attrs.get("rel") == "stylesheet"] == ["style.css", "links.css", "maison.css"]
    assert (context.public_dir / "maison.css").read_text() == "body { color: red }"


@pytest.mark.parametrize("presence", [True, False])
async def test_the_front_page_leads_there(tmp_path: Path, sessions: Sessions, presence: bool) -> None:
    """Where there is such a page, and only there."""
    context = asso(tmp_path, sessions)
    await WebsiteProjection(Options(presence=presence, pages=False), context).project(make_view([]))

    assert ('<a href="links.html">Nos liens</a>' in (context.public_dir / "index.html").read_text()) == presence


async def test_it_can_be_left_out(tmp_path: Path, sessions: Sessions) -> None:
    """``presence = false``: neither the page nor its look; what was there goes."""
    context = asso(tmp_path, sessions)
    await shown(context, [])
    await WebsiteProjection(Options(presence=False), context).project(make_view([]))

    assert {path.name for path in context.public_dir.iterdir()} & {"links.html", "links.css"} == set()


async def test_a_links_page_of_theirs_is_left_alone(tmp_path: Path, sessions: Sessions) -> None:
    """A file of that name that is not ours is refused, never replaced."""
    context = asso(tmp_path, sessions)
    (context.public_dir / "links.html").write_text("à nous")

    with pytest.raises(Rejected):
        await WebsiteProjection(Options(), context).open()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: OwnLink(title=" ", url="https://a.example/"), "titre"),
        (lambda: OwnLink(title="A", url="a.example"), "adresse"),
        (lambda: OwnLink(title="A", url="javascript:alert(1)"), "adresse"),
        (lambda: Options(theme="../maison.css"), "maison.css"),
        (lambda: Options(theme="https://cdn.example/x.css"), "maison.css"),
        (lambda: Options(theme="style.css"), "maison.css"),
    ],
)
def test_a_wrong_option_is_told(make: Any, said: str) -> None:
    """In words that say what to write."""
    with pytest.raises(ValueError, match=said):
        make()

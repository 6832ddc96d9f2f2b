"""The website's pages that last: of events, tags, sources and years; what search engines are told; and that an update equals a rebuild."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urljoin
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.website import Options, WebsiteProjection, jsonld, sitemap
from syndicator.contract import Association, View
from syndicator.http import Sessions
from syndicator.model import Actor, Event, Item, Offer, Place
from syndicator.testing import NOW, PARIS, make_context, make_event, make_post, make_view

BASE = "https://agenda.example/"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
WICKED = json.loads((Path(__file__).parent / "data" / "website" / "hostile.json").read_text())


@pytest.fixture
async def sessions() -> AsyncIterator[Sessions]:
    """One set of sessions per test."""
    sessions = Sessions()
    yield sessions
    await sessions.close()


def projection(
    folder: Path,
    sessions: Sessions,
    /,
    *,
    now: datetime | Callable[[], datetime] = NOW,
    language: str = "fr",
    url: str | None = BASE,
    **options: Any,
) -> WebsiteProjection:
    """One below ``folder``."""
    association = Association(name="Les Amis du Vélo", url="https://asso.example/", language=language)
    clock = now if callable(now) else lambda: now
    return WebsiteProjection(Options(**options), make_context(folder, sessions, now=clock, association=association, public_url=url))


async def written(folder: Path, sessions: Sessions, view: View, /, **given: Any) -> dict[str, str]:
    """What a projection of ``view`` leaves."""
    await projection(folder, sessions, **given).project(view)
    return standing(folder)


def standing(folder: Path) -> dict[str, str]:
    """Every text file in the public folder."""
    public = folder / "public"
    return {str(path.relative_to(public)): path.read_text() for path in sorted(public.rglob("*")) if path.is_file()}


def dated(number: int, days: int, **changes: Any) -> Event:
    """An event so many days from now, at 20:30."""
    uid = f"https://mobilizon.example/events/{number}"
    starts_at = datetime(2026, 11, 21, 20, 30, tzinfo=PARIS) + timedelta(days=days)
    return make_event(**{"uid": uid, "url": uid, "title": f"Bal {number}", "starts_at": starts_at, "ends_at": None, **changes})


def page_of(files: dict[str, str], title: str) -> str:
    """The page whose address begins with this."""
    (found,) = (text for path, text in files.items() if path.startswith(f"events/{title}-"))
    return found


class Document(HTMLParser):
    """What a parser nobody here wrote finds in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.links: list[tuple[str, str]] = []
        self.hrefs: list[str] = []
        self.text = ""
        self.data: list[Any] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note metas, links and whether a script begins."""
        found = {name: value or "" for name, value in attrs}
        self._inside = tag if tag in ("script", "style", "title") else ""
        if tag == "meta":
            self.meta[found.get("property") or found.get("name", "")] = found.get("content", "")
        if tag == "link":
            self.links.append((found["rel"], found["href"]))
        if tag == "a":
            self.hrefs.append(found["href"])

    def handle_endtag(self, tag: str) -> None:
        """Back to text; what a line break parts on the screen is apart here."""
        self._inside = ""
        self.text += " " if tag in ("dt", "dd", "li", "p", "h1", "h2", "time") else ""

    def handle_data(self, data: str) -> None:
        """JSON-LD apart."""
        if self._inside == "script":
            self.data.append(json.loads(data))
        elif not self._inside:
            self.text += data


def said(html: str) -> str:
    """A page's words on one line."""
    return " ".join(Document(html).text.split())


# The page of an event


async def test_what_the_page_of_an_event_says(tmp_path: Path, sessions: Sessions) -> None:
    """Everything: when, where, how much, for whom, by whom; the way home and the ways on."""
    event = make_event(
        html="<p>Venez réparer votre vélo.</p>" * 40,
        full=True,
        online_url="https://visio.example/salle",
        ticket_url="https://billets.example/1",
        offers=(Offer(price="7.50"),),
        organizer=Actor(name="Les Amis", url="https://mobilizon.example/@amis"),
        tags=("Vélo", "日本"),
        accessibility=(("wheelchairAccessible", "fully"), ("live:sign_language", "true"), ("boucle magnétique", "oui")),
    )
    files = await written(tmp_path, sessions, make_view([dated(1, 1), event, dated(2, 300)]), calendar="agenda.ics", event_ics=True)
    page = page_of(files, "atelier-velo")
    words, found = said(page), Document(page)

    for text in (
        "samedi 5 décembre 2026 de 20h30 à 22h30", "Complet", "La Maison, 3 rue du Port, 29200 Brest", "7,50 €", "Les Amis",
        "Accessible en fauteuil roulant", "Interprétation en langue des signes", "boucle magnétique : oui", "Vélo", "日本",
        "Rendez-vous précédent Bal 1 (dim. 22 nov. 2026, 20h30)", "Rendez-vous suivant Bal 2 (ven. 17 sept. 2027, 20h30)",
    ):  # fmt: skip
        assert text in words
    assert words.count("Venez réparer votre vélo.") == 40
    for target in ("https://billets.example/1", "https://visio.example/salle", event.url, "https://mobilizon.example/@amis"):
        assert target in found.hrefs
    assert "../agenda/534e93ac91.ics" in found.hrefs
    assert "est passé" not in words
    assert ("canonical", f"{BASE}events/atelier-velo-534e93ac91.html") in found.links
    assert found.meta["og:title"] == "Atelier vélo"
    assert found.meta["description"].startswith("samedi 5 décembre 2026 de 20h30 à 22h30 – La Maison")


async def test_every_link_of_ours_leads_somewhere(tmp_path: Path, sessions: Sessions) -> None:
    """From each page, whatever its folder, each link within the website names a file that is there."""
    items: list[Item] = [dated(n, n * 40 - 200, tags=("bal", "index", "日本")) for n in range(9)]
    view = replace(make_view([*items, make_post(tags=("Bal",))]), sources={"agenda": "Agenda", "masto": "Mastodon"})
    files = await written(tmp_path, sessions, view, calendar="https://nuage.example/a.ics", event_ics=True)
    checked = 0
    for path, text in files.items():
        for href in Document(text).hrefs + [href for _, href in Document(text).links] if path.endswith(".html") else []:
            target = urljoin(BASE + path, href)
            if target.startswith(BASE):
                checked += 1
                assert (target.removeprefix(BASE).partition("#")[0] or "index.html") in files, (path, href)

    assert checked > 150
    assert "https://nuage.example/a/534e93ac91.ics".rpartition("/")[0] + "/" in page_of(files, "bal-8")


async def test_an_event_that_is_over_keeps_its_page_and_says_so(tmp_path: Path, sessions: Sessions) -> None:
    """Without a ticket or a calendar file any more; until ``keep`` has passed."""
    event = dated(1, 3, ticket_url="https://billets.example/1", online_url="https://visio.example/1")
    view = make_view([event])
    later = NOW + timedelta(days=5)
    before = page_of(await written(tmp_path, sessions, view, event_ics=True, calendar="agenda.ics"), "bal-1")
    after = page_of(
        await written(tmp_path, sessions, replace(view, changed=frozenset()), now=later, event_ics=True, calendar="agenda.ics"), "bal-1"
    )

    assert "Ce rendez-vous est passé." in after
    assert "Ce rendez-vous est passé." not in before
    assert ('billets.example/1"' in before, 'billets.example/1" rel' in after) == (True, False)
    assert ('.ics">Ajouter' in before, '.ics">Ajouter' in after) == (True, False)
    kept = await written(tmp_path / "kept", sessions, view, now=later, keep=timedelta(days=3))
    gone = await written(tmp_path / "gone", sessions, view, now=later, keep=timedelta(days=1))
    assert [path.startswith("events/") for path in kept].count(True) == 1
    assert [path.startswith("events/") for path in gone].count(True) == 0


async def test_moved_and_cancelled_in_words(tmp_path: Path, sessions: Sessions) -> None:
    """The old date never stands alone: it says that it was moved, or that the event is cancelled."""
    event = make_event()
    moved = replace(event, starts_at=event.starts_at + timedelta(days=7), ends_at=None, sequence=1)
    view = replace(make_view([moved]), previous={event.uid: event})
    files = await written(tmp_path / "moved", sessions, view)
    cancelled = await written(tmp_path / "cancelled", sessions, replace(view, items=[replace(moved, status="cancelled")]))
    english = await written(tmp_path / "en", sessions, view, language="en")

    for text in (page_of(files, "atelier-velo"), files["index.html"]):
        assert "samedi 12 décembre 2026 à 20h30" in said(text)
        assert "Ce rendez-vous a été déplacé. Il était prévu : samedi 5 décembre 2026 de 20h30 à 22h30." in said(text)
        assert "Nouvelle date" in said(text)
    assert "This event was moved. It was to be: Saturday 5 December 2026 from 8:30 pm to 10:30 pm." in said(
        page_of(english, "atelier-velo")
    )
    words = said(page_of(cancelled, "atelier-velo"))
    assert "Annulé Ce rendez-vous est annulé. Il était prévu : samedi 12 décembre 2026 à 20h30" in words
    assert "déplacé" not in words
    record = json.loads(files["events.json"])["upcoming"][0]
    assert record["previous"]["start"] == "2026-12-05T20:30:00+01:00"
    assert record["page"] == "events/atelier-velo-534e93ac91.html"


async def test_an_address_lasts(tmp_path: Path, sessions: Sessions) -> None:
    """An edited title does not move the page, nor does a lost record or a new start; another event of the same title has its own."""
    event = make_event()
    renamed = replace(event, title="Atelier électrique")
    await written(tmp_path, sessions, make_view([event]))
    edited = await written(tmp_path, sessions, make_view([renamed, dated(2, 9, title="Atelier vélo")]))
    state = tmp_path / "state" / "under-test"
    for name in ("addresses.txt", "standing.json", "files.json"):
        (state / name).unlink()
    recovered = await written(tmp_path, sessions, make_view([renamed, dated(2, 9, title="Atelier vélo")]))
    (state / "addresses.txt").write_bytes(b"534e93ac91 atelier-velo\n\xff\x00half a li")
    damaged = await written(tmp_path, sessions, make_view([renamed, dated(2, 9, title="Atelier vélo")]))
    await written(tmp_path, sessions, make_view([]))
    again = await written(tmp_path, sessions, make_view([renamed]))

    pages = [path for path in edited if path.startswith("events/")]
    assert len(pages) == 2
    assert "events/atelier-velo-534e93ac91.html" in pages
    assert "<h1>Atelier électrique</h1>" in edited["events/atelier-velo-534e93ac91.html"]
    assert edited == recovered == damaged
    assert "events/atelier-velo-534e93ac91.html" in again


@pytest.mark.parametrize(
    ("html", "levels"),
    [("<h2>a</h2><h3>b</h3>", ["h1", "h2", "h3"]), ("<h3>b</h3>", ["h1", "h2"]), ("<p>x</p>", ["h1"])],
)
async def test_headings_of_a_text_follow_the_page_s(tmp_path: Path, sessions: Sessions, html: str, levels: list[str]) -> None:
    """Screen readers find no level left out."""
    page = page_of(await written(tmp_path, sessions, make_view([make_event(html=html)])), "atelier-velo")

    assert re.findall("<(h[1-6])", page) == levels


async def test_without_pages(tmp_path: Path, sessions: Sessions) -> None:
    """``pages = false``: as before there were any; titles lead to the original."""
    await written(tmp_path, sessions, make_view([make_event(tags=("bal",))]))
    files = await written(tmp_path, sessions, make_view([make_event(tags=("bal",))]), pages=False)

    assert [path for path in files if "/" in path or path == "sitemap.xml"] == []
    assert f'<a href="{make_event().url}" rel="noopener">Atelier vélo</a>' in files["index.html"]
    assert not (tmp_path / "public" / "events").exists()


# Lists


async def test_the_page_of_a_tag(tmp_path: Path, sessions: Sessions) -> None:
    """To come, past and posts; case and accents make no difference, and it is called as it is spelt most often."""
    items = [
        dated(1, 5, tags=("Vélo",)), dated(2, -5, tags=("velo",)), dated(3, -3, tags=("Vélo",)), dated(4, 4, tags=("bal",)),
        make_post(tags=("VÉLO",), html="<p>On a gonflé les pneus</p>"),
    ]  # fmt: skip
    files = await written(tmp_path, sessions, make_view(items))
    page = said(files["tags/velo.html"])

    assert page.index("Bal 1") < page.index("Rendez-vous passés") < page.index("Bal 3") < page.index("Bal 2") < page.index("pneus")
    assert "Bal 4" not in page
    assert "<h1>Vélo</h1>" in files["tags/velo.html"]
    assert "bal (1) Vélo (4)" in said(files["tags/index.html"])


async def test_sources_have_pages_where_there_are_several(tmp_path: Path, sessions: Sessions) -> None:
    """An event that two associations announce is on both pages, and its own page names both."""
    view = make_view([dated(1, 5, source="velo"), dated(2, 6, source="bal")])
    view = replace(view, sources={"velo": "Les Amis du Vélo", "bal": "Bal & Cie"}, shown_by={dated(1, 5).uid: ("velo", "bal")})
    files = await written(tmp_path, sessions, view)

    assert ("Bal 1" in said(files["sources/bal.html"]), "Bal 2" in said(files["sources/velo.html"])) == (True, False)
    assert "Annoncé par Les Amis du Vélo Bal & Cie" in said(page_of(files, "bal-1"))
    assert [path for path in await written(tmp_path / "one", sessions, make_view([dated(1, 5)])) if path.startswith("sources/")] == []


async def test_the_archive(tmp_path: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page a year, by month, on the event's own clock; with too many events, a page a month."""
    late = dated(3, 0, starts_at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC), title="Réveillon")
    view = make_view([dated(1, 1), dated(2, 20), late])
    files = await written(tmp_path, sessions, view)
    monkeypatch.setattr("connectors.website.topics.YEAR_MAX", 1)
    many = await written(tmp_path / "many", sessions, view)

    assert re.findall("novembre 2026|décembre 2026|Bal 1|Bal 2", said(files["archive/2026.html"]))[0] == "novembre 2026"
    assert "Réveillon" in files["archive/2027.html"]
    assert "2027 (1) 2026 (2)" in said(files["archive/index.html"])
    assert "novembre 2026 (1) décembre 2026 (1)" in said(many["archive/2026.html"])
    assert "Bal 2" in many["archive/2026-12.html"]
    assert "archive/2026-12.html" in many["sitemap.xml"]


async def test_the_sitemap(tmp_path: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page of ours once, when it last changed, and none that is not there; in parts when there are too many; none without address."""
    view = make_view([dated(1, 1, tags=("bal",)), dated(2, -20)])
    files = await written(tmp_path, sessions, view)
    root = ElementTree.fromstring(files["sitemap.xml"])
    found = [element.text or "" for element in root.iter(f"{SITEMAP}loc")]
    folders = ("events/", "tags/", "archive/", "sources/")

    assert len(set(found)) == len(found)
    assert {url.removeprefix(BASE) for url in found} == {"", *(path for path in files if path.startswith(folders))}
    assert {element.text for element in root.iter(f"{SITEMAP}lastmod")} == {"2026-11-21T12:00:00+00:00"}
    monkeypatch.setattr(sitemap, "URLS_MAX", 3)
    parts = await written(tmp_path / "parts", sessions, view)
    index = ElementTree.fromstring(parts["sitemap.xml"])
    named = [(element.text or "").removeprefix(BASE) for element in index.iter(f"{SITEMAP}loc")]
    assert index.tag == f"{SITEMAP}sitemapindex"
    assert [loc.text for name in named for loc in ElementTree.fromstring(parts[name]).iter(f"{SITEMAP}loc")] == found
    assert "sitemap.xml" not in await written(tmp_path / "nowhere", sessions, view, url=None)


# What search engines are told

MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d[+-]\d\d:\d\d)?")
STATUSES = {"EventScheduled", "EventCancelled", "EventRescheduled", "EventPostponed", "EventMovedOnline"}


def complaints(data: Any, *, leaf: bool = True) -> list[str]:
    """What Google's rules for Event have to say (https://developers.google.com/search/docs/appearance/structured-data/event)."""
    found: list[str] = []

    def need(condition: object, what: str) -> None:
        if not condition:
            found.append(what)

    need(data.get("@context") == "https://schema.org" and data.get("@type") == "Event", "type")
    need(isinstance(data.get("name"), str) and data["name"].strip(), "name")
    need(MOMENT.fullmatch(data.get("startDate", "")), "startDate")
    if "endDate" in data:
        need(MOMENT.fullmatch(data["endDate"]), "endDate")
        need(data["endDate"][:10] >= data["startDate"][:10], "end before start")
    places = data.get("location") if isinstance(data.get("location"), list) else [data.get("location")]
    for place in places or [None]:
        need(isinstance(place, dict), "location")
        if isinstance(place, dict) and place.get("@type") == "Place":
            need(place.get("name"), "location.name")
            address = place.get("address")
            need(
                isinstance(address, str) or (isinstance(address, dict) and address.get("@type") == "PostalAddress" and len(address) > 1),
                "address",
            )
        elif isinstance(place, dict):
            need(place.get("@type") == "VirtualLocation" and place.get("url", "").startswith("http"), "virtual location")
    status = data.get("eventStatus", "").removeprefix("https://schema.org/")
    need(status in STATUSES, "eventStatus")
    need(("previousStartDate" in data) == (status == "EventRescheduled"), "previousStartDate")
    if "previousStartDate" in data:
        need(MOMENT.fullmatch(data["previousStartDate"]) and data["previousStartDate"] != data["startDate"], "previousStartDate")
    kinds = {place["@type"] for place in places if isinstance(place, dict)}
    mode = {frozenset({"Place"}): "Offline", frozenset({"VirtualLocation"}): "Online"}.get(frozenset(kinds), "Mixed")
    need(not kinds or data.get("eventAttendanceMode") == f"https://schema.org/{mode}EventAttendanceMode", "attendance mode")
    for offer in data.get("offers", []):
        need(offer["@type"] == "Offer", "offer")
        need(("price" in offer) == ("priceCurrency" in offer), "currency")
        need("price" not in offer or re.fullmatch(r"\d+(\.\d+)?", offer["price"]), "price")
        need(offer.get("availability") in ("https://schema.org/InStock", "https://schema.org/SoldOut"), "availability")
        need(offer.get("url", "https").startswith("http"), "offer url")
    need(all(image.startswith("http") for image in data.get("image", [])), "image")
    need("organizer" not in data or data["organizer"]["name"], "organizer")
    need(not leaf or data.get("url", "").startswith(BASE), "url")
    return found


def test_the_checker_refuses() -> None:
    """What breaks the rules is found."""
    good = structured(make_event())
    assert complaints(good) == []
    for name, value in (
        ("startDate", "2026-12-05T20:30:00Z"), ("startDate", "2026-12-05T20:30"), ("location", None), ("eventStatus", "cancelled"),
        ("name", " "), ("previousStartDate", "2026-01-01"), ("url", "/x"), ("image", ["media/x.jpg"]), ("endDate", "2026-01-01"),
        ("location", {"@type": "Place", "name": "x"}), ("eventAttendanceMode", "Online"),
    ):  # fmt: skip
        assert complaints({**good, name: value}), name


def structured(event: Event, previous: Event | None = None, *, url: str | None = BASE, images: tuple[str, ...] = ("media/x.jpg",)) -> Any:
    """The JSON-LD of an event, read back."""
    site = WebsiteProjection(
        Options(), make_context(Path(TemporaryDirectory().name), Sessions(), association=Association(name="Amis"), public_url=url)
    )._site
    made = jsonld.event(event, previous, images, site, f"{url}events/x.html" if url else None)
    return json.loads(str(jsonld.script(made)))


ALL_DAY = {"start_is_date": True, "end_is_date": True, "starts_at": datetime(2026, 12, 5, tzinfo=PARIS)}


@pytest.mark.parametrize(
    ("changes", "starts", "ends"),
    [
        ({}, "2026-12-05T20:30:00+01:00", "2026-12-05T22:30:00+01:00"),
        ({"ends_at": None}, "2026-12-05T20:30:00+01:00", None),
        ({"ends_at": datetime(2026, 12, 5, 20, 30, tzinfo=PARIS)}, "2026-12-05T20:30:00+01:00", None),
        ({"starts_at": datetime(2026, 7, 5, 18, 30, tzinfo=UTC), "ends_at": None}, "2026-07-05T20:30:00+02:00", None),
        (
            {"starts_at": datetime(2026, 12, 6, 0, 30, tzinfo=UTC), "ends_at": None, "timezone": "America/Montreal"},
            "2026-12-05T19:30:00-05:00", None,
        ),
        (
            {"starts_at": datetime(2026, 10, 24, 22, tzinfo=PARIS), "ends_at": datetime(2026, 10, 25, 4, tzinfo=PARIS)},
            "2026-10-24T22:00:00+02:00", "2026-10-25T04:00:00+01:00",
        ),
        ({**ALL_DAY, "ends_at": None}, "2026-12-05", None),
        ({**ALL_DAY, "ends_at": datetime(2026, 12, 7, tzinfo=PARIS)}, "2026-12-05", "2026-12-07"),
        ({**ALL_DAY, "ends_at": datetime(2026, 12, 5, tzinfo=PARIS)}, "2026-12-05", "2026-12-05"),
    ],
)  # fmt: skip
def test_times_carry_the_event_s_own_offset(changes: dict[str, Any], starts: str, ends: str | None) -> None:
    """Summer, winter, across the change of clocks, far away; a day without hour is a bare date; no end is none."""
    data = structured(make_event(**changes))

    assert (data["startDate"], data.get("endDate")) == (starts, ends)
    assert complaints(data) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"online_url": "https://visio.example"}, {"eventAttendanceMode": "https://schema.org/MixedEventAttendanceMode"}),
        (
            {"online_url": "https://visio.example", "place": None},
            {
                "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
                "location": {"@type": "VirtualLocation", "url": "https://visio.example"},
            },
        ),
        (
            {"place": Place(name="La Maison", latitude=48.39, longitude=-4.48)},
            {
                "location": {
                    "@type": "Place", "name": "La Maison", "address": "La Maison",
                    "geo": {"@type": "GeoCoordinates", "latitude": 48.39, "longitude": -4.48},
                }
            },
        ),
        ({"status": "cancelled", "offers": (Offer(price="5"),)}, {"eventStatus": "https://schema.org/EventCancelled", "offers": None}),
        (
            {"full": True, "offers": (Offer(price="7,50", url="https://billets.example/1"), Offer(price="<b>", currency="EUR"))},
            {
                "offers": [
                    {
                        "@type": "Offer", "price": "7.50", "priceCurrency": "EUR", "availability": "https://schema.org/SoldOut",
                        "url": "https://billets.example/1",
                    }
                ]
            },
        ),
        ({"organizer": Actor(name="Ana", url="javascript:1")}, {"organizer": {"@type": "Organization", "name": "Ana"}}),
        ({"language": "en"}, {"inLanguage": "en"}),
    ],
)  # fmt: skip
def test_the_rest_of_what_is_told(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    """Where and how to attend, what it costs, who organises, in which language."""
    data = structured(make_event(**changes))

    assert {name: data.get(name) for name in expected} == expected
    assert complaints(data) == []


def test_a_moved_event_says_what_it_was() -> None:
    """Rescheduled with the date before; cancelled is cancelled; without our address the original's is told, and no picture."""
    event = make_event()
    moved = replace(event, starts_at=event.starts_at + timedelta(days=7), ends_at=None)
    data = structured(moved, event)
    away = structured(moved, event, url=None)

    assert (data["eventStatus"], data["previousStartDate"]) == ("https://schema.org/EventRescheduled", "2026-12-05T20:30:00+01:00")
    assert complaints(data) == []
    assert complaints(structured(replace(moved, status="cancelled"), event)) == []
    assert (away["url"], "image" in away, "sameAs" in away) == (event.url, False, False)
    assert data["sameAs"] == event.url


async def test_what_stands_in_the_pages(tmp_path: Path, sessions: Sessions) -> None:
    """Each event's page holds its data and nobody else's; lists name the pages of theirs; hostile words cannot leave the script."""
    hostile = dated(
        1, 3, title=f"</script>{WICKED['title']}", html=WICKED["html"], place=Place(name=WICKED["place"]), tags=(WICKED["tag"],)
    )
    files = await written(tmp_path, sessions, make_view([hostile, make_event()]))
    pages = {
        path: Document(text) for path, text in files.items() if path.startswith(("events/", "tags/", "archive/")) or path == "index.html"
    }

    events = {path: page.data for path, page in pages.items() if path.startswith("events/")}
    assert len(events) == 2
    for path, data in events.items():
        assert [complaints(one) for one in data] == [[]]
        assert data[0]["url"] == BASE + path
    assert {path: len(page.data) for path, page in pages.items() if page.data and not path.startswith("events/")} == {
        "index.html": 1, "archive/2026.html": 1, "tags/img-src-x-onerror-window-pwned-1.html": 1,
    }  # fmt: skip
    assert [one["url"] for one in pages["index.html"].data[0]["itemListElement"]] == [BASE + path for path in _by_start(events)]
    (title,) = (data[0]["name"] for data in events.values() if "script" in data[0]["name"])
    assert title.startswith("</script><script>window.pwned=1</script>")


def _by_start(events: dict[str, Any]) -> list[str]:
    return sorted(events, key=lambda path: events[path][0]["startDate"])


# An update equals a rebuild

TAGS = ("bal", "Bal", "vélo", "日本")
Change = tuple[str, int, int]
KINDS = ["add", "remove", "move", "rename", "tag", "cancel", "day", "restart", "damage", "post", "idle"]
CHANGES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 5), st.integers(-40, 60)),
    min_size=1,
    max_size=14,
)  # fmt: skip


class World:
    """Items that change, and the clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.items: dict[str, Item] = {}
        self.changed_at: dict[str, datetime] = {}
        self.previous: dict[str, Event] = {}

    def apply(self, change: Change) -> frozenset[str]:
        """The uids that changed."""
        what, number, days = change
        uid = f"https://mobilizon.example/events/{number}"
        known = self.items.get(uid)
        made: Item | None = None
        if what == "day":
            self.now += timedelta(days=abs(days) // 4)
        elif what == "add" and known is None:
            made = dated(number, days, tags=TAGS[number % 3 :][:2], source=("velo", "bal")[number % 2])
        elif what == "post" and known is None:
            made = make_post(uid=uid, url=uid, tags=TAGS[number % 4 :][:1], source="velo", published_at=NOW + timedelta(hours=days))
        elif what == "remove" and known is not None:
            del self.items[uid]
            return frozenset({uid})
        elif isinstance(known, Event):
            made = self._changed(known, what, days)
        if made is None or made == known:
            return frozenset()
        if isinstance(known, Event) and isinstance(made, Event) and known.starts_at != made.starts_at:
            self.previous[uid] = known
        self.items[uid] = made
        self.changed_at[uid] = self.changed_at.get(uid, NOW) + timedelta(seconds=1)
        return frozenset({uid})

    def _changed(self, event: Event, what: str, days: int) -> Event | None:
        return {
            "move": replace(event, starts_at=dated(1, days).starts_at),
            "rename": replace(event, title=f"{event.title} {days}"),
            "tag": replace(event, tags=TAGS[days % 4 :]),
            "cancel": replace(event, status="cancelled"),
        }.get(what)

    def view(self, changed: frozenset[str]) -> View:
        """What the core would hand over."""
        view = make_view(self.items.values(), changed=changed)
        seen = {uid: self.changed_at[uid] for uid in self.items}
        previous = {uid: event for uid, event in self.previous.items() if uid in self.items}
        return replace(
            view, changed_at=seen, first_seen_at=dict.fromkeys(seen, NOW), sources={"velo": "Vélo", "bal": "Bal"}, previous=previous
        )


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=CHANGES)
async def test_an_update_equals_a_rebuild(changes: list[Change]) -> None:
    """Whatever happens in whatever order, restarts and lost files included: byte for byte what a fresh folder would hold."""
    world, sessions = World(), Sessions()
    with TemporaryDirectory() as name:
        folder = Path(name)
        options: Any = {"past": timedelta(days=10), "keep": timedelta(days=20), "feed_max": 3, "now": lambda: world.now}
        connector = projection(folder / "kept", sessions, **options)
        for change in changes:
            changed = world.apply(change)
            if change[0] == "restart":
                connector = projection(folder / "kept", sessions, **options)
            if change[0] == "idle":
                connector.rest()
            if change[0] == "damage":
                _damage(folder / "kept", change[1])
            await connector.project(world.view(changed))
        fresh = projection(folder / "fresh", sessions, **options)
        # Addresses are as old as the events: a rebuild knows them from the record.
        with suppress(FileNotFoundError):
            shutil.copy(folder / "kept/state/under-test/addresses.txt", folder / "fresh/state/under-test")
        await fresh.project(world.view(frozenset(world.items)))
        assert standing(folder / "kept") == standing(folder / "fresh")
    await sessions.close()


def _damage(folder: Path, number: int) -> None:
    """Something is lost, or written over by hand."""
    files = [path for path in sorted((folder / "public").rglob("*.html")) if path.parent.name != "public"]
    if number % 2 and files:
        files[number % len(files)].unlink()
    elif (folder / "public/events.json").exists():
        (folder / "public/events.json").write_text('[\n  {\n   "uid": "https://mobilizon.example/events/1",\n   "faux": 1\n  }\n ]')


async def test_a_change_touches_only_what_shows_it(tmp_path: Path, sessions: Sessions) -> None:
    """Of a hundred pages, those of the event, its neighbours, its tags and its month are written anew."""
    events = [dated(n, n, tags=(TAGS[2] if n % 2 else "bal",)) for n in range(1, 101)]
    await written(tmp_path, sessions, make_view(events))
    public = tmp_path / "public"
    before = {path: path.stat().st_ino for path in public.rglob("*") if path.is_file()}
    events[49] = replace(events[49], title="Autre titre")
    view = replace(make_view(events, changed={events[49].uid}))
    await written(tmp_path, sessions, replace(view, changed_at={**view.changed_at, events[49].uid: NOW + timedelta(hours=1)}))

    touched = {str(path.relative_to(public)) for path in public.rglob("*") if path.is_file() and before.get(path) != path.stat().st_ino}
    names = {re.sub("-[0-9a-f]{10}", "", path) for path in touched if "/" in path}
    assert names == {"events/bal-49.html", "events/bal-50.html", "events/bal-51.html", "tags/bal.html", "archive/2027.html"}


async def test_a_crash_between_files_and_record_is_made_good(tmp_path: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the files and before the record: what comes next does not trust the record about them."""
    one, two = dated(1, 1), dated(2, 2)
    connector = projection(tmp_path, sessions)
    await connector.project(make_view([one]))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("connectors.website.standing.Stamps.finish", killed)
        with pytest.raises(KeyboardInterrupt):
            await connector.project(make_view([one, two], changed={two.uid}))
    assert "Bal 2" in page_of(standing(tmp_path), "bal-1")
    again = await written(tmp_path, sessions, make_view([one], changed={two.uid}))

    assert again == await written(tmp_path / "fresh", sessions, make_view([one]))


async def test_events_json_is_what_an_encoder_would_write(tmp_path: Path, sessions: Sessions) -> None:
    """Pieced together from what stood, it is the same document in the same layout."""
    events = [dated(n, n - 3, title='Un "titre" \\ é\u2028') for n in range(8)]
    await written(tmp_path, sessions, make_view(events))
    text = (await written(tmp_path, sessions, make_view([*events, dated(9, 2)], changed={dated(9, 2).uid})))["events.json"]

    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=1) + "\n"
    assert [len(json.loads(text)[name]) for name in ("upcoming", "past")] == [6, 3]


async def test_thousands_to_come_are_in_files_of_their_months(tmp_path: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """The soonest in ``events.json``, which names the others; an update takes over what stands, and what is no longer needed goes."""
    monkeypatch.setattr("connectors.website.records.SOON_MAX", 3)
    events = [dated(n, n * 10) for n in range(1, 9)]
    connector = projection(tmp_path, sessions)
    await connector.project(make_view(events))
    events[7] = replace(events[7], title="Autre titre")
    await connector.project(make_view(events, changed={events[7].uid}))
    files = standing(tmp_path)
    documents = {path: json.loads(text) for path, text in files.items() if re.fullmatch(r"events(-\d{4}-\d{2})?\.json", path)}

    more = documents["events.json"]["more"]
    assert [(one["file"], one["count"]) for one in more] == [
        ("events-2026-12.json", 1),
        ("events-2027-01.json", 3),
        ("events-2027-02.json", 1),
    ]
    named = [documents.pop("events.json"), *(documents.pop(one["file"]) for one in more)]
    assert [record["title"] for one in named for record in one["upcoming"]] == [*(f"Bal {n}" for n in range(1, 8)), "Autre titre"]
    assert documents == {}
    await connector.project(make_view(events[:2], changed={event.uid for event in events[2:]}))
    assert [path for path in standing(tmp_path) if path.startswith("events-")] == []


def test_days_and_zones_of_the_world() -> None:
    """The month of an event is that of its own clock, also when it came in another."""
    from connectors.website.selection import first_day

    at = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert first_day(make_event(starts_at=at)) == date(2027, 1, 1)
    assert first_day(make_event(starts_at=at.astimezone(ZoneInfo("Europe/Paris")))) == date(2027, 1, 1)
    assert first_day(make_event(starts_at=at, timezone="Etc/GMT+1")) == date(2026, 12, 31)

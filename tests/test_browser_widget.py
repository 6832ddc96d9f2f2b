"""The widget in a real browser, on a page of somebody else's that lets nothing in but us."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, async_playwright

from syndicator.contract import View
from syndicator.model import Actor, Attachment, Event, Item, Offer, Place
from syndicator.testing import NOW, PARIS, make_event, make_post, make_view
from syndicator.text.dates import describe_when
from syndicator.text.naming import handle
from tests.media_scene import Files
from tests.test_browser_website import CHROMIUM, FLAGS
from tests.widget_scene import FALLBACK, Agenda, Home, Look, agenda, look

pytestmark = pytest.mark.asyncio(loop_scope="module")

WICKED = json.loads((Path(__file__).parent / "data" / "website" / "hostile.json").read_text())
NEW_YORK = ZoneInfo("America/New_York")
HANDLE = handle("https://mobilizon.example/events/1")
TITLE = ".list .title, .cards .title"


def dated(number: int, title: str, starts_at: datetime, **changes: Any) -> Event:
    """An event of its own."""
    uid = f"https://mobilizon.example/events/{number}"
    return make_event(**{"uid": uid, "url": uid, "title": title, "starts_at": starts_at, "ends_at": None, **changes})


def wanted(picture: str) -> View:
    """A bit of everything."""
    shown = Attachment(url=picture, description="Une affiche")
    workshop = dated(1, "Atelier vélo", datetime(2026, 12, 5, 20, 30, tzinfo=PARIS), full=True, tags=("Vélo", "atelier"), image=shown)
    items: list[Item] = [
        workshop,
        dated(2, "Réunion du matin", datetime(2026, 11, 21, 10, tzinfo=PARIS), ends_at=datetime(2026, 11, 21, 11, tzinfo=PARIS)),
        dated(
            3,
            "Bal folk",
            datetime(2026, 12, 12, 22, tzinfo=PARIS),
            ends_at=datetime(2026, 12, 13, 4, tzinfo=PARIS),
            source="voisins",
            offers=(Offer(price="7.50"),),
            organizer=Actor(name="Les Ménétriers"),
            place=Place(name="Salle des fêtes", locality="Plouzané"),
            online_url="https://visio.example/1",
            tags=("Bal-Folk",),
            image=shown,
        ),
        dated(
            4,
            "Marché d’hiver",
            datetime(2026, 12, 18, tzinfo=PARIS),
            ends_at=datetime(2026, 12, 20, tzinfo=PARIS),
            start_is_date=True,
            end_is_date=True,
            status="cancelled",
            place=None,
        ),
        dated(
            5, "Bike talk", datetime(2027, 1, 7, 19, 30, tzinfo=NEW_YORK), timezone="America/New_York", language="en", status="tentative"
        ),
        dated(
            6,
            "Exposition",
            datetime(2026, 10, 1, 9, tzinfo=PARIS),
            ends_at=datetime(2027, 2, 28, 18, tzinfo=PARIS),
            place=Place(name="Brest"),
        ),
        dated(7, "Vide-grenier", datetime(2026, 11, 12, 14, tzinfo=PARIS)),
        make_post(
            uid="https://b.example/1", url="https://b.example/1", kind="article", title="Notre bilan", html="<p>Une belle année.</p>"
        ),
        make_post(attachments=(shown,), tags=("vélo",), published_at=NOW - timedelta(days=2)),
        make_post(uid="https://s.example/3", html="<p>Du sang</p>", content_warning="Blessure", published_at=NOW - timedelta(days=3)),
        make_post(uid="https://v.example/1", url="https://v.example/1", kind="video", title="La balade", duration_s=300.0),
    ]
    view = make_view(items)
    before = replace(workshop, starts_at=datetime(2026, 11, 28, 20, tzinfo=PARIS))
    return replace(view, previous={workshop.uid: before}, sources={**view.sources, "voisins": "Les voisins de Plouzané"})


def wicked() -> View:
    """What a stranger with bad intentions would send."""
    return make_view(
        [
            dated(
                1,
                WICKED["title"],
                datetime(2026, 12, 5, 20, 30, tzinfo=PARIS),
                url=WICKED["url"],
                html=WICKED["html"],
                tags=(WICKED["tag"],),
                place=Place(name=WICKED["place"]),
                organizer=Actor(name=WICKED["organizer"], url=WICKED["url"]),
            ),
            make_post(title=WICKED["title"], html=WICKED["html"], url=WICKED["url"], author=Actor(name=WICKED["tag"])),
        ]
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def closed(browser: Browser) -> AsyncIterator[None]:
    """No page stays open."""
    yield
    for context in browser.contexts:
        await context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Agenda]:
    """The ordinary agenda."""
    out = BytesIO()
    Image.new("RGB", (1200, 700), "teal").save(out, "JPEG")
    async with Files() as files:
        files.files["p.jpg"] = out.getvalue()
        made = await agenda(tmp_path_factory.mktemp("ours"), wanted(f"{files.url}/p.jpg"), event_ics=True)
    yield made
    await made.server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def theirs(ours: Agenda) -> AsyncIterator[Home]:
    """The site that shows it."""
    async with Home() as home:
        home.agenda = ours.url
        yield home


def put(home: Home, attributes: str = "", **settings: str) -> str:
    return home.put(f"<fediverse-agenda {attributes}>{FALLBACK}</fediverse-agenda>", **settings)


def assert_only_us(seen: Look, home: Home) -> None:
    """No complaint, and what was asked for: their page, and our files, nothing else."""
    assert seen.complaints == []
    others = [url for url in seen.requests if not url.startswith((f"{home.url}/", f"{home.agenda}/"))]
    assert others == []


async def test_the_list(browser: Browser, ours: Agenda, theirs: Home) -> None:
    """Dates to come, the soonest first, what goes on for weeks after them; each says when, where and every state in words."""
    seen = await look(browser, put(theirs))

    assert await seen.texts(TITLE) == ["Réunion du matin", "Atelier vélo", "Bal folk", "Marché d’hiver", "Bike talk", "Exposition"]
    assert await seen.texts(".when") == [
        "samedi 21 novembre 2026 de 10h à 11h",
        "samedi 5 décembre 2026 à 20h30",
        "samedi 12 décembre 2026 de 22h à 4h",
        "du 18 au 20 décembre 2026",
        "jeudi 7 janvier 2027 à 19h30 (heure locale, New York)",
        "du 1er octobre 2026 au 28 février 2027",
    ]
    assert await seen.texts(".badge") == [
        "Déplacé (auparavant : samedi 28 novembre 2026 à 20h)",
        *("Complet", "En ligne", "Annulé", "À confirmer", "En ce moment"),
    ]
    assert await seen.texts(".facts") == ["Les Ménétriers · 7,50 €"]
    assert await seen.page.locator(".foot a").first.get_attribute("href") == f"{ours.url.replace('http:', 'webcal:')}/agenda.ics"
    assert await seen.texts(".actions") == [f"Ajouter à mon agenda : {title}" for title in await seen.texts(TITLE) if "hiver" not in title]
    page, file = await seen.page.locator(".item a").evaluate_all("all => all.slice(2, 4).map(one => one.href)")
    assert (page, file) == (f"{ours.url}/events/atelier-velo-{HANDLE}.html", f"{ours.url}/agenda/{HANDLE}.ics")
    assert not await seen.page.get_by_text("bientôt ici").is_visible()
    assert_only_us(seen, theirs)


FILTERS = [
    ('tag="velo"', ["Atelier vélo"]),
    ('tag="#BALFOLK, atelier"', ["Atelier vélo", "Bal folk"]),
    ('tag="rien"', []),
    ('source="les voisins de plouzane"', ["Bal folk"]),
    ('source="VOISINS"', ["Bal folk"]),
    ('source="les menetriers"', ["Bal folk"]),
    ('place="plouzane"', ["Bal folk"]),
    ('place="brest" limit="2"', ["Réunion du matin", "Atelier vélo"]),
    ('from="2026-12-19" until="2026-12-31"', ["Marché d’hiver", "Exposition"]),
    ('until="2026-12-12" from="pas une date"', ["Réunion du matin", "Atelier vélo", "Bal folk", "Exposition"]),
    ('past limit="1"', ["Réunion du matin", "Vide-grenier"]),
    ('past="only"', ["Vide-grenier"]),
    ('kind="post" limit="2"', ["Notre bilan"]),
    ('kind="video"', ["La balade"]),
    ('kind="event video" limit="1"', ["Réunion du matin", "La balade"]),
    ('kind="post" tag="velo" view="month"', []),
]


async def test_filters_and_changed_attributes(browser: Browser, theirs: Home) -> None:
    """Tags, sources and places compare without case, accents and signs; an attribute that changes is obeyed at once."""
    seen = await look(browser, put(theirs))
    for attributes, titles in FILTERS:
        await seen.page.evaluate("node => document.querySelector('main').append(Object.assign(new DOMParser().parseFromString(node,"
                                 "'text/html').body.firstChild))", f"<fediverse-agenda {attributes}></fediverse-agenda>")  # fmt: skip
        await seen.page.locator("fediverse-agenda .box").nth(1).wait_for()
        found = await seen.page.locator("fediverse-agenda").nth(1).locator(".title:not(.hidden)").all_inner_texts()
        assert (attributes, found) == (attributes, titles)
        await seen.page.evaluate("document.querySelectorAll('fediverse-agenda')[1].remove()")

    await seen.set(tag="atelier", view="cards")
    assert await seen.texts(TITLE) == ["Atelier vélo"]
    await seen.set(tag="rien")
    assert await seen.texts(".empty") == ["Aucun rendez-vous n’est annoncé pour l’instant. Revenez bientôt !"]
    await seen.set(lang="en")
    assert await seen.texts(".empty, .foot a") == [
        "No event is announced at the moment. Come back soon!",
        "Subscribe to the calendar",
        "The whole agenda",
    ]
    assert [url for url in seen.requests if url.endswith("/widget.json")] == [f"{theirs.agenda}/widget.json"]
    assert_only_us(seen, theirs)


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
async def test_every_view_fits_and_axe_finds_nothing(browser: Browser, theirs: Home, width: int, scheme: Any) -> None:
    """No sideways scrolling, no complaint, nobody else asked; axe-core has nothing against it, by day and by night."""
    element = 'kind="event post video" past'
    seen = await look(browser, put(theirs, element), viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
    for view in ("list", "cards", "month"):
        await seen.set(view=view)
        await seen.page.wait_for_load_state("networkidle")

        assert await seen.page.evaluate("document.documentElement.scrollWidth") == width
        assert await seen.faults() == []
    assert_only_us(seen, theirs)


async def test_pictures_are_ours(browser: Browser, theirs: Home) -> None:
    """They come from our server, have their size and their text."""
    seen = await look(browser, put(theirs, 'view="cards"'))
    pictures = seen.page.locator("img")
    for picture in await pictures.all():
        await picture.scroll_into_view_if_needed()
    await seen.page.wait_for_load_state("networkidle")
    found = await pictures.evaluate_all(
        "all => all.map(one => [new URL(one.src).origin, one.alt, one.naturalWidth > 0, one.hasAttribute('width')])"
    )

    assert found == [[theirs.agenda, "Une affiche", True, True]] * 2
    assert_only_us(seen, theirs)


async def test_posts_and_videos(browser: Browser, theirs: Home) -> None:
    """A title is a link, a post without one has a link that says where it leads; a warning stands instead of what it warns of."""
    seen = await look(browser, put(theirs, 'kind="post,video"'))

    assert await seen.texts(".text") == ["Une belle année.", "Bonjour à toutes et à tous", "Blessure", "Bonjour à toutes et à tous"]
    assert await seen.texts(".date") == [
        "21 novembre 2026 · Toots",
        "19 novembre 2026 · Toots",
        "18 novembre 2026 · Toots",
        "21 novembre 2026 · Toots · 5:00",
    ]
    links = await seen.page.locator(".item a").evaluate_all("all => all.map(one => [one.textContent.replaceAll('\\u00a0', ' '), one.href])")
    assert links == [
        ["Notre bilan", "https://b.example/1"],
        ["Voir la publication : Bonjour à toutes et à tous", "https://social.example/@asso/1"],
        ["Voir la publication : Blessure", "https://social.example/@asso/1"],
        ["La balade", "https://v.example/1"],
    ]


async def test_the_month(browser: Browser, theirs: Home) -> None:
    """A table with a caption, Monday first in French; what lasts stands in each of its days, an evening only in its own."""
    seen = await look(browser, put(theirs, 'view="month" from="2026-12-01"'))
    cells = await seen.page.locator("td").evaluate_all(
        "all => all.map(one => [one.querySelector('time')?.dateTime, [...one.querySelectorAll('li')].map(li => li.innerText)])"
    )
    days = dict(cells)

    assert await seen.page.locator("caption").inner_text() == "Rendez-vous de décembre 2026"
    assert await seen.texts("th") == ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."]
    assert [day for day, _ in cells[:2]] == [None, "2026-12-01"]
    assert {day: found for day, found in days.items() if found} == {
        "2026-12-05": ["20h30 Atelier vélo (Déplacé, Complet)"],
        "2026-12-12": ["22h Bal folk (En ligne)"],
        "2026-12-18": ["Marché d’hiver (Annulé)"],
        "2026-12-19": ["Marché d’hiver (Annulé)"],
        "2026-12-20": ["Marché d’hiver (Annulé)"],
    }
    assert await seen.texts(".list .title") == ["Exposition"]
    await seen.set(lang="en-US")
    assert await seen.texts("th") == ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    assert (await seen.texts("td li"))[0].startswith("8:30 pm Atelier vélo (Moved")


async def test_with_the_keyboard_alone(browser: Browser, theirs: Home) -> None:
    """Tab reaches the buttons and every event, each with a visible mark; buttons turn the month, keep the focus, and stop."""
    seen = await look(browser, put(theirs, 'view="month"'))
    page = seen.page
    active = "document.activeElement.shadowRoot?.activeElement"

    async def tab() -> str:
        await page.keyboard.press("Tab")
        outline = await page.evaluate(f"{active} ? getComputedStyle({active}).outlineStyle : 'solid'")
        assert outline == "solid"
        found: str = await page.evaluate(f"{active}?.getAttribute('aria-label') ?? {active}?.textContent ?? ''")
        return found

    assert await seen.texts(".name") == ["Novembre 2026", "En ce moment, au long cours"]
    assert await seen.texts(".today li") == ["10h Réunion du matin"]
    assert [await tab(), await tab()] == ["Mois précédent", "Mois suivant"]
    await page.keyboard.press("Enter")
    assert await page.evaluate(f"{active}.getAttribute('aria-label')") == "Mois suivant"
    assert (await seen.texts(".name"))[0] == "Décembre 2026"
    assert [await tab() for _ in range(6)] == ["Atelier vélo", "Bal folk", *["Marché d’hiver"] * 3, "Exposition"]
    for _ in range(7):
        await page.keyboard.press("Shift+Tab")
    for _ in range(4):
        await page.keyboard.press("Space")
    assert (await seen.texts(".name"))[0] == "Novembre 2026"
    assert await page.evaluate(f"{active}.getAttribute('aria-label') + {active}.ariaDisabled") == "Mois précédenttrue"


async def test_narrow_a_month_is_a_list_of_days(browser: Browser, theirs: Home) -> None:
    """At 320 px there is no table; each day that holds something says its date in words."""
    seen = await look(browser, put(theirs, 'view="month" from="2026-12-01"'), viewport={"width": 320, "height": 800})

    assert await seen.texts("table") == []
    assert await seen.texts(".days h3") == [
        "samedi 5 décembre",
        "samedi 12 décembre",
        "vendredi 18 décembre",
        "samedi 19 décembre",
        "dimanche 20 décembre",
    ]
    await seen.set(**{"from": "2028-01-01", "heading_level": "4"})
    assert await seen.texts(".empty") == ["Aucun rendez-vous n’est annoncé pour l’instant. Revenez bientôt !"]


async def test_without_javascript_or_data_the_fallback_stands(browser: Browser, theirs: Home) -> None:
    """What is inside the element is shown: no JavaScript, no server, an answer that is none, a version to come, another server's folder."""
    url = put(theirs)
    without = await look(browser, url, ready="fediverse-agenda p", java_script_enabled=False)
    assert await without.page.get_by_text("bientôt ici").is_visible()

    seen = await look(browser, url)
    strange: list[dict[str, Any] | None] = [
        None,
        {"status": 404, "body": "{}"},
        {"body": "<html>"},
        {"body": json.dumps({"version": 2, "events": []})},
        {"body": json.dumps({"version": 1, "timezone": "Europe/Paris", "events": [{"title": "sans date"}]})},
    ]
    for number, answer in enumerate(strange):
        await seen.answer("widget.json", answer)
        await seen.set(src=f"nowhere{number}")
        assert await seen.page.get_by_text("bientôt ici").is_visible()
    await seen.set(src="./")
    assert not await seen.page.get_by_text("bientôt ici").is_visible()
    seen = await look(browser, put(theirs, 'src="https://other.example/"'), ready="fediverse-agenda p")
    assert await seen.page.get_by_text("bientôt ici").is_visible()
    assert not [request for request in seen.requests if "other.example" in request]


async def test_a_hostile_event_stays_text(browser: Browser, theirs: Home, tmp_path: Path) -> None:
    """Its markup is read, not run, whether our daemon cleaned the data or nobody did."""
    made = await agenda(tmp_path, wicked())
    data = json.loads((made.folder / "widget.json").read_text())
    await made.server.stop()
    raw = {
        "title": WICKED["title"],
        "text": WICKED["html"],
        "place": WICKED["place"],
        "organizer": WICKED["organizer"],
        "url": WICKED["url"],
    }
    raw |= {
        "page": WICKED["url"],
        "ics": "https://evil.example/1.ics",
        "image": {"file": "https://evil.example/1.png", "alt": WICKED["alt"]},
    }
    raw |= {"tags": [WICKED["tag"]], "language": WICKED["tag"], "price": {"fr": WICKED["price"]}, "when": {"fr": WICKED["title"]}}
    data["events"].append({**data["events"][0], **raw})
    data["posts"].append({**data["posts"][0], **raw, "warning": WICKED["html"], "title": ""})
    data |= {"calendar": WICKED["url"], "accent": ["red;} *{display:none", WICKED["title"]], "sources": {"agenda": WICKED["tag"]}}
    seen = await look(
        browser,
        put(theirs, 'kind="event post" from="2026-12-01"'),
        answers={"widget.json": {"body": json.dumps(data), "headers": {"Access-Control-Allow-Origin": "*"}}},
    )
    for view in ("list", "cards", "month"):
        await seen.set(view=view)
        assert await seen.page.evaluate("window.pwned") is None
        assert await seen.page.locator("main script, main svg, main iframe, main style, main math, main img").count() == 0
        assert any("<script>window.pwned=1</script><b>Bal</b>" in text for text in await seen.texts(".title"))
        links = set(await seen.page.locator("main a").evaluate_all("all => all.map(one => one.href)"))
        assert links == {f"{theirs.agenda}/", f"{theirs.agenda}/{data['events'][0]['page']}"}
    assert_only_us(seen, theirs)


ZONES = [
    dated(1, "hiver", datetime(2026, 12, 5, 20, 30, tzinfo=PARIS), ends_at=datetime(2026, 12, 5, 22, 30, tzinfo=PARIS)),
    dated(2, "été", datetime(2027, 7, 3, 20, 30, tzinfo=PARIS)),
    dated(3, "nuit du changement", datetime(2027, 3, 27, 23, tzinfo=PARIS), ends_at=datetime(2027, 3, 28, 5, tzinfo=PARIS)),
    dated(4, "ailleurs", datetime(2026, 12, 31, 23, 30, tzinfo=NEW_YORK), timezone="America/New_York"),
    dated(5, "antipodes", datetime(2026, 12, 31, 20, tzinfo=UTC), timezone="Pacific/Auckland"),
    dated(
        6, "jours", datetime(2026, 12, 5, tzinfo=PARIS), ends_at=datetime(2026, 12, 7, tzinfo=PARIS), start_is_date=True, end_is_date=True
    ),
    dated(7, "jour", datetime(2027, 1, 1, tzinfo=PARIS), start_is_date=True),
    dated(8, "zone inconnue", datetime(2026, 12, 6, 9, tzinfo=PARIS), timezone="Mars/Olympus"),
    dated(9, "midi", datetime(2026, 12, 8, 12, tzinfo=PARIS), ends_at=datetime(2026, 12, 9, 0, 0, tzinfo=PARIS)),
]


@pytest.mark.parametrize("visitor", ["America/Los_Angeles", "Pacific/Kiritimati"])
async def test_dates_are_the_pages(browser: Browser, theirs: Home, tmp_path: Path, visitor: str) -> None:
    """Wherever the visitor is, each event says what our pages say, on its own clock; in a third language too, its own hour."""
    made = await agenda(tmp_path, make_view(ZONES))
    data = (made.folder / "widget.json").read_text()
    await made.server.stop()
    answers = {"widget.json": {"body": data, "headers": {"Access-Control-Allow-Origin": "*"}}}
    seen = await look(browser, put(theirs), answers=answers, timezone_id=visitor)
    for lang in ("fr", "en", "fr-CA", "en-GB"):
        await seen.set(lang=lang)
        found = dict(zip(await seen.texts(TITLE), await seen.texts(".when"), strict=True))
        assert found == {event.title: describe_when(event, lang[:2], home_timezone="Europe/Paris") for event in ZONES}
    await seen.set(lang="de")
    found = dict(zip(await seen.texts(TITLE), await seen.texts(".when"), strict=True))
    assert found["hiver"] == "Samstag, 5. Dezember 2026, 20:30–22:30 Uhr"
    assert found["ailleurs"] == "Donnerstag, 31. Dezember 2026 um 23:30 (New York)"
    assert found["antipodes"] == "Freitag, 1. Januar 2027 um 09:00 (Auckland)"
    assert found["jours"] == "Samstag, 5. – Montag, 7. Dezember 2026"
    assert found["jour"] == "Freitag, 1. Januar 2027"
    await seen.set(lang="fr", view="month", **{"from": "2026-12-01"})
    cells = await seen.page.locator("td:has(li)").evaluate_all(
        "all => all.map(one => [one.querySelector('time').dateTime, one.querySelector('ul').innerText])"
    )
    assert cells == [
        ["2026-12-05", "jours\n20h30 hiver"],
        ["2026-12-06", "jours\n9h zone inconnue"],
        ["2026-12-07", "jours"],
        ["2026-12-08", "12h midi"],
        ["2026-12-31", "23h30 ailleurs"],
    ]


async def test_the_language_is_the_pages(browser: Browser, theirs: Home) -> None:
    """The closest ``lang`` decides; where there is none we can read it is the agenda's; where we have no words for it, English ones."""
    inner = "".join(f'<div lang="{lang}"><fediverse-agenda tag="velo"></fediverse-agenda></div>' for lang in ("en", "br", "de", "???"))
    seen = await look(
        browser, theirs.put(f'<div lang="en"><fediverse-agenda tag="velo" lang="fr"></fediverse-agenda></div>{inner}', lang="it")
    )

    assert await seen.texts(".badge.full") == ["Complet", "Full", "Complet", "Full", "Complet"]
    assert (await seen.texts(".when"))[3] == "Samstag, 5. Dezember 2026 um 20:30"
    assert [await box.get_attribute("lang") for box in await seen.page.locator(".box").all()] == ["fr", "en", "fr", "en", "fr"]
    assert_only_us(seen, theirs)


async def test_themes(browser: Browser, theirs: Home) -> None:
    """By day, by night, always one of them; the custom properties and the parts are the page's to set."""
    ground = "getComputedStyle(document.querySelector('fediverse-agenda').shadowRoot.querySelector('.box')).backgroundColor"
    seen = await look(browser, put(theirs), color_scheme="dark")
    assert await seen.page.evaluate(ground) == "rgb(38, 34, 30)"
    await seen.page.evaluate("document.querySelector('fediverse-agenda').setAttribute('theme', 'light')")
    assert await seen.page.evaluate(ground) == "rgb(255, 255, 255)"
    await seen.page.emulate_media(color_scheme="light")
    await seen.page.evaluate("document.querySelector('fediverse-agenda').setAttribute('theme', 'dark')")
    assert await seen.page.evaluate(ground) == "rgb(38, 34, 30)"
    rules = "fediverse-agenda { --fediverse-agenda-paper: rgb(1, 2, 3) } fediverse-agenda::part(title) { font-size: 40px }"
    await seen.page.evaluate("css => { const s = new CSSStyleSheet(); s.replaceSync(css); document.adoptedStyleSheets = [s] }", rules)
    assert await seen.page.evaluate(ground) == "rgb(1, 2, 3)"
    assert await seen.page.locator("h3.title").first.evaluate("node => getComputedStyle(node).fontSize") == "40px"


async def test_it_keeps_nothing(browser: Browser, theirs: Home) -> None:
    """No cookie, no storage, and their address is not told to us in the request for data."""
    seen = await look(browser, put(theirs))
    kept = (
        "(async () => [document.cookie, localStorage.length, sessionStorage.length,"
        " (await indexedDB.databases()).length, (await caches.keys()).length])()"
    )

    assert await seen.page.evaluate(kept) == ["", 0, 0, 0, 0]
    assert await seen.page.context.cookies() == []


async def test_the_frame(browser: Browser, ours: Agenda, theirs: Home) -> None:
    """Filters are in its address; links leave the frame; the page around it may learn its height; without JavaScript it is a list."""
    frame = f"{ours.url}/embed.html?tag=velo&view=cards&theme=dark&lang=en"
    seen = await look(browser, theirs.put(f'<iframe src="{frame}" title="Agenda" width="320" height="400"></iframe>'), ready="iframe")
    inner = seen.page.frame_locator("iframe")
    await inner.locator(".box").wait_for()

    assert await inner.locator(".cards .title").all_inner_texts() == ["Atelier vélo"]
    assert await inner.locator("fediverse-agenda").get_attribute("theme") == "dark"
    assert_only_us(seen, theirs)
    alone = await look(browser, f"{ours.url}/embed.html", viewport={"width": 320, "height": 700})
    assert await alone.faults() == []
    assert await alone.page.evaluate("document.documentElement.scrollWidth") == 320
    heights = await seen.page.evaluate(
        "url => new Promise((done, fail) => { setTimeout(fail, 4000);"
        "addEventListener('message', message => done([message.data.type, message.data.height > 100, message.origin]));"
        "const frame = document.createElement('iframe'); frame.src = url; document.body.append(frame) })",
        f"{ours.url}/embed.html",
    )
    assert heights == ["fediverse-agenda", True, ours.url]
    without = await look(browser, f"{ours.url}/embed.html", ready="li", java_script_enabled=False)
    assert "Atelier vélo : samedi 5 décembre 2026 à 20h30" in await without.texts("li")
    assert "Marché d’hiver (Annulé) : du 18 au 20 décembre 2026" in await without.texts("li")


async def test_another_folder_of_ours(browser: Browser, ours: Agenda, theirs: Home) -> None:
    """``src`` names one below or beside; two elements of one folder ask once."""
    data = json.loads((ours.folder / "widget.json").read_text())
    young = {**data, "events": [data["events"][-1]]}
    (ours.folder / "jeunesse").mkdir()
    (ours.folder / "jeunesse" / "widget.json").write_text(json.dumps(young))
    two = '<fediverse-agenda src="jeunesse"></fediverse-agenda><fediverse-agenda src="jeunesse/"></fediverse-agenda>'
    seen = await look(browser, theirs.put(two))

    assert await seen.texts(TITLE) == ["Bike talk"] * 2
    assert [url for url in seen.requests if url.endswith(".json")] == [f"{ours.url}/jeunesse/widget.json"]

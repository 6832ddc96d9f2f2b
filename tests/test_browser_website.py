"""The page in a real browser: what visitors see, at every width, by day and by night, and what their browser asks for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from connectors.website import Options, WebsiteProjection
from syndicator.http import Sessions
from syndicator.model import Actor, Attachment, Item, Offer, Place, Poll
from syndicator.sandbox.server import Simulator
from syndicator.testing import NOW, PARIS, make_context, make_event, make_post, make_view
from syndicator.web import AssociationHealth, Health, PartHealth, PublicServer, Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = Path("/usr/bin/chromium")
UNUSED = (
    # Playwright's own list, which a later flag replaces.
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints",
    "PaintHolding", "PreconnectToSearch", "ThirdPartyStoragePartitioning",
    # Two pages that every window prepares for an address bar that nobody sees, each with a process of its own.
    "WebUIOmniboxAimPopup", "WebUIOmniboxPopup",
)  # fmt: skip
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", f"--disable-features={','.join(UNUSED)}",
]  # fmt: skip
WICKED = json.loads((Path(__file__).parent / "data" / "website" / "hostile.json").read_text())
LONG = "<p>Une soirée pour danser, avec les Ménétriers du Trégor.</p>" + "<p>Le bal a lieu dans la grande salle, de plain-pied.</p>" * 12
ENDLESS = "Anticonstitutionnellementhippopotomonstrosesquippedaliophobie"

VISIBLE = "[...document.querySelectorAll('a[href], summary')].filter(node => node.checkVisibility())"
NAMED = "node => [node.localName, node.textContent.trim(), node.href, [...document.querySelectorAll('*')].indexOf(node)].join(' ')"
LOOK = """(() => ['body', 'h1'].map(name => getComputedStyle(document.querySelector(name)))
  .map(style => [style.color, style.font, style.margin, style.backgroundColor]))()"""
CONTRASTS = """() => {
  const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return { rgb: n.slice(0, 3), alpha: n[3] ?? 1 } }
  const luminance = rgb => rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
  const background = node => { for (; node; node = node.parentElement) {
    const found = parse(getComputedStyle(node).backgroundColor); if (found.alpha === 1) return found.rgb } return [255, 255, 255] }
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement
    if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue
    const [high, low] = [luminance(parse(getComputedStyle(node).color).rgb), luminance(background(node))].sort((a, b) => b - a)
    found.push([(high + 0.05) / (low + 0.05), node.textContent.slice(0, 40)])
  }
  return found
}"""


def items(picture: str) -> list[Item]:
    """A bit of everything that a page may have to show, the worst included."""
    base = "https://mobilizon.example/events/"
    shown = Attachment(url=picture, description="Une affiche")
    return [
        make_event(image=shown, full=True, organizer=Actor(name="Les Amis", url="https://mobilizon.example/@a"), tags=("vélo", "atelier")),
        make_event(
            uid=f"{base}2",
            url=f"{base}2",
            title="Bal folk",
            html=LONG,
            starts_at=datetime(2026, 12, 12, 19, tzinfo=PARIS),
            ends_at=None,
            offers=(Offer(price="7.50"),),
            ticket_url="https://billets.example/1",
            online_url="https://visio.example/1",
            image=shown,
            place=Place(name="Salle des fêtes", locality="Plouzané", latitude=48.38, longitude=-4.62),
        ),
        make_event(
            uid=f"{base}3",
            url=f"{base}3",
            title=ENDLESS,
            status="cancelled",
            starts_at=datetime(2026, 12, 20, tzinfo=PARIS),
            ends_at=None,
            start_is_date=True,
            html=f"<p>{ENDLESS * 3}</p><pre>{'=' * 200}</pre>",
            place=Place(name=ENDLESS),
            tags=(ENDLESS * 2,),
        ),
        make_event(
            uid=f"{base}4",
            url=WICKED["url"],
            title=WICKED["title"],
            html=WICKED["html"],
            tags=(WICKED["tag"],),
            place=Place(name=WICKED["place"]),
            organizer=Actor(name=WICKED["organizer"], url=WICKED["url"]),
            image=Attachment(url=picture, description=WICKED["alt"]),
            starts_at=datetime(2027, 1, 5, 18, tzinfo=PARIS),
            ends_at=None,
        ),
        make_event(
            uid=f"{base}5",
            url=f"{base}5",
            title="Exposition",
            start_is_date=True,
            end_is_date=True,
            starts_at=datetime(2026, 10, 1, tzinfo=PARIS),
            ends_at=datetime(2027, 2, 28, tzinfo=PARIS),
        ),
        make_event(uid=f"{base}6", url=f"{base}6", title="Vide-grenier", starts_at=NOW - timedelta(days=9), ends_at=None),
        make_post(attachments=(shown, shown, shown), poll=Poll(options=("Oui", "Non"))),
        make_post(
            uid="https://s.example/2", title=WICKED["title"], html=WICKED["html"], url=WICKED["url"], author=Actor(name=WICKED["tag"])
        ),
        make_post(uid="https://s.example/3", html="<p>Du sang</p>", content_warning="Blessure", sensitive=True),
        make_post(
            uid="https://v.example/1", kind="video", title="La balade", duration_s=300.0, embed_url="https://v.example/embed/1", html=LONG
        ),
    ]


@dataclass(kw_only=True)
class Visit:
    """A page on our server and all that the browser said while it was open."""

    page: Page
    origin: str
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def assert_quiet(self) -> None:
        """No complaint, and no request but to us."""
        assert self.failures == []
        assert [url for url in self.requests if not url.startswith(f"{self.origin}/")] == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install the Debian package chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A projected association behind the real server."""
    host = Simulator()
    out = BytesIO()
    Image.new("RGB", (1200, 700), "teal").save(out, "JPEG")

    async def picture(_: web.Request) -> web.Response:
        return web.Response(body=out.getvalue(), content_type="image/jpeg")

    host.app.router.add_get("/p.jpg", picture)
    sessions = Sessions()
    async with host:
        context = make_context(tmp_path_factory.mktemp("site"), sessions)
        projection = WebsiteProjection(Options(description="Ateliers et bals", calendar="agenda.ics"), context)
        await projection.open()
        await projection.project(make_view(items(f"{host.url}/p.jpg")))
    await sessions.close()
    sites = (Site(prefix="/", folder=context.public_dir),)
    server = PublicServer(sites=lambda: sites, health=_health, metrics=str, now=lambda: NOW)
    await server.start("127.0.0.1", 0)
    (context.public_dir / "chez-vous.html").write_text(_host_page(context.public_dir))
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


def _host_page(folder: Path) -> str:
    """Somebody's plain page with the fragment in it, as their server would include it."""
    fragment = (folder / "events.html").read_text().replace("https://agenda.example/", "/")
    links = '<link rel="stylesheet" href="style.css"><link rel="icon" href="icon.svg">'
    return f'<!DOCTYPE html><html lang="fr"><title>Chez vous</title>{links}<h1>Chez vous</h1>{fragment}'


def _health() -> Health:
    part = PartHealth(name="agenda", type="mobilizon", ok=False, problem=f"Le serveur {ENDLESS} ne répond pas.", waiting=3)
    return Health(ok=True, since=NOW, associations=(AssociationHealth(name="Les Amis du Vélo", ok=True, sources=(part,)),))


async def visit(browser: Browser, origin: str, path: str = "/", **settings: Any) -> Visit:
    """Open a page and listen."""
    context: BrowserContext = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    page = await context.new_page()
    seen = Visit(page=page, origin=origin)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.failures.append(message.text))
    page.on("pageerror", lambda error: seen.failures.append(str(error)))
    page.on("dialog", lambda dialog: seen.failures.append(dialog.message))
    page.on("response", lambda response: seen.failures.append(response.url) if response.status >= 400 else None)
    await page.goto(origin + path, wait_until="networkidle")
    for image in await page.locator("img").all():
        await image.scroll_into_view_if_needed()
    await page.wait_for_load_state("networkidle")
    return seen


LEAF = "/events/atelier-velo-534e93ac91.html"
HOSTILE = "/events/script-window-pwned-1-script-b-bal-b-quoted-single-7-7-21ccc0aaf7.html"
LISTS = ("/tags/velo.html", "/tags/index.html", "/archive/2026.html")


@pytest.mark.parametrize("path", ["/", "/chez-vous.html", "/status", LEAF, HOSTILE, *LISTS])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_it_fits_and_keeps_to_itself(browser: Browser, origin: str, path: str, scheme: Any, width: int) -> None:
    """No sideways scrolling, no complaint in the console, no request to anybody else, every picture shown."""
    seen = await visit(browser, origin, path, viewport={"width": width, "height": 800}, color_scheme=scheme)
    await seen.page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")

    assert await seen.page.evaluate("document.documentElement.scrollWidth") == width
    assert await seen.page.evaluate("[...document.images].filter(image => !image.naturalWidth).map(image => image.src)") == []
    assert await seen.page.locator("img").count() == {"/": 6, "/chez-vous.html": 3, LEAF: 1, HOSTILE: 1}.get(path, 0)
    seen.assert_quiet()


@pytest.mark.parametrize("path", ["/", "/status", LEAF, "/archive/2026.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_word_can_be_read(browser: Browser, origin: str, path: str, scheme: Any) -> None:
    """Each text on the page has the contrast of WCAG 2.2 level AA against what is behind it."""
    seen = await visit(browser, origin, path, color_scheme=scheme)
    found = await seen.page.evaluate(CONTRASTS)

    assert len(found) > 10
    assert [text for ratio, text in found if ratio < 4.5] == []


async def test_without_javascript_all_is_there(browser: Browser, origin: str) -> None:
    """Titles, dates, pictures; a long text and a warned one open with a click."""
    seen = await visit(browser, origin, java_script_enabled=False)
    page = seen.page

    assert await page.get_by_role("heading", level=3, name="Atelier vélo").is_visible()
    assert await page.get_by_text("samedi 5 décembre 2026 de 20h30 à 22h30").is_visible()
    assert not await page.get_by_text("Du sang").is_visible()
    await page.locator("summary", has_text="Blessure").click()
    assert await page.get_by_text("Du sang").is_visible()
    seen.assert_quiet()


async def test_a_hostile_item_stays_text(browser: Browser, origin: str) -> None:
    """Its markup is read, not run: nothing of it executes, loads or leads anywhere."""
    seen = await visit(browser, origin)
    page = seen.page
    for details in await page.locator("summary").all():
        await details.click()

    assert await page.evaluate("window.pwned") is None
    assert await page.locator("main script, main svg, main iframe, main style, main math").count() == 0
    assert await page.get_by_role("heading", name="<script>window.pwned=1</script><b>Bal</b>").count() == 2
    assert await page.evaluate("[...document.links].filter(a => !['http:', 'https:', 'webcal:'].includes(a.protocol)).length") == 0
    assert await page.evaluate("document.title") == "Les Amis du Vélo"
    seen.assert_quiet()


async def test_with_the_keyboard_alone(browser: Browser, origin: str) -> None:
    """Tab reaches every link and every fold in the order of the page, each with a visible mark; Enter opens a fold."""
    seen = await visit(browser, origin)
    page = seen.page
    reached: list[str] = []
    while not (focused := await _next(page)).startswith("body ") and focused not in reached:
        reached.append(focused)
        if focused.startswith("summary "):
            await page.keyboard.press("Enter")

    assert reached == await page.evaluate(f"{VISIBLE}.map({NAMED})")
    assert await page.locator("details").count() == await page.locator("details[open]").count() == 2
    seen.assert_quiet()


async def _next(page: Page) -> str:
    """What the next press of Tab focuses, with the style of its outline."""
    await page.keyboard.press("Tab")
    found: str = await page.evaluate(f"({NAMED})(document.activeElement)")
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert found.startswith("body ") or outline == "solid"
    return found


async def test_its_structure_can_be_heard(browser: Browser, origin: str) -> None:
    """One h1, no level skipped, a name for every link and none for two different targets, landmarks, and dates that machines read."""
    page = (await visit(browser, origin)).page
    levels = await page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.localName[1])")
    links = await page.evaluate("[...document.links].map(a => [a.textContent.trim(), a.href])")
    times = await page.evaluate("[...document.querySelectorAll('time')].map(t => [t.dateTime, t.textContent])")

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(name for name, _ in links)
    targets: dict[str, set[str]] = {}
    for name, target in links:
        targets.setdefault(name, set()).add(target)
    assert {name: found for name, found in targets.items() if len(found) > 1} == {}
    assert ["2026-12-05T20:30:00+01:00", "samedi 5 décembre 2026 de 20h30 à 22h30"] in times
    assert ["2026-12-20", "dimanche 20 décembre 2026"] in times
    for role, count in (("banner", 1), ("main", 1), ("contentinfo", 1), ("navigation", 2)):
        assert await page.get_by_role(role).count() == count
    assert await page.evaluate("document.documentElement.lang") == "fr"


@pytest.mark.parametrize("path", [LEAF, HOSTILE, *LISTS])
async def test_the_other_pages_can_be_heard_too(browser: Browser, origin: str, path: str) -> None:
    """One h1, no level skipped, a name for every link, landmarks; nothing of a stranger's runs; it works without JavaScript."""
    seen = await visit(browser, origin, path)
    page = seen.page
    levels = await page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.localName[1])")
    links = await page.evaluate("[...document.links].map(a => [a.textContent.trim(), a.protocol])")

    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(name and protocol in ("http:", "https:", "webcal:") for name, protocol in links)
    assert await page.evaluate("window.pwned") is None
    for role in ("banner", "main", "contentinfo"):
        assert await page.get_by_role(role).count() == 1
    assert await (await visit(browser, origin, path, java_script_enabled=False)).page.locator("h1").is_visible()
    seen.assert_quiet()


async def test_the_fragment_leaves_its_host_alone(browser: Browser, origin: str) -> None:
    """Our style sheet on somebody's page changes nothing outside the fragment, whatever the visitor's colours."""
    with_ours = (await visit(browser, origin, "/chez-vous.html", color_scheme="dark")).page
    ours = await with_ours.evaluate(LOOK)
    await with_ours.evaluate("document.querySelector('link[rel=stylesheet]').disabled = true")

    assert await with_ours.evaluate(LOOK) == ours

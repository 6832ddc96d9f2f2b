"""links.html in a real browser: at both widths, by day and by night, with a keyboard, with what the server forbids."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from connectors.website import Options, WebsiteProjection
from connectors.website.options import OwnLink
from syndicator.contract import Association
from syndicator.http import Sessions
from syndicator.model import Actor, Attachment, Item
from syndicator.testing import NOW, PARIS, make_context, make_event, make_post, make_view
from syndicator.web import Health, PublicServer, Site
from tests.media_scene import Files, photo
from tests.test_browser_website import CHROMIUM, CONTRASTS, ENDLESS, FLAGS, VISIBLE, visit

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNNAMED = "[...document.querySelectorAll('a')].filter(node => !node.textContent.trim()).length"
HEADINGS = "[...document.querySelectorAll('h1, h2, h3')].map(node => Number(node.localName[1]))"
WIDTHS = """Promise.all([...document.images].slice(1).map(async shown => {
  const image = new Image(); image.src = shown.currentSrc; await image.decode(); return image.naturalWidth }))"""
SMALL = f"{VISIBLE}.filter(node => node.closest('ul') && node.getBoundingClientRect().height < 24).map(node => node.textContent)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install the Debian package chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


def items(host: str) -> list[Item]:
    """What fits badly, too."""
    shown = Attachment(url=f"{host}/a.jpg", description="Une affiche")
    author = Actor(name=ENDLESS, url="https://pouet.example/@velo", handle=f"{ENDLESS}@pouet.example")
    base = "https://pouet.example/@velo/"
    return [
        make_event(image=shown, full=True),
        make_event(uid="https://m.example/2", title=ENDLESS, status="cancelled", starts_at=datetime(2026, 12, 9, 18, tzinfo=PARIS)),
        make_post(uid=f"{base}1", url=f"{base}1", source="pouets", author=author, attachments=(shown,)),
        make_post(uid=f"{base}2", url=f"{base}2", source="pouets", author=author, html=f"<p>{ENDLESS * 2}</p>"),
        make_post(uid="https://v.example/1", kind="video", title="La balade", duration_s=300.0, url="https://v.example/1"),
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The page behind the real server."""
    folder, sessions = tmp_path_factory.mktemp("presence"), Sessions()
    logo = folder / "logo.jpg"
    logo.write_bytes(photo(900, 500))
    context = make_context(folder, sessions, association=Association(name="Les Amis du Vélo", url="https://asso.example/", logo=logo))
    context = replace(context, http=replace(context.http, own_files=frozenset({logo})))
    (context.public_dir / "maison.css").write_text(
        ".syndicator-presence { --syndicator-button: rgb(0, 70, 50); --syndicator-button-ink: #fff }"
    )
    links = (OwnLink(title="Adhérer", url="https://dons.example/"), OwnLink(title=ENDLESS, url=f"https://{'a' * 60}.example/"))
    async with Files() as host:
        host.files["a.jpg"] = photo(1600, 900)
        for path, theme in (("", None), ("aussi", "maison.css")):
            options = Options(description="Ateliers et bals", calendar="agenda.ics", links=links, theme=theme, folder=path)
            mine = replace(context, state_dir=folder / f"website{path}")
            mine.state_dir.mkdir()
            await WebsiteProjection(options, mine).project(make_view(items(host.url)))
    await sessions.close()
    (context.public_dir / "aussi" / "maison.css").write_bytes((context.public_dir / "maison.css").read_bytes())
    sites = (Site(prefix="/", folder=context.public_dir),)
    server = PublicServer(sites=lambda: sites, health=lambda: Health(ok=True, since=NOW), metrics=str, now=lambda: NOW)
    await server.start("127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_it_fits_can_be_read_and_keeps_to_itself(browser: Browser, origin: str, width: int, scheme: Any) -> None:
    """No sideways scrolling, every picture shown, enough contrast, nothing refused or asked of anybody else, no jump when pictures come."""
    seen = await visit(browser, origin, "/links.html", viewport={"width": width, "height": 800}, color_scheme=scheme)
    contrasts = await seen.page.evaluate(CONTRASTS)

    assert await seen.page.evaluate("document.documentElement.scrollWidth") == width
    assert await seen.page.evaluate("[...document.images].map(image => image.naturalWidth > 0)") == [True] * 3
    assert len(contrasts) > 10
    assert [text for ratio, text in contrasts if ratio < 4.5] == []
    seen.assert_quiet()


async def test_a_small_place_loads_a_small_picture(browser: Browser, origin: str) -> None:
    """A thumbnail costs the narrowest copy, on a fine screen the next one."""
    loaded = []
    for width, scale in ((320, 1), (1280, 3)):
        seen = await visit(browser, origin, "/links.html", viewport={"width": width, "height": 800}, device_scale_factor=scale)
        loaded.append(await seen.page.evaluate(WIDTHS))

    assert loaded == [[320, 320], [640, 640]]


async def test_by_keyboard_and_by_ear(browser: Browser, origin: str) -> None:
    """Every link is named, can be reached, shows where one is, and is large enough for a thumb; headings step down one by one."""
    seen = await visit(browser, origin, "/links.html", viewport={"width": 320, "height": 800})
    levels = await seen.page.evaluate(HEADINGS)

    assert await seen.page.evaluate(UNNAMED) == 0
    assert levels[0] == 1
    assert [below for above, below in pairwise(levels) if below > above + 1] == []
    assert await seen.page.evaluate(SMALL) == []
    await seen.page.keyboard.press("Tab")
    assert await seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert await seen.page.evaluate("document.activeElement.href") == "https://asso.example/"


async def test_without_javascript_all_is_there(browser: Browser, origin: str) -> None:
    """There is none to begin with."""
    texts = []
    for enabled in (True, False):
        seen = await visit(browser, origin, "/links.html", java_script_enabled=enabled)
        texts.append(await seen.page.inner_text("body"))

    assert texts[0] == texts[1]
    assert "Adhérer" in texts[1]


async def test_it_can_be_themed(browser: Browser, origin: str) -> None:
    """Custom properties in a stylesheet of theirs decide."""
    plain = await visit(browser, origin, "/links.html")
    themed = await visit(browser, origin, "/aussi/links.html")
    colour = "getComputedStyle(document.querySelector('.syndicator-link')).backgroundColor"

    assert await plain.page.evaluate(colour) == "rgb(255, 255, 255)"
    assert await themed.page.evaluate(colour) == "rgb(0, 70, 50)"
    themed.assert_quiet()


async def test_no_other_site_frames_it(browser: Browser, origin: str) -> None:
    """What can be clicked here is clicked here."""
    seen = await visit(browser, origin, "/style.css")
    other = origin.replace("127.0.0.1", "localhost")
    await seen.page.set_content(f'<iframe src="{other}/links.html"></iframe>')
    frame = seen.page.frames[1]
    await frame.wait_for_load_state()

    assert "Adhérer" not in await frame.content()

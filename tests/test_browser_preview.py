"""The page of ``syndicator preview`` in a real Chromium: it fits, can be read, and asks nobody for anything."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from syndicator.contract import Association
from syndicator.estimate import Account, estimates
from syndicator.model import Attachment, Event, Item, Purpose
from syndicator.preview_page import Wanted, page
from syndicator.route import Style
from syndicator.showing import Shown, in_order, publishers, show, what_kind
from syndicator.testing import PARIS, make_event, make_post
from tests.preview_scene import ALT, STORY, TOOT, painting
from tests.test_browser_website import CHROMIUM, CONTRASTS, FLAGS, NAMED, VISIBLE

pytestmark = pytest.mark.asyncio(loop_scope="module")

WICKED = json.loads((Path(__file__).parent / "data" / "website" / "hostile.json").read_text())
ENDLESS = "Anticonstitutionnellementhippopotomonstrosesquippedaliophobie"
PICTURE = "https://social.example/media/velos.jpg"


def items() -> list[Item]:
    """One of each, and the worst of each."""
    picture = Attachment(url=PICTURE, description=ALT)
    return [
        make_post(uid="https://s.example/1", html=f"<p>{TOOT}</p>", attachments=(picture, picture, picture)),
        make_post(uid="https://s.example/2", html=f"<p>{STORY * 3}</p>"),
        make_post(uid="https://v.example/1", kind="video", title="Réparer une crevaison", attachments=(replace(picture, type="video"),)),
        make_post(uid="https://s.example/3", html=WICKED["html"], content_warning=WICKED["title"], attachments=(replace(picture, url=""),)),
        make_post(uid="https://s.example/4", html=f"<p>{ENDLESS * 5} https://{ENDLESS.lower()}.example/{ENDLESS * 3}</p>"),
        make_event(title="Bal à vélo", image=picture, html="<p>Voir le <a href='https://asso.example/plan'>plan</a>.</p>"),
        make_event(uid="https://m.example/2", title=WICKED["title"], html=WICKED["html"], starts_at=datetime(2027, 1, 5, 18, tzinfo=PARIS)),
        make_event(uid="https://m.example/3", title=ENDLESS * 2, image=replace(picture, description=ENDLESS * 2)),
    ]


def places() -> list[Shown]:
    """Each of them on every network that takes it, and on one whose name is long."""
    association, style = Association(name="Les Amis du Vélo"), Style(long_text="thread")
    found = [
        show(item, name, name, publisher.limits, style, association)
        for item in items()
        for name, publisher in publishers().items()
        if what_kind(item) in publisher.limits.kinds
    ]
    later: list[tuple[Purpose, timedelta | None]] = [("remind", timedelta(days=1)), ("cancel", None)]
    told_later = [
        replace(
            show(
                item,
                name,
                name,
                publishers()[name].limits,
                style,
                association,
                purpose,
                before=item,
                at=item.starts_at - lead if lead else None,
            ),
            sure=bool(lead),
        )
        for item in items()[-3:]
        if isinstance(item, Event)
        for name in ("mastodon", "x")
        for purpose, lead in later
    ]
    return in_order([*found, replace(found[0], destination=f"le-compte-{ENDLESS.lower()}"), *told_later])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, as ``--html`` writes it."""
    shown = places()
    address = f"data:image/jpeg;base64,{base64.b64encode(painting(640, 420)).decode()}"
    images = {Wanted(url=PICTURE, ratio=ratio): address for ratio in {one.limits.media.image_ratio for one in shown}}
    path = tmp_path_factory.mktemp("preview") / "page.html"
    costs = estimates(shown, {"x": Account(spent=4500, budget=5000)})
    path.write_text(page(shown, Association(name="Les Amis du Vélo"), images, "fr", costs), encoding="utf-8")
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install the Debian package chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@dataclass(kw_only=True)
class Visit:
    """The page, and all that the browser said while it was open."""

    page: Page
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def assert_quiet(self, file: Path) -> None:
        """No complaint, and no request but for the file itself and what is inside it."""
        assert self.said == []
        assert [url for url in self.requests if url != file.as_uri() and not url.startswith("data:")] == []


async def visit(browser: Browser, file: Path, **settings: Any) -> Visit:
    """Open it from the disk, as a person does."""
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    seen = Visit(page=await context.new_page())
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("console", lambda message: seen.said.append(message.text))
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    seen.page.on("dialog", lambda dialog: seen.said.append(dialog.message))
    await seen.page.goto(file.as_uri(), wait_until="networkidle")
    return seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_it_fits_and_keeps_to_itself(browser: Browser, file: Path, scheme: Any, width: int) -> None:
    """No sideways scrolling, nothing cut off at the side, no complaint, no request, every picture shown."""
    seen = await visit(browser, file, viewport={"width": width, "height": 800}, color_scheme=scheme)
    outside = (
        "[...document.querySelectorAll('main *, header *')].filter(one => one.getBoundingClientRect().right > innerWidth + 0.5"
        " && !one.closest('.what')).map(one => one.className + one.textContent.slice(0, 40))"
    )

    assert await seen.page.evaluate("document.documentElement.scrollWidth") == width
    assert await seen.page.evaluate(outside) == []
    assert await seen.page.evaluate("[...document.images].filter(image => !image.naturalWidth).length") == 0
    assert await seen.page.locator("img").count() > 20
    seen.assert_quiet(file)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_word_can_be_read(browser: Browser, file: Path, scheme: Any) -> None:
    """Each text has the contrast of WCAG 2.2 level AA against what is behind it."""
    seen = await visit(browser, file, color_scheme=scheme)
    found = await seen.page.evaluate(CONTRASTS)

    assert len(found) > 100
    assert [text for ratio, text in found if ratio < 4.5] == []


async def test_the_style_sheet_is_whole(browser: Browser, file: Path) -> None:
    """What it says between quotes is there too: the font, the dot before a network's name, the point before a note."""
    page = (await visit(browser, file)).page
    before = "name => getComputedStyle(document.querySelector(name), '::before').content"

    assert await page.evaluate("getComputedStyle(document.body).fontFamily.startsWith('system-ui')")
    assert [await page.evaluate(before, name) for name in (".place", ".notes li")] == ['""', '"· "']
    assert (
        await page.evaluate("getComputedStyle(document.querySelector('.on-mastodon'), '::before').backgroundColor") == "rgb(99, 100, 255)"
    )


async def test_a_hostile_item_stays_text(browser: Browser, file: Path) -> None:
    """Its markup is read, not run."""
    seen = await visit(browser, file)

    assert await seen.page.evaluate("window.pwned") is None
    assert await seen.page.locator("script, main svg, main iframe, main style, main math, main a").count() == 0
    assert await seen.page.get_by_role("heading", name="<b>Bal</b>").count() >= 1
    assert (await seen.page.title()).startswith("Ce que chaque réseau montrera")
    seen.assert_quiet(file)


async def test_it_can_be_heard_and_walked_through(browser: Browser, file: Path) -> None:
    """One h1, no level skipped, landmarks, a name for every link; Tab reaches the contents, and each leads to its section."""
    page = (await visit(browser, file)).page
    levels = await page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(one => +one.localName[1])")
    reached = []
    for _ in range(await page.locator("nav a").count()):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate(f"({NAMED})(document.activeElement)"))
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

    assert 4 in levels
    assert (levels[0], levels.count(1), all(after - before <= 1 for before, after in pairwise(levels))) == (1, 1, True)
    assert reached == await page.evaluate(f"{VISIBLE}.map({NAMED})")
    for role in ("banner", "main", "navigation"):
        assert await page.get_by_role(role).count() == 1
    assert await page.locator("nav a").count() == await page.locator("main section").count() == len(items())
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.querySelector(location.hash).getBoundingClientRect().top < innerHeight")
    assert await page.locator("figure img:not([alt])").count() == 0

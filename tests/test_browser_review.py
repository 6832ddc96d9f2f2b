"""The page of a review in a real Chromium: with the keyboard alone, on a phone, in the dark, under its own strict policy."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from syndicator.config import Network
from syndicator.letter.review import WAY
from syndicator.model import Attachment
from tests.preview_scene import painting
from tests.test_browser_website import CHROMIUM, CONTRASTS, FLAGS
from tests.test_issuing import FETE, monday
from tests.test_review import DAY_BEFORE, state
from tests.test_review_page import FORGED, served

pytestmark = pytest.mark.asyncio(loop_scope="module")
SHOTS = os.environ.get("REVIEW_SHOTS")
"""A folder to leave pictures in, for a person to look at."""


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
    """The page, and all that the browser said and asked for while it was open."""

    page: Page
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@asynccontextmanager
async def visit(browser: Browser, url: str, **settings: Any) -> AsyncIterator[Visit]:
    """Open it as a person does who clicked in a mail."""
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    seen = Visit(page=await context.new_page())
    seen.page.on("request", lambda request: seen.requests.append((request.url, request.headers.get("referer"))))
    seen.page.on("console", lambda message: seen.said.append(message.text))
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    await seen.page.goto(url, wait_until="networkidle")
    yield seen
    await context.close()


async def focus(page: Page, what: str) -> None:
    """Tab until it is reached; what has the focus is always seen to have it."""
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await page.evaluate(f"document.activeElement.matches('{what}')"):
            assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
            return
    raise AssertionError(f"no way to {what}")


async def how(page: Page) -> str:
    return await page.locator(".how").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
async def test_it_fits_and_can_be_read(tmp_path: Path, browser: Browser, width: int, scheme: Any) -> None:
    """Nothing is wider than the screen, every word stands out, the letter shows; nobody but us is asked, without our address."""
    async with (
        served(tmp_path, path="/velo/") as there,
        visit(browser, there.link, viewport={"width": width, "height": 900}, color_scheme=scheme) as seen,
    ):
        found = await seen.page.evaluate(CONTRASTS)
        assert len(found) >= 10
        assert [text for ratio, text in found if ratio < 4.5] == []
        assert await seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await seen.page.frame_locator("iframe").get_by_text("Fête de l’hiver").first.is_visible()
        assert seen.said == []
        assert all(url.startswith((there.base, "data:")) for url, _ in seen.requests)
        assert {referer for _, referer in seen.requests} == {None}
        if SHOTS:
            await seen.page.screenshot(path=f"{SHOTS}/review-{width}-{scheme}.png", full_page=True)


async def test_with_the_keyboard_alone(tmp_path: Path, browser: Browser) -> None:
    """Write, send, change one's mind, send after all."""
    async with served(tmp_path) as there, visit(browser, there.link) as seen:
        page = seen.page
        await focus(page, "textarea")
        await page.keyboard.type("Vive le vélo !")
        await focus(page, "button[value=write]")
        await page.keyboard.press("Enter")
        await page.get_by_role("status").wait_for()
        assert await page.locator("textarea").input_value() == "Vive le vélo !"
        assert await page.frame_locator("iframe").get_by_text("Vive le vélo !").last.is_visible()

        for button, says in (("send", "Il est approuvé"), ("stop", "Il est arrêté"), ("send", "Il est approuvé")):
            await focus(page, f"button[value={button}]")
            await page.keyboard.press("Space")
            await page.get_by_text(says).wait_for()
        row = await state(there.made)
        assert (row.state, row.verdict, row.editorial) == ("review", "send", "<p>Vive le vélo !</p>")
        assert seen.said == []


async def test_its_pictures(tmp_path: Path, browser: Browser) -> None:
    """They show inside the frame that may do nothing, from us."""
    async with served(tmp_path, path="/velo/") as there:
        tenant = there.made.tenant
        tenant.config = replace(tenant.config, network=Network(allow_private=frozenset({"127.0.0.1"})))
        (tenant.config.public_dir / "bal.jpg").write_bytes(painting(640, 420))
        there.made.world.show(replace(FETE, image=Attachment(url=f"{there.base}bal.jpg", description="Un bal")))
        await monday(there.made, DAY_BEFORE + timedelta(hours=1))
        async with visit(browser, there.link) as seen:
            picture = seen.page.frame_locator("iframe").get_by_alt_text("Un bal")
            assert await picture.evaluate("node => node.naturalWidth") == 640
            assert str(await picture.get_attribute("src")).startswith(f"{there.base}lettres/media/")
            assert seen.said == []


async def test_two_windows(tmp_path: Path, browser: Browser) -> None:
    """The second to press hears that nothing was changed, and finds what they had typed."""
    async with served(tmp_path) as there, visit(browser, there.link) as one, visit(browser, there.link) as other:
        await one.page.get_by_role("button", name="Ne pas l'envoyer").click()
        await one.page.get_by_text("Il est arrêté").wait_for()
        await other.page.locator("textarea").fill("Mon mot")
        await other.page.get_by_role("button", name="Enregistrer le mot").click()
        assert "Rien n'a été changé" in await other.page.get_by_role("alert").inner_text()
        assert "Il est arrêté" in await how(other.page)
        assert (await state(there.made)).state == "stopped"


async def test_pages_without_an_issue(tmp_path: Path, browser: Browser) -> None:
    """A link that is no good is said in plain words, in our look."""
    async with served(tmp_path) as there, visit(browser, f"{there.base}{WAY}{FORGED}", viewport={"width": 320, "height": 600}) as seen:
        assert await seen.page.get_by_role("heading").inner_text() == "Ce lien ne fonctionne pas"
        assert await seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert [said for said in seen.said if "404" not in said] == []
        if SHOTS:
            await seen.page.screenshot(path=f"{SHOTS}/review-plain.png")

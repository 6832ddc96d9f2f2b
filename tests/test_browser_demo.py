"""The demo's page in a real browser, with the real daemon behind it: what a visitor does on the left arrives on the right."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Request, async_playwright, expect

from tests.shell_scene import ROOT, environ
from tests.test_browser_website import CHROMIUM, CONTRASTS, FLAGS

pytestmark = pytest.mark.asyncio(loop_scope="module")

ARRIVES_MS = 45_000
WICKED = "<img src=x onerror=\"document.title='eu'\"><script>document.title='eu'</script> & « fin » 👩‍🚒"

UNNAMED = """[...document.querySelectorAll('a, button, input, textarea, iframe')]
  .filter(node => !(node.textContent.trim() || node.labels?.length || node.title)).map(node => node.outerHTML)"""
SIDEWAYS = """[...document.querySelectorAll('main, .card, .list, form')]
  .filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.id || node.className)"""


@dataclass(kw_only=True)
class Visit:
    """A page, and everything its browser asked for or complained of."""

    page: Page
    asked: list[str]
    complaints: list[str]

    def line(self, group: str, text: str) -> Locator:
        """The line of a list that holds ``text``."""
        return self.page.locator(f"#{group} li", has_text=text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    """``syndicator demo --page``, as a person starts it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "syndicator", "demo", "--page"),
        stdout=asyncio.subprocess.PIPE,
        env=environ(SYNDICATOR_LANGUAGE="fr", PYTHONPATH=str(ROOT)),
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            async for line in process.stdout:
                if found := re.search(rb"http://\S+", line):
                    yield found[0].decode()
                    break
    finally:
        process.send_signal(signal.SIGINT)
        _, code = await asyncio.gather(process.stdout.read(), process.wait())
    assert code == 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser, url: str) -> AsyncIterator[Visit]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR")
    visit = Visit(page=await context.new_page(), asked=[], complaints=[])

    def note(request: Request) -> None:
        visit.asked.append(request.url)

    context.on("request", note)
    visit.page.on("console", lambda message: visit.complaints.append(message.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    await visit.page.goto(url)
    await expect(visit.line("events", "Réunion mensuelle")).to_be_visible()
    yield visit
    assert [asked for asked in visit.asked if not asked.startswith((url, "data:"))] == []
    assert visit.complaints == []
    await context.close()


async def test_a_toot_arrives_is_edited_and_deleted(visit: Visit) -> None:
    """Written on the left, it appears on the right; edited, the same post changes; deleted, it goes."""
    page = visit.page
    await page.get_by_label("Écrire un message").fill("Demain, on répare les freins à 14 h")
    await page.locator("#toot").get_by_role("button", name="Publier").click()
    await expect(page.locator("#toot-text")).to_have_value("")
    await expect(page.get_by_role("status")).to_contain_text("C'est parti")
    await expect(visit.line("mirror", "répare les freins à 14 h")).to_have_count(1, timeout=ARRIVES_MS)
    await expect(page.get_by_role("status")).to_contain_text("Arrivé en face")
    await expect(page.frame_locator("#frame").get_by_text("on répare les freins à 14 h").first).to_be_visible(timeout=ARRIVES_MS)

    await visit.line("toots", "14 h").get_by_role("button", name="Modifier").click()
    field = page.locator("#toots textarea")
    await expect(field).to_be_focused()
    await field.fill("Demain, on répare les freins à 15 h")
    await page.locator("#toots").get_by_role("button", name="Enregistrer").click()
    await expect(visit.line("mirror", "à 15 h")).to_have_count(1, timeout=ARRIVES_MS)
    await expect(visit.line("mirror", "répare les freins")).to_have_count(1)
    await expect(visit.line("mirror", "à 15 h")).to_contain_text("modifié")

    await visit.line("toots", "15 h").get_by_role("button", name="Supprimer").click()
    await expect(visit.line("toots", "répare les freins")).to_have_count(0)
    await expect(visit.line("mirror", "répare les freins")).to_have_count(0, timeout=ARRIVES_MS)


async def test_an_event_is_announced_moved_and_cancelled(visit: Visit) -> None:
    """The calendar follows it: there, on its new day with a higher SEQUENCE, and cancelled."""
    page = visit.page
    first, second = (datetime.now(UTC).date() + timedelta(days=days) for days in (20, 21))
    await page.get_by_label("Annoncer un événement").fill("Grande vélorution")
    await page.get_by_label("Le jour").fill(first.isoformat())
    await page.locator("#event").get_by_role("button", name="Publier").click()
    there = visit.line("calendar", "Grande vélorution")
    await expect(there).to_have_count(1, timeout=ARRIVES_MS)
    await expect(there.locator(".tile")).to_contain_text(str(first.day))
    await expect(visit.line("mirror", "Grande vélorution")).to_have_count(1, timeout=ARRIVES_MS)

    await visit.line("events", "Grande vélorution").get_by_role("button", name="Déplacer").click()
    await page.get_by_label("Nouveau jour").fill(second.isoformat())
    await page.keyboard.press("Enter")
    await expect(there.locator(".tile")).to_contain_text(str(second.day), timeout=ARRIVES_MS)
    await expect(there).to_contain_text("SEQUENCE 1")

    await visit.line("events", "Grande vélorution").get_by_role("button", name="Annuler").click()
    await expect(there).to_contain_text("annulé", timeout=ARRIVES_MS)
    await expect(visit.line("events", "Grande vélorution").get_by_role("button")).to_have_count(0)
    await expect(page.frame_locator("#frame").get_by_text("Annulé", exact=True).first).to_be_visible(timeout=ARRIVES_MS)


async def test_hostile_text_stays_text(visit: Visit) -> None:
    """Markup that a visitor writes is shown as written, on both sides, and does nothing."""
    page = visit.page
    await page.get_by_label("Écrire un message").fill(WICKED)
    await page.locator("#toot").get_by_role("button", name="Publier").click()
    await page.get_by_label("Mettre en ligne une vidéo").fill(WICKED)
    await page.locator("#video").get_by_role("button", name="Publier").click()
    await expect(page.locator("#toots .text").first).to_have_text(WICKED)
    await expect(page.locator("#videos .text").first).to_have_text(WICKED)
    await expect(visit.line("mirror", WICKED).first).to_be_visible(timeout=ARRIVES_MS)
    assert await page.title() == "Une fois ici, partout ailleurs — syndicator"
    assert await page.locator("main img[src='x'], main script").count() == 0


async def test_a_stranger_page_cannot_act_here(visit: Visit, url: str) -> None:
    """Only the page itself may: another origin, or a form's content type, is refused."""
    for headers in (
        {"Origin": "https://evil.example", "Content-Type": "application/json"},
        {"Origin": url.rstrip("/"), "Content-Type": "text/plain"},
        {},
    ):
        answer = await visit.page.request.post(f"{url}api/act", headers=headers, data='{"action": "toot", "text": "intrus"}')
        assert answer.status == 403
    wrong = await visit.page.request.post(
        f"{url}api/act",
        headers={"Origin": url.rstrip("/"), "Content-Type": "application/json"},
        data='{"action": "move-event", "id": "no", "when": "x"}',
    )
    assert wrong.status == 400


async def test_the_keyboard_reaches_everything(visit: Visit) -> None:
    """Tab alone writes and publishes, and opens an edit that Escape closes, focus back where it was."""
    page = visit.page
    await page.locator("#toot-text").focus()
    await page.keyboard.type("Au clavier seulement")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    line = visit.line("toots", "Au clavier seulement")
    await expect(line).to_have_count(1)
    for _ in range(2):
        await page.keyboard.press("Tab")
    await expect(line.get_by_role("button", name="Modifier")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#toots textarea")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(line.get_by_role("button", name="Modifier")).to_be_focused()
    assert await page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1280])
async def test_it_fits_and_is_legible(browser: Browser, url: str, width: int, scheme: str) -> None:
    """No sideways scrolling at any width; every text has a contrast of 4.5 at least, by day and by night."""
    context = await browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(url)
    await expect(page.locator("#events li", has_text="Réunion mensuelle")).to_be_visible()
    await page.locator("summary").click()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.evaluate(SIDEWAYS) == []
    assert [found for found in await page.evaluate(CONTRASTS) if found[0] < 4.5] == []
    if os.environ.get("SYNDICATOR_SHOTS"):
        await page.screenshot(path=f"{os.environ['SYNDICATOR_SHOTS']}/demo-{width}-{scheme}.png", full_page=True)
    await context.close()


async def test_it_speaks_the_visitor_language(visit: Visit) -> None:
    """No word is missing, in the language that the demo was started in."""
    assert await visit.page.locator("html").get_attribute("lang") == "fr"
    empty = "[...document.querySelectorAll('[data-word]')].filter(n => !n.textContent.trim()).map(n => n.dataset.word)"
    assert await visit.page.evaluate(empty) == []

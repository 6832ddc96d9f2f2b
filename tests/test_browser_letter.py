"""The letter, and the page that shows it before it leaves, in a real Chromium: they fit, can be read, and ask nobody for anything."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from syndicator.contract import Association
from syndicator.forthcoming import Forthcoming
from syndicator.issues import Row
from syndicator.letter.newsletter import Newsletter
from syndicator.letter.schedule import parse
from syndicator.letter.shape import Hosted, shape
from syndicator.letter_page import page
from syndicator.model import Attachment, Entry, Issue, Rendition, Section
from syndicator.text.clean import clean
from tests.preview_scene import painting
from tests.test_browser_website import CHROMIUM, CONTRASTS, FLAGS
from tests.test_letter_shape import FETE, HOME, ISSUE
from tests.widget_scene import AXE

pytestmark = pytest.mark.asyncio(loop_scope="module")

WICKED = json.loads((Path(__file__).parent / "data" / "website" / "hostile.json").read_text())
ENDLESS = "Anticonstitutionnellementhippopotomonstrosesquippedaliophobie"
PICTURE = "https://agenda.velo.example/lettres/media/1.jpg"
HOSTILE = Entry(
    uid="evil",
    kind="event",
    title=WICKED["title"],
    url="javascript:pwned()",
    text=WICKED["html"],
    when=WICKED["title"],
    place=WICKED["title"],
    state=WICKED["title"],
    image=Attachment(url="https://origin.example/2.jpg", description=WICKED["title"]),
)
LONG = replace(FETE, uid="long", title=f"{ENDLESS * 3} https://{ENDLESS.lower()}.example/", text=ENDLESS * 9, place=ENDLESS * 2, image=None)
FULL = replace(
    ISSUE,
    title=f"La lettre {WICKED['title']}",
    subject=f"Fête {WICKED['title']}",
    editorial=f"<p>Bonjour,</p>{WICKED['html']}",
    sections=(
        Section(title="À venir", entries=(FETE, LONG, HOSTILE), brief=(replace(FETE, uid="b"), HOSTILE)),
        Section(title=WICKED["title"], entries=(replace(FETE, uid="n", kind="note", when="vendredi 20 novembre 2026", image=None),)),
    ),
)
PICTURES = {str(one.image.url): Hosted(url=PICTURE, width=640) for one in (FETE, HOSTILE) if one.image}
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""Of a letter, which has no landmarks: it is part of a mail program's page."""
COLOURS = ("", "#ffe800", "#0b1f4b", "#ffffff", "#e4002b")
LETTER = Newsletter(name="lettre", title="La lettre", schedule=parse("chaque lundi à 9h"), sources=("toots",), destinations=("poste",))


def picture() -> str:
    """A photograph, inside the page."""
    return f"data:image/jpeg;base64,{base64.b64encode(painting(640, 420)).decode()}"


def letter(association: Association = HOME, issue: Issue = FULL) -> str:
    """A letter's HTML, its pictures inside it."""
    made = shape(issue, association, pictures=PICTURES, web_address="https://agenda.velo.example/lettres/1.html")
    return made.html.replace(PICTURE, picture())


def previewed() -> str:
    """The page before it leaves."""
    made = shape(FULL, HOME, pictures=PICTURES)
    row = Row(newsletter="lettre", until_at=FULL.until_at, since_at=FULL.until_at - timedelta(days=7), state="made")
    rendition = Rendition(uid="1", text=made.text, title=made.subject, html=made.html, language="fr")
    return page(Forthcoming(letter=LETTER, row=row, issue=FULL, rendition=rendition, pictures={PICTURE: picture()}), HOME, "fr")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Letters in several colours, and the preview."""
    folder = tmp_path_factory.mktemp("letter")
    for number, colour in enumerate(COLOURS):
        (folder / f"letter-{number}.html").write_text(letter(replace(HOME, colour=colour)), encoding="utf-8")
    (folder / "preview.html").write_text(previewed(), encoding="utf-8")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install the Debian package chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


async def visit(browser: Browser, file: Path, **settings: Any) -> tuple[Page, list[str]]:
    """Open it from the disk; all that it asked for and said."""
    context = await browser.new_context(**{"viewport": {"width": 700, "height": 900}, **settings})
    opened, said = await context.new_page(), list[str]()
    opened.on("request", lambda request: said.append(request.url) if not request.url.startswith(("data:", "file:")) else None)
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("dialog", lambda dialog: said.append(dialog.message))
    await opened.goto(file.as_uri(), wait_until="networkidle")
    return opened, said


async def faults(opened: Page, *rules: str) -> list[str]:
    """What axe-core has against a page, by these groups of rules; by all of them, best practices included, when none is named."""
    await opened.evaluate(AXE)
    found = await opened.evaluate("rules => axe.run(document, rules.length ? { runOnly: rules } : {})", list(rules))
    assert found["passes"], "axe-core looked at nothing"
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (700, "dark")])
async def test_a_letter_fits_and_axe_finds_nothing(browser: Browser, folder: Path, width: int, scheme: Any) -> None:
    """No sideways scrolling, nobody asked, nothing run, every word with its contrast."""
    opened, said = await visit(browser, folder / "letter-0.html", viewport={"width": width, "height": 800}, color_scheme=scheme)
    found = await opened.evaluate(CONTRASTS)

    assert await opened.evaluate("document.documentElement.scrollWidth") == width
    assert await opened.evaluate("window.pwned") is None
    assert (len(found) > 20, [text for ratio, text in found if ratio < 4.5]) == (True, [])
    assert await faults(opened, *WCAG) == []
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_colour_can_be_read(browser: Browser, folder: Path, scheme: Any) -> None:
    """Whatever an association chose, from yellow to white."""
    opened, _ = await visit(browser, folder / "letter-0.html", color_scheme=scheme)
    for number in range(1, len(COLOURS)):
        await opened.goto((folder / f"letter-{number}.html").as_uri())
        assert [text for ratio, text in await opened.evaluate(CONTRASTS) if ratio < 4.5] == [], COLOURS[number]


async def test_without_pictures_it_says_what_they_were(browser: Browser, folder: Path) -> None:
    """Many programs show none until they are asked to."""
    opened, _ = await visit(browser, folder / "letter-0.html")
    await opened.evaluate("for (const image of document.images) image.removeAttribute('src')")

    assert [await image.get_attribute("alt") for image in await opened.locator("img").all()] == [
        'L’affiche, "rouge"', clean(WICKED["title"]),
    ]  # fmt: skip
    assert await opened.get_by_role("heading", level=1).count() == 1


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
async def test_the_preview_shows_it_at_two_widths(browser: Browser, folder: Path, width: int, scheme: Any) -> None:
    """The page fits, axe finds nothing in it, nothing of the letter runs, nobody is asked."""
    opened, said = await visit(browser, folder / "preview.html", viewport={"width": width, "height": 900}, color_scheme=scheme)
    phone, computer = opened.frames[1:]

    assert await opened.evaluate("document.documentElement.scrollWidth") == width
    assert [await frame.evaluate("innerWidth") for frame in (phone, computer)] == [360, 700]
    assert await opened.locator("dt").all_text_contents() == ["Objet", "À côté de l'objet", "Part", "Vers", "Nouveau", "Poids"]
    assert "Ko sur 102" in await opened.locator("dl").inner_text()
    assert "https://unsubscribe.invalid" not in await opened.locator("pre").inner_text()
    assert await phone.evaluate("document.images.length && [...document.images].every(one => one.naturalWidth > 0)")
    assert await faults(opened) == []
    assert said == []

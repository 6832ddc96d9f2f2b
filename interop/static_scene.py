"""A site that exists already, built by the real generator from our data and pages, and read in a real Chromium."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from connectors.website import Options as PageOptions
from connectors.website import WebsiteProjection
from connectors.website.static import Options, Section, StaticProjection
from interop.install import CACHE, CannotInstall
from interop.report import Report
from interop.static_server import GENERATORS, Generator, Served, origin, sample
from interop.static_world import LINES, NOW, PARIS, TIMES, hostile, ordinary, posts, view
from syndicator.contract import Association, Context, View
from syndicator.http import Http, Sessions
from syndicator.model import Event, Item

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ALIVE = """() => [
  ...[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).map(e => e.outerHTML),
  ...[...document.querySelectorAll('script:not([src$="/miroir/widget.js"]), iframe, svg, style, object, embed')].map(e => e.outerHTML),
  ...[...document.querySelectorAll('img')].filter(e => !new URL(e.src).pathname.includes('/agenda/')).map(e => e.outerHTML),
  ...[...document.querySelectorAll('[href]')].filter(e => !/^https?:/.test(e.href)).map(e => e.outerHTML),
  ...(window.pwned ? ['window.pwned'] : []),
]"""
"""Whatever a page of ours must not hold."""
READ = """() => ({
  title: document.querySelector('h1').textContent, said: document.querySelector('body').textContent,
  times: [...document.querySelectorAll('time')].map(e => [e.dateTime, e.textContent]),
  text: document.querySelector('.agenda-description')?.textContent ?? '',
  images: [...document.images].map(e => [e.naturalWidth, e.alt]),
})"""
LISTS = """() => [...document.querySelectorAll('h2')].map(head => {
  let node = head.nextElementSibling
  while (node && !node.matches('.agenda') && !node.querySelector('.agenda')) node = node.nextElementSibling
  const list = node?.matches('.agenda') ? node : node?.querySelector('.agenda')
  const items = [...(list?.querySelectorAll('article') ?? [])]
  return items.map(e => [e.querySelector('h3').textContent, e.querySelector('a').href, e.textContent])
})"""
TYPOGRAPHY = {"’": "'", "‘": "'", "“": '"', "”": '"', "…": "...", "—": "---", "–": "--", "‹": "<", "{\u200a": "{", "«\u202f": "« "}
"""What the generators, and we where templates do not escape, write more finely."""


@dataclass
class Stage:
    """One site, its remote, and everything that looks at it."""

    report: Report
    generator: Generator
    folder: Path
    served: Served
    connector: StaticProjection
    mirror: WebsiteProjection
    requests: list[str] = field(default_factory=list)

    @property
    def site(self) -> Path:
        """The sources."""
        return self.folder / "site"

    async def project(self, shown: View) -> None:
        """Our files, the commit, the push and the build."""
        await self.mirror.project(shown)
        await self.connector.project(shown)

    def stamps(self) -> dict[str, int]:
        """When each source of ours was written."""
        roots = (self.generator.events, self.generator.media, self.generator.data.partition("/")[0])
        paths = [path for root in roots for path in (self.site / root).rglob("*") if path.is_file()]
        return {str(path.relative_to(self.site)): path.stat().st_mtime_ns for path in paths}

    def page_of(self, one: Event) -> str:
        """The path of an event's page on the built site."""
        (found,) = (path for path in (self.site / self.generator.events).glob("*.md") if f'"{one.uid}"' in path.read_text(encoding="utf-8"))
        return f"/agenda/{found.stem}/"

    async def look(self, browser: Browser, path: str, **settings: Any) -> Page:
        """A page of the built site; what it asks for is noted."""
        page = await (await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})).new_page()
        page.on("request", lambda request: self.requests.append(request.url))
        await page.goto(self.served.url + path, wait_until="networkidle")
        return page


async def play(name: str, report: Report, folder: Path) -> None:
    """The whole scene."""
    report.title(f"{name}: a site that exists already")
    if not await asyncio.to_thread(CHROMIUM.exists):
        raise CannotInstall(fr="Installez le paquet Debian chromium.", en="Install the Debian package chromium.")
    generator = await GENERATORS[name]()
    report.played_with(f"{name} {generator.version}")
    runner, picture = await origin()
    try:
        async with _stage(report, generator, folder) as stage, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            items: list[Item] = [*ordinary(picture), *hostile(), *posts(picture)]
            await stage.project(view(items))
            await _times(stage, browser)
            await _front(stage, browser)
            await _strangers(stage, browser)
            await _widget(stage, browser)
            await _screens(stage, browser)
            await _changes(stage, browser, items)
            others = sorted({url for url in stage.requests if not url.startswith(f"{stage.served.url}/")})
            report.same("no page asks anybody but its own server for anything", others, [])
            await browser.close()
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _stage(report: Report, generator: Generator, folder: Path) -> AsyncIterator[Stage]:
    site, mirror = folder / "site", folder / "public"
    sample(generator, site)
    (site / ".gitignore").write_text(f"{generator.output}/\n.hugo_build.lock\nresources/\n", encoding="utf-8")
    _repository(site, folder / "remote.git")
    served = Served(site / generator.output, mirror)
    await served.start()
    sessions = Sessions()
    options = Options(
        generator=generator.name,  # type: ignore[arg-type]
        site=site,
        sections=(Section(name="accueil", tags=("accueil",)),),
        git="push",
        hook=generator.build,
    )
    connector = StaticProjection(options, _context(folder, "static", sessions, served.url))
    page = WebsiteProjection(PageOptions(), _context(folder, "page", sessions, served.url))
    await connector.open()
    report.same("check: nothing to remark on the documentation's site", connector.remark, None)
    try:
        yield Stage(report, generator, folder, served, connector, page)
    finally:
        await served.stop()
        await sessions.close()


def _context(folder: Path, name: str, sessions: Sessions, url: str) -> Context:
    state = folder / "state" / name
    state.mkdir(parents=True)
    http = Http(sessions=sessions, now=lambda: NOW, user_agent="syndicator-interop", allow_private=frozenset({"127.0.0.1"}))
    return Context(
        name=name,
        http=http,
        now=lambda: NOW,
        log=logging.getLogger("interop"),
        association=Association(name="Les Amis du Vélo", url="https://asso.example/"),
        state_dir=state,
        public_dir=folder / "public",
        public_url=f"{url}/miroir/",
    )


def _git(folder: Path, *arguments: str) -> str:
    alice = ("-c", "user.name=Alice", "-c", "user.email=alice@asso.example", "-c", "init.defaultBranch=main")
    command = ("git", *alice, *arguments)
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603 - our own words
    return done.stdout


def _repository(site: Path, remote: Path) -> None:
    _git(site, "init", "-q", "--bare", str(remote))
    _git(site, "init", "-q")
    _git(site, "add", ".")
    _git(site, "commit", "-qm", "Le site")
    _git(site, "remote", "add", "origin", str(remote))
    _git(site, "push", "-q", "-u", "origin", "main")


def plain(text: str) -> str:
    """As people read it, whatever the typography."""
    for fine, simple in TYPOGRAPHY.items():
        text = text.replace(fine, simple)
    return " ".join(unicodedata.normalize("NFC", text).split())


async def _times(stage: Stage, browser: Browser) -> None:
    for one in ordinary("http://127.0.0.1/p.jpg"):
        page = await stage.look(browser, stage.page_of(one))
        said = await page.evaluate(READ)
        stage.report.same(f"{one.title}: its page says when, to machines and to people", said["times"], [list(TIMES[one.title])])
        if one.image:
            stage.report.same("and shows our copy of its picture", said["images"], [[900, one.image.description]])
        if one.status == "cancelled" or one.full:
            stage.report.check(
                "and its state in words", ("Annulé" if one.status == "cancelled" else "Complet") in said["said"], said["said"]
            )
        await page.context.close()


async def _front(stage: Stage, browser: Browser) -> None:
    page = await stage.look(browser, "/")
    section, whole, tagged, _ = await page.evaluate(LISTS)
    accueil = ["Bal d'hiver", "Annulé hier", plain(hostile()[0].title), "Fête d'été"]
    stage.report.same("the section has its events, soonest first, none that is over", [plain(title) for title, _, _ in section], accueil)
    stage.report.check("a cancelled one says so there", "Annulé" in section[1][2], section[1])
    stage.report.same("the list has all that are to come", len(whole), len(ordinary("")) - 1 + len(hostile()))
    stage.report.same("the list of a tag has that tag's", [title for title, _, _ in tagged], ["Trois jours"])
    broken = [url for _, url, _ in whole if not (stage.site / stage.generator.output / url.removeprefix(f"{stage.served.url}/")).is_dir()]
    stage.report.same("every link leads to a page", broken, [])
    await page.context.close()


async def _strangers(stage: Stage, browser: Browser) -> None:
    """One page after the other in one tab: what it says, and whether anything in it lives."""
    page = await stage.look(browser, "/")
    alive: list[str] = list(await page.evaluate(ALIVE))
    wrong: list[tuple[str, str]] = []
    for index, one in enumerate(hostile()):
        await page.goto(stage.served.url + stage.page_of(one))
        said = await page.evaluate(READ)
        alive += await page.evaluate(ALIVE)
        wanted = [plain(one.title), *([plain(LINES[index - 1])] if index else [])]
        seen = [plain(said["title"]), *([plain(said["text"])] if index else [])]
        wrong += [pair for pair in zip(wanted, seen, strict=True) if pair[0] != pair[1]]
    stage.report.same("nothing of a stranger's lives on any page", alive, [])
    stage.report.same(f"{len(LINES)} lines of everybody's syntax are read letter by letter", wrong, [])
    built = stage.site / stage.generator.output
    stage.report.check("no tag left the folder of tags", "Les Amis du V" in (built / "index.html").read_text(encoding="utf-8"))
    leaks = [str(path) for path in built.rglob("*") if path.is_file() and b"GPS" in path.read_bytes()]
    stage.report.same("no picture kept what the camera hid", leaks, [])
    await page.context.close()


async def _widget(stage: Stage, browser: Browser) -> None:
    page = await stage.look(browser, "/")
    await page.wait_for_function("customElements.get('fediverse-agenda') !== undefined")
    titles = "document.querySelector('fediverse-agenda').shadowRoot?.textContent ?? ''"
    await page.wait_for_function(f"({titles}).includes(\"Bal d'hiver\") || ({titles}).includes('Bal d’hiver')")
    stage.report.check("the line of the widget is alive, and shows the tag's events", True)
    stage.report.same("nothing of a stranger's lives in it", await page.evaluate("window.pwned ?? null"), None)
    await page.context.close()
    page = await stage.look(browser, "/", java_script_enabled=False)
    shown = await page.locator("fediverse-agenda").inner_text()
    stage.report.check("without JavaScript the list of the last build stands in its place", "Bal d" in shown, shown)
    await page.context.close()


async def _screens(stage: Stage, browser: Browser) -> None:
    shots = CACHE / "static"
    shots.mkdir(parents=True, exist_ok=True)
    bal, wicked = ordinary("")[0], hostile()[0]
    for name, path in (("front", "/"), ("event", stage.page_of(bal)), ("hostile", stage.page_of(wicked))):
        for width in (320, 1280):
            for scheme in ("light", "dark"):
                page = await stage.look(browser, path, viewport={"width": width, "height": 900}, color_scheme=scheme)
                wide = await page.evaluate("document.documentElement.scrollWidth")
                if scheme == "light":
                    stage.report.check(f"{name}: fits {width} px", wide <= width, wide)
                await page.screenshot(path=shots / f"{stage.generator.name}-{name}-{width}-{scheme}.png", full_page=True)
                await page.context.close()
    stage.report.note(f"screenshots: {shots}")


async def _changes(stage: Stage, browser: Browser, items: Sequence[Item]) -> None:
    report, bal = stage.report, ordinary("")[0]
    address, before = stage.page_of(bal), stage.stamps()
    old = next(item for item in items if item.uid == bal.uid)
    assert isinstance(old, Event)
    new = replace(old, title="Grand bal", starts_at=datetime(2026, 12, 12, 21, tzinfo=PARIS), ends_at=None, sequence=1)
    shown = [new if item.uid == bal.uid else item for item in items]
    await stage.project(view(shown, changed=frozenset({bal.uid}), previous={bal.uid: old}))
    after = stage.stamps()
    touched = sorted(name for name in after if after[name] != before.get(name))
    report.same("a moved event costs one page and the data", touched, sorted([stage.generator.data, _source(stage, new)]))
    page = await stage.look(browser, address)
    said = await page.evaluate(READ)
    report.same(
        "under the same address, it says the new date", said["times"], [["2026-12-12T21:00:00+01:00", "samedi 12 décembre 2026 à 21h"]]
    )
    report.check("and that it was another", "auparavant : samedi 5 décembre 2026" in plain(said["said"]), said["said"])
    await page.context.close()

    built = {path: path.stat().st_mtime_ns for path in (stage.site / stage.generator.output).rglob("*") if path.is_file()}
    await stage.project(view(shown, changed=frozenset(), previous={bal.uid: old}))
    again = {path: path.stat().st_mtime_ns for path in (stage.site / stage.generator.output).rglob("*") if path.is_file()}
    report.check("nothing changed: nothing is built", built == again)

    await stage.project(view([item for item in shown if item.uid != bal.uid], changed=frozenset({bal.uid})))
    page = await stage.look(browser, "/")
    report.check("removed, it is on no list", "Grand bal" not in await page.evaluate("document.body.textContent"))
    report.check("and has no page", not (stage.site / stage.generator.output / address.strip("/")).exists())
    subjects = _git(stage.folder / "remote.git", "log", "--format=%an %s", "main").splitlines()
    report.same("each change is one commit, pushed", subjects, ["syndicator Agenda mis à jour"] * 3 + ["Alice Le site"])
    report.same("and the work tree is clean", _git(stage.site, "status", "--porcelain"), "")
    await page.context.close()


def _source(stage: Stage, one: Event) -> str:
    return f"{stage.generator.events}/{stage.page_of(one).strip('/').partition('/')[2]}.md"


if __name__ == "__main__":
    # One generator alone, in a folder that stays: python -m interop.static_scene jekyll /tmp/site
    asyncio.run(play(sys.argv[1], Report(), Path(sys.argv[2])))

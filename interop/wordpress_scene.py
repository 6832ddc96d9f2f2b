"""An association's toots and events on its own WordPress: published, corrected, cancelled, binned, through lost answers and a restart.

Then the widget on a page of that site, in Chromium; the contract suite; and whether our simulator answers as the site does.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from playwright.async_api import async_playwright
from selectolax.lexbor import LexborHTMLParser

from interop import install, wordpress_publisher
from interop.mirror import Mirror
from interop.processes import Answer, ask
from interop.relay import Relay
from interop.report import Report
from interop.site_server import WordPress
from interop.suite import contract
from interop.wordpress_publisher import POSTS, call, environ
from syndicator.sandbox.server import Fault
from syndicator.sandbox.town import GROUP, Town, picture
from syndicator.sandbox.wordpress import WordpressSimulator
from syndicator.sandbox.wordpress_world import PASSWORD, ROLES

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
PARIS = ZoneInfo("Europe/Paris")
WRONG = "wrong"
ALT = "Un établi, trois vélos"
SCREENS = {"large": 1280, "small": 320}


class Visitors:
    """What the site shows, to anybody and to its administrator."""

    def __init__(self, site: WordPress) -> None:
        self.site = site

    async def posts(self, status: str = "publish") -> list[dict[str, Any]]:
        """Oldest first."""
        answer = await self.admin("GET", f"{POSTS}?status={status}&per_page=100&context=edit&order=asc&orderby=id")
        return list(json.loads(answer.body))

    async def titled(self, words: str) -> list[dict[str, Any]]:
        """Those whose title or text holds ``words``, whatever their case."""
        return [one for one in await self.posts() if words.lower() in f"{one['title']} {one['content']['rendered']}".lower()]

    async def admin(self, method: str, path: str, body: Any = None) -> Answer:
        """Ask as the administrator."""
        return await call(self.site.url, method, path, body, login="admin", password=self.site.others["admin"])


async def play(report: Report, folder: Path) -> None:
    """The whole scene."""
    report.title("Mastodon and Mobilizon → WordPress")
    site = await WordPress.start(folder)
    relay = await Relay(site.url).start()
    town = await Town().start()
    mirror = _mirror(folder, site, relay, town)
    seen = Visitors(site)
    try:
        report.played_with(f"WordPress {site.version}")
        await _begin(report, mirror, seen)
        await _toot(report, town, seen)
        await _event(report, town, seen)
        await _trouble(report, town, relay, mirror, seen)
        await _widget(report, mirror, seen)
        code, took = await mirror.stop()
        report.check(f"SIGTERM: code 0, in {took:.1f} s", (code, took < 10) == (0, True), (code, took))
        report.same("the password is in no file of the association's folder", mirror.leaks([site.others["author"]]), [])
        await _likeness(report, site)
        # The dialect is played by the relay: it says nothing of the real site.
        await contract(report, wordpress_publisher.__file__, folder, environ(site), without=["dialect"])
    except BaseException:
        report.note("\n    ".join(mirror.log.read_text(encoding="utf-8").splitlines()[-30:]) if mirror.log.exists() else "no log")
        raise
    finally:
        await mirror.stop()
        await town.stop()
        await relay.stop()
        await site.running.end()


def _mirror(folder: Path, site: WordPress, relay: Relay, town: Town) -> Mirror:
    secret = folder / "asso-password"
    secret.touch(mode=0o600)
    secret.write_text(site.others["author"], encoding="utf-8")
    sources = f"""[sources.agenda]
type = "mobilizon"
url = "{town.mobilizon.url}"
groups = ["{GROUP}"]
poll = "1s"

[sources.toots]
type = "mastodon"
account = "{town.mastodon.url}/@{town.asso.username}"
poll = "1s"
recheck_every = "2s"
"""
    destination = f"""
[destinations.blog]
type = "wordpress"
url = "{relay.url}"
username = "author"
app_password = {{ file = "{secret}" }}
tags = ["R&D"]
own_tags = true
"""
    return Mirror.make(folder / "asso", sources, destination)


async def _begin(report: Report, mirror: Mirror, seen: Visitors) -> None:
    code, said, took = await mirror.command("check")
    report.check(f"`syndicator check` agrees ({took:.1f} s)", code == 0, said)
    code, said, took = await mirror.command("once")
    report.check(f"`syndicator once` begins ({took:.1f} s)", code == 0, said)
    report.same("nothing old is posted, no draft is made", [*await seen.posts(), *await seen.posts("draft")], [])
    await mirror.run()


async def _toot(report: Report, town: Town, seen: Visitors) -> None:
    toot = town.toot("L'atelier rouvre <samedi> & c'est gratuit [gallery]\nVenez ! #Vélo", image_alt=ALT)
    await report.eventually("a toot is a post", lambda: _some(seen, "gratuit"))
    (post,) = await seen.titled("gratuit")
    page = LexborHTMLParser((await ask("GET", post["link"])).body)
    text = " ".join((page.css_first(".entry-content") or page.css_first("body")).text().split())
    report.check("its signs stay signs on the page", "<samedi> & c" in text and "[gallery]" in text, text)
    shown = json.loads((await seen.admin("GET", f"/wp/v2/media/{post['featured_media']}")).body)
    report.same("its picture is on the site, described", (shown["alt_text"], shown["source_url"].startswith(seen.site.url)), (ALT, True))
    alts = [one.attributes.get("alt") for one in page.css("img") if "wp-post-image" in str(one.attributes.get("class"))]
    report.same("and shown by the theme with its description", alts, [ALT])
    tags = json.loads((await seen.admin("GET", f"/wp/v2/tags?post={post['id']}")).body)
    report.same("its tags are there", sorted(one["name"] for one in tags), ["R&amp;D", "Vélo"])
    town.edit_toot(toot, "L'atelier rouvre dimanche, c'est gratuit")
    await report.eventually("a correction follows, in the same post", lambda: _same(seen, "dimanche", post["id"]))
    town.delete_toot(toot)
    await report.eventually("a deletion puts it into the trash", lambda: _none(seen, "gratuit"))
    report.same("there it is", [one["id"] for one in await seen.posts("trash")], [post["id"]])
    await report.eventually("its picture is gone", lambda: _gone(seen, f"/wp/v2/media/{post['featured_media']}"))


async def _event(report: Report, town: Town, seen: Visitors) -> None:
    begins = datetime.now(PARIS).replace(hour=20, minute=30, second=0, microsecond=0) + timedelta(days=9)
    event = town.mobilizon.add_event(
        GROUP, "Bal à vélo", begins, begins + timedelta(hours=2), description="<p>On danse.</p><ul><li>un</li><li>deux</li></ul>",
        picture=picture("bal"),
    )  # fmt: skip
    await report.eventually("an event is a post", lambda: _some(seen, "Bal à vélo"))
    (post,) = await seen.titled("Bal à vélo")
    page = LexborHTMLParser(post["content"]["rendered"])
    home = page.css_first("a[rel=via]")
    report.check("which leads home", home is not None and str(home.attributes["href"]).endswith(event.uuid), post["content"]["raw"])
    report.check("with its date, and its list", _day(begins) in page.css_first("p").text() and len(page.css("li")) == 2, page.text())
    town.mobilizon.move_event(event.uuid, begins + timedelta(days=1))
    await report.eventually("moved, it says the new date", lambda: _same(seen, _day(begins + timedelta(days=1)), post["id"]))
    town.mobilizon.cancel_event(event.uuid)
    await report.eventually("cancelled, it says so", lambda: _same(seen, "annul", post["id"]))


async def _trouble(report: Report, town: Town, relay: Relay, mirror: Mirror, seen: Visitors) -> None:
    for action, what in (("lose", "an answer that is lost"), ("mask", "a 500 in HTML after it was done")):
        for path in ("/wp/v2/media", POSTS, f"{POSTS}/"):
            relay.fault(Fault(action=action, method="POST", path=path, status=500, body=b"<h1>Erreur critique</h1>"))  # type: ignore[arg-type]
        town.toot(f"Malgré tout, {action}", image_alt=ALT)
        await report.eventually(f"{what}, at every step: it is there", lambda action=action: _some(seen, f"tout, {action}"), within_s=90)  # type: ignore[misc]
        report.same("once", len(await seen.titled(f"tout, {action}")), 1)
    town.toot("Juste avant la panne", image_alt=ALT)
    await report.eventually(
        "killed while it is at work", lambda: any(one.method == "POST" and "media" in one.path for one in relay.requests[-3:])
    )
    if mirror.running is not None:
        await mirror.running.end(signal.SIGKILL)
    mirror.running = None
    await mirror.run()
    await report.eventually("it finishes its work after a restart", lambda: _some(seen, "Juste avant la panne"), within_s=90)
    report.same("once", len(await seen.titled("Juste avant la panne")), 1)
    report.same("no draft is left behind", [one["title"]["raw"] for one in await seen.posts("draft")], [])
    media = json.loads((await seen.admin("GET", "/wp/v2/media?per_page=100")).body)
    used = {one["featured_media"] for one in await seen.posts()}
    report.same("no picture twice", len(media), len([number for number in used if number]))


async def _widget(report: Report, mirror: Mirror, seen: Visitors) -> None:
    """The one line, in a Custom HTML block, as an administrator puts it there."""
    report.title("The widget on a page of that site, in Chromium")
    if not await asyncio.to_thread(CHROMIUM.exists):
        raise install.CannotInstall(
            fr="Chromium manque : installez le paquet chromium.", en="Chromium is missing: install the package chromium."
        )
    script = f'<script type="module" src="http://127.0.0.1:{mirror.port}/widget.js"></script>'
    shots = install.CACHE / "wordpress"
    await asyncio.to_thread(shots.mkdir, parents=True, exist_ok=True)
    line = f'{script}\n<fediverse-agenda limit="5">L’agenda</fediverse-agenda>'
    page = {"title": "Agenda", "status": "publish", "content": f"<!-- wp:html -->{line}<!-- /wp:html -->"}
    made = json.loads((await seen.admin("POST", "/wp/v2/pages", page)).body)
    raw = made["content"]["rendered"]
    report.check("WordPress keeps the line", "<fediverse-agenda" in raw and "widget.js" in raw, raw)
    (post,) = await seen.titled("Bal à vélo")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, width in SCREENS.items():
            for scheme in ("light", "dark"):
                context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="fr-FR")  # type: ignore[arg-type]
                tab = await context.new_page()
                asked: list[str] = []
                tab.on("request", lambda request, asked=asked: asked.append(request.url))  # type: ignore[misc]
                await tab.goto(made["link"])
                shown = "() => document.querySelector('fediverse-agenda')?.shadowRoot?.textContent.includes('Réunion mensuelle') ?? false"
                try:
                    await tab.wait_for_function(shown, timeout=10_000)
                    good = True
                except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                    good = False
                    report.note(str(error))
                report.check(f"it shows the agenda, {name}, {scheme}", good, await tab.content())
                wide = await tab.evaluate("document.documentElement.scrollWidth")
                report.check(f"and fits {width} px", wide <= width, wide)
                await tab.screenshot(path=shots / f"widget-{name}-{scheme}.png", full_page=True)
                strangers = [url for url in asked if not url.startswith(("http://127.0.0.1", "blob:http://127.0.0.1", "data:"))]
                report.same("no request leaves for anybody else", strangers, [])
                await tab.goto(post["link"])
                await tab.screenshot(path=shots / f"post-{name}-{scheme}.png", full_page=True)
                await context.close()
        await browser.close()


def _day(at: datetime) -> str:
    """As French posts say it."""
    months = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"]
    return f"{'1er' if at.day == 1 else at.day} {months[at.month - 1]}"


async def _some(seen: Visitors, words: str) -> bool:
    return len(await seen.titled(words)) > 0


async def _none(seen: Visitors, words: str) -> bool:
    return await seen.titled(words) == []


async def _same(seen: Visitors, words: str, number: int) -> bool:
    return number in [one["id"] for one in await seen.titled(words)]


async def _gone(seen: Visitors, path: str) -> bool:
    return (await seen.admin("GET", path)).status == 404


async def _likeness(report: Report, site: WordPress) -> None:
    """The simulator against the real site: the same status, the same code."""
    report.title("Does our WordPress simulator answer as WordPress does?")
    theirs = await _questions(site.url, lambda role: (role, site.others[role]))
    async with WordpressSimulator() as simulator:

        def be(role: str) -> tuple[str, str]:
            account = simulator.blog.account
            account.login, account.role = role, "editor" if role == "admin" else role
            account.id = {name: number for number, name in enumerate(ROLES, 20)}[account.role]
            return role, PASSWORD

        ours = await _questions(simulator.url, be)
    for question, expected in theirs.items():
        report.same(f"{question}: {expected}", ours.get(question), expected)


async def _questions(url: str, be: Callable[[str], tuple[str, str]]) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    last: dict[str, Any] = {}

    async def put(question: str, method: str, path: str, body: Any = None, *, role: str = "author", shown: str = "", **more: Any) -> Any:
        login, password = be(role)
        answer = await call(url, method, path, body, login=login, password=more.pop("password", password), **more)
        said = json.loads(answer.body)
        told = said if isinstance(said, dict) else {}
        found[question] = (answer.status, told.get("code", ""), *(told.get(name) for name in shown.split() if name in told))
        last.clear()
        last.update(told)
        return said

    await put("who am I", "GET", "/wp/v2/users/me?context=edit&_fields=capabilities")
    found["may publish"] = (sorted(name for name in last["capabilities"] if name in ROLES["author"]),)
    await put("with a wrong password", "GET", "/wp/v2/users/me?context=edit", password=WRONG)
    await put("posting with a wrong password", "POST", POSTS, {"title": "x", "status": "publish"}, password=WRONG)
    await put("no such route", "GET", "/tribe/events/v1/events/by-slug/x")
    await put("what only writers may read", "GET", "/wp/v2/types/post?context=edit&_fields=slug")
    await put("the same, with a wrong password", "GET", "/wp/v2/types/post?context=edit", password=WRONG)
    await put(
        "a draft", "POST", POSTS, {"title": "A <b>&", "content": "<p>x</p>", "slug": "like-1", "status": "draft"}, shown="slug status"
    )
    number = last["id"]
    await put("another of that address", "POST", POSTS, {"title": "B", "slug": "like-1", "status": "draft"}, shown="slug status")
    other = last["id"]
    listed = await put("by its address", "GET", f"{POSTS}?slug=like-1,like-1__trashed&status=any,trash&context=edit&_fields=id,status")
    found["is found"] = (len(listed),)
    await put("shown", "POST", f"{POSTS}/{number}", {"status": "publish"}, shown="slug status")
    await put("shown twice", "POST", f"{POSTS}/{number}", {"status": "publish"}, shown="slug status")
    await put("dated tomorrow", "POST", f"{POSTS}/{other}", {"status": "publish", "date_gmt": "2039-01-02T03:04:05"}, shown="status")
    await put("a contributor shows", "POST", POSTS, {"title": "x", "status": "publish"}, role="contributor")
    await put("a contributor corrects an author's", "POST", f"{POSTS}/{number}", {"title": "x"}, role="contributor")
    await put("a contributor bins an author's", "DELETE", f"{POSTS}/{number}", role="contributor")
    await put("nothing in it", "POST", POSTS, {"title": "", "content": ""})
    await put("a status that is none", "POST", POSTS, {"title": "x", "status": "nada"})
    await put("a tag that is no number", "POST", POSTS, {"title": "x", "tags": ["a"]})
    await put("a format that is none", "POST", POSTS, {"title": "x", "format": "nada"})
    await put("no JSON", "POST", POSTS, b"{", headers={"Content-Type": "application/json"})
    await put("a status without a login", "GET", f"{POSTS}?status=any", password=WRONG)
    for what, route in (("correct", "POST"), ("bin", "DELETE"), ("read", "GET")):
        await put(f"{what} what never was", route, f"{POSTS}/99999", {"title": "x"} if route == "POST" else None)
    await _library(put, last)
    await _names(put)
    await put("into the trash", "DELETE", f"{POSTS}/{number}", shown="slug status")
    await put("again", "DELETE", f"{POSTS}/{number}")
    await put("corrected there", "POST", f"{POSTS}/{number}", {"title": "y"}, shown="slug status")
    await put("read there", "GET", f"{POSTS}/{number}?context=edit&_fields=status", shown="status")
    await put("for good", "DELETE", f"{POSTS}/{number}?force=true", shown="deleted")
    return found


async def _library(put: Callable[..., Any], last: dict[str, Any]) -> None:
    png, media = picture("x"), "/wp/v2/media"

    def named(name: str, kind: str = "image/png") -> dict[str, str]:
        return {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}

    asked = f"{media}?slug=like-p&title={quote('Titre')}&alt_text={quote('Un <b> & « vélo »')}"
    await put("a picture", "POST", asked, png, headers=named("a.png"), shown="slug alt_text status mime_type")
    number = last["id"]
    await put("the same picture", "POST", asked, png, headers=named("a.png"), shown="slug")
    await put("a program", "POST", media, b"<?php", headers=named("a.php", "image/png"))
    await put("a drawing", "POST", media, b"<svg/>", headers=named("a.svg", "image/svg+xml"))
    await put("nothing", "POST", media, b"", headers=named("a.png"))
    await put("without a name", "POST", media, png, headers={"Content-Type": "image/png"})
    await put("a contributor's", "POST", media, png, headers=named("a.png"), role="contributor")
    await put("another description", "POST", f"{media}/{number}", {"alt_text": "Deux"}, shown="alt_text")
    await put("into a trash that is none", "DELETE", f"{media}/{number}")
    await put("away", "DELETE", f"{media}/{number}?force=true", shown="deleted")
    await put("away again", "DELETE", f"{media}/{number}?force=true")


async def _names(put: Callable[..., Any]) -> None:
    await put("an author's category", "POST", "/wp/v2/categories", {"name": "Ateliers & co"})
    await put("an administrator's", "POST", "/wp/v2/categories", {"name": "Ateliers & co"}, role="admin", shown="name")
    await put("the same", "POST", "/wp/v2/categories", {"name": "Ateliers & co"}, role="admin")
    listed = await put("looked for by a word", "GET", "/wp/v2/categories?search=Ateliers&_fields=id,name")
    await put("an author's tag", "POST", "/wp/v2/tags", {"name": "Atelier"}, shown="name")
    await put("in capitals", "POST", "/wp/v2/tags", {"name": "ATELIER"})
    await put("a tag without a name", "POST", "/wp/v2/tags", {})
    assert [one["name"] for one in listed] == ["Ateliers &amp; co"]

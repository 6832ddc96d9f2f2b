"""An agenda of ours and a page of somebody else's that shows it, on two servers, and a browser between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, Page, Route

from connectors.website import Options, WebsiteProjection
from syndicator.contract import Association, View
from syndicator.http import Sessions
from syndicator.sandbox.server import Simulator
from syndicator.testing import NOW, make_context
from syndicator.web import Health, PublicServer, Site

AXE = (Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
FALLBACK = "<p>Notre agenda : bientôt ici.</p>"


class Home(Simulator):
    """Somebody's website, with a Content-Security-Policy as strict as one can be that still lets the widget in."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, str] = {}
        self.agenda = ""
        self.app.router.add_get("/{name}", self._page)

    async def _page(self, request: web.Request) -> web.Response:
        if request.match_info["name"] == "icon":
            return web.Response(status=204)
        if request.match_info["name"] not in self.pages:
            raise web.HTTPNotFound
        ours = self.agenda
        policy = f"default-src 'none'; script-src {ours}; style-src 'self'; connect-src {ours}; img-src 'self' {ours}; frame-src {ours}"
        body = self.pages[request.match_info["name"]]
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": policy})

    def put(self, element: str, *, lang: str = "fr") -> str:
        """The address of a page with ``element`` in it."""
        name = f"{len(self.pages)}.html"
        self.pages[name] = (
            f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>Chez vous</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="icon">'
            f'<script type="module" src="{self.agenda}/widget.js"></script></head>'
            f"<body><main><h1>Chez vous</h1><h2>Agenda</h2>{element}</main></body></html>"
        )
        return f"{self.url}/{name}"


@dataclass(kw_only=True)
class Agenda:
    """One association's folder behind the real server."""

    folder: Path
    server: PublicServer

    @property
    def url(self) -> str:
        """Without a slash."""
        return f"http://127.0.0.1:{self.server.port}"


async def agenda(folder: Path, view: View, *, association: Association | None = None, **options: Any) -> Agenda:
    """Projected and served."""
    sessions = Sessions()
    context = make_context(folder, sessions, association=association)
    projection = WebsiteProjection(Options(**{"calendar": "agenda.ics", **options}), context)
    await projection.open()
    await projection.project(view)
    await sessions.close()
    sites = (Site(prefix="/", folder=context.public_dir),)
    server = PublicServer(sites=lambda: sites, health=lambda: Health(ok=True, since=NOW), metrics=str, now=lambda: NOW)
    await server.start("127.0.0.1", 0)
    return Agenda(folder=context.public_dir, server=server)


@dataclass(kw_only=True)
class Look:
    """A page in the browser and all that the browser said while it was open."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def texts(self, selector: str) -> list[str]:
        """What is visible of it, in order, inside the widget or outside."""
        found = await self.page.locator(selector).all()
        return [" ".join((await one.inner_text()).split()) for one in found if await one.is_visible()]

    async def set(self, **attributes: str) -> None:
        """Change the element's attributes, and let it render."""
        await self.page.evaluate(
            "async all => { const node = document.querySelector('fediverse-agenda'); const had = node.shadowRoot.firstChild;"
            "for (const [name, value] of Object.entries(all)) node.setAttribute(name.replace('_', '-'), value);"
            "while (node.shadowRoot.firstChild === had) await new Promise(done => setTimeout(done)) }",
            attributes,
        )

    async def answer(self, path: str, answer: dict[str, Any] | None) -> None:
        """From now on, this instead of what the server says; None: it is down."""
        await self.page.route(f"**/{path}", _answering(answer))

    async def faults(self) -> list[str]:
        """What axe-core has against the page, best practices included."""
        await self.page.evaluate(AXE)
        found = await self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        assert found["passes"], "axe-core looked at nothing"
        return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found["violations"] for node in one["nodes"]]


async def look(
    browser: Browser, url: str, *, ready: str = "fediverse-agenda .box", answers: dict[str, Any] | None = None, **settings: Any
) -> Look:
    """Open a page on the day of the tests, listen, and wait until ``ready`` is there; ``answers`` replace a path's."""
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
    page = await context.new_page()
    page.set_default_timeout(5000)
    await page.clock.set_fixed_time(NOW)
    seen = Look(page=page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
    for path, answer in (answers or {}).items():
        await seen.answer(path, answer)
    await page.goto(url)
    await page.locator(ready).first.wait_for(state="attached")
    return seen


def _answering(answer: Any) -> Callable[[Route], Awaitable[None]]:
    """Answers a request; with None the server is down."""

    async def answered(route: Route) -> None:
        await (route.abort() if answer is None else route.fulfill(**answer))

    return answered

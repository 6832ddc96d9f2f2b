"""Answers that are not files: refusals in the visitor's language, and how the daemon is."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from syndicator.web.health import Health
from syndicator.web.policy import ALWAYS, PERMISSIONS

if TYPE_CHECKING:
    from jinja2 import Template

PAGES = Path(__file__).parent.parent / "pages"
OWN = {
    **ALWAYS,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "syndicator",
}

_WORDS = {
    404: {
        "fr": ("Page introuvable", "Il n’y a rien à cette adresse. Elle a peut-être changé.", "Aller à l’accueil"),
        "en": ("Page not found", "There is nothing at this address. It may have changed.", "Go to the home page"),
    },
    405: {
        "fr": ("Méthode refusée", "Ici, on peut seulement lire.", "Aller à l’accueil"),
        "en": ("Method not allowed", "Here one can only read.", "Go to the home page"),
    },
}


def not_found(language: str) -> web.Response:
    """404."""
    return _refusal(404, language)


def not_allowed(language: str, methods: str) -> web.Response:
    """405, and which methods there are."""
    response = _refusal(405, language)
    response.headers["Allow"] = methods
    return response


def moved(location: str) -> web.Response:
    """A folder without its slash."""
    return web.Response(status=308, headers={**OWN, "Cache-Control": "public, max-age=900", "Location": location})


def plain(body: bytes, content_type: str, *, status: int = 200) -> web.Response:
    """A body of our own that nobody is to keep."""
    return web.Response(status=status, body=body, headers={**OWN, "Content-Type": content_type})


def _refusal(status: int, language: str) -> web.Response:
    title, text, home = (escape(words) for words in _WORDS[status][language])
    page = (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f'<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{text}</p>\n<p><a href="/">{home}</a></p>\n</body>\n</html>\n'
    )
    response = plain(page.encode(), "text/html; charset=utf-8", status=status)
    response.headers["Vary"] = "Accept-Language"
    return response


def status_page(health: Health, now: datetime, language: str) -> web.Response:
    """Every source and destination in plain words."""
    page = _template().render(health=health, language=language, age=lambda at: _age(at, now, language))
    return plain(page.encode(), "text/html; charset=utf-8", status=200 if health.ok else 503)


def status_stylesheet() -> web.Response:
    """The look of the status page."""
    return plain((PAGES / "status.css").read_bytes(), "text/css; charset=utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("status.html.j2")


def _age(at: datetime | None, now: datetime, language: str) -> str:
    """How long ago, as people say it."""
    if at is None:
        return "jamais encore" if language == "fr" else "never yet"
    minutes = max(0, int((now - at).total_seconds())) // 60
    for length, french, english in ((1440, "jour", "day"), (60, "heure", "hour"), (1, "minute", "minute")):
        if minutes >= length:
            count = minutes // length
            plural = "s" if count > 1 else ""
            return f"il y a {count} {french}{plural}" if language == "fr" else f"{count} {english}{plural} ago"
    return "à l’instant" if language == "fr" else "just now"

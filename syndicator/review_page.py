"""The page behind the link: the issue, and what a person can do with it. A GET changes nothing; only the form's button does."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from syndicator.errors import ConnectorError, StateError
from syndicator.letter.review import Link, key_of, read, token_of
from syndicator.logs import hide
from syndicator.reviewing import EDITORIAL_MAX, Standing, drawn, how, press, standing
from syndicator.text.html import to_text
from syndicator.text.way_out import without_unsubscribe
from syndicator.web import Asked, Said
from syndicator.words import pick, say

if TYPE_CHECKING:
    from jinja2 import Template

    from syndicator.daemon import Attendant
    from syndicator.store import Store
    from syndicator.tenant import Tenant

PAGES = Path(__file__).parent / "pages"
LETTER = "letter"
"""The query that shows the letter by itself."""
NOTED = "noted"
WORDS = (
    *("title", "editorial", "editorial-help", "send", "send-again", "write", "stop", "letter", "letter-alone"),
    *("noted", "stale", "kept"),
)


class Reviews:
    """Answers below ``WAY`` for one association."""

    def __init__(self, attendant: Callable[[], Attendant | None]) -> None:
        self._attendant = attendant

    async def __call__(self, asked: Asked) -> Said:
        attendant = self._attendant()
        if attendant is None or attendant.stopping.is_set():
            return _plain(503, "fr", "busy")
        tenant = attendant.tenant
        try:
            key = key_of(tenant.config.state_dir)
            link = read(key, asked.rest, tenant.now())
            if link is None:
                return _plain(404, tenant.language, "invalid")
            hide(asked.rest.rpartition("/")[2])
            said = await (_answer(tenant, key, link, asked) if asked.form is None else _pressed(tenant, key, link, asked))
        except (OSError, StateError):
            return _plain(503, tenant.language, "busy")
        if said.status == 303 and (wake := attendant.news.get("newsletters")) is not None:
            wake.set()
        return said


async def _answer(tenant: Tenant, key: bytes, link: Link, asked: Asked) -> Said:
    found = await tenant.ledger.transact(lambda store: standing(tenant, store, link))
    if found is None:
        return _plain(404, tenant.language, "invalid")
    if asked.query == LETTER:
        return await _letter(tenant, found)
    return _page(tenant, key, link, found, "noted" if asked.query == NOTED else "")


async def _pressed(tenant: Tenant, key: bytes, link: Link, asked: Asked) -> Said:
    form = asked.form or {}

    def decide(store: Store) -> tuple[bool, Standing | None]:
        done = press(tenant, store, key, link, form)
        return done, standing(tenant, store, link)

    done, found = await tenant.ledger.transact(decide)
    if found is None:
        return _plain(404, tenant.language, "invalid")
    if done:
        return Said(status=303, headers={"Location": f"?{NOTED}"})
    return _page(tenant, key, link, found, "stale", typed=form.get("editorial"))


async def _letter(tenant: Tenant, found: Standing) -> Said:
    try:
        html = without_unsubscribe((await drawn(tenant, found)).html)
    except ConnectorError as error:
        return _plain(500, tenant.language, "undrawn", pick(error.hint, tenant.language) if error.hint else str(error))
    origin = urlsplit(tenant.config.public_url or "")
    pictures = f"{origin.scheme}://{origin.netloc}" if origin.netloc else "'none'"
    return Said(
        page=html,
        policy=f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' {pictures}; sandbox; frame-ancestors 'self'",
    )


def _page(tenant: Tenant, key: bytes, link: Link, found: Standing, notice: str, typed: str | None = None) -> Said:
    language, written = tenant.language, to_text(found.row.editorial).strip()
    kept = notice == "stale" and typed is not None and typed.replace("\r\n", "\n").strip() != written
    page = _template().render(
        language=language,
        association=tenant.config.association.name,
        letter=found.letter,
        how=how(tenant, found),
        state=found.row.verdict or found.row.state,
        allowed=found.allowed,
        token=token_of(key, link, found.seen),
        editorial=typed if kept else written,
        kept=kept,
        most=EDITORIAL_MAX,
        notice=notice,
        words={name: say(language, f"review.page.{name}") for name in WORDS},
        style=_style(),
        frame=f"?{LETTER}",
    )
    return Said(status=409 if notice == "stale" else 200, page=page, policy=_policy("form-action 'self'; frame-src 'self'"))


def _plain(status: int, language: str, words: str, more: str = "") -> Said:
    """A page that says what to do."""
    page = _template("review_plain.html.j2").render(
        language=language,
        title=say(language, f"review.plain.{words}.title"),
        text=say(language, f"review.plain.{words}.text"),
        more=more,
        style=_style(),
    )
    return Said(status=status, page=page, policy=_policy("form-action 'none'"))


def _policy(more: str) -> str:
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; frame-ancestors 'none'; {more}"


@cache
def _style() -> str:
    return (PAGES / "review.css").read_text(encoding="utf-8")


@cache
def _template(name: str = "review.html.j2") -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)

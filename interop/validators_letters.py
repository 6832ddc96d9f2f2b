"""A newsletter by the real engine: each form of its letter, the pages of its archive, and the pages by which people answer it."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from interop.static_world import NOW, hostile, ordinary, posts
from syndicator import steps
from syndicator.config import Config, load
from syndicator.daemon import Attendant
from syndicator.http import Sessions
from syndicator.letter.review import Link, key_of, path_to, token_of
from syndicator.model import Item
from syndicator.review_page import Reviews
from syndicator.reviewing import Standing, drawn, letter_to_the_reviewer, standing
from syndicator.store import Store
from syndicator.tenant import Tenant
from syndicator.text.way_out import KEY_FILE, with_unsubscribe, without_unsubscribe
from syndicator.text.way_out import token_of as reader_token
from syndicator.web import Asked, Said, Way
from syndicator.web.leaving import way_out

DUE = datetime(2026, 11, 23, 8, tzinfo=UTC)
LINK = Link(newsletter="lettre", until_at=DUE)
EDITORIAL = "Chères toutes & chers tous,\nil fait <froid> : https://asso.example/?a=1&b=2\n\nÀ samedi"
FOR_OLD_PROGRAMS = {
    "the namespaces of what only Outlook reads": r"Attribute “xmlns:[ov]” not allowed here\.",
    "two styles that only Outlook reads": r"CSS: “mso-table-[lr]space”: Property “mso-table-[lr]space” doesn't exist\.",
    "style sheets that say what they are": r"The “type” attribute for the “style” element is not needed and should be omitted\.",
    "tables that stand without a style sheet": r"The “(?:border|cell(?:padd|spac)ing|align|width)” attribute on the “table” element is "
    r"obsolete\..*",
    "cells that do": r"The “align” attribute on the “td” element is obsolete\..*",
    "pictures as high as they are": r"Bad value “auto” for attribute “height” on element “img”: .*",
}
"""What MJML writes for the mail programs there are and a page should not have: what vnu says of it. Anything else is an error."""
_CONFIG = """
[association]
name = "Les Amis du Vélo & <Cie>"
url = "https://asso.example/"
state = "{folder}/state"
[web]
public_url = "https://miroir.example/"
[network]
allow_private = ["127.0.0.1"]
[alerts]
to = ["bureau@asso.example"]
smtp = "smtp://127.0.0.1:9"
from = "syndicator@asso.example"
[sources.agenda]
type = "feed"
url = "http://127.0.0.1:9/agenda"
[sources.toots]
type = "feed"
url = "http://127.0.0.1:9/toots"
[destinations.archives]
type = "letters"
[newsletters.lettre]
when = "chaque lundi à 9h"
title = "La lettre « du vélo » & <cie>"
destinations = ["archives"]
review = "anna@asso.example"
unanswered = "wait"
editorial_file = "edito.txt"
[[newsletters.lettre.sections]]
within = "120d"
most = 30
[[newsletters.lettre.sections]]
kinds = ["note", "article"]
"""


@dataclass(frozen=True)
class Papers:
    """What was written."""

    letters: Sequence[Path]
    """HTML of mails."""
    archive: Path
    answers: Sequence[Path]
    """Pages that answer a person, in every state."""


async def write_letters(folder: Path, picture: str) -> Papers:
    """An issue from the day before it leaves to its archive."""
    config = await asyncio.to_thread(_configured, folder)
    at, sessions = [NOW], Sessions()
    tenant = Tenant.make(config, sessions, lambda: at[0], random.Random(7))  # noqa: S311 - jitter
    logging.getLogger("syndicator").setLevel(logging.CRITICAL)
    try:
        await tenant.start()
        await steps.issue(tenant)
        await tenant.ledger.transact(lambda store: _fill(store, picture))
        at[0] = DUE - timedelta(hours=23)
        await steps.issue(tenant)
        letters = await _letters(tenant, folder)
        reviewed = await _reviewed(tenant, folder, at)
        await steps.issue(tenant)
        await steps.project(tenant, "archives", force=True)
    finally:
        await tenant.close()
        await sessions.close()
    return Papers(letters, tenant.config.public_dir / "lettres", [*reviewed, *await _left(folder)])


def _configured(folder: Path) -> Config:
    folder.mkdir()
    (folder / "edito.txt").write_text(EDITORIAL, encoding="utf-8")
    path = folder / "lettre.toml"
    path.touch(mode=0o600)
    path.write_text(_CONFIG.format(folder=folder), encoding="utf-8")
    return load(path, environ={})


def _fill(store: Store, picture: str) -> None:
    items: dict[str, list[Item]] = {"agenda": [*ordinary(picture), *hostile()], "toots": [*posts(picture)]}
    for source, told in items.items():
        store.items.diff(source, told, NOW, first=True)


async def _letters(tenant: Tenant, folder: Path) -> list[Path]:
    """To a reader, to a list, to who reads it first."""
    found = await tenant.ledger.transact(lambda store: standing(tenant, store, LINK))
    assert found is not None, "the issue waits for a person"
    rendition = await drawn(tenant, found)
    given = tenant.config.alerts
    assert given is not None
    assert "<img" in rendition.html, "the letter has a picture"
    body = letter_to_the_reviewer(tenant, found, rendition, given).get_body(("html",))
    assert body is not None
    forms = {
        "letter-reader.html": with_unsubscribe(rendition.html, "https://miroir.example/-/lettre/abonnes/0f?a=1&b=2"),
        "letter-list.html": without_unsubscribe(rendition.html),
        "letter-reviewer.html": body.get_content(),
    }
    return await asyncio.to_thread(_written, folder / "letters", forms)


async def _reviewed(tenant: Tenant, folder: Path, at: list[datetime]) -> list[Path]:
    """The page of who reads an issue first, in each of its states; the letter in its frame is a letter. In the end it is approved."""
    answer = Reviews(lambda: Attendant(tenant=tenant))
    key = key_of(tenant.config.state_dir)
    link = path_to(key, LINK.newsletter, LINK.until_at)

    async def press(what: str) -> Said:
        found: Standing | None = await tenant.ledger.transact(lambda store: standing(tenant, store, LINK))
        assert found is not None
        return await answer(Asked(rest=link, form={"press": what, "token": token_of(key, LINK, found.seen), "editorial": EDITORIAL}))

    pages = {"asked": (await answer(Asked(rest=link))).page}
    pages["stale"] = (await answer(Asked(rest=link, form={"press": "send", "token": "", "editorial": '</textarea><b> & "'}))).page
    for what in ("write", "stop", "send"):
        assert (await press(what)).status == 303, what
        pages[what] = (await answer(Asked(rest=link, query="noted"))).page
    pages["invalid"] = (await answer(Asked(rest="x"))).page
    pages["busy"] = (await Reviews(lambda: None)(Asked(rest=link))).page
    at[0] = DUE
    await steps.issue(tenant)
    pages["gone"] = (await answer(Asked(rest=link))).page
    return await asyncio.to_thread(_written, folder / "review", {f"review-{name}.html": page for name, page in pages.items()})


async def _left(folder: Path) -> list[Path]:
    """The page by which a reader leaves, in both languages."""
    kept, full = folder / "list", folder / "full"
    for one in (kept, full):
        one.mkdir()
        (one / KEY_FILE).write_bytes(b"k" * 32)
    (full / "unsubscribed.txt").mkdir()  # where nothing can be written down
    way: Way = way_out({"abonnes": kept, "pleine": full}, "Les Amis du Vélo & <Cie>", lambda: NOW)
    token = reader_token(b"k" * 32, "marie@exemple.fr")
    pages: dict[str, str] = {}
    for language in ("fr", "en"):
        asked = {
            "ask": Asked(rest=f"abonnes/{token}", language=language),
            "done": Asked(rest=f"abonnes/{token}", form={}, language=language),
            "failed": Asked(rest=f"pleine/{token}", form={}, language=language),
            "unknown": Asked(rest="abonnes/x", language=language),
        }
        pages |= {f"leave-{name}-{language}.html": (await way(one)).page for name, one in asked.items()}
    return await asyncio.to_thread(_written, folder / "leave", pages)


def _written(folder: Path, pages: Mapping[str, str]) -> list[Path]:
    folder.mkdir()
    for name, page in pages.items():
        (folder / name).write_text(page, encoding="utf-8")
    return sorted(folder.iterdir())


def sorted_out(said: Sequence[str]) -> tuple[list[str], frozenset[str]]:
    """What is wrong with letters for good, and which of the exceptions were needed."""
    patterns = {name: re.compile(rf"[^:]*:\d+: {pattern}", re.DOTALL) for name, pattern in FOR_OLD_PROGRAMS.items()}
    wrong, used = [], set()
    for one in said:
        name = next((name for name, pattern in patterns.items() if pattern.fullmatch(one.rpartition(" — ")[0])), None)
        if name is None:
            wrong.append(one)
        else:
            used.add(name)
    return wrong, frozenset(used)

"""The issue that comes next, as its readers would get it: for those who look before it leaves. Leaves the ledger as it is."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from syndicator import steps
from syndicator.assemble import http_for
from syndicator.config import Config
from syndicator.errors import ConnectorError
from syndicator.hosting import AT_ONCE, LIMITS, PATIENCE_S
from syndicator.http import Sessions
from syndicator.issues import Row
from syndicator.issuing import coming, issue_of, post_of
from syndicator.judge import lettered
from syndicator.letter.newsletter import Newsletter
from syndicator.letter.shape import Hosted
from syndicator.media import fetch
from syndicator.model import Attachment, Issue, Rendition
from syndicator.newsletters import ARCHIVE
from syndicator.store import Store
from syndicator.tenant import Tenant


@dataclass(frozen=True, kw_only=True)
class Forthcoming:
    """An issue before it leaves."""

    letter: Newsletter
    row: Row
    issue: Issue
    rendition: Rendition
    """As a way out would be given it."""
    pictures: dict[str, str]
    """Where each of its pictures would stand → the picture itself, as a data URL."""


class _Seen(Exception):
    """Takes a transaction back that was only to look."""

    def __init__(self, row: Row, issue: Issue) -> None:
        self.row, self.issue = row, issue


async def forthcoming(
    config: Config, letter: Newsletter, sessions: Sessions, now: Callable[[], datetime], *, fresh: bool, drawn: bool
) -> Forthcoming:
    """What would leave next. ``fresh`` asks the sources first, ``drawn`` fetches the pictures; a letter without is otherwise the same."""
    tenant = Tenant.make(config, sessions, now, random.Random())  # noqa: S311 - jitter, no secret
    try:
        if fresh:
            await tenant.start()
            await asyncio.gather(*(steps.poll(tenant, name) for name in config.sources))
        row, issue = await _looked_at(tenant, letter)
        pictures = await _pictures(tenant, issue) if drawn else {}
        return Forthcoming(
            letter=letter, row=row, issue=issue, rendition=lettered(tenant, post_of(tenant, letter, row, issue)), pictures=pictures
        )
    finally:
        await tenant.close()


async def _looked_at(tenant: Tenant, letter: Newsletter) -> tuple[Row, Issue]:
    def look(store: Store) -> None:
        row = coming(tenant, store, letter, tenant.now())
        raise _Seen(row, issue_of(tenant, store, letter, row))

    try:
        await tenant.ledger.transact(look)
    except _Seen as seen:
        return seen.row, seen.issue
    raise AssertionError("looking always ends in what was seen")


async def _pictures(tenant: Tenant, issue: Issue) -> dict[str, str]:
    """Those that readers would see: none where nobody can fetch them from us."""
    address, found = tenant.config.public_url, dict[str, str]()
    if address is None:
        return found
    wanted = {entry.image.url: entry.image for section in issue.sections for entry in section.entries if entry.image is not None}
    gate, http = asyncio.Semaphore(AT_ONCE), http_for(tenant.config, tenant.sessions, tenant.now)

    async def one(attachment: Attachment, folder: Path) -> None:
        async with gate:
            with suppress(ConnectorError):
                file = await fetch(http, attachment, LIMITS, cache_dir=folder)
                url = f"{address}{ARCHIVE}/media/{file.name}"
                tenant.hosted[attachment.url] = Hosted(url=url, width=file.width or 520)
                found[url] = f"data:{file.media_type};base64,{base64.b64encode(file.data).decode()}"

    with TemporaryDirectory() as folder, suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            for attachment in wanted.values():
                tasks.create_task(one(attachment, Path(folder)))
    return found

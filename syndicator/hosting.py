"""Pictures of letters, where readers' programs may fetch them: from us alone.

What cannot be had is left out, and asked for again with the next try.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from syndicator.assemble import http_for
from syndicator.contract import MediaLimits
from syndicator.errors import ConnectorError
from syndicator.folder import write
from syndicator.letter.shape import Hosted
from syndicator.logs import event
from syndicator.media import fetch
from syndicator.model import Attachment, Issue
from syndicator.newsletters import ARCHIVE

if TYPE_CHECKING:
    from syndicator.tenant import Tenant

LIMITS = MediaLimits(
    images_max=1, image_types=("image/jpeg", "image/png"), image_max_bytes=200_000, image_max_width=1040, image_max_pixels=1_000_000
)
"""Twice the width at which a letter shows it, for sharp screens; programs that know no WebP are common."""
PATIENCE_S = 60.0
AT_ONCE = 4


async def host(tenant: Tenant, issue: Issue) -> None:
    """Have the pictures of an issue stand in the public folder; ``tenant.hosted`` knows them."""
    address = tenant.config.public_url
    if address is None:
        return
    wanted = {entry.image.url: entry.image for section in issue.sections for entry in section.entries if entry.image is not None}
    gate, http = asyncio.Semaphore(AT_ONCE), http_for(tenant.config, tenant.sessions, tenant.now)

    async def one(attachment: Attachment) -> None:
        async with gate:
            try:
                found = await fetch(http, attachment, LIMITS, cache_dir=tenant.config.state_dir / "letters")
            except ConnectorError as error:
                event(tenant.log, logging.INFO, "letter.picture-left-out", url=attachment.url, detail=str(error))
                return
            path = f"{ARCHIVE}/media/{found.name}"
            await asyncio.to_thread(write, tenant.config.public_dir / path, found.data)
            tenant.hosted[attachment.url] = Hosted(url=address + path, width=found.width or 520)

    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            for url, attachment in wanted.items():
                if url not in tenant.hosted:
                    tasks.create_task(one(attachment))

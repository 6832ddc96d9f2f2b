"""Pictures and videos on their way to a status: uploaded once, waited for without waiting, left out when they will never do."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from syndicator import media
from syndicator.contract import Context, MediaLimits
from syndicator.errors import Gone, NotReady, OutcomeUnknown, Rejected, Transient
from syndicator.model import Attachment, Rendition

TRUSTED_FOR = timedelta(hours=1)
"""Uploads older than this are looked at again before they are used: servers drop what is attached to nothing."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that the server has; ``url`` is where it came from."""

    url: str
    media_id: str
    ready: bool
    at: datetime


class Uploads:
    """The uploads of the deliveries under way, by delivery (``owner``) and origin: a second attempt does not upload again."""

    def __init__(self, context: Context, call: Callable[..., Awaitable[Any]]) -> None:
        self._context = context
        self._call = call
        self._pending: dict[tuple[str, str], Upload] = {}

    async def of(self, rendition: Rendition, owner: str, limits: MediaLimits, *, kept: Mapping[str, str] | None = None) -> list[Upload]:
        """Every attachment that will do, uploaded unless ``kept`` (origin → media id) says that the server has it."""
        files = []
        for attachment in rendition.attachments:
            media_id = (kept or {}).get(attachment.url)
            if media_id is not None:
                files.append(Upload(url=attachment.url, media_id=media_id, ready=True, at=self._context.now()))
                continue
            file = self._pending.get((owner, attachment.url)) or await self._upload(attachment, limits)
            if file is not None:
                self._pending[owner, attachment.url] = file
                files.append(file)
        return files

    def renewed(self, files: list[Upload], owner: str) -> list[Upload]:
        """``files``, but for those that had to be uploaded again since."""
        return [self._pending.get((owner, file.url), file) for file in files]

    def forget(self, owner: str) -> None:
        """They are attached now, or lost."""
        self._pending = {name: file for name, file in self._pending.items() if name[0] != owner}

    async def _upload(self, attachment: Attachment, limits: MediaLimits) -> Upload | None:
        """None when the file will never do: a picture never stops a text."""
        context = self._context
        try:
            file = await media.fetch(context.http, attachment, limits, cache_dir=context.state_dir / "media")
            answer = await self._call(
                "media_post",
                file.data,
                mime_type=file.media_type,
                description=file.description or None,
                focus=attachment.focus,
                file_name=file.name,
                write=True,
            )
        except (Rejected, Gone) as error:
            context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            return None
        except OutcomeUnknown as error:
            # An upload that is attached to nothing is seen by nobody.
            raise Transient(error.detail) from error
        if not answer.get("id"):
            raise Transient("the server does not name the upload")
        return Upload(url=attachment.url, media_id=str(answer["id"]), ready=bool(answer.get("url")), at=context.now())

    async def settled(self, files: list[Upload]) -> list[Upload]:
        """Those that can be attached. Raises Transient while the server works on one, Gone when it has one no longer."""
        settled = []
        for file in files:
            if not file.ready or self._context.now() - file.at > TRUSTED_FOR:
                try:
                    answer = await self._call("media", file.media_id)
                except Rejected as error:
                    self._context.log.warning("media left out url=%s: %s", file.url, error.detail)
                    continue
                if not answer.get("url"):
                    raise NotReady(f"the server is still working on {file.url}")
            settled.append(file)
        return settled


def attributes(rendition: Rendition, files: list[Upload], limits: MediaLimits) -> list[dict[str, str]]:
    """What an edit says of media: which ones, and their alt texts (https://docs.joinmastodon.org/methods/statuses/#edit)."""
    alts = {attachment.url: attachment.description for attachment in rendition.attachments}
    return [{"id": file.media_id, "description": media.shorten_alt(alts.get(file.url, ""), limits.alt_max)} for file in files]


def to_json(files: list[Upload]) -> str:
    """What ``publish`` needs to know of ``files``."""
    return json.dumps([[file.url, file.media_id, file.ready, file.at.isoformat()] for file in files])


def from_json(prepared: str) -> list[Upload]:
    """The inverse of ``to_json``."""
    entries = json.loads(prepared)
    return [Upload(url=url, media_id=media_id, ready=ready, at=datetime.fromisoformat(at)) for url, media_id, ready, at in entries]

"""Writing to one room: messages, their pictures, their edits. The package's docstring is the manual page."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.matrix import content
from connectors.matrix.answers import Missing, NotAllowed, Unsupported
from connectors.matrix.client import Client, Login, Session
from connectors.matrix.content import KEY, Content, Uploaded
from connectors.matrix.options import MatrixOptions
from connectors.matrix.room import LOOK_BACK, MARGIN, Room
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Transient
from syndicator.model import Attachment, Receipt, Rendition
from syndicator.text.count import length

WINDOW = timedelta(hours=24)
"""How long Synapse knows a transaction number, for the device that used it."""
FILE_MAX_BYTES = 20 * 1024**2

LIMITS = Limits(
    # An edit says its text twice, and JSON may double it: four times this, and the server's own fields, fit into an event.
    text_max=15_000,
    text_unit="bytes",
    spans=True,
    threads=True,
    media=MediaLimits(
        images_max=10,
        videos_max=1,
        mixed=True,
        image_max_bytes=FILE_MAX_BYTES,
        video_max_bytes=FILE_MAX_BYTES,
        alt_max=2000,
    ),
    # For a day by its transaction number; then, as ``publish`` looks for itself.
    key_window_s=int(LOOK_BACK.total_seconds()),
)


class MatrixPublisher:
    """Writes to one room; see the package's docstring."""

    Options: ClassVar[type[MatrixOptions]] = MatrixOptions
    limits: Limits = LIMITS

    def __init__(self, options: MatrixOptions, context: Context) -> None:
        self._options = options
        self._context = context
        login = Login(
            homeserver=options.base_url,
            token=options.access_token,
            user=options.user,
            password=options.password,
            device_name=f"syndicator {context.name}",
        )
        self._client = Client(context.http, login, context.state_dir / "session.json")
        self._room = Room(self._client, options.room_name)
        self._device_since: datetime | None = None
        self.account: str | None = None

    async def open(self) -> None:
        """Log in, find the room, see that we may write there, and learn how large a file may be; nothing is posted."""
        session = await self._client.log_in()
        await self._room.open()
        self.account = self._room.link
        self._device_since = await asyncio.to_thread(self._since, session)
        await self._learn_limits()

    async def close(self) -> None:
        """Let go of the session."""
        self._client.log_out()

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002
        """Upload the files; nobody sees them before a message names them."""
        return content.to_json(await self._uploaded(rendition.attachments))

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Write the text, then each file; what went out already at an earlier attempt stays as it is."""
        self._refuse(rendition)
        files = await self._uploaded(rendition.attachments) if prepared is None else content.from_json(prepared)
        if not rendition.text and not files:
            raise Rejected("there is neither a text nor a picture")
        known = await self._known(key, rendition) if self._device_is_new() or self._is_old(rendition) else {}
        thread = content.in_thread(parent) if parent is not None else {}
        sent: list[tuple[str, str]] = []
        for name, body in self._messages(rendition, files):
            transaction = _transaction(key, name)
            before = known.get(transaction)
            event_id = (
                str(before["event_id"]) if before else await self._next(body | thread | {KEY: transaction}, transaction, first=not sent)
            )
            sent += [(name, event_id)] if event_id else []
        return self._receipt(sent, root=content.root_of(thread))

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the key tells
        """Look for our messages with that key; one that lacks some of its pictures counts as sent."""
        known = await self._room.ours(_mark(key), self._begun(rendition))
        names = ["text", *(attachment.url for attachment in rendition.attachments)]
        found = [(name, event) for name in names if (event := known.get(_transaction(key, name)))]
        sent = [(name, str(event["event_id"])) for name, event in found]
        return self._receipt(sent, root=content.root_of(found[0][1]["content"])) if sent else None

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace the text and the alt texts; take away pictures and add others, as an answer below."""
        self._refuse(rendition)
        await self._room.event(receipt.remote_id)
        data = dict(receipt.data)
        turn = int(data.get("edits", "0"))
        kept = {name: event_id for name, event_id in receipt.data if "://" in name}
        wanted = {one.url: one for one in rendition.attachments[: self.limits.media.images_max]}
        sent = [("text", await self._edited(data.get("text"), rendition, receipt))] if rendition.text else []
        for url, event_id in kept.items():
            if url in wanted:
                await self._describe(event_id, wanted[url])
                sent.append((url, event_id))
            else:
                await self._erase(event_id)
        for file in await self._uploaded(one for url, one in wanted.items() if url not in kept):
            transaction = _transaction(f"{receipt.remote_id} {turn}", file.url)
            sent.append((file.url, await self._room.send(content.of_file(file) | content.in_reply_to(receipt.remote_id), transaction)))
        changed = self._receipt(sent or [("text", receipt.remote_id)], root=data.get("root"))
        return replace(changed, data=(*changed.data, ("edits", str(turn + 1))))

    async def delete(self, receipt: Receipt) -> None:
        """Redact the pictures, their edits and the text's, and the text last: what is left, a second attempt takes."""
        events = [event_id for name, event_id in receipt.data if "://" in name and event_id != receipt.remote_id]
        for event_id in events:
            await self._erase(event_id)
        if not await self._erase(receipt.remote_id):
            raise Gone(f"{receipt.remote_id} was redacted")

    async def _known(self, key: str, rendition: Rendition) -> Mapping[str, Mapping[str, Any]]:
        """What we may have written under that key, as another device or long ago; an account that is only invited joins first."""
        try:
            return await self._room.ours(_mark(key), self._begun(rendition))
        except NotAllowed as error:
            await self._room.enter(error)
        return await self._room.ours(_mark(key), self._begun(rendition))

    def _refuse(self, rendition: Rendition) -> None:
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected("only what is public is published")
        if length(rendition.text, LIMITS) > (LIMITS.text_max or 0):
            raise Rejected(f"the text has more than {LIMITS.text_max} bytes: its edits would not fit into an event")

    def _messages(self, rendition: Rendition, files: list[Uploaded]) -> list[tuple[str, Content]]:
        """Each message of one post, by its name: the text first."""
        text = [("text", content.message(rendition, notice=self._options.notice))] if rendition.text else []
        return [*text, *((file.url, content.of_file(file)) for file in files)]

    async def _next(self, body: Content, transaction: str, *, first: bool) -> str | None:
        """Send one of several; once the first is there, whatever stops the others leaves the whole unknown. None: it will never do."""
        try:
            return await self._room.send(body, transaction)
        except Rejected as error:
            if first:
                raise
            self._context.log.warning("media left out: %s", error.detail)
            return None
        except (Transient, AuthExpired) as error:
            if first:
                raise
            raise OutcomeUnknown(f"only a part of it went out: {error.detail}", hint=error.hint) from error

    async def _edited(self, event_id: str | None, rendition: Rendition, receipt: Receipt) -> str:
        """Make the text event show the rendition; write it when there was none."""
        body = content.message(rendition, notice=self._options.notice)
        if event_id is None:
            return await self._room.send(body | content.in_reply_to(receipt.remote_id), _transaction(receipt.remote_id, "text"))
        event = await self._room.event(event_id)
        body |= {KEY: key} if (key := (event.get("content") or {}).get(KEY)) else {}
        # A number of its own each time: text that comes back to what it was before is an edit too.
        await self._room.send(content.edit_of(event_id, body), f"syn-edit-{secrets.token_hex(12)}")
        return event_id

    async def _describe(self, event_id: str, attachment: Attachment) -> None:
        """Make a picture's caption the alt text that it has now."""
        try:
            shown = dict(content.current(await self._room.event(event_id)))
        except Gone:
            return
        caption = media.shorten_alt(attachment.description, self.limits.media.alt_max) or str(shown.get("filename") or "")
        if shown.get("body") == caption or not caption:
            return
        body = {name: value for name, value in shown.items() if name != "m.relates_to"} | {"body": caption, "m.mentions": {}}
        await self._room.send(content.edit_of(event_id, body), f"syn-edit-{secrets.token_hex(12)}")

    async def _erase(self, event_id: str) -> bool:
        """Redact a message after its edits, which hold its text too; False when it was gone already."""
        try:
            await self._room.event(event_id)
        except Gone:
            return False
        for one in [*await self._room.edits(event_id), event_id]:
            await self._room.redact(one, f"syn-redact-{_digest(one)}")
        return True

    async def _uploaded(self, attachments: Iterable[Attachment]) -> list[Uploaded]:
        """Every attachment that will do."""
        wanted = list(attachments)[: self.limits.media.images_max]
        return [file for attachment in wanted if (file := await self._upload(attachment)) is not None]

    async def _upload(self, attachment: Attachment) -> Uploaded | None:
        """None when the file will never do: a picture never stops a text."""
        context = self._context
        try:
            file = await media.fetch(context.http, attachment, self.limits.media, cache_dir=context.state_dir / "media")
            answer = await self._client.call(
                "POST", "/_matrix/media/v3/upload", params={"filename": file.name}, data=file.data, media_type=file.media_type
            )
        except (Rejected, Gone) as error:
            context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            return None
        if not str(answer.get("content_uri") or "").startswith("mxc://"):
            raise Transient("the server does not name the upload")
        return Uploaded(
            url=attachment.url,
            mxc=str(answer["content_uri"]),
            name=file.name,
            media_type=file.media_type,
            size=len(file.data),
            width=file.width or attachment.width,
            height=file.height or attachment.height,
            duration_ms=round(attachment.duration_s * 1000) if attachment.duration_s else None,
            description=file.description,
        )

    async def _learn_limits(self) -> None:
        """https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv1mediaconfig, and where it was before."""
        config: Any = {}
        for path in ("/_matrix/client/v1/media/config", "/_matrix/media/v3/config"):
            with suppress(Unsupported, Missing):
                config = await self._client.call("GET", path)
                break
        most = config.get("m.upload.size")
        if isinstance(most, int) and 0 < most < FILE_MAX_BYTES:
            rules = replace(LIMITS.media, image_max_bytes=most, video_max_bytes=most)
            self.limits = replace(LIMITS, media=rules)

    def _since(self, session: Session) -> datetime:
        """Since when we write as this device: transaction numbers of another one are worth nothing."""
        path, now = self._context.state_dir / "device.json", self._context.now()
        device = f"{session.user_id} {session.device_id or _digest(session.token)}"
        with suppress(OSError, ValueError, KeyError, TypeError):
            known = json.loads(path.read_bytes())
            if known["device"] == device:
                return datetime.fromisoformat(known["since"])
        with suppress(OSError):
            path.write_text(json.dumps({"device": device, "since": now.isoformat()}))
        return now

    def _device_is_new(self) -> bool:
        return self._device_since is None or self._context.now() - self._device_since < WINDOW

    def _is_old(self, rendition: Rendition) -> bool:
        """Whether an earlier attempt may be so old that the server has forgotten its number."""
        return rendition.published_at is None or self._context.now() - rendition.published_at > WINDOW - MARGIN

    def _begun(self, rendition: Rendition) -> datetime:
        """Before this, no attempt was made."""
        earliest = self._context.now() - LOOK_BACK
        return max(rendition.published_at or earliest, earliest) - MARGIN

    def _receipt(self, sent: list[tuple[str, str]], *, root: str | None) -> Receipt:
        first = sent[0][1]
        return Receipt(remote_id=first, url=self._room.link_to(first), data=(*([("root", root)] if root else []), *sent))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _mark(key: str) -> str:
    """What the keys of all messages of one delivery begin with."""
    return f"syn-{_digest(key)}-"


def _transaction(key: str, name: str) -> str:
    return _mark(key) + ("text" if name == "text" else _digest(name))

"""Writing to one chat: the messages it sends, edits and deletes. The package's docstring is the manual page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from connectors.telegram import content
from connectors.telegram.answers import RIGHTS_HINT, UNCHANGED
from connectors.telegram.bot import Bot
from connectors.telegram.content import File, Piece
from connectors.telegram.options import TelegramOptions
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits
from syndicator.errors import AuthExpired, Gone, Rejected, words
from syndicator.model import Attachment, Receipt, Rendition
from syndicator.text.count import length

DELETABLE_FOR = timedelta(hours=48)
CAPTION_MAX = 1024

LIMITS = Limits(
    text_max=4096,
    # Entity offsets are UTF-16 units; so is, to be safe, the length.
    text_unit="utf16",
    caption_max=CAPTION_MAX,
    spans=True,
    sensitive_media=True,
    threads=True,
    media=MediaLimits(
        images_max=10,
        videos_max=1,
        image_types=("image/jpeg", "image/png"),
        # Each may have 10 MB, an album's request 50 MB in all; Telegram makes all of them anew anyway.
        image_max_bytes=4_500_000,
        # Width and height may not exceed 10,000 together: so no picture of up to 20:1 does. Telegram shows much less than that anyway.
        image_max_pixels=4_500_000,
        image_ratio=(1 / 20, 20.0),
        video_types=("video/mp4",),
        video_max_bytes=50_000_000,
        alt_max=0,
    ),
)

OLD_HINT = words(
    fr="Un bot ne peut plus effacer un message de plus de 48 heures : effacez-le vous-même dans le canal.",
    en="A bot cannot delete a message older than 48 hours: delete it in the channel yourself.",
)
CAPTION_HINT = words(
    fr="Ce message a des images : son texte ne peut plus dépasser 1 024 caractères. Corrigez-le dans le canal.",
    en="This message has pictures: its text cannot grow beyond 1,024 characters any more. Correct it in the channel.",
)


class TelegramPublisher:
    """Writes to one chat; see the package's docstring."""

    Options: ClassVar[type[TelegramOptions]] = TelegramOptions
    limits: Limits = LIMITS

    def __init__(self, options: TelegramOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._bot = Bot(context.http, options)
        self._cache_dir = context.state_dir / "media"
        self.account: str | None = None

    async def open(self) -> None:
        """Log in, find the chat, check that the bot may post there."""
        bot = await self._bot.call("getMe")
        try:
            chat = await self._bot.call("getChat", {"chat_id": self._options.chat_id})
            member = await self._bot.call("getChatMember", {"chat_id": self._options.chat_id, "user_id": bot["id"]})
        except Rejected as error:
            # Whatever it says, the bot does not see the chat as somebody who may post there does.
            raise AuthExpired(error.detail, hint=RIGHTS_HINT) from error
        if not _may_post(chat, member):
            raise AuthExpired(f"the bot is {member.get('status')} there and may not post", hint=RIGHTS_HINT)
        self.account = f"https://t.me/{chat['username']}" if chat.get("username") else None

    async def close(self) -> None:
        """Nothing to give back."""

    async def gather(self, attachment: Attachment, rendition: Rendition) -> None:  # noqa: ARG002 - the same for every message
        """Fetch a picture, or a video to disk."""
        await self._file(attachment)

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Send one message, or an album; media that will never do are left out, and the text goes all the same."""
        if rendition.visibility not in ("public", "unlisted"):
            raise Rejected(f"a {rendition.visibility} item is not for publication")
        about: dict[str, Any] = {"chat_id": self._options.chat_id}
        if self._options.silent:
            about["disable_notification"] = True
        if parent is not None:
            about["reply_parameters"] = {"message_id": int(parent.remote_id)}
        if pieces := await self._pieces(rendition):
            try:
                return await self._send_pieces(rendition, pieces, about)
            except Rejected as error:
                # Nothing was made. Should it be the text that is refused, it will be refused again.
                self._context.log.warning("media left out uid=%s: %s", rendition.uid, error.detail)
        message = await self._bot.call("sendMessage", {**about, **self._text(rendition)})
        return content.receipt_of([message], form="text")

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace the text or caption, and a single picture that is another one now."""
        sent = dict(receipt.data)
        which = {"chat_id": self._options.chat_id, "message_id": int(receipt.remote_id)}
        form, fits = sent.get("form", "text"), length(rendition.text, LIMITS) <= CAPTION_MAX
        if form != "text" and not fits:
            raise Rejected(f"a caption has at most {CAPTION_MAX} characters", hint=CAPTION_HINT)
        if fits and sent.get("media", "") != content.origins(rendition):
            changed = await self._replace_file(receipt, rendition, which) if form != "album" else None
            if changed is not None:
                return changed
            self._context.log.warning("media not changed uid=%s", rendition.uid)
        if form == "text":
            await self._bot.call("editMessageText", which | self._text(rendition), done=UNCHANGED)
        else:
            await self._bot.call("editMessageCaption", which | content.caption_of(rendition), done=UNCHANGED)
        return receipt

    async def delete(self, receipt: Receipt) -> None:
        """Remove the message, or every message of the album, while Telegram lets bots do so."""
        sent = dict(receipt.data)
        numbers = [int(number) for number in (receipt.remote_id, *sent.get("also", "").split(",")) if number]
        which = {"message_ids": numbers} if len(numbers) > 1 else {"message_id": numbers[0]}
        try:
            await self._bot.call("deleteMessages" if len(numbers) > 1 else "deleteMessage", {"chat_id": self._options.chat_id, **which})
        except Rejected as error:
            made = datetime.fromtimestamp(int(sent.get("date", 0)), UTC)
            hint = OLD_HINT if self._context.now() - made >= DELETABLE_FOR else error.hint
            raise Rejected(error.detail, hint=hint) from error

    async def _send_pieces(self, rendition: Rendition, pieces: list[Piece], about: Mapping[str, Any]) -> Receipt:
        media_shown = content.origins(rendition)
        if len(pieces) == 1:
            (piece,) = pieces
            said = {**about, **piece.about, **(content.caption_of(rendition) if rendition.text else {})}
            message = await self._bot.call(f"send{piece.kind.capitalize()}", said, {piece.kind: piece.file})
            await _forget(piece.file)
            return content.receipt_of([message], form=piece.kind, media=media_shown)
        named = {f"file{number}": piece for number, piece in enumerate(pieces)}
        files = {name: piece.file for name, piece in named.items()}
        messages = await self._bot.call("sendMediaGroup", {**about, "media": content.album_of(named, rendition)}, files)
        return content.receipt_of(messages, form="album", media=media_shown)

    async def _replace_file(self, receipt: Receipt, rendition: Rendition, which: Mapping[str, Any]) -> Receipt | None:
        """One picture or video instead of what there was, a text included; None when there is not exactly one, or it will not do."""
        pieces = await self._pieces(rendition) if len(rendition.attachments) == 1 else []
        if not pieces:
            return None
        (piece,) = pieces
        new = content.media_of("file", piece) | content.caption_of(rendition)
        try:
            await self._bot.call("editMessageMedia", {**which, "media": new}, {"file": piece.file}, done=UNCHANGED)
        except Rejected as error:
            self._context.log.warning("media left out uid=%s: %s", rendition.uid, error.detail)
            return None
        await _forget(piece.file)
        data = dict(receipt.data) | {"form": piece.kind, "media": content.origins(rendition)}
        return replace(receipt, data=tuple(data.items()))

    def _text(self, rendition: Rendition) -> dict[str, Any]:
        return content.text_of(rendition, preview=self._options.link_preview)

    async def _pieces(self, rendition: Rendition) -> list[Piece]:
        """Every attachment that will do, in order."""
        found = []
        for attachment in rendition.attachments[: LIMITS.media.images_max]:
            try:
                file = await self._file(attachment)
            except (Rejected, Gone) as error:
                self._context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            else:
                found.append(content.piece_of(file, attachment, rendition))
        return found

    async def _file(self, attachment: Attachment) -> File:
        fetch = media.fetch_file if attachment.type in ("video", "gifv") else media.fetch
        return await fetch(self._context.http, attachment, LIMITS.media, cache_dir=self._cache_dir)


async def _forget(file: File) -> None:
    if isinstance(file, media.VideoFile):
        await media.forget(file)


def _may_post(chat: Mapping[str, Any], member: Mapping[str, Any]) -> bool:
    status = member.get("status")
    if chat.get("type") == "channel":
        return status == "creator" or (status == "administrator" and member.get("can_post_messages") is True)
    return status in ("creator", "administrator", "member") or (status == "restricted" and member.get("can_send_messages") is True)

"""Writing to one room. The package's docstring is the manual page."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import PurePath
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import aiohttp

from connectors.rocketchat.api import ADDRESS_HINT, ARCHIVED_HINT, RIGHTS_HINT, Api, Unexplained
from connectors.rocketchat.wording import plain, uncalled
from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits, Secret
from syndicator.errors import AuthExpired, Gone, OutcomeUnknown, Rejected, Transient, Unprepared, words
from syndicator.model import Attachment, Receipt, Rendition
from syndicator.text.count import length

FOREVER_S = 10 * 365 * 86_400
FILE_MAX_BYTES = 20 * 1024**2
UPLOADS_LIVE = timedelta(hours=22)
"""A file that no message shows is deleted after 24 hours."""

LIMITS = Limits(
    text_max=5000,
    # JavaScript's length.
    text_unit="utf16",
    threads=True,
    media=MediaLimits(
        # Two calls of a kind each, of ten in a minute.
        images_max=4,
        videos_max=1,
        mixed=True,
        image_max_bytes=FILE_MAX_BYTES,
        video_max_bytes=FILE_MAX_BYTES,
        alt_max=1500,
    ),
    # A message of the same _id is never made twice.
    key_window_s=FOREVER_S,
)
# What Meteor makes its own numbers of: no signs that look alike.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"
_ROOM = re.compile(r"[\w.\-]+")

ROOM_HINT = words(
    fr="Vérifiez room : ce salon n'existe pas, ou le compte n'y est pas entré.",
    en="Check room: there is no such room, or the account is not in it.",
)
ENCRYPTED_HINT = words(
    fr="Ce salon est chiffré de bout en bout : un robot ne peut pas y écrire. Choisissez un salon sans chiffrement.",
    en="This room is encrypted end to end: a robot cannot write there. Choose a room without encryption.",
)


@dataclass(frozen=True, kw_only=True)
class RocketchatOptions:
    """Which room, and who writes there."""

    url: str
    """Address of the server, such as ``https://chat.asso.example``."""
    user_id: str
    """The account's user id, shown with the token: letters and digits, not its name."""
    token: Secret
    """A personal access token of the account."""
    room: str
    """The room's name, as its address has it: ``annonces``; or its number."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if "/hooks/" in self.url:
            raise ValueError(
                words(
                    fr="url est l'adresse du serveur, comme https://chat.asso.example, pas d'un webhook : il faut le jeton d'un compte.",
                    en="url is the server's address, such as https://chat.asso.example, not a webhook's: it takes an account's token.",
                )
            )
        if not self.user_id.strip():
            raise ValueError(
                words(
                    fr="user_id est vide : c'est le numéro montré avec le jeton d'accès personnel.",
                    en="user_id is empty: it is the number shown with the personal access token.",
                )
            )
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError(
                words(
                    fr=f"« {self.url} » n'est pas l'adresse d'un serveur : écrivez par exemple https://chat.asso.example.",
                    en=f"“{self.url}” is not the address of a server: write for example https://chat.asso.example.",
                )
            )
        if not _ROOM.fullmatch(self.room_name):
            raise ValueError(
                words(
                    fr=f"« {self.room} » n'est pas le nom d'un salon : écrivez par exemple annonces.",
                    en=f"“{self.room}” is not the name of a room: write for example annonces.",
                )
            )

    @property
    def base_url(self) -> str:
        """The server's address without a trailing slash; a path is kept, some servers live below one."""
        return (self.url if "://" in self.url else f"https://{self.url}").rstrip("/")

    @property
    def room_name(self) -> str:
        """The room's name, out of ``#name`` and of its whole address too."""
        name = self.room.strip().removeprefix(f"{self.base_url}/").strip("/").removeprefix("#")
        return name.removeprefix("channel/").removeprefix("group/")


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """A file that the server has; ``url`` is where it came from, ``name`` tells its message from all others."""

    url: str
    file_id: str
    name: str
    description: str


class RocketchatPublisher:
    """Writes to one room; see the package's docstring."""

    Options: ClassVar[type[RocketchatOptions]] = RocketchatOptions
    limits: Limits = LIMITS

    def __init__(self, options: RocketchatOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._api = Api(context.http, options.base_url, options.user_id.strip(), options.token)
        self._room_id = ""
        self._read_only = False
        self.account: str | None = None

    async def open(self) -> None:
        """See whose token it is, that the room is there and open, and what the server takes; nothing is posted."""
        me = await self._api.call("GET", "me")
        room = await self._found()
        if not me.get("_id") or not room.get("_id"):
            raise Rejected("the answer is not that of a Rocket.Chat server", hint=ADDRESS_HINT)
        if room.get("archived"):
            raise AuthExpired(f"{self._options.room_name} is archived", hint=ARCHIVED_HINT)
        if room.get("encrypted"):
            raise Rejected(f"{self._options.room_name} is encrypted", hint=ENCRYPTED_HINT)
        self._room_id, self._read_only = str(room["_id"]), bool(room.get("ro"))
        kind = "group" if room.get("t") == "p" else "channel"
        self.account = f"{self._options.base_url}/{kind}/{quote(str(room.get('name') or self._room_id))}"
        await self._learn()

    async def close(self) -> None:
        """Nothing to give back."""

    async def prepare(self, rendition: Rendition, key: str, *, parent: Receipt | None = None) -> str:  # noqa: ARG002
        """Upload the files; nobody sees them before a message shows them."""
        files = await self._uploaded(rendition, key)
        return json.dumps({"at": self._context.now().isoformat(), "files": [asdict(file) for file in files]})

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:
        """Write the text, then show each file; what went out already at an earlier attempt stays as it is."""
        _refuse(rendition)
        files = await self._uploaded(rendition, key) if prepared is None else self._usable(prepared)
        if not rendition.text and not files:
            raise Rejected("there is neither a text nor a picture")
        thread = {"tmid": parent.remote_id} if parent is not None else {}
        message_id, known = _id(key), {}
        body = {"_id": message_id, "rid": self._room_id, "msg": self._text(rendition), **thread}
        before = await self._sent(body)
        if before is not None and files:
            known = await self._shown(files, before)
        shown = []
        for file in files:
            found = known.get(file.name) or await self._show(file, thread)
            shown += [(file.url, found)] if found else []
        return self._receipt(message_id, shown)

    async def find(self, key: str, rendition: Rendition, *, prepared: str | None = None) -> Receipt | None:  # noqa: ARG002 - the key tells
        """Ask for the one number that this delivery can have, and for the files beside it."""
        message = await self._message(_id(key))
        if message is None:
            return None
        files = [Uploaded(**entry) for entry in json.loads(prepared)["files"]] if prepared else []
        known = await self._shown(files, message) if files else {}
        return self._receipt(_id(key), [(file.url, known[file.name]) for file in files if file.name in known])

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace the text and the alt texts, and take away what an edit dropped; pictures that it adds are left out."""
        _refuse(rendition)
        if await self._message(receipt.remote_id) is None:
            raise Gone(f"{receipt.remote_id} was deleted")
        await self._edit(receipt.remote_id, self._text(rendition))
        wanted = {one.url: one for one in rendition.attachments}
        for url, message_id in receipt.data:
            if url in wanted:
                await self._describe(message_id, wanted.pop(url))
            else:
                await self._erase(message_id)
        for url in wanted:
            self._context.log.warning("media left out url=%s: an edit cannot add it", url)
        return replace(
            receipt, data=tuple((url, found) for url, found in receipt.data if any(url == one.url for one in rendition.attachments))
        )

    async def delete(self, receipt: Receipt) -> None:
        """Remove the files' messages, and the text's last: what is left, a second attempt takes."""
        for _, message_id in receipt.data:
            await self._erase(message_id)
        if not await self._erase(receipt.remote_id):
            raise Gone(f"{receipt.remote_id} was deleted")

    async def _sent(self, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Send the text; what was there already when the server does not take it for that reason."""
        try:
            answer = await self._api.call("POST", "chat.sendMessage", {"message": body}, write=True)
            if (answer.get("message") or {}).get("_id") == body["_id"]:
                return None
            before = await self._message(str(body["_id"]))
            if before is None:
                raise OutcomeUnknown("the answer names no message")
        except Unexplained as error:
            # It knows the number: it fails on that without saying so.
            before = await self._message(str(body["_id"]))
            if before is None:
                raise (AuthExpired(error.detail, hint=RIGHTS_HINT) if self._read_only else error) from error
        return before

    async def _show(self, file: Uploaded, thread: Mapping[str, str]) -> str | None:
        """Make a message of a file; whatever stops it leaves the whole unknown. None: it will never do."""
        body = {"description": uncalled(file.description), **thread}
        try:
            answer = await self._api.call("POST", f"rooms.mediaConfirm/{self._room_id}/{file.file_id}", body, write=True)
        except Rejected as error:
            self._context.log.warning("media left out url=%s: %s", file.url, error.detail)
            return None
        except (Transient, AuthExpired) as error:
            raise OutcomeUnknown(f"only a part of it went out: {error.detail}", hint=error.hint) from error
        message_id = (answer.get("message") or {}).get("_id")
        if not message_id:
            raise OutcomeUnknown("the answer names no message")
        return str(message_id)

    async def _shown(self, files: list[Uploaded], text: Mapping[str, Any]) -> dict[str, str]:
        """The messages that show ``files`` already, by name, among what is newer than the text."""
        params = {"roomId": self._room_id, "lastUpdate": str(text.get("ts") or self._context.now().isoformat())}
        answer = await self._api.call("GET", "chat.syncMessages", params=params)
        names = {file.name for file in files}
        found = {}
        for message in (answer.get("result") or {}).get("updated") or []:
            name = str((message.get("file") or {}).get("name") or "")
            if name in names and (message.get("u") or {}).get("_id") == self._options.user_id.strip() and not _is_gone(message):
                found[name] = str(message["_id"])
        return found

    async def _message(self, message_id: str) -> Mapping[str, Any] | None:
        """A message as it is now; None when there is none."""
        try:
            answer = await self._api.call("GET", "chat.getMessage", params={"msgId": message_id})
        except Unexplained:
            return None
        message = answer.get("message")
        if not isinstance(message, Mapping) or not message.get("_id"):
            raise Transient("the answer is no message")
        return None if _is_gone(message) else message

    async def _edit(self, message_id: str, text: str) -> None:
        try:
            await self._api.call("POST", "chat.update", {"roomId": self._room_id, "msgId": message_id, "text": text}, write=True)
        except Unexplained as error:
            if await self._message(message_id) is None:
                raise Gone(error.detail) from error
            raise

    async def _describe(self, message_id: str, attachment: Attachment) -> None:
        """An edit of a file's message edits its description."""
        message = await self._message(message_id)
        shown = ((message or {}).get("attachments") or [{}])[0].get("description") or ""
        wanted = uncalled(media.shorten_alt(attachment.description, self.limits.media.alt_max))
        if message is not None and shown != wanted:
            await self._edit(message_id, wanted)

    async def _erase(self, message_id: str) -> bool:
        """Delete a message; False when it was gone already."""
        try:
            await self._api.call("POST", "chat.delete", {"roomId": self._room_id, "msgId": message_id}, write=True)
        except Unexplained:
            if await self._message(message_id) is None:
                return False
            raise
        return True

    async def _found(self) -> Mapping[str, Any]:
        """The room, by its name, else by its number."""
        try:
            answer = await self._api.call("GET", "rooms.info", params={"roomName": self._options.room_name})
        except AuthExpired as error:
            if error.hint is not RIGHTS_HINT:
                raise
            try:
                answer = await self._api.call("GET", "rooms.info", params={"roomId": self._options.room_name})
            except AuthExpired as second:
                raise AuthExpired(second.detail, hint=ROOM_HINT) from second
        room = answer.get("room")
        return room if isinstance(room, Mapping) else {}

    def _text(self, rendition: Rendition) -> str:
        """Made to mean nothing, unless only that makes it too long. A message has to say something: what its picture shows, if need be."""
        text = rendition.text or next((one.description for one in rendition.attachments if one.description), "📷")
        marked = plain(text)
        return marked if length(marked, self.limits) <= (self.limits.text_max or 0) else uncalled(text)

    def _usable(self, prepared: str) -> list[Uploaded]:
        known = json.loads(prepared)
        if known["files"] and self._context.now() - datetime.fromisoformat(known["at"]) > UPLOADS_LIVE:
            raise Unprepared("the files that were uploaded are deleted by now")
        return [Uploaded(**entry) for entry in known["files"]]

    async def _uploaded(self, rendition: Rendition, key: str) -> list[Uploaded]:
        """Every attachment that will do."""
        wanted = rendition.attachments[: self.limits.media.images_max]
        return [file for place, one in enumerate(wanted) if (file := await self._upload(one, f"{_id(key)}-{place + 1}")) is not None]

    async def _upload(self, attachment: Attachment, name: str) -> Uploaded | None:
        """None when the file will never do: a picture never stops a text."""
        context = self._context
        try:
            file = await media.fetch(context.http, attachment, self.limits.media, cache_dir=context.state_dir / "media")
            name += PurePath(file.name).suffix
            form = aiohttp.FormData()
            form.add_field("file", BytesIO(file.data), filename=name, content_type=file.media_type)
            answer = await self._api.call("POST", f"rooms.media/{self._room_id}", form=form)
        except (Rejected, Gone) as error:
            context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
            return None
        file_id = (answer.get("file") or {}).get("_id")
        if not file_id:
            raise Transient("the server does not name the upload")
        return Uploaded(url=attachment.url, file_id=str(file_id), name=name, description=file.description)

    async def _learn(self) -> None:
        """What the workspace says of its limits; older servers say nothing when asked like this."""
        names = {"_id": "Message_MaxAllowedSize,FileUpload_MaxFileSize"}
        try:
            answer = await self._api.call("GET", "settings.public", params=names)
        except (Rejected, AuthExpired):
            return
        said = {one.get("_id"): one.get("value") for one in answer.get("settings") or []}
        text, size = said.get("Message_MaxAllowedSize"), said.get("FileUpload_MaxFileSize")
        rules = LIMITS.media
        if isinstance(size, int) and 0 < size < FILE_MAX_BYTES:
            rules = replace(rules, image_max_bytes=size, video_max_bytes=size)
        self.limits = replace(LIMITS, text_max=text if isinstance(text, int) and text > 0 else LIMITS.text_max, media=rules)

    def _receipt(self, message_id: str, shown: list[tuple[str, str]]) -> Receipt:
        return Receipt(remote_id=message_id, url=f"{self.account}?msg={message_id}", data=tuple(shown))


def _refuse(rendition: Rendition) -> None:
    if rendition.visibility not in ("public", "unlisted"):
        raise Rejected("only what is public is published")


def _is_gone(message: Mapping[str, Any]) -> bool:
    """Workspaces may keep what was deleted: as a note that something was (``rm``), or hidden."""
    return message.get("t") == "rm" or bool(message.get("_hidden"))


def _id(key: str) -> str:
    """A number as Meteor makes them, of the key."""
    number, signs = int.from_bytes(hashlib.sha256(key.encode()).digest(), "big"), ""
    while len(signs) < 17:
        number, place = divmod(number, len(_ALPHABET))
        signs += _ALPHABET[place]
    return signs

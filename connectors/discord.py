"""Discord: one channel of a server, through a webhook. A destination.

*What it does.* One message per item, with up to ten pictures or a video and their descriptions (alt texts). Edits and deletions follow,
pictures included. Nobody is ever called: @everyone, @here and whatever else looks like a mention stays text.

*Credential.* In Discord, on the channel: Modifier le salon → Intégrations → Webhooks → Nouveau webhook → « Copier l'URL du webhook ». Half
a minute, free, for ever, or until somebody deletes the webhook. The address is the secret: whoever has it can write there. The name and
picture that the messages show are those given to the webhook there. For a thread or a post of a forum, put its number into ``thread_id``
(Paramètres → Avancés → Mode développeur, then right click → « Copier l'identifiant »).

*Cost.* Nothing. One request for each message; about 5 in 2 seconds and 30 a minute for each channel. What Discord says of the room that is
left is obeyed before it has to refuse: too many refusals ban an address for an hour.

*Long texts.* 2,000 characters, in which the backslashes count that keep signs such as * and _ from becoming markup. Where only they make a
text too long, it is shown as an embed, whole: nothing is cut.

*"Did it go out?"* Nobody can tell: a webhook cannot read its channel, and there are no keys. Such a message waits for a person, or is sent
again where ``on_unknown = "retry"``.

*What it cannot do.* Threads: a webhook cannot answer a message, so that long texts are shortened. Videos above 10 MB, or any file above:
they become a still picture and a link. Content warnings have no place of their own: they open the text.

Specification: https://discord.com/developers/docs/resources/webhook (API v10).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, ClassVar
from urllib.parse import urlsplit

import aiohttp

from syndicator import media
from syndicator.contract import Context, Limits, MediaLimits, Secret
from syndicator.errors import AuthExpired, ConnectorError, Gone, OutcomeUnknown, RateLimited, Rejected, Transient, words
from syndicator.http import Response, error_for, retry_after
from syndicator.media import MediaFile
from syndicator.model import Receipt, Rendition
from syndicator.text.count import length
from syndicator.text.links import addresses
from syndicator.text.markup import to_markup

SUPPRESS_EMBEDS = 1 << 2
CONTENT_MAX = 2000
REQUEST_BYTES = 24_000_000
"""A request holds 25 MiB, whatever each file may have."""
UPLOAD_TIMEOUT_S = 180.0

LIMITS = Limits(
    text_max=CONTENT_MAX,
    text_unit="utf16",
    media=MediaLimits(
        images_max=10,
        videos_max=1,
        image_max_bytes=10 * 1024**2,
        video_types=("video/mp4", "video/webm", "video/quicktime"),
        video_max_bytes=10 * 1024**2,
        alt_max=1024,
    ),
)

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
NEEDS_THREAD = 220001
TOO_LARGE = 40005

_NO_JSON = object()

_ADDRESS = re.compile(r"/api(?:/v\d+)?/webhooks/(?P<id>\d+)/(?P<token>[\w-]+)/?")
_SUBTEXT = re.compile(r"^([ \t]*)-#(?=[ \t])", re.MULTILINE)
_ENDS_WELL = re.compile(r"[.,:;]?(?:\s|$)")

WEBHOOK_HINT = words(
    fr="Le webhook n'existe plus : dans Discord, salon → Intégrations → Webhooks, créez-en un et copiez son URL.",
    en="The webhook is no more: in Discord, channel → Integrations → Webhooks, make one and copy its URL.",
)
THREAD_HINT = words(
    fr="Vérifiez thread_id : ce fil n'existe pas dans le salon du webhook, ou bien le salon est un forum et il en faut un.",
    en="Check thread_id: the webhook's channel has no such thread, or it is a forum and needs one.",
)
ADDRESS_HINT = words(
    fr="Vérifiez webhook : l'adresse ne répond pas comme Discord.",
    en="Check webhook: the address does not answer as Discord does.",
)


@dataclass(frozen=True, kw_only=True)
class DiscordOptions:
    """Which channel, and under which name."""

    webhook: Secret
    """The webhook's whole address, ``https://discord.com/api/webhooks/…/…``."""
    thread_id: str | None = None
    """The number of a thread of that channel, or of a forum's post, to write into."""
    username: str | None = None
    """Another name to show than the webhook's own."""
    suppress_embeds: bool = False
    """Show no cards of the links in a text."""

    def __post_init__(self) -> None:
        if self.thread_id is not None and not re.fullmatch(r"[1-9]\d*", self.thread_id):
            raise ValueError(words(fr="thread_id est un numéro, entre guillemets.", en="thread_id is a number, in quotes."))
        if self.username is not None and not (1 <= len(self.username.strip()) <= 80 and "discord" not in self.username.lower()):
            raise ValueError(
                words(fr="username a 1 à 80 caractères, sans le mot « discord ».", en="username has 1 to 80 characters, without “discord”.")
            )


class DiscordPublisher:
    """Writes through one webhook; see the module's docstring."""

    Options: ClassVar[type[DiscordOptions]] = DiscordOptions
    limits: Limits = LIMITS

    def __init__(self, options: DiscordOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._guild_id: str | None = None
        self._full_until: dict[str, datetime] = {}
        """Method → when its bucket empties."""
        self.account: str | None = None

    async def open(self) -> None:
        """See that the webhook is there, and which channel it writes to; nothing is posted."""
        webhook = await self._call("GET")
        if not isinstance(webhook, dict) or not webhook.get("id"):
            raise Rejected("the answer is not a webhook", hint=ADDRESS_HINT)
        self._guild_id = webhook.get("guild_id")
        self.account = self._page(self._options.thread_id or webhook.get("channel_id"))

    async def close(self) -> None:
        """Nothing to give back."""

    async def publish(self, rendition: Rendition, key: str, *, parent: Receipt | None = None, prepared: str | None = None) -> Receipt:  # noqa: ARG002
        """Post one message; files that will never do are left out, and the text goes all the same."""
        return await self._write("POST", "", rendition, {})

    async def update(self, receipt: Receipt, rendition: Rendition) -> Receipt:
        """Replace text, files and descriptions; files that did not change are not uploaded again."""
        wanted = {attachment.url for attachment in rendition.attachments}
        kept = {url: number for url, number in receipt.data if url in wanted}
        return await self._write("PATCH", f"/messages/{receipt.remote_id}", rendition, kept)

    async def delete(self, receipt: Receipt) -> None:
        """Remove the message."""
        await self._call("DELETE", f"/messages/{receipt.remote_id}")

    async def _write(self, method: str, path: str, rendition: Rendition, kept: Mapping[str, str]) -> Receipt:
        """Post or edit; ``kept`` are the files that the message has: where from, and their numbers."""
        files = await self._files(rendition, kept)
        name = {"username": self._options.username} if self._options.username and method == "POST" else {}
        try:
            message = await self._call(method, path, body=self._body(rendition, files, kept) | name, files=files)
        except _TooLarge as error:
            if not files:
                raise Rejected(error.detail) from error
            self._context.log.warning("media left out uid=%s: %s", rendition.uid, error.detail)
            files = {}
            message = await self._call(method, path, body=self._body(rendition, files, kept) | name)
        return self._receipt(message, files, kept)

    def _body(self, rendition: Rendition, files: Mapping[str, MediaFile], kept: Mapping[str, str]) -> dict[str, Any]:
        """What a message says, whole: an edit replaces all of it."""
        text = markdown(rendition.text)
        embeds: list[dict[str, Any]] = []
        if length(text, LIMITS) > CONTENT_MAX >= length(rendition.text, LIMITS):
            # Only our backslashes make it too long; an embed's description holds 4,096.
            text, embeds = "", [{"description": text}]
        return {
            "content": text,
            "embeds": embeds,
            "attachments": self._attachments(rendition, files, kept),
            "allowed_mentions": {"parse": []},
            # The flag would hide our own embed as well.
            "flags": SUPPRESS_EMBEDS if self._options.suppress_embeds and not embeds else 0,
        }

    def _attachments(self, rendition: Rendition, files: Mapping[str, MediaFile], kept: Mapping[str, str]) -> list[dict[str, str]]:
        """Old and new files in the author's order, with their alt texts; new ones are called by their place in the form."""
        places = {url: str(place) for place, url in enumerate(files)}
        found = []
        for attachment in rendition.attachments:
            number = kept.get(attachment.url) or places.get(attachment.url)
            if number is None:
                continue
            alt = media.shorten_alt(attachment.description, self.limits.media.alt_max)
            found.append({"id": number} | ({"description": alt} if alt else {}))
        return found

    async def _files(self, rendition: Rendition, kept: Collection[str]) -> dict[str, MediaFile]:
        """Every attachment that will do, by its address at the origin, but those that are ``kept``."""
        rules = self.limits.media
        share = REQUEST_BYTES // max(1, len(rendition.attachments))
        rules = replace(rules, image_max_bytes=min(rules.image_max_bytes or share, share))
        cache_dir = self._context.state_dir / "media"
        found: dict[str, MediaFile] = {}
        for attachment in rendition.attachments[: rules.images_max]:
            if attachment.url in kept:
                continue
            try:
                found[attachment.url] = await media.fetch(self._context.http, attachment, rules, cache_dir=cache_dir)
            except (Rejected, Gone) as error:
                self._context.log.warning("media left out url=%s: %s", attachment.url, error.detail)
        return found

    async def _call(
        self, method: str, path: str = "", *, body: Mapping[str, Any] | None = None, files: Mapping[str, MediaFile] | None = None
    ) -> Any:
        """Discord's answer, None when it is empty. What it raises never holds the address."""
        base, token = self._webhook()
        now = self._context.now()
        bucket = f"{method} {bool(path)}"
        full_until = self._full_until.get(bucket, now)
        if full_until > now:
            raise RateLimited("Discord has no room for more just now", at=full_until)
        query = {"wait": "true"} if method == "POST" else {}
        if self._options.thread_id and (method != "GET" or path):
            query["thread_id"] = self._options.thread_id
        try:
            response = await self._context.http.request(
                method,
                base + path,
                params=query,
                json=None if files else body,
                data=_form(body or {}, files) if files else None,
                timeout_s=UPLOAD_TIMEOUT_S if files else 30.0,
            )
            self._full_until[bucket] = _full_until(response, now)
            return _result(response, now, write=method != "GET")
        except ConnectorError as error:
            error.detail = error.detail.replace(token, "…")
            error.args = (error.detail,)
            # Its causes may hold the address.
            error.__cause__ = error.__context__ = None
            raise

    def _webhook(self) -> tuple[str, str]:
        """The address to call, of the version that we speak, and the secret part of it."""
        parts = urlsplit(self._options.webhook.reveal().strip())
        found = _ADDRESS.fullmatch(parts.path)
        if found is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise AuthExpired("this is not the address of a webhook", hint=WEBHOOK_HINT)
        return f"{parts.scheme}://{parts.netloc}/api/v10/webhooks/{found['id']}/{found['token']}", found["token"]

    def _receipt(self, message: Any, files: Mapping[str, MediaFile], kept: Mapping[str, str]) -> Receipt:
        if not isinstance(message, dict) or not message.get("id"):
            raise OutcomeUnknown("the answer names no message")
        names = {_filename(place, file): url for place, (url, file) in enumerate(files.items())}
        urls = {number: url for url, number in kept.items()}
        listed = [(str(file.get("id")), str(file.get("filename"))) for file in message.get("attachments") or []]
        page = self._page(message.get("channel_id"))
        return Receipt(
            remote_id=str(message["id"]),
            url=f"{page}/{message['id']}" if page else None,
            data=tuple((url, number) for number, name in listed if (url := urls.get(number) or names.get(name))),
        )

    def _page(self, channel_id: str | None) -> str | None:
        return f"https://discord.com/channels/{self._guild_id}/{channel_id}" if self._guild_id and channel_id else None


class _TooLarge(Rejected):
    """The files are more than the server takes."""


def markdown(text: str) -> str:
    """``text`` so that Discord shows exactly it, with its links live and whole."""
    marked = _SUBTEXT.sub(r"\1\\-#", to_markup(text, "markdown"))
    position, pieces = 0, []
    for entity in addresses(text, bare=False):
        start = marked.index(entity.value, position)
        pieces.append(marked[position:start])
        # Discord takes whatever follows without a space for a part of the address, our backslashes too.
        pieces.append(entity.value if _ENDS_WELL.match(text, entity.end) else f"<{entity.value}>")
        position = start + len(entity.value)
    return "".join([*pieces, marked[position:]])


def _filename(place: int, file: MediaFile) -> str:
    """One of its own for each file of a request: in the answer, it tells them apart."""
    return f"{place}-{file.name}"


def _form(body: Mapping[str, Any], files: Mapping[str, MediaFile]) -> aiohttp.FormData:
    """https://discord.com/developers/docs/reference#uploading-files"""
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps(body), content_type="application/json")
    for place, file in enumerate(files.values()):
        form.add_field(f"files[{place}]", BytesIO(file.data), filename=_filename(place, file), content_type=file.media_type)
    return form


def _full_until(response: Response, now: datetime) -> datetime:
    """When the next request has room (https://discord.com/developers/docs/topics/rate-limits#header-format)."""
    if response.headers.get("X-RateLimit-Remaining") != "0":
        return now
    seconds = response.headers.get("X-RateLimit-Reset-After", "")
    return now + timedelta(seconds=float(seconds)) if re.fullmatch(r"\d{1,6}(\.\d+)?", seconds) else now


def _result(response: Response, now: datetime, *, write: bool) -> Any:
    """What Discord answered, None for nothing; raises what a refusal stands for."""
    try:
        answer = response.json() if response.body else None
    except Transient:
        answer = _NO_JSON
    if response.status in (200, 204) and answer is not _NO_JSON:
        return answer
    raise _error(response, answer if isinstance(answer, dict) else {}, now, write=write)


def _error(response: Response, document: Mapping[str, Any], now: datetime, *, write: bool) -> ConnectorError:
    status, code = response.status, document.get("code")
    common = error_for(response, now)
    said = common.detail if common else f"{urlsplit(response.url).netloc} answered {status} with something else than JSON"
    said = f"Discord answered {status}: {_told(document)}" if document else said
    if status == 429:
        wait = document.get("retry_after")
        at = now + timedelta(seconds=wait) if isinstance(wait, int | float) else retry_after(response.headers, now)
        return RateLimited(said, at=at)
    if code == UNKNOWN_MESSAGE:
        return Gone(said)
    if code in (UNKNOWN_CHANNEL, NEEDS_THREAD):
        return AuthExpired(said, hint=THREAD_HINT)
    if status in (401, 403, 404):
        # Discord bans addresses that go on calling what is not there: the account waits, whatever it is.
        return AuthExpired(said, hint=WEBHOOK_HINT if document else ADDRESS_HINT)
    if status == 413 or code == TOO_LARGE:
        return _TooLarge(said)
    if 300 <= status < 500 and status != 408:
        return Rejected(said, hint=None if document else ADDRESS_HINT)
    if write:
        # Without keys or history, a message that may be there is never taken for one that is not.
        return OutcomeUnknown(said)
    return Transient(said) if status >= 400 else Rejected(said, hint=ADDRESS_HINT)


def _told(document: Mapping[str, Any]) -> str:
    """Its message and code, and for a form what is wrong where (https://discord.com/developers/docs/reference#error-messages)."""
    places = "; ".join(f"{'.'.join(path)}: {message}" for path, message in _leaves(document.get("errors"), ()))
    return f"{document.get('message')} ({document.get('code')}){f': {places}' if places else ''}"[:500]


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(tree, dict):
        return
    for name, inner in tree.items():
        if name != "_errors":
            yield from _leaves(inner, (*path, str(name)))
            continue
        for error in inner if isinstance(inner, list) else []:
            yield path, str(error.get("message") if isinstance(error, dict) else error)
